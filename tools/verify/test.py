"""Run what the continuous integration runs: linters, tests in a real browser, and all notebooks.

Without a phase everything runs but what is dear and seldom broken (marked `nightly`); with
--nightly that runs too, every track of every player is heard, and pictures of the pages are kept
in tests/browser/shots. With --changed only that runs which a change since a commit can reach.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools import notebooks
from tools.verify import check, reach

ROOT = notebooks.ROOT
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
# tests that share a page or a notebook stay together (tests/conftest.py), in the order that it made
TWO_AT_ONCE = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
EXECUTED = "tests/test_executed.py"
COMPARED = f"{EXECUTED}::test_a_notebook_runs_and_every_cell_shows_what_is_stored"
PHASES = {
    "check": "linters, and what notebooks may store",
    "notebooks": "every notebook in a fresh process: what it shows, and the tests about its names",
    "core": "all other tests that need no browser",
    "widgets": "single widgets in a browser",
    "pages": "every notebook in JupyterLab",
    "site": "the site",
}
MARKS = {
    "core": "not browser and not unit",
    "widgets": "browser and not page and not site",
    "pages": "page",
    "site": "site",
}
Counts = tuple[int, int, int]


def pytest(arguments: list[str], env: dict[str, str], *, aside: bool = False) -> Counts:
    """Run pytest and return how many tests passed, failed and were skipped.

    With `aside` what it says is shown at its end, because another one runs at the same time.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [*PYTEST, f"--junitxml={report}", *arguments]
        out = (
            {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} if aside else {}
        )
        done = subprocess.run(command, cwd=ROOT, env=env, **out)
        if aside:
            print(done.stdout, end="", flush=True)
        return counted(report, done.returncode)


def counted(report: Path, status: int) -> Counts:
    """Return how many tests passed, failed and were skipped; a pytest that broke off has failed at
    least once.
    """
    if not report.exists():
        return 0, 1, 0
    suites = list(ET.parse(report).getroot().iter("testsuite"))
    total, skipped, bad = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (["tests"], ["skipped"], ["failures", "errors"])
    )
    failed = max(bad, int(status not in (0, NOTHING_TO_DO)))
    return max(total - skipped - bad, 0), failed, skipped


NOTHING_TO_DO = 5  # pytest's status where no test was selected


def run_check(env: dict[str, str]) -> Counts:
    """Run the linters."""
    failed = check.main([])
    return len(check.linters()) + 1 - failed, failed, 0


def run_notebook(path: Path, env: dict[str, str]) -> Counts:
    """Run one notebook and the tests about it, in a process that has run nothing else."""
    tests = [str(file.relative_to(ROOT)) for file in reach.tests_of(path.stem)]
    return pytest([f"{COMPARED}[{path.stem}]", *tests, "-q", "--no-header"], env, aside=True)


def run_beside(jobs: list, env: dict[str, str]) -> Counts:
    """Run jobs two at a time and return their counts together."""
    with ThreadPoolExecutor(2) as pool:
        return total(pool.map(lambda job: job(env), jobs))


def total(counts) -> Counts:
    """Return counts added up."""
    return tuple(map(sum, zip((0, 0, 0), *counts, strict=True)))


def run_tests(phases: list[str], selected: reach.Selection, env: dict[str, str]) -> Counts:
    """Run those tests of some phases that a selection holds, two at a time."""
    marks = " or ".join(f"({MARKS[phase]})" for phase in phases)
    where = [] if selected.everything else sorted(selected.tests)
    return pytest([*TWO_AT_ONCE, "-m", marks, *where], env)


def plan(phases: list[str], selected: reach.Selection) -> dict:
    """Return what is to be run, by the name under which its time is told."""
    aside = [run_check] if "check" in phases else []
    if "notebooks" in phases:  # the later units take longer, so they begin
        paths = [path for path in reversed(notebooks.paths()) if selected.holds(path)]
        aside[:0] = [partial(run_notebook, path) for path in paths]
    steps = (
        {" and ".join(p for p in phases if p not in MARKS): partial(run_beside, aside)}
        if aside
        else {}
    )
    # apart: a browser's driver leaves a running event loop, in which a kernel in the same process
    # cannot be stopped
    for group in (["widgets", "pages", "site"], ["core"]):
        tests = [phase for phase in phases if phase in group]
        if tests and (selected.everything or selected.tests):
            steps[", ".join(tests)] = partial(run_tests, tests, selected)
    return steps


def environment(own: str, options: argparse.Namespace, selected: reach.Selection) -> dict[str, str]:
    """Return the environment of all tests; `own` is a folder for what they would store."""
    env = os.environ | {"EARUP_PROGRESS": f"{own}/progress.json", "EARUP_RESULTS": own}
    env |= {"JUPYTER_PREFER_ENV_PATH": "1"}
    env |= {
        "OMP_NUM_THREADS": "1"
    }  # two run at once: threads that wait for each other would take minutes
    env |= {
        "EARUP_NIGHTLY": str(int(options.nightly)),
        "EARUP_NIGHTLY_OF": " ".join(sorted(selected.nightly)),
    }
    env |= {"EARUP_SHARD": options.shard}
    if os.environ.get("CI") == "true":
        env |= {"EARUP_REQUIRE_BROWSER": "1"}
    return env


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    what = "\n".join(f"  {name:<11}{says}" for name, says in PHASES.items())
    parser = argparse.ArgumentParser(
        prog="course.py test",
        description=f"{__doc__}\nphases:\n{what}",
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("phases", nargs="*", metavar="PHASE", help="only these phases")
    parser.add_argument(
        "--changed",
        nargs="?",
        const="HEAD",
        metavar="BASE",
        help="only what a change since BASE reaches",
    )
    parser.add_argument("--nightly", action="store_true", help="also what is dear")
    parser.add_argument(
        "--shard", default="1/1", metavar="K/N", help="only this part of the tests, such as 2/3"
    )
    parser.add_argument("--list", action="store_true", help="say what would run, and run nothing")
    options = parser.parse_args(argv)
    options.phases = options.phases or list(PHASES)
    if unknown := set(options.phases) - set(PHASES):
        parser.error(f"there is no phase {unknown.pop()!r}; choose from {', '.join(PHASES)}")
    return options


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py test`; its last line counts what passed, failed and was skipped."""
    options = parse(argv)
    try:
        selected = reach.since(options.changed) if options.changed else reach.EVERYTHING
    except ValueError as error:
        return str(error)
    if options.list or not selected.everything:
        print(selected)
    if options.list:
        return 0
    counts, walls = [], []
    with tempfile.TemporaryDirectory() as own:
        env = environment(own, options, selected)
        for name, run in plan(options.phases, selected).items():
            print(f"\n== {name}", flush=True)
            start = time.perf_counter()
            counts.append(run(env))
            walls.append(f"{name} {time.perf_counter() - start:.0f} s")
    passed, failed, skipped = total(counts)
    print(
        f"\nwall time: {'; '.join(walls)}\n{passed} passed, {failed} failed, {skipped} skipped",
        flush=True,
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
