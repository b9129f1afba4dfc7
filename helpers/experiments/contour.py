"""The result of a loudness matching: a contour, how far it is to be trusted, and both in words."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import chi2

from helpers.experiments.staircases import Match
from helpers.loudness import equal_loudness_contour

RIPPLE_DB = 2.0  # how far headphones may bend a contour at one frequency (an assumption)
UNRELIABLE = -3.0  # evidence (natural log) at which a coin explains the answers 20 times better
PHONS = np.arange(20, 81)  # loudness levels that ISO 226 vouches for at all our frequencies
WIDEST = 40  # phon; a longer interval names no loudness level


def iso_shape(freqs, phon: float = 40.0) -> np.ndarray:
    """Return the contour of ISO 226:2023 relative to 1 kHz [dB], for frequencies [Hz] of any
    shape.
    """
    return equal_loudness_contour(phon, freqs) - phon


@dataclass(frozen=True)
class Contour:
    """An equal-loudness contour as one listener's answers give it.

    Attributes
    ----------
    freq : dict of str to int
        Frequency of each track [Hz].
    matches : dict of str to Match
        What each track says; "catch" is 1 kHz against itself, "<freq> again" a second measurement.
    evidence : float
        See `helpers.experiments.staircases.fit`.
    right, checks : int
        Obvious pairs answered rightly, and in all.
    """

    freq: dict[str, int]
    matches: dict[str, Match]
    evidence: float
    right: int
    checks: int

    @property
    def reliable(self) -> bool:
        """Whether a coin does not explain the answers more than 20 times better than a listener."""
        return self.evidence > UNRELIABLE

    @cached_property
    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The frequencies [Hz], matches [dB re 1 kHz] and standard deviations, each (n,); beyond
        limits left out.
        """
        once = [
            (self.freq[name], m.level, m.sd)
            for name, m in self.matches.items()
            if "again" not in name
        ]
        return tuple(np.array(sorted(p for p in once if np.isfinite(p[1]))).reshape(-1, 3).T)

    @property
    def offset_db(self) -> float:
        """Mean distance of the points from ISO 226:2023 at 40 phon [dB], removed before shapes are
        compared.
        """
        freqs, levels, _ = self.points
        return float(np.mean(levels - iso_shape(freqs))) if freqs.size else 0.0

    def rms_from(self, shape: np.ndarray | float) -> float:
        """Return the rms distance of the points from a shape [dB], after one level offset is
        removed.
        """
        return float(np.std(self.points[1] - shape))

    @property
    def retest_db(self) -> float:
        """Second minus first measurement [dB]; NaN where there is none, or it lies beyond a
        limit.
        """
        pairs = [
            (m, self.matches[name.split()[0]])
            for name, m in self.matches.items()
            if "again" in name
        ]
        return pairs[0][0].level - pairs[0][1].level if pairs else float("nan")

    @cached_property
    def phon(self) -> tuple[float, float, float] | None:
        """Loudness level whose contour fits best and its 95 % interval [phon]; None: not
        identifiable.

        Likelihood profile over 20-80 phon with a free level offset; each point errs by its own
        standard deviation and by a headphone's ripple of 2 dB. None if there are fewer than four
        points, no contour fits (chi-square, 1 %), or the interval is longer than 40 phon.
        """
        freqs, levels, sd = self.points
        if freqs.size < 4:
            return None
        apart = levels - np.array([iso_shape(freqs, p) for p in PHONS])
        weight = 1 / (sd**2 + RIPPLE_DB**2)
        apart -= (apart @ weight / weight.sum())[:, None]
        misfit = apart**2 @ weight
        inside = PHONS[misfit <= misfit.min() + chi2.ppf(0.95, 1)]
        if misfit.min() > chi2.ppf(0.99, freqs.size - 2) or np.ptp(inside) > WIDEST:
            return None
        return float(PHONS[misfit.argmin()]), float(inside[0]), float(inside[-1])

    @property
    def title(self) -> str:
        """The finding in one sentence."""
        if not self.reliable:
            return "A coin explains these answers better than a listener does"
        others = self.points[0] != 1000
        if not others.any():
            return "No track found a match within its limits"
        freqs, levels = (values[others] for values in self.points[:2])
        most = int(np.argmax(np.abs(levels)))
        how = "more" if levels[most] > 0 else "less"
        return (
            f"To sound as loud as 1 kHz, {_hz(freqs[most])} needs {abs(levels[most]):.0f} dB {how}"
        )

    @property
    def words(self) -> list[str]:
        """The result in words, one sentence or two a line."""
        names = [name for name in sorted(self.matches, key=self.freq.get) if name != "catch"]
        said = [
            f"{_hz(self.freq[name])}{' again' * ('again' in name)}: {_said(self.matches[name])}"
            for name in names
        ]
        checks = f"{self.right} of {self.checks} obvious pairs right."
        if not self.reliable:
            odds = min(np.exp(-self.evidence), 1e6)
            return [
                f"Unreliable answers: a coin explains them {odds:,.0f} times better than a "
                f"listener does, {checks}",
                "So no contour is read from them. Rest a little, check the headphones, and measure "
                "again.",
            ]
        catch = f"1 kHz against itself: {_said(self.matches['catch'])} (0 dB is right)."
        retest = (
            f" Asked twice, a match moved by {_db(self.retest_db)} dB."
            if np.isfinite(self.retest_db)
            else ""
        )
        return [
            "As loud as 1 kHz, with 95 % intervals: " + "; ".join(said) + ".",
            f"Checks: {catch}{retest} {checks}",
            *self._compared(),
            "Intervals: how well each level explains the answers, averaged over how unsure the "
            "listener may be; no level was preferred beforehand.",
        ]

    def _compared(self) -> list[str]:
        freqs = self.points[0]
        if freqs.size < 2:
            return ["Too few tracks found a match to compare shapes."]
        iso = self.rms_from(iso_shape(freqs))
        flat = self.rms_from(0)
        distances = f"{iso:.1f} dB rms from ISO 226:2023 at 40 phon, {flat:.1f} dB from a flat line"
        lines = [f"After one level offset is removed, the points lie {distances}."]
        if self.phon:
            best, low, high = self.phon
            interval = f"95 % interval {low:.0f} to {high:.0f}"
            lines.append(f"Loudness level that fits best: {best:.0f} phon ({interval}).")
        else:
            lines.append("The loudness level [phon] is not identifiable from these points.")
        return lines


def _hz(freq: float) -> str:
    return f"{freq / 1000:g} kHz" if freq >= 1000 else f"{freq:g} Hz"


def _db(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _said(match: Match) -> str:
    if match.beyond:
        return f"beyond limit ({match.beyond} what may be played)"
    return f"{_db(match.level)} dB ({_db(match.low)} to {_db(match.high)})"
