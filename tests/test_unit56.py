"""What unit 56 lets you hear, and every number that its pages and its coursework state."""

import csv
import itertools

import librosa
import mir_eval
import numpy as np
import pytest

from helpers import audio, music
from tests import pages
from tests.pages import level

NAME = "56_melody"
SR = 22050
HOP = 512


def stored():
    """The table, read without the page."""
    path = pages.ROOT / "data" / "tables" / "tunes.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["task"], row["what"], row["how"]): np.array(row["values"].split(), float)
        for row in rows
    }


def tune_hz(score, times):
    """The tune of a score in Hz, 0 in its rests, note by note."""
    hz = np.zeros(len(times))
    for start, beats, note, _ in score.parts[0].notes:
        a, b = score.seconds(start), score.seconds(start + beats)
        hz[(times >= a) & (times < b)] = 440 * 2 ** ((note - 69) / 12)
    return hz


def scored(score, guess):
    """mir_eval's raw pitch and raw chroma accuracy of a row of MIDI numbers."""
    times = np.arange(len(guess)) * HOP / SR
    hz = np.nan_to_num(440 * 2 ** ((guess - 69) / 12))
    found = mir_eval.melody.evaluate(times, tune_hz(score, times), times, hz)
    return found["Raw Pitch Accuracy"], found["Raw Chroma Accuracy"]


# ---- pitches -------------------------------------------------------------------------------------


def test_the_known_answers_of_the_page():
    solved = pages.solutions("56")
    told = solved["contour"](np.array([110, 0, 165, 247.5]))
    np.testing.assert_allclose(told, [-7.02, 0, 7.02], atol=0.005)
    line = np.zeros((100, 1))
    line[44] = 1
    told = solved["salience"](line, np.array([69.0, 57.0]), 10.0, 2, 0.6)
    np.testing.assert_allclose(told[:, 0], [1, 0.6], atol=1e-9)
    truth, guess = np.array([60.0, 62, 0, 64]), np.array([60.4, 0, 65, 63])
    assert solved["raw_pitch"](truth, guess) == pytest.approx(1 / 3)
    alike = np.array([[9.0, 1, 2, 3], [5, 6, 1, 2], [4, 3, 2, 1]])
    assert solved["mrr"](alike, np.array([0, 0, 3])) == pytest.approx(0.583, abs=0.0005)
    two, eleven = np.eye(12)[:, [2]], np.eye(12)[:, [11]]
    np.testing.assert_array_equal(solved["in_key"](two, eleven), np.roll(eleven, 3, axis=0))


def test_hertz_spread_out_what_semitones_do_not(unit):
    spans = [np.nanmax(f) - np.nanmin(f) for f in (unit["f_flute"], unit["f_hum"])]
    assert 2.7 < spans[0] / spans[1] < 3


def test_warping_is_nearer_at_equal_height_and_a_hand_may_choose_another(unit):
    even = np.interp(np.linspace(0, 1, 400), unit["knots"], unit["line_in"])
    for up in (-1.0, 0.0, 1.0, 1.5):
        straight = np.abs(even + up - unit["flat"]).mean()
        assert unit["warped"](unit["line_in"] + up, unit["flat"])[0] < straight
    assert unit["cost"] > 0.85


def test_where_the_strongest_pitch_hops(unit):
    """To the octave below and never to the one above; the path errs only where notes change."""
    truth = unit["truth"]
    off = unit["strongest"][unit["asked"]] - truth
    wrong = np.abs(off) >= 0.5
    assert np.sum(np.abs(off + 12) < 0.5) > 10 and not np.any(np.abs(off - 12) < 0.5)
    ends = np.flatnonzero(np.diff(np.pad(wrong.astype(int), 1)))
    lengths = ends[1::2] - ends[::2]
    assert lengths.min() == 1 and lengths.max() == 9
    assert pytest.approx(0.2, abs=0.01) == 9 * HOP / SR
    apart = np.abs(unit["line_song"][unit["asked"]] - truth)
    edges = np.flatnonzero(truth[1:] != truth[:-1]) + 1
    for k in np.flatnonzero(apart >= 0.5):
        assert np.abs(edges - k).min() <= 2


def test_the_page_states_its_own_numbers():
    assert pytest.approx(186, abs=0.5) == 1000 * 4096 / SR
    assert pytest.approx(93, abs=0.5) == 1000 * 2048 / SR
    assert pytest.approx(43, abs=0.1) == SR / HOP
    assert pytest.approx(0.46, abs=0.005) == 5 * 2048 / SR
    contour = pages.solutions("56")["contour"]
    for scale in (1, 0.5):
        told = contour(scale * np.array([220.0, 330.0, 440.0]))
        np.testing.assert_allclose(told, [-7.02, 0, 4.98], atol=0.005)


def test_the_learners_salience_is_the_pages_and_librosas(unit):
    salience = pages.solutions("56")["salience"]
    S = unit["S_song"][:, 500:520]
    grid = unit["pitches"][:40:7]
    ours = salience(S, grid, SR / 4096, 6, 0.6)
    np.testing.assert_allclose(ours, unit["harmonic_sum"](S, grid), atol=1e-9)
    for k, pitch in enumerate(grid):
        f0 = np.full(20, librosa.midi_to_hz(pitch))
        freqs = librosa.fft_frequencies(sr=SR, n_fft=4096)
        parts = librosa.f0_harmonics(S, freqs=freqs, f0=f0, harmonics=np.arange(1, 7))
        np.testing.assert_allclose(ours[k], 0.6 ** np.arange(6) @ parts, atol=1e-9)


def test_one_sine_has_six_owners(unit):
    owners = librosa.hz_to_midi(librosa.midi_to_hz(72) / np.arange(1, 7))
    Z = unit["Z_sine"][1.0] / unit["Z_sine"][1.0].max()
    for owner in owners:
        near = np.abs(unit["low_pitches"] - owner) < 0.3
        assert Z[near].max() > 0.93
    assert Z[np.abs(unit["low_pitches"] - 84) < 0.5].max() < 0.05
    weighed = unit["Z_sine"][0.6]
    assert unit["low_pitches"][weighed.argmax()] == pytest.approx(72, abs=0.01)


def test_the_path_is_the_best_of_all(unit):
    rng = np.random.default_rng(4)
    for _ in range(10):
        Z = rng.random((4, 5))
        share = Z / Z.max()
        toll = 0.02 * np.abs(np.arange(4)[:, None] - np.arange(4))

        def worth(path, share=share, toll=toll):
            steps = sum(toll[i, j] for i, j in itertools.pairwise(path))
            return sum(share[k, t] for t, k in enumerate(path)) - steps

        best = max(itertools.product(range(4), repeat=5), key=worth)
        assert tuple(unit["track"](Z)) == best


def test_raw_pitch_by_the_learner_is_mir_evals(unit):
    raw_pitch = pages.solutions("56")["raw_pitch"]
    for name, guess in unit["runs"].items():
        truth = unit["truth"]
        theirs = unit["by_mir_eval"](truth, guess)[0]
        ours = raw_pitch(np.nan_to_num(truth), np.nan_to_num(guess))
        assert ours == pytest.approx(theirs, abs=1e-9), name
    assert len(unit["runs"]) == 5


def test_the_song_of_the_page(unit):
    runs, truth = unit["runs"], unit["truth"]
    stated = {
        "flute alone, pYIN": 0.91,
        "flute alone, path": 0.92,
        "band, pYIN": 0.16,
        "band, strongest": 0.81,
        "band, path": 0.92,
    }
    for name, share in stated.items():
        assert unit["accuracies"](truth, runs[name])[0] == pytest.approx(share, abs=0.02)
    low = unit["midi"](unit["repeats"](unit["song_sound"][unit["excerpt"]], 130, 2000))
    assert unit["accuracies"](truth, low[:364])[0] < 0.05


def test_seventeen_notes_come_out(unit):
    score = [note[2] for note in unit["tune"]]
    assert [row[2] for row in unit["found_notes"]] == score and len(score) == 17
    assert all(a != b for a, b in itertools.pairwise(score))


def test_forty_songs_and_those_that_fail(unit):
    rows = stored()
    stated = {
        ("alone", "pYIN"): (0.93, 0.08),
        ("alone", "path"): (0.94, 0.07),
        ("band", "pYIN"): (0.28, 0.21),
        ("band", "strongest"): (0.77, 0.16),
        ("band", "path"): (0.86, 0.17),
    }
    for key, (mean, spread) in stated.items():
        values = rows["melody", *key]
        assert len(values) == 40
        assert (values.mean(), values.std()) == pytest.approx((mean, spread), abs=0.006)
    songs = [music.random_song(seed) for seed in range(1000, 1040)]
    piano = np.array([song.parts[0].instrument == "piano" for song in songs])
    path = rows["melody", "band", "path"]
    assert piano.sum() == 6 and path[~piano].mean() == pytest.approx(0.90, abs=0.005)
    np.testing.assert_allclose(np.sort(path[piano])[:3], [0.28, 0.29, 0.52], atol=0.006)
    assert np.sort(path[~piano])[0] > 0.6 and rows["melody", "band", "pYIN"].max() > 0.7
    worst = 25
    assert piano[worst] and path[worst] < 0.3
    line = unit["line_of"](music.play(songs[worst], level_db=-26.0))
    assert scored(songs[worst], line)[0] == pytest.approx(path[worst], abs=0.02)


def test_weight_and_toll_were_chosen_with_other_songs(unit):
    """On songs below 1000 they beat no weight at all, and no toll at all."""
    wins = []
    for seed in (1, 2, 3, 5, 6, 7):
        score = music.random_song(seed)
        y = music.play(score, level_db=-26.0)[: 10 * SR]
        S = np.sqrt(np.abs(librosa.stft(y, n_fft=4096, hop_length=HOP)))
        grid = np.arange(60, 91, 0.2)
        ours = scored(score, grid[unit["track"](unit["harmonic_sum"](S, grid))])[0]
        flat = unit["harmonic_sum"](S, grid, weight=1.0)
        free = unit["harmonic_sum"](S, grid).argmax(axis=0)
        wins.append((ours - scored(score, grid[flat.argmax(axis=0)])[0],
                     ours - scored(score, grid[free])[0]))  # fmt: skip
    assert np.all(np.mean(wins, axis=0) > 0.02)


# ---- hums ----------------------------------------------------------------------------------------


def test_the_machine_hums_what_it_says(unit):
    notes = tuple((float(k), 0.95, 72, 90) for k in range(16))
    still = [unit["hummed"](notes, seed, scatter=0, uneven=0) for seed in range(40)]
    keys = np.array([np.median(line) - 72 for line in still])
    assert keys.min() > -26.3 and keys.max() < -13.7 and np.ptp(keys) > 6
    sunk = unit["hummed"](notes, 1, scatter=0, drift=-3.0, uneven=0)
    assert np.median(sunk[-30:]) - np.median(sunk[:30]) == pytest.approx(-3 * 15 / 16, abs=0.3)
    lengths = [len(unit["hummed"](notes, seed, scatter=0, uneven=0.5)) for seed in range(40)]
    assert np.std(lengths) > np.std([len(line) for line in still])
    line = unit["hummed"](unit["tunes"][3], 3)
    heard = unit["midi"](unit["repeats"](unit["voice"](line)))
    told = np.interp(np.arange(len(heard)) * HOP / SR, np.arange(len(line)) / 100, line)
    known = ~np.isnan(heard)
    assert known.mean() > 0.9 and np.mean(np.abs(heard - told)[known] < 0.5) > 0.95


def test_which_freedom_mends_which_error():
    rows = stored()
    ways = ("straight", "warped", "straight, levelled", "warped, levelled")
    stated = {
        "good": ((0.98, 0.97, 1.00, 1.00), (0.99, 0.98, 1.00, 1.00)),
        "sinking": ((0.90, 0.75, 0.99, 0.97), (0.94, 0.85, 0.99, 0.98)),
        "uneven": ((0.69, 0.80, 0.60, 0.95), (0.77, 0.85, 0.70, 0.96)),
        "both": ((0.50, 0.70, 0.59, 0.92), (0.64, 0.78, 0.69, 0.95)),
    }
    for hummer, (firsts, mrrs) in stated.items():
        ranks = [rows["hum", hummer, way] for way in ways]
        assert all(len(row) == 100 for row in ranks)
        np.testing.assert_allclose([np.mean(row == 1) for row in ranks], firsts, atol=1e-9)
        np.testing.assert_allclose([np.mean(1 / row) for row in ranks], mrrs, atol=0.0051)


def test_ranks_by_the_learner_are_the_pages(unit):
    mrr = pages.solutions("56")["mrr"]
    numbers = (0, 11, 42, 77)
    costs = [unit["straight_costs"](unit["query"](k, "both"), unit["index"]) for k in numbers]
    ours = mrr(-np.array(costs), np.array(numbers))
    ranks = stored()["hum", "both", "straight"][list(numbers)]
    assert ours == pytest.approx(np.mean(1 / ranks), abs=1e-9)


def test_a_level_has_no_slope(unit):
    flat = unit["levelled"](unit["index"])
    np.testing.assert_allclose(flat.mean(axis=1), 0, atol=1e-9)
    x = np.arange(96)
    want = unit["index"][5] - np.polyval(np.polyfit(x, unit["index"][5], 1), x)
    np.testing.assert_allclose(flat[5], want, atol=1e-9)


def test_a_long_note_draws_the_median(unit):
    assert unit["found"] == {"median": 22, "mean": 25}
    moved = []
    for k, notes in enumerate(unit["tunes"]):
        hum = unit["hummed"](notes, k, **unit["HUMMERS"]["uneven"])
        hum = hum - np.random.default_rng(k).integers(-26, -13)  # the key, drawn first
        tune = np.repeat([note[2] for note in notes], [round(8 * note[1]) for note in notes])
        moved.append([np.median(hum) - np.median(tune), hum.mean() - tune.mean()])
    far = np.abs(moved)
    np.testing.assert_allclose(far.mean(axis=0), [0.9, 0.4], atol=0.06)
    assert np.sum(far[:, 0] > 1) > 20


def test_chance():
    by_lot = np.random.default_rng(1).permuted(np.tile(np.arange(1, 101), (20000, 1)), axis=1)
    assert np.mean(1 / by_lot[:, 0]) == pytest.approx(0.052, abs=0.003)
    assert np.mean(1 / np.arange(1, 101)) == pytest.approx(0.052, abs=0.0005)
    assert np.mean(1 / np.arange(1, 41)) == pytest.approx(0.107, abs=0.0005)


def test_intervals_are_scipys(unit):
    from scipy import stats

    values = 1 / stored()["hum", "uneven", "warped"]
    ours = unit["interval"](values)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=3).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.01)


# ---- covers --------------------------------------------------------------------------------------


def test_forty_covers():
    rows = stored()
    stated = {
        ("whole", "mean chroma"): (9, 0.32),
        ("whole", "local, as it is"): (8, 0.25),
        ("whole", "local, one key"): (35, 0.91),
        ("whole", "global, one key"): (32, 0.81),
        ("third", "local, one key"): (25, 0.70),
        ("third", "global, one key"): (4, 0.17),
    }
    for key, (first, mrr) in stated.items():
        ranks = rows["cover", *key]
        assert (len(ranks), np.sum(ranks == 1)) == (40, first)
        assert np.mean(1 / ranks) == pytest.approx(mrr, abs=0.0065)


def test_six_of_eight_are_in_the_songs_key(unit):
    shifts = []
    for seed in range(2000, 2040):
        first, second = music.random_song(seed), unit["cover"](seed)
        shifts.append((first.parts[0].notes[0][2] - second.parts[0].notes[0][2]) % 12)
        assert np.ptp([a[2] - b[2] for a, b in zip(first.parts[0].notes, second.parts[0].notes,
                                                   strict=True)]) == 0  # fmt: skip
    found = stored()["cover", "whole", "local, as it is"] == 1
    same = np.array(shifts) == 0
    assert (found.sum(), np.sum(found & same), same.sum()) == (8, 6, 6)


def test_the_learner_turns_the_key_as_the_page_does(unit):
    in_key = pages.solutions("56")["in_key"]
    for C, D in ((unit["A"], unit["B"]), (unit["library"][3], unit["library"][9])):
        np.testing.assert_array_equal(in_key(C, D), unit["raised"](C, D))
    shift = (unit["pair"][0].parts[0].notes[0][2] - unit["pair"][1].parts[0].notes[0][2]) % 12
    np.testing.assert_array_equal(
        unit["raised"](unit["A"], unit["B"]), np.roll(unit["B"], shift, 0)
    )
    slow, fast = (score.tempo[0][1] for score in unit["pair"])
    assert fast / slow == pytest.approx(1.5, abs=0.02)
    assert [score.parts[0].instrument for score in unit["pair"]] == ["clarinet", "piano"]


def test_local_alignment_is_the_best_stretch_of_all(unit):
    rng = np.random.default_rng(6)
    steps = ((1, 1), (1, 2), (2, 1))
    for _ in range(8):
        match = rng.random((6, 6)) < 0.4

        def ways(n, m, match=match):
            """Every value that a stretch ending here can have, floored at 0 on the way."""
            own = [0.0]
            for a, b in steps:
                if n >= a and m >= b:
                    own += ways(n - a, m - b, match)
            return [v + 1 if match[n, m] else max(0.0, v - 0.5) for v in own]

        best = max(max(ways(n, m)) for n in range(6) for m in range(6))
        assert unit["local"](match).max() == best
        np.testing.assert_array_equal(unit["local"](match), unit["by_librosa"](match))


# ---- what can be dragged -------------------------------------------------------------------------


def test_the_hum_fits_its_tune_only_near_one_place(unit):
    fitted = unit["fitted"]
    assert "11.85 semitones" in fitted(unit["own_end"], unit["own_middle"])["readout"]
    assert fitted(8.4, 68.5)["solved"] and "0.85" in fitted(8.4, 68.5)["readout"]
    for end, middle in ((10.1, 68.5), (8.4, 69.5), (7.6, 68.5), (8.4, 56.5)):
        assert not fitted(end, middle)["solved"]


def test_partials_weighed(unit):
    weighed = unit["weighed"]
    assert "right in 16% of the frames" in weighed(6, 1.0)["readout"]
    assert "right in 69% of the frames" in weighed(1, 1.0)["readout"]
    assert not weighed(1, 0.5)["solved"] and not weighed(6, 0.6)["solved"]
    assert weighed(6, 0.35)["solved"] and weighed(4, 0.25)["solved"]
    known = ~np.isnan(unit["truth8"])
    places = itertools.product(range(1, 13), np.arange(0, 1.01, 0.1))
    best = max(
        np.mean(np.abs(weighed(count, weight)["found"] - unit["truth8"])[known] < 0.51)
        for count, weight in (*places, (3, 0.25))
    )
    assert best == pytest.approx(0.73, abs=0.005)
    found = weighed(12, 1.0)["found"] - unit["truth8"]
    assert np.nanmedian(found) <= -12


def test_the_key_is_turned_to_one_place(unit):
    solved = [k for k in range(12) if unit["turned"](k)["solved"]]
    assert solved == [6]
    alike = unit["turned"](0)["alike"]
    order = alike.argsort()[::-1]
    assert (order[1] - order[0]) % 12 in (5, 7)
    assert (alike[order[0]], alike[order[1]]) == pytest.approx((0.95, 0.88), abs=0.006)


def test_nothing_is_loud(unit):
    made = (
        unit["fitted"](8.4, 68.5)["sound"],
        unit["weighed"](6, 1.0)["sound"],
        unit["turned"](6)["sound"],
    )
    for sound in made:
        assert np.abs(sound).max() <= 10 ** (-9 / 20) and -32 < level(sound) < -15
    assert level(unit["hum"]) == pytest.approx(-26, abs=0.3)
    assert level(unit["song_sound"]) == pytest.approx(-26, abs=0.3)
    for line in ("line_song", "line_own"):
        assert np.abs(unit["as_sine"](unit[line])).max() <= 0.1 + 1e-9
    assert np.abs(unit["played"]).max() < 10 ** (-6 / 20)


# ---- guesses, real recordings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "axis", "places"),
    [
        ("56.sine", 0, (72, 60, 41, 84)),
        ("56.pyin", 0, (0.9, 0.7, 0.3, 0.0)),
        ("56.chance", 1, (0.01, 0.05, 0.5, 0.0)),
    ],
)
def test_the_guess_stands_in_the_figure(unit, key, axis, places, tmp_path, monkeypatch):
    for option, place in enumerate(places):
        _, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy[axis] == place
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


def own(unit, path, lowest, capsys):
    """Run the cells of chapter 7 on a recording; return what they say and leave."""
    cells = [c for c in pages.code_cells(NAME, tag="own-file") if "my_file" in c or "beside" in c]
    names = dict(unit)
    source = cells[0].replace('my_file = ""', f"my_file = {str(path)!r}")
    exec(source.replace("lowest = 48", f"lowest = {lowest}"), names)
    said = capsys.readouterr().out
    exec(cells[1], names)
    return said, names


def test_a_sentence_of_the_course(unit, capsys):
    said, _ = own(unit, "", 48, capsys)
    assert "in 81%" in said


@pytest.mark.parametrize("sound", ["silence", "short", "tone"])
def test_a_recording_without_a_tune_is_told_so(unit, sound, tmp_path):
    tone = 0.1 * np.sin(2 * np.pi * 220 * np.arange(2 * SR) / SR)
    y = {"silence": np.zeros(SR), "short": tone[:1000], "tone": tone}[sound]
    path = tmp_path / "my.wav"
    audio.save(path, y, sr=SR)
    cells = pages.code_cells(NAME, tag="own-file")
    with pytest.raises(AssertionError, match="no tune in it"):
        exec(cells[1].replace('my_tune = ""', f"my_tune = {str(path)!r}"), dict(unit))
    last = cells[2].replace('my_file = ""', f"my_file = {str(path)!r}")
    if sound == "tone":
        exec(last, dict(unit))
        with pytest.raises(AssertionError, match="from 24 to 72"):
            exec(last.replace("lowest = 48", "lowest = 95"), dict(unit))
    else:
        with pytest.raises(AssertionError, match="hardly any sound"):
            exec(last, dict(unit))


RECORDED = {  # (recording, lowest pitch, share of frames in which path and pYIN must agree)
    "trumpet": (60, 0.94),
    "sms_singing-female": (48, 0.99),
    "sms_sax-phrase-short": (48, 0.95),
    "sms_cello-phrase": (36, 0.97),
    "sms_speech-male": (40, 0.75),
    "sms_carnatic": (48, 0.6),
}


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/music/trumpet.flac").is_file(), reason="needs ../shared/corpus"
)
@pytest.mark.parametrize("name", RECORDED)
def test_real_recordings_run_through_the_cells(unit, name, capsys):
    lowest, share = RECORDED[name]
    path = pages.SHARED / "corpus/music" / f"{name}.flac"
    _, names = own(unit, path, lowest, capsys)
    both = names["shared"]
    agree = np.mean(np.abs(names["other"] - names["line_own"])[both] < 0.5)
    assert both.sum() > 40 and agree > share
    if name == "trumpet":
        assert agree == pytest.approx(0.95, abs=0.01)


def test_a_recorded_hum_goes_into_the_grid_and_into_the_search(unit, tmp_path, capsys):
    """Saved as a recorder saves it, at another rate."""
    path = tmp_path / "my_hum.wav"
    made = unit["voice"](unit["hummed"](unit["tunes"][30], 8, scatter=0.4, uneven=0.2))
    audio.save(path, audio.resample(made, sr=SR, to=16000), sr=16000)
    cells = pages.code_cells(NAME, tag="own-file")
    names = dict(unit)
    exec(cells[0].replace('my_hum = ""', f"my_hum = {str(path)!r}"), names)
    assert len(names["sung"]) > 200
    exec(cells[1].replace('my_tune = ""', f"my_tune = {str(path)!r}"), names)
    assert names["nearest"][0] == 30
