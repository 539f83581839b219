"""Ratings as counts: for each item, how many annotators chose each category.

Everything that measures agreement of many annotators needs no more than this, and
items with the same row are one row with a multiplicity.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, counts, is_number, number
from evals.stats.errors import UndefinedError
from evals.stats.histograms import distinct


@dataclass(frozen=True)
class UnitRows:
    """Distinct rows of category counts, and how many items have each.

    Attributes
    ----------
    counts : (U, k) array
        Ratings in each category; every row has at least one.
    multiplicity : (U,) array
        Items with that row, above 0.
    positions : (k,) array
        Where the categories lie on the scale (0, 1, 2 ... unless they are numbers).
    """

    counts: Floats
    multiplicity: Floats
    positions: Floats

    @cached_property
    def sizes(self) -> Floats:
        """Ratings of one item, for each row."""
        return np.asarray(self.counts.sum(axis=1))

    @cached_property
    def paired(self) -> Floats:
        """1 where a row has two ratings or more, else 0."""
        return (self.sizes >= 2).astype(float)

    @cached_property
    def agreeing(self) -> Floats:
        """Share of agreeing pairs in each row; 0 where there is no pair."""
        pairs = self.sizes * (self.sizes - 1)
        same = (self.counts * (self.counts - 1)).sum(axis=1)
        return np.asarray(np.divide(same, pairs, out=np.zeros_like(same), where=pairs > 0))

    @property
    def n_paired(self) -> int:
        """Items with two ratings or more."""
        return int(self.multiplicity @ self.paired)

    @property
    def used_categories(self) -> int:
        """Categories that occur on items with two ratings or more."""
        return int(((self.paired @ self.counts) > 0).sum())

    def only_paired(self) -> "UnitRows":
        """The rows with two ratings or more."""
        keep = self.paired > 0
        return UnitRows(self.counts[keep], self.multiplicity[keep], self.positions)


def unit_rows(
    unit_counts: npt.ArrayLike,
    multiplicity: npt.ArrayLike | None = None,
    positions: npt.ArrayLike | None = None,
) -> UnitRows:
    """Collapse items to their distinct rows; items without a rating drop out.

    Parameters
    ----------
    unit_counts : (U, k) array of counts
        Ratings in each category, a row for each item or each distinct kind of item.
    multiplicity : (U,) array of counts, optional
        Items for each row; 1 by default.
    positions : (k,) array, optional

    Raises
    ------
    UndefinedError
        If a count is impossible or the shapes do not fit.
    """
    table = counts(unit_counts, "the counts")
    times = np.ones(len(table)) if multiplicity is None else counts(multiplicity, "multiplicity", 1)
    if len(times) != len(table):
        raise UndefinedError("there must be one multiplicity for each row of counts")
    places = np.arange(table.shape[1], dtype=float) if positions is None else positions
    if len(table) > 0:
        # Collapsed first: what drops out is then found among few rows.
        table, times = _distinct(table, None if multiplicity is None else times)
    keep = (table.sum(axis=1) > 0) & (times > 0)
    return UnitRows(table[keep], times[keep], np.asarray(places, dtype=float))


def _distinct(table: Floats, times: Floats | None) -> tuple[Floats, Floats]:
    """The distinct rows, and how many items have each.

    Their order decides what a seed draws: by the last column first, where counts are small.
    """
    turn = -1 if table.shape[1] * np.log2(table.max() + 1) < 53 else 1
    often = None if times is None else times.astype(np.int64)
    found = distinct(table.astype(np.int64)[:, ::turn], often)
    return found[:, :-1][:, ::turn].astype(float), found[:, -1].astype(float)


def encode_ratings(
    ratings: Sequence[Sequence[Any]], categories: Sequence[Any] | None = None
) -> tuple[UnitRows, list[Any]]:
    """Count the ratings of each item.

    Parameters
    ----------
    ratings : raters by items
        Numbers or words; None where a rater did not see an item.
    categories : sequence, optional
        The full scale in its order; by default the values that occur, sorted.

    Returns
    -------
    UnitRows
    list
        The categories, in the order of the columns.

    Raises
    ------
    UndefinedError
        If the rows differ in length, a rating is NaN, or one is not on the scale.
    """
    rows = _checked_rows(ratings)
    present = {value for row in rows for value in row if value is not None}
    scale = _sorted(present) if categories is None else list(categories)
    index = _index(scale)
    if not present <= index.keys():
        raise UndefinedError("a rating is not on the scale")
    table = np.zeros((len(rows[0]), len(scale)))
    for row in rows:
        for item, value in enumerate(row):
            if value is not None:
                table[item, index[value]] += 1
    numeric = bool(scale) and all(is_number(value) for value in scale)
    return unit_rows(table, positions=array(scale, "the scale") if numeric else None), scale


def _index(scale: Sequence[Any]) -> dict[Any, int]:
    for value in scale:
        _checked_rating(value)
    index = {value: column for column, value in enumerate(scale)}
    if len(index) != len(scale):
        raise UndefinedError("a category of the scale is named twice")
    return index


def _checked_rows(ratings: Any) -> list[list[Any]]:
    try:
        rows = [list(row) for row in ratings]
    except TypeError:
        raise UndefinedError("the ratings must be one row for each rater") from None
    if not rows or not rows[0]:
        raise UndefinedError("there are no ratings")
    if any(len(row) != len(rows[0]) for row in rows):
        raise UndefinedError("the raters' rows differ in length")
    for row in rows:
        for value in row:
            if value is not None:
                _checked_rating(value)
    return rows


def _checked_rating(value: object) -> None:
    if is_number(value):
        number(value, "a rating")
    elif not isinstance(value, Hashable) or value is None:
        raise UndefinedError("a rating must be a number or a word")


def _sorted(values: set[Any]) -> list[Any]:
    if all(is_number(value) for value in values):
        return sorted(values)
    return sorted(values, key=lambda value: (str(type(value)), str(value)))


def encode_labels(rows: Sequence[Sequence[Any]]) -> npt.NDArray[np.int64]:
    """Number the labels of several raters from 0, -1 where one is missing.

    Returns
    -------
    (raters, items) array of int

    Raises
    ------
    UndefinedError
        As for `encode_ratings`.
    """
    checked = _checked_rows(rows)
    index: dict[Any, int] = {}
    return np.array(
        [
            [-1 if value is None else index.setdefault(value, len(index)) for value in row]
            for row in checked
        ],
        dtype=np.int64,
    )
