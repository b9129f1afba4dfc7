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
  else ``1 + (L - n_fft) // hop_length``. A hop beyond about half a window can leave the last
  samples where every window is almost 0; then a centred STFT has one frame more, so that nothing is
  lost.
- Windows are periodic; one shorter than `n_fft` stands in its middle. float32 in, complex64 out.

librosa has the same conventions, torch with ``pad_mode="constant"``, `scipy.signal.ShortTimeFFT`
with other edges.
"""

import warnings

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from helpers._checks import check, check_whole
from helpers.spectra import check_hop, cola_ripple, fold, overlap_report, positive, window_samples

__all__ = ["axes", "cola_ripple", "consistency_db", "istft", "overlap_report", "stft"]


BLOCK = 2**16  # samples worked on at once


def place_window(n_fft, hop_length, win_length, window) -> tuple[np.ndarray, int]:
    """Return the window in the middle of `n_fft` samples, and the hop."""
    n_fft = check_whole(
        n_fft, name="n_fft", low=2, remedy="a frame needs two samples, such as 1024 at 16 kHz"
    )
    n = check_whole(
        n_fft if win_length is None else win_length,
        name="win_length",
        low=1,
        remedy="by default it is n_fft",
    )
    if n > n_fft:
        raise ValueError(
            f"win_length={n} is longer than n_fft={n_fft}; raise n_fft to pad with zeros"
        )
    hop, left = check_hop(hop_length, n=n), (n_fft - n) // 2
    return np.pad(window_samples(window, n=n), (left, n_fft - n - left)), hop


def loses_the_end(w: np.ndarray, hop: int, *, last: int) -> bool:
    """Return whether some sample up to place `last` in the last frame needs a further frame to come
    back.
    """
    rows = np.pad(w**2, (0, hop + -len(w) % hop)).reshape(-1, hop)
    seen = np.cumsum(rows[::-1], axis=0)[::-1]  # by the last frame and those before; row 0: by all
    lost = seen < np.minimum(1e-4 * rows.max(), seen[0] / 2)
    return bool(np.any(lost.ravel()[: last + 1]))


def transform(frames: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the DFT of each frame, (..., n_frames, n_freq), in blocks that fit the cache."""
    D = np.empty((*frames.shape[:-1], len(w) // 2 + 1), np.result_type(frames, np.complex64))
    step = max(1, BLOCK // len(w))
    block = np.empty((step, len(w)), frames.dtype)
    for channel in np.ndindex(frames.shape[:-2]):
        for m in range(0, frames.shape[-2], step):
            some = frames[channel][m : m + step]
            windowed = np.multiply(some, w, out=block[: len(some)])
            D[channel][m : m + step] = scipy.fft.rfft(windowed, overwrite_x=True, workers=1)
    return D


def prepare(D, n_fft, hop_length, win_length, window):
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
    return D, (w, hop)


def overlap_add(D: np.ndarray, w: np.ndarray, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of windowed inverse frames and of squared windows, added up in rows of `hop`
    samples.
    """
    n_frames, n = D.shape[-1], len(w)
    cuts = range(-(-n // hop))  # a frame covers so many rows
    w = w.astype(D.real.dtype)
    y = np.zeros((*D.shape[:-2], n_frames + len(cuts) - 1, hop), w.dtype)
    weight = np.zeros(y.shape[-2:], w.dtype)
    step = max(1, BLOCK // n)
    for channel in np.ndindex(D.shape[:-2]):
        for m in range(0, n_frames, step):
            frames = scipy.fft.irfft(D[channel][:, m : m + step].T, n, workers=1)
            frames *= w
            for c in cuts:
                part = frames[:, c * hop : (c + 1) * hop]
                y[channel][m + c : m + c + len(part), : part.shape[1]] += part
    for c in cuts:
        part = w[c * hop : (c + 1) * hop] ** 2
        weight[c : c + n_frames, : len(part)] += part
    total = (n_frames - 1) * hop + n
    return y.reshape(*y.shape[:-2], -1)[..., :total], weight.ravel()[:total]


# least sum of squared windows, re the window's own peak, from which a sample comes back; rounding
# errors grow by the root of its inverse, to 1e-11 and 1e-5 of full scale. At the ends, which matter
# less, complex64 may be noisier.
WEAKEST = {"complex128": 1e-10, "complex64": 1e-4}
WEAKEST_END = {"complex128": 1e-10, "complex64": 1e-8}


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

    Raises
    ------
    ValueError
        If `y` is no audio, the hop is 0 or beyond the window, or there is less than one frame
        without `center`.

    Examples
    --------
    >>> stft(np.ones(8), n_fft=4, hop_length=4, window="boxcar").real
    array([[ 2.,  4.,  2.],
           [-1.,  0.,  1.],
           [ 0.,  0.,  0.]])
    """
    y, (w, hop) = check(y), place_window(n_fft, hop_length, win_length, window)
    n = y.shape[-1]
    if center:
        span = n + 2 * (len(w) // 2)
        if loses_the_end(w, hop, last=len(w) // 2 + (n - 1) - (span - len(w)) // hop * hop):
            span += hop
        padded = np.zeros((*y.shape[:-1], span), y.dtype)
        padded[..., len(w) // 2 :][..., :n] = y
    elif n < len(w):
        raise ValueError(
            f"y has {n} samples, less than one frame of {len(w)}; use center=True or a smaller "
            "n_fft"
        )
    else:
        padded = y
    frames = sliding_window_view(padded, len(w), axis=-1)[..., ::hop, :]
    return transform(frames, w.astype(y.dtype)).swapaxes(-1, -2)


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

    Raises
    ------
    ValueError
        If `D` is not complex, not finite, or of another shape, or window and hop leave samples that
        no frame sees (NOLA).

    Warns
    -----
    UserWarning
        Where samples at the ends lie outside what the frames see, as under the foot of the first
        window without `center`: they are returned as 0.

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
    D, (w, hop) = prepare(D, n_fft, hop_length, win_length, window)
    peak = np.max(w**2)
    least = WEAKEST[D.dtype.name] * peak
    if (weakest := fold(w**2, hop).min()) < least:
        raise ValueError(
            f"hop_length={hop} fails NOLA with this window: where its squares add up least they "
            f"reach {weakest:.1e}, "
            f"and {D.dtype} needs {least:.1e}; take a smaller hop, such as "
            f"{max(1, np.count_nonzero(w) // 4)}"
        )
    y, weight = overlap_add(D, w, hop)
    start = len(w) // 2 if center else 0
    n = (
        y.shape[-1] - 2 * start
        if length is None
        else check_whole(length, name="length", low=1, remedy="or leave it out")
    )
    if (missing := start + n - y.shape[-1]) > 0:
        y, weight = (
            np.concatenate([a, np.zeros_like(a[..., :1]).repeat(missing, -1)], axis=-1)
            for a in (y, weight)
        )
    y, weight = y[..., start : start + n], weight[start : start + n]
    unseen = weight < WEAKEST_END[D.dtype.name] * peak
    if unseen.any():
        text = f"no frame sees {unseen.sum()} of {n} samples, at the ends, so they are 0"
        warnings.warn(f"{text}; use center=True, or a length that the frames cover", stacklevel=2)
        y[..., unseen] = 0
    return np.divide(y, weight, out=y, where=~unseen)


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

    Raises
    ------
    ValueError
        If `D` is not complex, not finite, silent or of another shape.

    Examples
    --------
    >>> D = stft(np.ones(16), n_fft=8, hop_length=2)
    >>> consistency_db(D, hop_length=2) < -290, consistency_db(D + 1j, hop_length=2) > -20
    (True, True)
    """
    D, (w, hop) = prepare(D, n_fft, hop_length, win_length, window)
    if not D.any():
        raise ValueError(
            "D is silent, so there is no norm to refer to; pass a spectrogram with sound"
        )
    y, weight = overlap_add(D, w, hop)
    np.divide(y, weight, out=y, where=weight > 0)
    again = transform(
        sliding_window_view(y, len(w), axis=-1)[..., ::hop, :], w.astype(y.dtype)
    ).swapaxes(-1, -2)
    again -= D
    return float(20 * np.log10(max(np.linalg.norm(again) / np.linalg.norm(D), 1e-20)))


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
    return np.arange(n_freq) * (positive(sr) / n_fft), (
        np.arange(n_frames) * hop_length + start
    ) / sr
