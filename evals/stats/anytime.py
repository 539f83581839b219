"""A mean of item scores that may be looked at after every judgement, however lopsided.

Nothing is taken to be normal: near 0 and 1 the asymptotic sequence of `sequential` errs in up to
20 % of studies instead of 5 %, since the spread is not known there before the first rare score.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, counts, inside
from evals.stats.clusters import sums_from_histogram
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.vote_sums import MIN_ANNOTATORS, ROUNDING

# What is staked on each item, as a share of what is there: small stakes find small differences
# among many items, large ones great differences among few. Equal parts of the first capital.
STAKES = np.geomspace(0.001, 0.97, 40)
BISECTIONS = 30
# The sequence holds from the first item; beside it stand intervals that do not hold before this.
FIRST_LOOK = 20


@dataclass(frozen=True)
class AnytimeLimits:
    """Ends of the sequence at each look, and the mean between them.

    Attributes
    ----------
    mean, low, high : (L,) arrays
    """

    mean: Floats
    low: Floats
    high: Floats


def betting_limits(
    scores: npt.ArrayLike, looks: npt.ArrayLike, confidence: float = 0.95
) -> AnytimeLimits:
    """Confidence sequence of a mean of scores in [0, 1], true at all looks together.

    Whoever bets at fair odds against the true mean multiplies their capital by 2/alpha with a
    chance of at most alpha/2, whenever they stop: a mean against which that has come about is
    left out. One bettor stakes on higher scores, one on lower ones, each a mixture of stakes.
    It holds for every number of items and every law of scores whose mean stays the same.

    Parameters
    ----------
    scores : (V,) array
        The distinct scores, in [0, 1].
    looks : (L, V) array of counts
        At each look, how many items have each of the scores; at least one item.
    confidence : float
        In (0, 1).

    Raises
    ------
    UndefinedError
        If a score lies outside 0 to 1, a count is no whole number, or a look has no items.

    References
    ----------
    I. Waudby-Smith, A. Ramdas, J. R. Stat. Soc. B 86 (2024), 1-27, with a mixture of stakes in
    place of predicted ones (H. Robbins, Ann. Math. Stat. 41 (1970), 1397-1409). Where all
    scores are 0 or 1 it is a beta-binomial sequence with another mixture.
    """
    values, table, level = _checked(scores, looks, confidence)
    mean = np.clip(table @ values / table.sum(axis=1), 0, 1)
    low = _lower(values, table, level)
    high = 1 - _lower(1 - values, table, level)
    return AnytimeLimits(mean, np.minimum(low, mean), np.maximum(high, mean))


def betting_excludes(
    scores: npt.ArrayLike, looks: npt.ArrayLike, means: npt.ArrayLike, confidence: float = 0.95
) -> npt.NDArray[np.bool_]:
    """Whether each look's interval leaves out a mean, without looking for its ends.

    Parameters
    ----------
    scores, looks, confidence
        As for `betting_limits`.
    means : (L,) array
        One for each look, in (0, 1).
    """
    values, table, level = _checked(scores, looks, confidence)
    at = array(means, "the means")
    if len(at) != len(table) or (len(at) and not 0 < at.min() <= at.max() < 1):
        raise UndefinedError("there must be one mean between 0 and 1 for each look")
    bar = math.log(2 / (1 - level))
    above = _log_capital(values, table, at) >= bar
    return np.asarray(above | (_log_capital(1 - values, table, 1 - at) >= bar))


def _checked(
    scores: npt.ArrayLike, looks: npt.ArrayLike, confidence: float
) -> tuple[Floats, Floats, float]:
    values, table = array(scores, "the scores"), counts(looks, "the looks").astype(float)
    if not table.size:
        table = np.zeros((0, len(values)))
    if table.shape[1] != len(values):
        raise UndefinedError("every look must have a count for each score")
    if len(values) and not 0 <= values.min() <= values.max() <= 1:
        raise UndefinedError("a score lies outside 0 to 1")
    if (table.sum(axis=1) < 1).any():
        raise UndefinedError("there are no items")
    return values, table, inside(confidence, "the confidence")


def _log_capital(values: Floats, table: Floats, mean: Floats) -> Floats:
    """Of who bets on scores above `mean` at each look: log of the mixture over all stakes."""
    gains = values[None, :] / mean[:, None] - 1
    logs = np.einsum("lv,slv->ls", table, np.log1p(STAKES[:, None, None] * gains))
    most = logs.max(axis=1)
    found = most + np.log(np.exp(logs - most[:, None]).mean(axis=1))
    return np.asarray(found)


def _lower(values: Floats, table: Floats, level: float) -> Floats:
    """Where the capital, which falls with the mean that is bet against, comes down to the bar."""
    bar = math.log(2 / (1 - level))
    low, high = np.zeros(len(table)), np.clip(table @ values / table.sum(axis=1), 0, 1)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        # Where the mean is 0 there is nothing below it.
        out = (middle > 0) & (_log_capital(values, table, np.maximum(middle, 1e-12)) >= bar)
        low, high = np.where(out, middle, low), np.where(out, high, middle)
    return low


def annotators_margin(annotator_hist: npt.ArrayLike, confidence: float = 0.95) -> float | None:
    """How far the annotators of a study may lie from annotators like them.

    They are drawn once: more items bring nobody nearer to people who were not asked. So it does
    not grow with the number of looks, and does not shrink with items alone.

    Parameters
    ----------
    annotator_hist : (H, 3) array
        Rows (votes, score sum, number of annotators with just these).
    confidence : float
        In (0, 1).

    Returns
    -------
    float or None
        t·√V, V being the variance of the mean clustered by annotator; None with fewer than 5
        annotators, who speak for themselves alone. t is that of half the error, since it is
        looked at again whenever somebody joins; its degrees of freedom are one less than the
        annotators would be who shared the votes evenly and said as much.

    References
    ----------
    A. C. Cameron, J. B. Gelbach, D. L. Miller, JBES 29 (2011), 238-249; effective number of
    unequal parts: L. Kish, Survey Sampling (1965), section 11.7.
    """
    level = inside(confidence, "the confidence")
    people = sums_from_histogram(annotator_hist, "the annotators")
    if people.size < MIN_ANNOTATORS:
        return None
    votes = float(people.times @ people.votes)
    mean = float(people.times @ people.scores) / votes
    even = votes**2 / float(people.times @ people.votes**2)
    df = max(1, math.floor(even + ROUNDING) - 1)
    return student_quantile((1 + level) / 2, df) * math.sqrt(people.variance(mean, int(votes)))


def widened(mean: float, low: float, high: float, margin: float) -> tuple[float, float]:
    """Both ends moved away from the mean: the squares of margin and half-width add up."""
    below, above = math.hypot(mean - low, margin), math.hypot(high - mean, margin)
    return max(0.0, mean - below), min(1.0, mean + above)
