"""Setting 2: the gan and its adversary, the cleaner of spectrograms, a vocoder of the hub, and how
they train.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import soundfile

from helpers import audio, metrics, settings
from helpers.settings.setting2 import OVERLAP, Cleaner, PhaseRebuilder
from helpers.vocoders import MelFormat, Vocoder, load_vocoder
from helpers.vocoders.gan import FLOOR, Generator, distance
from tools.training.adversary import Adversary
from tools.training.datasets import Corpus, Crops
from tools.training.loop import Plan, train

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SR = 16000
SMALL = {"size": 16, "hidden": 24, "blocks": 2}


@pytest.fixture(scope="module")
def voice():
    """Two seconds of a shipped voice."""
    return audio.clip("voice_a")[0][: 2 * SR]


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """A folder with two recordings."""
    folder = tmp_path_factory.mktemp("speech")
    for name in ("voice_a", "voice_b"):
        soundfile.write(folder / f"{name}.wav", audio.clip(name)[0], SR)
    return folder


def generator(seed=0, **form):
    """A tiny generator."""
    torch.manual_seed(seed)
    return Generator(MelFormat(**form), **SMALL)


# ---- the generator -------------------------------------------------------------------------------


def test_before_it_has_learned_it_reads_the_mel_off(voice):
    """With the network silent, each bin gets its bands' mean magnitude: re-analysed, it is the mel
    again.
    """
    model = generator()
    torch.nn.init.zeros_(model.onto.weight), torch.nn.init.zeros_(model.onto.bias)
    log_mel = model.features(torch.from_numpy(voice)[None])
    S = model.magnitude(log_mel).exp()
    again = (model.features.bank @ S).clamp_min(1e-5).log()
    assert float((again - log_mel).detach().abs().median()) < 0.35
    flat = model.magnitude(torch.zeros(1, 80, 3) + model.area)[0].detach()
    np.testing.assert_allclose(
        flat[1:-1], 0, atol=1e-4
    )  # a flat spectrum of 1 has a mel of the bands' areas


def test_the_shipped_gan_is_better_than_griffin_lim(voice):
    scores = {}
    for name in ("griffin_lim", "gan"):
        vocoder = load_vocoder(name)
        copy = vocoder.synthesize(vocoder.mel(voice, sr=SR), length=len(voice))
        assert copy.shape == voice.shape and copy.dtype == np.float32
        assert abs(20 * np.log10(np.std(copy) / np.std(voice))) < 1.5  # at the level of the mel
        scores[name] = metrics.spectral_convergence_db(copy, voice, n_fft=1024, hop_length=256)
    assert scores["gan"] < scores["griffin_lim"] - 1


def test_more_rounds_make_the_phase_fit_better(voice):
    vocoder = load_vocoder("gan")
    log_mel = vocoder.mel(voice, sr=SR)
    far = [
        np.abs(vocoder.mel(vocoder.synthesize(log_mel, n_iter=n), sr=SR) - log_mel).mean()
        for n in (0, 4, 32)
    ]
    assert far[0] > far[1] > far[2]


def test_distance_is_finite_where_nothing_sounds():
    log_S = torch.full((1, 513, 4), float(np.log(FLOOR)), requires_grad=True)
    loss = distance(log_S, torch.full((1, 513, 4), float(np.log(FLOOR))))
    loss.backward()
    assert float(loss.detach()) == 0 and torch.isfinite(log_S.grad).all()
    assert float(distance(log_S.detach() + 1, log_S.detach())) > 1


# ---- the adversary -------------------------------------------------------------------------------


def test_the_critic_learns_to_tell_real_from_blurred(voice):
    model = generator()
    adversary = Adversary(model, weight=0.1, rate=2e-3)
    y = torch.from_numpy(voice)[None]
    target = model.target(y)
    blurred = torch.nn.functional.avg_pool1d(target, 9, 1, 4)
    for _ in range(25):
        loss = adversary(blurred, y)
    with torch.no_grad():
        assert adversary.critic(target)[0].mean() > adversary.critic(blurred)[0].mean() + 0.15
    assert float(loss) > float(model.loss(blurred, y))


def test_the_adversary_moves_the_generator_and_only_it(voice):
    model = generator()
    adversary = Adversary(model, weight=1.0)
    y = torch.from_numpy(voice)[None]
    adversary(model(y), y).backward()
    assert all(p.grad is not None for p in model.parameters())
    assert all(p.grad is None or not p.requires_grad for p in adversary.critic.parameters())


def test_a_run_with_an_adversary_goes_on_exactly(speech, tmp_path):
    """Stopped after 3 of 6 steps and called again: the same weights as without the stop."""
    crops = Crops(Corpus(speech), seconds=0.5)
    found = []
    for stops in ((6,), (3, 6)):
        for steps in stops:
            model = generator()
            torch.manual_seed(1)
            plan = Plan(steps=steps, batch=2, valid_every=3, rate=1e-3)
            adversary = Adversary(model, 0.1)
            if steps == 3:
                plan.steps = 6
                stop_after(3, model, adversary, crops, plan, tmp_path / str(len(stops)))
                continue
            train(
                model,
                adversary,
                crops,
                plan,
                out=tmp_path / str(len(stops)),
                validate=lambda m: 0.0,
                quiet=True,
            )
        found.append(torch.cat([p.flatten() for p in model.parameters()]))
    torch.testing.assert_close(*found, rtol=0, atol=0)


def stop_after(n, model, loss, crops, plan, out):
    """Train until the validation after n steps, and break off there."""

    class Stop(Exception):
        pass

    def stop(model):
        if stop.seen:
            raise Stop
        stop.seen = True
        return 0.0

    stop.seen = False
    plan.keep_s = -1.0
    plan.valid_every = n
    with pytest.raises(Stop):
        train(model, loss, crops, plan, out=out, validate=stop, quiet=True)


def test_crops_repeat_and_come_twice(speech):
    crops = Crops(Corpus(speech), seconds=0.5, seed=4)
    given, wanted = crops.batch(3, range(2))
    assert given.shape == (2, SR // 2) and given is wanted
    np.testing.assert_array_equal(crops.batch(3, range(2))[0], given)
    assert not np.array_equal(crops.batch(4, range(2))[0], given)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["gan", "setting2_vocoder"])
def test_the_command_line_trains(name, speech, tmp_path):
    """One step each, from the shipped weights."""
    command = [
        sys.executable,
        "-m",
        "tools.training",
        name,
        "--speech",
        speech,
        "--out",
        tmp_path,
        "--steps",
        "1",
    ]
    command += ["--batch", "1", "--seconds", "0.5", "--half"]
    command += ["--noise", speech] if name.startswith("setting") else ["--adversary", "0.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    load = settings.load_file if name.startswith("setting") else load_vocoder_file
    assert "tools.training" in load(name, tmp_path / f"{name}.safetensors").provenance["command"]


def load_vocoder_file(name, file):
    """Load a vocoder from a file; the package has the name of a function, so it is imported
    here.
    """
    from helpers.vocoders import load_file

    return load_file(name, file)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "name, more, says",
    [
        ("griffin_lim", [], "nothing to learn"),
        ("setting2_vocoder", [], "name a folder with --noise"),
    ],
)
def test_the_command_line_refuses(name, more, says, speech, tmp_path):
    command = [
        sys.executable,
        "-m",
        "tools.training",
        name,
        "--speech",
        speech,
        "--out",
        tmp_path,
        *more,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


# ---- the cleaner ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rows, n", [("mel", 80), ("linear", 513)])
def test_a_cleaner_keeps_the_shape(rows, n, voice):
    model = Cleaner(rows, **SMALL, vocoder="griffin_lim")
    y = torch.from_numpy(voice)[None]
    made = model(y)
    assert made.shape == (1, n, 1 + len(voice) // 256)
    assert torch.isfinite(model.loss(made, y)) and float(model.loss(model.spectrogram(y), y)) == 0


@pytest.fixture(scope="module")
def untrained():
    """An enhancer of Setting 2 that changes nothing but the phase."""
    model = Cleaner("linear", **SMALL, vocoder="griffin_lim")
    torch.nn.init.zeros_(model.onto.weight), torch.nn.init.zeros_(model.onto.bias)
    return PhaseRebuilder("setting2_griffin_lim", model, {})


@pytest.mark.parametrize("n", [1, 300, SR])
def test_any_length_comes_back_as_long(n, voice, untrained):
    out = untrained.enhance(voice[:n], sr=SR)
    assert out.shape == (n,) and np.all(np.isfinite(out))


def test_a_long_sound_is_made_in_blocks_that_join(monkeypatch, voice, untrained):
    """Blocks of 1.5 s: the level holds across the seams, and no click stands out."""
    y = np.concatenate([voice, voice, voice])
    monkeypatch.setattr("helpers.settings.setting2.BLOCK_S", 1.5)
    out = untrained.enhance(y, sr=SR)
    seams = np.arange(24000 - OVERLAP, len(y) - OVERLAP, 24000 - OVERLAP)
    assert len(seams) >= 4
    power = lambda x, k: np.mean(x[k - 1000 : k + OVERLAP + 1000] ** 2)  # noqa: E731
    for k in seams:
        assert abs(10 * np.log10(power(out, k) / power(y, k))) < 3
        assert np.abs(np.diff(out[k - 2 : k + 2])).max() < np.abs(np.diff(y)).max()


def test_setting_2_cannot_stream(untrained):
    with pytest.raises(ValueError, match="looks ahead"):
        untrained.stream()


def test_another_vocoder_may_speak(voice):
    noisy = audio.mix(voice, audio.clip("rain")[0][: len(voice)], snr_db=5)
    own, other = (
        settings.load("setting2_vocoder"),
        settings.load("setting2_vocoder", vocoder="griffin_lim"),
    )
    assert (own.vocoder.name, other.vocoder.name) == ("gan_tuned", "griffin_lim")
    np.testing.assert_array_equal(own.spectrogram(noisy), other.spectrogram(noisy))
    clean = own.vocoder.mel(voice, sr=SR)
    before = np.abs(own.vocoder.mel(noisy, sr=SR) - clean).mean()
    assert np.abs(own.spectrogram(noisy) - clean).mean() < 0.7 * before


@pytest.mark.parametrize("name", ["setting2_griffin_lim", "setting2_vocoder"])
def test_setting_2_brings_the_spectrum_nearer_to_the_speech(name, voice):
    noisy = audio.mix(voice, audio.clip("rain")[0][: len(voice)], snr_db=5)
    out = settings.load(name).enhance(noisy, sr=SR)
    form = MelFormat()
    far = [np.abs(form.mel(y, sr=SR) - form.mel(voice, sr=SR)).mean() for y in (noisy, out)]
    assert far[1] < 0.75 * far[0]


# ---- the hub -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small model in the hub's format, saved by the library itself."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = transformers.SpeechT5HifiGan(
        transformers.SpeechT5HifiGanConfig(upsample_initial_channel=32)
    )
    folder = tmp_path_factory.mktemp("hub")
    model.save_pretrained(folder)
    return folder, model.eval()


def test_a_vocoder_of_the_hub_is_loaded(saved, voice):
    folder, model = saved
    vocoder = load_vocoder(f"hub:{folder}")
    assert isinstance(vocoder, Vocoder) and vocoder.form.log == "10" and vocoder.form.fmin == 80
    log_mel = vocoder.mel(voice, sr=SR)
    copy = vocoder.synthesize(log_mel, length=len(voice))
    with torch.no_grad():
        theirs = model(torch.from_numpy(log_mel.T))[128:].numpy()
    np.testing.assert_allclose(copy[: len(theirs)], theirs[: len(copy)], atol=1e-6)


def test_its_mel_is_that_of_its_own_library(saved, voice):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.SpeechT5FeatureExtractor()(
        audio_target=voice, sampling_rate=SR, return_tensors="np"
    )
    ours = load_vocoder(f"hub:{saved[0]}").mel(voice, sr=SR)
    inner = slice(2, -2)  # it reflects at the ends, we put zeros
    np.testing.assert_allclose(ours[:, inner], theirs["input_values"][0].T[:, inner], atol=2e-3)


def test_our_mel_is_no_mel_of_the_hub(saved, voice):
    vocoder = load_vocoder(f"hub:{saved[0]}")
    with pytest.raises(
        ValueError, match=r"fmin is 0.0 instead of 80.0.*log is 'e' instead of '10'"
    ):
        vocoder.synthesize(load_vocoder("gan").mel(voice, sr=SR), made_with=MelFormat())


def test_without_a_network_one_line_says_so(monkeypatch, tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(
        ValueError, match=r"could not be loaded .*load_vocoder\(\"gan\"\)"
    ) as caught:
        load_vocoder(f"hub:{tmp_path}/nothing_here")
    assert "\n" not in str(caught.value)


def test_another_kind_of_model_is_refused(tmp_path):
    transformers = pytest.importorskip("transformers")
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a bert, and only"):
        load_vocoder(f"hub:{tmp_path}")


def test_without_the_library_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match="pip install transformers"):
        load_vocoder("hub:microsoft/speecht5_hifigan")


# ---- what was measured ---------------------------------------------------------------------------


def test_the_shipped_gans_copy_real_speech():
    """The stated PESQ holds on the first held-out sentences; the whole table: ``python3 -m
    tools.measure.score --copies``.
    """
    if not SHARED.is_dir():
        pytest.skip("shared/ with the held-out recordings is not here")
    pytest.importorskip("pesq")
    found = {"griffin_lim": [], "gan": []}
    for path in sorted((SHARED / "heldout/clean").glob("*.flac"))[:4]:
        y, sr = audio.load(path)
        for name, scores in found.items():
            vocoder = load_vocoder(name)
            copy = vocoder.synthesize(vocoder.mel(y, sr=sr), length=len(y))
            scores.append(metrics.pesq(copy, y, sr=sr))
    assert np.mean(found["gan"]) > np.mean(found["griffin_lim"]) + 0.2
