"""Unit 55 in a real JupyterLab: a second that is enough, a song sunk in noise, an octave at the
wrong speed, all by keyboard; near misses are refused.
"""

from pathlib import Path

from tests.browser.scenes import sounds, win
from tests.browser.sweep import shot

PAGE = Path(__file__).parents[2] / "notebooks" / "55_fingerprints.ipynb"


def test_three_stages_are_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    votes(lab.page)
    sky(lab.page)
    wear(lab.page)
    assert lab.errors == []


def votes(page):
    """A stretch without noise does not count, nor one second; 0.4 s at the right place do."""
    scene = page.locator(".earup-scene").nth(0)
    scene.scroll_into_view_if_needed()
    start = scene.get_by_role("slider", name="Beginning of the stretch")
    length = scene.get_by_role("slider", name="Length of the stretch")
    win(
        page,
        (length, "PageDown*2 ArrowLeft*6", "0.4 s from 4.0 s", False),
        (scene.locator("select").first, "ArrowDown", "0.4 s from 4.0 s", False),
        (start, "ArrowLeft", "0.4 s from 3.9 s", True),
    )
    shot(scene, "55_votes")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    page.keyboard.press("Escape")


def sky(page):
    """White noise down to −2 dB, pink noise to −4 dB."""
    scene = page.locator(".earup-scene").nth(1)
    scene.scroll_into_view_if_needed()
    snr = scene.get_by_role("slider", name="Signal-to-noise ratio")
    win(
        page,
        (snr, "PageDown*4", "0 dB, white:", False),
        (snr, "ArrowLeft*2", "−2 dB, white:", True),
        (scene.locator("select").first, "ArrowDown", "−2 dB, pink:", False),
        (snr, "ArrowLeft*2", "−4 dB, pink:", True),
        scene=1,
    )
    shot(scene, "55_sky")


def wear(page):
    """All of the spectrum at the wrong speed does not count, a band at the right speed neither."""
    scene = page.locator(".earup-scene").nth(2)
    scene.scroll_into_view_if_needed()
    speed = scene.get_by_role("slider", name="Tape faster by")
    low = scene.get_by_role("slider", name="Lowest frequency")
    high = scene.get_by_role("slider", name="Highest frequency")
    win(
        page,
        (high, "PageDown", "50 to 2000 Hz", False),
        (low, "PageUp*3 ArrowRight*4", "504 to 2000 Hz", False),
        (speed, "ArrowLeft*3", "−0.3 %, 504 to 2000 Hz", True),
        (speed, "ArrowLeft*4", "−0.7 %, 504 to 2000 Hz", False),
        scene=2,
    )
    shot(scene, "55_wear")
