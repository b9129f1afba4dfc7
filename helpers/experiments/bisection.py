"""The bisection of an interval of pitch: its trials of three tones, and a simulated listener."""

import numpy as np

from helpers.experiments.middles import PAIRS, Middles, middle_hz, semitones

MODES = {"quick": 1, "full": 3}  # presentations per pair and order
ORDERS = ("ascending", "descending")


class Bisection:
    """Presentations of three tones; the middle one is the listener's to set, from a random start.

    `mode` "quick" has one and "full" three presentations of each pair, ascending and descending.
    """

    columns = {  # noqa: RUF012
        "trial": int,
        "low": int,
        "high": int,
        "order": str,
        "start_hz": float,
        "middle_hz": float,
    }

    def __init__(self, mode: str = "quick", *, seed: int | None = None):
        if mode not in MODES:
            raise ValueError(f"mode={mode!r} must be one of {', '.join(MODES)}")
        self.rng = np.random.default_rng(seed)
        self.repeats = MODES[mode]
        self.of = len(PAIRS) * len(ORDERS) * self.repeats
        self.key = f"{mode}-{len(PAIRS)}"
        self.accept([])

    def accept(self, rows: list[dict]) -> bool:
        """Start anew from these answers; say whether they can have been given here (if not, nothing
        is kept).
        """
        good = all(row["trial"] == i + 1 and self._inside(row) for i, row in enumerate(rows))
        kinds = [(row["low"], row["high"], row["order"]) for row in rows]
        self.rows = []
        self._next = None
        if not good or any(kinds.count(kind) > self.repeats for kind in kinds):
            return False
        self.rows = list(rows)
        return True

    def _inside(self, row: dict) -> bool:
        known = (row["low"], row["high"]) in PAIRS and row["order"] in ORDERS
        return known and row["low"] <= row["middle_hz"] <= row["high"]

    @property
    def done(self) -> bool:
        """Whether the last answer has been given."""
        return len(self.rows) == self.of

    def trial(self) -> dict:
        """Return the next presentation: low, high and start [Hz], order, and the ends of the slider
        [Hz].

        The slider's ends are drawn anew each time, up to half an octave inside the outer tones, so
        that no place on it means the same twice.
        """
        if self._next is None:
            given = [(row["low"], row["high"], row["order"]) for row in self.rows]
            left = [
                (*pair, order)
                for pair in PAIRS
                for order in ORDERS
                if given.count((*pair, order)) < self.repeats
            ]
            low, high, order = left[self.rng.integers(len(left))]
            inward = self.rng.uniform(0, 0.5, 2) * (1, -1)  # [octaves]
            ends = [round(float(end), 2) for end in (low, high) * 2.0**inward]
            start = round(float(np.exp(self.rng.uniform(*np.log(ends)))), 2)
            self._next = {"low": low, "high": high, "order": order, "start": start, "slider": ends}
        return {"n": len(self.rows) + 1, "of": self.of, **self._next}

    def answer(self, answer: float) -> None:
        """Note the frequency at which the middle tone was left [Hz]."""
        trial = self.trial()
        row = {"trial": trial["n"]} | {key: trial[key] for key in ("low", "high", "order")}
        row |= {"start_hz": trial["start"], "middle_hz": round(float(answer), 2)}
        if not self._inside(row):
            raise ValueError(
                f"answer={answer!r} must lie between {row['low']} and {row['high']} Hz"
            )
        self.rows.append(row)
        self._next = None

    def result(self) -> Middles:
        """Return what the settings say; needs at least one of each pair and order."""
        pair = np.array([PAIRS.index((row["low"], row["high"])) for row in self.rows])
        up = np.array([row["order"] == "ascending" for row in self.rows])
        middle = [semitones(row["middle_hz"], (row["low"], row["high"])) for row in self.rows]
        return Middles(pair, up, np.array(middle))


class SimulatedBisector:
    """A listener whose scale is known.

    Parameters
    ----------
    scale : str
        One of `helpers.experiments.middles.SCALES`.
    noise : float, default 1.5
        Standard deviation of one setting [semitones].
    hysteresis : float, default 1.0
        How much higher an ascending middle is set than a descending one [semitones].
    seed : int, default 0
        The same seed gives the same settings.
    """

    def __init__(self, scale: str, *, noise: float = 1.5, hysteresis: float = 1.0, seed: int = 0):
        middle_hz(*PAIRS[0], scale)  # refuses an unknown scale
        if noise < 0:
            raise ValueError(
                f"noise={noise!r} is a standard deviation in semitones; it cannot be negative"
            )
        self.scale = scale
        self.noise = noise
        self.hysteresis = hysteresis
        self.rng = np.random.default_rng(seed)

    def answer(self, trial: dict) -> float:
        """Return where the middle tone of a trial is left [Hz], within the ends of its slider."""
        side = 0.5 if trial["order"] == "ascending" else -0.5
        off = side * self.hysteresis + self.noise * self.rng.standard_normal()
        middle = middle_hz(trial["low"], trial["high"], self.scale) * 2 ** (off / 12)
        return float(np.clip(middle, *trial["slider"]))
