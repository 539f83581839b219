"""Shares: how sure is a proportion, and does it differ from another or from a fixed one?"""

import numpy as np
from scipy.special import betainc, betaincinv

from evals.stats.checks import count, inside, one_of, within
from evals.stats.distributions import (
    binomial_at_least,
    binomial_at_most,
    binomial_log_pmf,
    normal_quantile,
)
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate

# Equal probabilities may differ in their last digits; scipy.stats uses the same slack.
TIE_SLACK = 1e-7
BISECTIONS = 60


def checked_share(successes: object, n: object, what: str = "n") -> tuple[int, int]:
    """`successes` of `n`, both counts, at least one trial, no more successes than trials."""
    good, total = count(successes, "the number of successes"), count(n, what)
    if good > total:
        raise UndefinedError("there are more successes than trials", total)
    if total == 0:
        raise UndefinedError("there are no observations")
    return good, total


def wilson_limits(p: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval for a share `p` of `n` (possibly effective) observations.

    Parameters
    ----------
    p : float
        Observed share, in [0, 1].
    n : float
        Observations, above 0; need not be whole.
    quantile : float
        Normal or Student quantile.

    Returns
    -------
    low, high : float
        Inside [0, 1], with `p` between them.

    References
    ----------
    E. B. Wilson, JASA 22 (1927), 209-212.
    """
    shrink = 1 + quantile**2 / n
    centre = (p + quantile**2 / (2 * n)) / shrink
    half = quantile / shrink * float(np.sqrt(p * (1 - p) / n + quantile**2 / (4 * n**2)))
    return min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half))


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """Share of successes with Wilson's score interval.

    Parameters
    ----------
    successes, n : int
        Independent trials and how many of them succeeded.
    confidence : float
        Two-sided coverage, in (0, 1).

    Returns
    -------
    Estimate
        Shares in [0, 1]; `n` counts trials.

    Raises
    ------
    UndefinedError
        If there are no trials, or the counts are impossible.

    References
    ----------
    E. B. Wilson, JASA 22 (1927), 209-212.
    """
    good, total = checked_share(successes, n)
    level = inside(confidence, "the confidence")
    p = good / total
    low, high = wilson_limits(p, total, normal_quantile(level))
    se = float(np.sqrt(p * (1 - p) / total))
    return Estimate(p, low, high, total, "share, Wilson interval", level, se=se)


def clopper_pearson_limits(
    successes: float, n: float, confidence: float = 0.95
) -> tuple[float, float]:
    """The exact limits of `successes` in `n` trials; ties may count as halves.

    Where scores lie between 0 and 1 their sum varies less than so many wins and losses would,
    so that halves make the limits wider than they need be, never too short: measured in
    benchmarks.coverage.
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return low, high


def clopper_pearson_p(successes: float, n: float, p0: float) -> float:
    """Two-sided p-value against `p0` that goes with `clopper_pearson_limits`: it is below 1 less
    the confidence just where the interval leaves `p0` out. Twice the smaller tail."""
    above = float(betainc(successes, n - successes + 1, p0)) if successes > 0 else 1.0
    below = float(betainc(n - successes, successes + 1, 1 - p0)) if successes < n else 1.0
    return min(1.0, 2 * min(above, below))


def clopper_pearson_trials(share: float, limit: float, confidence: float, most: float) -> float:
    """How many trials with this share have their Clopper-Pearson limit at `limit`.

    The lower one where `limit` lies below the share, else the upper one; whole numbers of
    successes are not asked for, so that the answer has no teeth. Infinite beyond `most`.
    """
    below = limit < share

    def reaches(trials: float) -> bool:
        low, high = clopper_pearson_limits(share * trials, trials, confidence)
        return low >= limit if below else high <= limit

    if not reaches(most):
        return float("inf")
    few, many = 0.0, most
    for _ in range(BISECTIONS):
        middle = (few + many) / 2
        few, many = (few, middle) if reaches(middle) else (middle, many)
    return many


def clopper_pearson_interval(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """Share of successes with the exact (never too short) binomial interval.

    Parameters, Returns and Raises as for `wilson_interval`.

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934), 404-413.
    """
    good, total = checked_share(successes, n)
    level = inside(confidence, "the confidence")
    low, high = clopper_pearson_limits(good, total, level)
    method = "share, Clopper-Pearson interval"
    return Estimate(good / total, low, high, total, method, level, exact=True)


def newcombe_independent_difference(
    successes1: int, n1: int, successes2: int, n2: int, confidence: float = 0.95
) -> Estimate:
    """Difference p1 - p2 of two independent shares, by squaring and adding Wilson limits.

    Returns
    -------
    Estimate
        Difference of shares in [-1, 1]; `n` counts the trials of both arms.

    Raises
    ------
    UndefinedError
        If an arm is empty, or the counts are impossible.

    References
    ----------
    R. G. Newcombe, Stat. Med. 17 (1998), 873-890, method 10.
    """
    good1, total1 = checked_share(successes1, n1, "n1")
    good2, total2 = checked_share(successes2, n2, "n2")
    level = inside(confidence, "the confidence")
    z = normal_quantile(level)
    p1, p2 = good1 / total1, good2 / total2
    (low1, high1), (low2, high2) = wilson_limits(p1, total1, z), wilson_limits(p2, total2, z)
    value = p1 - p2
    low = value - float(np.hypot(p1 - low1, high2 - p2))
    high = value + float(np.hypot(high1 - p1, p2 - low2))
    return Estimate(
        value, low, high, total1 + total2, "difference of independent shares, Newcombe", level
    )


def zero_failure_bound(n: int, confidence: float = 0.95) -> float:
    """Largest failure rate still believable after `n` trials without a failure.

    Parameters
    ----------
    n : int
        Trials, none of which failed.
    confidence : float
        One-sided, in (0, 1).

    Returns
    -------
    float
        1 - (1 - confidence)^(1/n); about 3/n at 95 %.

    Raises
    ------
    UndefinedError
        If there were no trials.

    References
    ----------
    J. A. Hanley, A. Lippman-Hand, JAMA 249 (1983), 1743-1745.
    """
    total, level = count(n, "n"), inside(confidence, "the confidence")
    if total == 0:
        raise UndefinedError("there are no trials")
    return float(-np.expm1(np.log1p(-level) / total))


def binomial_test_exact(successes: int, n: int, p0: float, alternative: str = "two-sided") -> float:
    """Exact p-value of `successes` in `n` trials against the success rate `p0`.

    Parameters
    ----------
    successes, n : int
        Independent trials and how many of them succeeded.
    p0 : float
        Rate under test, in [0, 1].
    alternative : {"two-sided", "greater", "less"}
        Two-sided sums all outcomes no likelier than the observed one.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    UndefinedError
        If there are no trials, or the input is impossible.
    """
    good, total = checked_share(successes, n)
    rate = within(p0, "p0")
    one_of(alternative, "the alternative", ("two-sided", "greater", "less"))
    if alternative == "greater":
        return float(binomial_at_least(good, total, rate))
    if alternative == "less":
        return float(binomial_at_most(good, total, rate))
    return _two_sided(good, total, rate)


def _two_sided(good: int, total: int, rate: float) -> float:
    # Mirror so that the observed count lies at or below the mode.
    if good > rate * total:
        return _two_sided(total - good, total, 1 - rate)
    if rate == 0.5:  # no likelier are those as far from the middle, on either side
        return min(1.0, 2 * float(binomial_at_most(good, total, rate)))
    mode = min(total, int(np.floor((total + 1) * rate)))
    if good >= mode:
        return 1.0
    limit = binomial_log_pmf(good, total, rate) + np.log1p(TIE_SLACK)
    if binomial_log_pmf(mode, total, rate) <= limit:  # two counts are likeliest
        return 1.0
    first = _first_no_likelier(limit, mode, total, rate)
    tails = binomial_at_most(good, total, rate) + binomial_at_least(first, total, rate)
    return min(1.0, float(tails))


def _first_no_likelier(limit: float, mode: int, total: int, rate: float) -> int:
    """Smallest count above the mode with log-probability at most `limit`."""
    below, above = mode, total + 1
    while above - below > 1:
        middle = (below + above) // 2
        if binomial_log_pmf(middle, total, rate) <= limit:
            above = middle
        else:
            below = middle
    return above
