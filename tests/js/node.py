"""Run a file of JavaScript tests in Node, on modules made of the frontend's parts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HELPERS = Path(__file__).parents[2] / "helpers"


def joined(*parts):
    """Return the source of some parts of the frontend, one behind the other."""
    return "".join(
        path.read_text(encoding="utf-8") for part in parts for path in HELPERS.rglob(f"{part}.js")
    )


def run(file, folder, *, timeout=300):
    """Run tests/js/FILE, which finds its modules and data in a folder; skip where there is no
    Node.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; install Node.js 20 or newer to run the JavaScript tests")
    done = subprocess.run(
        [node, "--test", str(Path(__file__).with_name(file))],
        env=os.environ | {"EARUP_JS_TEST": str(folder)},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout  # an empty run is no proof
