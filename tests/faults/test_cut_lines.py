"""The line breaks: between the commit and its acknowledgement, or in the middle of a form."""

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from annotate import judging
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Judgement, Study, Task, User
from annotate.views import tasks
from benchmarks.serving import serve_here, session_of
from config import wsgi
from tests.factories import make_batch, make_study, make_user
from tests.faults.proxy import Fault, Proxy, proxy_before
from tests.faults.steadfast import CRITERIA, Steadfast, something
from tests.faults.truth import amiss, stored

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "40"))
SEED = int(os.environ.get("FAULT_SEED", "5"))


def ask(sql: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


@pytest.fixture
def line(transactional_db: None) -> Iterator[Proxy]:
    with serve_here() as (host, port), proxy_before(host, port) as proxy:
        yield proxy


@pytest.fixture
def study(transactional_db: None) -> Study:
    return new_study(ROUNDS)


def new_study(items: int) -> Study:
    study = make_study("Cut", overlap=1, criteria=CRITERIA, annotators=[make_user()])
    make_batch(study, items)
    return study


def annotator_of(study: Study, line: Proxy) -> Steadfast:
    user = User.objects.get(assignments__study=study)
    return Steadfast("127.0.0.1", line.port, session_of(user))


def answer_through_cuts(line: Proxy, study: Study, cuts: int) -> Steadfast:
    """Judge `cuts` tasks; of each the first acknowledgement is cut somewhere, or not begun."""
    chance = random.Random(SEED)
    with closing(annotator_of(study, line)) as annotator:
        task = annotator.begin(str(study.public_id))
        for _ in range(cuts):
            assert task is not None
            annotator.connection.close()
            # Half of them in the head: there the page is longest.
            length = chance.randrange(chance.choice((2_000, 20_000)))
            line.faults.append(
                Fault(
                    answer_bytes=chance.choice((0, length)),
                    delay=chance.choice((0, 0.01)),
                    reset=chance.random() < 0.5,
                )
            )
            task = annotator.say(task, something(chance))
    return annotator


def test_answer_whose_acknowledgement_is_cut_off_is_one_judgement(
    line: Proxy, study: Study
) -> None:
    annotator = answer_through_cuts(line, study, ROUNDS)

    # Each was cut before its end, unless the page was shorter.
    assert annotator.broken > ROUNDS * 0.7
    assert set(annotator.status) <= {200, 204}
    assert stored(ask, str(study.public_id)) == annotator.ledger
    assert len(annotator.ledger) == ROUNDS
    assert amiss(ask, str(study.public_id)) == {}


def test_without_the_key_of_a_form_a_cut_stores_it_twice(
    line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record_whatever_comes(pk: UUID, user: User, key: UUID, answers: Answers) -> Judgement:
        return record_judgement(pk, user, submission_key(Task.objects.get(pk=pk)), answers)

    monkeypatch.setattr(tasks, "record_judgement", record_whatever_comes)
    monkeypatch.setattr(judging, "_said_already", lambda task, answers: None)
    study = new_study(10)

    answer_through_cuts(line, study, 10)

    assert amiss(ask, str(study.public_id))["stored twice"] > 0


def test_form_that_arrives_in_part_is_not_stored(line: Proxy) -> None:
    chance = random.Random(SEED)
    study = new_study(10)
    with closing(annotator_of(study, line)) as annotator:
        task = annotator.begin(str(study.public_id))
        for number, missing in enumerate((1, 2, 5, 10, 25, 30, 40, 80, 120, 200)):
            assert task is not None
            said = something(chance)

            # Mostly cut in the comment, which is its end: all that must be said has arrived.
            annotator.send_part(task, said, missing)

            assert Judgement.objects.count() == number
            task = annotator.say(task, said)

    assert stored(ask, str(study.public_id)) == annotator.ledger
    assert amiss(ask, str(study.public_id)) == {}


def test_without_a_look_at_its_length_half_a_form_is_taken_for_what_was_said(
    line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsgi, "WholeBody", lambda stream, length: stream)
    study = new_study(1)
    with closing(annotator_of(study, line)) as annotator:
        task = annotator.begin(str(study.public_id))
        assert task is not None

        annotator.send_part(task, something(random.Random(SEED)), 10)

    assert Judgement.objects.count() == 1
