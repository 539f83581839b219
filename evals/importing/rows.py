"""Outputs of files as rows of generations, and their prompts as cases of a suite."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from annotate.parsing import JSON
from annotate.reports import storable
from evals.formats import CaseRecord, Expected, OutputRecord, ScorerSpec
from evals.formats.chat import ShapeError
from evals.formats.expectations import expected_of
from evals.formats.records import CUT_OFF, SPLITS
from evals.formats.values import kept

LARGEST_INTEGER = 2**31 - 1
REASON_CHARS = 40
MODEL_CHARS = 200
IN_FILE = "in_file"
MISSING = "missing"
NO_OUTPUT = "no output in the file"
EXPECTATIONS = ("expected", "reference", "ideal", "target", "answer", "answers")
CATEGORIES = ("category", "dataset")
# Scorers of other tools, and what looks at an output in the same way here.
SAME_SCORERS = {"includes": "contains", "match": "contains"}

# The columns of a generation that a file tells, in the order of `values_of`.
COLUMNS = (
    "text", "tool_calls", "refusal", "finish_reason", "error_kind", "error", "logprobs",
    "prompt_tokens", "completion_tokens", "latency_ms", "cached", "model", "imported_scores",
)  # fmt: skip


def values_of(record: OutputRecord) -> list[Any]:
    """An output as plain values, one for each of `COLUMNS`; JSON columns as JSON text."""
    failed = record.error is not None
    error = storable(record.error or "") or "an error without words"
    reason = "length" if record.finish_reason in CUT_OFF else record.finish_reason
    return [
        None if failed else _text(record.text),
        None if failed else _calls(record),
        _text(record.refusal),
        storable(reason or "")[:REASON_CHARS],
        IN_FILE if failed else "",
        error if failed else "",
        _logprobs(record),
        _count(record.tokens.prompt),
        _count(record.tokens.completion),
        _latency(record.latency_ms),
        bool(record.metadata.get("cached")),
        storable(record.model or "")[:MODEL_CHARS],
        as_json({name: _score(one.value, one.reason) for name, one in record.scores.items()}),
    ]


def values_of_missing() -> list[Any]:
    """The row of a case that the file says nothing of: a failure, never left out."""
    return [None, None, None, "", MISSING, NO_OUTPUT, None, None, None, None, False, "", "{}"]


def as_json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """`value` as JSON that a database can hold: no number that is none, no lone surrogate."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _text(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _calls(record: OutputRecord) -> str | None:
    """Arguments as the model wrote them, so that what is no JSON stays visible."""
    if not record.tool_calls:
        return None
    return as_json([
        {"name": call.name, "arguments": call.raw or call.arguments or {}}
        for call in record.tool_calls
    ])  # fmt: skip


def _logprobs(record: OutputRecord) -> str | None:
    if record.logprobs is None:
        return None
    return as_json([[one.token, one.logprob, one.bytes] for one in record.logprobs])


def _count(value: int | None) -> int | None:
    return value if value is not None and value <= LARGEST_INTEGER else None


def _latency(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _score(value: JSON, reason: str) -> dict[str, JSON]:
    return {"value": value} if value is not None else {"value": None, "reason": reason}


def case_of(record: OutputRecord, scorer: ScorerSpec | None) -> CaseRecord:
    """The case that an output answers: only what is the same for every system."""
    expected = _expected(record)
    return CaseRecord(
        id=record.key,
        messages=tuple(plain(kept(one)) for one in record.messages),
        expected=expected,
        tools=tuple(plain(kept(one)) for one in record.tools),
        category=_told(record, CATEGORIES),
        split=next((one for one in SPLITS if one == record.metadata.get("split")), "target"),
        scorer=scorer or _same_scorer(record, expected),
        row=record.row,
        line=record.line,
    )


def _same_scorer(record: OutputRecord, expected: Expected) -> ScorerSpec | None:
    if not expected.answers:
        return None
    known = [SAME_SCORERS[name] for name in record.scores if name in SAME_SCORERS]
    return ScorerSpec(known[0]) if known else None


def _places(record: OutputRecord) -> Sequence[Mapping[str, JSON]]:
    inner = [record.metadata.get(name) for name in ("test_metadata", "vars", "item")]
    return [record.metadata, *(one for one in inner if isinstance(one, dict))]


def _told(record: OutputRecord, names: Sequence[str]) -> str:
    for place in _places(record):
        for name in names:
            if isinstance(told := place.get(name), str) and told:
                return storable(told)
    return ""


def _expected(record: OutputRecord) -> Expected:
    """The answer that the file itself expects, if it tells one."""
    if isinstance(likely := record.metadata.get("likelihoods"), list):
        return _continuation(likely, record.metadata.get("target"))
    for place in _places(record):
        for name in EXPECTATIONS:
            if place.get(name) not in (None, "", []):
                return _read(place[name])
    return Expected()


def _read(value: JSON) -> Expected:
    try:
        return expected_of(plain(kept(value)))
    except ShapeError:
        return Expected()


def _continuation(likely: list[JSON], target: JSON) -> Expected:
    """Of a choice between continuations, the target is the number of the right one."""
    told = str(target)
    if told.isdecimal() and int(told) < len(likely):
        one = likely[int(told)]
        text = one.get("continuation") if isinstance(one, dict) else None
        return Expected(answers=(text,)) if isinstance(text, str) else Expected()
    return _read(target) if target not in (None, "") else Expected()
