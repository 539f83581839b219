"""What is noted while a file is read: faults with their place, odd things, what is left out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from annotate.parsing.contract import JSON, Fault, Record
from annotate.parsing.faults import LINES_NAMED, FaultLog, shown
from annotate.parsing.judgements import words
from annotate.parsing.judgements.contract import JudgementReport

T = TypeVar("T")


@dataclass(slots=True)
class _Odd:
    text: str
    column: str | None
    row: int
    count: int = 0
    lines: list[int] = field(default_factory=list)


class Notes:
    """One for each reading; `record` is the one in hand."""

    def __init__(self, log: FaultLog, report: JudgementReport) -> None:
        self.log = log
        self.report = report
        self._odd: dict[str, _Odd] = {}
        self._told: set[str] = set()
        self._not_told = 0

    @property
    def faults(self) -> int:
        """How many there were so far, told or not."""
        return self.log.error_count + self._not_told

    def fault(self, record: Record, code: str, text: str, column: str | None = None) -> None:
        self.log.error(code, text, row=record.row, line=record.line, column=column)

    def fault_once(self, record: Record, code: str, text: str, column: str) -> None:
        """What one answer cures for the whole file: told where it is met first."""
        if code in self._told:
            self._not_told += 1
            return
        self._told.add(code)
        self.fault(record, code, text, column)

    def of_file(self, code: str, text: str, column: str | None = None) -> None:
        """A fault of the file as a whole, told before all others."""
        self.log.error(code, text, column=column, first=True)

    def leave_out(self, reason: str, count: int = 1) -> None:
        self.report.left_out[reason] = self.report.left_out.get(reason, 0) + count

    def odd(self, record: Record, code: str, text: str, column: str | None = None) -> None:
        """Something to look at, told once for all its rows."""
        found = self._odd.setdefault(code, _Odd(text, column, record.row))
        found.count += 1
        if len(found.lines) < LINES_NAMED:
            found.lines.append(record.line)

    def time(self, record: Record, column: str, value: JSON) -> datetime | None:
        """When a tool says that it was judged; a time that makes no sense keeps nothing out."""
        if words.is_empty(value):
            return None
        try:
            return words.moment(value)
        except words.WordError:
            text = f"found {shown(str(value), 40)}, which is no time: these are kept without one."
            self.odd(record, "no_time", text, column)
            return None

    def remark(self, code: str, text: str, column: str | None = None) -> None:
        self.log.remark(Fault(code, text, column=column))

    def odds(self) -> list[Fault]:
        return [
            Fault(code, f"{_lines(one)}: {one.text}", one.row, one.lines[0], one.column)
            for code, one in self._odd.items()
        ]

    def take(
        self,
        record: Record,
        column: str,
        value: JSON,
        read: Callable[[JSON], T],
        code: str = "unknown_value",
    ) -> T | None:
        """What `read` makes of a value; None where it is empty or the fault was logged."""
        if words.is_empty(value):
            return None
        try:
            return read(value)
        except words.WordError as error:
            self.fault(record, code, str(error), column)
            return None


def _lines(odd: _Odd) -> str:
    lines = list(dict.fromkeys(odd.lines))
    more = odd.count - len(odd.lines)
    start = "Lines" if len(lines) > 1 or more else "Line"
    return f"{start} {', '.join(map(str, lines))}" + (f" and {more:,} more" if more else "")
