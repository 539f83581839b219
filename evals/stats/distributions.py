"""Quantiles and tails of the normal, Student and binomial laws, from scipy.special alone.

scipy.stats would cost one to two seconds of import time.
"""

import numpy as np
from scipy.special import bdtrik, betainc, gammaln, ndtr, ndtri, stdtr, stdtrit, xlog1py, xlogy

from evals.stats.checks import Floats


def normal_quantile(confidence: float) -> float:
    """z such that the share `confidence` of a standard normal lies within ±z."""
    return float(ndtri((1 + confidence) / 2))


def normal_two_sided(z: float) -> float:
    """P(|Z| >= |z|)."""
    return min(1.0, 2 * float(ndtr(-abs(z))))


def student_quantile(confidence: float, df: float) -> float:
    """t such that the share `confidence` of Student's law with `df` degrees lies within ±t."""
    return float(stdtrit(df, (1 + confidence) / 2))


def student_below(t: float, df: float) -> float:
    """P(T <= t)."""
    return float(stdtr(df, t))


def student_two_sided(t: float, df: float) -> float:
    """P(|T| >= |t|)."""
    return min(1.0, 2 * float(stdtr(df, -abs(t))))


def binomial_at_least(k: Floats | float, n: Floats | float, p: float) -> Floats:
    """P(X >= k) for X ~ Bin(n, p), elementwise; k may be 0 or n + 1."""
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    inner = (k >= 1) & (k <= n)
    tail = np.where(k < 1, 1.0, 0.0)
    tail[inner] = betainc(k[inner], n[inner] - k[inner] + 1, p)
    return tail


def binomial_at_most(k: Floats | float, n: Floats | float, p: float) -> Floats:
    """P(X <= k) for X ~ Bin(n, p), elementwise; k may be -1 or n."""
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    return binomial_at_least(n - k, n, 1 - p)


def binomial_place(chance: float, n: int, p: float) -> int:
    """About how many k of 0 ... n have P(X <= k) <= `chance` for X ~ Bin(n, p); one off at most."""
    place = bdtrik(chance, n, p)
    return 0 if np.isnan(place) else min(n, max(0, int(place) + 1))


def binomial_log_pmf(k: float, n: float, p: float) -> float:
    """log P(X = k) for X ~ Bin(n, p); minus infinity where impossible."""
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return float(ways + xlogy(k, p) + xlog1py(n - k, -p))
