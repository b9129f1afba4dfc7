"""What the checks of unit 36 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe


def macs_probes() -> list[Probe]:
    """Return sizes of dense layers, (n_layers, 2), and frames a second."""
    cases = (
        (np.array([[256, 192]]), 125),
        (np.array([[128, 192], [192, 384], [384, 192], [192, 256]]), 250),
        (np.array([[257, 48], [48, 257]]), 62.5),
    )
    say = "{} layers, {:g} frames a second"
    return [
        Probe(case, say.format(len(case[0]), case[1]), "more" if i else "")
        for i, case in enumerate(cases)
    ]


def _macs(layers, frames):
    return np.sum(layers[:, 0] * layers[:, 1]) * frames


MACS_SLIPS = (
    ("one frame", lambda layers, frames: float(np.sum(layers[:, 0] * layers[:, 1]))),
    ("biases counted", lambda layers, frames: np.sum((layers[:, 0] + 1) * layers[:, 1]) * frames),
    ("counted twice", lambda layers, frames: 2 * _macs(layers, frames)),
    ("sizes added", lambda layers, frames: np.sum(layers) * frames),
    ("layers multiplied", lambda layers, frames: np.prod(layers.astype(float)) * frames),
    ("divided by the frames", lambda layers, frames: np.sum(layers[:, 0] * layers[:, 1]) / frames),
)


def agree_probes() -> list[Probe]:
    """Return ratings and scores, (n_items, n_systems), without ties: one item, then several."""
    first = (np.array([[80.0, 60.0, 40.0]]), np.array([[1.9, 2.4, 1.2]]))
    probes = [Probe(first, "ears = [[80, 60, 40]], metric = [[1.9, 2.4, 1.2]]")]
    for seed, shape in ((12, (6, 3)), (13, (7, 4)), (14, (4, 5))):
        rng = np.random.default_rng(seed)
        ears = rng.uniform(5, 95, shape) + rng.uniform(0, 60, (shape[0], 1))
        metric = 0.02 * ears + rng.uniform(0, 1, shape) + rng.uniform(0, 3, (shape[0], 1))
        probes.append(Probe((ears, metric), f"{shape[0]} items and {shape[1]} systems"))
    return probes


def _signs(x):
    return np.array([np.sign(x[:, i] - x[:, j]) for i, j in combinations(range(x.shape[1]), 2)])


def _agreement(ears, metric):
    return np.mean(_signs(ears) == _signs(metric))


def _across(ears, metric):
    """Agreement over all pairs of numbers, those of different items too."""
    return _agreement(ears.reshape(1, -1), metric.reshape(1, -1))


AGREE_SLIPS = (
    ("disagreement", lambda ears, metric: 1 - _agreement(ears, metric)),
    ("kendall", lambda ears, metric: 2 * _agreement(ears, metric) - 1),
    ("pairs across items", _across),
    ("winners alone", lambda ears, metric: np.mean(ears.argmax(1) == metric.argmax(1))),
    ("means first", lambda ears, metric: _agreement(ears.mean(0)[None], metric.mean(0)[None])),
    ("a count", lambda ears, metric: float(np.sum(_signs(ears) == _signs(metric)))),
    ("correlation", lambda ears, metric: np.corrcoef(ears.ravel(), metric.ravel())[0, 1]),
)


def ship_probes() -> list[Probe]:
    """Return costs, limits and qualities: something fits, qualities are negative, nothing fits, a
    limit is met.
    """
    inf = np.inf
    costs = np.array([[32.0, 228.0], [32.0, 507.0], [inf, 140.0], [8.0, 90.0], [64.0, 900.0]])
    usual = np.array([1.7, 1.9, 2.1, 1.4, 2.5])
    cases = (
        (costs, np.array([40.0, 300.0]), usual, ""),
        (costs, np.array([inf, 600.0]), usual, ""),
        (costs[::-1], np.array([40.0, 300.0]), np.array([2.4, 1.1, 2.3, 1.9, 1.6]), ""),
        (costs, np.array([40.0, 600.0]), np.array([-4.0, -3.0, -7.0, -9.0, -8.0]), "negative"),
        (costs[::-1], np.array([40.0, 600.0]), np.array([2.4, 1.1, 2.3, 1.9, 1.6]), ""),
        (costs, np.array([5.0, 600.0]), usual, "none"),
        (costs, np.array([100.0, 50.0]), usual[::-1], "none"),
        (costs, np.array([32.0, 507.0]), usual, "edge"),
    )
    say = "limits {}, qualities {}"
    return [
        Probe(case, say.format(case[1].tolist(), case[2].tolist()), group) for *case, group in cases
    ]


def _fits(costs, limits):
    return np.all(costs <= limits, axis=1)


def _ship(costs, limits, quality, fits=None):
    fits = _fits(costs, limits) if fits is None else fits
    return int(np.argmax(np.where(fits, quality, -np.inf))) if fits.any() else -1


def _among(costs, limits, quality):
    """Return the place among those that fit, which is another place than in the whole list."""
    fits = _fits(costs, limits)
    return int(np.argmax(quality[fits])) if fits.any() else -1


SHIP_SLIPS = (
    ("limits ignored", lambda costs, limits, quality: int(np.argmax(quality))),
    ("one limit is enough", lambda c, limits, q: _ship(c, limits, q, np.any(c <= limits, axis=1))),
    ("place among the rest", _among),
    ("the worst", lambda costs, limits, quality: _ship(costs, limits, -quality)),
    ("over the limit", lambda c, limits, q: _ship(c, limits, q, np.all(c > limits, axis=1))),
    ("its quality", lambda costs, limits, quality: quality[_ship(costs, limits, quality)]),
    ("none is the first", lambda costs, limits, quality: max(0, _ship(costs, limits, quality))),
    ("limit not allowed", lambda c, limits, q: _ship(c, limits, q, np.all(c < limits, axis=1))),
    (
        "zero for the rest",
        lambda costs, limits, quality: int(np.argmax(quality * _fits(costs, limits))),
    ),
)

CHECKS = {
    "36.macs": Check(macs_probes, _macs, MACS_SLIPS, atol=1e-3),
    "36.agree": Check(agree_probes, _agreement, AGREE_SLIPS, atol=1e-9),
    "36.ship": Check(ship_probes, _ship, SHIP_SLIPS, atol=1e-9),
}
