"""Many annotators at once, through HTTP, each with a connection of their own.

The control takes the guard of a claim away and must see work lost: a test that
cannot fail shows nothing.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest
from django.db import connection

from annotate import claiming
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Assignment, Judgement, Study, Task, User
from benchmarks.over_http import Annotator
from benchmarks.serving import serve_here, session_of
from tests.factories import assign, make_batch, make_study, make_user

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ANNOTATORS = 64
ITEMS = 100
OVERLAP = 3
# A run is 300 judgements through HTTP; RACE_RUNS=10 for the whole figure.
RUNS = int(os.environ.get("RACE_RUNS", "1"))


def at_once(works: Sequence[Callable[[], None]]) -> list[BaseException]:
    """Run all works in threads that start together; what went wrong in them."""
    barrier = threading.Barrier(len(works))
    faults: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def race(people: list[tuple[User, str]], host: str, port: int) -> tuple[Study, Counter[int]]:
    """A fresh study judged to its end by everybody at once; the answers to what was sent."""
    study = make_study("Race", overlap=OVERLAP)
    make_batch(study, ITEMS)
    for person, _ in people:
        assign(study, person)
    statuses: Counter[int] = Counter()

    def work(session: str) -> None:
        with closing(Annotator(host, port, session)) as annotator:
            task = annotator.begin(str(study.public_id))
            while task is not None:
                status, task = annotator.judge(task, overall="1")
                statuses[status] += 1

    works = [lambda session=session: work(session) for _, session in people]
    assert at_once(works) == []
    return study, statuses


@pytest.fixture
def people(transactional_db: None) -> list[tuple[User, str]]:
    users = [make_user() for _ in range(ANNOTATORS)]
    return [(user, session_of(user)) for user in users]


def test_sixty_four_annotators_fill_every_slot_once(people: list[tuple[User, str]]) -> None:
    with serve_here() as (host, port):
        for _ in range(RUNS):
            study, statuses = race(people, host, port)

            judged = Task.objects.filter(study=study, state="judged")
            assert judged.count() == ITEMS * OVERLAP
            assert sum(statuses.values()) == ITEMS * OVERLAP
            assert not [status for status in statuses if status >= 400]
            assert set(Counter(judged.values_list("item", flat=True)).values()) == {OVERLAP}
            assert Judgement.objects.filter(study=study).count() == ITEMS * OVERLAP
            told = Assignment.objects.filter(study=study).values_list("judged_count", flat=True)
            assert sum(told) == ITEMS * OVERLAP


def test_without_the_guard_of_a_claim_work_is_lost(
    people: list[tuple[User, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_what_was_read(found: Task, assignment: Assignment, study: Study) -> Task:
        Task.objects.filter(pk=found.pk).claim_for(assignment.annotator_id, claiming.lease(study))
        return Task.objects.get(pk=found.pk)

    queryset = type(Task.objects.all())
    monkeypatch.setattr(claiming, "_take", take_what_was_read)
    monkeypatch.setattr(queryset, "lock_first", lambda self: self.first())
    with serve_here() as (host, port):
        _, statuses = race(people, host, port)

    # Somebody's answer was refused, since somebody else was handed the same slot after them.
    assert [status for status in statuses if status >= 400]


def test_one_annotator_in_sixteen_tabs_is_one_judgement(study: Study, alice: User) -> None:
    session = session_of(alice)
    answers: list[int] = []

    def tab(host: str, port: int) -> None:
        with closing(Annotator(host, port, session)) as annotator:
            task = annotator.begin(str(study.public_id))
            assert task is not None
            opened.append(task.address)
            ready.wait()
            status, _ = annotator.judge(task, overall="1")
            answers.append(status)

    opened: list[str] = []
    ready = threading.Barrier(16)
    with serve_here() as (host, port):
        faults = at_once([lambda: tab(host, port)] * 16)

    assert faults == []
    assert len(set(opened)) == 1
    assert answers == [200] * 16
    assert Judgement.objects.count() == 1


def test_the_last_slot_goes_to_as_many_as_there_are_slots(
    people: list[tuple[User, str]],
) -> None:
    with serve_here() as (host, port):
        for _ in range(3):
            study = make_study("Last", overlap=OVERLAP)
            make_batch(study, 1)
            for person, _ in people:
                assign(study, person)
            got: list[str] = []

            def work(session: str, study: Study = study, got: list[str] = got) -> None:
                with closing(Annotator(host, port, session)) as annotator:
                    task = annotator.begin(str(study.public_id))
                if task is not None:
                    got.append(task.address)

            works = [lambda session=session: work(session) for _, session in people]
            assert at_once(works) == []
            assert len(set(got)) == len(got) == OVERLAP


def test_thirty_two_posts_of_one_key_are_one_judgement(study: Study, alice: User) -> None:
    task = claiming.claim_task(study, alice)
    key = submission_key(task)
    stored: list[object] = []

    def send() -> None:
        stored.append(record_judgement(task.pk, alice, key, Answers(choice=1)).pk)

    assert at_once([send] * 32) == []
    assert len(set(stored)) == 1
    assert Judgement.objects.count() == 1
