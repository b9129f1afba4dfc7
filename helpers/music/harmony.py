"""Which chord and which key: a chroma in which low notes weigh, 24 templates, the likeliest path.

Chords are whole numbers: 0 to 11 major with roots C to B, 12 to 23 minor; `CHORDS` names them.
Sevenths, inversions and "no chord" are not among them.
"""

from __future__ import annotations

import numpy as np

from helpers import _checks, stft
from helpers.music.chroma import pitch_class
from helpers.music.scores import NAMES
from helpers.music.structure import unit_columns

CHORDS = tuple(f"{root}:{kind}" for kind in ("maj", "min") for root in NAMES)
# how well each class fits into a key with tonic C, after Temperley (1999)
MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)


def low_chroma(
    y: np.ndarray, *, sr: int, n_fft: int = 8192, hop_length: int = 2048, cents: float = 0.0
) -> np.ndarray:
    """Return a chroma in which low notes weigh: magnitudes from 30 Hz on, divided by frequency.

    Parameters
    ----------
    y : np.ndarray, shape (n,)
        Sound, mono.
    sr : int
        Sampling rate [Hz].
    n_fft, hop_length : int
        Frame and hop [samples].
    cents : float
        How much too high the music is tuned [cents], as `estimate_tuning` says.

    Returns
    -------
    np.ndarray, shape (12, n_frames)
        Row 0 is C. Frames are centred, the first on sample 0.

    See Also
    --------
    chroma : Power as it is, so the loudest partials rule.
    """
    y = _checks.check(y)
    S = np.abs(stft.stft(y, n_fft=n_fft, hop_length=hop_length))
    first = max(1, round(30 * n_fft / _checks.check_rate(sr)))
    freqs = np.arange(first, n_fft // 2 + 1) * sr / n_fft
    sums = np.zeros((12, S.shape[1]))
    np.add.at(sums, pitch_class(freqs, cents=cents), S[first:] / freqs[:, None])
    return sums


def templates() -> np.ndarray:
    """Return the 24 chords as vectors: three equal classes, length 1.

    Returns
    -------
    np.ndarray, shape (24, 12)
        In the order of `CHORDS`.

    Examples
    --------
    >>> [NAMES[k] for k in templates()[CHORDS.index("A:min")].nonzero()[0]]
    ['C', 'E', 'A']
    """
    rows = np.zeros((24, 12))
    for chord in range(24):
        steps = (0, 4, 7) if chord < 12 else (0, 3, 7)
        rows[chord, [(chord + step) % 12 for step in steps]] = 1 / np.sqrt(3)
    return rows


def viterbi(log_E: np.ndarray, log_A: np.ndarray) -> np.ndarray:
    """Return the likeliest row of states, if every state may come first.

    Parameters
    ----------
    log_E : np.ndarray, shape (n, n_frames)
        Logarithm of how well the sound of each frame fits each state.
    log_A : np.ndarray, shape (n, n)
        Logarithm of the step from state i (row) to state j (column).

    Returns
    -------
    np.ndarray of int, shape (n_frames,)
        One state a frame. Of two equal paths the one with lower numbers.

    References
    ----------
    A. J. Viterbi, "Error bounds for convolutional codes and an asymptotically optimum decoding
    algorithm", IEEE Transactions on Information Theory 13 (1967).

    Examples
    --------
    >>> log_E = np.log([[0.9, 0.4, 0.9], [0.1, 0.6, 0.1]])
    >>> viterbi(log_E, np.log([[0.9, 0.1], [0.1, 0.9]])).tolist()
    [0, 0, 0]
    """
    score = log_E[:, 0]
    pointers = []
    for emission in log_E.T[1:]:
        step = score[:, None] + log_A
        pointers.append(step.argmax(axis=0))
        score = step.max(axis=0) + emission
    states = [int(score.argmax())]
    for pointer in reversed(pointers):
        states.append(int(pointer[states[-1]]))
    return np.array(states[::-1])


def chord_path(C: np.ndarray, *, leave: float = 0.05, sharp: float = 10.0) -> np.ndarray:
    """Return the likeliest row of chords of a chroma.

    Parameters
    ----------
    C : np.ndarray, shape (12, n)
        A chroma, a column a frame or a beat.
    leave : float
        Probability that a chord is left from one column to the next, between 0 and 1: 0.05 for
        frames of 93 ms, more for beats.
    sharp : float
        How much a cosine counts: a chord's emission is exp(sharp times cosine).

    Returns
    -------
    np.ndarray of int, shape (n,)
        Chords by their number in `CHORDS`.

    Examples
    --------
    >>> C = templates()[[0, 0, 9, 9]].T
    >>> [CHORDS[k] for k in chord_path(C, leave=0.2)]
    ['C:maj', 'C:maj', 'A:maj', 'A:maj']
    """
    C = _checks.check_numbers(C, name="C")
    if C.ndim != 2 or len(C) != 12:
        raise ValueError(f"C has shape {C.shape}; pass a chroma, (12, n)")
    if not 0 < leave < 1:
        raise ValueError(f"leave={leave!r} must be a probability between 0 and 1")
    cosines = templates() @ unit_columns(C)
    E = np.exp(sharp * cosines)
    A = np.full((24, 24), leave / 23)
    A[np.diag_indices(24)] = 1 - leave
    return viterbi(np.log(E / E.sum(axis=0)), np.log(A))


def key_of(chords: np.ndarray) -> tuple[str, np.ndarray]:
    """Return the key whose profile is most like the classes of the chords of a piece.

    How often each class is in a chord is correlated with a profile, turned to each tonic.

    Parameters
    ----------
    chords : np.ndarray of int, shape (n,)
        Chords by their number in `CHORDS`, one a frame, a beat or a bar.

    Returns
    -------
    label : str
        As "C:maj" or "A:min".
    correlations : np.ndarray, shape (24,)
        Of each key, in the order of `CHORDS`.

    References
    ----------
    D. Temperley, "What's key for key? The Krumhansl-Schmuckler key-finding algorithm reconsidered",
    Music Perception 17 (1999): the profiles.

    Examples
    --------
    >>> key_of([CHORDS.index(label) for label in ("C:maj", "F:maj", "G:maj", "C:maj")])[0]
    'C:maj'
    """
    chords = np.asarray(chords)
    if chords.ndim != 1 or not len(chords) or not np.isin(chords, np.arange(24)).all():
        raise ValueError("chords must be a row of whole numbers from 0 to 23, as CHORDS has them")
    sums = templates()[chords].sum(axis=0)
    profiles = [np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)]
    r = np.array([np.corrcoef(sums, profile)[0, 1] for profile in profiles])
    return CHORDS[int(r.argmax())], r
