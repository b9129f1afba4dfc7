"""Statistics of blind tests and of MUSHRA, and simulated listeners that can take a test.

Every verdict is about one listener and one set of sounds: "this listener", never "people". MUSHRA
is a rating test with a hidden reference and two anchors, after ITU-R BS.1534-3; its panel of
listeners is replaced by one: items stand where listeners would. Rates, numbers of trials and lists
of ratings that no test has raise ValueError.
"""

from itertools import combinations, permutations
from math import ceil, comb, log2, sqrt

import numpy as np
from scipy import stats

__all__ = [
    "SimulatedListener",
    "abx_criterion",
    "abx_p_value",
    "abx_power",
    "abx_verdict",
    "holm",
    "mean_interval",
    "mushra_pairs",
    "mushra_post_screen",
    "rank_correlation",
    "wilcoxon_p",
]


MIN_ITEMS = 6  # with 5 the smallest two-sided p of a paired test is 2 / 2**5 = .0625
REFERENCE = "reference"
ANCHORS = {"low anchor": 3500.0, "mid anchor": 7000.0}  # upper edge of the pass band [Hz]


def mushra_post_screen(
    reference, *, floor: float = 90.0, share: float = 0.15
) -> tuple[bool, float]:
    """Return whether a listener found the hidden reference often enough, and the share of slips.

    A rating below `floor` is a slip; `share` is the largest share that passes (ITU-R BS.1534-3).
    With six items one slip is already 17 %.

    >>> mushra_post_screen([100, 100, 100, 100, 89])
    (False, 0.2)
    """
    below = float(np.mean(np.asarray(reference, float) < floor))
    return below <= share, below


def mean_interval(x, *, level: float = 0.95) -> tuple[float, float, float]:
    """Return a mean with Student's t interval: mean, low, high.

    It takes the values for a sample of a normal distribution. A percentile bootstrap takes less for
    granted, but at 6 to 10 items it is too narrow.

    Parameters
    ----------
    x : array_like (n,)
        The values, two or more.
    level : float
        The share of such intervals that hold the true mean.

    Returns
    -------
    mean, low, high : float
        The mean, and where the interval begins and ends.

    Raises
    ------
    ValueError
        If there are fewer than two values.
    """
    x = np.asarray(x, float)
    if x.ndim != 1 or x.size < 2:
        raise ValueError(f"an interval needs at least two values, got shape {x.shape}")
    half = stats.t.ppf((1 + level) / 2, x.size - 1) * x.std(ddof=1) / sqrt(x.size)
    return float(x.mean()), float(x.mean() - half), float(x.mean() + half)


def wilcoxon_p(differences) -> float:
    """Return the exact two-sided p of Wilcoxon's signed-rank test of at most 1000 differences.

    All 2**n patterns of signs are counted. Zeros are dropped first, ties share their mean rank.
    (`scipy.stats.wilcoxon` has no exact p with ties.)

    >>> wilcoxon_p([1, 2, 3, 4, 5]), wilcoxon_p([1, 2, 3, 4, 5, 6])
    (0.0625, 0.03125)
    """
    d = np.asarray(differences, float)
    if not np.isfinite(d).all():
        raise ValueError("a paired difference is not finite; leave out items that were not rated")
    d = d[d != 0]
    # doubled, because the mean rank of a tie may be a half
    ranks = np.rint(2 * stats.rankdata(np.abs(d))).astype(int)
    share = np.ones(1)  # share[w]: share of the sign patterns whose positive ranks add up to w
    for rank in ranks:  # with a minus the sum stays, with a plus it grows by the rank
        share = (np.pad(share, (0, rank)) + np.pad(share, (rank, 0))) / 2
    w = ranks[d > 0].sum()
    return float(min(1.0, 2 * min(share[: w + 1].sum(), share[w:].sum())))


def holm(p_values) -> np.ndarray:
    """Return Holm's step-down adjusted p-values: all that are <= .05 can be claimed together.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    # the smallest p times m, the next times m - 1, and so on, but never less than the one before
    adjusted = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(p.size, 0, -1)))
    return adjusted[np.argsort(order)]


def mushra_items_needed(n_pairs: int, *, alpha: float = 0.05) -> int:
    """Return the least n with ``n_pairs * 2 / 2**n <= alpha``: fewer items leave Holm's correction
    no chance to find anything.

    >>> [mushra_items_needed(pairs) for pairs in (1, 3, 6, 10)]
    [6, 7, 8, 9]
    """
    return ceil(log2(2 * n_pairs / alpha))


def mushra_pairs(ratings: dict) -> list[dict]:
    """Compare conditions two by two, for one listener; `ratings` [0 to 100] by condition, the items
    in the same order.

    Return for each pair `a`, `b`, `difference` (mean of a - b), `low`, `high` (95 % t interval of
    this pair alone), `p` (exact Wilcoxon) and `p_holm` (corrected over all pairs).
    """
    x = {name: np.asarray(values, float) for name, values in ratings.items()}
    sizes = sorted({values.size for values in x.values()})
    if len(sizes) != 1:
        raise ValueError(f"every condition needs one rating for each item, got {sizes} ratings")
    if sizes[0] < MIN_ITEMS:
        least = 2.0 ** (1 - sizes[0])
        raise ValueError(
            f"{sizes[0]} items cannot show a difference (smallest p = {least:g}); rate at least "
            f"{MIN_ITEMS}"
        )
    rows = []
    for a, b in combinations(x, 2):
        mean, low, high = mean_interval(x[a] - x[b])
        row = {"a": a, "b": b, "difference": mean, "low": low, "high": high}
        rows.append(row | {"p": wilcoxon_p(x[a] - x[b])})
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(p)
    return rows


def compared(names) -> list[str]:
    """Return the conditions that are compared two by two: all but the reference and the anchors, if
    there are two.
    """
    systems = [name for name in names if name not in (REFERENCE, *ANCHORS)]
    return systems if len(systems) > 1 else [REFERENCE, *systems]


def too_few_items(names, n_items: int) -> str:
    """Return a warning where no pair can pass, whatever the ratings; empty where some can."""
    pairs = comb(len(compared(names)), 2)
    needed = mushra_items_needed(pairs)
    if n_items >= needed:
        return ""
    return (
        f"With {n_items} items and {pairs} pairs no corrected p can reach .05: at least {needed} "
        "items are needed."
    )


def mushra_report(ratings: dict) -> str:
    """Return what one listener's ratings of "reference", "low anchor", "mid anchor" and the other
    conditions show, one finding a line: post-screening, means with intervals, pairs.
    """
    n = len(ratings[REFERENCE])
    passed, below = mushra_post_screen(ratings[REFERENCE])
    found = f"The hidden reference got less than 90 in {round(below * n)} of {n} items"
    if not passed:
        return (
            f"{found}, more than 15 %: by ITU-R BS.1534 these ratings do not count, and no pairs "
            "are compared."
        )
    lines = [f"{found}: by ITU-R BS.1534 these ratings count."]
    for name, values in ratings.items():
        mean, low, high = mean_interval(values)
        lines.append(f"{name}: mean {mean:.1f} (95 % t interval {low:.1f} to {high:.1f})")
    rows = mushra_pairs({name: ratings[name] for name in compared(ratings)})
    for row in rows:
        verdict = "no difference shown for this listener"
        if row["p_holm"] <= 0.05:
            verdict = "this listener heard a difference"
        interval = "(95 % t interval {low:+.1f} to {high:+.1f})".format(**row)
        p = "p = {p:.4f}, corrected {p_holm:.4f}".format(**row)
        found = "{a} minus {b}: {difference:+.1f}".format(**row)
        lines.append(f"{found} {interval}, {p}: {verdict}")
    pairs = "1 pair" if len(rows) == 1 else f"{len(rows)} pairs"
    how = (
        f"p: exact two-sided Wilcoxon signed-rank test over {n} items, corrected after Holm over "
        f"{pairs}."
    )
    return "\n".join(filter(None, [*lines, how, too_few_items(ratings, n)]))


class SimulatedListener:
    """A listener with a known ability, who can take any blind test.

    Parameters
    ----------
    p_correct : float, default 0.5
        Rate of right ABX answers: .5 guesses.
    quality : dict of str to float, optional
        What each condition is worth to this listener [0 to 100], for ranking and MUSHRA; 100 where
        not listed.
    noise : float, default 0.0
        Standard deviation of one judgement [points].
    seed : int, default 0
        The same seed gives the same answers.

    Examples
    --------
    >>> SimulatedListener(quality={"noisy": 20, "clean": 95}).rank(["noisy", "clean"])
    ['clean', 'noisy']
    """

    def __init__(
        self,
        *,
        p_correct: float = 0.5,
        quality: dict | None = None,
        noise: float = 0.0,
        seed: int = 0,
    ):
        if not 0 <= p_correct <= 1 or noise < 0:
            raise ValueError(
                f"p_correct is a rate from 0 to 1, noise is not negative; got {p_correct} and "
                f"{noise}"
            )
        self.p_correct = p_correct
        self.quality = quality or {}
        self.noise = noise
        self.rng = np.random.default_rng(seed)

    def abx(self, x: str) -> str:
        """Answer "A" or "B" when X is `x`: `x` with a chance of `p_correct`."""
        other = "B" if x == "A" else "A"
        return x if self.rng.random() < self.p_correct else other

    def rate(self, names: list) -> list[int]:
        """Return a rating from 0 to 100 of each condition, heard once."""
        return [int(value) for value in np.clip(np.rint(self._heard(names)), 0, 100)]

    def rank(self, names: list) -> list:
        """Return the conditions in order, best first, each heard once."""
        heard = self._heard(names)
        return [names[i] for i in np.argsort(heard)[::-1]]

    def _heard(self, names: list) -> np.ndarray:
        worth = [self.quality.get(name, 100) for name in names]
        return np.array(worth) + self.noise * self.rng.standard_normal(len(names))


def simulated(
    listener: SimulatedListener, kind: str, names: list[str], screen: int, item: str
) -> list[dict]:
    """Return one screen's answers to a blind test, in the form in which the page sends them."""
    if kind == "abx":
        x = "AB"[listener.rng.integers(2)]
        return [{"trial": screen + 1, "x": x, "answer": listener.abx(x)}]
    heard = [names[i] for i in listener.rng.permutation(len(names))]
    letter = dict(zip(heard, "ABCDEFGHI", strict=False))
    if kind == "rank":
        return [
            {"rank": i + 1, "track": n, "letter": letter[n]}
            for i, n in enumerate(listener.rank(heard))
        ]
    rated = zip(heard, listener.rate(heard), strict=True)
    return [
        {"item": item, "condition": n, "letter": letter[n], "rating": rating} for n, rating in rated
    ]


MAX_RANKED = 9  # 9! = 362,880 orders can still be listed one by one


def abx_p_value(n_correct: int, n_trials: int) -> float:
    """Return the chance of at least `n_correct` right answers by guessing (exact binomial,
    one-sided).

    >>> abx_p_value(4, 4)
    0.0625
    """
    if not 0 <= n_correct <= n_trials or n_trials < 1:
        raise ValueError(
            f"n_correct must lie between 0 and n_trials, got {n_correct} of {n_trials}"
        )
    return float(stats.binomtest(n_correct, n_trials, alternative="greater").pvalue)


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

    Examples
    --------
    >>> abx_criterion(5)
    (5, 0.03125)
    """
    for needed in range(n_trials + 1):
        size = abx_p_value(needed, n_trials)
        if size <= alpha:
            return needed, size
    raise ValueError(
        f"{n_trials} trials cannot reach p <= {alpha:g}: all right has p = {size:g}; take more "
        "trials"
    )


def abx_power(n_trials: int, p_true: float, *, alpha: float = 0.05) -> float:
    """Return the chance that a listener whose rate of right answers is `p_true` passes; 1 minus it
    is the chance of a miss.

    >>> round(abx_power(16, 0.75), 2), round(abx_power(16, 0.9), 2)
    (0.63, 0.98)
    """
    if not 0.5 <= p_true <= 1:
        raise ValueError(f"p_true is a rate of right answers from .5 (guessing) to 1, got {p_true}")
    return float(stats.binom.sf(abx_criterion(n_trials, alpha=alpha)[0] - 1, n_trials, p_true))


def abx_verdict(n_correct: int, n_trials: int) -> str:
    """Return the result of a finished ABX test in four lines, for alpha = .05: score and p,
    criterion, verdict, and the chance that such a test misses a real difference.
    """
    p = abx_p_value(n_correct, n_trials)
    needed, size = abx_criterion(n_trials)
    miss = [1 - abx_power(n_trials, rate) for rate in (0.75, 0.9)]
    if n_correct >= needed:
        verdict = "This listener told A from B in this test: guessing alone seldom does this well."
    else:
        verdict = (
            "This test did not show that this listener can tell A from B. That is no proof that "
            "nobody can."
        )
    return (
        f"{n_correct} of {n_trials} right. Guessing gets that many or more with p = {p:.3f} "
        "(exact binomial, one-sided).\n"
        f"{needed} were needed: a listener who only guesses reaches that with a chance of "
        f"{size:.3f}.\n{verdict}\n"
        f"Chance that a test of this length misses a real difference: {miss[0]:.2f} for a listener "
        f"who is right in 75 % of trials, {miss[1]:.2f} for one who is right in 90 %."
    )


def _spearman(orders: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return Spearman's rho of each row of ranks in `orders` (..., n) with `other` (n,)."""
    a = orders - orders.mean(axis=-1, keepdims=True)
    b = other - other.mean()
    return a @ b / np.sqrt((a**2).sum(axis=-1) * (b**2).sum())


def rank_correlation(a, b) -> tuple[float, float]:
    """Return how far two orders agree (Spearman's rho), and the exact two-sided p.

    All n! orders are listed. Ties share their mean rank.

    Parameters
    ----------
    a, b : array-like, shape (n,)
        Ranks or values of the same 3 to 9 things.

    Returns
    -------
    value : float
        From -1 (reversed) to 1 (same order).
    p : float
        Share of all orders whose correlation is at least as far from 0.

    Examples
    --------
    >>> value, p = rank_correlation([1, 2, 3, 4], [10, 20, 30, 40])
    >>> round(value, 3), round(p, 4)  # 2 of 24 orders
    (1.0, 0.0833)
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.ndim != 1 or not 3 <= a.size <= MAX_RANKED:
        raise ValueError(
            f"pass two lists of 3 to {MAX_RANKED} values, as long as each other; got {a.shape}, "
            f"{b.shape}"
        )
    if not np.isfinite([a, b]).all() or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("the values of an order must be finite and not all equal")
    a, b = stats.rankdata(a), stats.rankdata(b)
    value = float(_spearman(a, b))
    chance = _spearman(a[np.array(list(permutations(range(a.size))))], b)
    # a rounding error must not make an equal correlation a smaller one
    return value, float(np.mean(np.abs(chance) >= abs(value) - 1e-9))
