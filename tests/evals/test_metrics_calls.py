"""Which values of an argument are accepted, and the shapes in which calls and answers come."""

from typing import Any

import pytest

from evals.metrics import Expected, Output, ParameterError, ToolCall, scorer_for
from evals.metrics.calls import CallShapeError, expected_calls, made_call, offered_tools
from tests.evals.test_metrics_tool_call import PARIS, WEATHER, kinds, output_of, score


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
        scorer_for("tool_calls", {"strings": "lax"})
