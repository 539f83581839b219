"""The elements of a JSON array of any size, one at a time, found without decoding them.

Only strings and brackets matter for finding where an element ends, so memory holds one element
and one chunk, and a mistake inside an element does not hide the elements after it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from annotate.parsing.lines import byte_length

SPACE = re.compile(r"[ \t\r\n]*+")
FLAT_OBJECT = re.compile(r'\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
STRING_REST = re.compile(r"(?:[^\"\\]++|\\.)*+", re.DOTALL)
MARK = re.compile(r'["\[\]{}]')
SCALAR = re.compile(r'[^\s,\[\]{}":]*+')


@dataclass(frozen=True, slots=True)
class Element:
    """`text` is None for an element longer than may be held, `ended` False if the file stops."""

    text: str | None
    line: int
    offset: int
    ended: bool = True


class Scanner:
    """A position in a stream of text chunks that knows its line and byte offset."""

    def __init__(self, chunks: Iterator[str], cap: int, offset: int) -> None:
        self._chunks = chunks
        self._cap = cap
        self._buffer = ""
        self._position = 0
        self._dropping = False
        self.offset = offset
        self.line = 1

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            match = SPACE.match(self._buffer, self._position)
            self._consume(match.end() if match else self._position)
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Pass the character that `peek` gave."""
        self._consume(self._position + 1)

    def ahead(self, limit: int) -> str:
        """What follows, up to `limit` characters, without passing it."""
        while len(self._buffer) - self._position < limit and self._more():
            pass
        return self._buffer[self._position : self._position + limit]

    def element(self) -> Element:
        """The value that begins here (after `peek`)."""
        line, offset = self.line, self.offset
        self._dropping = False
        flat = FLAT_OBJECT.match(self._buffer, self._position)
        end = flat.end() if flat else self._end()
        text = None if self._dropping else self._buffer[self._position : end or None]
        self._consume(len(self._buffer) if end is None else end)
        return Element(text, line, offset, ended=end is not None)

    def _end(self) -> int | None:
        """Where the value ends in the buffer; None if the file ends first."""
        if self._buffer[self._position] not in '"[{':
            return self._scalar_end()
        at, depth, inside = self._position, 0, False
        while True:
            was_inside = inside
            at, depth, inside = self._step(at, depth, inside)
            if not inside and depth <= 0:
                return at
            # Inside a string before and after: its end, or the rest of an escape, is to come.
            if at >= len(self._buffer) or (was_inside and inside):
                kept = self._keep(at)
                if not self._more():
                    return None
                at = self._position + kept

    def _step(self, at: int, depth: int, inside: bool) -> tuple[int, int, bool]:
        """Pass one string or bracket: (position, depth, inside a string)."""
        if inside:
            match = STRING_REST.match(self._buffer, at)
            at = match.end() if match else at
            closed = self._buffer.startswith('"', at)
            return at + closed, depth, not closed
        mark = MARK.search(self._buffer, at)
        if mark is None:
            return len(self._buffer), depth, False
        if mark.group() == '"':
            return mark.end(), depth, True
        return mark.end(), depth + (1 if mark.group() in "[{" else -1), False

    def _scalar_end(self) -> int:
        while True:
            match = SCALAR.match(self._buffer, self._position)
            end = match.end() if match else self._position
            if end < len(self._buffer) or not self._more():
                return end

    def _keep(self, at: int) -> int:
        """How much of the value stays in the buffer; nothing once it is too long to be held."""
        self._dropping = self._dropping or at - self._position > self._cap
        if self._dropping:
            self._consume(at)
        return at - self._position

    def _more(self) -> bool:
        """Lengthen the buffer, at least to its double: a long value is copied few times."""
        rest = self._buffer[self._position :]
        pieces, wanted = [rest], len(rest)
        while wanted >= 0 and (chunk := next(self._chunks, "")):
            pieces.append(chunk)
            wanted -= len(chunk)
        self._buffer, self._position = "".join(pieces), 0
        return len(self._buffer) > len(rest)

    def _consume(self, end: int) -> None:
        passed = self._buffer[self._position : end]
        self.line += passed.count("\n")
        self.offset += byte_length(passed)
        self._position = end
