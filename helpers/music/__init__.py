"""Music whose truth is known to the sample: scores as text, instruments to play them, and chroma.

`piece` reads a score that comes with the course, `random_song` writes one; `play` lets the shipped
instruments (or, with ``synthetic=True``, sums of sines) play it. `Score.beats`, `chords`,
`sections` and `notes` then say what is where, in seconds. `chroma` and `estimate_tuning` look at
sound; `clicks` and `chroma_sound` turn what a program believes back into sound.
"""

from helpers.music.chroma import chroma, estimate_tuning, pitch_class
from helpers.music.composing import random_song
from helpers.music.learned import weights
from helpers.music.sampler import instruments, one_shot, play
from helpers.music.scores import Part, Score, piece, pieces
from helpers.music.sonify import chroma_sound, clicks, shepard

__all__ = [
    "Part", "Score", "chroma", "chroma_sound", "clicks", "estimate_tuning", "instruments",
    "one_shot", "piece", "pieces", "pitch_class", "play", "random_song", "shepard", "weights",
]  # fmt: skip
