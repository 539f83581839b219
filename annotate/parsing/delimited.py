"""CSV and TSV, read strictly: RFC 4180 quoting, any line end, no guessing.

A lenient reader lets one forgotten quotation mark swallow the rows after it.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from annotate.parsing.contract import JSON, Limits, Record
from annotate.parsing.faults import FaultLog, HaltError
from annotate.parsing.lines import (
    PEEK_BYTES,
    CountedStream,
    PhysicalLines,
    start_of_text,
    uncounted,
)

# Formats by name; a separator that somebody chose may name another one than the file's ending.
DELIMITERS = {"csv": ",", "csv, semicolons": ";", "tsv": "\t"}
UNTIL_QUOTE = re.compile(r'[^"]*+(?:""[^"]*+)*+')
# A record may hold more cells than any header; beyond these they are only counted.
CELLS_KEPT = 4096


class QuoteError(Exception):
    """The quotation marks of a record do not fit."""


class Tokens:
    """Cells of one record after another; `line`, `offset` and `cut` belong to the one in hand."""

    def __init__(
        self, lines: PhysicalLines, delimiter: str, limits: Limits, log: FaultLog, file: str
    ) -> None:
        self._lines = lines
        self._feed = iter(lines)
        self._delimiter = delimiter
        self._limits = limits
        self.line = 0
        self.offset = 0
        self.cut = False
        self.count = 0
        self._log = log
        self._file = file
        self._blank = 0

    def __iter__(self) -> Iterator[list[str] | QuoteError]:
        for text in self._feed:
            self.line, self.offset = self._lines.number, self._lines.offset
            try:
                cells = self._cells(text) if '"' in text else self._plain(text)
            except QuoteError as error:
                yield error
                continue
            self.cut = self._lines.cut
            if self.cut:
                self._lines.skip_rest()
            if self.count > 1 or cells[0]:
                yield cells
                continue
            self._blank += 1
            self._log.refuse_rows(
                self._blank, self._limits.max_rows, "blank lines", self.line, self._file
            )

    def _plain(self, text: str) -> list[str]:
        cells = _without_end(text).split(self._delimiter)
        self.count = len(cells)
        return cells

    def _cells(self, text: str) -> list[str]:
        cells: list[str] = []
        self.count = 0
        position: int | None = 0
        while position is not None:
            if text.startswith('"', position):
                value, text, position = self._quoted(text, position + 1)
            else:
                value, position = self._unquoted(text, position)
            self.count += 1
            if self.count <= CELLS_KEPT:
                cells.append(value)
        return cells

    def _unquoted(self, text: str, start: int) -> tuple[str, int | None]:
        end = text.find(self._delimiter, start)
        if end < 0:
            return _without_end(text[start:]), None
        return text[start:end], end + 1

    def _quoted(self, text: str, start: int) -> tuple[str, str, int | None]:
        """The cell whose opening mark is before `start`, the line it ends on, where to go on."""
        parts: list[str] = []
        length = 0
        while True:
            match = UNTIL_QUOTE.match(text, start)
            end = match.end() if match else start
            if length <= self._limits.max_cell_chars:
                parts.append(text[start:end])
                length += end - start
            if end < len(text):
                break
            text, start = self._next_line(), 0
        value = "".join(parts).replace('""', '"')
        return value, text, self._after_quote(text, end + 1)

    def _next_line(self) -> str:
        line = next(self._feed, None)
        if line is None:
            raise QuoteError(
                "a quotation mark opens in this record and never closes. Close it, or double "
                "it if it belongs to the text"
            )
        return line

    def _after_quote(self, text: str, position: int) -> int | None:
        follows = text[position : position + 1]
        if follows in ("", "\r", "\n"):
            return None
        if follows == self._delimiter:
            return position + 1
        raise QuoteError(
            f"text follows a closing quotation mark on line {self._lines.number}. Double every "
            "quotation mark that belongs to the text"
        )


def _without_end(text: str) -> str:
    if text.endswith("\n"):
        return text[:-2] if text.endswith("\r\n") else text[:-1]
    return text.removesuffix("\r")


class DelimitedReader:
    """Records of a CSV or TSV file. `header` is there once the reader is made."""

    def __init__(
        self,
        data: CountedStream,
        stream: BinaryIO,
        kind: str,
        limits: Limits,
        log: FaultLog,
        file: str,
    ) -> None:
        self._stream = stream
        self._delimiter = DELIMITERS[kind]
        self._limits = limits
        self._log = log
        self._file = file
        self.row = 0
        self._tokens = self._tokens_from(data, start_of_text(stream))
        self._records = iter(self._tokens)
        self.header = self._read_header()
        self.line = self._tokens.line

    def _tokens_from(self, data: CountedStream, offset: int) -> Tokens:
        self._stream.seek(offset)
        lines = PhysicalLines(data, offset, self._limits.max_line_chars)
        return Tokens(lines, self._delimiter, self._limits, self._log, self._file)

    def _read_header(self) -> list[str]:
        cells = next(self._records, None)
        if cells is None:
            self._fail("empty_file", "the file holds nothing but blank lines.", line=1)
        if isinstance(cells, QuoteError):
            self._fail("csv_syntax", f"{cells}.", line=self._tokens.line)
        line, found = self._tokens.line, self._tokens.count
        if found > self._limits.max_columns:
            self._fail(
                "too_many_columns",
                f"the header has {found:,} columns; at most {self._limits.max_columns} are "
                "taken. Delete columns that are not needed.",
                line=line,
            )
        assert isinstance(cells, list)
        return [name.lstrip("\ufeff").strip() for name in cells]

    def _fail(self, code: str, text: str, *, line: int) -> None:
        self._log.error(code, text, line=line, file=self._file)
        raise HaltError

    def __iter__(self) -> Iterator[Record]:
        for cells in self._records:
            self.row += 1
            self._log.refuse_rows(
                self.row, self._limits.max_rows, "rows", self._tokens.line, self._file
            )
            if isinstance(cells, QuoteError):
                self._fault("csv_syntax", f"{cells}.")
            elif self._tokens.cut:
                self._too_long(len(cells))
            elif self._tokens.count != len(self.header):
                self._count_fault()
            else:
                values: dict[str, JSON] = dict(zip(self.header, cells, strict=True))
                yield Record(self.row, self._tokens.line, self._tokens.offset, values)

    def sample(self, rows: int) -> Iterator[dict[str, JSON]]:
        """The next records for a look, whatever is wrong with them."""
        for cells in islice(self._records, rows):
            if isinstance(cells, list):
                yield dict(zip(self.header, cells, strict=False))

    def at(self, offset: int) -> dict[str, JSON]:
        """The record that begins at `offset`, which was read before."""
        data = CountedStream(self._stream, uncounted, PEEK_BYTES)
        cells = next(iter(self._tokens_from(data, offset)))
        assert isinstance(cells, list)
        return dict(zip(self.header, cells, strict=True))

    def _fault(self, code: str, text: str, column: str | None = None) -> None:
        self._log.error(
            code, text, row=self.row, line=self._tokens.line, column=column, file=self._file
        )

    def _too_long(self, cells: int) -> None:
        column = self.header[cells - 1] if cells <= len(self.header) else None
        limit = self._limits.max_cell_chars
        self._fault("cell_too_long", f"longer than {limit:,} characters. Shorten it.", column)

    def _count_fault(self) -> None:
        found, wanted = self._tokens.count, len(self.header)
        sign = {"\t": "tab", ";": "semicolon"}.get(self._delimiter, "comma")
        cure = (
            f"Put quotation marks around cells that hold a {sign}."
            if found > wanted
            else "Add the missing cells (they may be empty where the column is optional)."
        )
        self._fault("field_count", f"{found:,} cells, but the header has {wanted}. {cure}")
