"""What the checks of unit 44 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

YEARS = (1984, 1900, 1905, 1166, 1776, 1801, 1999, 1300, 1110, 1512, 1609, 1747)


def year_probes() -> list[Probe]:
    """Return years of all three kinds."""
    return [Probe((n,), f"n = {n}") for n in YEARS]


def _year(n, oh=True, hundred=100):
    pair, rest = divmod(n, 100)
    if rest == 0:
        said = [pair, hundred]
    elif rest < 10 and oh:
        said = [pair, 0, rest]
    else:
        said = [pair, rest]
    return np.array(said)


def _one_by_one(n):
    return np.array([int(digit) for digit in str(n)])


def _tens_apart(n):
    pair, rest = divmod(n, 100)
    if rest < 20 or rest % 10 == 0:
        return _year(n)
    return np.array([pair, rest // 10 * 10, rest % 10])


YEAR_SLIPS = (
    ("digit by digit", _one_by_one),
    ("no oh", lambda n: _year(n, oh=False)),
    ("nothing for a hundred", lambda n: _year(n, hundred=0)),
    ("the pair alone", lambda n: _year(n) if n % 100 else np.array([n // 100])),
    ("always a hundred", lambda n: np.array([n // 100, 100, n % 100])),
    ("tens apart", _tens_apart),
    ("other way round", lambda n: _year(n)[::-1]),
    ("thousands", lambda n: np.array([n // 1000, n % 1000])),
    ("the century", lambda n: _year(n + 100)),
    ("the century", lambda n: _year(n) + np.eye(len(_year(n)), dtype=int)[0]),
    ("not taken off", lambda n: np.array([n // 100 * 100, n % 100])),
    ("a hundred for the oh", lambda n: np.where(_year(n) == 0, 100, _year(n))),
    ("oh for both", lambda n: _year(n) if n % 100 else np.array([n // 100, 0, 0])),
    ("one number", lambda n: np.array([n])),
)


def _many(count, what):
    return f"{count} {what}" + ("s" if count != 1 else "")


def _scores(rng, T, n):
    """Return a table whose rows add up to less than 1, as where a blank takes some."""
    return np.log(rng.dirichlet(np.ones(n), size=T) * rng.uniform(0.3, 0.9, (T, 1)))


def total_probes() -> list[Probe]:
    """Return tables from one phone to five, with as many frames and more."""
    rng = np.random.default_rng(44)
    sizes = ((4, 2), (1, 1), (5, 3), (3, 3), (8, 5), (12, 4), (6, 1), (30, 4))
    return [
        Probe((_scores(rng, T, n),), f"{_many(T, 'frame')} and {_many(n, 'phone')}")
        for T, n in sizes
    ]


def _total(scores, join=np.logaddexp, jump=False, start=False, back=False):
    now = np.full(scores.shape[1], -np.inf)
    now[0] = scores[0, 0]
    if start:
        now = scores[0].copy()
    for row in scores[1:]:
        was = now
        now = join(was, np.insert(was[:-1], 0, -np.inf))
        if jump:
            now = join(now, np.insert(was[:-2], 0, [-np.inf] * min(2, len(was)))[: len(was)])
        if back:
            now = join(now, np.append(was[1:], -np.inf))
        now = now + row
    return now


def _straight(scores):
    T, n = scores.shape
    return scores[np.arange(T), np.arange(T) * n // T].sum()


TOTAL_SLIPS = (
    ("the best way", lambda s: _total(s, join=np.maximum)[-1]),
    ("phones left out", lambda s: _total(s, jump=True)[-1]),
    ("any end", lambda s: np.logaddexp.reduce(_total(s))),
    ("any beginning", lambda s: _total(s, start=True)[-1]),
    ("back again", lambda s: _total(s, back=True)[-1]),
    ("all rows", lambda s: np.logaddexp.reduce(s, axis=1).sum()),
    ("the straight way", _straight),
    ("for each frame", lambda s: _total(s)[-1] / len(s)),
    ("minus it", lambda s: -_total(s)[-1]),
    ("no logarithm", lambda s: np.exp(_total(s)[-1])),
    ("first row forgotten", lambda s: _total(s)[-1] - s[0, 0]),
    ("last row forgotten", lambda s: _total(s)[-1] - s[-1, -1]),
    ("every state", lambda s: _total(s)),
)

WAYS = (
    ((0, 0, 1, 1, 1, 2), 3),
    ((0, 1, 2, 3), 4),
    ((0, 0, 0, 2, 2, 3), 4),
    ((0, 2, 2, 2, 5), 6),
    ((1, 1, 3, 4, 4, 4, 4), 5),
    ((0, 0, 0, 0), 1),
    ((0, 1, 1, 2, 2, 2), 5),
    ((2, 2, 2), 4),
)


def lasts_probes() -> list[Probe]:
    """Return ways that visit all phones, and ways that leave some out at all places."""
    return [Probe((np.array(way), n), f"way = {list(way)} and n = {n}") for way, n in WAYS]


def _lasts(way, n):
    return np.array([np.sum(way == k) for k in range(n)])


def _visited(way, n):
    return np.unique(way, return_counts=True)[1]


def _closed_up(way, n):
    sizes = _visited(way, n)
    return np.append(sizes, np.zeros(n - len(sizes), int))


LASTS_SLIPS = (
    ("left out lost", _visited),
    ("moved up", _closed_up),
    ("where it ends", lambda way, n: np.cumsum(_lasts(way, n))),
    ("where it begins", lambda way, n: np.cumsum(_lasts(way, n)) - _lasts(way, n)),
    ("milliseconds", lambda way, n: 16 * _lasts(way, n)),
    ("shares", lambda way, n: _lasts(way, n) / len(way)),
    ("there or not", lambda way, n: np.minimum(_lasts(way, n), 1)),
    ("one too few", lambda way, n: np.maximum(_lasts(way, n) - 1, 0)),
    ("one at least", lambda way, n: np.maximum(_lasts(way, n), 1)),
    ("last phone lost", lambda way, n: _lasts(way, n)[:-1]),
    ("backwards in time", lambda way, n: _lasts(way, n)[::-1]),
    ("by size", lambda way, n: np.sort(_lasts(way, n))[::-1]),
    ("the first frame", lambda way, n: _lasts(way[1:], n)),
)


def regulate_probes() -> list[Probe]:
    """Return rows of one to five numbers, and phones that last no frame."""
    rng = np.random.default_rng(45)
    probes = []
    for frames in ((2, 1, 3), (1, 1), (4,), (3, 0, 2), (0, 5, 1, 2), (1, 2, 3, 4, 1)):
        rows = np.round(rng.standard_normal((len(frames), 1 + len(frames) % 4)), 2)
        words = f"rows of shape {rows.shape} and frames = {list(frames)}"
        probes.append(Probe((rows, np.array(frames)), words))
    return probes


def _regulate(rows, frames):
    return rows[np.concatenate([np.full(m, k) for k, m in enumerate(frames)]).astype(int)]


def _between(rows, frames):
    T = int(np.sum(frames))
    at = np.linspace(0, len(rows) - 1, T)
    return np.stack([np.interp(at, np.arange(len(rows)), column) for column in rows.T], axis=1)


def _once(rows, frames):
    out = np.zeros((int(np.sum(frames)), rows.shape[1]))
    for row, start, size in zip(rows, np.cumsum(frames) - frames, frames, strict=True):
        if size:
            out[start] = row
    return out


def _evenly(rows, frames):
    T = int(np.sum(frames))
    return rows[np.arange(T) * len(rows) // T]


REGULATE_SLIPS = (
    ("in turn", lambda rows, frames: rows[np.arange(int(np.sum(frames))) % len(rows)]),
    ("all alike", _evenly),
    ("between two phones", _between),
    ("once, then zeros", _once),
    ("at least one frame", lambda rows, frames: _regulate(rows, np.maximum(frames, 1))),
    ("one more", lambda rows, frames: _regulate(rows, frames + 1)),
    ("turned", lambda rows, frames: _regulate(rows, frames).T),
    ("from the end", lambda rows, frames: _regulate(rows, frames)[::-1]),
    ("the neighbour's length", lambda rows, frames: _regulate(rows, np.roll(frames, 1))),
    (
        "shared among frames",
        lambda rows, frames: _regulate(rows / np.maximum(frames, 1)[:, None], frames),
    ),
    ("multiplied", lambda rows, frames: rows * frames[:, None]),
    ("stuck together", lambda rows, frames: _regulate(rows, frames).ravel()),
    ("the sum so far", lambda rows, frames: _regulate(rows, np.cumsum(frames))),
)


def liven_probes() -> list[Probe]:
    """Return mels with bands of all levels and spreads."""
    rng = np.random.default_rng(46)
    probes = []
    for bands, frames in ((1, 3), (2, 5), (3, 8), (6, 20), (4, 2)):
        mel = rng.standard_normal((bands, frames)) * rng.uniform(0.3, 2, (bands, 1))
        mel = mel + rng.uniform(-6, 1, (bands, 1))
        spread = rng.uniform(0.5, 3, bands)
        words = f"a mel of {_many(bands, 'band')} and {_many(frames, 'frame')}"
        probes.append(Probe((mel, spread), words))
    return probes


def _parts(mel):
    middle = mel.mean(axis=1, keepdims=True)
    return middle, mel - middle, mel.std(axis=1, keepdims=True)


def _liven(mel, spread, power=1.0):
    middle, rest, own = _parts(mel)
    return middle + rest * (spread[:, None] / own) ** power


def _sample(mel, spread):
    T = mel.shape[1]
    return _liven(mel, spread * np.sqrt((T - 1) / T))


def _as_one(mel, spread):
    return mel.mean() + (mel - mel.mean()) * spread.mean() / mel.std()


def _per_frame(mel, spread):
    middle = mel.mean(axis=0, keepdims=True)
    own = np.maximum(mel.std(axis=0, keepdims=True), 1e-9)
    return middle + (mel - middle) / own * spread[:, None]


LIVEN_SLIPS = (
    ("about zero", lambda mel, spread: mel * spread[:, None] / _parts(mel)[2]),
    ("mean gone", lambda mel, spread: _parts(mel)[1] * spread[:, None] / _parts(mel)[2]),
    ("variances", lambda mel, spread: _liven(mel, spread, power=2.0)),
    ("half the way", lambda mel, spread: _liven(mel, spread, power=0.5)),
    ("upside down", lambda mel, spread: _liven(mel, spread, power=-1.0)),
    ("own spread kept", lambda mel, spread: _parts(mel)[0] + _parts(mel)[1] * spread[:, None]),
    ("one less", _sample),
    ("one for all", _as_one),
    ("over the bands", _per_frame),
    ("shifted", lambda mel, spread: mel + spread[:, None]),
    ("spread added", lambda mel, spread: _liven(mel, spread + _parts(mel)[2][:, 0])),
    (
        "the range",
        lambda mel, spread: _liven(mel, spread * _parts(mel)[2][:, 0] / np.ptp(mel, axis=1)),
    ),
)


def mos_probes() -> list[Probe]:
    """Return marks of listeners who differ much and little."""
    rng = np.random.default_rng(47)
    probes = []
    for listeners, clips in ((4, 3), (2, 5), (10, 8), (6, 2), (15, 4)):
        own = rng.normal(3.3, 0.8, (listeners, 1))
        marks = np.clip(np.round(own + rng.normal(0, 0.7, (listeners, clips))), 1, 5)
        words = f"marks of {listeners} listeners for {clips} clips"
        probes.append(Probe((marks,), words))
    return probes


def _mos(marks, factor=1.96, ddof=1, root=True, axis=1):
    means = marks.mean(axis=axis)
    half = factor * means.std(ddof=ddof) / (np.sqrt(len(means)) if root else 1)
    return means.mean() + half * np.array([0, -1, 1])


def _alone(marks):
    half = 1.96 * marks.std(ddof=1) / np.sqrt(marks.size)
    return marks.mean() + half * np.array([0, -1, 1])


def _middle(marks):
    found = _mos(marks)
    return found - found[0] + np.median(marks)


MOS_SLIPS = (
    ("every mark", _alone),
    ("over the listeners", lambda m: _mos(m, axis=0)),
    ("no root of the number", lambda m: _mos(m, root=False)),
    ("by the number itself", lambda m: _mos(m, ddof=0)),
    ("one standard error", lambda m: _mos(m, factor=1.0)),
    ("two and a half", lambda m: _mos(m, factor=2.576)),
    ("width of it", lambda m: _mos(m) - _mos(m)[0] * np.array([0, 1, 1])),
    ("half of it", lambda m: np.array([_mos(m)[0], *([_mos(m)[2] - _mos(m)[0]] * 2)])),
    ("ends turned", lambda m: _mos(m)[[0, 2, 1]]),
    ("in order of size", lambda m: np.sort(_mos(m))),
    ("the median", _middle),
    ("middle alone", lambda m: _mos(m)[0]),
    ("divided twice", lambda m: _mos(m, factor=1.96 / np.sqrt(len(m)))),
)


def year_view():
    """Return ninety years of a century."""
    last = np.arange(10, 100)
    return last, [(1900 + int(k),) for k in last]


def total_view():
    """Return three phones in more and more frames of equal chances."""
    count = np.arange(3, 15)
    return count, [(np.log(np.full((int(T), 3), 1 / 3)),) for T in count]


def lasts_view():
    """Return one way through eight phones."""
    way = np.repeat(np.arange(8), [3, 1, 4, 0, 2, 5, 0, 2])
    return np.arange(8), [(way, 8)]


def regulate_view():
    """Return one number for each of six phones."""
    frames = np.array([3, 1, 4, 2, 5, 3])
    rows = np.array([[1.0], [4], [2], [6], [3], [5]])
    return np.arange(int(frames.sum())), [(rows, frames)]


def liven_view():
    """Return one band that moves a little, about -3."""
    t = np.arange(40)
    return t, [(np.array([-3 + 0.3 * np.sin(t / 3)]), np.array([1.0]))]


def mos_view():
    """Return more and more listeners, each second one pleased."""
    count = np.arange(4, 31, 2)
    marks = np.array([[4.0, 5, 4], [2, 3, 3]])
    return count, [(np.tile(marks, (int(n) // 2, 1)),) for n in count]


def _last_number(values):
    return np.array(values)[:, -1]


def _low_end(values):
    return np.reshape(values, (-1, 3))[:, 1]


CHECKS = {
    "44.year": Check(
        year_probes,
        _year,
        YEAR_SLIPS,
        atol=1e-9,
        shows=Curve(year_view, "last two digits of a year after 1910", "last number", _last_number),
    ),
    "44.total": Check(
        total_probes,
        lambda scores: _total(scores)[-1],
        TOTAL_SLIPS,
        atol=1e-6,
        shows=Curve(total_view, "frames, all three phones equally likely", "logarithm of the sum"),
    ),
    "44.lasts": Check(
        lasts_probes,
        _lasts,
        LASTS_SLIPS,
        atol=1e-9,
        shows=Curve(lasts_view, "phone", "frames"),
    ),
    "44.regulate": Check(
        regulate_probes,
        _regulate,
        REGULATE_SLIPS,
        atol=1e-9,
        shows=Curve(regulate_view, "frame", "number"),
    ),
    "44.liven": Check(
        liven_probes,
        _liven,
        LIVEN_SLIPS,
        atol=1e-9,
        shows=Curve(liven_view, "frame", "band"),
    ),
    "44.mos": Check(
        mos_probes,
        _mos,
        MOS_SLIPS,
        atol=1e-9,
        shows=Curve(mos_view, "listeners", "lower end", _low_end),
    ),
}
