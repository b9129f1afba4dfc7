"""What unit 33 lets you hear, every number that its pages and its coursework state, and when its
challenge is met.
"""

import csv
import re

import librosa
import numpy as np
import pytest

from helpers import audio
from helpers.coursework import catalogue
from tests import pages
from tests.pages import code_cells, level

NAME = "33_setting2_griffin_lim"
VOICE_DB = -27.0  # the voice that set the volume [dBFS RMS]


def magnitudes(y):
    """Magnitudes by librosa, frames of 1024 samples."""
    return np.abs(librosa.stft(np.asarray(y, float), n_fft=1024, hop_length=256))


def off_db(y, S):
    """Norm of what the magnitudes of y miss over the norm of S [dB]."""
    return 20 * np.log10(np.linalg.norm(magnitudes(y) - S) / np.linalg.norm(S))


def si_sdr(y, s):
    """Scale-invariant signal-to-distortion ratio [dB], written out."""
    kept = (y @ s) / (s @ s) * s
    return 10 * np.log10(np.sum(kept**2) / np.sum((y - kept) ** 2))


# ---- what is heard -------------------------------------------------------------------------------


def test_nothing_is_more_than_14_db_above_the_voice(unit):
    assert len(unit["players"]) == 5
    for player in unit["players"]:
        for name, y in player.tracks.items():
            power = np.convolve(np.square(y, dtype=np.float64), np.ones(6400) / 6400, "valid").max()
            assert 10 * np.log10(power) <= VOICE_DB + 14, name


def test_the_first_sounds_have_the_errors_that_are_printed_and_the_first_is_quieter(unit):
    heard, S = unit["heard"], magnitudes(unit["voice"])
    for name, error in {
        "0 rounds": -4.2,
        "1 rounds": -9.0,
        "8 rounds": -17.2,
        "32 rounds": -28.6,
    }.items():
        assert off_db(heard[name], S) == pytest.approx(error, abs=0.06)
    assert level(heard["0 rounds"]) < level(heard["recording"]) - 5  # "quieter"
    assert level(heard["32 rounds"]) == pytest.approx(level(heard["recording"]), abs=0.1)


@pytest.mark.parametrize("listen", ["this round", "before any round", "recording"])
def test_the_loops_of_the_scrubber_are_equally_long_and_have_no_seam(unit, listen):
    for stop in (1, 8, 100):
        sound = unit["scrub"](stop, "random", 0.99, listen)["sound"]
        assert sound.shape == unit["voice"].shape
        assert (
            20 * np.log10(np.abs(sound).max()) < -12 and max(abs(sound[0]), abs(sound[-1])) < 1e-9
        )
    assert np.abs(sound).max() > 0.01


def test_both_sounds_of_the_blind_test_come_from_one_journey(unit):
    S = magnitudes(unit["voice"])
    found = [off_db(unit["after"][k], S) for k in (1, 8, 100)]
    assert found == pytest.approx([-9.0, -17.2, -40.0], abs=0.06)
    assert unit["abx"].n_trials == 12 and not unit["abx"].done


# ---- what a magnitude says -----------------------------------------------------------------------


def test_a_flipped_word_leaves_no_trace(unit):
    np.testing.assert_allclose(magnitudes(unit["half"]), magnitudes(unit["two"]), atol=1e-12)
    assert not np.array_equal(unit["half"], unit["two"])


def test_counts_of_the_page(unit, page):
    S = magnitudes(unit["voice"])
    assert S.shape == (513, 194) and len(unit["voice"]) == 49520
    assert 2 * S.size == 199044 and "199 044 real numbers, for a sound of 49 520 samples" in page
    assert round(2 * S.size / 49520, 1) == 4.0


def test_the_worked_example(page):
    assert round(440 * 256 / 16000, 9) == 7.04 and 2 * np.pi * 0.04 == pytest.approx(
        0.251, abs=5e-4
    )
    assert "440 · 256 / 16 000 = 7.04 turns" in page and "0.04 turns are 0.251 rad" in page


def test_noise_comes_down_about_as_far_as_a_tone(unit):
    """By librosa, from its own random phases: within 3 dB of each other after 32 plain rounds."""
    found = {}
    for name in ("tone", "noise", "clicks"):
        S = magnitudes(unit[name])
        y = librosa.griffinlim(
            S, hop_length=256, momentum=0, n_iter=32, length=len(unit[name]), random_state=0
        )
        found[name] = off_db(y, S)
    assert all(-19 < error < -14 for error in found.values()), found


def test_the_two_sets_of_the_first_figure(unit):
    for x, path in unit["paths"].values():
        np.testing.assert_allclose(np.hypot(*path[::2].T), 1, atol=1e-12)
        np.testing.assert_allclose(path[1::2, 0], x)
        gaps = np.hypot(*np.diff(path, axis=0).T)
        assert np.all(np.diff(gaps) < 1e-12)  # never grows
    meets = unit["back_and_forth"](0.8, 200)[-1]
    np.testing.assert_allclose(meets, [0.8, 0.6], atol=1e-9)
    assert unit["gap"] == pytest.approx(0.15, abs=1e-3)


# ---- momentum and starts -------------------------------------------------------------------------


def test_momentum_does_in_less_than_half_of_the_rounds_what_plain_does(unit, page):
    plain, fast, too_much = unit["curves"].values()
    assert np.all(np.diff(plain) < 0)
    assert [int(np.argmax(fast < plain[k])) for k in (32, 100)] == [14, 35]
    assert "14 rounds do what 32 plain ones do, and 35 what 100 do" in page
    assert (
        round(float(too_much[60] - fast[60])) == 14
    )  # "15 dB behind" and too_much[200] > plain[200]
    rows = {m: dict(zip(*unit["three_people"](m), strict=True)) for m in (0.0, 0.99)}
    assert [rows[m][k] for m in (0.0, 0.99) for k in (32, 100)] == pytest.approx(
        [-18.01, -23.8, -25.47, -31.35]
    )
    assert (
        "plain −18.0, −23.8 and −27.5 dB after 32, 100 and 300 rounds, 0.99 −25.5, −31.4 and −35.3 "
        "dB" in page
    )


def test_the_table_is_the_one_that_was_measured():
    path = audio.DATA / "tables" / "griffin_lim_convergence.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    ends = {r["alpha"]: float(r["spectral_convergence_db_mean"]) for r in rows
            if (r["init"], r["hop"], r["iteration"]) == ("random phase", "256", "300")}  # fmt: skip
    assert (ends["0.0"], ends["0.99"]) == (-27.52, -35.31)


def test_a_smaller_error_need_not_sound_better(unit, page):
    S, starts = magnitudes(unit["voice"]), unit["journey"]("gradient", 0.99)[0]
    begun, fast = starts[0], unit["after"][16]
    assert off_db(begun, S) == pytest.approx(-26.4, abs=0.06) and off_db(fast, S) == pytest.approx(
        -20.6, abs=0.06
    )
    assert "has −26.4 dB, *random* after 16 fast rounds only −20.6 dB" in page
    floor = 1e-4 * S.max()
    levels = lambda y: 20 * np.log10(np.maximum(magnitudes(y), floor))  # noqa: E731
    assert np.mean((levels(begun) - levels(unit["voice"])) ** 2) > np.mean(
        (levels(fast) - levels(unit["voice"])) ** 2
    )


def test_the_arrows_are_what_the_round_wanted_and_what_the_sound_has(unit):
    sounds, asked, _ = unit["journey"]("zero", 0.0)
    before = librosa.stft(sounds[2], n_fft=1024, hop_length=256)[unit["patch"]]
    S = magnitudes(unit["voice"])[unit["patch"]]
    np.testing.assert_allclose(asked[3], S * before / np.abs(before), atol=1e-9)
    reply = unit["scrub"](3, "zero", 0.0, "this round")
    assert np.isnan(reply["hx"]).sum() == S.size and len(reply["wx"]) == 3 * S.size
    turned = np.angle(librosa.stft(sounds[3], n_fft=1024, hop_length=256)[unit["patch"]]).ravel()
    way = np.reshape(reply["hy"], (-1, 3)), np.reshape(reply["hx"], (-1, 3))
    drawn = np.arctan2(*(w[:, 1] - w[:, 0] for w in way))
    np.testing.assert_allclose(np.exp(1j * drawn), np.exp(1j * turned), atol=1e-6)


def test_what_to_see(unit, page):
    """Arrows come together; quiet bins stay behind loud ones."""
    sounds, asked, _ = unit["journey"]("random", 0.99)
    S, angles = magnitudes(unit["voice"]), {}
    for stop in (1, 32):
        turned = librosa.stft(sounds[stop], n_fft=1024, hop_length=256)[unit["patch"]] / asked[stop]
        angles[stop] = np.average(np.abs(np.angle(turned)), weights=np.abs(asked[stop]))
    assert angles[32] < angles[1] / 3
    below, missed = 20 * np.log10(S / S.max() + 1e-9), np.abs(magnitudes(sounds[100]) - S)
    parts = [20 * np.log10(np.linalg.norm(missed[m]) / np.linalg.norm(S[m]))
             for m in (below > -20, (below > -60) & (below <= -40))]  # fmt: skip
    assert (
        np.round(parts).tolist() == [-49, -24]
        and "the error is −49 dB in the bins within 20 dB" in page
    )


TRIED = {(16, "random", 0.99): True, (11, "random", 0.99): False, (23, "random", 0.99): False,
         (16, "random", 0.5): False, (16, "random", 1.2): False, (16, "gradient", 0.99): False}  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(("setting", "won"), TRIED.items(), ids=str)
def test_the_challenge_is_won_with_momentum_and_not_by_a_near_miss(unit, setting, won):
    assert bool(unit["scrub"](*setting, "this round")["solved"]) == won


def test_where_ears_stop(unit):
    """Ten of twelve are needed: guessing gets that with a chance of 79/4096."""
    stop = unit["where_ears_stop"]
    assert stop({}) == "No test is finished yet."
    assert stop({8: 12}) == "Told apart at 8 rounds: try more."
    assert stop({8: 10, 16: 9}) == "Told from 100 rounds at 8, not at 16."
    assert stop({8: 5}) == "Told from 100 rounds at no number tried, not at 8."
    assert stop({2: 9, 4: 12, 8: 11, 32: 3, 64: 7}) == "Told from 100 rounds at 8, not at 32."
    assert stop(unit["robot"]) == "Told from 100 rounds at 16, not at 32."
    assert unit["robot"][4] == 9  # "missed the mark by one answer"


# ---- numbers that mean something, and those that do not ------------------------------------------


def test_si_sdr_calls_the_better_sound_the_worse_by_35_db(unit, texts):
    a, b = unit["judged"]["A: rain, 20 dB below"], unit["judged"]["B: 32 fast rounds"]
    found = [si_sdr(y, unit["voice"]) for y in (a, b)]
    assert found == pytest.approx([20, -15.5], abs=0.06) and "the gap is 35 dB" in texts
    assert "20 dB against −15." in texts
    S = magnitudes(unit["voice"])
    assert off_db(b, S) < off_db(a, S)


def test_speech_measures_of_the_page(unit, page):
    pesq, pystoi = pytest.importorskip("pesq"), pytest.importorskip("pystoi")
    voice, judged = unit["voice"], unit["judged"]
    scores = [
        (pesq.pesq(16000, voice, y, "wb"), pystoi.stoi(voice, y, 16000))
        for y in list(judged.values())[:2]
    ]
    (a, clear_a), (b, clear_b) = scores
    assert (round(a, 2), round(b, 2)) == (1.46, 4.03) and "gives A 1.46 and B 4.03" in page
    assert (clear_a, clear_b) == (pytest.approx(0.96, abs=0.006), pytest.approx(1.00, abs=0.006))
    spoken = [
        pesq.pesq(16000, unit["speech"], y[8000:], "wb")
        for y in list(unit["modelled"].values())[1:]
    ]
    assert {round(score, 2) for score in spoken} == {1.59, 1.60}
    assert "all three of these 1.59 or 1.60" in page


def test_from_mel(unit, page):
    S, voice = magnitudes(unit["voice"]), unit["voice"]
    bank = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=80, dtype=np.float64)
    assert np.linalg.norm(bank @ unit["S_mel"] ** 2 - bank @ S**2) < 0.01 * np.linalg.norm(
        bank @ S**2
    )
    assert (
        off_db(unit["from_mel"], unit["S_mel"]) == pytest.approx(-16.0, abs=0.06)
        and "they stop at −16.0 dB" in page
    )
    assert off_db(unit["its_own"], S) < off_db(unit["from_mel"], S) - 7
    assert si_sdr(unit["from_mel"], voice) < -10 < 20 < si_sdr(unit["its_own"], voice)


def test_three_sounds_of_one_guess_differ_in_si_sdr_only(unit, page):
    speech, sounds = unit["speech"], [y[8000:] for y in unit["modelled"].values()]
    S = magnitudes(speech)
    apart = [off_db(y, S) for y in sounds[1:]]
    assert np.ptp(apart) < 0.25 and max(apart) < off_db(sounds[0], S) - 4  # the guess helps
    ratios = [si_sdr(y, speech) for y in sounds[1:]]
    assert round(np.ptp(ratios)) == 34 and "spreads them over 34 dB" in page
    assert np.argmin(ratios) == 1  # random phases


def test_the_model_can_be_exchanged_in_one_line(unit):
    """With the clean magnitude in place of the guess, the same function brings the voice back, by
    its magnitudes.
    """
    wanted = np.abs(librosa.stft(unit["late"], n_fft=1024, hop_length=256))
    assert off_db(unit["rebuilt"](wanted, "random"), wanted) < -25
    lines = [
        line for c in code_cells(NAME) for line in c.splitlines() if "spectral_subtraction(" in line
    ]
    assert len(lines) == 2 and lines[1].startswith("S_hat = ")


def test_ends_of_the_last_figure(unit, page):
    ends = {name: round(float(found[-1]), 1) for name, found in unit["ends"].items()}
    assert ends == {
        "the recording's": -40.0,
        "80 bands'": -16.0,
        "40 bands'": -14.9,
        "subtraction's": -27.5,
    }
    assert "−27.5 dB for the subtraction, −16.0 dB for 80 bands and −14.9 dB for 40" in page
    for name in ("80 bands'", "40 bands'"):
        assert unit["ends"][name][60] - unit["ends"][name][100] < 0.5  # flat
    S = magnitudes(unit["voice"])
    assert np.linalg.norm(unit["S_40"] - S) > 2 * np.linalg.norm(
        unit["S_mel"] - S
    )  # "much the worse"


# ---- texts ---------------------------------------------------------------------------------------

NUMBERS = [("0.251", 2 * np.pi * 0.04), ("7.04", 440 * 256 / 16000), ("44 radians", 2 * np.pi * 440 * 256 / 16000),  # noqa: E501
           ("16 ms", 1000 * 256 / 16000), ("20 dB against", 20)]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value, texts):
    assert text in texts
    digits = re.match(r"[\d.]*\d", text).group()
    assert round(float(value), len(digits.partition(".")[2])) == float(digits)


def test_solutions_are_griffin_lim():
    """Twenty rounds of the learner's own functions take librosa's way."""
    space = pages.solutions("33")
    y = 0.1 * np.random.default_rng(0).standard_normal(4000)
    S = np.abs(librosa.stft(y, n_fft=256, hop_length=64))
    analyse = lambda y: librosa.stft(y, n_fft=256, hop_length=64)  # noqa: E731
    invert = lambda D: librosa.istft(D, n_fft=256, hop_length=64, length=4000)  # noqa: E731
    plain = now = last = invert(S.astype(complex))
    for _ in range(20):
        plain = space["one_round"](plain, S, analyse, invert)
        last, now = now, space["fast_round"](now, last, S, 0.99, analyse, invert)
    for ours, momentum in ((plain, 0), (now, 0.99)):
        theirs = librosa.griffinlim(
            S, hop_length=64, n_iter=20, momentum=momentum, init=None, length=4000
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-7)
    steps = space["phase_steps"](np.array([440.0, 1010.0]), 16000, 64)
    for f, step in zip((440, 1010), steps, strict=True):
        D = librosa.stft(np.cos(2 * np.pi * f * np.arange(8000) / 16000), n_fft=256, hop_length=64)
        seen = np.angle(D[round(f * 256 / 16000), 41] / D[round(f * 256 / 16000), 40])
        assert np.angle(np.exp(1j * (seen - step))) == pytest.approx(0, abs=1e-3)


# ---- phases on one magnitude ---------------------------------------------------------------------


def test_the_phase_matters_on_a_wrong_magnitude(unit, page):
    marks = {
        (r["phase"], r["rounds"], r["snr_db"]): np.array([float(r["pesq"]), float(r["stoi"])])
        for r in unit["stored"]
    }
    levels = ("0", "5", "10")
    gain = [marks["noisy", "0", k] - marks["Griffin-Lim", "32", k] for k in levels]
    more = [marks["true", "0", k] - marks["noisy", "0", k] for k in levels]
    pesq, stoi = np.transpose(gain)
    assert [round(x, 2) for x in (min(pesq), max(pesq), min(stoi), max(stoi))] == [
        0.07,
        0.20,
        0.02,
        0.02,
    ]
    assert "by 0.07 to 0.20 PESQ and by 0.02 STOI" in page
    assert [round(float(f(x[0] for x in more)), 2) for f in (min, max)] == [0.25, 0.45]
    assert "would add another 0.25 to 0.45" in page
    for k in levels:  # "Rounds that start at the noisy phase spoil it"
        assert np.all(marks["noisy", "8", k] < marks["noisy", "0", k])
    assert "cannot mend a wrong magnitude" not in page


def test_the_first_guess_by_slopes_is_better_for_tones_and_worse_for_voice_and_drums(unit, page):
    """Both starts again, their error by librosa."""
    import librosa

    ahead = {}
    for name, y in unit["clips"].items():
        S = np.abs(librosa.stft(y, n_fft=1024, hop_length=256, pad_mode="constant"))
        error = []
        for init, n_iter in (("random", 32), ("gradient", 0)):
            how = {"hop_length": 256, "length": len(y), "init": init, "n_iter": n_iter}
            made = np.abs(
                librosa.stft(
                    unit["phase"].griffin_lim(S, **how),
                    n_fft=1024,
                    hop_length=256,
                    pad_mode="constant",
                )
            )
            error.append(20 * np.log10(np.linalg.norm(made - S) / np.linalg.norm(S)))
        ahead[name] = error[0] - error[1]
    assert ahead["cello"] == pytest.approx(5, abs=0.3)
    assert ahead["arctic_slt"] == pytest.approx(-2, abs=0.3)
    assert ahead["drum_loop"] == pytest.approx(-6.5, abs=0.2)
    assert "by 5 dB. For the voice it is 2 dB worse, for the drum loop 6.5" in page


def test_the_noisy_sound_of_the_demo_is_above_the_floor_of_pesq(unit, page):
    pesq = pytest.importorskip("pesq").pesq
    score = pesq(16000, unit["speech"], unit["noisy"][8000:], "wb")
    assert score > 1.15 and f"PESQ gives the noisy sound {score:.2f}" in page


def test_rain_covers_the_treble_of_the_voice(unit, page):
    """Power above 2 kHz of the voice over that of the rain 20 dB below it."""
    spectrum = lambda y: np.abs(np.fft.rfft(y)) ** 2  # noqa: E731
    voice, high = unit["voice"], np.fft.rfftfreq(len(unit["voice"]), 1 / 16000) > 2000
    noise = unit["judged"]["A: rain, 20 dB below"] - voice
    apart = 10 * np.log10(spectrum(voice)[high].sum() / spectrum(noise)[high].sum())
    assert round(apart) == 3 and "above 2 kHz it lies only 3 dB below this voice, not 20" in page


def test_one_magnitude_and_its_phases_by_another_bootstrap(unit, page):
    """Differences and intervals of the page, from the rows of utterances, by scipy."""
    from scipy import stats

    table = {}
    for row in unit["same"]:
        table.setdefault(row["phase"], {})[row["utterance"]] = float(row["pesq"])
    assert {len(marks) for marks in table.values()} == {19}
    said = {row["phase"]: row for row in unit["apart"] if row["measure"] == "pesq"}
    behind = []
    for name in ("Griffin-Lim from random", "Griffin-Lim from noisy", "Griffin-Lim from slopes"):
        behind.append(check_against_scipy(table[name], table["noisy"], said[name], stats))
        assert behind[-1][2] < 0  # "the intervals lie below 0"
    assert {f"{-mean:.2f}" for mean, _, _ in behind} == {"0.02", "0.03"}
    assert "are 0.02 to 0.03 behind it, wherever they begin" in page
    more = check_against_scipy(table["true"], table["noisy"], said["true"], stats)
    assert f"{more[0]:.2f}" == "0.20" and "true phase would be 0.20 better" in page


def check_against_scipy(one, other, row, stats):
    """Mean and both ends, by scipy, after a comparison with a stored row."""
    d = np.array([one[name] - other[name] for name in one])
    how = {"method": "percentile", "n_resamples": 10000, "rng": np.random.default_rng(3)}
    ends = stats.bootstrap((d,), np.mean, **how).confidence_interval
    assert float(row["difference"]) == pytest.approx(d.mean(), abs=0.002)
    assert [float(row["low"]), float(row["high"])] == pytest.approx([*ends], abs=0.012)
    return d.mean(), *ends


def test_a_guess_is_drawn_into_the_figure_of_momentum(unit, monkeypatch):
    """End to end: the second option is chosen and stored, and the figure has it 15 dB behind."""
    import matplotlib.pyplot as plt

    from helpers import coursework
    from helpers.coursework import store

    def drawn():
        fig, ax = plt.subplots()
        unit["mark_guess"](ax)
        found = (
            [line.get_xydata()[0].tolist() for line in ax.lines],
            [t.get_text() for t in ax.texts],
        )
        plt.close(fig)
        return found

    store.update(lambda state: state["predictions"].pop("33.momentum", None))
    assert drawn() == ([], [])
    store.update(lambda state: state["predictions"].update({"33.momentum": {"tried": [1]}}))
    assert coursework.guess("33.momentum") == 15
    (point,), (label,) = drawn()
    assert point == pytest.approx([60, unit["curves"][0.99][60] + 15]) and label == "your guess"
    assert any("mark_guess(ax)" in cell for cell in code_cells(NAME, tag="figure"))


def test_a_twin_has_the_magnitudes_by_librosa_and_is_another_sound():
    """The solution, on words whose second pause is as long as a frame."""
    space = {"np": np}
    exec(catalogue.exercises("33")["33.twin"].solution, space)
    rng = np.random.default_rng(5)
    words = [rng.standard_normal(k) for k in (500, 400, 600)]
    y = np.concatenate([words[0], np.zeros(90), words[1], np.zeros(300), words[2]])
    made = space["twin"](y, 256)
    one, other = (np.abs(librosa.stft(x, n_fft=256, hop_length=64)) for x in (y, made))
    np.testing.assert_allclose(one, other, atol=1e-12)
    assert np.max(np.abs(made - y)) > 1 and np.max(np.abs(made + y)) > 1
    assert si_sdr(made, y) < 10
    turned = np.concatenate([words[0], np.zeros(90), -words[1], np.zeros(300), -words[2]])
    cut = np.abs(librosa.stft(turned, n_fft=256, hop_length=64))  # in the short pause
    assert np.max(np.abs(cut - one)) > 1


def test_the_gaussian_that_fits_a_hann_window(page):
    from scipy.optimize import curve_fit

    n = np.arange(1024) - 512
    hann = np.cos(np.pi * n / 1024) ** 2
    (_, gamma), _ = curve_fit(
        lambda n, a, g: a * np.exp(-np.pi * n**2 / g), n, hann, p0=(1, 200000.0)
    )
    assert gamma / 1024**2 == pytest.approx(0.25, abs=0.005) and "about $N^2/4$" in page


def test_no_solution_stands_above_its_exercise():
    """A round by hand, and a step with momentum, come after they were asked for."""
    cells = code_cells(NAME)
    asked = {key: cells.index(f'coursework.solution("33.{key}")') for key in ("round", "fast")}
    assert not any("np.exp(1j * np.angle(" in c for c in cells[: asked["round"]])
    assert not any("momentum * (y" in c for c in cells[: asked["fast"]])


def test_a_round_is_a_step_downhill():
    """By autograd over the samples, all bins, against the solution of 33.slope and a round."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(8)
    n, size, hop = 400, 64, 16
    window = np.sin(np.pi * np.arange(size) / size) ** 2
    starts = np.arange(0, n + size + 1, hop)
    matrix = np.zeros((len(starts), size, n + 2 * size), complex)  # every cell's windowed turn
    turn = np.exp(-2j * np.pi * np.outer(np.arange(size), np.arange(size)) / size) / np.sqrt(size)
    for m, start in enumerate(starts):
        matrix[m, :, start : start + size] = turn * window
    matrix = matrix.reshape(-1, n + 2 * size)[:, size : size + n]
    y, S = rng.standard_normal(n), rng.uniform(0.1, 2, len(matrix))
    leaf = torch.from_numpy(y).requires_grad_()
    D = torch.from_numpy(matrix) @ leaf.to(torch.complex128)
    (0.5 * (D.abs() - torch.from_numpy(S)).square().sum()).backward()
    space = {"np": np}
    exec(catalogue.exercises("33")["33.slope"].solution, space)
    ways = (lambda x: matrix @ x, lambda D: (matrix.conj().T @ D).real)
    step = space["downhill"](y, S, *ways, 0.3)
    np.testing.assert_allclose(step, y - 0.3 * leaf.grad.numpy(), atol=1e-12)
    target = S * np.exp(1j * np.angle(matrix @ y))
    over = np.sum(np.abs(matrix) ** 2, axis=0)  # squared windows over each sample
    assert np.allclose(over[size:-size], 1.5)
    least_squares = (matrix.conj().T @ target).real / over  # the inverse that a round takes
    by_slope = space["downhill"](y, S, *ways, 1 / 1.5)
    np.testing.assert_allclose(by_slope[size:-size], least_squares[size:-size], atol=1e-12)
