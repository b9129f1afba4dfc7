"""A sound for a magnitude that has lost its phase: Griffin-Lim, plain and fast.

Two facts make it quick here. Momentum needs no spectrogram of the round before: the STFT is linear,
so stepping on from the last two signals is the same. And one round works frame by frame, so a block
of frames goes all the way from samples to samples in the cache, and no complex spectrogram is ever
stored. A first phase can be read off the slopes of the log magnitude.
"""

import heapq
from collections.abc import Callable

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from scipy.optimize import minimize_scalar

from helpers._checks import check_whole
from helpers.spectra import fold
from helpers.stft import BLOCK, WEAKEST, WEAKEST_END, place_window

__all__ = ["griffin_lim"]


QUIET = 1e-4  # what lies deeper below the peak, 80 dB, gets a random phase: its slopes are noise


def gradient_phase(S: np.ndarray, w: np.ndarray, hop: int, *, seed: int) -> np.ndarray:
    r"""Return phases whose steps from bin to bin and from frame to frame follow the slopes of the
    log magnitude.

    For a Gaussian window :math:`e^{-\pi n^2 / \gamma}` the magnitude of an STFT determines the
    slopes of its phase:

    .. math:: \frac{\partial \phi}{\partial m} = \frac{2 \pi H k}{N} + \frac{H N}{\gamma}
       \frac{\partial \ln S}{\partial k}, \qquad
       \frac{\partial \phi}{\partial k} = - \frac{\gamma}{H N} \frac{\partial \ln S}{\partial m}

    with the phase counted from the middle of the frame. For other windows this holds nearly, with
    the Gaussian that fits best. The slopes are added up from bin to bin, the loudest first.

    Parameters
    ----------
    S : np.ndarray, shape (n_frames, n_freq)
        Magnitude, not negative; one frame a row.
    w : np.ndarray, shape (n_fft,)
        Window, in the middle of `n_fft` samples.
    hop : int
        Step [samples].
    seed : int
        Of the phases of bins more than 80 dB below the largest.

    Returns
    -------
    np.ndarray, shape (n_frames, n_freq)
        Phase, counted from the first sample of each frame [rad].

    References
    ----------
    .. [1] Z. Prusa, P. Balazs and P. L. Sondergaard, "A noniterative method for reconstruction of
       phase from STFT magnitude", IEEE/ACM Trans. Audio Speech Lang. Process. 25(5), 2017.

    Examples
    --------
    >>> one_bin = np.array([[0.0, 1.0, 0.0]] * 2)
    >>> steps = np.diff(gradient_phase(one_bin, np.array([0.0, 0.5, 1.0, 0.5]), 2, seed=0)[:, 1])
    >>> float(steps[0] / np.pi)  # bin 1 of 4 turns by half a circle in 2 samples
    1.0
    """
    n, bins = len(w), np.arange(S.shape[1])
    levels = np.log(np.maximum(S, 1e-10 * S.max() or 1).astype(np.float64))
    gamma = gaussian_like(w)
    along_time = 2 * np.pi * hop / n * bins + hop * n / gamma * slope(levels, axis=1)
    along_freq = -gamma / (hop * n) * slope(levels, axis=0)
    phase = np.random.default_rng(seed).uniform(-np.pi, np.pi, S.shape)
    phase = integrate(S, along_time, along_freq, phase)
    return phase - 2 * np.pi * (n // 2) / n * bins


def slope(levels: np.ndarray, *, axis: int) -> np.ndarray:
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
    """Return phases added up along the slopes: from each loud bin that has one to its neighbours,
    loudest first.
    """
    edged = [np.pad(a, 1) for a in (S, QUIET * S.max() < S, phase, along_time, along_freq)]
    size, todo, phi, time, freq = (
        a.ravel().tolist() for a in edged
    )  # lists: single items come faster
    width = S.shape[1] + 2
    ways = ((1, freq, 0.5), (-1, freq, -0.5), (width, time, 0.5), (-width, time, -0.5))
    for first in np.argsort(edged[0], axis=None)[::-1].tolist():
        heap = [(0.0, first)] if todo[first] else []  # the loudest bin of an island starts it
        todo[first] = False
        while heap:
            here = heapq.heappop(heap)[1]
            for step, slopes, half in ways:
                there = here + step
                if todo[there]:
                    todo[there] = False
                    phi[there] = phi[here] + half * (slopes[here] + slopes[there])
                    heapq.heappush(heap, (-size[there], there))
    return np.reshape(phi, edged[0].shape)[1:-1, 1:-1]


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
        Initial phase: random; 0 at the first sample of each frame; read off the slopes of the log
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

    Raises
    ------
    ValueError
        If `S` is complex, negative (as decibels are), not finite or of another shape, `init` is
        unknown or does not fit, a number makes no sense, or window and hop leave samples that no
        frame sees (NOLA).

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
    S = _checked(S)
    n_fft = 2 * (S.shape[-2] - 1) if n_fft is None else n_fft
    w, hop = place_window(n_fft, hop_length, win_length, window)
    rounds = _Rounds(S, w, hop, length)
    n_iter = check_whole(n_iter, name="n_iter", low=0, remedy="such as 32")
    if (
        isinstance(momentum, bool)
        or not isinstance(momentum, int | float | np.number)
        or not 0 <= momentum < np.inf
    ):
        raise ValueError(
            f"momentum={momentum!r} must be a number from 0; 0 is plain Griffin-Lim, 0.99 is usual"
        )
    y = last = rounds.start(_phases(init, S.shape, rounds, seed))
    for i in range(n_iter + 1):
        if i:
            last, y = y, rounds.project(y + y.dtype.type(momentum) * (y - last))
        if callback is not None:
            callback(i, rounds.signal(y))
    return rounds.signal(y)


class _Rounds:
    """The projections for one magnitude; a signal in work is (channels, n_padded), zero outside its
    own samples.
    """

    def __init__(self, S: np.ndarray, w: np.ndarray, hop: int, length: int | None):
        if S.shape[-2] != len(w) // 2 + 1:
            raise ValueError(
                f"S has {S.shape[-2]} bins, but n_fft={len(w)} has {len(w) // 2 + 1}; bins come "
                "first"
            )
        self.shape, self.peak, n_frames = S.shape[:-2], S.max() or S.dtype.type(1), S.shape[-1]
        self.S = np.stack(
            [one.T / self.peak for one in S.reshape(-1, *S.shape[-2:])]
        )  # a frame a row
        self.w, self.hop, self.cuts = w.astype(S.dtype), hop, range(-(-len(w) // hop))
        self.step = max(1, BLOCK // len(w))
        covered = (n_frames - 1) * hop + len(w) - len(w) // 2
        n = check_whole(
            (n_frames - 1) * hop if length is None else length,
            name="length", low=1, high=covered, remedy="as long as the sound that S came from",
        )  # fmt: skip
        self.own = slice(len(w) // 2, len(w) // 2 + n)
        self.share = self._share(w)

    def _share(self, w: np.ndarray) -> np.ndarray:
        """Return 1 over the sum of squared windows, 0 where the signal has no samples or no frame
        sees them.
        """
        kind = np.result_type(self.S, np.complex64).name
        if (weakest := fold(w**2, self.hop).min()) < (least := WEAKEST[kind] * np.max(w**2)):
            raise ValueError(
                f"hop_length={self.hop} fails NOLA with this window: where its squares add up "
                "least they reach "
                f"{weakest:.1e}, and {kind} needs {least:.1e}; take a smaller hop, such as "
                f"{max(1, len(w) // 4)}"
            )
        weight = np.zeros((self.S.shape[1] + len(self.cuts) - 1, self.hop))
        self._add(weight, np.broadcast_to(w**2, self.S.shape[1:2] + w.shape), 0)
        seen = np.zeros(weight.size, bool)
        seen[self.own] = weight.ravel()[self.own] > WEAKEST_END[kind] * np.max(w**2)
        return np.divide(1, weight.ravel(), out=np.zeros(weight.size), where=seen).astype(
            self.S.dtype
        )

    def _add(self, rows: np.ndarray, frames: np.ndarray, m: int) -> None:
        """Add frames, the first of which is number `m`, at their places: rows of one hop each."""
        for c in self.cuts:
            part = frames[:, c * self.hop : (c + 1) * self.hop]
            rows[m + c : m + c + len(part), : part.shape[1]] += part

    def _gather(self, spectra: Callable[[int, slice], np.ndarray]) -> np.ndarray:
        """Return the least-squares inverse of spectra that come in blocks of frames."""
        y = np.zeros((len(self.S), self.share.size), self.S.dtype)
        for channel in range(len(y)):
            rows = y[channel].reshape(-1, self.hop)
            for m in range(0, self.S.shape[1], self.step):
                D = spectra(channel, slice(m, m + self.step))
                frames = scipy.fft.irfft(D, len(self.w), overwrite_x=True, workers=1)
                frames *= self.w
                self._add(rows, frames, m)
        y *= self.share
        return y

    def start(self, phases: np.ndarray) -> np.ndarray:
        """Return the inverse of the magnitude with these phases, (channels, n_frames, n_freq)."""

        def spectra(channel, some):
            D = np.empty(self.S[channel, some].shape, np.result_type(self.S, np.complex64))
            D.real, D.imag = np.cos(phases[channel, some]), np.sin(phases[channel, some])
            D *= self.S[channel, some]
            return D

        return self._gather(spectra)

    def project(self, y: np.ndarray) -> np.ndarray:
        """Return the inverse of the magnitude with the phases of `y`."""
        frames = sliding_window_view(y, len(self.w), axis=-1)[:, :: self.hop]

        def spectra(channel, some):
            S = self.S[channel, some]
            D = scipy.fft.rfft(
                frames[channel, some][: len(S)] * self.w, overwrite_x=True, workers=1
            )
            size = np.abs(D)
            np.maximum(size, TINY, out=size)
            D *= np.divide(S, size, out=size)
            return D

        return self._gather(spectra)

    def signal(self, y: np.ndarray) -> np.ndarray:
        """Return the samples of `y` at the level of S, in the shape that S had."""
        return self.peak * y[:, self.own].reshape(*self.shape, -1)


def _checked(S) -> np.ndarray:
    """Return a magnitude as float32 or float64, or say what is wrong with it."""
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


def _phases(init, shape: tuple[int, ...], rounds: _Rounds, seed: int) -> np.ndarray:
    """Return the initial phases [rad], (channels, n_frames, n_freq)."""
    S = rounds.S
    if not isinstance(init, str):
        phase = np.asarray(init)
        if phase.shape != shape or phase.dtype.kind != "f" or not np.all(np.isfinite(phase)):
            raise ValueError(
                f"init holds {phase.dtype} values of shape {phase.shape}; pass finite phases [rad] "
                "of the shape of S, "
                f"{shape}, such as np.angle(D), or one of {', '.join(INITS)}"
            )
        return phase.reshape(-1, *shape[-2:]).swapaxes(-1, -2)
    if init == "random":
        turns = np.random.default_rng(seed).random(S.shape[1:], np.float32)
        return np.broadcast_to(S.dtype.type(2 * np.pi) * turns, S.shape)
    if init == "zero":
        return np.broadcast_to(np.zeros((), S.dtype), S.shape)
    if init == "gradient":
        return np.stack([gradient_phase(one, rounds.w, rounds.hop, seed=seed) for one in S])
    raise ValueError(
        f"there is no initial phase {init!r}; choose one of {', '.join(INITS)}, or pass phases "
        "[rad]"
    )
