"""Make the spoken digits of unit 40: 240 words of four machine voices, the same bytes each time.

`python3 -m tools.measure.make_words [FOLDER]`, then `python3 -m tools.measure.sums`. It needs
Debian's flite; no learner needs to run it. The words lie one after the other in
data/words/words.flac (8 kHz, 16 bits), and data/tables/words.csv says where each begins and ends,
and who says it. tests/test_unit40.py makes some of them again and compares.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from helpers import audio
from tools.measure.make_clips import run

SR = 8000
LEVEL_DB, PEAK_DB = -26.0, -6.0  # RMS of each word, lower where its peak would pass PEAK_DB
TAKES = 6
GAP = 0.05  # [s] of nothing between two words
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PITCH = {"awb": 130, "kal16": 105, "rms": 95, "slt": 175}  # [Hz] of each voice, about


def speak(word: str, voice: str, stretch: float, pitch: int, sr: int = SR) -> np.ndarray:
    """Return what is said, cut where it is 2 % as loud as its peak, with 25 ms around it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/word.wav"
        how = ["--setf", f"duration_stretch={stretch:.2f}"]
        how += ["--setf", f"int_f0_target_mean={pitch}"]
        run("flite", "-voice", voice, *how, "-t", word, "-o", path)
        y, rate = audio.load(path)
    y = audio.resample(y, sr=rate, to=sr).astype(np.float64)
    loud = np.flatnonzero(np.abs(y) > 0.02 * np.abs(y).max())
    y = np.pad(y[loud[0] : loud[-1] + 1], round(0.025 * sr))
    ramp = np.linspace(0, 1, round(0.01 * sr))  # the pad begins with nothing, so no click
    y[: len(ramp)] *= ramp
    y[-len(ramp) :] *= ramp[::-1]
    level = 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(y**2))
    ceiling = 10 ** (PEAK_DB / 20) / np.abs(y).max()
    return y * min(level, ceiling)


def words():
    """Yield (row without its place, sound) of each word: takes differ in speed and pitch."""
    rng = np.random.default_rng(40)
    for voice, pitch in PITCH.items():
        for word in WORDS:
            for take in range(TAKES):
                stretch = round(float(rng.uniform(0.75, 1.35)), 2)
                hz = round(pitch * 2 ** rng.uniform(-0.3, 0.3))
                row = {"word": word, "voice": voice, "take": take, "stretch": stretch, "pitch": hz}
                yield row, speak(word, voice, stretch, hz)


def main(argv: list[str] | None = None) -> int:
    """Write the sound and the table."""
    given = sys.argv[1:] if argv is None else argv
    folder = Path(given[0]) if given else audio.DATA
    rows = []
    parts = []
    end = 0
    for row, y in words():
        rows.append({"start": end, "stop": end + len(y)} | row)
        parts += [y, np.zeros(round(GAP * SR))]
        end += len(y) + round(GAP * SR)
    (folder / "words").mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "words/words.flac", np.concatenate(parts), SR, subtype="PCM_16")
    with open(folder / "tables/words.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} words, {end / SR:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
