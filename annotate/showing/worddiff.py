"""Which words of two texts differ: exact for some thousand words, by lines before that.

The longest common subsequence is found with one bit for each word (H. Hyyrö, "Bit-parallel
LCS-length computation revisited", 2004): its cost depends on the lengths alone, so no text
can be made that is slow to compare.
"""

import re
from collections.abc import Hashable, Sequence

from annotate.showing.blocks import Span

# Writing without spaces is compared character by character.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f"
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s]")
LINE = re.compile(r"[^\n]*\n?")
# Words of one text times words of the other: 1 bit of work and of memory each.
MOST_CELLS = 100_000_000
# A page of more pieces than this is slow to draw; whole lines are marked instead.
MOST_SPANS = 20_000

Matches = list[tuple[int, int]]


def word_diff(left: str, right: str) -> tuple[list[Span], list[Span]]:
    """Both texts, cut into spans; what one has and the other has not is marked "differs"."""
    words = [list(WORD.finditer(text)) for text in (left, right)]
    same = _match_words([[word[0] for word in side] for side in words], left, right)
    shown = [
        _spans(text, [word.span() for word in side], {pair[place] for pair in same})
        for place, (text, side) in enumerate(zip((left, right), words, strict=True))
    ]
    if max(map(len, shown)) > MOST_SPANS:
        return _line_diff(left, right)
    return shown[0], shown[1]


def _line_diff(left: str, right: str) -> tuple[list[Span], list[Span]]:
    lines = [[found for found in LINE.finditer(text) if found[0]] for text in (left, right)]
    same = common(*([line[0] for line in side] for side in lines))
    shown = [
        _spans(text, [line.span() for line in side], {pair[place] for pair in same})
        for place, (text, side) in enumerate(zip((left, right), lines, strict=True))
    ]
    return shown[0], shown[1]


def _match_words(words: Sequence[Sequence[str]], left: str, right: str) -> Matches:
    if len(words[0]) * len(words[1]) <= MOST_CELLS:
        return common(*words)
    return _match_within_lines(_words_by_line(left), _words_by_line(right))


def _words_by_line(text: str) -> list[tuple[str, ...]]:
    return [tuple(WORD.findall(line[0])) for line in LINE.finditer(text) if line[0]]


def _match_within_lines(left: list[tuple[str, ...]], right: list[tuple[str, ...]]) -> Matches:
    """Match equal lines first, then the words between them, as long as the budget lasts."""
    budget = MOST_CELLS
    found: Matches = []
    start = (0, 0)
    word = (0, 0)
    for end in [*common(left, right), (len(left), len(right))]:
        gaps = _flat(left[start[0] : end[0]]), _flat(right[start[1] : end[1]])
        cost = len(gaps[0]) * len(gaps[1])
        if cost <= budget:
            budget -= cost
            found += [(word[0] + i, word[1] + j) for i, j in common(*gaps)]
        word = word[0] + len(gaps[0]), word[1] + len(gaps[1])
        equal = len(left[end[0]]) if end[0] < len(left) and end[1] < len(right) else 0
        found += [(word[0] + k, word[1] + k) for k in range(equal)]
        word = word[0] + equal, word[1] + equal
        start = end[0] + 1, end[1] + 1
    return found


def _flat(lines: Sequence[tuple[str, ...]]) -> list[str]:
    return [word for line in lines for word in line]


def common(left: Sequence[Hashable], right: Sequence[Hashable]) -> Matches:
    """Positions of a longest common subsequence; empty where finding it costs too much."""
    head = _shared(left, right)
    tail = _shared(left[head:][::-1], right[head:][::-1])
    ends = len(left) - tail, len(right) - tail
    found = [(place, place) for place in range(head)]
    middle = left[head : ends[0]], right[head : ends[1]]
    if len(middle[0]) * len(middle[1]) <= MOST_CELLS:
        found += [(head + i, head + j) for i, j in _longest(*middle)]
    return found + [(ends[0] + place, ends[1] + place) for place in range(tail)]


def _shared(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """How many first elements are equal."""
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return place
    return min(len(left), len(right))


def _longest(left: Sequence[Hashable], right: Sequence[Hashable]) -> Matches:
    rows = _rows(left, right)
    found: Matches = []
    i, j = len(left), len(right)
    while i and j:
        if _bit(rows[i - 1], j - 1):
            j -= 1
        else:
            i -= 1
            if not i or _bit(rows[i - 1], j - 1):
                j -= 1
                found.append((i, j))
    return found[::-1]


def _rows(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[bytes]:
    """For each element of `left` one bit per element of `right`: 0 where the length grows."""
    places: dict[Hashable, int] = {}
    for place, element in enumerate(right):
        places[element] = places.get(element, 0) | 1 << place
    full = (1 << len(right)) - 1
    size = len(right) // 8 + 1
    row, rows = full, []
    for element in left:
        matched = row & places.get(element, 0)
        row = ((row + matched) | (row - matched)) & full
        rows.append(row.to_bytes(size, "little"))
    return rows


def _bit(row: bytes, place: int) -> int:
    return row[place >> 3] >> (place & 7) & 1


def _spans(text: str, places: Sequence[tuple[int, int]], same: set[int]) -> list[Span]:
    """`text` in runs; the space between two words that differ is marked with them."""
    spans: list[Span] = []
    run_start, marked = 0, False
    previous_end = 0
    for number, (start, end) in enumerate(places):
        differs = number not in same
        if differs != marked:
            cut = start if differs else previous_end
            if cut > run_start:
                spans.append(Span(text[run_start:cut], "differs" if marked else ""))
            run_start, marked = cut, differs
        previous_end = end
    cut = previous_end if marked else len(text)
    spans.append(Span(text[run_start:cut], "differs" if marked else ""))
    spans.append(Span(text[cut:]))
    return [span for span in spans if span.text]
