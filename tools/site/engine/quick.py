"""What would take a page too long: products of a mel bank, where no BLAS makes a dense one quick.

Each bin lies in two filters at most, and these are neighbours: on the falling side of one and on
the rising side of the next. So a product with a bank of n bins takes 2 n products for each frame.
"""

import numpy as np


def sides(weights: np.ndarray) -> tuple | None:
    """Return, by bin, its first filter and the weights there and in the next one, or None."""
    n_bins = weights.shape[1]
    bins = np.arange(n_bins)
    found = np.where(weights.any(axis=0), (weights != 0).argmax(axis=0), 0)
    first = np.maximum.accumulate(found)
    below = np.vstack([weights, np.zeros(n_bins)])
    ours, theirs = below[first, bins], below[first + 1, bins]
    again = np.zeros_like(below)
    again[first, bins] = ours
    again[first + 1, bins] = theirs
    return (first, ours[:, None], theirs[:, None]) if np.array_equal(again, below) else None


def products(weights: np.ndarray):
    """Return two functions: ``weights @ X`` and ``weights.T @ Y``."""
    found = sides(weights)
    if found is None:
        return weights.__matmul__, weights.T.__matmul__
    first, ours, theirs = found
    rows, starts = np.unique(first, return_index=True)
    n_mels = len(weights)

    def times(X):
        out = np.zeros((n_mels + 1, X.shape[1]))
        out[rows] = np.add.reduceat(ours * X, starts, axis=0)
        out[rows + 1] += np.add.reduceat(theirs * X, starts, axis=0)
        return out[:-1]

    def back(Y):
        more = np.vstack([Y, np.zeros((1, Y.shape[1]))])
        return ours * more[first] + theirs * more[first + 1]

    return times, back


def nnls(weights: np.ndarray, M: np.ndarray, S: np.ndarray, n_iter: int) -> np.ndarray:
    """Do what `helpers.mel` does, the same steps."""
    times, back = products(weights)
    step = 1 / np.linalg.norm(weights, 2) ** 2
    ahead = S
    t = 1.0
    for _ in range(n_iter):
        last = S
        S = np.maximum(ahead - step * back(times(ahead) - M), 0)
        next_t = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = S + (t - 1) / next_t * (S - last)
        t = next_t
    return S


def use() -> None:
    """Have the course's mel inversion take the quick products."""
    from helpers import mel

    mel._nnls = nnls
