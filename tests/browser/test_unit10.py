"""Unit 10 in a real JupyterLab: its challenge is won by keyboard, and not by a near miss."""

from pathlib import Path

from tests.browser.scenes import win

PAGE = Path(__file__).parents[2] / "notebooks" / "10_sound_and_samples.ipynb"


def test_the_challenge_is_won_by_keyboard_and_not_by_a_near_miss(lab):
    handle = lab.page.locator(".earup-scene").first.locator("[role=slider]")
    win(
        lab.page,
        (handle, "Home PageUp*14", "A tone of 7100 Hz", False),
        (handle, "", "heard at 900 Hz", False),
        (handle, "ArrowLeft*2", "Yes: 7000 Hz and 1000 Hz leave the same samples.", True),
        (handle, "ArrowLeft", "A tone of 6950 Hz", False),
    )
    assert lab.errors == []
