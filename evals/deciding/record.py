"""What was signed, as a report or a script tells it: who, when, on what, and what became of it."""

from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

from django.utils.timezone import localdate

from annotate.models import Study, User
from evals.deciding.changes import change_since
from evals.deciding.signing import is_intact, needs_two, second_signature
from evals.models import Decision, SecondSignature


def latest_decision(study: Study) -> Decision | None:
    decisions = Decision.objects.filter(study=study).select_related("study", "policy")
    return decisions.order_by("-created_at").first()


def waits_for(study: Study, person: User) -> Decision | None:
    """The latest decision, if it waits for a second signature that this person may give.

    An earlier one that still waits has been overtaken; one that was tampered with nobody signs.
    """
    latest = latest_decision(study)
    if latest is None or not needs_two(latest) or second_signature(latest) is not None:
        return None
    may_sign = latest.signed_by_id != person.pk and is_intact(latest)
    return latest if may_sign else None


def record_of(decision: Decision, now: Mapping[str, Any]) -> dict[str, Any]:
    """A signed decision beside the evidence `now`, as plain JSON. Read inside a snapshot."""
    second = second_signature(decision)
    change = change_since(decision, now)
    return {
        "id": str(decision.pk),
        "choice": decision.choice,
        "decision": decision.get_choice_display(),
        "verdict": decision.verdict,
        "rationale": decision.rationale,
        "signed_by": decision.signed_name,
        "signed_at": decision.created_at.astimezone(UTC).isoformat(),
        "second": _second(second) if second else None,
        "waits_for_second": needs_two(decision) and second is None,
        "digest": decision.digest,
        "intact": is_intact(decision),
        "waivers": waivers_of(decision),
        "changed": change.as_json() if change else None,
    }


def _second(second: SecondSignature) -> dict[str, Any]:
    return {
        "signed_by": second.signed_name,
        "signed_at": second.created_at.astimezone(UTC).isoformat(),
        "comment": second.comment,
    }


def waivers_of(decision: Decision, today: date | None = None) -> list[dict[str, Any]]:
    """The waivers of a decision: each with its gate's title, its author and whether it is over.

    A waiver lasts through its last day. Before waivers named an author, the signer was.
    """
    titles = {gate["gate"]: gate["title"] for gate in decision.evidence["gates"]}
    day = (today or localdate()).isoformat()
    return [
        {
            "gate": waiver["gate"],
            "title": titles.get(waiver["gate"], waiver["gate"]),
            "reason": waiver["reason"],
            "author": waiver.get("author", decision.signed_name),
            "until": waiver["until"],
            "expired": waiver["until"] < day,
        }
        for waiver in decision.evidence.get("waivers", ())
    ]
