"""Unit 33 in a real JupyterLab: the scrubber is heard, played and won by keyboard; the blind test
takes answers.
"""

from pathlib import Path

import numpy as np

from tests.browser.scenes import samples, says, sounds, win
from tests.browser.sweep import look_at_the_stage

PAGE = Path(__file__).parents[2] / "notebooks" / "33_setting2_griffin_lim.ipynb"


def test_the_scrubber_is_played_and_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    look_at_the_stage(lab, "unit33_scrubber", height=1500)
    hear_it(lab.page)
    play(lab.page)
    blind(lab.page)
    assert lab.errors == []


def hear_it(page):
    """The loop sounds at the level of a voice, goes on through every switch, and Escape ends it."""
    scene = page.locator(".earup-scene").first
    says(
        page,
        "Start random, momentum 0: −4.2 dB before any round, −9.0 dB after 1. You hear: this "
        "round.",
    )
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.005)
    listen = scene.locator("select").nth(2)
    for heard in ("before any round", "recording"):
        listen.press("ArrowDown")
        says(page, f"You hear: {heard}.")
        sounds(page, above=0.005)
        assert 20 * np.log10(np.abs(samples(page)).max()) < -12
    for _ in range(2):
        listen.press("ArrowUp")
    says(page, "You hear: this round.")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.earup-scene').__earup.playing")


def play(page):
    """Refused: no momentum, too much, a stop too few or too many, another start. 0.99 at 16 wins."""
    scene = page.locator(".earup-scene").first
    start, momentum = (scene.locator("select").nth(i) for i in range(2))
    rounds = scene.get_by_role("slider", name="Rounds").first
    won = "Yes: −20.6 dB after 16 rounds."
    win(
        page,
        (rounds, "PageUp*2", "−15.8 dB after 16.", False),
        (momentum, "ArrowDown*4", "momentum 1.2:", False),
        (momentum, "ArrowUp", won, True),
        (rounds, "ArrowLeft", "−18.5 dB after 11.", False),
        (rounds, "ArrowRight", won, True),
        (rounds, "ArrowRight", "−25.1 dB after 23.", False),
        (rounds, "ArrowLeft", won, True),
        (start, "ArrowDown", "Start zero, momentum 0.99:", False),
        (start, "ArrowDown", "Start gradient, momentum 0.99:", False),
    )


def blind(page):
    """The blind test stands there, and tells no answer before it has begun."""
    test = page.locator(".earup-blind").first
    assert "Blind test: is X the sound A or the sound B?" in test.inner_text()
    assert "of 12 right" not in test.inner_text()
