"""Asked in a submission's kernel, after its notebook has run: it calls a function and hands back
what came of it. Whether that is right is judged elsewhere.
"""

import contextlib
import dis
import functools
import io
import json
import linecache
import traceback

import numpy as np

from . import values

CHECKED = {}  # what the cells of the notebook gave to `coursework.check`, by the exercise's key
_given = "{}"
_dumps = json.dumps
_loads = json.loads


class _Prints(io.StringIO):
    """Keeps the beginning of what is printed."""

    def write(self, text: str) -> int:
        """Keep `text` while there is room."""
        if self.tell() < 4000:
            super().write(text[:4000])
        return len(text)


def ask(text: str) -> None:
    """Do what a request says and keep the reply for `given`."""
    global _given
    _given = "{}"
    try:
        request = _loads(text)
        reply = _call(request) if "args" in request else _describe(request)
    except BaseException as error:  # whatever a submission raises is an answer, too
        reply = _told(error)
    found = _dumps(reply)
    if len(found) > values.LIMIT:
        short = {"error": ["MemoryError"], "text": "the result is too large to be sent"}
        found = _dumps(short)
    _given = found


def given() -> str:
    """Return the reply to the last request."""
    return _given


def _shell():
    """Return the IPython of this kernel."""
    from IPython import get_ipython

    return get_ipython()


def _function(request: dict) -> object:
    """Return what a notebook calls by a name, or what it gave to the check of an exercise."""
    if request["which"] == "checked":
        return CHECKED.get(request["key"])
    return _shell().user_ns.get(request["name"])


def _describe(request: dict) -> dict:
    """Return whether a function is there, and what else bears its name."""
    fn = _function(request)
    same = request["which"] == "checked" and fn is _shell().user_ns.get(request["name"])
    there = fn is not None and not same
    return {"there": there, "callable": callable(fn), "type": type(fn).__name__[:40]}


def _call(request: dict) -> dict:
    """Call a function and return its result, its arguments afterwards, and what it printed."""
    fn = _function(request)
    args = [values.unpack(a, _outside) for a in request["args"]]
    kwargs = {k: values.unpack(v, _outside) for k, v in request["kwargs"].items()}
    prints = _Prints()
    with np.errstate(all="ignore"), contextlib.redirect_stdout(prints):
        if "reads" in request:  # what comes back is no data, so numbers are read off it
            value = _reader(*request["reads"])(fn, *args, **kwargs)
        else:
            value = fn(*args, **kwargs)
    after = [values.pack(a, []) if isinstance(a, np.ndarray) else None for a in args]
    packed = values.pack(value, None)
    empty = value is None and _is_empty(fn)
    return {"value": packed, "after": after, "empty": empty, "printed": prints.getvalue()}


@functools.cache
def _reader(source: str, name: str) -> object:
    """Return a function that calls another one and reads numbers off what it returns."""
    space = {"__name__": "reader"}
    exec(compile(source, "<reader>", "exec"), space)
    return space[name]


def _outside(which: int, args: tuple) -> object:
    """Call a function that the exercise handed over; it lives in the grader's process."""
    request = {"call": which, "args": [values.pack(a, None) for a in args]}
    came = _loads(_shell().kernel.raw_input(_dumps(request)))
    if "error" in came:
        raise ValueError(came["error"])
    return values.unpack(came["value"], None)


def _is_empty(fn: object) -> bool:
    """Tell whether a function has no body at all."""
    names = [i.opname for i in dis.get_instructions(fn)] if hasattr(fn, "__code__") else []
    return names == [i.opname for i in dis.get_instructions(lambda: None)]


def _told(error: BaseException) -> dict:
    """Return an exception: the names of its classes, its text, and the line of the cell."""
    try:
        text = str(error)
    except BaseException:  # a submission's exception may do anything when it is asked for its text
        text = ""
    cells = getattr(_shell().compile, "_filename_map", {})
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in cells]
    line = None
    if frames:
        last = frames[-1]
        code = linecache.getline(last.filename, last.lineno).strip()
        line = [cells[last.filename], last.lineno, code[:200]]
    names = [c.__name__[:60] for c in type(error).__mro__][:8]
    return {"error": names, "text": text.split("\n")[0][:300], "line": line}
