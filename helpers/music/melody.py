"""The tune of a piece: how much a pitch stands out with its partials, and the likeliest line.

The line is that of the strongest pitch above middle C, whoever plays it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers import _checks, stft
from helpers.music.harmony import viterbi

N_FFT = 4096
HOP_LENGTH = 512
PITCHES = np.arange(60, 91, 0.2)  # MIDI numbers: C4 to G6, five a semitone
FLOOR_DB = -30.0  # of a frame, beside the loudest one: below it there is no tune


def harmonic_sum(
    S: np.ndarray, pitches: np.ndarray, *, sr: int, partials: int = 6, weight: float = 0.6
) -> np.ndarray:
    """Return how much each pitch stands out: its partials added, each weighing less than the last.

    Parameters
    ----------
    S : np.ndarray, shape (n_bins, n_frames)
        Magnitudes of an STFT, or a root of them.
    pitches : np.ndarray, shape (n_pitches,)
        MIDI numbers; partials above half the sampling rate are left out.
    sr : int
        Sampling rate [Hz].
    partials : int
        How many are added.
    weight : float
        Of a partial beside the one before.

    Returns
    -------
    np.ndarray, shape (n_pitches, n_frames)
        The salience.

    See Also
    --------
    librosa.f0_harmonics : The partials, one by one.
    """
    last = len(S) - 1
    f0 = 440 * 2 ** ((np.asarray(pitches) - 69) / 12)
    Z = np.zeros((len(f0), S.shape[1]))
    for h in range(1, partials + 1):
        place = h * f0 * 2 * last / _checks.check_rate(sr)  # in bins
        known = place < last
        low = place[known].astype(int)
        rest = (place[known] - low)[:, None]
        Z[known] += weight ** (h - 1) * ((1 - rest) * S[low] + rest * S[low + 1])
    return Z


def track(Z: np.ndarray, *, step: float, toll: float = 0.1) -> np.ndarray:
    """Return one row of a salience a frame: the best path.

    Parameters
    ----------
    Z : np.ndarray, shape (n_pitches, n_frames)
        A salience.
    step : float
        From row to row [semitones].
    toll : float
        What a semitone costs, where the largest salience counts 1.

    Returns
    -------
    np.ndarray of int, shape (n_frames,)
        Rows.
    """
    rows = np.arange(len(Z))
    jumps = toll * step * np.abs(rows[:, None] - rows)
    return viterbi(Z / max(Z.max(), 1e-12), -jumps)


def melody_line(
    y: np.ndarray, *, sr: int, cents: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pitch of the tune: the best path through a salience, from C4 up.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    cents : float
        How much too high the music is tuned [cents].

    Returns
    -------
    times : np.ndarray, shape (n_frames,)
        Of the frames [s].
    pitch : np.ndarray, shape (n_frames,)
        MIDI numbers; NaN where a frame is 30 dB below the loudest one.
    """
    S = np.abs(stft.stft(_checks.check(y), n_fft=N_FFT, hop_length=HOP_LENGTH))
    Z = harmonic_sum(np.sqrt(S), PITCHES + cents / 100, sr=sr)
    pitch = PITCHES[track(Z, step=0.2)]
    level = np.sqrt(np.mean(S**2, axis=0))
    loud = level > 10 ** (FLOOR_DB / 20) * level.max()
    times = np.arange(len(pitch)) * HOP_LENGTH / sr
    return times, np.where(loud, pitch, np.nan)


def melody_notes(times: np.ndarray, pitch: np.ndarray, edges) -> list[tuple[float, float, int]]:
    """Return the notes of a line on a grid; equal neighbours become one note.

    Parameters
    ----------
    times, pitch : np.ndarray, shape (n_frames,)
        As `melody_line` returns them.
    edges : array_like
        Times [s] between which there is one note, or none where most of the line is NaN: beats and
        their middles, for example.

    Returns
    -------
    list of (float, float, int)
        Start [s], end [s] and MIDI number of each note.

    Examples
    --------
    >>> t = np.arange(40) / 20
    >>> line = np.where(t < 1, 60.0, np.where(t < 1.5, 64.0, np.nan))
    >>> melody_notes(t, line, [0, 0.5, 1, 1.5, 2])
    [(0.0, 1.0, 60), (1.0, 1.5, 64)]
    """
    notes = []
    for start, end in pairwise(edges):
        inside = pitch[(times >= start) & (times < end)]
        if not len(inside) or np.mean(np.isnan(inside)) > 0.5:
            continue
        note = round(float(np.nanmedian(inside)))
        if notes and notes[-1][1] == start and notes[-1][2] == note:
            notes[-1] = (notes[-1][0], float(end), note)
        else:
            notes.append((float(start), float(end), note))
    return notes
