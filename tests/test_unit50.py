"""What unit 50 lets you hear, and every number that its pages and its coursework state."""

import librosa
import numpy as np
import pytest

from helpers import audio, music
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "50_chroma"
SR = 22050
PEER = "needs libfmp: pip install --no-deps libfmp==1.3.0 pandas==3.1.1"


def plain_chroma(y, n_fft=4096, hop=2048, cents=0.0):
    """A chroma once more: librosa's STFT, and a loop over bins."""
    S = np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop, pad_mode="constant")) ** 2
    C = np.zeros((12, S.shape[1]))
    for k in range(1, len(S)):
        note = round(69 + 12 * np.log2(k * SR / n_fft / 440) - cents / 100)
        if note >= 0:
            C[note % 12] += S[k]
    return C


def cosines(A, B):
    """Cosine of each pair of columns."""
    top = (A * B).sum(axis=0)
    return top / np.maximum(np.sqrt((A**2).sum(axis=0) * (B**2).sum(axis=0)), 1e-12)


# ---- names and bins ------------------------------------------------------------------------------


def test_the_page_states_its_own_numbers(unit):
    assert 1200 * np.log2(1.5**12 / 2**7) == pytest.approx(23.46, abs=0.005)
    assert 1200 * np.log2(450 / 440) == pytest.approx(39, abs=0.5)
    for size, lowest in ((2048, 181), (4096, 91), (8192, 45)):
        assert SR / size / (2 ** (1 / 12) - 1) == pytest.approx(lowest, abs=0.6)
    flat = 1200 * np.log2(2 ** (10 / 12) / (7 / 4))  # the seventh partial, against A#
    assert flat == pytest.approx(31, abs=0.5)
    seconds = 8192 / SR
    assert seconds == pytest.approx(0.37, abs=0.005)


def test_partials_fall_on_the_names_that_are_printed():
    notes = librosa.hz_to_note(librosa.note_to_hz("C4") * np.arange(1, 17), unicode=False)
    names = [note.rstrip("0123456789") for note in notes]
    assert " ".join(names) == "C C G C E G A# C D E F# G G# A# B C"


def test_by_hand_is_a_plain_loop_and_libfmp(unit):
    y = unit["four_bars"]["piano"]
    np.testing.assert_allclose(unit["by_hand"], plain_chroma(y), rtol=1e-5, atol=1e-9)
    c3 = pytest.importorskip("libfmp.c3", reason=PEER)
    S = np.abs(librosa.stft(y, n_fft=4096, hop_length=2048, pad_mode="constant")) ** 2
    pooled, _ = c3.compute_spec_log_freq(S, SR, 4096)
    assert np.abs(unit["P"] - pooled).max() < 1e-12 * pooled.max()
    assert np.abs(unit["by_hand"] - c3.compute_chromagram(pooled)).max() < 1e-12 * pooled.max()


def test_one_note_has_the_names_that_the_page_says(unit):
    stated = {
        "clarinet": {4: 0.45, 10: 0.25, 0: 0.12},
        "trumpet": {7: 0.38, 0: 0.31},
        "piano": {0: 0.95},
        "oboe": {0: 0.49, 4: 0.48},
    }
    for name, wants in stated.items():
        y = music.one_shot(name, 60, seconds=1.5)
        C = plain_chroma(y)[:, 2:-3].sum(axis=1)
        C /= C.sum()
        for k, share in wants.items():
            assert C[k] == pytest.approx(share, abs=0.015)
    assert unit["shares"]("clarinet").argmax() == 4


def test_chance_is_the_number_of_names_that_are_played(unit):
    """Of twelve names, at every 10 ms of the chorale, counted from the rows of its score."""
    notes = unit["chorale"].notes()
    counts = []
    for time in np.arange(0, 40, 0.01):
        here = notes[(notes[:, 0] <= time) & (time < notes[:, 1]), 2]
        counts.append(len(set(here.astype(int) % 12)))
    some = [count for count in counts if count]
    assert np.median(some) == 3
    assert np.mean(some) / 12 == pytest.approx(0.26, abs=0.005)


def test_a_mel_band_is_an_octave_wide_near_200_hz():
    bank = librosa.filters.mel(sr=SR, n_fft=2**16, n_mels=40, fmax=8000)
    freqs = np.arange(2**15 + 1) * SR / 2**16
    (nearest,) = [row for row in bank if abs(freqs[row.argmax()] - 200) < 30]
    inside = freqs[nearest > 0]
    assert (inside[0], inside[-1]) == pytest.approx((147, 294), abs=1)
    assert 12 * np.log2(inside[-1] / inside[0]) == pytest.approx(12, abs=0.1)


# ---- two libraries -------------------------------------------------------------------------------


def test_librosa_and_we_disagree_as_often_as_the_page_says(unit):
    others = []
    for name in ("piano", "strings", "organ", "choir", "guitar"):
        y = music.play(music.piece("chorale").played_on(name))
        ours = plain_chroma(y)
        theirs = librosa.feature.chroma_stft(
            y=y, sr=SR, n_fft=4096, hop_length=2048, norm=None, tuning=0, pad_mode="constant"
        )
        loud = ours.sum(axis=0) > 1e-6 * ours.sum(axis=0).max()
        others.append(np.mean(ours.argmax(axis=0)[loud] != theirs.argmax(axis=0)[loud]))
        assert np.median(cosines(ours, theirs)[loud]) == pytest.approx(0.965, abs=0.01)
    assert others[0] == pytest.approx(0.13, abs=0.01)
    assert min(others) > 0.07
    assert max(others) < 0.165
    weights = librosa.filters.chroma(sr=SR, n_fft=4096, tuning=0)
    column = weights[:, round(440 * 4096 / SR)]
    assert set(column.argsort()[::-1][:3]) == {8, 9, 10}
    np.testing.assert_allclose(column[[8, 9, 10]], [0.09, 0.87, 0.15], atol=0.006)
    lengths = np.linalg.norm(weights, axis=0)
    most = (1 + lengths[1:].argmax()) * SR / 4096
    assert most == pytest.approx(880, abs=SR / 4096)  # A5
    flat = librosa.filters.chroma(sr=SR, n_fft=4096, tuning=0, octwidth=None)
    assert np.ptp(flat[:, 10:].max(axis=0)) < 0.5  # without weights of octaves
    assert weights[:, 20].sum() < 0.5 < weights[:, 82].sum()


# ---- tuning --------------------------------------------------------------------------------------


def test_the_organ_is_six_cents_sharp_by_three_ways(unit):
    y = music.play(music.piece("chorale").played_on("organ"))
    assert music.estimate_tuning(y, sr=SR) == pytest.approx(6, abs=1)
    assert 100 * librosa.estimate_tuning(y=y, sr=SR, n_fft=8192) == pytest.approx(6, abs=1.5)
    one = music.one_shot("organ", 69, seconds=2.0)[4000:36768]
    spectrum = np.abs(np.fft.rfft(one * np.hanning(len(one)), 2**20))
    top = spectrum[: 2**20 // SR * 500].argmax() * SR / 2**20
    octaves = np.round(np.log2(top / 440))
    assert 1200 * np.log2(top / 440 / 2**octaves) == pytest.approx(6, abs=3)
    assert unit["helper"] == pytest.approx(6.35, abs=0.05)


def test_shares_out_of_tune_are_those_of_the_page(unit):
    plain = dict(zip(unit["steps"].tolist(), unit["plain"], strict=True))
    corrected = dict(zip(unit["steps"].tolist(), unit["corrected"], strict=True))
    assert plain[0] == pytest.approx(0.87, abs=0.01)
    assert plain[40] == pytest.approx(0.62, abs=0.01)
    assert plain[50] == pytest.approx(0.34, abs=0.01)
    assert min(v for c, v in corrected.items() if c < 50) > 0.83
    assert corrected[50] < 0.12  # the estimate flips: 56 cents are 44 too low
    y = music.play(music.piece("chorale").played_on("organ"), cents=40.0)[: 14 * SR]
    C = plain_chroma(y)
    assert (C * unit["R"]).sum() / C.sum() == pytest.approx(plain[40], abs=1e-6)


# ---- what stays ----------------------------------------------------------------------------------


def test_twenty_songs_once_more_with_librosas_mel(unit):
    """Other code for both features, and twelve songs of other seeds: the same story."""
    bands = ("piano", "guitar", "strings", "organ", "choir")

    def features(y):
        S = librosa.feature.melspectrogram(
            y=y, sr=SR, n_fft=4096, hop_length=2048, n_mels=40, fmax=8000
        )
        L = librosa.power_to_db(S, amin=1e-8, top_db=None)
        return plain_chroma(y), L - L.mean(axis=0)

    def likeness(A, B):
        return np.mean(cosines(A, B)[(A.any(axis=0)) & (B.any(axis=0))])

    F = {}
    for i in range(10):
        song = music.random_song(2000 + i, bars=4, key=0, bpm=120, drums=False)
        for k in (i, i + 1):
            F[i, bands[k % 5]] = features(music.play(song.played_on(bands[k % 5])))
    for kind, low, high in ((0, 0.25, 0.6), (1, -0.15, 0.15)):
        gaps = [
            likeness(F[i, bands[i % 5]][kind], F[i, bands[(i + 1) % 5]][kind])
            - likeness(F[i, bands[i % 5]][kind], F[(i + 5) % 10, bands[i % 5]][kind])
            for i in range(10)
        ]
        assert low < np.mean(gaps) < high


def test_the_numbers_of_chapter_6(unit):
    song, band, found = unit["results"]["chroma"]
    assert (song.mean(), band.mean()) == pytest.approx((0.83, 0.42), abs=0.01)
    assert found.all() and song.min() > band.max()
    song, band, found = unit["results"]["mel"]
    assert (song.mean(), band.mean()) == pytest.approx((0.76, 0.76), abs=0.01)
    assert found.sum() == 7
    gaps = {name: (song - band).mean() for name, (song, band, _) in unit["results"].items()}
    assert gaps["chroma"] > gaps["CENS"] > gaps["log"] > gaps["mel"]
    for name in ("log", "CENS"):
        assert unit["results"][name][0].mean() > unit["results"]["chroma"][0].mean()
        assert unit["results"][name][1].mean() > unit["results"]["chroma"][1].mean()


def test_cens_is_librosas_but_for_the_chroma_that_it_begins_with(unit):
    y = music.play(music.random_song(1, bars=4, drums=False))
    how = {"y": y, "sr": SR, "hop_length": 2048}
    theirs = librosa.feature.chroma_cens(**how, win_len_smooth=9)
    ours = unit["cens_of"](librosa.feature.chroma_cqt(**how, norm=None), frames=9)
    inside = slice(10, -10)
    assert cosines(ours, theirs)[inside].min() > 0.995


def test_a_turned_chroma_is_near_that_of_the_piece_in_the_other_key(unit):
    low, high = (plain_chroma(music.play(unit["chorale"].transposed(k))) for k in (0, 5))
    values = []
    for k in range(12):
        some = low.any(axis=0) & high.any(axis=0)
        values.append(cosines(np.roll(low, k, axis=0), high)[some].mean())
    assert np.argmax(values) == 5
    assert values[5] == pytest.approx(0.84, abs=0.01)
    assert sorted(values)[-2] < 0.4


# ---- what can be dragged -------------------------------------------------------------------------


def test_a_note_of_the_stage_shares_out_as_its_recording_does(unit):
    for name in ("clarinet", "trumpet", "piano", "organ"):
        stage = unit["folded"](261.63, name)["part"]
        recorded = unit["shares"](name)
        assert stage.argmax() == recorded.argmax()
        assert np.abs(stage - recorded).max() < 0.12
    assert not unit["folded"](261.63, "piano")["solved"]
    assert unit["folded"](261.63, "clarinet")["solved"] == "Yes: a C that is called E."
    assert "clarinet, C4: the strongest class is E" in unit["folded"](261.63, "clarinet")["readout"]


def test_out_of_tune_is_solved_at_a_quarter_and_nowhere_else(unit):
    solved = [c for c in range(-50, 51) if unit["detuned"](c, False)["solved"]]
    assert solved and set(map(abs, solved)) <= {47, 48, 49}
    assert not any(unit["detuned"](c, True)["solved"] for c in range(-50, 51, 5))
    in_tune, off = (unit["detuned"](c, False)["part"][[0, 4, 7]].sum() for c in (0, 47))
    assert 0.7 < off / in_tune < 0.8
    assert "F:min" in unit["detuned"](50, False)["readout"]
    assert "C:maj" in unit["detuned"](50, True)["readout"]


def test_the_stairs_come_back_and_go_the_shorter_way(unit):
    assert "After 12 steps" in unit["stairs"](7, "not said")["readout"]
    assert "After 2 steps" in unit["stairs"](6, "up")["readout"]
    assert unit["stairs"](9, "down")["solved"]
    assert not unit["stairs"](9, "up")["solved"] and not unit["stairs"](3, "down")["solved"]
    tones = unit["stairs"](4, "not said")["sound"].reshape(3, -1)
    middle = slice(2000, -2000)  # between the fades
    for k, tone in enumerate(tones):
        whole = music.shepard(4 * k, sr=SR, seconds=0.36)
        np.testing.assert_allclose(tone[middle], whole[middle], atol=1e-12)


def test_nothing_is_loud(unit):
    for name, values in (
        ("folded", (261.63, "trumpet")),
        ("detuned", (20, False)),
        ("stairs", (5, "up")),
    ):
        sound = unit[name](*values)["sound"]
        assert np.abs(sound).max() <= 10 ** (-12 / 20)
        assert -30 < level(sound) < -15
    for y in unit["four_bars"].values():
        assert level(y) == pytest.approx(-26, abs=0.3)
    for y in unit["shadows"].values():
        assert np.abs(y).max() < 10 ** (-6 / 20) + 1e-9


# ---- guesses, the open exercise, real recordings -------------------------------------------------


@pytest.mark.parametrize(
    ("key", "values"), [("50.lowest", (30, 45, 90, 440)), ("50.clarinet", (0, 7, 4, 6))]
)
def test_the_guess_stands_in_the_figure(unit, key, values, tmp_path, monkeypatch):
    for option, value in enumerate(values):
        fig, said = pages.figure_with_guess(unit, key, option, tmp_path, monkeypatch)
        assert said.xy[0] == value
        assert fig.axes[0].lines[-1].get_xdata()[0] == value
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


def test_the_guess_of_a_share_stands_at_40_cents(unit, tmp_path, monkeypatch):
    for option, value in enumerate((0.87, 0.6, 0.3, 0.1)):
        _, said = pages.figure_with_guess(unit, "50.sharp", option, tmp_path, monkeypatch)
        assert said.xy == (40, value)


def test_from_sound_alone_a_loudest_note_is_not_enough():
    exercise = catalogue.exercise("50.sound")

    def loudest(y, z, sr):
        tops = [np.abs(np.fft.rfft(x)).argmax() / len(x) for x in (y, z)]
        return float(np.round(12 * np.log2(tops[1] / tops[0])) % 12)

    def untuned(y, z, sr):
        a, b = (np.sqrt(music.chroma(x, sr=sr).sum(axis=1)) for x in (y, z))
        return float(np.argmax([np.roll(a, k) @ b for k in range(12)]))

    assert exercise.check(loudest).outcome == "not yet"
    assert len(exercise.check(untuned).measured) > 20


RECORDED = {  # note by the name of the file; what a program must find: the class, and cents
    "sms_flute-A4": "A",
    "sms_vibraphone-C6": "C",
    "sms_violin-B3": "B",
}


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/music/sms_flute-A4.flac").is_file(), reason="needs ../shared/corpus"
)
@pytest.mark.parametrize("name", RECORDED)
def test_the_cell_for_your_own_note_names_real_recordings(unit, name, capsys):
    cells = pages.code_cells(NAME, tag="own-file")
    path = pages.SHARED / "corpus/music" / f"{name}.flac"
    source = cells[0].replace('my_file = ""', f"my_file = {str(path)!r}")
    names = dict(unit)
    exec(source, names)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("tuned ") and len(said) == 5
    assert said[1].split()[0] == RECORDED[name]
    exec(cells[1], names)


def test_the_clip_that_stands_in_is_an_a(unit):
    y, sr = audio.clip("flute")
    C = plain_chroma(audio.resample(y, sr=sr, to=SR))
    assert C.sum(axis=1).argmax() == 9
