"""A page on which an exercise was solved: the player of its check is nothing that a button could wake."""

import json

from tests.browser.test_coming_back import (
    PLAYER,
    SETUP,
    SLEEPS,
    copies,
    dead,
    learner,
    live_views,
    page_of,
    wake,
)

__all__ = ["learner"]  # the fixture
SOLVED = [
    ("code", SETUP, [], ["setup"]),
    ("code", PLAYER, dead("player: tone. Run this cell to listen."), ["sound"]),
    ("code", "def swap_sides(y):\n    return y[::-1]", [], ["exercise"]),
    (
        "code",
        'coursework.check("00.swap_sides", swap_sides)',
        dead("Correct.\nplayer: as it was, yours. Run this cell to listen."),
        ["check"],
    ),
]


def says(page):
    """What the bar at the top says."""
    return page.locator(".earup-wake p").inner_text()


def test_a_page_with_a_solved_exercise_wakes_altogether(learner, tmp_path):
    lab = learner(page_of(tmp_path, *SOLVED))
    page = lab.open(f"{copies.FOLDER}/12_small.ipynb")
    button = page.locator(".earup-wake").get_by_role("button", name="Wake this page")
    page.wait_for_function(SLEEPS)
    assert says(page) == "This page sleeps: 1 player, question or picture to drag."
    wake(lab, button)
    assert says(page) == "" and live_views(lab) == 1
    assert "coursework.check(" not in lab.python("print('\\n'.join(In))")
    assert lab.run_all() == []  # now the learner asks for the check
    assert live_views(lab) == 2
    lab.restart()
    page.wait_for_function(SLEEPS)
    assert says(page).endswith("so this page sleeps: 1 player, question or picture to drag.")
    wake(lab, button)
    assert says(page) == "" and live_views(lab) == 2
    (asleep,) = page.locator(".earup-lost:visible").all_inner_texts()  # that of the check
    assert asleep.endswith("Run this cell again.") and "Wake" not in asleep
    stored = json.loads((lab.folder / copies.FOLDER / "12_small.ipynb").read_text(encoding="utf-8"))
    assert len(stored["cells"]) == len(SOLVED)
    assert lab.errors == []
