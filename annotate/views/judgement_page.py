"""What the page of a file of judgements says: its finding, its faults, who said what."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.models import Criterion, JudgementImport, Study
from annotate.parsing.judgements import JudgementOptions
from annotate.previewing import FORMATS, ColumnRow, counted
from annotate.receiving import ReceiptData

MEANINGS = (
    ("item_id", "Item id"),
    ("batch", "Batch of the item"),
    ("prompt", "Prompt"),
    ("baseline_output", "Output of the baseline"),
    ("candidate_output", "Output of the candidate"),
    ("category", "Category"),
    ("annotator", "Annotator"),
    ("preference", "Preference"),
    ("strength", "Strength, -3 to 3"),
    ("scale", "Points of the scale"),
    ("votes", "Preferences of the person it is named after"),
    ("candidate_side", "Side of the candidate"),
    ("seconds", "Seconds"),
    ("judged_at", "Time of the judgement"),
    ("comment", "Comment"),
)
WARNINGS = {
    "unknown_column": "Columns not recognised",
    "no_negative": "Numbers that never prefer the baseline",
    "nobody_named": "Nobody is named",
    "unknown_question": "Questions passed over",
    "no_time": "Times that are none",
    "soft_preference": "Preferences between the two outputs",
    "soft_mean": "The win rate as the judge weighed it",
    "which_output": "Which output is the candidate’s",
    "other_texts": "Other outputs were judged",
}
TITLES = {
    "already_imported": "This file came in before",
    "study_closed": "This study is closed",
    "file_too_large": "This file is too large",
    "which_models": "Say which two models are meant, then the file can come in",
    "which_side": "Say what stood on the left, then the file can come in",
    "unsure_columns": "Say which columns are people’s, then the file can come in",
    "missing_column": "Say which column is which, then the file can come in",
    "duplicate_column": "Say which column is which, then the file can come in",
    "unknown_column_mapping": "Say which column is which, then the file can come in",
    "unknown_item": "Some judgements are of items that the study does not have",
    "items_exist": "The study has these items already",
}
# Messages say how the command line cures a fault; the page has fields for that.
_FLAGS = re.compile(r" \((?:without )?--[^)]*\)")
_PLACE = re.compile(r"^(?:line \d+)?(?:, )?(?:column [^:]*)?: ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FaultRow:
    line: int | None
    column: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class FilePage:
    """Everything on the page of one file."""

    title: str
    lede: str
    accepted: bool
    count: str
    facts: str
    errors: Sequence[FaultRow]
    error_title: str
    errors_left_out: int
    warnings: Sequence[tuple[str, str]]
    warning_title: str
    left_out: Sequence[tuple[str, str]]
    columns: Sequence[ColumnRow]
    meanings: Sequence[tuple[str, str]]
    models: Sequence[tuple[str, str]]
    counts: Sequence[Mapping[str, Any]]
    people_left_out: int
    examples: Sequence[Mapping[str, Any]]


def file_page(study: Study, found: ReceiptData, options: JudgementOptions) -> FilePage:
    errors = [_fault(error) for error in found["errors"]]
    warnings = [_warning(warning) for warning in found["warnings"]]
    return FilePage(
        title=_title(found),
        lede=_lede(found),
        accepted=found["accepted"],
        count=counted(found["judgements"], "judgement"),
        facts=_facts(found),
        errors=errors,
        error_title=counted(found["error_count"], "error"),
        errors_left_out=found["error_count"] - len(errors),
        warnings=warnings,
        warning_title=counted(len(warnings), "warning"),
        left_out=left_out_in_words(found["left_out"]),
        columns=[
            ColumnRow(
                name,
                json.dumps(name),
                found["first_values"].get(name, ""),
                means,
                "" if name in options.mapping else means,
            )
            for name, means in found["columns"]
        ],
        meanings=meanings_of(study),
        models=[(name, f"{count:,}") for name, count in found["models"].items()],
        counts=found["counts"],
        people_left_out=found["annotators"] - len(found["counts"]) if found["counts"] else 0,
        examples=[_example(one) for one in found["examples"]] if found["accepted"] else [],
    )


def meanings_of(study: Study) -> list[tuple[str, str]]:
    """What a column can be in this study: its criteria are among it."""
    found = list(MEANINGS)
    for one in study.criteria.exclude(kind=Criterion.Kind.OFF):
        if one.kind == Criterion.Kind.SCORE:
            found.append((f"{one.key}_baseline", f"{one.name}, score of the baseline"))
            found.append((f"{one.key}_candidate", f"{one.name}, score of the candidate"))
        else:
            found.append((one.key, one.name))
    return [*found, ("ignore", "Left out")]


def _title(found: ReceiptData) -> str:
    if found["accepted"]:
        judgements, items = found["judgements"], found["items"]
        return f"{counted(judgements, 'judgement')} of {counted(items, 'item')} can come in"
    codes = [error["code"] for error in found["errors"]]
    for code in codes:
        # Where lines have other faults as well, one kind of them is no title for all.
        if code in TITLES and (code != "unknown_item" or set(codes) == {code}):
            return TITLES[code]
    lines = {error["line"] for error in found["errors"]}
    if None in lines or not lines:
        return "This file cannot come in as it is"
    if found["error_count"] > len(found["errors"]):
        return f"Fix {found['error_count']:,} errors, then the file can come in"
    return f"Fix {counted(len(lines), 'line')}, then the file can come in"


def _lede(found: ReceiptData) -> str:
    if not found["accepted"]:
        return (
            "Nothing has been imported. A file comes in whole or not at all; change how it is "
            "read and check again, or choose the mended file."
        )
    items = f" A batch of {counted(found['new_items'], 'item')} is made first."
    return (
        "Nothing has been imported yet. What comes in is marked as imported, fills no task, and "
        f"is counted apart from what is judged blind here.{items if found['new_items'] else ''}"
    )


def _facts(found: ReceiptData) -> str:
    kind = FORMATS.get(found["format"], found["format"])
    if not found["recognised"]:
        return kind
    what = found["recognised"]
    return f"{kind}, {counted(found['rows'], 'row')}: {what}"


def _fault(error: Mapping[str, Any]) -> FaultRow:
    """The message without its place: the table has columns for that."""
    text = without_flags(error["message"])
    if error["line"] is not None or error["column"] is not None:
        text = _PLACE.sub("", text, count=1)
    return FaultRow(error["line"], error["column"], error["code"], text[:1].upper() + text[1:])


def _warning(warning: Mapping[str, Any]) -> tuple[str, str]:
    code = warning["code"]
    title = WARNINGS.get(code, code.replace("_", " ").capitalize())
    return title, without_flags(warning["message"])


def without_flags(message: str) -> str:
    """ "Say who judged (--annotator NAME)." without what only the command line has."""
    return _FLAGS.sub("", message)


def left_out_in_words(left_out: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(f"{count:,}", reason) for reason, count in left_out.items()]


def _example(said: Mapping[str, Any]) -> dict[str, Any]:
    strength = said["strength"]
    word = "candidate" if strength > 0 else "baseline" if strength < 0 else "tie"
    if said["both_bad"]:
        word = "both bad"
    ratings = [
        (key, "candidate" if value > 0 else "baseline" if value < 0 else "tie")
        for key, value in said["comparisons"].items()
    ]
    ratings += [
        (key, f"candidate {pair[1]}, baseline {pair[0]}") for key, pair in said["scores"].items()
    ]
    more = f" ({strength:+d})" if abs(strength) > 1 else ""
    return dict(said) | {"preference": f"{word}{more}", "ratings": ratings}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One file that came in, in the list."""

    taken: JudgementImport
    judgements: str
    items: str
    people: str
    left_out: Sequence[tuple[str, str]]
    warnings: Sequence[str]


def import_rows(study: Study) -> list[ImportRow]:
    imports = study.judgement_imports.select_related("imported_by", "batch").order_by("-number")
    return [
        ImportRow(
            one,
            f"{one.judgement_count:,}",
            f"{one.item_count:,}",
            f"{one.annotator_count:,}",
            left_out_in_words(one.left_out),
            [without_flags(warning["message"]) for warning in one.warnings],
        )
        for one in imports
    ]
