"""A computation that takes seconds, as it runs: progress, a curve, a stop button, and what it made
on the way.
"""

from __future__ import annotations

import asyncio
import os
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from itertools import islice

import ipywidgets as widgets
import numpy as np
from matplotlib.figure import Figure

from helpers import figures
from helpers.explore.controls import places
from helpers.explore.frames import Frames
from helpers.explore.sliders import Readout

SLICE, REDRAW = (
    0.05,
    0.4,
)  # how long Python works before it listens again, and before it draws again [s]


class Live(widgets.VBox):
    """Controls, Start, Stop, progress, the curves of the last runs, and what they made; `run` makes
    it.
    """

    _ipython_display_ = None  # as in helpers.explore
    at_work: Live | None = None  # one at a time, in the whole notebook

    def __init__(self, job: Callable, *, title, steps, controls, hear, moments, keep, y):
        self._job, self._hear, self.title, self.steps, self.controls = (
            job,
            hear,
            title,
            steps,
            controls,
        )
        self.runs, self.task = {}, None  # runs by name: (steps, losses, {step: what it had made})
        self._sounds, self._older = (
            {},
            {},
        )  # players by moment: one that is dropped while it loads is an error
        self.figure = Figure(figsize=(7.6, 2.6), layout="none")
        self.figure.subplots_adjust(left=0.1, right=0.98, bottom=0.2, top=0.88, wspace=0.3)
        self._axes = self.figure.subplots(1, keep, squeeze=False)[0]
        self._lines = [ax.plot([], [], **figures.stroke("signal"))[0] for ax in self._axes]
        for ax in self._axes:
            ax.set(xlabel="Step", ylabel=y, xlim=(0, steps), ylim=(0, 1), title="no run yet")
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}".replace("-", "−"))
        self.picture = widgets.Image(
            format="jpeg", layout={"max_width": "100%", "align_self": "flex-start"}
        )
        self.readout = Readout(title=title, text=f"Choose, then press Start: {steps} steps.")
        self.begin = widgets.Button(description="Start", button_style="primary")
        self.halt = widgets.Button(description="Stop", disabled=True)
        self.progress = widgets.IntProgress(max=steps, layout={"flex": "1 1 auto"})
        self.scrub = widgets.SelectionSlider(
            options=moments, description="Hear after step", disabled=True
        )
        self.scrub.style, self.scrub.layout.width = (
            {"description_width": "initial"},
            "min(100%, 560px)",
        )
        self.heard = widgets.VBox(
            layout={"min_height": "420px"}
        )  # nothing below jumps when a player is replaced
        self._frames = Frames(self.figure)
        self.picture.value = self._frames.jpeg()
        row = widgets.HBox([self.begin, self.halt, self.progress], layout={"max_width": "560px"})
        scrub = [] if hear is None else [self.scrub]
        board = widgets.VBox([*controls.values(), row, self.picture, self.readout, *scrub])
        board.add_class("earup-explore")
        super().__init__([board] if hear is None else [board, self.heard])
        self.begin.on_click(lambda _: self.start())
        self.halt.on_click(lambda _: self.stop())
        self.scrub.observe(self._sound, "value")

    def start(self) -> None:
        """Run what the controls say: beside the notebook where an event loop turns, else to the end
        at once.
        """
        if Live.at_work is not None:
            Live.at_work.stop()
        pieces = self._pieces()
        try:
            self.task = asyncio.get_running_loop().create_task(self._beside(pieces))
        except RuntimeError:
            list(pieces)

    def stop(self) -> None:
        """End the run that is on, and keep what it has made."""
        self._stopped = True

    async def _beside(self, pieces) -> None:
        for _ in pieces:
            await asyncio.sleep(
                0.002
            )  # here Python hears Stop, and whatever else the notebook asks

    def _pieces(self, at_most: int | None = None):
        """Work through the job, and yield every few hundredths of a second."""
        Live.at_work, self._stopped, self.readout.fault = self, False, ""
        self.begin.disabled, self.halt.disabled = True, False
        name = (
            ", ".join(
                str(getattr(control, "label", control.value)) for control in self.controls.values()
            )
            or "run"
        )
        self.runs.pop(name, None)  # a second run of the same choice takes the place of the first
        steps, losses, made = self.runs[name] = ([], [], {})
        for old in list(self.runs)[: -len(self._axes)]:
            del self.runs[old]
        self.readout.text = (
            f"{name}: running, {self.steps} steps. Stop ends it and keeps what is there."
        )
        begun = heard = drawn = time.perf_counter()
        try:
            for step, loss, *snapshot in islice(self._job(**self.values), at_most):
                steps.append(step)
                losses.append(float(loss))
                if snapshot and snapshot[0] is not None:
                    made[step] = snapshot[0]
                now = time.perf_counter()
                if now - drawn > REDRAW:
                    self._draw()
                    drawn = time.perf_counter()
                if now - heard > SLICE:
                    self.progress.value = step
                    yield
                    heard = time.perf_counter()
                if self._stopped:
                    break
        except Exception as error:  # the learner reads it, and can start again
            self.readout.fault = f"{type(error).__name__}: {error}"
        self._end(name, steps, losses, time.perf_counter() - begun)

    @property
    def values(self) -> dict:
        """The value of every control."""
        return {name: control.value for name, control in self.controls.items()}

    def _end(self, name: str, steps: list, losses: list, seconds: float) -> None:
        self.begin.disabled, self.halt.disabled = False, True
        Live.at_work = None if Live.at_work is self else Live.at_work
        self._draw()
        if not steps:
            return
        self.progress.value = steps[-1]
        fall = f"{self._axes[0].get_ylabel()} from {losses[0]:.4g} to {losses[-1]:.4g}"
        self._said = f"{name}: {steps[-1]} of {self.steps} steps in {seconds:.1f} s, {fall}."
        self._sounds, self._older = {}, self._sounds
        reached = [moment for moment in self.scrub.options if moment <= steps[-1]]
        if self._hear is not None and reached:
            self.scrub.unobserve(self._sound, "value")  # one player, not two
            self.scrub.value, self.scrub.disabled = reached[-1], False
            self.scrub.observe(self._sound, "value")
            self._sound()
        else:
            self.readout.text = self._said

    def _draw(self) -> None:
        for ax, line, (name, (steps, losses, _)) in zip(
            self._axes, self._lines, self.runs.items(), strict=False
        ):
            line.set_data(steps, losses)
            ax.set_title(name)
            if steps:
                low, high = min(losses), max(losses)
                room = 0.05 * (high - low) or 0.1
                ax.set_ylim(low - room, high + room)
        self.picture.value = self._frames.jpeg()

    def _sound(self, _=None) -> None:
        """Show what the kept runs had made by the step that the slider says."""
        then = {
            name: [made[s] for s in made if s <= self.scrub.value][-1:]
            for name, (*_, made) in self.runs.items()
        }
        moment = self.scrub.value
        try:
            if moment not in self._sounds:
                self._sounds[moment] = self._hear(
                    moment, {name: last[0] for name, last in then.items() if last}
                )
        except Exception as error:
            self.readout.text, self.readout.fault = self._said, f"{type(error).__name__}: {error}"
            return
        self.heard.children = [self._sounds[moment]]
        self.readout.text = f"{self._said} Below: what there was after step {moment}."

    def sweep(self) -> None:
        """Take two steps with every option of every control, and make what is heard; raise at the
        first that fails.
        """
        for name, control in self.controls.items():
            before = control.value
            for value in places(control, 1, np.random.default_rng(0)):
                control.value = value
                list(self._pieces(2))
                if self.readout.fault:
                    raise RuntimeError(f"{self.title}: {self.readout.fault} at {name} = {value!r}")
            control.value = before
        self.runs.clear()  # nothing stays of it

    def _repr_mimebundle_(self, **_):
        """Return the live widget, and for a notebook merely opened the curves so far."""
        shown = "; ".join(
            f"{n}, {self._axes[0].get_ylabel()} after {len(run[0])} steps"
            for n, run in self.runs.items()
        )
        text = f"{self.title}. {shown or 'Not run yet'}. Run this cell to start it."
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        png = b64encode(figures.picture(self.figure, colours=48)).decode()
        bundle = {
            "text/plain": text,
            "image/png": png,
            "application/vnd.jupyter.widget-view+json": view,
        }
        return bundle, {"image/png": {"alt": text}}


def run(
    job: Callable,
    *,
    title: str,
    steps: int,
    controls: dict | None = None,
    hear: Callable | None = None,
    moments: Sequence[int] | None = None,
    keep: int = 1,
    first: int = 0,
    y: str = "Loss",
) -> Live:
    """Show a computation that can be started, watched, stopped, and listened to at several moments.

    It runs in slices of 0.05 s, so that the notebook stays awake. One runs at a time: a start stops
    any other.

    Parameters
    ----------
    job : callable
        ``job(**values)`` is a generator with one argument for each control. It yields ``(step,
        loss)``, or ``(step, loss, snapshot)`` with anything that `hear` can use (None for none).
        One step should stay under 0.2 s.
    title : str
        What runs here.
    steps : int
        The last step, the full length of the progress bar.
    controls : dict, optional
        `explore.choice`, `explore.slider` or `explore.toggle` by name of the argument.
    hear : callable, optional
        ``hear(step, snapshots)`` returns a widget, such as a player. `snapshots` holds for each
        kept run, by the names of its options, the last snapshot made by that step.
    moments : sequence of int, optional
        Where the slider through the snapshots stops, best those steps at which the job makes one;
        by default seven, evenly from 0 to `steps`.
    keep : int, default 1
        How many runs of different choices stay, each with its own curve.
    first : int, default 0
        Steps to take at once, so that there is something to see before Start is pressed.
    y : str
        What the curve shows.

    Returns
    -------
    Live
        The last line of a cell.

    Raises
    ------
    ValueError
        If `steps` or `keep` is below 1.

    Notes
    -----
    With ``NOTEBOOK_SWEEP=1`` in the environment, as in the tests, two steps are taken with every
    option.

    Examples
    --------
    >>> halving = run(lambda: ((k, 0.5**k) for k in range(5)), title="Halving", steps=4, first=5)
    >>> halving.runs["run"][1]
    [1.0, 0.5, 0.25, 0.125, 0.0625]
    """
    if steps < 1 or keep < 1:
        raise ValueError(f"steps={steps} and keep={keep} must be at least 1")
    moments = sorted(moments or {round(steps * k / 6) for k in range(7)})
    made = Live(
        job,
        title=title,
        steps=steps,
        controls=controls or {},
        hear=hear,
        moments=moments,
        keep=keep,
        y=y,
    )
    if os.environ.get("NOTEBOOK_SWEEP") == "1":
        made.sweep()
    if first:
        list(made._pieces(first))
    return made
