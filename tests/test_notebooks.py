"""The contract of a unit, read from its notebook; tests/test_executed.py asks that it runs."""

import ast
import builtins
import copy
import itertools
import json
import os
import re
import subprocess
import symtable
import sys
import sysconfig
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy
import pytest
from matplotlib import font_manager

from helpers import coursework
from helpers.coursework import catalogue
from tools import bootstrap, notebooks
from tools.site import address
from tools.verify import execute, tidy_cells

ROOT = Path(__file__).parents[1]
NOTEBOOKS = notebooks.paths()
REPOSITORY = address.current()


class Unit:
    """A notebook's cells, by kind and by tag."""

    def __init__(self, path):
        self.path, self.number = path, int(path.name[:2])
        self.cells = notebooks.read(path)["cells"]
        self.text = [notebooks.source(cell) for cell in self.cells]
        self.prose = "\n\n".join(self.text[i] for i in self.markdown)

    @property
    def markdown(self):
        """Positions of the cells of text."""
        return [i for i, cell in enumerate(self.cells) if cell["cell_type"] == "markdown"]

    @property
    def code(self):
        """Positions of the cells of code."""
        return [i for i, cell in enumerate(self.cells) if cell["cell_type"] == "code"]

    def tagged(self, *tags):
        """Positions of the cells that wear one of the tags."""
        return [i for i in self.code if set(tags) & set(self.cells[i]["metadata"].get("tags", []))]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def unit(request):
    """Each notebook of the course in turn."""
    return Unit(request.param)


@pytest.fixture
def lesson(unit):
    """Each unit that teaches, which is all but the first."""
    if unit.number == 0:
        pytest.skip("the start page is no lesson")
    return unit


def test_there_are_units():
    assert NOTEBOOKS
    assert [path.name[:2] for path in NOTEBOOKS] == list(catalogue.units())


# ---- what every page has -------------------------------------------------------------------------


def test_the_title_is_the_only_one_and_asks_a_question(unit):
    titles = [
        line for i in unit.markdown for line in unit.text[i].splitlines() if line.startswith("# ")
    ]
    assert len(titles) == 1
    assert unit.text[0].splitlines()[0] == titles[0]
    assert re.fullmatch(rf"# {unit.number:02d} · .+\?", titles[0])


def test_the_badges_open_this_very_page(unit):
    assert unit.text[0].split("\n\n")[1] == address.badges(REPOSITORY, unit.path.name)


def test_objectives_are_three_to_five_things_one_can_see_somebody_do(unit):
    block = re.search(r"You will be able to\*?\*?\n(?:>?\s*\n)*((?:>? *- .*\n?)+)", unit.text[0])
    verbs = re.findall(r"^>? *- \*\*(\w+)\*\*", block[1], re.MULTILINE)
    assert 3 <= len(verbs) <= 5
    assert len(re.findall(r"^>? *- ", block[1], re.MULTILINE)) == len(verbs)
    assert not {"understand", "know", "learn", "appreciate"} & set(verbs)


def test_minutes_and_prerequisites_are_stated(unit):
    assert re.search(r"\b\d+ minutes\b", unit.text[0])
    wanted = r"no prerequisites" if unit.number == 0 else r"after units? \d\d"
    assert re.search(wanted, unit.text[0])


def test_the_first_cell_of_code_fetches_the_course_where_it_is_missing(unit):
    assert unit.tagged("bootstrap") == unit.code[:1]
    assert unit.text[unit.code[0]] == address.bootstrap_source(REPOSITORY)


def test_the_second_cell_of_code_is_the_setup_and_imports_helpers(unit):
    assert unit.tagged("setup") == unit.code[1:2]
    assert re.search(r"^from helpers import ", unit.text[unit.code[1]], re.MULTILINE)


def test_a_page_ends_with_what_to_keep_its_limits_its_sources_and_what_is_next(unit):
    end = "\n\n".join(unit.text[unit.markdown[-1] - 1 :])
    places = [end.find(word) for word in ("**Keep", "**Limits", "**Sources", "**Next")]
    assert -1 not in places and places == sorted(places)


# ---- how a unit teaches --------------------------------------------------------------------------


def test_something_is_heard_or_seen_before_anything_is_defined(unit):
    first = min(unit.tagged("sound", "figure"))
    assert first < min(unit.tagged("definition"))
    assert unit.code.index(first) == 2  # right after bootstrap and setup


def test_a_prediction_is_asked_for_before_the_reveal(unit):
    predictions = unit.tagged("predict")
    assert predictions
    for i in predictions:
        assert unit.cells[i - 1]["cell_type"] == "markdown" and "**Predict.**" in unit.text[i - 1]
        assert re.search(rf'coursework\.predict\("{unit.number:02d}\.', unit.text[i])
        assert set(unit.tagged("reveal", "sound", "figure", "explorable", "definition")) & set(
            range(i + 1, i + 4)
        )
    asked = [i for i in unit.markdown if "**Predict.**" in unit.text[i]]
    assert asked == [i - 1 for i in predictions]


def test_every_figure_has_a_caption_that_makes_a_claim_and_a_description(unit):
    figures = unit.tagged("figure")
    captions = []
    for i in figures:
        caption = re.match(r"\*\*Figure (\d+)\.(\d+)\. (.+?)\*\*", unit.text[i + 1], re.DOTALL)
        assert caption, f"no caption under cell {i}"
        captions.append((int(caption[1]), int(caption[2])))
        assert len(caption[3].split()) >= 5 and caption[3].endswith(".")
        assert re.search(r"\balt=", unit.text[i])
    assert captions == [(unit.number, k + 1) for k in range(len(figures))]
    assert figures


def test_there_is_something_to_move(unit):
    assert any("explore.stage(" in unit.text[i] for i in unit.tagged("explorable"))


def test_the_numbers_are_also_in_words(unit):
    assert re.search(r"\*(In words|In numbers|Sound-free):\*", unit.prose)


def test_definitions_by_hand_are_asserted(unit):
    for i in unit.tagged("definition"):
        assert re.search(r"\bassert", unit.text[i])


def test_the_quiz_is_this_units(unit):
    assert [unit.text[i].strip() for i in unit.tagged("quiz")] == [
        f'coursework.quiz("{unit.number:02d}")'
    ]


def test_each_exercise_is_followed_by_its_check_hint_and_solution(unit):
    for i in unit.tagged("exercise"):
        name = re.search(r"def (\w+)\(", unit.text[i])[1]
        check = re.fullmatch(
            rf'coursework\.check\("({unit.number:02d}\.\w+)", {name}\)', unit.text[i + 1].strip()
        )
        assert check, f"no check of {name}"
        assert unit.text[i + 2].strip() == f'coursework.hint("{check[1]}")'
        assert unit.text[i + 3].strip() == f'coursework.solution("{check[1]}")'
        assert f"**Exercise {unit.number}." in unit.text[i - 1]


def test_a_lesson_has_at_least_two_exercises_and_a_definition(lesson):
    assert len(lesson.tagged("exercise")) >= 2
    assert lesson.tagged("definition")


def test_nothing_plays_but_the_player(unit):
    assert not [
        i
        for i in unit.code
        if re.search(r"\bAudio\(|IPython\.display import .*Audio", unit.text[i])
    ]


# ---- size, links, what is stored -----------------------------------------------------------------


def test_cells_are_short(unit):
    named = tidy_cells.OURS  # the line that names a folded cell is none of its code
    texts = [named.sub("", unit.text[i], count=1) for i in unit.code[1:]]
    lengths = sorted(len([line for line in text.splitlines() if line.strip()]) for text in texts)
    assert lengths[-1] <= 25
    assert lengths[len(lengths) // 2] <= 6
    assert sum(n <= 15 for n in lengths) >= 0.9 * len(lengths)


def names_of(source):
    """The names that a cell makes, arguments and imports among them, and those that it uses."""
    tree = ast.parse(source)
    made, used = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (made if isinstance(node.ctx, ast.Store) else used).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            made.add(node.arg)
    return made, used


def ahead_of_time(sources):
    """Names that stand in a cell above the one that makes them, inside functions too."""
    cells = [names_of(source) for source in sources]
    ever = set().union(*(made for made, _ in cells))
    known = set(dir(builtins))
    early = []
    for made, used in cells:
        early += sorted((used & ever) - known - made)
        known |= made
    return early


def test_nothing_is_used_above_the_cell_that_makes_it(unit):
    """A reader goes from top to bottom, also through functions that are called later."""
    assert ahead_of_time([unit.text[i] for i in unit.code]) == []


def test_what_is_used_too_early_is_seen():
    assert ahead_of_time(["def f():\n    return FLOOR", "FLOOR = 3", "f()"]) == ["FLOOR"]
    assert ahead_of_time(["FLOOR = 3", "def f(x):\n    return x + FLOOR", "f(1)"]) == []


def made_for_all(source):
    """Names that a cell gives to the whole page, not those inside its functions."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned()}


def taken(sources):
    """Names of learners' functions (they return an ellipsis) that another cell makes as well."""
    asked = [source for source in sources if "    return ..." in source]
    others = [source for source in sources if source not in asked]
    ours = set().union(*map(made_for_all, others))
    return sorted(ours & set().union(*map(made_for_all, asked)))


def test_no_cell_takes_the_name_of_an_exercise(unit):
    """Run again, such a cell would put something else into the place of a learner's function."""
    assert taken([unit.text[i] for i in unit.code]) == []


def test_a_name_that_is_taken_is_seen():
    mine = "def loud(y):\n    return ...\n"
    assert taken(["loud = 3", mine, "print(loud)"]) == ["loud"]
    assert taken([mine, "quiet = loud"]) == []


def test_who_asserts_shows_the_numbers(unit):
    """In the cell itself, or in the cell of code right above it."""
    silent = []
    for before, i in itertools.pairwise(unit.code):
        asserts = re.search(r"^\s*(assert |np\.testing\.)", unit.text[i], re.MULTILINE)
        if asserts and not (unit.cells[i]["outputs"] or unit.cells[before]["outputs"]):
            silent.append(unit.text[i])
    assert silent == []


def test_every_character_of_a_picture_has_a_glyph(unit):
    """Stored pictures of players and figures draw their words in DejaVu Sans or Liberation Sans."""
    fonts = [font_manager.findfont(name) for name in ("DejaVu Sans",)]
    known = set().union(*(font_manager.get_font(path).get_charmap() for path in fonts))
    for i in unit.code:
        for output in unit.cells[i]["outputs"]:
            if "image/png" in output.get("data", {}):
                words = "".join(output["data"].get("text/plain", ""))
                assert {c for c in words if c not in "\n" and ord(c) not in known} == set()


def test_stored_outputs_hold_text_and_figures_only(unit):
    assert notebooks.problems(unit.path) == []


def test_the_map_that_unit_00_stores_is_the_map_of_today(tmp_path, monkeypatch):
    """A unit, a chapter or a question more, and it is another one: execute 00 again, at last."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    unit = Unit(next(path for path in NOTEBOOKS if path.name.startswith("00")))
    (place,) = unit.tagged("map")
    (output,) = unit.cells[place]["outputs"]
    stored = "".join(output["data"]["text/html"])
    assert f"You have finished 0 of {len(catalogue.units())} units" in stored
    assert stored == coursework.progress()._repr_html_()


def test_nothing_that_is_not_for_learners_is_in_sight(unit):
    assert tidy_cells.problems(notebooks.read(unit.path), url=REPOSITORY) == []
    assert max(map(len, unit.text[unit.code[0]].splitlines())) <= 72
    assert not [i for i in unit.code if "NBVAL" in unit.text[i]]
    for i in unit.tagged("figure"):
        if unit.cells[i]["metadata"].get("jupyter", {}).get("source_hidden"):
            name = re.match(r"\*\*(Figure \d+\.\d+)\.", unit.text[i + 1])[1]
            assert unit.text[i].splitlines()[0] == f"# How {name} is drawn"


def untidy(*sources):
    """A page of cells that are folded, each with what stands in it and what stands under it."""
    cells = []
    for source, below in sources:
        cell = {"cell_type": "code", "id": "c", "execution_count": 1, "outputs": [{"keep": "me"}]}
        hidden = {"jupyter": {"source_hidden": True}, "tags": ["figure"]}
        cells.append(cell | {"metadata": hidden, "source": notebooks.lines(source)})
        cells.append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": [below]})
    return {"cells": cells, "metadata": {}}


@pytest.mark.parametrize(
    ("source", "below", "first"),
    [
        ("plt.plot(x)", "**Figure 9.1. A claim.**", "# How Figure 9.1 is drawn"),
        ("# Draws x.\nplt.plot(x)", "**Figure 9.1. A claim.**", "# How Figure 9.1 is drawn"),
        ("# How Figure 9.7 is drawn\nx()", "**Figure 9.1. A**", "# How Figure 9.1 is drawn"),
        ("rows = 3", "**Table 9.2. A claim.**", "# How Table 9.2 is made"),
        ("rows = 3", "Text.", "# How this is made: rows"),
        ("# A reason.\nrows = 3", "Text.", "# A reason."),
    ],
)  # fmt: skip
def test_a_folded_cell_is_named_and_keeps_all_else(source, below, first):
    page = untidy((source, below))
    new = tidy_cells.tidy(page, url=REPOSITORY)
    assert notebooks.source(new["cells"][0]).splitlines()[0] == first
    assert notebooks.source(new["cells"][0]).endswith(source.splitlines()[-1])
    kept = [{k: v for k, v in c.items() if k != "source"} for c in page["cells"]]
    assert [{k: v for k, v in c.items() if k != "source"} for c in new["cells"]] == kept
    assert tidy_cells.tidy(new, url=REPOSITORY) == new
    assert bool(tidy_cells.problems(page, url=REPOSITORY)) == (new != page)
    assert tidy_cells.problems(new, url=REPOSITORY) == []


def test_marks_of_the_tests_become_tags():
    page = untidy(("# A sum.\n# NBVAL_CHECK_OUTPUT\n# NBVAL_SKIP\nprint(1)", "Text."))
    (cell, _) = tidy_cells.tidy(page, url=REPOSITORY)["cells"]
    assert notebooks.source(cell) == "# A sum.\nprint(1)"
    assert cell["metadata"]["tags"] == ["figure", "nbval-check-output", "nbval-skip"]


def test_a_first_line_that_is_too_long_for_a_folded_cell_is_told():
    page = untidy(("# " + "long " * 20 + "\nx = 1", "Text."))
    assert "at most 72" in tidy_cells.problems(page, url=REPOSITORY)[0]


def anchors(path):
    """The anchors that JupyterLab and GitHub give to a page's headings."""
    if path.suffix == ".ipynb":
        text = "\n\n".join(
            notebooks.source(c)
            for c in notebooks.read(path)["cells"]
            if c["cell_type"] == "markdown"
        )
    else:
        text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#{1,6} (.+?)\s*$", text, re.MULTILINE)
    return {h.replace(" ", "-") for h in headings} | {
        re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings
    }


def links(text):
    """Targets of the links and pictures of some Markdown, code left out."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", text)
    return (
        targets + re.findall(r"<(https?://[^>\s]+)>|(?:href|src)=\"([^\"]+)\"", text)
        if "<" in text
        else targets
    )


def broken(page, text):
    """The links of a page that lead nowhere."""
    found = []
    for target in (t if isinstance(t, str) else next(filter(None, t)) for t in links(text)):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            good = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        else:
            goal = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            good = goal.exists() and (
                not parts.fragment or unquote(parts.fragment) in anchors(goal)
            )
        if not good:
            found.append(target)
    return found


def test_every_link_of_a_unit_resolves(unit):
    assert broken(unit.path, unit.prose) == []


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("data/**/*.md")]), ids=lambda p: p.name
)
def test_every_link_of_a_page_resolves(page):
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_broken_links_are_seen(tmp_path):
    page = tmp_path / "page.md"
    text = (
        "# A head\n[a](gone.md) [b](#A-head) [c](#nowhere) [d](http://x.org) [e](https://x) "
        "![f](page.md) `[g](h)`"
    )
    page.write_text(text, encoding="utf-8")
    assert broken(page, text) == ["gone.md", "#nowhere", "http://x.org", "https://x"]


@pytest.mark.parametrize(
    "room", sorted((ROOT / "helpers").rglob("*.py")), ids=lambda path: path.stem
)
def test_docstrings_name_notebooks_that_exist(room):
    for name in re.findall(r"``(\d\d_\w+\.ipynb)``", room.read_text(encoding="utf-8")):
        assert (ROOT / "notebooks" / name).exists(), f"{room.name} names {name}"


# ---- what may be stored, on a notebook with one fault at a time ----------------------------------


def output(**data):
    """An output that displays something."""
    return {"output_type": "display_data", "data": data, "metadata": {"a": 1}}


def stored(*outputs, count=1, **metadata):
    """A notebook of one executed cell."""
    cell = {
        "cell_type": "code",
        "id": "one",
        "source": ["1 + 1"],
        "metadata": {},
        "execution_count": count,
    }
    return {
        "cells": [cell | {"outputs": list(outputs)}],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


FAULTS = {
    "not executed": stored(count=None),
    "widget state": stored(widgets={"application/vnd.jupyter.widget-state+json": {}}),
    "widget-view": stored(
        output(**{"application/vnd.jupyter.widget-view+json": {}, "text/plain": ["a"]})
    ),
    "javascript": stored(output(**{"application/javascript": ["alert(1)"]})),
    "audio/wav": stored(output(**{"audio/wav": "UklGR"})),
    "a sound in its HTML": stored(
        output(**{"text/html": ['<audio src="data:audio/wav;base64,UklGR">']})
    ),
    "stores an error": stored(
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
    ),
    "stores a warning": stored({"output_type": "stream", "name": "stderr", "text": ["oh"]}),
    "at 0x": stored(output(**{"text/plain": ["<Axes at 0x7f2cae93f200>"]})),
    "another machine": stored(
        {"output_type": "stream", "name": "stdout", "text": ["/" + "home/me/x.wav"]}
    ),
    "limit is": stored(output(**{"image/png": "A" * 800_000})),
    "metadata": stored(language_info={"name": "python", "version": "3.11.7"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_notebook_that_stores_what_it_must_not_is_refused(fault, tmp_path):
    path = tmp_path / "10_x.ipynb"
    notebooks.write(path, FAULTS[fault])
    assert any(fault in problem for problem in notebooks.problems(path))


def test_normalising_keeps_text_and_figures_and_ends_all_other_faults(tmp_path):
    kept = output(**{"image/png": "iVBOR", "text/plain": ["a figure"]})
    cut = [{"output_type": "stream", "name": "stdout", "text": [text]} for text in ("1\n", "2\n")]
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "7"}}
    before = stored(
        kept,
        *cut,
        output(**view),
        output(**view, **{"image/png": "iV"}),
        count=7,
        widgets={"state": {}},
    )
    untouched = copy.deepcopy(before)
    after = notebooks.normalise(before)
    path = tmp_path / "10_x.ipynb"
    notebooks.write(path, after)
    assert notebooks.problems(path) == []
    assert before == untouched
    assert [o.get("data", o.get("text")) for o in after["cells"][0]["outputs"]] == [
        {"image/png": "iVBOR", "text/plain": ["a figure"]},
        ["1\n", "2\n"],
        {"image/png": "iV"},
    ]
    assert notebooks.normalise(after) == after


def write_notebook(path, *cells):
    """Write a notebook of code cells that nobody has run."""
    notebook = stored()
    notebook["cells"] = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "source": c,
            "metadata": {},
            "execution_count": None,
            "outputs": [],
        }
        for i, c in enumerate(cells)
    ]
    notebooks.write(path, notebook)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course of its own, with an empty folder of notebooks."""
    (tmp_path / "notebooks").mkdir()
    every = notebooks.paths
    monkeypatch.setattr(notebooks, "paths", lambda names=None: every(names, root=tmp_path))
    return tmp_path / "notebooks"


def test_execute_runs_in_the_notebooks_folder_and_stores_text_and_pictures(folder, capsys):
    path = folder / "10_x.ipynb"
    widget = "import ipywidgets\nipywidgets.IntSlider()"
    write_notebook(
        path,
        "import os\nprint(os.path.basename(os.getcwd()))",
        widget,
        "%matplotlib inline",
        "6 * 7",
    )
    assert execute.main(["10"]) == 0
    assert notebooks.problems(path) == []
    cells = notebooks.read(path)["cells"]
    assert cells[0]["outputs"][0]["text"] == ["notebooks\n"]
    assert list(cells[1]["outputs"][0]["data"]) == ["text/plain"]
    assert cells[3]["outputs"][0]["data"] == {"text/plain": ["42"]}


def test_a_cell_that_fails_is_shown_and_the_file_left_alone(folder):
    path = folder / "10_x.ipynb"
    write_notebook(path, "x = 1", "x / 0")
    before = path.read_bytes()
    said = execute.main([])
    assert "x / 0" in said and "ZeroDivisionError" in said and "left as it is" in said
    assert path.read_bytes() == before


def test_a_name_that_fits_no_notebook_is_refused_with_those_that_exist(folder):
    write_notebook(folder / "10_x.ipynb")
    assert "10_x" in execute.main(["31"])


# ---- the first cell, where the course is not installed -------------------------------------------


@pytest.fixture
def elsewhere(tmp_path):
    """A folder without the course, and a Python that has every package but helpers."""
    base = Path(sys.base_prefix) / ("python.exe" if os.name == "nt" else "bin/python3")
    if sys.prefix == sys.base_prefix or not base.exists() or not (ROOT / ".git").exists():
        pytest.skip("needs a virtual environment and a clone")
    packages = {"PYTHONPATH": sysconfig.get_path("purelib"), "EARUP_REPOSITORY": ROOT.as_uri()}

    def run(code, folder=tmp_path):
        env = {**os.environ, **packages, "PIP_NO_INDEX": "1"}
        code = f"{address.bootstrap_source(REPOSITORY)}\n{code}"
        return subprocess.run(
            [base, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=True
        )

    return run


SHOW = "import helpers; print(os.getcwd(), helpers.__file__, sep='\\n')"


def test_a_lone_notebook_fetches_the_course_once_and_says_so(elsewhere, tmp_path):
    first = elsewhere("import sys; " + SHOW)
    said = first.stdout.splitlines()
    assert said[0] == f"Fetching the course from {ROOT.as_uri()}"
    assert said[-2:] == [
        str(tmp_path / "ear-up/notebooks"),
        str(tmp_path / "ear-up/helpers/__init__.py"),
    ]
    depth = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"],
        cwd=tmp_path / "ear-up",
        capture_output=True,
        text=True,
        check=True,
    )
    assert depth.stdout.strip() == "1"
    again = elsewhere("import sys; " + SHOW)
    assert "Fetching" not in again.stdout and again.stdout.splitlines()[-2:] == said[-2:]


def test_a_clone_that_is_not_installed_is_used_where_it_is(elsewhere, tmp_path):
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", ROOT.as_uri(), tmp_path / "course"], check=True
    )
    here = tmp_path / "course/notebooks"
    here.mkdir(exist_ok=True)
    said = elsewhere("import sys; " + SHOW, folder=here).stdout
    assert "Fetching" not in said
    assert said.splitlines()[-1] == str(tmp_path / "course/helpers/__init__.py")


def test_where_the_course_is_installed_the_first_cell_does_and_says_nothing(tmp_path):
    code = address.bootstrap_source(REPOSITORY)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "" and list(tmp_path.iterdir()) == []


def test_only_missing_packages_are_installed_and_none_is_moved(monkeypatch):
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "dependencies"
    ]
    assert bootstrap.missing(dependencies) == []
    assert bootstrap.missing([*dependencies, "no-such-package>=1"]) == ["no-such-package>=1"]
    seen = {}

    def pip(command, check):
        seen["frozen"] = (
            Path(command[command.index("-c", 4) + 1]).read_text(encoding="utf-8").splitlines()
        )
        seen["asked"] = command[-1]

    monkeypatch.setattr(bootstrap.subprocess, "run", pip)
    bootstrap.install(["no-such-package>=1"])
    assert seen["asked"] == "no-such-package>=1"
    assert f"numpy=={numpy.__version__}" in seen["frozen"]


# ---- the address ---------------------------------------------------------------------------------


@pytest.fixture
def moved(tmp_path):
    """A small course, at the address of today."""
    (tmp_path / "notebooks").mkdir()
    for name in ("README.md", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    notebook = stored()
    boot = dict(
        notebook["cells"][0],
        source=notebooks.lines(address.bootstrap_source(REPOSITORY)),
        outputs=[],
    )
    boot["metadata"] = {"tags": ["bootstrap"]}
    text = (
        f"# 10 · Why?\n\n{address.badges(REPOSITORY, '10_x')}\n\nSee [the "
        f"issues]({REPOSITORY}/issues)."
    )
    page = {"cell_type": "markdown", "id": "t", "metadata": {}, "source": notebooks.lines(text)}
    notebook["cells"] = [page, boot]
    notebooks.write(tmp_path / "notebooks/10_x.ipynb", notebook)
    return tmp_path


def test_one_command_moves_every_link_and_back_again(moved):
    before = {path: path.read_bytes() for path in moved.rglob("*.*") if path.is_file()}
    new = "https://github.com/someone/else"
    assert len(address.apply(new, root=moved)) == 3
    for path in before:
        text = path.read_text(encoding="utf-8")
        assert address.slug(REPOSITORY) not in text and "someone/else" in text
    assert "(https://someone.github.io/else/)" in (moved / "README.md").read_text(encoding="utf-8")
    unit = Unit(moved / "notebooks/10_x.ipynb")
    assert unit.text[1] == address.bootstrap_source(new)
    assert unit.text[0].split("\n\n")[1] == address.badges(new, "10_x.ipynb")
    assert address.apply(new, root=moved) == []
    address.apply(REPOSITORY, root=moved)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "wrong", ["github.com/a/b", "https://example.org/a/b", "https://github.com/a", "a'); import x"]
)
def test_an_address_that_colab_cannot_open_is_refused(wrong):
    with pytest.raises(ValueError, match=r"OWNER/NAME"):
        address.bootstrap_source(wrong)


def test_the_notebooks_and_the_readme_hold_no_other_address(unit):
    slug = address.slug(REPOSITORY)
    for text in (
        unit.path.read_text(encoding="utf-8"),
        (ROOT / "README.md").read_text(encoding="utf-8"),
    ):
        assert slug in text
        ours = re.findall(r"github\.com/([\w.-]+/audio-ml[\w.-]*)|/gh/([\w.-]+/[\w.-]+)/main", text)
        assert {"".join(pair).removesuffix(".git") for pair in ours} <= {slug}


def test_the_frozen_form_is_jupyters_own(unit):
    text = unit.path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
