"""Agreement on a scale of several points, and what a row of a table says of agreement."""

import numpy.typing as npt

from evals.stats import coefficients
from evals.stats.agreement import DRAWS, estimates_of
from evals.stats.coefficients import Coefficient
from evals.stats.estimates import Estimate, Undefined
from evals.stats.ratings import unit_rows

# On a scale of more points: whether the same point was chosen, and how far apart they lie.
ON_POINTS: dict[str, Coefficient] = {
    "percent": coefficients.percent,
    "alpha_nominal": coefficients.alpha_nominal,
    "alpha_ordinal": coefficients.alpha_ordinal,
    "alpha_interval": coefficients.alpha_interval,
}
# What a row of a table needs.
IN_A_ROW: dict[str, Coefficient] = {
    "percent": coefficients.percent,
    "alpha_ordinal": coefficients.alpha_ordinal,
    "gwet_ac1": coefficients.gwet_ac1,
}


def points_summary(
    unit_counts: npt.ArrayLike,
    multiplicity: npt.ArrayLike | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    *,
    confidence: float = 0.95,
) -> dict[str, Estimate | Undefined]:
    """Agreement on a scale whose points are ordered: on the point, and on how far apart.

    Parameters
    ----------
    unit_counts, multiplicity, seed, draws, confidence
        As for `agreement_summary`.

    Returns
    -------
    dict
        `percent` (the same point), `alpha_nominal`, `alpha_ordinal`, `alpha_interval`, each
        an Estimate or Undefined; `n` counts items with two or more ratings.

    Raises
    ------
    UndefinedError
        If the counts themselves are impossible.
    """
    return estimates_of(unit_rows(unit_counts, multiplicity), ON_POINTS, seed, draws, confidence)


def row_summary(
    unit_counts: npt.ArrayLike,
    multiplicity: npt.ArrayLike | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    *,
    confidence: float = 0.95,
) -> dict[str, Estimate | Undefined]:
    """The same as `agreement_summary`, of what a row of a table shows.

    Returns
    -------
    dict
        `percent`, `alpha_ordinal`, `gwet_ac1`.
    """
    return estimates_of(unit_rows(unit_counts, multiplicity), IN_A_ROW, seed, draws, confidence)
