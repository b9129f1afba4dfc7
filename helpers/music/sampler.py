"""Play scores, from the shipped one-shots or from sums of sines.

A note's first sample lies at its onset, rounded to the next sample. What no instrument reaches, and
names of no instrument, are refused.
"""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import soundfile

from helpers import _checks, audio
from helpers.music import synth
from helpers.music.scores import Score

SR = 22050  # rate of the one-shots [Hz]
RELEASE = 0.09  # [s] from the end of a note to silence
REACH = 7  # semitones below its lowest and above its highest one-shot that an instrument may play


@cache
def _bank() -> dict:
    """Return (samples, place of the loop, gain of each round) by instrument and note."""
    sounds = {}
    found = {}
    for row in audio.table("one_shots"):
        name = row["instrument"]
        if name not in sounds:
            raw = _checks.read_verified(_checks.DATA / "music" / f"{name}.flac")
            sounds[name] = soundfile.read(io.BytesIO(raw))[0]
        y = sounds[name][int(row["start"]) : int(row["stop"])]
        loop = (int(row["loop"]), float(row["gain"])) if row["loop"] else None
        found.setdefault(name, {})[int(row["pitch"])] = (y, loop)
    return found


def instruments() -> list[str]:
    """Return the names of the shipped instruments.

    Examples
    --------
    >>> "clarinet" in instruments()
    True
    """
    return sorted(_bank())


def one_shot(instrument: str, pitch: float, *, seconds: float = 1.0) -> np.ndarray:
    """Return one note of an instrument, struck at sample 0 and held.

    Between the recorded notes, one on every fifth semitone, the nearest is played faster or slower;
    beyond its end it goes on in a loop.

    Parameters
    ----------
    instrument : str
        One of `instruments()`.
    pitch : float
        MIDI number, 60 for C4; a fraction detunes. For drums the number of a drum.
    seconds : float
        How long the note is held; it fades over the last 90 ms.

    Returns
    -------
    np.ndarray, shape (n,)
        Samples at 22 050 Hz, at about -20 dBFS.
    """
    known = _bank()[_checks.check_name(instrument, instruments(), what="instrument")]
    near = min(known, key=lambda recorded: abs(recorded - pitch))
    y, loop = known[near]
    if loop is None:
        if near != pitch:
            raise ValueError(f"there is no drum {pitch}; choose from {sorted(known)}")
        return y.copy()
    if abs(near - pitch) > REACH:
        low, high = min(known) - REACH, max(known) + REACH
        raise ValueError(f"{instrument} plays from {low} to {high}, not {pitch}; transpose it")
    n = round(_checks.check_positive(seconds, name="seconds") * SR)
    at = np.arange(n) * 2 ** ((pitch - near) / 12)
    z = _read(y, loop, at)
    z[-_release(n) :] *= np.linspace(1, 0, _release(n))
    return z


def _release(n: int) -> int:
    """Return over how many samples a note of n samples fades."""
    return min(n, round(RELEASE * SR))


def _read(y: np.ndarray, loop: tuple, at: np.ndarray) -> np.ndarray:
    """Return the note at places between its samples, by a cubic through the four nearest."""
    start, gain = loop
    need = int(at[-1]) + 3
    rounds = max(0, -(-(need - len(y)) // (len(y) - start)))
    ends = [y[start:] * gain ** (k + 1) for k in range(rounds)]
    y = np.concatenate([[0.0], y, *ends, [0.0, 0.0]])  # one place further on: y[-1] is there too
    k = at.astype(int)
    u = at - k
    before, here, after, later = y[k], y[k + 1], y[k + 2], y[k + 3]
    slope = (after - before) / 2
    bend = before - 2.5 * here + 2 * after - later / 2
    twist = 1.5 * (here - after) + (later - before) / 2
    return here + u * (slope + u * (bend + u * twist))


def play(
    score: Score,
    *,
    sr: int = SR,
    synthetic: bool = False,
    cents: float = 0.0,
    level_db: float | None = -23.0,
) -> np.ndarray:
    """Play a score.

    Parameters
    ----------
    score : Score
        A `piece`, a `random_song`, or one of your own.
    sr : int
        Sampling rate [Hz]. At 22 050 Hz each onset is exact to a sample.
    synthetic : bool
        Sums of sines and noise play it in place of the one-shots: another source, for tests of what
        was fitted to the first.
    cents : float
        How much too high all instruments but drums are tuned [cents].
    level_db : float or None
        RMS [dBFS]; less where the peak would pass -6 dBFS. None: as the parts add up.

    Returns
    -------
    np.ndarray, shape (n,)
        The sound, one second longer than the score. Velocity changes the level only.
    """
    y = np.zeros(round((score.seconds(score.length) + 1.0) * SR))
    rng = np.random.default_rng(0)
    for part in score.parts:
        tuned = 0.0 if part.instrument == "drums" else cents / 100
        made = {}
        for start, beats, pitch, velocity in part.notes:
            onset = score.seconds(start)
            seconds = score.seconds(start + beats) - onset + RELEASE
            key = (pitch, round(seconds * SR))
            if key not in made:
                source = synth.note if synthetic else one_shot
                more = {"rng": rng} if synthetic else {}
                made[key] = source(part.instrument, pitch + tuned, seconds=seconds, **more)
            first = round(onset * SR)
            z = made[key][: len(y) - first]
            y[first : first + len(z)] += z * (velocity / 100) ** 1.6 * 10 ** (part.gain_db / 20)
    if level_db is not None:
        gain = 10 ** (level_db / 20) / np.sqrt(np.mean(y**2))
        y *= min(gain, 10 ** (-6 / 20) / np.abs(y).max())
    return y if sr == SR else audio.resample(y, sr=SR, to=sr)
