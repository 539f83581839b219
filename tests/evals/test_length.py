"""Length beside preference: counted as a recount counts, shown with its reason or its interval."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import Item, Judgement, Study
from evals import queries
from evals.reporting.length import length, length_json
from evals.reporting.report import report
from tests.evals.simulation import judged_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Lengths of all kinds, umlauts among them: one character each."""
    found = judged_study(items=30, annotators=5)
    for number, item in enumerate(Item.objects.filter(study=found).order_by("position")):
        item.candidate_output = "ä" * (20 + 7 * (number % 5))
        item.baseline_output = "b" * (20 + 11 * (number % 3))
        item.save()
    return found


def test_counts_are_those_of_a_recount(study: Study) -> None:
    votes = Judgement.objects.select_related("task__item").filter(study=study).exclude(preference=0)
    gaps = [
        (len(one.task.item.candidate_output) - len(one.task.item.baseline_output), one)
        for one in votes
    ]

    found = queries.length_votes(study)

    rows = found.rows
    assert int((rows[:, 1:7].sum(axis=1) * rows[:, 7]).sum()) == len(gaps)
    assert set(rows[:, 0].tolist()) == {gap for gap, _ in gaps}
    lefts = sum(one.candidate_side == "left" and one.preference > 0 for _, one in gaps)
    assert int((rows[:, 1] * rows[:, 7]).sum()) == lefts
    assert found.longer.wins == sum(gap * one.preference > 0 for gap, one in gaps)
    assert found.longer.losses == sum(gap * one.preference < 0 for gap, one in gaps)
    assert found.longer.annotator_count == 5


def test_the_diagnostic_costs_three_questions(
    study: Study, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(3):  # type: ignore[operator]
        # As when nothing of it is kept.
        queries.length_votes.__wrapped__(study)  # type: ignore[attr-defined]


def test_report_and_page_say_the_same(study: Study, lena_client: Client) -> None:
    votes = queries.length_votes(study)

    found = report(study)["preference"]["length"]
    html = lena_client.get(reverse("preference", args=[study.slug])).content.decode()

    assert found == length_json(votes, 0.95)
    words = re.sub(r"[ \n]+", " ", unescape(re.sub("<[^>]+>", " ", html)))
    assert "Was the longer output favoured?" in words
    told = length(votes, 0.95)
    assert told.said in words
    assert f"The same at equal length {told.equal.value} {told.equal.interval}" in words
    assert "A diagnostic: no gate uses it." in words


def test_where_lengths_do_not_overlap_the_reason_stands_in_place_of_the_rate(
    study: Study, lena_client: Client
) -> None:
    for item in Item.objects.filter(study=study):
        item.candidate_output = item.baseline_output + "x" * (item.position * 3)
        item.save()

    html = lena_client.get(reverse("preference", args=[study.slug])).content.decode()

    assert "has the longer output in 0 % of items" in html
    assert report(study)["preference"]["length"]["win_rate_equal_length"]["value"] is None


def test_a_study_without_judgements_says_so() -> None:
    study = judged_study(items=3, share=0)

    told = length(queries.length_votes(study), 0.95)

    assert told.said == (
        "It cannot be told: no decided judgement is of outputs of different length."
    )
