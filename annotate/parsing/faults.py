"""The log of a reading: every error up to a cap and their number, each warning once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from annotate.parsing.contract import Fault
from annotate.parsing.excerpts import Concern

MAX_ERRORS = 100
LINES_NAMED = 5
ROWS_SHOWN = 20

# Each continues "Lines 3, 8 and 9 more: " and ends with what can be done.
WARNINGS = {
    "duplicate_content": "the row repeats an earlier row word for word. Delete the copies unless "
    "they are wanted.",
    "duplicate_prompt": "the prompt was already used by an earlier row. Its rows count as "
    "separate items.",
    "identical_outputs": "both outputs are the same, so there is nothing to prefer. Leave such "
    "rows out, or expect ties.",
    "empty_output": "an output is empty and was allowed. Annotators will see that it is empty.",
    "self_identification": "an output names a model or its maker, so annotators may guess who "
    "wrote it. Check these rows; the blind cannot hide what the text says.",
    "id_names_a_model": "the id names a model. Annotators never see ids; rename it all the same "
    "if exports are shared with them.",
    "category_names_a_model": "the category names a model. Rename it: categories may be shown.",
    "invisible_characters": "the text holds invisible characters (zero-width or tag characters). "
    "They are kept; annotators cannot see them.",
    "bidi_controls": "the text holds characters that change the direction of writing. They are "
    "kept and cannot leave their panel.",
    "control_characters": "the text holds control characters. They are kept; check how the file "
    "was made.",
    "replacement_character": "the text holds U+FFFD, which usually stands for a character lost "
    "before the upload. Make the file again from its source if the character matters.",
    "looks_cut_off": "an output seems to stop in mid-sentence. Check the length limit of the model "
    "that wrote it.",
    "different_prompts": "the prompts of the two files differ although their ids agree. The "
    "prompt of the first file is shown.",
}


class HaltError(Exception):
    """Nothing more can be known about the file; the reason is already in the log."""


@dataclass(slots=True)
class _Tally:
    count: int
    row: int | None
    line: int | None
    column: str | None
    lines: list[int] = field(default_factory=list)
    rows: list[Concern] = field(default_factory=list)


def shown(text: str, limit: int = 60) -> str:
    """`text` short enough for a message, with nothing in it that could disturb one."""
    cut = text[:limit]
    safe = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)
    return f"'{safe}…'" if len(text) > limit else f"'{safe}'"


def place(line: int | None, column: str | None, file: str) -> str:
    """'Line 4, column output: ', or the part of it that is known."""
    words = [file] if file else []
    if line is not None:
        words.append(f"line {line}")
    if column is not None:
        words.append(f"column {shown(column)[1:-1] or '(without a name)'}")
    start = ", ".join(words)
    return f"{start[0].upper() if not file else start[0]}{start[1:]}: " if start else ""


class FaultLog:
    """Collects faults in the order in which the file has them."""

    def __init__(self) -> None:
        self.errors: list[Fault] = []
        self.error_count = 0
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._remarks: list[Fault] = []

    def error(
        self,
        code: str,
        text: str,
        *,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        file: str = "",
        first: bool = False,
    ) -> None:
        """Log an error; `first` puts it before the others: it explains them."""
        self.error_count += 1
        if len(self.errors) >= MAX_ERRORS and not first:
            return
        message = f"{place(line, column, file)}{text}"
        message = message if file else message[0].upper() + message[1:]
        self.errors.insert(
            0 if first else len(self.errors), Fault(code, message, row, line, column)
        )
        del self.errors[MAX_ERRORS:]

    def refuse_rows(self, number: int, limit: int, what: str, line: int, file: str) -> None:
        """Halt at the row (or blank line) after the last that is taken."""
        if number > limit:
            text = f"the file has more than {limit:,} {what}. Split it into several batches."
            row = number if what == "rows" else None
            self.error("too_many_rows", text, row=row, line=line, file=file, first=True)
            raise HaltError

    def add_byte(self, file: str, find: Callable[[], int | None]) -> None:
        """Say in the first encoding error of `file` where in the file its bytes go wrong."""
        for at, fault in enumerate(self.errors):
            if fault.code == "not_utf8" and fault.message.startswith(file):
                byte = find()
                if byte is not None:
                    text = f"{fault.message} The first such byte is byte {byte:,} of the file."
                    self.errors[at] = replace(fault, message=text)
                return

    def warn(
        self,
        code: str,
        *,
        row: int,
        line: int,
        column: str | None = None,
        file: str = "",
        concern: Callable[[], Concern] | None = None,
    ) -> None:
        """Count a warning; `concern` is asked for the row to show, as long as few are."""
        tally = self._tallies.setdefault((code, file), _Tally(0, row, line, column))
        tally.count += 1
        if len(tally.lines) < LINES_NAMED:
            tally.lines.append(line)
        if concern is not None and len(tally.rows) < ROWS_SHOWN:
            tally.rows.append(concern())

    def remark(self, fault: Fault) -> None:
        """A warning about the file as a whole."""
        self._remarks.append(fault)

    def warnings(self) -> list[Fault]:
        told = [
            Fault(
                code,
                f"{_lines(tally, file)}: {WARNINGS[code]}",
                tally.row,
                tally.line,
                tally.column,
                tally.count,
                tuple(tally.rows),
            )
            for (code, file), tally in self._tallies.items()
        ]
        return told + self._remarks


def _lines(tally: _Tally, file: str) -> str:
    numbers = ", ".join(str(number) for number in dict.fromkeys(tally.lines))
    more = tally.count - len(tally.lines)
    word = "lines" if tally.count > 1 and (more or "," in numbers) else "line"
    start = f"{file}, {word}" if file else word.capitalize()
    return f"{start} {numbers}" + (f" and {more:,} more" if more else "")
