"""How the preference follows length: against an independent fit, and silent where it must be."""

import random

import numpy as np
import pytest
import statsmodels.api as sm

from evals.stats.estimates import Estimate, Undefined
from evals.stats.length import LengthFit, length_fit


def rows_of(
    items: int, *, base: float = 0.3, slope: float = 0.0, side: float = 0.0, votes: int = 3,
    shift: float = 0.0, seed: int = 1,
) -> list[list[int]]:  # fmt: skip
    """Votes drawn from the model itself, one row for each item."""
    draw = random.Random(seed)
    found = []
    for _ in range(items):
        longer = round(draw.gauss(shift, 400))
        row = [longer, 0, 0, 0, 0, 0, 0, 1]
        for vote in range(votes):
            left = vote % 2 == 0
            logit = base + slope * np.tanh(longer / 400) + side * (0.5 if left else -0.5)
            won = draw.random() < 1 / (1 + np.exp(-logit))
            row[(1 if left else 3) + (not won)] += 1
        found.append(row)
    return found


def estimates(fit: LengthFit) -> tuple[Estimate, Estimate]:
    assert isinstance(fit.at_equal, Estimate)
    assert isinstance(fit.slope, Estimate)
    return fit.at_equal, fit.slope


def test_fit_is_that_of_an_independent_program() -> None:
    rows = rows_of(150, slope=0.8, side=0.4)
    spread = np.std([row[0] for row in rows], ddof=1)
    features, said, clusters = [], [], []
    for number, row in enumerate(rows):
        for column, side in ((1, 0.5), (3, -0.5)):
            for won, votes in ((1, row[column]), (0, row[column + 1])):
                features += [[1, np.tanh(row[0] / spread), side]] * votes
                said += [won] * votes
                clusters += [number] * votes

    expected = sm.GLM(said, np.array(features), family=sm.families.Binomial()).fit(
        cov_type="cluster",
        cov_kwds={"groups": clusters, "use_correction": False},
    )
    at_equal, slope = estimates(length_fit(rows))

    assert slope.value == pytest.approx(expected.params[1], rel=1e-6)
    assert slope.se == pytest.approx(expected.bse[1] * np.sqrt(150 / 149), rel=1e-6)
    assert at_equal.value == pytest.approx(1 / (1 + np.exp(-expected.params[0])), rel=1e-6)
    assert at_equal.n == len(said)


def test_equal_items_counted_together_are_the_same_items() -> None:
    rows = rows_of(60, slope=0.5)
    folded: dict[tuple[int, ...], int] = {}
    for row in rows + rows:
        folded[tuple(row[:7])] = folded.get(tuple(row[:7]), 0) + 1

    together = length_fit([[*row, times] for row, times in folded.items()])

    apart = length_fit(rows + rows)
    assert estimates(together)[0].value == pytest.approx(estimates(apart)[0].value)
    assert estimates(together)[1].se == pytest.approx(estimates(apart)[1].se or 0)


def test_exchanging_the_systems_mirrors_the_rate() -> None:
    rows = rows_of(100, slope=0.6, side=0.2)
    # The other system's length, its wins, and it stands on the other side.
    mirrored = [[-d, rl, rw, ll, lw, ul, uw, n] for d, lw, ll, rw, rl, uw, ul, n in rows]

    one, other = estimates(length_fit(rows)), estimates(length_fit(mirrored))

    assert other[0].value == pytest.approx(1 - one[0].value)
    assert other[1].value == pytest.approx(one[1].value)


def test_length_alone_leaves_no_preference_at_equal_length() -> None:
    fit = length_fit(rows_of(1500, base=0.0, slope=1.5, shift=150))

    at_equal, slope = estimates(fit)
    assert at_equal.low is not None
    assert at_equal.high is not None
    assert at_equal.low < 0.5 < at_equal.high
    assert slope.low is not None
    assert slope.low > 1


def test_interval_covers_in_most_draws() -> None:
    true = 1 / (1 + np.exp(-0.3))
    covered = 0
    for seed in range(200):
        at_equal, _ = estimates(length_fit(rows_of(80, slope=0.7, seed=seed)))
        covered += (at_equal.low or 0) <= true <= (at_equal.high or 1)

    assert covered >= 180


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "there are 0 items"),
        (rows_of(19), "there are 19 items"),
        (rows_of(50, shift=5000), "has the longer output in 0 % of items"),
        (rows_of(50, shift=-5000), "has the longer output in 0 % of items"),
        ([[7, *row[1:]] for row in rows_of(30)], "is the same in all pairs"),
        ([[d, d > 0, d <= 0, 0, 0, 0, 0, 1] for d in range(-30, 31)], "no fit settles"),
        ([[d, 1, 0, 0, 0, 0, 0, 1] for d in range(-30, 31)], "no fit settles"),
    ],
)
def test_where_nothing_can_be_told_the_reason_is(rows: list[list[int]], reason: str) -> None:
    fit = length_fit(rows)

    assert isinstance(fit.at_equal, Undefined)
    assert reason in fit.at_equal.reason
    assert fit.slope == fit.at_equal


def test_votes_of_unknown_side_are_fitted_without_it() -> None:
    rows = [[d, 0, 0, 0, 0, lw + rw, ll + rl, n] for d, lw, ll, rw, rl, _, _, n in rows_of(60)]

    assert isinstance(length_fit(rows).at_equal, Estimate)
