"""Music whose truth is known to the sample: scores as text, instruments to play them, and chroma.

`piece` reads a score that comes with the course, `random_song` writes one; `play` lets the shipped
instruments (or, with ``synthetic=True``, sums of sines) play it. `Score.beats`, `chords`,
`sections` and `notes` then say what is where, in seconds. `chroma` and `estimate_tuning` look at
sound; `clicks` and `chroma_sound` turn what a program believes back into sound.

`lead_sheet` finds beats, bars, chords, key, tune and form of a recording, and `save_sheet` makes a
page of them that plays. The stages can be had one by one: `beat_track`, `chord_path`, `key_of`,
`phrases`, `melody_line`, `hpss_masks`.
"""

from helpers.music.chroma import chroma, estimate_tuning, pitch_class
from helpers.music.composing import random_song, song_of_form
from helpers.music.decompose import hpss_masks
from helpers.music.harmony import CHORDS, chord_path, key_of, low_chroma
from helpers.music.learned import beat_activation, weights
from helpers.music.melody import melody_line, melody_notes
from helpers.music.rhythm import beat_chain, beat_track, onset_strength, tempo
from helpers.music.sampler import instruments, one_shot, play
from helpers.music.scores import Part, Score, piece, pieces
from helpers.music.sheet import LeadSheet, beat_chroma, lead_sheet
from helpers.music.sheet_page import save_sheet
from helpers.music.sonify import chroma_sound, clicks, shepard
from helpers.music.structure import beat_sync, first_downbeat, phrases

__all__ = [
    "CHORDS", "LeadSheet", "Part", "Score", "beat_activation", "beat_chain", "beat_chroma",
    "beat_sync", "beat_track", "chord_path", "chroma", "chroma_sound", "clicks", "estimate_tuning",
    "first_downbeat", "hpss_masks", "instruments", "key_of", "lead_sheet", "low_chroma",
    "melody_line", "melody_notes", "one_shot", "onset_strength", "phrases", "piece", "pieces",
    "pitch_class", "play", "random_song", "save_sheet", "shepard", "song_of_form", "tempo",
    "weights",
]  # fmt: skip
