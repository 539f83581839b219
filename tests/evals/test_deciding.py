"""The verdict follows from intervals, the policy is frozen, and what was signed stays."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.timezone import localdate

from annotate.models import Item, Study, User
from evals import deciding, queries
from evals.gate import DEFAULT_GATES
from evals.models import Decision, Policy
from evals.stats.estimates import Estimate, Undefined
from tests.evals.simulation import Leaning, gates, judge_slots, judged_study
from tests.factories import make_batch, make_study, make_user, rows_of

pytestmark = pytest.mark.django_db

ONE_SIDED = Leaning(candidate=0.85, tie=0.1)
JSON_ROW = {"reference": '{"a": 1, "b": [2]}', "candidate_output": '{"b":[2],"a":1}'}


@pytest.fixture
def study() -> Study:
    """Judged by people who nearly all prefer the candidate, and mostly agree."""
    return judged_study(items=60, annotators=6, leaning=ONE_SIDED, same=0.8)


def status(study: Study, key: str) -> str:
    return deciding.weigh(study).result(key).status


# Gates.


def test_nothing_judged_is_not_yet_and_not_measured() -> None:
    study = make_study()
    make_batch(study, 3)

    weighing = deciding.weigh(study)

    assert weighing.verdict == "NOT YET"
    assert {result.status for result in weighing.results} == {"not measured"}
    assert weighing.result("human_preference").sentence == (
        "Not measured: nothing has been judged yet."
    )
    assert weighing.result("latency_p99").sentence == "Not measured: no suite has been run for it."


def test_a_clear_preference_meets_its_gate(study: Study) -> None:
    result = deciding.weigh(study).result("human_preference")

    assert result.status == "met"
    assert isinstance(result.estimate, Estimate)
    assert result.estimate.low is not None
    assert result.estimate.low >= 0.6
    assert result.estimate.n == 180


def test_a_clear_preference_for_the_baseline_is_no_go() -> None:
    study = judged_study(items=60, annotators=6, leaning=Leaning(candidate=0.1, tie=0.1))

    weighing = deciding.weigh(study)

    assert weighing.result("human_preference").status == "not met"
    assert weighing.verdict == "NO-GO"


def test_few_judgements_are_not_enough_and_say_how_many_more() -> None:
    study = judged_study(items=10, annotators=5, leaning=Leaning(candidate=0.7), seed=5)

    result = deciding.weigh(study).result("human_preference")

    assert result.status == "not enough evidence"
    assert re.search(r"more judgements (would settle it|are needed)", result.missing)


def test_go_needs_every_required_gate(study: Study, lena: User) -> None:
    deciding.change_policy(
        study, gates(human_preference=0.6), confidence=0.95, made_by=lena, reason="only people"
    )
    assert deciding.weigh(study).verdict == "GO"

    deciding.change_policy(
        study,
        gates(human_preference=0.6, latency_p99=2.0),
        confidence=0.95,
        made_by=lena,
        reason="latency too",
    )
    assert deciding.weigh(study).verdict == "NOT YET"


def test_people_who_agree_by_chance_alone_cannot_say_go() -> None:
    study = judged_study(items=80, annotators=6, leaning=ONE_SIDED, same=0.0, seed=3)

    weighing = deciding.weigh(study)
    result = weighing.result("human_preference")

    assert isinstance(weighing.agreement, Estimate)
    assert weighing.agreement.low is not None
    assert weighing.agreement.low <= 0
    assert result.status == "not enough evidence"
    assert "no better than by chance" in result.sentence


def test_agreement_without_a_number_or_with_few_items_raises_no_doubt() -> None:
    assert not deciding.no_better_than_chance(Undefined("all the same", 50))
    assert not deciding.no_better_than_chance(Estimate(0.0, -0.1, 0.1, 19, ""))
    assert deciding.no_better_than_chance(Estimate(0.0, -0.1, 0.1, 20, ""))
    assert not deciding.no_better_than_chance(Estimate(0.2, 0.01, 0.4, 20, ""))


def test_exact_match_counts_every_output_with_a_reference() -> None:
    study = make_study()
    outputs = [("Paris", " Paris\n"), ("Paris", "paris"), ("7", "7"), ("", "x"), (None, "x")]
    outputs += [('{"a": 1}', '{ "a":1 }'), ("1.0", "1"), ("[1, 2]", "[2, 1]"), ("true", "True")]
    rows: list[dict[str, str | None]] = [
        {**row, "reference": reference, "candidate_output": output}
        for row, (reference, output) in zip(rows_of(len(outputs)), outputs, strict=True)
    ]
    make_batch(study, rows)

    counts = queries.reference_counts(study)
    estimate = deciding.weigh(study).result("exact_match").estimate

    assert (counts.references, counts.matched) == (7, 3)
    assert isinstance(estimate, Estimate)
    assert estimate.value == pytest.approx(3 / 7)
    assert estimate.n == 7


def test_schema_compliance_looks_where_the_reference_is_structured() -> None:
    study = make_study()
    outputs = ['{"a": 1}', "```json\n{}\n```", '{"a": NaN}', '"text"', '{"a": 1} and more']
    rows = [
        row | {"reference": ' {"a": 1}', "candidate_output": output}
        for row, output in zip(rows_of(5), outputs, strict=True)
    ]
    plain = {"item_id": "plain", "reference": "words", "candidate_output": "words"}
    make_batch(study, [*rows, rows_of(1)[0] | plain])

    counts = queries.reference_counts(study)

    assert (counts.structured, counts.valid) == (5, 2)
    assert status(study, "schema_compliance") == "not met"


def test_schema_compliance_is_met_without_a_failure_and_says_the_bound() -> None:
    study = make_study()
    make_batch(study, [row | JSON_ROW for row in rows_of(50)])

    result = deciding.weigh(study).result("schema_compliance")

    assert result.status == "met"
    assert result.sentence == "50 of 50; at least 94.1\u202f% at 95\u202f%."
    assert status(study, "exact_match") == "met"


def test_white_space_is_that_of_python() -> None:
    study = make_study()
    space = "\u2003\u00a0\u0085\t\u2028"
    make_batch(study, [rows_of(1)[0] | {"reference": "a", "candidate_output": f"{space}a{space}"}])

    assert queries.reference_counts(study).matched == 1


# Policy.


def test_reading_a_policy_writes_nothing() -> None:
    study = make_study()

    assert deciding.policy_in_force(study).gates == DEFAULT_GATES
    assert not Policy.objects.exists()


def test_a_policy_changes_freely_until_somebody_judges(lena: User) -> None:
    study = make_study(overlap=1)
    make_batch(study, 2)

    deciding.change_policy(study, gates(human_preference=0.55), confidence=0.9, made_by=lena)

    policy = deciding.policy_in_force(study)
    assert (policy.version, policy.confidence) == (2, 0.9)
    assert policy.gate("human_preference").threshold == 0.55
    assert deciding.policy_versions(study)[0].after_freeze is False


def test_a_frozen_policy_changes_only_with_a_reason_and_keeps_every_version(
    study: Study, lena: User
) -> None:
    wanted = gates(human_preference=0.55)
    with pytest.raises(deciding.RefusedDecisionError, match="needs a reason"):
        deciding.change_policy(study, wanted, confidence=0.95, made_by=lena, reason="  ")

    deciding.change_policy(study, wanted, confidence=0.95, made_by=lena, reason="Agreed in May")

    (version,) = deciding.policy_versions(study)
    assert version.after_freeze
    assert version.reason == "Agreed in May"
    assert "Human preference: 60\u202f% became 55\u202f%." in version.changes
    assert Policy.objects.filter(study=study).count() == 2


def test_the_policy_page_asks_for_a_reason_once_frozen(study: Study, adam_client: Client) -> None:
    url = reverse("policy", args=[study.slug])
    sent = policy_form(study) | {"human_preference-threshold": "55"}

    refused = adam_client.post(url, sent)
    accepted = adam_client.post(url, sent | {"reason": "Agreed in May"})

    assert refused.status_code == 422
    assert accepted.status_code == 302
    policy = deciding.policy_in_force(study)
    assert policy.version == 2
    assert policy.gate("human_preference").threshold == pytest.approx(0.55)
    assert policy.gate("general_regression").threshold == pytest.approx(-0.05)
    text = adam_client.get(reverse("decision", args=[study.slug])).content.decode()
    assert "Agreed in May" in text
    assert "after the freeze" in text


def policy_form(study: Study) -> dict[str, str]:
    """The form of the policy page, as it is shown."""
    sent = {"confidence": "0.95"}
    for gate in DEFAULT_GATES:
        written = gate.threshold if gate.unit == "ratio" else abs(100 * gate.threshold)
        sent |= {f"{gate.key}-threshold": f"{written:g}", f"{gate.key}-required": "on"}
    return sent


def test_an_unchanged_policy_makes_no_version(study: Study, adam_client: Client) -> None:
    sent = policy_form(study) | {"reason": "none"}
    response = adam_client.post(reverse("policy", args=[study.slug]), sent)

    assert response.status_code == 422
    assert "nothing was changed" in response.content.decode()
    assert deciding.policy_in_force(study).version == 1


@pytest.mark.parametrize("value", ["101", "-1", "nan", "inf", ""])
def test_an_impossible_threshold_is_refused(study: Study, adam_client: Client, value: str) -> None:
    sent = policy_form(study) | {"human_preference-threshold": value, "reason": "x"}

    response = adam_client.post(reverse("policy", args=[study.slug]), sent)

    assert response.status_code == 422
    assert not Policy.objects.exists()


# The decision.


def seen(study: Study) -> str:
    return deciding.digest_of(deciding.evidence_of(deciding.weigh(study)))


def sign(client: Client, study: Study, **fields: str) -> int:
    sent = {"choice": "hold", "rationale": "Too early.", "seen": seen(study)} | fields
    return client.post(reverse("sign", args=[study.slug]), sent).status_code


def test_what_is_signed_is_kept_with_its_digest(
    study: Study, lena: User, lena_client: Client
) -> None:
    assert sign(lena_client, study) == 302

    decision = Decision.objects.get()
    assert decision.verdict == "NOT YET"
    assert decision.signed_name == "Lena (lena@example.org)"
    assert deciding.is_intact(decision)
    assert decision.digest == deciding.digest_of(deciding.evidence_again(decision))
    shown = deciding.evidence_of(deciding.weigh(study))
    shown["inputs"]["judgements"] = decision.evidence["inputs"]["judgements"]
    assert json.loads(json.dumps(decision.evidence)) == shown
    text = lena_client.get(reverse("signed", args=[study.slug, decision.pk])).content.decode()
    assert "The evidence is the same today." in text
    assert decision.digest in text


def test_a_signed_decision_shows_what_was_signed_and_that_the_data_changed(
    study: Study, lena_client: Client
) -> None:
    sign(lena_client, study)
    decision = Decision.objects.get()
    before = decision.evidence["gates"]
    make_batch(study, rows_of(4), name="second")
    judge_slots(study, [make_user("Late one"), make_user("Late two"), make_user("Late three")])

    text = lena_client.get(reverse("signed", args=[study.slug, decision.pk])).content.decode()

    assert "The evidence has changed since: 180 judgements then, 192 judgements now" in text
    decision.refresh_from_db()
    assert decision.evidence["gates"] == before


def test_evidence_that_changed_under_the_page_is_not_signed(
    study: Study, lena_client: Client
) -> None:
    old = seen(study)
    make_batch(study, rows_of(2), name="second")
    judge_slots(study, [make_user("Late one"), make_user("Late two"), make_user("Late three")])

    response = lena_client.post(
        reverse("sign", args=[study.slug]),
        {"choice": "hold", "rationale": "My words", "seen": old},
    )

    assert response.status_code == 409
    text = response.content.decode()
    assert "The evidence has changed since you opened this page" in text
    assert "My words" in text
    assert seen(study) in text
    assert not Decision.objects.exists()


def test_signing_twice_is_signing_once(study: Study, lena_client: Client) -> None:
    assert sign(lena_client, study) == 302
    assert sign(lena_client, study) == 302

    assert Decision.objects.count() == 1


def test_a_decision_needs_a_rationale(study: Study, lena_client: Client) -> None:
    assert sign(lena_client, study, rationale="  ") == 422
    assert sign(lena_client, study, choice="perhaps") == 422
    assert not Decision.objects.exists()


def waived(study: Study, until: date) -> dict[str, str]:
    fields = {}
    for result in deciding.to_waive(deciding.weigh(study)):
        fields[f"{result.gate.key}-reason"] = f"Waived {result.gate.key}"
        fields[f"{result.gate.key}-until"] = until.isoformat()
    return fields


def test_shipping_past_a_gate_needs_its_waiver(study: Study, lena_client: Client) -> None:
    assert sign(lena_client, study, choice="ship") == 422

    today = localdate()
    assert sign(lena_client, study, choice="ship", **waived(study, today - timedelta(1))) == 422
    assert not Decision.objects.exists()
    assert sign(lena_client, study, choice="ship", **waived(study, today)) == 302

    decision = Decision.objects.get()
    assert decision.verdict == "NOT YET"
    assert len(decision.evidence["waivers"]) == 6
    assert deciding.is_intact(decision)
    text = lena_client.get(reverse("signed", args=[study.slug, decision.pk])).content.decode()
    assert f"Waived until {format_date(today, 'j F Y')}: “Waived latency_p99”" in text
    assert "The evidence is the same today." in text


def test_a_decision_cannot_be_changed_in_the_database(study: Study, lena_client: Client) -> None:
    sign(lena_client, study)

    with pytest.raises(DatabaseError), transaction.atomic():
        Decision.objects.update(rationale="Something else")
    with pytest.raises(DatabaseError), transaction.atomic():
        Decision.objects.all().delete()


def test_a_lead_reads_the_policy_and_cannot_change_it(study: Study, lena_client: Client) -> None:
    address = reverse("policy", args=[study.slug])

    assert "An admin sets the thresholds" in lena_client.get(address).text
    assert lena_client.post(address, {}).status_code == 404
    assert not Policy.objects.exists()


def test_annotators_sign_nothing(study: Study, alice_client: Client) -> None:
    assert sign(alice_client, study) == 404
    assert alice_client.post(reverse("policy", args=[study.slug]), {}).status_code == 404
    assert not Decision.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_does_not_see_what_others_write_meanwhile() -> None:
    study = make_study()
    make_batch(study, 2)

    with queries.snapshot():
        before = queries.total_slots(study)
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE annotate_task SET state = 'lapsed', annotator_id = %s "
                    "WHERE id = (SELECT id FROM annotate_task LIMIT 1)",
                    [make_user_elsewhere(other)],
                )
        finally:
            other.close()
        assert queries.total_slots(study) == before
        with pytest.raises(DatabaseError), transaction.atomic():
            Item.objects.update(category="written")

    assert queries.total_slots(study).wanted == before.wanted - 1


def make_user_elsewhere(other: Any) -> Any:
    """A user made through another connection."""
    with other.cursor() as cursor:
        cursor.execute(
            "INSERT INTO annotate_user (id, password, email, name, role, is_active) VALUES "
            "(gen_random_uuid(), '', 'other@example.org', 'Other', 'annotator', true) RETURNING id"
        )
        return cursor.fetchone()[0]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_decision_signed_in_several_tabs_at_once_is_signed_once() -> None:
    study = judged_study(items=12, annotators=3)
    lead = make_user("Lena", role="lead")
    digest = seen(study)
    start = threading.Barrier(8)

    def press(_: int) -> UUID:
        try:
            start.wait()
            decision = deciding.sign_decision(
                study, lead, choice="hold", rationale="Too early.", seen=digest
            )
            return decision.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        signed = set(pool.map(press, range(8)))

    assert signed == {Decision.objects.get().pk}
    assert Policy.objects.count() == 1
