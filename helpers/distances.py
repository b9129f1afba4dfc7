"""How far two sounds are apart in their magnitude spectrograms, where phase does not count.

`helpers.metrics` passes the names on. Signals are (n,), which gives a float, or (channels, n), one value per channel.
"""

import numpy as np

from helpers.checks import check
from helpers.stft import stft

RANGE_DB = 80.0  # what lies deeper below the loudest bin of the target counts as that deep: the log of 0 is infinite


def log_spectral_distance(
    estimate: np.ndarray, target: np.ndarray, *, n_fft: int = 1024, hop_length: int = 256
) -> np.ndarray:
    r"""Return the distance of levels: the RMS over the bins of a frame, averaged over the M frames.

    .. math:: \mathrm{LSD} = \frac{1}{M} \sum_m
       \sqrt{\frac{1}{K} \sum_k \left( 20 \lg \lvert\hat S[k, m]\rvert - 20 \lg \lvert S[k, m]\rvert \right)^2}

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.
    n_fft, hop_length : int
        Frame and step of the STFT (Hann window); distances compare only at equal ones [samples].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Distance [dB]; 0 for equal magnitudes. Levels more than 80 dB below the target's loudest bin count as 80 dB.

    Raises
    ------
    ValueError
        If the shapes differ or the target is silent.

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

    .. math:: 20 \lg \frac{\bigl\lVert \lvert\hat S\rvert - \lvert S\rvert \bigr\rVert}{\lVert S \rVert}

    Parameters
    ----------
    estimate, target : np.ndarray, shape (n,) or (channels, n)
        What came out and what should have.
    n_fft, hop_length : int
        Frame and step of the STFT (Hann window); errors compare only at equal ones [samples].

    Returns
    -------
    float, or np.ndarray of shape (channels,)
        Error [dB re the norm of the target]; minus infinity for equal magnitudes, 0 for a silent estimate.

    Raises
    ------
    ValueError
        If the shapes differ or the target is silent.

    Examples
    --------
    >>> y = np.sin(np.arange(4000))
    >>> float(spectral_convergence_db(1.1 * y, y).round(6))
    -20.0
    """
    S_hat, S = _magnitudes(estimate, target, n_fft, hop_length)
    with np.errstate(divide="ignore"):
        return 20 * np.log10(np.linalg.norm(S_hat - S, axis=(-2, -1)) / np.linalg.norm(S, axis=(-2, -1)))


def _magnitudes(estimate, target, n_fft: int, hop_length: int) -> tuple[np.ndarray, np.ndarray]:
    pair = check(estimate, name="estimate"), check(target, name="target")
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"estimate has shape {pair[0].shape} but target {pair[1].shape}; cut both to the same length")
    if not np.all(np.any(pair[1], axis=-1)):
        raise ValueError("target is silent, so there is no level to refer to; leave such clips out of the average")
    return tuple(np.abs(stft(y.astype(np.float64), n_fft=n_fft, hop_length=hop_length)) for y in pair)
