"""Unit 31 in a real JupyterLab: the landscape is won and a loss let loose, stopped and scrubbed,
all by keyboard.
"""

from pathlib import Path

import pytest

from tests.browser.scenes import chosen, hold, stands, win
from tests.browser.sweep import shot

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "31_losses.ipynb"
LIVE = "document.querySelector('.earup-running')"
STATUS = f"text => {LIVE}.querySelector('[role=status]').innerText.includes(text)"


def test_the_stage_is_won_and_a_loss_is_let_loose_by_keyboard(lab):
    page = lab.page
    page.set_default_timeout(60_000)
    lead_home(page)
    let_loose(lab)
    rank(page, lab)
    assert lab.errors == []


def lead_home(page):
    """Refused: SI-SDR from 300 cents, and any loss from 200. Spectral convergence with 32 ms wins."""
    scene = page.locator(".earup-scene").first
    loss, handle = scene.locator("select").first, scene.locator("[role=slider]").first
    win(
        page,
        (handle, "", "SI-SDR, no window: at 200 cents", False),
        (handle, "PageUp", "at 300 cents", False),
        (loss, "ArrowDown*6", "convergence, windows of 32 ms: at 300 cents", True),
        (loss, "", "Yes: from 300 cents this loss leads home.", True),
    )
    shot(scene, "31_stage")
    win(page, (handle, "PageDown", "at 200 cents", False))


def let_loose(lab):
    """A run stops when told to, another reaches its end; both are heard on one player, at the step
    scrubbed to.
    """
    page = lab.page
    box = page.locator(".earup-running").first
    start, stop = (box.get_by_role("button", name=name, exact=True) for name in ("Start", "Stop"))
    loss = box.locator("select").first
    for _ in range(3):
        loss.press("ArrowDown")  # from magnitude
    chosen(lab, "loss", "multi-resolution")
    hold(lab, step=20)
    start.press("Enter")
    page.wait_for_function(STATUS, arg="multi-resolution, noise: running")
    stands(lab, step=20)
    page.wait_for_function("stop => !stop.disabled", arg=stop.element_handle())
    stop.press("Enter")
    page.wait_for_function(STATUS, arg="multi-resolution, noise: 20 of 300 steps")
    loss.press("Home")
    chosen(lab, "loss", "L1")
    start.press("Enter")
    page.wait_for_function(
        STATUS, arg="L1, noise: 300 of 300 steps"
    )  # words come last: the slider is awake
    scrub = box.locator("[role=slider]").first
    scrub.press("Home")
    page.wait_for_function(STATUS, arg="after step 0.")
    scrub.press("ArrowRight")
    page.wait_for_function(STATUS, arg="after step 10.")
    page.wait_for_function(f"() => {LIVE}.parentElement.innerText.includes('After 10 steps')")
    names = box.locator("xpath=..").locator(".earup-tracks b").all_inner_texts()
    assert [name.split(" (")[0] for name in names] == [
        "target",
        "multi-resolution, noise",
        "L1, noise",
    ]
    shot(box.locator("xpath=.."), "31_live")


def rank(page, lab):
    """Nothing is ranked yet, and the order of the kernel says so."""
    assert lab.python("print(ranking.done, who)").split() == ["False", "PESQ"]
    shot(
        page.locator(".earup-blind, .earup").filter(has_text="Same loss, different sound").first,
        "31_rank",
    )
