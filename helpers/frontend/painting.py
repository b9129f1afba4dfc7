"""A brush for one panel of a stage: what it is, and what the front end means by what it sends."""

from __future__ import annotations

import numpy as np


def brush(name: str, label: str, *, panel: int, rows: int, cols: int, high: int = 3, wide: int = 3) -> dict:
    """Return a brush: the learner keeps or removes cells of a grid over a panel, by pointer or by keys.

    Parameters
    ----------
    name, label : str
        Argument of `compute`, which gets a boolean array (rows, cols), True where kept, row 0 lowest; what a screen
        reader calls it.
    panel : int
        Which panel it lies on.
    rows, cols : int
        Size of the grid; at first every cell is kept.
    high, wide : int
        Size of the brush at first [cells].

    Returns
    -------
    dict
        What `stage` takes.

    Raises
    ------
    ValueError
        If the grid has no cells or more than 20000, or the brush does not fit into it.
    """
    if not 1 <= rows * cols <= 20000 or not 1 <= high <= rows or not 1 <= wide <= cols:
        raise ValueError(
            f"{label}: needs 1 to 20000 cells and a brush inside, got {rows} x {cols} and {high} x {wide}"
        )
    size = {"rows": rows, "cols": cols, "high": high, "wide": wide}
    return {"name": name, "label": label, "panel": panel, "start": "1" * (rows * cols), **size}


def cells(spec: dict, text: str) -> np.ndarray:
    """Return what the front end has painted as booleans, True where kept."""
    return (np.frombuffer(text.encode(), np.uint8) == ord("1")).reshape(spec["rows"], spec["cols"])
