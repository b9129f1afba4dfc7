"""What unit 52 lets you hear, and every number that its pages and its coursework state."""

import tomllib

import librosa
import mir_eval
import numpy as np
import pytest

from helpers import music
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "52_beats"
SR = 22050
PEER = "needs libfmp: pip install --no-deps libfmp==1.3.0 pandas==3.1.1"


def plain_flux(y, n_fft=1024, hop=256, gamma=100):
    """A novelty once more: librosa's STFT, and a loop over frames."""
    L = np.log1p(gamma * np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop, pad_mode="constant")))
    flux = np.zeros(L.shape[1])
    for k in range(1, len(flux)):
        d = L[:, k] - L[:, k - 1]
        flux[k] = d[d > 0].sum()
    return flux


def offset_ms(truth, found):
    """By how many milliseconds found beats are late, in the middle."""
    nearest = found[np.abs(np.subtract.outer(truth, found)).argmin(axis=1)]
    off = nearest - truth
    return 1000 * np.median(off[np.abs(off) < 0.07])


# ---- novelty, tempo, chain -----------------------------------------------------------------------


def test_the_page_states_its_own_numbers():
    assert [round(60 * SR / (512 * lag), 1) for lag in (23, 22, 21, 20)] == [
        112.3, 117.5, 123.0, 129.2,
    ]  # fmt: skip
    assert pytest.approx(0.82, abs=0.005) == 2 * 36 / (40 + 48)
    assert pytest.approx(46, abs=0.5) == 1000 * 1024 / SR  # half a frame of librosa
    assert pytest.approx(23, abs=0.5) == 1000 * 512 / SR
    seconds = (1 + 4 * sum(2**k for k in range(8))) / 50
    assert seconds == pytest.approx(20.4, abs=0.05)  # what eight layers of five frames see


def test_the_novelty_is_a_plain_loop_and_nearly_libfmps(unit):
    y = music.play(unit["steady"])[: 8 * SR]
    plain = plain_flux(y)
    half = round(SR / 256 / 2)
    local = np.convolve(plain, np.ones(2 * half + 1) / (2 * half + 1), mode="same")
    plain = np.maximum(0, plain - local)
    np.testing.assert_allclose(unit["new_in"](y), plain / plain.max(), atol=1e-5)
    c6 = pytest.importorskip("libfmp.c6", reason=PEER)
    theirs, _ = c6.compute_novelty_spectrum(y, Fs=SR, N=1024, H=256, gamma=100, M=half, norm=True)
    n = min(len(theirs), len(plain)) - 1
    assert np.corrcoef(plain[1 : n + 1], theirs[:n])[0, 1] > 0.99  # theirs is a frame earlier


def test_a_fourier_tempogram_is_libfmps(unit):
    c6 = pytest.importorskip("libfmp.c6", reason=PEER)
    nov = unit["nov_ramp"]
    rate = unit["rate"]
    theirs, _, bpm = c6.compute_tempogram_fourier(nov, rate, N=516, H=10, Theta=np.arange(30, 301))
    assert bpm.tolist() == unit["bpms"].tolist()
    ours = unit["T_fourier"]
    n = min(theirs.shape[1], ours.shape[1])
    assert np.abs(np.abs(theirs[:, :n]) - ours[:, :n]).max() < 1e-9 * ours.max()


def test_an_autocorrelation_tempogram_is_librosas(unit):
    nov = unit["nov_ramp"]
    ours = unit["T_lag"]
    for column in (10, 100, 180):
        piece = np.pad(nov, 258)[10 * column : 10 * column + 516]
        theirs = librosa.autocorrelate(piece)
        np.testing.assert_allclose(ours[:, column], theirs, atol=1e-8 * theirs.max())


def test_the_chain_is_libfmps_beat_by_beat(unit):
    c6 = pytest.importorskip("libfmp.c6", reason=PEER)
    for nov, period in ((unit["nov_song"], unit["period"]), (unit["nov_ramp"], 43)):
        for weight in (1.0, 3.0, 10.0):
            theirs = c6.compute_beat_sequence(nov, beat_ref=round(period), factor=weight)
            ours = unit["chain"](nov, round(period), weight)
            assert ours.tolist() == np.asarray(theirs).tolist()


def test_the_solution_of_the_chain_is_the_best_of_all_chains():
    """All subsets of a short curve, judged one by one."""
    solution = pages.solutions("52")["best_beats"]
    rng = np.random.default_rng(3)
    for _ in range(5):
        nov = rng.random(11)
        found = solution(nov, 3, 0.6)

        def worth(chain, nov=nov):
            steps = np.diff(chain)
            return nov[chain].sum() - 0.6 * (np.log2(steps / 3) ** 2).sum()

        every = [np.flatnonzero([(code >> k) & 1 for k in range(11)]) for code in range(1, 2**11)]
        assert worth(found) == pytest.approx(max(map(worth, every)))


def test_slow_drums_are_doubled_and_another_habit_mends_it(unit):
    pulse = unit["pulse"]
    assert pulse(unit["nov_slow"], unit["rate"]) == pytest.approx(132, abs=1.5)
    assert pulse(unit["nov_slow"], unit["rate"], 60.0) == pytest.approx(66, abs=0.7)
    solution = pages.solutions("52")["tempo"]
    for nov in (unit["nov_slow"], unit["nov_song"]):
        assert solution(nov, unit["rate"]) == pytest.approx(pulse(nov, unit["rate"]))
    assert unit["said"] == pytest.approx(117.45, abs=0.01)


def test_no_threshold_suits_all(unit):
    """F of onsets once more, by mir_eval."""
    stated = {"piano": 1.0, "guitar": 1.0, "organ": 0.86, "strings": 0.72, "choir": 0.02}
    for name, F in stated.items():
        found = unit["hills"](unit["curves"][name], 0.15) / unit["rate"]
        theirs = mir_eval.onset.f_measure(unit["onsets"], found)[0] if len(found) else 0.0
        assert theirs == pytest.approx(F, abs=0.005)
        assert unit["F_onsets"][name][13] == pytest.approx(F, abs=0.005)
    assert max(unit["F_onsets"]["strings"]) == pytest.approx(0.82, abs=0.005)
    assert max(unit["F_onsets"]["choir"]) < 0.05


# ---- scores --------------------------------------------------------------------------------------


def test_f_and_continuity_are_mir_evals(unit):
    solution = pages.solutions("52")["f_measure"]
    rng = np.random.default_rng(5)
    truth = np.cumsum(rng.uniform(0.4, 0.6, 60))
    for scatter in (0.0, 0.03, 0.06, 0.15):
        found = np.sort(truth + scatter * rng.standard_normal(60))
        found = np.sort(np.append(found[rng.random(60) < 0.8], rng.uniform(0, 30, 9)))
        assert solution(truth, found) == pytest.approx(mir_eval.beat.f_measure(truth, found))
        _, CMLt, _, AMLt = mir_eval.beat.continuity(truth, found)
        assert unit["in_step"](truth, found) == pytest.approx(CMLt, abs=1e-12)
        assert unit["at_any_level"](truth, found) == pytest.approx(AMLt, abs=1e-12)
    assert solution(truth, np.zeros(0)) == 0
    assert len(mir_eval.beat.trim_beats(0.5 * np.arange(48))) == 38  # the first five seconds


def test_librosa_is_late_by_what_the_page_says(unit):
    assert offset_ms(unit["truth"], unit["theirs"]) == pytest.approx(37, abs=4)
    for ms, wide, narrow in ((0, 0.99, 0.0), (-35, 0.99, 0.98)):
        moved = unit["theirs"] + ms / 1000
        for window, stated in ((0.07, wide), (0.02, narrow)):
            F = mir_eval.beat.f_measure(unit["truth"], moved, f_measure_threshold=window)
            assert pytest.approx(stated, abs=0.011) == F
    stated = {"librosa": 21, "librosa, n_fft 1024, hop 128": 8, "librosa, center=False": -26}
    for name, ms in (stated | {"by hand": -10}).items():
        assert unit["peak_after"](*unit["ways"][name])[0] == pytest.approx(ms, abs=1)
    shift = 1000 * (2048 // (2 * 512)) * 512 / SR  # what center=True adds
    assert shift == pytest.approx(21 + 26, abs=1)


def test_the_table_of_pieces(unit):
    table = unit["table"]
    assert table["drums 66"][0] == pytest.approx(0.66, abs=0.02)
    assert table["drums 66"][2] == pytest.approx(0.67, abs=0.02)
    assert min(table["drums 66"][1], table["drums 66"][3]) > 0.95
    assert table["drums 180"][1] > 0.9 and table["drums 180"][3] < 0.2
    for name in ("drums 100, then 140", "drums 90 to 150"):
        assert max(table[name][0], table[name][2]) < 0.8
    first, later = table["chorale, strings"][2], table["chorale, strings"][5]
    assert (first, later) == pytest.approx((0.28, 0.66), abs=0.02)  # 5 ms that change everything


def test_many_songs(unit):
    means = {
        tracker: [F.mean() for F in by_set.values()] for tracker, by_set in unit["results"].items()
    }
    assert means["librosa"] == pytest.approx([0.80, 0.74, 0.33], abs=0.02)
    assert means["rule"] == pytest.approx([0.89, 0.93, 0.79], abs=0.02)
    assert means["network"] == pytest.approx([0.99, 0.99, 0.41], abs=0.02)
    assert [len(F) for F in unit["results"]["rule"].values()] == [16, 16, 12]
    best = unit["results"]["rule"]["slow strings, no drums"]
    assert (best > unit["results"]["network"]["slow strings, no drums"]).all()
    heard = {part.instrument for s in unit["sets"]["new instruments"] for part in s.parts}
    assert not heard & {"oboe", "clarinet", "trumpet", "piano", "organ"}


# ---- the network ---------------------------------------------------------------------------------


def test_the_network_in_numpy_is_the_one_in_pytorch(unit):
    torch = pytest.importorskip("torch")
    from helpers import _weights
    from tools.training import beats

    net, facts = _weights.restore(beats.BeatNet, "beats")
    assert sum(p.numel() for p in net.parameters()) == 20638
    assert facts["songs"] == 570 == beats.SONGS - len(range(0, beats.SONGS, 20))
    y = music.play(music.random_song(1234, bars=4))
    X = beats.features(y)
    np.testing.assert_allclose(unit["seen"](y), X, atol=1e-9)
    with torch.no_grad():
        theirs = torch.sigmoid(net(torch.from_numpy(X).float()[None]))[0, 0].numpy()
    np.testing.assert_allclose(unit["beat_activation"](y), theirs, atol=1e-5)
    weights = music.weights("beats")
    for key, value in net.state_dict().items():
        if value.is_floating_point():
            np.testing.assert_array_equal(weights[key], value.numpy())


def test_what_was_never_heard_was_never_heard():
    beats = pytest.importorskip("tools.training.beats")
    for seed in range(0, 600, 7):
        instruments = {part.instrument for part in beats.training_song(seed).parts}
        assert not instruments & {"flute", "guitar", "strings", "choir"}


# ---- what can be dragged -------------------------------------------------------------------------


def test_the_stages_are_won_where_they_should_be(unit):
    raised = unit["raised"]
    won = [c for c in np.arange(0.02, 0.9, 0.02) if raised(c, "strings")["solved"]]
    assert won and 0.1 < min(won) < max(won) < 0.3
    assert not any(raised(c, "piano")["solved"] for c in (0.1, 0.2))
    turned = unit["turned"]
    assert turned(224, "song, 112")["solved"] and not turned(112, "song, 112")["solved"]
    assert not turned(75, "song, 112")["solved"]
    against = unit["against"]
    won = [k for k in range(33) if against(0.25 * 2 ** (k / 4), "drums, steady")["solved"]]
    assert won and not {0, 4, 8, 20, 32} & set(won)


def test_the_clicks_of_a_stage_lie_where_the_cosine_has_its_tops(unit):
    reply = unit["turned"](112, "song, 112")
    tops = reply["t"][1:-1][
        (np.diff(reply["cosine"])[:-1] > 0) & (np.diff(reply["cosine"])[1:] <= 0)
    ]
    assert np.diff(tops) == pytest.approx(60 / 112, abs=0.03)
    beats = unit["song"].beats()
    assert np.abs(np.subtract.outer(tops, beats)).min(axis=1).max() < 0.05


def test_nothing_is_loud(unit):
    for name, values in (
        ("raised", (0.2, "strings")),
        ("turned", (112, "song, 112")),
        ("against", (3.0, "drums, steady")),
    ):
        sound = unit[name](*values)["sound"]
        assert np.abs(sound).max() <= 0.22 + 1e-9  # -13 dBFS
        assert -45 < level(sound) < -15
    assert np.abs(unit["ears"]).max() <= 0.22 + 1e-9


def test_an_empty_choice_sounds_without_clicks(unit):
    reply = unit["raised"](0.9, "choir")
    assert np.isfinite(reply["sound"]).all()


# ---- taps ----------------------------------------------------------------------------------------


def test_a_hand_made_by_numbers_is_early_and_uneven(unit):
    beats = 1 + 0.5 * np.arange(400)
    off = unit["hand"](beats, 0.03, 0.025) - beats
    assert off.mean() == pytest.approx(-0.03, abs=0.005)
    assert off.std() == pytest.approx(0.025, abs=0.004)


def test_taps_of_yours_take_the_place_of_the_hand(unit):
    before = unit["hands"]["drums, 90 to 150"]
    unit["tap_ramp"].taps = [2.0, 1.0, 3.0, 4.0, 5.0]
    try:
        unit["keep"]("drums, 90 to 150", unit["tap_ramp"])
        assert unit["hands"]["drums, 90 to 150"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
        assert "the hand" in unit["against"](3.0, "drums, 90 to 150")["readout"]
    finally:
        unit["tap_ramp"].taps = []
        unit["hands"]["drums, 90 to 150"] = before


# ---- guesses, the open exercise, real recordings -------------------------------------------------


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("52.strings", [(0.15, 1.0), (0.15, 0.7), (0.15, 0.2)]),
        ("52.late", [(-35, 0.0), (-35, 0.98), (-35, 0.5)]),
    ],
)
def test_the_guess_stands_in_the_figure(unit, key, values, tmp_path, monkeypatch):
    for option, place in enumerate(values):
        _, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy == place
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


def test_the_guess_of_a_tempo_stands_at_it(unit, tmp_path, monkeypatch):
    for option, value in enumerate((66, 132, 33, 99)):
        _, said = pages.figure_with_guess(unit, "52.octave", option, tmp_path, monkeypatch)
        assert said.xy[0] == value


def test_tapping_by_program_may_be_done_in_other_ways():
    exercise = catalogue.exercise("52.taps")

    def by_librosa(y, sr):
        times = librosa.beat.beat_track(y=y, sr=sr, units="time", trim=False)[1]
        return times[times > 2.9][:10]

    def even(y, sr):
        return 3 + 0.55 * np.arange(10)

    assert exercise.check(by_librosa).outcome == "correct"
    assert exercise.check(even).outcome == "not yet"


CORPUS = pages.SHARED / "corpus/music"
RECORDED = ("vibeace", "fishin", "nutcracker", "brahms", "loop_garzul", "loop_compus",
            "sms_mridangam", "sms_carnatic", "guit_em9", "trumpet")  # fmt: skip


@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared/corpus")
@pytest.mark.parametrize("name", RECORDED)
def test_the_cell_for_your_own_music_takes_real_recordings(unit, name, capsys):
    cells = pages.code_cells(NAME, tag="own-file")
    path = CORPUS / f"{name}.flac"
    sources = [cell for cell in cells if "mine" in cell and "hands" not in cell]
    names = dict(unit)
    exec(sources[0].replace('my_file = ""', f"my_file = {str(path)!r}"), names)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["rule", "network"]
    assert int(said[0].split()[1]) > 5
    exec(sources[1], names)
    with capsys.disabled():
        print(f"\n  {name}: {'; '.join(said)}")


# ---- what a fresh reader asked -------------------------------------------------------------------


def test_how_fast_notes_come_up():
    """Piano and guitar within hundredths of a second; strings and choir half after a tenth."""
    for name in ("piano", "guitar", "strings", "choir"):
        for pitch in (55, 60, 64, 67):
            y = music.one_shot(name, pitch, seconds=2.0)
            level = np.sqrt(np.convolve(y**2, np.ones(441) / 441, mode="same"))
            half, most = (np.flatnonzero(level > q * level.max())[0] / SR for q in (0.5, 0.9))
            if name in ("piano", "guitar"):
                assert most < 0.04
            else:
                assert 0.07 < half < 0.25 and most > 0.5


def test_a_rise_in_level_is_enough_for_a_piano_and_not_for_an_organ(unit):
    best = {}
    for name in ("piano", "organ"):
        rise = unit["rise_in_level"](unit["chorales"][name])[: len(unit["curves"][name])]
        picked = [unit["hills"](rise / rise.max(), c) / unit["rate"] for c in unit["limits"]]
        best[name] = max(mir_eval.onset.f_measure(unit["onsets"], times)[0] for times in picked)
    assert best["piano"] == 1
    assert best["organ"] < 0.7 < 0.95 < max(unit["F_onsets"]["organ"])


def test_what_the_page_says_of_tempi(unit):
    def heard(name, track):
        return 60 / np.median(np.diff(track(music.play(unit["pieces"][name]))))

    both = (unit["by_librosa"], unit["by_rule"])
    assert [round(heard("drums 180", track)) for track in both] == [89, 120]
    assert [round(heard("song without drums", track)) for track in both] == [56, 56]
    for track in both:  # the slow ballad has 82.8
        assert heard("ballad, slow", track) == pytest.approx(2 * 82.8, rel=0.03)
    drums = unit["pulse"](unit["new_in"](unit["y_steady"]), unit["rate"])
    assert drums == pytest.approx(120.2, abs=0.05)
    ramp = unit["ramp"].beats()
    assert 60 / np.diff(ramp)[ramp[:-1] < 15][-1] == pytest.approx(123, abs=0.5)
    likeness, speeds = unit["likeness"], unit["speeds"]
    tops = 1 + np.flatnonzero((likeness[1:-1] > likeness[:-2]) & (likeness[1:-1] > likeness[2:]))
    high = [round(speeds[k]) for k in tops if likeness[k] > 0.75 * likeness[1:].max()]
    assert [bpm for bpm in high if 25 < bpm < 260] == [133, 66, 44, 33, 26]
    assert not any(unit["turned"](bpm, "chorale, 72")["solved"] for bpm in range(30, 301))


def test_a_third_wrong_and_a_third_missing_are_two_numbers():
    truth = 0.5 * np.arange(1, 61)
    wrong = np.where(np.arange(60) % 3, truth, truth + 0.2)
    assert mir_eval.beat.f_measure(truth, wrong) == pytest.approx(2 / 3)
    assert mir_eval.beat.f_measure(truth, truth[np.arange(60) % 3 > 0]) == pytest.approx(0.8)


def test_five_milliseconds_move_ten_pieces_little_and_the_strings_much(unit):
    moved = {k: max(abs(v[0] - v[4]), abs(v[2] - v[5])) for k, v in unit["table"].items()}
    assert moved.pop("chorale, strings") == pytest.approx(0.38, abs=0.01)
    assert len(moved) == 10 and max(moved.values()) < 0.055


def test_the_network_finds_twice_as_many_beats_in_the_strings(unit):
    score = unit["pieces"]["chorale, strings"]
    spikes = unit["hills"](unit["beat_activation"](music.play(score))[:700], 0.3, reach=10)
    assert (len(spikes), (score.beats() < 14).sum()) == (34, 17)


def test_silence_of_your_own_has_no_novelty(unit):
    assert not unit["new_in"](np.zeros(4 * SR)).any()


@pytest.mark.parametrize(
    ("key", "name", "old", "new"),
    [
        ("52.tempo", "tempo", "np.dot(nov[:-lag], nov[lag:])", "np.mean(nov[:-lag] * nov[lag:])"),
        ("52.tempo", "tempo", "np.arange(1, len(nov))", "np.arange(1, len(nov) // 2)"),
        ("52.chain", "best_beats", "/ period", "/ round(period)"),
        ("52.chain", "best_beats", "range(1, len(nov))", "range(int(period), len(nov))"),
        ("52.taps", "ten_taps", "-np.angle(wave)", "np.angle(wave)"),
        ("52.taps", "ten_taps", "times[times >= 3][:10]", "times[:10]"),
        ("52.taps", "ten_taps", "times[times >= 3][:10]", "times[times >= 8][:10]"),
    ],
)
def test_what_is_nearly_right_is_not_accepted(key, name, old, new):
    path = pages.ROOT / "data/coursework/52/solutions.toml"
    code = tomllib.loads(path.read_text(encoding="utf-8"))[key]["code"]
    assert old in code
    names = pages.space()
    exec(code.replace(old, new), names)
    exercise = catalogue.exercise(key)
    result = exercise.check(names[name])
    assert result.outcome == "not yet"
    if ":10" in new:
        assert result.says == exercise.texts["start"]
