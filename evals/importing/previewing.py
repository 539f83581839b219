"""What the page of uploaded outputs says: whose they are, what they answer, what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from annotate.previewing import FaultRow, counted, in_words
from evals.importing.report import Example

ReportData = Mapping[str, Any]
WARNINGS = {
    "missing_cases": "Cases without an output",
    "unmatched": "Outputs without a case",
    "ids_contradict": "Ids of another suite",
    "asked_otherwise": "Prompts that differ",
    "several_samples": "Several answers to a case",
    "failed": "Failed calls",
    "cut_off": "Outputs cut off",
    "undecodable_call": "Tool calls that are no JSON",
    "no_answer": "Requests without an answer",
    "prompt_missing": "Prompts that the file lacks",
    "from_cache": "Answers from a cache",
    "unscored": "Scores that are none",
    "unfinished": "An unfinished log",
}
REFUSALS = {
    "choice_needed": "Say which system is which, then the file can come in",
    "choice_unknown": "Say which system is which, then the file can come in",
    "no_match": "No output belongs to this suite",
    "prompt_missing": "The file does not say what was asked",
    "bad_name": "The suite needs another name",
    "wrong_kind": "This file holds no outputs",
    "unknown_format": "This file cannot be recognised",
    "file_too_large": "This file is too large for a page",
    "already_imported": "These outputs are in the study already",
    "study_closed": "This study is closed",
    "no_rows": "There is nothing to import",
}
ASKED = frozenset({"choice_needed", "choice_unknown"})
# What another choice on the page may mend, with the same file.
CHOICES = frozenset(
    {"choice_needed", "choice_unknown", "no_match", "prompt_missing", "bad_name", "no_rows",
     "duplicate_case", "already_imported"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Joined:
    """How the outputs of one system join a suite, in words and numbers."""

    system: str
    words: str
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Preview:
    title: str
    lede: str
    accepted: bool
    count: str
    recognised: Sequence[str]
    systems: Sequence[tuple[str, str]]
    joins: Sequence[Joined]
    makes_suite: bool
    asks: bool
    error_title: str
    errors: Sequence[FaultRow]
    errors_left_out: int
    warning_title: str
    warnings: Sequence[tuple[str, str]]
    examples: Sequence[tuple[str, Sequence[Example]]]


def worth_keeping(reports: Mapping[str, ReportData]) -> bool:
    """Whether the files may come in as they are, or with other choices."""
    return all(
        error["code"] in CHOICES for report in reports.values() for error in report["errors"]
    )


def preview_of(reports: Mapping[str, ReportData], *, kept: bool = True) -> Preview:
    """The page of `reports`, one for each system that is wanted; `kept`: the files are here."""
    found = list(reports.values())
    errors = [_fault(error) for report in found for error in report["errors"]]
    error_count = sum(report["error_count"] for report in found)
    accepted = bool(found) and all(report["accepted"] for report in found)
    warnings = _warnings(reports)
    first: ReportData = found[0] if found else {}
    systems = [(name or "(without a name)", f"{n:,}") for name, n in first.get("systems", [])]
    return Preview(
        title=_title(reports, errors, error_count, accepted),
        lede=_lede(errors, accepted, kept),
        accepted=accepted,
        count=counted(sum(report["matched"] for report in found), "output"),
        recognised=[words for _, words in first.get("recognised", [])],
        systems=systems,
        joins=[_joined(system, report) for system, report in reports.items() if report["cases"]],
        makes_suite=any(report["joined_by"] == "file" for report in found),
        asks=bool(errors) and errors[0].code in ASKED,
        error_title=counted(error_count, "error"),
        errors=errors,
        errors_left_out=error_count - len(errors),
        warning_title=counted(len(warnings), "warning"),
        warnings=warnings,
        examples=[
            (system, _examples(report["examples"]))
            for system, report in reports.items()
        ],
    )  # fmt: skip


def _title(
    reports: Mapping[str, ReportData], errors: Sequence[FaultRow], count: int, accepted: bool
) -> str:
    if accepted:
        outputs = counted(sum(report["matched"] for report in reports.values()), "output")
        whose = "both systems" if len(reports) > 1 else f"the {next(iter(reports))}"
        return f"{outputs} of {whose} can come in"
    first = errors[0].code if errors else ""
    if first in REFUSALS:
        return REFUSALS[first]
    lines = {error.line for error in errors}
    if count > len(errors):
        return f"Fix {count:,} errors, then the outputs can come in"
    if None in lines or not lines:
        return "This file cannot come in as it is"
    noun = "line" if len(lines) == 1 else "lines"
    return f"Fix {in_words(len(lines))} {noun}, then the outputs can come in"


def _lede(errors: Sequence[FaultRow], accepted: bool, kept: bool) -> str:
    if accepted:
        return (
            "Nothing has been imported yet. Look at the suite that they answer and at the first "
            "outputs. No model is called, and they are scored at once."
        )
    whole = "Nothing has been imported. Outputs come in whole or not at all; "
    if errors and errors[0].code in CHOICES and kept:
        return whole + "the file is kept: choose below and check again."
    return whole + "fix the file and choose it again."


def _joined(system: str, report: ReportData) -> Joined:
    facts = [
        ("Cases of the suite", f"{report['cases']:,}"),
        ("have an output", f"{report['matched']:,}"),
        ("have none and count as failed", f"{report['missing']:,}"),
        ("Outputs left out", f"{report['unmatched']:,}"),
        ("Failed calls", f"{report['failed']:,}"),
        ("Outputs cut off", f"{report['cut_off']:,}"),
    ]
    return Joined(system.capitalize(), _how(report), facts)


def _how(report: ReportData) -> str:
    if report["joined_by"] == "file":
        cases = counted(report["cases"], "case")
        if report["suite_is_new"]:
            return f"A suite is made of the file: {report['suite']}, with {cases}"
        return f"The suite {report['suite']} holds the same {cases}"
    by = "the words of their prompts" if report["joined_by"] == "prompt" else "their ids"
    return f"Joined to {report['suite'].replace('@', ', version ')} by {by}"


def _fault(error: Mapping[str, Any]) -> FaultRow:
    """The message without the place it begins with: the table has columns for that."""
    line, column, text = error["line"], error["column"], error["message"]
    place = f"line {line}: " if column is None else f"line {line}, column {column}: "
    if text.casefold().startswith(place.casefold()):
        text = text[len(place) :]
    return FaultRow(line, column, error["code"], text[:1].upper() + text[1:])


def _warnings(reports: Mapping[str, ReportData]) -> list[tuple[str, str]]:
    """Each remark once, with whose it is where it is not of all."""
    systems: dict[tuple[str, str], list[str]] = {}
    for system, report in reports.items():
        for one in report["warnings"]:
            systems.setdefault((one["code"], one["message"]), []).append(system)
    return [
        (_title_of(code) + (f": {whose[0]}" if len(whose) < len(reports) else ""), message)
        for (code, message), whose in systems.items()
    ]


def _title_of(code: str) -> str:
    return WARNINGS.get(code, code.replace("_", " ").capitalize())


def _examples(data: Sequence[Mapping[str, Any]]) -> list[Example]:
    """The first outputs; where a document is one line, its number says nothing."""
    found = [Example(**one) for one in data]
    if len({one.line for one in found}) > 1 or len(found) == 1:
        return found
    return [replace(one, line=0) for one in found]
