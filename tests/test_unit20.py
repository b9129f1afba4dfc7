"""What unit 20 lets you hear, the numbers that it states, and when its challenges are met."""

import numpy as np
import pytest
from scipy import fft as sfft
from scipy import signal as ssignal
from scipy.integrate import quad
from scipy.special import sici

from helpers import signals
from tests import pages
from tests.pages import band, level, peak_hz

NAME = "20_fourier"


def db(amplitude):
    """Decibels of an amplitude."""
    return 20 * np.log10(amplitude)


def slow(y, k):
    """One number of the DFT, by a loop and with sines and cosines."""
    a = b = 0.0
    for n, value in enumerate(y):
        a += value * np.cos(2 * np.pi * k * n / len(y))
        b -= value * np.sin(2 * np.pi * k * n / len(y))
    return a + 1j * b


# ---- what is heard -------------------------------------------------------------------------------


def test_the_hidden_tone_lies_20_db_below_the_noise_and_under_its_critical_band(unit, page):
    assert level(unit["noise"]) == pytest.approx(-32, abs=0.01)
    assert level(unit["faint"]) - level(unit["noise"]) == pytest.approx(-20, abs=0.2)
    assert "the tone lies 20 dB below the noise" in page
    around = band(
        unit["noise"], 8000, 1234 - 80, 1234 + 80
    )  # a critical band at 1.2 kHz is about 160 Hz wide
    assert level(unit["faint"]) < around - 4  # detection in noise needs about −4 dB of the band
    inside = unit["hidden"]["B"] - unit["hidden"]["A"]
    assert peak_hz(inside, 8000) == pytest.approx(1234, abs=0.5)


def test_the_sum_of_arrows_finds_it(unit, page, texts):
    y = unit["noise"] + unit["faint"]
    reach = np.abs(sfft.rfft(y))
    assert np.argmax(reach) / 2 == 1234 and f"{reach.max():.1f} at 1234 Hz" in page
    rest = np.delete(reach, 2468)
    assert np.ceil(10 * rest.max()) / 10 == 10.2 and "10.2 at most elsewhere" in page
    assert (
        2.5 < reach.max() / rest.max() < 3.5 and "three times as high as the tallest noise" in page
    )
    assert len(y) == 16000 and len(reach) == 8001 and "all 8001 of them" in texts
    usual = np.sqrt(16000) * np.std(unit["noise"])
    assert round(usual, 1) == 3.2 and round(np.std(unit["noise"]), 3) == 0.025
    assert r"$\sqrt{16\,000} \cdot 0.025$ is 3.2" in page
    assert np.sqrt(np.mean(rest**2)) == pytest.approx(usual, rel=0.03)


def test_row_7_sounds_like_row_1_and_row_5_like_row_3(unit):
    rows = unit["row_tones"]
    np.testing.assert_allclose(rows["row 7"], rows["row 1"], atol=1e-9)
    np.testing.assert_allclose(rows["row 5"], rows["row 3"], atol=1e-9)
    for k, hertz in ((1, 1000), (3, 3000)):
        assert peak_hz(rows[f"row {k}"], 8000) == pytest.approx(hertz, abs=1)


def test_hum_stands_in_161_bins_and_goes_with_them(unit, page, texts):
    voice, hummed, cleaned = (unit[name] for name in ("voice", "hummed", "cleaned"))
    hum = hummed - voice
    assert len(voice) == 56000 and len(unit["Y"]) == 28001 and len(unit["Y"][::175]) == 161
    assert "161 of 28 001" in page and "161 of 28 001" in texts
    assert (
        level(voice) - level(hum) == pytest.approx(0, abs=0.5)
        and "the hum is as strong as the voice before" in page
    )
    left = cleaned - voice
    assert (
        level(voice) - level(left) == pytest.approx(20, abs=0.5) and "lie 20 dB below after" in page
    )
    lines = np.abs(sfft.rfft(voice)) ** 2
    lost = 100 * lines[::175].sum() / lines.sum()
    assert lost == pytest.approx(0.93, abs=0.005) and "held 0.93 %" in texts
    drawn = np.abs(sfft.rfft(hummed))
    for k in (175, 350, 525):  # 50, 100, 150 Hz: lines in the figure, above all around them
        around = np.r_[drawn[k - 30 : k - 1], drawn[k + 2 : k + 31]]
        assert drawn[k] > 3 * around.max()
    own = np.abs(sfft.rfft(voice))  # 60 Hz is bin 210
    assert own[210] > 1.9 * np.r_[own[180:209], own[212:241]].max() and "line at 60 Hz" in page
    off = np.delete(np.abs(sfft.rfft(hum)), np.arange(0, 28001, 175))
    assert off.max() < 0.01 * np.abs(sfft.rfft(hum)).max()  # all of the hum is in these bins


def rhythm(y):
    """Level between 2 and 6 kHz in steps of 50 ms [dB], from the first word to the last."""
    sos = ssignal.butter(4, (2000, 6000), "bandpass", fs=16000, output="sos")
    frames = ssignal.sosfilt(sos, y).reshape(-1, 800)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-9)[2:68]


def test_the_phases_keep_the_rhythm_of_the_words_and_the_magnitudes_lose_it(unit, page):
    voice, A, B = (unit[name] for name in ("voice", "magnitudes_only", "phases_only"))
    B_loud = B * np.std(voice) / np.std(B)
    follows = [np.corrcoef(rhythm(voice), rhythm(y))[0, 1] for y in (A, B_loud)]
    assert follows[1] == pytest.approx(0.85, abs=0.005) and "a correlation of 0.85" in page
    assert follows[0] == pytest.approx(-0.17, abs=0.005) and "A does not: −0.17" in page
    by_chance = []
    for seed in range(60):
        turns = np.exp(2j * np.pi * np.random.default_rng(seed).random(28001))
        y = sfft.irfft(np.abs(sfft.rfft(voice)) * turns, 56000)
        by_chance.append(np.corrcoef(rhythm(voice), rhythm(y))[0, 1])
    assert abs(np.mean(by_chance)) < 0.05 and "random phases give −0.4 to 0.3" in page
    assert [round(min(by_chance), 1), round(max(by_chance), 1)] == [-0.4, 0.3]
    np.testing.assert_allclose(
        np.abs(sfft.rfft(A))[1:-1], np.abs(sfft.rfft(voice))[1:-1], atol=1e-9
    )
    np.testing.assert_allclose(np.abs(sfft.rfft(B))[1:-1], 1, atol=1e-9)
    turn = np.angle(sfft.rfft(B)[1:-1] * np.conj(sfft.rfft(voice)[1:-1]))
    np.testing.assert_allclose(turn, 0, atol=1e-5)


def test_a_measure_of_intelligibility_prefers_the_phases(unit):
    pystoi = pytest.importorskip("pystoi")
    voice = unit["voice"]
    scores = []
    for y in (unit["magnitudes_only"], unit["phases_only"]):
        scores.append(pystoi.stoi(voice, y * np.std(voice) / np.std(y), 16000))
    assert scores[0] < 0.4 and scores[1] > 0.7


def test_a_chirp_and_its_mirror_image_have_the_same_magnitudes():
    t = np.arange(8000) / 8000
    chirp = ssignal.chirp(t, 200, 1, 3000)
    lines = np.abs(sfft.rfft(chirp))
    np.testing.assert_allclose(np.abs(sfft.rfft(chirp[::-1])), lines, atol=1e-9)
    made = signals.sweep(200, 3000, sr=8000, duration=1.0, amp=0.05)
    assert len(made) == 8000 and np.abs(made).max() <= 0.05 + 1e-9
    assert peak_hz(made[:800], 8000) < 500 and peak_hz(made[-800:], 8000) > 2200


def test_the_hall_dies_by_60_db_in_08_s(unit, page):
    hall, sr = unit["hall"], unit["voice_sr"]
    assert hall[0] == 1 and len(hall) == 14401 and sr == 16000
    first, last = hall[1:801], hall[int(0.75 * sr) : int(0.85 * sr)]
    assert level(first) - level(last) == pytest.approx(60 * (0.8 - 0.025) / 0.8, abs=1.5)
    assert "falls by 60 dB in 0.8 s" in page
    energy = 10 * np.log10(np.sum(hall[1:] ** 2))
    assert f"{energy:.1f} dB more energy than the sound itself" in page
    assert len(unit["in_hall"]) / sr == pytest.approx(4.4, abs=0.005) and "until 4.4 s" in page
    np.testing.assert_allclose(
        unit["in_hall"], 0.6 * ssignal.oaconvolve(unit["voice"], hall), atol=1e-10
    )


def test_the_circle_brings_the_last_echoes_to_the_beginning(unit, page):
    cut, hall = unit["cut"], unit["hall"]
    whole = ssignal.oaconvolve(cut, hall)
    at_start = unit["round_the_circle"][:14400] - whole[:14400]
    np.testing.assert_allclose(at_start, whole[30000:], atol=1e-9)
    assert level(0.6 * at_start[:1600]) == pytest.approx(-33.5, abs=0.5)  # before the first word
    assert level(0.6 * unit["round_the_circle"][:1600]) == pytest.approx(-33, abs=0.5)
    assert level(0.6 * whole[:1600]) == pytest.approx(-61, abs=0.5) and "−61 dBFS" in page
    assert "without zeros −33 dBFS" in page
    assert (
        level(cut[-800:]) > -35
        and len(cut) / 16000 == pytest.approx(1.9, abs=0.05)
        and "first 1.9 s" in page
    )


def test_even_and_odd_samples_sound_alike(unit):
    even, odd = unit["halves"].values()
    assert level(even) == pytest.approx(level(odd), abs=0.01)
    for low, high in ((100, 500), (500, 1500), (1500, 3000)):
        assert band(even, 8000, low, high) == pytest.approx(band(odd, 8000, low, high), abs=0.5)


def test_each_track_of_the_square_wave_has_its_partials_and_no_others(unit):
    for name, y in unit["built"].items():
        count = int(name.split()[0])
        lines = 2 * np.abs(np.fft.rfft(y[1600:14400])) / 12800  # whole periods, away from the fades
        freqs = np.arange(len(lines)) * 1.25
        there = freqs[lines > 1e-6]
        assert there.tolist() == [125.0 * (2 * m + 1) for m in range(count)]
        np.testing.assert_allclose(
            lines[lines > 1e-6], 0.05 * 4 / np.pi / (2 * np.arange(count) + 1), rtol=1e-6
        )


def test_trains_repeat_and_get_quieter(unit):
    for name, y in unit["trains"].items():
        step = 8 * int(name.split()[1])
        inner = y[2000:14000]
        np.testing.assert_allclose(inner[step:], inner[:-step], atol=1e-12)
        assert np.count_nonzero(inner[: 12000 // step * step]) == 8 * (12000 // step)


def test_nothing_is_louder_than_the_first_page_promises(unit):
    quiet = -26 + 4  # the voice of unit 00 has about −26 dBFS, and the promise is 14 dB
    for player in unit["players"]:
        for name, y in player.tracks.items():
            assert level(np.ravel(y)) < quiet, name
            assert np.abs(y).max() < 10 ** (-1 / 20)
    for last in (1, 15, 63):
        for shape in unit["targets"]:
            assert level(unit["add_up"](last=last, shape=shape)["sound"]) < quiet
    for record in unit["tones"]:
        assert level(unit["ask"](probe=3, record=record, phase=0, both=True)["sound"]) < quiet


# ---- the two explorables -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probe", "reach"), [(5, 16), (27, 16), (6, 0), (9, 0), (0, 0), (5.5, 10.18)]
)
def test_the_probe_agrees_with_the_definition(unit, probe, reach):
    reply = unit["ask"](probe=probe, record="one tone, 5 turns", phase=0, both=False)
    wanted = abs(slow(np.cos(2 * np.pi * 5 * np.arange(32) / 32), probe))
    assert np.hypot(reply["sum_east"][1], reply["sum_north"][1]) == pytest.approx(wanted, abs=1e-9)
    assert wanted == pytest.approx(reach, abs=0.6)
    assert f"reach {wanted:.1f}" in reply["readout"]
    assert ("curl up" in reply["readout"]) == (wanted < 0.05)


def test_at_a_dot_the_phase_turns_the_chain_and_keeps_its_reach(unit):
    for degrees in (0, 15, 90, 195, 345):
        reply = unit["ask"](probe=5, record="one tone, 5 turns", phase=degrees, both=False)
        end = reply["sum_east"][1] + 1j * reply["sum_north"][1]
        assert end == pytest.approx(16 * np.exp(1j * np.radians(degrees)), abs=1e-9)
    between = [
        max(unit["ask"](probe=5.5, record="one tone, 5 turns", phase=p, both=False)["curve"])
        for p in range(0, 360, 15)
    ]
    assert np.ptp(between) < 3


def test_the_chain_closes_at_whole_turns_only(unit):
    y = np.cos(2 * np.pi * 5 * np.arange(32) / 32)
    for k in range(32):
        assert (abs(slow(y, k)) < 1e-9) == (k not in (5, 27))
    assert min(abs(slow(y, 5 + part)) for part in np.arange(0.02, 0.99, 0.02)) > 0.1


def test_the_mystery_is_solved_at_its_weaker_tone_only(unit):
    def solved(probe, record="mystery", phase=0):
        return bool(unit["ask"](probe=probe, record=record, phase=phase, both=False)["solved"])

    assert solved(11.7) and solved(11.6) and solved(11.8)
    assert not (solved(6.4) or solved(11.3) or solved(12.1) or solved(20.3))
    assert not solved(11.7, record="two tones")
    places = np.arange(10.7, 12.7, 0.02)
    for phase in range(0, 360, 15):  # wherever the phase: the tallest place near it counts
        y = unit["playing"]("mystery", phase, np.arange(32))
        top = places[np.argmax([abs(slow(y, p)) for p in places])]
        assert solved(top, phase=phase)
    assert pytest.approx(2925) == 11.7 * 8000 / 32


def test_the_probes_loop_has_no_seam_and_sounds_what_it_says(unit):
    for probe in (0.02, 5, 11.74, 26.98):
        y = unit["ask"](probe=probe, record="mystery", phase=30, both=True)["sound"]
        n = np.arange(3200)
        endless = 0.05 * (unit["playing"]("mystery", 30, n) + np.cos(2 * np.pi * probe * n / 32))
        np.testing.assert_allclose(np.tile(y, 2), endless, atol=1e-9)


def test_the_square_is_built_when_1_percent_is_missing(unit):
    for last in range(1, 64):
        reply = unit["add_up"](last=last, shape="square")
        missing = 1 - sum(8 / (np.pi * k) ** 2 for k in range(1, last + 1, 2))
        assert bool(reply["solved"]) == (missing < 0.01)
        assert f"{100 * missing:.2f} %" in reply["readout"]
    assert not unit["add_up"](last=63, shape="triangle")["solved"]


@pytest.mark.parametrize("shape", ["square", "sawtooth", "triangle"])
def test_the_waves_are_what_their_series_add_up_to(unit, shape):
    k, amps = unit["series"](shape, 63)
    target = unit["targets"][shape]
    waves = {
        "square": lambda t: 1.0 if t < 0.5 else -1.0,
        "sawtooth": lambda t: 2 * t if t < 0.5 else 2 * t - 2,
        "triangle": lambda t: 4 * t if t < 0.25 else 2 - 4 * t if t < 0.75 else 4 * t - 4,
    }
    wave = waves[shape]
    parts = [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]

    def compared(number):
        """Return the integral of the wave with a sine, from jump to jump and bend to bend."""
        return sum(quad(lambda t: wave(t) * np.sin(2 * np.pi * number * t), *p)[0] for p in parts)

    for number, amp in zip(k[:6], amps[:6], strict=True):
        assert 2 * compared(number) == pytest.approx(amp, abs=1e-7)
    for place in (10, 50, 90):
        assert target[place] == pytest.approx(wave(place / 128), abs=1e-9)


# ---- what is computed ----------------------------------------------------------------------------


def test_the_numbers_under_the_chains(unit, page):
    y = np.cos(2 * np.pi * 5 * np.arange(32) / 32 + 0.5)
    ends = [abs(slow(y, probe)) for probe in (5, 5.5, 6, 9)]
    assert "the chains end {:.1f}, {:.1f}, {:.1f} and {:.1f} away".format(*ends) in page
    assert np.angle(slow(y, 5)) == pytest.approx(0.5)


def test_four_and_eight_by_hand(page):
    assert [round(slow([3, 1, -1, 1], k).real, 9) for k in range(4)] == [4, 4, 0, 4]
    assert np.abs([slow([3, 1, -1, 1], k).imag for k in range(4)]).max() < 1e-12
    np.testing.assert_allclose(1 + 2 * np.cos(np.pi / 2 * np.arange(4)), [3, 1, -1, 1], atol=1e-12)
    y8 = [1, 1, 1, 1, -1, -1, -1, -1]
    assert slow(y8, 1) == pytest.approx(2 - 2j * (1 + 2 * np.sqrt(0.5)))
    assert "| | **sum** | **4** | **4** | **0** | **4** |" in page


@pytest.mark.parametrize("n", [1, 2, 5, 16, 45])
def test_dft_and_its_inverse_are_the_librarys(unit, n):
    y = np.random.default_rng(n).standard_normal(n)
    np.testing.assert_allclose(unit["dft"](y), [slow(y, k) for k in range(n)], atol=1e-10)
    np.testing.assert_allclose(unit["dft"](y), sfft.fft(y), atol=1e-10)
    np.testing.assert_allclose(unit["idft"](sfft.fft(y)), y, atol=1e-10)


def test_a_real_record_needs_half_of_the_numbers_and_one():
    for n in (32, 33):
        rows = np.vstack([sfft.rfft(np.eye(n)).real.T, sfft.rfft(np.eye(n)).imag.T])
        assert np.linalg.matrix_rank(rows) == n
        assert sfft.rfft(np.eye(n)).shape[1] == n // 2 + 1 == 17
    assert pytest.approx(3878.79, abs=0.005) == 32 * 8000 / 33 / 2


def test_the_mean_of_eight_in_decibels(unit, page):
    _, response = ssignal.freqz(np.full(8, 1 / 8), worN=np.arange(1, 8000), fs=16000)
    gain = db(np.abs(response) + 1e-12)
    assert gain[[1999, 3999, 5999]].max() < -200
    assert round(-gain[2000:4000].max()) == 13 and "at 13 dB below the bass and less" in page
    assert gain[4000:].max() < gain[2000:4000].max()
    s_sounds = [band(y, 16000, 4500, 8000) for y in (unit["voice"], unit["smoothed"])]
    assert s_sounds[1] < s_sounds[0] - 15


def test_the_fft_is_a_dft_and_its_cost_is_counted(unit, page, texts):
    counted = [0]

    def recursion(y):
        if len(y) == 1:
            return np.array(y, dtype=complex)
        even, odd = recursion(y[::2]), recursion(y[1::2])
        counted[0] += len(y) // 2
        odd = odd * np.exp(-2j * np.pi * np.arange(len(odd)) / len(y))
        return np.concatenate([even + odd, even - odd])

    for power in (0, 3, 8, 11):
        y = np.random.default_rng(power).standard_normal(2**power) + 1j
        counted[0] = 0
        np.testing.assert_allclose(unit["fft"](y), recursion(y), atol=1e-9)
        np.testing.assert_allclose(unit["fft"](y), sfft.fft(y), atol=1e-9)
        assert unit["multiplications"](2**power) == counted[0] == 2**power * power // 2
    assert round(2 * 2**20 / 20) == 104858 and "104 858" in texts
    assert pytest.approx(1.1e12, rel=0.01) == 2**40 and "1.1 million million" in texts
    assert pytest.approx(24, abs=0.3) == 2**20 / 44100
    assert round(56000 * 14401 / 1e6) == 806 and "806 million" in page
    assert 56000 + 14401 - 1 <= 131072 and 65536 < 56000 + 14401 - 1
    assert (
        pytest.approx(3.5e6, rel=0.02) == 3 * 131072 // 2 * 17 + 131072
        and "about 3.5 million" in page
    )


def test_the_definition_takes_longer_and_grows_faster(unit):
    definition, fast = unit["took"]["definition"], unit["took"]["NumPy's FFT"]
    assert definition[-1] > 10 * fast[-1]
    assert definition[-1] / definition[3] > fast[-1] / fast[3]  # 2048 against 128 samples


def test_gibbs_overshoots_by_9_percent_of_the_jump(unit, page, texts):
    limit = 2 / np.pi * sici(np.pi)[0]  # the crest of infinitely many partials
    assert limit == pytest.approx(1.179, abs=0.0005) and "comes to 1.179" in texts
    assert round(100 * (limit - 1) / 2) == 9 and "overshoots by 9 % of the jump" in page
    for count, crest, missing in ((5, 1.182, 4), (50, 1.179, 0.4), (500, 1.179, 0.04)):
        odd = 2 * np.arange(count) + 1
        t = np.linspace(0, 1 / count, 2001)
        y = sum(4 / np.pi / k * np.sin(2 * np.pi * k * t) for k in odd)
        assert y.max() == pytest.approx(crest, abs=0.0005)
        np.testing.assert_allclose(unit["square_sum"](t, count), y, atol=1e-9)
        assert 100 * (1 - np.sum(8 / (np.pi * odd) ** 2)) == pytest.approx(missing, rel=0.05)
    assert "1.182, 1.179 and 1.179" in page and "4 %, 0.4 % and 0.04 %" in page


def test_the_lines_of_a_pulse_train_lie_under_the_transform_of_the_pulse():
    for f in (0.3, 1.4, 2.2):
        real = quad(lambda t, f=f: np.cos(2 * np.pi * f * t), 0, 1)[0]
        imag = quad(lambda t, f=f: -np.sin(2 * np.pi * f * t), 0, 1)[0]
        assert np.hypot(real, imag) == pytest.approx(abs(np.sin(np.pi * f) / (np.pi * f)))
    lines = [len(np.arange(0, 3 * period + 1)) for period in (4, 16, 64)]
    assert lines == [13, 49, 193]
    assert [3000 * ms // 1000 for ms in (4, 16, 64, 256)] == [12, 48, 192, 768]


def test_guesses_are_drawn_into_the_figures(unit, tmp_path, monkeypatch):
    for option, keep in enumerate((32, 16, 17, 8)):
        found = pages.figure_with_guess(unit, "20.count", option, tmp_path, monkeypatch)[1]
        assert found.get_text() == f"your guess: the first {keep}"
        assert np.sum(np.arange(32) < found.xy[0]) == keep  # bins to the left of the line
    for option, height in enumerate((1.0, 1.18, 1.36)):
        fig, found = pages.figure_with_guess(unit, "20.gibbs", option, tmp_path, monkeypatch)
        assert found.xy[1] == height and found in fig.axes[2].texts
        assert any(set(line.get_ydata()) == {height} for line in fig.axes[2].lines)
    for key in ("20.count", "20.gibbs"):
        pages.figure_with_guess(unit, key, None, tmp_path, monkeypatch)


# ---- numbers in hints, feedback and answers ------------------------------------------------------

NUMBERS = [
    ("6.28", 2 * np.pi),
    ("1.414", np.sqrt(2)),
    ("0.354", 0.5 / np.sqrt(2)),
    ("7250", 29 * 250),
    ("750", 3 * 250),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value, texts):
    assert text in texts
    assert round(value, len(text.partition(".")[2])) == float(text)


def test_the_worked_examples_of_the_prompts():
    space = pages.solutions("20")
    np.testing.assert_allclose(space["compare"](np.array([3.0, 1, -1, 1]), 1), [4, 0], atol=1e-12)
    np.testing.assert_allclose(
        space["put_in_room"](np.array([1.0, 2, 3]), np.array([1, 0.5])), [1, 2.5, 4, 1.5]
    )
    y = np.random.default_rng(2).standard_normal(33)
    np.testing.assert_allclose(space["delay"](y, 4), np.roll(y, 4), atol=1e-12)
    upsampled = ssignal.resample(y, 66)  # the same curve, read twice as often
    np.testing.assert_allclose(space["delay"](y, 0.5), np.roll(upsampled, 1)[::2], atol=1e-9)
    for n in (32, 33):
        np.testing.assert_allclose(space["rebuild"](sfft.rfft(y[:n]), n), y[:n], atol=1e-12)
        np.testing.assert_allclose(space["bin_freqs"](y[:n], 8000), sfft.rfftfreq(n, 1 / 8000))
    t = np.arange(12000) / 8000
    song = (
        0.2 * np.sin(2 * np.pi * 440 * t)
        + 0.1 * np.cos(2 * np.pi * 660 * t)
        + 0.3 * np.sin(2 * np.pi * 990 * t)
        + 1
    )
    np.testing.assert_allclose(space["three_tones"](song, 8000), [440, 660, 990])
    turn = 2 * np.pi * np.arange(60) / 60
    found = space["amplitude_and_phase"](0.3 * np.cos(7 * turn - 2.5) + 0.9, 7)
    np.testing.assert_allclose(found, [0.3, -2.5], atol=1e-12)


def test_five_questions_of_unit_21_have_the_answers_that_teachers_read(root):
    told = (root / "data/coursework/20/teach.md").read_text(encoding="utf-8")
    assert 8000 / 32 == 250 and 8000 / 400 == 20 and "250 Hz; 20 Hz" in told
    y = np.random.default_rng(4).standard_normal(20)
    three = sfft.fft(np.tile(y, 3)).reshape(20, 3)  # three times the old ones, two zeros after each
    np.testing.assert_allclose(three, np.outer(sfft.fft(y), [3, 0, 0]), atol=1e-12)
    sine = 0.5 * np.sin(2 * np.pi * 9 * np.arange(64) / 64)
    assert abs(slow(sine, 9)) / 64 == pytest.approx(0.25)  # half of the amplitude
    cut = ssignal.windows.hann(20, sym=False)
    turned = [
        np.sum(sfft.fft(y) * np.roll(sfft.fft(cut)[::-1], k + 1)) / 20 for k in range(20)
    ]  # a product in time, bin by bin
    np.testing.assert_allclose(sfft.fft(y * cut), turned, atol=1e-12)


def test_why_a_chain_closes_and_a_record_is_a_circle(page):
    turn = np.exp(-2j * np.pi * 4 * np.arange(32) / 32)  # arrows of one length, four whole turns
    again = turn * turn[1]
    np.testing.assert_allclose(again, np.roll(turn, -1), atol=1e-12)  # the same arrows
    assert abs(turn.sum()) < 1e-12 and "Only a sum of 0 can do that" in page
    y = np.random.default_rng(5).standard_normal(32)
    past = np.sum(sfft.fft(y) * np.exp(2j * np.pi * np.arange(32) * 32 / 32)) / 32
    assert past == pytest.approx(y[0]) and "so you get $y[0]$ again" in page
    assert round(512 * 512 * np.dtype(complex).itemsize / 1e6) == 4 and "takes 4 MB" in page
