"""Unit 22 in a real JupyterLab: challenges are won by keyboard, not by a near miss; a switch keeps
its place.
"""

from pathlib import Path

import numpy as np

from helpers import explore
from tests.browser.scenes import says, win
from tests.browser.test_stage import on_stage  # noqa: F401

PAGE = Path(__file__).parents[2] / "notebooks" / "22_stft.ipynb"


def test_all_challenges_are_won_by_keyboard_and_not_by_a_near_miss(lab):
    lab.page.set_default_timeout(20000)
    for i, play in enumerate((split_both, add_up, swap, find_the_flag)):
        play(lab.page, lab.page.locator(".earup-scene").nth(i), i)
    assert lab.errors == []


def split_both(page, scene, i):
    """A product of 1.5 is not enough; at 0.98 nothing splits both; at 1 one window does."""
    window = scene.locator("input[type=range]")
    tone = scene.get_by_role("slider", name="Second tone")
    click = scene.get_by_role("slider", name="Second click")
    both = "Window 40 ms. Clicks 20 ms apart: dip 3.0 dB, split. Tones 75 Hz apart: dip 12.4 dB, split."
    near = "Tones 49 Hz apart: dip 2.8 dB, merged. Product of the gaps: 0.98."
    win(
        page,
        (window, "ArrowRight*28", both, False),
        (tone, "PageDown*3 ArrowUp*4", near, False),
        (tone, "ArrowUp", "Yes: both split at 1.00 s·Hz.", True),
        (click, "ArrowLeft", "Clicks 19 ms apart: dip 2.4 dB, merged.", False),
        scene=i,
    )


def add_up(page, scene, i):
    """Half a window is right for Hann and wrong for Blackman, and so is one step beside a third."""
    hop, menu = scene.get_by_role("slider", name="Hop"), scene.locator("select")
    whole = "Hop 480 of 960. Windows add up with a ripple of"
    win(
        page,
        (hop, "PageUp", f"{whole} 0.0 %", False),
        (menu, "ArrowDown*2", f"{whole} 38.1 %", False),
        (hop, "PageDown*2", "Yes: a third of the window", True),
        (hop, "ArrowLeft", "Hop 312 of 960.", False),
        scene=i,
    )


def swap(page, scene, i):
    """At 256 ms and at 1 s one donor is ahead; at 512 ms neither."""
    window = scene.get_by_role("slider", name="Window")
    ahead = "Windows of 256 ms: magnitude A + phase B is 0.69 like A and 0.57 like B"
    win(
        page,
        (window, "ArrowRight*6", ahead, False),
        (window, "ArrowRight*2", "Yes: 0.57 and 0.62.", True),
        (window, "ArrowRight*2", "Windows of 1024 ms", False),
        scene=i,
    )
    for heard in ("magnitude B, phase A", "A", "B"):
        scene.locator("select").press("ArrowDown")
        says(page, f"You hear: {heard}.", scene=i)


def find_the_flag(page, scene, i):
    """torch needs its ends mirrored; a symmetric window is not what differs."""
    _, ends, window, _, _ = (scene.locator("select").nth(k) for k in range(5))
    window.press("ArrowDown")
    win(
        page,
        (ends, "ArrowDown", "dB re theirs", False),
        (window, "ArrowUp", "Yes: torch mirrors the ends", True),
        scene=i,
    )


def loudness(louder):
    """Eight seconds: four of 500 Hz, four of 2000 Hz, at one of two amplitudes."""
    t = np.arange(4 * 8000) / 8000
    y = np.concatenate([np.sin(2 * np.pi * 500 * t), np.sin(2 * np.pi * 2000 * t)])
    return {"sound": (0.05 + 0.05 * louder) * y, "readout": f"louder: {louder}", "line": y[:100]}


HEARD = """() => { const { analyser, ctx } = document.querySelector('.earup-scene').__earup;
  if (!analyser) return [0, 0]; const y = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(y);
  let crossings = 0, most = 0;
  for (let i = 1; i < y.length; i++) {
    crossings += (y[i - 1] < 0) !== (y[i] < 0), most = Math.max(most, Math.abs(y[i])); }
  return [crossings / 2 / (y.length / ctx.sampleRate), most]; }"""


def test_a_switch_between_equally_long_loops_keeps_the_place(on_stage):  # noqa: F811
    panel = explore.panel(explore.axis("x", 0, 1), explore.axis("y", -1, 1), explore.line("line"))
    handle = explore.handle("louder", "Louder", 0, 1, 0, step=1)
    page = on_stage(
        explore.stage(loudness, title="t", alt="a tone", panels=[panel], handles=[handle], sr=8000)
    )
    page.click("text=Listen")
    page.wait_for_function(
        f"() => Math.abs(({HEARD})()[0] - 2000) < 20"
    )  # the second half has begun
    page.focus(".earup-handle")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => ({HEARD})()[1] > 0.099")
    freq, most = page.evaluate(HEARD)
    assert most < 0.101
    assert abs(freq - 2000) < 20  # from the beginning it would be 500 Hz
