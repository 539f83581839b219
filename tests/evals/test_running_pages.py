"""Pages of runs: the list, a new one, how it goes on, what it answered, its end."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotate.models import Role, State, Study
from evals.models import Endpoint, Generation, Run, Suite
from evals.openai_client import Answer, CallError, Connection, Request
from evals.running import cancel_run, start_runs, work_on
from tests.conftest import client_of
from tests.evals.factories import make_endpoint, make_run, make_suite
from tests.evals.model_server import ModelServer
from tests.evals.running_inputs import answering, here, questions, served_by, suite_of
from tests.factories import assign, make_study, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as started:
        yield started


@pytest.fixture
def empty(db: None) -> Study:
    return make_study("Runs")


def text_of(response: Any) -> str:
    words = unescape(re.sub("<[^>]+>", " ", response.content.decode()))
    return re.sub(r"\s+", " ", words).replace("\u202f", " ")


def address(name: str, study: Study, number: int | None = None) -> str:
    return reverse(name, args=[study.slug] if number is None else [study.slug, number])


def chosen(suite: Any, **fields: Any) -> dict[str, Any]:
    return {"key": str(uuid4()), "suite": suite.pk, **fields}


def finished(study: Study, cases: int = 4, **fields: Any) -> Run:
    """A run of a service that answers at once, but for the second case."""

    def ask(connection: Connection, request: Request) -> Answer:
        if "[[case:2]]" in request.messages[0]["content"]:
            raise CallError("bad_request", "The service answered 400: no such thing.", status=400)
        return answering(**fields)(connection, request)

    service = make_endpoint(concurrency=1)
    (run,) = start_runs(study, suite_of(questions(cases)), {"candidate": service})
    work_on([run], ask=ask, connect=here)
    run.refresh_from_db()
    return run


# Starting.


def test_an_admin_starts_both_systems_and_is_led_to_the_run(
    empty: Study, adam_client: Client
) -> None:
    suite, old, new = make_suite(), make_endpoint("Old"), make_endpoint("New")

    form = chosen(suite, baseline=old.pk, candidate=new.pk, call_limit="50")
    sent = adam_client.post(address("run_new", empty), form)

    runs = Run.objects.order_by("number")
    assert [(run.system, run.endpoint, run.call_limit) for run in runs] == [
        ("baseline", old, 50),
        ("candidate", new, 50),
    ]
    assert str(runs[0].started_by) == "Adam"
    assert (sent.status_code, sent["Location"]) == (303, address("run", empty, 2))


def test_the_button_pressed_twice_is_one_run(empty: Study, adam_client: Client) -> None:
    form = chosen(make_suite(), candidate=make_endpoint().pk)

    answers = [adam_client.post(address("run_new", empty), form)["Location"] for _ in range(2)]

    assert Run.objects.count() == 1
    assert answers == [address("run", empty, 1)] * 2


def test_calls_and_cost_are_told_before_anything_starts(empty: Study, adam_client: Client) -> None:
    suite = make_suite(cases=6)
    service = make_endpoint(
        max_tries=3, input_price=1, output_price=10, parameters={"max_tokens": 100_000}
    )
    form = chosen(suite, candidate=service.pk)

    page = adam_client.get(address("run_new", empty), form)
    region = adam_client.get(address("run_new", empty), form, headers=HTMX)

    for answer in (page, region):
        assert "6 18 if every case needs all its tries" in text_of(answer)
        assert "at most 6.00" in text_of(answer)
    assert region.content.strip().startswith(b'<div id="forecast"')
    assert form["key"] in page.content.decode()
    assert Run.objects.count() == 0


def test_the_cost_of_earlier_answers_is_expected_again(empty: Study, adam_client: Client) -> None:
    suite = make_suite(cases=2)
    service = make_endpoint(input_price=0, output_price=1000)
    (run,) = start_runs(empty, suite, {"candidate": service})
    work_on([run], ask=answering(prompt_tokens=5, completion_tokens=250), connect=here)

    told = adam_client.get(address("run_new", empty), chosen(suite, candidate=service.pk))

    assert (
        "about 0.50 in the currency of the prices; 250 tokens an answer, as in its runs so far"
        in text_of(told)
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose an endpoint for one of the systems"),
        ({"candidate": True, "cost_limit": "5"}, "has no prices"),
        ({"candidate": True, "call_limit": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_started_is_said_and_what_was_chosen_stays(
    empty: Study, adam_client: Client, fields: dict[str, Any], words: str
) -> None:
    suite, endpoint = make_suite(), make_endpoint()
    fields = fields | ({"candidate": endpoint.pk} if "candidate" in fields else {})

    sent = adam_client.post(address("run_new", empty), chosen(suite, **fields))

    assert sent.status_code == 422
    assert words in text_of(sent)
    assert f'<option value="{suite.pk}" selected' in sent.content.decode()
    assert Run.objects.count() == 0


def test_a_lead_sees_the_form_and_cannot_start(empty: Study, lena_client: Client) -> None:
    page = lena_client.get(address("run_new", empty))

    assert "An admin starts runs." in text_of(page)
    assert lena_client.post(address("run_new", empty), {}).status_code == 404


def test_in_a_closed_study_nothing_is_started(adam_client: Client) -> None:
    closed = make_study("Closed", state=State.CLOSED)
    form = chosen(make_suite(), candidate=make_endpoint().pk)

    sent = adam_client.post(address("run_new", closed), form)

    assert sent.status_code == 422
    assert "is closed" in text_of(sent)


def test_the_last_choice_is_offered_again(empty: Study, adam_client: Client) -> None:
    finished(empty)

    page = adam_client.get(address("run_new", empty)).content.decode()

    (run,) = Run.objects.all()
    assert f'<option value="{run.endpoint_id}" selected' in page
    assert f'<option value="{run.suite_id}" selected' in page


def test_suites_that_were_derived_for_a_judge_are_not_offered(
    empty: Study, adam_client: Client
) -> None:
    derived, plain = make_suite("derived"), make_suite("plain")
    Suite.objects.create(
        name="for-a-judge", version=1, title="For a judge", digest="0" * 64,
        format=Suite.DERIVED, case_count=1,
    )  # fmt: skip
    judge = make_endpoint("Judge")
    start_runs(empty, Suite.objects.get(name="derived"), {"judge": judge})

    page = adam_client.get(address("run_new", empty)).content.decode()

    assert "For a judge" not in page
    assert f'<option value="{plain.pk}"' in page
    assert f'<option value="{derived.pk}" selected' not in page


# The list.


def test_the_list_names_every_run_with_its_state(empty: Study, lena_client: Client) -> None:
    before = lena_client.get(address("runs", empty))
    finished(empty)
    make_run(empty, make_suite(cases=3), "baseline")
    start_runs(empty, suite_of(questions(5), "later"), {"candidate": make_endpoint("Moss")})

    page = text_of(lena_client.get(address("runs", empty)))

    assert "No suite has been put to the systems yet" in text_of(before)
    assert "Three runs, one under way" in page
    assert "Run 3 later, v1 Candidate fern-2 Running 0 of 5 cases 0" in page
    assert "Run 2 capitals, v1 Baseline baseline-model Imported 3 cases 0" in page
    assert "Run 1 questions, v1 Candidate fern-2 Done 4 cases 1" in page


# One run.


def test_a_running_run_shows_how_far_it_is_and_asks_again(
    empty: Study, adam_client: Client
) -> None:
    suite = suite_of(questions(6))
    service = make_endpoint(concurrency=1, input_price=0, output_price=500_000)
    (run,) = start_runs(empty, suite, {"candidate": service})

    def four_are_done() -> bool:
        return Generation.objects.filter(state="done").count() >= 4

    work_on(
        [run],
        ask=answering(prompt_tokens=0, completion_tokens=2),
        connect=here,
        should_stop=four_are_done,
    )

    page = adam_client.get(address("run", empty, 1))
    region = adam_client.get(address("run_progress", empty, 1), headers=HTMX)

    for answer in (page, region):
        assert "4 of 6 cases answered" in text_of(answer)
        assert 'value="4" max="6"' in answer.content.decode()
        assert "4.00 in the currency of the prices, about 6.00 in all" in text_of(answer)
        assert f'hx-get="{address("run_progress", empty, 1)}"' in answer.content.decode()
    assert region.content.strip().startswith(b'<div id="run-progress"')
    assert "<html" not in region.content.decode()
    assert "Cancel run 1?" in text_of(page)


def test_an_ended_run_is_not_asked_for_again(empty: Study, adam_client: Client) -> None:
    finished(empty)

    page = adam_client.get(address("run", empty, 1))
    region = adam_client.get(address("run_progress", empty, 1), headers=HTMX)

    assert "3 of 4 cases answered, 1 ended in an error" in text_of(page)
    for answer in (page, region):
        assert 'hx-trigger="every' not in answer.content.decode()
        assert "Cancel the run" not in text_of(answer)


def test_without_javascript_the_progress_is_the_page(empty: Study, adam_client: Client) -> None:
    finished(empty)

    plain = adam_client.get(address("run_progress", empty, 1))

    assert (plain.status_code, plain["Location"]) == (302, address("run", empty, 1))


def test_errors_are_counted_by_kind_and_lead_to_their_cases(
    empty: Study, adam_client: Client
) -> None:
    finished(empty)

    page = adam_client.get(address("run", empty, 1))
    (link,) = re.findall(r'href="([^"]*kind=bad_request[^"]*)"', page.content.decode())
    cases = adam_client.get(unescape(link.split("#")[0]))

    assert "1 case 25.0 % of 4, 0.6 to 80.6 counted as failed" in text_of(page)
    assert "The request was refused 1 try. The service answered 400" in text_of(page)
    listed = text_of(cases).split("All answers")[1]
    assert "questions-2" in listed
    assert "questions-1" not in listed


@pytest.mark.parametrize(
    ("show", "numbers"),
    [("all", "1234"), ("errors", "2"), ("failed", "1234"), ("truncated", "134"), ("unscored", "")],
)
def test_answers_are_chosen_by_what_became_of_them(
    empty: Study, adam_client: Client, show: str, numbers: str
) -> None:
    finished(empty, finish_reason="length")

    page = text_of(adam_client.get(address("run", empty, 1), {"show": show}))

    listed = page.split("All answers")[1]
    assert "".join(re.findall(r"questions-(\d)", listed)) == numbers


def test_long_lists_come_in_pages(empty: Study, adam_client: Client) -> None:
    finished(empty, cases=60)

    second = text_of(adam_client.get(address("run", empty, 1), {"page": "2"}))

    assert "26 to 50 of 60" in second
    assert "questions-26 " in second
    assert "questions-25 " not in second


@pytest.mark.parametrize("query", [{"show": "secrets"}, {"page": "x"}])
def test_words_that_are_none_are_refused(
    empty: Study, adam_client: Client, query: dict[str, str]
) -> None:
    finished(empty)

    assert adam_client.get(address("run", empty, 1), query).status_code == 400


def test_latencies_have_intervals_and_p99_waits_for_enough_requests(
    empty: Study, adam_client: Client
) -> None:
    few = finished(empty, cases=40)
    many = make_run(empty, make_suite(cases=400), latencies=[float(n) for n in range(1, 401)])

    page = text_of(adam_client.get(address("run", empty, few.number)))
    enough = text_of(adam_client.get(address("run", empty, many.number)))

    assert "39 requests, p99 needs 299" in page
    # The 99th percentile of 1 … 400 and its order statistics.
    assert re.search(r"99th percentile 396 ms 39\d to (399|400) 400 requests", enough)
    assert re.search(r"Median latency 20[01] ms 18\d to 22\d 400 requests", enough)


def test_retries_and_caches_give_no_latency_and_that_is_said(
    empty: Study, adam_client: Client
) -> None:
    run = make_run(empty, make_suite(cases=4), latencies=[100.0] * 4)
    other = make_run(empty, make_suite("b", 3), latencies=[])
    for number, fields in enumerate(({"tries": 2}, {"tries": 1, "cached": True}), 5):
        case = make_suite(f"more-{number}", 1).cases.get()
        Generation.objects.create(
            run=run, case=case, position=number, state="done", text="4", latency_ms=900.0,
            done_at=timezone.now(), **fields,
        )  # fmt: skip

    page = text_of(adam_client.get(address("run", empty, run.number)))
    none = text_of(adam_client.get(address("run", empty, other.number)))

    assert "Left out: 1 answer from a cache, 1 answer of a retry." in page
    assert "Median latency 100 ms 4 requests" in page
    assert "No latency was measured." in none


def test_the_histogram_shows_both_systems_of_a_pair(
    empty: Study, adam_client: Client, server: ModelServer
) -> None:
    service = served_by(server)
    runs = start_runs(empty, suite_of(questions(8)), {"baseline": service, "candidate": service})
    work_on(runs, connect=here)

    page = adam_client.get(address("run", empty, 2)).content.decode()

    assert "candidate-model-v2, this run" in page
    assert "baseline-model-v1, run 1" in page
    assert 'class="w-c"' in page
    assert 'class="line-b"' in page


def test_a_stopped_run_says_why(empty: Study, adam_client: Client) -> None:
    (run,) = start_runs(
        empty, suite_of(questions(5)), {"candidate": make_endpoint(concurrency=1)}, call_limit=2
    )
    work_on([run], ask=answering(), connect=here)

    page = text_of(adam_client.get(address("run", empty, 1)))

    assert "Stopped after 2 of 5 cases" in page
    assert "All 2 calls that were allowed were made." in page


def test_what_waits_for_another_try_says_why(empty: Study, adam_client: Client) -> None:
    def ask(connection: Connection, request: Request) -> Answer:
        raise CallError("server_error", "The service answered 503: come back later.", status=503)

    (run,) = start_runs(empty, suite_of(questions(5)), {"candidate": make_endpoint()})

    def one_has_failed() -> bool:
        return Generation.objects.filter(state="pending", tries=1).exists()

    work_on([run], ask=ask, connect=here, should_stop=one_has_failed)

    page = text_of(adam_client.get(address("run", empty, 1)))

    assert "Some cases wait for another try. The last failure: The service answered 503" in page


def test_an_answer_is_shown_as_text_whatever_it_holds(empty: Study, adam_client: Client) -> None:
    finished(empty, text="<script>alert(1)</script><img src=x>")

    page = adam_client.get(address("run", empty, 1)).content.decode()

    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;alert(1)" in page


# Its end.


def test_an_admin_cancels_a_run_or_both_of_a_pair(empty: Study, adam_client: Client) -> None:
    service = make_endpoint()
    first = start_runs(empty, make_suite(), {"baseline": service, "candidate": service})
    second = start_runs(empty, make_suite(), {"baseline": service, "candidate": service})

    adam_client.post(address("run_cancel", empty, first[0].number))
    adam_client.post(address("run_cancel", empty, second[0].number), {"both": "1"})

    states = Run.objects.order_by("number").values_list("state", flat=True)
    assert list(states) == ["cancelled", "running", "cancelled", "cancelled"]
    page = text_of(adam_client.get(address("run", empty, first[0].number)))
    assert "Cancelled after 0 of 6 cases" in page


def test_what_has_ended_cannot_be_cancelled(empty: Study, adam_client: Client) -> None:
    run = finished(empty)

    sent = adam_client.post(address("run_cancel", empty, run.number))

    assert sent.status_code == 409
    assert not cancel_run(run)


def test_a_lead_who_judges_does_not_see_results(empty: Study) -> None:
    judy = make_user("Judy", role=Role.LEAD)
    assign(empty, judy)
    finished(empty)

    client = client_of(judy)
    assert client.get(address("run", empty, 1)).status_code == 403
    assert client.get(address("run_progress", empty, 1), headers=HTMX).status_code == 403
    assert client.get(address("runs", empty)).status_code == 200


def test_a_page_of_a_run_asks_the_database_as_often_for_many_answers_as_for_few(
    empty: Study, adam_client: Client, django_assert_max_num_queries: Any
) -> None:
    finished(empty, cases=3)
    make_run(empty, make_suite(cases=200))

    for number in (1, 2):
        with django_assert_max_num_queries(30):
            adam_client.get(address("run", empty, number))


def test_prices_of_the_endpoint_are_those_of_when_the_run_began(empty: Study) -> None:
    service = make_endpoint(input_price=0, output_price=500_000)
    (run,) = start_runs(empty, make_suite(cases=1), {"candidate": service})
    Endpoint.objects.update(output_price=900_000)

    work_on([run], ask=answering(prompt_tokens=0, completion_tokens=1), connect=here)

    assert Generation.objects.get().cost == Decimal("0.5")
