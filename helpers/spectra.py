"""One frame of sound: its spectrum at any frequency, and the frequency of a sine; windows from `helpers.windows`.

Bins are counted in steps of ``sr / n``, frequencies in hertz.
"""

import numpy as np
import scipy.fft

from helpers.checks import check, check_range, check_whole
from helpers.windows import WindowProperties, window_properties, window_samples

__all__ = ["WindowProperties", "amplitude_spectrum", "dtft", "estimate_frequency", "window_properties"]
__all__ += ["window_samples"]


def amplitude_spectrum(y, *, sr: float, window="hann", n_fft: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    r"""Return a one-sided spectrum that reads the amplitude of a sine.

    .. math:: A[k] = \frac{c_k}{\sum_n w[n]} \left| \sum_n w[n]\, y[n]\, e^{-2\pi i k n / N} \right|

    with :math:`c_k = 2`, but 1 at 0 Hz and, for even N, at ``sr / 2``, which have no partner at a negative frequency.

    Parameters
    ----------
    y : array_like, shape (n,) or (channels, n)
        Real signal [full scale = 1].
    sr : float
        Sampling rate [Hz].
    window : str, tuple or array_like, default "hann"
        Window over the n samples.
    n_fft : int, optional
        Length N of the DFT; zeros fill up what is more than n. By default n.

    Returns
    -------
    freqs : np.ndarray, shape (n_fft // 2 + 1,)
        Bin centres [Hz].
    amps : np.ndarray, shape (n_fft // 2 + 1,) or (channels, n_fft // 2 + 1)
        Peak amplitude [full scale = 1].

    Raises
    ------
    ValueError
        If `y` is no audio, `sr` is not positive, or `n_fft` is below n.

    Examples
    --------
    >>> amplitude_spectrum([0.5, 0.5, 0.5, 0.5], sr=4, window="boxcar")[1]
    array([0.5, 0. , 0. ])
    """
    y, sr = check(y), positive(sr)
    n = y.shape[-1]
    n_fft = check_whole(n if n_fft is None else n_fft, name="n_fft", low=n, remedy="cut y to a shorter part")
    w = window_samples(window, n=n)
    amps = 2 / abs(w.sum()) * np.abs(scipy.fft.rfft(y * w, n_fft))
    amps[..., 0] /= 2
    if n_fft % 2 == 0:
        amps[..., -1] /= 2
    return scipy.fft.rfftfreq(n_fft, 1 / sr), amps


def dtft(y, freqs, *, sr: float) -> np.ndarray:
    r"""Return the discrete-time Fourier transform at any frequencies: :math:`\sum_n y[n]\,e^{-2\pi i f n / f_s}`.

    Parameters
    ----------
    y : array_like, shape (n,) or (channels, n)
        Real signal, already windowed if you want it so [full scale = 1].
    freqs : array_like, shape (n_freqs,)
        Frequencies [Hz], negative ones and those above ``sr / 2`` too.
    sr : float
        Sampling rate [Hz].

    Returns
    -------
    np.ndarray, shape (n_freqs,) or (channels, n_freqs)
        Complex values, not scaled: at 0 Hz the sum of `y`.

    Raises
    ------
    ValueError
        If `y` is no audio, `freqs` has no values or is not finite, or `sr` is not positive.

    Examples
    --------
    >>> dtft([1.0, 1.0], [0.0, 1.0], sr=4).round(6)
    array([2.+0.j, 1.-1.j])
    """
    y = np.asarray(check(y), dtype=np.float64)
    turns = check_range(np.atleast_1d(freqs), name="freqs", low=-1e9, high=1e9, unit="Hz") / positive(sr)
    n = y.shape[-1]
    b = int(np.ceil(np.sqrt(n)))  # n = b * row + column: two short tables of exponentials replace one of n columns
    rows = np.zeros((*y.shape[:-1], b * b))
    rows[..., :n] = y
    columns = np.exp(-2j * np.pi * np.outer(np.arange(b), turns))
    return np.sum(
        rows.reshape(*y.shape[:-1], b, b) @ columns * np.exp(-2j * np.pi * b * np.outer(np.arange(b), turns)), -2
    )


def estimate_frequency(y, *, sr: float, method: str = "parabola", window="hann", padding: int = 8) -> float:
    """Return the frequency of the strongest sine.

    Parameters
    ----------
    y : array_like, shape (n,)
        Real signal, at least 8 samples [full scale = 1].
    sr : float
        Sampling rate [Hz].
    method : {"parabola", "argmax", "padded", "phase"}, default "parabola"
        The vertex of a parabola through the log magnitudes of the largest bin and its neighbours; the largest bin; the
        largest bin after zero padding to `padding` times the length; or the phase by which that sine advances
        between two frames a quarter of the length apart, with the parabola's value to count whole turns.
    window : str, tuple or array_like, default "hann"
        Window over the samples; for "phase" over three quarters of them, so there by name.
    padding : int, default 8
        Factor of zero padding for "padded".

    Returns
    -------
    float
        Frequency [Hz].

    Raises
    ------
    ValueError
        If `y` is no audio, silent, or not of one channel, or the method is unknown.

    Examples
    --------
    >>> y = np.cos(2 * np.pi * 1003 * np.arange(800) / 8000)
    >>> estimate_frequency(y, sr=8000, method="argmax"), round(estimate_frequency(y, sr=8000, method="phase"), 3)
    (1000.0, 1003.0)
    """
    y = check(y, min_samples=8)
    if y.ndim != 1 or not y.any():
        raise ValueError(f"y has shape {y.shape} and peak {np.abs(y).max():g}; pass one channel that is not silent")
    n = y.shape[-1]
    if method not in ("argmax", "padded", "parabola", "phase"):
        raise ValueError(f"there is no method {method!r}; choose 'parabola', 'argmax', 'padded' or 'phase'")
    if method == "phase":
        hop = n // 4
        frames = np.stack([y[: n - hop], y[hop:]])
        rough = estimate_frequency(frames[0], sr=sr, window=window)
        first, second = dtft(frames * window_samples(window, n=n - hop), [rough], sr=sr)[:, 0]
        expected = 2 * np.pi * rough * hop / sr
        return float(rough + np.angle(second / first * np.exp(-1j * expected)) * sr / (2 * np.pi * hop))
    zeros = check_whole(padding, name="padding", low=1, remedy="1 adds no zeros") if method == "padded" else 1
    mags = np.abs(scipy.fft.rfft(y * window_samples(window, n=n), n * zeros))
    k, bin_hz = int(np.argmax(mags)), positive(sr) / (n * zeros)
    if method != "parabola" or not 0 < k < len(mags) - 1:
        return k * bin_hz
    left, mid, right = np.log(np.maximum(mags[k - 1 : k + 2], 1e-30))
    bend = left - 2 * mid + right  # 0 for a click, whose spectrum is flat
    return float(k + 0.5 * (left - right) / bend) * bin_hz if bend < -1e-9 else k * bin_hz


def positive(sr: float) -> float:
    """Return a positive rate in hertz (any: a drawing may use 20 Hz), or say what is wrong with it."""
    if not isinstance(sr, int | float | np.integer | np.floating) or not 0 < sr < np.inf:
        raise ValueError(f"sr={sr!r} must be a positive sampling rate in Hz, such as 16000")
    return float(sr)
