"""Whether a scorer can look at a case at all: asked of itself, with a harmless answer."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from annotate.parsing import JSON
from evals.formats import CaseRecord, ScorerSpec
from evals.formats import Expected as ExpectedRecord
from evals.formats import Fields as FieldsRecord
from evals.formats.records import Argument
from evals.metrics import (
    Accepted,
    Expected,
    ExpectedCall,
    Fields,
    Output,
    ParameterError,
    Result,
    Scorer,
    TokenLogprob,
    scorer_for,
)
from evals.metrics.calls import CallShapeError, as_json_schema, offered_tools
from evals.metrics.json_schema import compile_schema

# An answer that every scorer can look at: what has no score even so never will have one.
PROBE = Output(
    text="0", finish_reason="stop", logprobs=(TokenLogprob("0", -0.1, (48,)),), tool_calls=None
)


def scorer_of_spec(spec: ScorerSpec) -> Scorer:
    """The scorer that `spec` names, ready.

    Raises
    ------
    ParameterError
        If there is none of that name, or it cannot work with these parameters.
    """
    return _scorer(spec.name, _sorted(dict(spec.parameters)))


_sorted = json.JSONEncoder(sort_keys=True).encode


@lru_cache(maxsize=256)
def _scorer(name: str, parameters: str) -> Scorer:
    return scorer_for(name, json.loads(parameters))


def scorer_fault(spec: ScorerSpec) -> str:
    """Why the scorer cannot be used, with the cure; empty if it can."""
    try:
        scorer_of_spec(spec)
    except ParameterError as error:
        return str(error)
    return ""


def probed(case: CaseRecord, spec: ScorerSpec) -> Result:
    """What `spec` says of a harmless answer to `case`: Unscored if no answer could be scored."""
    return scorer_of_spec(spec)(PROBE, expected_for(case.expected, case.tools))


def tool_fault(tools: Sequence[Mapping[str, JSON]]) -> str:
    """What is wrong with the first tool that no scorer can read; empty if all can be read."""
    try:
        offered = offered_tools(list(tools))
    except CallShapeError as error:
        return f"{str(error).rstrip('.')}. Only functions can be offered: write its name."
    for tool in offered:
        if tool.parameters is None:
            continue
        try:
            compile_schema(as_json_schema(tool.parameters))
        except ParameterError as error:
            return f"{tool.name}: {error}"
    return ""


def expected_for(expected: ExpectedRecord, tools: Sequence[Mapping[str, JSON]] = ()) -> Expected:
    """What a file expects, as scorers see it."""
    calls = None
    if expected.tool_calls is not None:
        calls = tuple(
            ExpectedCall(call.name, _arguments(call.arguments)) for call in expected.tool_calls
        )
    return Expected(
        answers=expected.answers,
        tool_calls=calls,
        schema=expected.schema,
        tools=offered_tools(list(tools)),
        refuse=expected.refuse,
    )


def _arguments(arguments: Mapping[str, Argument]) -> dict[str, Accepted]:
    return {name: _accepted(argument) for name, argument in arguments.items()}


def _accepted(argument: Argument) -> Accepted:
    return Accepted(tuple(_value(one) for one in argument.accepted), argument.optional)


def _value(value: object) -> object:
    return Fields(_arguments(value.members)) if isinstance(value, FieldsRecord) else value
