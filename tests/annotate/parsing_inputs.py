"""Uploads made from bytes, for tests of the parser."""

import io
from typing import Any

from annotate.parsing import Limits, Options, Reading, Row, Source

SMALL = Limits(
    max_file_bytes=50 * 2**20, max_rows=20_000, max_cell_chars=200_000, max_total_text_bytes=2**29
)


def source(data: bytes | str, name: str = "batch.csv") -> Source:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return Source(name=name, size=len(raw), open=lambda: io.BytesIO(raw))


def read(
    data: bytes | str,
    name: str = "batch.csv",
    *more: Source,
    limits: Limits = SMALL,
    **options: Any,
) -> tuple[list[Row], Reading]:
    reading = Reading([source(data, name), *more], Options(**options), limits)
    return list(reading), reading


def faults(reading: Reading) -> list[tuple[str, int | None, int | None, str | None]]:
    return [(f.code, f.row, f.line, f.column) for f in reading.report.errors]


def codes(reading: Reading) -> list[str]:
    return [fault.code for fault in reading.report.errors]


def warned(reading: Reading) -> set[str]:
    return {fault.code for fault in reading.report.warnings}
