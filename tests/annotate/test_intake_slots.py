"""Sides of slots: balanced within an item and over the study, whatever the overlap does."""

import json
from collections import Counter
from collections.abc import Iterable
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from annotate.intake import (
    READING_SHARE,
    add_slots,
    import_batch,
    make_tasks,
    remove_slots,
)
from annotate.models import Batch, Item, Study, Task, User
from annotate.parsing import Options
from annotate.querysets import TaskQuerySet
from tests.factories import make_study, make_user, rows_of, source_of

pytestmark = pytest.mark.django_db

OVERLAPS = range(1, 8)


def new_batch(study: Study, items: int) -> Batch:
    number = study.batches.count() + 1
    batch = Batch.objects.create(
        study=study, number=number, name="b", format="csv", digest=uuid4().hex, item_count=items
    )
    Item.objects.bulk_create(
        Item(study=study, batch=batch, position=position, prompt="p")
        for position in range(1, items + 1)
    )
    make_tasks(batch)
    return batch


def study_of(overlap: int, items: Iterable[int], seed: int = 7) -> Study:
    study = make_study("Balance", overlap=overlap, seed=seed)
    for count in items:
        new_batch(study, count)
    return study


def surplus(study: Study) -> int:
    """How many more live slots have the candidate on the left than on the right."""
    sides = Counter(live(study).values_list("candidate_side", flat=True))
    return sides["left"] - sides["right"]


def live(study: Study) -> TaskQuerySet:
    return TaskQuerySet(Task).filter(study=study, state__in=Task.LIVE)


def sides_of_items(study: Study) -> list[tuple[int, int]]:
    rows = (
        live(study)
        .values("item")
        .annotate(
            lefts=Count("pk", filter=Q(candidate_side="left")),
            rights=Count("pk", filter=Q(candidate_side="right")),
        )
    )
    return [(row["lefts"], row["rights"]) for row in rows]


def take(study: Study, positions: int, slots: list[int], state: str) -> None:
    """Put slots of the first items into people's hands, each in another person's."""
    for task in Task.objects.filter(study=study, slot__in=slots, item__position__lte=positions):
        done = {"version": 1, "judged_at": Now()} if state == "judged" else {}
        Task.objects.filter(pk=task.pk).update(
            state=state, annotator=make_user(), claimed_at=Now(), lease_ends_at=Now(), **done
        )


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_sides_balance_in_every_item_and_over_the_study(overlap: int) -> None:
    study = study_of(overlap, [])

    for items in (5, 1, 8, 3, 3):
        new_batch(study, items)

        assert {left + right for left, right in sides_of_items(study)} == {overlap}
        assert all(abs(left - right) == overlap % 2 for left, right in sides_of_items(study))
        assert abs(surplus(study)) <= 1


def test_sides_are_drawn_from_the_seed_alone() -> None:
    def drawn(seed: int) -> list[tuple[int, int, int, str | None]]:
        study = study_of(3, [20, 7], seed)
        add_slots(study, 3, 5)
        tasks = Task.objects.filter(study=study).order_by("rank")
        return list(
            tasks.values_list("item__batch__number", "item__position", "slot", "candidate_side")
        )

    assert drawn(11) == drawn(11)
    assert drawn(11) != drawn(12)


def test_neither_slot_nor_position_tells_the_side() -> None:
    study = study_of(2, [400])

    first = Task.objects.filter(study=study, slot=1)
    lefts = first.filter(candidate_side="left")
    odd = [position for position in lefts.values_list("item__position", flat=True) if position % 2]

    # 4 standard deviations of a fair coin.
    assert abs(lefts.count() - 200) < 40
    assert abs(len(odd) - lefts.count() / 2) < 30


def test_tasks_are_handed_out_in_drawn_order_item_after_item() -> None:
    study = study_of(3, [50])

    order = list(
        Task.objects.filter(study=study).order_by("rank").values_list("item__position", flat=True)
    )

    assert order[::3] == order[1::3] == order[2::3]
    assert sorted(order[::3]) == list(range(1, 51))
    assert order[::3] != list(range(1, 51))


@pytest.mark.parametrize("old", OVERLAPS)
@pytest.mark.parametrize("more", [1, 2, 3])
def test_a_higher_overlap_adds_slots_and_keeps_the_balance(old: int, more: int) -> None:
    study = study_of(old, [9, 4])
    before = set(Task.objects.filter(study=study).values_list("pk", "rank", "candidate_side"))
    last = max(rank for _, rank, _ in before)

    added = add_slots(study, old, old + more)

    after = set(Task.objects.filter(study=study).values_list("pk", "rank", "candidate_side"))
    assert added == 13 * more
    assert before <= after
    assert all(rank > last for _, rank, _ in after - before)
    assert {left + right for left, right in sides_of_items(study)} == {old + more}
    assert all(abs(left - right) <= (old + more) % 2 for left, right in sides_of_items(study))
    assert abs(surplus(study)) <= 1


@pytest.mark.parametrize("old", range(2, 8))
@pytest.mark.parametrize("new", [1, 2, 3])
def test_a_lower_overlap_takes_free_slots_and_keeps_the_balance(old: int, new: int) -> None:
    study = study_of(old, [9, 4])

    remove_slots(study, new)

    kept = min(old, new)
    assert {left + right for left, right in sides_of_items(study)} == {kept}
    assert all(abs(left - right) <= kept % 2 for left, right in sides_of_items(study))
    assert abs(surplus(study)) <= 1


@pytest.mark.parametrize("state", ["claimed", "judged"])
def test_a_lower_overlap_never_takes_what_somebody_holds_or_has_judged(state: str) -> None:
    study = study_of(4, [1, 1, 1])
    take(study, 1, [3, 4], state) if state == "judged" else take(study, 1, [4], state)
    held = set(Task.objects.filter(study=study, state=state).values_list("pk", flat=True))

    remove_slots(study, 1)

    left_over = set(live(study).values_list("pk", flat=True))
    assert held
    assert left_over == held


def test_lowering_and_raising_again_fills_each_item_exactly() -> None:
    study = study_of(5, [6])
    take(study, 3, [2, 5], "judged")

    remove_slots(study, 2)
    assert Counter(left + right for left, right in sides_of_items(study)) == {2: 6}
    add_slots(study, 2, 4)

    assert {left + right for left, right in sides_of_items(study)} == {4}
    assert all(left == right for left, right in sides_of_items(study))


def test_adding_nothing_changes_nothing() -> None:
    study = study_of(3, [4])

    assert add_slots(study, 3, 3) == 0
    assert remove_slots(study, 3) == 0
    with pytest.raises(ValueError, match="only adds"):
        add_slots(study, 3, 2)


def test_progress_moves_while_tasks_are_made(alice: User) -> None:
    study = make_study(annotators=[alice])
    told: list[tuple[int, int | None]] = []
    text = "".join(json.dumps(row) + "\n" for row in rows_of(12_000))

    import_batch(
        study, [source_of(text)], Options(), progress=lambda read, total: told.append((read, total))
    )

    shares = [read / total for read, total in told if total]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    making = [share for share in shares if share > READING_SHARE]
    assert len(making) >= 2


def test_a_task_of_an_item_of_another_study_is_refused(study: Study, other_study: Study) -> None:
    item = other_study.items.first()
    assert item is not None

    misplaced = Task(study=study, item=item, slot=9, candidate_side="left", rank=10**9)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="task_item_of_its_study"), transaction.atomic():
        misplaced.save(force_insert=True)


def test_ids_of_tasks_are_all_different_and_of_no_order(study: Study) -> None:
    ids = [task.pk for task in Task.objects.filter(study=study).order_by("rank")]

    assert len(set(ids)) == len(ids) == 9
    assert ids != sorted(ids)
