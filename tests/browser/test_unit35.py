"""Unit 35 in a real JupyterLab: the field is dragged and won by keyboard, a loss is trained, a
voice is delayed.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import chosen, says
from tests.browser.sweep import SHOTS, sweep
from tests.browser.test_recorder import FAKE

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "35_setting3_end_to_end.ipynb"
FLAGS = FAKE  # a microphone


def test_the_field_is_won_by_keyboard_a_loss_trained_and_a_voice_delayed(lab):
    lab.page.set_default_timeout(120_000)
    win(lab.page)
    look_at(lab)
    late(lab.page)
    learn(lab)
    assert lab.errors == []


def win(page):
    """Refused: the start, a wide field with a long latency, one with holes. Causal, strided,
    doubling wins.
    """
    scene = page.locator(".earup-scene").first
    scene.scroll_into_view_if_needed()
    says(page, "Field by formula: 66 samples; by trying: 66, 66 of them count.")
    handle = scene.get_by_role("slider", name="Output sample").first
    handle.press("ArrowRight")
    says(page, "can change output 21.")
    pattern, _, kernel, stride = (scene.locator("select").nth(i) for i in range(4))
    for menu in (kernel, stride):
        menu.press("ArrowDown")
    says(page, "Field by formula: 252 samples; by trying: 252, 252 of them count.")
    says(page, "latency: 128 samples")
    says(page, "Yes:", False)
    scene.get_by_role("checkbox", name="Causal").press("Space")
    says(page, "Yes: 252 samples, every one counts, latency 8 samples.")
    for _ in range(2):
        pattern.press("ArrowDown")
    says(page, "Field by formula: 268 samples; by trying: 268,")
    says(page, "Yes:", False)


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


def look_at(lab):
    """Keep what a learner sees of the stage, in both themes."""
    SHOTS.mkdir(exist_ok=True)
    for theme in ("Light", "Dark"):
        lab.command("apputils:change-theme", {"theme": f"JupyterLab {theme}"})
        lab.page.set_viewport_size({"width": 1280, "height": 1100})
        lab.page.locator(".earup-scene").first.scroll_into_view_if_needed()
        lab.screenshot(SHOTS / f"unit35_field_{theme.lower()}.png")


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
