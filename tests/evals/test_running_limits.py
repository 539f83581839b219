"""What a run may do at most: calls, costs, calls at a time, calls a minute, tries, patience."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from annotate.models import Study
from evals.models import Attempt, Endpoint, Generation, Run
from evals.openai_client import Answer, CallError, Connection, ErrorKind, Request
from evals.running import patience, start_runs, work_on
from evals.running.lanes import Ask
from evals.running.terms import settings_of, terms_of
from tests.evals.factories import make_endpoint
from tests.evals.model_server import ModelServer
from tests.evals.running_inputs import (
    answering,
    forget_waiting,
    here,
    questions,
    run_alone,
    served_by,
    suite_of,
)
from tests.factories import make_study

pytestmark = pytest.mark.django_db

PRICED: dict[str, Any] = {
    "input_price": Decimal(1),
    "output_price": Decimal(1000),
    "parameters": {"max_tokens": 1000},
}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as started:
        yield started


@pytest.fixture
def empty(db: None) -> Study:
    return make_study("Runs")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries and pauses as in life, a hundred times as fast."""
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.1)


def failing(kind: ErrorKind, times: int = 10**6, **more: Any) -> tuple[Ask, list[str]]:
    """A service that fails so often in this way, then answers; and what it was asked."""
    asked: list[str] = []

    def ask(connection: Connection, request: Request) -> Answer:
        asked.append(request.messages[0]["content"])
        if len(asked) <= times:
            raise CallError(kind, f"It failed: {kind}.", **more)
        return answering()(connection, request)

    return ask, asked


def run_with(study: Study, ask: Ask, cases: int = 1, **fields: Any) -> Run:
    service = make_endpoint(concurrency=1, **fields)
    (run,) = start_runs(study, suite_of(questions(cases)), {"candidate": service})
    work_on([run], ask=ask, connect=here)
    run.refresh_from_db()
    return run


# Calls and costs.


def test_at_its_limit_of_calls_a_run_stops_with_the_reason(
    empty: Study, server: ModelServer
) -> None:
    run = run_alone(empty, suite_of(questions(9)), served_by(server), call_limit=5)

    assert (run.state, run.calls_made, server.count()) == ("stopped", 5, 5)
    assert run.stop_reason == "All 5 calls that were allowed were made."
    assert Generation.objects.filter(state="done").count() == 5
    assert Generation.objects.filter(state="asked").count() == 0


def test_a_run_that_needs_just_its_limit_is_done(empty: Study, server: ModelServer) -> None:
    run = run_alone(empty, suite_of(questions(5)), served_by(server), call_limit=5)

    assert (run.state, run.calls_made, run.stop_reason) == ("done", 5, "")


@pytest.mark.usefixtures("hasty")
def test_tries_count_as_calls(empty: Study, server: ModelServer) -> None:
    suite = suite_of(questions(3, "500-once"))
    run = run_alone(empty, suite, served_by(server, concurrency=1), call_limit=4)

    assert (run.state, run.calls_made, server.count()) == ("stopped", 4, 4)


def test_no_call_leaves_that_might_break_the_limit_of_cost(empty: Study) -> None:
    # A call may cost 1.000…; each answer costs 0.1.
    service = make_endpoint(concurrency=1, **PRICED)
    (run,) = start_runs(
        empty, suite_of(questions(30)), {"candidate": service}, cost_limit=Decimal(2)
    )
    work_on([run], ask=answering(prompt_tokens=0, completion_tokens=100), connect=here)

    run.refresh_from_db()
    # Ten answers cost 1; one more call might have cost 1.0001, and did not leave.
    assert (run.state, run.calls_made, run.cost_reserved) == ("stopped", 10, Decimal(1))
    assert run.stop_reason.startswith("The next call could cost up to 1.0001, and 1.0000 of 2.0000")


def test_what_is_in_flight_is_waited_for_before_a_limit_of_cost_stops_a_run(empty: Study) -> None:
    service = make_endpoint(concurrency=8, **PRICED)
    (run,) = start_runs(
        empty, suite_of(questions(12)), {"candidate": service}, cost_limit=Decimal(3)
    )
    work_on([run], ask=answering(prompt_tokens=0, completion_tokens=10), connect=here)

    run.refresh_from_db()
    assert (run.state, run.calls_made, run.cost_reserved) == ("done", 12, Decimal("0.12"))


def test_an_answer_that_does_not_say_its_tokens_costs_what_was_reserved(empty: Study) -> None:
    service = make_endpoint(**PRICED)
    (run,) = start_runs(empty, suite_of(["Hi"]), {"candidate": service}, cost_limit=Decimal(2))
    work_on([run], ask=answering(), connect=here)

    run.refresh_from_db()
    assert Generation.objects.get().cost is None
    assert Decimal(1) < run.cost_reserved < Decimal("1.001")


@pytest.mark.parametrize(("kind", "cost"), [("bad_request", 0), ("too_large", 1)])
def test_a_refused_call_is_free_and_a_broken_one_is_not(
    empty: Study, kind: ErrorKind, cost: int
) -> None:
    ask, _ = failing(kind)
    run = run_with(empty, ask, **PRICED)

    assert int(run.cost_reserved) == cost


def test_the_bound_of_a_call_is_never_below_its_cost() -> None:
    terms = terms_of(settings_of(make_endpoint(**PRICED)))

    # A token is at least a byte; 1,000 tokens may be generated.
    assert terms.bound(500) >= (terms.price_of(500, 1000) or 0)


# Calls at a time, calls a minute.


def test_an_endpoint_never_has_more_calls_than_it_may(empty: Study) -> None:
    busy, most, lock = 0, 0, threading.Lock()

    def ask(connection: Connection, request: Request) -> Answer:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.01)
        with lock:
            busy -= 1
        return answering()(connection, request)

    service = make_endpoint(concurrency=3)
    suite = suite_of(questions(15))
    runs = start_runs(empty, suite, {"baseline": service, "candidate": service})
    work_on(runs, ask=ask, connect=here)

    assert most == 3


def test_requests_of_a_minute_are_spread_over_it(empty: Study) -> None:
    at: list[float] = []

    def ask(connection: Connection, request: Request) -> Answer:
        at.append(time.monotonic())
        return answering()(connection, request)

    # One each 50 ms, though eight might be in flight.
    run_with(empty, ask, cases=6, requests_per_minute=1200)

    gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert sum(gaps) >= 5 * 0.05 - 0.01
    assert min(gaps) > 0.02


# Tries.


@pytest.mark.usefixtures("hasty")
def test_what_failed_for_a_moment_is_tried_again_and_told_apart(
    empty: Study, server: ModelServer
) -> None:
    suite = suite_of(["[[case:1]] [[fault:500-once]]", "[[case:2]]"])

    run_alone(empty, suite, served_by(server))

    retried, plain = Generation.objects.order_by("position")
    tries = retried.attempts.order_by("number")
    assert (retried.tries, retried.text, retried.error) == (2, "Answer to 1", "")
    assert (plain.tries, plain.text) == (1, "Answer to 2")
    assert [(one.status, one.error_kind) for one in tries] == [(500, "server_error"), (200, "")]
    # Of the last try alone.
    assert retried.latency_ms == tries[1].latency_ms
    assert retried.latency_ms is not None
    assert all(one.ended_at is not None for one in tries)


@pytest.mark.usefixtures("hasty")
def test_after_all_tries_the_error_is_the_answer(empty: Study) -> None:
    ask, asked = failing("timeout", status=None, latency_ms=5000.0)
    run = run_with(empty, ask, max_tries=3)

    answer = Generation.objects.get()
    assert (len(asked), answer.tries, answer.state) == (3, 3, "done")
    assert (answer.error_kind, answer.error) == ("timeout", "It failed: timeout.")
    assert (answer.text, answer.latency_ms) == (None, None)
    assert run.state == "done"


def test_what_will_fail_again_is_not_tried_again(empty: Study) -> None:
    ask, asked = failing("bad_request", status=400)
    run_with(empty, ask, cases=2)

    assert len(asked) == 2
    assert set(Generation.objects.values_list("error_kind", "tries")) == {("bad_request", 1)}


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_a_case_waits_longer_each_time_and_never_less_than_was_asked_for(failures: int) -> None:
    plain = [patience.delay_after(CallError("timeout", ""), failures) for _ in range(200)]
    asked = CallError("rate_limited", "", retry_after=30)
    polite = [patience.delay_after(asked, failures) for _ in range(200)]

    ceiling = timedelta(seconds=2 ** (failures - 1))
    assert timedelta(0) <= min(plain) < ceiling / 4
    assert ceiling * 3 / 4 < max(plain) <= ceiling
    assert min(polite) >= timedelta(seconds=30)


def test_no_service_may_ask_for_more_than_ten_minutes() -> None:
    endless = CallError("rate_limited", "", retry_after=86_400)

    assert patience.delay_after(endless, 1) <= timedelta(seconds=601)


def test_retry_after_holds_for_the_case_and_for_the_whole_service(
    empty: Study, server: ModelServer
) -> None:
    server.retry_after = "120"
    service = served_by(server, concurrency=1)
    suite = suite_of(questions(3, "429-once"))
    (run,) = start_runs(empty, suite, {"candidate": service})
    seen: list[int] = []

    def asked_once() -> bool:
        seen.append(server.count())
        return server.count() > 0 and len(seen) > 5

    work_on([run], connect=here, should_stop=asked_once)

    waiting = Generation.objects.filter(state="pending", tries=1)
    assert server.count() == 1
    assert waiting.filter(not_before__gte=Now() + timedelta(seconds=118)).count() == 1
    paused = Endpoint.objects.filter(next_request_at__gte=Now() + timedelta(seconds=118))
    assert paused.count() == 1

    forget_waiting()
    server.choose = lambda call: "fine"
    work_on([run], connect=here)
    assert server.count() == 4


# Patience.


@pytest.mark.parametrize("kind", ["unauthorised", "refused_address", "no_key"])
def test_calls_that_are_all_refused_end_the_run_early(empty: Study, kind: ErrorKind) -> None:
    ask, asked = failing(kind)
    run = run_with(empty, ask, cases=200)

    assert (run.state, len(asked)) == ("stopped", 5)
    assert run.stop_reason == f"5 calls in a row were refused: It failed: {kind}."


def test_a_refusal_among_answers_ends_nothing(empty: Study) -> None:
    def ask(connection: Connection, request: Request) -> Answer:
        if "3]" in request.messages[0]["content"]:
            return answering()(connection, request)
        raise CallError("unauthorised", "No.")

    run = run_with(empty, ask, cases=7)

    assert run.state == "done"


def test_a_key_that_is_missing_is_an_error_of_each_case_until_the_run_stops(empty: Study) -> None:
    def without_key(endpoint: Endpoint) -> Connection:
        raise CallError("no_key", "The variable FERN_KEY is not set.")

    (run,) = start_runs(empty, suite_of(questions(20)), {"candidate": make_endpoint()})
    work_on([run], connect=without_key)

    run.refresh_from_db()
    assert run.state == "stopped"
    assert "FERN_KEY" in run.stop_reason
    assert set(Generation.objects.filter(state="done").values_list("error_kind")) == {("no_key",)}


@pytest.mark.usefixtures("hasty")
def test_a_service_that_is_away_is_asked_one_call_at_a_time_until_it_is_back(empty: Study) -> None:
    busy, lock, back = 0, threading.Lock(), [False]
    together: list[int] = []

    def ask(connection: Connection, request: Request) -> Answer:
        nonlocal busy
        with lock:
            busy += 1
            together.append(busy)
            back[0] = len(together) > 40
        time.sleep(0.005)
        with lock:
            busy -= 1
        if not back[0]:
            raise CallError("unreachable", "Nobody is there.")
        return answering()(connection, request)

    service = make_endpoint(concurrency=8)
    (run,) = start_runs(empty, suite_of(questions(40)), {"candidate": service})
    work_on([run], ask=ask, connect=here)

    run.refresh_from_db()
    service.refresh_from_db()
    # At the first failures all places were taken; from then on one probe at a time.
    assert set(together[18:41]) == {1}
    assert (run.state, service.failures_in_a_row) == ("done", 0)
    assert Generation.objects.filter(error="").count() == 40


@pytest.mark.usefixtures("hasty")
def test_a_service_that_stays_away_ends_the_run_at_last(
    empty: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.running.storing.GIVE_UP", 15)
    ask, asked = failing("unreachable")
    run = run_with(empty, ask, cases=100)

    assert (run.state, len(asked)) == ("stopped", 15)
    assert run.stop_reason == (
        "The last 15 calls in a row brought no answer: It failed: unreachable."
    )


def test_pauses_grow_and_stop_growing() -> None:
    pauses = [patience.pause_after(failures).total_seconds() for failures in (9, 10, 11, 12, 60)]

    assert pauses == [0, 5, 10, 20, 300]


Change = Callable[[Endpoint], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_url": "https://elsewhere.example/v1"}, "address of the endpoint Fern was changed"),
        ({"archived_at": Now()}, "endpoint Fern was archived"),
    ],
)
def test_a_run_is_of_one_service_and_stops_when_that_is_changed(
    empty: Study, change: dict[str, Any], words: str
) -> None:
    def ask(connection: Connection, request: Request) -> Answer:
        asked.append(connection.base_url)
        return answering()(connection, request)

    asked: list[str] = []
    service = make_endpoint(concurrency=1)
    (run,) = start_runs(empty, suite_of(questions(9)), {"candidate": service})

    def change_after_three() -> bool:
        if len(asked) >= 3:
            Endpoint.objects.update(**change)
        return False

    work_on([run], ask=ask, connect=here, should_stop=change_after_three)

    run.refresh_from_db()
    assert run.state == "stopped"
    assert words in run.stop_reason
    assert len(set(asked)) == 1


def test_tries_of_dead_workers_are_no_failures_of_the_service(
    empty: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.01)
    ask, asked = failing("timeout", times=2)
    service = make_endpoint(max_tries=3)
    (run,) = start_runs(empty, suite_of(questions(1)), {"candidate": service})
    generation = Generation.objects.get()
    for number in (1, 2):
        Attempt.objects.create(
            generation=generation, number=number, error_kind="lost", ended_at=Now()
        )
    Generation.objects.update(tries=F("tries") + 2)

    work_on([run], ask=ask, connect=here)

    generation.refresh_from_db()
    assert (len(asked), generation.tries, generation.error) == (3, 5, "")
