"""What each two annotators said for a criterion, of the items both judged, block by block."""

from collections.abc import Sequence
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
from evals.queries.together import pairs_within
from evals.queries.votes_from import Source
from evals.stats.checks import Floats, Ints
from evals.stats.histograms import distinct, merged

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
    rows : dict of (H, 5) arrays
        For each way: places of both in `people`, what both said, and items with just these.
    who, item : (N, 2) and (N,) arrays
        All pairs on one item: places in `people`, and which of the items each is on.
    cells : dict of (N,) arrays
        For each way what the first said times its size, and what the second said.
    """

    people: tuple[bytes, ...]
    rows: dict[str, Ints]
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
    rows = {way: merged([_none(), *_numbered(found, way, everyone)]) for way in SIZES}
    everybody = len(everyone)
    names = np.unique(rows["winner"][:, 0] * everybody + rows["winner"][:, 1])
    tables = {way: _tables(rows[way], names, everybody, size) for way, size in SIZES.items()}
    return CriterionPairs(
        everyone.users,
        np.column_stack((names // max(1, everybody), names % max(1, everybody))),
        tables.pop("winner"),
        {system: table for system, table in tables.items() if table.any()},
    )


def _none() -> Ints:
    return np.zeros((0, 5), dtype=np.int64)


def _numbered(found: Sequence[CriterionPart], way: str, everyone: Everybody) -> list[Ints]:
    """The rows of each block, its people by their numbers among all."""
    return [
        np.column_stack(
            (everyone.numbers_of(part.people)[part.rows[way][:, :2]], part.rows[way][:, 2:])
        )
        for part in found
    ]


def _tables(rows: Ints, names: Ints, everybody: int, size: int) -> Ints:
    tables = np.zeros((len(names), size, size), dtype=np.int64)
    place = np.searchsorted(names, rows[:, 0] * everybody + rows[:, 1])
    tables[place, rows[:, 2], rows[:, 3]] = rows[:, 4]
    return tables


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
    names, cells = known.who[:, 0] * len(everyone) + known.who[:, 1], SIZES[way] ** 2
    items, squares = 0, np.zeros(len(pulls))
    for part in found:
        said = part.cells[way] != NOTHING
        first, second = everyone.numbers_of(part.people)[part.who[said]].T
        where = np.searchsorted(names, first * len(everyone) + second) * cells
        where += part.cells[way][said]
        items += len(np.unique(part.item[said]))
        for number, pull in enumerate(pulls):
            sums = np.bincount(part.item[said], weights=pull.reshape(-1)[where])
            squares[number] += float(sums @ sums)
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
    both = np.column_stack((who[first], who[second]))
    return CriterionPart(
        tuple(people),
        {way: _counted(np.column_stack((both, one[first], one[second])))
         for way, one in said.items()},
        both,
        item[first],
        {way: np.where((one[first] < 0) | (one[second] < 0), NOTHING,
                       one[first] * SIZES[way] + one[second])
         for way, one in said.items()},
    )  # fmt: skip


def _counted(rows: Ints) -> Ints:
    """The distinct rows in which both said something."""
    return distinct(rows[(rows[:, 2] >= 0) & (rows[:, 3] >= 0)])
