"""What is said of a pair that was asked again: shares, intervals, and why there are none."""

import numpy as np
import pytest

from evals.stats.errors import UndefinedError
from evals.stats.estimates import attempt
from evals.stats.preference import clustered_win_rate
from evals.stats.proportions import clopper_pearson_interval
from evals.stats.repeats import (
    AllRepeats,
    Repeated,
    all_kept_side,
    all_repeats,
    all_same_answer,
    all_same_point,
    kept_side,
    left_of_kept,
    same_answer,
    same_point,
)

ONE = Repeated(n=20, same=15, exact=11, left=3, right=1)
NONE = Repeated(0, 0, 0, 0, 0)


def votes(seed: int, people: int = 8, items: int = 30) -> list[tuple[int, int, str]]:
    """(item, annotator, what became of it), at random."""
    draw = np.random.default_rng(seed)
    kinds = ["exact", "same", "left", "right", "neither"]
    return [
        (item, person, str(draw.choice(kinds, p=[0.4, 0.2, 0.2, 0.1, 0.1])))
        for person in range(people)
        for item in draw.choice(items, 10, replace=False)
    ]


def counted(said: list[tuple[int, int, str]], by: int) -> list[list[int]]:
    """Rows as the database makes them, each group by itself."""
    rows = []
    for group in sorted({vote[by] for vote in said}):
        kinds = [kind for *who, kind in said if who[by] == group]
        exact, left, right = (kinds.count(kind) for kind in ("exact", "left", "right"))
        rows.append([len(kinds), exact + kinds.count("same"), exact, left, right, 1])
    return rows


def repeats_of(said: list[tuple[int, int, str]]) -> AllRepeats:
    return all_repeats(counted(said, 0), counted(said, 1))


def test_shares_of_one_annotator_are_exact() -> None:
    for found, good in ((same_answer(ONE), 15), (same_point(ONE), 11), (kept_side(ONE), 4)):
        expected = clopper_pearson_interval(good, 20)
        assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
        assert found.n == 20
        assert "Clopper-Pearson" in found.method
    assert same_answer(ONE, 0.9).confidence == 0.9


@pytest.mark.parametrize("estimate", [same_answer, same_point, kept_side])
def test_without_repeats_an_annotator_has_no_share(estimate: object) -> None:
    with pytest.raises(UndefinedError, match="second time"):
        estimate(NONE)  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(5))
def test_all_together_are_clustered_as_the_win_rate_is(seed: int) -> None:
    said = votes(seed)
    repeats = repeats_of(said)
    kinds = [kind for *_, kind in said]
    asked = [(item, person) for item, person, _ in said]

    for found, good in (
        (all_same_answer(repeats), {"exact", "same"}),
        (all_same_point(repeats), {"exact"}),
        (all_kept_side(repeats), {"left", "right"}),
    ):
        items, people = zip(*asked, strict=True)
        expected = clustered_win_rate(items, people, [float(kind in good) for kind in kinds])
        assert found.value == pytest.approx(expected.value)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
        assert found.n == len(said)
        assert "repeats" in found.method


@pytest.mark.parametrize("seed", range(5))
def test_the_lean_is_of_those_alone_who_kept_a_side(seed: int) -> None:
    kept = [vote for vote in votes(seed) if vote[2] in ("left", "right")]
    items, people, kinds = zip(*kept, strict=True)

    found = left_of_kept(repeats_of(votes(seed)))

    expected = clustered_win_rate(items, people, [float(kind == "left") for kind in kinds])
    assert found.value == pytest.approx(expected.value)
    assert found.n == len(kept)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_the_sides_exchanged_mirror_the_lean_and_leave_the_rest() -> None:
    other = {"left": "right", "right": "left"}
    said = votes(3)
    mirrored = repeats_of([(item, who, other.get(kind, kind)) for item, who, kind in said])
    plain = repeats_of(said)

    assert left_of_kept(mirrored).value == pytest.approx(1 - left_of_kept(plain).value)
    assert all_kept_side(mirrored) == all_kept_side(plain)
    assert all_same_answer(mirrored) == all_same_answer(plain)


def test_equal_rows_may_be_counted_together() -> None:
    said = votes(1)
    rows, times = np.unique(np.array(counted(said, 0))[:, :5], axis=0, return_counts=True)
    together = all_repeats(np.column_stack((rows, times)), counted(said, 1))

    assert all_same_answer(together) == all_same_answer(repeats_of(said))


def test_without_repeats_there_is_no_number_and_a_reason() -> None:
    none = all_repeats([], [])

    for estimate in (all_same_answer, all_same_point, all_kept_side, left_of_kept):
        assert "second time" in attempt(estimate, none).reason  # type: ignore[union-attr]
    nobody = all_repeats([[2, 2, 2, 0, 0, 3]], [[6, 6, 6, 0, 0, 1]])
    absent = attempt(left_of_kept, nobody)
    assert (absent.reason, absent.n) == ("nobody stayed on one side of a repeated item", 6)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("items", "people"),
    [
        ([[3, 2, 1, 1, 1, 1]], [[3, 2, 1, 1, 1, 1]]),
        ([[3, 1, 2, 0, 0, 1]], [[3, 1, 2, 0, 0, 1]]),
        ([[3, 2, 1, 0, 1, 1]], [[4, 2, 1, 0, 1, 1]]),
        ([[3, -1, -1, 0, 0, 1]], [[3, -1, -1, 0, 0, 1]]),
        ([[3, 1]], [[3, 1]]),
    ],
)
def test_impossible_counts_are_refused(items: list[list[int]], people: list[list[int]]) -> None:
    with pytest.raises(UndefinedError):
        all_repeats(items, people)
