"""What hints and solutions look like: the same words in Markdown or HTML, and as plain text."""

from __future__ import annotations

import html

from helpers.coursework.catalogue import Exercise


class Text:
    """Something to read: Markdown where it is rendered, the same words as plain text elsewhere."""

    def __init__(self, lead: str, words: str):
        self.lead, self.words = lead, words

    def __repr__(self) -> str:
        """Return the plain text."""
        return f"{self.lead}. {self.words}"

    def _repr_markdown_(self) -> str:
        return f"> **{self.lead}.** {self.words}"


class Solution:
    """A folded solution: code, and why it is so."""

    def __init__(self, exercise: Exercise):
        self.exercise = exercise

    def __repr__(self) -> str:
        """Return the code and the reason as plain text."""
        it = self.exercise
        return f"One solution of {it.key}, {it.title}:\n\n{it.solution}\n{it.why}"

    def _repr_html_(self) -> str:
        summary = html.escape(f"One solution: {self.exercise.title}")
        code, why = html.escape(self.exercise.solution.rstrip()), _inline(self.exercise.why)
        pre = (
            '<pre style="margin: 8px 0; white-space: pre; overflow-x: '
            f'auto"><code>{code}</code></pre>'
        )
        return f"<details><summary>{summary}</summary>\n{pre}\n<p>{why}</p>\n</details>"


def _inline(text: str) -> str:
    """Return text as HTML, with what stands between back-ticks as code."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
