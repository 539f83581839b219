"""Outputs in the plainest shapes: a prompt and an output, as rows or lines, and AlpacaEval's."""

from collections.abc import Iterator

from annotate.parsing.contract import JSON
from annotate.parsing.delimited import DELIMITERS, DelimitedReader
from annotate.parsing.faults import shown
from annotate.parsing.lines import CountedStream, first_undecodable, uncounted
from evals.formats.bodies import error_text
from evals.formats.chat import conversation, prompt_text, tool_calls_of
from evals.formats.entries import Decoder, Entry
from evals.formats.promptfoo import answered
from evals.formats.reading import Input, Job, Parts, entries_of
from evals.formats.records import Message, OutputRecord, Tokens
from evals.formats.suites import cells_of
from evals.formats.values import (
    a_count,
    a_key,
    a_number,
    a_text,
    kept,
    milliseconds,
    rest,
    spelled,
    text_key,
)

IDS = ("id", "item_id", "case_id", "custom_id")
PROMPTS = ("prompt", "messages", "instruction", "question", "input")
OUTPUTS = ("output", "response", "completion", "model_output", "generated_text")
LATENCIES = {"latency_ms": 1.0, "latencyms": 1.0, "latency_s": 1000.0, "latency_seconds": 1000.0}
SYSTEMS = ("model", "generator", "system_name")
TAKEN = frozenset(
    {
        *IDS,
        *PROMPTS,
        *OUTPUTS,
        *LATENCIES,
        *SYSTEMS,
        "error",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "cached",
        "tool_calls",
    }
)


def outputs_of_plain(job: Job) -> Iterator[OutputRecord]:
    """Rows with a prompt and one output; those without an id are joined by the prompt's text."""
    met: dict[str, int] = {}
    for one in job.only("plain"):
        for entry in _entries(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            record = _record(entry, parts, met)
            if _cached(entry.values):
                job.log.note("from_cache", entry.row, entry.line, one.name)
            if parts.sound:
                yield record


def outputs_of_alpaca(job: Job) -> Iterator[OutputRecord]:
    """AlpacaEval's model_outputs.json. The instruction's text is the key; copies are counted."""
    met: dict[str, int] = {}
    for one in job.only("alpaca_outputs"):
        for entry in entries_of(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            record = _record(entry, parts, met, keyed=False)
            if parts.sound:
                yield record


def _entries(one: Input, job: Job) -> Iterator[Entry]:
    layout = one.recognised.layout
    if layout not in DELIMITERS:
        yield from entries_of(one, job)
        return
    decoder = Decoder(job.log, job.limits, file=one.name)
    with one.source.open() as stream:
        reader = DelimitedReader(
            CountedStream(stream, uncounted), stream, layout, job.limits, job.log, one.name
        )
        for record in reader:
            values = cells_of(record.values, record.row, record.line, decoder)
            if values is not None:
                yield Entry(record.row, record.line, record.offset, values)
        job.log.add_byte(one.name, lambda: first_undecodable(stream))


def _record(entry: Entry, parts: Parts, met: dict[str, int], *, keyed: bool = True) -> OutputRecord:
    values = entry.values
    messages = _prompt(values, parts)
    given = next((values[name] for name in OUTPUTS if name in values), None)
    text, calls = answered(given)
    calls = calls or tool_calls_of({"tool_calls": values.get("tool_calls")})
    carries_calls = bool(calls) or "tool_calls" in values
    error = error_text(values.get("error"))
    if error is None and text is None and not calls:
        # A cell that is empty, and null, say that the system gave nothing.
        error = "the output is empty"
    return OutputRecord(
        key=_key(values, messages, met, keyed),
        system=next((told for name in SYSTEMS if (told := a_text(values.get(name)))), ""),
        messages=messages,
        prompt=prompt_text(messages),
        text=text,
        tool_calls=calls if carries_calls else None,
        finish_reason=a_text(values.get("finish_reason")),
        latency_ms=_latency(values, parts),
        tokens=Tokens(
            a_count(values.get("prompt_tokens")), a_count(values.get("completion_tokens"))
        ),
        error=error,
        model=next((told for name in SYSTEMS if (told := a_text(values.get(name)))), None),
        metadata=rest(values, TAKEN),
        row=entry.row,
        line=entry.line,
    )


def _prompt(values: dict[str, JSON], parts: Parts) -> tuple[Message, ...]:
    found = next((name for name in PROMPTS if values.get(name) is not None), "prompt")
    nothing: tuple[Message, ...] = ()
    return parts.take(found, lambda: conversation(values.get(found)), nothing)


def _key(
    values: dict[str, JSON], messages: tuple[Message, ...], met: dict[str, int], keyed: bool
) -> str:
    given = next((key for name in IDS if (key := a_key(values.get(name)))), None)
    if given and keyed:
        return given
    plain: JSON = [kept(message) for message in messages]
    key = text_key(prompt_text(messages) or spelled(plain))
    system = next((str(values[name]) for name in SYSTEMS if values.get(name)), "")
    count = met[f"{system}\n{key}"] = met.get(f"{system}\n{key}", 0) + 1
    # The same instruction twice: the first of one system belongs to the first of the other.
    return key if count == 1 else f"{key}#{count}"


def _cached(values: dict[str, JSON]) -> bool:
    return str(values.get("cached", "")).casefold() in ("true", "1", "yes")


def _latency(values: dict[str, JSON], parts: Parts) -> float | None:
    if _cached(values):
        return None
    for name, factor in LATENCIES.items():
        value = values.get(name)
        if value is None:
            continue
        number = a_number(value)
        if number is None or number < 0:
            parts.fault(
                "not_a_number",
                f"{shown(spelled(value), 40)} is no latency. Write a number, or leave it empty.",
                name,
            )
        return milliseconds(value, factor)
    return None
