"""The five networks of unit 36's ablation differ in what the page says, and in nothing else."""

import csv

import numpy as np
import pytest
from scipy import stats

torch = pytest.importorskip("torch")

from helpers import audio
from tools.measure import score_ablation
from tools.training import ablation
from tools.training.loop import Plan

N = 6000


@pytest.fixture(scope="module")
def models():
    return ablation.begin(0, Plan(muon="middle."))[0]


@pytest.fixture
def sound(rng):
    return torch.from_numpy(0.1 * rng.normal(size=(1, N))).float()


def test_the_middle_has_as_many_weights_everywhere(models):
    sizes = [sum(p.numel() for p in model.middle.parameters()) for model in models.values()]
    assert max(sizes) < 1.001 * min(sizes)
    assert all(len(model.middle.blocks) == 8 for model in models.values())
    first = [models[front].middle.state_dict() for front in ablation.FRONTS[:4]]
    for other in first[1:3]:  # the same first weights; random filters are drawn before them
        assert all(torch.equal(other[name], value) for name, value in first[0].items())


def test_which_filters_learn(models):
    for front, model in models.items():
        learns = [p.requires_grad for p in (model.encoder.weight, model.decoder.weight)]
        assert learns == [front.startswith("learned")] * 2


def test_lines_are_a_dft_between_the_bins_and_give_the_sound_back(models, sound):
    model = models["complex mask"]
    u, v = model.analyse(sound)
    padded = np.pad(sound[0].numpy(), (384, 512)).astype(float)
    t = np.arange(512) + 0.5 - 256
    window = np.sin(np.pi * (np.arange(512) + 0.5) / 512)
    for frame, line in ((10, 3), (20, 200)):
        part = padded[128 * frame :][:512] * window
        by_hand = part @ np.exp(2j * np.pi * (line + 0.5) / 512 * t)
        assert complex(u[0, frame, line], v[0, frame, line]) == pytest.approx(by_hand, abs=1e-4)
    np.testing.assert_allclose(model.synthesise(u, v, N), sound, atol=1e-5)


def test_a_magnitude_mask_is_the_complex_one_without_its_turn(models, sound):
    plain, turning = ablation.Denoiser("magnitude mask"), ablation.Denoiser("complex mask")
    with torch.no_grad():
        for p in plain.middle.parameters():
            p.normal_(0, 0.1, generator=torch.Generator().manual_seed(3))
    turning.middle.load_state_dict(plain.middle.state_dict())
    u, v = plain.analyse(sound)
    with torch.no_grad():
        S = plain.magnitude(u, v)
        a, b = turning.mask(u.square() + v.square())
        np.testing.assert_allclose(S, torch.hypot(a * u - b * v, a * v + b * u), atol=1e-3)
        np.testing.assert_allclose(plain.with_phase(sound, sound), plain(sound), atol=1e-3)
        assert (plain(sound) - turning(sound)).abs().max() > 0.01


@pytest.mark.parametrize("front", ablation.FRONTS)
def test_all_are_late_by_512_samples(models, sound, front):
    other = sound.clone()
    other[:, 3000] += 0.5
    with torch.no_grad():
        moved = torch.nonzero((models[front](other) - models[front](sound))[0].abs() > 1e-6)
    assert moved.min() >= 3000 - 511 and moved.max() > 3100


def test_bands_keep_what_no_line_tells_apart(models):
    """A power that is even within each band survives the mel; the bands are means."""
    bands = models["mel"].bands
    np.testing.assert_allclose(bands.sum(1), 1, atol=1e-5)
    flat = torch.full((256,), 2.0)
    np.testing.assert_allclose(bands @ flat, 2, atol=1e-4)
    np.testing.assert_allclose(bands @ (models["mel"].back @ (bands @ flat)), 2, atol=1e-3)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, rng, monkeypatch):
    for kind in ("speech", "noise"):
        (tmp_path / kind / "train").mkdir(parents=True)
        y = 0.1 * rng.normal(size=32000) * (1 + np.sin(np.arange(32000) / 900))
        audio.save(tmp_path / kind / "train" / "a.wav", y.astype(np.float32), sr=16000)
    plan = Plan(steps=3, batch=1, muon="middle.")
    whole = ablation.train(tmp_path, tmp_path / "whole", 0, plan, seconds=0.2)
    real = ablation.step_once
    calls = []

    def stopped(*args, **how):
        calls.append(0)
        if len(calls) > 5:
            raise KeyboardInterrupt
        return real(*args, **how)

    monkeypatch.setattr(ablation, "EVERY", 1)
    monkeypatch.setattr(ablation, "step_once", stopped)
    with pytest.raises(KeyboardInterrupt):
        ablation.train(tmp_path, tmp_path / "parts", 0, plan, seconds=0.2)
    monkeypatch.setattr(ablation, "step_once", real)
    parts = ablation.train(tmp_path, tmp_path / "parts", 0, plan, seconds=0.2)
    loaded = ablation.load(tmp_path / "parts", 0)
    for front in ablation.FRONTS:
        for name, value in whole[front].state_dict().items():
            assert torch.equal(value, parts[front].state_dict()[name]), (front, name)
            assert torch.equal(value, loaded[front].state_dict()[name])


def test_differences_are_paired_and_name_the_seeds(rng):
    hard = rng.normal(0, 3, 19)
    rows = []
    for front, lead in (("one", 0.0), ("other", 0.4)):
        for seed in range(3):
            for k in range(19):
                mark = f"{hard[k] + lead + 0.1 * seed * (front == 'other') + rng.normal(0, 0.2)}"
                about = {"front": front, "phase": "own", "seed": str(seed), "utterance": str(k)}
                rows.append(about | dict.fromkeys(("si_sdr", "pesq", "stoi"), mark))
    found = score_ablation.differences(rows)
    assert [row["measure"] for row in found] == ["si_sdr", "pesq", "stoi"]
    marks = np.array([float(row["pesq"]) for row in rows]).reshape(2, 3, 19)
    d = marks[1] - marks[0]
    how = {"method": "percentile", "n_resamples": 10000, "rng": np.random.default_rng(4)}
    ends = stats.bootstrap((d.mean(0),), np.mean, **how).confidence_interval
    row = found[1]
    assert float(row["difference"]) == pytest.approx(d.mean(), abs=1e-3)
    assert [float(row["low"]), float(row["high"])] == pytest.approx([*ends], abs=0.02)
    seeds = sorted(d.mean(1))
    assert [float(row[k]) for k in ("least_seed", "largest_seed")] == pytest.approx(
        [seeds[0], seeds[2]], abs=1e-3
    )


def test_what_is_scored_is_not_scored_again(tmp_path, rng, monkeypatch):
    folder = tmp_path / "heldout"
    folder.mkdir()
    lines = ["noisy,clean,snr_db,noise_type"]
    for k in range(2):
        clean = 0.1 * rng.normal(size=16000).astype(np.float32)
        audio.save(folder / f"c{k}.wav", clean, sr=16000)
        noise = 0.05 * rng.normal(size=16000)
        audio.save(folder / f"n{k}.wav", (clean + noise).astype(np.float32), sr=16000)
        lines.append(f"n{k}.wav,c{k}.wav,5,fan")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = []

    def load(weights, seed):
        asked.append(seed)
        return {"magnitude mask": ablation.Denoiser("magnitude mask")}

    monkeypatch.setattr(ablation, "load", load)
    monkeypatch.setattr(
        "tools.training.evaluation.scores",
        lambda y, clean, sr: dict.fromkeys(("si_sdr", "pesq", "stoi"), float(np.mean(y**2))),
    )
    how = (folder, tmp_path, tmp_path / "scores.csv", ["0"], ["5"])
    rows = score_ablation.measure(*how)
    assert len(rows) == 2 + 2 * 3 and asked == [0]
    again = score_ablation.measure(*how)
    assert again == rows == list(csv.DictReader((tmp_path / "scores.csv").open(encoding="utf-8")))
    assert {row["phase"] for row in score_ablation.utterances(rows)} == {
        "noisy", "Griffin-Lim", "true",
    }  # fmt: skip
