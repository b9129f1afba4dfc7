"""Unit 11 in a real JupyterLab: its challenge is won by keyboard, and whoever cannot listen still
gets a result.
"""

from pathlib import Path

from tests.browser.scenes import win

PAGE = Path(__file__).parents[2] / "notebooks" / "11_loudness.ipynb"


def test_the_challenge_is_won_by_keyboard_and_a_simulated_listener_takes_the_experiment(lab):
    turn_the_volume_down(lab.page)
    let_somebody_else_listen(lab.page)
    assert lab.errors == []


def turn_the_volume_down(page):
    """14 dB are too little, 17 dB leave the bass half as loud, 20 dB are too much."""
    handle = page.locator(".earup-scene").first.locator("[role=slider]").first
    win(
        page,
        (handle, "End ArrowDown*14", "14 dB down: 1 kHz has 66 phon", False),
        (handle, "ArrowDown*3", "17 dB down: 1 kHz has 63 phon", True),
        (handle, "ArrowDown*3", "20 dB down: 1 kHz has 60 phon, 63 Hz 48 phon", False),
    )
    assert handle.get_attribute("aria-valuenow") == "60"


def let_somebody_else_listen(page):
    """The button shows a result, in words and as a picture."""
    page.get_by_role("button", name="Show a simulated listener instead").first.click()
    page.get_by_text("A simulated listener, not you.").first.wait_for()
    page.get_by_text("The loudness level [phon] is not identifiable").first.wait_for()
