"""Files between their preview and somebody's yes: kept in pieces in the database.

Any process can read them, and whatever removes the row removes the bytes with it. What nobody
came back to is forgotten.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import IO, Any, BinaryIO

from django.db import transaction
from django.db.models.functions import Now

from annotate.models import Study, User
from annotate.parsing import Source
from annotate.reports import short_name
from annotate.staging import CHUNK_BYTES, GoneError, source_of
from evals.models import Staged, StagedChunk

__all__ = ["FORGOTTEN_AFTER", "GoneError", "discard", "forget_staged", "stage", "staged_sources"]

FORGOTTEN_AFTER = timedelta(days=7)


def stage(
    kind: Staged.Kind | str,
    sources: Sequence[Source],
    *,
    study: Study | None = None,
    uploaded_by: User | None = None,
    options: Mapping[str, Any] | None = None,
    report: Mapping[str, Any] | None = None,
) -> Staged:
    """Keep the files of an upload, with what was chosen and what was found, until the answer.

    Files that nobody came back to go at this moment: whoever adds some pays for the room.
    """
    with transaction.atomic():
        forget_staged()
        staged = Staged(
            kind=kind,
            study=study,
            uploaded_by=uploaded_by,
            file_names=[short_name(source.name) for source in sources],
            options=dict(options or {}),
            report=dict(report or {}),
        )
        staged.save(force_insert=True)
        staged.file_sizes = [_keep(staged, file, source) for file, source in enumerate(sources)]
        staged.save(update_fields=["file_sizes"])
    return staged


def _keep(staged: Staged, file: int, source: Source) -> int:
    """Store one file piece by piece; the answer is its true size."""
    size = 0
    with source.open() as stream:
        for number, piece in enumerate(_pieces(stream)):
            StagedChunk.objects.create(staged=staged, file=file, number=number, content=piece)
            size += len(piece)
    return size


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of exactly CHUNK_BYTES but for the last: a stream may give less than was asked."""
    piece = bytearray()
    while read := stream.read(CHUNK_BYTES - len(piece)):
        piece += read
        if len(piece) == CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


@contextmanager
def staged_sources(staged: Staged) -> Iterator[list[Source]]:
    """The files of `staged` for a reading, as long as the `with` block lasts.

    They are copied out of the database first: while rows are copied into it the connection can
    read nothing else.

    Raises
    ------
    GoneError
        If they were thrown away, or taken in, meanwhile.
    """
    with ExitStack() as stack:
        sources = []
        for file, (name, size) in enumerate(zip(staged.file_names, staged.file_sizes, strict=True)):
            copied = stack.enter_context(tempfile.TemporaryFile())
            _copy_out(staged, file, size, copied)
            sources.append(source_of(copied, name, size))
        yield sources


def _copy_out(staged: Staged, file: int, size: int, to: IO[bytes]) -> None:
    chunks = StagedChunk.objects.filter(staged=staged, file=file)
    for number in range(-(-size // CHUNK_BYTES)):
        piece = chunks.filter(number=number).values_list("content", flat=True).first()
        if piece is None:
            raise GoneError
        to.write(piece)
    to.flush()


def discard(staged: Staged) -> bool:
    """Throw the files away; whether there was something left to throw away."""
    gone, _ = Staged.objects.filter(pk=staged.pk).delete()
    return gone > 0


def forget_staged() -> int:
    """Throw away what nobody came back to; how many uploads that were."""
    old = Staged.objects.filter(created_at__lt=Now() - FORGOTTEN_AFTER)
    # Newer uploads may be on their way in: nobody waits for what another process deletes.
    gone = old.select_for_update(skip_locked=True)
    with transaction.atomic():
        _, counts = Staged.objects.filter(pk__in=list(gone.values_list("pk", flat=True))).delete()
    return counts.get("evals.Staged", 0)
