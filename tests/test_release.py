"""The three sets: no solution anywhere in the student's, all of it in the others, and each of them
works.
"""

import json
import subprocess
import sys

import pytest

from helpers.coursework import catalogue
from tools import notebooks
from tools.classroom import release

pytest.importorskip("torch")  # some solutions of unit 30 are networks

EXERCISES = [e for number in catalogue.units() for e in catalogue.exercises(number).values()]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """The three sets, made by the command itself."""
    folder = tmp_path_factory.mktemp("sets")
    for kind in release.SETS:
        assert release.main([kind, str(folder / kind)]) == 0
    return folder


def run(folder, code):
    """Run code with the helpers of a set, and return what it prints."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, '.')\n{code}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- the student set -----------------------------------------------------------------------------


def test_no_line_and_no_reason_of_any_solution_is_in_the_student_set(sets):
    """Independent of how the set is made: every file is read as text and searched for every
    solution.
    """
    words = {}
    for path in (
        p for p in (sets / "student").rglob("*") if p.is_file() and p.suffix not in release.BINARY
    ):
        words[path] = " ".join(
            path.read_text(encoding="utf-8").replace("\\n", " ").replace('\\"', '"').split()
        )
    assert len(words) > 100
    for exercise in EXERCISES:
        body = (
            exercise.solution.split('"""')[-1] if '"""' in exercise.solution else exercise.solution
        )
        public = {line.strip() for line in exercise.starter.splitlines()}
        for source in (body, *exercise.variants, exercise.why):
            flat = " ".join(
                " ".join(line for line in source.splitlines() if line.strip() not in public).split()
            )
            assert not [path.name for path, text in words.items() if flat in text], exercise.key


def test_no_solution_and_no_teachers_page_is_in_it_and_every_check_is(sets):
    names = release.files(sets / "student")
    assert [n for n in names if n.startswith("data/") and n.endswith("/checks.py")] == [
        f"data/coursework/{unit}/checks.py" for unit in catalogue.units()
    ]
    assert not [n for n in names if n.endswith(("solutions.toml", "teach.md"))]
    assert [n for n in names if n.startswith("tests/")] == list(release.KEPT_FOR_STUDENTS)


def test_stored_notebooks_show_no_solution_and_keep_all_else(sets):
    for path in notebooks.paths():
        theirs = notebooks.read(sets / "student" / "notebooks" / path.name)["cells"]
        for mine, cell in zip(notebooks.read(path)["cells"], theirs, strict=True):
            if release.tagged(cell, "solution"):
                (output,) = cell["outputs"]  # also where the course's own was not executed yet
                assert "".join(output["data"]["text/plain"]).startswith("No solution here.")
            elif cell["cell_type"] == "code":
                assert cell == mine
        assert notebooks.problems(sets / "student" / "notebooks" / path.name) == notebooks.problems(
            path
        )
        assert "What we would say" not in (sets / "student" / "notebooks" / path.name).read_text(
            encoding="utf-8"
        )


def test_checks_of_the_student_set_give_the_same_feedback_and_solutions_say_that_there_are_none(
    sets, tmp_path
):
    wrong = "def level_dbfs(y):\n    return 10 * np.log10(np.mean(np.abs(y)))\n"
    code = (
        "import os; os.environ['EARUP_PROGRESS'] = 'none/progress.json'\nimport numpy as np\n"
        "from helpers import coursework\nfrom helpers.coursework import catalogue\n"
        f"{wrong}\nprint(catalogue.DATA)\nprint(catalogue.exercise('10.level').check(level_dbfs))\n"
        "print(coursework.solution('10.level'))\nprint(coursework.hint('10.level'))\n"
        "print(coursework.quiz('10').stored_text())"
    )
    said = run(sets / "student", code).splitlines()
    space = {"np": __import__("numpy")}
    exec(wrong, space)
    assert said[0] == str(sets / "student" / "data" / "coursework")
    assert said[1] == repr(catalogue.exercise("10.level").check(space["level_dbfs"]))
    assert (
        said[2]
        == "No solution here. This copy of the course came without solutions; your teacher has "
        "them."
    )
    assert said[3].startswith("Hint 1 of 3.") and "Quiz of unit 10" in said[4]


def test_a_folded_check_is_the_same_check():
    for number in catalogue.units():
        path = catalogue.DATA / number / "checks.py"
        source = path.read_text(encoding="utf-8")
        space = {"__name__": "folded", "__file__": str(path)}
        exec(compile(release.folded(source), "folded", "exec"), space)
        checks = catalogue.checks(number)
        assert space["CHECKS"].keys() == checks.keys()
        key = next(iter(checks))
        exercise = catalogue.exercise(key)
        fn = release.function(exercise.solution)
        assert space["CHECKS"][key](fn, exercise.texts) == exercise.check(fn)
        assert all(len(line) < 120 for line in release.folded(source).splitlines())


def test_the_student_set_passes_its_own_linters(sets):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", "."],
        cwd=sets / "student",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "usage" in run(sets / "student", "import course\nprint(course.usage())")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("notes.md", "{why}"),
        ("tools/x.py", "    {line}\n"),
        ("notebooks/33_x.ipynb", "{cell}"),
        ("data/coursework/00/solutions.toml", "{line}"),
    ],
)
def test_a_leak_is_found_wherever_it_stands(place, text, tmp_path):
    exercise = catalogue.exercise("10.level")
    line = "return 20 * np.log10(rms)"
    cell = {"cell_type": "code", "source": [f"x = 1\n{line}"], "outputs": [], "metadata": {}}
    filled = text.replace("{why}", exercise.why).replace("{line}", line)
    filled = filled.replace("{cell}", json.dumps({"cells": [cell]}))
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(filled, encoding="utf-8")
    assert release.leaks(tmp_path, release.secrets()) == [
        f"{place} holds text of the solution of 10.level"
    ]


def test_a_set_that_leaks_is_not_handed_over(monkeypatch, tmp_path):
    monkeypatch.setattr(
        release, "make", lambda kind, into: (into / "x.py").write_text("return 20 * np.log10(rms)")
    )
    said = release.main(["student", str(tmp_path / "out")])
    assert "x.py holds text of the solution of 10.level" in said
    assert list(tmp_path.iterdir()) == []


# ---- the other two, and what is refused ----------------------------------------------------------


@pytest.mark.parametrize(("kind", "folder"), [("solutions", "notebooks"), ("teacher", "solved")])
def test_every_exercise_is_solved_and_its_check_says_correct(kind, folder, sets):
    seen = []
    for path in notebooks.paths():
        cells = notebooks.read(sets / kind / folder / path.name)["cells"]
        for cell in cells:
            if release.tagged(cell, "check"):
                seen.append(release.key_of(cell))
                assert "".join(cell["outputs"][0]["data"]["text/plain"]).startswith("Correct."), (
                    seen[-1]
                )
        filled = [notebooks.source(cell) for cell in cells if release.tagged(cell, "exercise")]
        assert not [source for source in filled if "return ..." in source]
    there = {path.name[:2] for path in notebooks.paths()}
    assert sorted(seen) == sorted(e.key for e in EXERCISES if e.unit in there)


def test_the_solution_set_gives_a_student_set_its_solutions_back(sets, tmp_path):
    import shutil

    both = shutil.copytree(sets / "student", tmp_path / "both")
    shutil.copytree(sets / "solutions" / "data", both / "data", dirs_exist_ok=True)
    said = run(both, "from helpers import coursework\nprint(coursework.solution('22.overlap'))")
    assert catalogue.exercise("22.overlap").solution in said
    page = (sets / "solutions" / "SOLUTIONS.md").read_text(encoding="utf-8")
    assert all(e.solution in page and e.why in page for e in EXERCISES)


def test_the_teacher_set_is_everything(sets):
    names = set(release.files(sets / "teacher"))
    assert names >= set(release.files())
    for kind in release.SETS:
        assert f"release {kind}" in (sets / kind / "RELEASE.md").read_text(encoding="utf-8")


def test_what_exists_is_not_overwritten_and_the_course_is_not_littered(tmp_path):
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    assert "not empty" in release.main(["student", str(tmp_path)])
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"
    assert "inside the course" in release.main(["student", str(release.ROOT / "out")])
    with pytest.raises(SystemExit):
        release.main(["pupil", str(tmp_path / "x")])


def test_leftovers_of_a_learner_are_in_no_set(tmp_path):
    for name in (
        "a.py",
        ".git/x",
        ".venv/x",
        "b/__pycache__/x",
        "notebooks/.ipynb_checkpoints/x",
        "x.egg-info/y",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".git" / "x").unlink()
    (tmp_path / ".git").rmdir()
    assert release.files(tmp_path) == ["a.py"]
