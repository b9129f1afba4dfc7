"""The map of the course as a page: parts, units and chapters with what is done, and where to go on.

Colours are the page's own, so that it fits a light and a dark ground; marks say what colours say.
"""

from __future__ import annotations

import html

from helpers.coursework import catalogue, chapters

SIGNAL = "#3D7FC4"  # stands out 3:1 and more on white and on black
EAR = "#2A936B"
BOX = "border: 1px solid; border-radius: 5px; padding: 6px 10px; min-width: 0"
GRID = (
    "display: grid; gap: 8px; align-items: start; "
    "grid-template-columns: repeat(auto-fill, minmax(190px, 1fr))"
)


def link(number: str, words: str, cell: str = "") -> str:
    """Return words that lead to a unit, or to one of its cells in JupyterLab."""
    path = chapters.notebook(number)
    if path is None:
        return html.escape(words)
    to = f"{path.name}#cell-id={cell}" if cell else path.name
    return f'<a href="{to}">{html.escape(words)}</a>'


def page(found: list, last: dict, note: str) -> str:
    """Return the map; `found` are the units' standings, `last` is what was worked on last."""
    done = sum(unit.done for unit in found)
    lines = [f"<p><strong>You have finished {done} of {len(found)} units</strong></p>"]
    lines += [f"<p><em>{html.escape(note)}</em></p>"] if note else []
    lines += [_go_on(found, last)] if last else []
    known = {unit.unit: unit for unit in found}
    for part in catalogue.parts():
        if part.units:
            name = html.escape(f"{part.digit} {part.name}")
            boxes = "".join(_box(known[number]) for number in part.units)
            lines.append(f'<p style="margin: 12px 0 4px">{name}</p>')
            lines.append(f'<div style="{GRID}">{boxes}</div>')
    return f'<div class="earup-map">{"".join(lines)}</div>'


def _go_on(found: list, last: dict) -> str:
    """Return a line that leads to the unit and the cell worked on last."""
    number = last.get("unit")
    titles = {unit.unit: unit.title for unit in found}
    if number not in titles:
        return ""
    cell = chapters.place(number, last.get("key", ""))
    words = link(number, f"Go on where you were: unit {number}, {titles[number]}", cell)
    day = html.escape(str(last.get("day", "")))
    return f"<p>{words}{f' ({day})' if day else ''}</p>"


def _box(unit) -> str:
    """Return one unit: name, a bar of what is done, the scores, and its chapters folded."""
    share = (unit.solved + unit.right) / max(1, unit.exercises + unit.questions)
    mark = f'<span style="color: {EAR}">✓ done</span>' if unit.done else ""
    bar = f"height: 5px; width: {100 * share:.0f}%; background: {SIGNAL}"
    scores = f"exercises {unit.solved}/{unit.exercises} · quiz {unit.right}/{unit.questions}"
    name = link(unit.unit, f"{unit.unit} {unit.short}")
    rail = "margin: 5px 0; border-bottom: 1px solid"
    return (
        f'<div style="{BOX}"><strong>{name}</strong> {mark}'
        f'<div aria-hidden="true" style="{rail}"><div style="{bar}"></div></div>'
        f"<div>{scores}</div>{_chapters(unit)}</div>"
    )


def _chapters(unit) -> str:
    """Return the chapters of a unit with their ticks, folded."""
    if not unit.chapters:
        return ""
    rows = ""
    for chapter, done in unit.chapters:
        tick = f'<span style="color: {EAR}">✓</span>' if done else "○"
        said = "done: " if done else ""
        hidden = "position: absolute; clip-path: inset(50%); width: 1px; height: 1px"
        spoken = f'<span style="{hidden}">{said}</span>' if done else ""
        rows += f'<li style="list-style: none"><span aria-hidden="true">{tick}</span> {spoken}'
        rows += f"{link(unit.unit, chapter.title, chapter.cell)}</li>"
    count = sum(done for _, done in unit.chapters)
    summary = f"<summary>chapters {count} of {len(unit.chapters)}</summary>"
    return f'<details>{summary}<ul style="padding: 0; margin: 4px 0 0">{rows}</ul></details>'
