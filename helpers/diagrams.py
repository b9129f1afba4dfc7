"""Block diagrams in the course's look: data is rounded and grey, computation outlined, a model filled."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from helpers.look import ROLES, colour, stroke

KINDS = {"data": ("data", "data"), "compute": ("ground", "ink"), "model": ("prediction", "prediction")}


def canvas(width: float = 7.6, height: float = 4.0):
    """Return a figure and an empty axes whose coordinates are inches from the lower left corner.

    Parameters
    ----------
    width, height : float
        Size [inch].

    Returns
    -------
    tuple of matplotlib.figure.Figure and matplotlib.axes.Axes
        What to draw into.
    """
    fig, ax = plt.subplots(figsize=(width, height), layout="none")
    ax.set_position([0, 0, 1, 1])
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return fig, ax


def box(ax, x: float, y: float, text: str, kind: str, *, w: float = 1.0, h: float = 0.42, size: float = 9.5) -> None:
    """Draw a block centred on (x, y).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw, from `canvas`.
    x, y, w, h : float
        Centre and size [inch].
    text : str
        One or two short lines.
    kind : {"data", "compute", "model"}
        What the block is.
    size : float
        Type size [pt].

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {list(KINDS)}, got {kind!r}")
    face, edge = (colour(role) for role in KINDS[kind])
    shape = "round,pad=0,rounding_size=0.19" if kind == "data" else "square,pad=0"
    ax.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, boxstyle=shape, fc=face, ec=edge, lw=1.1, zorder=3))
    words = dict(weight="bold", color=colour("ground")) if kind == "model" else dict(color=colour("ink"))
    ax.text(x, y, text, ha="center", va="center", size=size, zorder=4, linespacing=1.1, **words)


def wire(ax, points, role: str = "mute", *, bold: bool = False, head: bool = True) -> None:
    """Draw an arrow along `points`; a role gives colour and dash, `bold` makes it the path of the story.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw, from `canvas`.
    points : sequence of (x, y)
        Corners of the wire [inch]; the arrow head is at the last one.
    role : str
        A key of `ROLES`, or a neutral such as "mute".
    bold, head : bool
        Thick line; arrow head.
    """
    xs, ys = zip(*points, strict=True)
    line = stroke(role) if role in ROLES else {"color": colour(role), "linestyle": "-"}
    line["linewidth"] = 3.0 if bold else 1.3
    if bold and role in ROLES:  # dashes grow with the width; shorter ones turn corners better
        line["linestyle"] = (0, tuple(0.6 * d for d in ROLES[role].dash[1]))
    ax.plot(xs, ys, solid_joinstyle="round", dash_joinstyle="round", zorder=2, **line)
    if head:
        tip = "head_width=0.28,head_length=0.5" if bold else "head_width=0.18,head_length=0.36"
        arrow = dict(arrowstyle=f"-|>,{tip}", color=line["color"], lw=0.01, shrinkA=0, shrinkB=0, mutation_scale=14)
        ax.annotate("", points[-1], xytext=points[-2], zorder=2.5, annotation_clip=False, arrowprops=arrow)
