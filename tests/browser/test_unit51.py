"""Unit 51 in a real JupyterLab: a path is dragged into the valley, a good rule in a narrow band is
found, and a query that fits twice, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "51_synchronisation.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    draw(lab.page)
    rule(lab.page)
    ask(lab.page)
    assert lab.errors == []


def draw(page):
    """Four points move into the valley; before the last one the path is still too dear."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    p1, p2, p3, p4, p5 = (
        scene.get_by_role("slider", name=f"Point {k}", exact=True) for k in range(1, 6)
    )
    win(
        page,
        (p1, "ArrowDown", "Your beats are off by", False),
        (p2, "ArrowDown", "Your beats are off by", False),
        (p3, "ArrowUp*3", "Your beats are off by", False),
        (p4, "PageUp", "off by 69 ms", False),
        (p5, "ArrowUp*4", "off by 22 ms", True),
        (p3, "PageUp*3", "Your beats are off by", False),
        (p3, "PageDown*3", "off by 22 ms", True),
    )
    shot(scene, "51_draw")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def rule(page):
    """MFCC and a bad rule lose the piece; the good pair wins in a narrow band, and in no other."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    band = scene.get_by_role("slider", name="Band")
    feature, steps = (scene.locator("select").nth(k) for k in (0, 1))
    win(
        page,
        (feature, "ArrowUp*2", "chroma, compressed, diagonal pays twice, band 12.0 s", False),
        (
            steps,
            "ArrowUp",
            "no standing still, band 12.0 s: median 43 ms, 95 % below 161 ms",
            False,
        ),
        (band, "PageDown*11 ArrowUp*5", "band 1.5 s", True),
        (band, "Home", "band 0.3 s", False),
        (band, "ArrowUp*9", "band 1.2 s", True),
        scene=1,
    )
    shot(scene, "51_rules")


def ask(page):
    """Half a second fits in four places, a good second in two."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    start, stop = (
        scene.get_by_role("slider", name=name, exact=True) for name in ("Beginning", "End")
    )
    win(
        page,
        (stop, "ArrowRight*4", "Query of 1.0 s", False),
        (start, "PageUp", "Query of 0.4 s", False),
        (stop, "PageUp", "Query of 1.0 s", True),
        (stop, "PageUp*4", "Query of 5.0 s", False),
        scene=2,
    )
    shot(scene, "51_where")
