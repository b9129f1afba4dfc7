"""The learner's own pages: copies of the notebooks in a folder that no new version touches.

`course.py lab` opens `my_notebooks/`. Each start brings pages that are new there, and renews those
of which the course has a newer version: a page that the learner never changed is replaced, and one
that was changed becomes the new page with the learner's cells in it; the page as it was is kept in
`my_notebooks/earlier/`. Answers, recordings and results lie beside the copies and stay.

What each page was copied from is written down in `my_notebooks/.course.json`: for every cell, by
its id, a hash of its source. So what the learner wrote is known without the old version.
"""

import hashlib
import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

FOLDER = "my_notebooks"
RECORD = ".course.json"
# what an earlier edition left beside the originals: progress, recordings, answers, a certificate
LEFT = ("*progress.json", "*progress.*.json", "my_voice*", "blind_*.csv", "ear_*.csv", "*.wav")
WORK = "exercise"  # the tag of cells in which the learner writes


def text_of(cell: dict) -> str:
    """Return a cell's source as one text."""
    return "".join(cell["source"])


def hashes(notebook: dict) -> dict[str, str]:
    """Return a short hash of each cell's source, by the cell's id."""
    return {
        cell["id"]: hashlib.sha256(text_of(cell).encode()).hexdigest()[:16]
        for cell in notebook["cells"]
    }


def merged(mine: dict, base: dict[str, str], new: dict) -> dict:
    """Return the new page with what the learner wrote.

    `base` are the hashes of the page that `mine` was copied from. A cell that the learner changed
    keeps the learner's text where the course left it as it was or where it is an exercise; a cell
    that the learner added follows the cell that it followed. Everything else is the new page's.
    """
    fresh = hashes(new)
    written = {}
    added = {}  # id of the cell before -> cells
    before = ""
    for cell in mine["cells"]:
        name = cell.get("id", "")
        if name not in base:
            added.setdefault(before, []).append(cell)
            continue
        before = name
        if hashes({"cells": [cell]})[name] != base[name]:
            written[name] = cell
    cells = list(added.pop("", []))
    for cell in new["cells"]:
        name = cell["id"]
        if name in written and (fresh[name] == base[name] or WORK in tags(cell)):
            cell = {**cell, "source": written[name]["source"]}
        cells += [cell, *added.pop(name, [])]
    rest = [cell for group in added.values() for cell in group]  # what stood before them is gone
    return {**new, "cells": [*cells, *rest]}


def tags(cell: dict) -> list[str]:
    """Return a cell's tags."""
    return cell["metadata"].get("tags", [])


def read(path: Path) -> dict | None:
    """Return a notebook or a record, or None where it is not there or cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(path: Path, content: dict) -> None:
    """Write a file whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    half.write_text(text, encoding="utf-8", newline="\n")
    half.replace(path)


def shipped(root: Path, path: Path) -> dict | None:
    """Return a notebook as the course came with it, where git knows that; a learner may have worked
    in the original before there were copies.
    """
    command = ["git", "-C", str(root), "show", f"HEAD:notebooks/{path.name}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=True)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def kept_earlier(path: Path) -> Path:
    """Copy a page aside, as it is; return where it lies."""
    folder = path.parent / "earlier"
    folder.mkdir(exist_ok=True)
    stem = f"{path.stem}.{date.today().isoformat()}"
    goal = folder / f"{stem}.ipynb"
    number = 1
    while goal.exists():
        number += 1
        goal = folder / f"{stem}-{number}.ipynb"
    shutil.copy2(path, goal)
    return goal


def carry_over(root: Path, folder: Path) -> list[str]:
    """Copy what lies beside the originals from before there were copies; say what."""
    found = {path for shape in LEFT for path in (root / "notebooks").glob(shape) if path.is_file()}
    names = sorted(path.name for path in found if not (folder / path.name).exists())
    for name in names:
        shutil.copy2(root / "notebooks" / name, folder / name)
    return names


def renew(root: Path) -> list[str]:
    """Bring the learner's folder up to this version; return what was done, in lines to print.

    Raises OSError where the folder cannot be written; what was there is then as it was, page by
    page.
    """
    folder = root / FOLDER
    begun = not (folder / RECORD).exists()
    folder.mkdir(exist_ok=True)
    record = read(folder / RECORD) or {}
    said = []
    if begun and (names := carry_over(root, folder)):
        said.append(f"Carried over from notebooks/: {', '.join(names)}.")
    brought = []
    for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        new = read(path)
        if new is None:
            continue
        goal = folder / path.name
        base = new if goal.exists() else shipped(root, path) or new
        line = renew_page(goal, record.get(path.name), new, path)
        record[path.name] = hashes(base)
        write(folder / RECORD, record)
        if line == "new":
            brought.append(path.stem)
        elif line:
            said.append(line)
    if brought:
        what = "Your pages are made" if begun else "New pages"
        said.append(f"{what} in {FOLDER}/: {', '.join(brought)}.")
    return said


def renew_page(goal: Path, base: dict[str, str] | None, new: dict, path: Path) -> str:
    """Bring one page up to date; return "new", a line to print, or nothing."""
    mine = read(goal)
    if not goal.exists():
        shutil.copy2(path, goal)
        return "new"
    if mine is None or not isinstance(mine.get("cells"), list):
        kept = kept_earlier(goal)
        shutil.copy2(path, goal)
        return f"{goal.name} could not be read and is new; as it was: earlier/{kept.name}."
    fresh = hashes(new)
    if fresh in (base, hashes_of(mine)):
        return ""  # the same version
    if base is None:  # the record was lost: what is an exercise counts as written, the rest as ours
        base = dict.fromkeys(fresh, "")
    if hashes_of(mine) == base:
        shutil.copy2(path, goal)
        return f"{goal.name} is renewed."
    kept = kept_earlier(goal)
    write(goal, merged(mine, base, new))
    return f"{goal.name} is renewed, with what you wrote in it; as it was: earlier/{kept.name}."


def hashes_of(mine: dict) -> dict[str, str]:
    """Return the hashes of a learner's page, whose cells may lack ids in an old format."""
    cells = [cell for cell in mine["cells"] if "id" in cell]
    return hashes({"cells": cells}) if len(cells) == len(mine["cells"]) else {}
