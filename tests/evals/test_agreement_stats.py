"""What stands beside kappa: published figures, second implementations, what must always hold."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evals.stats.agreement import scott_pi
from evals.stats.disagreement import pair_counts, pairs_apart, share_of_pairs
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined
from evals.stats.gwet import gwet_ac2, gwet_ac2_of_counts
from evals.stats.kappa import WEIGHTS, cohen_kappa, disagreement_weights
from evals.stats.pairs import bias_pairs, even_kappa_pairs, prevalence_pairs, scott_pairs
from evals.stats.pooled import isolated_kappa, pool_kappa, pooled_estimate
from evals.stats.scales import points_summary, row_summary

Counts = npt.NDArray[np.int64]
TABLES = hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 30))
# Feinstein & Cicchetti, J. Clin. Epidemiol. 43 (1990) 543-549: the same agreement of 85 %,
# balanced and lopsided.
BALANCED, LOPSIDED = [[40, 9], [6, 45]], [[80, 10], [5, 5]]


def value(found: Estimate | Undefined) -> float:
    assert isinstance(found, Estimate), found
    return found.value


def test_two_paradoxes_have_their_published_indices() -> None:
    # Byrt, Bishop & Carlin (1993): prevalence |a - d|/n, bias |b - c|/n, adjusted kappa 2p - 1.
    tables = [BALANCED, LOPSIDED]

    prevalences = prevalence_pairs(tables)

    assert [value(one.index) for one in prevalences] == pytest.approx([0.05, 0.75])
    assert [one.category for one in prevalences] == [1, 0]
    assert [value(one) for one in bias_pairs(tables)] == pytest.approx([0.03, 0.05])
    assert [value(one) for one in even_kappa_pairs(tables)] == pytest.approx([0.70, 0.70])
    assert [round(cohen_kappa(table).value, 2) for table in tables] == [0.70, 0.32]
    assert [one.chance for one in prevalences] == pytest.approx([0.5002, 0.78], abs=5e-3)


def test_scotts_pi_of_many_pairs_is_that_of_one() -> None:
    # Scott (1955) by way of Krippendorff's worked table of two observers.
    tables = np.random.default_rng(3).integers(0, 30, (20, 3, 3))

    for table, found in zip(tables, scott_pairs(tables), strict=True):
        assert value(found) == pytest.approx(scott_pi(table, draws=10).value)


def test_scotts_interval_is_that_of_the_bootstrap() -> None:
    table = np.array([[60, 12, 5], [8, 40, 9], [4, 11, 51]])

    (closed,) = scott_pairs([table])
    drawn = scott_pi(table, draws=4000, seed=3)

    assert isinstance(closed, Estimate)
    assert closed.low == pytest.approx(drawn.low, abs=0.015)
    assert closed.high == pytest.approx(drawn.high, abs=0.015)


def spread(table: Counts, statistic: Any, draws: int = 3000) -> float:
    """Standard deviation over resamples of the items of a table."""
    rng = np.random.default_rng(5)
    shares = table.ravel() / table.sum()
    found = [
        statistic(rng.multinomial(int(table.sum()), shares).reshape(table.shape))
        for _ in range(draws)
    ]
    return float(np.std(found))


def prevalence_by_hand(table: Counts) -> float:
    used = (table.sum(axis=0) + table.sum(axis=1)) / (2 * table.sum())
    return float((len(table) * used.max() - 1) / (len(table) - 1))


def bias_by_hand(table: Counts) -> float:
    return float(np.abs(table.sum(axis=0) - table.sum(axis=1)).sum() / (2 * table.sum()))


def test_indices_and_their_errors_are_those_of_resampling() -> None:
    table = np.array([[120, 30, 5], [6, 20, 8], [2, 4, 25]])

    (prevalence,), (bias,) = prevalence_pairs([table]), bias_pairs([table])

    assert value(prevalence.index) == pytest.approx(prevalence_by_hand(table))
    assert value(bias) == pytest.approx(bias_by_hand(table))
    assert isinstance(prevalence.index, Estimate)
    assert isinstance(bias, Estimate)
    assert prevalence.index.se == pytest.approx(spread(table, prevalence_by_hand), rel=0.08)
    assert bias.se == pytest.approx(spread(table, bias_by_hand), rel=0.1)


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_what_stands_beside_kappa_keeps_its_range(table: Counts) -> None:
    found: list[Estimate | Undefined] = [
        prevalence_pairs([table])[0].index,
        *bias_pairs([table]),
        *even_kappa_pairs([table]),
        *scott_pairs([table]),
    ]

    for one, least in zip(found, (0, 0, -0.5, -1), strict=True):
        if isinstance(one, Undefined):
            assert one.reason
        else:
            assert least - 1e-9 <= one.value <= 1 + 1e-9
            assert one.low is None or one.low - 1e-9 <= one.value <= (one.high or 0) + 1e-9
    if table.sum() == 0:
        assert all(isinstance(one, Undefined) for one in found)


def test_turning_a_table_changes_nothing_beside_kappa() -> None:
    tables = np.random.default_rng(4).integers(1, 30, (10, 3, 3))

    for one, other in zip(bias_pairs(tables), bias_pairs(tables.swapaxes(1, 2)), strict=True):
        assert value(one) == pytest.approx(value(other))
    for one, other in zip(scott_pairs(tables), scott_pairs(tables.swapaxes(1, 2)), strict=True):
        assert value(one) == pytest.approx(value(other))


def test_one_category_leaves_pi_undefined_with_its_words() -> None:
    (found,) = scott_pairs([[[0, 0], [0, 7]]], labels=("the baseline", "the candidate"))

    assert isinstance(found, Undefined)
    assert found.reason.startswith("both chose the candidate on all 7 items")


def votes_of(raters: int, items: int, seed: int, categories: int = 3) -> Counts:
    """Raters by items, each following the item half of the time; -1 where somebody is missing."""
    rng = np.random.default_rng(seed)
    own = rng.integers(0, categories, items)
    drawn = rng.integers(0, categories, (raters, items))
    votes = np.where(rng.random((raters, items)) < 0.5, own, drawn)
    votes[rng.random((raters, items)) < 0.3] = -1
    return votes


def tables_of(votes: Counts, categories: int = 3) -> Counts:
    found = []
    for one, other in itertools.combinations(votes, 2):
        table = np.zeros((categories, categories), dtype=np.int64)
        for a, b in zip(one, other, strict=True):
            if a >= 0 and b >= 0:
                table[a, b] += 1
        found.append(table)
    return np.array(found)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_one_pair_pooled_is_cohens_kappa(weights: str) -> None:
    table = np.array([[20, 5, 2], [3, 15, 6], [1, 4, 30]])

    pooled = pool_kappa([table], weights)
    estimate = pooled_estimate(
        pooled, weights, int(table.sum()), float((table * pooled.influence[0] ** 2).sum())
    )
    single = cohen_kappa(table, weights)

    assert estimate.value == pytest.approx(single.value)
    assert estimate.se == pytest.approx(single.se, rel=0.01)
    assert estimate.n == single.n


def test_complete_ratings_pool_to_congers_kappa() -> None:
    # Conger (1980): mean agreement and mean chance agreement over all pairs of raters.
    rng = np.random.default_rng(8)
    votes = rng.integers(0, 3, (4, 60))
    tables = tables_of(votes)

    agreed = np.mean([np.trace(t) / 60 for t in tables])
    chance = np.mean([t.sum(axis=1) @ t.sum(axis=0) / 3600 for t in tables])

    assert pool_kappa(tables).value == pytest.approx((agreed - chance) / (1 - chance))


@pytest.mark.parametrize("weights", WEIGHTS)
def test_pooled_errors_are_those_of_a_jackknife_over_items(weights: str) -> None:
    votes = votes_of(5, 150, seed=2)
    pooled = pool_kappa(tables_of(votes), weights)
    pairs = list(itertools.combinations(range(5), 2))
    sums = np.array(
        [
            sum(
                pooled.influence[number, item[a], item[b]]
                for number, (a, b) in enumerate(pairs)
                if item[a] >= 0 and item[b] >= 0
            )
            for item in votes.T
        ]
    )
    shared = int(((votes >= 0).sum(axis=0) > 1).sum())

    found = pooled_estimate(pooled, weights, shared, float((sums**2).sum()))

    left_out = np.array(
        [pool_kappa(tables_of(np.delete(votes, i, 1)), weights).value for i in range(150)]
    )
    jackknife = np.sqrt(149 / 150 * np.sum((left_out - np.mean(left_out)) ** 2))
    assert sums.sum() == pytest.approx(0, abs=1e-9)
    assert found.se == pytest.approx(jackknife, rel=0.05)
    assert found.low is not None
    assert found.low < found.value < (found.high or 0)


def rows_against_others(votes: Counts, who: int, categories: int = 3) -> list[list[int]]:
    rows = []
    for item in votes.T:
        if item[who] >= 0:
            others = np.delete(item, who)
            counts = np.bincount(others[others >= 0], minlength=categories)
            rows.append([int(item[who]), *counts.tolist(), 1])
    return rows


def test_one_against_one_is_cohens_kappa() -> None:
    votes = votes_of(2, 200, seed=6)

    found = isolated_kappa(rows_against_others(votes, 0))
    single = cohen_kappa(tables_of(votes)[0])

    assert found.value == pytest.approx(single.value)
    assert found.se == pytest.approx(single.se, rel=0.01)
    assert found.n == single.n


def test_errors_of_one_against_all_are_those_of_a_jackknife() -> None:
    rows = rows_against_others(votes_of(6, 120, seed=7), 2)
    shared = [row for row in rows if sum(row[1:-1])]

    found = isolated_kappa(rows)

    left_out = np.array(
        [isolated_kappa(shared[:i] + shared[i + 1 :]).value for i in range(len(shared))]
    )
    n = len(shared)
    jackknife = np.sqrt((n - 1) / n * np.sum((left_out - np.mean(left_out)) ** 2))
    assert found.n == n
    assert found.se == pytest.approx(jackknife, rel=0.05)


def test_pooling_nothing_says_why() -> None:
    for tables, reason in (
        (np.zeros((0, 3, 3)), "no two annotators share an item"),
        (np.zeros((2, 3, 3)), "no two annotators share an item"),
        ([[[4, 0], [0, 0]], [[0, 0], [0, 9]]], "each pair put all that it shares into one"),
    ):
        with pytest.raises(UndefinedError, match=reason):
            pool_kappa(tables)
    with pytest.raises(UndefinedError, match="nobody else"):
        isolated_kappa([[1, 0, 0, 0, 5]])
    with pytest.raises(UndefinedError, match="one and the same category"):
        isolated_kappa([[1, 0, 2, 0, 5]])


def test_pairs_are_counted_as_one_by_one() -> None:
    kinds = [(2, 1, 0), (1, 1, 1), (0, 3, 0), (4, 0, 2), (1, 0, 0)]

    found = pair_counts(kinds)

    for i, kind in enumerate(kinds):
        votes = [-1] * kind[0] + [0] * kind[1] + [1] * kind[2]
        pairs = list(itertools.combinations(votes, 2))
        assert found.pairs[i] == len(pairs)
        assert found.reversed[i] == sum(a * b < 0 for a, b in pairs)
        assert found.near[i] == sum((a == 0) != (b == 0) for a, b in pairs)
    assert pairs_apart([[0, 2, 1, 3, 4], [1, 1, 0, 0, 1]], 2).tolist() == [6, 0]


def test_a_share_of_pairs_is_clustered_by_item() -> None:
    few = share_of_pairs([1, 0], [2, 2], [30, 30])
    many = share_of_pairs([1, 0], [2, 2], [300, 300])

    assert isinstance(few, Estimate)
    assert isinstance(many, Estimate)
    assert few.value == many.value == 0.25
    assert (few.n, many.n) == (60, 600)
    assert (few.high or 0) - (few.low or 0) > 2 * ((many.high or 0) - (many.low or 0))
    nothing = share_of_pairs([0], [0], [10])
    assert isinstance(nothing, Undefined)
    assert nothing.reason == "no two judgements of an item differ"


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_ac2_of_counts_is_that_of_ratings(weights: str) -> None:
    rng = np.random.default_rng(9)
    ratings = rng.integers(1, 6, (3, 40))
    units = [np.bincount(item - 1, minlength=5).tolist() for item in ratings.T]

    ours = gwet_ac2_of_counts(units, None, weights)
    theirs = gwet_ac2(ratings.tolist(), [1, 2, 3, 4, 5], weights)

    assert ours == theirs


def test_short_studies_say_that_their_intervals_are_short() -> None:
    rows, times = [[2, 1, 0], [0, 0, 3], [1, 1, 1]], [10, 20, 9]

    for summary in (points_summary, row_summary):
        for few, many in zip(
            summary(rows, times).values(),
            summary(rows, [10 * n for n in times]).values(),
            strict=True,
        ):
            assert isinstance(few, Estimate)
            assert isinstance(many, Estimate)
            assert "fewer than 50 units: interval too short" in few.method
            assert "too short" not in many.method


def test_weights_of_the_scale_reach_from_0_to_1() -> None:
    for weights in WEIGHTS:
        distance = disagreement_weights(7, weights)
        assert (distance.min(), distance.max()) == (0, 1)
