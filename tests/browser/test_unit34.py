"""Unit 34 in a real JupyterLab: the bench is heard, played and won by keyboard; a small WaveNet
learns when asked.
"""

from pathlib import Path

import numpy as np

from tests.browser.scenes import samples, says, sounds, win
from tests.browser.sweep import look_at_the_stage

PAGE = Path(__file__).parents[2] / "notebooks" / "34_setting2_vocoders.ipynb"


def test_the_bench_is_played_and_won_by_keyboard(lab):
    lab.page.set_default_timeout(120_000)
    look_at_the_stage(lab, "unit34_bench", height=1500)
    hear_it(lab.page)
    play(lab.page)
    assert lab.errors == []


def names(scene):
    """What the switch offers, from top to bottom."""
    return scene.locator("select").first.locator("option").all_inner_texts()


def hear_it(page):
    """Every vocoder sounds, below the ceiling, through every switch, and Escape ends it."""
    scene = page.locator(".earup-scene").first
    says(page, "Noise 0 dB, blur 0 ms: the mel is off by 0.00 dB, that of griffin_lim")
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.004)
    hear = scene.locator("select").first
    for heard in names(scene)[1:]:
        hear.press("ArrowDown")
        says(page, "You hear the recording." if heard == "recording" else f"that of {heard} by")
        sounds(page, above=0.004)
        assert 20 * np.log10(np.abs(samples(page)).max()) < -12
    for _ in names(scene)[1:]:
        hear.press("ArrowUp")
    says(page, "that of griffin_lim")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.earup-scene').__earup.playing")


def play(page):
    """Refused: Griffin-Lim at 6 dB of noise. The gan wins there, and not with 5 dB."""
    scene = page.locator(".earup-scene").first
    noise = scene.get_by_role("slider", name="Noise on the mel").first
    hear = scene.locator("select").first
    win(
        page,
        (noise, "PageUp*2", "Noise 6 dB, blur 0 ms", False),
        (hear, f"ArrowDown*{names(scene).index('gan')}", "that of gan by", True),
        (noise, "ArrowLeft", "Noise 5 dB", False),
        (noise, "ArrowRight", "Noise 6 dB", True),
    )
