"""manage.py import_judgements: what people said elsewhere of the items of a study."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import ImportCommand, StudyCommand, source_at, study_named
from annotate.parsing.judgements import FIELDS, JudgementOptions
from annotate.receiving import Receipt, check_judgements, import_judgements
from annotate.reports import faults_as_json, storable


def column_mapping(text: str) -> tuple[str, str]:
    """COLUMN=FIELD; the column itself may hold an equals sign."""
    column, sign, field = text.rpartition("=")
    if not sign or not column or not field:
        raise argparse.ArgumentTypeError(
            f"'{text}': write COLUMN=FIELD, FIELD one of {', '.join(FIELDS)}, ignore, or a "
            "criterion's key (KEY_baseline and KEY_candidate where both are scored)"
        )
    return column, field


class Command(ImportCommand, StudyCommand):
    help = "Import judgements made elsewhere, whole or not at all; they are kept apart."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV, TSV, JSON or JSON Lines")
        parser.add_argument("--check", action="store_true", help="report, write nothing")
        parser.add_argument(
            "--map", action="append", default=[], type=column_mapping, metavar="COLUMN=FIELD"
        )
        parser.add_argument(
            "--left",
            choices=("baseline", "candidate"),
            default="",
            help="what stood on the left, where the file says left and right",
        )
        parser.add_argument(
            "--baseline", default="", metavar="MODEL", help="what the file calls the baseline"
        )
        parser.add_argument(
            "--candidate", default="", metavar="MODEL", help="what the file calls the candidate"
        )
        parser.add_argument(
            "--annotator", default="", metavar="NAME", help="who judged, if the file names nobody"
        )
        parser.add_argument(
            "--with-items", action="store_true", help="first make a batch of the file's items"
        )

    def answer(self, *args: Any, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        reading = JudgementOptions(
            mapping=dict(options["map"]),
            left=options["left"],
            baseline=options["baseline"],
            candidate=options["candidate"],
            annotator=storable(options["annotator"])[:100],
        )
        receive = check_judgements if options["check"] else import_judgements
        receipt = receive(
            study, source_at(options["file"]), reading, with_items=options["with_items"]
        )
        self.tell_of(receipt.report, options)
        return _answer(receipt)

    def accepted_in_words(self, answer: dict[str, Any]) -> str:
        what = (
            f"{_many(answer['judgements'], 'judgement')} of {_many(answer['items'], 'item')} by "
            f"{_many(answer['annotators'], 'person', 'people')}"
        )
        lines = [f"Read as {answer['recognised']}."]
        lines += [f"Left out: {n:,} {reason}." for reason, n in answer["left_out"].items()]
        if answer["import"] is None:
            lines.append(f"{what} can come in. Nothing was written.")
        else:
            lines.append(f"Imported {what}, marked as imported and kept apart.")
        return "\n".join(lines)


def _many(count: int, word: str, words: str = "") -> str:
    return f"1 {word}" if count == 1 else f"{count:,} {words or word + 's'}"


def _answer(receipt: Receipt) -> dict[str, Any]:
    """As `import_batch` answers, and what there is to say of judgements beside."""
    report, taken = receipt.report, receipt.taken
    return {
        "accepted": receipt.accepted,
        "rows": report.rows,
        "items": receipt.items,
        "batch": taken.batch_id if taken else None,
        "format": report.format,
        "columns": {storable(name): means for name, means in report.columns.items()},
        "errors": faults_as_json(report.errors),
        "warnings": faults_as_json(report.warnings),
        "import": taken.number if taken else None,
        "recognised": report.recognised,
        "judgements": receipt.judgements,
        "annotators": receipt.annotators,
        "left_out": dict(report.left_out),
    }
