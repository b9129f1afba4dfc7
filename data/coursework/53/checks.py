"""What the checks of unit 53 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import itertools

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- templates -----------------------------------------------------------------------------------


def templates_probes() -> list[Probe]:
    """Return the two kinds of the page, and kinds of two, three, four and five classes."""
    calls = (
        ((0, 4, 7), "steps = (0, 4, 7), a major chord"),
        ((0, 3, 7), "steps = (0, 3, 7), a minor chord"),
        ((0, 7), "steps = (0, 7), a fifth"),
        ((0, 3, 6), "steps = (0, 3, 6), a diminished chord"),
        ((0, 4, 7, 10), "steps = (0, 4, 7, 10), a seventh chord"),
        ((0, 2, 4, 7, 9), "steps = (0, 2, 4, 7, 9), five classes"),
    )
    return [Probe((steps,), say) for steps, say in calls]


def _one(steps):
    first = np.zeros(12)
    first[list(steps)] = 1
    return first


def _rows(first, way=1):
    return np.array([np.roll(first, way * k) for k in range(12)])


def _templates(steps):
    return _rows(_one(steps)) / np.sqrt(len(steps))


def _no_wrap(steps):
    rows = np.zeros((12, 24))
    for root in range(12):
        rows[root, [root + step for step in steps]] = 1
    return rows[:, :12] / np.sqrt(len(steps))


def _weights(steps):
    first = np.zeros(12)
    first[list(steps)] = 1.0 / np.arange(1, len(steps) + 1)
    return _rows(first / np.linalg.norm(first))


TEMPLATES_SLIPS = (
    ("not of length one", lambda steps: _rows(_one(steps))),
    ("sums to one", lambda steps: _rows(_one(steps)) / len(steps)),
    ("turned the other way", lambda steps: _rows(_one(steps), -1) / np.sqrt(len(steps))),
    ("no wrap", _no_wrap),
    ("one row", lambda steps: _one(steps) / np.sqrt(len(steps))),
    ("root alone", lambda steps: np.eye(12)),
    ("A first", lambda steps: np.roll(_templates(steps), 3, axis=0)),
    ("A first", lambda steps: np.roll(_templates(steps), 3, axis=1)),
    ("by fifths", lambda steps: _templates(steps)[[7 * k % 12 for k in range(12)]]),
    ("always three", lambda steps: _rows(_one(steps)) / np.sqrt(3)),
    ("always major", lambda steps: _templates((0, 4, 7))),
    ("the others", lambda steps: _rows(1 - _one(steps)) / np.sqrt(12 - len(steps))),
    ("mean taken off", lambda steps: _templates(steps) - _templates(steps).mean()),
    ("less and less", _weights),
    ("one for all", lambda steps: np.tile(_templates(steps)[0], (12, 1))),
)


# ---- match ---------------------------------------------------------------------------------------


def _kinds():
    return np.concatenate([_templates((0, 4, 7)), _templates((0, 3, 7))])


def match_probes() -> list[Probe]:
    """Return pure chords, noise at many levels, a silent frame, and templates of other kinds."""
    rng = np.random.default_rng(53)
    chords = 3.0 * _kinds()[[0, 9, 21]].T
    loud = rng.exponential(1.0, (12, 6)) * np.array([100.0, 1.0, 0.01, 5.0, 40.0, 0.2])
    gap = rng.exponential(2.0, (12, 5))
    gap[:, 2] = 0
    calls = (
        (chords, _kinds(), "C:maj, A:maj and A:min in three frames, and 24 templates"),
        (loud, _kinds(), "six frames of noise from soft to loud, and 24 templates"),
        (gap, _kinds(), "five frames, the third of them silent, and 24 templates"),
        (rng.exponential(1.0, (12, 40)), _templates((0, 7)), "forty frames and twelve fifths"),
        (rng.exponential(9.0, (12, 3)), _templates((0, 4, 7, 10)), "three frames and sevenths"),
    )
    return [Probe((C, T), say) for C, T, say in calls]


def _unit(C, axis=0):
    return C / np.maximum(np.linalg.norm(C, axis=axis, keepdims=True), 1e-12)


def _match(C, T):
    return T @ _unit(C)


def _softmax(C, T):
    high = np.exp(_match(C, T))
    return high / high.sum(axis=0)


MATCH_SLIPS = (
    ("loud frames", lambda C, T: T @ C),
    ("one length for all", lambda C, T: T @ C / np.linalg.norm(C)),
    ("each class", lambda C, T: T @ _unit(C, axis=1)),
    ("largest is one", lambda C, T: T @ (C / np.maximum(C.max(axis=0), 1e-12))),
    ("sum is one", lambda C, T: T @ (C / np.maximum(C.sum(axis=0), 1e-12))),
    ("length squared", lambda C, T: T @ (C / np.maximum((C**2).sum(axis=0), 1e-12))),
    ("turned", lambda C, T: _match(C, T).T),
    ("which one", lambda C, T: _match(C, T).argmax(axis=0)),
    ("best cosine", lambda C, T: _match(C, T).max(axis=0)),
    ("a distance", lambda C, T: 1 - _match(C, T)),
    (
        "a distance",
        lambda C, T: np.linalg.norm(T[:, :, None] - _unit(C)[None], axis=1),
    ),
    ("squared", lambda C, T: _match(C, T) ** 2),
    ("an angle", lambda C, T: np.arccos(np.clip(_match(C, T), -1, 1))),
    ("shares", lambda C, T: _match(C, T) / np.maximum(_match(C, T).sum(axis=0), 1e-12)),
    ("shares", _softmax),
)


# ---- accuracy ------------------------------------------------------------------------------------

SONG = (
    ((0.0, 2.0, "C:maj"), (2.0, 3.0, "A:min"), (3.0, 5.0, "F:maj")),
    ((0.0, 1.5, "C:maj"), (1.5, 3.0, "A:min"), (3.0, 5.0, "F:maj")),
)


def _cut(rng, seconds, count, labels):
    """Return stretches of unlike length that fill some seconds."""
    edges = np.sort(np.concatenate([[0, seconds], rng.uniform(0, seconds, count - 1)])).round(2)
    named = rng.choice(labels, count)
    rows = zip(edges[:-1].tolist(), edges[1:].tolist(), named.tolist(), strict=True)
    return [row for row in rows if row[1] > row[0]]


def accuracy_probes() -> list[Probe]:
    """Return pairs of tables: borders that differ, gaps, other kinds, and stretches marked X."""
    rng = np.random.default_rng(3)
    labels = ["C:maj", "C:min", "F:maj", "G:maj", "A:min"]
    truth = [(0.0, 4.0, "G:maj"), (4.0, 5.0, "X"), (5.0, 8.0, "C:maj")]
    short = [(0.0, 3.0, "G:maj"), (3.0, 6.0, "C:maj")]
    stutter = [(0.0, 1.0, "D:min"), (1.0, 1.2, "D:maj"), (1.2, 4.0, "D:min"), (4.0, 9.0, "E:min")]
    calls = [
        (list(SONG[0]), list(SONG[1]), "three chords, and a guess whose first border is early"),
        (truth, short, "a truth with a second of X, and a guess that ends before it"),
        ([(0.0, 4.0, "D:min"), (4.0, 9.0, "A:min")], stutter, "two chords, and a guess of four"),
        ([(0.0, 2.0, "C:maj"), (2.0, 6.0, "C:min")], [(0.0, 6.0, "C:maj")], "C:maj throughout"),
    ]
    for count, others, with_x in ((6, 9, False), (5, 30, True), (12, 12, True)):
        one = _cut(rng, 20.0, count, labels + ["X"] * 2 * with_x)
        two = _cut(rng, 19.0, others, labels)
        calls.append((one, two, f"{len(one)} stretches by lot, and a guess of {len(two)}"))
    return [Probe((truth, guess), say) for truth, guess, say in calls]


def _overlap(a, b):
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def _root(label):
    return label.partition(":")[0]


def _right(truth, guess, same=lambda a, b: a == b):
    return sum(_overlap(t, g) for t in truth for g in guess if same(t[2], g[2]))


def _seconds(rows, without=("X",)):
    return sum(end - start for start, end, label in rows if label not in without)


def _accuracy(truth, guess):
    return _right(truth, guess) / _seconds(truth)


def _at(rows, time):
    return next((label for a, b, label in rows if a <= time < b), "")


def _middles(truth, guess):
    some = [row for row in truth if row[2] != "X"]
    return float(np.mean([_at(guess, (a + b) / 2) == label for a, b, label in some]))


def _each(truth, guess):
    some = [row for row in truth if row[2] != "X"]
    return float(np.mean([_right([row], guess) / (row[1] - row[0]) for row in some]))


def _touched(truth, guess):
    some = [row for row in truth if row[2] != "X"]
    return float(np.mean([_right([row], guess) > 0 for row in some]))


def _shared(truth, guess):
    both = sum(_overlap(t, g) for t in truth for g in guess if t[2] != "X")
    return _right(truth, guess) / both


def _by_place(truth, guess):
    pairs = [(t, g) for t, g in zip(truth, guess, strict=False) if t[2] != "X"]
    return float(np.mean([t[2] == g[2] for t, g in pairs]))


def _starts(truth, guess):
    starts = {(g[0], g[2]) for g in guess}
    some = [row for row in truth if row[2] != "X"]
    return float(np.mean([(row[0], row[2]) in starts for row in some]))


def _root_share(truth, guess):
    return _right(truth, guess, lambda a, b: _root(a) == _root(b)) / _seconds(truth)


ACCURACY_SLIPS = (
    ("X counted", lambda t, g: _right(t, g) / _seconds(t, ())),
    ("of the guess", lambda t, g: _right(t, g) / _seconds(g)),
    ("stretches", _middles),
    ("mean of stretches", _each),
    ("touched", _touched),
    ("where both speak", _shared),
    ("row by row", _by_place),
    ("borders", _starts),
    ("root is enough", _root_share),
    ("the wrong part", lambda t, g: 1 - _accuracy(t, g)),
    ("percent", lambda t, g: 100 * _accuracy(t, g)),
    ("a sum", _right),
    ("negative overlaps", lambda t, g: _signed(t, g) / _seconds(t)),
    ("per stretch", lambda t, g: _right(t, g) / len(t)),
)


def _signed(truth, guess):
    rows = [(t, g) for t in truth for g in guess if t[2] == g[2]]
    return sum(min(t[1], g[1]) - max(t[0], g[0]) for t, g in rows)


# ---- viterbi -------------------------------------------------------------------------------------


def _model(rng, n, frames, sharp=2.0, stay=0.8):
    """Return logarithms of emissions, of transitions and of the start, by lot."""
    E = rng.dirichlet(np.ones(n) / sharp, frames).T + 1e-6
    A = rng.dirichlet(np.ones(n), n) * (1 - stay) + stay * np.eye(n)
    return np.log(E), np.log(A), np.log(rng.dirichlet(np.ones(n)))


def viterbi_probes() -> list[Probe]:
    """Return small models that a page holds, some that forbid steps, and one of 3000 frames."""
    rng = np.random.default_rng(531)
    E = np.array([[0.6, 0.4, 0.35, 0.7], [0.4, 0.6, 0.65, 0.3]])
    A = np.array([[0.8, 0.2], [0.3, 0.7]])
    small = (np.log(E), np.log(A), np.log([0.5, 0.5]))
    probes = [Probe(small, "two chords and four frames")]
    for n, frames, stay in ((3, 5, 0.4), (4, 8, 0.7), (5, 30, 0.5), (24, 60, 0.9), (3, 1, 0.5)):
        probes.append(Probe(_model(rng, n, frames, stay=stay), f"{n} chords and {frames} frames"))
    round_trip = np.full((4, 4), 1e-9) + 0.5 * np.eye(4) + 0.5 * np.roll(np.eye(4), 1, axis=1)
    E = rng.dirichlet(np.ones(4), 25).T
    some = (np.log(E), np.log(round_trip), np.log([0.97, 0.01, 0.01, 0.01]))
    probes.append(Probe(some, "four chords that follow each other in one order"))
    probes.append(Probe(_model(rng, 4, 3000, stay=0.9), "4 chords and 3000 frames"))
    return probes


def _walk(log_E, log_A, log_p, shown=True, start=True):
    """Return the best path, and the scores of the best ways into each state."""
    n, frames = log_E.shape
    scores = np.zeros((n, frames))
    came = np.zeros((n, frames), dtype=int)
    scores[:, 0] = log_E[:, 0] + (log_p if start else 0)
    for t in range(1, frames):
        ways = scores[:, t - 1][:, None] + log_A
        came[:, t] = ways.argmax(axis=0)
        scores[:, t] = ways.max(axis=0) + (log_E[:, t] if shown else 0)
    return _back(scores[:, -1].argmax(), came), scores, came


def _back(last, came):
    path = [int(last)]
    for t in range(came.shape[1] - 1, 0, -1):
        path.append(int(came[path[-1], t]))
    return np.array(path[::-1])


def _viterbi(log_E, log_A, log_p):
    return _walk(log_E, log_A, log_p)[0]


def _products(log_E, log_A, log_p):
    """Multiply probabilities; after some hundred frames they are 0."""
    E, A = np.exp(log_E), np.exp(log_A)
    n, frames = E.shape
    best = np.exp(log_p) * E[:, 0]
    came = np.zeros((n, frames), dtype=int)
    for t in range(1, frames):
        ways = best[:, None] * A
        came[:, t] = ways.argmax(axis=0)
        best = ways.max(axis=0) * E[:, t]
    return _back(best.argmax(), came)


def _misread(log_E, log_A, log_p, late=0):
    """Read every pointer from the last state, or the pointers of the frame before."""
    _, scores, came = _walk(log_E, log_A, log_p)
    path = [int(scores[:, -1].argmax())]
    for t in range(came.shape[1] - 1, 0, -1):
        path.append(int(came[path[-1] if late else path[0], t - late]))
    return np.array(path[::-1])


def _entered(log_E, log_A, log_p):
    """Add the score of the state that is entered to each way into it."""
    n, frames = log_E.shape
    best = log_p + log_E[:, 0]
    came = np.zeros((n, frames), dtype=int)
    for t in range(1, frames):
        ways = best + log_A
        came[:, t] = ways.argmax(axis=0)
        best = ways.max(axis=0) + log_E[:, t]
    return _back(best.argmax(), came)


def _greedy(log_E, log_A, log_p):
    path = [int((log_p + log_E[:, 0]).argmax())]
    for t in range(1, log_E.shape[1]):
        path.append(int((log_A[path[-1]] + log_E[:, t]).argmax()))
    return np.array(path)


def _forward(log_E, log_A, log_p):
    total = log_p + log_E[:, 0]
    path = [int(total.argmax())]
    for t in range(1, log_E.shape[1]):
        ways = total[:, None] + log_A
        high = ways.max(axis=0)
        total = high + np.log(np.exp(ways - high).sum(axis=0)) + log_E[:, t]
        path.append(int(total.argmax()))
    return np.array(path)


VITERBI_SLIPS = (
    ("frame by frame", lambda E, A, p: E.argmax(axis=0)),
    ("greedy", _greedy),
    ("best so far", lambda E, A, p: _walk(E, A, p)[1].argmax(axis=0)),
    ("sums of ways", _forward),
    ("backwards", lambda E, A, p: _viterbi(E, A, p)[::-1]),
    ("not followed", _misread),
    ("a frame off", lambda E, A, p: _misread(E, A, p, late=1)),
    ("score of the next", _entered),
    ("other axis", lambda E, A, p: _viterbi(E, A.T, p)),
    ("start forgotten", lambda E, A, p: _walk(E, A, p, start=False)[0]),
    ("start alone", lambda E, A, p: _walk(E, A, p, shown=False)[0]),
    ("products", _products),
    ("from state 0", lambda E, A, p: _back(0, _walk(E, A, p)[2])),
    ("score", lambda E, A, p: _walk(E, A, p)[1][:, -1].max()),
    ("all scores", lambda E, A, p: _walk(E, A, p)[1]),
    ("counted from 1", lambda E, A, p: _viterbi(E, A, p) + 1),
    ("first frame missing", lambda E, A, p: _viterbi(E, A, p)[1:]),
    ("worst way", lambda E, A, p: _viterbi(-E, -A, -p)),
)


# ---- transitions ---------------------------------------------------------------------------------


def transitions_probes() -> list[Probe]:
    """Return songs of a few chords, chords that last, minor ones, and chords by lot."""
    rng = np.random.default_rng(55)
    lasting = np.repeat([0, 5, 7, 0, 21, 14, 7, 0], [6, 4, 3, 7, 5, 2, 2, 9])
    calls = (
        (np.array([0, 5, 7, 0]), "C:maj, F:maj, G:maj, C:maj"),
        (lasting, "eight chords of two to nine frames"),
        (np.array([21, 14, 16, 21, 21]), "A:min, D:min, E:min, A:min, A:min"),
        (np.array([11, 23, 11, 0]), "B:maj, B:min, B:maj, C:maj"),
        (rng.integers(0, 24, 400), "400 chords by lot"),
        (np.repeat(rng.integers(0, 12, 30), 5), "thirty major chords, five frames each"),
    )
    return [Probe((states,), say) for states, say in calls]


def _counts(states, keys=range(12), first=1.0, wrap=None):
    counts = np.full((24, 24), first)
    for a, b in itertools.pairwise(states):
        for k in keys:
            counts[_moved(a, k, wrap), _moved(b, k, wrap)] += 1
    return counts


def _moved(state, k, wrap):
    return (state + k) % 24 if wrap else state // 12 * 12 + (state + k) % 12


def _by_row(counts):
    with np.errstate(all="ignore"):
        return counts / counts.sum(axis=1, keepdims=True)


def _transitions(states):
    return _by_row(_counts(states))


def _changes(states):
    states = np.asarray(states)
    kept = np.concatenate([[True], states[1:] != states[:-1]])
    return _by_row(_counts(states[kept]))


def _kinds_mixed(states):
    counts = np.ones((24, 24))
    for a, b in itertools.pairwise(states):
        step = (b - a) % 12
        for k in range(12):
            counts[_moved(a, k, None), (a % 12 + k + step) % 12] += 1
    return _by_row(counts)


TRANSITIONS_SLIPS = (
    ("columns", lambda s: _counts(s) / _counts(s).sum(axis=0)),
    ("sums lie flat", lambda s: _counts(s) / _counts(s).sum(axis=1)),
    ("of all pairs", lambda s: _counts(s) / _counts(s).sum()),
    ("one key", lambda s: _by_row(_counts(s, keys=[0]))),
    ("from 0", lambda s: _by_row(_counts(s, first=0.0))),
    ("from 0", lambda s: np.nan_to_num(_by_row(_counts(s, first=0.0)))),
    ("24 keys", lambda s: _by_row(_counts(s, keys=range(24), wrap=24))),
    ("24 keys", lambda s: _by_row(_counts(s, wrap=24))),
    ("to and from", lambda s: _by_row(_counts(s).T)),
    ("counts", _counts),
    ("logarithms", lambda s: np.log(_transitions(s))),
    ("changes only", _changes),
    ("kind forgotten", _kinds_mixed),
    ("eleven keys", lambda s: _by_row(_counts(s, keys=range(11)))),
    ("both ways", lambda s: _by_row(_counts(s) + _counts(s[::-1]) - 1)),
    ("largest is 1", lambda s: _counts(s) / _counts(s).max(axis=1, keepdims=True)),
)


# ---- what is shown -------------------------------------------------------------------------------


def templates_view():
    """Return the three kinds of the page, row by row."""
    return np.arange(144), [((0, 4, 7),)]


def match_view():
    """Return one frame of C, E and G with more and more of an A in it."""
    amounts = np.arange(0, 2.1, 0.1)
    frames = np.zeros((12, len(amounts)))
    frames[[0, 4, 7]] = 1
    frames[9] = amounts
    return amounts, [(frames, _kinds()[[21]])]


def accuracy_view():
    """Return a border that comes later and later."""
    late = np.arange(0, 4.1, 0.25)
    truth = [(0.0, 2.0, "C:maj"), (2.0, 6.0, "G:maj")]
    guesses = [[(0.0, 2.0 + s, "C:maj"), (2.0 + s, 6.0, "G:maj")] for s in late.tolist()]
    return late, [(truth, guess) for guess in guesses]


def viterbi_view():
    """Return forty frames in which two of five chords take turns, with noise."""
    rng = np.random.default_rng(7)
    shown = np.repeat([0, 3], 20)
    E = 0.12 + 0.5 * rng.random((5, 40))
    E[shown, np.arange(40)] += 0.35
    E /= E.sum(axis=0)
    A = np.full((5, 5), 0.02) + 0.9 * np.eye(5)
    return np.arange(40), [(np.log(E), np.log(A), np.log(np.full(5, 0.2)))]


def transitions_view():
    """Return what follows C:maj, in a song of a few chords."""
    return np.arange(576), [(np.repeat([0, 5, 7, 0, 21, 14, 7, 0], 8),)]


CHECKS = {
    "53.templates": Check(
        templates_probes,
        _templates,
        TEMPLATES_SLIPS,
        atol=1e-9,
        shows=Curve(templates_view, "place in the table, row after row", "value for (0, 4, 7)"),
    ),
    "53.match": Check(
        match_probes,
        _match,
        MATCH_SLIPS,
        atol=1e-9,
        shows=Curve(match_view, "amount of A in a frame of C, E and G", "cosine with A:min"),
    ),
    "53.accuracy": Check(
        accuracy_probes,
        _accuracy,
        ACCURACY_SLIPS,
        atol=1e-9,
        shows=Curve(accuracy_view, "border late by [s]", "share of right seconds"),
    ),
    "53.viterbi": Check(
        viterbi_probes,
        _viterbi,
        VITERBI_SLIPS,
        atol=1e-9,
        shows=Curve(viterbi_view, "frame", "chord"),
    ),
    "53.transitions": Check(
        transitions_probes,
        _transitions,
        TRANSITIONS_SLIPS,
        atol=1e-9,
        shows=Curve(transitions_view, "place in the table, row after row", "probability"),
    ),
}
