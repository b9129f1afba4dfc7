"""What unit 43 lets you hear, and every number that its pages and its coursework state."""

import csv
import importlib.util
import itertools
import math
import shutil

import numpy as np
import pytest
import soundfile
import torch

from helpers import audio, recogniser
from tests import pages
from tests.pages import level

NAME = "43_recognition"
TABLES = audio.DATA / "tables"


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- the orders ----------------------------------------------------------------------------------


def test_twelve_orders_by_four_voices_at_one_level():
    rows = read("orders")
    y, sr = soundfile.read(audio.DATA / "words/orders.flac")
    assert (sr, y.ndim, len(rows)) == (16000, 1, 12)
    assert {row["voice"] for row in rows} == {"awb", "kal16", "rms", "slt"}
    end = 0
    for row in rows:
        start, stop = int(row["start"]), int(row["stop"])
        assert start >= end
        end = stop
        order = y[start:stop]
        assert level(order) == pytest.approx(-26, abs=0.05) or np.abs(order).max() > 0.49
        assert np.abs(order).max() < 0.502
        assert max(np.abs(order[:2]).max(), np.abs(order[-2:]).max()) < 0.002


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_an_order_can_be_made_again():
    from tools.measure import make_orders

    row, made = next(make_orders.orders())
    stated = read("orders")[0]
    y = soundfile.read(audio.DATA / "words/orders.flac")[0]
    assert row["text"] == stated["text"]
    stored = y[int(stated["start"]) : int(stated["stop"])]
    np.testing.assert_allclose(made, stored, atol=1.1 / 32768)


# ---- the recogniser ------------------------------------------------------------------------------


def collapse(path):
    kept = [k for t, k in enumerate(path) if t == 0 or k != path[t - 1]]
    return [k for k in kept if k]


def test_a_wide_beam_finds_the_likeliest_of_all_texts():
    """All paths of five frames over four signs, one by one."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        P = np.full((5, 29), 1e-9)
        P[:, [0, 1, 2, 3]] = rng.dirichlet(np.ones(4) * 0.6, size=5)
        total = {}
        for path in itertools.product(range(4), repeat=5):
            text = "".join("-abc"[k] for k in collapse(path))
            total[text] = total.get(text, 0) + np.prod(P[np.arange(5), path])
        assert recogniser.beam(np.log(P), width=500) == max(total, key=total.get)


def test_the_grammar_accepts_the_orders_and_little_else():
    grammar = recogniser.order_grammar()
    for row in read("orders"):
        assert grammar.accepts(row["text"])
        assert not grammar.accepts(row["text"] + " please")
        assert not grammar.accepts(row["text"][1:])
    assert not grammar.accepts("can i get a large")
    assert grammar.accepts("brew an large medium roast triple shot coffee with milk and sugar")


def test_the_grammar_has_about_120_million_sentences():
    r = recogniser
    some = (len(r.SIZES), len(r.ROASTS), len(r.SHOTS))
    before = sum(
        math.factorial(k) * math.prod(kinds)
        for k in range(4)
        for kinds in itertools.combinations(some, k)
    )
    milk, sugar = len(r.AMOUNTS) * len(r.MILKS), len(r.AMOUNTS) * len(r.SUGARS)
    ends = 1 + milk + sugar + 2 * milk * sugar
    count = len(r.OPENINGS) * 2 * before * len(r.DRINKS) * ends
    assert count == pytest.approx(120e6, rel=0.02)
    texts = [*r.OPENINGS, *r.SIZES, *r.ROASTS, *r.SHOTS, *r.DRINKS, *r.AMOUNTS, *r.MILKS, *r.SUGARS]
    words = {word for text in texts for word in text.split()} | {"a", "an", "with", "and"}
    assert len(words) == WORDS


WORDS = 55


def test_slots_are_what_an_order_asks_for():
    slots = recogniser.slots
    assert slots("make me an medium roast house coffee with brown sugar and a bit of milk") == {
        "roast": "medium roast", "drink": "house coffee", "sugar": "brown sugar",
        "milk": "a bit of milk",
    }  # fmt: skip
    assert slots("i want a medium light roast double shot latte") == {
        "size": "medium", "roast": "light roast", "shots": "double shot", "drink": "latte",
    }  # fmt: skip
    assert slots("i am late for my train") == {}


def test_the_level_of_a_recording_plays_no_part():
    y, sr = audio.clip("arctic_slt")
    a, b = (recogniser.letter_scores(gain * y, sr=sr) for gain in (1.0, 0.01))
    np.testing.assert_allclose(a, b, atol=2e-2)


def test_some_other_sentence_becomes_an_order():
    """What the quiz says: the grammar refuses nothing."""
    y, sr = audio.clip("arctic_slt")
    scores = recogniser.letter_scores(y, sr=sr)
    text = recogniser.beam(scores, width=80, grammar=recogniser.order_grammar())
    assert text == "" or recogniser.order_grammar().accepts(text)


# ---- the page ------------------------------------------------------------------------------------


def test_the_sum_over_paths_is_pytorchs(unit):
    rng = np.random.default_rng(1)
    for T, K, L in ((8, 5, 3), (40, 29, 12), (120, 29, 44)):
        P = rng.dirichlet(np.ones(K), size=T)
        labels = rng.integers(1, K, L).tolist()
        theirs = torch.nn.functional.ctc_loss(
            torch.tensor(np.log(P))[:, None], torch.tensor([labels]), (T,), (L,), reduction="sum"
        )
        assert unit["forward"](np.log(P), labels) == pytest.approx(-theirs.item(), abs=1e-7)


def test_the_edit_distance_is_that_of_a_plain_recursion(unit):
    import functools

    @functools.cache
    def apart(a, b):
        if not a or not b:
            return len(a) + len(b)
        rest = (apart(a[1:], b) + 1, apart(a, b[1:]) + 1, apart(a[1:], b[1:]) + (a[0] != b[0]))
        return min(rest)

    rng = np.random.default_rng(2)
    for _ in range(20):
        a, b = (tuple(rng.integers(0, 3, rng.integers(0, 7)).tolist()) for _ in range(2))
        assert unit["edit_table"](a, b)[-1, -1] == apart(a, b)
    assert unit["pooled"] == pytest.approx(9 / 13)


@pytest.mark.skipif(importlib.util.find_spec("jiwer") is None, reason="needs jiwer, a peer")
def test_the_pooled_rate_is_jiwers(unit):
    import jiwer

    said, heard = zip(*unit["pairs"], strict=True)
    assert jiwer.wer(list(said), list(heard)) == pytest.approx(unit["pooled"])


def test_the_numbers_of_paths_are_binomials(unit):
    assert unit["how_many"][""] == 1 and unit["how_many"]["aba"] == 7
    assert unit["how_many"]["a"] == 10 and unit["how_many"]["aa"] == 5
    assert math.comb(62, 24) == pytest.approx(9.7e16, rel=0.01)
    assert math.comb(240, 80) > 1e50


def test_the_alignment_is_the_best_of_all_paths(unit):
    rng = np.random.default_rng(3)
    for labels in ([1, 2], [2, 2], [1]):
        S = np.log(rng.dirichlet(np.ones(3), size=5))
        some = [p for p in itertools.product(range(3), repeat=5) if collapse(p) == labels]
        best = max(some, key=lambda path: S[np.arange(5), list(path)].sum())
        assert tuple(unit["align"](S, labels)) == best


def test_the_trellis_says_one_text_by_the_likeliest_path_and_another_one_by_all(unit):
    assert collapse(unit["likeliest_path"]) == []
    assert unit["likeliest"] != ""
    at_first = unit["trellis"](0, 0, 0, 0, 0)
    assert not at_first["solved"] and "says “”" in at_first["readout"]
    text = [unit["SIGNS"].index(c) for c in unit["likeliest"]]
    some = [p for p in itertools.product(range(3), repeat=5) if collapse(p) == text]
    chances = {p: np.prod(unit["CHANCES"][np.arange(5), list(p)]) for p in some}
    best = max(chances, key=chances.get)
    assert unit["trellis"](*best)["solved"]
    assert chances[best] <= np.prod(unit["CHANCES"][:, 0])
    worst = min(chances, key=chances.get)
    assert not unit["trellis"](*worst)["solved"]


def test_the_search_of_the_page_is_the_one_of_the_course(unit):
    for y in unit["orders"][:4]:
        scores = recogniser.letter_scores(y, sr=16000)
        assert unit["search"](scores)[0] == recogniser.beam(scores)


# phones of each word, and when flite lets each end [s] (flite -psdur); the clip begins 0.2906 s
# late, by its correlation with flite's own sound (0.99999)
PHONES = (3, 1, 3, 1, 4, 4, 3, 2, 4)
ENDS = """0.370 0.503 0.566 0.704 0.826 0.930 0.978 1.027 1.193 1.316 1.362 1.467 1.534 1.636 1.715
    1.775 1.899 1.950 2.012 2.199 2.387 2.467 2.581 2.665 2.789"""


def test_the_borders_of_words_are_near_those_of_the_machine_that_spoke(unit):
    ends = np.array(ENDS.split(), float) - 0.2906
    truth = ends[np.cumsum(PHONES)[:-1] - 1]
    np.testing.assert_allclose(unit["own"], truth, atol=0.001)
    off = np.abs(unit["borders"][1:-1] - truth)
    assert off.mean() == pytest.approx(0.084, abs=0.002) and off.max() < 0.15


def test_a_network_from_nothing_learns_its_clips_and_no_new_voice(unit):
    errors = unit["errors"]
    assert errors["clips that taught"] < 0.1
    assert errors["new takes, voices it has met"] < errors["a new voice"] - 0.2
    assert unit["losses"][0] > 2 > 0.5 > np.mean(unit["losses"][-20:])


def test_nothing_is_loud(unit):
    assert max(np.abs(y).max() for y in unit["orders"]) < 0.51
    assert max(np.abs(piece).max() for piece in unit["pieces"]) < 0.51


def test_the_guess_stands_across_the_bars(unit, tmp_path, monkeypatch):
    for option, percent in enumerate((75, 60, 30, 0)):
        _, said = pages.figure_with_guess(unit, "43.people", option, tmp_path, monkeypatch)
        assert said.xy[0] == percent
    pages.figure_with_guess(unit, "43.people", None, tmp_path, monkeypatch)


# ---- the table -----------------------------------------------------------------------------------


@pytest.mark.skipif(
    not (pages.SHARED / "corpus/tasks/orders.csv").is_file(), reason="needs ../shared/corpus"
)
def test_a_group_of_the_table_is_read_again():
    """The smallest group, with an edit distance of its own."""
    from tools.training.orders import kept_apart, read_orders

    rows = [r for r in read("order_scores") if (r["condition"], r["method"]) == ("clean", "greedy")]
    row = min(rows, key=lambda r: int(r["orders"]))
    mine = [o for o in read_orders(pages.SHARED / "corpus") if o.group == int(row["group"])]
    assert all(kept_apart(o) for o in mine) and len(mine) == int(row["orders"])
    wrong = 0
    for order in mine:
        scores = recogniser.letter_scores(order.y.numpy(), sr=16000)
        text = "".join(recogniser.ALPHABET[k] for k in collapse(scores.argmax(axis=1))).split()
        D = np.arange(len(text) + 1)
        for i, word in enumerate(order.text.split(), 1):
            diagonal, D[0] = D[0], i
            for j, other in enumerate(text, 1):
                diagonal, D[j] = D[j], min(D[j] + 1, D[j - 1] + 1, diagonal + (word != other))
        wrong += D[-1]
    assert wrong == int(row["edits"])


def test_the_groups_differ_by_more_than_chance():
    """The wrong orders are dealt out to the groups at random."""
    some = [r for r in read("order_scores") if (r["condition"], r["method"]) == ("clean", "greedy")]
    n, right = (np.array([int(r[k]) for r in some]) for k in ("orders", "accepted"))
    share = right.sum() / n.sum()
    owner = np.repeat(np.arange(len(n)), n)
    orders = np.arange(n.sum()) < right.sum()
    rng = np.random.default_rng(0)
    dealt = [np.bincount(owner, rng.permutation(orders), len(n)) for _ in range(5000)]
    apart = [((found - n * share) ** 2 / n).sum() for found in (right, *dealt)]
    assert np.mean(np.array(apart[1:]) >= apart[0]) < 0.001


def test_facts_in_the_text():
    a = ["Can", "I", "get", "a", "Latte,", "please?"]
    b = ["can", "i", "get", "a", "latte", "please"]
    assert sum(x != y for x, y in zip(a, b, strict=True)) == 4
    text = read("orders")[0]["text"]
    assert all(x != y for x, y in itertools.pairwise(text))
    assert math.comb(79 + len(text), 2 * len(text)) == pytest.approx(7e31, rel=0.1)
    assert pytest.approx(595e6, rel=0.001) == 29**6


def test_the_table_says_what_the_page_says(page):
    rows = read("order_scores")

    def share(condition, method, groups=None):
        some = [r for r in rows if (r["condition"], r["method"]) == (condition, method)]
        some = [r for r in some if groups is None or r["group"] in groups]
        total = {k: sum(int(r[k]) for r in some) for k in ("orders", "words", "edits", "accepted")}
        return 100 * total["edits"] / total["words"], 100 * total["accepted"] / total["orders"]

    assert share("clean", "greedy") == pytest.approx((6.5, 78.5), abs=0.06)
    assert share("clean", "grammar")[1] == pytest.approx(95.0, abs=0.06)
    assert share("clean", "PocketSphinx, grammar")[1] == pytest.approx(92.6, abs=0.06)
    assert share("noise 10 dB", "grammar")[1] == pytest.approx(86.8, abs=0.06)
    assert share("denoised", "grammar")[1] == pytest.approx(91.7, abs=0.06)
    assert share("clean", "greedy", {"6"})[1] == 30 and share("clean", "greedy", {"41"})[1] < 34
    groups = sorted({r["group"] for r in rows})
    assert sum(share("clean", "greedy", {g})[1] > 90 for g in groups) == 4
    methods = {"greedy": 26, "beam": 28, "nearest word": 15, "grammar": 6}
    for method, wrong in methods.items():
        assert 121 - round(1.21 * share("clean", method)[1]) == wrong
    assert "26 of 121" in page and "it leaves 28" in page and "leaves 15 wrong" in page
    assert share("clean", "grammar", {"6"})[1] == 90
    gains = {
        g: share("clean", "grammar", {g})[1] - share("clean", "greedy", {g})[1] for g in groups
    }
    assert sorted(gains, key=gains.get)[-2:] == ["41", "6"]
    assert [round(gains[g]) for g in ("6", "41")] == [60, 33]
    assert min(groups, key=lambda g: share("clean", "grammar", {g})[1]) == "41"
    assert "| 78.5 % (65 to 89) |" in page and "between −2.6 and +7.2 points" in page
    drawn = np.random.default_rng(5).integers(len(groups), size=(50_000, len(groups)))
    fields = ("orders", "words", "edits", "accepted")
    count = {(r["condition"], r["method"], r["group"]): [int(r[k]) for k in fields] for r in rows}

    def draws(condition, method):
        table = np.array([count[condition, method, g] for g in groups])
        orders, words, wrong, right = table[drawn].sum(axis=1).T
        return wrong / words, right / orders

    wer, plain = draws("clean", "greedy")
    best = draws("clean", "grammar")[1]
    gap = best - draws("clean", "PocketSphinx, grammar")[1]
    helped, helped_plain = (
        draws("denoised", m)[1] - draws("noise 10 dB", m)[1] for m in ("grammar", "greedy")
    )
    ends = 100 * np.percentile([wer, plain, best, gap, helped, helped_plain], [2.5, 97.5], axis=1)
    low, high = ends
    np.testing.assert_allclose(low, [3.7, 65, 89, -2.6, -1.6, 1.8], atol=0.55)
    np.testing.assert_allclose(high, [9.5, 89, 99, 7.2, 10.5, 11.5], atol=0.55)


def test_nobody_of_the_test_taught():
    from tools.training import orders

    for group in range(60):
        order = orders.Order(torch.zeros(1), "", group, [])
        assert orders.kept_apart(order) == (group % 7 in (0, 6))


# ---- the optional cell ---------------------------------------------------------------------------


def test_the_optional_cell_fetches_nothing_by_itself(unit, capsys):
    (source,) = pages.code_cells(NAME, tag="optional")
    exec(source, dict(unit))
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and ("150 MB" in said or "200 MB" in said)
