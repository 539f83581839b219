"""Spreadsheets with a row for each judgement, and what all spreadsheets share."""

from collections.abc import Callable, Iterator
from typing import Any

from annotate.blinding import Side, unblind
from annotate.parsing.contract import JSON, Record
from annotate.parsing.delimited import DELIMITERS
from annotate.parsing.faults import shown
from annotate.parsing.judgements import words
from annotate.parsing.judgements.columns import Columns
from annotate.parsing.judgements.contract import Asked, JudgementOptions, Said, Study
from annotate.parsing.judgements.notes import Notes

TEXTS = ("item_id", "batch", "prompt", "baseline_output", "candidate_output", "category", "comment")
OUTPUTS = ("baseline_output", "candidate_output")
EXTRA: tuple[tuple[str, Callable[[JSON], object]], ...] = (
    ("seconds", words.seconds),
    ("judged_at", words.moment),
    ("scale", words.scale),
)
ENOUGH_NUMBERS = 20


class Table:
    """What both shapes share: the item of a row, and all that is said beside the preference."""

    repeats_are_faults = True

    def __init__(
        self, columns: Columns, study: Study, options: JudgementOptions, notes: Notes
    ) -> None:
        self.columns = columns
        self.study = study
        self.options = options
        self.notes = notes
        self._systems = (study.baseline, study.candidate)
        # Our own CSV puts a ' before what a spreadsheet would take for a formula.
        self._guarded = columns.is_own_export and notes.report.format in DELIMITERS
        self._asked = [one for one in study.criteria if self._has(one)]
        # What a file has no column for is not looked for again in each of its rows.
        self._texts = [field for field in TEXTS if field in columns.by_field]
        self._names_items = not columns.by_field.keys().isdisjoint({"item_id", "prompt"})

    def _has(self, asked: Asked) -> bool:
        roles = self.columns.by_field
        return asked.key in roles or f"{asked.key}_baseline" in roles

    def cell(self, record: Record, field: str) -> JSON:
        column = self.columns.by_field.get(field)
        value = record.values.get(column) if column is not None else None
        if self._guarded and isinstance(value, str):
            return value.removeprefix("'")
        return value

    def item(self, record: Record) -> dict[str, Any]:
        """The texts of a row by which its item is found, and what else it says of it."""
        found: dict[str, Any] = {}
        before = self.notes.faults
        for field in self._texts:
            value = self.cell(record, field)
            if value == "" and field in OUTPUTS:
                found[field] = ""
                continue
            taken = self.notes.take(record, self.columns.named(field), value, words.text)
            if taken is not None:
                found[field] = taken
        for field in ("item_id", "batch"):
            if field in found:
                found[field] = found[field].strip()
        found["alternative"] = self._public_id(record)
        named = any((found.get("item_id"), found["alternative"], found.get("prompt")))
        if not named and self._names_items and self.notes.faults == before:
            text = "empty. Write the id of the item, or its prompt."
            self.notes.fault(record, "empty_value", text, self.columns.named("item_id"))
        return found

    def _public_id(self, record: Record) -> str:
        """Our own export names items by a random id, for those that have none of their own."""
        value = record.values.get("item") if self.columns.is_own_export else None
        return value if isinstance(value, str) else ""

    def side(self, record: Record) -> str | None:
        if "candidate_side" not in self.columns.by_field:
            return None
        column = self.columns.named("candidate_side")
        return self.notes.take(record, column, self.cell(record, "candidate_side"), words.side)

    def preference(
        self, record: Record, column: str, value: JSON, side: str | None
    ) -> tuple[int, bool] | None:
        """Strength and whether both were bad; None where it is empty or the fault was logged."""
        chosen = words.side_chosen(value)
        if chosen is None:
            return self.notes.take(
                record, column, value, lambda cell: words.preference(cell, self._systems)
            )
        side = side or self._usual_side()
        if side is None:
            text = (
                f"{shown(str(value), 20)}, but nothing says which output stood on the left. Add a "
                "column candidate_side, or say what was on the left (--left baseline)."
            )
            self.notes.fault_once(record, "which_side", text, column)
            return None
        return unblind(chosen, Side(side)), False

    def _usual_side(self) -> str | None:
        return {"baseline": "right", "candidate": "left"}.get(self.options.left)

    def criteria(
        self, record: Record, side: str | None
    ) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
        comparisons: dict[str, int] = {}
        scores: dict[str, tuple[int, int]] = {}
        for asked in self._asked:
            if asked.kind == "score":
                self._scores(record, asked, scores)
                continue
            column, value = self.columns.named(asked.key), self.cell(record, asked.key)
            said = self.preference(record, column, value, side)
            if said is not None:
                comparisons[asked.key] = (said[0] > 0) - (said[0] < 0)
        return comparisons, scores

    def _scores(self, record: Record, asked: Asked, scores: dict[str, tuple[int, int]]) -> None:
        roles = [f"{asked.key}_baseline", f"{asked.key}_candidate"]
        before = self.notes.faults
        read = [
            self.notes.take(record, self.columns.named(role), self.cell(record, role), words.score)
            for role in roles
        ]
        if self.notes.faults > before or read == [None, None]:
            return
        if None in read:
            column = self.columns.named(roles[read.index(None)])
            text = "empty, while the other system has a score. Score both, or neither."
            self.notes.fault(record, "half_a_score", text, column)
            return
        scores[asked.key] = (int(read[0] or 0), int(read[1] or 0))


class LongTable(Table):
    """A row a judgement."""

    recognised = "a table with a row for each judgement"

    def __init__(
        self, columns: Columns, study: Study, options: JudgementOptions, notes: Notes
    ) -> None:
        super().__init__(columns, study, options, notes)
        if columns.is_own_export:
            self.recognised = "an export of judgements of this product"
        self._numbers: dict[int, int] = {}
        if "annotator" not in columns.by_field and not options.annotator:
            text = (
                f"no such column. {columns.listed()} Say which column names the person "
                "(--map COLUMN=annotator), or who judged all of it (--annotator NAME)."
            )
            notes.of_file("missing_column", text, "annotator")

    def said(self, record: Record) -> Iterator[Said]:
        if self.columns.is_own_export and (reason := _superseded(record)):
            self.notes.leave_out(reason)
            return
        before = self.notes.faults
        item = self.item(record)
        annotator = self._annotator(record)
        side = self.side(record)
        overall = self._overall(record, side)
        comparisons, scores = self.criteria(record, side)
        extra = self._extra(record)
        if self.notes.faults > before or overall is None or annotator is None:
            return
        yield Said(
            row=record.row,
            line=record.line,
            annotator=annotator,
            strength=overall[0],
            both_bad=overall[1],
            side=side or (self._usual_side() if self.options.left else None),
            comparisons=comparisons,
            scores=scores,
            **item,
            **extra,
        )

    def _annotator(self, record: Record) -> str | None:
        column, value = self.columns.named("annotator"), self.cell(record, "annotator")
        if words.is_empty(value):
            if not self.options.annotator:
                if "annotator" in self.columns.by_field:
                    text = "empty. Write who judged."
                    self.notes.fault(record, "empty_value", text, column)
                return None
            return self.options.annotator
        return self.notes.take(record, column, value, words.name)

    def _overall(self, record: Record, side: str | None) -> tuple[int, bool] | None:
        column, value = self.columns.named("preference"), self.cell(record, "preference")
        said = self.preference(record, column, value, side)
        empty = words.is_empty(value)
        by_column = self.columns.named("strength")
        by = self.notes.take(record, by_column, self.cell(record, "strength"), words.strength)
        if by is not None:
            if said is not None and (said[0] > 0) - (said[0] < 0) != (by > 0) - (by < 0):
                text = f"{by} contradicts the preference {shown(str(value), 20)}. Correct one."
                self.notes.fault(record, "contradiction", text, by_column)
            said = (by, said[1] if said else False)
        elif said is None and empty:
            text = f"empty. Write {words.VOCABULARY}, or delete the row."
            self.notes.fault(record, "empty_value", text, column)
        if said is not None and by is None and words.side_chosen(value) is None:
            self._numbers[said[0]] = self._numbers.get(said[0], 0) + (
                str(value).strip()[-1:].isdigit()
            )
        return said

    def _extra(self, record: Record) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field, read in EXTRA:
            if column := self.columns.by_field.get(field):
                value = self.notes.take(record, column, self.cell(record, field), read)
                if value is not None:
                    found[field] = value
        return found

    def finish(self) -> None:
        """Numbers that never prefer the baseline may be another code: 1 and 2 for the outputs."""
        numbers = {number: count for number, count in self._numbers.items() if count}
        if sum(numbers.values()) >= ENOUGH_NUMBERS and min(numbers) >= 0:
            self.notes.remark(
                "no_negative",
                "All numbers are 0 or more, read as strengths: no row prefers the baseline. If 1 "
                "and 2 stand for the first and the second output, write baseline and candidate.",
                self.columns.named("preference"),
            )


def _superseded(record: Record) -> str:
    current = record.values.get("current")
    if current is False or (isinstance(current, str) and current.strip().casefold() == "false"):
        return "corrected later"
    state = record.values.get("task_state")
    if state == "surplus":
        return "surplus, never counted"
    if state == "repeated":
        return "asked again, never counted"
    return ""
