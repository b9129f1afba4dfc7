"""When to tap: how much is new in each frame, how fast it goes, and the best chain of beats.

One tempo is assumed for a whole piece; the chain may bend it a little. Silence has no beats and is
refused.
"""

from __future__ import annotations

import numpy as np

from helpers import _checks, stft
from helpers.music.learned import beat_activation

N_FFT = 1024  # [samples] of a frame at 22 050 Hz
HOP_LENGTH = 256
SLOWEST, FASTEST = 40.0, 240.0  # [beats a minute] what `tempo` looks for


def onset_strength(y: np.ndarray, *, sr: int, gamma: float = 100.0) -> tuple[np.ndarray, float]:
    """Return how much is new in each frame: spectral flux, less its mean over a second.

    Magnitudes are compressed to ``log(1 + gamma S)``; what rises is added over the bins.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    gamma : float
        How strongly soft bins count.

    Returns
    -------
    nov : np.ndarray, shape (n_frames,)
        The novelty, its largest value 1; all 0 for silence. Frames are centred, the first on
        sample 0.
    rate : float
        Frames a second.

    See Also
    --------
    librosa.onset.onset_strength : On a mel spectrogram in dB, and without the local mean.
    """
    y = _checks.check(y)
    S = np.abs(stft.stft(y, n_fft=N_FFT, hop_length=HOP_LENGTH))
    L = np.log(1 + gamma * S)
    risen = np.maximum(0, np.diff(L, axis=1))
    flux = np.append(0, np.sum(risen, axis=0))
    rate = _checks.check_rate(sr) / HOP_LENGTH
    second = 2 * round(rate / 2) + 1
    around = np.convolve(flux, np.ones(second) / second, mode="same")[: len(flux)]
    nov = np.clip(flux - around, 0, None)
    return nov / max(nov.max(), 1e-12), rate


def tempo(nov: np.ndarray, *, rate: float, prior: float = 120.0) -> float:
    """Return the tempo whose lag is most like itself and whose speed people prefer.

    Parameters
    ----------
    nov : np.ndarray, shape (n_frames,)
        A novelty, as `onset_strength` gives it.
    rate : float
        Frames a second.
    prior : float
        Speed [beats a minute] that is likeliest; an octave away counts exp(-1.02) as much.

    Returns
    -------
    float
        Beats a minute, between 40 and 240.

    Examples
    --------
    >>> clicks = np.zeros(800)
    >>> clicks[::50] = 1.0
    >>> tempo(clicks, rate=100.0)
    120.0
    """
    nov = _checks.check_numbers(nov, name="nov")
    if not nov.any() or len(nov) < 60 * rate / FASTEST + 2:
        raise ValueError(f"nov has {len(nov)} frames and nothing new in them; pass more music")
    alike = np.correlate(nov, nov, "full")[len(nov) :]
    speeds = 60 * rate / np.arange(1, len(nov))
    likely = np.exp(-0.5 * (np.log2(speeds / prior) / 0.7) ** 2)
    inside = (speeds > SLOWEST) & (speeds < FASTEST)
    return float(speeds[np.argmax(alike * likely * inside)])


def beat_chain(nov: np.ndarray, *, period: float, weight: float = 3.0) -> np.ndarray:
    """Return the best chain of beats, by dynamic programming.

    A beat brings the novelty of its frame. A step that is longer or shorter than `period` costs
    ``weight`` times the square of its deviation in octaves.

    Parameters
    ----------
    nov : np.ndarray, shape (n_frames,)
        A novelty.
    period : float
        Frames from beat to beat.
    weight : float
        How even the steps shall be.

    Returns
    -------
    np.ndarray of int
        Frames of the beats, in order.

    References
    ----------
    D. P. W. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36 (2007).

    Examples
    --------
    >>> clicks = np.zeros(300)
    >>> clicks[10::50] = 1.0
    >>> beat_chain(clicks, period=50).tolist()
    [10, 60, 110, 160, 210, 260]
    """
    nov = _checks.check_numbers(nov, name="nov")
    cost = weight * np.log2(np.arange(1, len(nov) + 1) / period) ** 2
    score = nov.astype(float)
    link = np.full(len(nov), -1)
    for now in range(1, len(nov)):
        offers = score[:now] - cost[now - 1 :: -1]
        best = int(offers.argmax())
        if offers[best] > 0:
            link[now] = best
            score[now] += offers[best]
    beats = []
    at = int(score.argmax())
    while at >= 0:
        beats.append(at)
        at = int(link[at])
    return np.flip(beats)


def beat_track(y: np.ndarray, *, sr: int, by: str = "network", bpm: float | None = None):
    """Return the times of the beats.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    by : {"network", "rule"}
        What says where a beat may be: the small network of unit 52, or `onset_strength`. A chain
        follows in both cases.
    bpm : float, optional
        Beats a minute, where you know better than `tempo`: half or twice of what it says, for
        example.

    Returns
    -------
    np.ndarray, shape (n_beats,)
        Times [s].
    """
    _checks.check_name(by, ("network", "rule"), what="tracker")
    if by == "rule":
        nov, rate = onset_strength(y, sr=sr)
    else:
        rate = 50.0
        nov = np.clip(beat_activation(y, sr=sr)[0] - 0.05, 0, None)
    bpm = tempo(nov, rate=rate) if bpm is None else _checks.check_positive(bpm, name="bpm")
    return beat_chain(nov, period=60 * rate / bpm) / rate
