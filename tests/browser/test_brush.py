"""The brush of a stage in a real browser: cells kept and removed by pointer and keys, undone,
answered by Python.
"""

import numpy as np
import pytest

from helpers import explore
from tests.browser.test_stage import on_stage, until_readout  # noqa: F401

BRUSH = ".earup-brush"


def board(**more):
    """Eight rows, ten columns; the read-out names how many cells are kept, and the sum of their
    numbers.
    """
    panel = explore.panel(
        explore.axis("Time", 0, 1, unit="s"),
        explore.axis("Frequency", 0, 8, unit="kHz"),
        explore.image("S", low=0, high=1),
    )
    numbers = np.arange(80).reshape(8, 10)

    def compute(keep):
        text = f"kept {keep.sum()} of {keep.size}, sum {numbers[keep].sum()}."
        return {
            "S": numbers / 80,
            "readout": text,
            "solved": "Yes: all gone." if not keep.any() else "",
        }

    brush = explore.brush("keep", "Mask", panel=0, rows=8, cols=10, high=1, wide=1)
    return explore.stage(
        compute, title="t", alt="a", panels=[panel], handles=[], brush=brush, **more
    )


def test_keys_move_paint_keep_and_undo(on_stage):  # noqa: F811
    page = on_stage(board())
    page.focus(BRUSH)
    page.keyboard.press("Space")  # the brush begins in the middle: row 4, column 5
    until_readout(page, f"kept 79 of 80, sum {3160 - 45}.")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    until_readout(page, f"kept 78 of 80, sum {3160 - 45 - 30}.")
    page.keyboard.press("k")
    page.keyboard.press("Space")
    until_readout(page, f"kept 79 of 80, sum {3160 - 45}.")
    page.keyboard.press("u")
    page.keyboard.press("u")
    page.keyboard.press("u")
    until_readout(page, "kept 80 of 80, sum 3160.")
    assert page.locator(BRUSH).evaluate("n => [n.role, n.tabIndex]") == ["application", 0]


def test_shift_and_arrows_paint_a_line_and_the_challenge_is_won_by_keys(on_stage):  # noqa: F811
    page = on_stage(board(challenge="Remove everything."))
    page.focus(BRUSH)
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    until_readout(
        page, f"kept 71 of 80, sum {3160 - sum(range(41, 50))}."
    )  # from the next cell to the last
    sizes = page.locator("input[type=range]")
    for i in range(2):
        sizes.nth(i).focus()
        page.keyboard.press("End")
    page.focus(BRUSH)
    page.keyboard.press("ArrowDown")
    page.keyboard.press(
        "Space"
    )  # as large as the grid: it covers all of it, wherever its middle is
    page.wait_for_function(
        "() => document.querySelector('.earup-won').textContent.includes('all gone')"
    )
    page.click("text=Start over")
    until_readout(page, "kept 80 of 80")


def test_a_fast_stroke_of_the_pointer_leaves_no_gaps(on_stage):  # noqa: F811
    page = on_stage(board())
    page.wait_for_function("n => parseFloat(document.querySelector(n).style.width) > 0", arg=BRUSH)
    box = page.locator(BRUSH).bounding_box()
    y = box["y"] + box["height"] * 6.5 / 8  # row 1
    page.mouse.move(box["x"] + box["width"] * 0.05, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, y)
    page.mouse.up()
    until_readout(page, f"kept 70 of 80, sum {3160 - sum(range(10, 20))}.")
    page.click("text=Undo")
    until_readout(page, "kept 80 of 80")


def test_the_position_is_spoken(on_stage):  # noqa: F811
    page = on_stage(board())
    page.focus(BRUSH)
    page.keyboard.press("ArrowRight")
    assert page.locator(".earup-hidden[role=status]").inner_text() == "0.65 s, 4.50 kHz, kept"


@pytest.mark.parametrize("bad", [{"rows": 0}, {"rows": 1000, "cols": 100}, {"high": 9}])
def test_a_grid_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match="cells"):
        explore.brush("keep", "Mask", **{"panel": 0, "rows": 8, "cols": 10, "high": 1} | bad)
