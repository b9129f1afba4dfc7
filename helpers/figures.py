"""Draw audio into an `Axes`, in the course's look, and show a figure together with its words.

Every drawing takes `ax=None`, returns the axes, and labels both of them as "Quantity [unit]".
Levels are in dBFS, where 0 dBFS is amplitude 1. The look itself (roles, colours, words) comes from `helpers.look`.
"""

from __future__ import annotations

import html
import io
from base64 import b64encode

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from helpers.levels import amplitude_to_db
from helpers.look import ROLES, claim, colour, label, point_out, stroke, tint, use
from helpers.stft import stft
from helpers.windows import window_samples

__all__ = [
    "ROLES", "band", "claim", "colour", "hz_axis", "label", "picture", "point_out", "show", "spectrogram",
    "spectrum", "stroke", "tint", "use", "waveform",
]  # fmt: skip


def _one_channel(y, name="y") -> np.ndarray:
    """Return `y` as a float array of one axis, or say what it was."""
    y = np.asarray(y, dtype=float)
    if y.ndim != 1 or not y.size:
        raise ValueError(f"{name} must have shape (n_samples,), got {y.shape}; draw one channel at a time, as in y[0]")
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

    Raises
    ------
    ValueError
        If `y` is empty or has more than one channel.
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

    Raises
    ------
    ValueError
        If the two arrays differ in shape.
    """
    freqs, level_db = _one_channel(freqs, "freqs"), _one_channel(level_db, "level_db")
    if freqs.shape != level_db.shape:
        raise ValueError(f"freqs {freqs.shape} and level_db {level_db.shape} must have one shape")
    ax = plt.subplots()[1] if ax is None else ax
    ax.plot(freqs, level_db, **stroke(role, **changes))
    ax.set(xlabel="Frequency [Hz]", ylabel="Level [dBFS]")
    return ax


def spectrogram(y, *, sr, n_fft, hop_length, ax=None, low=-100.0, high=-20.0, bar=True):
    """Draw level over time and frequency (Hann window); `low` and `high` are fixed so that pictures compare.

    Parameters
    ----------
    y : np.ndarray, shape (n_samples,)
        Waveform [full scale = 1].
    sr : float
        Sampling rate [Hz].
    n_fft, hop_length : int
        Length of a frame and step between frames [samples]; frame m is centred on sample ``m * hop_length``.
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

    Raises
    ------
    ValueError
        If `y` is empty or has more than one channel, or `low` is not below `high`.
    """
    y = _one_channel(y)
    if not low < high:
        raise ValueError(f"low={low} must lie below high={high}")
    ax = plt.subplots()[1] if ax is None else ax
    scale = 2 / window_samples("hann", n=n_fft).sum()  # a sine of amplitude 1 reads 1
    s_db = amplitude_to_db(scale * np.abs(stft(y, n_fft=n_fft, hop_length=hop_length)), floor_db=-200)
    step_t, step_f = hop_length / sr, sr / n_fft / 1000
    edges = (-step_t / 2, (s_db.shape[1] - 0.5) * step_t, -step_f / 2, (s_db.shape[0] - 0.5) * step_f)
    image = ax.imshow(s_db, origin="lower", aspect="auto", extent=edges, vmin=low, vmax=high)
    ax.set(xlim=(0, y.size / sr), ylim=(0, sr / 2000), xlabel="Time [s]", ylabel="Frequency [kHz]")
    ax.grid(False)
    if bar:
        ax.figure.colorbar(image, ax=ax, pad=0.02, fraction=0.05, label="Level [dBFS]").outline.set_visible(False)
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

    Raises
    ------
    ValueError
        Unless 0 < low < high.
    """
    if not 0 < low < high:
        raise ValueError(f"a log axis needs 0 < low < high, got low={low}, high={high}")
    ticks = [f for f in 1000.0 * 2.0 ** np.arange(-6, 6) if low * 0.999 <= f <= high * 1.001]
    ax.set(**{f"{axis}scale": "log", f"{axis}lim": (low, high), f"{axis}label": "Frequency [Hz], log scale"})
    side = getattr(ax, f"{axis}axis")
    side.set_major_locator(FixedLocator(ticks))
    side.set_major_formatter(FuncFormatter(_hz))
    side.set_minor_locator(NullLocator())
    return ax


def band(ax, low, high, role, *, axis="x"):
    """Mark a region with a pale area, hatched where the role has a hatch so that it survives a grey print."""
    draw = ax.axvspan if axis == "x" else ax.axhspan
    draw(low, high, facecolor=tint(role), edgecolor="none", zorder=0.5)
    if ROLES[role].hatch:
        draw(low, high, facecolor="none", edgecolor=tint(role, 0.55), hatch=ROLES[role].hatch, lw=0, zorder=0.6)
    return ax


def picture(fig: Figure, *, colours: int = 128) -> bytes:
    """Return the figure as a small PNG: at its own size, in a palette of `colours`."""
    from PIL import Image

    raw = io.BytesIO()
    fig.savefig(raw, format="png", dpi="figure", pil_kwargs={"compress_level": 1})
    rgb = Image.open(raw).convert("RGB")
    small = rgb.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, "png", optimize=True)
    return out.getvalue()


def show(fig: Figure, *, alt: str) -> None:
    """Display a figure once, with the words that say the same, and close it.

    Jupyter gives a PNG no alt text, so the words also stand in a fold under the picture: a screen reader finds them
    there, and so does everybody else.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure.
    alt : str
        What a person who cannot see the figure should know: the finding and its numbers.

    Raises
    ------
    ValueError
        If `alt` is shorter than four words.
    """
    from IPython.display import display

    alt = " ".join(alt.split())
    if len(alt.split()) < 4:
        raise ValueError(f"alt says what the figure shows, in a sentence with its numbers; got {alt!r}")
    png = b64encode(picture(fig)).decode()
    words = f"<details><summary>This figure in words</summary>{html.escape(alt)}</details>"
    display({"image/png": png, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})
    display({"text/html": words, "text/plain": f"This figure in words: {alt}"}, raw=True)
    plt.close(fig)
