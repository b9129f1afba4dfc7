// Python in a page. This runs in a worker that is made of text: a page from a file may start no other. What Pyodide
// would fetch is handed in.

const files = {}, TYPES = { wasm: "application/wasm", js: "text/javascript", json: "application/json" };
let python, answering;

async function inflated(base64) {
  const raw = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

self.fetch = async (url) => {
  const name = String(url.url ?? url).split("/").pop();
  if (!files[name]) throw new Error(`${name} is not here`);
  return new Response(files[name], { headers: { "content-type": TYPES[name.split(".").pop()] ?? "application/octet-stream" } });
};

async function start(pieces) {
  for (const [name, text] of Object.entries(pieces)) files[name] = await inflated(text);
  const script = (name) => URL.createObjectURL(new Blob([files[name]], { type: "text/javascript" }));
  const real = self.importScripts.bind(self);
  real(script("pyodide.js"), script("pyodide.asm.js"));
  self.importScripts = (...urls) => urls.filter((url) => !/pyodide\.asm\.js/.test(url)).forEach((url) => real(url)); // it is here
  python = await loadPyodide({ indexURL: "https://nowhere.invalid/" });
  python.unpackArchive(files["numpy.tar"].buffer, "tar", { extractDir: "/lib/python3.11/site-packages" });
  python.unpackArchive(files["course.zip"].buffer, "zip", { extractDir: "/course" });
  python.runPython("import sys, warnings; sys.path.insert(0, '/course'); warnings.simplefilter('ignore')");
  python.runPython("import face; face.use(); import quick; quick.use(); import answering");
  answering = python.pyimport("answering");
}

function make({ name, source, clips }) {
  for (const [clip, { samples, channels, sr }] of Object.entries(clips)) {
    const own = python.toPy({ samples, channels, sr, clip });
    python.globals.set("handed", own);
    python.runPython(`
import numpy as np
y = np.asarray(handed["samples"], dtype=np.float32).copy()
y = y if handed["channels"] == 1 else y.reshape(handed["channels"], -1)
face.CLIPS[handed["clip"]] = (y, handed["sr"])
`);
    own.destroy();
  }
  answering.make(name, source);
}

function ask({ name, request }) {
  const reply = answering.answer(name, JSON.stringify(request)), [text, frame] = [reply.get(0), reply.get(1)];
  const view = frame.getBuffer(), bytes = new Uint8Array(view.data).slice();
  view.release(); frame.destroy(); reply.destroy();
  postMessage({ name, message: JSON.parse(text), bytes }, [bytes.buffer]);
}

function check({ name, key, context, code }) {
  const reply = answering.check(key, name, context, code), [outcome, shown] = [reply.get(0), reply.get(1)];
  reply.destroy();
  return { outcome, shown };
}

const CALLS = { start: ({ pieces }) => start(pieces), make, ask, check };
let line = Promise.resolve(); // one thing after the other

onmessage = ({ data }) => {
  line = line.then(() => CALLS[data.call](data)).then(
    (found) => data.call !== "ask" && postMessage({ name: data.as ?? data.name, found }),
    (error) => postMessage({ name: data.as ?? data.name, fault: String(error).trim().split("\n").at(-1) }),
  );
};
