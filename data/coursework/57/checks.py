"""What the checks of unit 57 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- hpss ----------------------------------------------------------------------------------------


def _picture(seed: int, rows: int, cols: int, tone=None, click=None) -> np.ndarray:
    """Return magnitudes with a horizontal and an upright line, on a floor by lot."""
    S = 0.2 * np.random.default_rng(seed).random((rows, cols))
    if tone is not None:
        S[tone] += 1.0
    if click is not None:
        S[:, click] += 1.0
    return S


def hpss_probes() -> list[Probe]:
    """Return pictures of a tone and a click, of unlike sides and medians, and silence."""
    calls = (
        ((_picture(1, 9, 12, 4, 6), 5, 5), "a tone in bin 4 and a click in frame 6"),
        ((_picture(2, 12, 9, 3, None), 3, 7), "a tone, and medians of 3 frames and 7 bins"),
        ((_picture(3, 11, 15, None, 7), 7, 3), "a click, and medians of 7 frames and 3 bins"),
        ((np.zeros((6, 8)), 3, 3), "silence"),
        ((_picture(4, 20, 30, 9, 11), 9, 5), "20 bins and 30 frames"),
        ((3 * _picture(5, 16, 16, 0, 15), 5, 7), "a tone in bin 0 and a click in the last frame"),
    )
    return [Probe(args, say) for args, say in calls]


def _medians(S, n, axis, mode="symmetric", of=np.median):
    sides = [(0, 0), (0, 0)]
    sides[axis] = (n // 2, n // 2)
    padded = np.pad(np.asarray(S, dtype=float), sides, mode=mode)
    return of(np.lib.stride_tricks.sliding_window_view(padded, n, axis=axis), axis=-1)


def _soft(H, P, power=2):
    total = H**power + P**power
    return np.divide(H**power, total, out=np.zeros(np.shape(H)), where=total > 0)


def _both(S, frames, bins, **how):
    return _medians(S, frames, 1, **how), _medians(S, bins, 0, **how)


def _hpss(S, frames, bins):
    return _soft(*_both(S, frames, bins))


def _plain_ratio(S, frames, bins):
    H, P = _both(S, frames, bins)
    return np.divide(H, P, out=np.zeros(S.shape), where=P > 0)


def _of_mixture(S, frames, bins):
    H = _medians(S, frames, 1)
    return np.divide(H**2, S**2, out=np.zeros(S.shape), where=S > 0)


def _one_by_one(S, frames, bins):
    H = _medians(S, frames, 1)
    return _soft(H, _medians(H, bins, 0))


def _one_window(S, frames, bins):
    square = _medians(_medians(S, frames, 1), bins, 0)
    return _soft(square, square)


def _halved(S, frames, bins):
    """Reach to one side only."""
    H, P = _both(S, frames, bins)
    return _soft(np.roll(H, frames // 2, axis=1), np.roll(P, bins // 2, axis=0))


HPSS_SLIPS = (
    ("axes exchanged", lambda S, f, b: _soft(_medians(S, f, 0), _medians(S, b, 1))),
    ("lengths exchanged", lambda S, f, b: _hpss(S, b, f)),
    ("of the clicks", lambda S, f, b: _soft(*_both(S, f, b)[::-1])),
    ("power 1", lambda S, f, b: _soft(*_both(S, f, b), power=1)),
    ("power 4", lambda S, f, b: _soft(*_both(S, f, b), power=4)),
    ("binary", lambda S, f, b: (_both(S, f, b)[0] > _both(S, f, b)[1]).astype(float)),
    ("above one", _plain_ratio),
    ("of the mixture", _of_mixture),
    ("means", lambda S, f, b: _soft(*_both(S, f, b, of=np.mean))),
    ("largest", lambda S, f, b: _soft(*_both(S, f, b, of=np.max))),
    ("zeros outside", lambda S, f, b: _soft(*_both(S, f, b, mode="constant"))),
    ("edge repeated", lambda S, f, b: _soft(*_both(S, f, b, mode="edge"))),
    ("edge not doubled", lambda S, f, b: _soft(*_both(S, f, b, mode="reflect"))),
    ("already masked", lambda S, f, b: S * _hpss(S, f, b)),
    ("a median", lambda S, f, b: _medians(S, f, 1)),
    ("one after the other", _one_by_one),
    ("one window for both", _one_window),
    ("one side", _halved),
)


# ---- masks ---------------------------------------------------------------------------------------


def masks_probes() -> list[Probe]:
    """Return parts that overlap, up to five of them, and bins in which nothing sounds."""
    rng = np.random.default_rng(57)
    two = np.array([[[3.0, 1.0, 0.0]], [[4.0, 1.0, 0.0]]])
    four = rng.random((4, 5, 6))
    four[:, 2, 3] = 0
    four[1:, 0, 0] = 0
    calls = (
        (two, "two parts: 3 beside 4, 1 beside 1, 0 beside 0"),
        (rng.random((2, 4, 5)), "two parts by lot"),
        (rng.random((3, 6, 4)), "three parts by lot"),
        (four, "four parts, and a bin in which all are silent"),
        (5 * rng.random((5, 3, 3)), "five parts by lot"),
        (np.zeros((3, 2, 4)), "three parts that are silent"),
        (np.zeros((2, 3, 3)), "two parts that are silent"),
    )
    return [Probe((parts,), say) for parts, say in calls]


def _shares(parts, power=2, empty=None, axis=0):
    parts = np.asarray(parts, dtype=float) ** power
    total = parts.sum(axis=axis, keepdims=True)
    rest = np.full(parts.shape, 1 / len(parts) if empty is None else empty)
    return np.divide(parts, total, out=rest, where=total > 0)


def _loudest(parts):
    return (np.arange(len(parts))[:, None, None] == parts.argmax(axis=0)).astype(float)


def _by_largest(parts):
    top = np.max(parts**2, axis=0, keepdims=True)
    rest = np.full(parts.shape, 1 / len(parts))
    return np.divide(parts**2, np.broadcast_to(top, parts.shape), out=rest, where=top > 0)


def _root_of_sum(parts):
    """Amplitude beside the root of the power of all: the squares add up to one."""
    return np.sqrt(_shares(parts))


def _of_others(parts):
    return 1 - _shares(parts)


def _sum_squared(parts):
    """Squares beside the square of the sum."""
    total = np.sum(parts, axis=0, keepdims=True) ** 2
    rest = np.full(parts.shape, 1 / len(parts))
    return np.divide(parts**2, np.broadcast_to(total, parts.shape), out=rest, where=total > 0)


def _softmax(parts):
    weights = np.exp(parts)
    return weights / weights.sum(axis=0)


MASKS_SLIPS = (
    ("magnitudes", lambda p: _shares(p, power=1)),
    ("fourth power", lambda p: _shares(p, power=4)),
    ("loudest takes all", _loudest),
    ("sum over frames", lambda p: _shares(p, axis=2)),
    ("sum over bins", lambda p: _shares(p, axis=1)),
    ("all in one", lambda p: _shares(p, axis=None)),
    ("largest is one", _by_largest),
    ("root", _root_of_sum),
    ("the others", _of_others),
    ("sum first", _sum_squared),
    ("silence nobody's", lambda p: _shares(p, empty=0.0)),
    ("silence everybody's", lambda p: _shares(p, empty=1.0)),
    ("half", lambda p: _shares(p, empty=0.5)),
    ("softmax", _softmax),
    ("masked", lambda p: p * _shares(p)),
    ("first alone", lambda p: _shares(p)[0]),
    ("one by one", lambda p: _shares(p, axis=(1, 2))),
)


# ---- nmf -----------------------------------------------------------------------------------------


def nmf_probes() -> list[Probe]:
    """Return pictures of two to seven sides and starts by lot, one of them far too large."""
    rng = np.random.default_rng(571)
    probes = []
    for rows, cols, rank, scale in ((4, 5, 2, 1), (6, 8, 3, 1), (5, 4, 1, 1), (9, 7, 4, 20)):
        V = rng.random((rows, rank)) @ rng.random((rank, cols)) + 0.1 * rng.random((rows, cols))
        W, H = scale * rng.random((rows, rank)) + 0.1, rng.random((rank, cols)) + 0.1
        say = f"{rows} bins, {cols} frames, {rank} component{'s' * (rank > 1)}"
        probes.append(Probe((V, W, H), say))
    V = np.array([[2.0, 0.0, 2.0], [0.0, 3.0, 3.0]])
    probes.insert(0, Probe((V, np.ones((2, 1)), np.ones((1, 3))), "two bins, three frames, rank 1"))
    return probes


def _new_H(V, W, H):
    return H * (W.T @ V) / (W.T @ W @ H)


def _new_W(V, W, H):
    return W * (V @ H.T) / (W @ H @ H.T)


def _step(V, W, H):
    H = _new_H(V, W, H)
    return _new_W(V, W, H) @ H


def _w_first(V, W, H):
    W = _new_W(V, W, H)
    return W @ _new_H(V, W, H)


def _no_product(V, W, H):
    """Leave W @ H out of the denominators."""
    H = H * (W.T @ V) / np.sum(W.T @ W, axis=1)[:, None]
    return (W * (V @ H.T) / np.sum(H @ H.T, axis=1)) @ H


def _upside_down(V, W, H):
    H = H * (W.T @ W @ H) / (W.T @ V)
    return (W * (W @ H @ H.T) / (V @ H.T)) @ H


def _not_times(V, W, H):
    H = (W.T @ V) / (W.T @ W @ H)
    return ((V @ H.T) / (W @ H @ H.T)) @ H


def _down_the_slope(V, W, H, rate=0.01):
    """Take a plain step against the gradient."""
    H = H + rate * W.T @ (V - W @ H)
    return (W + rate * (V - W @ H) @ H.T) @ H


def _divergence(V, W, H):
    H = H * (W.T @ (V / (W @ H))) / W.sum(axis=0)[:, None]
    return (W * ((V / (W @ H)) @ H.T) / H.sum(axis=1)) @ H


def _twice(V, W, H):
    for _ in range(2):
        H = _new_H(V, W, H)
        W = _new_W(V, W, H)
    return W @ H


def _added(V, W, H):
    H = H + (W.T @ V) / (W.T @ W @ H)
    return (W + (V @ H.T) / (W @ H @ H.T)) @ H


def _least_squares(V, W, H):
    H = np.linalg.lstsq(W, V, rcond=None)[0]
    return np.linalg.lstsq(H.T, V.T, rcond=None)[0].T @ H


NMF_SLIPS = (
    ("old H for W", lambda V, W, H: _new_W(V, W, H) @ _new_H(V, W, H)),
    ("W first", _w_first),
    ("H alone", lambda V, W, H: W @ _new_H(V, W, H)),
    ("W alone", lambda V, W, H: _new_W(V, W, H) @ H),
    ("nothing done", lambda V, W, H: W @ H),
    ("product missing", _no_product),
    ("upside down", _upside_down),
    ("not multiplied", _not_times),
    ("added", _added),
    ("slope", _down_the_slope),
    ("another cost", _divergence),
    ("two steps", _twice),
    ("least squares", _least_squares),
    ("what is left", lambda V, W, H: V - _step(V, W, H)),
    ("the error", lambda V, W, H: np.linalg.norm(V - _step(V, W, H))),
    ("factor", lambda V, W, H: _new_W(V, W, _new_H(V, W, H))),
    ("activations", _new_H),
)


# ---- init ----------------------------------------------------------------------------------------


def init_probes() -> list[Probe]:
    """Return bins as wide as a semitone of C3 or as three, high notes, and a full keyboard."""
    calls = (
        ((69,), 1024, 8000, "A4 alone, bins of 7.8 Hz"),
        ((48,), 2048, 22050, "C3 alone, bins of 10.8 Hz"),
        ((48, 55, 64), 4096, 22050, "C3, G3 and E4, bins of 5.4 Hz"),
        ((36, 40), 1024, 22050, "C2 and E2, bins of 21.5 Hz"),
        ((96,), 512, 8000, "C7, whose second partial lies above all bins"),
        (tuple(range(48, 73, 4)), 2048, 16000, "seven notes, bins of 7.8 Hz"),
    )
    probes = [Probe((p, np.arange(n // 2 + 1) * sr / n), say) for p, n, sr, say in calls]
    last = Probe(((69, 45), 3.95 * np.arange(113)), "A4 and A2, in bins that end at 442.4 Hz")
    return [*probes, last]


def _harmonic(
    pitches, freqs, semitones=0.5, fall=1.0, nearest=True, first=1, most=10**6, a4=69, linear=False
):
    """Return templates; what is left out or set otherwise is a slip."""
    W = np.zeros((len(freqs), len(pitches)))
    for j, pitch in enumerate(pitches):
        f0 = 440 * 2 ** ((pitch - a4) / 12)
        for k in range(first, min(most, int(freqs[-1] / f0)) + 1):
            centre = k * f0
            side = f0 if linear else centre
            low, high = (centre + way * side * (2 ** (semitones / 12) - 1) for way in (-1, 1))
            if not linear:
                low, high = centre * 2 ** (-semitones / 12), centre * 2 ** (semitones / 12)
            rows = np.flatnonzero((freqs >= low) & (freqs <= high))
            if nearest:
                rows = np.union1d(rows, np.abs(freqs - centre).argmin())
            W[rows, j] = np.maximum(W[rows, j], k ** -float(fall))
    return W


def _met(join):
    """Return templates by what becomes of a bin that two partials reach: `join(old, new)`."""

    def templates(pitches, freqs):
        W = np.zeros((len(freqs), len(pitches)))
        for j, pitch in enumerate(pitches):
            f0 = 440 * 2 ** ((pitch - 69) / 12)
            for k in range(1, int(freqs[-1] / f0) + 1):
                low, high = k * f0 * 2 ** (-0.5 / 12), k * f0 * 2 ** (0.5 / 12)
                rows = np.flatnonzero((freqs >= low) & (freqs <= high))
                rows = np.union1d(rows, np.abs(freqs - k * f0).argmin())
                W[rows, j] = join(W[rows, j], 1 / k)
        return W

    return templates


_summed = _met(lambda old, new: old + new)
_last_wins = _met(lambda old, new: new)


def _in_octaves(pitches, freqs):
    """Place partials an octave apart."""
    W = np.zeros((len(freqs), len(pitches)))
    for j, pitch in enumerate(pitches):
        f0 = 440 * 2 ** ((pitch - 69) / 12)
        for k in range(1, int(np.log2(freqs[-1] / f0)) + 2):
            centre = f0 * 2 ** (k - 1)
            rows = np.abs(np.log2(np.maximum(freqs, 1e-9) / centre)) <= 0.5 / 12
            rows[np.abs(freqs - centre).argmin()] = True
            W[rows, j] = np.maximum(W[rows, j], 1 / k)
    return W


INIT_SLIPS = (
    ("empty columns", lambda p, f: _harmonic(p, f, nearest=False)),
    ("one bin each", lambda p, f: _harmonic(p, f, semitones=0.0)),
    ("a whole semitone", lambda p, f: _harmonic(p, f, semitones=1.0)),
    ("a quarter", lambda p, f: _harmonic(p, f, semitones=0.25)),
    ("width in Hz", lambda p, f: _harmonic(p, f, linear=True)),
    ("fundamental alone", lambda p, f: _harmonic(p, f, most=1)),
    ("no fundamental", lambda p, f: _harmonic(p, f, first=2)),
    ("ten partials", lambda p, f: _harmonic(p, f, most=10)),
    ("five partials", lambda p, f: _harmonic(p, f, most=5)),
    ("all alike", lambda p, f: _harmonic(p, f, fall=0.0)),
    ("falls too fast", lambda p, f: _harmonic(p, f, fall=2.0)),
    ("falls too slowly", lambda p, f: _harmonic(p, f, fall=0.5)),
    ("overlaps added", _summed),
    ("overlaps overwritten", _last_wins),
    ("octaves", _in_octaves),
    ("MIDI 60", lambda p, f: _harmonic(p, f, a4=60)),
    ("turned", lambda p, f: _harmonic(p, f).T),
    ("sums to one", lambda p, f: _harmonic(p, f) / _harmonic(p, f).sum(axis=0)),
)


# ---- sdr -----------------------------------------------------------------------------------------


def sdr_probes() -> list[Probe]:
    """Return signals and estimates: too soft, with noise, of two channels, with an offset."""
    rng = np.random.default_rng(57)
    t = np.arange(200) / 200
    tone = np.sin(2 * np.pi * 5 * t)
    noisy = tone + 0.1 * rng.standard_normal(200)
    stereo = np.stack([tone, 0.1 * np.cos(9 * t)])
    calls = (
        (np.array([3.0, 4.0, 0.0]), np.array([3.0, 4.0, 0.5]), "[3, 4, 0] and [3, 4, 0.5]"),
        (tone, noisy, "a tone with noise"),
        (tone, 0.5 * noisy, "the same at half the size"),
        (stereo, stereo + 0.05 * rng.standard_normal((2, 200)), "two channels, one of them soft"),
        (3 * stereo[::-1], 2 * stereo[::-1], "two channels at two thirds of their size"),
        (
            np.stack([tone, noisy]),
            np.stack([noisy, noisy + 0.3]),
            "two channels, one with an offset",
        ),
        (noisy, noisy + 0.3, "an offset of 0.3"),
        (1e-4 * tone, 1e-4 * noisy, "a very soft one"),
        (tone + 0.2, noisy + 0.2, "a tone on an offset"),
    )
    return [Probe((truth, estimate), say) for truth, estimate, say in calls]


def _db(ratio, times=10.0):
    with np.errstate(all="ignore"):
        return times * np.log10(ratio)


def _sdr(t, e):
    return _db(np.sum(t**2) / np.sum((t - e) ** 2))


def _scaled(t, e):
    a = np.sum(t * e) / np.sum(t * t)
    return _db(np.sum((a * t) ** 2) / np.sum((e - a * t) ** 2))


def _without_mean(t, e):
    e = e - e.mean(axis=-1, keepdims=True)
    return _sdr(t - t.mean(axis=-1, keepdims=True), e)


def _by_sample(t, e):
    with np.errstate(all="ignore"):
        return np.mean(t**2 / np.maximum((t - e) ** 2, 1e-12))


SDR_SLIPS = (
    ("scale free", _scaled),
    ("energy of the estimate", lambda t, e: _db(np.sum(e**2) / np.sum((t - e) ** 2))),
    ("upside down", lambda t, e: -_sdr(t, e)),
    ("twenty", lambda t, e: 2 * _sdr(t, e)),
    ("amplitudes", lambda t, e: _db(np.sum(np.abs(t)) / np.sum(np.abs(t - e)))),
    ("amplitudes", lambda t, e: _db(np.sum(np.abs(t)) / np.sum(np.abs(t - e)), 20)),
    ("root", lambda t, e: 0.5 * _sdr(t, e)),
    ("no decibels", lambda t, e: np.sum(t**2) / np.sum((t - e) ** 2)),
    ("natural logarithm", lambda t, e: _sdr(t, e) * np.log(10)),
    ("bels", lambda t, e: 0.1 * _sdr(t, e)),
    ("sample by sample", lambda t, e: _db(_by_sample(t, e))),
    ("sample by sample", lambda t, e: np.mean(_db(t**2 / np.maximum((t - e) ** 2, 1e-12)))),
    ("channel by channel", lambda t, e: np.mean(_per_channel(t, e))),
    ("one for each channel", lambda t, e: _per_channel(t, e)),
    ("mean taken off", _without_mean),
    ("difference of energies", lambda t, e: _db(np.sum(t**2) / np.abs(np.sum(t**2 - e**2)))),
    ("largest", lambda t, e: _db(np.max(np.abs(t)) / np.max(np.abs(t - e)), 20)),
    ("ratio of levels", lambda t, e: _db(np.sum(t**2) / np.sum(e**2))),
    ("error alone", lambda t, e: _db(np.mean((t - e) ** 2))),
)


def _per_channel(t, e):
    return _db(np.sum(t**2, axis=-1) / np.sum((t - e) ** 2, axis=-1))


# ---- sheet ---------------------------------------------------------------------------------------


def sheet_probes() -> list[Probe]:
    """Return bars of one chord, bars that a stretch crosses, many short ones, and chords by lot."""
    rng = np.random.default_rng(575)
    even = np.arange(0, 8.5, 0.5)
    lasting = np.repeat([0, 21, 5, 7], 4)
    crossing = np.array([0.0, 1.25, 1.5, 4.5, 5.0, 6.0]), np.array([0, 7, 5, 0, 9])
    often = np.array([0.0, 0.25, 1.0, 1.25, 2.25, 2.5, 4.0]), np.array([4, 9, 4, 2, 4, 11])
    shared = np.array([0.0, 0.5, 1.25, 1.75, 2.0, 2.5, 3.25, 3.75, 4.0])
    shared = shared, np.array([7, 16, 7, 2, 9, 4, 9, 2])
    ties = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([9, 5, 0, 17])
    cuts = np.concatenate([[0.0], np.cumsum(rng.uniform(0.1, 0.9, 30))])
    bars = np.concatenate([[0.0], np.sort(rng.uniform(0.5, cuts[-1] - 0.5, 7)), cuts[-1:]])
    calls = (
        ((even, lasting, np.arange(0, 10, 2.0)), "four chords, one a bar"),
        ((*crossing, np.array([0.0, 2.0, 4.0, 6.0])), "a chord of 3 s that lies in three bars"),
        ((*often, np.array([0.0, 2.0, 4.0])), "a chord that comes often and holds briefly"),
        ((*shared, np.array([0.0, 2.0, 4.0])), "chords whose stretches lie apart in a bar"),
        ((*ties, np.array([0.0, 2.0, 4.0])), "two chords that hold equally long"),
        ((cuts, rng.integers(0, 24, 30), bars), "30 chords by lot in eight bars"),
    )
    return [Probe(args, say) for args, say in calls]


def _inside(times, bars):
    """Return how long each stretch lies in each bar, shape (bars, stretches)."""
    ends = np.minimum.outer(bars[1:], times[1:])
    return np.maximum(0, ends - np.maximum.outer(bars[:-1], times[:-1]))


def _votes(weights, chords):
    table = np.zeros((len(weights), 24))
    for k, chord in enumerate(chords):
        table[:, chord] += weights[:, k]
    return table


def _sheet(times, chords, bars):
    return _votes(_inside(times, bars), chords).argmax(axis=1)


def _counted(times, chords, bars):
    return _votes(_inside(times, bars) > 0, chords).argmax(axis=1)


def _begun(times, chords, bars, weigh=False):
    here = (times[:-1] >= bars[:-1, None]) & (times[:-1] < bars[1:, None])
    weights = here * _inside(times, bars) if weigh else here
    return _votes(weights, chords).argmax(axis=1)


def _longest(times, chords, bars):
    return np.asarray(chords)[_inside(times, bars).argmax(axis=1)]


def _uncut(times, chords, bars):
    whole = np.diff(times) * (_inside(times, bars) > 0)
    return _votes(whole, chords).argmax(axis=1)


def _at(times, chords, moments):
    k = np.searchsorted(times, moments, side="right") - 1
    return np.asarray(chords)[np.clip(k, 0, len(chords) - 1)]


def _shortest(times, chords, bars):
    table = _votes(_inside(times, bars), chords)
    return np.where(table > 0, table, np.inf).argmin(axis=1)


def _higher(times, chords, bars):
    return 23 - _votes(_inside(times, bars), chords)[:, ::-1].argmax(axis=1)


def _added_up(times, chords, bars):
    return np.cumsum(_votes(_inside(times, bars), chords), axis=0).argmax(axis=1)


def _of_all(times, chords, bars):
    whole = _votes(np.diff(times)[None], chords).argmax()
    return np.full(len(bars) - 1, whole)


def _mean(times, chords, bars):
    inside = _inside(times, bars)
    return np.round(inside @ np.asarray(chords) / inside.sum(axis=1)).astype(int)


SHEET_SLIPS = (
    ("counted", _counted),
    ("begun", _begun),
    ("begun before", lambda t, c, b: _begun(t, c, b, weigh=True)),
    ("longest stretch", _longest),
    ("not cut", _uncut),
    ("at the bar line", lambda t, c, b: _at(t, c, b[:-1])),
    ("at the end", lambda t, c, b: _at(t, c, b[1:] - 1e-9)),
    ("in the middle", lambda t, c, b: _at(t, c, (b[1:] + b[:-1]) / 2)),
    ("shortest", _shortest),
    ("higher number", _higher),
    ("added up", _added_up),
    ("whole piece", _of_all),
    ("mean of numbers", _mean),
    ("table", lambda t, c, b: _votes(_inside(t, b), c)),
    ("seconds", lambda t, c, b: _votes(_inside(t, b), c).max(axis=1)),
    ("last bar missing", lambda t, c, b: _sheet(t, c, b[:-1])),
)


def sheet_view():
    """Return 24 chords of 0.3 to 1 s in ten bars."""
    rng = np.random.default_rng(6)
    times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.3, 1.0, 24))])
    return np.arange(1, 11), [(times, rng.integers(0, 24, 24), np.linspace(0, times[-1], 11))]


# ---- what is shown -------------------------------------------------------------------------------


def hpss_view():
    """Return a tone that is crossed by a click, row after row."""
    return np.arange(25 * 15), [(_picture(7, 15, 25, 7, 12), 9, 9)]


def masks_view():
    """Return a part that grows beside one that stays."""
    sizes = np.linspace(0, 4, 41)
    parts = np.stack([sizes, np.ones(41)])[:, None]
    return np.arange(82), [(parts,)]


def nmf_view():
    """Return two notes that overlap, after one step from a start by lot."""
    rng = np.random.default_rng(3)
    W = np.abs(np.sin(np.outer(np.arange(8), [0.5, 1.1])))
    H = np.array([[1, 1, 1, 0, 0, 0.0], [0, 0, 1, 1, 1, 0.0]])
    return np.arange(48), [(W @ H, rng.random((8, 2)), rng.random((2, 6)))]


def init_view():
    """Return the template of A3 up to 2 kHz."""
    freqs = np.arange(0, 2000, 1000 / 128)
    return freqs, [((57,), freqs)]


def sdr_view():
    """Return an estimate at one level after the other."""
    t = np.sin(np.arange(400) / 7.0)
    levels = np.arange(0.1, 2.0, 0.08)
    return levels, [(t, level * t + 0.05 * np.cos(np.arange(400))) for level in levels]


CHECKS = {
    "57.hpss": Check(
        hpss_probes,
        _hpss,
        HPSS_SLIPS,
        atol=1e-9,
        shows=Curve(hpss_view, "bins, row after row", "mask"),
    ),
    "57.masks": Check(
        masks_probes,
        _shares,
        MASKS_SLIPS,
        atol=1e-9,
        shows=Curve(masks_view, "bins of part 1, then of part 2", "mask"),
    ),
    "57.nmf": Check(
        nmf_probes,
        _step,
        NMF_SLIPS,
        atol=1e-9,
        shows=Curve(nmf_view, "bins, row after row", "product after one step"),
    ),
    "57.init": Check(
        init_probes,
        _harmonic,
        INIT_SLIPS,
        atol=1e-9,
        shows=Curve(init_view, "frequency [Hz]", "template of A3"),
    ),
    "57.sdr": Check(
        sdr_probes,
        _sdr,
        SDR_SLIPS,
        atol=1e-9,
        shows=Curve(sdr_view, "size of the estimate", "SDR [dB]"),
    ),
    "57.sheet": Check(
        sheet_probes,
        _sheet,
        SHEET_SLIPS,
        atol=1e-9,
        shows=Curve(sheet_view, "bar", "chord by its number"),
    ),
}
