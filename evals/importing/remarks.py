"""What a person should know of a join before saying yes: counts, first examples, cures."""

from collections.abc import Sequence

from annotate.parsing import Fault
from annotate.parsing.faults import shown
from evals.importing.joining import Joined
from evals.importing.report import OutputsReport
from evals.models import Suite


def add_remarks(report: OutputsReport, joined: Joined, suite: Suite) -> None:
    if not report.matched:
        report.refuse("no_match", _nothing_joins(report, joined, suite))
        return
    found = (
        _contradictions(joined),
        _otherwise(joined),
        _unmatched(report, suite),
        _missing(report, suite),
    )
    report.warnings += [fault for fault in found if fault is not None]


def _nothing_joins(report: OutputsReport, joined: Joined, suite: Suite) -> str:
    what = "prompt" if joined.by == "prompt" else "id or prompt"
    first = suite.cases.order_by("position").values_list("case_id", flat=True).first() or ""
    told = f"No output joins the suite {suite}: no {what} is that of a case. "
    if report.first_unmatched:
        line, key = report.first_unmatched[0]
        told += f"The file's first id is {shown(key)} (line {line}), the suite's {shown(first)}. "
    return told + "Choose the suite that was answered, or none: then one is made of the file."


def _contradictions(joined: Joined) -> Fault | None:
    if not joined.contradictions:
        return None
    start = f"{_lines(joined.contradicting, joined.contradictions)}: the id is that of one case, "
    if joined.by == "prompt":
        text = start + "the prompt that of another. Outputs are joined by their prompts alone."
    else:
        text = start + "the prompt that of another. The id was chosen to count; check these lines."
    return Fault("ids_contradict", text, None, joined.contradicting[0])


def _otherwise(joined: Joined) -> Fault | None:
    if not joined.otherwise or joined.by != "id":
        return None
    text = (
        f"{_lines(joined.asked_otherwise, joined.otherwise)}: the prompt in the file is not that "
        "of the case with its id. That is right where a tool puts a template or examples around "
        "prompts; otherwise the ids are of another suite."
    )
    return Fault("asked_otherwise", text, None, joined.asked_otherwise[0])


def _unmatched(report: OutputsReport, suite: Suite) -> Fault | None:
    if not report.unmatched:
        return None
    named = ", ".join(f"{shown(key)} (line {line})" for line, key in report.first_unmatched)
    more = _more(report.unmatched - len(report.first_unmatched))
    outputs = "output answers" if report.unmatched == 1 else "outputs answer"
    text = (
        f"{report.unmatched:,} {outputs} no case of {suite} and will be left out: {named}{more}. "
        "If they should count, choose another suite or correct their ids."
    )
    return Fault("unmatched", text, None, report.first_unmatched[0][0])


def _missing(report: OutputsReport, suite: Suite) -> Fault | None:
    if not report.missing:
        return None
    named = ", ".join(shown(one) for one in report.first_missing)
    more = _more(report.missing - len(report.first_missing))
    cases = "case has" if report.missing == 1 else "cases have"
    text = (
        f"{report.missing:,} {cases} no output in the file: {named}{more}. They come in as errors "
        "and count as failed. Add the file that has them if there is one."
    )
    return Fault("missing_cases", text)


def _lines(lines: Sequence[int], count: int) -> str:
    named = ", ".join(str(line) for line in lines)
    return f"{'Line' if count == 1 else 'Lines'} {named}{_more(count - len(lines))}"


def _more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""
