"""What the page's worker calls: make a stage of its source, and have it answer."""

import base64
import html
import importlib
import json
import linecache
import traceback
import zlib

import numpy as np

from helpers import coursework
from helpers.coursework.feedback import NOT_ATTEMPTED

# helpers.explore.stage is also the name of the function that notebooks call
Stage = importlib.import_module("helpers.explore.stage").Stage

MADE = {}
SPACES = {}  # what exercises find, by their key


def make(name: str, source: str) -> None:
    """Run what a stage needs, and keep the stage under a name."""
    last = []
    plain = Stage.__init__

    def kept(self, *args, **options):
        plain(self, *args, **options)
        last.append(self)

    Stage.__init__ = kept
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    finally:
        Stage.__init__ = plain
    MADE[name] = last[-1]


def answer(name: str, request: str) -> tuple[str, bytes]:
    """Return a stage's reply to a request, both as JSON, and the bytes of its arrays."""
    said = []
    made = MADE[name]
    made.send = lambda content, buffers=(): said.append((content, buffers))
    made._on_message(json.loads(request))
    content, buffers = said[-1]
    return json.dumps(content), bytes(buffers[0]) if buffers else b""


def handed(text: str) -> object:
    """Return a value that the page was handed (see `values.encoded`)."""
    return decoded(json.loads(text))


def decoded(held: object) -> object:
    """Return what `values.encoded` was given; float64 has passed through float32."""
    if not isinstance(held, dict):
        return held
    if "array" in held:
        small, own = held["kinds"]
        raw = zlib.decompress(base64.b64decode(held["array"]))
        if "steps" not in held:
            return np.frombuffer(raw, dtype=small).reshape(held["shape"]).astype(own)
        kind = np.dtype(held["steps"])  # a sound: bytes by their place, and steps from its start
        planes = np.frombuffer(raw, np.uint8).reshape(kind.itemsize, -1)
        added = np.ascontiguousarray(planes.T).view(kind).reshape(held["shape"])
        y = np.cumsum(added, axis=-1, dtype=kind).astype(own)
        return y if held["scale"] == 1 else (y * held["scale"]).astype(own)
    if "dict" in held:
        return {key: decoded(item) for key, item in held["dict"].items()}
    ((kind, items),) = held.items()
    return {"list": list, "tuple": tuple}[kind](decoded(item) for item in items)


def check(key: str, name: str, context: str, code: str) -> tuple[str, str]:
    """Return the outcome of an exercise, and the same as HTML."""
    if key not in SPACES:
        SPACES[key] = {"__name__": "__main__"}
        exec(compile(context, f"before {key}", "exec"), SPACES[key])
    space = dict(SPACES[key])
    file = f"exercise {key}"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    try:
        exec(compile(code, file, "exec"), space)
    except Exception as error:  # the learner reads it, as in the notebook
        text = "".join(traceback.format_exception_only(error))
        return "error", f"<pre>{html.escape(text)}</pre>"
    if name not in space:
        return "error", f"<p>Your code makes no <code>{html.escape(name)}</code> any more.</p>"
    result = coursework.check(key, space[name])
    shown = result._repr_html_()
    if result.outcome == NOT_ATTEMPTED:
        shown = (
            "<p><strong>Not attempted.</strong> Write your own code for the <code>...</code>.</p>"
        )
    return result.outcome, shown
