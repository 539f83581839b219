"""Two files, one for each system, joined on id or prompt without holding either in memory.

The second file is checked once and leaves 24 bytes and a hash for each record; its texts are read
again, record by record, where the first file asks for them.
"""

from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress

from annotate.parsing.cells import CellReader, Parts
from annotate.parsing.columns import Columns
from annotate.parsing.contract import JSON, Limits, Options
from annotate.parsing.faults import FaultLog, HaltError
from annotate.parsing.files import InputFile
from annotate.parsing.keyindex import KeyIndex


class Join:
    """Pairs of `first` and `second`. Both are open and not yet read."""

    def __init__(
        self,
        first: InputFile,
        second: InputFile,
        names: tuple[str, str],
        options: Options,
        limits: Limits,
        log: FaultLog,
    ) -> None:
        self._first = first
        self._second = second
        self._names = names
        self._log = log
        self._places = (array("Q"), array("Q"), array("Q"))
        self._index = KeyIndex()
        self._met = bytearray()
        self.key = _key(first, second)
        first.columns.required = ("prompt", "baseline_output", *self._extra())
        second.columns.required = (self.key, "candidate_output")
        # Second readings of what was checked: their faults are known already.
        self._again = _quiet_reader(second.columns, options, limits)

    def _extra(self) -> tuple[str, ...]:
        return () if self.key == "prompt" else (self.key,)

    def __iter__(self) -> Iterator[tuple[Parts, Parts]]:
        faulty_second = self._faults_of(self._index_second)
        before = self._log.error_count
        own_keys = KeyIndex()
        for parts in self._first:
            key = self._key_of(parts, self._first, self._names[0], own_keys, parts.line)
            if key is None:
                continue
            ordinal = self._index.get(key)
            if ordinal is None:
                if not faulty_second:
                    self._alone(parts.row, parts.line, 0)
                continue
            self._met[ordinal] = 1
            other = self._read(ordinal)
            if other.texts[self.key] != key:
                raise RuntimeError("The second file changed while it was being read.")
            self._compare(parts, other)
            yield parts, other
        if self._log.error_count == before and not faulty_second:
            self._report_unmet()
        first, second = self._first.columns, self._second.columns
        first.refuse_unmet(first.unmet() & second.unmet())

    def _faults_of(self, work: Callable[[], None]) -> bool:
        """Whether `work` found any. If it came to a halt, the other file is still worth reading."""
        before = self._log.error_count
        with suppress(HaltError):
            work()
        return self._log.error_count > before

    def _index_second(self) -> None:
        rows, lines, offsets = self._places
        for parts in self._second:
            ordinal = len(rows)
            rows.append(parts.row)
            lines.append(parts.line)
            offsets.append(parts.offset)
            self._key_of(parts, self._second, self._names[1], self._index, ordinal, lines)
        self._met = bytearray(len(rows))

    def _key_of(
        self,
        parts: Parts,
        file: InputFile,
        name: str,
        index: KeyIndex,
        number: int,
        lines: "array[int] | None" = None,
    ) -> str | None:
        """The join key of `parts`, remembered in `index`; None, with a fault, if unusable."""
        key = parts.texts.get(self.key)
        column = file.columns.named(self.key)
        if key is None:
            text = "empty, but the files are joined on it. Fill it in."
            self._fault("missing_value", text, parts.row, parts.line, column, name)
            return None
        known = index.first(number, key)
        if known != number:
            line = lines[known] if lines is not None else known
            text = f"already used on line {line}; the files cannot be joined. Make it unique."
            self._fault("duplicate_join_key", text, parts.row, parts.line, column, name)
            return None
        return key

    def _read(self, ordinal: int) -> Parts:
        row, line, offset = (place[ordinal] for place in self._places)
        parts = self._again.parts(self._second.read_again(row, line, offset))
        assert parts is not None
        return parts

    def _compare(self, first: Parts, second: Parts) -> None:
        prompt = second.texts.get("prompt")
        if prompt is not None and prompt != first.texts["prompt"]:
            column = self._first.columns.named("prompt")
            self._log.warn("different_prompts", row=first.row, line=first.line, column=column)

    def _report_unmet(self) -> None:
        rows, lines, _ = self._places
        at = self._met.find(0)
        while at >= 0:
            self._alone(rows[at], lines[at], 1)
            at = self._met.find(0, at + 1)

    def _alone(self, row: int, line: int, which: int) -> None:
        file = self._first if which == 0 else self._second
        column = file.columns.named(self.key)
        text = f"{self._names[1 - which]} has no record for it. Add it there, or remove it here."
        self._fault("missing_counterpart", text, row, line, column, self._names[which])

    def _fault(self, code: str, text: str, row: int, line: int, column: str, file: str) -> None:
        self._log.error(code, text, row=row, line=line, column=column, file=file)


def merged_metadata(first: Parts, second: Parts, swap: bool) -> dict[str, JSON]:
    """What each file says beside the texts, kept apart: both may use the same names."""
    baseline, candidate = (second, first) if swap else (first, second)
    sides = (("baseline", baseline.metadata), ("candidate", candidate.metadata))
    return {side: metadata for side, metadata in sides if metadata}


def _key(first: InputFile, second: InputFile) -> str:
    """`item_id` where both files have one, else the prompt itself."""
    both = first.columns_ahead() & second.columns_ahead()
    return "item_id" if "item_id" in both else "prompt"


def _quiet_reader(columns: Columns, options: Options, limits: Limits) -> CellReader:
    return CellReader(
        columns,
        limits,
        FaultLog(),
        options=options,
        raw=True,
        check_ids=False,
    )
