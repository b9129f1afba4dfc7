"""Stages that no page can compute: their answers for all values of a grid, made beforehand.

What such a stage asks at every move is a network or a library that a page lacks. So its handles are
snapped to steps that suffice for its challenge, the notebook's own function answers for each of
them at build time, and the page looks the answers up. Arrays are stored, never pictures.
"""

import base64
import itertools
import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

from tools import notebooks

# by unit and title: of how many of its own steps a step of the grid consists, by name
STEPS = {
    ("22", "Which flag is it?"): {"frame": 5},
    ("31", "Does it lead home?"): {"detuned": 5},
    ("34", "The vocoder bench"): {"noise": 3, "blur": 6},
    ("35", "What can this output depend on?"): {"n": 20},
    ("36", "Which one would you ship?"): {},
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
    """Return what a stage answers at every point of its grid, the last axis first."""
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
        arrays = {
            array: part.reshape(shape)
            for (array, shape), part in zip(content["contents"], np.split(flat, ends), strict=True)
        }
        words = {"readout": content["readout"], "solved": content["solved"]}
        found.append({"arrays": arrays, "words": words})
    return found
