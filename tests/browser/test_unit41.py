"""Unit 41 in a real JupyterLab, by keyboard: the threshold that meets both limits, the near misses
beside it, and what is missed is heard.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "41_keywords.ipynb"


def test_the_threshold_is_found_in_babble_and_nowhere_else(lab):
    lab.page.set_default_timeout(60_000)
    scene = lab.page.locator(".earup-scene").first
    limit = scene.get_by_role("slider", name="Threshold")
    heard, hear = (scene.locator("select").nth(k) for k in (0, 1))
    price = scene.locator("input[type=range]").first
    win(
        lab.page,
        (limit, "PageDown*4 ArrowLeft*2", "Above −2.10: 11.8 % of the words missed", False),
        (heard, "ArrowDown", "Above −2.10: 6.9 % of the words missed", True),
        (limit, "PageDown", "Above −2.60: 5.9 % of the words missed", False),
        (limit, "PageUp", "Above −2.10: 6.9 % of the words missed", True),
        (heard, "ArrowDown", "Above −2.10: 11.8 % of the words missed", False),
        (price, "ArrowRight*5", "the cheapest threshold is", False),
    )
    shot(scene, "41_threshold")
    limit.press("End")
    hear.press("ArrowDown")
    scene.get_by_role("button", name="Listen").first.press("Enter")
    sounds(lab.page, above=0.02)
    lab.page.keyboard.press("Escape")
    assert lab.errors == []
