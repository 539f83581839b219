"""Outputs read once and kept on disk, with the keys by which they join the cases of a suite."""

import json
import tempfile
import weakref
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from annotate.parsing import Fault, Source
from evals.formats import CaseRecord, OutputRecord, ScorerSpec, read_outputs
from evals.formats import Reading as FileReading
from evals.formats.expectations import expected_of
from evals.importing.prompts import last_key, whole_key
from evals.importing.report import EXAMPLES, Example, OutputsReport, Reading, cut
from evals.importing.rows import as_json, case_of, values_of
from evals.suites.reading import limits_of_this_site

IN_MEMORY_BYTES = 4 * 2**20
PROGRESS_EVERY = 500
PLAIN = "plain"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Keys:
    """What an output is joined by; empty where the file does not tell it."""

    line: int
    id: str
    whole: str
    last: str


class Spool:
    """The outputs of one system, in the order of the file. Memory holds a few numbers each."""

    def __init__(self) -> None:
        # Nameless: gone with this object, or with its process.
        files = [tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) for _ in range(3)]  # noqa: SIM115
        self._keys, self._values, self._cases = files
        weakref.finalize(self, _close, files)
        self.lines = array("q")
        self.rows = array("q")
        self.without_prompt: list[int] = []

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, record: OutputRecord, case: CaseRecord | None) -> None:
        keys = [record.line, record.key, whole_key(record.messages), last_key(record.messages)]
        _write(self._keys, keys)
        _write(self._values, values_of(record))
        if case is not None:
            _write(self._cases, case.as_data())
            if not case.messages:
                self.without_prompt.append(record.line)
        self.lines.append(record.line)
        self.rows.append(record.row)

    def each_key(self) -> Iterator[Keys]:
        for line, key, whole, last in _read(self._keys):
            yield Keys(line, key, whole, last)

    def each_row(self) -> Iterator[list[Any]]:
        yield from _read(self._values)

    def each_case(self) -> Iterator[CaseRecord]:
        for data in _read(self._cases):
            yield _case(data)


def _close(files: Sequence[Any]) -> None:
    for file in files:
        file.close()


def _write(file: Any, data: Any) -> None:
    file.write(as_json(data).encode() + b"\n")


def _read(file: Any) -> Iterator[Any]:
    file.seek(0)
    for line in file:
        yield json.loads(line)


def _case(data: dict[str, Any]) -> CaseRecord:
    scorer = data["scorer"]
    return CaseRecord(
        id=data["id"],
        messages=tuple(data["messages"]),
        expected=expected_of(data["expected"]),
        tools=tuple(data["tools"]),
        category=data["category"],
        split=data["split"],
        scorer=ScorerSpec(scorer["name"], scorer["parameters"]) if scorer else None,
        metadata=data["metadata"],
    )


def spool_outputs(
    sources: Sequence[Source],
    reading: Reading,
    *,
    with_cases: bool,
    progress: Progress | None = None,
) -> tuple[Spool, OutputsReport]:
    """Read the files to their end: the outputs that are meant, and all that is wrong or odd."""
    found, report, spool = _reading_of(sources, reading), OutputsReport(), Spool()
    left_out = 0
    for number, record in enumerate(found, start=1):
        report.samples = max(report.samples, record.sample)
        if record.sample != reading.sample:
            left_out += 1
            continue
        _count(record, report)
        spool.add(record, case_of(record, reading.scorer) if with_cases else None)
        if progress and number % PROGRESS_EVERY == 0:
            progress(number)
    _finish(report, found, reading, left_out)
    return spool, report


def _reading_of(sources: Sequence[Source], reading: Reading) -> FileReading[OutputRecord]:
    limits = limits_of_this_site()
    usual = read_outputs(sources, system=reading.pick, limits=limits)
    for _ in islice(usual, 1):
        return usual
    # A table of prompts, outputs and expected answers looks like a suite at first.
    if any(one.format == "suite" for one in usual.report.recognised):
        plain = read_outputs(sources, format=PLAIN, system=reading.pick, limits=limits)
        if any(one.text is not None or one.tool_calls for one in islice(plain, 20)):
            return plain
    return usual


def _count(record: OutputRecord, report: OutputsReport) -> None:
    report.records += 1
    report.failed += record.error is not None
    report.cut_off += record.truncated
    if record.model:
        report.models[record.model] = report.models.get(record.model, 0) + 1
    if len(report.examples) < EXAMPLES:
        report.examples.append(_example(record))


def _example(record: OutputRecord) -> Example:
    prompt = record.prompt if record.prompt is not None else last_key(record.messages)
    calls = "\n".join(f"{call.name}({call.raw})" for call in record.tool_calls or ())
    output = "\n".join(part for part in (record.text, calls) if part)
    return Example(
        record.line, cut(record.key, 200), cut(prompt), cut(output), cut(record.error, 300)
    )


def _finish(
    report: OutputsReport, found: FileReading[OutputRecord], reading: Reading, left_out: int
) -> None:
    of_format = found.report
    report.recognised = of_format.recognised
    mains = [one.format for one in of_format.recognised if one.kind != "companion"]
    report.format = mains[0] if mains else ""
    report.systems = of_format.systems
    report.errors = [_in_words(one) for one in of_format.errors]
    report.error_count = of_format.error_count
    report.warnings = list(of_format.warnings)
    if left_out:
        report.warnings.append(_left_out(report, reading, left_out))
    if not report.records and not report.error_count:
        report.refuse("no_rows", f"No case has an answer {reading.sample}. Choose another.")


def _in_words(fault: Fault) -> Fault:
    """The reader speaks of files that it has; here a study stands around them."""
    if fault.code == "wrong_kind" and "Add it as a suite" in fault.message:
        cure = "Import it under Suites, then add the outputs of a system to it here."
        return replace(fault, message=fault.message.replace("Add it as a suite.", cure))
    return fault


def _left_out(report: OutputsReport, reading: Reading, count: int) -> Fault:
    text = (
        f"The file has up to {report.samples} answers to one case. Answer {reading.sample} of "
        f"each comes in; {count:,} others are left out."
    )
    return Fault("several_samples", text)
