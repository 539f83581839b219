"""Reading an upload: one file of pairs, or two files with one system each."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from annotate.parsing.cells import Parts
from annotate.parsing.contract import JSON, Limits, Options, Report, Row, Source
from annotate.parsing.faults import FaultLog, HaltError, shown
from annotate.parsing.files import InputFile
from annotate.parsing.joining import Join, merged_metadata
from annotate.parsing.observing import Observer

SWAPPED = {"baseline_output": "candidate_output", "candidate_output": "baseline_output"}
BOTH_SIDES = ("baseline_output", "candidate_output")


class Reading:
    """Rows of an upload, one by one; every fault of it in `report` afterwards.

    Iterate to the end before trusting `report`: rows already given out belong to a refused
    upload if a later one is faulty. Iterating again reads again.

    `report.columns` says what each column was taken for *before* sides are swapped, so that it
    can be sent back as a mapping together with the same `swap`.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        options: Options | None = None,
        limits: Limits | None = None,
    ) -> None:
        if len(sources) not in (1, 2):
            raise ValueError("A reading takes one file, or two to be joined.")
        self.report = Report()
        self._sources = tuple(sources)
        self._options = options or Options()
        self._limits = limits or Limits()
        self._bytes_read = 0

    @property
    def bytes_read(self) -> int:
        return self._bytes_read

    @property
    def bytes_total(self) -> int | None:
        sizes = [source.size for source in self._sources if source.size is not None]
        return sum(sizes) if len(sizes) == len(self._sources) else None

    def __iter__(self) -> Iterator[Row]:
        self.report = Report()
        self._bytes_read = 0
        log = FaultLog()
        try:
            with suppress(HaltError):
                yield from self._pairs(log) if len(self._sources) == 2 else self._rows(log)
        finally:
            self.report.errors = log.errors
            self.report.error_count = log.error_count
            self.report.warnings = log.warnings()

    def _count(self, size: int) -> None:
        self._bytes_read += size

    def _input(self, which: int, log: FaultLog, side: str | None) -> InputFile:
        source = self._sources[which]
        file = self._file_names()[which] if side else ""
        return InputFile(
            source, self._options, self._limits, log, self._count, file=file, side=side
        )

    def _file_names(self) -> tuple[str, str]:
        """What faults call the two files: by their place where they have one name."""
        first, second = (shown(source.name, 80)[1:-1] for source in self._sources)
        if first == second:
            return f"{first} (first file)", f"{second} (second file)"
        return first, second

    def _rows(self, log: FaultLog) -> Iterator[Row]:
        with self._input(0, log, None) as file:
            observer = Observer(self.report, log, _Namer(file, file, self._options.swap))
            try:
                for parts in file:
                    row = self._row(parts, parts.texts, parts.metadata)
                    observer.row(row)
                    yield row
            finally:
                self._describe(file)
                observer.finish()

    def _pairs(self, log: FaultLog) -> Iterator[Row]:
        with (
            self._input(0, log, BOTH_SIDES[0]) as first,
            self._input(1, log, BOTH_SIDES[1]) as second,
        ):
            observer = Observer(self.report, log, _Namer(first, second, self._options.swap))
            names = self._file_names()
            try:
                for one, other in Join(first, second, names, self._options, self._limits, log):
                    texts = {**other.texts, **one.texts}
                    row = self._row(one, texts, merged_metadata(one, other, self._options.swap))
                    observer.row(row)
                    yield row
            finally:
                self._describe(second)
                self._describe(first)
                observer.finish()

    def _row(self, parts: Parts, texts: dict[str, str], metadata: dict[str, JSON]) -> Row:
        sides = (texts["baseline_output"], texts["candidate_output"])
        baseline, candidate = reversed(sides) if self._options.swap else sides
        return Row(
            row=parts.row,
            line=parts.line,
            item_id=texts.get("item_id"),
            category=texts.get("category", ""),
            prompt=texts["prompt"],
            baseline_output=baseline,
            candidate_output=candidate,
            reference=texts.get("reference"),
            metadata=metadata,
        )

    def _describe(self, file: InputFile) -> None:
        """Put what `file` looks like into the report."""
        self.report.format = file.format
        self.report.rows = file.rows
        self.report.separator = file.separator or self.report.separator
        self.report.columns = {**self.report.columns, **file.columns.roles}
        self.report.first_values = {**self.report.first_values, **file.first_values}


class _Namer:
    """Names a field of a row as the file that brought it does."""

    def __init__(self, first: InputFile, second: InputFile, swap: bool) -> None:
        self._first = first
        self._second = second
        self._swap = swap

    def __call__(self, field: str) -> str:
        field = SWAPPED.get(field, field) if self._swap else field
        file = self._second if field == "candidate_output" else self._first
        return file.columns.named(field)
