"""Files in, records out: the doors of this room."""

from collections.abc import Callable, Collection, Iterator, Sequence

from annotate.parsing.contract import Fault, Limits, Source
from annotate.parsing.faults import HaltError, shown
from evals.formats.batch import outputs_of_batch
from evals.formats.bfcl import cases_of_bfcl
from evals.formats.entries import LIMITS
from evals.formats.hosted import outputs_of_hosted
from evals.formats.inspect_logs import outputs_of_inspect
from evals.formats.lm_eval import outputs_of_lm_eval
from evals.formats.log import Log
from evals.formats.mt_bench import cases_of_mt_bench, outputs_of_mt_bench
from evals.formats.plain import outputs_of_alpaca, outputs_of_plain
from evals.formats.promptfoo import outputs_of_promptfoo
from evals.formats.reading import Input, Job, Reading, Report, Unique
from evals.formats.recognising import recognise
from evals.formats.records import CaseRecord, Kind, OutputRecord, Recognised
from evals.formats.suites import cases_of_suite
from evals.formats.training import cases_of_fine_tuning, cases_of_openai_evals

OUTPUT_READERS: dict[str, Callable[[Job], Iterator[OutputRecord]]] = {
    "batch_output": outputs_of_batch,
    "hosted_items": outputs_of_hosted,
    "promptfoo_json": outputs_of_promptfoo,
    "promptfoo_jsonl": outputs_of_promptfoo,
    "promptfoo_table": outputs_of_promptfoo,
    "lm_eval_samples": outputs_of_lm_eval,
    "inspect_json": outputs_of_inspect,
    "inspect_eval": outputs_of_inspect,
    "alpaca_outputs": outputs_of_alpaca,
    "mt_bench_answers": outputs_of_mt_bench,
    "plain": outputs_of_plain,
}
CASE_READERS: dict[str, Callable[[Job], Iterator[CaseRecord]]] = {
    "bfcl": cases_of_bfcl,
    "openai_evals": cases_of_openai_evals,
    "fine_tuning": cases_of_fine_tuning,
    "mt_bench": cases_of_mt_bench,
}
SUITE = "suite"
# Companions of outputs that are cases by themselves.
QUESTIONS = {
    "mt_bench_questions": ("mt_bench", "MT-bench questions: the first turn of each is asked"),
}
COMPANIONS = {
    "batch_input": "batch_output",
    "bfcl_answers": "bfcl",
    "mt_bench_questions": "mt_bench_answers",
}
WHAT_IS_WRONG = {
    "cases": "holds outputs, not cases. Add it as the outputs of a run.",
    "outputs": "holds cases, not outputs. Add it as a suite.",
    "companion": "belongs to another file. Add both together.",
}


def read_cases(
    sources: Sequence[Source],
    *,
    format: str | None = None,
    scorers: Collection[str] | None = None,
    limits: Limits = LIMITS,
) -> Reading[CaseRecord]:
    """Cases of a suite, one by one. A format with companions takes all files together.

    `format` overrides what was recognised; `scorers` are the names that exist, if they are to be
    checked.
    """

    def produce(log: Log, report: Report) -> Iterator[CaseRecord]:
        job = _job(sources, format, "cases", log, report, limits)
        unique = Unique(log)
        name = _main(job)
        found = cases_of_suite(job, scorers) if name == SUITE else CASE_READERS[name](job)
        for case in found:
            told = f"the id {shown(case.id)}"
            if name != SUITE and unique.refuse(told, case.row, case.line, case.id):
                continue
            if case.scorer is None and name == SUITE:
                log.note("no_scorer", case.row, case.line)
            report.categories[case.category] = report.categories.get(case.category, 0) + 1
            yield case

    return Reading(produce)


def read_outputs(
    sources: Sequence[Source],
    *,
    format: str | None = None,
    system: str | None = None,
    limits: Limits = LIMITS,
) -> Reading[OutputRecord]:
    """Outputs that exist, one by one.

    Where a file holds several systems (models, prompts, runs, filters) `system` chooses one; if
    it is None and there are several, that is an error which names them, and `report.systems`
    counts the outputs of each.
    """

    def produce(log: Log, report: Report) -> Iterator[OutputRecord]:
        job = _job(sources, format, "outputs", log, report, limits)
        unique = Unique(log)
        for record in OUTPUT_READERS[_main(job)](job):
            report.systems[record.system] = report.systems.get(record.system, 0) + 1
            if system is not None and record.system != system:
                continue
            told = f"the key {shown(record.key)}"
            where = (record.system, record.key, str(record.sample))
            if not unique.refuse(told, record.row, record.line, *where):
                _note(record, log)
                yield record
        _refuse_choice(system, report, log)

    return Reading(produce)


def _note(record: OutputRecord, log: Log) -> None:
    if record.error is not None:
        log.note("failed", record.row, record.line)
    if record.truncated:
        log.note("cut_off", record.row, record.line)
    if any(call.arguments is None for call in record.tool_calls or ()):
        log.note("undecodable_call", record.row, record.line)


def _refuse_choice(system: str | None, report: Report, log: Log) -> None:
    """Say that a system must be chosen, or that the chosen one is not there."""
    names = ", ".join(f"{shown(name, 80)} ({n:,})" for name, n in report.systems.items())
    if system is None and len(report.systems) > 1:
        text = f"the file holds outputs of several systems or filters. Choose one of: {names}."
        log.fault("choice_needed", text, first=True)
    elif system is not None and report.systems and system not in report.systems:
        text = f"no outputs are of {shown(system, 80)}. Choose one of: {names}."
        log.fault("choice_unknown", text, first=True)


def _job(
    sources: Sequence[Source],
    format: str | None,
    kind: Kind,
    log: Log,
    report: Report,
    limits: Limits,
) -> Job:
    """What every file is; raises HaltError, with all reasons logged, if they do not fit."""
    if not sources:
        raise ValueError("A reading takes one file or more.")
    inputs: list[Input] = []
    for source in sources:
        name = shown(source.name, 80)[1:-1] if len(sources) > 1 else ""
        found = recognise(source, limits)
        if isinstance(found, Fault):
            log.error(found.code, found.message, line=found.line, file=name)
        else:
            inputs.append(Input(source, _overridden(found, format, kind), name))
    report.recognised = tuple(one.recognised for one in inputs)
    job = Job(tuple(inputs), log, limits)
    _refuse_misfits(job, kind)
    if log.error_count:
        raise HaltError
    return job


def _overridden(found: Recognised, format: str | None, kind: Kind) -> Recognised:
    """The chosen format in place of the recognised one; companions stay what they are."""
    if kind == "cases" and found.format in QUESTIONS:
        name, words = QUESTIONS[found.format]
        found = Recognised(name, kind, words, found.layout)
    if format is None or found.kind == "companion":
        return found
    return Recognised(format, kind, found.words, found.layout)


def _refuse_misfits(job: Job, kind: Kind) -> None:
    mains = {one.recognised.format for one in job.inputs if one.recognised.kind == kind}
    for one in job.inputs:
        found = one.recognised
        if found.kind == "companion":
            wrong = COMPANIONS[found.format] not in mains
        else:
            wrong = found.kind != kind
        if wrong:
            which = "companion" if found.kind == "companion" else kind
            text = f"the file ({found.words}) {WHAT_IS_WRONG[which]}"
            job.log.fault("wrong_kind", text, file=one.name)
    if len(mains) > 1:
        told = ", ".join(sorted(mains))
        text = f"the files are of different formats ({told}). Add them one by one."
        job.log.fault("wrong_kind", text)


def _main(job: Job) -> str:
    return next(one.recognised.format for one in job.inputs if one.recognised.kind != "companion")
