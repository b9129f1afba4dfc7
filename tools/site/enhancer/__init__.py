"""Setting 1 in a page: its weights as plain arrays, and the widget that lets a visitor hear it."""

import base64
import html
import zlib
from pathlib import Path

import numpy as np

from tools import notebooks
from tools.site import widgets

HERE = Path(__file__).parent
HELPERS = notebooks.ROOT / "helpers"
NAME = "setting1_stft"
VOICES = {"a woman": "arctic_slt", "a man": "arctic_awb"}
TITLE = "Setting 1, live in this page"
STILL = "A voice, rain by a slider, and Setting 1, which works in this page."


def weights() -> dict:
    """Return the network's configuration and its weights: names, counts, and float32, deflated."""
    from safetensors.numpy import load_file

    from helpers import settings

    tensors = load_file(notebooks.ROOT / "data" / "weights" / f"{NAME}.safetensors")
    raw = b"".join(np.ascontiguousarray(t, dtype="<f4").tobytes() for t in tensors.values())
    return {
        "config": settings.configuration(NAME),
        "layout": [[name, int(t.size)] for name, t in tensors.items()],
        "packed": base64.b64encode(zlib.compress(raw, 9)).decode(),
    }


def worker() -> str:
    """Return what the worker runs."""
    parts = [(HERE / name).read_text(encoding="utf-8") for name in ("network.js", "worker.js")]
    return "\n".join(parts)


def module() -> str:
    """Return the widget's code: what it shares with the player and the recorder, then its own."""
    shared = [HELPERS / "_frontend" / "core.js"]
    shared += [HELPERS / "listening" / f"{name}.js" for name in ("deck", "microphone", "recorder")]
    texts = [path.read_text(encoding="utf-8") for path in shared]
    texts[-1], _ = texts[-1].split("\nfunction render(", 1)  # how samples are had, no more
    return "\n".join([*texts, (HERE / "face.js").read_text(encoding="utf-8")])


def style() -> str:
    """Return the look: that of all widgets, and its own."""
    paths = (HELPERS / "_frontend" / "style.css", HERE / "face.css")
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def place(shelf: widgets.Shelf) -> str:
    """Put the enhancer on the shelf, and return the place in a page that the host fills."""
    from helpers import audio

    clips = {}
    for shown, name in {**VOICES, "rain": "rain"}.items():
        y, sr = audio.clip(name)
        assert sr == 16000 and y.ndim == 1
        clips[shown] = {"sound": shelf.put(base64.b64encode(widgets.flac(y[None], sr)).decode())}
    made = {
        "kind": "anywidget",
        "code": shelf.put(module()),
        "style": shelf.put(style()),
        "state": {
            "title": TITLE,
            "clips": clips,
            "voices": list(VOICES),
            "worker": shelf.put(worker()),
            "weights": shelf.put(weights()),
        },
        "bytes": [],
    }
    part = shelf.put([made])
    return f'<div class="earup-place" data-part="{part}"><p>{html.escape(STILL)}</p></div>'
