// Python in a page. This runs in a worker that is made of text: a page from a file may start no other. What Pyodide
// would fetch is handed in, piece by piece; each is unpacked, and the first ones start, while the next are on their way.

const TYPES = { wasm: "application/wasm", js: "text/javascript", json: "application/json" };
let python, answering;

// Seven characters hold six bytes (see text7.py).
const BASE = 116, HALF = 2 ** 24, digits = new Uint8Array(128);
[...Array(128).keys()].filter((code) => ![0, 8, 9, 10, 11, 12, 13, 26, 27, 34, 92, 127].includes(code)).forEach((code, digit) => { digits[code] = digit; });
function bytesOf(text) {
  const number = (at) => {
    let value = 0;
    for (let k = at; k < at + 7; k++) value = BASE * value + digits[text.charCodeAt(k)];
    return value;
  };
  const out = new Uint8Array((6 * text.length) / 7 - 6);
  for (let at = 7, to = 0; at < text.length; at += 7, to += 6) {
    const value = number(at), high = Math.floor(value / HALF), low = value % HALF;
    out[to] = high >> 16; out[to + 1] = high >> 8; out[to + 2] = high;
    out[to + 3] = low >> 16; out[to + 4] = low >> 8; out[to + 5] = low;
  }
  return out.subarray(0, number(0));
}

async function inflated(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const pieces = {};
function piece(name) { // resolves when it is here
  if (!pieces[name]) {
    pieces[name] = {};
    pieces[name].here = new Promise((done) => { pieces[name].done = done; });
  }
  return pieces[name];
}

self.fetch = async (url) => {
  const name = String(url.url ?? url).split("/").pop();
  return new Response(await piece(name).here, { headers: { "content-type": TYPES[name.split(".").pop()] ?? "application/octet-stream" } });
};

async function start() {
  const script = async (name) => URL.createObjectURL(new Blob([await piece(name).here], { type: "text/javascript" }));
  const unpacked = async (name, kind, extractDir) => python.unpackArchive((await piece(name).here).buffer, kind, { extractDir });
  const real = self.importScripts.bind(self);
  real(await script("pyodide.js"));
  real(await script("pyodide.asm.js"));
  self.importScripts = (...urls) => urls.filter((url) => !/pyodide\.asm\.js/.test(url)).forEach((url) => real(url)); // it is here
  python = await loadPyodide({ indexURL: "https://nowhere.invalid/" });
  await unpacked("numpy.tar", "tar", "/lib/python3.11/site-packages");
  python.runPython("import numpy");
  await unpacked("course.zip", "zip", "/course");
  python.runPython("import sys, warnings; sys.path.insert(0, '/course'); warnings.simplefilter('ignore')");
  python.runPython("import face; face.use(); import quick; quick.use(); import answering");
  answering = python.pyimport("answering");
}

function hand(clips) {
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
}

function make({ name, source, clips }) {
  hand(clips);
  answering.make(name, source);
}

function ask({ name, request }) {
  const reply = answering.answer(name, JSON.stringify(request)), [text, frame] = [reply.get(0), reply.get(1)];
  const view = frame.getBuffer(), bytes = new Uint8Array(view.data).slice();
  view.release(); frame.destroy(); reply.destroy();
  postMessage({ name, message: JSON.parse(text), bytes }, [bytes.buffer]);
}

async function check({ name, key, context, code, unit, clips }) {
  hand(clips);
  python.unpackArchive((await inflated(unit)).buffer, "zip", { extractDir: "/course" });
  const reply = answering.check(key, name, context, code), [outcome, shown] = [reply.get(0), reply.get(1)];
  reply.destroy();
  return { outcome, shown };
}

const CALLS = { start, make, ask, check };
let line = Promise.resolve(); // one thing after the other

onmessage = ({ data }) => {
  if (data.call === "piece") { // waits for nothing
    inflated(data.text).then(piece(data.name).done);
    return;
  }
  line = line.then(() => CALLS[data.call](data)).then(
    (found) => data.call !== "ask" && postMessage({ name: data.as ?? data.name, found }),
    (error) => postMessage({ name: data.as ?? data.name, fault: String(error).trim().split("\n").at(-1) }),
  );
};
