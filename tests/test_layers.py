"""The floors of helpers/: imports only go down, what is not needed is not paid for, and rooms stay
small.
"""

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from tools import notebooks

ROOT = Path(__file__).parents[1]
BUDGET = 9765  # lines of code in helpers/ without exercises; 5000 is the goal
HELPERS = ROOT / "helpers"
FLOORS = {
    "ground": """signals audio loudness pitch spectra stft mel phase metrics psychophysics
        music _checks _soundfiles _storage""",
    "learning": "losses settings vocoders recogniser voice training speech _weights",
    "face": "figures diagrams live explore listening experiments coursework _frontend",
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}
BELOW = {"ground": {"ground"}, "learning": {"ground", "learning"}, "face": {"ground", "face"}}
LIBRARIES = {
    "ground": {"numpy", "scipy", "soundfile", "soxr"},
    "learning": {"numpy", "scipy", "torch", "safetensors", "tqdm"},
    "face": {
        "numpy",
        "scipy",
        "matplotlib",
        "ipywidgets",
        "anywidget",
        "traitlets",
        "IPython",
        "PIL",
    },
}
# imported inside a function, where one use pays for it
LAZY = {
    "audio": {"librosa", "pooch"},
    "metrics": {"pesq", "pystoi"},
    "coursework": {"torch"},
    "listening": {"soxr"},
    "vocoders": {"transformers"},
}
# what no notebook imports yet, and why it is public all the same
NOT_YET = {}
# what nothing calls yet: promised to other people's tools, or waiting for units that come
KEPT = """audio.py:example explore/loop.py:Loop explore/loop.py:loop
    coursework/__init__.py:certificate coursework/__init__.py:guess
    coursework/report.py:write_certificate
    loudness.py:sone_to_phon losses/waveform.py:SNR"""


def rooms():
    """Every module and package on the floor of helpers/."""
    return sorted(
        path.stem
        for path in HELPERS.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    )


def sources(room):
    """The files of one room."""
    package = HELPERS / room
    return sorted(package.rglob("*.py")) if package.is_dir() else [HELPERS / f"{room}.py"]


def imports(path):
    """Yield (what, lazily) for each import: a room of helpers as "helpers.room", a library by its
    name.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        id(n)
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
        for n in ast.walk(f)
    }
    package = ("helpers", *path.relative_to(HELPERS).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(
                [*package[: len(package) + 1 - node.level], *filter(None, [node.module])]
            )
            base = base if node.level else node.module
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield (
                ("helpers." + parts[1] if parts[0] == "helpers" and len(parts) > 1 else parts[0]),
                id(node) in lazy,
            )


def test_every_room_stands_on_a_floor():
    """A new room is put into FLOORS by whoever builds it."""
    assert set(rooms()) - {"__init__"} <= set(FLOOR)


@pytest.mark.parametrize("room", [room for room in rooms() if room != "__init__"])
def test_imports_only_go_down(room):
    floor = FLOOR[room]
    for path in sources(room):
        for what, lazily in imports(path):
            if what.startswith("helpers."):
                assert FLOOR[what.removeprefix("helpers.")] in BELOW[floor], (
                    f"{path.name} imports {what}"
                )
            elif what not in sys.stdlib_module_names:
                allowed = LIBRARIES[floor] | (LAZY.get(room, set()) if lazily else set())
                assert what in allowed, f"{path.name} imports {what}"


def loaded_by(*statements):
    """Names of the modules that a fresh Python has loaded after some statements."""
    code = "; ".join(["import sys", *statements, "print(*sys.modules, sep=chr(10))"])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_helpers_imports_nothing_else():
    assert loaded_by("import helpers") - loaded_by("pass") == {"helpers"}


def test_ground_and_face_never_load_torch():
    every = [room for room in rooms() if FLOOR.get(room) in ("ground", "face")]
    loaded = loaded_by(*[f"import helpers.{room}" for room in every])
    assert {f"helpers.{room}" for room in every} <= loaded
    assert "torch" not in loaded


def test_the_ground_loads_neither_figures_nor_widgets():
    loaded = loaded_by(
        *[f"import helpers.{room}" for room in rooms() if FLOOR.get(room) == "ground"]
    )
    assert not loaded & {"matplotlib", "ipywidgets", "anywidget", "IPython", "librosa", "torch"}


DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(path):
    """Lines that do something: neither blank, nor comment, nor docstring."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        return sum(
            bool(line.strip()) and not line.strip().startswith(("//", "/*", "*"))
            for line in text.splitlines()
        )
    quiet = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    tokens = [
        t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in quiet
    ]
    used = {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}
    prose = [
        range(node.body[0].lineno, node.body[0].end_lineno + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None
    ]
    return len(used.difference(*prose))


def imported_by_notebooks():
    """Names of the public rooms that notebooks import."""
    found = set()
    for path in notebooks.paths():
        for cell in notebooks.read(path)["cells"]:
            if cell["cell_type"] == "code":
                for node in ast.walk(ast.parse(notebooks.source(cell))):
                    if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "helpers":
                        names = [alias.name for alias in node.names]
                        found |= {node.module.split(".")[1]} if "." in node.module else set(names)
                    if isinstance(node, ast.Import):
                        parts = [alias.name.split(".") for alias in node.names]
                        found |= {part[1] for part in parts if part[0] == "helpers" and part[1:]}
    return found


def test_what_is_public_is_imported_by_a_notebook_and_what_is_private_says_so():
    public = {room for room in rooms() if not room.startswith("_")}
    assert public - imported_by_notebooks() == set(NOT_YET)


def names_in(tree):
    """Every identifier that a piece of code mentions, but for lists of what a module exports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def called_from_outside():
    """Identifiers in notebooks, in tools, and in the exercises."""
    cells = [cell for path in notebooks.paths() for cell in notebooks.read(path)["cells"]]
    sources = [notebooks.source(cell) for cell in cells if cell["cell_type"] == "code"]
    content = [path for folder in ("tools", "data") for path in (ROOT / folder).rglob("*.py")]
    sources += [path.read_text(encoding="utf-8") for path in content]
    return {name for source in sources for name in names_in(ast.parse(source))}


def unreached():
    """Public functions and classes that nothing reaches from notebooks, tools and exercises."""
    bodies, reached = {}, called_from_outside()
    for path in HELPERS.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                bodies.setdefault(node.name, []).append((path, set(names_in(node))))
            elif "__all__" not in names_in(node):
                reached |= set(names_in(node))  # runs when the module is imported
    waiting = reached & bodies.keys()
    while waiting:
        new = {name for one in waiting for _, inside in bodies[one] for name in inside} - reached
        reached |= new
        waiting = new & bodies.keys()
    return sorted(
        f"{path.relative_to(HELPERS).as_posix()}:{name}"
        for name in bodies.keys() - reached
        if not name.startswith("_")
        for path, _ in bodies[name]
    )


def test_every_public_name_is_called_by_a_notebook_a_tool_or_a_room_that_is():
    assert set(unreached()) <= set(KEPT.split())


def test_the_list_of_rooms_fits_on_one_screen():
    assert len([path for path in HELPERS.iterdir() if path.name != "__pycache__"]) <= 32


def test_small_is_a_feature():
    assert sum(map(code_lines, HELPERS.rglob("*.py"))) < BUDGET
    assert sum(map(code_lines, HELPERS.rglob("*.js"))) < 2345


def test_a_file_has_at_most_250_lines_of_code():
    lengths = {path: code_lines(path) for path in HELPERS.rglob("*.py")}
    assert {path.name: n for path, n in lengths.items() if n > 250} == {}
