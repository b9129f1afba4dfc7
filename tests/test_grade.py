"""Grading: what is right passes, what is wrong hears why, and what is hostile harms nobody."""

import argparse
import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers.coursework import catalogue, checking
from tools import notebooks
from tools.classroom import grade, release, sandbox, session, submissions
from tools.classroom.inside import values

pytestmark = pytest.mark.skipif(os.name == "nt", reason="grading needs POSIX limits")
RIGHT = "def halve_level(y):\n    return 0.5 * y"
SWAP = "def swap_sides(y):\n    return y[::-1]"
CHECKS = "coursework.check('00.half', halve_level)\ncoursework.check('00.swap_sides', swap_sides)"
SETUP = "from helpers import coursework\nimport numpy as np"
LIMITS = {"memory": 4000, "seconds": 4, "cell_seconds": 60, "total_seconds": 300, "wanted": []}


def notebook(*cells, checks=CHECKS, outputs=()):
    """The text of a notebook of unit 00 with these cells."""
    every = [
        {"cell_type": "code", "source": textwrap.dedent(c), "metadata": {}, "outputs": outputs}
        for c in (SETUP, *cells, checks)
    ]
    return json.dumps({"cells": every, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


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


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The copy of the course that kernels see."""
    folder = tmp_path_factory.mktemp("stage").resolve() / "course"
    folder.mkdir()
    sandbox.stage(folder)
    return folder


@pytest.fixture
def kernel(course):
    """Run cells in a kernel of their own; it is ended with the test."""
    running = []

    def start(*cells, **limits):
        options = argparse.Namespace(**LIMITS | limits)
        running.append(session.Session(list(cells), {}, course, options))
        return running[-1]

    yield start
    for one in running:
        one.close()


def tried(one, key, name, which="name", seconds=4):
    """What the check of an exercise says of a function in a kernel."""
    request = {"name": name, "key": key, "which": which}
    return grade._tried(grade.Stand(one, request, seconds, str), catalogue.exercise(key))


# ---- answers -------------------------------------------------------------------------------------


def test_right_wrong_untouched_and_missing_answers_each_get_their_verdict_and_reason(pupils):
    pupils.hand_in("ada", RIGHT, SWAP)
    pupils.hand_in("bob", "def halve_level(y):\n    return y / 4", "def swap_sides(y):\n    pass")
    pupils.hand_in("eve", "def halve_level(y):\n    return ...")
    pupils.hand_in(
        "joe", "def halve_level(y):\n    return y * gone", "def swap_sides(y):\n    return y[::-1"
    )
    rows = pupils.grade("--names", "--jobs", "2")
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
    joe = rows["joe", "00.half"]["reason"]
    assert "NameError" in joe and "Cell In[2], line 2: return y * gone" in joe
    assert rows["joe", "00.swap_sides"]["verdict"] == "not found"
    assert (
        "Cell In[3], which defines swap_sides, stops with SyntaxError"
        in (rows["joe", "00.swap_sides"]["reason"])
    )


# What Jupyter runs, and what taking cells apart got wrong (public_cases 2 and 3): every function
# halves a level.
AS_IN_JUPYTER = {
    "the same name elsewhere": "y, sr = audio.load('my_song.mp3')",
    "input elsewhere": "y = input()",
    "an expression over lines": "def f1(y):\n    n = (7\n        % 4\n        - 1)\n"
    "    return y / n",
    "a text like a magic": 'def f2(y):\n    """\n%x = 3\n"""\n    return y / 2',
    "a star import": "from math import *\ndef f3(y):\n    return y * exp(-log(2))",
    "a table that a cell fills": 'G = {}\nG["half"] = 0.5\ndef f4(y):\n    return G["half"] * y',
    "a list that a loop fills": "L = []\nfor i in range(3):\n    L.append(i / 2)",
    "its function": "def f5(y):\n    return L[1] * y",
    "inside if and try": "if True:\n    try:\n        def f6(y):\n            return y / 2\n"
    "    except ValueError:\n        pass",
    "an import inside try": "try:\n    import numpy as xp\nexcept ImportError:\n    xp = None\n"
    "def f7(y):\n    return xp.multiply(y, 0.5)",
    "magics beside it": "np.sum?\nr = %timeit -o -n1 -r1 1\nx = !echo 2\n"
    "def f8(y):\n    return y / int(x[0])",
    "a name set by a call": "def go():\n    global K\n    K = 0.5\ngo()\n"
    "def f9(y):\n    return K * y",
    "names of Python": "list = str = len = print = dict = None\ndef f10(y):\n    return y / 2",
    "a subclass": "def f11(y):\n    import torch\n    return torch.as_tensor(y) / 2",
    "the last one counts": "def f1(y):\n    return y / 2",
}


def test_what_runs_in_jupyter_is_graded_as_jupyter_runs_it(kernel):
    one = kernel(SETUP, *AS_IN_JUPYTER.values())
    assert [kind for kind, _, _ in one.failed.values()] == ["NameError", "StdinNotImplementedError"]
    for number in range(1, 12):
        assert tried(one, "00.half", f"f{number}", seconds=30)[0] == "correct", number


def test_what_a_function_prints_is_known_to_its_check(kernel):
    """Who prints a result and forgets `return` is told so, as in the notebook."""
    one = kernel("def halve_level(y):\n    print(y / 2)")
    assert "it prints something" in tried(one, "00.half", "halve_level")[1]


def test_what_the_notebook_gave_to_its_check_counts_where_the_name_is_no_answer(pupils):
    cells = ["def halve_level(y):\n    return ...", "def mine(y):\n    return y / 2", SWAP]
    checks = "coursework.check('00.half', mine)\ndel swap_sides"
    pupils.hand_in("ada", *cells, checks=checks)
    rows = pupils.grade("--names")
    assert rows["ada", "00.half"]["verdict"] == "correct"
    assert rows["ada", "00.swap_sides"]["reason"] == "No cell defines swap_sides."


def test_every_solution_of_the_course_is_correct_and_wrong_answers_hear_the_same_here(kernel):
    """The way to a kernel and back changes no verdict: arrays, numbers, functions, shapes and types
    arrive as they left; and what is changed or handed over works there, too.
    """
    every = [e for unit in catalogue.units() for e in catalogue.exercises(unit).values()]
    assert len(every) >= 61
    for pick in (lambda e: e.solution, mistaken):
        cells = ["import math", "import torch", SETUP]
        for e in every:
            cells += [pick(e), f"coursework.check('{e.key}', {grade.name_of(e)})"]
        one = kernel(*cells)
        assert not one.failed
        for e in every:
            direct = e.check(release.function(pick(e)))
            verdict = tried(one, e.key, grade.name_of(e), "checked")
            assert verdict == (direct.outcome, direct.says), e.key
            assert (verdict[0] == "correct") == (pick(e) == e.solution)
        one.close()


def mistaken(exercise):
    """A wrong answer to an exercise: its function gives back what comes in, numbers a quarter
    larger.
    """
    head = exercise.starter.splitlines()[0]
    first = re.search(r"\((\w+)", head)[1]
    return f"{head}\n    return 1.25 * {first} if hasattr({first}, 'real') else {first}"


def solved_in(folder, *numbers):
    """Hand in the course's own solved notebooks of some units, or all; return their exercises."""
    keys = []
    for path in notebooks.paths(list(numbers)):
        notebooks.write(folder / path.name, release.solved(notebooks.read(path)))
        keys += catalogue.exercises(path.name[:2])
    return keys


@pytest.mark.parametrize(
    "numbers", [("00", "31"), pytest.param((), marks=pytest.mark.nightly)], ids=["two", "all"]
)
def test_the_solved_notebooks_of_the_course_get_all_points(numbers, pupils):
    (pupils.folder / "ada").mkdir()
    keys = solved_in(pupils.folder / "ada", *numbers)
    rows = pupils.grade("--names", "--seconds", "10")
    assert {key: row["reason"] for (_, key), row in rows.items() if row["points"] != "1"} == {}
    assert [key for _, key in rows] == keys and len(keys) >= (5 if numbers else 99)


@pytest.mark.parametrize("number", ["33", "09"], ids=["of today", "of the first edition"])
def test_a_notebook_is_graded_as_the_unit_it_is_now(number, tmp_path):
    text = notebook("pass", checks=f'coursework.check("{number}.steps", phase_steps)')
    (tmp_path / "ada.ipynb").write_text(text, encoding="utf-8")
    found = submissions.find(tmp_path)
    assert list(submissions.read(found["ada"])[0]) == ["33"]


def test_numbers_that_both_editions_have_are_told_apart_by_what_is_checked():
    """10 is sound and samples, and was the vocoders; the words after a number tell which."""

    def unit(name, cell):
        return submissions.unit_of(name, [cell])

    assert unit("x.ipynb", 'coursework.check("10.level", f)') == "10"
    assert unit("x.ipynb", 'coursework.check("10.dilated", f)') == "34"
    assert unit("10_setting2_vocoders.ipynb", "pass") == "34"
    assert unit("10_sound_and_samples.ipynb", "pass") == "10"
    assert unit("a/b/08_setting1_original_phase (1).ipynb", "pass") == "32"
    assert unit("mine.ipynb", "pass") is None


def test_a_stored_quiz_of_the_first_edition_counts_for_the_unit_it_is_now():
    first = Path(__file__).with_name("progress_first_edition.json").read_bytes()
    assert {unit for unit, _, _ in grade.quiz_rows(first)} == {"10", "32", "34", "36"}
    assert all(right == of for _, right, of in grade.quiz_rows(first))
    assert grade.quiz_rows(b"[]") == grade.quiz_rows(b"\xff") == []


# ---- limits --------------------------------------------------------------------------------------


def test_a_function_that_waits_is_not_graded_and_no_zero(kernel, monkeypatch):
    monkeypatch.setattr(session, "GRACE", 0.5)
    one = kernel("import time\ndef halve_level(y):\n    time.sleep(60)", SWAP)
    options = argparse.Namespace(**LIMITS | {"seconds": 0.2})
    exercise = catalogue.exercise("00.half")
    (verdict, why), alive = grade._asked(one, exercise, options, str)
    assert (verdict, alive) == ("not graded", True) and "give --seconds 0.4" in why
    assert tried(one, "00.swap_sides", "swap_sides")[0] == "correct"


def test_a_cell_that_never_ends_is_stopped_and_the_next_ones_run(kernel):
    one = kernel("while True: pass", RIGHT, cell_seconds=1)
    assert [kind for kind, _, _ in one.failed.values()] == ["KeyboardInterrupt"]
    assert one.stopped == {1: "Cell In[1] was stopped after 1 seconds"}
    assert tried(one, "00.half", "halve_level")[0] == "correct"


def test_a_notebook_that_takes_too_much_is_not_graded_and_no_zero(pupils):
    pupils.hand_in(
        "ada",
        "x = [bytearray(2 * 10**7) for _ in range(60)]\nimport os\nos.fork()\n"
        "import time\nx[0][:] = b'1' * len(x[0])\ntime.sleep(9)",
        RIGHT,
    )
    rows = pupils.grade("--names", "--memory", "1500")
    assert {row["verdict"] for row in rows.values()} == {"not graded"}
    assert {row["points"] for row in rows.values()} == {""}
    assert "more than 1500 MB of memory (--memory)" in rows["ada", "00.half"]["reason"]


# ---- hostile submissions: each is graded beside an honest one, which must not notice -------------

NIGHT = True
# what it does -> (its code, what the row of halve_level says, whether only the night tries it)
HOSTILE = {
    "loops for ever": (
        "def halve_level(y):\n    while True: pass",
        "still running after 4 seconds",
    ),
    "loops and swallows": (
        "def halve_level(y):\n    while True:\n        try:\n            while True: pass\n        "
        "except: pass",
        "still running after 4 seconds",
        NIGHT,
    ),
    "loops at import": (
        "def halve_level(y):\n    return 0.25 * y\nwhile True: pass",
        "quarter",
    ),
    "loops at import and swallows": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "could not be stopped",
        NIGHT,
    ),
    "ends its kernel at import": (
        "import os\nos._exit(0)",
        "it ends its own kernel in Cell In[2]",
        NIGHT,
    ),
    "ends its kernel": ("import os\ndef halve_level(y):\n    os._exit(0)", "ends its own kernel"),
    "leaves": ("import sys\ndef halve_level(y):\n    sys.exit('Correct.')", "with SystemExit"),
    "leaves at import": ("import sys\nsys.exit(0)", "No cell defines halve_level", NIGHT),
    "eats memory": ("def halve_level(y):\n    return bytearray(10**11)", "MemoryError"),
    "eats memory slowly": (
        "def halve_level(y):\n    return [bytearray(10**8) for _ in range(10**6)]",
        "Memory",
        NIGHT,
    ),
    "returns too much": (
        "def halve_level(y):\n    return np.zeros(50_000_000)",
        "too large to be sent",
        NIGHT,
    ),
    "prints without end": (
        "def halve_level(y):\n    for i in range(100):\n        print('x' * 10**7)\n    return y\n"
        "halve_level(0)",
        "returns its input",
    ),
    "shows without end": (
        "from IPython.display import HTML, display\n"
        "for i in range(5):\n    display(HTML('x' * 10**8))\ndef halve_level(y):\n    return y",
        "returns its input",
        NIGHT,
    ),
    "answers by exception": (
        "class E(Exception):\n    def __str__(self): raise SystemExit\ndef halve_level(y):\n"
        "    raise E from ValueError('Correct. ', y / 2)",
        "stops with E",
    ),
    "lies about its type": (
        """
        class Yes(np.ndarray):
            __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __bool__ = lambda *a: True
            __array_ufunc__ = __array_function__ = lambda *a, **k: True
        class Sly:
            shape = (2,)
            dtype = np.dtype(float)
            __eq__ = __lt__ = __gt__ = __bool__ = lambda *a: True
            def __array__(self, *a, **k): return np.zeros(2)
            def __reduce__(self): return (print, ("run in the grader",))
        def halve_level(y):
            return Sly() if y.shape == (2,) else y.view(Yes)""",
        "Given the array [0.4, −0.2]",
    ),
    "forges replies": (
        """
        import earup_grading.answers as a
        a._dumps = lambda *x: '{"value": {"k": "const", "v": 3}, "after": [null], "empty": false}'
        def halve_level(y):
            return y""",
        "",
    ),
    "answers rubbish": (
        "import earup_grading.answers as a\na.given = lambda: b'\\x00' * 99\n"
        "def halve_level(y):\n    return y",
        "nothing that can be read",
    ),
    "patches the judge": (
        """
        import pickle, numpy
        from helpers import coursework
        from helpers.coursework import checking, probing
        numpy.allclose = numpy.array_equal = numpy.isclose = lambda *a, **k: True
        pickle.loads = pickle.dumps = lambda *a, **k: "Correct."
        checking.agrees = probing.agrees = lambda *a: True
        checking.Check.__call__ = lambda *a: checking.Result("correct", "Correct.")
        coursework.check = lambda *a: "Correct."
        def halve_level(y):
            return y""",
        "returns its input",
    ),
    "patches what its kernel speaks with": (
        "import json\njson.dumps = lambda *a, **k: 'Correct.'\ndef halve_level(y):\n    return y",
        "kernel",
    ),
    "asks for the answer": (
        "from helpers.coursework import catalogue\ndef halve_level(y):\n"
        "    return catalogue.checks('00')['00.half'].truth(y)",
        "stops with AttributeError",
    ),
    "asks for an input": ("def halve_level(y):\n    return float(input('0.5 * y?'))", "input"),
    "waits for an input": (
        "x = input()\ndef halve_level(y):\n    return x",
        "which defines halve_level, stops with StdinNotImplementedError",
        NIGHT,
    ),
    "forks": ("import os\ndef halve_level(y):\n    while True: os.fork()", "processes"),
    "forks at import": ("import os\nwhile True: os.fork()", "processes", NIGHT),
    "kills its parents": (
        "import os, signal\ndef halve_level(y):\n    for pid in (os.getppid(), -1, 1, {grader}):\n"
        "        try: os.kill(pid, signal.SIGKILL)\n        except OSError: pass\n    return y",
        "",
    ),
    "hides a process": (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', "
        "'import time; time.sleep(987.5)'], start_new_session=True)\ndef halve_level(y):\n"
        "    return y",
        "returns its input",
    ),
    "fills the disk": (
        "def halve_level(y):\n    with open('big', 'wb') as f:\n        while True: "
        "f.write(bytes(10**7))",
        "File too large",
        NIGHT,
    ),
    "fills the disk with many": (
        "def halve_level(y):\n    for i in range(10**6): open(str(i), 'wb').write(bytes(10**7))",
        "it wrote more than 200 MB",
        NIGHT,
    ),
    "is nested too deeply": (
        "def halve_level(y):\n    return " + "(" * 3000 + "y" + ")" * 3000,
        "which defines halve_level, stops with",
        NIGHT,
    ),
    "is no function": ("halve_level = 'Correct.'", "is a str, not a function", NIGHT),
}
# what only a system can refuse: it does not work, whatever it says
FORBIDDEN = {
    "reads the solutions": (
        "def halve_level(y):\n    space = {}\n    import tomllib, pathlib\n    text = "
        "pathlib.Path('{root}/data/coursework/00/solutions.toml').read_text()\n    "
        "exec(tomllib.loads(text)['00.half']['code'], space)\n    return space['halve_level'](y)"
    ),
    "reads the checks of its copy": (
        "import helpers, pathlib\ndef halve_level(y):\n    text = (pathlib.Path("
        "helpers.__path__[0]).resolve().parent / 'data/coursework/00/checks.py').read_text()\n"
        "    space = {}\n    exec(text, space)\n    return space['CHECKS']['00.half'].truth(y)"
    ),
    "reads a neighbour": "def halve_level(y):\n    return len(open('{victim}').read()) and y / 2",
    "overwrites a neighbour": "def halve_level(y):\n    open('{victim}', 'w').write('x')\n"
    "    return y / 2",
    "deletes the class": "import shutil\ndef halve_level(y):\n    shutil.rmtree('{folder}')\n"
    "    return y / 2",
    "changes the course for others": (
        "import pathlib, helpers, os\ndef halve_level(y):\n    home = pathlib.Path(helpers"
        ".__path__[0]).resolve().parent\n    os.chmod(home / 'helpers/__init__.py', 0o777)\n"
        "    (home / 'helpers/__init__.py').write_text('1/0')\n    return y / 2"
    ),
    "phones home": (
        "import socket\ndef halve_level(y):\n    socket.create_connection(('127.0.0.1', {port}))\n"
        "    return y / 2"
    ),
}


def filled(source, pupils, victim, port=9):
    """Code with the names of what it attacks."""
    names = {"victim": victim, "folder": pupils.folder, "root": release.ROOT, "port": port}
    names["grader"] = os.getpid()
    for name, value in names.items():
        source = source.replace("{" + name + "}", str(value))
    return textwrap.dedent(source)


def tonight():
    """Whether what is dear runs (as tests/conftest.py decides for what is marked)."""
    named = "tests/test_grade.py" in os.environ.get("EARUP_NIGHTLY_OF", "").split()
    return os.environ.get("EARUP_NIGHTLY") != "0" or named


@pytest.fixture(scope="module")
def den(tmp_path_factory):
    """All of them in one class with one honest submission: the class, the rows, and what was honest
    before.
    """
    session.adopt_orphans()
    pupils = Class(tmp_path_factory.mktemp("den"))
    victim = pupils.hand_in("victim", RIGHT, SWAP)
    forged = {"output_type": "stream", "name": "stdout", "text": "Correct."}
    for what, (source, _, *night) in HOSTILE.items():
        if not night or tonight():
            code = filled(source, pupils, victim)
            pupils.hand_in(what, code, SWAP, outputs=[forged])
    before = {path: path.read_bytes() for path in pupils.folder.rglob("*") if path.is_file()}
    rows = pupils.grade("--names", "--jobs", "2", "--cell-seconds", "4", "--memory", "2000")
    return pupils, rows, before


NEVER_RUN = (
    "patches what its kernel speaks with",
    "ends its kernel at import",
    "loops at import and swallows",
    "forks at import",
)


@pytest.mark.parametrize(
    "what",
    [pytest.param(w, marks=[pytest.mark.nightly] * len(HOSTILE[w][2:])) for w in HOSTILE],
)
def test_a_hostile_answer_gets_no_point_and_spoils_no_other_answer(what, den):
    _, rows, _ = den
    bad, good = rows[what, "00.half"], rows[what, "00.swap_sides"]
    assert bad["verdict"] != "correct" and bad["points"] in ("0", ""), bad
    assert HOSTILE[what][1] in bad["reason"], bad["reason"]
    assert "0.5 * y" not in bad["reason"].replace("'0.5 * y?'", "")  # the neighbour's answer
    if what in NEVER_RUN:
        assert good["verdict"] == bad["verdict"]
    elif what not in ("forges replies", "answers rubbish"):  # its own other answers are its affair
        assert good["verdict"] == "correct", good["reason"]


def test_nobody_else_notices_and_nothing_is_left_behind(den):
    pupils, rows, before = den
    assert {rows["victim", key]["verdict"] for key in ("00.half", "00.swap_sides")} == {"correct"}
    assert {
        path: path.read_bytes() for path in pupils.folder.rglob("*") if path.is_file()
    } == before
    assert len(rows) == 2 * len({name for name, _ in rows}) >= 2 * 17
    assert left_over("earup_grading") == left_over("987.5") == []


def left_over(words):
    """The processes under this one that still run; who hides has this one for a parent, too."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            line = " ".join(process.cmdline())
            found += [line] * (words in line)
    return found


SHELTERS = [("bubblewrap", True), ("unshare", True), ("", True), ("bubblewrap", False)]


@pytest.mark.parametrize("shelter", SHELTERS, ids=lambda s: f"{s[0]}{' Landlock' * s[1]}".strip())
def test_what_the_system_withholds(shelter, pupils, course, monkeypatch):
    """Whatever this system offers is tried, not only what is chosen; each refuses the same."""
    use(shelter, monkeypatch)
    victim = pupils.hand_in("victim", RIGHT, SWAP)
    before = victim.read_bytes(), (course / "helpers/__init__.py").read_bytes()
    options = argparse.Namespace(**LIMITS)
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        cells = [SETUP]
        for n, source in enumerate(FORBIDDEN.values()):
            code = filled(source, pupils, victim, port)
            cells.append(code.replace("halve_level(y)", f"f{n}(y)", 1))
        loop = "def loop(y):\n    while True: pass"
        one = session.Session([*cells, RIGHT, loop], {}, course, options)
    try:
        for n, what in enumerate(FORBIDDEN):
            verdict, why = tried(one, "00.half", f"f{n}")
            assert verdict == "not yet" and "stops with" in why, (what, why)
        assert "still running" in tried(one, "00.half", "loop", seconds=0.5)[1]
        assert tried(one, "00.half", "halve_level")[0] == "correct"
    finally:
        one.close()
    assert (victim.read_bytes(), (course / "helpers/__init__.py").read_bytes()) == before


def use(shelter, monkeypatch):
    """Grade within another shelter than the best that is here."""
    wrapper, landlock = shelter
    command = {"bubblewrap": sandbox.bubblewrap, "unshare": sandbox.unshare}.get(wrapper)
    if command and not sandbox.works(command([], [])):
        pytest.skip(f"{wrapper} does not work here")
    if landlock and not sandbox.isolation().landlock:
        pytest.skip("this kernel has no Landlock")
    chosen = sandbox.Isolation(wrapper, landlock)
    monkeypatch.setattr(sandbox, "isolation", lambda: chosen)


def test_without_any_shelter_limits_hold_and_it_is_said_that_files_are_not_guarded(
    course, monkeypatch
):
    use(("", False), monkeypatch)
    assert "NOT guarded" in " ".join(sandbox.isolation().told())
    options = argparse.Namespace(**LIMITS)
    big = "def big(y):\n    return bytearray(10**11)"
    gone = "import subprocess\np = subprocess.Popen(['sleep', '987.5'], start_new_session=True)"
    loop = "def loop(y):\n    while True: pass"
    one = session.Session([SETUP, RIGHT, big, gone, loop], {}, course, options)
    try:
        assert "still running" in tried(one, "00.half", "loop", seconds=0.5)[1]
        assert tried(one, "00.half", "halve_level")[0] == "correct"
        assert "MemoryError" in tried(one, "00.half", "big")[1]
        assert len(left_over("987.5")) == 1
    finally:
        one.close()
    assert left_over("987.5") == []


def test_the_copy_that_a_kernel_sees_holds_no_answer(course, kernel):
    assert release.leaks(course, release.secrets()) == []
    names = {path.name for path in course.rglob("*")}
    assert not names & {"solutions.toml", "teach.md", "tests", "tools", ".git"}
    for path in (course / "data/coursework").rglob("checks.py"):
        text = path.read_text(encoding="utf-8")
        assert "Check(" not in text and "import numpy" not in text
    one = kernel(
        SETUP,
        "from helpers.coursework import catalogue\n"
        "assert not any(e.solution or e.why or e.variants for u in catalogue.units()"
        " for e in catalogue.exercises(u).values())",
        "import tools",
        "import tests",
        "import os\nassert not {k for k in os.environ if 'VIRTUAL' in k or 'JPY' in k}",
    )
    assert [(n, kind) for n, (kind, _, _) in one.failed.items()] == [
        (3, "ModuleNotFoundError"),
        (4, "ModuleNotFoundError"),
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a subreaper")
def test_a_process_that_hides_in_a_session_of_its_own_is_ended():
    session.adopt_orphans()
    ours = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    )  # as a browser of other tests is
    kept = session.children()
    code = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
    code += "print(os.getpid(), flush=True)\ntime.sleep(1000)"
    done = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    hidden = int(done.stdout.readline())
    done.wait()
    os.kill(hidden, 0)  # it is there
    session.end_orphans(kept)
    with pytest.raises(ProcessLookupError):
        os.kill(hidden, 0)
    assert ours.pid in kept and ours.poll() is None
    ours.communicate(b"\n")
    assert ours.returncode == 0


# ---- the folder ----------------------------------------------------------------------------------


def kept_and_refused(folder):
    """What is read of each submission: its cells by unit, and what is said of the rest."""
    found = {}
    for name, handed in submissions.find(folder).items():
        counted, refused = submissions.read(handed)
        cells = {unit: book.cells[1:-1] for unit, (book, _) in counted.items()}
        found[name] = (cells, " ".join(refused))
    return found


def test_every_form_in_which_notebooks_come_is_read(tmp_path):
    text = notebook(RIGHT)
    (tmp_path / "plain.ipynb").write_text(text, encoding="utf-8")
    (tmp_path / "bom.ipynb").write_text(text, encoding="utf-8-sig")
    (tmp_path / "powershell.ipynb").write_text(text, encoding="utf-16")
    (tmp_path / "LOUD.IPYNB").write_text(text, encoding="utf-8")
    (tmp_path / "mail.ipynb.txt").write_text(text, encoding="utf-8")
    (tmp_path / "old.ipynb").write_text(of_version_3(), encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("handed_in/00_start_here.ipynb", text)
        archive.writestr("handed_in/tone.wav", b"RIFF")
        archive.writestr("__MACOSX/handed_in/._00_start_here.ipynb", b"\x00")
    sound = [{"output_type": "display_data", "metadata": {}, "data": {"text/html": "A" * 2**25}}]
    (tmp_path / "large.ipynb").write_text(notebook(RIGHT, outputs=sound), encoding="utf-8")
    assert (tmp_path / "large.ipynb").stat().st_size > 90_000_000
    folder = tmp_path / "in a folder"
    folder.mkdir()
    shutil.copy(tmp_path / "zipped.zip", folder)
    expected = {"00": [RIGHT]}
    found = kept_and_refused(tmp_path)
    assert len(found) == 9 and set(found) >= {"LOUD", "mail", "zipped", "in a folder"}
    assert {name: what for name, what in found.items() if what != (expected, "")} == {}
    counted, _ = submissions.read(submissions.find(tmp_path)["zipped"])
    assert counted["00"][0].beside == {"tone.wav": b"RIFF"}


def of_version_3():
    """A notebook in the form of 2013, with worksheets."""
    code = [SETUP, RIGHT, CHECKS]
    cells = [{"cell_type": "code", "input": c, "outputs": [], "language": "python"} for c in code]
    sheet = {"cells": cells, "metadata": {}}
    book = {"worksheets": [sheet], "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0}
    return json.dumps(book)


def test_what_cannot_be_read_is_a_row_that_says_what_to_do(pupils):
    says = {
        "text.ipynb": (b"not json", "its JSON breaks off in line 1; open it in Jupyter"),
        "merge.ipynb": (b'{"cells": [\n<<<<<<< HEAD\n', "git left a conflict"),
        "bytes.ipynb": (b"\xff\xfe\x00", "it is no notebook; open it in Jupyter"),
        "list.ipynb": (b"[]", "it is JSON, but no notebook"),
        "deep.ipynb": (b"[" * 10**6, "it is no notebook"),
        "packed.ipynb": (b"PK\x03\x04", "ZIP archive with the name of a notebook; call it .zip"),
        "eve.py": (b"x = 1", "a Python script; ask for the notebook"),
        "page.html": (b"<p>", "ask for the notebook itself"),
        "work.7z": (b"7z", "pack it as .zip"),
        "progress.json": (b"{}", "move it into one"),
        "broken.zip": (b"PK\x03\x04", "damaged archive"),
        "other.ipynb": (notebook("x", checks="x").encode(), "its name is that of no unit"),
    }
    for name, (content, _) in says.items():
        (pupils.folder / name).write_bytes(content)
    with zipfile.ZipFile(pupils.folder / "class.zip", "w") as archive:
        for learner in ("ada", "bob"):
            archive.writestr(f"{learner}/00_start_here.ipynb", notebook(RIGHT))
    with zipfile.ZipFile(pupils.folder / "none.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    (pupils.folder / "empty").mkdir()
    (pupils.folder / "script").mkdir()
    (pupils.folder / "script" / "eve.py").write_text("x = 1", encoding="utf-8")
    (pupils.folder / ".DS_Store").write_bytes(b"x")
    (pupils.folder / "thief").mkdir()
    (pupils.folder / "thief" / "00_start_here.ipynb").symlink_to(pupils.home)
    says |= {"class.zip": (b"", "work of several learners (2 folders); unpack it")}
    says |= {"none.zip": (b"", "holds no notebook"), "empty": (b"", "No notebook was found.")}
    says |= {"script": (b"", "There is: eve.py. Ask for the notebook"), "thief": (b"", "")}
    rows = pupils.grade("--names")
    assert {row["verdict"] for row in rows.values()} == {"not read"}
    assert {name for name, _ in rows} == {Path(name).stem for name in says}
    for name, (_, words) in says.items():
        assert words in rows[Path(name).stem, ""]["reason"], name


def test_of_two_copies_the_newer_counts_and_the_row_names_both(pupils):
    old = pupils.hand_in("ada", RIGHT, SWAP)
    new = old.with_name("00_start_here-Copy1.ipynb")
    new.write_text(notebook(SWAP), encoding="utf-8")
    os.utime(old, (1e9, 1e9))

    def counts():
        ((book, others),) = submissions.read(submissions.find(pupils.folder)["ada"])[0].values()
        return book.handed.name, others

    assert counts() == (new.name, [old.name])
    rows = pupils.grade("--names")
    assert rows["ada", "00.half"]["reason"] == (
        f"No cell defines halve_level. (Graded: {new.name}; also there: {old.name}.)"
    )
    os.utime(new, (1e9, 1e9))  # as after unpacking: then what is not called a copy
    assert counts() == (old.name, [new.name])
    new.write_bytes(old.read_bytes())  # the same twice is one
    assert counts()[1] == []


def test_files_beside_a_notebook_are_there_for_it_and_nothing_of_them_changes(pupils):
    path = pupils.hand_in("ada", "import mine\ndef halve_level(y):\n    return mine.half * y")
    (path.parent / "mine.py").write_text("half = 0.5", encoding="utf-8")
    assert pupils.grade("--names")["ada", "00.half"]["verdict"] == "correct"
    assert sorted(p.name for p in path.parent.iterdir()) == ["00_start_here.ipynb", "mine.py"]


# ---- the table -----------------------------------------------------------------------------------


def test_pseudonyms_are_stable_with_the_salt_and_names_are_nowhere(pupils):
    raises = "def halve_level(y):\n    raise ValueError('ADA lovelace was here, ada_lovelace too')"
    (pupils.folder / "Ada Lovelace").mkdir()
    (pupils.folder / "Ada Lovelace" / "00_ada.ipynb").write_text(notebook(raises), encoding="utf-8")
    (pupils.folder / "Ada Lovelace" / "lovelace.ipynb").write_text("x", encoding="utf-8")
    salt = pupils.home / "salt"
    first = pupils.grade("--salt", str(salt))
    assert any("[name] was here, [name] too" in row["reason"] for row in first.values())
    (pupils.folder / "Ada Lovelace" / "00_ada.ipynb").unlink()
    second = pupils.grade("--salt", str(salt))
    other = pupils.grade()
    assert {key[0] for key in first} == {key[0] for key in second} != {key[0] for key in other}
    for table in pupils.home.glob("*.csv"):
        text = table.read_text(encoding="utf-8").lower()
        assert "lovelace" not in text and "ada" not in text.replace("[name]", "")
    assert salt.stat().st_mode & 0o077 == 0
    assert all(key[0].startswith("s-") for key in first)


NAMES = ("Ray", "Sam", "Eve", "Tim", "Ari", "Art", "Val", "Lea", "Ted", "Ron", "In", "An", "The")


@pytest.mark.parametrize("name", NAMES)
def test_a_pseudonym_garbles_no_word_of_the_course(name):
    """What the course says is never searched; what a submission said loses whole words only."""
    hide = grade.hider(name, "s-0123456789")
    low = name.lower()
    assert hide(f"x{low} {low}x {name} ({low}_{name})") == f"x{low} {low}x [name] ([name]_[name])"
    reply = {"error": ["ValueError"], "text": f"{name} array", "line": [3, 2, f"{low} = array"]}
    assert str(grade.error_from(reply, hide)) == (
        "[name] array (Cell In[3], line 2: [name] = array)"
    )
    changed = checking.Trial(checking.Probe((), ""), value=1.0, changed=True)
    says = catalogue.checks("00")["00.half"].judge(len, [changed], {}).says
    assert says == catalogue.exercise("00.half").check(spoils).says


def spoils(y):
    """A function that changes the array it is given."""
    y[...] = 0
    return y


def test_names_are_shown_as_they_are_where_that_is_asked_for():
    assert grade.hider("Ray", "Ray")("Ray's array") == "Ray's array"
    assert grade.hider("---", "s-1")("a --- b") == "a --- b"


def test_a_table_is_never_written_over(pupils, tmp_path):
    pupils.hand_in("ada", RIGHT)
    table = tmp_path / "marks.csv"
    table.write_text("mine", encoding="utf-8")
    assert "exists" in grade.main([str(pupils.folder), "--csv", str(table)])
    assert table.read_text(encoding="utf-8") == "mine"


def test_a_name_or_a_reason_is_no_formula(pupils):
    (pupils.folder / "=1+1").mkdir()
    assert {name for name, _ in pupils.grade("--names")} == {"'=1+1"}
    assert grade.safe("@x\ny") == "'@x y"


def test_missing_units_are_listed_when_asked_for_and_quizzes_say_where_they_come_from(pupils):
    path = pupils.hand_in("ada", RIGHT)
    path.unlink()
    quiz = {"00": {"safe": {"tried": [1]}, "dbfs": {"tried": [2, 0]}}}
    state = {"version": 1, "exercises": {}, "quizzes": quiz, "predictions": {}}
    (path.parent / "progress.json").write_text(json.dumps(state), encoding="utf-8-sig")
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
    inside = Path(np.__file__).parent
    assert "Move it elsewhere" in grade.main([str(inside), "--csv", str(tmp_path / "x.csv")])


# ---- the wire ------------------------------------------------------------------------------------


def test_what_the_grader_unpacks_is_numbers_and_never_code():
    for value in (
        None,
        True,
        3,
        -(10**40),
        2.5,
        2 - 3j,
        np.arange(6.0).reshape(2, 3),
        np.arange(3, dtype=">i2"),
        np.float16([1, np.nan]),
        np.float32(1.5),
        [1.0, (2, np.zeros(2))],
        {"rate": 8000, "y": np.zeros(2)},
        {(4, 7, -2): [(0, 10), (1, 30)], (9, 9, 1): []},
        1j * np.ones(2),
        np.array([1.5, 2], dtype=object),
    ):
        back = values.unpack(json.loads(json.dumps(values.pack(value, None))), None)
        assert type(back) is type(value)
        np.testing.assert_equal(back, value)
    for form in (
        {"k": "array", "d": "|O8", "s": [1], "v": ""},
        {"k": "array", "d": "<f8", "s": [10**12], "v": ""},
        {"k": "texts", "s": [10**12]},
        {"k": "objects", "s": [-1], "v": None},
    ):
        with pytest.raises(ValueError):
            values.unpack(form, None)
    thing = values.unpack({"k": "other", "v": "__import__('os')"}, None)
    assert type(thing).__name__ == "__import__os"


def test_what_turns_into_an_array_in_a_notebook_does_so_here():
    back = values.unpack(values.pack(range(3), None), None)
    assert type(back).__name__ == "range" and np.asarray(back).tolist() == [0, 1, 2]
    words = values.unpack(values.pack(np.array(["a", "b"]), None), None)
    assert words.dtype.kind == "U" and words.shape == (2,)


# ---- how long it takes ---------------------------------------------------------------------------


@pytest.mark.nightly
def test_thirty_copies_of_a_unit_get_their_points_and_the_time_is_told(pupils, capsys):
    (pupils.folder / "01").mkdir()
    keys = solved_in(pupils.folder / "01", "10")
    for number in range(2, 31):
        shutil.copytree(pupils.folder / "01", pupils.folder / f"{number:02d}")
    start = time.monotonic()
    rows = pupils.grade("--names", "--jobs", "2")
    took = time.monotonic() - start
    with capsys.disabled():
        print(f"\n30 copies of unit 10, two at once: {took:.0f} s")
    assert len(rows) == 30 * len(keys) and {row["points"] for row in rows.values()} == {"1"}
