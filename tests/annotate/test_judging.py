"""Judging: once, whole, sides lifted, every version kept."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from annotate.blinding import Side, unblind
from annotate.claiming import NotHeldError, claim_task, free_overdue, skip_task
from annotate.judging import (
    AlreadyAnsweredError,
    Answers,
    StudyClosedError,
    flag_task,
    record_judgement,
    submission_key,
)
from annotate.models import Assignment, Flag, Judgement, Rating, State, Study, Task, User
from tests.factories import judge_next, make_batch, make_study

pytestmark = pytest.mark.django_db


def judge(task: Task, choice: int = 1, **said: object) -> Judgement:
    assert task.annotator is not None
    answers = Answers(choice=choice, **said)  # type: ignore[arg-type]
    return record_judgement(task.pk, task.annotator, submission_key(task), answers)


def fresh(task: Task) -> Task:
    return Task.objects.get(pk=task.pk)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("choice", [-1, 0, 1])
def test_the_winner_is_the_system_whose_output_was_chosen(
    study: Study, alice: User, side: Side, choice: int
) -> None:
    task = claim_task(study, alice)
    Task.objects.filter(pk=task.pk).update(candidate_side=side)

    judgement = judge(fresh(task), choice)

    chosen = {-1: Side.LEFT, 1: Side.RIGHT}.get(choice)
    expected = 0 if chosen is None else (1 if chosen == side else -1)
    assert judgement.preference == expected == unblind(choice, side)


def test_the_same_form_sent_twice_is_one_judgement(study: Study, alice: User) -> None:
    task = claim_task(study, alice)

    first, second = judge(task), judge(task)

    assert first.pk == second.pk
    assert Judgement.objects.count() == 1
    assert Assignment.objects.get(annotator=alice).judged_count == 1


def test_the_same_form_with_other_answers_keeps_the_first(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    first = judge(task, 1)

    with pytest.raises(AlreadyAnsweredError) as refused:
        judge(task, -1)

    assert refused.value.judgement == first
    assert Judgement.objects.count() == 1


def test_a_correction_is_a_further_version_and_the_last_one_counts(
    study: Study, alice: User
) -> None:
    task = claim_task(study, alice)
    judge(task, 1)
    judge(fresh(task), -1)

    assert list(Judgement.objects.order_by("version").values_list("version", "choice")) == [
        (1, 1),
        (2, -1),
    ]
    assert Judgement.objects.counted().get().choice == -1
    assert Assignment.objects.get(annotator=alice).judged_count == 1


def test_an_old_form_does_not_answer_the_task_that_is_open_now(study: Study, alice: User) -> None:
    first = claim_task(study, alice)
    key_of_first = submission_key(first)
    judge(first)
    second = claim_task(study, alice)

    with pytest.raises(NotHeldError):
        record_judgement(second.pk, alice, key_of_first, Answers(choice=1))

    assert fresh(second).state == "claimed"


def test_nobody_judges_a_task_of_somebody_else(study: Study, alice: User, bob: User) -> None:
    task = claim_task(study, alice)

    with pytest.raises(NotHeldError):
        record_judgement(task.pk, bob, submission_key(task), Answers(choice=1))


def test_a_made_up_key_is_refused(study: Study, alice: User) -> None:
    task = claim_task(study, alice)

    with pytest.raises(NotHeldError):
        record_judgement(task.pk, alice, uuid4(), Answers(choice=1))


def test_late_work_counts_while_its_slot_is_free(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    Task.objects.filter(pk=task.pk).update(lease_ends_at=timezone.now() - timedelta(hours=1))
    free_overdue(study)

    judge(task)

    assert fresh(task).state == "judged"
    assert Task.objects.filter(item=task.item, state__in=Task.LIVE).count() == study.overlap


def test_late_work_is_kept_as_surplus_when_somebody_took_the_slot(alice: User, bob: User) -> None:
    study = make_study(overlap=1, annotators=[alice, bob])
    make_batch(study, 1)
    task = claim_task(study, alice)
    Task.objects.filter(pk=task.pk).update(lease_ends_at=timezone.now() - timedelta(hours=1))
    judge_next(study, bob)

    judge(task, -1)

    assert fresh(task).state == "surplus"
    assert Judgement.objects.count() == 2
    assert [judgement.annotator for judgement in Judgement.objects.counted()] == [bob]


def test_what_was_skipped_cannot_be_judged(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    skip_task(task.pk, alice, reason="other")

    with pytest.raises(NotHeldError, match="skipped"):
        judge(task)


def test_a_closed_study_takes_neither_judgement_nor_correction(study: Study, alice: User) -> None:
    judged = claim_task(study, alice)
    judge(judged)
    held = claim_task(study, alice)
    Study.objects.filter(pk=study.pk).update(state=State.CLOSED)

    with pytest.raises(StudyClosedError):
        judge(held)
    with pytest.raises(StudyClosedError):
        judge(fresh(judged), -1)


def test_a_paused_study_takes_what_is_in_hand(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    Study.objects.filter(pk=study.pk).update(state=State.PAUSED)

    judge(task)

    assert fresh(task).state == "judged"


@pytest.mark.parametrize("side", list(Side))
def test_criteria_are_stored_by_system(alice: User, side: Side) -> None:
    study = make_study(
        criteria=[("safety", "comparative"), ("style", "score"), ("speed", "off")],
        annotators=[alice],
    )
    make_batch(study, 1)
    task = claim_task(study, alice)
    Task.objects.filter(pk=task.pk).update(candidate_side=side)

    judge(fresh(task), comparisons={"safety": -1, "speed": 1}, scores={"style": (4, 2)})

    safety, style = Rating.objects.order_by("criterion__position")
    assert safety.preference == (1 if side == Side.LEFT else -1)
    scores = (style.baseline_score, style.candidate_score)
    assert scores == ((2, 4) if side == Side.LEFT else (4, 2))


def test_active_time_is_never_more_than_the_time_that_passed(study: Study, alice: User) -> None:
    task = claim_task(study, alice)

    judgement = judge(task, active_ms=10**9)

    assert 0 <= judgement.active_ms == judgement.wall_ms < 60_000


@pytest.mark.parametrize(
    ("column", "value"),
    [("choice", 3), ("preference", 1), ("version", 0), ("both_bad", True), ("scale", 4)],
)
def test_the_schema_refuses_what_no_form_can_send(
    study: Study, alice: User, column: str, value: object
) -> None:
    judgement = judge(claim_task(study, alice), 1)
    task = claim_task(study, alice)
    copy = Judgement.objects.get(pk=judgement.pk)
    copy.pk, copy.submission_key, copy.task = uuid4(), uuid4(), task
    copy.candidate_side, copy.choice, copy.preference = "left", 1, -1
    setattr(copy, column, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE annotate_judgement SET choice = -choice, preference = -preference",
        "DELETE FROM annotate_judgement",
        "UPDATE annotate_rating SET preference = 0",
        "DELETE FROM annotate_rating",
    ],
)
def test_history_cannot_be_rewritten(alice: User, statement: str) -> None:
    study = make_study(criteria=[("safety", "comparative")], annotators=[alice])
    make_batch(study, 1)
    judge(claim_task(study, alice), comparisons={"safety": 1})

    refused = pytest.raises(DatabaseError, match="append-only")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_flags_are_kept_once_and_can_be_taken_back(study: Study, alice: User) -> None:
    task = claim_task(study, alice)

    flag_task(task.pk, alice, ["harmful", "recognised"])
    flag_task(task.pk, alice, ["recognised"])
    flag_task(task.pk, alice, ["recognised"])

    assert [flag.kind for flag in Flag.objects.all()] == ["recognised"]
