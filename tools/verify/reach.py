"""What a change can reach: the tests and the notebooks that `course.py test --changed` runs.

Who depends on whom is read from the files: what a Python file or the code of a notebook imports,
and which other file (a script, a table, a clip, a notebook) it mentions by name. What no file can
tell stands in the tables below.
"""

import ast
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tools import notebooks

ROOT = notebooks.ROOT
CODE = ("helpers", "tools", "tests", "data")  # where Python files lie
# who changes one of these has to run everything
REACH_ALL = """.ci/* .github/* course.py tests/conftest.py tests/browser/conftest.py tests/runs.py
    tests/pages.py tests/nbval.cfg */test.py */reach.py */notebooks.py helpers/__init__.py
    helpers/_checks.py */core.js"""
# these decide what is installed: everything, and also what else runs only at night
REACH_THE_NIGHT = "pyproject.toml tools/pins*.txt */pins*.txt environment.yml postBuild"
# tests that read the whole repository, and are cheap
ALWAYS = """tests/test_layers.py tests/test_notebooks.py tests/test_project.py tests/test_pages.py
    tests/test_coursework.py tests/test_coursework_store.py"""
IN_A_COMMAND = re.compile(r"\b(?:helpers|tools|tests)(?:\.\w+)+")
PROSE = "*.md *.cff LICENSE .gitignore"  # read by the tests of ALWAYS, and the site
SITE = "tests/browser/test_site.py"
OF_THE_SITE = "tools/site/* *.js *.css data/look/* data/badges/* data/references.bib"
UNITS = "tests/browser/test_units.py"
SWEEP = f"{UNITS}::test_every_control_moves_and_every_player_sounds"


@dataclass(frozen=True)
class Selection:
    """Tests as pytest names them, notebooks by name, and the files whose nightly tests run too."""

    everything: bool = False
    tests: frozenset[str] = frozenset()
    notebooks: frozenset[str] = frozenset()
    nightly: frozenset[str] = frozenset()

    def holds(self, path: Path) -> bool:
        """Whether a notebook is to be run."""
        return self.everything or path.stem in self.notebooks

    def __str__(self) -> str:
        """Return it in words."""
        if self.everything:
            return "everything"
        named = (
            (self.notebooks, "notebooks"),
            (self.tests, "tests"),
            (self.nightly, "also at night"),
        )
        return "\n".join(f"{what}: {' '.join(sorted(names)) or 'none'}" for names, what in named)


EVERYTHING = Selection(everything=True)


def matches(name: str, patterns: str) -> bool:
    """Whether a file's path is meant by one of some patterns."""
    return any(fnmatch(name, pattern) for pattern in patterns.split())


def short(path: Path) -> str:
    """Return a path as git writes it."""
    return path.relative_to(ROOT).as_posix()


@cache
def texts() -> dict[str, str]:
    """Return the text of every Python file, and the code of every notebook, by its path."""
    files = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {short(path): path.read_text(encoding="utf-8") for path in files}
    for path in notebooks.paths():
        cells = [cell for cell in notebooks.read(path)["cells"] if cell["cell_type"] == "code"]
        found[short(path)] = "\n".join(map(notebooks.source, cells))
    return found


def named_modules(name: str, text: str) -> set[str]:
    """Return the modules that a text imports, or names in a command or in code for a kernel."""
    package = Path(name).parent.parts
    found = set() if name.startswith("helpers/") else set(IN_A_COMMAND.findall(text))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def files_of(module: str) -> set[str]:
    """Return the files that an import of a module runs: its own and those of its packages."""
    parts, found = module.split("."), set()
    for n in range(1, len(parts) + 1):
        for path in (
            ROOT.joinpath(*parts[:n]).with_suffix(".py"),
            ROOT.joinpath(*parts[:n], "__init__.py"),
        ):
            if path.is_file():
                found.add(short(path))
    return found


@cache
def imported() -> dict[str, set[str]]:
    """Return for each file those that it imports."""
    return {
        name: {file for module in named_modules(name, text) for file in files_of(module)} - {name}
        for name, text in texts().items()
    }


def mentioning(name: str) -> set[str]:
    """Return the files that mention another one by its name without the ending."""
    word = re.compile(rf"(?<![\w]){re.escape(Path(name).stem)}(?![\w])")
    return {file for file, text in texts().items() if word.search(text)}


def unit_of(name: str) -> str:
    """Return the name of the notebook that a file of the coursework belongs to, or nothing."""
    found = re.match(r"data/coursework/(\d\d)/", name)
    return next(
        (path.stem for path in notebooks.paths() if found and path.stem.startswith(found[1])), ""
    )


def reached(changed: set[str]) -> set[str]:
    """Return the changed files and all files that depend on them."""
    found, new = set(changed), set(changed)
    while new:
        users = {file for file, needs in imported().items() if needs & new}
        for name in new:
            if not (name.endswith(".py") or matches(name, PROSE) or unit_of(name)):
                users |= mentioning(name)
            if unit := unit_of(name):
                users.add(f"notebooks/{unit}.ipynb")
        new = users - found
        found |= new
    return found


def about(name: str) -> str:
    """Return the name of the notebook that a test file is about, or nothing."""
    found = re.search(
        r'^(?:NAME|PAGE) = .*?"(\d\d_\w+?)(?:\.ipynb)?"', texts().get(name, ""), re.MULTILINE
    )
    return found[1] if found else ""


def tests_of(notebook: str) -> list[Path]:
    """Return the files of tests about the names that a notebook leaves behind."""
    files = sorted((ROOT / "tests").glob("test_*.py"))
    return [path for path in files if about(short(path)) == notebook]


def nightly_of(test: str, changed: set[str]) -> bool:
    """Whether a change is about what a test tests: itself, or a tool that it imports."""
    tools = {file for file in imported().get(test, ()) if file.startswith("tools/")}
    return bool(changed & (tools | {test})) or (
        test == SITE and any(matches(c, OF_THE_SITE) for c in changed)
    )


def select(changed: set[str]) -> Selection:
    """Return what has to run after a change of some files, named as git names them."""
    if any(matches(name, REACH_THE_NIGHT) for name in changed):
        return Selection(everything=True, nightly=frozenset(tests_among(set(texts()))))
    if any(matches(name, REACH_ALL) for name in changed):
        nightly = {test for test in tests_among(set(texts())) if nightly_of(test, changed)}
        return Selection(everything=True, nightly=frozenset(nightly))
    files = reached(changed)
    tests = tests_among(files)
    tests |= {SITE} if any(matches(c, OF_THE_SITE) for c in changed) else set()
    tests |= {
        test
        for test in texts()
        if test.startswith("tests/js/") and any(c.endswith(".js") for c in changed)
    }
    stems = {Path(name).stem for name in files if name.startswith("notebooks/")}
    stems |= {about(test) for test in tests} - {""}
    nightly = {test for test in tests if nightly_of(test, changed)}
    if UNITS not in changed:  # of the sweep over all notebooks only those that are reached
        tests = (tests - {UNITS}) | {f"{SWEEP}[{stem}]" for stem in stems}
    if changed:
        tests |= set(ALWAYS.split())
    return Selection(tests=frozenset(tests), notebooks=frozenset(stems), nightly=frozenset(nightly))


def tests_among(files: set[str]) -> set[str]:
    """Return the files of tests among some files."""
    return {file for file in files if re.fullmatch(r"tests/(?:\w+/)?test_\w+\.py", file)}


def since(base: str) -> Selection:
    """Return what has to run after all changes since a commit; ValueError where git knows none."""
    if not base.strip("0"):  # so GitHub names what was before a new branch
        return EVERYTHING
    changed = set()
    for command in (["diff", "--name-only", base], ["ls-files", "--others", "--exclude-standard"]):
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(
                f"git cannot say what changed since {base!r}: {done.stderr.strip().splitlines()[0]}"
            )
        changed |= set(done.stdout.splitlines())
    return select(changed)
