"""What hides a tone: two intervals of noise, a tone in one of them, and the level at which it is
just heard.

Levels of the tone are peaks in dBFS. Nobody knows the sound pressure at your ears, so only
differences between thresholds say something about hearing.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from helpers.experiments.staircases import LAPSE, STEPS, Match, match_of

SR = 48_000
TONE_HZ = 1000
NOISE_BAND = (400.0, 1600.0)  # outer edges of the noise [Hz]
NOISE_DB = -36.0  # RMS of the noise without a notch [dBFS]
NOTCH_HZ = 150.0  # half the width of the notch [Hz]
START_DB = -34.0
FLOOR_DB = -84.0
CEILING_DB = -28.0  # no tone peaks higher [dBFS]
LEAD, INTERVAL, PAUSE = 0.4, 0.44, 0.3  # silence, one interval, silence between them [s]
# standard deviations of one answer that the fit considers, and their weights [dB]
SPREADS = np.geomspace(1, 6, 8)
WEIGHTS = np.exp(-0.5 * (np.log(SPREADS / 2.5) / 0.5) ** 2)
# track: half the notch [Hz], silence between noise and tone [s] (None: at once), its name
TRACKS = {
    "open": (0.0, None, "in noise without a notch"),
    "notch": (NOTCH_HZ, None, f"in noise with a notch of ±{NOTCH_HZ:g} Hz"),
    "soon": (0.0, 0.005, "5 ms after the noise"),
    "late": (0.0, 0.100, "100 ms after the noise"),
}
MODES = {"quick": (("open", "notch"), 36), "full": (tuple(TRACKS), 36)}  # tracks, trials of each


class TwoDown:
    """A 2-down/1-up track of levels [dB]: it settles where 71 % of the answers are right.

    Examples
    --------
    >>> track = TwoDown(-34.0)
    >>> [track.answer(right) for right in (True, True, False, True, True)]
    [-34.0, -40.0, -37.0, -37.0, -38.5]
    """

    low = FLOOR_DB
    high = CEILING_DB

    def __init__(self, start: float):
        self.level = start
        self.levels: list[float] = []
        self.right: list[bool] = []
        self._streak = 0
        self._direction = 0
        self._reversals = 0

    def answer(self, right: bool) -> float:
        """Note whether the tone at `level` was found, and return the next level [dBFS]."""
        self.levels.append(self.level)
        self.right.append(bool(right))
        self._streak = self._streak + 1 if right else 0
        if right and self._streak < 2:
            return self.level
        self._streak = 0
        direction = -1 if right else 1
        self._reversals += self._direction == -direction
        self._direction = direction
        step = STEPS[min(self._reversals, len(STEPS) - 1)]
        self.level = float(np.clip(self.level + direction * step, self.low, self.high))
        return self.level


def threshold(track: TwoDown) -> Match:
    """Return where the tone is found half-way between guessing and always [dBFS], with an interval.

    The likelihood is integrated over the listener's noise; all levels are equally likely before.
    """
    grid = np.arange(track.low - 10, track.high + 12, 0.25)
    z = (np.array(track.levels) - grid[:, None, None]) / SPREADS[:, None]
    p = 0.5 + (0.5 - LAPSE / 2) * ndtr(z)
    likelihood = np.prod(np.where(track.right, p, 1 - p), axis=-1)
    share = likelihood @ WEIGHTS
    return match_of(track, grid, share / share.sum())


def noise(seconds: float, notch: float, rng) -> np.ndarray:
    """Return noise from 400 to 1600 Hz, without what lies less than `notch` [Hz] from the tone.

    Every hertz keeps its power whatever the notch: all of it together has an RMS of -36 dBFS.
    """
    n = round(seconds * SR)
    freqs = np.fft.rfftfreq(n, 1 / SR)
    inside = (freqs >= NOISE_BAND[0]) & (freqs < NOISE_BAND[1])
    power = 10 ** (NOISE_DB / 10) / inside.sum()  # of each line
    lines = np.sqrt(power / 2) * n * np.exp(2j * np.pi * rng.random(len(freqs)))
    return np.fft.irfft(lines * (inside & (np.abs(freqs - TONE_HZ) >= notch)), n)


def _shaped(y: np.ndarray, edge: float) -> np.ndarray:
    """Return a copy with raised-cosine ramps of `edge` [s]."""
    m = round(edge * SR)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(m) / m)
    gain = np.ones(len(y))
    gain[:m] = ramp
    return y * gain * gain[::-1]


def interval(track: str, level_db: float, tone: bool, rng) -> np.ndarray:
    """Return one interval of a trial, 0.44 s: noise, and with `tone` the tone in or after it."""
    notch, gap, _ = TRACKS[track]
    out = np.zeros(round(INTERVAL * SR))
    burst = _shaped(noise(0.4 if gap is None else 0.3, notch, rng), 0.02 if gap is None else 0.005)
    out[: len(burst)] = burst
    if tone:
        seconds, edge = (0.24, 0.02) if gap is None else (0.02, 0.01)
        t = np.arange(round(seconds * SR)) / SR
        beep = _shaped(10 ** (level_db / 20) * np.sin(2 * np.pi * TONE_HZ * t), edge)
        start = round((0.08 if gap is None else 0.3 + gap) * SR)
        out[start : start + len(beep)] += beep
    return out


class NoiseMasking:
    """Two-interval trials in interleaved tracks; `mode` is a key of `MODES`."""

    columns = {  # noqa: RUF012
        "trial": int,
        "track": str,
        "level_db": float,
        "tone_interval": int,
        "answer": int,
    }

    def __init__(self, mode: str = "quick", *, seed: int | None = None):
        if mode not in MODES:
            raise ValueError(f"mode={mode!r} must be one of {', '.join(MODES)}")
        self.names, self.per_track = MODES[mode]
        self.rng = np.random.default_rng(seed)
        self.of = len(self.names) * self.per_track
        self.key = f"{mode}-{NOISE_DB:g}-{NOTCH_HZ:g}"
        self.accept([])

    def accept(self, rows: list[dict]) -> bool:
        """Start anew from these answers; say whether they can have been given here (if not, nothing
        is kept).
        """
        self._clear()
        for row in rows:
            if not self._fits(row):
                self._clear()
                return False
            self._note(row)
        return True

    def _clear(self) -> None:
        self.rows = []
        self.tracks = {name: TwoDown(START_DB) for name in self.names}
        self._next = None

    def _fits(self, row: dict) -> bool:
        track = self.tracks.get(row["track"])
        if track is None or len(track.levels) == self.per_track:
            return False
        answered = {row["tone_interval"], row["answer"]} <= {1, 2}
        in_place = row["trial"] == len(self.rows) + 1
        return answered and in_place and abs(track.level - row["level_db"]) <= 1e-6

    def _note(self, row: dict) -> None:
        self.rows.append(row)
        self.tracks[row["track"]].answer(row["answer"] == row["tone_interval"])
        self._next = None

    @property
    def done(self) -> bool:
        """Whether the last answer has been given."""
        return len(self.rows) == self.of

    def trial(self) -> dict:
        """Return the next pair, the same until it is answered: its track, level [dBFS], which
        interval has the tone, and when the two begin [s].
        """
        if self._next is None:
            given = {name: len(self.tracks[name].levels) for name in self.names}
            least = min(given.values())
            name = str(self.rng.choice([name for name in self.names if given[name] == least]))
            row = {"trial": len(self.rows) + 1, "track": name, "level_db": self.tracks[name].level}
            self._next = row | {"tone_interval": int(self.rng.integers(1, 3))}
        starts = [LEAD, LEAD + INTERVAL + PAUSE]
        return {"n": len(self.rows) + 1, "of": self.of, "starts": starts, **self._next}

    def sound(self) -> np.ndarray:
        """Return what `trial` plays, (n,) at 48 kHz: lead, interval, pause, interval."""
        row = self.trial()
        rng = np.random.default_rng(row["trial"])  # fresh noise in each trial
        parts = [np.zeros(round(LEAD * SR))]
        for k in (1, 2):
            parts.append(interval(row["track"], row["level_db"], k == row["tone_interval"], rng))
            parts.append(np.zeros(round(PAUSE * SR)))
        return np.concatenate(parts[:-1])

    def answer(self, answer: int) -> None:
        """Note in which of the two intervals of `trial` the tone was heard: 1 or 2."""
        if isinstance(answer, bool) or answer not in (1, 2):
            raise ValueError(f"answer={answer!r} must be 1 (in the first) or 2 (in the second)")
        self.trial()
        self._note(self._next | {"answer": int(answer)})

    def result(self) -> "Thresholds":
        """Return what the answers say; every track needs at least one."""
        return Thresholds({name: threshold(track) for name, track in self.tracks.items()})


@dataclass(frozen=True)
class Thresholds:
    """Levels at which one listener just heard the tone; `matches`: track to `Match` [dBFS]."""

    matches: dict[str, Match]

    def drop(self, first: str, second: str) -> tuple[float, float] | None:
        """Return how far the second threshold lies below the first, and half its 95 % interval
        [dB]; None where one of them is missing or beyond the limits.
        """
        pair = [self.matches.get(name) for name in (first, second)]
        if any(match is None or match.beyond for match in pair):
            return None
        return pair[0].level - pair[1].level, 1.96 * float(np.hypot(pair[0].sd, pair[1].sd))

    @property
    def title(self) -> str:
        """The finding in one sentence."""
        found = self.drop("open", "notch")
        if found is None:
            return "No threshold was found within the limits"
        if found[0] < found[1]:
            return "These answers do not show that the notch helps"
        return f"A notch of ±{NOTCH_HZ:g} Hz lowers the threshold by {found[0]:.0f} dB"

    @property
    def words(self) -> list[str]:
        """The result in words, one sentence or two a line."""
        said = [f"{TRACKS[name][2]}: {_said(match)}" for name, match in self.matches.items()]
        lines = ["Tone of 1 kHz just heard, with 95 % intervals: " + "; ".join(said) + "."]
        pairs = (("open", "notch", "The notch lowers the threshold"), ("soon", "late", LATER))
        for first, second, what in pairs:
            found = self.drop(first, second)
            if found is not None:
                lines.append(f"{what} by {found[0]:.1f} dB, give or take {found[1]:.1f}.")
        return lines


LATER = "95 ms more of silence after the noise lower it"


def _said(match: Match) -> str:
    if match.beyond:
        return f"beyond limit ({match.beyond} what may be played)"
    numbers = f"{match.level:.1f} dBFS ({match.low:.1f} to {match.high:.1f})"
    return numbers.replace("-", "−")


class SimulatedDetector:
    """A listener whose thresholds are known.

    Parameters
    ----------
    thresholds : dict of str to float, optional
        For each track the level at which 3 of 4 answers are right [dBFS].
    noise : float, default 2.5
        Standard deviation of the transition from never to always [dB].
    seed : int, default 0
        The same seed gives the same answers.
    """

    def __init__(self, thresholds: dict | None = None, *, noise: float = 2.5, seed: int = 0):
        usual = {"open": -44.0, "notch": -58.0, "soon": -46.0, "late": -62.0}
        self.thresholds = usual | (thresholds or {})
        self.noise = noise
        self.rng = np.random.default_rng(seed)

    def answer(self, trial: dict) -> int:
        """Say in which interval the tone was: 1 or 2."""
        above = (trial["level_db"] - self.thresholds[trial["track"]]) / self.noise
        right = self.rng.random() < 0.5 + 0.5 * ndtr(above)
        return trial["tone_interval"] if right else 3 - trial["tone_interval"]
