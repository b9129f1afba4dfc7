"""Linters over everything, what the notebooks may store, and what their cells may show."""

import argparse
import subprocess
import sys

from tools import notebooks
from tools.site import address
from tools.verify import tidy_cells

ROOT = notebooks.ROOT
TEXT = ["helpers", "tools", "tests", "notebooks", "data", "course.py"]


def linters() -> dict[str, list[str]]:
    """Return each linter's command, less the Python that runs it."""
    rooms = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "helpers").rglob("*.py"))
    prose = sorted(path.name for path in ROOT.glob("*.md"))
    return {
        "ruff check": ["ruff", "check", "--quiet", "."],
        "ruff format": ["ruff", "format", "--check", "--quiet", "."],
        "numpydoc": ["numpydoc", "lint", "--config", ".", *rooms],
        "codespell": ["codespell_lib", *[name for name in TEXT if (ROOT / name).exists()], *prose],
    }


def stored() -> list[str]:
    """Return what the notebooks store against the rules."""
    return [
        f"{path.name}: {what}" for path in notebooks.paths() for what in notebooks.problems(path)
    ]


def cells() -> list[str]:
    """Return what a learner sees in the notebooks that is not for learners."""
    url = address.current()
    return [
        f"{path.name}: {what}"
        for path in notebooks.paths()
        for what in tidy_cells.problems(notebooks.read(path), url=url)
    ]


def main(argv: list[str] | None = None) -> int:
    """Run `course.py check` and return how many checks failed."""
    argparse.ArgumentParser(prog="course.py check", description=__doc__).parse_args(argv)
    failed = 0
    for name, command in linters().items():
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
        )
        failed += done.returncode != 0
        print(f"{name}: {'fine' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode:
            print(done.stdout + done.stderr, flush=True)
    for name, found in (("stored outputs", stored()), ("cells", cells())):
        print(f"{name}: {'FAILED' if found else 'fine'}", *found, sep="\n  ", flush=True)
        failed += bool(found)
    return failed


if __name__ == "__main__":
    sys.exit(main())
