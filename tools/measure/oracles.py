"""What masks and filters could do if they knew the answer, and how sounds are spoiled for a test:
the material of score_field.py.
"""

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

from tools import notebooks

SR = 16000
HOP = 128
FLOWS = {"flow, 1 step": 1, "flow, 8 steps": 8}


def frames(y: np.ndarray) -> np.ndarray:
    """Return the STFT of Setting 1: 512 samples every 128, (257, n_frames)."""
    from helpers import stft

    return stft.stft(np.asarray(y, float), n_fft=512, hop_length=HOP)


def back(D: np.ndarray, length: int) -> np.ndarray:
    """Return the sound of an STFT."""
    from helpers import stft

    return stft.istft(D, hop_length=HOP, length=length)


def ratio_mask(Y, S):
    """Return the ideal ratio mask: the root of the share of the power that is speech."""
    power, rest = np.abs(S) ** 2, np.abs(Y - S) ** 2
    return np.sqrt(power / np.maximum(power + rest, 1e-20))


def phase_sensitive(Y, S):
    """Return the best real mask from 0 to 1: the part of S along Y, over Y."""
    return np.clip((S * np.conj(Y)).real / np.maximum(np.abs(Y) ** 2, 1e-20), 0, 1)


def complex_mask(Y, S, limit: float):
    """Return S / Y, shortened to a length of `limit` where it is longer."""
    M = S * np.conj(Y) / np.maximum(np.abs(Y) ** 2, 1e-20)
    return M * np.minimum(1, limit / np.maximum(np.abs(M), 1e-20))


def deep_filter(Y, S, *, taps: int, hold: int) -> np.ndarray:
    """Return the estimate of the best filter of so many frames, the newest the last, found by
    least squares for each bin and held for so many frames.
    """
    n_frames = Y.shape[1]
    past = np.pad(Y, ((0, 0), (taps - 1, 0)))
    rows = np.stack([past[:, taps - 1 - i :][:, :n_frames] for i in range(taps)], -1)
    made = np.zeros_like(Y)
    for start in range(0, n_frames, hold):
        A, b = rows[:, start : start + hold], S[:, start : start + hold, None]
        H = np.conj(np.swapaxes(A, 1, 2))
        gram = H @ A
        small = 1e-6 * np.trace(gram, axis1=1, axis2=2).real / taps + 1e-20
        h = np.linalg.solve(gram + small[:, None, None] * np.eye(taps), H @ b)
        made[:, start : start + hold] = (A @ h)[..., 0]
    return made


def masked(mask):
    """Return an oracle from a mask."""

    def make(noisy, clean):
        Y, S = frames(noisy), frames(clean)
        return back(mask(Y, S) * Y, len(noisy))

    return make


def filtered(taps: int, hold: int):
    """Return an oracle that filters."""

    def make(noisy, clean):
        D = deep_filter(frames(noisy), frames(clean), taps=taps, hold=hold)
        return back(D, len(noisy))

    return make


def with_phase_of_noisy(noisy, clean):
    """Return the true magnitude with the phase of the mixture."""
    return back(np.abs(frames(clean)) * np.exp(1j * np.angle(frames(noisy))), len(noisy))


ORACLES = {
    "noisy": lambda noisy, clean: noisy,
    "ratio mask": masked(ratio_mask),
    "true magnitude, noisy phase": with_phase_of_noisy,
    "phase-sensitive mask": masked(phase_sensitive),
    "complex mask to 1": masked(lambda Y, S: complex_mask(Y, S, 1)),
    "complex mask to 2": masked(lambda Y, S: complex_mask(Y, S, 2)),
    "complex mask to 10": masked(lambda Y, S: complex_mask(Y, S, 10)),
    "1 tap held for 2 frames": filtered(1, 2),
    "1 tap held for 10 frames": filtered(1, 10),
    "3 taps held for 10 frames": filtered(3, 10),
    "5 taps held for 10 frames": filtered(5, 10),
}


def in_a_room(y: np.ndarray, seconds: float) -> np.ndarray:
    """Return a sound after a direct path and a tail of noise that falls by 60 dB in so many
    seconds; the tail carries as much energy as the direct sound.
    """
    n = int(seconds * SR)
    tail = np.random.default_rng(37).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail[: int(0.002 * SR)] = 0
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return fftconvolve(y, tail)[: len(y)] / np.sqrt(2)


def telephone(y: np.ndarray) -> np.ndarray:
    """Return what a telephone lets through, 300 to 3400 Hz."""
    return sosfilt(butter(4, (300, 3400), "bandpass", fs=SR, output="sos"), y)


def flows() -> dict:
    """Return the enhancer of unit 37 that draws, with few and with more steps; none without its
    weights.
    """
    if not (notebooks.ROOT / "data/weights/flow.safetensors").is_file():
        return {}
    from tools.training import flow

    model = flow.load()
    return {name: flow.enhancer(model, steps=steps) for name, steps in FLOWS.items()}
