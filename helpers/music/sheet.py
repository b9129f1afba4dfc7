"""A lead sheet: key, tempo, bars with chords, tune and form of a recording, found stage by stage.

Each stage builds on the one before it, so what the beats get wrong the bars, chords and notes get
wrong too. Mono or stereo, from 2 s to 3 minutes; longer music is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from helpers import _checks, audio
from helpers.music import harmony, melody, structure
from helpers.music.chroma import estimate_tuning
from helpers.music.rhythm import beat_track
from helpers.music.scores import NAMES, Part, Score

SR = 22050  # [Hz] what every stage works at
MOST_SECONDS = 180.0
HOP_LENGTH = 2048  # [samples] of the chroma
FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
IN_FLATS = ("F", "A#", "D#", "G#", "C#")  # major keys that are written with flats


@dataclass(frozen=True, eq=False)
class LeadSheet:
    """What a musician needs to play along.

    Parameters
    ----------
    title : str
        What stands above it.
    key : str
        As "C:maj" or "A:min".
    cents : float
        How much too high the recording is tuned [cents].
    beats : np.ndarray, shape (n + 1,)
        Times of the beats [s], and the end of the last one.
    first : int
        The beat at which the first whole bar begins.
    chords : tuple of str
        One a beat, such as "C:maj", n of them.
    sections : tuple of (int, int, str)
        First beat, beat after the last, letter.
    notes : tuple of (float, float, int)
        The tune: start [s], end [s], MIDI number.
    line : tuple of np.ndarray
        Times [s] and MIDI numbers of the tune, frame by frame; NaN where there is none.
    meter : int
        Beats in a bar.
    """

    title: str
    key: str
    cents: float
    beats: np.ndarray
    first: int
    chords: tuple
    sections: tuple
    notes: tuple
    line: tuple = field(repr=False)
    meter: int = 4

    @property
    def bpm(self) -> float:
        """Number of beats a minute, by the median step."""
        return 60 / float(np.median(np.diff(self.beats)))

    @property
    def flats(self) -> bool:
        """Whether musicians write this key with flats."""
        root, _, kind = self.key.partition(":")
        relative = NAMES[(NAMES.index(root) + 3) % 12]
        return (root if kind == "maj" else relative) in IN_FLATS

    def bars(self) -> list[tuple[int, int]]:
        """Return (first beat, beat after the last) of each bar; the first may be short."""
        n = len(self.chords)
        starts = [0] if self.first else []
        starts += range(self.first, n, self.meter)
        return list(pairwise([*starts, n]))

    def score(self) -> Score:
        """Return the sheet as a score that `play` plays beside the recording, beat on beat."""
        lead = 1 if self.beats[0] > 0.01 else 0  # a beat of silence as long as the recording waits
        edges = np.concatenate([[0.0], self.beats]) if lead else self.beats
        tempo = tuple((k, 60 / step) for k, step in enumerate(np.diff(edges)))
        tune, struck, low = [], [], []
        for start, end, pitch in self.notes:
            a, b = np.interp([start, end], edges, np.arange(len(edges)))
            tune.append((float(a), float(b - a), pitch, 90))
        for a, b, label in self._held():
            root, _, kind = label.partition(":")
            k = NAMES.index(root)
            steps = (0, 4, 7) if kind == "maj" else (0, 3, 7)
            struck += [(a + lead, 0.95 * (b - a), 54 + (k + s - 54) % 12, 72) for s in steps]
            low.append((a + lead, 0.95 * (b - a), 36 + k, 90))
        parts = [Part("tune", "flute", tuple(tune)), Part("chords", "piano", tuple(struck), -8.0)]
        parts.append(Part("bass", "bass", tuple(low), -4.0))
        spans = tuple((a + lead, b + lead, label) for a, b, label in self._held())
        sections = tuple((a + lead, b + lead, label) for a, b, label in self.sections)
        return Score(self.title, tuple(parts), tempo, len(edges) - 1, spans, sections, self.meter)

    def _held(self) -> list[tuple[int, int, str]]:
        """Return (first beat, beat after the last, chord): struck anew in each bar."""
        runs = []
        for start, end in self.bars():
            for beat in range(start, end):
                if beat > start and self.chords[beat] == runs[-1][2]:
                    runs[-1] = (runs[-1][0], beat + 1, runs[-1][2])
                else:
                    runs.append((beat, beat + 1, self.chords[beat]))
        return runs

    def __str__(self) -> str:
        """Return the sheet as text: a line for each section."""
        rows = [self.headline()]
        bars = self.bars()
        for start, end, letter in self.sections:
            cells = [self.bar_text(bar) for bar in bars if start <= bar[0] < end]
            if cells:
                rows.append(f"{letter} | " + " | ".join(cells) + " |")
        return "\n".join(rows)

    def headline(self) -> str:
        """Return key, tempo, bars and tuning in words."""
        root, _, kind = self.key.partition(":")
        tonic = _spelled(NAMES.index(root), self.flats)
        mode = "major" if kind == "maj" else "minor"
        pace = f"{self.bpm:.0f} beats a minute"
        bars = f"{len(self.bars())} bars of {self.meter} beats"
        return f"{tonic} {mode}, {pace}, {bars}, tuned {self.cents:+.0f} cents"

    def bar_text(self, bar: tuple[int, int]) -> str:
        """Return the chords of a bar: each where it begins, a dot for a beat that stays."""
        labels = self.chords[bar[0] : bar[1]]
        names = [chord_name(label, flats=self.flats) for label in labels]
        if len(set(names)) == 1:
            return names[0]
        changed = [True, *(a != b for a, b in pairwise(names))]
        return " ".join(name if new else "." for name, new in zip(names, changed, strict=True))

    def _repr_html_(self) -> str:
        from helpers.music import sheet_page  # it imports this module

        return sheet_page.picture(self)


def chord_name(label: str, *, flats: bool = False) -> str:
    """Return a chord as musicians write it: C, Am, Bb.

    Examples
    --------
    >>> chord_name("A:min"), chord_name("A#:maj", flats=True)
    ('Am', 'Bb')
    """
    root, _, kind = label.partition(":")
    return _spelled(NAMES.index(root), flats) + ("m" if kind == "min" else "")


def note_name(pitch: int, *, flats: bool = False) -> str:
    """Return the name of a MIDI number.

    Examples
    --------
    >>> note_name(60), note_name(70, flats=True)
    ('C4', 'Bb4')
    """
    return f"{_spelled(pitch % 12, flats)}{pitch // 12 - 1}"


def _spelled(pitch_class: int, flats: bool) -> str:
    return (FLATS if flats else NAMES)[pitch_class]


def working_copy(y: np.ndarray, *, sr: int) -> np.ndarray:
    """Return a recording as the stages want it: mono, 22 050 Hz, of a length they can work on."""
    y = _checks.check(y)
    y = y.mean(axis=0) if y.ndim == 2 else y
    seconds = len(y) / _checks.check_rate(sr)
    if not 2 <= seconds <= MOST_SECONDS:
        raise ValueError(
            f"the recording lasts {seconds:.1f} s; a sheet needs 2 s to {MOST_SECONDS:.0f} s: cut "
            "out what matters, as y[: 60 * sr]"
        )
    if np.abs(y).max() < 1e-4:
        raise ValueError("the recording is silent; record it again, or raise its level")
    return y if sr == SR else audio.resample(y, sr=sr, to=SR)


def lead_sheet(
    y: np.ndarray,
    *,
    sr: int,
    title: str = "Lead sheet",
    beats: np.ndarray | None = None,
    meter: int = 4,
) -> LeadSheet:
    """Return the lead sheet of a recording.

    The stages: tuning; beats (network and chain); a chroma in which low notes weigh, a mean for
    each beat; chords by the likeliest path; key by the chords; bars where chords change; phrases
    of four bars; the strongest line above middle C, a note for each half of a beat.

    Parameters
    ----------
    y : np.ndarray, shape (n,) or (channels, n)
        The recording.
    sr : int
        Sampling rate [Hz].
    title : str
        What stands above the sheet.
    beats : np.ndarray, optional
        Times of the beats [s] where you know them: from a score, another tracker, or your own taps.
    meter : int
        Beats in a bar; the program does not find it.

    Returns
    -------
    LeadSheet
        `print` shows it as text, a notebook draws it, `save_sheet` makes a page of it.
    """
    y = working_copy(y, sr=sr)
    cents = estimate_tuning(y, sr=SR)
    beats = _to_both_ends(beat_track(y, sr=SR), y) if beats is None else np.asarray(beats, float)
    if beats.ndim != 1 or len(beats) < 2 or (np.diff(beats) <= 0).any() or beats[0] < 0:
        raise ValueError("beats must be two times or more that rise, in seconds from 0 on")
    edges = np.append(beats, beats[-1] + np.median(np.diff(beats)))
    X = beat_chroma(y, sr=SR, edges=edges, cents=cents)
    states = harmony.chord_path(X, leave=0.4, sharp=30)
    first = structure.first_downbeat(states, meter=meter)
    sections = structure.phrases(X, first=first, meter=meter)
    line = melody.melody_line(y, sr=SR, cents=cents)
    halves = np.sort(np.append(edges, (edges[1:] + edges[:-1]) / 2))
    notes = melody.melody_notes(*line, halves)
    names = tuple(harmony.CHORDS[k] for k in states)
    label = harmony.key_of(states)[0]
    found = (tuple(sections), tuple(notes), line, meter)
    return LeadSheet(title, label, cents, edges, first, names, *found)


def beat_chroma(y: np.ndarray, *, sr: int, edges, cents: float = 0.0) -> np.ndarray:
    """Return a chroma for each beat: the mean of its frames, each of length 1.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    edges : array_like, shape (n_beats + 1,)
        Times of the beats and of the end of the last one [s].
    cents : float
        How much too high the music is tuned [cents].

    Returns
    -------
    np.ndarray, shape (12, n_beats)
        Row 0 is C.
    """
    C = structure.unit_columns(harmony.low_chroma(y, sr=sr, hop_length=HOP_LENGTH, cents=cents))
    return structure.beat_sync(C, np.arange(C.shape[1]) * HOP_LENGTH / sr, edges)


def _to_both_ends(beats: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the beats with as many even steps before and after as there is sound for."""
    if len(beats) < 2:
        raise ValueError("fewer than two beats were found; pass more music, or beats of your own")
    sounding = np.flatnonzero(np.abs(y) > 0.01 * np.abs(y).max()) / SR
    step = np.median(np.diff(beats))
    before = np.arange(beats[0] - step, max(0.0, sounding[0] - step / 4), -step)[::-1]
    after = np.arange(beats[-1] + step, sounding[-1] - 0.9 * step, step)
    return np.concatenate([before, beats, after])
