"""What the checks of unit 55 try, and the mistakes that they know by their numbers."""

from __future__ import annotations

import numpy as np

from helpers.coursework.checking import Check
from helpers.coursework.probing import Probe
from helpers.coursework.views import Curve

# ---- peaks ---------------------------------------------------------------------------------------


def peaks_probes() -> list[Probe]:
    """Return a small map, a soft one with silence, one with equal neighbours, and random ones."""
    rng = np.random.default_rng(55)
    small = np.array(
        [[9, 1, 1, 1, 5], [1, 1, 1, 1, 1], [1, 1, 7, 1, 1], [1, 1, 1, 6, 1], [3, 1, 1, 1, 8.0]]
    )
    gap = np.zeros((7, 9))
    gap[1, 1], gap[4, 3], gap[6, 0] = 1.0, 0.4, 0.05
    gap[1, 6], gap[5, 7], gap[6, 4] = 0.01005, 0.00995, 0.0005
    gap *= 0.02
    equal = np.ones((5, 6))
    equal[2, 2] = equal[2, 3] = equal[4, 5] = 4.0
    calls = [
        (small, 1, 1, "five bins and five frames, up = 1, along = 1"),
        (gap, 1, 2, "six values in silence, two of them below a hundredth of the largest"),
        (equal, 1, 1, "two equal values side by side"),
        (np.zeros((4, 5)), 1, 1, "silence"),
    ]
    for shape, up, along in (((20, 30), 2, 1), ((40, 25), 3, 4), ((12, 60), 1, 5)):
        noise = rng.exponential(1.0, shape)
        calls.append((noise, up, along, f"noise, {shape[0]} bins, up = {up}, along = {along}"))
    return [Probe((S, up, along), say) for S, up, along, say in calls]


def _near(S, up, along, later=1):
    """Return the largest value around each place; ``later=0`` leaves out the last ones."""
    P = np.pad(S, ((up, up), (along, along)))
    rows = [P[i : i + len(S)] for i in range(2 * up + later)]
    P = np.max(rows, axis=0)
    return np.max([P[:, j : j + S.shape[1]] for j in range(2 * along + later)], axis=0)


def _listed(found):
    return np.argwhere(found.T)


def _loud(S, part=0.01):
    return part * S.max() < S


def _peaks(S, up, along):
    return _listed((_near(S, up, along) == S) & _loud(S))


def _alone(S, up, along):
    """Keep what is larger than every other value around it."""
    found = np.zeros(S.shape, dtype=bool)
    for k, m in _peaks(S, up, along)[:, ::-1]:
        box = S[max(0, k - up) : k + up + 1, max(0, m - along) : m + along + 1]
        found[k, m] = np.sum(box == S[k, m]) == 1
    return _listed(found)


def _inner(S, up, along):
    found = _peaks(S, up, along)
    frames, bins = found.T
    inside = (frames >= along) & (frames < S.shape[1] - along)
    return found[inside & (bins >= up) & (bins < len(S) - up)]


def _louder(S, up, along):
    found = _peaks(S, up, along)
    return found[np.argsort(-S[found[:, 1], found[:, 0]], kind="stable")]


PEAKS_SLIPS = (
    ("silence", lambda S, up, along: _listed(_near(S, up, along) == S)),
    ("a little noise", lambda S, up, along: _listed((_near(S, up, along) == S) & (S > 0))),
    ("one axis", lambda S, up, along: _listed((_near(S, 0, along) == S) & _loud(S))),
    ("one axis", lambda S, up, along: _listed((_near(S, up, 0) == S) & _loud(S))),
    ("a cross", lambda S, up, along: _listed(_cross(S, up, along) & _loud(S))),
    ("bin first", lambda S, up, along: _peaks(S, up, along)[:, ::-1]),
    ("by bins", lambda S, up, along: np.argwhere((_near(S, up, along) == S) & _loud(S))[:, ::-1]),
    ("bins before frames", lambda S, up, along: np.argwhere(_found(S, up, along))),
    ("turned box", lambda S, up, along: _peaks(S, along, up)),
    ("equals lost", _alone),
    ("edges", _inner),
    ("one short", lambda S, up, along: _listed((_near(S, up, along, 0) == S) & _loud(S))),
    ("nearest only", lambda S, up, along: _peaks(S, 1, 1)),
    ("a tenth", lambda S, up, along: _listed(_found(S, up, along) & _loud(S, 0.1))),
    ("all that is loud", lambda S, up, along: _listed(_loud(S))),
    ("a map", lambda S, up, along: _found(S, up, along).astype(float)),
    ("how many", lambda S, up, along: len(_peaks(S, up, along))),
    ("loudest first", _louder),
    ("valleys", lambda S, up, along: _listed((-_near(-S, up, along) == S) & _loud(S))),
)


def _found(S, up, along):
    return (_near(S, up, along) == S) & _loud(S)


def _cross(S, up, along):
    return (_near(S, up, 0) == S) & (_near(S, 0, along) == S)


# ---- pairs ---------------------------------------------------------------------------------------

FEW = np.array([[0, 40], [0, 90], [3, 60], [5, 41], [5, 88], [9, 60]])


def pairs_probes() -> list[Probe]:
    """Return six stars, one star alone, and skies of a hundred."""
    rng = np.random.default_rng(551)
    calls = [
        (FEW, 2, 6, "six stars, fan = 2, reach = 6"),
        (FEW, 9, 5, "six stars, fan = 9, reach = 5"),
        (FEW[:1], 3, 6, "one star"),
        (np.array([[2, 7], [2, 9], [2, 300]]), 3, 6, "three stars in one frame"),
    ]
    for count, fan, reach in ((60, 3, 12), (100, 5, 30), (40, 1, 3)):
        frames = np.sort(rng.integers(0, 2 * count, count))
        stars = np.column_stack([frames, rng.integers(0, 513, count)])
        stars = stars[np.lexsort((stars[:, 1], stars[:, 0]))]
        calls.append((stars, fan, reach, f"{count} stars, fan = {fan}, reach = {reach}"))
    return [Probe((stars, fan, reach), say) for stars, fan, reach, say in calls]


def _rows(stars, fan, reach, *, least=1, row=None, taken=lambda ahead, fan: ahead[:fan]):
    """Return the rows of all anchors."""
    row = row or (lambda m, k, later, other: (k, other, later - m, m))
    rows = []
    for i, (m, k) in enumerate(stars.tolist()):
        ahead = [star for star in stars[i + 1 :].tolist() if least <= star[0] - m <= reach]
        rows += [row(m, k, *star) for star in taken(ahead, fan)]
    return np.array(rows).reshape(-1, 4)


def _both_ways(stars, fan, reach):
    rows = []
    for m, k in stars.tolist():
        near = [star for star in stars.tolist() if 1 <= abs(star[0] - m) <= reach]
        rows += [(k, other, later - m, m) for later, other in near[:fan]]
    return np.array(rows).reshape(-1, 4)


def _next_ones(stars, fan, reach):
    """Take the next stars of the list, and then leave out those that do not fit."""
    rows = []
    for i, (m, k) in enumerate(stars.tolist()):
        some = stars[i + 1 : i + 1 + fan].tolist()
        rows += [(k, other, later - m, m) for later, other in some if 1 <= later - m <= reach]
    return np.array(rows).reshape(-1, 4)


def _as_array(rows):
    return np.array(rows).reshape(-1, 4)


PAIRS_SLIPS = (
    ("both ways", _both_ways),
    ("at once", lambda s, fan, reach: _rows(s, fan, reach, least=0)),
    (
        "frame of the later",
        lambda s, fan, reach: _rows(s, fan, reach, row=lambda m, k, n, o: (k, o, n - m, n)),
    ),
    (
        "one bin twice",
        lambda s, fan, reach: _rows(s, fan, reach, row=lambda m, k, n, o: (k, k, n - m, m)),
    ),
    (
        "a step in bins",
        lambda s, fan, reach: _rows(s, fan, reach, row=lambda m, k, n, o: (k, o - k, n - m, m)),
    ),
    (
        "two frames",
        lambda s, fan, reach: _rows(s, fan, reach, row=lambda m, k, n, o: (k, o, n, m)),
    ),
    (
        "backwards in time",
        lambda s, fan, reach: _rows(s, fan, reach, row=lambda m, k, n, o: (k, o, m - n, m)),
    ),
    (
        "frame in front",
        lambda s, fan, reach: _rows(s, fan, reach, row=lambda m, k, n, o: (m, k, o, n - m)),
    ),
    ("all in reach", lambda s, fan, reach: _rows(s, len(s), reach)),
    ("reach forgotten", lambda s, fan, reach: _rows(s, fan, 10**6)),
    ("reach left out", lambda s, fan, reach: _rows(s, fan, reach - 1)),
    ("one too many", lambda s, fan, reach: _rows(s, fan + 1, reach)),
    ("one too few", lambda s, fan, reach: _rows(s, fan - 1, reach)),
    ("the next in the list", _next_ones),
    (
        "the last ones",
        lambda s, fan, reach: _rows(s, fan, reach, taken=lambda ahead, fan: ahead[-fan:]),
    ),
    ("columns taken for each other", lambda s, fan, reach: _exchanged(s, fan, reach)),
    ("keys alone", lambda s, fan, reach: _rows(s, fan, reach)[:, :3]),
    ("each pair once", lambda s, fan, reach: np.unique(_rows(s, fan, reach), axis=0)),
)


def _exchanged(stars, fan, reach):
    rows = []
    for i, (k, m) in enumerate(stars.tolist()):
        ahead = [star for star in stars[i + 1 :].tolist() if 1 <= star[1] - m <= reach]
        rows += [(k, star[0], star[1] - m, m) for star in ahead[:fan]]
    return _as_array(rows)


# ---- vote ----------------------------------------------------------------------------------------


def _index(songs):
    """Return an index of rows, song by song."""
    index = {}
    for song, rows in enumerate(songs):
        for a, b, apart, frame in rows.tolist():
            index.setdefault((a, b, apart), []).append((song, frame))
    return index


def _lot(rng, count, keys=9):
    keyed = rng.integers(0, keys, (count, 2))
    return np.column_stack([keyed, rng.integers(1, 4, count), np.sort(rng.integers(0, 90, count))])


def vote_probes() -> list[Probe]:
    """Return small indexes and a query of each: a stretch of a song, among rows of chance."""
    rng = np.random.default_rng(557)
    one = np.array([[4, 7, 2, 10], [7, 9, 1, 12], [4, 9, 3, 15]])
    two = np.array([[4, 7, 2, 1], [4, 7, 2, 30], [4, 7, 2, 50], [4, 7, 2, 70], [9, 9, 1, 80]])
    calls = [
        (one - [0, 0, 0, 10], _index([one, two]), "two songs, and a query that is the first"),
        (np.array([[1, 2, 3, 4]]), _index([one]), "a query of which nothing is in the index"),
        (two - [0, 0, 0, 1], _index([one, two]), "a query in which one key comes four times"),
    ]
    for songs, length, offset in ((3, 12, -6), (5, 20, 2), (8, 30, 1), (4, 16, -20)):
        rows = [_lot(rng, 40) for _ in range(songs)]
        lead = int(rng.integers(songs))
        from_song = rows[lead][5 : 5 + length] - [0, 0, 0, offset]
        asked = np.concatenate([from_song, _lot(rng, length // 2)])
        calls.append((asked, _index(rows), f"{songs} songs, and a query of {len(asked)} rows"))
    return [Probe((asked, index), say) for asked, index, say in calls]


def _places(rows, index, of=lambda song, at, frame: (song, at - frame)):
    """Return the votes of each place."""
    votes = {}
    for a, b, apart, frame in rows.tolist():
        for song, at in index.get((a, b, apart), ()):
            place = of(song, at, frame)
            votes[place] = votes.get(place, 0) + 1
    return votes


def _best(votes):
    if not votes:
        return np.array([-1, 0, 0])
    place = max(votes, key=votes.get)
    return np.array([*place, votes[place]])


def _vote(rows, index):
    return _best(_places(rows, index))


def _by_song(rows, index):
    """Name the song with most matches, wherever they are, and its best offset."""
    votes = _places(rows, index)
    songs = {}
    for (song, _), count in votes.items():
        songs[song] = songs.get(song, 0) + count
    if not songs:
        return np.array([-1, 0, 0])
    lead = max(songs, key=songs.get)
    own = {place: count for place, count in votes.items() if place[0] == lead}
    return np.array([*max(own, key=own.get), songs[lead]])


def _all_of_song(rows, index):
    """Name the best place, and give it the votes of its song at all offsets."""
    votes = _places(rows, index)
    song, offset, _ = _best(votes)
    return np.array([song, offset, sum(n for (s, _), n in votes.items() if s == song)])


def _keys_once(rows, index):
    _, first = np.unique(rows[:, :3], axis=0, return_index=True)
    return _vote(rows[np.sort(first)], index)


def _first_entry(rows, index):
    return _vote(rows, {key: entries[:1] for key, entries in index.items()})


def _last_entry(rows, index):
    return _vote(rows, {key: entries[-1:] for key, entries in index.items()})


def _share(rows, index):
    song, offset, count = _vote(rows, index)
    return np.array([song, offset, count / len(rows)])


def _second(rows, index):
    votes = _places(rows, index)
    if votes:
        votes.pop(max(votes, key=votes.get))
    return _best(votes)


VOTE_SLIPS = (
    ("no offset", _by_song),
    ("votes of the song", _all_of_song),
    ("sign of the offset", lambda r, i: _best(_places(r, i, lambda s, at, m: (s, m - at)))),
    ("the song's frame", lambda r, i: _best(_places(r, i, lambda s, at, m: (s, at)))),
    ("the query's frame", lambda r, i: _best(_places(r, i, lambda s, at, m: (s, m)))),
    ("a sum of frames", lambda r, i: _best(_places(r, i, lambda s, at, m: (s, at + m)))),
    ("song forgotten", lambda r, i: _best(_places(r, i, lambda s, at, m: (0, at - m)))),
    ("first entry", _first_entry),
    ("last entry", _last_entry),
    ("keys once", _keys_once),
    ("a share of rows", _share),
    ("second best", _second),
    ("counted songs from 1", lambda r, i: _vote(r, i) + np.array([1, 0, 0])),
    ("votes in front", lambda r, i: np.roll(_vote(r, i), 1)),
    ("offset in front", lambda r, i: _vote(r, i)[[1, 0, 2]]),
    ("song alone", lambda r, i: _vote(r, i)[0]),
    ("song and offset", lambda r, i: _vote(r, i)[:2]),
    ("size of the offset", lambda r, i: np.abs(_vote(r, i))),
)


# ---- noise ---------------------------------------------------------------------------------------


def noise_probes() -> list[Probe]:
    """Return sines and noise at some ratios, among them noise with a mean of its own."""
    rng = np.random.default_rng(553)
    t = np.arange(400) / 400
    sine = 0.3 * np.sin(2 * np.pi * 8 * t)
    hiss = rng.standard_normal(400)
    calls = (
        (sine, hiss, 0.0, "a sine and white noise, snr_db = 0"),
        (sine, hiss, 20.0, "a sine and white noise, snr_db = 20"),
        (sine, 0.05 * hiss, -10.0, "a sine and soft noise, snr_db = −10"),
        (sine + 0.1, np.sign(hiss) + 0.4, 6.0, "a sine and noise, neither with a mean of 0"),
        (rng.laplace(0, 0.2, 900), 3 * rng.random(900), -3.0, "spiky music and noise of one sign"),
    )
    return [Probe((y, noise, snr), say) for y, noise, snr, say in calls]


def _rms(y):
    return np.sqrt(np.mean(y**2))


def _gain(snr_db, per=20):
    return 10 ** (-snr_db / per)


def _mixed(y, noise, gain):
    return y + gain * noise


def _in_noise(y, noise, snr_db):
    return _mixed(y, noise, _rms(y) / _rms(noise) * _gain(snr_db))


def _peak(y):
    return np.abs(y).max()


NOISE_SLIPS = (
    ("10 for 20", lambda y, v, s: _mixed(y, v, _rms(y) / _rms(v) * _gain(s, 10))),
    ("power for amplitude", lambda y, v, s: _mixed(y, v, (_rms(y) / _rms(v)) ** 2 * _gain(s, 10))),
    ("half for power", lambda y, v, s: _mixed(y, v, (_rms(y) / _rms(v)) ** 2 * _gain(s))),
    ("peaks", lambda y, v, s: _mixed(y, v, _peak(y) / _peak(v) * _gain(s))),
    ("mean sizes", lambda y, v, s: _mixed(y, v, np.mean(abs(y)) / np.mean(abs(v)) * _gain(s))),
    ("deviations", lambda y, v, s: _mixed(y, v, np.std(y) / np.std(v) * _gain(s))),
    ("louder for more", lambda y, v, s: _mixed(y, v, _rms(y) / _rms(v) * _gain(-s))),
    ("level of the noise", lambda y, v, s: _mixed(y, v, _rms(y) * _gain(s))),
    ("level of the music", lambda y, v, s: _mixed(y, v, _gain(s) / _rms(v))),
    ("both levels forgotten", lambda y, v, s: _mixed(y, v, _gain(s))),
    ("music scaled", lambda y, v, s: v + y * _rms(v) / _rms(y) / _gain(s)),
    ("upside down ratio", lambda y, v, s: _mixed(y, v, _rms(v) / _rms(y) * _gain(s))),
    ("noise alone", lambda y, v, s: _in_noise(y, v, s) - y),
    ("scaled at the end", lambda y, v, s: _in_noise(y, v, s) / _peak(_in_noise(y, v, s))),
    ("in nepers", lambda y, v, s: _mixed(y, v, _rms(y) / _rms(v) * np.exp(-s / 20))),
    ("clipped", lambda y, v, s: np.clip(_in_noise(y, v, s), -1, 1)),
    ("averaged", lambda y, v, s: _in_noise(y, v, s) / 2),
)


# ---- contrastive ---------------------------------------------------------------------------------


def _turned(rng, n, size, spread):
    """Return vectors of length one, and others near them."""
    Z = rng.standard_normal((n, size))
    near = Z + spread * rng.standard_normal((n, size))
    return tuple(a / np.linalg.norm(a, axis=1, keepdims=True) for a in (Z, near))


def contrastive_probes() -> list[Probe]:
    """Return pairs of vectors from near to unlike, and temperatures from mild to icy."""
    rng = np.random.default_rng(559)
    sets = ((2, 3, 0.3, 1.0), (4, 8, 0.5, 0.1), (8, 16, 1.0, 0.07), (6, 4, 3.0, 0.5))
    probes = []
    for n, size, spread, t in sets:
        say = f"{n} pairs of {size} numbers, temperature = {t}"
        probes.append(Probe((*_turned(rng, n, size, spread), t), say))
    icy = "5 pairs of 6 numbers, temperature = 0.001"
    probes.append(Probe((*_turned(rng, 5, 6, 1.0), 0.001), icy))
    return probes


def _log_shares(Z1, Z2, t, axis=1):
    scores = Z1 @ Z2.T / t
    scores = scores - scores.max(axis=axis, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=axis, keepdims=True))


def _info_nce(Z1, Z2, t):
    return -np.mean(np.diag(_log_shares(Z1, Z2, t)))


def _others(Z1, Z2, t):
    """Leave the right answer out of the sum."""
    scores = Z1 @ Z2.T / t
    rest = np.where(np.eye(len(Z1), dtype=bool), -np.inf, scores)
    top = rest.max(axis=1)
    return np.mean(top + np.log(np.exp(rest - top[:, None]).sum(axis=1)) - np.diag(scores))


def _over_all(Z1, Z2, t):
    """Take the softmax over the whole table."""
    scores = Z1 @ Z2.T / t
    top = scores.max()
    return np.mean(top + np.log(np.exp(scores - top).sum()) - np.diag(scores))


CONTRASTIVE_SLIPS = (
    ("down the columns", lambda a, b, t: -np.mean(np.diag(_log_shares(a, b, t, 0)))),
    ("both directions", lambda a, b, t: (_info_nce(a, b, t) + _info_nce(b, a, t)) / 2),
    ("right one left out", _others),
    ("over the whole table", _over_all),
    ("no temperature", lambda a, b, t: _info_nce(a, b, 1.0)),
    ("times the temperature", lambda a, b, t: _info_nce(a, b, 1 / t)),
    ("a sum over rows", lambda a, b, t: len(a) * _info_nce(a, b, t)),
    ("no minus", lambda a, b, t: -_info_nce(a, b, t)),
    ("no logarithm", lambda a, b, t: np.mean(np.exp(np.diag(_log_shares(a, b, t))))),
    ("error of the mean", lambda a, b, t: -np.log(np.mean(np.exp(np.diag(_log_shares(a, b, t)))))),
    ("one less the share", lambda a, b, t: 1 - np.mean(np.exp(np.diag(_log_shares(a, b, t))))),
    ("every entry", lambda a, b, t: -np.mean(_log_shares(a, b, t))),
    ("cosines alone", lambda a, b, t: -np.mean(np.sum(a * b, axis=1)) / t),
    ("in bits", lambda a, b, t: _info_nce(a, b, t) / np.log(2)),
    ("row by row", lambda a, b, t: -np.diag(_log_shares(a, b, t))),
    ("against itself", lambda a, b, t: _info_nce(a, a, t)),
    ("share of hits", lambda a, b, t: np.mean((a @ b.T).argmax(axis=1) == np.arange(len(a)))),
)


# ---- what is shown -------------------------------------------------------------------------------


def peaks_view():
    """Return a hill that walks through 25 frames, and another one."""
    k, m = np.mgrid[0:30, 0:25]
    S = np.exp(-((k - 5 - m) ** 2) / 6) * (1 + np.cos(m)) + np.exp(-((k - 24) ** 2 + (m - 4) ** 2))
    return np.arange(2 * len(_peaks(S, 3, 2))), [(S, 3, 2)]


def pairs_view():
    """Return the rows of six stars."""
    return np.arange(4 * len(_rows(FEW, 2, 6))), [(FEW, 2, 6)]


def vote_view():
    """Return what a growing query of one song is called."""
    rng = np.random.default_rng(5)
    rows = [_lot(rng, 60) for _ in range(4)]
    asked = rows[2][10:50] - [0, 0, 0, 20]
    return np.arange(3), [(asked, _index(rows))]


def noise_view():
    """Return one sample of a sum at ratios from −20 to 40 dB."""
    ratios = np.arange(-20.0, 41.0, 2.0)
    y, noise = np.array([0.1, -0.1]), np.array([1.0, 1.0])
    return np.repeat(ratios, 2), [(y, noise, float(snr)) for snr in ratios]


def contrastive_view():
    """Return the loss of eight pairs that come closer to each other."""
    spreads = np.linspace(0.05, 2.5, 30)
    calls = [(*_turned(np.random.default_rng(4), 8, 16, float(s)), 0.1) for s in spreads]
    return spreads, calls


CHECKS = {
    "55.peaks": Check(
        peaks_probes,
        _peaks,
        PEAKS_SLIPS,
        atol=1e-9,
        shows=Curve(peaks_view, "place in the list: frame, bin, frame, bin, ...", "frame or bin"),
    ),
    "55.pairs": Check(
        pairs_probes,
        _rows,
        PAIRS_SLIPS,
        atol=1e-9,
        shows=Curve(pairs_view, "place in the list, row after row", "bin or frame"),
    ),
    "55.vote": Check(
        vote_probes,
        _vote,
        VOTE_SLIPS,
        atol=1e-9,
        shows=Curve(vote_view, "song, offset, votes", "three numbers"),
    ),
    "55.noise": Check(
        noise_probes,
        _in_noise,
        NOISE_SLIPS,
        atol=1e-9,
        shows=Curve(noise_view, "snr_db", "first and second sample"),
    ),
    "55.contrastive": Check(
        contrastive_probes,
        _info_nce,
        CONTRASTIVE_SLIPS,
        atol=1e-6,
        shows=Curve(contrastive_view, "distance of the pairs", "loss"),
    ),
}
