"""Levels in decibels; `helpers.metrics` passes the names on.

Every level states its reference. dBFS here means 0 dBFS = amplitude 1, for RMS and peak alike: a full-scale sine has a
peak of 0 dBFS and an RMS level of -3.01 dBFS. Signals are (n,), which gives a float, or (channels, n), which gives one
value per channel.
"""

import numpy as np

from helpers.checks import check


def amplitude_to_db(a: np.ndarray, *, ref: float = 1.0, floor_db: float = -120.0) -> np.ndarray:
    r"""Turn amplitudes into decibels: :math:`20 \log_{10}(|a| / \mathrm{ref})`.

    Parameters
    ----------
    a : array_like, any shape
        Amplitudes, RMS values or magnitudes; complex ones count with their magnitude.
    ref : float, default 1.0
        Amplitude that reads 0 dB.
    floor_db : float, default -120.0
        Lowest value returned [dB], because the logarithm of 0 is minus infinity.

    Returns
    -------
    np.ndarray or float, shape of `a`
        Level [dB re `ref`].

    Raises
    ------
    ValueError
        If `ref` is not positive.

    See Also
    --------
    librosa.amplitude_to_db

    Examples
    --------
    >>> amplitude_to_db([1.0, 0.1, 0.0])
    array([   0.,  -20., -120.])
    """
    return power_to_db(np.abs(a) ** 2, ref=_positive(ref) ** 2, floor_db=floor_db)


def power_to_db(power: np.ndarray, *, ref: float = 1.0, floor_db: float = -120.0) -> np.ndarray:
    r"""Turn powers into decibels: :math:`10 \log_{10}(p / \mathrm{ref})`.

    Parameters
    ----------
    power : array_like, any shape
        Powers, mean squares or squared magnitudes.
    ref : float, default 1.0
        Power that reads 0 dB.
    floor_db : float, default -120.0
        Lowest value returned [dB].

    Returns
    -------
    np.ndarray or float, shape of `power`
        Level [dB re `ref`].

    Raises
    ------
    ValueError
        If a power is negative or `ref` is not positive.

    See Also
    --------
    librosa.power_to_db

    Examples
    --------
    >>> power_to_db([1.0, 0.1, 0.0])
    array([   0.,  -10., -120.])
    """
    power = np.asarray(power, dtype=np.float64)
    if np.any(power < 0):
        raise ValueError(f"a power of {power.min():g} is negative; for amplitudes use amplitude_to_db")
    return 10 * np.log10(np.maximum(power / _positive(ref), 10 ** (floor_db / 10)))[()]


def db_to_amplitude(db: np.ndarray) -> np.ndarray:
    """Turn decibels into an amplitude ratio, ``10 ** (db / 20)``.

    Parameters
    ----------
    db : array_like, any shape
        Level [dB].

    Returns
    -------
    np.ndarray or float, shape of `db`
        Amplitude ratio.

    Examples
    --------
    >>> db_to_amplitude([0.0, -20.0])
    array([1. , 0.1])
    """
    return 10 ** (np.asarray(db, dtype=np.float64) / 20)


def rms(y: np.ndarray) -> np.ndarray:
    """Return the root of the mean square.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        RMS value [full scale = 1].

    Examples
    --------
    >>> float(rms(np.array([0.5, -0.5, 0.5, -0.5])))
    0.5
    """
    return np.sqrt(np.mean(np.square(check(y), dtype=np.float64), axis=-1))


def level_db(y: np.ndarray) -> np.ndarray:
    """Return the RMS level; a sine of amplitude 1 reads -3.01 dBFS, silence -120.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Level [dBFS, RMS 1 = 0 dBFS].

    Examples
    --------
    >>> float(level_db(np.array([0.1, -0.1])).round(6))
    -20.0
    """
    return amplitude_to_db(rms(y))


def peak_db(y: np.ndarray) -> np.ndarray:
    """Return the level of the largest sample; silence reads -120.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        Signal [full scale = 1].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Sample peak [dBFS]. The curve between the samples can be higher.

    Examples
    --------
    >>> float(peak_db(np.array([0.1, -1.0])))
    0.0
    """
    return amplitude_to_db(np.abs(check(y)).max(axis=-1))


def _positive(ref: float) -> float:
    if not ref > 0:
        raise ValueError(f"ref={ref} must be positive: it is the value that reads 0 dB")
    return ref
