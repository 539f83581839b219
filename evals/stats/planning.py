"""How many judgements or cases does an answer take?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from evals.stats.checks import Floats, count, inside, number, one_of, within
from evals.stats.distributions import (
    binomial_at_least,
    binomial_at_most,
    normal_quantile,
    student_quantile,
)
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.proportions import clopper_pearson_trials, wilson_limits

# Beyond this an exact answer is of no use to anybody who collects judgements.
MAX_SAMPLE = 1_000_000
# More than this many further judgements is no plan: the value lies too near the threshold.
MAX_MORE = 100_000
BISECTIONS = 60
SCALES = ("share", "points", "relative", "ratio")


@dataclass(frozen=True)
class SampleSize:
    """Trials for an exact test.

    Attributes
    ----------
    first : int
        Least n with the wanted power.
    value : int
        Least n from which the power stays; exact power is a saw.
    """

    value: int
    first: int


@dataclass(frozen=True)
class Needed:
    """How many more observations would settle a question; None with the reason."""

    more: int | None
    reason: str = ""


def sample_size_proportion(
    p0: float, p1: float, alpha: float = 0.05, power: float = 0.8, alternative: str = "two-sided"
) -> SampleSize:
    """Independent votes that an exact binomial test needs.

    Parameters
    ----------
    p0, p1 : float
        Share under test, and the true share to be detected; p0 in (0, 1), p1 in [0, 1].
    alpha, power : float
        In (0, 1); two-sided is alpha/2 in each tail.
    alternative : {"two-sided", "greater", "less"}

    Raises
    ------
    UndefinedError
        If there is no difference to detect in that direction, or it takes more than a
        million votes.

    References
    ----------
    J. L. Fleiss, B. Levin, M. C. Paik, Statistical Methods for Rates and Proportions,
    3rd ed. (2003), chapter 4; exact power by the binomial law.
    """
    null, true = inside(p0, "p0"), within(p1, "p1")
    level, wanted = inside(alpha, "alpha"), inside(power, "the power")
    one_of(alternative, "the alternative", ("two-sided", "greater", "less"))
    if null == true or (alternative != "two-sided" and (true > null) != (alternative == "greater")):
        raise UndefinedError("the alternative holds no difference to detect")
    tail = level / 2 if alternative == "two-sided" else level
    horizon = 3 * _normal_size(null, true, tail, wanted) // 2 + 100
    while horizon <= 4 * MAX_SAMPLE:
        enough = _power(horizon, null, true, tail, alternative) >= wanted
        short = np.flatnonzero(~enough)
        last = int(short[-1]) + 1 if short.size else 0
        # The teeth of the saw shrink with n: a quarter of the way without one is their end.
        if last <= 3 * horizon // 4:
            return SampleSize(last + 1, int(np.flatnonzero(enough)[0]) + 1)
        horizon *= 2
    raise UndefinedError(f"it would take more than {MAX_SAMPLE:,} votes")


def _normal_size(null: float, true: float, tail: float, power: float) -> int:
    spread = -ndtri(tail) * math.sqrt(null * (1 - null))
    spread += abs(float(ndtri(power))) * math.sqrt(true * (1 - true))
    size = (float(spread) / (true - null)) ** 2
    if size > MAX_SAMPLE:
        raise UndefinedError(f"it would take more than {MAX_SAMPLE:,} votes")
    return math.ceil(size)


def _power(horizon: int, null: float, true: float, tail: float, alternative: str) -> Floats:
    """Exact power of the test with n = 1 ... horizon votes."""
    n = np.arange(1, horizon + 1, dtype=float)
    power = np.zeros(horizon)
    if alternative != "less":
        power += binomial_at_least(_critical(n, null, tail), n, true)
    if alternative != "greater":
        # Failures above their critical number are successes below theirs.
        power += binomial_at_most(n - _critical(n, 1 - null, tail), n, true)
    return power


def _critical(n: Floats, null: float, tail: float) -> Floats:
    """Least count whose upper tail under `null` is at most `tail`, for every n."""
    guess = np.round(n * null - ndtri(tail) * np.sqrt(n * null * (1 - null)))
    below, above = np.clip(guess - 2, 0, n + 1), np.clip(guess + 3, 0, n + 1)
    # The normal guess is rarely off by more; where it is, search the whole range.
    below = np.where(binomial_at_least(below, n, null) > tail, below, 0.0)
    above = np.where(binomial_at_least(above, n, null) <= tail, above, n + 1)
    while (above - below > 1).any():
        middle = np.floor((below + above) / 2)
        rare = binomial_at_least(middle, n, null) <= tail
        above, below = np.where(rare, middle, above), np.where(rare, below, middle)
    return np.asarray(above)


def power_of(counts: Sequence[int], p0: float, p1: float, tail: float) -> list[float]:
    """Chance that so many independent votes show a share above p0.

    Parameters
    ----------
    counts : sequence of int
        Numbers of votes, each at least 1.
    p0, p1 : float
        The share to be beaten and the true one, both in (0, 1).
    tail : float
        Error of the one-sided exact test, in (0, 1).

    Returns
    -------
    list of float
        Exact power for each count; it is a saw.
    """
    null, true, level = inside(p0, "p0"), inside(p1, "p1"), inside(tail, "the tail")
    n = np.asarray([count(one, "the votes") for one in counts], dtype=float)
    if n.size and n.min() < 1:
        raise UndefinedError("power needs at least one vote")
    power: list[float] = binomial_at_least(_critical(n, null, level), n, true).tolist()
    return power


def detectable_share(p0: float, votes: int, tail: float, power: float = 0.8) -> float:
    """Least true share above p0 that so many independent votes show with the wanted power.

    Raises
    ------
    UndefinedError
        If not even a share of 1 would be shown.
    """
    null, level, wanted = inside(p0, "p0"), inside(tail, "the tail"), inside(power, "the power")
    n = np.asarray([float(count(votes, "the votes"))])
    if n[0] < 1 or (critical := _critical(n, null, level))[0] > n[0]:
        raise UndefinedError("so few votes show nothing, whatever the truth", int(n[0]))
    low, high = null, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        enough = binomial_at_least(critical, n, middle)[0] >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high


def votes_for_width(p: float, half_width: float, confidence: float = 0.95) -> int:
    """Independent votes until the Wilson interval of a share is no wider than ± half_width.

    Raises
    ------
    UndefinedError
        If it takes more than a million.
    """
    share, wanted = within(p, "the share"), inside(half_width, "the half-width")
    quantile = normal_quantile(inside(confidence, "the confidence"))

    def half(n: int) -> float:
        low, high = wilson_limits(share, n, quantile)
        return (high - low) / 2

    if half(MAX_SAMPLE) > wanted:
        raise UndefinedError(f"it would take more than {MAX_SAMPLE:,} votes")
    low, high = 0, MAX_SAMPLE
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half(middle) <= wanted else (middle, high)
    return high


def judgements_needed(
    value: float,
    threshold: float,
    *,
    design_effect: float = 1.0,
    confidence: float = 0.95,
    df: int | None = None,
) -> Needed:
    """Votes in all until the Wilson interval of a share clears a threshold.

    Parameters
    ----------
    value : float
        The share expected, above the threshold.
    threshold : float
        In (0, 1).
    design_effect : float
        Votes for one independent vote, at least 1.
    confidence : float
    df : int, optional
        Degrees of freedom of Student's t; the normal law by default.

    References
    ----------
    The Wilson limit is where the score test just rejects (Wilson 1927), so
    n_eff = q²·t(1-t)/(p-t)².
    """
    p, bar = within(value, "the value"), inside(threshold, "the threshold")
    level, effect = inside(confidence, "the confidence"), number(design_effect, "design effect")
    if p <= bar:
        return Needed(None, "the present value is on the wrong side of the threshold")
    quantile = normal_quantile(level) if df is None else student_quantile(level, df)
    needed = math.ceil(max(1.0, effect) * quantile**2 * bar * (1 - bar) / (p - bar) ** 2)
    return _bounded(needed)


def more_needed(
    estimate: Estimate, threshold: float, direction: str = "at least", scale: str = "share"
) -> Needed:
    """Further observations until the interval clears the threshold.

    Assumes that value, design effect and degrees of freedom stay as they are, so that
    the interval shrinks with the square root of n.

    Parameters
    ----------
    estimate : Estimate
        With an interval.
    threshold : float
        In the unit of the estimate.
    direction : {"at least", "at most"}
        On which side of the threshold the interval has to lie.
    scale : {"share", "points", "relative", "ratio"}
        Share: the interval of a proportion, Clopper and Pearson's where the estimate says that
        it is exact, else of Wilson's shape. Points: a difference, symmetric in
        its own unit. Ratio: symmetric in its logarithm. Relative: a ratio less 1.

    Returns
    -------
    Needed
        0 where the interval clears it already.
    """
    one_of(direction, "the direction", ("at least", "at most"))
    one_of(scale, "the scale", SCALES)
    bar = number(threshold, "the threshold")
    limit = estimate.low if direction == "at least" else estimate.high
    if limit is None or estimate.n == 0:
        return Needed(None, "there is no interval to go by")
    sign = 1.0 if direction == "at least" else -1.0
    if sign * (limit - bar) >= 0:
        return Needed(0)
    if sign * (estimate.value - bar) <= 0:
        return Needed(None, "the present value is on the wrong side of the threshold")
    if estimate.exact and scale == "share":
        return _more_trials(estimate, limit, bar)
    now, then = (_tightness(estimate.value, end, scale) for end in (limit, bar))
    return _bounded(math.ceil(estimate.n * (then / now - 1))) if now > 0 else _too_near()


def _more_trials(estimate: Estimate, limit: float, bar: float) -> Needed:
    """As many times more observations as it takes more trials to move the end to the bar."""
    p, level = estimate.value, estimate.confidence
    now = clopper_pearson_trials(p, limit, level, 2.0 * estimate.n)
    most = now * (1 + MAX_MORE / estimate.n)
    then = clopper_pearson_trials(p, bar, level, most) if math.isfinite(most) else math.inf
    if not math.isfinite(then):
        return _too_near()
    return _bounded(math.ceil(round(estimate.n * (then / now - 1), 6)))


def collected_for(more: int, lost: float) -> int:
    """How much has to be collected so that `more` of it counts, a share `lost` being for nothing.

    Raises
    ------
    UndefinedError
        If everything is for nothing.
    """
    wanted, share = count(more, "how many more"), within(lost, "the share lost")
    if share == 1:
        raise UndefinedError("nothing that is collected counts")
    return math.ceil(round(wanted / (1 - share), 6))


def _tightness(value: float, limit: float, scale: str) -> float:
    """Proportional to 1/n at which the interval of `value` ends at `limit`."""
    if scale == "points":
        return 1 / (value - limit) ** 2
    if scale == "relative":
        return _tightness(1 + value, 1 + limit, "ratio")
    if scale == "ratio":
        return 1 / math.log(value / limit) ** 2 if min(value, limit) > 0 else 0.0
    # Wilson: (p - limit)² = q²/n_eff · limit(1 - limit).
    return limit * (1 - limit) / (value - limit) ** 2


def _too_near() -> Needed:
    return Needed(None, "the present value is too near the threshold")


def _bounded(needed: int) -> Needed:
    return Needed(needed) if needed <= MAX_MORE else _too_near()


def design_effect(votes_per_item: float, correlation: float) -> float:
    """1 + (m - 1)·rho: votes that say as much as one independent vote.

    References
    ----------
    L. Kish, Survey Sampling (1965), section 5.4.
    """
    votes = number(votes_per_item, "votes per item")
    if votes < 1:
        raise UndefinedError("there must be at least one vote for each item")
    return 1 + (votes - 1) * within(correlation, "the correlation")
