"""The win rate of items that people judged, and of all items with the help of a judge.

With ties as half a win this is a mean over items. Where ties are left out it is a ratio of two
means, wins over decided judgements, an item's judgements weighing 1 together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from evals.stats.checks import Floats, Ints, inside
from evals.stats.concordance import mean_of_items
from evals.stats.distributions import normal_quantile, student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.judged_items import SIZE, JudgedItems
from evals.stats.judges import PoweredMean, ppi_mean
from evals.stats.proportions import clopper_pearson_limits

NO_SPREAD = 1e-12
NOTHING_DECIDED = "every judgement is a tie, and ties are left out"
NOTHING_LEFT = "people have judged every item: nothing is left for the judge to add"


@dataclass(frozen=True)
class Parts:
    """Of each item the share of its judgements that were won, and that were decided."""

    won: Floats
    decided: Floats

    def off(self, rate: float) -> Floats:
        """How far each item pulls the ratio from `rate`."""
        return self.won - rate * self.decided


def people_alone(
    items: JudgedItems, confidence: float = 0.95, *, without_ties: bool = False
) -> Estimate:
    """The candidate's win rate by people alone, an item counting once.

    Parameters
    ----------
    items : JudgedItems
    confidence : float
        In (0, 1).
    without_ties : bool
        Wins among decided judgements; else a tie is half a win.

    Raises
    ------
    UndefinedError
        If fewer than two items have been judged, or nothing is decided.
    """
    if not without_ties:
        return mean_of_items(np.repeat(items.scores, items.times), confidence)
    level = inside(confidence, "the confidence")
    people = _by_people(items)
    n = int((people.decided > 0).sum())
    if items.labelled < 2:
        raise UndefinedError("there are fewer than two items to go by", items.labelled)
    if n < 2:
        raise UndefinedError(NOTHING_DECIDED if n == 0 else "a single item is decided", n)
    value = float(people.won.sum() / people.decided.sum())
    se = _spread(people.off(value)) / float(people.decided.mean())
    # All alike: the residuals are zero, and items are all that can be counted.
    worth = float(n) if se < NO_SPREAD else min(float(n), 1 + value * (1 - value) / se**2)
    if worth < n:
        # Korn & Graubard: the spread itself is known from so many items only.
        worth *= (normal_quantile(level) / student_quantile(level, n - 1)) ** 2
    low, high = clopper_pearson_limits(value * worth, worth, level)
    method = (
        "wins over decided judgements, over items; Clopper-Pearson on "
        f"{worth:,.0f} effective items (Korn and Graubard)"
    )
    return Estimate(value, low, high, n, method, level, se)


def with_the_judge(
    items: JudgedItems, confidence: float = 0.95, *, without_ties: bool = False
) -> PoweredMean:
    """The win rate of all items, from people's where there are some and the judge's elsewhere.

    Parameters
    ----------
    items, confidence, without_ties
        As for `people_alone`; a tie of the judge counts as one of people does.

    Raises
    ------
    UndefinedError
        As `ppi_mean`, where people have judged every item, and where nothing is decided.

    References
    ----------
    A. N. Angelopoulos, J. C. Duchi, T. Zrnic, PPI++ (2023), arXiv:2311.01453: the mean, and
    without ties the estimating equation of a ratio.
    """
    if int(items.unlabelled.sum()) < 2:
        raise UndefinedError(NOTHING_LEFT, items.labelled)
    find = _powered_ratio if without_ties else _powered_mean
    found = find(items, confidence)
    value, low, high = (_share(end) for end in (found.value, found.low, found.high))
    return replace(found, value=value, low=low, high=high)


def _powered_mean(items: JudgedItems, confidence: float) -> PoweredMean:
    unseen = np.repeat(np.arange(SIZE) / 2, items.unlabelled)
    human, judge = (np.repeat(scores, items.times) for scores in (items.scores, items.judge / 2))
    return ppi_mean(human, judge, unseen, confidence)


def _powered_ratio(items: JudgedItems, confidence: float) -> PoweredMean:
    """Zero of the powered mean of (won − rate · decided); variance by the delta method."""
    people, seen = _by_people(items), _by_judge(np.repeat(items.judge, items.times))
    unseen = _by_judge(np.repeat(np.arange(SIZE), items.unlabelled))
    alone = people_alone(items, confidence, without_ties=True)
    # The judge's weight is chosen at people's own rate, as PPI++ does at a first estimate.
    pulls = [part.off(alone.value) for part in (people, seen, unseen)]
    weight = ppi_mean(pulls[0], pulls[1], pulls[2], confidence).weight

    def powered(share: Callable[[Parts], Floats]) -> float:
        corrected = share(people) - weight * share(seen)
        return float(weight * share(unseen).mean() + corrected.mean())

    decided = powered(lambda part: part.decided)
    if decided <= NO_SPREAD:
        raise UndefinedError(NOTHING_DECIDED, alone.n)
    value = powered(lambda part: part.won) / decided
    corrected = _spread(people.off(value) - weight * seen.off(value))
    se = float(np.hypot(weight * _spread(unseen.off(value)), corrected)) / decided
    half = normal_quantile(confidence) * se
    method = "prediction-powered ratio (PPI++), wins over decided judgements"
    return PoweredMean(
        value, value - half, value + half, alone.n, method, confidence, se, weight=weight
    )


def _by_people(items: JudgedItems) -> Parts:
    shares = items.counts / items.counts.sum(axis=1, keepdims=True)
    won, decided = shares[:, 2], shares[:, 0] + shares[:, 2]
    return Parts(np.repeat(won, items.times), np.repeat(decided, items.times))


def _by_judge(verdicts: Ints) -> Parts:
    return Parts((verdicts == SIZE - 1).astype(float), (verdicts != 1).astype(float))


def _spread(values: Floats) -> float:
    """Standard error of a mean."""
    return float(values.std(ddof=1) / np.sqrt(values.size))


def _share(end: float | None) -> float:
    return min(1.0, max(0.0, end or 0.0))


def worth(alone: Estimate, powered: PoweredMean) -> float | None:
    """How many judged items one judged item counts for, thanks to the judge."""
    if not alone.se or not powered.se:
        return None
    return (alone.se / powered.se) ** 2
