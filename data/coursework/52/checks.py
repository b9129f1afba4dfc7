"""What the checks of unit 52 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import functools

import numpy as np

from helpers import music
from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve


def novelty_probes() -> list[Probe]:
    """Return one bin that rises and falls, two that take turns, and noise of three shapes."""
    rng = np.random.default_rng(520)
    one = np.zeros((4, 6))
    one[1] = [0, 0, 0.5, 0.5, 0.2, 0]
    turns = np.array([[1.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
    calls = [
        (one, "one bin that comes and goes"),
        (turns, "two bins that take turns"),
        (np.array([[0.01, 0.02, 0.04, 0.08]]), "one bin that doubles each time"),
        (rng.exponential(0.1, (5, 9)), "noise in 5 bins and 9 frames"),
        (rng.exponential(3.0, (40, 7)), "noise in 40 bins and 7 frames"),
        (rng.exponential(0.01, (129, 20)), "soft noise in 129 bins and 20 frames"),
    ]
    return [Probe((S,), say) for S, say in calls]


def _flux(S, gamma=100.0, keep=lambda d: np.maximum(0, d)):
    L = np.log1p(gamma * S)
    return keep(np.diff(L, axis=1, prepend=L[:, :1])).sum(axis=0)


def _unlogged(S):
    return np.maximum(0, np.diff(S, axis=1, prepend=S[:, :1])).sum(axis=0)


def _summed_first(S):
    total = np.log1p(100 * S).sum(axis=0)
    return np.maximum(0, np.diff(total, prepend=total[0]))


NOVELTY_SLIPS = (
    ("absolute", lambda S: _flux(S, keep=np.abs)),
    ("falls", lambda S: _flux(S, keep=lambda d: np.maximum(0, -d))),
    ("falls kept", lambda S: _flux(S, keep=lambda d: d)),
    ("squared", lambda S: _flux(S, keep=lambda d: np.maximum(0, d) ** 2)),
    ("squared", lambda S: _flux(S, keep=lambda d: d**2)),
    ("no logarithm", _unlogged),
    ("factor forgotten", lambda S: _flux(S, 1.0)),
    ("factor forgotten", lambda S: _flux(S, 10.0)),
    ("mean", lambda S: _flux(S) / len(S)),
    ("added first", _summed_first),
    ("one short", lambda S: _flux(S)[1:]),
    ("one early", lambda S: np.append(_flux(S)[1:], 0.0)),
    ("first frame", lambda S: np.append(np.log1p(100 * S[:, 0]).sum(), _flux(S)[1:])),
    ("centred", lambda S: np.maximum(0, np.gradient(np.log1p(100 * S), axis=1)).sum(axis=0)),
    ("along frequency", lambda S: _flux(S.T)),
    ("not added", lambda S: np.maximum(0, np.diff(np.log1p(100 * S), axis=1, prepend=0.0))),
    ("largest is 1", lambda S: _flux(S) / max(_flux(S).max(), 1e-12)),
)


def peaks_probes() -> list[Probe]:
    """Return hills of all kinds: close, equal, flat, at the edge, and by lot."""
    rng = np.random.default_rng(521)
    hills = np.array([0, 0.3, 0, 0, 0.9, 0, 0.6, 0, 0, 0.2, 0, 0.7, 0, 0])
    ladder = np.array([0, 0.5, 0.1, 0.6, 0.1, 0.7, 0.1, 0.8, 0.1, 0.4, 0, 0, 0])
    flat = np.array([0, 0.8, 0.8, 0, 0, 0.5, 0, 0, 0, 0.5, 0.0])
    edges = np.array([0.9, 0.1, 0.2, 0.1, 0.4, 0.1, 0.3, 0.1, 0.8])
    calls = [
        (hills, 0.1, 1, "five hills, threshold 0.1 and distance 1"),
        (hills, 0.5, 1, "five hills, threshold 0.5 and distance 1"),
        (hills, 0.1, 2, "five hills, threshold 0.1 and distance 2"),
        (ladder, 0.2, 2, "hills that rise, two frames apart, and distance 2"),
        (ladder, 0.2, 3, "hills that rise, two frames apart, and distance 3"),
        (flat, 0.1, 4, "a hill with a flat top and two equal ones, 4 frames apart"),
        (flat, 0.5, 1, "hills that just reach the threshold"),
        (edges, 0.15, 1, "hills at the very ends"),
        (np.array([0.9, 0.1, 0.5, 0.1, 0.1, 0.0]), 0.2, 2, "a high beginning, a hill soon after"),
        (2 * rng.random(60), 0.8, 2, "60 values by lot, up to 2, and threshold 0.8"),
        (rng.random(200), 0.3, 5, "200 values by lot, threshold 0.3 and distance 5"),
    ]
    return [Probe(args[:3], args[3]) for args in calls]


def _around(nov, k, before, after):
    return np.concatenate([nov[max(0, k - before) : k], nov[k + 1 : k + 1 + after], [-np.inf]])


def _pick(nov, threshold, distance, *, before=None, after=None, keep=np.greater, over=np.greater):
    before = distance if before is None else before
    after = distance if after is None else after
    return np.array(
        [
            k
            for k in range(len(nov))
            if over(nov[k], threshold) and keep(nov[k], _around(nov, k, before, after).max())
        ],
        dtype=int,
    )


def _first_come(nov, threshold, distance):
    found = []
    for k in _pick(nov, threshold, 1):
        if not found or k - found[-1] > distance:
            found.append(k)
    return np.array(found, dtype=int)


def _mask(nov, threshold, distance):
    found = np.zeros(len(nov))
    found[_pick(nov, threshold, distance)] = 1
    return found


PEAKS_SLIPS = (
    ("no distance", lambda nov, c, d: _pick(nov, c, 1)),
    ("no threshold", lambda nov, c, d: _pick(nov, -np.inf, d)),
    ("only the past", lambda nov, c, d: _pick(nov, c, d, after=0)),
    ("only the past", lambda nov, c, d: _pick(nov, c, d, after=1)),
    ("only the future", lambda nov, c, d: _pick(nov, c, d, before=0)),
    ("only the future", lambda nov, c, d: _pick(nov, c, d, before=1)),
    ("equal ones", lambda nov, c, d: _pick(nov, c, d, keep=np.greater_equal)),
    ("reached", lambda nov, c, d: _pick(nov, c, d, over=np.greater_equal)),
    ("below", lambda nov, c, d: _pick(nov, c, d, over=np.less)),
    ("relative", lambda nov, c, d: _pick(nov, c * nov.max(), d)),
    ("mask", _mask),
    ("heights", lambda nov, c, d: nov[_pick(nov, c, d)]),
    ("one less", lambda nov, c, d: _pick(nov, c, d - 1)),
    ("one more", lambda nov, c, d: _pick(nov, c, d + 1)),
    ("first come", _first_come),
    ("all above", lambda nov, c, d: np.flatnonzero(nov > c)),
    ("ends left out", lambda nov, c, d: _inner(nov, _pick(nov, c, d))),
)


def _inner(nov, found):
    return found[(found > 0) & (found < len(nov) - 1)]


def _train(lag, count, strong=1, weak=1.0, width=0):
    """Return spikes, every `strong`-th at full height and the others at `weak`."""
    nov = np.zeros(lag * count + 7)
    for k in range(count):
        height = 1.0 if k % strong == 0 else weak
        nov[k * lag + 3 : k * lag + 4 + width] = height
    return nov


def _pairs_of_spikes():
    """Return pairs of spikes, 15 frames apart, with nothing regular between them."""
    nov = np.zeros(760)
    for start in np.cumsum([5, 61, 97, 83, 71, 113, 59, 101, 89]):
        nov[[start, start + 15]] = 1.0
    return nov


def _spikes(places, middle=1.0):
    """Return 60 frames with spikes at places; the second of three has another height."""
    nov = np.zeros(60)
    nov[places] = 1.0
    nov[places[1:-1]] = middle
    return nov


def tempo_probes() -> list[Probe]:
    """Return spikes at known tempi, strong and weak ones in turn, and spikes among noise."""
    rng = np.random.default_rng(522)
    noisy = _train(43, 16) + 0.3 * rng.random(43 * 16 + 7)
    calls = [
        (_train(50, 12), 100.0, "a spike every half second"),
        (_train(40, 14), 100.0, "a spike every 0.4 s"),
        (_train(72, 10), 86.13, "a spike every 72 frames at 86.13 frames a second"),
        (_train(25, 24, strong=2, weak=0.5), 100.0, "strong and weak spikes in turn, 0.25 s apart"),
        (_train(30, 20, strong=2, weak=0.8), 50.0, "spikes nearly alike, 0.6 s apart"),
        (_train(60, 12), 50.0, "a spike every 1.2 s"),
        (_train(30, 40, strong=2, weak=0.6), 80.0, "strong and weak spikes in turn, 0.375 s apart"),
        (_train(32, 40, strong=2, weak=0.62), 86.13, "strong and weak ones, 32 frames apart"),
        (_train(7, 60), 50.0, "a spike every 0.14 s"),
        (_train(18, 30, strong=3, weak=0.6), 50.0, "one strong spike of three, 0.36 s apart"),
        (noisy, 86.13, "spikes among noise"),
        (_train(30, 40, strong=2, weak=0.47), 80.0, "strong and soft spikes, 0.375 s apart"),
        (0.05 * _train(50, 12), 100.0, "very low spikes, half a second apart"),
        (_train(75, 9), 50.0, "a spike every 1.5 s"),
        (_train(38, 24, strong=2, weak=0.02), 50.0, "a strong spike every 1.52 s"),
        (_pairs_of_spikes(), 60.0, "pairs of spikes, 0.25 s apart, that come irregularly"),
        (_pairs_of_spikes(), 60.2, "pairs of spikes, a little closer than 0.25 s"),
        (_spikes([4, 44]), 60.0, "60 frames with two spikes, 40 frames apart"),
        (_spikes([3, 28, 53], 0.3), 50.0, "60 frames, two spikes and a soft one halfway"),
    ]
    return [Probe((nov, rate), say) for nov, rate, say in calls]


def _weighted(nov, rate, *, prior=True, allowed=True, log=np.log2, centre=120.0, width=0.7):
    lags = np.arange(1, len(nov))
    bpm = 60 * rate / lags
    alike = np.correlate(nov, nov, "full")[len(nov) :]
    weight = np.exp(-0.5 * (log(bpm / centre) / width) ** 2) if prior else 1.0
    inside = (bpm >= 40) & (bpm <= 240) if allowed else bpm > 0
    return bpm, np.where(inside, alike * weight, -1.0)


def _tempo(nov, rate, **how):
    bpm, score = _weighted(nov, rate, **how)
    return float(bpm[score.argmax()])


def _lag(nov, rate):
    return 60 * rate / _tempo(nov, rate)


def _straight(nov, rate):
    """Weigh by the distance from 120 in beats a minute instead of in octaves."""
    bpm, score = _weighted(nov, rate, prior=False)
    weight = np.exp(-0.5 * ((bpm - 120) / 40) ** 2)
    return float(bpm[np.where(score >= 0, score * weight, -1).argmax()])


def _lowest(nov, rate):
    bpm, score = _weighted(nov, rate)
    return float(bpm[np.where(score < 0, np.inf, score).argmin()])


TEMPO_SLIPS = (
    ("lag 0", lambda nov, rate: np.inf),
    ("no prior", lambda nov, rate: _tempo(nov, rate, prior=False)),
    ("no range", lambda nov, rate: _tempo(nov, rate, prior=False, allowed=False)),
    ("one lag too long", lambda nov, rate: 60 * rate / (_lag(nov, rate) + 1)),
    ("one lag too short", lambda nov, rate: 60 * rate / (_lag(nov, rate) - 1)),
    ("upside down", lambda nov, rate: 60 * _lag(nov, rate) / rate),
    ("the lag", _lag),
    ("seconds", lambda nov, rate: _lag(nov, rate) / rate),
    ("per second", lambda nov, rate: rate / _lag(nov, rate)),
    ("half", lambda nov, rate: _tempo(nov, rate) / 2),
    ("double", lambda nov, rate: 2 * _tempo(nov, rate)),
    ("natural", lambda nov, rate: _tempo(nov, rate, log=np.log)),
    ("prior is straight", _straight),
    ("least alike", _lowest),
    ("always 120", lambda nov, rate: 120.0),
)


def _hills(places, n, heights, width=2.0):
    at = np.arange(n)[:, None]
    return (heights * np.exp(-0.5 * ((at - np.asarray(places)) / width) ** 2)).sum(axis=1)


def chain_probes() -> list[Probe]:
    """Return even hills, a missing one, wrong ones between, a tempo that drifts, and noise."""
    rng = np.random.default_rng(523)
    lot = np.random.default_rng(0).random(120) ** 3
    even = np.arange(10, 190, 20)
    drift = np.cumsum(np.linspace(16, 26, 10)).astype(int)
    extra = np.sort(np.concatenate([even, [33, 77, 141]]))
    gap = np.delete(even, 4)
    loud = np.where(np.isin(extra, even), 1.0, 1.4)
    calls = [
        (_hills(even, 200, 1.0, 1.0), 20, 1.0, "even hills, 20 frames apart"),
        (_hills(gap, 200, 1.0, 1.0), 20, 1.0, "even hills, one of them missing"),
        (_hills(extra, 200, loud, 1.0), 20, 0.5, "even hills with louder ones between, weight 0.5"),
        (_hills(extra, 200, loud, 1.0), 20, 8.0, "even hills with louder ones between, weight 8"),
        (_hills(drift, 240, 1.0, 1.5), 20, 2.0, "hills that drift apart from 16 to 26 frames"),
        (_hills(even - 8, 200, 0.3, 1.0), 24, 3.0, "low hills 20 frames apart, and a period of 24"),
        (lot, 12.5, 1.5, "120 values by lot, and a period of 12.5"),
        (rng.random(150) ** 6, 31, 40.0, "150 values by lot, and a large weight"),
        (1 + rng.random(12), 1.2, 0.5, "12 high values by lot, and a period of 1.2 frames"),
    ]
    return [Probe(args[:3], args[3]) for args in calls]


def _square_log(gaps, period):
    return np.log2(gaps / period) ** 2


def _accumulate(nov, period, weight, cost=_square_log, free=True, sign=-1.0):
    score = np.array(nov, dtype=float)
    before = np.full(len(nov), -1)
    for t in range(1, len(nov)):
        there = score[:t] + sign * weight * cost(t - np.arange(t), period)
        best = int(there.argmax())
        if there[best] > 0 or not free:
            before[t] = best
            score[t] += there[best]
    return score, before


def _walk(before, last):
    chain = [int(last)]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return np.array(chain[::-1])


def _chain(nov, period, weight, **how):
    score, before = _accumulate(nov, period, weight, **how)
    return _walk(before, score.argmax())


def _from_the_end(nov, period, weight):
    _, before = _accumulate(nov, period, weight)
    return _walk(before, len(nov) - 1)


def _grid(nov, period, weight):
    """Return the best of all even grids."""
    starts = [nov[k :: int(period)].sum() for k in range(int(period))]
    return np.arange(int(np.argmax(starts)), len(nov), int(period))


CHAIN_SLIPS = (
    ("from the end", _from_the_end),
    ("backwards", lambda nov, p, w: _chain(nov, p, w)[::-1]),
    ("no penalty", lambda nov, p, w: _chain(nov, p, 0.0)),
    ("penalty added", lambda nov, p, w: _chain(nov, p, w, sign=1.0)),
    ("difference", lambda nov, p, w: _chain(nov, p, w, cost=lambda g, p: (g / p - 1) ** 2)),
    ("difference", lambda nov, p, w: _chain(nov, p, w, cost=lambda g, p: (g - p) ** 2)),
    ("natural", lambda nov, p, w: _chain(nov, p, w, cost=lambda g, p: np.log(g / p) ** 2)),
    ("not squared", lambda nov, p, w: _chain(nov, p, w, cost=lambda g, p: np.abs(np.log2(g / p)))),
    ("weight forgotten", lambda nov, p, w: _chain(nov, p, 1.0)),
    ("never begins", lambda nov, p, w: _chain(nov, p, w, free=False)),
    ("last only", lambda nov, p, w: int(_accumulate(nov, p, w)[0].argmax())),
    ("scores", lambda nov, p, w: _accumulate(nov, p, w)[0]),
    ("pointers", lambda nov, p, w: _accumulate(nov, p, w)[1]),
    ("first left out", lambda nov, p, w: _chain(nov, p, w)[1:]),
    ("grid", _grid),
)


def measure_probes() -> list[Probe]:
    """Return what trackers do: right, late, double, half, off the beat, doubled taps, nothing."""
    rng = np.random.default_rng(524)
    truth = 0.5 * np.arange(1, 21)
    near = np.sort(truth + 0.045 * rng.standard_normal(20))
    twice = np.sort(np.concatenate([truth, truth[::3] + 0.05]))
    calls = [
        (truth, truth.copy(), "all beats found"),
        (truth, truth[:12].copy(), "the first 12 of 20 beats"),
        (truth, truth + 0.05, "all beats 50 ms late"),
        (truth, truth + 0.1, "all beats 100 ms late"),
        (truth, truth + 0.0704, "all beats 70.4 ms late"),
        (truth, truth - 0.0704, "all beats 70.4 ms early"),
        (truth, 0.25 * np.arange(2, 42), "double the tempo"),
        (truth, truth[::2].copy(), "half the tempo"),
        (truth, truth + 0.25, "the off-beats"),
        (truth, twice, "some beats tapped twice"),
        (truth, np.sort(np.concatenate([truth, truth[1::2] + 0.03])), "each other beat twice"),
        (np.array([1.0, 1.05, 2.0]), np.array([1.03, 2.01]), "two beats 50 ms apart, one found"),
        (np.array([0.5, 0.56, 1.5, 1.55]), np.array([0.52, 1.53]), "two pairs of beats"),
        (truth, np.zeros(0), "nothing found"),
        (truth, near, "beats that scatter by 45 ms"),
        (truth + 0.2, np.sort(10 * rng.random(33)), "33 times by lot"),
    ]
    return [Probe((a, b), say) for a, b, say in calls]


def _hits(truth, found, window=0.07):
    left = list(np.sort(found))
    hits = 0
    for beat in np.sort(truth):
        while left and left[0] < beat - window:
            left.pop(0)
        if left and left[0] <= beat + window:
            left.pop(0)
            hits += 1
    return hits


def _f(truth, found, window=0.07):
    return 2 * _hits(truth, found, window) / (len(truth) + len(found))


def _free(truth, found):
    """Count beats that have anything near, which may be used more than once."""
    if not len(found):
        return 0
    return int((np.abs(np.subtract.outer(truth, found)).min(axis=1) <= 0.07).sum())


def _free_found(truth, found):
    return _free(found, truth) if len(found) else 0


def _both_free(truth, found):
    if not len(found):
        return 0.0
    p = _free_found(truth, found) / len(found)
    r = _free(truth, found) / len(truth)
    return 2 * p * r / (p + r) if p + r else 0.0


def _ratio(top, bottom):
    return top / bottom if bottom else 0.0


MEASURE_SLIPS = (
    ("used twice", lambda a, b: 2 * _free(a, b) / (len(a) + len(b))),
    ("used twice", lambda a, b: 2 * _free_found(a, b) / (len(a) + len(b))),
    ("used twice", _both_free),
    ("window halved", lambda a, b: _f(a, b, 0.035)),
    ("window doubled", lambda a, b: _f(a, b, 0.14)),
    ("window of 50 ms", lambda a, b: _f(a, b, 0.05 - 1e-9)),
    ("window of 50 ms", lambda a, b: _f(a, b, 0.05 + 1e-9)),
    ("precision", lambda a, b: _ratio(_hits(a, b), len(b))),
    ("recall", lambda a, b: _hits(a, b) / len(a)),
    ("hits", _hits),
    ("factor 2", lambda a, b: _f(a, b) / 2),
    ("plain mean", lambda a, b: (_ratio(_hits(a, b), len(b)) + _hits(a, b) / len(a)) / 2),
    ("product", lambda a, b: _ratio(_hits(a, b), len(b)) * _hits(a, b) / len(a)),
    ("percent", lambda a, b: 100 * _f(a, b)),
    ("all within", lambda a, b: _hits(a, b) / (len(a) + len(b) - _hits(a, b))),
    ("by place", lambda a, b: 2 * _paired(a, b) / (len(a) + len(b))),
)


def _paired(truth, found):
    n = min(len(truth), len(found))
    return int((np.abs(truth[:n] - found[:n]) <= 0.07).sum())


CUT = (0.21, 0.33, 0.12, 0.27, 0.4, 0.17)  # [s] what is missing at the beginning of each song
SONGS = (  # (seed, beats a minute, instruments of melody, chords and bass)
    (520, 118.0, ("piano", "guitar", "bass")),
    (521, 96.0, ("trumpet", "piano", "bass")),
    (522, 132.0, ("flute", "piano", "bass")),
    (523, 108.0, ("oboe", "guitar", "bass")),
    (524, 126.0, ("clarinet", "organ", "bass")),
    (525, 102.0, ("piano", "piano", "bass")),
)


@functools.cache
def _played() -> tuple:
    """Return (sound at 22 050 Hz, its beats [s]) of six songs with drums that begin anywhere."""
    found = []
    for (seed, bpm, band), cut in zip(SONGS, CUT, strict=True):
        song = music.random_song(seed, bars=8, bpm=bpm, drums=True).played_on(*band)
        begin = round(cut * 22050)
        beats = song.beats() - begin / 22050
        found.append((music.play(song)[begin:].astype(np.float32), beats[beats >= 0]))
    return tuple(found)


def sound_probes() -> list[Probe]:
    """Return six songs of eight bars."""
    return [
        Probe((y, 22050), f"a song of {len(y) / 22050:.0f} s, number {k + 1} of six")
        for k, (y, _) in enumerate(_played())
    ]


def ten_taps(y, sr, first=3.0):
    """Return one good answer: flux, the tempo of its autocorrelation, and the best chain."""
    n = 1024
    hop = 256
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, n // 2), n)[::hop]
    S = np.abs(np.fft.rfft(frames * np.hanning(n), axis=1)).T
    nov = _flux(S)
    local = np.convolve(nov, np.ones(87) / 87, mode="same")
    nov = np.maximum(0, nov - local)
    nov /= nov.max()
    rate = sr / hop
    beats = _chain(nov, 60 * rate / _tempo(nov, rate), 2.0) / rate
    return beats[beats >= first][:10]


def _same(times):
    return times


def _unsorted(got):
    return any((np.diff(np.ravel(t)) <= 0).any() for t in got)


def _scores(got, change=_same):
    """Return F of each song over the stretch that is tapped, the times changed beforehand."""
    found = []
    for times, (_, beats) in zip(got, _played(), strict=True):
        t = np.sort(change(np.sort(np.ravel(times))))
        inside = (beats > t[0] - 0.07) & (beats < t[-1] + 0.07)
        found.append(_f(beats[inside], t))
    return np.array(found)


def _enough(scores):
    return (scores > 0.85).sum() >= 5


def _elsewhere(got):
    return not 2.5 <= np.median([np.min(times) for times in got]) <= 4.2


def _halved(times):
    return times[::2]


def _other_half(times):
    return times[1::2]


def _between(times):
    return (times[:-1] + times[1:]) / 2


def _doubled(times):
    return np.sort(np.concatenate([times, _between(times)]))


def _moved(got):
    return any(_enough(_scores(got, lambda t, ms=ms: t + ms / 1000)) for ms in (-90, -60, 60, 90))


def _half_enough(got):
    return _enough(np.maximum(_scores(got, _halved), _scores(got, _other_half)))


def _even(y, sr):
    return 3.0 + 0.5 * np.arange(10)


def _twice_as_fast(y, sr):
    return _doubled(ten_taps(y, sr))[:10]


def _twice_as_slow(y, sr):
    taps = ten_taps(y, sr)
    return taps[0] + 2 * np.median(np.diff(taps)) * np.arange(10)


def _off(y, sr):
    taps = ten_taps(y, sr)
    return taps + np.median(np.diff(taps)) / 2


SOUND_SLIPS = (
    ("order", lambda y, sr: ten_taps(y, sr)[::-1]),
    ("frames", lambda y, sr: ten_taps(y, sr) * sr / 256),
    ("start", lambda y, sr: ten_taps(y, sr, 0.0)),
    ("late", lambda y, sr: ten_taps(y, sr) + 0.1),
    ("double", _twice_as_fast),
    ("half", _twice_as_slow),
    ("off the beat", _off),
    ("too few", _even),
)


def _beyond(got):
    return any(np.ravel(t).max() > len(y) / 22050 for t, (y, _) in zip(got, _played(), strict=True))


SOUND_GOALS = (
    ("order", _unsorted),
    ("frames", _beyond),
    ("start", lambda got: _enough(_scores(got)) and _elsewhere(got)),
    ("late", lambda got: not _enough(_scores(got)) and _moved(got)),
    ("double", lambda got: not _enough(_scores(got)) and _half_enough(got)),
    ("half", lambda got: not _enough(_scores(got)) and _enough(_scores(got, _doubled))),
    ("off the beat", lambda got: not _enough(_scores(got)) and _enough(_scores(got, _between))),
    ("too few", lambda got: not _enough(_scores(got))),
)


def novelty_view():
    """Return a bin that gets louder in steps, and then softer."""
    S = np.repeat([[0.0, 0.02, 0.05, 0.2, 0.6, 0.3, 0.1, 0.4]], 3, axis=1)
    return np.arange(S.shape[1]), [(S,)]


def tempo_view():
    """Return spikes that come faster and faster."""
    lags = np.arange(20, 101, 5)
    return 6000 / lags, [(_train(int(lag), 12), 100.0) for lag in lags]


def measure_view():
    """Return beats that come later and later."""
    truth = 0.5 * np.arange(1, 21)
    wobble = 0.02 * np.random.default_rng(9).standard_normal(20)
    late = np.arange(0, 151, 10)
    return late, [(truth, truth + wobble + ms / 1000) for ms in late]


CHECKS = {
    "52.novelty": Check(
        novelty_probes,
        _flux,
        NOVELTY_SLIPS,
        atol=1e-9,
        shows=Curve(novelty_view, "frame", "novelty"),
    ),
    "52.peaks": Check(peaks_probes, _pick, PEAKS_SLIPS, atol=1e-9),
    "52.tempo": Check(
        tempo_probes,
        _tempo,
        TEMPO_SLIPS,
        atol=1e-6,
        shows=Curve(tempo_view, "spikes a minute", "tempo [BPM]"),
    ),
    "52.chain": Check(chain_probes, _chain, CHAIN_SLIPS, atol=1e-9),
    "52.measure": Check(
        measure_probes,
        _f,
        MEASURE_SLIPS,
        atol=1e-9,
        shows=Curve(measure_view, "late by [ms]", "F"),
    ),
    "52.taps": Check(
        sound_probes,
        ten_taps,
        SOUND_SLIPS,
        atol=1e-9,
        goals=SOUND_GOALS,
        measured=lambda got: f"F of the six songs: {', '.join(f'{f:.2f}' for f in _scores(got))}.",
        seconds=30.0,
    ),
}
