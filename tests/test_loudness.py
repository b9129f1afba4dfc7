"""Facts about loudness: the printed filter, the test signals of EBU Tech 3341, and the two
gates.
"""

import csv

import numpy as np
import pytest
from scipy.signal import sosfreqz

from helpers import audio, loudness, signals


def rows(name):
    with (audio.DATA / "tables" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tone(parts, *, sr, freq=1000.0):
    """One channel of a sine, in parts of (peak level [dBFS], seconds)."""
    gains = np.concatenate([np.full(round(seconds * sr), 10 ** (db / 20)) for db, seconds in parts])
    return gains * signals.sine(freq, sr=sr, duration=len(gains) / sr)


@pytest.mark.parametrize("sr", [48000, 44100, 16000, 22050, 24000, 96000])
def test_the_filter_has_the_tabulated_coefficients(sr):
    sections = loudness.k_weighting(sr)
    names = ["b0", "b1", "b2", "a0", "a1", "a2"]
    found = 0
    for row in rows("bs1770_kweighting.csv"):
        rate, _, name = row["coefficient"].rpartition("_")
        if name in names and rate == ("" if sr == 48000 else f"fs{sr}"):
            column = "itu_bs1770_table_48k" if sr == 48000 else "computed_from_analog_parameters"
            got = sections[int(row["stage"]) - 1][names.index(name)]
            assert got == pytest.approx(float(row[column]), abs=1e-13)
            found += 1
    assert found == 12


@pytest.mark.parametrize(
    ("sr", "error"), [(8000, 0.22), (16000, 0.1), (44100, 0.01), (48000, 1e-4), (192000, 0.04)]
)
def test_the_filter_is_nearly_the_same_curve_at_every_rate(sr, error):
    freqs = np.array(
        [20.0, 38.1355, 100.0, 500.0, 997.0]
    )  # table at 48 kHz: -13.28, -5.97, -1.13, 0.04, +0.69 dB
    _, response = sosfreqz(loudness.k_weighting(sr), freqs, fs=sr)
    np.testing.assert_allclose(
        20 * np.log10(np.abs(response)), [-13.2754, -5.9716, -1.1335, 0.0425, 0.6910], atol=error
    )


CASES = {  # of EBU Tech 3341, per channel: (peak level [dBFS], seconds) ...
    "1": [[(-23, 20)]] * 2,
    "2": [[(-33, 20)]] * 2,
    "3": [[(-36, 10), (-23, 60), (-36, 10)]] * 2,
    "4": [[(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)]] * 2,
    "5": [[(-26, 20), (-20, 20.1), (-26, 20)]] * 2,
    "6": [[(db, 20)] for db in (-28, -28, -24, -30, -30)],
}


@pytest.mark.parametrize("sr", [48000, 44100, 16000, 11025])
@pytest.mark.parametrize("case", CASES)
def test_ebu_tech_3341(case, sr):
    (row,) = (
        r
        for r in rows("ebu_tech3341.csv")
        if r["document"] == "EBU Tech 3341" and r["case"] == case
    )
    y = np.stack([tone(parts, sr=sr) for parts in CASES[case]])
    expected, tolerance = float(row["expected_lufs"]), float(row["tolerance_lu"])
    assert loudness.integrated_loudness(y, sr=sr) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("sr", [48000, 44100, 16000, 8000])
def test_a_full_scale_sine_of_997_hz_reads_minus_three(sr):
    y = tone([(0, 20)], sr=sr, freq=997)
    assert loudness.integrated_loudness(y, sr=sr) == pytest.approx(-3.01, abs=0.005)
    both = loudness.integrated_loudness(np.stack([y, y]), sr=sr)
    assert both - loudness.integrated_loudness(y, sr=sr) == pytest.approx(10 * np.log10(2))


@pytest.mark.parametrize("name", ["voice_a", "rain", "castanets"])
def test_the_rate_does_not_change_the_loudness(name):
    y, sr = audio.clip(name)
    up = loudness.integrated_loudness(audio.resample(y, sr=sr, to=96000), sr=96000)
    assert loudness.integrated_loudness(y, sr=sr) == pytest.approx(up, abs=0.05)


@pytest.mark.parametrize("name", ["voice_a", "piano_chords", "duet"])
def test_six_decibels_are_six_loudness_units(name):
    y, sr = audio.clip(name)
    louder = loudness.integrated_loudness(2 * y.astype(np.float64), sr=sr)
    assert louder - loudness.integrated_loudness(y, sr=sr) == pytest.approx(
        20 * np.log10(2), abs=1e-6
    )


def test_silence_around_a_sound_does_not_count():
    y = tone([(-23, 30)], sr=16000)
    alone = loudness.integrated_loudness(y, sr=16000)
    padded = loudness.integrated_loudness(np.pad(y, 480000), sr=16000)
    assert padded == pytest.approx(alone, abs=0.1)  # the plain mean would drop by 4.8 dB
    assert loudness.integrated_loudness(np.zeros(16000), sr=16000) == -np.inf
    assert loudness.integrated_loudness(1e-5 * y, sr=16000) == -np.inf


def test_the_relative_gate_drops_what_is_ten_below_the_mean():
    loud, soft = [(-20, 30)], [(-50, 30)]
    y = loudness.integrated_loudness(tone([*loud, *soft], sr=16000), sr=16000)
    assert y == pytest.approx(
        loudness.integrated_loudness(tone(loud, sr=16000), sr=16000), abs=0.05
    )
    near = loudness.integrated_loudness(tone([*loud, (-24, 30)], sr=16000), sr=16000)
    mean = 10 * np.log10((10**-2.0 + 10**-2.4) / 2) + 20
    assert near - y == pytest.approx(mean, abs=0.05)  # 4 dB below: both count


def test_loudness_is_not_energy():
    low, high = (signals.sine(f, sr=16000, duration=2.0, amp=0.1) for f in (40, 3000))
    assert np.mean(low**2) == pytest.approx(np.mean(high**2))
    assert (
        loudness.integrated_loudness(high, sr=16000) - loudness.integrated_loudness(low, sr=16000)
        > 8
    )


@pytest.mark.parametrize("sr", [8000, 11025, 22050, 44100])
def test_four_hundred_milliseconds_are_enough_and_one_sample_less_is_not(sr):
    y = signals.sine(1000, sr=sr, duration=0.5)
    n = int(np.ceil(0.4 * sr))
    assert np.isfinite(loudness.integrated_loudness(y[:n], sr=sr))
    with pytest.raises(ValueError, match=r"y lasts 400 ms; loudness needs|y lasts 399"):
        loudness.integrated_loudness(y[: n - 1], sr=sr)


@pytest.mark.parametrize(
    ("y", "sr", "said"),
    [
        (np.zeros((4, 16000)), 16000, "4 channels; pass 1, 2, 3"),
        (np.zeros((16000, 2)), 16000, r"pass y\.T"),
        (np.zeros(16000), 4000, "sr=4000 is too low"),
        (np.zeros(16000, dtype=np.int16), 16000, "int16"),
        (np.full(16000, np.nan), 16000, "NaN"),
    ],
)
def test_what_has_no_loudness_is_refused(y, sr, said):
    with pytest.raises(ValueError, match=said):
        loudness.integrated_loudness(y, sr=sr)
