"""Unit 42 in a real JupyterLab: a frame is dragged through the heads and won by keyboard."""

from pathlib import Path

import pytest

from tests.browser.scenes import says, win
from tests.browser.sweep import look_at_the_stage

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "42_attention.ipynb"


def test_a_frame_is_dragged_through_the_heads_by_keyboard(lab):
    lab.page.set_default_timeout(120_000)
    play(lab.page)
    look_at_the_stage(lab, "unit42_frame", height=1100)
    assert lab.errors == []


def play(page):
    """Refused: the start, another frame, a head that looks far, the winner without positions."""
    scene = page.locator(".earup-scene").first
    scene.scroll_into_view_if_needed()
    says(page, "The frame at 720 ms looks at")
    handle = scene.get_by_role("slider", name="Frame that asks").first
    head = scene.locator("select").first
    positions = scene.get_by_role("checkbox", name="Positions")
    win(
        page,
        (handle, "ArrowRight", "The frame at 760 ms looks at", False),
        (head, "ArrowDown", "The frame at 760 ms looks at", False),
        (head, "ArrowDown*3", "All frames of this head look 1", True),
        (positions, "Space", "All frames of this head look", False),
        (positions, "Space", "All frames of this head look 1", True),
    )
