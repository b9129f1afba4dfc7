"""Unit 00 in a real JupyterLab: the whole game. Four tracks sound, and a whistle is painted away."""

from pathlib import Path

from tests.browser.scenes import sounds, win

PAGE = Path(__file__).parents[2] / "notebooks" / "00_start_here.ipynb"


def test_the_game_is_heard_and_won(lab):
    page = lab.page
    page.set_default_timeout(60_000)
    scene = page.locator(".earup-scene").filter(has_text="Paint the whistle away")
    scene.scroll_into_view_if_needed()
    brush = scene.get_by_role("application")
    down = "ArrowDown"  # from row 16, in the middle, to rows 14 and 15: 1.75 to 2 kHz
    scene.locator("input[type=range]").nth(1).press("End")  # as wide as the picture
    win(
        page,
        (brush, "Space", "0% of the whistle is gone", False),
        (brush, f"u {down} {down} Space", "Yes: you have done by hand what Setting 1 does", True),
        (brush, "u", "0% of the whistle is gone, and 0% of the voice with it.", False),
    )
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.01)
    page.keyboard.press("Escape")
    assert lab.errors == []
