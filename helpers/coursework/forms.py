"""Name what is wrong with the kind or the shape of a result, where the numbers in it tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from helpers.coursework.probing import Trial, agrees, as_numbers
from helpers.coursework.relations import Pairs, close, fits_all, other_axis


def of_kind(trials: Sequence[Trial], wants: Sequence, atol: float) -> str:
    """Name complex numbers, truth values and lists for what they are, or return an empty string."""

    def right(change: Callable) -> bool:
        try:
            made = [change(np.asarray(t.value)) for t in trials]
        except Exception:  # a learner's own class may fail in any way
            return False
        return all(agrees(m, w, atol) for m, w in zip(made, wants, strict=True))

    value = trials[0].value
    if isinstance(value, (list, tuple)):
        if right(lambda x: x):
            kind = type(value).__name__
            return f"Your function returns a {kind} of the right numbers: wrap it in `np.array`."
        return ""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(value, complex) or kind == "c":
        if right(np.abs):
            return "Your function returns complex numbers: take `np.abs` of them."
        if right(np.real):
            return "Your function returns complex numbers: take their real part, `.real`."
        if right(np.angle):
            return "Your function returns complex numbers: take their angle, `np.angle`."
        if np.shape(value) != np.shape(wants[0]):
            shapes = f"{np.shape(value)}; real ones of shape {np.shape(wants[0])} are asked for"
            return f"Your function returns complex numbers of shape {shapes}: a step is missing."
        return (
            "Your function returns complex numbers; make the real ones of them that are asked for, "
            "with `np.abs`, `.real`, `.imag` or `np.angle`."
        )
    if isinstance(value, bool) or kind == "b":
        if right(lambda x: x.astype(float)):
            return "Your function returns True and False: make them 1 and 0 with `.astype(float)`."
        return "Your function returns True and False, as a comparison such as `>` makes them."
    if kind in ("O", "U", "S"):
        if right(lambda x: x.astype(float)):
            return "Your array is one of objects or texts: make numbers of it, `.astype(float)`."
        return "Your array holds things that are no numbers: look for None, texts or lists in it."
    return ""


def of_shape(trials: Sequence[Trial], wants: Sequence, truth: Callable) -> str:
    """Name what is wrong where shapes differ, or return an empty string."""
    pairs = [
        (as_numbers(t.value, like=w), np.asarray(w)) for t, w in zip(trials, wants, strict=True)
    ]
    if any(got is None for got, _ in pairs):
        return ""
    if fits_all(pairs, np.transpose):
        return "The values are right and the axes are exchanged: it is transposed."
    if all(close(np.squeeze(got), np.squeeze(want)) for got, want in pairs):
        return "The values are right; only an axis of length 1 is too many or too few."
    if other_axis(trials, truth):
        return "These are the results along the other axis: rows were taken for columns."
    off = [(got, want) for got, want in pairs if got.shape != want.shape]
    if all(got.size == want.size for got, want in off):
        return "There are as many values as there should be, in another shape."
    if all(got.ndim < want.ndim and got.size <= want.size for got, want in off):
        return (
            "Fewer numbers come out than there should be: does a sum, a mean or an "
            "index take too much, or does `return` stand inside a loop?"
        )
    if all(got.ndim > want.ndim and got.size >= want.size for got, want in off):
        return (
            "Several numbers come out where one is needed: a sum, a mean or a choice is still "
            "missing, or it works along one axis only."
        )
    if any(g.ndim != w.ndim for g, w in pairs):
        return ""
    for axis in range(-1, -1 - min(w.ndim for _, w in pairs), -1):
        moved = [(np.moveaxis(g, axis, -1), np.moveaxis(w, axis, -1)) for g, w in pairs]
        if all(g.shape[:-1] == w.shape[:-1] for g, w in moved):
            return _count(moved)
    return ""


# what is left of both -> what to say, where the result is longer and where it is shorter
_ENDS = (
    (slice(0, -1), "The last value is"),
    (slice(1, None), "The first value is"),
    (slice(1, -1), "The first and the last value are"),
)


def _count(pairs: Pairs) -> str:
    """Say how many values are too many or too few along the last axis."""
    for part, words in _ENDS:
        if all(close(got[..., part], want) for got, want in pairs):
            return f"{words} too many; the others are right."
        if all(close(got, want[..., part]) for got, want in pairs):
            return f"{words} missing; the others are right."
    more = {got.shape[-1] - want.shape[-1] for got, want in pairs}
    if more == {1} or more == {-1}:
        word = "more" if more == {1} else "fewer"
        return f"It is always one value {word} than it should be: see where the counting ends."
    return "It is the number of values that is wrong: see where it comes from."
