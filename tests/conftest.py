"""What all tests share."""

from pathlib import Path

import numpy as np
import pytest

# Where two run at once, what takes minutes begins first, and the short ones fill the end evenly.
LONG_FIRST = (
    "tests/browser/test_unit",
    "tests/test_course.py",
    "tests/test_unit",
    "tests/browser/",
    "tests/",
)


def pytest_collection_modifyitems(items):
    """Bring files that take long to the front; within a file nothing moves."""
    items.sort(
        key=lambda item: next(
            (k for k, start in enumerate(LONG_FIRST) if item.nodeid.startswith(start)), 9
        )
    )


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
    """Every name that a unit leaves behind, run in a folder of its own; with its "players" and
    "stages".
    """
    from helpers import explore, listening
    from tests.pages import code_cells, run

    folder, made = tmp_path_factory.mktemp("unit"), {"players": [], "stages": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARUP_PROGRESS", str(folder / "progress.json"))
        patch.setenv("EARUP_RESULTS", str(folder))
        for room, name, kept in ((listening, "player", "players"), (explore, "stage", "stages")):
            real, store = getattr(room, name), made[kept]
            patch.setattr(
                room,
                name,
                lambda *a, real=real, store=store, **kw: store.append(real(*a, **kw)) or store[-1],
            )
        yield run(code_cells(request.module.NAME), folder) | made


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
