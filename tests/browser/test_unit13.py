"""Unit 13 in a real JupyterLab: its challenges are won by keyboard, and not by a near miss."""

from pathlib import Path

from tests.browser.scenes import says, win

PAGE = Path(__file__).parents[2] / "notebooks" / "13_voices_and_masking.ipynb"


def test_all_four_challenges_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(30_000)
    pluck_the_note(lab.page)
    turn_ah_into_ee(lab.page)
    find_eight_apart(lab.page)
    find_the_narrowest_notch(lab.page)
    assert lab.errors == []


def pluck_the_note(page):
    """A short attack alone does not pluck; without sustain, and with a long decay, it does."""
    scene = page.locator(".earup-scene").nth(0)
    attack, sustain = (scene.locator("[role=slider]").nth(i) for i in (0, 1))
    decay = scene.locator("input[type=range]").first
    win(
        page,
        (attack, "Home", "Attack 5 ms, decay 100 ms, sustain 0.90", False),
        (sustain, "Home", "sustain 0.00", False),
        (decay, "End", "decay 290 ms", True),
    )


def turn_ah_into_ee(page):
    """F1 alone does not do it."""
    scene = page.locator(".earup-scene").nth(1)
    F1, F2 = (scene.locator("[role=slider]").nth(i) for i in (0, 1))
    says(page, "The nearest vowel of the table is ah.", scene=1)
    win(
        page,
        (F1, "Home PageUp", "F1 238 Hz", False),
        (F1, "ArrowRight*4", "F1 267 Hz", False),
        (F2, "Home PageUp*7 ArrowUp*4", "F2 2265 Hz. The nearest vowel of the table is ee.", True),
        scene=1,
    )


def find_eight_apart(page):
    """At 180 Hz seven harmonics stand apart, a step higher eight, and far above it is no voice."""
    scene = page.locator(".earup-scene").nth(2)
    f0 = scene.locator("[role=slider]")
    win(
        page,
        (f0, "Home PageUp*6 ArrowRight*2", "F0 180 Hz: 7 of 25", False),
        (f0, "ArrowRight", "Yes: 185 Hz.", True),
        (f0, "PageUp", "F0 220 Hz: 8 of 25", False),
        scene=2,
    )


def find_the_narrowest_notch(page):
    """At −60 dBFS 150 Hz are too narrow, and 250 Hz wider than is needed."""
    scene = page.locator(".earup-scene").nth(3)
    notch = scene.locator("[role=slider]")
    tone = scene.locator("input[type=range]").first
    for _ in range(14):
        tone.press("ArrowLeft")
    says(page, "tone −63.0 dBFS", scene=3)
    win(
        page,
        (notch, "Home PageUp*3", "The tone lies", False),
        (notch, "ArrowRight*6", "Yes: just enough.", True),
        (notch, "PageUp*2", "above it.", False),
        scene=3,
    )
