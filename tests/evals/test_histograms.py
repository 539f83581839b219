"""Equal rows counted together, whichever way their number of kinds makes quickest."""

from collections import Counter

import numpy as np
import pytest

from evals.stats.checks import Ints
from evals.stats.histograms import MANY, codes_of, distinct, kinds_of, merged, summed
from evals.stats.ratings import unit_rows


def counted(rows: Ints, times: Ints | None = None) -> list[tuple[int, ...]]:
    found: Counter[tuple[int, ...]] = Counter()
    often = [1] * len(rows) if times is None else times.tolist()
    for row, n in zip(rows.tolist(), often, strict=True):
        found[tuple(row)] += n
    return sorted((*row, n) for row, n in found.items())


# Few kinds, many kinds, more than a number of eight octets can tell apart; also below 0.
@pytest.mark.parametrize("reach", [2, 1_000, 2**40])
def test_distinct_rows_are_counted_in_their_order(reach: int) -> None:
    rng = np.random.default_rng(reach)
    rows = rng.integers(-reach, reach, (300, 3))
    rows = np.concatenate((rows, rows[:100]))
    times = rng.integers(1, 9, len(rows))

    assert [tuple(row) for row in distinct(rows).tolist()] == counted(rows)
    assert [tuple(row) for row in distinct(rows, times).tolist()] == counted(rows, times)
    keys, sums = summed(tuple(rows.T), times[:, None])
    assert [tuple(row) for row in np.column_stack((keys, sums)).tolist()] == counted(rows, times)


# Close together, far apart, none at all.
@pytest.mark.parametrize(("reach", "n"), [(50, 300), (2**40, 300), (9, 0)])
def test_numbers_and_rows_are_numbered_in_their_order(reach: int, n: int) -> None:
    numbers = np.random.default_rng(reach).integers(-reach, reach, n)
    rows = numbers.reshape(-1, 2)

    found, places = codes_of(numbers)
    kinds, which = kinds_of(rows)

    assert found.tolist() == sorted(set(numbers.tolist()))
    assert found[places].tolist() == numbers.tolist()
    assert [tuple(row) for row in kinds.tolist()] == sorted({tuple(row) for row in rows.tolist()})
    assert kinds[which].tolist() == rows.tolist()


def test_histograms_of_parts_are_that_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    parts = [rng.integers(0, 2**20, (MANY // 4, 1)) for _ in range(12)]
    parts += [rng.integers(0, 50, (MANY // 4, 1)) for _ in range(12)]

    found = merged(distinct(part) for part in parts)

    assert [tuple(row) for row in found.tolist()] == counted(np.concatenate(parts))


@pytest.mark.parametrize(("most", "columns"), [(4, 3), (40, 7), (10**6, 4)])
def test_kinds_of_items_are_the_same_from_items_and_from_counted_items(
    most: int, columns: int
) -> None:
    rng = np.random.default_rng(most)
    table = rng.integers(0, most, (400, columns)) * rng.integers(0, 2, (400, 1))
    items = unit_rows(np.concatenate((table, table[:50])))
    kinds = unit_rows(table, np.r_[np.full(50, 2), np.ones(350)])

    assert np.array_equal(items.counts, kinds.counts)
    assert np.array_equal(items.multiplicity, kinds.multiplicity)
    assert (
        items.multiplicity.sum()
        == (table.sum(axis=1) > 0).sum() + (table[:50].sum(axis=1) > 0).sum()
    )
    assert (items.sizes > 0).all()
