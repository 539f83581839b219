"""Runs from their start to their end: what is made, asked, stored, and told of it."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from annotate.models import State, Study, User
from evals.models import Attempt, Case, Endpoint, Generation, Run, Score
from evals.openai_client import Answer, Call, Connection, Logprob, Request
from evals.running import RefusedRunError, cancel_run, progress_of, start_runs, work_on
from tests.evals.factories import make_endpoint, make_suite
from tests.evals.model_server import ModelServer
from tests.evals.running_inputs import (
    answering,
    here,
    questions,
    run_alone,
    served_by,
    suite_of,
)
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as started:
        yield started


@pytest.fixture
def empty(db: None) -> Study:
    return make_study("Runs")


def queued() -> list[dict[str, Any]]:
    jobs = ProcrastinateJob.objects.filter(task_name="work_lane", status="todo").order_by("pk")
    return list(jobs.values_list("args", flat=True))


# Started.


def test_a_pair_is_made_with_all_its_cases_pending_and_its_lanes_queued(
    empty: Study, adam: User
) -> None:
    suite = make_suite(cases=6)
    fern = make_endpoint("Fern 1", concurrency=20, parameters={"temperature": 0})
    moss = make_endpoint("Fern 2", concurrency=4)

    runs = start_runs(
        empty, suite, {"baseline": fern, "candidate": moss}, call_limit=9, started_by=adam
    )

    assert [(run.number, run.system, run.state) for run in runs] == [
        (1, "baseline", "running"),
        (2, "candidate", "running"),
    ]
    assert runs[0].pair == runs[1].pair
    assert {run.call_limit for run in runs} == {9}
    assert runs[0].endpoint_settings["parameters"] == {"temperature": 0}
    assert not [name for name in runs[0].endpoint_settings if "key" in name]
    rows = Generation.objects.filter(run__in=runs).values_list("run__system", "position", "state")
    assert sorted(rows) == [
        (system, position, "pending")
        for system in ("baseline", "candidate")
        for position in range(1, 7)
    ]
    # 24 calls at a time are two lanes.
    assert [(job["pair"], job["number"]) for job in queued()] == [
        (str(runs[0].pair), 0),
        (str(runs[0].pair), 1),
    ]


def test_the_same_key_twice_is_one_pair(empty: Study) -> None:
    suite, endpoint, key = make_suite(), make_endpoint(), uuid4()

    first = start_runs(empty, suite, {"candidate": endpoint}, key=key)
    again = start_runs(empty, suite, {"candidate": endpoint}, key=key)

    assert [run.pk for run in first] == [run.pk for run in again]
    assert (Run.objects.count(), Generation.objects.count()) == (1, suite.case_count)


def test_a_key_of_another_study_starts_nothing(empty: Study) -> None:
    suite, endpoint, key = make_suite(), make_endpoint(), uuid4()
    start_runs(empty, suite, {"candidate": endpoint}, key=key)

    with pytest.raises(RefusedRunError, match="another study"):
        start_runs(make_study("Other"), suite, {"candidate": endpoint}, key=key)


def test_what_is_rolled_back_leaves_neither_run_nor_job(empty: Study) -> None:
    suite, endpoint = make_suite(), make_endpoint()

    with transaction.atomic():
        start_runs(empty, suite, {"candidate": endpoint})
        transaction.set_rollback(True)

    assert (Run.objects.count(), Generation.objects.count(), queued()) == (0, 0, [])


PRICED: dict[str, Any] = {"input_price": Decimal(1), "output_price": Decimal(2)}


@pytest.mark.parametrize(
    ("study", "endpoint", "limit", "words"),
    [
        ({"state": State.CLOSED}, {}, None, "is closed"),
        ({}, {"archived_at": "2026-11-01T00:00Z"}, None, "is archived"),
        ({}, {}, Decimal(5), "has no prices"),
        ({}, PRICED, Decimal(5), "sets no max_tokens"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(
    study: dict[str, Any], endpoint: dict[str, Any], limit: Decimal | None, words: str
) -> None:
    with pytest.raises(RefusedRunError, match=words):
        start_runs(
            make_study("Runs", **study),
            make_suite(),
            {"candidate": make_endpoint(**endpoint)},
            cost_limit=limit,
        )

    assert Run.objects.count() == 0


def test_a_suite_without_cases_and_a_run_of_nothing_are_refused(empty: Study) -> None:
    with pytest.raises(RefusedRunError, match="has no cases"):
        start_runs(empty, suite_of([]), {"candidate": make_endpoint()})
    with pytest.raises(RefusedRunError, match="Choose an endpoint"):
        start_runs(empty, make_suite(), {})


# Asked and stored.


def test_both_systems_are_asked_in_turns_case_by_case(empty: Study, server: ModelServer) -> None:
    suite = suite_of(questions(6))
    old = served_by(server, "Old", model="old", concurrency=1)
    new = served_by(server, "New", model="new", concurrency=1)

    runs = start_runs(empty, suite, {"baseline": old, "candidate": new})
    work_on(runs, connect=here)

    order = [(int(call.case), call.body["model"]) for call in server.calls]
    # Each system has one call in flight, so neighbours may arrive the other way round.
    assert [case for case, _ in order] == sorted(case for case, _ in order)
    assert {model for _, model in order} == {"old", "new"}
    assert sorted(order) == [(n, m) for n in range(1, 7) for m in ("new", "old")]


def test_whoever_begins_a_case_changes_from_case_to_case(empty: Study) -> None:
    suite = suite_of(questions(4))
    service = make_endpoint(concurrency=1)
    asked: list[str] = []

    def note(connection: Connection, request: Request) -> Answer:
        asked.append(f"{request.parameters['who']}{request.messages[0]['content'][7]}")
        return answering()(connection, request)

    runs = start_runs(empty, suite, {"baseline": service, "candidate": service})
    for run in runs:
        Run.objects.filter(pk=run.pk).update(
            endpoint_settings=run.endpoint_settings | {"parameters": {"who": run.system[0]}}
        )
    work_on(runs, ask=note, connect=here)

    assert asked == ["b1", "c1", "c2", "b2", "b3", "c3", "c4", "b4"]


def test_neither_system_runs_ahead_of_the_other(empty: Study) -> None:
    suite = suite_of(questions(12))
    slow, fast = make_endpoint("Slow", concurrency=2), make_endpoint("Fast", concurrency=2)
    fast_cases: list[int] = []
    slow_cases: list[int] = []
    leads: list[int] = []

    def ask(connection: Connection, request: Request) -> Answer:
        case = int(request.messages[0]["content"].split(":")[1].split("]")[0])
        if connection.model == "slow":
            slow_cases.append(case)
            time.sleep(0.02)
        else:
            fast_cases.append(case)
            leads.append(case - max(slow_cases, default=0))
        return answering()(connection, request)

    Endpoint.objects.filter(pk=slow.pk).update(model="slow")
    slow.refresh_from_db()
    runs = start_runs(empty, suite, {"baseline": slow, "candidate": fast})
    work_on(runs, ask=ask, connect=here)

    assert (sorted(fast_cases), sorted(slow_cases)) == ([*range(1, 13)], [*range(1, 13)])
    assert max(leads) <= 3


def test_an_answer_is_stored_in_full(empty: Study) -> None:
    suite = make_suite(cases=1)
    calls = (Call("lookup", '{"city": "Osl', "call_7"),)
    ask = answering(
        text="Yes\0 and \ud83d.",
        tool_calls=calls,
        refusal="I would rather not.",
        finish_reason="length",
        latency_ms=812.5,
        first_token_ms=90.0,
        prompt_tokens=11,
        completion_tokens=3,
        logprobs=(Logprob("Yes", -0.5, (89,)), Logprob("\0", float("-inf"))),
        model="fern-2-2026",
        request_id="req-1",
    )
    service = make_endpoint(
        parameters={"max_tokens": 3}, input_price=Decimal(2), output_price=Decimal(10)
    )

    (run,) = start_runs(empty, suite, {"candidate": service})
    work_on([run], ask=ask, connect=here)

    answer, tried = Generation.objects.get(), Attempt.objects.get()
    assert (answer.text, answer.refusal) == ("Yes� and �.", "I would rather not.")
    assert answer.tool_calls == [{"name": "lookup", "arguments": '{"city": "Osl', "id": "call_7"}]
    assert answer.logprobs == [["Yes", -0.5, [89]], ["�", -9999.0, None]]
    assert (answer.finish_reason, answer.model, answer.tries) == ("length", "fern-2-2026", 1)
    assert (answer.prompt_tokens, answer.completion_tokens) == (11, 3)
    assert (answer.latency_ms, answer.first_token_ms, answer.cached) == (812.5, 90.0, False)
    assert answer.cost == Decimal("0.000052")
    assert (answer.error, answer.error_kind, answer.lane) == ("", "", None)
    assert (tried.number, tried.status, tried.latency_ms) == (1, 200, 812.5)
    assert tried.request_id == "req-1"
    run.refresh_from_db()
    assert (run.state, run.calls_made, run.cost_reserved) == ("done", 1, Decimal("0.000052"))


def test_what_is_sent_is_the_case_with_the_settings_of_when_the_run_began(
    empty: Study, server: ModelServer
) -> None:
    suite = suite_of(["Which city?"], tools=[{"type": "function", "function": {"name": "find"}}])
    service = served_by(server, model="first", parameters={"temperature": 0.5})
    (run,) = start_runs(empty, suite, {"candidate": service})
    Endpoint.objects.update(model="second", parameters={"temperature": 1})

    work_on([run], connect=here)

    (sent,) = [call.body for call in server.calls]
    assert sent["messages"] == [{"role": "user", "content": "Which city?"}]
    assert sent["tools"] == [{"type": "function", "function": {"name": "find"}}]
    assert (sent["model"], sent["temperature"]) == ("first", 0.5)


def test_answers_are_scored_as_they_come_and_runs_are_done(
    empty: Study, server: ModelServer
) -> None:
    suite = suite_of([*questions(3), "[[case:4]] [[fault:400]]"])

    run = run_alone(empty, suite, served_by(server))

    passed = Score.objects.order_by("generation__position").values_list("own", "passed")
    assert list(passed) == [(True, True), (True, True), (True, True), (True, False)]
    assert run.state == "done"
    assert run.ended_at is not None


def test_a_scorer_that_fails_does_not_fail_the_run(
    empty: Study, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(given: object) -> None:
        raise ValueError("This scorer is broken.")

    monkeypatch.setattr("evals.running.storing.score_generation", fail)
    monkeypatch.setattr("evals.running.ending.score_run", fail)

    (run,) = start_runs(empty, make_suite(cases=2), {"candidate": make_endpoint()})
    work_on([run], ask=answering(), connect=here)

    run.refresh_from_db()
    assert (run.state, Generation.objects.filter(text="yes").count()) == ("done", 2)


def test_what_was_not_scored_is_scored_at_the_end(
    empty: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.running.storing.score_generation", lambda given: None)

    (run,) = start_runs(empty, make_suite(cases=2), {"candidate": make_endpoint()})
    work_on([run], ask=answering(), connect=here)

    assert Score.objects.count() == 2


def test_a_fault_of_our_own_in_a_call_ends_its_case_and_nothing_else(empty: Study) -> None:
    def ask(connection: Connection, request: Request) -> Answer:
        if "2" in request.messages[0]["content"]:
            raise ValueError("Something nobody thought of.")
        return answering()(connection, request)

    (run,) = start_runs(empty, make_suite(cases=3), {"candidate": make_endpoint()})
    work_on([run], ask=ask, connect=here)

    run.refresh_from_db()
    errors = Generation.objects.exclude(error="").values_list("position", "error_kind", "error")
    assert list(errors) == [
        (2, "not_json", "The call broke off: ValueError: Something nobody thought of.")
    ]
    assert run.state == "done"


# Ended.


def test_a_cancelled_run_keeps_its_answers_and_asks_nothing_more(empty: Study) -> None:
    suite = suite_of(questions(10))
    (run,) = start_runs(empty, suite, {"candidate": make_endpoint(concurrency=2)})

    def ask(connection: Connection, request: Request) -> Answer:
        asked.append(request)
        return answering()(connection, request)

    def cancel_after_four() -> bool:
        if Generation.objects.filter(run=run, state="done").count() >= 4:
            cancel_run(run)
        return False

    asked: list[Request] = []
    work_on([run], ask=ask, connect=here, should_stop=cancel_after_four)

    run.refresh_from_db()
    done = Generation.objects.filter(state="done").count()
    assert run.state == "cancelled"
    assert run.ended_at is not None
    assert done == len(asked) < 10
    assert Generation.objects.filter(state="asked").count() == 0
    assert not cancel_run(run)


def test_an_ended_run_is_not_cancelled(empty: Study) -> None:
    (run,) = start_runs(empty, make_suite(cases=1), {"candidate": make_endpoint()})
    work_on([run], ask=answering(), connect=here)

    assert not cancel_run(run)
    run.refresh_from_db()
    assert run.state == "done"


def test_progress_counts_the_rows(empty: Study) -> None:
    suite = make_suite(cases=4)
    service = make_endpoint(parameters={"max_tokens": 5}, **PRICED)
    (run,) = start_runs(empty, suite, {"candidate": service})
    before = progress_of(run)
    seen: list[int] = []

    work_on(
        [run],
        ask=answering(prompt_tokens=1_000_000, completion_tokens=1_000_000),
        connect=here,
        watch=lambda progress: seen.append(progress.done),
    )

    after = progress_of(run)
    assert (before.total, before.done, before.pending, before.per_minute) == (4, 0, 4, None)
    assert (before.cost, before.cost_in_all, before.is_over) == (None, None, False)
    assert (after.done, after.calls, after.errors, after.is_over) == (4, 4, 0, True)
    assert (after.cost, after.cost_in_all) == (Decimal(12), Decimal(12))
    assert seen[-1] == 4


def test_cases_of_other_runs_are_left_alone(empty: Study) -> None:
    (first,) = start_runs(empty, make_suite(cases=2), {"candidate": make_endpoint()})
    (other,) = start_runs(empty, make_suite("more", 2), {"candidate": make_endpoint("Moss")})

    work_on([first], ask=answering(), connect=here)

    assert (progress_of(first).done, progress_of(other).done) == (2, 0)
    assert Case.objects.count() == 4
