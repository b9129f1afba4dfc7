"""What unit 13 lets you hear, and every number that its pages and its coursework state."""

import math
from collections import Counter

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.integrate
import scipy.signal

from helpers import audio
from tests import pages
from tests.pages import band, level, loudest, peak_hz

NAME = "13_voices_and_masking"
SR = 16_000


def lines(y, sr=SR, floor=1e-6):
    """Frequencies [Hz] and amplitudes of what a seamless record consists of."""
    amps = 2 * np.abs(np.fft.rfft(y)) / len(y)
    strong = amps > floor
    return np.flatnonzero(strong) * sr / len(y), amps[strong]


def erb(freq):
    """The bandwidth of Glasberg and Moore, written out."""
    return 24.7 * (4.37 * freq / 1000 + 1)


# ---- 1: one sound out of many --------------------------------------------------------------------


def test_the_buzz_is_twenty_equal_harmonics(unit, page):
    freqs, amps = lines(unit["steady"])
    np.testing.assert_array_equal(freqs, 200 * np.arange(1, 21))
    np.testing.assert_allclose(amps, 0.012, rtol=1e-6)
    assert f"−{-20 * np.log10(0.012 / np.sqrt(2)):.1f} dBFS RMS" in page


def test_only_the_seventh_comes_and_goes(unit):
    y = unit["steady"] - unit["first"]["all twenty"]  # what the fade took
    assert np.abs(y[1000:-1000]).max() < 1e-12
    comes = unit["first"]["the seventh comes and goes"]
    there, gone = comes[SR + 1600 : SR + 6400], comes[SR + 9600 : SR + 14_400]
    assert lines(there)[0].tolist() == (200 * np.arange(1, 21)).tolist()
    assert lines(gone, floor=1e-4)[0].tolist() == [200 * k for k in range(1, 21) if k != 7]


def period_hz(y, sr, low=2.0, high=12.5):
    """The first lag between two [ms] at which librosa's autocorrelation is next to its highest."""
    fits = librosa.autocorrelate(np.asarray(y, float))
    a, b = round(low * sr / 1000), round(high * sr / 1000)
    tops = a + scipy.signal.find_peaks(fits[a:b], height=0.9 * fits[a:b].max())[0]
    return sr / tops[0]


def test_the_tune_keeps_its_period_without_its_fundamental(unit):
    whole, upper, noisy, sine = unit["tunes"].values()
    for k, f0 in enumerate((200, 250, 300, 200)):
        note = slice(k * 6400 + 800, k * 6400 + 4000)
        assert period_hz(whole[note], SR) == pytest.approx(f0, rel=0.01)
        assert period_hz(upper[note], SR) == pytest.approx(f0, rel=0.01)
        assert peak_hz(sine[note], SR) == pytest.approx(f0, abs=5)
        assert band(upper[note], SR, 0, 3.5 * f0) < -80
    assert band(noisy, SR, 0, 350) > band(upper, SR, 0, 8000) - 5


def test_the_telephone_takes_the_fundamental_and_leaves_the_pitch(unit, page):
    man, phone, _ = unit["phone"].values()
    pitches = [
        librosa.yin(y, fmin=70, fmax=300, sr=SR, frame_length=1024, hop_length=256)
        for y in (man, phone)
    ]
    power = librosa.feature.rms(y=man, frame_length=1024, hop_length=256)[0]
    voiced = (power > 0.6 * power.max()) & (np.abs(np.log2(pitches[0] / 135)) < 0.5)
    assert voiced.sum() > 15
    assert np.median(pitches[0][voiced]) == pytest.approx(135, abs=5)
    assert "The man of the clip speaks at about 135 Hz" in page
    same = np.abs(np.log2(pitches[1][voiced] / pitches[0][voiced])) < 1 / 24
    assert same.mean() > 0.8
    assert band(phone, SR, 0, 200) < band(man, SR, 0, 200) - 20


# ---- 2: timbre -----------------------------------------------------------------------------------


def test_four_recipes_have_one_level_and_other_shares_of_treble(unit, page):
    k = np.arange(1, 21)
    shares = []
    for amps in (1 / k, (k % 2) / k, 1 / k**2, np.ones(20)):
        shares.append(100 * np.sum(amps[220 * k > 1000] ** 2) / np.sum(amps**2))
    text = (
        f"{shares[0]:.0f}, {shares[1]:.0f}, {shares[2]:.1f} and {shares[3]:.0f} % lie above 1 kHz"
    )
    assert text in page
    for y, share in zip(unit["colours"].values(), shares, strict=True):
        assert level(y) == pytest.approx(-29, abs=0.05)
        above = 10 ** ((band(y, SR, 1000, 8000) - level(y)) / 10)
        assert 100 * above == pytest.approx(share, abs=0.1)


def test_the_chord_backwards_has_the_same_magnitudes(unit):
    chord = unit["chord"]
    assert len(chord) < unit["piano_sr"]  # one chord: the next one begins after a second
    np.testing.assert_allclose(
        np.abs(np.fft.rfft(chord[::-1])), np.abs(np.fft.rfft(chord)), atol=1e-9
    )


@pytest.mark.parametrize("values", [(0.06, 0.9, 0.1, 0.15), (0.005, 0.0, 0.29, 0.5)])
def test_a_note_follows_five_corners(unit, values):
    attack, sustain, decay, release = values
    reply = unit["note"](*values)
    times = [0, attack, attack + decay, 0.6, 0.6 + release]
    want = np.interp(reply["at"], times, [0, 1, sustain, sustain, 0])
    np.testing.assert_allclose(reply["envelope"], want, atol=1e-9)
    assert reply["sound"][0] == 0 and abs(reply["sound"][-1]) < 1e-9


def test_the_challenge_of_the_note_is_a_pluck(unit):
    solved = {v: bool(unit["note"](*v)["solved"]) for v in PLUCKS}
    assert solved == PLUCKS


PLUCKS = {
    (0.01, 0.05, 0.2, 0.1): True,
    (0.005, 0.0, 0.29, 0.5): True,
    (0.02, 0.0, 0.29, 0.1): False,
    (0.01, 0.2, 0.29, 0.1): False,
    (0.01, 0.0, 0.1, 0.1): False,
}

# ---- 3: source and filter ------------------------------------------------------------------------

MEN = {"A": (300, 870, 2240), "B": (270, 2290, 3010), "C": (730, 1090, 2440)}  # Peterson, Barney
WIDTHS = (60, 90, 150, 200)


def allpole(formants, freqs):
    """SciPy's analog filter with these formants and one at 3500 Hz."""
    below = np.array([1.0])
    above = 1.0
    for F, B in zip([*formants, 3500], WIDTHS, strict=True):
        w0 = 2 * np.pi * F
        below = np.polymul(below, [1, 2 * np.pi * B, w0**2])
        above *= w0**2
    return scipy.signal.freqs([above], below, worN=2 * np.pi * np.asarray(freqs, float))[1]


def test_the_mouths_are_those_of_the_table(unit, page):
    assert unit["mouths"] == MEN
    for numbers in MEN.values():
        assert "{} Hz | {} Hz | {} Hz".format(*numbers) in page
    assert "their *ee* has 310, 2790, 3310 Hz" in page
    freqs = np.linspace(50, 5000, 77)
    for formants in MEN.values():
        np.testing.assert_allclose(unit["through_mouth"](freqs, formants), allpole(formants, freqs))


@pytest.mark.parametrize("name", MEN)
def test_a_vowel_is_a_buzz_through_an_analog_filter(unit, name):
    freqs, amps = lines(unit["speak"](120, MEN[name]), floor=1e-9)
    k = np.arange(1, 42)
    np.testing.assert_array_equal(freqs, 120 * k)
    want = np.abs(allpole(MEN[name], 120 * k)) / k
    np.testing.assert_allclose(amps / amps[0], want / want[0], rtol=1e-6)
    assert level(unit["speak"](120, MEN[name])) == pytest.approx(-30, abs=0.01)


def test_hills_of_the_vowels_lie_at_their_formants():
    freqs = np.arange(200.0, 3400)
    for formants in MEN.values():
        size = np.abs(allpole(formants, freqs)) / freqs
        hills = freqs[scipy.signal.argrelmax(size)[0]]
        assert all(np.abs(hills - F).min() < 25 for F in formants[:2])


def test_the_tongue_speaks_without_a_seam_and_wins_at_ee_alone(unit):
    for whisper in (False, True):
        for f0 in (80, 120, 500):
            sound = unit["mouth"](730, 1090, f0, whisper)["sound"]
            assert len(sound) == SR  # one second: whole hertz repeat without a seam
            if not whisper:
                assert set(lines(sound, floor=1e-9)[0] % f0) == {0.0}
            assert level(sound) == pytest.approx(-30, abs=0.01)
    assert unit["mouth"](275, 2250, 120, False)["solved"]
    for F1, F2 in ((730, 1090), (300, 870), (270, 1800), (400, 2290)):
        assert not unit["mouth"](F1, F2, 120, False)["solved"]


def test_how_far_the_formants_move_depends_on_the_ruler(page):
    down, up = np.log2(730 / 270), np.log2(2290 / 1090)
    assert f"F1 goes down by {down:.1f} octaves, which is {730 - 270} Hz" in page
    assert f"F2 up by {up:.1f}, which is {2290 - 1090} Hz" in page


# ---- 4: chroma and height ------------------------------------------------------------------------


def test_shepard_tones_go_round(unit):
    for step in (0, 5, 11):
        freqs, amps = lines(
            unit["shepard"](step, seconds=40.0) * np.hanning(40 * SR) * 2, floor=1e-4
        )
        peaks = freqs[scipy.signal.find_peaks(amps, distance=20)[0]]
        places = 12 * np.log2(peaks / 27.5) - step
        assert np.abs(places / 12 - np.round(places / 12)).max() < 0.01
    np.testing.assert_allclose(unit["shepard"](12), unit["shepard"](0), atol=1e-12)
    up = unit["endless"]["up, two rounds"]
    n = round(0.3 * SR)
    np.testing.assert_allclose(up[:n], up[12 * n : 13 * n])
    np.testing.assert_allclose(up[:n], up[24 * n :])


def test_the_bell_stays_and_is_highest_at_440_hz(unit):
    bell = lambda f: 0.5 - 0.5 * np.cos(2 * np.pi * np.log2(f / 27.5) / 8)  # noqa: E731
    assert bell(440) == 1 and bell(27.5) == 0 and bell(27.5 * 2**8) == pytest.approx(0)
    for step in range(12):
        place = 27.5 * 2 ** (np.arange(8) + step / 12)
        t = np.arange(4800) / SR
        want = 0.03 * bell(place) @ np.sin(2 * np.pi * np.outer(place, t))
        np.testing.assert_allclose(unit["shepard"](step), want, atol=1e-12)


# ---- 5: filters in time --------------------------------------------------------------------------


def test_the_gammatone_is_one_erb_wide_by_its_closed_form():
    """The area of |H|² over its height, of order 4: π·6! / (2⁶·3!²) times b."""
    shape = math.pi * math.factorial(6) / (2**6 * math.factorial(3) ** 2)
    assert 1.019 * shape == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("fc", [250, 1000, 4000])
def test_a_place_keeps_its_own_tone_and_is_loudest_when_the_page_says(unit, page, fc):
    t = np.arange(0, 0.06, 1 / 48_000)
    envelope = np.abs(scipy.signal.hilbert(unit["gammatone"](t, fc)))
    ms = 1000 * t[np.argmax(t**3 * np.exp(-2 * np.pi * 1.019 * erb(fc) * t))]
    assert 1000 * t[np.argmax(envelope)] == pytest.approx(ms, abs=0.4)
    stated = {4000: "1.0, 3.5 and 9.1 ms", 1000: "3.5", 250: "9.1"}[fc]
    assert stated in page and f"{ms:.1f}" in stated
    tone = np.sin(2 * np.pi * fc * np.arange(SR) / SR)
    assert level(unit["at_place"](tone, fc)[SR // 2 :]) == pytest.approx(level(tone), abs=0.05)


def test_widths_that_the_page_states(page):
    assert f"the ERBs are {erb(4000):.0f}, {erb(1000):.0f} and {erb(250):.0f} Hz" in page
    assert f"the filters are {erb(200):.0f} and {erb(400):.0f} Hz wide" in page
    assert f"a filter is {erb(3000):.0f} Hz wide" in page


def iir_place(y, fc):
    """SciPy's gammatone as a recursive filter: another realisation of the same place."""
    b, a = scipy.signal.gammatone(fc, "iir", fs=SR)
    return scipy.signal.lfilter(b, a, y)


def test_valleys_get_shallower_and_high_places_beat(unit, page):
    k = np.arange(1, 26)[:, None]
    y = 0.02 * np.cos(2 * np.pi * 200 * k * np.arange(8000) / SR).sum(axis=0)
    np.testing.assert_allclose(unit["in_step"], y[:4800], atol=1e-9)

    def strength(fc):
        return 10 * np.log10(np.mean(iir_place(y, fc)[4000:7200] ** 2))

    def valley(n):
        between = [strength(fc) for fc in np.linspace(200 * n + 40, 200 * n + 160, 25)]
        return min(strength(200 * n), strength(200 * (n + 1))) - min(between)

    depths = [valley(n) for n in (1, 4, 8)]
    assert depths == pytest.approx([21, 5.7, 0.9], abs=0.4)
    assert "21 dB deep after the first harmonic, 5.7 after the fourth, 0.9 after the eighth" in page
    swings = []
    for fc in (200, 3000):
        place = unit["centres"][np.argmin(np.abs(unit["centres"] - fc))]
        envelope = np.abs(scipy.signal.hilbert(iir_place(y, place)))[4000:7200]
        swings.append(20 * np.log10(envelope.max() / envelope.min()))
    assert swings[0] < 0.3 and swings[1] > 25
    assert "by 0.1 dB at 200 Hz, and by 38 dB at 3000 Hz" in page


def test_how_many_harmonics_stand_apart(unit, texts):
    for f0, count in ((60, 5), (200, 8), (500, 8)):
        assert sum(erb(k * f0) < f0 for k in range(1, 40)) == count
        assert f": {count} of" in unit["excite"](f0)["readout"]
    assert 9 < 1 / (24.7 * 0.00437) < 10  # "never more than nine"
    tried = [*range(60, 176, 9), *range(176, 196), *range(196, 601, 21)]
    won = [f0 for f0 in tried if unit["excite"](f0)["solved"]]
    assert won == list(range(181, 190))
    k200 = (200 / 24.7 - 1) / (0.00437 * 200)
    assert f"{k200:.2f}" == "8.12" and erb(k200 * 200) == pytest.approx(200)
    assert 6.9 < (100 / 24.7 - 1) / 0.437 < 7.05 and 8.4 < (300 / 24.7 - 1) / 1.311 < 8.55
    assert "between 7 and 8.5" in texts


# ---- 6: masking ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notch", "stated"), [(0, "36.2"), (50, "36.6"), (150, "37.5"), (300, "39.2")]
)
def test_noise_with_a_notch_has_its_level_and_its_edges(unit, page, notch, stated):
    y = unit["noise_with_notch"](notch)
    width = 1200 - 2 * notch
    assert level(y) == pytest.approx(-67 + 10 * np.log10(width), abs=0.05)
    assert f"{-level(y):.1f}" == stated and stated in page
    assert band(y, SR, 0, 399) < -150 and band(y, SR, 1601, 8000) < -150
    if notch:
        assert band(y, SR, 1001 - notch, 999 + notch) < -150


def through(u):
    """Share of the noise beyond u ERBs on either side, by SciPy's integral."""
    curve = lambda x: (1 + 4 * x) * np.exp(-4 * x)  # noqa: E731
    return scipy.integrate.quad(curve, u, np.inf)[0] / scipy.integrate.quad(curve, 0, np.inf)[0]


def test_what_a_notch_lets_through(page):
    for u in (0, 0.3, 1, 2.2):
        assert through(u) == pytest.approx((1 + 2 * u) * np.exp(-4 * u))
    fallen = [-10 * np.log10(through(u)) for u in (1, 2)]
    assert f"it has fallen by {fallen[0]:.1f} dB, and at 2, by {fallen[1]:.1f}." in page
    u = 150 / erb(1000)
    assert f"150 Hz at 1 kHz is {u:.2f} ERBs, and {-10 * np.log10(through(u)):.1f} dB less" in page
    assert 10 * np.log10(1200 / 900) == pytest.approx(1.2, abs=0.06)
    assert f"{through(1):.4f}" == "0.0549" and f"{through(2):.4f}" == "0.0017"


def test_the_guess_is_drawn_into_the_figure_of_the_notch(unit, tmp_path, monkeypatch):
    for option, fallen in enumerate((1, 15, 35)):
        fig, found = pages.figure_with_guess(unit, "13.notch", option, tmp_path, monkeypatch)
        assert found.xy == (pytest.approx(150 / erb(1000), abs=0.005), -fallen)
        ends = [line.get_xydata()[-1] for line in fig.axes[1].lines if len(line.get_xdata()) == 1]
        np.testing.assert_allclose(ends, [found.xy])  # a mark where the words point
    pages.figure_with_guess(unit, "13.notch", None, tmp_path, monkeypatch)


def test_the_place_of_1_khz_gets_what_the_page_says(unit, page):
    freqs = np.linspace(400, 1600, 120_001)
    for notch, stated in ((0, 45.8), (150, 60.3)):
        u = np.abs(freqs - 1000) / erb(1000)
        weight = (1 + 4 * u) * np.exp(-4 * u) * (np.abs(freqs - 1000) >= notch)
        got = -67 + 10 * np.log10(np.mean(weight) * 1200)
        assert got == pytest.approx(-stated, abs=0.06) and f"{stated}" in page
        said = unit["listen_at_1k"](1000 + notch, -52)["readout"]
        assert f"noise −{stated} dBFS" in said


def test_pulses_are_one_tone_in_all_five_tracks(unit):
    for notch, y in zip((0, 50, 150, 300), list(unit["hidden"].values()), strict=True):
        middle = slice(SR // 10, SR)  # the fade has passed
        left = y[middle] - unit["noise_with_notch"](notch)[middle]
        np.testing.assert_allclose(left, unit["pulses"][middle], atol=1e-12)
    assert 20 * np.log10(np.abs(unit["pulses"]).max()) == pytest.approx(-52, abs=0.01)


def test_the_challenge_of_the_notch_is_the_narrowest_one(unit):
    freqs = np.arange(400.05, 1600, 0.1)
    u = np.abs(freqs - 1000) / erb(1000)
    weight = 10**-6.7 * 0.1 * (1 + 4 * u) * np.exp(-4 * u)
    noise = [10 * np.log10(np.sum(weight[np.abs(freqs - 1000) >= n])) for n in range(0, 401, 5)]
    narrowest = 5 * int(np.argmax(np.array(noise) <= -60 - 3.01))
    won = [n for n in range(0, 401, 5) if unit["listen_at_1k"](1000 + n, -60)["solved"]]
    assert won == [narrowest, narrowest + 5, narrowest + 10]
    assert not any(unit["listen_at_1k"](1000 + n, -40)["solved"] for n in range(0, 401, 20))


def test_the_weak_tone_lies_34_db_lower_either_way(unit):
    for (strong, weak), y in zip(
        ((1000, 1400), (1400, 1000)), unit["upward"].values(), strict=True
    ):
        part = y[1600:3200]  # 0.1 s in the first pulse
        freqs, amps = lines(part, floor=1e-5)
        assert dict(zip(freqs, amps, strict=True))[strong] == pytest.approx(0.07, rel=0.01)
        assert dict(zip(freqs, amps, strict=True))[weak] == pytest.approx(0.0014, rel=0.01)
    assert 20 * np.log10(0.07 / 0.0014) == pytest.approx(34, abs=0.1)


def test_terhardts_slopes(unit):
    z = [13 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500) ** 2) for f in (1000, 1400)]
    assert (z[1] - z[0]) * 27 == pytest.approx(60.1, abs=0.05)
    ups = [(24 + 0.23 - 0.2 * L) * (z[1] - z[0]) for L in (40, 60, 80)]
    assert ups == pytest.approx([36.1, 27.2, 18.3], abs=0.05)
    assert [unit["low_bark"], unit["high_bark"]] == pytest.approx(z)


def test_the_beep_is_the_same_wherever_it_stands(unit):
    beeps = []
    for gap in (0.01, 0.06, 0.2, -0.1):
        y = unit["burst_and_beep"](gap)[: round(0.9 * SR)]
        start = 4000 + (4800 + round(gap * SR) if gap > 0 else round(gap * SR) - 320)
        beeps.append(y[start : start + 320])
        silent = np.delete(y, np.r_[4000:8800, start : start + 320])
        assert not silent.any()
    for beep in beeps[1:]:
        np.testing.assert_allclose(beep, beeps[0], atol=1e-12)
    assert peak_hz(np.pad(beeps[0], (0, 8000)), SR) == pytest.approx(1000, abs=60)


# ---- 7: spreading and coding ---------------------------------------------------------------------


def test_wider_noise_has_the_same_level(unit):
    for width in (100, 400, 3200):
        y = unit["noise_around_2k"](width)
        assert level(y) == pytest.approx(-34, abs=0.01)
        assert band(y, SR, 2000 - width / 2, 2001 + width / 2) == pytest.approx(-34, abs=0.01)
    assert pytest.approx(300, abs=2) == 25 + 75 * (1 + 1.4 * 2**2) ** 0.69  # Zwicker, Terhardt
    assert f"{4**0.7:.1f}" == "2.6"


def test_rates_of_a_cd_and_an_mp3(page):
    assert f"{44_100 * 2 * 16 / 1000:.0f} kbit/s" in page
    assert f"An MP3 of 128 kbit/s has {100 * 128 / 1411.2:.0f} % of that" in page


def test_the_mdct_is_a_dct_of_folded_pieces(unit):
    """Type IV of SciPy on a, b, c, d folded to (−c_r − d, a − b_r), as the textbooks have it."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal(3000)
    X = unit["mdct"](y)
    N = 576
    window = np.sin(np.pi * (np.arange(2 * N) + 0.5) / (2 * N))
    padded = np.concatenate([np.zeros(N), y, np.zeros(N + (-len(y)) % N)])
    for m in (0, 2, len(X) - 1):
        a, b, c, d = np.split(window * padded[m * N : m * N + 2 * N], 4)
        folded = np.concatenate([-c[::-1] - d, a - b[::-1]])
        want = scipy.fft.dct(folded, type=4, norm="ortho")
        np.testing.assert_allclose(X[m], want, atol=1e-9)
    np.testing.assert_allclose(unit["imdct"](X, len(y)), y, atol=1e-12)


def test_bits_and_noise_of_the_coder(unit, page):
    bits = 0.0
    for numbers in unit["stored"]:
        counts = np.array(list(Counter(numbers.ravel().tolist()).values()))
        bits -= np.sum(counts * np.log2(counts / counts.sum())) - 5 * len(numbers)
    rate = bits / len(unit["violin"])
    assert (
        f"{rate:.2f} bits for a sample in place of 16, so {100 * (1 - rate / 16):.0f} % are gone"
        in page
    )
    below = level(unit["violin"]) - level(unit["error"])
    assert f"The noise lies {below:.1f} dB below the violin in both" in page
    assert level(unit["white"]) == pytest.approx(level(unit["error"]), abs=0.05)


def test_the_step_puts_the_noise_13_db_below(unit):
    """In bands whose numbers are large the rounding error is that of a uniform step."""
    step = 0.01
    x = np.random.default_rng(1).standard_normal(200_000)
    error = np.round(x / step) * step - x
    assert 10 * np.log10(np.mean(error**2)) == pytest.approx(10 * np.log10(step**2 / 12), abs=0.05)
    noise = np.random.default_rng(2).standard_normal((200, 576))
    for X in (noise, unit["X"]):
        kept, stored = unit["coarse"](X, 13)
        for number in range(25):
            own = unit["band_of"] == number
            share = np.sum((kept - X)[:, own] ** 2) / np.sum(X[:, own] ** 2)
            assert 10 * np.log10(share) < -12.4
        assert all(np.array_equal(numbers, np.round(numbers)) for numbers in stored)


def thirds(y, sr):
    """Levels in third octaves around 100 Hz to 16 kHz [dBFS]."""
    at = 100 * 2 ** (np.arange(23) / 3)
    return at, np.array([band(y, sr, f * 2 ** (-1 / 6), f * 2 ** (1 / 6)) for f in at])


def test_coded_noise_lies_under_the_violin_but_in_one_band(unit):
    at, violin = thirds(unit["violin"], unit["violin_sr"])
    above = at[thirds(unit["error"], unit["violin_sr"])[1] > violin]
    assert len(above) == 1 and above[0] == pytest.approx(315, rel=0.02)
    alone = at[thirds(unit["white"], unit["violin_sr"])[1] > violin]
    assert len(alone) >= 6 and alone[alone > 1000].min() == pytest.approx(5000, rel=0.3)


# ---- all of it -----------------------------------------------------------------------------------


def test_nothing_is_louder_than_the_first_page_promises(unit):
    quiet = level(audio.clip("voice_a")[0])
    named = ["first", "tunes", "phone", "colours", "said", "endless", "hidden", "upward", "wider"]
    sounds = [(y, SR) for name in named for y in unit[name].values()]
    sounds += [(y, unit["violin_sr"]) for y in unit["with_noise"].values()]
    sounds += [(unit["chord"], unit["piano_sr"]), (unit["burst_and_beep"](0.01), SR)]
    sounds += [(unit["note"](0.005, 1.0, 0.1, 0.5)["sound"], SR)]
    sounds += [(unit["excite"](f0)["sound"], SR) for f0 in (60, 200, 600)]
    sounds += [
        (unit["listen_at_1k"](edge, db)["sound"], SR) for edge in (1000, 1400) for db in (-80, -30)
    ]
    for y, sr in sounds:
        assert loudest(y, sr) <= quiet + 14
        assert np.abs(y).max() < 10 ** (-6 / 20)


def test_sounds_begin_and_end_in_silence(unit):
    for name in ["tunes", "phone", "endless", "hidden", "wider"]:
        for y in unit[name].values():
            assert abs(y[0]) < 1e-3 and abs(y[-1]) < 2e-3, name


NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


def test_solutions_agree_with_other_libraries():
    space = pages.solutions("13")
    for freq in (440.0, 27.6, 262.0, 1975.0):
        chroma, octave = space["chroma_and_octave"](freq)
        midi = librosa.hz_to_midi(freq)
        assert 12 * (octave + 1) + chroma == pytest.approx(midi)
        if abs(midi - round(midi)) < 0.3:
            name = librosa.midi_to_note(round(midi), unicode=False)
            assert name == f"{NAMES[round(chroma) % 12]}{octave:.0f}"
    assert space["repeats"](np.array([600, 1000, 1400])) == math.gcd(600, 1000, 1400)
    t = np.arange(90) / 100
    want = np.where(t < 0.1, t / 0.1, np.where(t < 0.3, 1 - 0.5 * (t - 0.1) / 0.2, 0.5))
    want = np.where(t < 0.6, want, 0.5 * (0.9 - t) / 0.3)
    np.testing.assert_allclose(space["adsr"](0.1, 0.2, 0.5, 0.3, 0.6, 100), want, atol=1e-12)
    freqs = np.linspace(60, 4000, 40)
    np.testing.assert_allclose(
        space["envelope_db"](freqs, np.array([*MEN["A"], 3500.0]), np.array(WIDTHS)),
        20 * np.log10(np.abs(allpole(MEN["A"], freqs))),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        space["let_through"](np.array([0.0, 0.4, 1.7])), [through(u) for u in (0.0, 0.4, 1.7)]
    )
    k = space["last_apart"](np.array([90.0, 310.0]))
    np.testing.assert_allclose(erb(k * [90, 310]), [90, 310])
    bits = space["bits_needed"](np.array([40.0, 10.0]), np.array([20.0, 30.0]))
    assert bits.tolist() == [4, 0] and 3 < 20 / (20 * np.log10(2)) < 4
