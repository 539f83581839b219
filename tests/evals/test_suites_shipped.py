"""The suites that come with the product: complete, consistent, and fit for their scorers."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from evals.formats import SHIPPED, CaseRecord, ExpectedCall, read_cases, shipped_suite
from evals.formats.records import Fields

SCORERS = {
    "exact_match",
    "contains",
    "regex",
    "numeric",
    "token_f1",
    "rouge_l",
    "bleu",
    "chrf",
    "perplexity",
    "json_valid",
    "json_schema",
    "tool_calls",
    "refusal",
    "llm_judge",
}


def cases(name: str) -> list[CaseRecord]:
    reading = read_cases([shipped_suite(name).source], scorers=SCORERS)
    found = list(reading)
    assert reading.report.errors == []
    return found


def every_case() -> Iterator[CaseRecord]:
    for suite in SHIPPED:
        yield from cases(suite.name)


def functions(case: CaseRecord) -> dict[str, Any]:
    tools: Any = case.tools
    return {tool["function"]["name"]: tool["function"] for tool in tools}


def schema_of(case: CaseRecord) -> dict[str, Any]:
    assert isinstance(case.expected.schema, dict)
    return case.expected.schema


def whole_arguments(call: ExpectedCall) -> dict[str, Any]:
    """The arguments of `call`, the first accepted value of each."""
    return {name: value_of(argument.accepted[0]) for name, argument in call.arguments.items()}


def value_of(accepted: Any) -> Any:
    if isinstance(accepted, Fields):
        return {name: value_of(one.accepted[0]) for name, one in accepted.members.items()}
    return accepted


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tool_calling", 30),
        ("side_by_side", 20),
        ("general_knowledge", 50),
        ("structured_output", 20),
    ],
)
def test_suite_has_the_cases_it_promises(name: str, count: int) -> None:
    assert len(cases(name)) == count
    assert str(count) in shipped_suite(name).words


def test_ids_are_unique_over_all_suites() -> None:
    ids = Counter(case.id for case in every_case())

    assert [key for key, count in ids.items() if count > 1] == []


def test_no_prompt_is_there_twice() -> None:
    prompts = Counter(json.dumps(case.messages) for case in every_case())

    assert [prompt for prompt, count in prompts.items() if count > 1] == []


def test_tool_calling_has_ten_cases_of_each_category() -> None:
    found = cases("tool_calling")

    assert Counter(case.category for case in found) == {
        "simple": 10,
        "edge_case": 10,
        "adversarial": 10,
    }
    assert {case.split for case in found} == {"target"}
    assert {case.scorer.name for case in found if case.scorer} == {"tool_calls"}


def test_edge_cases_hold_parallel_optional_alternative_nested_and_absent_calls() -> None:
    found = [case for case in cases("tool_calling") if case.category == "edge_case"]
    calls = [call for case in found for call in case.expected.tool_calls or ()]
    arguments = [argument for call in calls for argument in call.arguments.values()]

    assert any(len(case.expected.tool_calls or ()) > 1 for case in found)
    assert any(case.expected.tool_calls == () for case in found)
    assert any(argument.optional for argument in arguments)
    assert any(len(argument.accepted) > 1 for argument in arguments)
    assert any(isinstance(value, Fields) for one in arguments for value in one.accepted)
    assert any(not json.dumps(case.messages, ensure_ascii=False).isascii() for case in found)


def test_adversarial_cases_include_calls_that_must_and_must_not_be_made() -> None:
    found = [case for case in cases("tool_calling") if case.category == "adversarial"]
    made = [case for case in found if case.expected.tool_calls]

    assert 0 < len(made) < len(found)
    assert any(message["role"] == "tool" for case in found for message in case.messages)


def test_schemas_of_all_tools_are_valid() -> None:
    for case in every_case():
        for name, function in functions(case).items():
            assert jsonschema_rs.meta.is_valid(function["parameters"]), (case.id, name)


def test_expected_calls_use_offered_tools_with_arguments_that_fit() -> None:
    for case in cases("tool_calling"):
        for call in case.expected.tool_calls or ():
            schema = functions(case)[call.name]["parameters"]
            checked = jsonschema_rs.validator_for(schema, validate_formats=True)
            assert checked.is_valid(whole_arguments(call)), (case.id, call.name)


def test_every_accepted_value_of_an_argument_fits_its_schema() -> None:
    for case in cases("tool_calling"):
        for call in case.expected.tool_calls or ():
            schema = functions(case)[call.name]["parameters"]
            checked = jsonschema_rs.validator_for(schema, validate_formats=True)
            for name, argument in call.arguments.items():
                for accepted in argument.accepted:
                    given = {**whole_arguments(call), name: value_of(accepted)}
                    assert checked.is_valid(given), (case.id, name, accepted)


def test_optional_arguments_are_not_required_by_the_tool() -> None:
    for case in cases("tool_calling"):
        for call in case.expected.tool_calls or ():
            required = set(functions(case)[call.name]["parameters"]["required"])
            left_out = {name for name, one in call.arguments.items() if one.optional}
            assert not required & left_out, case.id
            assert required <= set(call.arguments), case.id


def test_calls_in_conversations_were_offered() -> None:
    for case in cases("tool_calling"):
        messages: Any = case.messages
        for message in messages:
            for call in message.get("tool_calls") or ():
                function = call["function"]
                schema = functions(case)[function["name"]]["parameters"]
                assert jsonschema_rs.is_valid(schema, json.loads(function["arguments"]))


def test_side_by_side_prompts_are_open_questions_of_several_kinds() -> None:
    found = cases("side_by_side")

    assert len({case.category for case in found}) >= 4
    assert all(case.expected.as_data() == {} and case.scorer is None for case in found)


def test_general_knowledge_has_ten_questions_in_each_of_five_categories() -> None:
    found = cases("general_knowledge")

    assert sorted(Counter(case.category for case in found).values()) == [10] * 5
    assert {case.split for case in found} == {"general"}
    assert {case.scorer.name for case in found if case.scorer} == {"exact_match", "numeric"}
    assert all(case.expected.answers for case in found)
    assert any(len(case.expected.answers) > 1 for case in found)


def test_numeric_answers_are_numbers() -> None:
    for case in cases("general_knowledge"):
        if case.scorer and case.scorer.name == "numeric":
            assert [float(answer) for answer in case.expected.answers], case.id


def test_structured_output_schemas_are_valid_and_fit_their_answers() -> None:
    for case in cases("structured_output"):
        schema = schema_of(case)
        assert jsonschema_rs.meta.is_valid(schema), case.id
        checked = jsonschema_rs.validator_for(schema, validate_formats=True)
        for answer in case.expected.answers:
            assert checked.is_valid(json.loads(answer)), case.id


def test_structured_output_schemas_refuse_something() -> None:
    for case in cases("structured_output"):
        checked = jsonschema_rs.validator_for(schema_of(case))
        answer = json.loads(case.expected.answers[0])
        extra = [*answer, {}] if isinstance(answer, list) else {**answer, "unasked": 1}
        assert not checked.is_valid(extra), case.id


def test_structured_output_prompts_show_the_schema_that_is_checked() -> None:
    for case in cases("structured_output"):
        prompt = str(case.messages[-1]["content"])
        assert json.loads(prompt[prompt.index("\n{") + 1 :]) == case.expected.schema, case.id


def test_schemas_refer_to_nothing_outside_of_themselves() -> None:
    for case in cases("structured_output"):
        for reference in references(case.expected.schema):
            assert reference.startswith("#"), case.id


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
