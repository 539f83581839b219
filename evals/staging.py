"""Files between their preview and somebody's yes: kept in pieces in the database.

Any process can read them, and whatever removes the row removes the bytes with it. What nobody
came back to is forgotten.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from annotate.models import Study, User
from annotate.parsing import Source
from annotate.reports import short_name
from annotate.staging import GoneError, copied_out, pieces_of
from evals.models import Staged, StagedChunk

__all__ = [
    "FORGOTTEN_AFTER",
    "GoneError",
    "choose_again",
    "discard",
    "forget_staged",
    "stage",
    "staged_sources",
    "take_once",
    "taken_as",
    "waiting",
]

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
        for number, piece in enumerate(pieces_of(stream)):
            StagedChunk.objects.create(staged=staged, file=file, number=number, content=piece)
            size += len(piece)
    return size


@contextmanager
def staged_sources(staged: Staged) -> Iterator[list[Source]]:
    """The files of `staged` for a reading, as long as the `with` block lasts.

    Raises
    ------
    GoneError
        If they were thrown away, or taken in, meanwhile.
    """
    chunks = StagedChunk.objects.filter(staged=staged)
    with copied_out(
        staged.file_names, staged.file_sizes, lambda file: chunks.filter(file=file)
    ) as sources:
        yield sources


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


def choose_again(
    staged: Staged, *, options: Mapping[str, Any], report: Mapping[str, Any]
) -> Staged:
    """Keep what was chosen and found when the files were read another time."""
    waiting = Staged.objects.filter(pk=staged.pk, options__taken__isnull=True)
    if not waiting.update(options=dict(options), report=dict(report)):
        raise GoneError
    return Staged.objects.get(pk=staged.pk)


def take_once(staged: Staged, take: Callable[[list[Source]], int | None]) -> int | None:
    """Have `take` import the files, once however often it is asked for.

    It answers the key of what they became, or None if they cannot come in. Whoever asks a second
    time, or at the same time, gets what the first one got.

    Raises
    ------
    GoneError
        If they were thrown away meanwhile.
    """
    with transaction.atomic():
        locked = Staged.objects.select_for_update().filter(pk=staged.pk).first()
        if locked is None:
            raise GoneError
        if (known := taken_as(locked)) is not None:
            return known
        with staged_sources(locked) as sources:
            taken = take(sources)
        if taken is not None:
            locked.options |= {"taken": taken}
            locked.save(update_fields=["options"])
            StagedChunk.objects.filter(staged=locked).delete()
    return taken


def taken_as(staged: Staged) -> int | None:
    """The key of what the files became, or None while they wait."""
    taken = staged.options.get("taken")
    return taken if isinstance(taken, int) else None


def waiting(kind: Staged.Kind, study: Study | None = None) -> list[Staged]:
    """Files that wait for their yes, the latest first."""
    kept = Staged.objects.filter(kind=kind, study=study, options__taken__isnull=True)
    return list(kept.select_related("uploaded_by").order_by("-created_at"))
