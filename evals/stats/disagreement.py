"""Where disagreement lies: shares of the pairs of judgements that differ.

A pair is two judgements of one item. These numbers say what goes with disagreement, never
what brings it about.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, counts, inside
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.preference import win_rate_from_sums
from evals.stats.resampling import MIN_UNITS

NOTHING_DIFFERS = "no two judgements of an item differ"


@dataclass(frozen=True)
class PairCounts:
    """Pairs of judgements on each kind of item, by how they differ.

    Attributes
    ----------
    pairs, near, reversed : (U,) arrays
        All pairs; those of a tie and a choice; those of opposite choices.
    """

    pairs: Floats
    near: Floats
    reversed: Floats

    @property
    def differing(self) -> Floats:
        return np.asarray(self.near + self.reversed)


def pair_counts(votes: npt.ArrayLike) -> PairCounts:
    """Count the pairs on each kind of item.

    Parameters
    ----------
    votes : (U, 3) array of counts
        Judgements for the baseline, for neither and for the candidate.
    """
    losses, ties, wins = counts(votes, "the votes").reshape(-1, 3).T
    n = losses + ties + wins
    return PairCounts(n * (n - 1) / 2, ties * (losses + wins), losses * wins)


def pairs_apart(points: npt.ArrayLike, steps: int) -> Floats:
    """Pairs of judgements on each kind of item that lie `steps` apart around the middle.

    Parameters
    ----------
    points : (U, k) array of counts
        Judgements on each point of a scale with a middle; k odd.
    steps : int
        An even number: 2 are the two points beside the middle.
    """
    table = counts(points, "the points")
    middle, half = table.shape[1] // 2, steps // 2
    return np.asarray(table[:, middle - half] * table[:, middle + half])


def share_of_pairs(
    part: npt.ArrayLike,
    whole: npt.ArrayLike,
    times: npt.ArrayLike,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """Share of pairs of judgements, clustered by item.

    Parameters
    ----------
    part, whole, times : (U,) arrays of counts
        For each kind of item its pairs of the kind asked for, all its pairs of those in
        question, and items with just these.
    confidence : float

    Returns
    -------
    Estimate or Undefined
        A share in [0, 1]; `n` counts items with a pair in question.

    References
    ----------
    The interval of `win_rate_from_sums`, an item being a cluster; where no item has more than
    one pair in question the exact one.
    """
    inside(confidence, "the confidence")
    some, every = counts(part, "the part", 1), counts(whole, "the whole", 1)
    often = counts(times, "the times", 1)
    if (some > every).any():
        raise UndefinedError("a part is larger than its whole")
    keep = (every > 0) & (often > 0)
    some, every, often = some[keep], every[keep], often[keep]
    items, pairs, hits = int(often.sum()), int(every @ often), float(some @ often)
    if pairs == 0:
        return Undefined(NOTHING_DIFFERS)
    rows = np.column_stack((every, some, often))
    found = attempt(
        win_rate_from_sums,
        pairs, hits, hits, rows, [(pairs, hits, 1)], cluster="item_or_exact", confidence=confidence,
    )  # fmt: skip
    if isinstance(found, Undefined):
        return Undefined("all that differs is on a single item", items)
    method = found.method.replace("mean score", "share of pairs of judgements")
    if items < MIN_UNITS:
        method += f"; fewer than {MIN_UNITS} units: interval too short"
    return Estimate(found.value, found.low, found.high, items, method, confidence)
