"""Songs by seed: the music from one generator, its arrangement from another, so that a cover keeps
the music.
"""

from __future__ import annotations

import numpy as np

from helpers.music.scores import NAMES, Part, Score

KINDS = {0: "maj", 2: "min", 4: "min", 5: "maj", 7: "maj", 9: "min"}  # chords of a major key
THIRDS = {"maj": (0, 4, 7), "min": (0, 3, 7)}
NEXT = {  # which chord follows, and how often
    0: {5: 0.3, 7: 0.3, 9: 0.25, 2: 0.1, 4: 0.05},
    2: {7: 0.6, 5: 0.2, 0: 0.1, 9: 0.1},
    4: {9: 0.4, 5: 0.4, 2: 0.2},
    5: {7: 0.4, 0: 0.3, 2: 0.2, 9: 0.1},
    7: {0: 0.5, 9: 0.3, 5: 0.1, 4: 0.1},
    9: {5: 0.4, 2: 0.3, 7: 0.2, 4: 0.1},
}
RHYTHMS = (
    (1, 1, 1, 1), (2, 1, 1), (1.5, 0.5, 1, 1), (1, 0.5, 0.5, 2), (0.5, 0.5, 1, 1, 1), (3, 1),
    (1, 1, 2), (0.5, 0.5, 0.5, 0.5, 1, 1),
)  # fmt: skip
LEADS = ("flute", "oboe", "clarinet", "trumpet", "piano")
CHORDS = ("piano", "guitar", "strings", "organ", "choir")
KICK, SNARE, HAT, STICK, RIDE = 36, 38, 42, 37, 51
GROOVES = (  # (drum, beats of the bar, velocity)
    ((KICK, (0, 2, 2.5), 108), (SNARE, (1, 3), 100), (HAT, np.arange(0, 4, 0.5), 78)),
    ((KICK, (0, 1.5, 2), 100), (SNARE, (1, 3), 92), (RIDE, np.arange(4), 86)),
    ((KICK, (0, 1.5, 2, 3.5), 86), (STICK, (0, 1.5, 3), 84), (HAT, np.arange(0, 4, 0.5), 62)),
)


def random_song(
    seed: int,
    *,
    arrangement: int | None = None,
    bars: int = 8,
    key: int | None = None,
    bpm: float | None = None,
    drums: bool | None = None,
) -> Score:
    """Return a song in a major key: a melody over chords, a bass, and drums or none.

    Parameters
    ----------
    seed : int
        Which music: chords, melody and bass. By custom below 1000 for training and choosing, from
        1000 on for the numbers that are told.
    arrangement : int, optional
        Which key, tempo, instruments, accompaniment and drums; `seed` if not given. The same `seed`
        with another `arrangement` is a cover.
    bars : int
        Bars of four beats, a multiple of 4.
    key, bpm, drums : int, float, bool, optional
        Semitones above C, beats a minute, and whether drums play; by lot if not given.

    Returns
    -------
    Score
        What `play` takes.

    Examples
    --------
    >>> song = random_song(3, key=0)
    >>> song.length, song.chords() == random_song(3, key=0).chords()
    (32, True)
    """
    if bars < 4 or bars % 4:
        raise ValueError(f"bars={bars!r} must be 4, 8, 12, ...")
    music = np.random.default_rng([seed, 0])
    lot = np.random.default_rng([seed if arrangement is None else arrangement, 1])
    by_lot = {"key": int(lot.integers(-5, 7)), "bpm": round(float(lot.uniform(72, 160)), 1)}
    by_lot["drums"] = bool(lot.random() < 0.6)
    key = by_lot["key"] if key is None else key
    bpm = by_lot["bpm"] if bpm is None else bpm
    drums = by_lot["drums"] if drums is None else drums
    degrees = _progression(music, bars)
    melody, bass = _melody(music, degrees), _bass(music, degrees)
    lead, backing = str(lot.choice(LEADS)), str(lot.choice(CHORDS))
    figure, groove = int(lot.integers(4)), int(lot.integers(len(GROOVES)))
    parts = [Part("melody", lead, _moved(melody, key), 0.0)]
    parts += [Part("chords", backing, _moved(_accompany(degrees, figure), key), -8.0)]
    parts += [Part("bass", "bass", _moved(bass, key), -3.0)]
    if drums:
        parts += [Part("drums", "drums", _beat(bars, groove), -4.0)]
    chords = tuple(
        (4 * k, 4 * k + 4, f"{NAMES[(d + key) % 12]}:{KINDS[d]}") for k, d in enumerate(degrees)
    )
    return Score(f"song {seed}", tuple(parts), ((0, bpm),), 4 * bars, chords)


def song_of_form(seed: int, form: str = "AABA", **how) -> Score:
    """Return a song made of phrases of four bars, of which some come back.

    Parameters
    ----------
    seed : int
        Which music and which arrangement, as in `random_song`.
    form : str
        A letter for each phrase; the same letter is the same music.
    **how
        `key`, `bpm` or `drums` of `random_song`.

    Returns
    -------
    Score
        With sections, which are labelled by the letters.

    Examples
    --------
    >>> song = song_of_form(3, "ABA")
    >>> song.length, [label for *_, label in song.sections()]
    (48, ['A', 'B', 'A'])
    """
    if not form or not form.isalpha() or not form.isupper():
        raise ValueError(f"form={form!r} must be capital letters, one a phrase, such as AABA")
    known = {}
    for letter in form:
        music = seed + 1_000_000 * (ord(letter) - ord(form[0]))
        known[letter] = random_song(abs(music), arrangement=seed, bars=4, **how)
    parts = []
    chords = []
    for k, part in enumerate(known[form[0]].parts):
        notes = []
        for at, letter in enumerate(form):
            notes += [(start + 16 * at, *rest) for start, *rest in known[letter].parts[k].notes]
        parts.append(Part(part.name, part.instrument, tuple(notes), part.gain_db))
    for at, letter in enumerate(form):
        chords += [(a + 16 * at, b + 16 * at, name) for a, b, name in known[letter].chord_beats]
    sections = tuple((16 * at, 16 * at + 16, letter) for at, letter in enumerate(form))
    tempo = known[form[0]].tempo
    return Score(f"song {seed}", tuple(parts), tempo, 16 * len(form), tuple(chords), sections)


def _moved(notes: list, key: int) -> tuple:
    """Return notes so many semitones higher."""
    return tuple((start, length, pitch + key, velocity) for start, length, pitch, velocity in notes)


def _progression(rng: np.random.Generator, bars: int) -> list[int]:
    """Return the root of each bar, in semitones above the key."""
    degrees = [0]
    while len(degrees) < bars:
        follows = NEXT[degrees[-1]]
        degrees.append(int(rng.choice(list(follows), p=list(follows.values()))))
    return degrees


def _chord(degree: int) -> list[int]:
    """Return the three pitch classes of a chord."""
    return [(degree + step) % 12 for step in THIRDS[KINDS[degree]]]


def _melody(rng: np.random.Generator, degrees: list[int]) -> list[tuple]:
    """Return a tune in small steps: on a bar's first beat a note of the chord, else of the key."""
    notes = []
    pitch = 72 + int(rng.integers(-3, 4))
    cells = [RHYTHMS[k] for k in rng.integers(len(RHYTHMS), size=2)]
    for bar, degree in enumerate(degrees):
        at = 4.0 * bar
        for length in cells[bar % 2]:
            allowed = _chord(degree) if at % 2 == 0 else (0, 2, 4, 5, 7, 9, 11)
            near = np.array([p for p in range(62, 85) if p % 12 in allowed])
            odds = np.exp(-np.abs(near - pitch) / 2.2) * np.where(near == pitch, 0.4, 1.0)
            pitch = int(rng.choice(near, p=odds / odds.sum()))
            notes.append((at, 0.95 * length, pitch, int(rng.integers(80, 100))))
            at += length
    return notes


def _bass(rng: np.random.Generator, degrees: list[int]) -> list[tuple]:
    """Return two notes a bar: the root, then the root or the fifth."""
    notes = []
    for bar, degree in enumerate(degrees):
        root = 36 + degree + (12 if degree < 4 else 0)
        second = root if rng.random() < 0.5 else root + (7 if root < 45 else -5)
        notes += [(4.0 * bar, 1.9, root, 92), (4.0 * bar + 2, 1.9, second, 86)]
    return notes


def _accompany(degrees: list[int], figure: int) -> list[tuple]:
    """Return chords that are held, struck on each beat, broken, or struck off the beat."""
    notes = []
    for bar, degree in enumerate(degrees):
        tones = sorted(54 + (pitch_class - 54) % 12 for pitch_class in _chord(degree))
        if figure == 2:
            turns = [tones[i] for i in (0, 1, 2, 1, 0, 1, 2, 1)]
            notes += [(4 * bar + k / 2, 0.9, pitch, 74) for k, pitch in enumerate(turns)]
            continue
        starts, length = (((0,), 3.9), (range(4), 0.9), None, ((0.5, 1.5, 2.5, 3.5), 0.4))[figure]
        notes += [(4 * bar + start, length, pitch, 72) for start in starts for pitch in tones]
    return notes


def _beat(bars: int, groove: int) -> tuple:
    """Return the drums of all bars."""
    rows = GROOVES[groove]
    return tuple(
        (4.0 * bar + float(at), 0.2, drum, velocity)
        for bar in range(bars)
        for drum, places, velocity in rows
        for at in places
    )
