"""Unit 43 in a real JupyterLab: a dot of the trellis is dragged, the likeliest text is found by keys."""

from pathlib import Path

import pytest

from tests.browser.scenes import says, win
from tests.browser.sweep import shot

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "43_recognition.ipynb"


def test_the_likeliest_text_is_found_and_its_neighbours_do_not_win(lab):
    lab.page.set_default_timeout(120_000)
    scene = lab.page.locator(".earup-scene").first
    scene.scroll_into_view_if_needed()
    says(lab.page, "The path ----- says “” and has 3.75 %. No other path says it")
    dots = [scene.get_by_role("slider", name=f"Sign of frame {k}") for k in range(1, 6)]
    drag(lab.page, dots[0], up=scene.locator("canvas").first.bounding_box()["height"] / 4)
    says(lab.page, "The path a---- says “a” and has 3.00 %.")
    win(
        lab.page,
        (dots[3], "ArrowUp*2", "The path a--b- says “ab” and has 2.40 %. All 35 paths", True),
        (dots[1], "ArrowUp", "The path aa-b- says “ab” and has 1.92 %.", False),
        (dots[1], "ArrowUp", "The path ab-b- says “abb”", False),
        (dots[1], "Home", "The path a--b- says “ab”", True),
        (dots[4], "End", "The path a--bb says “ab” and has 1.92 %.", False),
        (dots[3], "Home", "The path a---b says “ab” and has 2.40 %.", True),
    )
    shot(scene, "43_trellis")
    height = scene.bounding_box()["height"]
    assert height <= 620
    assert lab.errors == []


def drag(page, dot, *, up):
    """Take a dot by the pointer, upwards [px]."""
    box = dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - up / 2)
    page.mouse.move(x, y - up)
    page.mouse.up()
