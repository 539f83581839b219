"""What the rule says of the evidence in the database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from annotate.models import Study
from evals import queries
from evals.deciding.automated import Gathered, Piece, gather
from evals.deciding.inputs import inputs_of
from evals.deciding.policy import (
    Freeze,
    PolicyInForce,
    PolicyVersion,
    freeze_of,
    policy_in_force,
    policy_versions,
)
from evals.deciding.resampling import AGREEMENT_SEED
from evals.gate import Evidence, GateResult, Verdict, judge_gate, still_missing, verdict
from evals.queries.runs import RunPair
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.tallies import SidedVotes, Tally

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
    gathered: Gathered
    inputs: Mapping[str, Any]
    imported: int = 0
    freeze: Freeze | None = None
    versions: tuple[PolicyVersion, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the evidence before all numbers."""
        return (*_of_imported(self.imported, self.tally.n), *self.gathered.notes)

    @property
    def tally(self) -> Tally:
        return self.votes.overall

    @property
    def verdict(self) -> Verdict:
        return verdict(self.results)

    @property
    def missing(self) -> tuple[str, ...]:
        return still_missing(self.results)

    def sources(self, key: str) -> tuple[RunPair, ...]:
        """The pairs of runs that a gate was judged by."""
        piece = self.gathered.pieces.get(key)
        return piece.pairs if piece else ()

    def result(self, key: str) -> GateResult:
        return next(result for result in self.results if result.gate.key == key)


def weigh(study: Study, policy: PolicyInForce | None = None) -> Weighing:
    """Judge every gate by the evidence in the database."""
    policy = policy or policy_in_force(study)
    votes = queries.sided_votes(study, policy.only)
    tally = votes.overall
    agreement = tally.agreement(policy.confidence, AGREEMENT_SEED)["alpha_nominal"]
    gathered = gather(study, policy)
    freeze = freeze_of(study)
    preference = Piece((_preference_evidence(tally, policy),))
    pieces = {"human_preference": preference, **gathered.pieces}
    results = [judge_gate(gate, pieces[gate.key].evidence) for gate in policy.gates]
    return Weighing(
        study,
        policy,
        tuple(_doubted(result, agreement) for result in results),
        votes,
        agreement,
        queries.total_slots(study),
        {key: piece.evidence[0].word for key, piece in pieces.items()},
        gathered,
        inputs_of(study, policy.only, gathered.pairs),
        queries.imported_count(study, policy.only),
        freeze,
        tuple(v for v in policy_versions(study, freeze) if v.version <= policy.version),
    )


def _of_imported(imported: int, judgements: int) -> tuple[str, ...]:
    if not imported:
        return ()
    which = "All" if imported == judgements else f"{imported:,}"
    counted = wording.counted(judgements, "judgements")
    return (
        f"{which} of the {counted} behind human preference were made elsewhere, perhaps not "
        "blind: the policy counts them.",
    )


def judge_preference(tally: Tally, policy: PolicyInForce) -> GateResult:
    """The gate of human preference alone, for these votes."""
    agreement = tally.agreement(policy.confidence, AGREEMENT_SEED)["alpha_nominal"]
    evidence = _preference_evidence(tally, policy)
    result = judge_gate(policy.gate("human_preference"), evidence)
    return _doubted(result, agreement)


def _preference_evidence(tally: Tally, policy: PolicyInForce) -> Evidence:
    """The win rate by the tie policy, which is said wherever there was something to count."""
    rate = tally.preferred(policy.confidence, policy.ties)
    if policy.ties == "half":
        note = "Ties count as half a win for each side." if tally.ties else ""
        return Evidence("human_preference", rate, "judgements", note=note)
    left_out = f"{wording.counted(tally.ties, 'ties')} left out" if tally.ties else "no tie so far"
    note = f"Decided judgements alone: {left_out}." if tally.n else ""
    return Evidence(
        "human_preference", rate, "decided judgements", note=note,
        collected="judgements", lost=tally.tie_share,
    )  # fmt: skip


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
