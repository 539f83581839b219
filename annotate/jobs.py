"""What is done outside of requests: reading and importing large uploads."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import connection, connections
from procrastinate.contrib.django import app

from annotate.intake import Progress
from annotate.staging import GoneError
from annotate.uploading import CHECK_JOB, IMPORT_JOB, alone_at_work, run_check, run_import, sweep

SECONDS_BETWEEN = 0.3


class ProgressBar:
    """Writes how far a job is, on a connection of its own.

    The import is one transaction: what it wrote itself nobody would see before its end.
    """

    def __init__(self, upload_id: UUID) -> None:
        self._upload_id = upload_id
        self._connection = connection.copy()
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def __call__(self, read: int, total: int | None) -> None:
        now = time.monotonic()
        if not total or now - self._last < SECONDS_BETWEEN:
            return
        self._last = now
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE annotate_upload SET progress = %s WHERE id = %s",
                [min(1.0, read / total), self._upload_id],
            )


@contextmanager
def own_connection() -> Iterator[None]:
    """A worker's thread may wait for days: it keeps no connection between jobs."""
    try:
        yield
    finally:
        connections.close_all()


def work_on(upload_id: str, step: Callable[[UUID, Progress], None]) -> None:
    """One step of one upload, unless another worker is at it or it was thrown away."""
    key = UUID(upload_id)
    try:
        with alone_at_work(key) as alone:
            if alone:
                with ProgressBar(key) as progress:
                    step(key, progress)
    except GoneError:
        pass  # thrown away while it was read: there is nothing left to do


@app.task(name=CHECK_JOB)
def check_upload(upload_id: str) -> None:
    with own_connection():
        work_on(upload_id, run_check)


@app.task(name=IMPORT_JOB)
def import_upload(upload_id: str) -> None:
    with own_connection():
        work_on(upload_id, run_import)


@app.periodic(cron="* * * * *")
@app.task(name="sweep_uploads", queueing_lock="sweep_uploads")
def sweep_uploads(timestamp: int) -> None:
    with own_connection():
        sweep()
