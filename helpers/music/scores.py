"""Scores: parts made of notes in beats, with tempo, chords and sections; truth in seconds.

A score is text: data/music/scores/NAME.csv has one row for each tempo, part, note, chord and
section. A score that has no note, a tempo that is not positive, or a note of no length is refused.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace

import numpy as np

from helpers import _checks

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class Part:
    """What one instrument plays.

    Parameters
    ----------
    name : str
        What the part is called in its score.
    instrument : str
        One of the bank's instruments.
    notes : tuple
        Of each note (start [beats], length [beats], MIDI number, velocity 1 to 127); 60 is C4, 69
        is A4.
    gain_db : float
        How loud the part is beside the others [dB].
    """

    name: str
    instrument: str
    notes: tuple
    gain_db: float = 0.0


@dataclass(frozen=True)
class Score:
    """A piece of music in beats, which knows where everything is in seconds.

    Parameters
    ----------
    title : str
        What it is called.
    parts : tuple of Part
        What plays.
    tempo : tuple
        Pairs (beat, beats per minute from that beat on).
    length : int
        Number of beats.
    chord_beats, section_beats : tuple
        Of each chord or section (start [beats], end [beats], label); a chord's label is as
        "C:maj", "A:min", "B:dim", "G:7".
    meter : int
        Beats in a bar.
    """

    title: str
    parts: tuple
    tempo: tuple
    length: int
    chord_beats: tuple = ()
    section_beats: tuple = ()
    meter: int = field(default=4)

    def __post_init__(self):
        """Refuse what cannot be played."""
        if not any(part.notes for part in self.parts):
            raise ValueError(f"{self.title!r} has no note; give a part at least one")
        for _, bpm in self.tempo:
            _checks.check_positive(bpm, name="tempo", what="number of beats per minute")
        for part in self.parts:
            for start, length, pitch, velocity in part.notes:
                if not (start >= 0 and length > 0 and 0 <= pitch <= 127 and 0 < velocity <= 127):
                    note = (start, length, pitch, velocity)
                    raise ValueError(
                        f"{part.name} has the note {note}; it needs a start from 0 on, a length "
                        "above 0, a pitch from 0 to 127 and a velocity from 1 to 127"
                    )

    def seconds(self, beats):
        """Return the times of positions in beats.

        Parameters
        ----------
        beats : float or array_like
            Positions [beats]; 0 is the beginning.

        Returns
        -------
        float or np.ndarray
            Times [s].

        Examples
        --------
        >>> score = Score("two", (Part("a", "piano", ((0, 1, 60, 90),)),), ((0, 120), (2, 60)), 4)
        >>> score.seconds([0, 1, 2, 3]).tolist()
        [0.0, 0.5, 1.0, 2.0]
        """
        at = np.asarray(beats, dtype=float)
        edges = np.array([beat for beat, _ in self.tempo], dtype=float)
        pace = 60 / np.array([bpm for _, bpm in self.tempo], dtype=float)  # [s a beat]
        begins = np.concatenate([[0.0], np.cumsum(np.diff(edges) * pace[:-1])])
        k = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, None)
        times = begins[k] + (at - edges[k]) * pace[k]
        return times if times.ndim else float(times)

    def beats(self) -> np.ndarray:
        """Return the times of all beats [s]."""
        return self.seconds(np.arange(self.length))

    def notes(self, *, drums: bool = False) -> np.ndarray:
        """Return all notes by their onsets.

        Parameters
        ----------
        drums : bool
            Whether the notes of drums, whose numbers are no pitches, are among them.

        Returns
        -------
        np.ndarray, shape (n, 4)
            Onset [s], end [s], MIDI number, velocity of each note.
        """
        kept = [p for p in self.parts if drums or p.instrument != "drums"]
        table = np.array([note for part in kept for note in part.notes], dtype=float).reshape(-1, 4)
        ends = self.seconds(table[:, 0] + table[:, 1])
        table = np.column_stack([self.seconds(table[:, 0]), ends, table[:, 2:]])
        return table[np.lexsort(table.T[[2, 0]])]

    def chords(self) -> list[tuple]:
        """Return (start [s], end [s], label) of each chord."""
        return [(self.seconds(a), self.seconds(b), label) for a, b, label in self.chord_beats]

    def sections(self) -> list[tuple]:
        """Return (start [s], end [s], label) of each section."""
        return [(self.seconds(a), self.seconds(b), label) for a, b, label in self.section_beats]

    def transposed(self, semitones: int) -> Score:
        """Return the piece so many semitones higher: notes and chords, but no drums."""

        def up(part):
            if part.instrument == "drums":
                return part
            notes = tuple((a, n, pitch + semitones, v) for a, n, pitch, v in part.notes)
            return replace(part, notes=notes)

        def named(label):
            root, _, kind = label.partition(":")
            return f"{NAMES[(NAMES.index(root) + semitones) % 12]}:{kind}"

        chords = tuple((a, b, named(label)) for a, b, label in self.chord_beats)
        return replace(self, parts=tuple(map(up, self.parts)), chord_beats=chords)

    def played_on(self, *instruments: str) -> Score:
        """Return the piece with other instruments: one for each part that is no drum, or one for
        all.
        """
        rest = [part for part in self.parts if part.instrument != "drums"]
        given = list(instruments) * (len(rest) if len(instruments) == 1 else 1)
        if len(given) != len(rest):
            names = ", ".join(part.name for part in rest)
            raise ValueError(
                f"{len(given)} instruments for {len(rest)} parts ({names}); name one, or one each"
            )
        parts = [
            part if part.instrument == "drums" else replace(part, instrument=given.pop(0))
            for part in self.parts
        ]
        return replace(self, parts=tuple(parts))


def pieces() -> list[str]:
    """Return the names of the pieces that come with the course."""
    return sorted(path.stem for path in (_checks.DATA / "music/scores").glob("*.csv"))


def piece(name: str) -> Score:
    """Return a piece that comes with the course.

    Parameters
    ----------
    name : str
        One of `pieces()`; `data/README.md` describes each.

    Returns
    -------
    Score
        What `play` takes.

    Examples
    --------
    >>> chorale = piece("chorale")
    >>> chorale.length, chorale.chords()[0][2]
    (48, 'C:maj')
    """
    _checks.check_name(name, pieces(), what="piece")
    raw = _checks.read_verified(_checks.DATA / "music/scores" / f"{name}.csv")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"))))
    found = {"tempo": [], "chord": [], "section": []}
    parts = {}
    notes = {}
    for row in rows:
        start = float(row["start"])
        if row["kind"] == "part":
            parts[row["part"]] = Part(row["part"], row["value"], (), float(row["velocity"]))
        elif row["kind"] == "note":
            note = (start, float(row["beats"]), int(row["value"]), int(row["velocity"]))
            notes.setdefault(row["part"], []).append(note)
        elif row["kind"] == "tempo":
            found["tempo"].append((start, float(row["value"])))
        else:
            found[row["kind"]].append((start, start + float(row["beats"]), row["value"]))
    made = tuple(replace(part, notes=tuple(notes[key])) for key, part in parts.items())
    length = round(max(end for _, end, _ in found["chord"] + found["section"]))
    tempo, chords, sections = (tuple(found[kind]) for kind in ("tempo", "chord", "section"))
    return Score(name, made, tempo, length, chords, sections)
