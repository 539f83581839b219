"""How much more one system passes than another, as a part of what the other passes."""

import numpy as np
import numpy.typing as npt

from evals.stats.checks import inside, square
from evals.stats.distributions import normal_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.proportions import wilson_limits


def relative_difference(table: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Ratio of two shares on the same cases, less 1, by combining two Wilson intervals.

    Parameters
    ----------
    table : (2, 2) array of counts
        Rows first system, columns second, "yes" first.
    confidence : float
        Two-sided coverage, in (0, 1).

    Returns
    -------
    Estimate
        Share of the rows over that of the columns, less 1: 0.05 is 5 % more. Not below -1, and
        without an upper end. `n` counts cases, those that neither passes as well.

    Raises
    ------
    UndefinedError
        If there are no cases, or the second system passes none.

    References
    ----------
    D. G. Bonett, R. M. Price, Stat. Med. 25 (2006), 3039-3047: the hybrid Wilson score
    interval, without a correction for continuity.
    """
    (a, b), (c, d) = square(table, "the table", 2).tolist()
    z = normal_quantile(inside(confidence, "the confidence"))
    n = int(a + b + c + d)
    if n == 0:
        raise UndefinedError("there are no pairs")
    if a + c == 0:
        reason = "the baseline passes no case, so there is nothing to be relative to"
        raise UndefinedError(reason, n)
    rows, columns = a + b, a + c
    # Cases that neither passes say nothing of the ratio.
    told = a + b + c
    quantile = z * _narrowing(rows, columns, b + c, told)
    low1, high1 = wilson_limits(rows / told, told, quantile)
    low2, high2 = wilson_limits(columns / told, told, quantile)
    value = rows / columns - 1
    return Estimate(
        value,
        min(value, low1 / high2 - 1),
        max(value, high1 / low2 - 1),
        n,
        "paired ratio of shares less 1, Bonett-Price",
        confidence,
    )


def _narrowing(rows: float, columns: float, split: float, told: float) -> float:
    """How much narrower the two intervals may be, so that their quotient still covers."""
    joint = np.sqrt((split + 2) / ((rows + 1) * (columns + 1)))
    apart = sum(np.sqrt((1 - (x + 1) / (told + 2)) / (x + 1)) for x in (rows, columns))
    return float(joint / apart)
