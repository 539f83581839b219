"""promptfoo results: version 3 and 4 (a list), version 2 (a table), and one result a line.

A file often holds several providers or prompts: each is a system. Answers to the same test have
the same key, whatever their order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from annotate.parsing.contract import JSON
from evals.formats.bodies import answer_of_message, error_text, tokens_of
from evals.formats.chat import ShapeError, conversation, prompt_text, tool_call
from evals.formats.entries import LIMITS, Decoder, Entry, array_of, decoded, walk_stream
from evals.formats.hosted import score_of
from evals.formats.log import Log
from evals.formats.reading import Input, Job, entries_of
from evals.formats.records import ImportedScore, Message, OutputRecord, ToolCall
from evals.formats.values import a_count, a_dict, a_list, a_text, kept, milliseconds, spelled

ERROR = 2
TABLE = ("results", "table", "body")
TABLE_INSIDE = frozenset({(), ("results",), TABLE[:2], TABLE})
Answered = tuple[str | None, tuple[ToolCall, ...]]


def outputs_of_promptfoo(job: Job) -> Iterator[OutputRecord]:
    for one in job.inputs:
        if one.recognised.format == "promptfoo_table":
            yield from _table(one, job)
        elif one.recognised.format in ("promptfoo_json", "promptfoo_jsonl"):
            names: dict[int, str] = {}
            for entry in _results(one, job):
                yield _record(entry.values, _Place(entry.row, entry.line, one, job, names))


@dataclass(frozen=True, slots=True)
class _Place:
    row: int
    line: int
    input: Input
    job: Job
    # What each column is called: a label may be filled in anew for each test, a column is not.
    names: dict[int, str]

    def note(self, code: str) -> None:
        self.job.log.note(code, self.row, self.line, self.input.name)


def _results(one: Input, job: Job) -> Iterator[Entry]:
    if one.recognised.format == "promptfoo_jsonl":
        yield from entries_of(one, job, nan=True)
        return
    decoder = Decoder(job.log, job.limits, file=one.name, nan=True)
    with one.source.open() as stream:
        yield from array_of(stream, decoder, ("results", "results"))


def _record(values: dict[str, JSON], place: _Place) -> OutputRecord:
    """One EvaluateResult."""
    response = a_dict(values.get("response"))
    raw = a_dict(values.get("prompt")).get("raw")
    messages = messages_in(raw)
    text, calls = answered(response.get("output"))
    error = _error(values, response)
    if error is None and text is None and not calls:
        error = "the result holds no output"
    return OutputRecord(
        key=_test_key(values),
        sample=(a_count(values.get("repeatIndex")) or 0) + 1,
        system=_system(values, place.names),
        messages=messages,
        prompt=prompt_text(messages),
        text=text,
        tool_calls=calls,
        finish_reason=a_text(response.get("finishReason")),
        latency_ms=_latency(values, response, place),
        tokens=tokens_of(response.get("tokenUsage")),
        error=error,
        scores=_scores(values),
        model=_provider(values.get("provider")),
        metadata=_metadata(values),
        row=place.row,
        line=place.line,
    )


def _test_key(values: dict[str, JSON]) -> str:
    """The index of the test, or in older files what it was made of."""
    index = a_count(values.get("testIdx"))
    if index is not None:
        return f"test-{index}"
    return f"vars:{spelled(values.get('vars'))}"


def _system(values: dict[str, JSON], names: dict[int, str]) -> str:
    label = _provider(values.get("provider")) or "provider"
    prompt = a_dict(values.get("prompt"))
    told = a_text(prompt.get("label")) or a_text(prompt.get("raw")) or ""
    # The label of a prompt defaults to its whole text.
    short = f", {told}" if told and told != prompt.get("raw") and len(told) <= 60 else ""
    number = a_count(values.get("promptIdx"))
    if number is None:
        return f"{label}{short}"
    return names.setdefault(number, f"{label}{short} (prompt {number})")


def _provider(value: JSON) -> str | None:
    provider = a_dict(value)
    return a_text(provider.get("label")) or a_text(provider.get("id")) or a_text(value)


def messages_in(raw: JSON) -> tuple[Message, ...]:
    """A prompt is a text; conversations are written in it as JSON."""
    if not isinstance(raw, str):
        return ()
    value: JSON = raw
    sound = True
    if raw.lstrip().startswith("["):
        # A text that only looks like JSON is a prompt like any other: nothing is logged.
        value, sound = Decoder(Log(), LIMITS).value(raw, None, 1)
    try:
        return conversation(value if sound else raw)
    except ShapeError:
        return () if not raw.strip() else ({"role": "user", "content": raw},)


def answered(output: JSON) -> Answered:
    """Text and calls of an output that may be a text, a message, or a list of calls."""
    if output is None:
        return None, ()
    if isinstance(output, str):
        return output, ()
    message = a_dict(output)
    if message.get("tool_calls") or message.get("function_call"):
        answer = answer_of_message(message)
        return answer.text, answer.tool_calls
    calls = [a_dict(one) for one in a_list(output)]
    if calls and all(_is_call(one) for one in calls):
        return None, tuple(tool_call(one) for one in calls)
    return (None, (tool_call(message),)) if _is_call(message) else (spelled(output), ())


def _is_call(value: dict[str, JSON]) -> bool:
    if value.get("type") in ("function", "tool_use", "function_call"):
        return bool(value.get("function") or value.get("name"))
    return isinstance(value.get("function"), dict) and "name" in a_dict(value["function"])


def _error(values: dict[str, JSON], response: dict[str, JSON]) -> str | None:
    """Why no answer came. `error` is also set where an assertion failed: that is no error."""
    told = error_text(response.get("error"))
    reason = values.get("failureReason")
    if reason == ERROR or (reason is None and response.get("output") is None):
        return told or error_text(values.get("error")) or "the provider failed"
    return told


def _latency(values: dict[str, JSON], response: dict[str, JSON], place: _Place) -> float | None:
    if response.get("cached") or values.get("cached"):
        place.note("from_cache")
        return None
    return milliseconds(values.get("latencyMs"))


def _scores(values: dict[str, JSON]) -> dict[str, ImportedScore]:
    given = {"score": values.get("score")} | a_dict(values.get("namedScores"))
    scores = {name: score_of(value) for name, value in given.items() if value is not None}
    if isinstance(values.get("success"), bool):
        scores["success"] = ImportedScore(values["success"])
    return scores


def _metadata(values: dict[str, JSON]) -> dict[str, JSON]:
    test = a_dict(values.get("testCase"))
    told = {
        "vars": kept(values.get("vars")),
        "test_metadata": kept(test.get("metadata")),
        "description": kept(test.get("description")),
        "reason": kept(a_dict(values.get("gradingResult")).get("reason")),
        "cached": a_dict(values.get("response")).get("cached"),
    }
    return {name: value for name, value in told.items() if value}


@dataclass
class _Head:
    vars: list[JSON] = field(default_factory=list)
    prompts: list[JSON] = field(default_factory=list)


def _table(one: Input, job: Job) -> Iterator[OutputRecord]:
    """Version 2: a row for each test, a column for each prompt and provider."""
    decoder = Decoder(job.log, job.limits, file=one.name, nan=True)
    head, row = _Head(), 0
    names: dict[int, str] = {}
    with one.source.open() as stream:
        for path, element in walk_stream(stream, decoder).pieces(TABLE_INSIDE):
            if path == (*TABLE[:2], "head"):
                values = decoded(element, decoder, 0) or {}
                head = _Head(a_list(values.get("vars")), a_list(values.get("prompts")))
            elif path == TABLE:
                row += 1
                values = decoded(element, decoder, row) or {}
                place = _Place(row, element.line, one, job, names)
                yield from _table_row(values, head, place)


def _table_row(values: dict[str, JSON], head: _Head, place: _Place) -> Iterator[OutputRecord]:
    names = [str(name) for name in head.vars]
    filled = dict(zip(names, a_list(values.get("vars")), strict=False))
    for column, cell in enumerate(a_dict(one) for one in a_list(values.get("outputs"))):
        prompt = a_dict(head.prompts[column]) if column < len(head.prompts) else {}
        record = _record(_as_result(cell, prompt, filled, place.row - 1, column), place)
        yield replace(record, row=place.row, line=place.line)


def _as_result(
    cell: dict[str, JSON], prompt: dict[str, JSON], filled: dict[str, JSON], test: int, column: int
) -> dict[str, JSON]:
    """A cell of the table as the results of later versions are written."""
    inner = a_dict(cell.get("response"))
    output = inner.get("output", cell.get("text"))
    response: JSON = {
        **inner,
        "output": output,
        "tokenUsage": inner.get("tokenUsage", cell.get("tokenUsage")),
        "cached": inner.get("cached", a_dict(cell.get("tokenUsage")).get("cached")),
    }
    raw: JSON = {"raw": cell.get("prompt", prompt.get("raw")), "label": prompt.get("label")}
    return {
        "testIdx": test,
        "promptIdx": column,
        "vars": filled,
        "prompt": raw,
        "provider": cell.get("provider", prompt.get("provider")),
        "response": response,
        "success": cell.get("pass"),
        "score": cell.get("score"),
        "namedScores": cell.get("namedScores"),
        "latencyMs": cell.get("latencyMs"),
        "failureReason": cell.get("failureReason", 0 if output is not None else None),
        "error": cell.get("error"),
    }
