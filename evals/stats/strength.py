"""Mean strength of a preference: by how much, where the scale asks for it."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.checks import array, count, inside, number
from evals.stats.clusters import codes_of
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.vote_sums import (
    ROUNDING,
    Clustering,
    VoteSums,
    clustered_variance,
    clustering_of,
    sums_of_histograms,
    sums_of_votes,
)

NO_SPREAD = "mean strength; no interval: the judgements do not differ between clusters"


def mean_strength_from_sums(
    n: int,
    total: float,
    total_squares: float,
    item_hist: npt.ArrayLike,
    annotator_hist: npt.ArrayLike,
    *,
    reach: int,
    confidence: float = 0.95,
) -> Estimate:
    """Mean signed choice, rescaled to -1 to 1, from sums that a database can make.

    Parameters
    ----------
    n : int
        Judgements.
    total, total_squares : float
        Sum of the signed choices (-reach ... reach, the candidate's side positive) and of
        their squares.
    item_hist, annotator_hist : (H, 3) arrays
        Rows (judgements, sum of signed choices, number of items or annotators with these).
    reach : int
        The strongest choice: 2 on a scale of 5 points, 3 on one of 7.
    confidence : float
        Two-sided coverage, in (0, 1).

    Returns
    -------
    Estimate
        In [-1, 1]; `n` counts judgements. Value ± t·√V with the clusters, the variance and
        the degrees of freedom of the win rate, cut at -1 and 1; without an interval where
        the clusters do not differ.

    Raises
    ------
    UndefinedError
        If there are no judgements, all are on a single item, or the sums contradict each
        other.

    References
    ----------
    A. C. Cameron, J. B. Gelbach, D. L. Miller, JBES 29 (2011), 238-249.
    """
    strongest, votes = _reach(reach), count(n, "the number of votes")
    plain, squares = number(total, "the sum"), number(total_squares, "the sum of squares")
    # As scores from 0 to 1, of which the sums are checked as those of wins are.
    sums = sums_of_histograms(
        votes,
        (plain / strongest + votes) / 2,
        (squares / strongest**2 + 2 * plain / strongest + votes) / 4,
        _as_scores(item_hist, strongest, "the items"),
        _as_scores(annotator_hist, strongest, "the annotators"),
    )
    return _strength(sums, confidence)


def mean_strength(
    items: Any,
    annotators: Any,
    choices: npt.ArrayLike,
    *,
    reach: int,
    confidence: float = 0.95,
) -> Estimate:
    """The same from single judgements.

    Parameters
    ----------
    items, annotators : (N,) sequences
        Whose judgement it is, on what.
    choices : (N,) array
        Signed choices in [-reach, reach].
    reach, confidence
        As for `mean_strength_from_sums`.

    Returns, Raises, References
    ---------------------------
    As for `mean_strength_from_sums`.
    """
    strongest = _reach(reach)
    scores = (array(choices, "the choices") / strongest + 1) / 2
    item_codes, annotator_codes = codes_of(items, "items"), codes_of(annotators, "annotators")
    if not len(scores) == len(item_codes) == len(annotator_codes):
        raise UndefinedError("items, annotators and choices differ in length")
    if len(scores) == 0:
        raise UndefinedError("there are no votes")
    if scores.min() < 0 or scores.max() > 1:
        raise UndefinedError("a choice lies outside the scale", len(scores))
    return _strength(sums_of_votes(item_codes, annotator_codes, scores), confidence)


def _reach(reach: int) -> int:
    strongest = count(reach, "the strongest choice")
    if strongest < 1:
        raise UndefinedError("the strongest choice must be at least 1")
    return strongest


def _as_scores(histogram: npt.ArrayLike, reach: int, name: str) -> npt.NDArray[np.float64]:
    rows = array(histogram, name, 2)
    if rows.size and rows.shape[1] != 3:
        raise UndefinedError(f"{name} must have rows of judgements, sum and number")
    rows = rows.reshape(-1, 3).copy()
    rows[:, 1] = (rows[:, 1] / reach + rows[:, 0]) / 2
    return rows


def _strength(sums: VoteSums, confidence: float) -> Estimate:
    level, chosen = inside(confidence, "the confidence"), clustering_of(sums, "auto")
    value = 2 * sums.mean - 1
    se = 2 * float(np.sqrt(_variance(sums, chosen)))
    found = Estimate(value, None, None, sums.n, NO_SPREAD, level, se)
    if se <= ROUNDING:
        return found
    df = chosen.smallest - 1
    half = student_quantile(level, df) * se
    return replace(
        found,
        low=max(-1.0, value - half),
        high=min(1.0, value + half),
        method=f"mean strength, {chosen.label}; t interval with {df} degrees of freedom",
    )


def _variance(sums: VoteSums, chosen: Clustering) -> float:
    if chosen.by != "none":
        return clustered_variance(sums, chosen.by)
    return sums.cell_variance() if sums.n > 1 else 0.0
