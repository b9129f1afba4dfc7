"""Unit 12 in a real JupyterLab: its challenges are won by keyboard, and not by a near miss."""

from pathlib import Path

from tests.browser.sweep import sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "12_pitch.ipynb"
SAYS = "([i, text]) => document.querySelectorAll('.earup-scene')[i].innerText.includes(text)"


def test_both_challenges_are_won_by_keyboard_and_not_by_a_near_miss(lab):
    lab.page.set_default_timeout(15000)
    climb_the_ladder(lab.page)
    part_the_tones(lab.page)
    assert lab.errors == []


def press(scene, *keys):
    """Press keys on the handle of a scene."""
    for key in keys:
        scene.locator("[role=slider]").press(key)


def climb_the_ladder(page):
    """In mel, 400 Hz is too low and 800 Hz is high enough; in semitones nothing is won."""
    scene = page.locator(".earup-scene").nth(0)
    press(scene, "Home", "PageUp", "PageUp")
    page.wait_for_function(SAYS, arg=[0, "Equal steps in mel from 400 Hz"])
    assert "Yes:" not in scene.inner_text()
    press(scene, "PageUp")
    page.wait_for_function(SAYS, arg=[0, "Yes: from 800 Hz on."])
    scene.locator("select").press("ArrowDown")
    page.wait_for_function(SAYS, arg=[0, "Equal steps in semitones from 800 Hz"])
    assert "Yes:" not in scene.inner_text()


def part_the_tones(page):
    """Around 4000 Hz a gap of 512 Hz is too wide for one ERB, and 450 Hz is one within 3 %."""
    scene = page.locator(".earup-scene").nth(1)
    for _ in range(2):
        scene.locator("select").press("ArrowDown")
    press(scene, "Home", *["PageUp"] * 9)
    page.wait_for_function(SAYS, arg=[1, "lie 512 Hz apart: 1.12 ERB"])
    assert "Yes:" not in scene.inner_text()
    press(scene, *["ArrowLeft"] * 3)
    page.wait_for_function(SAYS, arg=[1, "Yes: 450 Hz."])


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
