"""Repeats: a share of what somebody judged, asked of them again with the sides exchanged.

Which judgements are repeated, and when, follows from the study's seed, who judges and how
many they have judged. A repeat is made with the judgement that it repeats and waits; it is
handed out as soon as its annotator has answered enough other tasks. Nothing of it shows:
its page, its address and what is counted for its annotator are those of any task.
"""

import hashlib
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any
from uuid import UUID

from django.db import connection

from annotate.models import Assignment, Study, Task

# At least so many other tasks lie between an item and its repeat, and at most LATEST of them
# before it is due: drawn anew each time, so that nobody can count along.
EARLIEST = 20
LATEST = 39
# In every so many judgements of one annotator the share is kept.
BLOCK = 20
# Up to so many items the repeats to come are told exactly; beyond, by the share.
COUNTED_OUT = 5_000

# The only statement that makes repeats: of the same item and annotator, on the other side.
DRAW = """
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, annotator_id,
                           version, skip_reason, skip_note, repeats_id, due_after)
SELECT gen_random_uuid(), study_id, item_id, slot,
       CASE candidate_side WHEN 'left' THEN 'right' WHEN 'right' THEN 'left' END, rank, 'waiting',
       annotator_id, 0, '', '', id, %(due_after)s
FROM annotate_task WHERE id = %(task)s AND state = 'judged'
ON CONFLICT DO NOTHING
"""
# The assignment is locked by its caller: two tabs of one annotator stand in line.
HAND_OUT = """
UPDATE annotate_task
SET state = 'asked', claimed_at = STATEMENT_TIMESTAMP(),
    lease_ends_at = STATEMENT_TIMESTAMP() + %(lease)s
WHERE state = 'waiting' AND id = (
    SELECT id FROM annotate_task
    WHERE study_id = %(study)s AND annotator_id = %(annotator)s AND state = 'waiting'
          AND due_after <= %(answered)s
    ORDER BY due_after, rank LIMIT 1
)
RETURNING id
"""
# What was put back comes again after as many tasks as if it had been drawn now.
PUT_OFF = """
UPDATE annotate_task
SET state = 'waiting', claimed_at = NULL, lease_ends_at = NULL, due_after = %(due_after)s
WHERE id = %(task)s AND state = 'asked'
"""


def is_drawn(key: str, number: int, share: Decimal) -> bool:
    """Whether the judgement `number` (from 1) of the annotator of `key` is repeated.

    Of every block of judgements the share is drawn, so that it is kept to the last whole
    block; which ones, and what becomes of a fraction, is drawn by the key.
    """
    block, place = divmod(number - 1, BLOCK)
    return place in _drawn_of_block(key, block, share)


@lru_cache(maxsize=4096)
def _drawn_of_block(key: str, block: int, share: Decimal) -> frozenset[int]:
    start = Fraction(_lot(key, "start"), 2**32)
    before, after = (start + Fraction(share) * BLOCK * n for n in (block, block + 1))
    by_lot = sorted(range(BLOCK), key=lambda one: (_lot(key, block * BLOCK + one), one))
    return frozenset(by_lot[: int(after) - int(before)])


def distance(key: str, number: int) -> int:
    """How many other tasks are answered before the repeat of a judgement is due."""
    return EARLIEST + _lot(key, f"distance {number}") % (LATEST - EARLIEST + 1)


@lru_cache(maxsize=4096)
def repeats_among(key: str, items: int, share: Decimal) -> int:
    """How many repeats the annotator of `key` meets who judges so many items and skips none.

    Those judged last do not come again: too few others follow.
    """
    if not share or items <= EARLIEST:
        return 0
    due: list[int] = []
    answered = repeats = 0
    for number in range(1, items + 2):
        while due and due[0] <= answered:
            heappop(due)
            answered, repeats = answered + 1, repeats + 1
        answered += 1
        if is_drawn(key, number, share):
            heappush(due, answered + distance(key, number))
    return repeats


def expected_repeats(study: Study, assignment: Assignment, items: int) -> int:
    """How many repeats an annotator meets with so many items."""
    if items > COUNTED_OUT:
        return int(study.repeat_share * (items - LATEST))
    return repeats_among(_key(study, assignment), items, study.repeat_share)


def _lot(key: str, what: object) -> int:
    digest = hashlib.sha256(f"repeat:{key}:{what}".encode()).digest()
    return int.from_bytes(digest[:4])


def _key(study: Study, assignment: Assignment) -> str:
    # By the address, not by the id: the same study made anew draws the same.
    return f"{study.seed}:{assignment.annotator.email}"


def draw_repeat(task: Task) -> None:
    """Make the repeat of a task that was judged just now, if it is drawn."""
    study = task.study
    if not study.repeat_share or task.state != Task.State.JUDGED:
        return
    assignment = _assignment(task)
    key, number = _key(study, assignment), assignment.judged_count
    if is_drawn(key, number, study.repeat_share):
        due_after = assignment.answered + distance(key, number)
        with connection.cursor() as cursor:
            cursor.execute(DRAW, {"task": task.pk, "due_after": due_after})


def _assignment(task: Task) -> Assignment:
    return Assignment.objects.select_related("annotator").get(
        study=task.study_id, annotator=task.annotator_id
    )


def hand_out(study: Study, assignment: Assignment, lease: timedelta) -> UUID | None:
    """Put the first repeat that is due into its annotator's hands."""
    if not study.repeat_share:
        return None
    values: dict[str, Any] = {
        "study": study.pk,
        "annotator": assignment.annotator_id,
        "answered": assignment.answered,
        "lease": lease,
    }
    with connection.cursor() as cursor:
        cursor.execute(HAND_OUT, values)
        row = cursor.fetchone()
    return row[0] if row else None


def is_due(study: Study, assignment: Assignment) -> bool:
    """Whether a claim would give a repeat."""
    waiting = Task.objects.filter(
        study=study,
        annotator=assignment.annotator_id,
        state=Task.State.WAITING,
        due_after__lte=assignment.answered,
    )
    return bool(study.repeat_share) and waiting.exists()


def put_off(task: Task) -> None:
    """Put a repeat back unanswered: like any task that is put back, it may come again."""
    assignment = _assignment(task)
    number = assignment.answered
    due_after = number + distance(_key(task.study, assignment), number)
    with connection.cursor() as cursor:
        cursor.execute(PUT_OFF, {"task": task.pk, "due_after": due_after})


def pass_over(task: Task, *, reason: str, note: str) -> None:
    """Skip a repeat: it never comes back, and nobody else is asked."""
    Task.objects.filter(pk=task.pk, state=Task.State.ASKED).update(
        state=Task.State.PASSED, lease_ends_at=None, skip_reason=reason, skip_note=note
    )
