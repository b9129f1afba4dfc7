"""What a check found, as a learner sees it: a colour and a mark beside words that need neither."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field

CORRECT = "correct"
NOT_YET = "not yet"
NOT_ATTEMPTED = "not attempted"
LINES = 6  # of what a function prints are shown

# A mark and a colour that stand out 3:1 or more on white and on black; words keep the page's own
# colour, and a colour is never the only sign.
LOOKS = {CORRECT: ("✓", "#2A936B"), NOT_YET: ("→", "#C8642A")}


def short(x: complex, digits: int = 4) -> str:
    """Return a number with so many digits and a real minus sign, large ones in full: 32768."""
    digits = max(digits, len(str(int(abs(x)))) if abs(x) < 1e8 else 0)
    return f"{x:.{digits}g}".replace("-", "−")


@dataclass(frozen=True)
class Result:
    """What a check found: an outcome, the sentences that go with it, and what the function
    printed. `drawn` makes HTML and `played` a player of the learner's own result, on demand.
    """

    outcome: str
    says: str
    note: str = ""
    printed: str = ""
    measured: str = field(default="", compare=False)
    drawn: Callable | None = field(default=None, compare=False)
    played: Callable | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """Return the plain text, the same on every run."""
        text = f"{self.outcome.capitalize()}. {self.says}"
        if self.measured:
            text += f"\nMeasured: {self.measured}"
        if self.printed:
            text += f"\nYour function printed:\n{self._prints()}"
        return text + (f"\n({self.note})" if self.note else "")

    def _ipython_display_(self) -> None:
        """Show the words and then a player; where nothing sounds, leave it to the other forms."""
        player = self.played() if self.played else None
        if player is None:
            raise NotImplementedError
        from IPython.display import display

        words = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        display({key: value for key, value in words.items() if value}, raw=True)
        display(player)

    def _prints(self) -> str:
        """Return the first lines of what was printed, each of a length that one can read."""
        lines = self.printed.rstrip().split("\n")
        shown = [line if len(line) <= 100 else line[:99] + "…" for line in lines[:LINES]]
        return "\n".join([*shown, "…"] if len(lines) > LINES else shown)

    def _repr_markdown_(self) -> str:
        text = f"> **{self.outcome.capitalize()}.** {self.says}"
        if self.measured:
            text += f"\n>\n> Measured: {self.measured}"
        if self.printed:
            code = self._prints().replace("`", "'").replace("\n", "\n> ")
            text += f"\n>\n> Your function printed:\n>\n> ```text\n> {code}\n> ```"
        return text + (f"\n>\n> *{self.note}*" if self.note else "")

    def _repr_html_(self) -> str | None:
        """Return the same words with a coloured bar and a mark; None, and so the plain form, where
        nothing was tried.
        """
        if self.outcome not in LOOKS:
            return None
        mark, colour = LOOKS[self.outcome]
        bar = f"border-left: 4px solid {colour}; padding: 2px 12px; margin: 6px 0"
        parts = [f'<div class="earup-result" style="{bar}">']
        sign = f'<span aria-hidden="true" style="color: {colour}">{mark}</span>'
        parts.append(f"<strong>{sign} {self.outcome.capitalize()}.</strong> ")
        parts.append(inline(self.says))
        if self.measured:
            parts.append(f"<div>Measured: {inline(self.measured)}</div>")
        if self.printed:
            code = html.escape(self._prints())
            style = "margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere"
            parts.append(f'<div>Your function printed:</div><pre style="{style}">{code}</pre>')
        if self.drawn:
            parts.append(self.drawn())
        if self.note:
            parts.append(f"<div><em>{inline(self.note)}</em></div>")
        parts.append("</div>")
        return "".join(parts)


def inline(text: str) -> str:
    """Return text as HTML, with what stands between back-ticks as code."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
