"""Stimuli of blind tests: checked, matched in level, with anchors, and a fingerprint that tells
tests apart.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from scipy import signal

from helpers.listening.tracks import CEILING_DB, checked, matching, refuse_loud, scaled
from helpers.psychophysics import ANCHORS, MAX_RANKED, MIN_ITEMS, REFERENCE, too_few_items

# how many tracks or conditions: fewest and most
SIZES = {"abx": (2, 2), "rank": (2, MAX_RANKED), "mushra": (2, MAX_RANKED - len(ANCHORS))}
# [Hz]; BS.1534 wants 25 dB at 4 kHz and 50 dB at 4.5 kHz, this gives 60 dB from 4 kHz on
TRANSITION = 500.0


def prepared(
    raw: dict, kind: str, *, sr: int, match: str | None, gain_db: float
) -> tuple[dict, list[str]]:
    """Return the sounds that are played, as item -> name -> y, and in words what was done to
    them.
    """
    items = {}
    moves = {}
    for item, sounds in raw.items():
        n_samples = next(iter(sounds.values())).shape[-1]
        short = n_samples < 0.4 * sr  # no block of 400 ms, so no loudness
        by = "rms" if match == "loudness" and short else match
        moves[item] = matching(sounds, sr, by)
        items[item] = {name: scaled(y, moves[item][name] + gain_db) for name, y in sounds.items()}
        if kind == "mushra":
            # after matching, so that the anchors keep the level of the reference's pass band
            reference = items[item][REFERENCE]
            for name, hz in ANCHORS.items():
                items[item][name] = anchor(reference, sr=sr, cutoff=hz)
        refuse_loud(items[item], sr, CEILING_DB, True, gain_db)
    notes = [_moved(list(moves.values()), by)]
    if gain_db:
        notes.append(f"Everything moved by {gain_db:+.1f} dB.")
    if kind == "mushra":
        notes.append(too_few_items(items[item], len(items)))
    return items, [line for line in notes if line]


def _moved(moves: list[dict], by: str | None) -> str:
    """Say by how many dB each condition was moved; a range where the items differ."""
    if by is None:
        return "Levels are compared as they are: a louder sound may be known by its level alone."
    parts = []
    for name in moves[0]:
        low, high = (f"{round(f(move[name] for move in moves), 1) + 0:.1f}" for f in (min, max))
        parts.append(f"{name} {low} dB" if low == high else f"{name} {low} to {high} dB")
    how = {"rms": "RMS level", "loudness": "loudness (LUFS)"}[by]
    return (
        f"Lowered to the {how} of the quietest{' of each item' if len(moves) > 1 else ''}: "
        f"{', '.join(parts)}."
    )


def anchor(y: np.ndarray, *, sr: int, cutoff: float) -> np.ndarray:
    """Low-pass `y` (..., n) as an anchor of ITU-R BS.1534-3, 5.1: linear phase, no delay, flat
    within 0.02 dB up to `cutoff` [Hz], 60 dB down from `cutoff` + 500 Hz on.
    """
    if cutoff + TRANSITION >= sr / 2:
        raise ValueError(
            f"a {cutoff:g} Hz anchor needs sr above {2 * (cutoff + TRANSITION):g} Hz, got {sr}; "
            "resample"
        )
    n_taps, beta = signal.kaiserord(65, TRANSITION / (sr / 2))
    odd = n_taps | 1  # so that the delay is a whole number of samples
    taps = signal.firwin(odd, cutoff + TRANSITION / 2, window=("kaiser", beta), fs=sr)
    filtered = signal.oaconvolve(np.atleast_2d(y), taps[None], mode="same", axes=-1)
    return filtered.reshape(np.shape(y))


def checked_items(tracks: Mapping, kind: str, sr: int) -> dict[str, dict[str, np.ndarray]]:
    """Return item -> name -> sound, checked; ABX and ranking have one item without a name."""
    if kind != "mushra":
        return {"": _fitting("", tracks, kind, sr)}
    if not isinstance(tracks, Mapping) or not all(
        isinstance(sounds, Mapping) for sounds in tracks.values()
    ):
        raise ValueError(
            'MUSHRA takes a dict of items, each a dict of conditions: {"clip": {"reference": y, '
            '"mp3": z}}'
        )
    if len(tracks) < MIN_ITEMS:
        raise ValueError(
            f"{len(tracks)} items are too few: with 5 no paired test can reach p < .05; take "
            f"{MIN_ITEMS}"
        )
    items = {
        str(item): _fitting(f"item {item!r}: ", sounds, kind, sr) for item, sounds in tracks.items()
    }
    names = list(next(iter(items.values())))
    for item, sounds in items.items():
        if set(sounds) != set(names) or REFERENCE not in sounds or set(sounds) & set(ANCHORS):
            raise ValueError(
                f"item {item!r} has the conditions {list(sounds)}; every item needs the same ones, "
                "one of them "
                f"{REFERENCE!r}, none of them called {' or '.join(ANCHORS)} (those are made here)"
            )
    ordered = [REFERENCE, *(name for name in names if name != REFERENCE)]
    return {item: {name: sounds[name] for name in ordered} for item, sounds in items.items()}


def _fitting(where: str, tracks: Mapping, kind: str, sr: int) -> dict[str, np.ndarray]:
    """Return checked sounds that can be switched at one position."""
    sounds = checked(tracks, sr)
    low, high = SIZES[kind]
    if not low <= len(sounds) <= high:
        want = f"{low}" if low == high else f"{low} to {high}"
        raise ValueError(
            f"{where}{kind} compares {want} tracks, got {len(sounds)}: {', '.join(sounds)}"
        )
    shapes = {name: y.shape for name, y in sounds.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(
            f"{where}the tracks differ in shape: {shapes}; cut them to one length, resample to one "
            "rate"
        )
    silent = [name for name, y in sounds.items() if not np.any(y)]
    if silent:
        raise ValueError(
            f"{where}track {silent[0]!r} is silent; anybody would know it: leave it out"
        )
    return sounds


def fingerprint(items: dict, *settings: object) -> str:
    """Return twelve digits that change with any sound or setting."""
    digest = hashlib.sha256(repr(settings).encode())
    for item, sounds in items.items():
        for name, y in sounds.items():
            digest.update(f"{item}/{name}/{y.shape}".encode() + y.astype("<f4").tobytes())
    return digest.hexdigest()[:12]
