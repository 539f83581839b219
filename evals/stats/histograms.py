"""Equal rows of numbers counted together, in parts that are added up."""

import math
from collections.abc import Sequence

import numpy as np

from evals.stats.checks import Ints

# Codes of rows must fit into a signed number of eight octets.
LARGEST = 2**62


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
    found, where = _kinds(rows)
    weights = np.ones(len(rows), dtype=np.int64) if times is None else times
    return np.column_stack((found, _added(where, weights[:, None], len(found))))


def _kinds(rows: Ints) -> tuple[Ints, Ints]:
    """The distinct rows in their order, and which of these each row is."""
    least = rows.min(axis=0)
    spans = [int(span) for span in rows.max(axis=0) - least + 1]
    if math.prod(spans) >= LARGEST:
        found, where = np.unique(rows, axis=0, return_inverse=True)
        return found, where.reshape(-1)
    # One number a row is sorted far quicker than rows are.
    codes = np.zeros(len(rows), dtype=np.int64)
    for column, span in zip((rows - least).T, spans, strict=True):
        codes = codes * span + column
    _, first, where = np.unique(codes, return_index=True, return_inverse=True)
    return rows[first], where


def _added(where: Ints, counts: Ints, groups: int) -> Ints:
    # Sums of counts are far below the numbers that a float no longer tells apart.
    columns = [np.bincount(where, column, groups) for column in counts.T]
    return np.column_stack(columns).astype(np.int64)


def merged(histograms: Sequence[Ints]) -> Ints:
    """Several histograms as one: the distinct rows of all, with how often each one is there.

    Parameters
    ----------
    histograms : sequence of (H, k + 1) arrays
        As `distinct` answers them; at least one, which may be empty.
    """
    together = np.concatenate(histograms)
    return distinct(together[:, :-1], together[:, -1])


def summed(keys: Sequence[Ints], counts: Ints) -> tuple[Ints, Ints]:
    """Rows of counts with equal keys added up: the distinct keys as rows, and their sums."""
    rows = np.column_stack(keys)
    if not len(rows):
        return rows, counts
    found, where = _kinds(rows)
    return found, _added(where, counts, len(found))
