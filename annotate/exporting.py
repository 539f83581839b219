"""Exports: items, judgements (every version) and ratings, streamed from one snapshot.

Each kind is one SELECT read through a cursor on the server, inside a transaction that
sees the database as it was when the export began: an export is never torn by writes.
JSON Lines hold the texts as they are. CSV is for spreadsheets: cells that a
spreadsheet would take for a formula get a ' in front.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from annotate.models import Study

ITEMS = """
SELECT i.public_id AS item, b.number AS batch, i.position AS row, i.item_id, i.category, i.prompt,
       i.baseline_output, i.candidate_output, i.reference, i.metadata
FROM annotate_item i JOIN annotate_batch b ON b.id = i.batch_id
WHERE i.study_id = %s ORDER BY b.number, i.position
"""
# Somebody who judged elsewhere is called as the file called them; the time is theirs too.
WHO = "CASE WHEN u.outside_of_id IS NULL THEN u.email ELSE u.name END"
WHEN = "CASE WHEN t.state = 'imported' THEN t.judged_at ELSE j.created_at END"
JUDGEMENTS = f"""
SELECT j.id AS judgement, i.public_id AS item, i.item_id, i.category, {WHO} AS annotator,
       t.slot, t.state AS task_state, j.version, j.version = t.version AS current,
       j.candidate_side, j.scale, j.choice,
       CASE WHEN j.both_bad THEN 'both_bad' WHEN j.preference > 0 THEN 'candidate'
            WHEN j.preference < 0 THEN 'baseline' ELSE 'tie' END AS preference,
       j.preference AS strength, j.comment, j.active_ms / 1000.0 AS seconds, j.source,
       to_char({WHEN} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS judged_at,
       t.repeats_id IS NOT NULL AS repeat
FROM annotate_judgement j
JOIN annotate_task t ON t.id = j.task_id
JOIN annotate_item i ON i.id = t.item_id
JOIN annotate_user u ON u.id = j.annotator_id
WHERE j.study_id = %s ORDER BY i.id, t.slot, j.created_at, j.version, j.id
"""  # noqa: S608 (put together from constants)
RATINGS = f"""
SELECT r.judgement_id AS judgement, i.public_id AS item, i.item_id, {WHO} AS annotator,
       j.version, j.version = t.version AS current, c.key AS criterion, c.kind,
       CASE WHEN r.preference > 0 THEN 'candidate' WHEN r.preference < 0 THEN 'baseline'
            WHEN r.preference = 0 THEN 'tie' END AS preference,
       r.baseline_score, r.candidate_score, t.repeats_id IS NOT NULL AS repeat
FROM annotate_rating r
JOIN annotate_judgement j ON j.id = r.judgement_id
JOIN annotate_task t ON t.id = j.task_id
JOIN annotate_item i ON i.id = t.item_id
JOIN annotate_criterion c ON c.id = r.criterion_id
JOIN annotate_user u ON u.id = j.annotator_id
WHERE j.study_id = %s ORDER BY i.id, t.slot, j.created_at, j.version, j.id, c.position
"""  # noqa: S608 (put together from constants)
KINDS = {"items": ITEMS, "judgements": JUDGEMENTS, "ratings": RATINGS}
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}

# What spreadsheets take for the beginning of a formula, full-width forms included. A ' that
# stood there already gets another one, so that taking one off restores every text.
FORMULA = re.compile("^['=+\\-@\t\r\n\0＝＋－＠]")
PIECE = 500
JSONB = 3802


def export_lines(study: Study, kind: str, format: str) -> Iterator[str]:
    """The lines of one export of `study`, in the order of its items.

    One SELECT is one snapshot, however long its reader takes.
    """
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(KINDS[kind], [study.pk])
        columns = [column.name for column in cursor.description]
        rows = _rows(cursor)
        yield from _as_csv(columns, rows) if format == "csv" else _as_jsonl(columns, rows)


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    """Rows as they come from the server; Django leaves JSON as text, which is read here."""
    read = [json.loads if column.type_code == JSONB else None for column in cursor.description]
    while piece := cursor.fetchmany(PIECE):
        for row in piece:
            yield tuple(
                loads(value) if loads else value for loads, value in zip(read, row, strict=True)
            )


def _as_csv(columns: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > 65_536:
            yield _drained(buffer)
    yield _drained(buffer)


def _drained(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and FORMULA.match(value):
        return f"'{value}"
    if isinstance(value, bool):
        return str(value).lower()
    return value


def _as_jsonl(columns: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    for row in rows:
        record = dict(zip(columns, map(_plain, row), strict=True))
        yield json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    return value
