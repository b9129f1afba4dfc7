"""Unit 10 in a real JupyterLab: its challenge is won by keyboard, and not by a near miss."""

from pathlib import Path

from tests.browser.sweep import sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "10_sound_and_samples.ipynb"


def test_the_challenge_is_won_by_keyboard_and_not_by_a_near_miss(lab):
    scene = lab.page.locator(".earup-scene").first
    handle = scene.locator("[role=slider]")
    handle.press("Home")
    says = (
        "([text, there]) => document.querySelector('.earup-scene').innerText.includes(text) === "
        "there"
    )
    for _ in range(14):
        handle.press("PageUp")
    lab.page.wait_for_function(says, arg=["A tone of 7100 Hz", True])
    assert "heard at 900 Hz" in scene.inner_text() and "Yes:" not in scene.inner_text()
    for _ in range(2):
        handle.press("ArrowLeft")
    lab.page.wait_for_function(says, arg=["Yes: 7000 Hz and 1000 Hz leave the same samples.", True])
    handle.press("ArrowLeft")
    lab.page.wait_for_function(says, arg=["Yes:", False])
    assert lab.errors == []


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
