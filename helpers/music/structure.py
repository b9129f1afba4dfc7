"""Bars and sections: features for each beat, where a bar begins, which phrase comes back.

Sections are phrases of equally many bars: an assumption that holds for songs and not for all music.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers import _checks


def unit_columns(X: np.ndarray) -> np.ndarray:
    """Return the columns of X with length 1; a column of zeros stays.

    Examples
    --------
    >>> unit_columns(np.array([[3.0, 0.0], [4.0, 0.0]])).tolist()
    [[0.6, 0.0], [0.8, 0.0]]
    """
    length = np.linalg.norm(X, axis=0)
    return X / np.where(length > 0, length, 1)


def beat_sync(X: np.ndarray, times: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the mean of the columns between each two edges.

    Parameters
    ----------
    X : np.ndarray, shape (n_rows, n_frames)
        Features, a column a frame.
    times : np.ndarray, shape (n_frames,)
        Of each column [s].
    edges : array_like, shape (n + 1,)
        Times in order [s], such as beats.

    Returns
    -------
    np.ndarray, shape (n_rows, n)
        Where no frame lies between two edges, the nearest frame to their middle.

    Examples
    --------
    >>> beat_sync(np.array([[1.0, 3.0, 8.0]]), np.array([0.0, 0.1, 0.2]), [0.0, 0.15, 0.3]).tolist()
    [[2.0, 8.0]]
    """
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise ValueError("edges must be two times or more that rise, in seconds")
    means = []
    for start, end in pairwise(edges):
        inside = (times >= start) & (times < end)
        if inside.any():
            means.append(X[:, inside].mean(axis=1))
        else:
            means.append(X[:, np.abs(times - (start + end) / 2).argmin()])
    return np.column_stack(means)


def first_downbeat(chords: np.ndarray, *, meter: int = 4) -> int:
    """Return which of the first beats begins a bar: the one after which most chords change.

    Parameters
    ----------
    chords : array_like, shape (n_beats,)
        A chord for each beat, as numbers or labels.
    meter : int
        Beats in a bar.

    Returns
    -------
    int
        0 to ``meter - 1``; of two that are alike the earlier.

    Examples
    --------
    >>> first_downbeat(["C:maj", "G:maj", "G:maj", "G:maj", "G:maj", "F:maj"])
    1
    """
    _checks.check_whole(meter, name="meter", low=1, high=16, remedy="beats in a bar, such as 4")
    chords = np.asarray(chords)
    changes = np.flatnonzero(chords[1:] != chords[:-1]) + 1
    return int(np.bincount(changes % meter, minlength=meter).argmax())


def letters(X: np.ndarray, seams, *, least: float = 0.95) -> list[str]:
    """Return a letter for each part between seams: the same where the features come back.

    Two parts are compared beat by beat from their beginnings. A part takes the letter of the one
    that it is most like, if the mean cosine is `least` or more.

    Parameters
    ----------
    X : np.ndarray, shape (n_rows, n_beats)
        Features, a column a beat, such as a chroma.
    seams : sequence of int
        Beats before which parts begin, and the number of beats.
    least : float
        Mean cosine from which on parts are called the same.

    Returns
    -------
    list of str
        One for each part.

    Examples
    --------
    >>> letters(np.eye(4)[:, [0, 1, 2, 3, 0, 1]], [0, 2, 4, 6])
    ['A', 'B', 'A']
    """
    X = unit_columns(X)
    parts = list(pairwise(seams))
    names = []
    for k, (a, b) in enumerate(parts):
        likeness = {}
        for name, (c, d) in zip(names, parts[:k], strict=True):
            n = min(b - a, d - c)
            if n > 0.6 * max(b - a, d - c):  # parts of unlike length are two parts
                cosine = np.sum(X[:, a : a + n] * X[:, c : c + n]) / n
                likeness[name] = max(likeness.get(name, 0), cosine)
        best = max(likeness, key=likeness.get, default="")
        new = chr(ord("A") + len(set(names)) % 26)
        names.append(best if best and likeness[best] >= least else new)
    return names


def phrases(
    X: np.ndarray, *, first: int = 0, meter: int = 4, bars: int = 4, least: float = 0.95
) -> list[tuple[int, int, str]]:
    """Return which phrase of so many bars comes back.

    The bars are cut so that as many whole phrases as can be come back; of cuts that tie, the one
    with more whole phrases, then the one whose phrases are most alike. The first and the last may
    be cut short. `letters` names them.

    Parameters
    ----------
    X : np.ndarray, shape (n_rows, n_beats)
        Features, a column a beat: a chroma, for example.
    first : int
        The beat at which the first whole bar begins.
    meter, bars : int
        Beats in a bar, bars in a phrase.
    least : float
        As for `letters`.

    Returns
    -------
    list of (int, int, str)
        First beat, beat after the last, letter, of each phrase; together they cover all beats.

    Examples
    --------
    >>> C = np.eye(12)[:, [0, 5, 7, 0] * 2 + [2, 2, 9, 9] + [0, 5, 7, 0]]
    >>> [letter for *_, letter in phrases(C, meter=2, bars=2)]
    ['A', 'A', 'B', 'A']
    """
    X = unit_columns(_checks.check_numbers(X, name="X"))
    size = meter * bars
    best = ((-1, 0, 0.0), [])
    for start in range(first, min(first + size, X.shape[1] + 1), meter):
        seams = sorted({0, *range(start, X.shape[1], size), X.shape[1]})
        whole = np.array([X[:, a:b].ravel() for a, b in pairwise(seams) if b - a == size])
        likes = whole @ whole.T / size - np.eye(len(whole)) if len(whole) else np.zeros((1, 1))
        nearest = likes.max(axis=1)
        score = (int(np.sum(nearest >= least)), len(whole), float(nearest.mean()))
        if score > best[0]:
            best = (score, seams)
    names = letters(X, best[1], least=least)
    return [(a, b, name) for (a, b), name in zip(pairwise(best[1]), names, strict=True)]
