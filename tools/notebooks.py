"""What a stored notebook may hold: its text and figures, and nothing of one machine, one moment or
one sound.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 800_000  # bytes in one notebook
KEPT = ("text/plain", "text/markdown", "text/latex", "text/html", "image/png")
NOT_IN_HTML = re.compile(
    r"<script|<audio|<video|<iframe|data:audio|application/vnd\.jupyter", re.IGNORECASE
)
OF_A_MACHINE = re.compile(
    r"\bat 0x[0-9a-f]{6}|ipykernel_\d|/(?:root|home|tmp|work|opt|Users|content)/|[A-Z]:\\Users"
)
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def paths(names: list[str] | None = None, *, root: Path = ROOT) -> list[Path]:
    """Return the course's notebooks, or those whose names begin as asked ("10" is enough)."""
    every = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return every
    starts = [Path(name).name.removesuffix(".ipynb") for name in names]
    if unknown := [s for s in starts if not any(path.stem.startswith(s) for path in every)]:
        raise ValueError(
            f"no notebook is called {unknown[0]!r}; there are "
            f"{', '.join(path.stem for path in every)}"
        )
    return [path for path in every if path.stem.startswith(tuple(starts))]


def read(path: Path) -> dict:
    """Return a notebook as plain data."""
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, notebook: dict) -> None:
    """Write a notebook in the one form in which it is committed."""
    path.write_text(dumps(notebook), encoding="utf-8", newline="\n")


def dumps(notebook: dict) -> str:
    """Return a notebook as text, as Jupyter itself would lay it out."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def source(cell: dict) -> str:
    """Return a cell's text."""
    return "".join(cell["source"])


def lines(text: str) -> list[str]:
    """Return text as a notebook stores it."""
    return text.splitlines(keepends=True)


def heading(notebook: dict) -> tuple[str, str]:
    """Return a unit's question and its minutes, which its first cell states."""
    first = source(notebook["cells"][0])
    return first.splitlines()[0].partition(" · ")[2], re.search(r"(\d+) minutes", first)[1]


def _stored(output: dict) -> dict | None:
    """Return what is kept of one output."""
    if output["output_type"] in ("stream", "error"):
        return output
    data = {kind: payload for kind, payload in output["data"].items() if kind in KEPT}
    if NOT_IN_HTML.search("".join(data.get("text/html", ""))):
        del data["text/html"]
    return {**output, "data": data, "metadata": {}} if data else None


def _joined(outputs: list[dict]) -> list[dict]:
    """Return outputs with neighbouring pieces of one stream in one piece, for a kernel cuts them by
    chance.
    """
    joined = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] = lines("".join(last["text"]) + "".join(output["text"]))
        else:
            joined.append(dict(output))
    return joined


def normalise(notebook: dict) -> dict:
    """Return an executed notebook as it is to be stored."""
    cells, count = [], 0
    for number, cell in enumerate(notebook["cells"]):
        metadata = {
            key: value for key, value in cell["metadata"].items() if key in ("tags", "jupyter")
        }
        new = {**cell, "metadata": metadata, "id": cell.get("id") or f"cell-{number:02d}"}
        if cell["cell_type"] == "code":
            run = bool(source(cell).strip()) and cell["execution_count"] is not None
            count += run
            new["execution_count"] = count if run else None
            new["outputs"] = _joined(
                [kept for output in cell["outputs"] if (kept := _stored(output))]
            )
            for output in new["outputs"]:
                if output["output_type"] == "execute_result":
                    output["execution_count"] = new["execution_count"]
        cells.append(new)
    kept = {
        key: notebook["metadata"][key]
        for key in ("title", "license")
        if key in notebook["metadata"]
    }
    metadata = {**kept, "kernelspec": KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def problems(path: Path) -> list[str]:
    """Return what a stored notebook holds against the rules, or lacks."""
    notebook, found = read(path), []
    if path.stat().st_size >= LIMIT:
        found.append(f"{path.stat().st_size // 1000} kB; the limit is {LIMIT // 1000} kB")
    if "widgets" in notebook["metadata"]:
        found.append("widget state is stored")
    code = {
        number: cell for number, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"
    }
    if idle := [
        str(n)
        for n, cell in code.items()
        if source(cell).strip() and cell["execution_count"] is None
    ]:
        found.append(f"not executed: cell {', '.join(idle)}")
    found += [
        f"cell {number}: {what}" for number, cell in code.items() for what in _cell_problems(cell)
    ]
    if not found and path.read_text(encoding="utf-8") != dumps(normalise(notebook)):
        found.append("holds metadata or a layout that is not stored")
    return [f"{what} (python3 course.py execute {path.stem[:2]})" for what in found]


def _cell_problems(cell: dict) -> list[str]:
    """Return what is wrong with one code cell's outputs."""
    found = []
    for output in cell["outputs"]:
        kind = output["output_type"]
        data = output.get("data", {})
        if kind == "error" and "raises-exception" not in cell["metadata"].get("tags", []):
            found.append("stores an error")
        if output.get("name") == "stderr":
            found.append("stores a warning")
        found += [f"stores {mime}" for mime in data if mime not in KEPT]
        if NOT_IN_HTML.search("".join(data.get("text/html", ""))):
            found.append("stores a script or a sound in its HTML")
        text = "".join(output.get("text", "")) + "".join("".join(data.get(m, "")) for m in KEPT[:4])
        if seen := OF_A_MACHINE.search(text):
            found.append(f"stores {seen[0]!r}, which another machine would not")
    return found
