"""Means, and ratios of means of two groups or of pairs, from counts, means and deviations."""

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


def ratio_of_paired_means(
    n: int,
    over: tuple[float | None, float | None],
    under: tuple[float | None, float | None],
    covariance: float | None,
    confidence: float = 0.95,
) -> Estimate:
    """Ratio of two positive means of the same cases, with an interval symmetric in its logarithm.

    Parameters
    ----------
    n : int
        Pairs.
    over, under : (mean, deviation)
        Of each side's values over the pairs; sample standard deviations (n - 1).
    covariance : float or None
        Of the two values of a pair (n - 1).

    Raises
    ------
    UndefinedError
        If there are no pairs, or a mean is not above 0.

    References
    ----------
    W. G. Cochran, Sampling Techniques (3rd ed., 1977), 6.4, on the logarithm: the standard error
    of the mean of x/mean(x) - y/mean(y).
    """
    total, level = count(n, "n"), inside(confidence, "the confidence")
    if total == 0 or over[0] is None or under[0] is None:
        raise UndefinedError("there are no pairs", total)
    tops, bottoms = number(over[0], "the mean"), number(under[0], "the mean")
    if min(tops, bottoms) <= 0:
        raise UndefinedError("a mean must be above 0", total)
    value = tops / bottoms
    if total == 1 or over[1] is None or under[1] is None or covariance is None:
        why = "ratio of paired means; one pair has no interval"
        return Estimate(value, None, None, total, why, level)
    one, other = (number(side, "the deviation") for side in (over[1], under[1]))
    parts = (one / tops) ** 2 + (other / bottoms) ** 2
    spread = parts - 2 * number(covariance, "the covariance") / (tops * bottoms)
    # What is left of equal numbers after rounding is no spread.
    if spread <= 1e-12 * parts:
        why = "ratio of paired means; the same in all pairs"
        return Estimate(value, None, None, total, why, level)
    half = student_quantile(level, total - 1) * math.sqrt(spread / total)
    return Estimate(
        value, value * math.exp(-half), value * math.exp(half), total,
        "ratio of paired means, t interval of its logarithm", level,
    )  # fmt: skip
