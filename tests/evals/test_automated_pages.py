"""Pages of automated evaluation: findings, cases, what they refuse and what they cost."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import Study
from evals.models import Run, Suite
from tests.evals.comparing_inputs import HOSTILE, calling, knowledge, lone
from tests.evals.factories import make_run, make_suite

pytestmark = pytest.mark.django_db
Counting = Callable[..., AbstractContextManager[Any]]


def get(client: Client, name: str, study: Study, *parts: object, query: str = "") -> str:
    response = client.get(reverse(name, args=[study.slug, *parts]) + query)
    assert response.status_code == 200, (name, query)
    return response.content.decode()


def status(client: Client, name: str, study: Study, *parts: object, query: str = "") -> int:
    return client.get(reverse(name, args=[study.slug, *parts]) + query).status_code


def h1(text: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def listed(text: str) -> list[str]:
    return re.findall(r"<h2><a [^>]*><bdi>([^<]*)</bdi>", text)


def test_a_study_without_runs_says_what_it_waits_for(lena_client: Client, study: Study) -> None:
    text = get(lena_client, "automated", study)

    assert h1(text) == "No suite has been run in this study yet"
    assert f"manage.py evaluate {study.slug} --suite general_knowledge" in text


def test_the_overview_names_the_regression_and_what_is_not_answered(
    lena_client: Client, study: Study
) -> None:
    knowledge(study)
    calling(study)
    lone(study)

    text = plain(get(lena_client, "automated", study))

    assert "The candidate has regressed in history (knowledge)" in text
    assert "No run of the candidate is finished yet." in text
    assert "One category: regressed" in text
    assert "Four categories: not enough cases" in text
    assert "Not measured yet" not in text


def test_what_no_suite_has_measured_is_told_with_its_command(
    lena_client: Client, study: Study
) -> None:
    knowledge(study)

    text = plain(get(lena_client, "automated", study))

    assert "Adversarial robustness Needs cases of a category named adversarial." in text
    assert "General abilities Needs" not in text


def test_a_comparison_flags_one_category_with_its_words(lena_client: Client, study: Study) -> None:
    text = get(lena_client, "comparison", study, knowledge(study).pk)

    assert h1(text) == "The candidate has regressed in history"
    assert len(re.findall(r"</svg>\s*Regressed</span>", text)) == 1
    assert len(re.findall(r"</svg>\s*Not enough cases</span>", text)) == 4
    assert "surely by more than 5\u202fpoints" in text
    assert "No verdict on p99: the smaller side has 50 requests, 249 too few." in text
    assert "The two were not asked in turns" in text


def test_unscored_cases_and_errors_are_counted_on_the_page(
    lena_client: Client, study: Study
) -> None:
    text = plain(get(lena_client, "comparison", study, calling(study).pk))

    assert "1 case of 30 has no score that passes or fails" in text
    assert "the schema of the case cannot be read" in text
    assert "No answer within 60 s." in text


def test_a_scorer_is_chosen_by_its_name_or_number(lena_client: Client, study: Study) -> None:
    suite = knowledge(study)
    whole = re.search(r'href="\?scorer=(\d+)#', get(lena_client, "comparison", study, suite.pk))
    assert whole

    for slug, name in (("exact_match", "exact_match"), (whole[1], "rouge_l")):
        text = get(lena_client, "comparison", study, suite.pk, query=f"?scorer={slug}")
        assert f'aria-label="{name} by category"' in text
    assert status(lena_client, "comparison", study, suite.pk, query="?scorer=none") == 400


def test_whole_runs_are_scored_on_request(lena_client: Client, study: Study) -> None:
    suite = knowledge(study)

    assert "Whole runs as one text" not in get(lena_client, "comparison", study, suite.pk)
    assert "chrf" in get(lena_client, "comparison", study, suite.pk, query="?corpus=1")


def test_runs_are_chosen_by_number_and_kept_in_the_links(lena_client: Client, study: Study) -> None:
    suite = make_suite()
    for system in ("baseline", "candidate", "candidate"):
        make_run(study, suite, system)

    latest = get(lena_client, "comparison", study, suite.pk)
    chosen = get(lena_client, "comparison", study, suite.pk, query="?baseline=1&candidate=2")

    assert ">run 3</a>" in latest
    assert ">run 2</a>" in chosen
    assert "/cases?baseline=1&amp;candidate=2" in chosen


@pytest.mark.parametrize(
    "query",
    ["?baseline=1", "?baseline=2&candidate=1", "?baseline=1&candidate=99",
     "?baseline=x&candidate=2", "?baseline=1&candidate=99999999999999999999",
     "?baseline=-1&candidate=2"],
)  # fmt: skip
def test_runs_that_cannot_be_compared_are_refused(
    lena_client: Client, study: Study, query: str
) -> None:
    suite = knowledge(study)

    for name in ("comparison", "cases"):
        assert status(lena_client, name, study, suite.pk, query=query) == 400


def test_a_suite_that_the_study_never_ran_is_not_there(
    lena_client: Client, study: Study, other_study: Study
) -> None:
    suite = knowledge(other_study)

    for name, parts in (("comparison", ()), ("cases", ()), ("case", (1,))):
        assert status(lena_client, name, study, suite.pk, *parts) == 404


def test_a_suite_of_one_system_says_who_is_missing(lena_client: Client, study: Study) -> None:
    suite = lone(study)

    text = get(lena_client, "comparison", study, suite.pk)

    assert h1(text) == "This suite has not been answered by both systems yet"
    assert status(lena_client, "cases", study, suite.pk) == 404


def test_cases_are_filtered_counted_and_found(lena_client: Client, study: Study) -> None:
    suite = knowledge(study)

    lost = get(lena_client, "cases", study, suite.pk, query="?show=regressions")
    words = get(lena_client, "cases", study, suite.pk, query="?q=not+7&category=history")

    assert h1(lost) == "7 cases only the baseline passes"
    assert len(listed(lost)) == 7
    assert listed(words) == ["knowledge-7"]
    assert "Nothing here fits." in get(lena_client, "cases", study, suite.pk, query="?q=zebra")


@pytest.mark.parametrize(
    "query",
    ["?show=password", "?split=left", "?after=x", "?q=" + "x" * 201, "?q=%00", "?scorer=' OR 1=1"],
)
def test_cases_refuse_words_they_do_not_know(lena_client: Client, study: Study, query: str) -> None:
    assert status(lena_client, "cases", study, knowledge(study).pk, query=query) == 400


def test_pages_of_cases_lead_on_and_keep_what_was_asked(lena_client: Client, study: Study) -> None:
    suite = knowledge(study)
    seen: list[str] = []
    address = reverse("cases", args=[study.slug, suite.pk]) + "?split=general"
    while address:
        text = lena_client.get(address).content.decode()
        seen += listed(text)
        link = re.search(r'rel="next" href="([^"]+)"', text)
        address = link[1].replace("&amp;", "&") if link else ""
        assert not address or "split=general" in address

    assert seen == [f"knowledge-{number}" for number in range(1, 51)]


def test_a_case_shows_both_answers_scores_tries_and_the_exact_error(
    lena_client: Client, study: Study
) -> None:
    suite = calling(study)

    text = get(lena_client, "case", study, suite.pk, 5, query="?show=errors")

    assert "No answer within 60 s. &lt;b&gt;timeout&lt;/b&gt;" in text
    assert "tool_calls|version:1|level:output|strings:loose" in text
    assert "order_id differs" in text
    assert "503" in text
    assert "overloaded" in text
    assert "1 of 1 in the list" in plain(text)


@pytest.mark.parametrize("view", ["plain", "markdown", "diff", "hidden"])
def test_hostile_outputs_stay_text(lena_client: Client, study: Study, view: str) -> None:
    suite = calling(study)

    pages = [get(lena_client, "case", study, suite.pk, 3, query=f"?view={view}"),
             get(lena_client, "cases", study, suite.pk)]  # fmt: skip

    for text in pages:
        assert HOSTILE not in text
        assert "<script>window" not in text
        assert "<img" not in text
        assert "window.__pwned" in text


def test_hostile_names_stay_text(lena_client: Client, study: Study) -> None:
    suite = Suite.objects.create(
        name="named", version=1, title=HOSTILE, digest="0" * 64, format="suite", case_count=1
    )
    suite.cases.create(
        position=1, case_id=HOSTILE, category=HOSTILE, split="general",
        messages=[{"role": "user", "content": HOSTILE}], expected={"answers": [HOSTILE]},
    )  # fmt: skip
    for system in ("baseline", "candidate"):
        make_run(study, suite, system)

    for name, parts in (("automated", ()), ("comparison", (suite.pk,)), ("cases", (suite.pk,)),
                        ("case", (suite.pk, 1))):  # fmt: skip
        text = get(lena_client, name, study, *parts)
        assert "<script>window" not in text
        assert "<img" not in text


@pytest.mark.parametrize("name", ["automated", "comparison", "cases", "case"])
def test_six_cases_and_six_hundred_cost_the_same_statements(
    lena_client: Client, study: Study, django_assert_max_num_queries: Counting, name: str
) -> None:
    costs = []
    for cases in (6, 600):
        suite = make_suite(f"of_{cases}", cases)
        for system in ("baseline", "candidate"):
            make_run(study, suite, system)
        Run.objects.exclude(suite=suite).update(state="cancelled")
        parts = {"automated": (), "case": (suite.pk, 3)}.get(name, (suite.pk,))
        address = reverse(name, args=[study.slug, *parts])
        with django_assert_max_num_queries(60) as counted:
            assert lena_client.get(address).status_code == 200
        costs.append(len(counted.captured_queries))

    assert costs[0] == costs[1]
    assert costs[0] <= 21


def test_a_regression_is_never_told_without_its_numbers(lena_client: Client, study: Study) -> None:
    text = plain(get(lena_client, "comparison", study, knowledge(study).pk))

    assert "None" not in text.split()
    assert "nan" not in text.lower().split()
    assert "\u221270.0" in text
    assert "\u221289.2 to \u221228.9" in text
