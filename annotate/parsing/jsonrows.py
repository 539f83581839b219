"""JSON Lines and JSON arrays as records, or every faulty one."""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from annotate.parsing.contract import JSON, Limits, Record
from annotate.parsing.elements import Element, Scanner
from annotate.parsing.faults import FaultLog, HaltError, shown
from annotate.parsing.jsontext import StrictDecoder, flaws, too_deep, too_many_values
from annotate.parsing.lines import (
    PEEK_BYTES,
    CountedStream,
    PhysicalLines,
    decoded_chunks,
    start_of_text,
    uncounted,
)

# An empty list takes three bytes of a file and sixty of memory.
MAX_VALUES = 200_000
SPACES = " \t\r\n"
ENDS_TOO_EARLY = "the file ends inside a record. Make or copy it again, completely."
FLAWS = {
    "duplicate_key": "the key {} appears twice in one object. Remove one of them.",
    "json_nonfinite": "{} is no number JSON can hold. Write null, or leave it out.",
    "number_too_large": "the number {} has too many digits. Write it as text.",
}


class JSONRecords:
    """What both kinds share: decoding one record and logging what is wrong with it."""

    def __init__(
        self, data: CountedStream, stream: BinaryIO, limits: Limits, log: FaultLog, file: str
    ) -> None:
        self._data = data
        self._stream = stream
        self._limits = limits
        self._log = log
        self._file = file
        self._decoder = StrictDecoder()
        self._start = start_of_text(stream)
        self.row = 0
        self.line = 1

    def _fault(
        self, code: str, text: str, line: int, column: str | None = None, *, row: bool = True
    ) -> None:
        number = self.row if row else None
        self._log.error(code, text, row=number, line=line, column=column, file=self._file)

    def _halt(self, code: str, text: str, line: int, *, row: bool = False) -> NoReturn:
        self._fault(code, text, line, row=row)
        raise HaltError

    def _too_long(self, line: int) -> None:
        limit = self._limits.max_line_chars
        self._fault("cell_too_long", f"the record is longer than {limit:,} characters.", line)

    def _limit(self, number: int, line: int, what: str = "rows") -> None:
        self._log.refuse_rows(number, self._limits.max_rows, what, line, self._file)

    def _values(self, text: str, line: int) -> dict[str, JSON] | None:
        if too_deep(text, self._limits.max_json_depth):
            limit = self._limits.max_json_depth
            self._fault("json_too_deep", f"nested deeper than {limit} levels. Flatten it.", line)
            return None
        if too_many_values(text, MAX_VALUES):
            self._fault("cell_too_long", f"more than {MAX_VALUES:,} values. Shorten it.", line)
            return None
        if not text.isascii() and not _encodable(text):
            cure = "Save the file as UTF-8 and try again."
            self._fault("not_utf8", f"holds bytes that are not UTF-8. {cure}", line)
            return None
        try:
            value = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            self._syntax(error, line)
            return None
        return self._object(value, line)

    def _syntax(self, error: json.JSONDecodeError, line: int) -> None:
        where = f"(character {error.colno})" if error.lineno == 1 else ""
        text = f"not valid JSON: {error.msg} {where}".rstrip()
        self._fault("json_syntax", f"{text}. Correct the record.", line + error.lineno - 1)

    def _object(self, value: JSON, line: int) -> dict[str, JSON] | None:
        if not isinstance(value, dict):
            self._fault(
                "row_not_object",
                f"the record is {kind_of(value)}, not an object. Write each row as "
                '{"prompt": …, "baseline_output": …, "candidate_output": …}.',
                line,
            )
            return None
        if not self._decoder.flawed:
            return value
        for code, found, column in _flaws_by_column(value):
            self._fault(code, FLAWS[code].format(shown(found, 40)), line, column)
        return None


class LinesReader(JSONRecords):
    """JSON Lines: a record on each line that is not blank."""

    def __iter__(self) -> Iterator[Record]:
        self._stream.seek(self._start)
        lines = PhysicalLines(self._data, self._start, self._limits.max_line_chars)
        blank = 0
        for text in lines:
            if not text.strip(SPACES):
                blank += 1
                self._limit(blank, lines.number, "blank lines")
                continue
            self.row += 1
            self._limit(self.row, lines.number)
            if self.row == 1:
                self._refuse_array(text, lines.number)
            if lines.cut:
                lines.skip_rest()
                self._too_long(lines.number)
                continue
            values = self._values(text, lines.number)
            if values is not None:
                yield Record(self.row, lines.number, lines.offset, values)
        self.line = max(1, lines.number)

    def _refuse_array(self, text: str, line: int) -> None:
        if text.strip(SPACES) == "[" or text.lstrip(SPACES).startswith("[{"):
            self._halt(
                "json_syntax",
                "the file is a JSON array, not JSON Lines. Rename it to .json and try again.",
                line,
                row=True,
            )

    def at(self, offset: int) -> dict[str, JSON]:
        """The record that begins at `offset`, which was read before."""
        self._stream.seek(offset)
        data = CountedStream(self._stream, uncounted, PEEK_BYTES)
        text = next(iter(PhysicalLines(data, offset, self._limits.max_line_chars)))
        return _as_object(self._decoder.decode(text))


class ArrayReader(JSONRecords):
    """A JSON array of objects, streamed."""

    def __iter__(self) -> Iterator[Record]:
        scanner = self._scanner(self._data, self._start)
        self._open(scanner)
        while self._next(scanner):
            self.row += 1
            element = scanner.element()
            self._limit(self.row, element.line)
            values = self._element_values(element)
            if values is not None:
                yield Record(self.row, element.line, element.offset, values)

    def at(self, offset: int) -> dict[str, JSON]:
        """The record that begins at `offset`, which was read before."""
        scanner = self._scanner(CountedStream(self._stream, uncounted, PEEK_BYTES), offset)
        scanner.peek()
        return _as_object(self._decoder.decode(scanner.element().text or ""))

    def _scanner(self, data: CountedStream, offset: int) -> Scanner:
        self._stream.seek(offset)
        return Scanner(decoded_chunks(data), self._limits.max_line_chars, offset)

    def _open(self, scanner: Scanner) -> None:
        first = scanner.peek()
        if first == "[":
            scanner.skip()
        elif not first:
            self._halt("empty_file", "the file holds nothing but blank space.", 1)
        else:
            self._refuse_other(scanner, first)

    def _refuse_other(self, scanner: Scanner, first: str) -> NoReturn:
        line = scanner.line
        if first == "<":
            self._halt("json_syntax", "this is HTML or XML, not JSON. Download it again.", line)
        element = scanner.element()
        if not element.ended:
            self._halt("json_syntax", ENDS_TOO_EARLY, line)
        follows = scanner.peek()
        if follows:
            hint = "This looks like JSON Lines: rename it to .jsonl." if first == "{" else ""
            text = f"text follows the end of the JSON value. {hint}".rstrip()
            self._halt("json_syntax", text, scanner.line)
        if not _is_json(element):
            self._halt("json_syntax", "not valid JSON. Write an array of objects.", line)
        self._halt(
            "json_not_array",
            "the file holds one JSON value; rows are expected as an array of objects. "
            "Put [ and ] around them.",
            line,
        )

    def _next(self, scanner: Scanner) -> bool:
        """Pass what separates elements; False at the proper end of the file."""
        sign = scanner.peek()
        if sign == "]":
            self._close(scanner)
            return False
        if self.row:
            if sign != ",":
                self._separator_missing(scanner, sign)
            scanner.skip()
            sign = scanner.peek()
        if sign and sign in "]},:":
            self._halt(
                "json_syntax", f"a value is missing before '{sign}'. Correct it.", scanner.line
            )
        if not sign:
            self._halt("json_syntax", ENDS_TOO_EARLY, scanner.line)
        return True

    def _separator_missing(self, scanner: Scanner, sign: str) -> NoReturn:
        if not sign:
            self._halt("json_syntax", ENDS_TOO_EARLY, scanner.line)
        found = shown(scanner.ahead(20))
        text = f"',' or ']' expected after record {self.row}, found {found}. Correct it."
        self._halt("json_syntax", text, scanner.line)

    def _close(self, scanner: Scanner) -> None:
        scanner.skip()
        if scanner.peek():
            found = shown(scanner.ahead(20))
            self._fault(
                "json_syntax",
                f"text follows the end of the array: {found}. Delete it.",
                scanner.line,
                row=False,
            )

    def _element_values(self, element: Element) -> dict[str, JSON] | None:
        if element.text is None:
            self._too_long(element.line)
            return None
        if not element.ended:
            self._refuse_unended(element.text, element.line)
        return self._values(element.text, element.line)

    def _refuse_unended(self, text: str, line: int) -> NoReturn:
        if too_deep(text, self._limits.max_json_depth):
            limit = self._limits.max_json_depth
            self._halt("json_too_deep", f"nested deeper than {limit} levels.", line, row=True)
        self._halt("json_syntax", ENDS_TOO_EARLY, line, row=True)


def kind_of(value: JSON) -> str:
    """What a JSON value is called in messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


def _flaws_by_column(value: dict[str, JSON]) -> Iterator[tuple[str, str, str]]:
    for key in getattr(value, "repeated", ()):
        yield "duplicate_key", key, key
    for column, inner in value.items():
        for code, text in flaws(inner):
            yield code, text, column


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_json(element: Element) -> bool:
    text = element.text
    if text is None or text[:1] in "[{":
        return True
    return re.fullmatch(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null', text) is not None


def _as_object(value: JSON) -> dict[str, JSON]:
    assert isinstance(value, dict)
    return value
