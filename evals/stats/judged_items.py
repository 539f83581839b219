"""A judge and people on the same items: who agrees with whom, and what both say of the rest.

Items are counted: a row is a kind of item, with what the judge said of it, what each of its
annotators said, and how many items are just so.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, Ints
from evals.stats.pooled import Pooled

# Baseline, tie, candidate.
SIZE = 3
CELLS = SIZE * SIZE


@dataclass(frozen=True)
class JudgedItems:
    """What a judge and people said, as codes 0 baseline, 1 tie, 2 candidate.

    Attributes
    ----------
    judge, times : (U,) arrays
        Of each kind of item that people judged: the judge's verdict, how many there are.
    row, who, what : (V,) arrays
        The votes of each kind of item: its row, the number of the annotator, the code;
        sorted by row and annotator.
    annotators : int
    unlabelled : (3,) array
        Items that nobody judged, by the judge's verdict.
    """

    judge: Ints
    times: Ints
    row: Ints
    who: Ints
    what: Ints
    annotators: int
    unlabelled: Ints

    @property
    def labelled(self) -> int:
        """Items that people judged."""
        return int(self.times.sum())

    @cached_property
    def counts(self) -> Ints:
        """(U, 3): votes of each kind of item, by code."""
        cells = np.bincount(self.row * SIZE + self.what, minlength=SIZE * len(self.judge))
        return cells.reshape(-1, SIZE).astype(np.int64)

    @cached_property
    def labels(self) -> Ints:
        """(annotators, U): codes, −1 where an annotator did not judge such items."""
        labels = np.full((self.annotators, len(self.judge)), -1, dtype=np.int64)
        labels[self.who, self.row] = self.what
        return labels

    @cached_property
    def majority(self) -> Ints:
        """(U,): what more than half of an item's votes say; −1 where nothing does."""
        most = self.counts.argmax(axis=1)
        ahead = 2 * self.counts.max(axis=1, initial=0) > self.counts.sum(axis=1)
        return np.where(ahead, most, -1)

    @cached_property
    def scores(self) -> Floats:
        """(U,): mean score of the candidate in an item's votes, a tie being half a win."""
        return np.asarray(self.counts @ (np.arange(SIZE) / 2) / self.counts.sum(axis=1))

    @property
    def undecided(self) -> int:
        """Items without a strict majority."""
        return int(self.times[self.majority < 0].sum())

    @property
    def majority_table(self) -> Ints:
        """(3, 3): items by what most people (rows) and the judge (columns) say."""
        known = self.majority >= 0
        cells = self.majority[known] * SIZE + self.judge[known]
        table = np.bincount(cells, weights=self.times[known], minlength=CELLS)
        return table.reshape(SIZE, SIZE).astype(np.int64)

    @cached_property
    def shared(self) -> Ints:
        """The rows of items that two or more people judged."""
        return np.flatnonzero(self.counts.sum(axis=1) >= 2)

    @cached_property
    def with_judge(self) -> "Pairs":
        """Each annotator beside the judge, on every item that the annotator judged."""
        return Pairs(self, self.who, self.row, self.what, self.judge[self.row], self.annotators)

    @cached_property
    def among_people(self) -> "Pairs":
        """Each two annotators beside one another; a pair's number is first · annotators + second.

        Votes of one item lie side by side: those of distance 1, then 2, … make all pairs.
        """
        first: list[Ints] = [np.zeros(0, dtype=np.int64)]
        second: list[Ints] = [np.zeros(0, dtype=np.int64)]
        for distance in range(1, int(self.counts.sum(axis=1).max(initial=1))):
            at = np.flatnonzero(self.row[:-distance] == self.row[distance:])
            first.append(at)
            second.append(at + distance)
        one, two = np.concatenate(first), np.concatenate(second)
        names = self.who[one] * self.annotators + self.who[two]
        return Pairs(self, names, self.row[one], self.what[one], self.what[two], self.annotators**2)


@dataclass(frozen=True)
class Pairs:
    """Pairs of verdicts on one item, each pair of judges with a number.

    Attributes
    ----------
    name, row, one, two : (L,) arrays
        Who, on which kind of item, and what both said.
    names : int
        How many numbers there may be.
    """

    items: JudgedItems
    name: Ints
    row: Ints
    one: Ints
    two: Ints
    names: int

    def where(self, keep: npt.NDArray[np.bool_]) -> "Pairs":
        return Pairs(
            self.items, self.name[keep], self.row[keep], self.one[keep], self.two[keep], self.names
        )

    @cached_property
    def present(self) -> tuple[Ints, Ints]:
        """The numbers that occur, and for each pair the place of its own among them."""
        found, place = np.unique(self.name, return_inverse=True)
        return found, place

    def tables(self) -> Ints:
        """(P, 3, 3): items by what both said, for each number that occurs."""
        found, place = self.present
        cells = place * CELLS + self.one * SIZE + self.two
        counted = np.bincount(
            cells, weights=self.items.times[self.row], minlength=CELLS * len(found)
        )
        return counted.reshape(-1, SIZE, SIZE).astype(np.int64)

    def pull(self, pooled: Pooled) -> Floats:
        """(U,): what one more item of each kind does to the pooled kappa, times all pairs."""
        _, place = self.present
        weights = pooled.influence[place, self.one, self.two]
        summed = np.bincount(self.row, weights=weights, minlength=len(self.items.judge))
        return np.asarray(summed, dtype=np.float64)
