"""Try stages with what a page has, in a process of its own: `face` takes the place of packages."""

import ast
import base64
import json
import sys
from pathlib import Path

import numpy as np

from tools import notebooks
from tools.site.engine import cutting, face, quick


def clips() -> dict[str, tuple[np.ndarray, int]]:
    """Return all clips of the course and its words, read as the course reads them."""
    from helpers import audio

    names = sorted(path.stem for path in (notebooks.ROOT / "data" / "clips").glob("*.flac"))
    found = {name: audio.clip(name) for name in names}
    for path in sorted((notebooks.ROOT / "data" / "words").glob("*.flac")):
        found[f"words/{path.stem}"] = audio.load(path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]  # the course is imported again, with its stand-ins
    return found


def runnable(statements: list[str], data: list[dict[str, str]]) -> str:
    """Return statements as a source that runs here.

    Where one fails, or makes what only a package makes, the data that it makes is handed over; if
    that is no data, such as a network, it is left out, and what needs it fails in its turn. The
    last statement is the stage, and is not run.
    """
    space = {"__name__": "__main__"}
    kept = []  # texts, and what is handed over in the place of one
    for text, own in zip(statements[:-1], data[:-1], strict=True):
        before = dict(space)
        try:
            exec(compile(text, "cut", "exec"), space)
            new = [value for name, value in space.items() if before.get(name) is not value]
            well = not any(lacks(value) for value in new)
        except Exception:
            well = False
            if not own:
                continue
        if not well and own:
            lines = {k: f"{k} = __import__('answering').handed({v!r})" for k, v in own.items()}
            exec(compile("\n".join(lines.values()), "cut", "exec"), space)
            kept.append(lines)
        else:
            kept.append(text)
    return "\n".join(wanted([*kept, statements[-1]]))


def wanted(kept: list[str | dict[str, str]]) -> list[str]:
    """Return those texts, and lines that hand something over, which the last text needs.

    From the last to the first: a text stays if it makes what a later one reads, and an assignment
    ends the search for its name. What a function reads it may read later, so that is always wanted.
    """
    lines = [
        line for text in kept for line in (text.values() if isinstance(text, dict) else [text])
    ]
    parts = [cutting.statements_of(line) for line in lines]
    late = set()
    for part in parts:
        late = late.union(
            *(one.reads for one in part if "def " in one.text or "lambda" in one.text)
        )
    live, found = set(), [lines[-1]]
    live = live.union(*(one.reads for one in parts[-1]))
    for line, part in zip(reversed(lines[:-1]), reversed(parts[:-1]), strict=True):
        makes = set().union(*(one.makes for one in part))
        if not makes & (live | late):
            continue
        found.append(line)
        reads = set().union(*(one.reads for one in part))
        if all(isinstance(node, ast.Assign) for node in ast.parse(line).body):
            live -= {name for one in part for name in one.makes if f"{name}[" not in line}
        live |= reads
    return found[::-1]


def lacks(value: object) -> bool:
    """Tell whether a value is, or holds, what a package would have made."""
    if isinstance(value, dict):
        return any(lacks(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(lacks(item) for item in value)
    return isinstance(value, face.Nothing)


def tried(statements: list[str], values: dict, data: list[dict[str, str]] | None = None) -> dict:
    """Return what a stage answers, or why it does not."""
    from tools.site.engine import answering

    sys.modules["answering"] = answering  # its name in a page
    face.ASKED.clear()
    source = "\n".join(statements)
    try:
        if data is not None:
            source = runnable(statements, data)
        answering.make("tried", source)
        text, frame = answering.answer("tried", json.dumps({"n": 1, "values": values}))
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    content = json.loads(text)
    if "fault" in content:
        return {"fault": content["fault"].partition("\n")[0]}
    frame = base64.b64encode(frame).decode()
    found = {"contents": content["contents"], "frame": frame, "source": source}
    return found | {"clips": sorted(set(face.ASKED))}


def solved(exercise: dict) -> dict:
    """Return why an exercise cannot be checked in a page, or nothing if its solution is right, and
    the clips that it reads.
    """
    from tools.site.engine import answering

    face.ASKED.clear()
    given = [exercise[part] for part in ("key", "name", "context")]
    try:
        outcomes = [answering.check(*given, exercise[code])[0] for code in ("code", "solution")]
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {error}"}
    fault = "" if outcomes == ["not attempted", "correct"] else f"it says {outcomes}"
    return {"fault": fault, "clips": sorted(set(face.ASKED))}


def main(request: str, reply: str) -> None:
    """Answer a file of questions by another."""
    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    face.CLIPS.update(clips())
    face.use()
    quick.use()
    from helpers import _weights

    _weights.FOLDER = Path("/no/weights/in/a/page")
    answers = {"stages": {}, "exercises": {}}
    for stem, cells in asked["stages"].items():
        answers["stages"][stem] = {cell: tried(**one) for cell, one in cells.items()}
    for stem, cells in asked["exercises"].items():
        answers["exercises"][stem] = {cell: solved(one) for cell, one in cells.items()}
    Path(reply).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
