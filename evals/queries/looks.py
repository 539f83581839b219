"""The win rate as it would have been seen after each item that was judged to its end."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.said import MIDDLE
from evals.queries.timed import Timed, moment
from evals.queries.votes_from import Source
from evals.stats.checks import Floats, Ints
from evals.tallies import Ties

# More points than a figure has pixels for tell nothing.
MOST_LOOKS = 150


@dataclass(frozen=True, slots=True)
class Look:
    """After `n` items: the mean of their scores and its spread.

    `scores` are all that occur in the study, `counts` how many of the `n` items have each.
    """

    n: int
    mean: float
    sd: float
    at: datetime
    scores: Floats = field(compare=False, repr=False)
    counts: Ints = field(compare=False, repr=False)


@kept
def looks(study: Study, only: Source | None = None, ties: Ties = "half") -> list[Look]:
    """At most about 150 looks, spread evenly over the items; the last one is the present.

    The score of an item is the mean of its votes: a win 1, a loss 0, a tie one half or, by
    `ties`, left out. An item of nothing but ties then has no score and does not enter.
    """
    found = Timed(study, only)
    losses, ties_, wins = _winners(found.points)
    decided = losses + wins
    counted = decided if ties == "decided" else decided + ties_
    # An item enters when its planned votes are complete: an item seen half would enter twice.
    enters = (found.points.sum(axis=1) >= study.overlap) & (counted > 0)
    order = np.lexsort((found.items[enters], found.made[enters]))
    worth = wins if ties == "decided" else wins + ties_ / 2
    scores = (worth[enters] / counted[enters])[order]
    return _looks(scores, found.made[enters][order])


def _winners(points: Ints) -> tuple[Ints, Ints, Ints]:
    """Losses, ties and wins of each item."""
    return points[:, :MIDDLE].sum(axis=1), points[:, MIDDLE], points[:, MIDDLE + 1 :].sum(axis=1)


def _looks(scores: Floats, made: Ints) -> list[Look]:
    total = len(scores)
    n = np.arange(1, total + 1)
    # Around their mean, or the squares of like numbers would lose their last digits.
    middle = scores.mean() if total else 0.0
    sums, squares = np.cumsum(scores - middle), np.cumsum((scores - middle) ** 2)
    variance = np.maximum(squares - sums**2 / n, 0) / np.maximum(n - 1, 1)
    shown = np.flatnonzero((n % max(1, total // MOST_LOOKS) == 0) | (n == total))
    kinds, counts = _kinds(scores, shown)
    return [
        Look(
            place + 1,
            float(middle + sums[place] / n[place]),
            float(np.sqrt(variance[place])),
            moment(made[place]),
            kinds,
            counts[look],
        )
        for look, place in enumerate(shown.tolist())
    ]


def _kinds(scores: Floats, shown: Ints) -> tuple[Floats, Ints]:
    """The scores that occur, and how many items have each of them up to each look."""
    kinds, kind = np.unique(scores, return_inverse=True)
    look = np.searchsorted(shown, np.arange(len(scores)))
    cells = np.bincount(look * len(kinds) + kind.ravel(), minlength=len(shown) * len(kinds))
    return kinds, cells.reshape(len(shown), len(kinds)).cumsum(axis=0).astype(np.int64)
