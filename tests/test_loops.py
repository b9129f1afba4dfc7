"""The loops: what is stored is what was computed, and what was computed is right by other means."""

import json
import zlib

import nbformat
import numpy as np
import pytest

from helpers import audio, explore
from helpers.explore.loop import FINE, LIMIT, SHADES
from tools import notebooks
from tools.site.engine import cutting

UNITS = ("02", "22", "23", "32", "33")
AXES = explore.axis("Time", 0, 3, unit="s"), explore.axis("Level", -60, 0, unit="dB")


def made(compute, panels=None, **options):
    """A loop of four pictures, of one line."""
    k = options.pop("k", explore.slider("Picture", 0, 3, 2, step=1, unit=""))
    panels = panels or [explore.panel(*AXES, explore.line("y"))]
    return explore.loop(
        compute, title="A loop", alt="A line that moves", panels=panels, k=k, **options
    )


def unrolled(widget):
    """All arrays of all pictures, from the bytes: written anew, as the description of them says."""
    raw, at, found = zlib.decompress(widget.packed), 0, {}
    for place in widget.packing:
        size = len(widget.words) * int(np.prod(place["shape"]))
        dtype = np.dtype(f"<u{place['bytes']}")
        whole = np.frombuffer(raw, dtype, size, at).reshape(-1, *place["shape"])
        at += size * dtype.itemsize
        total = np.cumsum(whole, axis=0, dtype=np.int64) % 2 ** (8 * place["bytes"])
        values = place["low"] + place["step"] * total
        found[place["name"]] = np.where(total == np.iinfo(dtype).max, np.nan, values)
    assert at == len(raw)
    return found


def test_every_picture_is_stored_within_half_a_step_and_gaps_stay():
    rng = np.random.default_rng(0)
    lines, image = rng.normal(size=(4, 50)), rng.uniform(-60, 0, (4, 5, 7))
    lines[1, 3:9] = image[2, 0] = np.nan

    def compute(k):
        return {"y": lines[k], "image": image[k], "still": [3.0], "readout": f"Picture {k}."}

    panel = explore.panel(*AXES, explore.image("image", low=-50, high=0), explore.line("y"))
    widget = made(compute, [panel])
    found = unrolled(widget)
    span = np.nanmax(lines) - min(0, np.nanmin(lines))
    np.testing.assert_allclose(found["y"], lines, atol=0.51 * span / FINE)
    clipped = np.where(np.isnan(image), np.nan, np.clip(image, -50, 0))
    np.testing.assert_allclose(found["image"], clipped, atol=0.51 * 50 / SHADES)
    np.testing.assert_allclose(found["still"], 3, atol=1e-3)
    assert widget.words == [f"Picture {k}." for k in range(4)]
    assert "Picture 2." in widget.stored_text() and "Run this cell" in widget.stored_text()
    assert widget.frame == b"" and widget.contents == []  # nothing is stored twice
    assert widget.stored_picture()[:4] == b"\x89PNG"


def test_values_between_whole_numbers_are_one_picture_each():
    asked = []

    def compute(k):
        asked.append(k)
        return {"y": [k, k], "readout": f"{k:.2f}"}

    widget = made(compute, k=explore.slider("Time", 0.0, 0.5, 0.25, step=0.05, unit="s"))
    assert len(widget.words) == 11
    np.testing.assert_allclose(asked[1:], np.arange(11) * 0.05)


def grows(k):
    return {"y": np.zeros(k + 2), "readout": "x"}


def noise(k):
    y = np.random.default_rng(k).normal(size=100_000)
    return {"y": y, "readout": "x"}


@pytest.mark.parametrize(
    ("compute", "options", "says"),
    [
        (grows, {}, "must have one shape in all pictures"),
        (noise, {}, f"{LIMIT} may be stored: take fewer steps"),
        (lambda k: {"y": [0, 1]}, {}, "must return a 'readout'"),
        (lambda k: {"y": [0, 1], "readout": "x"}, {"seconds": 0}, "seconds=0"),
        (lambda k: {"y": [0, 1], "readout": "x"}, {"k": explore.toggle("On")}, "slider of equal"),
        (lambda k: {"y": [0, 1], "readout": "x"},
         {"k": explore.slider("f", 1.0, 8.0, 2.0, step=1, unit="Hz", log=True)}, "slider of equal"),
    ],
)  # fmt: skip
def test_what_makes_no_loop_is_refused(compute, options, says):
    with pytest.raises(ValueError, match=says):
        made(compute, **options)


def test_two_sliders_are_refused():
    with pytest.raises(ValueError, match="one slider"):
        explore.loop(grows, title="t", alt="a", panels=[], a=1, b=2)


# ---- the five of the course ----------------------------------------------------------------------


def test_five_units_have_a_loop():
    texts = {p.stem[:2]: p.read_text(encoding="utf-8") for p in notebooks.paths()}
    assert {unit for unit, text in texts.items() if "explore.loop(" in text} == set(UNITS)


@pytest.fixture(scope="module")
def loop_of():
    """Make the loop of a unit, with what it is made of: ``widget, names = loop_of("22")``."""
    kept = {}

    def make(unit):
        if unit not in kept:
            page = nbformat.reads(json.dumps(notebooks.read(notebooks.paths([unit])[0])), 4)
            found = cutting.statements(page)
            (last,) = [k for k, one in enumerate(found) if "explore.loop(" in one.text]
            names = {"__name__": "__main__"}
            source = "\n".join(cutting.needed(found[:last], found[last].reads))
            exec(compile(source, f"unit {unit}", "exec"), names)
            shown = compile(found[last].text.strip(), f"loop of {unit}", "eval")
            kept[unit] = eval(shown, names), names
        return kept[unit]

    return make


@pytest.mark.parametrize("unit", UNITS)
def test_a_loop_is_small_and_says_something_else_each_time(loop_of, unit):
    widget, _ = loop_of(unit)
    spec = [widget.spec, widget.words, widget.packing]
    assert 4 * len(widget.packed) / 3 + len(json.dumps(spec)) < 150_000
    assert len(set(widget.words)) == len(widget.words)
    assert not any("-" in words.replace("SI-SDR", "") for words in widget.words)  # true minus signs


def test_unit_02_the_sine_is_the_part_of_the_flute_that_least_squares_finds(loop_of):
    widget, names = loop_of("02")
    found, pace = unrolled(widget), names["pace"]
    t = np.arange(4096) / 44100
    flute = audio.clip("flute")[0][2000:6096].astype(float)
    basis = np.stack([np.sin(2 * np.pi * pace * t), np.cos(2 * np.pi * pace * t)], axis=1)
    weight = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(4096) / 4095))
    a, b = np.linalg.lstsq(basis * weight[:, None], flute * weight, rcond=None)[0]
    ms = found["moments"][0] / 1000
    wanted = a * np.sin(2 * np.pi * pace * ms) + b * np.cos(2 * np.pi * pace * ms)
    np.testing.assert_allclose(found["sine"][-1], wanted, atol=2e-4)
    assert np.hypot(a, b) == pytest.approx(0.063, abs=5e-4)  # as the words say
    # "most of it": the part of the energy that one arrow explains
    rest = np.sum((flute - basis @ [a, b]) ** 2 * weight**2)
    assert 1 - rest / np.sum(flute**2 * weight**2) > 0.75
    for k in (0, 30, 78):  # the dot is the end of the sine and the height of the arrow
        drawn = found["sine"][k][np.isfinite(found["sine"][k])]
        assert found["height"][k, 0] == pytest.approx(drawn[-1], abs=2e-3)
        assert found["path_y"][k, 1] == pytest.approx(found["height"][k, 0], abs=1e-4)
        assert np.hypot(found["path_x"][k, 1], found["path_y"][k, 1]) == pytest.approx(
            0.063, abs=5e-4
        )


def test_unit_22_each_column_is_the_dft_of_what_the_window_lets_through(loop_of):
    from scipy.signal import ShortTimeFFT, get_window

    widget, _ = loop_of("22")
    found = unrolled(widget)
    voice = audio.clip("arctic_slt")[0].astype(float)
    theirs = ShortTimeFFT(get_window("hann", 512), hop=32, fs=16000)  # 9 600 is 300 hops of 32
    D = theirs.stft(voice, p0=300, p1=300 + 4 * 48 + 1)[:, ::4]
    levels = 20 * np.log10(2 * np.abs(D) / 256 + 1e-6)
    np.testing.assert_allclose(
        found["picture"][48], np.clip(levels, -90, -25), atol=0.51 * 65 / SHADES + 1e-6
    )
    for k in (0, 17, 48):
        assert np.isfinite(found["picture"][k]).all(axis=0).sum() == k + 1
        np.testing.assert_allclose(found["spectrum_x"][k], levels[:, k], atol=0.03)
        top = levels[:, k].argmax()
        assert f"bin {top}, {31.25 * top:.0f} Hz" in widget.words[k]


def test_unit_23_bins_are_shared_out_as_librosa_shares_them(loop_of):
    librosa = pytest.importorskip("librosa")
    widget, _ = loop_of("23")
    found = unrolled(widget)
    bank = librosa.filters.mel(sr=16000, n_fft=256, n_mels=20, norm=None)
    frame = audio.clip("arctic_slt")[0][12_736:12_992].astype(float)
    power = np.abs(librosa.stft(frame, n_fft=256, hop_length=256, center=False)[:, 0]) ** 2
    bands = 10 * np.log10(bank @ power)
    np.testing.assert_allclose(found["bands"][-1], bands - bands.max(), atol=0.03)
    assert (bank > 0).sum(axis=1)[[0, -1]].tolist() == [4, 32]  # as the caption says
    for k in (5, 40, 100):
        low, high = np.flatnonzero(bank[:, k])
        np.testing.assert_allclose(found["share"][k], bank[[low, high], k], atol=1e-3)
        wanted = f"{100 * bank[low, k]:.0f} % to band {low + 1} and {100 * bank[high, k]:.0f} % to"
        assert wanted in widget.words[k]
        filled = np.flatnonzero(np.isfinite(found["bands"][k]))
        assert filled.tolist() == list(range(high + 1))


def test_unit_32_the_middle_is_the_ratio_mask_and_the_score_is_si_sdr(loop_of):
    librosa = pytest.importorskip("librosa")
    widget, names = loop_of("32")
    found, o = unrolled(widget), np.arange(-40, 41, 2)
    S, N, voice = names["S"], names["X"] - names["S"], names["voice"].astype(float)
    ratio = np.sqrt(np.abs(S) ** 2 / (np.abs(S) ** 2 + np.abs(N) ** 2))
    np.testing.assert_allclose(found["mask"][20], ratio[:96, 60:160:2], atol=0.51 / SHADES)
    assert np.all(np.diff(found["mask"], axis=0) > -0.51 / SHADES)  # it opens, and never closes
    assert found["mask"][0].mean() < 0.02 and found["mask"][-1].mean() > 0.6

    def si_sdr(y):
        target = voice * (y @ voice) / (voice @ voice)
        return 10 * np.log10(np.sum(target**2) / np.sum((y - target) ** 2))

    scores = []
    for k in (0, 17, 20, 40):
        mask = np.sqrt(np.abs(S) ** 2 / (np.abs(S) ** 2 + np.abs(N) ** 2 * 10 ** (-o[k] / 10)))
        sound = librosa.istft(mask * names["X"], hop_length=128, length=len(voice))
        scores.append(si_sdr(sound))
        assert found["now"][k, 0] == pytest.approx(scores[-1], abs=0.05)
        assert f"SI-SDR {scores[-1]:.1f} dB" in widget.words[k]
    assert o[found["opened_to"][0].argmax()] == -6


def test_unit_33_the_rounds_are_librosas_and_fewer_cells_are_wrong_each_time(loop_of):
    librosa = pytest.importorskip("librosa")
    widget, names = loop_of("33")
    found, S = unrolled(widget), names["S"]
    start = np.angle(librosa.stft(names["trail"][0], n_fft=1024, hop_length=256))
    for k in (1, 12, 40):  # librosa begins with phases, which are those of our sound before
        y = librosa.istft(S * np.exp(1j * start), hop_length=256, length=names["n"])
        for _ in range(k - 1):
            turns = np.exp(1j * np.angle(librosa.stft(y, n_fft=1024, hop_length=256)))
            y = librosa.istft(S * turns, hop_length=256, length=names["n"])
        has = np.abs(librosa.stft(y, n_fft=1024, hop_length=256))
        error = 20 * np.log10(np.linalg.norm(has - S) / np.linalg.norm(S))
        assert found["now"][k, 0] == pytest.approx(error, abs=0.01)
        near = np.abs(20 * np.log10(has[:128, 16:66] / S[:128, 16:66])) <= 1
        assert np.mean(np.isfinite(found["right"][k]) == near) > 0.999
    falls = found["all"][0]
    assert np.all(np.diff(falls) < 0)
    assert falls[0] - falls[10] == pytest.approx(9.6, abs=0.05)  # as the caption says
    assert falls[10] - falls[40] == pytest.approx(7.0, abs=0.05)
