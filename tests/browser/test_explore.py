"""explore in a real JupyterLab: keys move the picture, words follow, faults pass, and the notebook
keeps a picture.
"""

import base64
import io

import numpy as np
import pytest
from PIL import Image

SETUP = """
import numpy as np
from helpers import explore, figures
figures.use()
calls = []
"""
HILL = """
def draw(fig):
    ax = fig.subplots()
    figures.claim(fig, "A bar as high as the slider says", "No sound here.")
    bar = ax.bar([0], [5], color="#FF0000")[0]
    ax.set(ylim=(0, 10), ylabel="Height [m]")
    def update(height):
        calls.append(height)
        if height == 7:
            raise RuntimeError("seven is broken")
        bar.set_height(height)
        return f"The bar is {height} m high."
    return update
explore.explore(draw, title="A bar", height=explore.slider("Height", 0, 10, 5, step=1, unit="m"))
"""
SLOW = """
import time
def slow(fig):
    (line,) = fig.subplots().plot([0, 1], [0, 1])
    def update(x):
        calls.append(x)
        time.sleep(0.3)
        return f"x is {x}."
    return update
explore.explore(slow, title="Slow", x=explore.slider("X", 0, 100, 5, step=1, unit=""))
"""
PICTURE = ".earup-explore img"


def height(page):
    """Measure the bar in the picture that is shown: the share of rows of its middle column that are
    red [0 to 1].
    """
    src = page.evaluate(
        """async q => { const img = document.querySelector(q), c = document.createElement('canvas');
        await img.decode(); c.width = img.naturalWidth; c.height = img.naturalHeight;
        c.getContext('2d').drawImage(img, 0, 0); return c.toDataURL('image/png').split(',')[1]; }""",
        PICTURE,
    )
    rgb = np.asarray(Image.open(io.BytesIO(base64.b64decode(src))).convert("RGB"), dtype=int)
    red = (rgb[..., 0] > 200) & (rgb[..., 1] < 60)
    return red.any(axis=1).sum()


def until(page, text):
    page.wait_for_function(
        "t => document.querySelector('.earup-readout p').textContent === t", arg=text
    )


@pytest.fixture
def hill(lab_on, notebook_of):
    lab = lab_on(notebook_of(SETUP, HILL))
    lab.open("try.ipynb")
    assert lab.run_all() == []
    lab.page.wait_for_selector(".earup-readout p")
    lab.page.wait_for_selector(PICTURE)
    yield lab
    assert not lab.errors


def test_keys_move_picture_and_words_faults_pass_and_a_picture_is_kept(hill):
    page = hill.page
    until(page, "The bar is 5 m high.")
    five = height(page)
    handle = page.locator(".earup-explore [role=slider]")
    handle.focus()
    page.keyboard.press("ArrowRight")
    until(page, "The bar is 6 m high.")
    page.wait_for_function(
        "q => document.querySelector(q).alt === 'A bar. The bar is 6 m high.'",
        arg=PICTURE,
    )
    assert height(page) == pytest.approx(five * 6 / 5, abs=2)
    assert handle.get_attribute("aria-label") == "Height [m]"
    assert page.locator(".earup-readout p").get_attribute("role") == "status"

    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".earup-readout pre:visible")
    assert "RuntimeError: seven is broken" in page.inner_text(".earup-readout pre")
    assert height(page) == pytest.approx(five * 6 / 5, abs=2)  # the last good picture stays
    page.keyboard.press("ArrowRight")
    until(page, "The bar is 8 m high.")
    assert not page.is_visible(".earup-readout pre")
    page.wait_for_function("q => document.querySelector(q).complete", arg=PICTURE)
    assert height(page) == pytest.approx(five * 8 / 5, abs=2)

    data = hill.outputs()[1][0]["data"]
    assert data["text/plain"] == "A bar. The bar is 5 m high. Run this cell to move the controls."
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    size = page.locator(PICTURE).bounding_box()
    natural = page.eval_on_selector(PICTURE, "i => [i.naturalWidth, i.naturalHeight]")
    assert [size["width"], size["height"]] == pytest.approx(
        natural, abs=1
    )  # neither stretched nor squeezed


def test_latest_value_wins_while_python_is_busy(lab_on, notebook_of):
    lab = lab_on(notebook_of(SETUP, SLOW))
    lab.open("try.ipynb")
    assert lab.run_all() == []
    page = lab.page
    page.wait_for_selector(".earup-readout p")
    page.locator(".earup-explore [role=slider]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    until(page, "x is 25.")
    drawn = eval(lab.python("print(calls)"))
    assert drawn[-1] == 25 and len(drawn) < 10  # of 20 values, those in between were passed over
    assert not lab.errors
