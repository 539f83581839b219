"""Claiming: one task in hand, an item met once, slots that come back."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotate.claiming import (
    NotHeldError,
    NothingToClaimError,
    claim_task,
    free_overdue,
    release_task,
    skip_task,
)
from annotate.models import Assignment, Item, State, Study, Task, User
from annotate.steering import change_overlap
from tests.factories import assign, judge_next, make_batch, make_study, make_user

pytestmark = pytest.mark.django_db


def let_lease_end(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(lease_ends_at=timezone.now() - timedelta(seconds=1))


def judge_all(study: Study, annotator: User) -> int:
    count = 0
    while True:
        try:
            judge_next(study, annotator)
        except NothingToClaimError:
            return count
        count += 1


def test_claiming_again_gives_the_task_in_hand(study: Study, alice: User) -> None:
    first = claim_task(study, alice)

    assert claim_task(study, alice).pk == first.pk
    assert Task.objects.filter(state="claimed").count() == 1


def test_an_annotator_meets_every_item_once_and_then_nothing(study: Study, alice: User) -> None:
    assert judge_all(study, alice) == 3

    judged = Task.objects.filter(annotator=alice, state="judged")
    assert judged.values("item").distinct().count() == 3
    with pytest.raises(NothingToClaimError, match="everything"):
        claim_task(study, alice)


def test_three_annotators_fill_every_slot_and_a_fourth_gets_nothing(study: Study) -> None:
    people = [make_user() for _ in range(4)]
    for person in people:
        assign(study, person)

    counts = [judge_all(study, person) for person in people]

    assert counts == [3, 3, 3, 0]
    assert set(Task.objects.values_list("state", flat=True)) == {"judged"}


def test_the_schema_refuses_a_second_meeting(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    other_slot = Task.objects.filter(item=task.item, state="free").first()
    assert other_slot is not None

    with pytest.raises(IntegrityError, match="task_item_met_once"), transaction.atomic():
        Task.objects.filter(pk=other_slot.pk).update(
            state="lapsed", annotator=alice, claimed_at=timezone.now()
        )


def test_the_schema_refuses_a_slot_more_than_the_overlap(study: Study) -> None:
    task = Task.objects.first()
    assert task is not None
    task.pk = None

    with pytest.raises(IntegrityError, match="task_slot_once"), transaction.atomic():
        task.save(force_insert=True)


def test_a_cap_ends_the_work_and_says_so(study: Study, alice: User) -> None:
    Assignment.objects.filter(annotator=alice).update(cap=2)

    judge_next(study, alice)
    judge_next(study, alice)

    with pytest.raises(NothingToClaimError, match="all 2 items"):
        claim_task(study, alice)


@pytest.mark.parametrize(
    ("state", "words"),
    [(State.DRAFT, "not been opened"), (State.PAUSED, "paused"), (State.CLOSED, "closed")],
)
def test_only_an_open_study_gives_tasks(
    study: Study, alice: User, state: State, words: str
) -> None:
    Study.objects.filter(pk=study.pk).update(state=state)

    with pytest.raises(NothingToClaimError, match=words):
        claim_task(study, alice)


def test_a_task_in_hand_can_be_finished_in_a_paused_study_and_not_in_a_closed_one(
    study: Study, alice: User
) -> None:
    task = claim_task(study, alice)

    Study.objects.filter(pk=study.pk).update(state=State.PAUSED)
    assert claim_task(study, alice).pk == task.pk

    Study.objects.filter(pk=study.pk).update(state=State.CLOSED)
    with pytest.raises(NothingToClaimError, match="closed"):
        claim_task(study, alice)


def test_whoever_is_not_assigned_gets_nothing(study: Study, bob: User) -> None:
    with pytest.raises(NothingToClaimError, match="not asked to judge"):
        claim_task(study, bob)


def test_a_skipped_item_goes_to_somebody_else_and_never_returns(
    study: Study, alice: User, bob: User
) -> None:
    assign(study, bob)
    task = claim_task(study, alice)
    skip_task(task.pk, alice, reason="knowledge")

    assert judge_all(study, alice) == 2
    assert judge_all(study, bob) == 3
    assert Task.objects.filter(item=task.item, annotator=bob, state="judged").exists()


def test_a_skipped_slot_keeps_the_side_that_was_drawn(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    skip_task(task.pk, alice, reason="broken")

    heir = Task.objects.get(item=task.item, slot=task.slot, state="free")
    assert heir.candidate_side == task.candidate_side
    assert heir.rank > task.rank


def test_a_task_put_back_may_come_again(study: Study, alice: User) -> None:
    task = claim_task(study, alice)
    release_task(task.pk, alice)

    assert judge_all(study, alice) == 3


def test_nobody_puts_back_what_they_do_not_hold(study: Study, alice: User, bob: User) -> None:
    task = claim_task(study, alice)

    with pytest.raises(NotHeldError):
        release_task(task.pk, bob)
    with pytest.raises(NotHeldError):
        skip_task(task.pk, bob, reason="other")


def test_a_lapsed_task_comes_to_the_others_with_the_next_claim(alice: User, bob: User) -> None:
    study = make_study(overlap=1, annotators=[alice, bob])
    make_batch(study, 1)
    task = claim_task(study, alice)
    with pytest.raises(NothingToClaimError, match="1 item is in other people's hands"):
        claim_task(study, bob)

    let_lease_end(task)

    assert claim_task(study, bob).item == task.item
    assert Task.objects.get(pk=task.pk).state == "lapsed"


def test_whoever_comes_back_after_their_lease_resumes_the_same_item(
    study: Study, alice: User, bob: User
) -> None:
    task = claim_task(study, alice)
    let_lease_end(task)
    free_overdue(study)

    resumed = claim_task(study, alice)

    assert resumed.pk == task.pk
    assert resumed.state == "claimed"
    assert Task.objects.filter(item=task.item, slot=task.slot, state__in=Task.LIVE).count() == 1


def test_a_lone_annotator_finishes_although_every_lease_ends(alice: User) -> None:
    study = make_study(overlap=1, annotators=[alice])
    make_batch(study, 4)
    for _ in range(4):
        let_lease_end(claim_task(study, alice))
        free_overdue(study)
        judge_next(study, alice)

    assert Task.objects.filter(state="judged").count() == 4


def test_a_slot_behind_the_cursor_is_found_before_nothing_left_is_said(
    alice: User,
) -> None:
    study = make_study(overlap=1, annotators=[alice])
    make_batch(study, 2)
    Assignment.objects.filter(annotator=alice).update(cursor=10**12)

    assert judge_all(study, alice) == 2


def test_skipping_after_the_overlap_was_lowered_adds_no_slot(alice: User, bob: User) -> None:
    study = make_study(overlap=2, annotators=[alice, bob])
    make_batch(study, 1)
    judge_next(study, alice)
    task = claim_task(study, bob)
    Study.objects.filter(pk=study.pk).update(overlap=1)

    skip_task(task.pk, bob, reason="other")

    assert Task.objects.filter(state__in=Task.LIVE).count() == 1


def test_a_claim_asks_as_many_queries_of_ten_items_as_of_one(
    alice: User, django_assert_max_num_queries: object
) -> None:
    def queries(items: int) -> int:
        study = make_study(annotators=[alice])
        make_batch(study, items)
        connection.force_debug_cursor = True
        before = len(connection.queries_log)
        claim_task(study, alice)
        connection.force_debug_cursor = False
        return len(connection.queries_log) - before

    assert queries(1) == queries(10)
    assert Item.objects.count() == 11


def test_a_slot_that_a_lower_overlap_no_longer_asks_for_does_not_come_back(
    alice: User, bob: User
) -> None:
    study = make_study(annotators=[alice, bob], overlap=2)
    make_batch(study, 1)
    held = claim_task(study, alice)
    judge_next(study, bob)
    change_overlap(study, 1)

    release_task(held.pk, alice)

    assert sorted(Task.objects.values_list("state", flat=True)) == ["judged", "lapsed"]
    with pytest.raises(NothingToClaimError):
        claim_task(study, alice)
