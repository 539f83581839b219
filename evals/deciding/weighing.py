"""What the rule says of the evidence in the database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from annotate.models import Study
from evals import queries
from evals.deciding.policy import PolicyInForce, policy_in_force
from evals.gate import Evidence, GateResult, Verdict, judge_gate, still_missing, verdict
from evals.matching import RULE
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.stats.proportions import wilson_interval
from evals.tallies import SidedVotes, Tally

NO_SUITE = "no suite has been run for it"
# With fewer items judged twice, alpha says nothing of chance.
ENOUGH_UNITS = 20


@dataclass(frozen=True, slots=True)
class Weighing:
    """What the rule says of the evidence as it is."""

    study: Study
    policy: PolicyInForce
    results: tuple[GateResult, ...]
    votes: SidedVotes
    agreement: Estimate | Undefined
    slots: queries.Slots
    words: Mapping[str, str]

    @property
    def tally(self) -> Tally:
        return self.votes.overall

    @property
    def verdict(self) -> Verdict:
        return verdict(self.results)

    @property
    def missing(self) -> tuple[str, ...]:
        return still_missing(self.results)

    def result(self, key: str) -> GateResult:
        return next(result for result in self.results if result.gate.key == key)


def weigh(study: Study, policy: PolicyInForce | None = None) -> Weighing:
    """Judge every gate by the evidence in the database."""
    policy = policy or policy_in_force(study)
    votes = queries.sided_votes(study)
    tally = votes.overall
    agreement = tally.agreement(policy.confidence)["alpha_nominal"]
    evidence = [
        _preference_evidence(tally, policy.confidence),
        *_reference_evidence(study, policy.confidence),
    ]
    found = {piece.gate_key: piece for piece in evidence}
    results = [
        judge_gate(gate, found.get(gate.key) or Evidence(gate.key, Undefined(NO_SUITE)))
        for gate in policy.gates
    ]
    return Weighing(
        study,
        policy,
        tuple(_doubted(result, agreement) for result in results),
        votes,
        agreement,
        queries.total_slots(study),
        {key: piece.word for key, piece in found.items()},
    )


def judge_preference(tally: Tally, policy: PolicyInForce) -> GateResult:
    """The gate of human preference alone, for these votes."""
    agreement = tally.agreement(policy.confidence)["alpha_nominal"]
    result = judge_gate(
        policy.gate("human_preference"), _preference_evidence(tally, policy.confidence)
    )
    return _doubted(result, agreement)


def _preference_evidence(tally: Tally, confidence: float) -> Evidence:
    return Evidence("human_preference", tally.win_rate(confidence), "judgements")


def _reference_evidence(study: Study, confidence: float) -> list[Evidence]:
    counts = queries.reference_counts(study)
    exact: Estimate | Undefined = Undefined("no item has a reference to compare with")
    if counts.references:
        exact = wilson_interval(counts.matched, counts.references, confidence)
        exact = replace(exact, method=f"outputs {RULE}; Wilson interval")
    schema: Estimate | Undefined = Undefined("no item has a JSON object or array as its reference")
    if counts.structured:
        schema = wilson_interval(counts.valid, counts.structured, confidence)
        schema = replace(
            schema,
            method="outputs that are valid JSON, where the reference is a JSON object or array; "
            "Wilson interval",
        )
    return [
        Evidence("exact_match", exact, "outputs"),
        Evidence("schema_compliance", schema, "outputs"),
    ]


def no_better_than_chance(agreement: Estimate | Undefined) -> bool:
    """Whether annotators may agree by chance alone: the interval of alpha reaches 0."""
    return (
        isinstance(agreement, Estimate)
        and agreement.n >= ENOUGH_UNITS
        and agreement.low is not None
        and agreement.low <= 0
    )


def _doubted(result: GateResult, agreement: Estimate | Undefined) -> GateResult:
    """A preference that people do not share is no ground for GO."""
    if result.gate.key != "human_preference" or result.status != "met":
        return result
    if not isinstance(agreement, Estimate) or not no_better_than_chance(agreement):
        return result
    alpha = (
        f"alpha {wording.coefficient(agreement.value)}, "
        f"{wording.interval(agreement.low, agreement.high, 'coefficient')}, "
        f"{wording.counted(agreement.n, 'items')}"
    )
    doubt = f"But the annotators agree no better than by chance ({alpha})."
    return replace(
        result,
        status="not enough evidence",
        sentence=f"{result.sentence} {doubt}",
        missing="Agreement beyond chance: look at the disputed items and sharpen the guidelines.",
    )
