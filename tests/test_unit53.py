"""What unit 53 lets you hear, and every number that its pages and its coursework state."""

import itertools

import librosa
import mir_eval
import numpy as np
import pytest

from helpers import audio, music
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "53_chords"
SR = 22050
HOP = 2048
PEER = "needs libfmp: pip install --no-deps libfmp==1.3.0 pandas==3.1.1"
ROOTS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
LABELS = [f"{root}:maj" for root in ROOTS] + [f"{root}:min" for root in ROOTS]


def templates():
    """The 24 chords once more, row by row."""
    rows = np.zeros((24, 12))
    for k in range(12):
        for step in (0, 4, 7):
            rows[k, (k + step) % 12] = 1
        for step in (0, 3, 7):
            rows[12 + k, (k + step) % 12] = 1
    return rows / np.sqrt(3)


def chroma_cq(y):
    return librosa.feature.chroma_cqt(y=y, sr=SR, hop_length=HOP, norm=None, tuning=0.0)


def alike(C, T=None):
    """Cosines, frame by frame."""
    T = templates() if T is None else T
    return np.array([[t @ c / np.sqrt(c @ c) if c.any() else 0.0 for c in C.T] for t in T])


def scored(states, score):
    """The share of right seconds by mir_eval's own words: one row a frame."""
    edges = (np.arange(len(states) + 1) - 0.5).clip(0) * HOP / SR
    times = np.column_stack([edges[:-1], edges[1:]])
    truth = score.chords()
    wanted = np.array([row[:2] for row in truth])
    times, said = mir_eval.util.adjust_intervals(
        times, [LABELS[k] for k in states], 0.0, wanted.max(), "N", "N"
    )
    cut, a, b = mir_eval.util.merge_labeled_intervals(
        wanted, [row[2] for row in truth], times, said
    )
    seconds = mir_eval.util.intervals_to_durations(cut)
    return mir_eval.chord.weighted_accuracy(mir_eval.chord.majmin(a, b), seconds)


def searched(L, leave=0.05, sharp=10.0):
    """librosa's search."""
    E = np.exp(sharp * L)
    A = librosa.sequence.transition_loop(24, 1 - leave)
    return librosa.sequence.viterbi(E / E.sum(axis=0), A)


# ---- what the page states ------------------------------------------------------------------------


def test_the_page_states_its_own_numbers(unit):
    assert pytest.approx(93, abs=0.5) == 1000 * HOP / SR
    assert pytest.approx(1.4, abs=0.05) == 15 * HOP / SR
    assert pytest.approx(1.0, abs=0.03) == 11 * HOP / SR
    worked = np.array([2, 0, 0, 0, 1, 0, 0, 2.0, 0, 0, 0, 0])
    major, minor = templates()[[0, 12]] @ worked / 3
    assert (major, minor) == pytest.approx((0.96, 0.77), abs=0.005)
    assert 24 * 24 * 500 == 288_000 and 4**8 == 65_536
    lasts = [np.diff([row[:2] for row in s.chords()]).mean() / (HOP / SR) for s in unit["songs"]]
    assert min(lasts) > 16 and np.mean(lasts) == pytest.approx(23, abs=2)
    assert (len(unit["song"].chords()), unit["song"].chords()[-1][1]) == pytest.approx(
        (20, 43), 0.01
    )


def test_templates_are_librosas_notes(unit):
    np.testing.assert_allclose(unit["T"], templates(), atol=1e-12)
    for k, label in enumerate(LABELS):
        quality = mir_eval.chord.encode(label)[1]
        root = mir_eval.chord.encode(label)[0]
        np.testing.assert_array_equal(np.roll(quality, root) > 0, unit["T"][k] > 0)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("trumpet", 0.88, 0.78), ("clarinet", 0.83, 0.73), ("guitar", 0.665, 0.66)],
)
def test_one_note_is_the_chord_that_the_page_says(unit, name, first, second):
    y = music.one_shot(name, 48, seconds=4.0)
    s = alike(chroma_cq(y)[:, 3:-4].sum(axis=1, keepdims=True))[:, 0]
    assert s.argmax() == 0
    assert (s[0], s[12]) == pytest.approx((first, second), abs=0.01)
    np.testing.assert_allclose(unit["one_note"](name), s, atol=1e-6)


# ---- scores --------------------------------------------------------------------------------------


def test_seconds_by_hand_and_by_the_learner_are_mir_evals(unit):
    learners = pages.solutions("53")["accuracy"]
    for seed in (1000, 1005, 1013):
        score = music.random_song(seed)
        states = alike(chroma_cq(music.play(score))).argmax(axis=0)
        theirs = scored(states, score)
        rows = unit["stretches"](states)
        truth = unit["truth_of"](score)
        assert unit["right_share"](truth, rows) == pytest.approx(theirs, abs=1e-9)
        assert learners(truth, rows) == pytest.approx(theirs, abs=1e-9)
    chorale = music.piece("chorale").played_on("organ")
    states = alike(chroma_cq(music.play(chorale))).argmax(axis=0)
    rows = unit["stretches"](states)
    assert learners(unit["truth_of"](chorale), rows) == pytest.approx(scored(states, chorale))


def test_mir_evals_rule_is_told_as_it_is():
    def majmin(a, b):
        return mir_eval.chord.majmin([a], [b])[0]

    assert majmin("G:7", "G:maj") == 1 and majmin("B:dim", "B:min") == -1
    assert majmin("A:min", "C:maj") == 0
    assert mir_eval.chord.majmin_inv(["A:maj/2"], ["A:maj"])[0] != 1


def test_no_ear_at_all(unit):
    seconds = {}
    for start, end, label in music.piece("song").chords():
        seconds[label] = seconds.get(label, 0) + end - start
    best = max(seconds.values()) / sum(seconds.values())
    assert best == pytest.approx(0.25, abs=0.005) == unit["totals"]["F:maj"] / sum(seconds.values())


def test_the_song_frame_by_frame_and_by_the_search_also_when_it_begins_5_ms_later():
    y = music.play(music.piece("song"))
    for late in (0, 110):
        L = alike(chroma_cq(np.concatenate([np.zeros(late), y])))
        states = L.argmax(axis=0)
        assert 1 + np.sum(np.diff(states) != 0) == pytest.approx(123, abs=3)
        assert scored(states, music.piece("song")) == pytest.approx(0.757, abs=0.01)
        states = searched(L)
        assert scored(states, music.piece("song")) == pytest.approx(0.985, abs=0.006)
        assert 1 + np.sum(np.diff(states) != 0) == pytest.approx(22, abs=1)


# ---- chromas -------------------------------------------------------------------------------------


def test_means_over_twenty_songs_with_their_spread(unit):
    stated = {
        "unit 50, n_fft 4096": (0.43, 0.13),
        "unit 50, n_fft 8192": (0.47, 0.13),
        "constant-Q": (0.69, 0.13),
        "by hand, low first": (0.71, 0.13),
    }
    for name, (mean, spread) in stated.items():
        values = unit["plain"][name]
        assert (values.mean(), values.std()) == pytest.approx((mean, spread), abs=0.01)
    again = [
        scored(alike(chroma_cq(y)).argmax(axis=0), score)
        for score, y in zip(unit["songs"][:4], unit["sounds"][:4], strict=True)
    ]
    np.testing.assert_allclose(unit["plain"]["constant-Q"][:4], again, atol=1e-6)


def test_librosa_weighs_low_notes_by_the_root_of_their_window():
    sizes = []
    for pitch in (36, 48, 60, 72):
        t = np.arange(4 * SR) / SR
        y = 0.1 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t)
        sizes.append(chroma_cq(y)[0, 20])
    np.testing.assert_allclose(20 * np.log10(np.array(sizes[1:]) / sizes[:-1]), -3, atol=0.2)


def test_low_first_is_as_good_on_songs_that_the_page_does_not_use(unit):
    """Other seeds; the tie stays a tie, and the chroma of unit 50 stays far behind."""
    shares = []
    for seed in range(2000, 2008):
        score = music.random_song(seed)
        y = music.play(score)
        chromas = (music.chroma(y, sr=SR), chroma_cq(y), unit["low_first"](y))
        shares.append([scored(alike(C).argmax(axis=0), score) for C in chromas])
    old, constant, low = np.mean(shares, axis=0)
    assert abs(low - constant) < 0.1 and min(low, constant) > old + 0.12


def test_the_weight_of_low_notes_is_the_reason(unit):
    """Taken off librosa's chroma, and off the six lines, it leaves little of the gain."""
    rows = librosa.filters.cq_to_chroma(252, bins_per_octave=36, fmin=librosa.note_to_hz("C1"))
    up = 2 ** (np.arange(252) / 72)[:, None]  # a window an octave higher is half as long
    of_bin = unit["music"].pitch_class(np.arange(11, 4097) * SR / 8192)

    def flat(y):
        Q = librosa.cqt(y, sr=SR, hop_length=HOP, n_bins=252, bins_per_octave=36, tuning=0.0)
        return rows @ (np.abs(Q) * up)

    def no_division(y):
        S = np.abs(librosa.stft(y, n_fft=8192, hop_length=HOP))[11:]
        return np.array([S[of_bin == k].sum(axis=0) for k in range(12)])

    for chroma, stated in ((flat, 0.56), (no_division, 0.45)):
        assert unit["frame_by_frame"](chroma).mean() == pytest.approx(stated, abs=0.01)


def test_nine_wrong_stretches_of_ten_are_short(unit):
    wrong = []
    for truth, rows in zip(unit["truths"], unit["rows_frames"], strict=True):
        for a, b, said in rows:
            at = [want for c, d, want in truth if c <= (a + b) / 2 < d]
            wrong += [b - a] * (at not in ([], [said]))
    assert np.mean(np.array(wrong) < 0.5) == pytest.approx(0.9, abs=0.02)


def test_ten_is_as_sharp_as_five_on_songs_for_choosing():
    scores = {}
    songs = [music.random_song(seed) for seed in range(16)]
    cosines = [alike(chroma_cq(music.play(song))) for song in songs]
    for sharp in (3, 5, 10, 30):
        shares = [scored(searched(L, sharp=sharp), s) for L, s in zip(cosines, songs, strict=True)]
        scores[sharp] = np.mean(shares)
    assert abs(scores[10] - scores[5]) < 0.02 and scores[10] > max(scores[3], scores[30]) + 0.03


# ---- the search ----------------------------------------------------------------------------------


def test_three_searches_find_one_path(unit):
    """By hand, librosa, libfmp and the learner's, on whole songs."""
    learners = pages.solutions("53")["viterbi"]
    log_A = np.log(unit["staying"](0.05))
    pieces = [unit["C_song"], *unit["C_all"][:3]]
    for C in pieces:
        E = unit["emissions"](alike(C))
        path = unit["best_path"](np.log(E), log_A)
        np.testing.assert_array_equal(path, searched(alike(C)))
        start = np.log(np.full(24, 1 / 24))
        np.testing.assert_array_equal(path, learners(np.log(E), log_A, start))
    np.testing.assert_allclose(
        unit["staying"](0.05), librosa.sequence.transition_loop(24, 0.95), atol=1e-12
    )
    c5 = pytest.importorskip("libfmp.c5", reason=PEER)
    for C in pieces:
        E = unit["emissions"](alike(C))
        _, theirs, _, _ = c5.viterbi_log_likelihood(unit["staying"](0.05), np.full(24, 1 / 24), E)
        np.testing.assert_array_equal(unit["best_path"](np.log(E), log_A), theirs)


def test_libfmp_has_the_same_templates_and_cosines(unit):
    c5 = pytest.importorskip("libfmp.c5", reason=PEER)
    theirs = c5.generate_chord_templates()
    np.testing.assert_array_equal(theirs.T > 0, templates() > 0)
    C = unit["C_song"][:, :200]
    _, best = c5.chord_recognition_template(C, norm_sim="max")
    np.testing.assert_array_equal(best.argmax(axis=0), alike(C).argmax(axis=0))


def test_the_search_is_as_good_as_trying_all():
    viterbi = pages.solutions("53")["viterbi"]
    rng = np.random.default_rng(9)
    for _ in range(20):
        E, A = rng.dirichlet(np.ones(3), 6).T, rng.dirichlet(np.ones(3), 3)
        p = rng.dirichlet(np.ones(3))

        def worth(path, E=E, A=A, p=p):
            steps = [A[i, j] for i, j in itertools.pairwise(path)]
            return p[path[0]] * np.prod(steps) * np.prod([E[k, t] for t, k in enumerate(path)])

        best = max(itertools.product(range(3), repeat=6), key=worth)
        assert tuple(viterbi(np.log(E), np.log(A), np.log(p))) == best


def test_products_run_out_where_sums_do_not():
    E = np.full((2, 1200), 0.5)
    assert np.prod(E[0]) == 0.0 and np.log(E[0]).sum() > -900
    assert 0.5**1074 > 0 and 0.5**1075 == 0.0  # 10 to the -324


def test_the_ladder_of_chapter_4(unit):
    search, smooth, partials = unit["search"], unit["smooth"], unit["partials"]
    assert (search.mean(), search.std()) == pytest.approx((0.90, 0.08), abs=0.01)
    assert smooth.mean() == pytest.approx(0.80, abs=0.01)
    assert partials.mean() == pytest.approx(0.91, abs=0.01)
    gain = partials - search
    assert abs(gain.mean()) < 0.015 and gain.std() > 3 * abs(gain.mean())
    frames = unit["plain"]["constant-Q"].mean()
    assert (1 - search.mean()) / (1 - frames) == pytest.approx(1 / 3, abs=0.03)
    for k in (0, 7, 10):
        again = scored(searched(alike(unit["C_all"][k])), unit["songs"][k])
        assert search[k] == pytest.approx(again, abs=1e-6)


def test_stubbornness_over_twenty_songs(unit):
    means = dict(zip(unit["leaves"].tolist(), unit["table"].mean(axis=1), strict=True))
    assert max(means, key=means.get) == 1e-2
    assert means[1e-2] == pytest.approx(0.90, abs=0.01)
    assert all(0.88 < means[leave] < 0.91 for leave in (0.1, 1e-2, 1e-3, 1e-4))
    assert means[0.5] == pytest.approx(0.84, abs=0.01)
    assert means[1e-12] == pytest.approx(0.72, abs=0.015)
    assert means[23 / 24] == pytest.approx(unit["plain"]["constant-Q"].mean(), abs=1e-9)
    song = unit["table"][:, 10]
    assert (song.max(), song[-1]) == pytest.approx((0.98, 0.37), abs=0.01)


def test_habits_add_nothing_on_average(unit):
    gain = unit["habits"] - unit["search"]
    assert abs(gain.mean()) < 0.01 and 0.03 < gain.std() < 0.07
    assert (np.sum(gain > 1e-9), np.sum(gain < -1e-9)) == (6, 4)
    near = [unit["shares"](unit["searched"](leave)).mean() for leave in (1e-4, 1e-5, 1e-6)]
    np.testing.assert_allclose(np.diff(near), [-0.016, -0.028], atol=0.005)
    assert unit["A_learned"][0, 0] == pytest.approx(0.96, abs=0.005)
    np.testing.assert_allclose(unit["A_learned"].sum(axis=1), 1)
    learners = pages.solutions("53")["transitions"]
    states = np.repeat([0, 5, 7, 0, 21], 4)
    table = learners(states)
    np.testing.assert_allclose(table.sum(axis=1), 1)
    turned = np.roll(table.reshape(2, 12, 2, 12), (1, 1), axis=(1, 3)).reshape(24, 24)
    np.testing.assert_allclose(turned, table)  # every key is like every other


# ---- the network ---------------------------------------------------------------------------------


def test_the_network_of_the_page_is_the_one_that_was_trained(unit):
    from helpers import _weights
    from tools.training import chords

    net, provenance = _weights.restore(chords.ChromaNet, "chords")
    assert sum(p.numel() for p in net.parameters()) == 19_858
    assert provenance["songs"] == 400 and set(provenance["apart"]) == {"trumpet", "organ", "choir"}
    assert not set(chords.LEADS + chords.CHORDS) & set(chords.APART)
    for seed in range(60):
        used = {part.instrument for part in chords.song(seed).parts}
        assert not used & set(chords.APART)
    y = unit["sounds"][3]
    np.testing.assert_allclose(chords.pitches(y), unit["pitches"](y), atol=1e-5)
    import torch

    x = torch.from_numpy(chords.pitches(y)[:, None, 50:65].transpose(1, 0, 2))
    with torch.no_grad():
        own, theirs = torch.sigmoid(net(x)), torch.sigmoid(unit["net"](x))
    np.testing.assert_allclose(own, theirs, atol=1e-6)
    np.testing.assert_allclose(unit["learned_chroma"](y)[:, 57], own[0], atol=1e-5)


def test_six_songs_of_seven_had_a_tune_in_the_training():
    from tools.training import chords

    tunes = [any(p.name == "melody" for p in chords.song(k).parts) for k in range(chords.SONGS)]
    assert np.mean(tunes) == pytest.approx(6 / 7, abs=0.01)


def test_what_it_learned_in_one_key_holds_in_the_next(unit):
    score = music.random_song(1004, key=0, drums=False)
    low, high = (
        alike(unit["learned_chroma"](music.play(score.transposed(k)))).argmax(axis=0)
        for k in (0, 2)
    )
    moved = low // 12 * 12 + (low + 2) % 12
    assert np.mean(moved == high) > 0.9


def test_the_network_wins_on_songs_and_the_rule_elsewhere(unit):
    frames, search = unit["learned"]
    assert frames.mean() == pytest.approx(0.964, abs=0.01)
    assert search.mean() == pytest.approx(0.977, abs=0.01)
    leads = {name: four[3] - four[1] for name, four in unit["scores"].items()}
    assert np.sum(leads["songs"] > 0) >= 18 and leads["songs"].mean() > 0.06
    apart = [
        any(part.instrument in ("trumpet", "organ", "choir") for part in song.parts)
        for song in unit["songs"]
    ]
    assert sum(apart) == 8 and leads["songs"][apart].min() > 0
    for name, mean, better in (("chords alone", -0.035, 17), ("sines", -0.069, 14)):
        assert leads[name].mean() == pytest.approx(mean, abs=0.01)
        assert np.sum(leads[name] < -1e-9) == pytest.approx(better, abs=1)
        assert 2 * np.sum(leads[name] > 1e-9) < np.sum(leads[name] < -1e-9)


# ---- what can be dragged -------------------------------------------------------------------------


def test_a_chord_that_is_two_chords(unit):
    assert not unit["played"](48, 52, 55, "piano")["solved"]
    assert "C:maj 0.99" in unit["played"](48, 52, 55, "piano")["readout"]
    assert unit["played"](48, 52, 56, "piano")["solved"]  # three major thirds
    assert not unit["played"](48, 52, 48, "piano")["solved"]  # two names only
    assert "E:min 0.83, then C:maj 0.82" in unit["played"](48, 52, 55, "trumpet")["readout"]
    brass = unit["played"](48, 48, 48, "trumpet")
    assert "C:maj 0.90" in brass["readout"] and not brass["solved"]


def test_the_trellis_is_won_by_the_best_path_alone(unit):
    best = unit["every"][(unit["emitted"] + unit["moved"]).argmax()]
    assert best.tolist() == [1, 1, 2, 2, 2, 2, 2, 2]
    solved = [path for path in unit["every"][::97] if unit["walked"](**walk(path))["solved"]]
    assert all(path.tolist() == best.tolist() for path in solved)
    assert unit["walked"](**walk(best))["solved"]
    assert not unit["walked"](**walk(unit["E8"].argmax(axis=0)))["solved"]
    truth = [row[2] for row in music.piece("song").chords() if row[0] <= 111 * HOP / SR < row[1]]
    assert truth == ["F:maj"]


def walk(path):
    """A path as the stage hands it over."""
    return {f"f{k + 1}": float(state) for k, state in enumerate(path)}


def test_stubbornness_is_won_in_the_middle(unit):
    won = [s for s in np.arange(0, 9.01, 0.1) if unit["stubborn"](s, False)["solved"]]
    assert min(won) >= 1 and max(won) <= 3
    assert "8 in the score" in unit["stubborn"](2, False)["readout"]
    assert "37% of the seconds" in unit["stubborn"](9, False)["readout"]
    one = unit["stubborn"](1.5, False)
    rows = unit["stretches"](one["states"])
    right = unit["right_share"](unit["truth10"], rows)
    assert one["share"] == pytest.approx([right], abs=1e-9)
    assert one["times"][-1] < 13.5 and rows[-1][1] >= unit["truth10"][-1][1]


def test_nothing_is_loud(unit):
    for sound in (
        unit["played"](48, 55, 64, "trumpet")["sound"],
        unit["stubborn"](0, False)["sound"],
        unit["stubborn"](2, True)["sound"],
    ):
        assert np.abs(sound).max() <= 10 ** (-12 / 20)
        assert -32 < level(sound) < -15
    assert level(unit["song_sound"]) == pytest.approx(-26, abs=0.3)
    assert np.abs(unit["told"]).max() < 10 ** (-6 / 20)
    assert np.abs(unit["calm"]).max() < 10 ** (-6 / 20)


# ---- guesses, real recordings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ("53.trumpet", (12, 7, 0, 21)),
        ("53.stubborn", (1e-12, 1e-2, 0.5, 1e-5)),
        ("53.which", (0.43, 0.5, 0.69, 0.95)),
        ("53.ladder", (0.7, 0.8, 0.9, 0.99)),
    ],
)
def test_the_guess_stands_in_the_figure(unit, key, places, tmp_path, monkeypatch):
    for option, place in enumerate(places):
        _, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy[0] == place
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


def test_the_guess_of_the_network_stands_beside_it(unit, tmp_path, monkeypatch):
    options = catalogue.prediction("53.network")["options"]
    for k, option in enumerate(options):
        _, said = pages.figure_with_guess(unit, "53.network", k, tmp_path, monkeypatch)
        assert said.xy == (2, option["value"])


def test_five_chords_of_a_piano_one_of_them_without_a_third(unit):
    """The clip that stands in: C:maj, A E B, F:maj, G:maj, C:maj, a second each."""
    y, sr = audio.clip("piano_chords")
    L = alike(chroma_cq(audio.resample(y, sr=sr, to=SR)))
    at = (np.array([0.5, 1.5, 2.5, 3.5, 4.5]) * SR / HOP).round().astype(int)
    assert [LABELS[k] for k in searched(L)[at]] == ["C:maj", "A:maj", "F:maj", "G:maj", "C:maj"]
    assert [row[2] for row in unit["my_rows"]] == ["C:maj", "A:maj", "F:maj", "G:maj", "C:maj"]


RECORDED = {  # what must be named where nobody needs an annotator: held notes and one chord
    "guit_em9": "E:min",
    "sms_oboe-A4": "A:maj",
    "sms_violin-B3": "B:maj",
}


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/music/guit_em9.flac").is_file(), reason="needs ../shared/corpus"
)
@pytest.mark.parametrize(
    "name", [*RECORDED, "brahms", "vibeace", "fishin", "nutcracker", "trumpet", "ambi_piano"]
)
def test_the_cells_for_your_own_take_real_recordings(unit, name, capsys):
    cells = pages.code_cells(NAME, tag="own-file")
    path = pages.SHARED / "corpus/music" / f"{name}.flac"
    names = dict(unit)
    exec(cells[0].replace('my_file = ""', f"my_file = {str(path)!r}"), names)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("tuned ") and 2 <= len(said) < 20
    assert set(row[2] for row in names["my_rows"]) <= set(LABELS)
    if name in RECORDED:
        assert f"added up: {RECORDED[name]} " in said[0]
    exec(cells[1], names)
