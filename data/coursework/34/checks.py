"""What the checks of unit 34 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe


def dilated_probes() -> list[Probe]:
    """Return noises of several lengths, with taps that differ and steps below half of the
    length.
    """
    probes = []
    for seed, (n, d) in enumerate(((9, 1), (12, 2), (41, 8), (30, 3))):
        rng = np.random.default_rng(seed)
        before, now = rng.uniform(0.3, 1.5, 2).tolist()
        probes.append(
            Probe((rng.standard_normal(n), before, now, d), f"{n} samples of noise and d = {d}")
        )
    return probes


def _late(y, d):
    """Return y, d samples later, with zeros where nothing was yet."""
    return np.concatenate([np.zeros(d), y[: len(y) - d]])


def _dilated(y, before, now, d):
    return before * _late(y, d) + now * y


DILATED_SLIPS = (
    (
        "the future",
        lambda y, before, now, d: before * np.concatenate([y[d:], np.zeros(d)]) + now * y,
    ),
    ("wrapped round", lambda y, before, now, d: before * np.roll(y, d) + now * y),
    ("one sample back", lambda y, before, now, d: _dilated(y, before, now, 1)),
    ("taps exchanged", lambda y, before, now, d: _dilated(y, now, before, d)),
    ("the present left out", lambda y, before, now, d: before * _late(y, d)),
    ("a step too far", lambda y, before, now, d: _dilated(y, before, now, d + 1)),
    (
        "the first sample held",
        lambda y, b, now, d: b * np.concatenate([np.full(d, y[0]), y[: len(y) - d]]) + now * y,
    ),
)


def field_probes() -> list[Probe]:
    """Return stacks of layers with two, three and five taps."""
    return [
        Probe((np.array([1, 2, 4, 8]), 2), "two taps, dilations 1, 2, 4, 8"),
        Probe((np.array([1, 3, 9]), 3), "three taps, dilations 1, 3, 9"),
        Probe((np.tile(2 ** np.arange(5), 2), 2), "two taps, dilations 1 to 16 twice over"),
        Probe((np.array([1, 1, 2, 5]), 5), "five taps, dilations 1, 1, 2, 5"),
    ]


FIELD_SLIPS = (
    ("all taps counted", lambda d, kernel: 1 + kernel * np.sum(d)),
    ("without the sample itself", lambda d, kernel: (kernel - 1) * np.sum(d)),
    ("the widest layer alone", lambda d, kernel: 1 + (kernel - 1) * np.max(d)),
    ("no dilation", lambda d, kernel: 1 + (kernel - 1) * len(d)),
    ("layers multiplied", lambda d, kernel: np.prod(1 + (kernel - 1) * d)),
    ("fields added", lambda d, kernel: np.sum(1 + (kernel - 1) * d)),
    ("always two taps", lambda d, kernel: 1 + np.sum(d)),
)

NORMAL = 0.5 * np.log(2 * np.pi)


def density_probes() -> list[Probe]:
    """Return samples with a stretch and a shift for each."""
    probes = []
    for seed, n in enumerate((1, 5, 16)):
        y, log_factor, shift = np.random.default_rng(seed).normal(0, 0.8, (3, n))
        say = "one sample" if n == 1 else f"{n} samples"
        probes.append(Probe((y, log_factor, shift), f"{say} with a factor and a shift for each"))
    return probes


def _z(y, log_factor, shift):
    return y * np.exp(log_factor) + shift


def _density(y, log_factor, shift):
    return -0.5 * _z(y, log_factor, shift) ** 2 - NORMAL + log_factor


def _of_noise(z):
    return -0.5 * z**2 - NORMAL


DENSITY_SLIPS = (
    ("no volume", lambda y, k, m: _of_noise(_z(y, k, m))),
    ("volume the wrong way", lambda y, k, m: _of_noise(_z(y, k, m)) - k),
    ("the factor instead of its logarithm", lambda y, k, m: _of_noise(_z(y, k, m)) + np.exp(k)),
    ("no constant", lambda y, k, m: -0.5 * _z(y, k, m) ** 2 + k),
    ("the density of y", lambda y, k, m: _of_noise(y) + k),
    ("the way back", lambda y, k, m: _of_noise((y - m) * np.exp(-k)) + k),
    ("log factor as factor", lambda y, k, m: _of_noise(y * k + m) + k),
    ("no logarithm", lambda y, k, m: np.exp(_density(y, k, m))),
)

CHECKS = {
    "34.dilated": Check(dilated_probes, _dilated, DILATED_SLIPS, atol=1e-9),
    "34.field": Check(
        field_probes, lambda d, kernel: 1 + (kernel - 1) * np.sum(d), FIELD_SLIPS, atol=1e-9
    ),
    "34.density": Check(density_probes, _density, DENSITY_SLIPS, atol=1e-9),
}
