"""What a network sees: mel filterbanks, mel spectrograms and the way back, log compression and
MFCC.

A mel spectrogram is ``filterbank @ S``, where S is ``abs(stft) ** power``; axes (..., n_mels,
n_frames).

Negative, complex and infinite values, edges beyond half the rate, unknown names and numbers that
are not positive raise ValueError.
"""

import math
import warnings

import numpy as np
import scipy.fft

from helpers._checks import (
    as_array,
    check_name,
    check_numbers,
    check_positive,
    check_rate,
    check_whole,
)
from helpers.pitch import hz_to_mel, mel_to_hz
from helpers.stft import stft

__all__ = [
    "EmptyFilterWarning",
    "filterbank",
    "log_compress",
    "mel_spectrogram",
    "mel_to_magnitude",
    "mfcc",
]


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

    Examples
    --------
    >>> log_compress([1.0, 0.1, 0.0]).round(9)
    array([   0.,  -10., -100.])
    """
    M = as_array(M, name="M")
    if M.dtype.kind == "c" or (M.dtype.kind in "if" and np.any(M < 0)):
        raise ValueError(
            "M holds negative or complex values; pass a power or magnitude, such as abs(D) ** 2"
        )
    check_positive(floor, name="floor")
    check_positive(ref, name="ref")
    M = check_numbers(M, name="M")
    scale = LOGS[check_name(log, LOGS, what="logarithm")]
    return scale * np.log(np.maximum(M, floor) / ref)


def mfcc(L, *, n_mfcc: int = 13) -> np.ndarray:
    """Return mel-frequency cepstral coefficients: the orthonormal DCT-II of a log mel spectrogram
    over its bands.

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

    See Also
    --------
    librosa.feature.mfcc

    Examples
    --------
    >>> mfcc(np.full((4, 1), -10.0), n_mfcc=2).round(6)
    array([[-20.],
           [  0.]])
    """
    L = check_numbers(L, name="L")
    if L.ndim < 2:
        raise ValueError(
            f"L has shape {L.shape}; pass a log mel spectrogram, (n_mels, n_frames): one frame is "
            "L[:, None]"
        )
    n_mfcc = check_whole(
        n_mfcc, name="n_mfcc", low=1, high=L.shape[-2], remedy="there is one for each band at most"
    )
    return scipy.fft.dct(L, axis=-2, norm="ortho")[..., :n_mfcc, :]


class EmptyFilterWarning(UserWarning):
    """Some mel filters lie between two bins, so their bands are always 0."""


warnings.simplefilter("always", EmptyFilterWarning, append=True)  # not only the first time


def filterbank(
    *,
    sr: int,
    n_fft: int,
    n_mels: int = 80,
    fmin: float = 0.0,
    fmax: float | None = None,
    variant: str = "slaney",
    norm: str | None = "slaney",
) -> np.ndarray:
    """Return triangular filters, equally wide on a mel scale, straight-sided in hertz.

    Parameters
    ----------
    sr, n_fft : int
        Sampling rate [Hz] and frame length [samples].
    n_mels : int, default 80
        Number of filters.
    fmin, fmax : float
        Lower edge of the first and upper edge of the last filter [Hz]; `fmax` is ``sr / 2`` by
        default.
    variant : {"slaney", "htk", "fant"}, default "slaney"
        Mel scale, as in `helpers.pitch.hz_to_mel`.
    norm : {"slaney", None}, default "slaney"
        Peaks of 2 over the width in hertz, so that all filters have one area; None: peaks of 1, and
        neighbours add up to 1.

    Returns
    -------
    np.ndarray, shape (n_mels, n_fft // 2 + 1)
        Weights.

    Warns
    -----
    EmptyFilterWarning
        If a filter holds no bin; the text says what to change.

    See Also
    --------
    librosa.filters.mel, torchaudio.functional.melscale_fbanks

    Examples
    --------
    >>> filterbank(sr=2000, n_fft=8, n_mels=1, norm=None)
    array([[0. , 0.5, 1. , 0.5, 0. ]])
    """
    sr = check_rate(sr)
    n_fft = check_whole(n_fft, name="n_fft", low=2, remedy="such as 1024 at 16 kHz")
    n_mels = check_whole(n_mels, name="n_mels", low=1, remedy="such as 80")
    fmax = sr / 2 if fmax is None else fmax
    if not 0 <= fmin < fmax <= sr / 2:
        raise ValueError(
            f"fmin={fmin} and fmax={fmax} must satisfy 0 <= fmin < fmax <= sr / 2 = {sr / 2:g} Hz"
        )
    check_name(norm, ("slaney", None), what="norm")
    low, high = hz_to_mel([fmin, fmax], variant=variant)
    edges = mel_to_hz(np.linspace(low, high, n_mels + 2), variant=variant)[:, None]
    freqs = np.arange(n_fft // 2 + 1) * (sr / n_fft)
    # the lower of two lines through each filter's peak, where it is above 0
    rise = (freqs - edges[:-2]) / np.diff(edges[:-1], axis=0)
    fall = (edges[2:] - freqs) / np.diff(edges[1:], axis=0)
    weights = np.maximum(0, np.minimum(rise, fall))
    _warn_empty(weights, edges, sr, n_fft)
    return weights * (2 / (edges[2:] - edges[:-2])) if norm else weights


def _warn_empty(weights: np.ndarray, edges: np.ndarray, sr: int, n_fft: int) -> None:
    empty = np.flatnonzero(~weights.any(axis=1))
    if empty.size:
        # so many that a bin lies inside the narrowest filter
        enough = int(sr / np.min(edges[2:] - edges[:-2])) + 1
        warnings.warn(
            f"{empty.size} of {len(weights)} mel filters are empty (the first is number "
            f"{empty[0]}), because bins {sr / n_fft:.4g} Hz apart miss them; take n_fft >= "
            f"{enough}, fewer n_mels, a higher fmin, or the variant 'slaney', whose low filters "
            "are wider",
            EmptyFilterWarning,
            stacklevel=3,
        )


def mel_spectrogram(
    y,
    *,
    sr: int,
    n_fft: int,
    hop_length: int,
    n_mels: int = 80,
    power: float = 2.0,
    win_length: int | None = None,
    window="hann",
    center: bool = True,
    **bank,
) -> np.ndarray:
    """Return the mel spectrogram of a sound.

    Parameters
    ----------
    y : array_like, shape (n,) or (channels, n)
        Real signal [full scale = 1].
    sr : int
        Sampling rate [Hz].
    n_fft, hop_length, win_length, window, center
        As for `helpers.stft.stft`.
    n_mels : int, default 80
        Number of bands.
    power : float, default 2.0
        Exponent of the magnitude that is summed: 2 for power, 1 for magnitude.
    **bank
        `fmin`, `fmax`, `variant`, `norm`, as for `filterbank`.

    Returns
    -------
    np.ndarray, shape (n_mels, n_frames) or (channels, n_mels, n_frames)
        Mel spectrogram, linear; float32 for float32.

    See Also
    --------
    librosa.feature.melspectrogram

    Examples
    --------
    >>> mel_spectrogram(np.ones(4000), sr=8000, n_fft=256, hop_length=100, n_mels=20).shape
    (20, 41)
    """
    weights = filterbank(sr=sr, n_fft=n_fft, n_mels=n_mels, **bank)
    frames = {"n_fft": n_fft, "hop_length": hop_length, "win_length": win_length}
    S = np.abs(stft(y, window=window, center=center, **frames))
    S **= check_positive(power, name="power")
    return weights.astype(S.dtype) @ S


def mel_to_magnitude(
    M, *, sr: int, n_fft: int, power: float = 2.0, method: str = "nnls", n_iter: int = 100, **bank
) -> np.ndarray:
    """Return a magnitude spectrogram that has this mel spectrogram, or nearly.

    There are fewer bands than bins, so many have it, and the original is not among the likely ones.

    Parameters
    ----------
    M : array_like, shape (n_mels, n_frames) or (channels, n_mels, n_frames)
        Mel spectrogram, linear (undo the logarithm first).
    sr, n_fft : int
        Sampling rate [Hz] and frame length [samples] of the STFT it came from.
    power : float, default 2.0
        The exponent it was made with.
    method : {"nnls", "pinv"}, default "nnls"
        Non-negative least squares, by `n_iter` accelerated gradient steps from the pseudo-inverse;
        or the pseudo-inverse alone, its negative values set to 0.
    n_iter : int, default 100
        Steps of "nnls".
    **bank
        `fmin`, `fmax`, `variant`, `norm` it was made with, as for `filterbank`.

    Returns
    -------
    np.ndarray, shape (n_fft // 2 + 1, n_frames) or (channels, n_fft // 2 + 1, n_frames)
        Magnitude, not negative; float32 for float32.

    See Also
    --------
    librosa.feature.inverse.mel_to_stft

    References
    ----------
    .. [1] A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
       inverse problems", SIAM J. Imaging Sci. 2(1), 2009.

    Examples
    --------
    >>> mel_to_magnitude(np.ones((20, 3)), sr=8000, n_fft=256).shape
    (129, 3)
    """
    M = np.asarray(M)
    well_formed = M.dtype.kind == "f" and M.ndim in (2, 3) and M.size
    if not well_formed or not np.all(np.isfinite(M)) or M.min() < 0:
        raise ValueError(
            f"M holds {M.dtype} values of shape {M.shape}; pass a finite mel spectrogram without "
            "negative values, (n_mels, n_frames): undo a logarithm first, as 10 ** (L / 10) does "
            "for decibels"
        )
    check_name(method, ("nnls", "pinv"), what="method")
    weights = filterbank(sr=sr, n_fft=n_fft, n_mels=M.shape[-2], **bank)
    # where filters are empty or alike, NumPy's own cut-off (1e-15) can take what rounding leaves
    # for a filter
    S = np.maximum(np.linalg.pinv(weights, 1e-12) @ M, 0)
    if method == "nnls":
        S = _nnls(weights, M, S, check_whole(n_iter, name="n_iter", low=1, remedy="such as 100"))
    return (S ** (1 / check_positive(power, name="power"))).astype(M.dtype)


def _nnls(weights: np.ndarray, M: np.ndarray, S: np.ndarray, n_iter: int) -> np.ndarray:
    """Minimise ``norm(weights @ S - M)`` over S >= 0 by accelerated projected gradient steps."""
    step = 1 / np.linalg.norm(weights, 2) ** 2
    ahead = S
    t = 1.0
    for _ in range(n_iter):
        last = S
        S = np.maximum(ahead - step * (weights.T @ (weights @ ahead - M)), 0)
        next_t = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = S + (t - 1) / next_t * (S - last)
        t = next_t
    return S
