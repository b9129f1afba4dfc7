"""The tune of a piece: how much a pitch stands out with its partials, and the likeliest line.

The line is that of the strongest pitch above middle C, whoever plays it.
"""

from __future__ import annotations

import numpy as np

from helpers import _checks, stft
from helpers.music.harmony import viterbi

N_FFT = 2048
HOP_LENGTH = 512
PITCHES = np.arange(60, 92, 1 / 3)  # MIDI numbers: C4 to G6


def salience(
    S: np.ndarray, *, sr: int, cents: float = 0.0, partials: int = 8, fall: float = 0.7
) -> np.ndarray:
    """Return how much each pitch stands out: its partials added, each weighing less than the last.

    Parameters
    ----------
    S : np.ndarray, shape (n_bins, n_frames)
        Magnitudes of an STFT.
    sr : int
        Sampling rate [Hz].
    cents : float
        How much too high the music is tuned [cents].
    partials : int
        How many are added.
    fall : float
        Weight of a partial beside the one before.

    Returns
    -------
    np.ndarray, shape (96, n_frames)
        A row for each of `PITCHES`, in thirds of a semitone.
    """
    last = S.shape[0] - 1
    f0 = 440 * 2 ** ((PITCHES - 69 + cents / 100) / 12)
    out = np.zeros((len(PITCHES), S.shape[1]))
    for k in range(1, partials + 1):
        at = k * f0 * 2 * last / _checks.check_rate(sr)  # in bins
        low = np.minimum(at.astype(int), last - 1)
        part = np.clip(at - low, 0, 1)[:, None]
        here = (1 - part) * S[low] + part * S[low + 1]
        out += np.where(at[:, None] < last, fall ** (k - 1) * here, 0)
    return out


def melody_line(
    y: np.ndarray, *, sr: int, cents: float = 0.0, jump: float = 0.15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the likeliest line of pitches.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    cents : float
        How much too high the music is tuned [cents].
    jump : float
        What a step of a semitone costs, where the salience of the strongest pitch of a frame
        counts 10; nothing costs more than an octave.

    Returns
    -------
    times : np.ndarray, shape (n_frames,)
        Of the frames [s].
    pitch : np.ndarray, shape (n_frames,)
        MIDI numbers, in thirds of a semitone.
    strength : np.ndarray, shape (n_frames,)
        The salience of that pitch, the largest 1.
    """
    S = np.abs(stft.stft(_checks.check(y), n_fft=N_FFT, hop_length=HOP_LENGTH))
    Z = salience(S, sr=sr, cents=cents)
    top = np.maximum(Z.max(axis=0), 1e-9)
    cost = jump * np.minimum(np.abs(np.subtract.outer(PITCHES, PITCHES)), 12)
    line = viterbi(10 * Z / top, -cost)
    strength = Z[line, np.arange(Z.shape[1])]
    times = np.arange(Z.shape[1]) * HOP_LENGTH / sr
    return times, PITCHES[line], strength / max(strength.max(), 1e-9)


def melody_notes(
    times: np.ndarray, pitch: np.ndarray, strength: np.ndarray, edges, *, least: float = 0.1
) -> list[tuple[float, float, int]]:
    """Return the notes of a line on a grid; equal neighbours become one note.

    Parameters
    ----------
    times, pitch, strength : np.ndarray, shape (n_frames,)
        As `melody_line` returns them.
    edges : array_like
        Times [s] between which there is one note or none: beats and their middles, for example.
    least : float
        Median strength below which there is none.

    Returns
    -------
    list of (float, float, int)
        Start [s], end [s] and MIDI number of each note.

    Examples
    --------
    >>> t = np.arange(40) / 20
    >>> melody_notes(t, np.where(t < 1, 60, 64), np.where(t < 1.5, 1.0, 0.0), [0, 0.5, 1, 1.5, 2])
    [(0.0, 1.0, 60), (1.0, 1.5, 64)]
    """
    notes = []
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        inside = (times >= start) & (times < end)
        if not inside.any() or np.median(strength[inside]) < least:
            continue
        note = round(float(np.median(pitch[inside])))
        if notes and notes[-1][1] == start and notes[-1][2] == note:
            notes[-1] = (notes[-1][0], float(end), note)
        else:
            notes.append((float(start), float(end), note))
    return notes
