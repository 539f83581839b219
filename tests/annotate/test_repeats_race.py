"""Repeats and many tabs: one is made, one is handed out, one is answered.

The control takes the lock of a claim away and must see a tab fail.
"""

import threading
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from annotate import claiming
from annotate.claiming import claim_task
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Assignment, Judgement, Study, Task, User
from annotate.repeating import hand_out, is_drawn
from tests.factories import judge_next, make_batch, make_study, make_user
from tests.racing import in_parallel

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

TABS = 16
HALF = Decimal("0.5")


def study_of(annotator: User) -> Study:
    study = make_study(annotators=[annotator], overlap=1, repeat_share=HALF)
    make_batch(study, 12)
    return study


def with_repeats_due(annotator: User) -> Study:
    """Several repeats are due at once, and items are free as well."""
    study = study_of(annotator)
    for _ in range(10):
        judge_next(study, annotator)
    assert Task.objects.filter(state="waiting").update(due_after=0) >= 3
    return study


def test_sixteen_tabs_get_one_repeat() -> None:
    annotator = make_user()
    study = with_repeats_due(annotator)

    got = in_parallel(TABS, lambda _: claim_task(study, annotator).pk)

    assert len(set(got)) == 1
    assert Task.objects.get(state="asked").pk == got[0]


def test_sixteen_answers_to_a_repeat_are_one() -> None:
    annotator = make_user()
    study = with_repeats_due(annotator)
    task = claim_task(study, annotator)
    key = submission_key(task)

    def answer(_: int) -> UUID:
        return record_judgement(task.pk, annotator, key, Answers(choice=1)).pk

    stored = in_parallel(TABS, answer)

    assert len(set(stored)) == 1
    assert Judgement.objects.filter(task=task).count() == 1
    assignment = Assignment.objects.get()
    assert (assignment.judged_count, assignment.repeated_count) == (10, 1)


def test_sixteen_submissions_of_one_judgement_make_one_repeat() -> None:
    annotator = make_user()
    study = study_of(annotator)
    number = 1
    while not is_drawn(f"{study.seed}:{annotator.email}", number, HALF):
        judge_next(study, annotator)
        number += 1
    task = claim_task(study, annotator)
    key = submission_key(task)

    def answer(_: int) -> UUID:
        return record_judgement(task.pk, annotator, key, Answers(choice=1)).pk

    stored = in_parallel(TABS, answer)

    assert len(set(stored)) == 1
    assert Task.objects.get(repeats=task).state == "waiting"
    assert Task.objects.filter(state="waiting").count() == 1


def test_without_the_lock_of_a_claim_a_tab_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    annotator = make_user()
    study = with_repeats_due(annotator)
    queryset = type(Assignment.objects.all())
    monkeypatch.setattr(queryset, "select_for_update", lambda self, **options: self.all())
    # All have seen that none is in hand: with the lock one at a time would come so far.
    gate = threading.Barrier(TABS)

    def all_together(*args: Any) -> UUID | None:
        with suppress(threading.BrokenBarrierError):
            gate.wait(10)
        return hand_out(*args)

    monkeypatch.setattr(claiming, "hand_out", all_together)

    got = in_parallel(TABS, lambda _: claim_task(study, annotator).pk)

    assert [one for one in got if isinstance(one, Exception)]
