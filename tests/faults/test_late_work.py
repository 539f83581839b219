"""Leases end at the worst moment: late work is kept, a slot is filled once, nobody starves."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from annotate import claiming, judging
from annotate.claiming import NothingToClaimError, claim_task
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Judgement, Study, Task, User
from annotate.querysets import TaskQuerySet
from tests.factories import make_batch, make_study, make_user
from tests.faults.truth import amiss
from tests.racing import in_parallel

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "40"))
SEED = int(os.environ.get("FAULT_SEED", "18"))


def ask(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def wrong_with(study: Study) -> dict[str, int]:
    return amiss(ask, str(study.public_id), ratings=0)


def new_study(people: int, *, items: int = 1, overlap: int = 1) -> tuple[Study, list[User]]:
    annotators = [make_user() for _ in range(people)]
    study = make_study("Late", overlap=overlap, annotators=annotators)
    make_batch(study, items)
    return study, annotators


def end_lease(task: Task) -> None:
    Task.objects.filter(pk=task.pk, state="claimed").update(
        lease_ends_at=Now() - timedelta(seconds=1)
    )


def judge(task: Task, who: User) -> Judgement:
    # The key is of the form that was opened: of a task without any judgement.
    return record_judgement(task.pk, who, submission_key(task), Answers(choice=1))


def claim_and_judge(study: Study, who: User) -> Judgement | None:
    try:
        return judge(claim_task(study, who), who)
    except NothingToClaimError:
        return None


def submit_while_the_slot_is_taken(chance: random.Random, first: int | None) -> str:
    """One slot; its lease ends, its annotator submits, and another one claims it, all at once.

    0 lets the annotator be the first, 1 the other one, None whoever is quicker.
    """
    study, (alice, bob) = new_study(2)
    task = claim_task(study, alice)
    end_lease(task)
    pauses = [chance.random() * 0.004 for _ in range(2)]
    is_done = threading.Event()
    works: list[Callable[[], object]] = [
        lambda: judge(task, alice),
        lambda: claim_and_judge(study, bob),
    ]

    def act(number: int) -> object:
        if first not in (None, number):
            is_done.wait(30)
        time.sleep(pauses[number])
        try:
            return works[number]()
        finally:
            is_done.set()

    late, others = in_parallel(2, act)

    assert isinstance(late, Judgement), late
    assert others is None or isinstance(others, Judgement), others
    assert wrong_with(study) == {}
    states = Counter(Task.objects.filter(study=study).values_list("state", flat=True))
    assert states == ({"judged": 1, "surplus": 1} if others else {"judged": 1})
    return Task.objects.get(pk=task.pk).state


def test_late_answer_is_kept_whoever_is_quicker() -> None:
    chance = random.Random(SEED)

    assert submit_while_the_slot_is_taken(chance, 0) == "judged"
    assert submit_while_the_slot_is_taken(chance, 1) == "surplus"
    outcomes = Counter(submit_while_the_slot_is_taken(chance, None) for _ in range(ROUNDS))

    assert sum(outcomes.values()) == ROUNDS
    assert set(outcomes) <= {"judged", "surplus"}


def is_done(study: Study, slots: int) -> bool:
    return Task.objects.filter(study=study, state="judged").count() == slots


def end_leases(study: Study, over: threading.Event) -> None:
    chance = random.Random(SEED)
    while not over.wait(0.002):
        for task in Task.objects.filter(study=study, state="claimed"):
            if chance.random() < 0.5:
                end_lease(task)
    connection.close()


def work_slowly(study: Study, who: User, slots: int, chance: random.Random) -> set[UUID]:
    """Judge until all slots are filled, by whomever; what was acknowledged."""
    acknowledged = set()
    while not is_done(study, slots):
        # Long enough for a lease to end; where others hold what is left, theirs will.
        time.sleep(chance.random() * 0.02)
        try:
            task = claim_task(study, who)
        except NothingToClaimError:
            continue
        time.sleep(chance.random() * 0.02)
        acknowledged.add(judge(task, who).pk)
    return acknowledged


def test_leases_that_end_all_the_time_lose_nothing_and_everything_gets_done() -> None:
    items, people, overlap = 12, 6, 3
    study, annotators = new_study(people, items=items, overlap=overlap)
    over = threading.Event()
    ending = threading.Thread(target=end_leases, args=(study, over))
    ending.start()

    acknowledged = in_parallel(
        people,
        lambda number: work_slowly(
            study, annotators[number], items * overlap, random.Random(SEED + number)
        ),
    )
    over.set()
    ending.join()

    assert all(isinstance(keys, set) for keys in acknowledged), acknowledged
    kept = set(Judgement.objects.filter(study=study).values_list("pk", flat=True))
    assert kept == set().union(*acknowledged)
    assert Task.objects.filter(study=study, state="judged").count() == items * overlap
    assert wrong_with(study) == {}


def claim_in_the_middle(study: Study, other: User, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """When the next answer has been looked at and is not yet stored, `other` claims."""
    take_up, others = judging._take_up, []

    def meet(found: Task) -> None:
        # Once: what the other one says is stored without such a meeting.
        monkeypatch.setattr(judging, "_take_up", take_up)
        others.extend(in_parallel(1, claim))
        take_up(found)

    def claim(_: int) -> Judgement | None:
        return claim_and_judge(study, other)

    monkeypatch.setattr(judging, "_take_up", meet)
    return others


def test_slot_cannot_be_taken_while_its_answer_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    study, (alice, bob) = new_study(2)
    task = claim_task(study, alice)
    end_lease(task)
    others = claim_in_the_middle(study, bob, monkeypatch)

    judge(task, alice)

    assert others == [None]
    assert Task.objects.get(pk=task.pk).state == "judged"
    assert wrong_with(study) == {}


def test_without_its_lock_an_answer_meets_a_slot_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study, (alice, bob) = new_study(2)
    task = claim_task(study, alice)
    end_lease(task)
    monkeypatch.setattr(TaskQuerySet, "select_for_update", lambda tasks, **options: tasks)
    claim_in_the_middle(study, bob, monkeypatch)

    with pytest.raises(IntegrityError, match="task_slot_once"):
        judge(task, alice)


def test_without_asking_for_its_slot_late_work_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    study, (alice, bob) = new_study(2)
    task = claim_task(study, alice)
    end_lease(task)
    assert claim_and_judge(study, bob) is not None
    monkeypatch.setattr(judging, "regain_slot", lambda task: True)

    with pytest.raises(IntegrityError, match="task_slot_once"):
        judge(task, alice)


def abandon_everything() -> tuple[Study, User]:
    """Five annotators claim all there is for a second, and leave; a sixth one has just come."""
    study, (*gone, last) = new_study(6, items=5)
    Study.objects.filter(pk=study.pk).update(lease_minutes=1)
    tasks = [claim_task(study, annotator) for annotator in gone]
    with pytest.raises(NothingToClaimError, match="5 items are in other people's hands"):
        claim_task(study, last)
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(
        lease_ends_at=Now() + timedelta(milliseconds=200)
    )
    return study, last


def judge_until(study: Study, annotator: User, seconds: float) -> int:
    """How much somebody gets who asks again and again."""
    deadline, count = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and not is_done(study, 5):
        count += claim_and_judge(study, annotator) is not None
    return count


def test_what_others_abandoned_comes_back_when_its_lease_ends() -> None:
    study, last = abandon_everything()

    # A minute is allowed; it is there at once.
    assert judge_until(study, last, 10) == 5
    assert wrong_with(study) == {}


def test_without_a_look_at_leases_the_last_annotator_starves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study, last = abandon_everything()
    monkeypatch.setattr(claiming, "free_overdue", lambda study: 0)

    assert judge_until(study, last, 0.6) == 0
