"""Unit 56 in a real JupyterLab: a hum fitted to its tune by hand, partials weighed until the tune is
found, and a cover turned into the key of its song, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "56_melody.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    grid(lab.page)
    weigh(lab.page)
    turn(lab.page)
    assert lab.errors == []


def grid(page):
    """The hum must be shortened by almost two seconds and raised by eighteen semitones."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    end = scene.get_by_role("slider", name="End of the line")
    middle = scene.get_by_role("slider", name="Middle of the line")
    win(
        page,
        (middle, "PageUp*18", "its middle lies at 68.5. Mean distance: 3.39", False),
        (end, "PageDown*2 ArrowRight*3", "Mean distance: 0.85 semitones", True),
        (middle, "PageUp", "its middle lies at 69.5", False),
    )
    shot(scene, "56_grid")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def weigh(page):
    """With equal weights the octave below wins, with falling ones the flute."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    weight = scene.get_by_role("slider", name="Weight")
    count = scene.get_by_role("slider", name="Number of partials")
    win(
        page,
        (weight, "PageDown*2", "6 partials, weight 0.60: right in 58%", False),
        (weight, "PageDown ArrowDown", "6 partials, weight 0.35: right in 73%", True),
        (count, "Home", "1 partial, weight 0.35: right in 69%", False),
        scene=1,
    )
    shot(scene, "56_weigh")


def turn(page):
    """Six semitones up, and not a fifth beside it."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    k = scene.get_by_role("slider", name="Raised by")
    win(
        page,
        (k, "ArrowRight", "Raised by 1: cosine 0.882", False),
        (k, "PageUp ArrowRight*2", "Raised by 6: cosine 0.953", True),
        (k, "ArrowRight", "Raised by 7: cosine 0.593", False),
        scene=2,
    )
    shot(scene, "56_turn")
