"""What the checks of unit 32 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe


def ratio_probes() -> list[Probe]:
    """Return magnitudes of speech and noise: one cell of a 3-4-5 triangle first, then many."""
    probes = [
        Probe((np.array([[3.0, 0.5]]), np.array([[4.0, 1.2]])), "S = [[3, 0.5]], N = [[4, 1.2]]")
    ]
    for seed, shape in ((1, (4, 5)), (2, (9, 3))):
        S, N = np.random.default_rng(seed).uniform(0.1, 2, (2, *shape))
        probes.append(Probe((S, N), f"{shape[0]} bins and {shape[1]} frames", "more"))
    return probes


def _ratio(S, N):
    return np.sqrt(S**2 / (S**2 + N**2))


RATIO_SLIPS = (
    ("no root", lambda S, N: S**2 / (S**2 + N**2)),
    ("magnitudes added", lambda S, N: S / (S + N)),
    ("root of magnitudes", lambda S, N: np.sqrt(S / (S + N))),
    ("the noise kept", lambda S, N: _ratio(N, S)),
    ("against the noise", lambda S, N: S / N),
    ("all or nothing", lambda S, N: (S > N).astype(float)),
)


def psm_probes() -> list[Probe]:
    """Return speech and mixture with known angles first, then drawn at random; none is 0."""
    first = (np.array([[1.0, 1.0, 2.0, 1.0]]) + 0j, np.array([[2.0, 1 + 1j, 1.0, -2.0]]) + 0j)
    probes = [Probe(first, "S = [[1, 1, 2, 1]], X = [[2, 1+1j, 1, -2]]")]
    for seed, shape in ((3, (5, 4)), (4, (7, 6))):
        parts = np.random.default_rng(seed).normal(size=(4, *shape))
        S, N = parts[0] + 1j * parts[1], parts[2] + 1j * parts[3]
        probes.append(
            Probe((S, S + N), f"{shape[0]} bins and {shape[1]} frames of speech in noise", "random")
        )
    return probes


def _real(S, X):
    return np.real(S / X)


PSM_SLIPS = (
    ("angle forgotten", lambda S, X: np.clip(np.abs(S / X), 0, 1)),
    ("not cut at all", _real),
    ("cut above only", lambda S, X: np.minimum(1, _real(S, X))),
    ("cut below only", lambda S, X: np.maximum(0, _real(S, X))),
    ("sign of the cosine lost", lambda S, X: np.clip(np.abs(_real(S, X)), 0, 1)),
    ("upside down", lambda S, X: np.clip(_real(X, S), 0, 1)),
    ("cosine alone", lambda S, X: np.clip(np.cos(np.angle(S) - np.angle(X)), 0, 1)),
)


def subtract_probes() -> list[Probe]:
    """Return magnitudes above and below the noise, with several floors."""
    first = (np.array([[5.0, 1.0]]), np.array([[9.0]]), 0.1)
    probes = [Probe(first, "S = [[5, 1]], noise = [[9]], floor = 0.1")]
    for seed, floor in ((5, 0.1), (6, 0.02), (7, 0.3)):
        rng = np.random.default_rng(seed)
        S, noise = rng.uniform(0.2, 3, (6, 8)), rng.uniform(0.2, 2, (6, 1))
        probes.append(Probe((S, noise, floor), f"6 bins and 8 frames, floor = {floor:g}", "more"))
    return probes


def _gain(S, noise, floor):
    return np.sqrt(np.maximum(1 - noise / S**2, floor**2))


SUBTRACT_SLIPS = (
    ("no root", lambda S, noise, floor: np.maximum(1 - noise / S**2, floor)),
    ("floor squared away", lambda S, noise, floor: np.sqrt(np.maximum(1 - noise / S**2, floor))),
    ("magnitudes subtracted", lambda S, noise, floor: np.maximum(1 - np.sqrt(noise) / S, floor)),
    (
        "power taken for magnitude",
        lambda S, noise, floor: np.sqrt(np.maximum(1 - (noise / S) ** 2, floor**2)),
    ),
    ("no floor", lambda S, noise, floor: np.sqrt(np.maximum(1 - noise / S**2, 0))),
    ("result, not gain", lambda S, noise, floor: S * _gain(S, noise, floor)),
)


def latency_probes() -> list[Probe]:
    """Return the course's frames first, then others, with and without frames of look-ahead."""
    cases = (
        (512, 128, 0, 16000),
        (512, 128, 2, 16000),
        (1024, 256, 3, 22050),
        (400, 160, 1, 8000),
        (960, 480, 0, 48000),
    )
    say = "n_fft = {}, hop_length = {}, lookahead = {}, sr = {}"
    return [Probe(case, say.format(*case), "ahead" if case[2] else "") for case in cases]


def _latency(n_fft, hop_length, lookahead, sr):
    return 1000 * (n_fft + lookahead * hop_length) / sr


LATENCY_SLIPS = (
    ("hop alone", lambda n, h, a, sr: 1000 * (h + a * h) / sr),
    ("half a frame", lambda n, h, a, sr: 1000 * (n / 2 + a * h) / sr),
    ("look-ahead forgotten", lambda n, h, a, sr: 1000 * n / sr),
    ("whole frames ahead", lambda n, h, a, sr: 1000 * (n + a * n) / sr),
    ("seconds", lambda n, h, a, sr: _latency(n, h, a, sr) / 1000),
    ("samples", lambda n, h, a, sr: float(n + a * h)),
    ("hop added", lambda n, h, a, sr: 1000 * (n + (a + 1) * h) / sr),
)

CHECKS = {
    "32.ratio": Check(ratio_probes, _ratio, RATIO_SLIPS, atol=1e-6),
    "32.psm": Check(psm_probes, lambda S, X: np.clip(_real(S, X), 0, 1), PSM_SLIPS, atol=1e-6),
    "32.subtract": Check(subtract_probes, _gain, SUBTRACT_SLIPS, atol=1e-6),
    "32.latency": Check(latency_probes, _latency, LATENCY_SLIPS, atol=1e-6),
}
