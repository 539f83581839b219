"""Spreadsheets with a row for each item and a column for each person."""

from collections.abc import Iterator, Sequence

from annotate.parsing.contract import JSON, Record
from annotate.parsing.judgements import words
from annotate.parsing.judgements.columns import Columns
from annotate.parsing.judgements.contract import JudgementOptions, Said, Study
from annotate.parsing.judgements.notes import Notes
from annotate.parsing.judgements.tables import Table

# A column is somebody's votes when so many of the cells looked at are words for a preference.
ALL_BUT = 0.1


class WideTable(Table):
    """A row an item, a column a person."""

    recognised = "a table with a row for each item and a column for each person"

    def __init__(
        self,
        columns: Columns,
        study: Study,
        options: JudgementOptions,
        notes: Notes,
        votes: Sequence[str],
    ) -> None:
        super().__init__(columns, study, options, notes)
        self._people: list[tuple[str, str]] = []
        for column in votes:
            columns.roles[column] = "votes"
            try:
                self._people.append((column, words.name(column)))
            except words.WordError as error:
                notes.of_file("unknown_value", str(error), column)

    def said(self, record: Record) -> Iterator[Said]:
        before = self.notes.faults
        item = self.item(record)
        side = self.side(record)
        for column, annotator in self._people:
            value = record.values.get(column)
            overall = self.preference(record, column, value, side)
            if overall is not None and self.notes.faults == before:
                yield Said(
                    row=record.row,
                    line=record.line,
                    annotator=annotator,
                    strength=overall[0],
                    both_bad=overall[1],
                    side=side or self._usual_side(),
                    **item,
                )

    def finish(self) -> None:
        """Nothing is left to say."""


def vote_columns(
    columns: Columns, records: Sequence[Record], study: Study
) -> tuple[list[str], list[str]]:
    """Columns that hold somebody's preferences, and those that may, by the first records.

    Numbers from 0 up may be strengths, and may be anything else.
    """
    mapped = [name for name, role in columns.roles.items() if role == "votes"]
    if mapped:
        return mapped, []
    sure: list[str] = []
    unsure: list[str] = []
    for name in columns.unknown:
        cells = [record.values.get(name) for record in records]
        given = [cell for cell in cells if not words.is_empty(cell)]
        said = [vote for cell in given if (vote := _vote(cell, study)) is not None]
        if said and len(said) >= (1 - ALL_BUT) * len(given):
            (sure if min(said) < 0 or _has_words(given) else unsure).append(name)
    return sure, unsure


def _vote(value: JSON, study: Study) -> int | None:
    chosen = words.side_chosen(value)
    if chosen is not None:
        return chosen
    try:
        return words.preference(value, (study.baseline, study.candidate))[0]
    except words.WordError:
        return None


def _has_words(values: Sequence[JSON]) -> bool:
    return any(isinstance(value, str) and value.strip()[:1].isalpha() for value in values)
