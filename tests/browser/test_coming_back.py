"""A page comes back: saved, closed and opened again on another day, after a restart, after a reload.

This is JupyterLab with what `course.py lab` puts beside it. By day one small unit does the round;
at night all of them do.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.browser.conftest import started
from tests.pages import needs_torch
from tools import notebooks
from tools.start import copies

VIEW = "application/vnd.jupyter.widget-view+json"
SHOTS = Path(__file__).parent / "shots"
NIGHTLY = os.environ.get("EARUP_NIGHTLY") == "1"
# [ms] how long a page may take; times EARUP_PATIENCE where many things share a machine
PATIENCE = 90_000 * int(os.environ.get("EARUP_PATIENCE", "1"))
DAY = notebooks.paths(["00"])
UNITS = [
    pytest.param(path, id=path.stem, marks=() if path in DAY else pytest.mark.nightly)
    for path in notebooks.paths()
]
SLEEPS = "() => /This page sleeps|so this page sleeps/.test(document.querySelector('.earup-wake')?.innerText)"
AWAKE = """() => { const bar = document.querySelector('.earup-wake');
  return bar && !/sleeps|Waking/.test(bar.querySelector('p').innerText); }"""
DIRTY = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"


@pytest.fixture
def learner(browser, tmp_path):
    """Open copies of notebooks as a learner has them: ``lab = learner(path, ...)``."""
    labs = []

    def open_copies(*paths):
        (tmp_path / "notebooks").mkdir()
        for path in paths:
            shutil.copy(path, tmp_path / "notebooks")
        copies.renew(tmp_path)
        context = started(tmp_path, browser, [], beside=True, as_a_learner=True)
        labs.append(context)
        return context.__enter__()

    yield open_copies
    for context in labs:
        context.__exit__(None, None, None)


def saved(lab, name):
    return json.loads((lab.folder / copies.FOLDER / name).read_text(encoding="utf-8"))


def views(notebook):
    """How many outputs of a notebook name a model."""
    return sum(VIEW in o.get("data", {}) for c in notebook["cells"] for o in c.get("outputs", []))


def stored_widgets(notebook):
    """How many outputs say in words that they are widgets: each of them must wake."""
    return sum(
        "Run this cell" in "".join(output.get("data", {}).get("text/plain", ""))
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
    )


def live_views(lab):
    """How many outputs of the open page have a widget that is drawn."""
    return lab.page.evaluate(
        """view => window.jupyterapp.shell.currentWidget.content.widgets.filter(cell =>
        (cell.model.outputs?.toJSON() ?? []).some(o => o.data?.[view])).length""",
        VIEW,
    )


def wake(lab, button):
    """Press a button that wakes the page, by keyboard; return when nothing sleeps."""
    button.focus()
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(AWAKE, timeout=PATIENCE)


def shot(lab, name):
    """Keep what a learner sees, at night."""
    if NIGHTLY:
        SHOTS.mkdir(exist_ok=True)
        lab.screenshot(SHOTS / f"back_{name}.png")


@pytest.mark.parametrize("path", UNITS)
def test_a_unit_comes_back(path, learner):
    if needs_torch(path.stem):
        pytest.importorskip("torch")
    lab = learner(path)
    shipped = notebooks.read(path)
    page = lab.open(f"{copies.FOLDER}/{path.name}")
    page.set_default_timeout(PATIENCE)
    banner = page.locator(".earup-wake")
    button = banner.get_by_role("button", name="Wake this page")
    page.wait_for_function(SLEEPS)
    assert not page.evaluate(DIRTY)
    shot(lab, f"{path.stem}_1_opened")
    wake(lab, button)
    assert banner.locator("p").inner_text() == ""  # nothing failed
    assert live_views(lab) == stored_widgets(shipped) - path_hints(shipped)
    nothing_was_opened(lab)
    lab.command("docmanager:save")
    assert views(saved(lab, path.name)) == 0
    shot(lab, f"{path.stem}_2_awake")

    # the next day: another server, another kernel
    lab.close_page()
    lab.server.terminate()
    lab.server.wait(30)
    lab.begin()
    lab.wait()
    page = lab.open(f"{copies.FOLDER}/{path.name}")
    page.set_default_timeout(PATIENCE)
    page.wait_for_function(SLEEPS)
    no_dead_widget(lab)
    assert not page.evaluate(DIRTY)
    shot(lab, f"{path.stem}_3_next_day")
    wake(lab, page.locator(".earup-wake").get_by_role("button", name="Wake this page"))
    assert live_views(lab) == stored_widgets(shipped) - path_hints(shipped)
    if NIGHTLY:
        every_other_cell_runs(lab)
    restart(lab)
    shot(lab, f"{path.stem}_4_restarted")
    assert lab.errors == []


def path_hints(notebook):
    """How many stored outputs of hints read like a widget's: none."""
    return sum(
        "Run this cell" in "".join(output.get("data", {}).get("text/plain", ""))
        for cell in notebook["cells"]
        if "hint" in cell["metadata"].get("tags", [])
        for output in cell.get("outputs", [])
    )


def nothing_was_opened(lab):
    """No hint is open, and no hint, check or solution was run."""
    assert lab.page.locator("details[open]").count() == 0
    ran = lab.python("print('\\n'.join(In))")
    assert "coursework.predict(" in ran or "listening." in ran  # what was run is known here
    assert not re.search(r"coursework\.(hint|check|solution)\(", ran)


def no_dead_widget(lab):
    """Nothing on the page is a widget's empty place, and what a widget was says how to wake it."""
    text = lab.page.evaluate("() => document.querySelector('.jp-Notebook').innerText")
    assert "model not found" not in text and "Error displaying widget" not in text
    assert live_views(lab) == 0 and lab.page.locator(".jp-Notebook .earup").count() == 0


def every_other_cell_runs(lab):
    """After waking, any cell that did not run finds every name that it asks for."""
    cells = lab.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type === "code")
        .map(c => [c.model.sharedModel.source, c.model.getMetadata("tags") ?? []])"""
    )
    ran = json.loads(lab.python("import json as _j; print(_j.dumps(In))"))
    for source, tags in cells:
        if source not in ran and not {"hint", "solution"} & set(tags):
            assert "NameError" not in lab.python(source), source


def restart(lab):
    """After a restart every widget says that it sleeps, and the button of any wakes the page."""
    page = lab.page
    asleep = page.locator(".jp-Notebook .earup-lost")
    count = asleep.count()
    assert count > 0 and [n for n in asleep.all() if n.is_visible()] == []
    lab.restart()
    page.wait_for_function(SLEEPS)
    page.wait_for_function(
        "n => [...document.querySelectorAll('.jp-Notebook .earup-lost')].filter(e => !e.hidden).length === n",
        arg=count,
    )
    handle = page.locator(".earup-scene [role=slider]:visible")
    if handle.count():  # a handle goes back to where the picture is
        before = handle.first.get_attribute("aria-valuenow")
        handle.first.press("ArrowRight")
        handle.first.press("ArrowUp")
        assert handle.first.get_attribute("aria-valuenow") == before
    said = page.locator(".earup-lost:visible").first
    assert "Asleep: Python was restarted." in said.inner_text()
    wake(lab, said.get_by_role("button", name="Wake this page"))
    assert page.locator(".earup-lost:visible").count() == 0
    nothing_was_opened(lab)


# ---- small pages ---------------------------------------------------------------------------------

SETUP = "import numpy as np\nfrom helpers import coursework, explore, listening"
PLAYER = 'listening.player({"tone": 0.1 * np.sin(np.arange(8000.0))}, sr=8000)'


def page_of(folder, *cells, name="12_small.ipynb"):
    """A notebook of (kind, source, outputs, tags), such as a learner without our server saved it."""
    made = []
    for k, (kind, source, outputs, tags) in enumerate(cells):
        cell = {"cell_type": kind, "id": f"c{k}", "metadata": {"tags": tags}, "source": source}
        made.append(cell | ({"outputs": outputs, "execution_count": 1} if kind == "code" else {}))
    nb = {"cells": made, "metadata": {"kernelspec": notebooks.KERNEL}, "nbformat": 4}
    path = folder / name
    path.write_text(json.dumps(nb | {"nbformat_minor": 5}), encoding="utf-8")
    return path


def dead(words):
    data = {VIEW: {"model_id": "f" * 32, "version_major": 2, "version_minor": 0}}
    data |= {"text/plain": words} if words else {}
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
    return [output | {"data": data}]


@pytest.mark.nightly
def test_a_page_that_was_saved_elsewhere_is_mended_when_it_opens(learner, tmp_path):
    path = page_of(
        tmp_path,
        ("code", SETUP, [], ["setup"]),
        ("code", PLAYER, dead("player: tone. Run this cell to listen."), ["sound"]),
        ("code", "nothing_beside_it", dead(""), []),
    )
    lab = learner(path)
    page = lab.open(f"{copies.FOLDER}/{path.name}")
    page.get_by_text("player: tone. Run this cell to listen.").wait_for()
    page.get_by_text("A widget stood here. Run this cell to see it.").wait_for()
    page.wait_for_function(SLEEPS)
    no_dead_widget(lab)
    assert not page.evaluate(DIRTY)
    lab.errors.clear()  # what Jupyter's widgets said before


QUESTION = [
    ("code", SETUP, [], ["setup"]),
    ("markdown", "## First", [], []),
    ("code", 'coursework.predict("12.treble")', [], ["predict"]),
    ("markdown", "The answer stands here. **Exercise 12.1.** More.", [], []),
    ("markdown", "**Exercise 12.1.** Write it.\n\nBy hand.", [], []),
    ("markdown", "## Second", [], []),
    ("markdown", "**Figure 12.1. A claim.** Look.", [], []),
]


def test_what_follows_a_question_is_closed_before_and_after_it_runs(learner, tmp_path):
    lab = learner(page_of(tmp_path, *QUESTION))
    page = lab.open(f"{copies.FOLDER}/12_small.ipynb")
    bar = page.locator(".earup-gate")
    bar.get_by_text("What follows is closed until you guess or skip.").wait_for()
    words = page.locator(".jp-RenderedMarkdown p")
    answer = words.filter(has_text="The answer stands here.")
    second = words.filter(has_text="A claim.")
    assert not answer.is_visible() and second.is_visible()
    bar.get_by_role("button", name="Wake this page to guess").click()
    page.locator(".earup-quiz").wait_for()
    assert bar.count() == 0 and not answer.is_visible()
    page.get_by_label("About 1", exact=True).check()
    page.get_by_role("button", name="This is my guess").click()
    answer.wait_for()
    stored = lab.folder / copies.FOLDER / "progress.json"
    lab.python("pass")  # the kernel answers in order, so the guess is written by then
    assert json.loads(stored.read_text())["predictions"]["12.treble"]["tried"] == [1]
    lab.command("docmanager:save")
    lab.close_page()
    page = lab.open(f"{copies.FOLDER}/12_small.ipynb")  # guessed once, open from then on
    page.wait_for_function(SLEEPS)
    page.locator(".jp-RenderedMarkdown p", has_text="The answer stands here.").wait_for()
    assert page.locator(".earup-gate").count() == 0
    # anywidget's limit for a widget to begin is stretched, other limits are not
    after = "async ms => { const s = AbortSignal.timeout(ms); await new Promise(f => setTimeout(f, 2500)); return s.aborted; }"
    assert [page.evaluate(after, ms) for ms in (2000, 1500)] == [False, True]
    assert lab.errors == []


@pytest.mark.nightly
def test_exercises_and_figures_stand_in_the_contents(learner, tmp_path):
    lab = learner(page_of(tmp_path, *QUESTION))
    page = lab.open(f"{copies.FOLDER}/12_small.ipynb")
    lab.command("toc:show-panel")
    contents = page.locator(".jp-TableOfContents-content")
    contents.get_by_text("Figure 12.1").wait_for()
    assert contents.get_by_text("Exercise 12.1").count() == 1
    contents.get_by_text("Figure 12.1").click()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex === 6"
    )
    assert lab.errors == []


MAP = ("code", "from helpers import coursework\ncoursework.progress()", [], [])
HERE = """([name, start]) => { const w = window.jupyterapp.shell.currentWidget;
  return w?.context?.path.endsWith(name) && w.content.activeCell?.model.sharedModel.source.startsWith(start); }"""


@pytest.mark.nightly
def test_go_on_where_you_were(learner, tmp_path):
    """From the map to the cell that was worked on last; and from the first page to the last one seen."""
    first = page_of(tmp_path, MAP, name="00_small.ipynb")
    lab = learner(first, notebooks.paths(["12"])[0])
    answers = {"version": 2, "last": {"unit": "12", "key": "12.ladder", "day": "2026-11-29"}}
    (lab.folder / copies.FOLDER / "progress.json").write_text(json.dumps(answers))
    page = lab.open(f"{copies.FOLDER}/00_small.ipynb")
    assert lab.run_all() == []
    page.set_default_timeout(50_000)
    page.get_by_role("link", name="Go on where you were: unit 12").click()
    page.wait_for_function(HERE, arg=["12_pitch.ipynb", "def mel_ladder("])
    page.wait_for_function(
        "() => localStorage.getItem('earup-here')?.includes('Equal steps, heard')"
    )
    lab.command("docmanager:save-all")  # or the browser asks whether to leave
    page.goto(f"{lab.address}/lab/tree/{copies.FOLDER}/00_small.ipynb?reset")
    again = page.get_by_role("button", name="Go on where you were: 12 · Why is 100 Hz more")
    again.click()
    page.wait_for_function(HERE, arg=["12_pitch.ipynb", "def mel_ladder("])
    assert lab.errors == []
