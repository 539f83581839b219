"""Gwet's AC1 and AC2: agreement beyond chance that does not collapse when one answer prevails."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, inside, one_of
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.ratings import UnitRows, encode_ratings, unit_rows


def gwet_ac1(
    ratings: Sequence[Sequence[Any]], categories: Sequence[Any], *, confidence: float = 0.95
) -> Estimate:
    """Gwet's AC1 with its closed-form standard error.

    Parameters
    ----------
    ratings : raters by items
        Numbers or words; None where a rater did not see an item. Items with one rating
        count in the prevalences only.
    categories : sequence
        The full scale, used or not; at least two.
    confidence : float
        Coverage of the interval value ± t·se, clipped to [-1, 1].

    Returns
    -------
    Estimate
        `n` counts items with two or more ratings; `se` takes the items as the sample,
        without a finite-population term.

    Raises
    ------
    UndefinedError
        If no item has two ratings, there is one item only, or the scale has one category.

    References
    ----------
    K. L. Gwet, Br. J. Math. Stat. Psychol. 61 (2008), 29-48; Handbook of Inter-Rater
    Reliability, 4th ed. (2014), chapter 5.
    """
    rows, scale = encode_ratings(ratings, _checked_scale(categories))
    return _estimate(rows, np.eye(len(scale)), "Gwet's AC1", confidence)


def gwet_ac2(
    ratings: Sequence[Sequence[Any]],
    categories: Sequence[Any],
    weights: str = "quadratic",
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Gwet's AC2: AC1 in which a near miss counts in part.

    Parameters
    ----------
    ratings, categories, confidence
        As for `gwet_ac1`; categories in their order. Numbers are their own places on
        the scale, words lie one step apart.
    weights : {"linear", "quadratic"}

    Returns, Raises, References
    ---------------------------
    As for `gwet_ac1`.
    """
    one_of(weights, "the weights", ("linear", "quadratic"))
    rows, _ = encode_ratings(ratings, _checked_scale(categories))
    return _weighted(rows, weights, confidence)


def gwet_ac2_of_counts(
    unit_counts: npt.ArrayLike,
    multiplicity: npt.ArrayLike | None = None,
    weights: str = "quadratic",
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Gwet's AC2 from counts, the categories one step apart.

    Parameters
    ----------
    unit_counts : (U, k) array of counts
        Ratings in each of the k ordered categories, a row for each distinct kind of item.
    multiplicity : (U,) array of counts, optional
        Items with that row; 1 by default.
    weights, confidence
        As for `gwet_ac2`.

    Returns, Raises, References
    ---------------------------
    As for `gwet_ac1`.
    """
    one_of(weights, "the weights", ("linear", "quadratic"))
    rows = unit_rows(unit_counts, multiplicity)
    if rows.counts.shape[1] < 2:
        raise UndefinedError("the scale has a single category")
    return _weighted(rows, weights, confidence)


def _weighted(rows: UnitRows, weights: str, confidence: float) -> Estimate:
    places = rows.positions
    steps = np.abs(np.subtract.outer(places, places)) / (places.max() - places.min())
    closeness = 1 - (steps if weights == "linear" else steps**2)
    return _estimate(rows, closeness, f"Gwet's AC2, {weights}", confidence)


def _checked_scale(categories: Sequence[Any]) -> list[Any]:
    try:
        scale = list(categories)
    except TypeError:
        raise UndefinedError("the categories must be a list") from None
    if len(scale) < 2:
        raise UndefinedError("the scale has a single category")
    return scale


def _estimate(rows: UnitRows, closeness: Floats, name: str, confidence: float) -> Estimate:
    level = inside(confidence, "the confidence")
    n = int(rows.multiplicity.sum())
    if rows.n_paired == 0:
        raise UndefinedError("no item has two ratings")
    if n < 2:
        raise UndefinedError("there is one item only, so no spread to build on", n)
    value, se = _value_and_se(rows, closeness, n)
    if se < 1e-12:
        method = f"{name}; no spread, so no interval"
        return Estimate(value, None, None, rows.n_paired, method, level, se=0.0)
    half = student_quantile(level, n - 1) * se
    # On few items squared weights may take the coefficient itself below -1.
    low, high = max(min(-1.0, value), value - half), min(1.0, value + half)
    return Estimate(value, low, high, rows.n_paired, f"{name}; ± t·se (Gwet)", level, se=se)


def _value_and_se(rows: UnitRows, closeness: Floats, n: int) -> tuple[float, float]:
    sizes, times, size = rows.sizes, rows.multiplicity, rows.counts.shape[1]
    pairs = np.maximum(sizes * (sizes - 1), 1)
    agreeing = (rows.counts * (rows.counts @ closeness - 1)).sum(axis=1) / pairs
    observed = times @ agreeing / rows.n_paired
    shares = rows.counts / sizes[:, None]
    prevalence = times @ shares / n
    scale = closeness.sum() / (size * (size - 1))
    chance = scale * (prevalence * (1 - prevalence)).sum()
    value = (observed - chance) / (1 - chance)
    # Each item's share in the coefficient: agreement, corrected for its pull on chance.
    direct = n / rows.n_paired * (agreeing - chance * rows.paired) / (1 - chance)
    pull = scale * (shares @ (1 - prevalence)) - chance
    influence = direct - 2 * (1 - value) * pull / (1 - chance)
    variance = times @ (influence - value) ** 2 / (n * (n - 1))
    return float(value), float(np.sqrt(variance))
