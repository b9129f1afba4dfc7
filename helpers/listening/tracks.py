"""What player and blind test check before they play sounds: names, rates, levels that are safe."""

import math
from collections.abc import Mapping

import numpy as np

from helpers import audio, loudness, metrics
from helpers._checks import is_number
from helpers._frontend import minus

CEILING_DB = -1.0  # highest peak unless an author says otherwise [dBFS]
LOUDEST_DB = -12.0  # highest RMS level of any 400 ms unless an author says otherwise [dBFS]
BROWSER_RATES = (3_000, 384_000)  # what Chromium's AudioContext accepts [Hz]
MOST_SECONDS = 600.0  # of all tracks together: they travel to the browser as float32
MOST_TRACKS = 9  # one digit key each


def playable_rate(sr: int) -> int:
    """Return a sampling rate that browsers can play [Hz]."""
    sr = audio.check_rate(sr)
    low, high = BROWSER_RATES
    if not low <= sr <= high:
        raise ValueError(
            f"sr={sr} cannot be played: browsers accept {low} to {high} Hz; use audio.resample "
            "first"
        )
    return sr


def decibels(value: float, name: str) -> float:
    """Return a finite number of decibels."""
    if not is_number(value) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} must be a finite number of decibels")
    return float(value)


def checked(tracks: Mapping[str, np.ndarray], sr: int) -> dict[str, np.ndarray]:
    """Return the tracks as float arrays under distinct names."""
    if not isinstance(tracks, Mapping) or not 1 <= len(tracks) <= MOST_TRACKS:
        got = f"{len(tracks)} tracks" if isinstance(tracks, Mapping) else type(tracks).__name__
        raise ValueError(
            f'tracks must be a dict of 1 to {MOST_TRACKS} signals, such as {{"name": y}}; got {got}'
        )
    sounds = {}
    for name, y in tracks.items():
        label = name.strip() if isinstance(name, str) else ""
        if not label or label in sounds:
            fault = "used twice" if label else "empty or no text"
            raise ValueError(f"track name {name!r} is {fault}; give each track a name of its own")
        if isinstance(y, tuple):
            raise ValueError(
                f"track {label!r} is a pair, such as (y, sr); pass y alone, at sr={sr}"
            )
        y = audio.check(y, name=f"track {label!r}")
        if y.ndim == 2 and y.shape[0] > 2:
            raise ValueError(
                f"track {label!r} has {y.shape[0]} channels; pass mono (n,) or stereo (2, n)"
            )
        sounds[label] = y
    seconds = sum(y.shape[-1] for y in sounds.values()) / sr
    if seconds > MOST_SECONDS:
        raise ValueError(
            f"the tracks last {seconds:.0f} s together, over {MOST_SECONDS:.0f} s; cut out what "
            "matters"
        )
    return sounds


def matching(sounds: dict[str, np.ndarray], sr: int, match: str | None) -> dict[str, float]:
    """Return by how many dB each track is moved to match the quietest."""
    if match is None:
        return dict.fromkeys(sounds, 0.0)
    if match not in ("rms", "loudness"):
        raise ValueError(f'match={match!r} must be None, "rms" or "loudness"')
    levels = {}
    for name, y in sounds.items():
        if not np.any(y):
            raise ValueError(
                f"track {name!r} is silent, so nothing can be matched to it; leave it out or "
                "match=None"
            )
        if match == "rms":
            levels[name] = float(metrics.level_db(np.ravel(y)))
        elif y.shape[-1] >= 0.4 * sr:  # one block of BS.1770
            levels[name] = float(loudness.integrated_loudness(y, sr=sr))
        else:
            levels[name] = -math.inf
        if not math.isfinite(levels[name]):
            raise ValueError(
                f'track {name!r} is too quiet or too short for a loudness in LUFS; use match="rms"'
            )
    quietest = min(levels.values())
    return {name: quietest - level for name, level in levels.items()}


def scaled(y: np.ndarray, db: float) -> np.ndarray:
    """Return `y` as float32, moved by `db`."""
    return y.astype(np.float32) if db == 0 else (y * 10 ** (db / 20)).astype(np.float32)


def _loudest_db(y: np.ndarray, sr: int) -> float:
    """Return the RMS level of the loudest 400 ms of the loudest channel [dBFS]."""
    width = round(0.4 * sr)
    # sums of squares up to each sample: their differences are sums over windows
    power = np.square(np.atleast_2d(y), dtype=np.float64).cumsum(axis=-1)
    if power.shape[-1] <= width:  # a shorter one counts as a whole
        energy = power.max()
    else:
        power = np.pad(power, [(0, 0), (width, 0)])
        energy = (power[:, width:] - power[:, :-width]).max()
    return 10 * math.log10(max(energy / width, 1e-30))


def refuse_loud(
    sounds: dict[str, np.ndarray],
    sr: int,
    ceiling_db: float,
    guarded: bool,
    gain_db: float,
    *,
    advice: str = "",
) -> None:
    """Raise if a track is over the ceiling or, when guarded, too loud; the remedy makes all of them
    fit.

    `advice` ends the message about a guarded track.
    """
    peaks = {name: float(metrics.peak_db(np.ravel(y))) - ceiling_db for name, y in sounds.items()}
    loud = {name: _loudest_db(y, sr) - LOUDEST_DB for name, y in sounds.items()} if guarded else {}
    excess = max([*peaks.values(), *loud.values()])
    if excess <= 1e-4:  # float32 rounding
        return
    lower = math.floor(10 * (gain_db - excess)) / 10
    remedy = f"pass gain_db={lower:.1f} to lower all tracks"
    name = max(peaks, key=peaks.get)
    if peaks[name] > 1e-4:
        peak = peaks[name] + ceiling_db
        over = f"peaks at {peak:.1f} dBFS, over the ceiling of {ceiling_db:.1f} dBFS"
    else:
        name = max(loud, key=loud.get)
        level = loud[name] + LOUDEST_DB
        limit = f"the {LOUDEST_DB:.1f} that are kind to ears"
        over = f"has 400 ms at {level:.1f} dBFS RMS, over {limit}"
        remedy += advice
    raise ValueError(f"track {name!r} {over}; {remedy}")


def level_notes(
    sounds: dict, sr: int, moves: dict[str, float], match: str | None, gain_db: float
) -> list[str]:
    """Return what was done to the tracks, in words."""
    notes = []
    if match:
        by = {"rms": "RMS level", "loudness": "loudness (LUFS)"}[match]
        parts = [f"{name} by {round(db, 1) + 0:.1f} dB" for name, db in moves.items()]
        parts[0] = parts[0].replace(" by ", " moved by ", 1)
        notes.append(f"Matched by {by} to the quietest track: {', '.join(parts)}.")
    if gain_db:
        notes.append(f"All tracks moved by {gain_db:+.1f} dB.")
    ends = {name: y.shape[-1] / sr for name, y in sounds.items()}
    early = [f"{name} at {end:.2f} s" for name, end in ends.items() if end < max(ends.values())]
    if early:
        notes.append(
            f"The tracks differ in length; silence follows where one ends: {', '.join(early)}."
        )
    return [minus(note) for note in notes]
