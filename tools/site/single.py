"""A unit as one HTML file, to keep or to send: everything in it works alone."""

import copy
from pathlib import Path

from tools import notebooks
from tools.site import vendor


def write(nb, page: Path) -> None:
    """Write an executed notebook as one file."""
    vendor.fetch()
    vendor.write(copy.deepcopy(nb), page, folder="scripts", pictures=notebooks.ROOT / "notebooks")
    vendor.in_one_file(page)
