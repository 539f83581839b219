"""The votes on a block of items as numbers, from the index of the votes.

The index hands them out item by item, and PostgreSQL packs each into eight octets.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np

from annotate.models.pulse import BLOCK_BITS
from evals.queries.parts import Block
from evals.queries.reading import counted_from, rows_of
from evals.queries.votes_from import Source
from evals.stats.checks import Ints

# The points of the widest scale: -3 to 3, from the baseline to the candidate.
POINTS = 7
MIDDLE = 3
SIDES = 3
WINNERS = 3
# Bits of a vote below those of its annotator and of its item.
SAID_BITS = 8
ITEM_BITS = BLOCK_BITS + SAID_BITS

# People are numbered in the order of their ids, those of the block alone.
PEOPLE = """
, people AS MATERIALIZED (
    SELECT annotator_id AS id, row_number() OVER (ORDER BY annotator_id) - 1 AS who
    FROM (SELECT DISTINCT annotator_id FROM votes) AS named
)"""
# Bits from the lowest: what was said, the candidate's side, both bad, half the scale (these are
# eight), the item's place in its block, and who.
VOTES = f"""{PEOPLE}
SELECT string_agg(int8send(
    (who << {ITEM_BITS}) | ((item_id - %s) << {SAID_BITS}) | ((preference + {MIDDLE}) << 5)
    | ((CASE candidate_side WHEN 'left' THEN 0 WHEN 'right' THEN 1 ELSE 2 END) << 3)
    | (both_bad::int << 2) | (scale >> 1)), ''::bytea),
    (SELECT array_agg(uuid_send(id) ORDER BY who) FROM people)
FROM votes JOIN people ON people.id = annotator_id
"""  # noqa: S608 (put together from constants)
CATEGORIES = """
SELECT category, string_agg(int8send(id), ''::bytea) FROM annotate_item
WHERE study_id = %(study)s AND id BETWEEN %(first)s AND %(last)s GROUP BY category ORDER BY category
"""


@dataclass(frozen=True)
class Said:
    """The votes on one block of items, sorted by item and by person.

    Attributes
    ----------
    people : tuple of bytes
        The ids of who voted, in their order: sixteen octets each.
    ids : array
        The ids of the items that have votes, in their order.
    item, who : arrays
        Of each vote the place of its item in `ids`, and of its annotator in `people`.
    point : array
        What was said, from 0 (the baseline by far) to 6 (the candidate by far).
    side : array
        Where the candidate stood: 0 left, 1 right, 2 unknown.
    both_bad : array of 0 and 1
    scale : array
        Points of the scale judged on.
    """

    people: tuple[bytes, ...]
    ids: Ints
    item: Ints
    who: Ints
    point: Ints
    side: Ints
    both_bad: Ints
    scale: Ints

    @cached_property
    def winner(self) -> Ints:
        """0 the baseline, 1 a tie, 2 the candidate."""
        return np.asarray(np.sign(self.point - MIDDLE) + 1)

    def by_item(self, cells: Ints, kinds: int) -> Ints:
        """(items, kinds) array: how many votes of each item are in each of the cells."""
        return in_cells(self.item, cells, len(self.ids), kinds)

    def by_person(self, cells: Ints, kinds: int) -> Ints:
        """(people, kinds) array: how many votes of each person are in each of the cells."""
        return in_cells(self.who, cells, len(self.people), kinds)


def in_cells(rows: Ints, cells: Ints, count: int, kinds: int) -> Ints:
    """(count, kinds) array: how often each row occurs with each of the cells."""
    found = np.bincount(rows * kinds + cells, minlength=count * kinds)
    return found.reshape(-1, kinds).astype(np.int64)


def said_in(block: Block, only: Source | None = None) -> Said | None:
    """All votes on a block that count; None without any."""
    rows = block.votes(only).values(
        "item_id", "annotator_id", "preference", "candidate_side", "both_bad", "scale"
    )
    ((packed, people),) = counted_from(rows, VOTES, block.first)
    if packed is None:
        return None
    votes = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64)
    item = (votes >> SAID_BITS) & ((1 << BLOCK_BITS) - 1)
    who = votes >> ITEM_BITS
    order = np.lexsort((who, item))
    votes, who = votes[order], who[order]
    places, item = np.unique(item[order], return_inverse=True)
    return Said(
        tuple(people),
        places + block.first,
        item.astype(np.int64),
        who,
        (votes >> 5) & 7,
        (votes >> 3) & 3,
        (votes >> 2) & 1,
        2 * (votes & 3) + 1,
    )


def categories_of(block: Block, ids: Ints) -> tuple[list[str], Ints]:
    """The names of the categories of these items, and of each item the place of its own."""
    names: list[str] = []
    found = np.zeros(len(ids), dtype=np.int64)
    for name, packed in rows_of(CATEGORIES, block.places):
        here = np.isin(ids, np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64))
        if here.any():
            found[here] = len(names)
            names.append(name)
    return names, found


class Everybody:
    """The people of several blocks, numbered in the order of their ids."""

    def __init__(self, people: Iterable[Sequence[bytes]]) -> None:
        ids = sorted(set().union(*people))
        self._numbers = {person: number for number, person in enumerate(ids)}
        self.users = [UUID(bytes=person) for person in ids]

    def __len__(self) -> int:
        return len(self.users)

    def numbers_of(self, people: Sequence[bytes]) -> Ints:
        """For each person of a block their number among all."""
        return np.array([self._numbers[person] for person in people], dtype=np.int64)
