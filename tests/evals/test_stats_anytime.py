"""The sequence that may be looked at after every judgement: by definition, and by simulation."""

import math

import numpy as np
import pytest

from evals.stats.anytime import (
    STAKES,
    annotators_margin,
    betting_excludes,
    betting_limits,
    widened,
)
from evals.stats.errors import UndefinedError
from evals.stats.sequential import asymptotic_confidence_sequence, beta_binomial_e_value
from evals.tallies import Tally, counts_of

THIRDS = [0, 1 / 3, 2 / 3, 1]


def capital(scores: list[float], against: float) -> float:
    """The bettor on higher scores, one bet after the other."""
    ends = []
    for stake in STAKES:
        has = 1.0
        for score in scores:
            has *= 1 + stake * (score - against) / against
        ends.append(has)
    return float(np.mean(ends))


def test_ends_are_where_a_bettor_has_forty_times_their_capital() -> None:
    scores = [0, 1, 2 / 3, 1 / 3, 1, 1, 2 / 3, 1] * 4
    counts = [[scores.count(kind) for kind in THIRDS]]

    found = betting_limits(THIRDS, counts)

    low, high = float(found.low[0]), float(found.high[0])
    assert found.mean[0] == pytest.approx(np.mean(scores))
    assert capital(scores, low) == pytest.approx(40, rel=1e-5)
    assert capital([1 - score for score in scores], 1 - high) == pytest.approx(40, rel=1e-5)
    assert not betting_excludes(THIRDS, counts, [low + 1e-6])[0]
    assert betting_excludes(THIRDS, counts, [low - 1e-6])[0]
    assert betting_excludes(THIRDS, counts, [high + 1e-6])[0]


def test_looks_are_each_by_themselves_and_mirrored() -> None:
    looks = np.array([[1, 0, 0, 0], [4, 2, 1, 9], [40, 20, 10, 90]])

    found = betting_limits(THIRDS, looks)
    turned = betting_limits(THIRDS, looks[:, ::-1])

    assert found.low == pytest.approx(1 - turned.high, abs=1e-7)
    for row, low in zip(looks, found.low, strict=True):
        assert betting_limits(THIRDS, [row]).low[0] == pytest.approx(low)
    assert ((found.low <= found.mean) & (found.mean <= found.high)).all()
    assert betting_limits(THIRDS, np.zeros((0, 4))).mean.size == 0


def test_no_spread_is_no_certainty() -> None:
    found = betting_limits([1.0], [[30], [300]])

    assert found.high.tolist() == [1, 1]
    assert 0.7 < found.low[0] < 0.9 < found.low[1] < 1


def test_it_costs_little_where_other_sequences_hold() -> None:
    wins = betting_limits([0, 1], [[60, 90]])
    beta = beta_binomial_e_value(90, 150)
    assert wins.high[0] - wins.low[0] == pytest.approx(beta.high - beta.low, rel=0.15)

    counts = np.array([[20, 30, 40, 60]])
    sd = math.sqrt(np.repeat(THIRDS, counts[0]).var(ddof=1))
    found = betting_limits(THIRDS, counts)
    plain = asymptotic_confidence_sequence(float(found.mean[0]), sd, 150)
    assert 1 < (found.high[0] - found.low[0]) / (plain.high - plain.low) < 1.2


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_it_is_wrong_at_any_look_in_fewer_than_one_study_of_twenty(share: float) -> None:
    rng = np.random.default_rng(20261121)
    wrong = 0
    for _ in range(300):
        # Three judgements an item, alike more often than chance would have it.
        said = rng.binomial(3, rng.beta(share * 4, (1 - share) * 4, 300))
        counts = np.eye(4, dtype=np.int64)[said].cumsum(axis=0)
        wrong += bool(betting_excludes(THIRDS, counts, np.full(300, share)).any())
    assert wrong / 300 <= 0.05


def test_the_margin_is_of_annotators_and_needs_five() -> None:
    rows = [(10, 4, 1), (10, 6, 1), (10, 7, 1), (10, 3, 1), (10, 5, 1)]
    variance = (1 + 1 + 4 + 4) / 50**2 * 5 / 4

    # t of 4 degrees of freedom that leaves out 2.5 %.
    assert annotators_margin(rows) == pytest.approx(3.4954 * math.sqrt(variance), rel=1e-4)
    assert annotators_margin(rows[:4]) is None
    assert annotators_margin([]) is None
    # One has made most judgements: as if there were fewer than two, so t of one degree.
    uneven = annotators_margin([*rows[:4], (100, 60, 1)])
    parts = ((10, 4), (10, 6), (10, 7), (10, 3), (100, 60))
    squares = sum((score - 80 / 140 * votes) ** 2 for votes, score in parts)
    assert uneven == pytest.approx(25.4517 * math.sqrt(squares / 140**2 * 5 / 4), rel=1e-4)


def test_a_tally_tells_the_margin_of_its_annotators() -> None:
    tally = Tally(counts_of([(5, 2, 8, 5)]), counts_of([(5, 2, 8, 1)] * 5))

    assert tally.annotators_margin() == 0
    assert Tally().annotators_margin() is None


def test_ends_are_moved_by_the_root_of_squares_and_stay_shares() -> None:
    assert widened(0.5, 0.47, 0.54, 0.04) == pytest.approx((0.45, 0.5 + math.hypot(0.04, 0.04)))
    assert widened(0.5, 0.2, 0.9, 0.6) == (0, 1)
    assert widened(0.5, 0.2, 0.9, 0.0) == pytest.approx((0.2, 0.9))


@pytest.mark.parametrize(
    ("scores", "looks", "reason"),
    [
        ([0, 1.2], [[1, 1]], "a score lies outside 0 to 1"),
        ([0, 1], [[0, 0]], "there are no items"),
        ([0, 1], [[1, 1, 1]], "every look must have a count for each score"),
        ([0, 1], [[1, 0.5]], "the looks: every count must be a whole number of at least 0"),
        ([0, float("nan")], [[1, 1]], "the scores must be finite numbers below 1e100"),
    ],
)
def test_impossible_input_is_refused(scores: list[float], looks: object, reason: str) -> None:
    with pytest.raises(UndefinedError) as error:
        betting_limits(scores, looks)  # type: ignore[arg-type]
    assert error.value.reason == reason


def test_a_mean_is_asked_for_each_look() -> None:
    for means in ([0.5, 0.5], [0.0], [1.0]):
        with pytest.raises(UndefinedError):
            betting_excludes([0, 1], [[3, 4]], means)
