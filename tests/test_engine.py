"""Python in a page: what is cut out of notebooks, and the stand-ins for what a page lacks."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat.v4 as v4
import numpy as np
import pytest
import scipy.fft
import scipy.interpolate
import scipy.signal

from helpers import mel
from tools.site.engine import answering, cutting, face, grids, quick, text7, trying, values

ROOT = Path(__file__).parents[1]


def cut(*cells):
    """Return the sources of the stages of a notebook of these cells."""
    nb = v4.new_notebook(cells=[v4.new_code_cell(text) for text in cells])
    return {cell: "\n".join(texts) for cell, texts in cutting.stages(nb).items()}


def test_a_stage_takes_with_it_what_it_needs_and_nothing_else():
    source = cut(
        "%matplotlib inline\nimport numpy as np\nfrom helpers import explore, stft",
        "a = 1\nb = np.zeros(3)\nunused = stft.stft(b)",
        "def inner(x):\n    local = x + a\n    return local",
        "b[0] = 2\nb += 1",
        "plot = unused.T",
        "local = 'another'",
        "@staticmethod\ndef compute(x):\n    return [inner(k) + b for k in range(3)]",
        "explore.stage(compute, title='t')",
    )[7]
    lines = source.splitlines()
    assert lines[0] == "import numpy as np"
    assert {"a = 1", "b = np.zeros(3)", "b[0] = 2", "b += 1", "@staticmethod"} <= set(lines)
    assert "unused" not in source and "plot" not in source and "another" not in source


def test_what_was_made_twice_is_made_twice_in_order():
    source = cut("x = 1", "x = x + 1", "explore.stage(lambda: x)")[2]
    assert source.splitlines() == ["x = 1", "x = x + 1", "explore.stage(lambda: x)"]


def test_what_a_method_fills_is_filled():
    """A list of handles that a loop appends to, and a table that is brought up to date."""
    cells = [
        "handles = []\nother = []\nd = {}",
        "for k in range(3):\n    handles.append(k)\n    d.update({k: 1})",
        "other.append(9)\nlong = len(handles)",
        "explore.stage(print, handles=handles)",
    ]
    source = cut(*cells)[3]
    assert "handles.append(k)" in source and "other" not in source and "long" not in source
    space = {}
    exec(source.rpartition("explore.stage")[0], space)
    assert space["handles"] == [0, 1, 2]


def test_the_stand_ins_for_scipy_are_scipy():
    rng = np.random.default_rng(0)
    for kind in (np.float32, np.float64):
        x = rng.standard_normal((3, 64)).astype(kind)
        for name in ("rfft", "fft"):
            ours, theirs = getattr(face, name)(x), getattr(scipy.fft, name)(x)
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
        D = scipy.fft.rfft(x)
        assert face.irfft(D).dtype == scipy.fft.irfft(D).dtype
        np.testing.assert_allclose(face.irfft(D, 64), x, atol=1e-6)
    windows = [*face.COSINES, "bartlett", ("kaiser", 8.6), ("gaussian", 9.0)]
    for window in windows:
        for periodic in (True, False):
            ours = face.get_window(window, 63, periodic)
            np.testing.assert_allclose(
                ours, scipy.signal.get_window(window, 63, periodic), atol=1e-8
            )
    h = rng.standard_normal(7)
    ours = face.upfirdn(h, np.ones(5), up=3)
    np.testing.assert_allclose(ours, scipy.signal.upfirdn(h, np.ones(5), up=3))
    x = np.sort(rng.uniform(0, 9, 12))
    for shape in ((12,), (12, 4)):
        y = rng.standard_normal(shape)
        at = rng.uniform(-1, 10, 50)
        theirs = scipy.interpolate.CubicSpline(x, y)(at)
        np.testing.assert_allclose(face.CubicSpline(x, y)(at), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n_fft", [200, 400, 1024])
@pytest.mark.parametrize(("n_mels", "fmax"), [(8, 8000), (64, 4000), (128, 8000), (128, 1000)])
@pytest.mark.parametrize("norm", [None, "slaney"])
def test_the_quick_products_of_a_mel_bank_are_the_dense_ones(n_fft, n_mels, fmax, norm):
    how = {"sr": 16000, "n_fft": n_fft, "n_mels": n_mels, "fmax": fmax, "norm": norm}
    weights = mel.filterbank(**how, variant="htk")
    assert quick.sides(weights) is not None
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((n_fft // 2 + 1, 5)), rng.standard_normal((n_mels, 5))
    times, back = quick.products(weights)
    np.testing.assert_allclose(times(X), weights @ X, atol=1e-12)
    np.testing.assert_allclose(back(Y), weights.T @ Y, atol=1e-12)
    M = (weights @ np.abs(X) ** 2).astype(np.float32)
    start = np.maximum(weights.T @ M, 0)
    if weights.any():
        ours, theirs = (solve(weights, M, start, 30) for solve in (quick.nnls, mel._nnls))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9 * theirs.max())


def test_what_is_no_bank_is_multiplied_as_it_is():
    W = np.random.default_rng(0).standard_normal((4, 6))
    assert quick.sides(W) is None
    times, back = quick.products(W)
    np.testing.assert_allclose(times(np.eye(6)), W)
    np.testing.assert_allclose(back(np.eye(4)), W.T)


def test_a_grid_keeps_numbers_to_a_step_and_looks_up_the_nearest_point():
    """Whole numbers are exact, NaN stays, pictures have 255 levels; a page turns it round."""
    y = np.array([3.0, np.nan, -7.0, 60_000.0])
    numbers, low, step = grids.whole(y, None)
    assert (low, step, numbers[1]) == (-7.0, 1.0, grids.NAN)
    np.testing.assert_array_equal(low + step * numbers[[0, 2, 3]].astype(float), y[[0, 2, 3]])
    y = np.random.default_rng(0).uniform(-1, 1, 1000)
    numbers, low, step = grids.whole(y, None)
    assert np.abs(low + step * numbers - y).max() <= 2 / 65534 / 2 * 1.001
    numbers, low, step = grids.whole(y, (-0.5, 0.5))
    assert np.abs(low + step * numbers - y.clip(-0.5, 0.5)).max() <= 1 / 255 / 2 * 1.001
    spec = {
        "handles": [{"name": "n", "low": 0, "high": 12, "step": 1, "log": False}],
        "controls": [{"name": "on", "kind": "toggle"}],
    }
    axes = grids.grid(spec, {"n": 3})
    assert axes == {"n": [0, 3, 6, 9, 12], "on": [False, True]}
    assert spec["handles"][0]["step"] == 3  # so that a handle stops only there
    assert grids.nearest(axes, {"n": 7, "on": True}) == {"n": 6, "on": True}


ASK = """
import json, sys
from tools.site.engine import face, quick, trying
import numpy as np
if sys.argv[1] == "page":
    face.CLIPS.update(trying.clips())
    face.use()
    quick.use()
from tools.site.engine import answering
told = []
for source, requests in json.load(sys.stdin):
    answering.make("one", source)
    for request in requests:
        text, frame = answering.answer("one", json.dumps({"n": 1, "values": request}))
        y = np.frombuffer(frame, "<f4").astype(float)
        told.append([text, y.tolist()])
print(json.dumps(told))
"""


def asked(how, questions):
    """Answers of stages in a process of its own, with the packages or with their stand-ins."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, how],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("unit", ["11", "22", "40", "41"])
def test_the_stages_answer_alike_with_the_packages_and_without(unit):
    """Every handle at its ends and every option of every control; numbers by the course's own
    packages.
    """
    (path,) = (ROOT / "notebooks").glob(f"{unit}_*.ipynb")
    nb = nbformat_read(path)
    sources = ["\n".join(texts) for texts in cutting.stages(nb).values()]
    sources = [source for source in sources if "librosa" not in source]
    assert sources
    describe = """
from tools.site.engine import answering
import json, sys
found = []
for source in json.load(sys.stdin):
    answering.make("one", source)
    made = answering.MADE["one"]
    requests = [dict(made.values)]
    for h in made.spec["handles"]:
        requests += [{**made.values, h["name"]: h[end]} for end in ("low", "high")]
    for c in made.spec["controls"]:
        options = range(len(c["options"])) if c["kind"] == "choice" else ()
        requests += [{**made.values, c["name"]: k} for k in options]
    found.append([source, requests])
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-c", describe],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    questions = json.loads(done.stdout.splitlines()[-1])
    with_packages, without = asked("kernel", questions), asked("page", questions)
    assert len(with_packages) >= 3 * len(sources)
    for (text, y), (other, z) in zip(with_packages, without, strict=True):
        ours, theirs = json.loads(text), json.loads(other)
        assert ours["contents"] == theirs["contents"]
        assert ours["readout"] == theirs["readout"]
        np.testing.assert_allclose(z, y, rtol=1e-3, atol=1e-4 * np.nanmax(np.abs(y), initial=1))


def nbformat_read(path):
    import nbformat

    return nbformat.read(path, as_version=4)


def imported(source):
    """Names of the modules that a source imports, anywhere in it; none of what is no Python."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set()
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    sources = [node for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return names | {node.module for node in sources}


def test_a_page_has_the_standard_library_that_the_course_imports():
    """lean_inside.py runs in Pyodide alone; its list is read here."""
    body = ast.parse((ROOT / "tools/site/engine/lean_inside.py").read_text(encoding="utf-8")).body
    (listed,) = [n for n in body if isinstance(n, ast.Assign) and n.targets[0].id == "LIKELY"]
    kept = set(ast.literal_eval(listed.value).split()) | set(sys.builtin_module_names)
    folders = (ROOT / "helpers", ROOT / "data" / "coursework")
    sources = [path.read_text(encoding="utf-8") for f in folders for path in f.rglob("*.py")]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        sources += [cell.source for cell in nbformat_read(path).cells if cell.cell_type == "code"]
    names = set().union(*map(imported, sources))
    ours = {name for name in names if name.partition(".")[0] in sys.stdlib_module_names}
    assert len(ours) > 20 and ours <= kept, ours - kept


def unpacked(text):
    """Bytes of a text, by the definition: digits to the base of 116, six bytes from seven."""
    digits = [c for c in range(128) if c not in {0, 8, 9, 10, 11, 12, 13, 26, 27, 34, 92, 127}]
    numbers = []
    for at in range(0, len(text), 7):
        number = 0
        for letter in text[at : at + 7]:
            number = number * 116 + digits.index(ord(letter))
        numbers.append(number)
    return b"".join(n.to_bytes(6, "big") for n in numbers[1:])[: numbers[0]]


@pytest.mark.parametrize("size", [0, 1, 5, 6, 7, 500])
def test_seven_characters_hold_six_bytes(size):
    """Whatever the bytes; and JavaScript may hold the text between quotes as it is."""
    rng = np.random.default_rng(size)
    for raw in (rng.bytes(size), bytes(size), b"\xff" * size):
        text = text7.text(raw)
        assert unpacked(text) == raw
        assert len(text) == 7 * (-(-size // 6) + 1)
        assert not set(text) & set('"\\\n\r\0')


# ---- what is handed over ----


@pytest.mark.parametrize("shape", [(30_000,), (2, 30_000)])
def test_a_sound_is_handed_in_steps_and_comes_back(shape):
    y = np.random.default_rng(0).uniform(-0.3, 0.3, shape)
    held = json.loads(json.dumps(values.encoded(y)))
    back = answering.decoded(held)
    assert back.shape == shape and back.dtype == y.dtype
    assert np.abs(back - y).max() < 0.3 * 2**-19
    whole = np.round(32767 * y).astype(np.int16)
    assert np.array_equal(answering.decoded(values.encoded(whole)), whole)
    assert len(held["array"]) < 0.85 * 4 / 3 * 4 * y.size  # noise hardly packs: three of four bytes


def test_what_no_later_text_reads_is_not_handed_over():
    handed = {"b": "b = 2", "S": "S = 3", "k": "k = 5"}
    texts = ["a = 1", handed, "k = 6", "def f(S):\n    return b + S", "f(k)"]
    assert trying.wanted(texts) == ["b = 2", "k = 6", "def f(S):\n    return b + S", "f(k)"]
