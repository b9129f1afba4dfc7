"""What it takes to add a unit: a toy unit joins a copy of the course, and leaves it again."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from helpers.coursework import catalogue
from tools import notebooks
from tools.classroom import release

ROOT = notebooks.ROOT
MODEL = "12"  # the unit that the toy is made from: its texts are right, so the toy's are
TOY = next(n for n in ("19", "18", "17", "29", "39") if n not in catalogue.units())


def git(folder, *arguments):
    """Run git and return its words."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course with a history of one commit."""
    folder = tmp_path_factory.mktemp("added") / "course"
    for name in release.files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "-m", "as it is")
    return folder


def as_toy(text):
    """A text of the model as the toy has it: its number, its keys, its figures and exercises."""
    text = re.sub(rf"(?<![\d.]){MODEL}(?=\.[a-z]|\\?\"| ·)", TOY, text)
    text = re.sub(rf"\b(Figure|Exercise|exercise) {MODEL}(?=\.\d)", rf"\1 {TOY}", text)
    text = re.sub(rf"\b([Uu]nit|exercises) {MODEL}\b", rf"\1 {TOY}", text)
    return text.replace(f"{MODEL}_pitch", f"{TOY}_toy").replace(f"and {MODEL}.4", f"and {TOY}.4")


def python(course, *arguments):
    """Run a module of the copy."""
    env = {**os.environ, "PYTHONPATH": str(course), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=course, env=env, capture_output=True, text=True)


def add(course):
    """Add the toy: a notebook, a folder, a file of tests, and the link of the unit before it."""
    model = next((course / "notebooks").glob(f"{MODEL}_*.ipynb"))
    notebook = json.loads(as_toy(model.read_text(encoding="utf-8")))
    notebooks.write(course / "notebooks" / f"{TOY}_toy.ipynb", notebook)
    folder = course / "data" / "coursework" / TOY
    folder.mkdir()
    for path in (course / "data" / "coursework" / MODEL).iterdir():
        text = as_toy(path.read_text(encoding="utf-8"))
        text = text.replace('short = "pitch"', 'short = "toy"')
        (folder / path.name).write_text(text, encoding="utf-8")
    test = course / "tests" / f"test_unit{TOY}.py"
    test.write_text('"""What the toy lets you hear."""\n', encoding="utf-8")
    before = model.read_text(encoding="utf-8")
    link = re.search(r"\*\*Next:\*\* \[[^\]]*\]\(\w+\.ipynb\)", before)[0]
    question = catalogue.unit(MODEL)["title"]
    model.write_text(
        before.replace(link, f"**Next:** [{TOY} · {question}]({TOY}_toy.ipynb)"), encoding="utf-8"
    )
    return python(course, "tools.site.readme")


ASKED = (
    "tests/test_notebooks.py",
    "tests/test_numbers.py",
    "tests/test_coursework.py",
    "tests/test_coursework_quiz.py",
    "tests/test_coursework_store.py",
    "tests/test_pages.py",
    "tests/test_project.py",
    "tests/test_units_cost.py",
)
ABOUT_UNITS = (
    f"{TOY} or table or there_are or exists or titles or row or certificate or misconception"
)


def test_a_unit_is_added_in_five_places_and_taken_away_again(course):
    before = next(path.name for path in (course / "notebooks").glob(f"{MODEL}_*"))
    assert add(course).returncode == 0
    git(course, "add", "--all")
    changed = git(course, "diff", "--cached", "--name-only").splitlines()
    folder = f"data/coursework/{TOY}/"
    places = {folder if name.startswith(folder) else name for name in changed}
    assert places == {
        folder,
        f"notebooks/{TOY}_toy.ipynb",
        next(path.name for path in (course / "notebooks").glob(f"{MODEL}_*")).join(
            ["notebooks/", ""]
        ),
        f"tests/test_unit{TOY}.py",
        "README.md",  # written by python3 -m tools.site.readme
    }
    assert len(places) <= 5

    # it has its place on the map, in the table and in the contents of the site
    code = (
        "from helpers.coursework import progress\nfrom tools import notebooks\n"
        "from tools.site import building\nprint(progress())\n"
        "print(building.contents(dict.fromkeys(notebooks.paths())))"
    )
    (course / "show.py").write_text(code, encoding="utf-8")
    said = python(course, "show").stdout
    (course / "show.py").unlink()
    assert f"Unit {TOY}: exercises 0 of 4 correct" in said
    assert f"notebooks/{TOY}_toy" in said and f"teach/{TOY}" in said
    assert f"| [{TOY} toy](notebooks/{TOY}_toy.ipynb) |" in (course / "README.md").read_text(
        "utf-8"
    )

    # and all that holds for every unit holds for it
    done = python(course, "pytest", "-q", "-p", "no:cacheprovider", "-k", ABOUT_UNITS, *ASKED)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{TOY}_toy" in python(course, "pytest", "-q", "--collect-only", ASKED[0]).stdout

    git(course, "reset", "--quiet")
    shutil.rmtree(course / "data" / "coursework" / TOY)
    for name in changed:
        if name.endswith((f"{TOY}_toy.ipynb", f"test_unit{TOY}.py")):
            (course / name).unlink()
    git(course, "checkout", "--", f"notebooks/{before}")
    assert python(course, "tools.site.readme").returncode == 0
    assert git(course, "status", "--porcelain") == ""
    assert python(course, "pytest", "-q", "-p", "no:cacheprovider", ASKED[1]).returncode == 0
