"""Linters over everything, and what the notebooks may store."""

import argparse
import subprocess
import sys

from tools import notebooks

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
    found = stored()
    print(f"stored outputs: {'FAILED' if found else 'fine'}", *found, sep="\n  ", flush=True)
    return failed + bool(found)


if __name__ == "__main__":
    sys.exit(main())
