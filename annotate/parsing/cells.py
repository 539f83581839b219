"""One record's values checked and sorted: texts by field, the rest as metadata."""

from dataclasses import dataclass
from functools import partial

from annotate.parsing.chat import messages
from annotate.parsing.columns import OUTPUTS, Columns, refusal
from annotate.parsing.contract import IGNORE, JSON, METADATA, Limits, Options, Record
from annotate.parsing.excerpts import Concern, spelled
from annotate.parsing.faults import FaultLog, shown
from annotate.parsing.hazards import odd, refused, suspicious
from annotate.parsing.jsonrows import kind_of
from annotate.parsing.jsontext import compact, plain, strings
from annotate.parsing.keyindex import KeyIndex

FIRST_VALUE_CHARS = 200
# Line and row of an id share one number in the index: 40 and 24 bits.
ROW_BITS = 24
NEVER_EMPTY = ("prompt", *OUTPUTS)
ALLOW_EMPTY = "Write the output, or {} if the model answered nothing."


@dataclass(frozen=True, slots=True)
class Parts:
    """The checked texts of a record, by field."""

    row: int
    line: int
    offset: int
    texts: dict[str, str]
    metadata: dict[str, JSON]


class CellReader:
    """Turns records of one file into parts; logs what is wrong with each cell."""

    def __init__(
        self,
        columns: Columns,
        limits: Limits,
        log: FaultLog,
        *,
        options: Options,
        raw: bool,
        file: str = "",
        check_ids: bool = True,
    ) -> None:
        self.first_values: dict[str, str] = {}
        self.text_bytes = 0
        self._ids = KeyIndex()
        self._columns = columns
        self._limits = limits
        self._log = log
        self._options = options
        self._raw = raw
        self._file = file
        self._check_ids = check_ids

    def parts(self, record: Record) -> Parts | None:
        """The record's texts, or None if anything in it was refused."""
        before = self._log.error_count
        texts: dict[str, str] = {}
        metadata: dict[str, JSON] = {}
        taken: dict[str, str] = {}
        roles = self._columns.roles
        if not record.values.keys() <= roles.keys():
            self._columns.learn(record)
        for column, value in record.values.items():
            role = roles[column]
            if len(self.first_values) < len(roles):
                self.keep_first({column: value})
            if role == METADATA:
                metadata[column] = self._metadata(value, record, column)
            elif role != IGNORE:
                if taken.setdefault(role, column) != column:
                    self._columns.conflict(taken[role], column, role, record.row, record.line)
                self._take(role, value, record, column, texts)
        if not self._complete(taken, record) or self._log.error_count > before:
            return None
        return Parts(record.row, record.line, record.offset, texts, metadata)

    def _complete(self, taken: dict[str, str], record: Record) -> bool:
        lacking = [field for field in self._columns.required if field not in taken]
        for field in lacking:
            self._columns.lacks(field, record)
        return not lacking

    def keep_first(self, values: dict[str, JSON]) -> None:
        """Remember the start of each column's first value, for the preview."""
        for column, value in values.items():
            if column not in self.first_values and value not in (None, ""):
                text = value if isinstance(value, str) else compact(value)
                self.first_values[column] = text[:FIRST_VALUE_CHARS]

    def _take(
        self, field: str, value: JSON, record: Record, column: str, texts: dict[str, str]
    ) -> None:
        text = value if isinstance(value, str) else self._as_text(field, value, record, column)
        if text is None:
            return
        if not text or text.isspace():
            if not self._may_be_empty(field, record, column):
                return
            if field == "item_id":
                return
        if self._sound(text, record, column, value is not text):
            texts[field] = text
            if field == "item_id" and self._check_ids:
                self._check_id(text, record, column)

    def _check_id(self, item_id: str, record: Record, column: str) -> None:
        here = record.line << ROW_BITS | record.row
        there = self._ids.first(here, item_id)
        if there != here:
            line, row = there >> ROW_BITS, there & (1 << ROW_BITS) - 1
            text = (
                f"{shown(item_id)} was already used on line {line} (rows {row} and "
                f"{record.row}). Give every row its own."
            )
            self._error("duplicate_id", text, record, column)

    def _may_be_empty(self, field: str, record: Record, column: str) -> bool:
        if field == "prompt":
            self._error("empty_value", "empty. Write the prompt.", record, column)
            return False
        if field in OUTPUTS and not self._options.allow_empty:
            cure = ALLOW_EMPTY.format(self._options.cures.allow_empty)
            self._error("empty_value", f"empty. {cure}", record, column)
            return False
        return True

    def _as_text(self, field: str, value: JSON, record: Record, column: str) -> str | None:
        """The text of a value that is no string; None, with the reason logged, if it has none."""
        if value is None:
            if field in NEVER_EMPTY:
                self._error("missing_value", "null. Write the text.", record, column)
            return None
        if isinstance(value, dict | list) and self._structure_fits(field, value):
            if all(self._storable(text, record, column) for text in strings(value)):
                return compact(value)
            return None
        if field == "item_id" and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        wanted = "a text or a list of chat messages" if field == "prompt" else "a text"
        found = kind_of(value)
        self._error("not_text", f"{found}, but {wanted} is needed. Quote it.", record, column)
        return None

    def _structure_fits(self, field: str, value: JSON) -> bool:
        if field == "prompt":
            return messages(value) is not None
        return field in (*OUTPUTS, "reference")

    def _metadata(self, value: JSON, record: Record, column: str) -> JSON:
        if isinstance(value, str):
            self._sound(value, record, column, False, warn=False)
            return value
        if isinstance(value, dict | list):
            for text in strings(value):
                if not self._storable(text, record, column):
                    break
        return plain(value)

    def _sound(
        self, text: str, record: Record, column: str, checked: bool, *, warn: bool = True
    ) -> bool:
        """Whether a text can be stored; warns of what could deceive. `checked`: storable it is."""
        if len(text) > self._limits.max_cell_chars:
            limit = self._limits.max_cell_chars
            self._error(
                "cell_too_long", f"longer than {limit:,} characters. Shorten it.", record, column
            )
            return False
        ascii_only = text.isascii()
        if suspicious(text):
            if not checked and not self._storable(text, record, column):
                return False
            if warn:
                self._warn_odd(text, record, column)
        self.text_bytes += len(text) if ascii_only else len(text.encode("utf-8", "surrogatepass"))
        return True

    def _warn_odd(self, text: str, record: Record, column: str) -> None:
        for code, at in odd(text):
            self._log.warn(
                code,
                row=record.row,
                line=record.line,
                column=column,
                file=self._file,
                concern=partial(_concern, record, column, text, at),
            )

    def _storable(self, text: str, record: Record, column: str) -> bool:
        bad = refused(text)
        if bad:
            self._error(*refusal(bad, self._raw), record, column)
        return not bad

    def _error(self, code: str, text: str, record: Record, column: str) -> None:
        self._log.error(
            code, text, row=record.row, line=record.line, column=column, file=self._file
        )


def _concern(record: Record, column: str, text: str, at: int) -> Concern:
    return Concern(record.line, record.row, "", [(column, spelled(text, at))])
