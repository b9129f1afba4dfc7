"""Keep the furniture of the house out of a learner's sight: what tests need stands in tags, the
first cell fits a narrow window, and folded code says what it is.

JupyterLab shows the first line of a folded cell, and nothing else of it. So that line names the
figure that the cell draws, or the stage that it makes. Only sources and tags change; outputs, ids
and everything else stay, and a second run changes nothing.

python3 -m tools.verify.tidy_cells          every notebook
python3 -m tools.verify.tidy_cells 10 22    these
python3 -m tools.verify.tidy_cells --check  change nothing, and say what is to be changed
"""

import argparse
import ast
import re
import sys
from pathlib import Path

from tools import notebooks
from tools.site import address

WIDTH = 72  # characters of a folded cell's first line, and of each line of the first cell
MARK = re.compile(r"^#\s*(NBVAL_[A-Z_]+|PYTEST_VALIDATE_\w+)\s*$\n?", re.MULTILINE)
TAGS = {"NBVAL_RAISES_EXCEPTION": "raises-exception"}  # others are the mark in small letters
CAPTION = re.compile(r"\*\*(Figure|Table|Experiment) (\d+\.\d+)\.")
SHOWN = re.compile(r"explore\.(stage|loop)\(")
TITLE = re.compile(r'title="([^"]+)"')
OURS = re.compile(r"#( How .+ (is drawn|is made)\b| What .+ is drawn from| Draws ).*\n")


def folded(cell: dict) -> bool:
    """Return whether Jupyter shows only the first line of a cell."""
    return bool(cell["metadata"].get("jupyter", {}).get("source_hidden"))


def tags(cell: dict) -> list[str]:
    """Return a cell's tags."""
    return cell["metadata"].get("tags", [])


def tag_of(mark: str) -> str:
    """Return the tag that says the same as one of nbval's comments."""
    return TAGS.get(mark, mark.lower().replace("_", "-"))


def captioned(cells: list[dict], place: int) -> str:
    """Return the name of what a cell draws, such as "Figure 2.1", by the caption under it."""
    following = notebooks.source(cells[place + 1]) if place + 1 < len(cells) else ""
    found = CAPTION.match(following)
    return f"{found[1]} {found[2]}" if found else ""


def staged(cells: list[dict], place: int) -> str:
    """Return what a cell is for, such as 'stage "A tone', or "" where the page goes on before."""
    for cell in cells[place:]:
        text = notebooks.source(cell)
        if cell["cell_type"] == "markdown":
            return ""
        if (shown := SHOWN.search(text)) and (found := TITLE.search(text, shown.end())):
            return f'{shown[1]} "{found[1]}'
    return ""


def made(source: str) -> str:
    """Return the names that a cell defines: its functions, or what it assigns."""
    body = ast.parse(source).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    if not names and "explore.panel(" in source:
        return "panels"
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    names = names or [t.id for t in targets if isinstance(t, ast.Name)]
    return ", ".join(dict.fromkeys(names))


def fitted(before: str, middle: str, after: str) -> str:
    """Return three pieces as one line, the middle one cut after a word where they are too long."""
    words = middle.split()
    while len(before + " ".join(words) + after) > WIDTH and len(words) > 1:
        words = [*words[: -2 if words[-1] == "..." else -1], "..."]
    return before + " ".join(words) + after


def name(cells: list[dict], place: int) -> str:
    """Return the first line that a folded cell should have, "" where its own comment is enough."""
    source = notebooks.source(cells[place])
    if what := captioned(cells, place):
        return f"# How {what} is {'drawn' if what.startswith('Figure') else 'made'}"
    if "bootstrap" in tags(cells[place]) or (source.startswith("#") and not OURS.match(source)):
        return ""
    if re.match(r"# Draws ", source):
        return ""
    bare = OURS.sub("", source, count=1) if OURS.match(source) else source
    if title := staged(cells, place):
        return fitted("# How the ", title, f'" is made: {made(bare)}')
    if place + 1 < len(cells) and (what := captioned(cells, place + 1)):
        return f"# What {what} is drawn from"
    if "figures.show(" in source:
        return "# How the picture below is drawn"
    return fitted("# How this is made: ", made(bare), "")


def tidied(cells: list[dict], place: int, *, url: str) -> dict:
    """Return a cell as it should be."""
    cell = cells[place]
    source = notebooks.source(cell)
    if cell["cell_type"] != "code":
        return cell
    if "bootstrap" in tags(cell):
        return {**cell, "source": notebooks.lines(address.bootstrap_source(url))}
    metadata = cell["metadata"]
    wanted = [tag_of(mark) for mark in MARK.findall(source)]
    if wanted:
        metadata = {**metadata, "tags": list(dict.fromkeys([*tags(cell), *wanted]))}
        source = MARK.sub("", source)
    if folded(cell) and (line := name(cells, place)):
        source = f"{line}\n{OURS.sub('', source, count=1) if OURS.match(source) else source}"
    return {**cell, "metadata": metadata, "source": notebooks.lines(source)}


def tidy(notebook: dict, *, url: str) -> dict:
    """Return a notebook with tidy cells."""
    cells = notebook["cells"]
    return {**notebook, "cells": [tidied(cells, k, url=url) for k in range(len(cells))]}


def problems(notebook: dict, *, url: str) -> list[str]:
    """Return which cells are not tidy, and what a command cannot mend."""
    found, new = [], tidy(notebook, url=url)["cells"]
    for number, (cell, other) in enumerate(zip(notebook["cells"], new, strict=True)):
        if cell != other:
            found.append(f"cell {number} is not tidy (python3 -m tools.verify.tidy_cells)")
        first = notebooks.source(other).partition("\n")[0]
        if cell["cell_type"] != "code" or not folded(cell):
            continue
        if not first.startswith("# ") or len(first) > WIDTH:
            found.append(
                f"cell {number} is folded, and its first line is no comment of at most {WIDTH} "
                f"characters: {first!r}"
            )
    return found


def main(argv: list[str] | None = None) -> int | str:
    """Tidy the notebooks that are asked for."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.verify.tidy_cells", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "names", nargs="*", help="how the notebooks' names begin, such as 10; all if none is given"
    )
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(argv)
    try:
        paths: list[Path] = notebooks.paths(options.names)
    except ValueError as error:
        return str(error)
    failed, url = 0, address.current()
    for path in paths:
        before = notebooks.read(path)
        after = tidy(before, url=url)
        if not options.check and after != before:
            notebooks.write(path, after)
            changed = sum(a != b for a, b in zip(after["cells"], before["cells"], strict=True))
            print(f"{path.name}: {changed} cells tidied")
        left = problems(before if options.check else after, url=url)
        failed += len(left)
        for what in left:
            print(f"{path.name}: {what}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
