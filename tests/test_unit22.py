"""What unit 22 lets you hear, and every number that its pages and its coursework state."""

import csv
import re

import librosa
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.signal import ShortTimeFFT, get_window

from helpers import audio
from helpers.coursework import catalogue
from tests import pages
from tests.pages import code_cells, figure_with_guess, level, loudest

NAME = "22_stft"
VOICE_DB = -27.0  # the voice that set the volume [dBFS RMS]


# ---- what is heard -------------------------------------------------------------------------------


def test_nothing_is_more_than_14_db_above_the_voice(unit):
    assert len(unit["players"]) == 6
    for player in unit["players"]:
        for name, y in player.tracks.items():
            assert loudest(y, player.sr) <= VOICE_DB + 14, name


def test_backwards_has_the_same_magnitudes_and_the_opposite_order(unit):
    forwards, backwards = unit["voice"], unit["backwards"]
    np.testing.assert_array_equal(forwards, backwards[::-1])
    assert level(forwards) == pytest.approx(VOICE_DB, abs=0.1)
    together = np.corrcoef(unit["envelope"](forwards), unit["envelope"](backwards))[0, 1]
    assert abs(together) < 0.3  # another order, and not a palindrome


def test_clicks_and_tones_lie_where_they_are_said_to(unit):
    fs, (both, clicks, tones) = unit["fs"], unit["players"][1].tracks.values()
    np.testing.assert_array_equal(np.flatnonzero(clicks), [0.5 * fs, 0.52 * fs])
    np.testing.assert_allclose(both, clicks + tones, atol=1e-7)
    spectrum = np.abs(np.fft.rfft(tones * np.hanning(fs)))
    lines = np.flatnonzero(spectrum > 0.5 * spectrum.max())
    assert {1000, 1075} <= set(lines) and set(lines) <= {999, 1000, 1001, 1074, 1075, 1076}
    assert level(tones) == pytest.approx(20 * np.log10(0.03), abs=0.7)


def test_the_scrambled_voice_differs_in_its_phases_only_before_it_becomes_a_sound(unit):
    np.testing.assert_allclose(np.abs(unit["made_up"]), np.abs(unit["D"]), atol=1e-12)
    assert level(unit["scrambled"]) - level(unit["voice"]) == pytest.approx(-6.2, abs=0.1)


def test_a_swap_of_the_whole_file_has_the_magnitudes_of_one_and_the_phases_of_the_other(unit):
    a, b = unit["a"], unit["b"]
    assert len(a) == len(b) and not np.array_equal(a, b)
    A, B, mixed = (
        np.fft.rfft(y) for y in (a, b, unit["swapped"]["magnitude A, phase B, whole file"])
    )
    np.testing.assert_allclose(np.abs(mixed)[1:-1], np.abs(A)[1:-1], atol=1e-8)
    strong = np.abs(A) > 1e-3
    strong[[0, -1]] = False
    np.testing.assert_allclose(
        np.exp(1j * np.angle(mixed))[strong], np.exp(1j * np.angle(B))[strong], atol=1e-6
    )


@pytest.mark.parametrize("window", [32, 512, 8192])
def test_a_swap_of_a_sound_with_itself_is_that_sound(unit, window):
    np.testing.assert_allclose(unit["swap"](unit["a"], unit["a"], window), unit["a"], atol=1e-10)


@pytest.mark.parametrize("heard", ["magnitude A, phase B", "magnitude B, phase A", "A", "B"])
@pytest.mark.parametrize("window", [2, 32, 256, 1024, 4096])
def test_the_four_sounds_of_the_swapper_are_equally_long_and_not_too_loud(unit, heard, window):
    sound = unit["swapper"](window, heard)["sound"]
    assert sound.shape == unit["voice"].shape
    assert 20 * np.log10(np.abs(sound).max()) < -12
    assert max(abs(sound[0]), abs(sound[-1])) < 1e-9  # the loop has no seam
    assert loudest(sound, unit["sr"]) < VOICE_DB + 14
    if len(heard) == 1:
        np.testing.assert_allclose(2 * sound[320:-320], unit[heard.lower()][320:-320])


@pytest.mark.parametrize(
    ("window", "hop"), [("hann", 720), ("blackman", 480), ("boxcar", 952), ("hann", 480)]
)
def test_the_sound_of_the_hop_meter_is_plain_overlap_add(unit, window, hop):
    w, voice, before = get_window(window, 960), unit["voice"], -(-960 // hop) * hop
    padded = np.pad(voice, (before, 1920))
    added = np.zeros_like(padded)
    for start in range(0, before + len(voice), hop):
        added[start : start + 960] += w * padded[start : start + 960]
    wanted = 0.45 * added[before:][: len(voice)] * hop / w.sum()
    np.testing.assert_allclose(unit["add_up"](hop, window)["sound"], wanted, atol=1e-12)


def test_a_hop_of_720_flutters_22_times_a_second(unit, page):
    ratio = (
        unit["add_up"](720, "hann")["sound"][1600:]
        / np.where(unit["voice"] == 0, np.inf, 0.45 * unit["voice"])[1600:]
    )
    gain = ratio[np.abs(unit["voice"][1600:]) > 1e-3]
    assert gain.min() < 0.6 and gain.max() > 1.3
    assert round(unit["sr"] / 720) == 22 and "flutters 22 times a second" in page
    np.testing.assert_allclose(
        unit["hill"](get_window("hann", 960), 720, 1440)[:720],
        unit["hill"](get_window("hann", 960), 720, 1440)[720:],
    )


# ---- when or what --------------------------------------------------------------------------------


def hann_level(window, gap, apart):
    """Dips of clicks and of tones [dB] from real STFTs: mean power over frequency, over time.
    Seconds, Hz.
    """
    sr, n = 16000, round(window * 16000)
    w = get_window("hann", n)
    clicks = np.zeros(sr)
    clicks[[sr // 2, sr // 2 + round(gap * sr)]] = 1
    power = [
        np.mean(np.abs(np.fft.fft(w * clicks[c - n // 2 :][:n], 4 * sr)) ** 2)
        for c in (sr // 2, sr // 2 + round(gap * sr / 2))
    ]
    times, t = np.arange(0, 1 / apart, 1 / apart / 64), np.arange(n) / sr
    tones = sum(np.exp(2j * np.pi * (f * (t + times[:, None]))) for f in (1000, 1000 + apart))
    ends = [
        np.mean(np.abs((w * tones) @ np.exp(-2j * np.pi * f * t)) ** 2)
        for f in (1000, 1000 + apart / 2)
    ]
    return [10 * np.log10(top / max(middle, 1e-12 * top)) for top, middle in (power, ends)]


@pytest.mark.parametrize(
    ("window", "gap", "apart"),
    [(0.03, 0.02, 75), (0.04, 0.02, 50), (0.05, 0.03, 44), (0.06, 0.02, 35)],
)
def test_the_two_shapes_say_what_real_frames_measure(unit, window, gap, apart):
    measured = hann_level(window, gap, apart)
    shapes = (
        unit["dip"](unit["hann"], gap, window),
        unit["dip"](unit["hann_transform"], apart, window),
    )
    np.testing.assert_allclose(np.maximum(measured, 0), shapes, atol=0.05)


def windows_that_split(unit, gap, apart):
    """Whole milliseconds from 4 to 160 at which both dips reach 3 dB."""
    split = lambda ms: min(unit["dip"](unit["hann"], gap / 1000, ms / 1000),  # noqa: E731
                           unit["dip"](unit["hann_transform"], apart, ms / 1000)) >= 3  # fmt: skip
    return [ms for ms in range(4, 161) if split(ms)]


def test_which_windows_split_both(unit, page):
    assert (
        windows_that_split(unit, 20, 75) == list(range(27, 41))
        and "windows from 27 to 40 ms split both" in page
    )
    assert windows_that_split(unit, 20, 50) == [40]
    for gap, apart in ((20, 25), (20, 40), (20, 49), (10, 99), (40, 24)):
        assert windows_that_split(unit, gap, apart) == []


def test_the_challenge_needs_both_and_a_product_of_at_most_1_1(unit):
    won = {
        (w, g, a): bool(unit["look"](w, g, a)["solved"])
        for w in (12, 36, 38, 40)
        for g in (20, 10)
        for a in (50, 55, 75)
    }
    assert {key for key, yes in won.items() if yes} == {(40, 20, 50), (38, 20, 55), (40, 20, 55)}


def test_a_stricter_rule_asks_for_1_44(page):
    """A dip of 3 dB at every frequency between clicks, at every moment between tones: the worst
    phase is in phase.
    """
    w = lambda t: np.cos(np.pi * t) ** 2 * (abs(t) < 0.5)  # noqa: E731
    W = lambda x: np.sinc(x) + 0.5 * (np.sinc(x - 1) + np.sinc(x + 1))  # noqa: E731
    phases = np.exp(1j * np.linspace(0, 2 * np.pi, 721))
    worst = lambda s, gap: np.min(  # noqa: E731
        np.abs(s(0) + phases * s(gap)) / np.maximum(np.abs(s(gap / 2) * (1 + phases)), 1e-9)
    )
    clicks = brentq(lambda g: worst(w, g) - 10**0.15, 0.3, 0.9)
    tones = next(x for x in np.arange(1.5, 3.5, 0.001) if worst(W, x) >= 10**0.15)
    assert f"Hann needs {clicks * tones:.2f}" in page


def test_the_smallest_product_has_its_closed_form(unit):
    gauss = brentq(lambda q: 1 + np.exp(-q) - 2 * 10**0.3 * np.exp(-q / 4), 3, 9) / (
        2 * np.pi
    )  # of any Gaussian
    assert unit["smallest_product"](get_window(("gaussian", 100), 1000)) == pytest.approx(
        gauss, abs=0.01
    )
    assert unit["smallest_product"](get_window("hann", 4000)) == pytest.approx(1, abs=0.005)
    products = {name: unit["smallest_product"](w) for name, w in unit["windows"].items()}
    assert (
        min(products, key=products.get) == "gaussian"
        and max(products, key=products.get) == "boxcar"
    )


def test_words_about_the_trade(unit, page):
    assert "clicks 20 ms apart need at most 40 ms, tones 35 Hz apart at least 57 ms" in page
    assert 2 * 20 == 40 and round(2000 / 35) == 57
    assert all(
        unit["dip"](s, g, 0.048) < 3
        for s, g in ((unit["hann"], 0.02), (unit["hann_transform"], 35))
    )


# ---- axes, decibels, the way back ----------------------------------------------------------------


def test_the_stripe_of_the_click_lies_half_a_window_early_with_the_common_ruler(unit, page):
    column = np.abs(unit["D_click"]).sum(axis=0)
    middle = np.average(unit["right"], weights=column)
    assert middle == pytest.approx(250, abs=4) and 2048 / 2 / 16 == 64
    assert "passes the stripe 64 ms too soon" in page


@pytest.mark.parametrize("hop", [64, 100, 128, 171, 256])
@pytest.mark.parametrize("n", [4000, 4001])
def test_the_way_back_is_exact_wherever_nola_holds(unit, hop, n):
    y = np.random.default_rng(0).standard_normal(n)
    D = unit["stft_by_hand"](y, 512, hop)
    length = (D.shape[1] - 1) * hop  # what the frames cover
    np.testing.assert_allclose(
        unit["istft_by_hand"](D, hop, length), y[:length], rtol=0, atol=1e-12
    )


def test_ripples_of_the_page_are_those_of_the_table(unit):
    with open(audio.DATA / "tables" / "windows_cola.csv", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["hop"] in ("N/2", "N/3", "N/4", "N/8")]
    wanted = {
        "hann": "hann",
        "hamming": "hamming",
        "bartlett": "bartlett (triangle)",
        "blackman": "blackman",
    }
    for name, label in wanted.items():
        for row in [
            r
            for r in rows
            if r["window"] == label and r["parameter"] in ("", "classic", "0.54/0.46")
        ]:
            report = unit["stft"].overlap_report(
                name, n=1200, hop_length=1200 // int(row["hop"][2:])
            )
            assert report.ripple == pytest.approx(
                float(row["ripple_w_relative_peak_to_peak"]), abs=2e-3
            )
            assert report.ripple_squared == pytest.approx(
                float(row["ripple_w2_relative"]), abs=2e-3
            )
            assert report.nola == (row["nola"] == "1")


MEANS = {("hann", 2): 1.0, ("hann", 3): 1.5, ("hann", 4): 2.0, ("hamming", 2): 1.08}
SQUARES = {("hann", 3): 1.125, ("hann", 4): 1.5}


def test_sums_of_windows():
    for power, wanted in ((1, MEANS), (2, SQUARES)):
        for (name, part), mean in wanted.items():
            sums = (get_window(name, 1200) ** power).reshape(part, -1).sum(axis=0)
            np.testing.assert_allclose(sums, mean, atol=1e-12)


def test_the_challenge_of_the_hop_meter(unit):
    hops = range(80, 961, 8)
    flat = [hop for hop in hops if np.ptp(unit["add_up"](hop, "blackman")["sum"]) < 1e-9]
    assert max(flat) == 320
    assert [hop for hop in (312, 320, 328, 480) if unit["add_up"](hop, "blackman")["solved"]] == [
        320
    ]
    assert not unit["add_up"](320, "hann")["solved"]


def test_hann_is_seen_everywhere_but_at_its_full_length(unit):
    said = {hop: unit["add_up"](hop, "hann")["readout"] for hop in (480, 952, 960)}
    assert (
        "COLA yes, NOLA yes" in said[480]
        and "ripple of 0.0 %, their squares of 66.7 %" in said[480]
    )
    assert "COLA no, NOLA yes. Least-squares inverse: exact" in said[952]
    assert "NOLA no. Least-squares inverse: impossible" in said[960]


def test_consistency(unit, page):
    D, w = unit["D"], get_window("hann", 512)
    again = librosa.stft(
        librosa.istft(unit["made_up"], hop_length=128, length=len(unit["voice"])),
        n_fft=512,
        hop_length=128,
    )
    missed = np.linalg.norm(unit["made_up"] - again) / np.linalg.norm(D)
    assert missed == pytest.approx(0.87, abs=0.005) and "0.87 for this one" in page
    wanted, found = np.abs(D), np.abs(again)
    off = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    assert f"misses the magnitudes by {100 * off:.0f} %" in page
    assert f"alone are missed by {off:.2f}" in page
    gain = np.sum(found * wanted) / np.sum(found**2)  # the best one, by least squares
    best = np.linalg.norm(gain * found - wanted) / np.linalg.norm(wanted)
    assert f"by {best:.2f} when the sound is first made {20 * np.log10(gain):.1f} dB louder" in page
    assert 2 * D.size / len(unit["voice"]) == pytest.approx(4, abs=0.05) and w.size == 512


# ---- what phase carries --------------------------------------------------------------------------


def likeness(x, y, n=512):
    """Correlation of log spectrograms, by librosa: windows of n samples, cut off at -90 dBFS."""
    levels = [np.abs(librosa.stft(z, n_fft=n, hop_length=n // 4)) / (n / 4) for z in (x, y)]
    views = [20 * np.log10(np.maximum(z, 10**-4.5)) for z in levels]
    return np.corrcoef(views[0].ravel(), views[1].ravel())[0, 1]


def test_likeness_of_the_four(unit, page):
    a, b, sr = unit["a"], unit["b"], unit["sr"]
    found = {}
    for ms in (32, 64, 128, 256, 350, 400, 450, 512, 1024, 2048, 4096):
        mixed = unit["swap"](a, b, min(round(ms * sr / 1000), len(a)))
        found[ms] = likeness(mixed, a), likeness(mixed, b)
        assert unit["four"](min(round(ms * sr / 1000), len(a)))[1][:2] == pytest.approx(
            found[ms], abs=1e-6
        )
    assert all(found[ms][0] > found[ms][1] + 0.1 for ms in (32, 64, 128, 256))  # "up to 256 ms"
    assert found[350][0] > found[350][1] and found[450][0] < found[450][1]
    assert found[400][0] == pytest.approx(found[400][1], abs=0.01)
    assert "the curves cross near 0.4 s" in page
    right = [o["value"] for o in catalogue.prediction("22.cross")["options"] if "value" in o]
    assert right == [15, 100, 400, 2000]
    ahead = max(one[1] - one[0] for one in found.values())
    assert f"ahead, by up to {ahead:.2f}" in page


def test_the_best_window_is_that_of_the_view_and_the_crossing_is_not(unit, page):
    a, b, sr = unit["a"], unit["b"], unit["sr"]
    lengths = (2, 8, 32, 64, 128, 350, 600)
    mixed = {ms: unit["swap"](a, b, ms * sr // 1000) for ms in lengths}
    best = {}
    for n in (128, 512, 2048):
        alike = {ms: likeness(y, a, n) for ms, y in mixed.items()}
        best[n] = max(alike, key=alike.get)
        ahead = {ms: alike[ms] - likeness(mixed[ms], b, n) for ms in (350, 600)}
        assert ahead[350] > 0 > ahead[600]  # "stays between 0.35 and 0.6 s"
        assert f"{alike[best[n]]:.2f}" in page
        if n == 512:
            assert f"falls to {alike[2]:.2f} at 2 ms" in page
    assert best == {128: 8, 512: 32, 2048: 64}


def test_blobs_and_fringes(page):
    assert f"one every {1000 / 35:.0f} ms" in page and f"every {1 / 0.02:.0f} Hz" in page


def test_each_window_of_the_first_figure_has_its_column(unit):
    # as many columns as librosa gives, and a window drawn for each: from one before the sound on
    columns = librosa.stft(unit["piece"], n_fft=1024, hop_length=512).shape[-1]
    assert columns == 13
    cells = "\n".join(code_cells(NAME))
    assert "range(-1, 12)" in cells and len(range(-1, 12)) == columns


def test_differences_above_0_db_are_said_without_two_signs(unit):
    assert unit["far"](10.0) == "20.0 dB re theirs" and unit["far"](0.1) == "−20.0 dB re theirs"


def test_the_challenge_of_the_swapper(unit):
    won = [ms for ms in (2, 32, 256, 512, 1024, 4096) if unit["swapper"](ms, "A")["solved"]]
    assert won == [512]


def test_other_sounds_give_other_numbers(unit, page):
    piano, drums = (
        audio.resample(y, sr=sr, to=16000)[:64000]
        for y, sr in map(audio.clip, ("piano_chords", "drum_loop"))
    )
    n = min(len(piano), len(drums))
    piano, drums = piano[:n].astype(float), drums[:n].astype(float)

    def mix(magnitude, phase):
        M, P = np.fft.rfft(magnitude), np.fft.rfft(phase)
        return np.fft.irfft(np.abs(M) * np.exp(1j * np.angle(P)), n)

    one, other = mix(piano, drums), mix(drums, piano)
    assert f"{likeness(one, piano):.2f} against {likeness(one, drums):.2f}" in page
    assert f"{likeness(other, piano):.2f} against {likeness(other, drums):.2f}" in page


# ---- conventions ---------------------------------------------------------------------------------

FLAGS = {
    "torch.stft(window=hann)": ("mirrored", "periodic", "none", "start"),
    "librosa.stft": ("zeros", "periodic", "none", "start"),
    "scipy.signal.stft": ("zeros", "periodic", "window sum", "start"),
    "ShortTimeFFT.stft": ("zeros", "periodic", "none", "middle"),
}


@pytest.mark.parametrize("call", FLAGS)
def test_one_set_of_flags_explains_each_call_and_no_other_does(unit, call):
    exact = []
    for edges in ("zeros", "mirrored"):
        for window in ("periodic", "symmetric"):
            for scale in ("none", "window sum"):
                for origin in ("start", "middle"):
                    flags = (edges, window, scale, origin)
                    reply = unit["inspect"](0, call, *flags)
                    exact += [flags] * ("Difference: rounding only" in reply["readout"])
                    assert bool(reply["solved"]) == (
                        flags == FLAGS[call] and call != "librosa.stft"
                    )
    assert exact == [FLAGS[call]]


def test_the_row_of_torch_is_what_torch_computes(unit):
    torch = pytest.importorskip("torch")
    y, w = torch.tensor(unit["y"]), torch.hann_window(512, dtype=torch.float64)
    theirs = torch.stft(y, 512, 128, window=w, return_complex=True).numpy()
    np.testing.assert_allclose(unit["calls"]["torch.stft(window=hann)"], theirs, atol=1e-12)
    default = torch.stft(
        y, 512, window=torch.ones(512, dtype=torch.float64), return_complex=True
    ).numpy()
    assert default.shape == theirs.shape  # a hop of a quarter, unless told
    with pytest.warns(UserWarning, match="rectangular"):
        np.testing.assert_array_equal(torch.stft(y, 512, return_complex=True).numpy(), default)
    zeros = torch.stft(y, 512, 128, window=w, pad_mode="constant", return_complex=True).numpy()
    np.testing.assert_allclose(unit["calls"]["librosa.stft"], zeros, atol=1e-12)
    differ = np.flatnonzero(np.abs(theirs - zeros).max(axis=0) > 1e-9)
    np.testing.assert_array_equal(differ, [0, 1, 124, 125])  # "the first and last two frames only"


def test_frames_and_defaults_of_the_table(unit, page):
    import scipy.signal

    y, sr = unit["y"], unit["sr"]
    assert len(y) == sr
    assert librosa.stft(y, n_fft=512, hop_length=128).shape[1] == 126
    assert scipy.signal.stft(y, sr, nperseg=512, noverlap=384)[2].shape[1] == 126
    assert ShortTimeFFT(get_window("hann", 512), 128, sr).stft(y).shape[1] == 128
    assert librosa.stft(y).shape == (1025, 1 + sr // 512) and scipy.signal.stft(y, sr)[2].shape == (
        129,
        126,
    )
    assert "librosa takes 2048 and a quarter of it, scipy 256 and half of it" in page


def test_the_unit_does_not_load_torch():
    assert not [
        c for c in code_cells(NAME) if re.search(r"^\s*(import|from) torch", c, re.MULTILINE)
    ]


# ---- numbers in hints, feedback and answers ------------------------------------------------------

NUMBERS = [
    ("122 frames", 1 + (16000 - 512) // 128),
    ("14 976", 16000 - 1024),
    ("6.02 dB", 20 * np.log10(2)),
    ("2.303", np.log(10)),
    ("50 ms", 2000 / 40),
    ("64 %", 64),
    ("22 times", 16000 / 720),
    ("45 ms", 0.75 * 60),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value, texts):
    assert text in texts
    digits = re.match(r"[\d .]*\d", text).group().replace(" ", "")
    assert round(float(value), len(digits.partition(".")[2])) == float(digits)


def test_solutions_agree_with_librosa_and_scipy():
    from scipy.signal import check_COLA

    space = pages.solutions("22")
    y = np.random.default_rng(1).standard_normal(5000)
    S = np.abs(librosa.stft(y, n_fft=256, hop_length=100, center=False)) / 64
    np.testing.assert_allclose(space["spectrogram_db"](y, 256, 100), 20 * np.log10(S), atol=1e-8)
    for sample in (0, 100, 255, 256, 1234, 4999):
        click = np.zeros(5000)
        click[sample] = 1
        frames = librosa.util.frame(click, frame_length=256, hop_length=100)
        seen = np.flatnonzero(frames.any(axis=0))
        found = space["frames_that_see"](sample, frames.shape[1], 256, 100)
        np.testing.assert_array_equal(found, seen)
    frames = librosa.util.frame(y, frame_length=256, hop_length=256)
    np.testing.assert_array_equal(space["overlap_add"](frames, 256), y[: frames.size])
    for name in ("hann", "blackman", "bartlett"):
        for part in (2, 3, 4):
            w = get_window(name, 240)
            assert (space["ripple"](w, 240 // part) < 1e-12) == check_COLA(
                w, 240, 240 - 240 // part
            )


# ---- reading a spectrogram -----------------------------------------------------------------------

VOWELS = {"AA", "AE", "AH", "AO", "EH", "ER", "EY", "IH", "IY", "OW", "UH"}
SORTS = {"S": 2, "F": 2, "SH": 2, "T": 3, "P": 3, "K": 3} | dict.fromkeys(VOWELS, 1)


def spoken(clip):
    """Phones of a clip with their times [s], from the table as it is."""
    with open(audio.DATA / "tables" / "clip_times.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["clip"] == clip]
    return [(row["phone"], float(row["start_s"]), float(row["end_s"])) for row in rows]


def test_a_steady_tone_turns_by_the_step_of_the_page(page):
    y = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    D = librosa.stft(y, n_fft=512, hop_length=128)[14, 10:-10]  # bin 14: 437.5 Hz
    turns = np.diff(np.unwrap(np.angle(D))) / (2 * np.pi)
    assert pytest.approx(3.52) == 440 * 128 / 16000
    np.testing.assert_allclose(turns % 1, 0.52, atol=0.005)
    assert "that is 3.52 turns, of which 0.52 can be seen" in page


def test_two_frames_agree_on_a_sample_by_least_squares(page):
    windows, said = np.array([[0.9], [0.2]]), np.array([0.90, 0.10])
    best = np.linalg.lstsq(windows, said, rcond=None)[0][0]
    assert f"= {best:.2f}$. Who saw" in page


def test_the_seven_letters_stand_where_the_answer_says(unit):
    space = {}
    exec(catalogue.exercise("22.read").solution, space)
    assert list(unit["letters"]) == list("ABCDEFG")
    for letter, at in unit["letters"].items():
        name = next(p for p, start, stop in spoken("librivox_c") if start <= at + 3.64 < stop)
        assert space["sort_of"](letter) == SORTS[name], letter


def test_what_is_to_be_seen_at_the_letters_is_in_the_sound(unit):
    """20 ms at each letter: a vowel is strong and low, a fricative strong and high, a gap weak."""
    y = unit["riddle"]
    for letter, at in unit["letters"].items():
        part = y[int((at - 0.01) * 16_000) : int((at + 0.01) * 16_000)]
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        high = power[len(power) * 3 // 8 :].sum() / power.sum()  # above 3 kHz
        name = next(p for p, start, stop in spoken("librivox_c") if start <= at + 3.64 < stop)
        strong = level(part) > -40
        assert (strong, high > 0.8) == {1: (True, False), 2: (True, True), 3: (False, False)}[
            SORTS[name]
        ], (letter, level(part), high)


def test_the_labelled_hisses_lie_where_the_page_says(unit, page):
    y, found = unit["said"], {}
    for name, start, stop in spoken("librivox_b"):
        if start > 2.4 and stop < 3.62:
            edge = (stop - start) / 4  # the middle half, since marks are good to 10 ms
            part = y[int((start + edge - 2.37) * 16_000) : int((stop - edge - 2.37) * 16_000)]
            power = np.cumsum(np.abs(np.fft.rfft(part)) ** 2)
            found[name] = (level(part), 8000 * np.searchsorted(power / power[-1], 0.1) / len(power))
    assert found["S"][1] > 3500 and 1000 < found["S"][1] - found["SH"][1] < 1500
    assert found["F"][0] < found["S"][0] - 15 and found["F"][0] < found["EH"][0] - 25
    assert "S lies above 3.5 kHz, SH begins a good kilohertz lower" in page


def test_a_low_bin_is_almost_two_semitones_wide(unit, page):
    width = 44_100 / 2048
    assert f"a bin is {width:.1f} Hz wide" in page
    assert 12 * np.log2(1 + width / 200) == pytest.approx(1.8, abs=0.1)
    # constant Q: the same number of bins from each harmonic to the next, wherever the note lies
    np.testing.assert_allclose(np.diff(np.log2(unit["notes"])), 1 / 24, atol=1e-9)


# ---- the guess -----------------------------------------------------------------------------------


def test_the_guess_is_drawn_where_the_curves_cross(unit, monkeypatch, tmp_path):
    """From the answer to the widget, through the file of progress, to the line in the figure."""
    for option, wanted in ((None, []), (1, [100])):
        fig, said = figure_with_guess(unit, "22.cross", option, tmp_path, monkeypatch)
        upright = [line for line in fig.axes[0].lines if len(set(line.get_xdata())) == 1]
        assert [line.get_xdata()[0] for line in upright] == wanted
        assert (said is not None) == bool(wanted)
