"""A loop in a real browser: it plays, stops, is scrubbed, keeps still where that is wished, and asks
no kernel.
"""

import base64

import numpy as np
import pytest
from ipywidgets import embed
from nbformat import v4

from helpers import explore
from tools import notebooks
from tools.site import widgets

FILM = ".earup-film"
BAR = f"{FILM} input[type=range]"
PICTURES = 21
MOVED = "() => document.querySelector('.earup-film').hasAttribute('data-moving')"
STILL = "() => !document.querySelector('.earup-film').hasAttribute('data-moving')"

# resolves when an observer of ours, younger than the loop's, has heard that the loop is in view
SEEN = """() => new Promise(done => new IntersectionObserver(([seen]) => seen.isIntersecting && requestAnimationFrame(() => requestAnimationFrame(done)))
  .observe(document.querySelector('.earup-film')))"""


def rising(k):
    """A dot that rises by 1 each time, beside an image of its own column."""
    picture = np.full((4, PICTURES), np.nan)
    picture[:, : k + 1] = k
    return {"y": [k], "x": [k], "picture": picture, "readout": f"Picture {k}, height {k}."}


def film(**options):
    axes = explore.axis("Time", 0, 20, unit="s"), explore.axis("Height", 0, 20)
    panel = explore.panel(*axes, explore.image("picture", low=0, high=20), explore.dots("y", x="x"))
    bar = explore.slider("Picture", 0, PICTURES - 1, 8, step=1, unit="")
    options = {"seconds": 1.0} | options
    return explore.loop(
        rising, title="A dot rises", alt="A dot goes up.", panels=[panel], k=bar, **options
    )


@pytest.fixture
def show(widget_page, browser):
    """Show a loop: ``show(widget)``, or with ``calm=True`` where less motion is wished."""
    contexts = []

    def shown(widget, *, calm=False, **options):
        wish = "reduce" if calm else "no-preference"
        contexts.append(
            browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion=wish)
        )
        page = widget_page(widget, context=contexts[-1], **options)
        page.wait_for_selector(BAR)
        return page

    yield shown
    for context in contexts:
        context.close()


def says(page, text):
    page.wait_for_function(
        "text => document.querySelector('.earup-film .earup-live')?.textContent.includes(text)",
        arg=text,
    )


def test_it_plays_once_by_itself_and_rests_on_its_last_picture(show):
    page = show(film())
    says(page, "Picture 20, height 20.")
    page.wait_for_function(STILL)
    assert page.input_value(BAR) == "20"
    assert page.inner_text(f"{FILM} button") == "Play"
    assert page.evaluate("() => window.model.sent.length") == 0  # no kernel was asked


def test_it_keeps_still_where_less_motion_is_wished_and_the_button_still_moves_it(show):
    page = show(film(), calm=True)
    page.evaluate(SEEN)
    assert page.input_value(BAR) == "8" and page.evaluate(STILL)
    says(page, "Picture 8, height 8.")
    page.click(f"{FILM} button")
    page.wait_for_function(MOVED)
    says(page, "Picture 20")


def test_the_button_pauses_and_goes_on_from_there(show):
    page = show(film(seconds=60.0))
    page.wait_for_function(MOVED)
    page.click(f"{FILM} button")
    page.wait_for_function(STILL)
    at = page.input_value(BAR)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert page.input_value(BAR) == at and page.inner_text(f"{FILM} button") == "Play"
    page.fill(BAR, "11")
    page.press(f"{FILM} button", "Space")  # by keyboard, and not from the beginning
    page.wait_for_function(MOVED)
    assert int(page.input_value(BAR)) >= 11 and page.inner_text(f"{FILM} button") == "Pause"


@pytest.mark.parametrize(
    ("key", "value"), [("ArrowRight", 9), ("ArrowLeft", 7), ("Home", 0), ("End", 20)]
)
def test_keys_scrub_and_the_words_follow(show, key, value):
    page = show(film(), calm=True)
    page.evaluate(
        "() => { window.outside = []; document.body.addEventListener('keydown', e => "
        "outside.push(e.key)); }"
    )
    page.press(BAR, key)
    says(page, f"Picture {value}, height {value}.")
    assert page.input_value(BAR) == str(value)
    assert page.evaluate("() => window.outside") == []  # JupyterLab's own keys hear nothing


def test_who_scrubs_stops_it(show):
    page = show(film(seconds=60.0))
    page.wait_for_function(MOVED)
    page.press(BAR, "End")
    page.wait_for_function(STILL)
    says(page, "Picture 20")


def test_words_are_not_spoken_while_it_moves(show):
    page = show(film(seconds=60.0))
    page.wait_for_function(MOVED)
    live = f"{FILM} .earup-live"
    assert page.get_attribute(live, "aria-live") == "off"
    page.click(f"{FILM} button")
    page.wait_for_function(STILL)
    assert page.get_attribute(live, "aria-live") == "polite"


def test_out_of_view_it_stops(show):
    page = show(film(seconds=60.0))
    page.wait_for_function(MOVED)
    page.evaluate(
        "() => { const tall = document.createElement('div'); tall.style.height = '5000px';"
        " document.body.append(tall); window.scrollTo(0, 4000); }"
    )
    page.wait_for_function(STILL)


def test_it_has_names_never_sleeps_and_needs_no_python(show):
    page = show(film(), calm=True)
    root = page.locator(FILM)
    assert root.get_attribute("role") == "group"
    assert root.get_attribute("aria-label") == "A dot rises"
    assert "A dot goes up." in root.locator(".earup-hidden").inner_text()
    assert page.get_by_label("Picture").count() == 1
    assert not root.locator(".earup-lost, .earup-asleep").count()
    page.evaluate("() => window.model.emit('comm_live_update')")
    assert "sleep" not in root.inner_text().lower()


def test_the_picture_is_drawn_from_what_is_stored(show):
    """The dark cells of the image reach as far as the picture's number, at two moments."""
    page = show(film(), calm=True)
    share = """async () => { await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
      const c = document.querySelector('.earup-film canvas'), g = c.getContext('2d');
      const row = g.getImageData(0, Math.round(c.height * 0.2), c.width, 1).data;
      let n = 0; for (let i = 0; i < row.length; i += 4) n += row[i + 3] === 255 && row[i] < 200 && row[i + 2] > row[i] + 15;
      return n / c.width; }"""
    page.press(BAR, "End")
    says(page, "Picture 20")
    whole = page.evaluate(share)
    for _ in range(10):
        page.press(BAR, "ArrowLeft")
    says(page, "Picture 10")
    assert whole > 0.5
    assert page.evaluate(share) == pytest.approx(whole * 11 / 21, abs=0.03)


def test_colours_follow_the_theme(show):
    page = show(film(), theme="dark", calm=True)
    page.wait_for_function(
        "() => document.querySelector('.earup-film').classList.contains('night')"
    )


def test_a_page_without_a_kernel_plays_it(browser, tmp_path):
    """Lifted out of a notebook as the site and the pages in one file do, and opened as a file."""
    widget = film()
    output = v4.new_output("display_data", {widgets.VIEW: {"model_id": widget.model_id}})
    output.data["image/png"] = base64.b64encode(widget.stored_picture()).decode()
    output.metadata["image/png"] = {"alt": widget.stored_text()}
    page = v4.new_notebook(cells=[v4.new_code_cell("film()", outputs=[output])])
    state = embed.embed_data(views=[widget], drop_defaults=False)["manager_state"]
    page.metadata.widgets = {widgets.STATE: state}
    shelf = widgets.Shelf()
    place = widgets.lift(page, shelf).cells[0].outputs[0].data["text/html"]
    host = (notebooks.ROOT / "tools/site/static/widgets.js").read_text(encoding="utf-8")
    html = f"<!doctype html><body>{place}{shelf.inline()}<script>{host}</script></body>"
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    assert "Run this cell to see it move." in place  # the words of the still picture
    context = browser.new_context(viewport={"width": 375, "height": 800})
    try:
        tab = context.new_page()
        tab.goto((tmp_path / "page.html").as_uri())
        says(tab, "Picture 20, height 20.")  # it has played by itself
        tab.press(BAR, "Home")
        says(tab, "Picture 0, height 0.")
        assert "needs a running notebook" not in tab.inner_text("body")
        assert tab.evaluate("() => document.body.scrollWidth <= 375")
    finally:
        context.close()
