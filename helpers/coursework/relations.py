"""Name how a wrong result relates to the right one: a factor, a sign, a shift, a missing value.

Each sentence states what was measured, and only where it holds for every call that was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from helpers.coursework.feedback import short
from helpers.coursework.probing import Trial, as_numbers

TIGHT = 1e-6  # relative to the largest value; a relation is exact but for rounding
Pairs = list[tuple[np.ndarray, np.ndarray]]

LN10 = np.log(10)
# factor, what makes such a factor
FACTORS = (
    (1000, "milliseconds for seconds, or hertz for kilohertz, make such a factor"),
    (100, "percent for a share makes such a factor"),
    (180 / np.pi, "that is 180/π: degrees stand where radians should"),
    (2 * np.pi, "that is 2π: turns and radians differ by it"),
    (np.pi, "that is π"),
    (LN10, "that is ln(10): the natural logarithm and that to base 10 differ by it"),
    (np.log2(10), "that is log2(10): the logarithms to base 2 and 10 differ by it"),
    (1 / np.log(2), "that is 1/ln(2): the logarithm to base 2 and the natural one differ by it"),
    (np.sqrt(2), "that is √2: the amplitude and the RMS of a sine differ by it"),
    (2, "look for a factor of 2 that is missing or one too many"),
)
# how a result is made from the right one, what to say
FORMULAS = (
    (np.square, "Every value is the square of what it should be: power for amplitude, perhaps."),
    (lambda x: np.sign(x) * np.sqrt(np.abs(x)), "Every value is the root of what it should be."),
    (lambda x: 20 * np.log10(x), "Every value is 20·log10 of what it should be: no dB are wanted."),
    (lambda x: 10 * np.log10(x), "Every value is 10·log10 of what it should be: no dB are wanted."),
    (lambda x: 10 ** (x / 20), "These are amplitude ratios, right in themselves; dB are wanted."),
    (lambda x: 10 ** (x / 10), "These are power ratios, right in themselves; dB are wanted."),
    (np.log10, "Every value is log10 of what it should be."),
    (np.log2, "Every value is log2 of what it should be."),
    (np.log, "Every value is the natural logarithm of what it should be."),
    (np.exp, "Every value is exp of what it should be: a logarithm is missing at the end."),
    (lambda x: 2.0**x, "Every value is 2 to the power of what it should be."),
    (lambda x: 10.0**x, "Every value is 10 to the power of what it should be."),
    (lambda x: 1 / x, "Every value is 1 over what it should be: a division is upside down."),
    (lambda x: 1 - x, "Every value is 1 minus what it should be."),
    (np.abs, "Every value has the right size, and the sign (or the phase) is lost."),
    (np.real, "These are the real parts alone of what it should be."),
    (np.conj, "The imaginary parts have the wrong sign; the rest is right."),
    (lambda x: np.maximum(x, 0), "What should be negative comes out as 0; the rest is right."),
)
ROUNDINGS = (
    (np.round, "Your values are rounded to whole numbers; keep what comes after the point."),
    (np.floor, "Your values are rounded down to whole numbers (`//` and `int` do so)."),
    (np.trunc, "Your values lose what comes after the point (`int` and `astype(int)` do so)."),
    (np.ceil, "Your values are rounded up to whole numbers."),
)
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _pairs(trials: Sequence[Trial], wants: Sequence) -> Pairs | None:
    """Return results beside what is right, or None unless all are finite and of the right shape."""
    found = []
    for trial, want in zip(trials, wants, strict=True):
        want = np.asarray(want)
        got = as_numbers(trial.value, like=want)
        if got is None or got.shape != want.shape:
            return None
        if not (np.isfinite(got).all() and np.isfinite(want).all()):
            return None
        found.append((got, want.astype(got.dtype)))
    return found


def evidence(trials: Sequence[Trial], wants: Sequence, atol: float) -> int:
    """Count the wrong values, equal ones in one call once; one alone fits too many explanations."""
    found = set()
    for call, (trial, want) in enumerate(zip(trials, wants, strict=True)):
        want = np.asarray(want)
        got = as_numbers(trial.value, like=want)
        if got is None:
            found.add((call, type(trial.value)))
        elif got.shape != want.shape:
            found |= {(call, got.shape), *((call, str(x)) for x in got.ravel()[:2])}
        else:
            off = ~np.isclose(got, want, 0, atol, equal_nan=True)
            both = zip(got[off].ravel().tolist(), want[off].ravel().tolist(), strict=True)
            found |= {(call, str(pair)) for pair in both}
    return len(found)


def close(got: np.ndarray, guess: np.ndarray, tol: float = TIGHT) -> bool:
    """Tell whether two arrays are equal but for rounding."""
    if np.shape(got) != np.shape(guess) or not np.isfinite(guess).all():
        return False
    scale = max(np.max(np.abs(guess), initial=0), 1e-12)
    return bool(np.allclose(got, guess, 0, tol * scale))


def fits_all(pairs: Pairs, change: Callable) -> bool:
    """Tell whether `change` of what is right gives every result."""
    try:
        return all(close(got, change(want)) for got, want in pairs)
    except (TypeError, ValueError, IndexError):
        return False


def other_axis(trials: Sequence[Trial], truth: Callable) -> bool:
    """Tell whether rows were taken for columns: results are those for the transposed input."""
    seen = False
    for trial in trials:
        first = trial.probe.args[0]
        args = list(trial.probe.args)
        if isinstance(first, np.ndarray) and first.ndim == 2:
            args[0] = first.T
            seen = True
        try:
            guess = np.asarray(truth(*args, **trial.probe.kwargs))
        except Exception:  # the truth need not know what to do with it
            return False
        got = as_numbers(trial.value, like=guess)
        if got is None or not (close(got, guess) or close(got, guess.T)):
            return False
    return seen


# ---- results of the right shape with wrong values ------------------------------------------------


def _factor(pairs: Pairs) -> str:
    """Name a constant factor."""
    got = np.concatenate([g.ravel() for g, _ in pairs])
    want = np.concatenate([w.ravel() for _, w in pairs])
    top = np.argmax(np.abs(want))
    factor = got[top] / want[top] if want[top] else np.nan
    if not np.isfinite(factor) or factor == 0 or not fits_all(pairs, lambda x: factor * x):
        return ""
    if np.iscomplexobj(factor) and abs(factor.imag) > TIGHT * abs(factor):
        return f"Every value is what it should be times the complex number {short(factor)}."
    factor = float(np.real(factor))
    size = abs(factor)
    if np.isclose(size, 1, 0, TIGHT):  # +1 but for rounding is no factor
        return "Every value has the right size and the wrong sign." if factor < 0 else ""
    turned = " with the sign turned round" if factor < 0 else ""
    for known, words in FACTORS:
        for value, form in ((known, "{} times"), (1 / known, "1/{} of")):
            if np.isclose(size, value, TIGHT * 10, 0):
                times = form.format(short(known))
                return f"Every value is {times} what it should be{turned}: {words}."
    return f"Every value is {short(size)} times what it should be{turned}."


def _offset(pairs: Pairs) -> str:
    """Name a constant that is added."""
    gaps = np.concatenate([(got - want).ravel() for got, want in pairs])
    scale = max(np.max(np.abs(got), initial=0) for got, _ in pairs)
    gap = gaps[0]
    if np.max(np.abs(gaps - gap)) <= TIGHT * max(scale, abs(gap)) < abs(gap):
        if np.iscomplexobj(gap):
            return f"Every value is off by the same number, {short(gap)}."
        way = "large" if gap > 0 else "small"
        return f"Every value is too {way} by the same number, {short(abs(gap))}."
    return ""


def _level(pairs: Pairs) -> str:
    """Name an offset that is constant within each result only."""
    scale = max(np.max(np.abs(got), initial=0) for got, _ in pairs)
    gaps = [(got - want).ravel() for got, want in pairs if got.size > 2]
    level = all(np.max(np.abs(g - g[0])) <= TIGHT * scale < abs(g[0]) for g in gaps)
    if level and len(gaps) > 1:
        return (
            "Within one result all values are off by the same number, and each input has another "
            "such number: something is added, or taken from the wrong place."
        )
    return ""


def _shape_of_values(pairs: Pairs) -> str:
    """Name squares, roots, decibels, rounding."""
    if not any(np.iscomplexobj(want) for _, want in pairs):
        flags = all(np.isin(got, (0, 1)).all() for got, _ in pairs)  # a choice, nothing cut off
        for change, words in ROUNDINGS:
            if (change is np.round or not flags) and fits_all(pairs, change):
                return words
        for digits in range(1, 7):
            if all(np.allclose(got, np.round(want, digits), 0, 1e-12) for got, want in pairs):
                many = f"{digits} digit{'s' * (digits > 1)}"
                return f"Your values are rounded to {many} after the point: keep them all."
    return next((words for change, words in FORMULAS if fits_all(pairs, change)), "")


def _order(pairs: Pairs) -> str:
    """Name right values in wrong places."""
    long = [(got, want) for got, want in pairs if want.ndim and want.shape[-1] > 2]
    if len(long) < 2 or any(want.ndim == 0 for _, want in pairs):
        return ""
    if fits_all(pairs, lambda x: x[..., ::-1]):
        return "The values are right and their order is reversed."
    if fits_all(pairs, lambda x: x[::-1]):
        return "The values are right and the order of the rows is reversed."
    if all(close(got[..., 1:], want[..., :-1]) for got, want in long):
        return "The values are right and stand one place too late."
    if all(close(got[..., :-1], want[..., 1:]) for got, want in long):
        return "The values are right and stand one place too early."
    if any(np.iscomplexobj(want) for _, want in pairs):
        return ""
    if all(close(np.sort(got.ravel()), np.sort(want.ravel())) for got, want in pairs):
        return "The values are right and stand in another order."
    return ""


def _quantities(trial: Trial) -> Iterator[tuple[str, float]]:
    """Yield numbers that a call holds, by name: scalar arguments and lengths."""
    for ordinal, arg in zip(ORDINALS, trial.probe.args, strict=False):
        if isinstance(arg, (int, float, np.number)) and not isinstance(arg, bool) and arg > 0:
            yield f"the {ordinal} argument", float(arg)
        if isinstance(arg, np.ndarray) and arg.ndim:
            yield f"the length of the {ordinal} argument", float(arg.shape[-1])


def _argument(trials: Sequence[Trial], pairs: Pairs) -> str:
    """Name a factor that is one of the arguments, samples for seconds for example."""
    known = [dict(_quantities(trial)) for trial in trials]
    for name, first in known[0].items():
        sizes = [k.get(name, np.nan) for k in known]
        if len(set(sizes)) < 2 or not np.isfinite(sizes).all():
            continue
        for times, words in ((1.0, ""), (2.0, "twice "), (0.5, "half ")):
            for power, way in ((1, "large"), (-1, "small")):
                both = zip(pairs, sizes, strict=True)
                if all(close(got, (times * n) ** power * want) for (got, want), n in both):
                    hint = ""
                    if power == 1 and not words and min(sizes) >= 8000:
                        hint = " Samples instead of seconds make such a factor."
                    much = f"a factor that is {words}{name} ({short(first)} at first)"
                    return f"Every value is too {way} by {much}.{hint}"
    return ""


def _exchanged(trials: Sequence[Trial], truth: Callable) -> str:
    """Name two arguments that are taken for each other."""
    for i in range(len(trials[0].probe.args)):
        for j in range(i):
            try:
                made = []
                for trial in trials:
                    args = list(trial.probe.args)
                    args[i] = trial.probe.args[j]
                    args[j] = trial.probe.args[i]
                    made.append(np.asarray(truth(*args, **trial.probe.kwargs)))
                fits = all(
                    close(as_numbers(t.value, like=m), m) for t, m in zip(trials, made, strict=True)
                )
            except Exception:  # the truth need not know what to do with them
                continue
            if fits:
                pair = f"the {ORDINALS[j]} and the {ORDINALS[i]} argument"
                return f"This is what comes out with {pair} exchanged."
    return ""


def _places(trials: Sequence[Trial], pairs: Pairs, atol: float) -> str:
    """Say where the wrong values lie, if that is all in one place."""
    wrong = [(g, w) for g, w in pairs if not np.allclose(g, w, 0, atol)]
    if all(w.ndim == 1 and w.size > 2 for _, w in wrong):
        if all(np.allclose(g[1:], w[1:], 0, atol) for g, w in wrong):
            return "All values but the first are right."
        if all(np.allclose(g[:-1], w[:-1], 0, atol) for g, w in wrong):
            return "All values but the last are right."
        if all(np.allclose(g[0], w[0], 0, atol) for g, w in wrong) and all(
            not np.isclose(g[1:], w[1:], 0, atol).any() for g, w in wrong
        ):
            return "Only the first value is right, and what follows departs from it."
    scale = max(np.max(np.abs(w), initial=0) for _, w in wrong)
    gap = max(np.max(np.abs(g - w), initial=0) for g, w in wrong)
    if gap < 1e-3 * scale:
        low = any(getattr(t.value, "dtype", None) in (np.float32, np.complex64) for t in trials)
        single = " Your result is in single precision, which keeps about 7 digits." if low else ""
        return (
            f"You are near: no value is off by more than {short(gap)}. Rounding, an inexact "
            f"constant or a small number that is added makes such a difference.{single}"
        )
    if len(wrong) < len(pairs):
        good = next(
            t for t, (g, w) in zip(trials, pairs, strict=True) if np.allclose(g, w, 0, atol)
        )
        return f"Given {good.probe.say}, it is right: go through both by hand and compare them."
    return ""


def rounded(trials: Sequence[Trial], wants: Sequence) -> bool:
    """Tell whether results are what is right, rounded to whole numbers in one way or another."""
    pairs = _pairs(trials, wants)
    return bool(pairs) and any(fits_all(pairs, change) for change, _ in ROUNDINGS)


def of_values(trials: Sequence[Trial], wants: Sequence, atol: float, truth: Callable) -> str:
    """Name how results of the right shape relate to what is right, or return an empty string."""
    pairs = _pairs(trials, wants)
    if pairs is None or not pairs:
        return ""
    if evidence(trials, wants, atol) < 2 or fits_all(pairs, lambda x: x):  # right but for rounding
        return _places(trials, pairs, atol)
    for name in (_factor, _offset, _shape_of_values, _order, _level):
        words = name(pairs)
        if words:
            return words
    if other_axis(trials, truth):
        return "These are the results along the other axis: rows were taken for columns."
    return _argument(trials, pairs) or _exchanged(trials, truth) or _places(trials, pairs, atol)
