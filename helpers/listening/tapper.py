"""A sound to tap along with: the space bar or a touch, on the clock of what is heard."""

import anywidget
import numpy as np
import traitlets

from helpers import _checks
from helpers._frontend import Stored, bundle, styles
from helpers._frontend.card import card
from helpers.listening.tracks import (
    CEILING_DB,
    checked,
    decibels,
    playable_rate,
    refuse_loud,
    scaled,
)


def tapper(y, *, sr: int, beats=(), gain_db: float = 0.0, title: str = "Tapper") -> "Tapper":
    """Show a sound to tap along with.

    Each press of the space bar, touch or click is stamped on the clock of the sound, as it leaves
    the loudspeaker, however late the browser tells of it. Sixteen clicks calibrate: the median by
    which somebody taps beside them is taken off from then on, in all tappers of the page. The sound
    and the beats are drawn only when somebody has tapped.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound [full scale = 1], played as it is; a peak above -1 dBFS is refused, and so are 400 ms
        above -12 dBFS RMS.
    sr : int
        Sampling rate [Hz].
    beats : array_like, optional
        What should be tapped [s], shown and scored afterwards.
    gain_db : float
        Change of its level [dB].
    title : str
        One line above it.

    Returns
    -------
    Tapper
        A widget; `times` holds the taps.

    Examples
    --------
    >>> one = tapper(np.zeros(8000), sr=8000, beats=[0.25, 0.75])
    >>> one.stored_text()
    'tapper: 1.0 s to tap along with. Run this cell to tap.'
    >>> one.times
    array([], dtype=float64)
    """
    sr = playable_rate(sr)
    sounds = checked({"sound": y}, sr)
    if sounds["sound"].ndim != 1:
        raise ValueError(f"y has shape {sounds['sound'].shape}; pass one channel, such as y[0]")
    gain_db = decibels(gain_db, "gain_db")
    sounds = {"sound": scaled(sounds["sound"], gain_db)}
    refuse_loud(sounds, sr, CEILING_DB, True, gain_db)
    seconds = sounds["sound"].size / sr
    times = np.zeros(0)
    if len(beats):
        times = _checks.check_range(beats, name="beats", low=0, high=seconds, unit="s")
    pcm = np.ascontiguousarray(sounds["sound"], dtype="<f4").tobytes()
    return Tapper(pcm=pcm, sr=sr, beats=np.sort(times).tolist(), title=str(title))


class Tapper(Stored, anywidget.AnyWidget):
    """The widget behind `tapper`; stamping and calibration happen in the browser."""

    _esm = bundle(__file__, "deck", "tapper")
    _css = styles(__file__, "tapper")
    pcm = traitlets.Bytes().tag(sync=True)  # float32, little-endian
    sr = traitlets.Int().tag(sync=True)
    beats = traitlets.List().tag(sync=True)  # [s]
    title = traitlets.Unicode().tag(sync=True)
    taps = traitlets.List().tag(sync=True)  # [s], the calibration taken off
    lag_ms = traitlets.Float().tag(sync=True)  # how much was taken off

    @property
    def times(self) -> np.ndarray:
        """The taps of the last round [s], sorted; empty before the first."""
        return np.sort(np.array(self.taps, dtype=float))

    def stored_text(self) -> str:
        """Return one line, the same on every run."""
        seconds = len(self.pcm) / 4 / self.sr
        return f"tapper: {seconds:.1f} s to tap along with. Run this cell to tap."

    def stored_picture(self) -> bytes:
        """Return a small card as PNG."""
        detail = "space bar or touch, on the clock of the sound"
        return card(self.title, [("tap along", detail, None)], "Run this cell to tap.")
