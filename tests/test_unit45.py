"""What unit 45 lets you hear and do, and every number that its pages and its coursework state."""

import collections
import csv
import hashlib
import itertools
import json
import shutil

import numpy as np
import pytest
import soundfile
from scipy.cluster import hierarchy
from scipy.spatial import distance

from helpers import audio, listening, recogniser

NAME = "45_assistant"
TABLES = audio.DATA / "tables"
SR = 16000


def read(name):
    """A table, read without the course."""
    with open(TABLES / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---- the parts -----------------------------------------------------------------------------------


def test_the_ring_holds_what_a_queue_of_its_length_holds(unit):
    rng = np.random.default_rng(1)
    ring = unit["Ring"](0.5)
    queue = collections.deque(np.zeros(8000), maxlen=8000)
    for _ in range(30):
        block = rng.standard_normal(int(rng.integers(1, 3000)))
        ring.write(block)
        queue.extend(block)
        n = int(rng.integers(1, 8000))
        np.testing.assert_array_equal(ring.last(n), np.array(queue)[-n:])


def test_speech_ends_half_a_second_after_a_burst_of_known_length(unit):
    """Noise of 1 s at -26 dBFS in noise at -70 dBFS."""
    rng = np.random.default_rng(2)
    y = 10 ** (-70 / 20) * rng.standard_normal(3 * SR)
    y[SR : 2 * SR] += 0.05 * rng.standard_normal(SR)
    ends = [n for n in range(1600, len(y) + 1, 1600) if unit["ended"](y[:n], y[:n])]
    assert ends[0] / SR == pytest.approx(2.5, abs=0.11)
    assert not unit["ended"](y[:SR], y[:SR])
    loud = 10 ** (20 / 20) * y  # 20 dB more, of the room as well: the same answer
    assert [n for n in range(1600, len(y) + 1, 1600) if unit["ended"](loud[:n], loud[:n])] == ends


def test_the_edit_distance_is_that_of_a_plain_recursion(unit):
    rng = np.random.default_rng(3)

    def apart(a, b):
        if not a or not b:
            return len(a) + len(b)
        rest = (apart(a[1:], b) + 1, apart(a, b[1:]) + 1, apart(a[1:], b[1:]) + (a[0] != b[0]))
        return min(rest)

    for _ in range(20):
        a, b = ("".join(rng.choice(list("abc"), int(rng.integers(0, 6)))) for _ in range(2))
        assert unit["repairs"](a, b) == apart(a, b)


def test_a_reply_names_every_slot(unit):
    for row in read("orders"):
        reply = unit["reply_to"](row["text"])
        for slot in recogniser.slots(row["text"]).values():
            assert slot in reply
        assert "computer" not in reply.lower()  # it never says its own wake word


# ---- the whole -----------------------------------------------------------------------------------


class Plain:
    """Stages that know the truth by the clock, for a machine whose states are under test."""

    def __init__(self, wake_at, end_at, text="can i get a latte"):
        self.wake_at, self.end_at, self.text = wake_at, end_at, text
        self.blocks = 0

    def stages(self):
        return {
            "wakes": lambda y: self.blocks in self.wake_at,
            "ended": lambda y, before: self.blocks in self.end_at,
            "read": lambda y: np.zeros((1, 29)),
            "understand": lambda scores: self.text,
            "say": lambda text: np.full(16000, 0.1),
        }

    def run(self, make, blocks):
        machine = make(**self.stages())
        states = []
        for _ in range(blocks):
            self.blocks += 1
            machine.hear(np.zeros(1600))
            states.append(machine.state)
        return machine, states


def test_the_states_follow_each_other(unit):
    machine, states = Plain({5}, {30}).run(unit["Assistant"], 60)
    assert [state for state, _ in itertools.groupby(states)] == [
        "idle",
        "listening",
        "speaking",
        "idle",
    ]
    assert [event for _, event, _ in machine.log] == ["wake word", "order", "says"]
    assert states.count("speaking") == 10  # a second of answer


def test_who_says_the_wake_word_interrupts(unit):
    machine, states = Plain({5, 35}, {30, 55}).run(unit["Assistant"], 70)
    assert "barge-in" in [event for _, event, _ in machine.log]
    assert [state for state, _ in itertools.groupby(states)] == [
        "idle",
        "listening",
        "speaking",
        "listening",
        "speaking",
        "idle",
    ]


def test_a_stretch_without_an_order_is_passed_over_and_a_long_one_answered(unit):
    machine, states = Plain({5}, {12, 40}, text="").run(unit["Assistant"], 60)
    assert [event for _, event, _ in machine.log] == ["wake word", "not understood", "says"]
    assert states[11] == "listening"  # 0.7 s of nothing that fits: it goes on
    _, states = Plain({5}, set(), text="").run(unit["Assistant"], 100)
    assert states.index("speaking") == 84  # 8 s after the wake word, whatever is heard


def test_the_scenes_are_understood(unit):
    log = unit["serve"](unit["first"], **unit["five"])[0]
    assert [event for _, event, _ in log] == ["wake word", "order", "says"]
    assert log[1][2] == read("orders")[0]["text"]
    silent = len(unit["first"]) / SR - 4.5  # when the customer has ended
    assert 0.3 < log[1][0] - silent < 0.8
    events = [
        event for _, event, _ in unit["serve"](unit["in_a_room"](*unit["again"]), **unit["five"])[0]
    ]
    assert events == ["wake word", "order", "says", "barge-in", "order", "says"]


def test_nothing_is_answered_to_a_talk_without_the_word(unit):
    y, _ = audio.clip("librivox_a")
    assert unit["serve"](y, **unit["five"])[0] == []


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_a_tea_can_be_made_again():
    from tools.measure import make_tea

    row, made = next(make_tea.teas())
    stated = read("tea")[0]
    y = soundfile.read(audio.DATA / "words/tea.flac")[0]
    assert row["text"] == stated["text"]
    stored = y[int(stated["start"]) : int(stated["stop"])]
    np.testing.assert_allclose(made, stored, atol=1.1 / 32768)


def test_a_drink_that_nobody_trained_is_a_word_in_a_list():
    old, new = recogniser.order_grammar(), recogniser.order_grammar((*recogniser.DRINKS, "tea"))
    for row in read("tea"):
        assert new.accepts(row["text"]) and not old.accepts(row["text"])
    assert recogniser.slots("can i get a tea", (*recogniser.DRINKS, "tea")) == {"drink": "tea"}
    for half in ("can i get a", "can i get a with milk", "brew a small latte latte"):
        assert not new.accepts(half) and not old.accepts(half)


def test_the_whole_assistant_takes_13_of_the_teas(unit, page):
    y = soundfile.read(audio.DATA / "words/tea.flac")[0]
    found = [unit["understand"](unit["read"](unit["cut"](y, row))) for row in read("tea")]
    assert "tea" in unit["MENU"]
    assert sum(text == row["text"] for text, row in zip(found, read("tea"), strict=True)) == 13
    assert found.count("") == 1 and "takes 13 of them" in page


@pytest.mark.parametrize("seconds", [0.1, 1.0, 4.0])
def test_nobody_speaks_in_silence(unit, seconds):
    hiss = 1e-4 * np.random.default_rng(1).standard_normal(round(seconds * SR))
    assert unit["diarise"](hiss, 3.0) == [] and unit["diarise"](0 * hiss, 3.0) == []


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
@pytest.mark.parametrize(("drink", "right"), [("tea", 10), ("chai", 3), ("lemonade", 0)])
def test_how_well_other_drinks_are_understood(drink, right):
    from tools.measure.make_words import PITCH, speak

    grammar = recogniser.order_grammar((*recogniser.DRINKS, drink))
    found = 0
    for text in ("can i get a {}", "i want a {} with sugar", "may i have a small {}"):
        for voice, hz in PITCH.items():
            y = speak(text.format(drink), voice, 1.0, hz, to=SR)
            scores = recogniser.letter_scores(y, sr=SR)
            found += recogniser.beam(scores, width=80, grammar=grammar) == text.format(drink)
    assert found == right


# ---- the conversation ----------------------------------------------------------------------------


class Echo:
    """Answers every tenth block with its own sound, and writes that down."""

    def __init__(self):
        self.log = []
        self.blocks = 0

    def hear(self, y):
        self.blocks += 1
        assert y.shape == (1600,)
        if self.blocks % 10:
            return None
        self.log.append((self.blocks / 10, "echo", ""))
        return np.full(800, 0.1)


def test_a_conversation_converts_the_rate_cuts_blocks_and_keeps_both_sides(monkeypatch):
    widget = listening.conversation(Echo)
    answers = []
    monkeypatch.setattr(widget, "send", lambda c, buffers=(): answers.append((c, buffers)))
    widget._on_message(widget, {"do": "start", "sr": 48000}, [])
    t = np.arange(3 * 48000) / 48000
    y = (0.1 * np.sin(2 * np.pi * 500 * t)).astype("<f4")
    for n, part in enumerate(np.split(y, 48)):
        widget._on_message(widget, {"do": "block", "n": n + 1}, [part.tobytes()])
    kinds = [content["kind"] for content, _ in answers]
    assert kinds.count("done") == 48 and kinds.count("say") == kinds.count("log") == 2
    assert [c["text"] for c, _ in answers if c["kind"] == "log"] == ["1.0 s  echo", "2.0 s  echo"]
    heard, said = widget.sound()
    assert len(heard) >= 2.8 * SR
    mid = heard[SR : 2 * SR]
    assert np.argmax(np.abs(np.fft.rfft(mid))) == 500
    assert np.sqrt(2 * np.mean(mid**2)) == pytest.approx(0.1, rel=0.01)
    assert (np.flatnonzero(said)[0], np.count_nonzero(said)) == (16000, 1600)


def test_a_fault_of_the_learners_function_is_said(monkeypatch):
    widget = listening.conversation(lambda: None)
    answers = []
    monkeypatch.setattr(widget, "send", lambda c, buffers=(): answers.append(c))

    class Broken(Echo):
        def hear(self, y):
            raise KeyError("wakes")

    widget._make = Broken
    widget._on_message(widget, {"do": "start", "sr": 16000}, [])
    widget._on_message(widget, {"do": "block", "n": 1}, [np.zeros(16000, "<f4").tobytes()])
    assert answers[-1]["kind"] == "fault" and "wakes" in answers[-1]["text"]
    with pytest.raises(ValueError, match="function"):
        listening.conversation(3)


@pytest.mark.parametrize("answer", [np.zeros((2, 5)), np.array([0.1, np.nan]), np.float64(0.1)])
def test_an_answer_that_is_no_row_of_numbers_is_said(monkeypatch, answer):
    widget = listening.conversation(Echo)
    answers = []
    monkeypatch.setattr(widget, "send", lambda c, buffers=(): answers.append(c))
    monkeypatch.setattr(Echo, "hear", lambda self, y: answer)
    widget._on_message(widget, {"do": "start", "sr": 16000}, [])
    widget._on_message(widget, {"do": "block", "n": 1}, [np.zeros(16000, "<f4").tobytes()])
    assert [a["kind"] for a in answers] == ["fault"] and "finite" in answers[0]["text"]
    assert widget.sound().shape[0] == 2


def test_a_conversation_without_a_partner_or_a_block_is_refused(monkeypatch):
    widget = listening.conversation(lambda: None)
    answers = []
    monkeypatch.setattr(widget, "send", lambda c, buffers=(): answers.append(c))
    widget._on_message(widget, {"do": "start", "sr": 16000}, [])
    assert answers == [{"kind": "fault", "text": answers[0]["text"]}]
    assert "None, which has no hear" in answers[0]["text"]
    for block in (0, -1, 0.5, "a"):
        with pytest.raises(ValueError, match="block"):
            listening.conversation(Echo, block=block)


@pytest.mark.parametrize(
    "drinks", ["tea", ("Tea",), ("7up",), ("",), ("jägertee",), (3,), (" tea",)]
)
def test_a_menu_that_no_letter_can_spell_is_refused(drinks):
    with pytest.raises(ValueError, match="small letters"):
        recogniser.order_grammar(drinks)


# ---- voices --------------------------------------------------------------------------------------


def test_the_clustering_is_average_linkage(unit):
    """Cosine distances in SciPy, cut at one minus the limit."""
    rng = np.random.default_rng(5)
    for n in (6, 15, 30):
        E = rng.standard_normal((4, 8))[rng.integers(0, 4, n)] + 0.5 * rng.standard_normal((n, 8))
        E /= np.linalg.norm(E, axis=1, keepdims=True)
        for limit in (0.1, 0.4, 0.7):
            ours = unit["cluster"](E, limit)
            tree = hierarchy.linkage(distance.pdist(E, "cosine"), "average")
            theirs = hierarchy.fcluster(tree, 1 - limit, "distance")
            pairs = list(itertools.combinations(range(n), 2))
            assert [ours[a] == ours[b] for a, b in pairs] == [
                theirs[a] == theirs[b] for a, b in pairs
            ]


def test_a_union_costs_as_much_as_it_adds_to_the_squares(unit):
    """Ward's groups: each step by hand is the one that adds the least to the spread within."""

    def spread(rows):
        return np.sum((rows - rows.mean(axis=0)) ** 2)

    rng = np.random.default_rng(8)
    for limit in (0.6, 1.0, 1.6):
        E = rng.standard_normal((3, 6))[rng.integers(0, 3, 25)] + 0.6 * rng.standard_normal((25, 6))
        E /= np.linalg.norm(E, axis=1, keepdims=True)
        groups = [[k] for k in range(25)]
        while len(groups) > 1:
            costs = {
                (i, j): spread(E[groups[i] + groups[j]])
                - spread(E[groups[i]])
                - spread(E[groups[j]])
                for i, j in itertools.combinations(range(len(groups)), 2)
            }
            i, j = min(costs, key=costs.get)
            if np.sqrt(2 * costs[i, j]) > limit:
                break
            groups[i] += groups.pop(j)
        found = unit["ward"](E, limit)
        assert {frozenset(g) for g in groups} == {
            frozenset(np.flatnonzero(found == k)) for k in np.unique(found)
        }


def test_the_number_of_people_does_not_grow_with_the_meeting(unit):
    """Three voices as clear directions; the same for a minute and for ten."""
    rng = np.random.default_rng(9)
    centres = np.linalg.qr(rng.standard_normal((120, 3)))[0].T
    for n in (60, 240, 2400):
        E = centres[np.repeat(np.arange(3), n // 3)] + 0.06 * rng.standard_normal((n, 120))
        E /= np.linalg.norm(E, axis=1, keepdims=True)
        who = unit["second_pass"](E, unit["ward"](E, unit["LIMIT"]))
        assert len(set(who)) == 3
        assert all(len(set(part)) == 1 for part in np.split(who, 3))


def test_a_second_pass_never_lies_further_from_the_means(unit):
    rng = np.random.default_rng(10)
    E = rng.standard_normal((40, 5))
    E /= np.linalg.norm(E, axis=1, keepdims=True)
    before = rng.integers(0, 3, 40)

    def near(group):  # the cosines to the mean of one's own group, added up
        return sum(np.linalg.norm(E[group == k].sum(axis=0)) for k in np.unique(group))

    heights = [near(unit["second_pass"](E, before, passes)) for passes in range(6)]
    assert (np.diff(heights) > -1e-12).all() and heights[5] > heights[0] + 1


def test_pauses_belong_to_who_speaks_on_both_sides(unit):
    label = np.repeat([-1, 0, -1, 0, -1, 1, -1, 1, -1], [9, 50, 24, 50, 20, 60, 25, 40, 5])
    assert unit["turns_of"](label) == [(0.18, 2.66, 0), (3.06, 4.26, 1), (4.76, 5.56, 1)]


@pytest.mark.parametrize("seconds", [0.4, 1.1, 1.3, 2.0])
def test_a_short_sound_has_one_speaker_or_none(unit, seconds):
    y = audio.clip("arctic_slt")[0][: round(seconds * SR)]
    assert len({who for *_, who in unit["diarise"](y, unit["LIMIT"])}) == (seconds > 1.2)


def test_the_best_map_of_names_is_the_best_of_all(unit):
    """All maps tried, on turns of random length; two people speak at once now and then."""
    rng = np.random.default_rng(6)
    for _ in range(10):
        turns = [[], []]
        for mine in turns:
            now = 0.0
            while now < 9:
                length = float(rng.uniform(0.5, 2))
                mine.append((now, now + length, int(rng.integers(3))))
                now += length - 0.2
        parts = unit["error_parts"](*turns, 12.0)
        R, H = (unit["frames_of"](some, 12.0) for some in turns)
        if len(R) != len(H):
            continue
        n, m = R.sum(axis=0), H.sum(axis=0)
        least = min(
            (np.maximum(n, m) - (R & H[list(order)]).sum(axis=0)).sum()
            for order in itertools.permutations(range(len(H)))
        )
        errors = parts["missed"] + parts["false"] + parts["confused"]
        assert errors == pytest.approx(least / 50)
        assert parts["spoken"] == pytest.approx(n.sum() / 50)


def test_the_level_of_a_voice_plays_no_part(unit):
    y = audio.clip("arctic_slt")[0]
    a, b = (unit["voice_of"](gain * y) for gain in (1.0, 0.05))
    assert a @ b > 0.995 and np.linalg.norm(a) == pytest.approx(1)
    other = unit["voice_of"](audio.clip("arctic_awb")[0])
    assert a @ other < 0.3


def test_the_equal_error_rate_is_where_both_mistakes_are_as_frequent(unit):
    rng = np.random.default_rng(7)
    same, other = rng.normal(1, 1, 20_000), rng.normal(-1, 1, 20_000)
    rate, limit = unit["equal_error"](same[::10], other[::10])
    assert rate == pytest.approx(0.1587, abs=0.01) and limit == pytest.approx(0, abs=0.06)


def test_nobody_of_the_test_taught():
    """People by a hash of their names, and nobody on two sides."""
    from tools.training import keyword_sounds

    names = [f"ls-{k}" for k in range(2000)]
    parts = collections.Counter(keyword_sounds.part_of(name) for name in names)
    assert parts["heldout"] / len(names) == pytest.approx(0.2, abs=0.03)
    number = int(hashlib.sha1(b"ls-460").hexdigest(), 16)
    assert (keyword_sounds.part_of("ls-460") == "heldout") == (number % 10 < 2)


def test_a_promise_is_a_plain_hash(unit):
    text = json.dumps(["cold brew", unit["guesses"]])
    assert unit["promise_made"] == hashlib.sha256(text.encode()).hexdigest()


def test_nothing_is_loud(unit):
    for name in ("first", "meeting", "answer", "out", "table_sound"):
        assert np.abs(unit[name]).max() < 0.71


# ---- coming to an end ----------------------------------------------------------------------------


def test_the_certificate_asks_for_this_unit():
    from helpers import coursework

    assert "Unit 45: 5 of 5 exercises and 8 of 8 questions" in str(coursework.certificate("Ada"))


def test_the_timeline_is_lost_at_first_and_can_be_won(unit):
    stage = unit["timeline_stage"]
    at_first = stage(2.4, 8.0, 9.6, 15.0, "Italian", "all")
    assert not at_first["solved"]
    best = stage(3.4, 6.9, 10.5, 14.2, "Scot", "missed")
    assert best["solved"].startswith("Yes:")
    assert not stage(3.4, 6.9, 10.5, 14.2, "reader", "all")["solved"]
    # what is drawn: a bar without a gap of its own, so a gap means that nothing is wrong there
    assert all(line["solid"] for line in unit["rows_drawn"] if "solid" in line)
    assert sum("solid" in line for line in unit["rows_drawn"]) == 7


# ---- the tables ----------------------------------------------------------------------------------


def of(room, oracle, what="right"):
    """Orders that are right (or heard) in a room with an oracle, and all orders."""
    rows = [r for r in read("assistant_blame") if (r["room"], r["oracle"]) == (room, oracle)]
    assert len({r["group"] for r in rows}) == len(rows) == 10
    return sum(int(r[what]) for r in rows), sum(int(r["orders"]) for r in rows)


def test_the_blame_is_the_one_of_the_page(page, texts):
    right = {
        "quiet": {
            "none": 100,
            "wake word": 116,
            "end of speech": 100,
            "letters": 103,
            "meaning": 104,
        },
        "noise 10 dB": {
            "none": 76,
            "wake word": 84,
            "end of speech": 92,
            "letters": 92,
            "meaning": 93,
        },
        "denoised": {"none": 81, "wake word": 100},
    }
    for room, oracles in right.items():
        for oracle, count in oracles.items():
            assert of(room, oracle) == (count, 121)
        assert of(room, "all") == (121, 121)
    assert [121 - of(room, "none", "woke")[0] for room in right] == [17, 12, 22]
    assert "in quiet 82.6 % of the orders are right, and 95.9 %" in page
    assert "misses 17 of 121 calls in quiet, and twelve in noise" in page
    assert "99 calls of 121 are heard through it, 109 without" in page
    gains = [
        100 * (right["noise 10 dB"][k] - 76) / 121
        for k in ("wake word", "end of speech", "letters", "meaning")
    ]
    assert [round(g, 1) for g in gains] == [6.6, 13.2, 13.2, 14.0] and round(sum(gains)) == 47
    assert round(100 * (121 - 76) / 121) == 37
    assert "17 of 121 calls are missed" in texts


def test_all_calls_that_are_missed_are_by_two_people(page):
    """The trials take every seventh word; a word is missed below the limit, here as in unit 41."""
    words = read("wake_words")
    calls = [words[7 * k % len(words)] for k in range(121)]
    missed = [row["voice"] for row in calls if float(row["clean"]) <= -1]
    voices = [row["voice"] for row in calls]
    assert len(missed) == 121 - of("quiet", "none", "woke")[0] == 17 and len(set(voices)) == 10
    found = {v: (missed.count(v), voices.count(v)) for v in set(missed)}
    assert sorted(found.values()) == [(5, 21), (12, 15)]
    assert "12 of the 15 calls of one and 5 of the 21 of another" in page
    assert sum(float(row["clean"]) <= -1 for row in words) == 14 and len(words) == 102
    room = read("wake_background")
    assert round(sum(float(row["hours"]) for row in room), 2) == 1.24
    assert sum(float(h) > -1 for row in room for h in row["heights"].split()) == 2


def test_the_gain_of_the_enhancer_is_the_one_of_the_page():
    """Drawn over groups, with a generator of its own."""
    groups = sorted({r["group"] for r in read("assistant_blame")})
    count = {(r["room"], r["oracle"], r["group"]): r for r in read("assistant_blame")}
    drawn = np.random.default_rng(1).integers(len(groups), size=(20_000, len(groups)))
    for oracle, low, high in (("none", -0.8, 9.9), ("wake word", 7.7, 19.6)):
        with_it, without = ([count[room, oracle, g] for g in groups] for room in ROOMS)
        orders = np.array([int(row["orders"]) for row in with_it])
        after, before = (np.array([int(r["right"]) for r in some]) for some in (with_it, without))
        gains = (after - before)[drawn].sum(axis=1) / orders[drawn].sum(axis=1)
        ends = np.percentile(100 * gains, [2.5, 97.5])
        np.testing.assert_allclose(ends, [low, high], atol=0.6)


ROOMS = ("denoised", "noise 10 dB")


def test_the_waits_are_those_of_the_page(page):
    parts = np.array(
        [
            [float(r[k]) for k in ("late", "read", "understand", "say")]
            for r in read("assistant_seconds")
        ]
    )
    assert len(parts) == of("quiet", "none", "woke")[0] == 104
    whole = parts.sum(axis=1)
    assert np.percentile(whole, 95) == pytest.approx(0.78, abs=0.005)
    assert np.median(whole) == pytest.approx(0.55, abs=0.005)
    assert np.percentile(parts, 95, axis=0).sum() == pytest.approx(0.84, abs=0.005)
    assert np.median(parts[:, 0] / whole) == pytest.approx(2 / 3, abs=0.02)
    assert abs(np.corrcoef(parts[:, 0], parts[:, 2])[0, 1]) < 0.1  # slow ones seldom meet
    # four stages that hang for a second in 3 of 100 cases: the whole is worse than the sum
    hang = (np.random.default_rng(2).random((100_000, 4)) < 0.03).astype(float)
    assert np.percentile(hang, 95, axis=0).sum() == 0 and np.percentile(hang.sum(axis=1), 95) >= 1
    assert round(100 * (1 - 0.97**4)) == 11
    assert "95 of 100 answers begin within 0.78 s" in page


def test_what_silence_costs(page, texts):
    rows = {float(r["silence"]): r for r in read("assistant_silence")}
    assert round(100 * int(rows[0.1]["cut"]) / 121) == 26 and int(rows[0.2]["cut"]) == 1
    assert int(rows[0.5]["cut"]) == 0 and round(100 * int(rows[0.5]["right"]) / 121) == 96
    assert float(rows[0.5]["late_95"]) < 0.6
    assert "with 0.1 s of silence 26 % of the orders are cut off" in page and "yes, 26" in texts


def test_the_meetings_are_those_of_the_page(page):
    """Rates and intervals from the table, drawn by a generator of our own."""
    kinds = ("spoken", "missed", "false", "confused")
    ends = {"average": (20.1, 25.6), "ward": (12.1, 14.3), "again": (9.5, 11.5)}
    ends |= {"pauses": (7.4, 9.6), "told": (6.9, 8.6)}
    der = {"average": 22.6, "ward": 13.2, "again": 10.4, "pauses": 8.5, "told": 7.7}
    confused, right = {}, {}
    drawn = np.random.default_rng(2).integers(60, size=(10_000, 60))
    for step, stated in der.items():
        rows = [row for row in read("meetings") if row["step"] == step]
        X = np.array([[float(row[k]) for k in kinds] for row in rows])
        whole = X.sum(axis=0)
        assert len(X) == 60 and 100 * whole[1:].sum() / whole[0] == pytest.approx(stated, abs=0.05)
        many = X[drawn].sum(axis=1)
        rates = 100 * many[:, 1:].sum(axis=1) / many[:, 0]
        np.testing.assert_allclose(np.percentile(rates, [2.5, 97.5]), ends[step], atol=0.25)
        confused[step] = 100 * whole[3] / whole[0]
        right[step] = sum(row["people"] == row["found"] for row in rows)
    assert right == {"average": 7, "ward": 53, "again": 53, "pauses": 53, "told": 60}
    assert [round(confused[k]) for k in ("average", "ward", "again")] == [15, 6, 3]
    assert "right in 53 of 60, and the confusion falls from 15 to 6 %" in page
    assert "| 8.5 %, the number of people right in 53 of 60 |" in page
    averaged = [row for row in read("meetings") if row["step"] == "average"]
    extra = [int(row["found"]) - int(row["people"]) for row in averaged]
    assert np.mean(extra) == pytest.approx(2.4, abs=0.05) and "finds 2.4 people too many" in page


def test_the_layers_forget_who_speaks(page):
    layers = [100 * float(r["eer"]) for r in read("speaker_layers")]
    assert [round(x, 1) for x in layers] == [6.0, 20.9, 35.1, 42.1, 44.3, 46.5]
    assert "6.0 %, 21 %, 35 %, and in the end 47 %" in page


def test_the_equal_error_rates_are_those_of_the_page(page):
    """By another way than the page's: both kinds of mistakes along all limits, in one sort."""
    for test, stated in (("readers", 3.2), ("orders", 3.2), ("words", 3.8)):
        rows = sorted(
            (float(r["cosine"]), r["pair"]) for r in read("speaker_pairs") if r["test"] == test
        )
        same = np.array([pair == "same" for _, pair in rows])
        missed, taken = np.cumsum(same) / same.sum(), 1 - np.cumsum(~same) / (~same).sum()
        k = np.abs(missed - taken).argmin()
        assert 50 * (missed[k] + taken[k]) == pytest.approx(stated, abs=0.35)
    assert "| 3.2, 3.2 and 3.8 % |" in page
