"""Setting 1 as a program: any length, rate and level; a stream that equals the whole; masks;
checked weights.
"""

import json
import shutil
import warnings

import librosa
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file

from helpers import (
    _weights,
    audio,
    mel,
    settings,
    stft,
)
from helpers.settings import masks
from helpers.settings.enhancer import Enhancer
from helpers.settings.setting1 import Masking, spread

SR = 16000
NAMES = ["setting1_stft", "setting1_mel"]


def small(name="setting1_stft", seed=0):
    """An enhancer of the same kind with few, random weights."""
    torch.manual_seed(seed)
    bands, n_mels = ([64, 64, 64, 65], None) if name == "setting1_stft" else ([20] * 4, 80)
    return Enhancer(name, Masking(bands, n_mels, size=8, hidden=8, blocks=2), {})


def noise(n, seed=0, amp=0.1):
    """White noise, float32."""
    return (amp * np.random.default_rng(seed).normal(size=n)).astype(np.float32)


# ---- the picture of the setting ------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 127, 128, 129, 511, 5000, 40001])
def test_enhance_is_stft_mask_and_inverse_stft_with_the_phase_that_came_in(name, n):
    enhancer, y = small(name), noise(n)
    D = librosa.stft(y, n_fft=512, hop_length=128)
    with torch.no_grad():
        mask, _ = enhancer.model.mask(torch.from_numpy(np.abs(D))[None])
    expected = stft.istft(mask[0].numpy() * D, hop_length=128, length=n)
    out = enhancer.enhance(y, sr=SR)
    assert out.shape == y.shape and out.dtype == np.float32
    np.testing.assert_allclose(out, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_masks_lie_between_0_and_1_and_see_no_future(name):
    model = small(name).model
    S = torch.from_numpy(np.abs(stft.stft(noise(8000), n_fft=512, hop_length=128)))[None]
    with torch.no_grad():
        mask, _ = model.mask(S)
        later = S.clone()
        later[..., 40:] *= 7
        other, _ = model.mask(later)
    assert mask.min() >= 0 and mask.max() <= 1
    np.testing.assert_array_equal(mask[..., :40], other[..., :40])
    assert (mask[..., 40] != other[..., 40]).any()


def test_training_runs_the_same_picture():
    enhancer, y = small(), noise(5000)
    with torch.no_grad():
        np.testing.assert_allclose(
            enhancer.model(torch.from_numpy(y)[None])[0], enhancer.enhance(y, sr=SR), atol=1e-6
        )


def test_a_mel_mask_spreads_evenly():
    """Every bin gets a mean of its bands: an even mask stays even, and one band reaches its own
    bins only.
    """
    matrix = spread(80).numpy()
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)
    bank = mel.filterbank(sr=SR, n_fft=512, n_mels=80, norm=None)
    inner = slice(1, -1)
    np.testing.assert_array_equal(matrix[:, inner] > 0, bank.T[:, inner] > 0)


# ---- streaming -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 300, 6400, 12345])
def test_hops_of_8_ms_give_what_the_whole_gives(name, n):
    enhancer, y = small(name), noise(n)
    stream = enhancer.stream()
    for _ in range(2):  # flush starts anew
        parts = [stream.push(y[i : i + 128]) for i in range(0, n, 128)]
        out = np.concatenate([*parts, stream.flush()])
        assert out.shape == y.shape
        np.testing.assert_allclose(out, enhancer.enhance(y, sr=SR), atol=1e-5)


def test_a_sample_comes_out_one_frame_after_it_came_in():
    stream = small().stream()
    given = np.cumsum([len(stream.push(noise(128, seed=k))) for k in range(10)])
    fed = 128 * np.arange(1, 11)
    np.testing.assert_array_equal(
        given, np.maximum(0, fed - 384)
    )  # the first of the newest hop waits for 512 samples
    assert stream.latency == 512


def test_pieces_of_any_size_do():
    enhancer, y = small(), noise(7000)
    stream, rng, parts, at = enhancer.stream(), np.random.default_rng(3), [], 0
    while at < len(y):
        step = int(rng.integers(1, 700))
        parts.append(stream.push(y[at : at + step]))
        at += step
    np.testing.assert_allclose(
        np.concatenate([*parts, stream.flush()]), enhancer.enhance(y, sr=SR), atol=1e-5
    )


def test_long_sounds_go_through_in_blocks(monkeypatch):
    enhancer, y = small(), noise(20000)
    whole = enhancer.enhance(y, sr=SR)
    monkeypatch.setattr("helpers.settings.enhancer.BLOCK_S", 0.25)
    np.testing.assert_allclose(enhancer.enhance(y, sr=SR), whole, atol=1e-6)


# ---- what comes in, comes out --------------------------------------------------------------------


@pytest.mark.parametrize("sr", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_rate_keeps_length_and_type(sr, dtype):
    y = noise(sr // 3 + 1).astype(dtype)
    out = small().enhance(y, sr=sr)
    assert out.shape == y.shape and out.dtype == dtype


def test_channels_are_enhanced_one_by_one():
    enhancer, y = small(), np.stack([noise(4000, 1), noise(4000, 2)])
    out = enhancer.enhance(y, sr=SR)
    np.testing.assert_array_equal(out, [enhancer.enhance(channel, sr=SR) for channel in y])


def test_silence_stays_silence():
    np.testing.assert_array_equal(
        small().enhance(np.zeros(3000, np.float32), sr=SR), np.zeros(3000)
    )


@pytest.mark.parametrize(
    ("y", "sr", "says"),
    [
        (np.zeros(0, np.float32), SR, "0 samples"),
        (np.full(100, np.nan, np.float32), SR, "NaN"),
        (np.zeros(100, np.int16), SR, "divide: y / 32768"),
        (np.zeros((100, 2), np.float32), SR, "time is on the first axis"),
        (np.zeros(100, np.float32), 0, "sampling rate"),
        (np.zeros(100, np.float32), 16000.5, "sampling rate"),
        (np.zeros(100, complex), SR, "complex"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(y, sr, says):
    with pytest.raises(ValueError, match=says):
        small().enhance(y, sr=sr)


def test_a_stream_is_mono():
    with pytest.raises(ValueError, match="one stream for each channel"):
        small().stream().push(np.zeros((2, 128), np.float32))


# ---- shipped weights -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_enhancer_is_small_and_says_where_it_comes_from(name):
    enhancer = settings.load(name)
    assert sum(p.numel() for p in enhancer.model.parameters()) < 1e6
    assert (_weights.FOLDER / f"{name}.safetensors").stat().st_size < 2e6
    assert {"command", "seed", "speech", "noise", "step", "valid_si_sdr_gain_db"} <= set(
        enhancer.provenance
    )
    assert f"helpers.training {name}" in enhancer.provenance["command"]


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_enhancer_helps_a_voice_it_never_met(name):
    from helpers import metrics

    voice, _ = audio.clip("voice_a")
    enhancer = settings.load(name)
    for kind in ("rain", "hum"):
        y = audio.mix(voice, audio.clip(kind)[0], snr_db=5)
        assert metrics.si_sdr(enhancer.enhance(y, sr=SR), voice) > metrics.si_sdr(y, voice) + 4
        clean = enhancer.enhance(voice, sr=SR)
        assert metrics.si_sdr(clean, voice) > 15  # what is clean already stays so
        np.testing.assert_allclose(
            enhancer.enhance(y / 4, sr=SR) * 4, enhancer.enhance(y, sr=SR), atol=0.05
        )


def test_an_unknown_enhancer_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'setting1_mel'"):
        settings.load("setting1_mle")


def test_missing_weights_say_how_to_get_them_back(monkeypatch, tmp_path):
    monkeypatch.setattr(_weights, "FOLDER", tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"setting1_stft.safetensors is missing.*git checkout"
    ):
        settings.load("setting1_stft")


@pytest.mark.parametrize("fault", ["cut", "garbage", "other values", "no notes"])
def test_damaged_weights_are_refused(fault, tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    _weights.save(path, small().model, config={"bands": [1]}, provenance={})
    raw = path.read_bytes()
    if fault == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif fault == "garbage":
        path.write_bytes(b"not weights at all")
    elif fault == "other values":
        path.write_bytes(raw[:-4] + b"\x00\x00\x80\x3f")
    else:
        save_file(load_file(path), path)
    with pytest.raises(ValueError, match=r"w.safetensors is damaged.*train again") as own:
        _weights.load(path)
    assert "git" not in str(own.value)  # which knows no file of the learner
    monkeypatch.setattr(_weights, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"w.safetensors is damaged.*git checkout"):
        _weights.load(path)


def test_weights_of_ones_own_are_found_by_path_and_named_for_what_they_are(tmp_path):
    y = noise(4000)
    for name in ("mine", "sub"):
        path = tmp_path / f"{name}.safetensors"
        shutil.copy(_weights.FOLDER / "setting1_stft.safetensors", path)
        want = settings.load("setting1_stft").enhance(y, sr=SR)
        for given in (path, str(path)):
            got = settings.load_file("setting1_stft", given).enhance(y, sr=SR)
            np.testing.assert_array_equal(got, want)
    with pytest.raises(
        ValueError,
        match=r"mine.safetensors holds weights of another network, of "
        r"setting1_stft: they do not fit TasNet",
    ):
        settings.load_file("setting3_waveform", tmp_path / "mine.safetensors")
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*gone.safetensors'"):
        settings.load_file("setting1_stft", str(tmp_path / "gone.safetensors"))
    torch.save({"a": torch.zeros(2)}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"m.pt is damaged, or no file of weights.*tools.training"):
        settings.load_file("setting1_stft", tmp_path / "m.pt")


@pytest.mark.parametrize("name", ["setting1_stft", "setting2_griffin_lim", "setting3_waveform"])
def test_an_option_that_would_do_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} uses no vocoder"):
        settings.load(name, vocoder="gan")
    with pytest.raises(TypeError, match="unexpected keyword argument 'voice'"):
        settings.load("setting2_vocoder", voice="gan")


# ---- levels --------------------------------------------------------------------------------------


def plain_si_sdr(estimate, target):
    """By its formula, not by ours."""
    e, s = np.float64(estimate), np.float64(target)
    part = (e @ s) / (s @ s) * s
    return 10 * np.log10((part @ part) / ((e - part) @ (e - part)))


@pytest.mark.parametrize("name", ["setting1_stft", "setting1_mel", "setting3_waveform"])
def test_thirty_decibels_below_and_above_cost_nothing(name):
    voice, _ = audio.clip("voice_a")
    rain, sr = audio.clip("rain")
    rain = audio.resample(np.atleast_2d(rain)[0], sr=sr, to=SR)
    y = audio.mix(voice, rain, snr_db=10)
    y = y * (10 ** (-27 / 20) / np.sqrt(np.mean(y**2)))
    program = settings.load(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        usual = program.enhance(y, sr=SR)
    assert plain_si_sdr(usual, voice) > 18
    for db in (-58, -43, -30, 30, 117):  # the last ones: beyond full scale; 16-bit numbers
        with pytest.warns(UserWarning, match=r"y is at -?\d+ dBFS.*brought to -27 dBFS.*back"):
            out = program.enhance(y * np.float32(10 ** (db / 20)), sr=SR)
        assert plain_si_sdr(out, voice) > plain_si_sdr(usual, voice) - 0.7
        change = 20 * np.log10(np.sqrt(np.mean(np.float64(out) ** 2) / np.mean(usual**2)))
        assert change == pytest.approx(db, abs=0.3)


def test_silence_stays_silence_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.any(settings.load("setting1_stft").enhance(np.zeros(4000), sr=SR))


def test_weights_come_back_with_configuration_and_provenance(tmp_path):
    model = small(seed=5).model
    for half in (False, True):
        _weights.save(
            tmp_path / "w.safetensors",
            model,
            config={"a": [1, 2]},
            provenance={"seed": 5},
            half=half,
        )
        tensors, config, told = _weights.load(tmp_path / "w.safetensors")
        assert (config, told) == ({"a": [1, 2]}, {"seed": 5})
        for name, value in model.state_dict().items():
            np.testing.assert_allclose(
                tensors[name], value, rtol=1e-3 if half else 0, atol=1e-4 if half else 0
            )
    assert json.loads(json.dumps(config)) == config


# ---- masks that know the answer ------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts():
    """STFT of a voice and of white noise, and their sum as sound."""
    voice = audio.clip("voice_a")[0].astype(float)
    mixed = audio.mix(voice, np.random.default_rng(0).normal(size=len(voice)), snr_db=0)
    S, X = (librosa.stft(y, n_fft=512, hop_length=128) for y in (voice, mixed))
    return S, X - S, voice


def test_of_all_real_masks_the_phase_sensitive_one_is_nearest_cell_by_cell(parts):
    S, N, _ = parts
    X, best = S + N, masks.phase_sensitive_mask(S, N)
    error = np.abs(best * X - S)
    for m in np.linspace(0, 1, 21):
        assert np.all(error <= np.abs(m * X - S) + 1e-9)


def test_masks_rank_as_facts_say(parts):
    """White noise at 0 dB: the phase-sensitive mask is above the true magnitude, which is above
    ratio and binary.
    """
    from helpers import metrics

    S, N, voice = parts
    X = S + N
    made = {
        f: f(S, N)
        for f in (
            masks.binary_mask,
            masks.ratio_mask,
            masks.amplitude_mask,
            masks.phase_sensitive_mask,
        )
    }
    made["true"] = np.abs(S) / np.abs(X)
    score = {
        k: metrics.si_sdr(librosa.istft(m * X, n_fft=512, hop_length=128, length=len(voice)), voice)
        for k, m in made.items()
    }
    assert score[masks.phase_sensitive_mask] > score["true"] + 0.4
    assert score["true"] > score[masks.amplitude_mask] > score[masks.ratio_mask]
    assert abs(score[masks.binary_mask] - score[masks.amplitude_mask]) < 1


def test_masks_by_formula(parts):
    S, N, _ = parts
    X = S + N
    np.testing.assert_allclose(masks.ratio_mask(S, N), abs(S) / np.hypot(abs(S), abs(N)), rtol=1e-9)
    turn = np.angle(S) - np.angle(X)
    np.testing.assert_allclose(
        masks.phase_sensitive_mask(S, N), np.clip(abs(S) / abs(X) * np.cos(turn), 0, 1), atol=1e-6
    )
    louder = 20 * np.log10(abs(S) / abs(N)) > 6
    np.testing.assert_array_equal(masks.binary_mask(S, N, threshold_db=6), louder)


@pytest.mark.parametrize(
    "mask", [masks.binary_mask, masks.ratio_mask, masks.amplitude_mask, masks.phase_sensitive_mask]
)
def test_masks_of_silence_are_finite_and_other_shapes_refused(mask):
    zero = np.zeros((3, 4), complex)
    assert np.all(np.isfinite(mask(zero, zero)))
    with pytest.raises(ValueError, match="same shape"):
        mask(zero, zero[:2])


@pytest.mark.parametrize("name", NAMES)
def test_an_hour_needs_no_more_memory_than_a_minute(name):
    """The network sees 20 s at most: the state that a stream carries has one size, whatever has
    passed.
    """
    stream = small(name).stream()
    sizes = set()
    for k in range(4):
        stream.push(noise(3200, seed=k))
        sizes.add(
            (stream._waiting.size, stream._pending.numel(), sum(s.numel() for s in stream._state))
        )
    assert len(sizes) == 1
