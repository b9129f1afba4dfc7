"""The widgets behind `coursework.quiz` and `coursework.predict`: questions in the browser, answers
in the store.
"""

from __future__ import annotations

import contextlib
import textwrap

import anywidget
import traitlets

from helpers._frontend import Stored, bundle, styles
from helpers.coursework import catalogue, store


class Questions(Stored, anywidget.AnyWidget):
    """One or more questions with native radio buttons; each answer goes into the progress file as
    it is given.
    """

    _esm = bundle(__file__, "gate", "quiz")
    _css = styles(__file__, "quiz")
    spec = traitlets.Dict().tag(sync=True)  # kind, title, questions
    answers = traitlets.Dict().tag(sync=True)  # see quiz.js
    note = traitlets.Unicode().tag(sync=True)  # one line, if the answers cannot be saved

    def __init__(self, kind: str, place: str, title: str, questions: list[dict]):
        part = "predictions" if kind == "predict" else "quizzes"
        state, note = store.load()
        kept = state[part] if kind == "predict" else state[part].get(place, {})
        spec = {"kind": kind, "title": title, "questions": questions}
        if kind == "quiz":
            spec["again"] = returning(place, state)
        mine = {q["key"]: kept[q["key"]] for q in questions if _fits(kept.get(q["key"]), q)}
        super().__init__(spec=spec, answers=mine, note=note)
        self._part = part
        self._place = place
        self.observe(self._keep, "answers")

    def _keep(self, change: dict) -> None:
        """Write what was answered; other questions, and other notebooks' answers, stay as they
        are.
        """
        given = dict(change["new"])
        before = change["old"]
        changed = [key for key in given if given[key] != before.get(key)]

        def put(state: dict) -> None:
            for key, record in given.items():
                unit, slash, name = key.partition("/")
                if slash:  # a question of an earlier unit, asked again
                    state["returns"].setdefault(unit, {})[name] = record
                elif self._part == "quizzes":  # one more level: they are kept by unit
                    state["quizzes"].setdefault(self._place, {})[key] = record
                else:
                    state["predictions"][key] = record
            if changed:
                store.worked_on(state, self._place[:2], self._place)

        self.note = store.update(put)

    def stored_text(self) -> str:
        """Return the questions with their options, for a page in which nothing runs."""
        lines = [f"{self.spec['title']}. Run this cell to answer."]
        for number, question in enumerate(self.spec["questions"], 1):
            prompt = f"{number}. {question['prompt']}"
            lines += textwrap.wrap(prompt, 110, subsequent_indent="   ")
            for letter, option in zip("ABCDEFGH", question["options"], strict=False):
                text = f"   {letter}. {option['text']}"
                lines += textwrap.wrap(text, 110, subsequent_indent="      ")
        return "\n".join(lines).replace("`", "")


def _fits(record: object, question: dict) -> bool:
    """Tell whether a stored answer can belong to this question (a newer course may have fewer
    options).
    """
    if not isinstance(record, dict) or not isinstance(record.get("tried", []), list):
        return False
    indices = [i for i in (record.get("chosen"), *record.get("tried", [])) if i is not None]
    return all(isinstance(i, int) and 0 <= i < len(question["options"]) for i in indices)


def returning(number: str, state: dict) -> list[dict]:
    """Return up to three questions that were wrong at first two units ago or earlier, the nearest
    first. Each comes back until it is right once.
    """
    order = catalogue.units()
    due = order[: max(0, order.index(number) - 1)]
    found = []
    for earlier in reversed(due):
        with contextlib.suppress(ValueError, FileNotFoundError):  # a damaged unit stops only itself
            found += _missed(earlier, state)
    return found[:3]


def _missed(number: str, state: dict) -> list[dict]:
    """Return the questions of a unit that were wrong at first and not right since they returned."""
    answers = state["quizzes"].get(number, {})
    later = state["returns"].get(number, {})
    found = []
    for question in catalogue.questions(number):
        key = question["key"]
        right = catalogue.right_option(question)
        record = answers.get(key)
        again = later.get(key)
        if not _fits(record, question) or not record.get("tried") or record["tried"][0] == right:
            continue
        if _fits(again, question) and right in again.get("tried", []):
            continue
        found.append({**question, "key": f"{number}/{key}", "from": number})
    return found


def quiz(number: str) -> Questions:
    """Return the quiz of a unit."""
    return Questions("quiz", number, f"Quiz of unit {number}", catalogue.questions(number))


def predict(key: str) -> Questions:
    """Return one prediction."""
    return Questions("predict", key, "Predict", [catalogue.prediction(key)])


def diagnosis(number: str) -> Questions:
    """Return the diagnosis of a unit."""
    title = "Which chapters do you need?"
    return Questions("diagnosis", f"{number}.diagnosis", title, catalogue.diagnosis(number))
