"""Does the win rate change with the side on which the candidate stands?"""

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, inside
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.vote_sums import MIN_ANNOTATORS, ROUNDING

NO_SPREAD = "difference of two win rates; no interval: the clusters do not differ"


def side_gap_from_sums(
    item_rows: npt.ArrayLike,
    annotator_rows: npt.ArrayLike,
    squares: tuple[float, float],
    confidence: float = 0.95,
) -> Estimate:
    """Win rate with the candidate on the left minus that with it on the right.

    Parameters
    ----------
    item_rows, annotator_rows : (H, 5) arrays
        Rows (votes and score sum with the candidate left, the same right, number of items or
        annotators with just these); scores lie between 0 and 1.
    squares : (float, float)
        Sums of the squared scores, left and right.
    confidence : float
        Two-sided coverage, in (0, 1).

    Returns
    -------
    Estimate
        In [-1, 1]; `n` counts the votes of both sides. What an item (or an annotator) does to
        both rates is taken together before it is squared, since most have votes on both sides.

    Raises
    ------
    UndefinedError
        If a side has no votes, or all are on a single item.

    References
    ----------
    A. C. Cameron, J. B. Gelbach, D. L. Miller, JBES 29 (2011), 238-249.
    """
    level = inside(confidence, "the confidence")
    items, people = _rows(item_rows, "the items"), _rows(annotator_rows, "the annotators")
    totals = items[:, :4].T @ items[:, 4]
    votes, sums = totals[[0, 2]], totals[[1, 3]]
    if np.abs(people[:, :4].T @ people[:, 4] - totals).max() > ROUNDING * max(1.0, votes.sum()):
        raise UndefinedError("the sums by annotator do not add up to those by item")
    n = int(votes.sum())
    for side, there in zip(("left", "right"), votes, strict=True):
        if there == 0:
            raise UndefinedError(f"no judgement has the candidate on the {side}", n)
    rates = sums / votes
    clusters = [_pulls(items, rates, votes), _pulls(people, rates, votes)]
    label, smallest, variance = _variance(clusters, _single(squares, sums, votes), n)
    value, se = float(rates[0] - rates[1]), float(np.sqrt(variance))
    if se <= ROUNDING:
        return Estimate(value, None, None, n, NO_SPREAD, level, se)
    half = student_quantile(level, smallest - 1) * se
    method = f"difference of two win rates, {label}; ± t·se with {smallest - 1} degrees of freedom"
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Estimate(value, low, high, n, method, level, se)


def _rows(values: npt.ArrayLike, name: str) -> Floats:
    rows = array(values, name, 2)
    if rows.size == 0:
        raise UndefinedError("there are no votes")
    if rows.shape[1] != 5:
        raise UndefinedError(f"{name} must have rows of votes and sums on both sides, and number")
    if (rows < 0).any() or (rows[:, [1, 3]] > rows[:, [0, 2]]).any():
        raise UndefinedError(f"{name}: a score sum lies outside 0 to its number of votes")
    # Those without a vote on a known side say nothing here, and are no clusters.
    return rows[rows[:, 0] + rows[:, 2] > 0]


def _pulls(rows: Floats, rates: Floats, votes: Floats) -> tuple[Floats, Floats]:
    """Of each kind of cluster what it does to the difference, and how many there are."""
    left, right = (
        (rows[:, 2 * side + 1] - rates[side] * rows[:, 2 * side]) / votes[side] for side in (0, 1)
    )
    return left - right, rows[:, 4]


def _single(squares: tuple[float, float], sums: Floats, votes: Floats) -> float:
    """The sum of squares where every vote is a cluster of its own."""
    spread = np.maximum(0.0, np.asarray(squares) - sums**2 / votes)
    return float((spread / votes**2).sum())


def _variance(
    clusters: list[tuple[Floats, Floats]], single: float, n: int
) -> tuple[str, int, float]:
    """By what votes go together, how many of the fewer clusters there are, and the variance."""
    items, people = (int(times.sum()) for _, times in clusters)
    if items < 2:
        raise UndefinedError("all votes are of a single item", n)
    by_item, by_annotator = (
        float(times @ pulls**2) * size / max(1, size - 1)
        for (pulls, times), size in zip(clusters, (items, people), strict=True)
    )
    if people < MIN_ANNOTATORS:
        return f"clustered by item, for these annotators ({people})", items, by_item
    both = by_item + by_annotator - single * n / (n - 1)
    label = "clustered by item and by annotator"
    return label, min(items, people), max(both, by_item, by_annotator)
