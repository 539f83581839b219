"""What a case expects, read from the shapes in which suites write it."""

from collections.abc import Collection

from annotate.parsing.contract import JSON
from annotate.parsing.faults import shown
from evals.formats.chat import ShapeError
from evals.formats.records import Argument, Expected, ExpectedCall, Fields, ScorerSpec
from evals.formats.values import numbers, spelled

PARTS = frozenset({"answers", "answer", "tool_calls", "schema", "refuse"})
CHOICE = frozenset({"any_of", "optional"})


def expected_of(value: JSON) -> Expected:
    """A text, a number, a list of accepted texts, or an object that says more."""
    if not isinstance(value, dict):
        return Expected(answers=answers_of(value))
    if not value.keys() <= PARTS:
        odd = sorted(value.keys() - PARTS)[0]
        raise ShapeError(
            f"expected holds {shown(odd, 40)}. It may hold answers, tool_calls, schema and refuse."
        )
    calls = value.get("tool_calls")
    return Expected(
        answers=answers_of(value.get("answers", value.get("answer"))),
        tool_calls=None if calls is None else calls_of(calls),
        schema=_schema(value.get("schema")),
        refuse=_flag(value.get("refuse"), "refuse"),
    )


def answers_of(value: JSON) -> tuple[str, ...]:
    """Accepted answers as texts; numbers as the file spells them."""
    if value is None or value == "":
        return ()
    given = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float | bool) for one in given):
        raise ShapeError("an accepted answer is not a text. Quote it.")
    return tuple(spelled(one) for one in given)


def calls_of(value: JSON) -> tuple[ExpectedCall, ...]:
    if not isinstance(value, list):
        raise ShapeError("expected tool_calls are not a list. Write [] if none may be made.")
    return tuple(_call(one, number) for number, one in enumerate(value, 1))


def _call(value: JSON, number: int) -> ExpectedCall:
    name = value.get("name") if isinstance(value, dict) else None
    arguments = value.get("arguments", {}) if isinstance(value, dict) else None
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        raise ShapeError(
            f'expected call {number} is not {{"name": …, "arguments": {{…}}}}. Correct it.'
        )
    return ExpectedCall(name, {key: argument_of(one) for key, one in arguments.items()})


def argument_of(value: JSON) -> Argument:
    """{"any_of": [...], "optional": true}; anything else is the one value that is accepted."""
    if not isinstance(value, dict) or "any_of" not in value or not value.keys() <= CHOICE:
        return Argument((numbers(value),))
    accepted = value["any_of"]
    optional = bool(_flag(value.get("optional"), "optional"))
    if not isinstance(accepted, list) or not (accepted or optional):
        raise ShapeError("any_of is not a list of accepted values. Write at least one.")
    return Argument(tuple(_accepted(one) for one in accepted), optional)


def _accepted(value: JSON) -> JSON | Fields:
    if isinstance(value, dict) and value.keys() == {"fields"}:
        members = value["fields"]
        if isinstance(members, dict):
            return Fields({name: argument_of(one) for name, one in members.items()})
    return numbers(value)


def _schema(value: JSON) -> dict[str, JSON] | bool | None:
    if isinstance(value, dict):
        return {name: numbers(inner) for name, inner in value.items()}
    if value is not None and not isinstance(value, bool):
        raise ShapeError("the expected schema is not a JSON Schema. Write an object.")
    return value


def _flag(value: JSON, name: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ShapeError(f"{name} is neither true nor false. Write one of them.")
    return value


def scorer_of(value: JSON, known: Collection[str] | None) -> ScorerSpec | None:
    """A name, or {"name": …, "parameters": {…}}."""
    if value is None or value == "":
        return None
    given: JSON = {"name": value} if isinstance(value, str) else value
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(name, str):
        raise ShapeError('the scorer is not {"name": …, "parameters": {…}}. Correct it.')
    if known is not None and name not in known:
        told = ", ".join(sorted(known))
        raise ShapeError(f"no scorer is called {shown(name, 40)}. Scorers: {told}.")
    parameters = given.get("parameters") or {}
    if not isinstance(parameters, dict) or not given.keys() <= {"name", "parameters"}:
        raise ShapeError("parameters of a scorer are an object beside its name. Correct it.")
    return ScorerSpec(name, {key: numbers(one) for key, one in parameters.items()})


def usual_scorer(expected: Expected) -> ScorerSpec | None:
    """What a case that names no scorer is looked at with."""
    if expected.tool_calls is not None:
        return ScorerSpec("tool_calls")
    if expected.schema is not None:
        return ScorerSpec("json_schema")
    if expected.refuse is not None:
        return ScorerSpec("refusal")
    return ScorerSpec("exact_match") if expected.answers else None
