"""Unit 33 in a real JupyterLab: the scrubber is heard, played and won by keyboard; the blind test
takes answers.
"""

from pathlib import Path

import numpy as np

from tests.browser.scenes import samples, says, sounds
from tests.browser.sweep import SHOTS, sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "33_setting2_griffin_lim.ipynb"


def test_the_scrubber_is_played_and_won_by_keyboard(lab):
    lab.page.set_default_timeout(60_000)
    look_at(lab)
    hear_it(lab.page)
    win(lab.page)
    blind(lab.page)
    assert lab.errors == []


def hear_it(page):
    """The loop sounds at the level of a voice, goes on through every switch, and Escape ends it."""
    scene = page.locator(".earup-scene").first
    says(
        page,
        "Start random, momentum 0: −4.1 dB before any round, −8.4 dB after 1. You hear: this "
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


def win(page):
    """Refused: no momentum, too much of it, one stop too few, one too many, another start. 0.99 at
    16 rounds wins.
    """
    scene = page.locator(".earup-scene").first
    start, momentum = (scene.locator("select").nth(i) for i in range(2))
    rounds = scene.get_by_role("slider", name="Rounds").first
    for _ in range(2):
        rounds.press("PageUp")
    says(page, "−15.1 dB after 16.")
    assert "Yes:" not in scene.inner_text()
    for _ in range(4):
        momentum.press("ArrowDown")
    says(page, "momentum 1.2:")
    says(page, "Yes:", False)
    momentum.press("ArrowUp")
    says(page, "Yes: −20.6 dB after 16 rounds.")
    rounds.press("ArrowLeft")
    says(page, "−17.5 dB after 11.")
    says(page, "Yes:", False)
    rounds.press("ArrowRight")
    says(page, "Yes: −20.6 dB after 16 rounds.")
    rounds.press("ArrowRight")
    says(page, "−22.3 dB after 23.")
    says(page, "Yes:", False)
    rounds.press("ArrowLeft")
    says(page, "Yes: −20.6 dB after 16 rounds.")
    for name in ("zero", "gradient"):
        start.press("ArrowDown")
        says(page, f"Start {name}, momentum 0.99:")
        says(page, "Yes:", False)


def blind(page):
    """The blind test stands there, and tells no answer before it has begun."""
    test = page.locator(".earup-blind").first
    assert "Blind test: is X the sound A or the sound B?" in test.inner_text()
    assert "of 12 right" not in test.inner_text()


def look_at(lab):
    """Keep what a learner sees of the scrubber, in both themes."""
    SHOTS.mkdir(exist_ok=True)
    for theme in ("Light", "Dark"):
        lab.command("apputils:change-theme", {"theme": f"JupyterLab {theme}"})
        lab.page.set_viewport_size({"width": 1280, "height": 1500})
        lab.page.locator(".earup-scene").first.scroll_into_view_if_needed()
        lab.screenshot(SHOTS / f"unit33_scrubber_{theme.lower()}.png")


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
