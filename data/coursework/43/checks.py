"""What the checks of unit 43 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import itertools

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

PAIRS = (
    ("the cat sat on the mat", "the cat sit on the"),
    ("can i get a large mocha", "can i get large mocca please"),
    ("i scream for ice cream", "ice cream for i scream"),
    ("make me a latte", "make a a latte"),
    ("seven one", "seven one one one five"),
    ("a small coffee with milk", "small coffee with some milk"),
    ("get me a large latte with cream", "me a large large latte cream please"),
    ("one two three one two", "two three one one two two"),
    ("brew a mocha", "i want to brew mocha"),
    ("may i have milk", "have i may milk"),
)


def _table(reference, hypothesis):
    """Return the edit distance between all beginnings of two lists."""
    D = np.zeros((len(reference) + 1, len(hypothesis) + 1), dtype=int)
    D[:, 0] = np.arange(len(reference) + 1)
    D[0] = np.arange(len(hypothesis) + 1)
    for i, a in enumerate(reference, 1):
        for j, b in enumerate(hypothesis, 1):
            D[i, j] = min(D[i - 1, j] + 1, D[i, j - 1] + 1, D[i - 1, j - 1] + (a != b))
    return D


def found_probes() -> list[Probe]:
    """Return pairs with all three kinds of repair, and with words that come twice."""
    probes = []
    for reference, hypothesis in PAIRS:
        a, b = reference.split(), hypothesis.split()
        probes.append(Probe((_table(a, b), a, b), f"“{reference}” heard as “{hypothesis}”"))
    return probes


def _walk(D, reference, hypothesis, order="diagonal, up, left", passed=False):
    """Walk back through the table; `passed` marks every word that the diagonal passes."""
    hits = np.zeros(len(reference), dtype=int)
    i, j = len(reference), len(hypothesis)
    while i or j:
        same = i > 0 and j > 0 and reference[i - 1] == hypothesis[j - 1]
        steps = {
            "diagonal": i > 0 and j > 0 and D[i, j] == D[i - 1, j - 1] + (not same),
            "up": i > 0 and D[i, j] == D[i - 1, j] + 1,
            "left": j > 0 and D[i, j] == D[i, j - 1] + 1,
        }
        step = next(name for name in order.split(", ") if steps[name])
        if step == "diagonal" and (same or passed):
            hits[i - 1] = 1
        i -= step != "left"
        j -= step != "up"
    return hits


def _placed(D, reference, hypothesis):
    """Compare place by place."""
    both = itertools.zip_longest(reference, hypothesis[: len(reference)])
    return np.array([int(a == b) for a, b in both])


def _in_order(D, reference, hypothesis):
    """Look for each word behind the one found last."""
    hits, at = [], 0
    for word in reference:
        if word in hypothesis[at:]:
            at += hypothesis[at:].index(word) + 1
            hits.append(1)
        else:
            hits.append(0)
    return np.array(hits)


FOUND_SLIPS = (
    ("place by place", _placed),
    ("anywhere", lambda D, a, b: np.array([int(word in b) for word in a])),
    ("in order", _in_order),
    ("exchanged too", lambda D, a, b: _walk(D, a, b, passed=True)),
    ("wrong ones", lambda D, a, b: 1 - _walk(D, a, b)),
    ("backwards", lambda D, a, b: _walk(D, a, b)[::-1]),
    ("how many", lambda D, a, b: _walk(D, a, b).sum()),
    ("left first", lambda D, a, b: _walk(D, a, b, order="left, diagonal, up")),
    (
        "of the hypothesis",
        lambda D, a, b: _walk(D.T, b, a, order="diagonal, left, up"),
    ),
)


def rate_probes() -> list[Probe]:
    """Return sentences of all lengths, and some with no word at all."""
    calls = (
        ((2, 3, 4), (6, 2, 5)),
        ((0, 1, 0, 2), (4, 3, 9, 2)),
        ((1, 0, 2), (0, 5, 7)),
        ((5,), (4,)),
        ((2, 0, 3, 1), (0, 8, 4, 1)),
        ((7, 2), (4, 3)),
        ((3, 6, 1), (0, 4, 4)),
    )
    return [
        Probe(
            (np.array(repairs), np.array(words)),
            f"repairs = {list(repairs)} and words = {list(words)}",
        )
        for repairs, words in calls
    ]


def _rates(repairs, words):
    return repairs / np.maximum(words, 1)


def _spoken(repairs, words):
    return repairs[words > 0].sum() / words.sum()


RATE_SLIPS = (
    ("mean of the rates", lambda r, n: _rates(r, n).mean()),
    ("mean of the rates", lambda r, n: (r[n > 0] / n[n > 0]).mean()),
    ("mean of the rates", lambda r, n: np.median(_rates(r, n))),
    ("empty left out", _spoken),
    ("percent", lambda r, n: 100 * r.sum() / n.sum()),
    ("the share right", lambda r, n: 1 - r.sum() / n.sum()),
    ("per sentence", lambda r, n: r.sum() / len(n)),
    ("at most one", lambda r, n: min(1.0, r.sum() / n.sum())),
    ("at most one", lambda r, n: np.minimum(r, n).sum() / n.sum()),
    ("turned over", lambda r, n: n.sum() / max(1, r.sum())),
    ("one for each", _rates),
    ("sentences wrong", lambda r, n: (r > 0).mean()),
    ("repairs on both sides", lambda r, n: r.sum() / (n.sum() + r.sum())),
)


def frames_probes() -> list[Probe]:
    """Return words with and without equal neighbours, equal letters apart, and runs of three."""
    words = ("hello", "can", "aa", "banana", "coffee", "aaab", "i", "llama")
    return [Probe((np.array([ord(c) - 96 for c in w]),), f"the labels of “{w}”") for w in words]


def _doubles(labels):
    return int(np.sum(labels[1:] == labels[:-1]))


FRAMES_SLIPS = (
    ("letters", lambda y: len(y)),
    ("all blanks", lambda y: 2 * len(y) + 1),
    ("a blank between each two", lambda y: 2 * len(y) - 1),
    ("melted", lambda y: len(y) - _doubles(y)),
    ("different letters", lambda y: len(set(y.tolist()))),
    ("repeats anywhere", lambda y: 2 * len(y) - len(set(y.tolist()))),
    ("only the doubles", _doubles),
    ("a blank at the end", lambda y: len(y) + _doubles(y) + 1),
    ("a blank at both ends", lambda y: len(y) + _doubles(y) + 2),
    ("one blank is enough", lambda y: len(y) + (_doubles(y) > 0)),
    ("two for each double", lambda y: len(y) + 2 * _doubles(y)),
    ("the others", lambda y: len(y) + len(y) - 1 - _doubles(y)),
)


def says_probes() -> list[Probe]:
    """Return small cases: one letter, two, twice the same, none, and too many."""
    rng = np.random.default_rng(43)
    cases = ((3, 3, [1]), (4, 3, [1, 2]), (4, 3, [1, 1]), (5, 4, [2, 3]), (2, 3, [2, 1]))
    cases = (*cases, (5, 3, [2, 2]), (3, 3, [1, 2, 1]))
    return [
        Probe(
            (np.round(rng.dirichlet(np.ones(K), size=T), 3), labels),
            f"{T} frames, {K} signs, and labels = {labels}",
        )
        for T, K, labels in cases
    ]


def _collapse(path):
    kept = [k for t, k in enumerate(path) if t == 0 or k != path[t - 1]]
    return [k for k in kept if k]


def _blanks_first(path):
    kept = [k for k in path if k]
    return [k for t, k in enumerate(kept) if t == 0 or k != kept[t - 1]]


def _total(P, labels, text=_collapse, of=np.prod, gather=sum):
    T, K = P.shape
    chances = [
        of(P[np.arange(T), list(path)])
        for path in itertools.product(range(K), repeat=T)
        if text(path) == list(labels)
    ]
    return float(gather(chances)) if chances else 0.0


def _largest(chances):
    return max(chances)


def _blanks_kept(path):
    return [k for k, _ in itertools.groupby(path)]


SAYS_SLIPS = (
    ("blanks first", lambda P, y: _total(P, y, _blanks_first)),
    ("no melting", lambda P, y: _total(P, y, lambda path: [k for k in path if k])),
    ("blanks kept", lambda P, y: _total(P, y, _blanks_kept)),
    ("the likeliest path", lambda P, y: _total(P, y, gather=_largest)),
    ("a count", lambda P, y: _total(P, y, gather=len)),
    ("a sum along the path", lambda P, y: _total(P, y, of=np.sum)),
    ("the mean path", lambda P, y: _total(P, y, gather=np.mean)),
    ("the logarithm", lambda P, y: np.log(max(_total(P, y), 1e-300))),
    ("a share of the paths", lambda P, y: _total(P, y, gather=len) / P.shape[1] ** P.shape[0]),
    ("any order", lambda P, y: _total(P, sorted(y), lambda path: sorted(_collapse(path)))),
    ("the others", lambda P, y: 1 - _total(P, y)),
    ("the last blank kept", lambda P, y: _total(P[:-1], y)),
)


def _states(labels):
    return [0] + [sign for label in labels for sign in (label, 0)]


def _best(scores, labels, join=np.maximum, skip=True, ends="either", begins=2, melts=True):
    """Return the best path's score, or what a changed rule makes of it."""
    states = _states(labels)
    A = np.full(len(states), -np.inf)
    A[:begins] = scores[0, states[:begins]]
    for frame in scores[1:]:
        before = A.copy()
        for s, sign in enumerate(states):
            A[s] = before[s]
            if s:
                A[s] = join(A[s], before[s - 1])
            if skip and s > 1 and sign and (not melts or sign != states[s - 2]):
                A[s] = join(A[s], before[s - 2])
            A[s] += frame[sign]
    last = {"letter": A[-2], "blank": A[-1], "either": join(A[-1], A[-2])}
    return float(last[ends])


def best_probes() -> list[Probe]:
    """Return small and larger cases, with and without equal neighbours."""
    rng = np.random.default_rng(44)
    cases = ((3, 3, [1]), (5, 3, [1, 2]), (6, 3, [2, 2]), (12, 5, [1, 4, 4, 2]), (9, 4, [3, 1, 3]))
    cases = (*cases, (4, 3, [1, 1]), (8, 4, [3, 3, 2, 2]), (7, 3, [2, 2, 2]))
    probes = []
    there_and_again = np.log([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1]] * 4)  # says the letter four times
    for labels in ([1], [1, 2]):
        say = f"8 frames that would say “aaaa”, and labels = {labels}"
        probes.append(Probe((np.round(there_and_again, 3), labels), say))
    for T, K, labels in cases:
        P = rng.dirichlet(np.ones(K), size=T)
        probes.append(
            Probe((np.round(np.log(P), 3), labels), f"{T} frames, {K} signs, and labels = {labels}")
        )
    return probes


BEST_SLIPS = (
    ("all paths", lambda S, y: _best(S, y, join=np.logaddexp)),
    ("must end with a letter", lambda S, y: _best(S, y, ends="letter")),
    ("must end with a blank", lambda S, y: _best(S, y, ends="blank")),
    ("no skipping", lambda S, y: _best(S, y, skip=False)),
    ("doubles melt", lambda S, y: _best(S, y, melts=False)),
    ("begins with a blank", lambda S, y: _best(S, y, begins=1)),
    ("a probability", lambda S, y: np.exp(_best(S, y))),
    ("minus", lambda S, y: -_best(S, y)),
    ("any text", lambda S, y: S.max(axis=1).sum()),
    ("first frame left out", lambda S, y: _best(S[1:], y)),
    ("last frame left out", lambda S, y: _best(S[:-1], y)),
    ("for each frame", lambda S, y: _best(S, y) / len(S)),
)


def hidden_probes() -> list[Probe]:
    """Return frames in which the blank is the likeliest sign, no two alike in a row."""
    rows = ([0.5, 0.55, 0.6, 0.52], [0.6, 0.52, 0.58, 0.5, 0.55], [0.56, 0.5, 0.6, 0.54, 0.5, 0.58])
    return [Probe((np.array(row),), f"blank = {row}") for row in rows]


def _hidden(blank, a=1, b=2, at=2):
    """Give one sign the rest of the early frames, and another one that of the late ones."""
    half = len(blank) // at
    P = np.zeros((len(blank), 3))
    P[:, 0] = blank
    P[:half, a] = 1 - blank[:half]
    P[half:, b] = 1 - blank[half:]
    return P


def _texts(P):
    """Return the probability of each text."""
    total = {}
    for path in itertools.product(range(3), repeat=len(P)):
        text = "".join("-ab"[k] for k in _collapse(path))
        total[text] = total.get(text, 0) + np.prod(P[np.arange(len(P)), path])
    return total


def _top(P):
    """Return the likeliest text, or all that are equally likely, with "or" between them."""
    total = _texts(P)
    most = max(total.values())
    return " or ".join(text for text in total if total[text] > most - 1e-9)


def _blank_changed(got):
    blanks = [probe.args[0] for probe in hidden_probes()]
    return any(np.abs(P[:, 0] - blank).max() > 1e-6 for P, blank in zip(got, blanks, strict=True))


HIDDEN_GOALS = (
    ("blank changed", _blank_changed),
    ("no probabilities", lambda got: any((P < 0).any() for P in got)),
    ("no probabilities", lambda got: any(np.abs(P.sum(axis=1) - 1).max() > 1e-6 for P in got)),
    ("turned round", lambda got: any(_top(P) == "ba" for P in got)),
    ("another text", lambda got: any(_top(P) != "ab" for P in got)),
)
HIDDEN_SLIPS = (
    ("blank changed", lambda blank: _hidden(0 * blank + 0.5)),
    ("no probabilities", lambda blank: _hidden(blank) * [1, 0.5, 0.5]),
    ("turned round", lambda blank: _hidden(blank, a=2, b=1)),
    ("another text", lambda blank: _hidden(blank, b=1)),
)


def _hidden_measured(got):
    least = min(_texts(P).get("ab", 0) for P in got)
    return f"“ab” has at least {100 * least:.0f} % of the probability in your frames."


def spans_probes() -> list[Probe]:
    """Return paths with blanks at all places, words of one letter, and two spaces in a row."""
    probes = []
    for text in (
        "--cc-a--nn-_-ii-",
        "a_bb-b",
        "i--_-g-e-tt_a",
        "ab",
        "-h-e-l-l-oo-_-yy--",
        "t-_-_-o",
    ):
        path = np.array([0 if c == "-" else 27 if c == "_" else ord(c) - 96 for c in text])
        probes.append(Probe((path, 27), f"path = “{text}”, with - for 0 and _ for the space"))
    return probes


def _spans(path, space):
    letters = (path != 0) & (path != space)
    rows, begin, last = [], None, None
    for t, sign in enumerate(path.tolist()):
        if sign == space and begin is not None:
            rows.append((begin, last + 1))
            begin = None
        if letters[t]:
            begin = t if begin is None else begin
            last = t
    if begin is not None:
        rows.append((begin, last + 1))
    return np.array(rows)


def _runs(mark):
    """Return begin and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mark.astype(int), [0]])))
    return edges.reshape(-1, 2)


def _from_zero(path, space):
    rows = _spans(path, space).copy()
    rows[0, 0] = 0
    return rows


def _to_end(path, space):
    rows = _spans(path, space).copy()
    rows[-1, 1] = len(path)
    return rows


def _until_next(path, space):
    rows = _spans(path, space).copy()
    rows[:-1, 1] = rows[1:, 0]
    return rows


def _lengths(path, space):
    rows = _spans(path, space)
    return np.stack([rows[:, 0], rows[:, 1] - rows[:, 0]], axis=1)


def _first_letters(path, space):
    begins = _spans(path, space)[:, 0]
    return np.stack([begins, begins + 1], axis=1)


SPANS_SLIPS = (
    ("last frame itself", lambda p, s: _spans(p, s) - [0, 1]),
    ("each letter", lambda p, s: _runs((p != 0) & (p != s))),
    ("blanks belong", lambda p, s: _runs(p != s)),
    ("from the start", _from_zero),
    ("to the end", _to_end),
    ("until the next", _until_next),
    ("lengths", _lengths),
    ("turned over", lambda p, s: _spans(p, s)[:, ::-1]),
    ("the other axis", lambda p, s: _spans(p, s).T),
    ("first letter's frames", _first_letters),
    ("the last word lost", lambda p, s: _spans(p, s)[:-1]),
    ("one frame early", lambda p, s: _spans(p, s) - 1),
)


def found_view():
    """Return a sentence of ten words with one word after the other wrong."""
    words = [f"w{k}" for k in range(10)]
    heard = [word if k % 3 else "x" for k, word in enumerate(words)]
    return np.arange(10), [(_table(words, heard), words, heard)]


def rate_view():
    """Return a short sentence with more and more repairs beside a long one with none."""
    repairs = np.arange(11)
    return repairs, [(np.array([k, 0]), np.array([2, 8])) for k in repairs.tolist()]


def frames_view():
    """Return a letter once, twice, three times in a row."""
    counts = np.arange(1, 13)
    return counts, [(np.ones(n, dtype=int),) for n in counts.tolist()]


def says_view():
    """Return two frames in which the letter becomes likelier."""
    chance = np.linspace(0, 1, 21)
    return chance, [(np.array([[1 - p, p], [1 - p, p]]), [1]) for p in chance.tolist()]


def best_view():
    """Return the text ab in more and more frames of equal chances."""
    frames = np.arange(2, 14)
    return frames, [(np.log(np.full((n, 3), 1 / 3)), [1, 2]) for n in frames.tolist()]


def spans_view():
    """Return one word that begins later and later."""
    begins = np.arange(1, 12)
    calls = []
    for begin in begins.tolist():
        path = np.zeros(20, dtype=int)
        path[begin : begin + 6 : 2] = 3, 1, 14
        calls.append((path, 27))
    return begins, calls


def _begin(values):
    return np.ravel(values).reshape(-1, 2)[:, 0]


CHECKS = {
    "43.found": Check(
        found_probes,
        _walk,
        FOUND_SLIPS,
        atol=1e-9,
        shows=Curve(found_view, "word of the reference", "understood"),
    ),
    "43.rate": Check(
        rate_probes,
        lambda repairs, words: repairs.sum() / words.sum(),
        RATE_SLIPS,
        atol=1e-9,
        shows=Curve(rate_view, "repairs in a sentence of two words", "rate of ten words"),
    ),
    "43.frames": Check(
        frames_probes,
        lambda labels: len(labels) + _doubles(labels),
        FRAMES_SLIPS,
        atol=1e-9,
        shows=Curve(frames_view, "times that one letter comes in a row", "frames"),
    ),
    "43.says": Check(
        says_probes,
        _total,
        SAYS_SLIPS,
        atol=1e-9,
        shows=Curve(says_view, "probability of the letter in both frames", "of the text"),
    ),
    "43.best": Check(
        best_probes,
        _best,
        BEST_SLIPS,
        atol=1e-6,
        shows=Curve(best_view, "frames, all signs equally likely", "logarithm of the best path"),
    ),
    "43.hidden": Check(
        hidden_probes,
        _hidden,
        HIDDEN_SLIPS,
        atol=1e-9,
        goals=HIDDEN_GOALS,
        measured=_hidden_measured,
    ),
    "43.spans": Check(
        spans_probes,
        _spans,
        SPANS_SLIPS,
        atol=1e-9,
        shows=Curve(spans_view, "frame in which a word begins", "first frame", _begin),
    ),
}
