"""Many short DFTs of a sound: the STFT, its least-squares inverse, and when a window allows one.

The conventions, once for the whole course:

- Axes: ``D[..., k, m]`` is bin k, frame m; shape ``(n_fft // 2 + 1, n_frames)``, before it the
  channels, if any.
- Scaling: none, ``D[k, m] = sum_n w[n] y[m hop_length + n - start] exp(-2 pi i k n / n_fft)``; a
  sine of amplitude a that sits on bin k reads ``a * w.sum() / 2``. Phase counts from the first
  sample of the frame.
- Time: with `center`, ``start = n_fft // 2``, so that sample ``m * hop_length`` lies in the middle
  of frame m, and zeros fill the ends; without, ``start = 0`` and only whole frames count.
- Frames: centred ``1 + L // hop_length`` for L samples (odd n_fft: ``1 + (L - 1) // hop_length``),
  else ``1 + (L - n_fft) // hop_length``. Where the hop is longer than half a window, the last
  samples of a sound can lie where every window is almost 0; `istft` says so.
- Windows are periodic; one shorter than `n_fft` stands in its middle. float32 in, complex64 out.

librosa has the same conventions, torch with ``pad_mode="constant"``, `scipy.signal.ShortTimeFFT`
with other edges. ValueError refuses what is no audio or no finite complex STFT, a frame, window or
hop that makes no sense, and windows that leave samples which no frame sees (NOLA).
"""

import warnings

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from helpers._checks import check, check_sr, check_whole
from helpers.spectra import check_hop, cola_ripple, fold, overlap_report, window_samples

__all__ = ["axes", "cola_ripple", "consistency_db", "istft", "overlap_report", "stft"]

# Least sum of squared windows, re the window's own peak, from which a sample comes back: rounding
# errors grow by the root of its inverse, to 1e-11 and 1e-5 of full scale. At the feet of the first
# and last window, where nothing is centred, complex64 may be noisier.
WEAKEST = {"complex128": 1e-10, "complex64": 1e-4}
WEAKEST_END = {"complex128": 1e-10, "complex64": 1e-8}


def place_window(n_fft, hop_length, win_length, window) -> tuple[np.ndarray, int]:
    """Return the window in the middle of `n_fft` samples, and the hop."""
    remedy = "a frame needs two samples, such as 1024 at 16 kHz"
    n_fft = check_whole(n_fft, name="n_fft", low=2, remedy=remedy)
    n = n_fft if win_length is None else win_length
    n = check_whole(n, name="win_length", low=1, remedy="by default it is n_fft")
    if n > n_fft:
        raise ValueError(
            f"win_length={n} is longer than n_fft={n_fft}; raise n_fft to pad with zeros"
        )
    hop = check_hop(hop_length, n=n)
    left = (n_fft - n) // 2
    return np.pad(window_samples(window, n=n), (left, n_fft - n - left)), hop


def blocks(n_frames: int, n_fft: int):
    """Yield slices of frames that fit the cache: twice as quick, and little memory besides."""
    step = max(1, 2**16 // n_fft)
    for m in range(0, n_frames, step):
        yield slice(m, min(m + step, n_frames))


def analyse(y: np.ndarray, w: np.ndarray, hop: int) -> np.ndarray:
    """Return the STFT of all whole frames, without any check."""
    frames = sliding_window_view(y, len(w), axis=-1)[..., ::hop, :]
    D = np.empty((*frames.shape[:-1], len(w) // 2 + 1), np.result_type(y, np.complex64))
    w = w.astype(y.dtype)
    for some in blocks(frames.shape[-2], len(w)):
        D[..., some, :] = scipy.fft.rfft(frames[..., some, :] * w, overwrite_x=True)
    return D.swapaxes(-1, -2)


def synthesise(D: np.ndarray, w: np.ndarray, hop: int) -> np.ndarray:
    """Return the windowed inverse DFT of each frame, added up with overlap, without any check."""
    *channels, _, n_frames = D.shape
    # the sum in rows of one hop: a frame covers so many of them, and adds a part to each
    covered = -(-len(w) // hop)
    rows = np.zeros((*channels, n_frames - 1 + covered, hop), D.real.dtype)
    w = w.astype(rows.dtype)
    for some in blocks(n_frames, len(w)):
        frames = scipy.fft.irfft(D[..., some].swapaxes(-1, -2), len(w))
        frames *= w
        for r in range(covered):
            part = frames[..., r * hop : (r + 1) * hop]
            rows[..., some.start + r : some.stop + r, : part.shape[-1]] += part
    return rows.reshape(*channels, -1)[..., : (n_frames - 1) * hop + len(w)]


def squared_windows(w: np.ndarray, hop: int, n_frames: int) -> np.ndarray:
    """Return the sum of the squared windows of all frames, sample by sample."""
    from scipy.signal import upfirdn  # a long import

    return upfirdn(w**2, np.ones(n_frames), up=hop)


def check_nola(w: np.ndarray, hop: int, dtype: np.dtype) -> None:
    """Raise an error if squared windows leave samples that no frame sees, as precise as `dtype`."""
    least = WEAKEST[dtype.name] * np.max(w**2)
    weakest = fold(w**2, hop).min()
    if weakest < least:
        raise ValueError(
            f"hop_length={hop} fails NOLA with this window: where its squares add up least they "
            f"reach {weakest:.1e}, and {dtype} needs {least:.1e}; take a smaller hop, such as "
            f"{max(1, (np.count_nonzero(w) + 1) // 4)}"
        )


def check_stft(D, n_fft, hop_length, win_length, window):
    """Return a checked STFT, its window and hop."""
    D = np.asarray(D)
    if D.dtype.kind != "c":
        raise ValueError(
            f"D holds {D.dtype} values; pass a complex STFT: a magnitude needs a phase, S * "
            "np.exp(1j * p)"
        )
    if D.ndim not in (2, 3) or not D.size:
        raise ValueError(
            f"D has shape {D.shape}; pass (n_freq, n_frames) or (channels, n_freq, n_frames)"
        )
    n_fft = 2 * (D.shape[-2] - 1) if n_fft is None else n_fft
    w, hop = place_window(n_fft, hop_length, win_length, window)
    if D.shape[-2] != len(w) // 2 + 1:
        raise ValueError(
            f"D has {D.shape[-2]} bins, but n_fft={n_fft} has {len(w) // 2 + 1}; bins come before "
            "frames"
        )
    D = D.astype(np.complex64 if D.dtype == np.complex64 else np.complex128, copy=False)
    if not np.all(np.isfinite(D)):
        raise ValueError("D holds NaN or infinite values; find where they arise (log of 0, 0 / 0)")
    return D, w, hop


def stft(
    y,
    *,
    n_fft: int,
    hop_length: int,
    win_length: int | None = None,
    window="hann",
    center: bool = True,
):
    """Return the short-time Fourier transform.

    Parameters
    ----------
    y : array_like, shape (n,) or (channels, n)
        Real signal [full scale = 1].
    n_fft, hop_length : int
        Length of a frame, and step from frame to frame [samples].
    win_length : int, optional
        Length of the window, at most `n_fft`, which is the default [samples].
    window : str, tuple or array_like, default "hann"
        Window, as in `helpers.spectra.window_samples`.
    center : bool, default True
        Put the middle of frame m at sample ``m * hop_length``, with zeros at both ends.

    Returns
    -------
    np.ndarray, shape (n_fft // 2 + 1, n_frames) or (channels, n_fft // 2 + 1, n_frames)
        Complex values, not scaled; complex64 for float32.

    Examples
    --------
    >>> stft(np.ones(8), n_fft=4, hop_length=4, window="boxcar").real
    array([[ 2.,  4.,  2.],
           [-1.,  0.,  1.],
           [ 0.,  0.,  0.]])
    """
    y = check(y)
    w, hop = place_window(n_fft, hop_length, win_length, window)
    if center:
        ends = (len(w) // 2, len(w) // 2)
        y = np.pad(y, [(0, 0)] * (y.ndim - 1) + [ends])
    elif y.shape[-1] < len(w):
        raise ValueError(
            f"y has {y.shape[-1]} samples, less than one frame of {len(w)}; use center=True or a "
            "smaller n_fft"
        )
    return analyse(y, w, hop)


def istft(
    D,
    *,
    hop_length: int,
    n_fft: int | None = None,
    win_length: int | None = None,
    window="hann",
    length: int | None = None,
    center: bool = True,
) -> np.ndarray:
    r"""Return the signal whose STFT is nearest to `D` in the least-squares sense.

    .. math:: y[n] = \sum_m w[n - mH]\, y_m[n - mH] \Big/ \sum_m w^2[n - mH]

    Parameters
    ----------
    D : array_like, shape (n_freq, n_frames) or (channels, n_freq, n_frames)
        Complex STFT, in the conventions of this module.
    hop_length, n_fft, win_length, window, center
        As given to `stft`; `n_fft` is ``2 * (n_freq - 1)`` by default, so state it where it is odd.
    length : int, optional
        Length to return [samples]; by default up to the middle of the last frame, without `center`
        up to its end.

    Returns
    -------
    np.ndarray, shape (length,) or (channels, length)
        Signal; float32 for complex64.

    Warns
    -----
    UserWarning
        Where samples at the ends lie outside what the frames see, as under the foot of the first
        window without `center`, or after the last one where the hop is long: they are returned as
        0.

    References
    ----------
    .. [1] D. W. Griffin and J. S. Lim, "Signal estimation from modified short-time Fourier
       transform", IEEE Trans. Acoust. Speech Signal Process. 32(2), 1984.

    Examples
    --------
    >>> D = stft([0.0, 0.5, 1.0, -0.5, 0.25], n_fft=4, hop_length=2)
    >>> istft(D, hop_length=2, length=5).round(12)
    array([ 0.  ,  0.5 ,  1.  , -0.5 ,  0.25])
    """
    D, w, hop = check_stft(D, n_fft, hop_length, win_length, window)
    check_nola(w, hop, D.dtype)
    y = synthesise(D, w, hop)
    weight = squared_windows(w, hop, D.shape[-1]).astype(y.dtype)
    start = len(w) // 2 if center else 0
    if length is None:
        n = y.shape[-1] - 2 * start
    else:
        n = check_whole(length, name="length", low=1, remedy="or leave it out")
    # zeros where the caller asks for more than the frames hold
    missing = max(0, start + n - y.shape[-1])
    y = np.pad(y, [(0, 0)] * (y.ndim - 1) + [(0, missing)])[..., start : start + n]
    weight = np.pad(weight, (0, missing))[start : start + n]
    least = WEAKEST if center else WEAKEST_END
    unseen = weight < least[D.dtype.name] * np.max(w**2)
    if unseen.any():
        text = f"no frame sees {unseen.sum()} of {n} samples, at the ends, so they are 0"
        warnings.warn(f"{text}; use center=True, or a length that the frames cover", stacklevel=2)
    return np.divide(y, weight, out=np.zeros_like(y), where=~unseen)


def consistency_db(
    D, *, hop_length: int, n_fft: int | None = None, win_length: int | None = None, window="hann"
):
    r"""Return how far `D` is from the STFT of any signal: :math:`20 \lg (\lVert D - D' \rVert /
    \lVert D \rVert)`.

    D' is the STFT of the least-squares inverse of D. That signal may reach into the padding at both
    ends, so the STFT of a signal of any length, centred or not, is consistent.

    Parameters
    ----------
    D : array_like, shape (n_freq, n_frames) or (channels, n_freq, n_frames)
        Complex STFT.
    hop_length, n_fft, win_length, window
        As for `istft`.

    Returns
    -------
    float
        Inconsistency [dB re the norm of D]: rounding (-300 in complex128, -140 in complex64) for an
        STFT, near 0 for a magnitude with random phase.

    Examples
    --------
    >>> D = stft(np.ones(16), n_fft=8, hop_length=2)
    >>> consistency_db(D, hop_length=2) < -290, consistency_db(D + 1j, hop_length=2) > -20
    (True, True)
    """
    D, w, hop = check_stft(D, n_fft, hop_length, win_length, window)
    if not D.any():
        raise ValueError(
            "D is silent, so there is no norm to refer to; pass a spectrogram with sound"
        )
    y = synthesise(D, w, hop)
    weight = squared_windows(w, hop, D.shape[-1]).astype(y.dtype)
    np.divide(y, weight, out=y, where=weight > 0)
    missed = analyse(y, w, hop) - D
    # rounding is never less than 1e-20
    return float(20 * np.log10(max(np.linalg.norm(missed) / np.linalg.norm(D), 1e-20)))


def axes(D, *, sr: float, hop_length: int, n_fft: int | None = None, center: bool = True):
    """Return the frequencies of the bins and the times of the middles of the frames.

    Parameters
    ----------
    D : np.ndarray, shape (..., n_freq, n_frames)
        STFT, complex or magnitude.
    sr : float
        Sampling rate [Hz].
    hop_length, n_fft, center
        As given to `stft`.

    Returns
    -------
    freqs : np.ndarray, shape (n_freq,)
        Frequencies ``k * sr / n_fft`` [Hz].
    times : np.ndarray, shape (n_frames,)
        Times ``m * hop_length / sr`` [s]; without `center` half a frame later.

    Examples
    --------
    >>> [a.tolist() for a in axes(np.zeros((3, 2)), sr=8, hop_length=2)]
    [[0.0, 2.0, 4.0], [0.0, 0.25]]
    """
    n_freq, n_frames = np.shape(D)[-2:]
    n_fft = 2 * (n_freq - 1) if n_fft is None else n_fft
    start = 0 if center else n_fft // 2
    freqs = np.arange(n_freq) * (check_sr(sr) / n_fft)
    return freqs, (np.arange(n_frames) * hop_length + start) / sr
