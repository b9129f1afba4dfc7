"""Statistics of blind tests, and simulated listeners that can take one; MUSHRA has a room of its own.

Every verdict is about one listener and one set of sounds: "this listener", never "people".
"""

from itertools import permutations
from math import comb, sqrt

import numpy as np
from scipy import stats

from helpers.listeners import SimulatedListener
from helpers.mushra import holm, mean_interval, mushra_pairs, mushra_post_screen, wilcoxon_p

__all__ = [
    "SimulatedListener",
    "abx_criterion",
    "abx_p_value",
    "abx_power",
    "abx_rate",
    "abx_verdict",
    "holm",
    "mean_interval",
    "mushra_pairs",
    "mushra_post_screen",
    "rank_correlation",
    "wilcoxon_p",
]

MAX_RANKED = 9  # 9! = 362,880 orders can still be listed one by one


def abx_p_value(n_correct: int, n_trials: int) -> float:
    """Return the chance of at least `n_correct` right answers by guessing (exact binomial, one-sided).

    Parameters
    ----------
    n_correct, n_trials : int
        Right answers, and answers in all.

    Returns
    -------
    float
        Chance, 0 to 1.

    Raises
    ------
    ValueError
        Unless 0 <= `n_correct` <= `n_trials`.

    Examples
    --------
    >>> abx_p_value(4, 4)
    0.0625
    """
    if not 0 <= n_correct <= n_trials or n_trials < 1:
        raise ValueError(f"n_correct must lie between 0 and n_trials, got {n_correct} of {n_trials}")
    return sum(comb(n_trials, k) for k in range(n_correct, n_trials + 1)) / 2**n_trials


def abx_criterion(n_trials: int, *, alpha: float = 0.05) -> tuple[int, float]:
    """Return how many right answers a test of fixed length asks for.

    Parameters
    ----------
    n_trials : int
        Answers in all.
    alpha : float, default 0.05
        Largest chance to pass by guessing.

    Returns
    -------
    needed : int
        Least number right with p <= `alpha`.
    size : float
        The chance to pass by guessing that this really leaves.

    Raises
    ------
    ValueError
        If even a perfect score would not do.

    Examples
    --------
    >>> abx_criterion(5)
    (5, 0.03125)
    """
    for needed in range(n_trials + 1):
        if (size := abx_p_value(needed, n_trials)) <= alpha:
            return needed, size
    raise ValueError(f"{n_trials} trials cannot reach p <= {alpha:g}: all right has p = {size:g}; take more trials")


def abx_power(n_trials: int, p_true: float, *, alpha: float = 0.05) -> float:
    """Return the chance that a listener who can hear something passes; 1 minus it is the chance of a miss.

    Parameters
    ----------
    n_trials : int
        Answers in all.
    p_true : float
        The listener's own rate of right answers: .5 guesses, 1 never errs.
    alpha : float, default 0.05
        Largest chance to pass by guessing.

    Returns
    -------
    float
        Chance to reach `abx_criterion`.

    Raises
    ------
    ValueError
        Unless .5 <= `p_true` <= 1.

    Examples
    --------
    >>> round(abx_power(16, 0.75), 2), round(abx_power(16, 0.9), 2)
    (0.63, 0.98)
    """
    if not 0.5 <= p_true <= 1:
        raise ValueError(f"p_true is a rate of right answers from .5 (guessing) to 1, got {p_true}")
    return float(stats.binom.sf(abx_criterion(n_trials, alpha=alpha)[0] - 1, n_trials, p_true))


def abx_rate(d_prime: float) -> float:
    r"""Return the rate of right ABX answers that a sensitivity gives.

    .. math:: \Phi(d'/\sqrt2)\,\Phi(d'/\sqrt6) + \Phi(-d'/\sqrt2)\,\Phi(-d'/\sqrt6)

    for a listener who answers "X is A" when the impression of X lies nearer to that of A [1]_.

    Parameters
    ----------
    d_prime : float
        Distance between A and B in standard deviations of the listener's noise.

    Returns
    -------
    float
        Rate, .5 to 1.

    References
    ----------
    .. [1] N. A. Macmillan and C. D. Creelman, "Detection Theory: A User's Guide", 2nd ed., 2005, chapter 9.

    Examples
    --------
    >>> abx_rate(0.0)
    0.5
    """
    same, near = stats.norm.cdf(d_prime / sqrt(2)), stats.norm.cdf(d_prime / sqrt(6))
    return float(same * near + (1 - same) * (1 - near))


def abx_verdict(n_correct: int, n_trials: int) -> str:
    """Return the result of a finished ABX test in words, for alpha = .05.

    Parameters
    ----------
    n_correct, n_trials : int
        Right answers, and answers in all.

    Returns
    -------
    str
        Four lines: score and p, criterion, verdict, and the chance that such a test misses a real difference.
    """
    p, (needed, size) = abx_p_value(n_correct, n_trials), abx_criterion(n_trials)
    miss = [1 - abx_power(n_trials, rate) for rate in (0.75, 0.9)]
    verdict = "This listener told A from B in this test: guessing alone seldom does this well."
    if n_correct < needed:
        verdict = "This test did not show that this listener can tell A from B. That is no proof that nobody can."
    return (
        f"{n_correct} of {n_trials} right. Guessing gets that many or more with p = {p:.3f} "
        "(exact binomial, one-sided).\n"
        f"{needed} were needed: a listener who only guesses reaches that with a chance of {size:.3f}.\n{verdict}\n"
        f"Chance that a test of this length misses a real difference: {miss[0]:.2f} for a listener who is right "
        f"in 75 % of trials, {miss[1]:.2f} for one who is right in 90 %."
    )


def _agreement(orders: np.ndarray, other: np.ndarray, method: str) -> np.ndarray:
    """Spearman's rho or Kendall's tau-b of each row of ranks in `orders` (..., n) with `other` (n,)."""
    if method == "spearman":
        a, b = orders - orders.mean(axis=-1, keepdims=True), other - other.mean()
    else:
        i, j = np.triu_indices(other.size, k=1)
        a, b = np.sign(orders[..., i] - orders[..., j]), np.sign(other[i] - other[j])
    return a @ b / np.sqrt((a**2).sum(axis=-1) * (b**2).sum())


def rank_correlation(a, b, *, method: str = "spearman") -> tuple[float, float]:
    """Return how far two orders agree, and the exact two-sided p.

    All n! orders are listed. Ties share their mean rank (Spearman) or count for neither side (Kendall's tau-b).

    Parameters
    ----------
    a, b : array-like, shape (n,)
        Ranks or values of the same 3 to 9 things.
    method : {"spearman", "kendall"}
        Which correlation.

    Returns
    -------
    value : float
        From -1 (reversed) to 1 (same order).
    p : float
        Share of all orders whose correlation is at least as far from 0.

    Raises
    ------
    ValueError
        If lengths differ, n is out of range, a value is not finite, or all values are tied.

    Examples
    --------
    >>> value, p = rank_correlation([1, 2, 3, 4], [10, 20, 30, 40])
    >>> round(value, 3), round(p, 4)  # 2 of 24 orders
    (1.0, 0.0833)
    """
    if method not in ("spearman", "kendall"):
        raise ValueError(f'method must be "spearman" or "kendall", got {method!r}')
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.ndim != 1 or not 3 <= a.size <= MAX_RANKED:
        raise ValueError(
            f"pass two lists of 3 to {MAX_RANKED} values, as long as each other; got {a.shape}, {b.shape}"
        )
    if not np.isfinite([a, b]).all() or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("the values of an order must be finite and not all equal")
    a, b = stats.rankdata(a), stats.rankdata(b)
    value = float(_agreement(a, b, method))
    chance = _agreement(a[np.array(list(permutations(range(a.size))))], b, method)
    return value, float(np.mean(np.abs(chance) >= abs(value) - 1e-9))
