"""What the check of unit 00 tries, and the mistakes that it knows by their numbers."""

from __future__ import annotations

import numpy as np

from helpers import audio
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Sound

SR = 16000


def half_probes() -> list[Probe]:
    """Return noise of several lengths, both float types, and a stereo signal."""
    probes = [Probe((np.array([0.4, -0.2]),), "the array [0.4, −0.2]", "mono")]
    for seed, n in enumerate((481, 1000, 37)):
        y = np.random.default_rng(seed).uniform(-1, 1, n).astype((np.float64, np.float32)[seed % 2])
        probes.append(Probe((y,), f"{n} samples of noise", "mono"))
    y = np.random.default_rng(9).uniform(-1, 1, (2, 121))
    return [*probes, Probe((y,), "a stereo signal of shape (2, 121)", "stereo")]


HALF_SLIPS = (
    ("10 where 20 belongs", lambda y: y / 4),
    ("half the power", lambda y: y * np.sqrt(0.5)),
    ("a factor of 6", lambda y: y / 6.02),
    ("louder", lambda y: y * 2),
    ("lost sign", lambda y: np.abs(y) / 2),
    ("the wrong 6 dB", lambda y: y * 10 ** (-6 / 20)),
    *(
        ("a number taken from the samples", lambda y, fixed=fixed: y - fixed)
        for fixed in (6.02, 6.0, 0.5)
    ),
)


def stereo_probes() -> list[Probe]:
    """Return stereo noise of several lengths, both float types."""
    shapes = [
        (seed, n, (np.float64, np.float32)[seed % 2]) for seed, n in enumerate((5, 481, 1000))
    ]
    noise = [
        np.random.default_rng(seed).uniform(-1, 1, (2, n)).astype(kind) for seed, n, kind in shapes
    ]
    return [Probe((y,), f"a stereo signal of shape {y.shape}") for y in noise]


SWAP_SLIPS = (
    ("time reversed", lambda y: y[:, ::-1]),
    ("both reversed", lambda y: y[::-1, ::-1]),
    ("transposed", lambda y: y.T),
    ("one side twice", lambda y: y[[0, 0]]),
    ("one side twice", lambda y: y[[1, 1]]),
)

# ---- what a right function makes ----------------------------------------------------------------


def _voices():
    """Return two seconds of a woman on the left and a man on the right."""
    return np.stack([audio.clip(name)[0][: 2 * SR] for name in ("arctic_slt", "arctic_awb")])


def _heard(own, right, y):
    return {"as it was": y, "yours": own, "the right one": right}


CHECKS = {
    "00.half": Check(
        half_probes,
        lambda y: y * 0.5,
        HALF_SLIPS,
        atol=1e-4,
        shows=Sound(lambda: (_voices()[0],), _heard, SR, match=None),  # the level is the point
    ),
    "00.swap_sides": Check(
        stereo_probes,
        lambda y: y[::-1],
        SWAP_SLIPS,
        atol=1e-9,
        shows=Sound(lambda: (_voices(),), _heard, SR),
    ),
}
