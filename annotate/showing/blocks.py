"""What a text is cut into for the page: paragraphs, data, calls. Nothing here is HTML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from annotate.showing.cleaning import CleanHtml

# Two line ends close a paragraph. They stay in the page, so that what is copied from it is
# what was sent, and are drawn as the space between paragraphs; further ones stay visible.
PARAGRAPH_END = re.compile(r"((?:\r\n|\n){2})")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text; `mark` is empty, "differs" or "hidden" (a character made visible)."""

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, line ends kept; `ending` are the line ends that closed it."""

    kind: ClassVar[str] = "paragraph"
    spans: tuple[Span, ...]
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """JSON laid out for reading."""

    kind: ClassVar[str] = "data"
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: what was called, and with what."""

    kind: ClassVar[str] = "call"
    name: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MarkedCall:
    """The same beside another output: what differs in it is marked."""

    kind: ClassVar[str] = "marked_call"
    name: tuple[Span, ...]
    pairs: tuple[tuple[tuple[Span, ...], tuple[Span, ...]], ...]


@dataclass(frozen=True, slots=True)
class Formatted:
    """Markdown, rendered and cleaned."""

    kind: ClassVar[str] = "formatted"
    html: CleanHtml


@dataclass(frozen=True, slots=True)
class Nothing:
    """The output is empty: said in words, an empty panel looks like a fault."""

    kind: ClassVar[str] = "nothing"


Block = Paragraph | Data | Call | MarkedCall | Formatted | Nothing


def paragraphs(spans: Iterable[Span]) -> list[Block]:
    """Cut marked text at its empty lines; the texts of all pieces joined are the text given."""
    found: list[Block] = []
    current: list[Span] = []
    for text, mark, ends in _pieces(spans):
        if ends:
            found.append(Paragraph(tuple(current), text))
            current = []
        else:
            current.append(Span(text, mark))
    if current:
        found.append(Paragraph(tuple(current)))
    return found


def _pieces(spans: Iterable[Span]) -> Iterator[tuple[str, str, bool]]:
    for span in spans:
        for place, text in enumerate(PARAGRAPH_END.split(span.text)):
            if text:
                yield text, span.mark, place % 2 == 1
