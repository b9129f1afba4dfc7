"""A learner's own pages: made once, renewed with the course, and nothing written is lost."""

import json
import shutil
import subprocess

import pytest

from tools.start import copies


def cell(name, source, *tags, kind="code"):
    made = {"cell_type": kind, "id": name, "metadata": {"tags": list(tags)}, "source": [source]}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def page(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


FIRST = page(
    cell("title", "# 10 · A question", kind="markdown"),
    cell("load", "x = 1"),
    cell("task", "def f(y):\n    return ...", "exercise"),
    cell("end", "Keep", kind="markdown"),
)


@pytest.fixture
def course(tmp_path):
    """A course of two pages; ``ship(name, page)`` brings a version, ``mine(name)`` reads a copy."""
    (tmp_path / "notebooks").mkdir()

    class Course:
        root, folder = tmp_path, tmp_path / copies.FOLDER

        def ship(self, name, content):
            (tmp_path / "notebooks" / f"{name}.ipynb").write_text(json.dumps(content))

        def mine(self, name):
            return json.loads((self.folder / f"{name}.ipynb").read_text())

        def write(self, name, **sources):
            content = self.mine(name)
            for one in content["cells"]:
                one["source"] = [sources.get(one["id"], "".join(one["source"]))]
            (self.folder / f"{name}.ipynb").write_text(json.dumps(content))
            return content

    made = Course()
    made.ship("10_a", FIRST)
    made.ship("11_b", FIRST)
    return made


def sources(content):
    return ["".join(one["source"]) for one in content["cells"]]


def earlier(course):
    return sorted(path.name for path in (course.folder / "earlier").glob("*"))


def test_the_first_start_makes_every_page_and_a_second_changes_nothing(course):
    assert copies.renew(course.root) == ["Your pages are made in my_notebooks/: 10_a, 11_b."]
    assert course.mine("10_a") == FIRST
    before = {path: path.stat().st_mtime_ns for path in course.folder.glob("*.ipynb")}
    assert copies.renew(course.root) == []
    assert before == {path: path.stat().st_mtime_ns for path in course.folder.glob("*.ipynb")}


def test_a_page_that_nobody_changed_is_replaced_and_new_ones_come(course):
    copies.renew(course.root)
    newer = page(*FIRST["cells"][:2], cell("more", "y = 2"), *FIRST["cells"][2:])
    course.ship("10_a", newer)
    course.ship("12_c", FIRST)
    ran = course.mine("11_b")  # outputs are no change
    ran["cells"][1] |= {"execution_count": 3, "outputs": [{"output_type": "stream"}]}
    (course.folder / "11_b.ipynb").write_text(json.dumps(ran))
    assert copies.renew(course.root) == [
        "10_a.ipynb is renewed.",
        "New pages in my_notebooks/: 12_c.",
    ]
    assert course.mine("10_a") == newer and course.mine("11_b") == ran
    assert not (course.folder / "earlier").exists()


def test_what_a_learner_wrote_comes_along_and_the_page_before_is_kept(course):
    copies.renew(course.root)
    written = course.write("10_a", task="def f(y):\n    return 2 * y", load="x = 7  # tried")
    written["cells"].insert(2, cell("own", "# a note of mine"))
    written["cells"].append(cell("last", "# at the end"))
    (course.folder / "10_a.ipynb").write_text(json.dumps(written))
    newer = page(
        cell("title", "# 10 · A better question", kind="markdown"),
        cell("load", "x = 1"),
        cell("task", "def f(y):\n    return ...  # clearer", "exercise"),
        cell("fresh", "z = 3"),
        cell("end", "Keep more", kind="markdown"),
    )
    course.ship("10_a", newer)
    (line,) = copies.renew(course.root)
    assert line.startswith("10_a.ipynb is renewed, with what you wrote in it; as it was: earlier/")
    assert sources(course.mine("10_a")) == [
        "# 10 · A better question",
        "x = 7  # tried",
        "# a note of mine",
        "def f(y):\n    return 2 * y",
        "z = 3",
        "Keep more",
        "# at the end",
    ]
    (name,) = earlier(course)
    kept = json.loads((course.folder / "earlier" / name).read_text())
    assert kept == written
    assert copies.renew(course.root) == []


def test_where_both_changed_an_ordinary_cell_the_course_wins_and_the_old_page_is_kept(course):
    copies.renew(course.root)
    course.write("10_a", load="x = 7")
    course.ship("10_a", page(FIRST["cells"][0], cell("load", "x = 100"), *FIRST["cells"][2:]))
    copies.renew(course.root)
    assert sources(course.mine("10_a"))[1] == "x = 100"
    assert "x = 7" in (course.folder / "earlier" / earlier(course)[0]).read_text()


def test_cells_of_a_page_whose_end_has_gone_stand_at_the_end(course):
    copies.renew(course.root)
    mine = course.mine("10_a")
    mine["cells"].append(cell("own", "mine"))
    (course.folder / "10_a.ipynb").write_text(json.dumps(mine))
    course.ship("10_a", page(*FIRST["cells"][:3]))
    copies.renew(course.root)
    assert sources(course.mine("10_a"))[-1] == "mine"


def test_every_page_as_it_was_before_is_kept_and_none_overwrites_another(course):
    copies.renew(course.root)
    for k in range(3):
        course.write("10_a", task=f"answer {k}")
        course.ship("10_a", page(*FIRST["cells"], cell(f"new{k}", "1")))
        copies.renew(course.root)
    kept = [(course.folder / "earlier" / name).read_text() for name in earlier(course)]
    assert [any(f"answer {k}" in text for text in kept) for k in range(3)] == [True] * 3
    assert "answer 2" in sources(course.mine("10_a"))


@pytest.mark.parametrize("broken", ["", "{", "[]"])
def test_a_page_or_a_record_that_cannot_be_read_costs_nothing_that_was_written(course, broken):
    copies.renew(course.root)
    course.write("11_b", task="my answer")
    (course.folder / "10_a.ipynb").write_text(broken)
    (course.folder / copies.RECORD).write_text(broken)
    course.ship("11_b", page(*FIRST["cells"], cell("new", "1")))
    copies.renew(course.root)
    assert course.mine("10_a") == FIRST
    assert (
        sources(course.mine("11_b"))[2] == "my answer" and sources(course.mine("11_b"))[-1] == "1"
    )
    kept = [(course.folder / "earlier" / name).read_text() for name in earlier(course)]
    assert broken in kept and any("my answer" in text for text in kept)


def test_progress_and_recordings_from_before_there_were_copies_come_along(course):
    for name in ("progress.json", "my_voice.wav", "blind_same.csv", "ear_x.csv", "ruff.toml"):
        (course.root / "notebooks" / name).write_text(name)
    said = copies.renew(course.root)
    assert said[0] == (
        "Carried over from notebooks/: blind_same.csv, ear_x.csv, my_voice.wav, progress.json."
    )
    assert not (course.folder / "ruff.toml").exists()
    (course.folder / "progress.json").write_text("newer")
    copies.renew(course.root)
    assert (course.folder / "progress.json").read_text() == "newer"


def test_work_done_in_the_originals_counts_as_the_learners(course):
    git = ["git", "-C", str(course.root), "-c", "user.name=x", "-c", "user.email=x@x"]
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    course.ship("10_a", page(*FIRST["cells"][:2], cell("task", "mine", "exercise")))
    copies.renew(course.root)
    course.ship("10_a", page(*FIRST["cells"], cell("new", "1")))
    copies.renew(course.root)
    assert "mine" in sources(course.mine("10_a")) and "1" in sources(course.mine("10_a"))


def test_every_shipped_notebook_comes_through_a_renewal_with_its_answers(root, tmp_path):
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    copies.renew(tmp_path)
    for path in sorted((tmp_path / "notebooks").glob("*.ipynb")):
        mine = json.loads((tmp_path / copies.FOLDER / path.name).read_text(encoding="utf-8"))
        for one in mine["cells"]:
            if "exercise" in one["metadata"].get("tags", []):
                one["source"] = [f"# mine {one['id']}"]
        copies.write(tmp_path / copies.FOLDER / path.name, mine)
        new = json.loads(path.read_text(encoding="utf-8"))
        new["cells"][0]["source"].append("\nnewer")
        path.write_text(json.dumps(new), encoding="utf-8")
    copies.renew(tmp_path)
    for path in sorted((tmp_path / "notebooks").glob("*.ipynb")):
        mine = json.loads((tmp_path / copies.FOLDER / path.name).read_text(encoding="utf-8"))
        new = json.loads(path.read_text(encoding="utf-8"))
        assert [one["id"] for one in mine["cells"]] == [one["id"] for one in new["cells"]]
        assert copies.text_of(mine["cells"][0]).endswith("newer")
        for one in mine["cells"]:
            if "exercise" in one["metadata"].get("tags", []):
                assert copies.text_of(one) == f"# mine {one['id']}"
