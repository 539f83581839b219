"""Quantiles of latencies, and how much slower the slow requests have become."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, count, inside, within
from evals.stats.distributions import binomial_at_most, binomial_place
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
    return _hazen(data, share)


def _hazen(data: Floats, q: float) -> float:
    """Hazen quantile of values in any order: the two that decide are found without a sort."""
    return _hazen_of(np.partition(data, _deciding(data.size, q)), q)


def _deciding(n: int, q: float) -> list[int]:
    """The places, from 0, of the one or two of `n` sorted values that make the quantile."""
    below = int(min(max(n * q - 0.5, 0.0), n - 1.0))
    return sorted({below, min(below + 1, n - 1)})


def _hazen_of(ordered: Floats, q: float) -> float:
    """The quantile of values that stand in their order, at least at the places that decide."""
    n = ordered.size
    places = _deciding(n, q)
    part = min(max(n * q - 0.5, 0.0), n - 1.0) - places[0]
    return float(ordered[places[0]] * (1 - part) + ordered[places[-1]] * part)


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
    data, share = array(values, "the values"), inside(q, "the quantile")
    n, level = data.size, inside(confidence, "the confidence")
    if n == 0:
        raise UndefinedError("there are no values")
    tail = (1 - level) / 2
    # Ranks from 1: the quantile lies below the first with a chance of at most `tail`, and above
    # the second likewise.
    first = _how_many(n, share, tail, lambda chance: chance <= tail)
    second = _how_many(n, share, 1 - tail, lambda chance: chance < 1 - tail) + 1
    ends = [first - 1, second - 1] if first >= 1 and second <= n else []
    parted = np.partition(data, sorted({*ends, *_deciding(n, share)}))
    value, name = _hazen_of(parted, share), f"p{100 * share:g} (Hazen)"
    if not ends:
        why = f"{n:,} requests, an interval needs {smallest_sample(share, level):,}"
        return Estimate(value, None, None, n, f"{name}; {why}", level)
    low, high = (float(parted[end]) for end in ends)
    method = f"{name}, interval of order statistics"
    return Estimate(value, min(value, low), max(value, high), n, method, level)


def median_interval(values: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """The median with the exact interval of order statistics, as `quantile_interval` has it.

    The number of values below the median is binomial with one half, whatever the law of the
    values: the interval ends at the first and last value that it does not rule out. From 6
    values on at 95 %.
    """
    found = quantile_interval(values, 0.5, confidence)
    if found.low is None:
        least = smallest_sample(0.5, confidence)
        return replace(found, method=f"median; no interval: it takes {least} judgements")
    return replace(found, method="median; interval of order statistics (binomial)")


def _how_many(n: int, share: float, about: float, holds: Callable[[float], bool]) -> int:
    """Of k = 0 ... n - 1 for how many P(X <= k) `holds`, X ~ Bin(n, share).

    It does up to some k and not beyond: `about` where the chance is this.
    """

    def held(k: int) -> bool:
        return holds(float(binomial_at_most(k, n, share)))

    found = binomial_place(about, n, share)
    while found < n and held(found):
        found += 1
    while found > 0 and not held(found - 1):
        found -= 1
    return found


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
    ordered = [np.sort(side) for side in sides]
    over, under = (_resampled(side, share, repeats, rng) for side in ordered)
    logs = np.log(over) - np.log(under)
    low, high = np.exp(np.quantile(logs, ((1 - level) / 2, (1 + level) / 2)))
    value = _hazen_of(ordered[0], share) / _hazen_of(ordered[1], share)
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
