"""Blind tests: ABX, ranking and MUSHRA. `helpers.listening` passes `blind_test` on."""

from collections.abc import Mapping

import anywidget
import numpy as np
import traitlets

from helpers._checks import check_name
from helpers._frontend import Stored, bundle, styles
from helpers._frontend.card import card
from helpers._storage import AnswerFile
from helpers.listening.stimuli import checked_items, fingerprint, prepared
from helpers.listening.tracks import CEILING_DB, decibels, playable_rate
from helpers.psychophysics import SimulatedListener, abx_verdict, mushra_report, simulated

TAKE_IT = "Run this cell to take it."
TRIALS = (5, 100)  # with fewer than five not even a perfect score has p < .05
COLUMNS = {
    "abx": {"trial": int, "x": str, "answer": str},
    "rank": {"rank": int, "track": str, "letter": str},
    "mushra": {"item": str, "condition": str, "letter": str, "rating": int},
}
TITLES = {
    "abx": "Blind test: is X the sound A or the sound B?",
    "rank": "Blind ranking",
    "mushra": "Blind rating (MUSHRA)",
}


def blind_test(
    kind: str,
    tracks: Mapping,
    *,
    sr: int,
    name: str | None = None,
    n_trials: int = 16,
    match: str | None = "loudness",
    gain_db: float = 0.0,
    title: str = "",
    question: str = "",
) -> "BlindTest":
    """Compare sounds without knowing which is which.

    ``"abx"``: is X the sound A or the sound B? A fixed number of trials, no score before the end,
    an exact binomial p. ``"rank"``: put letters in order, best first. ``"mushra"``: rate letters
    against a reference; among them are the reference itself and two low-pass anchors (3.5 and 7
    kHz, made here).

    What hides behind X or a letter is drawn in the browser when the trial begins. It stands in no
    text of the page; whoever opens the browser's developer tools, or the file with the answers, can
    find out.

    Parameters
    ----------
    kind : {"abx", "rank", "mushra"}
        Which test.
    tracks : dict of str to np.ndarray, each of shape (n,) or (2, n)
        Signals of one length [full scale = 1]: two for ABX, where they may be equal, 2 to 9 to
        rank. For MUSHRA a dict of at least six items, each of them a dict of conditions, the same
        in all items, one of them "reference".
    sr : int
        Sampling rate of all of them [Hz].
    name : str, optional
        Every answer is saved at once in ``blind_<name>.csv`` beside the notebook (see
        `helpers._storage`), and the test goes on where it stopped. Without a name nothing is saved.
    n_trials : int, default 16
        Trials of an ABX test, 5 to 100, fixed beforehand.
    match : {"loudness", "rms", None}
        Lower the tracks of an item to the level of the quietest; sounds under 0.4 s have no
        loudness and use RMS.
    gain_db : float, default 0.0
        Change of level of everything [dB].
    title, question : str, optional
        The line on top, and what to listen for.

    Returns
    -------
    BlindTest
        A widget, ready to be the last line of a cell.

    Examples
    --------
    >>> y = np.sin(np.arange(8000)) / 10
    >>> blind_test("abx", {"one": y, "two": y}, sr=8000).result
    '0 of 16 trials answered; the result comes after the last one.'
    """
    check_name(kind, COLUMNS, what="kind of blind test")
    whole = isinstance(n_trials, int) and not isinstance(n_trials, bool)
    if not whole or not TRIALS[0] <= n_trials <= TRIALS[1]:
        raise ValueError(
            f"n_trials={n_trials!r} must be a whole number from {TRIALS[0]} to {TRIALS[1]}; 16 is "
            "usual"
        )
    sr = playable_rate(sr)
    gain_db = decibels(gain_db, "gain_db")
    raw = checked_items(tracks, kind, sr)
    key = fingerprint(raw, kind, sr, n_trials, match, gain_db)
    file = AnswerFile(name, kind=kind, key=key, columns=COLUMNS[kind])
    items, notes = prepared(raw, kind, sr=sr, match=match, gain_db=gain_db)
    title = title or TITLES[kind]
    return BlindTest(
        items,
        file,
        kind=kind,
        sr=sr,
        n_trials=n_trials,
        title=title,
        question=question,
        notes=notes,
    )


class BlindTest(Stored, anywidget.AnyWidget):
    """The widget behind `blind_test`, which does the checking. The trials run in the page; Python
    saves and counts.
    """

    _esm = bundle(__file__, "deck", "blind")
    _css = styles(__file__, "blind")
    kind = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    sr = traitlets.Int().tag(sync=True)
    ceiling_db = traitlets.Float(CEILING_DB).tag(sync=True)
    n_trials = traitlets.Int().tag(sync=True)
    # per item: {item, tracks: [{name, channels: [float32 bytes]}]}
    sounds = traitlets.List().tag(sync=True)
    # ABX: the result for 0, 1, ... right, so that the page needs no kernel
    verdicts = traitlets.List().tag(sync=True)
    answers = traitlets.List().tag(sync=True)  # rows of the file; the page appends to them
    note = traitlets.Unicode().tag(sync=True)
    fault = traitlets.Unicode().tag(sync=True)  # why the answers are not saved
    report = traitlets.Unicode().tag(sync=True)
    file = traitlets.Unicode().tag(sync=True)
    saved = traitlets.Int().tag(sync=True)

    def __init__(
        self, items: dict, file: AnswerFile, *, kind: str, notes: list[str], **traits: object
    ) -> None:
        self._file = file
        self._items = list(items)
        self._names = list(items[self._items[0]])
        self._screens = {"abx": traits["n_trials"], "rank": 1, "mushra": len(items)}[kind]
        # rows of the file that one screen adds
        self._rows = 1 if kind == "abx" else len(self._names)
        self._kind = kind
        self._kept, said = file.load(self._accept)
        verdicts = []
        if kind == "abx":
            verdicts = [abx_verdict(k, self._screens) for k in range(self._screens + 1)]
        # everything at once: what is set later travels by messages that hosts may limit
        super().__init__(
            kind=kind,
            answers=self._kept,
            saved=len(self._kept),
            file=file.label,
            note="\n".join([said, *notes] if said else notes),
            sounds=[
                {"item": i, "tracks": [_packed(*pair) for pair in tracks.items()]}
                for i, tracks in items.items()
            ],
            verdicts=verdicts,
            report=self._reported(self._kept),
            **traits,
        )

    def _accept(self, rows: list[dict]) -> bool:
        """Say whether these rows can be the first answers to this test."""
        if len(rows) > self._screens * self._rows or len(rows) % self._rows:
            return False
        if self._kind == "abx":
            return all(
                row["trial"] == number and {row["x"], row["answer"]} <= {"A", "B"}
                for number, row in enumerate(rows, 1)
            )
        # each screen names every sound once
        column = "track" if self._kind == "rank" else "condition"
        screens = [rows[i : i + self._rows] for i in range(0, len(rows), self._rows)]
        for screen in screens:
            if sorted(row[column] for row in screen) != sorted(self._names):
                return False
        if self._kind == "rank":
            return True
        return all(
            row["item"] == item and 0 <= row["rating"] <= 100
            for item, screen in zip(self._items, screens, strict=False)
            for row in screen
        )

    @traitlets.observe("answers")
    def _received(self, change: dict) -> None:
        """Save what the page sends; an empty list begins a new run."""
        rows = change["new"]
        if rows == self._kept or not self._accept(rows):
            return
        try:
            if rows:
                self._file.save(rows)
            else:
                self.note = self._file.set_aside("earlier", "You take the test again")
            self.saved = len(rows)
            self.fault = ""
        except OSError as error:
            self.fault = self._file.trouble(error)
        self._kept = rows
        self.report = self._reported(rows)

    @property
    def done(self) -> bool:
        """Whether the last answer has been given."""
        return len(self.answers) == self._screens * self._rows

    def _reported(self, rows: list[dict]) -> str:
        """Return what Python adds to the page's own result."""
        if self._kind != "mushra" or len(rows) < self._screens * self._rows:
            return ""
        return mushra_report(_ratings(rows, self._names))

    @property
    def result(self) -> str:
        """The result in words; before the end only how far the test has come."""
        if not self.done:
            what = "trials" if self.kind == "abx" else "items"
            given = len(self.answers) // self._rows
            return (
                f"{given} of {self._screens} {what} answered; the result comes after the last one."
            )
        if self.kind == "abx":
            return self.verdicts[sum(row["x"] == row["answer"] for row in self.answers)]
        return self.report or f"Your order, best first: {', '.join(self.order)}."

    @property
    def order(self) -> list[str]:
        """The ranking, best first."""
        return [row["track"] for row in self._finished("rank")]

    @property
    def ratings(self) -> dict[str, np.ndarray]:
        """The ratings of each condition, shape (n_items,), 0 to 100."""
        return _ratings(self._finished("mushra"), self._names)

    def _finished(self, kind: str) -> list[dict]:
        if self.kind != kind or not self.done:
            raise ValueError(
                f"this is {self.stored_text()!r}; it has {kind} results only at the end of a "
                f"{kind} test"
            )
        return self.answers

    def simulate(self, listener: SimulatedListener) -> "BlindTest":
        """Let a simulated listener take the whole test, by the same way as answers from the page.

        Parameters
        ----------
        listener : SimulatedListener
            Its abilities decide the answers.

        Returns
        -------
        BlindTest
            This test.
        """
        if self.answers:
            raise ValueError(
                "this test has answers already; make one for the simulated listener, without a name"
            )
        self.note += "\nThese answers are a simulated listener's."
        for screen in range(self._screens):
            item = self._items[screen] if self.kind == "mushra" else ""
            new = simulated(listener, self.kind, self._names, screen, item)
            self.answers = [*self.answers, *new]
        return self

    def stored_text(self) -> str:
        """Return one line that says what stands here; the same on every run."""
        return f"{self._what()}: {', '.join(self._names)}. {TAKE_IT}"

    def _what(self) -> str:
        if self.kind == "rank":
            return "blind test (ranking)"
        if self.kind == "abx":
            return f"blind test (ABX, {self._screens} trials)"
        return f"blind test (MUSHRA, {self._screens} items)"

    def stored_picture(self) -> bytes:
        """Return a picture with the title and the names as PNG."""
        row = (self._what(), f"{', '.join(self._names)}.", None)
        return card(self.title, [row], TAKE_IT)


def _ratings(rows: list[dict], names: list[str]) -> dict[str, np.ndarray]:
    return {
        name: np.array([row["rating"] for row in rows if row["condition"] == name])
        for name in names
    }


def _packed(name: str, y: np.ndarray) -> dict:
    """Return a sound as the page takes it."""
    channels = [np.ascontiguousarray(c, dtype="<f4").tobytes() for c in np.atleast_2d(y)]
    return {"name": name, "channels": channels}
