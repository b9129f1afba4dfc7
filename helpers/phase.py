"""A sound for a magnitude that has lost its phase: Griffin-Lim, plain and fast.

Momentum needs no spectrogram of the iteration before: the STFT is linear, so stepping on from the
last two signals is the same. A first phase can be read off the gradient of the log magnitude. What
is no magnitude, no phase of its shape or no number of iterations raises ValueError, as do windows
and hops that leave samples which no frame sees (NOLA).
"""

import heapq
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from helpers._checks import check_name, check_whole, is_number
from helpers.stft import (
    WEAKEST_END,
    analyse,
    blocks,
    check_nola,
    place_window,
    squared_windows,
    synthesise,
)

__all__ = ["griffin_lim"]


QUIET = 1e-4  # what lies deeper below the peak, 80 dB, gets a random phase: all else is noise


def gradient_phase(S: np.ndarray, w: np.ndarray, hop: int, *, seed: int) -> np.ndarray:
    r"""Return phases (n_frames, n_freq) [rad], counted from the first sample of each frame, whose
    steps follow the gradient of the log magnitude of `S` (n_frames, n_freq).

    For a Gaussian window :math:`e^{-\pi n^2 / \gamma}` the magnitude of an STFT determines the
    gradient of its phase:

    .. math:: \frac{\partial \phi}{\partial m} = \frac{2 \pi H k}{N} + \frac{H N}{\gamma}
       \frac{\partial \ln S}{\partial k}, \qquad
       \frac{\partial \phi}{\partial k} = - \frac{\gamma}{H N} \frac{\partial \ln S}{\partial m}

    with the phase counted from the middle of the frame. For other windows this holds nearly, with
    the Gaussian that fits best. The gradient is integrated from bin to bin, the loudest first; bins
    more than 80 dB below the largest get a random phase. After Z. Prusa, P. Balazs and P. L.
    Sondergaard, "A noniterative method for reconstruction of phase from STFT magnitude", IEEE/ACM
    Trans. Audio Speech Lang. Process. 25(5), 2017.

    >>> one_bin = np.array([[0.0, 1.0, 0.0]] * 2)
    >>> steps = np.diff(gradient_phase(one_bin, np.array([0.0, 0.5, 1.0, 0.5]), 2, seed=0)[:, 1])
    >>> float(steps[0] / np.pi)  # bin 1 of 4 turns by half a circle in 2 samples
    1.0
    """
    n = len(w)
    bins = np.arange(S.shape[1])
    levels = np.log(np.maximum(S, 1e-10 * S.max() or 1).astype(np.float64))
    gamma = gaussian_like(w)
    along_time = 2 * np.pi * hop / n * bins + hop * n / gamma * gradient(levels, axis=1)
    along_freq = -gamma / (hop * n) * gradient(levels, axis=0)
    phase = np.random.default_rng(seed).uniform(-np.pi, np.pi, S.shape)
    phase = integrate(S, along_time, along_freq, phase)
    return phase - 2 * np.pi * (n // 2) / n * bins


def gradient(levels: np.ndarray, *, axis: int) -> np.ndarray:
    """Return half the difference of both neighbours, 0 where there is one row only."""
    return np.gradient(levels, axis=axis) if levels.shape[axis] > 1 else np.zeros_like(levels)


def gaussian_like(w: np.ndarray) -> float:
    """Return gamma [samples squared] of the Gaussian that fits a window best, in the least-squares
    sense.
    """
    n = np.arange(len(w)) - len(w) // 2

    def missed(log_gamma):
        bell = np.exp(-np.pi * n**2 / np.exp(log_gamma))
        return np.sum((w - bell * (w @ bell) / (bell @ bell)) ** 2)

    return float(
        np.exp(minimize_scalar(missed, bounds=(-2, 2 * np.log(len(w)) + 3), method="bounded").x)
    )


def integrate(
    S: np.ndarray, along_time: np.ndarray, along_freq: np.ndarray, phase: np.ndarray
) -> np.ndarray:
    """Return phases integrated along their gradient: from each loud bin that has one to its
    neighbours, loudest first.
    """
    # a frame of bins that are never visited, so that no neighbour is missing; lists, because single
    # items come faster
    padded = [np.pad(a, 1) for a in (S, QUIET * S.max() < S, phase, along_time, along_freq)]
    size, todo, phi, time, freq = (a.ravel().tolist() for a in padded)
    width = S.shape[1] + 2
    ways = ((1, freq, 0.5), (-1, freq, -0.5), (width, time, 0.5), (-width, time, -0.5))
    for first in np.argsort(padded[0], axis=None)[::-1].tolist():
        heap = [(0.0, first)] if todo[first] else []  # the loudest bin of an island starts it
        todo[first] = False
        while heap:
            _, here = heapq.heappop(heap)
            for step, along, half in ways:
                there = here + step
                if todo[there]:
                    todo[there] = False
                    phi[there] = phi[here] + half * (along[here] + along[there])  # trapezoid
                    heapq.heappush(heap, (-size[there], there))
    return np.reshape(phi, padded[0].shape)[1:-1, 1:-1]


INITS = ("random", "zero", "gradient")
TINY = 1e-20  # smallest magnitude that is divided by, re the peak of S


def griffin_lim(
    S,
    *,
    hop_length: int,
    n_iter: int = 32,
    momentum: float = 0.99,
    init="random",
    callback: Callable[[int, np.ndarray], object] | None = None,
    length: int | None = None,
    n_fft: int | None = None,
    win_length: int | None = None,
    window="hann",
    seed: int = 0,
) -> np.ndarray:
    r"""Return a signal whose STFT has nearly the magnitude `S`, found by projecting back and forth.

    One iteration takes the STFT of the signal, keeps its phase, puts `S` in place of its magnitude,
    and inverts that by least squares. With `momentum` :math:`\alpha` the STFT is taken of a point
    further on,

    .. math:: y_{i+1} = \mathrm{istft}\Bigl(
       S\, e^{i \angle\, \mathrm{stft}(y_i + \alpha (y_i - y_{i-1}))}\Bigr)

    Parameters
    ----------
    S : array_like, shape (n_freq, n_frames) or (channels, n_freq, n_frames)
        Magnitude, linear, of a centred STFT as of `helpers.stft.stft`. All channels begin with the
        same phases, and each goes its own way.
    hop_length, n_fft, win_length, window
        As for `helpers.stft.istft`.
    n_iter : int, default 32
        Iterations; 0 inverts `S` with the initial phase.
    momentum : float, default 0.99
        0 is plain Griffin-Lim, whose error never rises. Up to about 1 it gets further in the same
        number of iterations, with an error that may rise for a while.
    init : {"random", "zero", "gradient"} or array_like of the shape of `S`
        Initial phase: random; 0 at the first sample of each frame; read off the gradient of the log
        magnitude (`helpers.phase`, some seconds for a million bins); or phases of your own [rad].
    callback : callable, optional
        ``callback(i, y)`` is called with the signal after i iterations, from 0 to `n_iter`.
    length : int, optional
        Length to return [samples]; by default ``hop_length * (n_frames - 1)``.
    seed : int, default 0
        Of the random phases.

    Returns
    -------
    np.ndarray, shape (length,) or (channels, length)
        Signal, float32 for a float32 `S`. Its sign is arbitrary: the magnitude does not hold it.

    See Also
    --------
    librosa.griffinlim : The same rules; it cannot show what happens on the way.

    References
    ----------
    .. [1] D. W. Griffin and J. S. Lim, "Signal estimation from modified short-time Fourier
       transform", IEEE Trans. Acoust. Speech Signal Process. 32(2), 1984.
    .. [2] N. Perraudin, P. Balazs and P. L. Sondergaard, "A fast Griffin-Lim algorithm", WASPAA
       2013.

    Examples
    --------
    >>> from helpers.stft import stft
    >>> y = np.array([1.0, 0.5, -1.0, -0.5, 0.25])
    >>> D = stft(y, n_fft=4, hop_length=1)
    >>> griffin_lim(np.abs(D), hop_length=1, init=np.angle(D)).round(9)
    array([ 1.  ,  0.5 , -1.  , -0.5 ,  0.25])
    """
    S = _check_magnitude(S)
    n_fft = 2 * (S.shape[-2] - 1) if n_fft is None else n_fft
    w, hop = place_window(n_fft, hop_length, win_length, window)
    if S.shape[-2] != len(w) // 2 + 1:
        raise ValueError(
            f"S has {S.shape[-2]} bins, but n_fft={n_fft} has {len(w) // 2 + 1}; bins come first"
        )
    n_iter = check_whole(n_iter, name="n_iter", low=0, remedy="such as 32")
    if not is_number(momentum) or not 0 <= momentum < np.inf:
        raise ValueError(
            f"momentum={momentum!r} must be a number from 0; 0 is plain Griffin-Lim, 0.99 is usual"
        )
    # one frame after the other in memory, as the STFT has them
    S = S.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    to_spectrum, to_sound = _transforms(S, w, hop, length)
    least = S.dtype.type(max(TINY * S.max(), np.finfo(S.dtype).tiny))

    def project(y):
        D = to_spectrum(y)
        for some in blocks(S.shape[-1], len(w)):  # its phase, the right magnitude
            D[..., some] *= S[..., some] / np.maximum(np.abs(D[..., some]), least)
        return to_sound(D)

    y = last = to_sound(_with_phase(S, _initial_phase(init, S, w, hop, seed)))
    for i in range(n_iter + 1):
        if i:
            last, y = y, project(y + S.dtype.type(momentum) * (y - last))
        if callback is not None:
            callback(i, y.copy())
    return y


def _with_phase(S: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return S * exp(1j * phase), as precise as `S`."""
    D = np.empty_like(S, np.result_type(S, np.complex64))
    D.imag = phase
    np.cos(D.imag, out=D.real)
    np.sin(D.imag, out=D.imag)
    D *= S
    return D


def _transforms(S: np.ndarray, w: np.ndarray, hop: int, length: int | None):
    """Return the STFT and the least-squares inverse between the frames of `S` and `length`
    samples; as `helpers.stft` has them, but what never changes is worked out once.
    """
    dtype = np.result_type(S, np.complex64)
    check_nola(w, hop, dtype)
    start = len(w) // 2
    n_frames = S.shape[-1]
    covered = (n_frames - 1) * hop + len(w)
    n = (n_frames - 1) * hop if length is None else length
    remedy = "as long as the sound that S came from"
    n = check_whole(n, name="length", low=1, high=covered - start, remedy=remedy)
    weight = squared_windows(w, hop, n_frames)[start : start + n]
    seen = weight > WEAKEST_END[dtype.name] * np.max(w**2)
    share = np.divide(1, weight, out=np.zeros(n), where=seen).astype(S.dtype)
    ends = [(0, 0)] * (S.ndim - 2) + [(start, covered - start - n)]

    def to_spectrum(y):
        return analyse(np.pad(y, ends), w, hop)

    def to_sound(D):
        y = synthesise(D, w, hop)[..., start : start + n]
        y *= share
        return y

    return to_spectrum, to_sound


def _check_magnitude(S) -> np.ndarray:
    """Return a magnitude as float32 or float64, or raise ValueError."""
    S = np.asarray(S)
    if S.dtype.kind == "c":
        raise ValueError("S is complex, so it has a phase; invert it with istft, or pass np.abs(S)")
    if S.dtype.kind != "f" or S.ndim not in (2, 3) or not S.size:
        raise ValueError(
            f"S holds {S.dtype} values of shape {S.shape}; pass magnitudes, floats of shape "
            "(n_freq, n_frames) or "
            "(channels, n_freq, n_frames)"
        )
    S = S.astype(np.float32 if S.dtype.itemsize <= 4 else np.float64, copy=False)
    if not np.all(np.isfinite(S)) or S.min() < 0:
        raise ValueError(
            "S holds NaN, infinite or negative values; a magnitude has none: undo decibels or "
            "logarithms"
        )
    return S


def _initial_phase(init, S: np.ndarray, w: np.ndarray, hop: int, seed: int) -> np.ndarray:
    """Return the initial phase [rad], in the shape of `S`."""
    if not isinstance(init, str):
        phase = np.asarray(init)
        if phase.shape != S.shape or phase.dtype.kind != "f" or not np.all(np.isfinite(phase)):
            raise ValueError(
                f"init holds {phase.dtype} values of shape {phase.shape}; pass finite phases [rad] "
                f"of the shape of S, {S.shape}, such as np.angle(D), or one of {', '.join(INITS)}"
            )
        return phase
    check_name(init, INITS, what="initial phase")
    if init == "zero":
        return np.zeros_like(S)
    if init == "gradient":
        channels = S.reshape(-1, *S.shape[-2:])
        return np.reshape([gradient_phase(one.T, w, hop, seed=seed).T for one in channels], S.shape)
    # drawn frame by frame, the same for all channels
    phase = np.random.default_rng(seed).random(S.shape[:-3:-1], np.float32)
    phase = phase.astype(S.dtype, copy=False)
    phase *= 2 * np.pi
    return np.broadcast_to(phase.T, S.shape)
