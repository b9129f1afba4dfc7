"""A player that compares sounds at their exact levels."""

from collections.abc import Mapping

import anywidget
import numpy as np
import traitlets

from helpers import metrics
from helpers._frontend import Stored, bundle, minus, styles
from helpers._frontend.card import card
from helpers.listening.tracks import (
    CEILING_DB,
    checked,
    decibels,
    level_notes,
    matching,
    playable_rate,
    refuse_loud,
    scaled,
)

__all__ = ["Player", "player"]


def player(
    tracks: Mapping[str, np.ndarray],
    *,
    sr: int,
    ceiling_db: float | None = None,
    gain_db: float = 0.0,
    match: str | None = None,
    loop: bool = False,
    title: str = "",
    alt: str = "",
) -> "Player":
    """Show tracks that run in step, of which you hear one; switch between them at any moment.

    A track is played as it is: full scale 1, float32, mono to both ears, stereo as stereo. The
    first and last 25 ms of what is heard are faded, and a switch is a cross-fade of 25 ms with
    equal gain, so that equal tracks keep their level. Nothing sounds before you press a button or a
    key inside the player.

    Parameters
    ----------
    tracks : dict of str to np.ndarray, each of shape (n,) or (2, n)
        One to nine signals [full scale = 1]. They may differ in length: a shorter one falls silent
        at its end.
    sr : int
        Sampling rate of all of them [Hz], 3000 to 384000.
    ceiling_db : float, optional
        Highest peak allowed [dBFS], at most 0; a limiter in the browser holds it as well. By
        default -1, and the loudest 400 ms of a track may not exceed -12 dBFS RMS; with a ceiling of
        your own that second rule is off.
    gain_db : float, default 0.0
        Change of level of all tracks [dB]; the player states it.
    match : {None, "rms", "loudness"}
        Lower the tracks to the level of the quietest, by RMS or by integrated loudness (ITU-R
        BS.1770). The player states by how many dB each was moved.
    loop : bool, default False
        Start with the loop switched on.
    title : str, optional
        One line above the player.
    alt : str, optional
        What the picture shows, for a person who does not see it.

    Returns
    -------
    Player
        A widget, ready to be the last line of a cell.

    See Also
    --------
    IPython.display.Audio : Makes every sound equally loud unless told otherwise.

    Examples
    --------
    >>> y = np.full(8000, 0.1, dtype=np.float32)
    >>> player({"A": y, "B": y / 2}, sr=8000, match="rms").notes[1]
    'Matched by RMS level to the quietest track: A moved by −6.0 dB, B by 0.0 dB.'
    >>> player({"A": y * 10}, sr=8000)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: track 'A' peaks at 0.0 dBFS, over the ceiling of -1.0 dBFS; pass gain_db=-12.0...
    """
    sr = playable_rate(sr)
    guarded = ceiling_db is None
    ceiling_db = CEILING_DB if guarded else decibels(ceiling_db, "ceiling_db")
    if ceiling_db > 0:
        raise ValueError(f"ceiling_db={ceiling_db} is above full scale; the highest ceiling is 0.0")
    gain_db = decibels(gain_db, "gain_db")
    sounds = checked(tracks, sr)
    moves = matching(sounds, sr, match)
    moved = {name: scaled(y, moves[name] + gain_db) for name, y in sounds.items()}
    advice = ", or set ceiling_db if it must be this loud"
    refuse_loud(moved, sr, ceiling_db, guarded, gain_db, advice=advice)
    exact = "Exact levels" if match or gain_db else "Exact levels, nothing normalised"
    notes = [minus(f"{exact}; ceiling {ceiling_db:.1f} dBFS.")]
    notes += level_notes(moved, sr, moves, match, gain_db)
    return Player(
        moved,
        sr=sr,
        ceiling_db=ceiling_db,
        notes=notes,
        loop=bool(loop),
        title=str(title),
        alt=str(alt),
    )


class Player(Stored, anywidget.AnyWidget):
    """The widget behind `player`, which does the checking. All is in its traits, so it works
    without a kernel.
    """

    _esm = bundle(__file__, "deck", "player")
    _css = styles(__file__, "player")
    # float32, little-endian: track after track, channel after channel
    pcm = traitlets.Bytes().tag(sync=True)
    index = traitlets.List().tag(sync=True)  # per track: name, channels, samples, rms_db, peak_db
    sr = traitlets.Int().tag(sync=True)
    ceiling_db = traitlets.Float().tag(sync=True)
    notes = traitlets.List().tag(sync=True)
    loop = traitlets.Bool().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    def __init__(self, sounds: dict[str, np.ndarray], **traits: object) -> None:
        layout = [_measured(name, y) for name, y in sounds.items()]
        pcm = b"".join(np.ascontiguousarray(y, dtype="<f4").tobytes() for y in sounds.values())
        super().__init__(pcm=pcm, index=layout, **traits)

    @property
    def tracks(self) -> dict[str, np.ndarray]:
        """The samples that are played, by name: float32 of shape (n,) or (channels, n)."""
        found = {}
        start = 0
        for track in self.index:
            channels = track["channels"]
            count = channels * track["samples"]
            y = np.frombuffer(self.pcm, dtype="<f4", count=count, offset=start)
            found[track["name"]] = y if channels == 1 else y.reshape(channels, -1)
            start += y.nbytes
        return found

    def stored_text(self) -> str:
        """Return the names and levels; the same on every run."""
        levels = ", ".join(f"{track['name']} ({_level(track['rms_db'])})" for track in self.index)
        return f"player: {levels}. Run this cell to listen."

    def stored_picture(self) -> bytes:
        """Return a picture of the waveforms as PNG."""
        sounds = self.tracks
        rows = []
        for track in self.index:
            levels = f"{_level(track['rms_db'])} RMS, peak {_level(track['peak_db'])}"
            rows.append((track["name"], levels, sounds[track["name"]]))
        return card(self.title or "Player", rows, "Run this cell to listen.", seconds=1 / self.sr)


def _measured(name: str, y: np.ndarray) -> dict:
    silent = not np.any(y)
    return {
        "name": name,
        "channels": 1 if y.ndim == 1 else len(y),
        "samples": y.shape[-1],
        "rms_db": None if silent else float(metrics.level_db(np.ravel(y))),  # JSON has no infinity
        "peak_db": None if silent else float(metrics.peak_db(np.ravel(y))),
    }


def _level(db: float | None) -> str:
    return "silence" if db is None else minus(f"{round(db, 1) + 0:.1f} dBFS")
