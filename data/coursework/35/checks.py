"""What the checks of unit 35 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe


def encode_probes() -> list[Probe]:
    """Return sounds and filters: one that can be done in the head first, then drawn at random, of
    odd lengths.
    """
    first = (
        np.array([1.0, 2.0, 3.0, -4.0, -5.0, 6.0]),
        np.array([[1.0, 0.0], [0.5, -0.5], [0.0, 2.0]]),
        1,
    )
    probes = [
        Probe(first, "y = [1, 2, 3, -4, -5, 6], filters = [[1, 0], [0.5, -0.5], [0, 2]], hop = 1")
    ]
    for seed, n, shape, hop in ((1, 23, (5, 8), 4), (2, 40, (3, 6), 5), (3, 17, (4, 4), 3)):
        rng = np.random.default_rng(seed)
        words = f"{n} samples, {shape[0]} filters of {shape[1]} samples, hop = {hop}"
        probes.append(Probe((rng.normal(size=n), rng.normal(size=shape), hop), words, "hop"))
    return probes


def _frames(y, span, hop):
    return np.stack([y[n : n + span] for n in range(0, len(y) - span + 1, hop)])


def _encode(y, filters, hop):
    return _frames(y, filters.shape[1], hop) @ filters.T


ENCODE_SLIPS = (
    ("turned round", lambda y, filters, hop: _encode(y, filters[:, ::-1], hop)),
    ("at every sample", lambda y, filters, hop: _encode(y, filters, 1)),
    ("side by side", lambda y, filters, hop: _encode(y, filters, filters.shape[1])),
    ("lying down", lambda y, filters, hop: _encode(y, filters, hop).T),
    ("cut at zero", lambda y, filters, hop: np.maximum(_encode(y, filters, hop), 0)),
    ("magnitudes", lambda y, filters, hop: np.abs(_encode(y, filters, hop))),
)


def overlap_probes() -> list[Probe]:
    """Return pieces that overlap: of ones first, then drawn at random."""
    probes = [Probe((np.ones((3, 4)), 2), "three pieces of four ones, hop = 2")]
    for seed, shape, hop in ((4, (5, 8), 2), (5, (4, 6), 5), (6, (7, 3), 1)):
        pieces = np.random.default_rng(seed).normal(size=shape)
        probes.append(Probe((pieces, hop), f"{shape[0]} pieces of {shape[1]} samples, hop = {hop}"))
    return probes


def _overlap_add(pieces, hop, add=True):
    n, span = pieces.shape
    y = np.zeros((n - 1) * hop + span)
    for m, piece in enumerate(pieces):
        part = slice(m * hop, m * hop + span)
        y[part] = piece + y[part] * add
    return y


OVERLAP_SLIPS = (
    ("end to end", lambda pieces, hop: pieces.ravel()),
    ("written over", lambda pieces, hop: _overlap_add(pieces, hop, add=False)),
    (
        "averaged",
        lambda pieces, hop: _overlap_add(pieces, hop) / _overlap_add(np.ones(pieces.shape), hop),
    ),
    ("one sample apart", lambda pieces, hop: _overlap_add(pieces, 1)),
    ("the end cut off", lambda pieces, hop: _overlap_add(pieces, hop)[: len(pieces) * hop]),
)


def field_probes() -> list[Probe]:
    """Return stacks of layers: plain first, then with dilations, then with strides."""
    cases = (
        ("", (3,), (1,), (1,)),
        ("", (3, 5), (1, 1), (1, 1)),
        ("dilated", (3, 3, 3), (1, 2, 4), (1, 1, 1)),
        ("dilated", (2, 4), (8, 3), (1, 1)),
        ("strided", (16, 3, 3), (1, 1, 2), (8, 1, 1)),
        ("strided", (4, 4, 3), (1, 2, 1), (2, 4, 2)),
    )
    say = "kernels = {}, dilations = {}, strides = {}"
    return [
        Probe(tuple(map(np.array, case)), say.format(*map(list, case)), group)
        for group, *case in cases
    ]


def _field(kernels, dilations, strides, gap=1, own=False):
    apart = np.cumprod(strides) if own else np.cumprod([1, *strides[:-1]])
    return int(1 + np.sum((np.asarray(kernels) - gap) * dilations * apart))


FIELD_SLIPS = (
    ("taps for gaps", lambda k, d, s: _field(k, d, s, gap=0)),
    ("taps alone", lambda k, d, s: _field(k, d, s, gap=0) - 1),
    ("gaps alone", lambda k, d, s: _field(k, d, s) - 1),
    ("dilation forgotten", lambda k, d, s: _field(k, np.ones(len(k), int), s)),
    ("stride forgotten", lambda k, d, s: _field(k, d, np.ones(len(k), int))),
    ("own stride counted", lambda k, d, s: _field(k, d, s, own=True)),
    (
        "the stride before alone",
        lambda k, d, s: int(1 + np.sum((k - 1) * d * np.array([1, *s[:-1]]))),
    ),
)


def cost_probes() -> list[Probe]:
    """Return sizes of matrices: one first, then several, at other rates and hops."""
    cases = (
        (((256, 192),), 64, 16000),
        (((10, 20), (20, 5)), 100, 8000),
        (((3, 7), (7, 7), (7, 2)), 32, 48000),
    )
    say = "sizes = {}, hop = {}, sr = {}"
    return [
        Probe((np.array(s), hop, sr), say.format([list(p) for p in s], hop, sr))
        for s, hop, sr in cases
    ]


def _cost(sizes, hop, sr):
    return np.prod(sizes, axis=1).sum() * sr / hop


COST_SLIPS = (
    ("once a sample", lambda sizes, hop, sr: _cost(sizes, 1, sr)),
    ("one frame", lambda sizes, hop, sr: _cost(sizes, 1, 1)),
    ("hop for rate", lambda sizes, hop, sr: _cost(sizes, 1, hop)),
    ("sides added", lambda sizes, hop, sr: np.sum(sizes) * sr / hop),
    ("counted twice", lambda sizes, hop, sr: 2 * _cost(sizes, hop, sr)),
    (
        "biases counted",
        lambda sizes, hop, sr: _cost(sizes, hop, sr) + np.sum(sizes[:, 1]) * sr / hop,
    ),
)

CHECKS = {
    "35.encode": Check(encode_probes, _encode, ENCODE_SLIPS, atol=1e-9),
    "35.overlap": Check(overlap_probes, _overlap_add, OVERLAP_SLIPS, atol=1e-9),
    "35.field": Check(field_probes, _field, FIELD_SLIPS, atol=1e-9),
    "35.cost": Check(cost_probes, _cost, COST_SLIPS, atol=1e-3),
}
