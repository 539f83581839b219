"""What differs between two outputs that are laid out: text, data and calls, word by word.

Both sides are read as one text each, in which the pieces of their blocks follow one another; what
is marked there is cut back into the blocks.
"""

from collections.abc import Iterator

from annotate.showing.blocks import Block, Call, Data, MarkedCall, Paragraph, Span
from annotate.showing.worddiff import word_diff

# Between the pieces of a call: white space, which is no word and so is never compared.
APART = "\n"


def differences(left: list[Block], right: list[Block]) -> tuple[list[Block], list[Block]]:
    """The blocks of both sides, with what one has and the other has not marked "differs"."""
    pieces = [[piece for block in side for piece in _pieces(block)] for side in (left, right)]
    marked = word_diff(*("".join(side) for side in pieces))
    cuts = [iter(_cut(spans, side)) for spans, side in zip(marked, pieces, strict=True)]
    shown = [
        [_marked(block, cut) for block in side]
        for side, cut in zip((left, right), cuts, strict=True)
    ]
    return shown[0], shown[1]


def _pieces(block: Block) -> Iterator[str]:
    """The texts of a block; every other one is what stands between them."""
    if isinstance(block, Paragraph):
        yield _plain(block.spans)
        yield block.ending
    elif isinstance(block, Data):
        yield _plain(block.spans)
        yield APART
    elif isinstance(block, Call):
        for text in (block.name, *(text for pair in block.pairs for text in pair)):
            yield text
            yield APART


def _plain(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


def _cut(spans: list[Span], pieces: list[str]) -> Iterator[tuple[Span, ...]]:
    """The marked text, piece by piece; the spans joined are the pieces joined."""
    place, offset = 0, 0
    for piece in pieces:
        found, missing = [], len(piece)
        while missing:
            text = spans[place].text[offset : offset + missing]
            found.append(Span(text, spans[place].mark))
            missing -= len(text)
            offset += len(text)
            if offset == len(spans[place].text):
                place, offset = place + 1, 0
        yield tuple(found)


def _marked(block: Block, cut: Iterator[tuple[Span, ...]]) -> Block:
    if isinstance(block, Paragraph):
        return Paragraph(_next(cut), block.ending)
    if isinstance(block, Data):
        return Data(_next(cut))
    if isinstance(block, Call):
        name = _next(cut)
        return MarkedCall(name, tuple((_next(cut), _next(cut)) for _ in block.pairs))
    return block


def _next(cut: Iterator[tuple[Span, ...]]) -> tuple[Span, ...]:
    """The next text; what stands behind it is passed over."""
    found = next(cut)
    next(cut)
    return found
