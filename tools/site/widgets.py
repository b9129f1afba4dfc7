"""The widgets of a page, cut apart, so that a page loads only what somebody looks at.

A page shows a picture where a widget belongs. The host (static/widgets.js) puts the widget there
when it comes near the window. What a widget is made of lies on a shelf under the hash of what it
holds, once for the whole site: its code and style, its sounds as FLAC, and the rest of its state.
"""

import base64
import copy
import hashlib
import html
import io
import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import soundfile

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
SOUNDS = ("pcm", "sounds")  # traits that hold samples, as float32
QUIET = 60.0  # a track less than this above the rounding to 16 bits keeps 24 [dB]


class Shelf:
    """What widgets are made of, by the hash of what it holds: scripts, and pictures as PNG."""

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {}
        self.pictures: dict[str, bytes] = {}

    def put(self, value: object) -> str:
        """Keep a value that JSON can hold, and return its name."""
        return self.put_script(json.dumps(value, separators=(",", ":"), sort_keys=True))

    def put_script(self, text: str) -> str:
        """Keep a value as JavaScript writes it, and return its name."""
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.scripts[key] = text
        return key

    def put_clips(self, names: list[str]) -> dict[str, dict]:
        """Keep clips of the course for the page's Python; return, by name, where each is had."""
        from helpers import audio

        kept = {}
        for name in names:
            inside = "/" in name  # a file of a folder of data
            y, sr = audio.load(audio.DATA / f"{name}.flac") if inside else audio.clip(name)
            y = np.atleast_2d(y)
            sound = self.put(base64.b64encode(flac(y, sr)).decode())
            kept[name] = {"sound": sound, "sr": sr, "channels": y.shape[0]}
        return kept

    def put_picture(self, png: bytes) -> str:
        """Keep a picture, and return its name."""
        key = hashlib.sha256(png).hexdigest()[:16]
        self.pictures[key] = png
        return f"{key}.png"

    def write(self, folder: Path) -> None:
        """Write each thing into a file: a page from a file may load scripts, and nothing else."""
        folder.mkdir(parents=True, exist_ok=True)
        for key, text in self.scripts.items():
            (folder / f"{key}.js").write_text(f'earup.put("{key}",{text});', encoding="utf-8")
        for key, png in self.pictures.items():
            (folder / f"{key}.png").write_bytes(png)

    def inline(self) -> str:
        """Return all scripts as elements of a page that is one file."""
        texts = {key: text.replace("</", r"<\/") for key, text in self.scripts.items()}
        parts = [
            f'<script type="application/json" id="earup-{key}">{text}</script>'
            for key, text in texts.items()
        ]
        return "\n".join(parts)


def flac(y: np.ndarray, sr: int) -> bytes:
    """Return samples of shape (channels, n) as FLAC, rounded to 16 bits, or to 24 if they are
    quiet.

    The file says 24 bits in both cases: FLAC leaves out the eight that are always zero, and
    Chromium gives 24 bits back exactly, but scales the positive samples of 16.
    """
    y = np.asarray(y, dtype=np.float64)
    step = 2.0**-15
    rms = np.sqrt(np.mean(np.square(y))) if y.size else 0.0
    rounding = step / np.sqrt(12)
    bits = 24 if 0 < rms < rounding * 10 ** (QUIET / 20) else 16
    full = 2 ** (bits - 1)
    whole = np.clip(np.round(y * full), -full, full - 1).astype(np.int64)
    raw = io.BytesIO()
    samples = (whole << (32 - bits)).astype(np.int32)
    soundfile.write(raw, samples.T, sr, format="FLAC", subtype="PCM_24", compression_level=1.0)
    return raw.getvalue()


def lift(nb, shelf: Shelf, folder: str = "", live: dict[int, dict] | None = None):
    """Return a copy of an executed notebook without the state of its widgets.

    A picture stands in the place of each, with the name of what the host makes of it. `folder` is
    where the pictures lie as the page sees it; without one they are in the page. `live` holds, by
    cell, the stages that Python answers in the page (see `engine.packing`).
    """
    nb = copy.deepcopy(nb)
    models = nb.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    for number, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shown = data.pop(VIEW, {}).get("model_id")
            if shown in models:
                made = _part(shown, models, shelf)
                mark = ""
                if number in (live or {}):
                    mark = f' data-stage="{_slug(made[0]["state"]["spec"]["title"])}"'
                    _enliven(made[0], live[number], shelf)
                part = shelf.put(made)
                alt = output.get("metadata", {}).get("image/png", {}).get("alt")
                still = _still(data, alt, shelf, folder)
                place = f'<div class="earup-place"{mark} data-part="{part}">{still}</div>'
                output["data"] = {"text/html": place}
                output["metadata"] = {}
    return nb


def _slug(title: str) -> str:
    """Return a title as a link names it."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _enliven(made: dict, stage: dict, shelf: Shelf) -> None:
    """Say what answers a stage: the page's Python, or what was computed beforehand."""
    if "grid" not in stage:
        source = shelf.put(stage["source"])
        made["live"] = {"source": source, "clips": shelf.put_clips(stage["clips"])}
        return
    grid = stage["grid"]
    made["state"] |= grid["state"]
    made["bytes"] = [{"path": ["frame"], "deflated": grid["frame"]}]
    sounds = [shelf.put(flac) for flac in grid["sounds"]]
    pack = shelf.put(grid["pack"] | {"sounds": sounds, "sr": grid["sr"]})
    made["grid"] = {"pack": pack, "steps": grid["steps"]}


def _still(data: dict, alt: str | None, shelf: Shelf, folder: str) -> str:
    """Return what stands for a widget until it is there."""
    if "image/png" not in data:
        return f"<p>{html.escape(str(data.get('text/plain', '')))}</p>"
    png = base64.b64decode(data["image/png"])
    width, height = struct.unpack(">II", png[16:24])  # as every PNG begins
    source = f"{folder}/{shelf.put_picture(png)}"
    if not folder:
        source = "data:image/png;base64," + base64.b64encode(png).decode()
    words = html.escape(alt or data.get("text/plain", ""), quote=True)
    return f'<img src="{source}" alt="{words}" width="{width}" height="{height}" loading="lazy">'


def _part(first: str, models: dict, shelf: Shelf) -> list[dict]:
    """Return a widget and all that it holds, the outermost first; they name each other by
    number.
    """
    order = [first]
    for model_id in order:
        for child in models[model_id]["state"].get("children", []):
            order.append(child.removeprefix("IPY_MODEL_"))
    numbers = {model_id: number for number, model_id in enumerate(order)}
    return [_made(models[model_id], numbers, shelf) for model_id in order]


def _made(model: dict, numbers: dict, shelf: Shelf) -> dict:
    """Return what the host needs to know of one model."""
    state = model["state"]
    name = model["model_name"]
    buffers = {tuple(b["path"]): base64.b64decode(b["data"]) for b in model.get("buffers", [])}
    if "_esm" in state:
        own = {k: v for k, v in state.items() if not k.startswith("_")}
        own = {k: v for k, v in own.items() if k not in ("layout", "tabbable", "tooltip")}
        return {
            "kind": "anywidget",
            "code": shelf.put(state["_esm"]),
            "style": shelf.put(state.get("_css", "")),
            "state": own,
            "bytes": [_bytes(path, raw, state, shelf) for path, raw in buffers.items()],
        }
    words = {"classes": state.get("_dom_classes", [])}
    if "children" in state:
        children = [numbers[child.removeprefix("IPY_MODEL_")] for child in state["children"]]
        return {"kind": "box", "row": name == "HBoxModel", "children": children} | words
    if name == "ImageModel":
        png = buffers[("value",)]
        return {"kind": "image", "png": base64.b64encode(png).decode()} | words
    value = state.get("value")
    if "_options_labels" in state:
        value = state["_options_labels"][state["index"] or 0]
    label = state.get("description", "")
    kind = "button" if name == "ButtonModel" else "control"
    if name == "IntProgressModel":
        kind = "progress"
        value = state["value"] / max(1, state["max"])
    return {"kind": kind, "label": label, "value": value} | words


def _bytes(path: tuple, raw: bytes, state: dict, shelf: Shelf) -> dict:
    """Return where bytes of a trait belong, and how they are had: as sounds, or deflated."""
    if path[0] not in SOUNDS:
        packed = base64.b64encode(zlib.compress(raw, 9)).decode()
        return {"path": list(path), "deflated": packed}
    y = np.frombuffer(raw, dtype="<f4")
    layout = state.get("index") or [{"channels": 1, "samples": y.size}]
    sounds = []
    for track in layout:
        count = track["channels"] * track["samples"]
        channels = y[:count].reshape(track["channels"], -1)
        y = y[count:]
        sounds.append(shelf.put(base64.b64encode(flac(channels, state["sr"])).decode()))
    return {"path": list(path), "sr": state["sr"], "sounds": sounds}
