"""The tool that tries the course on other Pythons and packages: its pins, its verdicts, and its
table.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests.test_notebooks import write_notebook
from tools import notebooks
from tools.start import packages
from tools.verify import alone, matrix
from tools.verify.test import counted

ROOT = notebooks.ROOT
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EVERY = matrix.combinations()
ROWS = matrix.read()
OUTDATED = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


# ---- what is tried -------------------------------------------------------------------------------


def test_the_oldest_versions_are_the_lower_bounds_of_the_project():
    extras = SETTINGS["project"]["optional-dependencies"]
    ranges = (
        SETTINGS["project"]["dependencies"] + extras["lab"] + extras["learning"] + extras["quality"]
    )
    bounds = {}
    for requirement in map(Requirement, ranges):
        bounds[requirement.name] = [s.version for s in requirement.specifier if s.operator == ">="]
    tried = {
        r.name: [s.version for s in r.specifier] for r in map(Requirement, matrix.oldest().split())
    }
    assert tried == bounds and all(len(bound) == 1 for bound in bounds.values())
    assert all("==" in word for word in matrix.oldest().split())


def test_the_pythons_are_those_that_the_project_names():
    wanted = set(re.findall(r"3\.\d+", packages.TRIED))
    assert {each.python for each in EVERY.values()} == wanted
    assert {each.python for each in EVERY.values() if each.tests} == wanted
    assert matrix.interpreter("3.0") is None
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    done = subprocess.run(
        [matrix.interpreter(here) or sys.executable, "--version"], capture_output=True, text=True
    )
    assert done.stdout.startswith(f"Python {here}.")


def test_github_runs_every_combination_in_a_job_of_its_own():
    workflow = yaml.safe_load((ROOT / ".github/workflows/course.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["matrix"]
    assert job["strategy"]["matrix"]["name"] == list(EVERY)
    pythons = next(step["with"] for step in job["steps"] if "with" in step)["python-version"]
    assert set(pythons.split()) == {each.python for each in EVERY.values()}
    assert job["steps"][-1]["run"] == "python course.py matrix ${{ matrix.name }}"


def test_a_python_that_is_not_here_is_said_and_builds_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(matrix, "interpreter", lambda version: None)
    assert matrix.try_out(EVERY["colab-3.13"], tmp_path) is None
    assert "there is no Python 3.13 on this machine" in capsys.readouterr().out and not list(
        tmp_path.iterdir()
    )


# ---- how it judges -------------------------------------------------------------------------------


@pytest.fixture
def execute(tmp_path):
    """Run cells as a notebook of their own, and return what went wrong."""

    def run(*cells):
        write_notebook(tmp_path / "10_x.ipynb", *cells)
        return alone.execute(
            tmp_path / "10_x.ipynb", folder=tmp_path, python=Path(sys.executable), env={"EAR": "up"}
        )

    return run


@pytest.mark.skipif(os.name == "nt", reason="asks for a process as Unix does")
@pytest.mark.parametrize("end", ["", "1 / 0"])
def test_a_notebook_runs_in_its_folder_stores_nothing_and_ends_its_kernel(end, execute, tmp_path):
    code = (
        "import os\nassert os.environ['EAR'] == 'up'\nopen('made.txt', 'w').write(str(os.getpid()))"
    )
    assert execute(code, end).partition(":")[0] == ("ZeroDivisionError" if end else "")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "made.txt").read_text("utf-8")), 0)
    assert '"outputs": []' in (tmp_path / "10_x.ipynb").read_text("utf-8")


@pytest.mark.parametrize("kind", OUTDATED, ids=lambda kind: kind.__name__)
def test_an_outdated_call_in_a_cell_is_an_error(kind, execute):
    assert execute(f"import warnings\nwarnings.warn('old', {kind.__name__})").startswith(
        f"{kind.__name__}: old"
    )


def test_a_library_may_warn_about_itself(execute):
    said = "warnings.warn_explicit('old', DeprecationWarning, 'x.py', 1, module={!r})"
    assert (
        execute("import warnings", said.format("scipy.signal"), said.format("helpers_of_others"))
        == ""
    )
    assert execute("import warnings", said.format("helpers.mel")).startswith(
        "DeprecationWarning: old"
    )


def test_pytest_and_notebooks_watch_the_same_modules():
    filters = [
        line.split(":") for line in SETTINGS["tool"]["pytest"]["ini_options"]["filterwarnings"]
    ]
    assert {each[2] for each in filters if each[0] == "error"} == {
        kind.__name__ for kind in OUTDATED
    }
    for pattern in [alone.OURS, *(each[3] for each in filters if len(each) > 3)]:
        assert all(
            re.match(pattern, name)
            for name in ("helpers", "helpers.losses.deep", "tools.verify.matrix", "__main__")
        )
        assert not any(
            re.match(pattern, name)
            for name in ("scipy.signal", "helpers_of_others", "librosa", "toolz")
        )


@pytest.mark.parametrize("room", ["losses", "settings", "vocoders", "training"])
def test_where_torch_is_missing_a_unit_says_so_and_what_to_do(room):
    code = f"import sys; sys.modules['torch'] = None; import helpers.{room}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert (
        matrix.NEEDS_TORCH.search(last)
        and "python3 course.py setup" in last
        and "%pip install torch" in last
    )


def test_another_missing_package_is_not_taken_for_torch():
    assert not matrix.NEEDS_TORCH.search("ModuleNotFoundError: No module named 'soxr'")
    assert matrix.summary(
        {"a": "passed", "b": "needs torch", "c": "ValueError: x", "d": "passed"}
    ) == {
        "notebooks_passed": 2,
        "notebooks_need_torch": 1,
        "notebooks_failed": 1,
    }


def test_a_pytest_that_broke_off_has_failed(tmp_path):
    assert counted(tmp_path / "none.xml", 1) == (0, 1, 0)
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="3"/></testsuites>'
    )
    assert counted(report, 1) == (4, 2, 3)
    report.write_text(
        '<testsuites><testsuite tests="9" failures="0" errors="0" skipped="3"/></testsuites>'
    )
    assert counted(report, 0) == (6, 0, 3)
    assert counted(report, 3) == (6, 1, 3)


# ---- what it has written -------------------------------------------------------------------------


def test_the_table_holds_only_combinations_and_some_of_them():
    assert ROWS and list(ROWS) == [name for name in EVERY if name in ROWS]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_holds_the_versions_that_were_asked_for(name):
    row, wanted = ROWS[name], map(Requirement, EVERY[name].packages.split())
    assert row["python"].startswith(EVERY[name].python + ".")
    for requirement in wanted:
        if requirement.name in matrix.SHOWN:
            assert requirement.specifier.contains(Version(row[requirement.name]).public), (
                requirement
            )
    assert bool(row["torch"]) == ("torch" in EVERY[name].packages or EVERY[name].checkout)


FIRST_EDITION = "2026-11-29"  # the last day of its runs; the page says which lines are of it


@pytest.mark.parametrize("name", ROWS)
def test_everything_passed_that_has_what_it_needs(name):
    row = ROWS[name]
    passed, need, failed = (int(row[column]) for column in matrix.NOTEBOOKS)
    old = row["date"] <= FIRST_EDITION
    assert failed == 0 and (passed + need == 13 if old else passed + need >= 15)
    assert bool(need) != bool(row["torch"]) and (need in (0, 5) or not old)
    if EVERY[name].tests:
        assert row["tests_failed"] == "0" and int(row["tests_passed"]) > 1500
    else:
        assert not any(row[column] for column in matrix.TESTS)


def test_the_page_shows_the_table_and_says_what_was_not_run():
    page = matrix.PAGE.read_text("utf-8")
    assert matrix.MARKS[0] + matrix.lines(ROWS) + matrix.MARKS[1] in page
    idle = re.findall(r"^\| ([\w.-]+) \|.*\| not run yet \| - \|$", page, re.MULTILINE)
    assert idle == [name for name in EVERY if name not in ROWS]
