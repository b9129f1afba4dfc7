"""Roles (a colour, a dash, a width and a marker at once) and words of every figure; in use as `helpers.figures`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.patheffects as pe
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.textpath import TextPath


@dataclass(frozen=True)
class Role:
    """What a line stands for, and every channel that says so."""

    paper: str  # colour on white; at least 4.5:1, so a label may wear it too
    night: str  # colour on #111111; at least 4.5:1
    dash: tuple
    width: float
    marker: str
    hatch: str
    means: str


ROLES = {
    "signal": Role("#2B6FB6", "#6192D8", (0, ()), 1.8, "o", "", "the sound we have"),
    "reference": Role("#6D7277", "#D6DDE6", (0, ()), 1.1, "|", "", "what it is held against: standard, truth, target"),
    "prediction": Role("#BE5712", "#EC7D4C", (0, (4.5, 1.6)), 1.8, "D", "//", "what a learner or a model says"),
    "error": Role("#890863", "#C5709B", (0, (5, 1.4, 1, 1.4)), 1.8, "x", "xx", "the difference, the fault, the seam"),
    "noise": Role("#956E36", "#EDC53B", (0, (1, 1.2)), 2.0, ".", "..", "what we would rather not have"),
    "ear": Role("#1B604A", "#47D498", (0, (9, 2)), 2.2, "s", "\\\\", "what hearing can do"),
}
# Neutrals: ground, ink (titles), text (labels), mute (spines), grid, data (boxes).
GROUNDS = {
    "paper": dict(ground="#FFFFFF", ink="#1F2328", text="#4A5159", mute="#8A9199", grid="#E8EBEE", data="#E9ECEF"),
    "night": dict(ground="#111111", ink="#ECEFF2", text="#B9C0C8", mute="#7C848D", grid="#26292D", data="#2C3136"),
}
_LEVEL = {  # quiet is the ground, loud is far from it; lightness moves in equal steps
    "paper": "#FFFFFF #D8E7F0 #AFCEE1 #84B4D2 #5699C1 #317CAC #205F8E #14436C #0A2848 #050F22",
    "night": "#111111 #14263A #173D5E #1C5682 #2A71A2 #468DBA #6CA9CB #95C4DA #C2DEE9 #F4FAFD",
}
_theme = "paper"


def use(theme: str = "paper") -> None:
    """Load the course's style and its colour map "level".

    Parameters
    ----------
    theme : {"paper", "night"}
        Ground of the figures: white, or #111111.

    Raises
    ------
    ValueError
        If there is no such theme.
    """
    global _theme
    if theme not in GROUNDS:
        raise ValueError(f"theme must be one of {sorted(GROUNDS)}, got {theme!r}")
    _theme = theme
    plt.style.use(Path(__file__).with_name("course.mplstyle"))
    ramp = LinearSegmentedColormap.from_list("level", _LEVEL[theme].split(), N=256)
    if "level" in mpl.colormaps:  # registering twice would warn
        mpl.colormaps.unregister("level")
    mpl.colormaps.register(ramp)
    neutral = {
        "ground": ("figure.facecolor", "axes.facecolor"),
        "ink": ("text.color", "axes.titlecolor"),
        "text": ("axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"),
        "mute": ("axes.edgecolor", "xtick.color", "ytick.color"),
        "grid": ("grid.color",),
    }
    mpl.rcParams["image.cmap"] = "level"
    mpl.rcParams.update({key: colour(name) for name, keys in neutral.items() for key in keys})


def colour(role: str) -> str:
    """Return the colour of a role or of a neutral.

    Parameters
    ----------
    role : str
        A key of `ROLES`, or "ink", "text", "mute", "grid", "data", "ground".

    Returns
    -------
    str
        Hex colour in the theme in use.

    Raises
    ------
    ValueError
        If `role` is neither.
    """
    if role in ROLES:
        return getattr(ROLES[role], _theme)
    if role not in GROUNDS[_theme]:
        raise ValueError(f"role must be one of {[*ROLES, *GROUNDS[_theme]]}, got {role!r}")
    return GROUNDS[_theme][role]


def tint(role: str, share: float = 0.14) -> tuple:
    """Return the opaque mix of a role's colour with the ground, for areas behind lines.

    Parameters
    ----------
    role : str
        As in `colour`.
    share : float
        How much of the role's colour, 0 to 1.

    Returns
    -------
    tuple of float
        Red, green and blue, 0 to 1.
    """
    mixed = share * np.array(to_rgb(colour(role))) + (1 - share) * np.array(to_rgb(colour("ground")))
    return tuple(float(c) for c in mixed)


def stroke(role: str, **changes) -> dict:
    """Return keywords for `ax.plot`: colour, dash and width of a role, together.

    Parameters
    ----------
    role : str
        A key of `ROLES`.
    **changes
        Keywords that replace or join them.

    Returns
    -------
    dict
        Keywords of `Axes.plot`.

    Raises
    ------
    ValueError
        If there is no such role.
    """
    if role not in ROLES:
        raise ValueError(f"role must be one of {list(ROLES)}, got {role!r}")
    return {"color": colour(role), "linestyle": ROLES[role].dash, "linewidth": ROLES[role].width, **changes}


def _halo() -> list:
    """Outline in the colour of the ground, so that a label survives a line or an image behind it."""
    return [pe.withStroke(linewidth=2.6, foreground=colour("ground"))]


def _wrap(text: str, size: float, weight: str, room: float) -> str:
    """Break `text` into lines no wider than `room` [pt]; the author's own breaks come first."""
    prop = mpl.font_manager.FontProperties(size=size, weight=weight)
    lines = []
    for part in text.split("\n"):
        line = ""
        for word in part.split(" "):
            trial = f"{line} {word}".strip()
            if line and TextPath((0, 0), trial, prop=prop).get_extents().width > room:
                lines.append(line)
                trial = word
            line = trial
        lines.append(line)
    return "\n".join(lines)


def claim(fig, finding: str, how: str = "", *, size: float = 12.5) -> None:
    """Write the finding over the figure, and under it how it was made; the layout keeps the room.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Call this once, before the figure is drawn.
    finding : str
        A sentence with a verb. Break a long one yourself with a newline, at a comma.
    how : str, optional
        How the picture was made, with units.
    size : float
        Type size of the finding [pt].
    """
    width, height = fig.get_size_inches()
    left, room = 0.10, (width - 0.25) * 72
    y = height - 0.10
    for text, style, gap in ((finding, dict(size=size, weight="bold"), 0.05), (how, dict(size=9.5), 0.0)):
        if not text:
            continue
        text = _wrap(text, style["size"], style.get("weight", "normal"), room)
        role = "ink" if "weight" in style else "text"
        fig.text(left / width, y / height, text, color=colour(role), va="top", linespacing=1.2, **style)
        y -= (text.count("\n") + 1) * style["size"] * 1.23 / 72 + gap
    if fig.get_layout_engine() is not None:
        fig.get_layout_engine().set(rect=(0, 0, 1, (y - 0.06) / height))


def label(ax, x, y, text, role="text", *, dx=0.0, dy=0.0, ha="left", va="center", size=9.5, outside=False, **kw):
    """Name a thing where it is, in the colour of its role.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to write.
    x, y : float
        The place, in data coordinates; `dx` and `dy` move it by points.
    text, role, dx, dy, ha, va, size
        As in matplotlib; `role` gives the colour.
    outside : bool
        Have the layout keep room for a label beside the axes.
    **kw
        Further keywords of `Axes.annotate`.

    Returns
    -------
    matplotlib.text.Annotation
        The label.
    """
    place = dict(xytext=(dx, dy), textcoords="offset points", ha=ha, va=va, size=size, annotation_clip=False)
    note = ax.annotate(text, (x, y), color=colour(role), path_effects=_halo(), **{**place, **kw})
    note.set_in_layout(outside)
    return note


def point_out(ax, xy, xytext, text, role="text", **kw):
    """Label a place from a distance, with a thin leader.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to write.
    xy, xytext : tuple of float
        The place and the text, both in data coordinates.
    text, role
        As in `label`.
    **kw
        Further keywords of `label`.

    Returns
    -------
    matplotlib.text.Annotation
        The label.
    """
    leader = dict(arrowstyle="-", color=colour(role), lw=0.9, shrinkA=2, shrinkB=2)
    return label(ax, *xy, text, role, xytext=xytext, textcoords="data", arrowprops=leader, **kw)
