"""Levels in decibels, and how far an estimate is from its target, with its phase or without.

Every level states its reference. dBFS here means 0 dBFS = amplitude 1, for RMS and peak alike: a
full-scale sine has a peak of 0 dBFS and an RMS level of -3.01 dBFS. Signals are (n,), which gives a
float, or (channels, n), which gives one value per channel. Pairs of unequal shapes, silent targets
and references that are not positive raise ValueError, a missing package ImportError.
"""

import warnings

import numpy as np

from helpers._checks import as_array, check, check_numbers, check_positive, check_rate, is_number
from helpers.audio import resample
from helpers.stft import stft

__all__ = [
    "active_level_db",
    "amplitude_to_db",
    "db_to_amplitude",
    "level_db",
    "log_spectral_distance",
    "peak_db",
    "pesq",
]
__all__ += ["power_to_db", "rms", "si_sdr", "snr", "spectral_convergence_db", "stoi"]


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

    See Also
    --------
    librosa.amplitude_to_db

    Examples
    --------
    >>> amplitude_to_db([1.0, 0.1, 0.0])
    array([   0.,  -20., -120.])
    """
    a = as_array(a, name="a")
    if a.dtype.kind == "c":
        a = np.abs(a.astype(np.complex128))
    a = check_numbers(a, name="a").astype(np.float64)  # small types overflow when they are squared
    return power_to_db(a**2, ref=check_positive(ref, name="ref") ** 2, floor_db=floor_db)


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

    See Also
    --------
    librosa.power_to_db

    Examples
    --------
    >>> power_to_db([1.0, 0.1, 0.0])
    array([   0.,  -10., -120.])
    """
    power = check_numbers(power, name="power").astype(np.float64)
    if not is_number(floor_db):
        raise ValueError(f"floor_db={floor_db!r} must be a number of decibels, such as -120")
    if np.any(power < 0):
        raise ValueError(
            f"a power of {power.min():g} is negative; for amplitudes use amplitude_to_db"
        )
    relative = power / check_positive(ref, name="ref", what="number: it is what reads 0 dB")
    return 10 * np.log10(np.maximum(relative, 10 ** (floor_db / 10)))[()]


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
    return 10 ** (check_numbers(db, name="db").astype(np.float64) / 20)


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


def active_level_db(y: np.ndarray) -> float:
    """Return the level of the frames in which something happens: those at most 30 dB under the
    loudest.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Signal [full scale = 1], at 16 kHz; frames of 20 ms count.

    Returns
    -------
    float
        Level [dBFS, a full-scale square wave is 0]; -inf for silence.

    Examples
    --------
    >>> pause = np.zeros(16000)
    >>> round(active_level_db(np.concatenate([pause, 0.1 * np.ones(16000)])), 2)
    -20.0
    """
    frames = y[: len(y) // 320 * 320].reshape(-1, 320) if len(y) >= 320 else y[None]
    power = np.mean(np.square(frames, dtype=np.float64), axis=-1)
    if not power.any():
        return -np.inf
    return float(10 * np.log10(power[power >= 1e-3 * power.max()].mean()))


# what lies deeper below the loudest bin of the target counts as that deep: the log of 0 is infinite
RANGE_DB = 80.0


def log_spectral_distance(
    estimate: np.ndarray, target: np.ndarray, *, n_fft: int = 1024, hop_length: int = 256
) -> np.ndarray:
    r"""Return the distance of levels: the RMS over the bins of a frame, averaged over the M frames.

    .. math:: \mathrm{LSD} = \frac{1}{M} \sum_m
       \sqrt{\frac{1}{K} \sum_k \left( 20 \lg \lvert\hat S[k, m]\rvert
       - 20 \lg \lvert S[k, m]\rvert \right)^2}

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.
    n_fft, hop_length : int
        Frame and step of the STFT (Hann window); distances compare only at equal ones [samples].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Distance [dB]; 0 for equal magnitudes. Levels more than 80 dB below the target's loudest bin
        count as 80 dB.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=4000)
    >>> float(log_spectral_distance(10 * noise, noise, n_fft=256).round(6))
    20.0
    """
    S_hat, S = _magnitudes(estimate, target, n_fft, hop_length)
    floor = 10 ** (-RANGE_DB / 20) * S.max(axis=(-2, -1), keepdims=True)
    difference_db = 20 * np.log10(np.maximum(S_hat, floor) / np.maximum(S, floor))
    return np.mean(np.sqrt(np.mean(difference_db**2, axis=-2)), axis=-1)


def spectral_convergence_db(
    estimate: np.ndarray, target: np.ndarray, *, n_fft: int = 1024, hop_length: int = 256
) -> np.ndarray:
    r"""Return the relative error of the magnitudes, which the loud bins decide.

    .. math::

       20 \lg \frac{\bigl\lVert \lvert\hat S\rvert - \lvert S\rvert \bigr\rVert}{\lVert S \rVert}

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.
    n_fft, hop_length : int
        Frame and step of the STFT (Hann window); errors compare only at equal ones [samples].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Error [dB re the norm of the target]; minus infinity for equal magnitudes, 0 for a silent
        estimate.

    Examples
    --------
    >>> y = np.sin(np.arange(4000))
    >>> float(spectral_convergence_db(1.1 * y, y).round(6))
    -20.0
    """
    S_hat, S = _magnitudes(estimate, target, n_fft, hop_length)
    error = np.linalg.norm(S_hat - S, axis=(-2, -1)) / np.linalg.norm(S, axis=(-2, -1))
    with np.errstate(divide="ignore"):
        return 20 * np.log10(error)


def _magnitudes(estimate, target, n_fft: int, hop_length: int) -> list[np.ndarray]:
    pair = _pair(estimate, target)
    return [np.abs(stft(y, n_fft=n_fft, hop_length=hop_length)) for y in pair]


def snr(estimate: np.ndarray, target: np.ndarray) -> np.ndarray:
    r"""Return the signal-to-noise ratio: :math:`10 \log_{10}(\lVert s \rVert^2 / \lVert \hat s - s
    \rVert^2)`.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Ratio [dB]; infinite when they are equal.

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
       \mathrm{SI\text{-}SDR} = 10 \log_{10}
       \frac{\lVert \alpha s \rVert^2}{\lVert \alpha s - \hat s \rVert^2}

    It cannot tell a gain or a flipped sign from a perfect estimate. The mean is not removed, so a
    constant offset counts as distortion.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Ratio [dB]; infinite for a scaled copy, minus infinite for a silent or orthogonal estimate.

    References
    ----------
    .. [1] J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR - half-baked or well done?",
       ICASSP 2019.

    Examples
    --------
    >>> float(si_sdr(np.array([2.5, 0.0, 2.0, 8.0]), np.array([3.0, -0.5, 2.0, 7.0])).round(4))
    18.403
    """
    e, s = _pair(estimate, target)
    # the target, scaled to fit the estimate best
    alpha = np.sum(e * s, axis=-1, keepdims=True) / np.sum(s * s, axis=-1, keepdims=True)
    return _ratio_db(alpha * s, e - alpha * s)


def _pair(estimate: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e = check(estimate, name="estimate")
    s = check(target, name="target")
    if e.shape != s.shape:
        raise ValueError(
            f"estimate has shape {e.shape} but target {s.shape}; cut both to the same length"
        )
    if not np.all(np.any(s, axis=-1)):
        raise ValueError(
            "target is silent, so there is no level to refer to; leave such clips out of the "
            "average"
        )
    return e.astype(np.float64), s.astype(np.float64)


def _ratio_db(kept: np.ndarray, lost: np.ndarray) -> np.ndarray:
    kept = np.sum(kept**2, axis=-1)
    lost = np.sum(lost**2, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10(kept / lost)
    # of a silent estimate nothing is kept
    return np.where((kept == 0) & (lost == 0), -np.inf, ratio)[()]


# An utterance of PESQ lasts at least 200 ms, and so does the pause before the next one: 50 of them,
# for which its tables have room, need at least 19.8 s.
PESQ_LONGEST_S = 19.0


def pesq(estimate: np.ndarray, target: np.ndarray, *, sr: int) -> float:
    """Return wide-band PESQ (ITU-T P.862.2) from the package `pesq`; signals at another rate are
    resampled to 16 kHz.

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,)
        What came out and what should have; speech, from a quarter of a second to 19 seconds: the
        tables in the package's C code have room for 50 utterances, and it does not check.
    sr : int
        Sampling rate of both [Hz].

    Returns
    -------
    float
        Predicted mean opinion score, from 1.04 (bad) to 4.64 (no difference).
    """
    try:
        import pesq as package
    except ImportError as error:
        raise ImportError(
            _MISSING.format(name="pesq", what="PESQ", why="; that needs a C compiler")
        ) from error
    e, s = _speech(estimate, target)
    seconds = len(s) / check_rate(sr)
    if seconds > PESQ_LONGEST_S:
        raise ValueError(
            f"PESQ has room for 50 utterances, and {seconds:.1f} s can hold more; give parts of at "
            f"most {PESQ_LONGEST_S:.0f} s and take the mean of their scores"
        )
    if not e.any():
        raise ValueError(
            "estimate is silent, so PESQ has no score; leave such clips out of the mean"
        )
    if sr != 16000:
        e, s = (resample(y, sr=sr, to=16000) for y in (e, s))
    try:
        return float(package.pesq(16000, s, e, "wb"))
    except package.PesqError as error:
        raise ValueError(
            f"PESQ finds no score: {error}; pass at least 0.25 s with speech in both signals"
        ) from error


def stoi(estimate: np.ndarray, target: np.ndarray, *, sr: int) -> float:
    """Return the short-time objective intelligibility from the package `pystoi`, which resamples to
    10 kHz itself.

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

    References
    ----------
    .. [1] C. H. Taal, R. C. Hendriks, R. Heusdens and J. Jensen, "An algorithm for intelligibility
       prediction of time-frequency weighted noisy speech", IEEE Trans. Audio Speech Lang. Process.
       19(7), 2011.
    """
    try:
        import pystoi
    except ImportError as error:
        raise ImportError(_MISSING.format(name="pystoi", what="STOI", why="")) from error
    e, s = _speech(estimate, target)
    try:
        with warnings.catch_warnings():
            # pystoi warns and returns 0.00001 for too little speech
            warnings.simplefilter("error", RuntimeWarning)
            return float(pystoi.stoi(s, e, check_rate(sr)))
    except (RuntimeWarning, np.exceptions.AxisError) as error:
        raise ValueError(
            "STOI needs at least 0.4 s of speech in the target; pass a longer part"
        ) from error


_MISSING = (
    "{what} needs the package {name}: run `python -m pip install {name}`{why}. SI-SDR works "
    "without it"
)


def _speech(estimate: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e, s = _pair(estimate, target)
    if e.ndim != 1:
        raise ValueError(f"pass one channel at a time, shape (n,), not {e.shape}")
    return e, s
