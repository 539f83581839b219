"""How tests read files of judgements, without a database and with one."""

import io
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from annotate.models import Batch, Item, Judgement, JudgementImport, Rating, Task, User
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


HEADER = "item_id,annotator,preference,candidate_side,seconds,judged_at,correctness,"
GOOD = (
    f"{HEADER}tone_baseline,tone_candidate\n"
    "q-1,alice@example.org,candidate,left,12.5,2026-01-01T10:00:00Z,tie,3,5\n"
    "q-2,bob,-2,,,,,,\n"
    "q-1,bob,both_bad,right,,,candidate,,\n"
)
CRITERIA = [("correctness", "comparative"), ("tone", "score")]


def write(folder: Path, text: str, name: str = "said.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def run(*args: Any) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("import_judgements", *map(str, args), stdout=out, stderr=err)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


def answer(*args: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*args, "--json")[1])
    return found


def error_codes(found: dict[str, Any]) -> list[tuple[str, int | None, str | None]]:
    return [(error["code"], error["line"], error["column"]) for error in found["errors"]]


def counts() -> tuple[int, ...]:
    models = (Judgement, Rating, JudgementImport, Task, Item, Batch, User)
    return tuple(model.objects.count() for model in models)
