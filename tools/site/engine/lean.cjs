// Run a script in the whole Pyodide, with a folder's archives under /in; what it writes under /out goes into lean/.
const fs = require("fs"), path = require("path");
const [, , pyodide, script, folder] = process.argv;

(async () => {
  const { loadPyodide } = require(path.join(pyodide, "pyodide.js"));
  const python = await loadPyodide({ indexURL: `${pyodide}/` });
  python.FS.mkdir("/in");
  python.FS.mkdir("/out");
  const archives = fs.readdirSync(folder);
  for (const name of archives) python.FS.writeFile(`/in/${name}`, fs.readFileSync(path.join(folder, name)));
  python.runPython(fs.readFileSync(script, "utf8"));
  fs.mkdirSync(path.join(folder, "lean"));
  for (const name of archives) fs.writeFileSync(path.join(folder, "lean", name), python.FS.readFile(`/out/${name}`));
})().catch((error) => { console.log(error.message); process.exit(1); });
