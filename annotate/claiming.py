"""Claiming tasks: who works on what, for how long, and how a slot comes back.

A claim is one conditional UPDATE of a row read with SKIP LOCKED, behind unique
constraints: of two annotators who saw the same free slot one gets it, and the other
gets the next one. Going over the overlap is impossible, since slots are rows.
"""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Max
from django.db.models.functions import Now

from annotate.models import Assignment, Item, State, Study, Task, User
from annotate.repeating import hand_out, is_due, pass_over, put_off

# Replacing rows, in one statement: what the old rows were becomes history, and a new free row
# with the same side and a new rank takes over each slot, as far as the overlap still asks for it.
REPLACE_SLOTS = """
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state,
                           version, skip_reason, skip_note)
SELECT gen_random_uuid(), study_id, item_id, slot, candidate_side, nextval('annotate_task_rank'),
       'free', 0, '', ''
FROM (
    SELECT gone.study_id, gone.item_id, gone.slot, gone.candidate_side, study.overlap,
           row_number() OVER (PARTITION BY gone.item_id ORDER BY gone.slot) AS place,
           (SELECT count(*) FROM annotate_task AS live WHERE live.item_id = gone.item_id
            AND live.state IN ('free', 'claimed', 'judged')) AS live
    FROM annotate_task AS gone JOIN annotate_study AS study ON study.id = gone.study_id
    WHERE gone.id = ANY(%s)
) AS wanted
WHERE live + place <= overlap
"""
# A slot that comes back takes a new rank, so that it lies ahead of every cursor.
RETURN_SLOT = """
UPDATE annotate_task
SET state = 'free', annotator_id = NULL, claimed_at = NULL, lease_ends_at = NULL,
    rank = nextval('annotate_task_rank')
WHERE id = %s
  AND (SELECT overlap FROM annotate_study AS study WHERE study.id = annotate_task.study_id)
      >= (SELECT count(*) FROM annotate_task AS live WHERE live.item_id = annotate_task.item_id
          AND live.state IN ('free', 'claimed', 'judged'))
"""


NOT_ASKED = (
    "You are not asked to judge in this study at present. What you have saved counts. Thank you."
)


class NothingToClaimError(Exception):
    """The annotator gets no task now; `reason` says why, in words for them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotHeldError(Exception):
    """The task is not (or no longer) in this annotator's hands."""


def claim_task(study: Study, annotator: User) -> Task:
    """The task that `annotator` works on next: the one in hand, or a fresh one.

    Raises
    ------
    NothingToClaimError
        If the study is not open, the annotator is not in it or has reached their cap,
        or no slot is free on an item they have not met.
    """
    with transaction.atomic():
        # The lock puts two tabs of one annotator in line; different annotators do not meet.
        assignment = (
            Assignment.objects.select_for_update()
            .filter(study=study, annotator=annotator, is_active=True)
            .first()
        )
        if assignment is None:
            raise NothingToClaimError(NOT_ASKED)
        return _next_task(study, assignment)


def _next_task(study: Study, assignment: Assignment) -> Task:
    study = lock_state(study)
    if study.state == State.CLOSED:
        raise NothingToClaimError(_why_not_open(study))
    # What is in hand may be finished while the study is paused.
    held = Task.objects.held_by(assignment.annotator_id).filter(study=study).first()
    if held is not None:
        return renew_lease(held)
    if study.state != State.OPEN:
        raise NothingToClaimError(_why_not_open(study))
    # Before the cap, which is of items: what is asked again is none more.
    if repeat := hand_out(study, assignment, lease(study)):
        return Task.objects.get(pk=repeat)
    if assignment.cap is not None and assignment.judged_count >= assignment.cap:
        raise NothingToClaimError(_cap_reached(assignment))
    free_overdue(study)
    task = resume_lapsed(assignment, study) or _claim_free(assignment, study)
    if task is None:
        raise NothingToClaimError(_why_nothing_is_free(assignment))
    return task


def why_nothing_to_claim(study: Study, annotator: User) -> str:
    """Why a claim would give no task now, in words; empty where it would. Changes nothing."""
    assignment = Assignment.objects.filter(study=study, annotator=annotator, is_active=True).first()
    if assignment is None:
        return NOT_ASKED
    held = Task.objects.held_by(annotator.pk).filter(study=study)
    if study.state != State.CLOSED and held.exists():
        return ""
    if study.state != State.OPEN:
        return _why_not_open(study)
    if is_due(study, assignment):
        return ""
    if assignment.cap is not None and assignment.judged_count >= assignment.cap:
        return _cap_reached(assignment)
    return "" if _may_claim(assignment) else _why_nothing_is_free(assignment)


def _cap_reached(assignment: Assignment) -> str:
    # As many as their pages have counted: what was asked again was asked as well.
    return f"You have judged all {assignment.answered} items asked of you."


def _may_claim(assignment: Assignment) -> bool:
    claimable = Task.objects.claimable_by(assignment)
    tasks = Task.objects.filter(study=assignment.study_id)
    lapsed = tasks.filter(annotator=assignment.annotator_id, state=Task.State.LAPSED)
    # In the order of their cost; each is what a claim would do in its turn.
    ways = [
        claimable.filter(rank__gt=assignment.cursor),
        tasks.overdue().exclude(item__tasks__annotator=assignment.annotator_id),
        tasks.free().filter(item__in=lapsed.values("item")),
        claimable,
    ]
    return any(way.exists() for way in ways)


def _why_not_open(study: Study) -> str:
    return {
        State.DRAFT: "This study has not been opened yet.",
        State.PAUSED: "This study is paused. Come back when its lead reopens it.",
    }.get(State(study.state), "This study is closed. Thank you.")


def _why_nothing_is_free(assignment: Assignment) -> str:
    waiting = (
        Task.objects.filter(study=assignment.study_id, state=Task.State.CLAIMED)
        .exclude(item__tasks__annotator=assignment.annotator_id)
        .aggregate(count=Count("pk"), until=Max("lease_ends_at"))
    )
    if waiting["count"]:
        return (
            f"Nothing is free at the moment: {items_are(waiting['count'])} in other people's "
            f"hands and may come back, at the latest at {waiting['until']:%H:%M} UTC."
        )
    return _why_nothing_is_left(assignment)


def _why_nothing_is_left(assignment: Assignment) -> str:
    """What became of every item: judged, skipped, or full with what others judged."""
    own = Task.objects.filter(study=assignment.study_id, annotator=assignment.annotator_id)
    skipped = own.filter(state=Task.State.SKIPPED).values("item")
    if count := skipped.filter(item__tasks__state=Task.State.FREE).distinct().count():
        return (
            f"Nothing is left for you: {items_are(count)} still open, and you skipped "
            f"{'it' if count == 1 else 'them'}, so somebody else is asked. Thank you."
        )
    items = Item.objects.filter(study=assignment.study_id).count()
    if assignment.judged_count >= items:
        return "You have judged everything in this study. Thank you."
    return (
        "Nothing is left for you: every item that you have not judged has gone to others. "
        "Thank you."
    )


def items_are(count: int) -> str:
    return "1 item is" if count == 1 else f"{count} items are"


def _claim_free(assignment: Assignment, study: Study) -> Task | None:
    ahead = Task.objects.claimable_by(assignment).order_by("rank")
    # Behind the cursor only what was locked by a claim that did not happen can be left:
    # looked at when nothing is ahead, so that "nothing left" is never said falsely.
    while (
        found := ahead.filter(rank__gt=assignment.cursor).lock_first() or ahead.lock_first()
    ) is not None:
        if task := _take(found, assignment, study):
            return task
    return None


def _take(found: Task, assignment: Assignment, study: Study) -> Task | None:
    """Claim one free slot, unless somebody was quicker."""
    # The filter repeats what was read: of two annotators who saw the same free slot
    # one updates it, and the other updates nothing and looks again.
    taken = Task.objects.free().filter(pk=found.pk).claim_for(assignment.annotator_id, lease(study))
    if not taken:
        return None
    Assignment.objects.filter(pk=assignment.pk, cursor__lt=found.rank).update(cursor=found.rank)
    return Task.objects.get(pk=found.pk)


def resume_lapsed(assignment: Assignment, study: Study) -> Task | None:
    """Give back the slot that the annotator's lapsed claim had, if nobody has taken it."""
    lapsed = Task.objects.filter(
        study=study, annotator=assignment.annotator_id, state=Task.State.LAPSED
    )
    for task in lapsed.select_for_update().order_by("claimed_at"):
        if regain_slot(task):
            Task.objects.filter(pk=task.pk).claim_for(assignment.annotator_id, lease(study))
            return Task.objects.get(pk=task.pk)
    return None


def regain_slot(task: Task) -> bool:
    """Remove the free row that replaced a lapsed task, if it is still free."""
    removed, _ = Task.objects.free().filter(item=task.item_id, slot=task.slot).delete()
    return removed == 1


def lease(study: Study) -> timedelta:
    return timedelta(minutes=study.lease_minutes)


def lock_state(study: Study) -> Study:
    """The study as it is now, its state held until this transaction ends.

    FOR SHARE lets claims and judgements run side by side, and lets whoever changes the
    state wait for those under way.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM annotate_study WHERE id = %s FOR SHARE", [study.pk])
    return Study.objects.get(pk=study.pk)


def renew_lease(task: Task) -> Task:
    """Start the lease anew: its annotator is here."""
    Task.objects.filter(pk=task.pk, state__in=Task.HELD).update(
        lease_ends_at=Now() + lease(task.study)
    )
    return task


def free_overdue(study: Study) -> int:
    """Give slots whose lease has ended by the database's clock back to everybody."""
    with transaction.atomic():
        overdue = Task.objects.filter(study=study).overdue()
        ids = list(overdue.select_for_update(skip_locked=True).values_list("pk", flat=True)[:1000])
        return _replace(ids, state=Task.State.LAPSED) if ids else 0


def skip_task(task_id: UUID, annotator: User, *, reason: str, note: str = "") -> Task:
    """Hand a task to somebody else, for good: it never comes back to this annotator."""
    with transaction.atomic():
        task = _lock_held(task_id, annotator)
        if task.repeats_id is not None:
            pass_over(task, reason=reason, note=note)
        else:
            _replace([task.pk], state=Task.State.SKIPPED, skip_reason=reason, skip_note=note)
        return Task.objects.get(pk=task.pk)


def release_task(task_id: UUID, annotator: User) -> None:
    """Put a task back unjudged; it may come to anybody again, its annotator included."""
    with transaction.atomic():
        task = _lock_held(task_id, annotator)
        lock_state(task.study)
        if task.repeats_id is not None:
            put_off(task)
            return
        with connection.cursor() as cursor:
            cursor.execute(RETURN_SLOT, [task.pk])
            is_wanted = cursor.rowcount == 1
        if not is_wanted:
            # The overlap was lowered meanwhile: nobody is to be asked in this slot again.
            _replace([task.pk], state=Task.State.LAPSED)


def release_all(study: Study, annotator: User) -> None:
    """Put back whatever an annotator holds in a study, when they are taken off it."""
    with transaction.atomic():
        for task in Task.objects.held_by(annotator.pk).filter(study=study).select_for_update():
            release_task(task.pk, annotator)


def _lock_held(task_id: UUID, annotator: User) -> Task:
    task = (
        Task.objects.select_for_update()
        .filter(pk=task_id, annotator=annotator, state__in=Task.HELD)
        .first()
    )
    if task is None:
        raise NotHeldError("This task is no longer yours to put back.")
    return task


def _replace(ids: list[UUID], **what: object) -> int:
    changed = Task.objects.filter(pk__in=ids).update(lease_ends_at=None, **what)
    with connection.cursor() as cursor:
        cursor.execute(REPLACE_SLOTS, [ids])
    return changed
