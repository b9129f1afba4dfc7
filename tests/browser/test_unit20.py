"""Unit 20 in a real JupyterLab: the probe finds the mystery by keyboard and is heard, the square wave is built."""

from pathlib import Path

import numpy as np

from tests.browser.scenes import samples, says, sounds
from tests.browser.sweep import sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "20_fourier.ipynb"


def test_the_mystery_is_found_by_keyboard_and_the_probe_is_heard(lab):
    lab.page.set_default_timeout(30_000)
    scene = lab.page.locator(".earup-scene").first
    probe = scene.locator("[role=slider]")
    says(lab.page, "Probe: 4.40 turns, 1100 Hz.")
    hear_the_record_and_the_probe(lab.page, scene, probe)
    find_the_mystery(lab.page, scene, probe)
    assert lab.errors == []


def strongest(page):
    """The strongest frequency that sounds [Hz]."""
    y = samples(page)
    lines = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    sr = page.evaluate("() => document.querySelector('.earup-scene').__earup.ctx.sampleRate")
    return np.argmax(lines) * sr / len(y)


def hear_the_record_and_the_probe(page, scene, probe):
    """The record is a tone of 1250 Hz; a probe at 27 turns sounds like it too."""
    scene.get_by_role("button", name="Listen").press("Enter")
    sounds(page, above=0.02)
    assert abs(strongest(page) - 1250) < 30
    scene.get_by_role("checkbox").press("Space")
    probe.press("End")
    says(page, "Probe: 32.00 turns, which sounds as 0 Hz.")
    for _ in range(5):
        probe.press("PageDown")
    says(
        page,
        "Probe: 27.00 turns, which sounds as 1250 Hz. The 32 arrows reach 16.0, direction +0°.",
    )
    page.wait_for_function(
        "() => { const y = new Float32Array(4096);"
        " document.querySelector('.earup-scene').__earup.analyser.getFloatTimeDomainData(y);"
        " return Math.max(...y) > 0.09; }"
    )  # both in step: twice as strong
    assert abs(strongest(page) - 1250) < 30
    page.keyboard.press("Escape")
    scene.get_by_role("checkbox").press("Space")


def find_the_mystery(page, scene, probe):
    """The stronger tone is refused, the weaker one wins."""
    scene.locator("select").first.press("End")
    probe.press("Home")
    for _ in range(6):
        probe.press("PageUp")
    for _ in range(20):
        probe.press("ArrowRight")
    says(page, "Probe: 6.40 turns")
    says(page, "Yes:", False)
    for _ in range(5):
        probe.press("PageUp")
    for _ in range(15):
        probe.press("ArrowRight")
    says(page, "Probe: 11.70 turns, 2925 Hz.")
    says(page, "Yes: the second tone makes 11.7 turns, 2925 Hz, half as strong.")


def test_the_square_wave_is_built_by_keyboard(lab):
    scene = lab.page.locator(".earup-scene").nth(1)
    last = scene.locator("[role=slider]")
    last.press("End")
    scene.get_by_text("0.63 % of the energy is missing.").wait_for()
    scene.get_by_text("Yes: less than 1 % is missing").wait_for()
    last.press("Home")
    scene.get_by_text("Square, harmonics 1 to 1: 18.94 %").wait_for()
    assert lab.errors == []


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
