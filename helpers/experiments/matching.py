"""Measure an equal-loudness contour: which trials to play, how loud they may be, and what the
answers say.

A level is the peak of a tone in dBFS, or in dB relative to the reference tone where it says so.
Nobody knows the sound pressure at your ears, so only the shape of a contour can be measured, not
its height.
"""

import numpy as np

from helpers.experiments.contour import Contour, iso_shape
from helpers.experiments.staircases import Staircase, fit

REFERENCE_HZ = 1000
REFERENCE_DB = -40.0
LOUDEST_DB = -7.5  # no tone may peak above this [dBFS]
FLOOR_DB = -30.0  # nor lie further below the reference [dB]
CHECK_DB = -12.0  # the tone of an obvious pair: softer than the reference beyond doubt [dB]
# frequencies besides the catch track, what is asked twice, trials per track, obvious pairs
MODES = {
    "quick": ((125, 4000), (), 12, 8),
    "full": ((125, 250, 500, 2000, 4000, 8000), (250,), 14, 8),
}


def ceiling_db(freqs) -> np.ndarray:
    """Return the highest peak level that may be played [dBFS]: 12 dB over the ISO contour, 6 dB up
    to 125 Hz.

    Examples
    --------
    >>> ceiling_db([125, 1000, 8000]).round(1)
    array([-13.6, -28. , -16.4])
    """
    freqs = np.asarray(freqs, dtype=float)
    room = np.where(freqs <= 125, 6.0, 12.0)
    return np.minimum(REFERENCE_DB + iso_shape(freqs) + room, LOUDEST_DB)


class LoudnessMatching:
    """Two-interval comparisons with 1 kHz in interleaved tracks, which go round in random order.

    Among them are a catch track, 1 kHz against itself, and obvious pairs, which tell a listener
    from a coin. `mode` is a key of `MODES`.
    """

    columns = {  # noqa: RUF012
        "trial": int,
        "track": str,
        "freq": int,
        "level_db": float,
        "test_interval": int,
        "answer": int,
    }

    def __init__(self, mode: str = "quick", *, seed: int | None = None):
        if mode not in MODES:
            raise ValueError(f"mode={mode!r} must be one of {', '.join(MODES)}")
        freqs, again, self.per_track, n_checks = MODES[mode]
        self.rng = np.random.default_rng(seed)
        self.freq = (
            {str(f): f for f in freqs} | {"catch": REFERENCE_HZ} | {f"{f} again": f for f in again}
        )
        self.freq |= {"check": REFERENCE_HZ}
        self.trials = dict.fromkeys(self.freq, self.per_track) | {"check": n_checks}
        self.of = sum(self.trials.values())
        self.key = f"{mode}-{REFERENCE_DB:g}"
        self.accept([])

    def accept(self, rows: list[dict]) -> bool:
        """Start anew from these answers; say whether they can have been given here (if not, nothing
        is kept).
        """
        self._clear()
        for row in rows:
            if not self._replay(row):
                self._clear()
                return False
        return True

    def _clear(self) -> None:
        self.rows = []
        self.tracks = {}
        self._next = None

    def _replay(self, row: dict) -> bool:
        """Note an answer given earlier; say whether it can have been given here."""
        name = row["track"]
        if name not in self.freq or self.count(name) == self.trials[name]:
            return False
        if row["trial"] != len(self.rows) + 1 or row["freq"] != self.freq[name]:
            return False
        if not {row["test_interval"], row["answer"]} <= {1, 2}:
            return False
        level = self._track(name, row["level_db"]).level
        if not abs(level - row["level_db"]) <= 1e-6:  # NaN too
            return False
        self._note(row)
        return True

    def _track(self, name: str, start: float) -> Staircase:
        """Return a track; a new one starts at `start`."""
        if name == "check":
            return Staircase(CHECK_DB, low=FLOOR_DB, high=0)
        high = np.floor(10 * (ceiling_db(self.freq[name]) - REFERENCE_DB)) / 10
        return self.tracks.get(name) or Staircase(start, low=FLOOR_DB, high=high)

    def _note(self, row: dict) -> None:
        self.rows.append(row)
        if row["track"] != "check":
            track = self.tracks.setdefault(row["track"], self._track(row["track"], row["level_db"]))
            track.answer(row["test_interval"] == row["answer"])
        self._next = None

    def count(self, name: str) -> int:
        """Return how many answers a track has."""
        return sum(row["track"] == name for row in self.rows)

    @property
    def done(self) -> bool:
        """Whether the last answer has been given."""
        return len(self.rows) == self.of

    def trial(self) -> dict:
        """Return the next pair, the same until it is answered; ``"db"`` [dBFS], ``"before"``: last
        in this track.
        """
        if self._next is None:
            self._next = self._draw_trial()
        return {"n": len(self.rows) + 1, "of": self.of, "tones": self._next[1]}

    def _draw_trial(self) -> tuple[dict, list[dict]]:
        """Return the row of the next trial, without its answer, and its two tones in order."""
        # one of the tracks that are furthest behind
        progress = {name: self.count(name) / n for name, n in self.trials.items()}
        least = min(progress.values())
        name = str(self.rng.choice([name for name, share in progress.items() if share == least]))
        random_start = round(float(self.rng.uniform(-6, 6)), 2)
        level = self._track(name, random_start).level
        before = self.tracks[name].levels[-1] if name in self.tracks else 0.0
        test = {"freq": self.freq[name], "db": REFERENCE_DB + level, "track": name}
        test["before"] = REFERENCE_DB + before
        reference = {"freq": REFERENCE_HZ, "db": REFERENCE_DB, "track": "reference"}
        reference["before"] = REFERENCE_DB
        interval = int(self.rng.integers(1, 3))
        tones = [test, reference] if interval == 1 else [reference, test]
        row = {"trial": len(self.rows) + 1, "track": name, "freq": self.freq[name]}
        return row | {"level_db": level, "test_interval": interval}, tones

    def answer(self, answer: int) -> None:
        """Note which of the two tones of `trial` was louder: 1 or 2."""
        if isinstance(answer, bool) or answer not in (1, 2):
            raise ValueError(
                f"answer={answer!r} must be 1 (the first was louder) or 2 (the second)"
            )
        self.trial()
        self._note(self._next[0] | {"answer": int(answer)})

    def result(self) -> Contour:
        """Return what the answers say; every track needs at least one."""
        names = [name for name in self.freq if name in self.tracks]
        matches, evidence = fit([self.tracks[name] for name in names])
        checks = [row for row in self.rows if row["track"] == "check"]
        right = sum(row["answer"] != row["test_interval"] for row in checks)
        wrong = len(checks) - right
        # they are obvious: a listener has all but 2 % right, a coin half
        evidence += right * np.log(0.98 / 0.5) + wrong * np.log(0.02 / 0.5)
        found = dict(zip(names, matches, strict=True))
        return Contour(self.freq, found, float(evidence), right, self.trials["check"])
