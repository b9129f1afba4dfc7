"""Say why a learner's function stopped: which exception, where, for which input, and what to do."""

from __future__ import annotations

import linecache
import math
import re

import numpy as np

from helpers.coursework.probing import TooLong, Trial

CAUSES = {
    "NameError": "A name is misspelt, or it is defined in a cell that has not been run.",
    "UnboundLocalError": "A name is used before this function gives it a value.",
    "AttributeError": "The thing before the dot has no such part; look at its spelling and at what "
    "it really is.",
    "ZeroDivisionError": "Something divides by zero; find out which quantity becomes zero for this "
    "input.",
    "IndexError": "An index runs past the end; remember that the last sample has index n − 1.",
    "KeyError": "A dictionary is asked for a key that it does not hold.",
    "TypeError": "An operation got a kind of value that it cannot use, or a call has too many or "
    "too few arguments.",
    "ValueError": "The shapes or the values do not fit this operation; print the shapes just "
    "before that line.",
    "AxisError": "This axis does not exist here: a mono signal has one axis only, and time is axis "
    "−1.",
    "RecursionError": "The function keeps calling itself; it needs a case in which it stops.",
    "MemoryError": "An array became far too large; look at the sizes it is built from.",
    "ModuleNotFoundError": "This package is not installed here; numpy is enough for the exercise.",
}
# what other languages and `math` call it -> what NumPy does
OTHER_NAMES = {"ln": "log", "lg": "log10", "Log": "log", "Sqrt": "sqrt", "pow": "power"}
OTHER_NAMES |= {"fabs": "abs", "arg": "angle", "avg": "mean", "length": "size"}


def _line(fn: object, error: BaseException) -> tuple[int | None, str]:
    """Return number and code of the innermost line of the learner's own file; None if none is."""
    home = getattr(getattr(fn, "__code__", None), "co_filename", None)
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == home:
            line = trace.tb_lineno
        trace = trace.tb_next
    if home is None or line is None:
        return None, ""
    return line, linecache.getline(home, line).strip()


def _message(error: BaseException) -> str:
    """Return an exception's own message; a learner's exception may fail even at that."""
    try:
        return str(error)
    except Exception:
        return ""


def _in_numpy(name: str) -> str:
    """Return what NumPy calls a function of another name, or an empty string."""
    name = OTHER_NAMES.get(name, name)
    public = name in np.__all__ and callable(getattr(np, name))
    return name if public and not isinstance(getattr(np, name), type) else ""


def _numpy_step(error: BaseException, code: str) -> str:
    """Return a step that names NumPy's own function, where that is what the line lacks."""
    text = _message(error)
    if isinstance(error, NameError):
        name = getattr(error, "name", None) or (re.findall(r"name '(\w+)'", text) or [""])[0]
        if name == "math":
            return "`math` has not been imported; `np` has what it has, and takes whole arrays."
        right = _in_numpy(name) if re.search(rf"(?<![\w.]){re.escape(name)}\(", code) else ""
        return f"NumPy has this function: write `np.{right}`." if right else ""
    if isinstance(error, AttributeError) and "module 'numpy'" in text:
        name = (re.findall(r"attribute '(\w+)'", text) or [""])[0]
        right = OTHER_NAMES.get(name, "")
        return f"NumPy calls this `np.{right}`." if right else ""
    if isinstance(error, (TypeError, ValueError)) and "can be converted to" in text:
        called = re.findall(r"(?<![\w.])(?:math\.)?(\w+)\(", code)
        for name in called:
            right = _in_numpy(name) if hasattr(math, name) else ""
            if right:
                return (
                    f"`math.{name}` takes one number and got an array; `np.{right}` takes a whole "
                    "array."
                )
    return ""


def explain_error(fn: object, trial: Trial, seconds: float) -> str:
    """Say which exception came, where, for which input, and what usually causes it."""
    if isinstance(trial.error, TooLong):
        return (
            f"Your function was still running after {seconds:g} seconds on {trial.probe.say}, and "
            f"was stopped. "
            "A loop probably never ends: look at its condition, and at what changes in each round."
        )
    kind = type(trial.error).__name__
    text = (
        re.sub(r"0x[0-9a-fA-F]+", "0x...", _message(trial.error))
        .replace("`", "'")
        .strip()
        .split("\n")[0]
    )
    cause = next(
        (CAUSES[c.__name__] for c in type(trial.error).__mro__ if c.__name__ in CAUSES), ""
    )
    number, code = _line(fn, trial.error)
    place = ""
    if number is not None:
        place = f" in line {number}" + (f", `{code}`" if code else "")
    step = _numpy_step(trial.error, code) or cause
    step = step or "Call your function by hand with this input and look at each line's result."
    return (
        f"Given {trial.probe.say}, your function stops with {kind}{place}: `{text or kind}`. {step}"
    )
