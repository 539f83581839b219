"""Which case each output of a file answers: by the case's id, else by the words of the prompt.

An id proves little where it is a mere number: if ids and prompts disagree, prompts decide, since
they are what a system was asked.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from annotate.parsing.keyindex import KeyIndex
from evals.importing.prompts import last_key, whole_key
from evals.importing.report import EXAMPLES, Join, OutputsReport
from evals.importing.spooling import Keys, Spool
from evals.models import Suite

MAX_TOLD = 100


class _Prompts:
    """Places of prompts. Where cases share one, the first output belongs to the first case."""

    def __init__(self) -> None:
        self._index = KeyIndex()
        self._copies: dict[str, int] = {}

    def add(self, position: int, key: str) -> None:
        if not key or self._index.first(position, key, "1") == position:
            return
        copy = self._copies[key] = self._copies.get(key, 1) + 1
        self._index.first(position, key, str(copy))

    def get(self, key: str, copy: int = 1) -> int:
        """The position of the `copy`-th case with this prompt; of the first beyond them; or 0."""
        if not key:
            return 0
        return self._index.get(key, str(copy)) or self._index.get(key, "1") or 0

    def is_shared(self, key: str) -> bool:
        return key in self._copies


class CaseIndex:
    """The cases of a suite by id and by prompt, in a few bytes each."""

    def __init__(self, suite: Suite) -> None:
        self.count = suite.case_count
        self.pks = array("q", bytes(8 * (suite.case_count + 1)))
        self._ids = KeyIndex()
        self._whole, self._last = _Prompts(), _Prompts()
        self._asked = array("q", bytes(8 * (suite.case_count + 1)))
        self._asked_last = array("q", bytes(8 * (suite.case_count + 1)))
        rows = suite.cases.order_by("position").values_list("pk", "position", "case_id", "messages")
        for pk, position, case_id, messages in rows.iterator(chunk_size=500):
            self.pks[position] = pk
            self._ids.first(position, case_id)
            self._add_prompt(position, whole_key(messages), last_key(messages))

    def _add_prompt(self, position: int, whole: str, last: str) -> None:
        self._whole.add(position, whole)
        self._last.add(position, last)
        self._asked[position] = hash(whole)
        self._asked_last[position] = hash(last)

    def by_id(self, key: str) -> int:
        return self._ids.get(key) or 0

    def by_prompt(self, keys: Keys, copy: int) -> int:
        found = self._whole.get(keys.whole, copy)
        if found or self._last.is_shared(keys.last):
            # Cases that end alike are told apart by what went before, or not at all.
            return found
        return self._last.get(keys.last)

    def says(self, position: int, keys: Keys) -> bool:
        """Whether the case asks what the output answers."""
        same = keys.whole and self._asked[position] == hash(keys.whole)
        return bool(same or (keys.last and self._asked_last[position] == hash(keys.last)))


@dataclass
class Joined:
    """The position of each output's case, 0 for none, in the order of the file."""

    positions: "array[int]"
    by: str
    contradicting: list[int] = field(default_factory=list)
    asked_otherwise: list[int] = field(default_factory=list)
    contradictions: int = 0
    otherwise: int = 0

    @property
    def matched(self) -> int:
        return sum(1 for position in self.positions if position)


def join(spool: Spool, index: CaseIndex, how: Join) -> Joined:
    by_id, by_prompt = array("q"), array("q")
    told = Joined(by_id, "id")
    copies: dict[int, int] = {}
    for keys in spool.each_key():
        prompt = _by_prompt(keys, index, copies)
        place = index.by_id(keys.id)
        by_id.append(place)
        by_prompt.append(prompt)
        if place and keys.whole and not index.says(place, keys):
            _tell(told, keys.line, bool(prompt))
    return _decided(told, by_id, by_prompt, how)


def _by_prompt(keys: Keys, index: CaseIndex, copies: dict[int, int]) -> int:
    first = index.by_prompt(keys, 1)
    if not first:
        return 0
    copies[first] = copies.get(first, 0) + 1
    return index.by_prompt(keys, copies[first])


def _tell(told: Joined, line: int, is_other_case: bool) -> None:
    if is_other_case:
        told.contradictions += 1
        lines = told.contradicting
    else:
        told.otherwise += 1
        lines = told.asked_otherwise
    if len(lines) < EXAMPLES:
        lines.append(line)


def _decided(told: Joined, by_id: "array[int]", by_prompt: "array[int]", how: Join) -> Joined:
    if how == "prompt" or (how == "auto" and (told.contradictions or not any(by_id))):
        told.positions, told.by = by_prompt, "prompt"
    elif how == "auto":
        told.positions = array(
            "q", (one or other for one, other in zip(by_id, by_prompt, strict=True))
        )
    return told


def check_join(joined: Joined, spool: Spool, index: CaseIndex, report: OutputsReport) -> None:
    """Tell what joined, and refuse two outputs for one case, with both lines."""
    # The number of the first output of each case, from 1.
    first = array("q", bytes(8 * (index.count + 1)))
    for number, position in enumerate(joined.positions, start=1):
        if not position:
            report.unmatched += 1
        elif first[position]:
            _refuse_second(report, spool, number, first[position])
            joined.positions[number - 1] = 0
        else:
            first[position] = number
    report.joined_by, report.cases = joined.by, index.count
    report.matched = sum(1 for number in first if number)
    report.missing = index.count - report.matched
    _name_unmatched(joined, spool, report)


def _refuse_second(report: OutputsReport, spool: Spool, number: int, first: int) -> None:
    line, row = spool.lines[number - 1], spool.rows[number - 1]
    other, other_row = spool.lines[first - 1], spool.rows[first - 1]
    text = (
        f"Line {line}: it answers the same case as line {other} (records {row} and {other_row}). "
        "Keep one of the two."
    )
    if len(report.errors) < MAX_TOLD:
        report.refuse("duplicate_case", text, line)
    else:
        report.error_count += 1


def _name_unmatched(joined: Joined, spool: Spool, report: OutputsReport) -> None:
    if not report.unmatched:
        return
    for position, keys in zip(joined.positions, spool.each_key(), strict=True):
        if not position and len(report.first_unmatched) < EXAMPLES:
            report.first_unmatched.append((keys.line, keys.id))


def missing_positions(joined: Joined, index: CaseIndex) -> Iterable[int]:
    """Cases without an output."""
    answered = bytearray(index.count + 1)
    for position in joined.positions:
        answered[position] = 1
    return (position for position in range(1, index.count + 1) if not answered[position])


def first_ids(suite: Suite, positions: Iterable[int]) -> list[str]:
    """The ids of the first of these cases."""
    wanted = [position for _, position in zip(range(EXAMPLES), positions, strict=False)]
    cases = suite.cases.filter(position__in=wanted).order_by("position")
    return list(cases.values_list("case_id", flat=True))
