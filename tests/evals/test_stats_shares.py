"""Shares, paired outcomes and several tests at once, against scipy and statsmodels."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from evals.stats.errors import UndefinedError
from evals.stats.estimates import Undefined, attempt
from evals.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm
from evals.stats.paired import (
    mcnemar_exact,
    mcnemar_mid_p,
    newcombe_paired_difference,
    noninferiority_paired,
)
from evals.stats.proportions import (
    binomial_test_exact,
    clopper_pearson_interval,
    newcombe_independent_difference,
    wilson_interval,
    zero_failure_bound,
)

SHARES = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
RATES = st.sampled_from([0.0, 1.0]) | st.floats(1e-9, 1 - 1e-9)
LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])
PAIRED = st.lists(st.integers(0, 60), min_size=4, max_size=4).map(lambda c: [c[:2], c[2:]])


@given(share=SHARES, level=LEVELS)
def test_wilson_and_clopper_pearson_match_statsmodels(share: tuple[int, int], level: float) -> None:
    for ours, method in ((wilson_interval, "wilson"), (clopper_pearson_interval, "beta")):
        result = ours(*share, level)
        theirs = proportion_confint(*share, alpha=1 - level, method=method)

        assert (result.low, result.high) == pytest.approx(theirs, abs=1e-9)
        assert result.low <= result.value <= result.high  # type: ignore[operator]


def test_wilson_matches_the_published_example() -> None:
    # Newcombe (1998), table I: 81 of 263.
    result = wilson_interval(81, 263)

    assert f"{result.low:.4f} {result.high:.4f}" == "0.2553 0.3662"


@given(first=SHARES, second=SHARES, level=LEVELS)
def test_independent_difference_matches_statsmodels(
    first: tuple[int, int], second: tuple[int, int], level: float
) -> None:
    result = newcombe_independent_difference(*first, *second, level)
    theirs = confint_proportions_2indep(*first, *second, method="newcomb", alpha=1 - level)

    assert (result.low, result.high) == pytest.approx(theirs, abs=1e-8)


@given(share=SHARES, p0=RATES, side=st.sampled_from(["two-sided", "greater", "less"]))
@settings(max_examples=200)
def test_binomial_test_matches_scipy(share: tuple[int, int], p0: float, side: Any) -> None:
    theirs = stats.binomtest(*share, p0, side).pvalue

    assert binomial_test_exact(*share, p0, side) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 7, 20, 41, 5000])
def test_the_exact_test_of_one_half_matches_scipy(n: int) -> None:
    for good in range(0, n + 1, max(1, n // 41)):
        theirs = stats.binomtest(good, n, 0.5).pvalue

        assert binomial_test_exact(good, n, 0.5) == pytest.approx(theirs, abs=1e-12)


@given(table=PAIRED)
def test_mcnemar_matches_statsmodels_and_forgets_who_is_first(table: list[list[int]]) -> None:
    ours = attempt(mcnemar_exact, table)
    flipped = [list(column) for column in zip(*table, strict=True)]
    if isinstance(ours, Undefined):
        assert table[0][1] + table[1][0] == 0
        return

    assert ours == pytest.approx(mcnemar(table, exact=True).pvalue, abs=1e-12)
    assert ours == mcnemar_exact(flipped)
    assert mcnemar_mid_p(table) == mcnemar_mid_p(flipped)
    assert mcnemar_mid_p(table) < ours or ours == 1


def test_paired_difference_matches_the_published_example() -> None:
    # Newcombe (1998), airway hyper-responsiveness before and after transplantation.
    table = [[1, 1], [7, 12]]
    result = newcombe_paired_difference(table)

    assert f"{result.value:.3f} {result.low:.3f} {result.high:.3f}" == "-0.286 -0.507 -0.026"
    assert f"{mcnemar_exact(table):.4f} {mcnemar_mid_p(table):.4f}" == "0.0703 0.0391"


@given(table=PAIRED)
def test_swapping_the_systems_mirrors_the_difference(table: list[list[int]]) -> None:
    ours = attempt(newcombe_paired_difference, table)
    other = attempt(newcombe_paired_difference, [list(row) for row in zip(*table, strict=True)])
    if isinstance(ours, Undefined) or isinstance(other, Undefined):
        assert ours == other
        return

    assert -1 <= ours.low <= ours.value <= ours.high <= 1  # type: ignore[operator]
    assert (-(other.high or 0), -(other.low or 0)) == pytest.approx((ours.low, ours.high))


@pytest.mark.parametrize(
    ("table", "decision"),
    [
        ([[540, 31], [29, 100]], "passes"),
        ([[300, 12], [71, 117]], "regresses"),
        ([[61, 5], [6, 18]], "not enough data"),
    ],
)
def test_a_regression_is_judged_by_the_whole_interval(
    table: list[list[int]], decision: str
) -> None:
    assert noninferiority_paired(table, 0.05).decision == decision


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_corrections_match_statsmodels(values: list[float]) -> None:
    pairs = ((holm, "holm"), (benjamini_hochberg, "fdr_bh"), (benjamini_yekutieli, "fdr_by"))
    for ours, method in pairs:
        result = ours(values, 0.05)
        theirs = multipletests(values, 0.05, method=method)[1]

        assert result.p_values == pytest.approx(theirs.tolist(), abs=1e-12)
        assert result.rejected == int((np.array(result.p_values) <= 0.05).sum())


@pytest.mark.parametrize(("n", "printed"), [(30, "9.50"), (100, "2.95"), (300, "0.99")])
def test_zero_failures_leave_room_for_some(n: int, printed: str) -> None:
    assert f"{100 * zero_failure_bound(n):.2f}" == printed
    exact = clopper_pearson_interval(0, n, 0.9).high
    assert zero_failure_bound(n) == pytest.approx(exact, abs=1e-12)


def test_intervals_hold_their_promise() -> None:
    # Exact coverage at p = .3, n = 40: Wilson near 95 % on either side, Clopper-Pearson above.
    chances = stats.binom.pmf(np.arange(41), 40, 0.3)
    cover = {}
    for method in (wilson_interval, clopper_pearson_interval):
        results = [method(k, 40) for k in range(41)]
        inside = [r.low <= 0.3 <= r.high for r in results]  # type: ignore[operator]
        cover[method.__name__] = float(chances @ np.array(inside))

    assert 0.93 < cover["wilson_interval"] < 0.97
    assert cover["clopper_pearson_interval"] >= 0.95


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(UndefinedError, match="2 rows and 2 columns"):
        mcnemar_exact([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
