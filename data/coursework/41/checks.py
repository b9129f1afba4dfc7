"""What the checks of unit 41 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import math

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

Z = 1.96


def slope_probes() -> list[Probe]:
    """Return a few scores, scores in the thousands, and more of them by lot."""
    calls = [([1.0, 2.0, 0.5], 1), ([0.0, 0.0, 0.0, 0.0], 2), ([1002.0, 1001.0, 999.0], 0)]
    rng = np.random.default_rng(41)
    for size, label in ((5, 4), (12, 3), (7, 0)):
        calls.append((np.round(3 * rng.standard_normal(size), 1).tolist(), label))
    return [
        Probe((np.array(scores), label), f"scores = {scores} and label = {label}")
        for scores, label in calls
    ]


def _softmax(scores):
    e = np.exp(scores - np.max(scores))
    return e / e.sum()


def _hot(scores, label):
    return 1.0 * (np.arange(len(scores)) == label)


def _slope(scores, label):
    return _softmax(scores) - _hot(scores, label)


SLOPE_SLIPS = (
    ("softmax only", lambda s, k: _softmax(s)),
    ("turned round", lambda s, k: -_slope(s, k)),
    ("scores themselves", lambda s, k: s - _hot(s, k)),
    ("not divided", lambda s, k: np.exp(s - np.max(s)) - _hot(s, k)),
    ("no exponential", lambda s, k: s / (s.sum() or 1.0) - _hot(s, k)),
    ("overflow", lambda s, k: np.exp(s) / np.exp(s).sum() - _hot(s, k)),
    ("the label alone", lambda s, k: _softmax(s)[k] - 1),
    ("next place", lambda s, k: _softmax(s) - _hot(s, k + 1)),
    ("one from all", lambda s, k: _softmax(s) - 1),
    ("logarithm", lambda s, k: np.log(_softmax(s)) - _hot(s, k)),
    ("the loss", lambda s, k: -np.log(_softmax(s)[k])),
    ("sigmoid", lambda s, k: 1 / (1 + np.exp(-np.clip(s, -50, 50))) - _hot(s, k)),
    ("divided by classes", lambda s, k: _slope(s, k) / len(s)),
)


def wilson_probes() -> list[Probe]:
    """Return many and few clips, none right, and all right."""
    return [
        Probe((k, n), f"k = {k} and n = {n}")
        for k, n in ((87, 100), (871, 921), (0, 10), (10, 10), (1, 3), (43, 55))
    ]


def _ends(middle, half):
    return np.array([middle - half, middle + half])


def _wilson(k, n, z=Z):
    p = k / n
    whole = 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / whole
    return _ends((p + z * z / (2 * n)) / whole, half)


def _half(k, n):
    low, high = _wilson(k, n)
    return (high - low) / 2


def _plain(k, n, z=Z):
    p = k / n
    return _ends(p, z * math.sqrt(p * (1 - p) / n))


def _undivided(k, n):
    p = k / n
    return _ends(p + Z * Z / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)))


def _half_divided(k, n):
    p = k / n
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return _ends((p + Z * Z / (2 * n)) / (1 + Z * Z / n), half)


def _agresti(k, n):
    return _plain(k + Z * Z / 2, n + Z * Z)


WILSON_SLIPS = (
    ("textbook interval", _plain),
    ("textbook interval", lambda k, n: np.clip(_plain(k, n), 0, 1)),
    ("one deviation", lambda k, n: _wilson(k, n, 1.0)),
    ("another z", lambda k, n: _wilson(k, n, 1.645)),
    ("another z", lambda k, n: _wilson(k, n, 2.576)),
    ("not divided", _undivided),
    ("half not divided", _half_divided),
    ("around the share", lambda k, n: _ends(k / n, _half(k, n))),
    ("two added", _agresti),
    ("wrong ones", lambda k, n: _wilson(n - k, n)),
    ("percent", lambda k, n: 100 * _wilson(k, n)),
    ("clips", lambda k, n: n * _wilson(k, n)),
    ("turned round", lambda k, n: _wilson(k, n)[::-1]),
    ("middle and half", lambda k, n: np.array([_wilson(k, n).mean(), _half(k, n)])),
    ("z not squared", lambda k, n: _ends((k + Z / 2) / (n + Z), _half(k, n))),
)  # fmt: skip


def luck_probes() -> list[Probe]:
    """Return answers of two classifiers: one better, both alike, equal in number, always right."""
    probes = []
    for both, first, second, none in (
        (5, 6, 1, 2), (20, 9, 9, 4), (3, 0, 4, 1), (30, 12, 5, 3), (8, 1, 0, 1), (2, 3, 7, 0),
        (6, 4, 4, 1),
    ):  # fmt: skip
        a = np.repeat([1, 1, 0, 0], (both, first, second, none))
        b = np.repeat([1, 0, 1, 0], (both, first, second, none))
        order = np.random.default_rng(both).permutation(len(a))
        say = f"{len(a)} clips, of which the first alone gets {first} and the second alone {second}"
        probes.append(Probe((a[order], b[order]), say))
    return probes


def _only(a, b):
    return int(np.sum(a > b)), int(np.sum(b > a))


def _tail(k, n):
    return sum(math.comb(n, i) for i in range(k + 1)) / 2**n


def _luck(a, b):
    first, second = _only(a, b)
    return min(1.0, 2 * _tail(min(first, second), first + second))


def _square(a, b, less=0.0):
    first, second = _only(a, b)
    z = max(0.0, abs(first - second) - less) / math.sqrt(first + second)
    return math.erfc(z / math.sqrt(2))


def _mid(a, b):
    first, second = _only(a, b)
    k, n = min(first, second), first + second
    return min(1.0, 2 * (_tail(k, n) - 0.5 * math.comb(n, k) / 2**n))


def _over_all(a, b):
    first, second = _only(a, b)
    return min(1.0, 2 * _tail(min(first, second), len(a)))


def _unpaired(a, b):
    p = (a.mean() + b.mean()) / 2
    z = abs(a.mean() - b.mean()) / math.sqrt(max(2 * p * (1 - p) / len(a), 1e-12))
    return math.erfc(z / math.sqrt(2))


def _one_side(a, b):
    first, second = _only(a, b)
    return _tail(min(first, second), first + second)


def _unlimited(a, b):
    return 2 * _one_side(a, b)


def _one_term(a, b):
    first, second = _only(a, b)
    return min(1.0, 2 * math.comb(first + second, min(first, second)) / 2 ** (first + second))


def _strict(a, b):
    first, second = _only(a, b)
    return min(1.0, 2 * _tail(min(first, second) - 1, first + second))


def _second_first(a, b):
    first, second = _only(a, b)
    return min(1.0, 2 * _tail(first, first + second))


LUCK_SLIPS = (
    ("one side", _one_side),
    ("more than one", _unlimited),
    ("the square", _square),
    ("the square", lambda a, b: _square(a, b, 1.0)),
    ("half of the last", _mid),
    ("all clips", _over_all),
    ("not paired", _unpaired),
    ("one term", _one_term),
    ("fewer only", _strict),
    ("always the first", _second_first),
    ("not likely", lambda a, b: 1 - _luck(a, b)),
    ("the difference", lambda a, b: abs(a.mean() - b.mean())),
    ("how often they differ", lambda a, b: np.mean(a != b)),
)


def alarms_probes() -> list[Probe]:
    """Return scores that pass once, stay above, fall and rise again, and touch the limit."""
    calls = [
        ([0.1, 0.9, 0.95, 0.9, 0.2, 0.1, 0.8, 0.1], 0.5, 2),
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], 0.5, 2),
        ([0.1, 0.5, 0.2, 0.6, 0.7, 0.1, 0.1, 0.6], 0.5, 1),
        ([0.2, 0.7, 0.1, 0.7, 0.1, 0.7, 0.1, 0.7, 0.1], 0.6, 3),
        ([0.1, 0.2, 0.3], 0.5, 2),
        ([0.9, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.2, 0.9], 0.5, 3),
        ([0.7, 0.1, 0.3, 0.9, 0.2, 0.7, 0.6, 0.8, 0.1, 0.7], 0.6, 2),
        ([0.6, 0.8, 0.9, 0.3, 0.8, 0.4, 0.6, 0.9], 0.6, 2),
    ]
    rng = np.random.default_rng(42)
    calls.append((np.round(rng.random(40), 2).tolist(), 0.6, 4))
    return [
        Probe((np.array(s), limit, hold), f"scores = {s}, threshold = {limit} and hold = {hold}")
        for s, limit, hold in calls
    ]


def _alarms(scores, threshold, hold, *, at=False, longer=0, again=False) -> list[int]:
    """Return the windows that ring, by rules that may differ."""
    rung = []
    quiet = 0
    for k, score in enumerate(scores):
        above = score >= threshold if at else score > threshold
        if quiet and above and again:
            quiet = hold + 1  # starts anew
        if not quiet and above:
            rung.append(k)
            quiet = hold + 1 + longer
        quiet = max(0, quiet - 1)
    return rung


def _edges(scores, threshold):
    above = np.concatenate([[False], scores > threshold])
    return np.sum(above[1:] & ~above[:-1])


def _largest_first(scores, threshold, hold):
    left, count = np.array(scores, float), 0
    while left.max() > threshold:
        k = int(left.argmax())
        left[max(0, k - hold) : k + hold + 1] = -np.inf
        count += 1
    return count


def _blocks(scores, threshold, hold):
    parts = [scores[k : k + hold + 1] for k in range(0, len(scores), hold + 1)]
    return sum(part.max() > threshold for part in parts)


def _count(**how):
    return lambda scores, threshold, hold: len(_alarms(scores, threshold, hold, **how))


ALARMS_SLIPS = (
    ("every window", lambda s, t, hold: np.sum(s > t)),
    ("only where it rises", lambda s, t, hold: _edges(s, t)),
    ("the threshold too", _count(at=True)),
    ("held one longer", _count(longer=1)),
    ("held one shorter", lambda s, t, hold: len(_alarms(s, t, hold - 1))),
    ("held anew", _count(again=True)),
    ("below", lambda s, t, hold: len(_alarms(-s, -t, hold))),
    ("at all", lambda s, t, hold: int(np.any(s > t))),
    ("largest first", _largest_first),
    ("blocks", _blocks),
    ("divided", lambda s, t, hold: np.sum(s > t) / (hold + 1)),
    ("per window", lambda s, t, hold: len(_alarms(s, t, hold)) / len(s)),
    ("hold forgotten once", lambda s, t, hold: max(0, len(_alarms(s, t, hold)) - 1)),
)


def threshold_probes() -> list[Probe]:
    """Return heights in order and out of it, and whole and broken numbers of alarms."""
    calls = [
        ([3.0, 2.0, 1.0, 0.0, -1.0], 1.0, 2.0),
        ([0.5, -2.0, 3.5, 1.0, 2.0, -1.0], 2.0, 1.0),
        ([-1.0, 4.0, 0.0, 2.5, 1.5, -3.0, 3.0], 1.5, 2.5),
        ([2.0, 1.0, 0.0], 0.5, 1.0),
        ([0.1, 0.9, 0.4, 0.7, 0.2, 0.6, 0.3], 3.0, 1.5),
        ([5.0, 1.0, 3.0, 2.0, 4.0, 0.0, -1.0, -2.0], 0.8, 7.0),
    ]
    return [
        Probe((np.array(h), hours, rate), f"heights = {h}, hours = {hours} and rate = {rate}")
        for h, hours, rate in calls
    ]


def _down(heights):
    return np.sort(heights)[::-1]


def _pick(heights, place):
    return float(_down(heights)[int(np.clip(place, 0, len(heights) - 1))])


def _allowed(hours, rate):
    return math.floor(hours * rate)


def _threshold(heights, hours, rate):
    return _pick(heights, _allowed(hours, rate))


THRESHOLD_SLIPS = (
    ("one alarm more", lambda h, hours, rate: _pick(h, _allowed(hours, rate) + 1)),
    ("one alarm less", lambda h, hours, rate: _pick(h, _allowed(hours, rate) - 1)),
    ("hours forgotten", lambda h, hours, rate: _pick(h, math.floor(rate))),
    ("divided by the rate", lambda h, hours, rate: _pick(h, math.floor(hours / rate))),
    ("rounded up", lambda h, hours, rate: _pick(h, math.ceil(hours * rate))),
    ("rounded", lambda h, hours, rate: _pick(h, round(hours * rate))),
    ("from below", lambda h, hours, rate: -_pick(-h, _allowed(hours, rate))),
    ("not sorted", lambda h, hours, rate: h[min(_allowed(hours, rate), len(h) - 1)]),
    ("how many", lambda h, hours, rate: _allowed(hours, rate)),
    ("no alarm at all", lambda h, hours, rate: h.max()),
    ("the lowest", lambda h, hours, rate: h.min()),
    (
        "halfway",
        lambda h, hours, rate: (
            0.5 * (_threshold(h, hours, rate) + _pick(h, _allowed(hours, rate) - 1))
        ),
    ),
    ("per alarm", lambda h, hours, rate: _pick(h, math.floor(len(h) / hours))),
)


def own_probes() -> list[Probe]:
    """Return takes, other words and tests in two to six dimensions, of unequal length."""
    probes = []
    for seed, size, takes, others, tests in (
        (1, 2, 3, 2, 6), (2, 3, 8, 3, 8), (3, 4, 1, 3, 8), (5, 6, 4, 4, 10), (8, 3, 2, 2, 9),
    ):  # fmt: skip
        rng = np.random.default_rng(seed)
        mine = rng.standard_normal(size)
        A = mine + 0.7 * rng.standard_normal((takes, size))
        B = rng.standard_normal((others, size)) * rng.uniform(0.4, 3.0, (others, 1))
        T = (0.6 * mine + rng.standard_normal((tests, size))) * rng.uniform(0.3, 3.0, (tests, 1))
        say = f"{takes} takes, {others} other words and {tests} tests of {size} numbers each"
        probes.append(Probe(tuple(np.round(x, 2) for x in (A, B, T)), say))
    return probes


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _own_margin(takes, others, tests):
    mine = _unit(takes.mean(axis=0))
    return _unit(tests) @ mine, _unit(tests) @ _unit(others).T


def _own(takes, others, tests):
    mine, theirs = _own_margin(takes, others, tests)
    return 1 * (mine > theirs.max(axis=1))


def _by_product(takes, others, tests):
    return 1 * (tests @ takes.mean(axis=0) > (tests @ others.T).max(axis=1))


def _by_distance(takes, others, tests):
    near = np.linalg.norm(tests - takes.mean(axis=0), axis=1)
    far = np.linalg.norm(tests[:, None] - others, axis=2).min(axis=1)
    return 1 * (near < far)


def _any_take(takes, others, tests):
    return 1 * ((_unit(tests) @ _unit(takes).T).max(1) > (_unit(tests) @ _unit(others).T).max(1))


def _against(fn):
    def answer(takes, others, tests):
        mine, theirs = _own_margin(takes, others, tests)
        return 1 * (mine > fn(theirs))

    return answer


def _one_mean(takes, others, tests):
    return _own(takes, others.mean(axis=0, keepdims=True), tests)


OWN_SLIPS = (
    ("lengths count", _by_product),
    ("distances", _by_distance),
    ("turned round", lambda a, b, t: 1 - _own(a, b, t)),
    ("the first take", lambda a, b, t: _own(a[:1], b, t)),
    ("any take", _any_take),
    ("the mean of the others", _against(lambda theirs: theirs.mean(axis=1))),
    ("one of the others", _against(lambda theirs: theirs.min(axis=1))),
    ("others in one", _one_mean),
    ("scores returned", lambda a, b, t: _own_margin(a, b, t)[0]),
    ("a fixed limit", lambda a, b, t: 1 * (_own_margin(a, b, t)[0] > 0.5)),
    ("above zero", lambda a, b, t: 1 * (_own_margin(a, b, t)[0] > 0)),
    ("the first of the others", _against(lambda theirs: theirs[:, 0])),
    ("a count", lambda a, b, t: _own(a, b, t).sum()),
    ("all the same", lambda a, b, t: np.ones(len(t))),
)


def slope_view():
    """Return the slope of five scores."""
    return np.arange(5), [(np.array([0.5, 2.0, 1.0, -1.0, 0.0]), 2)]


def luck_view():
    """Return two classifiers that differ on ten clips, of which the first gets more and more."""
    wins = np.arange(11)
    calls = [(np.arange(10) < k, np.arange(10) >= k) for k in wins]
    return wins, [(1 * a, 1 * b) for a, b in calls]


def alarms_view():
    """Return how often a minute of scores rings, by the threshold."""
    limits = np.arange(0.1, 1.0, 0.05)
    scores = np.random.default_rng(7).beta(1.2, 4.0, 60)
    return limits, [(scores, limit, 5) for limit in limits.tolist()]


def threshold_view():
    """Return the threshold by the alarms that are allowed in two hours."""
    rates = np.arange(0.5, 8.5, 0.5)
    heights = np.random.default_rng(3).standard_normal(40)
    return rates, [(heights, 2.0, rate) for rate in rates.tolist()]


CHECKS = {
    "41.slope": Check(
        slope_probes, _slope, SLOPE_SLIPS, atol=1e-9, shows=Curve(slope_view, "class", "slope")
    ),
    "41.wilson": Check(wilson_probes, _wilson, WILSON_SLIPS, atol=1e-9),
    "41.luck": Check(
        luck_probes,
        _luck,
        LUCK_SLIPS,
        atol=1e-9,
        shows=Curve(luck_view, "of ten, the first alone gets", "chance"),
    ),
    "41.alarms": Check(
        alarms_probes,
        _count(),
        ALARMS_SLIPS,
        atol=1e-9,
        shows=Curve(alarms_view, "threshold", "alarms"),
    ),
    "41.threshold": Check(
        threshold_probes,
        _threshold,
        THRESHOLD_SLIPS,
        atol=1e-9,
        shows=Curve(threshold_view, "alarms allowed in an hour", "threshold"),
    ),
    "41.own": Check(own_probes, _own, OWN_SLIPS, atol=1e-9),
}
