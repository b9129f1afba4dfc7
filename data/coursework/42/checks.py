"""What the checks of unit 42 try, and the mistakes that they know by their numbers.

Two exercises need PyTorch: their functions get tensors, and `_read` reads numbers off what they
return.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def _softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


# ---- functions that need PyTorch -----------------------------------------------------------------


class Seen:
    """A learner's function of tensors, called with arrays; what it is made of shows through."""

    def __init__(self, fn: Callable):
        self.fn = fn
        if hasattr(fn, "__code__"):
            self.__code__ = fn.__code__

    def __call__(self, *args):
        """Return numbers, or what came back where that is nothing to read."""
        return _read(self.fn, *args)


def _read(fn, *arrays):
    """Return what a function of tensors makes of arrays."""
    import torch

    value = fn(*(torch.from_numpy(a) for a in arrays))  # shares memory, so changes are seen
    return value.detach().numpy() if torch.is_tensor(value) else value


def _on_arrays(slips):
    """Return models that take tensors as well: a comparison hands them what a learner would get."""
    return tuple(
        (name, lambda *args, fn=fn: fn(*(np.asarray(a) for a in args))) for name, fn in slips
    )


class Learned(Check):
    """A check of a function that takes tensors."""

    reading = staticmethod(_read)  # a grader calls it where the function lives

    def __call__(self, fn, texts):
        """Return the outcome for a learner's function."""
        return super().__call__(Seen(fn) if callable(fn) else fn, texts)

    def judge(self, fn, trials, texts):
        """Return the outcome, in which a tensor is what is needed."""
        result = super().judge(fn, trials, texts)
        says = result.says.replace("NumPy array of real numbers", "tensor of real numbers")
        says = says.replace("wrap it in `np.array`", "wrap it in `torch.tensor`")
        return replace(result, says=says)


# ---- attention -----------------------------------------------------------------------------------


def attend_probes() -> list[Probe]:
    """Return one query over two keys, then unequal numbers of queries, keys, and widths."""
    first = (np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [3.0]]))
    probes = [Probe(first, "Q = [[1, 0]], K = [[2, 0], [0, 1]], V = [[1], [3]]")]
    for seed, (t, s, d, e) in enumerate(((3, 5, 4, 2), (6, 4, 16, 3), (5, 5, 9, 9))):
        rng = np.random.default_rng(420 + seed)
        Q, K, V = rng.standard_normal((t, d)), rng.standard_normal((s, d)), rng.normal(1, 2, (s, e))
        say = f"{t} queries and {s} keys of {d} numbers, values of {e}"
        probes.append(Probe((Q, K, V), say))
    return probes


def _attend(Q, K, V, *, scale=None, axis=-1):
    d = Q.shape[-1]
    return _softmax(Q @ K.T * (d**-0.5 if scale is None else scale), axis) @ V


def _relu(x):
    return np.maximum(x, 0)


ATTEND_SLIPS = (
    ("no root", lambda Q, K, V: _attend(Q, K, V, scale=1.0)),
    ("over d", lambda Q, K, V: _attend(Q, K, V, scale=1 / Q.shape[-1])),
    ("times the root", lambda Q, K, V: _attend(Q, K, V, scale=Q.shape[-1] ** 0.5)),
    ("root of the keys", lambda Q, K, V: _attend(Q, K, V, scale=K.shape[0] ** -0.5)),
    ("wrong axis", lambda Q, K, V: _attend(Q, K, V, axis=0)),
    ("no softmax", lambda Q, K, V: Q @ K.T / Q.shape[-1] ** 0.5 @ V),
    ("weights only", lambda Q, K, V: _softmax(Q @ K.T / Q.shape[-1] ** 0.5)),
    ("scores only", lambda Q, K, V: Q @ K.T / Q.shape[-1] ** 0.5),
    ("not divided by the sum", lambda Q, K, V: np.exp(Q @ K.T / Q.shape[-1] ** 0.5) @ V),
    (
        "root after softmax",
        lambda Q, K, V: _softmax(Q @ K.T) / Q.shape[-1] ** 0.5 @ V,
    ),
    ("plain mean", lambda Q, K, V: np.tile(V.mean(0), (len(Q), 1))),
    ("the best only", lambda Q, K, V: V[(Q @ K.T).argmax(1)]),
)

# ---- positions -----------------------------------------------------------------------------------


def place_probes() -> list[Probe]:
    """Return few and many positions, in order and not, small and large widths."""
    cases = (([0, 1, 2], 4), ([5, 3, 100, 0], 6), (list(range(20)), 12), ([1499], 96))
    return [
        Probe((np.array(t, float), d), f"t = {t if len(t) < 6 else '0 to 19'} and d = {d}")
        for t, d in cases
    ]


def _place(t, d, *, over=None, base=10000.0, step=1):
    rates = base ** (-np.arange(d // 2) / (d // 2 - 1 if over is None else over(d))) * step
    return np.concatenate([np.sin(t[:, None] * rates), np.cos(t[:, None] * rates)], axis=1)


def _mixed(t, d):
    out = np.empty((len(t), d))
    out[:, 0::2], out[:, 1::2] = np.split(_place(t, d), 2, axis=1)
    return out


PLACE_SLIPS = (
    ("interleaved", _mixed),
    ("cosines first", lambda t, d: np.roll(_place(t, d), d // 2, axis=1)),
    ("over d half", lambda t, d: _place(t, d, over=lambda d: d / 2)),
    ("over d", lambda t, d: _place(t, d, over=lambda d: d)),
    ("over d minus 1", lambda t, d: _place(t, d, over=lambda d: d - 1)),
    ("rates that rise", lambda t, d: _place(t, d, base=1e-4)),
    ("turns", lambda t, d: _place(2 * np.pi * t, d)),
    ("from one", lambda t, d: _place(t + 1, d)),
    ("another base", lambda t, d: _place(t, d, base=1000.0)),
    ("sines twice", lambda t, d: np.tile(_place(t, d)[:, : d // 2], 2)),
    ("transposed", lambda t, d: _place(t, d).T),
    ("index for t", lambda t, d: _place(np.arange(len(t)) * 1.0, d)),
    ("steps even", lambda t, d: _even(t, d)),
    ("half of it", lambda t, d: _place(t, d)[:, : d // 2]),
)


def _even(t, d):
    """Rates that fall in equal steps instead of equal ratios."""
    rates = np.linspace(1, 1e-4, d // 2)
    return np.concatenate([np.sin(t[:, None] * rates), np.cos(t[:, None] * rates)], axis=1)


# ---- the causal mask -----------------------------------------------------------------------------


def causal_probes() -> list[Probe]:
    """Return equal scores, then random ones, and a large one in the future."""
    probes = [Probe((np.zeros((3, 3)),), "scores of 3 x 3, all 0")]
    for seed, size in enumerate((4, 7)):
        scores = np.random.default_rng(430 + seed).normal(0, 2, (size, size))
        probes.append(Probe((scores,), f"random scores of {size} x {size}"))
    scores = np.random.default_rng(440).normal(0, 1, (5, 5))
    scores[0, 4] = 30.0
    probes.append(Probe((scores,), "scores of 5 x 5 with a large one in the future"))
    return probes


def _causal(scores, *, keep=np.tril, shift=0, axis=-1, fill=-np.inf):
    allowed = keep(np.ones_like(scores), shift) > 0
    return np.nan_to_num(_softmax(np.where(allowed, scores, fill), axis))


CAUSAL_SLIPS = (
    ("no mask", _softmax),
    ("mask after softmax", lambda s: np.tril(_softmax(s))),
    ("zeros for scores", lambda s: _softmax(np.tril(s))),
    ("the future only", lambda s: _causal(s, keep=np.triu)),
    ("itself left out", lambda s: _causal(s, shift=-1)),
    ("one ahead", lambda s: _causal(s, shift=1)),
    ("columns", lambda s: _causal(s, axis=0)),
    ("no softmax", lambda s: np.tril(s)),
    ("infinite scores", lambda s: np.where(np.tril(np.ones_like(s)) > 0, s, -np.inf)),
    ("mask only", lambda s: np.tril(np.ones_like(s))),
    ("plain means", lambda s: _causal(0 * s)),
    ("small number", lambda s: _causal(s, fill=-1.0)),
    ("root of T", lambda s: _causal(s / len(s) ** 0.5)),
    (
        "not divided by the sum",
        lambda s: np.tril(np.exp(s)),
    ),
)

# ---- vectors of wav2vec2 -------------------------------------------------------------------------

WAV2VEC2 = [10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2]


def vectors_probes() -> list[Probe]:
    """Return one layer, two, and those of wav2vec2 on sounds of several lengths."""
    cases = [(20, [10], [5]), (23, [10, 3], [5, 2]), (100, [4, 4, 2], [3, 1, 2])]
    cases += [(n, *WAV2VEC2) for n in (16000, 400, 5431)]
    names = {7: "the layers of wav2vec2"}
    return [
        Probe((n, k, s), f"n = {n}, " + names.get(len(k), f"kernels = {k} and strides = {s}"))
        for n, k, s in cases
    ]


def _vectors(n, kernels, strides, *, out=lambda n, k, s: (n - k) // s + 1):
    for k, s in zip(kernels, strides, strict=True):
        n = out(n, k, s)
    return n


def _slip_of_layers(out):
    return lambda n, kernels, strides: _vectors(n, kernels, strides, out=out)


VECTORS_SLIPS = (
    ("width forgotten", _slip_of_layers(lambda n, k, s: n // s)),
    ("one forgotten", _slip_of_layers(lambda n, k, s: (n - k) // s)),
    ("rounded up", _slip_of_layers(lambda n, k, s: -(-(n - k) // s) + 1)),
    ("rounded up", _slip_of_layers(lambda n, k, s: -(-n // s))),
    ("not rounded", _slip_of_layers(lambda n, k, s: (n - k) / s + 1)),
    ("one first", _slip_of_layers(lambda n, k, s: (n - k + 1) // s)),
    ("one layer", lambda n, k, s: (n - k[0]) // s[0] + 1),
    ("last layer", lambda n, k, s: (n - k[-1]) // s[-1] + 1),
    ("backwards", lambda n, k, s: _vectors(n, k[::-1], s[::-1])),
    ("exchanged", _slip_of_layers(lambda n, k, s: (n - s) // k + 1)),
    ("padded", _slip_of_layers(lambda n, k, s: (n + 2 * (k // 2) - k) // s + 1)),
    ("stride forgotten", _slip_of_layers(lambda n, k, s: n - k + 1)),
)

# ---- greedy decoding -----------------------------------------------------------------------------


def _speller(text, size, end):
    """Return a decoder that writes a text, and that answers by all tokens so far."""

    def step(tokens):
        scores = np.cos(np.arange(size) + sum(tokens))
        n = len(tokens) - 1
        scores[text[n] if n < len(text) else end] = 5.0 + n
        return scores

    return step


def _walker(size, start):
    """Return a decoder whose next token depends on the last two tokens."""
    table = np.random.default_rng(120).normal(0, 1, (size, size, size))

    def step(tokens):
        return table[tokens[-2] if len(tokens) > 1 else start, tokens[-1]]

    return step


def greedy_probes() -> list[Probe]:
    """Return decoders that end soon, at once, too late, and one that depends on two tokens."""
    loop = [7, 7, 2] * 5
    return [
        Probe((_speller([4, 7, 1], 12, 11), 10, 11, 8), "a decoder that writes 4 7 1 and ends"),
        Probe((_speller([2], 12, 11), 10, 11, 8), "a decoder that writes 2 and ends"),
        Probe((_speller(loop, 12, 11), 10, 11, 6), "a decoder that goes on and on, and most = 6"),
        Probe((_walker(6, 5), 5, 4, 9), "a decoder that goes by the last two tokens, and most = 9"),
        Probe(
            (_speller([3, 1], 5, 0), 4, 0, 2), "a decoder that has written 2 tokens, and most = 2"
        ),
    ]


def _greedy(
    step, start, end, most, *, pick=np.argmax, feed=lambda t: t, until=lambda t, m: len(t) <= m
):
    tokens = [start]
    while until(tokens, most):
        best = int(pick(step(feed(tokens))))
        if best == end:
            break
        tokens.append(best)
    return np.array(tokens[1:])


def _with_end(step, start, end, most):
    tokens = [start]
    while len(tokens) <= most:
        tokens.append(int(np.argmax(step(tokens))))
        if tokens[-1] == end:
            break
    return np.array(tokens[1:])


def _never_ends(step, start, end, most):
    return _greedy(step, start, None, most)


def _best_scores(step, start, end, most):
    tokens = _greedy(step, start, end, most)
    return np.array([np.max(step([start, *tokens[:n]])) for n in range(len(tokens))])


GREEDY_SLIPS = (
    ("end written", _with_end),
    ("start written", lambda s, a, e, m: np.append(a, _greedy(s, a, e, m))),
    ("one too few", lambda s, a, e, m: _greedy(s, a, e, m - 1)),
    ("one too many", lambda s, a, e, m: _greedy(s, a, e, m + 1)),
    ("smallest", lambda s, a, e, m: _greedy(s, a, e, m, pick=np.argmin)),
    ("last token only", lambda s, a, e, m: _greedy(s, a, e, m, feed=lambda t: t[-1:])),
    ("start only", lambda s, a, e, m: _greedy(s, a, e, m, feed=lambda t: t[:1])),
    ("never ends", _never_ends),
    ("first only", lambda s, a, e, m: _greedy(s, a, e, 1)),
    ("backwards", lambda s, a, e, m: _greedy(s, a, e, m)[::-1]),
    ("scores", _best_scores),
    ("last written", lambda s, a, e, m: _greedy(s, a, e, m)[-1]),
    ("a count", lambda s, a, e, m: len(_greedy(s, a, e, m))),
)

# ---- reading an alignment ------------------------------------------------------------------------


def moments_probes() -> list[Probe]:
    """Return two spots that can be done in the head, then random weights of some heads."""
    looks = np.zeros((2, 2, 4))
    looks[0, 0, 1] = looks[1, 0, 3] = looks[0, 1, 2] = 1.0
    looks[1, 1, 2:] = 0.5
    probes = [Probe((looks, 0.1), "2 heads, 2 tokens, 4 vectors and hop = 0.1")]
    for seed, (h, n, t, hop) in enumerate(((4, 3, 9, 0.04), (1, 5, 20, 0.02), (3, 2, 6, 0.5))):
        looks = np.random.default_rng(460 + seed).exponential(1, (h, n, t)) ** 3
        looks /= looks.sum(-1, keepdims=True)
        say = f"{h} heads, {n} tokens, {t} vectors and hop = {hop:g}"
        probes.append(Probe((looks, hop), say))
    return probes


def _moments(looks, hop, *, heads=lambda x: x.mean(0), first=0.0):
    return heads(looks) @ ((np.arange(looks.shape[-1]) + first) * hop)


MOMENTS_SLIPS = (
    ("the largest", lambda a, hop: a.mean(0).argmax(-1) * hop),
    ("in vectors", lambda a, hop: _moments(a, 1.0)),
    ("divided by the hop", lambda a, hop: _moments(a, 1 / hop)),
    ("heads summed", lambda a, hop: _moments(a, hop, heads=lambda x: x.sum(0))),
    ("first head", lambda a, hop: _moments(a, hop, heads=lambda x: x[0])),
    ("last head", lambda a, hop: _moments(a, hop, heads=lambda x: x[-1])),
    ("sharpest head", lambda a, hop: _moments(a, hop, heads=lambda x: x.max(0))),
    ("from one", lambda a, hop: _moments(a, hop, first=1.0)),
    ("from the middle", lambda a, hop: _moments(a, hop, first=0.5)),
    ("each head", lambda a, hop: a @ (np.arange(a.shape[-1]) * hop)),
    ("tokens for vectors", lambda a, hop: np.arange(a.shape[1]) * hop @ a.mean(0)),
    ("no weights", lambda a, hop: np.full(a.shape[1], np.mean(np.arange(a.shape[-1]) * hop))),
    ("divided by the vectors", lambda a, hop: _moments(a, hop) / a.shape[-1]),
    ("the median", lambda a, hop: (a.mean(0).cumsum(-1) < 0.5).sum(-1) * hop),
)


# ---- what is shown -------------------------------------------------------------------------------


def attend_view():
    """Return one query over five keys of growing size: from a mean to a choice."""
    K = np.array([[-1.0], [-0.5], [0.0], [0.5], [1.0]])
    V = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    sizes = np.linspace(-6, 6, 49)
    return sizes, [(sizes[:, None], K, V)]


def place_view():
    """Return the code of one position, number by number."""
    return np.arange(48), [(np.array([7.0]), 48)]


def vectors_view():
    """Return sounds of growing length through the layers of wav2vec2."""
    n = np.arange(400, 3001, 50)
    return n, [(int(k), *WAV2VEC2) for k in n]


def moments_view():
    """Return a spot of weight that moves to the right, token by token."""
    k = np.arange(40)
    looks = np.exp(-((k - (3 + 4 * np.arange(9))[:, None]) ** 2) / 8)
    return np.arange(9), [((looks / looks.sum(-1, keepdims=True))[None], 0.04)]


CHECKS = {
    "42.attend": Learned(
        attend_probes,
        _attend,
        _on_arrays(ATTEND_SLIPS),
        atol=1e-6,
        shows=Curve(attend_view, "query", "answer"),
    ),
    "42.place": Check(
        place_probes,
        _place,
        PLACE_SLIPS,
        atol=1e-6,
        shows=Curve(place_view, "place in the code of position 7", "number"),
    ),
    "42.causal": Learned(causal_probes, _causal, _on_arrays(CAUSAL_SLIPS), atol=1e-6),
    "42.vectors": Check(
        vectors_probes,
        _vectors,
        VECTORS_SLIPS,
        atol=1e-9,
        shows=Curve(vectors_view, "samples", "number of vectors"),
    ),
    "42.greedy": Check(greedy_probes, _greedy, GREEDY_SLIPS, atol=1e-9),
    "42.moments": Check(
        moments_probes,
        _moments,
        MOMENTS_SLIPS,
        atol=1e-9,
        shows=Curve(moments_view, "token", "time [s]"),
    ),
}
