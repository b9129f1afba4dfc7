"""Every stage of every unit fits one screen with its words, its score and its challenge.

By day the tallest; with ``EARUP_NIGHTLY=1`` (``course.py test --nightly``) all of them, and pictures
are kept, at three widths and in both themes.
"""

import base64
import importlib
import io

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers import explore, figures, listening
from tests.browser.sweep import NIGHTLY, SHOTS
from tests.pages import needs_torch
from tools import notebooks
from tools.site.engine import answering, cutting

SCREEN = 620  # [px] of 800: what JupyterLab leaves of a window of 1280 x 800, less a margin
# what JupyterLab leaves for an output: with the file browser at 1280, without it at 800, a phone
WIDTHS = {1280: 836, 800: 691, 375: 343}
TALLEST = ("21", "22", "33")
# the sentence that says that a challenge is met is not there yet: keep room for a long one
WON = "Yes: " + "this is what was asked for, and here are the numbers that say so. " * 2
SIZE = """() => { const r = document.querySelector('.earup-scene').getBoundingClientRect();
  return [r.width, r.height, document.querySelector('#root').scrollWidth]; }"""
SETTLED = """w => { const n = document.querySelector('.earup-scene');
  return n.dataset.drawn === String(w); }"""
WATCH = """() => document.addEventListener('earup-drawn', e =>
  (e.target.dataset.drawn = document.querySelector('#root').clientWidth))"""


def stages(path):
    """Yield the stages of a notebook, each made by the statements that it needs."""
    nb = nbformat.read(path, as_version=4)
    for cell, texts in cutting.stages(nb).items():
        name = f"{path.stem[:2]}_{cell}"
        answering.make(name, "\n".join(texts))
        yield name, answering.MADE.pop(name)


@pytest.mark.parametrize(
    "notebook",
    [p for p in notebooks.paths() if NIGHTLY or p.stem[:2] in TALLEST],
    ids=lambda path: path.stem,
)
def test_a_stage_with_its_words_fits_one_screen(notebook, widget_page):
    if needs_torch(notebook.stem):
        pytest.importorskip("torch")
    for name, made in stages(notebook):
        for theme in ("light", "dark") if NIGHTLY else ("light",):
            page = widget_page("export default { render() {} }", theme=theme)
            page.evaluate(WATCH)
            page.evaluate("() => (document.querySelector('#root').style.width = '836px')")
            widget_page(made, page=page)
            for window, width in WIDTHS.items():
                page.evaluate(f"() => (document.querySelector('#root').style.width = '{width}px')")
                page.wait_for_function(SETTLED, arg=width)
                _, high, scrolls = page.evaluate(SIZE)
                assert scrolls <= width, (name, window)  # nothing sticks out
                if NIGHTLY:
                    SHOTS.mkdir(exist_ok=True)
                    shot = SHOTS / f"stage_{name}_{theme}_{window}.png"
                    page.locator(".earup-scene").screenshot(path=str(shot))
                if window == 1280:
                    assert high <= SCREEN, (name, made.spec["title"], high)
                    page.evaluate(
                        "t => (document.querySelector('.earup-won').textContent = t)", WON
                    )
                    assert page.evaluate(SIZE)[1] <= SCREEN, (name, "when it is won")


def test_words_stand_beside_the_picture_where_there_is_room(widget_page):
    Stage = importlib.import_module(f"{explore.__name__}.stage").Stage
    path = next(p for p in notebooks.paths() if p.stem[:2] == "33")
    _, made = next(stages(path))
    assert isinstance(made, Stage)
    page = widget_page(made, width=1280)
    beside = """() => { const [p, w] = ['panels', 'words'].map(c =>
      document.querySelector('.earup-' + c).getBoundingClientRect()); return p.right <= w.left; }"""
    page.wait_for_function(beside)
    page.set_viewport_size({"width": 500, "height": 900})
    page.wait_for_function(f"() => !({beside})()")


def ground_of(page, png):
    """Put a picture into the page and return the colour that its corner has on the screen."""
    page.evaluate(
        """code => { document.querySelector('#shown')?.remove(); const i = new Image();
        i.id = 'shown'; i.src = 'data:image/png;base64,' + code; document.body.append(i);
        return i.decode(); }""",
        base64.b64encode(png).decode(),
    )
    shot = Image.open(io.BytesIO(page.locator("#shown").screenshot())).convert("RGB")
    return np.array(shot)[3, 3].tolist()


def test_figures_of_the_course_follow_a_dark_page_and_no_others_do(widget_page):
    with plt.rc_context():
        figures.use()
        fig = plt.figure(figsize=(2, 1))
        ours, theirs = figures.picture(fig), io.BytesIO()
        fig.savefig(theirs)
        plt.close(fig)
    player = listening.player({"a": 0.1 * np.ones(4000)}, sr=8000)
    page = widget_page(player, theme="dark")
    assert ground_of(page, ours) == [18, 18, 18]
    assert ground_of(page, player.stored_picture()) == [18, 18, 18]
    assert ground_of(page, theirs.getvalue()) == [255, 255, 255]
    page = widget_page(player, theme="light")
    assert ground_of(page, ours) == [255, 255, 255]
