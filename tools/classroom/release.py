"""Make a set of the course in a folder of its own: `student` (no solutions), `solutions`, or
`teacher` (everything).

The student set leaves out the solutions, the tests, and the teacher's pages; it folds the checks of
each unit away, because they hold the truth that answers are compared with. Before it is handed over
it is searched for every line of every solution. What it cannot hide: a check must know what is
right, so whoever unpacks it can find out.
"""

import argparse
import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from tools import notebooks

ROOT = notebooks.ROOT
SETS = ("student", "solutions", "teacher")
NOT_FOR_STUDENTS = (
    "tests",
    "tools/measure/make_clips.py",
    "tools/measure/make_instruments.py",
    "tools/measure/make_orders.py",
    "tools/measure/make_tea.py",
    "tools/measure/make_words.py",
    ".ci",
    ".github",
)
# what `course.py test notebooks` needs: the notebooks run, and are compared with what they store
KEPT_FOR_STUDENTS = tuple(
    f"tests/{name}"
    for name in ("conftest.py", "nbval.cfg", "pages.py", "runs.py", "test_executed.py")
)
NEVER = re.compile(r"(^|/)(\.git|\.venv|__pycache__|\.ipynb_checkpoints|[^/]+\.egg-info)(/|$)")
SOLUTIONS = re.compile(r"data/coursework/\d\d/solutions\.toml")
TEACH = re.compile(r"data/coursework/\d\d/teach\.md")
CHECKS = re.compile(r"data/coursework/\d\d/checks\.py")
ANSWER = re.compile(r"<details><summary>What we would say</summary>.*?</details>", re.DOTALL)
NO_ANSWER = "*This copy of the course came without our answer; your teacher has it.*"
BINARY = (".flac", ".png", ".safetensors", ".wav", ".ogg", ".npz", ".gz")


def files(root: Path = ROOT) -> list[str]:
    """Return the course's own files by their paths: what git tracks, or in a copy without git what
    is no leftover.
    """
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if (root / ".git").exists() and done.returncode == 0:
        names = done.stdout.split("\0")
    else:
        names = [path.relative_to(root).as_posix() for path in root.rglob("*")]
    return sorted(
        name for name in names if name and not NEVER.search(name) and (root / name).is_file()
    )


def for_students(name: str) -> bool:
    """Tell whether a file goes into the student set."""
    if name in KEPT_FOR_STUDENTS:
        return True
    if SOLUTIONS.fullmatch(name) or TEACH.fullmatch(name):
        return False
    return not any(name == p or name.startswith(f"{p}/") for p in NOT_FOR_STUDENTS)


def folded(source: str) -> str:
    """Return a module that does the same and shows nothing to who only looks: compressed, as
    text.
    """
    text = base64.b64encode(zlib.compress(source.encode(), 9)).decode()
    lines = "\n".join(f'    "{text[i : i + 100]}"' for i in range(0, len(text), 100))
    doc = source.partition('"""')[2].partition('"""')[0]
    return (
        f'"""{doc}\n\nFolded: a check knows the answers, and reading them by accident would spoil '
        'much.\n"""\n\n'
        "import base64\nimport zlib\n\n"
        f"FOLDED = (\n{lines}\n)\n"
        'exec(compile(zlib.decompress(base64.b64decode(FOLDED)), __file__, "exec"))\n'
    )


def tagged(cell: dict, tag: str) -> bool:
    """Tell whether a cell wears a tag."""
    return tag in cell["metadata"].get("tags", [])


def key_of(cell: dict) -> str | None:
    """Return which exercise a cell checks or solves, "10.level" for example."""
    found = re.search(
        r"coursework\.(?:check|solution)\(\s*[\"'](\d\d\.\w+)", notebooks.source(cell)
    )
    return found[1] if found else None


def shown(thing: object, cell: dict) -> list[dict]:
    """Return something of the coursework as the stored output of a cell."""
    forms = {"text/plain": repr(thing)}
    if hasattr(thing, "_repr_markdown_"):
        forms["text/markdown"] = thing._repr_markdown_()
    data = {kind: notebooks.lines(text) for kind, text in forms.items()}
    count = cell["execution_count"]
    return [
        {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": count}
    ]


def without_solutions(notebook: dict) -> dict:
    """Return a notebook as a student gets it: each stored solution gives way to the line that says
    there is none.
    """
    from helpers.coursework import NO_SOLUTION

    for cell in notebook["cells"]:
        if tagged(cell, "solution"):
            cell["outputs"] = shown(NO_SOLUTION, cell)
        elif cell["cell_type"] == "markdown":
            cell["source"] = notebooks.lines(ANSWER.sub(NO_ANSWER, notebooks.source(cell)))
    return notebook


def solved(notebook: dict) -> dict:
    """Return a notebook with every exercise filled in, and with what its check really says about
    that.
    """
    from helpers.coursework import catalogue

    keys = [key_of(cell) if tagged(cell, "check") else None for cell in notebook["cells"]]
    for number, cell in enumerate(notebook["cells"]):
        if tagged(cell, "exercise") and (key := next(filter(None, keys[number:]), None)):
            cell["source"] = notebooks.lines(catalogue.exercise(key).solution.rstrip())
        elif keys[number]:
            exercise = catalogue.exercise(keys[number])
            cell["outputs"] = shown(exercise.check(function(exercise.solution)), cell)
    return notebook


def function(source: str):
    """Return the last function that a solution defines."""
    import math

    import numpy as np

    space = {"np": np, "math": math}
    if "torch" in source:
        import torch

        space["torch"] = torch
    exec(compile(source, "<solution>", "exec"), space)
    return [thing for name, thing in space.items() if callable(thing) and f"def {name}(" in source][
        -1
    ]


def secrets() -> dict[str, str]:
    """Return every line of every solution and variant that gives something away, with the exercise
    that it belongs to.

    The head of a loop or of a function gives nothing away, nor does a line that the starter holds.
    """
    from helpers.coursework import catalogue

    every = [e for number in catalogue.units() for e in catalogue.exercises(number).values()]
    public = {line.strip() for e in every for line in e.starter.splitlines()}
    # every training loop of the course holds these lines
    public |= {f"optimizer.{call}" for call in ("zero_grad()", "zero_grad(set_to_none=True)")}
    public |= {"optimizer.step()", "return loss.item()", "return loss.detach()"}
    found = {}
    for exercise in every:
        for source in (exercise.solution or "", *exercise.variants):
            lines = {line.strip() for line in source.splitlines()} - public
            found |= {
                line: exercise.key
                for line in lines
                if len(line) >= 16 and not line.endswith((":", '"""'))
            }
        found |= {exercise.why: exercise.key} if exercise.why else {}
    return found


def text_of(path: Path) -> str:
    """Return all text of a file; of a notebook, that of its cells and of their outputs."""
    if path.suffix in BINARY:
        return ""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    parts = [notebooks.source(cell) for cell in cells] + [
        "".join(o.get("text", "")) for o in outputs
    ]
    parts += [
        "".join(d) for o in outputs for k, d in o.get("data", {}).items() if k.startswith("text/")
    ]
    return "\n".join(parts)


def leaks(folder: Path, known: dict[str, str]) -> list[str]:
    """Return where a folder holds a line of `known`, or the reason that goes with a solution."""
    found = []
    whys = {text: key for text, key in known.items() if "\n" not in text and len(text) > 60}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        text = text_of(path)
        flat, lines = " ".join(text.split()), {line.strip() for line in text.splitlines()}
        hits = {known[line] for line in lines & known.keys()} | {
            key for why, key in whys.items() if why in flat
        }
        found += [
            f"{path.relative_to(folder).as_posix()} holds text of the solution of {key}"
            for key in sorted(hits)
        ]
    return found


def version(root: Path = ROOT) -> str:
    """Return which commit a set is made from, and whether files had changed since."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True
    )
    return done.stdout.strip() or "a copy without git"


def note(kind: str) -> str:
    """Return what a set says about itself in RELEASE.md."""
    words = {
        "student": "The **student set**. It has no solutions and no tests, and the checks of the "
        "exercises are "
        "folded. Everything else is the course:\n\n```\npython3 course.py lab\n```\n\nThe checks, "
        "hints, predictions "
        "and quizzes work. `coursework.solution(...)` says in one line that this copy has none.",
        "solutions": "The **solution set**: every notebook with its exercises solved "
        "(`notebooks/`), the texts of the solutions with variants "
        "(`data/coursework/*/solutions.toml`), and all of it on one page (`SOLUTIONS.md`). Laid "
        "over a student set, `data/` brings `coursework.solution(...)` back.",
        "teacher": "The **teacher set**: the whole course with solutions, tests and the teacher's "
        "pages (`data/coursework/*/teach.md`), and every notebook solved (`solved/`).",
    }
    return (
        f"# Audio ML from the Ear Up\n\n{words[kind]}\n\nMade from {version()} by `course.py "
        f"release {kind}`.\n"
    )


def page_of_solutions() -> str:
    """Return all solutions and the reason for each, as Markdown."""
    from helpers.coursework import catalogue

    parts = ["# Solutions"]
    for number in catalogue.units():
        parts.append(f"## {number} · {catalogue.unit(number)['title']}")
        for e in catalogue.exercises(number).values():
            parts.append(
                f"### {e.key} {e.title}\n\n{e.prompt}\n\n```python\n{e.solution}```\n\n{e.why}"
            )
    return "\n\n".join(parts) + "\n"


def copy(names: list[str], root: Path, into: Path) -> None:
    """Copy files by their paths."""
    for name in names:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, into / name)


def rewrite(folder: Path, change, *, into: Path | None = None) -> None:
    """Change every notebook of a folder, in place or into another."""
    into = into or folder
    into.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        notebooks.write(into / path.name, change(notebooks.read(path)))


def make(kind: str, into: Path) -> None:
    """Write one set into an empty folder."""
    names = files()
    if kind == "student":
        copy([name for name in names if for_students(name)], ROOT, into)
        rewrite(into / "notebooks", without_solutions)
        for name in filter(CHECKS.fullmatch, names):
            (into / name).write_text(
                folded((ROOT / name).read_text(encoding="utf-8")), encoding="utf-8"
            )
    elif kind == "solutions":
        copy([name for name in names if SOLUTIONS.fullmatch(name)], ROOT, into)
        rewrite(ROOT / "notebooks", solved, into=into / "notebooks")
        (into / "SOLUTIONS.md").write_text(page_of_solutions(), encoding="utf-8")
    else:
        copy(names, ROOT, into)
        rewrite(ROOT / "notebooks", solved, into=into / "solved")
    (into / "RELEASE.md").write_text(note(kind), encoding="utf-8")


def refusal(folder: Path) -> str | None:
    """Return why a folder cannot take a set, or None."""
    if folder.is_relative_to(ROOT) and not folder.is_relative_to(ROOT / "build"):
        return (
            f"{folder} lies inside the course, where git would see it. Choose a folder elsewhere, "
            "or build/..."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return (
            f"{folder} exists and is not empty. Nothing is overwritten: choose another name, or "
            "remove it first."
        )
    if not any(SOLUTIONS.fullmatch(name) for name in files()):
        return "This copy of the course has no solutions, so no set can be made of it."
    return None


def place(kind: str, target: Path) -> list[str]:
    """Make a set beside its place and move it there whole; return what forbids that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".release-") as part:
        new = Path(part) / "set"
        new.mkdir()
        make(kind, new)
        if kind == "student" and (found := leaks(new, secrets())):
            return found
        if target.exists():
            target.rmdir()
        new.replace(target)
    return []


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py release`."""
    parser = argparse.ArgumentParser(
        prog="course.py release",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=SETS, metavar="|".join(SETS))
    parser.add_argument("folder", type=Path, help="a folder that is new or empty")
    options = parser.parse_args(argv)
    target = options.folder.expanduser().resolve()
    if why := refusal(target):
        return why
    try:
        if found := place(options.kind, target):
            return "\n".join(
                ["The student set was not made, because it would tell answers:", *found]
            )
    except (OSError, shutil.Error) as error:
        why = getattr(error, "strerror", None) or "a file could not be copied"
        return (
            f"The set was not made ({why}). Make room or choose another place; nothing half made "
            "is left behind."
        )
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(
        f"{options.folder}: the {options.kind} set, {len(files(target))} files, {size / 1e6:.1f} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
