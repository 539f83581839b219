"""Tool calls: every kind of fault is named, no call is lost, nothing undecodable is forgiven."""

import copy
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics import Expected, Output, ParameterError, Scored, Tool, ToolCall, scorer_for
from evals.metrics.base import Result
from evals.metrics.calls import CallShapeError, expected_calls, made_call, offered_tools

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
    result: Result = scorer_for("tool_call", parameters)(output, expected)
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
    result = scorer_for("tool_call")(Output(error="503 after 5 tries"), Expected(tool_calls=()))

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


# --- what is accepted -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "given_", "right"),
    [
        (1, 1.0, True),
        (1, True, False),
        (True, 1, False),
        (1, "1", False),
        (None, None, True),
        (None, False, False),
        ([1, 2], [2, 1], False),
        ([1, [2]], [1.0, [2]], True),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("caf\u00e9", "cafe\u0301", True),
        ("Paris", "paris", False),
        (10**30, 10**30 + 1, False),
    ],
)
def test_values_are_compared_as_json_means_them(accepted: Any, given_: Any, right: bool) -> None:
    expected = Expected(tool_calls=expected_calls([{"name": "f", "arguments": {"x": accepted}}]))

    assert score(output_of(("f", {"x": given_})), expected).passed is right


@pytest.mark.parametrize(
    ("strings", "given_", "right"),
    [
        ("exact", "New York", False),
        ("loose", " new   york", True),
        ("loose", "new-york", False),
        ("bfcl", "new-york", True),
    ],
)
def test_texts_in_arguments_are_compared_as_stated(strings: str, given_: str, right: bool) -> None:
    calls = expected_calls([{"name": "f", "arguments": {"x": "NEW YORK"}}])

    result = score(output_of(("f", {"x": given_})), Expected(tool_calls=calls), strings=strings)

    assert result.passed is right


def test_our_own_shape_has_choices_and_optional_arguments() -> None:
    raw = {
        "name": "f",
        "arguments": {"a": 1},
        "accepted": {"b": ["x", "y"]},
        "optional": ["b"],
    }
    expected = Expected(tool_calls=expected_calls([raw]))

    for arguments in ({"a": 1}, {"a": 1, "b": "x"}, {"a": 1, "b": "y"}):
        assert score(output_of(("f", arguments)), expected).value == 1.0
    assert kinds(score(output_of(("f", {"a": 1, "b": "z"})), expected)) == {"wrong_value"}
    assert kinds(score(output_of(("f", {"b": "x"})), expected)) == {"missing_argument"}


def test_where_the_case_accepts_what_the_tool_does_not_the_case_counts_and_it_is_told() -> None:
    calls = expected_calls([{"weather": {"city": ["Paris", ""], "days": [None]}}])

    result = score(
        output_of(("weather", {"days": None})), Expected(tool_calls=calls, tools=(WEATHER,))
    )

    assert (result.value, result.parts["schema_valid"]) == (1.0, True)
    aside = result.parts["schema_set_aside"]
    assert isinstance(aside, tuple)
    assert len(aside) == 2


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"name": "f"}, "must be a list"),
        ([3], "Expected call 1: a call must be an object"),
        (
            [{"f": {"x": 3}}],
            "Expected call 1: 'x' needs a list of accepted values.",
        ),
        ([{"name": "f", "arguments": "{"}], "Expected call 1: the arguments of f"),
        ([{"name": "f", "arguments": {}, "optional": ["x"]}], '"optional" must list'),
        ([{"name": "f", "arguments": {}, "accepted": {"x": []}}], '"accepted"'),
    ],
)
def test_expected_calls_of_no_known_shape_are_refused_with_their_place(
    raw: Any, message: str
) -> None:
    with pytest.raises(CallShapeError) as refused:
        expected_calls(raw)

    assert message in str(refused.value)


def test_calls_are_read_from_all_shapes_in_which_they_come() -> None:
    chat = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    logged = {"id": "1", "type": "function", "function": "f", "arguments": {"a": 1}}

    assert made_call(chat) == ToolCall("f", '{"a": 1}')
    assert made_call(logged) == ToolCall("f", {"a": 1})
    assert made_call({"name": "f", "parameters": {"a": 1}}) == ToolCall("f", {"a": 1})
    for broken in ({}, {"name": 3}, {"name": "f", "arguments": 3}, None):
        with pytest.raises(CallShapeError):
            made_call(broken)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "weather", "arguments": {"city": "Paris"}}',
        '```json\n[{"name": "weather", "arguments": {"city": "Paris"}}]\n```',
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>',
        '{"weather": {"city": "Paris"}}',
        '{"tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Paris"}}}]}',
    ],
)
def test_calls_written_into_the_text_are_read_where_that_is_wanted(text: str) -> None:
    expected = Expected(tool_calls=PARIS, tools=(WEATHER,))

    assert score(Output(text), expected, read="text").value == 1.0
    assert score(Output(text), expected).parts["parse_error"] is True


def test_words_hold_no_call_wherever_calls_are_read() -> None:
    result = score(Output("It is sunny."), Expected(tool_calls=(), tools=(WEATHER,)), read="text")

    assert (result.value, result.parts["abstention"]) == (1.0, True)


def test_a_tool_whose_schema_is_faulty_leaves_that_column_empty() -> None:
    broken = offered_tools([{"name": "weather", "parameters": {"type": "nonsense"}}])

    result = score(
        output_of(("weather", {"city": "Paris"})), Expected(tool_calls=PARIS, tools=broken)
    )

    assert (result.value, result.parts["schema_valid"]) == (1.0, None)
    assert "nonsense" in str(result.parts["schema_unusable"])


def test_a_parameter_that_is_none_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'strings' is 'lax'\. It must be one of 'exact'"):
        scorer_for("tool_call", {"strings": "lax"})


# --- 600 real cases ---------------------------------------------------------------------------


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
