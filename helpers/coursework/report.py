"""What a learner reads: hints, solutions, the map of what has been done, and a certificate."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from helpers._storage import write_file
from helpers.coursework import catalogue, course_map
from helpers.coursework import chapters as parts_of
from helpers.coursework.catalogue import Exercise
from helpers.coursework.feedback import inline


class Text:
    """Something to read: Markdown where it is rendered, the same words as plain text elsewhere."""

    def __init__(self, lead: str, words: str):
        self.lead = lead
        self.words = words

    def __repr__(self) -> str:
        """Return the plain text."""
        return f"{self.lead}. {self.words}"

    def _repr_markdown_(self) -> str:
        return f"> **{self.lead}.** {self.words}"


class Hints:
    """The hints of an exercise, each folded inside the one before."""

    def __init__(self, key: str, hints: tuple[str, ...], number: int):
        if not isinstance(number, int) or not 1 <= number <= len(hints):
            raise ValueError(f"number={number!r}: {key} has hints 1 to {len(hints)}")
        self.key = key
        self.hints = hints
        self.number = number

    def __repr__(self) -> str:
        """Return the one hint that was asked for."""
        text = f"Hint {self.number} of {len(self.hints)}. {self.hints[self.number - 1]}"
        if self.number < len(self.hints):
            text += f' (The next one: coursework.hint("{self.key}", {self.number + 1}).)'
        return text

    def _repr_html_(self) -> str:
        folded = ""
        for number in range(len(self.hints), 0, -1):
            words = f"<p>{inline(self.hints[number - 1])}</p>"
            summary = f"<summary>Hint {number} of {len(self.hints)}</summary>"
            folded = f"<details>{summary}\n{words}\n{folded}</details>"
        return folded


class Solution:
    """A folded solution: code, and why it is so."""

    def __init__(self, exercise: Exercise):
        self.exercise = exercise

    def __repr__(self) -> str:
        """Return the code and the reason as plain text."""
        it = self.exercise
        return f"One solution of {it.key}, {it.title}:\n\n{it.solution}\n{it.why}"

    def _repr_html_(self) -> str:
        summary = html.escape(f"One solution: {self.exercise.title}")
        code = html.escape(self.exercise.solution.rstrip())
        style = "margin: 8px 0; white-space: pre; overflow-x: auto"
        pre = f'<pre style="{style}"><code>{code}</code></pre>'
        why = f"<p>{inline(self.exercise.why)}</p>"
        return f"<details><summary>{summary}</summary>\n{pre}\n{why}\n</details>"


@dataclass(frozen=True)
class Standing:
    """Where a learner stands in one unit."""

    unit: str
    short: str
    title: str
    solved: int  # exercises that were correct once
    attempted: int
    exercises: int
    right: int  # questions that were right at last
    first: int  # questions that were right at the first try
    questions: int
    guessed: int
    predictions: int
    chapters: list  # of pairs (Chapter, whether it is done)

    @property
    def done(self) -> bool:
        """All exercises correct and all questions right, however many tries it took."""
        return self.solved == self.exercises and self.right == self.questions

    def line(self) -> str:
        """Return the standing as one line of text."""
        parts = (
            f"exercises {self.solved} of {self.exercises} correct, {self.attempted} attempted",
            f"quiz {self.right}/{self.questions}",
            f"predictions {self.guessed} of {self.predictions}",
            f"chapters {sum(done for _, done in self.chapters)} of {len(self.chapters)}",
        )
        return f"Unit {self.unit}{' (done)' if self.done else ''}: " + "; ".join(parts)


def standing(number: str, state: dict) -> Standing:
    """Count what a stored state says about one unit."""
    unit = catalogue.unit(number)
    quiz = state["quizzes"].get(number, {})
    records = [state["exercises"].get(item["key"], {}) for item in unit["exercise"]]
    keys = [catalogue.right_option(q) for q in catalogue.questions(number)]
    tries = [quiz.get(q["key"], {}).get("tried", []) for q in unit["question"]]
    guesses = [state["predictions"].get(item["key"], {}) for item in unit["predict"]]
    return Standing(
        unit=number,
        short=unit["short"],
        title=unit["title"],
        solved=sum(bool(r.get("correct")) for r in records),
        attempted=sum(r.get("attempts", 0) > 0 for r in records),
        exercises=len(records),
        right=sum(key in tried for key, tried in zip(keys, tries, strict=True)),
        first=sum(tried[:1] == [key] for key, tried in zip(keys, tries, strict=True)),
        questions=len(keys),
        guessed=sum(bool(g.get("tried")) for g in guesses),
        predictions=len(guesses),
        chapters=[
            (part, part.is_done(state))
            for part in parts_of.chapters(number)
            if any(part.asked.values())  # an experiment on yourself has nothing to tick
        ],
    )


def standings(state: dict) -> list[Standing]:
    """Return the standing in every unit that exists."""
    return [standing(number, state) for number in catalogue.units()]


class Progress:
    """The map of units with what is done in each, as a page and as text."""

    def __init__(self, found: list[Standing], note: str, last: dict | None = None):
        self.found = found
        self.note = note
        self.last = last or {}

    def __repr__(self) -> str:
        """Return one line for each unit, and where to go on."""
        lines = [s.line() for s in self.found]
        if self.last:
            lines.append(f"Last time: unit {self.last['unit']}, {self.last['key']}.")
        if self.note:
            lines.append(f"({self.note})")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return course_map.page(self.found, self.last, self.note)


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Audio ML from the Ear Up: {name}</title>
<style>
@page {{ size: A4; margin: 22mm; }}
body {{ font: 16px/1.5 Arial, "Liberation Sans", Helvetica, sans-serif; color: #1F2328;
  background: #FFF;
  max-width: 640px; margin: 12vh auto; padding: 0 24px; }}
h1 {{ font-size: 30px; margin: 0 0 4px; }}
.name {{ font-size: 24px; border-bottom: 2px solid #2B6FB6; padding: 24px 0 6px; }}
table {{ border-collapse: collapse; width: 100%; margin: 24px 0; font-size: 14px; }}
th, td {{ text-align: left; padding: 6px 8px 6px 0; border-bottom: 1px solid #E8EBEE;
  vertical-align: top; }}
.small {{ color: #4A5159; font-size: 13px; }} @media print {{ body {{ margin: 0 auto; }} }}
</style>
<h1>Audio ML from the Ear Up</h1>
<p>The exercises and quizzes of {count} units, worked through by</p>
<p class="name">{name}</p>
<table><tr><th>Unit</th><th>Question</th><th>Exercises</th><th>Quiz</th><th>At first try</th></tr>
{rows}
</table>
<p>{day}</p>
<p class="small">The course checked every exercise and every answer on the learner's own computer.
Any number of tries was allowed, and nobody looked on: this page records work, it is not an
examination.</p>
</html>
"""


def missing(found: list[Standing]) -> list[str]:
    """Return what still stands between a learner and the certificate, one line a unit."""
    return [
        f"Unit {s.unit}: {s.exercises - s.solved} of {s.exercises} exercises and "
        f"{s.questions - s.right} of {s.questions} questions are still open."
        for s in found
        if not s.done
    ]


def write_certificate(name: str, found: list[Standing], folder: Path) -> Path:
    """Write the page; any markup in the name is shown as text."""
    rows = "\n".join(
        f"<tr><td>{s.unit}</td><td>{html.escape(s.title)}</td><td>{s.solved} of {s.exercises}</td>"
        f"<td>{s.right} of {s.questions}</td><td>{s.first}</td></tr>"
        for s in found
    )
    page = PAGE.format(
        name=html.escape(name), count=len(found), rows=rows, day=date.today().isoformat()
    )
    path = folder / "certificate.html"
    write_file(path, page.encode("utf-8"))
    return path
