"""Unit 32 in a real JupyterLab: a mask is painted by keyboard and wins; a network is trained and
stopped.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import hold, sounds, stands, win

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "32_setting1_original_phase.ipynb"


def test_the_mask_is_painted_by_keyboard_and_a_network_trained(lab):
    lab.page.set_default_timeout(60_000)
    paint(lab.page)
    learn(lab)
    assert lab.errors == []


def paint(page):
    """The two rows of the beep alone do not win; with the lowest row they do; one more loses it."""
    scene = page.locator(".earup-scene").first
    scene.scroll_into_view_if_needed()
    high, wide = (scene.locator("input[type=range]").nth(i) for i in range(2))
    wide.press("End")
    brush = scene.get_by_role("application")
    rows = "ArrowUp"  # from row 8 to row 9; the brush is two rows high
    win(
        page,
        (brush, f"{rows} Space", "SI-SDR rises by 8.7 dB with your mask", False),
        (high, "Home", "SI-SDR rises by 8.7 dB with your mask", False),
        (brush, "ArrowDown*9 Space", "Yes: 15.4 dB", True),
        (brush, "ArrowUp Space", "SI-SDR rises by 3.0 dB with your mask", False),
        (brush, "u", "Yes: 15.4 dB", True),
    )
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.01)
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.earup-scene').__earup.playing")


def learn(lab):
    """Start, watch the step count, stop; what was made can be heard."""
    page = lab.page
    box = page.locator(".earup-running").filter(has_text="Train in").first
    box.scroll_into_view_if_needed()
    hold(lab, step=40)
    box.get_by_role("button", name="Start").press("Enter")
    box.get_by_text("running, 120 steps").wait_for()
    stop = box.get_by_role("button", name="Stop")
    stands(lab, step=40)
    page.wait_for_function("b => !b.disabled", arg=stop.element_handle())
    stop.press("Enter")
    box.get_by_text("40 of 120 steps in").wait_for()
    page.locator(".earup-player").filter(has_text="change of SI-SDR: rain").wait_for()
