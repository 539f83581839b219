"""Output items of OpenAI's hosted evaluations: one a line, or the pages of their list."""

from collections.abc import Iterator
from dataclasses import replace

from annotate.parsing.contract import JSON
from annotate.parsing.jsontext import FlawedNumber
from evals.formats.batch import with_answer
from evals.formats.bodies import answer_of_message, error_text, tokens_of
from evals.formats.chat import lenient, prompt_text
from evals.formats.entries import Decoder, Entry, array_of
from evals.formats.reading import Input, Job, entries_of
from evals.formats.records import ImportedScore, OutputRecord
from evals.formats.values import a_dict, a_key, a_list, a_number, a_text, kept

UNSCORED = "NaN or no number in the file"


def outputs_of_hosted(job: Job) -> Iterator[OutputRecord]:
    for one in job.only("hosted_items"):
        for entry in _entries(one, job):
            yield _record(entry, one, job)


def _entries(one: Input, job: Job) -> Iterator[Entry]:
    if one.recognised.layout != "data":
        yield from entries_of(one, job, nan=True)
        return
    decoder = Decoder(job.log, job.limits, file=one.name, nan=True)
    with one.source.open() as stream:
        yield from array_of(stream, decoder, ("data",))


def _record(entry: Entry, one: Input, job: Job) -> OutputRecord:
    values = entry.values
    sample = a_dict(values.get("sample"))
    messages = lenient(sample.get("input"))
    record = OutputRecord(
        key=_key(values),
        system=a_text(values.get("run_id")) or "",
        messages=messages,
        prompt=prompt_text(messages),
        scores=dict(_scores(values, entry, one, job)),
        metadata={
            "item": kept(values.get("datasource_item")),
            "status": kept(values.get("status")),
        },
        row=entry.row,
        line=entry.line,
    )
    error = error_text(sample.get("error"))
    said = [a_dict(message) for message in a_list(sample.get("output"))]
    if error or not said:
        return replace(record, error=error or "the item holds no output")
    # The last message is the answer; what comes before it are calls on the way.
    answer = answer_of_message(said[-1])
    return replace(
        with_answer(record, answer),
        finish_reason=a_text(sample.get("finish_reason")),
        tokens=tokens_of(sample.get("usage")),
        model=a_text(sample.get("model")),
    )


def _key(values: dict[str, JSON]) -> str:
    """The item of the data source: equal in every run over the same data."""
    return a_key(values.get("datasource_item_id")) or a_key(values.get("id")) or ""


def _scores(
    values: dict[str, JSON], entry: Entry, one: Input, job: Job
) -> Iterator[tuple[str, ImportedScore]]:
    for number, result in enumerate((a_dict(x) for x in a_list(values.get("results"))), 1):
        name = a_text(result.get("name")) or f"score {number}"
        score = score_of(result.get("score"))
        if score.value is None and isinstance(result.get("passed"), bool):
            score = ImportedScore(result["passed"])
        if score.value is None:
            job.log.note("unscored", entry.row, entry.line, one.name)
        yield name, score


def score_of(value: JSON) -> ImportedScore:
    """A score as the file has it; NaN is no score, and never becomes 0."""
    if value is None or isinstance(value, FlawedNumber):
        return ImportedScore(None, UNSCORED)
    if isinstance(value, str) and value.strip().casefold() in ("nan", ""):
        return ImportedScore(None, UNSCORED)
    if isinstance(value, float):
        return ImportedScore(a_number(value))
    return ImportedScore(kept(value))
