"""The votes of a study as numbers, a block of items at a time, from the index of the votes.

The index hands them out item by item, and PostgreSQL packs each into eight octets; what is counted
of a block is added to what was counted before. A block is all that is held, however many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
from django.db import connection

from annotate.models import Study
from evals.queries.reading import counted_from, rows_of
from evals.queries.votes_from import Source, counted_judgements
from evals.stats.checks import Ints

# The points of the widest scale: -3 to 3, from the baseline to the candidate.
POINTS = 7
MIDDLE = 3
SIDES = 3
WINNERS = 3
# Items of a block: some tens of megabytes while it is counted.
A_BLOCK = 65_536
# Ids of a block lie within 2 to the power of this, or it ends early.
SPREAD = 30
WHO_BITS = 22

BLOCK = """
SELECT min(id), max(id) FROM (
    SELECT id FROM annotate_item WHERE study_id = %(study)s AND id > %(after)s
    ORDER BY id LIMIT %(limit)s) AS next_ones
"""
# Bits from the lowest: who, what was said, the candidate's side, both bad, half the scale.
VOTES = f"""
, people AS MATERIALIZED (SELECT id, row_number() OVER (ORDER BY id) - 1 AS who FROM annotate_user)
SELECT string_agg(int8send(
    ((item_id - %s) << {WHO_BITS + 8}) | (who << 8) | ((preference + {MIDDLE}) << 5)
    | ((CASE candidate_side WHEN 'left' THEN 0 WHEN 'right' THEN 1 ELSE 2 END) << 3)
    | (both_bad::int << 2) | (scale >> 1)), ''::bytea)
FROM votes JOIN people ON people.id = annotator_id
"""  # noqa: S608 (put together from constants)
CATEGORIES = """
SELECT category, string_agg(int8send(id), ''::bytea) FROM annotate_item
WHERE study_id = %(study)s AND id BETWEEN %(first)s AND %(last)s GROUP BY category
"""
PEOPLE = "SELECT id FROM annotate_user ORDER BY id"


@dataclass(frozen=True)
class Said:
    """The votes on one block of items, sorted by item and by person.

    Attributes
    ----------
    ids : array
        The ids of the items that have votes, in their order.
    item, who : arrays
        Of each vote the place of its item in `ids`, and the number of its annotator.
    point : array
        What was said, from 0 (the baseline by far) to 6 (the candidate by far).
    side : array
        Where the candidate stood: 0 left, 1 right, 2 unknown.
    both_bad : array of 0 and 1
    scale : array
        Points of the scale judged on.
    """

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
        found = np.bincount(self.item * kinds + cells, minlength=len(self.ids) * kinds)
        return found.reshape(-1, kinds).astype(np.int64)


def everybody() -> list[UUID]:
    """All users in the order of their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE)
        return [row[0] for row in cursor.fetchall()]


def said_in_blocks(
    study: Study, only: Source | None = None, people: tuple[UUID, ...] = ()
) -> Iterator[Said]:
    """All votes that count, or those of some people alone."""
    votes = counted_judgements(study, only)
    if people:
        votes = votes.filter(annotator__in=people)
    after = -1
    while True:
        ((first, last),) = rows_of(BLOCK, {"study": study.pk, "after": after, "limit": A_BLOCK})
        if first is None:
            return
        last = min(last, first + (1 << SPREAD))
        rows = votes.filter(item_id__gte=first, item_id__lte=last).values(
            "item_id", "annotator_id", "preference", "candidate_side", "both_bad", "scale"
        )
        ((packed,),) = counted_from(rows, VOTES, first)
        if packed is not None:
            yield _read(bytes(packed), first)
        after = last


def _read(packed: bytes, first: int) -> Said:
    rows = np.sort(np.frombuffer(packed, dtype=">i8").astype(np.int64))
    ids, item = np.unique(rows >> (WHO_BITS + 8), return_inverse=True)
    return Said(
        ids + first,
        item.astype(np.int64),
        (rows >> 8) & ((1 << WHO_BITS) - 1),
        (rows >> 5) & 7,
        (rows >> 3) & 3,
        (rows >> 2) & 1,
        2 * (rows & 3) + 1,
    )


def categories_of(study: Study, ids: Ints, known: dict[str, int]) -> Ints:
    """The numbers of the items' categories; those seen first are added to `known`."""
    found = np.zeros(len(ids), dtype=np.int64)
    asked = {"study": study.pk, "first": int(ids[0]), "last": int(ids[-1])}
    for name, packed in rows_of(CATEGORIES, asked):
        here = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64)
        found[np.isin(ids, here, assume_unique=True)] = known.setdefault(name, len(known))
    return found
