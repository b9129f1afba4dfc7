"""Facts about levels and ratios: closed forms, published toy vectors, and what no metric can
know.
"""

import csv
import re
import sys

import librosa
import numpy as np
import pytest

from helpers import audio, metrics, signals

SR = 16000
TONE = signals.sine(440, sr=SR, duration=1.0)


# --- decibels and levels --------------------------------------------------------------------------


def test_ten_or_twenty():
    assert metrics.amplitude_to_db(10) == pytest.approx(20)
    assert metrics.power_to_db(10) == pytest.approx(10)
    assert metrics.amplitude_to_db(2) == pytest.approx(6.0206, abs=1e-4)
    assert metrics.power_to_db(2) == pytest.approx(3.0103, abs=1e-4)
    a = np.array([1e-5, 0.1, 1.0, 7.0])
    np.testing.assert_allclose(metrics.amplitude_to_db(a), metrics.power_to_db(a**2))


def test_decibels_are_librosa_s_where_it_does_not_clip():
    a = np.random.default_rng(0).uniform(1e-5, 3, (4, 5))
    np.testing.assert_allclose(
        metrics.amplitude_to_db(a), librosa.amplitude_to_db(a, top_db=None, amin=1e-9)
    )
    np.testing.assert_allclose(
        metrics.power_to_db(a, ref=2.0), librosa.power_to_db(a, ref=2.0, top_db=None, amin=1e-9)
    )


def test_there_and_back():
    db = np.linspace(-119, 60, 50)
    np.testing.assert_allclose(metrics.amplitude_to_db(metrics.db_to_amplitude(db)), db)


def test_the_floor_and_the_reference():
    assert (
        metrics.amplitude_to_db(0.0) == -120 and metrics.amplitude_to_db(0.0, floor_db=-80) == -80
    )
    assert metrics.amplitude_to_db(20e-6, ref=20e-6) == pytest.approx(0)
    assert metrics.amplitude_to_db(-0.1j) == pytest.approx(-20)
    for bad in (0, -1, np.nan):
        with pytest.raises(ValueError, match="must be a positive number"):
            metrics.amplitude_to_db(1.0, ref=bad)
    with pytest.raises(ValueError, match="negative; for amplitudes use amplitude_to_db"):
        metrics.power_to_db(-0.1)


@pytest.mark.parametrize("amp", [1.0, 0.5, 0.01])
def test_a_sine_reads_three_decibels_below_its_peak(amp):
    y = amp * signals.sine(1000, sr=SR, duration=1.0, phase=np.pi / 2)
    assert metrics.peak_db(y) == pytest.approx(20 * np.log10(amp))
    assert metrics.level_db(y) == pytest.approx(20 * np.log10(amp) - 3.0103, abs=1e-4)


def test_levels_of_two_channels_are_two_levels():
    y = np.stack([TONE, 0.1 * TONE]).astype(np.float32)
    np.testing.assert_allclose(metrics.level_db(y), [-3.0103, -23.0103], atol=1e-3)
    np.testing.assert_allclose(metrics.peak_db(y), [0, -20], atol=0.01)
    assert metrics.level_db(np.zeros(9)) == -120 and metrics.peak_db(np.zeros(9)) == -120


# --- ratios ---------------------------------------------------------------------------------------


def orthogonal_noise(target, db):
    """Noise without any of the target in it, `db` below it."""
    noise = np.random.default_rng(0).standard_normal(len(target))
    noise -= target * (noise @ target) / (target @ target)
    return noise * np.linalg.norm(target) / np.linalg.norm(noise) * 10 ** (-db / 20)


TOY, TOY_TARGET = np.array([2.5, 0.0, 2.0, 8.0]), np.array([3.0, -0.5, 2.0, 7.0])


def table():
    """Rows of data/tables/si_sdr_checks.csv that this module can rebuild: (name, estimate, target,
    SI-SDR, SNR).
    """
    kilo = signals.sine(1000, sr=SR, duration=1.0)
    with (audio.DATA / "tables" / "si_sdr_checks.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, condition = row["check"], row["condition"]
            number = float((re.findall(r"-?[\d.]+", condition) or ["0"])[-1])
            if name.startswith("toy vector"):
                pair = TOY, TOY_TARGET
            elif name == "scale invariance":
                pair = number * TOY, TOY_TARGET
            elif name.startswith("orthogonal"):
                pair = TONE + orthogonal_noise(TONE, number), TONE
            elif name.startswith("delay"):
                samples = int(re.search(r"\d+", name)[0])
                pair = (
                    signals.sine(1000, sr=SR, duration=1.0, phase=-2 * np.pi * 1000 * samples / SR),
                    kilo,
                )
            elif name.startswith("DC offset"):
                pair = TONE + 0.1, TONE
            else:
                # pure gains (infinite) and the variants with mean removal have tests of their own,
                # or none
                continue
            yield pytest.param(
                *pair,
                row["computed_si_sdr_db"],
                row["computed_snr_db"],
                id=f"{name} {condition}"[:50],
            )


@pytest.mark.parametrize(("estimate", "target", "si_sdr", "snr"), list(table()))
def test_the_table_of_known_ratios(estimate, target, si_sdr, snr):
    if si_sdr.startswith("<"):
        assert metrics.si_sdr(estimate, target) < float(si_sdr.split()[1])
    else:
        assert metrics.si_sdr(estimate, target) == pytest.approx(float(si_sdr), abs=1e-4)
    assert metrics.snr(estimate, target) == pytest.approx(float(snr), abs=1e-4)


def test_the_table_is_really_read():
    assert len(list(table())) == 14


def test_si_sdr_cannot_hear_a_gain_or_a_sign_but_snr_can():
    estimate = TONE + orthogonal_noise(TONE, 17)
    for gain in (0.01, 0.5, 10, -1):
        assert metrics.si_sdr(gain * estimate, TONE) == pytest.approx(17)
    assert metrics.snr(-estimate, TONE) < -6 and metrics.snr(0.01 * estimate, TONE) < 0.1


@pytest.mark.parametrize("gain", [0.5, 2, 0.9])
def test_a_pure_gain_is_perfect_for_si_sdr(gain):
    assert metrics.si_sdr(gain * TONE, TONE) > 250
    assert metrics.snr(gain * TONE, TONE) == pytest.approx(
        -20 * np.log10(abs(1 - gain)) if gain != 2 else 0
    )


def test_the_ends_of_the_scale():
    assert metrics.snr(TONE, TONE) == np.inf and metrics.si_sdr(TONE, TONE) > 250
    assert metrics.si_sdr(np.zeros(SR), TONE) == -np.inf
    assert metrics.snr(np.zeros(SR), TONE) == pytest.approx(0)
    assert metrics.si_sdr(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == -np.inf


def test_each_channel_has_its_own_ratio():
    noise = np.stack([orthogonal_noise(TONE, 10), orthogonal_noise(TONE, 20)])
    target = np.stack([TONE, TONE])
    np.testing.assert_allclose(metrics.si_sdr(target + noise, target), [10, 20])
    np.testing.assert_allclose(metrics.snr(target + noise, target), [10, 20])


@pytest.mark.parametrize("metric", [metrics.snr, metrics.si_sdr])
def test_pairs_without_a_ratio_are_refused(metric):
    with pytest.raises(ValueError, match=r"estimate has shape \(5,\) but target \(6,\)"):
        metric(np.ones(5), np.ones(6))
    with pytest.raises(ValueError, match="target is silent"):
        metric(np.ones(5), np.zeros(5))
    with pytest.raises(ValueError, match="target is silent"):
        metric(np.ones((2, 5)), np.stack([np.ones(5), np.zeros(5)]))
    with pytest.raises(ValueError, match="estimate holds 1 NaN"):
        metric(np.array([np.nan, 1.0]), np.ones(2))


# --- PESQ and STOI, where their packages are ------------------------------------------------------


@pytest.mark.parametrize(("name", "best"), [("pesq", 4.64), ("stoi", 1.0)])
def test_clean_speech_scores_best_and_noise_lowers_it(name, best):
    pytest.importorskip("pystoi" if name == "stoi" else name)
    metric = getattr(metrics, name)
    y, sr = audio.clip("voice_b")
    noise = signals.white_noise(sr=sr, duration=2.0, level_db=-20).astype(np.float32)
    scores = [metric(audio.mix(y, noise, snr_db=snr), y, sr=sr) for snr in (0, 10, 30)]
    assert metric(y, y, sr=sr) == pytest.approx(best, abs=0.01)
    assert scores[0] < scores[1] < scores[2] < best + 0.01


@pytest.mark.parametrize("name", ["pesq", "stoi"])
def test_another_rate_scores_nearly_the_same(name):
    pytest.importorskip("pystoi" if name == "stoi" else name)
    y, sr = audio.clip("voice_b")
    noisy = audio.mix(
        y, signals.white_noise(sr=sr, duration=2.0, level_db=-20).astype(np.float32), snr_db=30
    )
    up = [audio.resample(part, sr=sr, to=48000) for part in (noisy, y)]
    metric = getattr(metrics, name)
    assert metric(*up, sr=48000) == pytest.approx(metric(noisy, y, sr=sr), abs=0.1)


@pytest.mark.parametrize("name", ["pesq", "stoi"])
def test_too_little_speech_is_refused(name):
    pytest.importorskip("pystoi" if name == "stoi" else name)
    short = signals.white_noise(sr=SR, duration=0.1, level_db=-20)
    with pytest.raises(ValueError, match=r"at least 0\.\d+ s"):
        getattr(metrics, name)(short, short, sr=SR)
    with pytest.raises(ValueError, match="one channel at a time"):
        getattr(metrics, name)(np.ones((2, SR)), np.ones((2, SR)), sr=SR)


@pytest.mark.parametrize(("name", "package"), [("pesq", "pesq"), ("stoi", "pystoi")])
def test_a_missing_package_is_named_with_the_remedy(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ImportError, match=f"needs the package {package}: run `python -m pip install {package}`"
    ):
        getattr(metrics, name)(TONE, TONE, sr=SR)
