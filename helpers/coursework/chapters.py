"""The chapters of a unit: what stands between its headings, and what is asked in each.

A chapter begins at a heading ``## Chapter 2 · Two arrows add (20 minutes)``. A unit without such
headings has a chapter for each ``##`` section in which something is asked; a section in which
nothing is asked belongs to the one before. A list ``chapters`` of headings in unit.toml overrules
both. The notebook that the course came with is read, not the learner's copy.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from helpers.coursework import catalogue

NUMBERED = re.compile(r"Chapter \d+ · ")
MINUTES = re.compile(r" \((\d+) minutes\)$")
ASKS = re.compile(r'coursework\.(check|predict|quiz)\("([\w.]+)"')


@dataclass
class Chapter:
    """One chapter: its heading, the cell that it begins with, and what is asked, by kind."""

    title: str
    cell: str
    asked: dict[str, list[str]] = field(
        default_factory=lambda: {"check": [], "predict": [], "quiz": []}
    )

    def add(self, other: Chapter) -> None:
        """Take in what another one asks."""
        for kind, keys in other.asked.items():
            self.asked[kind] += keys

    def is_done(self, state: dict) -> bool:
        """Tell whether all of it is solved, guessed or skipped, and answered right."""
        exercises = state["exercises"]
        guesses = [state["predictions"].get(key, {}) for key in self.asked["predict"]]
        return (
            all(exercises.get(key, {}).get("correct") for key in self.asked["check"])
            and all(guess.get("tried") or guess.get("skipped") for guess in guesses)
            and all(_all_right(number, state) for number in self.asked["quiz"])
        )


def _all_right(number: str, state: dict) -> bool:
    """Tell whether every question of a quiz was right at last."""
    answers = state["quizzes"].get(number, {})
    return all(
        catalogue.right_option(question) in answers.get(question["key"], {}).get("tried", [])
        for question in catalogue.questions(number)
    )


def notebook(number: str) -> Path | None:
    """Return the notebook of a unit, or None where this copy of the course has none."""
    folder = catalogue.DATA.parents[1] / "notebooks"
    return next(iter(sorted(folder.glob(f"{number}_*.ipynb"))), None)


@functools.cache
def _sections(number: str) -> tuple[tuple[str, str, tuple], ...]:
    """Return heading, cell and what is asked, for each ``##`` section of a unit."""
    path = notebook(number)
    if path is None:
        return ()
    found = []
    before = ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        heading = re.search(r"^## (.+)$", text, re.MULTILINE)
        if cell["cell_type"] == "markdown" and heading:
            found.append([heading[1].strip(), cell["id"], []])
        elif cell["cell_type"] == "code" and (asks := ASKS.search(text)) and found:
            # a check stands under the cell in which the learner writes
            place = before if asks[1] == "check" else cell["id"]
            found[-1][2].append((asks[1], asks[2], place))
        before = cell["id"]
    return tuple((title, cell, tuple(asked)) for title, cell, asked in found)


def chapters(number: str) -> list[Chapter]:
    """Return the chapters of a unit in order; none where its notebook is not there."""
    sections = _sections(number)
    named = catalogue.unit(number).get("chapters")
    numbered = any(NUMBERED.match(title) for title, _, _ in sections)
    found = []
    waiting = None  # sections before the first chapter belong to it
    for title, cell, asked in sections:
        chapter = Chapter(MINUTES.sub("", NUMBERED.sub("", title)), cell)
        for kind, key, _ in asked:
            chapter.asked[kind].append(key)
        if named is not None:
            begins = title in named
        else:
            begins = bool(NUMBERED.match(title)) if numbered else bool(asked)
        if begins:
            if waiting is not None:
                chapter.add(waiting)
                chapter.cell = waiting.cell
            waiting = None
            found.append(chapter)
        elif found:
            found[-1].add(chapter)
        elif waiting is None:
            waiting = chapter
        else:
            waiting.add(chapter)
    return found


def place(number: str, key: str) -> str:
    """Return the id of the cell in which something is asked, or an empty string."""
    for _, _, asked in _sections(number):
        for _, asks, cell in asked:
            if asks == key:
                return cell
    return ""
