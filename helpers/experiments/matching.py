"""Measure an equal-loudness contour: which trials to play, how loud they may be, and what the
answers say.

A level is the peak of a tone in dBFS, or in dB relative to the reference tone where it says so.
Nobody knows the sound pressure at your ears, so only the shape of a contour can be measured, not
its height.
"""

import numpy as np

from helpers.experiments.contour import Contour, iso_shape
from helpers.experiments.staircases import Staircase, fit

REFERENCE_HZ, REFERENCE_DB = 1000, -40.0
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
    """Two-interval comparisons with 1 kHz in interleaved tracks, until every track has had its
    trials.

    Tracks go round in random order. Among them are a catch track, 1 kHz against itself, and obvious
    pairs, which tell a listener from a coin.

    Parameters
    ----------
    mode : {"quick", "full"}
        2 frequencies and 44 trials, or 6 frequencies, one of them twice, and 120 trials.
    seed : int, optional
        The same seed gives the same starts and orders.

    Raises
    ------
    ValueError
        For another mode.
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
        self.rows, self.tracks, self._next = [], {}, None
        if all(self._replay(row) for row in rows):
            return True
        return self.accept([]) and False

    def _replay(self, row: dict) -> bool:
        name, at = row["track"], len(self.rows) + 1
        fits = name in self.freq and row["trial"] == at and self.count(name) < self.trials[name]
        if (
            not fits
            or row["freq"] != self.freq[name]
            or {row["test_interval"], row["answer"]} - {1, 2}
        ):
            return False
        if not abs(self._track(name, row["level_db"]).level - row["level_db"]) <= 1e-6:  # NaN too
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
            left = {
                name: self.count(name) / n
                for name, n in self.trials.items()
                if self.count(name) < n
            }
            name = str(
                self.rng.choice(
                    [name for name, share in left.items() if share == min(left.values())]
                )
            )
            level = self._track(
                name, round(float(self.rng.uniform(-6, 6)), 2)
            ).level  # a random start
            before = self.tracks[name].levels[-1] if name in self.tracks else 0.0
            test = {"freq": self.freq[name], "db": REFERENCE_DB + level, "track": name}
            reference = {
                "freq": REFERENCE_HZ,
                "db": REFERENCE_DB,
                "track": "reference",
                "before": REFERENCE_DB,
            }
            pair = [test | {"before": REFERENCE_DB + before}, reference]
            place = int(self.rng.integers(1, 3))
            row = {
                "trial": len(self.rows) + 1,
                "track": name,
                "freq": self.freq[name],
                "level_db": level,
            }
            self._next = row | {"test_interval": place}, pair[:: 3 - 2 * place]
        return {"n": len(self.rows) + 1, "of": self.of, "tones": self._next[1]}

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
        right = sum(
            row["answer"] != row["test_interval"] for row in self.rows if row["track"] == "check"
        )
        wrong = self.count("check") - right
        evidence += right * np.log(0.98 / 0.5) + wrong * np.log(
            0.02 / 0.5
        )  # obvious: all but 2 % are right
        return Contour(
            self.freq,
            dict(zip(names, matches, strict=True)),
            float(evidence),
            right,
            self.trials["check"],
        )
