"""One uploaded file, opened: its format recognised, its records checked one by one."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn, TypeAlias

from annotate.parsing.cells import CellReader, Parts
from annotate.parsing.columns import Columns
from annotate.parsing.contract import SEPARATORS, Limits, Options, Record, Source
from annotate.parsing.delimited import DELIMITERS, DelimitedReader
from annotate.parsing.faults import FaultLog, HaltError
from annotate.parsing.headers import hint_for, separator_of
from annotate.parsing.jsonrows import ArrayReader, LinesReader
from annotate.parsing.lines import CountedStream, first_undecodable, uncounted
from annotate.parsing.sniffing import recognise

ROWS_WITHOUT_COLUMNS = 5
SEPARATED = {
    name: kind
    for name, sign in SEPARATORS.items()
    for kind, delimiter in DELIMITERS.items()
    if delimiter == sign
}

Reader: TypeAlias = DelimitedReader | LinesReader | ArrayReader


class InputFile:
    """Parts of every sound record of a source; everything else goes to the log.

    Use it in a `with` block: it holds the stream open.
    """

    def __init__(
        self,
        source: Source,
        options: Options,
        limits: Limits,
        log: FaultLog,
        count: Callable[[int], None],
        *,
        file: str = "",
        side: str | None = None,
    ) -> None:
        self.columns = Columns(options, limits, log, file, side)
        self.format = ""
        self.rows = 0
        self.separator = ""
        self._source = source
        self._options = options
        self._side = side
        self._limits = limits
        self._log = log
        self._count = count
        self._file = file
        self._reader: Reader | None = None
        self._cells: CellReader | None = None

    def __enter__(self) -> "InputFile":
        self._stream = self._source.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()

    @property
    def first_values(self) -> dict[str, str]:
        return self._cells.first_values if self._cells else {}

    def __iter__(self) -> Iterator[Parts]:
        reader = self._open()
        before = self._log.error_count
        try:
            yield from self._parts(reader)
        finally:
            self.rows = reader.row
            self._finish(reader)
        if self.rows == 0 and self._log.error_count == before:
            cure = "Add at least one."
            self._log.error(
                "no_rows", f"the file has no rows. {cure}", line=reader.line, file=self._file
            )

    def columns_ahead(self) -> set[str]:
        """Fields that the header, or the first record, has columns for; faults are not logged."""
        quiet = FaultLog()
        options = replace(self._options, swap=False, allow_empty=False)
        with InputFile(
            self._source, options, self._limits, quiet, uncounted, side=self._side
        ) as ahead:
            with suppress(HaltError):
                next(iter(ahead), None)
            return set(ahead.columns.roles.values())

    def read_again(self, row: int, line: int, offset: int) -> Record:
        """A record that was read before; `offset` is where it begins."""
        assert self._reader is not None
        return Record(row, line, offset, self._reader.at(offset))

    def _open(self) -> Reader:
        log, file, stream = self._log, self._file, self._stream
        self.format = recognise(self._source, stream, self._limits, log, file)
        if self.format in DELIMITERS and self._options.separator:
            self.format = SEPARATED[self._options.separator]
        data = CountedStream(stream, self._count)
        if self.format in DELIMITERS:
            self._reader = DelimitedReader(data, stream, self.format, self._limits, log, file)
        elif self.format == "jsonl":
            self._reader = LinesReader(data, stream, self._limits, log, file)
        else:
            self._reader = ArrayReader(data, stream, self._limits, log, file)
        self._cells = CellReader(
            self.columns,
            self._limits,
            log,
            options=self._options,
            raw=self.format in DELIMITERS,
            file=file,
        )
        if isinstance(self._reader, DelimitedReader):
            self._take_header(self._reader, self._cells)
        return self._reader

    def _take_header(self, reader: DelimitedReader, cells: CellReader) -> None:
        self.columns.learn_header(reader.header, reader.line)
        if len(self.columns.missing()) < len(self.columns.required):
            self._finish_columns()
            return
        # Without one wanted column there is nothing to check; a few rows show what there is.
        self.separator = separator_of(reader.header)
        self._finish_columns(hint_for(reader.header, self.separator, self._options.cures))
        for values in reader.sample(ROWS_WITHOUT_COLUMNS):
            cells.keep_first(values)
        raise HaltError

    def _parts(self, reader: Reader) -> Iterator[Parts]:
        assert self._cells is not None
        limits = self._limits
        for record in reader:
            parts = self._cells.parts(record)
            if self._cells.text_bytes > limits.max_total_text_bytes:
                text = f"the texts exceed {limits.max_total_text_bytes:,} bytes. Split the file."
                self._halt("too_much_text", text, record)
            if parts is not None:
                yield parts

    def _halt(self, code: str, text: str, record: Record) -> NoReturn:
        self._log.error(code, text, row=record.row, line=record.line, file=self._file)
        raise HaltError

    def _finish_columns(self, hint: str = "") -> None:
        self.columns.finish(hint)
        if self._side is None:
            self.columns.refuse_unmet(self.columns.unmet())

    def _finish(self, reader: Reader) -> None:
        if not isinstance(reader, DelimitedReader):
            self._finish_columns()
        self._log.add_byte(self._file, lambda: first_undecodable(self._stream))
