"""Values that a page is handed, because what makes them needs packages that it lacks."""

import base64
import json
import subprocess
import sys
import tempfile
import types
import zlib
from pathlib import Path

import numpy as np

from tools import notebooks

MOST = 4_000_000  # of one value, as text [characters]


def encoded(value: object) -> object:
    """Return a value as JSON can hold it; TypeError if it is none of data."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        raw = value.astype(np.float32) if value.dtype == np.float64 else value
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(raw).tobytes(), 9)).decode()
        kinds = [raw.dtype.str, value.dtype.str]
        return {"array": packed, "kinds": kinds, "shape": list(value.shape)}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: encoded(item) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [encoded(item) for item in value]}
    raise TypeError(f"{type(value).__name__} is no data")


def made(statements: list[str]) -> list[dict[str, str]]:
    """Run statements, and return after each the data that it made, by name, as JSON."""
    space = {"__name__": "__main__"}
    found = []
    for text in statements:
        before = dict(space)
        exec(compile(text, "cut", "exec"), space)
        data = {}
        for name, value in space.items():
            if name in before and before[name] is value:
                continue
            if isinstance(value, types.ModuleType | types.FunctionType | type):
                continue
            try:
                held = json.dumps(encoded(value))
            except TypeError:
                continue
            if len(held) < MOST:
                data[name] = held
        found.append(data)
    return found


def of(sources: dict[str, list[str]]) -> dict[str, list[dict[str, str]]]:
    """Return the data of several stages, made with all packages in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        request, reply = Path(folder) / "asked.json", Path(folder) / "answered.json"
        request.write_text(json.dumps(sources), encoding="utf-8")
        command = [sys.executable, "-m", "tools.site.engine.values", request, reply]
        done = subprocess.run(command, cwd=notebooks.ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"what stages are handed could not be made:\n{done.stderr}")
        return json.loads(reply.read_text(encoding="utf-8"))


if __name__ == "__main__":
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers = {name: made(statements) for name, statements in wanted.items()}
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")
