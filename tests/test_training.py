"""The training loop: mixtures that repeat, exact resumption, several processes, silence, and its
command line.
"""

import csv
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import soundfile

from helpers import audio
from helpers.metrics import active_level_db
from helpers.settings.setting1 import Masking
from helpers.training import compressed, enhancement_loss
from tools.training.datasets import Corpus, Mixtures
from tools.training.evaluation import (
    evaluate,
    summary,
    validate,
)
from tools.training.loop import (
    Plan,
    make_optimizer,
    rate_at,
    train,
)

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SR = 16000
has_muon = pytest.mark.skipif(
    not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon: 2.9 or later has"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two small corpora, made of the course's clips: several formats, rates and depths of
    folders.
    """
    top = tmp_path_factory.mktemp("corpus")
    (top / "speech/a").mkdir(parents=True)
    (top / "noise").mkdir()
    for name, where in (
        ("voice_a", "speech/a/one.wav"),
        ("voice_b", "speech/two.flac"),
        ("digits", "speech/three.ogg"),
    ):
        soundfile.write(top / where, audio.clip(name)[0], SR)
    soundfile.write(
        top / "noise/rain.wav", audio.resample(audio.clip("rain")[0], sr=SR, to=22050), 22050
    )
    soundfile.write(top / "noise/hum.flac", audio.clip("hum")[0], SR)
    return top / "speech", top / "noise"


@pytest.fixture(scope="module")
def mixtures(folders):
    """Mixtures of one second."""
    return Mixtures(*map(Corpus, folders), seconds=1.0, seed=3)


def model(seed=0):
    """A tiny network."""
    torch.manual_seed(seed)
    return Masking([64, 64, 64, 65], size=8, hidden=8, blocks=1)


# ---- mixtures ------------------------------------------------------------------------------------


def test_a_corpus_is_read_at_any_depth_and_rate(folders):
    speech, noise = map(Corpus, folders)
    assert speech.names == ["a/one.wav", "three.ogg", "two.flac"]
    lengths = [len(audio.clip(n)[0]) for n in ("voice_a", "digits", "voice_b")]
    assert [len(y) for y in speech.sounds] == lengths
    assert noise.seconds == pytest.approx(11, abs=0.01)
    assert re.fullmatch(r"[0-9a-f]{16}", speech.hash) and speech.hash != noise.hash


def test_a_corpus_hash_follows_its_files(folders, tmp_path):
    for name in ("one", "two"):
        soundfile.write(tmp_path / f"{name}.wav", audio.clip("voice_a")[0], SR)
    before = Corpus(tmp_path).hash
    assert Corpus(tmp_path).hash == before
    soundfile.write(tmp_path / "two.wav", audio.clip("voice_b")[0], SR)
    assert Corpus(tmp_path).hash != before


@pytest.mark.parametrize("what", ["nothing", "empty", "text"])
def test_a_folder_without_sound_is_refused(what, tmp_path):
    folder = tmp_path / "there"
    if what != "nothing":
        folder.mkdir()
    if what == "text":
        (folder / "notes.txt").write_text("no sound")
    with pytest.raises(ValueError, match="holds no sound file"):
        Corpus(folder)


def test_items_repeat_and_differ(mixtures):
    first, again = mixtures.item(4, 2), mixtures.item(4, 2)
    np.testing.assert_array_equal(first, again)
    others = [
        mixtures.item(4, 3),
        mixtures.item(5, 2),
        Mixtures(mixtures.speech, mixtures.noise, seconds=1, seed=4).item(4, 2),
    ]
    assert all(not np.array_equal(first[0], other[0]) for other in others)


def test_snr_and_level_are_those_asked_for(folders):
    pair = list(map(Corpus, folders))
    for db in (-5, 0, 20):
        made = Mixtures(*pair, seconds=2, snr_db=(db, db), level_db=(-30, -30), colour=False)
        for k in range(6):
            noisy, clean = made.item(0, k)
            assert active_level_db(clean) == pytest.approx(-30, abs=0.01)
            assert active_level_db(noisy - clean) == pytest.approx(-30 - db, abs=0.01)


def test_the_range_of_snr_is_filled_and_nothing_clips(mixtures):
    snr = []
    for k in range(60):
        noisy, clean = mixtures.item(1, k)
        snr.append(active_level_db(clean) - active_level_db(noisy - clean))
        assert np.abs(noisy).max() <= 1 and noisy.dtype == np.float32
    assert min(snr) >= -5.01 and max(snr) <= 20.01 and np.std(snr) > 5


def test_silent_crops_are_skipped_and_a_silent_corpus_is_refused(tmp_path):
    half = np.concatenate([np.zeros(5 * SR), audio.clip("voice_a")[0]])
    soundfile.write(tmp_path / "half.wav", half, SR)
    corpus, rng = Corpus(tmp_path), np.random.default_rng(0)
    assert all(active_level_db(corpus.crop(rng, SR)) > -55 for _ in range(30))
    (tmp_path / "silent").mkdir()
    soundfile.write(tmp_path / "silent/zeros.wav", np.zeros(SR), SR)
    with pytest.raises(ValueError, match="silent"):
        Corpus(tmp_path / "silent").crop(rng, SR)


# ---- loss ----------------------------------------------------------------------------------------


def test_loss_by_formula():
    rng = np.random.default_rng(0)
    s, e = (torch.from_numpy(rng.normal(size=(2, 4000))) for _ in range(2))
    error, power = ((e - s) ** 2).sum(-1), (s**2).sum(-1)
    expected = (10 * torch.log10(error / power + 1e-3)).mean()
    np.testing.assert_allclose(enhancement_loss(e, s, weight=0.0), expected, atol=1e-6)
    S, S_hat = (compressed(y / (power / 4000).sqrt()[:, None]) for y in (s, e))
    np.testing.assert_allclose(
        enhancement_loss(e, s, weight=7.0), expected + 7 * ((S - S_hat) ** 2).mean(), atol=1e-6
    )
    D = torch.stft(
        s, 512, 128, window=torch.hann_window(512, dtype=torch.float64), return_complex=True
    )
    np.testing.assert_allclose(compressed(s), D.abs() ** 0.3, rtol=1e-3)
    assert float(enhancement_loss(s, s)) == pytest.approx(-30, abs=1e-3)


@pytest.mark.parametrize(
    "case", ["both silent", "clean silent", "estimate silent", "equal", "silence inside"]
)
def test_digital_silence_gives_finite_loss_and_slope(case):
    sound = torch.from_numpy(audio.clip("voice_a")[0][8000:16000].copy())[None]
    zero = torch.zeros_like(sound)
    inside = sound.clone()
    inside[:, 2000:6000] = 0
    clean = {"both silent": zero, "clean silent": zero, "silence inside": inside}.get(case, sound)
    start = {
        "both silent": zero,
        "estimate silent": zero,
        "equal": sound,
        "silence inside": inside,
    }.get(case, sound)
    estimate = start.clone().requires_grad_()
    loss = enhancement_loss(estimate, clean)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(estimate.grad).all()


# ---- the loop ------------------------------------------------------------------------------------


def run(folder, mixtures, plan, **more):
    """Train the tiny network, and return it and its log."""
    net = model()
    log = train(
        net,
        enhancement_loss,
        mixtures,
        plan,
        out=folder,
        validate=lambda m: 0.0,
        quiet=True,
        **more,
    )
    return net, log


def same(a, b):
    """Whether two networks hold equal weights."""
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_training_learns(tmp_path, mixtures):
    plan = Plan(steps=60, batch=4, rate=5e-3, valid_every=20)
    net, log = run(tmp_path, mixtures, plan)
    assert [row["step"] for row in log] == [20, 40, 60]
    assert log[-1]["loss"] < log[0]["loss"] - 0.5
    valid = [mixtures]
    assert validate(net, valid, n=8) > validate(model(), valid, n=8) + 0.3


class Stop(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize(
    "more", [{}, {"average": 0.9}, pytest.param({"muon": "network."}, marks=has_muon)]
)
def test_going_on_after_a_stop_is_exact(tmp_path, mixtures, more):
    plan = Plan(steps=8, batch=2, valid_every=4, keep_s=0.0, **more)
    whole, log = run(tmp_path / "whole", mixtures, plan)

    def dies(step, indices):
        if step == 6:
            raise Stop
        return Mixtures.batch(mixtures, step, indices)

    broken = type("Broken", (), {"batch": staticmethod(dies)})
    with pytest.raises(Stop):
        run(tmp_path / "cut", broken, plan)
    later, later_log = run(tmp_path / "cut", mixtures, plan)
    assert same(whole, later)
    assert [{k: v for k, v in r.items() if k != "seconds"} for r in later_log] == [
        {k: v for k, v in r.items() if k != "seconds"} for r in log
    ]
    again, _ = run(tmp_path / "cut", mixtures, plan)  # nothing left to do
    assert same(again, whole)


def test_more_steps_go_on_and_another_plan_is_refused(tmp_path, mixtures):
    run(tmp_path, mixtures, Plan(steps=2, batch=2, keep_s=0.0))
    _, log = run(tmp_path, mixtures, Plan(steps=4, batch=2, keep_s=0.0))
    assert log[-1]["step"] == 4
    with pytest.raises(ValueError, match="another folder"):
        run(tmp_path, mixtures, Plan(steps=4, batch=3, keep_s=0.0))


def test_the_best_weights_are_kept_not_the_last(tmp_path, mixtures):
    scores, kept = iter([1.0, 3.0, 2.0]), []
    train(
        model(), enhancement_loss, mixtures, Plan(steps=3, batch=1, valid_every=1), out=tmp_path, quiet=True,  # noqa: E501
        validate=lambda m: next(scores), on_best=lambda m, step, score: kept.append((step, score)),
    )  # fmt: skip
    assert kept == [(1, 1.0), (2, 3.0)]
    rows = list(csv.DictReader((tmp_path / "log.csv").open(encoding="utf-8")))
    assert [float(row["valid"]) for row in rows] == [1.0, 3.0, 2.0]


def judged_weights(folder, mixtures, plan):
    """Train, and return the weights that each validation saw, as one long row each."""
    seen = []

    def validate(net):
        seen.append(torch.nn.utils.parameters_to_vector(net.parameters()).detach().clone())
        return float(len(seen))

    train(model(), enhancement_loss, mixtures, plan, out=folder, validate=validate, quiet=True)
    return torch.stack(seen)


def test_the_running_mean_is_that_of_the_weights_of_all_steps(tmp_path, mixtures):
    plan = {"batch": 1, "rate": 1e-2, "valid_every": 1, "keep_s": 0.0}
    weights = judged_weights(tmp_path / "plain", mixtures, Plan(steps=5, **plan))
    means = judged_weights(tmp_path / "mean", mixtures, Plan(steps=5, average=0.8, **plan))
    by_hand = weights[:1]
    for w in weights[1:]:
        by_hand = torch.cat([by_hand, 0.8 * by_hand[-1:] + 0.2 * w])
    torch.testing.assert_close(means, by_hand)
    assert (means[1:] - weights[1:]).abs().max() > 1e-3
    part = judged_weights(
        tmp_path / "cut", mixtures, Plan(steps=2, average=0.8, **(plan | {"rate": 0.0}))
    )
    more = judged_weights(
        tmp_path / "cut", mixtures, Plan(steps=5, average=0.8, **(plan | {"rate": 0.0}))
    )
    assert len(part) == 2 and len(more) == 3  # it goes on
    with pytest.raises(ValueError, match=r"'average': 0\.8"):
        judged_weights(tmp_path / "cut", mixtures, Plan(steps=6, **(plan | {"rate": 0.0})))


@has_muon
def test_muon_moves_matrices_by_steps_without_a_weak_direction():
    """All singular values of a step are about one number, and its root mean square is a fifth of
    the rate.
    """
    torch.manual_seed(0)
    net = torch.nn.ModuleDict({"a": torch.nn.Linear(24, 16), "b": torch.nn.Linear(16, 4)})
    optimizer = make_optimizer(net, Plan(rate=0.01, muon="a."))
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    slope = torch.outer(torch.randn(16), torch.randn(24)) + 0.1 * torch.randn(16, 24)
    for name, p in net.named_parameters():
        p.grad = slope if name == "a.weight" else torch.ones_like(p)
    optimizer.step()
    moved = before["a.weight"] * (1 - 0.01 * 0.01) - net["a"].weight.detach()
    values = torch.linalg.svdvals(moved)
    assert values[0] < 2 * values[-1]
    assert torch.linalg.svdvals(slope)[0] > 50 * torch.linalg.svdvals(slope)[-1]
    assert moved.square().mean().sqrt() == pytest.approx(0.2 * 0.01, rel=0.15)
    torch.testing.assert_close(
        before["b.weight"] * (1 - 1e-4) - 0.01, net["b"].weight
    )  # AdamW's first step
    optimizer.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    with pytest.raises(
        ValueError, match="no matrix of this network has a name that begins with 'x'"
    ):
        make_optimizer(net, Plan(muon="x"))


@pytest.mark.parametrize("sixteen", [False, True])
def test_products_have_16_bits_on_a_cpu_if_asked(tmp_path, mixtures, sixteen):
    net, found = model(), set()
    layer = next(part for part in net.modules() if isinstance(part, torch.nn.Linear))
    layer.register_forward_hook(lambda layer, given, made: found.add(made.dtype))
    plan = Plan(steps=1, batch=1, bfloat16=sixteen)
    train(net, enhancement_loss, mixtures, plan, out=tmp_path, validate=lambda m: 0.0, quiet=True)
    assert found == {torch.bfloat16 if sixteen else torch.float32}
    assert all(p.dtype == torch.float32 for p in net.parameters())


def test_one_bad_batch_does_not_cost_the_run(tmp_path, mixtures):
    def poisoned(step, indices):
        noisy, clean = mixtures.batch(step, indices)
        return (noisy * np.float32("nan"), clean) if step == 1 else (noisy, clean)

    net, _ = run(
        tmp_path, type("Bad", (), {"batch": staticmethod(poisoned)}), Plan(steps=3, batch=2)
    )
    assert all(torch.isfinite(p).all() for p in net.parameters())


def test_the_rate_rises_stays_and_falls():
    plan = Plan(steps=3000, rate=1.0)
    rates = [rate_at(step, plan) for step in range(3000)]
    assert rates[0] == 1 / 200 and rates[199] == 1.0 == rates[1999]
    assert rates[2500] == pytest.approx(0.5) and 0 < rates[-1] < 0.002


# ---- the command line ----------------------------------------------------------------------------

OPTIONS = ["--seconds", "0.5", "--batch", "2", "--valid-every", "100"]


def command(folders, out, steps, *more):
    """Return the command that trains on the two folders."""
    speech, noise = map(str, folders)
    where = ["--speech", speech, "--noise", noise, "--out", str(out), "--steps", str(steps)]
    return ["-m", "tools.training", "setting1_mel", *where, *OPTIONS, *more]


def environment():
    """One thread: two on a busy core wait for each other."""
    return os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.mark.nightly
def test_two_processes_take_the_same_steps_as_one(folders, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    subprocess.run(
        [sys.executable, *command(folders, tmp_path / "one", 3)],
        cwd=ROOT,
        check=True,
        env=environment(),
    )
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}"]
    subprocess.run(
        [sys.executable, *launcher, *command(folders, tmp_path / "two", 3)],
        cwd=ROOT,
        check=True,
        env=environment(),
    )
    one, two = (
        next(csv.DictReader((tmp_path / n / "log.csv").open(encoding="utf-8")))
        for n in ("one", "two")
    )
    assert float(one["loss"]) == pytest.approx(float(two["loss"]), abs=1e-4)
    states = [
        torch.load(tmp_path / n / "checkpoint.pt", weights_only=True)["model"]
        for n in ("one", "two")
    ]
    for key, value in states[0].items():
        np.testing.assert_allclose(value, states[1][key], atol=2e-4)


@pytest.mark.nightly
def test_a_killed_command_goes_on_where_it_stopped(folders, tmp_path):
    line = [sys.executable, *command(folders, tmp_path, 100000, "--keep-s", "0")]
    process = subprocess.Popen(
        line, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (tmp_path / "checkpoint.pt").is_file():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]["step"]
    assert done >= 1
    finished = subprocess.run(
        [sys.executable, *command(folders, tmp_path, done + 2)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert f"{done}/{done + 2}" in finished.stderr and "best weights:" in finished.stdout
    assert (tmp_path / "setting1_mel.safetensors").is_file()


@pytest.mark.nightly
def test_the_command_evaluates_the_weights_it_made(folders, tmp_path):
    subprocess.run(
        [sys.executable, *command(folders, tmp_path, 2)], cwd=ROOT, check=True, env=environment()
    )
    heldout = tmp_path / "heldout"
    heldout.mkdir()
    voice = audio.clip("voice_a")[0]
    soundfile.write(heldout / "clean.flac", voice, SR)
    soundfile.write(heldout / "noisy.flac", audio.mix(voice, audio.clip("rain")[0], snr_db=5), SR)
    (heldout / "manifest.csv").write_text(
        "noisy,clean,snr_db,noise_type\nnoisy.flac,clean.flac,5,rain\n", "utf-8"
    )
    weights = ["--weights", str(tmp_path / "setting1_mel.safetensors")]
    line = [
        "-m",
        "tools.training",
        "evaluate",
        "setting1_mel",
        "--heldout",
        str(heldout),
        "--quick",
        *weights,
    ]
    done = subprocess.run(
        [sys.executable, *line],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert re.search(r"5 dB +1 +5\.00\d -> ", done.stdout)


@pytest.mark.nightly
def test_a_start_is_told_with_all_steps_that_it_has_seen(folders, tmp_path):
    from helpers import _weights
    from tools.training.__main__ import main

    def learn(name, steps, *more):
        assert main(command(folders, tmp_path / name, steps, *more)[2:]) == 0
        return tmp_path / name / "setting1_mel.safetensors"

    first = learn("first", 2)
    second = learn("second", 3, "--start", str(first), "--average", "0.5", "--bfloat16")
    third = learn("third", 1, "--start", str(second))
    told = [_weights.load(file)[2] for file in (first, second, third)]
    assert "steps_before" not in told[0]
    assert [(facts["step"], facts["steps_before"]) for facts in told[1:]] == [(3, 2), (1, 5)]
    assert told[1]["start"].startswith("setting1_mel, ")


def test_a_wrong_folder_is_one_line(tmp_path):
    line = [sys.executable, *command((tmp_path / "no", tmp_path / "no"), tmp_path, 2)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment())
    assert (
        done.returncode == 1
        and len(done.stderr.splitlines()) == 1
        and "holds no sound file" in done.stderr
    )


# ---- evaluation ----------------------------------------------------------------------------------


def test_evaluating_the_input_itself_gains_nothing():
    if not (SHARED / "heldout/manifest.csv").is_file():
        pytest.skip("shared/heldout is not here")
    rows = evaluate(lambda y, *, sr: y, SHARED / "heldout", quality=False)
    assert len(rows) == 57
    for row in rows:
        assert row["si_sdr"] == row["si_sdr_in"] == pytest.approx(row["snr_db"], abs=0.3)
    assert summary(rows).count("+0.00 dB") == 3


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"manifest\.csv"):
        evaluate(lambda y, *, sr: y, tmp_path)


# ---- what a run is given -------------------------------------------------------------------------


def pair(folder, *, noisy_sr=SR, clean_sr=SR, n_clean=SR):
    """A held-out folder with one pair of tones in noise."""
    folder.mkdir(exist_ok=True)
    voice = audio.clip("voice_a")[0][:SR]
    rng = np.random.default_rng(0)
    soundfile.write(folder / "n.wav", voice + 0.01 * rng.standard_normal(SR), noisy_sr)
    soundfile.write(folder / "c.wav", np.resize(voice, n_clean), clean_sr)
    (folder / "manifest.csv").write_text(
        "noisy,clean,snr_db,noise_type\nn.wav,c.wav,5,white\n", "utf-8"
    )
    return folder


def test_pairs_that_do_not_belong_together_are_refused(tmp_path):
    def same(y, sr):
        return y

    with pytest.raises(ValueError, match=r"n.wav is at 16000 Hz but c.wav at 8000 Hz"):
        evaluate(same, pair(tmp_path / "rate", clean_sr=8000), quality=False)
    with pytest.raises(ValueError, match=r"n.wav has 16000 samples but c.wav 15999; cut both"):
        evaluate(same, pair(tmp_path / "length", n_clean=SR - 1), quality=False)


def test_a_clip_without_a_score_is_a_gap_and_not_the_end(tmp_path):
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    folder = pair(tmp_path / "one")
    with pytest.warns(UserWarning, match="a row has no pesq: estimate is silent"):
        rows = evaluate(lambda y, sr: 0 * y, folder)
    assert np.isnan(rows[0]["pesq"]) and rows[0]["pesq_in"] > 1
    known = rows[0] | {"pesq": 2.0, "stoi": 0.5}
    table = summary([rows[0] | {"si_sdr": 0.0, "stoi": 0.5}, known | {"si_sdr": 0.0}])
    assert "2.000" in table and "nan" not in table  # the mean of the one that has a score


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch": 0}, "--batch=0 must be a whole number, at least 1"),
        ({"steps": 0}, "--steps=0"),
        ({"valid_every": 0}, "--valid-every=0"),
        ({"rate": float("nan")}, "--rate=nan"),
        ({"clip": 0.0}, "--clip=0.0"),
        ({"average": 1.0}, "--average=1.0"),
    ],
)
def test_numbers_that_no_run_can_have_are_named_as_options(changes, said):
    with pytest.raises(ValueError, match=said):
        Plan(**changes).check()


@pytest.mark.parametrize("option", ["--seconds", "--batch", "--threads"])
def test_the_command_names_the_option(option, capsys):
    from tools.training.__main__ import main

    line = ["setting1_mel", "--speech", "nowhere", "--noise", "nowhere", "--out", "nowhere"]
    assert f"{option}=0" in main([*line, option, "0"])


def test_a_checkpoint_of_another_run_is_one_line(tmp_path):
    from tools.training import loop

    path = tmp_path / "checkpoint.pt"
    run = {"name": "setting1_stft", "speech": "aaaa"}
    loop._save(path, {"model": torch.nn.Linear(2, 2)}, {"step": 3}, Plan(), run)
    parts = {"model": torch.nn.Linear(2, 2)}
    assert loop._resume(path, parts, Plan(), run) == {"step": 3}
    with pytest.raises(ValueError, match="with name setting1_stft, and this is setting1_mel"):
        loop._resume(path, parts, Plan(), run | {"name": "setting1_mel"})
    with pytest.raises(ValueError, match="with speech aaaa, and this is bbbb; name another folder"):
        loop._resume(path, parts, Plan(), run | {"speech": "bbbb"})
    with pytest.raises(ValueError, match="belongs to another network") as said:
        loop._resume(path, {"model": torch.nn.Linear(3, 2)}, Plan())
    assert len(str(said.value)) < 400


def test_skipped_steps_are_counted(tmp_path, mixtures):
    class Worse(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.tensor(1.0))

        def forward(self, y):
            return self.gain * y * float("inf")

    with pytest.warns(UserWarning, match="3 of 3 steps had a loss that is no number.*--rate"):
        log = train(
            Worse(), enhancement_loss, mixtures, Plan(steps=3, batch=1), out=tmp_path,
            validate=lambda m: 0.0, quiet=True,
        )  # fmt: skip
    assert np.isnan(log[-1]["loss"])


def test_a_corpus_leaves_out_what_is_no_sound_and_says_so(tmp_path):
    y = audio.clip("voice_a")[0]
    soundfile.write(tmp_path / "a.wav", y, SR)
    (tmp_path / "._a.wav").write_bytes(b"\0\5\x16\7 what macOS writes")
    (tmp_path / "b.wav").write_bytes(b"")
    (tmp_path / "x.wav").mkdir()
    with pytest.warns(UserWarning, match="left out: b.wav is empty") as said:
        corpus = Corpus(tmp_path)
    assert corpus.names == ["a.wav"] and len(said) == 1
    assert corpus.seconds == pytest.approx(len(y) / SR)
    (tmp_path / "a.wav").unlink()
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ValueError, match="no sound file that can be read"),
    ):
        Corpus(tmp_path)
