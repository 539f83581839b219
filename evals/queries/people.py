"""What each annotator did in a study, here or elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F

from annotate.models import Assignment, Study, User
from evals.queries.elsewhere import has_imported
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.reading import counted_from, rows_of
from evals.queries.said import PEOPLE as NUMBERED
from evals.queries.said import Everybody
from evals.queries.timed import NEVER, moment
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate
from evals.stats.latency import median_interval

PEOPLE = """
SELECT annotator_id,
       count(*) FILTER (WHERE state = 'judged'),
       count(*) FILTER (WHERE state = 'skipped'),
       count(*) FILTER (WHERE state = 'lapsed'),
       count(*) FILTER (WHERE state = 'surplus'),
       (extract(epoch FROM max(judged_at)) * 1000000)::bigint
FROM annotate_task
WHERE study_id = %(study)s AND item_id BETWEEN %(first)s AND %(last)s
      AND annotator_id IS NOT NULL AND repeats_id IS NULL
GROUP BY annotator_id
"""

# Who comes and goes is no change of the evidence: an index of its own holds these few.
HELD = """
SELECT annotator_id, count(*) FROM annotate_task
WHERE study_id = %(study)s AND state = 'claimed' GROUP BY annotator_id
"""

ELSEWHERE = """
SELECT annotator_id, count(*), (extract(epoch FROM max(at)) * 1000000)::bigint
FROM votes GROUP BY annotator_id
"""

# Who, above the milliseconds: the widest number of the column fits.
MILLISECOND_BITS = 32
PACE = f"""{NUMBERED}
SELECT string_agg(int8send((who << {MILLISECOND_BITS}) | active_ms), ''::bytea),
       (SELECT array_agg(uuid_send(id) ORDER BY who) FROM people)
FROM votes JOIN people ON people.id = annotator_id WHERE active_ms > 0
"""  # noqa: S608 (put together from constants)


@dataclass(frozen=True, slots=True)
class Person:
    """What one annotator did in a study."""

    id: UUID
    name: str
    email: str
    is_active: bool
    cap: int | None
    judged: int
    skipped: int
    lapsed: int
    surplus: int
    claimed: int
    last_at: datetime | None
    elsewhere: bool = False


def people(study: Study) -> list[Person]:
    """Everybody assigned to a study, or who once was, by name."""
    did, held = _did(study), dict(rows_of(HELD, {"study": study.pk}))
    assigned = Assignment.objects.filter(study=study).select_related("annotator")
    return [
        _person(a, did.get(a.annotator_id, (0, 0, 0, 0, None)), held.get(a.annotator_id, 0))
        for a in sorted(assigned, key=lambda a: (str(a.annotator).lower(), a.annotator.email))
    ]


def _person(assigned: Assignment, did: tuple[Any, ...], held: int) -> Person:
    who = assigned.annotator
    judged, skipped, lapsed, surplus, last_at = did
    return Person(
        who.pk,
        str(who),
        who.email,
        assigned.is_active and who.is_active,
        assigned.cap,
        judged,
        skipped,
        lapsed,
        surplus,
        held,
        last_at,
    )


@kept
def _did(study: Study) -> dict[UUID, tuple[Any, ...]]:
    """For each annotator: judged, skipped, lapsed, surplus, and when they last judged."""
    return _added_up(parts(study, did_part), counts=4)


@kept
def _did_elsewhere(study: Study) -> dict[UUID, tuple[Any, ...]]:
    """For each person who judged elsewhere: how often, and when last."""
    return _added_up(parts(study, did_elsewhere_part), counts=1) if has_imported(study) else {}


@dataclass(frozen=True)
class DidPart:
    """What people did in one block.

    Attributes
    ----------
    people : tuple of bytes
    counts : (people, k) array
    last : (people,) array
        When they last judged, in microseconds since 1970, or `NEVER`.
    """

    people: tuple[bytes, ...]
    counts: Ints
    last: Ints


def did_part(block: Block) -> DidPart | None:
    """One block of `_did`."""
    return _did_rows(rows_of(PEOPLE, block.places))


def did_elsewhere_part(block: Block) -> DidPart | None:
    """One block of `_did_elsewhere`."""
    votes = block.votes("imported").values("annotator_id", at=F("task__judged_at"))
    return _did_rows(counted_from(votes, ELSEWHERE))


def _did_rows(rows: Sequence[tuple[Any, ...]]) -> DidPart | None:
    """Rows of (annotator, counts …, when last)."""
    if not rows:
        return None
    counts = np.array([row[1:-1] for row in rows], dtype=np.int64)
    last = np.array([NEVER if row[-1] is None else row[-1] for row in rows], dtype=np.int64)
    return DidPart(tuple(row[0].bytes for row in rows), counts, last)


def _added_up(found: list[DidPart], counts: int) -> dict[UUID, tuple[Any, ...]]:
    """Counts added up, and of the times the latest."""
    everybody = Everybody(part.people for part in found)
    sums = np.zeros((len(everybody), counts), dtype=np.int64)
    latest = np.full(len(everybody), NEVER, dtype=np.int64)
    for part in found:
        who = everybody.numbers_of(part.people)
        sums[who] += part.counts
        latest[who] = np.maximum(latest[who], part.last)
    rows = zip(everybody.users, sums.tolist(), latest.tolist(), strict=True)
    return {user: (*row, None if at == NEVER else moment(at)) for user, row, at in rows}


def people_elsewhere(study: Study) -> list[Person]:
    """Everybody who judged elsewhere, by name, with what they did there."""
    did = _did_elsewhere(study)
    found = User.objects.in_bulk(list(did))
    return [
        Person(user.pk, str(user), user.label, False, None, judged, 0, 0, 0, 0, last, True)
        for user, (judged, last) in sorted(
            ((found[key], row) for key, row in did.items()),
            key=lambda one: (str(one[0]).lower(), one[0].label),
        )
    ]


def people_counted(study: Study, only: Source | None) -> list[Person]:
    """The people whose judgements count: assigned here, judging elsewhere, or both once."""
    if only == "imported":
        return people_elsewhere(study)
    here = people(study)
    known = {person.id for person in here}
    others = people_elsewhere(study) if only is None else []
    return here + [person for person in others if person.id not in known]


@kept
def median_seconds(
    study: Study, only: Source | None = "blind", confidence: float = 0.95
) -> dict[UUID, Estimate]:
    """Of each annotator who was timed the median time at work on a judgement."""
    found = parts(study, pace_part, only)
    everybody = Everybody(part.people for part in found)
    codes = [_codes(everybody.numbers_of(part.people)[part.who], part.times) for part in found]
    rows = np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *codes]))
    who, starts, n = np.unique(rows >> MILLISECOND_BITS, return_index=True, return_counts=True)
    seconds = (rows & ((1 << MILLISECOND_BITS) - 1)) / 1000
    return {
        everybody.users[number]: median_interval(seconds[start : start + times], confidence)
        for number, start, times in zip(who.tolist(), starts.tolist(), n.tolist(), strict=True)
    }


def _codes(who: Ints, times: Ints) -> Ints:
    """One number of both is sorted far quicker than rows are."""
    return np.asarray((who << MILLISECOND_BITS) | times)


@dataclass(frozen=True)
class PacePart:
    """Who took how many milliseconds for each judgement of one block."""

    people: tuple[bytes, ...]
    who: Ints
    times: Ints


def pace_part(block: Block, only: Source | None) -> PacePart | None:
    """One block of `median_seconds`."""
    votes = block.votes(only).values("annotator_id", "active_ms")
    ((packed, people),) = counted_from(votes, PACE)
    if packed is None:
        return None
    rows = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64)
    times = rows & ((1 << MILLISECOND_BITS) - 1)
    return PacePart(tuple(people), rows >> MILLISECOND_BITS, times)
