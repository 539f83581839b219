"""The bytes of an upload: received up to a limit, kept in pieces in the database, read back.

A file never lies whole in memory, and never on a disk under a name: it is in a nameless
temporary file while a process works on it (gone with that process, however it ends), and
in the database while it waits.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import IO, Any, BinaryIO, TypeAlias, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from annotate.models import Upload, UploadChunk
from annotate.parsing import Source
from annotate.reports import storable

CHUNK_BYTES = 2**20
TakingView: TypeAlias = Callable[..., HttpResponseBase]


class GoneError(Exception):
    """The upload was thrown away while it was being read."""


class LimitedUploadHandler(FileUploadHandler):
    """Streams each file into a nameless temporary file, and stops reading at the limit."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.limit = file_limit()
        self.too_large = ""
        self._content_length = 0

    def handle_raw_input(
        self,
        input_data: Any,
        meta: Any,
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self._content_length = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the request)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > self.limit:
            self._file.close()
            self.too_large = self.file_name or ""
            # A little more is read and forgotten, for a browser shows no answer before it has
            # sent everything; who sends much more than the limit is cut off.
            if self._content_length > 2 * self.limit + CHUNK_BYTES:
                raise StopUpload(connection_reset=True)
            raise SkipFile
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        self._file.flush()
        return UploadedFile(self._file, self.file_name, self.content_type, file_size)

    def upload_interrupted(self) -> None:
        self._file.close()


def takes_files(most: int | None = None) -> Callable[[TakingView], TakingView]:
    """Let a view take files of at most so many bytes; it is handed the `handler` of them.

    Whoever may not come in is to be sent away outside of this, before anything is read: the
    check of the form's token reads the whole request, so the limit is set first, and the check
    that is made of every other request beforehand is left out here.
    """

    def taking(view: TakingView) -> TakingView:
        checked = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            handler = LimitedUploadHandler(request)
            handler.limit = file_limit(most)
            request.upload_handlers = [handler]
            return checked(request, *args, handler=handler, **kwargs)

        return limited

    return taking


def file_limit(most: int | None = None) -> int:
    """The bytes that a file may have: the site's limit, or a page's own where that is less."""
    site = int(settings.UPLOAD_LIMITS["max_file_bytes"])
    return site if most is None else min(site, most)


class _View(io.RawIOBase):
    """An open file read from a position of its own, so that several readers do not meet."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count


def source_of(file: IO[bytes], name: str, size: int) -> Source:
    """An open file, for the parser; it must stay open for as long as the parser reads."""

    def fresh() -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_View(file.fileno(), size), 2**16))

    return Source(name=name, size=size, open=fresh)


def sources_of_request(files: Sequence["UploadedFile[Any]"]) -> list[Source]:
    """The files of a form, in the order of its fields. What type they claim is not asked."""
    return [
        source_of(cast("IO[bytes]", file.file), storable(file.name or ""), file.size or 0)
        for file in files
    ]


def size_of(sources: Sequence[Source]) -> int:
    return sum(source.size or 0 for source in sources)


def pieces_of(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of exactly CHUNK_BYTES but for the last: a stream may give less than was asked."""
    piece = bytearray()
    while read := stream.read(CHUNK_BYTES - len(piece)):
        piece += read
        if len(piece) == CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def keep_bytes(upload: Upload, sources: Sequence[Source]) -> str:
    """Store the files in pieces; the answer is the SHA-256 of all their bytes."""
    digest = hashlib.sha256()
    for file, source in enumerate(sources):
        with source.open() as stream:
            for number, piece in enumerate(pieces_of(stream)):
                digest.update(piece)
                UploadChunk.objects.create(upload=upload, file=file, number=number, content=piece)
    return digest.hexdigest()


def drop_bytes(upload: Upload) -> None:
    UploadChunk.objects.filter(upload=upload).delete()


@contextmanager
def kept_sources(upload: Upload) -> Iterator[list[Source]]:
    """The files of an upload for the parser, as long as the `with` block lasts.

    Raises
    ------
    GoneError
        If the upload was thrown away meanwhile.
    """
    chunks = UploadChunk.objects.filter(upload=upload)
    with copied_out(
        upload.file_names, upload.file_sizes, lambda file: chunks.filter(file=file)
    ) as sources:
        yield sources


@contextmanager
def copied_out(
    names: Sequence[str], sizes: Sequence[int], chunks_of: Callable[[int], "QuerySet[Any]"]
) -> Iterator[list[Source]]:
    """Files that are kept in numbered pieces, for as long as the `with` block lasts.

    They are copied out of the database first: while rows are copied into it the connection
    can read nothing else.

    Raises
    ------
    GoneError
        If a piece is gone.
    """
    with ExitStack() as stack:
        sources = []
        for file, (name, size) in enumerate(zip(names, sizes, strict=True)):
            copied = stack.enter_context(tempfile.TemporaryFile())
            _copy_out(chunks_of(file), size, copied)
            sources.append(source_of(copied, name, size))
        yield sources


def _copy_out(chunks: "QuerySet[Any]", size: int, to: IO[bytes]) -> None:
    for number in range(-(-size // CHUNK_BYTES)):
        piece = chunks.filter(number=number).values_list("content", flat=True).first()
        if piece is None:
            raise GoneError
        to.write(piece)
    to.flush()
