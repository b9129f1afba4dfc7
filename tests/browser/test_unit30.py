"""Unit 30 in a real JupyterLab: the ball rolls home by keyboard, not by a near miss, and a network
that trains is stopped and heard.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import hold, sounds, stands, win
from tests.browser.sweep import shot

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "30_how_a_network_learns.ipynb"
LIVE = "document.querySelector('.earup-running')"
STATUS = f"text => {LIVE}.querySelector('[role=status]').innerText.includes(text)"


def test_the_ball_rolls_home_and_a_network_trains(lab):
    lab.page.set_default_timeout(60_000)
    roll_down(lab.page)
    train(lab)
    assert lab.errors == []


def roll_down(page):
    """Refused: a rate that throws out, one that creeps, and a start that is too near."""
    scene = page.locator(".earup-scene").first
    start, knob = scene.get_by_role("slider", name="Start"), scene.locator("select").first
    rate = scene.locator("input[type=range]").first
    win(
        page,
        (knob, "ArrowDown", "From 188 Hz with a rate of 0.01", False),
        (start, "PageUp*9 ArrowUp*4", "From 225.6 Hz with a rate of 0.01", False),
        (rate, "Home", "From 225.6 Hz with a rate of 0.0001: after 20 steps at 220.6 Hz", False),
        (rate, "ArrowRight*16", "Yes: home from 5.6 Hz away.", True),
        (start, "ArrowDown*2", "From 224.8 Hz", False),
    )
    shot(scene, "30_stage")
    scene.get_by_role("button", name="Listen").first.press("Enter")
    sounds(page, above=0.05)
    page.keyboard.press("Escape")


def train(lab):
    """A run stops when told to, and what it had made by then is heard."""
    page = lab.page
    box = page.locator(".earup-running").first
    start, stop = (box.get_by_role("button", name=name, exact=True) for name in ("Start", "Stop"))
    hold(lab, step=20)
    start.press("Enter")
    page.wait_for_function(STATUS, arg="rate 0.002, batch 8: running")
    stands(lab, step=20)
    page.wait_for_function("stop => !stop.disabled", arg=stop.element_handle())
    stop.press("Enter")
    page.wait_for_function(STATUS, arg="rate 0.002, batch 8: 20 of 120 steps")
    tracks = box.locator("xpath=..").locator(".earup-tracks b")
    tracks.nth(2).wait_for()
    names = tracks.all_inner_texts()
    assert [name.split(" (")[0] for name in names] == ["noisy", "rate 0.002, batch 8", "voice"]
    shot(box.locator("xpath=.."), "30_live")
