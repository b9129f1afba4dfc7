"""Notice that a check tries an older function than the one a learner has just written.

IPython keeps the cells that were run and whether the last one failed. What was typed and never run
is not known here, so silence proves nothing.
"""

from __future__ import annotations

import difflib
import linecache
import re
import sys

_DEF = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)


def _shell():
    """Return the IPython that runs this, or None; it is not imported where nothing has."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def _source(fn: object) -> str:
    """Return the cell that defined `fn`, as far as Python still knows it."""
    home = getattr(getattr(fn, "__code__", None), "co_filename", "")
    return "".join(linecache.getlines(home)).strip() if home else ""


def _failed_cell(shell, name: str, fn: object) -> str:
    """Say that the cell that was run last was to define `name` and failed; else an empty string."""
    last = getattr(shell, "last_execution_result", None)
    if last is None or last.success or last.info is None:
        return ""
    cell = last.info.raw_cell or ""
    if name not in _DEF.findall(cell):
        return ""
    before = last.error_before_exec
    if before is None and _source(fn) == cell.strip():
        return ""  # the function is the new one, and a later line of the cell failed
    kind = type(before or last.error_in_exec).__name__
    return (
        f"The cell that you ran last failed ({kind}), so this is about an older `{name}`: mend and "
        "run that cell first."
    )


def _like(name: str, cells: list[str], others: set[str]) -> str:
    """Return a name like `name` that was defined after it was last, or an empty string."""
    for cell in reversed(cells):
        defined = _DEF.findall(cell)
        if name in defined:
            return ""
        for other in defined:
            close = difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio() > 0.8
            if close and other not in others:
                return other
    return ""


def older(fn: object, names: set[str]) -> str:
    """Return a sentence if `fn` seems to be an older function than the one just written; `names`
    are those that exercises use.
    """
    shell = _shell()
    name = getattr(fn, "__name__", "")
    if shell is None or name not in names:
        return ""
    try:
        failed = _failed_cell(shell, name, fn)
        if failed:
            return failed
        cells = [str(cell) for cell in shell.user_ns.get("In", [])]
        other = _like(name, cells, names)
    except Exception:  # another shell keeps another history
        return ""
    if not other or not callable(shell.user_ns.get(other)):
        return ""
    return (
        f"Since then you have defined `{other}`; what is checked here is `{name}`, from an earlier "
        "cell. Is one of the names misspelt?"
    )
