"""What the checks of unit 51 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from helpers import music
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- 51.cost -------------------------------------------------------------------------------------


def cost_probes() -> list[Probe]:
    """Return arrows that anybody can compare, loud and soft ones, silence, and frames by lot."""
    rng = np.random.default_rng(51)
    A = np.array([[1.0, 0.0, 3.0], [0.0, 2.0, 3.0]])
    B = np.array([[5.0, 0.0], [0.0, 0.5]])
    calls = [
        (A, B, "three and two frames of two numbers"),
        (rng.standard_normal((4, 5)), rng.standard_normal((4, 3)), "5 and 3 frames by lot"),
        (rng.exponential(1, (12, 4)), 9 * rng.exponential(1, (12, 6)), "a soft and a loud chroma"),
        (rng.exponential(1e-3, (12, 3)), rng.exponential(1e-3, (12, 2)), "two very soft ones"),
    ]
    probes = [Probe((X, Y), say) for X, Y, say in calls]
    quiet, other = rng.exponential(1, (12, 5)), rng.exponential(1, (12, 4))
    quiet[:, [0, 3]] = 0
    other[:, 2] = 0
    rests = [(quiet, other, "frames of which some are silent, all zeros"),
             (other[:5], quiet[:5, :4], "five numbers a frame, and silent frames")]  # fmt: skip
    return [*probes, *(Probe((X, Y), say, "silence") for X, Y, say in rests)]


def _lengths(F):
    return np.sqrt((F**2).sum(axis=0))


def _product(A, B):
    return np.array([[np.dot(a, b) for b in B.T] for a in A.T])


def _cosine(A, B):
    long = _lengths(A)[:, None] * _lengths(B)[None]
    return np.where(long > 0, _product(A, B) / np.where(long > 0, long, 1), 0.0)


def _cost(A, B):
    return 1 - _cosine(A, B)


def _bare(A, B):
    """Return the cost without a thought of silence: 0/0 is NaN."""
    return 1 - _product(A, B) / (_lengths(A)[:, None] * _lengths(B)[None])


def _apart(A, B):
    return A.T[:, None, :] - B.T[None, :, :]


def _by_rows(F):
    return F / np.maximum(np.sqrt((F**2).sum(axis=1, keepdims=True)), 1e-12)


def _centred(F):
    return F - F.mean(axis=0)


COST_SLIPS = (
    ("likeness", _cosine),
    ("likeness", lambda A, B: 1 - _bare(A, B)),
    ("turned", lambda A, B: _cost(B, A)),
    ("silence is nan", _bare),
    ("silence is free", lambda A, B: np.nan_to_num(_bare(A, B))),
    ("lengths left", lambda A, B: 1 - _product(A, B)),
    ("lengths left", lambda A, B: -_product(A, B)),
    ("one length", lambda A, B: 1 - _product(A, B) / np.maximum(_lengths(A)[:, None], 1e-12)),
    ("one length", lambda A, B: 1 - _product(A, B) / np.maximum(_lengths(B)[None], 1e-12)),
    ("lengths squared", lambda A, B: 1 - _cosine(A, B) / _safe(A, B)),
    ("rows", lambda A, B: 1 - _product(_by_rows(A), _by_rows(B))),
    ("Euclid", lambda A, B: np.sqrt((_apart(A, B) ** 2).sum(axis=2))),
    ("Euclid", lambda A, B: (_apart(A, B) ** 2).sum(axis=2)),
    ("Euclid", lambda A, B: np.sqrt(np.maximum(2 * _cost(A, B), 0))),
    ("city blocks", lambda A, B: np.abs(_apart(A, B)).sum(axis=2)),
    ("angle", lambda A, B: np.arccos(np.clip(_cosine(A, B), -1, 1))),
    ("squared cosine", lambda A, B: 1 - _cosine(A, B) ** 2),
    ("sign lost", lambda A, B: 1 - np.abs(_cosine(A, B))),
    ("halved", lambda A, B: _cost(A, B) / 2),
    ("correlation", lambda A, B: _cost(_centred(A), _centred(B))),
    ("mean product", lambda A, B: 1 - _product(A, B) / len(A)),
)


def _safe(A, B):
    long = _lengths(A)[:, None] * _lengths(B)[None]
    return np.where(long > 0, long, 1)


# ---- 51.error ------------------------------------------------------------------------------------


def error_probes() -> list[Probe]:
    """Return paths that stand still on either side, early and late ones, and other frames."""
    straight = np.column_stack([np.arange(10), np.arange(10)])
    stands = np.array([[0, 0], [1, 1], [1, 2], [1, 3], [2, 3], [3, 4], [4, 5], [4, 6], [5, 6]])
    waits = np.array([[0, 0], [1, 1], [2, 1], [3, 1], [4, 2], [5, 4], [5, 5], [6, 7], [7, 8]])
    calls = [
        (straight, 0.1, [0.0, 0.25, 0.5, 0.75], [0.02, 0.2, 0.54, 0.66], "a straight path"),
        (
            stands,
            0.5,
            [0.5, 1.0, 1.25, 2.0],
            [1.2, 1.4, 1.8, 2.71],
            "one that stands in piece 1",
        ),
        (waits, 0.05, [0.04, 0.1, 0.22, 0.25, 0.3], [0.0, 0.1, 0.13, 0.2, 0.33], "one that waits"),
    ]
    rng = np.random.default_rng(52)
    for hop, say in ((0.02, "a path by lot, hop 20 ms"), (0.046, "a path by lot, hop 46 ms")):
        steps = np.array([(1, 1), (1, 0), (0, 1), (1, 2)])[rng.integers(0, 4, 60)]
        path = np.concatenate([[[0, 0]], np.cumsum(steps, axis=0)])
        at = np.sort(rng.uniform(0, path[-1, 0] * hop, 11))
        truth = np.sort(at * path[-1, 1] / path[-1, 0] + rng.normal(0.03, 0.06, 11))
        calls.append((path, hop, at, truth, say))
    return [
        Probe((path, hop, np.asarray(at), np.asarray(truth)), f"{say}, with {len(at)} beats")
        for path, hop, at, truth, say in calls
    ]


def _partners(path, choose):
    frames = np.unique(path[:, 0])
    return frames, np.array([choose(path[path[:, 0] == n, 1]) for n in frames])


def _late(path, hop, at, truth, choose=np.mean):
    """Return by how much each beat is late [s]."""
    frames, partners = _partners(path, choose)
    return np.interp(at, frames * hop, partners * hop) - truth


def _median_ms(path, hop, at, truth):
    return float(1000 * np.median(np.abs(_late(path, hop, at, truth))))


def _in_frames(path, hop, at, truth):
    frames, partners = _partners(path, np.mean)
    return np.interp(at, frames, partners) - truth


def _nearest(path, hop, at, truth):
    frames, partners = _partners(path, np.mean)
    near = np.abs(frames[None] * hop - np.asarray(at)[:, None]).argmin(axis=1)
    return partners[near] * hop - truth


def _plain(path, hop, at, truth):
    """Return misses by `np.interp` over a path whose frames come more than once."""
    return np.interp(at, path[:, 0] * hop, path[:, 1] * hop) - truth


ERROR_SLIPS = (
    ("in seconds", lambda *a: np.median(np.abs(_late(*a)))),
    ("in frames", lambda p, h, a, t: np.median(np.abs(_late(p, h, a, t))) / h),
    ("hop forgotten", lambda *a: 1000 * np.median(np.abs(_in_frames(*a)))),
    ("hop forgotten", lambda *a: np.median(np.abs(_in_frames(*a)))),
    ("other way", lambda p, h, a, t: _median_ms(p[:, ::-1], h, a, t)),
    ("other way", lambda p, h, a, t: _median_ms(p[:, ::-1], h, t, a)),
    ("signs kept", lambda *a: 1000 * np.median(_late(*a))),
    ("signs kept", lambda *a: 1000 * np.median(-_late(*a))),
    ("signs kept", lambda *a: 1000 * np.mean(_late(*a))),
    ("signs kept", lambda *a: 1000 * np.abs(np.mean(_late(*a)))),
    ("signs kept", lambda *a: 1000 * np.abs(np.median(_late(*a)))),
    ("a mean", lambda *a: 1000 * np.mean(np.abs(_late(*a)))),
    ("root of squares", lambda *a: 1000 * np.sqrt(np.mean(_late(*a) ** 2))),
    ("the largest", lambda *a: 1000 * np.max(np.abs(_late(*a)))),
    ("one per beat", lambda *a: 1000 * np.abs(_late(*a))),
    ("first partner", lambda *a: 1000 * np.median(np.abs(_late(*a, np.min)))),
    ("last partner", lambda *a: 1000 * np.median(np.abs(_late(*a, np.max)))),
    ("repeated places", lambda *a: 1000 * np.median(np.abs(_plain(*a)))),
    ("nearest frame", lambda *a: 1000 * np.median(np.abs(_nearest(*a)))),
)

# ---- 51.accumulate -------------------------------------------------------------------------------


def accumulate_probes() -> list[Probe]:
    """Return costs by hand and by lot; what no step reaches is infinite."""
    rng = np.random.default_rng(53)
    small = np.array([[1.0, 5.0, 2.0, 7.0], [4.0, 2.0, 3.0, 1.0], [6.0, 1.0, 2.0, 4.0]])
    calls = [
        (small, "costs of 3 by 4 cells"),
        (rng.integers(1, 9, (5, 5)).astype(float), "costs of 5 by 5 cells"),
        (rng.uniform(0, 1, (9, 7)), "costs of 9 by 7 cells"),
        (rng.uniform(0, 1, (6, 11)), "costs of 6 by 11 cells"),
        (rng.exponential(1, (12, 12)), "costs of 12 by 12 cells"),
    ]
    return [Probe((C,), say) for C, say in calls]


MOVING = ((1, 1, 1.0), (1, 2, 1.0), (2, 1, 1.0))
STANDING = ((1, 1, 1.0), (0, 1, 1.0), (1, 0, 1.0))


def _walked(C, steps, first=None, choose=min):
    """Return accumulated costs by some steps (rows, columns, weight); `first` are free starts."""
    D = np.full(C.shape, np.inf)
    for n in range(C.shape[0]):
        for m in range(C.shape[1]):
            before = [D[n - a, m - b] + w * C[n, m] for a, b, w in steps if n >= a and m >= b]
            before = [value for value in before if np.isfinite(value)]
            if (n, m) == (0, 0) or (first is not None and first(n, m)):
                D[n, m] = C[n, m]
            elif before:
                D[n, m] = choose(before)
    return D


def _accumulated(C):
    return _walked(C, MOVING)


def _skipped_pay(C):
    """Return costs for which a long step pays for the cell before its end as well."""
    D = np.full(C.shape, np.inf)
    for n in range(C.shape[0]):
        for m in range(C.shape[1]):
            ways = [C[n, m]] if (n, m) == (0, 0) else []
            if n >= 1 and m >= 1:
                ways.append(D[n - 1, m - 1] + C[n, m])
            if n >= 1 and m >= 2:
                ways.append(D[n - 1, m - 2] + C[n, m] + C[n, m - 1])
            if n >= 2 and m >= 1:
                ways.append(D[n - 2, m - 1] + C[n, m] + C[n - 1, m])
            if ways:
                D[n, m] = min(ways)
    return D


def _edges_add_up(C):
    """Return costs whose first row and column are sums, as where standing still is allowed."""
    D = _walked(C, MOVING)
    D[0] = np.cumsum(C[0])
    D[:, 0] = np.cumsum(C[:, 0])
    for n in range(1, C.shape[0]):
        for m in range(1, C.shape[1]):
            ways = [D[n - a, m - b] for a, b, _ in MOVING if n >= a and m >= b]
            D[n, m] = C[n, m] + min(ways)
    return D


def _zero_before(C):
    """Return costs of paths that begin anywhere at the edges: outside all is 0."""
    N, M = C.shape
    D = np.zeros((N + 2, M + 2))
    for n in range(N):
        for m in range(M):
            D[n + 2, m + 2] = C[n, m] + min(D[n + 1, m + 1], D[n + 1, m], D[n, m + 1])
    return D[2:, 2:]


def _wrapped(C):
    """Return costs for which index -1 is the last cell, as NumPy has it."""
    D = np.full(C.shape, np.inf)
    D[0, 0] = C[0, 0]
    for n in range(1, C.shape[0]):
        for m in range(1, C.shape[1]):
            D[n, m] = C[n, m] + min(D[n - 1, m - 1], D[n - 2, m - 1], D[n - 1, m - 2])
    return D


ACCUMULATE_SLIPS = (
    ("index wraps", _wrapped),
    ("may stand", lambda C: _walked(C, STANDING)),
    ("may stand", lambda C: _walked(C, (*MOVING, (0, 1, 1.0), (1, 0, 1.0)))),
    ("jumps along an edge", lambda C: _walked(C, ((1, 1, 1.0), (0, 2, 1.0), (2, 0, 1.0)))),
    ("edges add up", _edges_add_up),
    ("zero outside", _zero_before),
    ("diagonal only", lambda C: _walked(C, MOVING[:1])),
    ("two of three", lambda C: _walked(C, MOVING[:2])),
    ("two of three", lambda C: _walked(C, (MOVING[0], MOVING[2]))),
    ("two of three", lambda C: _walked(C, MOVING[1:])),
    ("skipped cells pay", _skipped_pay),
    ("long steps pay more", lambda C: _walked(C, (MOVING[0], (1, 2, 2.0), (2, 1, 2.0)))),
    ("long steps pay more", lambda C: _walked(C, ((1, 1, 2.0), (1, 2, 3.0), (2, 1, 3.0)))),
    ("diagonal pays twice", lambda C: _walked(C, ((1, 1, 2.0), *MOVING[1:]))),
    ("the dearest", lambda C: _walked(C, MOVING, choose=max)),
    ("start anywhere", lambda C: _walked(C, MOVING, first=lambda n, m: n == 0)),
    ("start anywhere", lambda C: _walked(C, MOVING, first=lambda n, m: m == 0)),
    ("start anywhere", lambda C: _walked(C, MOVING, first=lambda n, m: n == 0 or m == 0)),
    ("start forgotten", lambda C: _accumulated(C) - C[0, 0]),
    ("own cost forgotten", lambda C: _accumulated(C) - C),
    ("zeros for infinity", lambda C: np.where(np.isfinite(_accumulated(C)), _accumulated(C), 0.0)),
    ("the corner", lambda C: _accumulated(C)[-1, -1]),
)

# ---- 51.found ------------------------------------------------------------------------------------


def _free_start(C):
    """Return accumulated costs of a query that may begin anywhere: steps as in chapter 2."""
    D = C.astype(float).copy()
    for n in range(1, C.shape[0]):
        for m in range(C.shape[1]):
            ways = [D[n - 1, m]]
            if m:
                ways += [D[n - 1, m - 1], D[n, m - 1]]
            D[n, m] = C[n, m] + min(ways)
    return D


def found_probes() -> list[Probe]:
    """Return queries that lie in the middle, at both ends, stretched, and by lot."""
    rng = np.random.default_rng(54)
    probes = []
    for rows, cols, start, stop, say in (
        (4, 12, 5, 9, "a query of 4 frames in a piece of 12"),
        (6, 15, 3, 13, "a query of 6 frames that is played slowly"),
        (8, 14, 0, 5, "a query at the beginning that is played fast"),
        (5, 10, 5, 10, "a query at the end"),
        (7, 20, 8, 11, "a query of 7 frames in three of the piece"),
        (9, 25, 2, 20, "a query of 9 frames in eighteen of the piece"),
        (8, 12, 0, 3, "a query of 8 frames in the first three of the piece"),
    ):
        C = rng.uniform(0.5, 1.0, (rows, cols))
        line = np.round(np.linspace(0, rows - 1, 60)).astype(int)
        across = np.round(np.linspace(start, stop - 1, 60)).astype(int)
        C[line, across] = rng.uniform(0.0, 0.1, 60)
        probes.append(Probe((_free_start(C),), say))
    C = rng.uniform(0.6, 1.0, (7, 9))
    C[:6, 0] = 0.1
    C[6, :3] = 0.02
    C[:6, 8] = 0.01  # cheap, and beside column 0 for who reads index -1
    probes.append(Probe((_free_start(C),), "a query that lasts while the first frame is held"))
    C = rng.uniform(0.6, 1.0, (4, 9))
    C[[0, 1, 1, 2, 3], [3, 4, 5, 6, 7]] = 0.05
    probes.append(Probe((_free_start(C),), "a query whose second frame is held"))
    for rows, cols in ((6, 18), (9, 16), (12, 15), (10, 22), (14, 12)):
        C = rng.uniform(0, 1, (rows, cols))
        probes.append(Probe((_free_start(C),), f"a query by lot, {rows} frames in {cols}"))
    return probes


def _back(D, n, m, stop):
    """Return the cells from (n, m) back to where `stop` says."""
    cells = [(n, m)]
    while not stop(*cells[-1]):
        n, m = cells[-1]
        ways = [(n - 1, m - 1), (n - 1, m), (n, m - 1)]
        cells.append(min((w for w in ways if min(w) >= 0), key=lambda w: D[w]))
    return cells


def _query_path(D, end=None):
    end = int(D[-1].argmin()) if end is None else end
    return _back(D, len(D) - 1, end, lambda n, m: n == 0)


def _found(D):
    cells = _query_path(D)
    return np.array([cells[-1][1], cells[0][1]])


def _of_all(D):
    n, m = np.unravel_index(D.argmin(), D.shape)
    cells = _back(D, int(n), int(m), lambda n, m: n == 0)
    return np.array([cells[-1][1], cells[0][1]])


def _only(D, kinds):
    """Return the stretch of a path that knows only some steps back, or runs into the edge."""
    n, m = len(D) - 1, int(D[-1].argmin())
    end = m
    while n > 0:
        ways = [(n - a, m - b) for a, b in kinds if n >= a and m >= b] or [(n - 1, m)]
        n, m = min(ways, key=lambda w: D[w])
    return np.array([m, end])


def _from_corner(D):
    cells = _query_path(D, D.shape[1] - 1)
    return np.array([cells[-1][1], cells[0][1]])


def _wrapping(D):
    """Return the stretch of a path for which column -1 is the last one."""
    n, m = len(D) - 1, int(D[-1].argmin())
    end = m
    while n > 0 and m > -D.shape[1]:
        n, m = min([(n - 1, m - 1), (n - 1, m), (n, m - 1)], key=lambda w: D[w])
    return np.array([m, end])


FOUND_SLIPS = (
    ("leaves the piece", _wrapping),
    ("ends in the corner", _from_corner),
    ("ends in the corner", lambda D: np.array([_found(D)[0], D.shape[1] - 1])),
    ("smallest of all", _of_all),
    ("goes on to column 0", lambda D: np.array([0, _found(D)[1]])),
    ("begins at the smallest", lambda D: np.array([D[0].argmin(), D[-1].argmin()])),
    ("straight back", lambda D: np.array([D[-1].argmin() - len(D) + 1, D[-1].argmin()])),
    ("straight back", lambda D: np.array([max(D[-1].argmin() - len(D) + 1, 0), D[-1].argmin()])),
    ("last first", lambda D: _found(D)[::-1]),
    ("first and length", lambda D: np.array([_found(D)[0], np.ptp(_found(D)) + 1])),
    ("one beyond", lambda D: _found(D) + np.array([0, 1])),
    ("counted from 1", lambda D: _found(D) + 1),
    ("never along a row", lambda D: _only(D, ((1, 1), (1, 0)))),
    ("never up a column", lambda D: _only(D, ((1, 1), (0, 1)))),
    ("dearest end", lambda D: np.array([_query_path(D, int(D[-1].argmax()))[-1][1],
                                        D[-1].argmax()])),
    ("its cost", lambda D: D[-1].min()),
    ("rows", lambda D: np.array([0, len(D) - 1])),
)  # fmt: skip

# ---- 51.tempo ------------------------------------------------------------------------------------


def tempo_probes() -> list[Probe]:
    """Return a steady performance, one that doubles, one that breathes, and others by lot."""
    at = np.linspace(0, 10.13, 102)
    sway = at + 0.25 * np.sin(at)
    even = np.arange(0, 8.25, 0.25)  # ends on beat 8
    rng = np.random.default_rng(55)
    calls = [
        (at, 2 * at, 120.0, 1, "a performance at half the tempo of a metronome at 120"),
        (at, at / 1.5, 90.0, 2, "one that is half as fast again, metronome 90"),
        (
            at,
            np.where(at < 5, at, 5 + (at - 5) / 2),
            60.0,
            1,
            "one twice as fast at the end",
        ),
        (at, np.where(at < 4, at, 4 + 3 * (at - 4)), 60.0, 3, "one that slows down, over 3 beats"),
        (at, sway, 100.0, 1, "one that breathes, beat by beat"),
        (at, sway, 100.0, 4, "one that breathes, over 4 beats"),
        (even, 1.25 * even, 60.0, 2, "one whose last beat is the last moment, metronome 60"),
    ]
    for bpm, span in ((112.0, 2), (75.0, 1), (140.0, 6)):
        uneven = np.concatenate([[0], np.cumsum(rng.uniform(0.02, 0.3, 60))])
        played = np.concatenate([[0], np.cumsum(np.diff(uneven) * rng.uniform(0.6, 1.7, 60))])
        calls.append((uneven, played, bpm, span, f"one by lot, metronome {bpm:.0f}, span {span}"))
    return [
        Probe((at, played, bpm, span), f"{say}") for at, played, bpm, span, say in calls
    ]  # fmt: skip


def _beat_times(at, played, bpm):
    """Return when each beat of the metronome is played [s]."""
    count = int(np.floor(at[-1] * bpm / 60 + 1e-9)) + 1
    return np.interp(np.arange(count) * 60 / bpm, at, played)


def _tempo(at, played, bpm, span):
    beats = _beat_times(at, played, bpm)
    return 60 * span / (beats[span:] - beats[:-span])


def _single(at, played, bpm):
    return _tempo(at, played, bpm, 1)


def _means(at, played, bpm, span, of=np.mean):
    one = _single(at, played, bpm)
    return np.array([of(one[k : k + span]) for k in range(len(one) - span + 1)])


def _as_long(at, played, bpm, span):
    """Return the tempo of each beat, for as many beats as there are windows."""
    return _single(at, played, bpm)[: len(_tempo(at, played, bpm, span))]


TEMPO_SLIPS = (
    ("reciprocal", lambda a, p, b, s: 1 / _tempo(a, p, b, s)),
    ("seconds a beat", lambda a, p, b, s: 60 / _tempo(a, p, b, s)),
    ("beats a second", lambda a, p, b, s: _tempo(a, p, b, s) / 60),
    ("span left out", lambda a, p, b, s: _tempo(a, p, b, s) / s),
    ("seconds a window", lambda a, p, b, s: 60 * s / _tempo(a, p, b, s)),
    ("span ignored", lambda a, p, b, s: _single(a, p, b)),
    ("span ignored", _as_long),
    ("mean of tempi", _means),
    ("mean of tempi", lambda a, p, b, s: _means(a, p, b, s, np.median)),
    ("windows apart", lambda a, p, b, s: _tempo(a, p, b, s)[::s]),
    ("the other way", lambda a, p, b, s: _tempo(p, a, b, s)),
    ("times the metronome", lambda a, p, b, s: _tempo(a, p, b, s) / b),
    ("upside down", lambda a, p, b, s: b**2 / _tempo(a, p, b, s)),
    ("metronome is 60", lambda a, p, b, s: _tempo(a, p, 60.0, s)),
    ("from the beginning", lambda a, p, b, s: _from_start(a, p, b, s)),
    ("end left out", lambda a, p, b, s: _end_left_out(a, p, b, s)),
    ("one too few", lambda a, p, b, s: _tempo(a, p, b, s)[:-1]),
    ("one too few", lambda a, p, b, s: _tempo(a, p, b, s)[1:]),
    ("one number", lambda a, p, b, s: float(_tempo(a, p, b, s).mean())),
)


def _end_left_out(at, played, bpm, span):
    """Return tempi for beats that lie before the last moment, without one that lies on it."""
    beats = np.interp(np.arange(0, at[-1], 60 / bpm), at, played)
    return 60 * span / (beats[span:] - beats[:-span])


def _from_start(at, played, bpm, span):
    beats = _beat_times(at, played, bpm)
    k = np.arange(span, len(beats))
    return 60 * k / (beats[k] - beats[0])


# ---- 51.follow -----------------------------------------------------------------------------------

BANDS = (("piano", "guitar", "bass"), ("flute", "guitar", "bass"), ("oboe", "strings", "bass"))
SEEDS = (601, 602, 603)


def _freely(score, seed):
    """Return a score with a tempo that sways by lot."""
    rng = np.random.default_rng([seed, 7])
    beats = np.arange(score.length)
    sway = 0.22 * np.sin(2 * np.pi * (beats / 11 + rng.random()))
    bpm = 118 * np.exp(sway + 0.04 * rng.standard_normal(score.length))
    bpm[rng.integers(5, 13)] *= 0.6
    return dataclasses.replace(score, tempo=tuple(zip(beats.tolist(), bpm.tolist(), strict=True)))


@functools.cache
def _performances() -> tuple:
    """Return (first sound, second sound, times in the first, the same moments in the second)."""
    made = []
    for k, seed in enumerate(SEEDS):
        song = music.random_song(seed, bars=4, drums=False)
        one = _freely(song.played_on(*BANDS[k]), seed)
        two = _freely(song.played_on(*BANDS[(k + 1) % 3]), seed + 50)
        at = np.arange(0.5, 16, 0.5)
        y, z = (music.play(score).astype(np.float32) for score in (one, two))
        made.append((y, z, one.seconds(at), two.seconds(at)))
    return tuple(made)


def follow_probes() -> list[Probe]:
    """Return three pieces, each in two performances, and moments of the first."""
    return [
        Probe((y, z, times, 22050), f"piece {k + 1} of {len(SEEDS)} in two performances")
        for k, (y, z, times, _) in enumerate(_performances())
    ]


def _chroma(y, sr):
    C = music.chroma(y, sr=sr, hop_length=1024)
    L = np.log1p(100 * C / np.maximum(C.max(axis=0), 1e-12))
    return L / np.maximum(_lengths(L), 1e-12)


def _rows_of_moving(C):
    """Return accumulated costs of steps that always move, a whole row at once."""
    D = np.full((C.shape[0] + 2, C.shape[1] + 2), np.inf)
    D[2, 2] = C[0, 0]
    for n in range(1, C.shape[0]):
        above = np.minimum(D[n + 1, 1:-1], D[n + 1, :-2])
        D[n + 2, 2:] = C[n] + np.minimum(above, D[n, 1:-1])
    return D[2:, 2:]


@functools.lru_cache(maxsize=8)
def _path_of(place: int) -> np.ndarray:
    y, z, _, _ = _performances()[place]
    D = _rows_of_moving(1 - _chroma(y, 22050).T @ _chroma(z, 22050))
    n, m = D.shape[0] - 1, D.shape[1] - 1
    cells = [(n, m)]
    while (n, m) != (0, 0):
        ways = [(n - a, m - b) for a, b, _ in MOVING if n >= a and m >= b]
        n, m = min(ways, key=lambda w: D[w])
        cells.append((n, m))
    return np.array(cells[::-1])


def follow(y, z, times, sr):
    """Return one good answer: compressed chroma, steps that always move."""
    (place,) = [k for k, made in enumerate(_performances()) if len(made[0]) == len(y)]
    path = _path_of(place) * 1024 / sr
    return np.interp(times, path[:, 0], path[:, 1])


def _misses(got, want=None):
    """Return the median miss of each piece [ms], against the truth or another answer."""
    made = _performances()
    against = [m[3] for m in made] if want is None else [want(*m[:3]) for m in made]
    return [
        float(1000 * np.median(np.abs(np.ravel(x) - w))) for x, w in zip(got, against, strict=True)
    ]


def _straight(y, z, times):
    return times * len(z) / len(y)


def _backwards(y, z, times):
    """Return moments of the second performance taken for those of the first."""
    (place,) = [k for k, made in enumerate(_performances()) if len(made[0]) == len(y)]
    path = _path_of(place) * 1024 / 22050
    return np.interp(times, path[:, 1], path[:, 0])


def _is_frames(got):
    """Tell whether answers are far too large for seconds, and rise as they should."""
    return all(
        np.max(np.abs(x)) > 3 * made[3].max() and np.corrcoef(np.ravel(x), made[3])[0, 1] > 0.99
        for x, made in zip(got, _performances(), strict=True)
    )


FOLLOW_LIMIT = 100.0  # ms


def _seconds_off(got):
    """Tell whether all moments are off by one and the same time, which is taken for the rest."""
    off = [np.ravel(x) - made[3] for x, made in zip(got, _performances(), strict=True)]
    return _fails(got) and all(
        np.median(np.abs(d - np.median(d))) < FOLLOW_LIMIT / 1000 for d in off
    )


def _fails(got):
    return max(_misses(got)) > FOLLOW_LIMIT


FOLLOW_SLIPS = (
    ("times unchanged", lambda y, z, times, sr: times.copy()),
    ("straight line", lambda y, z, times, sr: _straight(y, z, times)),
    ("wrong way", lambda y, z, times, sr: _backwards(y, z, times)),
    ("frames", lambda y, z, times, sr: follow(y, z, times, sr) * sr / 1024),
    ("all late", lambda y, z, times, sr: follow(y, z, times, sr) + 0.4),
    ("lost", lambda y, z, times, sr: follow(y, z, times, sr)[::-1]),
)
FOLLOW_GOALS = (
    ("times unchanged", lambda got: max(_misses(got, lambda y, z, t: t)) < 1),
    ("straight line", lambda got: max(_misses(got, _straight)) < 30 and _fails(got)),
    ("frames", _is_frames),
    ("wrong way", lambda got: _fails(got) and max(_misses(got, _backwards)) < 60),
    ("all late", _seconds_off),
    ("lost", _fails),
)

# ---- what is drawn -------------------------------------------------------------------------------


def cost_view():
    """Return an arrow that turns from one frame to another, through a half circle."""
    angles = np.linspace(0, np.pi, 25)
    one = np.array([[1.0], [0.0]])
    return np.degrees(angles), [(one, 3 * np.array([np.cos(angles), np.sin(angles)]))]


def error_view():
    """Return a path that is later and later, beside one truth."""
    straight = np.column_stack([np.arange(40), np.arange(40)])
    at = np.arange(0.5, 3.5, 0.25)
    late = np.arange(0, 0.31, 0.025)
    return 1000 * late, [(straight, 0.1, at, at - by) for by in late]


def found_view():
    """Return a short query that lies later and later in a piece."""
    places = np.arange(0, 15)
    calls = []
    for place in places:
        C = np.full((5, 20), 1.0)
        C[np.arange(5), place + np.arange(5)] = 0.05
        calls.append((_free_start(C),))
    return places, calls


def tempo_view():
    """Return a performance that breathes, over windows of two beats."""
    at = np.arange(0, 24.2, 0.05)
    played = at + 0.5 * np.sin(at / 2)
    return np.arange(39), [(at, played, 100.0, 2)]


CHECKS = {
    "51.cost": Check(
        cost_probes,
        _cost,
        COST_SLIPS,
        atol=1e-9,
        shows=Curve(cost_view, "angle between two frames [degrees]", "cost"),
    ),
    "51.error": Check(
        error_probes,
        _median_ms,
        ERROR_SLIPS,
        atol=1e-6,
        shows=Curve(error_view, "truth earlier by [ms]", "median miss [ms]"),
    ),
    "51.accumulate": Check(
        accumulate_probes,
        _accumulated,
        ACCUMULATE_SLIPS,
        atol=1e-9,
    ),
    "51.found": Check(
        found_probes,
        _found,
        FOUND_SLIPS,
        atol=1e-9,
        shows=Curve(
            found_view, "where the query lies [frame]", "first frame found", of=lambda D: D[:, 0]
        ),
    ),
    "51.tempo": Check(
        tempo_probes,
        _tempo,
        TEMPO_SLIPS,
        atol=1e-6,
        shows=Curve(tempo_view, "beat", "tempo [BPM]"),
    ),
    "51.follow": Check(
        follow_probes,
        follow,
        FOLLOW_SLIPS,
        atol=1e-9,
        goals=FOLLOW_GOALS,
        measured=lambda got: (
            "Median misses of the three pieces: "
            + ", ".join(f"{miss:.0f}" for miss in _misses(got))
            + " ms."
        ),
        seconds=20.0,
    ),
}
