"""Quiz, prediction and exercise in a real browser, with the keyboard alone."""

import json
from pathlib import Path

import pytest

from helpers import coursework
from helpers.coursework import catalogue, store

SHOTS = Path(__file__).parent / "shots"


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Keep the progress of each test in a file of its own."""
    monkeypatch.setenv("EARUP_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(store, "_waiting", [])
    return tmp_path / "progress.json"


def focused(page):
    """Return what has the focus: its tag, type and text."""
    return page.evaluate("(e => [e.tagName, e.type ?? '', e.innerText])(document.activeElement)")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def to_option(page, k):
    """From the radio group's first option, go down to option k (a group that nobody touched takes a
    space first).
    """
    press(page, "Space", *["ArrowDown"] * k)


def right(question):
    return [option["right"] for option in question["options"]].index(True)


def test_quiz_by_keyboard_alone(widget_page):
    questions = catalogue.questions("00")
    page = widget_page(coursework.quiz("00"))
    assert page.locator("fieldset").count() == len(questions)
    assert (
        page.locator(".earup-quiz-score").inner_text()
        == "Score 0/5, 0 at the first try, 5 not answered"
    )
    for i, question in enumerate(questions):
        field, key = page.locator("fieldset").nth(i), right(question)
        tag, says = field.locator(".earup-quiz-tag"), field.locator("[aria-live=polite]")
        assert tag.inner_text() == "not answered"
        press(page, "Tab")
        assert focused(page)[:2] == ["INPUT", "radio"]
        first = (
            (key + 1) % len(question["options"]) if i == 0 else key
        )  # the first question is missed once
        to_option(page, first)
        assert field.locator("input:checked").evaluate("e => Number(e.value)") == first
        assert says.inner_text() == ""  # choosing is not yet answering
        press(page, "Enter")
        if i == 0:
            assert tag.inner_text() == "not yet"
            assert says.inner_text() == "Not yet. " + question["options"][first]["says"].replace(
                "`", ""
            )
            press(page, *["ArrowUp"] * ((first - key) % len(question["options"])))
            assert says.inner_text() == ""
            press(page, "Tab")
            assert focused(page) == ["BUTTON", "button", "Check"]
            press(page, "Enter")
        else:
            press(page, "Tab")
        assert tag.inner_text() == "right"
        assert says.inner_text() == question["options"][key]["says"].replace("`", "")
    assert page.locator(".earup-quiz-score").inner_text() == "Score 5/5, 4 at the first try"
    answers = page.evaluate("() => model.get('answers')")
    assert [answers[q["key"]]["tried"][-1] for q in questions] == [right(q) for q in questions]


def test_every_option_has_its_feedback(widget_page):
    page = widget_page(coursework.quiz("10"))
    for i, question in enumerate(catalogue.questions("10")):
        field = page.locator("fieldset").nth(i)
        for k, option in enumerate(question["options"]):
            field.locator("input").nth(k).check()
            field.locator("button").click()
            word = "" if option["right"] else "Not yet. "
            assert field.locator("[aria-live]").inner_text() == word + option["says"].replace(
                "`", ""
            )
        assert field.locator(".earup-quiz-tag").inner_text() == "right"  # once right stays right


def test_check_without_a_choice_asks_for_one(widget_page):
    page = widget_page(coursework.quiz("00"))
    page.locator("fieldset button").first.click()
    assert page.locator("fieldset [aria-live]").first.inner_text() == "Choose an answer first."
    assert page.evaluate("() => model.saves") == 0


def test_prediction_by_keyboard_alone(widget_page):
    options = catalogue.prediction("10.dither")["options"]
    page = widget_page(coursework.predict("10.dither"))
    says = page.locator("[aria-live=polite]")
    press(page, "Tab", "Tab", "Tab")
    assert focused(page)[2] == "Skip"
    press(page, "Enter")
    assert says.inner_text() == "Skipped, and that is noted. Read on; you can still guess."
    assert page.evaluate("() => model.get('answers')") == {"10.dither": {"skipped": True}}
    press(page, "Shift+Tab", "Shift+Tab", "Space", "ArrowDown", "Tab", "Enter")
    assert page.evaluate("() => model.get('answers')") == {
        "10.dither": {"skipped": False, "chosen": 1, "tried": [1]}
    }
    mine = options[1]["says"].replace("If you chose", "You chose")  # this reader did choose it
    assert says.inner_text() == "Your guess is stored. " + mine and "You chose" in mine
    assert page.evaluate("() => document.activeElement.getAttribute('aria-live')") == "polite"
    fold = page.locator(".earup-quiz-others")
    assert fold.get_attribute("open") is None  # one sentence about this guess, the others folded
    others = fold.locator("p").evaluate_all("all => all.map(p => p.textContent)")
    assert others == [f"{options[k]['text']}: {options[k]['says']}" for k in (0, 2)]
    assert page.locator("input:disabled").count() == 3


def test_names_roles_and_states(widget_page):
    page = widget_page(coursework.quiz("00"))
    page = widget_page(coursework.quiz("00"), page=page)  # twice on a page, as in two cells
    names = page.locator("input").evaluate_all("all => all.map(e => e.name)")
    assert len(set(names)) == 2 * 5
    assert page.get_by_role("group").count() == 10
    assert page.get_by_role("group", name="1. You are about to play").count() == 2
    assert (
        page.get_by_role("radio", name="Start low, raise it until it is comfortable").count() == 2
    )
    assert page.get_by_role("region", name="Quiz of unit 00").count() == 2
    assert page.locator("[aria-live=polite][role=status]").count() >= 10


def test_answers_in_progress_are_shown_again(widget_page):
    widget = coursework.quiz("00")
    widget.answers = {"safe": {"chosen": 1, "tried": [0, 1]}, "dbfs": {"chosen": 2}}
    page = widget_page(coursework.quiz("00"))
    assert page.locator(".earup-quiz-tag").all_inner_texts()[:2] == ["right", "not answered"]
    assert page.locator("input:checked").evaluate_all("all => all.map(e => e.value)") == ["1", "2"]
    assert (
        page.locator(".earup-quiz-score").inner_text()
        == "Score 1/5, 0 at the first try, 4 not answered"
    )


def test_works_when_nothing_can_be_saved(widget_page):
    page = widget_page(coursework.quiz("00"))
    page.evaluate("() => { model.save_changes = () => { throw new Error('no kernel'); }; }")
    page.locator("input").nth(1).check()
    page.locator("fieldset button").first.click()
    assert page.locator(".earup-quiz-tag").first.inner_text() == "right"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_looks(widget_page, theme, width):
    page = widget_page(coursework.quiz("00"), theme=theme, width=width)
    page = widget_page(coursework.predict("10.dither"), page=page)
    for i, k in enumerate((1, 1, 0)):
        page.locator("fieldset").nth(i).locator("input").nth(k).check()
        if i < 2:
            page.locator("fieldset").nth(i).locator("button").click()
    page.locator("fieldset").nth(5).locator("input").nth(1).check()
    page.get_by_text("This is my guess").click()
    page.locator("input").nth(6).focus()
    SHOTS.mkdir(exist_ok=True)
    page.wait_for_function(
        "dark => document.querySelector('.earup.night') !== null === dark", arg=theme == "dark"
    )
    page.screenshot(path=SHOTS / f"quiz_{theme}_{width}.png", full_page=True)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


CELLS = (
    "import numpy as np\nfrom helpers import coursework",
    'coursework.quiz("00")',
    'coursework.predict("00.quieter")',
    "def halve_level(y):\n    return ...",
    'coursework.check("00.half", halve_level)',
)


def test_quiz_and_exercise_by_keyboard_in_jupyterlab_survive_a_restart(lab_on, notebook_of):
    lab = lab_on(notebook_of(*CELLS))
    page = lab.open("try.ipynb")
    assert lab.run_all() == []
    page.wait_for_selector("fieldset")
    question = catalogue.questions("00")[0]
    page.locator(
        "fieldset input"
    ).first.focus()  # a learner tabs there; the way through JupyterLab's tool bars is long
    cell = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    to_option(page, right(question))
    press(page, "Enter")
    assert page.locator("fieldset [aria-live]").first.inner_text().startswith("Yes: ")
    active = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    assert (
        active == cell
    )  # the arrow keys moved between options, and JupyterLab did not take them for its own
    page.evaluate(
        "() => { const nb = window.jupyterapp.shell.currentWidget.content; nb.activeCellIndex = 3; "
        "nb.activate(); }"
    )
    press(page, "Enter", "Control+a")
    page.keyboard.type("def halve_level(y):\nreturn 0.5 * y")
    press(page, "Shift+Enter", "Shift+Enter")
    page.wait_for_selector("text=Multiplying every sample by 0.5")
    stored = json.loads((lab.folder / "progress.json").read_text())
    assert stored["exercises"]["00.half"] == {"attempts": 1, "correct": True}
    assert stored["quizzes"]["00"]["safe"]["tried"] == [right(question)]

    lab.restart()
    assert lab.run_all() == []
    page.wait_for_selector("fieldset")
    assert page.locator(".earup-quiz-tag").first.inner_text() == "right"
    assert "Unit 00: exercises 1 of 2 correct" in lab.python("print(coursework.progress())")
    assert not lab.errors


def test_every_question_reads_as_it_was_written(widget_page):
    page = widget_page(coursework.quiz("10"))
    shown = page.locator("legend").all_inner_texts()
    for number, (text, question) in enumerate(
        zip(shown, catalogue.questions("10"), strict=True), 1
    ):
        assert text.startswith(f"{number}. {question['prompt'].replace('`', '')}")
