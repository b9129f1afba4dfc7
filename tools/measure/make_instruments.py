"""Make the bank of one-shots that the sampler of helpers.music plays; the same bytes each time.

`python3 -m tools.measure.make_instruments [FOLDER]`, then `python3 -m tools.measure.sums`. It needs
Debian's fluidsynth (2.3.1-2) and fluid-soundfont-gm (3.1-5.3); no learner needs to run it. Each
instrument has a note on every fifth semitone, without reverb and chorus, at 22 050 Hz: sample 0 is
the onset. data/tables/one_shots.csv says where each note lies, where its end goes on (its loop),
and how loud it is. tests/test_music.py makes some of them again and compares.
"""

import csv
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from helpers import audio
from tools.measure.make_clips import SOUND_FONT, midi, run

FONT_SHA256 = "74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0"
SR = 22050
LEVEL_DB, PEAK_DB = -20.0, -4.0  # RMS of the first half second, lower where a peak would pass -4
ONSET_DB = -50.0  # re the peak: the first sample above it is the onset
SEAM = 1024  # samples over which the end of a loop is faded into what comes before its start
INSTRUMENTS = {  # name: (program of General MIDI from 0, lowest and highest note, seconds kept)
    "piano": (0, 35, 90, 1.7),
    "guitar": (24, 40, 80, 1.5),
    "bass": (33, 30, 55, 1.2),
    "strings": (48, 40, 85, 1.2),
    "choir": (52, 40, 80, 1.2),
    "organ": (19, 35, 85, 0.9),
    "flute": (73, 60, 90, 1.1),
    "oboe": (68, 60, 90, 0.9),
    "clarinet": (71, 50, 85, 0.9),
    "trumpet": (56, 55, 85, 0.9),
}
RING = ("piano", "guitar", "bass")  # the others hold their notes
DRUMS = (36, 37, 38, 42, 45, 46, 47, 48, 49, 50, 51)  # notes of the drum channel
DRUM_SECONDS = 0.7


def note(pitch: int, *, program: int, seconds: float, drums: bool = False) -> np.ndarray:
    """Return one note from its onset on, as FluidSynth plays it at 44.1 kHz, at 22 050 Hz."""
    with tempfile.TemporaryDirectory() as folder:
        song, raw, config = Path(folder, "song.mid"), Path(folder, "song.raw"), Path(folder, "none")
        held = 2 * (seconds + 1)  # beats of half a second
        song.write_bytes(midi([(0, held, pitch, 100)], program=program, drums=drums))
        config.touch()  # an empty one, so that a person's own settings change nothing
        options = ["-n", "-i", "-q", "-f", config, "-C", "0", "-R", "0", "-g", "0.4"]
        options += ["-r", 2 * SR, "-T", "raw", "-O", "float", "-F", raw, SOUND_FONT, song]
        run("fluidsynth", *map(str, options))
        y = np.fromfile(raw, dtype="<f4").reshape(-1, 2).mean(axis=1)
    y = audio.resample(y.astype(np.float64), sr=2 * SR, to=SR)
    y -= y.mean()
    onset = np.flatnonzero(np.abs(y) > 10 ** (ONSET_DB / 20) * np.abs(y).max())[0]
    y = y[onset : onset + round(seconds * SR)]
    level = 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(y[: SR // 2] ** 2))
    ceiling = 10 ** (PEAK_DB / 20) / np.abs(y).max()
    return y * min(level, ceiling)


def looped(y: np.ndarray, *, rings: bool) -> tuple[np.ndarray, int, float, float]:
    """Return a note whose end leads back to `start`, that place, the gain of each round, and how
    alike (correlation) the two places were.
    """
    end = len(y)
    last = y[end - SEAM :]
    starts = np.arange(round(0.35 * SR), end - round(0.4 * SR))
    before = np.lib.stride_tricks.sliding_window_view(y, SEAM)[starts - SEAM]
    norms = np.sqrt((before**2).sum(axis=1) * (last**2).sum())
    alike = before @ last / np.maximum(norms, 1e-12)
    best = int(alike.argmax())
    start = int(starts[best])
    kept = y[start - SEAM : start]
    # what rings is softer in each round, as it has become by then; what is held stays as it is
    gain = min(1.0, float(np.sqrt((last**2).sum() / (kept**2).sum()))) if rings else 1.0
    fade = np.linspace(0, 1, SEAM)
    y = y.copy()
    y[end - SEAM :] = (1 - fade) * last + fade * gain * kept
    return y, start, gain, float(alike[best])


def attack_ms(y: np.ndarray) -> float:
    """Return when the RMS over 10 ms first reaches half of its largest value in 0.6 s [ms]."""
    power = np.convolve(y[: round(0.6 * SR)] ** 2, np.ones(220) / 220, mode="valid")
    return 1000 * float(np.flatnonzero(power >= 0.25 * power.max())[0]) / SR


def one_shots():
    """Yield (row without its place, sound) of each note of each instrument."""
    for name, (program, low, high, seconds) in INSTRUMENTS.items():
        for pitch in range(low, high + 1, 5):
            y = note(pitch, program=program, seconds=seconds)
            y, start, gain, alike = looped(y, rings=name in RING)
            row = {"instrument": name, "pitch": pitch, "loop": start, "gain": f"{gain:.4f}"}
            yield row | {"alike": f"{alike:.3f}"}, y
    for pitch in DRUMS:
        y = note(pitch, program=0, seconds=DRUM_SECONDS, drums=True)
        y[-SEAM:] *= np.linspace(1, 0, SEAM)
        yield {"instrument": "drums", "pitch": pitch, "loop": "", "gain": "", "alike": ""}, y


def main(argv: list[str] | None = None) -> int:
    """Write a file of sound for each instrument, and the table of all notes."""
    given = sys.argv[1:] if argv is None else argv
    folder = Path(given[0]) if given else audio.DATA
    if hashlib.sha256(SOUND_FONT.read_bytes()).hexdigest() != FONT_SHA256:
        sys.exit(f"{SOUND_FONT.name} is not that of Debian's fluid-soundfont-gm 3.1-5.3")
    (folder / "music").mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    rows, sounds = [], {}
    for row, y in one_shots():
        parts = sounds.setdefault(row["instrument"], [])
        start = sum(map(len, parts))
        parts.append(y)
        level = 10 * np.log10(np.mean(y[: SR // 2] ** 2))
        place = {"start": start, "stop": start + len(y)}
        measures = {"level_db": f"{level:.1f}", "attack_ms": f"{attack_ms(y):.0f}"}
        rows.append(row | place | measures)
    total = 0
    for name, parts in sounds.items():
        path = folder / f"music/{name}.flac"
        soundfile.write(path, np.concatenate(parts), SR, subtype="PCM_16")
        total += path.stat().st_size
        print(f"{name:9} {len(parts):3} notes {path.stat().st_size / 1000:6.0f} kB")
    with open(folder / "tables/one_shots.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} notes, {total / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
