"""Cohen's kappa: agreement of two annotators beyond chance, for many pairs in one call."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, counts, inside, one_of, square
from evals.stats.distributions import normal_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined
from evals.stats.proportions import clopper_pearson_limits

WEIGHTS = ("unweighted", "linear", "quadratic")


def disagreement_weights(size: int, weights: str) -> Floats:
    """How far apart two of `size` ordered categories are, from 0 (same) to 1.

    Raises
    ------
    UndefinedError
        If the scale has a single category, or `weights` is unknown.
    """
    one_of(weights, "the weights", WEIGHTS)
    if size < 2:
        raise UndefinedError("the scale has a single category")
    steps = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / (size - 1)
    if weights == "unweighted":
        return (steps > 0).astype(float)
    return steps if weights == "linear" else steps**2


def cohen_kappa(
    table: npt.ArrayLike, weights: str = "unweighted", confidence: float = 0.95
) -> Estimate:
    """Agreement of two annotators beyond chance, optionally weighted by distance.

    Parameters
    ----------
    table : (k, k) array of counts
        Items by what annotator 1 (rows) and annotator 2 (columns) chose. Every row
        counts as a category of the scale, used or not.
    weights : {"unweighted", "linear", "quadratic"}
        How much a near miss counts; the categories are ordered for the last two.
    confidence : float
        Coverage of the interval value ± z·se, clipped to [-1, 1].

    Returns
    -------
    Estimate
        At most 1; `n` counts items; `se` is the non-null standard error. Where it is 0
        (all on the diagonal, say) no interval is given.

    Raises
    ------
    UndefinedError
        If there are no items, or both used one and the same category only (0/0).

    References
    ----------
    J. Cohen, Educ. Psychol. Meas. 20 (1960), 37-46; Psychol. Bull. 70 (1968), 213-220.
    J. L. Fleiss, J. Cohen, B. S. Everitt, Psychol. Bull. 72 (1969), 323-327.
    """
    checked = square(table, "the table")
    (result,) = kappa_pairs(checked[None], weights, confidence=confidence)
    if isinstance(result, Undefined):
        raise UndefinedError(result.reason, result.n)
    return result


def kappa_pairs(
    tables: npt.ArrayLike,
    weights: str = "unweighted",
    *,
    labels: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> list[Estimate | Undefined]:
    """Cohen's kappa of every pair of annotators at once.

    Parameters
    ----------
    tables : (P, k, k) array of counts
        One table for each pair, as for `cohen_kappa`.
    weights, confidence
        As for `cohen_kappa`.
    labels : k words, optional
        What the categories are called in a reason ("the candidate").

    Returns
    -------
    list of P Estimate or Undefined
        In the order of the tables.

    Raises
    ------
    UndefinedError
        If the tables themselves are impossible.
    """
    level = inside(confidence, "the confidence")
    stack = checked_tables(tables)
    if len(stack) == 0:
        return []
    n = stack.sum(axis=(1, 2))
    distance = disagreement_weights(stack.shape[1], weights)
    shares = stack / np.maximum(n, 1)[:, None, None]
    expected = _expected(shares, distance)
    value, se = _values(shares, distance, expected, n)
    z = normal_quantile(level)
    name = f"Cohen's kappa, {weights}"
    return [
        _estimate(value[i], se[i], int(n[i]), level, z, name)
        if expected[i] > 0
        else Undefined(why_undefined(stack[i], int(n[i]), labels), int(n[i]), name)
        for i in range(len(n))
    ]


def percent_pairs(tables: npt.ArrayLike, *, confidence: float = 0.95) -> list[Estimate | Undefined]:
    """Share of items on which each pair of annotators agrees, with exact intervals.

    Parameters
    ----------
    tables : (P, k, k) array of counts
    confidence : float

    Returns
    -------
    list of P Estimate or Undefined
        `n` counts the items both judged.
    """
    level = inside(confidence, "the confidence")
    name = "share of items on which both agree, Clopper-Pearson interval"
    answers: list[Estimate | Undefined] = []
    for table in checked_tables(tables):
        n = int(table.sum())
        if n == 0:
            answers.append(Undefined("they share no items", 0, name))
            continue
        share = float(np.trace(table)) / n
        low, high = clopper_pearson_limits(float(np.trace(table)), n, level)
        answers.append(Estimate(share, low, high, n, name, level, exact=True))
    return answers


def checked_tables(tables: npt.ArrayLike) -> Floats:
    """Tables of counts, each with as many rows as columns."""
    stack = counts(tables, "the tables", 3)
    if stack.shape[1] != stack.shape[2]:
        raise UndefinedError("every table must have as many rows as columns")
    return stack


def _expected(shares: Floats, distance: Floats) -> Floats:
    rows, columns = shares.sum(axis=2), shares.sum(axis=1)
    return np.asarray(np.einsum("pi,ij,pj->p", rows, distance, columns, optimize=True))


def _values(shares: Floats, distance: Floats, expected: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Kappa and its Fleiss-Cohen-Everitt standard error, for tables that have them.

    The variance is written as that of one item's influence: the same number as in the
    paper, but a sum of squares, so that it cannot turn negative by rounding.
    """
    safe = np.where(expected > 0, expected, 1.0)
    observed = np.einsum("pij,ij->p", shares, distance)
    value = 1 - observed / safe
    to_rows = shares.sum(axis=1) @ distance  # mean distance of row i from the columns
    to_columns = shares.sum(axis=2) @ distance
    pull = (to_rows[:, :, None] + to_columns[:, None, :]) * (observed / safe)[:, None, None]
    influence = (pull - distance) / safe[:, None, None]
    centred = influence - np.einsum("pij,pij->p", shares, influence)[:, None, None]
    variance = np.einsum("pij,pij->p", shares, centred**2) / np.maximum(n, 1)
    return value, np.sqrt(variance)


def _estimate(value: float, se: float, n: int, level: float, z: float, name: str) -> Estimate:
    # Rounding leaves about 1e-17 where every item has the same influence.
    if se < 1e-12:
        return Estimate(value, None, None, n, f"{name}; no spread, so no interval", level, se=0.0)
    low, high = max(-1.0, value - z * se), min(1.0, value + z * se)
    method = f"{name}; ± z·se (Fleiss, Cohen & Everitt)"
    return Estimate(value, low, high, n, method, level, se=se)


def why_undefined(table: Floats, n: int, labels: Sequence[str] | None) -> str:
    """Why a pair has no agreement beyond chance."""
    if n == 0:
        return "they share no items"
    used = int(np.argmax(np.diag(table)))
    choice = "the same category" if labels is None else labels[used]
    items = "the one item" if n == 1 else f"all {n:,} items"
    return f"both chose {choice} on {items} they share, so chance agreement is 100\u202f%"
