"""Equal rows of numbers counted together, in parts that are added up."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from evals.stats.checks import Ints

# Codes of rows must fit into a signed number of eight octets.
LARGEST = 2**62
# So many rows wait, at least, before they are added up.
MANY = 65_536
# Rows are counted rather than sorted where no more than so many times as many are possible.
DENSE = 4


def distinct(rows: Ints, times: Ints | None = None) -> Ints:
    """The distinct rows in their order, each with how often it is there as a last column.

    Parameters
    ----------
    rows : (N, k) array of integers
    times : (N,) array, optional
        How often each row counts; once without.
    """
    if not len(rows):
        return np.zeros((0, rows.shape[1] + 1), dtype=np.int64)
    if times is None:
        found, often = _counted(rows)
        return np.column_stack((found, often))
    found, sums = _weighed(rows, times)
    return np.column_stack((found, sums))


def _weighed(rows: Ints, times: Ints) -> tuple[Ints, Ints]:
    """The distinct rows in their order, and the sum of what each of them counts."""
    least, spans = _ranges(rows)
    possible = math.prod(spans)
    if possible > DENSE * len(rows):
        found, where = kinds_of(rows)
        return found, _added(where, times[:, None], len(found))[:, 0]
    codes = _codes(rows, least, spans)
    is_there = np.zeros(possible, dtype=bool)
    is_there[codes] = True
    seen = np.flatnonzero(is_there)
    sums = np.bincount(codes, times, possible)[seen].astype(np.int64)
    return _rows(seen, least, spans), sums


def _counted(rows: Ints) -> tuple[Ints, Ints]:
    """The distinct rows in their order, and how often each is there."""
    least, spans = _ranges(rows)
    if math.prod(spans) >= LARGEST:
        return np.unique(rows, axis=0, return_counts=True)
    # To sort the numbers alone is quicker by far than to tell where each of them came from.
    codes, often = np.unique(_codes(rows, least, spans), return_counts=True)
    return _rows(codes, least, spans), often


def kinds_of(rows: Ints) -> tuple[Ints, Ints]:
    """The distinct rows in their order, and which of these each row is.

    Parameters
    ----------
    rows : (N, k) array of integers

    Returns
    -------
    (H, k) array
    (N,) array of places in it
    """
    if not len(rows):
        return rows, np.zeros(0, dtype=np.int64)
    least, spans = _ranges(rows)
    if math.prod(spans) >= LARGEST:
        found, where = np.unique(rows, axis=0, return_inverse=True)
        return found, where.reshape(-1)
    codes, where = codes_of(_codes(rows, least, spans))
    return _rows(codes, least, spans), where


def codes_of(numbers: Ints) -> tuple[Ints, Ints]:
    """The distinct numbers in their order, and which of these each one is.

    Numbers that lie close together are looked up: to sort them takes ten times as long.
    """
    if not len(numbers) or int(numbers.max()) - int(numbers.min()) > DENSE * len(numbers):
        return np.unique(numbers, return_inverse=True)
    least = numbers.min()
    found = np.bincount(numbers - least) > 0
    return np.flatnonzero(found) + least, (np.cumsum(found) - 1)[numbers - least]


def _ranges(rows: Ints) -> tuple[list[int], list[int]]:
    """The least number of each column, and how many there may be from it to the largest."""
    # Column by column: along rows of a few numbers this takes four times as long.
    ends = [(int(column.min()), int(column.max())) for column in rows.T]
    return [low for low, _ in ends], [high - low + 1 for low, high in ends]


def _codes(rows: Ints, least: Sequence[int], spans: Sequence[int]) -> Ints:
    """One number a row, in the order of the rows; sorted far quicker than these."""
    codes = np.zeros(len(rows), dtype=np.int64)
    for column, low, span in zip(rows.T, least, spans, strict=True):
        codes *= span
        codes += column
        codes -= low
    return codes


def _rows(codes: Ints, least: Sequence[int], spans: Sequence[int]) -> Ints:
    """The rows that the numbers stand for."""
    found = np.empty((len(codes), len(spans)), dtype=np.int64)
    for place in reversed(range(len(spans))):
        codes, digits = np.divmod(codes, spans[place])
        found[:, place] = digits + least[place]
    return found


def _added(where: Ints, counts: Ints, groups: int) -> Ints:
    # Sums of counts are far below the numbers that a float no longer tells apart.
    columns = [np.bincount(where, column, groups) for column in counts.T]
    return np.column_stack(columns).astype(np.int64)


def merged(histograms: Iterable[Ints]) -> Ints:
    """Several histograms as one: the distinct rows of all, with how often each one is there.

    Parameters
    ----------
    histograms : iterable of (H, k + 1) arrays
        As `distinct` answers them; at least one, which may be empty. They are taken one by one,
        and no more is held than a few times what is distinct.
    """
    parts: list[Ints] = []
    waiting = 0
    for histogram in histograms:
        parts.append(histogram)
        waiting += len(histogram)
        # Twice what is added up already: so all are added up a few times only.
        if waiting > max(MANY, 2 * len(parts[0])):
            parts, waiting = [_together(parts)], 0
    return _together(parts)


def _together(parts: Sequence[Ints]) -> Ints:
    together = np.concatenate(parts)
    return distinct(together[:, :-1], together[:, -1])


def summed(keys: Sequence[Ints], counts: Ints) -> tuple[Ints, Ints]:
    """Rows of counts with equal keys added up: the distinct keys as rows, and their sums."""
    rows = np.column_stack(keys)
    if not len(rows):
        return rows, counts
    found, where = kinds_of(rows)
    return found, _added(where, counts, len(found))
