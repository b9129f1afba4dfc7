"""The machinery of `helpers.stft`: frames to spectra, spectra to overlapping frames, in blocks that fit the cache."""

import numpy as np
import scipy.fft

from helpers.checks import check_whole
from helpers.windows import check_hop, window_samples

BLOCK = 2**16  # samples worked on at once


def place_window(n_fft, hop_length, win_length, window) -> tuple[np.ndarray, int]:
    """Return the window in the middle of `n_fft` samples, and the hop."""
    n_fft = check_whole(n_fft, name="n_fft", low=2, remedy="a frame needs two samples, such as 1024 at 16 kHz")
    n = check_whole(
        n_fft if win_length is None else win_length, name="win_length", low=1, remedy="by default it is n_fft"
    )
    if n > n_fft:
        raise ValueError(f"win_length={n} is longer than n_fft={n_fft}; raise n_fft to pad with zeros")
    hop, left = check_hop(hop_length, n=n), (n_fft - n) // 2
    return np.pad(window_samples(window, n=n), (left, n_fft - n - left)), hop


def loses_the_end(w: np.ndarray, hop: int, *, last: int) -> bool:
    """Return whether some sample up to place `last` in the last frame needs a further frame to come back."""
    rows = np.pad(w**2, (0, hop + -len(w) % hop)).reshape(-1, hop)
    seen = np.cumsum(rows[::-1], axis=0)[::-1]  # by the last frame and those before; row 0: by all
    lost = seen < np.minimum(1e-4 * rows.max(), seen[0] / 2)
    return bool(np.any(lost.ravel()[: last + 1]))


def transform(frames: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the DFT of each frame, (..., n_frames, n_freq), in blocks that fit the cache."""
    D = np.empty((*frames.shape[:-1], len(w) // 2 + 1), np.result_type(frames, np.complex64))
    step = max(1, BLOCK // len(w))
    block = np.empty((step, len(w)), frames.dtype)
    for channel in np.ndindex(frames.shape[:-2]):
        for m in range(0, frames.shape[-2], step):
            some = frames[channel][m : m + step]
            windowed = np.multiply(some, w, out=block[: len(some)])
            D[channel][m : m + step] = scipy.fft.rfft(windowed, overwrite_x=True, workers=1)
    return D


def prepare(D, n_fft, hop_length, win_length, window):
    """Return a checked STFT, its window and hop."""
    D = np.asarray(D)
    if D.dtype.kind != "c":
        raise ValueError(
            f"D holds {D.dtype} values; pass a complex STFT: a magnitude needs a phase, S * np.exp(1j * p)"
        )
    if D.ndim not in (2, 3) or not D.size:
        raise ValueError(f"D has shape {D.shape}; pass (n_freq, n_frames) or (channels, n_freq, n_frames)")
    n_fft = 2 * (D.shape[-2] - 1) if n_fft is None else n_fft
    w, hop = place_window(n_fft, hop_length, win_length, window)
    if D.shape[-2] != len(w) // 2 + 1:
        raise ValueError(f"D has {D.shape[-2]} bins, but n_fft={n_fft} has {len(w) // 2 + 1}; bins come before frames")
    D = D.astype(np.complex64 if D.dtype == np.complex64 else np.complex128, copy=False)
    if not np.all(np.isfinite(D)):
        raise ValueError("D holds NaN or infinite values; find where they arise (log of 0, 0 / 0)")
    return D, (w, hop)


def overlap_add(D: np.ndarray, w: np.ndarray, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of windowed inverse frames and of squared windows, added up in rows of `hop` samples."""
    n_frames, n = D.shape[-1], len(w)
    cuts = range(-(-n // hop))  # a frame covers so many rows
    w = w.astype(D.real.dtype)
    y = np.zeros((*D.shape[:-2], n_frames + len(cuts) - 1, hop), w.dtype)
    weight = np.zeros(y.shape[-2:], w.dtype)
    step = max(1, BLOCK // n)
    for channel in np.ndindex(D.shape[:-2]):
        for m in range(0, n_frames, step):
            frames = scipy.fft.irfft(D[channel][:, m : m + step].T, n, workers=1)
            frames *= w
            for c in cuts:
                part = frames[:, c * hop : (c + 1) * hop]
                y[channel][m + c : m + c + len(part), : part.shape[1]] += part
    for c in cuts:
        part = w[c * hop : (c + 1) * hop] ** 2
        weight[c : c + n_frames, : len(part)] += part
    total = (n_frames - 1) * hop + n
    return y.reshape(*y.shape[:-2], -1)[..., :total], weight.ravel()[:total]
