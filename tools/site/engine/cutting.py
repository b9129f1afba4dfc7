"""Cut out of a notebook what one cell needs: the statements that make its names, in their order."""

import ast
import symtable
from typing import NamedTuple

CHANGING = ("append", "extend", "insert", "update")  # methods that change what they are called on


class Statement(NamedTuple):
    """One statement of a notebook: its cell, its text, the names it reads and those it makes."""

    cell: int
    text: str
    reads: set[str]
    makes: set[str]


def statements(nb) -> list[Statement]:
    """Return the statements of all code cells; lines for Jupyter itself are left out."""
    found = []
    for number, cell in enumerate(nb.cells):
        if cell.cell_type == "code":
            found += statements_of(cell.source, number)
    return found


def statements_of(source: str, number: int = 0) -> list[Statement]:
    """Return the statements of one cell; none of what is no Python."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith("%")]
    text = "\n".join(lines)
    try:
        body = ast.parse(text).body
    except SyntaxError:  # an example of one
        return []
    found = []
    for node in body:
        part = ast.get_source_segment(text, node)
        decorators = getattr(node, "decorator_list", [])
        if decorators:
            part = "\n".join(lines[decorators[0].lineno - 1 : node.end_lineno])
        found.append(Statement(number, part, *_names(part, node)))
    return found


def _names(text: str, node: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement reads from outside, and those it makes or changes."""
    reads = set()
    makes = set()
    tables = [symtable.symtable(text, "cell", "exec")]
    for symbol in tables[0].get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            makes.add(symbol.get_name())
        if symbol.is_referenced():
            reads.add(symbol.get_name())
    for table in tables:
        tables += table.get_children()
        if table.get_type() != "module":
            reads |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    inside = isinstance(node, ast.FunctionDef | ast.ClassDef)  # what changes there is its own
    for part in [] if inside else ast.walk(node):
        makes |= _changed(part)
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name):
            reads.add(part.target.id)
    return reads, makes


def _changed(part: ast.AST) -> set[str]:
    """Return the name that y[k] = ..., y.attribute = ... or y.append(...) changes, if it is one."""
    stored = isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store)
    method = part.func if isinstance(part, ast.Call) else None
    called = isinstance(method, ast.Attribute) and method.attr in CHANGING
    if not stored and not called:
        return set()
    root = part.value if stored else method.value
    while isinstance(root, ast.Subscript | ast.Attribute):
        root = root.value
    return {root.id} if isinstance(root, ast.Name) else set()


def needed(found: list[Statement], names: set[str]) -> list[str]:
    """Return the texts of the statements that make some names, and of all that those need."""
    kept = set()
    names = set(names)
    more = True
    while more:
        more = False
        for k in range(len(found) - 1, -1, -1):
            if k not in kept and found[k].makes & names:
                kept.add(k)
                names |= found[k].reads
                more = True
    return [found[k].text for k in sorted(kept)]


def stages(nb) -> dict[int, list[str]]:
    """Return the statements that make the stage of each cell with one, by the cell's number."""
    found = statements(nb)
    sources = {}
    for k, statement in enumerate(found):
        if "explore.stage(" in statement.text:
            sources[statement.cell] = [*needed(found[:k], statement.reads), statement.text]
    return sources
