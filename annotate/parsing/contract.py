"""What goes into the parser and what comes out: plain values, no behaviour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

from annotate.parsing.excerpts import Concern

JSON: TypeAlias = str | int | float | bool | list["JSON"] | dict[str, "JSON"] | None

FIELDS = ("item_id", "prompt", "baseline_output", "candidate_output", "category", "reference")
METADATA = "metadata"
IGNORE = "ignore"
SEPARATORS = {"commas": ",", "semicolons": ";", "tabs": "\t"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong (or odd) in a file: where it is, what it is and what to do about it.

    `row` counts data records from 1, `line` is the physical line where the record begins,
    `column` is named as the file names it.
    """

    code: str
    message: str
    row: int | None = None
    line: int | None = None
    column: str | None = None
    # Of a warning: how many rows it is about, and the first of them.
    count: int = 1
    rows: tuple[Concern, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one upload may hold."""

    max_file_bytes: int = 512 * 2**20
    max_rows: int = 1_000_000
    max_columns: int = 64
    max_cell_chars: int = 1_000_000
    max_total_text_bytes: int = 4 * 2**30
    max_json_depth: int = 16
    max_header_chars: int = 128

    @property
    def max_line_chars(self) -> int:
        """Longest line (or JSON record) held in memory; longer ones are refused unread.

        Generous, because JSON may spell one character with six.
        """
        return max(32 * self.max_cell_chars, 32 * 2**20)


@dataclass(frozen=True, slots=True)
class Cures:
    """What messages tell people to do, in the words of the surface they stand before."""

    allow_empty: str = 'tick "Allow empty outputs"'
    mapping: str = "choose which column it is"
    separator: Mapping[str, str] = field(
        default_factory=lambda: {
            name: f'choose "{name.capitalize()}" below and check again' for name in SEPARATORS
        }
    )


@dataclass(frozen=True, slots=True)
class Options:
    """What the person who uploads has chosen.

    `mapping` says what a column of the file is: one of `FIELDS`, "metadata" or "ignore".
    `separator` is one of `SEPARATORS`; without it the ending of the file's name decides.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    swap: bool = False
    allow_empty: bool = False
    separator: str = ""
    cures: Cures = field(default_factory=Cures)


@dataclass(frozen=True, slots=True)
class Source:
    """An uploaded file. `name` is what the browser claims; `open` gives a fresh seekable stream."""

    name: str
    size: int | None
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of outputs to one prompt, its texts exactly as they were sent."""

    row: int
    line: int
    item_id: str | None
    category: str
    prompt: str
    baseline_output: str
    candidate_output: str
    reference: str | None
    metadata: dict[str, JSON]


@dataclass
class Report:
    """What a reading found. Complete once the reading is exhausted."""

    format: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    errors: list[Fault] = field(default_factory=list)
    error_count: int = 0
    warnings: list[Fault] = field(default_factory=list)
    categories: dict[str, int] = field(default_factory=dict)
    examples: list[Row] = field(default_factory=list)
    first_values: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)
    # What the header of a refused file seems to be separated by: one of `SEPARATORS`.
    separator: str = ""

    @property
    def accepted(self) -> bool:
        return self.error_count == 0 and self.rows > 0


@dataclass(frozen=True, slots=True)
class Record:
    """A data record as the file has it, before anyone asks what its columns mean."""

    row: int
    line: int
    offset: int
    values: dict[str, JSON]
