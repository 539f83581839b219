"""The items that a file of judgements brings itself, as a batch of the study."""

import json
import re
import tempfile
from array import array
from dataclasses import replace
from typing import IO, Any, cast

from annotate.intake import Intake, RefusedError, import_batch
from annotate.models import Item, Study, User
from annotate.parsing import Fault, Options
from annotate.parsing.faults import MAX_ERRORS, shown
from annotate.parsing.judgements import JudgementReading, JudgementReport, Said
from annotate.parsing.keyindex import KeyIndex
from annotate.staging import source_of

_LINE = re.compile(r"^Line \d+")


class _Items:
    """Each item once, as a line of a file that the batch is made of."""

    def __init__(self, to: IO[bytes]) -> None:
        self.faults: list[Fault] = []
        self.fault_count = 0
        self.lines = array("Q")
        self._to = to
        self._ids = KeyIndex()
        self._texts = KeyIndex()

    def add(self, said: Said) -> None:
        if not said.has_texts:
            text = (
                "the prompt or an output is missing, so no item can be made of it. Leave "
                "the items out (without --with-items) if the study has them."
            )
            self._fault(said, "no_texts", text)
            return
        texts = (said.prompt or "", said.baseline_output or "", said.candidate_output or "")
        if self._texts.get(said.item_id, *texts) is not None:
            return
        first = self._ids.first(said.row, said.item_id) if said.item_id else said.row
        if first != said.row:
            text = f"{shown(said.item_id)} has other texts than in row {first}. Correct one."
            self._fault(said, "item_differs", text)
            return
        self._texts.first(said.row, said.item_id, *texts)
        self._write(said, texts)

    def _write(self, said: Said, texts: tuple[str, str, str]) -> None:
        row: dict[str, Any] = dict(
            zip(("prompt", "baseline_output", "candidate_output"), texts, strict=True)
        )
        if said.item_id:
            row["item_id"] = said.item_id
        if said.category:
            row["category"] = said.category
        self.lines.append(said.line)
        # ASCII: whatever a text holds is judged by the reader of batches, not by this one.
        self._to.write(json.dumps(row).encode() + b"\n")

    def _fault(self, said: Said, code: str, text: str) -> None:
        self.fault_count += 1
        if len(self.faults) < MAX_ERRORS:
            message = f"Line {said.line}: {text}"
            self.faults.append(Fault(code, message, said.row, said.line))


def bring_items(
    study: Study, reading: JudgementReading, *, name: str, by: User | None
) -> Intake | None:
    """Make a batch of the items that a file holds; faults go to the report of its reading.

    The answer is None where there is a fault.
    """
    with tempfile.TemporaryFile() as file:
        items = _Items(file)
        ids: set[str] = set()
        for one in reading:
            items.add(one)
            if one.item_id:
                ids.add(one.item_id)
        report = reading.report
        _note(report, items.faults, items.fault_count)
        _refuse_known(study, ids, report)
        if report.error_count or not items.lines:
            return None
        file.flush()
        source = source_of(cast("IO[bytes]", file), f"{name}.jsonl", file.tell())
        try:
            intake = import_batch(
                study, [source], Options(allow_empty=True), name=name, imported_by=by
            )
        except RefusedError as error:
            _note(report, [Fault(error.code, str(error))], 1)
            return None
    if intake.batch is None:
        _note(report, _placed(intake.report.errors, items.lines), intake.report.error_count)
        return None
    return intake


def _refuse_known(study: Study, ids: set[str], report: JudgementReport) -> None:
    known = Item.objects.filter(study=study, item_id__isnull=False).values_list(
        "item_id", flat=True
    )
    count = sum(item_id in ids for item_id in known.iterator()) if ids else 0
    if count:
        text = (
            f"{count:,} of the items are in the study already. Import the judgements alone "
            "(without --with-items), or into a study of their own."
        )
        _note(report, [Fault("items_exist", text)], 1)


def _note(report: JudgementReport, faults: list[Fault], count: int) -> None:
    report.errors = sorted([*report.errors, *faults], key=lambda fault: fault.line or 0)
    report.error_count += count


def _placed(faults: list[Fault], lines: "array[int]") -> list[Fault]:
    """Faults of the batch at the lines of the file that people know."""
    placed = []
    for fault in faults:
        if fault.row is None or not 0 < fault.row <= len(lines):
            placed.append(fault)
            continue
        line = lines[fault.row - 1]
        message = _LINE.sub(f"Line {line}", fault.message)
        placed.append(replace(fault, line=line, row=None, message=message))
    return placed
