"""Whether what was signed is still so; if not, since when and by what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from evals.deciding.policy import read_policy
from evals.models import Decision
from evals.queries.since import Later, later_rows
from evals.stats import wording

# What of the evidence is fact, not wording.
FACTS = ("study", "verdict", "counts")
GATE_FACTS = ("status", "threshold", "required", "direction", "unit")
# Terms of a policy, with what they were before they could be chosen.
TERMS: dict[str, Any] = {
    "version": 1,
    "confidence": 0.95,
    "counts_imported": False,
    "ties": "half",
    "two_signatures": False,
}
JUDGEMENTS = ("further judgements", "corrected judgements")


@dataclass(frozen=True, slots=True)
class Change:
    """What is another today than when a decision was signed.

    Attributes
    ----------
    since : datetime or None
        When the first of it came in; None where nothing bears a later date.
    what : sequence of str
        "12 further judgements", "2 runs": the earliest first.
    numbers : bool
        Whether a number, a gate or the policy is another, not only rows behind equal numbers.
    """

    since: datetime | None
    what: tuple[str, ...]
    numbers: bool

    def as_json(self) -> dict[str, Any]:
        since = self.since.astimezone(UTC).isoformat() if self.since else None
        return {"since": since, "what": list(self.what), "numbers": self.numbers}


def change_since(decision: Decision, now: Mapping[str, Any]) -> Change | None:
    """How the evidence `now` differs from what was signed; None where it is the same."""
    only = read_policy(decision.policy).only
    later = later_rows(decision.study, decision.created_at, decision.policy.version, only)
    numbers = changed_since(decision, now)
    if not numbers and not any(one.what in JUDGEMENTS for one in later):
        return None
    return Change(later[0].first if later else None, tuple(map(_in_words, later)), numbers)


def _in_words(later: Later) -> str:
    if later.what == "changes of the policy":
        said = "change" if later.count == 1 else "changes"
        return f"{wording.count(later.count)} {said} of the policy"
    if later.what == "batches" and later.count == 1:
        return "1 batch"
    return wording.counted(later.count, later.what)


def changed_since(decision: Decision, now: Mapping[str, Any]) -> bool:
    """Whether the evidence is another than the one that was signed.

    Only facts are compared: that a sentence is worded differently by now is no change, nor is a
    fact that was not kept when the decision was signed.
    """
    return any(True for _ in different_facts(decision.evidence, now))


def different_facts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The names of the facts that differ: "counts.judgements", "gates.latency_p99.status"."""
    before, after = _facts(then), _facts(now)
    for name in before:
        yield from different(before[name], after[name], name) if name in after else ()


def different(then: Any, now: Any, name: str = "") -> Iterator[str]:
    """Where two pieces of evidence differ; of what only one of them has, its name."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            yield from different(then.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif then != now:
        yield name


def _facts(evidence: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: evidence[name] for name in FACTS if name in evidence}
    policy = evidence["policy"]
    facts["policy"] = {name: policy.get(name, usual) for name, usual in TERMS.items()}
    facts["gates"] = {gate["gate"]: _gate_facts(gate) for gate in evidence["gates"]}
    inputs = evidence.get("inputs", {})
    facts |= {f"inputs.{name}": part for name, part in inputs.items()}
    return facts | {"agreement": _numbers(evidence["agreement"])}


def _gate_facts(gate: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: gate[name] for name in GATE_FACTS}
    return facts | {"estimate": _numbers(gate["estimate"])}


def _numbers(found: Any) -> Any:
    """Without the words that go with numbers."""
    if not isinstance(found, Mapping):
        return found
    kept = (name for name in found if name not in ("method", "reason"))
    return {name: _numbers(found[name]) for name in kept}
