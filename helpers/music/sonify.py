"""Hear what a program believes: clicks at times, and the twelve rows of a chroma as Shepard tones.

Row 0 of a chroma is C. Levels are those of one track; a player may raise them.
"""

from __future__ import annotations

import numpy as np

from helpers import _checks


def clicks(times, *, sr: int, seconds: float, freq: float = 1000.0) -> np.ndarray:
    """Return short clicks at given times.

    Parameters
    ----------
    times : array_like
        When they begin [s]; what lies beyond the end is left out.
    sr : int
        Sampling rate [Hz].
    seconds : float
        Length [s].
    freq : float
        Pitch of a click [Hz].

    Returns
    -------
    np.ndarray, shape (n,)
        A tone of 40 ms at each time, which dies away; peak -12 dBFS.

    Examples
    --------
    >>> y = clicks([0.5], sr=8000, seconds=1.0)
    >>> int(np.flatnonzero(np.abs(y) > 1e-3)[0]) in range(4000, 4004)
    True
    """
    times = _checks.check_range(times, name="times", low=0, high=1e6, unit="s")
    y = np.zeros(round(seconds * _checks.check_rate(sr)))
    t = np.arange(round(0.04 * sr)) / sr
    click = 0.26 * np.sin(2 * np.pi * freq * t) * np.exp(-t / 0.008)
    for first in np.round(np.atleast_1d(times) * sr).astype(int):
        if first < len(y):
            y[first : first + len(click)] += click[: len(y) - first]
    return y


def shepard(pitch_class: float, *, sr: int, seconds: float) -> np.ndarray:
    """Return a tone that has a pitch class and no octave.

    All octaves of one pitch sound at once under a bell over log frequency, so a step of twelve
    semitones changes nothing.

    Parameters
    ----------
    pitch_class : float
        0 for C to 11 for B; 12 is 0 again, and a fraction lies between.
    sr : int
        Sampling rate [Hz].
    seconds : float
        Length [s].

    Returns
    -------
    np.ndarray, shape (n,)
        The tone, -20 dBFS, without fades.

    Examples
    --------
    >>> a, b = (shepard(k, sr=22050, seconds=0.1) for k in (1, 13))
    >>> bool(np.array_equal(a, b))
    True
    """
    t = np.arange(round(seconds * _checks.check_rate(sr))) / sr
    y = np.zeros(len(t))
    for pitch in np.arange(pitch_class % 12, 128, 12):
        f = 440 * 2 ** ((pitch - 69) / 12)
        if 30 < f < 0.45 * sr:
            y += np.exp(-0.5 * ((pitch - 60) / 12) ** 2) * np.sin(2 * np.pi * f * t)
    return 0.1 * y / np.sqrt(np.mean(y**2))


def chroma_sound(C: np.ndarray, *, sr: int, hop_length: int) -> np.ndarray:
    """Return the sound of a chroma: each row rules the level of its Shepard tone.

    Parameters
    ----------
    C : np.ndarray, shape (12, n_frames)
        Power of each class in each frame, row 0 C.
    sr : int
        Sampling rate [Hz].
    hop_length : int
        Samples from frame to frame; the first is centred on sample 0.

    Returns
    -------
    np.ndarray, shape (n_frames * hop_length,)
        The sound at -23 dBFS; less where a peak would pass -6 dBFS.
    """
    C = _checks.check_numbers(C, name="C")
    if C.ndim != 2 or len(C) != 12 or not C.any() or C.min() < 0:
        raise ValueError(f"C has shape {C.shape}; pass power, (12, n_frames), not all zero")
    n = C.shape[1] * hop_length
    at = np.arange(n) / hop_length
    y = np.zeros(n)
    for k, row in enumerate(np.sqrt(C)):
        y += np.interp(at, np.arange(C.shape[1]), row) * shepard(k, sr=sr, seconds=n / sr)[:n]
    gain = 10 ** (-23 / 20) / np.sqrt(np.mean(y**2))
    return y * min(gain, 10 ** (-6 / 20) / np.abs(y).max())
