"""Agreement as counts: kinds of items on all points of the scale, and everybody with everybody.

What comes out grows with the points of the scale, the annotators, categories and batches,
never with the number of judgements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.said import MIDDLE, POINTS
from evals.queries.timed import NEVER, Timed, moment
from evals.queries.together import Pairs
from evals.queries.votes import Source, overall
from evals.stats.checks import Floats, Ints
from evals.stats.histograms import merged
from evals.tallies import counts_of

# As many items, at least, in each part of the study's time; and as many parts at most.
ITEMS_IN_A_PERIOD = 50
MOST_PERIODS = 10


@dataclass(frozen=True, slots=True)
class Period:
    """Items whose last judgements were made one after the other."""

    first: datetime
    last: datetime
    rows: Ints


@dataclass(frozen=True)
class ItemKinds:
    """How many items were judged how.

    Attributes
    ----------
    rows : (H, 8) array
        Judgements on each of the seven points, and items with just these.
    scales : (int, int) or None
        The shortest and the longest scale that was judged on; None without a judgement.
    """

    rows: Ints = field(default_factory=lambda: counts_of((), POINTS + 1))
    both_bad: int = 0
    scales: tuple[int, int] | None = None


@dataclass(frozen=True)
class ItemParts:
    """The same rows by what items have in common.

    Attributes
    ----------
    kinds : ItemKinds
        All together, but without the count of "both bad".
    apart : dict
        0: the shorter output has at least nine tenths of the longer one's length;
        2: at most half; 1: between.
    """

    kinds: ItemKinds = field(default_factory=ItemKinds)
    categories: dict[str, Ints] = field(default_factory=dict)
    batches: dict[int, Ints] = field(default_factory=dict)
    periods: Sequence[Period] = ()
    apart: dict[int, Ints] = field(default_factory=dict)


def item_kinds(study: Study, only: Source | None = None) -> ItemKinds:
    """Everything said of the overall question, by kinds of items."""
    found = overall(study, only)
    return ItemKinds(found.points, found.both_bad, found.scales)


@kept
def item_parts(study: Study, only: Source | None = None) -> ItemParts:
    """The same by category, batch, time, and how far the lengths of the outputs lie apart."""
    found = Timed(study, only)
    if not found.parts:
        return ItemParts()
    categories = found.by(found.category)
    scales = [part.scales for part in found.parts]
    return ItemParts(
        # Every item has one category.
        ItemKinds(
            merged(list(categories.values())),
            0,
            (min(least for least, _ in scales), max(most for _, most in scales)),
        ),
        {found.names[place]: rows for place, rows in categories.items()},
        found.by(found.batches),
        _periods(found),
        found.by(found.apart),
    )


def _periods(found: Timed) -> list[Period]:
    """Equally many items each. An item belongs to the time at which its last judgement was made."""
    (timed,) = np.nonzero((found.points.sum(axis=1) > 1) & (found.ended != NEVER))
    order = timed[np.lexsort((found.items[timed], found.ended[timed]))]
    count = min(MOST_PERIODS, max(1, len(order) // ITEMS_IN_A_PERIOD))
    period = np.arange(len(order)) * count // max(1, len(order))
    first, last = (np.searchsorted(period, range(count), side) for side in ("left", "right"))
    return [
        Period(moment(found.ended[order[start]]), moment(found.ended[order[stop - 1]]), rows)
        for start, stop, rows in zip(first, last, found.by(period, order).values(), strict=False)
    ]


@dataclass(frozen=True)
class PairPoints:
    """What each two annotators said of the items both judged, on the seven points.

    Attributes
    ----------
    people : sequence of UUID
        In their order.
    who : (P, 2) array
        Each pair as two places in `people`, the lower one first.
    tables : (P, 7, 7) array of counts
    """

    people: Sequence[UUID]
    who: Ints
    tables: Ints

    @property
    def pairs(self) -> list[tuple[UUID, UUID]]:
        return [(self.people[one], self.people[other]) for one, other in self.who.tolist()]

    def table_of(self, one: UUID, other: UUID) -> Ints:
        """The (7, 7) table of two annotators, `one` in the rows; zeros where they share nothing."""
        places = [self.people.index(who) if who in self.people else -1 for who in (one, other)]
        (where,) = np.nonzero((self.who == sorted(places)).all(axis=1))
        if not len(where):
            return np.zeros((POINTS, POINTS), dtype=np.int64)
        table: Ints = self.tables[where[0]]
        return table if places[0] < places[1] else table.T


def scales_judged_on(study: Study, only: Source | None = None) -> tuple[int, int] | None:
    """The shortest and the longest scale that was judged on; None without a judgement."""
    return overall(study, only).scales


@kept
def pair_points(study: Study, only: Source | None = None) -> PairPoints:
    """For each pair of annotators who share items, what both said of them."""
    pairs = Pairs(study, only)
    return PairPoints(pairs.people, *pairs.tables())


def pair_tables(study: Study, only: Source | None = None) -> tuple[list[tuple[UUID, UUID]], Ints]:
    """For each pair of annotators who share items, who won for both.

    Returns
    -------
    list of (annotator, annotator)
    (P, 3, 3) array of counts
        Items by what the first (rows) and the second (columns) said, in the order
        baseline, tie, candidate.
    """
    found = pair_points(study, only)
    return found.pairs, on_winners(found.tables)


def on_winners(tables: Ints) -> Ints:
    """(P, 7, 7) tables as (P, 3, 3): baseline, tie, candidate."""
    ends = [0, MIDDLE, MIDDLE + 1]
    rows = np.add.reduceat(tables, ends, axis=1)
    return np.asarray(np.add.reduceat(rows, ends, axis=2))


def squares_by_item(
    study: Study, only: Source | None, found: PairPoints, influences: Sequence[Floats]
) -> tuple[int, list[float]]:
    """Items with a pair, and for each influence the sum of the items' squares.

    Parameters
    ----------
    found : PairPoints
    influences : (P, 7, 7) arrays
        What an item in each cell of each pair's table weighs.
    """
    items, sums = Pairs(study, only).squares(found.people, found.who, influences)
    return items, sums.tolist()
