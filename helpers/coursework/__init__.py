"""Exercises, hints, quizzes, predictions, and what you have done so far.

In a notebook::

    coursework.check("10.level", level_dbfs)  # the function itself, without brackets
    coursework.hint("10.level")  # folded hints, which open by a press
    coursework.solution("10.level")  # folded
    coursework.quiz("10")
    coursework.progress()

Progress is one file, ``progress.json``, in the folder of the notebooks (or where the environment
variable ``EARUP_PROGRESS`` says). It stays on the computer that runs the notebook; see
`helpers.coursework.store`. What a unit asks and what its checks try stands in its folder,
``data/coursework/NN``. A key that no unit has is refused with a ValueError that lists those that
there are; nothing is raised for what a learner's function does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers.coursework import catalogue, stale, store
from helpers.coursework.feedback import CORRECT, NOT_ATTEMPTED, Result
from helpers.coursework.report import Hints, Solution, Text

__all__ = [
    "certificate", "check", "diagnosis", "guess", "hint", "predict", "progress", "quiz", "reset",
    "solution",
]  # fmt: skip

NO_SOLUTION = Text(
    "No solution here", "This copy of the course came without solutions; your teacher has them."
)


def check(key: str, fn: object) -> Result:
    """Try your function on many inputs and say what is right, or what is not and why.

    Parameters
    ----------
    key : str
        The exercise, for example ``"10.level"``.
    fn : callable
        Your function itself, without brackets.

    Returns
    -------
    Result
        Its `outcome` is "correct", "not yet" or "not attempted"; it shows itself as a sentence or
        two.

    Examples
    --------
    >>> from helpers import coursework
    >>> coursework.check("00.half", lambda y: ...)
    Not attempted. Replace the `...` by your own code, run that cell, then run this one again.
    """
    result = catalogue.exercise(key).check(fn)
    if result.outcome != CORRECT:
        aside = stale.older(fn, catalogue.function_names())
        result = replace(result, says=f"{aside} {result.says}".strip())
    if result.outcome == NOT_ATTEMPTED:
        return result

    def put(state: dict) -> None:
        record = state["exercises"].setdefault(key, {})
        record["attempts"] = record.get("attempts", 0) + 1
        record["correct"] = bool(record.get("correct")) or result.outcome == CORRECT
        store.worked_on(state, key[:2], key)

    return replace(result, note=store.update(put))


def hint(key: str, number: int = 1) -> Hints:
    """Show the hints for an exercise, folded: each opens by a press, one after the other.

    To run the cell opens none of them. Where nothing can be pressed, in a terminal, the one that
    `number` asks for is printed.

    Parameters
    ----------
    key : str
        The exercise, for example ``"10.level"``.
    number : int, default 1
        Which hint to print where there is only text.

    Returns
    -------
    Hints
        All of them; as text "Hint 1 of 3" and so on.
    """
    return Hints(key, catalogue.exercise(key).hints, number)


def solution(key: str) -> Solution | Text:
    """Show one solution of an exercise, folded, and why it works.

    Parameters
    ----------
    key : str
        The exercise, for example ``"10.level"``.

    Returns
    -------
    Solution or Text
        A `Text` that says so if this copy of the course came without solutions.
    """
    exercise = catalogue.exercise(key)
    if exercise.solution is None:
        return NO_SOLUTION
    return Solution(exercise)


def diagnosis(unit: str):
    """Ask what you know already, and say which chapters of a unit to take and which to skip.

    Parameters
    ----------
    unit : str
        For example ``"01"``.

    Returns
    -------
    anywidget.AnyWidget
        The questions. Nothing is told before you ask for your chapters, and nothing is marked.
    """
    from helpers.coursework import quizzes

    return quizzes.diagnosis(unit)


def quiz(unit: str):
    """Ask the questions of a unit; every answer gets a reason, and any number of tries is allowed.

    Parameters
    ----------
    unit : str
        For example ``"10"``.

    Returns
    -------
    anywidget.AnyWidget
        The quiz, with the answers given so far.
    """
    from helpers.coursework import quizzes  # here, so that a check does not pay for widgets

    return quizzes.quiz(unit)


def predict(key: str):
    """Ask for a guess before a result is shown. It is stored and never marked; skipping is fine.

    Parameters
    ----------
    key : str
        For example ``"10.dither"``.

    Returns
    -------
    anywidget.AnyWidget
        The question; after the guess, what each guess says about the matter.
    """
    from helpers.coursework import quizzes

    return quizzes.predict(key)


def guess(key: str) -> float | str | None:
    """Return what was guessed, so that a figure can draw it beside the answer.

    Parameters
    ----------
    key : str
        A prediction, for example ``"10.dither"``.

    Returns
    -------
    float or str or None
        The `value` of the chosen option in unit.toml, or its text where it has none; None where
        nothing was guessed yet.
    """
    options = catalogue.prediction(key)["options"]
    record = store.load()[0]["predictions"].get(key)
    tried = record.get("tried") if isinstance(record, dict) else None
    if not tried or tried[0] not in range(len(options)):
        return None
    chosen = options[tried[0]]
    return chosen.get("value", chosen["text"])


def progress():
    """Show the map of units and chapters with what you have done, and lead to where you were.

    Returns
    -------
    Progress
        A page with links, and the same as text.
    """
    from helpers.coursework import report

    state, note = store.load()
    return report.Progress(report.standings(state), note, store.last(state))


def certificate(name: str) -> Text:
    """Write a page to print beside the notebook, once every unit is done; before that, say what is
    missing.

    Parameters
    ----------
    name : str
        The name to print.

    Returns
    -------
    Text
        Where the page is, or what is still open.
    """
    from helpers.coursework import report

    if not isinstance(name, str) or not name.strip():
        raise ValueError(
            f'name must be the text to print, as in certificate("Ada Lovelace"), got {name!r}'
        )
    found = report.standings(store.load()[0])
    if open_points := report.missing(found):
        return Text("Not yet", " ".join(open_points))
    try:
        path = report.write_certificate(name.strip(), found, Path.cwd())
    except OSError as error:
        return Text("Not written", f"{error.strerror}.")
    return Text(
        "Done", f"{path.name} lies beside this notebook. Open it in a browser and print it."
    )


def reset(what: str) -> Text:
    """Forget what is stored about one exercise, one prediction, one unit, or everything.

    Parameters
    ----------
    what : str
        A key such as ``"10.level"`` or ``"10.dither"``, a unit such as ``"10"``, or
        ``"everything"``.

    Returns
    -------
    Text
        One line that says what was forgotten.
    """
    keys = [
        item["key"]
        for n in catalogue.units()
        for part in ("exercise", "predict")
        for item in catalogue.unit(n)[part]
    ]
    if what not in ("everything", *catalogue.units(), *keys):
        raise ValueError(
            f'nothing is called {what!r}; give "everything", a unit such as "10" or a key '
            f"such as {keys[0]!r}"
        )

    def forget(state: dict) -> None:
        for part in store.EMPTY:
            for key in list(state[part]):
                if what == "everything" or what == key or key.startswith(f"{what}."):
                    del state[part][key]
        if what in ("everything", store.last(state).get("unit")):
            state.pop("last", None)

    note = store.update(forget)
    return Text("Reset", f"Forgotten: {what}. {note}".strip())
