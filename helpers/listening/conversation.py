"""A conversation: your microphone goes block by block to a function of yours, and its answers come
back while you listen.
"""

from collections.abc import Callable

import anywidget
import numpy as np
import traitlets

from helpers import _checks, audio
from helpers._frontend import Stored, bundle, styles
from helpers._frontend.card import card

LONGEST_S = 600  # [s] what is kept of a conversation


def conversation(make: Callable, *, sr: int = 16000, block: int = 1600) -> "Conversation":
    """Show a microphone whose sound is handed on while it comes, and play what is answered.

    Parameters
    ----------
    make : callable
        ``make()`` is called when the microphone opens. What it returns has ``hear(y)``, which takes
        a block of `block` samples and returns an answer (n,), an empty one for "be silent", or
        None; and ``log``, a list of (seconds, event, detail) that it adds to.
    sr : int
        Sampling rate of blocks and answers [Hz]; the microphone's is converted.
    block : int
        Samples in a block.

    Returns
    -------
    Conversation
        A widget, ready to be the last line of a cell. Its ``sound()`` gives what came in and what
        went out.

    Raises
    ------
    ValueError
        If `make` is no function, or a rate or a block is no whole number above 0.

    Examples
    --------
    >>> conversation(lambda: None).stored_text()
    'conversation: your microphone, answered while you speak. Run this cell, with headphones on.'
    """
    if not callable(make):
        raise ValueError(f"make={make!r} must be a function; pass it without brackets")
    block = _checks.check_whole(block, name="block", low=1, remedy="take 1600, a tenth of a second")
    return Conversation(make, sr=audio.check_rate(sr), block=block)


class Conversation(Stored, anywidget.AnyWidget):
    """The widget behind `conversation`: resamples, cuts blocks, and keeps both sides."""

    _esm = bundle(__file__, "microphone", "conversation")
    _css = styles(__file__, "conversation")
    sr = traitlets.Int().tag(sync=True)

    def __init__(self, make: Callable, *, sr: int, block: int) -> None:
        super().__init__(sr=sr)
        self._make = make
        self._block = block
        self._begin(sr)
        self.on_msg(self._on_message)

    def _begin(self, rate: int) -> None:
        import soxr

        self._stream = soxr.ResampleStream(rate, self.sr, 1)
        self._rest = np.zeros(0)
        self._heard: list[np.ndarray] = []
        self._answers: list[tuple[int, np.ndarray]] = []  # at which block, what
        self._partner = None

    def sound(self) -> np.ndarray:
        """Return what came in and what went out, shape (2, n)."""
        n = len(self._heard) * self._block
        out = np.zeros(n)
        for at, y in self._answers:
            start = at * self._block
            out[start:] = 0  # a new answer, or silence, ends the one before
            out[start : start + len(y)] = y[: n - start]
        return np.stack([np.concatenate([*self._heard, np.zeros(0)]), out])

    def _on_message(self, _: object, content: dict, buffers: list) -> None:
        """Answer the browser: a microphone that opens, or a block of its sound."""
        try:
            if content["do"] == "start":
                self._begin(audio.check_rate(content["sr"]))
                partner = self._make()
                if not (hasattr(partner, "hear") and hasattr(partner, "log")):
                    raise ValueError(f"make() gave {partner!r}, which has no hear and log")
                self._partner = partner
                return
            y = np.frombuffer(bytes(buffers[0]), dtype="<f4")
            self._rest = np.append(self._rest, self._stream.resample_chunk(y))
            while self._partner is not None and len(self._rest) >= self._block:
                block, self._rest = np.split(self._rest, [self._block])
                self._hear(block)
        except Exception as error:  # the learner's own function: what it says is shown
            self.send({"kind": "fault", "text": f"{type(error).__name__}: {error}"})
            return
        self.send({"kind": "done", "n": content["n"]})

    def _hear(self, block: np.ndarray) -> None:
        told = len(self._partner.log)
        answer = self._partner.hear(block)
        if answer is not None:
            answer = np.asarray(answer, dtype=float)
            if answer.ndim != 1 or not np.isfinite(answer).all():
                shape = f"shape {answer.shape}"
                raise ValueError(f"hear() gave {shape}; it must give one row of finite numbers")
        if len(self._heard) * self._block < LONGEST_S * self.sr:
            self._heard.append(block)
        for when, event, detail in self._partner.log[told:]:
            text = f"{when:.1f} s  {event}" + (f": {detail}" if detail else "")
            self.send({"kind": "log", "text": text})
        if answer is not None:
            self._answers.append((len(self._heard), answer))
            self.send({"kind": "say"}, [answer.astype("<f4").tobytes()])

    def stored_text(self) -> str:
        """Return one line, the same on every run."""
        return (
            "conversation: your microphone, answered while you speak. Run this cell, with "
            "headphones on."
        )

    def stored_picture(self) -> bytes:
        """Return a small card as PNG."""
        row = ("microphone to Python, and back", "blocks of 100 ms, answers at most -6 dBFS", None)
        return card("Conversation", [row], "Run this cell, with headphones on.")
