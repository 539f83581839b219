"""A reading: records one by one, and all that is wrong once it has come to its end."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from annotate.parsing.contract import Fault, Limits, Source
from annotate.parsing.faults import HaltError
from annotate.parsing.keyindex import KeyIndex
from evals.formats.chat import ShapeError
from evals.formats.entries import LIMITS, Decoder, Entry, array_of, lines_of
from evals.formats.log import Log
from evals.formats.records import Recognised

T = TypeVar("T")
V = TypeVar("V")


@dataclass
class Report:
    """What a reading found. Complete once the reading is exhausted."""

    recognised: tuple[Recognised, ...] = ()
    records: int = 0
    errors: list[Fault] = field(default_factory=list)
    error_count: int = 0
    warnings: list[Fault] = field(default_factory=list)
    categories: dict[str, int] = field(default_factory=dict)
    systems: dict[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.error_count == 0 and self.records > 0


@dataclass(frozen=True, slots=True)
class Input:
    """One file of a reading and what it was recognised as; `name` only where there are several."""

    source: Source
    recognised: Recognised
    name: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What a format's reader is given."""

    inputs: tuple[Input, ...]
    log: Log
    limits: Limits = LIMITS

    def only(self, name: str) -> list[Input]:
        return [one for one in self.inputs if one.recognised.format == name]


def entries_of(one: Input, job: Job, *, nan: bool = False) -> Iterator[Entry]:
    """Records of a file of JSON lines or of an array."""
    decoder = Decoder(job.log, job.limits, file=one.name, nan=nan)
    with one.source.open() as stream:
        read = lines_of if one.recognised.layout == "lines" else array_of
        yield from read(stream, decoder)


class Reading(Generic[T]):
    """Records of one or several files. Iterate to the end before trusting `report`: records
    already given out belong to a refused file if a later one is faulty. Iterating again reads
    again.
    """

    def __init__(self, produce: Callable[[Log, Report], Iterator[T]]) -> None:
        self._produce = produce
        self.report = Report()

    def __iter__(self) -> Iterator[T]:
        self.report = Report()
        log = Log()
        try:
            with suppress(HaltError):
                for record in self._produce(log, self.report):
                    self.report.records += 1
                    yield record
            if not self.report.records and not log.error_count:
                log.fault("no_rows", "the file has no records. Add at least one.", line=1)
        finally:
            self.report.errors = log.errors
            self.report.error_count = log.error_count
            self.report.warnings = log.warnings()


class Parts:
    """Takes a record apart: what is wrong with one part does not hide the others."""

    def __init__(self, log: Log, row: int, line: int, file: str = "") -> None:
        self._log = log
        self._row = row
        self._line = line
        self._file = file
        self.sound = True

    def take(self, column: str, read: Callable[[], V], instead: V) -> V:
        try:
            return read()
        except ShapeError as error:
            self.fault("bad_case", str(error), column)
            return instead

    def fault(self, code: str, text: str, column: str | None = None) -> None:
        self.sound = False
        self._log.fault(code, text, row=self._row, line=self._line, column=column, file=self._file)


class Unique:
    """Refuses what is there twice, with both places."""

    BITS = 24

    def __init__(self, log: Log) -> None:
        self._log = log
        self._seen = KeyIndex()

    def refuse(self, told: str, row: int, line: int, *key: str) -> bool:
        """Whether `key` was met before; then that is logged."""
        here = line << self.BITS | row
        there = self._seen.first(here, *key)
        if there == here:
            return False
        first_line, first_row = there >> self.BITS, there & (1 << self.BITS) - 1
        text = (
            f"{told} was already used on line {first_line} (records {first_row} and {row}). "
            "Give every record its own."
        )
        self._log.fault("duplicate_id", text, row=row, line=line)
        return True
