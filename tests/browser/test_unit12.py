"""Unit 12 in a real JupyterLab: its challenges are won by keyboard, and not by a near miss."""

from pathlib import Path

from tests.browser.scenes import win

PAGE = Path(__file__).parents[2] / "notebooks" / "12_pitch.ipynb"


def test_both_challenges_are_won_by_keyboard_and_not_by_a_near_miss(lab):
    lab.page.set_default_timeout(15000)
    climb_the_ladder(lab.page)
    part_the_tones(lab.page)
    assert lab.errors == []


def climb_the_ladder(page):
    """In mel, 400 Hz is too low and 800 Hz is high enough; in semitones nothing is won."""
    scene = page.locator(".earup-scene").nth(0)
    handle = scene.locator("[role=slider]")
    win(
        page,
        (handle, "Home PageUp*2", "Equal steps in mel from 400 Hz", False),
        (handle, "PageUp", "Yes: from 800 Hz on.", True),
        (scene.locator("select"), "ArrowDown", "Equal steps in semitones from 800 Hz", False),
    )


def part_the_tones(page):
    """Around 4000 Hz a gap of 512 Hz is too wide for one ERB, and 450 Hz is one within 3 %."""
    scene = page.locator(".earup-scene").nth(1)
    handle = scene.locator("[role=slider]")
    scene.locator("select").press("ArrowDown")
    scene.locator("select").press("ArrowDown")
    win(
        page,
        (handle, "Home PageUp*9", "lie 512 Hz apart: 1.12 ERB", False),
        (handle, "ArrowLeft*3", "Yes: 450 Hz.", True),
        scene=1,
    )
