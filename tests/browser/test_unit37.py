"""Unit 37 in a real JupyterLab: the walk is solved by the keyboard, and not with one step, nor with
many.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import win
from tests.browser.sweep import shot

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "37_after_the_three.ipynb"


def test_the_walk_reaches_the_ring_with_few_steps(lab):
    lab.page.set_default_timeout(60_000)
    scene = lab.page.locator(".earup-scene").first
    steps, shape = scene.get_by_role("slider", name="Steps"), scene.locator("select").first
    win(
        lab.page,
        (steps, "Home", "1 step: 1.00 away on average", False),
        (steps, "ArrowUp*5", "6 steps: 0.04 away on average", True),
        (shape, "ArrowDown", "6 steps", True),
        (steps, "ArrowUp*4", "10 steps", False),
    )
    shot(scene, "37_stage")
    assert lab.errors == []
