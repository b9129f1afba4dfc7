"""Pixels of a matplotlib figure whose artists move, as fast as they can be had.

A full draw of a figure takes tens of milliseconds, most of it ticks and labels that did not change.
`Frames` watches which artists an update touched, keeps a picture of everything else, and draws only
what moved over it. Where axes limits or ticks changed, or axes overlap, it draws everything.
Nothing needs to be declared.
"""

from __future__ import annotations

import io
from itertools import combinations

from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Frames:
    """Successive pictures of one figure.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Any figure with its artists in place; it is laid out once and keeps that layout.
    """

    def __init__(self, fig: Figure):
        self.canvas = FigureCanvasAgg(fig)
        self.figure = fig
        self.canvas.draw()
        fig.set_layout_engine("none")
        self._moved, self._still = set(), None
        self.full_draws = 0
        self._redraw()

    def next(self) -> memoryview:
        """Return the RGBA pixels, shape (height, width, 4), of the figure as its artists stand
        now.
        """
        touched = {artist for artist in self._parts() if _is_stale(artist)}
        known = self._still is not None and self._family == self._parts()
        if not known or any(isinstance(artist, Axis) for artist in touched):
            self._redraw()
        elif touched:
            if not touched <= self._moved:
                self._moved |= touched
                self._redraw()
            else:
                self.canvas.restore_region(self._still)
                self._draw_over()
                self._settle()
        return self.canvas.buffer_rgba()

    def jpeg(self, quality: int = 88) -> bytes:
        """Return the next picture as a JPEG with full colour resolution, so that coloured text
        stays sharp.
        """
        size = self.canvas.get_width_height()
        rgb = Image.frombuffer("RGBA", size, self.next(), "raw", "RGBA", 0, 1).convert("RGB")
        out = io.BytesIO()
        rgb.save(out, "jpeg", quality=quality, subsampling=0)
        return out.getvalue()

    def _parts(self) -> list:
        """Return everything that can move: what lies directly in an axes or in the figure."""
        own = [
            a
            for a in self.figure.get_children()
            if a not in self.figure.axes and a is not self.figure.patch
        ]
        return [a for ax in self.figure.axes for a in ax.get_children() if a is not ax.patch] + own

    def _redraw(self) -> None:
        """Draw everything; keep the picture without what moves, and then add that."""
        self.full_draws += 1
        self._family = self._parts()
        self._moved &= set(self._family)
        self._over = self._above()
        for artist in self._over:
            artist.set_animated(True)
        self.canvas.draw()
        self._still = None if self._overlap() else self.canvas.copy_from_bbox(self.figure.bbox)
        self._draw_over()
        for artist in self._over:
            artist.set_animated(
                False
            )  # so that saving the figure, or drawing it elsewhere, shows all of it
        self._settle()

    def _draw_over(self) -> None:
        for artist in self._over:
            artist.draw(self.canvas.get_renderer())

    def _settle(self) -> None:
        """Forget past changes; drawing leaves marks behind, on what is invisible and on what others
        measured.
        """
        for artist in self._family:
            artist.stale = False
            for part in () if isinstance(artist, Axis) else artist.findobj():
                part.stale = False

    def _above(self) -> list:
        """Return what moves and, in the same axes, what lies above it, from the bottom up."""
        over = []
        for home in [*self.figure.axes, self.figure]:
            mine = [a for a in self._family if a in home.get_children()]
            mine.sort(key=lambda a: a.get_zorder())
            lowest = next((i for i, a in enumerate(mine) if a in self._moved), len(mine))
            if home is self.figure and self._moved:
                lowest = 0  # words of the figure may lie over an axes in which something moved
            over += [
                a
                for a in mine[lowest:]
                if a in self._moved or not isinstance(a, Axis) or _has_grid(a)
            ]
        return over

    def _overlap(self) -> bool:
        """Say whether two axes share pixels, as a twin or an inset does."""
        boxes = [ax.bbox.extents for ax in self.figure.axes]
        return any(
            a[0] < d[2] and d[0] < a[2] and a[1] < d[3] and d[1] < a[3]
            for a, d in combinations(boxes, 2)
        )


def _has_grid(axis: Axis) -> bool:
    return any(tick.gridline.get_visible() for tick in axis.get_major_ticks())


def _is_stale(artist) -> bool:
    return artist.stale or (not isinstance(artist, Axis) and any(a.stale for a in artist.findobj()))
