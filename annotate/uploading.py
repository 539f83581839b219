"""Uploads step by step: received and checked, checked again, imported or thrown away.

    (received) -> checking -> checked -> importing -> imported
                     ^___________|

Each step is a conditional UPDATE of the state, so it happens once however often it is asked
for. Small files take their steps inside the request; large ones by jobs, which may be run
twice or be killed: a job holds an advisory lock that PostgreSQL lets go when its process
ends, and a sweep starts anew what is under way and not locked.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from annotate.intake import Progress, RefusedError, check_batch, import_batch
from annotate.models import Batch, Study, Upload, User
from annotate.parsing import Options, Source
from annotate.reports import (
    NAME_CHARS,
    ReportData,
    refused_data,
    report_data,
    short_name,
    storable,
)
from annotate.staging import (
    GoneError,
    drop_bytes,
    keep_bytes,
    kept_sources,
    size_of,
)

# What is read within a second or so is read in the request.
AT_ONCE_BYTES = 8 * 2**20
CHECK_JOB = "check_upload"
IMPORT_JOB = "import_upload"
JOB_OF_STATE = {Upload.State.CHECKING: CHECK_JOB, Upload.State.IMPORTING: IMPORT_JOB}
MAX_TRIES = 3
FORGOTTEN_AFTER = timedelta(days=7)

LOCK = "hashtextextended('touchstone upload ' || %s, 0)"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person who uploads chose: how to read the file, and what to call the batch."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    swap: bool = False
    allow_empty: bool = False
    name: str = ""
    separator: str = ""

    @property
    def options(self) -> Options:
        return Options(
            mapping=self.mapping,
            swap=self.swap,
            allow_empty=self.allow_empty,
            separator=self.separator,
        )


@dataclass(frozen=True, slots=True)
class Received:
    """A new upload, or the report that says why there is none."""

    upload: Upload | None
    report: ReportData | None


def choices_of(upload: Upload) -> Choices:
    return Choices(upload.mapping, upload.swap, upload.allow_empty, upload.name, upload.separator)


def is_small(upload: Upload) -> bool:
    return bool(sum(upload.file_sizes) <= AT_ONCE_BYTES)


def receive(
    study: Study, sources: Sequence[Source], choices: Choices, uploaded_by: User | None
) -> Received:
    """Check small files and keep them if they are in order; keep large ones to be checked."""
    if size_of(sources) > AT_ONCE_BYTES:
        with transaction.atomic():
            upload = _stage(study, sources, choices, uploaded_by, None)
            _defer(CHECK_JOB, upload.pk)
        return Received(upload, None)
    report = _check(study, sources, choices)
    if not report["accepted"]:
        return Received(None, report)
    with transaction.atomic():
        return Received(_stage(study, sources, choices, uploaded_by, report), report)


def _stage(
    study: Study,
    sources: Sequence[Source],
    choices: Choices,
    uploaded_by: User | None,
    report: ReportData | None,
) -> Upload:
    upload = Upload.objects.create(
        study=study,
        uploaded_by=uploaded_by,
        name=choices.name[:NAME_CHARS],
        file_names=[short_name(source.name) for source in sources],
        file_sizes=[source.size for source in sources],
        mapping=dict(choices.mapping),
        swap=choices.swap,
        allow_empty=choices.allow_empty,
        separator=choices.separator,
        state=Upload.State.CHECKED if report else Upload.State.CHECKING,
        report=report,
    )
    upload.sha256 = keep_bytes(upload, sources)
    upload.save(update_fields=["sha256"])
    return upload


def _check(
    study: Study, sources: Sequence[Source], choices: Choices, progress: Progress | None = None
) -> ReportData:
    try:
        return report_data(check_batch(study, sources, choices.options, progress))
    except RefusedError as error:
        return refused_data(error.code, str(error))


def check_again(upload: Upload, choices: Choices) -> Upload:
    """Read the kept files as `choices` say now."""
    waiting = Upload.objects.filter(pk=upload.pk, state=Upload.State.CHECKED)
    chosen = {
        "mapping": dict(choices.mapping),
        "swap": choices.swap,
        "allow_empty": choices.allow_empty,
        "separator": choices.separator,
        "name": choices.name[:NAME_CHARS],
    }
    if is_small(upload):
        with kept_sources(upload) as sources:
            report = _check(upload.study, sources, choices)
        waiting.update(**chosen, report=report)
    else:
        with transaction.atomic():
            if waiting.update(**chosen, state=Upload.State.CHECKING, progress=0):
                _defer(CHECK_JOB, upload.pk)
    return Upload.objects.get(pk=upload.pk)


def accept(upload: Upload, name: str = "") -> Upload:
    """Import an upload that was found in order: a small one now, a large one by a job.

    Whoever asks a second time gets what the first one got.
    """
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if locked.state != Upload.State.CHECKED or not (locked.report or {}).get("accepted"):
            return locked
        # A small import would wait for the large one of the same study, and its page with it.
        busy = Upload.objects.filter(study=locked.study_id, state=Upload.State.IMPORTING).exists()
        locked.name = name[:NAME_CHARS] or locked.name
        locked.state = Upload.State.IMPORTING
        locked.progress = 0
        locked.save(update_fields=["name", "state", "progress"])
        if busy or not is_small(locked):
            _defer(IMPORT_JOB, locked.pk)
        else:
            with kept_sources(locked) as sources:
                _import(locked, sources, None)
    return Upload.objects.get(pk=upload.pk)


def discard(upload: Upload) -> bool:
    """Throw an upload away with its bytes, unless it is (being) imported."""
    gone, _ = Upload.objects.filter(
        pk=upload.pk, state__in=[Upload.State.CHECKING, Upload.State.CHECKED]
    ).delete()
    return gone > 0


def run_check(upload_id: UUID, progress: Progress) -> None:
    """The job behind `checking`."""
    upload = Upload.objects.filter(pk=upload_id, state=Upload.State.CHECKING).first()
    if upload is None:
        return
    with kept_sources(upload) as sources:
        report = _check(upload.study, sources, choices_of(upload), progress)
    with transaction.atomic():
        checked = Upload.objects.filter(pk=upload_id, state=Upload.State.CHECKING)
        checked.update(state=Upload.State.CHECKED, report=report, progress=1)
        # What was refused is not kept. A file that was in order before, and is not with other
        # columns, waits for better ones.
        if not report["accepted"] and upload.report is None:
            drop_bytes(upload)


def run_import(upload_id: UUID, progress: Progress) -> None:
    """The job behind `importing`."""
    upload = Upload.objects.filter(pk=upload_id, state=Upload.State.IMPORTING).first()
    if upload is not None:
        with kept_sources(upload) as sources:
            _import(upload, sources, progress)


def _import(upload: Upload, sources: Sequence[Source], progress: Progress | None) -> None:
    importing = Upload.objects.filter(pk=upload.pk, state=Upload.State.IMPORTING)
    try:
        with transaction.atomic():
            batch, report = _take_in(upload, sources, progress)
            if batch is not None:
                if not importing.update(state=Upload.State.IMPORTED, batch=batch, progress=1):
                    raise GoneError
                drop_bytes(upload)
                return
    except RefusedError as error:
        report = refused_data(error.code, str(error))
    with transaction.atomic():
        importing.update(state=Upload.State.CHECKED, report=report)
        drop_bytes(upload)


def _take_in(
    upload: Upload, sources: Sequence[Source], progress: Progress | None
) -> tuple[Batch | None, ReportData]:
    choices = choices_of(upload)
    intake = import_batch(
        upload.study,
        sources,
        choices.options,
        name=choices.name,
        imported_by=upload.uploaded_by,
        progress=progress,
    )
    return intake.batch, report_data(intake.report)


def _defer(job: str, upload_id: UUID) -> None:
    """Queue a job with what is being written now: both are there afterwards, or neither."""
    lock = f"{job} {upload_id}"
    try:
        with transaction.atomic():
            app.configure_task(job, queueing_lock=lock).defer(upload_id=str(upload_id))
    except AlreadyEnqueued:
        pass  # it waits in the queue already


@contextmanager
def alone_at_work(upload_id: UUID) -> Iterator[bool]:
    """Whether this process is the one that works on an upload; true for one at a time."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({LOCK})", [str(upload_id)])
        (alone,) = cast("tuple[bool]", cursor.fetchone())
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({LOCK})", [str(upload_id)])


def sweep() -> None:
    """Start anew what no living process works on, and forget what nobody came back to."""
    for upload in Upload.objects.filter(state__in=list(JOB_OF_STATE)):
        with alone_at_work(upload.pk) as abandoned:
            if abandoned:
                _try_again(upload)
    Upload.objects.filter(
        state=Upload.State.CHECKED, created_at__lt=Now() - FORGOTTEN_AFTER
    ).delete()


def _try_again(upload: Upload) -> None:
    job = JOB_OF_STATE[Upload.State(upload.state)]
    tries = ProcrastinateJob.objects.filter(task_name=job, args__upload_id=str(upload.pk))
    if tries.count() < MAX_TRIES or tries.filter(status="todo").exists():
        _defer(job, upload.pk)
        return
    words = "Reading this file broke off each time it was tried. Nothing was imported. "
    report = refused_data("broke_off", words + "Split the file, or ask whoever runs this site.")
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk, state=upload.state).update(
            state=Upload.State.CHECKED, report=report
        )
        drop_bytes(upload)


def clean_name(name: str) -> str:
    return storable(name).strip()[:NAME_CHARS]
