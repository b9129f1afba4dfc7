"""What a right function makes, to see or to hear: a learner's own result beside the right one.

A `Check` may carry a `Curve` or a `Sound`. It is made only when a result is looked at, so that
neither a test nor a grader pays for it; where the learner's function fails on it, nothing is shown.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.coursework.feedback import short
from helpers.coursework.probing import Probe, TooLong, agrees, as_numbers, run_probe, time_limit

SECONDS = 5.0  # one view may take this long


def _made(fn: Callable, truth: Callable, calls: list[tuple]) -> tuple | None:
    """Return own and right results of some calls, call by call, or None if one has another form."""
    try:
        with time_limit(SECONDS):
            own = [run_probe(fn, Probe(args, "")).value for args in calls]
    except TooLong:
        return None
    right = [np.asarray(truth(*args)) for args in calls]
    own = [as_numbers(value, like=want) for value, want in zip(own, right, strict=True)]
    fits = all(
        mine is not None and mine.shape == want.shape and np.isfinite(mine).all()
        for mine, want in zip(own, right, strict=True)
    )
    return (own, right) if fits else None


@dataclass(frozen=True)
class Curve:
    """Draw the learner's results over a variable as a line, and the right ones as dots on it.

    `calls` returns the places on the axis, and the arguments of one call that gives an array along
    them or of as many calls as there are places. `of` makes real numbers of results; `other` names
    what the dots are, where many answers are right.
    """

    calls: Callable[[], tuple[np.ndarray, list[tuple]]]
    xlabel: str
    ylabel: str
    of: Callable = np.real
    other: str = "the right values"

    def __call__(self, fn: Callable, truth: Callable) -> str:
        """Return the picture as HTML, or an empty string."""
        places, calls = self.calls()
        made = _made(fn, truth, calls)
        if made is None:
            return ""
        own, right = (np.ravel(self.of(np.array(values))) for values in made)
        words = f"Your {self.ylabel} over {self.xlabel} as a line, {self.other} as dots"
        if agrees(own, right, 1e-6):
            words += " on it"
        elif self.other == Curve.other:  # where many answers are right, a distance says nothing
            words += f", up to {short(np.max(np.abs(own - right)), 3)} away from it"
        words += "."
        png = base64.b64encode(self._picture(np.asarray(places), own, right)).decode()
        alt = html.escape(words)
        picture = f'<img src="data:image/png;base64,{png}" alt="{alt}" style="max-width: 100%">'
        return f"<figure style='margin: 8px 0'>{picture}<figcaption>{alt}</figcaption></figure>"

    def _picture(self, places: np.ndarray, own: np.ndarray, right: np.ndarray) -> bytes:
        """Draw both as a small PNG."""
        from matplotlib.figure import Figure

        from helpers import figures

        fig = Figure(figsize=(5.0, 2.4), layout="constrained")
        ax = fig.subplots()
        ax.plot(places, own, **figures.stroke("prediction", linestyle="-"), label="yours")
        some = np.unique(np.linspace(0, len(places) - 1, 25).astype(int))
        dots = {"linestyle": "", "marker": "o", "ms": 4, "mfc": "none"}
        ax.plot(places[some], right[some], **figures.stroke("reference", **dots), label=self.other)
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        return figures.picture(fig, colours=64)


@dataclass(frozen=True)
class Sound:
    """Play the learner's own sound beside the right one.

    `call` returns the arguments of one call; `tracks` makes sounds by name of the learner's result,
    of the right one, and of the arguments. They are brought to one level, unless `match` is None.
    """

    call: Callable[[], tuple]
    tracks: Callable
    sr: int
    match: str | None = "rms"

    def __call__(self, fn: Callable, truth: Callable):
        """Return a player, or None."""
        from helpers import listening

        args = self.call()
        made = _made(fn, truth, [args])
        if made is None:
            return None
        sounds = self.tracks(made[0][0], made[1][0], *args)
        return listening.player(sounds, sr=self.sr, match=self.match, title="Your result")
