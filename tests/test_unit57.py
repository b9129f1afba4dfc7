"""What unit 57 lets you hear, and every number that its pages and its coursework state."""

import warnings

import librosa
import numpy as np
import pytest
import scipy.ndimage

from helpers import audio, music
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "57_decomposition"
SR = 22050
PEER = "needs libfmp: pip install --no-deps libfmp==1.3.0 pandas==3.1.1"


def sdr(truth, guess):
    """Truth beside error, in levels."""
    return 20 * np.log10(np.linalg.norm(truth) / np.linalg.norm(np.asarray(guess) - truth))


def table():
    """The measured table by set."""
    rows = audio.table("drums")
    names = dict.fromkeys(row["set"] for row in rows)
    return {name: [row for row in rows if row["set"] == name] for name in names}


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


# ---- medians and masks ---------------------------------------------------------------------------


def test_the_worked_examples():
    assert np.median([0.1, 0.1, 5.0, 0.1, 0.1]) == 0.1
    assert np.mean([0.1, 0.1, 5.0, 0.1, 0.1]) == pytest.approx(1.08)
    assert np.median([2.0, 2.1, 7.0, 1.9, 2.0]) == 2.0
    assert sdr(np.array([3, 4, 0.0]), [3, 4, 0.5]) == pytest.approx(20)
    assert sdr(np.array([3, 4, 0.0]), [1.5, 2, 0]) == pytest.approx(6.02, abs=0.01)
    V, W, H = np.array([[2.0, 0, 2], [0, 3, 3]]), np.ones((2, 1)), np.ones((1, 3))
    new_H = H * (W.T @ V) / (W.T @ W @ H)
    np.testing.assert_allclose(new_H, [[1, 1.5, 2.5]])
    np.testing.assert_allclose(V @ new_H.T, [[7], [12]])
    np.testing.assert_allclose(W @ new_H @ new_H.T, [[9.5], [9.5]])
    assert pytest.approx((0.74, 1.26), abs=0.005) == (7 / 9.5, 12 / 9.5)
    solved = pages.solutions("57")["step"](V, W, H)
    np.testing.assert_allclose(solved, np.outer([7 / 9.5, 12 / 9.5], [1, 1.5, 2.5]))


def test_three_medians_are_one(unit):
    """By hand, the learner's, scipy's and librosa's."""
    S = np.abs(unit["D"])
    H = scipy.ndimage.median_filter(S, size=(1, 31), mode="reflect")
    P = scipy.ndimage.median_filter(S, size=(31, 1), mode="reflect")
    np.testing.assert_allclose(unit["medians"](S, 31, 1), H)
    np.testing.assert_allclose(unit["medians"](S, 31, 0), P)
    theirs = librosa.decompose.hpss(S, mask=True)
    np.testing.assert_allclose(unit["tonal_mask"](S), theirs[0], atol=1e-9)
    learners = pages.solutions("57")["harmonic_mask"](S[:300, :200], 17, 9)
    theirs = librosa.decompose.hpss(S[:300, :200], kernel_size=(17, 9), mask=True)[0]
    np.testing.assert_allclose(learners, theirs, atol=1e-9)


def test_windows_are_as_long_as_the_page_says():
    assert pytest.approx(0.72, abs=0.005) == 31 * 512 / SR
    assert pytest.approx(330, abs=5) == 31 * SR / 2048
    assert pytest.approx(43, abs=0.1) == SR / 512
    assert pytest.approx(0.37, abs=0.005) == 8192 / SR


def test_which_way_lines_run(unit):
    stated = {"violin": 1.0, "voice_a": 0.94, "arctic_awb": 0.32, "tabla": 0.76, "rain": 0.33}
    for name, share in (stated | {"drum_loop": 0.02, "castanets": 0.0}).items():
        y, rate = audio.clip(name)
        y = audio.resample(y, sr=rate, to=SR)
        tones, clicks = librosa.effects.hpss(y)
        measured = np.sum(tones**2) / (np.sum(tones**2) + np.sum(clicks**2))
        assert measured == pytest.approx(share, abs=0.012), name


def test_vibrato_sends_high_partials_to_the_clicks():
    """A semitone wide, six times a second, as the quiz says."""
    t = np.arange(2 * SR) / SR
    swing = 220 * 2 ** (0.5 / 12 * np.sin(2 * np.pi * 6 * t))
    phase = 2 * np.pi * np.cumsum(swing) / SR
    shares = {}
    tones = {"steady": 2 * np.pi * 220 * t, "vibrato": phase}
    for name, p in tones.items():
        y = sum(np.sin(k * p) for k in range(1, 16))
        D = librosa.stft(y)
        M = librosa.decompose.hpss(np.abs(D), mask=True)[0]
        high = np.abs(D[200:290]) ** 2  # partials 10 to 14
        shares[name] = np.sum(M[200:290] * high) / np.sum(high)
    assert shares["steady"] > 0.95 and 0.1 < shares["vibrato"] < 0.9


def test_bins_of_43_hertz_leave_no_gaps_between_low_partials():
    """A steady tone of 110 Hz and its partials up to 4 kHz, in frames of 512 and of 2048."""
    t = np.arange(2 * SR) / SR
    y = sum(np.sin(2 * np.pi * 110 * k * t) for k in range(1, 37))
    shares = {}
    for n_fft in (512, 2048):
        D = librosa.stft(y, n_fft=n_fft)
        M = librosa.decompose.hpss(np.abs(D), mask=True)[0]
        shares[n_fft] = np.sum(M * np.abs(D) ** 2) / np.sum(np.abs(D) ** 2)
    assert shares[512] < 0.65 and shares[2048] > 0.98


# ---- decibels ------------------------------------------------------------------------------------


def test_one_error_and_two_truths(unit):
    tones, drums, mix, H, P = (unit[k] for k in ("tones", "drums", "mix", "H", "P"))
    np.testing.assert_allclose(H + P, mix, atol=1e-12)
    np.testing.assert_allclose(H - tones, -(P - drums), atol=1e-12)
    assert (sdr(tones, mix), sdr(drums, mix)) == pytest.approx((4.5, -4.5), abs=0.1)
    assert (sdr(tones, H), sdr(drums, P)) == pytest.approx((10.3, 5.9), abs=0.1)
    assert sdr(tones, H) - sdr(drums, P) == pytest.approx(unit["level"], abs=1e-9)


def test_settings_as_the_table_has_them(unit):
    want = [[6.3, 8.0], [8.2, 10.0], [10.7, 10.3], [11.3, 10.7], [8.4, 9.3]]
    np.testing.assert_allclose(unit["table"][:, [0, 2]], want, atol=0.1)
    for n_fft, kernel, k, j in ((1024, 31, 1, 2), (4096, 9, 3, 0)):
        D = librosa.stft(unit["mix"], n_fft=n_fft)
        H = librosa.decompose.hpss(D, kernel_size=kernel)[0]
        y = librosa.istft(H, n_fft=n_fft, length=len(unit["mix"]))
        assert unit["table"][k, j] == pytest.approx(sdr(unit["tones"], y), abs=1e-4)


def test_the_ceiling_of_a_mask(unit):
    stated = (4.5, 10.3, 17.2, 18.2, 16.6, 20.5)
    np.testing.assert_allclose(list(unit["values"].values()), stated, atol=0.06)
    D, T = librosa.stft(unit["mix"]), librosa.stft(unit["tones"])
    learners = pages.solutions("57")["masks"](np.abs([T, D - T]))
    np.testing.assert_allclose(learners.sum(axis=0), 1)
    ideal = librosa.istft(D * learners[0], length=len(unit["mix"]))
    assert sdr(unit["tones"], ideal) == pytest.approx(17.2, abs=0.06)
    rng = np.random.default_rng(0)
    best = unit["best_mask"].clip(0, 1)
    error = np.abs(D * best - T)
    for _ in range(5):  # no other mask has a smaller error in any bin
        other = (best + 0.1 * rng.standard_normal(best.shape)).clip(0, 1)
        assert np.all(np.abs(D * other - T) >= error - 1e-9)


def test_the_form_of_a_mask_matters_little(unit):
    D = unit["D"]
    H = scipy.ndimage.median_filter(np.abs(D), size=(1, 31))
    P = scipy.ndimage.median_filter(np.abs(D), size=(31, 1))
    forms = [H / (H + P + 1e-30), H**4 / (H**4 + P**4 + 1e-30), H > P]
    reached = [sdr(unit["tones"], librosa.istft(D * M, length=len(unit["mix"]))) for M in forms]
    np.testing.assert_allclose(reached, [10.1, 10.3, 10.1], atol=0.1)
    tones, clicks = (librosa.istft(D * M, length=len(unit["mix"])) for M in (H > 3 * P, P > 3 * H))
    rest = unit["mix"] - tones - clicks
    assert sdr(unit["tones"], tones) == pytest.approx(8.7, abs=0.1)
    assert np.sum(rest**2) / np.sum(unit["mix"] ** 2) == pytest.approx(0.12, abs=0.01)


def test_sdr_by_the_book(unit):
    """mir_eval's agrees where an error is foreign to the parts, and nearly after a mask."""
    separation = pytest.importorskip("mir_eval.separation", reason="mir_eval 0.9 has none")
    first = slice(0, 6 * SR)
    truth = np.stack([unit["tones"], unit["drums"]])[:, first]
    guess = np.stack([unit["H"], unit["P"]])[:, first]
    noisy = truth + 0.02 * np.random.default_rng(0).standard_normal(truth.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        book = separation.bss_eval_sources(truth, guess, compute_permutation=False)
        foreign = separation.bss_eval_sources(truth, noisy, compute_permutation=False)[0]
    plain = [sdr(t, g) for t, g in zip(truth, guess, strict=True)]
    np.testing.assert_allclose(plain, (9.8, 5.7), atol=0.06)
    np.testing.assert_allclose(book[0], (9.7, 5.3), atol=0.06)
    np.testing.assert_allclose(book[1], (13.0, 14.1), atol=0.06)
    learners = pages.solutions("57")["sdr"]
    for t, g, theirs in zip(truth, noisy, foreign, strict=True):
        assert learners(t, g) == pytest.approx(theirs, abs=0.1)


# ---- factorisation -------------------------------------------------------------------------------


def test_libfmp_takes_the_same_steps(unit):
    c8 = pytest.importorskip("libfmp.c8", reason=PEER)
    W, H = unit["by_lot"](1)
    mine = unit["factored"](unit["V"], W, H, steps=30)
    theirs = c8.nmf(unit["V"], 5, init_W=W.copy(), init_H=H.copy(), num_iter=30, norm=False)
    np.testing.assert_allclose(mine[0] @ mine[1], theirs[0] @ theirs[1], atol=1e-6)


def test_a_step_is_never_worse_and_keeps_zeros():
    step = pages.solutions("57")["step"]
    rng = np.random.default_rng(7)
    for _ in range(30):
        V, W, H = rng.random((8, 9)), rng.random((8, 3)), rng.random((3, 9))
        assert np.linalg.norm(V - step(V, W, H)) <= np.linalg.norm(V - W @ H) + 1e-12
        H[1] = 1e-300
        assert np.all(step(V, W, H) >= 0)


def test_lower_error_is_not_better_parts(unit):
    scored = unit["scored"]
    lots = np.array([scored[f"by lot {k}"] for k in range(4)])
    assert lots[:, 0].min() > 0.262 and lots[:, 0].max() < 0.277
    assert (lots[:, 1].min(), lots[:, 1].max()) == pytest.approx((3.9, 5.1), abs=0.1)
    assert lots[:, 2].max() < 1
    for name, want in (
        ("times", (0.266, 7.3)),
        ("templates", (0.344, 9.0)),
        ("both", (0.345, 9.0)),
    ):
        assert scored[name][:2] == pytest.approx(want, rel=0.015)
    assert scored["templates"][2] == pytest.approx(6.1, abs=0.15)
    assert unit["ceiling"].mean() == pytest.approx(11.7, abs=0.06)
    learners = pages.solutions("57")["harmonic"]
    freqs = np.arange(2049) * SR / 4096
    np.testing.assert_allclose(learners(unit["pitches"], freqs), unit["W_told"])


def test_no_note_is_ever_alone(unit):
    assert all(len(chord) == 3 for chord in unit["TRIADS"])
    assert unit["pitches"] == [48, 55, 57, 64, 67]
    np.testing.assert_allclose(unit["chords"], np.sum(unit["truth5"], axis=0))
    upper = {2 * k for k in range(1, 9)}
    assert upper < set(range(1, 17))  # every partial of the octave is one of the lower note


def test_what_never_parts_is_not_told_apart(unit):
    found = unit["notes_found"](
        unit["parts_of"](*unit["factored"](unit["V6"], *unit["by_lot"](0, 6))[:2], unit["D6"]),
        unit["truth6"],
    )
    assert found.mean() == pytest.approx(0.6, abs=0.15)
    ideal = unit["ideal_parts"](unit["D6"], unit["truth6"])
    reached = [sdr(t, y) for t, y in zip(unit["truth6"], ideal, strict=True)]
    assert np.mean(reached) == pytest.approx(4.4, abs=0.06)


# ---- the network ---------------------------------------------------------------------------------


def test_the_network_of_the_page_is_the_one_that_was_trained(unit):
    import torch

    from helpers import _weights
    from tools.training import drums

    net, facts = _weights.restore(drums.MaskNet, "drums")
    assert sum(p.numel() for p in net.parameters()) == 8233
    assert facts["songs"] == 152 and facts["processor_seconds"] == pytest.approx(325, abs=2)
    S = np.abs(unit["D"])[:, :80]
    with torch.no_grad():
        theirs = net(drums.seen(torch.from_numpy(S).float()[None]))[0].numpy()
    np.testing.assert_allclose(unit["learned_mask"](S), theirs, atol=1e-4)
    for seed in range(40):
        used = {part.instrument for part in drums.training_song(seed).parts}
        assert not used & {"flute", "guitar", "strings", "choir"}


def test_the_song_by_the_network(unit):
    kept = librosa.istft(unit["D"] * unit["M_net"], length=len(unit["mix"]))
    assert sdr(unit["tones"], kept) == pytest.approx(14.8, abs=0.1)


def test_where_the_network_is_ahead_and_where_the_rule_is():
    found = table()
    known, new, clips = (
        found[k] for k in ("known instruments", "new instruments", "clips of part I")
    )
    lead = {name: column(rows, "network") - column(rows, "hpss") for name, rows in found.items()}
    means = [lead[name].mean() for name in found]
    np.testing.assert_allclose(means, (2.7, 1.0, -0.2), atol=0.06)
    assert [np.sum(x > 0) for x in lead.values()] == [16, 12, 8]
    lost = [row["name"] for row, x in zip(new, lead["new instruments"], strict=True) if x < 0]
    for seed in map(int, lost):  # all on strings
        lot = np.random.default_rng([seed, 9])
        assert str(lot.choice(("flute", "strings"))) == "strings"
    by_name = {row["name"]: row for row in clips}
    tabla = [float(r["network"]) - float(r["hpss"]) for k, r in by_name.items() if "tabla" in k]
    assert sorted(tabla)[1] > 4 and max(tabla) < 9
    pair = by_name["violin, castanets"]
    assert (float(pair["hpss"]), float(pair["network"])) == pytest.approx((17.9, 16.4), abs=0.05)
    hum = by_name["hum, castanets"]
    assert (float(hum["hpss"]), float(hum["network"])) == pytest.approx((21.1, 1.4), abs=0.05)
    both = column(clips, "hpss").mean(), column(clips, "network").mean()
    assert both == pytest.approx((10.8, 10.6), abs=0.06)
    for rows in (known, new):
        assert column(rows, "hpss_4096").mean() < column(rows, "hpss").mean() - 1
    for rows in found.values():  # nothing passes the best mask
        for name in ("hpss", "network", "ideal"):
            assert np.all(column(rows, name) <= column(rows, "best") + 1e-9)


def test_the_table_is_what_the_tool_measures():
    """Two rows once more."""
    import torch

    from helpers import _weights
    from tools.measure import score_drums
    from tools.training import drums

    torch.set_num_threads(1)
    net, _ = _weights.restore(drums.MaskNet, "drums")
    known = table()
    one = next(score_drums.songs("known instruments"))
    for group, given in (
        ("known instruments", one),
        ("clips of part I", next(score_drums.pairs())),
    ):
        got, want = score_drums.row(net, group, *given), known[group][0]
        for name in ("level", "hpss", "hpss_4096", "network", "ideal", "best"):
            assert got[name] == pytest.approx(float(want[name]), abs=0.01)


def test_beats_in_the_halves():
    rows = table()["known instruments"]
    whole, tones, clicks = (column(rows, k).mean() for k in ("beats", "beats_music", "beats_drums"))
    assert abs(whole - clicks) < 0.05 and tones < whole - 0.2


# ---- what can be dragged -------------------------------------------------------------------------


def test_two_rulers(unit):
    ruled = unit["ruled"]
    assert sdr(unit["L_tones"], unit["L_mix"]) == pytest.approx(5.9, abs=0.06)
    assert not ruled(0.72, 40, "tones")["solved"] and ruled(0.4, 150, "tones")["solved"]
    assert not ruled(0.06, 40, "tones")["solved"] and not ruled(1.7, 20, "clicks")["solved"]
    two = ruled(0.4, 150, "tones")["sound"] + ruled(0.4, 150, "clicks")["sound"]
    np.testing.assert_allclose(two, 0.75 * unit["L_mix"], atol=1e-6)  # a loop is kept softer


def test_a_component_that_is_one_note(unit):
    solved = {}
    for rank in range(1, 9):
        for which in range(1, rank + 1):
            one = unit["component"](rank, which)
            if one["solved"]:
                solved[rank] = one["readout"]
    assert set(solved) == {5, 6} and "A3" in solved[6]
    assert not unit["component"](3, 1)["solved"]


def test_a_third_is_taken_out(unit):
    keep = np.ones((5, 26), dtype=bool)
    assert not unit["painted"](keep)["solved"]
    third = keep.copy()
    third[3, 17:] = False
    assert unit["painted"](third)["solved"]
    for wrong in ((4, 17), (3, 14), (0, 17)):
        other = keep.copy()
        other[wrong[0], wrong[1] :] = False
        assert not unit["painted"](other)["solved"], wrong
    both = third.copy()
    both[0, 17:] = False
    assert not unit["painted"](both)["solved"]


def test_nothing_is_loud(unit):
    sounds = [unit["ruled"](0.4, 150, hear)["sound"] for hear in ("tones", "clicks")]
    sounds += [unit["component"](rank, 1)["sound"] for rank in range(1, 9)]
    sounds += [unit["painted"](np.ones((5, 26), dtype=bool))["sound"]]
    for y in sounds:
        assert np.abs(y).max() <= 10 ** (-10 / 20) and -45 < level(y) < -20
    assert level(unit["mix"]) == pytest.approx(-26, abs=0.1)
    assert level(unit["chords"]) == pytest.approx(-26, abs=0.1)


# ---- guesses, real recordings --------------------------------------------------------------------


@pytest.mark.parametrize("key", ["57.ideal", "57.told", "57.network"])
def test_the_guess_stands_in_the_figure(unit, key, tmp_path, monkeypatch):
    places = []
    for k, option in enumerate(catalogue.prediction(key)["options"]):
        _, said = pages.figure_with_guess(unit, key, k, tmp_path, monkeypatch)
        places.append(said.xy)
        if key == "57.told":
            assert said.xy[1] == option["value"]
        if key == "57.ideal":
            assert said.xy[0] == option["value"]
    assert len(set(places)) == len(places)
    pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/music/brahms.flac").is_file(), reason="needs ../shared/corpus"
)
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("brahms", 0.8, 1), ("vibeace", 0.5, 1), ("loop_compus", 0, 0.5), ("trumpet", 0.6, 1),
        ("drum_snare_hard", 0, 0.3), ("sms_flute-A4", 0.95, 1), ("sms_speech-female", 0.3, 0.6),
    ],
)  # fmt: skip
def test_the_cells_for_your_own_take_real_recordings(unit, name, low, high, capsys):
    cells = pages.code_cells(NAME, tag="own-file")
    path = pages.SHARED / "corpus/music" / f"{name}.flac"
    names = dict(unit)
    for cell in cells:
        exec(cell.replace('my_file = ""', f"my_file = {str(path)!r}"), names)
    said = capsys.readouterr().out
    share = int(said.split("%")[0].split()[-1]) / 100
    assert low <= share <= high
    np.testing.assert_allclose(names["my_tones"] + names["my_clicks"], names["mine"], atol=1e-6)
    assert np.isfinite(names["by_net"]).all()


def test_songs_for_numbers_are_not_songs_for_training():
    from tools.measure import score_drums
    from tools.training import drums

    assert drums.SONGS <= 1000 <= score_drums.FIRST
    assert music.random_song(1000).title == "song 1000"
