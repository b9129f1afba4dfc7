"""Unit 53 in a real JupyterLab: a chord that is two chords, the best path through a trellis, and a
program that is stubborn enough, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "53_chords.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    chord(lab.page)
    trellis(lab.page)
    stubborn(lab.page)
    assert lab.errors == []


def chord(page):
    """C, E and G are C major; with G# nobody can say, and on a trumpet not even with G."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    high, instrument = scene.get_by_role("slider", name="High note"), scene.locator("select").first
    win(
        page,
        (high, "ArrowLeft", "C3 E3 F#3 on piano", False),
        (high, "ArrowRight*2", "C3 E3 G#3 on piano: E:maj 0.68, then C:maj 0.68", True),
        (instrument, "ArrowDown", "C3 E3 G#3 on trumpet", True),
        (high, "ArrowLeft", "C3 E3 G3 on trumpet: E:min 0.83, then C:maj 0.82", True),
    )
    shot(scene, "53_chord")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def trellis(page):
    """From the likeliest chord of each frame to the best path."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()

    def frame(k):
        return scene.get_by_role("slider", name=f"Chord of frame {k}")

    win(
        page,
        (frame(1), "ArrowUp", "Am Am F F C F C C", False),
        (frame(5), "ArrowUp*2", "Am Am F F F F C C", False),
        (frame(7), "ArrowUp*2", "Am Am F F F F F C", False),
        (frame(8), "ArrowUp*2", "Am Am F F F F F F: the sum is −9.14", True),
        scene=1,
    )
    shot(scene, "53_trellis")


def stubborn(page):
    """Without memory it stumbles, too much of it swallows the chords."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    s = scene.get_by_role("slider", name="Stubbornness")
    win(
        page,
        (s, "PageUp*2", "Leaves with 0.01: 9 stretches (8 in the score), 98%", True),
        (s, "End", "37% of the seconds right", False),
        scene=2,
    )
    shot(scene, "53_stubbornness")
