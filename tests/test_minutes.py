"""Minutes that a page states are what the method gives, and the method is the one that is told."""

import re

import pytest

from tools import notebooks
from tools.measure import minutes

PATHS = notebooks.paths()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_unit_takes_what_it_states(path):
    """If a page has grown: python3 -m tools.measure.minutes --write, then tools.site.readme."""
    notebook = notebooks.read(path)
    here, parts = minutes.stated(notebook)
    assert here % 5 == 0 and abs(here - minutes.computed(notebook, path.name[:2])) <= 5
    if parts:
        assert abs(sum(parts) - here) <= 2.5 * len(parts)
        wanted = minutes.chapters(notebook, path.name[:2])
        assert all(abs(a - b) <= 5 for a, b in zip(parts, wanted, strict=True))


def cell(text, kind="markdown", tags=(), **metadata):
    """A cell as a notebook stores it."""
    return {"cell_type": kind, "source": [text], "metadata": {"tags": list(tags), **metadata}}


def test_the_rates_are_those_of_the_estimate():
    """2659 words in 13 minutes, 331 lines in 30, four exercises in 30 minus their code and words,
    four explorables in 25.
    """
    assert pytest.approx(13, abs=0.5) == 2659 / minutes.WORDS_A_MINUTE
    assert pytest.approx(30, abs=0.5) == 331 / minutes.LINES_A_MINUTE
    assert 4 * minutes.MINUTES["explorable"] == pytest.approx(25, abs=1)
    page = minutes.__doc__
    assert re.search(r"2659 words in 13 minutes, 331\s+lines of code in 30", page)


def test_what_is_counted_and_what_is_not():
    words = cell("one two three " * 200)
    assert minutes.minutes([words], "10") == pytest.approx(3)
    assert minutes.minutes([cell("[one](https://a.b/c_d-e)")], "10") == pytest.approx(1 / 200)
    lines = cell("x = 1\n\ny = 2\n" * 11, "code")
    assert minutes.minutes([lines], "10") == pytest.approx(2)
    folded = cell("x = 1\n" * 22, "code", jupyter={"source_hidden": True})
    assert minutes.minutes([folded], "10") == 0
    for tags, text, more in (
        (["exercise"], "def f():", minutes.MINUTES["exercise"]),
        (["predict"], 'coursework.predict("x")', 1),
        (["explorable"], "explore.stage(look)", minutes.MINUTES["explorable"]),
        ([], "listening.blind_test(a)", 2),
        ([], "listening.blind_test(a).simulate()", 0),
    ):
        assert minutes.minutes([cell(text, "code", tags)], "10") == pytest.approx(more + 1 / 11)


def test_the_table_of_listening_has_players_that_are_there():
    known = minutes.listening()
    assert len(known) >= 13
    for number, (count, seconds) in known.items():
        assert 2 < seconds / max(count, 1) < 120, number
