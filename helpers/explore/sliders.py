"""A drawing function with sliders.

It builds its artists once and returns the function that moves them::

    def draw(fig):
        ax = fig.subplots()
        (line,) = ax.plot(times, signals.sine(440, sr=sr, duration=0.01))

        def update(tone):
            line.set_ydata(signals.sine(tone, sr=sr, duration=0.01))
            return f"{tone:g} Hz: one period lasts {1000 / tone:.2f} ms"

        return update

    explore.still(draw, tone=440)
    tone = explore.slider("Tone", 100, 1000, 440, step=10, unit="Hz")
    explore.explore(draw, title="One tone", tone=tone)
"""

from __future__ import annotations

import inspect
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import figures
from helpers.explore.controls import places
from helpers.explore.frames import Frames

__all__ = ["Explorable", "Readout", "explore", "still"]

MAX_CONTROLS = 4  # more than that and nobody can say what moved the picture


class Readout(anywidget.AnyWidget):
    """The sentence under the picture, spoken by screen readers, and the fault if there is one."""

    _esm = Path(__file__).with_name("sliders.js").read_text(encoding="utf-8")
    _css = Path(__file__).with_name("sliders.css").read_text(encoding="utf-8")
    title = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    fault = traitlets.Unicode().tag(sync=True)


class Explorable(widgets.VBox):
    """A picture, the sentence that reads it out, and its controls; `explore` makes it."""

    _ipython_display_ = None  # ipywidgets 7 would show itself this way and leave the picture out

    def __init__(self, draw: Callable, title: str, controls: dict):
        self.controls, self.title = controls, title
        self.figure = Figure()
        self._update = _build(draw, self.figure, self.values)
        self.picture = widgets.Image(
            format="jpeg", layout={"max_width": "100%", "align_self": "flex-start"}
        )
        self.readout = Readout(title=title)
        text = self._move(self.values)
        self._frames = Frames(self.figure)
        self.picture.value, self.readout.text = self._frames.jpeg(), text
        super().__init__([*controls.values(), self.picture, self.readout])
        self.add_class("earup-explore")
        for control in controls.values():
            control.observe(self._changed, "value")

    @property
    def values(self) -> dict:
        """The value of every control."""
        return {name: control.value for name, control in self.controls.items()}

    def _move(self, values: dict) -> str:
        text = self._update(**values)
        if not isinstance(text, str) or not text.strip():
            raise TypeError(
                f"update must return the sentence that reads the picture out, got {text!r}"
            )
        return text

    def _changed(self, _) -> None:
        values = self.values
        try:
            text = self._move(values)
            image = self._frames.jpeg()
        except (
            Exception
        ) as error:  # whatever the drawing raises, the learner reads it and can move on
            at = ", ".join(f"{name} = {value!r}" for name, value in values.items())
            self.readout.fault = (
                f"{type(error).__name__}: {error}\nat {at}. Move the control: the picture comes "
                "back."
            )
            return
        self.picture.value = image  # before the words: the message that takes longest leaves first
        with self.readout.hold_sync():
            self.readout.text, self.readout.fault = text, ""

    def sweep(self, *, points: int = 3, seed: int = 0) -> None:
        """Draw both ends and random inner points of every control; raise at the first that
        fails.
        """
        rng, start = np.random.default_rng(seed), self.values
        for name, control in self.controls.items():
            for value in places(control, points, rng):
                others = {
                    n: (some := places(c, 1, rng))[rng.integers(len(some))]
                    for n, c in self.controls.items()
                }
                for values in ({**start, name: value}, {**others, name: value}):
                    try:
                        self._move(values)
                        self._frames.next()
                    except Exception as error:
                        raise RuntimeError(f"{self.title}: drawing failed at {values}") from error
        self._move(start)

    def _repr_mimebundle_(self, **_):
        """Return the live widget, and for a notebook merely opened the picture and its words."""
        png = b64encode(figures.picture(self.figure, colours=48)).decode()
        text = f"{self.title}. {self.readout.text} Run this cell to move the controls."
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        bundle = {
            "text/plain": text,
            "image/png": png,
            "application/vnd.jupyter.widget-view+json": view,
        }
        return bundle, {"image/png": {"alt": text}}


def _build(draw: Callable, fig: Figure, values: dict) -> Callable:
    """Have `draw` build its artists and return its update function, once it is one that takes
    `values`.
    """
    FigureCanvasAgg(fig)
    update = draw(fig)
    if not callable(update):
        raise TypeError(f"draw(fig) must return a function update(**values) -> str, got {update!r}")
    try:
        inspect.signature(update).bind(**values)
    except TypeError as error:
        raise TypeError(
            f"update{inspect.signature(update)} does not fit the controls {list(values)}: {error}"
        ) from None
    return update


def still(draw: Callable, **values) -> None:
    """Show the figure of `draw` once, at the given values, with its read-out in words.

    Parameters
    ----------
    draw : callable
        As for `explore`.
    **values
        One for each argument of the update function.
    """
    fig = Figure()
    figures.show(fig, alt=_build(draw, fig, values)(**values))


def explore(draw: Callable, *, title: str, **controls) -> Explorable:
    """Show the figure of a drawing function above controls that move it.

    Parameters
    ----------
    draw : callable
        ``draw(fig)`` builds the artists and returns ``update(**values) -> str``, which moves them
        and returns the sentence that reads the picture out. Creating artists belongs in `draw`: an
        update that moves is fast.
    title : str
        What the picture is; with the read-out it becomes the alt text.
    **controls : ipywidgets.Widget
        One `slider`, `choice` or `toggle` for each argument of `update`; at most four.

    Returns
    -------
    Explorable
        The last line of a cell.

    Raises
    ------
    ValueError
        If there is no control, or more than four.
    TypeError
        If a control is none of the three kinds, or `update` does not take them or returns no text.

    Notes
    -----
    With ``NOTEBOOK_SWEEP=1`` in the environment, as in the tests, every control is also drawn at
    both ends and at random places between, so that no position of a slider can raise.
    """
    if not 1 <= len(controls) <= MAX_CONTROLS:
        raise ValueError(
            f"explore takes 1 to {MAX_CONTROLS} controls, got {len(controls)}: {list(controls)}"
        )
    for name, control in controls.items():
        if not isinstance(control, widgets.ValueWidget):
            raise TypeError(f"{name} must be made by slider, choice or toggle, got {control!r}")
    box = Explorable(draw, title, controls)
    if os.environ.get("NOTEBOOK_SWEEP") == "1":
        box.sweep()
    return box
