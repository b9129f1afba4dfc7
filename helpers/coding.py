"""Two ways to spend few bits, uniform steps and mu-law; `helpers.signals` passes the names on."""

import numpy as np

from helpers.checks import check


def quantize(y: np.ndarray, *, bits: int, dither: bool = False, seed: int = 0) -> np.ndarray:
    """Round to the ``2**bits`` values that a signed integer of that many bits can hold (mid-tread: 0 is one of them).

    The step is ``q = 2**(1 - bits)``; values are clipped to -1 ... 1 - q. Without dither a full-scale sine keeps an
    SNR of about 6.02 bits + 1.76 dB.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1].
    bits : int
        Number of bits, 1 to 24.
    dither : bool, default False
        Add triangular noise, 2 q peak to peak, before rounding: the error then no longer follows the signal, and its
        power is q**2 / 4 instead of about q**2 / 12.
    seed : int, default 0
        Seed of the dither.

    Returns
    -------
    np.ndarray, shape (n,) or (channels, n)
        Quantised copy, same dtype, still with full scale 1.

    Raises
    ------
    ValueError
        If `bits` is no whole number from 1 to 24, or `y` is no audio.

    References
    ----------
    .. [1] S. P. Lipshitz, R. A. Wannamaker and J. Vanderkooy, "Quantization and dither: a theoretical survey",
       J. Audio Eng. Soc. 40(5), 1992.

    Examples
    --------
    >>> quantize(np.array([-1.0, -0.2, 0.1, 0.3, 1.0]), bits=3)
    array([-1.  , -0.25,  0.  ,  0.25,  0.75])
    """
    y = check(y)
    if bits != int(bits) or not 1 <= bits <= 24:
        raise ValueError(f"bits={bits} must be a whole number from 1 to 24")
    q = 2.0 ** (1 - int(bits))
    rng = np.random.default_rng(seed)
    noise = q * (rng.random(y.shape) - rng.random(y.shape)) if dither else 0.0
    return np.clip(q * np.round((y + noise) / q), -1, 1 - q).astype(y.dtype)


def mu_law_encode(y: np.ndarray, *, mu: int = 255) -> np.ndarray:
    r"""Compress to ``mu + 1`` codes whose steps grow with the amplitude, as telephones and WaveNet do.

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

    Raises
    ------
    ValueError
        If `y` goes beyond +-1 or `mu` is no positive whole number.

    See Also
    --------
    librosa.mu_compress

    Examples
    --------
    >>> mu_law_encode(np.array([-1.0, 0.0, 0.01, 1.0]))
    array([  0, 128, 157, 255])
    """
    y, mu = check(y), _whole_mu(mu)
    peak = np.abs(y).max()
    if peak > 1:
        raise ValueError(f"y peaks at {peak:.3f}, but mu-law codes reach only to 1; scale it first: y / {peak:.3f}")
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

    Raises
    ------
    ValueError
        If `codes` are no integers from 0 to `mu`.

    See Also
    --------
    librosa.mu_expand

    Examples
    --------
    >>> mu_law_decode(np.array([0, 255]))
    array([-1.,  1.])
    """
    codes, mu = np.asarray(codes), _whole_mu(mu)
    if codes.dtype.kind not in "iu" or codes.size == 0 or codes.min() < 0 or codes.max() > mu:
        raise ValueError(f"codes must be integers from 0 to {mu}, got {codes.dtype} of shape {codes.shape}")
    compressed = 2.0 * codes / mu - 1
    return np.sign(compressed) * np.expm1(np.abs(compressed) * np.log1p(mu)) / mu


def _whole_mu(mu: int) -> int:
    if mu != int(mu) or mu < 1:
        raise ValueError(f"mu={mu} must be a positive whole number, such as 255 for 8 bits")
    return int(mu)
