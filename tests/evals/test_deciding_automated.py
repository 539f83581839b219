"""Six gates measured from runs: met, not met, not enough, not measured, and what each names."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from annotate.models import Study, User
from evals import deciding
from evals.gate import GateResult
from evals.models import Case, Decision, Endpoint, Generation, Run, Score, ScorerVersion, Suite
from evals.reporting import gate_rows
from evals.running import start_runs
from evals.stats.estimates import Estimate, Undefined
from evals.stats.paired import differences_with_alarm, newcombe_paired_difference
from tests.evals.factories import make_endpoint, make_run, make_suite
from tests.evals.simulation import gates
from tests.factories import make_batch, make_study, make_user, rows_of
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

Outcomes = Sequence[bool | None]


@pytest.fixture
def study() -> Study:
    return make_study()


def share(count: int, of: int) -> list[bool | None]:
    return [index < count for index in range(of)]


def pair_of(
    study: Study, suite: Suite, baseline: Outcomes = (), candidate: Outcomes = (), **more: Any
) -> tuple[Run, Run]:
    together = uuid4()
    old, new = more.get("latencies", ((), ()))
    return (
        make_run(study, suite, "baseline", passed=baseline, pair=together, latencies=old),
        make_run(study, suite, "candidate", passed=candidate, pair=together, latencies=new),
    )


def result(study: Study, key: str) -> GateResult:
    return deciding.weigh(study).result(key)


# Target improvement.


@pytest.mark.parametrize(
    ("baseline", "candidate", "status"),
    [
        (share(100, 200), share(180, 200), "met"),
        (share(100, 200), share(90, 200), "not met"),
        (share(100, 200), share(115, 200), "not enough evidence"),
    ],
)
def test_target_improvement_is_the_paired_difference_of_pass_rates(
    study: Study, baseline: Outcomes, candidate: Outcomes, status: str
) -> None:
    pair_of(study, make_suite(cases=200), baseline, candidate)

    found = result(study, "target_improvement")

    assert found.status == status
    assert isinstance(found.estimate, Estimate)
    assert found.estimate.n == 200
    both, won, lost = 100, sum(map(bool, candidate)) - 100, 0
    if won < 0:
        both, won, lost = 100 + won, 0, -won
    expected = newcombe_paired_difference([[both, won], [lost, 200 - both - won - lost]])
    assert (found.estimate.low, found.estimate.high) == (expected.low, expected.high)


def test_target_cases_of_all_suites_count_together_and_general_ones_do_not(study: Study) -> None:
    pair_of(study, make_suite("one", 10), share(5, 10), share(8, 10))
    pair_of(study, make_suite("two", 20), share(10, 20), share(12, 20))
    pair_of(study, make_suite("general", 30, split="general"), share(0, 30), share(30, 30))

    weighing = deciding.weigh(study)
    found = weighing.result("target_improvement")

    assert isinstance(found.estimate, Estimate)
    assert found.estimate.n == 30
    assert found.estimate.value == pytest.approx(5 / 30)
    evidence = deciding.evidence_of(weighing)
    (gate,) = [gate for gate in evidence["gates"] if gate["gate"] == "target_improvement"]
    assert gate["sources"] == [
        {"suite": "one@1", "baseline_run": 1, "candidate_run": 2},
        {"suite": "two@1", "baseline_run": 3, "candidate_run": 4},
    ]


def test_an_error_stays_in_the_denominator(study: Study) -> None:
    pair_of(study, make_suite(cases=40), share(20, 40), [*share(20, 20), *[None] * 20])

    found = result(study, "target_improvement")

    assert isinstance(found.estimate, Estimate)
    assert (found.estimate.n, found.estimate.value) == (40, 0.0)


def test_without_target_cases_the_gate_says_which_command_would_measure_it(study: Study) -> None:
    pair_of(study, make_suite(cases=5, split="general"))

    found = result(study, "target_improvement")

    assert found.status == "not measured"
    assert "no suite that was run has target cases" in found.sentence
    assert f"manage.py evaluate {study.slug} --suite tool_calling" in found.missing


def test_answers_without_a_score_are_not_passed_over(study: Study) -> None:
    baseline, _ = pair_of(study, make_suite(cases=8))
    late = Run.objects.create(
        study=study, number=9, suite=baseline.suite, system="candidate", source="imported",
        state="done", ended_at=baseline.ended_at,
    )  # fmt: skip
    for case in baseline.suite.cases.all():
        Generation.objects.create(
            run=late, case=case, position=case.position, state="done", text="1",
            done_at=baseline.ended_at,
        )  # fmt: skip

    for key in ("target_improvement", "exact_match", "adversarial"):
        found = result(study, key)
        assert found.status == "not enough evidence"
        assert "8 answers of run 9 (capitals) not scored yet" in found.sentence


# General regression.


def general(study: Study, counts: dict[str, tuple[int, int, int]]) -> Suite:
    """Categories of (cases, passed by the baseline, passed by the candidate)."""
    suite = make_suite("general", sum(n for n, _, _ in counts.values()), split="general")
    names = [name for name, (n, _, _) in counts.items() for _ in range(n)]
    baseline = [one for n, b, _ in counts.values() for one in share(b, n)]
    candidate = [one for n, _, c in counts.values() for one in share(c, n)]
    # Cases are made anew: those of the factory take categories in turns.
    copies = list(suite.cases.order_by("position"))
    fresh = Suite.objects.create(
        name="knowledge", version=1, title="Knowledge", digest=uuid4().hex * 2, format="suite",
        case_count=len(copies),
    )  # fmt: skip
    for case, name in zip(copies, names, strict=True):
        case.pk, case.suite, case.category = None, fresh, name
    Case.objects.bulk_create(copies)
    pair_of(study, fresh, baseline, candidate)
    return fresh


def test_the_worst_general_category_speaks(study: Study) -> None:
    general(study, {"geography": (300, 280, 280), "history": (300, 280, 150)})

    found = result(study, "general_regression")

    assert found.status == "not met"
    assert found.sentence.startswith("history: ")


def test_all_general_categories_have_to_rule_out_the_loss(study: Study) -> None:
    general(study, {"geography": (900, 850, 850), "history": (20, 18, 18)})

    found = result(study, "general_regression")

    assert found.status == "not enough evidence"
    assert found.sentence.startswith("history: ")
    assert "geography" not in found.missing


def test_no_loss_in_any_category_is_met(study: Study) -> None:
    general(study, dict.fromkeys(("geography", "history", "arts"), (400, 390, 392)))

    assert result(study, "general_regression").status == "met"


def test_upper_ends_are_widened_for_the_number_of_categories_and_lower_ends_are_not() -> None:
    tables = [[[80, 2], [8, 10]], [[85, 5], [5, 5]], [[60, 5], [30, 5]]]

    found = differences_with_alarm(tables, -0.05)

    plain = [newcombe_paired_difference(table) for table in tables]
    assert [one.low for one in found] == [one.low for one in plain]
    # The third alarms first, at the level of three; the others wait at the level of two.
    assert found[2].high == newcombe_paired_difference(tables[2], 1 - 0.05 / 3).high
    assert [one.high for one in found[:2]] == [
        newcombe_paired_difference(table, 1 - 0.05 / 2).high for table in tables[:2]
    ]
    assert "Holm for 3 categories" in found[0].method


def test_a_single_category_is_judged_by_the_plain_interval() -> None:
    table = [[80, 2], [8, 10]]

    (found,) = differences_with_alarm([table], -0.05)

    assert found == newcombe_paired_difference(table)


# Shares of the candidate.


@pytest.mark.parametrize(
    ("passed", "status"),
    [(190, "met"), (150, "not met"), (175, "not enough evidence")],
)
def test_exact_match_is_the_candidates_share_of_cases_scored_by_it(
    study: Study, passed: int, status: str
) -> None:
    pair_of(study, make_suite(cases=200), share(200, 200), share(passed, 200))
    make_batch(study, [rows_of(1)[0] | {"reference": "x", "candidate_output": "y"}])

    found = result(study, "exact_match")

    assert found.status == status
    assert isinstance(found.estimate, Estimate)
    assert (found.estimate.n, found.estimate.value) == (200, passed / 200)
    assert "marked by exact match" in found.estimate.method


def test_without_a_suite_exact_match_falls_back_on_references_and_says_so(study: Study) -> None:
    make_batch(study, [rows_of(1)[0] | {"reference": "x", "candidate_output": "x"}])

    found = result(study, "exact_match")

    assert isinstance(found.estimate, Estimate)
    assert found.estimate.n == 1
    assert "uploaded batches" in found.note


def test_adversarial_cases_are_those_of_that_category_and_errors_fail(study: Study) -> None:
    suite = make_suite(cases=90)
    adversarial = [case.position for case in suite.cases.filter(category="adversarial")]
    outcomes: list[bool | None] = [True] * 90
    for position in adversarial[:4]:
        outcomes[position - 1] = None
    pair_of(study, suite, (), outcomes)

    found = result(study, "adversarial")

    assert len(adversarial) == 30
    assert isinstance(found.estimate, Estimate)
    assert (found.estimate.n, found.estimate.value) == (30, 26 / 30)
    assert found.status == "not enough evidence"
    assert found.note == "4 errors counted as failed."


def test_one_hundred_percent_of_adversarial_cases_means_no_failure(
    study: Study, lena: User
) -> None:
    pair_of(study, make_suite(cases=30))
    deciding.change_policy(
        study, gates(adversarial=1.0), confidence=0.95, made_by=lena, reason="agreed"
    )

    found = result(study, "adversarial")

    assert found.status == "met"
    assert found.sentence.startswith("10 of 10; at least ")


def test_schema_compliance_looks_at_cases_scored_as_json(study: Study) -> None:
    suite = make_suite(cases=50)
    runs = pair_of(study, suite)
    as_json = json_runs(study, runs, failed=0)

    met = result(study, "schema_compliance")
    json_runs(study, as_json, failed=1)
    failed = result(study, "schema_compliance")

    assert (met.status, failed.status) == ("met", "not met")
    assert met.sentence.startswith("50 of 50; at least ")
    assert failed.sentence.startswith("49 of 50; 1 failed")


def json_runs(study: Study, runs: tuple[Run, Run], failed: int) -> tuple[Run, Run]:
    """Two more runs of the same suite, marked by json_schema."""
    scorer, _ = ScorerVersion.objects.get_or_create(
        name="json_schema", signature="json_schema|version:1|level:output"
    )
    made = []
    together = uuid4()
    for run in runs:
        number = Run.objects.filter(study=study).count() + 1
        copy = Run.objects.create(
            study=study, number=number, suite=run.suite, system=run.system, pair=together,
            source="imported", state="done", ended_at=run.ended_at,
        )  # fmt: skip
        for case in run.suite.cases.all():
            generation = Generation.objects.create(
                run=copy, case=case, position=case.position, state="done", text="{}",
                done_at=run.ended_at,
            )  # fmt: skip
            passed = case.position > failed
            Score.objects.create(
                generation=generation, scorer=scorer, own=True, value=passed, passed=passed
            )
        made.append(copy)
    return made[0], made[1]


# Latency.


def latencies(count: int, factor: float = 1.0) -> list[float]:
    return [factor * (100 + (37 * number) % 101) for number in range(count)]


@pytest.mark.parametrize(
    ("factor", "status"), [(1.0, "met"), (5.0, "not met"), (2.0, "not enough evidence")]
)
def test_latency_is_the_ratio_of_the_slowest_first_tries(
    study: Study, factor: float, status: str
) -> None:
    pair_of(study, make_suite(cases=300), latencies=(latencies(300), latencies(300, factor)))

    found = result(study, "latency_p99")

    assert found.status == status
    assert isinstance(found.estimate, Estimate)
    assert found.estimate.n == 300
    assert "Not asked in turns: capitals" in found.note


def test_too_few_requests_are_not_enough_and_say_how_many_more(study: Study) -> None:
    pair_of(study, make_suite(cases=298), latencies=(latencies(298), latencies(298)))

    found = result(study, "latency_p99")

    assert found.status == "not enough evidence"
    assert isinstance(found.estimate, Undefined)
    assert found.missing == "1 more request of each system would give a first interval."


def test_retries_errors_and_caches_are_no_latencies(study: Study) -> None:
    suite = make_suite(cases=300)
    outcomes: list[bool | None] = [True] * 299 + [None]
    pair_of(study, suite, (), outcomes, latencies=(latencies(300), latencies(300)))

    met = result(study, "latency_p99")

    assert isinstance(met.estimate, Estimate)
    assert met.estimate.n == 299


def test_runs_without_latencies_leave_the_gate_unmeasured(study: Study) -> None:
    pair_of(study, make_suite(cases=10))

    found = result(study, "latency_p99")

    assert found.status == "not measured"
    assert "no latency was measured" in found.sentence


# Which runs count.


def test_the_latest_finished_pair_speaks_for_a_suite(study: Study) -> None:
    suite = make_suite(cases=10)
    pair_of(study, suite, (), share(0, 10))
    pair_of(study, suite, (), share(10, 10))

    found = result(study, "exact_match")

    assert isinstance(found.estimate, Estimate)
    assert found.estimate.value == 1.0


@pytest.mark.parametrize(
    ("state", "words"),
    [("cancelled", "was cancelled"), ("stopped", "was stopped at its limit")],
)
def test_a_run_that_did_not_finish_feeds_no_gate_and_that_is_said(
    study: Study, state: str, words: str
) -> None:
    suite = make_suite(cases=10)
    pair_of(study, suite, share(5, 10), share(9, 10))
    _, later = pair_of(study, suite, share(5, 10), share(0, 10))
    Run.objects.filter(pk=later.pk).update(state=state)

    weighing = deciding.weigh(study)
    found = weighing.result("target_improvement")

    assert isinstance(found.estimate, Estimate)
    assert found.estimate.value == pytest.approx(0.4)
    notes = deciding.evidence_of(weighing)["notes"]
    assert f"Run 4 (capitals, candidate) {words} and feeds no gate." in notes


def test_with_only_a_cancelled_run_the_gate_names_it(study: Study) -> None:
    _, candidate = pair_of(study, make_suite(cases=10))
    Run.objects.filter(pk=candidate.pk).update(state="cancelled")

    found = result(study, "target_improvement")

    assert found.status == "not measured"
    assert found.sentence == "Not measured: capitals: run 2 (candidate) was cancelled."
    assert "manage.py evaluate" in found.missing


def test_one_system_alone_measures_nothing(study: Study) -> None:
    make_run(study, make_suite(cases=10), "candidate")

    found = result(study, "adversarial")

    assert found.status == "not measured"
    assert "the baseline has no finished run" in found.sentence


def test_answers_of_the_stand_in_are_called_that(study: Study) -> None:
    endpoint = Endpoint.objects.create(name="Stand-in", kind="stand_in", model="stand-in")
    runs = pair_of(study, make_suite(cases=10))
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(endpoint=endpoint, source="calls")

    notes = deciding.evidence_of(deciding.weigh(study))["notes"]

    assert "Answered by the built-in stand-in, not by a model: runs 1, 2." in notes


def test_different_models_behind_one_system_are_told(study: Study) -> None:
    _, candidate = pair_of(study, make_suite("one", 4))
    pair_of(study, make_suite("two", 4))
    Run.objects.filter(pk=candidate.pk).update(model="other")

    notes = deciding.evidence_of(deciding.weigh(study))["notes"]

    assert notes == ["The candidate's runs name different models: candidate-model, other."]


# The evidence and the page.


def test_the_evidence_names_every_input_and_is_the_same_again(study: Study) -> None:
    pair_of(study, make_suite(cases=10))
    make_batch(study, 2)

    evidence = deciding.evidence_of(deciding.weigh(study))

    (used,) = evidence["inputs"]["runs"]
    assert used["suite"] == "capitals@1"
    assert len(used["digest"]) == 64
    assert used["baseline"]["run"] == 1
    assert len(used["candidate"]["answers"]) == 64
    assert used["scorers"] == ["exact_match|version:1|level:output"]
    assert len(evidence["inputs"]["batches"]) == 1
    again = deciding.evidence_of(deciding.weigh(study))
    assert deciding.digest_of(evidence) == deciding.digest_of(again)
    assert json.loads(json.dumps(evidence)) == evidence


def test_a_further_run_changes_the_digest_and_the_decision_says_which_runs(
    study: Study, lena_client: Client
) -> None:
    suite = make_suite(cases=10)
    pair_of(study, suite)
    seen = deciding.digest_of(deciding.evidence_of(deciding.weigh(study)))
    lena_client.post(
        reverse("sign", args=[study.slug]),
        {"choice": "hold", "rationale": "Wait.", "seen": seen},
    )
    pair_of(study, suite)

    decision = Decision.objects.get()
    text = lena_client.get(reverse("signed", args=[study.slug, decision.pk])).content.decode()

    assert "runs 1 and 2 then, runs 3 and 4 now" in text


def test_a_decision_signed_before_there_were_runs_can_still_be_read(
    study: Study, lena_client: Client
) -> None:
    weighing = deciding.weigh(study)
    evidence = deciding.evidence_of(weighing)
    old = {name: part for name, part in evidence.items() if name not in ("inputs", "notes")}
    old["gates"] = [
        {name: part for name, part in gate.items() if name not in ("note", "sources")}
        for gate in evidence["gates"]
    ]
    decision = Decision.objects.create(
        study=study, policy=deciding.current_policy(study), choice="hold", verdict="NOT YET",
        rationale="Then.", evidence=old, digest=deciding.digest_of(old),
        signed_by=lena_client_user(lena_client), signed_name="Lena",
    )  # fmt: skip

    text = lena_client.get(reverse("signed", args=[study.slug, decision.pk])).content.decode()

    assert not deciding.changed_since(decision, deciding.evidence_of(deciding.weigh(study)))
    assert "The evidence is the same today." in text
    assert len(gate_rows(old)) == 7


def lena_client_user(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_the_page_names_suite_and_runs_beside_each_gate(study: Study, lena_client: Client) -> None:
    pair_of(study, make_suite(cases=10), share(5, 10), share(9, 10))

    text = lena_client.get(reverse("decision", args=[study.slug])).content.decode()

    assert text.count("capitals@1, runs 1 and 2") >= 3
    assert f"manage.py evaluate {study.slug} --suite general_knowledge" in text
    assert "Frozen with the first run" in text


# The policy.


def test_a_run_freezes_the_policy(study: Study, lena: User) -> None:
    make_run(study, make_suite(cases=2), "candidate")

    freeze = deciding.freeze_of(study)

    assert freeze is not None
    assert freeze.by == "run"
    with pytest.raises(deciding.RefusedDecisionError, match="a run has been started"):
        deciding.change_policy(study, gates(adversarial=0.5), confidence=0.95, made_by=lena)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_no_policy_changes_without_a_reason_once_a_run_has_begun_to_start() -> None:
    study, lead = make_study(), make_user("Lena", role="lead")
    suite, endpoint = make_suite(cases=2), make_endpoint()
    begun = threading.Event()

    def act(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                start_runs(study, suite, {"candidate": endpoint})
                begun.set()
                # The change has come by now, and has to wait for what is done here.
                time.sleep(0.5)
            return "started"
        assert begun.wait(10)
        return deciding.change_policy(study, gates(adversarial=0.5), confidence=0.95, made_by=lead)

    started, changed = in_parallel(2, act)

    assert started == "started"
    assert isinstance(changed, deciding.RefusedDecisionError)
    assert deciding.policy_in_force(study).gate("adversarial").threshold == 0.9
