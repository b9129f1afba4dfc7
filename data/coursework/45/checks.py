"""What the checks of unit 45 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def _ring(size: int, count: int) -> np.ndarray:
    """Return a ring into which 1, 2, ... count have been written."""
    ring = np.zeros(size)
    for k in range(count):
        ring[k % size] = k + 1
    return ring


def last_probes() -> list[Probe]:
    """Return rings that are young, full to the brim, and long overwritten."""
    cases = ((8, 5, 3), (8, 8, 4), (8, 11, 5), (10, 33, 10), (7, 23, 1), (9, 12, 6), (6, 40, 5))
    return [
        Probe((_ring(size, count), count, n), f"a ring of {size}, count = {count}, n = {n}")
        for size, count, n in cases
    ]


def _last(ring, count, n, shift=0):
    return ring[(count + shift + np.arange(-n, 0)) % len(ring)]


LAST_SLIPS = (
    ("the end of the array", lambda y, c, n: y[-n:]),
    ("the beginning", lambda y, c, n: y[:n]),
    ("one too early", lambda y, c, n: _last(y, c, n, -1)),
    ("one too late", lambda y, c, n: _last(y, c, n, 1)),
    ("newest first", lambda y, c, n: _last(y, c, n)[::-1]),
    ("the oldest", lambda y, c, n: y[(c + np.arange(n)) % len(y)]),
    ("the whole ring", lambda y, c, n: _last(y, c, len(y))),
    ("one too many", lambda y, c, n: _last(y, c, n + 1)),
    ("the places", lambda y, c, n: (c + np.arange(-n, 0)) % len(y)),
    ("cut at the end", lambda y, c, n: y[max(0, c % len(y) - n) : c % len(y)]),
)

LEVELS = (
    ((-70, -30, -25, -28, -65, -66, -64, -70, -71), -50, 3),
    ((-70, -69, -70, -68, -70, -71), -50, 2),
    ((-20, -60, -22, -60, -61, -24, -63, -62, -60, -61), -40, 3),
    ((-60, -61, -62, -20, -21, -22), -40, 2),
    ((-60, -60, -60, -20, -60, -60, -60, -60), -50, 2),
    ((-30, -50, -50, -50, -31, -52, -55, -56, -57), -50, 4),
    ((-55, -20, -55, -56, -21, -57, -58, -20), -40, 2),
    ((-10, -70), -40, 1),
    ((-30, -50, -50, -50, -60), -50, 2),
    ((-20, -40, -40, -60, -61), -40, 2),
    ((-10, -30, -30, -20, -30, -30, -31), -30, 3),
    ((-20, -60, -61, -62, -21, -63, -64, -65), -40, 2),
    ((-20, -61, -62, -22, -60, -61, -62, -63), -40, 3),
)


def ended_probes() -> list[Probe]:
    """Return levels with pauses, with no speech, with no end, and exactly at the limit."""
    return [
        Probe(
            (np.array(level, dtype=float), float(limit), hold),
            f"level = {list(level)}, limit = {limit} and hold = {hold}",
        )
        for level, limit, hold in LEVELS
    ]


def _ended(level, limit, hold, begun=False, strict=False, reset=True):
    quiet = 0
    for k, one in enumerate(level):
        if one >= limit if strict else one > limit:
            begun = True
            quiet = 0 if reset else quiet
        elif begun:
            quiet += 1
        if begun and quiet >= hold:
            return k
    return -1


def _from_the_end(level, limit, hold):
    on = np.flatnonzero(level > limit)
    ended = len(on) > 0 and len(level) - 1 - on[-1] >= hold
    return int(on[-1]) + hold if ended else -1


def _after(level, limit, hold, shift):
    found = _ended(level, limit, hold)
    return found if found < 0 else found + shift


ENDED_SLIPS = (
    ("silence at the start", lambda y, a, n: _ended(y, a, n, begun=True)),
    ("one silent frame", lambda y, a, n: _ended(y, a, 1)),
    ("pauses add up", lambda y, a, n: _ended(y, a, n, reset=False)),
    ("one frame more", lambda y, a, n: _ended(y, a, n + 1)),
    ("the silence begins", lambda y, a, n: _after(y, a, n, 1 - n)),
    ("the last loud frame", lambda y, a, n: _after(y, a, n, -n)),
    ("the frame after", lambda y, a, n: _after(y, a, n, 1)),
    ("the last pause", _from_the_end),
    ("at the limit", lambda y, a, n: _ended(y, a, n, strict=True)),
    ("the frames that are left", lambda y, a, n: len(y) - _ended(y, a, n)),
)


def late_probes() -> list[Probe]:
    """Return waits of some answers in which bad days of the stages fall together, and do not."""
    rng = np.random.default_rng(45)
    cases = ((20, 3, 95), (40, 4, 50), (15, 2, 90), (60, 4, 99), (8, 3, 25), (12, 1, 75))
    return [
        Probe(
            (np.round(rng.gamma(1.5, 0.2, (rows, columns)), 2), q),
            f"{rows} answers of {columns} stage{'s' if columns > 1 else ''}, q = {q}",
        )
        for rows, columns, q in cases
    ]


LATE_SLIPS = (
    ("percentiles added", lambda y, q: np.percentile(y, q, axis=0).sum()),
    ("the slowest stage", lambda y, q: np.percentile(y.max(axis=1), q)),
    ("the worst answer", lambda y, q: y.sum(axis=1).max()),
    ("the mean", lambda y, q: y.sum(axis=1).mean()),
    ("the median", lambda y, q: np.median(y.sum(axis=1))),
    ("each stage", lambda y, q: np.percentile(y, q, axis=0)),
    ("all numbers", lambda y, q: np.percentile(y, q)),
    ("the other end", lambda y, q: np.percentile(y.sum(axis=1), 100 - q)),
    ("the mean stage", lambda y, q: np.percentile(y.mean(axis=1), q)),
    ("a share", lambda y, q: np.percentile(y.sum(axis=1), q / 100)),
    ("stages added up", lambda y, q: np.percentile(y.sum(axis=0), q)),
    ("how many", lambda y, q: len(y) * q / 100),
)


def _cosines(n: int, seed: int) -> np.ndarray:
    E = np.random.default_rng(seed).standard_normal((n, 4))
    E = E / np.linalg.norm(E, axis=1, keepdims=True)
    return np.round(E @ E.T, 3)


def alike_probes() -> list[Probe]:
    """Return stretches in groups of one, of two, and of many, not in order."""
    cases = ((0, 0, 1, 2, 1), (1, 2, 1, 0, 0, 1), (0, 1, 2, 3), (0, 0, 1, 0, 1, 1, 0))
    cases = (*cases, (0, 1, 1, 1, 2, 3, 3, 0), (2, 0, 2, 1, 2))
    return [Probe((_cosines(len(g), len(g)), np.array(g)), f"group = {list(g)}") for g in cases]


def _alike(C, group, of=np.mean):
    members = [np.flatnonzero(group == k) for k in range(group.max() + 1)]
    return np.array([[of(C[np.ix_(a, b)]) for b in members] for a in members])


def _sizes(group):
    return np.bincount(group).astype(float)


def _centres(C, group):
    M = _alike(C, group)
    length = np.sqrt(np.diag(M))
    return M / length / length[:, None]


def _diagonal(C, group, value):
    M = _alike(C, group)
    np.fill_diagonal(M, value)
    return M


def _without_itself(C, group):
    sizes = _sizes(group)
    M = _alike(C, group)
    pairs = np.maximum(sizes * (sizes - 1), 1)  # a group of one keeps its 1
    alone = np.where(sizes > 1, (np.diag(M) * sizes**2 - sizes) / pairs, 1)
    return _diagonal(C, group, alone)


def _first(C, group):
    first = [np.flatnonzero(group == k)[0] for k in range(group.max() + 1)]
    return C[np.ix_(first, first)]


ALIKE_SLIPS = (
    ("the best pair", lambda C, g: _alike(C, g, np.max)),
    ("the worst pair", lambda C, g: _alike(C, g, np.min)),
    ("a sum", lambda C, g: _alike(C, g, np.sum)),
    ("the median", lambda C, g: _alike(C, g, np.median)),
    ("the centres", _centres),
    ("the first of each", _first),
    ("nothing on the diagonal", lambda C, g: _diagonal(C, g, 0)),
    ("one on the diagonal", lambda C, g: _diagonal(C, g, 1)),
    ("without itself", _without_itself),
    (
        "without itself",
        lambda C, g: _diagonal(C, g, np.diag(_without_itself(C, g)) * (_sizes(g) > 1)),
    ),
    ("a distance", lambda C, g: 1 - _alike(C, g)),
    ("divided by one side", lambda C, g: _alike(C, g) * _sizes(g)),
    ("divided by one side", lambda C, g: _alike(C, g) * _sizes(g)[:, None]),
    ("of all", lambda C, g: _alike(C, g, np.sum) / C.size),
)


def _turns(frames: int, people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a truth with overlap and pauses, and a guess that is partly wrong."""
    rng = np.random.default_rng(seed)
    who = np.repeat(rng.integers(-1, people, frames // 4 + 1), 4)[:frames]
    R = (who == np.arange(people)[:, None]).astype(int)
    R[rng.integers(people), frames // 3 : frames // 3 + 4] = 1
    H = np.roll(R, 2, axis=1)
    H[:, frames // 2 : frames // 2 + 3] = H[::-1, frames // 2 : frames // 2 + 3]
    H[0, -3:] = 1
    H[:, 1] = 0
    return R, H


def der_probes() -> list[Probe]:
    """Return short meetings of two to four people, and two with more errors than speech."""
    cases = ((20, 2, 1), (30, 3, 2), (24, 3, 3), (40, 4, 4), (18, 2, 5))
    probes = [Probe(_turns(*case), f"{case[0]} frames, {case[1]} people") for case in cases]
    R = np.array([[1, 1, 0, 0, 1], [0, 0, 0, 1, 1]])
    H = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
    small = [(R, H), (np.array([[1, 1, 0], [0, 0, 0]]), np.ones((2, 3), dtype=int))]
    small.append((np.eye(3, 4, dtype=int), np.ones((3, 4), dtype=int)))  # all are named, always
    shown = [Probe((r, h), f"R = {r.tolist()} and H = {h.tolist()}") for r, h in small]
    return [*shown, *probes]


def _counts(R, H):
    n, m = R.sum(axis=0), H.sum(axis=0)
    hits = (R & H).sum(axis=0)
    missed, false = np.maximum(n - m, 0).sum(), np.maximum(m - n, 0).sum()
    return missed, false, (np.minimum(n, m) - hits).sum(), n.sum()


def _der(R, H):
    missed, false, confused, spoken = _counts(R, H)
    return (missed + false + confused) / spoken


def _part(*which):
    return lambda R, H: sum(_counts(R, H)[k] for k in which) / _counts(R, H)[3]


DER_SLIPS = (
    ("all cells", lambda R, H: (R != H).sum() / R.sum()),
    ("of the frames", lambda R, H: sum(_counts(R, H)[:3]) / R.shape[1]),
    ("of the cells", lambda R, H: (R != H).mean()),
    ("no confusion", _part(0, 1)),
    ("no false alarms", _part(0, 2)),
    ("nothing missed", _part(1, 2)),
    ("frames that differ", lambda R, H: (R != H).any(axis=0).sum() / R.sum()),
    ("of what was found", lambda R, H: sum(_counts(R, H)[:3]) / H.sum()),
    ("percent", lambda R, H: 100 * _der(R, H)),
    ("the share right", lambda R, H: 1 - _der(R, H)),
    ("at most one", lambda R, H: min(1, _der(R, H))),
    ("of the frames with speech", lambda R, H: sum(_counts(R, H)[:3]) / R.any(axis=0).sum()),
    ("how much too much", lambda R, H: (H.sum() - R.sum()) / R.sum()),
    ("in frames", lambda R, H: sum(_counts(R, H)[:3])),
)


def last_view():
    """Return the last sample of a ring of eight, after more and more were written."""
    counts = np.arange(4, 25)
    return counts, [(_ring(8, count), count, 3) for count in counts.tolist()]


def ended_view():
    """Return a pause in the middle that grows."""
    pauses = np.arange(0, 8)
    loud, still = [-20.0], [-60.0]
    return pauses, [
        (np.array(loud * 3 + still * pause + loud * 2 + still * 5), -40.0, 4)
        for pause in pauses.tolist()
    ]


def late_view():
    """Return the wait for two stages whose bad days fall together more and more."""
    first = np.linspace(0, 1, 20)
    shifts = np.arange(0, 20)
    return shifts, [(np.stack([first, np.roll(first, k)], axis=1), 90) for k in shifts.tolist()]


def alike_view():
    """Return two groups of two, one pair of which becomes more alike."""
    cosines = np.linspace(-1, 1, 21)
    calls = []
    for c in cosines.tolist():
        C = np.eye(4)
        C[0, 2] = C[2, 0] = c
        calls.append((C, np.array([0, 0, 1, 1])))
    return cosines, calls


def der_view():
    """Return two turns of ten frames whose border is found later and later."""
    borders = np.arange(4, 17)
    frames = np.arange(20)
    R = np.stack([frames < 10, frames >= 10]).astype(int)
    return borders, [
        (R, np.stack([frames < border, frames >= border]).astype(int))
        for border in borders.tolist()
    ]


CHECKS = {
    "45.last": Check(
        last_probes,
        _last,
        LAST_SLIPS,
        atol=1e-9,
        shows=Curve(last_view, "samples written", "newest of the last three", lambda v: v[:, -1]),
    ),
    "45.ended": Check(
        ended_probes,
        _ended,
        ENDED_SLIPS,
        atol=1e-9,
        shows=Curve(ended_view, "frames of a pause", "frame at which speech is over"),
    ),
    "45.late": Check(
        late_probes,
        lambda parts, q: np.percentile(parts.sum(axis=1), q),
        LATE_SLIPS,
        atol=1e-9,
        shows=Curve(
            late_view, "by how much the second stage's bad days are moved", "90 of 100 [s]"
        ),
    ),
    "45.alike": Check(
        alike_probes,
        _alike,
        ALIKE_SLIPS,
        atol=1e-9,
        shows=Curve(alike_view, "one of four cosines", "of both groups", lambda v: v[:, 0, 1]),
    ),
    "45.der": Check(
        der_probes,
        _der,
        DER_SLIPS,
        atol=1e-9,
        shows=Curve(der_view, "frame of the border; the true one is 10", "error rate"),
    ),
}
