"""Every file of the hostile collection, read as its index says."""

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from annotate.parsing import Limits, Reading, Row, Source

SHARED = Path(os.environ.get("TOUCHSTONE_SHARED", Path(__file__).resolve().parents[3] / "shared"))
INDEX = SHARED / "hostile" / "index.json"
FIELD_OF = {
    "id": "item_id",
    "output_a": "baseline_output",
    "output_b": "candidate_output",
}


def load_index() -> dict[str, Any]:
    if not INDEX.exists():
        return {"files": [], "policy": {}}
    index: dict[str, Any] = json.loads(INDEX.read_text("utf-8"))
    return index


HOSTILE = load_index()
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not INDEX.exists(), reason=f"no hostile files at {INDEX}"),
]


def limits() -> Limits:
    names = (
        "max_file_bytes",
        "max_rows",
        "max_columns",
        "max_cell_chars",
        "max_total_text_bytes",
        "max_json_depth",
        "max_header_chars",
    )
    return Limits(**{name: HOSTILE["policy"][name] for name in names})


def read(case: dict[str, Any]) -> tuple[list[Row], Reading]:
    path = INDEX.parent / case["file"]
    opening = functools.partial(path.open, "rb")
    source = Source(name=case["upload_as"], size=path.stat().st_size, open=opening)
    reading = Reading([source], limits=limits())
    return list(reading), reading


def digest(text: str) -> dict[str, Any]:
    return {"chars": len(text), "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest()}


def is_parquet(case: dict[str, Any]) -> bool:
    return str(case["upload_as"]).endswith(".parquet")


@pytest.mark.parametrize("case", HOSTILE["files"], ids=lambda case: case["file"])
def test_file_is_accepted_or_refused_as_the_index_says(case: dict[str, Any]) -> None:
    rows, reading = read(case)

    report = reading.report
    found = [(fault.code, fault.message) for fault in report.errors]
    if is_parquet(case):
        # Parquet is not read; it is refused by its name or its content.
        assert not report.accepted
        assert {code for code, _ in found} <= {"unsupported_extension", "wrong_type"}
        return
    outcome = case["expected"]["outcome"]
    if outcome != "no_crash":
        assert report.accepted is (outcome == "accept"), found
    if outcome == "accept":
        assert len(rows) == report.rows == case["expected"]["rows_stored"]
    for expected in case["expected"]["errors"]:
        assert any(
            all(
                wanted is None or getattr(fault, name) == wanted
                for name, wanted in expected.items()
            )
            for fault in report.errors
        ), (expected, report.errors)
    codes = {fault.code for fault in report.warnings}
    assert set(case["expected"]["warnings"]) <= codes


@pytest.mark.parametrize(
    "case",
    [case for case in HOSTILE["files"] if case.get("verbatim") and not is_parquet(case)],
    ids=lambda case: case["file"],
)
def test_texts_are_kept_as_they_were_sent(case: dict[str, Any]) -> None:
    rows, _ = read(case)

    by_number = {row.row: row for row in rows}
    for wanted in case["verbatim"]:
        row = by_number[wanted["row"]]
        for column, expected in wanted.items():
            if column != "row":
                text = getattr(row, FIELD_OF.get(column, column))
                assert digest(text or "") == expected, (wanted["row"], column)


@pytest.mark.parametrize("case", HOSTILE["files"], ids=lambda case: case["file"])
def test_every_error_has_a_message_for_people_and_the_list_is_short(case: dict[str, Any]) -> None:
    _, reading = read(case)

    assert len(reading.report.errors) <= 100
    assert reading.report.error_count >= len(reading.report.errors)
    for fault in [*reading.report.errors, *reading.report.warnings]:
        assert fault.message.endswith((".", ")"))
        assert fault.message.isprintable()
        assert len(fault.message) < 1200
