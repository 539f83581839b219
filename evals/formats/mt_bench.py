"""MT-bench: its questions as cases, and answers with the questions beside them if added."""

from collections.abc import Iterator

from annotate.parsing.contract import JSON
from evals.formats.chat import conversation, prompt_text
from evals.formats.entries import Entry
from evals.formats.reading import Job, Parts, entries_of
from evals.formats.records import CaseRecord, Expected, Message, OutputRecord
from evals.formats.values import a_dict, a_key, a_list, a_text, kept, rest

# What the tool writes where the endpoint failed.
FAILED = "$ERROR$"
TAKEN = frozenset({"question_id", "category", "turns"})


def cases_of_mt_bench(job: Job) -> Iterator[CaseRecord]:
    """MT-bench questions. A later turn needs the answer to the one before it: the first is asked.

    Their references are for judges, no answers that a right one would equal: they are kept beside.
    """
    for one in job.only("mt_bench"):
        for entry in entries_of(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            case = _question(entry, parts)
            if parts.sound:
                job.log.note("no_scorer", entry.row, entry.line, one.name)
                yield case


def _question(entry: Entry, parts: Parts) -> CaseRecord:
    values = entry.values
    key = a_key(values.get("question_id")) or ""
    if not key:
        parts.fault("bad_case", "the question_id is missing. Write it.", "question_id")
    turns = a_list(values.get("turns"))
    nothing: tuple[Message, ...] = ()
    kept_beside = rest(values, TAKEN)
    if len(turns) > 1:
        kept_beside["later_turns"] = kept(turns[1:])
    return CaseRecord(
        id=key,
        messages=parts.take("turns", lambda: conversation(turns[0] if turns else None), nothing),
        expected=Expected(),
        category=a_text(values.get("category")) or "uncategorised",
        metadata=kept_beside,
        row=entry.row,
        line=entry.line,
    )


def outputs_of_mt_bench(job: Job) -> Iterator[OutputRecord]:
    """MT-bench answers: each turn of each question is one output, told apart in its key."""
    questions = _questions(job)
    for one in job.only("mt_bench_answers"):
        for entry in entries_of(one, job):
            key = a_key(entry.values.get("question_id")) or ""
            if key not in questions:
                job.log.note("prompt_missing", entry.row, entry.line, one.name)
            for sample, choice in enumerate(a_list(entry.values.get("choices")), 1):
                texts = a_list(a_dict(choice).get("turns"))
                yield from _turns(key, sample, texts, entry, questions.get(key, {}))


def _questions(job: Job) -> dict[str, dict[str, JSON]]:
    found: dict[str, dict[str, JSON]] = {}
    for one in job.only("mt_bench_questions"):
        for entry in entries_of(one, job):
            found[a_key(entry.values.get("question_id")) or ""] = entry.values
    return found


def _turns(
    key: str, sample: int, texts: list[JSON], entry: Entry, question: dict[str, JSON]
) -> Iterator[OutputRecord]:
    asked = a_list(question.get("turns"))
    model = a_text(entry.values.get("model_id"))
    said: list[Message] = []
    for turn, text in enumerate(texts, 1):
        if turn <= len(asked):
            said.append({"role": "user", "content": asked[turn - 1]})
        failed = not isinstance(text, str) or text.strip() == FAILED
        yield OutputRecord(
            key=f"{key}/turn-{turn}",
            sample=sample,
            system=model or "",
            messages=tuple(said) if asked else (),
            prompt=prompt_text(tuple(said)) if asked else None,
            text=None if failed else str(text),
            error="the API failed ($ERROR$)" if failed else None,
            model=model,
            metadata={"category": kept(question.get("category")), "turn": turn},
            row=entry.row,
            line=entry.line,
        )
        said.append({"role": "assistant", "content": text})
