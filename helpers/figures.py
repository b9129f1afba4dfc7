"""Draw audio into an `Axes`, in the course's look, and show a figure together with its words.

Every drawing takes `ax=None`, returns the axes, and labels both of them as "Quantity [unit]".
Levels are in dBFS, where 0 dBFS is amplitude 1. A ValueError refuses a role that is none, signals
of more than one channel or of none, ends that do not rise, and a description of under four words.

The look: each role in `ROLES` is a colour, a dash, a width and a marker at once, so that no figure
depends on colour alone.
"""

from __future__ import annotations

import html
import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.patheffects as pe
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from helpers._checks import check_name
from helpers._frontend import minus
from helpers.metrics import amplitude_to_db
from helpers.spectra import window_samples
from helpers.stft import stft

__all__ = [
    "ROLES", "band", "claim", "colour", "hz_axis", "label", "picture", "point_out", "show",
    "spectrogram", "spectrum", "stroke", "tint", "use", "waveform",
]  # fmt: skip


@dataclass(frozen=True)
class Role:
    """What a line stands for, and every channel that says so."""

    colour: str  # on white at least 4.5:1, so a label may wear it too
    dash: tuple
    width: float
    marker: str
    hatch: str
    means: str


HELD_AGAINST = "what it is held against: standard, truth, target"
ROLES = {
    "signal": Role("#2B6FB6", (0, ()), 1.8, "o", "", "the sound we have"),
    "reference": Role("#6D7277", (0, ()), 1.1, "|", "", HELD_AGAINST),
    "prediction": Role(
        "#BE5712", (0, (4.5, 1.6)), 1.8, "D", "//", "what a learner or a model says"
    ),
    "error": Role("#890863", (0, (5, 1.4, 1, 1.4)), 1.8, "x", "xx", "the difference, the fault"),
    "noise": Role("#956E36", (0, (1, 1.2)), 2.0, ".", "..", "what we would rather not have"),
    "ear": Role("#1B604A", (0, (9, 2)), 2.2, "s", "\\\\", "what hearing can do"),
}
NEUTRALS = {
    "ground": "#FFFFFF",
    "ink": "#1F2328",  # titles
    "text": "#4A5159",  # labels
    "mute": "#8A9199",  # spines
    "grid": "#E8EBEE",
    "data": "#E9ECEF",  # boxes
}
# quiet is the ground, loud is far from it; lightness moves in equal steps
_LEVEL = "#FFFFFF #D8E7F0 #AFCEE1 #84B4D2 #5699C1 #317CAC #205F8E #14436C #0A2848 #050F22"


def use() -> None:
    """Load the course's style and its colour map "level"."""
    plt.style.use(Path(__file__).with_name("course.mplstyle"))
    ramp = LinearSegmentedColormap.from_list("level", _LEVEL.split(), N=256)
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
        Hex colour.
    """
    if role in ROLES:
        return ROLES[role].colour
    return NEUTRALS[check_name(role, [*NEUTRALS, *ROLES], what="role")]


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
    mixed = share * np.array(to_rgb(colour(role))) + (1 - share) * np.array(
        to_rgb(colour("ground"))
    )
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
    """
    check_name(role, ROLES, what="role")
    return {
        "color": colour(role),
        "linestyle": ROLES[role].dash,
        "linewidth": ROLES[role].width,
        **changes,
    }


def _halo() -> list:
    """Outline in the colour of the ground, so that a label survives a line or an image behind
    it.
    """
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
    left = 0.10  # [inches], as all lengths here
    room = (width - 0.25) * 72
    y = height - 0.10
    styles = [(finding, size, "bold", "ink", 0.05), (how, 9.5, "normal", "text", 0.0)]
    for words, points, weight, role, gap in styles:
        if not words:
            continue
        text = _wrap(minus(words), points, weight, room)
        look = {"size": points, "weight": weight, "color": colour(role), "linespacing": 1.2}
        fig.text(left / width, y / height, text, va="top", **look)
        lines = text.count("\n") + 1
        y -= lines * points * 1.23 / 72 + gap
    if fig.get_layout_engine() is not None:
        fig.get_layout_engine().set(rect=(0, 0, 1, (y - 0.06) / height))


def label(
    ax,
    x,
    y,
    text,
    role="text",
    *,
    dx=0.0,
    dy=0.0,
    ha="left",
    va="center",
    size=9.5,
    outside=False,
    **kw,
):
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
    place = dict(
        xytext=(dx, dy), textcoords="offset points", ha=ha, va=va, size=size, annotation_clip=False
    )
    note = ax.annotate(
        minus(text), (x, y), color=colour(role), path_effects=_halo(), **{**place, **kw}
    )
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


def _one_channel(y, name="y") -> np.ndarray:
    """Return `y` as a float array of one axis, or say what it was."""
    y = np.asarray(y, dtype=float)
    if y.ndim != 1 or not y.size:
        raise ValueError(
            f"{name} must have shape (n_samples,), got {y.shape}; draw one channel at a time, as "
            "in y[0]"
        )
    return y


def waveform(y, *, sr, ax=None, role="signal", start=0.0, **changes):
    """Draw amplitude against time.

    Parameters
    ----------
    y : np.ndarray, shape (n_samples,)
        Waveform [full scale = 1].
    sr : float
        Sampling rate [Hz].
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    role : str
        What the line stands for, a key of `ROLES`.
    start : float
        Time of the first sample [s].
    **changes
        Further keywords of `Axes.plot`, such as `marker="o"` for single samples.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn into.
    """
    y = _one_channel(y)
    ax = plt.subplots()[1] if ax is None else ax
    times = start + np.arange(y.size) / sr
    many = y.size > 4000  # more samples than pixels: a thinner line keeps the shape of the envelope
    ax.plot(times, y, **stroke(role, **({"linewidth": 0.7} if many else {}), **changes))
    ax.set(xlabel="Time [s]", ylabel="Amplitude [full scale = 1]")
    return ax


def spectrum(freqs, level_db, *, ax=None, role="signal", **changes):
    """Draw level against frequency, on a linear axis; `hz_axis` makes it logarithmic.

    Parameters
    ----------
    freqs : np.ndarray, shape (n_bins,)
        Frequencies [Hz].
    level_db : np.ndarray, shape (n_bins,)
        Levels [dBFS]: 0 dBFS is a sine of amplitude 1.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    role : str
        What the line stands for, a key of `ROLES`.
    **changes
        Further keywords of `Axes.plot`.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn into.
    """
    freqs = _one_channel(freqs, "freqs")
    level_db = _one_channel(level_db, "level_db")
    if freqs.shape != level_db.shape:
        raise ValueError(f"freqs {freqs.shape} and level_db {level_db.shape} must have one shape")
    ax = plt.subplots()[1] if ax is None else ax
    ax.plot(freqs, level_db, **stroke(role, **changes))
    ax.set(xlabel="Frequency [Hz]", ylabel="Level [dBFS]")
    return ax


def spectrogram(y, *, sr, n_fft, hop_length, ax=None, low=-100.0, high=-20.0, bar=True):
    """Draw level over time and frequency (Hann window); `low` and `high` are fixed so that pictures
    compare.

    Parameters
    ----------
    y : np.ndarray, shape (n_samples,)
        Waveform [full scale = 1].
    sr : float
        Sampling rate [Hz].
    n_fft, hop_length : int
        Length of a frame and step between frames [samples]; frame m is centred on sample ``m *
        hop_length``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.
    low, high : float
        Levels of the ends of the colour map [dBFS]: a sine of amplitude 1 reads 0 dBFS.
    bar : bool
        Add a colour bar.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn into; its image is ``ax.images[0]``.
    """
    y = _one_channel(y)
    if not low < high:
        raise ValueError(f"low={low} must lie below high={high}")
    ax = plt.subplots()[1] if ax is None else ax
    scale = 2 / window_samples("hann", n=n_fft).sum()  # a sine of amplitude 1 reads 1
    D = stft(y, n_fft=n_fft, hop_length=hop_length)
    S_db = amplitude_to_db(scale * np.abs(D), floor_db=-200)
    # a cell is as wide as the step between frames and as high as that between bins
    n_bins, n_frames = S_db.shape
    step_t = hop_length / sr
    step_f = sr / n_fft / 1000
    times = (-0.5 * step_t, (n_frames - 0.5) * step_t)
    freqs = (-0.5 * step_f, (n_bins - 0.5) * step_f)
    image = ax.imshow(
        S_db, origin="lower", aspect="auto", extent=(*times, *freqs), vmin=low, vmax=high
    )
    ax.set(xlim=(0, y.size / sr), ylim=(0, sr / 2000), xlabel="Time [s]", ylabel="Frequency [kHz]")
    ax.grid(False)
    if bar:
        colours = ax.figure.colorbar(image, ax=ax, pad=0.02, fraction=0.05, label="Level [dBFS]")
        colours.outline.set_visible(False)
    return ax


def _hz(value, _=None) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def hz_axis(ax, low=31.25, high=16000.0, *, axis="x"):
    """Make an axis logarithmic in frequency, with one tick an octave around 1 kHz.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    low, high : float
        Ends [Hz].
    axis : {"x", "y"}
        Which of the two.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.
    """
    if not 0 < low < high:
        raise ValueError(f"a log axis needs 0 < low < high, got low={low}, high={high}")
    ticks = [f for f in 1000.0 * 2.0 ** np.arange(-6, 6) if low * 0.999 <= f <= high * 1.001]
    ax.set(
        **{
            f"{axis}scale": "log",
            f"{axis}lim": (low, high),
            f"{axis}label": "Frequency [Hz], log scale",
        }
    )
    side = getattr(ax, f"{axis}axis")
    side.set_major_locator(FixedLocator(ticks))
    side.set_major_formatter(FuncFormatter(_hz))
    side.set_minor_locator(NullLocator())
    return ax


def band(ax, low, high, role, *, axis="x"):
    """Mark a region with a pale area, hatched where the role has a hatch so that it survives a grey
    print.
    """
    draw = ax.axvspan if axis == "x" else ax.axhspan
    draw(low, high, facecolor=tint(role), edgecolor="none", zorder=0.5)
    if ROLES[role].hatch:
        draw(
            low,
            high,
            facecolor="none",
            edgecolor=tint(role, 0.55),
            hatch=ROLES[role].hatch,
            lw=0,
            zorder=0.6,
        )
    return ax


def picture(fig: Figure, *, colours: int = 128) -> bytes:
    """Return the figure as a small PNG: at its own size, in a palette of `colours`.

    On a dark page its lightness is turned round there (``_frontend/pictures.css``): the ground of a
    figure and what is quiet in it are white in the file.
    """
    from PIL import Image

    from helpers._frontend.card import png

    raw = io.BytesIO()
    fig.savefig(raw, format="png", dpi="figure", pil_kwargs={"compress_level": 1})
    rgb = Image.open(raw).convert("RGB")
    small = rgb.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    return png(small)


def show(fig: Figure, *, alt: str) -> None:
    """Display a figure once, with the words that say the same, and close it.

    Jupyter gives a PNG no alt text, so the words also stand in a fold under the picture: a screen
    reader finds them there, and so does everybody else.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure.
    alt : str
        What a person who cannot see the figure should know: the finding and its numbers.
    """
    from IPython.display import display

    alt = minus(" ".join(alt.split()))
    if len(alt.split()) < 4:
        raise ValueError(
            f"alt says what the figure shows, in a sentence with its numbers; got {alt!r}"
        )
    png = b64encode(picture(fig)).decode()
    words = f"<details><summary>This figure in words</summary>{html.escape(alt)}</details>"
    display({"image/png": png, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})
    display({"text/html": words, "text/plain": f"This figure in words: {alt}"}, raw=True)
    plt.close(fig)
