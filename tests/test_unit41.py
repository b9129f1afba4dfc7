"""What unit 41 lets you hear, and every number that its pages and its coursework state."""

import csv
import importlib.util
import math
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from helpers import audio
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

pytest.importorskip("torch")
import torch

from helpers import speech

NAME = "41_keywords"
TABLES = audio.DATA / "tables"


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def column(rows, key):
    """One column as numbers."""
    return np.array([float(row[key]) for row in rows])


# ---- the words -----------------------------------------------------------------------------------


def test_the_words_are_four_voices_at_one_level():
    rows = read("commands")
    y, sr = soundfile.read(audio.DATA / "words/commands.flac")
    assert (sr, y.ndim, len(rows)) == (16000, 1, 216)
    assert len({(r["word"], r["voice"], r["take"]) for r in rows}) == 216
    taught = [r for r in rows if r["word"] in ("lantern", "computer")]
    assert len(taught) == 48 and {r["voice"] for r in taught} == {"rms", "slt"}
    end = 0
    for row in rows:
        start, stop = int(row["start"]), int(row["stop"])
        assert start >= end
        end = stop
        one = y[start:stop]
        assert level(one) == pytest.approx(-26, abs=0.05) or np.abs(one).max() > 0.49
        assert np.abs(one).max() < 0.502
        assert max(np.abs(one[:2]).max(), np.abs(one[-2:]).max()) < 0.002
    talk, rate = soundfile.read(audio.DATA / "words/talk.flac")
    assert rate == 16000 and np.abs(talk).max() < 0.502
    said = read("talk")
    assert sum("computer" in row["text"].lower().split(",")[0] for row in said) == 3
    assert int(said[-1]["stop"]) <= len(talk)


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_the_words_can_be_made_again():
    from tools.measure import make_words

    y = soundfile.read(audio.DATA / "words/commands.flac")[0]
    for row in (read("commands")[0], read("commands")[-1]):
        hz, stretch = int(row["pitch"]), float(row["stretch"])
        made = make_words.speak(row["word"], row["voice"], stretch, hz, to=16000)
        np.testing.assert_allclose(made, y[int(row["start"]) : int(row["stop"])], atol=1.1 / 32768)


# ---- the network ---------------------------------------------------------------------------------


def test_the_network_is_what_the_page_says():
    network = speech.load("keywords")
    assert sum(p.numel() for p in network.parameters()) == 307_252
    assert sum(p.numel() for p in speech.load("wake").parameters()) == 141_985
    assert network.stem.weight.shape == (24, 1, 5, 5)
    assert speech.CLASSES == (
        "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", "_unknown_",
        "_silence_",
    )  # fmt: skip


def test_features_of_a_wrong_shape_are_refused():
    for shape in ((16000,), (2, 100), (1, 2, 16000)):
        with pytest.raises(ValueError, match="features take sound of shape"):
            speech.features(torch.zeros(shape))


def test_the_page_computes_what_the_network_gets(unit):
    """The features by librosa, and a kernel by scipy."""
    librosa = pytest.importorskip("librosa")
    from scipy.signal import correlate2d

    y = unit["find"]("stop", "awb").astype(float)
    power = np.mean(y.reshape(-1, 320) ** 2, axis=1)
    y = y * 0.05 / np.sqrt(power[power > power.max() / 1000].mean())
    how = {"n_fft": 512, "hop_length": 160, "window": "hann", "pad_mode": "constant"}
    bank = librosa.filters.mel(sr=16000, n_fft=512, n_mels=40, fmin=60, fmax=7600, norm=None)
    want = (np.log(bank @ np.abs(librosa.stft(y, **how)) + 1e-3) + 3) / 2.5
    np.testing.assert_allclose(unit["X"], want, atol=2e-3)
    answer = correlate2d(unit["X"], unit["kernel"], mode="same")[:, ::2]
    np.testing.assert_allclose(unit["by_hand"], answer, atol=1e-3)


def test_the_slope_is_that_of_small_steps():
    fn = catalogue.checks("41")["41.slope"].truth
    scores, label = np.array([0.3, -1.2, 2.0, 0.1]), 1

    def loss(s):
        return np.log(np.exp(s).sum()) - s[label]

    steps = 1e-6 * np.eye(4)
    want = [(loss(scores + d) - loss(scores - d)) / 2e-6 for d in steps]
    np.testing.assert_allclose(fn(scores, label), want, atol=1e-7)


# ---- how sure ------------------------------------------------------------------------------------


def test_wilson_and_mcnemar_are_scipys():
    from scipy.stats import binomtest

    checks = catalogue.checks("41")
    for k, n in ((871, 921), (0, 10), (10, 10), (43, 55)):
        want = binomtest(k, n).proportion_ci(0.95, method="wilson")
        got = checks["41.wilson"].truth(k, n)
        np.testing.assert_allclose(got, (want.low, want.high), atol=1e-5)
    rng = np.random.default_rng(0)
    for share in (0.5, 0.7, 0.95):
        a, b = rng.random(60) < share, rng.random(60) < 0.6
        first, second = int((a & ~b).sum()), int((b & ~a).sum())
        want = binomtest(first, first + second).pvalue
        assert checks["41.luck"].truth(1 * a, 1 * b) == pytest.approx(want, rel=1e-9)
    assert checks["41.luck"].truth(np.array([1] * 10), np.array([0] * 10)) == pytest.approx(2**-9)


def test_the_table_of_answers_says_what_the_page_says(unit):
    held = read("keyword_answers")
    assert len(held) == 921
    held = [r for r in held if r["is"] != "_silence_"]
    rows = [r for r in held if r["met"] == "no"]
    people = [r["person"] for r in rows]
    assert (len(held), len(rows), len(set(people))) == (855, 177, 16)
    assert max(people.count(who) for who in people) == 49
    assert not set(people) & {r["person"] for r in held if r["met"] == "yes"}
    right = {m: np.array([r[m] == r["is"] for r in rows]) for m in unit["hits"]}
    for method, hits in right.items():
        np.testing.assert_array_equal(unit["hits"][method], hits)
    assert right["cnn"].sum() == 170
    assert right["transformer"].sum() == 160
    assert (right["neighbour"].sum(), right["mfcc"].sum()) == (51, 69)
    for hits in right.values():
        by_people = np.diff(unit["over_people"](hits))[0]
        assert by_people > np.diff(unit["by_clips"](hits))[0]
    cnn = unit["hits"]["cnn"]
    np.testing.assert_allclose(unit["over_people"](cnn), (0.916, 0.993), atol=0.001)
    np.testing.assert_allclose(unit["by_clips"](cnn), (0.921, 0.981), atol=0.001)
    sure = column(rows, "sure")
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0)):
        mine = (sure > low) & (sure <= high)
        assert right["cnn"][mine].mean() > sure[mine].mean(), (low, high)
    mine = (sure > 0.8) & (sure <= 0.9)
    assert right["cnn"][mine].mean() == pytest.approx(0.97, abs=0.005)
    assert sure[mine].mean() == pytest.approx(0.87, abs=0.005)


def test_people_met_in_other_words_are_recognised_no_better():
    rows = [r for r in read("keyword_answers") if r["is"] != "_silence_"]
    assert sum(r["cnn"] == r["is"] for r in rows) == 805
    words = [r for r in rows if r["is"] != "_unknown_"]
    some = {met: [r["cnn"] == r["is"] for r in words if r["met"] == met] for met in ("no", "yes")}
    assert (sum(some["no"]), len(some["no"])) == (168, 175)
    assert (sum(some["yes"]), len(some["yes"])) == (594, 625)
    other = [r for r in rows if r["is"] == "_unknown_"]
    assert (sum(r["cnn"] == r["is"] for r in other), len(other)) == (43, 55)
    assert sum(r["met"] == "yes" for r in other) == 53


def test_a_classifier_rings_hundreds_of_times_an_hour():
    rows = [row for row in read("keyword_rule") if row["limit"] == "0.5"]
    rate = column(rows, "alarms").sum() / column(rows, "hours").sum()
    assert rate == pytest.approx(284, abs=10)


# ---- the detector --------------------------------------------------------------------------------


def test_the_talk_is_scored_as_the_table_says(unit):
    stored = column(read("talk_scores"), "score")
    np.testing.assert_allclose(unit["talk_scores"], stored, atol=0.05)
    inside = np.zeros(len(stored), bool)
    for row in read("talk"):
        if row["text"].startswith("Computer"):
            first, last = int(row["start"]) / 1600, int(row["stop"]) / 1600 + 5
            inside |= (np.arange(len(stored)) >= first) & (np.arange(len(stored)) <= last)
            assert stored[int(first) : int(last)].max() > -0.5
    assert stored[~inside].max() < -3.5


def test_the_curve_counts_what_lies_above_a_threshold(unit):
    rows = read("wake_background")
    hours = column(rows, "hours").sum()
    heights = np.array([float(h) for r in rows for h in r["heights"].split()])
    calls = column(read("wake_words"), "clean")
    assert len(calls) == 102 and len({r["voice"] for r in read("wake_words")}) == 10
    for k in (0, 90, 150, 200):
        limit = unit["limits"][k]
        assert unit["rate_at"][k] == pytest.approx((heights > limit).sum() / hours)
    stage = unit["threshold_stage"]
    said = stage(0.0, 0.5, "clean", "what rings")["readout"]
    assert f"{100 * (calls <= 0).mean():.1f} % of the words missed" in said
    assert f"{(heights > 0).sum() / hours:.1f} false alarms an hour" in said


def test_two_voices_of_ten_are_missed():
    calls, rows = read("wake_words"), read("wake_background")
    hours = column(rows, "hours").sum()
    heights = np.sort([float(h) for r in rows for h in r["heights"].split()])[::-1]
    assert hours == pytest.approx(1.24, abs=0.005)
    missed = column(calls, "clean") <= heights[int(hours)]
    voices = [row["voice"] for row, lost in zip(calls, missed, strict=True) if lost]
    assert {v: voices.count(v) for v in set(voices)} == {"G": 11, "C": 4}
    babble = column(calls, "babble_10") <= heights[int(hours)]
    assert np.mean(babble) == pytest.approx(0.098, abs=1e-3)
    limit = heights[int(5 * hours)]
    shares = [100 * np.mean(column(calls, k) <= limit) for k in ("clean", "babble_10", "babble_5")]
    assert [share <= 7 for share in shares] == [False, True, False]


def test_the_stage_is_solved_in_babble_alone(unit):
    stage = unit["threshold_stage"]
    for limit in np.arange(-5, 8, 0.05):
        for heard in ("clean", "babble_5"):
            assert not stage(limit, 0.5, heard, "what rings")["solved"]
    assert any(stage(x, 0.5, "babble_10", "what rings")["solved"] for x in np.arange(-3, 0, 0.05))


def test_the_stage_rings_by_the_rule_of_the_exercise(unit):
    fn = catalogue.checks("41")["41.alarms"].truth
    for limit in (-6, -4.4, -2, 0, 1.5):
        times = unit["rings"](limit)
        assert len(times) == fn(unit["strip"], limit, 10)
        assert len(times) < 2 or np.diff(times).min() > 1.0
    for limit in (-6, 0, 8):
        for hear in ("what rings", "what is missed"):
            sound = unit["threshold_stage"](limit, 1.0, "clean", hear)["sound"]
            assert np.abs(sound).max() <= 10 ** (-12 / 20)
    assert not unit["threshold_stage"](8, 1.0, "clean", "what rings")["sound"].any()
    assert unit["threshold_stage"](8, 1.0, "clean", "what is missed")["sound"].any()


# ---- a word of your own --------------------------------------------------------------------------


def test_eight_takes_name_more_than_nine_of_ten_words_of_new_people():
    rows = [row for row in read("own_word") if row["takes"] == "8"]
    assert len(rows) == 6
    assert column(rows, "named").mean() == pytest.approx(0.97, abs=0.005)
    assert column(rows, "named").min() > 0.9
    assert column(rows, "found").mean() > 0.95
    assert column(rows, "false").mean() == pytest.approx(0.14, abs=0.01)


def test_takes_are_cut_at_pauses_at_any_rate(unit):
    rng = np.random.default_rng(0)
    burst = rng.standard_normal(20000) * np.hanning(20000)
    y = np.concatenate([np.append(burst, np.zeros(48000)) for _ in range(8)])
    assert len(unit["takes_in"](y, 48000)) == 8
    assert len(unit["takes_in"](np.stack([y, y]), 48000)) == 8
    assert unit["mine"].shape == (12, 800)


def test_a_folder_of_ones_own_is_taught(unit, tmp_path):
    """Eight wavs at another rate, as a phone would write them, and four to find."""
    chosen = np.flatnonzero((unit["word"] == "lantern") & (unit["voice"] == "slt"))
    for k in chosen:
        y = audio.resample(unit["clips"][k], sr=16000, to=44100)
        soundfile.write(tmp_path / f"lantern_{k}.wav", np.pad(y, 8000), 44100)
    paths = sorted(tmp_path.glob("*.wav"))
    E = unit["embedded"]([unit["takes_in"](*audio.load(path))[0] for path in paths])
    margin = unit["nearer"](E[:8], unit["means"], E[8:])
    assert (margin > 0).all()


# ---- other sounds --------------------------------------------------------------------------------


def test_the_rhythms_are_told_by_their_kits_until_these_are_exchanged(unit):
    """The story once more with scikit-learn-free neighbours on plain spectra, other seeds."""

    def features(y):
        frames = np.lib.stride_tricks.sliding_window_view(y, 256)[::128] * np.hanning(256)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
        L = np.log(np.array([p.sum(axis=1) for p in np.array_split(power, 24, axis=1)]) + 1e-8)
        return np.concatenate([L.mean(axis=1), L.std(axis=1)])

    def made(kit_of, seed):
        rng = np.random.default_rng(seed)
        rows = [(s, features(unit["play"](name, kit_of(s), rng)))
                for s, name in enumerate(unit["STYLES"]) for _ in range(8)]  # fmt: skip
        return np.array([x for _, x in rows]), np.array([s for s, _ in rows])

    X, style = made(lambda s: s, 100)
    same, same_style = made(lambda s: s, 101)
    other, other_style = made(lambda s: (s + 1) % 5, 102)

    def names(T):
        m, s = X.mean(0), X.std(0)
        return style[((((T - m) / s)[:, None] - (X - m) / s) ** 2).sum(2).argmin(1)]

    assert np.mean(names(same) == same_style) > 0.85
    assert np.mean(names(other) == other_style) < 0.6
    assert unit["scores"]["same kits", "own kit", "colours"] == 100
    assert unit["scores"]["kits exchanged", "own kit", "colours"] < 50
    assert level(unit["pair"]["waltz, kit 0"]) == pytest.approx(-26, abs=0.1)


def test_the_guess_stands_across_the_bars(unit, tmp_path, monkeypatch):
    for option, percent in enumerate((100, 80, 40, 20)):
        fig, said = pages.figure_with_guess(unit, "41.kit", option, tmp_path, monkeypatch)
        assert said.xy[1] == percent
        assert fig.axes[0].lines[-1].get_ydata()[0] == percent


def test_kinds_of_sound_leak_little():
    rows = {(r["method"], r["split"]): float(r["accuracy"]) for r in read("environmental")}
    for method in ("neighbour", "ridge"):
        assert 0.01 < rows[method, "clip"] - rows[method, "recording"] < 0.06


# ---- the library ---------------------------------------------------------------------------------


def test_the_optional_cell_says_in_one_line_what_it_needs(unit, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (source,) = pages.code_cells(NAME, tag="optional")
    exec(source, dict(unit))
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "transformers" in said


def test_the_pipeline_of_the_library_runs_offline_and_agrees(unit, tmp_path):
    """The folder by the library's pipeline, and by its parts: the same chances."""
    transformers = pytest.importorskip("transformers")
    folder = audio.DATA / "weights/keywords_transformer"
    code = (
        "import os, socket; socket.socket.connect = None; os.environ['HF_HUB_OFFLINE'] = '1'\n"
        "import numpy as np; from transformers import pipeline\n"
        f"p = pipeline('audio-classification', model={str(folder)!r})\n"
        "y = np.load('y.npy'); r = p({'raw': y, 'sampling_rate': 16000}, top_k=12)\n"
        "print('|'.join(f\"{x['label']} {x['score']:.6f}\" for x in r))"
    )
    y = unit["find"]("yes", "slt")
    np.save(tmp_path / "y.npy", y)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = dict(part.split() for part in done.stdout.strip().splitlines()[-1].split("|"))
    model = transformers.WhisperForAudioClassification.from_pretrained(folder, dtype=torch.float32)
    extract = transformers.WhisperFeatureExtractor.from_pretrained(folder)
    x = extract(y, sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        chance = torch.softmax(model.eval()(x).logits, 1)[0]
    assert sum(p.numel() for p in model.parameters()) == 351_180
    for name, p in zip(speech.CLASSES, chance.tolist(), strict=True):
        assert float(found[name]) == pytest.approx(p, abs=1e-5)
    assert max(found, key=lambda name: float(found[name])) == "yes"


def test_nothing_is_loud(unit):
    for sound in (*unit["four"].values(), *unit["pair"].values(), unit["talk"]):
        assert np.abs(sound).max() < 0.9
    assert math.isclose(level(unit["beep"]), -20, abs_tol=0.1)
