"""Unit 36 in a real JupyterLab, by keyboard: nine chains on one player, a whole blind test, and the
decision.
"""

import csv
from pathlib import Path

import pytest

from tests.browser.sweep import shot
from tests.pages import code_cells

pytest.importorskip("torch")

PAGE = Path(__file__).parents[2] / "notebooks" / "36_three_settings.ipynb"
SOUNDS = """i => { const m = document.querySelectorAll('.earup-player')[i].__earup;
  if (!m.playing || !m.analyser) return false;
  const y = new Float32Array(m.analyser.fftSize); m.analyser.getFloatTimeDomainData(y);
  return Math.max(...y.map(Math.abs)) > 0.003; }"""
CHOSEN = "([i, k]) => document.querySelectorAll('.earup-player')[i].__earup.chosen === k"
SAYS = "([i, text]) => document.querySelectorAll('.earup-scene')[i].innerText.includes(text)"
NAMES = ("Setting 1", "Setting 2", "Setting 3", "anchor", "noisy")
CHAINS = 1  # the second player of the page


def test_chains_are_switched_a_blind_test_is_taken_and_a_system_is_shipped(lab):
    lab.page.set_default_timeout(120_000)
    ship(lab.page)
    switch(lab.page)
    take(lab)
    reveal(lab)
    assert lab.errors == []


def switch(page):
    """Nine tracks by the keys 1 to 9: the picture follows, the head stays, and it sounds until
    Escape.
    """
    player = page.locator(".earup-player").nth(CHAINS)
    assert player.locator("input[type=radio]").count() == 9
    stage = player.locator("[role=slider]").first
    stage.focus()
    page.keyboard.press("PageUp")
    place = stage.get_attribute("aria-valuenow")
    pictures = set()
    for key in "123456789":
        page.keyboard.press(key)
        page.wait_for_function(CHOSEN, arg=[CHAINS, int(key) - 1])
        assert player.locator("input[type=radio]").nth(int(key) - 1).is_checked()
        assert stage.get_attribute("aria-valuenow") == place
        pictures.add(stage.locator("canvas").first.evaluate("c => c.toDataURL()"))
    assert len(pictures) == 9
    shot(player, "36_chains")
    page.keyboard.press(" ")
    page.wait_for_function(SOUNDS, arg=CHAINS)
    page.keyboard.press("Escape")
    page.wait_for_function(
        "i => !document.querySelectorAll('.earup-player')[i].__earup.playing", arg=CHAINS
    )


def take(lab):
    """Rate all six items by keyboard. No name is on the page before the last answer; each is saved
    at once.
    """
    page, test = lab.page, lab.page.locator(".earup-blind").first
    shot(test, "36_blind_start")
    test.get_by_role("button", name="Start").press("Enter")
    for item in range(6):
        test.get_by_text(f"Item {item + 1} of 6").first.wait_for()
        assert not [name for name in NAMES if name in test.inner_text()]
        if item == 0:
            page.keyboard.press("Enter")  # plays or confirms nothing: nothing is rated
            assert lab.python("print(len(blind.answers))").strip() == "0"
        for letter in range(6):
            page.keyboard.press(str(letter + 1))
            page.keyboard.press("End")
            for _ in range(letter):
                page.keyboard.press("ArrowDown")
        if item == 0:
            shot(test, "36_blind_item")
        page.keyboard.press("Enter")
        if item < 5:
            test.get_by_text(f"Item {item + 2} of 6").first.wait_for()
        test.get_by_text("Saved in blind_three_settings.csv.").wait_for()
        assert len(saved(lab)) == 6 * (item + 1)
    test.get_by_text("by ITU-R BS.1534 these ratings count").first.wait_for()
    said = test.inner_text()
    assert "Setting 1" in said and "for this listener" in said and "people" not in said
    assert "at least 7 items are needed" in said
    shot(test, "36_blind_result")


def saved(lab):
    """The answers in the file beside the notebook."""
    lines = (lab.folder / "blind_three_settings.csv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def reveal(lab):
    """With a finished test the same cells speak of you, and of your ratings."""
    said = lab.python("\n".join(code_cells(PAGE.stem, tag="ears")))
    assert (
        "These are the ratings of: you" in said
        and "SIMULATED" not in said
        and "circular" not in said
    )
    assert "pairs within an item that you and a metric put in the same order" in said
    assert lab.python("print(blind.done, ears.shape, ears.min() >= 95, ears.max() <= "
                      "100)").split() == [
        "True", "(6,", "3)", "True", "True",
    ]  # fmt: skip


def ship(page):
    """Limits by keyboard: 10 ms throws everything out, 40 ms and a small budget leave Setting 1."""
    box = page.locator(".earup-scene").first
    box.scroll_into_view_if_needed()
    late = box.locator("select").first
    says = lambda text: page.wait_for_function(SAYS, arg=[0, text])  # noqa: E731
    late.press("Home")
    says("Nothing can be shipped.")
    late.press("ArrowDown")
    says("setting2_vocoder is out: too late")
    budget = box.locator("[role=slider]").first
    budget.press("Home")
    says("Nothing can be shipped.")
    for _ in range(25):
        budget.press("ArrowRight")
    says("setting3_waveform is out: too costly")
    says("Ship setting1_")
    shot(box, "36_ship")
