"""Unit 01 in a real JupyterLab: its slice and its limit are dragged; its diagnosis gives advice."""

import re
from pathlib import Path

import pytest

from helpers import coursework
from helpers.coursework import catalogue
from tests.browser.sweep import sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "01_arrays_of_sound.ipynb"
SAYS = "([i, text]) => document.querySelectorAll('.earup-scene')[i].innerText.includes(text)"
ASKED = catalogue.diagnosis("01")


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """Keep the answers of each test in a file of its own."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))


def right(question):
    """The place of the right option."""
    return [option["right"] for option in question["options"]].index(True)


def filled(widget_page, answers):
    """A page with the diagnosis, and these answers given by a click."""
    page = widget_page(coursework.diagnosis("01"))
    for i, k in answers.items():
        page.locator(".earup-quiz fieldset").nth(i).locator("input[type=radio]").nth(k).check()
    assert "Take" not in page.locator(".earup-quiz").inner_text()
    return page


def advice(page):
    """What the button brings."""
    page.get_by_role("button", name="Show my chapters").click()
    return page.locator(".earup-quiz").inner_text()


def test_an_empty_paper_gives_all_chapters(widget_page):
    said = advice(filled(widget_page, {}))
    chapters = {question["chapter"] for question in ASKED}
    minutes = sum(int(re.search(r"\((\d+) minutes\)", chapter)[1]) for chapter in chapters)
    assert f"Take 8 of 8 chapters: {minutes} of {minutes} minutes." in said
    assert said.count("Left open.") == len(ASKED) and "Skip" not in said


def test_a_perfect_paper_gives_none(widget_page):
    said = advice(filled(widget_page, {i: right(q) for i, q in enumerate(ASKED)}))
    assert "You need none of the chapters." in said
    assert said.count("Skip Chapter") == 8 and "Take Chapter" not in said


def test_one_wrong_answer_gives_its_chapter_and_no_other(widget_page):
    page = filled(widget_page, {})
    fields = page.locator(".earup-quiz fieldset")
    for place, asked in enumerate(ASKED):
        for i, question in enumerate(ASKED):
            k = right(question)
            if i == place:
                k = (k + 1) % len(question["options"])
            fields.nth(i).locator("input[type=radio]").nth(k).check()
        said = advice(page)
        assert f"Take {asked['chapter']}, for question {place + 1}\n" in said + "\n"
        assert said.count("Take Chapter") == 1 and said.count("Skip Chapter") == 7
        told = fields.nth(place).locator(".earup-live").inner_text()
        assert told.startswith("Not yet.")
        page.get_by_role("button", name="Start again").click()


def test_the_diagnosis_is_answered_by_keyboard_and_begins_again(widget_page):
    page = filled(widget_page, {})
    first = page.locator(".earup-quiz input[type=radio]").first
    first.focus()
    page.keyboard.press("Space")
    button = page.get_by_role("button", name="Show my chapters")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator(".earup-quiz input:disabled").count() > 0
    assert "for question 2\n" in page.locator(".earup-quiz").inner_text()
    page.get_by_role("button", name="Start again").click()
    assert page.locator(".earup-quiz input:checked").count() == 0
    assert page.locator(".earup-quiz input:disabled").count() == 0
    assert "Take" not in page.locator(".earup-quiz").inner_text()


def test_both_challenges_are_won_by_keyboard_and_not_by_a_near_miss(lab):
    lab.page.set_default_timeout(20000)
    scenes = lab.page.locator(".earup-scene")
    stop = scenes.nth(0).get_by_role("slider", name="Stop", exact=True)
    stop.press("PageUp")
    stop.press("PageUp")
    lab.page.wait_for_function(SAYS, arg=[0, "y[6400:22400] has 16000 samples"])
    assert "Yes:" not in scenes.nth(0).inner_text()
    scenes.nth(0).get_by_role("combobox").select_option("2")
    lab.page.wait_for_function(SAYS, arg=[0, "Yes: one second of the voice"])

    limit = scenes.nth(1).get_by_role("slider", name="Limit", exact=True)
    for _ in range(7):
        limit.press("PageUp")
    lab.page.wait_for_function(SAYS, arg=[1, "85 of 154 frames stay"])
    assert "Yes:" not in scenes.nth(1).inner_text()
    for _ in range(4):
        limit.press("ArrowUp")
    lab.page.wait_for_function(SAYS, arg=[1, "Yes: about half of the frames."])
    assert lab.errors == []


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
