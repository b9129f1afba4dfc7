"""Windows: their samples, what they cost in one spectrum, and how shifted copies of them add up.

A window is a name or tuple for `scipy.signal.get_window` ("hann", ("kaiser", 8.6)), of which the periodic form is
taken, or an array of its own samples. `helpers.spectra` and `helpers.stft` pass the names on.
"""

from typing import NamedTuple

import numpy as np
import scipy.fft

from helpers.checks import check_whole

GRID = 64  # zero padding that finds the nulls and side lobes of a window


class WindowProperties(NamedTuple):
    """What a window costs, from `window_properties`, whose docstring describes the fields."""

    main_lobe_bins: float
    peak_sidelobe_db: float
    enbw_bins: float
    scalloping_db: float
    coherent_gain: float
    bandwidth_3db_bins: float
    bandwidth_6db_bins: float
    worst_case_loss_db: float


class Overlap(NamedTuple):
    """What `overlap_report` found; its docstring describes the fields."""

    cola: bool
    cola_squared: bool
    nola: bool
    ripple: float
    ripple_squared: float
    weakest: float
    correlation: float


def window_samples(window, *, n: int) -> np.ndarray:
    """Return the samples of a window.

    Parameters
    ----------
    window : str, tuple or array_like
        A name such as "hann", a name with its parameters such as ("kaiser", 8.6), or the n samples themselves.
    n : int
        Length [samples].

    Returns
    -------
    np.ndarray, shape (n,)
        The periodic form, the one period of n + 1 symmetric samples that leaves the last one out, as float64.

    Raises
    ------
    ValueError
        If there is no such window, its samples are not n finite real numbers, or they sum to zero.

    Examples
    --------
    >>> window_samples("hann", n=4)
    array([0. , 0.5, 1. , 0.5])
    """
    from scipy.signal import get_window  # a long import that only windows need

    n = check_whole(n, name="n", low=1, remedy="a window needs at least one sample")
    if isinstance(window, str | tuple):
        try:
            w = get_window(window, n)
        except ValueError as error:
            raise ValueError(f"window={window!r}: {error}; try 'hann', 'boxcar' or ('kaiser', 8.6)") from None
    else:
        w = np.asarray(window)
    if w.shape != (n,) or w.dtype.kind not in "iuf" or not np.all(np.isfinite(w)):
        raise ValueError(f"window holds {w.dtype} samples of shape {w.shape}; pass a name, or {n} finite real numbers")
    if abs(w.sum()) < 1e-12 * n:
        raise ValueError(f"window={window!r} of {n} samples sums to zero, so no level can be read; take n > 1")
    return w.astype(np.float64)


def window_properties(window, *, n: int) -> WindowProperties:
    """Return the figures of merit of a window, computed from its transform.

    Parameters
    ----------
    window : str, tuple or array_like
        Any window.
    n : int
        Length [samples].

    Returns
    -------
    WindowProperties
        `main_lobe_bins` (null to null), `peak_sidelobe_db` (re the main lobe), `enbw_bins` (equivalent noise
        bandwidth), `scalloping_db` (loss half-way between two bins), `coherent_gain` (mean of the window),
        `bandwidth_3db_bins`, `bandwidth_6db_bins` (full widths at half power and at half amplitude),
        `worst_case_loss_db` (of a sine against white noise).

    Raises
    ------
    ValueError
        If the window is none, or so short that its transform has no side lobe.

    References
    ----------
    .. [1] F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
       Proc. IEEE 66(1), 1978.

    Examples
    --------
    >>> hann = window_properties("hann", n=1024)
    >>> round(hann.main_lobe_bins, 2), round(hann.peak_sidelobe_db, 1), round(hann.enbw_bins, 2)
    (4.0, -31.5, 1.5)
    """
    from scipy.optimize import brentq, minimize_scalar

    w = window_samples(window, n=n)

    def level(bins):
        return abs(w @ np.exp(-2j * np.pi * bins / n * np.arange(n)) / w.sum())

    lobes = np.abs(scipy.fft.rfft(w, GRID * n)) / abs(w.sum())
    falls = (lobes[1:-1] <= lobes[:-2]) & (lobes[1:-1] < lobes[2:]) & (lobes[1:-1] < 0.5)
    if not falls.any():
        raise ValueError(f"window={window!r} of {n} samples has no side lobe to measure; take a larger n")
    k = int(np.argmax(falls)) + 1
    null = minimize_scalar(level, bounds=((k - 1) / GRID, (k + 1) / GRID), method="bounded", options={"xatol": 1e-9}).x
    widths = [2 * brentq(lambda b, to=to: level(b) - to, 0, null) for to in (0.5**0.5, 0.5)]
    enbw, scalloping = n * np.sum(w**2) / w.sum() ** 2, -20 * np.log10(level(0.5))
    figures = (2 * null, 20 * np.log10(lobes[k:].max()), enbw, scalloping, w.mean(), *widths)
    return WindowProperties(*map(float, (*figures, scalloping + 10 * np.log10(enbw))))


def fold(values: np.ndarray, hop: int) -> np.ndarray:
    """Return the sum of copies of `values` shifted by all multiples of `hop`: one period of `hop` samples."""
    return np.pad(values, (0, -len(values) % hop)).reshape(-1, hop).sum(axis=0)


def check_hop(hop_length, *, n: int) -> int:
    """Return a hop of 1 to `n` samples, the length of the window, or say what is wrong with it."""
    remedy = f"more would leap over samples between windows; {max(1, n // 4)} is a quarter of one"
    return check_whole(hop_length, name="hop_length", low=1, high=n, remedy=remedy)


def cola_ripple(window, *, n: int, hop_length: int, power: int = 1) -> float:
    """Return how far shifted windows are from adding up to a constant.

    Parameters
    ----------
    window : str, tuple or array_like
        Window, as in `helpers.spectra.window_samples`.
    n, hop_length : int
        Length and step [samples].
    power : int, default 1
        1 for windows used once (COLA), 2 for windows used in the STFT and again in its inverse.

    Returns
    -------
    float
        Largest minus smallest sum over the mean sum: 0 for a constant.

    Raises
    ------
    ValueError
        If the window is none, or the hop is 0 or beyond the window.

    See Also
    --------
    scipy.signal.check_COLA

    Examples
    --------
    >>> [round(cola_ripple("hann", n=8, hop_length=4, power=power), 3) for power in (1, 2)]
    [0.0, 0.667]
    """
    w = window_samples(window, n=n)
    sums = fold(w ** check_whole(power, name="power", low=1, remedy="1 or 2"), check_hop(hop_length, n=n))
    return float(np.ptp(sums) / abs(sums.mean())) if sums.mean() else np.inf


def overlap_report(window, *, n: int, hop_length: int) -> Overlap:
    """Return whether shifted windows add up to a constant (COLA), and whether they see every sample (NOLA).

    An inverse by least squares needs NOLA only; COLA is what an inverse without division needs.

    Parameters
    ----------
    window : str, tuple or array_like
        Window, as in `helpers.spectra.window_samples`.
    n, hop_length : int
        Length and step [samples].

    Returns
    -------
    Overlap
        `cola`, `cola_squared`: the window, its square add up to a constant (ripple below 1e-10); `ripple`,
        `ripple_squared`: as of `cola_ripple`; `nola`: the squares add up to more than 1e-10 of their peak everywhere;
        `weakest`: the least such sum [re the peak]; `correlation` of neighbouring frames of white noise.

    Raises
    ------
    ValueError
        If the window is none, or the hop is 0 or beyond the window.

    See Also
    --------
    scipy.signal.check_COLA, scipy.signal.check_NOLA

    Examples
    --------
    >>> report = overlap_report("hann", n=8, hop_length=4)
    >>> report.cola, report.cola_squared, report.nola
    (True, False, True)
    """
    ripple, squared = (cola_ripple(window, n=n, hop_length=hop_length, power=power) for power in (1, 2))
    w = window_samples(window, n=n)
    weakest = float(fold(w**2, hop_length).min() / np.max(w**2))
    correlation = float(np.sum(w[hop_length:] * w[: n - hop_length]) / np.sum(w**2))
    return Overlap(ripple < 1e-10, squared < 1e-10, weakest > 1e-10, ripple, squared, weakest, correlation)
