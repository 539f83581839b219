"""Strengths, latencies, sequential looks, judges and plans."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evals.stats.bradley_terry import bradley_terry
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.judges import alternative_annotator_test, ppi_mean
from evals.stats.latency import quantile_hazen, quantile_ratio, smallest_sample
from evals.stats.planning import (
    Needed,
    design_effect,
    judgements_needed,
    more_needed,
    sample_size_proportion,
)
from evals.stats.preference import clustered_win_rate
from evals.stats.proportions import (
    binomial_test_exact,
    clopper_pearson_interval,
    clopper_pearson_limits,
    wilson_interval,
)
from evals.stats.sequential import (
    asymptotic_confidence_sequence,
    beta_binomial_e_value,
    normal_mixture_boundary,
)


def test_strengths_of_journals_match_the_published_fit() -> None:
    # Agresti (2002), citations among four journals of statistics; R package BradleyTerry2.
    pairs = [
        [0, 1, 730, 33, 0], [0, 2, 498, 320, 0], [0, 3, 221, 284, 0],
        [1, 2, 68, 813, 0], [1, 3, 17, 276, 0], [2, 3, 142, 325, 0],
    ]  # fmt: skip

    fit = bradley_terry(4, pairs)

    gaps = [fit.difference(item, 0)[0] for item in (1, 2, 3)]
    assert [f"{gap:.4f}" for gap in gaps] == ["-2.9491", "-0.4796", "0.2690"]
    assert sum(fit.values) == pytest.approx(0, abs=1e-12)


def test_strengths_and_their_errors_match_a_logistic_regression() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 5, 800), rng.integers(1, 5, 800)
    second = (first + second) % 5
    won = (rng.random(800) < 1 / (1 + np.exp(0.4 * (second - first)))).astype(int)
    design = np.eye(5)[first] - np.eye(5)[second]

    theirs = sm.GLM(won, design[:, 1:], family=sm.families.Binomial()).fit(cov_type="HC0")
    rows = np.column_stack((first, second, won, 1 - won, np.zeros(800, int)))
    fit = bradley_terry(5, rows)

    for item in range(1, 5):
        gap, se = fit.difference(item, 0)
        assert gap == pytest.approx(theirs.params[item - 1], abs=1e-6)
        assert se == pytest.approx(theirs.bse[item - 1], abs=1e-6)


@pytest.mark.parametrize("q", [0.0, 0.01, 0.42, 0.5, 0.99, 1.0])
def test_hazen_quantile_matches_numpy(q: float) -> None:
    values = np.random.default_rng(1).lognormal(size=137)

    assert quantile_hazen(values, q) == pytest.approx(np.quantile(values, q, method="hazen"))


def test_a_99th_percentile_needs_enough_requests_for_one_to_lie_beyond_it() -> None:
    needed = smallest_sample(0.99)
    values = np.random.default_rng(1).lognormal(size=220)

    result = attempt(quantile_ratio, values, values)

    assert 1 - 0.99**needed >= 0.975 > 1 - 0.99 ** (needed - 1)
    assert result == Undefined(f"220 requests, p99 needs {needed}", 220)


def test_a_system_is_as_fast_as_itself_and_twice_as_fast_as_one_twice_as_slow() -> None:
    values = np.random.default_rng(1).lognormal(sigma=0.6, size=2000)

    same, double = quantile_ratio(values, values), quantile_ratio(2 * values, values)

    assert (same.value, double.value) == pytest.approx((1, 2))
    assert same.low is not None
    assert same.high is not None
    assert same.low < 1 < same.high
    assert (double.low, double.high) == pytest.approx((2 * same.low, 2 * same.high))
    assert same == quantile_ratio(values, values)


def test_the_published_boundary_is_reproduced() -> None:
    # confseq, test of normal_mixture_bound.
    assert f"{normal_mixture_boundary(100, 0.05, 100, 0.05).value:.5f}" == "30.35209"


def test_a_daily_look_errs_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(200):
        scores = rng.choice([0.0, 0.5, 1.0], p=[0.45, 0.1, 0.45], size=300)
        alarms += any(
            beta_binomial_e_value(float(scores[:n].sum()), n).log_value >= math.log(20)
            for n in range(20, 301, 20)
        )

    assert alarms / 200 <= 0.05


@given(wins=st.integers(0, 300), losses=st.integers(0, 300), half=st.integers(0, 1))
def test_ends_of_the_sequence_are_where_the_evidence_suffices(
    wins: int, losses: int, half: int
) -> None:
    n = wins + losses + half
    if n == 0:
        return
    x = wins + half / 2
    result = beta_binomial_e_value(x, n, 0.5)

    assert 0 <= result.low <= x / n <= result.high <= 1
    for end in (result.low, result.high):
        if 1e-6 < end < 1 - 1e-6:  # nearer, one float more changes the logarithm
            at_end = beta_binomial_e_value(x, n, end).log_value
            assert at_end == pytest.approx(math.log(20), abs=1e-6)


def test_overwhelming_evidence_has_no_float_but_a_logarithm() -> None:
    result = beta_binomial_e_value(5000, 5000)

    assert result.value is None
    assert result.log_value > 3000


def test_a_sequence_narrows_with_items() -> None:
    widths = [asymptotic_confidence_sequence(0.6, 0.4, n).value for n in (20, 60, 200, 600)]

    assert widths == sorted(widths, reverse=True)


def test_a_perfect_judge_sharpens_and_a_useless_one_is_left_aside() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(400)
    human = truth[:60]

    alone = 1.96 * human.std(ddof=1) / np.sqrt(60)
    good = ppi_mean(human, truth[:60], truth[60:])
    useless = ppi_mean(human, 1 - human, 1 - truth[60:])

    assert good.high is not None
    assert good.high - good.value < 0.5 * alone
    assert useless.weight == 0
    assert useless.value == pytest.approx(human.mean())


def test_a_judge_who_is_one_of_the_people_passes_and_a_coin_fails() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 120)

    def person() -> list[int]:
        labels = np.where(rng.random(120) < 0.85, truth, rng.integers(0, 3, 120))
        return [int(label) for label in labels]

    people = [person() for _ in range(4)]
    coin: list[int] = rng.integers(0, 3, 120).tolist()

    assert alternative_annotator_test(people, person()).passes
    failed = alternative_annotator_test(people, coin)
    assert (failed.passes, failed.value) == (False, 0.0)
    shuffled = alternative_annotator_test(people[::-1], coin)
    assert shuffled.p_values == pytest.approx(failed.p_values[::-1])


def test_sample_sizes_match_the_plan_and_exact_power() -> None:
    size = sample_size_proportion(0.5, 0.6)
    assert (size.first, size.value) == (199, 210)
    assert sample_size_proportion(0.5, 0.6, power=0.9).value == 274

    def power(n: int) -> float:
        chances = stats.binom.pmf(np.arange(n + 1), n, 0.6)
        tails = stats.binom.sf(np.arange(n + 1) - 1, n, 0.5), stats.binom.cdf(range(n + 1), n, 0.5)
        return float(chances[(tails[0] <= 0.025) | (tails[1] <= 0.025)].sum())

    assert power(199) >= 0.8 > power(209)
    assert all(power(n) < 0.8 for n in range(150, 199))
    assert all(power(n) >= 0.8 for n in range(210, 400))


@given(p0=st.floats(0.1, 0.9), gap=st.floats(0.1, 0.3), side=st.sampled_from([-1, 1]))
@settings(max_examples=30, deadline=None)
def test_swapping_success_and_failure_keeps_the_sample_size(
    p0: float, gap: float, side: int
) -> None:
    p0, p1 = round(p0, 3), round(min(0.99, max(0.01, p0 + side * gap)), 3)
    if p0 == p1:
        return
    ours = attempt(sample_size_proportion, p0, p1)
    mirrored = attempt(sample_size_proportion, round(1 - p0, 3), round(1 - p1, 3))

    assert ours == mirrored


def test_as_many_more_judgements_as_foretold_do_settle_it() -> None:
    now = wilson_interval(130, 200)
    needed = more_needed(now, 0.6)

    assert needed.more is not None
    assert needed.more > 0
    total = 200 + needed.more
    assert wilson_interval(round(0.65 * total) + 1, total).low >= 0.6  # type: ignore[operator]
    fewer = total - 40
    assert wilson_interval(round(0.65 * fewer) - 1, fewer).low < 0.6  # type: ignore[operator]
    assert judgements_needed(0.65, 0.6).more == pytest.approx(total, abs=1)


@pytest.mark.parametrize(
    ("passed", "n", "bar"), [(47, 50, 0.85), (95, 100, 0.9), (30, 30, 0.9), (130, 200, 0.6)]
)
def test_the_forecast_of_an_exact_interval_goes_by_that_interval(
    passed: int, n: int, bar: float
) -> None:
    needed = more_needed(clopper_pearson_interval(passed, n), bar).more

    assert needed is not None
    share, total = passed / n, n + needed
    assert clopper_pearson_limits(share * total, total)[0] >= bar
    assert clopper_pearson_limits(share * (total - 1), total - 1)[0] < bar


def test_the_forecast_looks_up_from_below_as_it_looks_down_from_above() -> None:
    failed, passed = clopper_pearson_interval(4, 50), clopper_pearson_interval(46, 50)

    assert more_needed(failed, 0.15, "at most") == more_needed(passed, 0.85)
    # 28 in a row have a lower limit of 0.877, 35 of 0.9.
    assert more_needed(clopper_pearson_interval(28, 28), 0.9).more == 8
    assert more_needed(clopper_pearson_interval(9_001, 10_000), 0.9).reason == (
        "the present value is too near the threshold"
    )


def test_the_forecast_counts_judgements_that_say_as_much_as_fewer() -> None:
    items, people = np.repeat(np.arange(60), 2), np.tile([1, 2], 60)
    rate = clustered_win_rate(items, people, np.repeat([1.0, 0.0], [90, 30]), cluster="auto")
    assert rate.exact
    assert rate.design_effect == pytest.approx(2, rel=0.05)

    needed = more_needed(rate, 0.7).more

    single = more_needed(clopper_pearson_interval(45, 60), 0.7).more
    assert single is not None
    assert needed == pytest.approx(2 * single, rel=0.1)


def test_more_judgements_are_not_promised_where_they_would_not_help() -> None:
    assert more_needed(wilson_interval(100, 200), 0.6).reason == (
        "the present value is on the wrong side of the threshold"
    )
    assert more_needed(wilson_interval(6001, 10_000), 0.6).reason == (
        "the present value is too near the threshold"
    )
    assert more_needed(wilson_interval(180, 200), 0.6) == Needed(0)
    assert more_needed(Estimate(1.0, None, None, 5, ""), 0.6).more is None


def test_a_difference_and_a_ratio_shrink_with_the_root_of_n() -> None:
    difference = Estimate(-0.02, -0.06, 0.02, 200, "")
    ratio = Estimate(1.6, 1.1, 2.4, 1000, "")

    points = more_needed(difference, -0.05, "at least", "points")
    times = more_needed(ratio, 2.0, "at most", "ratio")

    assert points.more == 156  # 200·((.04/.03)² - 1)
    assert times.more == math.ceil(1000 * ((math.log(1.5) / math.log(1.25)) ** 2 - 1))


def test_repeated_votes_are_worth_less() -> None:
    assert design_effect(3, 0.5) == 2.0
    one, twice = judgements_needed(0.7, 0.6), judgements_needed(0.7, 0.6, design_effect=2)
    assert (one.more, twice.more) == (93, 185)


def test_an_even_split_of_a_fair_coin_is_no_surprise_at_all() -> None:
    assert binomial_test_exact(5, 10, 0.5) == 1.0
