"""Taking a batch in: rows by COPY, tasks by SQL, all or nothing."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from annotate.models import Batch, State, Study, User
from annotate.parsing import Limits, Options, Reading, Report, Row, Source
from annotate.reports import NAME_CHARS, fault_as_json, short_name, storable
from annotate.slots import add_slots, make_tasks, remove_slots
from config.postgresql.bulk import renew_statistics

__all__ = ["add_slots", "check_batch", "import_batch", "make_tasks", "remove_slots"]

COPY_ITEMS = """
COPY annotate_item (public_id, study_id, batch_id, position, item_id, category, prompt,
                    baseline_output, candidate_output, reference, metadata) FROM STDIN
"""

# An import may outlast what a web request may take.
NO_TIMEOUTS = """
SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0
"""
# One batch at a time for a study: numbers, the same file twice and the balance of sides
# depend on it. Not the study's row: annotators need that to claim while rows come in.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('touchstone intake'), %s)"

PROGRESS_EVERY_ROWS = 200
# How much of an import is reading and copying; the rest is making its tasks.
READING_SHARE = 0.6

Progress = Callable[[int, int | None], None]


class RefusedError(Exception):
    """The whole batch is refused, for a reason outside the lines of its file.

    `code` is for programs.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of an upload: its batch, or none where the report names errors."""

    report: Report
    batch: Batch | None


class _FaultyError(Exception):
    """Rolls an import back."""


def limits_of_this_site() -> Limits:
    return Limits(**settings.UPLOAD_LIMITS)


def check_batch(
    study: Study,
    sources: Sequence[Source],
    options: Options,
    progress: Progress | None = None,
) -> Report:
    """Read the files to the end and say what they hold and what is wrong; write nothing.

    Raises
    ------
    RefusedError
        If the files are in order, and the study would not take them in all the same.
    """
    reading = Reading(sources, options, limits_of_this_site())
    for _ in _watched(reading, progress):
        pass
    if reading.report.accepted:
        _refuse_closed(Study.objects.get(pk=study.pk))
        _refuse_known(study, batch_digest(sources, reading.report, options))
    return reading.report


def import_batch(
    study: Study,
    sources: Sequence[Source],
    options: Options,
    *,
    name: str = "",
    imported_by: User | None = None,
    progress: Progress | None = None,
) -> Intake:
    """Take the files in as one batch of `study`, whole or not at all.

    Raises
    ------
    RefusedError
        If the study is closed or has taken in the same files, read the same way, before.
    """
    reading = Reading(sources, options, limits_of_this_site())
    try:
        with transaction.atomic():
            batch = _begin(study, sources, options, name, imported_by)
            _copy_items(batch, reading, _first_part(progress))
            if not reading.report.accepted:
                raise _FaultyError
            _complete(batch, sources, reading, options, progress)
    except _FaultyError:
        return Intake(reading.report, None)
    renew_statistics(batch.item_count, "annotate_item", "annotate_task")
    return Intake(reading.report, batch)


def _begin(
    study: Study, sources: Sequence[Source], options: Options, name: str, imported_by: User | None
) -> Batch:
    with connection.cursor() as cursor:
        cursor.execute(NO_TIMEOUTS)
        cursor.execute(ONE_AT_A_TIME, [study.pk])
    _refuse_closed(Study.objects.get(pk=study.pk))
    last = Batch.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
    return Batch.objects.create(
        study=study,
        number=last + 1,
        name=name[:NAME_CHARS] or name_from(sources),
        file_names=[short_name(source.name) for source in sources],
        # Until the files are read to their end nobody knows it, and nobody sees this row.
        digest=uuid4().hex,
        swapped=options.swap,
        imported_by=imported_by,
    )


def _complete(
    batch: Batch,
    sources: Sequence[Source],
    reading: Reading,
    options: Options,
    progress: Progress | None,
) -> None:
    report = reading.report
    digest = batch_digest(sources, report, options)
    _refuse_known(batch.study, digest)
    batch.digest = digest
    batch.format = report.format[:20]
    batch.columns = report.columns
    batch.item_count = report.rows
    batch.warnings = [fault_as_json(warning) for warning in report.warnings]
    batch.save(update_fields=["digest", "format", "columns", "item_count", "warnings"])
    # From here on the state and the overlap stand still: whoever changes either one comes
    # before these tasks, and is seen here, or after them, and sees them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM annotate_study WHERE id = %s FOR SHARE", [batch.study_id])
    batch.study = Study.objects.get(pk=batch.study_id)
    _refuse_closed(batch.study)
    make_tasks(batch, _second_part(reading, progress))


def _first_part(progress: Progress | None) -> Progress | None:
    """Progress of an import while its files are read: they are not the whole of it."""
    if progress is None:
        return None
    told = progress

    def read(size: int, total: int | None) -> None:
        told(int(size * READING_SHARE), total)

    return read


def _second_part(reading: Reading, progress: Progress | None) -> Callable[[float], None] | None:
    """And while its tasks are made."""
    total = reading.bytes_total
    if progress is None or total is None:
        return None
    told, whole = progress, total

    def made(share: float) -> None:
        told(int(whole * (READING_SHARE + (1 - READING_SHARE) * share)), whole)

    return made


def _refuse_closed(study: Study) -> None:
    if study.state == State.CLOSED:
        raise RefusedError(
            "study_closed", f"Study '{study.slug}' is closed: it takes in no more batches."
        )


def _refuse_known(study: Study, digest: str) -> None:
    if same := Batch.objects.filter(study=study, digest=digest).first():
        raise RefusedError(
            "already_imported",
            f"The same file, read the same way, is batch {same.number} ({same.name}) already. "
            "Nothing was imported a second time.",
        )


def name_from(sources: Sequence[Source]) -> str:
    """What a batch is called when nobody says: its first file's name without the ending."""
    last = sources[0].name.replace("\\", "/").rsplit("/", 1)[-1]
    return (storable(last).rsplit(".", 1)[0] or "batch")[:NAME_CHARS]


def batch_digest(sources: Sequence[Source], report: Report, options: Options) -> str:
    """SHA-256 of the files' bytes and of how their columns were read."""
    digest = hashlib.sha256()
    for source in sources:
        with source.open() as stream:
            digest.update(_sha256(stream))
    digest.update(json.dumps([report.columns, options.swap], sort_keys=True).encode())
    return digest.hexdigest()


def _sha256(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while piece := stream.read(2**20):
        digest.update(piece)
    return digest.digest()


def _watched(reading: Reading, progress: Progress | None) -> Iterator[Row]:
    for number, row in enumerate(reading, start=1):
        if progress is not None and number % PROGRESS_EVERY_ROWS == 0:
            progress(reading.bytes_read, reading.bytes_total)
        yield row


def _copy_items(batch: Batch, reading: Reading, progress: Progress | None) -> None:
    study, number = batch.study_id, batch.pk
    with connection.cursor() as cursor, cursor.copy(COPY_ITEMS) as copy:
        for row in _watched(reading, progress):
            copy.write_row(
                (
                    # A random UUID in hex: making the object would take longer than all the row.
                    token_hex(16),
                    study,
                    number,
                    row.row,
                    row.item_id,
                    row.category,
                    row.prompt,
                    row.baseline_output,
                    row.candidate_output,
                    row.reference,
                    json.dumps(row.metadata, ensure_ascii=False) if row.metadata else "{}",
                )
            )
