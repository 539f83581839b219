"""Two runs of one suite become a batch for blind judging, by the same door as uploads."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from annotate.intake import Intake, RefusedError, import_batch
from annotate.models import Batch, User
from annotate.parsing import Options, Source
from annotate.parsing.contract import METADATA
from evals.matching import is_structured, parses
from evals.models import Case, Generation, Run, RunBatch
from evals.scoring import expected_of

FIELDS = ("item_id", "prompt", "baseline_output", "candidate_output", "category", "reference")
HIDDEN = ("suite", "baseline_run", "candidate_run", "case")
# Nothing is guessed from the names of columns.
MEANINGS = {name: name for name in FIELDS} | dict.fromkeys(HIDDEN, METADATA)
OFFERED = "These functions could be called:"


class PairingError(Exception):
    """These runs make no batch; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _LeftOut:
    case: str
    why: str

    def as_json(self) -> dict[str, str]:
        return {"case": self.case, "why": self.why}


def partner_of(run: Run) -> Run | None:
    """The run of the other system that is judged with this one: its pair's, or the latest."""
    others = Run.objects.filter(study=run.study, suite=run.suite, state=Run.State.DONE)
    systems = {Run.System.BASELINE, Run.System.CANDIDATE} - {Run.System(run.system)}
    others = others.filter(system__in=systems)
    return others.filter(pair=run.pair).first() or others.order_by("-number").first()


def batch_of_runs(baseline: Run, candidate: Run) -> RunBatch | None:
    """The batch that these runs have become already, if they have."""
    made = RunBatch.objects.filter(baseline_run=baseline, candidate_run=candidate)
    return made.select_related("batch").first()


def batch_from_runs(baseline: Run, candidate: Run, *, imported_by: User | None = None) -> Batch:
    """Make the answers of two runs a batch of their study; twice gives the same batch.

    Cases that one of the systems has not answered are left out, and the batch says which.

    Raises
    ------
    PairingError
        If the runs do not belong together or have not ended, or the study takes nothing in.
    """
    _refuse_strangers(baseline, candidate)
    if known := batch_of_runs(baseline, candidate):
        return known.batch
    rows, left_out = _rows(baseline, candidate)
    try:
        return _take_in(baseline, candidate, rows, left_out, imported_by)
    except RefusedError as error:
        # Somebody else was a moment faster: theirs is the batch.
        if known := batch_of_runs(baseline, candidate):
            return known.batch
        raise PairingError(str(error)) from error


def _refuse_strangers(baseline: Run, candidate: Run) -> None:
    if baseline.system != Run.System.BASELINE or candidate.system != Run.System.CANDIDATE:
        raise PairingError(
            f"Run {baseline.number} is of the {baseline.system} and run {candidate.number} of the "
            f"{candidate.system}: choose one of the baseline and one of the candidate."
        )
    if baseline.study_id != candidate.study_id:
        raise PairingError("The runs belong to different studies.")
    if baseline.suite_id != candidate.suite_id:
        raise PairingError(
            f"Run {baseline.number} answered {baseline.suite}, run {candidate.number} "
            f"{candidate.suite}: both must have answered the same version of a suite."
        )
    for run in (baseline, candidate):
        if run.state != Run.State.DONE:
            words = run.get_state_display().lower()
            raise PairingError(f"Run {run.number} is not done ({words}). Only whole runs pair up.")


def _rows(baseline: Run, candidate: Run) -> tuple[list[dict[str, Any]], list[_LeftOut]]:
    rows, left_out = [], []
    for case, answers in _answers(baseline, candidate):
        said = [_said(answers.get(run.pk)) for run in (baseline, candidate)]
        if faults := _faults(answers, baseline, candidate):
            left_out.append(_LeftOut(case.case_id, faults))
        else:
            rows.append(_row(case, baseline, candidate, said))
    return rows, left_out


def _answers(baseline: Run, candidate: Run) -> Iterator[tuple[Case, Mapping[int, Generation]]]:
    """Each case with the answers of both runs, in the order of the suite."""
    generations = Generation.objects.filter(run__in=(baseline, candidate)).defer("logprobs")
    found: dict[int, dict[int, Generation]] = {}
    for generation in generations:
        found.setdefault(generation.case_id, {})[generation.run_id] = generation
    for case in baseline.suite.cases.order_by("position"):
        yield case, found.get(case.pk, {})


def _faults(answers: Mapping[int, Generation], baseline: Run, candidate: Run) -> str:
    """Why a case cannot be shown: "the candidate's call failed (timeout)"."""
    told = [
        f"the {run.system} {why}"
        for run in (baseline, candidate)
        if (why := _fault(answers.get(run.pk)))
    ]
    return " and ".join(told)


def _fault(answer: Generation | None) -> str:
    if answer is None:
        return "was not asked"
    if answer.error:
        return f"ended in an error ({answer.error_kind})"
    return "" if _said(answer).strip() else "answered nothing"


def _said(answer: Generation | None) -> str:
    """An answer as people read it: its text, or its calls as JSON that pages lay out.

    Ids of calls are left out: how they are spelled gives the service away.
    """
    if answer is None:
        return ""
    text = answer.text or answer.refusal or ""
    if not answer.tool_calls:
        return text
    calls = ", ".join(_call(call) for call in answer.tool_calls)
    if not text.strip():
        return f"[{calls}]"
    return f'{{"role": "assistant", "content": {_json(text)}, "tool_calls": [{calls}]}}'


def _call(call: Mapping[str, Any]) -> str:
    """One call; arguments keep every digit that was written, and what is no JSON stays text."""
    arguments = call.get("arguments")
    if isinstance(arguments, str):
        whole = is_structured(arguments) and parses(arguments)
        written = arguments.strip() if whole else _json(arguments)
    else:
        written = _json({} if arguments is None else arguments)
    return f'{{"name": {_json(call.get("name"))}, "arguments": {written}}}'


def _row(case: Case, baseline: Run, candidate: Run, said: list[str]) -> dict[str, Any]:
    row = {
        "item_id": case.case_id,
        "prompt": _prompt(case),
        "baseline_output": said[0],
        "candidate_output": said[1],
        "suite": f"{case.suite.name}@{case.suite.version}",
        "baseline_run": baseline.number,
        "candidate_run": candidate.number,
        "case": case.position,
    }
    optional = {"category": case.category, "reference": _reference(case)}
    return row | {name: text for name, text in optional.items() if text}


def _prompt(case: Case) -> str:
    """One question as it is; a conversation, or a question with functions, as chat messages."""
    messages = list(case.messages)
    if case.tools:
        messages.append({"role": "system", "content": _offered(case.tools)})
    only = messages[0]
    if len(messages) == 1 and only.get("role") == "user" and isinstance(only.get("content"), str):
        return str(only["content"])
    return _json(messages)


def _offered(tools: list[dict[str, Any]]) -> str:
    """The functions that both systems could call, a line each: who judges has to know them."""
    lines = [OFFERED]
    for tool in tools:
        function = tool.get("function") if isinstance(tool.get("function"), dict) else tool
        assert isinstance(function, dict)
        schema = function.get("parameters")
        names = schema.get("properties", {}) if isinstance(schema, dict) else {}
        words = f": {function['description']}" if function.get("description") else ""
        lines.append(f"{function.get('name', '')}({', '.join(names)}){words}")
    return "\n".join(lines)


def _reference(case: Case) -> str:
    """What is right, for leads: the accepted answers, or the calls that are expected."""
    expected = expected_of(case)
    if expected.answers:
        return "\n".join(expected.answers)
    return _json(case.expected["tool_calls"]) if expected.tool_calls else ""


def _take_in(
    baseline: Run,
    candidate: Run,
    rows: list[dict[str, Any]],
    left_out: list[_LeftOut],
    imported_by: User | None,
) -> Batch:
    """Import what can be imported: a row that intake refuses is left out like an error."""
    while rows:
        with transaction.atomic():
            intake = _import(baseline, candidate, rows, imported_by)
            if intake.batch is not None:
                return _remember(intake.batch, baseline, candidate, left_out)
        faulty = {fault.row: fault.message for fault in intake.report.errors if fault.row}
        if not faulty:
            raise PairingError(intake.report.errors[0].message)
        left_out += [_LeftOut(str(rows[row - 1]["item_id"]), why) for row, why in faulty.items()]
        rows = [row for number, row in enumerate(rows, 1) if number not in faulty]
    raise PairingError(
        "No case has an answer of both systems that people could judge: "
        + "; ".join(f"{one.case}: {one.why}" for one in left_out[:3])
        + "."
    )


def _import(
    baseline: Run, candidate: Run, rows: list[dict[str, Any]], imported_by: User | None
) -> Intake:
    content = "".join(f"{_json(row)}\n" for row in rows).encode()
    suite = baseline.suite
    name = f"{suite.name} v{suite.version}, runs {baseline.number} and {candidate.number}"
    source = Source(f"{name}.jsonl", len(content), lambda: io.BytesIO(content))
    options = Options(mapping={name: MEANINGS[name] for row in rows for name in row})
    return import_batch(baseline.study, [source], options, name=name, imported_by=imported_by)


def _remember(batch: Batch, baseline: Run, candidate: Run, left_out: list[_LeftOut]) -> Batch:
    RunBatch.objects.create(
        batch=batch,
        baseline_run=baseline,
        candidate_run=candidate,
        left_out=[one.as_json() for one in left_out],
    )
    if left_out:
        cases = "1 case is" if len(left_out) == 1 else f"{len(left_out):,} cases are"
        which = "; ".join(f"{one.case}: {one.why}" for one in left_out[:5])
        more = "; …" if len(left_out) > 5 else ""
        message = f"{cases} left out, since there is nothing to compare. {which}{more}"
        fault = {"line": None, "row": None, "column": None, "code": "left_out", "message": message}
        batch.warnings = [fault, *batch.warnings]
        batch.save(update_fields=["warnings"])
    return batch


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
