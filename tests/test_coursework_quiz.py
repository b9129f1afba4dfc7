"""Quizzes and predictions: the questions themselves, and the widget's Python half."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from helpers import coursework
from helpers.coursework import catalogue, store

UNITS = {number: catalogue.unit(number) for number in catalogue.units()}
each_unit = pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
QUESTIONS = {f"{n}.{q['key']}": q for n, unit in UNITS.items() for q in unit["question"]}
each_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
PREDICTIONS = {p["key"]: p for unit in UNITS.values() for p in unit["predict"]}


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Keep the progress of each test in a file of its own."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(store, "_waiting", [])
    return tmp_path / "progress.json"


def key_of(question):
    """Return the position of the right option."""
    return [bool(option.get("right")) for option in question["option"]].index(True)


# ---------------------------------------------------------------- the questions


@pytest.mark.parametrize("number", UNITS)
def test_unit_has_its_parts(number):
    unit = UNITS[number]
    assert len(unit["question"]) >= 5
    assert len({q["key"] for q in unit["question"]}) == len(unit["question"])
    assert unit["predict"] and unit["exercise"]
    keys = [item["key"] for part in ("exercise", "predict") for item in unit[part]]
    assert all(key.startswith(f"{number}.") for key in keys)
    assert len(set(keys)) == len(keys)  # `reset` reads them as one namespace


@each_question
def test_question_has_one_key_and_names_each_misconception(question):
    options = question["option"]
    assert 3 <= len(options) <= 4
    assert sum(bool(option.get("right")) for option in options) == 1
    for option in options:
        assert set(option) <= {"text", "says", "right", "slip", "compute"}
        assert len(option["says"].split()) >= 12
        assert ("slip" in option) == (not option.get("right"))
        assert option["says"].strip().startswith("Yes: ") == bool(
            option.get("right")
        )  # the widget adds "Not yet."
    assert (
        len({o["text"] for o in options}) == len({o.get("slip") for o in options}) == len(options)
    )


@pytest.mark.parametrize("key", PREDICTIONS)
def test_prediction_answers_every_guess(key):
    options = PREDICTIONS[key]["option"]
    assert len(options) >= 3
    for option in options:
        assert set(option) - {"value"} == {"text", "says"}
        assert re.match(r"If you chose [^:]+: ", catalogue.flat(option["says"]))


def test_no_feedback_is_used_twice():
    says = [
        catalogue.flat(o["says"])
        for q in [*QUESTIONS.values(), *PREDICTIONS.values()]
        for o in q["option"]
    ]
    says += [
        text
        for n in UNITS
        for e in catalogue.exercises(n).values()
        for text in (*e.texts.values(), *e.hints)
    ]
    assert [text for text, times in Counter(says).items() if times > 1] == []


@each_unit
def test_key_positions_are_balanced(unit):
    counts = Counter(key_of(question) for question in unit["question"])
    places = range(max(len(question["option"]) for question in unit["question"]))
    assert max(counts[i] for i in places) - min(counts[i] for i in places) <= 1


@each_unit
def test_length_does_not_give_the_key_away(unit):
    ranks = []
    for question in unit["question"]:
        lengths = [len(option["text"]) for option in question["option"]]
        mine = lengths.pop(key_of(question))
        ranks.append((mine > max(lengths), mine < min(lengths)))
    longest, shortest = np.sum(ranks, axis=0)
    assert longest <= len(ranks) * 0.4
    assert shortest <= len(ranks) * 0.4


NUMERIC = {key: q for key, q in QUESTIONS.items() if any("compute" in o for o in q["option"])}


@pytest.mark.parametrize("key", NUMERIC)
def test_numeric_options_are_what_their_mistake_gives(key):
    values = []
    for option in NUMERIC[key]["option"]:
        number = re.search(r"\d[\d ]*(\.\d+)?", option["text"]).group().replace(" ", "")
        value = eval(option["compute"], {"log10": np.log10, "round": round, "abs": abs, "min": min})
        assert round(value, len(number.partition(".")[2])) == float(number), option["text"]
        values.append(value)
    right = values.pop(key_of(NUMERIC[key]))
    assert all(abs(value - right) > 0.05 * abs(right) for value in values)


def test_at_least_two_questions_are_numeric():
    assert len(NUMERIC) >= 3


EVERY_TEXT = [
    text
    for q in [*QUESTIONS.values(), *PREDICTIONS.values()]
    for text in (q["prompt"], *(t for o in q["option"] for t in (o["text"], o["says"])))
]


def test_tone():
    for text in EVERY_TEXT:
        assert not re.search(
            r"!|\b(simply|obviously|of course|just|unfortunately)\b", text.lower()
        ), text


def test_only_code_is_marked_up():
    for text in EVERY_TEXT:
        assert text.count("`") % 2 == 0
        assert not set("*_<>") & set("".join(text.split("`")[::2])), text


# ---------------------------------------------------------------- the widget's Python half


def test_answers_go_into_the_file_and_come_back(file):
    first = coursework.quiz("10")
    first.answers = {"alias": {"chosen": 1, "tried": [1]}}
    first.answers = {**first.answers, "dither": {"chosen": 2}}
    stored = json.loads(file.read_text())["quizzes"]
    assert stored == {"10": {"alias": {"chosen": 1, "tried": [1]}, "dither": {"chosen": 2}}}
    assert coursework.quiz("10").answers == stored["10"]
    assert coursework.quiz("00").answers == {}


def test_guess_is_stored_under_its_own_key(file):
    coursework.predict("10.dither").answers = {"10.dither": {"chosen": 1, "tried": [1]}}
    coursework.predict("10.energy").answers = {"10.energy": {"skipped": True}}
    stored = json.loads(file.read_text())["predictions"]
    assert stored == {"10.dither": {"chosen": 1, "tried": [1]}, "10.energy": {"skipped": True}}
    assert coursework.predict("10.dither").answers == {"10.dither": {"chosen": 1, "tried": [1]}}


@pytest.mark.parametrize(
    "record", [{"chosen": 9}, {"tried": [0, 7]}, {"tried": "x"}, "x", {"chosen": "a"}]
)
def test_answer_that_fits_no_option_is_not_shown(record):
    store.update(lambda s: s["quizzes"].update({"10": {"alias": record, "dither": {"chosen": 0}}}))
    assert coursework.quiz("10").answers == {"dither": {"chosen": 0}}


def test_answers_that_cannot_be_saved_say_so(file, monkeypatch):
    widget = coursework.quiz("00")
    monkeypatch.setenv("EARUP_PROGRESS", str(file.parent / "missing" / "progress.json"))
    widget.answers = {"safe": {"chosen": 1}}
    assert "session only" in widget.note
    assert coursework.quiz("00").answers == {"safe": {"chosen": 1}}


def test_stored_text_is_the_same_whatever_was_answered():
    fresh = coursework.quiz("10").stored_text()
    coursework.quiz("10").answers = {"alias": {"chosen": 1, "tried": [1]}}
    assert coursework.quiz("10").stored_text() == fresh
    assert "2. A tone of 13 kHz is sampled at 16 kHz" in fresh
    assert "   A. 3000 Hz" in fresh
    assert all(
        o["says"].split()[0:6] != [] and catalogue.flat(o["says"]) not in fresh
        for o in QUESTIONS["10.alias"]["option"]
    )


def test_bundle_shown_in_a_notebook_has_widget_and_words():
    shown = coursework.predict("00.quieter")._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith("Predict. Run this cell to answer.")
