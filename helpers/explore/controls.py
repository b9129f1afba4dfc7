"""Controls of a stage or a run that say their unit; notebooks write `explore.slider(...)`.

Each refuses with a ValueError what makes no sense: a range that is empty, a start outside it
(ipywidgets would move it without a word), a step of 0, a log slider down to 0, a menu of one.
"""

from __future__ import annotations

import math

import ipywidgets as widgets


def digits_of(step: float) -> int:
    """Return how many decimals a value in such steps needs."""
    return max(0, math.ceil(-math.log10(step) - 1e-9))


def slider(label: str, low, high, start, *, step, unit: str, log: bool = False):
    """Return a slider that states its unit.

    Parameters
    ----------
    label : str
        Name of the quantity.
    low, high, start : float
        Ends and first value [`unit`]; whole numbers throughout make a slider of whole numbers.
    step : float
        Distance between two values [`unit`], or [octaves] where `log`.
    unit : str
        For example "Hz"; "" for a plain number.
    log : bool
        Equal ways on the slider are equal ratios.

    Returns
    -------
    ipywidgets.Widget
        A control for `stage` or `live.run`.
    """
    if not low < high:
        raise ValueError(f"{label}: low={low} must lie below high={high}")
    if not low <= start <= high:
        raise ValueError(f"{label}: start={start} is outside [{low}, {high}]")
    if not step > 0:
        raise ValueError(f"{label}: step={step} must be positive")
    if log and low <= 0:
        raise ValueError(f"{label}: a log slider needs low > 0, got {low}")
    look = dict(
        description=f"{label} [{unit}]" if unit else label,
        style={"description_width": "initial"},
        layout={"width": "min(100%, 560px)"},
    )
    if log:
        ends = dict(min=math.log2(low), max=math.log2(high), base=2, step=step)
        return widgets.FloatLogSlider(value=start, readout_format=".4g", **ends, **look)
    if all(isinstance(x, int) for x in (low, high, start, step)):
        return widgets.IntSlider(value=start, min=low, max=high, step=step, **look)
    return widgets.FloatSlider(
        value=start, min=low, max=high, step=step, readout_format=f".{digits_of(step)}f", **look
    )


def choice(label: str, options, *, start=None):
    """Return a menu.

    Parameters
    ----------
    label : str
        Name of the quantity.
    options : list or dict
        Values, or a dict from shown name to value.
    start : object, optional
        First value; the first option if not given.

    Returns
    -------
    ipywidgets.Widget
        A control for `stage` or `live.run`.
    """
    pairs = (
        list(options.items())
        if isinstance(options, dict)
        else [(str(option), option) for option in options]
    )
    values = [value for _, value in pairs]
    if len(values) < 2:
        raise ValueError(f"{label}: a choice needs at least two options, got {values}")
    if None in values:
        raise ValueError(f"{label}: menus read None as no choice; use a word or 0, got {values}")
    start = values[0] if start is None else start
    if start not in values:
        raise ValueError(f"{label}: start={start!r} is not among {values}")
    return widgets.Dropdown(
        options=pairs, value=start, description=label, style={"description_width": "initial"}
    )


def toggle(label: str, *, start: bool = False):
    """Return a box to tick.

    Parameters
    ----------
    label : str
        What it switches.
    start : bool
        Ticked at first.

    Returns
    -------
    ipywidgets.Widget
        A control for `stage` or `live.run`, whose value is True or False.
    """
    return widgets.Checkbox(value=start, description=label, indent=False)


def sample_values(control, points, rng) -> list:
    """Return both ends and `points` random inner values of a slider, or all options."""
    if hasattr(control, "options"):
        return [value for _, value in control.options]
    if not hasattr(control, "min"):
        return [False, True]
    ends = [control.min, control.max]
    if isinstance(control, widgets.IntSlider):
        return ends + rng.integers(*ends, size=points, endpoint=True).tolist()
    values = ends + rng.uniform(*ends, size=points).tolist()
    if isinstance(control, widgets.FloatLogSlider):  # its ends are exponents
        return [control.base**x for x in values]
    return values


def to_frontend(name: str, control) -> tuple[dict, object]:
    """Return what the front end needs to draw a control, and its value there (of a menu the
    option's index, of a log slider the octave).
    """
    spec = {"name": name, "label": control.description}
    if hasattr(control, "options"):
        texts = [text for text, _ in control.options]
        return spec | {"kind": "choice", "options": texts}, control.index
    if isinstance(control, widgets.Checkbox):
        return spec | {"kind": "toggle"}, control.value
    label, _, unit = control.description.partition(" [")
    log = isinstance(control, widgets.FloatLogSlider)
    spec |= {"kind": "slider", "label": label, "unit": unit.rstrip("]"), "log": log}
    spec |= {"low": control.min, "high": control.max, "step": control.step}
    spec["digits"] = digits_of(control.step)
    return spec, math.log2(control.value) if log else control.value


def from_frontend(control, sent):
    """Return the value that the front end means by what it `sent`: the inverse of `to_frontend`."""
    if hasattr(control, "options"):
        return control.options[sent][1]
    if isinstance(control, widgets.FloatLogSlider):
        return control.base**sent
    return type(control.value)(sent)
