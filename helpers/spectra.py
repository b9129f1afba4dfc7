"""One frame of sound: its spectrum at any frequency, the frequency of a sine, and windows.

Bins are counted in steps of ``sr / n``, frequencies in hertz. A window is a name or tuple for
`scipy.signal.get_window` ("hann", ("kaiser", 8.6)), of which the periodic form is taken, or an
array of its own samples. What it costs in one spectrum, and how shifted copies of it add up, is
here too. What is no audio, no window, no positive rate or no whole number of samples raises
ValueError.
"""

from typing import NamedTuple

import numpy as np
import scipy.fft

from helpers._checks import check, check_name, check_range, check_sr, check_whole

__all__ = [
    "WindowProperties",
    "amplitude_spectrum",
    "dtft",
    "estimate_frequency",
    "window_properties",
]
__all__ += ["window_samples"]


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
        A name such as "hann", a name with its parameters such as ("kaiser", 8.6), or the n samples
        themselves.
    n : int
        Length [samples].

    Returns
    -------
    np.ndarray, shape (n,)
        The periodic form, the one period of n + 1 symmetric samples that leaves the last one out,
        as float64.

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
            raise ValueError(
                f"window={window!r}: {error}; try 'hann', 'boxcar' or ('kaiser', 8.6)"
            ) from None
    else:
        w = np.asarray(window)
    if w.shape != (n,) or w.dtype.kind not in "iuf" or not np.all(np.isfinite(w)):
        raise ValueError(
            f"window holds {w.dtype} samples of shape {w.shape}; pass a name, or {n} finite real "
            "numbers"
        )
    if abs(w.sum()) < 1e-12 * n:
        raise ValueError(
            f"window={window!r} of {n} samples sums to zero, so no level can be read; take n > 1"
        )
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
        `main_lobe_bins` (null to null), `peak_sidelobe_db` (re the main lobe), `enbw_bins`
        (equivalent noise bandwidth), `scalloping_db` (loss half-way between two bins),
        `coherent_gain` (mean of the window), `bandwidth_3db_bins`, `bandwidth_6db_bins` (full
        widths at half power and at half amplitude), `worst_case_loss_db` (of a sine against white
        noise).

    References
    ----------
    .. [1] F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier
       transform", Proc. IEEE 66(1), 1978.

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
    # the first local minimum below half the peak is the first null, nearly: refine it
    falls = (lobes[1:-1] <= lobes[:-2]) & (lobes[1:-1] < lobes[2:]) & (lobes[1:-1] < 0.5)
    if not falls.any():
        raise ValueError(
            f"window={window!r} of {n} samples has no side lobe to measure; take a larger n"
        )
    k = int(np.argmax(falls)) + 1
    null = minimize_scalar(
        level, bounds=((k - 1) / GRID, (k + 1) / GRID), method="bounded", options={"xatol": 1e-9}
    ).x
    widths = [2 * brentq(lambda b, to=to: level(b) - to, 0, null) for to in (0.5**0.5, 0.5)]
    enbw = n * np.sum(w**2) / w.sum() ** 2
    scalloping_db = -20 * np.log10(level(0.5))
    return WindowProperties(
        main_lobe_bins=float(2 * null),
        peak_sidelobe_db=float(20 * np.log10(lobes[k:].max())),
        enbw_bins=float(enbw),
        scalloping_db=float(scalloping_db),
        coherent_gain=float(w.mean()),
        bandwidth_3db_bins=float(widths[0]),
        bandwidth_6db_bins=float(widths[1]),
        worst_case_loss_db=float(scalloping_db + 10 * np.log10(enbw)),
    )


def fold(values: np.ndarray, hop: int) -> np.ndarray:
    """Return the sum of copies of `values` shifted by all multiples of `hop`: one period of `hop`
    samples.
    """
    return np.pad(values, (0, -len(values) % hop)).reshape(-1, hop).sum(axis=0)


def check_hop(hop_length, *, n: int) -> int:
    """Return a hop of 1 to `n` samples, the length of the window, or raise ValueError."""
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

    See Also
    --------
    scipy.signal.check_COLA

    Examples
    --------
    >>> [round(cola_ripple("hann", n=8, hop_length=4, power=power), 3) for power in (1, 2)]
    [0.0, 0.667]
    """
    w = window_samples(window, n=n)
    power = check_whole(power, name="power", low=1, remedy="1 or 2")
    sums = fold(w**power, check_hop(hop_length, n=n))
    return float(np.ptp(sums) / abs(sums.mean())) if sums.mean() else np.inf


def overlap_report(window, *, n: int, hop_length: int) -> Overlap:
    """Return whether shifted windows add up to a constant (COLA), and whether they see every sample
    (NOLA).

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
        `cola`, `cola_squared`: the window, its square add up to a constant (ripple below 1e-10);
        `ripple`, `ripple_squared`: as of `cola_ripple`; `nola`: the squares add up to more than
        1e-10 of their peak everywhere; `weakest`: the least such sum [re the peak]; `correlation`
        of neighbouring frames of white noise.

    See Also
    --------
    scipy.signal.check_COLA, scipy.signal.check_NOLA

    Examples
    --------
    >>> report = overlap_report("hann", n=8, hop_length=4)
    >>> report.cola, report.cola_squared, report.nola
    (True, False, True)
    """
    ripple = cola_ripple(window, n=n, hop_length=hop_length)
    squared = cola_ripple(window, n=n, hop_length=hop_length, power=2)
    w = window_samples(window, n=n)
    weakest = float(fold(w**2, hop_length).min() / np.max(w**2))
    correlation = float(np.sum(w[hop_length:] * w[: n - hop_length]) / np.sum(w**2))
    return Overlap(
        ripple < 1e-10, squared < 1e-10, weakest > 1e-10, ripple, squared, weakest, correlation
    )


def amplitude_spectrum(
    y, *, sr: float, window="hann", n_fft: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return a one-sided spectrum that reads the amplitude of a sine.

    .. math:: A[k] = \frac{c_k}{\sum_n w[n]} \left| \sum_n w[n]\, y[n]\, e^{-2\pi i k n / N} \right|

    with :math:`c_k = 2`, but 1 at 0 Hz and, for even N, at ``sr / 2``, which have no partner at a
    negative frequency.

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

    Examples
    --------
    >>> amplitude_spectrum([0.5, 0.5, 0.5, 0.5], sr=4, window="boxcar")[1]
    array([0.5, 0. , 0. ])
    """
    y = check(y)
    sr = check_sr(sr)
    n = y.shape[-1]
    n_fft = check_whole(
        n if n_fft is None else n_fft, name="n_fft", low=n, remedy="cut y to a shorter part"
    )
    w = window_samples(window, n=n)
    amps = 2 / abs(w.sum()) * np.abs(scipy.fft.rfft(y * w, n_fft))
    amps[..., 0] /= 2
    if n_fft % 2 == 0:
        amps[..., -1] /= 2
    return scipy.fft.rfftfreq(n_fft, 1 / sr), amps


def dtft(y, freqs, *, sr: float) -> np.ndarray:
    r"""Return the discrete-time Fourier transform at any frequencies: :math:`\sum_n y[n]\,e^{-2\pi
    i f n / f_s}`.

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

    Examples
    --------
    >>> dtft([1.0, 1.0], [0.0, 1.0], sr=4).round(6)
    array([2.+0.j, 1.-1.j])
    """
    y = np.asarray(check(y), dtype=np.float64)
    freqs = check_range(np.atleast_1d(freqs), name="freqs", low=-1e9, high=1e9, unit="Hz")
    cycles = freqs / check_sr(sr)  # of the exponential, per sample
    # sample n = b * row + column: two short tables of exponentials replace one of n columns
    b = int(np.ceil(np.sqrt(y.shape[-1])))
    rows = np.zeros((*y.shape[:-1], b * b))
    rows[..., : y.shape[-1]] = y
    within_row = np.exp(-2j * np.pi * np.outer(np.arange(b), cycles))
    to_row = np.exp(-2j * np.pi * b * np.outer(np.arange(b), cycles))
    return np.sum(rows.reshape(*y.shape[:-1], b, b) @ within_row * to_row, axis=-2)


def estimate_frequency(
    y, *, sr: float, method: str = "parabola", window="hann", padding: int = 8
) -> float:
    """Return the frequency of the strongest sine.

    Parameters
    ----------
    y : array_like, shape (n,)
        Real signal, at least 8 samples [full scale = 1].
    sr : float
        Sampling rate [Hz].
    method : {"parabola", "argmax", "padded", "phase"}, default "parabola"
        The vertex of a parabola through the log magnitudes of the largest bin and its neighbours;
        the largest bin; the largest bin after zero padding to `padding` times the length; or the
        phase by which that sine advances between two frames a quarter of the length apart, with the
        parabola's value to count whole cycles.
    window : str, tuple or array_like, default "hann"
        Window over the samples; for "phase" over three quarters of them, so there by name.
    padding : int, default 8
        Factor of zero padding for "padded".

    Returns
    -------
    float
        Frequency [Hz].

    Examples
    --------
    >>> y = np.cos(2 * np.pi * 1003 * np.arange(800) / 8000)
    >>> by_phase = estimate_frequency(y, sr=8000, method="phase")
    >>> estimate_frequency(y, sr=8000, method="argmax"), round(by_phase, 3)
    (1000.0, 1003.0)
    """
    y = check(y, min_samples=8)
    if y.ndim != 1 or not y.any():
        raise ValueError(
            f"y has shape {y.shape} and peak {np.abs(y).max():g}; pass one channel that is not "
            "silent"
        )
    check_name(method, ("parabola", "argmax", "padded", "phase"), what="method")
    if method == "phase":
        return _frequency_by_phase(y, sr, window)
    n = y.shape[-1]
    n_fft = n
    if method == "padded":
        n_fft *= check_whole(padding, name="padding", low=1, remedy="1 adds no zeros")
    mags = np.abs(scipy.fft.rfft(y * window_samples(window, n=n), n_fft))
    k = int(np.argmax(mags))
    bin_hz = check_sr(sr) / n_fft
    if method != "parabola" or not 0 < k < len(mags) - 1:
        return k * bin_hz
    left, mid, right = np.log(np.maximum(mags[k - 1 : k + 2], 1e-30))
    bend = left - 2 * mid + right  # 0 for a click, whose spectrum is flat
    return float(k + 0.5 * (left - right) / bend) * bin_hz if bend < -1e-9 else k * bin_hz


def _frequency_by_phase(y: np.ndarray, sr: float, window) -> float:
    """Return the parabola's frequency, corrected by how far the phase turns in a quarter of `y`."""
    hop = len(y) // 4
    frames = np.stack([y[: len(y) - hop], y[hop:]])
    rough = estimate_frequency(frames[0], sr=sr, window=window)
    windowed = frames * window_samples(window, n=frames.shape[-1])
    first, second = dtft(windowed, [rough], sr=sr)[:, 0]
    expected = 2 * np.pi * rough * hop / sr
    missed = np.angle(second / first * np.exp(-1j * expected))
    return float(rough + missed * sr / (2 * np.pi * hop))
