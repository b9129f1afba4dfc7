"""What a change can reach, with changes that were made up among the files that there are."""

import re
from pathlib import Path

import pytest

from tools import notebooks
from tools.verify import reach

ROOT = Path(__file__).parents[1]
STEMS = [path.stem for path in notebooks.paths()]


def using(module):
    """The notebooks whose code imports a public module of helpers, found by reading their lines."""
    word = re.compile(rf"^from helpers import .*\b{module}\b", re.MULTILINE)
    return {stem for stem in STEMS if word.search(reach.texts()[f"notebooks/{stem}.ipynb"])}


# unit 36 is tested with masks that unit 32 shows and tools/measure/score.py takes from there
ALSO = {"32_setting1_original_phase": {"36_three_settings"}}


def test_one_notebook_is_run_its_page_swept_its_tests_asked_and_the_contracts_read():
    for stem in STEMS:
        selected = reach.select({f"notebooks/{stem}.ipynb"})
        assert selected.notebooks == {stem} | ALSO.get(stem, set()) and not selected.everything
        assert f"{reach.SWEEP}[{stem}]" in selected.tests
        assert set(reach.ALWAYS.split()) <= selected.tests
        assert {f"tests/{path.name}" for path in reach.tests_of(stem)} <= selected.tests
        assert not selected.nightly


@pytest.mark.parametrize("module", ["mel", "phase", "losses"])
def test_a_module_reaches_its_tests_and_every_notebook_that_imports_it(module):
    (file,) = {f"helpers/{module}.py", f"helpers/{module}/__init__.py"} & set(reach.texts())
    selected = reach.select({file})
    assert using(module) and using(module) <= selected.notebooks
    assert f"tests/test_{module}.py" in selected.tests
    assert not selected.everything


def test_what_a_module_stands_on_reaches_as_far_as_the_module():
    assert (
        reach.select({"helpers/spectra.py"}).notebooks
        >= reach.select({"helpers/stft.py"}).notebooks
    )


def test_a_module_of_the_transform_leaves_out_what_does_not_need_it():
    selected = reach.select({"helpers/mel.py"})
    assert (
        "tests/test_staircases.py" not in selected.tests
        and "tests/test_loudness.py" not in selected.tests
    )
    assert len(selected.notebooks) < len(STEMS)


def test_a_script_reaches_its_widget_the_pages_that_show_it_and_all_of_the_site():
    (script,) = (reach.short(path) for path in (ROOT / "helpers").rglob("player.js"))
    selected = reach.select({script})
    assert {"tests/browser/test_player.py", reach.SITE} <= selected.tests
    assert using("listening") <= selected.notebooks
    assert reach.SITE in selected.nightly


def test_what_a_unit_asks_reaches_that_unit_alone():
    for file in (ROOT / "data" / "coursework").rglob("*"):
        name = reach.short(file)
        if file.is_file() and (unit := reach.unit_of(name)) and file.suffix == ".toml":
            selected = reach.select({name})
            assert selected.notebooks == {unit} | ALSO.get(unit, set())
            assert "tests/test_coursework.py" in selected.tests


def test_a_clip_reaches_whoever_names_it():
    (clip,) = (ROOT / "data").rglob("violin.*")
    selected = reach.select({reach.short(clip)})
    named = {stem for stem in STEMS if '"violin"' in reach.texts()[f"notebooks/{stem}.ipynb"]}
    assert named and named <= selected.notebooks


def test_words_alone_run_no_notebook():
    selected = reach.select({"README.md", "CHANGELOG.md"})
    assert not selected.notebooks and selected.tests == set(reach.ALWAYS.split())


def test_a_tool_has_its_dear_tests_run_by_day():
    (tool,) = (reach.short(path) for path in (ROOT / "tools").rglob("grade.py"))
    selected = reach.select({tool})
    assert "tests/test_grade.py" in selected.nightly and not selected.notebooks


@pytest.mark.parametrize(
    "name", ["tests/conftest.py", "tests/runs.py", "tools/notebooks.py", ".ci/run"]
)
def test_the_house_of_the_tests_reaches_everything(name):
    assert (ROOT / name).is_file() and reach.select({name, "README.md"}).everything


def test_checks_and_the_core_of_all_widgets_reach_everything():
    files = [
        path for path in (ROOT / "helpers").rglob("*") if path.name in ("_checks.py", "core.js")
    ]
    assert len(files) == 2
    assert all(reach.select({reach.short(path)}).everything for path in files)


def test_what_is_installed_reaches_everything_and_the_night():
    for name in (
        "pyproject.toml",
        *(reach.short(path) for path in (ROOT / "tools").rglob("pins*.txt")),
    ):
        selected = reach.select({name})
        assert selected.everything and "tests/test_grade.py" in selected.nightly


def test_one_file_of_tests_reaches_itself():
    selected = reach.select({"tests/test_stft.py"})
    assert (
        selected.tests == {"tests/test_stft.py", *reach.ALWAYS.split()} and not selected.notebooks
    )


def test_nothing_changed_is_nothing_to_run():
    assert reach.select(set()) == reach.Selection()
    assert str(reach.Selection()).splitlines()[0] == "notebooks: none"


def test_every_file_of_the_tables_is_there():
    for name in (*reach.ALWAYS.split(), reach.SITE, reach.UNITS):
        assert (ROOT / name).is_file(), name
    assert f"def {reach.SWEEP.split('::')[1]}(" in reach.texts()[reach.UNITS]


def test_git_tells_what_changed_and_a_commit_that_it_does_not_know_is_said():
    assert isinstance(reach.since("HEAD"), reach.Selection)
    with pytest.raises(ValueError, match="no-such-commit"):
        reach.since("no-such-commit")
    assert reach.since("0" * 40).everything  # what GitHub says of a new branch
