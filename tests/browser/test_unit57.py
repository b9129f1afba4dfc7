"""Unit 57 in a real JupyterLab: two rulers, a component that is one note, and a third that is taken
out of a chord, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "57_decomposition.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    rulers(lab.page)
    component(lab.page)
    third(lab.page)
    assert lab.errors == []


def rulers(page):
    """Forty hertz are too few; with a wider one and a shorter one along time it is won."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    along = scene.get_by_role("slider", name="Along time")
    up = scene.get_by_role("slider", name="Along frequency")
    win(
        page,
        (along, "ArrowLeft", "31 frames", False),
        (up, "PageUp", "13 bins", False),
        (along, "PageDown", "bins: SDR of the music 14.", True),
    )
    shot(scene, "57_rulers")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.01)
    page.keyboard.press("Escape")


def component(page):
    """Of three components none is a note; of six, the last one is."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    rank = scene.get_by_role("slider", name="Rank")
    which = scene.get_by_role("slider", name="Component")
    win(
        page,
        (rank, "ArrowRight", "Rank 4 (error", False),
        (rank, "ArrowRight*2", "Rank 6 (error", False),
        (which, "End", "component 6: nearest to A3", True),
        scene=1,
    )
    shot(scene, "57_component")


def third(page):
    """The E of the last chord has nine columns; three of them too few are refused."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    brush = scene.get_by_role("application")
    win(
        page,
        (brush, "ArrowDown*5 ArrowUp*3 ArrowLeft*26 ArrowRight*24 Space", "SDR of the last", False),
        (brush, "ArrowLeft*3 Space", "SDR of the last", False),
        (brush, "ArrowLeft*3 Space", "before it, nothing is changed", True),
        scene=2,
    )
    shot(scene, "57_third")
