"""Processes are killed while they ask: no case is lost, none is answered twice, few are asked so.

RUN_CASES=2000 RUN_KILLS=100 is the whole figure. The controls take away what gives a dead
process's cases back, and what tells the dead from the living: a test that cannot fail shows
nothing.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Count
from procrastinate.contrib.django.models import ProcrastinateJob

from evals.models import Attempt, Generation, Run, Score
from evals.running import start_runs, sweeping
from evals.running.sweeping import return_lost
from tests.evals.model_server import Called, ModelServer, answer_of
from tests.evals.running_inputs import questions, served_by, suite_of
from tests.factories import make_study
from tests.faults.lanes import nursery

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CASES = int(os.environ.get("RUN_CASES", "120"))
KILLS = int(os.environ.get("RUN_KILLS", "12"))
SEED = int(os.environ.get("FAULT_SEED", "12"))
PROCESSES = 4
# Between two kills this many calls arrive at most.
MOST_BETWEEN = max(1, 2 * CASES // (3 * KILLS + 1))
STALLED_SECONDS = 60.0
TRIES = 3


def slowly(call: Called) -> dict[str, Any]:
    """Long enough that a process is mostly killed with its call in flight."""
    time.sleep(0.04)
    return answer_of(call)


@pytest.fixture(autouse=True)
def no_jobs(db: None) -> Iterator[None]:
    """Jobs are in no table that a test with transactions of its own empties."""
    yield
    ProcrastinateJob.objects.all().delete()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(reply=slowly) as started:
        yield started


def begin(server: ModelServer, cases: int) -> Run:
    service = served_by(server, concurrency=PROCESSES, max_tries=TRIES)
    (run,) = start_runs(make_study("Runs"), suite_of(questions(cases)), {"candidate": service})
    return run


def kill_while_they_ask(run: Run, server: ModelServer, kills: int) -> None:
    """Kill a process again and again, and put another in its place, until the run has ended."""
    chance = random.Random(SEED)
    with nursery(run.pair) as processes:
        for _ in range(PROCESSES):
            processes.start()
        for _ in range(kills):
            wait_for_calls(server, chance.randint(1, MOST_BETWEEN))
            time.sleep(chance.uniform(0, 0.05))
            processes.kill(chance.choice(processes.living))
            processes.start()
        wait_until_over(run, server)


def wait_for_calls(server: ModelServer, more: int) -> None:
    wanted, since = len(server.calls) + more, time.monotonic()
    while len(server.calls) < wanted:
        return_lost()
        time.sleep(0.005)
        assert time.monotonic() - since < STALLED_SECONDS, "stalled"


def wait_until_over(run: Run, server: ModelServer) -> None:
    asked, since = len(server.calls), time.monotonic()
    while Run.objects.filter(pk=run.pk, state="running").exists():
        return_lost()
        time.sleep(0.02)
        if len(server.calls) > asked:
            asked, since = len(server.calls), time.monotonic()
        assert time.monotonic() - since < STALLED_SECONDS, "stalled"


def test_killed_processes_lose_no_case_and_ask_few_twice(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begin(server, CASES)

    began = time.monotonic()
    kill_while_they_ask(run, server, KILLS)

    run.refresh_from_db()
    lost = Attempt.objects.filter(error_kind="lost").count()
    with capsys.disabled():
        print(
            f"\n{CASES} cases, {KILLS} kills: {server.count()} calls arrived, {lost} tries lost, "
            f"{time.monotonic() - began:.0f} s"
        )
    assert run.state == "done"
    answers = Generation.objects.filter(run=run).order_by("position")
    assert list(answers.values_list("text", "error")) == [
        (f"Answer to {number}", "") for number in range(1, CASES + 1)
    ]
    assert CASES <= server.count() <= CASES + KILLS
    assert lost <= KILLS
    assert run.calls_made == Attempt.objects.count() == CASES + lost
    assert not Attempt.objects.filter(ended_at=None).exists()
    scores = Score.objects.filter(own=True, passed=True).values("generation")
    assert scores.annotate(times=Count("pk")).filter(times=1).count() == CASES
    most = Counter(call.case for call in server.calls).most_common(1)[0][1]
    assert most <= 1 + lost


def test_without_the_return_of_lost_cases_a_run_stalls(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.test_runs_killed.return_lost", lambda: 0)
    monkeypatch.setattr("tests.faults.test_runs_killed.STALLED_SECONDS", 3.0)
    run = begin(server, 60)

    with pytest.raises(AssertionError, match="stalled"):
        kill_while_they_ask(run, server, 20)

    assert Generation.objects.filter(state="asked").exists()


def test_without_the_lock_of_a_lane_the_living_are_taken_for_dead(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def anybodys(lane: UUID) -> Iterator[bool]:
        yield True

    monkeypatch.setattr(sweeping, "alone_in", anybodys)
    run = begin(server, 60)

    kill_while_they_ask(run, server, 0)

    assert server.count() > 60
