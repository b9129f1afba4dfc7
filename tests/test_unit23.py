"""What unit 23 lets you hear, every number that its pages and its coursework state, and when its
challenge is met.
"""

import inspect
import re

import librosa
import numpy as np
import pytest
from scipy.fft import dct, idct
from scipy.signal import istft

from helpers import audio, mel
from helpers.coursework import catalogue
from tests.pages import level, with_guess

pytestmark = pytest.mark.filterwarnings("ignore:.*mel filters are empty")
NAME = "23_mel_spectrogram"
SR = 16000


def magnitudes(y):
    """Magnitudes by librosa, frames of 1024 samples."""
    return np.abs(librosa.stft(np.asarray(y, float), n_fft=1024, hop_length=256))


def off_db(S_hat, S):
    """Norm of the error over the norm of the target [dB]."""
    return 20 * np.log10(np.linalg.norm(S_hat - S) / np.linalg.norm(S))


def loudest_400_ms(y):
    """RMS level of the loudest 400 ms [dBFS]."""
    return 10 * np.log10(
        np.convolve(np.asarray(y, float) ** 2, np.ones(6400) / 6400, "valid").max()
    )


def slaney_corners(n_mels, top=8000.0):
    """Corners of a Slaney bank [Hz], written out: 200/3 Hz a mel up to 1 kHz, 27 mel to 6.4 kHz
    above.
    """
    last = 15 + 27 * np.log(top / 1000) / np.log(6.4)
    mels = np.linspace(0, last, n_mels + 2)
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))


def htk_corners(n_mels, top=8000.0):
    """Corners of an HTK bank [Hz], written out."""
    mels = np.linspace(0, 2595 * np.log10(1 + top / 700), n_mels + 2)
    return 700 * (10 ** (mels / 2595) - 1)


# ---- what is heard -------------------------------------------------------------------------------


def test_all_four_sound_as_loud_as_the_recording_within_2_db(unit):
    heard = unit["heard"]
    assert len(heard) == 4 and len({y.shape for y in heard.values()}) == 1
    for y in heard.values():
        assert level(y) == pytest.approx(level(heard["recording"]), abs=2)
        assert loudest_400_ms(y) < -27.0 + 14


def test_they_are_as_far_from_the_recording_as_the_page_prints(unit):
    printed = {"80 bands, its phase": (-24.5, 3.2), "20 bands, its phase": (-3.5, 7.1)}
    printed["80 bands, random phase"] = (-4.6, 7.0)
    S = magnitudes(unit["voice"])
    floor = 1e-4 * S.max()
    for name, (error, levels) in printed.items():
        S_hat = magnitudes(unit["heard"][name])
        assert off_db(S_hat, S) == pytest.approx(error, abs=0.06)
        gap = 20 * np.log10(np.maximum(S_hat, floor) / np.maximum(S, floor))
        assert np.mean(np.sqrt(np.mean(gap**2, axis=0))) == pytest.approx(levels, abs=0.06)


def test_two_borrow_the_phase_and_one_does_not(unit):
    D = librosa.stft(unit["voice"], n_fft=1024, hop_length=256)
    loud = np.abs(D) > 0.05 * np.abs(D).max()
    for name, y in list(unit["heard"].items())[1:]:
        turn = np.angle(librosa.stft(y, n_fft=1024, hop_length=256)[loud] / D[loud])
        near = np.mean(np.abs(turn) < 0.5)
        assert near < 0.35 if "random" in name else near > 0.75, (name, near)


def test_20_bands_merge_harmonics_and_80_keep_them(unit):
    """A voice of about 200 Hz: its low harmonics are ripples over the bins, at a spacing of 13
    bins.
    """
    S = magnitudes(unit["voice"])
    frame = np.argmax(S.sum(axis=0))

    def dips(y):
        levels = 20 * np.log10(magnitudes(y)[8:70, frame])
        return levels.max() - np.median(np.partition(levels, 15)[:15])

    heard = unit["heard"]
    assert dips(heard["80 bands, its phase"]) > dips(heard["20 bands, its phase"]) + 5


# ---- the bank ------------------------------------------------------------------------------------


def test_numbers_of_the_first_figure(page):
    edges = slaney_corners(40)
    assert np.sum(edges[1:-1] < 2000) == 22 and "22 of the 40 centres lie below 2 kHz" in page
    widths = edges[2:] - edges[:-2]
    assert (round(widths[0]), round(widths[-1])) == (
        147,
        1126,
    ) and "147 Hz wide at its foot, the highest 1126 Hz" in page


def in_erbs(n_mels):
    """Centres [Hz], and how many ERBs wide a rectangle of each triangle's area and height is."""
    edges = slaney_corners(n_mels)
    area = [np.trapezoid([0, 1, 0], edges[k : k + 3]) for k in range(n_mels)]
    return edges[1:-1], np.array(area) / (24.7 * (1 + 0.00437 * edges[1:-1]))


def test_widths_beside_the_ear(page):
    centres, widths = in_erbs(40)
    assert f"up to {widths.max():.1f} times as wide as an ERB" in page
    assert np.all(widths[centres < 500] > 1) and np.all(widths[centres > 520] < 1)
    centres, widths = in_erbs(80)
    assert np.sum(widths > 1.1) == 2 and widths[2] == pytest.approx(1.01, abs=0.005)
    assert np.all(widths[centres > 500] < 0.5)


def test_half_of_the_bands_lie_below_1700_hz_and_the_guess_is_drawn(unit, monkeypatch, tmp_path):
    edges = slaney_corners(40)
    assert np.median(edges[1:-1]) == pytest.approx(1690, abs=1)  # "About 1700 Hz"
    assert np.sum(edges[1:-1] < 1700) == 20 and np.sum(edges[1:-1] > 4000) < 40 / 4
    assert edges[1] - edges[0] == pytest.approx(70, abs=5) and edges[2] < 1000
    before = with_guess(unit, "23.middle", None, tmp_path, monkeypatch)
    assert not any("your guess" in text.get_text() for text in before.axes[0].texts)
    hertz, mels, _ = with_guess(unit, "23.middle", 3, tmp_path, monkeypatch).axes
    assert any("your guess" in text.get_text() for text in hertz.texts)
    assert hertz.lines[-1].get_xdata()[0] == 4.0
    half = 15 + 27 * np.log(4) / np.log(6.4)  # 4000 Hz in mel, Slaney's, written out
    assert mels.lines[-1].get_xdata()[0] == pytest.approx(half)


def test_the_twin_is_legal_far_and_unseen(unit):
    frame, other = unit["frame"], unit["other"]
    bank = librosa.filters.mel(sr=SR, n_fft=1024, n_mels=80, dtype=np.float64)
    assert other.min() >= 0
    np.testing.assert_allclose(bank @ other, bank @ frame, rtol=1e-9)
    assert np.linalg.norm(other - frame) > 0.4 * np.linalg.norm(frame)


def test_what_a_lent_phase_repairs(unit, page):
    D = librosa.stft(unit["voice"], n_fft=1024, hop_length=256)
    S = np.abs(D)
    M = librosa.filters.mel(sr=SR, n_fft=1024, n_mels=80, dtype=np.float64) @ S**2
    bands = mel.mel_to_magnitude(M, sr=SR, n_fft=1024)
    lent = bands * np.exp(1j * np.angle(D))
    sound = librosa.istft(lent, hop_length=256, length=len(unit["voice"]))
    before, after = off_db(bands, S), off_db(magnitudes(sound), S)
    assert f"{before - after:.1f} dB between the two numbers" in page
    assert f"−{-after:.1f} dB, is the second" in page and f"know is −{-before:.1f} dB" in page


def test_the_first_of_the_empty_filters_is_in_the_picture(unit):
    places, bad = unit["bench"](8000, 128, 400, "HTK", "peak 1"), None
    bad = np.isfinite(places["bad"]).reshape(128, -1).any(axis=1)
    assert bad.sum() == 4 and bad[0]
    seen = places["places"].reshape(128, -1)[0][:-1]
    assert seen.max() - seen.min() > 10 and seen.max() == pytest.approx(27.9, abs=0.05)


def test_worked_examples(page):
    assert np.interp(250, [100, 200, 400], [0, 1, 0]) == 0.75 and "of its 200 Hz left: 0.75" in page
    assert 10 * np.log10(0.02 / 2) == pytest.approx(-20) and "10 · log10(0.01) = −20 dB" in page


def test_empty_filters_of_the_page(unit, page):
    def empty(edges, n_fft):
        freqs = np.arange(n_fft // 2 + 1) * SR / n_fft
        inside = (freqs > edges[:-2, None]) & (freqs < edges[2:, None])
        return int(np.sum(~inside.any(axis=1)))

    htk, slaney = htk_corners(128), slaney_corners(128)
    assert [empty(htk, n) for n in (400, 512, 573, 574)] == [4, 1, 1, 0]
    assert [empty(slaney, n) for n in (400, 512, 574)] == [0, 0, 0]
    assert [unit["empties"](n, "htk") for n in (400, 512, 574)] == [4, 1, 0]
    assert htk[2] == pytest.approx(27.9, abs=0.05) and "The lowest filter is 27.9 Hz wide" in page
    assert "4 of 128 mel filters are empty" in str(unit["said"][0].message) and SR / 400 == 40


# ---- logarithm, normalisation, MFCC --------------------------------------------------------------


def test_the_strongest_hiss_is_where_the_page_says(unit, page):
    treble = (magnitudes(unit["voice"])[300:] ** 2).sum(axis=0)
    assert np.argmax(treble) * 256 / SR == pytest.approx(0.65, abs=0.03)
    assert "hiss of *sharply* in the upper half, at 0.65 s" in page


def test_the_printed_shares_of_the_mel_spectrogram(unit):
    M = librosa.feature.melspectrogram(
        y=unit["voice"], sr=SR, n_fft=1024, hop_length=256, n_mels=80
    )
    assert 100 * np.mean(M / M.max() > 0.01) == pytest.approx(3.4, abs=0.06)
    assert np.log10(M.max() / np.median(M)) == pytest.approx(5.6, abs=0.06)


def test_normalising_takes_gain_and_colour_away(unit):
    spoken = unit["spoken"]
    colour = np.random.default_rng(0).uniform(0.1, 2, (80, 1))
    for changed in (0.01 * spoken, colour * spoken):
        np.testing.assert_allclose(unit["per_band"](changed), unit["per_band"](spoken), atol=1e-9)


def test_what_few_coefficients_cost(unit):
    C = dct(unit["L"], axis=0, norm="ortho")
    for kept, error in ((13, 6.4), (40, 2.3), (80, 0.0)):
        smooth = idct(C[:kept], n=80, axis=0, norm="ortho")
        assert np.sqrt(np.mean((smooth - unit["L"]) ** 2)) == pytest.approx(error, abs=0.06)


# ---- inversion -----------------------------------------------------------------------------------


def test_errors_of_the_inverse(unit, page):
    printed = {20: (-0.2, -0.6), 40: (-3.0, -8.2), 80: (-7.4, -14.3), 128: (-11.8, -19.0)}
    for n_mels, errors in printed.items():
        found = [unit["inversion_error"](n_mels, method) for method in ("pinv", "nnls")]
        assert found == pytest.approx(errors, abs=0.06)
    assert (
        printed[80][0] - printed[80][1] == pytest.approx(7, abs=0.2)
        and "worth 7 dB at 80 bands" in page
    )


@pytest.mark.parametrize("begin", [0.4, 1.5, 2.0])
def test_librosas_inverse_agrees_about_this_voice(unit, begin):
    """librosa starts from the pseudo-inverse too, and stops elsewhere: within 3 dB, both far better
    than the start. When it stops depends on the size of the powers, so they are made large.
    """
    y = 100 * unit["voice"][int(begin * SR) :][:4800]
    S = magnitudes(y)
    M = librosa.feature.melspectrogram(S=S**2, sr=SR, n_fft=1024, n_mels=80)
    theirs = off_db(librosa.feature.inverse.mel_to_stft(M, sr=SR, n_fft=1024), S)
    ours, start = (
        off_db(mel.mel_to_magnitude(M, sr=SR, n_fft=1024, method=m), S) for m in ("nnls", "pinv")
    )
    assert ours == pytest.approx(theirs, abs=3)
    assert max(ours, theirs) < start - 4


def test_fitting_the_bands_exactly_is_worse_here(unit):
    fitted, S = np.sqrt(unit["exact"]), unit["S"]
    bank = librosa.filters.mel(sr=SR, n_fft=1024, n_mels=80, dtype=np.float64)
    np.testing.assert_allclose(bank @ fitted**2, bank @ S**2, atol=1e-9 * (bank @ S**2).max())
    assert off_db(fitted, S) == pytest.approx(-3.9, abs=0.06)
    assert off_db(unit["ours"], S) == pytest.approx(-14.3, abs=0.06)


def test_the_piano_comes_back_worse(page):
    y, rate = audio.clip("piano_chords")
    y = audio.resample(np.atleast_2d(y)[0].astype(float), sr=rate, to=SR)[: 3 * SR]
    S = magnitudes(y)
    M = librosa.filters.mel(sr=SR, n_fft=1024, n_mels=80, dtype=np.float64) @ S**2
    error = off_db(mel.mel_to_magnitude(M, sr=SR, n_fft=1024), S)
    assert error == pytest.approx(-9.2, abs=0.1) and "(−9.2 dB with 80 bands" in page


# ---- the workbench -------------------------------------------------------------------------------


def error_of(reply):
    """The inversion error that the read-out names [dB]."""
    return -float(re.search(r"error −([\d.]+) dB", reply["readout"])[1])


def said(unit, **changes):
    """What the workbench replies; it starts with everything that the challenge forbids."""
    values = {
        "fmax": 8000,
        "n_mels": 128,
        "n_fft": 400,
        "variant": "HTK",
        "norm": "peak 1",
    } | changes
    return unit["bench"](**values)


def test_the_workbench_starts_with_four_empty_filters(unit):
    reply = said(unit)
    assert (
        "128 bands (HTK) up to 8000 Hz, from 201 bins: 4 empty." in reply["readout"]
        and not reply["solved"]
    )


REFUSED = [
    {"n_mels": 64},  # 400 samples, HTK: -23.4 dB
    {"n_mels": 64, "n_fft": 256},  # one empty
    {"n_mels": 64, "n_fft": 1024, "variant": "Slaney"},
    {"n_mels": 72, "n_fft": 256, "variant": "Slaney"},  # too many bands
    {"n_mels": 64, "n_fft": 256, "variant": "Slaney", "fmax": 7551},  # not up to 8 kHz
    {"n_mels": 32, "n_fft": 256, "variant": "Slaney"},
]


@pytest.mark.parametrize("setting", REFUSED, ids=str)
def test_what_the_challenge_refuses(unit, setting):
    assert not said(unit, **setting)["solved"]


@pytest.mark.parametrize(
    "setting", [{"variant": "Slaney", "n_mels": 64}, {"variant": "HTK", "n_mels": 56}], ids=str
)
def test_what_the_challenge_accepts(unit, setting):
    assert said(unit, n_fft=256, **setting)["solved"].startswith("Yes:")


def test_the_errors_named_below_the_workbench(unit, page):
    found = [error_of(said(unit, n_mels=64, variant="Slaney", n_fft=n)) for n in (1024, 256)]
    assert found == pytest.approx([-8.5, -26.9], abs=0.051)
    assert "the error is −8.5 dB at 1024 samples and −26.9 dB at 256" in page
    assert 256 // 2 + 1 == 129


def test_a_lower_end_loses_treble_and_betters_the_error(unit):
    errors = {}
    for fmax in (8000, 3000):
        reply = said(unit, n_mels=40, n_fft=512, variant="Slaney", fmax=fmax)
        errors[fmax] = error_of(reply)
        power = np.abs(np.fft.rfft(reply["sound"])) ** 2
        treble = power[int(len(power) * 4 / 8) :].sum() / power.sum()
        assert treble < 1e-6 if fmax == 3000 else treble > 1e-5
    assert errors[3000] < errors[8000] - 3


@pytest.mark.parametrize("n_fft", [200, 256, 400, 512, 1024])
def test_the_loop_has_the_level_of_the_voice_and_no_seam(unit, n_fft):
    for setting in (
        {},
        {"n_mels": 8},
        {"fmax": 1000, "n_mels": 24},
        {"variant": "Slaney", "norm": "area 1"},
    ):
        y = said(unit, n_fft=n_fft, **setting)["sound"]
        assert loudest_400_ms(y) < -27.0 + 14
        assert abs(y[0]) == abs(y[-1]) == 0


def test_the_error_is_that_of_the_magnitudes(unit):
    """Once more with scipy's inverse: the sound of the workbench has the magnitudes that it
    reports.
    """
    _, _, again, y, error = unit["invert"](64, 256, "slaney", None, 8000)
    D = librosa.stft(unit["clip"], n_fft=256, hop_length=100)
    assert off_db(again, np.abs(D)) == pytest.approx(error, abs=1e-3)
    turned = again * np.exp(1j * np.angle(D))
    _, theirs = istft(turned, window="hann", nperseg=256, noverlap=156, scaling="spectrum")
    n = min(len(theirs), len(y)) - 512
    assert np.corrcoef(theirs[512:n], y[512:n])[0, 1] > 0.999


# ---- flags ---------------------------------------------------------------------------------------


def test_the_mystery_differs_in_one_flag(unit):
    np.testing.assert_array_equal(unit["mystery"], unit["levels_with"](norm=None))
    edges = slaney_corners(80)
    expected = -10 * np.log10(2 / (edges[2:] - edges[:-2]))
    np.testing.assert_allclose(
        unit["mystery"] - unit["base"], np.tile(expected[:, None], 101), atol=1e-3
    )
    flat = np.ptp(expected[:26])
    assert flat < 0.5 and np.all(np.diff(expected[26:]) > 0)  # "equal up to band 26, darker above"


def test_marks_of_the_four_suspects(unit):
    gaps = {
        name: unit["levels_with"](**change) - unit["base"]
        for name, change in unit["suspects"].items()
    }
    assert np.ptp(gaps["norm"], axis=1).max() < 1e-3
    assert np.corrcoef(gaps["exponent"].ravel(), unit["base"].ravel())[0, 1] < -0.99
    assert np.flatnonzero(np.abs(gaps["ends"]).max(axis=0) > 0.01).tolist() == [0, 1, 99, 100]
    assert np.all(np.abs(gaps["scale"]).max(axis=0) > 1)


def test_librosas_row_of_the_table(page):
    whole = inspect.signature(librosa.feature.melspectrogram).parameters
    bank = inspect.signature(librosa.filters.mel).parameters
    found = [whole[name].default for name in ("n_fft", "hop_length", "power", "pad_mode")]
    assert found == [2048, 512, 2.0, "constant"]
    assert [bank[name].default for name in ("n_mels", "htk", "norm")] == [128, False, "slaney"]
    assert "| 2048, 512 | 128, Slaney, area 1 | 2 | none | zeros |" in page
    assert whole["sr"].default == 22050 and "22 050, 0–11 025 | 2048" in page


# ---- what the coursework says --------------------------------------------------------------------


def test_numbers_of_the_coursework(texts):
    assert slaney_corners(80)[2] == pytest.approx(74.48, abs=0.005) and "74.48 Hz" in texts
    assert 10 / np.log(10) == pytest.approx(4.34, abs=0.005) and round(-30 / 4.343, 1) == -6.9
    assert np.log(1e-10) == pytest.approx(-23.0, abs=0.05)
    assert (
        10 * np.log10(2) == pytest.approx(3.0, abs=0.02) and "by up to 3 dB" in texts
    )  # M just above the floor


def test_each_letter_of_the_riddle_differs_as_its_cause_says(unit):
    """From the arrays alone: constant, constant along time, only at the ends, or neither."""
    space = {}
    exec(catalogue.exercise("23.cause").solution, space)
    ours = unit["through"]()
    for letter, change in unit["riddles"].items():
        gap = unit["through"](**change) - ours
        if np.ptp(gap) < 1e-6:
            cause = 5
        elif np.ptp(gap, axis=1).max() < 1e-6:
            cause = 2
        elif np.abs(gap[:, 2:-2]).max() < 1e-6:
            cause = 4
        elif np.corrcoef(gap.ravel(), ours.ravel())[0, 1] < -0.9:
            cause = 3
        else:
            cause = 1
        assert space["cause_of"](letter) == cause, letter


def test_few_coefficients_take_the_harmonics_from_the_magnitudes(unit):
    """13 of 80 cosines cannot hold ripples that are as close as harmonics: how deep are they?"""
    S = magnitudes(unit["voice"])
    L = 10 * np.log10(np.maximum(librosa.feature.melspectrogram(S=S**2, sr=SR, n_mels=80), 1e-10))
    loud = L.mean(axis=0) > np.quantile(L.mean(axis=0), 0.6)
    ripple = {}
    for kept in (13, 40, 80):
        smooth = idct(dct(L, axis=0, norm="ortho")[:kept], n=80, axis=0, norm="ortho")
        ripple[kept] = np.abs(np.diff(smooth[:24, loud], n=2, axis=0)).mean()  # up to 900 Hz
    assert ripple[13] < ripple[40] / 3 < ripple[80] / 3
    off = {name: off_db(magnitudes(y), S) for name, y in list(unit["few"].items())[1:]}
    assert off["13 coefficients"] > off["40 coefficients"] + 3 > off["80 coefficients"] + 3


def periodicity(y):
    """Mean correlation of loud frames with themselves one period later, at 80 to 267 Hz."""
    found = []
    for start in range(0, len(y) - 1024, 512):
        frame = y[start : start + 1024]
        if np.mean(frame**2) > 1e-4:  # of a voice at −27 dBFS
            lags = np.correlate(frame, frame, "full")[1023:]
            found.append(lags[60:200].max() / lags[0])
    return np.mean(found)


def test_of_13_coefficients_a_whisper_is_left(unit, page):
    found = {name: periodicity(y) for name, y in unit["few"].items()}
    numbers = [f"{found[name]:.2f}" for name in ("recording", "40 coefficients", "13 coefficients")]
    said = "the recording correlates by {}, with 40 coefficients by {}, with 13 by {}."
    assert said.format(*numbers) in page


def test_fixed_numbers_leave_the_level_and_move_nothing_else(unit):
    levels = 10 * np.log10(np.maximum(unit["M"], 1e-14))
    lower = 10 * np.log10(np.maximum(0.01 * unit["M"], 1e-14))
    assert unit["fixed_mean"] == pytest.approx(levels.mean(), rel=1e-9)
    assert unit["fixed_spread"] == pytest.approx(levels.std(), rel=1e-9)
    np.testing.assert_allclose(levels - lower, 20, atol=1e-9)


def test_two_low_notes_need_a_long_frame(page):
    low, high = (440 * 2 ** ((note - 69) / 12) for note in (40, 41))  # E2 and F2
    assert f"{low:.1f} and {high:.1f} Hz, lie {high - low:.1f} Hz apart" in page
    assert f"2 / {high - low:.1f} s = {2 / (high - low):.2f} s" in page


def test_half_a_decibel_for_each_is_the_exponent(texts):
    power = np.array([1e-4, 1e-6])
    np.testing.assert_allclose(10 * np.log10(power), [-40, -60])
    np.testing.assert_allclose(10 * np.log10(np.sqrt(power)), [-20, -30])
    assert "theirs reads about −20, and your −60 are about −30" in texts
