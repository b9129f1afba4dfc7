"""What the transcriber of spoken digits learns from: single digits of people and of machine voices,
and strings of them that one voice says, with pauses, noise, other speeds and levels.
"""

import io
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from helpers import audio
from tools.training.keyword_sounds import part_of, read_rows

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SR = 8000
LEVEL = 0.05  # root mean square of a clip, -26 dBFS
HELD_OUT_VOICE = "slt"  # no training hears it; the notebook does
FLITE = {"awb": 130, "kal16": 105, "rms": 95}  # [Hz] of each voice, about
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-029")
SHARES = {"commands": 0.5, "flite": 0.22, "espeak": 0.28}  # of the strings
VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5", "croak")


@dataclass
class Clip:
    """One spoken digit at 8 kHz."""

    y: np.ndarray
    digit: int
    voice: str  # a person, or a voice of a machine
    kind: str  # commands (people, few takes), flite, espeak, or digits (people, for tests alone)
    part: str  # train or heldout


# ---- people --------------------------------------------------------------------------------------


def trim(y: np.ndarray) -> np.ndarray:
    """Cut a clip where its frames of 10 ms are 35 dB below the loud ones, with 30 ms around it."""
    frames = y[: len(y) // 80 * 80].reshape(-1, 80)
    level = np.sqrt((frames**2).mean(axis=1)) + 1e-9
    loud = np.flatnonzero(level > np.percentile(level, 95) * 10 ** (-35 / 20))
    return y[max(0, loud[0] * 80 - 240) : loud[-1] * 80 + 320]


def prepared(y: np.ndarray, sr: int) -> np.ndarray:
    """Return a clip at 8 kHz, without its mean, trimmed, at the common level."""
    y = audio.resample(y, sr=sr, to=SR).astype(np.float32)
    y = trim(y - y.mean())
    return (y * (LEVEL / np.sqrt((y**2).mean()))).astype(np.float32)


def people(corpus) -> list[Clip]:
    """Return every digit that people say in ``tasks``."""
    folder = Path(corpus) / "tasks"
    rows = read_rows(folder / "manifest.csv")
    found = []
    for row in rows:
        name = Path(row["file"]).name
        word = name.split("_")[0]
        who = row["speaker"]
        if row["set"] == "digits":
            digit = int(row["label"])
            part = "heldout"  # share-alike: these people test the network, it never learns of them
        elif row["label"] == "_unknown_" and word in WORDS:
            digit = WORDS.index(word)
            who = name.split("_")[1]  # the table holds the word here in place of the person
            part = "train" if part_of(who) == "train" else "heldout"
        else:
            continue
        y, sr = soundfile.read(folder / row["file"], dtype="float32")
        found.append(Clip(prepared(y, sr), digit, who, row["set"], part))
    return found


# ---- machine voices ------------------------------------------------------------------------------


def flite(word: str, voice: str, rng) -> np.ndarray:
    """Return a word by flite, at some speed and pitch."""
    pitch = round(FLITE[voice] * 2 ** rng.uniform(-0.4, 0.4))
    how = [f"duration_stretch={rng.uniform(0.7, 1.4):.2f}", f"int_f0_target_mean={pitch}"]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/word.wav"
        said = ["-t", word, "-o", path]
        subprocess.run(
            ["flite", "-voice", voice, "--setf", how[0], "--setf", how[1], *said], check=True
        )
        y, sr = soundfile.read(path, dtype="float32")
    return prepared(y, sr)


def espeak(word: str, voice: str, rng) -> np.ndarray:
    """Return a word by espeak-ng, at some speed and pitch."""
    how = ["-s", str(rng.integers(120, 210)), "-p", str(rng.integers(15, 85))]
    said = ["espeak-ng", "-v", voice, *how, "--stdout", word]
    raw = subprocess.run(said, check=True, capture_output=True).stdout
    y, sr = soundfile.read(io.BytesIO(raw), dtype="float32")
    return prepared(y, sr)


def machines(*, seed: int = 42) -> list[Clip]:
    """Return 30 takes of each word by three voices of flite, and each by 78 of espeak-ng."""
    rng = np.random.default_rng(seed)
    found = []
    for digit, word in enumerate(WORDS):
        for voice in FLITE:
            for _ in range(30):
                found.append(Clip(flite(word, voice, rng), digit, voice, "flite", "train"))
    voices = [f"{accent}+{variant}" for accent in ACCENTS for variant in VARIANTS]
    for voice in voices:
        for digit, word in enumerate(WORDS):
            found.append(Clip(espeak(word, voice, rng), digit, voice, "espeak", "train"))
    return found


def all_clips(corpus, cache: Path) -> list[Clip]:
    """Return the clips of people and machines, from the file of an earlier call if it is there."""
    if not cache.is_file():
        clips = people(corpus) + machines()
        starts = np.cumsum([0] + [len(c.y) for c in clips])
        about = np.array([(str(c.digit), c.voice, c.kind, c.part) for c in clips])
        y = np.concatenate([c.y for c in clips]).astype(np.float16)
        np.savez(cache, y=y, starts=starts, about=about)
    with np.load(cache) as held:
        y, starts, about = held["y"].astype(np.float32), held["starts"], held["about"].tolist()
    return [
        Clip(y[a:b], int(digit), voice, kind, part)
        for a, b, (digit, voice, kind, part) in zip(starts[:-1], starts[1:], about, strict=True)
    ]


# ---- strings -------------------------------------------------------------------------------------


def joined(clips: list[np.ndarray], gaps, *, lead: float = 0.05) -> np.ndarray:
    """Return clips one after the other; a gap [s] below zero lets two overlap."""
    at = round(lead * SR)
    places = []
    for y, gap in zip(clips, gaps, strict=True):
        places.append(at)
        at = max(at + len(y) + round(gap * SR), 0)
    out = np.zeros(max(p + len(y) for p, y in zip(places, clips, strict=True)) + 400, np.float32)
    for place, y in zip(places, clips, strict=True):
        out[place : place + len(y)] += y
    return out


class Strings:
    """Strings of digits, each said by one voice, drawn at random; SHARES says by which voices."""

    def __init__(self, clips: list[Clip], *, part: str = "train", seed: int = 1):
        self.rng = np.random.default_rng(seed)
        self.groups = {kind: {} for kind in SHARES}
        for clip in clips:
            if clip.part == part:
                # a person of the commands says one digit or two: these count as one voice together
                voice = "all" if clip.kind == "commands" else clip.voice
                self.groups[clip.kind].setdefault(voice, []).append(clip)

    def draw(self, length: int) -> tuple[np.ndarray, list[int]]:
        """Return a string of this length as sound and as digits."""
        rng = self.rng
        kind = rng.choice(list(SHARES), p=list(SHARES.values()))
        voices = self.groups[kind]
        pool = voices[list(voices)[rng.integers(len(voices))]]
        chosen = [pool[rng.integers(len(pool))] for _ in range(length)]
        rate = rng.uniform(0.8, 1.25)
        sounds = [faster(c.y, rate * rng.uniform(0.95, 1.05)) for c in chosen]
        sounds = [y * 10 ** (rng.uniform(-3, 3) / 20) for y in sounds]
        slow = rng.uniform(0.02, 0.3)
        gaps = rng.uniform(-0.03, slow, length)
        y = joined(sounds, gaps, lead=rng.uniform(0.0, 0.3))
        y = np.pad(y, (0, int(rng.uniform(0, 0.25) * SR)))
        return self.spoiled(y), [c.digit for c in chosen]

    def spoiled(self, y: np.ndarray) -> np.ndarray:
        """Add coloured noise at 8 to 45 dB, tilt the spectrum a little, and change the level."""
        rng = self.rng
        noise = rng.standard_normal(len(y)).astype(np.float32)
        if rng.random() < 0.5:
            noise[1:] += rng.uniform(0.5, 0.95) * noise[:-1]
        noise *= LEVEL * 10 ** (-rng.uniform(8, 45) / 20) / noise.std()
        y = y + noise
        tilt = rng.uniform(-0.5, 0.5)
        y[1:] = y[1:] + tilt * y[:-1]
        return (y * 10 ** (rng.uniform(-12, 6) / 20)).astype(np.float32)

    def batch(self, count: int, most: int) -> tuple[list[np.ndarray], list[list[int]]]:
        """Return strings of one length, at most `most` digits, and what they say; equally long
        ones need little padding.
        """
        length = int(self.rng.integers(1, most + 1))
        pairs = [self.draw(length) for _ in range(count)]
        return [y for y, _ in pairs], [digits for _, digits in pairs]


def faster(y: np.ndarray, rate: float) -> np.ndarray:
    """Return a sound played this many times as fast, by straight lines between samples."""
    return np.interp(np.arange(0, len(y) - 1, rate), np.arange(len(y)), y).astype(np.float32)
