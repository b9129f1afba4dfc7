"""Run notebooks again from top to bottom and store their text and figures."""

import argparse
import json
import os
import sys
import tempfile
import time

from tools import notebooks


def run(path) -> dict:
    """Return a notebook executed in its own folder, as plain data; a cell that fails raises."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return json.loads(nbformat.writes(notebook))


def main(argv: list[str] | None = None) -> int | str:
    """Run `course.py execute`."""
    parser = argparse.ArgumentParser(prog="course.py execute", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="how the notebooks' names begin, such as 10; all if none is given"
    )
    try:
        paths = notebooks.paths(parser.parse_args(argv).names)
    except ValueError as error:
        return str(error)
    from nbclient.exceptions import CellExecutionError

    with tempfile.TemporaryDirectory() as own:
        os.environ |= {
            "EARUP_PROGRESS": f"{own}/progress.json",
            "EARUP_RESULTS": own,
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        for path in paths:
            start = time.perf_counter()
            try:
                executed = run(path)
            except CellExecutionError as error:
                return f"{error}\n{path.name} was left as it is."
            notebooks.write(path, notebooks.normalise(executed))
            print(
                f"{path.name}: {time.perf_counter() - start:.1f} s, {path.stat().st_size // 1000} "
                "kB",
                flush=True,
            )
            for problem in notebooks.problems(path):
                print(f"  {problem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
