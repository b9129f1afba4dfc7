"""Test signals with known answers, and fades.

Every signal is float64, mono, shape (n,), with ``n = round(sr * duration)`` for positive `sr` [Hz], `duration` [s].
Nothing here clips or filters: a tone above ``sr / 2`` aliases, because hearing that is a point of unit 01.
"""

import numpy as np

from helpers.checks import check
from helpers.coding import mu_law_decode, mu_law_encode, quantize

__all__ = ["click", "fade", "harmonics", "mu_law_decode", "mu_law_encode", "pink_noise", "quantize", "sine", "sweep"]
__all__ += ["white_noise"]


def _times(sr: float, duration: float) -> np.ndarray:
    """Return the sample times [s]; any positive rate, so that a drawing can use 20 Hz."""
    if not (np.isfinite(sr) and sr > 0):
        raise ValueError(f"sr={sr} must be a positive sampling rate in Hz, such as 16000")
    if not (np.isfinite(duration) and duration > 0 and round(sr * duration) >= 1):
        raise ValueError(f"duration={duration} s must be positive and hold at least one sample at sr={sr}")
    return np.arange(round(sr * duration)) / sr


def sine(freq: float, *, sr: float, duration: float, amp: float = 1.0, phase: float = 0.0) -> np.ndarray:
    """Return a sampled sine wave.

    Parameters
    ----------
    freq : float
        Frequency [Hz]. Above ``sr / 2`` it aliases; that is allowed on purpose.
    sr, duration : float
        Sampling rate [Hz] and length [s].
    amp, phase : float
        Peak amplitude [full scale = 1] and phase at the first sample [rad].

    Returns
    -------
    np.ndarray, shape (n,)
        The signal.

    Examples
    --------
    >>> sine(1.0, sr=4, duration=1.0).round(6)
    array([ 0.,  1.,  0., -1.])
    """
    return amp * np.sin(2 * np.pi * freq * _times(sr, duration) + phase)


def sweep(f0: float, f1: float, *, sr: float, duration: float, amp: float = 1.0) -> np.ndarray:
    r"""Return a sine whose frequency glides exponentially: equal times for equal ratios.

    .. math:: f(t) = f_0\,(f_1/f_0)^{t/T}, \qquad \varphi(t) = 2\pi f_0 T\,\frac{(f_1/f_0)^{t/T} - 1}{\ln(f_1/f_0)}

    Parameters
    ----------
    f0, f1 : float
        First and last frequency [Hz]; f1 may be below f0.
    sr, duration : float
        Sampling rate [Hz] and length T [s].
    amp : float, default 1.0
        Peak amplitude [full scale = 1].

    Returns
    -------
    np.ndarray, shape (n,)
        The signal; it starts at phase 0.

    Raises
    ------
    ValueError
        If a frequency is not positive.
    """
    if f0 <= 0 or f1 <= 0:
        raise ValueError(f"f0={f0} and f1={f1} must be positive: an exponential glide never reaches 0 Hz")
    t = _times(sr, duration)
    if f0 == f1:
        return amp * np.sin(2 * np.pi * f0 * t)
    rate = np.log(f1 / f0) / duration
    return amp * np.sin(2 * np.pi * f0 * np.expm1(rate * t) / rate)


def harmonics(f0: float, *, sr: float, duration: float, n: int = 10, amp: float = 0.5) -> np.ndarray:
    r"""Return the first partials of a sawtooth: :math:`\sum_{k=1}^{n} \frac{A}{k} \sin(2\pi k f_0 t)`.

    Parameters
    ----------
    f0 : float
        Fundamental frequency [Hz].
    sr, duration : float
        Sampling rate [Hz] and length [s].
    n : int, default 10
        Number of partials; all must lie below ``sr / 2``.
    amp : float, default 0.5
        Peak amplitude A of the first partial [full scale = 1]; the sum stays below 1.86 A.

    Returns
    -------
    np.ndarray, shape (n_samples,)
        The signal.

    Raises
    ------
    ValueError
        If the highest partial reaches ``sr / 2``.
    """
    if f0 <= 0 or n < 1:
        raise ValueError(f"f0={f0} Hz and n={n} must be positive")
    if n * f0 >= sr / 2:
        most = int(np.ceil(sr / 2 / f0)) - 1
        raise ValueError(f"partial {n} of {f0} Hz lies at {n * f0} Hz, not below sr / 2 = {sr / 2:g}; use n <= {most}")
    k = np.arange(1, n + 1)[:, None]
    return amp * np.sum(np.sin(2 * np.pi * k * f0 * _times(sr, duration)) / k, axis=0)


def _at_level(y: np.ndarray, level_db: float) -> np.ndarray:
    """Scale to an RMS of exactly `level_db` (0 dB = RMS 1)."""
    return y * (10 ** (level_db / 20) / np.sqrt(np.mean(y**2)))


def white_noise(*, sr: float, duration: float, level_db: float, seed: int = 0) -> np.ndarray:
    """Return Gaussian noise with equal power in every hertz.

    Parameters
    ----------
    sr, duration : float
        Sampling rate [Hz] and length [s].
    level_db : float
        RMS level of these very samples [dBFS, RMS 1 = 0 dB]. Peaks lie about 12 dB higher.
    seed : int, default 0
        Same seed, same noise.

    Returns
    -------
    np.ndarray, shape (n,)
        The signal.

    Examples
    --------
    >>> y = white_noise(sr=8000, duration=1.0, level_db=-20.0)
    >>> round(float(np.sqrt(np.mean(y**2))), 6)
    0.1
    """
    return _at_level(np.random.default_rng(seed).standard_normal(len(_times(sr, duration))), level_db)


def pink_noise(*, sr: float, duration: float, level_db: float, seed: int = 0) -> np.ndarray:
    """Return Gaussian noise with equal power in every octave: its density falls by 3.01 dB per octave.

    White noise is shaped by 1/sqrt(f) in one DFT over the whole length; 0 Hz is removed.

    Parameters
    ----------
    sr, duration : float
        Sampling rate [Hz] and length [s]; at least two samples.
    level_db : float
        RMS level of these very samples [dBFS, RMS 1 = 0 dB].
    seed : int, default 0
        Same seed, same noise.

    Returns
    -------
    np.ndarray, shape (n,)
        The signal.

    Raises
    ------
    ValueError
        If there is only one sample.
    """
    n = len(_times(sr, duration))
    if n < 2:
        raise ValueError(f"duration={duration} s holds one sample at sr={sr}; pink noise needs at least two")
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return _at_level(np.fft.irfft(spectrum, n), level_db)


def click(*, sr: float, duration: float, at: float, amp: float = 1.0) -> np.ndarray:
    """Return silence with one sample in it: the shortest sound there is, with all frequencies equally strong.

    Parameters
    ----------
    sr, duration : float
        Sampling rate [Hz] and length [s].
    at : float
        Time of the click [s], rounded to the nearest sample.
    amp : float, default 1.0
        Value of that sample [full scale = 1].

    Returns
    -------
    np.ndarray, shape (n,)
        The signal.

    Raises
    ------
    ValueError
        If `at` lies outside the signal.

    Examples
    --------
    >>> click(sr=4, duration=1.0, at=0.5)
    array([0., 0., 1., 0.])
    """
    y = np.zeros(len(_times(sr, duration)))
    where = round(at * sr)
    if not 0 <= where < len(y):
        raise ValueError(f"at={at} s lies outside the signal, which lasts {duration} s")
    y[where] = amp
    return y


def fade(y: np.ndarray, *, sr: float, ms: float = 20.0) -> np.ndarray:
    r"""Fade in and out with raised cosines, so that a sound does not start or end with a click.

    The first half of a Hann window of 2m + 1 points comes in, its mirror image goes out: both ends are exactly 0.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal.
    sr : float
        Sampling rate [Hz].
    ms : float, default 20.0
        Length of each fade [ms].

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        A faded copy, same dtype.

    Raises
    ------
    ValueError
        If two fades do not fit into `y`.

    Examples
    --------
    >>> fade(np.ones(7), sr=1000, ms=2.0)
    array([0. , 0.5, 1. , 1. , 1. , 0.5, 0. ])
    """
    y = check(y)
    m, n = round(sr * ms / 1000), y.shape[-1]
    if ms < 0 or 2 * m > n:
        raise ValueError(f"two fades of {ms} ms do not fit into {1000 * n / sr:g} ms; the longest is {500 * n / sr:g}")
    gain = np.ones(n, dtype=y.dtype)
    gain[:m] = 0.5 - 0.5 * np.cos(np.pi * np.arange(m) / max(m, 1))
    return y * gain * gain[::-1]
