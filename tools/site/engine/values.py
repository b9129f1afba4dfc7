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
SOUND = 20_000  # samples from which an array is a sound; 20 bits of its peak are enough for it


def encoded(value: object) -> object:
    """Return a value as JSON can hold it; TypeError if it is none of data."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        raw = value.astype(np.float32) if value.dtype == np.float64 else value
        form = {"kinds": [raw.dtype.str, value.dtype.str], "shape": list(value.shape)}
        if raw.shape[-1:] >= (SOUND,):
            form |= steps(raw)
            raw = form.pop("raw")
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(raw).tobytes(), 9)).decode()
        return {"array": packed} | form
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: encoded(item) for key, item in value.items()}}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [encoded(item) for item in value]}
    raise TypeError(f"{type(value).__name__} is no data")


def steps(raw: np.ndarray) -> dict:
    """Return how a sound is held: what each sample adds to the one before, byte by byte, which
    packs well; nothing new for what is none.
    """
    scale = 1.0
    if raw.dtype == np.float32 and 0 < np.abs(raw).max() <= 1:
        scale = float(np.abs(raw).max()) / (2**19 - 1)
        raw = np.round(raw / scale).astype(np.int32)
    if raw.dtype not in (np.int16, np.int32):
        return {"raw": raw}
    added = np.diff(raw, prepend=raw.dtype.type(0), axis=-1)
    planes = np.ascontiguousarray(added).view(np.uint8).reshape(-1, raw.itemsize).T
    return {"raw": planes, "steps": raw.dtype.str, "scale": scale}


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
