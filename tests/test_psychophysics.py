"""Statistics of blind tests against scipy, brute force and figures that can be counted by hand."""

from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from helpers import psychophysics
from helpers.psychophysics import SimulatedListener


@pytest.mark.parametrize("n", [5, 7, 16, 33])
def test_abx_p_is_the_exact_binomial(n):
    for k in range(n + 1):
        assert psychophysics.abx_p_value(k, n) == pytest.approx(
            stats.binomtest(k, n, alternative="greater").pvalue
        )


def test_abx_p_counts_all_answer_sheets():
    sheets = np.array(list(product([0, 1], repeat=10))).sum(axis=1)
    assert [psychophysics.abx_p_value(k, 10) for k in range(11)] == [
        np.mean(sheets >= k) for k in range(11)
    ]


@pytest.mark.parametrize(("k", "n"), [(-1, 4), (5, 4), (0, 0)])
def test_abx_p_refuses_impossible_scores(k, n):
    with pytest.raises(ValueError, match=f"got {k} of {n}"):
        psychophysics.abx_p_value(k, n)


def test_sixteen_trials_need_twelve():
    assert psychophysics.abx_criterion(16) == (12, pytest.approx(0.038, abs=5e-4))
    assert psychophysics.abx_power(16, 0.75) == pytest.approx(0.63, abs=5e-3)
    assert psychophysics.abx_power(16, 0.9) == pytest.approx(0.98, abs=5e-3)


@pytest.mark.parametrize("n", range(5, 101))
def test_criterion_is_the_least_score_that_passes(n):
    needed, size = psychophysics.abx_criterion(n)
    assert size <= 0.05 < psychophysics.abx_p_value(needed - 1, n)
    assert psychophysics.abx_power(n, 0.5) == pytest.approx(size)


def test_four_trials_cannot_pass():
    with pytest.raises(ValueError, match="more trials"):
        psychophysics.abx_criterion(4)


@pytest.mark.parametrize("rate", [0.49, 1.01])
def test_power_refuses_rates_that_no_listener_has(rate):
    with pytest.raises(ValueError, match="p_true"):
        psychophysics.abx_power(16, rate)


@pytest.mark.parametrize(
    ("k", "says"),
    [(12, "told A from B"), (11, "did not show"), (16, "told A from B"), (0, "did not show")],
)
def test_verdict_changes_at_the_criterion_and_speaks_of_this_listener(k, says):
    text = psychophysics.abx_verdict(k, 16)
    assert says in text and "his listener" in text and "people" not in text
    assert (
        f"{k} of 16 right" in text
        and "12 were needed" in text
        and "0.37" in text
        and "0.02" in text
    )


def passes(ability, runs, n=16):
    listener, needed = (
        SimulatedListener(p_correct=ability, seed=7),
        psychophysics.abx_criterion(n)[0],
    )
    truth = np.random.default_rng(8).choice(["A", "B"], (runs, n))
    return np.mean([sum(listener.abx(x) == x for x in sheet) >= needed for sheet in truth])


@pytest.mark.parametrize("ability", [0.5, 0.75, 0.9])
def test_simulated_listeners_pass_as_often_as_stated(ability):
    runs, stated = 4000, psychophysics.abx_power(16, ability)
    assert abs(passes(ability, runs) - stated) < 4 * np.sqrt(stated * (1 - stated) / runs)


def test_a_listener_without_ability_says_a_and_b_equally_often():
    listener = SimulatedListener(seed=3)
    said = [listener.abx(x) for x in "AB" * 2000]
    assert abs(said.count("A") - 2000) < 4 * np.sqrt(1000)


def test_equal_seeds_give_equal_listeners():
    sheets = [
        [listener.abx("A") for _ in range(50)]
        for listener in (SimulatedListener(seed=s) for s in (1, 1, 2))
    ]
    assert sheets[0] == sheets[1] != sheets[2]


def test_simulated_ratings_follow_the_quality():
    listener = SimulatedListener(quality={"bad": 10, "good": 80}, noise=5, seed=1)
    ratings = np.array([listener.rate(["bad", "good", "reference"]) for _ in range(500)])
    assert (
        ratings[:, :2].mean(axis=0) == pytest.approx([10, 80], abs=1)
        and ratings.max() == 100
        and ratings.min() >= 0
    )
    assert ratings[:, 1].std() == pytest.approx(5, rel=0.15)


@pytest.mark.parametrize("bad", [{"p_correct": 1.1}, {"p_correct": -0.1}, {"noise": -1.0}])
def test_impossible_listeners_are_refused(bad):
    with pytest.raises(ValueError, match="p_correct is a rate"):
        SimulatedListener(**bad)


ORDERS = [
    ([1, 2, 3, 4, 5], [2, 1, 3, 5, 4]),
    ([3, 1, 2], [1, 2, 3]),
    ([1, 2, 3, 4, 5, 6, 7], [7, 5, 6, 4, 1, 3, 2]),
]
TIED = [([1, 1, 2, 3], [4, 3, 2, 1]), ([1, 2, 2, 2, 5], [1.5, 1.5, 3, 4, 4])]


@pytest.mark.parametrize(("a", "b"), ORDERS + TIED)
def test_rank_correlations_equal_scipy(a, b):
    assert psychophysics.rank_correlation(a, b)[0] == pytest.approx(stats.spearmanr(a, b).statistic)


@pytest.mark.parametrize(("a", "b"), ORDERS[:2] + TIED)
def test_rank_p_is_the_share_of_all_orders(a, b):
    chance = [abs(stats.spearmanr(order, b).statistic) for order in permutations(a)]
    value, p = psychophysics.rank_correlation(a, b)
    assert p == pytest.approx(np.mean(np.array(chance) >= abs(value) - 1e-9))


def test_the_same_order_of_nine_is_one_of_two_extremes():
    value, p = psychophysics.rank_correlation(range(9), range(9, 0, -1))
    assert value == pytest.approx(-1) and p == pytest.approx(2 / 362_880)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ([1, 2], [1, 2], "3 to 9"),
        (range(10), range(10), "3 to 9"),
        ([1, 2, 3], [1, 2, 3, 4], "as long as"),
        ([1, 1, 1], [1, 2, 3], "not all equal"),
        ([1, 2, np.nan], [1, 2, 3], "finite"),
    ],
)
def test_what_is_no_order_is_refused(a, b, says):
    with pytest.raises(ValueError, match=says):
        psychophysics.rank_correlation(a, b)


def brute_wilcoxon(d):
    """Two-sided p by listing every pattern of signs."""
    d = np.asarray(d, float)
    d = d[d != 0]
    ranks = stats.rankdata(np.abs(d))
    sums = np.array(
        [ranks[np.array(signs)].sum() for signs in product([False, True], repeat=d.size)]
    )
    w = ranks[d > 0].sum()
    return min(1.0, 2 * min(np.mean(sums <= w + 1e-9), np.mean(sums >= w - 1e-9)))


@pytest.mark.parametrize("n", [3, 6, 9, 12])
def test_wilcoxon_equals_scipy_and_all_patterns_of_signs(n):
    d = np.random.default_rng(n).standard_normal(n) + 0.4
    assert psychophysics.wilcoxon_p(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)
    assert psychophysics.wilcoxon_p(d) == pytest.approx(brute_wilcoxon(d))


@pytest.mark.parametrize(
    "d", [[1, 1, -1, 2, 2, 3], [5, 5, 5, 5, -5, 0, 0, 2], [0, 0, 1], [-3, -3, -3, -3, -3, -3]]
)
def test_wilcoxon_with_ties_and_zeros_equals_all_patterns_of_signs(d):
    assert psychophysics.wilcoxon_p(d) == pytest.approx(brute_wilcoxon(d))


def test_wilcoxon_at_a_size_that_cannot_be_listed():
    d = np.random.default_rng(0).standard_normal(200) + 0.1
    assert psychophysics.wilcoxon_p(d) == pytest.approx(
        stats.wilcoxon(d, method="exact").pvalue, rel=1e-6
    )


def test_smallest_two_sided_p_of_five_and_six_items():
    assert psychophysics.wilcoxon_p([1, 2, 3, 4, 5]) == 0.0625 == stats.binomtest(5, 5).pvalue
    assert psychophysics.wilcoxon_p([1, 2, 3, 4, 5, 6]) == 0.03125 == stats.binomtest(6, 6).pvalue
    assert psychophysics.wilcoxon_p([0, 0, 0]) == 1.0


def test_wilcoxon_refuses_what_was_not_rated():
    with pytest.raises(ValueError, match="not rated"):
        psychophysics.wilcoxon_p([1, 2, np.nan])


def test_holm_by_hand():
    # 4 * .01, 3 * .02, then max(.06, 2 * .025), then max(.06, .04)
    assert psychophysics.holm([0.02, 0.04, 0.01, 0.025]) == pytest.approx([0.06, 0.06, 0.04, 0.06])
    assert psychophysics.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert psychophysics.holm([0.03]) == pytest.approx([0.03])


def test_holm_keeps_the_family_error_where_all_hypotheses_are_true():
    p = np.random.default_rng(5).random((4000, 5))
    found = np.mean([psychophysics.holm(row).min() <= 0.05 for row in p])
    assert abs(found - (1 - 0.99**5)) < 4 * np.sqrt(
        0.05 * 0.95 / 4000
    )  # smallest of 5 below .05 / 5


def test_mean_interval_equals_scipys():
    x = np.random.default_rng(2).normal(3, 2, 7)
    mean, low, high = psychophysics.mean_interval(x)
    assert (low, high) == pytest.approx(stats.ttest_1samp(x, 0).confidence_interval(0.95))
    assert mean == pytest.approx(x.mean())


def test_six_values_are_too_few_for_a_percentile_bootstrap_but_not_for_t():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((1500, 6))
    t = [low <= 0 <= high for _, low, high in map(psychophysics.mean_interval, x)]
    means = np.take_along_axis(x[:, None], rng.integers(0, 6, (1500, 300, 6)), axis=2).mean(axis=2)
    low, high = np.percentile(means, [2.5, 97.5], axis=1)
    assert np.mean(t) == pytest.approx(0.95, abs=0.02) and np.mean((low <= 0) & (high >= 0)) < 0.91


def test_an_interval_of_one_value_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        psychophysics.mean_interval([3.0])


@pytest.mark.parametrize(
    ("slips", "items", "passes"),
    [(0, 6, True), (1, 6, False), (1, 7, True), (3, 20, True), (4, 20, False)],
)
def test_post_screening_allows_fifteen_percent(slips, items, passes):
    ratings = [89.0] * slips + [90.0] * (items - slips)
    assert psychophysics.mushra_post_screen(ratings) == (passes, slips / items)


def test_pairs_are_paired_and_corrected_over_all():
    rng = np.random.default_rng(4)
    hard = rng.uniform(
        0, 40, 8
    )  # how hard an item is moves all its ratings: pairing takes that out
    ratings = {
        "a": 30 + hard,
        "b": 35 + hard + rng.normal(0, 1, 8),
        "c": 36 + hard + rng.normal(0, 1, 8),
    }
    rows = {(row["a"], row["b"]): row for row in psychophysics.mushra_pairs(ratings)}
    row = rows["a", "b"]
    assert row["p"] == pytest.approx(
        stats.wilcoxon(ratings["a"], ratings["b"], method="exact").pvalue
    )
    assert row["difference"] == pytest.approx(np.mean(ratings["a"] - ratings["b"]))
    assert row["low"] < row["difference"] < row["high"] < 0
    assert [r["p_holm"] for r in rows.values()] == pytest.approx(
        psychophysics.holm([r["p"] for r in rows.values()])
    )


def test_five_items_are_refused_with_the_reason():
    with pytest.raises(
        ValueError, match=r"5 items cannot show a difference \(smallest p = 0.0625\)"
    ):
        psychophysics.mushra_pairs({"a": range(5), "b": range(5)})
    with pytest.raises(ValueError, match="one rating for each item"):
        psychophysics.mushra_pairs({"a": range(6), "b": range(7)})


@pytest.mark.parametrize("pairs", [1, 3, 6, 10, 15])
def test_items_needed_is_where_a_perfect_listener_first_passes(pairs):
    n = psychophysics.mushra_items_needed(pairs)
    best = [
        psychophysics.holm([psychophysics.wilcoxon_p(range(1, k + 1))] * pairs)[0]
        for k in (n - 1, n)
    ]
    assert best[1] <= 0.05 < best[0]


def report(reference, **systems):
    n = len(reference)
    return psychophysics.mushra_report(
        {"reference": reference, **systems, "low anchor": [10] * n, "mid anchor": [40] * n}
    )


def test_report_compares_the_systems_and_not_the_anchors():
    text = report([100] * 7, a=range(70, 77), b=range(50, 64, 2), c=range(60, 74, 2))
    assert (
        "a minus b" in text
        and "a minus c" in text
        and "b minus c" in text
        and "anchor minus" not in text
    )
    assert text.count("this listener") == 3 and "over 3 pairs" in text and "at least" not in text


def test_report_with_one_system_compares_it_with_the_reference():
    assert "reference minus a" in report([100] * 6, a=[50, 60, 70, 80, 85, 90])


def test_report_says_when_no_pair_can_pass():
    text = report([100] * 6, a=range(90, 96), b=range(50, 56), c=range(10, 16))
    assert (
        "no corrected p can reach .05: at least 7 items" in text
        and "heard a difference" not in text
    )


def test_a_listener_who_misses_the_reference_is_screened_out():
    text = report([100, 80, 100, 70, 100, 100], a=range(6), b=range(6))
    assert "less than 90 in 2 of 6 items" in text and "do not count" in text and "minus" not in text
