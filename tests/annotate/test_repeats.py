"""Items asked again: drawn, handed out, answered, skipped and put back as any task, once each."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from annotate.claiming import (
    NotHeldError,
    NothingToClaimError,
    claim_task,
    free_overdue,
    release_task,
    skip_task,
    why_nothing_to_claim,
)
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Assignment, Judgement, State, Study, Task, User
from annotate.repeating import (
    BLOCK,
    COUNTED_OUT,
    EARLIEST,
    LATEST,
    distance,
    expected_repeats,
    is_drawn,
    repeats_among,
)
from annotate.standing import standing_of
from annotate.steering import RefusedChangeError, unassign, update_study
from tests.conftest import client_of
from tests.factories import assign, judge_next, make_batch, make_study

pytestmark = pytest.mark.django_db

HALF = Decimal("0.5")


@pytest.fixture
def study(alice: User) -> Study:
    """Fifty items with one slot each; every second one is asked again."""
    study = make_study(annotators=[alice], overlap=1, repeat_share=HALF)
    make_batch(study, 50)
    return study


def answer(task: Task, annotator: User, choice: int = 1) -> Judgement:
    return record_judgement(task.pk, annotator, submission_key(task), Answers(choice=choice))


def answered(study: Study, annotator: User) -> Iterator[Task]:
    """Every task that `annotator` gets, judged, as it was when it was handed out."""
    while True:
        try:
            task = claim_task(study, annotator)
        except NothingToClaimError:
            return
        answer(task, annotator)
        yield task


def first_repeat(study: Study, annotator: User) -> Task:
    """The first repeat, in hand."""
    while True:
        task = claim_task(study, annotator)
        if task.repeats_id:
            return task
        answer(task, annotator)


def test_a_repeat_is_the_same_item_on_the_other_side_after_twenty_other_tasks(
    study: Study, alice: User
) -> None:
    tasks = list(answered(study, alice))
    place = {task.pk: number for number, task in enumerate(tasks)}
    repeats = [task for task in tasks if task.repeats_id]

    assert len(tasks) == 50 + len(repeats)
    assert len(repeats) >= 10
    for task in repeats:
        original = task.repeats
        assert original is not None
        assert (task.item_id, task.annotator_id) == (original.item_id, original.annotator_id)
        assert {task.candidate_side, original.candidate_side} == {"left", "right"}
        assert place[task.pk] - place[original.pk] > EARLIEST
    assert len({task.repeats_id for task in repeats}) == len(repeats)


def test_the_same_seed_and_address_repeat_the_same_items_at_the_same_places(alice: User) -> None:
    runs = []
    for seed in (3, 3, 4):
        study = make_study(annotators=[alice], overlap=1, repeat_share=HALF, seed=seed)
        make_batch(study, 45)
        runs.append([task.item.item_id for task in answered(study, alice)])

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("share", ["0.05", "0.1", "0.33", "0.5"])
def test_the_share_is_kept_within_one_repeat(share: str) -> None:
    for key in ("1:a@example.org", "2:b@example.org", "3:c@example.org"):
        drawn = sum(is_drawn(key, number, Decimal(share)) for number in range(1, 10 * BLOCK + 1))
        assert abs(drawn - Decimal(share) * 10 * BLOCK) <= 1


def test_which_ones_and_how_far_cannot_be_counted_out() -> None:
    drawn = [number for number in range(1, 401) if is_drawn("7:a@example.org", number, HALF)]
    gaps = [distance("7:a@example.org", number) for number in range(1, 401)]

    assert len({number % BLOCK for number in drawn}) == BLOCK
    assert (min(gaps), max(gaps)) == (EARLIEST, LATEST)
    assert not [number for number in range(1, 401) if is_drawn("7:a", number, Decimal(0))]


def test_without_a_share_nobody_meets_an_item_twice(alice: User) -> None:
    study = make_study(annotators=[alice], overlap=1)
    make_batch(study, 45)

    assert len(list(answered(study, alice))) == 45
    assert not Task.objects.filter(repeats__isnull=False).exists()


def test_counts_of_items_leave_repeats_out_and_those_of_annotators_do_not(
    study: Study, alice: User
) -> None:
    tasks = list(answered(study, alice))
    assignment = Assignment.objects.get()
    standing = standing_of(study, alice)

    assert assignment.judged_count == 50
    assert assignment.repeated_count == len(tasks) - 50
    assert (standing.judged, standing.waiting) == (len(tasks), 0)
    assert repeats_among("7:alice@example.org", 50, HALF) == assignment.repeated_count
    assert Judgement.objects.counted().count() == 50


def test_how_many_come_again_is_near_the_share_however_many_items_there_are() -> None:
    study = Study(seed=7, repeat_share=Decimal("0.1"))
    assignment = Assignment(annotator=User(email="alice@example.org"))

    for items in (1_000, COUNTED_OUT, COUNTED_OUT + 1, 1_000_000):
        again = expected_repeats(study, assignment, items)
        assert abs(again - 0.1 * items) <= 6
    assert [expected_repeats(study, assignment, few) for few in (0, EARLIEST)] == [0, 0]


def test_a_cap_is_of_items_and_what_is_due_still_comes(study: Study, alice: User) -> None:
    Assignment.objects.update(cap=45)

    tasks = list(answered(study, alice))

    assert Counter(bool(task.repeats_id) for task in tasks)[False] == 45
    assert len(tasks) > 45
    assert f"all {len(tasks)} items" in why_nothing_to_claim(study, alice)


def test_a_skipped_repeat_goes_to_nobody_and_does_not_come_back(study: Study, alice: User) -> None:
    repeat = first_repeat(study, alice)
    free = Task.objects.free().count()

    skip_task(repeat.pk, alice, reason="unclear", note="again?")

    repeat.refresh_from_db()
    assert (repeat.state, repeat.skip_reason, repeat.skip_note) == ("passed", "unclear", "again?")
    assert Task.objects.free().count() == free
    assert repeat.pk not in [task.pk for task in answered(study, alice)]
    assert Task.objects.filter(item=repeat.item_id).count() == 2
    with pytest.raises(NotHeldError, match="skipped"):
        answer(repeat, alice)


def test_a_repeat_that_is_put_back_comes_again_after_as_many_tasks(
    study: Study, alice: User
) -> None:
    repeat = first_repeat(study, alice)
    free = Task.objects.free().count()

    release_task(repeat.pk, alice)

    with pytest.raises(NotHeldError):
        answer(repeat, alice)
    assert Task.objects.free().count() == free
    assert repeat.pk not in [claim_task(study, alice).pk]
    again = [task.pk for task in answered(study, alice)]
    assert repeat.pk not in again[:EARLIEST]


def test_a_repeat_stays_in_hand_when_its_lease_ends_and_counts_when_it_is_answered(
    study: Study, alice: User, bob: User
) -> None:
    assign(study, bob)
    repeat = first_repeat(study, alice)
    Task.objects.filter(pk=repeat.pk).update(lease_ends_at=timezone.now() - timedelta(hours=1))

    assert free_overdue(study) == 0
    assert claim_task(study, bob).item_id != repeat.item_id
    assert claim_task(study, alice).pk == repeat.pk
    answer(repeat, alice)
    assert Task.objects.get(pk=repeat.pk).state == "repeated"


def test_whoever_is_taken_off_gives_the_repeat_back(study: Study, alice: User) -> None:
    repeat = first_repeat(study, alice)

    unassign(study, alice)

    repeat.refresh_from_db()
    assert (repeat.state, repeat.lease_ends_at) == ("waiting", None)
    answer_page = client_of(alice).get(f"/tasks/{repeat.pk}/")
    assert answer_page.status_code == 410


def test_a_repeat_is_corrected_and_undone_as_any_judgement(study: Study, alice: User) -> None:
    repeat = first_repeat(study, alice)
    client = client_of(alice)
    answer(repeat, alice, choice=1)

    undone = client.post(f"/judge/{study.public_id}/undo")
    assert undone["Location"] == f"/tasks/{repeat.pk}/"
    page = client.get(undone["Location"])
    assert "Correct your answer" in page.content.decode()
    repeat.refresh_from_db()
    key = submission_key(repeat)
    client.post(f"/tasks/{repeat.pk}/", {"overall": "-1", "submission_key": str(key)})

    said = (
        Judgement.objects.filter(task=repeat).order_by("version").values_list("choice", flat=True)
    )
    assert list(said) == [1, -1]
    assert Assignment.objects.get().repeated_count == 1
    assert Task.objects.filter(repeats=repeat).count() == 0


def test_a_repeat_that_waits_has_no_page(study: Study, alice: User) -> None:
    first_repeat(study, alice)
    waiting = Task.objects.filter(state="waiting").first()
    assert waiting is not None
    client = client_of(alice)

    key = {"overall": "1", "submission_key": str(submission_key(waiting))}
    assert client.get(f"/tasks/{waiting.pk}/").status_code == 404
    assert client.post(f"/tasks/{waiting.pk}/", key).status_code == 404
    assert not Judgement.objects.filter(task=waiting).exists()
    with pytest.raises(NotHeldError):
        answer(waiting, alice)


def test_no_repeats_are_handed_out_once_the_share_is_none(study: Study, alice: User) -> None:
    for _ in range(15):
        judge_next(study, alice)
    assert Task.objects.filter(state="waiting").exists()
    Study.objects.update(repeat_share=0)

    assert not [task for task in answered(study, alice) if task.repeats_id]
    assert why_nothing_to_claim(Study.objects.get(), alice).startswith("You have judged everything")


def test_surplus_work_is_not_repeated(alice: User, bob: User) -> None:
    study = make_study(annotators=[alice, bob], overlap=1, repeat_share=HALF)
    make_batch(study, 1)
    late = claim_task(study, alice)
    Task.objects.filter(pk=late.pk).update(lease_ends_at=timezone.now() - timedelta(hours=1))
    judge_next(study, bob)

    answer(late, alice)

    assert Task.objects.get(pk=late.pk).state == "surplus"
    assert not Task.objects.filter(repeats=late).exists()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"state": "judged", "version": 1, "judged_at": timezone.now()}, "task_repeat_apart"),
        ({"state": "free", "annotator": None}, "task_repeat_apart"),
        ({"repeats": None}, "task_repeat_apart"),
        ({"due_after": None}, "task_repeat_apart"),
        ({"annotator": None}, "task_free_or_somebodys"),
        ({"state": "asked", "lease_ends_at": None}, "task_claimed_has_lease"),
        ({"state": "repeated"}, "task_judged_has_version"),
        ({"candidate_side": None}, "task_side_known"),
    ],
)
def test_the_schema_keeps_repeats_apart(
    study: Study, alice: User, change: dict[str, object], constraint: str
) -> None:
    for _ in range(15):
        judge_next(study, alice)
    waiting = Task.objects.filter(state="waiting").first()
    assert waiting is not None

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Task.objects.filter(pk=waiting.pk).update(**change)


def test_no_ordinary_task_can_become_a_repeat(study: Study, alice: User) -> None:
    task = judge_next(study, alice).task

    with pytest.raises(IntegrityError, match="task_repeat_apart"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(state="repeated")


def test_the_schema_refuses_a_second_repeat_and_a_second_meeting(study: Study, alice: User) -> None:
    repeat = first_repeat(study, alice)
    copied = (
        "INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state,"
        " annotator_id, version, skip_reason, skip_note, repeats_id, due_after) SELECT"
        " gen_random_uuid(), study_id, item_id, slot, candidate_side, rank, 'waiting',"
        " annotator_id, 0, '', '', repeats_id, 1 FROM annotate_task WHERE id = %s"
    )
    with (
        pytest.raises(IntegrityError, match=r"task_(item_)?repeated_once"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(copied, [repeat.pk])

    free = Task.objects.free().first()
    assert free is not None
    with pytest.raises(IntegrityError, match="task_item_met_once"), transaction.atomic():
        Task.objects.filter(pk=free.pk).update(
            item=repeat.item_id, slot=9, state="lapsed", annotator=alice
        )


def test_an_annotator_holds_one_task_be_it_a_repeat_or_not(study: Study, alice: User) -> None:
    first_repeat(study, alice)
    free = Task.objects.free().first()
    assert free is not None

    with pytest.raises(IntegrityError, match="task_one_held_per_study"), transaction.atomic():
        Task.objects.free().filter(pk=free.pk).claim_for(alice.pk, timedelta(minutes=1))


def test_the_share_is_set_on_the_page_while_the_study_is_a_draft_or_paused(
    adam_client: Client,
) -> None:
    study = make_study(state=State.DRAFT)
    saved = _save(adam_client, study, "0.1")
    assert (saved.status_code, _share(study)) == (302, Decimal("0.1"))

    Study.objects.filter(pk=study.pk).update(state=State.PAUSED)
    assert _save(adam_client, study, "0.25").status_code == 302
    assert _share(study) == Decimal("0.25")
    refused = _save(adam_client, study, "0.6")
    assert refused.status_code == 422
    assert "0.5" in refused.content.decode()

    Study.objects.filter(pk=study.pk).update(state=State.OPEN)
    _save(adam_client, study, "0")
    assert _share(study) == Decimal("0.25")
    now = Study.objects.get(pk=study.pk)
    with pytest.raises(RefusedChangeError, match="draft or paused"):
        update_study(now, version=now.version, changes={"repeat_share": Decimal(0)})


def _share(study: Study) -> Decimal:
    return Study.objects.get(pk=study.pk).repeat_share


def _save(client: Client, study: Study, share: str) -> Any:
    now = Study.objects.get(pk=study.pk)
    fields = (
        "name",
        "baseline_name",
        "candidate_name",
        "question",
        "scale",
        "comments",
        "overlap",
        "lease_minutes",
        "version",
    )
    data = {name: str(getattr(now, name)) for name in fields} | {"repeat_share": share}
    criteria = {"criteria-TOTAL_FORMS": "0", "criteria-INITIAL_FORMS": "0"}
    return client.post(f"/studies/{study.slug}/rubric", data | criteria)
