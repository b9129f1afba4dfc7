"""Facts about spectral distances: closed forms, what they hear and what they cannot."""

import numpy as np
import pytest

from helpers import audio, metrics, stft

VOICE = audio.clip("voice_a")[0]
NOISE = np.random.default_rng(0).normal(scale=0.1, size=(2, 16000))


@pytest.mark.parametrize("gain", [0.5, 2.0, 10.0])
def test_a_gain(gain):
    """Every level moves by 20 lg g, and the relative error is |g - 1|."""
    assert metrics.log_spectral_distance(gain * NOISE, NOISE) == pytest.approx(
        abs(20 * np.log10(gain)), abs=1e-2
    )
    assert metrics.spectral_convergence_db(gain * NOISE, NOISE) == pytest.approx(
        20 * np.log10(abs(gain - 1)), abs=1e-9
    )


def test_equal_is_zero_and_silence_is_the_whole_norm():
    assert metrics.log_spectral_distance(VOICE, VOICE) == 0
    assert metrics.spectral_convergence_db(VOICE, VOICE) == -np.inf
    assert metrics.spectral_convergence_db(0 * VOICE, VOICE) == pytest.approx(0, abs=1e-9)
    assert 0 < metrics.log_spectral_distance(0 * VOICE, VOICE) < 80


def test_neither_hears_the_sign():
    assert metrics.log_spectral_distance(-VOICE, VOICE) == 0
    assert metrics.spectral_convergence_db(-VOICE, VOICE) == -np.inf


def test_the_definitions_written_out():
    estimate = NOISE + 0.3 * NOISE[::-1]
    S_hat, S = (np.abs(stft.stft(y, n_fft=512, hop_length=128)) for y in (estimate, NOISE))
    expected = [
        np.mean(np.sqrt(np.mean((20 * np.log10(a / b)) ** 2, axis=0)))
        for a, b in zip(S_hat, S, strict=True)
    ]
    got = metrics.log_spectral_distance(estimate, NOISE, n_fft=512, hop_length=128)
    np.testing.assert_allclose(got, expected, rtol=1e-3)  # a few bins lie below the floor
    expected = [
        20 * np.log10(np.linalg.norm(a - b) / np.linalg.norm(b))
        for a, b in zip(S_hat, S, strict=True)
    ]
    got = metrics.spectral_convergence_db(estimate, NOISE, n_fft=512, hop_length=128)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_convergence_is_decided_by_the_loud_bins_and_log_distance_is_not():
    """Noise 40 dB under the peak of a voice: the pauses change by tens of decibels, the loud bins
    hardly.
    """
    estimate = VOICE + 1e-2 * np.abs(VOICE).max() * np.random.default_rng(1).normal(size=len(VOICE))
    assert metrics.spectral_convergence_db(estimate, VOICE) < -30
    assert metrics.log_spectral_distance(estimate, VOICE) > 10


@pytest.mark.parametrize(
    "measure", [metrics.log_spectral_distance, metrics.spectral_convergence_db]
)
def test_refusals(measure):
    with pytest.raises(ValueError, match=r"shape \(15999,\) but target \(16000,\); cut both"):
        measure(NOISE[0, 1:], NOISE[0])
    with pytest.raises(ValueError, match="target is silent"):
        measure(NOISE, NOISE * [[1], [0]])
    with pytest.raises(ValueError, match="estimate is complex"):
        measure(NOISE + 0j, NOISE)
