"""What the page of an upload says: its finding, its faults, its columns, its first rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.models import Study
from annotate.parsing import SEPARATORS, chat_messages
from annotate.reports import ReportData

MEANINGS = (
    ("item_id", "Item id"),
    ("prompt", "Prompt"),
    ("baseline_output", "Output of the baseline"),
    ("candidate_output", "Output of the candidate"),
    ("category", "Category"),
    ("reference", "Reference answer"),
    ("metadata", "Kept, never shown to annotators"),
    ("ignore", "Do not import"),
)
LABELS = {
    "item_id": "Item id",
    "prompt": "Prompt",
    "baseline_output": "Baseline",
    "candidate_output": "Candidate",
    "category": "Category",
}
FORMATS = {
    "csv": "CSV",
    "csv, semicolons": "CSV separated by semicolons",
    "tsv": "TSV",
    "jsonl": "JSON Lines",
    "ndjson": "JSON Lines",
    "json": "JSON",
}
WARNINGS = {
    "self_identification": "Outputs name their maker",
    "identical_outputs": "Identical outputs",
    "duplicate_content": "Repeated rows",
    "duplicate_prompt": "Repeated prompts",
    "empty_output": "Empty outputs",
    "looks_cut_off": "Outputs look cut off",
    "id_names_a_model": "Ids or categories name a model",
    "unknown_column": "Columns not recognised",
    "invisible_characters": "Invisible characters",
    "bidi_controls": "Characters that change the direction of writing",
    "control_characters": "Control characters",
    "replacement_character": "Characters lost before the upload",
    "different_prompts": "The two files have different prompts",
}
DELIMITED = {"csv", "csv, semicolons", "tsv"}
SEPARATED_BY = (
    ("", "As the name of the file says"),
    *((name, name.capitalize()) for name in SEPARATORS),
)
# Refusals that no other version of the file would mend: what was found, and what can be done.
REFUSALS = {
    "already_imported": (
        "This file is in the study already",
        "Nothing was imported a second time. Choose another file, or have this one read "
        "in another way.",
    ),
    "study_closed": ("This study is closed", "It takes in no more batches. Nothing was imported."),
    "file_too_large": ("This file is too large", "Nothing was imported and nothing was kept."),
    "broke_off": ("Reading this file broke off", "Nothing was imported and nothing was kept."),
}
COLUMN_FAULTS = {"missing_column", "duplicate_column", "unknown_column_mapping"}
NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of the file and what it is taken for.

    `key` is its name in JSON: a form field would change line ends in a name. `was` is what
    was recognised, or nothing where somebody chose.
    """

    name: str
    key: str
    first_value: str
    means: str
    was: str


@dataclass(frozen=True, slots=True)
class FaultRow:
    line: int | None
    column: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class ConcernRow:
    """A row that a warning is about: (what it is, excerpt) of what shows it."""

    line: int
    item_id: str
    repeats: int | None
    texts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WarningRow:
    title: str
    text: str
    rows: Sequence[ConcernRow]
    show: str


@dataclass(frozen=True, slots=True)
class Example:
    """One of the first rows: turns of the prompt, and both outputs."""

    line: int
    item_id: str
    category: str
    turns: Sequence[tuple[str, str]]
    baseline: str
    candidate: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    title: str
    lede: str
    facts: str
    accepted: bool
    count: str
    error_title: str
    errors: Sequence[FaultRow]
    errors_left_out: int
    empty_outputs: bool
    warning_title: str
    warnings: Sequence[WarningRow]
    columns: Sequence[ColumnRow]
    categories: Sequence[tuple[str, str]]
    categories_left_out: int
    examples: Sequence[Example]
    meanings: Sequence[tuple[str, str]] = MEANINGS
    separator: str = ""
    separators: Sequence[tuple[str, str]] = ()


def preview_of(report: ReportData, explicit: Mapping[str, str], *, kept: bool) -> Preview:
    """The page of `report`; `explicit` are columns somebody chose, `kept` says the file is here."""
    errors = [_fault(error) for error in report["errors"]]
    warnings = [_warning(one) for one in report["warnings"]]
    return Preview(
        title=_title(report),
        lede=_lede(report, kept, len(warnings)),
        facts=_facts(report),
        accepted=report["accepted"],
        count=counted(report["rows"], "item"),
        error_title=counted(report["error_count"], "error"),
        errors=errors,
        errors_left_out=report["error_count"] - len(errors),
        empty_outputs=any(error.code == "empty_value" for error in errors),
        warning_title=counted(len(warnings), "warning"),
        warnings=warnings,
        columns=[
            ColumnRow(
                name,
                json.dumps(name),
                report["first_values"].get(name, ""),
                means,
                "" if name in explicit else means,
            )
            for name, means in report["columns"]
        ],
        categories=[
            (name or "(without a category)", f"{count:,}") for name, count in report["categories"]
        ],
        categories_left_out=report["category_count"] - len(report["categories"]),
        examples=[_example(row) for row in report["examples"]],
        separator=report.get("separator", ""),
        separators=SEPARATED_BY if report["format"] in DELIMITED else (),
    )


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def in_words(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"


def _title(report: ReportData) -> str:
    if report["accepted"]:
        one = report["rows"] == 1
        return f"{counted(report['rows'], 'item')} can come in" + (", if you say so" if one else "")
    if refusal := _refusal(report):
        return refusal[0]
    if report.get("separator"):
        return "Say how the columns are separated, then the file can come in"
    codes = {error["code"] for error in report["errors"]}
    if codes & COLUMN_FAULTS:
        return "Say which column is which, then the file can come in"
    lines = {error["line"] for error in report["errors"]}
    if report["error_count"] > len(report["errors"]):
        return f"Fix {report['error_count']:,} errors, then the file can come in"
    if None in lines or not lines:
        return "This file cannot come in as it is"
    noun = "line" if len(lines) == 1 else "lines"
    return f"Fix {in_words(len(lines))} {noun}, then the file can come in"


def _refusal(report: ReportData) -> tuple[str, str] | None:
    first = report["errors"][0]["code"] if report["errors"] else ""
    return REFUSALS.get(first)


def _lede(report: ReportData, kept: bool, warnings: int) -> str:
    if report["accepted"]:
        look = f" {counted(warnings, 'warning')} to look at." if warnings else ""
        return f"Nothing has been imported yet. Look at the columns and the first rows.{look}"
    if refusal := _refusal(report):
        return refusal[1]
    if separator := report.get("separator"):
        return (
            f"Nothing has been imported. The columns seem to be separated by {separator}, which "
            "is set below now. Choose the file again and check."
        )
    whole = "Nothing has been imported. A batch comes in whole or not at all; "
    if kept:
        return whole + "change what the columns mean and check again."
    return whole + "fix the file and choose it again; your column choices are kept."


def _facts(report: ReportData) -> str:
    kind = FORMATS.get(report["format"], report["format"])
    return ", ".join(part for part in (kind, counted(report["rows"], "row")) if part)


def _fault(error: Mapping[str, Any]) -> FaultRow:
    """The message without the place it begins with: the table has columns for that."""
    line, column, text = error["line"], error["column"], error["message"]
    words = [f"line {line}"] if line is not None else []
    if column is not None and f"column {column}" in text:
        words.append(f"column {column}")
    start = ", ".join(words) + ": "
    if words and text.casefold().startswith(start.casefold()):
        text = text[len(start) :]
    return FaultRow(line, column, error["code"], text[:1].upper() + text[1:])


def _warning(one: Mapping[str, Any]) -> WarningRow:
    rows = [
        ConcernRow(
            row["line"],
            row["item_id"],
            row["repeats"],
            [(LABELS.get(field, field), text) for field, text in row["texts"]],
        )
        for row in one.get("rows", ())
    ]
    title = WARNINGS.get(one["code"], one["code"].replace("_", " ").capitalize())
    count = one.get("count", 1)
    show = (
        f"the first {len(rows)} of {count:,} rows"
        if count > len(rows)
        else ("the row" if count == 1 else f"the {count:,} rows")
    )
    return WarningRow(title, one["message"], rows, f"Show {show}")


def _example(row: Mapping[str, Any]) -> Example:
    turns = chat_messages(row["prompt"]) or [("", row["prompt"])]
    return Example(
        line=row["line"],
        item_id=row["item_id"] or "",
        category=row["category"],
        turns=turns,
        baseline=row["baseline_output"],
        candidate=row["candidate_output"],
        reference=row["reference"],
    )


def columns_in_words(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """What each column of a batch was taken for, what matters most first."""
    order = {means: (place, label) for place, (means, label) in enumerate(MEANINGS)}
    last = (len(order), "")
    rows = sorted((order.get(means, last), name) for name, means in columns.items())
    return [(name, label) for (_, label), name in rows]


def size_in_words(size: int) -> str:
    for unit, power in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= power:
            return f"{size / power:,.1f}".removesuffix(".0") + f"\u2009{unit}"
    return counted(size, "byte")


def crumbs(study: Study, crumb: str = "") -> dict[str, Any]:
    """What every page of a study's batches needs."""
    return {"study": study, "page": "batches", "crumb": crumb}
