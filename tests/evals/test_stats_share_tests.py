"""Tests of a win rate, and its mean strength: published figures and other implementations."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from evals.stats.distributions import student_two_sided
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.preference import clustered_win_rate
from evals.stats.share_tests import ShareTest, at_odds, clustered_test, sign_test
from evals.stats.strength import mean_strength, mean_strength_from_sums

# Student, Biometrika 6 (1908), 20: additional hours of sleep, the two drugs' difference.
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]


def votes(seed: int, items: int = 60, each: int = 3, people: int = 9) -> tuple[Any, Any, Any]:
    """Choices from -2 to 2 by people and on items that lean."""
    rng = np.random.default_rng(seed)
    item = np.repeat(np.arange(items), each)
    person = np.concatenate([rng.permutation(people)[:each] for _ in range(items)])
    lean = 0.3 + rng.normal(0, 1, items)[item] + rng.normal(0, 0.4, people)[person]
    return item, person, np.clip(np.round(lean + rng.normal(0, 0.8, item.size)), -2, 2)


def scores(choices: Any) -> Any:
    return (np.sign(choices) + 1) / 2


def two_way_variance(values: Any, item: Any, person: Any) -> float:
    """Of the mean, by the sandwiches of statsmodels."""
    fit = sm.OLS(values, np.ones_like(values)).fit()
    groups = [
        sm.stats.sandwich_covariance.cov_cluster(fit, of, use_correction=False)[0, 0]
        * size / (size - 1)
        for of, size in ((item, len(set(item))), (person, len(set(person))))
    ]  # fmt: skip
    cells = sm.stats.sandwich_covariance.cov_hc0(fit)[0, 0] * len(values) / (len(values) - 1)
    return float(max(sum(groups) - cells, *groups))


def test_clusters_that_speak_with_one_voice_give_students_t() -> None:
    # t is not moved by a change of scale: published as t = 4.0621 with 9 df, p = 0.00283.
    of_item = np.repeat([(hours + 1) / 8 for hours in SLEEP], 3)
    rate = clustered_win_rate(np.repeat(np.arange(10), 3), np.tile([1, 2, 3], 10), of_item)

    found = clustered_test(rate, p0=1 / 8)

    assert found.statistic == pytest.approx(4.0621, abs=5e-5)
    assert found.df == 9
    assert found.p_value == pytest.approx(0.002833, abs=5e-7)
    assert found.method == (
        "two-sided, clustered by item, for these annotators (3), t with 9 degrees of freedom"
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("null", [0.5, 0.6])
def test_the_clustered_test_is_that_of_statsmodels(seed: int, null: float) -> None:
    item, person, choices = votes(seed)
    won = scores(choices)
    statistic = (won.mean() - null) / np.sqrt(two_way_variance(won, item, person))

    found = clustered_test(clustered_win_rate(item, person, won), null)

    assert found.statistic == pytest.approx(statistic)
    assert found.p_value == pytest.approx(student_two_sided(statistic, 8))
    assert (found.df, found.n, found.null) == (8, 180, null)
    assert (
        found.method == "two-sided, clustered by item and by annotator, t with 8 degrees of freedom"
    )


def test_equal_clusters_are_a_t_test_of_their_means() -> None:
    item, person, choices = votes(7, people=4)
    means = scores(choices).reshape(60, 3).mean(axis=1)

    found = clustered_test(clustered_win_rate(item, person, scores(choices)))

    theirs = ttest_1samp(means, 0.5)
    assert (found.statistic, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_all_judgements_alike_leave_the_clusters_as_trials() -> None:
    item, person, choices = votes(1)
    found = clustered_test(clustered_win_rate(item, person, np.ones_like(choices)), 0.6)

    assert found.p_value == pytest.approx(2 * 0.6**9)
    assert found.statistic is None
    assert "sign test with 9 clusters as trials" in found.method


def test_clusters_that_do_not_differ_have_no_test() -> None:
    item, person = np.repeat(np.arange(20), 2), np.tile([1, 2], 20)
    rate = clustered_win_rate(item, person, np.tile([1.0, 0.0], 20))

    with pytest.raises(UndefinedError, match="do not differ at all"):
        clustered_test(rate)


def test_one_person_alone_is_tested_by_the_binomial_law() -> None:
    rate = clustered_win_rate(np.arange(20), np.zeros(20, int), np.repeat([1.0, 0.0], [12, 8]))

    found = clustered_test(rate, 0.6)

    assert (found.statistic, found.p_value, found.df) == (None, 1, None)
    assert "twice the smaller binomial tail" in found.method
    # The end of an interval is where its own test just rejects.
    assert rate.low is not None
    assert clustered_test(rate, rate.low).p_value == pytest.approx(0.05)
    assert not at_odds(rate, clustered_test(rate, rate.low + 1e-9))


# The table of Dixon & Mood (1946): the most of the rarer sign at which 5 % is still reached.
@pytest.mark.parametrize(
    ("n", "rarer"), [(6, 0), (10, 1), (20, 5), (30, 9), (50, 17), (70, 26), (100, 39)]
)
def test_critical_values_of_the_sign_test_are_those_of_its_table(n: int, rarer: int) -> None:
    assert sign_test(rarer, n - rarer).p_value <= 0.05
    assert sign_test(n - rarer - 1, rarer + 1).p_value > 0.05


def test_sign_test_of_a_published_table() -> None:
    # Fagerland, Lydersen & Laake (2013), table 1: 1 and 7 discordant pairs.
    found = sign_test(7, 1)

    assert found.p_value == pytest.approx(0.070, abs=5e-4)
    assert found.mid_p == pytest.approx(0.039, abs=5e-4)
    assert found.method == "two-sided exact sign test on decided judgements, one on each item"


@given(wins=st.integers(0, 60), losses=st.integers(0, 60), null=st.sampled_from([0.5, 0.6, 0.85]))
@settings(max_examples=80)
def test_exact_tests_are_those_of_scipy(wins: int, losses: int, null: float) -> None:
    found = attempt(sign_test, wins, losses, null)

    if not wins + losses:
        assert found == Undefined("nothing was decided")
        return
    assert isinstance(found, ShareTest)
    assert found.p_value == pytest.approx(binomtest(wins, wins + losses, null).pvalue, rel=1e-9)
    assert (found.mid_p is None) == (null != 0.5)


def test_a_count_beside_the_likeliest_may_be_as_likely() -> None:
    # Of 34 trials at 60 % both 20 and 21 are likeliest: nothing is less surprising than 20.
    assert sign_test(20, 14, 0.6).p_value == 1.0


@given(seed=st.integers(0, 10_000), null=st.sampled_from([0.4, 0.5, 0.6]))
@settings(max_examples=40)
def test_exchanging_the_systems_mirrors_the_test(seed: int, null: float) -> None:
    item, person, choices = votes(seed, items=15)
    ours = attempt(clustered_test, clustered_win_rate(item, person, scores(choices)), null)
    theirs = attempt(clustered_test, clustered_win_rate(item, person, scores(-choices)), 1 - null)

    assert isinstance(ours, ShareTest)
    assert isinstance(theirs, ShareTest)
    assert theirs.p_value == pytest.approx(ours.p_value)


def test_interval_and_test_may_be_at_odds() -> None:
    held = Estimate(0.56, 0.49, 0.62, 100, "")
    left_out = Estimate(0.56, 0.51, 0.61, 100, "")
    surely, hardly = (ShareTest(0.5, p, 100, "") for p in (0.04, 0.06))

    assert [at_odds(rate, test) for rate in (held, left_out) for test in (surely, hardly)] == [
        True, False, False, True,
    ]  # fmt: skip
    assert not at_odds(Undefined("nothing"), surely)
    assert not at_odds(held, Undefined("nothing"))


@pytest.mark.parametrize("seed", range(3))
def test_mean_strength_has_the_error_of_statsmodels(seed: int) -> None:
    item, person, choices = votes(seed)
    se = np.sqrt(two_way_variance(choices / 2, item, person))

    found = mean_strength(item, person, choices, reach=2)

    assert (found.value, found.se) == pytest.approx((choices.mean() / 2, se))
    assert found.low is not None
    assert found.high is not None
    # Student's t of 8 degrees.
    assert (found.low, found.high) == pytest.approx(
        (found.value - 2.306004 * se, found.value + 2.306004 * se), rel=1e-6
    )
    assert "clustered by item and by annotator; t interval with 8 degrees" in found.method


def test_sums_of_a_database_give_the_same_strength() -> None:
    item, person, choices = votes(3)

    def histogram(of: Any) -> list[tuple[int, float, int]]:
        return [(int((of == one).sum()), choices[of == one].sum(), 1) for one in np.unique(of)]

    found = mean_strength_from_sums(
        choices.size, choices.sum(), choices @ choices, histogram(item), histogram(person), reach=2
    )

    ours = mean_strength(item, person, choices, reach=2)
    assert found.method == ours.method
    for name in ("value", "low", "high", "se"):
        assert getattr(found, name) == pytest.approx(getattr(ours, name))


def test_a_scale_of_three_points_says_what_the_win_rate_says() -> None:
    item, person, choices = votes(5)
    rate = clustered_win_rate(item, person, scores(choices))

    found = mean_strength(item, person, np.sign(choices), reach=1)

    assert rate.se is not None
    assert (found.value, found.se) == pytest.approx((2 * rate.value - 1, 2 * rate.se))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_exchanging_the_systems_mirrors_the_strength(seed: int) -> None:
    item, person, choices = votes(seed, items=12)

    one, other = (mean_strength(item, person, sign * choices, reach=2) for sign in (1, -1))

    assert other.value == pytest.approx(-one.value)
    assert one.low is not None
    assert other.high is not None
    assert other.high == pytest.approx(-one.low)
    assert -1 <= one.low <= one.value <= (one.high or 0) <= 1


def test_strength_that_never_varies_has_no_interval() -> None:
    item, person, _ = votes(1)
    found = mean_strength(item, person, np.full(item.size, 2), reach=2)

    assert (found.value, found.low) == (1.0, None)
    assert "no interval" in found.method


@pytest.mark.parametrize(
    ("choices", "reach", "message"),
    [
        ([3, 0], 2, "outside the scale"),
        ([], 2, "differ in length"),
        ([1, 0], 0, "at least 1"),
    ],
)
def test_impossible_choices_are_refused(choices: list[int], reach: int, message: str) -> None:
    with pytest.raises(UndefinedError, match=message):
        mean_strength([1, 2], [1, 2], choices, reach=reach)


def test_strength_on_a_single_item_is_undefined() -> None:
    found = attempt(mean_strength, [1, 1, 1], [1, 2, 3], [2, 1, 0], reach=2)

    assert found == Undefined("all votes are of a single item", 3)
