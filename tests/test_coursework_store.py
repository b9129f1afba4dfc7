"""Progress: nothing is lost, nothing raises, nothing leaves the folder; the map and the certificate
tell the truth.
"""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import coursework
from helpers.coursework import catalogue, report, store


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Keep the progress of each test in a file of its own, and its certificates beside it."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(store, "_waiting", [])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "progress.json"


def solve(key, attempts=1):
    """Return a change that marks one exercise as correct."""

    def change(state):
        state["exercises"][key] = {"attempts": attempts, "correct": True}

    return change


def finish(state):
    """Solve everything that the course asks."""
    for number in catalogue.units():
        for key in catalogue.exercises(number):
            solve(key)(state)
        for question in catalogue.questions(number):
            right = next(i for i, option in enumerate(question["options"]) if option["right"])
            state["quizzes"].setdefault(number, {})[question["key"]] = {
                "chosen": right,
                "tried": [right],
            }


def line_of(unit):
    """What the map of progress says about a unit."""
    lines = repr(coursework.progress()).splitlines()
    return next(line for line in lines if line.startswith(f"Unit {unit}"))


def test_lies_beside_the_notebook_unless_the_environment_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("EARUP_PROGRESS")
    assert store.path() == tmp_path / "progress.json"


def test_check_is_remembered_and_stays_correct(file):
    coursework.check("00.half", lambda y: y * 0.5)
    coursework.check("00.half", lambda y: y)
    stored = json.loads(file.read_text())
    assert stored["version"] == 2
    assert stored["exercises"] == {"00.half": {"attempts": 2, "correct": True}}


def test_nothing_is_written_for_what_was_not_attempted(file):
    coursework.check("00.half", lambda y: ...)
    coursework.hint("00.half")
    coursework.solution("00.half")
    coursework.progress()
    assert not file.exists()


@pytest.mark.parametrize(
    "broken",
    ["", "{", "[]", '{"version": "x"}', '{"version": 1, "exercises": 3}', "\udcff", "null"],
)
def test_broken_file_is_set_aside_and_kept(file, broken):
    raw = broken.encode("utf-8", "surrogateescape")
    file.write_bytes(raw)
    result = coursework.check("00.half", lambda y: y * 0.5)
    assert result.outcome == "correct"
    assert "kept as progress.corrupt-1.json" in repr(result)
    assert (file.parent / "progress.corrupt-1.json").read_bytes() == raw
    assert json.loads(file.read_text())["exercises"]["00.half"]["correct"]
    file.write_text("again broken")
    coursework.progress()
    assert (file.parent / "progress.corrupt-2.json").read_text() == "again broken"
    assert (file.parent / "progress.corrupt-1.json").read_bytes() == raw


def test_file_of_a_newer_course_is_left_alone(file):
    newer = '{"version": 99, "exercises": {"10.level": {"correct": true}}, "something": [1]}'
    file.write_text(newer)
    note = store.update(solve("10.alias"))
    assert "newer version" in note
    assert file.read_text() == newer
    assert store.load()[0]["exercises"].keys() == {"10.alias"}


def test_what_this_version_does_not_know_is_kept(file):
    file.write_text('{"version": 1, "exercises": {}, "badges": {"a": 1}}')
    store.update(solve("10.alias"))
    assert json.loads(file.read_text())["badges"] == {"a": 1}


@pytest.mark.parametrize("call", ["replace", "fsync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_full_disk_or_read_only_folder_is_one_line_and_work_goes_on(file, monkeypatch, call, code):
    store.update(solve("00.half"))
    before = file.read_bytes()

    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        note = store.update(solve("10.level"))
        assert os.strerror(code) in note
        assert "\n" not in note
        assert file.read_bytes() == before
        assert [p.name for p in file.parent.iterdir()] == ["progress.json"]
        assert store.load()[0]["exercises"].keys() == {"00.half", "10.level"}
    assert store.update(solve("10.alias")) == ""  # there is room again: what waited is written too
    assert json.loads(file.read_text())["exercises"].keys() == {"00.half", "10.level", "10.alias"}
    assert [p.name for p in file.parent.iterdir()] == ["progress.json"]


def test_folder_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "no" / "such" / "progress.json"))
    result = coursework.check("00.half", lambda y: y * 0.5)
    assert result.outcome == "correct"
    assert "session only" in result.note


def test_two_sessions_keep_each_others_work(file):
    store.update(solve("10.level"))
    other = json.loads(file.read_text())  # a second kernel writes in between
    other["quizzes"]["00"] = {"safe": {"tried": [1]}}
    file.write_text(json.dumps(other))
    store.update(solve("10.alias"))
    state = json.loads(file.read_text())
    assert state["exercises"].keys() == {"10.level", "10.alias"}
    assert state["quizzes"]["00"]["safe"] == {"tried": [1]}


WRITER = """
import sys
from helpers.coursework import store
for i in range(25):
    def change(state, key=f"{sys.argv[1]}.{i}"):
        state["exercises"][key] = {"attempts": 1}
    assert store.update(change) == ""
"""


def test_kernels_that_write_at_the_same_time_lose_nothing(file):
    kernels = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in ("a", "b", "c")]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0, 0]
    assert len(json.loads(file.read_text())["exercises"]) == 75
    assert [p.name for p in file.parent.iterdir()] == ["progress.json"]


def test_lock_of_a_dead_kernel_does_not_stop_anybody(file):
    lock = file.with_name("progress.json.lock")
    lock.touch()
    os.utime(lock, (0, 0))
    assert store.update(solve("00.half")) == ""
    assert not lock.exists()


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("10.level", {"00.half", "10.alias"}),
        ("10", {"00.half"}),
        ("everything", set()),
        ("10.dither", None),
    ],
)
def test_reset_forgets_exactly_that(file, what, left):
    keys = {"00.half", "10.level", "10.alias"}
    for key in keys:
        store.update(solve(key))
    store.update(lambda s: s["quizzes"].update({"00": {"safe": {"tried": [1]}}, "10": {}}))
    store.update(lambda s: s["predictions"].update({"10.dither": {"tried": [0]}}))
    coursework.reset(what)
    state = store.load()[0]
    assert state["exercises"].keys() == (keys if left is None else left)
    assert ("10" in state["quizzes"]) == (what not in ("10", "everything"))
    assert ("10.dither" in state["predictions"]) == (what == "10.level")


# ---------------------------------------------------------------- the first edition's file

# written by the first edition itself, whose units were counted from 01 to 12
FIRST = Path(__file__).with_name("progress_first_edition.json")
OLD = json.loads(FIRST.read_text(encoding="utf-8"))
NOW = {"00": "00", "01": "10", "02": "11", "08": "32", "10": "34", "12": "36"}


def test_progress_of_the_first_edition_is_carried_over_and_its_file_kept(file):
    shutil.copy(FIRST, file)
    before = {s.unit: s for s in report.standings(store.load()[0])}
    assert file.read_bytes() == FIRST.read_bytes()  # looking changes nothing
    store.update(solve("12.semitones"))
    state = json.loads(file.read_text())
    assert state["version"] == 2
    carried = {f"{NOW[key[:2]]}{key[2:]}": value for key, value in OLD["exercises"].items()}
    assert state["exercises"] == carried | {"12.semitones": {"attempts": 1, "correct": True}}
    assert (
        state["exercises"].keys()
        - {key for n in catalogue.units() for key in catalogue.exercises(n)}
        == set()
    )
    assert state["predictions"].keys() == {f"{NOW[key[:2]]}{key[2:]}" for key in OLD["predictions"]}
    assert {s.unit for s in before.values() if s.right} == {"10", "32", "34", "36"}
    assert all(before[n].right == before[n].questions for n in ("10", "32", "34", "36"))
    aside = file.with_name("progress.first-edition.json")
    assert aside.read_bytes() == FIRST.read_bytes()


def test_it_is_carried_over_once(file):
    """10, 11 and 12 are numbers of both editions: a second time would move them again."""
    shutil.copy(FIRST, file)
    store.update(solve("10.quantize"))
    first = json.loads(file.read_text())
    store.update(solve("10.quantize"))
    assert json.loads(file.read_text()) == first
    assert line_of("10").startswith("Unit 10: exercises 4 of 5")  # one is younger than the file


def test_what_is_no_file_is_left_alone(tmp_path, monkeypatch):
    folder = tmp_path / "folder.json"
    folder.mkdir()
    monkeypatch.setenv("EARUP_PROGRESS", str(folder))
    assert "session only" in store.update(solve("00.half"))
    assert folder.is_dir() and list(folder.iterdir()) == []
    monkeypatch.setenv("EARUP_PROGRESS", os.devnull)
    assert "session only" in store.update(solve("00.half"))


@pytest.mark.parametrize("ask", [coursework.hint, coursework.predict, coursework.quiz])
def test_a_name_of_the_first_edition_is_refused_with_the_one_of_today(ask):
    old = {coursework.hint: "08.ratio", coursework.predict: "08.images", coursework.quiz: "08"}[ask]
    with pytest.raises(ValueError, match=f"numbered anew: it is '32{old[2:]}' now"):
        ask(old)


# ---------------------------------------------------------------- map and certificate


def test_progress_counts_what_was_done():
    store.update(solve("10.level"))
    store.update(lambda s: s["exercises"].update({"10.alias": {"attempts": 4, "correct": False}}))
    right = next(i for i, o in enumerate(catalogue.questions("10")[0]["options"]) if o["right"])
    wrong = (right + 1) % 3
    store.update(
        lambda s: s["quizzes"].update(
            {"10": {"nyquist": {"tried": [wrong, right]}, "alias": {"tried": [3]}}}
        )
    )
    store.update(
        lambda s: s["predictions"].update(
            {"10.dither": {"skipped": True}, "10.energy": {"tried": [2]}}
        )
    )
    line = line_of("10")
    assert line == "Unit 10: exercises 1 of 5 correct, 2 attempted; quiz 1/10; predictions 1 of 3"
    assert report.standing("10", store.load()[0]).first == 0


def test_progress_has_a_picture_of_modest_size():
    bundle = coursework.progress()._repr_mimebundle_()
    assert bundle["image/png"].startswith("iVBORw0KGgo")
    assert len(bundle["image/png"]) < 80_000
    assert bundle["text/plain"].startswith("Unit 00: exercises 0 of 2 correct")


def test_every_unit_stands_in_the_row_of_its_part():
    import matplotlib.pyplot as plt

    drawn = report.draw(report.standings(store.load()[0])).axes[0].texts
    rows = {
        text.get_text(): text.get_position()[1] for text in drawn if text.get_position()[0] == 0
    }
    numbers = {
        t.get_text(): t.get_position()[1] for t in drawn if re.fullmatch(r"\d\d", t.get_text())
    }
    plt.close("all")
    assert list(numbers) == list(catalogue.units())
    assert set(rows) == {f"{part.digit} {part.name}" for part in catalogue.parts() if part.units}
    for number, height in numbers.items():
        (row,) = [name for name in rows if name[0] == number[0]]
        assert abs(rows[row] - height) < 0.5


def test_certificate_waits_for_every_unit(file):
    store.update(finish)
    store.update(lambda s: s["quizzes"]["10"]["dither"].update(tried=[2]))
    text = repr(coursework.certificate("Ada Lovelace"))
    assert text == "Not yet. Unit 10: 0 of 5 exercises and 1 of 10 questions are still open."
    assert not (file.parent / "certificate.html").exists()


def test_unit_with_an_open_exercise_is_not_done():
    store.update(finish)
    assert all(s.done for s in report.standings(store.load()[0]))
    coursework.reset("10.level")
    assert [s.unit for s in report.standings(store.load()[0]) if not s.done] == ["10"]
    assert repr(coursework.progress()).splitlines()[0].startswith("Unit 00 (done): ")


def test_certificate_is_a_page_of_its_own(file):
    store.update(finish)
    assert repr(coursework.certificate("Ada <b>Lovelace</b>")).startswith("Done. certificate.html")
    page = (file.parent / "certificate.html").read_text(encoding="utf-8")
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in page
    assert "<script" not in page and "http" not in page
    assert page.count("<tr>") == 1 + len(catalogue.units())


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_certificate_needs_a_name(name):
    with pytest.raises(ValueError, match="Ada Lovelace"):
        coursework.certificate(name)
