"""What holds of every statistic, whatever the data: names, order and empty rows change nothing,
exchanging the systems mirrors the answer, coefficients keep their range, intervals their value."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evals.stats.agreement import fleiss_kappa, krippendorff_alpha, percent_agreement, scott_pi
from evals.stats.bradley_terry import Strengths, bradley_terry
from evals.stats.checks import Floats, Ints
from evals.stats.concordance import calibration, separation, side_agreement
from evals.stats.disagreement import share_of_pairs
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.gwet import gwet_ac1, gwet_ac2
from evals.stats.judged_rates import people_alone, with_the_judge
from evals.stats.judges import AlternativeAnnotator, alternative_annotator_test, ppi_mean
from evals.stats.kappa import cohen_kappa
from evals.stats.latency import quantile_hazen, quantile_interval, quantile_ratio
from evals.stats.length import length_fit
from evals.stats.means import mean_interval, ratio_of_means
from evals.stats.paired import newcombe_paired_difference
from evals.stats.pairs import bias_pairs, even_kappa_pairs, prevalence_pairs, scott_pairs
from evals.stats.pooled import isolated_kappa, pool_kappa
from evals.stats.preference import clustered_left_share
from evals.stats.proportions import (
    clopper_pearson_interval,
    newcombe_independent_difference,
    wilson_interval,
    zero_failure_bound,
)
from evals.stats.regression import regressions
from evals.stats.relative import relative_difference
from evals.stats.sequential import asymptotic_confidence_sequence, beta_binomial_e_value
from evals.stats.strength import mean_strength
from tests.evals.judging_inputs import Pair, items_of

DRAWS = 60
CATEGORIES = (1, 2, 3, 4)
# Annotators by items; a rating may be missing.
RATINGS = st.lists(
    st.lists(st.sampled_from([*CATEGORIES, None]), min_size=9, max_size=9), min_size=2, max_size=4
)
TABLES = hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 12))
STACKS = hnp.arrays(np.int64, (3, 3, 3), elements=st.integers(0, 9))
UNITS = hnp.arrays(np.int64, (8, 3), elements=st.integers(0, 4))
PAIRED = hnp.arrays(np.int64, (2, 2), elements=st.integers(0, 30))
NUMBERS = hnp.arrays(np.float64, 12, elements=st.floats(-50, 50, width=32))
PEOPLE = hnp.arrays(np.float64, 12, elements=st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]))
TIMES = hnp.arrays(np.float64, 400, elements=st.floats(0.125, 60, width=32))
SEEDS = st.integers(0, 10_000)
LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])
OF_RATINGS: dict[str, Callable[[Any], Estimate]] = {
    "percent": lambda ratings: percent_agreement(ratings, draws=DRAWS),
    "alpha, nominal": lambda ratings: krippendorff_alpha(ratings, "nominal", draws=DRAWS),
    "alpha, ordinal": lambda ratings: krippendorff_alpha(ratings, "ordinal", draws=DRAWS),
    "alpha, interval": lambda ratings: krippendorff_alpha(ratings, "interval", draws=DRAWS),
    "AC1": lambda ratings: gwet_ac1(ratings, CATEGORIES),
    "AC2, linear": lambda ratings: gwet_ac2(ratings, CATEGORIES, "linear"),
    "AC2, quadratic": lambda ratings: gwet_ac2(ratings, CATEGORIES, "quadratic"),
}
# Any names will do; the others go by the order of the categories, and may be turned round.
NAMELESS = ("percent", "alpha, nominal", "AC1")


def same(one: Any, other: Any) -> None:
    """The same number and as many observations, or no number on either side."""
    assert isinstance(one, Undefined) == isinstance(other, Undefined)
    if isinstance(one, Estimate):
        assert other.value == pytest.approx(one.value, abs=1e-9)
        assert other.n == one.n
        if one.se is not None:
            assert other.se == pytest.approx(one.se, abs=1e-7)


def mirrored(one: Any, other: Any, about: float = 0.0) -> None:
    assert isinstance(one, Undefined) == isinstance(other, Undefined)
    if isinstance(one, Estimate):
        assert other.value == pytest.approx(about - one.value, abs=1e-9)
        assert (one.low is None) == (other.low is None)
        if one.low is not None and one.high is not None:
            assert other.low == pytest.approx(about - one.high, abs=1e-7)
            assert other.high == pytest.approx(about - one.low, abs=1e-7)


def holds(one: Any, low: float = -np.inf, high: float = np.inf) -> None:
    """A number lies in its range and in its interval; where there is none, a reason is given."""
    if isinstance(one, Undefined):
        assert one.reason
        return
    assert low - 1e-9 <= one.value <= high + 1e-9
    assert (one.low is None) == (one.high is None)
    if one.low is not None:
        assert low - 1e-9 <= one.low <= one.value + 1e-9
        assert one.value - 1e-9 <= one.high <= high + 1e-9
    assert one.n > 0
    assert one.method


# Agreement of ratings.


@pytest.mark.parametrize("name", OF_RATINGS)
@given(ratings=RATINGS, order=st.randoms())
@settings(max_examples=25)
def test_order_of_annotators_and_of_items_and_empty_items_change_nothing(
    name: str, ratings: list[list[Any]], order: Any
) -> None:
    statistic = OF_RATINGS[name]
    people = order.sample(ratings, len(ratings))
    items = order.sample(range(9), 9)
    found = attempt(statistic, ratings)

    same(found, attempt(statistic, people))
    same(found, attempt(statistic, [[row[item] for item in items] for row in ratings]))
    same(found, attempt(statistic, [[*row, None] for row in ratings]))
    same(found, attempt(statistic, [*ratings, [None] * 9]))


@pytest.mark.parametrize("name", OF_RATINGS)
@given(ratings=RATINGS, order=st.permutations(CATEGORIES))
@settings(max_examples=25)
def test_names_of_categories_change_nothing(
    name: str, ratings: list[list[Any]], order: list[int]
) -> None:
    statistic = OF_RATINGS[name]
    names = order if name in NAMELESS else CATEGORIES[::-1]
    renamed = dict(zip((*CATEGORIES, None), (*names, None), strict=True))

    other = attempt(statistic, [[renamed[said] for said in row] for row in ratings])

    same(attempt(statistic, ratings), other)


@pytest.mark.parametrize("name", OF_RATINGS)
@given(ratings=RATINGS)
@settings(max_examples=25)
def test_agreement_is_at_most_1_and_inside_its_interval(
    name: str, ratings: list[list[Any]]
) -> None:
    low = 0.0 if name == "percent" else -1.0 if name == "AC1" else -np.inf
    holds(attempt(OF_RATINGS[name], ratings), low, 1.0)


# Tables of pairs.


@given(table=TABLES, stack=STACKS, units=UNITS)
@settings(max_examples=40)
def test_kappas_are_at_most_1_and_inside_their_intervals(
    table: Ints, stack: Ints, units: Ints
) -> None:
    for weights in ("unweighted", "linear", "quadratic"):
        holds(attempt(cohen_kappa, table, weights), -1.0, 1.0)
        pooled = attempt(pool_kappa, stack, weights)
        assert isinstance(pooled, Undefined) or pooled.value <= 1 + 1e-9
    holds(attempt(scott_pi, table), -1.0, 1.0)
    holds(attempt(fleiss_kappa, units, draws=DRAWS), -1.0, 1.0)
    for found in (scott_pairs(stack), even_kappa_pairs(stack)):
        for one in found:
            holds(one, -1.0, 1.0)
    for one in (*(row.index for row in prevalence_pairs(stack)), *bias_pairs(stack)):
        holds(one, 0.0, 1.0)
    own = np.column_stack((np.arange(8) % 3, units, np.ones(8, dtype=np.int64)))
    holds(attempt(isolated_kappa, own), -1.0, 1.0)
    holds(attempt(isolated_kappa, own[::-1]), -1.0, 1.0)
    same(attempt(isolated_kappa, own), attempt(isolated_kappa, own[::-1]))


@given(stack=STACKS, order=st.permutations(range(3)))
@settings(max_examples=40)
def test_who_is_first_and_which_pair_comes_first_change_nothing(
    stack: Ints, order: list[int]
) -> None:
    turned = np.swapaxes(stack, 1, 2)
    for weights in ("unweighted", "linear", "quadratic"):
        one = attempt(pool_kappa, stack, weights)
        for other in (
            attempt(pool_kappa, stack[order], weights),
            attempt(pool_kappa, turned, weights),
        ):
            assert isinstance(one, Undefined) == isinstance(other, Undefined)
            if not isinstance(one, Undefined) and not isinstance(other, Undefined):
                assert other.value == pytest.approx(one.value, abs=1e-9)
    renamed = stack[:, order][:, :, order]
    for statistic in (scott_pairs, even_kappa_pairs, bias_pairs):
        for rows in (turned, renamed):
            for mine, its in zip(statistic(stack), statistic(rows), strict=True):
                same(mine, its)


@given(units=UNITS, order=st.permutations(range(3)))
@settings(max_examples=40)
def test_fleiss_does_not_know_names_nor_order(units: Ints, order: list[int]) -> None:
    even = units[units.sum(axis=1) == np.bincount(units.sum(axis=1)).argmax()]
    one = attempt(fleiss_kappa, even, draws=DRAWS)

    same(one, attempt(fleiss_kappa, even[:, order], draws=DRAWS))
    same(one, attempt(fleiss_kappa, even[::-1], draws=DRAWS))


# Shares, differences, means.


@given(successes=st.integers(0, 60), more=st.integers(0, 60), level=LEVELS)
def test_shares_hold_their_value_and_are_mirrored_by_failures(
    successes: int, more: int, level: float
) -> None:
    n = successes + more
    for interval in (wilson_interval, clopper_pearson_interval):
        one = attempt(interval, successes, n, level)
        holds(one, 0.0, 1.0)
        mirrored(one, attempt(interval, more, n, level), 1.0)
    there = attempt(newcombe_independent_difference, successes, n, more, n, level)
    holds(there, -1.0, 1.0)
    mirrored(there, attempt(newcombe_independent_difference, more, n, successes, n, level))
    if n:
        assert 0 < zero_failure_bound(n, level) < 1


@given(table=PAIRED, level=LEVELS)
def test_paired_outcomes_hold_their_value(table: Ints, level: float) -> None:
    holds(attempt(newcombe_paired_difference, table, level), -1.0, 1.0)
    mirrored(
        attempt(newcombe_paired_difference, table, level),
        attempt(newcombe_paired_difference, table.T, level),
    )
    holds(attempt(relative_difference, table, level), -1.0)
    (found,) = regressions([table], 0.05, level)
    (again, other) = regressions([table, np.zeros((2, 2), np.int64)], 0.05, level)
    holds(found.difference, -1.0, 1.0)
    # A category without cases can raise no alarm, so it changes none.
    assert (again.status, again.p) == (found.status, found.p)
    assert isinstance(other.difference, Undefined)


@given(n=st.integers(1, 50), mean=st.floats(-9, 9), spread=st.floats(0, 9), level=LEVELS)
def test_means_hold_their_value_and_are_mirrored(
    n: int, mean: float, spread: float, level: float
) -> None:
    one = attempt(mean_interval, n, mean, spread, confidence=level)
    holds(one)
    mirrored(one, attempt(mean_interval, n, -mean, spread, confidence=level))
    over = attempt(mean_interval, n, abs(mean) + 1, spread, confidence=level)
    under = attempt(mean_interval, n, abs(mean) + 2, spread, confidence=level)
    if isinstance(over, Estimate) and isinstance(under, Estimate):
        ratio, back = attempt(ratio_of_means, over, under), attempt(ratio_of_means, under, over)
        holds(ratio, 0.0)
        if isinstance(ratio, Estimate) and isinstance(back, Estimate):
            assert ratio.value * back.value == pytest.approx(1)


@given(values=TIMES, other=TIMES, q=st.sampled_from([0.5, 0.95, 0.99]), level=LEVELS)
@settings(max_examples=20)
def test_quantiles_do_not_know_the_order_and_hold_their_value(
    values: Floats, other: Floats, q: float, level: float
) -> None:
    one = attempt(quantile_interval, values, q, level)
    holds(one, 0.0)
    same(one, attempt(quantile_interval, values[::-1], q, level))
    assert quantile_hazen(-values, 1 - q) == pytest.approx(-quantile_hazen(values, q), abs=1e-6)
    ratio = attempt(quantile_ratio, values, other, q, draws=200)
    back = attempt(quantile_ratio, other, values, q, draws=200)
    holds(ratio, 0.0)
    assert isinstance(ratio, Undefined) == isinstance(back, Undefined)
    if isinstance(ratio, Estimate) and isinstance(back, Estimate):
        assert ratio.value * back.value == pytest.approx(1)


@given(mean=st.floats(0, 1), sd=st.floats(0.01, 0.5), n=st.integers(2, 3000), level=LEVELS)
def test_sequences_hold_the_mean_and_are_wider_than_a_single_look(
    mean: float, sd: float, n: int, level: float
) -> None:
    found = asymptotic_confidence_sequence(mean, sd, n, 1 - level)
    assert found.low < mean < found.high
    assert found.value > 1.2 * sd / np.sqrt(n)
    wins = round(mean * n)
    evidence, other = (beta_binomial_e_value(x, n, alpha=1 - level) for x in (wins, n - wins))
    assert evidence.low <= wins / n <= evidence.high
    assert other.log_value == pytest.approx(evidence.log_value, abs=1e-7)
    assert (other.low, other.high) == pytest.approx((1 - evidence.high, 1 - evidence.low))


# Metrics, lengths, strengths.


@given(metric=NUMBERS, people=PEOPLE, order=st.permutations(range(12)))
def test_a_metric_beside_people_does_not_know_order_nor_which_system_is_which(
    metric: Floats, people: Floats, order: list[int]
) -> None:
    for statistic in (side_agreement, separation):
        one = attempt(statistic, metric, people)
        holds(one, 0.0, 1.0)
        same(one, attempt(statistic, metric[order], people[order]))
        same(one, attempt(statistic, -metric, -people))
        mirrored(one, attempt(statistic, -metric, people), 1.0)
    bins = attempt(calibration, metric, people)
    if not isinstance(bins, Undefined):
        for part in bins:
            assert part.people is None or isinstance(part.people, Estimate)
            holds(part.people or Undefined("a single item"), 0.0, 1.0)


@given(seed=SEEDS)
@settings(max_examples=25)
def test_length_does_not_know_the_order_nor_which_system_is_which(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.column_stack(
        (rng.integers(-300, 300, 40), rng.integers(0, 3, (40, 6)), np.ones(40, np.int64))
    )
    rows = rows[rows[:, 1:7].any(axis=1)]
    # Exchanged, the candidate stands on the other side, and its wins are losses.
    back = rows[:, [0, 4, 3, 2, 1, 6, 5, 7]] * np.array([-1, 1, 1, 1, 1, 1, 1, 1])
    one, other, turned = (length_fit(part) for part in (rows, rows[::-1], back))

    holds(one.at_equal, 0.0, 1.0)
    holds(one.slope)
    same(one.at_equal, other.at_equal)
    same(one.slope, turned.slope)
    mirrored(one.at_equal, turned.at_equal, 1.0)


@given(seed=SEEDS, reach=st.sampled_from([2, 3]))
@settings(max_examples=40)
def test_strength_and_left_share_know_neither_order_nor_names(seed: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    items, people = rng.integers(0, 9, 40), rng.integers(0, 6, 40)
    said, order = rng.integers(-reach, reach + 1, 40), rng.permutation(40)
    renamed = rng.permutation(9)[items][order], rng.permutation(6)[people][order]

    one = attempt(mean_strength, items, people, said, reach=reach)
    holds(one, -1.0, 1.0)
    same(one, attempt(mean_strength, *renamed, said[order], reach=reach))
    mirrored(one, attempt(mean_strength, items, people, -said, reach=reach))
    left = (said > 0).astype(int)
    share = attempt(clustered_left_share, items, people, left)
    holds(share, 0.0, 1.0)
    same(share, attempt(clustered_left_share, *renamed, left[order]))
    mirrored(share, attempt(clustered_left_share, items, people, 1 - left), 1.0)


@given(rows=hnp.arrays(np.int64, (6, 3), elements=st.integers(0, 5)))
def test_shares_of_pairs_hold_their_value(rows: Ints) -> None:
    inside = np.column_stack((rows[:, 0] + rows[:, 1], rows[:, 1], rows[:, 2] + 1))
    one = attempt(share_of_pairs, *_pairs(inside))
    holds(one, 0.0, 1.0)
    same(one, attempt(share_of_pairs, *_pairs(inside[::-1])))


def _pairs(rows: Ints) -> tuple[Floats, Floats, Floats]:
    """Those that have it, all pairs, and the items with just these."""
    whole, part, times = rows.T.astype(float)
    return part, whole, times


# Several systems.


@given(seed=SEEDS, order=st.permutations(range(4)))
@settings(max_examples=40)
def test_strengths_know_neither_names_nor_who_is_first(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(i, j, *(int(n) for n in rng.integers(0, 12, 3))) for i in range(4) for j in range(i)]
    one = attempt(bradley_terry, 4, pairs)
    turned = attempt(bradley_terry, 4, [(j, i, lost, won, ties) for i, j, won, lost, ties in pairs])
    named = attempt(bradley_terry, 4, [(order[i], order[j], *rest) for i, j, *rest in pairs])
    empty = attempt(bradley_terry, 4, [*pairs, (0, 1, 0, 0, 0)])
    losing = attempt(bradley_terry, 4, [(i, j, lost, won, ties) for i, j, won, lost, ties in pairs])

    for other in (turned, named, empty, losing):
        assert isinstance(one, Undefined) == isinstance(other, Undefined)
    if isinstance(one, Undefined):
        return
    assert sum(one.values) == pytest.approx(0, abs=1e-8)
    values = np.array(one.values)
    for other, sign in ((turned, 1), (empty, 1), (losing, -1)):
        assert isinstance(other, Strengths)
        assert np.allclose(other.values, sign * values, atol=1e-7)
    assert isinstance(named, Strengths)
    assert np.allclose(np.array(named.values)[order], values, atol=1e-7)
    there, back = one.difference(0, 1), one.difference(1, 0)
    assert (back[0], back[1]) == pytest.approx((-there[0], there[1]))


# Judges.


@given(seed=SEEDS, order=st.permutations(range(3)))
@settings(max_examples=25)
def test_the_annotator_test_knows_neither_order_nor_names(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    ratings = rng.integers(0, 3, (3, 40)).tolist()
    judge = rng.integers(0, 3, 40).tolist()
    words = ["tie", "old", "new"]

    one = attempt(alternative_annotator_test, ratings, judge)
    moved = attempt(alternative_annotator_test, [ratings[n] for n in order], judge)
    named = attempt(
        alternative_annotator_test,
        [[words[said] for said in row] for row in ratings], [words[said] for said in judge],
    )  # fmt: skip

    assert isinstance(one, AlternativeAnnotator)
    assert isinstance(moved, AlternativeAnnotator)
    assert moved.value == one.value
    assert moved.advantage == pytest.approx(one.advantage)
    assert moved.p_values == pytest.approx([one.p_values[n] for n in order])
    assert named == one


@given(seed=SEEDS)
@settings(max_examples=25)
def test_people_and_judge_know_neither_order_nor_which_system_is_which(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [
        Pair(int(rng.integers(-1, 2)), tuple(rng.integers(-1, 2, 2).tolist()) if n < 25 else ())
        for n in range(60)
    ]
    back = [Pair(-(one.judge or 0), [-(said or 0) for said in one.people]) for one in pairs]
    there = items_of(pairs, 2)

    for find in (people_alone, with_the_judge):
        for without_ties in (False, True):
            one = attempt(find, there, without_ties=without_ties)
            holds(one, 0.0, 1.0)
            same(one, attempt(find, items_of(pairs[::-1], 2), without_ties=without_ties))
            mirrored(one, attempt(find, items_of(back, 2), without_ties=without_ties), 1.0)
    human, judge = rng.random(20), rng.random(20)
    unseen = rng.random(50)
    mean = attempt(ppi_mean, human, judge, unseen)
    holds(mean)
    mirrored(mean, attempt(ppi_mean, 1 - human, 1 - judge, 1 - unseen), 1.0)
