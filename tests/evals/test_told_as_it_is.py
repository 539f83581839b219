"""What lead pages say where there is nothing to count, or nothing more to come."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import State, Study, User
from tests.evals.simulation import judged_study
from tests.factories import judge_next, make_batch, make_study

pytestmark = pytest.mark.django_db
OPEN_GATE = "this gate stays open"


def words_of(client: Client, name: str, study: Study) -> str:
    html = client.get(reverse(name, args=[study.slug])).content.decode()
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", html)))


def test_before_an_item_is_judged_twice_nobody_is_said_to_agree(
    alice: User, bob: User, lena_client: Client
) -> None:
    study = make_study(annotators=[alice, bob], overlap=1)
    make_batch(study, 4)
    judge_next(study, alice)
    judge_next(study, bob)

    disputed = words_of(lena_client, "disputed", study)

    assert "No item has been judged twice yet" in disputed
    assert "Nobody disagrees" not in disputed
    assert "No item has been judged twice yet" in words_of(lena_client, "agreement", study)


def test_where_all_agree_it_is_said(alice: User, bob: User, lena_client: Client) -> None:
    study = make_study(annotators=[alice, bob], overlap=2)
    make_batch(study, 1)
    judge_next(study, alice, 0)
    judge_next(study, bob, 0)

    assert "Nobody disagrees on any item" in words_of(lena_client, "disputed", study)
    assert "None: on no item" in words_of(lena_client, "agreement", study)


def test_a_closed_study_is_told_no_number_of_judgements_to_come(lena_client: Client) -> None:
    study = judged_study(items=30, annotators=5)

    before = words_of(lena_client, "preference", study)
    Study.objects.filter(pk=study.pk).update(state=State.CLOSED)
    after = words_of(lena_client, "preference", study)

    assert "more judgements" in before
    assert OPEN_GATE not in before
    assert "The study is closed: no more judgements come in, so " + OPEN_GATE in after
    assert not re.search(r"about [\d,]+ more", after)
