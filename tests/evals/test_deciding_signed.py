"""Second signatures, waivers that run out, and how a decision says that its data have changed."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localdate

from annotate.models import Judgement, Role, Study, User
from evals import deciding
from evals.gate import DEFAULT_GATES
from evals.models import Decision, SecondSignature
from evals.reporting import gate_rows
from tests.conftest import client_of
from tests.evals.factories import make_run, make_suite
from tests.evals.simulation import Leaning, judge_slots, judged_study
from tests.factories import make_batch, make_user, rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return judged_study(items=30, annotators=5, leaning=Leaning(candidate=0.8), same=0.7)


@pytest.fixture
def two(study: Study, lena: User) -> Study:
    """The same, under a policy that asks for two signatures."""
    deciding.change_policy(
        study,
        DEFAULT_GATES,
        confidence=0.95,
        made_by=lena,
        reason="Two people answer for it",
        two_signatures=True,
    )
    return study


def signed(study: Study, signer: User, **more: Any) -> Decision:
    seen = deciding.digest_of(deciding.evidence_of(deciding.weigh(study)))
    wanted = {"choice": "hold", "rationale": "Wait.", "seen": seen} | more
    return deciding.sign_decision(study, signer, **wanted)


def waive_all(study: Study, until: date) -> list[deciding.Waiver]:
    return [
        deciding.Waiver(result.gate.key, f"Why {result.gate.key}", until.isoformat())
        for result in deciding.to_waive(deciding.weigh(study))
    ]


def record(decision: Decision) -> dict[str, Any]:
    now = deciding.evidence_of(deciding.weigh(decision.study))
    return deciding.record_of(decision, now)


def page(client: Client, decision: Decision) -> str:
    return client.get(reverse("signed", args=[decision.study.slug, decision.pk])).text


def post_second(client: Client, decision: Decision, **fields: str) -> Any:
    sent = {"seen": decision.digest, "comment": "I have read it."} | fields
    address = reverse("second_signature", args=[decision.study.slug, decision.pk])
    return client.post(address, sent)


# The second signature.


def test_one_signature_is_enough_unless_the_policy_says_two(
    study: Study, lena: User, lena_client: Client
) -> None:
    decision = signed(study, lena)

    assert not record(decision)["waits_for_second"]
    assert "waits for a second person" not in page(lena_client, decision)
    assert "two_signatures" not in decision.evidence["policy"]


def test_a_decision_that_needs_two_waits_for_another_person(
    two: Study, lena: User, lena_client: Client, adam_client: Client
) -> None:
    decision = signed(two, lena)
    assert record(decision)["waits_for_second"]
    assert "signed once, waits for a second person" in page(lena_client, decision)
    listed = lena_client.get(reverse("decision", args=[two.slug])).text
    assert "signed once, waits for a second person" in listed
    assert "Sign second as" not in page(lena_client, decision)
    assert "Sign second as Adam" in page(adam_client, decision)

    assert post_second(adam_client, decision).status_code == 302

    found = record(decision)
    assert not found["waits_for_second"]
    assert found["second"]["signed_by"] == "Adam (adam@example.org)"
    assert found["second"]["comment"] == "I have read it."
    text = page(lena_client, decision)
    assert "waits for a second person" not in text
    assert "Second signature: Adam (adam@example.org)" in text
    assert deciding.is_intact(decision)


WAITS = "A decision waits for your signature"


def needs(client: Client, study: Study) -> str:
    text = client.get(reverse("study", args=[study.slug])).text
    return text.split("Needs you</h2>")[1].split("</section>")[0]


def test_who_may_sign_second_sees_it_first_among_what_needs_them(
    two: Study, lena: User, lena_client: Client, adam_client: Client
) -> None:
    assert WAITS not in needs(adam_client, two)
    decision = signed(two, lena)

    found = needs(adam_client, two)
    assert found.index("<h3>") == found.index(f"<h3>{WAITS}")
    assert "Hold, signed by Lena (lena@example.org) on" in found
    assert f'href="{reverse("signed", args=[two.slug, decision.pk])}#second"' in found
    assert WAITS not in needs(lena_client, two)

    post_second(adam_client, decision)
    assert WAITS not in needs(adam_client, two)


def test_a_decision_that_was_overtaken_or_needs_one_person_waits_for_nobody(
    two: Study, lena: User, adam_client: Client
) -> None:
    signed(two, lena)
    deciding.change_policy(
        two, DEFAULT_GATES, confidence=0.95, made_by=lena, reason="One", two_signatures=False
    )
    assert WAITS in needs(adam_client, two)

    signed(two, lena, rationale="Wait longer.")

    assert WAITS not in needs(adam_client, two)


def test_nobody_signs_twice_and_nobody_comes_third(
    two: Study, lena: User, lena_client: Client, adam_client: Client
) -> None:
    decision = signed(two, lena)

    own = post_second(lena_client, decision)
    assert own.status_code == 409
    assert "the second signature is another person" in own.text
    assert post_second(adam_client, decision, seen="0" * 64).status_code == 409
    assert not SecondSignature.objects.exists()

    assert post_second(adam_client, decision).status_code == 302
    assert post_second(adam_client, decision, comment="Again").status_code == 302
    third = post_second(client_of(make_user("Zoe", role=Role.LEAD)), decision)
    assert third.status_code == 409
    assert "has signed second already" in third.text
    assert SecondSignature.objects.get().comment == "I have read it."


def test_the_database_refuses_a_second_signature_of_the_first_signer_or_of_other_evidence(
    two: Study, lena: User, adam: User
) -> None:
    decision = signed(two, lena)
    given = {"decision": decision, "signed_name": "x"}

    with pytest.raises(DatabaseError), transaction.atomic():
        SecondSignature.objects.create(signed_by=lena, digest=decision.digest, **given)
    with pytest.raises(DatabaseError), transaction.atomic():
        SecondSignature.objects.create(signed_by=adam, digest="0" * 64, **given)
    deciding.sign_second(decision, adam, seen=decision.digest)
    with pytest.raises(DatabaseError), transaction.atomic():
        SecondSignature.objects.update(comment="Something else")
    with pytest.raises(DatabaseError), transaction.atomic():
        SecondSignature.objects.all().delete()


def test_a_policy_of_two_signatures_is_chosen_on_its_page(
    study: Study, adam_client: Client
) -> None:
    sent = {"confidence": "0.95", "reason": "Two people answer for it", "two_signatures": "on"}
    for gate in DEFAULT_GATES:
        written = gate.threshold if gate.unit == "ratio" else abs(100 * gate.threshold)
        sent |= {f"{gate.key}-threshold": f"{written:g}", f"{gate.key}-required": "on"}

    assert adam_client.post(reverse("policy", args=[study.slug]), sent).status_code == 302

    assert deciding.policy_in_force(study).two_signatures
    (version,) = deciding.policy_versions(study)
    assert version.changes == "A decision needs two signatures now."


# Waivers.


def test_a_waiver_keeps_its_author_and_changes_no_number(study: Study, lena: User) -> None:
    until = localdate() + timedelta(10)
    decision = signed(study, lena, choice="ship", waivers=waive_all(study, until))
    held = signed(study, lena)

    first = record(decision)["waivers"][0]

    assert first["author"] == "Lena (lena@example.org)"
    assert (first["until"], first["expired"]) == (until.isoformat(), False)
    assert decision.evidence["gates"] == held.evidence["gates"]
    assert decision.verdict == held.verdict == "NOT YET"


def test_a_waiver_lasts_through_its_last_day_and_then_says_that_it_is_over(
    study: Study, lena: User, lena_client: Client
) -> None:
    today = localdate()
    decision = signed(study, lena, choice="ship", waivers=waive_all(study, today))
    assert not any(one["expired"] for one in deciding.waivers_of(decision, today))
    assert all(one["expired"] for one in deciding.waivers_of(decision, today + timedelta(1)))

    old = signed_before(decision, today - timedelta(1))

    text = page(lena_client, old)
    assert "Waivers have expired:" in text
    assert "The waiver expired on" in text
    listed = lena_client.get(reverse("decision", args=[study.slug])).text
    assert "The waiver of Exact match has expired." in listed


def signed_before(decision: Decision, until: date) -> Decision:
    """The same decision as a row whose waivers ended on that day."""
    waivers = [one | {"until": until.isoformat()} for one in decision.evidence["waivers"]]
    evidence = decision.evidence | {"waivers": waivers}
    return Decision.objects.create(
        study=decision.study,
        policy=decision.policy,
        choice="ship",
        verdict=decision.verdict,
        rationale="Then.",
        evidence=evidence,
        digest=deciding.digest_of(evidence),
        signed_by=decision.signed_by,
        signed_name=decision.signed_name,
    )


def test_waivers_signed_before_they_named_an_author_are_the_signers(
    study: Study, lena: User
) -> None:
    decision = signed(study, lena, choice="ship", waivers=waive_all(study, localdate()))
    for waiver in decision.evidence["waivers"]:
        del waiver["author"]

    assert {one["author"] for one in deciding.waivers_of(decision)} == {"Lena (lena@example.org)"}
    assert any("Waived until" in row.waiver for row in gate_rows(decision.evidence))


# What has changed since.


def test_a_decision_says_since_when_its_data_have_changed_and_by_what(
    study: Study, lena: User, lena_client: Client
) -> None:
    decision = signed(study, lena)
    assert record(decision)["changed"] is None
    assert "The evidence is the same today." in page(lena_client, decision)

    make_batch(study, rows_of(4), name="second")
    judge_slots(study, [make_user(f"Late {number}") for number in range(3)])
    suite = make_suite(cases=4)
    make_run(study, suite, "baseline", passed=[True] * 4)

    changed = record(decision)["changed"]
    assert changed["what"] == ["1 batch", "12 further judgements", "1 run"]
    batch = study.batches.get(number=2)
    assert changed["since"] == batch.created_at.isoformat()
    text = page(lena_client, decision)
    assert "90 judgements then, 102 judgements now" in text
    assert "1 batch, 12 further judgements, 1 run." in text


def test_a_corrected_judgement_is_a_change_even_where_every_number_stays(
    study: Study, lena: User
) -> None:
    decision = signed(study, lena)
    last = Judgement.objects.filter(study=study, preference=0, both_bad=False).first()
    assert last is not None
    again = Judgement.objects.get(pk=last.pk)
    again.pk, again.version = None, 2
    again.submission_key, again.comment = uuid4(), "Still a tie."
    again.created_at = timezone.now()
    again._state.adding = True
    again.save()
    last.task.version = 2
    last.task.save()

    changed = record(decision)["changed"]

    assert changed["what"] == ["1 corrected judgement"]
    assert changed["numbers"] is False


def test_a_changed_policy_is_a_change(study: Study, lena: User, lena_client: Client) -> None:
    decision = signed(study, lena)
    deciding.change_policy(
        study, DEFAULT_GATES, confidence=0.9, made_by=lena, reason="Agreed in May"
    )

    assert record(decision)["changed"]["what"] == ["1 change of the policy"]
    text = page(lena_client, decision)
    assert "policy version 1 then, 2 now" in text
    assert "Agreed in May" in text
