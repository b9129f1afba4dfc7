"""What unit 11 lets you hear and see is what it says: levels, spectra, the one difference, and
every number.
"""

import csv
import json
import warnings

import numpy as np
import pytest

from helpers import experiments, listening, loudness
from helpers.coursework import catalogue
from tests.pages import ROOT, band, drawn_with_guess, level, peak_hz

NAME = "11_loudness"
TABLES = ROOT / "data" / "tables"


@pytest.fixture(scope="module")
def iso():
    """The contours of ISO 226:2023 as the table has them: (phon, Hz) -> dB SPL."""
    with (TABLES / "iso226_contours.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["edition"] == "2023"]
    return {(float(r["loudness_level_phon"]), float(r["f_hz"])): float(r["spl_db"]) for r in rows}


@pytest.fixture(scope="module")
def a_table():
    """A-weighting as IEC 61672-1 prints it: nominal Hz -> dB."""
    with (TABLES / "weighting_iec61672.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {float(row["nominal_hz"]): float(row["A_db_table"]) for row in rows}


def erb_wide(spl, low, high):
    """Loudness, but for a factor, of a noise of one SPL spread evenly over its ERBs."""
    rate = 21.4 * np.log10(1 + 0.00437 * np.array([low, high]))
    bands = max(np.diff(rate)[0], 1.0)
    return bands * (10 ** (spl / 10) / bands) ** 0.3  # Stevens' exponent in each band


def test_the_same_energy_in_many_bands_is_louder_in_a_model_of_bands(page):
    """Energy over b bands: b^0.7 times as loud. It says which way, not how much."""
    narrow, wide = erb_wide(60, 980, 1020), erb_wide(60, 100, 10_000)
    assert wide > 3 * narrow
    assert "energy spread over many critical bands is louder than the same energy in one" in page


def test_where_the_energy_of_the_voice_lies(page):
    from helpers import audio

    y, sr = audio.clip("arctic_slt")
    power = np.abs(np.fft.rfft(y)) ** 2
    freqs = np.fft.rfftfreq(len(y), 1 / sr)
    assert power[freqs < 1000].sum() > 0.8 * power.sum()
    assert "in speech what lies below 1 kHz" in page


def test_the_k_curve_beside_a(page):
    """BS.1770 at 48 kHz from its two biquads: +4 dB in the treble, little off in the bass."""
    from scipy.signal import freqz, sosfreqz

    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    shelf_a = [1.0, -1.69065929318241, 0.73248077421585]
    high, high_a = [1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]
    f = np.array([63.0, 100, 1000, 10_000])
    h = freqz(shelf, shelf_a, f, fs=48_000)[1] * freqz(high, high_a, f, fs=48_000)[1]
    ours = sosfreqz(loudness.k_weighting(48_000), f, fs=48_000)[1]
    np.testing.assert_allclose(20 * np.log10(np.abs(ours)), 20 * np.log10(np.abs(h)), atol=0.02)
    k = 20 * np.log10(np.abs(h))
    assert k[3] > 3.5 and k[1] > -1.6 and k[0] > -4
    assert "it lifts the treble and leaves nearly all of the bass" in page


def around(freq, unit):
    """The 100 ms in which the sweep passes a frequency."""
    at = int(6 * unit["sr"] * np.log(freq / 80) / np.log(12500 / 80))
    return slice(at - unit["sr"] // 20, at + unit["sr"] // 20)


# ---------------------------------------------------------------- the two sweeps


@pytest.mark.parametrize("freq", [100, 250, 1000, 3150, 8000, 10000])
def test_both_sweeps_pass_every_frequency_together(unit, freq):
    for y in unit["sweeps"].values():
        assert peak_hz(y[around(freq, unit)], unit["sr"]) == pytest.approx(freq, rel=0.05, abs=15)


@pytest.mark.parametrize("freq", [100, 125, 250, 500, 1000, 2000, 3150, 4000, 8000, 10000])
def test_the_sweeps_differ_by_the_contour_of_40_phon_and_by_nothing_else(unit, iso, freq):
    flat, shaped = (y[around(freq, unit)] for y in unit["sweeps"].values())
    assert level(shaped) - level(flat) == pytest.approx(iso[40.0, freq] - 40, abs=0.25)
    gain = shaped / np.where(flat == 0, 1, flat)
    assert (gain[flat != 0] > 0).all()  # one gain, no shift and no other sound
    assert np.ptp(20 * np.log10(gain[flat != 0])) < 2


def test_the_first_sweep_has_one_level(unit):
    y = unit["sweeps"]["equal level"]
    levels = [level(y[around(f, unit)]) for f in np.geomspace(90, 11500, 20)]
    assert np.ptp(levels) < 0.3


def test_no_sweep_peaks_above_minus_12(unit):
    for y in unit["sweeps"].values():
        assert 20 * np.log10(np.abs(y).max()) <= -12
    shaped = unit["shaped"]
    assert np.ptp(shaped) == pytest.approx(33, abs=0.5)  # "the level must move by 33 dB"


# ---------------------------------------------------------------- the drum loop


def test_the_drums_are_lowered_by_25_db_and_then_only_filtered(unit):
    as_mixed, soft, restored = unit["button"].values()
    np.testing.assert_allclose(soft, as_mixed * 10 ** (-25 / 20), rtol=1e-5)
    spectra = [np.fft.rfft(y.astype(float)) for y in (soft, restored)]
    freqs = np.fft.rfftfreq(len(soft), 1 / unit["drums_sr"])
    strong = (np.abs(spectra[0]) > 1e-4 * np.abs(spectra[0]).max()) & (freqs > 25)
    ratio = spectra[1][strong] / spectra[0][strong]
    assert np.abs(np.angle(ratio)).max() < 1e-3  # no delay, no phase
    gain = np.interp([63, 100, 1000, 4000], freqs[strong], 20 * np.log10(np.abs(ratio)))
    np.testing.assert_allclose(gain, [9.0, 7.2, 0, -1.1], atol=0.06)


def test_the_gain_of_the_drums_lies_between_those_of_the_table(iso):
    for freq, printed in ((63, 9.0), (100, 7.2), (4000, -1.1)):
        ends = [iso[40.0, freq] - 40 - (iso[p, freq] - p) for p in (60.0, 70.0)]
        assert np.mean(ends) == pytest.approx(printed, abs=0.15)


def test_restored_drums_keep_the_treble_and_regain_the_bass(unit):
    sr = unit["drums_sr"]
    _, soft, restored = unit["button"].values()
    assert band(restored, sr, 900, 1100) == pytest.approx(band(soft, sr, 900, 1100), abs=0.2)
    assert band(restored, sr, 40, 90) - band(soft, sr, 40, 90) > 8
    assert abs(band(restored, sr, 2000, 8000) - band(soft, sr, 2000, 8000)) < 2


# ---------------------------------------------------------------- equal RMS, and equal error


def test_hum_voice_and_rain_have_one_rms_level_and_three_loudnesses(unit):
    three = unit["three"]
    assert [round(level(y), 2) for y in three.values()] == [-30.0] * 3
    hum, voice, rain = (loudness.integrated_loudness(y, sr=16000) for y in three.values())
    assert hum < voice < rain
    assert rain - hum == pytest.approx(6, abs=0.5)  # "LUFS puts 6 LU between hum and rain"
    a = [unit["weighted_level"](y, 16000, "A") for y in three.values()]
    assert a[2] - a[0] == pytest.approx(18, abs=0.5)  # "A puts 18 dB"


def test_the_player_brings_the_three_to_one_loudness(unit):
    tracks = listening.player(unit["three"], sr=16000, match="loudness").tracks.values()
    assert np.ptp([loudness.integrated_loudness(y, sr=16000) for y in tracks]) < 0.02


def test_both_errors_have_one_energy_and_one_frequency_each(unit, a_table):
    voice, wrong = unit["voice"].astype(float), unit["wrong"]
    inner = slice(1000, -1000)  # off the fades
    through_a = {}
    for freq, (name, y) in zip((60, 3000), wrong.items(), strict=True):
        assert name == f"{freq} Hz error"
        error = (y - voice)[inner]
        assert level(error) == pytest.approx(-44, abs=0.05)
        assert peak_hz(error, 16000) == pytest.approx(freq, abs=1)
        assert band(error, 16000, freq - 20, freq + 20) == pytest.approx(-44, abs=0.1)
        through_a[freq] = unit["weighted_level"](unit["error"][freq], 16000, "A")
    assert through_a[3000] - through_a[60] == pytest.approx(28, abs=0.5)  # "they differ by 28 dB"
    assert through_a[60] + 44 == pytest.approx(a_table[63], abs=1)


def test_the_weighting_of_the_page_is_the_printed_one(unit, a_table):
    t = np.arange(16000) / 16000
    for freq in (100, 1000, 4000):
        y = 0.1 * np.sin(2 * np.pi * freq * t)
        assert unit["weighted_level"](y, 16000, "A") - level(y) == pytest.approx(
            a_table[freq], abs=0.06
        )


def test_nothing_is_louder_than_the_first_page_promises(unit):
    ceiling = level(unit["voice"]) + 14
    sounds = [
        (name, y)
        for name in ("sweeps", "button", "three", "wrong", "same_words")
        for y in unit[name].values()
    ]
    assert len(sounds) == 12
    for name, y in sounds:
        sr = 44100 if name in ("sweeps", "button") else 16000
        block = int(0.4 * sr)
        power = np.diff(
            np.concatenate([[0], np.cumsum(np.square(y, dtype=float))])[:: block // 8], n=1
        )
        loudest = np.convolve(power, np.ones(8), mode="valid").max() / block
        assert 10 * np.log10(loudest) <= min(ceiling, -12)


# ---------------------------------------------------------------- LUFS


def test_loudness_by_hand_agrees_with_another_library(unit):
    pyln = pytest.importorskip("pyloudnorm")
    _, _, lufs = unit["lufs_by_hand"](unit["talk"], 48000)
    assert lufs == pytest.approx(pyln.Meter(48000).integrated_loudness(unit["talk"]), abs=0.1)
    assert lufs == pytest.approx(loudness.integrated_loudness(unit["talk"], sr=48000), abs=1e-6)


def test_the_gate_leaves_out_the_pause_and_nothing_of_the_speech(unit):
    blocks, gate, whole = unit["lufs_by_hand"](unit["talk"], 48000)
    n = len(unit["voice48"]) / 48000
    at = np.arange(len(blocks)) / 10  # where a block begins [s]
    pause = (at > n) & (at + 0.4 < n + 6)
    assert (blocks[pause] < gate).all()
    assert (blocks[at + 0.4 < n] > gate).mean() > 0.95
    alone = unit["voice48"]
    assert level(alone) - level(unit["talk"]) == pytest.approx(2.9, abs=0.05)
    assert loudness.integrated_loudness(alone, sr=48000) - whole == pytest.approx(0.2, abs=0.05)
    assert level(unit["talk"][len(alone) : -len(alone)]) == pytest.approx(-50, abs=0.01)


@pytest.mark.parametrize(("choice", "moved"), [(0, -2.9), (1, 0), (2, 0), (3, -2.9)])
def test_a_guess_about_the_pause_is_a_level_in_its_figure(
    unit, choice, moved, monkeypatch, tmp_path
):
    (line,) = drawn_with_guess(unit, "11.gate", choice, tmp_path, monkeypatch)
    alone = unit["lufs_by_hand"](unit["voice48"], 48000)[2]
    np.testing.assert_allclose(line.get_ydata(), alone + moved, atol=1e-6)


def test_the_guessed_fall_is_that_of_the_rms_level(unit):
    fall = level(unit["talk"]) - level(unit["voice48"])
    values = [option["value"] for option in catalogue.prediction("11.gate")["options"]]
    assert values == [round(fall, 1), 0, 0, round(fall, 1)]


def test_person_and_machine_at_one_loudness(unit, page):
    machine, woman = unit["same_words"].values()
    tracks = listening.player(unit["same_words"], sr=16000, match="loudness").tracks.values()
    assert np.ptp([loudness.integrated_loudness(y, sr=16000) for y in tracks]) < 0.02

    def less(low, high):
        woman_has, machine_has = (band(y, 16000, low, high) - level(y) for y in (woman, machine))
        return woman_has - machine_has

    assert round(less(500, 2000)) == 6 and "6 dB less between 500 and 2000 Hz" in page
    assert round(less(4000, 8000)) == 3 and "3 dB less above 4 kHz" in page
    assert round(level(woman[: round(0.14 * 16000)])) == -61 and "her room has −61 dBFS" in page
    longest = [
        max((len(row) for row in "".join("01"[int(x == 0)] for x in y).split("0")), default=0)
        for y in (machine, woman)
    ]
    assert longest[0] > 1000 and longest[1] < 100  # samples of exactly 0 in a row


# ------------------------------------------------ what is dragged, and your own ears


def test_turned_down_tones_follow_the_table(unit, iso):
    start = unit["turn_down"](80)
    for name in set(start) - {"readout", "solved"}:
        assert np.isfinite(
            np.asarray(start[name], np.float32)
        ).all()  # no later cell has taken its names
    np.testing.assert_allclose(start["phon"], 80, atol=1e-6)
    for low in (60.0, 50.0):
        reply = unit["turn_down"](low)
        np.testing.assert_allclose(start["spl"] - reply["spl"], 80 - low)
        assert reply["phon"][4] == pytest.approx(low)
        assert reply["phon"][0] < low - 8
    down = unit["turn_down"](60)["phon"][1]  # 125 Hz at 90.1 - 20 dB: between 50 and 60 phon
    assert iso[50.0, 125] < iso[80.0, 125] - 20 < iso[60.0, 125] and 50 < down < 60


def test_the_challenge_is_met_where_63_hz_has_10_phon_less_and_nowhere_else(unit):
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", loudness.ValidityWarning
        )  # the whole range lies inside the standard
        replies = {lv: unit["turn_down"](lv) for lv in range(42, 81)}
    solved = [lv for lv, reply in replies.items() if reply["solved"]]
    assert solved == [63, 64]
    for lv in solved:
        assert replies[lv]["phon"][4] - replies[lv]["phon"][0] == pytest.approx(10, abs=0.7)
    ratio = np.divide(*loudness.phon_to_sone(replies[42]["phon"][[4, 0]]))
    assert round(float(ratio)) == 6  # "38 dB down it is six times softer"


def test_the_experiment_takes_as_many_pairs_as_the_page_says_and_the_listener_is_found(unit):
    text = "".join("".join(c["source"]) for c in cells())
    assert f"{experiments.equal_loudness(name=None).procedure.of} pairs take under" in text
    result = unit["simulated"].result
    assert result.reliable and len(result.points[0]) == 7
    assert (
        result.rms_from(
            np.array([float(loudness.equal_loudness_contour(40, f)) for f in result.points[0]])
        )
        < 2
    )
    widths = [m.high - m.low for m in result.matches.values()]
    assert np.median(widths) == pytest.approx(4, abs=0.8)  # "a bar is some 4 dB long"


# ---------------------------------------------------------------- numbers in the texts


def cells():
    """Return the notebook's cells."""
    return json.loads((ROOT / "notebooks" / f"{NAME}.ipynb").read_text(encoding="utf-8"))["cells"]


def spl(phon, freq, edition=2023):
    return float(loudness.equal_loudness_contour(phon, freq, edition=edition))


def old(freq, source):
    freqs, levels = loudness.historical_contour(40, source=source)
    return float(levels[freqs == freq][0])


def gain(freq, curve):
    return float(loudness.weighting(freq, curve=curve))


def off(freq):
    return gain(freq, "A") - (40 - spl(40, freq))


NUMBERS = [
    ("a tone of 100 Hz needs {:.1f} dB more than one of 1 kHz", spl(40, 100) - 40),
    ("a tone of 3150 Hz {:.1f} dB less", 40 - spl(40, 3150)),
    ("and one of 10 kHz {:.1f} dB more", spl(40, 10000) - 40),
    ("to 100 Hz: {:.1f}, ", old(100, "fletcher_munson_1933")),
    (", {:.1f}, 64.4 and", old(100, "robinson_dadson_1956")),
    (", {:.1f} and 64.2 dB. The last two", spl(40, 100, 2003)),
    ("and {:.1f} dB. The last two", spl(40, 100)),
    ("but only {:.1f} dB at 50 Hz", spl(80, 50) - spl(20, 50)),
    ("a tone of 50 Hz needs {:.1f}, ", spl(20, 50) - 20),
    (", {:.1f}, 29.9 and 21.8 dB more", spl(40, 50) - 40),
    (", {:.1f} and 21.8 dB more", spl(60, 50) - 60),
    ("and {:.1f} dB more than one of 1 kHz", spl(80, 50) - 80),
    ("asks for {:.2f} dB now", spl(40, 100)),
    ("and {:.2f} dB then", spl(80, 100)),
    ("a change of −{:.2f} dB", spl(80, 100) - spl(40, 100)),
    ("**+{:.2f} dB**", 40 - (spl(80, 100) - spl(40, 100))),
    ("the meter takes off {:.1f} dB where", -gain(8000, "A")),
    ("the ear takes off {:.1f}.", spl(40, 8000) - 40),
    ("A is {:.1f} dB off at 20 Hz", off(20)),
    ("{:.1f} dB at 100 Hz, −", off(100)),
    ("−{:.1f} dB at 3150 Hz", -off(3150)),
    ("and {:.1f} dB at 10 kHz. C", off(10000)),
    ("C takes off {:.1f} dB at 31.5 Hz and at 8 kHz", -gain(31.5, "C")),
    ("C takes off {:.1f} dB at 31.5 Hz and at 8 kHz", -gain(8000, "C")),
    ("an inverted D weighting: +{:.1f} dB at 100 Hz", -gain(100, "D")),
    ("ISO 226:2023 asks for {:.1f} dB at 40 phon", spl(40, 100) - 40),
    ("Bass needs {:.0f} dB more than 1 kHz at 40 phon and 100 Hz", spl(40, 100) - 40),
    ("and 100 Hz, {:.0f} dB at 80", spl(80, 100) - 80),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_number_in_the_page(text, value):
    prose = " ".join(
        " ".join("".join(c["source"]) for c in cells() if c["cell_type"] == "markdown").split()
    )
    assert text.format(value) in prose.replace(" > ", " ")


def test_the_last_two_editions_differ_by_what_the_page_says():
    phon, freqs = np.array([20.0, 40, 60, 80])[:, None], loudness.FREQS
    apart = spl_all(phon, freqs, 2023) - spl_all(phon, freqs, 2003)
    assert 0.25 < np.abs(apart).max() < 0.35  # "by 0.3 dB at most"


def test_claims_about_a_hold():
    freqs = np.geomspace(20, 1000, 60)
    assert (
        np.abs(gain_all(freqs) - (60 - spl_all(60, freqs))).max() < 1.35
    )  # "agrees with 60 phon below 1 kHz"
    for phon in (20, 40, 60, 80):  # "10 dB too strongly at any level"
        assert gain(8000, "A") - (phon - spl(phon, 8000)) == pytest.approx(10.3, abs=0.4)


def spl_all(phon, freqs, edition=2023):
    return loudness.equal_loudness_contour(phon, freqs, edition=edition)


def gain_all(freqs):
    return loudness.weighting(freqs, curve="A")


def phon_at(level_db, freq):
    return float(loudness.loudness_level(level_db, freq))


ASKED = [
    ("take 63 Hz from 80 phon to {:.0f}", phon_at(spl(80, 62.5) - 20, 62.5)),
    ("misses today's contour by {:.0f} dB at 100 Hz", off(100)),
    ("and by {:.0f} dB at 8 kHz", 10 * round(off(8000) / 10)),
    ("sound pressure, {:.1f} dB. But", 40 - gain(100, "A")),
    ("40 phon would take {:.1f} dB there", spl(40, 100)),
    ("{:.1f} dB SPL at 8 kHz are only 30 phon", 40 - gain(8000, "A")),
    ("SPL at 8 kHz are only {:.0f} phon", phon_at(40 - gain(8000, "A"), 8000)),
    ("the fan's tone has {:.0f}.", phon_at(40 - gain(100, "A"), 100)),
    ("stand {:.0f} and 41 dB SPL", 40 - gain(100, "A")),
    ("A takes {:.1f} dB off at 100 Hz and", -gain(100, "A")),
    ("Yes: {:.1f}. At 100 Hz it takes", phon_at(spl(40, 100) + 20, 100)),
    ("only {:.1f} dB from 40 to 80 phon", spl(80, 100) - spl(40, 100)),
    ("A tone of 100 Hz at {:.0f} dB SPL", spl(40, 100)),
    ("60 dB at 1 kHz and {:.1f} dB at 50 Hz", spl(80, 50) - spl(20, 50)),
    ("the contour rose by {:.0f} dB", spl(40, 100, 2003) - spl(40, 100, 1987)),
    ("at 25 Hz they differ from 1933 by {:.0f} dB", spl(40, 25) - old(25, "fletcher_munson_1933")),
    ("at 100 Hz, within {:.0f} dB", spl(40, 100) - old(100, "fletcher_munson_1933")),
    (
        "some {:.0f} dB more before it is as loud",
        5 * round((spl(phon_at(42.7, 3000), 60) - 42.7) / 5),
    ),
]


@pytest.mark.parametrize(("text", "value"), ASKED, ids=[n[0] for n in ASKED])
def test_number_in_what_is_asked(text, value):
    assert text.format(value) in catalogue.flat(
        (catalogue.DATA / "11" / "unit.toml").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize(("freq", "value"), [(50, 44), (100, 26.5)])
def test_thresholds_in_what_is_asked(freq, value):
    freqs, levels = loudness.historical_contour("threshold", source="iso389_7_2005")
    assert levels[freqs == freq] == value
    assert f"{value:g} dB" in (catalogue.DATA / "11" / "unit.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("phon", "sone"), [(40, 1), (50, 2), (60, 4), (80, 16)])
def test_the_sones_of_the_page_are_those_of_the_table(phon, sone):
    with (TABLES / "sone_phon.csv").open(encoding="utf-8", newline="") as file:
        rows = {int(r["loudness_level_phon"]): list(r.values())[1:] for r in csv.DictReader(file)}
    assert {float(v) for v in rows[phon]} == {sone}


def test_a_true_peak_may_lie_3_db_over_the_samples(unit, page):
    assert np.abs(unit["halfway"]).max() == pytest.approx(np.sqrt(0.5))
    t = np.arange(1600) / 4  # where the line between the samples is asked
    crest = np.sin(2 * np.pi * t / 4 + np.pi / 4)
    np.testing.assert_allclose(unit["drawn"], crest, atol=1e-9)
    assert "true peak" in page and "at most −1 dBTP" in page


def test_the_ear_canal_and_the_power_law(page):
    assert round(343 / (4 * 0.025)) == 3430 and "3430 Hz" in page
    assert np.log10(2) / np.log10(10 ** (10 / 20)) == pytest.approx(0.6, abs=0.003)


def solution(key):
    """The function that solves an exercise."""
    space = {"np": np}
    exec(catalogue.exercise(key).solution, space)
    return list(space.values())[-1]


@pytest.mark.parametrize(("n", "gain"), [(1, 0), (2, 10), (4, 20), (10, 33.2)])
def test_equal_sounds_far_apart_gain_10_phon_a_doubling(n, gain):
    assert solution("11.sone")(np.full(n, 55.0)) == pytest.approx(55 + gain, abs=0.02)


def test_a_soft_title_rises_only_as_far_as_its_peak_allows():
    """The example that the service itself gives: −20 LUFS, peak −5, ends at −16."""
    y = 10 ** (-5 / 20) * np.sin(np.arange(4000) / 7)
    out = solution("11.match")(y, -20.0, -14.0, -1.0)
    rise = 10 * np.log10(np.mean(out**2) / np.mean(y**2))
    assert -20 + rise == pytest.approx(-16, abs=0.01)


def test_four_tones_of_one_level_last_as_long_as_their_names_say(unit):
    sr = unit["sr"]
    for name, y in unit["lasting"].items():
        sounding = np.flatnonzero(np.abs(y) > 1e-6)
        assert np.ptp(sounding) / sr * 1000 == pytest.approx(float(name.split()[0]), abs=1.0)
        assert np.abs(y).max() == pytest.approx(0.06, rel=0.01)
        assert peak_hz(y, sr) == pytest.approx(1000, abs=60)
    assert len({len(y) for y in unit["lasting"].values()}) == 1


def test_bass_grows_louder_faster_by_the_contours(iso, page):
    """The exponents, read off the contours far above threshold instead of the formula."""
    slopes = [(iso[90.0, f] - iso[70.0, f]) / 20 for f in (1000.0, 100.0)]
    assert slopes[0] == pytest.approx(1, abs=0.01)
    assert 0.3 / slopes[1] == pytest.approx(0.43, abs=0.01)
    assert "0.30 at 1 kHz and 0.43 at 100 Hz" in page


def test_the_formula_stands_where_one_looks_it_up(page):
    assert page.index("## To look up: the formula") > page.index("## What this means for a network")


def test_the_question_about_the_pause_stands_before_the_recipe(page):
    assert page.index("the pause do to the RMS level") < page.index("Drop blocks under")
