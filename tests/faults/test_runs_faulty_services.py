"""Services fail in twelve ways: no case is lost, none is stuck, and each error has its name.

FAULT_CASES=100 asks each way so often.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from evals.models import Attempt, Endpoint, Generation, Run
from evals.openai_client import Answer, CallError, Connection, Request
from evals.running import Lane, patience, start_runs, work_on
from tests.evals.factories import make_endpoint
from tests.evals.model_server import ModelServer
from tests.evals.running_inputs import answering, here, questions, served_by, suite_of
from tests.factories import make_study
from tests.racing import in_parallel

CASES = int(os.environ.get("FAULT_CASES", "4"))
# Who hangs is waited for so long. The service shares this process, and where it makes many huge
# bodies at once a good answer takes a second too: asked again, it would be counted twice.
PATIENCE_SECONDS = 1 if CASES < 20 else 3
# What the service does, and what the case ends as: an error of this kind, or an answer.
WAYS = {
    "429-once": "",
    "429": "rate_limited",
    "500-once": "",
    "503": "server_error",
    "hang": "timeout",
    "reset-once": "",
    "truncated": "cut_off",
    "malformed": "not_json",
    "huge": "too_large",
    "no-choice": "no_choice",
    "400": "bad_request",
    "nul": "",
}
TRIED_AGAIN = {"429", "503", "hang", "truncated"}
TRIES = 2


@pytest.fixture(autouse=True)
def no_jobs(db: None) -> Iterator[None]:
    """Jobs are in no table that a test with transactions of its own empties."""
    yield
    ProcrastinateJob.objects.all().delete()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as started:
        yield started


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.2)
    # Of many cases that are to fail, ten do so in a row by chance; that is no service that is
    # away, for whose sake a case would have more tries than its own.
    for room in ("patience", "places", "storing"):
        monkeypatch.setattr(f"evals.running.{room}.TRIP", len(WAYS) * CASES * TRIES)


@pytest.mark.django_db
@pytest.mark.usefixtures("hasty")
def test_whatever_a_service_does_each_case_ends_with_its_answer_or_its_error(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        (way, f"[[case:{way}-{number}]] [[fault:{way}]]") for number in range(CASES) for way in WAYS
    ]
    service = served_by(server, concurrency=16, max_tries=TRIES, timeout_seconds=PATIENCE_SECONDS)
    suite = suite_of([words for _, words in asked])

    (run,) = start_runs(make_study("Runs"), suite, {"candidate": service})
    work_on([run], connect=here)

    run.refresh_from_db()
    rows = Generation.objects.order_by("position").values_list("state", "error_kind", "text")
    ended = Counter((way, kind) for (way, _), (_, kind, _) in zip(asked, rows, strict=True))
    with capsys.disabled():
        print(f"\n{len(asked)} cases in {len(WAYS)} ways: {server.count()} calls, {run.state}")
    assert run.state == "done"
    assert ended == dict.fromkeys(WAYS.items(), CASES)
    for (way, _), (state, kind, text) in zip(asked, rows, strict=True):
        assert state == "done"
        assert (text is None) == bool(kind), way
    twice = sum(way in TRIED_AGAIN or way.endswith("-once") for way, _ in asked)
    assert server.count() == run.calls_made == Attempt.objects.count() == len(asked) + twice
    assert not Attempt.objects.filter(ended_at=None).exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_thirty_two_workers_keep_to_a_limit_of_a_hundred_calls() -> None:
    service = make_endpoint(concurrency=64)
    suite = suite_of(questions(400))
    (run,) = start_runs(make_study("Runs"), suite, {"candidate": service}, call_limit=100)
    calls: list[Request] = []

    def ask(connection: Connection, request: Request) -> Answer:
        calls.append(request)
        return answering()(connection, request)

    in_parallel(32, lambda number: Lane(run.pair, number, ask, here, width=8).work())

    run.refresh_from_db()
    assert (len(calls), run.calls_made, run.state) == (100, 100, "stopped")
    assert Generation.objects.filter(state="done").count() == 100


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_conditional_count_the_limit_is_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def count_what_was_read(run_id: int, bounds: Sequence[object]) -> bool:
        run = Run.objects.get(pk=run_id)
        barrier_of_readers.wait(0.01)
        if run.call_limit is not None and run.calls_made + len(bounds) > run.call_limit:
            return False
        with connection.cursor() as cursor:
            cursor.execute("UPDATE evals_run SET calls_made = %s WHERE id = %s",
                           [run.calls_made + len(bounds), run_id])  # fmt: skip
        return True

    barrier_of_readers = threading.Event()
    unlocked = type(Endpoint.objects.all())
    monkeypatch.setattr("evals.running.claiming.count_calls", count_what_was_read)
    monkeypatch.setattr(unlocked, "select_for_update", lambda rows, **options: rows)
    service = make_endpoint(concurrency=64)
    suite = suite_of(questions(400))
    (run,) = start_runs(make_study("Runs"), suite, {"candidate": service}, call_limit=100)
    calls: list[Request] = []

    def ask(connection: Connection, request: Request) -> Answer:
        calls.append(request)
        return answering()(connection, request)

    in_parallel(32, lambda number: Lane(run.pair, number, ask, here, width=8).work())

    assert len(calls) > 100


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_workers_together_keep_to_an_endpoints_calls_at_a_time() -> None:
    busy, most, lock, as_busy_as_may_be = 0, 0, threading.Lock(), threading.Event()

    def ask(connection: Connection, request: Request) -> Answer:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            if busy == 5:
                as_busy_as_may_be.set()
        # The first ones wait for each other: on a slow machine they would be done one by one.
        as_busy_as_may_be.wait(30)
        threading.Event().wait(0.01)
        with lock:
            busy -= 1
        if "7]" in request.messages[0]["content"]:
            raise CallError("bad_request", "No.")
        return answering()(connection, request)

    service = make_endpoint(concurrency=5)
    suite = suite_of(questions(60))
    runs = start_runs(make_study("Runs"), suite, {"baseline": service, "candidate": service})

    in_parallel(12, lambda number: Lane(runs[0].pair, number, ask, here, width=8).work())

    assert most == 5
    assert Generation.objects.filter(state="done").count() == 120
    assert Attempt.objects.count() == 120


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_same_button_pressed_sixteen_times_is_one_pair() -> None:
    study, suite = make_study("Runs"), suite_of(questions(5))
    service, key = make_endpoint(), "7c1b2a38-0b62-4a51-9d0c-2f4c7f2e9b11"

    def press(number: int) -> list[int]:
        from_form = {"baseline": service, "candidate": service}
        return [run.number for run in start_runs(study, suite, from_form, key=UUID(key))]

    answers = in_parallel(16, press)

    assert answers == [[1, 2]] * 16
    assert (Run.objects.count(), Generation.objects.count()) == (2, 10)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_runs_started_at_once_have_numbers_of_their_own() -> None:
    study, suite, service = make_study("Runs"), suite_of(questions(2)), make_endpoint()

    in_parallel(16, lambda number: start_runs(study, suite, {"candidate": service}))

    assert sorted(Run.objects.values_list("number", flat=True)) == list(range(1, 17))
