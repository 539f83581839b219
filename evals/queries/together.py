"""What people said of the same items: each two of them, and each one beside all others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from annotate.models import Study
from evals.queries.parts import Block, parts
from evals.queries.said import MIDDLE, POINTS, Said, everybody_in, numbers_of, said_in
from evals.queries.votes_from import Source
from evals.stats.checks import Floats, Ints
from evals.stats.histograms import distinct, merged

CELLS = POINTS**2


@dataclass(frozen=True)
class PairsPart:
    """All pairs of votes on one item of a block; the person whose id is lower comes first.

    Attributes
    ----------
    people : tuple of UUID
    who : (N, 2) array
        Places in `people`.
    cell : (N,) array
        What the first said times seven, and what the second said.
    item : (N,) array
        Which of the items each pair is on.
    """

    people: tuple[UUID, ...]
    who: npt.NDArray[np.int32]
    cell: npt.NDArray[np.int8]
    item: npt.NDArray[np.int32]


class Pairs:
    """The pairs of all blocks, whose people are numbered among all of them."""

    def __init__(self, study: Study, only: Source | None) -> None:
        self._parts = parts(study, pairs_part, only)
        self._numbers = everybody_in(part.people for part in self._parts)
        self.people = list(self._numbers)

    def blocks(self) -> Iterator[tuple[Ints, Ints]]:
        """Of each block all pairs as codes (who, who and what both said), and their items.

        A code is first * people * 49 + second * 49 + cell.
        """
        for part in self._parts:
            first, second = numbers_of(part.people, self._numbers)[part.who].T
            codes = (first * len(self.people) + second) * CELLS + part.cell
            yield codes, part.item.astype(np.int64)

    def tables(self) -> tuple[list[tuple[UUID, UUID]], Ints]:
        """Who and who, and how often they said what: (P, 7, 7) counts."""
        found = [np.zeros((0, 2), dtype=np.int64)]
        found += [distinct(codes[:, None]) for codes, _ in self.blocks()]
        cells, times = merged(found).T
        pairs, where = np.unique(cells // CELLS, return_inverse=True)
        tables = np.zeros((len(pairs), CELLS), dtype=np.int64)
        tables[where, cells % CELLS] = times
        people = len(self.people)
        named = [(self.people[pair // people], self.people[pair % people])
                 for pair in pairs.tolist()]  # fmt: skip
        return named, tables.reshape(-1, POINTS, POINTS)

    def squares(
        self, named: Sequence[tuple[UUID, UUID]], pulls: Sequence[Floats]
    ) -> tuple[int, Floats]:
        """Items with a pair, and for each of `pulls` the sum of the squares of the items' sums.

        What an item does in all its pairs is added up before it is squared: pairs share items.

        Parameters
        ----------
        named : sequence of (UUID, UUID)
            All pairs of people there are.
        pulls : sequence of (P, 7, 7) arrays
            What an item in each cell of each pair's table weighs.
        """
        pairs = np.array([self._number(*pair) for pair in named], dtype=np.int64)
        order = np.argsort(pairs)
        ordered = pairs[order]
        weights = [pull[order].reshape(-1) for pull in pulls]
        items, found = 0, np.zeros(len(pulls))
        for codes, on in self.blocks():
            where = np.searchsorted(ordered, codes // CELLS) * CELLS + codes % CELLS
            items += len(np.unique(on))
            for number, weight in enumerate(weights):
                sums = np.bincount(on, weights=weight[where])
                found[number] += float(sums @ sums)
        return items, found

    def _number(self, one: UUID, other: UUID) -> int:
        return self._numbers[one] * len(self.people) + self._numbers[other]


def pairs_part(block: Block, only: Source | None) -> PairsPart | None:
    """The pairs of one block."""
    said = said_in(block, only)
    if said is None:
        return None
    first, second = _pairs_in(said)
    return PairsPart(
        said.people,
        np.column_stack((said.who[first], said.who[second])).astype(np.int32),
        (said.point[first] * POINTS + said.point[second]).astype(np.int8),
        said.item[first].astype(np.int32),
    )


def _pairs_in(said: Said) -> tuple[Ints, Ints]:
    """The places of all two votes on one item, of different people."""
    firsts = [np.zeros(0, dtype=np.int64)]
    seconds = [np.zeros(0, dtype=np.int64)]
    for step in range(1, len(said.item)):
        same = said.item[:-step] == said.item[step:]
        if not same.any():
            break
        # Whoever judged an item here and elsewhere is no pair.
        (first,) = np.nonzero(same & (said.who[:-step] != said.who[step:]))
        firsts.append(first)
        seconds.append(first + step)
    return np.concatenate(firsts), np.concatenate(seconds)


def beside_others(said: Said) -> Ints:
    """Of each vote: who, what they said (0, 1, 2), and how many others said each of the three."""
    own = np.eye(MIDDLE, dtype=np.int64)[said.winner]
    others = said.by_item(said.winner, MIDDLE)[said.item] - own
    return np.column_stack((said.who, said.winner, others))
