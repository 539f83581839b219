"""How far a study is: by batch, category, annotator and day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from django.conf import settings
from django.db.models import Count

from annotate.models import Batch, Flag, Study
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.reading import rows_of

# Slots are counted item by item first: so that items need no DISTINCT.
SLOTS = """
WITH slots AS (
    SELECT item_id,
           count(*) FILTER (WHERE state IN ('free', 'claimed', 'judged')) AS wanted,
           count(*) FILTER (WHERE state = 'judged') AS judged
    FROM annotate_task
    WHERE study_id = %(study)s AND item_id BETWEEN %(first)s AND %(last)s GROUP BY item_id
)
SELECT i.batch_id, i.category, coalesce(sum(wanted), 0)::bigint, coalesce(sum(judged), 0)::bigint,
       count(*)
FROM annotate_item i LEFT JOIN slots ON slots.item_id = i.id
WHERE i.study_id = %(study)s AND i.id BETWEEN %(first)s AND %(last)s
GROUP BY i.batch_id, i.category
"""

DAYS = """
SELECT (judged_at AT TIME ZONE %(zone)s)::date, count(*)
FROM annotate_task
WHERE study_id = %(study)s AND item_id BETWEEN %(first)s AND %(last)s AND state = 'judged'
GROUP BY 1
"""

RECENT = """
SELECT (SELECT count(*) FROM annotate_task WHERE study_id = %(study)s AND state = 'judged'
               AND judged_at > now() - interval '7 days'),
       (SELECT extract(epoch FROM now() - min(judged_at))::float FROM annotate_task
        WHERE study_id = %(study)s AND state = 'judged')
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

    def __add__(self, other: "Slots") -> "Slots":
        return Slots(
            self.wanted + other.wanted, self.judged + other.judged, self.items + other.items
        )


NO_SLOTS = Slots(0, 0, 0)


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


def progress(study: Study) -> Progress:
    by_batch, by_category = _slots(study)
    return Progress(
        total=total_slots(study),
        batches=[
            (batch, by_batch.get(batch.pk, Slots(0, 0, batch.item_count)))
            for batch in Batch.objects.filter(study=study).order_by("number")
        ],
        categories=sorted(by_category.items(), key=lambda part: (-part[1].items, part[0])),
        days=_days(study),
        week=last_week(study),
    )


@kept
def _slots(study: Study) -> tuple[dict[int, Slots], dict[str, Slots]]:
    """Slots by batch and by category."""
    by_batch: dict[int, Slots] = {}
    by_category: dict[str, Slots] = {}
    for batch, category, *row in chain.from_iterable(parts(study, slots_part)):
        by_batch[batch] = by_batch.get(batch, NO_SLOTS) + Slots(*row)
        by_category[category] = by_category.get(category, NO_SLOTS) + Slots(*row)
    return by_batch, by_category


def slots_part(block: Block) -> list[tuple[Any, ...]]:
    """Rows (batch, category, wanted, judged, items) of one block."""
    return rows_of(SLOTS, block.places)


@kept
def _days(study: Study) -> list[tuple[date, int]]:
    found: Counter[date] = Counter()
    for part in parts(study, days_part, settings.TIME_ZONE):
        found.update(part)
    return sorted(found.items())


def days_part(block: Block, zone: str) -> dict[date, int]:
    """Judgements of one block by day."""
    return dict(rows_of(DAYS, block.places | {"zone": zone}))


def last_week(study: Study) -> Week:
    ((judged, since_first),) = rows_of(RECENT, {"study": study.pk})
    return Week(judged, since_first)


def total_slots(study: Study) -> Slots:
    """Judgements wanted and made in all."""
    return sum(_slots(study)[0].values(), NO_SLOTS)


def flagged(study: Study) -> dict[str, int]:
    """Items flagged, by kind of flag."""
    kinds = (
        Flag.objects.filter(task__study=study)
        .values("kind")
        .annotate(items=Count("task__item", distinct=True))
    )
    return {row["kind"]: row["items"] for row in kinds}
