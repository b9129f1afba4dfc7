"""Numbers of units, wherever they stand: who is named exists, and a link says where it leads."""

import re
import subprocess

import pytest

from helpers.coursework import catalogue
from tools import notebooks

ROOT = notebooks.ROOT
BOOKS = {path.name[:2]: path for path in notebooks.paths()}
PLANNED = {number for part in catalogue.parts() for number in part.to_come}
KEYS = {
    item["key"]
    for n in catalogue.units()
    for kind in ("exercise", "predict")
    for item in catalogue.unit(n)[kind]
}
# These speak of the numbers of the first edition.
OF_OLD = (
    "CHANGELOG.md",
    "helpers/coursework/catalogue.py",
    "helpers/coursework/store.py",
    "tests/progress_first_edition.json",
    "tests/test_coursework_store.py",
    "tests/test_grade.py",
    "tests/test_numbers.py",
)
TEXT = (".py", ".md", ".toml", ".ipynb", ".js", ".mjs", ".bib", ".yml", ".cff", ".txt")


def text_of(path):
    """The text of a file; of a notebook that of its cells and what they print, without pictures."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = notebooks.read(path)["cells"]
    parts = [notebooks.source(cell) for cell in cells]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    parts += ["".join(output.get("text", "")) for output in outputs]
    data = [output.get("data", {}) for output in outputs]
    parts += ["".join(words) for d in data for kind, words in d.items() if kind.startswith("text/")]
    return "\n".join(parts)


def everything():
    """Every text of the repository by its path, but for those that speak of old numbers."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a clone")
    names = [name for name in done.stdout.split("\0") if name.endswith(TEXT) and name not in OF_OLD]
    return {name: text_of(ROOT / name) for name in names if (ROOT / name).is_file()}


TEXTS = everything()


def found(pattern, *, within=""):
    """Every match in every text, with the name of the file."""
    for name, words in TEXTS.items():
        if name.startswith(within):
            for match in re.finditer(pattern, words):
                yield name, match


def test_every_notebook_that_is_named_has_that_number():
    numbers = {path.stem[3:]: number for number, path in BOOKS.items()}
    stems = "|".join(sorted(numbers, key=len, reverse=True))
    seen = list(found(rf"(\d\d)_({stems})(?![a-z_])"))
    assert len(seen) > 150
    assert [(name, m[0]) for name, m in seen if numbers[m[2]] != m[1]] == []


def test_what_a_link_to_a_unit_says_is_its_number():
    seen = list(
        found(r"\[(?:[Uu]nits?\s(?:> )?)?(\d\d)(?: [^\]]*)?\]\((?:\.\./)*(?:notebooks/)?(\d\d)_")
    )
    assert len(seen) > 60
    assert [(name, m[0]) for name, m in seen if m[1] != m[2]] == []


NUMBER = r"\d\d(?!\d|\.\d)"
NAMED = rf"(?i)(?<![a-z_])units?\s(?:> )?({NUMBER}(?:(?:, and | and |, | to | or ){NUMBER})*)"


def test_every_unit_that_is_named_exists_or_is_planned():
    seen = [
        (name, m[0], number) for name, m in found(NAMED) for number in re.findall(r"\d\d", m[1])
    ]
    assert len(seen) > 250
    known = BOOKS.keys() | PLANNED
    assert [entry for entry in seen if entry[2] not in known] == []


def test_a_unit_names_only_units_that_exist():
    """What is planned has no number in a lesson, until it is there to be read."""
    lessons = [*found(NAMED, within="notebooks/"), *found(NAMED, within="data/coursework/")]
    seen = [(name, m[0], number) for name, m in lessons for number in re.findall(r"\d\d", m[1])]
    assert [entry for entry in seen if entry[2] not in BOOKS] == []


def test_every_key_is_one_of_todays():
    names = {key[3:] for key in KEYS}
    seen = [
        (name, m[1]) for name, m in found(r"[\"'`](\d\d\.[a-z][a-z_]*)[\"'`]") if m[1][3:] in names
    ]
    assert len(seen) > 400
    assert [entry for entry in seen if entry[1] not in KEYS] == []


def captions(number, word):
    """The numbers of a unit's figures, tables or exercises, in order."""
    return re.findall(rf"\*\*{word} (\d+\.\d+)\.", text_of(BOOKS[number]))


@pytest.mark.parametrize("number", BOOKS)
def test_figures_and_exercises_are_counted_under_their_unit(number):
    for word in ("Figure", "Exercise"):
        counted = captions(number, word)
        assert counted == [f"{int(number)}.{k}" for k in range(1, len(counted) + 1)]


def test_every_figure_and_exercise_that_is_named_exists():
    there = {
        f"{word} {number}"
        for n in BOOKS
        for word in ("Figure", "Exercise")
        for number in captions(n, word)
    }
    for folder in ("notebooks/", "data/coursework/", "tools/site/pages/", "README.md"):
        for name, m in found(
            r"\b([Ff]igure|[Ee]xercise)s?\s(\d+\.\d+)(?: (?:and|to) (\d+\.\d+))?", within=folder
        ):
            for number in filter(None, m.groups()[1:]):
                assert f"{m[1].capitalize()} {number}" in there, f"{name}: {m[0]}"


def test_the_first_digit_is_the_part():
    assert [part.digit for part in catalogue.parts()] == list("012345")
    for part in catalogue.parts():
        assert all(number[0] == part.digit for number in (*part.units, *part.to_come))
    for number, path in BOOKS.items():
        line = notebooks.source(notebooks.read(path)["cells"][0]).split("\n\n")[2]
        part = catalogue.parts()[int(number[0])]
        assert line.startswith(f"Part {part.digit}, {part.name} · ") or number == "00"


def test_titles_of_the_coursework_are_the_notebooks():
    for number, path in BOOKS.items():
        assert notebooks.heading(notebooks.read(path))[0] == catalogue.unit(number)["title"]
