"""The evidence as it is kept: all that a verdict rests on, as plain JSON."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from config.origin import made_by
from evals.deciding.inputs import source_as_json
from evals.deciding.policy import PolicyVersion
from evals.deciding.resampling import seeds
from evals.deciding.weighing import Weighing
from evals.gate import GateResult
from evals.queries.runs import RunPair
from evals.stats.estimates import Undefined


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
    """All that the verdict rests on; the same data and the same code give the same JSON."""
    study, tally, slots = weighing.study, weighing.tally, weighing.slots
    evidence = {
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
            **({"imported": weighing.imported} if weighing.imported else {}),
        },
        "agreement": {"krippendorff_alpha_nominal": weighing.agreement.as_json()},
        "inputs": dict(weighing.inputs),
        "notes": list(weighing.notes),
        "resampling": seeds(),
        "made_by": made_by(),
    }
    found: dict[str, Any] = _as_kept(evidence)
    return found


def _as_kept(value: Any) -> Any:
    """As the database gives it back: it knows no negative zero."""
    if isinstance(value, Mapping):
        return {name: _as_kept(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_kept(part) for part in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def _policy_as_json(weighing: Weighing) -> dict[str, Any]:
    policy = weighing.policy
    found: dict[str, Any] = {"version": policy.version, "confidence": policy.confidence}
    # Only where it is so: what was signed before there was such a choice has the same digest.
    if policy.counts_imported:
        found["counts_imported"] = True
    if policy.ties != "half":
        found["ties"] = policy.ties
    if policy.two_signatures:
        found["two_signatures"] = True
    freeze = weighing.freeze
    frozen = {"at": freeze.at.astimezone(UTC).isoformat(), "by": freeze.by} if freeze else None
    return found | {"frozen": frozen, "changes": [_change(one) for one in weighing.versions]}


def _change(version: PolicyVersion) -> dict[str, Any]:
    """A version of the policy that somebody made."""
    return {
        "version": version.version,
        "at": version.created_at.astimezone(UTC).isoformat(),
        "by": version.made_by,
        "reason": version.reason,
        "changes": version.changes,
        "after_freeze": version.after_freeze,
    }


def digest_of(evidence: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(
        evidence, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()
