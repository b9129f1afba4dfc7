"""Every public function that takes samples, fed with the same table of bad inputs: it returns
numbers, or refuses in a ValueError that names the value and a remedy. No other error comes out.
"""

import warnings

import numpy as np
import pytest

from helpers import audio, loudness, mel, metrics, spectra, stft

SR = 16000
N = 4000
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(N) / SR)

BAD = {
    "uint8": (128 * (1 + TONE)).astype("u1"),
    "int16": (32767 * TONE).astype("i2"),
    "bool": TONE > 0,
    "complex": TONE + 0j,
    "object": TONE.astype(object),
    "text": np.array(["a", "b"]),
    "none": None,
    "a name": "voice_a",
    "a dict": {"array": TONE},
    "ragged": [[0.1, 0.2], [0.3]],
    "NaN": np.r_[TONE, np.nan],
    "infinite": np.r_[TONE, np.inf],
    "empty": np.zeros(0),
    "no samples": np.zeros((2, 0)),
    "a number": np.float64(0.5),
    "time first": np.stack([TONE, TONE], axis=1),
    "three axes": np.zeros((2, 2, N)),
}
CALLS = {
    "check": audio.check,
    "resample": lambda y: audio.resample(y, sr=SR, to=8000),
    "mix, speech": lambda y: audio.mix(y, TONE, snr_db=0),
    "mix, noise": lambda y: audio.mix(TONE, y, snr_db=0),
    "rms": metrics.rms,
    "level_db": metrics.level_db,
    "peak_db": metrics.peak_db,
    "snr": lambda y: metrics.snr(y, y),
    "si_sdr": lambda y: metrics.si_sdr(y, y),
    "log_spectral_distance": lambda y: metrics.log_spectral_distance(y, y),
    "spectral_convergence_db": lambda y: metrics.spectral_convergence_db(y, y),
    "pesq": lambda y: metrics.pesq(y, y, sr=SR),
    "stoi": lambda y: metrics.stoi(y, y, sr=SR),
    "integrated_loudness": lambda y: loudness.integrated_loudness(y, sr=SR),
    "stft": lambda y: stft.stft(y, n_fft=512, hop_length=128),
    "dtft": lambda y: spectra.dtft(y, [440.0], sr=SR),
    "amplitude_spectrum": lambda y: spectra.amplitude_spectrum(y, sr=SR),
    "estimate_frequency": lambda y: spectra.estimate_frequency(y, sr=SR),
    "mel_spectrogram": lambda y: mel.mel_spectrogram(y, sr=SR, n_fft=512, hop_length=128),
}
RATES = [None, "16000", 44.1, 0, -SR, np.nan, True, [SR], 16000.5]
RATED = {
    "resample": lambda sr: audio.resample(TONE, sr=sr, to=8000),
    "resample, to": lambda sr: audio.resample(TONE, sr=SR, to=sr),
    "pesq": lambda sr: metrics.pesq(TONE, TONE, sr=sr),
    "integrated_loudness": lambda sr: loudness.integrated_loudness(TONE, sr=sr),
    "stoi": lambda sr: metrics.stoi(TONE, TONE, sr=sr),
    "filterbank": lambda sr: mel.filterbank(sr=sr, n_fft=512),
}


def numbers_or_a_refusal(call, given):
    """Call; every error but a ValueError with a few words in it goes through and fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(call(given))
        except ValueError as error:
            said = str(error)
            assert len(said) > 25 and ("; " in said or "must" in said), said
            for foreign in ("ufunc", "broadcast", "__", "inhomogeneous", "could not convert"):
                assert foreign not in said
            return None


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", CALLS)
def test_bad_samples_are_refused_in_words(name, bad):
    assert numbers_or_a_refusal(CALLS[name], BAD[bad]) is None


@pytest.mark.parametrize("name", CALLS)
def test_one_sample_and_silence_give_numbers_or_a_refusal(name):
    for y in (np.array([0.5]), np.zeros(N), np.float16(TONE), np.float32(TONE), list(TONE)):
        got = numbers_or_a_refusal(CALLS[name], y)
        assert got is None or not np.isnan(got).any()


LEVELS = [metrics.amplitude_to_db, metrics.power_to_db, metrics.db_to_amplitude, mel.log_compress]
NO_NUMBERS = ["object", "text", "none", "a name", "a dict", "ragged"]


@pytest.mark.parametrize("bad", NO_NUMBERS)
@pytest.mark.parametrize("convert", LEVELS)
def test_levels_of_no_numbers_are_refused_in_words(convert, bad):
    assert numbers_or_a_refusal(convert, BAD[bad]) is None


@pytest.mark.parametrize("sr", RATES, ids=repr)
@pytest.mark.parametrize("name", RATED)
def test_what_is_no_rate_is_refused_in_words(name, sr):
    assert numbers_or_a_refusal(RATED[name], sr) is None
