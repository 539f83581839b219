"""600 real tool-calling cases: what is accepted is right; with one fault put in it is not."""

import copy
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.metrics import Expected
from evals.metrics.calls import expected_calls, offered_tools
from tests.evals.test_metrics_tool_call import Call, kinds, output_of, score


def bfcl(shared: Path) -> Iterator[tuple[Expected, list[Any]]]:
    for answers in sorted((shared / "data" / "bfcl").glob("*.answers.jsonl")):
        cases = answers.with_name(answers.name.replace(".answers", ""))
        for case, answer in zip(_lines(cases), _lines(answers), strict=True):
            assert case["id"] == answer["id"]
            truth = answer["ground_truth"]
            tools = offered_tools(case["function"])
            yield Expected(tool_calls=expected_calls(truth), tools=tools), truth


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def filled(accepted: Any, pick: int) -> Any:
    """One accepted value of each argument, left out where only absence is accepted."""
    if isinstance(accepted, dict):
        chosen = {name: _pick(values, pick) for name, values in accepted.items()}
        return {name: value for name, value in chosen.items() if value != ""}
    return [filled(one, pick) for one in accepted] if isinstance(accepted, list) else accepted


def _pick(values: list[Any], pick: int) -> Any:
    real = [value for value in values if value != ""]
    return filled(real[pick % len(real)], pick) if real else ""


def accepted_calls(truth: list[Any], pick: int) -> list[Call]:
    return [(name, filled(args, pick)) for call in truth for name, args in call.items()]


def without_optional(truth: list[Any]) -> list[Call]:
    return [
        (name, {key: _pick(values, 0) for key, values in args.items() if "" not in values})
        for call in truth
        for name, args in call.items()
    ]


@pytest.mark.shared
def test_accepted_answers_of_real_cases_are_right_without_exception(shared: Path) -> None:
    tried = 0
    for expected, truth in bfcl(shared):
        for pick in range(4):
            calls = accepted_calls(truth, pick)
            for order in (calls, calls[::-1], random.Random(pick).sample(calls, len(calls))):
                result = score(output_of(*order), expected)
                assert result.value == 1.0, (truth, result.parts["faults"])
                tried += 1
        assert score(output_of(*without_optional(truth)), expected).value == 1.0, truth

    assert tried == 600 * 12


Fault = tuple[str, list[Call]]


def with_faults(calls: list[Call], place: int) -> Iterator[Fault]:
    """The same calls with one fault put into one of them."""
    name, arguments = calls[place]

    def but(call: Call) -> list[Call]:
        return [*calls[:place], call, *calls[place + 1 :]]

    yield "wrong_name", but((name + "_2", arguments))
    yield "unexpected_argument", but((name, {**arguments, "surprise": 1}))
    yield "missing_call", calls[:place] + calls[place + 1 :]
    yield "extra_call", [*calls, copy.deepcopy(calls[place])]
    yield "extra_call", [*calls, ("another", {})]
    for key, value in arguments.items():
        yield "wrong_value", but((name, {**arguments, key: _wrong(value)}))


def _wrong(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "neither"
    if isinstance(value, str):
        return value + " or so"
    return value + 17.5 if isinstance(value, int | float) else {"quite": "another"}


@pytest.mark.shared
def test_one_fault_put_into_a_real_case_scores_0_and_is_named(shared: Path) -> None:
    tried: dict[str, int] = {}
    for expected, truth in bfcl(shared):
        calls = accepted_calls(truth, 0)
        for place in range(len(calls)):
            for kind, faulty in itertools.chain(
                with_faults(calls, place), missing_arguments(calls, place, truth)
            ):
                result = score(output_of(*faulty), expected)
                assert result.value == 0.0, (kind, faulty)
                assert kind in kinds(result), (kind, faulty, result.parts["faults"])
                tried[kind] = tried.get(kind, 0) + 1

    assert set(tried) == {
        "wrong_name",
        "missing_argument",
        "unexpected_argument",
        "wrong_value",
        "missing_call",
        "extra_call",
    }
    assert min(tried.values()) >= 600


def missing_arguments(calls: list[Call], place: int, truth: list[Any]) -> Iterator[Fault]:
    name, arguments = calls[place]
    (accepted,) = truth[place].values()
    for key in arguments:
        if "" not in accepted[key]:
            fewer = {other: value for other, value in arguments.items() if other != key}
            yield "missing_argument", [*calls[:place], (name, fewer), *calls[place + 1 :]]
