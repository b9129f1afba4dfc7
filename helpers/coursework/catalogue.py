"""What the course asks: exercises, predictions and quizzes, and the map of its units and parts.

A unit has a folder ``data/coursework/NN``: ``unit.toml`` (texts), ``checks.py`` (what the checks
try), ``solutions.toml`` and ``teach.md``. A copy of the course for a class leaves the last two out.
The first digit of a unit is its part; ``parts.toml`` names the parts and what is planned.
"""

from __future__ import annotations

import contextlib
import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from helpers._checks import display_path, restore_hint
from helpers.coursework.checking import Check, Result

DATA = Path(__file__).resolve().parents[2] / "data" / "coursework"
# The first edition counted its units from 01 to 12. What was stored or handed in then carries these
# numbers.
FIRST_EDITION = {"01": "10", "02": "11", "03": "12", "04": "21", "05": "22", "06": "23"}
FIRST_EDITION |= {"07": "31", "08": "32", "09": "33", "10": "34", "11": "35", "12": "36"}


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

    def check(self, fn: object) -> Result:
        """Return what the unit's check finds about a learner's function; never raises for what the
        function does.
        """
        return checks(self.unit)[self.key](fn, self.texts)


@functools.cache
def read(path: Path) -> dict:
    """Return a data file as dictionaries; raises ValueError, with the remedy, if it is damaged or
    not there.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is missing; {restore_hint(path)}")
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if not found:
            raise ValueError("it is empty")
    except ValueError as error:  # no TOML, or no text
        raise ValueError(
            f"{display_path(path)} is damaged ({error}); {restore_hint(path)}"
        ) from error
    return found


@functools.cache
def _run(path: Path) -> dict[str, Check]:
    """Return the CHECKS of a file of Python, which is no module: nothing is left beside it."""
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is missing; {restore_hint(path)}")
    space = {"__name__": f"coursework_{path.parent.name}", "__file__": str(path)}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True), space)
        if "CHECKS" not in space:
            raise ValueError("it ends before its CHECKS")
        return space["CHECKS"]
    except (SyntaxError, ValueError, NameError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{display_path(path)} is damaged ({error}); {restore_hint(path)}"
        ) from error


def units() -> tuple[str, ...]:
    """Return the numbers of all units that ask something, in order: ("00", "10", ...)."""
    return tuple(sorted({path.parent.name for path in DATA.glob("[0-9][0-9]/*.*")}))


def _file(number: str, name: str) -> Path:
    """Return where a file of a unit lies; raises ValueError for a unit that asks nothing."""
    if number not in units():
        raise ValueError(
            f"no unit {number!r} with coursework{_moved(number)}; there are {', '.join(units())}"
        )
    return DATA / number / name


def unit(number: str) -> dict:
    """Return what a unit asks; raises ValueError for a unit that asks nothing."""
    path = _file(number, "unit.toml")
    if lost := {"title", "short", "exercise", "question", "predict"} - read(path).keys():
        raise ValueError(
            f"{display_path(path)} is damaged (it has no {' and no '.join(sorted(lost))}); "
            f"{restore_hint(path)}"
        )
    return read(path)


def checks(number: str) -> dict[str, Check]:
    """Return the checks of a unit by the key of their exercise."""
    return _run(_file(number, "checks.py"))


@dataclass(frozen=True)
class Part:
    """A part of the course: what it is about, its units, and by number the names of those still to
    come.
    """

    digit: str
    name: str
    says: str
    units: tuple[str, ...]
    to_come: dict[str, str]


def parts() -> tuple[Part, ...]:
    """Return the parts of the course in order, those with no unit yet included."""
    written = units()
    path = DATA / "parts.toml"
    items = read(path).get("part", [])
    if not items or not all({"name", "says", "planned"} <= item.keys() for item in items):
        raise ValueError(
            f"{display_path(path)} is damaged (a part has a name, a sentence and what is planned); "
            f"{restore_hint(path)}"
        )
    found = []
    for digit, item in enumerate(items):
        own = tuple(number for number in written if number[0] == str(digit))
        to_come = {
            number: name for number, name in item["planned"].items() if number not in written
        }
        found.append(Part(str(digit), item["name"], item["says"], own, to_come))
    return tuple(found)


def renumbered(key: str) -> str:
    """Return what a unit or a key of the first edition is called now: "32" for "08", "32.ratio" for
    "08.ratio".
    """
    number, dot, name = key.partition(".")
    return FIRST_EDITION.get(number, number) + dot + name


def _moved(key: object) -> str:
    """Return a hint for what was known in the first edition only, else an empty string."""
    if not isinstance(key, str) or key.partition(".")[0] not in FIRST_EDITION:
        return ""
    new = renumbered(key)
    known = [*units(), *(k for n in units() for k in (*exercises(n), *_predictions(n)))]
    return f" (the units were numbered anew: it is {new!r} now)" if new in known else ""


def exercises(number: str) -> dict[str, Exercise]:
    """Return the exercises of a unit by key, in the order in which they are set."""
    path = DATA / number / "solutions.toml"
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
    )


@functools.cache
def function_names() -> frozenset[str]:
    """Return what the functions of all exercises are called; a damaged file of a unit has none."""
    found = set()
    for number in units():
        with contextlib.suppress(ValueError, FileNotFoundError):
            found |= {re.search(r"def (\w+)", it["starter"])[1] for it in unit(number)["exercise"]}
    return frozenset(found)


def exercise(key: str) -> Exercise:
    """Return one exercise, for example ``exercise("10.level")``; raises ValueError for an unknown
    key.
    """
    own = _of_its_unit(key, exercises)
    if key not in own:
        known = ", ".join(k for n in units() for k in exercises(n))
        raise ValueError(f"no exercise {key!r}{_moved(key)}; there are {known}")
    return own[key]


def _of_its_unit(key: str, read_unit) -> dict:
    """Return what the unit of a key has; a damaged file of another unit is of no account."""
    return read_unit(key[:2]) if isinstance(key, str) and key[:2] in units() else {}


def questions(number: str) -> list[dict]:
    """Return the quiz of a unit as the widget takes it: key, prompt, options with text, feedback,
    right or not.
    """
    return [_question(item) for item in unit(number)["question"]]


def diagnosis(number: str) -> list[dict]:
    """Return what a unit asks before it begins: questions that name the chapter that teaches it."""
    return [_question(it) | {"chapter": it["chapter"]} for it in unit(number).get("diagnosis", [])]


def right_option(question: dict) -> int:
    """Return which option of a question is right."""
    return next(i for i, option in enumerate(question["options"]) if option["right"])


def prediction(key: str) -> dict:
    """Return one prediction as a question, for example ``prediction("10.dither")``; ValueError for
    an unknown key.
    """
    own = _of_its_unit(key, _predictions)
    if key not in own:
        known = ", ".join(k for n in units() for k in _predictions(n))
        raise ValueError(f"no prediction {key!r}{_moved(key)}; there are {known}")
    return _question(own[key])


def _predictions(number: str) -> dict[str, dict]:
    return {item["key"]: item for item in unit(number)["predict"]}


def _question(item: dict) -> dict:
    options = [
        {"text": flat(o["text"]), "says": flat(o["says"]), "right": o.get("right", False)}
        | ({"value": float(o["value"])} if "value" in o else {})
        for o in item["option"]
    ]
    return {"key": item["key"], "prompt": flat(item["prompt"]), "options": options}
