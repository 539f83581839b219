"""Gates read whole intervals; a verdict reads gates."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.gate import (
    DEFAULT_GATES,
    Evidence,
    Gate,
    GateResult,
    judge_gate,
    still_missing,
    verdict,
)
from evals.stats.estimates import Estimate, Undefined
from evals.stats.proportions import wilson_interval

GATES = {gate.key: gate for gate in DEFAULT_GATES}
THIN = "\u202f"
MINUS = "\u2212"


def estimate(value: float, low: float | None, high: float | None, n: int = 812) -> Estimate:
    return Estimate(value, low, high, n, "made for this test")


def judged(key: str, *args: float, word: str = "cases") -> GateResult:
    value, low, high = args
    return judge_gate(GATES[key], Evidence(key, estimate(value, low, high), word))


def test_the_default_gates_ask_for_what_was_agreed() -> None:
    asks = {gate.key: gate.asks.replace(THIN, " ") for gate in DEFAULT_GATES}

    assert asks == {
        "target_improvement": "At least +5 points over the baseline",
        "general_regression": "At most 5 points lost in any general category",
        "exact_match": "At least 85 % on the evaluation suite",
        "latency_p99": "At most 2 × the baseline",
        "human_preference": "At least 60 % prefer the candidate",
        "adversarial": "At least 90 % pass on adversarial cases",
        "schema_compliance": "100 % valid JSON on structured output",
    }
    assert all(gate.required for gate in DEFAULT_GATES)


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (0.61, 0.70, "met"),
        (0.60, 0.70, "met"),
        (0.585, 0.699, "not enough evidence"),
        (0.50, 0.60, "not enough evidence"),
        (0.50, 0.599, "not met"),
    ],
)
def test_a_share_is_met_only_by_its_whole_interval(low: float, high: float, status: str) -> None:
    assert judged("human_preference", (low + high) / 2, low, high).status == status


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (1.08, 1.59, "met"),
        (1.5, 2.0, "met"),
        (1.5, 2.1, "not enough evidence"),
        (2.1, 3, "not met"),
    ],
)
def test_a_ratio_is_met_only_by_its_whole_interval(low: float, high: float, status: str) -> None:
    assert judged("latency_p99", (low + high) / 2, low, high).status == status


def test_a_point_above_the_threshold_is_not_enough() -> None:
    result = judged("human_preference", 0.644, 0.585, 0.699, word="judgements")

    assert result.status == "not enough evidence"
    assert result.sentence.replace(THIN, " ") == (
        "64.4 % (58.5 to 69.9, 812 judgements): the interval holds 60 %, so it cannot be told yet."
    )
    assert result.missing == "About 640 more judgements would settle it."


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        (0.0, "About 640 more decided judgements would settle it."),
        (0.2, "About 640 more decided judgements would settle it: about 790 judgements, if as "
              "many of them count as so far."),
        (None, "About 640 more decided judgements would settle it; of all judgements it takes "
               "more, how many cannot be told yet."),
    ],
)  # fmt: skip
def test_ties_that_are_left_out_are_counted_into_the_forecast(
    lost: float | None, told: str
) -> None:
    rate = Estimate(0.644, 0.585, 0.699, 812, "")
    evidence = Evidence(
        "human_preference", rate, "decided judgements", collected="judgements", lost=lost
    )

    assert judge_gate(GATES["human_preference"], evidence).missing == told


def test_a_loss_reads_as_a_negative_difference() -> None:
    met = judged("general_regression", -0.003, -0.019, 0.012)
    failed = judged("general_regression", -0.12, -0.152, -0.083)

    assert (met.status, failed.status) == ("met", "not met")
    assert failed.sentence.replace(THIN, " ") == (
        f"{MINUS}12.0 points ({MINUS}15.2 to {MINUS}8.3, 812 cases): "
        f"the whole interval is below {MINUS}5 points."
    )


def test_the_worst_category_speaks_for_a_gate_of_several() -> None:
    parts = [
        Evidence("general_regression", estimate(0.01, -0.01, 0.03), part="Simple"),
        Evidence("general_regression", estimate(-0.023, -0.065, 0.019, 220), part="Multi-turn"),
        Evidence("general_regression", estimate(-0.01, -0.055, 0.03, 150), part="Refusals"),
    ]

    result = judge_gate(GATES["general_regression"], parts)

    assert result.status == "not enough evidence"
    assert result.estimate == parts[1].estimate
    assert result.sentence.startswith("Multi-turn: ")
    assert "Multi-turn: About" in result.missing
    assert "Refusals: About" in result.missing
    assert "Simple" not in result.missing


def test_one_failed_category_fails_the_gate_whatever_is_unmeasured() -> None:
    parts = [
        Evidence("general_regression", Undefined("no case yet"), part="Tools"),
        Evidence("general_regression", estimate(-0.12, -0.152, -0.083), part="Simple"),
    ]

    assert judge_gate(GATES["general_regression"], parts).status == "not met"


def test_a_category_without_evidence_keeps_a_gate_open() -> None:
    parts = [
        Evidence("general_regression", estimate(0.01, -0.01, 0.03), part="Simple"),
        Evidence("general_regression", Undefined("no case yet"), part="Tools"),
    ]

    result = judge_gate(GATES["general_regression"], parts)

    assert result.status == "not enough evidence"
    assert result.missing == "Tools: no case yet."


@pytest.mark.parametrize("evidence", [None, (), Evidence("exact_match", estimate(1, 1, 1))])
def test_a_gate_without_evidence_of_its_own_is_not_measured(evidence: Evidence | None) -> None:
    result = judge_gate(GATES["latency_p99"], evidence)

    assert (result.status, result.estimate) == ("not measured", None)


def test_an_undefined_estimate_is_not_measured_and_says_why() -> None:
    undefined = Undefined("the candidate has not answered this suite yet")

    result = judge_gate(GATES["exact_match"], Evidence("exact_match", undefined))

    assert result.status == "not measured"
    assert result.sentence == "Not measured: the candidate has not answered this suite yet."


def test_an_estimate_without_an_interval_never_meets_a_gate() -> None:
    result = judge_gate(GATES["exact_match"], Evidence("exact_match", estimate(1.0, None, None)))

    assert result.status == "not enough evidence"
    assert "how many cannot be foretold" in result.missing


def test_full_compliance_means_no_failure_and_states_the_bound() -> None:
    result = judge_gate(
        GATES["schema_compliance"], Evidence("schema_compliance", wilson_interval(200, 200))
    )

    assert result.status == "met"
    assert result.sentence.replace(THIN, " ") == "200 of 200; at least 98.5 % at 95 %."


def test_one_failure_in_a_million_misses_full_compliance() -> None:
    evidence = Evidence("schema_compliance", wilson_interval(999_999, 1_000_000))

    result = judge_gate(GATES["schema_compliance"], evidence)

    assert result.status == "not met"
    assert result.sentence.replace(THIN, " ") == (
        "999,999 of 1,000,000; 1 failed, and 100 % is asked for."
    )


def test_a_lowered_schema_gate_is_judged_by_its_interval() -> None:
    gate = replace(GATES["schema_compliance"], threshold=0.99)

    few = judge_gate(gate, Evidence("schema_compliance", wilson_interval(200, 200)))
    many = judge_gate(gate, Evidence("schema_compliance", wilson_interval(600, 600)))

    assert (few.status, many.status) == ("not enough evidence", "met")


def test_braces_in_a_rule_that_somebody_typed_are_left_alone() -> None:
    gate = Gate("k", "t", 0.9, "at least", "share", rule="{threshold} of {json}")

    assert gate.asks.replace(THIN, " ") == "90 % of {json}"


def results_of(statuses: list[str]) -> list[GateResult]:
    pairs = zip(DEFAULT_GATES, statuses, strict=False)
    return [GateResult(gate, status, None, "", "more") for gate, status in pairs]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["met"] * 7, "GO"),
        (["met"] * 6 + ["not measured"], "NOT YET"),
        (["met"] * 6 + ["not enough evidence"], "NOT YET"),
        (["not measured"] * 6 + ["not met"], "NO-GO"),
        ([], "NOT YET"),
    ],
)
def test_verdict_follows_the_rule(statuses: list[str], expected: str) -> None:
    assert verdict(results_of(statuses)) == expected


def test_a_gate_that_is_not_required_neither_stops_nor_carries_the_verdict() -> None:
    met, failed = results_of(["met", "not met"])
    optional = replace(failed, gate=replace(failed.gate, required=False))

    assert verdict([met, optional]) == "GO"
    assert verdict([optional]) == "NOT YET"
    assert verdict([replace(optional, status="met")]) == "NOT YET"


def test_what_is_missing_names_the_open_gates_only() -> None:
    results = results_of(["met", "not enough evidence", "not met", "not measured"])

    assert still_missing(results) == ("General regression: more", "Latency, 99th percentile: more")


@given(
    value=st.floats(0, 1),
    below=st.floats(0, 1),
    above=st.floats(0, 1),
    threshold=st.floats(0.01, 0.99),
)
def test_a_wider_interval_never_turns_an_answer_into_the_opposite(
    value: float, below: float, above: float, threshold: float
) -> None:
    gate = Gate("k", "t", threshold, "at least", "share")
    narrow = judge_gate(gate, Evidence("k", estimate(value, value, value)))
    wide = judge_gate(gate, Evidence("k", estimate(value, value - below, value + above)))

    assert wide.status in (narrow.status, "not enough evidence")
