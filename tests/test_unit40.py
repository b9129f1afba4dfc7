"""What unit 40 lets you hear, and every number that its pages and its coursework state."""

import csv
import hashlib
import importlib.util
import shutil

import numpy as np
import pytest
import soundfile

from helpers import audio
from helpers.coursework import catalogue
from tests import pages
from tests.pages import level

NAME = "40_data"
TABLES = audio.DATA / "tables"


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- the words -----------------------------------------------------------------------------------


def test_the_words_are_ten_of_four_voices_in_six_takes_each():
    rows = read("words")
    assert len(rows) == 240
    assert {(r["word"], r["voice"], r["take"]) for r in rows}.__len__() == 240
    y, sr = soundfile.read(audio.DATA / "words/words.flac")
    assert (sr, y.ndim) == (8000, 1)
    ends = [0]
    for row in rows:
        start, stop = int(row["start"]), int(row["stop"])
        assert start >= ends[-1]
        ends.append(stop)
        word = y[start:stop]
        assert level(word) == pytest.approx(-26, abs=0.05) or np.abs(word).max() > 0.49
        assert np.abs(word).max() < 0.502
        assert np.abs(word[:2]).max() < 0.002  # no click at either end
        assert np.abs(word[-2:]).max() < 0.002
    assert ends[-1] <= len(y)


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_the_words_can_be_made_again(tmp_path):
    from tools.measure import make_words

    rng = np.random.default_rng(40)
    y = soundfile.read(audio.DATA / "words/words.flac")[0]
    for row in read("words")[:3]:
        stretch = round(float(rng.uniform(0.75, 1.35)), 2)
        pitch = round(130 * 2 ** rng.uniform(-0.3, 0.3))
        assert (f"{stretch:.2f}", str(pitch)) == (f"{float(row['stretch']):.2f}", row["pitch"])
        made = make_words.speak(row["word"], row["voice"], stretch, pitch)
        stored = y[int(row["start"]) : int(row["stop"])]
        np.testing.assert_allclose(made, stored, atol=1.1 / 32768)


# ---- the page ------------------------------------------------------------------------------------


def plain_features(y):
    """The features once more, by librosa."""
    import librosa

    how = {"n_fft": 256, "hop_length": 64, "n_mels": 24, "fmax": 4000, "power": 2.0}
    S = librosa.feature.melspectrogram(
        y=y, sr=8000, htk=False, pad_mode="constant", center=True, norm="slaney", **how
    )
    L = 10 * np.log10(np.maximum(S, 1e-8))
    edges = np.linspace(0, L.shape[1], 9).astype(int)
    parts = [L[:, edges[k] : edges[k + 1]].mean(axis=1) for k in range(8)]
    return np.concatenate(parts) - L.mean()


def test_the_trap_does_not_depend_on_our_features(unit):
    """With librosa's mel, and a neighbour found by plain loops, the same story."""
    X = np.array([plain_features(y) for y in unit["clips"]])
    X = (X - X.mean(0)) / X.std(0)
    word, voice = unit["word"], unit["voice"]
    gaps = ((X[:, None] - X) ** 2).sum(2)

    def score(test, labels):
        hits = []
        for k in np.flatnonzero(test):
            others = np.flatnonzero(~test)
            hits.append(labels[others[gaps[k, others].argmin()]] == labels[k])
        return np.mean(hits)

    for seed in range(3):
        test = np.random.default_rng(seed).random(240) < 0.25
        assert score(test, word) == 1.0
        assert score(test, voice) == 1.0
    new = [score(voice == who, word) for who in np.unique(voice)]
    assert 0.55 < np.mean(new) < 0.78
    assert max(new) < 0.9


def test_the_page_states_its_own_numbers(unit):
    assert unit["right"].mean() == 1
    assert unit["mean"] == pytest.approx(0.679, abs=0.001)
    assert min(unit["by_voice"].values()) == pytest.approx(0.5, abs=0.001)
    assert max(unit["by_voice"].values()) == pytest.approx(0.817, abs=0.001)
    assert np.mean(unit["strict"]) == pytest.approx(unit["mean"], abs=0.005)


def test_one_voice_with_two_words_is_nearer_than_one_word_by_two_voices(unit):
    a, b, c = unit["trio"]
    assert unit["word"][a] == unit["word"][b] != unit["word"][c]
    assert unit["voice"][a] == unit["voice"][c] != unit["voice"][b]
    assert unit["distance"][a, b] > 1.1 * unit["distance"][a, c]


def test_six_faults_were_planted_and_nothing_else_is_wrong(unit):
    """Each fault is found here by other means."""
    folder = unit["folder"]
    sums = {}
    for path in sorted(folder.glob("*.wav")):
        sums.setdefault(hashlib.md5(path.read_bytes()).hexdigest(), []).append(path.stem)
    assert [names for names in sums.values() if len(names) > 1] == [["five_awb", "five_bdl"]]
    stereo = [p.stem for p in folder.glob("*.wav") if soundfile.info(p).channels == 2]
    rates = {p.stem: soundfile.info(p).samplerate for p in folder.glob("*.wav")}
    assert stereo == ["four_kal16"]
    assert [name for name, rate in rates.items() if rate != 8000] == ["three_slt"]
    assert not soundfile.read(folder / "two_rms.wav")[0].any()
    clipped = soundfile.read(folder / "one_awb.wav")[0]
    assert np.sum(np.abs(clipped) == np.abs(clipped).max()) > 0.02 * len(clipped)
    wrong = soundfile.read(folder / "zero_slt.wav")[0]
    k = unit["find"]("one", "slt", 3)
    np.testing.assert_allclose(wrong, unit["clips"][k], atol=1e-6)
    assert {row["file"][:-4] for row in unit["manifest"] if row["fault"]} == {
        "one_awb", "two_rms", "three_slt", "four_kal16", "five_awb", "five_bdl",
    }  # fmt: skip


def test_coins_are_predicted_with_other_features_too(unit):
    """Spectra instead of mel bands, and other coins."""
    names = [n for n in audio.clips() if n not in ("my_voice", "left_right", "duet")]
    rows, origin = [], []
    for name in names:
        y, sr = audio.clip(name)
        y = audio.resample(y, sr=sr, to=16000)
        for start in range(0, len(y) - 16000, 4000):
            power = np.abs(np.fft.rfft(y[start : start + 16000])) ** 2
            rows.append(np.log([part.sum() + 1e-6 for part in np.array_split(power, 40)]))
            origin.append(name)
    X, origin = np.array(rows), np.array(origin)
    gaps = ((X[:, None] - X) ** 2).sum(2)
    lot, whole = [], []
    for seed in range(100, 120):
        rng = np.random.default_rng(seed)
        coin = dict(zip(names, rng.permutation(np.arange(len(names)) % 2), strict=True))
        label = np.array([coin[name] for name in origin])
        for scores, test in (
            (lot, rng.random(len(X)) < 0.25),
            (whole, np.isin(origin, rng.permutation(names)[: len(names) // 4])),
        ):
            near = gaps[np.ix_(test, ~test)].argmin(axis=1)
            scores.append(np.mean(label[~test][near] == label[test]))
    assert np.mean(lot) > 0.9
    assert 0.35 < np.mean(whole) < 0.65
    assert unit["lot"] > 0.9 and 0.35 < unit["whole"] < 0.65


def test_the_best_of_ten_is_88_and_a_half():
    """Exactly, from the distribution of the largest of ten."""
    from scipy.stats import binom

    k = np.arange(101)
    largest = binom.cdf(k, 100, 0.83) ** 10
    mean = (k * np.diff(np.append(0, largest))).sum()
    assert mean == pytest.approx(88.5, abs=0.1)
    assert binom.sf(86, 100, 0.83) == pytest.approx(0.17, abs=0.01)
    assert binom.std(100, 0.83) == pytest.approx(3.8, abs=0.05)


def test_an_item_leaves_a_buffer_early_by_its_size_at_most(unit):
    for size, out in unit["mixed"].items():
        early = [item - at for at, item in enumerate(out)]
        assert max(early) <= size
        assert max(early) == size or size == 1000


def test_augmentation_ranks_as_the_page_says(unit):
    gained = unit["gained"]
    assert gained["nothing"] == pytest.approx(unit["mean"], abs=0.005)
    assert gained["faster and slower"] > gained["nothing"] + 0.03
    assert gained["noise at 20 dB"] < gained["nothing"]
    assert gained["backwards"] < gained["nothing"]


def test_nothing_is_loud(unit):
    for made in ("scenes", "ways"):
        for y in unit[made].values():
            assert np.abs(y).max() < 1.0
    assert max(level(y) for y in unit["ways"].values()) < -18


def test_the_splitter_is_solved_by_a_voice_alone_and_by_nothing_else(unit):
    split = unit["splitter"]
    assert split(25, "voices", "words")["solved"]
    for share, kept, asked in (
        (25, "clips, by lot", "words"),
        (25, "takes", "words"),
        (25, "voices", "voices"),
        (30, "voices", "words"),
        (10, "voices", "words"),
    ):
        assert not split(share, kept, asked)["solved"], (share, kept, asked)
    assert "0 of 60 right" in split(25, "voices", "voices")["readout"]
    assert split(25, "takes", "words")["score"][0] == 100


def test_the_interval_is_wilsons(unit):
    from scipy.stats import binomtest

    hits = np.array([1] * 45 + [0] * 15)
    want = binomtest(45, 60).proportion_ci(0.95, method="wilson")
    assert unit["interval"](hits) == pytest.approx((want.low, want.high), abs=1e-4)


def test_the_guess_stands_across_the_bars(unit, tmp_path, monkeypatch):
    for option, percent in enumerate((100, 90, 70, 10)):
        fig, said = pages.figure_with_guess(unit, "40.voice", option, tmp_path, monkeypatch)
        assert said.xy[0] == percent
        assert fig.axes[0].lines[-1].get_xdata()[0] == percent
    pages.figure_with_guess(unit, "40.voice", None, tmp_path, monkeypatch)


# ---- the tables ----------------------------------------------------------------------------------


def test_the_tables_say_what_the_page_says():
    leaks = [r for r in read("leaks") if r["question"] == "digit"]

    def mean(method, level, official):
        some = [
            float(r["accuracy"])
            for r in leaks
            if (r["method"], r["level"]) == (method, level)
            and (r["split"] == "official") == official
        ]
        return 100 * np.mean(some)

    assert mean("neighbour", "as recorded", True) == pytest.approx(97.0, abs=0.05)
    assert mean("neighbour", "as recorded", False) == pytest.approx(65.3, abs=0.05)
    assert mean("neighbour", "made equal", False) == pytest.approx(70.6, abs=0.05)
    assert mean("ridge", "as recorded", False) == pytest.approx(77.4, abs=0.05)
    spans = {
        r["resampled"]: float(r["high"]) - float(r["low"]) for r in read("interval_over_people")
    }
    assert spans["clip"] / spans["person"] == pytest.approx(0.65, abs=0.03)
    some = [r for r in read("people_or_clips") if r["method"] == "ridge"]
    digits = {int(r["people"]): float(r["accuracy"]) for r in some if r["set"] == "digits"}
    commands = [float(r["accuracy"]) for r in some if r["set"] == "commands"]
    assert digits[4] - digits[1] > 0.1
    assert max(commands) - min(commands) < 0.02
    zero = {r["detector"]: r for r in read("voice_activity") if r["snr_db"] == "0"}
    fool = float(zero["always speech"]["wrong"])
    assert all(float(r["wrong"]) >= fool - 1e-9 for r in zero.values())
    assert float(zero["energy"]["missed"]) > 1 / 3 - 0.01
    assert float(zero["WebRTC, mode 3"]["false"]) > 0.9


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/tasks/manifest.csv").is_file(), reason="needs ../shared/corpus"
)
def test_the_table_of_leaks_is_that_of_the_recordings():
    """Two rows once more, with a nearest neighbour of scikit-learn where it is, else by sorting."""
    from tools.measure import score_leaks

    corpus = pages.SHARED / "corpus"
    X, digit, person, _ = score_leaks.digits(corpus)
    out = person == "jackson"
    order = np.argsort(((X[out][:50, None] - X[~out]) ** 2).sum(2), axis=1)[:, 0]
    want = digit[~out][order]
    np.testing.assert_array_equal(score_leaks.neighbour(X[~out], digit[~out], X[out][:50]), want)
    stated = next(
        r for r in read("leaks")
        if (r["method"], r["level"], r["split"], r["question"])
        == ("neighbour", "as recorded", "without jackson", "digit")
    )  # fmt: skip
    said = score_leaks.neighbour(X[~out], digit[~out], X[out])
    assert np.mean(said == digit[out]) == pytest.approx(float(stated["accuracy"]), abs=0.005)


# ---- the optional cell ---------------------------------------------------------------------------


def test_the_optional_cell_says_in_one_line_what_it_would_fetch(unit, capsys):
    if importlib.util.find_spec("datasets") is not None:
        pytest.skip("datasets is installed here")
    (source,) = pages.code_cells(NAME, tag="optional")
    exec(source, dict(unit))
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "100 MB" in said


# ---- the exercise that many answers solve --------------------------------------------------------


def test_a_fixed_limit_fails_and_a_limit_that_follows_needs_its_neighbours():
    exercise = catalogue.exercise("40.speech")

    def fixed(levels):
        return 1 * (levels > -40)

    def alone(levels):
        return 1 * (levels > np.percentile(levels, 10) + 3)

    assert exercise.check(fixed).outcome == "not yet"
    assert exercise.check(alone).says == exercise.texts["rain"]
