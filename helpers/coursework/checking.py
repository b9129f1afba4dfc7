"""Say what is right or wrong about a learner's function, from what it returns on many inputs.

The function is called as in `helpers.coursework.probing`. A `Check`
holds the inputs, the truth, and a model of each mistake that people make, so that a mistake is
recognised by its numbers and never by its source. Nothing a learner writes may raise here.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.coursework import forms, relations
from helpers.coursework.feedback import CORRECT, NOT_ATTEMPTED, NOT_YET, Result, short
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
from helpers.coursework.stops import explain_error
from helpers.coursework.views import Curve, Sound

SECONDS = 5.0  # one check may take this long; the probes of a sound solution need milliseconds


def _apart(got: complex, want: complex) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to tell them apart."""
    pairs = [(short(got, digits), short(want, digits)) for digits in range(4, 18)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[-1])


def explain_form(
    trials: Sequence[Trial], wants: Sequence, bad: int, atol: float, truth: Callable
) -> str:
    """Say what is wrong with the kind or the shape of a result, or return an empty string."""
    trial = trials[bad]
    want = np.asarray(wants[bad])
    got = as_numbers(trial.value, like=want)
    if trial.value is None and trial.printed.strip():
        return (
            "Your function returns None: it prints something, and printing only shows a value. "
            "`return` hands it over."
        )
    if trial.value is None:
        return (
            "Your function returns None. Perhaps its last line works out the answer without "
            "`return` before it."
        )
    if got is None:
        sort = "complex" if np.iscomplexobj(want) else "real"
        need = f"one {sort} number" if want.ndim == 0 else f"a NumPy array of {sort} numbers"
        kind = type(trial.value).__name__
        named = forms.of_kind(trials, wants, atol)
        if named:
            return f"{named} ({need[0].upper()}{need[1:]} is needed.)"
        return f"Your function returns a {kind}, and {need} is needed: look at what `return` sends."
    if got.shape != want.shape:
        right = f"an array of shape {want.shape}" if want.ndim else "one number, of shape ()"
        step = forms.of_shape(trials, wants, truth) or "See which axis each step works along."
        return (
            f"Given {trial.probe.say}, your result has shape {got.shape}, and it should be "
            f"{right}. {step}"
        )
    if np.isnan(got).any() and not np.isnan(want).any():
        return (
            f"Given {trial.probe.say}, NaN comes out. NaN is what 0/0, the logarithm of a negative "
            f"number "
            "and the root of a negative number give: find the step where it first appears."
        )
    return ""


def explain_difference(trial: Trial, want: object, atol: float, step: str) -> str:
    """Name the first value that is off, and by how much, then a step."""
    want = np.atleast_1d(want).ravel()
    got = np.atleast_1d(as_numbers(trial.value, like=want)).ravel()
    first = int(np.flatnonzero(~np.isclose(got, want, 0, atol, equal_nan=True))[0])
    place = f"value {first} of your result" if want.size > 1 else "your result"
    mine, right = _apart(got[first], want[first])
    step = step or (
        "Work this one out by hand, step by step, and see where your function goes another way."
    )
    return f"Given {trial.probe.say}, {place} is {mine}, and {right} would be right. {step}"


def _constant(trials: Sequence[Trial]) -> bool:
    """Tell whether every result of every call holds one and the same number."""
    values = [as_numbers(t.value, like=t.value) for t in trials]
    return (
        all(v is not None for v in values)
        and np.unique(np.concatenate([v.ravel() for v in values])).size == 1
    )


def _first_of_another_shape(trials: Sequence[Trial], wants: Sequence) -> int:
    """Return the first call whose result has a wrong shape; 0 if none after the first has."""
    shapes = [
        (as_numbers(t.value, like=w), np.shape(w)) for t, w in zip(trials, wants, strict=True)
    ]
    off = [i for i, (got, shape) in enumerate(shapes) if got is not None and got.shape != shape]
    return off[0] if off else 0


@dataclass(frozen=True)
class Check:
    """Compare a function with the truth on every probe, and name the slip that explains what
    differs.

    Where many answers are right, `goals` are what a result has to reach, as (name of its text,
    function of all results that tells whether it is missed); `truth` is then one good answer, and
    `measured` says in numbers what a learner's results reach. `shows` is what is drawn or played.
    """

    probes: Callable[[], list[Probe]]
    truth: Callable
    slips: tuple[tuple[str, Callable], ...]
    atol: float
    goals: tuple[tuple[str, Callable], ...] = ()
    measured: Callable | None = None
    shows: Curve | Sound | None = None
    seconds: float | None = None  # that a learner's function may take; SECONDS if not given

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
            with time_limit(self.seconds or SECONDS):
                for probe in probes:
                    trials.append(run_probe(fn, probe))
                    if trials[-1].error is not None:
                        break
        except TooLong:  # it rang between two calls
            trials.append(Trial(probes[len(trials) % len(probes)], error=TooLong()))
        result = self.judge(fn, trials, texts)
        stopped = trials[-1].error is not None or result.outcome == NOT_ATTEMPTED
        return result if stopped else self._with_view(fn, result)

    def _with_view(self, fn: Callable, result: Result) -> Result:
        """Let a result draw or play itself when it is looked at: a sound only where it is right."""
        if self.shows is None or (isinstance(self.shows, Sound) and result.outcome != CORRECT):
            return result
        kind = "played" if isinstance(self.shows, Sound) else "drawn"
        return replace(result, **{kind: functools.partial(self.shows, fn, self.truth)})

    def judge(self, fn: Callable, trials: list[Trial], texts: Mapping[str, str]) -> Result:
        """Turn what came back from the probes, or from those up to an error, into a result: errors
        first, then changed arguments, then numbers.
        """
        if is_unfilled(fn, trials[0]):
            return Result(
                NOT_ATTEMPTED,
                "Replace the `...` by your own code, run that cell, then run this one again.",
            )
        if trials[-1].error is not None:
            says = explain_error(fn, trials[-1], self.seconds or SECONDS)
            return Result(NOT_YET, says, printed=trials[-1].printed)
        if any(t.changed for t in trials):
            return Result(
                NOT_YET,
                "Your function changes the array it is given, so the caller loses the original. "
                "Build a new array: `y * 2` makes one, `y *= 2` and `y[0] = 0` write into the old "
                "one.",
            )
        wants = [self.truth(*t.probe.args, **t.probe.kwargs) for t in trials]
        if self.goals:
            return self._by_goals(trials, wants, texts)
        wrong = [i for i, t in enumerate(trials) if not agrees(t.value, wants[i], self.atol)]
        if not wrong:
            return Result(CORRECT, texts["right"])
        says = self._explain(trials, wants, wrong[0], texts)
        return Result(NOT_YET, says, printed=trials[wrong[0]].printed)

    def _by_goals(self, trials: list[Trial], wants: list, texts: Mapping[str, str]) -> Result:
        """Judge results that need not be the truth: their form first, then goal by goal."""
        for bad in range(len(trials)):
            form = explain_form(trials, wants, bad, self.atol, self.truth)
            if form:
                return Result(NOT_YET, form, printed=trials[bad].printed)
        got = [as_numbers(t.value, like=w) for t, w in zip(trials, wants, strict=True)]
        wild = [t.probe.say for t, x in zip(trials, got, strict=True) if not np.isfinite(x).all()]
        if wild:
            return Result(NOT_YET, f"Given {wild[0]}, a value comes out that is infinite or NaN.")
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = self.measured(got) if self.measured else ""
            missed = next((name for name, misses in self.goals if misses(got)), None)
        if missed is None:
            return Result(CORRECT, texts["right"], measured=said)
        return Result(NOT_YET, texts[missed], printed=trials[0].printed, measured=said)

    def _predicts(self, model: Callable, trials: Sequence[Trial]) -> bool:
        """Tell whether a model of a slip returns what the learner's function did, every time."""
        try:
            return all(
                agrees(t.value, model(*t.probe.args, **t.probe.kwargs), self.atol) for t in trials
            )
        except Exception:  # a model that cannot take some input explains nothing there
            return False

    def _explain(self, trials: list[Trial], wants: list, bad: int, texts: Mapping[str, str]) -> str:
        """Find the slip that predicts every result, right and wrong, or describe the difference."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if relations.evidence(trials, wants, self.atol) >= 2:
                for name, model in self.slips:
                    if self._predicts(model, trials):
                        return texts[name]
            other = _first_of_another_shape(trials, wants)
            form = explain_form(trials, wants, bad, self.atol, self.truth) or (
                explain_form(trials, wants, other, self.atol, self.truth) if other else ""
            )
            if form:
                return form
            if _constant(trials):
                again = " Rounding would do this, too." if relations.rounded(trials, wants) else ""
                return (
                    "Your function gives the same number whatever goes in. Let the result depend "
                    f"on the argument.{again}"
                )
            if all(agrees(t.value, t.probe.args[0], self.atol) for t in trials):
                return (
                    "Your function returns its input as it came. Something still has to happen to "
                    "it on the way."
                )
            step = relations.of_values(trials, wants, self.atol, self.truth)
        return explain_difference(trials[bad], wants[bad], self.atol, step)
