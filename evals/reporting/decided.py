"""A verdict, or a decision that was signed, as one document: what every kind of file tells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from evals.reporting.gates import difference
from evals.reporting.numbers import day_words, from_json, level, shown
from evals.stats import wording

# Of a gate that scripts may rely on; the rest is in the evidence.
ANSWERED = ("gate", "status", "threshold", "estimate", "sentence")


@dataclass(frozen=True, slots=True)
class Document:
    """What there is to tell.

    Attributes
    ----------
    evidence : dict
        As it is now, or as it was signed.
    digest : str
    made_at : datetime
    record : dict or None
        Of a signed decision: who, when, and what became of it.
    now : dict or None
        Beside what was signed: the evidence as it is today.
    """

    evidence: Mapping[str, Any]
    digest: str
    made_at: datetime
    record: Mapping[str, Any] | None = None
    now: Mapping[str, Any] | None = None


def verdict_as_json(evidence: Mapping[str, Any]) -> dict[str, Any]:
    gates = [{key: gate[key] for key in ANSWERED} for gate in evidence["gates"]]
    return {"verdict": evidence["verdict"], "gates": gates}


def decided_json(document: Document) -> bytes:
    """The answer of `decide`, with all its evidence and what was signed."""
    told = {
        **verdict_as_json(document.evidence),
        "signed": document.record,
        "digest": document.digest,
        "evidence": document.evidence,
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2).encode() + b"\n"


def moment(iso: str) -> str:
    """ "21 November 2026, 14:05", in the time of the site."""
    at = parse_datetime(iso)
    return when(at) if at else iso


def when(at: datetime) -> str:
    local = localtime(at)
    return f"{day_words(local.date())}, {local:%H:%M %Z}"


def signed_line(record: Mapping[str, Any]) -> str:
    """ "Ship, signed by Lena on 21 November 2026, 14:05 and by Adam on …"."""
    first = (
        f"{record['decision']}, signed by {record['signed_by']} on {moment(record['signed_at'])}"
    )
    if second := record["second"]:
        return f"{first} and by {second['signed_by']} on {moment(second['signed_at'])}"
    return (
        f"{first}; signed once, waits for a second person" if record["waits_for_second"] else first
    )


def warnings(document: Document) -> list[str]:
    """What a reader has to know before relying on a signed decision."""
    record = document.record
    if record is None:
        return []
    said = []
    if not record["intact"]:
        said.append("The stored evidence is not what was signed: its digest no longer fits.")
    if record["waits_for_second"]:
        said.append("The policy asks for two signatures: until somebody else has signed, this is "
                    "no decision.")  # fmt: skip
    said += [
        f"The waiver of {waiver['title']} expired on {_day(waiver['until'])}: that gate is open "
        "again."
        for waiver in record["waivers"]
        if waiver["expired"]
    ]
    if record["changed"] and document.now is not None:
        said.append(_changed(document.evidence, record["changed"], document.now))
    return said


def _changed(then: Mapping[str, Any], changed: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    since = f" since {moment(changed['since'])}" if changed["since"] else " since it was signed"
    what = f" ({', '.join(changed['what'])})" if changed["what"] else ""
    return f"The evidence has changed{since}{what}: {difference(dict(then), dict(now))}."


def waiver_lines(record: Mapping[str, Any]) -> list[str]:
    """ "Exact match, until 3 May 2027: “why”, Lena"."""
    return [
        f"{waiver['title']}, {'expired on' if waiver['expired'] else 'until'} "
        f"{_day(waiver['until'])}: “{waiver['reason']}”, {waiver['author']}"
        for waiver in record["waivers"]
    ]


def _day(iso: str) -> str:
    return day_words(date.fromisoformat(iso))


def counted_line(evidence: Mapping[str, Any]) -> str:
    """How much people have said, and how far they agree."""
    counts = evidence["counts"]
    alpha = shown(from_json(evidence["agreement"]["krippendorff_alpha_nominal"]), "coefficient",
                  "items")  # fmt: skip
    agree = f"{alpha.value} ({alpha.interval}, {alpha.n})" if alpha.interval else alpha.why
    return f"{judged_words(counts)}. Agreement, Krippendorff’s alpha: {agree}."


def judged_words(counts: Mapping[str, Any]) -> str:
    """How much was said of how much wanted, by how many, and what."""
    elsewhere = counts.get("imported", 0)
    here = counts["judgements"] - elsewhere
    people = wording.counted(counts["annotators"], "annotators")
    plain = counts["ties"] - counts["both_bad"]
    return (
        f"{wording.counted(here, 'judgements')} of {wording.count(counts['tasks'])} wanted on "
        f"{wording.counted(counts['items'], 'items')}"
        + (f", and {wording.count(elsewhere)} made elsewhere, by {people} in all" if elsewhere
           else f" by {people}")
        + f": candidate {counts['wins']:,}, tie {plain:,}, both bad {counts['both_bad']:,}, "
        f"baseline {counts['losses']:,}"
    )  # fmt: skip


def policy_lines(evidence: Mapping[str, Any]) -> list[str]:
    """The policy in force, when it was frozen, and each later change with its reason."""
    policy = evidence["policy"]
    terms = [
        f"Version {policy['version']}, intervals at {level(policy['confidence'])}",
        "ties left out of human preference"
        if policy.get("ties") == "decided"
        else "ties half a win for each side",
    ]
    terms += ["judgements made elsewhere count"] if policy.get("counts_imported") else []
    terms += ["two signatures"] if policy.get("two_signatures") else []
    said = ["; ".join(terms) + "."]
    if frozen := policy.get("frozen"):
        said.append(f"Frozen by the first {frozen['by']}, {moment(frozen['at'])}.")
    return said + [_change(change) for change in policy.get("changes", ())]


def _change(change: Mapping[str, Any]) -> str:
    after = ", after the freeze" if change["after_freeze"] else ""
    by = f", {change['by']}" if change["by"] else ""
    reason = f" Reason: “{change['reason']}”" if change["reason"] else ""
    return f"Version {change['version']}{after}: {moment(change['at'])}{by}. " + (
        f"{change['changes']}{reason}"
    )


def input_rows(document: Document) -> list[tuple[str, str]]:
    """What was weighed, and by what: names and digests."""
    evidence = document.evidence
    inputs = evidence.get("inputs", {})
    rows = [(f"Digest of {name}", inputs[name]) for name in ("judgements", "votes")
            if name in inputs]  # fmt: skip
    rows += [(f"Batch {one['number']}", one["digest"]) for one in inputs.get("batches", ())]
    rows += [(used["suite"], _runs(used)) for used in inputs.get("runs", ())]
    rows += [(f"Resampling, {one['number']}",
              f"{one['draws']:,} draws from seed {one['seed']}, {one['generator']}")
             for one in evidence.get("resampling", ())]  # fmt: skip
    return [*rows, *_made_by(evidence.get("made_by")), ("Digest of all this", document.digest)]


def _runs(used: Mapping[str, Any]) -> str:
    sides = " against ".join(
        f"run {used[side]['run']}, {used[side]['model'] or 'model not named'} "
        f"({used[side]['answers'][:16]}…)"
        for side in ("candidate", "baseline")
    )
    scorers = ", ".join(used["scorers"])
    return f"{used['cases']:,} cases, {used['digest']}: {sides}. Scorers: {scorers}."


def _made_by(made: Mapping[str, Any] | None) -> Sequence[tuple[str, str]]:
    if not made:
        return ()
    code = ", ".join(f"{room} {tree}" for room, tree in made["code"].items())
    libraries = ", ".join(f"{name} {number}" for name, number in made["libraries"].items())
    return (("Code", f"Touchstone {made['version']}; {code}; {libraries}"),)
