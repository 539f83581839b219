"""Reading a file of judgements: recognised by its content, then row by row."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from annotate.parsing.contract import JSON, Limits, Record, Source
from annotate.parsing.faults import FaultLog, HaltError, shown
from annotate.parsing.hazards import refused
from annotate.parsing.judgements.alpaca import AlpacaEval
from annotate.parsing.judgements.argilla import Argilla
from annotate.parsing.judgements.battles import Battles, Kaggle, MTBench
from annotate.parsing.judgements.columns import NAMED_AT_MOST, Columns
from annotate.parsing.judgements.contract import JudgementOptions, JudgementReport, Said, Study
from annotate.parsing.judgements.label_studio import LabelStudio
from annotate.parsing.judgements.notes import Notes
from annotate.parsing.judgements.opening import Opened, first_records
from annotate.parsing.judgements.tables import LongTable
from annotate.parsing.judgements.tools import Format, first_text
from annotate.parsing.judgements.wide import WideTable, vote_columns

EXAMPLES = 5
VALUE_CHARS = 200
TOOLS: tuple[type[LabelStudio] | type[Argilla] | type[AlpacaEval], ...] = (
    LabelStudio,
    Argilla,
    AlpacaEval,
)
BATTLES = (Kaggle, MTBench, Battles)


class JudgementReading:
    """What each person said, one by one; every fault of the file in `report` afterwards.

    Iterate to the end before trusting `report`. Iterating again reads again.
    """

    def __init__(
        self, source: Source, study: Study, options: JudgementOptions, limits: Limits
    ) -> None:
        self.report = JudgementReport()
        self._source = source
        self._study = study
        self._options = options
        self._limits = limits

    def __iter__(self) -> Iterator[Said]:
        self.report = JudgementReport()
        log = FaultLog()
        notes = Notes(log, self.report)
        try:
            with suppress(HaltError):
                yield from self._said(notes)
        finally:
            self.report.errors = log.errors
            self.report.error_count = log.error_count
            self.report.warnings = [*log.warnings(), *notes.odds()]

    def _said(self, notes: Notes) -> Iterator[Said]:
        with Opened(self._source, self._limits, notes.log) as opened:
            form: Format | None = None
            try:
                for record in opened:
                    form = form or self._recognise(notes)
                    for said in form.said(record):
                        if self._note(said, record, notes):
                            yield said
            finally:
                self.report.rows = opened.rows
                self.report.format = opened.format
            if form is not None:
                form.finish()
            if not self.report.judgements and not notes.faults:
                self._nothing_left(notes)

    def _note(self, said: Said, record: Record, notes: Notes) -> bool:
        kept = (said.item_id, said.alternative, said.batch, said.annotator, said.comment)
        if refused("\n".join(kept)):
            text = "holds a character that cannot be stored (NUL, or half of one). Remove it."
            notes.fault(record, "nul_character", text)
            return False
        self.report.judgements += 1
        if len(self.report.examples) < EXAMPLES:
            self.report.examples.append(said)
        return True

    def _nothing_left(self, notes: Notes) -> None:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.report.left_out.items())
        models = sorted(self.report.models, key=lambda name: -self.report.models[name])[:8]
        named = f" It compares: {', '.join(shown(name, 60) for name in models)}." if models else ""
        text = f"no row is a judgement to take in ({reasons or 'all are empty'}).{named}"
        notes.of_file("no_judgements", text)

    def _recognise(self, notes: Notes) -> Format:
        before = notes.faults
        self.report.format, names, records = first_records(self._source, self._limits)
        for record in records:
            for column, value in record.values.items():
                self._keep_first(column, value)
        form = self._form(names, records, notes)
        self.report.recognised = form.recognised
        self.report.repeats_are_faults = form.repeats_are_faults
        if notes.faults > before:
            # Rows mean nothing before it is known what their columns are.
            raise HaltError
        return form

    def _form(self, names: list[str], records: list[Record], notes: Notes) -> Format:
        values = records[0].values if records else {}
        for tool in TOOLS:
            if tool.fits(values):
                return tool(self._study, self._options, notes)
        for kind in BATTLES:
            if kind.fits(values):
                return kind(self._study, self._options, notes, _models(records))
        return self._table(names, records, notes)

    def _keep_first(self, column: str, value: JSON) -> None:
        kept = self.report.first_values
        if column not in kept and value not in (None, ""):
            kept[column] = str(value)[:VALUE_CHARS]

    def _table(self, names: list[str], records: list[Record], notes: Notes) -> Format:
        columns = Columns(names, self._options.mapping, self._study.criteria)
        columns.check(notes)
        votes, unsure = vote_columns(columns, records, self._study)
        mapped = set(self._options.mapping.values())
        has_preference = {"preference", "strength"} & columns.by_field.keys()
        wide = "votes" in mapped or (votes and not has_preference)
        self.report.columns = {name: columns.roles.get(name, "ignore") for name in columns.names}
        if not wide and not has_preference:
            tell = self._unsure if unsure else self._no_preference
            tell(columns, unsure, notes)
            raise HaltError
        if not {"item_id", "prompt"} & columns.by_field.keys():
            text = f"no such column. {columns.listed()} Say which it is (--map COLUMN=item_id)."
            notes.of_file("missing_column", text, "item_id")
        form: Format = (
            WideTable(columns, self._study, self._options, notes, votes)
            if wide
            else LongTable(columns, self._study, self._options, notes)
        )
        self.report.columns |= columns.roles
        self._tell_unknown(columns, notes)
        return form

    def _no_preference(self, columns: Columns, unsure: list[str], notes: Notes) -> None:
        text = (
            f"no such column. {columns.listed()} Say which column holds the preference (--map "
            "COLUMN=preference); where each person has a column of their own, say so of each "
            "(--map COLUMN=votes)."
        )
        notes.of_file("missing_column", text, "preference")

    def _unsure(self, columns: Columns, unsure: list[str], notes: Notes) -> None:
        names = ", ".join(shown(name, 40) for name in unsure[:NAMED_AT_MOST])
        text = (
            f"these columns hold only numbers from 0 to 3 and may be anything: {names}. Say of "
            "each column of a person that it holds votes (--map COLUMN=votes), or leave the "
            "others out (--map COLUMN=ignore)."
        )
        notes.of_file("unsure_columns", text, unsure[0])

    def _tell_unknown(self, columns: Columns, notes: Notes) -> None:
        unknown = columns.unknown
        if unknown:
            names = ", ".join(shown(name, 40) for name in unknown[:NAMED_AT_MOST])
            more = len(unknown) - NAMED_AT_MOST
            text = f"Not recognised and left out: {names}{f' and {more} more' * (more > 0)}."
            notes.remark("unknown_column", text, unknown[0])


def _models(records: list[Record]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for record in records:
        for key in ("model_a", "model_b"):
            if name := first_text(record.values, (key,)):
                found[name] = found.get(name, 0) + 1
    return found
