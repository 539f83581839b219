"""Real files of other tools, kept outside the project."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from annotate.parsing import Fault, Source
from evals.formats import Fields, Recognised, read_cases, read_outputs, recognise

pytestmark = pytest.mark.shared


def source(path: Path) -> Source:
    return Source(path.name, path.stat().st_size, lambda: path.open("rb"))


def bfcl_pairs(shared: Path) -> list[tuple[Path, Path]]:
    answers = sorted((shared / "data" / "bfcl").glob("*.answers.jsonl"))
    return [(path.with_name(path.name.replace(".answers", "")), path) for path in answers]


def test_bfcl_is_read_whole(shared: Path) -> None:
    pairs = bfcl_pairs(shared)
    if not pairs:
        pytest.skip("no BFCL files")
    for questions, answers in pairs:
        reading = read_cases([source(answers), source(questions)])
        found = list(reading)
        lines = questions.read_text("utf-8").splitlines()

        assert reading.report.errors == []
        assert [case.id for case in found] == [json.loads(line)["id"] for line in lines]
        for case in found:
            assert case.expected.tool_calls
            assert {call.name for call in case.expected.tool_calls} <= tool_names(case.tools)


def test_bfcl_schemas_become_valid_json_schema(shared: Path) -> None:
    for pair in bfcl_pairs(shared):
        for case in read_cases([source(path) for path in pair]):
            tools: Any = case.tools
            for tool in tools:
                assert jsonschema_rs.meta.is_valid(tool["function"]["parameters"]), case.id


def test_bfcl_accepted_values_keep_their_meaning(shared: Path) -> None:
    for questions, answers in bfcl_pairs(shared):
        truths = {
            record["id"]: record["ground_truth"]
            for record in map(json.loads, answers.read_text("utf-8").splitlines())
        }
        for case in read_cases([source(questions), source(answers)]):
            for call, truth in zip(case.expected.tool_calls or (), truths[case.id], strict=True):
                ((name, arguments),) = truth.items()
                assert call.name == name
                assert call.arguments.keys() == arguments.keys()
                for key, given in arguments.items():
                    argument = call.arguments[key]
                    plain = [v for v in argument.accepted if not isinstance(v, Fields)]
                    assert argument.optional == ("" in given)
                    assert all(v in given or isinstance(v, list | str) for v in plain)


def tool_names(tools: Any) -> set[str]:
    return {tool["function"]["name"] for tool in tools}


def test_inspect_logs_are_read_as_their_own_tool_wrote_them(shared: Path) -> None:
    logs = sorted((shared / "data" / "inspect").glob("*.eval"))
    logs += sorted((shared / "data" / "inspect").glob("*.json"))
    if not logs:
        pytest.skip("no Inspect logs")
    for path in logs:
        kind = recognise(source(path))
        reading = read_outputs([source(path)])
        found = list(reading)

        assert isinstance(kind, Recognised)
        assert kind.format == f"inspect_{path.suffix[1:]}"
        assert reading.report.errors == []
        assert found
        assert len({(one.key, one.sample) for one in found}) == len(found)
        for one in found:
            assert one.text
            assert one.prompt
            assert one.tokens.prompt
            assert one.model


def test_inspect_epochs_are_told_apart(shared: Path) -> None:
    path = shared / "data" / "inspect" / "epochs.eval"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    found = list(read_outputs([source(path)]))

    assert set(Counter(one.key for one in found).values()) == {2}
    assert {one.sample for one in found} == {1, 2}


def test_alpaca_outputs_of_two_models_are_paired(shared: Path) -> None:
    folder = shared / "data" / "alpaca_eval"
    if not (folder / "reference.json").exists():
        pytest.skip(f"{folder} is missing")
    reference = json.loads((folder / "reference.json").read_text("utf-8"))
    models = [name for name, told in reference.items() if isinstance(told, dict)]
    keys: list[set[str]] = []
    for name in models:
        reading = read_outputs([source(folder / name / "model_outputs.json")])
        found = list(reading)
        texts = [one.text or "" for one in found]

        assert reading.report.errors == []
        assert reading.report.systems == {name: reference[name]["outputs"]}
        assert Counter(one.metadata["dataset"] for one in found) == reference[name]["datasets"]
        mean = sum(map(len, texts)) / len(texts)
        assert mean == pytest.approx(reference[name]["mean_characters"], abs=5e-4)
        keys.append({one.key for one in found})

    assert len(keys[0] & keys[1]) == reference["instructions in both"]


def test_preferences_of_a_judge_are_not_outputs(shared: Path) -> None:
    for path in (shared / "data" / "alpaca_eval").glob("*/judge_preferences.json"):
        found = recognise(source(path))

        assert isinstance(found, Fault)
        assert "annotations" in found.message


def test_hostile_files_are_refused_or_read_without_an_accident(shared: Path) -> None:
    paths = [path for path in sorted((shared / "hostile").rglob("*")) if path.is_file()]
    if not paths:
        pytest.skip("no hostile files")
    for path in paths:
        found = recognise(source(path))
        if isinstance(found, Fault):
            assert found.message
            continue
        for read in (read_cases, read_outputs):
            reading: Any = read([source(path)])
            records = list(reading)
            assert records or reading.report.errors, path.name
