"""The decision that a person signs on the evidence as it is, and a second one beside them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from annotate.models import Study, User
from evals import queries
from evals.deciding.evidence import digest_of, evidence_of
from evals.deciding.policy import PolicyInForce, RefusedDecisionError, current_policy, read_policy
from evals.deciding.weighing import Weighing, weigh
from evals.gate import GateResult
from evals.models import Decision, SecondSignature
from evals.queries.since import judgements_digest


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why one gate that is not met does not stop the candidate, and until when."""

    gate: str
    reason: str
    until: str

    def as_json(self, author: str) -> dict[str, str]:
        return {"gate": self.gate, "reason": self.reason, "until": self.until, "author": author}


def name_of(signer: User) -> str:
    return f"{signer} ({signer.email})" if signer.name else signer.email


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
        To ship, one for each required gate that is not met; the signer is their author.

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
        signed_name=name_of(signer),
    )
    try:
        with queries.snapshot(writing=True):
            weighing = weigh(study, read_policy(policy))
            draft.verdict = weighing.verdict
            draft.evidence = _signed_evidence(weighing, draft, waivers, seen)
            draft.digest = digest_of(draft.evidence)
            draft.id = _identity(draft)
            draft.save(force_insert=True)
    except IntegrityError:
        # Signed twice (a double click) is signed once: the same words on the same evidence.
        return Decision.objects.get(pk=draft.pk)
    return draft


def _signed_evidence(
    weighing: Weighing, draft: Decision, waivers: Sequence[Waiver], seen: str
) -> dict[str, Any]:
    evidence = evidence_of(weighing)
    if digest_of(evidence) != seen:
        raise RefusedDecisionError(
            "The evidence has changed since you opened this page. Nothing was signed: look at it "
            "as it is now, and sign again. What you wrote is still in the form."
        )
    evidence["inputs"]["judgements"] = judgements_digest(weighing.study, weighing.policy.only)
    if draft.choice == Decision.Choice.SHIP:
        _refuse_unwaived(weighing, waivers)
        evidence["waivers"] = [waiver.as_json(draft.signed_name) for waiver in waivers]
    return evidence


def evidence_again(decision: Decision, policy: PolicyInForce | None = None) -> dict[str, Any]:
    """The evidence of a decision, computed anew: from the data as they are, by its policy.

    What its signer wrote is taken over. The same data give the same bytes.
    """
    policy = policy or read_policy(decision.policy)
    evidence = evidence_of(weigh(decision.study, policy))
    # Decisions that were signed before rows were digested have none of them.
    if "judgements" in decision.evidence.get("inputs", {}):
        evidence["inputs"]["judgements"] = judgements_digest(decision.study, policy.only)
    if "waivers" in decision.evidence:
        evidence["waivers"] = decision.evidence["waivers"]
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


def is_intact(decision: Decision) -> bool:
    """Whether the stored evidence still has the digest that was signed."""
    return digest_of(decision.evidence) == decision.digest


def second_signature(decision: Decision) -> SecondSignature | None:
    return SecondSignature.objects.filter(decision=decision).first()


def needs_two(decision: Decision) -> bool:
    """Whether the policy that was in force asks for a second person."""
    return bool(decision.evidence["policy"].get("two_signatures"))


def sign_second(
    decision: Decision, signer: User, *, seen: str, comment: str = ""
) -> SecondSignature:
    """Put another person's name under a decision, if they saw what the first one signed.

    Raises
    ------
    RefusedDecisionError
        If the signer is the first one, saw other evidence, or comes third.
    """
    if signer.pk == decision.signed_by_id:
        raise RefusedDecisionError(
            "You signed this decision first: the second signature is another person's."
        )
    if seen != decision.digest or not is_intact(decision):
        raise RefusedDecisionError(
            "This is not the evidence that was signed: its digest is another. Nothing was signed."
        )
    try:
        with transaction.atomic():
            return SecondSignature.objects.create(
                decision=decision,
                digest=seen,
                comment=comment,
                signed_by=signer,
                signed_name=name_of(signer),
            )
    except IntegrityError:
        return _signed_before(decision, signer)


def _signed_before(decision: Decision, signer: User) -> SecondSignature:
    """Twice by the same hand is once; a third person comes too late."""
    there = SecondSignature.objects.get(decision=decision)
    if there.signed_by_id != signer.pk:
        raise RefusedDecisionError(f"{there.signed_name} has signed second already.")
    return there
