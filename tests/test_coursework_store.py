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
from helpers.coursework import catalogue, chapters, report, store


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
    known = {key for n in catalogue.units() for key in catalogue.exercises(n)}
    assert state["exercises"].keys() - known == {"32.psm", "34.field"}  # others took their place
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
    said = "exercises 1 of 5 correct, 2 attempted; quiz 1/10; predictions 1 of 3; chapters 2 of 7"
    assert line_of("10") == f"Unit 10: {said}"
    assert report.standing("10", store.load()[0]).first == 0


def test_the_map_is_a_page_of_modest_size_with_a_link_to_every_unit():
    shown = coursework.progress()
    page = shown._repr_html_()
    assert len(page) < 80_000 and "<script" not in page and "http" not in page
    assert repr(shown).startswith("Unit 00: exercises 0 of 2 correct")
    assert "You have finished 0 of" in page
    folder = catalogue.DATA.parents[1] / "notebooks"
    linked = set(re.findall(r'href="([^"#]+)', page))
    assert linked == {path.name for path in folder.glob("[0-9][0-9]_*.ipynb")}


def test_every_unit_stands_in_the_row_of_its_part():
    page = coursework.progress()._repr_html_()
    for part in catalogue.parts():
        if not part.units:
            assert f">{part.digit} {part.name}<" not in page
            continue
        _, _, below = page.partition(f">{part.digit} {part.name}</p>")
        row = below.partition("<p ")[0]
        assert re.findall(r"<strong><a [^>]+>(\d\d) ", row) == list(part.units)


def cells_of(number):
    """The cells of a unit's notebook: id and text."""
    path = next((catalogue.DATA.parents[1] / "notebooks").glob(f"{number}_*.ipynb"))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def test_every_exercise_prediction_and_quiz_lies_in_one_chapter():
    for number in catalogue.units():
        found = chapters.chapters(number)
        asked = {kind: [k for c in found for k in c.asked[kind]] for kind in found[0].asked}
        assert sorted(asked["check"]) == sorted(catalogue.exercises(number))
        predictions = [item["key"] for item in catalogue.unit(number)["predict"]]
        assert sorted(asked["predict"]) == sorted(predictions)
        assert asked["quiz"] == [number]
        text = cells_of(number)
        places = list(text)
        assert all(re.search(r"^## ", text[c.cell], re.MULTILINE) for c in found)
        assert [places.index(c.cell) for c in found] == sorted(places.index(c.cell) for c in found)


def test_numbered_chapters_are_taken_as_they_are_and_others_need_something_asked():
    assert [c.title for c in chapters.chapters("02")] == [
        "An arrow that turns",
        "Two arrows add",
        "One number for an arrow",
        "Dying away, and turning",
        "Backwards, and found again",
    ]
    titles = [c.title for c in chapters.chapters("12")]
    assert "Several mels, and what that breaks" not in titles  # nothing is asked there
    assert titles[0] == "Equal ratios: octaves and semitones" and titles[-1] == "Quiz"
    assert chapters.chapters("12")[0].cell in cells_of("12")


def test_a_list_in_unit_toml_overrules_the_headings(monkeypatch):
    real = catalogue.unit
    named = ["Equal steps, heard", "Critical bands: two tones at once"]
    monkeypatch.setattr(catalogue, "unit", lambda n: {**real(n), "chapters": named})
    found = chapters.chapters("12")
    assert [c.title for c in found] == named
    assert len(found[0].asked["check"]) == 3 and found[1].asked["quiz"] == ["12"]


def test_a_chapter_gets_its_tick_when_all_of_it_is_done(file):
    first = chapters.chapters("12")[0]
    assert first.asked == {"check": ["12.semitones"], "predict": ["12.treble"], "quiz": []}
    ticks = lambda: [done for _, done in report.standing("12", store.load()[0]).chapters]  # noqa: E731
    store.update(solve("12.semitones"))
    assert not any(ticks())
    store.update(lambda s: s["predictions"].update({"12.treble": {"skipped": True}}))
    assert ticks() == [True] + [False] * (len(ticks()) - 1)
    assert "chapters 1 of 7" in line_of("12")
    page = coursework.progress()._repr_html_()
    assert page.count("✓") == 1 and "chapters 1 of 7" in page
    store.update(finish)
    for number in catalogue.units():
        keys = [item["key"] for item in catalogue.unit(number)["predict"]]
        store.update(
            lambda s, keys=keys: s["predictions"].update({k: {"tried": [0]} for k in keys})
        )
    assert all(done for s in report.standings(store.load()[0]) for _, done in s.chapters)


def test_without_the_notebooks_there_are_no_chapters_and_the_map_stands(monkeypatch):
    monkeypatch.setattr(chapters, "_sections", lambda number: ())
    monkeypatch.setattr(chapters, "notebook", lambda number: None)
    coursework.check("12.semitones", lambda low, high: low)
    page = coursework.progress()._repr_html_()
    assert "<details" not in page and "href" not in page and "Go on where you were" in page


def test_the_map_leads_to_where_you_were(file):
    assert "Go on" not in coursework.progress()._repr_html_()
    coursework.check("12.semitones", lambda low, high: low)
    page = coursework.progress()._repr_html_()
    cell = re.search(r'href="12_pitch\.ipynb#cell-id=(\w+)">Go on where you were: unit 12', page)[1]
    assert cells_of("12")[cell].startswith("def semitones(")
    coursework.quiz("10").answers = {"dither": {"chosen": 0, "tried": [0]}}
    page = coursework.progress()._repr_html_()
    cell = re.search(r"10_sound_and_samples\.ipynb#cell-id=(\w+)\">Go on", page)[1]
    assert cells_of("10")[cell] == 'coursework.quiz("10")'
    assert repr(coursework.progress()).endswith("Last time: unit 10, 10.")
    coursework.reset("10")
    assert "Go on" not in coursework.progress()._repr_html_()


@pytest.mark.parametrize("last", [3, "x", {}, {"unit": 3}, {"unit": "99", "key": "<b>"}])
def test_a_damaged_note_of_where_you_were_does_no_harm(file, last):
    file.write_text(json.dumps({"version": 2, "last": last}))
    page = coursework.progress()._repr_html_()
    assert "You have finished 0 of" in page and "<b>" not in page


def test_a_figure_can_ask_for_the_guess(monkeypatch):
    assert coursework.guess("12.treble") is None
    store.update(lambda s: s["predictions"].update({"12.treble": {"skipped": True}}))
    assert coursework.guess("12.treble") is None
    store.update(lambda s: s["predictions"].update({"12.treble": {"tried": [2]}}))
    assert coursework.guess("12.treble") == "About 0.17"
    item = next(it for it in catalogue.unit("12")["predict"] if it["key"] == "12.treble")
    monkeypatch.setitem(item["option"][2], "value", 0.17)
    assert coursework.guess("12.treble") == 0.17
    with pytest.raises(ValueError, match=r"12\.treble"):
        coursework.guess("12.nothing")


# ---- wrong answers return ------------------------------------------------------------------------


def missed(number, *keys):
    """Return a change in which some questions of a unit were wrong at first and right at last."""

    def change(state):
        for question in catalogue.questions(number):
            if question["key"] in keys:
                right = catalogue.right_option(question)
                wrong = (right + 1) % len(question["options"])
                record = {"chosen": right, "tried": [wrong, right]}
                state["quizzes"].setdefault(number, {})[question["key"]] = record

    return change


def again(number):
    return [question["key"] for question in coursework.quiz(number).spec["again"]]


def test_a_wrong_answer_returns_two_units_later_until_it_is_right_once(file):
    store.update(missed("10", "dither"))
    units = catalogue.units()
    place = units.index("10")
    assert [again(n) for n in units[: place + 2]] == [[]] * (place + 2)
    assert again(units[place + 2]) == ["10/dither"] and again(units[-1]) == ["10/dither"]
    quiz = coursework.quiz(units[place + 2])
    (question,) = quiz.spec["again"]
    assert question["from"] == "10" and question["prompt"] in str(catalogue.questions("10"))
    right = catalogue.right_option(question)
    wrong = (right + 1) % len(question["options"])
    quiz.answers = {"10/dither": {"chosen": wrong, "tried": [wrong]}}
    assert again(units[-1]) == ["10/dither"]
    quiz.answers = {"10/dither": {"chosen": right, "tried": [wrong, right]}}
    assert again(units[-1]) == []
    stored = json.loads(file.read_text())
    assert stored["returns"] == {"10": {"dither": {"chosen": right, "tried": [wrong, right]}}}
    first = stored["quizzes"]["10"]["dither"]["tried"][0]  # what was answered then stays
    assert first != catalogue.right_option(question) and units[place + 2] not in stored["quizzes"]


def test_what_was_right_at_once_or_never_answered_does_not_return():
    store.update(finish)
    assert [again(number) for number in catalogue.units()] == [[]] * len(catalogue.units())


def test_at_most_three_return_and_the_nearest_first():
    for number in ("10", "11"):
        store.update(missed(number, *[q["key"] for q in catalogue.questions(number)]))
    units = catalogue.units()
    keys = again(units[units.index("11") + 2])
    assert len(keys) == 3 and all(key.startswith("11/") for key in keys)
    keys = again(units[units.index("10") + 2])
    assert len(keys) == 3 and all(key.startswith("10/") for key in keys)


def test_what_returns_counts_in_no_score_and_goes_with_a_reset():
    store.update(missed("10", "dither"))
    later = catalogue.units()[catalogue.units().index("10") + 2]
    coursework.quiz(later).answers = {"10/dither": {"chosen": 0, "tried": [0]}}
    assert report.standing(later, store.load()[0]).right == 0
    coursework.reset("10")
    assert store.load()[0]["returns"] == {} and again(later) == []


def test_a_file_from_before_there_were_returns_is_read_and_wrong_answers_come_back(file):
    old = {"version": 1, "quizzes": {"01": {"dither": {"chosen": 0, "tried": [0]}}}}
    question = next(q for q in catalogue.questions("10") if q["key"] == "dither")
    wrong = (catalogue.right_option(question) + 1) % len(question["options"])
    old["quizzes"]["01"]["dither"] = {"chosen": wrong, "tried": [wrong]}
    file.write_text(json.dumps(old))
    assert again(catalogue.units()[catalogue.units().index("10") + 2]) == ["10/dither"]


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
