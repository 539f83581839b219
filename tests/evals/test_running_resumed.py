"""Runs that ended before their time and go on: what has its answer is not asked again."""

from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from annotate.models import State, Study
from evals.models import Endpoint, Generation, Run
from evals.openai_client import Answer, Connection, Request
from evals.running import RefusedRunError, cancel_run, resume_runs, start_runs, work_on
from evals.running.lanes import Ask
from tests.evals.factories import make_endpoint
from tests.evals.running_inputs import answering, here, questions, suite_of
from tests.factories import make_study
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def empty(db: None) -> Study:
    return make_study("Runs")


def counting(asked: Counter[str]) -> Ask:
    def ask(connection: Connection, request: Request) -> Answer:
        asked[str(request.messages[-1]["content"])] += 1
        return answering()(connection, request)

    return ask


def stopped(study: Study, asked: Counter[str], **systems: Endpoint) -> list[Run]:
    """Runs of ten cases each that were allowed six calls."""
    runs = start_runs(study, suite_of(questions(10)), systems, call_limit=6)
    work_on(runs, ask=counting(asked), connect=here)
    return list(Run.objects.filter(pair=runs[0].pair).order_by("number"))


def test_a_run_that_came_to_its_limit_goes_on_and_pays_for_nothing_twice(empty: Study) -> None:
    asked: Counter[str] = Counter()
    (run,) = stopped(empty, asked, candidate=make_endpoint())
    assert (run.state, run.calls_made) == ("stopped", 6)

    (resumed,) = resume_runs(run, call_limit=10)
    work_on([resumed], ask=counting(asked), connect=here)

    run.refresh_from_db()
    assert (run.state, run.calls_made, run.stop_reason, run.pair) == ("done", 10, "", resumed.pair)
    assert set(asked.values()) == {1}
    assert len(asked) == 10


def test_both_of_a_pair_go_on_together_and_stay_a_pair(empty: Study) -> None:
    asked: Counter[str] = Counter()
    endpoint = make_endpoint()
    runs = stopped(empty, asked, baseline=endpoint, candidate=endpoint)

    resumed = resume_runs(runs[1])
    work_on(resumed, ask=counting(asked), connect=here)

    assert [run.number for run in resumed] == [1, 2]
    assert {run.pair for run in resumed} == {runs[0].pair}
    assert set(Run.objects.values_list("state", "calls_made")) == {("done", 10)}
    assert set(asked.values()) == {2}


def test_one_that_goes_on_after_the_other_has_ended_is_no_pair_with_it(empty: Study) -> None:
    endpoint = make_endpoint()
    both = {"baseline": endpoint, "candidate": endpoint}
    baseline, candidate = start_runs(empty, suite_of(questions(3)), both)
    cancel_run(candidate)
    work_on([baseline], ask=answering(), connect=here)

    (resumed,) = resume_runs(candidate)
    work_on([resumed], ask=answering(), connect=here)

    assert resumed.pair != baseline.pair
    assert set(Run.objects.values_list("state", flat=True)) == {"done"}
    assert Generation.objects.filter(state="done").count() == 6


def test_work_is_queued_with_the_run_that_goes_on(empty: Study) -> None:
    (run,) = start_runs(empty, suite_of(questions(2)), {"candidate": make_endpoint()})
    cancel_run(run)
    ProcrastinateJob.objects.all().delete()

    resume_runs(run)

    waiting = ProcrastinateJob.objects.filter(task_name="work_lane", status="todo")
    assert [job.args["pair"] for job in waiting] == [str(run.pair)]


def close(run: Run) -> None:
    Study.objects.filter(pk=run.study_id).update(state=State.CLOSED)


def archive(run: Run) -> None:
    Endpoint.objects.filter(runs=run).update(archived_at=timezone.now())


def move(run: Run) -> None:
    Endpoint.objects.filter(runs=run).update(base_url="https://elsewhere.example/v1")


@pytest.mark.parametrize(
    ("before", "limits", "words"),
    [
        (close, {}, "The study Runs is closed: open it again to go on."),
        (archive, {}, "The endpoint Fern is archived."),
        (move, {}, "The address of the endpoint Fern was changed since run 1 began."),
        (None, {"call_limit": 6}, "Run 1 has made 6 calls already: allow more than that."),
        (None, {"cost_limit": 5}, "has no prices, so no cost can be limited"),
    ],
)
def test_what_cannot_go_on_says_why(
    empty: Study, before: Any, limits: dict[str, Any], words: str
) -> None:
    (run,) = stopped(empty, Counter(), candidate=make_endpoint())
    if before:
        before(run)

    with pytest.raises(RefusedRunError, match=words):
        resume_runs(run, **limits)

    run.refresh_from_db()
    assert run.state == "stopped"


def test_a_run_that_is_done_or_running_has_nothing_to_go_on_with(empty: Study) -> None:
    (run,) = start_runs(empty, suite_of(questions(1)), {"candidate": make_endpoint()})
    with pytest.raises(RefusedRunError, match="Run 1 has nothing to go on with"):
        resume_runs(run)

    work_on([run], ask=answering(), connect=here)

    with pytest.raises(RefusedRunError, match="Run 1 has nothing to go on with"):
        resume_runs(run)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_many_who_resume_it_one_does() -> None:
    (run,) = start_runs(make_study("Runs"), suite_of(questions(2)), {"candidate": make_endpoint()})
    cancel_run(run)

    found = in_parallel(8, lambda number: resume_runs(run))

    assert sum(isinstance(one, list) for one in found) == 1
    assert sum(isinstance(one, RefusedRunError) for one in found) == 7


def test_an_admin_goes_on_from_the_page(adam_client: Client, empty: Study) -> None:
    (run,) = stopped(empty, Counter(), candidate=make_endpoint())
    page = reverse("run", args=[empty.slug, run.number])
    assert "6 calls so far" in adam_client.get(page).content.decode()
    address = reverse("run_resume", args=[empty.slug, run.number])

    too_few = adam_client.post(address, {"call_limit": "6"})
    assert too_few.status_code == 409
    assert "allow more than that" in too_few.content.decode()
    assert adam_client.post(address, {"call_limit": "none"}).status_code == 422
    response = adam_client.post(address, {"call_limit": "20"}, follow=True)

    assert "Run 1 goes on: only what is missing is asked." in response.content.decode()
    run.refresh_from_db()
    assert (run.state, run.call_limit) == ("running", 20)


def test_a_lead_is_offered_no_such_thing(lena_client: Client, empty: Study) -> None:
    (run,) = stopped(empty, Counter(), candidate=make_endpoint())

    page = lena_client.get(reverse("run", args=[empty.slug, run.number])).content.decode()

    assert "Go on with the rest" not in page
