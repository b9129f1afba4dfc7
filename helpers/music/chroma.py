"""Pitch classes: which of the twelve names a frequency has, and how much of each is in a sound.

Class 0 is C, class 9 is A; A4 is 440 Hz, or a few cents more.
"""

from __future__ import annotations

import numpy as np

from helpers import _checks, stft

PEAKS_HZ = (100.0, 2000.0)  # where `estimate_tuning` looks for partials


def pitch_class(freqs, *, cents: float = 0.0) -> np.ndarray:
    """Return the pitch class of frequencies: the nearest semitone, its octave forgotten.

    Parameters
    ----------
    freqs : float or array_like
        Frequencies [Hz], above 0.
    cents : float
        How much too high the music is tuned [cents].

    Returns
    -------
    int or np.ndarray of int
        0 for C to 11 for B.

    Examples
    --------
    >>> pitch_class([440.0, 220.0, 261.6]).tolist()
    [9, 9, 0]
    """
    freqs = _checks.check_range(freqs, name="freqs", low=1e-3, high=1e6, unit="Hz")
    return np.round(12 * np.log2(freqs / 440) + 69 - cents / 100).astype(int) % 12


def chroma(
    y: np.ndarray, *, sr: int, n_fft: int = 4096, hop_length: int = 2048, cents: float = 0.0
) -> np.ndarray:
    """Return how much power each pitch class has in each frame.

    Every bin of the STFT gives its power to the nearest semitone, from 8.2 Hz (MIDI number 0) on,
    and semitones an octave apart are added.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    n_fft, hop_length : int
        Frame and hop [samples]. Neighbouring semitones fall into different bins from about
        ``17 * sr / n_fft`` hertz on.
    cents : float
        How much too high the music is tuned [cents], as `estimate_tuning` says.

    Returns
    -------
    np.ndarray, shape (12, n_frames)
        Power; row 0 is C. Frames are centred, the first on sample 0.

    See Also
    --------
    librosa.feature.chroma_stft : Spreads each bin over several classes, so it gives other numbers.

    Examples
    --------
    >>> t = np.arange(22050) / 22050
    >>> C = chroma(np.sin(2 * np.pi * 440 * t), sr=22050)
    >>> int(C.sum(axis=1).argmax())
    9
    """
    y = _checks.check(y)
    if y.ndim != 1:
        raise ValueError(f"y has shape {y.shape}; pass one channel, such as y.mean(axis=0)")
    D = stft.stft(y, n_fft=n_fft, hop_length=hop_length, window="hann")
    freqs = np.arange(1, n_fft // 2 + 1) * _checks.check_rate(sr) / n_fft
    audible = 12 * np.log2(freqs / 440) + 69 - cents / 100 > -0.5
    C = np.zeros((12, D.shape[1]))
    power = np.abs(D[1:][audible]) ** 2
    np.add.at(C, pitch_class(freqs[audible], cents=cents), power)
    return C


def estimate_tuning(y: np.ndarray, *, sr: int, n_fft: int = 8192) -> float:
    """Return how much too high music is tuned, by the circular mean of its partials.

    Each peak of the spectrum from 100 to 2000 Hz is an arrow: its angle is how far the peak lies
    from the nearest semitone, a whole turn being a semitone, its length the magnitude. The angle of
    their sum is the tuning. It knows no more than a turn: 60 cents too high is 40 too low.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    n_fft : int
        Frame [samples]; frames overlap by half.

    Returns
    -------
    float
        Deviation from A4 = 440 Hz, above -50 to 50 [cents].

    Examples
    --------
    >>> t = np.arange(22050) / 22050
    >>> round(estimate_tuning(np.sin(2 * np.pi * 440 * 2 ** (0.2 / 12) * t), sr=22050))
    20
    """
    D = stft.stft(_checks.check(y), n_fft=n_fft, hop_length=n_fft // 2, window="hann")
    S = np.abs(D)
    if not S.any():
        raise ValueError("y is silent, so it has no tuning; pass a part with sound")
    here = S[1:-1]
    peak = (here > S[:-2]) & (here > S[2:]) & (here > 0.1 * S.max(axis=0))
    bins, frames = np.nonzero(peak)
    logs = [np.log(S[bins + k, frames] + 1e-12) for k in (0, 1, 2)]
    offset = 0.5 * (logs[0] - logs[2]) / (logs[0] - 2 * logs[1] + logs[2])
    freqs = (bins + 1 + offset) * _checks.check_rate(sr) / n_fft
    kept = (freqs > PEAKS_HZ[0]) & (freqs < PEAKS_HZ[1])
    semitones = 12 * np.log2(freqs[kept] / 440)
    arrows = S[bins + 1, frames][kept] * np.exp(2j * np.pi * semitones)
    return float(100 * np.angle(arrows.sum()) / (2 * np.pi))
