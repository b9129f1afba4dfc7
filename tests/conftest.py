"""What all tests share."""

import functools
import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
OVER_ALL = ("test_executed.py", "browser/test_units.py")  # one test for each notebook
# Where two run at once, what takes minutes begins first, and the short ones fill the end evenly.
LONG_FIRST = ("tests/browser/test_site.py", "tests/browser/", "tests/test_course.py", "tests/")


@functools.cache
def named_in(file):
    """The notebook that a file of tests names as its NAME or its PAGE, or nothing."""
    path = ROOT / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(r'^(?:NAME|PAGE) = .*?"(\d\d_\w+?)(?:\.ipynb)?"', text, re.MULTILINE)
    return found[1] if found else None


def notebook_of(nodeid):
    """The notebook whose run a test asks about: its parameter's, or its file's, or nothing."""
    file = nodeid.split("::")[0]
    if file.endswith(OVER_ALL) and (found := re.search(r"\[(\d\d_\w+)\]$", nodeid)):
        return found[1]
    return named_in(file)


def group_of(nodeid):
    """What stays on one worker: the tests about one notebook, which share its run, or one file."""
    page = "browser/" if "tests/browser/" in nodeid else ""
    return page + (notebook_of(nodeid) or nodeid.split("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out the tests by groups, in their order, where xdist would by files."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    return ByGroup(config, log)


def order(item):
    """Long ones first; the tests about one notebook together, those of the later units first."""
    rank = next((k for k, start in enumerate(LONG_FIRST) if item.nodeid.startswith(start)), 9)
    name = notebook_of(item.nodeid)
    return (0, rank, [-ord(letter) for letter in name]) if name else (1, rank, [])


def wanted(item):
    """Whether a test runs: what is dear is left to the night, or until what it is about changes."""
    if os.environ.get("EARUP_NIGHTLY") != "0" or item.get_closest_marker("nightly") is None:
        return True
    return item.nodeid.split("::")[0] in os.environ.get("EARUP_NIGHTLY_OF", "").split()


def shard_of(items):
    """Return the part of the tests that EARUP_SHARD asks for, such as 2/3."""
    part, parts = map(int, os.environ.get("EARUP_SHARD", "1/1").split("/"))
    groups = list(dict.fromkeys(group_of(item.nodeid) for item in items))
    mine = set(groups[part - 1 :: parts])
    return [item for item in items if group_of(item.nodeid) in mine]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark what is about a notebook, order everything, and keep the part that was asked for."""
    items.sort(key=order)
    for item in items:
        if notebook_of(item.nodeid):
            page = "tests/browser/" in item.nodeid
            item.add_marker(pytest.mark.page if page else pytest.mark.unit)
    kept = shard_of([item for item in items if wanted(item)])
    known = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in known])
    items[:] = kept


@pytest.fixture(scope="session")
def root():
    """The top of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture
def rng():
    """Random numbers that are the same in every run."""
    return np.random.default_rng(440)


# ---- a unit whose test module states its NAME ----------------------------------------------------


@pytest.fixture(scope="module")
def unit(request, tmp_path_factory):
    """Every name that a unit leaves behind, and its "players" and "stages" (tests/runs.py)."""
    folder = lambda: tmp_path_factory.mktemp("unit")  # noqa: E731 - made when it is needed
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("nbval") is None:
            yield plainly_run(request.module.NAME, folder(), patch)
            return
        from tests import runs

        run = runs.of(runs.named(request.module.NAME), folder)
        for name, value in run.settings().items():
            patch.setenv(name, value)
        yield dict(run.names)


def plainly_run(name, folder, patch):
    """Run a unit without a kernel: where other versions are tried, it has run in one before."""
    from tests import pages

    patch.setenv("EARUP_PROGRESS", str(folder / "progress.json"))
    patch.setenv("EARUP_RESULTS", str(folder))
    made = pages.noted(patch)
    return pages.run(pages.code_cells(name), folder) | made


@pytest.fixture(scope="module")
def page(request):
    """The words of the notebook, in one line."""
    from helpers.coursework import catalogue
    from tests.pages import ROOT
    from tools import notebooks

    cells = notebooks.read(ROOT / "notebooks" / f"{request.module.NAME}.ipynb")["cells"]
    return catalogue.flat(
        "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    )


@pytest.fixture(scope="module")
def texts(request):
    """Everything that the coursework of the unit says, in one line."""
    from helpers.coursework import catalogue

    path = catalogue.DATA / request.module.NAME[:2] / "unit.toml"
    return catalogue.flat(path.read_text(encoding="utf-8"))
