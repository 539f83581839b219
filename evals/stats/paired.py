"""Two systems on the same cases, each passed or failed: tests, differences, regressions.

A table is [[a, b], [c, d]]: rows tell the first system, columns the second, "yes" first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evals.stats.checks import inside, square, within
from evals.stats.distributions import binomial_at_most, binomial_log_pmf, normal_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.proportions import wilson_limits


@dataclass(frozen=True)
class NonInferiority(Estimate):
    """A paired difference (new minus old) and what it says of a regression.

    Attributes
    ----------
    decision : {"passes", "regresses", "not enough data"}
    """

    decision: str = "not enough data"


def _cells(table: npt.ArrayLike) -> tuple[float, float, float, float]:
    (a, b), (c, d) = square(table, "the table", 2).tolist()
    return a, b, c, d


def newcombe_paired_difference(table: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Difference of two shares on the same cases, by squaring and adding Wilson limits.

    Parameters
    ----------
    table : (2, 2) array of counts
        Rows first system, columns second, "yes" first.
    confidence : float
        Two-sided coverage, in (0, 1).

    Returns
    -------
    Estimate
        (b - c)/n, the share of the rows minus that of the columns, in [-1, 1]; `n` counts cases.

    Raises
    ------
    UndefinedError
        If there are no cases, or the table is impossible.

    References
    ----------
    R. G. Newcombe, Stat. Med. 17 (1998), 2635-2650, method 10 (correlation corrected
    for continuity; 0 if a margin is 0).
    """
    a, b, c, d = _cells(table)
    level = inside(confidence, "the confidence")
    n = a + b + c + d
    if n == 0:
        raise UndefinedError("there are no pairs")
    z = normal_quantile(level)
    first, second = (a + b) / n, (a + c) / n
    (low1, high1), (low2, high2) = wilson_limits(first, n, z), wilson_limits(second, n, z)
    correlation = _corrected_correlation(a, b, c, d)
    value = (b - c) / n
    low = value - _joined(first - low1, high2 - second, correlation)
    high = value + _joined(second - low2, high1 - first, correlation)
    return Estimate(value, low, high, int(n), "paired difference of shares, Newcombe", level)


def _joined(one: float, other: float, correlation: float) -> float:
    return float(np.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2)))


def _corrected_correlation(a: float, b: float, c: float, d: float) -> float:
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    excess = a * d - b * c
    if excess > 0:
        excess = max(0.0, excess - (a + b + c + d) / 2)
    return excess / float(np.sqrt(margins))


def _discordant(table: npt.ArrayLike) -> tuple[int, int]:
    """The rarer kind of disagreement, and all disagreements."""
    a, b, c, d = _cells(table)
    if b + c == 0:
        raise UndefinedError("there are no discordant pairs", int(a + d))
    return int(min(b, c)), int(b + c)


def mcnemar_exact(table: npt.ArrayLike) -> float:
    """Two-sided exact p-value that both systems pass equally often.

    Parameters
    ----------
    table : (2, 2) array of counts

    Raises
    ------
    UndefinedError
        If the systems never differ.

    References
    ----------
    Q. McNemar, Psychometrika 12 (1947), 153-157; exact form: sign test on the splits.
    """
    rarer, n = _discordant(table)
    return min(1.0, 2 * float(binomial_at_most(rarer, n, 0.5)))


def mcnemar_mid_p(table: npt.ArrayLike) -> float:
    """Mid-p version of `mcnemar_exact`: rarer splits, plus half of the equally rare ones.

    Parameters and Raises as for `mcnemar_exact`.

    References
    ----------
    M. W. Fagerland, S. Lydersen, P. Laake, BMC Med. Res. Methodol. 13 (2013), 91.
    """
    rarer, n = _discordant(table)
    observed = float(np.exp(binomial_log_pmf(rarer, n, 0.5)))
    if 2 * rarer == n:
        return 1 - observed / 2
    return 2 * float(binomial_at_most(rarer - 1, n, 0.5)) + observed


def noninferiority_paired(
    table: npt.ArrayLike, margin: float, confidence: float = 0.95
) -> NonInferiority:
    """Did the new system lose more than `margin` on the same cases?

    Parameters
    ----------
    table : (2, 2) array of counts
        Rows new system, columns old, "passed" first.
    margin : float
        Largest loss that is tolerated, as a share in [0, 1].
    confidence : float
        Two-sided coverage; 0.95 tests each side at 2.5 %.

    Returns
    -------
    NonInferiority
        New minus old. It passes if the whole interval lies above -margin, regresses if
        the whole interval lies below it.

    Raises
    ------
    UndefinedError
        If there are no cases, or the input is impossible.

    References
    ----------
    Interval: Newcombe (1998), method 10. Reading: ICH E9 (1998), section 3.3.2.
    """
    allowed = within(margin, "the margin")
    base = newcombe_paired_difference(table, confidence)
    low = -1.0 if base.low is None else base.low
    high = 1.0 if base.high is None else base.high
    decision = "not enough data"
    if low > -allowed:
        decision = "passes"
    elif high < -allowed:
        decision = "regresses"
    method = f"{base.method}, non-inferiority margin {allowed:g}"
    return NonInferiority(base.value, low, high, base.n, method, base.confidence, decision=decision)


def differences_with_alarm(
    tables: Sequence[npt.ArrayLike], bar: float, confidence: float = 0.95
) -> list[Estimate]:
    """Paired differences of several categories that must each clear a bar, alarms by Holm.

    That all categories clear the bar is claimed only if each one does, which needs no
    correction (intersection-union): the lower ends are those of `newcombe_paired_difference`.
    That some category misses it is one alarm out of many chances: the upper ends are widened
    step by step, so that a false alarm in any category is no likelier than in a single one.

    Parameters
    ----------
    tables : sequence of (2, 2) arrays of counts
        Rows new system, columns old, "passed" first; one for each category.
    bar : float
        The difference below which a category misses.
    confidence : float
        Two-sided coverage for a single category, in (0, 1).

    Returns
    -------
    list of Estimate
        In the order given. An upper end lies below `bar` just where Holm's test rejects.

    Raises
    ------
    UndefinedError
        If a category has no cases, or a table is impossible.

    References
    ----------
    S. Holm, Scand. J. Stat. 6 (1979), 65-70; R. L. Berger, Technometrics 24 (1982), 295-300.
    """
    level = inside(confidence, "the confidence")
    plain = [newcombe_paired_difference(table, level) for table in tables]
    ends: dict[int, float] = {}
    while len(ends) < len(plain):
        share = 1 - (1 - level) / (len(plain) - len(ends))
        waiting = [number for number in range(len(plain)) if number not in ends]
        highs = {n: newcombe_paired_difference(tables[n], share).high or 0.0 for n in waiting}
        alarms = {n: high for n, high in highs.items() if high < bar}
        ends |= alarms or highs
        if not alarms:
            break
    note = f"; upper end widened by Holm for {len(plain)} categories" if len(plain) > 1 else ""
    return [
        replace(one, high=ends[number], method=one.method + note)
        for number, one in enumerate(plain)
    ]
