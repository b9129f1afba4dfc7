"""What the tests of the units share: a notebook's cells, what they leave behind, and measures of
sound written out.
"""

import importlib.util
import json
import math
import os
import re
import sys
from pathlib import Path

import numpy as np

from helpers.coursework import catalogue

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("EARUP_SHARED", ROOT.parent / "shared"))


def code_cells(name, *, tag=None):
    """Return the sources of a notebook's code cells, those with `tag` if one is given."""
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [
        "".join(c["source"]) for c in cells if tag is None or tag in c["metadata"].get("tags", [])
    ]


def space():
    """Return what a learner's cell finds: NumPy and math, and PyTorch where it is installed."""
    names = {"np": np, "math": math}
    if importlib.util.find_spec("torch"):
        names["torch"] = importlib.import_module("torch")
    return names


def runs_here(exercise):
    """Whether an exercise can be solved here: some need PyTorch."""
    return "torch" not in (exercise.solution or "") or "torch" in space()


def solutions(number):
    """Return the functions of all solutions of a unit by name."""
    names = space()
    for exercise in catalogue.exercises(number).values():
        if runs_here(exercise):
            exec(exercise.solution, names)
    return names


def needs_torch(name):
    """Whether a notebook imports PyTorch, itself or through the rooms that stand on it."""
    return bool(
        re.search(
            r"^(import torch|from helpers.* import .*\b(losses|settings))",
            "\n".join(code_cells(name)),
            re.M,
        )
    )


def run(sources, folder, names=None):
    """Execute cells in `folder`, as a kernel there would, and return the names they leave
    behind.
    """
    names = {"__name__": "__main__"} if names is None else names
    before = Path.cwd()
    os.chdir(folder)
    try:
        for i, source in enumerate(sources):
            exec(compile(source, f"<cell {i}>", "exec"), names)
    finally:
        os.chdir(before)
    return names


def with_guess(unit, key, option, folder, patch):
    """Guess in a prediction, as its widget stores it, or leave it if `option` is None; then run the
    cell that asks for the guess again, and return its figure.
    """
    import matplotlib.pyplot as plt

    from helpers import coursework, figures

    patch.setenv("EARUP_PROGRESS", str(folder / f"progress_{option}.json"))
    if option is not None:
        coursework.predict(key).answers = {key: {"chosen": option, "tried": [option]}}
    cells = code_cells(next((ROOT / "notebooks").glob(f"{key[:2]}_*.ipynb")).stem)
    (cell,) = [text for text in cells if f'coursework.guess("{key}")' in text]
    shown = []
    patch.setattr(figures, "show", lambda fig, alt: shown.append(fig))
    run([cell], folder, dict(unit))
    (fig,) = shown
    plt.close(fig)
    return fig


def figure_with_guess(unit, key, option, folder, patch):
    """Return the figure after a guess, or after none, and what it says of the guess."""
    fig = with_guess(unit, key, option, folder, patch)
    labels = [text for ax in fig.axes for text in ax.texts if "your guess" in text.get_text()]
    assert len(labels) == (option is not None)
    return fig, labels[0] if labels else None


def drawn_with_guess(unit, key, option, folder, patch):
    """Return the lines that a guess adds to the figure that asks for it."""
    figs = [with_guess(unit, key, which, folder, patch) for which in (None, option)]
    before, after = ([line for ax in fig.axes for line in ax.lines] for fig in figs)
    added = [line for line in after if line.get_label().startswith("your guess")]
    assert len(after) == len(before) + len(added)
    assert not [line for line in before if line.get_label().startswith("your guess")]
    return added


def in_a_sweep():
    """Whether this is called while controls are tried, which makes things that nobody sees."""
    frame = sys._getframe()
    while frame and frame.f_code.co_name != "sweep":
        frame = frame.f_back
    return frame is not None


def noted(patch):
    """Note every player and every stage that a cell makes; return the two lists, which grow."""
    from helpers import explore, listening

    made = {"players": [], "stages": []}
    for room, name, store in (
        (listening, "player", made["players"]),
        (explore, "stage", made["stages"]),
    ):
        real = getattr(room, name)

        def note(*arguments, real=real, store=store, **named):
            thing = real(*arguments, **named)
            if not in_a_sweep():
                store.append(thing)
            return thing

        patch.setattr(room, name, note)
    return made


def level(y):
    """RMS level [dBFS], written out here so that it does not lean on the helper under test."""
    return 10 * np.log10(np.mean(np.square(y, dtype=np.float64)) + 1e-20)


def peak_hz(y, sr):
    """Frequency of the strongest line [Hz], to the width of a bin."""
    return np.argmax(np.abs(np.fft.rfft(y * np.hanning(len(y))))) * sr / len(y)


def band(y, sr, low, high):
    """Level of what lies between two frequencies [dBFS]."""
    power = 2 * np.abs(np.fft.rfft(y)) ** 2 / len(y) ** 2
    freqs = np.fft.rfftfreq(len(y), 1 / sr)
    return 10 * np.log10(power[(freqs >= low) & (freqs < high)].sum() + 1e-20)


def loudest(y, sr):
    """Level of the loudest 400 ms [dBFS RMS]."""
    n = min(int(0.4 * sr), len(y))
    total = np.concatenate([[0], np.cumsum(np.square(y, dtype=np.float64))])
    return 10 * np.log10(np.max(total[n:] - total[:-n]) / n)
