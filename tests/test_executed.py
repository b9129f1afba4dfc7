"""Every notebook runs, with every control moved, and shows what it stores, as nbval compares."""

import nbformat
import pytest
from nbformat import v4

from tests import runs
from tools import notebooks


@pytest.mark.parametrize("notebook", notebooks.paths(), ids=lambda path: path.stem)
def test_a_notebook_runs_and_every_cell_shows_what_is_stored(notebook, tmp_path_factory):
    run = runs.of(notebook, lambda: tmp_path_factory.mktemp("unit"))
    assert not run.differences, "\n\n".join(
        f"cell {k}: {what}" for k, what in run.differences.items()
    )
    run.keep()


# ---- the run and the comparison themselves -------------------------------------------------------


@pytest.fixture
def run_of(tmp_path):
    """Run a made-up notebook: ``run_of((source, outputs, tags), ...)``."""
    made = []

    def run(*cells):
        nb = v4.new_notebook()
        for source, outputs, *tags in cells:
            cell = v4.new_code_cell(
                source, outputs=outputs, execution_count=1, metadata={"tags": tags}
            )
            nb.cells.append(cell)
        nbformat.write(nb, tmp_path / "made.ipynb")
        made.append(runs.Run(tmp_path / "made.ipynb", tmp_path))
        return made[-1]

    yield run
    for run in made:
        run.close()


def printed(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def shown(**data):
    return v4.new_output("execute_result", data={"text/plain": "1", **data}, execution_count=1)


@pytest.mark.parametrize(
    ("source", "stored", "says"),
    [
        ("print(1)", [printed("1\n")], ""),
        ("print(1)", [printed("2\n")], "stdout is stored as '2\\n', and the run gave '1\\n'"),
        ("print(1)", [], "Unexpected output"),
        ("1;", [printed("1\n")], "Missing output"),
        ("1", [shown()], ""),
        ("1", [shown(**{"image/png": "AAAA"})], ""),  # pictures are looked at, not compared
        ("1", [shown(**{"text/html": "<b>1</b>"})], "Missing output"),
        ("print(object())", [printed("<object object at 0x7f00aabbccdd>\n")], ""),
        ("import sys; sys.stdout.write('1'); print(); print(2);", [printed("1\n2\n")], ""),
        ("import warnings; warnings.warn('new', stacklevel=1)", [], "running code: {'stderr'}"),
        ("1 / 0", [], "ZeroDivisionError: division by zero"),
        ("from IPython.display import display; display(1); display(2)", [shown()], "text/plain"),
    ],
)  # fmt: skip
def test_a_difference_is_told_and_what_may_differ_is_not(source, stored, says, run_of):
    run = run_of((source, stored))
    assert says in run.differences.get(0, "") and bool(says) == bool(run.differences)


def test_a_tag_says_that_outputs_may_differ_or_that_a_cell_raises(run_of):
    error = v4.new_output(
        "error", ename="ZeroDivisionError", evalue="division by zero", traceback=[]
    )
    run = run_of(
        ("print(1)", [], "nbval-ignore-output"),
        ("1 / 0", [error], "raises-exception"),
        ("1 / 0", [], "nbval-skip"),
        ("x = 3", []),
    )
    assert run.differences == {} and run.names["x"] == 3  # it goes on after an error


def test_a_cell_that_was_never_run_may_store_nothing(run_of):
    cell = v4.new_code_cell("1", outputs=[shown()])
    assert runs.Comparison().difference(cell, [shown()]) == "has outputs, but was never run"


@pytest.mark.parametrize(
    "kind", ["DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"]
)
def test_an_outdated_call_of_ours_is_an_error(kind, run_of):
    assert (
        kind
        in run_of((f"import warnings; warnings.warn('old', {kind}, stacklevel=1)", [])).differences[
            0
        ]
    )


def test_two_runs_know_nothing_of_each_other_and_leave_python_as_it_was(run_of):
    import sys

    main = sys.modules["__main__"]
    first = run_of(("x = 1; import os; where = os.getcwd()", []))
    assert first.names["where"] == str(first.folder) and first.names["__name__"] == "__main__"
    assert "NameError" in run_of(("x", [])).differences[0]
    assert sys.modules["__main__"] is main


def test_controls_are_swept_players_noted_and_widgets_kept(run_of):
    cell = """
import numpy as np, os
from helpers import listening
asked = os.environ["NOTEBOOK_SWEEP"]
p = listening.player({"tone": 0.1 * np.sin(np.arange(8000.0))}, sr=8000)"""
    run = run_of((cell, []))
    assert run.differences == {} and run.names["asked"] == "1"
    assert run.names["players"] == [run.names["p"]]
    run = run_of((cell + "\nhidden = listening.player({'a': p.tracks['tone']}, sr=8000)\np", []))
    (state,) = run.notebook.metadata.widgets.values()
    assert run.names["p"].model_id in state["state"]
    assert run.names["hidden"].model_id not in state["state"]  # no page shows it


def test_what_takes_too_long_is_ended(run_of, monkeypatch):
    if not hasattr(runs.signal, "SIGALRM"):
        pytest.skip("this system has no alarm")
    monkeypatch.setattr(runs, "CELL_SECONDS", 1)
    assert "more than 1 s" in run_of(("while True: pass", [])).differences[0]
