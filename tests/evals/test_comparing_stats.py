"""Formulas of comparisons, held against second implementations, published plans and simulation."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from evals.stats import latency
from evals.stats.checks import Floats
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined
from evals.stats.latency import _resampled, quantile_hazen, quantile_interval
from evals.stats.means import mean_interval, ratio_of_means, ratio_of_paired_means
from evals.stats.regression import (
    cases_to_detect,
    cases_to_rule_out,
    detectable_difference,
    mcnemar_loss,
    regressions,
)

ALIKE = [[10, 0], [0, 0]]


def table(both: int, won: int, lost: int, neither: int) -> list[list[int]]:
    return [[both, won], [lost, neither]]


def test_the_one_sided_p_is_half_of_the_exact_two_sided_one_when_more_was_lost() -> None:
    for won, lost in itertools.product(range(9), range(9)):
        p = mcnemar_loss(table(5, won, lost, 3))
        other = scipy.stats.binomtest(lost, won + lost, alternative="greater").pvalue if (
            won + lost
        ) else 1.0  # fmt: skip

        assert p == pytest.approx(other)
        if lost > won:
            two_sided = mcnemar(np.array(table(5, won, lost, 3)), exact=True).pvalue
            assert 2 * p == pytest.approx(two_sided)


def test_one_category_of_five_that_falls_from_ten_to_three_is_the_only_one_flagged() -> None:
    found = regressions([ALIKE, ALIKE, table(3, 0, 7, 0), ALIKE, table(8, 1, 1, 0)], 0.05)

    assert [one.status for one in found] == [
        "not enough cases", "not enough cases", "regressed", "not enough cases",
        "not enough cases",
    ]  # fmt: skip
    assert found[2].p == pytest.approx(2**-7)


def test_it_is_flagged_among_twelve_too_since_the_others_cannot_alarm() -> None:
    found = regressions([*[ALIKE] * 11, table(3, 0, 7, 0)], 0.05)

    assert [one.status for one in found].index("regressed") == 11
    assert found[11].adjusted == pytest.approx(2**-7)
    assert found[0].adjusted is None


def test_categories_that_can_alarm_are_corrected_by_holm() -> None:
    tables = [table(30, 1, 8, 2), table(30, 2, 9, 2), table(40, 5, 5, 0), table(40, 1, 1, 0)]

    found = regressions(tables, 0.05)

    wanted = multipletests([mcnemar_loss(one) for one in tables[:3]], method="holm")[1]
    assert [one.adjusted for one in found[:3]] == pytest.approx(list(wanted))
    assert found[3].adjusted is None


def test_a_loss_beyond_the_margin_is_ruled_out_by_enough_cases() -> None:
    (found,) = regressions([table(480, 5, 5, 10)], 0.05)

    assert found.status == "no regression shown"
    assert isinstance(found.difference, Estimate)
    assert found.difference.low is not None
    assert found.difference.low > -0.05


def test_a_real_loss_within_the_margin_is_no_regression() -> None:
    (found,) = regressions([table(1950, 2, 28, 20)], 0.05)

    assert found.p < 0.001
    assert found.status == "no regression shown"


def test_a_category_without_cases_has_not_enough() -> None:
    (found,) = regressions([table(0, 0, 0, 0)], 0.05)

    assert found.status == "not enough cases"
    assert isinstance(found.difference, Undefined)


def test_status_never_contradicts_its_interval() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        one = rng.multinomial(rng.integers(1, 300), rng.dirichlet([4, 1, 1, 2])).tolist()
        (found,) = regressions([table(*one)], 0.05)
        assert isinstance(found.difference, Estimate)
        low = found.difference.low
        assert low is not None
        assert (found.status == "no regression shown") == (low > -0.05)
        if found.status == "regressed":
            assert found.difference.value < -0.05
        if found.needed is not None:
            assert found.needed > found.difference.n


def alarm_share(suites: int, categories: int, cases: int, rng: np.random.Generator) -> float:
    """How often two like systems are said to have regressed anywhere."""
    alarms = 0
    for _ in range(suites):
        shares = rng.dirichlet([8, 1, 1, 2], size=categories)
        # Alike: as many cases won as lost, in the long run.
        even = (shares[:, 1] + shares[:, 2]) / 2
        shares[:, 1] = shares[:, 2] = even
        tables = [table(*rng.multinomial(cases, share).tolist()) for share in shares]
        alarms += any(one.status == "regressed" for one in regressions(tables, 0.05))
    return alarms / suites


@pytest.mark.parametrize("cases", [20, 60])
def test_like_systems_are_flagged_in_at_most_one_suite_of_twenty(cases: int) -> None:
    share = alarm_share(400, 12, cases, np.random.default_rng(11))

    # Three standard errors of 400 suites above 5 % would be 8.3 %.
    assert share <= 0.05


def test_planned_cases_equal_connors_published_plan() -> None:
    # Detecting 5 points with 80 % power at a discordance of .1, .2 and .3.
    assert [cases_to_detect(0.05, share) for share in (0.1, 0.2, 0.3)] == [312, 626, 940]


def test_detectable_difference_solves_the_plan() -> None:
    for splits, n in ((30, 300), (60, 312), (200, 700)):
        delta = detectable_difference(splits, n)

        assert cases_to_detect(delta, splits / n) == pytest.approx(n, abs=1)


def test_detectable_difference_has_the_promised_power_by_simulation() -> None:
    n, share = 300, 0.2
    delta = detectable_difference(60, n)
    rng = np.random.default_rng(2)
    won, lost = (share + delta) / 2, (share - delta) / 2
    draws = rng.multinomial(n, [won, lost, 1 - share], size=4000)
    z = (draws[:, 0] - draws[:, 1]) / np.sqrt(np.maximum(1, draws[:, 0] + draws[:, 1]))

    assert (z > 1.96).mean() == pytest.approx(0.8, abs=0.03)


def test_few_cases_and_like_systems_detect_nothing() -> None:
    with pytest.raises(UndefinedError, match="never differ"):
        detectable_difference(0, 30)
    with pytest.raises(UndefinedError, match="too few cases"):
        detectable_difference(2, 10)


def test_cases_to_rule_out_a_loss_follow_the_plan_and_the_interval() -> None:
    # (1.96 + .8416)² · .1 / .05² with the discordance seen on many cases.
    assert cases_to_rule_out(99_999, 999_998, 0.05) == 314
    # Without one case that differs the interval itself needs 73 cases.
    assert cases_to_rule_out(0, 10_000, 0.05) == 73
    assert cases_to_rule_out(1, 20, 0.0) is None


def test_cases_to_rule_out_keep_their_promise_by_simulation() -> None:
    n = cases_to_rule_out(9, 98, 0.05)
    assert n is not None
    rng = np.random.default_rng(4)
    draws = rng.multinomial(n, [0.7, 0.05, 0.05, 0.2], size=600)
    shown = [
        regressions([table(*draw)], 0.05)[0].status == "no regression shown"
        for draw in draws.tolist()
    ]

    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


def test_mean_interval_equals_statsmodels() -> None:
    values = np.random.default_rng(1).normal(3, 2, 40)

    found = mean_interval(40, values.mean(), values.std(ddof=1))

    assert (found.low, found.high) == pytest.approx(DescrStatsW(values).tconfint_mean())


def test_equal_or_single_values_have_no_interval() -> None:
    assert mean_interval(5, 2.0, 0.0).low is None
    assert mean_interval(1, 2.0, None).high is None
    with pytest.raises(UndefinedError, match="no values"):
        mean_interval(0, None, None)


def test_ratio_of_means_covers_the_truth() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(600):
        sides = [rng.lognormal(mu, 0.6, 60) for mu in (0.2, 0.0)]
        over, under = (mean_interval(60, one.mean(), one.std(ddof=1)) for one in sides)
        found = ratio_of_means(over, under)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= math.exp(0.2) <= found.high

    assert hits / 600 == pytest.approx(0.95, abs=0.03)


def paired_ratio(over: Floats, under: Floats) -> Estimate:
    sides = [(float(side.mean()), float(side.std(ddof=1))) for side in (over, under)]
    return ratio_of_paired_means(over.size, sides[0], sides[1], float(np.cov(over, under)[0, 1]))


def pairs(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Lengths of two systems that follow the same prompts; the ratio of their means is exp(0.3)."""
    prompts, own = rng.normal(size=n), rng.normal(size=(2, n))
    one, other = (0.8 * prompts + 0.6 * each for each in own)
    return np.exp(0.3 + 0.6 * one), np.exp(0.6 * other)


def test_ratio_of_paired_means_equals_the_textbook_s_residuals_and_the_jackknife() -> None:
    over, under = pairs(np.random.default_rng(2), 400)
    found = paired_ratio(over, under)

    residuals = over / over.mean() - under / under.mean()
    low, high = DescrStatsW(residuals).tconfint_mean()
    assert found.low == pytest.approx(found.value * math.exp(low))
    assert found.high == pytest.approx(found.value * math.exp(high))
    left_out = np.log((over.sum() - over) / (under.sum() - under))
    jackknife = math.sqrt(399 / 400 * float(((left_out - left_out.mean()) ** 2).sum()))
    assert float(residuals.std(ddof=1)) / 20 == pytest.approx(jackknife, rel=0.02)


def test_ratio_of_paired_means_covers_the_truth_and_is_narrower_than_of_independent_ones() -> None:
    rng = np.random.default_rng(9)
    hits, narrower = 0, 0
    for _ in range(600):
        over, under = pairs(rng, 200)
        found = paired_ratio(over, under)
        sides = [mean_interval(200, one.mean(), one.std(ddof=1)) for one in (over, under)]
        apart = ratio_of_means(*sides)
        assert found.low is not None
        assert found.high is not None
        assert apart.low is not None
        hits += found.low <= math.exp(0.3) <= found.high
        narrower += found.low > apart.low

    assert hits / 600 == pytest.approx(0.95, abs=0.03)
    assert narrower == 600


def test_exchanging_the_sides_inverts_the_ratio_of_paired_means() -> None:
    over, under = pairs(np.random.default_rng(3), 30)
    found, back = paired_ratio(over, under), paired_ratio(under, over)

    assert found.low is not None
    assert back.high is not None
    assert (back.value, back.high) == pytest.approx((1 / found.value, 1 / found.low))


def test_a_ratio_without_spread_has_no_interval_and_of_nothing_is_undefined() -> None:
    under = np.array([1.1, 2.2, 3.7])

    assert paired_ratio(3 * under, under).low is None
    assert ratio_of_paired_means(1, (4.0, None), (2.0, None), None).value == 2
    with pytest.raises(UndefinedError, match="no pairs"):
        ratio_of_paired_means(0, (None, None), (None, None), None)
    with pytest.raises(UndefinedError, match="above 0"):
        ratio_of_paired_means(2, (0.0, 0.0), (2.0, 1.0), 0.0)


@pytest.mark.parametrize(("q", "n"), [(0.5, 40), (0.95, 150), (0.99, 400)])
def test_quantile_interval_equals_scipy_and_covers(q: float, n: int) -> None:
    rng = np.random.default_rng(6)
    truth = math.exp(0.5 * float(scipy.stats.norm.ppf(q)))
    hits = 0
    for _ in range(300):
        values = rng.lognormal(0, 0.5, n)
        found = quantile_interval(values, q)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    other = scipy.stats.quantile_test(values, p=q, q=0).confidence_interval(0.95)

    assert (found.low, found.high) == pytest.approx((other.low, other.high))
    assert hits / 300 >= 0.93


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.99])
def test_a_quantile_ends_at_the_narrowest_ranks_that_leave_no_more_outside(
    q: float, level: float
) -> None:
    tail = (1 - level) / 2
    for n in [*range(1, 90), 1000, 12_345]:
        found = quantile_interval(np.arange(1.0, n + 1), q, level)
        below = scipy.stats.binom.cdf(np.arange(n), n, q)
        first, second = int((below <= tail).sum()), int((below < 1 - tail).sum()) + 1

        if first < 1 or second > n:
            assert found.low is None
        else:
            assert (found.low, found.high) == (first, second)


@pytest.mark.parametrize("guess", [0, 12, 30])
def test_ranks_are_right_wherever_their_search_begins(
    monkeypatch: pytest.MonkeyPatch, guess: int
) -> None:
    values = np.arange(1.0, 31.0)
    known = quantile_interval(values, 0.5)
    monkeypatch.setattr(latency, "binomial_place", lambda chance, n, p: guess)

    assert quantile_interval(values, 0.5) == known
    assert (known.low, known.high) == (10, 21)


def test_a_quantile_of_few_requests_has_a_value_and_no_interval() -> None:
    found = quantile_interval(np.arange(1.0, 101.0), 0.99)

    assert found.value == pytest.approx(99.5)
    assert found.low is None
    assert found.method.endswith("100 requests, an interval needs 368")


@pytest.mark.parametrize(("q", "n"), [(0.5, 7), (0.5, 300), (0.95, 120), (0.99, 400), (0.999, 30)])
def test_drawing_ranks_has_the_law_of_resampling_values(q: float, n: int) -> None:
    ordered = np.sort(np.random.default_rng(3).lognormal(0, 0.6, n))
    drawn = _resampled(ordered, q, 20_000, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    plain = [quantile_hazen(rng.choice(ordered, n), q) for _ in range(4_000)]

    # Steps of a bootstrap law may lie side by side: what counts is how far the laws are apart.
    assert scipy.stats.ks_2samp(drawn, plain).statistic < 0.035
