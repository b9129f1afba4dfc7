"""Take a recording apart by masks: what sounds on and what is struck, and the tune.

The parts of a recording add up to it again, sample by sample.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from helpers import _checks, stft

N_FFT = 2048
HOP_LENGTH = 512


def hpss_masks(S: np.ndarray, *, length: int = 31) -> tuple[np.ndarray, np.ndarray]:
    """Return soft masks of what lies along time and what lies along frequency.

    Parameters
    ----------
    S : np.ndarray, shape (n_bins, n_frames)
        Magnitudes of an STFT.
    length : int
        Frames, and bins, over which the medians are taken.

    Returns
    -------
    harmonic, percussive : np.ndarray, shape (n_bins, n_frames)
        From 0 to 1, together 1; a half where nothing sounds.

    See Also
    --------
    librosa.decompose.hpss : The same with ``power=2``.

    References
    ----------
    D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx (2010).
    """
    along_time = ndimage.median_filter(S, size=(1, length), mode="reflect") ** 2
    along_frequency = ndimage.median_filter(S, size=(length, 1), mode="reflect") ** 2
    both = along_time + along_frequency
    harmonic = np.where(both > 0, along_time / np.where(both > 0, both, 1), 0.5)
    return harmonic, 1 - harmonic


def tune_mask(pitch: np.ndarray, *, sr: int, n_bins: int, cents: float = 0.0) -> np.ndarray:
    """Return a mask of the bins around the first twelve partials of a line.

    Parameters
    ----------
    pitch : np.ndarray, shape (n_frames,)
        MIDI number in each frame; NaN where there is none.
    sr : int
        Sampling rate [Hz].
    n_bins : int
        Bins of the STFT.
    cents : float
        How much too high the music is tuned [cents].

    Returns
    -------
    np.ndarray, shape (n_bins, n_frames)
        1 up to a bin and a half from a partial, else 0.
    """
    f0 = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
    bins = np.arange(n_bins)[:, None]
    mask = np.zeros((n_bins, len(pitch)))
    for k in range(1, 13):
        at = k * f0 * 2 * (n_bins - 1) / _checks.check_rate(sr)
        mask = np.maximum(mask, np.abs(bins - at) <= 1.5)
    return mask


def parts(y: np.ndarray, pitch: np.ndarray, *, sr: int, cents: float = 0.0) -> dict:
    """Return the tune, the drums and the rest of a recording.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    pitch : np.ndarray, shape (n_frames,)
        The line of the tune, as `melody_line` returns it; NaN where there is none.
    sr : int
        Sampling rate [Hz].
    cents : float
        How much too high the music is tuned [cents].

    Returns
    -------
    dict of str to np.ndarray, each of shape (n,)
        "melody", "accompaniment" and "drums"; their sum is `y`.
    """
    D = stft.stft(_checks.check(y), n_fft=N_FFT, hop_length=HOP_LENGTH)
    harmonic, percussive = hpss_masks(np.abs(D))
    tune = tune_mask(pitch, sr=sr, n_bins=len(D), cents=cents) * harmonic
    found = {}
    for name, mask in (("melody", tune), ("drums", percussive)):
        found[name] = stft.istft(mask * D, n_fft=N_FFT, hop_length=HOP_LENGTH, length=len(y))
    found["accompaniment"] = y - found["melody"] - found["drums"]
    return found
