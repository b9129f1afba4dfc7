"""Exercises of a page: what a box needs to check a learner's code in the page's Python."""

import html
import re

from helpers import coursework
from helpers.coursework import catalogue, checking
from helpers.coursework.feedback import NOT_YET, Result, inline
from tools.site.engine import cutting

CALL = re.compile(r'coursework\.check\("([\d.\w]+)", (\w+)\)')
ASIDE = ("check", "hint", "solution")  # tags of the cells that a box takes the place of


def found(nb) -> dict[int, dict]:
    """Return the exercises of a notebook by the number of the cell in which their function
    begins.
    """
    statements = cutting.statements(nb)
    exercises = {}
    for cell in nb.cells:
        if "check" not in cell.metadata.get("tags", []):
            continue
        key, name = CALL.search(cell.source).groups()
        begun = max(k for k, s in enumerate(statements) if s.makes == {name} and _is_stub(nb, s))
        stub = statements[begun]
        it = catalogue.exercise(key)
        if it.solution is None or "torch" in it.solution:
            continue
        reads = cutting.statements_of(it.solution)
        names = stub.reads.union(*(s.reads for s in reads))
        imports = [s.text for s in statements[:begun] if s.text.startswith(("import ", "from "))]
        context = cutting.needed(statements[:begun], names)
        exercises[stub.cell] = {
            "key": key,
            "name": name,
            "code": nb.cells[stub.cell].source,
            "context": "\n".join([*imports, *context]),
            "solution": it.solution,
        }
    return exercises


def _is_stub(nb, statement: cutting.Statement) -> bool:
    return "exercise" in nb.cells[statement.cell].metadata.get("tags", [])


def place(nb, boxes: dict[int, dict], shelf) -> None:
    """Put a box in the place of each exercise's cells; the cells keep their numbers."""
    from nbformat import v4

    for number, exercise in boxes.items():
        code = html.escape(exercise["code"])
        key = shelf.put(exercise | {"clips": shelf.put_clips(exercise["clips"])})
        shown = f'<div class="earup-exercise" data-part="{key}"><pre>{code}</pre></div>'
        output = v4.new_output("display_data", {"text/html": shown})
        cell = nb.cells[number]
        cell.outputs = [output]
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), "remove-input"]
        for k in range(number + 1, len(nb.cells)):
            tags = nb.cells[k].metadata.get("tags", [])
            if any(tag in ASIDE for tag in tags) and f'"{exercise["key"]}"' in nb.cells[k].source:
                nb.cells[k] = v4.new_markdown_cell("")


def box(exercise: dict) -> dict:
    """Return what the page shows of an exercise and hands to Python."""
    it = catalogue.exercise(exercise["key"])
    seconds = checking.SECONDS
    endless = Result(
        NOT_YET,
        f"Your code was still running after {2 * seconds:g} seconds, and was stopped. A loop "
        "probably never ends: look at its condition, and at what changes in each round.",
    )
    shown = {name: exercise[name] for name in ("key", "name", "code", "context")}
    return shown | {
        "title": it.title,
        "hints": [inline(hint) for hint in it.hints],
        "solution": coursework.solution(it.key)._repr_html_(),
        "endless": endless._repr_html_(),
        "seconds": 2 * seconds,
    }
