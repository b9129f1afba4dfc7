"""Make the spoken words of units 40 and 41 by four machine voices, the same bytes each time.

`python3 -m tools.measure.make_words [FOLDER]`, then `python3 -m tools.measure.sums`. It needs
Debian's flite; no learner needs to run it. The words lie one after the other: 240 digits at 8 kHz
in data/words/words.flac, commands and other words at 16 kHz in data/words/commands.flac; the tables
of these names say where each begins and ends, and who says it. data/words/talk.flac is a talk in
which "computer" is said three times, see data/tables/talk.csv. tests/test_unit40.py and
test_unit41.py make some of them again and compare.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from helpers import audio
from tools.measure.make_clips import run

LEVEL_DB, PEAK_DB = -26.0, -6.0  # RMS of each word, lower where its peak would pass PEAK_DB
GAP = 0.05  # [s] of nothing between two words
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
COMMANDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
OTHERS = ["house", "happy", "bird", "wow"]
NEW = ["lantern", "computer"]  # words that you teach: a dozen takes by two voices
TALK = (
    ("slt", "This morning I have written a letter to my sister, and I have not sent it yet."),
    ("rms", "Computer, read it to me."),
    ("awb", "She commutes to work in the capital, and her mother is a commentator."),
    ("slt", "A new pewter cup stood on the table beside the window."),
    ("awb", "Computer, how late is it?"),
    ("rms", "We had to compute the distance between two cities by hand, with paper and a ruler."),
    ("kal16", "The rain will come from the west in the afternoon, with a little wind."),
    ("slt", "Computer, close the window."),
    ("rms", "Tomorrow we may go to the sea together, if the weather is good."),
)
PITCH = {"awb": 130, "kal16": 105, "rms": 95, "slt": 175}  # [Hz] of each voice, about


def trimmed(y: np.ndarray, sr: int) -> np.ndarray:
    """Return a word cut where it is 2 % as loud as its peak, with 25 ms around it, at its level."""
    loud = np.flatnonzero(np.abs(y) > 0.02 * np.abs(y).max())
    y = np.pad(y[loud[0] : loud[-1] + 1], round(0.025 * sr))
    ramp = np.linspace(0, 1, round(0.01 * sr))  # the pad begins with nothing, so no click
    y[: len(ramp)] *= ramp
    y[-len(ramp) :] *= ramp[::-1]
    level = 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(y**2))
    ceiling = 10 ** (PEAK_DB / 20) / np.abs(y).max()
    return y * min(level, ceiling)


def speak(text: str, voice: str, stretch: float, pitch: int, *, to: int = 8000) -> np.ndarray:
    """Return what a voice says, at a sampling rate of `to`."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/word.wav"
        how = ["--setf", f"duration_stretch={stretch:.2f}"]
        how += ["--setf", f"int_f0_target_mean={pitch}"]
        run("flite", "-voice", voice, *how, "-t", text, "-o", path)
        y, sr = audio.load(path)
    return trimmed(audio.resample(y, sr=sr, to=to).astype(np.float64), to)


def taken(rng, words: list[str], voices, takes: int, sr: int):
    """Yield (row without its place, sound) of each word: takes differ in speed and pitch."""
    for voice in voices:
        for word in words:
            for take in range(takes):
                stretch = round(float(rng.uniform(0.75, 1.35)), 2)
                hz = round(PITCH[voice] * 2 ** rng.uniform(-0.3, 0.3))
                row = {"word": word, "voice": voice, "take": take, "stretch": stretch, "pitch": hz}
                yield row, speak(word, voice, stretch, hz, to=sr)


def digits():
    """Yield the words of unit 40."""
    yield from taken(np.random.default_rng(40), DIGITS, PITCH, 6, 8000)


def commands():
    """Yield the words of unit 41."""
    rng = np.random.default_rng(41)
    yield from taken(rng, COMMANDS + OTHERS, PITCH, 3, 16000)
    yield from taken(rng, NEW, ("rms", "slt"), 12, 16000)


def write(folder: Path, name: str, sr: int, items) -> None:
    """Write some sounds one after the other, and the table of where they lie."""
    rows = []
    parts = []
    end = 0
    for row, y in items:
        rows.append({"start": end, "stop": end + len(y)} | row)
        parts += [y, np.zeros(round(GAP * sr))]
        end += len(y) + round(GAP * sr)
    (folder / "words").mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"words/{name}.flac", np.concatenate(parts), sr, subtype="PCM_16")
    with open(folder / f"tables/{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} pieces, {end / sr:.0f} s")


def talk():
    """Yield the sentences of the talk."""
    for voice, text in TALK:
        yield {"voice": voice, "text": text}, speak(text, voice, 1.0, PITCH[voice], to=16000)


def main(argv: list[str] | None = None) -> int:
    """Write the sounds and the tables."""
    given = sys.argv[1:] if argv is None else argv
    folder = Path(given[0]) if given else audio.DATA
    write(folder, "words", 8000, digits())
    write(folder, "commands", 16000, commands())
    write(folder, "talk", 16000, talk())
    return 0


if __name__ == "__main__":
    sys.exit(main())
