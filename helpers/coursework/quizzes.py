"""The widgets behind `coursework.quiz` and `coursework.predict`: questions in the browser, answers
in the store.
"""

from __future__ import annotations

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
        part = "quizzes" if kind == "quiz" else "predictions"
        state, note = store.load()
        kept = state[part].get(place, {}) if kind == "quiz" else state[part]
        spec = {"kind": kind, "title": title, "questions": questions}
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

        def put(state: dict) -> None:
            answers = state[self._part]
            if self._part == "quizzes":  # one more level: they are kept by unit
                answers = answers.setdefault(self._place, {})
            answers.update(given)

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


def quiz(number: str) -> Questions:
    """Return the quiz of a unit."""
    return Questions("quiz", number, f"Quiz of unit {number}", catalogue.questions(number))


def predict(key: str) -> Questions:
    """Return one prediction."""
    return Questions("predict", key, "Predict", [catalogue.prediction(key)])
