"""Quantiles of latencies, and how much slower the slow requests have become."""

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, count, inside, within
from evals.stats.distributions import binomial_at_most
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate

DRAWS = 2000


def quantile_hazen(values: npt.ArrayLike, q: float) -> float:
    """Quantile at position nq + ½ of the sorted values, linear between, clamped to the ends.

    Parameters
    ----------
    values : (n,) array
    q : float
        In [0, 1].

    Returns
    -------
    float
        In the unit of the values.

    Raises
    ------
    UndefinedError
        If there are no values, or one is not finite.

    References
    ----------
    A. Hazen, Trans. ASCE 77 (1914), 1539-1640; R. J. Hyndman, Y. Fan, Am. Stat. 50
    (1996), 361-365, definition 5.
    """
    data, share = array(values, "the values"), within(q, "the quantile")
    if data.size == 0:
        raise UndefinedError("there are no values")
    return float(_hazen(np.sort(data)[None, :], share)[0])


def _hazen(ordered: Floats, q: float) -> Floats:
    """Hazen quantile of every row of sorted values."""
    n = ordered.shape[1]
    position = min(max(n * q - 0.5, 0.0), n - 1.0)
    below = int(position)
    above = min(below + 1, n - 1)
    part = position - below
    return np.asarray(ordered[:, below] * (1 - part) + ordered[:, above] * part)


def smallest_sample(q: float, confidence: float = 0.95) -> int:
    """Least number of values from which a distribution-free interval of a quantile exists.

    The largest of n values exceeds the q-quantile with probability 1 - q^n; a two-sided
    interval leaves (1 - confidence)/2 on either side (368 for p99 at 95 %).

    References
    ----------
    W. J. Conover, Practical Nonparametric Statistics, 3rd ed. (1999), section 3.2.
    """
    share, level = inside(q, "the quantile"), inside(confidence, "the confidence")
    extreme = max(share, 1 - share)
    return int(np.ceil(np.log((1 - level) / 2) / np.log(extreme)))


def least_for_ratio(q: float, confidence: float = 0.95) -> int:
    """Requests a side from which a ratio of quantiles is given: those of a one-sided limit.

    Whether a system has become slower is asked of one end of the interval alone, so that the
    smallest sample of a one-sided limit does (299 for p99 at 95 %). The bootstrap covers from
    200 requests on.
    """
    level = inside(confidence, "the confidence")
    return smallest_sample(q, max(0.5, 2 * level - 1))


def quantile_interval(values: npt.ArrayLike, q: float, confidence: float = 0.95) -> Estimate:
    """A Hazen quantile with an interval that assumes nothing of how the values are spread.

    Parameters
    ----------
    values : (n,) array
    q : float
        In (0, 1).
    confidence : float
        The interval covers at least this much, with at most half of the rest on either side.

    Returns
    -------
    Estimate
        The interval ends at two of the values; without one (and `method` says how many values
        it takes) where even the smallest and the largest do not reach far enough.

    Raises
    ------
    UndefinedError
        If there are no values, or one is not finite.

    References
    ----------
    W. J. Conover, Practical Nonparametric Statistics, 3rd ed. (1999), section 3.2.
    """
    value = quantile_hazen(values, q)
    share, level = inside(q, "the quantile"), inside(confidence, "the confidence")
    ordered = np.sort(array(values, "the values"))
    n, tail = ordered.size, (1 - level) / 2
    below = np.asarray(binomial_at_most(np.arange(n, dtype=np.float64), float(n), share))
    # Ranks from 1: the quantile lies below the first with a chance of at most `tail`, and above
    # the second likewise.
    first = int(np.searchsorted(below, tail, side="right"))
    second = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    name = f"p{100 * share:g} (Hazen)"
    if first < 1 or second > n:
        why = f"{n:,} requests, an interval needs {smallest_sample(share, level):,}"
        return Estimate(value, None, None, n, f"{name}; {why}", level)
    low, high = float(ordered[first - 1]), float(ordered[second - 1])
    method = f"{name}, interval of order statistics"
    return Estimate(value, min(value, low), max(value, high), n, method, level)


def quantile_ratio(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    q: float = 0.99,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    draws: int = DRAWS,
    least: int | None = None,
) -> Estimate:
    """How many times slower the candidate's slow requests are.

    Parameters
    ----------
    candidate, baseline : (n,), (m,) arrays
        Latencies above 0, in one unit.
    q : float
        Which quantile, in (0, 1).
    confidence, seed, draws
        Of the percentile bootstrap, requests resampled within each system.
    least : int, optional
        Requests a side below which there is no interval; by default `smallest_sample` of the
        confidence. Who looks at one end alone may ask for those of a one-sided limit (299 for
        p99 at 95 %): coverage was measured from 200 requests.

    Returns
    -------
    Estimate
        Ratio of the Hazen quantiles; `n` counts the requests of the smaller side.

    Raises
    ------
    UndefinedError
        If a side has too few requests for an interval of this quantile, or a latency is
        not above 0.
    """
    level, share = inside(confidence, "the confidence"), inside(q, "the quantile")
    sides = [array(candidate, "the candidate's latencies"), array(baseline, "the baseline's")]
    n = min(side.size for side in sides)
    needed = smallest_sample(share, level) if least is None else count(least, "the least number")
    if n < needed:
        raise UndefinedError(f"{n:,} requests, p{100 * share:g} needs {needed:,}", n)
    if min(side.min() for side in sides) <= 0:
        raise UndefinedError("a latency must be above 0", n)
    rng = np.random.default_rng(seed)
    repeats = max(1, count(draws, "the number of draws"))
    over, under = (_resampled(np.sort(side), share, repeats, rng) for side in sides)
    logs = np.log(over) - np.log(under)
    low, high = np.exp(np.quantile(logs, ((1 - level) / 2, (1 + level) / 2)))
    value = quantile_hazen(sides[0], share) / quantile_hazen(sides[1], share)
    method = f"ratio of Hazen quantiles, p{100 * share:g}; bootstrap of requests, {repeats:,} draws"
    return Estimate(value, min(value, float(low)), max(value, float(high)), n, method, level)


def _resampled(ordered: Floats, q: float, draws: int, rng: np.random.Generator) -> Floats:
    """Quantile of every resample of already sorted values.

    Only one or two of a resample's values decide its quantile, so only their ranks are drawn:
    the k-th smallest of n uniform numbers is Beta(k, n - k + 1), and of those above it the
    smallest is uniform-like again. The law is that of drawing n values, at no cost in n.
    """
    n = ordered.size
    place = min(max(n * q - 0.5, 0.0), n - 1.0)
    k = int(place) + 1
    part = place - int(place)
    first = rng.beta(k, n - k + 1, size=draws)
    lower = ordered[_ranks(first, n)]
    if part == 0.0 or k == n:
        return np.asarray(lower)
    second = 1 - (1 - first) * rng.random(draws) ** (1 / (n - k))
    return np.asarray(lower * (1 - part) + ordered[_ranks(second, n)] * part)


def _ranks(uniform: Floats, n: int) -> npt.NDArray[np.int64]:
    """Which of n values a uniform number draws."""
    return np.minimum((uniform * n).astype(np.int64), n - 1)
