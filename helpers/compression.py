"""Logarithms of a spectrogram with a stated reference, and cepstra; `helpers.mel` passes the names on."""

import math

import numpy as np
import scipy.fft

from helpers.checks import check_whole

LOGS = {"db": 10 / math.log(10), "ln": 1.0, "log10": 1 / math.log(10)}


def log_compress(M, *, log: str = "db", ref: float = 1.0, floor: float = 1e-10) -> np.ndarray:
    """Return the logarithm of a spectrogram, ``log(max(M, floor) / ref)``.

    Parameters
    ----------
    M : array_like
        Spectrogram, linear; for "db" a power.
    log : {"db", "ln", "log10"}, default "db"
        10 times the decimal logarithm (of a power: decibels), the natural one, or the decimal one.
    ref : float, default 1.0
        Value that reads 0.
    floor : float, default 1e-10
        Smaller values count as this one, because the logarithm of 0 is minus infinity.

    Returns
    -------
    np.ndarray
        Levels, in the shape of `M`: [dB re `ref`] for "db".

    Raises
    ------
    ValueError
        If `ref` or `floor` is not positive, a value is negative, or the logarithm is unknown.

    Examples
    --------
    >>> log_compress([1.0, 0.1, 0.0]).round(9)
    array([   0.,  -10., -100.])
    """
    M = np.asarray(M)
    if M.dtype.kind == "c" or np.any(M < 0):
        raise ValueError("M holds negative or complex values; pass a power or magnitude, such as abs(D) ** 2")
    return _scale(log) * np.log(np.maximum(M, positive(floor, "floor")) / positive(ref, "ref"))


def log_expand(L, *, log: str = "db", ref: float = 1.0) -> np.ndarray:
    """Invert `log_compress`, except that values below its floor stay at the floor.

    Parameters
    ----------
    L : array_like
        Levels.
    log, ref
        As given to `log_compress`.

    Returns
    -------
    np.ndarray
        Spectrogram, linear.

    Examples
    --------
    >>> log_expand([0.0, -10.0]).round(9)
    array([1. , 0.1])
    """
    return positive(ref, "ref") * np.exp(np.asarray(L) / _scale(log))


def mfcc(L, *, n_mfcc: int = 13) -> np.ndarray:
    """Return mel-frequency cepstral coefficients: the orthonormal DCT-II of a log mel spectrogram over its bands.

    Parameters
    ----------
    L : array_like, shape (..., n_mels, n_frames)
        Log mel spectrogram; its logarithm and floor scale the result.
    n_mfcc : int, default 13
        How many coefficients to keep; all n_mels of them keep everything.

    Returns
    -------
    np.ndarray, shape (..., n_mfcc, n_frames)
        Coefficients; number 0 is the mean level times ``sqrt(n_mels)``.

    Raises
    ------
    ValueError
        If there are not so many bands.

    See Also
    --------
    librosa.feature.mfcc

    Examples
    --------
    >>> mfcc(np.full((4, 1), -10.0), n_mfcc=2).round(6)
    array([[-20.],
           [  0.]])
    """
    L = np.asarray(L)
    n_mfcc = check_whole(n_mfcc, name="n_mfcc", low=1, high=L.shape[-2], remedy="there is one for each band at most")
    return scipy.fft.dct(L, axis=-2, norm="ortho")[..., :n_mfcc, :]


def _scale(log: str) -> float:
    if log not in LOGS:
        raise ValueError(f"there is no logarithm {log!r}; choose from {', '.join(map(repr, LOGS))}")
    return LOGS[log]


def positive(value: float, name: str) -> float:
    """Return a positive number, or say what is wrong with it."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name}={value} must be a positive number")
    return value
