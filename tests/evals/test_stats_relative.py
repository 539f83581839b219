"""The relative change of two paired shares, against published figures and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.planning import more_needed
from evals.stats.relative import relative_difference

TABLES = st.lists(st.integers(0, 60), min_size=4, max_size=4).map(lambda c: [c[:2], c[2:]])


@pytest.mark.parametrize(
    ("table", "ratio", "low", "high"),
    [
        # Fagerland, Lydersen & Laake, Stat. Med. 33 (2014), 2850-2875: airway hyper-responsiveness
        # before and after a transplantation, by the interval of Bonett and Price.
        ([[1, 1], [7, 12]], 0.25, 0.068, 0.923),
    ],
)
def test_the_ratio_matches_published_figures(
    table: list[list[int]], ratio: float, low: float, high: float
) -> None:
    found = relative_difference(table)

    assert found.value + 1 == pytest.approx(ratio)
    assert found.low is not None
    assert found.high is not None
    assert (round(found.low + 1, 3), round(found.high + 1, 3)) == (low, high)
    assert found.n == 21


@pytest.mark.parametrize(
    ("n", "baseline", "candidate"), [(60, 0.6, 0.66), (60, 0.9, 0.95), (400, 0.5, 0.65)]
)
def test_the_interval_covers_as_often_as_it_says(n: int, baseline: float, candidate: float) -> None:
    both = baseline * candidate + 0.4 * np.sqrt(
        baseline * (1 - baseline) * candidate * (1 - candidate)
    )
    shares = [both, candidate - both, baseline - both, 1 - baseline - candidate + both]
    drawn = np.random.default_rng(7).multinomial(n, shares, 2000)

    intervals = [relative_difference(cells.reshape(2, 2)) for cells in drawn]

    truth = candidate / baseline - 1
    covered = np.mean([(e.low or 0) <= truth <= (e.high or 0) for e in intervals])
    assert 0.935 <= covered <= 0.985


@given(table=TABLES)
def test_the_interval_holds_the_value_and_exchanging_the_systems_inverts_it(
    table: list[list[int]],
) -> None:
    (a, b), (c, d) = table
    if a + b == 0 or a + c == 0:
        return

    found, other = relative_difference(table), relative_difference([[a, c], [b, d]])

    assert found.low is not None
    assert found.high is not None
    assert other.low is not None
    assert -1 <= found.low <= found.value <= found.high
    assert (1 + found.high) * (1 + other.low) == pytest.approx(1)


@pytest.mark.parametrize("table", [[[0, 5], [0, 3]], [[0, 0], [0, 3]], [[0, 0], [0, 0]]])
def test_nothing_is_relative_to_a_baseline_that_passes_nothing(table: list[list[int]]) -> None:
    with pytest.raises(UndefinedError):
        relative_difference(table)


def test_how_many_more_cases_goes_by_the_logarithm_of_the_ratio() -> None:
    estimate = Estimate(0.12, 0.02, 0.23, 100, "")

    needed = more_needed(estimate, 0.05, "at least", "relative")
    as_ratio = more_needed(Estimate(1.12, 1.02, 1.23, 100, ""), 1.05, "at least", "ratio")

    assert needed == as_ratio
    assert needed.more == 111
