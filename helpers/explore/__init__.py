"""A canvas on which the learner drags things, sliders that redraw a figure, and a brush.

- `stage`: Python computes, the browser draws and sounds; made of panels (`parts`) and `controls`.
- `explore`: a drawing function of your own above sliders.
"""

from helpers.explore.controls import choice, slider, toggle
from helpers.explore.parts import area, axis, brush, dots, handle, image, line, mark, panel, stems
from helpers.explore.sliders import Explorable, explore, still
from helpers.explore.stage import stage

__all__ = [
    "Explorable", "area", "axis", "brush", "choice", "dots", "explore", "handle", "image", "line",
    "mark", "panel", "slider", "stage", "stems", "still", "toggle",
]  # fmt: skip
