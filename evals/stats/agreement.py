"""Agreement of any number of annotators: percent, alpha, Fleiss' kappa, Scott's pi, AC1.

Intervals are percentile bootstraps over items. They are too short below about 50 items
(coverage 83 to 89 % at 30 items where one category prevails), and the method says so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats import coefficients
from evals.stats.checks import count, counts, inside, one_of, square
from evals.stats.coefficients import Coefficient
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined
from evals.stats.proportions import clopper_pearson_limits
from evals.stats.ratings import UnitRows, encode_ratings, unit_rows
from evals.stats.resampling import MIN_UNITS, bootstrap, percentile_limits

DRAWS = 2000
LEVELS: dict[str, Coefficient] = {
    "nominal": coefficients.alpha_nominal,
    "ordinal": coefficients.alpha_ordinal,
    "interval": coefficients.alpha_interval,
}
NAMES = {
    "percent": "mean share of agreeing pairs",
    "alpha_nominal": "Krippendorff's alpha, nominal",
    "alpha_ordinal": "Krippendorff's alpha, ordinal",
    "alpha_interval": "Krippendorff's alpha, interval",
    "fleiss_kappa": "Fleiss' kappa",
    "scott_pi": "Scott's pi",
    "gwet_ac1": "Gwet's AC1",
}
SUMMARY: dict[str, Coefficient] = {
    "percent": coefficients.percent,
    "alpha_nominal": coefficients.alpha_nominal,
    "alpha_ordinal": coefficients.alpha_ordinal,
    "gwet_ac1": coefficients.gwet_ac1,
}


def agreement_summary(
    unit_counts: npt.ArrayLike,
    multiplicity: npt.ArrayLike | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    *,
    confidence: float = 0.95,
) -> dict[str, Estimate | Undefined]:
    """Everything that a page says of the agreement on one question.

    Parameters
    ----------
    unit_counts : (U, k) array of counts
        Ratings in each of the k ordered categories, a row for each distinct kind of item.
    multiplicity : (U,) array of counts, optional
        Items with that row; 1 by default.
    seed : int
        The same seed, counts and draws give the same intervals.
    draws : int
        Bootstrap resamples of the items.
    confidence : float

    Returns
    -------
    dict
        `percent`, `alpha_nominal`, `alpha_ordinal`, `fleiss_kappa`, `gwet_ac1`, each an
        Estimate or Undefined; `n` counts items with two or more ratings.

    Raises
    ------
    UndefinedError
        If the counts themselves are impossible.
    """
    rows = unit_rows(unit_counts, multiplicity)
    answers = estimates_of(rows, SUMMARY, seed, draws, confidence)
    paired = rows.only_paired()
    sizes = np.unique(paired.sizes)
    if len(sizes) > 1:
        reason = (
            f"items have between {sizes[0]:.0f} and {sizes[-1]:.0f} judgements; "
            "Fleiss' kappa needs the same number on each"
        )
        answers["fleiss_kappa"] = Undefined(reason, rows.n_paired, NAMES["fleiss_kappa"])
    else:
        answers |= estimates_of(
            paired, {"fleiss_kappa": coefficients.fleiss}, seed, draws, confidence
        )
    return answers


def percent_agreement(
    ratings: Sequence[Sequence[Any]], *, confidence: float = 0.95, seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """Mean over items of the share of pairs of raters who agree.

    Parameters
    ----------
    ratings : raters by items
        Numbers or words; None where a rater did not see an item.
    confidence, seed, draws
        Of the bootstrap over items; where all items agree (or none does) the interval is
        exact, with the items as trials, since resampling would show no spread.

    Returns
    -------
    Estimate
        In [0, 1]; `n` counts items with two or more ratings.

    Raises
    ------
    UndefinedError
        If no item has two ratings.
    """
    rows, _ = encode_ratings(ratings)
    return _single(rows, "percent", coefficients.percent, seed, draws, confidence)


def krippendorff_alpha(
    ratings: Sequence[Sequence[Any]],
    level: str = "nominal",
    *,
    confidence: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """Krippendorff's alpha: one minus observed over expected disagreement.

    Parameters
    ----------
    ratings : raters by items
        As for `percent_agreement`; numbers for the ordinal and interval levels.
        Items with one rating drop out.
    level : {"nominal", "ordinal", "interval"}
        How differences count: alike, by ranks between, by squared distance.
    confidence, seed, draws
        Of the bootstrap over items.

    Returns
    -------
    Estimate
        At most 1; `n` counts items with two or more ratings.

    Raises
    ------
    UndefinedError
        If no item has two ratings, or all ratings are the same (0/0).

    References
    ----------
    K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
    """
    one_of(level, "the level", tuple(LEVELS))
    rows, scale = encode_ratings(ratings)
    if level != "nominal" and any(isinstance(value, str | bool) for value in scale):
        raise UndefinedError(f"alpha at the {level} level needs numbers")
    return _single(rows, f"alpha_{level}", LEVELS[level], seed, draws, confidence)


def fleiss_kappa(
    unit_counts: npt.ArrayLike, *, confidence: float = 0.95, seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """Fleiss' kappa: agreement beyond chance, the same number of ratings on every item.

    Parameters
    ----------
    unit_counts : (U, k) array of counts
        Ratings in each category, a row for each item, every row with the same sum >= 2.
    confidence, seed, draws
        Of the bootstrap over items.

    Raises
    ------
    UndefinedError
        If there are no items, the rows differ in their sum, or one category was used only.

    References
    ----------
    J. L. Fleiss, Psychol. Bull. 76 (1971), 378-382.
    """
    table = counts(unit_counts, "the counts")
    rows = unit_rows(table)
    sizes = np.unique(rows.sizes)
    # Items without a rating are no rows.
    if rows.multiplicity.sum() != len(table) or len(sizes) != 1 or sizes[0] < 2:
        raise UndefinedError("every item must have the same number of ratings, at least 2")
    return _single(rows, "fleiss_kappa", coefficients.fleiss, seed, draws, confidence)


def scott_pi(
    table: npt.ArrayLike, *, confidence: float = 0.95, seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """Scott's pi of two raters: chance agreement from their pooled use of the categories.

    Parameters
    ----------
    table : (k, k) array of counts
        Items by what rater 1 (rows) and rater 2 (columns) chose.
    confidence, seed, draws
        Of the bootstrap over items.

    Raises
    ------
    UndefinedError
        If there are no items, or both used one and the same category only.

    References
    ----------
    W. A. Scott, Public Opin. Q. 19 (1955), 321-325.
    """
    checked = square(table, "the table")
    identity = np.eye(len(checked))
    pairs = (identity[:, None, :] + identity[None, :, :]).reshape(-1, len(checked))
    rows = unit_rows(pairs, checked.ravel())
    return _single(rows, "scott_pi", coefficients.fleiss, seed, draws, confidence)


def _single(
    rows: UnitRows, key: str, coefficient: Coefficient, seed: int, draws: int, confidence: float
) -> Estimate:
    result = estimates_of(rows, {key: coefficient}, seed, draws, confidence)[key]
    if isinstance(result, Undefined):
        raise UndefinedError(result.reason, result.n)
    return result


def estimates_of(
    rows: UnitRows,
    wanted: dict[str, Coefficient],
    seed: int,
    draws: int,
    confidence: float,
) -> dict[str, Estimate | Undefined]:
    """The coefficients asked for, all from the same resamples of the items."""
    level = inside(confidence, "the confidence")
    repeats = max(1, count(draws, "the number of draws"))
    if rows.n_paired == 0:
        reason = "no item has two judgements"
        return {key: Undefined(reason, 0, NAMES[key]) for key in wanted}
    replicates = bootstrap(rows, wanted, repeats, seed)
    answers: dict[str, Estimate | Undefined] = {}
    for key, coefficient in wanted.items():
        value = float(coefficient(rows, rows.multiplicity[None, :])[0])
        if np.isnan(value):
            answers[key] = Undefined(_why_undefined(rows, key), rows.n_paired, NAMES[key])
        else:
            answers[key] = _with_interval(key, value, replicates[key], rows.n_paired, level)
    return answers


def _why_undefined(rows: UnitRows, key: str) -> str:
    if key == "gwet_ac1" and rows.counts.shape[1] < 2:
        return "the scale has a single category"
    return "every judgement is the same, so chance agreement is 100\u202f%"


def _with_interval(
    key: str, value: float, replicates: npt.NDArray[np.float64], n: int, level: float
) -> Estimate:
    limits = percentile_limits(value, replicates, level)
    method = f"{NAMES[key]}; bootstrap over items, {len(replicates):,} draws"
    if key == "percent" and value in (0.0, 1.0):
        limits = clopper_pearson_limits(value * n, n, level)
        method = f"{NAMES[key]}; Clopper-Pearson interval, the items as trials"
    if limits is None:
        return Estimate(
            value, None, None, n, f"{NAMES[key]}; no spread between items, so no interval", level
        )
    if n < MIN_UNITS and "bootstrap" in method:
        method += f"; fewer than {MIN_UNITS} units: interval too short"
    missing = int(np.isnan(replicates).sum())
    if missing and "bootstrap" in method:
        method += f"; {missing:,} draws without a number left out"
    return Estimate(value, *limits, n, method, level)
