"""What unit 44 lets you hear, and every number that its pages and its coursework state."""

import csv
import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from scipy import stats

from helpers import audio, voice
from tests import pages
from tests.pages import level

NAME = "44_synthesis"
TABLES = audio.DATA / "tables"
SCORED = 16  # sentences


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- the front end -------------------------------------------------------------------------------


def test_the_lexicon_is_sorted_and_speaks_39_phones():
    raw = gzip.decompress((audio.DATA / "lexicon/words.txt.gz").read_bytes()).decode()
    lines = raw.splitlines()
    words = [line.split(" ")[0] for line in lines]
    assert words == sorted(words) and len(set(words)) == len(words) == 72_291
    assert len({name for line in lines for name in line.split(" ")[1:]}) == 39


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0", "zero"), ("13", "thirteen"), ("40", "forty"), ("99", "ninety nine"),
        ("100", "one hundred"), ("1,984", "one thousand nine hundred eighty four"),
        ("300000", "three hundred thousand"), ("1000007", "one million seven"),
        ("3.05", "three point zero five"), ("$1", "one dollar"),
        ("$3.50", "three dollars fifty"), ("7%", "seven percent"),
    ],
)  # fmt: skip
def test_numbers_are_said_as_their_words(number, words):
    assert voice.phones(number) == voice.phones(words)


def test_what_cannot_be_said_is_refused():
    for text in ("", "…", "?!"):
        with pytest.raises(ValueError, match="no word"):
            voice.phones(text)
    with pytest.raises(ValueError, match="too large"):
        voice.phones("1000000000")
    made = voice.score("Hello.")
    with pytest.raises(ValueError, match="how="):
        voice.mel(made, how="best")
    made.frames = made.frames * 0
    with pytest.raises(ValueError, match="no phone"):
        voice.mel(made)
    made.frames = made.frames[:-1]
    with pytest.raises(ValueError, match="one number for each"):
        voice.mel(made)


def test_unknown_words_are_spelt_and_never_lost():
    known = voice.lexicon()
    for word in ("zzz", "mcfoo", "o'blick"):
        assert word not in known
        assert set(voice.spell(word).split()) <= {p for q in known.values() for p in q.split()}
    assert voice.phones("mcfoo")[1:-1] == ["M", "K", "F", "UW"]


# ---- the voice -----------------------------------------------------------------------------------


def test_the_size_is_as_stated():
    sizes = [sum(p.numel() for p in part.parameters()) for part in voice.load().children()]
    assert sizes == [1_354_932, 1_059_952] and sum(sizes) < 2.5e6


def test_a_score_is_kept_frame_by_frame():
    """The mel has as many frames as its score, and the sound follows."""
    made = voice.score("A short one.")
    assert voice.mel(made).shape == (80, made.frames.sum())
    longer = made.frames.copy()
    longer[3] += 50
    made.frames = longer
    y = voice.say(made)
    assert abs(len(y) - 256 * longer.sum()) <= 256
    assert level(y) == pytest.approx(-26, abs=0.1) and np.abs(y).max() < 0.502


def test_the_voice_has_the_pitch_that_its_score_asks_for():
    """Measured by the lag at which the sound is most like itself."""
    made = voice.score("All the men were leaving the room.")
    for hertz in (140.0, 200.0):
        made.hertz = np.where(made.voiced > 0.2, hertz, 0)
        y = voice.say(made, how="mean")
        lags = []
        for k in range(len(y) // 800 - 2):
            frame = y[800 * k : 800 * k + 1600] - np.mean(y[800 * k : 800 * k + 1600])
            same = np.fft.irfft(np.abs(np.fft.rfft(frame, 4096)) ** 2)[:400]
            lag = 50 + same[50:250].argmax()
            if same[lag] > 0.6 * same[0] and np.std(frame) > 0.02:
                lags.append(16000 / lag)
        assert len(lags) > 8 and np.median(lags) == pytest.approx(hertz, rel=0.06)


def test_one_seed_one_sound():
    made = voice.score("Again.")
    np.testing.assert_array_equal(voice.mel(made, seed=3), voice.mel(made, seed=3))
    assert np.abs(voice.mel(made, seed=3) - voice.mel(made, seed=4)).max() > 0.1


def test_the_mean_of_many_draws_comes_near_the_mean():
    made = voice.score("The rain falls on the roof.")
    mean = voice.mel(made, how="mean")
    draws = [voice.mel(made, seed=k) for k in range(12)]
    one = np.mean([np.abs(draw - mean).mean() for draw in draws])
    assert np.abs(np.mean(draws, axis=0) - mean).mean() < 0.6 * one


# ---- the tools -----------------------------------------------------------------------------------


def test_the_sum_over_ways_is_that_of_all_of_them():
    """Every way of seven frames through three phones, one by one."""
    from tools.training import voice as training

    rng = np.random.default_rng(3)
    P = rng.dirichlet(np.ones(3), size=7)
    ways = [
        np.repeat(np.arange(3), (a, b, 7 - a - b)) for a in range(1, 6) for b in range(1, 7 - a)
    ]
    assert len(ways) == 15
    chances = [np.prod(P[np.arange(7), way]) for way in ways]
    best = training.best_way(np.log(P))
    np.testing.assert_array_equal(best, np.bincount(ways[int(np.argmax(chances))], minlength=3))
    log_p = torch.tensor(np.log(P))[None]
    loss = training.forward_sum(log_p + 30, torch.tensor([3]), torch.tensor([7]))
    # 30 more in each frame leave the blank no chance; the softmax takes them off again
    assert loss.item() == pytest.approx(-np.log(sum(chances)) / 7, abs=1e-6)


def test_no_held_out_prompt_is_trained_on():
    from tools.training import voice as training

    texts = [f"sentence {k}" for k in range(200)] * 2
    apart = training.kept_apart(texts)
    assert len(apart) == 40 and apart == training.kept_apart(texts[::-1])


def test_the_scores_are_of_the_held_out_prompts():
    from tools.training import voice as training

    manifest = pages.SHARED / "corpus/tasks/manifest.csv"
    if not manifest.is_file():
        pytest.skip("needs the corpus")
    with open(manifest, encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "voice"]
    apart = training.kept_apart(row["text"] for row in rows)
    text = {row["file"].split("/")[-1].removesuffix(".ogg"): row["text"] for row in rows}
    scored = {row["prompt"] for row in read("voice_scores")}
    assert {text[name] for name in scored} <= apart
    assert len(scored) == SCORED


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_flites_account_can_be_had_again():
    from tools.measure import make_order_phones

    row = read("orders")[0]
    y = soundfile.read(audio.DATA / "words/orders.flac")[0]
    stored = y[int(row["start"]) : int(row["stop"])]
    mine = [r for r in read("order_phones") if r["order"] == "0"]
    assert make_order_phones.rows_of(0, row, stored) == [r | {"order": 0} for r in mine]


def test_hissing_lies_where_the_account_says():
    """Energy above 4 kHz, in the s and sh of all seven orders."""
    y, sr = soundfile.read(audio.DATA / "words/orders.flac")
    orders = read("orders")
    rows = [row for row in read("order_phones") if row["phone"] in ("S", "SH")]
    assert len(rows) == 17
    for row in rows:
        order = orders[int(row["order"])]
        x = y[int(order["start"]) : int(order["stop"])]
        D = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(x, 256)[::64] * np.hanning(256))
        high = (np.abs(D[:, 64:]) ** 2).sum(axis=1)
        times = (64 * np.arange(len(high)) + 128) / sr
        begin, end = float(row["start_s"]), float(row["end_s"])
        inside = (times > begin) & (times < end)
        near = (times > begin - 0.1) & (times < end + 0.1)
        assert high[inside].sum() > 0.85 * high[near & (high > 0)].sum()


# ---- the page ------------------------------------------------------------------------------------
def test_a_year_is_read_in_pairs():
    year = pages.solutions("44")["year"]
    said = {n: list(year(n)) for n in (1984, 1900, 1905)}
    assert said == {1984: [19, 84], 1900: [19, 100], 1905: [19, 0, 5]}


def test_the_aligner_of_the_page_comes_nearer_than_the_straight_way(unit):
    """Measured once more, from the ways that the page leaves behind."""
    truth = {}
    for row in read("order_phones"):
        truth.setdefault(int(row["order"]), []).append(float(row["end_s"]))
    medians = {}
    for step, ways in unit["found"].items():
        apart = []
        for number, ends in truth.items():
            for k, end in enumerate(
                ends[:-1]
            ):  # phone k of the order is column k + 1: "#" is first
                last = np.flatnonzero(ways[number] == k + 1)[-1]
                apart.append(abs((last + 0.5) * 0.016 - end))
        medians[step] = np.median(apart)
    assert medians[0] > 0.05 and medians[120] < 0.03
    assert "Half of them lie within 24 ms" in pages_text()
    assert medians[120] == pytest.approx(0.024, abs=0.002)


def pages_text():
    """Every word of the notebook."""
    import json

    book = json.loads((pages.ROOT / "notebooks" / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    return " ".join("".join(cell["source"]) for cell in book["cells"])


def test_the_ways_begin_and_end_and_leave_nothing_out(unit):
    for some, way in zip(unit["names"], unit["found"][120], strict=True):
        assert way[0] == 0 and way[-1] == len(some) - 1
        assert set(np.diff(way)) <= {0, 1}


def test_the_homograph_is_read_by_its_neighbours(unit):
    said = {text: " ".join(unit["reads"](text)) for text in unit["reading"]}
    assert "R IY D" in said["I will read it."]
    assert "R EH D" in said["I have read it."]
    assert "R EH D" in said["I have to read it."]  # wrong, as the page says


def test_the_metronome_is_even_and_the_robot_is_flat(unit):
    assert len(set(unit["even"][unit["plain"].frames > 0])) == 1
    assert len(set(np.round(unit["one"][unit["plain"].hertz > 0], 6))) == 1


def test_the_stage_asks_only_if_the_pitch_rises_at_the_end(unit):
    ends = [0.3, 0.5, 0.7, 1.1]

    def answered(h3, h4):
        values = {f"e{k}": end for k, end in enumerate(ends, 1)}
        return unit["heard"](**values, h1=180, h2=176, h3=h3, h4=h4)

    assert answered(150, 220)["solved"] and not answered(150, 180)["solved"]
    assert not answered(180, 220)["solved"]
    reply = answered(150, 220)
    assert np.abs(reply["sound"]).max() == pytest.approx(0.2)
    assert reply["pitch"][-1] == pytest.approx(220) and np.all(np.diff(reply["when"]) > 0)


def test_the_ends_of_the_stage_may_be_exchanged(unit):
    """Dots dragged past each other still make a sentence."""
    values = {
        "e1": 0.5,
        "h1": 80,
        "e2": 0.3,
        "h2": 320,
        "e3": 0.45,
        "h3": 80,
        "e4": 0.65,
        "h4": 320,
    }
    played, _ = unit["rescored"]([values[f"e{k}"] for k in (1, 2, 3, 4)], [80, 320, 80, 320])
    assert played.frames.min() >= 0 and played.frames.sum() > 20


def test_the_mark_is_found_by_its_key_alone(unit):
    found = {name: unit["found_mark"](y, key) for name, (y, key) in unit["tries"].items()}
    assert found["marked"] > 8 and found["half as loud"] == pytest.approx(found["marked"])
    assert found["averaged"] > 4.5
    for name in ("no mark", "another key", "ten samples late", "1 % faster"):
        assert abs(found[name]) < 4.5, name
    rng = np.random.default_rng(0)
    chance = [
        unit["found_mark"](unit["y"], rng.choice([-1.0, 1.0], len(unit["y"]))) for _ in range(200)
    ]
    assert np.std(chance) == pytest.approx(1, abs=0.15)


def test_nothing_is_loud(unit):
    for sounds in (unit["sounds"], unit["said"]):
        assert max(np.abs(y).max() for y in sounds.values()) < 0.51


def test_the_guess_stands_across_the_marks(unit, tmp_path, monkeypatch):
    for option, mark in enumerate((1.0, 1.5, 2.1, 3.2)):
        _, said = pages.figure_with_guess(unit, "44.backwards", option, tmp_path, monkeypatch)
        assert said.xy[0] == mark
    pages.figure_with_guess(unit, "44.backwards", None, tmp_path, monkeypatch)


def test_the_mean_is_nearer_on_every_sentence():
    """What the prediction 44.nearer says, from the table."""
    rows = read("voice_scores")
    error = {way: [float(r["mel_error_db"]) for r in rows if r["way"] == way] for way in (
        "mean, told", "flow, told")}  # fmt: skip
    assert len(error["mean, told"]) == SCORED
    assert all(a < b for a, b in zip(error["mean, told"], error["flow, told"], strict=True))


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/tasks/manifest.csv").is_file(), reason="needs ../shared/corpus"
)
def test_a_row_of_the_table_is_measured_again():
    """One sentence: the mean absolute difference of two log-mels, written out."""
    from tools.measure import score_voice
    from tools.training import voice as training

    row = next(r for r in read("voice_scores") if r["way"] == "mean, told")
    takes = training.read_takes(pages.SHARED / "corpus", held=True, limit=1)
    assert row["prompt"] in takes[0].file
    from helpers import _weights

    tensors, config, _ = _weights.load("voice_aligner")
    aligner = training.Aligner(**config)
    aligner.load_state_dict(tensors)
    training.align(aligner.eval(), voice.load(), takes)
    made = voice.mel(score_voice.told(takes[0]), how="mean")
    error = np.abs(made - takes[0].mel).mean() * 20 / np.log(10)
    assert float(row["mel_error_db"]) == pytest.approx(error, abs=0.01)


# ---- what the page says of its sixteen sentences -------------------------------------------------


def interval(values):
    """Mean and 95 % interval by Student's t, from scipy."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return f"{np.mean(values):.2f} ({low:.2f} to {high:.2f})"


def test_every_interval_rests_on_sixteen_sentences_and_the_page_says_so():
    text = pages_text()
    rows = read("voice_scores")
    marks = {}
    for row in rows:
        marks.setdefault(row["way"], []).append(float(row["dnsmos"]))
    assert {len(some) for some in marks.values()} == {SCORED}
    for way in ("recording", "flow", "mean", "first voice", "backwards"):
        assert interval(marks[way]) in text, way
    assert "Every interval on this page rests on 16 sentences" in text
    assert np.mean(marks["backwards"]) / np.mean(marks["recording"]) == pytest.approx(
        2 / 3, abs=0.01
    )
    assert np.mean(marks["first voice"]) - np.mean(marks["backwards"]) == pytest.approx(
        0.3, abs=0.02
    )


def test_how_many_words_would_tell_three_points():
    """Sentences drawn again by lot, flow and copy each time the same ones."""
    rows = read("voice_scores")
    wrong, words = (
        {way: np.array([int(r[name]) for r in rows if r["way"] == way]) for way in ("flow", "copy")}
        for name in ("wrong", "words")
    )
    drawn = np.random.default_rng(5).integers(SCORED, size=(4000, SCORED))
    rates = [100 * wrong[way][drawn].sum(1) / words[way][drawn].sum(1) for way in ("flow", "copy")]
    half = np.diff(np.percentile(rates[0] - rates[1], [2.5, 97.5]))[0] / 2
    gap = 100 * (wrong["flow"].sum() - wrong["copy"].sum()) / 139
    assert gap == pytest.approx(3, abs=0.3)
    assert 139 * (half / gap) ** 2 == pytest.approx(4000, rel=0.2)


def test_what_was_found_is_rough_phone_by_phone(unit):
    told, found, short, order = [], [], [], None
    for row in read("order_phones"):
        told.append(float(row["end_s"]) - max(float(row["start_s"]), 0))
        if row["order"] != order:
            order, k = row["order"], 0
        k += 1
        found.append(0.016 * np.sum(unit["found"][120][int(order)] == k))
        assert unit["names"][int(order)][k] == row["phone"]
        short.append(row["phone"] == "AH")
    assert len(told) == 206
    assert np.corrcoef(told, found)[0, 1] == pytest.approx(0.22, abs=0.05)
    assert np.mean(np.array(told)[short]) == pytest.approx(0.056, abs=0.001)
    assert np.mean(np.array(found)[short]) == pytest.approx(0.109, abs=0.01)


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/tasks/manifest.csv").is_file(), reason="needs ../shared/corpus"
)
def test_the_melody_is_hardly_flatter_than_hers():
    from helpers import _weights
    from tools.measure import score_voice
    from tools.training import voice as training

    takes = training.read_takes(pages.SHARED / "corpus", held=True, limit=SCORED)
    tensors, config, _ = _weights.load("voice_aligner")
    aligner = training.Aligner(**config)
    aligner.load_state_dict(tensors)
    training.align(aligner.eval(), voice.load(), takes)

    def strays(made):
        sung = made.hertz[(made.hertz > 0) & (made.voiced > 0.5)]
        return 12 * np.std(np.log2(sung))

    hers = np.array([strays(score_voice.told(take)) for take in takes])
    scored = [voice.score(score_voice.told(take).phones) for take in takes]
    ours = np.array([strays(made) for made in scored])
    assert np.sum(ours < hers) == 10
    assert hers.mean() == pytest.approx(2.2, abs=0.05) and ours.mean() == pytest.approx(
        2.0, abs=0.05
    )


# ---- bad input, and what people write ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1st", "one st"), ("$3.00", "three dollars"), ("$3.5", "three dollars fifty"),
        ("naïve café", "naive cafe"), ("Room 12b", "Room twelve b"),
    ],
)  # fmt: skip
def test_figures_and_accents_beside_letters(text, words):
    assert voice.phones(text) == voice.phones(words)


def test_what_is_no_text_is_refused():
    for text in (7, None, b"hello"):
        with pytest.raises(ValueError, match="give a str"):
            voice.phones(text)
    with pytest.raises(ValueError, match="does not know"):
        voice.score(["#", "XX", "#"])
    with pytest.raises(ValueError, match="does not know"):
        voice.score([])


LIBRARY = sorted(Path("/usr/lib").glob("*/libflite_cmu_us_slt.so*"))


@pytest.mark.skipif(not LIBRARY, reason="needs flite")
def test_the_page_says_how_flite_speaks():
    """Its voice slt is built by Clustergen ("cg"), which has trees of statistics, no recordings."""
    assert b"cmu_us_slt_cg_db" in LIBRARY[0].read_bytes()
    assert "by statistics and decision trees" in pages_text().split("## Chapter 1")[0]


def test_the_stage_is_a_still_in_a_page_and_not_half_alive():
    """It asks a network at every move, so neither the page's Python nor a grid answers it."""
    import nbformat

    from tools.site.engine import cutting, grids, packing

    book = nbformat.read(pages.ROOT / "notebooks" / f"{NAME}.ipynb", 4)
    ((cell, statements),) = cutting.stages(book).items()
    assert grids.title_of(statements) == ""
    values = {f"e{k}": k / 4 for k in range(1, 5)} | {f"h{k}": 150 for k in range(1, 5)}
    asked = {NAME: {str(cell): {"statements": statements, "values": values}}}
    tried = packing._tried({"stages": asked, "exercises": {}})
    assert "fault" in tried["stages"][NAME][str(cell)]
