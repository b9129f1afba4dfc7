"""Staircases that find where two sounds are equally loud, the fit that reads them, and simulated
ears to try both.

One track is a 1-up/1-down staircase: it settles where "louder" and "softer" are equally likely,
which is the match itself. Levels are in dB relative to the reference tone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

# [dB]; the first one is also the most that a level may ever rise between two trials
STEPS = (6.0, 3.0, 1.5)
LAPSE = 0.04  # share of answers given without listening that the fit expects
# standard deviations of one comparison that the fit considers [dB]
NOISES = np.geomspace(0.7, 12, 10)
# 2.5 dB is usual, a factor of 2 either way common
_weight = np.exp(-0.5 * (np.log(NOISES / 2.5) / 0.7) ** 2)
NOISE_PRIOR = _weight / _weight.sum()


class Staircase:
    """A 1-up/1-down track between two bounds; the step shrinks at each of the first two reversals.

    A start outside the bounds is moved to the nearer one; all levels are in dB.

    Examples
    --------
    >>> track = Staircase(0.0, low=-30.0, high=10.0)
    >>> [track.answer(louder) for louder in (False, False, True, False)]
    [6.0, 10.0, 7.0, 8.5]
    """

    def __init__(self, start: float, *, low: float, high: float):
        if not low < high or not np.isfinite([start, low, high]).all():
            raise ValueError(
                f"a staircase needs low < high and a finite start, got {low}, {high}, {start}"
            )
        self.low = float(low)
        self.high = float(high)
        self.level = float(np.clip(start, low, high))
        self.levels: list[float] = []
        self.louder: list[bool] = []
        self._reversals = 0

    def answer(self, louder: bool) -> float:
        """Note whether the tone at `level` was the louder one, and return the next level [dB]."""
        if self.louder and louder != self.louder[-1]:
            self._reversals += 1
        self.levels.append(self.level)
        self.louder.append(bool(louder))
        step = STEPS[min(self._reversals, len(STEPS) - 1)]
        self.level = float(np.clip(self.level + (-step if louder else step), self.low, self.high))
        return self.level


@dataclass(frozen=True)
class Match:
    """Where a track says the two tones are equally loud: estimate and 95 % interval [dB re the
    reference].

    `beyond` is "above" or "below" where the match lies outside the levels that may be played; then
    the numbers mean nothing and are NaN.
    """

    level: float
    low: float
    high: float
    sd: float
    beyond: str = ""


def fit(tracks: list[Staircase]) -> tuple[list[Match], float]:
    """Fit a cumulative Gaussian with lapses to every track, with one noise for all of them.

    The likelihood of the match is integrated over the noise (log-normal weight around 2.5 dB). The
    weight of the match itself is flat from 10 dB under the lower bound to 12 dB over the upper one,
    so that no contour is favoured. The estimate is the mean, the interval holds the middle 95 % of
    what results.

    With the matches comes the evidence: the natural log of how much better a listener explains all
    answers than a fair coin does.
    """
    if not tracks or not all(track.levels for track in tracks):
        raise ValueError("fit needs at least one track, and at least one answer in each")
    grids = [np.arange(track.low - 10, track.high + 12, 0.25) for track in tracks]
    likelihoods = [_likelihood(track, grid) for track, grid in zip(tracks, grids, strict=True)]
    # given the noise, tracks are independent: their matches are averaged away one by one
    together = np.log(NOISE_PRIOR) + sum(np.log(part.mean(axis=0)) for part in likelihoods)
    weight = np.exp(together - together.max())
    n_answers = sum(len(track.levels) for track in tracks)
    evidence = np.log(weight.sum()) + together.max() + n_answers * np.log(2)
    weight /= weight.sum()
    shares = [(part / part.sum(axis=0)) @ weight for part in likelihoods]
    return [match_of(*each) for each in zip(tracks, grids, shares, strict=True)], float(evidence)


def _likelihood(track: Staircase, grid: np.ndarray) -> np.ndarray:
    """Chance of the answers of one track for each match and noise, shape (n_grid, n_noises)."""
    z = (np.array(track.levels) - grid[:, None, None]) / NOISES[:, None]
    p = LAPSE / 2 + (1 - LAPSE) * ndtr(z)
    return np.prod(np.where(track.louder, p, 1 - p), axis=-1)


def match_of(track, grid: np.ndarray, share: np.ndarray) -> Match:
    """Return mean and middle 95 % of a weight over levels, or beyond which bound it lies."""
    level = float(share @ grid)
    if level >= track.high or level <= track.low:
        nan = float("nan")
        return Match(nan, nan, nan, nan, "above" if level >= track.high else "below")
    low, high = np.interp([0.025, 0.975], np.cumsum(share), grid)
    return Match(level, float(low), float(high), float(np.sqrt(share @ (grid - level) ** 2)))


class SimulatedEar:
    """A listener whose contour is known, who compares two tones as we would.

    Parameters
    ----------
    contour : callable
        Takes a frequency [Hz], returns the level at which it is as loud as 1 kHz at 0 dB [dB].
    noise : float, default 2.0
        Standard deviation of one comparison [dB].
    lapse : float, default 0.02
        Share of answers given blindly; 1 is a listener who only clicks.
    seed : int, default 0
        The same seed gives the same answers.
    """

    def __init__(
        self,
        contour: Callable = lambda freq: 0.0,
        *,
        noise: float = 2.0,
        lapse: float = 0.02,
        seed: int = 0,
    ):
        if not noise > 0 or not 0 <= lapse <= 1:
            raise ValueError(
                f"noise must be positive and lapse lie between 0 and 1, got {noise} and {lapse}"
            )
        self.contour = contour
        self.noise = noise
        self.lapse = lapse
        self.rng = np.random.default_rng(seed)

    def answer(self, trial: dict) -> int:
        """Say which of the two ``trial["tones"]`` was louder: 1 or 2."""
        if self.rng.random() < self.lapse:
            return int(self.rng.integers(1, 3))
        first, second = (tone["db"] - self.contour(tone["freq"]) for tone in trial["tones"])
        return 1 if first - second + self.noise * self.rng.standard_normal() > 0 else 2
