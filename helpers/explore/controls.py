"""Controls that say their unit and refuse a start outside their range; notebooks write
`explore.slider(...)`.
"""

from __future__ import annotations

import math

import ipywidgets as widgets


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
        A control for `explore`.

    Raises
    ------
    ValueError
        If the range is empty, `start` lies outside it (ipywidgets would move it without a word),
        the step is not positive, or a log slider reaches 0.
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
    digits = max(0, math.ceil(-math.log10(step) - 1e-9))
    return widgets.FloatSlider(
        value=start, min=low, max=high, step=step, readout_format=f".{digits}f", **look
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
        A control for `explore`.

    Raises
    ------
    ValueError
        If there are fewer than two options, one of them is None, or `start` is none of them.
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
        A control for `explore`, whose value is True or False.
    """
    return widgets.Checkbox(value=start, description=label, indent=False)


def places(control, points, rng) -> list:
    """Both ends and `points` random inner values of a slider, or all options."""
    if not hasattr(control, "min"):
        return (
            [value for _, value in control.options]
            if hasattr(control, "options")
            else [False, True]
        )
    if isinstance(control, widgets.IntSlider):
        inner = rng.integers(control.min, control.max, size=points, endpoint=True).tolist()
        return [control.min, control.max, *inner]
    inner = rng.uniform(control.min, control.max, size=points).tolist()
    places = [control.min, control.max, *inner]
    return (
        [control.base**x for x in places] if isinstance(control, widgets.FloatLogSlider) else places
    )


def describe(name: str, control) -> tuple[dict, object]:
    """Return what a front end needs to draw a control itself, and its value there: of a menu, the
    option's index.
    """
    base = {"name": name, "label": control.description}
    if hasattr(control, "options"):
        return {
            **base,
            "kind": "choice",
            "options": [text for text, _ in control.options],
        }, control.index
    if isinstance(control, widgets.Checkbox):
        return {**base, "kind": "toggle"}, control.value
    label, _, unit = control.description.partition(" [")
    log = isinstance(control, widgets.FloatLogSlider)
    ends = {"low": control.min, "high": control.max, "step": control.step}
    digits = max(0, math.ceil(-math.log10(control.step) - 1e-9))
    spec = {
        **base,
        "label": label,
        "unit": unit.rstrip("]"),
        "kind": "slider",
        "log": log,
        "digits": digits,
        **ends,
    }
    return spec, math.log2(control.value) if log else control.value


def understand(control, sent):
    """Return the value that a front end means by what it `sent`: the inverse of `describe`."""
    if hasattr(control, "options"):
        return control.options[sent][1]
    if isinstance(control, widgets.FloatLogSlider):
        return control.base**sent
    return type(control.value)(sent)
