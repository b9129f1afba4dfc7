"""What the checks of unit 56 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- contour -------------------------------------------------------------------------------------


def contour_probes() -> list[Probe]:
    """Return tunes with and without gaps; an odd number of voiced frames, so one is the median."""
    rng = np.random.default_rng(56)
    sung = 220 * 2 ** (np.repeat([0, 2, 4, 5, 2, -3, 0], 5) / 12)
    sung = sung * 2 ** (rng.normal(0, 0.15, 35) / 12)
    gaps = sung.copy()
    gaps[[0, 1, 9, 10, 11, 33]] = 0
    calls = (
        (np.array([220.0, 330.0, 440.0]), "220, 330 and 440 Hz"),
        (np.array([0.0, 110.0, 165.0, 0.0, 247.5]), "110, 165 and 247.5 Hz with gaps"),
        (sung, "35 frames around 220 Hz"),
        (gaps, "the same with six gaps"),
        (3 * sung[::-1], "the same backwards, three times as high"),
        (0.4 * gaps, "a low voice with gaps, around 88 Hz"),
    )
    return [Probe((f,), say) for f, say in calls]


def _voiced(f):
    return f[f > 0]


def _semitones(f):
    return 12 * np.log2(_voiced(f))


def _contour(f):
    p = _semitones(f)
    return p - np.median(p)


def _filled(f):
    return np.where(f > 0, 12 * np.log2(np.maximum(f, 1e-9) / np.median(_voiced(f))), 0.0)


def _gaps_counted(f):
    return _semitones(f) - 12 * np.log2(max(np.median(f), 1e-9))


def _gaps_low(f):
    p = np.where(f > 0, 12 * np.log2(np.maximum(f, 1e-9)), 0.0)
    return (p - np.median(p))[f > 0]


CONTOUR_SLIPS = (
    ("hertz", lambda f: _voiced(f) - np.median(_voiced(f))),
    ("ratio", lambda f: _voiced(f) / np.median(_voiced(f))),
    ("octaves", lambda f: _contour(f) / 12),
    ("cents", lambda f: 100 * _contour(f)),
    ("natural logarithm", lambda f: _contour(f) * np.log(2)),
    ("logarithm to base 10", lambda f: _contour(f) * np.log10(2)),
    ("mean", lambda f: _semitones(f) - np.mean(_semitones(f))),
    ("key left in", _semitones),
    ("MIDI numbers", lambda f: 69 + _semitones(f / 440)),
    ("key left in", lambda f: _semitones(f / 440)),
    ("first note", lambda f: _semitones(f) - _semitones(f)[0]),
    ("gaps are 0", _filled),
    ("gaps counted", _gaps_counted),
    ("gaps counted", _gaps_low),
    ("upside down", lambda f: -_contour(f)),
    ("rounded", lambda f: np.round(_contour(f))),
    ("steps", lambda f: np.diff(_semitones(f), prepend=_semitones(f)[:1])),
    ("steps", lambda f: np.diff(_semitones(f))),
    (
        "middle of the range",
        lambda f: _semitones(f) - (np.max(_semitones(f)) + np.min(_semitones(f))) / 2,
    ),
)


# ---- salience ------------------------------------------------------------------------------------


def salience_probes() -> list[Probe]:
    """Return one line, noise, and pitches whose partials pass the last bin."""
    rng = np.random.default_rng(57)
    line = np.zeros((200, 2))
    line[44, 0] = 1.0
    line[[40, 80, 120], 1] = 3.0, 2.0, 1.0
    noise = rng.exponential(1.0, (300, 4))
    short = rng.exponential(1.0, (60, 3))
    calls = (
        (line, np.array([45.0, 57.0, 69.0]), 10.0, 4, 0.6, "three pitches, one line at 440 Hz"),
        (noise, np.arange(50, 62, 0.4), 12.5, 5, 0.7, "noise, thirty pitches, five partials"),
        (noise, np.array([60.0, 63.5, 67.2]), 21.5, 6, 0.5, "noise, three pitches, six partials"),
        (short, np.array([52.0, 60.0, 71.3]), 20.0, 8, 0.8, "partials above the last bin"),
        (noise, np.array([48.3, 55.0]), 15.0, 1, 0.9, "one partial"),
    )
    return [Probe(call[:5], call[5]) for call in calls]


def _read(S, place, edge=0.0):
    return np.array([np.interp(place, np.arange(len(S)), frame, right=edge) for frame in S.T]).T


def _held(S, place):
    return np.array([np.interp(place, np.arange(len(S)), frame) for frame in S.T]).T


def _rounded(S, place, how=np.round):
    inside = place <= len(S) - 1
    rows = np.where(inside, how(place), 0).astype(int)
    return np.where(inside[:, None], S[rows], 0)


def _hz(pitches):
    return 440 * 2 ** ((np.asarray(pitches) - 69) / 12)


def _parts(S, pitches, bin_hz, numbers, read=_read):
    return [read(S, h * _hz(pitches) / bin_hz) for h in numbers]


def _salience(S, pitches, bin_hz, partials, weight):
    parts = _parts(S, pitches, bin_hz, range(1, partials + 1))
    return sum(weight**k * part for k, part in enumerate(parts))


def _with(numbers=None, weights=None, read=_read):
    """Return a salience with other partials, weights or reading."""

    def fn(S, pitches, bin_hz, partials, weight):
        ours = np.arange(1, partials + 1) if numbers is None else numbers(partials)
        parts = _parts(S, pitches, bin_hz, ours, read)
        sizes = weight ** np.arange(len(ours)) if weights is None else weights(weight, len(ours))
        total = np.zeros((len(pitches), S.shape[1]))
        for size, part in zip(sizes, parts, strict=True):
            total += size * part
        return total

    return fn


def _in_midi(S, pitches, bin_hz, partials, weight):
    parts = [_read(S, _hz(h * pitches) / bin_hz) for h in range(1, partials + 1)]
    return sum(weight**k * part for k, part in enumerate(parts))


def _from_c(S, pitches, bin_hz, partials, weight):
    return _salience(S, pitches + 9, bin_hz, partials, weight)


def _strongest(S, pitches, bin_hz, partials, weight):
    parts = _parts(S, pitches, bin_hz, range(1, partials + 1))
    return np.max([weight**k * part for k, part in enumerate(parts)], axis=0)


def _product(S, pitches, bin_hz, partials, weight):
    return np.prod(_parts(S, pitches, bin_hz, range(1, partials + 1)), axis=0)


def _weighted_mean(S, pitches, bin_hz, partials, weight):
    total = np.sum(weight ** np.arange(partials))
    return _salience(S, pitches, bin_hz, partials, weight) / total


SALIENCE_SLIPS = (
    ("partials in semitones", _in_midi),
    ("no weight", _with(weights=lambda w, n: np.ones(n))),
    ("weight once more", lambda S, p, b, n, w: w * _salience(S, p, b, n, w)),
    ("weight over h", _with(weights=lambda w, n: w / np.arange(1, n + 1))),
    ("weight over h", _with(weights=lambda w, n: 1 / np.arange(1, n + 1))),
    ("same weight", _with(weights=lambda w, n: np.full(n, w))),
    ("nearest bin", _with(read=_rounded)),
    ("bin below", _with(read=lambda S, place: _rounded(S, place, np.floor))),
    ("last bin held", _with(read=_held)),
    ("one too few", _with(numbers=lambda n: np.arange(1, n))),
    ("one too many", _with(numbers=lambda n: np.arange(1, n + 2))),
    ("octaves only", _with(numbers=lambda n: 2 ** np.arange(n))),
    ("odd partials", _with(numbers=lambda n: 2 * np.arange(n) + 1)),
    ("fundamental alone", _with(numbers=lambda n: np.arange(1, 2))),
    ("mean", lambda S, p, b, n, w: _salience(S, p, b, n, w) / n),
    ("mean", _weighted_mean),
    ("strongest partial", _strongest),
    ("product", _product),
    ("turned", lambda S, p, b, n, w: _salience(S, p, b, n, w).T),
    ("middle C", _from_c),
    ("middle C", lambda S, p, b, n, w: _salience(S, p - 9, b, n, w)),
    ("power", lambda S, p, b, n, w: _salience(S**2, p, b, n, w)),
)


# ---- raw pitch -----------------------------------------------------------------------------------


def rawpitch_probes() -> list[Probe]:
    """Return a few frames, many by lot, guesses that rest, and guesses that never do."""
    rng = np.random.default_rng(58)
    truth = np.repeat([60.0, 0.0, 64.0, 67.0, 0.0, 65.0, 72.0], 9)
    truth[truth > 0] += 0.3  # a band that is tuned 30 cents high
    guess = truth + rng.normal(0, 0.45, len(truth))
    guess[truth == 0] = rng.uniform(60, 72, int(np.sum(truth == 0)))
    guess[30:34] -= 12
    guess[5:8] = 0
    guess[:3] = truth[:3]
    rests = np.where(truth == 0, 0.0, guess)
    rests[46:50] = 0
    high = np.array([60.0, 60.0, 62.0, 0.0, 0.0, 70.0])
    near = np.array([60.0, 59.2, 74.1, 0.0, 62.0, 70.5])
    high_up = np.array([90.0, 90.0, 90.0, 0.0])
    five_low = np.array([30.0, 89.9, 88.0, 0.0])
    calls = (
        (high, near, "six frames, one of them right"),
        (truth, guess, "63 frames, with wrong octaves and a guess that never rests"),
        (truth, rests, "63 frames, with a guess that rests"),
        (truth[::-1].copy(), rests[::-1].copy(), "the same backwards"),
        (high_up, five_low, "four frames, one of them five octaves too low"),
    )
    return [Probe((a, b), say) for a, b, say in calls]


def _asked(truth):
    return truth > 0


def _raw(truth, guess, cents=50.0):
    return float(np.mean(np.abs(guess - truth)[_asked(truth)] < cents / 100))


def _share(truth, guess, of):
    return float(np.sum((np.abs(guess - truth) < 0.5) & _asked(truth)) / np.sum(of))


def _chroma(truth, guess):
    off = np.abs((guess - truth + 6) % 12 - 6)
    return float(np.mean(off[_asked(truth)] < 0.5))


def _rounded_equal(truth, guess):
    return float(np.mean((np.round(guess) == np.round(truth))[_asked(truth)]))


RAWPITCH_SLIPS = (
    ("all frames", lambda a, b: _share(a, b, np.ones(len(a)))),
    ("silence counted", lambda a, b: float(np.mean(np.abs(b - a) < 0.5))),
    ("a semitone", lambda a, b: _raw(a, b, 100)),
    ("25 cents", lambda a, b: _raw(a, b, 25)),
    ("cents for semitones", lambda a, b: _raw(a, b, 5000)),
    ("one side", lambda a, b: float(np.mean((b - a)[_asked(a)] < 0.5))),
    ("one side", lambda a, b: float(np.mean((a - b)[_asked(a)] < 0.5))),
    ("octaves forgiven", _chroma),
    ("where both speak", lambda a, b: _share(a, b, _asked(a) & _asked(b))),
    ("of the guess", lambda a, b: _share(a, b, _asked(b))),
    ("rounded", _rounded_equal),
    ("exact", lambda a, b: float(np.mean((a == b)[_asked(a)]))),
    ("the wrong share", lambda a, b: 1 - _raw(a, b)),
    ("percent", lambda a, b: 100 * _raw(a, b)),
    ("a count", lambda a, b: _share(a, b, 1)),
    ("mean distance", lambda a, b: float(np.mean(np.abs(b - a)[_asked(a)]))),
    ("only whether it speaks", lambda a, b: float(np.mean(b[_asked(a)] > 0))),
    ("hits and misses", lambda a, b: (np.abs(b - a)[_asked(a)] < 0.5).astype(float)),
)


# ---- mean reciprocal rank ------------------------------------------------------------------------


def mrr_probes() -> list[Probe]:
    """Return a small table, larger ones by lot, and right tunes that lie anywhere."""
    rng = np.random.default_rng(59)
    small = np.array([[0.9, 0.5, 0.7], [0.2, 0.8, 0.4], [0.6, 0.1, 0.3]])
    square = rng.random((8, 8)) + 0.4 * np.eye(8)
    wide = rng.random((6, 40))
    lucky = rng.random((5, 12))
    right = rng.integers(0, 12, 5)
    lucky[np.arange(4), right[:4]] = 1.5
    calls = (
        (small, np.array([0, 2, 1]), "three queries with the ranks 1, 2 and 3"),
        (square, np.arange(8)[::-1].copy(), "eight queries among eight tunes"),
        (wide, rng.integers(0, 40, 6), "six queries among forty tunes"),
        (lucky, right, "five queries, four of them first"),
    )
    return [Probe((a, r), say) for a, r, say in calls]


def _ranks(alike, right, better=np.greater):
    own = alike[np.arange(len(alike)), right]
    return 1 + np.sum(better(alike, own[:, None]), axis=1)


def _mrr(alike, right):
    return float(np.mean(1 / _ranks(alike, right)))


def _from_zero(alike, right):
    with np.errstate(divide="ignore"):
        return float(np.mean(1 / (_ranks(alike, right) - 1.0)))


def _diagonal(alike, right):
    n = min(alike.shape)
    return _mrr(alike[:n], np.arange(n))


def _columns(alike, right):
    own = alike[np.arange(len(alike)), right]
    ranks = 1 + np.sum(alike[:, right] > own, axis=0)
    return float(np.mean(1 / ranks))


def _named(alike, right):
    return float(np.mean(1 / (1 + np.argsort(-alike, axis=1)[:, 0])))


def _place(alike, right):
    return float(np.mean(1 / (1 + np.argsort(-alike, axis=1)[np.arange(len(alike)), right])))


MRR_SLIPS = (
    ("mean rank", lambda a, r: float(np.mean(_ranks(a, r)))),
    ("one over the mean", lambda a, r: float(1 / np.mean(_ranks(a, r)))),
    ("rank from 0", _from_zero),
    ("rank from 2", lambda a, r: float(np.mean(1 / (_ranks(a, r) + 1)))),
    ("costs", lambda a, r: _mrr(-a, r)),
    ("first places", lambda a, r: float(np.mean(_ranks(a, r) == 1))),
    ("best five", lambda a, r: float(np.mean(_ranks(a, r) <= 5))),
    ("best five", lambda a, r: float(np.mean(_ranks(a, r) <= 10))),
    ("diagonal", _diagonal),
    ("other axis", _columns),
    ("sum", lambda a, r: float(np.sum(1 / _ranks(a, r)))),
    ("each query", lambda a, r: 1 / _ranks(a, r)),
    ("ranks", _ranks),
    ("median", lambda a, r: float(np.median(1 / _ranks(a, r)))),
    ("percent", lambda a, r: 100 * _mrr(a, r)),
    ("best tune", _named),
    ("best tune", _place),
    ("over tunes", lambda a, r: float(np.mean(_ranks(a, r)) / a.shape[1])),
)


# ---- into the other's key ------------------------------------------------------------------------

SCALE = np.array([3.0, 0.2, 1.5, 0.1, 2.2, 1.4, 0.1, 2.6, 0.3, 1.6, 0.2, 0.9])


def oti_probes() -> list[Probe]:
    """Return pieces in two keys, of unlike lengths; one pair is in one key already."""
    rng = np.random.default_rng(60)

    def piece(key, frames):
        return np.roll(SCALE, key)[:, None] * rng.uniform(0.1, 1.9, (12, frames))

    second = piece(4, 6)
    second[10] = 4.0  # one note that is louder than the rest
    second[[1, 3], 2] = 12.0  # and a blow in one frame
    noise = np.random.default_rng(220)  # of the first seeds one where medians and distances err
    calls = (
        (piece(0, 8), piece(3, 5), "pieces in C and in D#"),
        (piece(2, 7), piece(3, 9), "pieces in D and in D#"),
        (piece(0, 6), piece(0, 6), "two pieces in C"),
        (piece(9, 12), second, "pieces in A and in E, with a loud note"),
        (piece(11, 4), piece(5, 4), "pieces in B and in F"),
        (
            noise.exponential(1, (12, 5)),
            noise.exponential(1, (12, 4)),
            "noise, five and four frames",
        ),
    )
    return [Probe((C, D), say) for C, D, say in calls]


def _alike(C, D, shifts=range(12)):
    c, d = C.mean(axis=1), D.mean(axis=1)
    return np.array([c @ np.roll(d, k) for k in shifts])


def _shift(C, D):
    return int(_alike(C, D).argmax())


def _up(D, k):
    return np.roll(D, k, axis=0)


def _in_key(C, D):
    return _up(D, _shift(C, D))


def _no_wrap(C, D):
    k = _shift(C, D)
    out = np.zeros(D.shape)
    out[k:] = D[: 12 - k]
    return out


def _by_frame(C, D):
    columns = [_up(column, _shift(C, column[:, None])) for column in D.T[:, :, None]]
    return np.concatenate(columns, axis=1)


def _by_medians(C, D):
    c, d = np.median(C, axis=1), np.median(D, axis=1)
    return _up(D, int(np.argmax([c @ np.roll(d, k) for k in range(12)])))


def _by_distance(C, D):
    c, d = C.mean(axis=1), D.mean(axis=1)
    return _up(D, int(np.argmin([np.abs(c - np.roll(d, k)).sum() for k in range(12)])))


def _top(X):
    return int(X.mean(axis=1).argmax())


OTI_SLIPS = (
    ("wrong way", lambda C, D: _up(D, _shift(D, C))),
    ("C raised", lambda C, D: _up(C, _shift(D, C))),
    ("untouched", lambda C, D: np.array(D)),
    ("along time", lambda C, D: np.roll(D, _shift(C, D), axis=1)),
    ("whole matrix", lambda C, D: np.roll(D, _shift(C, D))),
    ("shift alone", _shift),
    ("mean alone", lambda C, D: _in_key(C, D).mean(axis=1)),
    ("strongest class", lambda C, D: _up(D, (_top(C) - _top(D)) % 12)),
    ("least alike", lambda C, D: _up(D, int(_alike(C, D).argmin()))),
    ("first frame", lambda C, D: _up(D, _shift(C[:, :1], D[:, :1]))),
    ("frame by frame", _by_frame),
    ("one too far", lambda C, D: _up(D, _shift(C, D) + 1)),
    ("one too few", lambda C, D: _up(D, _shift(C, D) - 1)),
    ("no wrap", _no_wrap),
    ("by the medians", _by_medians),
    ("by the distance", _by_distance),
    ("11 left out", lambda C, D: _up(D, int(_alike(C, D, range(11)).argmax()))),
    ("only down", lambda C, D: _up(D, int(_alike(C, D, range(7)).argmax()))),
    ("fifths", lambda C, D: _up(D, int(_alike(C, D, [7 * k % 12 for k in range(12)]).argmax()))),
)


# ---- what is shown -------------------------------------------------------------------------------


def contour_view():
    """Return a tune with a gap, a fifth below where it was heard."""
    f = 147 * 2 ** (np.repeat([0, 2, 4, 0, 4, 7, 5], 7) / 12)
    f[20:24] = 0
    return np.arange(45), [(f,)]


def salience_view():
    """Return a tone of 220 Hz with six partials, over three octaves of pitches."""
    S = np.zeros((400, 1))
    S[22 * np.arange(1, 7), 0] = 1 / np.arange(1, 7)
    grid = np.arange(40, 76, 0.25)
    return grid, [(S, grid, 10.0, 6, 0.6)]


def rawpitch_view():
    """Return a guess that is more and more out of tune."""
    off = np.arange(0, 1.05, 0.05)
    truth = np.full(40, 64.0)
    spread = np.linspace(-0.4, 0.4, 40)
    return off, [(truth, truth + k + spread) for k in off]


def mrr_view():
    """Return one query whose right tune slides from first place to tenth."""
    ranks = np.arange(1, 11)
    tables = [np.linspace(1, 0, 10)[None] for _ in ranks]
    return ranks, [(table, np.array([k - 1])) for k, table in zip(ranks, tables, strict=True)]


def oti_view():
    """Return two pieces of one frame, five semitones apart."""
    return np.arange(12), [(SCALE[:, None], np.roll(SCALE, 5)[:, None])]


CHECKS = {
    "56.contour": Check(
        contour_probes,
        _contour,
        CONTOUR_SLIPS,
        atol=1e-9,
        shows=Curve(contour_view, "frame", "semitones about the median"),
    ),
    "56.salience": Check(
        salience_probes,
        _salience,
        SALIENCE_SLIPS,
        atol=1e-9,
        shows=Curve(salience_view, "pitch, MIDI", "salience of a tone at 57"),
    ),
    "56.rawpitch": Check(
        rawpitch_probes,
        _raw,
        RAWPITCH_SLIPS,
        atol=1e-9,
        shows=Curve(rawpitch_view, "out of tune by [semitones]", "raw pitch accuracy"),
    ),
    "56.mrr": Check(
        mrr_probes,
        _mrr,
        MRR_SLIPS,
        atol=1e-9,
        shows=Curve(mrr_view, "rank of the right tune", "mean reciprocal rank"),
    ),
    "56.oti": Check(
        oti_probes,
        _in_key,
        OTI_SLIPS,
        atol=1e-9,
        shows=Curve(oti_view, "pitch class", "the raised chroma"),
    ),
}
