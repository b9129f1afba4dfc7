"""What unit 42 lets you hear, and every number that its pages and its coursework state."""

import csv
import importlib.util

import numpy as np
import pytest

from helpers import audio
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "42_attention"
TABLES = audio.DATA / "tables"
torch = pytest.importorskip("torch")


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- attention by loops --------------------------------------------------------------------------


def by_loops(Q, K, V, allowed=None):
    """Attention once more, number by number."""
    out = np.zeros((len(Q), V.shape[1]))
    for t, q in enumerate(Q):
        seen = [s for s in range(len(K)) if allowed is None or allowed[t][s]]
        scores = [sum(a * b for a, b in zip(q, K[s], strict=True)) / len(q) ** 0.5 for s in seen]
        total = sum(np.exp(x) for x in scores)
        for s, x in zip(seen, scores, strict=True):
            out[t] += np.exp(x) / total * V[s]
    return out


def test_attention_is_that_of_plain_loops(unit):
    rng = np.random.default_rng(7)
    Q, K, V = rng.normal(size=(5, 4)), rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    allowed = rng.random((5, 6)) < 0.6
    allowed[:, 0] = True
    tensors = [torch.from_numpy(x) for x in (Q, K, V)]
    ours, looks = unit["attention"](*tensors)
    np.testing.assert_allclose(ours, by_loops(Q, K, V), atol=1e-12)
    np.testing.assert_allclose(looks.sum(-1), 1, atol=1e-12)
    ours = unit["attention"](*tensors, torch.from_numpy(allowed))[0]
    np.testing.assert_allclose(ours, by_loops(Q, K, V, allowed), atol=1e-12)


def test_the_worked_examples_are_right():
    keys, values = (
        np.array([[0.1, 2.0], [3.0, 0.2], [0.3, 1.5]]),
        np.array([[10.0], [20.0], [30.0]]),
    )
    (first,), (second,) = by_loops(np.eye(2), keys, values)
    assert (round(first, 2), round(second, 1)) == (20.15, 18.5)
    scores = keys @ [0, 1] / 2**0.5
    w = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(scores, [1.41, 0.14, 1.06], atol=0.005)
    np.testing.assert_allclose(w, [0.50, 0.14, 0.35], atol=0.006)
    np.testing.assert_allclose(
        [np.sin(2), np.sin(2e-4), np.cos(2)], [0.909, 0.0002, -0.416], atol=5e-4
    )


def test_the_root_keeps_softmax_soft_with_another_generator():
    rng = np.random.default_rng(3)
    largest = {}
    for d in (8, 512):
        q, k = rng.normal(size=(500, d)), rng.normal(size=(500, 50, d))
        scores = np.einsum("ia,ika->ik", q, k)
        assert scores.std() == pytest.approx(d**0.5, rel=0.03)
        for name, scale in (("plain", 1), ("root", d**-0.5)):
            e = np.exp(scale * (scores - scores.max(1, keepdims=True)))
            largest[name, d] = (e.max(1) / e.sum(1)).mean()
    assert largest["plain", 512] == pytest.approx(0.92, abs=0.03)
    assert largest["plain", 8] == pytest.approx(0.47, abs=0.05)
    for d in (8, 512):
        assert largest["root", d] == pytest.approx(0.125, abs=0.015)


def test_the_positions_are_those_of_whisper(unit):
    code = unit["sinusoids"](64, 96).numpy()
    for t in (0, 1, 17, 63):
        for k in (0, 1, 20, 47):
            rate = 10000 ** (-k / 47)
            assert code[t, k] == pytest.approx(np.sin(t * rate), abs=1e-4)
            assert code[t, 48 + k] == pytest.approx(np.cos(t * rate), abs=1e-4)
    if importlib.util.find_spec("transformers"):
        from transformers.models.whisper import modeling_whisper

        np.testing.assert_allclose(code, modeling_whisper.sinusoids(64, 96).numpy(), atol=1e-5)


# ---- cost and inputs -----------------------------------------------------------------------------


def test_the_costs_are_those_of_the_formulas(unit):
    for seconds, T in unit["lengths"].items():
        attending, layers = unit["spent"][seconds]
        assert attending == 2 * T * T * 384
        assert layers == T * (4 * 384**2 + 2 * 384 * 4 * 384)
    assert 6 * 1500**2 * 4 == 54_000_000 and 6 * 15000**2 * 4 == 5_400_000_000
    assert pytest.approx(1.73, abs=0.01) == 2 * 1500**2 * 384 / 1e9
    assert pytest.approx(2.65, abs=0.01) == 12 * 1500 * 384**2 / 1e9
    assert pytest.approx(46, abs=0.1) == 6 * 384 / 50  # 2 T² d = 12 T d² at T = 6 d


def test_whispers_features_are_those_that_librosa_would_make():
    """By librosa's STFT and mel, without torch and without our filters."""
    import librosa

    y, sr = audio.clip("librivox_c")
    y = np.pad(y[: 5 * sr], (0, 25 * sr))
    D = librosa.stft(y, n_fft=400, hop_length=160, window="hann", pad_mode="reflect")[:, :-1]
    S = librosa.filters.mel(sr=sr, n_fft=400, n_mels=80) @ np.abs(D) ** 2
    L = np.log10(np.maximum(S, 1e-10))
    want = (np.maximum(L, L.max() - 8) + 4) / 4
    stored = read("whisper_features")
    got = [float(r["value"]) for r in stored]
    np.testing.assert_allclose(
        [want[int(r["band"]), int(r["frame"])] for r in stored], got, atol=2e-4
    )
    assert want.max() - want.min() == pytest.approx(2.0, abs=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="needs transformers")
def test_the_stored_features_are_transformers_own(unit):
    from transformers import WhisperFeatureExtractor

    y, sr = audio.clip("librivox_c")
    theirs = WhisperFeatureExtractor()(y[: 5 * sr], sampling_rate=sr, return_tensors="np")
    theirs = theirs.input_features[0]
    for r in read("whisper_features"):
        assert theirs[int(r["band"]), int(r["frame"])] == pytest.approx(float(r["value"]), abs=1e-4)
    np.testing.assert_allclose(unit["S"], theirs, atol=1e-4)


def test_wav2vec2_makes_49_vectors_of_a_second():
    n, hop, field = 16000, 1, 1
    for k, s in zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True):
        n = len(range(0, n - k + 1, s))
        field += (k - 1) * hop
        hop *= s
    assert (n, hop, field) == (49, 320, 400)
    assert len(range(0, 128 - 15, 10)) * len(range(0, 1024 - 15, 10)) == 1212


# ---- the network ---------------------------------------------------------------------------------


def test_the_notebooks_classes_are_the_network_that_was_trained(unit):
    from helpers import _weights
    from tools.training.digits import Transcriber, greedy

    theirs, provenance = _weights.restore(Transcriber, "digits")
    y = unit["y"].astype(np.float32)
    S = unit["hear"](y)
    with torch.no_grad():
        memory = theirs.encode(S[None])
        np.testing.assert_allclose(unit["encode"](unit["model"], S), memory, atol=1e-4)
        tokens = [10, 3, 1, 4]
        want = theirs.decode(torch.tensor([tokens]), memory)[0]
        np.testing.assert_allclose(unit["decode"](unit["model"], tokens, memory), want, atol=1e-4)
    assert greedy(theirs, S) == unit["write"](y)
    assert provenance["seed"] == 42


def test_the_causal_mask_hides_what_comes(unit):
    model, memory = unit["model"], unit["encode"](unit["model"], unit["hear"](unit["y"]))
    a = unit["decode"](model, [10, 4, 7, 1], memory)
    b = unit["decode"](model, [10, 4, 0, 9], memory)
    np.testing.assert_allclose(a[:2], b[:2], atol=1e-5)
    assert (a[2:] - b[2:]).abs().max() > 0.1


def test_nothing_is_loud(unit):
    sounds = [*unit["pair"].values(), *unit["nobody"].values(), unit["y"]]
    for y in sounds:
        assert np.abs(y).max() < 0.6
        assert level(y) < -17


# ---- stage, guesses and the optional cell --------------------------------------------------------


def test_guesses_stand_in_the_figures(unit, tmp_path, monkeypatch):
    for option, value in enumerate((0.02, 0.12, 0.5, 0.9)):
        fig, _ = pages.figure_with_guess(unit, "42.root", option, tmp_path, monkeypatch)
        assert fig.axes[0].lines[-1].get_ydata()[0] == value
    pages.figure_with_guess(unit, "42.root", None, tmp_path, monkeypatch)
    for option, times in enumerate((3, 6, 9, 27)):
        fig, _ = pages.figure_with_guess(unit, "42.cost", option, tmp_path, monkeypatch)
        ends = fig.axes[0].lines[-1].get_ydata()
        assert ends[1] / ends[0] == pytest.approx(times)


def test_the_optional_cell_says_in_one_line_what_it_would_fetch(unit, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # as if it were missing
    (source,) = pages.code_cells(NAME, tag="optional")
    exec(source, dict(unit))
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "130 MB" in said


def test_attention_written_by_the_library_is_right_too():
    exercise = catalogue.exercise("42.attend")
    assert exercise.check(torch.nn.functional.scaled_dot_product_attention).outcome == "correct"


def test_the_vowel_of_five_is_nearest_to_that_of_nine(unit):
    """By bands of a spectrum, without our mel."""

    def bands(k):
        y = unit["digit"](k)
        middle = int(0.4 * len(y))
        power = np.abs(np.fft.rfft(y[middle - 440 : middle + 440] * np.hanning(880))) ** 2
        level = 10 * np.log10([part.sum() + 1e-8 for part in np.array_split(power, 20)])
        return level - level.mean()

    away = {k: np.sqrt(np.mean((bands(k) - bands(5)) ** 2)) for k in range(10) if k != 5}
    assert min(away, key=away.get) == 9


def test_the_stage_is_won_by_heads_that_live_on_positions_and_by_no_other(unit):
    won = {
        (head, positions): bool(unit["attending"](400, head, positions)["solved"])
        for head in unit["HEADS"]
        for positions in (True, False)
    }
    assert {key for key, solved in won.items() if solved} == {("block 2, head 1", True)}
    row = unit["attending"](400, "block 2, head 1", True)["row"]
    assert row.sum() == pytest.approx(1, abs=1e-4)


# ---- tables and training -------------------------------------------------------------------------


def test_the_tables_say_what_the_page_says():
    rows = {(r["voice"], r["digits"]): r for r in read("digit_strings")}
    share = {key: int(r["right"]) / int(r["strings"]) for key, r in rows.items()}
    said = {
        ("many people", "1"): 0.91,
        ("lucas", "4"): 0.83,
        ("nicolas", "4"): 0.12,
        ("slt", "4"): 0.33,
    }
    for key, value in said.items():
        assert share[key] == pytest.approx(value, abs=0.005)
    crowd = rows["many people", "1"]
    assert (crowd["people"], crowd["strings"]) == ("32", "66")
    assert (float(crowd["low"]), float(crowd["high"])) == pytest.approx((0.83, 0.97), abs=0.005)
    fours = [v for (voice, digits), v in share.items() if digits == "4" and voice != "slt"]
    assert len(fours) == 6
    assert (min(fours), max(fours)) == pytest.approx((0.12, 0.83), abs=0.005)
    eights = [r for (_, digits), r in rows.items() if digits == "8"]
    assert sum(int(r["strings"]) for r in eights) == 420
    assert all(r["right"] == "0" for r in eights)
    tries = read("masked_frames")

    def mean(labels, start, which):
        some = [r for r in tries if (r["labels"], r["start"], r["set"]) == (labels, start, which)]
        assert len(some) == 3
        return np.mean([int(r["right"]) / int(r["clips"]) for r in some])

    assert mean("30", "filled in", "digits") == pytest.approx(0.53, abs=0.005)
    assert mean("30", "random", "digits") == pytest.approx(0.63, abs=0.005)
    assert mean("30", "filled in", "commands") == pytest.approx(0.47, abs=0.005)
    assert mean("30", "random", "commands") == pytest.approx(0.51, abs=0.005)
    assert mean("3", "filled in", "commands") > mean("3", "random", "commands")


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/tasks/manifest.csv").is_file(), reason="needs ../shared/corpus"
)
def test_nobody_is_on_both_sides():
    """By the names of the files, without a sound."""
    from tools.training.digit_sounds import SHARES, WORDS
    from tools.training.keyword_sounds import part_of
    from tools.training.masked import held_out

    with open(pages.SHARED / "corpus/tasks/manifest.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    six = {r["file"].split("_")[1] for r in rows if r["set"] == "digits"}
    assert held_out(six) == {"lucas", "nicolas"} and len(six) == 6
    assert "digits" not in SHARES  # share-alike recordings test the network, and never teach it
    names = [r["file"].split("/")[-1].split("_") for r in rows if r["label"] == "_unknown_"]
    people = [name[1] for name in names if name[0] in WORDS]
    apart = [who for who in people if part_of(who) != "train"]
    assert (len(apart), len(set(apart))) == (66, 32)
    assert len(people) - len(apart) == 174


def test_a_training_goes_on_where_it_stopped(tmp_path):
    from tools.training import digits
    from tools.training.digit_sounds import SHARES, Clip

    rng = np.random.default_rng(0)
    clips = [
        Clip(rng.normal(0, 0.05, 2000).astype(np.float32), digit, kind, kind, "train")
        for kind in SHARES
        for digit in range(10)
    ]
    once = digits.Training(clips, seed=1)
    for k in range(3):
        once.step(0.1 * k, batch=2)
    twice = digits.Training(clips, seed=1)
    for k in range(2):
        twice.step(0.1 * k, batch=2)
    twice.save(tmp_path / "checkpoint.pt")
    later = digits.Training(clips, seed=9)
    later.restore(tmp_path / "checkpoint.pt")
    later.step(0.2, batch=2)
    assert later.facts["step"] == once.facts["step"] == 3
    for a, b in zip(once.network.parameters(), later.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_hidden_groups_come_in_pieces_and_hide_about_a_third():
    from tools.training.masked import SPAN, grouped, hidden_groups

    hide = hidden_groups(np.random.default_rng(0), 50, 60)
    assert 0.3 <= hide.mean() < 0.37
    for row in hide:
        edges = np.flatnonzero(np.diff(np.r_[0, row * 1, 0]))
        assert np.all(edges[1::2] - edges[::2] >= SPAN)
    S = torch.arange(2 * 40 * 12.0).reshape(2, 40, 12)
    np.testing.assert_array_equal(grouped(S)[1, 2], S[1, :, 8:12].flatten())


def test_edits_are_those_of_a_plain_recursion():
    from tools.measure.score_digits import edits

    def plain(a, b):
        if not a or not b:
            return len(a) + len(b)
        swap = plain(a[1:], b[1:]) + (a[0] != b[0])
        return min(swap, plain(a[1:], b) + 1, plain(a, b[1:]) + 1)

    rng = np.random.default_rng(0)
    for _ in range(30):
        a, b = (rng.integers(0, 3, rng.integers(0, 6)).tolist() for _ in range(2))
        assert edits(a, b) == plain(a, b)
