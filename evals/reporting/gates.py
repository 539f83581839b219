"""Gates and verdicts as pages show them, from evidence as it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.timezone import localdate

from evals.charts import GateStrip, gate_strip
from evals.reporting.numbers import Shown, day_words, from_json, in_words, listed, shown
from evals.stats.wording import counted, sentence

# The class that colours a status, and its word.
LOOKS = {
    "met": "met",
    "not met": "unmet",
    "not enough evidence": "open",
    "not measured": "none",
}
VERDICT_LOOKS = {"GO": "met", "NO-GO": "unmet", "NOT YET": "open"}
ORDER = ("not met", "not enough evidence", "not measured", "met")


@dataclass(frozen=True, slots=True)
class GateRow:
    """A gate on a page."""

    key: str
    title: str
    asks: str
    look: str
    status: str
    required: bool
    number: Shown
    figure: GateStrip
    told: str
    waiver: str = ""
    beside: str = ""
    sources: Sequence["SourceRow"] = ()


@dataclass(frozen=True, slots=True)
class SourceRow:
    """The runs that a gate was judged by: "tool_calling@1, runs 3 and 4"."""

    words: str
    suite: str
    link: str = ""


def gate_rows(evidence: dict[str, Any], links: Mapping[str, str] | None = None) -> list[GateRow]:
    """All gates, those that stop the candidate first; `links` lead from suites to comparisons."""
    waived = {waiver["gate"]: waiver for waiver in evidence.get("waivers", ())}
    rows = [
        _row(gate, waived.get(gate["gate"]), links or {}, _beside(gate, evidence))
        for gate in evidence["gates"]
    ]
    return sorted(rows, key=lambda row: ORDER.index(row.status.lower()))


def sources_of(gate: dict[str, Any], links: Mapping[str, str] | None = None) -> list[SourceRow]:
    """Decisions signed before suites could be run name no runs."""
    known = links or {}
    return [
        SourceRow(
            f"{source['suite']}, runs {source['baseline_run']} and {source['candidate_run']}",
            source["suite"],
            known.get(source["suite"], ""),
        )
        for source in gate.get("sources", ())
    ]


def _beside(gate: dict[str, Any], evidence: dict[str, Any]) -> str:
    """Beside what people prefer, how far they agree on it."""
    if gate["gate"] != "human_preference":
        return ""
    alpha = shown(
        from_json(evidence["agreement"]["krippendorff_alpha_nominal"]), "coefficient", "items"
    )
    found = f"{alpha.value}, {alpha.interval}, {alpha.n}" if alpha.interval else alpha.why
    return f"Agreement of the annotators, α: {found}."


def _row(
    gate: dict[str, Any], waiver: dict[str, str] | None, links: Mapping[str, str], beside: str
) -> GateRow:
    estimate = from_json(gate["estimate"])
    return GateRow(
        gate["gate"],
        gate["title"],
        gate["asks"],
        LOOKS[gate["status"]],
        gate["status"].capitalize(),
        gate["required"],
        shown(estimate, gate["unit"], gate["word"]),
        gate_strip(estimate, gate["threshold"], gate["direction"], gate["unit"], gate["bar"]),
        _told(gate),
        _waived(waiver) if waiver else "",
        beside,
        sources_of(gate, links),
    )


def _waived(waiver: dict[str, str]) -> str:
    """Who let a gate wait, why, and until when; an expired waiver says so."""
    until = date.fromisoformat(waiver["until"])
    said = "The waiver expired on" if until < localdate() else "Waived until"
    author = f", {waiver['author']}" if waiver.get("author") else ""
    return f"{said} {day_words(until)}: “{waiver['reason']}”{author}"


def expired_waivers(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Of the record of a signed decision the waivers that are over, with their last day."""
    return [
        {"title": waiver["title"], "day": day_words(date.fromisoformat(waiver["until"]))}
        for waiver in record["waivers"]
        if waiver["expired"]
    ]


def _told(gate: dict[str, Any]) -> str:
    """What stands below a gate: the reading of its number, what is missing, what to know."""
    note = gate.get("note", "")
    return " ".join(part for part in (*_read(gate), note) if part)


def _read(gate: dict[str, Any]) -> list[str]:
    said, missing, status = gate["sentence"], gate["missing"], gate["status"]
    if status == "not measured":
        # The dash has its reason beside it.
        return [] if _within(missing, said) else [missing]
    if status == "met" and gate["threshold"] != 1:
        return []  # the number says it
    if gate["estimate"]["value"] is None:
        return [missing]
    # The number stands above already.
    reading = said.partition("): ")[2] or said
    return [_part_of(said) + sentence(reading), missing]


def _part_of(said: str) -> str:
    """Of a gate of several parts the one that speaks: "Multi-turn: "."""
    head, colon, _ = said.partition(": ")
    return f"{head}: " if colon and "(" not in head and "): " in said else ""


def tally(evidence: dict[str, Any]) -> str:
    """ "4 met, 2 not enough evidence, 1 not measured"."""
    statuses = [gate["status"] for gate in evidence["gates"]]
    counted = {status: statuses.count(status) for status in ("met", *ORDER[:3])}
    return ", ".join(f"{count} {status}" for status, count in counted.items() if count)


def headline(evidence: dict[str, Any]) -> str:
    """What was found, by rule: which gates decide, and how."""
    required = [gate for gate in evidence["gates"] if gate["required"]]
    met = [gate for gate in required if gate["status"] == "met"]
    failed = [gate["title"] for gate in required if gate["status"] == "not met"]
    still_open = len(required) - len(met) - len(failed)
    if not required:
        return "No gate is required, so nothing could say GO"
    if failed:
        return f"{_gates(len(failed))} not met: {listed([in_a_list(title) for title in failed])}"
    if not still_open:
        return f"{'All ' + _gates(len(met)).lower() if len(met) > 1 else 'The one gate is'} met"
    if not met:
        return f"{_gates(still_open)} still open, and none has failed"
    verb = "is" if still_open == 1 else "are"
    return (
        f"{_gates(len(met))} met and none has failed, but {in_words(still_open)} {verb} still open"
    )


def difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """What is another today than when a decision was signed."""
    said = []
    if then["counts"]["judgements"] != now["counts"]["judgements"]:
        before, today = (
            counted(evidence["counts"]["judgements"], "judgements") for evidence in (then, now)
        )
        said.append(f"{before} then, {today} now")
    if then["policy"] != now["policy"]:
        said.append(f"policy version {then['policy']['version']} then, "
                    f"{now['policy']['version']} now")  # fmt: skip
    if "inputs" in then and _runs(then) != _runs(now):
        said.append(f"{_runs(then)} then, {_runs(now)} now")
    said += _answers(then, now)
    if not said:
        same = then["counts"] == now["counts"]
        said.append("rows behind the same numbers" if same else "other items or other answers")
    return f"{'; '.join(said)}. The verdict is {now['verdict']} today"


def _answers(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Gates that answer otherwise today: "exact match: met then, not met now"."""
    today = {gate["gate"]: gate["status"] for gate in now["gates"]}
    return [
        f"{in_a_list(gate['title'])}: {gate['status']} then, {today[gate['gate']]} now"
        for gate in then["gates"]
        if today.get(gate["gate"], gate["status"]) != gate["status"]
    ]


def _runs(evidence: dict[str, Any]) -> str:
    """ "runs 3, 4 and 7"."""
    used = evidence["inputs"]["runs"]
    numbers = sorted(pair[system]["run"] for pair in used for system in ("baseline", "candidate"))
    return f"runs {listed([str(number) for number in numbers], 12)}" if numbers else "no run"


def in_a_list(title: str) -> str:
    """A title among others: "latency (99th percentile)"."""
    head, comma, tail = title.partition(", ")
    return head[:1].lower() + head[1:] + (f" ({tail})" if comma else "")


def reading(gate: dict[str, Any]) -> str:
    """The sentence of a gate, what is missing unless the sentence has said so, and its runs."""
    said, missing = gate["sentence"], gate["missing"]
    parts = [said] if _within(missing, said) else [said, missing]
    parts += [gate["note"]] if gate.get("note") else []
    runs = "; ".join(source.words for source in sources_of(gate))
    return " ".join([*parts, f"[{runs}]"] if runs else parts)


def _within(missing: str, said: str) -> bool:
    return missing.rstrip(".").lower() in said.lower()


def _gates(count: int) -> str:
    return sentence(f"{in_words(count)} {'gate is' if count == 1 else 'gates are'}").rstrip(".")
