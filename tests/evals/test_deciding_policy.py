"""What a policy may say of ties and of the unit of an improvement, and that it is said."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import Study, User
from evals import deciding
from evals.gate import DEFAULT_GATES, TARGET
from evals.models import Policy
from evals.stats.estimates import Estimate
from tests.evals.factories import make_run, make_suite
from tests.evals.simulation import Leaning, judged_study
from tests.factories import make_study

pytestmark = pytest.mark.django_db
THIN = "\u202f"


@pytest.fixture
def study() -> Study:
    """Half of the judgements are ties, and nearly all others are for the candidate."""
    return judged_study(items=60, annotators=6, leaning=Leaning(candidate=0.45, tie=0.5), same=0.8)


def change(study: Study, who: User, **wanted: Any) -> None:
    gates = wanted.pop("gates", DEFAULT_GATES)
    deciding.change_policy(
        study, gates, confidence=0.95, made_by=who, reason="Agreed in May", **wanted
    )


def evidence(study: Study) -> dict[str, Any]:
    return deciding.evidence_of(deciding.weigh(study))


def gate_of(study: Study, key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(g for g in evidence(study)["gates"] if g["gate"] == key)
    return found


# Ties.


def test_ties_are_half_a_win_unless_the_policy_says_otherwise(study: Study, lena: User) -> None:
    half = deciding.weigh(study)
    assert half.policy.ties == "half"
    assert "ties" not in evidence(study)["policy"]
    assert "Ties count as half a win" in half.result("human_preference").note

    change(study, lena, ties="decided")

    decided = deciding.weigh(study)
    before, after = (one.result("human_preference").estimate for one in (half, decided))
    tally = decided.tally
    assert isinstance(before, Estimate)
    assert isinstance(after, Estimate)
    assert before.value == pytest.approx((tally.wins + tally.ties / 2) / tally.n)
    assert after.value == pytest.approx(tally.wins / tally.decided)
    assert (before.n, after.n) == (tally.n, tally.decided)
    assert half.result("human_preference").status == "not enough evidence" or before.value > 0.6
    assert decided.result("human_preference").status == "met"
    gate = gate_of(study, "human_preference")
    assert f"{tally.decided} decided judgements" in gate["sentence"]
    assert f"{tally.ties} ties left out" in gate["note"]
    assert evidence(study)["policy"]["ties"] == "decided"


@pytest.mark.parametrize("page", ["study", "preference", "decision"])
def test_every_page_with_the_headline_says_what_becomes_of_ties(
    study: Study, lena: User, lena_client: Client, page: str
) -> None:
    address = reverse(page, args=[study.slug])
    tally = deciding.weigh(study).tally
    half = f"{100 * (tally.wins + tally.ties / 2) / tally.n:.1f}"
    decided = f"{100 * tally.wins / tally.decided:.1f}"

    before = lena_client.get(address).text
    change(study, lena, ties="decided")
    after = lena_client.get(address).text

    assert half in before
    assert decided in after
    assert "decided judgements" in after.lower()
    assert "half" in before
    assert page == "preference" or half not in after


def test_a_changed_tie_policy_is_shown_for_ever(study: Study, lena: User) -> None:
    change(study, lena, ties="decided")
    change(study, lena, ties="half")

    second, first = deciding.policy_versions(study)

    assert first.changes == "Ties are left out now."
    assert second.changes == "Ties are half a win for each side now."
    assert first.after_freeze


# The unit of the improvement.


def relative(threshold: float = 0.05) -> list[Any]:
    return [
        replace(gate, unit="relative", threshold=threshold) if gate.key == TARGET else gate
        for gate in DEFAULT_GATES
    ]


def test_an_improvement_may_be_asked_for_relative_to_the_baseline(lena: User) -> None:
    study, suite, pair = make_study(), make_suite(cases=100), uuid4()
    make_run(study, suite, "baseline", pair=pair, passed=[n < 40 for n in range(100)])
    make_run(study, suite, "candidate", pair=pair, passed=[n < 52 for n in range(100)])
    assert gate_of(study, TARGET)["estimate"]["value"] == pytest.approx(0.12)

    change(study, lena, gates=relative())

    gate = gate_of(study, TARGET)
    assert (gate["unit"], gate["bar"]) == ("relative", f"+5{THIN}%")
    assert gate["asks"] == f"At least +5{THIN}% over the baseline, relative to what it passes"
    assert gate["estimate"]["value"] == pytest.approx(0.30)
    assert gate["estimate"]["low"] >= 0.05
    assert gate["status"] == "met"
    assert gate["sentence"].startswith(f"+30.0{THIN}% (+")
    (version,) = deciding.policy_versions(study)
    assert f"+5{THIN}points became +5{THIN}%." in version.changes


def test_nothing_is_relative_to_a_baseline_that_passes_nothing(lena: User) -> None:
    study, suite, pair = make_study(), make_suite(cases=10), uuid4()
    make_run(study, suite, "baseline", pair=pair, passed=[False] * 10)
    make_run(study, suite, "candidate", pair=pair, passed=[True] * 10)
    change(study, lena, gates=relative())

    gate = gate_of(study, TARGET)

    assert gate["status"] == "not measured"
    assert "nothing to be relative to" in gate["sentence"]


# The form.


def form_of(**more: str) -> dict[str, str]:
    sent = {"confidence": "0.95", "reason": "Agreed in May"}
    for gate in DEFAULT_GATES:
        written = gate.threshold if gate.unit == "ratio" else abs(100 * gate.threshold)
        sent |= {f"{gate.key}-threshold": f"{written:g}", f"{gate.key}-required": "on"}
    return sent | more


def test_an_admin_chooses_ties_and_unit_on_the_page_of_the_policy(
    study: Study, adam_client: Client
) -> None:
    url = reverse("policy", args=[study.slug])

    sent = form_of(**{"ties": "decided", f"{TARGET}-unit": "relative"})
    assert adam_client.post(url, sent).status_code == 302

    policy = deciding.policy_in_force(study)
    assert (policy.ties, policy.gate(TARGET).unit) == ("decided", "relative")
    assert policy.gate(TARGET).threshold == pytest.approx(0.05)
    text = adam_client.get(url).text
    assert '<option value="decided" selected>' in text
    assert '<option value="relative" selected>' in text
    # A script that names neither leaves both as they are.
    assert adam_client.post(url, form_of(confidence="0.9")).status_code == 302
    policy = deciding.policy_in_force(study)
    assert (policy.ties, policy.gate(TARGET).unit) == ("decided", "relative")


@pytest.mark.parametrize("wrong", [{"ties": "whole"}, {f"{TARGET}-unit": "miles"}])
def test_a_choice_that_is_none_is_refused(
    study: Study, adam_client: Client, wrong: dict[str, str]
) -> None:
    response = adam_client.post(reverse("policy", args=[study.slug]), form_of(**wrong))

    assert response.status_code == 422
    assert not Policy.objects.exists()
