"""The trainings of the keywords' transformer and of the wake word: what they draw, what they teach,
and that they go on after a stop.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers.speech import CLASSES, SR, Keywords
from tools.training import keyword_sounds, keywords, keywords_transformer, wake
from tools.training.keyword_sounds import Sounds

CPU = torch.device("cpu")
N = wake.WINDOW


def tone(hz, seconds, *, level=0.1):
    """A sine."""
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * SR)) / SR)


@pytest.fixture(scope="module")
def sounds():
    """The word is a tone of 1000 Hz and all other speech one of 200 Hz; noise is faint."""
    rng = np.random.default_rng(0)
    pools = {name: [tone(1000, 0.6)] * 3 for name in wake.WORD}
    pools |= {name: [tone(200, 2.0)] * 3 for name in wake.SPEECH}
    pools["noise"] = [1e-4 * rng.standard_normal(2 * SR)]
    return Sounds(pools, CPU)


# ---- the wake word -------------------------------------------------------------------------------


def test_rows_that_count_as_the_word_hold_all_of_it(sounds):
    torch.manual_seed(0)
    y, label = wake.draw_batch(sounds, 240, hard=0.0)
    assert y.shape == (240, N)
    assert y.isfinite().all()
    assert label.sum() == 80
    # frames of 20 ms in which a sine of 1000 Hz is the loudest
    D = np.abs(np.fft.rfft(y.numpy().reshape(240, -1, 320), axis=2))
    seconds = 0.02 * (D.argmax(2) == 20).sum(1)
    assert (seconds[:80] > 0.55).mean() > 0.9  # noise hides it in some
    assert seconds[80:110].max() < 0.55 * 0.6 + 0.05
    assert seconds[110:].mean() < 0.05


def test_a_slow_word_still_fits_into_the_window():
    torch.manual_seed(0)
    pools = {name: [tone(1000, 1.3)] for name in wake.WORD}
    pools |= {name: [tone(200, 2.0)] for name in wake.SPEECH} | {"noise": [tone(60, 2.0)]}
    y, label = wake.draw_batch(Sounds(pools, CPU), 120, hard=1.0)
    D = np.abs(np.fft.rfft(y[label == 1].numpy().reshape(40, -1, 320), axis=2))
    whole = 0.02 * (D.argmax(2) >= 14).sum(1)
    assert np.median(whole) > 1.0


def test_what_is_mined_is_what_scores_highest():
    class Loud(torch.nn.Module):
        """A score that is the mean of the features."""

        def forward(self, x):
            return x.mean((1, 2))[:, None]

    rng = np.random.default_rng(0)
    quiet = [1e-6 * rng.standard_normal(3 * SR) for _ in range(3)]
    loud = 0.1 * rng.standard_normal(2 * N)
    short = rng.standard_normal(SR)  # less than a window: left out
    found = wake.taken_for_it(Loud(), [*quiet, loud, short], count=4)
    assert len(found) == 4
    assert all(len(y) == N and np.std(y) > 0.09 for y in found)


def test_readers_who_test_alarms_are_told_apart():
    rows = [{"speaker": f"ls-{k}", "split": "train"} for k in range(2000)]
    kept = [keyword_sounds.tests_alarms(row) for row in rows]
    assert np.mean(kept) == pytest.approx(0.15, abs=0.03)
    assert keyword_sounds.tests_alarms({"speaker": "ls-1", "split": "valid"})
    assert not keyword_sounds.tests_alarms({"speaker": "", "split": "valid"})


def test_a_word_is_trimmed_to_a_tenth_of_a_second_around_it():
    y = np.concatenate([np.zeros(SR), tone(500, 0.5), np.zeros(SR)])
    z = keyword_sounds.trimmed(y)
    assert len(z) / SR == pytest.approx(0.7, abs=0.03)
    assert np.sqrt(np.mean(z**2)) == pytest.approx(0.05, rel=1e-3)


def test_the_wake_word_is_learned_a_little_more_after_a_stop(sounds, tmp_path):
    def lesson(training, share):
        return wake.step(training, sounds=sounds, share=share, batch=24)

    def watch(network):
        return wake.apart(network, rows)

    torch.manual_seed(1)
    rows = wake.draw_batch(sounds, 48, hard=0.5)
    path = tmp_path / "checkpoint.pt"
    logs = []
    for seconds in (0.6, 1.2):
        training = keywords.Training(
            CPU, make=lambda: Keywords((8, 8, 8), 0.2, 1), rate=3e-3, seed=3
        )
        logs.append(keywords.steps_through(training, path, lesson, watch, seconds=seconds, parts=2))
    assert len(logs[0]) >= 1
    assert logs[1][: len(logs[0])] == logs[0]
    assert logs[1][-1]["step"] > logs[0][-1]["step"]
    assert 0 <= logs[1][-1]["valid"] <= 1


# ---- the transformer -----------------------------------------------------------------------------


def test_features_are_those_of_the_library():
    pytest.importorskip("transformers")
    torch.manual_seed(0)
    y = 0.05 * torch.randn(3, SR) * torch.tensor([[1.0], [0.1], [1e-5]])
    extract = keywords_transformer.extractor()
    theirs = extract(list(y.numpy()), sampling_rate=SR, return_tensors="pt").input_features
    assert theirs.shape == (3, 40, 50)
    torch.testing.assert_close(keywords_transformer.features(y), theirs, atol=2e-4, rtol=0)


def test_the_network_takes_a_second_and_has_less_than_400_000_weights():
    pytest.importorskip("transformers")
    net = keywords_transformer.network().eval()
    assert sum(p.numel() for p in net.parameters()) < 400_000
    with torch.no_grad():
        assert net(torch.zeros(2, 40, 50)).logits.shape == (2, len(CLASSES))


def test_a_folder_in_half_precision_is_read_as_single(tmp_path):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    net = keywords_transformer.network().eval()
    x = torch.randn(2, 40, 50)
    with torch.no_grad():
        want = net(x).logits
    keywords_transformer.save_folder(tmp_path, net)
    assert (tmp_path / "model.safetensors").stat().st_size < 2.1 * 400_000
    back = transformers.AutoModelForAudioClassification.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        torch.testing.assert_close(back(x).logits, want, atol=0.01, rtol=0.01)


def test_frames_are_shifted_and_the_edge_is_repeated():
    torch.manual_seed(0)
    x = torch.arange(20.0).expand(64, 3, 20)
    moved = keywords_transformer.shifted(x, most=4)
    steps = moved[:, 0, 10] - 10
    assert set(steps.tolist()) == set(range(-4, 5))
    for row, step in zip(moved[:, 1], steps.tolist(), strict=True):
        np.testing.assert_array_equal(row, np.clip(np.arange(20) + step, 0, 19))


def test_a_lesson_is_the_label_and_the_teachers_answer_or_this_alone():
    torch.manual_seed(0)
    taught = torch.randn(4, 12)
    rows = {"x": torch.randn(4, 40, 50).half(), "label": torch.tensor([3, 5, -1, -1])}
    rows["taught"] = taught.half()
    x, target = keywords_transformer.lesson(rows, torch.arange(4), hard=0.0, trust=0.6, mix=0.0)
    torch.testing.assert_close(x, rows["x"].float(), atol=1e-3, rtol=1e-3)
    said = torch.softmax(taught, 1)
    torch.testing.assert_close(target[2:], said[2:], atol=1e-3, rtol=1e-2)
    want = 0.6 * said[0] + 0.4 * 0.1 / 12
    want[3] += 0.4 * 0.9
    torch.testing.assert_close(target[0], want, atol=1e-3, rtol=1e-2)
    _, mixed = keywords_transformer.lesson(rows, torch.arange(4), hard=1.0, trust=0.6, mix=1.0)
    np.testing.assert_allclose(mixed.sum(1), 1.0, atol=1e-5)


def test_a_bank_that_is_missing_is_named(tmp_path):
    said = keywords_transformer.main(["train", "--corpus", str(tmp_path), "--out", str(tmp_path)])
    assert "no bank" in said or "transformers" in said
