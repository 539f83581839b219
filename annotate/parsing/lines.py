"""Bytes to text: physical lines and chunks, with their numbers and byte offsets.

Undecodable bytes come through as lone surrogates (which UTF-8 itself cannot spell), so one bad
byte is one fault in one record and the rest of the file is still read.
"""

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from annotate.parsing.sniffing import BOM

CHUNK_BYTES = 1 << 16
PEEK_BYTES = 1 << 12


class CountedStream(io.BufferedIOBase):
    """Feeds a text reader and tells how many bytes it took; never closes what it reads."""

    def __init__(
        self, stream: BinaryIO, count: Callable[[int], None], chunk: int = CHUNK_BYTES
    ) -> None:
        self._stream = stream
        self._count = count
        self._chunk = chunk

    @property
    def name(self) -> str:
        return "upload"

    def readable(self) -> bool:
        return True

    def read1(self, size: int | None = -1, /) -> bytes:
        # A larger piece than the text reader asks for: it asks for 8 KiB.
        data = self._stream.read(self._chunk)
        self._count(len(data))
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        return self.read1(size)


def uncounted(size: int) -> None:
    """For reads that are not progress."""


def start_of_text(stream: BinaryIO) -> int:
    """Offset of the first character: after the byte order mark, if there is one."""
    stream.seek(0)
    return len(BOM) if stream.read(len(BOM)) == BOM else 0


def byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def first_undecodable(stream: BinaryIO) -> int | None:
    """Offset of the first byte that is not UTF-8."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    while True:
        data = stream.read(CHUNK_BYTES)
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            return done - held + error.start
        if not data:
            return None
        done += len(data)


class PhysicalLines:
    """Lines ended by LF, CRLF or CR and by nothing else, their ends kept.

    While a line is in hand, `number` and `offset` say where it begins. A line longer than `cap`
    comes in pieces, all but the last of them `cut`; `skip_rest` passes what is left of it.
    """

    def __init__(self, data: CountedStream, offset: int, cap: int) -> None:
        self._text = io.TextIOWrapper(data, encoding="utf-8", errors="surrogateescape", newline="")
        self._cap = cap
        self._next = offset
        self.offset = offset
        self.number = 0
        self.cut = False

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._cap):
            self.number += not self.cut
            self.offset = self._next
            self._next += byte_length(line)
            self.cut = len(line) == self._cap and line[-1] not in "\r\n"
            yield line

    def skip_rest(self) -> None:
        self.cut = False
        while rest := self._text.readline(self._cap):
            self._next += byte_length(rest)
            if rest[-1] in "\r\n":
                return


def decoded_chunks(data: CountedStream) -> Iterator[str]:
    """The text in pieces, none of them empty."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while raw := data.read1():
        if text := decoder.decode(raw):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text
