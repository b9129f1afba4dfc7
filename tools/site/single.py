"""A unit as one HTML file, to keep or to send: everything in it works alone."""

import copy
from pathlib import Path

from tools import notebooks
from tools.site import building, vendor


def write(nb, page: Path) -> None:
    """Write an executed notebook as one file."""
    vendor.fetch()
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        building.linked_as_pages(cell)
    vendor.write(nb, page, folder="scripts", pictures=notebooks.ROOT / "notebooks")
    vendor.in_one_file(page)
