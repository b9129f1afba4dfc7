"""The stage: a canvas on which the learner drags the thing itself.

Python computes, the browser draws and sounds. A stage is refused with a ValueError if a panel names
an array that `compute` does not return, if there is no read-out, if handles that are one point do
not fit together, or if its sound is not finite or too loud.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import anywidget
import numpy as np
import traitlets
from matplotlib.figure import Figure

from helpers import figures, metrics
from helpers._frontend import Stored, bundle, minus, styles
from helpers.explore import parts
from helpers.explore.controls import from_frontend, sample_values, to_frontend

# peak level [dBFS] that a loop may have: it sounds for as long as the learner plays with it
CEILING_DB = -12.0
ROOM = 720  # [px], about the width of a notebook: panels that fit into it share a row


class Stage(Stored, anywidget.AnyWidget):
    """The front end of `stage`, and the function that answers it."""

    _esm = bundle(__file__, "brush", "stage")
    _css = styles(__file__, "stage")
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    contents = traitlets.List().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    readout = traitlets.Unicode().tag(sync=True)
    solved = traitlets.Unicode().tag(sync=True)

    def __init__(self, compute: Callable, spec: dict, controls: dict, on_solved: Callable | None):
        _check_partners(spec["handles"])
        self._compute = compute
        self._on_solved = on_solved
        self._controls = controls
        self._start = {h["name"]: h["start"] for h in spec["handles"]}
        self._start |= {name: control.value for name, control in controls.items()}
        if spec["brush"]:
            self._start[spec["brush"]["name"]] = spec["brush"]["start"]
        shown = dict(self._start)  # as the front end counts
        spec["controls"] = []
        for name, control in controls.items():
            described, shown[name] = to_frontend(name, control)
            spec["controls"].append(described)
        super().__init__(spec=spec, values=shown)
        self.arrays, words = self._answer(self._start)
        _check_names(spec, self.arrays)
        self.contents, self.frame = _pack(self.arrays)
        self.readout = words["readout"]
        self.solved = words["solved"]
        self.on_msg(lambda _, content, buffers: self._on_message(content))

    def _answer(self, values: dict) -> tuple[dict, dict]:
        """Return `compute`'s arrays as float32, and its words."""
        if brush := self.spec["brush"]:
            values = values | {brush["name"]: parts.cells(brush, values[brush["name"]])}
        reply = dict(self._compute(**values))
        words = {name: minus(reply.pop(name, "") or "") for name in ("readout", "solved")}
        if not words["readout"]:
            raise ValueError(
                "compute must return a 'readout': the sentence that says in numbers what is shown"
            )
        arrays = {name: np.asarray(data, dtype=np.float32) for name, data in reply.items()}
        if "sound" in arrays:
            _check_sound(arrays["sound"])
        return arrays, words

    def _on_message(self, content: dict) -> None:
        """Answer one request of the front end: {"n": its number, "values": what the handles and
        controls say}.
        """
        values = dict(content["values"])
        for name, control in self._controls.items():
            values[name] = from_frontend(control, values[name])
        try:
            arrays, words = self._answer(values)
        except Exception as error:  # the learner reads it; the next value brings the picture back
            at = ", ".join(f"{name} = {value!r}" for name, value in values.items())
            fault = f"{type(error).__name__}: {error}\nat {at}. Move on: it comes back."
            self.send({"n": content["n"], "fault": fault})
            return
        contents, frame = _pack(arrays)
        self.send({"n": content["n"], "contents": contents, **words}, [frame])
        if words["solved"] and self._on_solved is not None:
            self._on_solved(values)

    def sweep(self, *, points: int = 4, seed: int = 0) -> None:
        """Compute both ends and random inner points of every handle and control; raise at the first
        that fails.
        """
        rng = np.random.default_rng(seed)
        tries = {}
        for h in self.spec["handles"]:
            inner = rng.uniform(h["low"], h["high"], points).tolist()
            tries[h["name"]] = [h["low"], h["high"], *inner]
        for name, control in self._controls.items():
            tries[name] = sample_values(control, points, rng)
        if brush := self.spec["brush"]:
            n = brush["rows"] * brush["cols"]
            tries[brush["name"]] = ["0" * n, "".join(map(str, rng.integers(2, size=n)))]
        for name, some in tries.items():
            for value in some:
                values = {**self._start, name: value}
                try:
                    self._answer(values)
                except Exception as error:
                    title = self.spec["title"]
                    raise RuntimeError(f"{title}: computing failed at {values}") from error

    def stored_text(self) -> str:
        """Return title, read-out, and how to bring it to life."""
        return f"{self.spec['title']}. {self.readout} Run this cell to drag it."

    def stored_picture(self) -> bytes:
        """Return the first frame as a PNG."""
        rows = rows_of(self.spec["panels"])
        heights = [max(panel["height"] for panel in row) for row in rows]
        fig = Figure(figsize=(7.6, sum(heights) / 90))
        parts = np.atleast_1d(fig.subfigures(len(rows), 1, height_ratios=heights))
        for part, row in zip(parts, rows, strict=True):
            widths = [panel["width"] or 1 for panel in row]
            axes = np.atleast_1d(part.subplots(1, len(row), width_ratios=widths))
            for ax, panel in zip(axes, row, strict=True):
                _draw_panel(ax, panel, self.arrays)
        return figures.picture(fig, colours=64)


def rows_of(panels: list) -> list[list]:
    """Return the panels row by row, as the front end lays them out."""
    rows = []
    for panel in panels:
        before = rows[-1] if rows else []
        widths = [p["width"] for p in [*before, panel]]
        if before and all(widths) and sum(widths) <= ROOM:
            before.append(panel)
        else:
            rows.append([panel])
    return rows


def _check_partners(handles: list) -> None:
    """Raise unless handles that are one point name each other, in one panel and along two axes."""
    by_name = {h["name"]: h for h in handles}
    for h in handles:
        if h["partner"] is None:
            continue
        other = by_name.get(h["partner"])
        if other is None or other["partner"] != h["name"]:
            raise ValueError(
                f"handle {h['name']!r} has the partner {h['partner']!r}, which must name it too"
            )
        if other["panel"] != h["panel"] or other["along"] == h["along"]:
            raise ValueError(
                f"handles {h['name']!r} and {h['partner']!r} need one panel, and one axis each"
            )


def _pack(arrays: dict) -> tuple[list, bytes]:
    """Return names and shapes, and one buffer that holds all arrays one after the other."""
    contents = [[name, list(data.shape)] for name, data in arrays.items()]
    return contents, b"".join(data.tobytes() for data in arrays.values())


def _check_names(spec: dict, arrays: dict) -> None:
    for panel in spec["panels"]:
        names = {panel["x"]["ends"], panel["y"]["ends"]}
        for item in panel["items"]:
            names |= {item["name"], item.get("x")}
        for name in names - {None}:
            if name not in arrays:
                raise ValueError(
                    f"a panel draws {name!r}, but compute returned only {sorted(arrays)}"
                )
    if (spec["sr"] is None) != ("sound" not in arrays):
        raise ValueError(
            "a stage that sounds needs both: sr=... and an array 'sound' in compute's reply"
        )


def _check_sound(sound: np.ndarray) -> None:
    sides = sound.shape[:-1]
    if sides not in ((), (2,)) or not sound.size or not np.all(np.isfinite(sound)):
        raise ValueError(
            "'sound' must be finite samples of shape (n_samples,), or (2, n_samples) for left and "
            f"right, got shape {sound.shape}"
        )
    peak = metrics.peak_db(sound.ravel())
    if peak > CEILING_DB + 0.01:
        raise ValueError(
            f"'sound' peaks at {peak:.1f} dBFS; a loop may reach {CEILING_DB:.0f} dBFS: scale it "
            "down"
        )


def _fitted(axis: dict, arrays: dict) -> dict:
    """Return an axis with the ends that `compute` gave it, if it asks for them."""
    if axis["ends"] is None:
        return axis
    low, high = arrays[axis["ends"]].tolist()
    return axis | {"low": low, "high": high}


def _draw_panel(ax, panel: dict, arrays: dict) -> None:
    """Draw what the front end draws, for a notebook that is not running."""
    x, y = (_fitted(panel[side], arrays) for side in "xy")
    for item in panel["items"]:
        DRAWINGS[item["kind"]](ax, item, arrays, x, y)
    for side, axis in (("x", x), ("y", y)):
        unit = f" [{axis['unit']}]" if axis["unit"] else ""
        ax.set(
            **{
                f"{side}scale": "log" if axis["log"] else "linear",
                f"{side}lim": (axis["low"], axis["high"]),
                f"{side}label": axis["label"] + unit + (", log scale" if axis["log"] else ""),
            }
        )
        if axis["log"]:  # a mark for each octave, as the front end has them
            octaves = (1000 if axis["high"] > 128 else 1) * 2.0 ** np.arange(-20, 21)
            shown = octaves[(octaves >= axis["low"]) & (octaves <= axis["high"])]
            getattr(ax, f"set_{side}ticks")(shown, [f"{v + 1e-9:.0f}" for v in shown])
            ax.minorticks_off()
    if not y["label"]:
        ax.set_yticks([])
    if panel["equal"]:
        ax.set_aspect("equal")
    keys = ax.get_legend_handles_labels()[1]
    ax.set_title(panel["title"], loc="left" if keys else "center")
    if keys:  # above the panel, where they hide nothing
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)


def _draw_image(ax, item: dict, arrays: dict, x: dict, y: dict) -> None:
    extent = (x["low"], x["high"], y["low"], y["high"])
    levels = {"vmin": item["low"], "vmax": item["high"]}
    ax.imshow(arrays[item["name"]], aspect="auto", origin="lower", extent=extent, **levels)
    ax.grid(False)


def _stroke(item: dict) -> dict:
    """Return the stroke of an item's role, at its own width if it has one."""
    width = {"linewidth": item["width"]} if item["width"] else {}
    return figures.stroke(item["role"], **width)


def _draw_marks(ax, item: dict, arrays: dict, x: dict, y: dict) -> None:
    stroke = _stroke(item)
    for place in arrays[item["name"]]:
        ax.axvline(place, ymax=1 - 0.07 * item["row"], **stroke)  # up to its own name
        words = item["label"].format(minus(f"{place:.6g}"))
        offset = {"dy": -6 - 13 * item["row"]} | _side(place, x)
        figures.label(ax, place, y["high"], words, item["role"], **offset)


def _side(place: float, axis: dict) -> dict:
    """Return where the words of a mark stand: left of it near the right edge, else right."""
    ends = np.array([axis["low"], max(place, axis["low"]), axis["high"]], dtype=float)
    if axis["log"]:
        ends = np.log(ends)
    share = (ends[1] - ends[0]) / (ends[2] - ends[0])
    return {"ha": "right", "dx": -4} if share > 0.9 else {"ha": "left", "dx": 4}


def _places(item: dict, arrays: dict, x: dict) -> tuple:
    """Return the points of a line, of dots or of stems; without x they are spread over the axis."""
    data = arrays[item["name"]]
    return arrays[item["x"]] if item["x"] else np.linspace(x["low"], x["high"], data.size), data


def _draw_line(ax, item: dict, arrays: dict, x: dict, y: dict) -> None:
    stroke = _stroke(item) | ({"linestyle": "-"} if item["solid"] else {})
    ax.plot(*_places(item, arrays, x), label=item["label"] or None, **stroke)


def _draw_dots(ax, item: dict, arrays: dict, x: dict, y: dict) -> None:
    size = 1.25 * (item["width"] or 4)  # a radius in pixels there, a diameter in points here
    how = {"color": figures.colour(item["role"]), "label": item["label"] or None}
    ax.plot(*_places(item, arrays, x), "o", markersize=size, **how)


def _draw_stems(ax, item: dict, arrays: dict, x: dict, y: dict) -> None:
    at, data = _places(item, arrays, x)
    ax.vlines(at, item["base"], data, color=figures.colour(item["role"]))
    _draw_dots(ax, item, arrays, x, y)


DRAWINGS = {
    "image": _draw_image,
    "mark": _draw_marks,
    "line": _draw_line,
    "dots": _draw_dots,
    "stems": _draw_stems,
}


def stage(
    compute: Callable,
    *,
    title: str,
    alt: str,
    panels: list,
    handles: list,
    controls: dict | None = None,
    brush: dict | None = None,
    sr: int | None = None,
    challenge: str = "",
    on_solved: Callable | None = None,
):
    """Show panels with handles to drag; every move asks `compute` for new arrays.

    Parameters
    ----------
    compute : callable
        ``compute(**values) -> dict`` with one argument for each handle and control. The reply holds
        ``"readout"`` (a sentence with the numbers), arrays by the names that the panels use (what
        is left out keeps its last value), and optionally ``"sound"`` (n_samples,), or for left and
        right (2, n_samples), looped without a seam, and ``"solved"``: a sentence once the challenge
        is met, else "".
    title, alt : str
        What it is; what it shows, for who cannot see it.
    panels, handles : list
        See `helpers.explore.parts`: ``panel(axis(...), axis(...), line("name"), ...)`` and
        ``handle("tone", ...)``.
    controls : dict, optional
        Further arguments of `compute` by name: `slider`, `choice` or `toggle`, shown above.
    brush : dict, optional
        See `helpers.explore.parts.brush`: cells of a panel to keep or remove.
    sr : int, optional
        Sampling rate of the sound [Hz].
    challenge : str, optional
        What to try; `compute` says when it is done.
    on_solved : callable, optional
        Called with the values whenever they meet the challenge.

    Returns
    -------
    ipywidgets.Widget
        The last line of a cell.

    Notes
    -----
    With ``NOTEBOOK_SWEEP=1`` in the environment every handle and control is computed at both ends
    and between.
    """
    words = {"title": minus(title), "alt": minus(alt), "challenge": minus(challenge)}
    spec = {**words, "panels": panels, "handles": handles, "brush": brush}
    spec |= {"sr": sr, "ceiling_db": CEILING_DB}
    made = Stage(compute, spec, controls or {}, on_solved)
    if os.environ.get("NOTEBOOK_SWEEP") == "1":
        made.sweep()
    return made
