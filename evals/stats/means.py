"""Means of values in pairs, and ratios of means, from counts, means and deviations."""

import math

from evals.stats.checks import count, inside, number
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate


def mean_interval(
    n: int,
    mean: float | None,
    deviation: float | None,
    confidence: float = 0.95,
    what: str = "mean",
) -> Estimate:
    """A mean with Student's t interval, from its sufficient statistics.

    Parameters
    ----------
    n : int
    mean, deviation : float or None
        Mean and sample standard deviation (n - 1) of the values; None as databases answer it
        where there are too few.
    what : str
        Names the number in `method`.

    Raises
    ------
    UndefinedError
        If there are no values.

    References
    ----------
    Student, Biometrika 6 (1908), 1-25.
    """
    total, level = count(n, "n"), inside(confidence, "the confidence")
    if total == 0 or mean is None:
        raise UndefinedError("there are no values", total)
    value = number(mean, "the mean")
    if total == 1 or deviation is None:
        return Estimate(value, None, None, total, f"{what}; one value has no interval", level)
    spread = number(deviation, "the deviation")
    if spread == 0:
        return Estimate(value, None, None, total, f"{what}; all values are equal", level, se=0.0)
    se = spread / math.sqrt(total)
    half = student_quantile(level, total - 1) * se
    return Estimate(value, value - half, value + half, total, f"{what}, t interval", level, se=se)


def ratio_of_means(over: Estimate, under: Estimate) -> Estimate:
    """Ratio of two independent positive means, with an interval symmetric in its logarithm.

    Parameters
    ----------
    over, under : Estimate
        Of `mean_interval`, at one confidence.

    Returns
    -------
    Estimate
        `n` counts the smaller side.

    Raises
    ------
    UndefinedError
        If a mean is not above 0, or has no standard error.

    References
    ----------
    The delta method on the logarithm: G. W. Oehlert, Am. Stat. 46 (1992), 27-29; degrees of
    freedom: F. E. Satterthwaite, Biometrics Bull. 2 (1946), 110-114.
    """
    n = min(over.n, under.n)
    if min(over.value, under.value) <= 0:
        raise UndefinedError("a mean must be above 0", n)
    if not over.se or not under.se:
        raise UndefinedError("a side has too few different values for an interval", n)
    parts = [(side.se or 0.0) ** 2 / side.value**2 for side in (over, under)]
    total = sum(parts)
    if total**2 == 0:
        raise UndefinedError("a side has too few different values for an interval", n)
    df = total**2 / sum(
        part**2 / (side.n - 1) for part, side in zip(parts, (over, under), strict=True)
    )
    half = student_quantile(over.confidence, df) * math.sqrt(total)
    value = over.value / under.value
    return Estimate(
        value, value * math.exp(-half), value * math.exp(half), n,
        "ratio of means, t interval of its logarithm", over.confidence,
    )  # fmt: skip
