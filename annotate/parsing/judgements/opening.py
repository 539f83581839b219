"""A file of judgements opened: its records one by one, whatever they mean."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

from annotate.parsing.contract import Limits, Record, Source
from annotate.parsing.delimited import DELIMITERS, DelimitedReader
from annotate.parsing.faults import FaultLog, HaltError
from annotate.parsing.jsonrows import ArrayReader, LinesReader
from annotate.parsing.lines import CountedStream, first_undecodable, uncounted
from annotate.parsing.sniffing import recognise

# So many records are looked at before a file is taken for anything.
LOOKED_AT = 200


class Opened:
    """The records of a source. Use it in a `with` block: it holds the stream open."""

    def __init__(
        self,
        source: Source,
        limits: Limits,
        log: FaultLog,
        count: Callable[[int], None] = uncounted,
    ) -> None:
        self.format = ""
        self.header: list[str] = []
        self.rows = 0
        self._source = source
        self._limits = limits
        self._log = log
        self._count = count

    def __enter__(self) -> "Opened":
        self._stream = self._source.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[Record]:
        reader = self._reader()
        before = self._log.error_count
        try:
            yield from reader
        finally:
            self.rows = reader.row
            self._log.add_byte("", lambda: first_undecodable(self._stream))
        if self.rows == 0 and self._log.error_count == before:
            text = "the file has no rows. Add at least one."
            self._log.error("no_rows", text, line=reader.line)

    def _reader(self) -> DelimitedReader | LinesReader | ArrayReader:
        self.format = recognise(self._source, self._stream, self._limits, self._log, "")
        data = CountedStream(self._stream, self._count)
        if self.format in DELIMITERS:
            reader = DelimitedReader(data, self._stream, self.format, self._limits, self._log, "")
            self.header = reader.header
            return reader
        kind = LinesReader if self.format == "jsonl" else ArrayReader
        return kind(data, self._stream, self._limits, self._log, "")


def first_records(source: Source, limits: Limits) -> tuple[str, list[str], list[Record]]:
    """The format, the columns and the first records of a file, its faults passed over."""
    with Opened(source, limits, FaultLog()) as opened:
        found: list[Record] = []
        with suppress(HaltError):
            found.extend(islice(opened, LOOKED_AT))
        columns = opened.header or list(
            dict.fromkeys(column for record in found for column in record.values)
        )
        return opened.format, columns, found
