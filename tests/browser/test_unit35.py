"""Unit 35 in a real JupyterLab: the field is dragged and won by keyboard, a loss is trained, a
voice is delayed.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import chosen, says, win
from tests.browser.sweep import look_at_the_stage

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "35_setting3_end_to_end.ipynb"


def test_the_field_is_won_by_keyboard_a_loss_trained_and_a_voice_delayed(lab):
    lab.page.set_default_timeout(120_000)
    play(lab.page)
    look_at_the_stage(lab, "unit35_field", height=1100)
    late(lab.page)
    learn(lab)
    assert lab.errors == []


def play(page):
    """Refused: the start, a wide field with a long latency, one with holes. Causal wins."""
    scene = page.locator(".earup-scene").first
    scene.scroll_into_view_if_needed()
    says(page, "Field by formula: 66 samples; by trying: 66, 66 of them count.")
    handle = scene.get_by_role("slider", name="Output sample").first
    pattern, _, kernel, stride = (scene.locator("select").nth(i) for i in range(4))
    win(
        page,
        (handle, "ArrowRight", "can change output 21.", False),
        (kernel, "ArrowDown", "Field by formula", False),
        (stride, "ArrowDown", "252 samples; by trying: 252, 252 of them count.", False),
        (stride, "", "latency: 128 samples", False),
        (scene.get_by_role("checkbox", name="Causal"), "Space", "Yes: 252 samples", True),
        (stride, "", "Yes: 252 samples, every one counts, latency 8 samples.", True),
        (pattern, "ArrowDown*2", "Field by formula: 268 samples; by trying: 268,", False),
    )


def late(page):
    """The widget of the page opens a microphone muted, and Escape closes it."""
    box = page.locator(".earup-talkback")
    box.scroll_into_view_if_needed()
    box.get_by_role("button", name="Open the microphone, muted").press("Enter")
    box.get_by_text("Open and muted.").wait_for()
    assert box.get_by_role("button", name="Unmute").is_disabled()
    page.keyboard.press("Escape")
    box.get_by_text("Closed.").wait_for()


def learn(lab):
    """Another loss is started and comes to its end; what it made can be heard."""
    page = lab.page
    box = page.locator(".earup-running").filter(has_text="SI-SDR").first
    box.scroll_into_view_if_needed()
    box.locator("select").first.press("ArrowDown")
    chosen(lab, "loss", lab.python("print(list(LOSSES)[1])").strip())
    box.get_by_role("button", name="Start").press("Enter")
    box.get_by_text("80 of 80 steps in").wait_for()
    page.locator(".earup-player").filter(has_text="all at one level").wait_for()
