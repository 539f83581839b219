"""Files made from values, for tests of the readers of suites and outputs."""

import io
import json
import zipfile
import zlib
from typing import Any

import zstandard

from annotate.parsing import Source
from evals.formats import CaseRecord, OutputRecord, Reading, read_cases, read_outputs


def source(data: bytes | str, name: str = "file.jsonl") -> Source:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return Source(name=name, size=len(raw), open=lambda: io.BytesIO(raw))


def lines(*records: Any) -> str:
    """JSON Lines; texts are lines as they are."""
    return "".join(
        (record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records
    )


def cases(*files: bytes | str | Source, **options: Any) -> tuple[list[CaseRecord], Any]:
    reading = read_cases([_as_source(file) for file in files], **options)
    return list(reading), reading.report


def outputs(*files: bytes | str | Source, **options: Any) -> tuple[list[OutputRecord], Any]:
    reading: Reading[OutputRecord] = read_outputs([_as_source(file) for file in files], **options)
    return list(reading), reading.report


def _as_source(file: bytes | str | Source) -> Source:
    return file if isinstance(file, Source) else source(file)


def faults(report: Any) -> list[tuple[str, int | None, int | None, str | None]]:
    return [(f.code, f.row, f.line, f.column) for f in report.errors]


def codes(report: Any) -> list[str]:
    return [fault.code for fault in report.errors]


def warned(report: Any) -> set[str]:
    return {fault.code for fault in report.warnings}


def zipped(members: dict[str, Any], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive; values that are not bytes are written as JSON."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return stream.getvalue()


def zstd_zipped(members: dict[str, Any], *, frames: int = 1) -> bytes:
    """The same packed with zstd (method 93), which the standard library cannot write yet."""
    body, directory = b"", b""
    for name, value in members.items():
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        packed = _frames(data, frames)
        sizes = zlib.crc32(data).to_bytes(4, "little")
        sizes += len(packed).to_bytes(4, "little") + len(data).to_bytes(4, "little")
        encoded = name.encode()
        start = (63).to_bytes(2, "little") + b"\0\0" + (93).to_bytes(2, "little") + b"\0" * 4
        start += sizes + len(encoded).to_bytes(2, "little") + b"\0\0"
        directory += b"PK\x01\x02" + (63).to_bytes(2, "little") + start + b"\0" * 10
        directory += len(body).to_bytes(4, "little") + encoded
        body += b"PK\x03\x04" + start + encoded + packed
    count = len(members).to_bytes(2, "little")
    end = b"PK\x05\x06" + b"\0" * 4 + count * 2 + len(directory).to_bytes(4, "little")
    return body + directory + end + len(body).to_bytes(4, "little") + b"\0\0"


def _frames(data: bytes, frames: int) -> bytes:
    size = -(-len(data) // frames) or 1
    compressor = zstandard.ZstdCompressor()
    pieces = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    return b"".join(compressor.compress(piece) for piece in pieces)
