"""What a learner reads: hints, solutions, the map of what has been done, and a certificate."""

from __future__ import annotations

import base64
import html
import textwrap
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from helpers._storage import write_file
from helpers.coursework import catalogue
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
        )
        return f"Unit {self.unit}{' (done)' if self.done else ''}: " + "; ".join(parts)


def standing(number: str, state: dict) -> Standing:
    """Count what a stored state says about one unit."""
    unit = catalogue.unit(number)
    quiz = state["quizzes"].get(number, {})
    records = [state["exercises"].get(item["key"], {}) for item in unit["exercise"]]
    keys = [
        next(i for i, o in enumerate(q["options"]) if o["right"])
        for q in catalogue.questions(number)
    ]
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
    )


def standings(state: dict) -> list[Standing]:
    """Return the standing in every unit that exists."""
    return [standing(number, state) for number in catalogue.units()]


class Progress:
    """The map of units with what is done in each, as a picture and as text."""

    def __init__(self, found: list[Standing], note: str):
        self.found = found
        self.note = note

    def __repr__(self) -> str:
        """Return one line for each unit."""
        lines = [s.line() for s in self.found]
        if self.note:
            lines.append(f"({self.note})")
        return "\n".join(lines)

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        from helpers import figures  # here, so that a check never pays for matplotlib

        fig = draw(self.found)
        return {
            "image/png": base64.b64encode(figures.picture(fig)).decode(),
            "text/plain": repr(self),
        }


def draw(found: list[Standing]):
    """Draw the map: a row for each part, a box for each unit, filled as far as it is done."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from helpers import figures

    figures.use()
    known = {s.unit: s for s in found}
    rows = [part for part in catalogue.parts() if part.units]
    columns = max(len(part.units) for part in rows)
    width = 1.5 + 1.02 * columns
    height = len(rows) + 0.8  # a headline above the boxes
    fig = Figure(figsize=(width, height), dpi=plt.rcParams["figure.dpi"], layout="none")
    ax = fig.add_axes((0.01, 0.01, 0.98, 1 - 0.7 / height))
    ax.set(xlim=(0, width), ylim=(-0.1, len(rows)), xticks=[], yticks=[])
    ax.set_axis_off()
    done = sum(s.done for s in found)
    words = f"You have finished {done} of {len(found)} units"
    fig.text(0.01, 1 - 0.25 / height, words, weight="bold", size=12.5)
    how = "in each unit: exercises solved, then questions answered right"
    fig.text(0.01, 1 - 0.48 / height, how, size=9.5, color=figures.colour("text"))
    for row, part in enumerate(rows):
        bottom = len(rows) - 1 - row
        name = f"{part.digit} {part.name}"
        ax.text(0, bottom + 0.42, name, va="center", size=10, color=figures.colour("text"))
        for column, number in enumerate(part.units):
            _box(ax, 1.5 + 1.02 * column, bottom, known[number])
    return fig


def _box(ax, x: float, y: float, standing: Standing) -> None:
    """Draw one unit: number and name, and a bar of what is done."""
    from matplotlib.patches import Rectangle

    from helpers import figures

    colour = figures.colour
    w = 0.94
    h = 0.84
    left = x + 0.07
    top = y + h - 0.14
    middle = {"size": 8.5, "va": "center"}
    ax.add_patch(
        Rectangle((x, y), w, h, facecolor="none", edgecolor=colour("signal"), linewidth=1.0)
    )
    number = middle | {"size": 9.5, "weight": "bold"}
    ax.text(left, top, standing.unit, color=colour("ink"), **number)
    name = "\n".join(textwrap.wrap(standing.short, 11, break_on_hyphens=False))
    ax.text(left, top - 0.11, name, size=8.5, color=colour("ink"), va="top", linespacing=1.05)
    share = (standing.solved + standing.right) / (standing.exercises + standing.questions)
    score = f"{standing.solved}/{standing.exercises} · quiz {standing.right}/{standing.questions}"
    ax.text(left, y + 0.20, score, color=colour("text"), **middle)
    ax.add_patch(Rectangle((x, y), w, 0.1, facecolor=colour("data"), edgecolor="none"))
    ax.add_patch(Rectangle((x, y), w * share, 0.1, facecolor=colour("signal"), edgecolor="none"))
    if standing.done:
        ax.text(x + w - 0.07, top, "done", color=colour("ear"), ha="right", **middle)


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
