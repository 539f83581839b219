"""What each annotator did in a study, here or elsewhere."""

from collections.abc import Iterable
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
from evals.queries.votes_from import Source
from evals.stats.checks import Ints

PEOPLE = """
SELECT annotator_id,
       count(*) FILTER (WHERE state = 'judged'),
       count(*) FILTER (WHERE state = 'skipped'),
       count(*) FILTER (WHERE state = 'lapsed'),
       count(*) FILTER (WHERE state = 'surplus'),
       max(judged_at)
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

ELSEWHERE = " SELECT annotator_id, count(*), max(at) FROM votes GROUP BY annotator_id"

# Milliseconds in the lower half.
PACE = f"""{NUMBERED}
SELECT string_agg(int8send((who << 32) | active_ms), ''::bytea),
       (SELECT array_agg(id ORDER BY who) FROM people)
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
    return _added_up(parts(study, did_part))


def did_part(block: Block) -> dict[UUID, tuple[Any, ...]]:
    """The same of one block."""
    return {row[0]: row[1:] for row in rows_of(PEOPLE, block.places)}


@kept
def _did_elsewhere(study: Study) -> dict[UUID, tuple[Any, ...]]:
    """For each person who judged elsewhere: how often, and when last."""
    return _added_up(parts(study, did_elsewhere_part)) if has_imported(study) else {}


def did_elsewhere_part(block: Block) -> dict[UUID, tuple[Any, ...]]:
    """The same of one block."""
    votes = block.votes("imported").values("annotator_id", at=F("task__judged_at"))
    return {row[0]: row[1:] for row in counted_from(votes, ELSEWHERE)}


def _added_up(found: Iterable[dict[UUID, tuple[Any, ...]]]) -> dict[UUID, tuple[Any, ...]]:
    """Counts added up, and of the times at their end the latest."""
    together: dict[UUID, tuple[Any, ...]] = {}
    for part in found:
        for person, row in part.items():
            so_far = together.get(person, (0,) * (len(row) - 1) + (None,))
            counts = (a + b for a, b in zip(so_far[:-1], row[:-1], strict=True))
            latest = max((at for at in (so_far[-1], row[-1]) if at is not None), default=None)
            together[person] = (*counts, latest)
    return together


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
def median_seconds(study: Study, only: Source | None = "blind") -> dict[UUID, float]:
    """Of each annotator the median time at work on a judgement."""
    times: dict[UUID, list[Ints]] = {}
    for part in parts(study, pace_part, only):
        for person, milliseconds in part.items():
            times.setdefault(person, []).append(milliseconds)
    return {who: float(np.median(np.concatenate(some))) / 1000 for who, some in times.items()}


def pace_part(block: Block, only: Source | None) -> dict[UUID, Ints] | None:
    """Of each annotator the milliseconds at work on the judgements of one block."""
    votes = block.votes(only).values("annotator_id", "active_ms")
    ((packed, people),) = counted_from(votes, PACE)
    if packed is None:
        return None
    rows = np.sort(np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64))
    who, starts = np.unique(rows >> 32, return_index=True)
    times = np.split(rows & 0xFFFFFFFF, starts[1:])
    return {people[number]: some for number, some in zip(who.tolist(), times, strict=True)}
