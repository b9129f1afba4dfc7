"""Every unit in a real JupyterLab: whatever can be moved moves, and every player sounds as its samples say.

A unit that has a challenge to win has a file of its own besides; its tests come first, on the same page.
"""

import pytest

from tests.browser.sweep import sweep
from tests.pages import needs_torch
from tools import notebooks


@pytest.mark.parametrize("notebook", notebooks.paths(), ids=lambda path: path.stem)
def test_every_control_moves_and_every_player_sounds(notebook, request):
    if needs_torch(notebook.stem):
        pytest.importorskip("torch")
    sweep(request.getfixturevalue("lab"))
