"""Unit 52 in a real JupyterLab: a threshold suits the strings, a wrong tempo fits better than the
right one, and a stubbornness serves two pieces, all by keyboard; near misses are refused. What is
tapped reaches Python.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "52_beats.ipynb"


def test_three_stages_are_won_by_keyboard_and_taps_reach_python(lab):
    lab.page.set_default_timeout(60_000)
    tap(lab)
    threshold(lab.page)
    tempo(lab.page)
    stubborn(lab.page)
    assert lab.errors == []


def tap(lab):
    """Three presses of the space bar, and Escape: Python has three times."""
    page = lab.page
    box = page.locator(".earup-tapper").first
    box.scroll_into_view_if_needed()
    box.get_by_role("button", name="Play and tap").press("Enter")
    page.wait_for_function("() => document.querySelector('.earup-tapper').__earup.run")
    for _ in range(3):
        page.keyboard.press("Space")
    page.keyboard.press("Escape")
    box.get_by_text("3 taps").wait_for()
    shot(box, "52_tapper")
    lab.page.wait_for_function(
        "() => document.querySelector('.earup-tapper').__earup.taps.length === 3"
    )
    assert lab.python("print(len(tap_song.times))").strip() == "3"


def threshold(page):
    """0.5 finds eight notes of the piano and one of the strings; 0.2 serves both."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    level, instrument = scene.get_by_role("slider", name="Threshold"), scene.locator("select").first
    win(
        page,
        (instrument, "ArrowDown*3", "strings: 1 found, 12 in the score", False),
        (level, "PageDown*3", "strings: 7 found, 12 in the score", True),
        (level, "PageDown", "strings: 30 found", False),
    )
    shot(scene, "52_threshold")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def tempo(page):
    """The tempo of the score fits hardly; twice as fast fits best."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    bpm = scene.get_by_role("slider", name="Tempo")
    win(
        page,
        (bpm, "PageUp*4", "115 BPM fits with 0.12", False),
        (bpm, "PageUp*11", "225 BPM fits with 0.99", True),
        (bpm, "PageUp", "235 BPM fits with 0.47", False),
        scene=1,
    )
    shot(scene, "52_tempo")


def stubborn(page):
    """2 stumbles on the steady piece, 8 loses the other one."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    weight = scene.get_by_role("slider", name="Stubbornness")
    win(
        page,
        (weight, "PageUp*2", "F of the tracker 0.83 steady", False),
        (weight, "PageUp", "F of the tracker 1.00 steady, 0.89 speeding up", True),
        (weight, "PageUp", "F of the tracker 1.00 steady, 0.72 speeding up", False),
        scene=2,
    )
    shot(scene, "52_stubborn")
