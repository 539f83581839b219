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
from evals.stats.checks import Ints
from evals.stats.histograms import distinct, merged

# What was said of one criterion, in how many ways: who was better, and the scores of either.
SIZES = {"winner": WINNERS, **dict.fromkeys(SYSTEMS, SCORES)}
# One part: the people of a block, and for each way rows (places of both, what both said, items).
Part = tuple[tuple[bytes, ...], dict[str, Ints]]


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
    everyone = Everybody(people for people, _ in found)
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


def _numbered(found: Sequence[Part], way: str, everyone: Everybody) -> list[Ints]:
    """The rows of each block, its people by their numbers among all."""
    return [
        np.column_stack((everyone.numbers_of(people)[rows[way][:, :2]], rows[way][:, 2:]))
        for people, rows in found
    ]


def _tables(rows: Ints, names: Ints, everybody: int, size: int) -> Ints:
    tables = np.zeros((len(names), size, size), dtype=np.int64)
    place = np.searchsorted(names, rows[:, 0] * everybody + rows[:, 1])
    tables[place, rows[:, 2], rows[:, 3]] = rows[:, 4]
    return tables


def criterion_part(block: Block, criterion: int, only: Source | None) -> Part | None:
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
    return tuple(people), {
        way: _counted(np.column_stack((who[first], who[second], one[first], one[second])))
        for way, one in said.items()
    }


def _counted(rows: Ints) -> Ints:
    """The distinct rows in which both said something."""
    return distinct(rows[(rows[:, 2] >= 0) & (rows[:, 3] >= 0)])
