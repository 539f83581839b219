"""What a reading found, as JSON that can be stored, sent and shown."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, TypedDict

from annotate.parsing import Fault, Report, Row

# JSON and text columns of PostgreSQL hold neither; messages quote what a file says.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

EXAMPLE_CHARS = 1500
LABEL_CHARS = 200
NAME_CHARS = 120
CATEGORIES_SHOWN = 40
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class ReportData(TypedDict):
    """A report as it is stored with an upload."""

    format: str
    columns: list[list[str]]
    rows: int
    accepted: bool
    errors: list[dict[str, Any]]
    error_count: int
    warnings: list[dict[str, Any]]
    categories: list[list[Any]]
    category_count: int
    examples: list[dict[str, Any]]
    first_values: dict[str, str]
    lengths: dict[str, float]
    separator: str


def storable(text: str) -> str:
    return UNSTORABLE.sub(REPLACEMENT, text)


def short_name(name: str) -> str:
    """A file's name cut to what is stored; it keeps its ending, which says how to read it."""
    stem, dot, ending = storable(name).rpartition(".")
    ending = (dot + ending)[:20]
    return stem[: NAME_CHARS - len(ending)] + ending


def fault_as_json(fault: Fault) -> dict[str, Any]:
    """A fault with its keys in the order in which commands print them."""
    return {
        "line": fault.line,
        "row": fault.row,
        "column": None if fault.column is None else storable(fault.column),
        "code": fault.code,
        "message": storable(fault.message),
    }


def faults_as_json(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [fault_as_json(fault) for fault in faults]


def report_data(report: Report) -> ReportData:
    """All that a page shows of a report; long texts are cut, they are only examples here."""
    by_count = sorted(report.categories.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "format": report.format,
        # A list of pairs: the order of columns is that of the file.
        "columns": [[storable(name), means] for name, means in report.columns.items()],
        "rows": report.rows,
        "accepted": report.accepted,
        "errors": faults_as_json(report.errors),
        "error_count": report.error_count,
        "warnings": [_with_rows(warning) for warning in report.warnings],
        "categories": [
            [storable(name)[:LABEL_CHARS], count] for name, count in by_count[:CATEGORIES_SHOWN]
        ],
        "category_count": len(by_count),
        "examples": [_example(row) for row in report.examples],
        "first_values": {
            storable(name): storable(value)[:LABEL_CHARS]
            for name, value in report.first_values.items()
        },
        "lengths": report.lengths,
        "separator": report.separator,
    }


def refused_data(code: str, message: str) -> ReportData:
    """The report of an upload that was refused for a reason outside its lines."""
    return report_data(Report(errors=[Fault(code, message)], error_count=1))


def _with_rows(warning: Fault) -> dict[str, Any]:
    """A warning with the rows that it is about, as far as they are shown."""
    rows = [
        {
            "line": row.line,
            "item_id": storable(row.item_id)[:LABEL_CHARS],
            "repeats": row.repeats,
            "texts": [[storable(field), storable(text)] for field, text in row.texts],
        }
        for row in warning.rows
    ]
    return fault_as_json(warning) | {"count": warning.count, "rows": rows}


def _example(row: Row) -> dict[str, Any]:
    return {name: _cut(value) for name, value in asdict(row).items() if name != "metadata"}


def _cut(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = storable(value)
    return text if len(text) <= EXAMPLE_CHARS else text[:EXAMPLE_CHARS] + " …"
