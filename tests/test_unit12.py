"""What unit 12 lets you hear, and every number that its pages and its coursework state."""

import csv
import re

import librosa
import numpy as np
import pytest
import scipy.optimize
import scipy.signal
from matplotlib.colors import to_rgb

from helpers import audio, figures, pitch
from tests import pages
from tests.pages import level, peak_hz

NAME = "12_pitch"


@pytest.fixture(scope="module")
def tables():
    """The tables in data/tables by name, as lists of rows."""

    def read(name):
        with open(audio.DATA / "tables" / f"{name}.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


def contrast(one, other):
    """Contrast of two colours by WCAG: 1 to 21."""
    lights = []
    for colour in (one, other):
        linear = [
            x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour)
        ]
        lights.append(np.dot((0.2126, 0.7152, 0.0722), linear) + 0.05)
    return max(lights) / min(lights)


def notes(y, sr, seconds):
    """Cut a melody into its notes."""
    return np.split(y, np.arange(1, round(len(y) / sr / seconds)) * round(seconds * sr))


# ---- what is heard -------------------------------------------------------------------------------


def test_each_pair_has_its_two_tones_in_order(unit):
    sr, n = unit["sr"], int(0.6 * unit["sr"])
    for name, y in unit["pairs"].items():
        low, high = (float(f) for f in re.findall(r"\d+", name))
        assert peak_hz(y[:n], sr) == pytest.approx(low, abs=2)
        assert peak_hz(y[n + sr // 10 : 2 * n + sr // 10], sr) == pytest.approx(high, abs=2)


def test_the_first_two_pairs_differ_by_the_same_hertz_and_the_outer_two_by_the_same_ratio(unit):
    ends = [[float(f) for f in re.findall(r"\d+", name)] for name in unit["pairs"]]
    assert ends[0][1] - ends[0][0] == ends[1][1] - ends[1][0] == 100
    assert ends[0][1] / ends[0][0] == ends[2][1] / ends[2][0] == 2


def test_tones_of_the_pairs_follow_the_40_phon_contour(unit, tables):
    rows = [
        r
        for r in tables("iso226_contours")
        if r["edition"] == "2023" and float(r["loudness_level_phon"]) == 40
    ]
    contour = {float(r["f_hz"]): float(r["spl_db"]) for r in rows}
    inner = slice(int(0.1 * unit["sr"]), int(0.5 * unit["sr"]))
    for freq in (100, 200, 5000, 10_000):
        assert level(unit["tone"](freq)[inner]) == pytest.approx(contour[freq] - 80, abs=0.1)


def test_the_misread_tune_differs_in_its_notes_only(unit):
    sr = unit["slow"]
    played, misread = (notes(y, sr, 0.3) for y in unit["tunes"].values())
    assert len(played) == len(misread) == 7
    for a, b, freq in zip(played, misread, unit["tune"], strict=True):
        assert peak_hz(a, sr) == pytest.approx(freq, abs=3)
        assert peak_hz(b, sr) == pytest.approx(float(unit["misread"](freq)), abs=3)
        assert level(a) == pytest.approx(level(b), abs=0.05)


def test_misreading_takes_each_band_of_one_mel_for_that_of_the_other(unit):
    htk, slaney = (
        librosa.mel_frequencies(n_mels=82, fmin=0, fmax=8000, htk=htk) for htk in (True, False)
    )
    np.testing.assert_allclose(unit["misread"](htk), slaney, atol=1e-6)


def test_close_tones_differ_in_frequency_only(unit):
    sr = unit["slow"]
    for name, y in unit["close"].items():
        n, rest = round(0.35 * sr), sr // 4
        beep = np.pad(
            y[:n] * np.hanning(n), (0, 20 * sr)
        )  # zeros after it, to see a tenth of a hertz
        freqs = np.fft.rfftfreq(len(beep), 1 / sr)
        assert freqs[np.argmax(np.abs(np.fft.rfft(beep)))] == pytest.approx(
            float(name.split()[0]), abs=0.1
        )
        assert level(y) == pytest.approx(level(unit["close"]["1000 Hz"]), abs=0.01)
        np.testing.assert_array_equal(y, np.tile(y[: n + rest], 4))
        assert not y[n : n + rest].any()
    np.testing.assert_array_equal(unit["two_hertz"]["A"], unit["close"]["1000 Hz"])
    np.testing.assert_array_equal(unit["two_hertz"]["B"], unit["close"]["1002 Hz"])


LADDERS = {
    "mel": lambda f: librosa.hz_to_mel(f, htk=True),
    "semitones": np.log2,
    "hertz": np.asarray,
}


@pytest.mark.parametrize("scale", LADDERS)
@pytest.mark.parametrize("bottom", [100, 433.5, 2000])
def test_a_ladder_sounds_nine_tones_in_equal_steps(unit, bottom, scale):
    sr, reply = unit["sr"] // 2, unit["climb"](bottom, scale)
    steps = np.diff(LADDERS[scale](reply["tones"]))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    np.testing.assert_allclose(reply["tones"][[0, -1]], [bottom, 4 * bottom])
    for y, freq in zip(notes(reply["sound"], sr, 0.22), reply["tones"], strict=False):
        assert peak_hz(y, sr) == pytest.approx(freq, abs=5)


def test_the_challenge_of_the_ladder_needs_mel_and_a_high_bottom(unit):
    solved = {
        (b, s): bool(unit["climb"](b, s)["solved"]) for b in (100, 600, 950, 2000) for s in LADDERS
    }
    assert {key for key, yes in solved.items() if yes} == {(950, "mel"), (2000, "mel")}


@pytest.mark.parametrize(
    ("gap", "centre"), [(1, 1000), (20, 1000), (133.3, 500), (800, 500), (456, 4000)]
)
def test_two_tones_are_two_lines_that_repeat_without_a_seam(unit, gap, centre):
    y = np.tile(unit["two_tones"](gap, centre)["sound"], 2)
    spectrum = np.abs(np.fft.rfft(y)) / len(y) * 2
    lines = np.flatnonzero(spectrum > 1e-9) / 2  # [Hz]: two seconds of sound
    assert len(lines) == 2
    assert np.diff(lines) == round(gap)
    assert lines.mean() == pytest.approx(centre, abs=1)
    np.testing.assert_allclose(spectrum[spectrum > 1e-9], 0.05, rtol=1e-6)


def tops(curve):
    """Count the local maxima of a curve."""
    return int(np.sum((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:])))


@pytest.mark.parametrize("centre", [500, 1000, 4000])
@pytest.mark.parametrize(("erbs", "count"), [(0.1, 1), (0.4, 1), (0.7, 2), (1.0, 2), (1.5, 2)])
def test_the_filters_show_one_top_up_to_half_an_erb_and_two_beyond(unit, centre, erbs, count):
    gap = erbs * 24.7 * (1 + 0.00437 * centre)
    assert tops(unit["two_tones"](gap, centre)["both"]) == count


def test_a_filter_of_the_picture_is_one_erb_wide(unit):
    away = np.linspace(-3, 3, 241)
    reply = unit["two_tones"](1, 4000)  # so close that each is at the middle
    area = np.sum(10 ** (reply["left"] / 10)) * (away[1] - away[0])
    assert area == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("gap", "centre"), [(3, 1000), (20, 500), (133, 1000), (456, 4000)])
def test_the_middle_filter_swells_as_the_envelope_of_what_it_passes(unit, gap, centre):
    reply = unit["two_tones"](gap, centre)
    half = gap / 2 / (24.7 * (1 + 0.00437 * centre))  # from the middle to either tone [ERB]
    passed = (1 + 4 * half) * np.exp(-4 * half)  # in power
    t = np.arange(16000) / 16000  # whole periods of both
    pair = sum(np.cos(2 * np.pi * f * t) for f in (2000, 2000 + gap))
    envelope = np.sqrt(passed) * np.abs(scipy.signal.hilbert(pair))
    again = np.interp(reply["over_s"], t, envelope)
    np.testing.assert_allclose(reply["swell"], again, atol=0.03)


def test_grey_lines_that_are_to_be_followed_can_be_seen():
    assert contrast(figures.tint("reference", 0.75), "#FFFFFF") >= 3  # WCAG, for graphics


def test_a_reader_is_told_which_scales_matter(page):
    assert "For this unit three will do" in page


def test_the_challenge_of_the_two_tones_is_one_erb_at_4_khz(unit):
    assert unit["two_tones"](456, 4000)["solved"] == "Yes: 456 Hz."
    for gap, centre in ((133, 1000), (133, 4000), (500, 4000), (430, 4000)):
        assert unit["two_tones"](gap, centre)["solved"] == ""


def test_nothing_is_louder_than_the_first_page_promises(unit):
    quiet = level(audio.clip("voice_a")[0])
    sounds = [(y, unit["sr"]) for y in unit["pairs"].values()]
    sounds += [
        (y, unit["slow"]) for name in ("tunes", "close", "two_hertz") for y in unit[name].values()
    ]
    sounds += [(y, 16_000) for y in unit["alike"].values()]
    sounds += [
        (unit["climb"](b, s)["sound"], unit["sr"] // 2) for b in (100, 2000) for s in LADDERS
    ]
    sounds += [
        (unit["two_tones"](g, c)["sound"], 16000) for g in (1, 30, 800) for c in (500, 1000, 4000)
    ]
    for y, sr in sounds:
        block = int(0.4 * sr)
        power = np.convolve(np.tile(y, 2) ** 2, np.ones(block) / block, mode="valid")
        assert 10 * np.log10(power.max()) <= quiet + 14


# ---- what is computed ----------------------------------------------------------------------------

ROWS = {
    "mel, HTK": "mel_htk_oshaughnessy",
    "mel, Slaney": "mel_slaney",
    "mel, Fant": "mel_fant_1968",
    "Bark, Traunmüller plain": "bark_traunmueller_1990",
    "Bark, Traunmüller corrected": "bark_traunmueller_1990_corrected",
    "Bark, Zwicker": "bark_zwicker_terhardt_1980",
    "Bark, Wang": "bark_wang_1992",
    "ERB-rate": "erb_rate_glasberg_moore_1990",
    "semitones": "semitone_re_100hz",
}


def test_the_table_has_every_scale_of_the_reference(unit, tables):
    reference = {row["name"]: row for row in tables("pitch_scales")}
    assert list(unit["scales"]) == list(ROWS)
    for name, key in ROWS.items():
        bass, treble = (
            np.diff(unit["scales"][name](ends))[0] for ends in ([100, 200], [10_000, 10_100])
        )
        assert bass == pytest.approx(float(reference[key]["d_100_to_200"]), abs=1e-6)
        assert treble == pytest.approx(float(reference[key]["d_10000_to_10100"]), abs=1e-6)
        assert bass / treble == pytest.approx(
            float(reference[key]["ratio_of_the_two_distances"]), abs=0.006
        )


def test_the_numbers_of_the_first_figure(tables, page):
    keys = ["mel_slaney", "mel_htk_oshaughnessy", "bark_zwicker_terhardt_1980"]
    keys += ["erb_rate_glasberg_moore_1990", "semitone_re_100hz"]
    rows = {row["name"]: float(row["ratio_of_the_two_distances"]) for row in tables("pitch_scales")}
    slaney, htk, bark, erb, octaves = (round(rows[key]) for key in keys)
    wanted = (
        f"hertz 1, Slaney's mel {slaney}, HTK's mel {htk}, Bark (Zwicker) {bark}, "
        f"ERB-rate {erb}, octaves {octaves}."
    )
    assert wanted in page
    corrected = next(
        r for r in tables("pitch_scales") if r["name"] == "bark_traunmueller_1990_corrected"
    )
    assert f"ratio becomes {float(corrected['ratio_of_the_two_distances']):.1f}" in page


def test_the_points_of_1940_and_how_far_the_fits_miss_them(unit, tables, page):
    rows = [
        r
        for r in tables("mel_experimental_data")
        if r["dataset"].startswith("stevens_volkmann_1940")
    ]
    freqs, mel, htk, fant = (
        np.array([float(r[c]) for r in rows]) for c in ("f_hz", "mel", "htk_mel", "fant_mel")
    )
    np.testing.assert_array_equal(unit["judged_hz"], freqs)
    np.testing.assert_array_equal(unit["judged_mel"], mel)
    assert len(rows) == 15 and freqs[-1] == 12_000
    np.testing.assert_allclose(htk, 2595 * np.log10(1 + freqs / 700), atol=0.6)
    np.testing.assert_allclose(fant, 1000 * np.log2(1 + freqs / 1000), atol=0.6)
    assert f"over {len(rows)} points" in page
    above = f"{(htk - mel).max():.0f} above the last"
    assert f"up to {-(htk - mel).min():.0f} mel below the points of 1940 and {above}" in page
    assert f"Fant's lies up to {(fant - mel).max():.0f} above" in page
    rms = [np.sqrt(np.mean((fit - mel) ** 2)) for fit in (htk, fant)]
    assert f"{rms[0]:.0f} mel for HTK and {rms[1]:.0f} for Fant" in page
    short = [np.sqrt(np.mean((fit - mel)[:-1] ** 2)) for fit in (htk, fant)]
    assert f"Without the last point it is {short[0]:.0f} and {short[1]:.0f}." in page
    assert rms[0] < rms[1] and short[0] > short[1]  # one point turns the order round


def test_shares_of_the_rulers(unit, page):
    def slaney(f):
        return np.where(f < 1000, f / 200 * 3, 15 + 27 * np.log(f / 1000) / np.log(6.4))

    rulers = (
        lambda f: f,
        slaney,
        lambda f: np.log10(1 + f / 700),
        lambda f: 13 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500) ** 2),
        lambda f: np.log10(1 + 0.00437 * f),
        np.log2,
    )
    marks = np.array([50, 100, 200, 5000, 12_000.0])
    place = np.array([(r(marks) - r(50.0)) / (r(12_000.0) - r(50.0)) for r in rulers])
    step = place[:, 2] - place[:, 1]
    assert np.all(np.diff(step) > 0)  # "from top to bottom ... more and more"
    assert f"from {100 * step[0]:.1f} to {100 * step[-1]:.0f} %" in page
    below = [f"{100 * share:.0f}" for share in place[:, 3]]
    assert f"{', '.join(below[:-1])} and {below[-1]} %" in page


def power_in_bands(*tones, gain=1.0):
    """Mean power in 80 triangles of HTK's mel, from scipy's frames and triangles by np.interp."""
    t = np.arange(16_000) / 16_000
    y = sum(0.1 * np.sin(2 * np.pi * f * t) for f in tones)
    frames = np.lib.stride_tricks.sliding_window_view(y, 1024)[::256]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    power = np.mean(np.abs(np.fft.rfft(frames * window, axis=-1)) ** 2, axis=0)
    edges = 700 * ((1 + 8000 / 700) ** (np.arange(82) / 81) - 1)
    bins = np.arange(513) * 16_000 / 1024
    peaks = np.eye(82)
    bank = np.array([np.interp(bins, edges, peaks[k]) for k in range(1, 81)])
    return edges[1:-1], gain * (bank @ power)


@pytest.mark.parametrize("freq", [7000, 7010, 7050, 7100])
def test_one_tone_is_read_from_the_ratio_of_two_bands(unit, freq):
    centres, power = power_in_bands(freq)
    assert set(np.argsort(power)[-2:]) == {76, 77}
    read = centres[76:78] @ power[76:78] / power[76:78].sum()
    assert read == pytest.approx(freq, abs=0.2)
    np.testing.assert_allclose(unit["in_bands"](freq)[74:80], power[74:80], rtol=1e-3, atol=1e-2)


def test_from_7000_to_7100_hz_two_bands_change_by_decibels():
    change = 10 * np.log10(power_in_bands(7100)[1] / power_in_bands(7000)[1])
    assert change[77] == pytest.approx(8.2, abs=0.1) and change[76] == pytest.approx(-2.6, abs=0.1)
    small = 10 * np.log10(power_in_bands(7010)[1] / power_in_bands(7000)[1])
    assert small[77] == pytest.approx(1.9, abs=0.1)


def test_two_tones_at_once_are_lost_in_the_treble_and_kept_in_the_bass():
    apart = []
    for low, high in ((100, 200), (7000, 7100)):
        two = 10 * np.log10(power_in_bands(low, high)[1])
        one = 10 * np.log10(power_in_bands((low + high) / 2, gain=2)[1])
        apart.append(np.abs(two - one)[two > two.max() - 40].max())
    assert apart[0] > 6 and apart[1] < 0.05


def test_what_looks_alike_has_one_level(unit):
    pair, alone = unit["alike"].values()
    assert level(pair) == pytest.approx(level(alone), abs=0.05)
    assert peak_hz(alone, 16_000) == pytest.approx(7050, abs=2)


def test_the_three_ranges_of_1940_were_divided_into_nearly_equal_steps(tables):
    rows = [
        r
        for r in tables("mel_experimental_data")
        if r["dataset"].startswith("stevens_volkmann_1940")
    ]
    mel = {float(r["f_hz"]): float(r["mel"]) for r in rows}
    for cuts in (
        [40, 161, 404, 693, 1000],
        [200, 867, 2022, 3393, 6500],
        [3000, 4109, 5526, 7743, 12_000],
    ):
        steps = np.diff([mel[f] for f in cuts])
        assert np.ptp(steps) <= 0.2 * steps.mean()


def test_the_middles_of_200_and_3200_hz(page):
    scales = {
        "octaves put the middle at {:.0f} Hz": (np.log2, np.exp2),
        "ERB-rate {:.0f}": (pitch.hz_to_erb_rate, pitch.erb_rate_to_hz),
        "Bark (Traunmüller, corrected) {:.0f}": (pitch.hz_to_bark, pitch.bark_to_hz),
        "HTK's mel {:.0f}": (
            lambda f: librosa.hz_to_mel(f, htk=True),
            lambda m: librosa.mel_to_hz(m, htk=True),
        ),
        "Slaney's {:.0f}": (librosa.hz_to_mel, librosa.mel_to_hz),
        "hertz {:.0f}.": (np.asarray, np.asarray),
    }
    for words, (to, back) in scales.items():
        assert words.format(back(np.mean(to(np.array([200.0, 3200.0]))))) in page


def test_how_far_misreading_goes(unit, page):
    error = 12 * np.log2(unit["misread"](np.geomspace(80, 8000, 500)) / np.geomspace(80, 8000, 500))
    assert round(error.max()) == 8 and "up to 8 semitones in the bass" in page
    below = np.geomspace(80, 500, 100)
    assert (
        12 * np.log2(unit["misread"](below) / below)
    ).min() > 3  # "below 500 Hz ... more than three semitones"
    assert round(float(unit["misread"](100.0)), -1) == 160 and "100 Hz is read as 160 Hz" in page
    assert round(float(unit["misread"](4000.0)), -2) == 3700 and "4 kHz as 3.7 kHz" in page
    assert (
        float(unit["misread"](1315.0)) == pytest.approx(1315, abs=1)
        and "cross near 1.3 kHz" in page
    )
    octave = 12 * np.log2(unit["misread"](440.0) / unit["misread"](220.0))
    assert round(octave) == 10 and "10 semitones instead of 12" in page


def test_guesses_are_drawn_into_the_figures(unit, tmp_path, monkeypatch):
    for option, words in enumerate(("1×", "13×", "70×", "100×")):
        found = pages.figure_with_guess(unit, "12.mel", option, tmp_path, monkeypatch)[1]
        assert found.get_text() == f"your guess: {words}"
        assert found.xy[1] == -list(unit["rulers"]).index("mel, HTK")
    edges = librosa.mel_frequencies(n_mels=42, fmin=0, fmax=8000, htk=True)
    for option, share in enumerate((10, 28, 50)):
        found = pages.figure_with_guess(unit, "12.bands", option, tmp_path, monkeypatch)[1]
        assert np.sum(edges[1:-1] <= 1000 * found.xy[0] + 1e-6) == share / 2
    for option, middle in enumerate((800, 1100, 1700)):
        fig, found = pages.figure_with_guess(unit, "12.middle", option, tmp_path, monkeypatch)
        names = [label.get_text() for label in fig.axes[0].get_xticklabels()]
        assert names[found.xy[0]] == "200 to 3200 Hz"
        want = librosa.hz_to_midi(middle) - np.mean(librosa.hz_to_midi([200, 3200]))
        assert found.xy[1] == pytest.approx(want) and "octave middle" in fig.axes[0].get_ylabel()
    for key in ("12.mel", "12.bands", "12.middle"):
        pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


def test_widths_of_bands(unit, tables, page):
    bark = {float(r["centre_hz"]): float(r["bandwidth_hz"]) for r in tables("bark_critical_bands")}
    assert {w for f, w in bark.items() if f < 400} == {100.0} and len(bark) == 24
    assert bark[1000] == 160 and "a critical band has 160 Hz and an ERB 133" in page
    erb = {
        float(r["f_hz"]): float(r["erb_glasberg_moore_1990_hz"])
        for r in tables("auditory_bandwidths")
    }
    assert f"the ERB is {erb[100]:.1f} Hz, at 10 kHz it is {erb[10_000]:.0f} Hz" in page
    assert f"100 Hz are {100 / erb[100]:.1f} filters there" in page
    assert 100 / erb[10_000] == pytest.approx(0.1, abs=0.015)  # "a tenth of one here"
    assert all(width > 24.7 * (1 + 0.00437 * f) for f, width in bark.items())  # "ERBs are narrower"


def test_the_just_noticeable_difference_is_a_confirmed_one(tables, page):
    rows = [r for r in tables("jnd") if "1 kHz, trained listeners, 35-85 dB" in r["condition"]]
    assert [(r["value"], r["status"]) for r in rows] == [("0.2", "confirmed")]
    assert "about 0.2 %, which is 2 Hz or 3.5 cents" in page
    assert round(1200 * np.log2(1.002), 1) == 3.5


@pytest.mark.parametrize(("htk", "count"), [(True, 28), (False, 26)])
def test_bands_below_1_khz(htk, count, page):
    centres = librosa.mel_frequencies(n_mels=82, fmin=0, fmax=8000, htk=htk)[1:-1]
    assert np.sum(centres < 1000) == count
    assert re.search(rf"\b{count}\b[^.]* by {'HTK' if htk else 'Slaney'}'s", page)


def test_the_figure_of_forty_bands(unit):
    edges = librosa.mel_frequencies(n_mels=42, fmin=0, fmax=8000, htk=True)
    np.testing.assert_allclose(unit["edges"], edges, atol=1e-6)
    assert unit["below"] == np.sum(edges[1:-1] < 1000) == 14
    assert (
        round((edges[-1] - edges[-3]) / (edges[2] - edges[0])) == 11
    )  # "eleven times as wide as the first"


def test_the_step_of_the_title_in_bands(texts):
    centres = librosa.mel_frequencies(n_mels=82, fmin=0, fmax=8000, htk=True)
    bass, treble = (
        np.diff(np.interp(ends, centres, np.arange(82)))[0] for ends in ([100, 200], [7000, 7100])
    )
    assert f"Together the two lie {treble:.1f} bands apart" in texts
    assert f"100 and 200 Hz lie {bass:.1f} bands apart" in texts
    near, top = np.interp([100, 7750], (centres[1:] + centres[:-1]) / 2, np.diff(centres))
    assert near == pytest.approx(25, abs=1) and top == pytest.approx(260, abs=10)


# ---- numbers in hints, feedback and answers ------------------------------------------------------

HTK = {f: librosa.hz_to_mel(float(f), htk=True) for f in (100, 200, 300, 3000, 3300)}
TWO = np.array([200.0, 3200.0])


def steps_wanted(freq, fmax):
    """Steps of a bank up to fmax [Hz] as wide in librosa's mel as the ERB around freq [Hz]."""
    half = 24.7 * (1 + 0.00437 * freq) / 2
    low, high, top = librosa.hz_to_mel(np.array([freq - half, freq + half, fmax]), htk=True)
    return top / (high - low)


def erb_rate_middle(ends):
    """The frequency [Hz] half-way in ERB-rate, found by bisection."""
    goal = np.mean(np.log(1 + 0.00437 * ends))
    return scipy.optimize.brentq(lambda f: np.log(1 + 0.00437 * f) - goal, *ends)


NUMBERS = [
    ("150.49", HTK[100]),
    ("3.61", 12 * np.log10(2)),
    ("8.32", 12 * np.log(2)),
    ("0.693", np.log(2)),
    ("0.17 semitones", 12 * np.log2(1.01)),
    ("0.172", 12 * np.log2(1.01)),
    ("17 cents", 1200 * np.log2(1.01)),
    ("595 Hz", 10_000 * (2 ** (1 / 12) - 1)),
    ("1.059", 2 ** (1 / 12)),
    ("148.5", librosa.mel_to_hz((HTK[100] + HTK[200]) / 2, htk=True)),
    ("141.4", np.sqrt(100 * 200)),
    ("87.9", HTK[3300] - HTK[3000]),
    ("1.65 semitones", 12 * np.log2(1.1)),
    ("0.771", 2000 / 2595),
    ("1.78 octaves", np.log2(librosa.mel_to_hz(2000.0, htk=True) / 1000)),
    ("41 Hz wide", 24.7 * (1 + 0.00437 * 150)),
    ("66 smaller", 24.7 * 5.37 / 2),
    ("55.8 bands", steps_wanted(100, 8000) - 1),
    ("31.3", steps_wanted(1000, 8000) - 1),
    ("0.28", 12 * np.log2(1000 / erb_rate_middle(TWO))),
    ("3.86", 12 * np.log2(1000 / np.sqrt(200 * 3200))),
    (
        "2.77",
        12 * np.log2(librosa.mel_to_hz(np.mean(librosa.hz_to_mel(TWO, htk=True)), htk=True) / 1000),
    ),
    ("9.19", 12 * np.log2(1700 / 1000)),
    ("229 Hz", 1 / 0.00437),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value, texts):
    assert text in texts
    digits = text.split()[0]
    assert round(float(value), len(digits.partition(".")[2])) == float(digits)


def test_seven_semitones_around_150_hz(texts):
    assert round(12 * np.log2(180 / 120)) == 7
    assert "60 Hz around 150 Hz is a leap of seven semitones" in texts


def test_loudness_of_the_first_sound(tables, texts):
    rows = [
        r
        for r in tables("iso226_contours")
        if r["edition"] == "2023" and float(r["loudness_level_phon"]) == 40
    ]
    contour = {float(r["f_hz"]): float(r["spl_db"]) for r in rows}
    assert f"100 Hz lies at {contour[100]:.1f} dB and 200 Hz at {contour[200]:.1f}" in texts
    assert round(contour[100] - contour[200]) == 11


def test_solutions_agree_with_librosa():
    space = pages.solutions("12")
    low, high = np.array([100.0, 440, 7000]), np.array([200.0, 450, 7100])
    for pair in ((125.0, 2000.0), (500.0, 8000.0)):
        ends = np.array(pair)
        mel = librosa.mel_to_hz(np.mean(librosa.hz_to_mel(ends, htk=True)), htk=True)
        asked = np.array([np.sqrt(np.prod(ends)), erb_rate_middle(ends), mel, np.mean(ends)])
        found = space["from_rulers"](pair[0], 440.0, pair[1])
        np.testing.assert_allclose(found, librosa.hz_to_midi(440.0) - librosa.hz_to_midi(asked))
        assert space["bands_for"](*pair) == pytest.approx(steps_wanted(*pair) - 1)
    edges = librosa.mel_frequencies(n_mels=12, fmin=100, fmax=8000, htk=True)
    np.testing.assert_allclose(space["mel_ladder"](100, 8000, 12), edges)
    midi = librosa.hz_to_midi(high) - librosa.hz_to_midi(low)
    np.testing.assert_allclose(space["semitones"](low, high), midi)


def test_eighty_bands_are_finer_than_the_ear_and_forty_are_not_in_the_bass(texts):
    freqs = np.arange(10.0, 7500)
    wanted = np.array([steps_wanted(f, 8000) - 1 for f in freqs])
    assert wanted.max() < 80 and np.all(np.diff(wanted) < 0)
    assert round(freqs[np.argmax(wanted < 40)], -1) == 390 and "below some 390 Hz" in texts
