"""What the checks of unit 54 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- similarity ----------------------------------------------------------------------------------


def ssm_probes() -> list[Probe]:
    """Return features of many levels, with a sign or without, one that repeats, one with a gap."""
    rng = np.random.default_rng(54)
    loud = rng.exponential(1.0, (12, 7)) * np.array([100.0, 1.0, 0.01, 5.0, 40.0, 0.2, 3.0])
    signed = rng.normal(0, 2.0, (20, 6))
    again = np.tile(rng.exponential(1.0, (12, 4)), 2) * np.repeat([1.0, 3.0], 4)
    gap = rng.normal(0, 3.0, (5, 6))
    gap[:, 2] = 0
    quiet = rng.exponential(1.0, (12, 5))
    quiet[:, [0, 3]] = 0
    calls = (
        (loud, "seven beats of chroma, from soft to loud"),
        (signed, "six beats of 20 numbers with both signs"),
        (again, "four beats that come back three times as loud"),
        (gap, "six beats, the third of them silent"),
        (quiet, "five beats, the first and the fourth of them silent"),
        (rng.normal(0, 1.0, (3, 30)), "thirty beats of three numbers"),
    )
    return [Probe((X,), say) for X, say in calls]


def _unit(X, axis=0):
    return X / np.maximum(np.linalg.norm(X, axis=axis, keepdims=True), 1e-12)


def _ssm(X):
    return _unit(X).T @ _unit(X)


def _apart(X):
    return np.linalg.norm(X[:, :, None] - X[:, None, :], axis=0)


def _from_mean(X):
    centred = X - X.mean(axis=0)
    return _ssm(centred)


def _no_diagonal(X):
    return _ssm(X) * (1 - np.eye(X.shape[1]))


def _self_silent(X):
    S = _ssm(X)
    S[np.diag_indices(len(S))] = 1
    return S


SSM_SLIPS = (
    ("plain products", lambda X: X.T @ X),
    ("one side", lambda X: _unit(X).T @ X),
    ("one side", lambda X: X.T @ _unit(X)),
    ("rows of length one", lambda X: _unit(X, axis=1).T @ _unit(X, axis=1)),
    ("one length for all", lambda X: X.T @ X / np.sum(X**2)),
    ("one length for all", lambda X: X.T @ X / np.linalg.norm(X)),
    ("features with features", lambda X: _unit(X) @ _unit(X).T),
    ("features with features", lambda X: X @ X.T),
    ("largest one", lambda X: _scaled(X, np.abs(X).max(axis=0))),
    ("sum one", lambda X: _scaled(X, np.abs(X).sum(axis=0))),
    ("distance", _apart),
    ("distance", lambda X: _apart(_unit(X))),
    ("distance", lambda X: 1 - _ssm(X)),
    ("minus distance", lambda X: -_apart(_unit(X))),
    ("minus distance", lambda X: -_apart(X)),
    ("minus distance", lambda X: 1 / (1 + _apart(X))),
    ("mean first", _from_mean),
    ("squares", lambda X: _ssm(X) ** 2),
    ("no sign", lambda X: np.abs(_ssm(X))),
    ("no sign", lambda X: np.maximum(_ssm(X), 0)),
    ("angles", lambda X: np.arccos(np.clip(_ssm(X), -1, 1))),
    ("half of it", lambda X: np.triu(_ssm(X))),
    ("half of it", lambda X: np.tril(_ssm(X))),
    ("empty diagonal", _no_diagonal),
    ("silence with itself", _self_silent),
)


def _scaled(X, by):
    Y = X / np.maximum(by, 1e-12)
    return Y.T @ Y


# ---- kernel --------------------------------------------------------------------------------------


def kernel_probes() -> list[Probe]:
    """Return the reaches of the page, and the smallest."""
    return [Probe((L,), f"L = {L}") for L in (2, 1, 3, 8, 16)]


def _side(L, sigma=2.0):
    t = np.arange(-L, L + 1)
    return np.exp(-sigma * (t / L) ** 2)


def _even(L):
    t = np.arange(-L, L) + 0.5
    side = np.sign(t) * np.exp(-2 * (t / L) ** 2)
    return _whole(np.outer(side, side))


def _whole(K):
    return K / np.abs(K).sum()


def _signs(L):
    t = np.sign(np.arange(-L, L + 1))
    return np.outer(t, t)


def _kernel(L):
    return _whole(_signs(L) * np.outer(_side(L), _side(L)))


def _middle_kept(L):
    t = np.where(np.arange(-L, L + 1) < 0, -1, 1)
    return _whole(np.outer(t * _side(L), t * _side(L)))


def _squares(L):
    t = (-1.0) ** np.arange(2 * L + 1)
    return _whole(np.outer(t * _side(L), t * _side(L)))


def _halves(L, axis):
    side = np.sign(np.arange(-L, L + 1))
    rows = side[:, None] if axis == 0 else side[None, :]
    return _whole(rows * np.outer(_side(L), _side(L)))


def _beats(L):
    return np.exp(-2.0 * np.arange(-L, L + 1.0) ** 2)


KERNEL_SLIPS = (
    ("other corners", lambda L: -_kernel(L)),
    ("no bell", lambda L: _whole(_signs(L).astype(float))),
    ("bell on one axis", lambda L: _whole(_signs(L) * _side(L))),
    ("bell on one axis", lambda L: _whole(_signs(L) * _side(L)[:, None])),
    ("no sign at all", lambda L: _whole(np.outer(_side(L), _side(L)))),
    ("sign of one axis", lambda L: _halves(L, 0)),
    ("sign of one axis", lambda L: _halves(L, 1)),
    ("even size", _even),
    ("middle kept", _middle_kept),
    ("a real chessboard", _squares),
    ("not divided", lambda L: _signs(L) * np.outer(_side(L), _side(L))),
    ("divided by the largest", lambda L: _kernel(L) / _kernel(L).max()),
    ("length one", lambda L: _kernel(L) / np.linalg.norm(_kernel(L))),
    ("plus and minus one", lambda L: 2 * _kernel(L)),
    ("another width", lambda L: _whole(_signs(L) * np.outer(_side(L, 1.0), _side(L, 1.0)))),
    ("another width", lambda L: _whole(_signs(L) * np.outer(_side(L, 0.5), _side(L, 0.5)))),
    ("another width", lambda L: _whole(_signs(L) * np.outer(_side(L, 4.0), _side(L, 4.0)))),
    ("in beats", lambda L: _whole(_signs(L) * np.outer(_beats(L), _beats(L)))),
    ("one axis only", lambda L: np.sign(np.arange(-L, L + 1)) * _side(L)),
    ("half the size", lambda L: _kernel(max(1, L // 2))),
    ("mean size", lambda L: _kernel(L) * (2 * L + 1) ** 2),
)


# ---- novelty -------------------------------------------------------------------------------------


def novelty_probes() -> list[Probe]:
    """Return blocks, noise, kernels of three sizes, one that is no checkerboard."""
    rng = np.random.default_rng(541)
    blocks = np.kron(np.eye(2), np.ones((6, 6)))
    noise = rng.uniform(-1, 1, (20, 20))
    noise = (noise + noise.T) / 2
    odd = rng.uniform(-1, 1, (5, 5))
    lopsided = rng.uniform(0, 2, (20, 20))  # a kernel that is laid on transposed shows here
    calls = (
        (blocks, _kernel(3), "two blocks of six beats, and a kernel of 7 by 7"),
        (noise, _kernel(4), "twenty beats of noise, and a kernel of 9 by 9"),
        (noise[:9, :9], _kernel(1), "nine beats of noise, and a kernel of 3 by 3"),
        (lopsided, odd, "twenty beats of noise, not symmetric, and a kernel by lot"),
        (noise[:4, :4] + 0.5, _kernel(6), "four beats, and a kernel that is larger than they"),
    )
    return [Probe((S, K), say) for S, K, say in calls]


def _slide(S, K, pad=None, start=0, sums=np.sum, off=0):
    L = len(K) // 2
    wide = np.pad(S, L) if pad is None else np.pad(S, L, mode=pad)
    wide = np.pad(wide, L + 2)  # for those that look further
    at = range(L + 2 + start, L + 2 + start + len(S))
    k = len(K)
    return np.array([sums(wide[i : i + k, i + off : i + off + k] * K) for i in at])


def _novelty(S, K):
    return _slide(S, K)


def _inside(S, K):
    L = len(K) // 2
    return _novelty(S, K)[L : len(S) - L]


def _inside_zero(S, K):
    L = len(K) // 2
    v = _novelty(S, K)
    kept = np.zeros(len(v))
    kept[L : len(S) - L] = v[L : len(S) - L]
    return kept


def _everywhere(S, K):
    L = len(K) // 2
    wide = np.pad(S, L)
    return np.lib.stride_tricks.sliding_window_view(wide, K.shape).reshape(*S.shape, -1) @ K.ravel()


def _late(S, K):
    L = len(K) // 2
    return _slide(S, K, start=L)


def _early(S, K):
    L = len(K) // 2
    return _slide(S, K, start=-L)


def _renormed(S, K):
    v = _novelty(S, K)
    high = v.max()
    return v / high if high > 0 else v


NOVELTY_SLIPS = (
    ("ends left out", _inside),
    ("ends are zero", _inside_zero),
    ("ends repeated", lambda S, K: _slide(S, K, pad="edge")),
    ("begins too late", _late),
    ("begins too early", _early),
    ("one late", lambda S, K: _slide(S, K, start=1)),
    ("one early", lambda S, K: _slide(S, K, start=-1)),
    ("beside the diagonal", lambda S, K: _slide(S, K, off=1)),
    ("mean", lambda S, K: _novelty(S, K) / K.size),
    ("sizes", lambda S, K: np.abs(_novelty(S, K))),
    ("sizes", lambda S, K: np.maximum(_novelty(S, K), 0)),
    ("squares of novelty", lambda S, K: _novelty(S, K) ** 2),
    ("largest product", lambda S, K: _slide(S, K, sums=np.max)),
    ("largest is 1", _renormed),
    ("turned kernel", lambda S, K: _novelty(S, K[::-1])),
    ("turned kernel", lambda S, K: _novelty(S, -K)),
    ("matrix product", lambda S, K: _product(S, K)),
    ("whole matrix", _everywhere),
    ("whole matrix", lambda S, K: _everywhere(S, K).sum(axis=0)),
    ("trace", lambda S, K: _slide(S, K, sums=np.trace)),
    ("running sum", lambda S, K: np.cumsum(_novelty(S, K))),
)


def _product(S, K):
    L = len(K) // 2
    wide = np.pad(S, L)
    k = len(K)
    return np.array([np.sum(wide[i : i + k, i : i + k] @ K) for i in range(len(S))])


# ---- lag -----------------------------------------------------------------------------------------


def lag_probes() -> list[Probe]:
    """Return a stripe, noise, matrices that are not symmetric."""
    rng = np.random.default_rng(542)
    stripe = np.eye(8) + np.eye(8, k=3)
    noise = rng.normal(0, 1, (6, 6))
    calls = (
        (stripe, "eight beats, with a stripe three beats beside the diagonal"),
        (noise, "six beats by lot, not symmetric"),
        ((noise + noise.T) / 2, "six beats by lot, symmetric"),
        (np.arange(9.0).reshape(3, 3), "three beats, numbered from 0 to 8"),
        (rng.normal(0, 1, (13, 13)), "thirteen beats by lot"),
    )
    return [Probe((S,), say) for S, say in calls]


def _rolled(S, way=-1, more=0):
    return np.stack([np.roll(S[:, j], way * j + more) for j in range(len(S))], axis=1)


def _lag(S):
    return _rolled(S)


def _open(S):
    n = len(S)
    L = np.zeros((n, n))
    for j in range(n):
        L[: n - j, j] = S[j:, j]
    return L


def _by_rows(S):
    return np.stack([np.roll(S[j], -j) for j in range(len(S))])


def _tall(S):
    n = len(S)
    L = np.zeros((2 * n - 1, n))
    for j in range(n):
        L[n - 1 - j : 2 * n - 1 - j, j] = S[:, j]
    return L


LAG_SLIPS = (
    ("turned up", lambda S: _rolled(S, 1)),
    ("nothing comes round", _open),
    ("rows turned", _by_rows),
    ("rows as columns", lambda S: _by_rows(S).T),
    ("lag and time exchanged", lambda S: _rolled(S).T),
    ("both turned", lambda S: np.roll(S, (-1, -1), (0, 1))),
    ("one turn for all", lambda S: np.roll(S, -1, axis=0)),
    ("lag from 1", lambda S: _rolled(S, -1, -1)),
    ("lag from -1", lambda S: _rolled(S, -1, 1)),
    ("upside down", lambda S: _rolled(S)[::-1]),
    ("twice as tall", _tall),
    ("not turned", lambda S: S.copy()),
    ("twice as far", lambda S: _rolled(S, -2)),
    ("flat roll", lambda S: np.stack([np.roll(S, -j)[:, j] for j in range(len(S))], axis=1)),
    ("diagonal missing", lambda S: _rolled(S)[1:]),
    ("sums of lags", lambda S: _rolled(S).mean(axis=1)),
    ("sums of lags", lambda S: _rolled(S).sum(axis=1)),
)


# ---- F -------------------------------------------------------------------------------------------


def fmeasure_probes() -> list[Probe]:
    """Return seams: near and far, doubled, none, exactly on the window, many by lot."""
    rng = np.random.default_rng(543)
    truth = np.array([0.0, 7.0, 14.0, 21.0, 28.0, 35.0, 42.0])
    four = np.array([0.0, 14.25, 21.0, 27.75, 35.25, 42.0])
    twice = np.array([0.0, 6.75, 7.25, 14.0, 20.0, 28.25, 28.5, 33.0, 42.0])
    chain = (np.array([0.0, 10.0, 10.75, 30.0]), np.array([0.0, 9.5, 10.25, 30.0]), 0.5)
    late = np.array([0.0, 8.0, 15.0, 22.0, 29.0, 36.0, 42.0])
    calls = [
        (truth, four, 0.5, "five seams, four of them found"),
        (truth, twice, 0.5, "some found twice"),
        (truth, late, 1.0, "all late by exactly the window"),
        (truth, np.array([0.0, 42.0]), 0.5, "nothing found inside"),
        (truth, np.array([0.0, 3.0, 42.0]), 3.0, "one found, and far away"),
        (*chain, "two seams that share a window"),
        (truth, np.array([0.0, *np.arange(1.0, 42.0, 2.0), 42.0]), 0.5, "one every two seconds"),
        (truth, np.array([0.25, 14.25, 41.75]), 0.5, "a piece that seems to be shorter"),
    ]
    for n, m, window in ((6, 9, 3.0), (12, 5, 3.0), (9, 9, 2.0)):
        one, two = (np.sort(rng.uniform(0, 60, k)).round(2) for k in (n, m))
        one, two = np.array([0, *one, 60.0]), np.array([0, *two, 60.0])
        calls.append((one, two, window, f"{n} seams by lot, {m} found, window {window} s"))
    return [Probe((t, f, w), say) for t, f, w, say in calls]


def _pairs(true, said, window, near=lambda gap, window: abs(gap) <= window):
    left = list(said)
    hits = 0
    for time in true:
        close = [s for s in left if near(s - time, window)]
        if close:
            left.remove(close[0])
            hits += 1
    return hits


def _marks(truth, found, window, **how):
    true, said = list(truth[1:-1]), list(found[1:-1])
    hits = _pairs(true, said, window, **how)
    return hits / len(said) if said else 0.0, hits / len(true)


def _harmonic(P, R):
    return 2 * P * R / (P + R) if P + R > 0 else 0.0


def _fmeasure(truth, found, window):
    return _harmonic(*_marks(truth, found, window))


def _with_ends(truth, found, window):
    padded = [np.array([-9.0, *t, 999.0]) for t in (truth, found)]
    return _fmeasure(*padded, window)


def _one_end(truth, found, window, first=True):
    cut = [np.array([-9.0, *t]) if first else np.array([*t, 999.0]) for t in (truth, found)]
    return _fmeasure(*cut, window)


def _many(truth, found, window):
    true, said = np.asarray(truth[1:-1]), np.asarray(found[1:-1])
    near = np.abs(true[:, None] - said) <= window
    if not said.size:
        return 0.0
    return _harmonic(near.any(axis=0).mean(), near.any(axis=1).mean())


def _near(**words):
    """Return F with another idea of what is near."""

    def scored(truth, found, window):
        return _harmonic(*_marks(truth, found, window, **words))

    return scored


def _union(truth, found, window):
    hits = _pairs(truth[1:-1], found[1:-1], window)
    return hits / (len(truth) + len(found) - 4 - hits)


def _in_order(truth, found, window):
    true, said = truth[1:-1], found[1:-1]
    hits = sum(abs(a - b) <= window for a, b in zip(true, said, strict=False))
    return 2 * hits / (len(true) + len(said))


def _nearest_only(truth, found, window):
    true, said = list(truth[1:-1]), list(found[1:-1])
    hits = 0
    total = len(true) + len(said)
    for time in true:
        if said:
            best = min(said, key=lambda s: abs(s - time))
            if abs(best - time) <= window:
                said.remove(best)
                hits += 1
    return 2 * hits / total


FMEASURE_SLIPS = (
    ("ends counted", _with_ends),
    ("one end counted", _one_end),
    ("one end counted", lambda t, f, w: _one_end(t, f, w, first=False)),
    ("used many times", _many),
    ("precision", lambda t, f, w: _marks(t, f, w)[0]),
    ("recall", lambda t, f, w: _marks(t, f, w)[1]),
    ("arithmetic mean", lambda t, f, w: float(np.mean(_marks(t, f, w)))),
    ("product", lambda t, f, w: float(np.prod(_marks(t, f, w)))),
    ("root of the product", lambda t, f, w: float(np.sqrt(np.prod(_marks(t, f, w))))),
    ("border is out", _near(near=lambda gap, window: abs(gap) < window)),
    ("half a window", _near(near=lambda gap, window: abs(gap) <= window / 2)),
    ("late ones only", _near(near=lambda gap, window: 0 <= gap <= window)),
    ("early ones only", _near(near=lambda gap, window: -window <= gap <= 0)),
    ("hits over all", _union),
    ("number of hits", lambda t, f, w: float(_pairs(t[1:-1], f[1:-1], w))),
    ("twice too small", lambda t, f, w: _fmeasure(t, f, w) / 2),
    ("in percent", lambda t, f, w: 100 * _fmeasure(t, f, w)),
    ("wrong seams", lambda t, f, w: 1 - _fmeasure(t, f, w)),
    ("by their number", _in_order),
    ("nearest first", _nearest_only),
)


# ---- what is shown -------------------------------------------------------------------------------


def ssm_view():
    """Return sixteen vectors, each turned a little further than the one before."""
    angles = np.linspace(0, np.pi, 16)
    return np.arange(256), [(np.array([np.cos(angles), np.sin(angles)]),)]


def kernel_view():
    """Return a kernel of 9 by 9, row by row."""
    return np.arange(81), [(4,)]


def novelty_view():
    """Return four blocks of twelve beats."""
    blocks = [[1, 0.2, 1, 0.1], [0.2, 1, 0.2, 0.3], [1, 0.2, 1, 0.1], [0.1, 0.3, 0.1, 1]]
    S = np.kron(np.array(blocks), np.ones((12, 12)))
    return np.arange(48), [(S, _kernel(6))]


def lag_view():
    """Return a stripe three beats beside the diagonal."""
    return np.arange(64), [(np.eye(8) + np.eye(8, k=-3),)]


def fmeasure_view():
    """Return seams that come later and later."""
    late = np.arange(0, 1.01, 0.1)
    truth = np.array([0.0, 10.0, 20.0, 30.0, 40.0])
    weights = np.array([0.0, 0.25, 0.5, 1.0, 0.0])
    return late, [(truth, truth + s * weights, 0.45) for s in late.tolist()]


CHECKS = {
    "54.ssm": Check(
        ssm_probes,
        _ssm,
        SSM_SLIPS,
        atol=1e-9,
        shows=Curve(ssm_view, "place in the matrix, row after row", "cosine"),
    ),
    "54.kernel": Check(
        kernel_probes,
        _kernel,
        KERNEL_SLIPS,
        atol=1e-9,
        shows=Curve(kernel_view, "place in the kernel, row after row", "weight for L = 4"),
    ),
    "54.novelty": Check(
        novelty_probes,
        _novelty,
        NOVELTY_SLIPS,
        atol=1e-9,
        shows=Curve(novelty_view, "beat", "novelty of four blocks"),
    ),
    "54.lag": Check(
        lag_probes,
        _lag,
        LAG_SLIPS,
        atol=1e-9,
        shows=Curve(lag_view, "place in the matrix, row after row", "value"),
    ),
    "54.fmeasure": Check(
        fmeasure_probes,
        _fmeasure,
        FMEASURE_SLIPS,
        atol=1e-9,
        shows=Curve(fmeasure_view, "last of three seams late by [s]", "F"),
    ),
}
