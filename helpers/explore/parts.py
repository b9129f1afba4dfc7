"""What a stage is made of: axes, panels, what is drawn on them, handles, and a brush over a panel.

Plain dicts that the front end reads. Everything drawn names an array of `compute`'s reply. A role
(see `helpers.figures`) gives colour, dash and width. Each part refuses with a ValueError what makes
no sense: an unknown role, ends that are not finite and rising, a log axis or handle that reaches 0,
a start outside its range, a step of 0, a grid of no cells or of more than 20000.
"""

from __future__ import annotations

import math

import numpy as np

from helpers.figures import ROLES


def _item(kind: str, name: str, role: str = "signal", **more) -> dict:
    if role not in ROLES:
        raise ValueError(f"role must be one of {list(ROLES)}, got {role!r}")
    return {"kind": kind, "name": name, "role": role, **more}


def axis(
    label: str,
    low: float,
    high: float,
    *,
    unit: str = "",
    log: bool = False,
    ends: str | None = None,
) -> dict:
    """Return an axis of a panel.

    Parameters
    ----------
    label : str
        Name of the quantity; "" for an axis without ticks.
    low, high : float
        Ends [`unit`].
    unit : str
        For example "Hz".
    log : bool
        Equal ways are equal ratios; ticks stand at octaves around 1000, up to 128 around 1.
    ends : str, optional
        Array of `compute`'s reply with two numbers that take the place of `low` and `high`, for an
        axis that follows what is shown.

    Returns
    -------
    dict
        What `panel` takes.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"axis {label!r}: low={low} must lie below high={high}")
    if log and low <= 0:
        raise ValueError(f"axis {label!r}: a log axis needs low > 0, got {low}")
    return {"label": label, "low": low, "high": high, "unit": unit, "log": log, "ends": ends}


def line(
    name: str,
    *,
    x: str | None = None,
    role: str = "signal",
    label: str = "",
    width: float | None = None,
    solid: bool = False,
) -> dict:
    """Return a line through array `name`; NaN leaves a gap.

    Parameters
    ----------
    name, x : str
        Arrays of `compute`'s reply: the values, and their places on the x axis (evenly over it if
        not given).
    role, label : str
        A key of `helpers.figures.ROLES`, and the name in the legend.
    width : float, optional
        Width [px]; that of the role if not given.
    solid : bool
        Leave out the dash of the role, for shapes that are smaller than a dash; give it a width of
        its own then.

    Returns
    -------
    dict
        What `panel` takes.
    """
    return _item("line", name, role, x=x, label=label, width=width, solid=solid)


def dots(
    name: str, *, x: str | None = None, role: str = "signal", label: str = "", width: float = 4.0
) -> dict:
    """Return dots at array `name`.

    Parameters
    ----------
    name, x : str
        Arrays of `compute`'s reply: the values, and their places on the x axis (evenly over it if
        not given).
    role, label : str
        A key of `helpers.figures.ROLES`, and the name in the legend.
    width : float
        Radius [px].

    Returns
    -------
    dict
        What `panel` takes.
    """
    return _item("dots", name, role, x=x, label=label, width=width)


def stems(
    name: str, *, x: str | None = None, role: str = "signal", label: str = "", base: float = 0.0
) -> dict:
    """Return dots on stalks that stand on a level.

    Parameters
    ----------
    name, x : str
        Arrays of `compute`'s reply: the values, and their places on the x axis (evenly over it if
        not given).
    role, label : str
        A key of `helpers.figures.ROLES`, and the name in the legend.
    base : float
        Level on which they stand.

    Returns
    -------
    dict
        What `panel` takes.
    """
    return _item("stems", name, role, x=x, label=label, base=base, width=None)


def mark(
    name: str, label: str = "", *, role: str = "reference", row: int = 0, width: float | None = None
) -> dict:
    """Return upright lines at the places in array `name`.

    Parameters
    ----------
    name : str
        Array of `compute`'s reply.
    label : str
        Words beside each line; `{}` stands for its place.
    role, row : str, int
        A key of `helpers.figures.ROLES`; the line of text, counted from the top, so that labels
        keep apart.
    width : float, optional
        Width [px]; that of the role if not given.

    Returns
    -------
    dict
        What `panel` takes.
    """
    return _item("mark", name, role, label=label, row=row, width=width)


def image(name: str, *, low: float, high: float) -> dict:
    """Return a picture in the colours of levels.

    Parameters
    ----------
    name : str
        Array of `compute`'s reply, shape (rows, columns), row 0 lowest.
    low, high : float
        Values of the lightest and the darkest colour.

    Returns
    -------
    dict
        What `panel` takes.
    """
    if not low < high:
        raise ValueError(f"image {name!r}: low={low} must lie below high={high}")
    return _item("image", name, low=low, high=high, label="")


def panel(
    x: dict,
    y: dict,
    *items: dict,
    title: str = "",
    height: int = 190,
    width: int | None = None,
    equal: bool = False,
) -> dict:
    """Return a panel of a stage.

    Parameters
    ----------
    x, y : dict
        Two results of `axis`.
    *items : dict
        What is drawn between them, the lowest first.
    title : str
        One line above.
    height : int
        Height [px].
    width : int, optional
        Width that it would like [px]; panels that have one stand side by side where there is room.
    equal : bool
        Whether one unit is equally long on both axes, so that circles are round and angles right.

    Returns
    -------
    dict
        What `stage` takes.
    """
    size = {"height": height, "width": width, "equal": equal}
    return {"x": x, "y": y, "items": list(items), "title": title, **size}


def handle(
    name: str,
    label: str,
    low: float,
    high: float,
    start: float,
    *,
    step: float,
    unit: str = "",
    page: float | None = None,
    panel: int = 0,
    along: str = "x",
    log: bool = False,
    partner: str | None = None,
) -> dict:
    """Return a point to drag along an axis of a panel; it is also a slider for the keyboard and for
    screen readers.

    Parameters
    ----------
    name, label : str
        Argument of `compute` that it sets; what a screen reader calls it.
    low, high, start : float
        Ends and first value [`unit`].
    step, page : float
        What an arrow key and what a Page key moves it by [`unit`], or [octaves] where `log`; a page
        is ten steps unless given.
    unit : str
        For example "Hz".
    panel : int
        Which panel it lies in.
    along : {"x", "y"}
        Which axis it moves along.
    log : bool
        Whether steps are octaves.
    partner : str, optional
        Name of the handle that moves along the other axis: both are then one point that is dragged
        freely.

    Returns
    -------
    dict
        One entry of `handles`.
    """
    if not low < high or not low <= start <= high or (log and low <= 0):
        raise ValueError(
            f"{label}: needs low < high and a start between them, got {low}, {high}, {start}"
        )
    if not step > 0 or along not in ("x", "y"):
        raise ValueError(
            f"{label}: needs step > 0 and along='x' or 'y', got step={step}, along={along!r}"
        )
    ends = {"low": low, "high": high, "start": start, "step": step, "page": page or 10 * step}
    place = {"panel": panel, "along": along, "log": log, "partner": partner}
    return {"name": name, "label": label, **ends, "unit": unit, **place}


def brush(
    name: str, label: str, *, panel: int, rows: int, cols: int, high: int = 3, wide: int = 3
) -> dict:
    """Return a brush: the learner keeps or removes cells of a grid over a panel, by pointer or by
    keys.

    Parameters
    ----------
    name, label : str
        Argument of `compute`, which gets a boolean array (rows, cols), True where kept, row 0
        lowest; what a screen reader calls it.
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
    """
    if not 1 <= rows * cols <= 20000 or not 1 <= high <= rows or not 1 <= wide <= cols:
        raise ValueError(
            f"{label}: needs 1 to 20000 cells and a brush inside, got {rows} x {cols} and {high} x "
            f"{wide}"
        )
    size = {"rows": rows, "cols": cols, "high": high, "wide": wide}
    return {"name": name, "label": label, "panel": panel, "start": "1" * (rows * cols), **size}


def cells(spec: dict, text: str) -> np.ndarray:
    """Return what the front end has painted as booleans, True where kept."""
    return (np.frombuffer(text.encode(), np.uint8) == ord("1")).reshape(spec["rows"], spec["cols"])
