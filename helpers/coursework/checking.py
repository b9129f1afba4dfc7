"""Say what is right or wrong about a learner's function, from what it returns on many inputs.

The function is called as in `helpers.coursework.probing`. A `Check`
holds the inputs, the truth, and a model of each mistake that people make, so that a mistake is
recognised by its numbers and never by its source. Nothing a learner writes may raise here.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from helpers.coursework.probing import (
    Probe,
    TooLong,
    Trial,
    agrees,
    as_numbers,
    is_unfilled,
    run_probe,
    time_limit,
)

CORRECT = "correct"
NOT_YET = "not yet"
NOT_ATTEMPTED = "not attempted"
SECONDS = 5.0  # one check may take this long; the probes of a sound solution need milliseconds

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


# ---- saying what came of it ----


@dataclass(frozen=True)
class Result:
    """What a check found: an outcome and the sentences that go with it."""

    outcome: str
    says: str
    note: str = ""

    def __repr__(self) -> str:
        """Return the plain text, the same on every run."""
        return f"{self.outcome.capitalize()}. {self.says}" + (
            f"\n({self.note})" if self.note else ""
        )

    def _repr_markdown_(self) -> str:
        return f"> **{self.outcome.capitalize()}.** {self.says}" + (
            f"\n>\n> *{self.note}*" if self.note else ""
        )


def _where(fn: object, error: BaseException) -> str:
    """Return " in line 3, `code`" for the innermost line of the learner's own file, or ""."""
    home = getattr(getattr(fn, "__code__", None), "co_filename", None)
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == home:
            line = trace.tb_lineno
        trace = trace.tb_next
    if home is None or line is None:
        return ""
    code = linecache.getline(home, line).strip()
    return f" in line {line}" + (f", `{code}`" if code else "")


def _message(error: BaseException) -> str:
    """Return an exception's own message; a learner's exception may fail even at that."""
    try:
        return str(error)
    except Exception:
        return ""


def explain_error(fn: object, trial: Trial) -> str:
    """Say which exception came, where, for which input, and what usually causes it."""
    if isinstance(trial.error, TooLong):
        return (
            f"Your function was still running after {SECONDS:g} seconds on {trial.probe.say}, and "
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
    step = cause or "Call your function by hand with this input and look at each line's result."
    place = _where(fn, trial.error)
    return (
        f"Given {trial.probe.say}, your function stops with {kind}{place}: `{text or kind}`. {step}"
    )


def _short(x: complex) -> str:
    """Return a number with four significant digits and a real minus sign."""
    return f"{x:.4g}".replace("-", "−")


def explain_shape(trial: Trial, want: object) -> str:
    """Say what is wrong with the kind or the shape of a result, or return an empty string."""
    want = np.asarray(want)
    got = as_numbers(trial.value, like=want)
    if trial.value is None:
        return (
            "Your function returns None. Perhaps its last line works out the answer without "
            "`return` before it."
        )
    if got is None:
        sort = "complex" if np.iscomplexobj(want) else "real"
        need = f"one {sort} number" if want.ndim == 0 else f"a NumPy array of {sort} numbers"
        kind = type(trial.value).__name__
        return f"Your function returns a {kind}, and {need} is needed: look at what `return` sends."
    if got.shape != want.shape:
        right = f"an array of shape {want.shape}" if want.ndim else "one number, of shape ()"
        return (
            f"Given {trial.probe.say}, your result has shape {got.shape}, and it should be "
            f"{right}. "
            "See which axis each step works along."
        )
    if np.isnan(got).any() and not np.isnan(want).any():
        return (
            f"Given {trial.probe.say}, NaN comes out. NaN is what 0/0, the logarithm of a negative "
            f"number "
            "and the root of a negative number give: find the step where it first appears."
        )
    return ""


def explain_difference(trial: Trial, want: object, atol: float) -> str:
    """Name the first value that is off, and by how much."""
    want = np.atleast_1d(want).ravel()
    got = np.atleast_1d(as_numbers(trial.value, like=want)).ravel()
    first = int(np.flatnonzero(~np.isclose(got, want, 0, atol))[0])
    place = f"value {first} of your result" if want.size > 1 else "your result"
    return (
        f"Given {trial.probe.say}, {place} is {_short(got[first])}, and {_short(want[first])} "
        f"would be right. "
        "Work this one out by hand, step by step, and see where your function goes another way."
    )


def _constant(trials: Sequence[Trial]) -> bool:
    """Tell whether every result of every call holds one and the same number."""
    values = [as_numbers(t.value, like=t.value) for t in trials]
    return (
        all(v is not None for v in values)
        and np.unique(np.concatenate([v.ravel() for v in values])).size == 1
    )


@dataclass(frozen=True)
class Check:
    """Compare a function with the truth on every probe, and name the slip that explains what
    differs.
    """

    probes: Callable[[], list[Probe]]
    truth: Callable
    slips: tuple[tuple[str, Callable], ...]
    atol: float

    def __call__(self, fn: object, texts: Mapping[str, str]) -> Result:
        """Return the outcome for a learner's function; `texts` holds the feedback for each slip and
        for "right".
        """
        if not callable(fn):
            step = "Give `check` the function itself: its name without brackets after it."
            return Result(NOT_YET, f"This is a {type(fn).__name__}, not a function. {step}")
        probes = self.probes()
        trials = []
        try:
            with time_limit(SECONDS):
                for probe in probes:
                    trials.append(run_probe(fn, probe))
                    if trials[-1].error is not None:
                        break
        except TooLong:  # it rang between two calls
            trials.append(Trial(probes[len(trials) % len(probes)], error=TooLong()))
        if is_unfilled(fn, trials[0]):
            return Result(
                NOT_ATTEMPTED,
                "Replace the `...` by your own code, run that cell, then run this one again.",
            )
        return self._judge(fn, trials, texts)

    def _judge(self, fn: Callable, trials: list[Trial], texts: Mapping[str, str]) -> Result:
        """Turn trials into a result: errors first, then changed arguments, then numbers."""
        if trials[-1].error is not None:
            return Result(NOT_YET, explain_error(fn, trials[-1]))
        if any(t.changed for t in trials):
            return Result(
                NOT_YET,
                "Your function changes the array it is given, so the caller loses the original. "
                "Build a new array: `y * 2` makes one, `y *= 2` and `y[0] = 0` write into the old "
                "one.",
            )
        wants = [self.truth(*t.probe.args, **t.probe.kwargs) for t in trials]
        wrong = [i for i, t in enumerate(trials) if not agrees(t.value, wants[i], self.atol)]
        if not wrong:
            return Result(CORRECT, texts["right"])
        return Result(NOT_YET, self._explain(trials, wants, wrong[0], texts))

    def _explain(self, trials: list[Trial], wants: list, bad: int, texts: Mapping[str, str]) -> str:
        """Find the slip that predicts every result in the first group that went wrong, or describe
        the difference.
        """
        group = [t for t in trials if t.probe.group == trials[bad].probe.group]
        with np.errstate(all="ignore"):
            for name, model in self.slips:
                if all(
                    agrees(t.value, model(*t.probe.args, **t.probe.kwargs), self.atol)
                    for t in group
                ):
                    return texts[name]
        form = explain_shape(trials[bad], wants[bad])
        if form:
            return form
        if _constant(trials):
            return (
                "Your function gives the same number whatever goes in. Let the result depend on "
                "the argument."
            )
        if all(agrees(t.value, t.probe.args[0], self.atol) for t in group):
            return (
                "Your function returns its input as it came. Something still has to happen to "
                "it on the way."
            )
        return explain_difference(trials[bad], wants[bad], self.atol)
