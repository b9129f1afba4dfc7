"""Run the course on other Pythons and other versions of its packages, and write down what passed.

Each combination of matrix.toml gets a fresh environment and a clone of the last commit, which
stands in for the public repository. Every notebook runs in an empty folder of its own, and its
first cell fetches that clone; then the tests run. Results go to data/tables/compatibility.csv. A
combination takes 5 to 25 minutes and up to 6 GB, which are freed at its end.
"""

import argparse
import csv
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools import notebooks
from tools.start import packages
from tools.verify import alone
from tools.verify.test import counted

ROOT = notebooks.ROOT
TABLE = ROOT / "data" / "tables" / "compatibility.csv"
PAGE = ROOT / "tools" / "site" / "pages" / "compatibility.md"
SHOWN = ("numpy", "scipy", "matplotlib", "librosa", "ipywidgets", "anywidget", "ipython", "torch")
NOTEBOOKS = ("notebooks_passed", "notebooks_need_torch", "notebooks_failed")
TESTS = ("tests_passed", "tests_failed", "tests_skipped")
COLUMNS = ("combination", "python", *SHOWN, *NOTEBOOKS, *TESTS, "remarks", "commit", "date")
GOOD = ("passed", "needs torch")
NEEDS_TORCH = re.compile(r"need PyTorch, which is not installed here|No module named 'torch'")
MARKS = ("% compatibility table: begin\n\n", "\n% compatibility table: end\n")
FOR_TESTS = "pytest pytest-xdist pyyaml numpydoc nbformat nbclient pyloudnorm packaging pesq pystoi"
# Tests of this checkout rather than of packages (pins, commands, pages, releases, grading, how
# clips were made), the browser's, and thousands of wrong answers to exercises: `python3 course.py
# test` runs them.
NOT_HERE = """
    browser test_project.py test_course.py test_pages.py test_notebooks.py test_release.py
    test_grade.py test_clips.py test_matrix.py test_coursework.py test_executed.py test_reach.py
"""


@dataclass(frozen=True)
class Combination:
    """A Python, what is installed beside it before a notebook is opened, and what is to be run."""

    name: str
    python: str
    packages: str
    remark: str
    tests: bool = False
    checkout: bool = False


def oldest() -> str:
    """Return the lower bound of every range in pyproject.toml that a learner's environment is made
    of.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = list(project["dependencies"])
    for group in ("lab", "learning", "quality"):
        ranges += project["optional-dependencies"][group]
    return " ".join(re.sub(r">=([^,]+).*", r"==\1", each) for each in ranges)


def combinations() -> dict[str, Combination]:
    """Return every combination of matrix.toml by its name."""
    settings = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    sets = settings["sets"] | {"oldest": oldest()}
    every = {}
    for name, each in settings["combinations"].items():
        each["packages"] = each["packages"].format(**sets)
        every[name] = Combination(name, **each)
    return every


def interpreter(version: str) -> Path | None:
    """Return a Python of this version on this machine, whether or not a shell would find it."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [*pyenv.glob(f"versions/{version}.*/bin/python"), shutil.which(f"python{version}")]
    code = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for python in filter(None, places):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
        if done.stdout.strip() == version:
            return Path(python)
    return None


class Room:
    """A folder with one combination's environment, and the clone that stands in for the public
    repository.
    """

    def __init__(self, combination: Combination, folder: Path):
        self.combination, self.folder = combination, folder
        self.python = packages.venv_python(folder / "venv")
        self.course, self.log = folder / "course", folder.parent / f"{combination.name}.log"

    def run(self, *command: object, cwd: Path | None = None, **env: str) -> int:
        """Run a command of this environment, keep its words in the log and return its status."""
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        settings = {**packages.environ(), "PATH": path, "OMP_NUM_THREADS": "1", **env}
        with self.log.open("a", encoding="utf-8") as log:
            done = subprocess.run(
                command, cwd=cwd or self.course, env=settings, stdout=log, stderr=log
            )
        return done.returncode

    def must(self, *command: object, **options: object) -> None:
        """Run a command that has to succeed."""
        if self.run(*command, **options):
            what = " ".join(map(str, command))[:80]
            raise packages.SetupError(f"this failed: {what}; see {self.log}")

    def build(self, python: Path) -> None:
        """Clone the last commit, make the environment and install what is to be there
        beforehand.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log.unlink(missing_ok=True)
        clone = ["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), self.course]
        self.must(*clone, cwd=self.folder)
        self.must(python, "-m", "venv", self.folder / "venv", cwd=self.folder)
        pip = [self.python, "-m", "pip", "install", "--no-compile"]
        if self.combination.checkout:
            self.must(*pip, "-U", *self.pip_section())
            self.must("./postBuild")
            return
        wanted = self.combination.packages.split()
        torch = [word for word in wanted if re.match(r"torch\b", word)]
        self.must(*pip, *(word for word in wanted if word not in torch))
        if torch:
            own = packages.own_sources(self.python)
            nvidia = packages.has_nvidia()
            source = packages.torch_source(system=sys.platform, nvidia=nvidia, own=own)
            self.must(*pip, *source, *torch)

    def pip_section(self) -> list[str]:
        """Return what environment.yml has pip install on Binder, less an address not reached
        here.
        """
        text = (self.course / "environment.yml").read_text(encoding="utf-8")
        lines = re.findall(r"^ +- (-[re] .+)$", text, re.MULTILINE)
        return [word for line in lines for word in line.split()]

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages that the table shows, and of Python."""
        code = "import platform; print(platform.python_version())"
        version = subprocess.run([self.python, "-c", code], capture_output=True, text=True)
        listed = subprocess.run(
            [self.python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True
        )
        have = {each["name"].lower(): each["version"] for each in json.loads(listed.stdout)}
        return {"python": version.stdout.strip()} | {name: have.get(name, "") for name in SHOWN}

    def notebook(self, path: Path) -> str:
        """Run one notebook and return "passed", "needs torch" or what went wrong."""
        lone = self.folder / "alone" / path.stem
        folder = self.course / "notebooks" if self.combination.checkout else lone
        folder.mkdir(parents=True, exist_ok=True)
        env = {"EARUP_REPOSITORY": self.course.as_uri(), "OMP_NUM_THREADS": "1"}
        env |= {"PYTHONPATH": ""}  # or a notebook would find this checkout, and install nothing
        try:
            said = alone.execute(path, folder=folder, python=self.python, env=env)
        finally:
            shutil.rmtree(lone, ignore_errors=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"== {path.name}: {said or 'passed'}\n")
        return "needs torch" if said and NEEDS_TORCH.search(said) else said or "passed"

    def tests(self) -> tuple[int, int, int]:
        """Run the tests that look at packages and return how many passed, failed, were skipped."""
        report = self.folder / "report.xml"
        torch = bool(self.versions()["torch"])
        wanted = FOR_TESTS.split() + ["auraloss", "torchmetrics"] * torch
        # what is there keeps its version
        code = f"from tools import bootstrap; bootstrap.install({wanted!r})"
        self.must(self.python, "-c", code)
        options = ["-p", "no:cacheprovider", "-q", "-n", "2", "--dist", "loadfile"]
        options += [f"--ignore=tests/{name}" for name in NOT_HERE.split()]
        if not torch:  # examples in rooms that need it
            options += ["--doctest-ignore-import-errors"]
        command = [self.python, "-m", "pytest", f"--junitxml={report}", *options]
        return counted(report, self.run(*command, PYTHONPATH=str(self.course)))


def try_out(combination: Combination, folder: Path) -> dict[str, object] | None:
    """Run one combination and return its row; nothing where this machine has no such Python."""
    if not (python := interpreter(combination.python)):
        print(
            f"{combination.name}: there is no Python {combination.python} on this machine, so it "
            "was not run"
        )
        return None
    room = Room(combination, folder / combination.name)
    try:
        room.build(python)
        said = {path.stem: room.notebook(path) for path in notebooks.paths(root=room.course)}
        row = {"combination": combination.name, **room.versions(), **summary(said)}
        if combination.tests:
            row |= zip(TESTS, room.tests(), strict=True)
        head = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=room.course, capture_output=True, text=True
        )
    finally:
        shutil.rmtree(room.folder, ignore_errors=True)
    failed = [f"{name} failed" for name, what in said.items() if what not in GOOD]
    return row | {
        "remarks": "; ".join([combination.remark, *failed]),
        "commit": head.stdout.strip(),
        "date": f"{datetime.date.today()}",
    }


def summary(said: dict[str, str]) -> dict[str, int]:
    """Count what the notebooks said."""
    passed, need = (sum(what == good for what in said.values()) for good in GOOD)
    return dict(zip(NOTEBOOKS, (passed, need, len(said) - passed - need), strict=True))


def read() -> dict[str, dict[str, str]]:
    """Return the table's rows by combination."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["combination"]: row for row in csv.DictReader(file)}


def write(row: dict[str, object]) -> None:
    """Put a row into the table and onto the page, in the order of the combinations."""
    found = read() | {row["combination"]: {key: str(value) for key, value in row.items()}}
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found[name] for name in combinations() if name in found)
    before, _, after = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    after = after.partition(MARKS[1])[2]
    PAGE.write_text(before + MARKS[0] + lines(read()) + MARKS[1] + after, encoding="utf-8")


# what the page shows: a head for each column
RESULTS = {
    "combination": "combination",
    "remarks": "what it is",
    "notebooks_passed": "notebooks passed",
    "notebooks_need_torch": "need torch",
    "tests_passed": "tests passed",
    "tests_skipped": "skipped",
    "date": "run on",
    "commit": "of commit",
}
VERSIONS = {name: name for name in ("combination", "python", *SHOWN)}


def lines(rows: dict[str, dict[str, str]]) -> str:
    """Return the two tables that the page shows, results and versions; what has no row has not been
    run.
    """
    full = []
    for name, each in combinations().items():
        idle = {"combination": name, "python": each.python, "remarks": each.remark}
        full.append(rows.get(name, idle | {"date": "not run yet"}))
    return "\n".join(table(full, heads) for heads in (RESULTS, VERSIONS))


def table(rows: Iterable[dict[str, str]], heads: dict[str, str]) -> str:
    """Return rows as a Markdown table of these columns."""
    cells = [list(heads.values()), ["---"] * len(heads)]
    cells += [[row.get(key) or "-" for key in heads] for row in rows]
    return "".join(f"| {' | '.join(each)} |\n" for each in cells)


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py matrix`; it fails if a notebook or a test does."""
    every = combinations()
    parser = argparse.ArgumentParser(prog="course.py matrix", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"only these of {', '.join(every)}"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / ".scratch" / "matrix",
        help="where environments are made",
    )
    options = parser.parse_args(argv)
    if unknown := set(options.names) - set(every):
        parser.error(f"there is no combination {unknown.pop()!r}")
    failed = 0
    for name in options.names or every:
        try:
            row = try_out(every[name], options.folder.resolve())
        except packages.SetupError as error:
            print(f"{name}: {error}", flush=True)
            failed += 1
            continue
        if row:
            write(row)
            print(json.dumps(row, indent=1), flush=True)
            failed += row["notebooks_failed"] + row.get("tests_failed", 0)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
