"""Kappa of all pairs together, and of one annotator against all others.

Pairs share items, so they are no independent facts: standard errors add up what an item does
in all its pairs before anything is squared.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, count, counts, inside, number
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.kappa import checked_tables, disagreement_weights
from evals.stats.resampling import MIN_UNITS

NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Pooled:
    """Kappa of all pairs, and what an item in each cell of each pair does to it.

    Attributes
    ----------
    value : float
    influence : (P, k, k) array
        What one more item in that cell of that pair's table adds to `value`, times the number
        of items in all tables.
    pairs : int
        Items in all tables: an item that three people judged is in three.
    """

    value: float
    influence: Floats
    pairs: int


def pool_kappa(tables: npt.ArrayLike, weights: str = "unweighted") -> Pooled:
    """Cohen's kappa of all pairs: their disagreements over those expected by chance.

    Parameters
    ----------
    tables : (P, k, k) array of counts
        One for each pair of annotators, as for `kappa_pairs`.
    weights : {"unweighted", "linear", "quadratic"}

    Returns
    -------
    Pooled
        1 − Σ n·q / Σ n·e over the pairs, q being the observed (weighted) disagreement of a
        pair and e what its own two ways of using the categories would give by chance. With
        one pair it is Cohen's kappa; where every annotator judged every item, Conger's.

    Raises
    ------
    UndefinedError
        If no pair shares items, or each pair used one and the same category only.

    References
    ----------
    A. J. Conger, Psychol. Bull. 88 (1980), 322-328; H. De Vries, M. N. Elliott, D. E. Kanouse,
    S. S. Teleki, Field Methods 20 (2008), 272-282.
    """
    stack = checked_tables(tables)
    n = stack.sum(axis=(1, 2)) if len(stack) else np.zeros(0)
    total = float(n.sum())
    if total == 0:
        raise UndefinedError("no two annotators share an item")
    distance = disagreement_weights(stack.shape[1], weights)
    shares = stack / np.maximum(n, 1)[:, None, None]
    to_rows = shares.sum(axis=1) @ distance
    to_columns = shares.sum(axis=2) @ distance
    chance = np.einsum("pi,pi->p", shares.sum(axis=2), to_rows)
    expected = float(n @ chance) / total
    if expected < NO_SPREAD:
        reason = "each pair put all that it shares into one category"
        raise UndefinedError(f"{reason}, so chance agreement is 100\u202f%", int(total))
    observed = float((stack * distance).sum()) / total
    ratio = observed / expected
    pull = to_rows[:, :, None] + to_columns[:, None, :] - chance[:, None, None]
    return Pooled(1 - ratio, (ratio * pull - distance) / expected, int(total))


def pooled_estimate(
    pooled: Pooled, weights: str, items: int, squares: float, confidence: float = 0.95
) -> Estimate:
    """The pooled kappa with its interval.

    Parameters
    ----------
    pooled : Pooled
    weights : str
        As for `pool_kappa`, for the method.
    items : int
        Items with two judgements or more.
    squares : float
        Sum over these items of (Σ of `influence` over the pairs on the item)².
    confidence : float
        Coverage of the interval value ± t·se, clipped to [-1, 1].

    Returns
    -------
    Estimate
        `n` counts items; se² = squares / pairs² · items/(items − 1).

    Raises
    ------
    UndefinedError
        If the sums are impossible.
    """
    level = inside(confidence, "the confidence")
    n = count(items, "the number of items")
    spread = np.sqrt(max(0.0, number(squares, "the sum of squares"))) / pooled.pairs
    return _with_interval(pooled.value, float(spread), n, f"pooled kappa, {weights}", level)


def isolated_kappa(rows: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Kappa of one annotator against all others, who are taken as one.

    Parameters
    ----------
    rows : (H, k + 2) array of counts
        What the annotator chose (its number from 0), how many others chose each of the k
        categories, and items with just these. Items that nobody else judged drop out.
    confidence : float
        Coverage of the interval value ± t·se, clipped to [-1, 1].

    Returns
    -------
    Estimate
        1 − Q/E over the pairs of this annotator with one other: Q is the share of these that
        differ, E what the annotator's and the others' use of the categories would give by
        chance. With one other it is Cohen's kappa; `n` counts items.

    Raises
    ------
    UndefinedError
        If nobody else judged the same items, or all chose one and the same category.

    References
    ----------
    H. J. A. Schouten, Stat. Neerl. 36 (1982), 45-61; S. Vanbelle, A. Albert, Stat. Neerl. 63
    (2009), 82-100, for the idea of an isolated rater and a group.
    """
    level = inside(confidence, "the confidence")
    table = counts(rows, "the rows", 2)
    if table.size == 0 or table.shape[1] < 4 or (table[:, 0] >= table.shape[1] - 2).any():
        raise UndefinedError("nobody else has judged the same items")
    own = np.eye(table.shape[1] - 2)[table[:, 0].astype(int)]
    others, times = table[:, 1:-1], table[:, -1]
    sizes = others.sum(axis=1)
    pairs, items = float(times @ sizes), int(times[sizes > 0].sum())
    if pairs == 0:
        raise UndefinedError("nobody else has judged the same items")
    mine = (times * sizes) @ own / pairs
    theirs = times @ others / pairs
    expected = float(mine @ (1 - theirs))
    if expected < NO_SPREAD:
        reason = "this annotator and all others chose one and the same category"
        raise UndefinedError(f"{reason}, so chance agreement is 100\u202f%", items)
    differing = sizes - (own * others).sum(axis=1)
    ratio = float(times @ differing) / pairs / expected
    pull = sizes * (own @ (1 - theirs)) + others @ (1 - mine) - sizes * expected
    influence = (ratio * pull - differing) / expected
    spread = float(np.sqrt(times @ influence**2)) / pairs
    name = "kappa of one annotator against all others, taken as one"
    return _with_interval(1 - ratio, spread, items, name, level)


def _with_interval(value: float, spread: float, n: int, name: str, level: float) -> Estimate:
    """`spread` is the root of the summed squares, before the correction for few items."""
    if n < 2 or spread < NO_SPREAD:
        return Estimate(value, None, None, n, f"{name}; no spread, so no interval", level)
    se = spread * np.sqrt(n / (n - 1))
    half = student_quantile(level, n - 1) * se
    method = f"{name}; ± t·se, clustered by item"
    if n < MIN_UNITS:
        method += f"; fewer than {MIN_UNITS} units: interval too short"
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Estimate(value, low, high, n, method, level, se=float(se))
