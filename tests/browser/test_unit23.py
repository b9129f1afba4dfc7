"""Unit 23 in a real JupyterLab: its challenge is won by keyboard, wrong settings are refused, the
loop is heard.
"""

from pathlib import Path

import numpy as np

from tests.browser.scenes import samples, says, sounds, win

PAGE = Path(__file__).parents[2] / "notebooks" / "23_mel_spectrogram.ipynb"


def test_the_workbench_is_played_and_won_by_keyboard(lab):
    lab.page.set_default_timeout(20_000)
    hear_it(lab.page)
    play(lab.page)
    assert lab.errors == []


def hear_it(page):
    """The loop sounds at the level of a voice, and Escape ends it."""
    scene = page.locator(".earup-scene").first
    says(page, "128 bands (HTK) up to 8000 Hz, from 201 bins: 4 empty.")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.01)
    assert 20 * np.log10(np.abs(samples(page)).max()) < -6
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.earup-scene').__earup.playing")


def play(page):
    """Refused: too many bands, too large an error, an empty filter, not up to 8 kHz. Slaney wins."""
    scene = page.locator(".earup-scene").first
    frame, scale = scene.locator("select").nth(0), scene.locator("select").nth(1)
    end = scene.locator("[role=slider][aria-valuemax='8000']").first
    bands = scene.locator("input[type=range]").first
    won = "Yes: 64 bands, none empty"
    win(
        page,
        (scale, "ArrowUp", "128 bands (Slaney) up to 8000 Hz, from 201 bins: 0 empty.", False),
        (
            bands,
            "ArrowLeft*8",
            "64 bands (Slaney) up to 8000 Hz, from 201 bins: 0 empty.",
            False,
        ),  # -23 dB
        (frame, "ArrowUp", won, True),
        (scale, "ArrowDown", "64 bands (HTK) up to 8000 Hz, from 129 bins: 1 empty.", False),
        (scale, "ArrowUp", won, True),
        (end, "ArrowLeft", "up to 7551 Hz", False),
        (end, "ArrowRight", won, True),
    )
