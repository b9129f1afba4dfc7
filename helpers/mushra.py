"""MUSHRA, a rating test with a hidden reference and two anchors: the statistics of one listener.

After ITU-R BS.1534-3. Its panel of listeners is replaced by one: items stand where listeners would, and the verdict
is about this listener. `helpers.psychophysics` passes the statistics on.
"""

from itertools import combinations
from math import ceil, comb, log2, sqrt

import numpy as np
from scipy import stats

MIN_ITEMS = 6  # with 5 the smallest two-sided p of a paired test is 2 / 2**5 = .0625
REFERENCE = "reference"
ANCHORS = {"low anchor": 3500.0, "mid anchor": 7000.0}  # upper edge of the pass band [Hz]


def mushra_post_screen(reference, *, floor: float = 90.0, share: float = 0.15) -> tuple[bool, float]:
    """Say whether a listener found the hidden reference often enough for the ratings to count.

    Parameters
    ----------
    reference : array-like, shape (n_items,)
        Ratings of the hidden reference [0 to 100].
    floor : float, default 90
        A rating below this is a slip.
    share : float, default 0.15
        Largest share of slips that passes (ITU-R BS.1534-3). With six items one slip is already 17 %.

    Returns
    -------
    passed : bool
        Whether the ratings count.
    below : float
        Share of slips.

    Examples
    --------
    >>> mushra_post_screen([100, 100, 100, 100, 89])
    (False, 0.2)
    """
    below = float(np.mean(np.asarray(reference, float) < floor))
    return below <= share, below


def mean_interval(x, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return a mean with Student's t interval.

    It takes the values for a sample of a normal distribution. A percentile bootstrap takes less for granted, but at
    6 to 10 items it is too narrow.

    Parameters
    ----------
    x : array-like, shape (n,)
        At least two values.
    level : float, default 0.95
        How often such an interval holds the true mean.

    Returns
    -------
    mean, low, high : float
        In the unit of `x`.

    Raises
    ------
    ValueError
        If there are fewer than two values.

    Examples
    --------
    >>> mean_interval([1.0, 1.0, 1.0])
    (1.0, 1.0, 1.0)
    """
    x = np.asarray(x, float)
    if x.ndim != 1 or x.size < 2:
        raise ValueError(f"an interval needs at least two values, got shape {x.shape}")
    half = stats.t.ppf((1 + level) / 2, x.size - 1) * x.std(ddof=1) / sqrt(x.size)
    return float(x.mean()), float(x.mean() - half), float(x.mean() + half)


def wilcoxon_p(differences) -> float:
    """Return the exact two-sided p of Wilcoxon's signed-rank test.

    All 2**n patterns of signs are counted. Zeros are dropped first, ties share their mean rank.

    Parameters
    ----------
    differences : array-like, shape (n,)
        Paired differences, n <= 1000.

    Returns
    -------
    float
        Chance of ranks at least as one-sided if every sign were a coin toss; 1 if all differences are 0.

    Raises
    ------
    ValueError
        If a difference is not finite.

    Examples
    --------
    >>> wilcoxon_p([1, 2, 3, 4, 5]), wilcoxon_p([1, 2, 3, 4, 5, 6])
    (0.0625, 0.03125)
    """
    d = np.asarray(differences, float)
    if not np.isfinite(d).all():
        raise ValueError("a paired difference is not finite; leave out items that were not rated")
    d = d[d != 0]
    ranks = np.rint(2 * stats.rankdata(np.abs(d))).astype(int)  # doubled, because the mean rank of a tie may be a half
    share = np.ones(1)  # share[w]: share of the sign patterns whose positive ranks add up to w
    for rank in ranks:
        share = (np.pad(share, (0, rank)) + np.pad(share, (rank, 0))) / 2
    w = ranks[d > 0].sum()
    return float(min(1.0, 2 * min(share[: w + 1].sum(), share[w:].sum())))


def holm(p_values) -> np.ndarray:
    """Return Holm's step-down adjusted p-values.

    Parameters
    ----------
    p_values : array-like, shape (m,)
        One p for each comparison.

    Returns
    -------
    np.ndarray, shape (m,)
        Adjusted p, in the same order: all that are <= .05 can be claimed together.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(p.size, 0, -1)))
    return adjusted[np.argsort(order)]


def mushra_items_needed(n_pairs: int, *, alpha: float = 0.05) -> int:
    """Return the fewest items with which Holm's correction leaves a chance to find anything.

    Parameters
    ----------
    n_pairs : int
        Comparisons that are corrected together.
    alpha : float, default 0.05
        Level of the whole family.

    Returns
    -------
    int
        Least n with ``n_pairs * 2 / 2**n <= alpha``.

    Examples
    --------
    >>> [mushra_items_needed(pairs) for pairs in (1, 3, 6, 10)]
    [6, 7, 8, 9]
    """
    return ceil(log2(2 * n_pairs / alpha))


def mushra_pairs(ratings: dict) -> list[dict]:
    """Compare conditions two by two, for one listener.

    Parameters
    ----------
    ratings : dict of str to array-like, shape (n_items,)
        Ratings [0 to 100] of each condition, items in the same order. More pairs cost more correction.

    Returns
    -------
    list of dict
        `a`, `b`, `difference` (mean of a - b), `low`, `high` (95 % t interval of this pair alone), `p` (exact
        Wilcoxon) and `p_holm` (corrected over all pairs).

    Raises
    ------
    ValueError
        If the numbers of items differ or are below six.
    """
    x = {name: np.asarray(values, float) for name, values in ratings.items()}
    sizes = sorted({values.size for values in x.values()})
    if len(sizes) != 1:
        raise ValueError(f"every condition needs one rating for each item, got {sizes} ratings")
    if sizes[0] < MIN_ITEMS:
        least = 2.0 ** (1 - sizes[0])
        raise ValueError(
            f"{sizes[0]} items cannot show a difference (smallest p = {least:g}); rate at least {MIN_ITEMS}"
        )
    rows = []
    for a, b in combinations(x, 2):
        mean, low, high = mean_interval(x[a] - x[b])
        rows.append({"a": a, "b": b, "difference": mean, "low": low, "high": high, "p": wilcoxon_p(x[a] - x[b])})
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(p)
    return rows


def compared(names) -> list[str]:
    """Return the conditions that are compared two by two: all but the reference and the anchors, if there are two."""
    systems = [name for name in names if name not in (REFERENCE, *ANCHORS)]
    return systems if len(systems) > 1 else [REFERENCE, *systems]


def too_few_items(names, n_items: int) -> str:
    """Return a warning where no pair can pass, whatever the ratings; empty where some can."""
    pairs = comb(len(compared(names)), 2)
    if n_items >= (needed := mushra_items_needed(pairs)):
        return ""
    return f"With {n_items} items and {pairs} pairs no corrected p can reach .05: at least {needed} items are needed."


def mushra_report(ratings: dict) -> str:
    """Return what one listener's ratings show: post-screening, means with intervals, pairs.

    Parameters
    ----------
    ratings : dict of str to array-like, shape (n_items,)
        Ratings [0 to 100] of "reference", "low anchor", "mid anchor" and the other conditions.

    Returns
    -------
    str
        One finding a line.
    """
    n = len(ratings[REFERENCE])
    passed, below = mushra_post_screen(ratings[REFERENCE])
    found = f"The hidden reference got less than 90 in {round(below * n)} of {n} items"
    if not passed:
        return f"{found}, more than 15 %: by ITU-R BS.1534 these ratings do not count, and no pairs are compared."
    lines = [f"{found}: by ITU-R BS.1534 these ratings count."]
    for name, values in ratings.items():
        lines.append(f"{name}: mean {{:.1f}} (95 % t interval {{:.1f}} to {{:.1f}})".format(*mean_interval(values)))
    rows = mushra_pairs({name: ratings[name] for name in compared(ratings)})
    for row in rows:
        verdict = (
            "this listener heard a difference" if row["p_holm"] <= 0.05 else "no difference shown for this listener"
        )
        lines.append(
            "{a} minus {b}: {difference:+.1f} (95 % t interval {low:+.1f} to {high:+.1f}), p = {p:.4f}, "
            "corrected {p_holm:.4f}: ".format(**row)
            + verdict
        )
    how = f"p: exact two-sided Wilcoxon signed-rank test over {n} items, "
    how += f"corrected after Holm over {len(rows)} pair{'s' * (len(rows) > 1)}."
    return "\n".join(filter(None, [*lines, how, too_few_items(ratings, n)]))
