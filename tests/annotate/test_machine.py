"""The whole life of a study, at random, against a model that fits on a page.

Rules do what people do: claim, judge, send again, correct, skip, put back, let a lease end,
change the overlap, leave and come back. After each step the invariants are counted in SQL.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from annotate.claiming import (
    NotHeldError,
    NothingToClaimError,
    claim_task,
    release_task,
    skip_task,
)
from annotate.judging import AlreadyAnsweredError, Answers, record_judgement, submission_key
from annotate.models import Assignment, Judgement, Study, Task, User
from annotate.steering import assign, change_overlap, unassign
from tests.factories import make_batch, make_study, make_user

PEOPLE = st.integers(0, 3)
CHOICES = st.integers(-1, 1)


class StudyMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        # Nothing of a run stays: it happens in a transaction that is rolled back.
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.said: dict[Any, list[int]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(overlap=st.integers(1, 3), items=st.integers(1, 4))
    def begin(self, overlap: int, items: int) -> None:
        self.people: list[User] = [make_user() for _ in range(4)]
        self.study = make_study(overlap=overlap, annotators=self.people)
        make_batch(self.study, items)
        self.items = items

    def held(self, who: int) -> Task | None:
        return Task.objects.held_by(self.people[who].pk).first()

    @rule(who=PEOPLE)
    def claim(self, who: int) -> None:
        try:
            task = claim_task(Study.objects.get(pk=self.study.pk), self.people[who])
        except NothingToClaimError:
            return
        assert task.annotator_id == self.people[who].pk

    @rule(who=PEOPLE, choice=CHOICES, again=st.booleans())
    def judge(self, who: int, choice: int, again: bool) -> None:
        task = self.held(who)
        if task is None:
            return
        key, answers = submission_key(task), Answers(choice=choice)
        first = record_judgement(task.pk, self.people[who], key, answers)
        if again:
            assert record_judgement(task.pk, self.people[who], key, answers).pk == first.pk
        self.said[task.pk] = [choice]

    @rule(who=PEOPLE, choice=CHOICES)
    def send_other_answers_by_an_old_form(self, who: int, choice: int) -> None:
        task = self.held(who)
        if task is None:
            return
        key = submission_key(task)
        record_judgement(task.pk, self.people[who], key, Answers(choice=choice))
        self.said[task.pk] = [choice]
        with pytest.raises(AlreadyAnsweredError):
            record_judgement(task.pk, self.people[who], key, Answers(choice=(choice + 2) % 3 - 1))

    @rule(who=PEOPLE, choice=CHOICES)
    def correct(self, who: int, choice: int) -> None:
        task = Task.objects.judged_by(self.people[who]).first()
        if task is None:
            return
        record_judgement(task.pk, self.people[who], submission_key(task), Answers(choice=choice))
        if self.said[task.pk][-1] != choice:
            self.said[task.pk].append(choice)

    @rule(who=PEOPLE)
    def skip(self, who: int) -> None:
        if task := self.held(who):
            skip_task(task.pk, self.people[who], reason="other")

    @rule(who=PEOPLE)
    def put_back(self, who: int) -> None:
        if task := self.held(who):
            release_task(task.pk, self.people[who])

    @rule(who=PEOPLE)
    def lease_ends(self, who: int) -> None:
        if task := self.held(who):
            past = timezone.now() - timedelta(minutes=1)
            Task.objects.filter(pk=task.pk).update(lease_ends_at=past)

    @rule(who=PEOPLE, choice=CHOICES)
    def judge_late(self, who: int, choice: int) -> None:
        task = Task.objects.filter(annotator=self.people[who], state="lapsed").first()
        if task is None:
            return
        record_judgement(task.pk, self.people[who], submission_key(task), Answers(choice=choice))
        self.said[task.pk] = [choice]

    @rule(who=PEOPLE, choice=CHOICES)
    def judge_what_was_skipped(self, who: int, choice: int) -> None:
        task = Task.objects.filter(annotator=self.people[who], state="skipped").first()
        if task is None:
            return
        with pytest.raises(NotHeldError):
            record_judgement(
                task.pk, self.people[who], submission_key(task), Answers(choice=choice)
            )

    @rule(overlap=st.integers(1, 4))
    def change_the_overlap(self, overlap: int) -> None:
        change_overlap(self.study, overlap)

    @rule(who=PEOPLE)
    def leave_and_come_back(self, who: int) -> None:
        unassign(self.study, self.people[who])
        assert self.held(who) is None
        assign(self.study, self.people[who])

    @precondition(lambda self: hasattr(self, "study"))
    @invariant()
    def no_item_has_more_live_slots_than_was_ever_asked_for(self) -> None:
        overlap = Study.objects.get(pk=self.study.pk).overlap
        live = Count("tasks", filter=Q(tasks__state__in=Task.LIVE))
        finished = Count("tasks", filter=Q(tasks__state__in=["claimed", "judged"]))
        for item in self.study.items.annotate(live=live, finished=finished):
            assert item.live == max(overlap, item.finished)

    @precondition(lambda self: hasattr(self, "study"))
    @invariant()
    def nobody_meets_an_item_twice(self) -> None:
        met = Task.objects.exclude(annotator=None).values("item", "annotator")
        assert not met.annotate(times=Count("pk")).filter(times__gt=1).exists()

    @precondition(lambda self: hasattr(self, "study"))
    @invariant()
    def every_answer_is_kept_and_the_last_one_counts(self) -> None:
        for pk, choices in self.said.items():
            kept = Judgement.objects.filter(task=pk).order_by("version")
            assert [judgement.choice for judgement in kept] == choices
            assert kept.current().get().choice == choices[-1]
        assert Judgement.objects.count() == sum(map(len, self.said.values()))

    @precondition(lambda self: hasattr(self, "study"))
    @invariant()
    def what_annotators_are_told_is_what_the_rows_say(self) -> None:
        told = Assignment.objects.filter(study=self.study).aggregate(n=Sum("judged_count"))["n"]
        assert told == Task.objects.filter(state__in=["judged", "surplus"]).count()
        assert Judgement.objects.current().count() == told
        assert not Judgement.objects.filter(active_ms__gt=F("wall_ms")).exists()


@pytest.mark.django_db
def test_a_study_keeps_its_invariants_whatever_people_do() -> None:
    run_state_machine_as_test(
        StudyMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
