"""What has been done so far: the map of the units, and a certificate at the end."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from helpers._storage import put
from helpers.coursework import catalogue

# The way through the course; units that are not written yet are drawn as an outline.
PARTS = {
    "the course": ("00",),
    "I the ear": ("01", "02", "03"),
    "II the transform": ("04", "05", "06"),
    "III learning": ("07", "08", "09", "10", "11", "12"),
}
NAMES = {
    "00": "start here",
    "01": "sound and\nsamples",
    "02": "loudness",
    "03": "pitch",
    "04": "leakage",
    "05": "STFT",
    "06": "mel",
    "07": "losses",
    "08": "masking",
    "09": "Griffin-Lim",
    "10": "vocoders",
    "11": "end to end",
    "12": "three\nsettings",
}


@dataclass(frozen=True)
class Standing:
    """Where a learner stands in one unit."""

    unit: str
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
        """All exercises correct and all questions right, however many tries it took; guesses do not
        count.
        """
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
    unit, quiz = catalogue.unit(number), state["quizzes"].get(number, {})
    records = [state["exercises"].get(item["key"], {}) for item in unit["exercise"]]
    keys = [
        next(i for i, o in enumerate(q["options"]) if o["right"])
        for q in catalogue.questions(number)
    ]
    tries = [quiz.get(q["key"], {}).get("tried", []) for q in unit["question"]]
    guesses = [state["predictions"].get(item["key"], {}) for item in unit["predict"]]
    return Standing(
        unit=number,
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
        self.found, self.note = found, note

    def __repr__(self) -> str:
        """Return one line for each unit."""
        return "\n".join([s.line() for s in self.found] + ([f"({self.note})"] if self.note else []))

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        from helpers import figures  # here, so that a check never pays for matplotlib

        fig = draw(self.found)
        return {
            "image/png": base64.b64encode(figures.picture(fig)).decode(),
            "text/plain": repr(self),
        }


def draw(found: list[Standing]):
    """Draw the map: one row for each part, one box for each unit, filled as far as the unit is
    done.
    """
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from helpers import figures

    figures.use()
    known = {s.unit: s for s in found}
    done = sum(s.done for s in found)
    fig = Figure(figsize=(7.6, 4.2), dpi=plt.rcParams["figure.dpi"], layout="none")
    ax = fig.add_axes((0.01, 0.01, 0.98, 0.83))
    ax.set(xlim=(0, 7.6), ylim=(-0.1, 4), xticks=[], yticks=[])
    ax.set_axis_off()
    fig.text(
        0.01, 0.94, f"You have finished {done} of {len(found)} units", weight="bold", size=12.5
    )
    how = "in each unit: exercises solved, then questions answered right; dashed: still to come"
    fig.text(0.01, 0.885, how, size=9.5, color=figures.colour("text"))
    for row, (part, numbers) in enumerate(PARTS.items()):
        ax.text(0, 3.42 - row, part, va="center", size=10, color=figures.colour("text"))
        for column, number in enumerate(numbers):
            _box(ax, 1.5 + 1.02 * column, 3 - row, number, known.get(number))
    return fig


def _box(ax, x: float, y: float, number: str, standing: Standing | None) -> None:
    """Draw one unit: number and name, and a bar of what is done, or an outline for a unit still to
    come.
    """
    from matplotlib.patches import Rectangle

    from helpers import figures

    colour, w, h = figures.colour, 0.94, 0.84
    edge = dict(edgecolor=colour("mute" if standing is None else "signal"), linewidth=1.0)
    ax.add_patch(
        Rectangle(
            (x, y), w, h, facecolor="none", linestyle="-" if standing else (0, (3, 3)), **edge
        )
    )
    ink = colour("ink" if standing else "mute")
    ax.text(x + 0.07, y + h - 0.14, number, size=9.5, weight="bold", color=ink, va="center")
    ax.text(x + 0.07, y + h - 0.25, NAMES[number], size=8.5, color=ink, va="top", linespacing=1.05)
    if standing is None:
        return
    share = (standing.solved + standing.right) / (standing.exercises + standing.questions)
    score = f"{standing.solved}/{standing.exercises} · quiz {standing.right}/{standing.questions}"
    ax.text(x + 0.07, y + 0.20, score, size=8.5, color=colour("text"), va="center")
    ax.add_patch(Rectangle((x, y), w, 0.1, facecolor=colour("data"), edgecolor="none"))
    ax.add_patch(Rectangle((x, y), w * share, 0.1, facecolor=colour("signal"), edgecolor="none"))
    if standing.done:
        ax.text(
            x + w - 0.07,
            y + h - 0.14,
            "done",
            size=8.5,
            color=colour("ear"),
            ha="right",
            va="center",
        )


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
    put(path, page.encode("utf-8"))
    return path
