"""What the course asks: exercises, predictions and quizzes, read from data/coursework, one file a
unit.

Solutions, accepted variants and wrong answers stand in a folder of their own,
``data/coursework/solutions``. A copy of the course for a class leaves that folder out
(`SOLUTIONS`); `solution_lines` tells what must then stand nowhere.
"""

from __future__ import annotations

import functools
import importlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from helpers._checks import again, place
from helpers.coursework.checking import Result

DATA = Path(__file__).resolve().parents[2] / "data" / "coursework"
SOLUTIONS = DATA / "solutions"


def flat(text: str) -> str:
    """Return a text from a data file as one paragraph."""
    return " ".join(text.split())


@dataclass(frozen=True)
class Exercise:
    """One exercise: what the learner sees, and (where this copy has them) the answers that tests
    need.
    """

    key: str
    unit: str
    title: str
    prompt: str
    starter: str
    hints: tuple[str, ...]
    texts: dict[str, str]  # feedback: one for each slip by its name, and "right"
    solution: str | None
    why: str
    variants: tuple[str, ...]
    wrongs: tuple[
        tuple[str, str, str], ...
    ]  # name of the slip, source, what its feedback must contain

    def check(self, fn: object) -> Result:
        """Return what the unit's check finds about a learner's function; never raises for what the
        function does.
        """
        return importlib.import_module(f"helpers.coursework.unit{self.unit}").CHECKS[self.key](
            fn, self.texts
        )


@functools.cache
def read(path: Path) -> dict:
    """Return a data file as dictionaries; raises ValueError, with the remedy, if it is damaged."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if not found:
            raise ValueError("it is empty")
    except ValueError as error:  # no TOML, or no text
        raise ValueError(f"{place(path)} is damaged ({error}); {again(path)}") from error
    return found


def units() -> tuple[str, ...]:
    """Return the numbers of all units that ask something, in order: ("00", "01", ...)."""
    return tuple(
        sorted(
            path.stem.removeprefix("unit")
            for path in Path(__file__).parent.glob("unit[0-9][0-9].py")
        )
    )


def unit(number: str) -> dict:
    """Return what a unit asks; raises ValueError for a unit that asks nothing."""
    if number not in units():
        raise ValueError(f"no unit {number!r} with coursework; there are {', '.join(units())}")
    path = DATA / f"unit{number}.toml"
    if not path.is_file():
        raise FileNotFoundError(f"{place(path)} is missing; {again(path)}")
    if lost := {"title", "exercise", "question", "predict"} - read(path).keys():
        raise ValueError(
            f"{place(path)} is damaged (it has no {' and no '.join(sorted(lost))}); {again(path)}"
        )
    return read(path)


def exercises(number: str) -> dict[str, Exercise]:
    """Return the exercises of a unit by key, in the order in which they are set."""
    path = SOLUTIONS / f"unit{number}.toml"
    answers = read(path) if path.is_file() else {}  # a copy for students has none
    return {
        item["key"]: _exercise(number, item, answers.get(item["key"], {}))
        for item in unit(number)["exercise"]
    }


def _exercise(number: str, item: dict, answer: dict) -> Exercise:
    texts = {name: flat(text) for name, text in {**item["slip"], "right": item["right"]}.items()}
    return Exercise(
        key=item["key"],
        unit=number,
        title=item["title"],
        prompt=flat(item["prompt"]),
        starter=item["starter"].strip() + "\n",
        hints=tuple(flat(hint) for hint in item["hints"]),
        texts=texts,
        solution=answer["code"].strip() + "\n" if answer else None,
        why=flat(answer.get("why", "")),
        variants=tuple(code.strip() + "\n" for code in answer.get("variants", ())),
        wrongs=tuple(
            (w["slip"], w["code"].strip() + "\n", w["says"]) for w in answer.get("wrong", ())
        ),
    )


def exercise(key: str) -> Exercise:
    """Return one exercise, for example ``exercise("01.level")``; raises ValueError for an unknown
    key.
    """
    own = _of_its_unit(key, exercises)
    if key not in own:
        raise ValueError(
            f"no exercise {key!r}; there are {', '.join(k for n in units() for k in exercises(n))}"
        )
    return own[key]


def _of_its_unit(key: str, read_unit) -> dict:
    """Return what the unit of a key has, so that a damaged file of another unit is of no
    account.
    """
    return read_unit(key[:2]) if isinstance(key, str) and key[:2] in units() else {}


def questions(number: str) -> list[dict]:
    """Return the quiz of a unit as the widget takes it: key, prompt, options with text, feedback,
    right or not.
    """
    return [_question(item) for item in unit(number)["question"]]


def prediction(key: str) -> dict:
    """Return one prediction as a question, for example ``prediction("01.dither")``; ValueError for
    an unknown key.
    """
    own = _of_its_unit(key, _predictions)
    if key not in own:
        raise ValueError(
            f"no prediction {key!r}; there are "
            f"{', '.join(k for n in units() for k in _predictions(n))}"
        )
    return _question(own[key])


def _predictions(number: str) -> dict[str, dict]:
    return {item["key"]: item for item in unit(number)["predict"]}


def _question(item: dict) -> dict:
    options = [
        {"text": flat(o["text"]), "says": flat(o["says"]), "right": o.get("right", False)}
        for o in item["option"]
    ]
    return {"key": item["key"], "prompt": flat(item["prompt"]), "options": options}


def solution_lines() -> frozenset[str]:
    """Return the lines of all solutions that no starter holds: a copy for students may contain none
    of them.
    """
    every = [e for number in units() for e in exercises(number).values()]
    lines = {line.strip() for e in every for line in (e.solution or "").splitlines()}
    return frozenset(
        lines - {line.strip() for e in every for line in e.starter.splitlines()} - {""}
    )
