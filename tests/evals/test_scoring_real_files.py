"""Real outputs and real tool-calling cases, all the way through the database."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from annotate.models import Study
from annotate.parsing import Source
from evals.formats import read_cases, read_outputs
from evals.importing import import_outputs
from evals.metrics import Output, Scored, ToolCall, scorer_for
from evals.models import Generation, Run, Score, Suite
from evals.queries.runs import latest_pair
from evals.scoring import score_run
from evals.suites import expected_for, import_suite
from tests.evals.format_inputs import lines
from tests.evals.format_inputs import source as made
from tests.evals.test_metrics_bfcl import accepted_calls, missing_arguments, with_faults

pytestmark = pytest.mark.shared

Call = tuple[str, Any]
# Each fault that is put in, by the word that names it.
FAULTS = (
    "wrong_name", "missing_argument", "unexpected_argument", "wrong_value", "missing_call",
    "extra_call",
)  # fmt: skip


def source(path: Path) -> Source:
    return Source(path.name, path.stat().st_size, lambda: path.open("rb"))


# AlpacaEval: two real models.


def test_two_real_models_become_two_runs_that_pair(study: Study, shared: Path) -> None:
    folder = shared / "data" / "alpaca_eval"
    if not (folder / "reference.json").exists():
        pytest.skip(f"{folder} is missing")
    reference = json.loads((folder / "reference.json").read_text("utf-8"))
    models = [name for name, told in reference.items() if isinstance(told, dict)]
    runs = []
    for system, model in zip(("baseline", "candidate"), models, strict=True):
        taken = import_outputs(study, [source(folder / model / "model_outputs.json")],
                               system=system)  # fmt: skip

        assert taken.report.errors == []
        assert taken.run is not None
        assert taken.run.model == model
        assert taken.run.generations.count() == reference[model]["outputs"]
        assert not taken.run.generations.exclude(error="").exists()
        assert taken.scores.without_scorer == reference[model]["outputs"]
        datasets = Counter(taken.run.generations.values_list("case__category", flat=True))
        assert datasets == reference[model]["datasets"]
        runs.append(taken.run)

    assert runs[0].suite == runs[1].suite
    assert runs[0].suite.case_count == reference["instructions in both"]
    pair = latest_pair(study, runs[0].suite.name)
    assert pair is not None
    assert pair.runs == (runs[0], runs[1])
    for run, model in zip(runs, models, strict=True):
        records = json.loads((folder / model / "model_outputs.json").read_text("utf-8"))
        wanted = {record["instruction"]: record["output"] for record in records}
        stored = run.generations.values_list("case__messages", "text")
        assert {one[0]["content"]: text for one, text in stored} == wanted


# Inspect.


def test_real_logs_become_runs_with_all_that_was_measured(study: Study, shared: Path) -> None:
    logs = sorted((shared / "data" / "inspect").glob("*.eval"))
    logs += sorted((shared / "data" / "inspect").glob("*.json"))
    if not logs:
        pytest.skip("no Inspect logs")
    for number, path in enumerate(logs, start=1):
        records = [one for one in read_outputs([source(path)]) if one.sample == 1]
        taken = import_outputs(study, [source(path)], system="candidate")

        assert taken.report.errors == []
        assert taken.run is not None
        assert taken.run.number == number
        stored = {one.case.case_id: one for one in taken.run.generations.select_related("case")}
        assert set(stored) == {one.key for one in records}
        for record in records:
            one = stored[record.key]
            assert one.text == record.text
            assert one.prompt_tokens == record.tokens.prompt
            assert one.latency_ms == record.latency_ms
            assert set(one.imported_scores) == set(record.scores)
        expecting = sum(bool(one.case.expected) for one in stored.values())
        assert taken.scores.scored == expecting == len(records)


# BFCL.


def bfcl_files(shared: Path) -> list[tuple[Path, Path]]:
    answers = sorted((shared / "data" / "bfcl").glob("*.answers.jsonl"))
    pairs = [(path.with_name(path.name.replace(".answers", "")), path) for path in answers]
    if not pairs:
        pytest.skip("no BFCL files")
    return pairs


def truths_of(answers: Path) -> dict[str, list[Any]]:
    records = map(json.loads, answers.read_text("utf-8").splitlines())
    return {record["id"]: record["ground_truth"] for record in records}


def variants(truth: list[Any]) -> Iterator[tuple[str, list[Call]]]:
    """What is right, in two orders, and one of each fault put into it."""
    calls = accepted_calls(truth, 0)
    yield "right", calls
    yield "right", calls[::-1]
    met: set[str] = set()
    for place in range(len(calls)):
        faulty = [*with_faults(calls, place), *missing_arguments(calls, place, truth)]
        for kind, made_calls in faulty:
            if kind not in met:
                met.add(kind)
                yield kind, made_calls


def test_all_cases_as_suites_read_them_are_scored_as_they_should(shared: Path) -> None:
    scorer, tried = scorer_for("tool_calls"), Counter[str]()
    for questions, answers in bfcl_files(shared):
        truths = truths_of(answers)
        for case in read_cases([source(questions), source(answers)]):
            expected = expected_for(case.expected, case.tools)
            for kind, calls in variants(truths[case.id]):
                output = Output(tool_calls=tuple(ToolCall(*call) for call in calls))
                result = scorer(output, expected)

                assert isinstance(result, Scored)
                assert result.passed == (kind == "right"), (case.id, kind, result.parts)
                faults = result.parts["faults"]
                assert isinstance(faults, tuple)
                assert kind == "right" or any(one.startswith(kind) for one in faults), case.id
                tried[kind] += 1

    assert tried["right"] == 2 * 600
    assert set(tried) == {"right", *FAULTS}
    assert min(tried.values()) > 500


def plain_output(case_id: str, calls: Sequence[Call]) -> dict[str, Any]:
    told = [{"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for name, arguments in calls]  # fmt: skip
    text = None if calls else "There is nothing to call."
    return {"id": case_id, "prompt": "asked", "output": text, "tool_calls": told}


def test_real_cases_are_scored_through_the_database(study: Study, shared: Path) -> None:
    for questions, answers in bfcl_files(shared):
        suite = import_suite([source(questions), source(answers)], name=questions.stem).suite
        assert suite is not None
        every = max(1, suite.case_count // 60)
        by_kind = outputs_by_kind(list(truths_of(answers).items())[::every])
        for kind, outputs in by_kind.items():
            run = imported(study, suite, outputs)

            told = Score.objects.filter(generation__run=run, own=True)
            answered = told.exclude(generation__error_kind="missing")
            assert answered.count() == len(outputs) > 0
            for score in answered.select_related("scorer", "generation__case"):
                assert score.scorer.name == "tool_calls"
                assert score.passed == kind.startswith("right"), (kind, score.parts)
                assert kind.startswith("right") or any(
                    fault.startswith(kind) for fault in score.parts["faults"]
                ), (kind, score.generation.case.case_id, score.parts)
            # Cases without an output are there, and failed.
            assert told.count() == suite.case_count
            assert told.filter(passed=True).count() == (
                len(outputs) if kind.startswith("right") else 0
            )
            assert score_run(run).scored == 0


def outputs_by_kind(truths: list[tuple[str, list[Any]]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for case_id, truth in truths:
        kinds = Counter[str]()
        for kind, calls in variants(truth):
            kinds[kind] += 1
            if kind == "right" and kinds[kind] == 2 and len(calls) < 2:
                continue
            name = "right, turned round" if kind == "right" and kinds[kind] == 2 else kind
            found.setdefault(name, []).append(plain_output(case_id, calls))
    return found


def imported(study: Study, suite: Suite, outputs: list[dict[str, Any]]) -> Run:
    taken = import_outputs(study, [made(lines(*outputs))], system="candidate", suite=suite)
    assert taken.report.errors == []
    assert taken.run is not None
    assert Generation.objects.filter(run=taken.run, error_kind="").count() == len(outputs)
    return taken.run
