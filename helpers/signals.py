"""Test signals with known answers, fades, and two ways to spend few bits: uniform steps and mu-law.

Every signal is float64, mono, shape (n,), with ``n = round(sr * duration)`` for positive `sr` [Hz],
`duration` [s]. Nothing here clips or filters: a tone above ``sr / 2`` aliases, because hearing that
is a point of unit 10. What makes no such signal or code raises ValueError: rates and durations that
are not positive, partials beyond half the rate, clicks and fades that do not fit, numbers of bits
that are none.
"""

import numpy as np

from helpers._checks import check, check_sr, check_whole

__all__ = [
    "click",
    "fade",
    "harmonics",
    "mu_law_decode",
    "mu_law_encode",
    "quantize",
    "sine",
    "sweep",
]
__all__ += ["white_noise"]


def quantize(y: np.ndarray, *, bits: int, dither: bool = False, seed: int = 0) -> np.ndarray:
    """Round to the ``2**bits`` values that a signed integer of that many bits can hold (mid-tread:
    0 is one of them).

    The step is ``q = 2**(1 - bits)``; values are clipped to -1 ... 1 - q. Without dither a
    full-scale sine keeps an SNR of about 6.02 bits + 1.76 dB.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1].
    bits : int
        Number of bits, 1 to 24.
    dither : bool, default False
        Add triangular noise, 2 q peak to peak, before rounding: the error then no longer follows
        the signal, and its power is q**2 / 4 instead of about q**2 / 12.
    seed : int, default 0
        Seed of the dither.

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        Quantised copy, same dtype, still with full scale 1.

    References
    ----------
    .. [1] S. P. Lipshitz, R. A. Wannamaker and J. Vanderkooy, "Quantization and dither: a
       theoretical survey", J. Audio Eng. Soc. 40(5), 1992.

    Examples
    --------
    >>> quantize(np.array([-1.0, -0.2, 0.1, 0.3, 1.0]), bits=3)
    array([-1.  , -0.25,  0.  ,  0.25,  0.75])
    """
    y = check(y)
    bits = check_whole(bits, name="bits", low=1, high=24, remedy="such as 16")
    q = 2.0 ** (1 - bits)
    rng = np.random.default_rng(seed)
    noise = q * (rng.random(y.shape) - rng.random(y.shape)) if dither else 0.0
    return np.clip(q * np.round((y + noise) / q), -1, 1 - q).astype(y.dtype)


def mu_law_encode(y: np.ndarray, *, mu: int = 255) -> np.ndarray:
    r"""Compress to ``mu + 1`` codes whose steps grow with the amplitude, as telephones and WaveNet
    do.

    .. math:: F(y) = \mathrm{sgn}(y)\,\frac{\ln(1 + \mu |y|)}{\ln(1 + \mu)}, \qquad
       c = \left\lfloor \frac{F(y) + 1}{2}\,\mu + \frac{1}{2} \right\rfloor

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal between -1 and 1.
    mu : int, default 255
        Highest code; 255 means 8 bits.

    Returns
    -------
    np.ndarray of int, shape (n,) or (channels, n)
        Codes from 0 to `mu`.

    See Also
    --------
    librosa.mu_compress

    Examples
    --------
    >>> mu_law_encode(np.array([-1.0, 0.0, 0.01, 1.0]))
    array([  0, 128, 157, 255])
    """
    y = check(y)
    mu = check_whole(mu, name="mu", low=1, remedy="255 for 8 bits")
    peak = np.abs(y).max()
    if peak > 1:
        raise ValueError(
            f"y peaks at {peak:.3f}, but mu-law codes reach only to 1; scale it first: "
            "y / np.abs(y).max()"
        )
    compressed = np.sign(y) * np.log1p(mu * np.abs(y, dtype=np.float64)) / np.log1p(mu)
    return np.floor((compressed + 1) / 2 * mu + 0.5).astype(np.int64)


def mu_law_decode(codes: np.ndarray, *, mu: int = 255) -> np.ndarray:
    """Expand mu-law codes: the inverse of `mu_law_encode` up to its rounding.

    Parameters
    ----------
    codes : np.ndarray of int, shape (n,) or (channels, n)
        Codes from 0 to `mu`.
    mu : int, default 255
        Highest code.

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        Signal between -1 and 1, float64. With an odd `mu`, as in 8 bits, no code means exactly 0.

    See Also
    --------
    librosa.mu_expand

    Examples
    --------
    >>> mu_law_decode(np.array([0, 255]))
    array([-1.,  1.])
    """
    codes = np.asarray(codes)
    mu = check_whole(mu, name="mu", low=1, remedy="255 for 8 bits")
    if codes.dtype.kind not in "iu" or codes.size == 0 or codes.min() < 0 or codes.max() > mu:
        raise ValueError(
            f"codes must be integers from 0 to {mu}, got {codes.dtype} of shape {codes.shape}"
        )
    compressed = 2.0 * codes / mu - 1
    return np.sign(compressed) * np.expm1(np.abs(compressed) * np.log1p(mu)) / mu


def _times(sr: float, duration: float) -> np.ndarray:
    """Return the sample times [s]; any positive rate, so that a drawing can use 20 Hz."""
    check_sr(sr)
    if not (np.isfinite(duration) and duration > 0 and round(sr * duration) >= 1):
        raise ValueError(
            f"duration={duration} s must be positive and hold at least one sample at sr={sr}"
        )
    return np.arange(round(sr * duration)) / sr


def sine(
    freq: float, *, sr: float, duration: float, amp: float = 1.0, phase: float = 0.0
) -> np.ndarray:
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

    .. math:: f(t) = f_0\,(f_1/f_0)^{t/T}, \qquad
       \varphi(t) = 2\pi f_0 T\,\frac{(f_1/f_0)^{t/T} - 1}{\ln(f_1/f_0)}

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
    """
    if f0 <= 0 or f1 <= 0:
        raise ValueError(
            f"f0={f0} and f1={f1} must be positive: an exponential glide never reaches 0 Hz"
        )
    t = _times(sr, duration)
    if f0 == f1:
        return amp * np.sin(2 * np.pi * f0 * t)
    rate = np.log(f1 / f0) / duration
    return amp * np.sin(2 * np.pi * f0 * np.expm1(rate * t) / rate)


def harmonics(
    f0: float, *, sr: float, duration: float, n: int = 10, amp: float = 0.5
) -> np.ndarray:
    r"""Return the first partials of a sawtooth: :math:`\sum_{k=1}^{n} \frac{A}{k} \sin(2\pi k f_0
    t)`.

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
    """
    if f0 <= 0 or n < 1:
        raise ValueError(f"f0={f0} Hz and n={n} must be positive")
    if n * f0 >= sr / 2:
        most = int(np.ceil(sr / 2 / f0)) - 1
        raise ValueError(
            f"partial {n} of {f0} Hz lies at {n * f0} Hz, not below sr / 2 = {sr / 2:g}; use n <= "
            f"{most}"
        )
    k = np.arange(1, n + 1)[:, None]
    return amp * np.sum(np.sin(2 * np.pi * k * f0 * _times(sr, duration)) / k, axis=0)


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
    y = np.random.default_rng(seed).standard_normal(len(_times(sr, duration)))
    return y * (10 ** (level_db / 20) / np.sqrt(np.mean(y**2)))


def click(*, sr: float, duration: float, at: float, amp: float = 1.0) -> np.ndarray:
    """Return silence with one sample in it: the shortest sound there is, with all frequencies
    equally strong.

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

    The first half of a Hann window of 2m + 1 points comes in, its mirror image goes out: both ends
    are exactly 0.

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

    Examples
    --------
    >>> fade(np.ones(7), sr=1000, ms=2.0)
    array([0. , 0.5, 1. , 1. , 1. , 0.5, 0. ])
    """
    y = check(y)
    m = round(sr * ms / 1000)
    n = y.shape[-1]
    if ms < 0 or 2 * m > n:
        raise ValueError(
            f"two fades of {ms} ms do not fit into {1000 * n / sr:g} ms; the longest is "
            f"{500 * n / sr:g}"
        )
    gain = np.ones(n, dtype=y.dtype)
    gain[:m] = 0.5 - 0.5 * np.cos(np.pi * np.arange(m) / max(m, 1))
    return y * gain * gain[::-1]
