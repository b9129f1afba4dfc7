"""Stages that no page can compute: their answers for all values of a grid, made beforehand.

What such a stage asks at every move is a network or a library that a page lacks. So its handles are
snapped to steps that suffice for its challenge, the notebook's own function answers for each of
them at build time, and the page looks the answers up. Arrays are stored, never pictures.
"""

import base64
import itertools
import json
import os
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tools import notebooks

# by unit and title: of how many of its own steps a step of the grid consists, by name
STEPS = {
    ("22", "Which flag is it?"): {},
    ("31", "Does it lead home?"): {"detuned": 5},
    ("34", "The vocoder bench"): {"noise": 3, "blur": 6},
    ("35", "What can this output depend on?"): {"n": 7},
    ("36", "Which one would you ship?"): {},
    ("42", "Drag a frame"): {},
}
NAN = 65535  # what stands for NaN; numbers lie below it
IMAGE = 255  # levels of a picture: a page draws it in as many colours


def grid(spec: dict, steps: dict[str, int]) -> dict[str, list]:
    """Return the values of each handle and control, as the front end counts.

    The steps in `spec` become those of the grid, so that what is dragged stops only there.
    """
    axes = {}
    for part in [*spec["handles"], *spec["controls"]]:
        name = part["name"]
        if part.get("kind") == "choice":
            axes[name] = list(range(len(part["options"])))
        elif part.get("kind") == "toggle":
            axes[name] = [False, True]
        else:
            assert not part["log"]
            part["step"] = part["step"] * steps.get(name, 1)
            count = round((part["high"] - part["low"]) / part["step"])
            assert np.isclose(part["low"] + count * part["step"], part["high"]), name
            axes[name] = [round(part["low"] + k * part["step"], 9) for k in range(count + 1)]
    return axes


def answers(name: str, axes: dict[str, list]) -> list[dict]:
    """Return what a stage answers at every point of its grid; the last axis changes first."""
    from tools.site.engine import answering

    found = []
    for point in itertools.product(*axes.values()):
        request = {"n": 1, "values": dict(zip(axes, point, strict=True))}
        text, frame = answering.answer(name, json.dumps(request))
        content = json.loads(text)
        if "fault" in content:
            raise RuntimeError(f"{name} at {request['values']}: {content['fault']}")
        flat = np.frombuffer(frame, "<f4")
        ends = np.cumsum([int(np.prod(shape)) for _, shape in content["contents"]])[:-1]
        parts = zip(content["contents"], np.split(flat, ends), strict=True)
        arrays = {array: part.reshape(shape) for (array, shape), part in parts}
        found.append({"arrays": arrays, "words": [content["readout"], content["solved"]]})
    return found


def deflated(raw: bytes) -> str:
    """Return bytes as text that a script can hold."""
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def whole(values: np.ndarray, levels: tuple | None) -> tuple[np.ndarray, float, float]:
    """Return values as whole numbers, and the offset and the step that bring them back.

    Those of a picture, whose lowest and highest level is given, are rounded to 8 bits; others to 16
    bits, and exact where they are whole numbers themselves.
    """
    nan = np.isnan(values)
    if levels:
        low, high = levels
        step = (high - low) / IMAGE
        return np.clip(np.round((values - low) / step), 0, IMAGE).astype(np.uint8), low, step
    assert np.isfinite(values[~nan]).all()
    low, high = float(np.min(values[~nan])), float(np.max(values[~nan]))
    exact = np.all(values[~nan] % 1 == 0) and high - low < NAN
    step = 1.0 if exact else (high - low) / (NAN - 1) or 1.0
    numbers = np.round((np.where(nan, low, values) - low) / step).astype(np.uint16)
    numbers[nan] = NAN
    return numbers, low, step


def stored(arrays: list[np.ndarray], levels: tuple | None) -> dict:
    """Return different arrays of one name: shapes, and differences from number to number."""
    numbers, low, step = whole(np.concatenate([a.ravel() for a in arrays]).astype(float), levels)
    steps = np.diff(numbers, prepend=numbers.dtype.type(0))
    planes = steps.view(np.uint8).reshape(len(steps), -1).T  # low bytes, then high ones
    return {
        "shapes": [list(a.shape) for a in arrays],
        "low": low,
        "step": step,
        "bytes": steps.itemsize,
        "data": deflated(np.ascontiguousarray(planes).tobytes()),
    }


def packed(spec: dict, axes: dict[str, list], found: list[dict]) -> dict:
    """Return the answers as a page looks them up; sounds stand apart, as samples."""
    levels = {
        item["name"]: (item["low"], item["high"])
        for panel in spec["panels"]
        for item in panel["items"]
        if item["kind"] == "image"
    }
    names = list(found[0]["arrays"])
    columns, arrays, sounds = [], {}, []
    for name in names:
        distinct = {}
        for one in found:
            y = one["arrays"][name]
            distinct.setdefault((y.shape, y.tobytes()), (len(distinct), y))
        columns.append(
            [distinct[y.shape, y.tobytes()][0] for y in (f["arrays"][name] for f in found)]
        )
        kept = [y for _, y in distinct.values()]
        if name == "sound":
            sounds = kept
        else:
            arrays[name] = stored(kept, levels.get(name))
    words = [list(dict.fromkeys(one["words"][k] for one in found)) for k in (0, 1)]
    for k, texts in enumerate(words):
        at = {text: number for number, text in enumerate(texts)}
        columns.append([at[one["words"][k]] for one in found])
    pack = {
        "axes": [[name, values] for name, values in axes.items()],
        "names": names,
        "columns": deflated(np.array(columns, "<u2").tobytes()),
        "words": deflated(json.dumps(words).encode()),
        "arrays": arrays,
    }
    return {"pack": pack, "sounds": sounds}


def nearest(axes: dict[str, list], values: dict) -> dict:
    """Return the point of a grid that is nearest to some values."""
    return {name: min(at, key=lambda v: abs(v - values[name])) for name, at in axes.items()}


def made(unit: str, title: str, statements: list[str]) -> dict:
    """Return a stage on its grid: what it shows first, and all its answers."""
    from tools.site import widgets
    from tools.site.engine import answering

    answering.make(title, "\n".join(statements))
    stage = answering.MADE[title]
    spec = json.loads(json.dumps(stage.spec))
    axes = grid(spec, STEPS[unit, title])
    start = nearest(axes, dict(stage.values))
    pack = packed(spec, axes, answers(title, axes))
    flacs = [widgets.flac(y[None], spec["sr"]) for y in pack["sounds"]]
    text, frame = answering.answer(title, json.dumps({"n": 1, "values": start}))
    first = {key: json.loads(text)[key] for key in ("contents", "readout", "solved")}
    return {
        "state": first | {"spec": spec, "values": start},
        "frame": deflated(frame),
        "pack": pack["pack"],
        "sounds": [base64.b64encode(flac).decode() for flac in flacs],
        "sr": spec["sr"],
        "steps": int(np.prod([len(at) for at in axes.values()])),
    }


def title_of(statements: list[str]) -> str:
    """Return the title of the grid that a stage's last statement names, or nothing."""
    titles = [title for _, title in STEPS if f'title="{title}"' in statements[-1]]
    return titles[0] if titles else ""


def apart(name: str, one: dict) -> dict:
    """Return one stage on its grid, made in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        request, reply = Path(folder) / "asked.json", Path(folder) / "answered.json"
        request.write_text(json.dumps(one), encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "tools.site.engine.grids"]
        own = os.environ | {"OMP_NUM_THREADS": "1"}  # two run at a time
        done = subprocess.run(
            [*command, request, reply], cwd=notebooks.ROOT, env=own, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"the grid of {name} could not be made:\n{done.stderr}")
        return json.loads(reply.read_text(encoding="utf-8"))


def of(asked: dict[str, dict]) -> dict[str, dict]:
    """Return stages on their grids, two made at a time, each with all packages.

    `asked` holds unit, title and statements of each, by any name.
    """
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(asked, pool.map(apart, asked, asked.values()), strict=True))


if __name__ == "__main__":
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(json.dumps(made(**wanted)), encoding="utf-8")
