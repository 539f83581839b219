"""Does an automated metric lean where people do? Items are the unit of everything here.

Of each item there are two numbers: how far the metric leans to the candidate (score of the
candidate minus score of the baseline), and how people do (mean of +1, 0 and -1 over its votes).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, count, inside
from evals.stats.distributions import normal_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.preference import win_rate_from_sums

DRAWS = 2000
STEPS = 60
# A side of the calibration table is cut where all of its parts keep so many items.
LEAST_IN_A_BIN = 5


def _both(metric: npt.ArrayLike, people: npt.ArrayLike) -> tuple[Floats, Floats]:
    leaning, said = array(metric, "the metric"), array(people, "the people")
    if leaning.size != said.size:
        raise UndefinedError("metric and people speak of different items")
    if (np.abs(said) > 1).any():
        raise UndefinedError("what people said must lie between -1 and 1")
    return leaning, said


def agreement_scores(metric: npt.ArrayLike, people: npt.ArrayLike) -> Floats:
    """1 where both lean to one side, ½ where the metric is tied, 0 where they lean apart.

    NaN where people are tied: there is no side to agree with.
    """
    leaning, said = _both(metric, people)
    scores = (1 + np.sign(leaning) * np.sign(said)) / 2
    return np.where(said == 0, np.nan, scores)


def side_agreement(
    metric: npt.ArrayLike, people: npt.ArrayLike, confidence: float = 0.95
) -> Estimate:
    """How often a metric takes the side that people take, its ties counted as half.

    A coin, and a metric that is always tied, get ½.

    Parameters
    ----------
    metric, people : (n,) arrays
        One of each an item; items on which people are tied are left out.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        A share in [0, 1]; `n` counts items on which people took a side.

    Raises
    ------
    UndefinedError
        If there are fewer than two such items.

    References
    ----------
    The mean of scores 1, ½ and 0 with the interval of `win_rate_from_sums`, an item being one
    vote.
    """
    leaning, said = _both(metric, people)
    # 0 for the other side, 1 for a tied metric, 2 for the same side.
    kinds = (np.sign(leaning) * np.sign(said) + 1).astype(np.int8)
    times = np.bincount(kinds[said != 0], minlength=3)
    seen = np.flatnonzero(times)
    return mean_of_counts(seen / 2, times[seen], confidence)


def mean_of_items(scores: Floats, confidence: float = 0.95) -> Estimate:
    """Mean of scores in [0, 1], one an item, with the exact interval of so many trials."""
    return mean_of_counts(*np.unique(scores, return_counts=True), confidence=confidence)


def mean_of_counts(
    values: npt.ArrayLike, times: npt.ArrayLike, confidence: float = 0.95
) -> Estimate:
    """The same of scores that are counted already: each value and how many items have it."""
    scores, often = array(values, "the scores"), array(times, "how often they occur")
    n, total = int(often.sum()), float(scores @ often)
    if n < 2:
        raise UndefinedError("there are fewer than two items to go by", n)
    estimate = win_rate_from_sums(
        n,
        total,
        float(scores**2 @ often),
        np.column_stack((np.ones(scores.size), scores, often)),
        [(n, total, 1)],
        cluster="item_or_exact",
        confidence=confidence,
    )
    plain = Estimate(
        estimate.value, estimate.low, estimate.high, n, "", estimate.confidence, estimate.se
    )
    return replace(plain, method="mean over items; Clopper-Pearson, an item being a trial")


def separation(metric: npt.ArrayLike, people: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """The chance that a metric leans further to the candidate where people gave it the item.

    One item that people gave to the candidate and one that they gave to the baseline are drawn:
    how often has the first the larger difference of scores (ties are half)? ½ is chance. Unlike
    `side_agreement` it forgives a metric that favours one system on all items alike.

    Parameters
    ----------
    metric, people : (n,) arrays
        As for `side_agreement`.
    confidence : float
        In (0, 1).

    Returns
    -------
    Estimate
        The area under the ROC curve, in [0, 1]; `n` counts items on which people took a side.

    Raises
    ------
    UndefinedError
        If people gave no item to one of the systems.

    References
    ----------
    J. A. Hanley, B. J. McNeil, Radiology 143 (1982), 29-36; interval: R. G. Newcombe, Stat.
    Med. 25 (2006), 559-573, method 5.
    """
    leaning, said = _both(metric, people)
    level = inside(confidence, "the confidence")
    # Both in their order, or each search would begin at a place far from the last one.
    won, lost = np.sort(leaning[said > 0]), np.sort(leaning[said < 0])
    if not (won.size and lost.size):
        system = "candidate" if lost.size else "baseline"
        raise UndefinedError(f"people gave no item to the {system}", int(won.size + lost.size))
    below, upto = np.searchsorted(lost, won, "left"), np.searchsorted(lost, won, "right")
    value = float((below + upto).sum()) / (2 * won.size * lost.size)
    quantile = normal_quantile(level)
    low = _limit(value, 0.0, won.size, lost.size, quantile)
    high = _limit(value, 1.0, won.size, lost.size, quantile)
    method = "area under the ROC curve over items, ties half; Newcombe's method 5"
    return Estimate(value, low, high, int(won.size + lost.size), method, level)


def _limit(value: float, end: float, won: int, lost: int, quantile: float) -> float:
    """The area between `value` and `end` that lies `quantile` standard errors off, its own."""
    near, far = value, end
    for _ in range(STEPS):
        middle = (near + far) / 2
        if abs(value - middle) > quantile * np.sqrt(_area_variance(middle, won, lost)):
            far = middle
        else:
            near = middle
    return near if abs(near - end) > 1e-12 else end


def _area_variance(area: float, won: int, lost: int) -> float:
    extra = (won + lost) / 2 - 1
    spread = 1 + extra * ((1 - area) / (2 - area) + area / (1 + area))
    return area * (1 - area) * spread / (won * lost)


def agreement_gap(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    people: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> Estimate:
    """How much more often the first metric takes people's side than the second, item by item.

    Parameters
    ----------
    first, second, people : (n,) arrays
        Both metrics on the same items.
    confidence, seed, draws
        Of the percentile bootstrap over items.

    Returns
    -------
    Estimate
        A difference in [-1, 1]; without an interval where the metrics never part.

    Raises
    ------
    UndefinedError
        If people took no side on any item.
    """
    gaps = agreement_scores(first, people) - agreement_scores(second, people)
    gaps = gaps[~np.isnan(gaps)]
    level = inside(confidence, "the confidence")
    if not gaps.size:
        raise UndefinedError("people took no side on any item that both scored")
    values, times = np.unique(gaps, return_counts=True)
    value, n = float(gaps.mean()), int(gaps.size)
    if values.size == 1:
        return _alike(value, n, level)
    # Resampling items is resampling how often each of the few differences occurs.
    rng = np.random.default_rng(seed)
    means = rng.multinomial(n, times / n, size=count(draws, "the draws")) @ values / n
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    method = f"paired difference over items; bootstrap of items, {draws:,} draws"
    return Estimate(value, min(value, float(low)), max(value, float(high)), n, method, level)


def _alike(gap: float, n: int, confidence: float) -> Estimate:
    """Every item says the same, so resampling shows no spread: exact for (1 + gap)/2."""
    if gap == 0 or n < 2:
        return Estimate(gap, None, None, n, "all items say the same", confidence)
    mean = mean_of_items(np.full(n, (1 + gap) / 2), confidence)
    low, high = (2 * (end or 0.0) - 1 for end in (mean.low, mean.high))
    return Estimate(
        gap, low, high, n, "paired difference, all items alike; Clopper-Pearson", confidence
    )


@dataclass(frozen=True)
class Bin:
    """Items on which a metric leans about alike, and what people said of them.

    Attributes
    ----------
    low, high : float
        The smallest and the largest difference of scores in it.
    mean : float
        Share for the candidate, ties half.
    people : Estimate or None
        The same with its interval; None for a single item.
    """

    low: float
    high: float
    n: int
    mean: float
    people: Estimate | None


def calibration(
    metric: npt.ArrayLike,
    people: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    most: int = 2,
    least: int = LEAST_IN_A_BIN,
) -> list[Bin]:
    """What people say where a metric leans far to the baseline, a little, not at all, and so on.

    Parameters
    ----------
    metric, people : (n,) arrays
        As for `side_agreement`.
    confidence : float
        In (0, 1).
    most, least : int
        The items on either side of 0 are cut at quantiles of their differences into at most so
        many parts (two are cut at the median) that each keep at least so many items.
    """
    leaning, said = _both(metric, people)
    cut = [_parts(leaning, side, most, least) for side in (leaning < 0, leaning > 0)]
    parts = [*cut[0], leaning == 0, *cut[1]]
    return [_bin(leaning[part], said[part], confidence) for part in parts if part.any()]


def _parts(
    leaning: Floats, side: npt.NDArray[np.bool_], most: int, least: int
) -> list[npt.NDArray[np.bool_]]:
    if not side.any():
        return []
    for parts_wanted in range(most, 1, -1):
        edges = np.quantile(leaning[side], np.arange(1, parts_wanted) / parts_wanted)
        place = np.searchsorted(edges, leaning, side="right")
        parts = [side & (place == part) for part in range(parts_wanted)]
        if min(part.sum() for part in parts) >= least:
            return parts
    return [side]


def _bin(leaning: Floats, said: Floats, confidence: float) -> Bin:
    scores = (1 + said) / 2
    people = mean_of_items(scores, confidence) if said.size > 1 else None
    low, high = float(leaning.min()), float(leaning.max())
    return Bin(low, high, int(leaning.size), float(scores.mean()), people)
