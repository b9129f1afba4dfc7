"""A first phase for Griffin-Lim, read off the slopes of a log magnitude; `helpers.phase.griffin_lim` calls it."""

import heapq

import numpy as np
from scipy.optimize import minimize_scalar

QUIET = 1e-4  # what lies deeper below the peak, 80 dB, gets a random phase: its slopes are noise


def gradient_phase(S: np.ndarray, w: np.ndarray, hop: int, *, seed: int) -> np.ndarray:
    r"""Return phases whose steps from bin to bin and from frame to frame follow the slopes of the log magnitude.

    For a Gaussian window :math:`e^{-\pi n^2 / \gamma}` the magnitude of an STFT determines the slopes of its phase:

    .. math:: \frac{\partial \phi}{\partial m} = \frac{2 \pi H k}{N} + \frac{H N}{\gamma}
       \frac{\partial \ln S}{\partial k}, \qquad
       \frac{\partial \phi}{\partial k} = - \frac{\gamma}{H N} \frac{\partial \ln S}{\partial m}

    with the phase counted from the middle of the frame. For other windows this holds nearly, with the Gaussian that
    fits best. The slopes are added up from bin to bin, the loudest first.

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
    .. [1] Z. Prusa, P. Balazs and P. L. Sondergaard, "A noniterative method for reconstruction of phase from STFT
       magnitude", IEEE/ACM Trans. Audio Speech Lang. Process. 25(5), 2017.

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
    """Return gamma [samples squared] of the Gaussian that fits a window best, in the least-squares sense."""
    n = np.arange(len(w)) - len(w) // 2

    def missed(log_gamma):
        bell = np.exp(-np.pi * n**2 / np.exp(log_gamma))
        return np.sum((w - bell * (w @ bell) / (bell @ bell)) ** 2)

    return float(np.exp(minimize_scalar(missed, bounds=(-2, 2 * np.log(len(w)) + 3), method="bounded").x))


def integrate(S: np.ndarray, along_time: np.ndarray, along_freq: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return phases added up along the slopes: from each loud bin that has one to its neighbours, loudest first."""
    edged = [np.pad(a, 1) for a in (S, QUIET * S.max() < S, phase, along_time, along_freq)]
    size, todo, phi, time, freq = (a.ravel().tolist() for a in edged)  # lists: single items come faster
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
