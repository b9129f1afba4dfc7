"""A notebook that is run once, in this process, by IPython's own kernel, for all who ask about it.

One run serves three: what the cells show is compared with what the notebook stores
(tests/test_executed.py), the names that they leave behind are what the tests of a unit ask for (the
fixture `unit`), and the executed notebook with the state of its widgets is kept for the site
(tools/site). Every control is swept, and our own outdated calls are errors.
"""

import json
import os
import re
import signal
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbval.plugin import (
    IPyNbCell,
    coalesce_streams,
    find_comment_markers,
    find_metadata_tags,
    get_sanitize_patterns,
)
from nbval.plugin import nocolors as no_colors

from tests.pages import noted
from tools import notebooks
from tools.site import building
from tools.verify import alone

ROOT = Path(__file__).parents[1]
CELL_SECONDS = 300
SHOWN = ("display_data", "execute_result", "stream", "error")
QUIET = (
    DeprecationWarning,
    PendingDeprecationWarning,
    ImportWarning,
    ResourceWarning,
)  # as Python starts
# what two sound runs may show differently: a picture in its last bit, and the id of a widget
SKIPPED = ("metadata", "traceback", "prompt_number", "output_type", "name", "execution_count")
VIEW = "application/vnd.jupyter.widget-view+json"
SKIPPED += ("image/png", "image/jpeg", VIEW)


class Comparison:
    """nbval's own comparison of the outputs of one cell, without its way of running cells."""

    compare_outputs = IPyNbCell.compare_outputs
    sanitize = IPyNbCell.sanitize
    colors = no_colors

    def __init__(self):
        rules = (ROOT / "tests" / "nbval.cfg").read_text(encoding="utf-8")
        self.parent = SimpleNamespace(
            skip_compare=SKIPPED, sanitize_patterns=dict(get_sanitize_patterns(rules))
        )

    def format_output_compare(self, key, stored, shown):
        """Say what differs."""
        self.comparison_traceback.append(
            f"{key} is stored as {stored!r}, and the run gave {shown!r}"
        )

    def difference(self, cell, outputs):
        """Return in words how the outputs of a run differ from those that a cell stores."""
        if cell.execution_count is None:
            return "has outputs, but was never run" if cell.outputs else ""
        stored = nbformat.from_dict([dict(output) for output in cell.outputs])
        same = self.compare_outputs(
            coalesce_streams(nbformat.from_dict(outputs)), coalesce_streams(stored)
        )
        return "" if same else " ".join(self.comparison_traceback)


def options(cell):
    """Return what nbval's tags and comments say of a cell: "check", "check_exception", "skip"."""
    return {
        "check": True,
        **dict(find_metadata_tags(cell.metadata)),
        **dict(find_comment_markers(cell.source)),
    }


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Write a warning where a kernel writes it, whatever pytest has put in its place."""
    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


@contextmanager
def warnings_of_a_kernel():
    """Warnings as in a fresh kernel with the profile of tools/verify/alone.py."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for kind in QUIET:
            warnings.filterwarnings("ignore", category=kind)
        warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
        exec(alone.STARTUP, {})
        warnings.showwarning = show_warning
        yield


@contextmanager
def kernel():
    """An IPython kernel in this process that knows no name yet; Python is left as it was."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # its debugger would speak
    import matplotlib.pyplot as plt
    from ipykernel.inprocess import InProcessKernelManager
    from ipykernel.inprocess.ipkernel import InProcessInteractiveShell

    InProcessInteractiveShell.clear_instance()
    backend = plt.get_backend()
    main, hook = sys.modules["__main__"], sys.excepthook
    manager = InProcessKernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    # a task of its thread never ends, and asyncio would complain of that when Python does
    manager.kernel.iopub_thread.io_loop.asyncio_loop.set_exception_handler(lambda *_: None)
    plt.switch_backend("module://matplotlib_inline.backend_inline")
    try:
        yield client, manager.kernel.shell
    finally:
        manager.kernel.iopub_thread.stop()
        sys.modules["__main__"], sys.excepthook = main, hook
        plt.switch_backend(backend)


def too_late(number, frame):
    """End a cell that takes too long."""
    raise TimeoutError(f"the cell took more than {CELL_SECONDS} s")


@contextmanager
def limited():
    """Let a cell take only so long, where the system can tell."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(CELL_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def execute(client, cell):
    """Run one cell and return its outputs."""
    outputs = []
    with limited():
        asked = client.execute(cell.source)
    while True:
        message = client.get_iopub_msg(
            timeout=30
        )  # what is printed does not say which cell printed it
        if message["msg_type"] in SHOWN:
            outputs.append(nbformat.v4.output_from_msg(message))
        if (
            message["content"].get("execution_state") == "idle"
            and message["parent_header"]["msg_id"] == asked
        ):
            return outputs


def shown(notebook, states):
    """Return the states of the widgets that outputs show and of those that these refer to.

    A sweep leaves others, such as the players of earlier runs, and a page need not carry them.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    views = [output.get("data", {}).get(VIEW) for output in outputs]
    waiting = [view["model_id"] for view in views if view]
    kept = {}
    while waiting:
        key = waiting.pop()
        if key in states and key not in kept:
            kept[key] = states[key]
            waiting += re.findall(r"IPY_MODEL_(\w+)", json.dumps(states[key]["state"], default=str))
    return kept


def told(error):
    """Return an error of a cell in words, without IPython's colours."""
    lines = [f"{error.ename}: {error.evalue}", *error.traceback]
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))


class Run:
    """One run: the `names` left behind, the `differences` by cell, and the executed `notebook`."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        self.notebook = nbformat.read(path, as_version=4)
        self.differences = {}
        self.perform()

    def settings(self):
        """Return what a run and the tests about it set in the environment."""
        return {
            "EARUP_PROGRESS": str(self.folder / "progress.json"),
            "EARUP_RESULTS": str(self.folder),
        }

    def perform(self):
        """Run all cells in the folder, as a kernel there would."""
        from ipywidgets import Widget
        from ipywidgets.widgets import widget as module

        before = set(module._instances)
        with pytest.MonkeyPatch.context() as patch, warnings_of_a_kernel():
            for name, value in (self.settings() | {"NOTEBOOK_SWEEP": "1"}).items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            made = noted(patch)
            with kernel() as (client, shell):
                self.run_cells(client)
                self.names = shell.user_ns | made
        self.widgets = [made for key, made in module._instances.items() if key not in before]
        state = Widget.get_manager_state(widgets=self.widgets)
        state["state"] = shown(self.notebook, state["state"])
        self.notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": state}

    def run_cells(self, client):
        """Run one cell after the other, compare it with what is stored, and keep what it showed."""
        comparison = Comparison()
        code = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code):
            said = options(cell)
            if said.get("skip"):
                continue
            outputs = execute(client, cell)
            failed = [output for output in outputs if output.output_type == "error"]
            if failed and not said.get("check_exception"):
                self.differences[number] = told(failed[0])
            elif said["check"] and (difference := comparison.difference(cell, outputs)):
                self.differences[number] = difference
            cell.outputs = nbformat.from_dict(outputs)

    def keep(self):
        """Keep the executed notebook where the site looks for it."""
        building.keep(self.notebook, self.path)

    def close(self):
        """Let go of the widgets, which ipywidgets would hold for ever."""
        for made in self.widgets:
            made.close()


LAST = []  # the run of one notebook at a time, for each holds much


def of(path, make_folder=tempfile.mkdtemp):
    """Return the run of a notebook: the last one, or a new one."""
    if not LAST or LAST[0].path != path:
        while LAST:
            LAST.pop().close()
        LAST.append(Run(path, Path(make_folder())))
    return LAST[0]


def named(name):
    """Return the notebook with a name."""
    (path,) = (path for path in notebooks.paths() if path.stem == name)
    return path
