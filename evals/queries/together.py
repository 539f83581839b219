"""What each two people said of the same items."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotate.models import Study
from evals.queries.parts import Block, parts
from evals.queries.said import POINTS, Everybody, said_in
from evals.queries.votes_from import Source
from evals.stats.checks import Floats, Ints

CELLS = POINTS**2
# Pairs are looked up in a table of so many places, of eight octets each, at most: a fifth of the
# time that it takes to search for them.
MOST_PLACES = 1_000_000


@dataclass(frozen=True)
class PairsPart:
    """All pairs of votes on one item of a block; the person whose id is lower comes first.

    Attributes
    ----------
    people : tuple of bytes
    who : (N, 2) array
        Places in `people`.
    cell : (N,) array
        What the first said times seven, and what the second said.
    item : (N,) array
        Which of the items each pair is on.
    """

    people: tuple[bytes, ...]
    who: Ints
    cell: Ints
    item: Ints


class Pairs:
    """The pairs of all blocks, whose people are numbered among all of them."""

    def __init__(self, study: Study, only: Source | None) -> None:
        self._parts = parts(study, pairs_part, only)
        self._everybody = Everybody(part.people for part in self._parts)

    def _blocks(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Of each block all pairs as numbers (first * people + second), what both said, items."""
        for part in self._parts:
            first, second = self._everybody.numbers_of(part.people)[part.who].T
            yield first * len(self._everybody) + second, part.cell, part.item

    @property
    def people(self) -> list[UUID]:
        return self._everybody.users

    def tables(self) -> tuple[Ints, Ints]:
        """The pairs that share items, as places in `people`, and how often they said what.

        Returns
        -------
        (P, 2) array
        (P, 7, 7) array of counts
        """
        possible = len(self._everybody) ** 2
        names = numbers_there((pair for pair, _, _ in self._blocks()), possible)
        place_of = place_lookup(names, possible)
        tables = cells_counted(
            (place_of(pair) * CELLS + cell for pair, cell, _ in self._blocks()), len(names), POINTS
        )
        return np.column_stack(np.divmod(names, max(1, len(self.people)))), tables

    def squares(
        self, people: Sequence[UUID], who: Ints, pulls: Sequence[Floats]
    ) -> tuple[int, Floats]:
        """Items with a pair, and for each of `pulls` the sum of the squares of the items' sums.

        What an item does in all its pairs is added up before it is squared: pairs share items.

        Parameters
        ----------
        people : sequence of UUID
        who : (P, 2) array
            All pairs there are, as places in `people`.
        pulls : sequence of (P, 7, 7) arrays
            What an item in each cell of each pair's table weighs.
        """
        numbers = self._everybody.numbers_of([person.bytes for person in people])[who]
        pairs = numbers[:, 0] * len(self._everybody) + numbers[:, 1]
        order = np.argsort(pairs)
        place_of = place_lookup(pairs[order], len(self._everybody) ** 2)
        return item_squares(
            ((place_of(pair) * CELLS + cell, on) for pair, cell, on in self._blocks()),
            [pull[order].reshape(-1) for pull in pulls],
        )


def item_squares(
    blocks: Iterable[tuple[Ints, Ints]], weights: Sequence[Floats]
) -> tuple[int, Floats]:
    """Items with a pair, and for each of `weights` the sum of the squares of the items' sums.

    Parameters
    ----------
    blocks : iterable of (N,) and (N,) arrays
        For each pair on an item its place in the weights, and which of the block's items.
    """
    items, found = 0, np.zeros(len(weights))
    for where, on in blocks:
        items += int(np.count_nonzero(np.bincount(on)))
        for number, weight in enumerate(weights):
            sums = np.bincount(on, weights=weight.take(where))
            found[number] += float(sums @ sums)
    return items, found


def numbers_there(blocks: Iterable[Ints], possible: int) -> Ints:
    """The distinct numbers, of those below `possible`, in their order."""
    if possible > MOST_PLACES:
        return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *blocks]))
    is_there = np.zeros(possible, dtype=bool)
    for numbers in blocks:
        is_there[numbers] = True
    return np.flatnonzero(is_there)


def cells_counted(codes: Iterable[Ints], tables: int, size: int) -> Ints:
    """(tables, size, size) array: how often each cell of all tables occurs among the codes."""
    of_all = np.concatenate([np.zeros(0, dtype=np.int64), *codes])
    found = np.bincount(of_all, minlength=tables * size**2)
    return found.reshape(-1, size, size).astype(np.int64)


def place_lookup(ordered: Ints, possible: int) -> Callable[[Ints], Ints]:
    """What finds the places of numbers below `possible` in an ordered list that has them all."""
    if possible > MOST_PLACES:
        return lambda numbers: np.searchsorted(ordered, numbers)
    places = np.zeros(possible, dtype=np.int64)
    places[ordered] = np.arange(len(ordered))
    return places.take


def pairs_part(block: Block, only: Source | None) -> PairsPart | None:
    """The pairs of one block."""
    said = said_in(block, only)
    if said is None:
        return None
    first, second = pairs_within(said.item, said.who)
    return PairsPart(
        said.people,
        np.column_stack((said.who[first], said.who[second])),
        said.point[first] * POINTS + said.point[second],
        said.item[first],
    )


def pairs_within(item: Ints, who: Ints) -> tuple[Ints, Ints]:
    """The places of all two votes on one item, of different people.

    Votes lie in the order of their items and people: so the lower person comes first.
    """
    found = [np.zeros((2, 0), dtype=np.int64)]
    for step in range(1, len(item)):
        same = item[:-step] == item[step:]
        if not same.any():
            break
        # Whoever judged an item here and elsewhere is no pair.
        (at,) = np.nonzero(same & (who[:-step] != who[step:]))
        found.append(np.stack((at, at + step)))
    first, second = np.concatenate(found, axis=1)
    return first, second
