"""Run everything that the continuous integration runs: linters, tests in a real browser, and all
notebooks.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from tools import notebooks
from tools.verify import alone, check

ROOT = notebooks.ROOT
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
TWO_AT_ONCE = [
    "-n",
    "2",
    "--dist",
    "loadfile",
]  # a file's tests stay together: they share pages and notebooks
# as tests/conftest.py has it, and not the file with the most tests first
IN_ORDER = "--no-loadscope-reorder"
NBVAL = [
    *(
        "--nbval",
        "--nbval-current-env",
        "--nbval-sanitize-with",
        "tests/nbval.cfg",
        "--nbval-cell-timeout",
        "300",
    ),
    *(*TWO_AT_ONCE, "-o", "addopts="),
]


def pytest(arguments: list[str], env: dict[str, str]) -> tuple[int, int, int]:
    """Run pytest and return how many tests passed, failed and were skipped."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [*PYTEST, f"--junitxml={report}", *arguments]
        status = subprocess.run(command, cwd=ROOT, env=env).returncode
        if not report.exists():
            return 0, 1, 0
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    total, skipped, bad = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (["tests"], ["skipped"], ["failures", "errors"])
    )
    return total - skipped - bad, max(bad, int(status != 0)), skipped


def run_check(env: dict[str, str]) -> tuple[int, int, int]:
    """Run the linters."""
    failed = check.main([])
    return len(check.linters()) + 1 - failed, failed, 0


def run_tests(env: dict[str, str]) -> tuple[int, int, int]:
    """Run the tests and the examples in docstrings."""
    return pytest([*TWO_AT_ONCE, IN_ORDER], env)


def run_notebooks(env: dict[str, str]) -> tuple[int, int, int]:
    """Run every notebook, with our own outdated calls as errors, and compare what it prints with
    what it stores.
    """
    if not notebooks.paths():
        return 0, 0, 0
    with tempfile.TemporaryDirectory() as own:
        return pytest(
            [*NBVAL, "notebooks"], env | alone.strict_profile(Path(own)) | {"NOTEBOOK_SWEEP": "1"}
        )


PHASES = {"check": run_check, "tests": run_tests, "notebooks": run_notebooks}


def main(argv: list[str] | None = None) -> int:
    """Run `course.py test`; its last line counts what passed, failed and was skipped."""
    parser = argparse.ArgumentParser(prog="course.py test", description=__doc__)
    parser.add_argument(
        "phases", nargs="*", metavar="PHASE", help=f"only these of {', '.join(PHASES)}"
    )
    phases = parser.parse_args(argv).phases or list(PHASES)
    if unknown := set(phases) - set(PHASES):
        parser.error(f"there is no phase {unknown.pop()!r}")
    counts, walls = [], []
    with tempfile.TemporaryDirectory() as own:
        env = dict(os.environ) | {"EARUP_PROGRESS": f"{own}/progress.json", "EARUP_RESULTS": own}
        env |= {"JUPYTER_PREFER_ENV_PATH": "1"}
        env |= {
            "OMP_NUM_THREADS": "1"
        }  # two run at once: threads that wait for each other would take minutes
        if os.environ.get("CI") == "true":
            env |= {"EARUP_REQUIRE_BROWSER": "1"}
        for name in phases:
            print(f"\n== {name}", flush=True)
            start = time.perf_counter()
            counts.append(PHASES[name](env))
            walls.append(f"{name} {time.perf_counter() - start:.0f} s")
    passed, failed, skipped = map(sum, zip(*counts, strict=True))
    print(
        f"\nwall time: {', '.join(walls)}\n{passed} passed, {failed} failed, {skipped} skipped",
        flush=True,
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
