"""What unit 51 lets you hear, and every number that its pages and its coursework state."""

import dataclasses
import math

import librosa
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from helpers import music
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "51_synchronisation"
SR = 22050
PEER = "needs libfmp: pip install --no-deps libfmp==1.3.0 pandas==3.1.1"
FORBIDDEN = {"step_sizes_sigma": np.array([[1, 1], [1, 2], [2, 1]]), "weights_mul": np.ones(3)}


def plain_chroma(y, hop=1024):
    """A compressed chroma once more: librosa's STFT, a loop over classes, and no unit length."""
    S = np.abs(librosa.stft(y, n_fft=4096, hop_length=hop, pad_mode="constant")) ** 2
    numbers = np.round(69 + 12 * np.log2(np.arange(1, len(S)) * SR / 4096 / 440))
    kept = numbers >= 0
    C = np.array([S[1:][kept & (numbers % 12 == k)].sum(axis=0) for k in range(12)])
    return np.log1p(100 * C / np.maximum(C.max(axis=0), 1e-12))


def cosine_cost(A, B):
    """SciPy's cosine distance; where a frame is silent it says NaN, and the unit says 1."""
    return np.nan_to_num(cdist(A.T, B.T, "cosine"), nan=1.0)


def late(path, one, other, hop=1024):
    """How late each half beat is [ms], by a loop over frames."""
    frames = sorted(set(path[:, 0]))
    partners = [path[path[:, 0] == n, 1].mean() for n in frames]
    half = np.arange(0, one.length, 0.5)
    told = np.interp(one.seconds(half), np.array(frames) * hop / SR, np.array(partners) * hop / SR)
    return 1000 * (told - other.seconds(half))


# ---- the path ------------------------------------------------------------------------------------


def test_by_hand_is_librosa_and_libfmp(unit):
    C = unit["coarse"]
    D, path = unit["dtw"](C)
    theirs, way = librosa.sequence.dtw(C=C)
    assert np.array_equal(D, theirs)
    assert np.array_equal(path, way[::-1])
    assert C[tuple(path.T)].sum() == pytest.approx(D[-1, -1])
    c3 = pytest.importorskip("libfmp.c3", reason=PEER)
    assert np.array_equal(D, c3.compute_accumulated_cost_matrix(C))
    assert np.array_equal(path, c3.compute_optimal_warping_path(D))


def test_the_cheapest_of_all_paths_is_found_where_all_can_be_tried(unit):
    rng = np.random.default_rng(0)
    for _ in range(20):
        C = rng.uniform(0, 1, (4, 5))

        def cheapest(n, m, C=C):
            if (n, m) == (0, 0):
                return C[0, 0]
            steps = [(n - 1, m), (n, m - 1), (n - 1, m - 1)]
            return C[n, m] + min(cheapest(*s) for s in steps if min(s) >= 0)

        assert unit["dtw"](C)[0][-1, -1] == pytest.approx(cheapest(3, 4))


def test_the_page_counts_paths_and_bytes_rightly(unit):
    paths = sum(math.comb(9, k) * math.comb(9 + k, 9) for k in range(10))  # Delannoy's number
    assert unit["ways"][-1, -1] == paths == 1462563
    assert math.comb(18, 9) == 48620  # without diagonal steps
    assert (10 * 60 * 50) ** 2 * 8 == 7.2e9
    assert pytest.approx(1.75e12, rel=0.001) == (60 * SR) ** 2
    assert round(1000 * 4096 / SR) == 186


def test_the_features_are_a_plain_loop_and_the_costs_are_scipys(unit):
    ours, plain = unit["compressed"](unit["y1"]), plain_chroma(unit["y1"])
    lengths = np.linalg.norm(plain, axis=0)
    np.testing.assert_allclose(ours * lengths, plain, atol=1e-6)
    np.testing.assert_allclose(
        1 - unit["X"].T @ unit["Y"], cosine_cost(plain, plain_chroma(unit["y2"])), atol=1e-6
    )


def test_silence_is_refused_by_librosa_and_costs_1_here(unit):
    raw = music.chroma(unit["y1"], sr=SR, hop_length=1024)
    with np.errstate(invalid="ignore"):
        naive = raw / np.linalg.norm(raw, axis=0)
    assert np.isnan(naive).sum() == 60
    with pytest.raises(librosa.ParameterError, match="NaN"):
        librosa.sequence.dtw(naive, unit["Y"], metric="cosine")
    silent = np.flatnonzero(~unit["X"].any(axis=0))
    assert len(silent) == 5
    assert np.all(1 - unit["X"][:, silent].T @ unit["Y"] == 1)


# ---- how far off ---------------------------------------------------------------------------------


def test_misses_are_those_of_a_loop(unit):
    rng = np.random.default_rng(1)
    one, other, y, z = unit["songs"][int(rng.integers(40))]
    path = librosa.sequence.dtw(C=cosine_cost(plain_chroma(y), plain_chroma(z)))[1][::-1]
    np.testing.assert_allclose(unit["misses"](path, one, other), late(path, one, other), atol=1e-6)


def test_the_numbers_of_chapters_3_and_4(unit):
    stated = {"MFCC": 47, "chroma, power": 104, "chroma, compressed": 41, "CENS": 75}
    for name, median in stated.items():
        assert unit["by_feature"][name][0].mean() == pytest.approx(median, abs=1.5)
    assert np.mean(unit["lines"], axis=0)[0] == pytest.approx(301, abs=1.5)
    assert [r[0].mean() for r in unit["finer"]] == pytest.approx([47, 41, 41], abs=1.5)
    both, plain = unit["with_onsets"], unit["by_feature"]["chroma, compressed"]
    assert both[0].mean() < plain[0].mean() and both[1].mean() < 0.7 * plain[1].mean()
    assert np.sum(both[0] < plain[0]) >= 25
    stated = {"free": (41, 234), "no standing still": (47, 177), "diagonal pays twice": (100, 620)}
    for name, numbers in stated.items():
        assert unit["by_rule"][name].mean(axis=1) == pytest.approx(numbers, rel=0.05)
    worst = {name: np.sort(result[1])[-3:] for name, result in unit["by_feature"].items()}
    assert worst["MFCC"].max() > 2 * worst["chroma, compressed"].max()


def test_other_songs_by_other_code_tell_the_same_story(unit):
    """Twelve songs of other seeds: the order of features and of rules."""
    found = {"power": [], "log": [], "forbidden": [], "fair": []}
    for i in range(12):
        song = music.random_song(2000 + i, bars=8, drums=False)
        bands = (unit["BANDS"][i % 5], unit["BANDS"][(i + 2) % 5])
        one, other = (
            unit["freely"](song.played_on(*band, "bass"), 900 + 2 * i + k)
            for k, band in enumerate(bands)
        )
        A, B = (plain_chroma(music.play(score)) for score in (one, other))
        power = [np.expm1(F) for F in (A, B)]
        fair = {"weights_mul": np.array([2.0, 1.0, 1.0])}
        for name, C, rule in (
            ("power", cosine_cost(*power), {}),
            ("log", cosine_cost(A, B), {}),
            ("forbidden", cosine_cost(A, B), FORBIDDEN),
            ("fair", cosine_cost(A, B), fair),
        ):
            path = librosa.sequence.dtw(C=C, **rule)[1][::-1]
            off = np.abs(late(path, one, other))
            found[name].append((np.median(off), np.quantile(off, 0.95)))
    median, most = ({name: np.mean(v, axis=0)[k] for name, v in found.items()} for k in (0, 1))
    assert 1.3 * median["log"] < median["power"]
    assert most["forbidden"] < most["log"] < most["fair"]
    assert 1.5 * median["log"] < median["fair"]


def test_a_path_that_is_shifted_by_5_ms_tells_the_same(unit):
    """The ballad's numbers stand for one piece, so they must not hang on where frames begin."""
    y, z = (np.pad(y, (110, 0)) for y in (unit["y1"], unit["y2"]))
    path = librosa.sequence.dtw(C=cosine_cost(plain_chroma(y), plain_chroma(z)))[1][::-1]
    off = np.abs(late(path, unit["slow"], unit["quick"]))
    assert np.median(off) == pytest.approx(np.median(unit["ballad"]), abs=6)


# ---- where, and how fast -------------------------------------------------------------------------


def test_a_passage_is_found_twice_and_nowhere_else(unit):
    low, second, third = sorted(
        unit["match"][k]
        for k in unit["low"]
        if np.all(unit["match"][max(0, k - 43) : k + 43] >= unit["match"][k])
    )[:3]
    assert (low, second, third) == pytest.approx((0.073, 0.075, 0.150), abs=0.0005)
    Q = plain_chroma(unit["y2"])
    frames = [round(unit["quick"].seconds(b) * SR / 1024) for b in (16, 24)]
    D = librosa.sequence.dtw(
        C=cosine_cost(Q[:, slice(*frames)], plain_chroma(unit["y1"])), subseq=True, **FORBIDDEN
    )[0]
    np.testing.assert_allclose(D[-1] / (frames[1] - frames[0]), unit["match"], atol=1e-5)


def test_what_the_quiz_says_of_librosas_subsequences():
    """A matrix is taken as it is; given features, librosa turns it where the first are longer."""
    rng = np.random.default_rng(4)
    piece = rng.uniform(0, 1, (12, 60))
    query = piece[:, 20:30] + 0.01 * rng.uniform(0, 1, (12, 10))
    for first, second, column in ((query, piece, 1), (piece, query, 0)):
        way = librosa.sequence.dtw(first, second, subseq=True, metric="cosine")[1]
        assert (way[-1, column], way[0, column]) == (20, 29)
    C = cosine_cost(query, piece)
    way = librosa.sequence.dtw(C=C, subseq=True)[1]
    assert (way[-1, 1], way[0, 1]) == (20, 29)
    turned = librosa.sequence.dtw(C=C.T, subseq=True)[1]
    assert (turned[-1, 0], turned[0, 0]) != (20, 29)


def test_a_bar_is_found_in_nine_cases_of_ten(unit):
    assert unit["shares"].mean(axis=0) == pytest.approx([0.50, 0.71, 0.88, 0.99, 1.0], abs=0.02)
    assert unit["overlap"]((0, 2), (1, 3)) == pytest.approx(1 / 3)
    assert unit["overlap"]((0, 1), (2, 3)) == 0


def test_tempi_are_those_of_the_score(unit):
    means = unit["tempo_off"].mean(axis=0)
    assert means == pytest.approx([8.8, 2.7, 4.1, 4.1, 5.4], abs=0.4)
    steady = dataclasses.replace(unit["slow"], tempo=((0, 80.0),))
    curve = unit["tempi"](steady, music.play(steady), (4,))[4]
    assert np.median(np.abs(curve / 80 - 1)) < 0.01


def test_the_bent_piano_plays_in_time_and_at_its_pitch(unit):
    for name, median in (("slow", -3), ("quick", -13)):
        y = unit["y1"] if name == "slow" else unit["bent"]
        off = unit["beat_offsets"](y, unit[name])
        assert np.median(off) == pytest.approx(median, abs=3)
    exact = unit["beat_offsets"](unit["by_score"], unit["quick"])
    assert np.median(exact) == pytest.approx(-33, abs=3)
    t = np.arange(2 * SR) / SR
    tone = 0.3 * np.sin(2 * np.pi * 440 * t)
    bent = unit["warp"](tone, np.array([0, 1, 2.0]), np.array([0, 0.7, 2.5]))
    assert len(bent) == pytest.approx(2.5 * SR, abs=600)
    top = np.abs(np.fft.rfft(bent * np.hanning(len(bent)))).argmax() * SR / len(bent)
    assert top == pytest.approx(440, abs=0.6)
    # neighbouring bins of one tone fall out of step, which costs it a little level
    assert level(bent[2000:-2000]) == pytest.approx(level(tone), abs=1.2)


def test_nothing_is_loud(unit):
    for y in (*unit["both"].values(), unit["met"], unit["unbent"]):
        assert np.abs(y).max() < 10 ** (-6 / 20) + 1e-9
        for channel in y:
            assert level(channel) == pytest.approx(-26, abs=1)
    for sound in (
        unit["drawn"](1.2, 2.6, 4.3, 5.9, 7.1)["sound"],
        unit["asked"](4.0, 6.0)["sound"],
        unit["asked"](31.0, 33.0)["sound"],
    ):
        assert np.abs(sound).max() <= 10 ** (-12 / 20)
        assert -40 < level(sound) < -15


# ---- what can be dragged -------------------------------------------------------------------------


def test_the_straight_line_loses_and_the_valley_wins(unit):
    straight = unit["drawn"](1.3, 2.7, 4.0, 5.4, 6.7)
    assert not straight["solved"] and "off by 227 ms" in straight["readout"]
    by_score = np.interp(unit["knots"][1:-1], unit["truth_1"], unit["truth_2"]).round(1)
    assert unit["drawn"](*by_score)["solved"].startswith("Yes: ")
    assert not unit["drawn"](1.2, 2.6, 4.3, 5.9, 6.7)["solved"]
    back = unit["drawn"](4.0, 1.0, 4.0, 3.0, 6.7)["path"]
    assert np.all(np.diff(back) >= 0)


def test_the_rules_of_the_stage_are_librosas(unit):
    C = np.random.default_rng(3).uniform(0, 1, (14, 11))
    everywhere = np.ones(C.shape, dtype=bool)
    rules = {"free": {}, "no standing still": FORBIDDEN}
    rules |= {"diagonal pays twice": {"weights_mul": np.array([2.0, 1.0, 1.0])}}
    for name, rule in rules.items():
        path = unit["cheapest"](C, unit["STEPS"][name], everywhere)
        assert np.array_equal(path, librosa.sequence.dtw(C=C, **rule)[1][::-1])
    assert unit["cheapest"](C, unit["STEPS"]["free"], np.eye(14, 11, dtype=bool)) is None


def test_the_rules_are_won_with_the_good_pair_in_a_narrow_band(unit):
    good = unit["ruled"](1.5, "chroma, compressed", "no standing still")
    assert good["solved"] and "95 % below 161 ms" in good["readout"]
    assert not unit["ruled"](12, "chroma, compressed", "no standing still")["solved"]
    assert not unit["ruled"](1.5, "MFCC", "no standing still")["solved"]
    assert not unit["ruled"](1.5, "chroma, compressed", "free")["solved"]
    assert not unit["ruled"](0.5, "chroma, compressed", "no standing still")["solved"]
    assert "median 2676 ms" in unit["ruled"](12, "MFCC", "diagonal pays twice")["readout"]
    slow, quick = (unit[name].seconds(np.arange(65)) for name in ("slow", "quick"))
    line = slow * quick[-1] / slow[-1] - quick
    assert np.abs(line).max() == pytest.approx(0.89, abs=0.02)
    N, M = (F.shape[1] for F in unit["whole"]["MFCC"])
    away = np.abs(np.arange(M)[None] - np.arange(N)[:, None] * (M - 1) / (N - 1)) * 4096 / SR
    assert np.mean(away <= 1.5) < 0.1  # of all cells


def test_the_matching_curve_of_the_stage_is_librosas(unit):
    curve, places, began = unit["searched"](6.0, 8.5)
    Q = unit["Y2"][:, round(6.0 * SR / 2048) : round(8.5 * SR / 2048)]
    D, way = librosa.sequence.dtw(C=1 - Q.T @ unit["X2"], subseq=True, **FORBIDDEN)
    np.testing.assert_allclose(curve, np.minimum(D[-1] / Q.shape[1], 0.6), atol=1e-9)
    assert places[0] == way[0, 1]
    assert began[places[0]] == way[-1, 1]


def test_a_query_of_two_places_wins_and_others_do_not(unit):
    assert not unit["asked"](4.0, 4.6)["solved"]
    assert unit["asked"](5.0, 6.0)["solved"].startswith("Yes: 1.0 s")
    assert not unit["asked"](2.0, 5.0)["solved"]  # two places, and too long
    assert not unit["asked"](5.0, 5.4)["solved"]  # two places, and too short
    long = unit["asked"](5.0, 10.0)  # a wide valley counts once
    assert np.diff(np.sort(long["deep"])).min() > 4.9
    for start in (0.0, 5.0, 20.0):
        said = unit["asked"](start, start + 1.0)
        assert f"{len(said['deep'])} place" in said["readout"]
    assert "0.4 s" in unit["asked"](10.0, 8.0)["readout"]  # the end stays behind the beginning


# ---- guesses, the open exercise, real recordings -------------------------------------------------


@pytest.mark.parametrize(
    ("key", "values"),
    [("51.features", (0, 1, 2, 3)), ("51.length", (1, 4, 16)), ("51.window", (0.5, 1, 4, 8))],
)
def test_the_guess_stands_in_the_figure(unit, key, values, tmp_path, monkeypatch):
    for option, value in enumerate(values):
        _, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy[0] == value
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("key", "at", "values"),
    [("51.frames", 1000 * 512 / SR, (12, 40, 80)), ("51.fair", 2, (20, 42, 100))],
)
def test_the_guess_of_a_miss_stands_at_its_height(unit, key, at, values, tmp_path, monkeypatch):
    for option, value in enumerate(values):
        _, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy == pytest.approx((at, value))


def test_from_sound_alone_loudness_is_not_enough():
    """The path of the envelopes, and that of a plain straight line, are refused."""
    exercise = catalogue.exercise("51.follow")

    def by_loudness(y, z, times, sr):
        A, B = (librosa.feature.rms(y=x, hop_length=1024) for x in (y, z))
        path = librosa.sequence.dtw(A, B)[1][::-1] * 1024 / sr
        return np.interp(times, path[:, 0], path[:, 1])

    result = exercise.check(by_loudness)
    assert result.outcome == "not yet"
    assert result.measured.startswith("Median misses of the three pieces: ")


EMPTY = 'my_slow, my_fast = "", ""'  # as the page has it
RECORDED = ("brahms", "nutcracker", "vibeace", "sms_singing-female", "drum_snare_hard")


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/music/brahms.flac").is_file(), reason="needs ../shared/corpus"
)
@pytest.mark.parametrize("name", RECORDED)
def test_the_cells_for_your_own_follow_real_recordings(unit, name, capsys):
    cells = pages.code_cells(NAME, tag="own-file")
    path = pages.SHARED / "corpus/music" / f"{name}.flac"
    names = dict(unit)
    given = cells[0].replace(EMPTY, f'my_slow, my_fast = {str(path)!r}, ""')
    assert given != cells[0]
    for source in (given, *cells[1:]):
        exec(source, names)
    assert np.median(names["gone"]) < 40
    said = capsys.readouterr().out
    assert "the bend is known: off by" in said


def own(unit, first, second):
    """Run the cells for your own recordings with two names; return what they leave behind."""
    cells = pages.code_cells(NAME, tag="own-file")
    names = dict(unit)
    given = cells[0].replace(EMPTY, f"my_slow, my_fast = {first!r}, {second!r}")
    for source in (given, *cells[1:]):
        exec(source, names)
    return names


def test_claps_are_followed_by_their_onsets(unit, tmp_path):
    """Noise without pitch, one rhythm twice, the second time in 0.7 of the time."""
    import soundfile

    rng = np.random.default_rng(5)
    gaps = [0.3, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 1, 0.5, 0.5]
    struck = np.cumsum(gaps)
    files = []
    for k, speed in enumerate((1.0, 0.7)):
        y = 1e-4 * rng.standard_normal(round((struck[-1] * speed + 0.6) * SR))
        for t in np.round(struck * speed * SR).astype(int):
            y[t : t + 2600] += 0.2 * rng.standard_normal(2600) * np.exp(-np.arange(2600) / 400)
        files.append(str(tmp_path / f"{k}.wav"))
        soundfile.write(files[-1], y, SR)
    names = own(unit, *files)
    at = struck - struck[0]  # silence at the ends is taken off
    told = np.interp(at, names["mine"][:, 0], names["mine"][:, 1])
    assert np.abs(told - 0.7 * at).max() < 0.06


@pytest.mark.parametrize("seconds, level", [(3.0, 0.0), (0.05, 0.1)])
def test_a_recording_of_nothing_is_refused_in_words(unit, seconds, level, tmp_path):
    import soundfile

    y = level * np.random.default_rng(6).standard_normal(round(seconds * SR))
    soundfile.write(tmp_path / "no.wav", y, SR)
    with pytest.raises(ValueError, match=r"holds less than 0\.2 s of sound: record it again"):
        own(unit, str(tmp_path / "no.wav"), "")


def test_one_name_alone_is_bent_by_lot_whichever_it_is(unit, tmp_path, capsys):
    import soundfile

    y = music.play(music.random_song(8, bars=4, drums=False))
    soundfile.write(tmp_path / "one.wav", y, SR)
    one = str(tmp_path / "one.wav")
    first = own(unit, one, "")["gone"]
    assert np.array_equal(first, own(unit, "", one)["gone"])
    assert np.median(first) < 40
    assert capsys.readouterr().out.count("the bend is known") == 2


def test_the_cells_for_your_own_take_two_recordings(unit, capsys, tmp_path):
    """One tune by two instruments, the second three times as fast: too fast for the rule."""
    import soundfile

    score = music.random_song(7, bars=4, drums=False, bpm=60.0)
    files = []
    bands = (("piano", "piano", "bass"), 60.0), (("oboe", "guitar", "bass"), 170.0)
    for k, (band, bpm) in enumerate(bands):
        played = dataclasses.replace(score.played_on(*band), tempo=((0, bpm),))
        files.append(str(tmp_path / f"{k}.wav"))
        soundfile.write(files[-1], music.play(played), SR)
    cells = pages.code_cells(NAME, tag="own-file")
    names = dict(unit)
    given = cells[0].replace(EMPTY, f"my_slow, my_fast = {files[0]!r}, {files[1]!r}")
    for source in (given, *cells[1:]):
        exec(source, names)
    said = capsys.readouterr().out
    assert "the bend is known" not in said
    at = np.arange(2, 16)
    told = np.interp(at * 1.0, names["mine"][:, 0], names["mine"][:, 1])
    assert np.median(np.abs(told - at * 60 / 170)) < 0.1
