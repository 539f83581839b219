"""How tests read a file of judgements without a database."""

import io
import json
from typing import Any

from annotate.parsing import Limits, Source
from annotate.parsing.judgements import (
    Asked,
    JudgementOptions,
    JudgementReading,
    JudgementReport,
    Said,
    Study,
)

STUDY = Study(
    "old-model",
    "new-model",
    (Asked("correctness", "Correctness", "comparative"), Asked("tone", "Tone of voice", "score")),
)


def read(
    text: str, name: str = "said.csv", *, study: Study = STUDY, **options: Any
) -> tuple[list[Said], JudgementReport]:
    content = text.encode("utf-8", "surrogateescape")
    source = Source(name, len(content), lambda: io.BytesIO(content))
    reading = JudgementReading(source, study, JudgementOptions(**options), Limits())
    return list(reading), reading.report


def read_json(
    rows: Any, name: str = "said.json", **options: Any
) -> tuple[list[Said], JudgementReport]:
    return read(json.dumps(rows), name, **options)


def codes(report: JudgementReport) -> list[tuple[str, int | None, str | None]]:
    return [(fault.code, fault.line, fault.column) for fault in report.errors]


def strengths(said: list[Said]) -> list[tuple[str, str, int]]:
    return [(one.item_id, one.annotator, one.strength) for one in said]
