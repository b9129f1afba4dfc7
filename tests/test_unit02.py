"""What unit 02 lets you hear, and every number that it states, each worked out another way."""

import cmath
import math
import re
from fractions import Fraction

import numpy as np
import pytest

from helpers import audio
from tests import pages
from tests.pages import band, level, loudest, peak_hz

NAME = "02_sines_and_arrows"


def walk(z, n):
    """Multiply by z again and again, one product at a time: the arrow before each of n products."""
    arrow = 1 + 0j
    for _ in range(n):
        yield arrow
        arrow *= z


def inner(y, sr, seconds=0.1):
    """Leave out both ends of a sound, which are faded."""
    return y[int(seconds * sr) : -int(seconds * sr)]


# ---- what is heard ------------------------------------------------------------------------------


def test_the_first_tones_are_powers_of_one_number(unit):
    sr = unit["sr"]
    for (name, y), (length, freq) in zip(
        unit["plucked"].items(), ((0.9995, 440), (0.9995, 660), (0.9999, 440)), strict=True
    ):
        angle = 2 * math.pi * freq / sr
        z = complex(length * math.cos(angle), length * math.sin(angle))
        by_hand = [0.2 * arrow.imag for arrow in walk(z, 3000)]
        np.testing.assert_allclose(y[:3000], by_hand, atol=1e-9, err_msg=name)
        assert peak_hz(y, sr) == pytest.approx(freq, abs=2)


@pytest.mark.parametrize(("length", "seconds"), [(0.9995, "0.31"), (0.9999, "1.57")])
def test_how_long_the_first_tones_take_for_60_db(length, seconds, page):
    samples = next(n for n in range(10**6) if length**n <= 1e-3)
    assert f"{samples / 44100:.2f}" == seconds and f"{seconds} s" in page


def test_three_tones_that_differ_in_phase_have_one_level_and_one_pitch(unit, page):
    sr = unit["sr"]
    (y,) = unit["players"][1].tracks.values()
    n, pause = round(0.7 * sr), sr // 4
    parts = [inner(y[k * (n + pause) : k * (n + pause) + n], sr) for k in range(3)]
    assert {f"{level(part):.1f}".replace("-", "−") for part in parts} == {
        "−23.0"
    } and "have −23.0 dBFS" in page
    assert {round(peak_hz(part, sr)) for part in parts} == {440}
    np.testing.assert_allclose(parts[2], -parts[0], atol=1e-6)  # half a turn
    assert np.abs(parts[1] - parts[0]).max() > 0.1


@pytest.mark.parametrize(("degrees", "gain"), [(90, 3.01), (120, 0.0), (150, -5.72), (0, 6.02)])
def test_the_level_of_two_equal_tones(unit, degrees, gain, page, texts):
    change = level(unit["pair"](degrees)) - level(unit["alone"])
    assert change == pytest.approx(gain, abs=0.005)
    assert gain == 0 or f"{gain:.2f}".replace("-", "−") in page + texts


def test_one_tone_alone_lies_95_db_above_the_lowest_level(unit, page):
    alone = 10 * math.log10(np.mean(unit["alone"] ** 2))
    assert round(alone) == -25 and "one tone alone has −25 dBFS" in page
    assert round(alone + 120) == 95 and "95 dB above" in page


def test_half_a_turn_apart_two_tones_leave_nothing(unit):
    assert np.abs(unit["together"]["half a turn apart"]).max() < 1e-12
    rest = [level(inner(y, unit["sr"])) for y in unit["together"].values()][:3]
    assert np.diff(rest)[0] == pytest.approx(6.02, abs=0.01)


def test_two_speeds_swell_as_often_as_they_differ(unit):
    sr = unit["sr"]
    for gap in (3, 12):
        y = inner(unit["two_speeds"](gap), sr, 0.05)
        power = np.convolve(y**2, np.ones(200) / 200, mode="same")
        low = power < 0.01 * power.max()
        fades = np.sum(np.diff(low[100:-100].astype(int)) == 1)
        assert fades == sum(0.05 < (k + 0.5) / gap < 1.95 for k in range(100))
    assert peak_hz(unit["two_speeds"](40)[: sr // 2], sr) in (440, 480)


@pytest.mark.parametrize("step", [1, 7, 4, 3])
def test_the_clock_visits_what_the_greatest_common_divisor_says(step, page):
    places = {(step * k) % 12 for k in range(12)}
    assert len(places) == 12 // math.gcd(step, 12)
    if step == 4:
        assert "Steps of 4 find only three" in page and len(places) == 3


def test_the_notes_of_the_clock_are_those_of_its_places(unit):
    sr = unit["sr"]
    for step, y in zip((1, 7, 4, 3), unit["players"][4].tracks.values(), strict=True):
        notes = np.split(y, 13)
        heard = [
            12 * np.log2(peak_hz(np.pad(note * np.hanning(len(note)), (0, sr)), sr) / 330)
            for note in notes
        ]
        np.testing.assert_allclose(heard, [(step * k) % 12 for k in range(13)], atol=0.1)


@pytest.mark.parametrize(
    ("name", "period", "freq"), [("2 places", 2, 735), ("3 places", 3, 490), ("5 places", 5, 294)]
)
def test_orbits_have_the_periods_that_they_sound(unit, name, period, freq, page):
    z, places = 0j, []
    for _ in range(3000):
        places.append(z)
        z = z * z + unit["chosen"][name]
    late = np.array(places[2000:])
    assert np.abs(late[period:] - late[:-period]).max() < 1e-6
    assert all(np.abs(late[k:] - late[:-k]).max() > 0.01 for k in range(1, period))
    assert 1470 / period == freq and f"{freq} Hz" in page


def test_the_fourth_orbit_stays_and_does_not_repeat(unit):
    x, places = 0.0, []
    for _ in range(2205):
        places.append(x)
        x = x * x + unit["chosen"]["no end"]
    places = np.array(places)
    assert np.abs(places).max() <= 2
    assert all(np.abs(places[k:] - places[:-k]).max() > 0.01 for k in range(1, 1000))
    np.testing.assert_allclose(
        unit["orbit"](unit["chosen"]["no end"], 30).real, places[:30], atol=1e-9
    )


def test_decays_fall_by_8_69_db_in_each_time_constant(unit, page):
    assert f"{20 * math.log10(math.e):.2f}" == "8.69" and "8.69 dB" in page
    for tau, y in zip((0.03, 0.1, 0.3), unit["decays"].values(), strict=True):
        later, three_periods = round(tau * unit["sr"]), round(3 * unit["sr"] / 330)
        fall = level(y[:three_periods]) - level(y[later : later + three_periods])
        assert fall == pytest.approx(8.69, abs=0.35)


def test_straight_steps_grow_and_turns_do_not(unit, page):
    sr, angle = unit["sr"], 2 * math.pi * 110 / unit["sr"]
    growth = 20 * math.log10(math.sqrt(1 + angle**2)) * sr
    assert round(growth) == 47
    for name, ratio in (("turns", 0.0), ("straight steps", growth * 0.1)):
        y = unit["walks"][name]
        first, later = (y[round(s * sr) : round((s + 0.05) * sr)] for s in (0.05, 0.15))
        assert level(later) - level(first) == pytest.approx(ratio, abs=0.3)


def test_a_product_with_a_cosine_is_two_tones_and_nothing_between(unit):
    ring, sr = unit["rings"]["times a cosine of 100 Hz"], unit["sr"]
    assert band(ring, sr, 390, 410) == pytest.approx(band(ring, sr, 590, 610), abs=0.01)
    assert band(ring, sr, 495, 505) < -150
    np.testing.assert_allclose(ring, unit["rings"]["400 Hz and 600 Hz"], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "hz"), [("turned forwards, +150 Hz", 150), ("turned backwards, −150 Hz", -150)]
)
def test_a_turned_voice_has_its_spectrum_moved(unit, name, hz):
    """Each line of the spectrum is found again hz further on: 150 Hz are a whole number of bins."""
    voice, _ = audio.clip("arctic_awb")
    sr = 16000
    n = len(voice) // 320 * 320
    shift = 150 * n // sr
    before = np.abs(np.fft.rfft(voice[:n] * np.hanning(n)))
    after = np.abs(np.fft.rfft(unit["moved"][name][:n] * np.hanning(n)))
    low, high = 300 * n // sr, 6000 * n // sr
    step = shift if hz > 0 else -shift
    same = np.corrcoef(before[low:high], after[low + step : high + step])[0, 1]
    assert same > 0.99
    # not 0: his partials lie some 129 Hz apart, so each lands near the place of the next
    assert np.corrcoef(before[low:high], after[low:high])[0, 1] < same - 0.3


def test_a_part_of_the_voice_lies_below_150_hz_and_turns_the_other_way(unit, page):
    """The fundamental of a man: as a line of the analytic signal it lands on a negative speed."""
    power = np.abs(np.fft.fft(unit["arrows"])) ** 2
    freqs = np.fft.fftfreq(len(power), 1 / 16000)
    assert power[freqs < 0].sum() < 1e-6 * power.sum()  # all arrows turn forwards
    low = power[(freqs > 0) & (freqs < 150)].sum() / power.sum()
    moved = np.abs(np.fft.fft(unit["arrows"] * np.exp(-2j * np.pi * unit["turns"]))) ** 2
    assert 0.15 < low < 0.35 and moved[freqs < 0].sum() / power.sum() == pytest.approx(
        low, abs=0.02
    )
    assert "What lies below 150 Hz is slowed past standstill" in page


@pytest.mark.parametrize(("choice", "count"), [(0, 3), (1, 7), (2, 60), (3, 1000)])
def test_a_guess_about_60_db_is_a_line_that_has_lost_as_much_there(
    unit, choice, count, monkeypatch, tmp_path
):
    (line,) = pages.drawn_with_guess(unit, "02.sixty", choice, tmp_path, monkeypatch)
    (x0, y0), (x1, y1) = line.get_xydata()
    assert (x0, y0) == (0, 0) and y1 / x1 * 0.1 * count == pytest.approx(-60)


@pytest.mark.parametrize(("choice", "found"), [(0, 1), (1, 0.5), (2, 0)])
def test_a_guess_about_the_cosine_stands_at_the_sine(unit, choice, found, monkeypatch, tmp_path):
    (line,) = pages.drawn_with_guess(unit, "02.cosine", choice, tmp_path, monkeypatch)
    assert line.get_xydata().tolist() == [[0, found]]


def test_nothing_is_louder_than_the_first_page_promises(unit):
    quiet = level(audio.clip("arctic_slt")[0])
    for player in unit["players"]:
        for y in player.tracks.values():
            mono = np.atleast_2d(y).mean(axis=0)
            longest = mono if len(mono) > 0.4 * player.sr else np.pad(mono, (0, player.sr))
            assert loudest(longest, player.sr) <= quiet + 14


# ---- the two stages -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("b", "apart"), [((-0.6, -0.35), 180), ((-0.0031, 0.6946), 60), ((-0.603, 0.3446), 120)]
)
def test_two_arrows_are_shown_heard_and_judged(unit, b, apart):
    a = (0.6, 0.35)
    reply = unit["two_arrows"](*a, *b)
    both = complex(a[0] + b[0], a[1] + b[1])
    assert (reply["sum_east"][1], reply["sum_north"][1]) == pytest.approx((both.real, both.imag))
    turn = 2 * np.pi * 440 * np.arange(500) / unit["sr"]
    np.testing.assert_allclose(
        reply["sound"][:500], 0.07 * (both.real * np.sin(turn) + both.imag * np.cos(turn))
    )
    assert np.abs(np.fft.rfft(reply["sound"]))[220] == pytest.approx(
        0.07 * abs(both) * len(reply["sound"]) / 2
    )
    assert bool(reply["solved"]) == (apart == 120)


def test_the_challenge_of_the_arrows_needs_equal_lengths_and_a_third_of_a_turn(unit):
    met = set()
    for degrees in range(0, 360, 5):
        for length in (0.4, 0.7, 0.78):
            b = 0.7 * cmath.exp(1j * math.radians(degrees)) * length / 0.7
            met |= (
                {(degrees, length)}
                if unit["two_arrows"](0.7, 0.0, b.real, b.imag)["solved"]
                else set()
            )
    assert met == {(120, 0.7), (240, 0.7)}


@pytest.mark.parametrize(("rate", "freq"), [(-20, 200), (-27.5, -300), (0, 600), (-60, 0)])
def test_the_spiral_is_what_small_steps_make_of_its_exponent(unit, rate, freq):
    reply = unit["spiral"](rate, freq)
    step = 0.04 * complex(rate, 2 * math.pi * freq) / 60_000  # of the 40 ms that are drawn
    end = (1 + step + step**2 / 2) ** 60_000
    assert complex(reply["east"][-1], reply["north"][-1]) == pytest.approx(end, abs=1e-3)
    if freq:
        assert peak_hz(reply["sound"], unit["sr"] // 2) == pytest.approx(abs(freq), abs=2)


def test_the_challenge_of_the_spiral_needs_the_direction_too(unit):
    t60 = {rate: math.log(1000) / -rate for rate in (-20, -27.5, -35)}
    for rate in t60:
        for freq in (-300, 300, -330):
            won = abs(t60[rate] - 0.25) < 0.02 and freq == -300
            assert bool(unit["spiral"](rate, freq)["solved"]) == won


# ---- what the page states -----------------------------------------------------------------------


def test_the_first_figure(page):
    heights = [math.sin(math.radians(30 + 45 * k)) for k in range(8)]
    assert heights[0] == pytest.approx(0.5)
    top = (90 - 30) / 360 * 4  # [ms] at 250 turns a second
    assert f"highest after {top:.2f} ms" in page


def test_the_worked_example(page, texts):
    radians = 2 * math.pi * 0.25
    assert f"{radians:.3f}" == "1.571" and f"{math.radians(30):.3f}" == "0.524"
    assert f"Together {radians + math.radians(30):.3f}" in page
    assert (
        f"{0.5 * math.sin(math.radians(120)):.3f}" == "0.433"
        and "0.433" in page
        and "0.433" in texts
    )


def test_the_walks_end_where_exact_fractions_end(page):
    """(1 + x i)^N by exact products of fractions, with 2π to 15 digits."""
    found = []
    for count in (16, 32, 64, 1024):
        step = Fraction(6283185307179586, 10**15) / count
        east, north = Fraction(1), Fraction(0)
        for _ in range(count):
            new = (east - north * step, north + east * step)
            east, north = (part.limit_denominator(10**15) for part in new)
        found.append(f"{math.hypot(east, north):.2f}")
    assert found == ["3.15", "1.83", "1.36", "1.02"]
    assert "3.15, 1.83, 1.36 and 1.02 long" in page


def test_small_shares(page):
    assert Fraction(3, 2) ** 2 == Fraction("2.25") and "= 2.25" in page
    assert f"{float(Fraction(1001, 1000) ** 1000):.3f}" == "2.717" and "2.717" in page
    e = sum(Fraction(1, math.factorial(k)) for k in range(20))
    assert f"{float(e):.5f}" == "2.71828" and "2.71828" in page
    assert [f"{100 * 0.9**k:.0f}" for k in (1, 2, 3)] == ["90", "81", "73"]


def test_the_two_ways_of_a_cosine(page):
    found = [f"{math.cos(math.radians(d)):.2f}".replace("-", "−") for d in (20, 65, 115, 160)]
    assert "{}, {}, {} and {}, which are the cosines".format(*found) in page


def test_comparisons_at_45_degrees(unit, page):
    assert f"{math.sqrt(0.5):.2f}" == "0.71" and "each finds 0.71" in page
    np.testing.assert_allclose(unit["with_cos"], np.sin(unit["phases"]), atol=1e-9)
    np.testing.assert_allclose(unit["with_sin"], np.cos(unit["phases"]), atol=1e-9)


NUMBERS = [
    ("−0.49", 0.5 * math.sin(30)),
    ("6.28 times", 2 * math.pi),
    ("0.52 for", math.radians(30)),
    ("1.41", math.sqrt(2)),
    ("6.02", 20 * math.log10(2)),
    ("3.01", 10 * math.log10(2)),
    ("1.57 for", math.pi / 2),
    ("4.81 for", math.exp(math.pi / 2)),
    ("60.02 dB", 6.91 * 20 / math.log(10)),
    ("2.667", 1 + 1 + 1 / 2 + 1 / 6),
    ("6.333", 1 + 2 + 2 + 8 / 6),
    ("6.91", math.log(1000)),
    ("8.69", 20 / math.log(10)),
    ("521 dB", 60 * 20 / math.log(10)),
    ("26 dB", 3 * 20 / math.log(10)),
    ("120 dB", 20 * math.log10(1e6)),
    ("37 %", 100 / math.e),
    ("5 % are", 100 / math.e**3),
    ("−26 dB", -20 * math.log10(math.e**3)),
    ("0.25 −", 0.5 * math.cos(math.radians(60))),
    ("0.433i", 0.5 * math.sin(math.radians(60))),
    ("286 degrees", math.degrees(5)),
    ("−0.96", math.sin(5)),
    ("0.35 s", math.log(1000) / 20),
    ("2.72", math.e),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value, texts):
    assert text in texts
    digits = re.match(r"[−\d.]+", text)[0].rstrip(".").replace("−", "-")
    assert round(value, len(digits.partition(".")[2])) == float(digits)


def test_sums_of_the_series_that_feedback_names(texts):
    assert sum(2**k for k in range(4)) == 15  # powers alone, nothing divided by k!
    assert "z = 2 and 4 terms that is 15" in texts
    assert sum(math.factorial(k) for k in range(4)) == 10
    assert "4 terms you get 10 instead of 2.667" in texts


def test_ninety_radians_are_more_than_fourteen_turns(texts):
    assert 14 < 90 / (2 * math.pi) < 15 and "more than 14 turns" in texts


def test_a_frequency_taken_for_a_period(texts):
    assert 4 < 250 / 60 < 4.5 and "250 would take four minutes" in texts


# ---- solutions ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def solved():
    """The functions of all solutions by name."""
    return pages.solutions("02")


def test_solutions_agree_with_other_ways_to_the_same(solved):
    t = np.arange(50) / 8000
    start = cmath.rect(0.5, math.radians(30))
    spun = [(start * arrow).imag for arrow in walk(cmath.rect(1, math.pi / 8), 50)]
    np.testing.assert_allclose(solved["tone"](t, 500, 0.5, 30), spun, atol=1e-9)
    z = np.array([3 + 4j, -2j])
    matrix = np.array([[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]])
    turned = matrix @ np.array([z.real, z.imag])
    np.testing.assert_allclose(solved["turned"](z, math.degrees(0.5)), turned[0] + 1j * turned[1])
    z = np.array([1j, 2 - 1j, -3 + 2j])
    exact = [cmath.exp(x) for x in z]
    np.testing.assert_allclose(solved["exp_series"](z, 40), exact, atol=1e-12)
    y = solved["pluck"](np.arange(44100) / 44100, 441, 0.5)
    assert level(y[:100]) - level(y[22050:22150]) == pytest.approx(60, abs=0.01)


def test_shifting_a_tone_moves_it_and_only_it(solved):
    sr = 8000
    arrows = 0.5 * np.exp(2j * np.pi * 1000 * np.arange(sr) / sr)
    for hz in (100, -100):
        y = solved["shifted"](arrows, sr, hz)
        spectrum = np.abs(np.fft.rfft(y)) / sr * 2
        assert np.flatnonzero(spectrum > 1e-9).tolist() == [1000 + hz]
        assert spectrum.max() == pytest.approx(0.5)


def test_amounts_are_those_of_numpys_fourier_transform(solved, rng):
    y = rng.standard_normal(400)
    bins = 2 * np.abs(np.fft.rfft(y)) / 400
    freqs = np.fft.rfftfreq(400, 1 / 8000)
    np.testing.assert_allclose(solved["amount"](y, 8000, freqs[1:-1]), bins[1:-1], atol=1e-9)
