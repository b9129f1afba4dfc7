"""A stage on which the learner drags things: Python computes, the browser draws and sounds.

`stage` is made of panels (`parts`), handles or a brush, and `controls`. `loop` is a stage that
moves by itself and holds all its pictures.
"""

from helpers.explore.controls import choice, slider, toggle
from helpers.explore.loop import loop
from helpers.explore.parts import axis, brush, dots, handle, image, line, mark, panel, stems
from helpers.explore.stage import stage

__all__ = [
    "axis", "brush", "choice", "dots", "handle", "image", "line", "loop", "mark", "panel",
    "slider", "stage", "stems", "toggle",
]  # fmt: skip
