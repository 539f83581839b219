"""Judgements made elsewhere beside those judged blind here: kept apart, and told where counted."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import Study, User
from annotate.parsing.judgements import JudgementOptions
from annotate.receiving import import_judgements
from evals import queries
from evals.deciding import change_policy, evidence_of, policy_in_force, policy_versions, weigh
from evals.reporting import report, report_in_words
from evals.reporting.decided import judged_words
from tests.conftest import client_of
from tests.factories import judge_next, make_batch, make_study, make_user, source_of

pytestmark = pytest.mark.django_db

PAGES = ("preference", "agreement", "annotators", "disputed")


@pytest.fixture
def study() -> Study:
    """Alice judged four items blind; elsewhere she, dan and eve judged six."""
    alice = make_user("Alice")
    study = make_study("Mixed", slug="mixed", annotators=[alice], overlap=1)
    make_batch(study, 6)
    for _ in range(4):
        judge_next(study, alice, 0)
    rows = "".join(
        f"q-{n},{who},{said}\n"
        for n in range(1, 7)
        for who, said in (
            ("alice@example.org", "candidate"),
            ("dan", "candidate"),
            ("eve", "baseline" if n < 3 else "both_bad"),
        )
    )
    bring(study, f"item_id,annotator,preference\n{rows}")
    return study


def bring(study: Study, text: str) -> None:
    receipt = import_judgements(study, source_of(text, "said.csv"), JudgementOptions())
    assert receipt.taken is not None, receipt.report.errors


def numbers(study: Study, only: Any) -> tuple[int, int, int, int]:
    tally = queries.sided_votes(study, only).overall
    return tally.n, tally.wins, tally.ties, tally.losses


def test_each_source_is_counted_on_its_own(study: Study) -> None:
    assert numbers(study, "blind") == (4, 0, 4, 0)
    assert numbers(study, "imported") == (18, 12, 4, 2)


def test_of_both_one_person_is_one_voice_on_an_item_and_the_blind_one_is_heard(
    study: Study,
) -> None:
    judged = queries.counted_judgements(study).filter(annotator__email="alice@example.org")

    assert sorted(judged.values_list("source", flat=True)) == ["blind"] * 4 + ["imported"] * 2
    assert numbers(study, None) == (18, 8, 8, 2)
    pairs, tables = queries.pair_tables(study)
    assert len(pairs) == 3
    assert {int(table.sum()) for table in tables} == {6}


def test_a_side_that_nobody_knows_favours_none(study: Study) -> None:
    imported = queries.sided_votes(study, "imported")

    assert (imported.left.n, imported.overall.n) == (0, 18)
    assert [tally.n for tally in imported.by_side] == [0, 0]
    assert {votes.n for votes in imported.each_annotator.values()} == {6}
    assert {name: tally.n for name, tally in imported.by_category().items()} == {"general": 18}


def test_the_report_says_how_many_were_made_elsewhere(study: Study) -> None:
    both, blind = report(study), report(study, only="blind")

    assert (both["progress"]["judgements"], both["progress"]["imported"]) == (18, 14)
    assert "imported" not in blind["progress"]
    assert "14 of the 18 judgements counted below were made elsewhere" in report_in_words(both)
    assert "elsewhere" not in report_in_words(blind)
    assert [pair["annotators"] for pair in both["agreement"]["pairs"]] == [
        ["alice@example.org", "dan"],
        ["alice@example.org", "eve"],
        ["dan", "eve"],
    ]


def test_progress_counts_slots_alone(study: Study) -> None:
    slots = queries.total_slots(study)

    assert (slots.wanted, slots.judged) == (6, 4)
    assert queries.progress(study).days[0][1] == 4


@pytest.mark.parametrize("page", PAGES)
def test_pages_count_blind_judgements_unless_asked_and_say_so_where_they_count_others(
    study: Study, lena_client: Client, page: str
) -> None:
    usual = lena_client.get(f"/studies/mixed/{page}").content.decode()
    imported = lena_client.get(f"/studies/mixed/{page}?only=imported").content.decode()
    both = lena_client.get(f"/studies/mixed/{page}?only=both").content.decode()

    assert '<a href="?only=blind" aria-current="true">' in usual
    assert "made elsewhere, perhaps not blind" not in usual
    assert "All numbers here count judgements that were made elsewhere" in imported
    assert "is heard once, blind" in both


def test_pages_of_a_study_without_any_say_nothing_of_them(lena_client: Client) -> None:
    study = make_study("Plain", slug="plain", annotators=[make_user("Bob")])
    make_batch(study, 2)

    for page in PAGES:
        assert "only=imported" not in lena_client.get(f"/studies/plain/{page}").content.decode()


def test_people_outside_are_listed_where_their_judgements_count(
    study: Study, lena_client: Client
) -> None:
    usual = lena_client.get("/studies/mixed/annotators").content.decode()
    imported = lena_client.get("/studies/mixed/annotators?only=imported").content.decode()

    assert ">dan" not in usual
    assert ">dan" in imported
    assert "judged elsewhere" in imported
    assert "outside.invalid" not in usual + imported


def test_the_page_of_an_item_marks_what_was_said_elsewhere(
    study: Study, lena_client: Client
) -> None:
    item = study.items.get(item_id="q-6")
    judged = study.tasks.filter(state="judged").first()
    assert judged is not None
    blind = lena_client.get(f"/studies/mixed/items/{judged.item.public_id}").content.decode()
    alone = lena_client.get(f"/studies/mixed/items/{item.public_id}").content.decode()

    assert blind.count("judged elsewhere") == 3
    assert "One for neither" in blind
    assert "judged elsewhere</h1>" in alone


def test_people_outside_are_no_people_of_the_site(study: Study, adam_client: Client) -> None:
    dan = User.objects.get(name="dan")

    assert "dan" not in adam_client.get("/people/").content.decode()
    assert adam_client.get(f"/people/{dan.pk}/").status_code == 404
    assert adam_client.post(f"/people/{dan.pk}/", {"act": "reactivate"}).status_code == 404


def test_the_gate_counts_them_only_if_the_policy_says_so(study: Study, adam: User) -> None:
    before = weigh(study)
    policy = policy_in_force(study)
    change_policy(
        study,
        policy.gates,
        confidence=policy.confidence,
        made_by=adam,
        reason="They were blind too.",
        counts_imported=True,
    )
    after = weigh(study)

    assert (before.tally.n, after.tally.n) == (4, 18)
    assert before.notes == ()
    assert after.notes[0].startswith("14 of the 18 judgements behind human preference were made")
    assert "counts_imported" not in evidence_of(before)["policy"]
    assert evidence_of(after)["policy"]["counts_imported"] is True
    assert "imported" not in evidence_of(before)["counts"]
    said = judged_words(evidence_of(after)["counts"])
    assert said.startswith("4 judgements of ")
    assert ", and 14 made elsewhere, by " in said
    assert policy_versions(study)[0].changes == "Judgements made elsewhere count now."


def test_an_admin_changes_it_on_the_page_and_the_decision_says_so(study: Study, adam: User) -> None:
    client = client_of(adam)
    page = client.get(reverse("policy", args=["mixed"]))
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value not in (None, False)}

    answered = client.post(
        reverse("policy", args=["mixed"]), data | {"counts_imported": "on", "reason": "Agreed."}
    )

    assert answered.status_code == 302
    assert policy_in_force(study).counts_imported is True
    decision = client.get(reverse("decision", args=["mixed"])).content.decode()
    assert "14 of the 18 judgements behind human preference were made elsewhere" in decision


def test_what_comes_in_from_elsewhere_freezes_the_policy(adam: User) -> None:
    study = make_study("Later", slug="later")
    make_batch(study, 1)
    policy = policy_in_force(study)
    bring(study, "item_id,annotator,preference,judged_at\nq-1,dan,tie,2020-01-01\n")

    page = client_of(adam).get(reverse("policy", args=["later"])).content.decode()
    assert "The policy is frozen since the first judgement" in page
    # What was judged years ago freezes on the day on which it came in.
    changed = change_policy(study, policy.gates, confidence=0.9, made_by=adam, reason="Because.")
    assert policy_versions(study)[0].after_freeze
    assert changed.version == 2
