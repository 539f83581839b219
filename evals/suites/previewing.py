"""What the page of an upload says: what was recognised, what is wrong, how it will be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from annotate.previewing import FaultRow, counted, in_words
from annotate.reports import faults_as_json, storable
from evals.models import Suite
from evals.suites.reading import SuiteReport
from evals.suites.showing import ShownCase, ShownTool, Text, shown_case

CATEGORIES_SHOWN = 40
LABEL_CHARS = 120
WARNINGS = {
    "repeated_prompt": "Repeated prompts",
    "nothing_expected": "Nothing is expected",
    "no_scorer": "Cases without a scorer",
    "no_target": "Nothing is expected",
    "no_pass_mark": "Scores without a pass mark",
    "few_cases": "Categories with few cases",
    "tool_name_dotted": "Tools that cannot be offered",
}
REFUSALS = {
    "file_too_large": "This file is too large for a page",
    "wrong_kind": "This is no suite",
    "unknown_format": "This file cannot be recognised",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """A report in words. `known` is the version that holds the same cases, if there is one."""

    title: str
    lede: str
    accepted: bool
    count: str
    recognised: Sequence[str]
    unsure: Sequence[str]
    error_title: str
    errors: Sequence[FaultRow]
    errors_left_out: int
    warning_title: str
    warnings: Sequence[tuple[str, str]]
    categories: Sequence[tuple[str, str]]
    categories_left_out: int
    splits: Sequence[tuple[str, str]]
    scorers: Sequence[tuple[str, str]]
    examples: Sequence[ShownCase]
    digest: str
    known: Suite | None = None


def report_data(report: SuiteReport) -> dict[str, Any]:
    """All that a page shows of a report, as JSON that can be kept with the files."""
    by_count = sorted(report.categories.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "accepted": report.accepted,
        "format": report.format,
        "recognised": [asdict(one) for one in report.recognised],
        "cases": report.cases,
        "digest": report.digest,
        "errors": faults_as_json(report.errors),
        "error_count": report.error_count,
        "warnings": faults_as_json(report.warnings),
        "categories": [
            [storable(name)[:LABEL_CHARS], count] for name, count in by_count[:CATEGORIES_SHOWN]
        ],
        "category_count": len(by_count),
        "splits": report.splits,
        "scorers": report.scorers,
        "examples": [
            asdict(shown_case(place, case.as_data()))
            for place, case in enumerate(report.examples, start=1)
        ],
    }


def preview_of(data: Mapping[str, Any], *, name: str = "", kept: bool = True) -> Preview:
    """The page of `data`, for a suite that shall be called `name`; `kept`: the files are here."""
    errors = [_fault(error) for error in data.get("errors", [])]
    error_count = data.get("error_count", 0)
    categories = data.get("categories", [])
    known = Suite.objects.filter(name=name, digest=data.get("digest", "")).first()
    warnings = [_warning(one) for one in data.get("warnings", [])]
    accepted = bool(data.get("accepted"))
    return Preview(
        title=_title(data, errors, known),
        lede=_lede(accepted, name, known, kept=kept),
        accepted=accepted,
        count=counted(data.get("cases", 0), "case"),
        recognised=[one["words"] for one in data.get("recognised", [])],
        unsure=[name for one in data.get("recognised", []) for name in one["alternatives"]],
        error_title=counted(error_count, "error"),
        errors=errors,
        errors_left_out=error_count - len(errors),
        warning_title=counted(len(warnings), "warning"),
        warnings=warnings,
        categories=[(label or "(without a category)", f"{n:,}") for label, n in categories],
        categories_left_out=data.get("category_count", 0) - len(categories),
        splits=[(split, f"{n:,}") for split, n in sorted(data.get("splits", {}).items())],
        scorers=scorer_counts(data.get("scorers", {})),
        examples=[_example(one) for one in data.get("examples", [])],
        digest=data.get("digest", ""),
        known=known,
    )


def scorer_counts(scorers: Mapping[str, int]) -> list[tuple[str, str]]:
    """What cases are scored with, the commonest first."""
    ordered = sorted(scorers.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(name or "none: they can only be compared", f"{count:,}") for name, count in ordered]


def _title(data: Mapping[str, Any], errors: Sequence[FaultRow], known: Suite | None) -> str:
    if known is not None:
        return f"These cases are version {known.version} of {known.name} already"
    if data.get("accepted"):
        return f"{counted(data['cases'], 'case')} can come in"
    first = errors[0].code if errors else ""
    if first in REFUSALS:
        return REFUSALS[first]
    lines = {error.line for error in errors}
    if data.get("error_count", 0) > len(errors):
        return f"Fix {data['error_count']:,} errors, then the suite can come in"
    if None in lines or not lines:
        return "This file cannot come in as it is"
    noun = "line" if len(lines) == 1 else "lines"
    return f"Fix {in_words(len(lines))} {noun}, then the suite can come in"


def _lede(accepted: bool, name: str, known: Suite | None, *, kept: bool) -> str:
    if known is not None:
        return "There is nothing to import. Give it another name to have it twice."
    if not accepted:
        again = "read it in another way" if kept else "fix the file and choose it again"
        return f"Nothing has been imported. A suite comes in whole or not at all; {again}."
    last = Suite.objects.filter(name=name).order_by("-version").first()
    if last is None:
        return "Nothing has been imported yet. Look at the first cases: they are asked like this."
    return (
        f"Nothing has been imported yet. It will be version {last.version + 1} of {name}; "
        "earlier versions and their runs stay as they are."
    )


def _fault(error: Mapping[str, Any]) -> FaultRow:
    """The message without the place it begins with: the table has columns for that."""
    line, column, text = error["line"], error["column"], error["message"]
    place = f"line {line}: " if column is None else f"line {line}, column {column}: "
    if text.casefold().startswith(place.casefold()):
        text = text[len(place) :]
    return FaultRow(line, column, error["code"], text[:1].upper() + text[1:])


def _warning(one: Mapping[str, Any]) -> tuple[str, str]:
    code = one["code"]
    return WARNINGS.get(code, code.replace("_", " ").capitalize()), one["message"]


def _example(data: Mapping[str, Any]) -> ShownCase:
    texts = {
        name: [Text(**one) for one in data[name]] for name in ("turns", "expected", "metadata")
    }
    tools = [ShownTool(**one) for one in data["tools"]]
    return ShownCase(**{**data, **texts, "tools": tools})
