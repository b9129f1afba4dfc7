"""Pictures of what the experiments on your own ears found."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from helpers import figures
from helpers.experiments.contour import Contour, iso_shape
from helpers.experiments.masking import TRACKS, Thresholds
from helpers.experiments.matching import FLOOR_DB, REFERENCE_DB, ceiling_db
from helpers.experiments.middles import PAIRS, Middles, predictions

# scales whose names stand at the left end, where their lines lie apart
NAMED_LEFT = {"mel (Slaney)", "Bark", "ERB-rate"}
MARKS = {
    "fmt": "D",
    "ms": 6,
    "elinewidth": 1.5,
    "capsize": 3,
    "capthick": 1.5,
    "mew": 0.8,
    "zorder": 5,
}


def figure(result: Contour | Middles | Thresholds, simulated: bool = False) -> Figure:
    """Draw a result over what it is held against."""
    with plt.rc_context():
        if mpl.rcParams["image.cmap"] != "level":  # the course's look is not loaded yet
            figures.use()
        fig = Figure(figsize=(7.6, 4.4))
        draw = {Contour: _contour, Middles: _middles, Thresholds: _thresholds}
        draw[type(result)](fig, result, "a simulated listener" if simulated else "you")
        fig.draw_without_rendering()  # lays it out while the style holds
    return fig


def picture(result: Contour | Middles | Thresholds, simulated: bool = False) -> bytes:
    """Return `figure` as a PNG."""
    return figures.picture(figure(result, simulated))


def _own(ax, x, y, err) -> None:
    """Draw the points of a listener with their intervals."""
    ax.errorbar(
        x, y, yerr=err, color=figures.colour("prediction"), mec=figures.colour("ground"), **MARKS
    )


def _contour(fig: Figure, result: Contour, who: str) -> None:
    offset = result.offset_db if result.reliable else 0.0
    removed = "Nothing is read from them."
    if result.reliable:
        removed = f"Level offset of {offset:+.1f} dB removed.".replace("-", "−")
    how = f"Curves: ISO 226:2023. Points: {who}, bars: 95 % intervals. {removed}"
    figures.claim(fig, result.title, how)
    ax = fig.subplots()
    freqs = np.geomspace(63, 12500, 200)
    for phon in (20, 40, 60, 80):
        role, width = ("ink", 2.2) if phon == 40 else ("reference", 1.1)
        look = figures.stroke("reference", linewidth=width, color=figures.colour(role))
        ax.plot(freqs, iso_shape(freqs, phon), **look)
        figures.label(ax, 84, float(iso_shape(84, phon)), f"{phon} phon", role, ha="center")
    for name, match in result.matches.items():
        freq = result.freq[name] * (1.04 if "again" in name else 1)
        if match.beyond:
            _beyond(ax, freq, match.beyond, offset)
        else:
            bars = [[match.level - match.low], [match.high - match.level]]
            _own(ax, freq, match.level - offset, bars)
    figures.hz_axis(ax, 63, 12500)
    ax.set(ylabel="Level for equal loudness [dB re 1 kHz]")


def _beyond(ax, freq: float, side: str, offset: float) -> None:
    """Mark the level that a track could not pass."""
    limit = FLOOR_DB
    marker = "v"
    if side == "above":
        limit = float(ceiling_db(freq)) - REFERENCE_DB
        marker = "^"
    ax.plot(freq, limit - offset, marker, color=figures.colour("error"), ms=8, zorder=5)
    figures.label(ax, freq, limit - offset, "beyond limit", "error", dx=8)


def _middles(fig: Figure, result: Middles, who: str) -> None:
    how = f"Lines: predictions. Diamonds: {who}, bars: 95 % intervals. Triangles: single settings."
    figures.claim(fig, result.verdict.rstrip("."), how)
    ax = fig.subplots()
    x = np.arange(len(PAIRS))
    for scale, at in predictions().items():
        role = "ink" if scale in result.plausible_scales else "reference"
        ax.plot(x, at, **figures.stroke("reference", color=figures.colour(role)))
        if scale in NAMED_LEFT:
            figures.label(ax, x[0], at[0], scale, role, dx=-6, ha="right")
        else:
            figures.label(ax, x[-1], at[-1], scale, role, dx=6)
    means, half = result.points
    _own(ax, x, means, half)
    for up, marker in ((True, "^"), (False, "v")):
        these = result.up == up
        place = result.pair[these] + (0.06 if up else -0.06)
        ax.plot(
            place, result.middle[these], marker, ms=4, alpha=0.6, color=figures.colour("prediction")
        )
    ax.set(xlim=(-0.45, x[-1] + 0.4), xticks=x, ylabel="Middle above the octave middle [semitones]")
    ax.set_xticklabels([f"{low} to {high} Hz" for low, high in PAIRS])


def _thresholds(fig: Figure, result: Thresholds, who: str) -> None:
    how = f"Tone of 1 kHz, just heard. Diamonds: {who}, bars: 95 % intervals."
    figures.claim(fig, result.title, how)
    ax = fig.subplots()
    names = list(result.matches)
    for row, name in enumerate(names):
        match = result.matches[name]
        if match.beyond:
            figures.label(ax, -56, row, "beyond limit", "error", ha="center")
            continue
        bars = [[match.level - match.low], [match.high - match.level]]
        look = MARKS | {"color": figures.colour("prediction"), "mec": figures.colour("ground")}
        ax.errorbar(match.level, row, xerr=bars, **look)
        figures.label(ax, match.level, row, f"{match.level:.0f}".replace("-", "−"), dy=12, dx=4)
    ax.set(xlabel="Level of the tone [dBFS]", xlim=(-84, -28), ylim=(len(names) - 0.5, -0.6))
    ax.set_yticks(range(len(names)), [TRACKS[name][2] for name in names])
