"""Facts about mel spectrograms: filterbanks, other libraries, what inverting them brings back,
logarithms, MFCC.
"""

import tracemalloc
import warnings

import librosa
import numpy as np
import pytest
from scipy.optimize import nnls

from helpers import audio, mel, metrics, pitch, stft

SR = 16000
RNG = np.random.default_rng(0)
NOISE = RNG.normal(scale=0.1, size=(2, 8001))
VOICE = audio.clip("voice_a")[0]
BANK = {"sr": SR, "n_fft": 1024, "n_mels": 80, "fmax": 8000}
FRAMES = {"sr": SR, "n_fft": 1024, "hop_length": 256}

# --- the filterbank -------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    ("sr", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (16000, 1024, 80, 0, 8000),
        (22050, 2048, 128, 0, None),
        (22050, 1023, 40, 50, 7600),
        (8000, 256, 10, 300, 3400),
    ],
)
def test_librosa_has_the_same_filters(sr, n_fft, n_mels, fmin, fmax, variant, norm):
    how = {"sr": sr, "n_fft": n_fft, "n_mels": n_mels, "fmin": fmin, "fmax": fmax, "norm": norm}
    expected = librosa.filters.mel(**how, htk=variant == "htk", dtype=np.float64)
    got = mel.filterbank(**how, variant=variant)
    assert got.shape == (n_mels, n_fft // 2 + 1)
    np.testing.assert_allclose(got, expected, atol=1e-12 * expected.max())


@pytest.mark.parametrize("variant", ["slaney", "htk", "fant"])
def test_neighbours_add_up_to_one_between_the_first_and_the_last_centre(variant):
    weights = mel.filterbank(**BANK, variant=variant, norm=None)
    top = pitch.hz_to_mel(8000, variant=variant)
    first, last = pitch.mel_to_hz(top * np.array([1, 80]) / 81, variant=variant)
    freqs = np.arange(513) * SR / 1024
    between = (freqs >= first) & (freqs <= last)
    np.testing.assert_allclose(weights[:, between].sum(axis=0), 1, atol=1e-12)
    assert np.all(weights[:, ~between].sum(axis=0) < 1)
    assert np.all((weights > 0).sum(axis=0) <= 2)


@pytest.mark.parametrize("variant", ["slaney", "htk"])
def test_slaneys_norm_gives_every_filter_one_area(variant):
    """2 / (upper - lower edge) is the height of a triangle of area 1; dense bins measure the
    area.
    """
    dense = mel.filterbank(sr=SR, n_fft=2**18, n_mels=20, variant=variant)
    np.testing.assert_allclose(dense.sum(axis=1) * SR / 2**18, 1, rtol=1e-4)
    edges = pitch.mel_to_hz(
        np.linspace(0, pitch.hz_to_mel(8000, variant=variant), 22), variant=variant
    )
    np.testing.assert_allclose(dense.max(axis=1), 2 / (edges[2:] - edges[:-2]), rtol=1e-3)


def test_information_is_lost():
    """80 bands of 513 bins have rank 80."""
    assert np.linalg.matrix_rank(mel.filterbank(**BANK)) == 80


@pytest.mark.parametrize(
    ("variant", "n_fft", "empty"),
    [("htk", 400, 4), ("htk", 512, 1), ("slaney", 400, 0), ("slaney", 512, 0)],
)
def test_empty_filters(variant, n_fft, empty):
    how = {"sr": SR, "n_mels": 128, "variant": variant}
    if not empty:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            weights = mel.filterbank(**how, n_fft=n_fft)
        assert weights.any(axis=1).all()
        return
    with pytest.warns(
        mel.EmptyFilterWarning, match=f"^{empty} of 128 mel filters are empty.*n_fft >= 574"
    ) as caught:
        weights = mel.filterbank(**how, n_fft=n_fft)
    assert np.count_nonzero(~weights.any(axis=1)) == empty
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what the text tells to do helps
        mel.filterbank(**how, n_fft=574)
        mel.filterbank(**{**how, "n_mels": 80}, n_fft=n_fft)
        mel.filterbank(**how, n_fft=n_fft, fmin=1000)


# --- mel spectrograms -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [1.0, 2.0, 1.5])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"variant": "htk", "norm": None},
        {"win_length": 800, "window": "hamming"},
        {"center": False},
    ],
)
def test_librosa_has_the_same_mel_spectrogram(dtype, power, changes):
    y = NOISE.astype(dtype)
    theirs = {
        "htk" if k == "variant" else k: v == "htk" if k == "variant" else v
        for k, v in changes.items()
    }
    expected = librosa.feature.melspectrogram(y=y, **FRAMES, n_mels=80, power=power, **theirs)
    got = mel.mel_spectrogram(y, **FRAMES, power=power, **changes)
    assert got.shape == expected.shape == (2, 80, 32 if changes.get("center", True) else 28)
    assert got.dtype == dtype
    # librosa's filters are float32, so that is how far both agree
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-6 * expected.max())


def test_a_filterbank_times_a_spectrogram():
    S = np.abs(stft.stft(NOISE, n_fft=1024, hop_length=256))
    got = mel.mel_spectrogram(NOISE, **FRAMES, power=1, fmin=100, fmax=7000)
    np.testing.assert_allclose(
        got, mel.filterbank(**{**BANK, "fmax": 7000}, fmin=100) @ S, rtol=1e-10
    )


def test_memory_stays_below_three_times_the_stft():
    y = np.resize(VOICE, 30 * 22050)
    D = stft.stft(y, n_fft=1024, hop_length=256)
    tracemalloc.start()
    mel.mel_spectrogram(y, sr=22050, n_fft=1024, hop_length=256)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * D.nbytes


# --- and back -------------------------------------------------------------------------------------


def convergence_db(estimate, target):
    return 20 * np.log10(np.linalg.norm(estimate - target) / np.linalg.norm(target))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_what_inverting_a_voice_brings_back(power):
    """The pseudo-inverse misses by about -6 dB on the author's signal, non-negative least squares
    by 1 dB less.
    """
    S = np.abs(stft.stft(VOICE, n_fft=1024, hop_length=256))
    M = mel.mel_spectrogram(VOICE, **FRAMES, power=power)
    errors = {m: convergence_db(mel.mel_to_magnitude(M, sr=SR, n_fft=1024, power=power, method=m), S)  # noqa: E501
              for m in ("pinv", "nnls")}  # fmt: skip
    assert -15 < errors["nnls"] < errors["pinv"] < -3


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("variant", ["slaney", "htk"])
def test_nnls_makes_the_mel_spectrogram_that_was_given(power, variant):
    M = mel.mel_spectrogram(VOICE.astype(float), **FRAMES, power=power, variant=variant)
    weights = mel.filterbank(**BANK, variant=variant)
    misses = {}
    for method in ("pinv", "nnls"):
        S = mel.mel_to_magnitude(M, sr=SR, n_fft=1024, power=power, variant=variant, method=method)
        assert S.shape == (513, M.shape[1]) and S.min() >= 0
        misses[method] = convergence_db(weights @ S**power, M)
    assert misses["nnls"] < -50 and misses["nnls"] < misses["pinv"] - 20


def test_nnls_reaches_scipys_minimum():
    """Also where no spectrum fits: random bands."""
    M = RNG.uniform(size=(40, 5))
    weights = mel.filterbank(sr=SR, n_fft=256, n_mels=40, variant="slaney", norm=None)
    S = mel.mel_to_magnitude(M, sr=SR, n_fft=256, power=1, norm=None, n_iter=2000)
    for frame in range(5):
        least = nnls(weights, M[:, frame])[1]
        assert np.linalg.norm(weights @ S[:, frame] - M[:, frame]) <= least * (1 + 1e-3) + 1e-6


@pytest.mark.filterwarnings("ignore::helpers.mel.EmptyFilterWarning")
def test_a_filter_that_rounding_leaves_does_not_blow_up_the_inverse():
    """Two filters on the same bins are alike but for the thirteenth digit: the inverse of that
    would be 1e12.
    """
    bank = {"sr": 16000, "n_fft": 400, "variant": "htk", "norm": None, "fmax": 4000}
    weights = mel.filterbank(n_mels=96, **bank)
    sizes = np.linalg.svd(weights, compute_uv=False)
    assert np.any((sizes > 1e-14) & (sizes < 1e-12)) and not np.any(
        (sizes > 1e-12) & (sizes < 1e-6)
    )
    assert mel.mel_to_magnitude(np.ones((96, 3)), method="pinv", **bank).max() < 10


@pytest.mark.parametrize("method", ["nnls", "pinv"])
def test_silence_comes_back_as_silence_and_stereo_as_stereo(method):
    M = np.zeros((2, 80, 3), np.float32)
    got = mel.mel_to_magnitude(M, sr=SR, n_fft=1024, method=method)
    assert got.shape == (2, 513, 3) and got.dtype == np.float32 and not got.any()
    M = mel.mel_spectrogram(NOISE, **FRAMES)
    both = mel.mel_to_magnitude(M, sr=SR, n_fft=1024, method=method)
    np.testing.assert_allclose(
        both[1], mel.mel_to_magnitude(M[1], sr=SR, n_fft=1024, method=method), atol=1e-9
    )


# --- logarithms and MFCC --------------------------------------------------------------------------


@pytest.mark.parametrize(("log", "ten"), [("db", 10), ("ln", np.log(10)), ("log10", 1)])
def test_logarithms(log, ten):
    M = np.array([0.0, 1e-12, 1e-3, 1.0, 50.0], np.float32)
    L = mel.log_compress(M, log=log, ref=0.1, floor=1e-5)
    assert L.dtype == np.float32
    np.testing.assert_allclose(L, ten * np.array([-4, -4, -2, 1, np.log10(500)]), rtol=1e-5)


def test_decibels_are_the_levels_room_s():
    M = mel.mel_spectrogram(VOICE.astype(float), **FRAMES)
    np.testing.assert_allclose(mel.log_compress(M, floor=1e-12), metrics.power_to_db(M), atol=1e-10)


@pytest.mark.parametrize("n_mfcc", [1, 13, 80])
def test_librosa_has_the_same_mfcc(n_mfcc):
    L = mel.log_compress(mel.mel_spectrogram(NOISE, **FRAMES))
    got = mel.mfcc(L, n_mfcc=n_mfcc)
    assert got.shape == (2, n_mfcc, 32)
    np.testing.assert_allclose(got, librosa.feature.mfcc(S=L, n_mfcc=n_mfcc), atol=1e-9)


def test_all_the_mfcc_keep_the_energy_and_a_gain_moves_only_the_first():
    L = mel.log_compress(mel.mel_spectrogram(VOICE.astype(float), **FRAMES), floor=1e-30)
    np.testing.assert_allclose(np.sum(mel.mfcc(L, n_mfcc=80) ** 2), np.sum(L**2), rtol=1e-10)
    louder = mel.log_compress(mel.mel_spectrogram(2 * VOICE.astype(float), **FRAMES), floor=1e-30)
    move = (mel.mfcc(louder) - mel.mfcc(L))[
        :, L.max(axis=0) > -100
    ]  # without the frames of digital silence
    np.testing.assert_allclose(move[0], 6.0206 * np.sqrt(80), rtol=1e-4)
    np.testing.assert_allclose(move[1:], 0, atol=1e-8)


# --- refusals -------------------------------------------------------------------------------------

M = mel.mel_spectrogram(NOISE[0], **FRAMES)


def bank(**changes):
    return mel.filterbank(**(BANK | changes))


def back(M=M, **changes):
    return mel.mel_to_magnitude(M, **({"sr": SR, "n_fft": 1024} | changes))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bank(sr=-16000), "sr=-16000 is no sampling rate"),
        (lambda: bank(n_fft=0), "n_fft=0 must be a whole number, at least 2"),
        (lambda: bank(n_mels=0), "n_mels=0 must be a whole number, at least 1"),
        (lambda: bank(n_mels=40.5), "n_mels=40.5 must be a whole number"),
        (
            lambda: bank(fmin=-1),
            "fmin=-1 and fmax=8000 must satisfy 0 <= fmin < fmax <= sr / 2 = 8000 Hz",
        ),
        (lambda: bank(fmax=8001), "fmax=8001 must satisfy"),
        (lambda: bank(fmin=8000), "must satisfy"),
        (lambda: bank(fmin=np.nan), "fmin=nan"),
        (lambda: bank(variant="mel"), "'mel'.*slaney"),
        (lambda: bank(norm=1), "no norm 1; choose from slaney, None"),
        (
            lambda: mel.mel_spectrogram(NOISE[0], **FRAMES, power=0),
            "power=0 must be a positive number",
        ),
        (lambda: mel.mel_spectrogram(NOISE[0] + 0j, **FRAMES), "y is complex"),
        (lambda: mel.mel_spectrogram(NOISE[0] * np.nan, **FRAMES), "NaN"),
        (lambda: mel.mel_spectrogram(NOISE[0], **{**FRAMES, "hop_length": 0}), "hop_length=0 must"),
        (lambda: mel.mel_spectrogram(np.array([]), **FRAMES), "at least one sample"),
        (lambda: back(mel.log_compress(M)), "undo a logarithm first, as 10"),
        (lambda: back(M * np.nan), "pass a finite mel spectrogram"),
        (lambda: back(M[0]), r"shape \(32,\)"),
        (lambda: back(M[:, :0]), r"shape \(80, 0\)"),
        (lambda: back(M + 0j), "complex128"),
        (lambda: back(method="magic"), "no method 'magic'; choose from nnls, pinv"),
        (lambda: back(n_iter=0), "n_iter=0 must be"),
        (lambda: back(power=-2), "power=-2 must be a positive number"),
        (lambda: mel.log_compress(-M), "negative or complex values; pass a power"),
        (lambda: mel.log_compress(M + 0j), "negative or complex"),
        (
            lambda: mel.log_compress(M, log="log2"),
            "no logarithm 'log2'; did you mean 'log10'. Choose from db, ln, log10",
        ),
        (lambda: mel.log_compress(M, ref=0), "ref=0 must be a positive number"),
        (lambda: mel.log_compress(M, floor=0), "floor=0 must be a positive number"),
        (lambda: mel.mfcc(M, n_mfcc=81), "n_mfcc=81 must be a whole number, from 1 to 80"),
    ],
)
def test_refusals_name_the_value_and_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()
