"""OpenAI Batch: answers and errors joined to their requests by custom_id, in any order."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO

from annotate.parsing.contract import JSON
from annotate.parsing.faults import shown
from evals.formats.bodies import (
    Answer,
    BodyError,
    Request,
    answers_of_body,
    error_text,
    request_of_body,
)
from evals.formats.chat import ShapeError, prompt_text
from evals.formats.entries import Decoder, Entry, line_at, lines_of
from evals.formats.reading import Input, Job, Unique, entries_of
from evals.formats.records import OutputRecord
from evals.formats.values import a_dict, a_key, a_number, a_text

OK = range(200, 300)
NO_ANSWER = "neither answered nor failed in the files that were added"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a request stands: prompts are read again when their answer is met."""

    input: Input
    stream: BinaryIO
    offset: int
    row: int
    line: int


class _Requests:
    """The requests of all input files by custom_id."""

    def __init__(self, job: Job, stack: ExitStack) -> None:
        self._job = job
        self.given = bool(job.only("batch_input"))
        self.asked: dict[str, _Asked] = {}
        self.open: set[str] = set()
        unique = Unique(job.log)
        for one in job.only("batch_input"):
            stream = stack.enter_context(one.source.open())
            for entry in lines_of(stream, Decoder(job.log, job.limits, file=one.name)):
                self._add(_custom_id(entry, job, one), entry, one, stream, unique)
        self.open = set(self.asked)

    def _add(self, key: str, entry: Entry, one: Input, stream: BinaryIO, unique: Unique) -> None:
        if key and not unique.refuse(shown(key), entry.row, entry.line, key):
            place = (entry.offset, entry.row, entry.line)
            self.asked[key] = _Asked(one, stream, *place)

    def request(self, key: str, entry: Entry, file: str) -> Request:
        if not self.given:
            self._job.log.note("prompt_missing", entry.row, entry.line, file)
            return Request()
        if key not in self.asked:
            text = f"no request has the custom_id {shown(key)}. Add the file that has it."
            self._job.log.fault(
                "unknown_id", text, row=entry.row, line=entry.line, column="custom_id", file=file
            )
            return Request()
        self.open.discard(key)
        return self.read(self.asked[key])

    def read(self, asked: _Asked) -> Request:
        job = self._job
        decoder = Decoder(job.log, job.limits, file=asked.input.name)
        values = line_at(asked.stream, asked.offset, decoder)
        try:
            return request_of_body(a_dict(values.get("body")))
        except ShapeError as error:
            job.log.fault(
                "bad_case",
                str(error),
                row=asked.row,
                line=asked.line,
                column="body",
                file=asked.input.name,
            )
            return Request()


def outputs_of_batch(job: Job) -> Iterator[OutputRecord]:
    """Answers in the order of the output files, then a failure for each request without one."""
    with ExitStack() as stack:
        requests = _Requests(job, stack)
        for one in job.only("batch_output"):
            for entry in entries_of(one, job):
                yield from _records(entry, one, job, requests)
        for key in sorted(requests.open):
            asked = requests.asked[key]
            job.log.note("no_answer", asked.row, asked.line, asked.input.name)
            place = OutputRecord(key, error=NO_ANSWER, row=asked.row, line=asked.line)
            yield _with_request(place, requests.read(asked))


def _records(entry: Entry, one: Input, job: Job, requests: _Requests) -> Iterator[OutputRecord]:
    key = _custom_id(entry, job, one)
    if not key:
        return
    base = OutputRecord(key, row=entry.row, line=entry.line)
    base = _with_request(base, requests.request(key, entry, one.name))
    response = a_dict(entry.values.get("response"))
    error = _failure(entry.values, response)
    if error:
        yield replace(base, error=error)
        return
    try:
        answers = answers_of_body(a_dict(response.get("body")))
    except BodyError as problem:
        job.log.fault("no_text", str(problem), row=entry.row, line=entry.line, file=one.name)
        return
    if not answers:
        yield replace(base, error="the answer holds no choice")
    for sample, answer in enumerate(answers, 1):
        yield with_answer(replace(base, sample=sample), answer)


def _custom_id(entry: Entry, job: Job, one: Input) -> str:
    key = a_key(entry.values.get("custom_id"))
    if key is None:
        text = "custom_id is missing or empty. Write it."
        job.log.fault(
            "missing_value",
            text,
            row=entry.row,
            line=entry.line,
            column="custom_id",
            file=one.name,
        )
    return key or ""


def _failure(values: dict[str, JSON], response: dict[str, JSON]) -> str | None:
    """Why a request failed: before it was sent, or by the answer of the endpoint."""
    told = error_text(values.get("error"))
    if told or not response:
        return told or "no response"
    status = a_number(response.get("status_code"))
    body = a_dict(response.get("body"))
    if status is not None and int(status) not in OK:
        return f"HTTP {int(status)}: {error_text(body.get('error')) or 'without a message'}"
    return error_text(body.get("error"))


def _with_request(record: OutputRecord, request: Request) -> OutputRecord:
    return replace(
        record,
        messages=request.messages,
        prompt=prompt_text(request.messages),
        tools=request.tools,
    )


def with_answer(record: OutputRecord, answer: Answer) -> OutputRecord:
    return replace(
        record,
        text=answer.text,
        refusal=answer.refusal,
        tool_calls=answer.tool_calls,
        finish_reason=answer.finish_reason,
        tokens=answer.tokens,
        logprobs=answer.logprobs,
        model=a_text(answer.model),
    )
