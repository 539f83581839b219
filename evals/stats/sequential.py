"""Looking every evening and stopping early, without fooling oneself.

Peeking with an ordinary test errs in 20 to 46 % of cases instead of 5 %.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, xlog1py, xlogy

from evals.stats.checks import count, inside, number, positive, within
from evals.stats.errors import UndefinedError
from evals.stats.estimates import finite

BISECTIONS = 80
# exp of more than this is no longer a float.
LARGEST_LOG = 709.0


@dataclass(frozen=True)
class Boundary:
    """Value of a two-sided boundary for a sum with variance v, and its tuning constant."""

    value: float
    rho: float


@dataclass(frozen=True)
class ConfidenceSequence:
    """Interval that holds at all looks together.

    Attributes
    ----------
    value : float
        Half-width.
    low, high : float
        Mean minus and plus the half-width, not clipped.
    """

    value: float
    rho: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class EValue:
    """Evidence against a fixed share, valid whenever one looks.

    Attributes
    ----------
    value : float or None
        E; None where it is beyond the range of a float (then `log_value` stands).
    log_value : float
    low, high : float
        Ends of the confidence sequence {p0 : E < 1/alpha}.
    """

    value: float | None
    log_value: float
    low: float
    high: float
    n: int


def _tuning(alpha: float) -> float:
    """L + ln(1 + L) with L = -2 ln alpha."""
    # math, not numpy: three times as quick for a single number.
    level = -2 * math.log(alpha)
    return level + math.log1p(level)


def normal_mixture_boundary(
    v: float, alpha: float = 0.05, v_opt: float = 100.0, alpha_opt: float = 0.05
) -> Boundary:
    """Two-sided normal-mixture boundary for a sub-Gaussian sum.

    Parameters
    ----------
    v : float
        Intrinsic time: the variance gathered so far, above 0.
    alpha : float
        Chance of ever crossing, in (0, 1).
    v_opt, alpha_opt : float
        Time and level for which the boundary is tightest.

    Raises
    ------
    UndefinedError
        If v or v_opt is not above 0, or a level lies outside (0, 1).

    References
    ----------
    S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, Ann. Stat. 49 (2021), 1055-1080;
    H. Robbins, Ann. Math. Stat. 41 (1970), 1397-1409.
    """
    time, best = positive(v, "v"), positive(v_opt, "v_opt")
    level, best_level = inside(alpha, "alpha"), inside(alpha_opt, "alpha_opt")
    rho = best / _tuning(best_level)
    inner = np.log1p(time / rho) - 2 * np.log(level)
    value = finite(float(np.sqrt((time + rho) * inner)), "the boundary")
    return Boundary(value or 0.0, rho)


def asymptotic_confidence_sequence(
    mean: float, sd: float, n: int, alpha: float = 0.05, n_opt: float = 150
) -> ConfidenceSequence:
    """Interval for the mean item score that may be looked at after every item.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation of the item scores (mean of an item's votes; an item
        enters when its planned votes are complete).
    n : int
        Items, at least 2; trust it from about 20.
    alpha : float
        Chance of ever missing the mean, in (0, 1).
    n_opt : float
        Number of items for which it is tightest.

    Raises
    ------
    UndefinedError
        With fewer than two items, or if all scores are equal.

    References
    ----------
    I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, Ann. Stat. 52 (2024),
    2613-2640.
    """
    centre, spread, items = number(mean, "the mean"), number(sd, "the sd"), count(n, "n")
    level, best = inside(alpha, "alpha"), positive(n_opt, "n_opt")
    if items < 2:
        raise UndefinedError("fewer than two items have no variance", items)
    if spread < 0:
        raise UndefinedError("the sd must not be negative", items)
    if spread == 0:
        raise UndefinedError("all item scores are equal: no variance to build on", items)
    rho = math.sqrt(_tuning(level) / best)
    scaled = items * rho**2 + 1
    half = spread * math.sqrt(2 * scaled / (items * rho) ** 2 * math.log(math.sqrt(scaled) / level))
    return ConfidenceSequence(half, rho, centre - half, centre + half, items)


def beta_binomial_e_value(
    successes: float, n: int, p0: float = 0.5, a: float = 5, b: float = 5, alpha: float = 0.05
) -> EValue:
    """Evidence against the share `p0`; one vote for each item.

    Parameters
    ----------
    successes : float
        Wins plus half of the ties.
    n : int
        Votes.
    p0 : float
        Share under test, in (0, 1). Reject when the value reaches 1/alpha.
    a, b : float
        The Beta mixture, above 0.
    alpha : float
        In (0, 1).

    Raises
    ------
    UndefinedError
        If there are no votes, more successes than votes, or a parameter is out of range.

    References
    ----------
    H. Robbins, Ann. Math. Stat. 41 (1970), 1397-1409; Howard et al. (2021).
    """
    votes = count(n, "n")
    x = within(successes, "the number of successes", 0, votes)
    null, level = inside(p0, "p0"), inside(alpha, "alpha")
    shape1, shape2 = positive(a, "a"), positive(b, "b")
    if votes == 0:
        raise UndefinedError("there are no votes")
    mixture = float(betaln(x + shape1, votes - x + shape2) - betaln(shape1, shape2))

    def log_e(p: float) -> float:
        return mixture - float(xlogy(x, p) + xlog1py(votes - x, -p))

    bar = -float(np.log(level))
    low = _crossing(log_e, bar, outside=0.0, inner=x / votes) if x > 0 else 0.0
    high = _crossing(log_e, bar, outside=1.0, inner=x / votes) if x < votes else 1.0
    log_value = log_e(null)
    value = float(np.exp(log_value)) if log_value < LARGEST_LOG else None
    return EValue(value, log_value, low, high, votes)


def _crossing(log_e: Callable[[float], float], bar: float, outside: float, inner: float) -> float:
    """Where log E falls below `bar` between `outside` (above it) and `inner` (below it)."""
    for _ in range(BISECTIONS):
        middle = (outside + inner) / 2
        if log_e(middle) >= bar:
            outside = middle
        else:
            inner = middle
    return (outside + inner) / 2
