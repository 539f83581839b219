"""Tool calls: every kind of fault is named, no call is lost, nothing undecodable is forgiven."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics import Expected, Output, Scored, Tool, ToolCall, scorer_for
from evals.metrics.base import Result
from evals.metrics.calls import expected_calls

Call = tuple[str, dict[str, Any]]
WEATHER = Tool(
    "weather",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
)
PARIS = expected_calls([{"name": "weather", "arguments": {"city": "Paris"}}])


def output_of(*calls: Call, **more: Any) -> Output:
    made = tuple(ToolCall(name, json.dumps(arguments)) for name, arguments in calls)
    return Output(tool_calls=made, **more)


def score(output: Output, expected: Expected, **parameters: Any) -> Scored:
    result: Result = scorer_for("tool_calls", parameters)(output, expected)
    assert isinstance(result, Scored)
    assert result.parts["call_correct"] is result.passed
    assert result.passed is (result.value == 1.0)
    return result


def kinds(result: Scored) -> set[str]:
    faults = result.parts["faults"]
    assert isinstance(faults, tuple)
    return {fault.partition(":")[0] for fault in faults}


def weather(*calls: Call, **more: Any) -> Scored:
    return score(output_of(*calls, **more), Expected(tool_calls=PARIS, tools=(WEATHER,)))


# --- one call ---------------------------------------------------------------------------------


def test_the_right_call_is_right_in_every_column() -> None:
    result = weather(("weather", {"city": "Paris"}))

    assert dict(result.parts) == {
        "call_correct": True,
        "name": True,
        "schema_valid": True,
        "arguments": True,
        "order": None,
        "extra_calls": 0,
        "missing_calls": 0,
        "abstention": None,
        "parse_error": False,
        "right_calls": 1,
        "schema_set_aside": (),
        "schema_unusable": None,
        "faults": (),
    }


@pytest.mark.parametrize(
    ("calls", "expected", "columns"),
    [
        ([("wether", {"city": "Paris"})], {"wrong_name", "unknown_tool"}, {"name": False}),
        ([("weather", {})], {"missing_argument", "schema"}, {"name": True, "arguments": False}),
        (
            [("weather", {"city": "Paris", "days": 2})],
            {"unexpected_argument"},
            {"schema_valid": True, "arguments": False},
        ),
        ([("weather", {"city": "Rome"})], {"wrong_value"}, {"schema_valid": True}),
        ([("weather", {"city": 3})], {"wrong_value", "schema"}, {"schema_valid": False}),
        ([], {"missing_call"}, {"missing_calls": 1, "name": False, "parse_error": False}),
        ([("weather", {"city": "Paris"})] * 2, {"extra_call"}, {"extra_calls": 1, "name": True}),
    ],
)
def test_each_fault_has_its_name_and_column(
    calls: list[Call], expected: set[str], columns: dict[str, Any]
) -> None:
    result = weather(*calls)

    assert result.value == 0.0
    assert kinds(result) == expected
    assert {name: result.parts[name] for name in columns} == columns


@pytest.mark.parametrize(
    "arguments",
    [
        '{"city": "Paris"',
        '{"city": "Paris", "city": "Paris"}',
        '{"city": NaN}',
        "[1]",
        '"Paris"',
        "[" * 5_000,
        '{"city": "\\ud800"}',
        '{"a":' * 200 + "1" + "}" * 200,
        "Paris\0",
        "9" * 5_000,
    ],
)
def test_arguments_that_cannot_be_decoded_are_a_parse_error(arguments: str) -> None:
    output = Output(tool_calls=(ToolCall("weather", arguments),))

    result = score(output, Expected(tool_calls=PARIS, tools=(WEATHER,)))

    assert (result.value, result.parts["parse_error"], result.parts["schema_valid"]) == (
        0.0,
        True,
        False,
    )
    assert kinds(result) == {"parse_error"}


def test_arguments_may_come_as_an_object_but_not_deeper_than_json_is_read() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50_000):
        deep = {"a": deep}

    plain = score(
        Output(tool_calls=(ToolCall("weather", {"city": "Paris"}),)), Expected(tool_calls=PARIS)
    )
    hostile = score(Output(tool_calls=(ToolCall("weather", deep),)), Expected(tool_calls=PARIS))

    assert plain.value == 1.0
    assert kinds(hostile) == {"parse_error"}
    while deep:
        deep = deep["a"]


def test_a_call_without_arguments_may_send_blank_text() -> None:
    expected = Expected(tool_calls=expected_calls([{"name": "now", "arguments": {}}]))

    assert score(Output(tool_calls=(ToolCall("now", ""),)), expected).value == 1.0


# --- no call ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "output",
    [
        Output(tool_calls=(ToolCall("weather", "{"),)),
        Output(text='<tool_call>{"name": "weather", "arg'),
        Output(text='```json\n{"name": "weather", "arguments": {"city": "Paris"}}\n```'),
        Output(text='{"name": "weather", "parameters": {"city": "Par'),
        Output(text="[weather(city='Paris')]"),
        Output(text="weather(city='Paris')"),
        Output(text="<function=weather>{}"),
        Output(text=None, finish_reason="tool_calls"),
        Output(text="", finish_reason="length"),
    ],
)
def test_an_undecodable_call_is_never_a_correct_abstention(output: Output) -> None:
    result = score(output, Expected(tool_calls=(), tools=(WEATHER,)))

    assert result.value == 0.0
    assert result.parts["abstention"] is False
    assert result.parts["parse_error"] is True
    assert "parse_error" in kinds(result)


@pytest.mark.parametrize(
    "output",
    [
        Output(text="The weather tool cannot tell that. Which city do you mean?"),
        Output(text='Here is some JSON: {"name": "Paris", "country": "France"}'),
        Output(text='{"name": "Paris", "country": "France"}', tool_calls=()),
        Output(text="", finish_reason="stop"),
        Output(text=None, refusal="I can't help with that."),
    ],
)
def test_an_answer_in_words_is_a_correct_abstention(output: Output) -> None:
    result = score(output, Expected(tool_calls=(), tools=(WEATHER,)))

    assert (result.value, result.parts["abstention"], result.parts["name"]) == (1.0, True, None)


def test_a_call_where_none_is_right_is_an_extra_call() -> None:
    result = score(output_of(("weather", {"city": "Rome"})), Expected(tool_calls=()))

    assert kinds(result) == {"extra_call"}
    assert result.parts["abstention"] is False


def test_a_failed_request_is_a_fail_and_never_an_abstention() -> None:
    result = scorer_for("tool_calls")(Output(error="503 after 5 tries"), Expected(tool_calls=()))

    assert isinstance(result, Scored)
    assert (result.value, result.passed) == (0.0, False)
    assert result.parts == {"fault": "no output: 503 after 5 tries"}


# --- several calls ----------------------------------------------------------------------------


def overlapping(*accepted: list[Any]) -> Expected:
    return Expected(tool_calls=expected_calls([{"f": {"x": values}} for values in accepted]))


def test_parallel_calls_are_matched_optimally_and_not_greedily() -> None:
    # Taking the first fit gives {1, 2} the 1, and leaves {1} with the 2.
    result = score(output_of(("f", {"x": 1}), ("f", {"x": 2})), overlapping([1, 2], [1]))

    assert (result.value, result.parts["right_calls"]) == (1.0, 2)


@given(
    st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=3), min_size=1, max_size=4),
    st.lists(st.integers(0, 4), max_size=4),
)
def test_as_many_calls_are_right_as_in_the_best_of_all_assignments(
    accepted: list[list[int]], given_: list[int]
) -> None:
    result = score(output_of(*(("f", {"x": x}) for x in given_)), overlapping(*accepted))

    padded = given_ + [-1] * (len(accepted) - len(given_))
    best = max(
        sum(x in values for x, values in zip(order, accepted, strict=False))
        for order in itertools.permutations(padded, len(accepted))
    )
    assert result.parts["right_calls"] == best
    assert result.passed is (best == len(accepted) == len(given_))


def test_order_is_told_and_counts_only_where_it_is_wanted() -> None:
    expected = overlapping([1], [2], [3])
    straight = output_of(*(("f", {"x": x}) for x in (1, 2, 3)))
    turned = output_of(*(("f", {"x": x}) for x in (3, 1, 2)))

    assert score(straight, expected, order="given").parts["order"] is True
    assert score(turned, expected).value == 1.0
    assert score(turned, expected).parts["order"] is False
    assert kinds(score(turned, expected, order="given")) == {"wrong_order"}
    # Where any order fits, the calls are taken as they came.
    assert score(straight, overlapping([1, 2, 3], [3, 2, 1], [2, 3, 1]), order="given").value == 1


def test_ten_thousand_calls_are_extra_and_soon_told() -> None:
    result = score(output_of(*[("f", {"x": 9})] * 10_000), overlapping([1], [2]))

    assert result.parts["extra_calls"] == 9_998
    faults = result.parts["faults"]
    assert isinstance(faults, tuple)
    assert len(faults) == 20
