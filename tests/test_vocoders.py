"""Vocoders: one interface that refuses another's mel; linear prediction; a WaveNet and a flow that
keep their word.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional

from helpers import _weights, audio
from helpers.vocoders import MelFormat, build, load_vocoder, vocoders, wavenet
from helpers.vocoders.prediction import Prediction, between_frames
from helpers.vocoders.vocoder import LogMel
from helpers.vocoders.waveglow import Step, WaveGlow
from helpers.vocoders.wavenet import SILENT, WaveNet, from_classes, to_classes

SR = 16000
VOICE = audio.clip("voice_a")[0][12000:16000]
OTHER_FORMS = [
    MelFormat(n_mels=40, fmax=7000.0),
    MelFormat(variant="htk", norm=None),
    MelFormat(power=2.0, log="10"),
]


@pytest.fixture(scope="module", params=vocoders())
def vocoder(request):
    """Every vocoder of the course."""
    return load_vocoder(request.param)


# ---- the interface -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [None, 1, 2000])
def test_as_many_samples_as_asked_at_the_level_of_the_mel(vocoder, length):
    log_mel = vocoder.mel(VOICE, sr=SR)
    y = vocoder.synthesize(log_mel, length=length)
    assert y.shape == (3840 if length is None else length,)  # 16 frames, 256 samples apart
    assert y.dtype == np.float32 and np.all(np.isfinite(y))
    if length is None:
        change = 20 * np.log10(np.linalg.norm(y[512:-512]) / np.linalg.norm(VOICE[512:3328]))
        assert abs(change) < 3


def test_a_seed_repeats_the_sound(vocoder):
    log_mel = vocoder.mel(VOICE[:1000], sr=SR)
    one, same, other = (vocoder.synthesize(log_mel, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)


def test_another_rate_is_resampled(vocoder):
    twice = vocoder.mel(audio.resample(VOICE, sr=SR, to=48000), sr=48000)
    inner = (
        slice(None, 70 * vocoder.form.n_mels // 80),
        slice(2, -2),
    )  # the resampler cuts the highest bands
    assert np.abs(twice - vocoder.mel(VOICE, sr=SR))[inner].mean() < 0.02


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda M: M[:-1], "bands, but this vocoder was made for"),
        (lambda M: M.T, "turned"),
        (lambda M: M[None], "pass floats of shape"),
        (lambda M: M[:, :0], "pass floats of shape"),
        (lambda M: M[0], "pass floats of shape"),
        (lambda M: M.astype(int), "holds int64 values"),
        (
            lambda M: M + np.where(np.arange(len(M)) == 3, np.nan, 0)[:, None],
            "NaN or infinite.*floor",
        ),
        (lambda M: M + np.where(np.arange(len(M)) == 3, -np.inf, 0)[:, None], "NaN or infinite"),
        (lambda M: M * 20 / np.log(10), "decibels"),
        (lambda M: np.exp(M) * 100, "no logarithm at all"),
    ],
)
def test_what_is_no_mel_of_its_own_is_refused(vocoder, spoil, says):
    with pytest.raises(ValueError, match=says):
        vocoder.synthesize(spoil(vocoder.mel(VOICE, sr=SR)))


def test_another_format_is_named(vocoder):
    log_mel = vocoder.mel(VOICE, sr=SR)
    with pytest.raises(
        ValueError, match="hop_length is 200 instead of 256; variant is 'htk' instead of 'slaney'"
    ):
        vocoder.synthesize(
            log_mel, made_with=MelFormat(n_mels=vocoder.form.n_mels, hop_length=200, variant="htk")
        )
    vocoder.synthesize(log_mel[:, :2], made_with=vocoder.form)


@pytest.mark.parametrize("length", [0, -1, 4096, 1.5, True, "all"])
def test_a_length_that_the_frames_cannot_hold_is_refused(vocoder, length):
    with pytest.raises(ValueError, match="whole number, from 1 to 4095"):
        vocoder.synthesize(vocoder.mel(VOICE, sr=SR), length=length)


@pytest.mark.parametrize(
    ("y", "sr", "says"),
    [
        (VOICE, 0, "sampling rate"),
        (VOICE * np.nan, SR, "NaN"),
        (VOICE[:0], SR, "0 samples"),
        (np.stack([VOICE, VOICE]), SR, "mono"),
    ],
)
def test_what_is_no_sound_is_refused(vocoder, y, sr, says):
    with pytest.raises(ValueError, match=says):
        vocoder.mel(y, sr=sr)


@pytest.mark.parametrize("name", ["wavenet", "waveglow"])
def test_shipped_weights_are_small_and_say_where_they_come_from(name):
    told = load_vocoder(name).provenance
    assert {"command", "seed", "speech", "step", "valid_minus_loss"} <= set(told)
    assert f"helpers.training {name}" in told["command"]
    assert (_weights.FOLDER / f"{name}.safetensors").stat().st_size < 8e6


@pytest.mark.parametrize("name", ["wavenet", "waveglow"])
def test_training_made_a_voice_it_never_met_likelier(name):
    """By more than 0.3 bit or nat per sample; how the copies sound is in
    data/tables/vocoders.csv.
    """
    y, trained = torch.from_numpy(audio.clip("voice_a")[0])[None], load_vocoder(name).model
    torch.manual_seed(0)
    fresh = build(name).eval()
    with torch.no_grad():
        assert trained.loss(trained(y), y) < fresh.loss(fresh(y), y) - 0.3


# ---- features ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [MelFormat(), *OTHER_FORMS])
@pytest.mark.parametrize("n", [4000, 4096])
def test_the_mel_in_torch_is_the_mel_in_numpy(form, n):
    y = audio.clip("voice_b")[0][20000 : 20000 + n].astype(float)
    np.testing.assert_allclose(
        LogMel(form).double()(torch.from_numpy(y)[None])[0],
        form.mel(y, sr=SR),
        atol=1e-4,
        rtol=1e-5,
    )
    single = LogMel(form)(torch.from_numpy(y).float()[None])[0]
    np.testing.assert_allclose(single, form.mel(y.astype(np.float32), sr=SR), atol=2e-3)


# ---- linear prediction ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", [64, 0])
@pytest.mark.parametrize("form", [MelFormat(), *OTHER_FORMS])
def test_prediction_goes_there_and_back(form, order):
    y = torch.from_numpy(np.stack([VOICE, VOICE[::-1]]))
    prediction, log_mel = Prediction(form, order), LogMel(form)(y)
    excitation, level = prediction.excitation(y, log_mel)
    np.testing.assert_allclose(prediction.sound(excitation, log_mel), y, atol=1e-5)
    if form.fmax == 8000:  # of what is above fmax it knows nothing
        assert 0.5 < excitation[:, 512:-512].std() < 1.5
    louder = prediction.excitation(10 * y, LogMel(form)(10 * y))[0]
    np.testing.assert_allclose(louder[:, 600:-600].std(), excitation[:, 600:-600].std(), rtol=0.1)
    assert level.shape == y.shape and level.min() > 0


def test_what_is_left_is_whiter_and_knows_no_future():
    y, form = torch.from_numpy(VOICE)[None], MelFormat()
    log_mel, prediction = LogMel(form)(y), Prediction(form)
    excitation = prediction.excitation(y, log_mel)[0]

    def flatness(x):
        power = torch.fft.rfft(x[0, 512:-512] * torch.hann_window(len(VOICE) - 1024)).abs() ** 2
        return power.log().mean().exp() / power.mean()

    assert flatness(excitation) > 20 * flatness(y)
    later = y.clone()
    later[:, 2000:] += 0.1
    change = prediction.excitation(later, log_mel)[0] - excitation
    assert not change[:, :2000].any() and change[:, 2000] != 0


def test_between_frames_is_a_straight_line():
    x = torch.tensor([[[0.0, 8.0, 8.0]]])
    np.testing.assert_array_equal(between_frames(x), [[[1, 3, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8]]])


# ---- WaveNet -------------------------------------------------------------------------------------


def small_wavenet(kernel=2, dilations=(1, 2, 4, 1, 3), seed=0):
    """A WaveNet with few, random weights."""
    torch.manual_seed(seed)
    return WaveNet(MelFormat(), size=6, hidden=10, kernel=kernel, dilations=dilations).eval()


def some_conditions(model, batch=1, frames=5, seed=0):
    """What a random mel tells the layers."""
    torch.manual_seed(seed)
    with torch.no_grad():
        return model.conditions(2 * torch.randn(batch, 80, frames) - 5)


def test_classes_are_fine_near_0_and_coarse_where_it_is_loud():
    middles = from_classes(torch.arange(256))
    np.testing.assert_array_equal(to_classes(middles), np.arange(256))
    widths = middles.diff()
    assert widths.min() > 0 and widths[-1] / widths[127] > 100
    assert to_classes(torch.zeros(1)) == SILENT and abs(from_classes(SILENT)) < 0.01
    x = torch.linspace(-12, 12, 10001)
    assert ((from_classes(to_classes(x)) - x).abs() <= 0.012 + 0.03 * x.abs()).all()
    np.testing.assert_array_equal(to_classes(torch.tensor([-99.0, 99.0])), [0, 255])


@pytest.mark.parametrize(
    ("kernel", "dilations"), [(2, (1, 2, 4, 8)), (2, (1, 2, 4, 1, 2, 4)), (3, (1, 3, 9))]
)
def test_it_sees_its_receptive_field_and_no_future(kernel, dilations):
    model = small_wavenet(kernel, dilations).double()
    assert model.receptive_field == 1 + (kernel - 1) * sum(dilations)
    conditions = some_conditions(model.float()).double()[..., :3]
    model.double()
    classes = torch.randint(256, (1, 192), generator=torch.Generator().manual_seed(1))
    other = classes.clone()
    other[0, 50] = 255 - other[0, 50]
    with torch.no_grad():
        change = (
            (model.logits(other, conditions) - model.logits(classes, conditions)).abs().amax((0, 1))
        )
    np.testing.assert_array_equal(
        torch.nonzero(change)[:, 0], np.arange(50, 50 + model.receptive_field)
    )


def test_the_first_input_is_what_was_before():
    """Output t comes from the samples before t: the last sample of a crop changes its own class and
    no logit.
    """
    model, y = small_wavenet(), torch.from_numpy(VOICE)[None]
    with torch.no_grad():
        logits, classes = model(y)
        assert logits.shape[::2] == classes.shape == (1, (4000 // 64 - 16) * 64)
        before = functional.pad(classes[:, :-1], (1, 0), value=SILENT)
        conditions = model.conditions(model.features(y))[..., 8:-10]
        np.testing.assert_allclose(model.logits(before, conditions), logits, atol=1e-5)


def naive(model, conditions, draws, temperature=1.0):
    """Look at the whole receptive field again for every sample."""
    n, hold = len(draws), model.prediction.hold
    classes = torch.full((len(conditions), n + 1), SILENT)  # the first stands for what was before
    for t in range(n):
        start = max(0, t + 1 - model.receptive_field)
        part = classes[:, start : t + 1]
        held = conditions.repeat_interleave(hold, -1)[..., start : t + 1]
        model.prediction.hold = 1  # the parts begin anywhere
        logits = model.logits(part, held)[..., -1]
        model.prediction.hold = hold
        assert part.shape[1] <= model.receptive_field
        p = (logits / temperature).softmax(1).cumsum(1)
        classes[:, t + 1] = (p < torch.from_numpy(draws[t])[:, None] * p[:, -1:]).sum(1)
    return classes[:, 1:]


@pytest.mark.parametrize(("kernel", "dilations"), [(2, (1, 2, 4, 1, 3)), (3, (1, 3, 2))])
def test_cached_generation_is_naive_generation(kernel, dilations):
    model = small_wavenet(kernel, dilations)
    conditions, draws = some_conditions(model, batch=2), np.random.default_rng(3).random((250, 2))
    with torch.no_grad():
        np.testing.assert_array_equal(
            model.draw(conditions, draws, 0.8), naive(model, conditions, draws, 0.8)
        )


def test_every_sample_costs_the_same(monkeypatch):
    """The work, counted: one gate of one size for each layer and sample, however long the sound
    is.
    """
    model, sizes = small_wavenet(), []
    real = np.tanh
    monkeypatch.setattr(wavenet.np, "tanh", lambda x: sizes.append(x.shape) or real(x))
    for n in (30, 300):
        sizes.clear()
        model.draw(some_conditions(model), np.zeros((n, 1)))
        assert sizes == [(1, 12)] * (5 * n)


def test_at_temperature_0_the_likeliest_is_taken():
    model = small_wavenet()
    conditions = some_conditions(model)
    one, other = (
        model.draw(conditions, np.random.default_rng(seed).random((128, 1)), 0) for seed in (1, 2)
    )
    np.testing.assert_array_equal(one, other)
    before = functional.pad(one[:, :-1], (1, 0), value=SILENT)
    with torch.no_grad():
        np.testing.assert_array_equal(one, model.logits(before, conditions[..., :2]).argmax(1))


def test_an_untrained_wavenet_draws_noise_of_level_1():
    model = small_wavenet()
    model.out[-1].weight.data.zero_()
    conditions = some_conditions(model, frames=20)
    e = from_classes(model.draw(conditions, np.random.default_rng(0).random((4000, 1))))
    assert abs(e.std() - 1) < 0.1 and abs(e.mean()) < 0.1


# ---- the flow ------------------------------------------------------------------------------------


def small_waveglow(seed=0):
    """A flow with few, random weights."""
    torch.manual_seed(seed)
    model = WaveGlow(MelFormat(), group=8, steps=4, size=8, layers=2, hidden=10).eval()
    for step in model.steps:
        torch.nn.init.normal_(step.end.weight, std=0.1)
        step.mix.data += 0.1 * torch.randn(8, 8)
    return model


@pytest.mark.parametrize("n", [4000, 4032, 128])
def test_the_flow_comes_back(n):
    model, y = small_waveglow(), torch.from_numpy(np.stack([VOICE[:n], -VOICE[::-1][:n]]))
    y = functional.pad(y, (0, n - y.shape[1]))
    whole = n // 64 * 64
    with torch.no_grad():
        log_mel = model.features(y)
        z, _ = model.flow(y, log_mel)
        assert z.shape == (2, whole)
        np.testing.assert_allclose(model.inverse(z, log_mel), y[:, :whole], atol=1e-5)
        if n > 2000:  # training leaves half a frame out
            np.testing.assert_allclose(model(y)[0][:, 500:-500], z[:, 1012:-1012], atol=1e-4)


def test_its_log_determinant_is_that_of_the_jacobian():
    model, y = small_waveglow(), torch.from_numpy(VOICE[:128])[None]
    log_mel = model.features(y)
    J = torch.autograd.functional.jacobian(lambda x: model.flow(x, log_mel)[0][0], y)[:, 0]
    np.testing.assert_allclose(
        model.flow(y, log_mel)[1].item(), torch.linalg.slogdet(J.double())[1], rtol=1e-5
    )


def test_the_loss_is_the_negative_log_likelihood_per_sample():
    model, y = small_waveglow(), torch.from_numpy(VOICE[:1664])[None]
    z, log_det = model(y)
    normal = torch.distributions.Normal(0, 1).log_prob(z).sum(1)
    np.testing.assert_allclose(
        model.loss((z, log_det), y).item(), -(normal + log_det).item() / 640, rtol=1e-5
    )


def test_a_fresh_step_only_mixes():
    torch.manual_seed(0)
    step, x = Step(8, 6, 2), torch.randn(1, 8, 16)
    with torch.no_grad():
        y, volume = step(x, torch.randn(1, 24, 4))
        np.testing.assert_allclose(y, step.mix @ x, atol=1e-6)
    assert abs(volume) < 1e-4  # a rotation


def test_temperature_is_the_level_of_the_noise():
    model = small_waveglow()
    log_mel = model.features(torch.from_numpy(VOICE)[None])
    with torch.no_grad():
        silent = [model.generate(log_mel, 1000, seed=seed, temperature=0) for seed in (1, 2)]
        np.testing.assert_array_equal(*silent)
        y = model.generate(log_mel, 1024, seed=1, temperature=0.5)
        z = model.flow(functional.pad(y, (0, 1000)), log_mel)[0]
        assert y.shape == (1, 1024)
        assert 0.4 < z[:, :900].std() < 0.6
