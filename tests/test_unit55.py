"""What unit 55 lets you hear, and every number that its pages and its coursework state."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from scipy import ndimage

from helpers import audio, music, stft
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "55_fingerprints"
SR = 8000


@pytest.fixture(scope="module")
def table():
    """The table of measurements, by kind, amount, length, size of the index, and method."""
    with open(pages.ROOT / "data/tables/fingerprints.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("kind", "amount", "seconds", "index", "by")
    found = {}
    for row in rows:
        kind, amount, seconds, index, by = (row[key] for key in keys)
        found[kind, float(amount), int(seconds), int(index), by] = row
    assert len(found) == len(rows)
    return found


def share(table, kind, amount, seconds, by="peaks"):
    row = table[kind, amount, seconds, 200, by]
    return int(row["right"]) / int(row["queries"])


def brute(S, up, along):
    """Stars, place by place."""
    found = []
    for m in range(S.shape[1]):
        for k in range(S.shape[0]):
            box = S[max(0, k - up) : k + up + 1, max(0, m - along) : m + along + 1]
            if S[k, m] == box.max() and S[k, m] > 0.01 * S.max():
                found.append((m, k))
    return np.array(found)


# ---- stars, pairs, votes -------------------------------------------------------------------------


def test_the_page_states_its_own_numbers(unit):
    assert 513 * 32 == 16_416 and 400 * 399 // 2 == 79_800
    assert pytest.approx(16e6, rel=0.02) == 513 * 513 * 60
    assert pytest.approx((117, 0.22), abs=0.3) == (15 * SR / 1024, 7 * 250 / SR)
    assert pytest.approx((7.8, 31), abs=0.3) == (SR / 1024, 1000 * 250 / SR)
    share = 1 / (1 + np.exp(-1))
    assert (share, -np.log(share)) == pytest.approx((0.73, 0.31), abs=0.005)
    assert (np.log(1 + np.exp(-0.1)), np.log(2)) == pytest.approx((0.64, 0.69), abs=0.005)
    assert pytest.approx(1 / 57, rel=0.01) == 0.98**200 and 0.995**200 > 1 / 3
    assert pytest.approx(48) == 0.4 * 300 * 0.4
    assert 0.01 * 1000 / (SR / 1024) > 1 and 0.01 * 390 / (SR / 1024) < 0.5
    assert 12 * np.log2(1.01) == pytest.approx(1 / 6, abs=0.01)
    assert pytest.approx(0.5 * 250 / SR, rel=0.05) == 5 * 0.003
    low, high = scipy.stats.binomtest(1, 400).proportion_ci(method="wilson")
    assert (1 / low, 1 / high) == pytest.approx((2300, 70), rel=0.02)
    assert scipy.stats.binomtest(7, 7).proportion_ci(method="wilson").low == pytest.approx(
        0.65, abs=0.005
    )


def test_the_answers_that_the_page_states_are_those_of_the_solutions():
    found = pages.solutions("55")
    S = np.array([[9, 1, 0, 4], [1, 0, 0, 4.0]])
    assert found["peaks"](S, 1, 1).tolist() == [[0, 0], [3, 0], [3, 1]]
    assert found["peaks"](S, 1, 3).tolist() == [[0, 0]]
    stars = np.array([[0, 40], [0, 90], [3, 60], [5, 41]])
    rows = found["pairs"](stars, 2, 60)
    assert rows[:, 3].tolist() == [0, 0, 0, 0, 3] and rows[-1].tolist() == [60, 41, 2, 3]
    index = {(4, 7, 2): [(0, 10), (1, 3)], (7, 9, 1): [(0, 12)]}
    rows = np.array([[4, 7, 2, 0], [7, 9, 1, 2]])
    assert found["vote"](rows, index).tolist() == [0, 10, 2]
    mixed = found["in_noise"](np.array([0.2, -0.2]), np.ones(2), 20.0)
    np.testing.assert_allclose(mixed, [0.22, -0.18])
    assert found["info_nce"](np.eye(2), np.eye(2), 1.0) == pytest.approx(0.31, abs=0.005)


def test_the_worked_pairs_are_those_of_every_way(unit):
    stars = np.array([[0, 40], [0, 90], [3, 60], [5, 41]])
    rows = pages.solutions("55")["pairs"](stars, 2, 60)
    assert rows[:2].tolist() == [[40, 60, 3, 0], [40, 41, 5, 0]]
    assert unit["paired"](stars)[:2].tolist() == rows[:2].tolist()


def test_stars_are_scipys_and_the_learners(unit):
    y = unit["sounds"][4][: 2 * SR]
    S = unit["magnitudes"](y)
    np.testing.assert_array_equal(unit["largest_near"](S), ndimage.maximum_filter(S, (31, 15)))
    one = brute(S[:160], 15, 7)
    peaks = pages.solutions("55")["peaks"](S[:160], 15, 7)
    np.testing.assert_array_equal(peaks, one)
    np.testing.assert_array_equal(unit["kept"](S[:160], unit["largest_near"](S[:160])), one)


def test_the_learners_functions_build_the_same_search(unit):
    found = pages.solutions("55")
    stars = unit["skies"][9]
    np.testing.assert_array_equal(found["pairs"](stars, 6, 60), unit["paired"](stars))
    for k in (3, 9, 12):
        y = unit["sounds"][k][4 * SR + 60 : 6 * SR + 60]
        song, offset, votes = found["vote"](unit["paired"](unit["constellation"](y)), unit["index"])
        assert unit["identify"](y) == (song, offset * 250 / SR, votes)
        assert song == k and offset * 250 / SR == pytest.approx(4, abs=0.05)


def test_the_tool_that_measures_searches_as_the_page_does(unit):
    from tools.measure import score_fingerprints as tool

    some = unit["sounds"][:8]
    stars = tool.PeakIndex(some)
    for k, y in enumerate(some):
        np.testing.assert_array_equal(tool.peaks(y), unit["skies"][k])
        cut = y[3 * SR + 100 : 5 * SR + 100]
        votes = unit["counted"](unit["paired"](unit["constellation"](cut)))
        best = [max([n for (s, _), n in votes.items() if s == j], default=0) for j in range(8)]
        np.testing.assert_array_equal(stars.scores(cut), best)
    net = tool.NetIndex(some)
    cut = some[5][3 * SR + 100 : 5 * SR + 100]
    likeness = [unit["likeness"](unit["vectors"](cut), bank)[0] for bank in unit["banks"][:8]]
    np.testing.assert_allclose(net.scores(cut), likeness, atol=1e-5)


def test_shifting_is_counting(unit):
    stars, query = unit["skies"][25], unit["query"]
    shift = int(unit["fits"][25].argmax())
    moved = query + np.array([shift, 0])
    same = (moved[:, None] == stars[None]).all(axis=2).any(axis=1)
    assert same.sum() == unit["fits"][25].max() == unit["best"][25]
    assert unit["best"][25] > 2 * max(unit["best"][:25] + unit["best"][26:])
    assert shift == pytest.approx(unit["begin"] / 250, abs=1)
    ahead, behind = ({(m + d, k) for m, k in moved.tolist()} for d in (1, -1))
    sky = set(map(tuple, stars.tolist()))
    fit = {tuple(star) for star, fits in zip(moved.tolist(), same, strict=True) if fits}
    beside = (sky & ahead) | (sky & behind)
    lost = [(m, k) for m, k in moved.tolist() if (m, k) not in fit]
    off = sum((m + 1, k) in beside or (m - 1, k) in beside for m, k in lost)
    assert off == pytest.approx(len(lost) / 2, abs=1)
    assert (unit["by_hand"][:, 0] < 6 * 32).sum() == pytest.approx(200, abs=5)


def test_a_filter_leaves_stars_in_place_and_a_tape_takes_the_pairs(unit):
    y = unit["sounds"][25]
    before = set(map(tuple, unit["skies"][25].tolist()))
    inside = {star for star in before if 300 < star[1] * SR / 1024 < 3400}
    sos = scipy.signal.butter(4, [300, 3400], "band", fs=SR, output="sos")
    after = set(map(tuple, unit["constellation"](scipy.signal.sosfilt(sos, y)).tolist()))
    assert len(inside & after) > 0.95 * len(inside)
    fast = audio.resample(y, sr=8080, to=SR)
    rows = [unit["paired"](unit["constellation"](z))[:, :3].tolist() for z in (y, fast)]
    kept, all_of_them = (set(map(tuple, some)) for some in rows)
    assert len(kept & all_of_them) < 0.05 * len(kept)


def test_a_list_grows_with_the_index(unit):
    index = songs_in_the_index()
    rows = unit["query_pairs"]
    keys = (rows[:, 0] * 1024 + rows[:, 1]) * 64 + rows[:, 2]
    found = []
    for count in (40, 200):
        codes = np.sort(index.codes[index.songs < count])
        found.append(np.mean([np.sum(codes == key) for key in keys]))
    assert found == pytest.approx([2, 8], abs=0.5)


def test_sizes_are_a_trade():
    """30 songs from seed 900, three queries of 2 s each, white noise at -3 dB."""
    sounds = [music.play(music.random_song(seed), sr=SR) for seed in range(900, 930)]
    named, count = zip(
        *(search(sounds, *sizes) for sizes in ((15, 7, 6), (15, 7, 12), (30, 14, 6))),
        strict=True,
    )
    assert named == pytest.approx((0.80, 0.87, 0.63), abs=0.03)
    assert count[1] / count[0] == pytest.approx(2, abs=0.1)
    assert count[2] / count[0] == pytest.approx(1 / 3, abs=0.05)


def search(sounds, up, along, fan):
    """Return the share of queries that are named, and the number of pairs in the index."""
    from tools.measure import score_fingerprints as tool

    found = pages.solutions("55")

    def rows_of(y):
        S = np.abs(stft.stft(y, n_fft=1024, hop_length=250))
        largest = ndimage.maximum_filter(S, size=(2 * up + 1, 2 * along + 1))
        stars = np.argwhere(((largest == S) & (0.01 * S.max() < S)).T)
        return nearest(stars.tolist(), fan)

    index = {}
    for song, y in enumerate(sounds):
        for *key, frame in rows_of(y):
            index.setdefault(tuple(key), []).append((song, frame))
    right = 0
    for song, y in enumerate(sounds):
        for lot in range(3):
            rng = np.random.default_rng([song, lot])
            begin = rng.integers(0, len(y) - 3 * SR)
            query = rows_of(tool.noisy(y[begin : begin + 2 * SR], "white", -3, rng))
            right += found["vote"](query, index)[0] == song
    return right / (3 * len(sounds)), sum(map(len, index.values()))


def nearest(stars, fan):
    """Return the pairs of some stars, at most 60 frames apart."""
    rows = []
    for i, (frame, k) in enumerate(stars):
        ahead = [(m, other) for m, other in stars[i + 1 : i + 60] if 1 <= m - frame <= 60]
        rows += [(k, other, m - frame, frame) for m, other in ahead[:fan]]
    return rows


def test_a_pair_is_found_in_far_fewer_places(unit):
    assert unit["stars_long"] == pytest.approx(60 * unit["pairs_long"], rel=0.1)
    assert unit["pairs_long"] == pytest.approx(2, abs=0.5)
    keys = len(unit["index"])
    entries = sum(map(len, unit["index"].values()))
    assert (keys, entries) == pytest.approx((70_000, 100_000), rel=0.06)
    assert entries / sum(map(len, unit["skies"])) == pytest.approx(6, abs=0.1)


def test_the_hidden_song_is_named_behind_the_voices(unit):
    assert level(unit["secret"]) - level(2 * unit["behind"] - unit["secret"]) == pytest.approx(-5)
    for name in ("identify", "identify_net"):
        song, second, _ = unit[name](unit["secret"])
        assert (song, second) == (25, pytest.approx(6.3, abs=0.1))
    assert unit["identify"](unit["behind"])[:2] == (25, pytest.approx(6.3, abs=0.05))


# ---- what was measured ---------------------------------------------------------------------------


def test_intervals_are_wilsons_by_another_library(table, unit):
    for row in table.values():
        n = int(row["queries"])
        counted = int(row["wrong"] if row["kind"] == "unknown" else row["right"])
        ends = scipy.stats.binomtest(counted, n).proportion_ci(method="wilson")
        assert (float(row["low"]), float(row["high"])) == pytest.approx(ends, abs=6e-4)
        np.testing.assert_allclose(unit["wilson"](counted, n), ends, atol=1e-6)
        assert int(row["wrong"]) <= int(row["said"]) <= n


@pytest.mark.parametrize(
    ("kind", "amount", "seconds"), [("babble", -10, 2), ("speed", 1, 5), ("instruments", 0, 5)]
)
def test_rows_of_stars_come_out_again(table, kind, amount, seconds):
    """A sixth of the queries of three rows, against the whole index."""
    from tools.measure import score_fingerprints as tool

    seeds = range(1000, 1200)
    index = songs_in_the_index()
    hits = 0
    for seed in seeds[::6]:
        score = music.random_song(seed)
        if kind == "instruments":
            y = music.play(score.played_on("clarinet", "choir", "bass"), sr=SR)
        else:
            y = music.play(score, sr=SR)
        faster = SR * (1 + amount / 100) if kind == "speed" else SR
        y = tool.excerpt(y, seconds * faster / SR, seed, seconds)
        if kind == "speed":
            y = audio.resample(y, sr=round(faster), to=SR)
        if kind == "babble":
            y = tool.noisy(y, kind, amount, np.random.default_rng([seed, seconds, 1]))
        hits += index.scores(y).argmax() == seed - 1000
    n = len(seeds[::6])
    p = share(table, kind, amount, seconds)
    assert hits / n == pytest.approx(p, abs=2.5 * np.sqrt(p * (1 - p) / n) + 0.01)


def test_a_stranger_gets_its_votes_from_one_strike():
    """The drum of another song alone brings as many votes as all of it."""
    from tools.measure import score_fingerprints as tool

    index = songs_in_the_index()
    score = music.random_song(2005)
    drums = replace(score, parts=tuple(p for p in score.parts if p.instrument == "drums"))
    votes = [index.scores(tool.excerpt(music.play(s, sr=SR), 5, 2005, 5)) for s in (score, drums)]
    assert votes[0].max() >= 30 and votes[1].max() >= votes[0].max()
    keys, frames = tool.pairs(tool.peaks(tool.excerpt(music.play(score, sr=SR), 5, 2005, 5))).T
    own = index.songs == votes[0].argmax()
    voters = [(at - frame, frame) for key, frame in zip(keys, frames, strict=True)
              for at in index.frames[own & (index.codes == key)]]  # fmt: skip
    offsets = [offset for offset, _ in voters]
    best = max(set(offsets), key=offsets.count)
    where = [frame for offset, frame in voters if offset == best]
    assert len(where) == votes[0].max() and max(where) - min(where) <= 3
    known = np.isin(keys, index.codes).mean()
    assert known > 0.4


MADE = []


def songs_in_the_index():
    """The index of 200 songs, made once."""
    from tools.measure import score_fingerprints as tool

    if not MADE:
        sounds = [music.play(music.random_song(seed), sr=SR) for seed in range(1000, 1200)]
        MADE.append(tool.PeakIndex(sounds))
        assert sum(map(len, sounds)) / SR / 60 == pytest.approx(61, abs=0.5)
    return MADE[0]


def test_noises_in_the_order_of_the_figure(table):
    for seconds in (2, 5):
        for snr in (-5, -10):
            white, pink, babble = (
                share(table, k, snr, seconds) for k in ("white", "pink", "babble")
            )
            assert white < pink < babble

    def half(kind):
        snr = np.array([-15, -10, -5, 0, 5, 10])
        return np.interp(0.5, [share(table, kind, s, 2) for s in snr], snr)

    values = [o["value"] for o in catalogue.prediction("55.babble")["options"]]
    assert half("white") == pytest.approx(values[1], abs=0.6)
    assert half("babble") == pytest.approx(values[2], abs=0.6)


def test_the_right_options_are_what_was_measured(table):
    def value(key, place):
        return catalogue.prediction(key)["options"][place]["value"]

    assert value("55.speed", 2) == pytest.approx(share(table, "speed", 1, 5), abs=0.03)
    assert value("55.instruments", 1) == pytest.approx(share(table, "instruments", 0, 5), abs=0.03)
    highest = float(table["unknown", 0, 5, 200, "peaks"]["highest"])
    assert value("55.unknown", 1) == pytest.approx(highest, rel=0.05)


def test_where_the_network_wins_and_where_it_loses(table):
    for kind, amount, seconds in (("pink", -10, 2), ("speed", 4, 5), ("speed", 2, 5)):
        assert (
            share(table, kind, amount, seconds, "network")
            > share(table, kind, amount, seconds) + 0.4
        )
    for kind, amount in (("babble", -10), ("white", -5)):
        assert share(table, kind, amount, 2) > share(table, kind, amount, 2, "network") + 0.25
    for kind, amount in (("pitch", 50), ("tempo", 2), ("telephone", 0)):
        assert share(table, kind, amount, 5, "network") == 1
    for kind in ("white", "babble"):
        for snr in (0, -5, -10):
            assert share(table, kind, snr, 2) > share(table, kind, snr, 2, "network")
    cover = [share(table, "cover", 0, 5, by) for by in ("peaks", "network")]
    assert max(cover) < 0.1


def test_strangers_get_more_votes_the_more_songs_there_are(table):
    highest = [float(table["unknown", 0, 5, n, "peaks"]["highest"]) for n in (25, 50, 100, 200)]
    assert highest == sorted(highest) and highest[-1] > highest[0]
    clean = table["clean", 0, 5, 200, "peaks"]
    assert clean["right"] == clean["queries"] == clean["said"] and clean["wrong"] == "0"


def test_drums_are_left_in_tune(unit):
    named, drums = unit["named"], unit["drums"]
    assert named[drums].mean() > named[~drums].mean() + 0.3


# ---- the network ---------------------------------------------------------------------------------


def test_the_network_of_the_page_is_the_one_that_was_trained(unit):
    import torch

    from helpers import _weights
    from tools.training import fingerprints

    net, provenance = _weights.restore(fingerprints.FingerprintNet, "fingerprints")
    assert sum(p.numel() for p in net.parameters()) == 99_928
    assert provenance["songs"] == 280 and fingerprints.SONGS == 300
    y = unit["sounds"][3]
    with torch.no_grad():
        stretches = np.stack(
            [y[k * 2000 - 512 : k * 2000 - 512 + fingerprints.NEED] for k in range(1, 9)]
        )
        X = fingerprints.features(torch.from_numpy(stretches).float())
        np.testing.assert_allclose(X, unit["seconds_of"](y)[1:9], atol=2e-3)
        np.testing.assert_allclose(net(X), unit["vectors"](y)[1:9], atol=2e-3)


def test_the_loss_is_torchs_cross_entropy():
    import torch

    info_nce = pages.solutions("55")["info_nce"]
    rng = np.random.default_rng(8)
    Z1, Z2 = rng.standard_normal((2, 12, 5))
    Z1 /= np.linalg.norm(Z1, axis=1, keepdims=True)
    Z2 /= np.linalg.norm(Z2, axis=1, keepdims=True)
    for t in (1.0, 0.07, 0.001):
        theirs = torch.nn.functional.cross_entropy(
            torch.from_numpy(Z1 @ Z2.T / t), torch.arange(12)
        )
        assert info_nce(Z1, Z2, t) == pytest.approx(theirs.item(), rel=1e-9)
    same = np.full((64, 3), 3**-0.5)
    assert info_nce(same, same, 0.1) == pytest.approx(np.log(64))


def test_noise_at_a_ratio_is_mixed_as_by_the_library():
    rng = np.random.default_rng(2)
    y, noise = 0.1 * rng.standard_normal((2, 4000)) + 0.02
    mixed = pages.solutions("55")["in_noise"](y, noise, -7.0)
    np.testing.assert_allclose(mixed, audio.mix(y, noise, snr_db=-7.0), atol=1e-12)
    assert level(y) - level(mixed - y) == pytest.approx(-7.0)


# ---- what can be dragged -------------------------------------------------------------------------


def test_half_a_second_is_enough_if_it_is_the_right_one(unit):
    starts = np.arange(0, 12.01, 0.1).round(1)
    won = [s for s in starts if unit["cut"](s, 0.4, "white, 0 dB")["solved"]]
    assert 5 <= len(won) <= 25
    assert not any(unit["cut"](s, 0.5, "white, 0 dB")["solved"] for s in starts)
    assert not any(unit["cut"](s, 0.4, "none")["solved"] for s in starts)
    made = unit["cut"](4.0, 3.0, "none")
    assert made["votes"].max() > 300 and made["at"][made["votes"].argmax()] == pytest.approx(
        4.0, abs=0.02
    )


def test_a_song_sinks_deepest_in_voices(unit):
    deepest = {}
    for kind in ("white", "pink", "babble"):
        won = [snr for snr in range(-20, 21) if unit["sunk"](snr, kind)["solved"]]
        deepest[kind] = min(won)
        assert max(won) == unit["LOW"][kind] and len(won) <= 4
    assert deepest["babble"] < deepest["pink"] < deepest["white"] + 1
    clear = unit["sunk"](20, "babble")
    assert f"of {len(unit['sky0'])} stars stay" in clear["readout"]
    stay = len(clear["stay_t"]) + np.isfinite(clear["lost_t"]).sum()
    assert stay == len(unit["sky0"])


def test_two_octaves_at_the_wrong_speed(unit):
    won = [
        (s, low)
        for s in (-0.6, -0.3, 0.2, 0.3, 0.6)
        for low in (100, 250, 500, 1000)
        if unit["tear"](s, low, 4 * low)["solved"]
    ]
    assert {s for s, _ in won} <= {-0.3, 0.3} and won
    assert not unit["tear"](0.3, 50, 4000)["solved"]
    assert "votes: 0 for song 25" in unit["tear"](0.0, 62.5, 62.5)["readout"]
    at_speed = unit["worn"](0.0, 50, 4000)
    assert abs(level(at_speed) - level(unit["long25"][: 5 * SR] / 32767)) < 1


def test_nothing_is_loud(unit):
    for sound in (
        unit["cut"](4, 3, "none")["sound"],
        unit["sunk"](-10, "babble")["sound"],
        unit["tear"](2, 300, 3000)["sound"],
    ):
        assert np.abs(sound).max() <= 10 ** (-12 / 20)
        assert -45 < level(sound) < -15
    assert np.abs(unit["behind"]).max() < 10 ** (-6 / 20)
    assert np.abs(unit["both"]).max() < 10 ** (-3 / 20)


# ---- guesses, real recordings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "axis"),
    [("55.lists", 1), ("55.babble", 0), ("55.speed", 1), ("55.instruments", 1), ("55.unknown", 0)],
)
def test_the_guess_stands_in_the_figure(unit, key, axis, tmp_path, monkeypatch):
    for option, entry in enumerate(catalogue.prediction(key)["options"]):
        _, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy[axis] == entry["value"]
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


CORPUS = pages.SHARED / "corpus/music"
REAL = ("brahms", "fishin", "nutcracker", "trumpet", "vibeace", "loop_compus", "sms_piano")


def real(name):
    y, sr = audio.load(CORPUS / f"{name}.flac")
    return audio.resample(y if y.ndim == 1 else y.mean(axis=0), sr=sr, to=SR)[: 60 * SR]


@pytest.mark.skipif(not (CORPUS / "brahms.flac").is_file(), reason="needs ../shared/corpus")
def test_real_recordings_are_found_in_noise_by_stars_and_by_the_network(unit):
    from tools.measure import score_fingerprints as tool

    sounds = [real(name) for name in REAL] + unit["sounds"][:10]
    ways = tool.PeakIndex(sounds), tool.NetIndex(sounds)
    right = np.zeros((2, len(REAL)))
    for k, y in enumerate(sounds[: len(REAL)]):
        begin = min(3 * SR, len(y) - 2 * SR) // 2 + 77
        cut = y[begin : begin + 2 * SR]
        cut = tool.noisy(cut, "pink", 5, np.random.default_rng(k))
        right[:, k] = [way.scores(cut).argmax() == k for way in ways]
    assert right.all(), right


@pytest.mark.skipif(not (CORPUS / "brahms.flac").is_file(), reason="needs ../shared/corpus")
@pytest.mark.parametrize("name", ["brahms", "vibeace", "humpback", "drum_snare_hard"])
def test_the_cells_for_your_own_take_a_recording_that_is_not_in_the_index(unit, name, capsys):
    cells = pages.code_cells(NAME, tag="own-file")
    path = CORPUS / f"{name}.flac"
    names = dict(unit)
    exec(cells[0].replace('my_file = ""', f"my_file = {str(path)!r}"), names)
    said = capsys.readouterr().out
    assert "stars: song" in said and "network: song" in said
    assert names["votes"] < 40
    exec(cells[1], names)


def test_silence_is_no_song(unit):
    for y in (np.zeros(2 * SR), np.pad(unit["secret"], (0, 4 * SR))):
        assert np.isfinite(unit["vectors"](y)).all()
    assert unit["identify"](np.zeros(2 * SR)) == (-1, 0, 0)


def test_the_made_room_is_named_by_both(unit):
    y = unit["made_room"](unit["sounds"][23][5 * SR : 13 * SR])
    assert unit["identify"](y)[0] == unit["identify_net"](y)[0] == 23
