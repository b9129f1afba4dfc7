"""Unit 07 in a real JupyterLab: the landscape is won and a loss let loose, stopped and scrubbed, all by keyboard."""

from pathlib import Path

import pytest

from tests.browser.scenes import says

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "07_losses.ipynb"
SHOTS = Path(__file__).parent / "shots"
LIVE = "document.querySelector('.earup-explore')"
STATUS = f"text => {LIVE}.querySelector('[role=status]').innerText.includes(text)"


def test_the_stage_is_won_and_a_loss_is_let_loose_by_keyboard(lab_on):
    lab = lab_on(PAGE)
    page = lab.open(PAGE.name)
    assert lab.run_all() == []
    page.set_default_timeout(60_000)
    win(page)
    let_loose(page)
    rank(page, lab)
    assert lab.errors == []


def shot(page, what, name):
    """Keep a picture of something on the page."""
    SHOTS.mkdir(exist_ok=True)
    what.scroll_into_view_if_needed()
    what.screenshot(path=str(SHOTS / f"07_{name}.png"))


def win(page):
    """Refused: SI-SDR from 300 cents, and any loss from 200. The spectral convergence with 32 ms leads home."""
    scene = page.locator(".earup-scene").first
    loss, handle = scene.locator("select").first, scene.locator("[role=slider]").first
    says(page, "SI-SDR, windows of 32 ms: at 200 cents")
    handle.press("PageUp")
    says(page, "at 300 cents")
    says(page, "Yes:", False)
    for _ in range(6):
        loss.press("ArrowDown")
    says(page, "convergence, windows of 32 ms: at 300 cents")
    says(page, "Yes: from 300 cents this loss leads home.")
    shot(page, scene, "stage")
    handle.press("PageDown")
    says(page, "at 200 cents")
    says(page, "Yes:", False)


def let_loose(page):
    """A run stops when told to, another reaches its end; both are heard on one player, at the step scrubbed to."""
    box = page.locator(".earup-explore").first
    start, stop = (box.get_by_role("button", name=name, exact=True) for name in ("Start", "Stop"))
    loss = box.locator("select").first
    for _ in range(3):
        loss.press("ArrowDown")  # from magnitude to multi-resolution, whose 300 steps take seconds
    start.press("Enter")
    page.wait_for_function(STATUS, arg="multi-resolution, noise: running")
    page.wait_for_function(f"() => !{LIVE}.querySelector('button[title=Stop], button:nth-of-type(2)').disabled")
    stop.press("Enter")
    page.wait_for_function(f"() => / of 300 steps/.test({LIVE}.querySelector('[role=status]').innerText)")
    assert "300 of 300" not in box.locator("[role=status]").first.inner_text()
    loss.press("Home")
    start.press("Enter")
    page.wait_for_function(STATUS, arg="L1, noise: 300 of 300 steps")  # words come last: the slider is awake
    scrub = box.locator("[role=slider]").first
    scrub.press("Home")
    page.wait_for_function(STATUS, arg="after step 0.")
    scrub.press("ArrowRight")
    page.wait_for_function(STATUS, arg="after step 10.")
    page.wait_for_function(f"() => {LIVE}.parentElement.innerText.includes('After 10 steps')")
    names = box.locator("xpath=..").locator(".earup-tracks b").all_inner_texts()
    assert [name.split(" (")[0] for name in names] == ["target", "multi-resolution, noise", "L1, noise"]
    shot(page, box.locator("xpath=.."), "live")


def rank(page, lab):
    """Nothing is ranked yet, and the order of the kernel says so."""
    assert lab.python("print(ranking.done, who)").split() == ["False", "PESQ"]
    shot(page, page.locator(".earup-blind, .earup").filter(has_text="Same loss, different sound").first, "rank")
