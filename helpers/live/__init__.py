"""Computations that take seconds, as they run: a progress bar, curves, a Stop button, and previews.

`run` shows a generator that yields one step after the other, such as a training loop. ValueError
refuses fewer than one step, and fewer than one run to keep.
"""

from __future__ import annotations

import asyncio
import io
import os
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import figures
from helpers.explore.controls import sample_values

SLICE = 0.05  # how long Python works before it listens to the notebook again [s]
REDRAW = 0.4  # how long before it draws the curves again [s]


class Readout(anywidget.AnyWidget):
    """The sentence under the curves, spoken by screen readers, and the fault if there is one."""

    _esm = Path(__file__).with_name("readout.js").read_text(encoding="utf-8")
    _css = Path(__file__).with_name("readout.css").read_text(encoding="utf-8")
    title = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    fault = traitlets.Unicode().tag(sync=True)


class Live(widgets.VBox):
    """Controls, Start, Stop, progress, the curves of the last runs, and their previews."""

    _ipython_display_ = None  # ipywidgets 7 would show itself this way and leave the picture out
    running: Live | None = None  # one at a time, in the whole notebook

    def __init__(
        self, job: Callable, *, title, steps, controls, preview, preview_steps, keep_runs, ylabel
    ):
        self._job = job
        self._make_preview = preview
        self.title = title
        self.steps = steps
        self.controls = controls
        self.runs = {}  # by name: (steps, losses, {step: snapshot})
        self.task = None
        self._previews = {}  # widgets by step
        self._old_previews = {}  # kept: a player that is dropped while it loads is an error
        self._make_figure(keep_runs, ylabel)
        self.picture = widgets.Image(
            format="png", layout={"max_width": "100%", "align_self": "flex-start"}
        )
        self.readout = Readout(title=title, text=f"Choose, then press Start: {steps} steps.")
        self.start_button = widgets.Button(description="Start", button_style="primary")
        self.stop_button = widgets.Button(description="Stop", disabled=True)
        self.progress = widgets.IntProgress(max=steps, layout={"flex": "1 1 auto"})
        self.step_slider = widgets.SelectionSlider(
            options=preview_steps,
            description="Hear after step",
            disabled=True,
            style={"description_width": "initial"},
            layout={"width": "min(100%, 560px)"},
        )
        # a height of its own, so that nothing below jumps when a player is replaced
        self.preview_box = widgets.VBox(layout={"min_height": "420px"})
        self._draw()
        super().__init__(self._laid_out())
        self.start_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        self.step_slider.observe(self._show_preview, "value")

    def _make_figure(self, keep_runs: int, ylabel: str) -> None:
        self.figure = Figure(figsize=(7.6, 2.6), layout="none")
        self._canvas = FigureCanvasAgg(self.figure)
        self.figure.subplots_adjust(left=0.1, right=0.98, bottom=0.2, top=0.88, wspace=0.3)
        self._axes = self.figure.subplots(1, keep_runs, squeeze=False)[0]
        self._lines = [ax.plot([], [], **figures.stroke("signal"))[0] for ax in self._axes]
        for ax in self._axes:
            ax.set(xlabel="Step", ylabel=ylabel, title="no run yet")
            ax.set(xlim=(0, self.steps), ylim=(0, 1))
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}".replace("-", "−"))

    def _laid_out(self) -> list:
        buttons = [self.start_button, self.stop_button, self.progress]
        row = widgets.HBox(buttons, layout={"max_width": "560px"})
        parts = [*self.controls.values(), row, self.picture, self.readout]
        if self._make_preview is not None:
            parts.append(self.step_slider)
        board = widgets.VBox(parts)
        board.add_class("earup-running")
        return [board] if self._make_preview is None else [board, self.preview_box]

    def start(self) -> None:
        """Run what the controls say: beside the notebook in its event loop, else to the end."""
        if Live.running is not None:
            Live.running.stop()
        slices = self._run_sliced()
        try:
            self.task = asyncio.get_running_loop().create_task(self._run_async(slices))
        except RuntimeError:  # no event loop, as in a script
            list(slices)

    def stop(self) -> None:
        """End the run that is on, and keep what it has made."""
        self._stopped = True

    async def _run_async(self, slices) -> None:
        for _ in slices:
            # here Python hears Stop, and whatever else the notebook asks
            await asyncio.sleep(0.002)

    def _run_sliced(self, at_most: int | None = None):
        """Work through the job, and yield every few hundredths of a second."""
        self._set_running(True)
        self.readout.fault = ""
        name = self._run_name()
        steps, losses, snapshots = self._new_run(name)
        self.readout.text = (
            f"{name}: running, {self.steps} steps. Stop ends it and keeps what is there."
        )
        begun = time.perf_counter()
        yielded = begun
        drawn = begun
        try:
            for step, loss, *snapshot in islice(self._job(**self.values), at_most):
                steps.append(step)
                losses.append(float(loss))
                if snapshot and snapshot[0] is not None:
                    snapshots[step] = snapshot[0]
                now = time.perf_counter()
                if now - drawn > REDRAW:
                    self._draw()
                    drawn = time.perf_counter()
                if now - yielded > SLICE:
                    self.progress.value = step
                    yield
                    yielded = time.perf_counter()
                if self._stopped:
                    break
        except Exception as error:  # the learner reads it, and can start again
            self.readout.fault = f"{type(error).__name__}: {error}"
        self._set_running(False)
        self._finish(name, steps, losses, time.perf_counter() - begun)

    def _set_running(self, on: bool) -> None:
        if on:
            Live.running = self
            self._stopped = False
        elif Live.running is self:
            Live.running = None
        self.start_button.disabled = on
        self.stop_button.disabled = not on

    def _run_name(self) -> str:
        """Return what the controls say, in words."""
        chosen = [str(getattr(c, "label", c.value)) for c in self.controls.values()]
        return ", ".join(chosen) or "run"

    def _new_run(self, name: str) -> tuple:
        """Return the empty record of a run, and drop the oldest one that has no curve any more."""
        self.runs.pop(name, None)  # a second run of the same choice takes the place of the first
        self.runs[name] = ([], [], {})
        for old in list(self.runs)[: -len(self._axes)]:
            del self.runs[old]
        return self.runs[name]

    @property
    def values(self) -> dict:
        """The value of every control."""
        return {name: control.value for name, control in self.controls.items()}

    def _finish(self, name: str, steps: list, losses: list, seconds: float) -> None:
        """Say how the run went, and preview what it had made by the last step of the slider."""
        self._draw()
        if not steps:
            return
        self.progress.value = steps[-1]
        fall = f"{self._axes[0].get_ylabel()} from {losses[0]:.4g} to {losses[-1]:.4g}"
        self._summary = f"{name}: {steps[-1]} of {self.steps} steps in {seconds:.1f} s, {fall}."
        self._old_previews = self._previews
        self._previews = {}
        reached = [step for step in self.step_slider.options if step <= steps[-1]]
        if self._make_preview is None or not reached:
            self.readout.text = self._summary
            return
        self.step_slider.unobserve(self._show_preview, "value")  # one player, not two
        self.step_slider.value = reached[-1]
        self.step_slider.disabled = False
        self.step_slider.observe(self._show_preview, "value")
        self._show_preview()

    def _draw(self) -> None:
        """Draw the curves of the kept runs, each in its own axes."""
        runs = self.runs.items()
        for ax, line, (name, (steps, losses, _)) in zip(
            self._axes, self._lines, runs, strict=False
        ):
            line.set_data(steps, losses)
            ax.set_title(name)
            if steps:
                low = min(losses)
                high = max(losses)
                margin = 0.05 * (high - low) or 0.1
                ax.set_ylim(low - margin, high + margin)
        png = io.BytesIO()
        self._canvas.print_png(png)
        self.picture.value = png.getvalue()

    def _show_preview(self, _=None) -> None:
        """Show what the kept runs had made by the step that the slider says."""
        step = self.step_slider.value
        snapshots = {}
        for name, (_, _, made) in self.runs.items():
            for at in made:
                if at <= step:
                    snapshots[name] = made[at]  # the last one stays
        try:
            if step not in self._previews:
                self._previews[step] = self._make_preview(step, snapshots)
        except Exception as error:
            self.readout.text = self._summary
            self.readout.fault = f"{type(error).__name__}: {error}"
            return
        self.preview_box.children = [self._previews[step]]
        self.readout.text = f"{self._summary} Below: what there was after step {step}."

    def sweep(self) -> None:
        """Take two steps with every option of every control; raise at the first that fails."""
        for name, control in self.controls.items():
            before = control.value
            for value in sample_values(control, 1, np.random.default_rng(0)):
                control.value = value
                list(self._run_sliced(2))
                if self.readout.fault:
                    raise RuntimeError(f"{self.title}: {self.readout.fault} at {name} = {value!r}")
            control.value = before
        self.runs.clear()  # nothing stays of it

    def _repr_mimebundle_(self, **_):
        """Return the live widget, and for a notebook merely opened the curves so far."""
        ylabel = self._axes[0].get_ylabel()
        done = [f"{n}, {ylabel} after {len(run[0])} steps" for n, run in self.runs.items()]
        text = f"{self.title}. {'; '.join(done) or 'Not run yet'}. Run this cell to start it."
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        bundle = {
            "text/plain": text,
            "image/png": b64encode(figures.picture(self.figure, colours=48)).decode(),
            "application/vnd.jupyter.widget-view+json": view,
        }
        return bundle, {"image/png": {"alt": text}}


def run(
    job: Callable,
    *,
    title: str,
    steps: int,
    controls: dict | None = None,
    preview: Callable | None = None,
    preview_steps: Sequence[int] | None = None,
    keep_runs: int = 1,
    warmup: int = 0,
    ylabel: str = "Loss",
) -> Live:
    """Show a computation that can be started, watched, stopped, and previewed at several steps.

    It runs in slices of 0.05 s, so that the notebook stays awake. One runs at a time: a start stops
    any other.

    Parameters
    ----------
    job : callable
        ``job(**values)`` is a generator with one argument for each control. It yields ``(step,
        loss)``, or ``(step, loss, snapshot)`` with anything that `preview` can use (None for none).
        One step should stay under 0.2 s.
    title : str
        What runs here.
    steps : int
        The last step, the full length of the progress bar.
    controls : dict, optional
        `explore.choice`, `explore.slider` or `explore.toggle` by name of the argument.
    preview : callable, optional
        ``preview(step, snapshots)`` returns a widget, such as a player. `snapshots` holds for each
        kept run, by the names of its options, the last snapshot made by that step.
    preview_steps : sequence of int, optional
        Where the slider through the snapshots stops, best those steps at which the job makes one;
        by default seven, evenly from 0 to `steps`.
    keep_runs : int, default 1
        How many runs of different choices stay, each with its own curve.
    warmup : int, default 0
        Steps to take at once, so that there is something to see before Start is pressed.
    ylabel : str
        What the curve shows.

    Returns
    -------
    Live
        The last line of a cell.

    Notes
    -----
    With ``NOTEBOOK_SWEEP=1`` in the environment, as in the tests, two steps are taken with every
    option.

    Examples
    --------
    >>> halving = run(lambda: ((k, 0.5**k) for k in range(5)), title="Halving", steps=4, warmup=5)
    >>> halving.runs["run"][1]
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """
    if steps < 1 or keep_runs < 1:
        raise ValueError(f"steps={steps} and keep_runs={keep_runs} must be at least 1")
    made = Live(
        job,
        title=title,
        steps=steps,
        controls=controls or {},
        preview=preview,
        preview_steps=sorted(preview_steps or {round(steps * k / 6) for k in range(7)}),
        keep_runs=keep_runs,
        ylabel=ylabel,
    )
    if os.environ.get("NOTEBOOK_SWEEP") == "1":
        made.sweep()
    if warmup:
        list(made._run_sliced(warmup))
    return made
