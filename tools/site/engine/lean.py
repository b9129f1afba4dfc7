"""Make what a page fetches of Python small and quick: modules as bytecode, and only those that
serve there.

Pyodide itself does it, in Node: its own Python writes the bytecode that its own Python reads.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = ("lean.cjs", "lean_inside.py")  # the second runs in Pyodide


def named() -> str:
    """Return a short name of how things are made lean; another way has another name."""
    texts = b"".join((HERE / name).read_bytes() for name in SCRIPTS)
    return hashlib.sha256(texts).hexdigest()[:8]


def lean(pyodide: Path, archives: dict[str, bytes]) -> dict[str, bytes]:
    """Return archives of Python (python_stdlib.zip, numpy.tar, course.zip) as a page takes them.

    `pyodide` is the folder of the whole Pyodide. RuntimeError says in one line what is missing.
    """
    if (node := shutil.which("node")) is None:
        raise RuntimeError("node is not installed (Node.js); Python for a page is compiled in it")
    with tempfile.TemporaryDirectory() as folder:
        for name, raw in archives.items():
            (Path(folder) / name).write_bytes(raw)
        command = [node, HERE / SCRIPTS[0], pyodide, HERE / SCRIPTS[1], folder]
        own = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
        done = subprocess.run(command, env=own, capture_output=True, text=True)
        if done.returncode:
            said = (done.stdout + done.stderr)[-2000:]
            raise RuntimeError(f"Python for a page could not be compiled:\n{said}")
        return {name: (Path(folder) / "lean" / name).read_bytes() for name in archives}
