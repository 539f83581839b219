"""A signed decision, computed again: is it what was signed, and do the data still give it?"""

from dataclasses import dataclass
from typing import Any

from evals.deciding.changes import different, different_facts
from evals.deciding.evidence import digest_of
from evals.deciding.signing import evidence_again, is_intact, needs_two, second_signature
from evals.models import Decision

# Of very many differences these are named.
MOST_NAMED = 40


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a decision.

    Attributes
    ----------
    intact : bool
        The stored evidence has the digest that was signed.
    same_bytes : bool
        The data as they are give the same evidence, byte for byte.
    same_facts : bool
        They give the same numbers, gates and inputs; words or code may be others.
    same_code : bool
        The code that computes now is the code that computed then.
    differences : sequence of str
        Names of all that differs.
    waits : bool
        The policy asks for a second signature, and there is none.
    """

    decision: Decision
    intact: bool
    same_bytes: bool
    same_facts: bool
    same_code: bool
    differences: tuple[str, ...]
    waits: bool

    @property
    def holds(self) -> bool:
        return self.intact and self.same_facts

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.decision.pk),
            "signed_at": self.decision.created_at.isoformat(),
            "signed_by": self.decision.signed_name,
            "choice": self.decision.choice,
            "verdict": self.decision.verdict,
            "digest": self.decision.digest,
            "intact": self.intact,
            "same_bytes": self.same_bytes,
            "same_facts": self.same_facts,
            "same_code": self.same_code,
            "waits_for_second": self.waits,
            "differences": list(self.differences),
        }


def verify_decision(decision: Decision) -> Verified:
    """Compute the evidence of a decision again. Read inside a snapshot."""
    then, now = decision.evidence, evidence_again(decision)
    facts = list(different_facts(then, now))
    rest = list(different(_by_gate(then), _by_gate(now)))
    return Verified(
        decision,
        intact=is_intact(decision),
        same_bytes=digest_of(now) == decision.digest,
        same_facts=not facts,
        same_code=then.get("made_by") == now["made_by"],
        differences=tuple(dict.fromkeys([*facts, *rest]))[:MOST_NAMED],
        waits=needs_two(decision) and second_signature(decision) is None,
    )


def _by_gate(evidence: dict[str, Any]) -> dict[str, Any]:
    return evidence | {"gates": {gate["gate"]: gate for gate in evidence["gates"]}}
