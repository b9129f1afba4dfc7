"""Show the course's address, or rewrite it in every notebook and in README.md.

The address stands once, in pyproject.toml ([project.urls] Repository). From it come the first code
cell of each notebook, the badges, and every link to the repository.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

from tools import notebooks

ROOT = notebooks.ROOT
SHAPE = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
BADGES = "data/badges/"

# no line is wider than a learner's window (tools/verify/tidy_cells.py)
BOOTSTRAP = """\
# Fetches the course where it is missing; else it does nothing.
import importlib.util
import os
import runpy
import subprocess

COURSE = "{url}"

if importlib.util.find_spec("helpers") is None:
    course = ".." if os.path.isdir("../helpers") else "ear-up"
    if not os.path.isdir(course):
        address = os.environ.get("EARUP_REPOSITORY", COURSE)
        print("Fetching the course from", address)
        clone = ["git", "clone", "--quiet", "--depth", "1"]
        subprocess.run([*clone, address, course], check=True)
    runpy.run_path(course + "/tools/bootstrap.py", run_name="__main__")"""


def current(root: Path = ROOT) -> str:
    """Return the course's address."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"][
        "Repository"
    ]


def slug(url: str) -> str:
    """Return owner/name of an address, which Colab's and Binder's links are made of."""
    if not (found := SHAPE.fullmatch(url)):
        raise ValueError(
            f"{url!r} is not of the form https://github.com/OWNER/NAME, which Colab and Binder can "
            "open"
        )
    return "/".join(found.groups())


def site(url: str) -> str:
    """Return where GitHub publishes the site of the course."""
    owner, name = slug(url).split("/")
    return f"https://{owner}.github.io/{name}/"


def bootstrap_source(url: str) -> str:
    """Return the first code cell of a notebook."""
    return BOOTSTRAP.format(url=f"https://github.com/{slug(url)}")


def badges(url: str, notebook_name: str, *, up: str = "../") -> str:
    """Return the line of Markdown with a notebook's badges; `up` leads from the page to the top of
    the course.
    """
    name = Path(notebook_name).stem + ".ipynb"
    colab = f"https://colab.research.google.com/github/{slug(url)}/blob/main/notebooks/{name}"
    binder = f"https://mybinder.org/v2/gh/{slug(url)}/main?urlpath=lab/tree/notebooks/{name}"
    return (
        f"[![Open in Colab]({up}{BADGES}colab.svg)]({colab}) [![Open in "
        f"Binder]({up}{BADGES}binder.svg)]({binder})"
    )


def rewritten(notebook: dict, *, name: str, old: str, new: str) -> dict:
    """Return a notebook with its bootstrap cell, badges and links made for a new address."""
    cells = []
    for cell in notebook["cells"]:
        text = notebooks.source(cell)
        if "bootstrap" in cell["metadata"].get("tags", []):
            text = bootstrap_source(new)
        elif cell["cell_type"] == "markdown":
            line = badges(new, name)
            text = "\n".join(
                line if BADGES + "colab.svg" in part else part for part in text.split("\n")
            )
            text = text.replace(slug(old), slug(new))
        cells.append({**cell, "source": notebooks.lines(text)})
    return {**notebook, "cells": cells}


def apply(new: str, *, root: Path = ROOT) -> list[Path]:
    """Rewrite the address everywhere and return the files that changed."""
    old, changed = current(root), []
    texts = {
        root / name: (root / name).read_text(encoding="utf-8")
        for name in ("README.md", "pyproject.toml")
    }
    after = {
        path: text.replace(site(old), site(new)).replace(slug(old), slug(new))
        for path, text in texts.items()
    }
    for path in notebooks.paths(root=root):
        texts[path] = path.read_text(encoding="utf-8")
        notebook = rewritten(notebooks.read(path), name=path.name, old=old, new=new)
        after[path] = notebooks.dumps(notebook)
    for path, text in after.items():
        if text != texts[path]:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    return changed


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py address`."""
    parser = argparse.ArgumentParser(prog="course.py address", description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", help="the new address, https://github.com/OWNER/NAME")
    options = parser.parse_args(argv)
    if options.url is None:
        print(current())
        return 0
    try:
        changed = apply(options.url)
    except ValueError as error:
        return str(error)
    print(
        "\n".join(f"rewritten: {path.relative_to(ROOT).as_posix()}" for path in changed)
        or "nothing to rewrite"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
