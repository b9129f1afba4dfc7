"""Unit 00 in a real JupyterLab."""

from pathlib import Path

from tests.browser.sweep import sweep

PAGE = Path(__file__).parents[2] / "notebooks" / "00_start_here.ipynb"


def test_every_control_moves_and_every_track_sounds(lab):
    sweep(lab)
