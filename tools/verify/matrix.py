"""Run the course on other Pythons and other versions of its packages, and write down what passed.

Each combination gets a fresh environment and a clone of the last commit, which stands in for the
public repository. Every notebook runs in an empty folder of its own, and its first cell fetches
that clone; then the tests run. Results go to data/tables/compatibility.csv. A combination takes 5
to 25 minutes and up to 6 GB, which are freed at its end.
"""

import argparse
import csv
import datetime
import os
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools import notebooks
from tools.start import packages
from tools.verify import alone

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

# Google's list of what Colab holds, read in August 2026.
COLAB = """
    scipy==1.16.3 matplotlib==3.10.0 librosa==0.11.0 numba==0.61.2 llvmlite==0.44.0
    ipywidgets==7.7.1 widgetsnbextension==3.6.10 ipython==7.34.0 ipykernel==6.17.1
    jupyter_client==7.4.9 traitlets==5.7.1 tornado==6.5.7 anywidget==0.9.21 soundfile==0.14.0
    soxr==1.1.0 pillow==11.3.0 scikit-learn==1.6.1
"""
CPU_TORCH = "torch==2.13.0 safetensors tqdm"
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
    requirements: str
    remark: str
    tests: bool = (
        False  # one combination of each Python runs them: they take longer than all notebooks
    )
    checkout: bool = False  # the notebooks run where they lie, as on Binder


def oldest() -> str:
    """Return the lower bound of every range in pyproject.toml that a learner's environment is made
    of.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    ranges = [
        *project["dependencies"],
        *(r for group in ("lab", "learning", "quality") for r in extras[group]),
    ]
    return " ".join(re.sub(r">=([^,]+).*", r"==\1", each) for each in ranges)


def combinations() -> dict[str, Combination]:
    """Return every combination by its name."""
    new, old = f"numpy==2.1.3 {COLAB}", f"numpy==2.0.2 {COLAB}"
    every = [
        Combination(
            "colab-3.13", "3.13", new, "Colab's list of August 2026, without torch", tests=True
        ),
        Combination(
            "colab-3.13-torch",
            "3.13",
            f"{new} torch==2.11.0 safetensors tqdm",
            "the same with its torch",
        ),
        Combination("colab-3.12", "3.12", old, "Colab's runtime 2026.07, without torch"),
        Combination(
            "colab-3.11-torch",
            "3.11",
            f"{old} {CPU_TORCH}",
            "Colab's packages on Python 3.11, with torch",
        ),
        Combination("oldest", "3.11", oldest(), "the lower bound of every range", tests=True),
        Combination(
            "newest-3.12",
            "3.12",
            "ipykernel",
            "the first cell installs all else, the newest",
            tests=True,
        ),
        Combination(
            "newest-3.13", "3.13", "ipykernel", "the first cell installs all else, the newest"
        ),
        Combination(
            "binder", "3.11", "", "environment.yml's pip section, then postBuild", checkout=True
        ),
    ]
    return {each.name: each for each in every}


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

    def run(
        self, *command: object, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess:
        """Run a command of this environment, and keep its words in the log."""
        with self.log.open("a", encoding="utf-8") as log:
            path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
            settings = {**packages.environ(), "PATH": path, "OMP_NUM_THREADS": "1", **env}
            where = cwd or self.folder
            return subprocess.run(
                command, cwd=where, env=settings, stdout=log, stderr=subprocess.STDOUT, text=True
            )

    def pip(self, *words: object) -> None:
        """Install something, or raise."""
        if self.run(
            self.python, "-m", "pip", "install", "--no-compile", *words, cwd=self.course
        ).returncode:
            raise packages.SetupError(
                f"pip could not install {self.combination.name}; see {self.log}"
            )

    def build(self, python: Path) -> None:
        """Clone the last commit, make the environment and install what is to be there
        beforehand.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log.unlink(missing_ok=True)
        self.run("git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), self.course)
        self.run(python, "-m", "venv", self.folder / "venv")
        if self.combination.checkout:
            self.binder()
        else:
            words = self.combination.requirements.split()
            torch = [word for word in words if re.match(r"torch\b", word)]
            own = packages.own_sources(self.python)
            source = packages.torch_source(
                system=sys.platform, nvidia=packages.has_nvidia(), own=own
            )
            self.pip(*(word for word in words if word not in torch))
            if torch:
                self.pip(*source, *torch)

    def binder(self) -> None:
        """Do what Binder does after conda: the pip section, less an address not reached here, and
        postBuild.
        """
        text = (self.course / "environment.yml").read_text(encoding="utf-8")
        lines = [line.strip().removeprefix("- ") for line in text.split("- pip:\n")[1].splitlines()]
        wanted = [
            line for line in lines if line and not line.startswith(("#", "--extra-index-url"))
        ]
        (self.course / "binder.txt").write_text("\n".join(wanted), encoding="utf-8")
        self.pip("-U", "-r", "binder.txt")
        if self.run("./postBuild", cwd=self.course).returncode:
            raise packages.SetupError(f"postBuild failed; see {self.log}")

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages that the table shows, and of Python."""
        code = (
            "import sys; from importlib import metadata as m; print('python', "
            "sys.version.split()[0]);"
        )
        code += "[print(d.metadata['Name'].lower(), d.version) for d in m.distributions()]"
        done = subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=True)
        have = dict(line.split() for line in done.stdout.splitlines())
        return {name: have.get(name, "") for name in ("python", *SHOWN)}

    def notebook(self, path: Path) -> str:
        """Run one notebook and return "passed", "needs torch" or what went wrong."""
        folder = (
            self.course / "notebooks"
            if self.combination.checkout
            else self.folder / "alone" / path.stem
        )
        folder.mkdir(parents=True, exist_ok=True)
        env = {"EARUP_REPOSITORY": self.course.as_uri(), "OMP_NUM_THREADS": "1"}
        try:
            said = alone.execute(path, folder=folder, python=self.python, env=env)
        finally:
            shutil.rmtree(self.folder / "alone", ignore_errors=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"== {path.name}: {said or 'passed'}\n")
        return "needs torch" if said and NEEDS_TORCH.search(said) else said or "passed"

    def tests(self) -> dict[str, int]:
        """Run the tests that look at packages and count them."""
        report = self.folder / "report.xml"
        torch = self.versions()["torch"]
        peers = ["auraloss", "torchmetrics"] if torch else []
        self.freeze()
        self.pip("-c", self.folder / "frozen.txt", *FOR_TESTS.split(), *peers)
        left_out = [f"--ignore=tests/{name}" for name in NOT_HERE.split()]
        options = [
            "-p",
            "no:cacheprovider",
            "-q",
            "-n",
            "2",
            "--dist",
            "loadfile",
            f"--junitxml={report}",
        ]
        options += (
            [] if torch else ["--doctest-ignore-import-errors"]
        )  # examples in rooms that need torch
        command = [self.python, "-m", "pytest", *options, *left_out]
        done = self.run(*command, cwd=self.course, PYTHONPATH=str(self.course))
        return counted(report, done.returncode)

    def freeze(self) -> None:
        """Write down every version, so that installing what the tests need moves none."""
        done = subprocess.run(
            [self.python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True
        )
        kept = [line for line in done.stdout.splitlines() if "==" in line]
        (self.folder / "frozen.txt").write_text("\n".join(kept), encoding="utf-8")


def counted(report: Path, status: int) -> dict[str, int]:
    """Return how many tests passed, failed and were skipped; a pytest that broke off has failed at
    least once.
    """
    suites = list(ET.parse(report).getroot().iter("testsuite")) if report.exists() else []
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (["tests"], ["failures", "errors"], ["skipped"])
    )
    failed = max(failed, int(status != 0))
    return {
        "tests_passed": max(total - failed - skipped, 0),
        "tests_failed": failed,
        "tests_skipped": skipped,
    }


def try_out(combination: Combination, folder: Path, *, tests: bool) -> dict[str, object] | None:
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
        row |= room.tests() if tests else dict.fromkeys(TESTS, "")
        head = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=room.course, capture_output=True, text=True
        )
    finally:
        shutil.rmtree(room.folder, ignore_errors=True)
    remarks = "; ".join(
        [combination.remark, *(f"{name} failed" for name, what in said.items() if what not in GOOD)]
    )
    return row | {
        "remarks": remarks,
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


def kept(row: dict[str, object]) -> dict[str, object]:
    """Return a row of notebooks with the counts of tests that the table has, and of which commit
    they are.
    """
    if not (before := read().get(row["combination"])) or not before["tests_passed"]:
        return row
    said = re.search(r"tests at \w+", before["remarks"])
    since = said[0] if said else f"tests at {before['commit']}"
    return row | {name: before[name] for name in TESTS} | {"remarks": f"{row['remarks']}; {since}"}


def write(row: dict[str, object]) -> None:
    """Put a row into the table and onto the page, in the order of the combinations."""
    found = read() | {row["combination"]: {key: str(value) for key, value in row.items()}}
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found[name] for name in combinations() if name in found)
    show()


def show() -> None:
    """Put the table onto the page."""
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
}
VERSIONS = {name: name for name in ("combination", "python", *SHOWN)}


def lines(rows: dict[str, dict[str, str]]) -> str:
    """Return the two tables that the page shows, results and versions; what has no row has not been
    run.
    """
    full = {}
    for name, each in combinations().items():
        idle = {
            "combination": name,
            "python": each.python,
            "remarks": each.remark,
            "date": "not run yet",
        }
        full[name] = rows.get(name, idle)
    return "\n".join(table(full.values(), heads) for heads in (RESULTS, VERSIONS))


def table(rows: Iterable[dict[str, str]], heads: dict[str, str]) -> str:
    """Return rows as a Markdown table of these columns."""
    cells = [
        list(heads.values()),
        ["---"] * len(heads),
        *([row.get(key) or "-" for key in heads] for row in rows),
    ]
    return "".join(f"| {' | '.join(each)} |\n" for each in cells)


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py matrix`; it fails if a notebook or a test does."""
    parser = argparse.ArgumentParser(prog="course.py matrix", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"only these of {', '.join(combinations())}"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / ".scratch" / "matrix",
        help="where environments are made",
    )
    parser.add_argument(
        "--notebooks", action="store_true", help="only the notebooks; counts of tests are kept"
    )
    options, every, failed = parser.parse_args(argv), combinations(), 0
    if unknown := set(options.names) - set(every):
        parser.error(f"there is no combination {unknown.pop()!r}")
    for name in options.names or every:
        try:
            row = try_out(
                every[name],
                options.folder.resolve(),
                tests=every[name].tests and not options.notebooks,
            )
        except packages.SetupError as error:
            print(f"{name}: {error}", flush=True)
            failed += 1
            continue
        if row:
            write(row := kept(row) if options.notebooks else row)
            print(
                "\n  ".join([f"{name}:", *(f"{key}: {value}" for key, value in row.items())]),
                flush=True,
            )
            failed += int(row["notebooks_failed"]) + int(row["tests_failed"] or 0)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
