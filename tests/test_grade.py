"""Grading: what is right passes, what is wrong hears why, and what is hostile harms nobody."""

import csv
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from helpers.coursework import catalogue
from tools.classroom import grade
from tools.classroom import grade_worker as wire

pytestmark = pytest.mark.skipif(os.name == "nt", reason="grading needs POSIX limits")
RIGHT = "def halve_level(y):\n    return 0.5 * y"
SWAP = "def swap_sides(y):\n    return y[::-1]"
CHECKS = "coursework.check('00.half', halve_level)\ncoursework.check('00.swap_sides', swap_sides)"


def notebook(*cells, outputs=()):
    """The text of a notebook of unit 00 with these cells."""
    every = [
        {
            "cell_type": "code",
            "source": textwrap.dedent(c),
            "metadata": {},
            "outputs": list(outputs),
        }
        for c in cells
    ]
    check = {"cell_type": "code", "source": CHECKS, "metadata": {}, "outputs": list(outputs)}
    return json.dumps(
        {"cells": [*every, check], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


class Class:
    """A folder of submissions and the tables made of it."""

    def __init__(self, tmp_path):
        self.folder, self.tables, self.home = tmp_path / "handed_in", 0, tmp_path
        self.folder.mkdir()

    def hand_in(self, name, *cells, **options):
        """Put one submission into the folder."""
        path = self.folder / name / "00_start_here.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(notebook(*cells, **options), encoding="utf-8")
        return path

    def grade(self, *options):
        """Grade, with short limits, and return the rows by submission and item."""
        self.tables += 1
        table = self.home / f"table{self.tables}.csv"
        said = grade.main([str(self.folder), "--csv", str(table), "--seconds", "4", *options])
        assert said == 0, said
        with open(table, encoding="utf-8", newline="") as file:
            return {(row["submission"], row["item"]): row for row in csv.DictReader(file)}


@pytest.fixture
def pupils(tmp_path):
    """An empty class."""
    return Class(tmp_path)


# ---- answers -------------------------------------------------------------------------------------


def test_right_wrong_untouched_and_missing_answers_each_get_their_verdict_and_reason(pupils):
    pupils.hand_in("ada", RIGHT, SWAP)
    pupils.hand_in("bob", "def halve_level(y):\n    return y / 4", "def swap_sides(y):\n    pass")
    pupils.hand_in("eve", "def halve_level(y):\n    return ...")
    pupils.hand_in(
        "joe", "def halve_level(y):\n    return y * gone", "def swap_sides(y):\n    return y[::-1"
    )
    rows = pupils.grade("--names")
    verdicts = {key: row["verdict"] for key, row in rows.items()}
    assert [verdicts["ada", "00.half"], verdicts["ada", "00.swap_sides"]] == ["correct", "correct"]
    assert [verdicts["bob", "00.half"], verdicts["bob", "00.swap_sides"]] == [
        "not yet",
        "not attempted",
    ]
    assert [verdicts["eve", "00.half"], verdicts["eve", "00.swap_sides"]] == [
        "not attempted",
        "not found",
    ]
    assert [row["points"] for (name, _), row in rows.items() if name == "ada"] == ["1", "1"]
    assert (
        rows["bob", "00.half"]["reason"]
        == catalogue.exercise("00.half").check(lambda y: y / 4).says
    )
    assert (
        "NameError" in rows["joe", "00.half"]["reason"]
        and "return y * gone" in rows["joe", "00.half"]["reason"]
    )
    assert "cannot be read" in rows["joe", "00.swap_sides"]["reason"]


def test_a_function_gets_what_it_names_and_nothing_else_is_run(pupils, tmp_path):
    trace = tmp_path / "ran"
    pupils.hand_in(
        "ada",
        f"open({str(trace)!r}, 'w')\nwhile False: pass\n1 / 0",
        "%matplotlib inline\nfrom helpers import audio, coursework, metrics\nimport numpy as "
        "xp\nhow_many = 2.0",
        "def factor():\n    return xp.float64(1 / how_many)",
        "def halve_level(y):\n    return factor() * y",
        "def swap_sides(y):\n    return y",
        SWAP,  # the last definition counts
    )
    rows = pupils.grade("--names")
    assert {row["verdict"] for row in rows.values()} == {"correct"} and not trace.exists()


def test_functions_that_an_exercise_hands_over_work_from_the_other_process(pupils):
    cell = (
        "def one_round(y, S, analyse, invert):\n    return invert(S * np.exp(1j * "
        "np.angle(analyse(y))))"
    )
    text = json.loads(notebook(cell))
    text["cells"][-1]["source"] = 'coursework.check("33.round", one_round)'
    (pupils.folder / "ada.ipynb").write_text(json.dumps(text), encoding="utf-8")
    rows = pupils.grade("--names")
    assert (rows["ada", "33.round"]["verdict"], rows["ada", "33.fast"]["verdict"]) == (
        "correct",
        "not found",
    )


@pytest.mark.parametrize("number", ["33", "09"], ids=["of today", "of the first edition"])
def test_a_notebook_of_the_first_edition_is_graded_as_the_unit_it_is_now(pupils, number):
    cell = "def phase_steps(freqs, sr, hop_length):\n    return 2 * np.pi * freqs * hop_length / sr"
    text = json.loads(notebook(cell))
    text["cells"][-1]["source"] = f'coursework.check("{number}.steps", phase_steps)'
    (pupils.folder / "ada.ipynb").write_text(json.dumps(text), encoding="utf-8")
    rows = pupils.grade("--names")
    assert {row["unit"] for row in rows.values()} == {"33"}
    assert ("ada", "33.round") in rows and rows["ada", "33.round"]["verdict"] == "not found"


def test_numbers_that_both_editions_have_are_told_apart_by_what_is_checked(tmp_path):
    """10 is sound and samples, and was the vocoders; the words after a number tell which."""

    def unit(name, cell):
        return grade.unit_of(tmp_path / name, [cell])

    assert unit("x.ipynb", 'coursework.check("10.level", f)') == "10"
    assert unit("x.ipynb", 'coursework.check("10.dilated", f)') == "34"
    assert unit("10_setting2_vocoders.ipynb", "pass") == "34"
    assert unit("10_sound_and_samples.ipynb", "pass") == "10"
    assert unit("08_setting1_original_phase (1).ipynb", "pass") == "32"
    assert unit("mine.ipynb", "pass") is None


def test_a_stored_quiz_of_the_first_edition_counts_for_the_unit_it_is_now():
    first = Path(__file__).with_name("progress_first_edition.json")
    assert {unit for unit, _, _ in grade.quiz_rows(first)} == {"10", "32", "34", "36"}
    assert all(right == of for _, right, of in grade.quiz_rows(first))


def test_an_argument_that_is_changed_is_noticed_across_the_pipe(pupils):
    pupils.hand_in("ada", "def halve_level(y):\n    y *= 0.5\n    return y")
    assert "changes the array it is given" in pupils.grade("--names")["ada", "00.half"]["reason"]


def test_every_solution_of_the_course_is_correct_and_its_wrong_answers_are_not(tmp_path):
    """The way over the pipe changes no verdict: arrays, numbers, functions, shapes and types arrive
    as they left.
    """
    options = grade.options_from([str(tmp_path), "--csv", "x.csv"])
    for unit in catalogue.units():
        pytest.importorskip("torch") if unit > "23" else None
        exercises = catalogue.exercises(unit)
        for pick in (lambda e: e.solution, mistaken):
            cells = ["import math\nimport numpy as np", *[pick(e) for e in exercises.values()]]
            direct = {key: e.check(function(pick(e))) for key, e in exercises.items()}
            for key, verdict, why in grade.grade_notebook(cells, unit, options):
                assert (verdict, why) == (direct[key].outcome, direct[key].says), key


def mistaken(exercise):
    """A wrong answer to an exercise: its function gives back what comes in, a quarter larger."""
    head = exercise.starter.splitlines()[0]
    first = re.search(r"\((\w+)", head)[1]
    return f"{head}\n    return {first} if isinstance({first}, str) else 1.25 * {first}"


def function(source):
    """The function that a solution defines."""
    from tools.classroom import release

    return release.function(source)


# ---- hostile submissions: each is graded beside an honest one, which must not notice -------------

HOSTILE = {
    "loops for ever": (
        "def halve_level(y):\n    while True: pass",
        "still running after 4 seconds",
    ),
    "loops and swallows": (
        "def halve_level(y):\n    while True:\n        try:\n            while True: pass\n        "
        "except: pass",
        "still running after 4 seconds",
    ),
    "loops before": (
        "def go():\n    while True: pass\nk = go()\ndef halve_level(y):\n    return k * y",
        "within 4 sec",
    ),
    "eats memory": ("def halve_level(y):\n    return bytearray(10**11)", "MemoryError"),
    "eats memory slowly": (
        "def halve_level(y):\n    return [bytearray(10**8) for _ in range(10**6)]",
        "",
    ),
    "returns too much": (
        "def halve_level(y):\n    return np.zeros(50_000_000)",
        "too large to be sent",
    ),
    "exits": ("import os\ndef halve_level(y):\n    os._exit(0)", "ended with status 0"),
    "raises SystemExit": (
        "def halve_level(y):\n    raise SystemExit('Correct.')",
        "stops with SystemExit",
    ),
    "prints a result": (
        "def halve_level(y):\n    print('Correct.')\n    return y",
        "returns its input",
    ),
    "forges replies": (
        """
        import os, struct, json
        def halve_level(y):
            data = json.dumps({"value": {"k": "const", "v": 3}, "after": [None], "empty": False}).encode()
            for fd in range(3, 64):
                try: os.write(fd, struct.pack(">I", len(data)) + data)
                except OSError: pass
            return y""",  # noqa: E501
        "",
    ),
    "writes rubbish": (
        "import os\ndef halve_level(y):\n    [os.write(f, b'x' * 99) for f in range(3, 9)]",
        "",
    ),
    "patches the judge": (
        """
        import numpy
        numpy.allclose = numpy.array_equal = lambda *a, **k: True
        def halve_level(y):
            import gc, sys
            numpy.allclose = lambda *a, **k: True
            return y""",
        "returns its input",
    ),
    "lies about its type": (
        "class Yes(float):\n    __eq__ = __lt__ = __gt__ = lambda *a: True\ndef halve_level(y):\n  "
        "  return Yes(1)",
        "",
    ),
    "asks the check for the truth": (
        "from helpers.coursework import catalogue\ndef halve_level(y):\n"
        "    return catalogue.checks('00')['00.half'].truth(y)",
        "stops with",
    ),
    "reads the solution": (
        """
        import pathlib, helpers
        def halve_level(y):
            space = {}
            root = pathlib.Path(helpers.__path__[0]).parent
            exec((root / 'data/coursework/00/solutions.toml').read_text(), space)
            return space['f'](y)""",
        "PermissionError",
    ),
    "reads the check": (
        "import helpers, pathlib\ndef halve_level(y):\n    return "
        "(pathlib.Path(helpers.__path__[0]).parent / "
        "'data/coursework/00/checks.py').read_text()",
        "PermissionError",
    ),
    "reads a neighbour": (
        "def halve_level(y):\n    return open('{victim}').read()",
        "PermissionError",
    ),
    "lists the neighbours": (
        "import os\ndef halve_level(y):\n    return os.listdir('{folder}')",
        "PermissionError",
    ),
    "deletes the class": (
        "import shutil\ndef halve_level(y):\n    shutil.rmtree('{folder}')",
        "PermissionError",
    ),
    "deletes its folder": (
        "import os, shutil\ndef halve_level(y):\n    shutil.rmtree(os.getcwd(), "
        "ignore_errors=True)\n    return y",
        "returns its input",
    ),
    "overwrites a neighbour": (
        "def halve_level(y):\n    open('{victim}', 'w').write('x')",
        "PermissionError",
    ),
    "fills the disk": (
        "def halve_level(y):\n    with open('big', 'wb') as f:\n        while True: "
        "f.write(bytes(10**7))",
        "",
    ),
    "forks": ("import os\ndef halve_level(y):\n    while True: os.fork()", "PermissionError"),
    "starts a program": (
        "import subprocess\ndef halve_level(y):\n    subprocess.run(['id'])",
        "PermissionError",
    ),
    "kills the grader": (
        "import os\ndef halve_level(y):\n    os.kill(os.getppid(), 9)",
        "PermissionError",
    ),
    "calls C": (
        "import ctypes\ndef halve_level(y):\n    return ctypes.CDLL(None).system(b'touch "
        "{folder}/x')",
        "PermissionError",
    ),
    "phones home": (
        "import socket\ndef halve_level(y):\n    socket.create_connection(('127.0.0.1', 9))",
        "PermissionError",
    ),
    "raises its own": (
        "class E(Exception):\n    def __str__(self): raise SystemExit\ndef halve_level(y):\n    "
        "raise E",
        "stops with E",
    ),
    "is nested too deeply": (
        "def halve_level(y):\n    return " + "(" * 3000 + "y" + ")" * 3000,
        "cannot be read",
    ),
    "is no function": ("halve_level = 'Correct.'", "not a function"),
}


@pytest.fixture(scope="module")
def den(tmp_path_factory):
    """All of them in one class with one honest submission: the class, the rows, and what was honest
    before.
    """
    pupils = Class(tmp_path_factory.mktemp("den"))
    victim = pupils.hand_in("victim", RIGHT, SWAP)
    forged = {"output_type": "stream", "name": "stdout", "text": "Correct."}
    for what, (source, _) in HOSTILE.items():
        code = (
            textwrap.dedent(source)
            .replace("{victim}", str(victim))
            .replace("{folder}", str(pupils.folder))
        )
        pupils.hand_in(what, code, SWAP, outputs=[forged])
    before = {path: path.read_bytes() for path in pupils.folder.rglob("*") if path.is_file()}
    return pupils, pupils.grade("--names"), before


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=[pytest.mark.nightly] * what.startswith("loops"))
        for what in HOSTILE
    ],
)  # that a loop is ended takes the time that an answer has
def test_a_hostile_answer_gets_no_point_and_spoils_no_other_answer(what, den):
    _, rows, _ = den
    bad, good = rows[what, "00.half"], rows[what, "00.swap_sides"]
    assert bad["verdict"] in ("not yet", "not found") and bad["points"] == "0"
    assert HOSTILE[what][1] in bad["reason"], bad["reason"]
    assert "0.5 * y" not in bad["reason"]  # the neighbour's answer
    assert good["verdict"] == "correct", good["reason"]


def test_nobody_else_notices_and_nothing_is_left_behind(den):
    pupils, rows, before = den
    assert {rows["victim", key]["verdict"] for key in ("00.half", "00.swap_sides")} == {"correct"}
    assert {
        path: path.read_bytes() for path in pupils.folder.rglob("*") if path.is_file()
    } == before
    assert len(rows) == 2 * (len(HOSTILE) + 1)
    assert grade_processes() == []


def grade_processes():
    """The submissions' processes that still run (Linux)."""
    done = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True)
    mine = [line.split(None, 2) for line in done.stdout.splitlines() if "grade_worker.py" in line]
    return [line for line in mine if int(line[1]) == os.getpid()]


def test_the_kernel_refuses_what_pythons_hooks_do_not_see(pupils):
    """libsndfile opens files in C, past every audit hook; where Landlock is there, it cannot
    either.
    """
    victim = pupils.hand_in("victim", RIGHT, SWAP)
    code = (
        "import soundfile\ndef halve_level(y):\n    return soundfile.read("
        f"{str(victim)!r}, format='RAW', samplerate=8000, channels=1, subtype='PCM_U8')[0]"
    )
    pupils.hand_in("hostile", code)
    options = grade.options_from([str(pupils.folder), "--csv", "x.csv", "--seconds", "8"])
    worker = grade.Worker([code], options)
    kernel = worker.kernel
    worker.close()
    if not kernel:
        pytest.skip("this kernel has no Landlock")
    reason = pupils.grade("--names")["hostile", "00.half"]["reason"]
    assert "Error opening" in reason and "shape" not in reason


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a subreaper")
def test_a_process_that_hides_in_a_session_of_its_own_is_ended():
    grade.adopt_orphans()
    ours = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    )  # as a browser of other tests is
    kept = grade.children()
    code = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
    code += "print(os.getpid(), flush=True)\ntime.sleep(1000)"
    done = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    hidden = int(done.stdout.readline())
    done.wait()
    os.kill(hidden, 0)  # it is there
    grade.end_orphans(kept)
    with pytest.raises(ProcessLookupError):
        os.kill(hidden, 0)
    assert ours.pid in kept and ours.poll() is None
    ours.communicate(b"\n")
    assert ours.returncode == 0


# ---- the folder and the table --------------------------------------------------------------------


def test_pseudonyms_are_stable_with_the_salt_and_names_are_nowhere(pupils):
    pupils.hand_in(
        "Ada Lovelace", "def halve_level(y):\n    raise ValueError('ada lovelace was here')"
    )
    salt = pupils.home / "salt"
    first, second, other = (
        pupils.grade("--salt", str(salt)),
        pupils.grade("--salt", str(salt)),
        pupils.grade(),
    )
    assert {key[0] for key in first} == {key[0] for key in second} != {key[0] for key in other}
    for table in pupils.home.glob("*.csv"):
        assert "lovelace" not in table.read_text(encoding="utf-8").lower()
    assert salt.stat().st_mode & 0o077 == 0
    assert all(key[0].startswith("s-") for key in first)


def test_a_table_is_never_written_over(pupils, tmp_path):
    pupils.hand_in("ada", RIGHT)
    table = tmp_path / "marks.csv"
    table.write_text("mine", encoding="utf-8")
    assert "exists" in grade.main([str(pupils.folder), "--csv", str(table)])
    assert table.read_text(encoding="utf-8") == "mine"


def test_what_cannot_be_read_is_a_row_that_says_so(pupils):
    for name, content in {
        "text": b"not json",
        "bytes": b"\xff\xfe\x00",
        "list": b"[]",
        "deep": b"[" * 10**6,
    }.items():
        (pupils.folder / f"{name}.ipynb").write_bytes(content)
    (pupils.folder / "empty").mkdir()
    (pupils.folder / "secret.txt").write_text("a secret", encoding="utf-8")
    (pupils.folder / "thief").mkdir()
    (pupils.folder / "thief" / "00_start_here.ipynb").symlink_to(pupils.hand_in("ada", RIGHT))
    rows = pupils.grade("--names")
    assert {name for (name, _), row in rows.items() if row["verdict"] == "not read"} == {
        *("text", "bytes", "list", "deep", "empty", "thief")
    }


def test_a_name_or_a_reason_is_no_formula(pupils):
    pupils.hand_in("=1+1", RIGHT)
    assert {name for name, _ in pupils.grade("--names")} == {"'=1+1"}
    assert grade.safe("@x\ny", "", "") == "'@x y"


def test_missing_units_are_listed_when_asked_for_and_quizzes_say_where_they_come_from(pupils):
    path = pupils.hand_in("ada", RIGHT)
    quiz = {"00": {"safe": {"tried": [1]}, "dbfs": {"tried": [2, 0]}}}
    state = {"version": 1, "exercises": {}, "quizzes": quiz, "predictions": {}}
    (path.parent / "progress.json").write_text(json.dumps(state), encoding="utf-8")
    rows = pupils.grade("--names", "--units", "10")
    assert rows["ada", "10.level"]["verdict"] == "not found"
    assert (rows["ada", "00 quiz"]["points"], rows["ada", "00 quiz"]["of"]) == ("2", "5")
    assert "anybody can edit" in rows["ada", "00 quiz"]["reason"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--csv", "x.csv", "--units", "77"], "no unit"),
        (["--csv", "no/such/folder/x.csv"], "no folder"),
    ],
)
def test_what_cannot_be_graded_is_said_first(options, says, pupils, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert says in grade.main([str(pupils.folder), *options])


def test_submissions_that_lie_where_code_may_read_are_refused(tmp_path):
    inside = grade.ROOT / "helpers" / "_frontend"
    assert "Move it elsewhere" in grade.main([str(inside), "--csv", str(tmp_path / "x.csv")])


# ---- the pipe ------------------------------------------------------------------------------------


def test_what_the_grader_unpacks_is_numbers_and_never_code():
    import numpy as np

    for value in (
        None,
        True,
        3,
        2.5,
        np.arange(6.0).reshape(2, 3),
        np.float32(1.5),
        [1.0, (2, np.zeros(2))],
        1j * np.ones(2),
    ):
        back = wire.unpack(json.loads(json.dumps(wire.pack(value, None))), None)
        assert type(back) is type(value)
        np.testing.assert_equal(back, value)
    for form in (
        {"k": "array", "d": "|O8", "s": [1], "v": ""},
        {"k": "array", "d": "<f8", "s": [10**12], "v": ""},
    ):
        with pytest.raises(ValueError):
            wire.unpack(form, None)
    assert (
        type(wire.unpack({"k": "other", "v": "__import__('os')"}, None)).__name__ == "__import__os"
    )
