"""Bars and sections: features for each beat, where a bar begins, which phrase comes back.

Sections are phrases of equally many bars: an assumption that holds for songs and not for all music.
"""

from __future__ import annotations

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
    columns = []
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        inside = (times >= start) & (times < end)
        if inside.any():
            columns.append(X[:, inside].mean(axis=1))
        else:
            columns.append(X[:, np.abs(times - (start + end) / 2).argmin()])
    return np.array(columns).T


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


def phrases(X: np.ndarray, *, first: int = 0, meter: int = 4, bars: int = 4, alike: float = 0.9):
    """Return which phrase of so many bars comes back.

    The bars are cut into phrases, at the place that makes phrases most alike. Two phrases are the
    same if the cosines of their beats are `alike` on average; each takes the letter of the earliest
    one that it is like. The first and the last may be cut short.

    Parameters
    ----------
    X : np.ndarray, shape (n_rows, n_beats)
        Features, a column a beat: a chroma, for example.
    first : int
        The beat at which the first whole bar begins.
    meter, bars : int
        Beats in a bar, bars in a phrase.
    alike : float
        Cosine from which on phrases are called the same.

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
    best = (-1.0, [])
    for start in range(first, first + size, meter):
        cuts = [0, *range(start, X.shape[1], size), X.shape[1]]
        spans = [(a, b) for a, b in zip(cuts[:-1], cuts[1:], strict=True) if b > a]
        likes = _likes(X, spans)
        whole = np.array([b - a == size for a, b in spans])
        pairs = likes[np.ix_(whole, whole)] * (1 - np.eye(whole.sum()))
        score = float(pairs.max(axis=1).mean()) if whole.sum() > 1 else 0.0
        if score > best[0]:
            letters = _letters(likes, alike)
            best = (score, [(*span, x) for span, x in zip(spans, letters, strict=True)])
    return best[1]


def _likes(X: np.ndarray, spans: list) -> np.ndarray:
    """Return the mean cosine of the beats of each two phrases; 0 where one is not half as long."""
    likes = np.zeros((len(spans), len(spans)))
    for i, (a, b) in enumerate(spans):
        for j, (c, d) in enumerate(spans):
            n = min(b - a, d - c)  # a phrase that is cut short, beside the beginning of the other
            if 2 * n >= max(b - a, d - c):
                likes[i, j] = np.mean(np.sum(X[:, a : a + n] * X[:, c : c + n], axis=0))
    return likes


def _letters(likes: np.ndarray, alike: float) -> list[str]:
    """Return A for the first phrase, and for each other the letter of the first that it is like."""
    letters = []
    new = 0
    for k in range(len(likes)):
        same = np.flatnonzero(likes[k, :k] >= alike)
        if len(same):
            letters.append(letters[same[0]])
        else:
            letters.append(chr(ord("A") + new % 26))
            new += 1
    return letters
