"""Python for a page: what is fetched, what is packed, and which stages answer in it.

Pyodide and its numpy are a pair that was built together: both for Python 3.11.3 by emscripten
3.1.45. Pyodide comes through npm; its numpy is cut out of a package of pip that carries it.
"""

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tools import notebooks
from tools.site import vendor, widgets
from tools.site.engine import cutting, exercises, grids, lean, text7, values

ROOT, HERE = notebooks.ROOT, Path(__file__).parent
PYODIDE = "0.24.1"
SCRIPTS = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
LEAN = ("python_stdlib.zip", "numpy.tar")  # what is made smaller
ORDER = (LOCK, *SCRIPTS, "numpy.tar")  # as a worker needs them
NUMPY = "jupyterlite-xeus-python==1.0.0"  # holds numpy 1.25.2
# of numpy, what nothing here imports
UNUSED = ("/tests/", "/f2py/", "/distutils/", "/array_api/", "/lapack_lite")
SHARED = ("helpers", "data/tables", "data/coursework/parts.toml")  # of the course
AT_EVERY_MOVE = (
    "22",
    "31",
    "34",
    "35",
)  # units with a stage that asks librosa or a network each time
LICENCES = (
    f"Python in these pages: Pyodide {PYODIDE} (Mozilla Public License 2.0, "
    "github.com/pyodide/pyodide), Python 3.11.3 (PSF License 2), NumPy 1.25.2 (BSD 3-Clause, "
    "github.com/numpy/numpy)."
)


def kept() -> Path:
    """Return the folder of Pyodide and numpy as npm and pip gave them; RuntimeError says why there
    is none.
    """
    folder = vendor.CACHE / f"engine-{PYODIDE}-3"
    names = (*SCRIPTS, LOCK, "numpy.tar")
    if not all((folder / name).is_file() for name in names):
        contents = vendor.files_of_npm("pyodide", PYODIDE, (*SCRIPTS, LOCK))
        contents["numpy.tar"] = _numpy()
        for name in names:
            vendor.replace(folder / name, contents[name])
    return folder


def fetched() -> dict[str, bytes]:
    """Return Python for a page in the order in which it starts; what was made once is kept."""
    whole = kept()
    small = whole.with_name(f"{whole.name}-{lean.named()}")
    if not all((small / name).is_file() for name in LEAN):
        raw = {name: (whole / name).read_bytes() for name in LEAN}
        for name, made in lean.lean(whole, raw).items():
            vendor.replace(small / name, made)
    folders = {name: small if name in LEAN else whole for name in ORDER}
    return {name: (folder / name).read_bytes() for name, folder in folders.items()}


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
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        for member in old:
            wanted = member.isfile() and member.name.startswith(start + "numpy/")
            if wanted and not any(part in member.name for part in UNUSED):
                file = old.extractfile(member)
                member.name = member.name.removeprefix(start)
                new.addfile(member, file)
    return out.getvalue()


def course() -> bytes:
    """Return the course's helpers and tables, and what stands for the rest, as an archive."""
    roots = [ROOT / name for name in SHARED]
    paths = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))]
    own = [path for path in paths if path.is_file() and "__pycache__" not in path.parts]
    found = {path.relative_to(ROOT).as_posix(): path for path in sorted(own)}
    found |= {name: HERE / name for name in ("face.py", "quick.py", "answering.py")}
    return lean.lean(kept(), {"course.zip": zipped(found)})["course.zip"]


def unit(folder: Path) -> bytes:
    """Return what the exercises of a unit need, as an archive."""
    own = [path for path in sorted(folder.iterdir()) if path.suffix in (".toml", ".py")]
    return zipped({path.relative_to(ROOT).as_posix(): path for path in own})


def zipped(paths: dict[str, Path]) -> bytes:
    """Return an archive, the same every time; scripts and styles, which a page has, are empty."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, path in paths.items():
            raw = b"" if path.suffix in (".js", ".css") else path.read_bytes()
            archive.writestr(zipfile.ZipInfo(name), raw)
    return out.getvalue()


def put(shelf: widgets.Shelf) -> None:
    """Put Python on the shelf; the page finds it under the name `engine`."""
    pieces = fetched() | {"course.zip": course()}
    folders = sorted((ROOT / "data" / "coursework").glob("[0-9][0-9]"))
    texts = {name: text7.packed(raw) for name, raw in pieces.items()}
    manifest = {
        "worker": (HERE / "worker.js").read_text(encoding="utf-8"),
        "pieces": {name: [shelf.put_script(text), len(text)] for name, text in texts.items()},
        "units": {path.name: shelf.put_script(text7.packed(unit(path))) for path in folders},
        "licences": LICENCES,
    }
    shelf.scripts["engine"] = json.dumps(manifest, separators=(",", ":"))


def alive(books: dict) -> dict[str, dict[str, dict[int, dict]]]:
    """Return what answers in a page, by notebook: {"stages": by cell, "exercises": by cell}.

    Each was tried in a process of its own that has only what the page has: a stage's first picture
    is the one that the notebook holds, an exercise's solution is right.
    """
    pictures = {path.stem: _pictures(nb) for path, nb in books.items()}
    asked = {"stages": {}, "exercises": {}}
    for path, nb in books.items():
        sources = cutting.stages(nb)
        asked["stages"][path.stem] = {
            str(cell): {"statements": sources[cell], "values": picture["values"]}
            for cell, picture in pictures[path.stem].items()
            if cell in sources
        }
        asked["exercises"][path.stem] = {
            str(cell): one for cell, one in exercises.found(nb).items()
        }
    answered = _tried(asked)
    _hand_over(asked["stages"], answered["stages"])
    found = {path.stem: {"stages": {}, "exercises": {}} for path in books}
    still = {}
    for stem, parts in found.items():
        for cell, got in answered["stages"][stem].items():
            said = why_not(got, pictures[stem][int(cell)])
            statements = asked["stages"][stem][cell]["statements"]
            title = grids.title_of(statements)
            if not said:
                parts["stages"][int(cell)] = {"source": got["source"], "clips": got["clips"]}
            elif title:
                one = {"unit": stem[:2], "title": title, "statements": statements}
                still[f"{stem} {cell}"] = one
            else:
                _tell(stem, cell, said)
        for cell, got in answered["exercises"][stem].items():
            _tell(stem, cell, got["fault"])
            if not got["fault"]:
                box = exercises.box(asked["exercises"][stem][cell])
                parts["exercises"][int(cell)] = box | {"clips": got["clips"]}
    for name, made in grids.of(still).items():
        stem, cell = name.split()
        print(f"unit {stem[:2]}, cell {cell}: computed beforehand, {made['steps']} steps")
        found[stem]["stages"][int(cell)] = {"grid": made}
    return found


def _hand_over(asked: dict, answered: dict) -> None:
    """Try the stages that failed once more, with the values that only packages make."""
    failed = [
        (stem, cell)
        for stem, cells in answered.items()
        for cell, got in cells.items()
        if "fault" in got and stem[:2] not in AT_EVERY_MOVE
    ]
    data = values.of({f"{stem} {cell}": asked[stem][cell]["statements"] for stem, cell in failed})
    again = {stem: {} for stem, _ in failed}
    for stem, cell in failed:
        again[stem][cell] = asked[stem][cell] | {"data": data[f"{stem} {cell}"]}
    for stem, cells in _tried({"stages": again, "exercises": {}})["stages"].items():
        answered[stem] |= cells


def _tell(stem: str, cell: str, said: str) -> None:
    if said:
        print(f"unit {stem[:2]}, cell {cell}: needs a kernel ({said[:150]})", flush=True)


def _tried(asked: dict) -> dict:
    """Return what stages and exercises answer where only what a page has is there."""
    with tempfile.TemporaryDirectory() as folder:
        request, reply = Path(folder) / "asked.json", Path(folder) / "answered.json"
        request.write_text(json.dumps(asked), encoding="utf-8")
        command = [sys.executable, "-m", "tools.site.engine.trying", request, reply]
        own = os.environ | {"EARUP_PROGRESS": f"{folder}/progress.json"}
        done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the stages could not be tried:\n{done.stderr}")
        return json.loads(reply.read_text(encoding="utf-8"))


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
