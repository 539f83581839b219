"""A model judge on the page of a comparison: asked by an admin, told beside what scorers say."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotate.models import Study, User
from evals.endpoints import ensure_stand_ins
from evals.models import Endpoint, Run
from evals.running import work_in_lane
from tests.evals.factories import make_endpoint, make_run, make_suite
from tests.evals.judging_inputs import Pair, judged_runs
from tests.evals.running_inputs import answering, here

pytestmark = pytest.mark.django_db
WORDS = {"criteria": "whatever is right"}


@pytest.fixture
def judged(study: Study) -> Run:
    """A judge found the candidate better twice, the baseline once, and nobody once."""
    return judged_runs(study, [Pair(1), Pair(1), Pair(-1), Pair(0)])


def suite_id(study: Study) -> int:
    return Run.objects.get(study=study, number=1).suite_id


def page(client: Client, study: Study) -> str:
    response = client.get(reverse("comparison", args=[study.slug, suite_id(study)]))
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def ask(client: Client, study: Study, **fields: Any) -> Any:
    return client.post(
        reverse("comparison_judge", args=[study.slug, suite_id(study)]), WORDS | fields
    )


def test_the_page_says_what_a_judge_found(lena_client: Client, study: Study, judged: Run) -> None:
    text = page(lena_client, study)

    assert "some-judge run 3 , done 2 won, 1 tied, 1 lost 66.7 %" in text
    assert "0.0 % 0.0 to 60.2 4 pairs" in text
    assert "Ask the judge" not in text


def test_what_a_judge_said_is_read_once(
    lena_client: Client, study: Study, judged: Run, fresh_cache: None
) -> None:
    page(lena_client, study)

    with CaptureQueriesContext(
        connection,
    ) as again:
        page(lena_client, study)

    assert not [one["sql"] for one in again if '"evals_generation"."text"' in one["sql"]]


def test_an_admin_asks_a_judge_and_sees_what_it_says(
    adam_client: Client, adam: User, study: Study, judged: Run
) -> None:
    endpoint = make_endpoint("Fern", model="fern-1")

    response = ask(adam_client, study, endpoint=endpoint.pk, call_limit="50")

    run = Run.objects.get(system="judge", endpoint=endpoint)
    assert (run.started_by, run.call_limit, run.calls_made) == (adam, 50, 0)
    assert response["Location"] == reverse("run", args=[study.slug, run.number])
    assert "whatever is right" in run.suite.cases.earliest("position").metadata["criteria"]
    assert f"fern-1 run {run.number} , running" in page(adam_client, study)

    work_in_lane(run.pair, 0, ask=answering(text="[[A]]"), connect=here)

    text = page(adam_client, study)
    assert f"fern-1 run {run.number} , done 0 won, 4 tied, 0 lost" in text
    told = adam_client.get(response["Location"]).content.decode()
    assert f"/automated/{suite_id(study)}/?baseline=1&amp;candidate=2#judge" in told


def test_asked_twice_it_is_one_run(adam_client: Client, study: Study, judged: Run) -> None:
    endpoint = make_endpoint("Fern")

    first, second = (ask(adam_client, study, endpoint=endpoint.pk) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Run.objects.filter(system="judge", endpoint=endpoint).count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "This field is required."),
        ({"call_limit": "0"}, "greater than or equal to 1"),
        ({"criteria": "x" * 4_001}, "at most 4000 characters"),
    ],
)
def test_what_is_missing_is_said_beside_its_field(
    adam_client: Client, study: Study, judged: Run, fields: dict[str, str], words: str
) -> None:
    make_endpoint("Fern")

    response = ask(adam_client, study, **fields)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert '<details class="gap" open>' in response.content.decode()
    assert Run.objects.filter(system="judge").count() == 1


def test_equal_answers_need_no_judge(adam_client: Client, study: Study) -> None:
    suite, together = make_suite("capitals", 3), uuid4()
    for system in ("baseline", "candidate"):
        make_run(study, suite, system, pair=together, passed=[True, True, True])

    response = ask(adam_client, study, endpoint=make_endpoint("Fern").pk)

    assert response.status_code == 422
    assert "no case has two answers that differ" in response.content.decode()


def test_only_those_who_can_judge_are_offered(
    adam_client: Client, study: Study, judged: Run
) -> None:
    ensure_stand_ins()
    make_endpoint("Fern")
    make_endpoint("Moss", archived_at=timezone.now())

    offered = adam_client.get(reverse("comparison", args=[study.slug, suite_id(study)]))

    names = {one.name for one in offered.context["judge_form"].fields["endpoint"].queryset}
    assert names == {"Fern", "Stand-in, judge"}
    assert Endpoint.objects.count() == 5


def test_a_lead_asks_nobody(lena_client: Client, study: Study, judged: Run) -> None:
    assert ask(lena_client, study, endpoint=make_endpoint("Fern").pk).status_code == 404
    assert Run.objects.filter(system="judge").count() == 1
