"""manage.py import_batch: a file, or one file for each system, as a batch of a study."""

import argparse
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import ImportCommand, StudyCommand, source_at, study_named
from annotate.intake import Progress, RefusedError, check_batch, import_batch
from annotate.models import Batch, Study
from annotate.parsing import FIELDS, SEPARATORS, Cures, Fault, Options, Report, Source
from annotate.reports import faults_as_json, storable

MEANINGS = (*FIELDS, "metadata", "ignore")
CURES = Cures(
    allow_empty="pass --allow-empty",
    mapping="say which it is with --map COLUMN=FIELD",
    separator={name: f"pass --separator {name}" for name in SEPARATORS},
)


def column_mapping(text: str) -> tuple[str, str]:
    """COLUMN=FIELD; the column itself may hold an equals sign."""
    column, sign, field = text.rpartition("=")
    if not sign or not column or field not in MEANINGS:
        raise argparse.ArgumentTypeError(
            f"'{text}': write COLUMN=FIELD, FIELD one of {', '.join(MEANINGS)}"
        )
    return column, field


class Command(ImportCommand, StudyCommand):
    help = "Import paired outputs into a study, whole or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="pairs, or the baseline's")
        parser.add_argument(
            "file2", type=Path, nargs="?", metavar="FILE2", help="the candidate's outputs"
        )
        parser.add_argument("--check", action="store_true", help="report, write nothing")
        parser.add_argument(
            "--map", action="append", default=[], type=column_mapping, metavar="COLUMN=FIELD"
        )
        parser.add_argument("--swap", action="store_true", help="exchange the two outputs")
        parser.add_argument("--allow-empty", action="store_true", help="take empty outputs in")
        parser.add_argument(
            "--separator",
            choices=list(SEPARATORS),
            default="",
            help="of a CSV or TSV file; otherwise its ending says",
        )
        parser.add_argument("--name", default="", metavar="N", help="what the batch is called")

    def answer(self, *args: Any, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        sources = [source_at(path) for path in (options["file"], options["file2"]) if path]
        reading = Options(
            mapping=dict(options["map"]),
            swap=options["swap"],
            allow_empty=options["allow_empty"],
            separator=options["separator"],
            cures=CURES,
        )
        try:
            report, batch = self._take_in(study, sources, reading, options)
        except RefusedError as error:
            report = Report(errors=[Fault(error.code, str(error))], error_count=1)
            batch = None
        self._finish_progress()
        self.tell_of(report, options)
        return _answer(report, batch)

    def _take_in(
        self, study: Study, sources: list[Source], reading: Options, options: dict[str, Any]
    ) -> tuple[Report, Batch | None]:
        progress = self._progress(options["check"])
        if options["check"]:
            return check_batch(study, sources, reading, progress), None
        name = storable(options["name"])
        intake = import_batch(study, sources, reading, name=name, progress=progress)
        return intake.report, intake.batch

    def _progress(self, check: bool) -> Progress | None:
        """A line that is written over and over, for people at a terminal only."""
        if not self.stderr.isatty():
            return None
        last = 0.0
        words = "Reading" if check else "Importing"

        def show(read: int, total: int | None) -> None:
            nonlocal last
            if total and time.monotonic() - last > 0.2:
                last = time.monotonic()
                share = min(100, 100 * read // total)
                self.stderr.write(f"\r{words}: {share} %", ending="")
                self.stderr.flush()

        return show

    def _finish_progress(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")

    def accepted_in_words(self, answer: dict[str, Any]) -> str:
        columns = "".join(f"\n  {name!r}: {means}" for name, means in answer["columns"].items())
        if answer["batch"] is None:
            return f"{_items(answer['rows'])} can come in. Nothing was written.{columns}"
        batch = Batch.objects.get(pk=answer["batch"])
        return (
            f"Imported {_items(answer['items'])} as batch {batch.number} ({batch.name}).{columns}"
        )


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def _answer(report: Report, batch: Batch | None) -> dict[str, Any]:
    return {
        "accepted": report.accepted,
        "rows": report.rows,
        "items": report.rows if report.accepted else 0,
        "batch": batch.pk if batch else None,
        "format": report.format,
        "columns": {storable(name): means for name, means in report.columns.items()},
        "errors": faults_as_json(report.errors),
        "warnings": faults_as_json(report.warnings),
    }
