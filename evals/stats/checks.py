"""Impossible input is refused here, in a sentence, before any formula sees it."""

from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.errors import UndefinedError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Beyond 2^53 a float no longer tells neighbouring counts apart.
LARGEST_COUNT = 2**53
# Squares and products of what lies below stay inside the range of floats.
LARGEST_NUMBER = 1e100


def is_number(value: object) -> bool:
    """A number of any kind (databases answer sums as Decimal), but not True or False."""
    if type(value) is float or type(value) is int:  # the usual ones, without asking for more
        return True
    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_)


def number(value: Any, name: str) -> float:
    """`value` as a finite float."""
    if not is_number(value):
        raise UndefinedError(f"{name} must be a number")
    try:
        plain = float(value)
    except OverflowError:
        plain = np.inf
    if not abs(plain) <= LARGEST_NUMBER:  # NaN is not
        raise UndefinedError(f"{name} must be a finite number below 1e100")
    return plain


def count(value: Any, name: str) -> int:
    """`value` as a whole number of at least 0."""
    plain = number(value, name)
    if plain < 0 or plain != int(plain) or plain > LARGEST_COUNT:
        raise UndefinedError(f"{name} must be a whole number of at least 0")
    return int(value) if isinstance(value, Integral) else int(plain)


def inside(value: object, name: str, low: float = 0.0, high: float = 1.0) -> float:
    """`value` strictly between `low` and `high`."""
    plain = number(value, name)
    if not low < plain < high:
        raise UndefinedError(f"{name} must lie between {low:g} and {high:g}, both excluded")
    return plain


def within(value: object, name: str, low: float = 0.0, high: float = 1.0) -> float:
    """`value` between `low` and `high`, both included."""
    plain = number(value, name)
    if not low <= plain <= high:
        raise UndefinedError(f"{name} must lie between {low:g} and {high:g}")
    return plain


def positive(value: object, name: str) -> float:
    """`value` above 0."""
    plain = number(value, name)
    if plain <= 0:
        raise UndefinedError(f"{name} must be above 0")
    return plain


def one_of(value: object, name: str, allowed: Sequence[str]) -> str:
    """`value`, one of the words in `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        raise UndefinedError(f"{name} must be one of: {', '.join(allowed)}")
    return value


def array(values: Any, name: str, ndim: int = 1) -> Floats:
    """`values` as an array of finite floats with `ndim` axes; it may be that array itself."""
    try:
        raw = np.asarray(values)
    except (ValueError, TypeError):  # ragged
        raise UndefinedError(f"{name}: rows differ in length") from None
    if raw.size == 0 and raw.ndim <= ndim:
        return np.zeros((0,) * ndim)
    if raw.dtype.kind == "O" and all(is_number(value) for value in raw.flat):
        raw = _plain(raw, name)
    if raw.dtype.kind not in "iuf":
        raise UndefinedError(f"{name} must be numbers, with none missing")
    if raw.ndim != ndim:
        raise UndefinedError(f"{name} must have {ndim} axes, not {raw.ndim}")
    # No copy where it is not needed: who writes to it makes one.
    floats = raw.astype(np.float64, copy=False)
    # Smallest and largest are NaN where one of them is, and no copy is made to find them.
    if floats.size and not (floats.min() >= -LARGEST_NUMBER and floats.max() <= LARGEST_NUMBER):
        raise UndefinedError(f"{name} must be finite numbers below 1e100")
    return floats


def _plain(raw: npt.NDArray[Any], name: str) -> Floats:
    try:
        return raw.astype(np.float64)
    except OverflowError:
        raise UndefinedError(f"{name} must be finite numbers below 1e100") from None


def counts(values: Any, name: str, ndim: int = 2) -> Floats:
    """`values` as an array of whole numbers of at least 0, kept as floats."""
    floats = array(values, name, ndim)
    if floats.size and not (_between(floats) and _whole(values, floats)):
        raise UndefinedError(f"{name}: every count must be a whole number of at least 0")
    return floats


def _between(floats: Floats) -> bool:
    return bool(floats.min() >= 0 and floats.max() <= LARGEST_COUNT)


def _whole(values: Any, floats: Floats) -> bool:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return True
    return bool((floats == np.floor(floats)).all())


def square(values: Any, name: str, size: int | None = None) -> Floats:
    """A table of counts with as many rows as columns (`size` of each, where given)."""
    table = counts(values, name, 2)
    rows, columns = table.shape
    if rows != columns or rows == 0 or size not in (None, rows):
        wanted = "as many rows as columns" if size is None else f"{size} rows and {size} columns"
        raise UndefinedError(f"{name} must have {wanted}")
    return table
