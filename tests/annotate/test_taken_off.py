"""Taken off a study while judging, and nothing left: told as it is, with nothing typed lost."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotate.claiming import claim_task, skip_task, why_nothing_to_claim
from annotate.judging import submission_key
from annotate.models import Judgement, Study, Task, User
from annotate.steering import assign, unassign
from tests.factories import judge_next, make_batch, make_study

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def taken(study: Study, alice: User) -> Task:
    """In alice's hands, until she was taken off the study."""
    judge_next(study, alice)
    held = claim_task(study, alice)
    unassign(study, alice)
    return held


def answers(task: Task) -> dict[str, Any]:
    return {"submission_key": str(submission_key(task)), "overall": "1", "comment": "Too <long>."}


def words_of(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.content.decode())))


def test_answer_to_an_item_that_went_back_is_told_kindly_and_kept_on_the_page(
    taken: Task, alice_client: Client
) -> None:
    response = alice_client.post(reverse("task", args=[taken.pk]), answers(taken))

    assert response.status_code == 410
    words = words_of(response)
    assert "This item went back" in words
    assert "You are no longer asked to judge in “Support replies”" in words
    assert "All that was saved before counts." in words
    assert "What you wrote, to copy Too <long>." in words
    assert Judgement.objects.count() == 1


@pytest.mark.parametrize("name", ["task", "task_skip", "task_release", "task_flag"])
def test_script_gets_the_same_words_without_a_page(
    taken: Task, alice_client: Client, name: str
) -> None:
    response = alice_client.post(reverse(name, args=[taken.pk]), answers(taken), headers=HTMX)

    assert response.status_code == 410
    assert response["Content-Type"].startswith("text/plain")
    assert "no longer asked to judge" in response.content.decode()


@pytest.mark.parametrize("name", ["task", "task_pair"])
def test_page_of_an_item_that_went_back_says_so(
    taken: Task, alice_client: Client, name: str
) -> None:
    response = alice_client.get(reverse(name, args=[taken.pk]))

    assert response.status_code == 410
    assert b"First answer" not in response.content


def test_who_never_judged_in_the_study_learns_nothing(taken: Task, bob_client: Client) -> None:
    response = bob_client.post(reverse("task", args=[taken.pk]), answers(taken))

    assert response.status_code == 404


def test_asked_again_the_same_form_is_taken(alice: User, alice_client: Client) -> None:
    study = make_study(annotators=[alice], overlap=1)
    make_batch(study, 1)
    held = claim_task(study, alice)
    unassign(study, alice)
    assign(study, alice)
    assert claim_task(study, alice) == held

    response = alice_client.post(reverse("task", args=[held.pk]), answers(held))

    assert response.status_code in (302, 303)
    assert Judgement.objects.get(task=held).comment == "Too <long>."


def test_done_page_of_who_was_taken_off_says_so(
    taken: Task, study: Study, alice_client: Client
) -> None:
    response = alice_client.get(reverse("done", args=[study.public_id]))

    assert "You are not asked to judge in this study at present" in words_of(response)
    assert "You have judged 1 item here" in words_of(response)


def test_nothing_left_but_what_was_skipped_is_told_as_it_is(study: Study, alice: User) -> None:
    judge_next(study, alice)
    skip_task(claim_task(study, alice).pk, alice, reason="no_expertise")
    judge_next(study, alice)

    assert why_nothing_to_claim(study, alice) == (
        "Nothing is left for you: 1 item is still open, and you skipped it, so somebody else "
        "is asked. Thank you."
    )


def test_nothing_left_since_others_judged_it_is_told_as_it_is(alice: User, bob: User) -> None:
    study = make_study(annotators=[alice, bob], overlap=1)
    make_batch(study, 2)
    judge_next(study, alice)
    judge_next(study, bob)

    assert why_nothing_to_claim(study, alice) == (
        "Nothing is left for you: every item that you have not judged has gone to others. "
        "Thank you."
    )


def test_everything_judged_is_told_only_where_it_is_so(study: Study, alice: User) -> None:
    for _ in range(3):
        judge_next(study, alice)

    assert why_nothing_to_claim(study, alice).startswith("You have judged everything")
