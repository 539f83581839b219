"""Records of JSON files of three layouts, each decoded strictly and told with its place.

JSON Lines, an array of objects, or an array inside a larger object, streamed in every layout:
memory holds one record.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from annotate.parsing.columns import refusal
from annotate.parsing.contract import JSON, Limits
from annotate.parsing.elements import Element, Scanner
from annotate.parsing.faults import HaltError, shown
from annotate.parsing.hazards import refused
from annotate.parsing.jsontext import (
    StrictDecoder,
    flaws,
    strings,
    too_deep,
    too_many_values,
)
from annotate.parsing.lines import (
    CountedStream,
    PhysicalLines,
    decoded_chunks,
    start_of_text,
    uncounted,
)
from evals.formats.log import Log

# Logs of other tools nest deeper than uploads do, and log-probs make many values.
LIMITS = Limits(max_json_depth=64)
MAX_VALUES = 1_000_000
NONFINITE = "json_nonfinite"
ENDS_EARLY = "the file ends inside a record. Make or copy it again, completely."
FLAWS = {
    "duplicate_key": "the key {} appears twice in one object. Remove one of them.",
    NONFINITE: "{} is no number JSON can hold. Write null, or leave it out.",
    "number_too_large": "the number {} has too many digits. Write it as text.",
}
# Only such escapes can hide a character that cannot be stored.
HIDDEN = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a file and where it begins."""

    row: int
    line: int
    offset: int
    values: dict[str, JSON]


class Decoder:
    """Decodes the texts of one file; what is wrong with one goes to the log, with its place."""

    def __init__(self, log: Log, limits: Limits, *, file: str = "", nan: bool = False) -> None:
        self.log = log
        self.limits = limits
        self.file = file
        self._nan = nan
        self._strict = StrictDecoder()

    def fault(self, code: str, text: str, row: int | None, line: int | None) -> None:
        self.log.error(code, text, row=row, line=line, file=self.file)

    def value(self, text: str, row: int | None, line: int) -> tuple[JSON, bool]:
        """The decoded text, and whether it is sound."""
        before = self.log.error_count
        if not self._fits(text, row, line):
            return None, False
        try:
            value = self._strict.decode(text)
        except json.JSONDecodeError as error:
            where = f" (character {error.colno})" if error.lineno == 1 else ""
            told = f"not valid JSON: {error.msg}{where}. Correct the record."
            self.fault("json_syntax", told, row, line + error.lineno - 1)
            return None, False
        if self._strict.flawed:
            self._refuse_flaws(value, row, line)
        if HIDDEN.search(text):
            self._refuse_characters(value, row, line)
        return value, self.log.error_count == before

    def object(self, text: str, row: int, line: int) -> dict[str, JSON] | None:
        value, sound = self.value(text, row, line)
        if not sound:
            return None
        if not isinstance(value, dict):
            self.fault("row_not_object", "the record is not an object. Write {…}.", row, line)
            return None
        return value

    def _fits(self, text: str, row: int | None, line: int) -> bool:
        if too_deep(text, self.limits.max_json_depth):
            limit = self.limits.max_json_depth
            self.fault(
                "json_too_deep", f"nested deeper than {limit} levels. Flatten it.", row, line
            )
        elif too_many_values(text, MAX_VALUES):
            told = f"more than {MAX_VALUES:,} values. Shorten it."
            self.fault("cell_too_long", told, row, line)
        elif not _is_utf8(text):
            told = "holds bytes that are not UTF-8. Save the file as UTF-8 and try again."
            self.fault("not_utf8", told, row, line)
        else:
            return True
        return False

    def _refuse_flaws(self, value: JSON, row: int | None, line: int) -> None:
        for code, found in flaws(value):
            if code != NONFINITE or not self._nan:
                self.fault(code, FLAWS[code].format(shown(found, 40)), row, line)

    def _refuse_characters(self, value: JSON, row: int | None, line: int) -> None:
        for text in strings(value):
            if bad := refused(text):
                self.fault(*refusal(bad, False), row, line)
                return


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def lines_of(stream: BinaryIO, decoder: Decoder) -> Iterator[Entry]:
    """Records of JSON Lines, blank lines passed over."""
    start = start_of_text(stream)
    stream.seek(start)
    cap = decoder.limits.max_line_chars
    lines = PhysicalLines(CountedStream(stream, uncounted), start, cap)
    row = 0
    for text in lines:
        if not text.strip():
            continue
        row += 1
        line, offset = lines.number, lines.offset
        decoder.log.refuse_rows(row, decoder.limits.max_rows, "rows", line, decoder.file)
        if lines.cut:
            lines.skip_rest()
            decoder.fault("cell_too_long", f"longer than {cap:,} characters.", row, line)
            continue
        values = decoder.object(text.rstrip("\r\n"), row, line)
        if values is not None:
            yield Entry(row, line, offset, values)


def line_at(stream: BinaryIO, offset: int, decoder: Decoder) -> dict[str, JSON]:
    """The record of a line that was read before."""
    stream.seek(offset)
    data = CountedStream(stream, uncounted, 1 << 12)
    text = next(iter(PhysicalLines(data, offset, decoder.limits.max_line_chars)))
    return decoder.object(text, 0, 0) or {}


class Walk:
    """Passes through one JSON document and stops at what is wanted.

    `inside` names the objects and arrays to go into, as paths of keys; everything else is one
    piece. A piece of an array on the way is told with the path of the array.
    """

    def __init__(self, chunks: Iterator[str], offset: int, decoder: Decoder) -> None:
        self._scanner = Scanner(chunks, decoder.limits.max_line_chars, offset)
        self._decoder = decoder

    def pieces(
        self, inside: frozenset[tuple[str, ...]]
    ) -> Iterator[tuple[tuple[str, ...], Element]]:
        yield from self._value((), inside)
        if self._scanner.peek():
            found = shown(self._scanner.ahead(20))
            text = f"text follows the end of the document: {found}. Delete it."
            self._decoder.fault("json_syntax", text, None, self._scanner.line)

    def _value(
        self, path: tuple[str, ...], inside: frozenset[tuple[str, ...]]
    ) -> Iterator[tuple[tuple[str, ...], Element]]:
        first = self._scanner.peek()
        if not first:
            self._halt(ENDS_EARLY)
        if path in inside and first == "{":
            yield from self._object(path, inside)
        elif path in inside and first == "[":
            yield from self._array(path)
        else:
            element = self._scanner.element()
            if not element.ended:
                self._halt(ENDS_EARLY)
            yield path, element

    def _object(
        self, path: tuple[str, ...], inside: frozenset[tuple[str, ...]]
    ) -> Iterator[tuple[tuple[str, ...], Element]]:
        seen: set[str] = set()
        for _ in self._members("}"):
            line = self._scanner.line
            key = self._key()
            if key in seen:
                text = FLAWS["duplicate_key"].format(shown(key, 40))
                self._decoder.fault("duplicate_key", text, None, line)
            seen.add(key)
            yield from self._value((*path, key), inside)

    def _key(self) -> str:
        if self._scanner.peek() != '"':
            self._halt(f"a key expected, found {shown(self._scanner.ahead(20))}. Correct it.")
        element = self._scanner.element()
        value, sound = self._decoder.value(element.text or "", None, element.line)
        if not sound or not isinstance(value, str):
            raise HaltError
        if self._scanner.peek() != ":":
            self._halt(f"':' expected after {shown(value, 40)}. Correct it.")
        self._scanner.skip()
        return value

    def _array(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Element]]:
        for _ in self._members("]"):
            element = self._scanner.element()
            if not element.ended:
                self._halt(ENDS_EARLY)
            yield path, element

    def _members(self, end: str) -> Iterator[None]:
        """Pass brackets and commas; the caller passes each member."""
        self._scanner.skip()
        first = True
        while (sign := self._scanner.peek()) != end:
            if not first:
                if sign != ",":
                    self._halt(_unexpected(end, self._scanner.ahead(20)))
                self._scanner.skip()
                sign = self._scanner.peek()
            if not sign or sign in "]},:":
                self._halt(ENDS_EARLY if not sign else f"a value is missing before '{sign}'.")
            first = False
            yield
        self._scanner.skip()

    def _halt(self, text: str) -> None:
        self._decoder.fault("json_syntax", text, None, self._scanner.line)
        raise HaltError


def _unexpected(end: str, found: str) -> str:
    return f"',' or '{end}' expected, found {shown(found)}. Correct it." if found else ENDS_EARLY


def walk_stream(stream: BinaryIO, decoder: Decoder) -> Walk:
    start = start_of_text(stream)
    stream.seek(start)
    return Walk(decoded_chunks(CountedStream(stream, uncounted)), start, decoder)


def array_of(stream: BinaryIO, decoder: Decoder, at: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Objects of the array at path `at` of a document; () is the document itself."""
    inside = frozenset(at[:depth] for depth in range(len(at) + 1))
    row = 0
    for path, element in walk_stream(stream, decoder).pieces(inside):
        if path != at:
            continue
        row += 1
        decoder.log.refuse_rows(row, decoder.limits.max_rows, "rows", element.line, decoder.file)
        values = decoded(element, decoder, row)
        if values is not None:
            yield Entry(row, element.line, element.offset, values)


def decoded(element: Element, decoder: Decoder, row: int) -> dict[str, JSON] | None:
    """The object an element holds, or None with the reason logged."""
    if element.text is None:
        cap = decoder.limits.max_line_chars
        decoder.fault("cell_too_long", f"longer than {cap:,} characters.", row, element.line)
        return None
    return decoder.object(element.text, row, element.line)
