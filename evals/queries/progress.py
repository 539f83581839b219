"""How far a study is: by batch, category, annotator and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F

from annotate.models import Assignment, Batch, Flag, Study, User
from evals.queries.kept import kept
from evals.queries.reading import counted_from, rows_of
from evals.queries.votes import Source, counted_judgements

# Slots are counted item by item first: so that items need no DISTINCT.
SLOTS = """
WITH slots AS (
    SELECT item_id,
           count(*) FILTER (WHERE state IN ('free', 'claimed', 'judged')) AS wanted,
           count(*) FILTER (WHERE state = 'judged') AS judged
    FROM annotate_task WHERE study_id = %(study)s GROUP BY item_id
)
SELECT i.batch_id, i.category, grouping(i.batch_id) = 0, grouping(i.category) = 0,
       coalesce(sum(wanted), 0)::bigint, coalesce(sum(judged), 0)::bigint, count(*)
FROM annotate_item i LEFT JOIN slots ON slots.item_id = i.id
WHERE i.study_id = %(study)s
GROUP BY GROUPING SETS ((), (i.batch_id), (i.category))
"""

TOTALS = """
SELECT count(*) FILTER (WHERE state IN ('free', 'claimed', 'judged')),
       count(*) FILTER (WHERE state = 'judged'),
       (SELECT count(*) FROM annotate_item WHERE study_id = %(study)s)
FROM annotate_task WHERE study_id = %(study)s
"""

PEOPLE = """
SELECT annotator_id,
       count(*) FILTER (WHERE state = 'judged'),
       count(*) FILTER (WHERE state = 'skipped'),
       count(*) FILTER (WHERE state = 'lapsed'),
       count(*) FILTER (WHERE state = 'surplus'),
       max(judged_at)
FROM annotate_task
WHERE study_id = %(study)s AND annotator_id IS NOT NULL AND repeats_id IS NULL
GROUP BY annotator_id
"""

# Who comes and goes is no change of the evidence: an index of its own holds these few.
HELD = """
SELECT annotator_id, count(*) FROM annotate_task
WHERE study_id = %(study)s AND state = 'claimed' GROUP BY annotator_id
"""

DAYS = """
SELECT (judged_at AT TIME ZONE %(zone)s)::date, count(*)
FROM annotate_task WHERE study_id = %(study)s AND state = 'judged'
GROUP BY 1 ORDER BY 1
"""

RECENT = """
SELECT (SELECT count(*) FROM annotate_task WHERE study_id = %(study)s AND state = 'judged'
               AND judged_at > now() - interval '7 days'),
       (SELECT extract(epoch FROM now() - min(judged_at))::float FROM annotate_task
        WHERE study_id = %(study)s AND state = 'judged')
"""

ELSEWHERE = " SELECT annotator_id, count(*), max(at) FROM votes GROUP BY annotator_id"

PACE = """
SELECT annotator_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY active_ms)::float / 1000
FROM votes WHERE active_ms > 0 GROUP BY annotator_id
"""


@dataclass(frozen=True, slots=True)
class Slots:
    """Judgements wanted and made in a part of a study."""

    wanted: int
    judged: int
    items: int

    @property
    def left(self) -> int:
        return self.wanted - self.judged


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is.

    Attributes
    ----------
    batches : sequence of (Batch, Slots)
    categories : sequence of (name, Slots), largest first
    days : sequence of (day, judgements), days with judgements only
    """

    total: Slots
    batches: Sequence[tuple[Batch, Slots]]
    categories: Sequence[tuple[str, Slots]]
    days: Sequence[tuple[date, int]]
    week: "Week"


@dataclass(frozen=True, slots=True)
class Week:
    """Judgements of the last seven days, and how long ago the first of all was made."""

    judged: int
    seconds_since_first: float | None


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


def progress(study: Study) -> Progress:
    rows = _slots(study)
    by_batch = {row[0]: Slots(*row[4:]) for row in rows if row[2]}
    by_category = [(row[1], Slots(*row[4:])) for row in rows if row[3]]
    total = next((Slots(*row[4:]) for row in rows if not row[2] and not row[3]), Slots(0, 0, 0))
    return Progress(
        total=total,
        batches=[
            (batch, by_batch.get(batch.pk, Slots(0, 0, batch.item_count)))
            for batch in Batch.objects.filter(study=study).order_by("number")
        ],
        categories=sorted(by_category, key=lambda part: (-part[1].items, part[0])),
        days=[(row[0], row[1]) for row in _days(study)],
        week=last_week(study),
    )


@kept
def _slots(study: Study) -> list[tuple[Any, ...]]:
    return rows_of(SLOTS, {"study": study.pk})


@kept
def _days(study: Study) -> list[tuple[Any, ...]]:
    return rows_of(DAYS, {"study": study.pk, "zone": settings.TIME_ZONE})


def last_week(study: Study) -> Week:
    ((judged, since_first),) = rows_of(RECENT, {"study": study.pk})
    return Week(judged, since_first)


@kept
def total_slots(study: Study) -> Slots:
    """Judgements wanted and made in all."""
    ((wanted, judged, items),) = rows_of(TOTALS, {"study": study.pk})
    return Slots(wanted, judged, items)


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
    return {row[0]: row[1:] for row in rows_of(PEOPLE, {"study": study.pk})}


@kept
def _did_elsewhere(study: Study) -> dict[UUID, tuple[Any, ...]]:
    votes = counted_judgements(study, "imported").values("annotator_id", at=F("task__judged_at"))
    return {row[0]: row[1:] for row in counted_from(votes, ELSEWHERE)}


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
    votes = counted_judgements(study, only).values("annotator_id", "active_ms")
    return {row[0]: row[1] for row in counted_from(votes, PACE)}


def flagged(study: Study) -> dict[str, int]:
    """Items flagged, by kind of flag."""
    kinds = (
        Flag.objects.filter(task__study=study)
        .values("kind")
        .annotate(items=Count("task__item", distinct=True))
    )
    return {row["kind"]: row["items"] for row in kinds}


def has_imported(study: Study) -> bool:
    """Whether judgements made elsewhere are in a study."""
    return counted_judgements(study, "imported").exists()


@kept
def imported_count(study: Study, only: Source | None = None) -> int:
    """How many of the judgements that count were made elsewhere."""
    if only == "blind":
        return 0
    return counted_judgements(study, only).filter(source="imported").count()
