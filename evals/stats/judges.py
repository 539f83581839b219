"""May a language model judge stand beside people, or in for them?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, Ints, array, count, counts, inside, number
from evals.stats.distributions import normal_quantile, student_below
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.multiplicity import benjamini_yekutieli
from evals.stats.ratings import encode_labels


@dataclass(frozen=True)
class PoweredMean(Estimate):
    """A mean of human scores, sharpened by a judge.

    Attributes
    ----------
    weight : float
        Lambda, how far the judge was trusted, in [0, 1].
    """

    weight: float = 0.0


@dataclass(frozen=True)
class AnnotatorTest:
    """One annotator, held with the judge against all the others.

    Attributes
    ----------
    annotator : int
        Number of the annotator's row.
    n : int
        Items that another annotator saw as well.
    human, judge : float
        Share of these items on which the annotator, and on which the judge, agrees with the
        others at least as well as the other of the two.
    p_value, adjusted : float
        One-sided: that the annotator is ahead by less than epsilon; by itself, and by
        Benjamini-Yekutieli over all tested annotators.
    is_replaceable : bool
        `adjusted` is at most alpha.
    """

    annotator: int
    n: int
    human: float
    judge: float
    p_value: float
    adjusted: float
    is_replaceable: bool


@dataclass(frozen=True)
class AlternativeAnnotator:
    """Whether a judge agrees with people as well as they do with each other.

    Attributes
    ----------
    value : float
        Share of the tested annotators whom the judge may replace.
    p_values : tuple of float
        One for each tested annotator, in their order; not yet adjusted.
    advantage : float
        Mean chance that the judge does at least as well as the annotator.
    passes : bool
        `value` is at least one half.
    n : int
        Items with two or more annotators.
    tested : tuple of AnnotatorTest
        In the order of `p_values`.
    """

    value: float
    p_values: tuple[float, ...]
    advantage: float
    passes: bool
    n: int
    tested: tuple[AnnotatorTest, ...] = ()


def ppi_mean(
    human: npt.ArrayLike,
    judge: npt.ArrayLike,
    judge_unlabelled: npt.ArrayLike,
    confidence: float = 0.95,
) -> PoweredMean:
    """Mean human score of all items, from a few human and many judge scores (PPI++).

    Parameters
    ----------
    human, judge : (n,) arrays
        Scores of the labelled items, a random sample of all; n >= 2.
    judge_unlabelled : (N,) array
        Judge scores of the other items; N >= 2.
    confidence : float
        Two-sided coverage of the normal interval.

    Returns
    -------
    PoweredMean
        `n` counts labelled items.

    Raises
    ------
    UndefinedError
        If lengths differ, fewer than two items are on a side, or the scores do not vary.

    References
    ----------
    A. N. Angelopoulos, J. C. Duchi, T. Zrnic, PPI++ (2023), arXiv:2311.01453.
    """
    people, seen = array(human, "the human scores"), array(judge, "the judge's scores")
    unseen = array(judge_unlabelled, "the judge's unlabelled scores")
    level = inside(confidence, "the confidence")
    n, rest = len(people), len(unseen)
    if n != len(seen):
        raise UndefinedError("human and judge scores differ in length", n)
    if min(n, rest) < 2:
        raise UndefinedError("fewer than two labelled or unlabelled items", n)
    every = np.concatenate((seen, unseen))
    spread = float(np.var(every, ddof=1))
    if np.ptp(every) == 0:
        raise UndefinedError("the judge gives every item the same score", n)
    together = float(np.cov(people, seen)[0, 1])
    weight = min(1.0, max(0.0, together / ((1 + n / rest) * spread)))
    corrected = people - weight * seen
    value = weight * float(unseen.mean()) + float(corrected.mean())
    variance = weight**2 * np.var(unseen, ddof=1) / rest + np.var(corrected, ddof=1) / n
    if variance <= (1e-12 * np.abs(people).max()) ** 2:  # what rounding leaves of 0
        raise UndefinedError("every human score is the same: no variance to build on", n)
    half = normal_quantile(level) * float(np.sqrt(variance))
    return PoweredMean(
        value, value - half, value + half, n, "prediction-powered mean (PPI++)", level,
        float(np.sqrt(variance)), weight=weight,
    )  # fmt: skip


def alternative_annotator_test(
    ratings: Sequence[Sequence[Any]],
    judge: Sequence[Any],
    epsilon: float = 0.2,
    alpha: float = 0.05,
    min_items: int = 30,
) -> AlternativeAnnotator:
    """Leave one annotator out: does the judge agree with the others as well as they did?

    Parameters
    ----------
    ratings : annotators by items
        Labels; None where an annotator did not see an item. Items with fewer than two
        annotators drop out.
    judge : one label for each item
    epsilon : float
        Advantage that a person is given: 0.2 experts, 0.15 skilled, 0.1 crowd; in [0, 1].
    alpha : float
        Level of Benjamini-Yekutieli over the annotators.
    min_items : int
        Annotators with fewer items are not tested.

    Raises
    ------
    UndefinedError
        If no annotator can be compared with another, lengths differ, or an annotator's
        advantages do not vary.

    References
    ----------
    N. Calderon, R. Reichart, R. Dror, The Alternative Annotator Test (2025),
    arXiv:2501.10970.
    """
    labels, judged = _checked_labels(ratings, judge)
    return alternative_annotator_by_codes(
        labels, judged, np.ones(labels.shape[1]), epsilon, alpha, min_items
    )


def alternative_annotator_by_codes(
    labels: Ints,
    judge: Ints,
    times: npt.ArrayLike,
    epsilon: float = 0.2,
    alpha: float = 0.05,
    min_items: int = 30,
) -> AlternativeAnnotator:
    """The same of items that are counted: labels as numbers, a column for each kind of item.

    Parameters
    ----------
    labels : (annotators, U) array
        Numbers of the categories; below 0 where an annotator did not see such items.
    judge : (U,) array
    times : (U,) array of counts
        Items of each kind.
    epsilon, alpha, min_items
        As for `alternative_annotator_test`, with its answer and its reasons.
    """
    bonus, level = number(epsilon, "epsilon"), inside(alpha, "alpha")
    if not 0 <= bonus <= 1:
        raise UndefinedError("epsilon must lie between 0 and 1")
    least = max(2, count(min_items, "min_items"))
    often = counts(times, "the times", 1)
    human, machine, seen = _ahead(labels, judge)
    which = np.flatnonzero(seen @ often >= least)
    if not which.size:
        raise UndefinedError(f"no annotator shares {least} or more items with another")
    sides = [(human[a][seen[a]], machine[a][seen[a]], often[seen[a]]) for a in which]
    p_values = tuple(_below_bonus(one - other, weights, bonus) for one, other, weights in sides)
    adjusted = benjamini_yekutieli(p_values, level).p_values
    tested = tuple(
        AnnotatorTest(
            int(a), int(weights.sum()), float(np.average(one, weights=weights)),
            float(np.average(other, weights=weights)), p, q, q <= level,
        )
        for a, (one, other, weights), p, q in zip(which, sides, p_values, adjusted, strict=True)
    )  # fmt: skip
    value = sum(one.is_replaceable for one in tested) / len(tested)
    advantage = float(np.mean([one.judge for one in tested]))
    n = int(often[seen.any(axis=0)].sum())
    return AlternativeAnnotator(value, p_values, advantage, value >= 0.5, n, tested)


def _checked_labels(
    ratings: Sequence[Sequence[Any]], judge: Sequence[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    codes = encode_labels([*_rows(ratings), _row(judge)])
    if (codes[-1] < 0).any():
        raise UndefinedError("the judge must label every item")
    return codes[:-1], codes[-1]


def _rows(ratings: Sequence[Sequence[Any]]) -> list[list[Any]]:
    rows = [_row(row) for row in _row(ratings)]
    if not rows:
        raise UndefinedError("there are no annotators")
    return rows


def _row(values: Sequence[Any]) -> list[Any]:
    if isinstance(values, str):
        raise UndefinedError("labels must be a list, one for each item")
    try:
        return list(values)
    except TypeError:
        raise UndefinedError("labels must be a list, one for each item") from None


def _ahead(
    labels: npt.NDArray[np.int64], judged: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Per annotator and item: human at least as good, judge at least as good, both seen."""
    given = labels >= 0
    seen = given & (given.sum(axis=0) >= 2)
    human = np.zeros(labels.shape)
    for other in labels:
        human += (labels == other) & (other >= 0)
    # Everybody agrees with themselves once; the judge must not be counted with them either.
    human -= 1
    matches = (labels == judged) & given
    machine = matches.sum(axis=0) - matches
    return (human >= machine).astype(float), (machine >= human).astype(float), seen


def _below_bonus(gaps: Floats, times: Floats, bonus: float) -> float:
    """One-sided t-test that the mean gap is below the bonus."""
    n = int(times.sum())
    mean = float(np.average(gaps, weights=times))
    se = float(np.sqrt(times @ (gaps - mean) ** 2 / (n - 1) / n))
    if se == 0:
        reason = "an annotator and the judge compare alike on every item: no variance"
        raise UndefinedError(reason, n)
    return student_below((mean - bonus) / se, n - 1)
