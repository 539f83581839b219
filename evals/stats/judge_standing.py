"""How a judge stands beside people: kappa, the alternative annotator test, its leaning."""

from collections.abc import Sequence

import numpy as np

from evals.stats.checks import inside
from evals.stats.distributions import normal_quantile, student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.judged_items import SIZE, JudgedItems, Pairs
from evals.stats.judges import AlternativeAnnotator, alternative_annotator_by_codes
from evals.stats.pooled import pool_kappa, pooled_estimate

NO_SPREAD = 1e-12
LEAST_ANNOTATORS = 3
LEAST_ITEMS = 30
# What a person is given for being dearer than a judge, by who the people are.
EPSILONS = {"experts": 0.2, "skilled people": 0.15, "a crowd": 0.1}
EPSILON = 0.15


def pooled_kappa(pairs: Pairs, weights: str = "unweighted", confidence: float = 0.95) -> Estimate:
    """Kappa of all these pairs together, clustered by item.

    Raises
    ------
    UndefinedError
        If there are no pairs, or each put all that it shares into one category.
    """
    pooled = pool_kappa(pairs.tables(), weights)
    items = int(pairs.items.times[np.unique(pairs.row)].sum())
    squares = float(pairs.items.times @ pairs.pull(pooled) ** 2)
    return pooled_estimate(pooled, weights, items, squares, confidence)


def on_shared_items(items: JudgedItems) -> Pairs:
    """The judge with each annotator, on the items where people can be held with one another."""
    return items.with_judge.where(np.isin(items.with_judge.row, items.shared))


def kappa_gap(
    items: JudgedItems, weights: str = "unweighted", confidence: float = 0.95
) -> Estimate:
    """Kappa of the judge with people minus kappa of people with each other, on the same items.

    Returns
    -------
    Estimate
        In [-2, 2]; interval value ± t·se, both kappas' influences of an item taken together;
        `n` counts items that two or more people judged.

    Raises
    ------
    UndefinedError
        If either kappa is undefined, or the items show no spread.
    """
    level = inside(confidence, "the confidence")
    judge, people = on_shared_items(items), items.among_people
    with_judge, among = pool_kappa(judge.tables(), weights), pool_kappa(people.tables(), weights)
    n = int(items.times[items.shared].sum())
    pull = judge.pull(with_judge) / with_judge.pairs - people.pull(among) / among.pairs
    squares = float(items.times @ pull**2)
    if n < 2 or squares < NO_SPREAD**2:
        raise UndefinedError("both kappas move alike on every item: no variance", n)
    value, se = with_judge.value - among.value, float(np.sqrt(squares * n / (n - 1)))
    half = student_quantile(level, n - 1) * se
    method = "difference of two pooled kappas on the same items; ± t·se, clustered by item"
    return Estimate(value, value - half, value + half, n, method, level, se=se)


def may_replace(items: JudgedItems, epsilon: float, alpha: float = 0.05) -> AlternativeAnnotator:
    """The alternative annotator test, or what it lacks.

    Raises
    ------
    UndefinedError
        With fewer than three annotators who share thirty items or more with another, saying
        how many are missing; and where `alternative_annotator_test` has no answer.
    """
    shared = np.isin(items.row, items.shared)
    seen = np.bincount(
        items.who[shared], weights=items.times[items.row[shared]], minlength=items.annotators
    )
    enough = int((seen >= LEAST_ITEMS).sum())
    if enough < LEAST_ANNOTATORS:
        raise UndefinedError(_lacking(seen.tolist(), enough), int(items.times[items.shared].sum()))
    return alternative_annotator_by_codes(
        items.labels, items.judge, items.times, epsilon, alpha, LEAST_ITEMS
    )


def _lacking(seen: Sequence[float], enough: int) -> str:
    """ "three annotators … are needed; one has, and the next two lack 12 and 30 items"."""
    missing = LEAST_ANNOTATORS - enough
    nearest = sorted((int(n) for n in seen if n < LEAST_ITEMS), reverse=True)[:missing]
    lacks = [LEAST_ITEMS - n for n in nearest] + [LEAST_ITEMS] * (missing - len(nearest))
    told = " and ".join([", ".join(map(str, lacks[:-1])), str(lacks[-1])] if missing > 1
                        else [str(lacks[0])])  # fmt: skip
    have = {0: "nobody has", 1: "one has", 2: "two have"}[enough]
    next_ones = "the next lacks" if missing == 1 else f"the next {missing} lack"
    return (
        f"it takes three annotators with {LEAST_ITEMS} items each that another judged too; "
        f"{have}, and {next_ones} {told} items"
    )


def lean_gap(items: JudgedItems, confidence: float = 0.95) -> Estimate:
    """The judge's mean verdict on the items that people judged, minus that on the others.

    A tie is half way, whatever a study does with ties: this asks how the items were chosen.

    Where the judged items are a random sample of all, the two differ by chance alone.

    Returns
    -------
    Estimate
        In [-1, 1]; normal interval; `n` counts all items.

    Raises
    ------
    UndefinedError
        If there are fewer than two items of either, or the judge says the same of all.
    """
    z = normal_quantile(inside(confidence, "the confidence"))
    sides = [np.repeat(items.judge / 2, items.times),
             np.repeat(np.arange(SIZE) / 2, items.unlabelled)]  # fmt: skip
    n = sum(side.size for side in sides)
    if min(side.size for side in sides) < 2:
        raise UndefinedError("fewer than two items that people judged, or that they did not", n)
    se = float(np.sqrt(sum(side.var(ddof=1) / side.size for side in sides)))
    if se == 0:
        raise UndefinedError("the judge gives every item the same verdict", n)
    value = float(sides[0].mean() - sides[1].mean())
    method = "difference of two means over items; ± z·se"
    return Estimate(value, value - z * se, value + z * se, n, method, confidence, se=se)
