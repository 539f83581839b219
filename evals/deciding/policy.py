"""The thresholds agreed before: read, and changed only on record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from annotate.models import Judgement, Study, User
from evals.gate import DEFAULT_GATES, Gate
from evals.models import Policy, Run
from evals.queries import Source
from evals.tallies import Ties

CONFIDENCES = (0.9, 0.95, 0.99)


class RefusedDecisionError(Exception):
    """The policy or the decision stays as it is; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The gates that a study is held to.

    Attributes
    ----------
    stored : Policy or None
        None while nobody has needed a row: then these are the defaults.
    counts_imported : bool
        Whether judgements made elsewhere count beside those judged blind here.
    ties : {"half", "decided"}
        Half a win for each side in the gate of human preference, or left out of it.
    two_signatures : bool
        Whether a decision waits for the signature of a second person.
    """

    version: int
    gates: tuple[Gate, ...]
    confidence: float
    stored: Policy | None = None
    counts_imported: bool = False
    ties: Ties = "half"
    two_signatures: bool = False

    @property
    def only(self) -> Source | None:
        """Which judgements the gate of human preference counts."""
        return None if self.counts_imported else "blind"

    def gate(self, key: str) -> Gate:
        return next(gate for gate in self.gates if gate.key == key)


def as_stored(gates: Sequence[Gate]) -> list[dict[str, Any]]:
    """Gates as a policy keeps them; a unit only where there is a choice."""
    return [
        {"key": gate.key, "threshold": gate.threshold, "required": gate.required}
        | ({"unit": gate.unit} if gate.may_be_relative else {})
        for gate in gates
    ]


def terms_of(policy: PolicyInForce) -> dict[str, Any]:
    """Everything that a version may change, as it is stored."""
    return {
        "gates": as_stored(policy.gates),
        "confidence": policy.confidence,
        "counts_imported": policy.counts_imported,
        "ties": policy.ties,
        "two_signatures": policy.two_signatures,
    }


def policy_in_force(study: Study) -> PolicyInForce:
    """The latest policy of a study; the defaults where there is none. Writes nothing."""
    latest = Policy.objects.filter(study=study).order_by("-version").first()
    if latest is None:
        return PolicyInForce(1, DEFAULT_GATES, 0.95)
    return read_policy(latest)


def policies_in_force(studies: Iterable[Study]) -> dict[int, PolicyInForce]:
    """The same of several studies, by their keys, in one statement."""
    default = PolicyInForce(1, DEFAULT_GATES, 0.95)
    keys = [study.pk for study in studies]
    latest = Policy.objects.filter(study__in=keys).order_by("study", "-version").distinct("study")
    found = {policy.study_id: read_policy(policy) for policy in latest}
    return {key: found.get(key, default) for key in keys}


def current_policy(study: Study) -> Policy:
    """The same as a row to refer to: the defaults become version 1."""
    if stored := policy_in_force(study).stored:
        return stored
    stored, _ = Policy.objects.get_or_create(
        study=study, version=1, defaults={"gates": as_stored(DEFAULT_GATES), "confidence": 0.95}
    )
    return stored


def read_policy(policy: Policy) -> PolicyInForce:
    kept = {gate["key"]: gate for gate in policy.gates}
    gates = tuple(
        replace(
            gate,
            threshold=float(kept[gate.key]["threshold"]),
            required=bool(kept[gate.key]["required"]),
            unit=kept[gate.key].get("unit", gate.unit),
        )
        if gate.key in kept
        else gate
        for gate in DEFAULT_GATES
    )
    return PolicyInForce(
        policy.version,
        gates,
        policy.confidence,
        policy,
        policy.counts_imported,
        cast(Ties, policy.ties),
        policy.two_signatures,
    )


@dataclass(frozen=True, slots=True)
class Freeze:
    """What fixed the policy, and when: the first judgement or the first run."""

    at: datetime
    by: str


def freeze_of(study: Study) -> Freeze | None:
    """What froze the policy; None while it may change freely."""
    firsts = (
        ("judgement", Judgement.objects.filter(study=study)),
        ("run", Run.objects.filter(study=study)),
    )
    found = [
        Freeze(at, by)
        for by, rows in firsts
        for at in rows.order_by("created_at").values_list("created_at", flat=True)[:1]
    ]
    return min(found, key=lambda freeze: freeze.at, default=None)


def frozen_since(study: Study) -> datetime | None:
    """When the first judgement or run froze the policy; None while it may change freely."""
    freeze = freeze_of(study)
    return freeze.at if freeze else None


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy, and what it changed."""

    version: int
    created_at: datetime
    made_by: str
    reason: str
    changes: str
    after_freeze: bool


def policy_versions(study: Study, freeze: Freeze | None = None) -> list[PolicyVersion]:
    """Every version that somebody made, latest first, for ever."""
    frozen = freeze.at if freeze else frozen_since(study)
    stored = list(Policy.objects.filter(study=study).select_related("made_by").order_by("version"))
    read = [read_policy(policy) for policy in stored]
    versions = [
        PolicyVersion(
            policy.version,
            policy.created_at,
            str(policy.made_by) if policy.made_by else "",
            policy.reason,
            _changes(before, after),
            frozen is not None and policy.created_at > frozen,
        )
        for policy, before, after in zip(stored[1:], read, read[1:], strict=False)
    ]
    return versions[::-1]


def _changes(before: PolicyInForce, after: PolicyInForce) -> str:
    """ "Human preference: 60 % became 55 %." """
    said = []
    for old, new in zip(before.gates, after.gates, strict=True):
        if (old.threshold, old.unit) != (new.threshold, new.unit):
            said.append(f"{new.title}: {old.bar} became {new.bar}.")
        if old.required != new.required:
            word = "required now" if new.required else "no longer required"
            said.append(f"{new.title}: {word}.")
    if before.confidence != after.confidence:
        said.append(f"Intervals: {before.confidence:.0%} became {after.confidence:.0%}.")
    if before.counts_imported != after.counts_imported:
        word = "count now" if after.counts_imported else "count no longer"
        said.append(f"Judgements made elsewhere {word}.")
    if before.ties != after.ties:
        word = "left out now" if after.ties == "decided" else "half a win for each side now"
        said.append(f"Ties are {word}.")
    if before.two_signatures != after.two_signatures:
        word = "two signatures" if after.two_signatures else "one signature"
        said.append(f"A decision needs {word} now.")
    return " ".join(said)


def change_policy(
    study: Study,
    gates: Sequence[Gate],
    *,
    confidence: float,
    made_by: User,
    reason: str = "",
    counts_imported: bool | None = None,
    ties: Ties | None = None,
    two_signatures: bool | None = None,
) -> Policy:
    """Put new thresholds in force, as a further version; the old ones stay on record.

    What is None stays as it was.

    Raises
    ------
    RefusedDecisionError
        If nothing would change, or the policy is frozen and no reason is given.
    """
    with transaction.atomic():
        # A judgement and a run hold their study FOR SHARE: either they are seen here, or they
        # come after.
        Study.objects.select_for_update().get(pk=study.pk)
        before = read_policy(current_policy(study))
        wanted = replace(
            before,
            gates=tuple(gates),
            confidence=confidence,
            counts_imported=_chosen(counts_imported, before.counts_imported),
            ties=ties or before.ties,
            two_signatures=_chosen(two_signatures, before.two_signatures),
        )
        if terms_of(wanted) == terms_of(before):
            raise RefusedDecisionError("These are the thresholds in force: nothing was changed.")
        if frozen_since(study) is not None and not reason.strip():
            raise RefusedDecisionError(
                "The policy is frozen, since somebody has judged or a run has been started: "
                "a change needs a reason."
            )
        return Policy.objects.create(
            study=study,
            version=before.version + 1,
            reason=reason.strip(),
            made_by=made_by,
            **terms_of(wanted),
        )


def _chosen(wanted: bool | None, before: bool) -> bool:
    return before if wanted is None else wanted
