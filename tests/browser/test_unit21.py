"""Unit 21 in a real JupyterLab: its challenge is won by keyboard, wrong windows are refused, the
seam is heard.
"""

from pathlib import Path

import numpy as np

from tests.browser.scenes import samples, says, win

PAGE = Path(__file__).parents[2] / "notebooks" / "21_spectral_leakage.ipynb"


def test_the_challenge_is_won_by_keyboard_and_the_seam_is_heard(lab):
    lab.page.set_default_timeout(30_000)
    hear_the_seam(lab.page)
    make_the_weak_tone_appear(lab.page)
    assert lab.errors == []


def lines(page):
    """Multiples of 125 Hz that sound at more than -90 dBFS."""
    y = samples(page)
    y = y[: len(y) // 64 * 64]  # whole repetitions of 64 samples
    amps = 2 * np.abs(np.fft.rfft(y)) / len(y)
    repetitions = len(y) // 64
    assert 20 * np.log10(np.abs(y).max()) < -24
    off_lines = np.delete(amps, np.arange(0, len(amps), repetitions))
    assert off_lines.max() < 1e-3 * amps.max()  # a periodic sound is lines and nothing else
    return np.flatnonzero(amps[::repetitions] > 10 ** (-90 / 20)).tolist()


def settled(page):
    """Wait until the loop sounds and every cross-fade is over."""
    page.wait_for_function(
        """() => { const m = document.querySelector('.earup-scene').__earup;
        if (!m.playing || !m.analyser) return false;
        const y = new Float32Array(m.analyser.fftSize); m.analyser.getFloatTimeDomainData(y);
        let wrong = 0, peak = 0;
        for (let i = 64; i < y.length; i++) {
          wrong = Math.max(wrong, Math.abs(y[i] - y[i - 64])), peak = Math.max(peak, Math.abs(y[i])); }
        return peak > 0.02 && wrong < 1e-4; }"""
    )


def hear_the_seam(page):
    """On bin 10 one line sounds, at 1250 Hz; at 10.50 every multiple of 125 Hz does."""
    scene = page.locator(".earup-scene").first
    handle = scene.locator("[role=slider]")
    says(page, "Tone at bin 10.00, rectangular window")
    scene.get_by_role("button", name="Listen").press("Enter")
    settled(page)
    assert lines(page) == [10]
    handle.press("ArrowRight")
    says(page, "Tone at bin 10.01, rectangular window")
    handle.press("ArrowLeft")
    handle.press("PageUp")
    says(page, "Tone at bin 10.50, rectangular window")
    settled(page)
    assert lines(page) == list(range(33))
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('.earup-scene').__earup.playing")


def make_the_weak_tone_appear(page):
    """Rectangular, Hann and flat top are refused, each with what is wrong; Blackman wins."""
    scene = page.locator(".earup-scene").first
    window, second = scene.locator("select").first, scene.get_by_role("checkbox")
    win(
        page,
        (second, "Space", "The weak tone is at bin 15.00, −50 dB.", False),
        (window, "ArrowDown", "Hann window", False),
        (window, "", "The peak there reads −46.2 dB", False),
        (window, "End", "flat top window", False),
        (window, "", "There is no peak.", False),
        (window, "ArrowUp*2", "Yes: this window shows the weak tone.", True),
        (window, "", "Blackman window", True),
        (window, "", "reads −49.5 dB and stands out by 11.9 dB", True),
        (second, "Space", "Blackman window", False),
    )
