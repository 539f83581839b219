"""What each two annotators said for a criterion, of the items both judged, block by block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotate.models import Study
from annotate.models.pulse import BLOCK_BITS
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.rated import RATED, SCORES, SYSTEMS
from evals.queries.reading import counted_from
from evals.queries.said import WINNERS, Everybody
from evals.queries.together import (
    cells_counted,
    item_squares,
    numbers_there,
    pairs_within,
    place_lookup,
)
from evals.queries.votes_from import Source
from evals.stats.checks import Floats, Ints

# What was said of one criterion, in how many ways: who was better, and the scores of either.
SIZES = {"winner": WINNERS, **dict.fromkeys(SYSTEMS, SCORES)}
# What stands for a pair of whom one said nothing.
NOTHING = -1


@dataclass(frozen=True)
class CriterionPart:
    """What was said of one criterion in a block.

    Attributes
    ----------
    people : tuple of bytes
    who, item : (N, 2) and (N,) arrays
        All pairs on one item: places in `people`, and which of the items each is on.
    cells : dict of (N,) arrays
        For each way what the first said times its size, and what the second said.
    """

    people: tuple[bytes, ...]
    who: Ints
    item: Ints
    cells: dict[str, Ints]


@dataclass(frozen=True)
class CriterionPairs:
    """Tables of each pair of annotators who share items on which both answered the criterion.

    Attributes
    ----------
    people : sequence of UUID
    who : (P, 2) array
        Of each pair the places of both in `people`.
    winners : (P, 3, 3) array
        Who was better: baseline, neither, candidate.
    scores : dict of (P, 5, 5) arrays
        For "baseline" and "candidate", where the criterion is scored.
    """

    people: Sequence[UUID]
    who: Ints
    winners: Ints
    scores: dict[str, Ints]


@kept
def criterion_pairs(study: Study, criterion: int, only: Source | None = None) -> CriterionPairs:
    """The tables of one criterion, by its key in the database."""
    found = parts(study, criterion_part, criterion, only)
    everyone = Everybody(part.people for part in found)
    # Whoever answers says who won, scores or not: so all pairs are among these.
    possible = len(everyone) ** 2
    names = numbers_there((pair for pair, _, _ in _pairs(found, everyone, "winner")), possible)
    place_of = place_lookup(names, possible)
    tables = {
        way: cells_counted(
            (place_of(pair) * size**2 + cell for pair, cell, _ in _pairs(found, everyone, way)),
            len(names),
            size,
        )
        for way, size in SIZES.items()
    }
    return CriterionPairs(
        everyone.users,
        np.column_stack(np.divmod(names, max(1, len(everyone)))),
        tables.pop("winner"),
        {system: table for system, table in tables.items() if table.any()},
    )


def _pairs(
    found: Sequence[CriterionPart], everyone: Everybody, way: str
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Of each block the pairs who both said something: who, as a number; what; on which item."""
    for part in found:
        said = part.cells[way] != NOTHING
        first, second = everyone.numbers_of(part.people)[part.who[said]].T
        yield first * len(everyone) + second, part.cells[way][said], part.item[said]


def criterion_squares(
    study: Study, criterion: int, only: Source | None, way: str, pulls: Sequence[Floats]
) -> tuple[int, list[float]]:
    """Items with a pair, and for each of `pulls` the sum of the squares of the items' sums.

    Parameters
    ----------
    way : {"winner", "baseline", "candidate"}
    pulls : sequence of (P, k, k) arrays
        What an item in each cell of each pair's table weighs, pairs as in `criterion_pairs`.
    """
    found = parts(study, criterion_part, criterion, only)
    everyone = Everybody(part.people for part in found)
    known = criterion_pairs(study, criterion, only)
    place_of = place_lookup(known.who[:, 0] * len(everyone) + known.who[:, 1], len(everyone) ** 2)
    items, squares = item_squares(
        (
            (place_of(pair) * SIZES[way] ** 2 + cell, item)
            for pair, cell, item in _pairs(found, everyone, way)
        ),
        [pull.reshape(-1) for pull in pulls],
    )
    return items, squares.tolist()


def criterion_part(block: Block, criterion: int, only: Source | None) -> CriterionPart | None:
    """One block of `criterion_pairs`."""
    votes = block.votes(only).values("id", "item_id", "annotator_id", "preference")
    ((packed, people),) = counted_from(votes, RATED, block.first, [criterion])
    if packed is None:
        return None
    rows = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64)
    who, item = rows >> (26 + BLOCK_BITS), (rows >> 26) & ((1 << BLOCK_BITS) - 1)
    order = np.lexsort((who, item))
    rows, who, item = rows[order], who[order], item[order]
    said = {"winner": (rows >> 22) & 3, "baseline": ((rows >> 16) & 7) - 1,
            "candidate": ((rows >> 19) & 7) - 1}  # fmt: skip
    first, second = pairs_within(item, who)
    return CriterionPart(
        tuple(people),
        np.column_stack((who[first], who[second])),
        item[first],
        {way: np.where((one[first] < 0) | (one[second] < 0), NOTHING,
                       one[first] * SIZES[way] + one[second])
         for way, one in said.items()},
    )  # fmt: skip
