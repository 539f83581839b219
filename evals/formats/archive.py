"""Members of a ZIP archive, unpacked in pieces and never beyond a cap.

The standard library reads the directory; it cannot unpack zstd (method 93) before Python 3.14.
"""

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from annotate.parsing.faults import shown
from evals.formats.pieces import piece_stream

MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 512 * 2**20
MAX_TOTAL_BYTES = 4 * 2**30
MAX_WINDOW = 1 << 27
CHUNK = 1 << 16
STORED, DEFLATE, ZSTD = 0, 8, 93
LOCAL_HEADER = 30


class ArchiveError(Exception):
    """The archive cannot be read; `code` says which way."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Archive:
    """A ZIP archive whose sizes are not believed."""

    def __init__(
        self,
        stream: BinaryIO,
        *,
        member_cap: int = MAX_MEMBER_BYTES,
        total_cap: int = MAX_TOTAL_BYTES,
    ) -> None:
        self._stream = stream
        self._member_cap = member_cap
        self._left = total_cap
        self._total_cap = total_cap
        try:
            with zipfile.ZipFile(stream) as directory:
                members = directory.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise ArchiveError(
                "zip_damaged", f"the archive cannot be read ({error}). Copy it again."
            ) from error
        if len(members) > MAX_MEMBERS:
            raise ArchiveError("zip_too_large", f"more than {MAX_MEMBERS:,} members.")
        # Where a name is there twice the later one counts: tools add to their archives.
        self._members = {member.filename: member for member in members}

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces."""
        member = self._members[name]
        if member.flag_bits & 1:
            raise ArchiveError("zip_encrypted", f"{shown(name)} is encrypted. Unlock it first.")
        size, checksum = 0, 0
        for data in self._unpacked(member):
            size += len(data)
            self._left -= len(data)
            if size > self._member_cap or self._left < 0:
                cap = self._member_cap if size > self._member_cap else self._total_cap
                text = f"{shown(name)} unpacks to more than {cap:,} bytes."
                raise ArchiveError("zip_too_large", f"{text} Export fewer samples.")
            checksum = zlib.crc32(data, checksum)
            yield data
        if checksum != member.CRC:
            raise ArchiveError("zip_damaged", f"{shown(name)} is damaged. Copy the file again.")

    def read(self, name: str) -> bytes:
        return b"".join(self.chunks(name))

    def _unpacked(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        packed = self._packed(member)
        try:
            if member.compress_type == STORED:
                yield from packed
            elif member.compress_type == DEFLATE:
                yield from _inflated(packed)
            elif member.compress_type == ZSTD:
                yield from _zstd(packed)
            else:
                text = f"{shown(member.filename)} is packed with method {member.compress_type}."
                raise ArchiveError("zip_method", f"{text} Deflate and zstd are read.")
        except (zlib.error, zstandard.ZstdError) as error:
            text = f"{shown(member.filename)} is damaged ({error}). Copy the file again."
            raise ArchiveError("zip_damaged", text) from error

    def _packed(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        # A damaged directory may even point before the beginning.
        start = max(0, member.header_offset)
        self._stream.seek(start)
        header = self._stream.read(LOCAL_HEADER)
        if len(header) < LOCAL_HEADER or header[:4] != b"PK\x03\x04":
            text = f"{shown(member.filename)} is not where it should be. Copy the file again."
            raise ArchiveError("zip_damaged", text)
        skipped = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        at, left = start + LOCAL_HEADER + skipped, member.compress_size
        while left > 0:
            # Someone else may have read elsewhere between two pieces.
            self._stream.seek(at)
            data = self._stream.read(min(CHUNK, left))
            if not data:
                raise ArchiveError("zip_damaged", "the archive ends too early. Copy it again.")
            at, left = at + len(data), left - len(data)
            yield data


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for data in packed:
        while data:
            piece = inflater.decompress(data, CHUNK)
            data = inflater.unconsumed_tail
            if piece:
                yield piece
    while piece := inflater.decompress(b"", CHUNK):
        yield piece
    if rest := inflater.flush():
        yield rest


def _zstd(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Frames one after another; each piece bounded, whatever the frames promise."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    with decompressor.stream_reader(piece_stream(packed), read_across_frames=True) as reader:
        while piece := reader.read(CHUNK):
            yield piece
