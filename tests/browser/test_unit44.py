"""Unit 44 in a real JupyterLab: a dot of the score is dragged, heard, and the voice asks by keys."""

from pathlib import Path

import pytest

from tests.browser.scenes import says, sounds, win
from tests.browser.sweep import shot

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "44_synthesis.ipynb"


def test_the_voice_asks_by_its_pitch_alone(lab):
    lab.page.set_default_timeout(120_000)
    scene = lab.page.locator(".earup-scene").first
    scene.scroll_into_view_if_needed()
    says(lab.page, "the last word ends at 120 Hz, the one before at 150 Hz.")
    last = scene.get_by_role("slider", name="Pitch at the end of “voice”")
    long = scene.get_by_role("slider", name="End of “voice”", exact=True)
    win(
        lab.page,
        (last, "PageUp*3", "the last word ends at 180 Hz", False),
        (last, "PageUp*2", "the last word ends at 220 Hz", True),
        (last, "Home", "the last word ends at 80 Hz", False),
        (last, "End", "the last word ends at 320 Hz", True),
        (long, "End", "the last word ends at 320 Hz", True),
    )
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(lab.page, above=0.05)
    shot(scene, "44_score")
    assert scene.bounding_box()["height"] <= 620
    assert lab.errors == []
