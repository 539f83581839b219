"""The evidence as it is kept, and the decision that a person signs on it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from annotate.models import Study, User
from evals import queries
from evals.deciding.inputs import source_as_json
from evals.deciding.policy import RefusedDecisionError, current_policy, read_policy
from evals.deciding.weighing import Weighing, weigh
from evals.gate import GateResult
from evals.models import Decision
from evals.queries.runs import RunPair
from evals.stats.estimates import Undefined

# What of the evidence is fact, not wording.
FACTS = ("study", "policy", "verdict", "counts", "inputs")
GATE_FACTS = ("status", "threshold", "required", "direction", "unit")


def gate_as_json(
    result: GateResult, word: str = "cases", pairs: Sequence[RunPair] = ()
) -> dict[str, Any]:
    """A gate with all that a page or a script needs to show it."""
    gate = result.gate
    estimate = result.estimate or Undefined("there is no evidence yet")
    return {
        "gate": gate.key,
        "title": gate.title,
        "asks": gate.asks,
        "status": result.status,
        "threshold": gate.threshold,
        "bar": gate.bar,
        "direction": gate.direction,
        "unit": gate.unit,
        "required": gate.required,
        "estimate": estimate.as_json(),
        "word": word,
        "sentence": result.sentence,
        "missing": result.missing,
        "note": result.note,
        "sources": [source_as_json(pair) for pair in pairs],
    }


def evidence_of(weighing: Weighing) -> dict[str, Any]:
    """All that the verdict rests on; the same evidence gives the same JSON."""
    study, tally, slots = weighing.study, weighing.tally, weighing.slots
    return {
        "study": {
            "slug": study.slug,
            "name": study.name,
            "baseline": study.baseline_name,
            "candidate": study.candidate_name,
        },
        "policy": _policy_as_json(weighing),
        "verdict": weighing.verdict,
        "gates": [
            gate_as_json(
                result,
                weighing.words.get(result.gate.key, "cases"),
                weighing.sources(result.gate.key),
            )
            for result in weighing.results
        ],
        "counts": {
            "items": slots.items,
            "tasks": slots.wanted,
            "judgements": tally.n,
            "annotators": tally.annotator_count,
            "wins": tally.wins,
            "ties": tally.ties,
            "losses": tally.losses,
            "both_bad": tally.both_bad,
        },
        "agreement": {"krippendorff_alpha_nominal": weighing.agreement.as_json()},
        "inputs": dict(weighing.inputs),
        "notes": list(weighing.notes),
    }


def _policy_as_json(weighing: Weighing) -> dict[str, Any]:
    policy = weighing.policy
    found: dict[str, Any] = {"version": policy.version, "confidence": policy.confidence}
    # Only where it is so: what was signed before there was such a choice has the same digest.
    if policy.counts_imported:
        found["counts_imported"] = True
    if policy.ties != "half":
        found["ties"] = policy.ties
    return found


def digest_of(evidence: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(
        evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why one gate that is not met does not stop the candidate, and until when."""

    gate: str
    reason: str
    until: str

    def as_json(self) -> dict[str, str]:
        return {"gate": self.gate, "reason": self.reason, "until": self.until}


def sign_decision(
    study: Study,
    signer: User,
    *,
    choice: str,
    rationale: str,
    seen: str,
    waivers: Sequence[Waiver] = (),
) -> Decision:
    """Keep a decision with the evidence as it is, if that is what its signer saw.

    Parameters
    ----------
    seen : str
        Digest of the evidence on the page that was signed.
    waivers : sequence of Waiver
        To ship, one for each required gate that is not met.

    Raises
    ------
    RefusedDecisionError
        If the evidence is another by now, or a gate is neither met nor waived.
    """
    policy = current_policy(study)
    draft = Decision(
        study=study,
        policy=policy,
        choice=choice,
        rationale=rationale,
        signed_by=signer,
        signed_name=f"{signer} ({signer.email})" if signer.name else signer.email,
    )
    try:
        with queries.snapshot(writing=True):
            weighing = weigh(study, read_policy(policy))
            draft.verdict = weighing.verdict
            draft.evidence = _signed_evidence(weighing, choice, waivers, seen)
            draft.digest = digest_of(draft.evidence)
            draft.id = _identity(draft)
            draft.save(force_insert=True)
    except IntegrityError:
        # Signed twice (a double click) is signed once: the same words on the same evidence.
        return Decision.objects.get(pk=draft.pk)
    return draft


def _signed_evidence(
    weighing: Weighing, choice: str, waivers: Sequence[Waiver], seen: str
) -> dict[str, Any]:
    evidence = evidence_of(weighing)
    if digest_of(evidence) != seen:
        raise RefusedDecisionError(
            "The evidence has changed since you opened this page. Nothing was signed: look at it "
            "as it is now, and sign again. What you wrote is still in the form."
        )
    if choice == Decision.Choice.SHIP:
        _refuse_unwaived(weighing, waivers)
        evidence["waivers"] = [waiver.as_json() for waiver in waivers]
    return evidence


def _identity(decision: Decision) -> UUID:
    """The same for the same words of the same person on the same evidence."""
    said = [
        str(decision.study.public_id),
        str(decision.signed_by_id),
        decision.choice,
        decision.rationale,
        decision.digest,
    ]
    return UUID(bytes=hashlib.sha256(json.dumps(said).encode()).digest()[:16], version=4)


def to_waive(weighing: Weighing) -> list[GateResult]:
    """Required gates that are not met."""
    return [r for r in weighing.results if r.gate.required and r.status != "met"]


def _refuse_unwaived(weighing: Weighing, waivers: Sequence[Waiver]) -> None:
    waived = {waiver.gate for waiver in waivers}
    titles = [r.gate.title for r in to_waive(weighing) if r.gate.key not in waived]
    if titles:
        raise RefusedDecisionError(
            f"Not met and not waived: {', '.join(titles)}. To ship, each needs a reason and a date."
        )


def changed_since(decision: Decision, now: Mapping[str, Any]) -> bool:
    """Whether the evidence is another than the one that was signed.

    Only facts are compared: that a sentence is worded differently by now is no change, nor is a
    fact that was not kept when the decision was signed.
    """
    then = _facts(decision.evidence)
    return then != {name: fact for name, fact in _facts(now).items() if name in then}


def _facts(evidence: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: evidence[name] for name in FACTS if name in evidence}
    gates = {gate["gate"]: _gate_facts(gate) for gate in evidence["gates"]}
    return facts | {"gates": gates, "agreement": _numbers(evidence["agreement"])}


def _gate_facts(gate: Mapping[str, Any]) -> list[Any]:
    return [*(gate[name] for name in GATE_FACTS), _numbers(gate["estimate"])]


def _numbers(found: Any) -> Any:
    """Without the words that go with numbers."""
    if not isinstance(found, Mapping):
        return found
    kept = (name for name in found if name not in ("method", "reason"))
    return {name: _numbers(found[name]) for name in kept}


def is_intact(decision: Decision) -> bool:
    """Whether the stored evidence still has the digest that was signed."""
    return digest_of(decision.evidence) == decision.digest
