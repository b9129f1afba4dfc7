"""Unit 50 in a real JupyterLab: the clarinet is misnamed, a quarter of a chord is lost, and stairs go
down, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "50_chroma.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    fold(lab.page)
    detune(lab.page)
    climb(lab.page)
    assert lab.errors == []


def fold(page):
    """A piano's C is a C, a clarinet's is an E, an oboe's is a C again."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    note, instrument = scene.get_by_role("slider", name="Note"), scene.locator("select").first
    win(
        page,
        (note, "ArrowRight*2", "piano, D4: the strongest class is D", False),
        (note, "ArrowLeft*2", "piano, C4: the strongest class is C", False),
        (instrument, "ArrowDown", "clarinet, C4: the strongest class is E", True),
        (instrument, "ArrowDown", "oboe, C4: the strongest class is C", False),
    )
    shot(scene, "50_fold")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def detune(page):
    """40 cents cost little, 47 a quarter; with the borders corrected nothing is lost."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    cents = scene.get_by_role("slider", name="Too high by")
    win(
        page,
        (cents, "PageUp*4", "+40 cents: 89% of the power", False),
        (cents, "ArrowRight*7", "+47 cents", True),
        (cents, "End", "+50 cents: 52% of the power in C, E and G. The nearest chord", False),
        (scene.get_by_role("checkbox"), "Space", "+50 cents: 92% of the power", False),
        scene=1,
    )
    shot(scene, "50_detune")


def climb(page):
    """Nine up go down, if you hear it so."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    step, heard = scene.get_by_role("slider", name="Step"), scene.locator("select").first
    win(
        page,
        (step, "ArrowRight*8", "9 up is 3 down. After 4 steps", False),
        (heard, "ArrowDown", "You hear it go up: the longer way", False),
        (heard, "ArrowDown", "You hear it go down: as most people do", True),
        scene=2,
    )
    shot(scene, "50_stairs")
