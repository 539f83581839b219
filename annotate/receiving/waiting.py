"""A file of judgements between its preview and somebody's yes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from annotate.models import JudgementChunk, JudgementFile, Study, User
from annotate.parsing import Source
from annotate.parsing.judgements import JudgementOptions
from annotate.receiving.receipts import Receipt, ReceiptData, receipt_data
from annotate.receiving.taking import check_judgements, import_judgements
from annotate.reports import short_name
from annotate.staging import GoneError, copied_out, pieces_of

FORGOTTEN_AFTER = timedelta(days=7)


def receive_file(
    study: Study,
    source: Source,
    options: JudgementOptions,
    *,
    with_items: bool,
    uploaded_by: User | None,
) -> JudgementFile:
    """Look at a file and keep it, with what was found, until somebody decides.

    It is kept with its faults too: another way of reading it may be all that it needs. Files
    that nobody came back to go at this moment.
    """
    found = receipt_data(check_judgements(study, source, options, with_items=with_items))
    with transaction.atomic():
        old = JudgementFile.objects.filter(created_at__lt=Now() - FORGOTTEN_AFTER)
        old.delete()
        file = JudgementFile.objects.create(
            study=study,
            uploaded_by=uploaded_by,
            file_name=short_name(source.name),
            file_size=source.size or 0,
            options=_stored(options, with_items),
            report=found,
        )
        with source.open() as stream:
            for number, piece in enumerate(pieces_of(stream)):
                JudgementChunk.objects.create(file=file, number=number, content=piece)
    return file


def check_file_again(
    file: JudgementFile, options: JudgementOptions, *, with_items: bool
) -> ReceiptData:
    """Read a kept file as it is to be read now."""
    with _kept(file) as source:
        receipt = check_judgements(file.study, source, options, with_items=with_items)
    found = receipt_data(receipt)
    JudgementFile.objects.filter(pk=file.pk).update(
        options=_stored(options, with_items), report=found
    )
    return found


def accept_file(file: JudgementFile, imported_by: User | None) -> Receipt:
    """Import a kept file as it was looked at; afterwards it is kept no longer."""
    options, with_items = options_from(file.options)
    with transaction.atomic():
        # Of two who say yes at once the second one finds nothing to import.
        locked = JudgementFile.objects.select_for_update().filter(pk=file.pk).first()
        if locked is None:
            raise GoneError
        with _kept(locked) as source:
            receipt = import_judgements(
                locked.study, source, options, with_items=with_items, imported_by=imported_by
            )
        if receipt.taken is not None:
            locked.delete()
        else:
            locked.report = receipt_data(receipt)
            locked.save(update_fields=["report"])
    return receipt


def discard_file(file: JudgementFile) -> None:
    """Throw a kept file away, with its bytes."""
    JudgementFile.objects.filter(pk=file.pk).delete()


def _stored(options: JudgementOptions, with_items: bool) -> dict[str, Any]:
    return asdict(options) | {"mapping": dict(options.mapping), "with_items": with_items}


def options_from(stored: Mapping[str, Any]) -> tuple[JudgementOptions, bool]:
    """How a file is read, and whether it brings its items, as it was kept."""
    chosen = dict(stored)
    with_items = bool(chosen.pop("with_items", False))
    return JudgementOptions(**chosen), with_items


@contextmanager
def _kept(file: JudgementFile) -> Iterator[Source]:
    """The kept file, for as long as the `with` block lasts."""
    chunks = JudgementChunk.objects.filter(file=file)
    with copied_out([file.file_name], [file.file_size], lambda _: chunks) as (source,):
        yield source
