"""Run each notebook from top to bottom, and then its cells once more, from the last to the first.

So a learner works: back to a cell further up, with everything below it run already. No cell may
raise then, none that is checked for its output may print another one, and no answer or progress may
be counted twice.

python3 -m tools.verify.reorder            all notebooks, 10 to 20 minutes on two cores
python3 -m tools.verify.reorder 00 10      these
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tools import notebooks

CHECKED = "nbval-check-output"  # the tag


def printed(cell) -> str:
    """Return what a cell has printed."""
    streams = [output for output in cell.get("outputs", []) if output["output_type"] == "stream"]
    return "".join(output["text"] for output in streams if output["name"] == "stdout")


def problems(path: Path, *, order=reversed) -> list[str]:
    """Run a notebook, run its cells again in another order, and return what went wrong the second
    time.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook, found = nbformat.read(path, as_version=4), []
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources)
    with client.setup_kernel():
        cells = list(enumerate(notebook.cells))
        for i, cell in cells:
            client.execute_cell(cell, i)
        checked = [pair for pair in cells if CHECKED in pair[1].metadata.get("tags", [])]
        first = {i: printed(cell) for i, cell in checked}
        for i, cell in order(cells):
            try:
                client.execute_cell(cell, i)
            except CellExecutionError as error:
                found.append(
                    f"cell {i} raises {error.ename}: {error.evalue.strip().splitlines()[:1]}"
                )
            if i in first and printed(cell) != first[i]:
                found.append(
                    f"cell {i} prints {printed(cell)!r} the second time, and {first[i]!r} the first"
                )
    return found


def main(argv: list[str] | None = None) -> int | str:
    """Run the notebooks that are asked for and say what went wrong."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.verify.reorder", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "names", nargs="*", help="how the notebooks' names begin, such as 10; all if none is given"
    )
    try:
        paths = notebooks.paths(parser.parse_args(argv).names)
    except ValueError as error:
        return str(error)
    failed = 0
    for path in paths:
        with tempfile.TemporaryDirectory() as own:
            os.environ |= {"EARUP_PROGRESS": f"{own}/progress.json", "EARUP_RESULTS": own}
            start = time.perf_counter()
            found = problems(path)
            found += [f"{name} was written, though nobody answered" for name in os.listdir(own)]
        failed += bool(found)
        print(
            f"{path.name}: {time.perf_counter() - start:.0f} s, {'; '.join(found) or 'fine'}",
            flush=True,
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
