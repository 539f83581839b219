"""Gates and verdicts as pages show them, from evidence as it is kept."""

from dataclasses import dataclass
from datetime import date
from typing import Any

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


def gate_rows(evidence: dict[str, Any]) -> list[GateRow]:
    """All gates, those that stop the candidate first."""
    waived = {waiver["gate"]: waiver for waiver in evidence.get("waivers", ())}
    rows = [_row(gate, waived.get(gate["gate"])) for gate in evidence["gates"]]
    return sorted(rows, key=lambda row: ORDER.index(row.status.lower()))


def _row(gate: dict[str, Any], waiver: dict[str, str] | None) -> GateRow:
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
    )


def _waived(waiver: dict[str, str]) -> str:
    until = date.fromisoformat(waiver["until"])
    return f"Waived until {day_words(until)}: “{waiver['reason']}”"


def _told(gate: dict[str, Any]) -> str:
    """What stands below a gate: the reading of its number and what is missing."""
    said, status = gate["sentence"], gate["status"]
    if status == "not measured" or (status == "met" and gate["threshold"] != 1):
        return ""  # the number says it, or the dash has its reason beside it
    # The number stands above already.
    reading = said.partition("): ")[2] or said
    return " ".join(part for part in (sentence(reading), gate["missing"]) if part)


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
    if not said:
        said.append("other items or other answers")
    return f"{'; '.join(said)}. The verdict is {now['verdict']} today"


def in_a_list(title: str) -> str:
    """A title among others: "latency (99th percentile)"."""
    head, comma, tail = title.partition(", ")
    return head[:1].lower() + head[1:] + (f" ({tail})" if comma else "")


def reading(gate: dict[str, Any]) -> str:
    """The sentence of a gate and what is missing, unless the sentence has said so."""
    said, missing = gate["sentence"], gate["missing"]
    known = missing.rstrip(".").lower() in said.lower()
    return said if known else f"{said} {missing}"


def _gates(count: int) -> str:
    return sentence(f"{in_words(count)} {'gate is' if count == 1 else 'gates are'}").rstrip(".")
