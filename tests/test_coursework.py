"""Exercises: what passes, what fails, and with which words. Nothing here knows how a check works
inside.
"""

import ast
import copy
import html
import json
import linecache
import re
import shutil
import signal
import threading

import numpy as np
import pytest

from helpers import coursework
from helpers.coursework import catalogue, checking, store
from tests import pages

EXERCISES = {
    key: e
    for number in catalogue.units()
    for key, e in catalogue.exercises(number).items()
    if pages.runs_here(e)
}
each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
# exercises that many answers solve: what is asked for are goals, and no values
OPEN = {key: e for key, e in EXERCISES.items() if catalogue.checks(e.unit)[key].goals}
CLOSED = {key: e for key, e in EXERCISES.items() if key not in OPEN}


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """Keep the progress of each test in a file of its own."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(store, "_waiting", [])


def function(source, name=None):
    """Return the (last) function that `source` defines, as a notebook cell with numpy and math
    would.
    """
    space = pages.space()
    exec(compile(source, "<cell>", "exec"), space)
    return space[
        name or [n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)][-1]
    ]


# ---------------------------------------------------------------- the four kinds of answers


@each
def test_solution_and_variants_are_correct_and_say_why(exercise):
    assert exercise.solution and exercise.variants
    for source in (exercise.solution, *exercise.variants):
        result = exercise.check(function(source))
        assert (result.outcome, result.says) == ("correct", exercise.texts["right"]), source


@each
def test_starter_runs_and_is_not_attempted(exercise):
    assert exercise.check(function(exercise.starter)).outcome == "not attempted"
    first_line = exercise.starter.splitlines()[0]
    for body in (
        "return ...",
        "return None",
        "pass",
        '"""Words."""',
        "raise NotImplementedError",
        "...",
    ):
        assert exercise.check(function(f"{first_line}\n    {body}")).outcome == "not attempted", (
            body
        )


@each
def test_starter_and_solution_have_the_same_signature(exercise):
    heads = {
        source.splitlines()[0]
        for source in (exercise.starter, exercise.solution, *exercise.variants)
    }
    assert len(heads) == 1


SLIPS = [
    (e, name, model)
    for e in EXERCISES.values()
    for name, model in catalogue.checks(e.unit)[e.key].slips
]


@pytest.mark.parametrize(
    ("exercise", "name", "model"), SLIPS, ids=[f"{e.key}-{name}" for e, name, _ in SLIPS]
)
def test_a_slip_gets_its_own_text_and_no_other(exercise, name, model):
    assert exercise.check(model) == checking.Result("not yet", exercise.texts[name])


@each
def test_three_or_more_slips_with_a_text_each_and_two_or_three_hints(exercise):
    names = [name for name, _ in catalogue.checks(exercise.unit)[exercise.key].slips]
    assert len(names) >= 3
    assert set(names) | {"right"} == set(exercise.texts)
    assert len(set(exercise.texts.values())) == len(exercise.texts)
    assert 2 <= len(exercise.hints) <= 3


class Returns(ast.NodeTransformer):
    """Writes something else where a function returns a value; the functions inside it stay as they
    are.
    """

    def __init__(self, change):
        self.change, self.outermost = change, True

    def visit_FunctionDef(self, node):
        if self.outermost:
            self.outermost = False
            self.generic_visit(node)
        return node

    def visit_Return(self, node):
        return (
            ast.parse(f"def f():\n    {self.change.format(ast.unparse(node.value))}")
            .body[0]
            .body[0]
        )


def in_form(source, change):
    """Return a solution that hands over its value in another form."""
    tree = ast.parse(source)
    tree.body[-1] = Returns(change).visit(tree.body[-1])
    return ast.unparse(ast.fix_missing_locations(tree))


FORMS = {  # what people write about a right value that makes it none, and what they hear
    "the return forgotten": ("answer = {}", "returns None"),
    "printed, not returned": ("print({})", "returns None"),
    "a list": ("return np.atleast_1d({}).tolist()", "returns a list"),
    "a pair": ("return ({}, 0.5)", "returns a tuple"),
    "text": ("return str({})", "returns a str"),
}


@each
@pytest.mark.parametrize("form", FORMS)
def test_a_right_value_in_a_wrong_form_is_told_apart_from_a_wrong_one(exercise, form):
    change, says = FORMS[form]
    result = exercise.check(function(in_form(exercise.solution, change)))
    assert result.outcome == "not yet"
    assert says in result.says


# as learners write them: what no model of a slip holds, or another way to the same slip
WRITTEN = [
    ("00.half", "y - 6.02", "subtracts a fixed number"),
    ("00.half", "y - 0.5", "subtracts a fixed number"),
    ("00.half", "y / 6.02", "divides by the number of decibels"),
    ("00.swap_sides", "y", "returns its input"),
    ("00.swap_sides", "[y[1], y[0]]", "NumPy array"),
    (
        "10.level",
        "-3.01 if y.ndim == 1 else np.full(len(y), -3.01)",
        "same number whatever goes in",
    ),
    ("10.alias", "abs(sr - freq)", "below sr / 2 stays where it is"),
    ("10.alias", "freq if freq <= sr / 2 else abs(sr - freq)", "further folds"),
    ("10.alias", "freq", "returns its input"),
    ("11.make_up", "quiet - quiet[freqs == 1000]", "shape of one contour"),
    ("12.semitones", "np.full(np.shape(low), 12.0)", "same number whatever goes in"),
]


@pytest.mark.parametrize(
    ("key", "value", "says"), WRITTEN, ids=[f"{key}-{value}" for key, value, _ in WRITTEN]
)
def test_what_learners_write_is_recognised_by_its_numbers(key, value, says):
    head = EXERCISES[key].starter.splitlines()[0]
    result = EXERCISES[key].check(function(f"{head}\n    return {value}"))
    assert result.outcome == "not yet"
    assert says in result.says


# ---------------------------------------------------------------- cheap tricks

TRICKS = {
    "zeros": lambda out, args: np.zeros_like(np.asarray(out, float)),
    "NaN": lambda out, args: np.asarray(out, float) * np.nan,
    "the input echoed": lambda out, args: args[0],
    "a constant": lambda out, args: np.full(np.shape(out), 0.5),
    "one number for everything": lambda out, args: 0.25,
    "an axis too many": lambda out, args: np.asarray(out)[..., None],
    "an axis too few": lambda out, args: np.asarray(out).sum() if np.ndim(out) else [out],
    "text": lambda out, args: "0.5",
    "the other sort of number": lambda out, args: (
        np.real(out) if np.iscomplexobj(out) else np.asarray(out) + 0j
    ),
    "a truth value": lambda out, args: np.asarray(out) > 0,
    "a list in a list": lambda out, args: [[out]],
    "a generator": lambda out, args: (x for x in np.ravel(out)),
    "infinity": lambda out, args: np.asarray(out, float) + np.inf,
    "turned round in time": lambda out, args: np.asarray(out)[..., ::-1] if np.ndim(out) else -out,
    "one sample off": lambda out, args: np.roll(out, 1) if np.ndim(out) else out + 1,
    "a class of one's own": lambda out, args: type(
        "Mine", (), {"__array__": lambda self, *a, **k: 1 / 0}
    )(),
}


# a change that an open exercise may take for what it is: another good answer
STILL_GOOD = {
    ("32.clean", "one sample off"): "a mask one frame later removes nearly as much",
    ("40.speech", "one sample off"): "a decision one frame later is wrong in few frames",
}


@each
@pytest.mark.parametrize("trick", TRICKS)
def test_cheap_trick_fails(exercise, trick):
    if (exercise.key, trick) in STILL_GOOD:
        return
    solve = function(exercise.solution)
    result = exercise.check(lambda *args, **kwargs: TRICKS[trick](solve(*args, **kwargs), args))
    assert result.outcome == "not yet"


@each
def test_right_answer_that_changes_its_argument_fails(exercise):
    solve = function(exercise.solution)

    def destructive(first, *rest, **kwargs):
        out = copy.deepcopy(solve(first, *rest, **kwargs))
        first[..., 0] = 0.123
        return out

    result = exercise.check(destructive)
    given = catalogue.checks(exercise.unit)[exercise.key].probes()[0].args[0]
    if not isinstance(given, np.ndarray):  # nobody can write into a number
        assert "TypeError" in result.says
    else:
        assert "changes the array it is given" in result.says
    assert result.outcome == "not yet"


@each
def test_not_a_function(exercise):
    for thing in (None, 3.0, "level", np.zeros(3)):
        result = exercise.check(thing)
        assert result.outcome == "not yet"
        assert "without brackets" in result.says


# ---------------------------------------------------------------- mutated solutions

SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
}
CALLS = {
    "min": "max",
    "mean": "sum",
    "square": "abs",
    "sqrt": "abs",
    "log10": "log",
    "log": "log10",
    "abs": "negative",
}
CALLS |= {"round": "floor", "sign": "abs", "clip": "clip"}


def rewritten(key, old, new):
    """Return the solution of an exercise with one change, as a mutation would write it."""
    return ast.unparse(ast.parse(EXERCISES[key].solution.replace(old, new)))


# "mutated source" -> why it is still right
EQUIVALENT = {
    "t = L - np.arange(2 * L + 1)": "54.kernel: a kernel is its own mirror image",
    "abs(time - s) <= window": "54.fmeasure: a distance does not see a sign",
    "known = truth > 1": "56.rawpitch: no note of a tune is below MIDI number 1",
    "first = C.sum(axis=1)": "56.oti: a sum is a mean times a number",
    "second = D.sum(axis=1)": "56.oti: a sum is a mean times a number",
    "np.abs(truth[known] - guess[known])": "56.rawpitch: a distance does not see a sign",
    "np.log2(f[f > 1])": "56.contour: no voice is as low as 1 Hz",
    "np.roll(second, k) for k in range(13)": "56.oti: twelve semitones up is none",
    "np.zeros((len(bars) - 1, 25))": "57.sheet: a column more than there are chords stays empty",
    "np.where(total > 0, total, 1.01)": "57.hpss: 0 divided by anything is 0",
    "wrong = truth - estimate": "57.sdr: a square does not see a sign",
    "np.where(total > 0, total, 2)": "57.hpss: 0 divided by anything is 0",
    "np.where(silent, 0, total)": "57.masks: what stands there is never looked at",
    "np.where(silent, 2, total)": "57.masks: what stands there is never looked at",
    "np.where(silent, 1.01, total)": "57.masks: what stands there is never looked at",
    "np.abs(k * first - freqs)": "57.init: a distance has no sign",
    "lags = np.arange(2, len(nov))": "52.tempo: a lag of one frame is never in the range",
    "alike * likely, -1)": "52.tempo: any number below the products will do",
    "np.log2(120 / bpm)": "52.tempo: a square does not see a sign",
    "np.exp(-0.505 *": "52.tempo: a choice among lags hardly sees a hundredth of the prior",
    "/ 0.707) ** 2": "52.tempo: a choice among lags hardly sees a hundredth of the prior",
    "np.log2(bpm / 121) / 0.7": "52.tempo: a choice among lags hardly sees where the prior stands",
    "np.log2(bpm / 119) / 0.7": "52.tempo: a choice among lags hardly sees where the prior stands",
    "np.log2(bpm / 121.2) / 0.7": "52.tempo: a choice among lags hardly sees where it stands",
    "np.log2(period / gaps) ** 2": "52.chain: a square does not see a sign",
    "came_from = np.full(len(nov), -2)": "52.chain: any number below 0 says that there is none",
    "if chains[nearest] >= 0": "52.chain: no sum of numbers like these is exactly 0",
    "logits - logits.max(axis=0)[:, None]": "55.contrastive: any number near the largest will do",
    "waiting[0] <= beat - 0.07": "52.measure: no beat lies exactly on the border",
    "(freqs ** 2 - F ** 2) ** 2": "13.envelope: a square does not see a sign",
    "(root_target - root_made) ** 2": "30.loss: a square does not see a sign",
    "(S_clean - S) ** 2": "31.trained: a square does not see a sign",
    "(clean - estimate) ** 2": "31.trained: a square does not see a sign",
    "(target - small(noisy)) ** 2": "36.distil: a square does not see a sign",
    "(book - X[:, None]) ** 2": "37.move: a square does not see a sign",
    "(left - book) ** 2": "37.tokens: a square does not see a sign",
    rewritten("34.reach", "y + np", "y - np"): "a sample less is as good a change as one more",
    rewritten("34.reach", "n // 2", "n // 3"): "a third of the way is far enough from both ends",
    rewritten("35.stride", "1e-5", repr(1e-5 * 1.01)): "any limit between noise and lines will do",
    rewritten("41.own", "takes.mean", "takes.sum"): "a cosine does not see a length",
    rewritten("35.stride", "> 1e-5", ">= 1e-5"): "no bin lies on the limit",
    "range(2, len(signs))": "43.best: sign 2 is the blank, as is sign 0, so nothing jumps to it",
    "np.abs(truth - guessed)": "51.error: an absolute value does not see a sign",
    "range(0, rows)": "51.accumulate: what begins in the first row stays infinite",
    "range(0, cols)": "51.accumulate: what begins in the first column stays infinite",
    rewritten("51.tempo", "1e-9", repr(1e-9 * 1.01)): "any end a hair beyond the last beat will do",
}


def mutations(tree):
    """Yield (place, replacement) for every single change: constants, signs, operators, comparisons,
    calls.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            for value in (node.value + 1, node.value - 1, node.value * 1.01):
                if value != node.value:  # 1.01 times 0 is 0
                    yield node, {"value": value}
        elif isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
            yield node, {"op": SWAPS[type(node.op)]()}
            yield node, {"left": node.right, "right": node.left}
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            yield node, {"ops": [SWAPS[type(node.ops[0])]()]}
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield node, {"op": ast.UAdd()}
        elif isinstance(node, ast.Attribute) and CALLS.get(node.attr, node.attr) != node.attr:
            yield node, {"attr": CALLS[node.attr]}
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
        ):
            yield node.func, {"id": CALLS[node.func.id]}


def mutants(source):
    """Yield every mutated source, without those that only swap the sides of a commutative
    operation.
    """
    tree = ast.parse(source)
    for node, change in mutations(tree):
        if "left" in change and isinstance(node.op, (ast.Add, ast.Mult)):
            continue
        before = {name: getattr(node, name) for name in change}
        for name, value in change.items():
            setattr(node, name, value)
        yield ast.unparse(tree)
        for name, value in before.items():
            setattr(node, name, value)


@pytest.mark.parametrize("exercise", OPEN.values(), ids=OPEN)
def test_an_open_exercise_has_answers_that_differ_and_says_in_numbers_what_they_reach(exercise):
    check = catalogue.checks(exercise.unit)[exercise.key]
    made = []
    for source in (exercise.solution, *exercise.variants):
        fn = function(source)
        result = exercise.check(fn)
        fn = check.seen(fn) if hasattr(check, "seen") else fn  # what is read off a network
        assert result.outcome == "correct" and len(result.measured) > 20
        assert result.measured in repr(result) and "Measured: " in result._repr_html_()
        made.append([np.asarray(fn(*copy.deepcopy(probe.args))) for probe in check.probes()])
    apart = [max(np.max(np.abs(x - y)) for x, y in zip(made[0], o, strict=True)) for o in made[1:]]
    assert max(apart) > 1e-3
    assert {name for name, _ in check.goals} == set(exercise.texts) - {"right"}


@pytest.mark.parametrize("exercise", CLOSED.values(), ids=CLOSED)
def test_mutated_solutions_are_noticed(exercise):
    found = list(mutants(exercise.solution))
    survivors = [
        m
        for m in found
        if exercise.check(function(m)).outcome == "correct" and not any(e in m for e in EQUIVALENT)
    ]
    assert len(found) >= 3
    assert not survivors


# ---------------------------------------------------------------- complex numbers

TURN = checking.Check(
    probes=lambda: [checking.Probe((np.array([1, 2j, -1 + 1j]),), "z = [1, 2i, −1 + i]")],
    truth=lambda z: 1j * z,
    slips=(("the other way", lambda z: -1j * z), ("not turned", lambda z: np.abs(z))),
    atol=1e-9,
)
TURNED = {"right": "Yes.", "the other way": "Turned back.", "not turned": "Only lengths."}


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lambda z: z * 1j, "Yes."),
        (lambda z: (z * 1j).astype(np.complex64), "Yes."),
        (lambda z: z / 1j, "Turned back."),
        (np.abs, "Only lengths."),
        (lambda z: z * 2j, "value 0 of your result is 0+2j, and 0+1j would be right"),
        (lambda z: [1j], "a NumPy array of complex numbers is needed"),
        (lambda z: (z * 1j)[:2], "shape (2,)"),
        (lambda z: z, "returns its input as it came"),
        (lambda z: np.full(3, 2j), "the same number whatever goes in"),
    ],
)
def test_complex_results_are_compared_as_such(fn, says):
    assert says in TURN(fn, TURNED).says


# ---------------------------------------------------------------- learners' bugs


def cell(source, name="<ipython-input-7>"):
    """Define a function as IPython does: from a cell whose lines can be looked up."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space = {"np": np}
    exec(compile(source, name, "exec"), space)
    return space["level_dbfs"]


def test_exception_is_reported_with_type_line_and_cause():
    fn = cell("def level_dbfs(y):\n    square = y**2\n    return np.log10(squares)\n")
    result = coursework.check("10.level", fn)
    assert result.outcome == "not yet"
    for part in (
        "NameError",
        "line 3",
        "`return np.log10(squares)`",
        "'squares' is not defined",
        "misspelt",
    ):
        assert part in result.says


def test_exception_inside_numpy_is_placed_in_the_learners_line():
    fn = cell("def level_dbfs(y):\n    return np.mean(y, axis=1)\n")
    result = coursework.check("10.level", fn)
    assert "AxisError in line 2, `return np.mean(y, axis=1)`" in result.says


@pytest.mark.parametrize(
    "body", ["1 / 0", "raise SystemExit", "raise StopIteration", "[][3]", "level_dbfs(y)"]
)
def test_no_exception_escapes(body):
    result = coursework.check("10.level", function(f"def level_dbfs(y):\n    {body}"))
    assert result.outcome == "not yet"


def test_exception_that_cannot_even_be_printed():
    class Bad(Exception):
        def __str__(self):
            raise ValueError("no words")

    def fn(y):
        raise Bad

    assert "Bad" in coursework.check("10.level", fn).says


def test_forgotten_return_is_named():
    result = coursework.check("10.level", function("def level_dbfs(y):\n    np.mean(y**2)"))
    assert result.outcome == "not yet"
    assert "returns None" in result.says


def test_half_filled_starter_is_not_attempted():
    source = "def level_dbfs(y):\n    mean_square = ...\n    return 20 * np.log10(mean_square)"
    assert coursework.check("10.level", function(source)).outcome == "not attempted"


ENDLESS = (
    "while True:\n        pass",
    "while True:\n        try:\n            y = y + 0\n        except Exception:\n            pass",
)


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["", "in the background"])
def interruptions(request):
    """What an interruption does: raise as usual, or nothing, as where a shell has started us in the
    background.
    """
    before = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("loop", ENDLESS)
@pytest.mark.parametrize("alarm", [True, False], ids=["alarm", "no alarm"])
def test_endless_loop_is_stopped(loop, alarm, interruptions, monkeypatch):
    if alarm and not hasattr(signal, "SIGALRM"):
        pytest.skip("this platform has no SIGALRM")
    if not alarm:
        monkeypatch.delattr(signal, "SIGALRM", raising=False)
    monkeypatch.setattr(checking, "SECONDS", 0.2)
    result = coursework.check("10.level", function(f"def level_dbfs(y):\n    {loop}"))
    assert result.outcome == "not yet"
    assert "was stopped" in result.says
    assert signal.getsignal(signal.SIGINT) is interruptions


def test_the_stop_button_stops_and_is_no_time_out(monkeypatch):
    monkeypatch.delattr(signal, "SIGALRM", raising=False)
    monkeypatch.setattr(checking, "SECONDS", 60)
    stop = function(
        "def level_dbfs(y):\n    import _thread\n    _thread.interrupt_main()\n    while True: pass"
    )
    with pytest.raises(KeyboardInterrupt):
        coursework.check("10.level", stop)


def test_the_alarm_is_put_back():
    if not hasattr(signal, "SIGALRM"):
        pytest.skip("this platform has no SIGALRM")
    before = signal.getsignal(signal.SIGALRM)
    coursework.check("10.level", function(EXERCISES["10.level"].solution))
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_check_works_in_another_thread():
    found = []
    solve = function(EXERCISES["10.level"].solution)
    thread = threading.Thread(
        target=lambda: found.append(coursework.check("10.level", solve).outcome)
    )
    thread.start()
    thread.join()
    assert found == ["correct"]


def test_prints_and_warnings_of_a_learner_do_not_reach_the_output(capsys, recwarn):
    coursework.check("10.level", lambda y: print("here") or np.log10(-np.abs(y)).sum())
    assert capsys.readouterr().out == ""
    assert not recwarn.list


@each
def test_a_check_itself_never_warns(exercise, recwarn):
    exercise.check(lambda *args, **kwargs: np.float64(0.123456))
    solve = function(exercise.solution)
    exercise.check(lambda *args, **kwargs: solve(*args, **kwargs) * 0.987654)
    assert not recwarn.list


# ---------------------------------------------------------------- the truth behind the checks


def solved(key):
    return function(EXERCISES[key].solution)


@pytest.mark.parametrize("periods", [1, 7])
def test_level_of_a_sine_is_its_amplitude_less_three_db(periods):
    y = 0.5 * np.sin(2 * np.pi * periods * np.arange(441) / 441)
    assert solved("10.level")(y) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=1e-9)


@pytest.mark.parametrize("sr", [8000, 44100])
def test_alias_has_the_samples_of_the_tone(sr):
    n = np.arange(50)
    for freq in np.random.default_rng(0).uniform(0, 5 * sr, 20):
        lands = solved("10.alias")(freq, sr)
        assert 0 <= lands <= sr / 2
        np.testing.assert_allclose(
            np.cos(2 * np.pi * lands * n / sr), np.cos(2 * np.pi * freq * n / sr), atol=1e-8
        )


@pytest.mark.parametrize("bits", [6, 8, 12])
def test_quantizing_a_full_scale_sine_gives_six_db_a_bit(bits):
    y = np.sin(2 * np.pi * 997 * np.arange(44100) / 44100) * (1 - 2.0 ** (1 - bits))
    error = solved("10.quantize")(y, bits) - y
    snr = 10 * np.log10(np.mean(y**2) / np.mean(error**2))
    assert snr == pytest.approx(6.02 * bits + 1.76, abs=0.35)
    assert len(np.unique(solved("10.quantize")(np.linspace(-2, 2, 99_999), bits))) == 2**bits


def test_mu_law_has_its_inverse():
    y = np.linspace(-1, 1, 201)
    bent = solved("10.mulaw")(y)
    np.testing.assert_allclose(
        np.sign(bent) * np.expm1(np.abs(bent) * np.log(256)) / 255, y, atol=1e-12
    )


NUMBERS = [
    ("−3.01", 20 * np.log10(np.sqrt(0.5))),
    ("−1.51", 10 * np.log10(np.sqrt(0.5))),
    ("−3.92", 20 * np.log10(2 / np.pi)),
    ("2.303", np.log(10)),
    ("0.434", 1 / np.log(10)),
    ("5.545", np.log(256)),
    ("0.07 %", 100 * (np.log(256) / np.log(255) - 1)),
    ("0.24 %", 100 * (2 * 10 ** (-6 / 20) - 1)),
    ("0.2285", np.log(1 + 2.55) / np.log(256)),
    ("12.04 dB", 20 * np.log10(4)),
    ("15.6 dB", 20 * np.log10(6.02)),
    (
        "4.8 dB",
        10 * np.log10(3),
    ),  # rounding to a step has 1/12 of it squared, triangular dither adds 2/12
    ("98.1 dB", 6.02 * 16 + 1.76),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_in_the_texts(text, value):
    everything = "".join(
        path.read_text(encoding="utf-8") for path in catalogue.DATA.glob("*/unit.toml")
    )
    assert text in everything
    digits = text.split()[0].replace("−", "-")
    assert round(value, len(digits.partition(".")[2])) == float(digits)


def test_loudness_in_the_texts_is_that_of_the_standard(root):
    rows = (root / "data" / "tables" / "iso226_contours.csv").read_text().splitlines()
    table = {
        (float(f), float(phon)): float(spl)
        for _, phon, f, spl, _ in (r.split(",") for r in rows if r.startswith("2023,"))
    }
    bass, middle, high = (table[f, 40.0] for f in (100.0, 1000.0, 3150.0))
    texts = catalogue.flat((catalogue.DATA / "10" / "unit.toml").read_text(encoding="utf-8"))
    assert (
        f"a 100 Hz tone of 40 phon needs {bass:.1f} dB of sound pressure, and one at 3150 Hz "
        f"{high:.1f} dB" in texts
    )
    assert f"a tone near 3 kHz needs {middle - high:.1f} dB less" in texts
    assert 28 < bass - high < 30  # "nearly 30 dB more"


# ---------------------------------------------------------------- what a learner sees


@each
def test_texts_are_plain_text_and_markdown_alike(exercise):
    shown = [*exercise.hints, *exercise.texts.values(), exercise.prompt, exercise.why]
    for text in shown:
        outside = "".join(text.split("`")[::2])
        assert text.count("`") % 2 == 0
        assert not set("*<>_") & set(outside), text  # Markdown would take these for something else
        assert "!" not in text


@each
def test_no_feedback_tells_the_answer(exercise):
    for line in set(exercise.solution.splitlines()[2:]) - set(exercise.starter.splitlines()):
        code = line.strip().removeprefix("return ").split(" = ")[-1]
        for name, text in exercise.texts.items():
            assert name == "right" or code not in text


def test_result_shows_the_same_words_in_both_forms():
    result = coursework.check("10.level", lambda y: 0.0)
    assert repr(result).startswith("Not yet. ")
    assert result._repr_markdown_() == f"> **Not yet.** {result.says}"


def test_hints_lie_folded_one_inside_the_other_however_often_the_cell_is_run():
    hints = EXERCISES["10.level"].hints
    pages = [coursework.hint("10.level")._repr_html_() for _ in range(3)]
    assert len(set(pages)) == 1
    depth = 0
    order = []  # (how deep, what) of each summary and each hint
    for part in re.findall(r"<details>|</details>|<summary>(.*?)</summary>|<p>(.*?)</p>", pages[0]):
        order += [(depth, word) for word in part if word]
    opened = re.findall(r"<details[^>]*>", pages[0])
    assert opened == ["<details>"] * len(hints)  # none of them is open
    words = [word for _, word in order]
    assert words[::2] == [f"Hint {k} of {len(hints)}" for k in range(1, len(hints) + 1)]
    assert [re.sub("<.*?>", "`", html.unescape(word)) for word in words[1::2]] == list(hints)
    assert pages[0].endswith("</details>" * len(hints))  # each holds all that come after it


def test_in_a_terminal_each_hint_is_printed_by_its_number():
    for number, words in enumerate(EXERCISES["10.level"].hints, 1):
        said = repr(coursework.hint("10.level", number))
        assert said.startswith(f"Hint {number} of 3. {words}")
        assert ("The next one" in said) == (number < 3)
    with pytest.raises(ValueError, match=r"10\.level has hints 1 to 3"):
        coursework.hint("10.level", 4)


def test_solution_is_folded_and_complete():
    shown = coursework.solution("10.alias")
    page = shown._repr_html_()
    assert page.startswith("<details><summary>")
    assert "return min(rest, sr - rest)" in page
    assert EXERCISES["10.alias"].solution in repr(shown)


def test_copy_without_solutions_still_checks(tmp_path, monkeypatch):
    without = shutil.ignore_patterns("solutions.toml", "teach.md")
    shutil.copytree(catalogue.DATA, tmp_path / "coursework", ignore=without)
    monkeypatch.setattr(catalogue, "DATA", tmp_path / "coursework")
    assert "your teacher has them" in repr(coursework.solution("10.level"))
    assert (
        coursework.check("10.level", function(EXERCISES["10.level"].solution)).outcome == "correct"
    )


@pytest.mark.parametrize(
    "ask",
    [coursework.hint, coursework.solution, coursework.predict, coursework.quiz, coursework.reset],
)
def test_unknown_key_is_refused_with_the_known_ones(ask):
    with pytest.raises(ValueError, match=r"10"):
        ask("10.no_such_key")


def test_output_does_not_depend_on_earlier_work():
    solve = function(EXERCISES["10.level"].solution)
    first = repr(coursework.check("10.level", solve))
    coursework.check("10.level", lambda y: 0.0)
    assert repr(coursework.check("10.level", solve)) == first


# ---------------------------------------------------------------- the notebooks ask what is checked
# here


def code_cells(root, unit):
    """Return the code cells of a unit's notebook."""
    notebook = next((root / "notebooks").glob(f"{unit}_*.ipynb"))
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@each
def test_notebook_holds_the_starter_then_check_hint_and_solution(exercise, root):
    cells = code_cells(root, exercise.unit)
    name = ast.parse(exercise.starter).body[0].name
    wanted = [exercise.starter.strip(), f'coursework.check("{exercise.key}", {name})']
    wanted += [f'coursework.{verb}("{exercise.key}")' for verb in ("hint", "solution")]
    start = cells.index(wanted[0])
    assert cells[start : start + 4] == wanted


@pytest.mark.parametrize("unit", catalogue.units())
def test_notebook_asks_for_every_prediction_and_the_quiz(unit, root):
    cells = code_cells(root, unit)
    keys = [item["key"] for item in catalogue.unit(unit)["predict"]]
    assert [cell for cell in cells if cell.startswith("coursework.predict(")] == [
        f'coursework.predict("{key}")' for key in keys
    ]
    assert f'coursework.quiz("{unit}")' in cells
