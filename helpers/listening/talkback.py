"""Talk-back: the learner's own voice on headphones, 10 to 200 ms late, to feel what a latency
is.
"""

import anywidget
import traitlets

from helpers._frontend import Stored, bundle, styles
from helpers._frontend.card import card

SHORTEST_MS = 10
LONGEST_MS = 200


def talkback(*, delay_ms: int = 50) -> "TalkBack":
    """Show a microphone that is heard a chosen time later, on headphones.

    The sound stays in the browser: nothing is recorded or sent. It starts muted, and opens only
    once the learner has said that headphones are on. A limiter cuts whatever is above -20 dBFS. A
    detector mutes it when one tone swells for a second, as a loudspeaker that feeds the microphone
    makes it do, or when it is above that level for so long.

    Parameters
    ----------
    delay_ms : int, default 50
        First delay [ms], 10 to 200 in steps of 10. What the browser needs itself comes on top, and
        is shown.

    Returns
    -------
    TalkBack
        A widget, ready to be the last line of a cell.

    Examples
    --------
    >>> talkback(delay_ms=100).stored_text()
    'talk-back: your voice, 10 to 200 ms late. Run this cell, with headphones on.'
    """
    whole = isinstance(delay_ms, int) and not isinstance(delay_ms, bool)
    if not whole or not SHORTEST_MS <= delay_ms <= LONGEST_MS or delay_ms % 10:
        raise ValueError(
            f"delay_ms={delay_ms!r} must be {SHORTEST_MS} to {LONGEST_MS}, in steps of 10"
        )
    return TalkBack(delay_ms=delay_ms)


class TalkBack(Stored, anywidget.AnyWidget):
    """The widget behind `talkback`; all of it happens in the browser."""

    _esm = bundle(__file__, "microphone", "talkback")
    _css = styles(__file__, "talkback")
    delay_ms = traitlets.Int().tag(sync=True)

    def stored_text(self) -> str:
        """Return one line, the same on every run."""
        return (
            f"talk-back: your voice, {SHORTEST_MS} to {LONGEST_MS} ms late. Run this cell, with "
            "headphones on."
        )

    def stored_picture(self) -> bytes:
        """Return a small card as PNG."""
        row = (
            "microphone to headphones",
            f"{SHORTEST_MS} to {LONGEST_MS} ms late, at most -20 dBFS",
            None,
        )
        return card("Talk-back", [row], "Run this cell, with headphones on.")
