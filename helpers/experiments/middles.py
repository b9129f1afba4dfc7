"""The result of a bisection of pitch: one listener's middles, and the scales that fit them.

Middles are compared in semitones above the octave middle, the geometric mean of the two outer
tones.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import f as fisher
from scipy.stats import t as student

from helpers import pitch

PAIRS = ((125, 2000), (200, 3200), (500, 8000))  # Hz; four octaves each, so that the scales part
ORDERS = ("ascending", "descending")
SCALES = {  # name: to the scale and back
    "linear": (lambda f: f, lambda v: v),
    "mel (HTK)": (pitch.hz_to_mel, pitch.mel_to_hz),
    "mel (Slaney)": (
        lambda f: pitch.hz_to_mel(f, variant="slaney"),
        lambda v: pitch.mel_to_hz(v, variant="slaney"),
    ),
    "Bark": (pitch.hz_to_bark, pitch.bark_to_hz),
    "ERB-rate": (pitch.hz_to_erb_rate, pitch.erb_rate_to_hz),
    "octaves": (np.log2, np.exp2),
}
# what is assumed of a listener's scatter: as if seen twice, and 1.5 semitones
PRIOR_N = 2
PRIOR_SD = 1.5
CREDIBLE_MASS = 0.95  # share of likelihood that a verdict needs
# a scale is refused where this listener's own scatter makes its distance less likely than this
MISFIT_P = 0.01


def middle_hz(low: float, high: float, scale: str) -> float:
    """Return the middle of an interval on a pitch scale [Hz].

    Examples
    --------
    >>> [round(middle_hz(200, 3200, scale)) for scale in SCALES]
    [1700, 1173, 1184, 1086, 984, 800]
    """
    if scale not in SCALES:
        raise ValueError(f"there is no scale {scale!r}; choose from {', '.join(SCALES)}")
    to, back = SCALES[scale]
    return float(back((to(low) + to(high)) / 2))


def predictions() -> dict[str, np.ndarray]:
    """Return the middles of `PAIRS` on each scale, (n_pairs,) [semitones above the octave
    middle].
    """
    return {
        scale: np.array([semitones(middle_hz(*pair, scale), pair) for pair in PAIRS])
        for scale in SCALES
    }


def semitones(freq: float, pair: tuple) -> float:
    """Return how far a frequency [Hz] lies above the octave middle of a pair [semitones]."""
    return float(pitch.hz_to_semitones(freq, ref=float(np.sqrt(pair[0] * pair[1]))))


@dataclass(frozen=True)
class Middles:
    """One listener's settings.

    Attributes
    ----------
    pair : np.ndarray of int, shape (n,)
        Which of `PAIRS`.
    up : np.ndarray of bool, shape (n,)
        Whether the tones ascended.
    middle : np.ndarray, shape (n,)
        Where the middle was put [semitones above the octave middle].
    """

    pair: np.ndarray
    up: np.ndarray
    middle: np.ndarray

    @cached_property
    def _fit(self) -> tuple[np.ndarray, float, float, int]:
        """Means per pair, effect of the order, scatter around both [semitones], and its degrees of
        freedom.
        """
        # least squares: one column for each pair, one for the order
        columns = [self.pair == i for i in range(len(PAIRS))] + [self.up - 0.5]
        design = np.column_stack(columns).astype(float)
        found, *_ = np.linalg.lstsq(design, self.middle, rcond=None)
        dof = len(self.middle) - design.shape[1]
        residual = self.middle - design @ found
        scatter = float(np.sqrt(np.sum(residual**2) / dof))
        return found[:-1], float(found[-1]), scatter, dof

    def _half_width(self, n: float) -> float:
        """Half a 95 % interval of a mean of `n` settings [semitones]: t, with the assumed scatter
        as two more.
        """
        _, _, sd, dof = self._fit
        spread = np.sqrt((dof * sd**2 + PRIOR_N * PRIOR_SD**2) / (dof + PRIOR_N))
        return float(student.ppf(0.975, dof + PRIOR_N) * spread / np.sqrt(n))

    @property
    def points(self) -> tuple[np.ndarray, float]:
        """Mean over both orders of each pair, (n_pairs,), and half its 95 % interval [semitones].

        A mean of semitones is a geometric mean of frequencies.
        """
        return self._fit[0], self._half_width(len(self.middle) / len(PAIRS))

    @property
    def hysteresis(self) -> tuple[float, float]:
        """Ascending minus descending, and half its 95 % interval [semitones]."""
        return self._fit[1], self._half_width(len(self.middle) / 4)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Share of each scale in the likelihood, adding to 1: the order's effect and the scatter
        are left free.
        """
        effect = self._fit[1] * (self.up - 0.5)
        # the scatter is integrated out, with its prior: what is left is a power of the squares
        power = (len(self.middle) + PRIOR_N) / 2
        logs = {}
        for scale, at in predictions().items():
            squares = np.sum((self.middle - effect - at[self.pair]) ** 2)
            logs[scale] = -power * np.log(squares + PRIOR_N * PRIOR_SD**2)
        best = max(logs.values())
        likelihoods = {scale: np.exp(log - best) for scale, log in logs.items()}
        total = sum(likelihoods.values())
        ordered = sorted(likelihoods, key=likelihoods.get, reverse=True)
        return {scale: float(likelihoods[scale] / total) for scale in ordered}

    @property
    def plausible_scales(self) -> list[str]:
        """The scales that the settings cannot exclude, likeliest first: together 95 % of the
        likelihood.
        """
        plausible = []
        mass = 0.0
        for scale, share in self.shares.items():
            if mass < CREDIBLE_MASS:
                plausible.append(scale)
            mass += share
        return plausible

    @cached_property
    def misfit_p(self) -> float:
        """Chance that the likeliest scale is missed this far by scatter alone (F test against free
        means).
        """
        means, _, sd, dof = self._fit
        nearest = predictions()[self.plausible_scales[0]]
        apart = np.sum((means - nearest) ** 2) * len(self.middle) / len(PAIRS)
        if not sd:
            return float(apart == 0)
        return float(fisher.sf(apart / len(PAIRS) / sd**2, len(PAIRS), dof))

    @property
    def verdict(self) -> str:
        """What the settings say about the scales, in a sentence."""
        scales = self.plausible_scales
        nearest = scales[0]
        if self.misfit_p < MISFIT_P:
            return f"No scale puts the middles where they were set; {nearest} comes nearest."
        if len(scales) == 1:
            return f"These middles lie where {nearest} puts them."
        if len(scales) < 4:
            return f"These middles cannot tell {' and '.join(scales)} apart."
        remain = f"{len(scales)} of {len(SCALES)} remain"
        return f"These middles cannot tell the scales apart: {remain}."

    @property
    def words(self) -> list[str]:
        """The result in words, one sentence or two a line."""
        said = "{low_hz} to {high_hz} Hz: {middle_hz:.0f} Hz ({from_hz:.0f} to {to_hz:.0f})"
        middles = [said.format(**row) for row in self.table]
        effect, wide = self.hysteresis
        shown = (
            "The order of the tones moved the middle"
            if abs(effect) > wide
            else "No effect of the order was shown"
        )
        return [
            self.verdict,
            "Middles, as geometric means over both orders, with 95 % intervals: "
            + "; ".join(middles)
            + ".",
            f"{shown}: ascending minus descending is {effect:+.1f} semitones "
            f"(95 % interval {effect - wide:+.1f} to {effect + wide:+.1f}).".replace("-", "−"),
            "Likelihood among the six scales: "
            + ", ".join(f"{k} {v:.2f}" for k, v in self.shares.items())
            + ".",
        ]

    @property
    def table(self) -> list[dict]:
        """One row per pair: its tones, the middle with its interval, and what each scale predicts
        [Hz].
        """
        means, half = self.points
        rows = []
        for pair, mean in zip(PAIRS, means, strict=True):
            octave_middle = np.sqrt(pair[0] * pair[1])
            above = mean + np.array([0, -half, half])  # [semitones]
            best, low, high = octave_middle * 2 ** (above / 12)
            row = {"low_hz": pair[0], "high_hz": pair[1]}
            row |= {"middle_hz": best, "from_hz": low, "to_hz": high}
            rows.append(row | {scale: middle_hz(*pair, scale) for scale in SCALES})
        return rows
