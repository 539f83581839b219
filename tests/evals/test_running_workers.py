"""Workers of runs: lanes that are worked by one at a time, what they leave, how long they stay."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from annotate.models import Study
from evals.endpoints import ensure_stand_ins
from evals.models import Attempt, Generation, Run, Score
from evals.openai_client import Answer, CallError, Connection, Request
from evals.running import (
    Lane,
    cancel_run,
    finish_runs,
    lane_id,
    start_runs,
    sweep_runs,
    work_in_lane,
    work_on,
)
from evals.running import turns as turns_room
from evals.running.claiming import claim
from evals.running.lanes import alone_in
from evals.running.storing import store
from tests.evals.factories import make_endpoint, make_suite
from tests.evals.running_inputs import answering, here, questions, suite_of
from tests.factories import make_study
from tests.racing import in_parallel


@pytest.fixture(autouse=True)
def no_jobs(db: None) -> Iterator[None]:
    """Jobs are in no table that a test with transactions of its own empties."""
    ProcrastinateJob.objects.all().delete()
    yield
    ProcrastinateJob.objects.all().delete()


@pytest.fixture
def empty(db: None) -> Study:
    return make_study("Runs")


@pytest.fixture
def run(empty: Study) -> Run:
    """Six cases; 20 calls at a time, so that there are two lanes."""
    service = make_endpoint(concurrency=20)
    (started,) = start_runs(empty, suite_of(questions(6)), {"candidate": service})
    return started


@contextmanager
def somebody_else_in(lane: Any) -> Iterator[None]:
    """Another process works in a lane: its lock is held on another connection."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_lock(hashtextextended('touchstone lane ' || %s, 0))",
                [str(lane)],
            )
        yield
    finally:
        other.close()


def asked_by(run: Run, number: int, count: int = 2) -> list[int]:
    """What the worker of a lane claimed before it died."""
    claims = claim(lane_id(run.pair, number), run.pair, count, here)
    return [one.generation_id for one in claims.taken]


def waiting_lanes() -> list[int]:
    jobs = ProcrastinateJob.objects.filter(task_name="work_lane", status="todo").order_by("pk")
    return [args["number"] for args in jobs.values_list("args", flat=True)]


@pytest.mark.django_db
def test_a_worker_asks_all_cases_and_ends_the_run(run: Run) -> None:
    work_in_lane(run.pair, 0, ask=answering(), connect=here)

    run.refresh_from_db()
    assert (run.state, run.calls_made) == ("done", 6)


@pytest.mark.django_db
def test_a_try_is_written_down_before_its_call_leaves(run: Run) -> None:
    seen: list[int] = []
    claims = claim(lane_id(run.pair, 0), run.pair, 4, here)

    seen.append(Attempt.objects.filter(ended_at=None).count())
    run.refresh_from_db()

    assert len(claims.taken) == 4
    assert (seen, run.calls_made) == ([4], 4)
    assert set(Generation.objects.filter(state="asked").values_list("lane", "tries")) == {
        (lane_id(run.pair, 0), 1)
    }


@pytest.mark.django_db
def test_a_lane_is_worked_by_one_at_a_time(run: Run) -> None:
    calls: list[Request] = []

    def ask(connection: Connection, request: Request) -> Answer:
        calls.append(request)
        return answering()(connection, request)

    with somebody_else_in(lane_id(run.pair, 0)):
        work_in_lane(run.pair, 0, ask=ask, connect=here)

    assert calls == []
    assert Generation.objects.filter(state="pending").count() == 6


@pytest.mark.django_db
def test_the_next_in_a_lane_asks_again_what_its_predecessor_held(run: Run) -> None:
    held = asked_by(run, 0)

    work_in_lane(run.pair, 0, ask=answering(), connect=here)

    run.refresh_from_db()
    lost = Attempt.objects.filter(error_kind="lost")
    assert (run.state, run.calls_made) == ("done", 8)
    assert sorted(lost.values_list("generation", flat=True)) == sorted(held)
    # Not of a first try: their latency is left out.
    assert set(Generation.objects.filter(pk__in=held).values_list("tries", "text")) == {(2, "yes")}


@pytest.mark.django_db
def test_the_sweep_gives_back_what_the_dead_held_and_queues_their_lanes(run: Run) -> None:
    ProcrastinateJob.objects.all().delete()
    held = asked_by(run, 1)

    sweep_runs()

    assert set(Generation.objects.filter(pk__in=held).values_list("state", "lane")) == {
        ("pending", None)
    }
    assert waiting_lanes() == [0, 1]
    sweep_runs()
    assert waiting_lanes() == [0, 1]


@pytest.mark.django_db
def test_the_sweep_leaves_the_living_alone(run: Run) -> None:
    ProcrastinateJob.objects.all().delete()
    held = asked_by(run, 1)

    with somebody_else_in(lane_id(run.pair, 1)):
        sweep_runs()

    assert set(Generation.objects.filter(pk__in=held).values_list("state")) == {("asked",)}
    assert waiting_lanes() == [0]


@pytest.mark.django_db
def test_the_sweep_of_a_command_leaves_its_own_lane_alone(run: Run) -> None:
    held = asked_by(run, 0)

    with alone_in(lane_id(run.pair, 0)):
        sweep_runs(my_lanes=[lane_id(run.pair, 0)])

    assert set(Generation.objects.filter(pk__in=held).values_list("state")) == {("asked",)}


@pytest.mark.django_db
def test_the_sweep_ends_a_run_whose_worker_died_after_the_last_answer(run: Run) -> None:
    Lane(run.pair, 0, answering(), here).work()
    run.refresh_from_db()
    before = run.state

    sweep_runs()

    run.refresh_from_db()
    assert (before, run.state) == ("running", "done")


@pytest.mark.django_db
def test_of_a_cancelled_run_nothing_stays_asked(run: Run) -> None:
    held = asked_by(run, 0)
    cancel_run(run)

    sweep_runs()

    assert set(Generation.objects.filter(pk__in=held).values_list("state")) == {("pending",)}
    assert waiting_lanes() == [0, 1]  # of when it was started; they find nothing to do
    work_in_lane(run.pair, 0, ask=answering(), connect=here)
    assert not Generation.objects.filter(state="done").exists()


@pytest.mark.django_db
def test_an_answer_in_flight_when_a_run_is_cancelled_is_stored(run: Run) -> None:
    claims = claim(lane_id(run.pair, 0), run.pair, 1, here)
    cancel_run(run)

    store(lane_id(run.pair, 0), claims.taken[0], answering()(here(run.endpoint), Request([])))  # type: ignore[arg-type]

    answer = Generation.objects.get(state="done")
    run.refresh_from_db()
    assert (answer.text, run.state) == ("yes", "cancelled")
    assert Score.objects.filter(generation=answer).count() == 1


@pytest.mark.django_db
def test_a_failure_in_flight_when_a_run_is_cancelled_is_not_tried_again(run: Run) -> None:
    claims = claim(lane_id(run.pair, 0), run.pair, 1, here)
    cancel_run(run)

    store(lane_id(run.pair, 0), claims.taken[0], CallError("timeout", "Too late."))

    assert Generation.objects.get(state="done").error == "Too late."


@pytest.mark.django_db
def test_a_late_answer_to_what_was_given_back_changes_nothing(run: Run) -> None:
    late = claim(lane_id(run.pair, 0), run.pair, 1, here).taken[0]
    sweep_runs()
    again = claim(lane_id(run.pair, 1), run.pair, 1, here).taken[0]
    answer = answering(text="late")(here(run.endpoint), Request([]))  # type: ignore[arg-type]

    store(lane_id(run.pair, 0), late, answer)
    store(lane_id(run.pair, 0), late, CallError("timeout", "Later still."))

    generation = Generation.objects.get(pk=late.generation_id)
    assert again.generation_id == late.generation_id
    assert (generation.state, generation.lane) == ("asked", lane_id(run.pair, 1))
    store(lane_id(run.pair, 1), again, answering()(here(run.endpoint), Request([])))  # type: ignore[arg-type]
    generation.refresh_from_db()
    assert generation.text == "yes"
    assert generation.attempts.count() == 2


@pytest.mark.django_db
def test_a_case_whose_workers_die_again_and_again_ends_in_an_error(empty: Study) -> None:
    (run,) = start_runs(empty, suite_of(questions(1)), {"candidate": make_endpoint()})
    for _ in range(10):
        asked_by(run, 0, 1)
        sweep_runs()

    sweep_runs()

    answer = Generation.objects.get()
    run.refresh_from_db()
    assert (answer.state, answer.error_kind, answer.tries) == ("done", "lost", 10)
    assert "So it was 10 times" in answer.error
    assert run.state == "done"


@pytest.mark.django_db
def test_a_worker_makes_room_when_others_wait_and_comes_back(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_room, "OTHERS_SECONDS", 0.0)
    monkeypatch.setattr(turns_room, "LOOK_SECONDS", 0.0)
    ProcrastinateJob.objects.all().delete()

    with somebodys_upload_waiting():
        work_in_lane(run.pair, 0, ask=answering(), connect=here)

    assert not Generation.objects.exclude(state="pending").exists()
    assert waiting_lanes() == [0]


@contextmanager
def somebodys_upload_waiting() -> Iterator[None]:
    app.configure_task("check_upload", allow_unknown=True).defer(upload_id=str(uuid4()))
    yield


@pytest.mark.django_db
def test_lanes_of_the_same_run_are_nobody_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_room, "OTHERS_SECONDS", 0.0)
    monkeypatch.setattr(turns_room, "RUNS_SECONDS", 0.0)

    assert not turns_room.others_wait(run.pair, runs_too=True)
    other = start_runs(run.study, make_suite(), {"candidate": make_endpoint("Moss")})
    assert turns_room.others_wait(run.pair, runs_too=True)
    assert not turns_room.others_wait(run.pair, runs_too=False)
    assert other[0].pair != run.pair


@pytest.mark.django_db
def test_a_worker_that_is_told_to_stop_keeps_what_is_in_flight(empty: Study) -> None:
    service = make_endpoint(concurrency=2)
    (run,) = start_runs(empty, suite_of(questions(9)), {"candidate": service})
    ProcrastinateJob.objects.all().delete()
    asked: list[Request] = []

    def ask(connection: Connection, request: Request) -> Answer:
        asked.append(request)
        threading.Event().wait(0.05)
        return answering()(connection, request)

    work_in_lane(run.pair, 0, told_to_stop=lambda: len(asked) >= 2, ask=ask, connect=here)

    assert Generation.objects.filter(state="done").count() == len(asked) == 2
    assert Generation.objects.filter(state="asked").count() == 0
    assert waiting_lanes() == [0]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_run_ends_once_however_many_see_it_complete() -> None:
    (run,) = start_runs(make_study("Runs"), make_suite(), {"candidate": make_endpoint()})
    Lane(run.pair, 0, answering(), here).work()

    ended = in_parallel(16, lambda number: finish_runs(Q(pk=run.pk)))

    assert sorted(ended) == [*[[]] * 15, [run.pk]]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_workers_of_procrastinate_take_up_what_was_started() -> None:
    suite, study = make_suite("sums", 5), make_study("Runs")
    stand_ins = ensure_stand_ins()
    systems = {name: stand_ins[name] for name in ("baseline", "candidate")}
    runs = start_runs(study, suite, systems)

    # In a thread of its own: where a browser was driven before, this one has its event loop.
    (answer,) = in_parallel(1, lambda number: call_command("procrastinate", "worker", "--one-shot",
                                                           "--concurrency=1"))  # fmt: skip

    assert answer is None

    assert [Run.objects.get(pk=run.pk).state for run in runs] == ["done", "done"]
    assert Generation.objects.filter(error="", state="done").count() == 10
    assert not ProcrastinateJob.objects.filter(task_name="work_lane", status="failed").exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_command_and_workers_share_one_run() -> None:
    service = make_endpoint(concurrency=4)
    (run,) = start_runs(make_study("Runs"), suite_of(questions(40)), {"candidate": service})
    calls: list[Request] = []

    def ask(connection: Connection, request: Request) -> Answer:
        calls.append(request)
        threading.Event().wait(0.01)
        return answering()(connection, request)

    def work(number: int) -> None:
        if number:
            Lane(run.pair, number, ask, here, width=1).work()
        else:
            work_on([run], ask=ask, connect=here)

    in_parallel(4, work)

    run.refresh_from_db()
    assert (run.state, len(calls), run.calls_made) == ("done", 40, 40)
    assert Generation.objects.filter(done_at__lte=Now()).count() == 40
