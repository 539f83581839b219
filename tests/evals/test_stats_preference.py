"""Win rate and left share: another implementation, invariances, coverage by simulation."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from evals.stats.errors import UndefinedError
from evals.stats.estimates import Undefined, attempt
from evals.stats.preference import (
    ClusteredRate,
    clustered_left_share,
    clustered_win_rate,
    win_rate_from_sums,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Votes = tuple[Ints, Ints, Floats]

VOTES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 6), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=60,
)


def simulated(seed: int, items: int, per_item: int, annotators: int, lean: float = 0.4) -> Votes:
    """Votes with items and annotators that lean one way; each judges an item once."""
    rng = np.random.default_rng(seed)
    of_item = np.repeat(np.arange(items), per_item)
    of_annotator = np.concatenate(
        [rng.permutation(annotators)[:per_item] for _ in range(items)]
    ).astype(np.int64)
    logit = lean + rng.normal(0, 1.5, items)[of_item] + rng.normal(0, 0.5, annotators)[of_annotator]
    scores = (rng.random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(float)
    scores[rng.random(len(logit)) < 0.1] = 0.5
    return of_item, of_annotator, scores


def histogram(codes: Ints, scores: Floats) -> list[list[float]]:
    """What a database would answer: votes, score sum, number of such clusters."""
    rows: dict[tuple[int, float], int] = {}
    for code in np.unique(codes):
        mine = scores[codes == code]
        key = (len(mine), float(mine.sum()))
        rows[key] = rows.get(key, 0) + 1
    return [[votes, total, times] for (votes, total), times in rows.items()]


def from_sums(items: Ints, annotators: Ints, scores: Floats, **options: Any) -> ClusteredRate:
    return win_rate_from_sums(
        len(scores), float(scores.sum()), float(scores @ scores),
        histogram(items, scores), histogram(annotators, scores), **options,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_two_way_error_matches_statsmodels(seed: int) -> None:
    items, annotators, scores = simulated(seed, 60, 3, 9)
    groups = np.column_stack((items, annotators))
    fit = sm.OLS(scores, np.ones_like(scores)).fit()
    n = len(scores)

    theirs = [
        sm.stats.sandwich_covariance.cov_cluster(fit, groups[:, side], use_correction=False)[0, 0]
        * size / (size - 1)
        for side, size in ((0, 60), (1, 9))
    ]  # fmt: skip
    cells = sm.stats.sandwich_covariance.cov_hc0(fit)[0, 0] * n / (n - 1)
    expected = max(sum(theirs) - cells, *theirs)

    assert clustered_win_rate(items, annotators, scores).se == pytest.approx(np.sqrt(expected))
    by_item = clustered_win_rate(items, annotators, scores, cluster="item")
    assert by_item.se == pytest.approx(np.sqrt(theirs[0]))


@pytest.mark.parametrize(("items", "per_item", "annotators"), [(40, 3, 8), (40, 3, 3), (25, 1, 1)])
def test_sums_of_a_database_give_what_the_votes_give(
    items: int, per_item: int, annotators: int
) -> None:
    votes = simulated(11, items, per_item, annotators)

    assert from_sums(*votes) == clustered_win_rate(*votes)


def test_rare_repeats_of_an_annotator_on_an_item_are_counted_as_cells() -> None:
    items, annotators, scores = simulated(2, 30, 3, 8)
    again = (
        np.concatenate((items, items[:20])),
        np.concatenate((annotators, annotators[:20])),
        np.concatenate((scores, scores[:20])),
    )
    cells = histogram(again[0] * 100 + again[1], again[2])

    by_votes = clustered_win_rate(*again)
    by_sums = from_sums(*again, cell_hist=cells)

    assert by_votes.se == pytest.approx(by_sums.se)
    assert by_votes != from_sums(*again)


def test_few_annotators_speak_for_themselves_only() -> None:
    votes = simulated(3, 50, 3, 4)

    auto = clustered_win_rate(*votes)

    assert "for these annotators (4)" in auto.method
    assert auto.se == clustered_win_rate(*votes, cluster="item").se
    assert auto.df == 49
    assert "for these annotators" not in clustered_win_rate(*simulated(3, 50, 3, 5)).method


def test_one_annotator_with_one_vote_for_each_item_gets_the_exact_interval() -> None:
    scores = np.array([1.0] * 12 + [0.0] * 8)

    result = clustered_win_rate(np.arange(20), np.zeros(20, int), scores)

    assert (result.low, result.high) == pytest.approx(proportion_confint(12, 20, method="beta"))
    assert result.df is None
    assert result.design_effect == 1.0
    # Twice the chance of 12 heads or more of 20: 2 · 263950/2^20.
    assert result.p_value == pytest.approx(2 * 263950 / 2**20)


def test_a_first_vote_has_a_wide_interval_not_an_error() -> None:
    result = clustered_win_rate([7], ["alice"], [1.0])

    assert (result.value, result.n) == (1.0, 1)
    assert result.low == pytest.approx(0.025)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_unanimous_votes_count_items_not_votes(score: float) -> None:
    items, annotators, _ = simulated(1, 30, 3, 8)

    result = clustered_win_rate(items, annotators, np.full(90, score))

    assert result.value == score
    assert (result.n_eff, result.df, result.design_effect) == (30.0, 7, 3.0)
    assert "the 30 items as votes" in result.method
    # Wilson with t of 7 degrees: 30/(30 + 2.3646²).
    edge = result.low if score else 1 - (result.high or 0)
    assert edge == pytest.approx(30 / (30 + 2.364624**2), abs=1e-6)
    assert result.p_value == pytest.approx(2 * 0.5**8)


def test_all_ties_are_one_half_with_an_interval() -> None:
    items, annotators, _ = simulated(1, 30, 3, 8)

    result = clustered_win_rate(items, annotators, np.full(90, 0.5))

    assert result.value == 0.5
    assert result.p_value is None
    assert result.low is not None
    assert result.low < 0.45


@given(votes=VOTES, cluster=st.sampled_from(["auto", "item", "item_and_annotator"]))
@settings(max_examples=150)
def test_swapping_the_systems_mirrors_the_answer(
    votes: list[tuple[int, int, float]], cluster: str
) -> None:
    items, annotators, scores = (list(column) for column in zip(*votes, strict=True))
    mirrored = [1 - score for score in scores]

    ours = attempt(clustered_win_rate, items, annotators, scores, cluster=cluster)
    theirs = attempt(clustered_win_rate, items, annotators, mirrored, cluster=cluster)

    if isinstance(ours, Undefined) or isinstance(theirs, Undefined):
        assert ours == theirs
        return
    assert ours.low is not None
    assert ours.high is not None
    assert 0 <= ours.low <= ours.value <= ours.high <= 1
    assert (1 - theirs.value, theirs.se) == pytest.approx((ours.value, ours.se), abs=1e-12)
    assert (1 - (theirs.high or 0), theirs.p_value) == pytest.approx((ours.low, ours.p_value))
    assert ours.design_effect is not None
    assert ours.design_effect >= 1


@given(votes=VOTES, seed=st.integers(0, 9))
@settings(max_examples=60)
def test_order_and_names_of_votes_do_not_matter(
    votes: list[tuple[int, int, float]], seed: int
) -> None:
    shuffled = np.random.default_rng(seed).permutation(len(votes))
    items, annotators, scores = (np.array(column) for column in zip(*votes, strict=True))
    names = np.array([f"item {number}" for number in items])

    ours = attempt(clustered_win_rate, items, annotators, scores)
    other = attempt(
        clustered_win_rate, names[shuffled], annotators[shuffled] * 1_000_003, scores[shuffled]
    )

    if isinstance(ours, Undefined):
        assert ours == other
        return
    assert isinstance(other, ClusteredRate)
    numbers = ("value", "low", "high", "se", "n_eff")
    for name in numbers:
        assert getattr(other, name) == pytest.approx(getattr(ours, name), rel=1e-9, abs=1e-12)


def test_the_interval_covers_where_the_naive_one_does_not() -> None:
    # 120 items x 3 votes, 20 annotators; the true rate by a large simulation of the model.
    truth = float(np.mean([simulated(1000 + s, 400, 3, 40)[2].mean() for s in range(60)]))
    hits = naive = 0
    for seed in range(300):
        items, annotators, scores = simulated(seed, 120, 3, 20)
        result = clustered_win_rate(items, annotators, scores)
        assert result.low is not None
        assert result.high is not None
        hits += result.low <= truth <= result.high
        half = 1.96 * np.sqrt(scores.mean() * (1 - scores.mean()) / len(scores))
        naive += abs(scores.mean() - truth) <= half

    assert hits / 300 >= 0.93
    assert naive / 300 < 0.90


def test_a_side_that_is_favoured_is_found_and_a_fair_one_is_not() -> None:
    items, annotators, _ = simulated(1, 80, 3, 10)
    rng = np.random.default_rng(4)
    fair = (rng.random(240) < 0.5).astype(int)
    left = (rng.random(240) < 0.7).astype(int)

    assert (clustered_left_share(items, annotators, fair).p_value or 0) > 0.05
    assert (clustered_left_share(items, annotators, left).p_value or 1) < 0.001


def test_a_tie_has_no_side() -> None:
    with pytest.raises(UndefinedError, match="1 \\(left\\) or 0 \\(right\\)"):
        clustered_left_share([1, 2, 3], [1, 2, 1], [1, 0.5, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 4}, "do not add up"),
        ({"total": 2.5}, "do not add up"),
        ({"total_squares": 9.0}, "not those of scores between 0 and 1"),
        ({"item_hist": [[1, 2.0, 3]]}, "outside 0 to its number of votes"),
        ({"item_hist": [[1, 1.0]]}, "rows of votes, score sum and number"),
        ({"annotator_hist": [[1.5, 1.0, 2]]}, "must be whole"),
        ({"n": 0}, "there are no votes"),
    ],
)
def test_sums_that_contradict_each_other_are_refused(change: dict[str, Any], message: str) -> None:
    sums: dict[str, Any] = {
        "n": 3,
        "total": 2.0,
        "total_squares": 2.0,
        "item_hist": [[1, 1.0, 2], [1, 0.0, 1]],
        "annotator_hist": [[2, 1.0, 1], [1, 1.0, 1]],
    }
    assert win_rate_from_sums(**sums).n == 3

    with pytest.raises(UndefinedError, match=message):
        win_rate_from_sums(**(sums | change))


def test_votes_on_a_single_item_have_no_interval_to_offer() -> None:
    result = attempt(clustered_win_rate, [1, 1, 1], ["a", "b", "c"], [1, 0, 1])

    assert result == Undefined("all votes are of a single item", 3)
