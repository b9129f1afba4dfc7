"""How far an estimate is from its target; with `helpers.levels` and `helpers.distances`.

Signals are (n,), which gives a float, or (channels, n), which gives one value per channel.
"""

import warnings

import numpy as np

from helpers.checks import check, check_rate
from helpers.distances import log_spectral_distance, spectral_convergence_db
from helpers.files import resample
from helpers.levels import amplitude_to_db, db_to_amplitude, level_db, peak_db, power_to_db, rms

__all__ = ["amplitude_to_db", "db_to_amplitude", "esr", "level_db", "log_spectral_distance", "peak_db", "pesq"]
__all__ += ["power_to_db", "rms", "sd_sdr", "si_sdr", "snr", "spectral_convergence_db", "stoi"]


def snr(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    r"""Return the signal-to-noise ratio: :math:`10 \log_{10}(\lVert s \rVert^2 / \lVert \hat s - s \rVert^2)`.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Ratio [dB]; infinite when they are equal.

    Raises
    ------
    ValueError
        If the shapes differ or the target is silent.

    Examples
    --------
    >>> float(snr(np.array([0.9, -0.9]), np.array([1.0, -1.0])).round(6))
    20.0
    """
    e, s = _pair(estimate, target)
    return _ratio_db(s, e - s)


def si_sdr(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    r"""Return the scale-invariant signal-to-distortion ratio.

    The target is scaled to fit the estimate best; what remains is distortion:

    .. math:: \alpha = \frac{\langle \hat s, s \rangle}{\lVert s \rVert^2}, \qquad
       \mathrm{SI\text{-}SDR} = 10 \log_{10} \frac{\lVert \alpha s \rVert^2}{\lVert \alpha s - \hat s \rVert^2}

    It cannot tell a gain or a flipped sign from a perfect estimate. The mean is not removed, so a constant offset
    counts as distortion.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Ratio [dB]; infinite for a scaled copy, minus infinite for a silent or orthogonal estimate.

    Raises
    ------
    ValueError
        If the shapes differ or the target is silent.

    References
    ----------
    .. [1] J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019.

    Examples
    --------
    >>> float(si_sdr(np.array([2.5, 0.0, 2.0, 8.0]), np.array([3.0, -0.5, 2.0, 7.0])).round(4))
    18.403
    """
    e, s = _pair(estimate, target)
    alpha = np.sum(e * s, axis=-1, keepdims=True) / np.sum(s * s, axis=-1, keepdims=True)
    return _ratio_db(alpha * s, e - alpha * s)


def sd_sdr(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    r"""Return the scale-dependent SDR: :math:`10 \log_{10}(\lVert \alpha s \rVert^2 / \lVert \hat s - s \rVert^2)`.

    As `si_sdr`, but a wrong gain counts as distortion.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Ratio [dB]; infinite when they are equal, minus infinite for a silent or orthogonal estimate.

    Raises
    ------
    ValueError
        If the shapes differ or the target is silent.

    References
    ----------
    .. [1] J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019.

    Examples
    --------
    >>> float(sd_sdr(np.array([0.5, -0.5]), np.array([1.0, -1.0])))
    0.0
    """
    e, s = _pair(estimate, target)
    alpha = np.sum(e * s, axis=-1, keepdims=True) / np.sum(s * s, axis=-1, keepdims=True)
    return _ratio_db(alpha * s, e - s)


def esr(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    r"""Return the error-to-signal ratio: :math:`\lVert \hat s - s \rVert^2 / \lVert s \rVert^2`, the SNR upside down.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Ratio of energies: 0 when they are equal, 1 for a silent estimate.

    Raises
    ------
    ValueError
        If the shapes differ or the target is silent.

    Examples
    --------
    >>> float(esr(np.array([0.9, -0.9]), np.array([1.0, -1.0])).round(6))
    0.01
    """
    e, s = _pair(estimate, target)
    return np.sum((e - s) ** 2, axis=-1) / np.sum(s**2, axis=-1)


def _pair(estimate: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e, s = check(estimate, name="estimate"), check(target, name="target")
    if e.shape != s.shape:
        raise ValueError(f"estimate has shape {e.shape} but target {s.shape}; cut both to the same length")
    if not np.all(np.any(s, axis=-1)):
        raise ValueError("target is silent, so no ratio to it exists; leave such clips out of the average")
    return e.astype(np.float64), s.astype(np.float64)


def _ratio_db(kept: np.ndarray, lost: np.ndarray) -> np.ndarray:
    kept, lost = np.sum(kept**2, axis=-1), np.sum(lost**2, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10(kept / lost)
    return np.where((kept == 0) & (lost == 0), -np.inf, ratio)[()]  # a silent estimate: nothing kept


def pesq(estimate: np.ndarray, target: np.ndarray, *, sr: int) -> float:
    """Return wide-band PESQ (ITU-T P.862.2) from the package `pesq`; signals at another rate are resampled to 16 kHz.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,)
        What came out and what should have; speech, at least a quarter of a second.
    sr : int
        Sampling rate of both [Hz].

    Returns
    -------
    float
        Predicted mean opinion score, from 1.04 (bad) to 4.64 (no difference).

    Raises
    ------
    ImportError
        If the package is not installed.
    ValueError
        If the signals are not mono, too short, or no speech is found in them.
    """
    try:
        import pesq as package
    except ImportError as error:
        raise ImportError(_MISSING.format(name="pesq", what="PESQ", why="; that needs a C compiler")) from error
    e, s = _speech(estimate, target)
    if check_rate(sr) != 16000:
        e, s = (resample(y, sr=sr, to=16000) for y in (e, s))
    try:
        return float(package.pesq(16000, s, e, "wb"))
    except package.PesqError as error:
        raise ValueError(f"PESQ finds no score: {error}; pass at least 0.25 s with speech in both signals") from error


def stoi(estimate: np.ndarray, target: np.ndarray, *, sr: int) -> float:
    """Return the short-time objective intelligibility from the package `pystoi`, which resamples to 10 kHz itself.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,)
        What came out and what should have; speech, at least 0.4 s of it.
    sr : int
        Sampling rate of both [Hz].

    Returns
    -------
    float
        Intelligibility, about 0 (none) to 1 (all).

    Raises
    ------
    ImportError
        If the package is not installed.
    ValueError
        If the signals are not mono or hold less than 0.4 s of speech.

    References
    ----------
    .. [1] C. H. Taal, R. C. Hendriks, R. Heusdens and J. Jensen, "An algorithm for intelligibility prediction of
       time-frequency weighted noisy speech", IEEE Trans. Audio Speech Lang. Process. 19(7), 2011.
    """
    try:
        import pystoi
    except ImportError as error:
        raise ImportError(_MISSING.format(name="pystoi", what="STOI", why="")) from error
    e, s = _speech(estimate, target)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # pystoi warns and returns 0.00001 for too little speech
            return float(pystoi.stoi(s, e, check_rate(sr)))
    except RuntimeWarning as error:
        raise ValueError("STOI needs at least 0.4 s of speech in the target; pass a longer part") from error


_MISSING = "{what} needs the package {name}: run `python -m pip install {name}`{why}. SI-SDR works without it"


def _speech(estimate: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e, s = _pair(estimate, target)
    if e.ndim != 1:
        raise ValueError(f"pass one channel at a time, shape (n,), not {e.shape}")
    return e, s
