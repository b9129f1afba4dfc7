"""Block diagrams in the course's look: data is rounded and grey, computation outlined, a model
filled. ValueError names the kinds of box where one is asked for that is none.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from helpers._checks import check_name
from helpers.figures import ROLES, claim, colour, label, stroke

KINDS = {
    "data": ("data", "data"),
    "compute": ("ground", "ink"),
    "model": ("prediction", "prediction"),
}
HOW = (
    "Grey, round: data. Outlined: fixed computation. Filled: trained model. Thick line: the way of "
    "the phase."
)


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


def box(
    ax,
    x: float,
    y: float,
    text: str,
    kind: str,
    *,
    w: float = 1.0,
    h: float = 0.42,
    size: float = 9.5,
) -> None:
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
    """
    check_name(kind, KINDS, what="kind of box")
    face, edge = (colour(role) for role in KINDS[kind])
    shape = "round,pad=0,rounding_size=0.19" if kind == "data" else "square,pad=0"
    ax.add_patch(
        FancyBboxPatch(
            (x - w / 2, y - h / 2), w, h, boxstyle=shape, fc=face, ec=edge, lw=1.1, zorder=3
        )
    )
    words = {"color": colour("ink")}
    if kind == "model":
        words = {"color": colour("ground"), "weight": "bold"}
    ax.text(x, y, text, ha="center", va="center", size=size, zorder=4, linespacing=1.1, **words)


def wire(ax, points, role: str = "mute", *, bold: bool = False, head: bool = True) -> None:
    """Draw an arrow along `points`; a role gives colour and dash, `bold` makes it the path of the
    story.

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
        arrow = dict(
            arrowstyle=f"-|>,{tip}",
            color=line["color"],
            lw=0.01,
            shrinkA=0,
            shrinkB=0,
            mutation_scale=14,
        )
        ax.annotate(
            "", points[-1], xytext=points[-2], zorder=2.5, annotation_clip=False, arrowprops=arrow
        )


def _ends(ax, y: float) -> None:
    """Draw what every setting starts from and ends with."""
    box(ax, 0.62, y, "noisy y", "data")
    box(ax, 6.96, y, "enhanced ŷ", "data", w=1.08)


def _head(ax, y: float, number: int, name: str, where: str, role: str) -> None:
    """Name a setting, and say where its phase comes from."""
    ax.text(
        0.10, y, f"Setting {number}", size=10.5, weight="bold", color=colour("ink"), va="center"
    )
    ax.text(0.98, y, name, size=10.5, color=colour("ink"), va="center")
    ax.text(7.50, y, where, size=10.5, weight="bold", color=colour(role), va="center", ha="right")


def _setting1(ax, y: float) -> None:
    """Draw Setting 1: a mask on the magnitude, the noisy phase around it."""
    _head(ax, y + 0.63, 1, "fix the magnitude", "phase: borrowed from the noisy input", "noise")
    _ends(ax, y)
    box(ax, 1.88, y, "STFT", "compute", w=0.72)
    box(ax, 3.20, y, "mask model", "model", w=1.12)
    box(ax, 4.42, y, "×", "compute", w=0.42, size=12)
    box(ax, 5.50, y, "inverse\nSTFT", "compute", w=0.80, h=0.46)
    for start, stop in ((1.12, 1.52), (2.24, 2.64), (3.76, 4.21), (4.63, 5.10)):
        wire(ax, [(start, y), (stop, y)])
    wire(ax, [(2.38, y), (2.38, y + 0.34), (4.42, y + 0.34), (4.42, y + 0.21)])
    wire(
        ax,
        [(1.88, y - 0.21), (1.88, y - 0.46), (5.50, y - 0.46), (5.50, y - 0.23)],
        "noise",
        bold=True,
    )
    wire(ax, [(5.90, y), (6.42, y)], "noise", bold=True)
    label(ax, 3.40, y + 0.34, "noisy magnitude", "text", dy=8, ha="center", size=9)
    label(ax, 3.69, y - 0.46, "noisy phase, untouched", "noise", ha="center", dy=-11)


def _setting2(ax, y: float) -> None:
    """Draw Setting 2: the noisy phase ends, and a new one is made."""
    _head(
        ax,
        y + 0.68,
        2,
        "fix the magnitude, make a new phase",
        "phase: worked out or learned",
        "prediction",
    )
    _ends(ax, y)
    box(ax, 1.88, y, "STFT,\nmel", "compute", w=0.72, h=0.46)
    box(ax, 3.20, y, "mel model", "model", w=1.12)
    wire(ax, [(1.12, y), (1.52, y)])
    wire(ax, [(2.24, y), (2.64, y)])
    for name, kind, up in (("Griffin-Lim", "compute", 0.30), ("vocoder", "model", -0.30)):
        box(ax, 4.98, y + up, name, kind, w=1.12, h=0.40)
        wire(ax, [(3.76, y), (4.09, y), (4.09, y + up), (4.42, y + up)])
        wire(ax, [(5.54, y + up), (5.92, y + up), (5.92, y)], "prediction", bold=True, head=False)
    wire(ax, [(5.92, y), (6.42, y)], "prediction", bold=True)
    wire(ax, [(1.88, y - 0.23), (1.88, y - 0.48)], "noise", bold=True, head=False)
    ax.plot([1.79, 1.97], [y - 0.49] * 2, color=colour("noise"), lw=2.6, solid_capstyle="butt")
    label(ax, 2.07, y - 0.47, "noisy phase, dropped", "noise")
    label(ax, 4.98, y, "or", "text", ha="center", size=9)
    label(ax, 6.05, y - 0.36, "a phase that fits", "prediction")


def setting1():
    """Draw Setting 1 alone.

    Returns
    -------
    matplotlib.figure.Figure
        The drawing; the thick line is the way of the phase.
    """
    fig, ax = canvas(7.6, 2.25)
    claim(fig, "The model sees magnitudes and gives a mask, and the phase goes round it", HOW)
    _setting1(ax, 0.72)
    return fig


def three_settings():
    """Draw the three settings of audio machine learning, one above the other.

    Returns
    -------
    matplotlib.figure.Figure
        The drawing; the thick line is the way of the phase.
    """
    fig, ax = canvas(7.6, 5.2)
    claim(fig, "The three settings differ in where the phase comes from", HOW)
    _setting1(ax, 3.73)
    _setting2(ax, 2.08)
    y = 0.42
    _head(ax, y + 0.64, 3, "never leave the waveform", "phase: never split off", "signal")
    _ends(ax, y)
    box(ax, 3.62, y, "encoder, separator, decoder: one model", "model", w=4.20)
    wire(ax, [(1.12, y), (1.52, y)], "signal", bold=True)
    wire(ax, [(5.72, y), (6.42, y)], "signal", bold=True)
    for line in (3.01, 1.34):
        ax.plot([0.10, 7.50], [line, line], color=colour("grid"), lw=1)
    return fig
