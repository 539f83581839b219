"""What was said, in a table of its own: its items and people found, or every fault."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

from annotate.models import Item, Study
from annotate.parsing import Fault
from annotate.parsing.faults import MAX_ERRORS, shown
from annotate.parsing.judgements import JudgementReport, Said
from annotate.receiving import statements
from annotate.receiving.people import MOST_PEOPLE, TooManyPeopleError, find_people

Rows = list[tuple[Any, ...]]


class Faults:
    """Faults that only the database can find; they join those of the reading, line by line."""

    def __init__(self, report: JudgementReport) -> None:
        self.report = report
        self._columns = {role: name for name, role in report.columns.items()}

    def add(self, code: str, field: str, rows: Rows, texts: Iterable[str]) -> None:
        """`rows` begin with how many there are in all, the line and the row."""
        if not rows:
            return
        column = self._columns.get(field, field)
        for row, text in zip(rows, texts, strict=True):
            message = f"Line {row[1]}, column {shown(column, 80)[1:-1]}: {text}"
            self.report.errors.append(Fault(code, message, row[2], row[1], column))
        self.report.error_count += rows[0][0]
        self.report.errors.sort(key=lambda fault: fault.line or 0)
        del self.report.errors[MAX_ERRORS:]

    def of_file(self, code: str, text: str) -> None:
        self.report.errors.insert(0, Fault(code, text))
        self.report.error_count += 1

    def warn(self, code: str, rows: Rows, text: str) -> None:
        if not rows:
            return
        lines = list(dict.fromkeys(row[1] for row in rows))
        more = rows[0][0] - len(rows)
        start = "Lines" if len(lines) > 1 or more else "Line"
        named = ", ".join(map(str, lines)) + (f" and {more:,} more" if more else "")
        self.report.warnings.append(Fault(code, f"{start} {named}: {text}", rows[0][2], rows[0][1]))


def hold(said: Iterable[Said]) -> None:
    """Copy what was said into the table that everything else works on."""
    with connection.cursor() as cursor:
        cursor.execute(statements.TABLES)
        with cursor.copy(statements.COPY_SAID) as copy:
            for number, one in enumerate(said):
                copy.write_row(_row(number, one))


def _row(number: int, said: Said) -> tuple[Any, ...]:
    milliseconds = None if said.seconds is None else round(said.seconds * 1000)
    return (
        number,
        said.line,
        said.row,
        said.item_id,
        said.alternative,
        said.batch,
        _hash(said.prompt),
        _hash(said.baseline_output),
        _hash(said.candidate_output),
        said.annotator,
        said.strength,
        said.both_bad,
        said.side,
        said.scale,
        milliseconds or 0,
        said.judged_at,
        said.comment,
        json.dumps(dict(said.comparisons)) if said.comparisons else "{}",
        json.dumps({k: list(v) for k, v in said.scores.items()}) if said.scores else "{}",
    )


def _hash(text: str | None) -> str | None:
    """As the database hashes it; texts are compared by their hashes and travel no further."""
    if text is None:
        return None
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def match(study: Study, report: JudgementReport) -> None:
    """Find the item and the person of every judgement; what is not found goes to `report`."""
    faults = Faults(report)
    with connection.cursor() as cursor:
        cursor.execute(statements.NO_LOOPS)
        cursor.execute(statements.ANALYZE)
        for statement in statements.FIND_ITEMS:
            cursor.execute(statements.ANY_LEFT)
            if not cursor.fetchone()[0]:
                break
            cursor.execute(statement, {"study": study.pk})
            cursor.execute(statements.ANALYZE)
    _unknown(study, faults)
    _ambiguous(faults)
    _texts(faults)
    try:
        find_people(study)
    except TooManyPeopleError:
        faults.of_file(
            "too_many_people",
            f"The file names more than {MOST_PEOPLE:,} annotators. Choose the column that holds "
            "them (--map COLUMN=annotator), or say one name for all (--annotator NAME).",
        )
        return
    with connection.cursor() as cursor:
        cursor.execute(statements.ANALYZE)
    _repeated(faults)
    _already(faults)


def _unknown(study: Study, faults: Faults) -> None:
    rows = _rows(statements.UNKNOWN)
    there_are = f"Its ids look like: {_some_ids(study)}." if rows else ""
    faults.add(
        "unknown_item",
        "item_id" if any(row[3] for row in rows) else "prompt",
        rows,
        (
            (
                f"no item of the study{_in_batch(row[4])} has the id {shown(row[3])}. {there_are}"
                if row[3]
                else "no item of the study has this prompt and these outputs. Add a column item_id."
            )
            for row in rows
        ),
    )


def _in_batch(batch: str) -> str:
    return f", in batch {shown(batch, 40)}," if batch else ""


def _some_ids(study: Study) -> str:
    ids = Item.objects.filter(study=study, item_id__isnull=False).order_by("batch", "position")
    some = [shown(str(item_id), 40) for item_id in ids.values_list("item_id", flat=True)[:3]]
    return ", ".join(some) or "none, for its items have no ids (join them by a column prompt)"


def _ambiguous(faults: Faults) -> None:
    rows = _rows(statements.AMBIGUOUS)
    faults.add(
        "ambiguous_item",
        "item_id" if any(row[3] for row in rows) else "prompt",
        rows,
        (
            (
                f"{row[4]} items (batches {row[5]}) have the id {shown(row[3])}. Say which batch "
                "is meant in a column batch, by number or name."
                if row[3]
                else f"{row[4]} items (batches {row[5]}) have this prompt. Add a column item_id."
            )
            for row in rows
        ),
    )


def _texts(faults: Faults) -> None:
    rows = _rows(statements.SWAPPED)
    text = "the two outputs of the item stand the other way round in the study. Exchange them."
    faults.add("swapped_outputs", "baseline_output", rows, [text] * len(rows))
    if not rows:
        faults.warn(
            "other_texts",
            _rows(statements.OTHER_TEXTS),
            "the outputs that were judged are not word for word those of the study's item. The "
            "judgements come in all the same.",
        )


def _repeated(faults: Faults) -> None:
    rows = _rows(statements.REPEATED)
    if not faults.report.repeats_are_faults:
        if rows:
            left_out = faults.report.left_out
            left_out["said again of the same item"] = rows[0][0]
            with connection.cursor() as cursor:
                cursor.execute(statements.DROP_REPEATED)
        return
    faults.add(
        "duplicate_judgement",
        "item_id",
        rows,
        (
            f"{shown(row[4], 40)} judged {shown(row[3], 40) if row[3] else 'this item'} on line "
            f"{row[5]} already. Keep one of the two."
            for row in rows
        ),
    )


def _already(faults: Faults) -> None:
    rows = _rows(statements.ALREADY)
    faults.add(
        "already_judged",
        "item_id",
        rows,
        (
            f"what {shown(row[4], 40)} said of {shown(row[3], 40) if row[3] else 'this item'} came "
            f"in before, with file {row[5]} ({shown(row[6], 60)[1:-1]}). Delete the row."
            for row in rows
        ),
    )


def _rows(statement: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: Rows = cursor.fetchall()
    return rows
