"""Taking a batch in: rows by COPY, tasks by one statement, all or nothing."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from annotate.models import Batch, State, Study, User
from annotate.parsing import Limits, Options, Reading, Report, Row, Source

COPY_ITEMS = """
COPY annotate_item (public_id, study_id, batch_id, position, item_id, category, prompt,
                    baseline_output, candidate_output, reference, metadata) FROM STDIN
"""

# Items in drawn order; of each item's slots half have the candidate on the left and half on
# the right, in drawn order too. Where the overlap is odd the middle slot alternates from item
# to item, beginning on the side that the study has less of.
MAKE_TASKS = """
WITH drawn AS (
    SELECT id, row_number() OVER (ORDER BY md5(%(seed)s || position), position) AS n
    FROM annotate_item WHERE batch_id = %(batch)s
), placed AS (
    SELECT id, n, slot,
           row_number() OVER (PARTITION BY id ORDER BY md5(%(seed)s || n || '/' || slot)) AS place
    FROM drawn CROSS JOIN generate_series(1, %(overlap)s) AS slot
), sided AS (
    SELECT id, n, slot,
           CASE WHEN place * 2 <= %(overlap)s THEN 'left'
                WHEN place * 2 > %(overlap)s + 1 THEN 'right'
                WHEN (n + %(offset)s) %% 2 = 0 THEN 'left'
                ELSE 'right' END AS side
    FROM placed ORDER BY n, slot
)
INSERT INTO annotate_task (id, study_id, item_id, slot, candidate_side, rank, state, version,
                           skip_reason, skip_note)
SELECT gen_random_uuid(), %(study)s, id, slot, side, nextval('annotate_task_rank'), 'free', 0, '', ''
FROM sided
"""

SIDE_SURPLUS = """
SELECT count(*) FILTER (WHERE candidate_side = 'left')
     - count(*) FILTER (WHERE candidate_side = 'right')
FROM annotate_task WHERE study_id = %s AND state IN ('free', 'claimed', 'judged')
"""

Progress = Callable[[int, int | None], None]


class RefusedError(Exception):
    """The whole batch is refused, for a reason outside the lines of its file."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of an upload: its batch, or none where the report names errors."""

    report: Report
    batch: Batch | None


class _Faulty(Exception):
    """Rolls an import back."""


def limits_of_this_site() -> Limits:
    return Limits(**settings.UPLOAD_LIMITS)


def check_batch(
    sources: Sequence[Source], options: Options, progress: Progress | None = None
) -> Report:
    """Read the files to the end and say what they hold and what is wrong; write nothing."""
    reading = Reading(sources, options, limits_of_this_site())
    for _ in _watched(reading, progress):
        pass
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
            batch = _new_batch(study, sources, options, name, imported_by)
            _copy_items(batch, _watched(reading, progress))
            report = reading.report
            if not report.accepted:
                raise _Faulty
            batch.format = report.format
            batch.columns = report.columns
            batch.item_count = report.rows
            batch.warnings = [asdict(warning) for warning in report.warnings]
            batch.save(update_fields=["format", "columns", "item_count", "warnings"])
            make_tasks(batch)
    except _Faulty:
        return Intake(reading.report, None)
    return Intake(report, batch)


def _new_batch(
    study: Study, sources: Sequence[Source], options: Options, name: str, imported_by: User | None
) -> Batch:
    # One batch at a time for a study: numbers and the balance of sides depend on it.
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == State.CLOSED:
        raise RefusedError(f"Study '{study.slug}' is closed: it takes in no more batches.")
    digest = batch_digest(sources, options)
    if same := Batch.objects.filter(study=study, digest=digest).first():
        raise RefusedError(
            f"The same file, read the same way, is batch {same.number} ({same.name}) already. "
            "Nothing was imported a second time."
        )
    last = study.batches.aggregate(last=Max("number"))["last"] or 0
    return Batch.objects.create(
        study=study,
        number=last + 1,
        name=name[:120] or _name_from(sources),
        file_names=[source.name for source in sources],
        digest=digest,
        swapped=options.swap,
        imported_by=imported_by,
    )


def _name_from(sources: Sequence[Source]) -> str:
    return (sources[0].name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0] or "batch")[:120]


def batch_digest(sources: Sequence[Source], options: Options) -> str:
    """SHA-256 of the files' bytes and of how their columns are read."""
    digest = hashlib.sha256()
    for source in sources:
        with source.open() as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    digest.update(json.dumps([dict(options.mapping), options.swap], sort_keys=True).encode())
    return digest.hexdigest()


def _watched(reading: Reading, progress: Progress | None) -> Iterator[Row]:
    for number, row in enumerate(reading, start=1):
        if progress is not None and number % 500 == 0:
            progress(reading.bytes_read, reading.bytes_total)
        yield row


def _copy_items(batch: Batch, rows: Iterator[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY_ITEMS) as copy:
        for row in rows:
            copy.write_row(_columns(batch, row))


def _columns(batch: Batch, row: Row) -> tuple[object, ...]:
    return (
        uuid4(),
        batch.study_id,
        batch.pk,
        row.row,
        row.item_id,
        row.category,
        row.prompt,
        row.baseline_output,
        row.candidate_output,
        row.reference,
        json.dumps(row.metadata, ensure_ascii=False),
    )


def make_tasks(batch: Batch) -> None:
    """Make every slot of a batch, sides drawn, in the order in which they are handed out."""
    study = batch.study
    with connection.cursor() as cursor:
        cursor.execute(SIDE_SURPLUS, [study.pk])
        (surplus,) = cursor.fetchone()
        cursor.execute(
            MAKE_TASKS,
            {
                "seed": f"{study.seed}:{batch.number}:",
                "batch": batch.pk,
                "study": study.pk,
                "overlap": study.overlap,
                "offset": 0 if surplus > 0 else 1,
            },
        )
