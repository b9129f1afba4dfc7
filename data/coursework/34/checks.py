"""What the checks of unit 34 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


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


def _network(taps, *, bend=np.tanh, seed=0):
    """Return a function from samples to samples: layers of taps at offsets (later is above 0)."""

    def network(y):
        x = np.asarray(y, dtype=float)
        rng = np.random.default_rng(seed)
        for offsets in taps:
            weights = rng.uniform(0.3, 0.9, len(offsets)) / np.sqrt(len(offsets))
            padded = np.pad(x, 200)
            shifted = [padded[200 + k : 200 + k + x.size] for k in offsets]
            x = bend(np.tensordot(weights, np.array(shifted), 1) + 0.1)
        return x

    return network


def reach_probes() -> list[Probe]:
    """Return networks that nobody has told anything about: causal, looking ahead, with holes."""
    networks = (
        ([(-1, 0), (-2, 0), (-4, 0)], np.tanh, 100, "three layers"),
        ([(-3, 0, 3)], np.tanh, 60, "one layer"),
        ([(-8, -4, 0, 4)], np.tanh, 90, "a layer with holes"),
        ([(-1, 0, 1), (-5, 0), (0, 2)], np.tanh, 120, "three layers, of another kind"),
        ([(-6, 0), (-1, 0)], lambda x: np.maximum(x, 0.05), 80, "layers that cut off below"),
        ([(0, 1, 2)], np.tanh, 50, "a layer that does not look back"),
    )
    return [
        Probe((_network(taps, bend=bend, seed=seed), n), f"a network of {what} and n = {n}")
        for seed, (taps, bend, n, what) in enumerate(networks)
    ]


def _touched(network, n):
    """Return the offsets of all outputs that one changed sample in the middle moves."""
    y = 1 + np.random.default_rng(7).random(n)  # above what a layer may cut off
    other = y.copy()
    other[n // 2] += 1.0
    return np.flatnonzero(network(other) != network(y)) - n // 2


def _reach(network, n):
    touched = _touched(network, n)
    return np.array([max(touched.max(), 0), max(-touched.min(), 0)])


REACH_SLIPS = (
    ("exchanged", lambda network, n: _reach(network, n)[::-1]),
    ("itself counted", lambda network, n: _reach(network, n) + 1),
    ("the past alone", lambda network, n: _reach(network, n) * np.array([1, 0])),
    (
        "outputs counted",
        lambda network, n: np.array(
            [np.sum(_touched(network, n) > 0), np.sum(_touched(network, n) < 0)]
        ),
    ),
    ("both sides alike", lambda network, n: np.full(2, _reach(network, n).max())),
    ("places, not distances", lambda network, n: n // 2 + np.array([1, -1]) * _reach(network, n)),
    ("signs left in", lambda network, n: _reach(network, n) * np.array([1, -1])),
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


def dilated_view():
    """Return what a click becomes in one layer with a gap of 12."""
    click = (np.arange(40) == 8) * 1.0
    return np.arange(40), [(click, 0.5, 1.0, 12)]


def density_view():
    """Return samples for a map that stretches by 2 and shifts by 1."""
    y = np.linspace(-3, 2, 101)
    return y, [(y, np.full(y.size, np.log(2)), np.ones(y.size))]


CHECKS = {
    "34.dilated": Check(
        dilated_probes,
        _dilated,
        DILATED_SLIPS,
        atol=1e-9,
        shows=Curve(dilated_view, "sample, a click at 8, gap 12", "output"),
    ),
    "34.reach": Check(reach_probes, _reach, REACH_SLIPS, atol=1e-9),
    "34.density": Check(
        density_probes,
        _density,
        DENSITY_SLIPS,
        atol=1e-9,
        shows=Curve(density_view, "sample", "log density"),
    ),
}
