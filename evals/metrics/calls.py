"""Tool calls and what a case accepts, read from the shapes in which they come.

Calls that were made: chat completions, their older function_call, objects with a name and
arguments. Accepted calls: those, BFCL's ground truth, and our own with choices:
{"name": "f", "arguments": {"a": 1}, "accepted": {"b": ["x", "y"]}, "optional": ["b"]}.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evals.metrics.base import Accepted, ExpectedCall, Fields, Tool, ToolCall
from evals.metrics.json_text import Decoded, Faulty, decode_json
from evals.metrics.texts import clipped

# BFCL writes the types of Python, Java and JavaScript where JSON Schema has its own.
TYPES = {
    "dict": "object",
    "hashmap": "object",
    "float": "number",
    "double": "number",
    "int": "integer",
    "long": "integer",
    "short": "integer",
    "byte": "integer",
    "bigint": "integer",
    "bool": "boolean",
    "char": "string",
    "str": "string",
    "list": "array",
    "tuple": "array",
    "arraylist": "array",
    "set": "array",
    "none": "null",
}
ANYTHING = {"any", "dynamic"}
STANDARD = {"object", "array", "string", "number", "integer", "boolean", "null"}
# In BFCL's lists of accepted values, this one says that the argument may be left out.
MAY_BE_ABSENT = ""
OUR_KEYS = {"name", "arguments", "accepted", "optional"}


class CallShapeError(ValueError):
    """Something that should be a call, or a tool, is none; the message says what is wrong."""


def made_call(raw: object) -> ToolCall:
    """One call as the model made it; its arguments may be broken JSON, which is kept."""
    if not isinstance(raw, Mapping):
        raise CallShapeError("a call must be an object")
    function = raw.get("function", raw)
    inner = function if isinstance(function, Mapping) else raw
    name = function if isinstance(function, str) else inner.get("name")
    if not isinstance(name, str) or not name:
        raise CallShapeError("a call has no name")
    arguments = inner.get("arguments", inner.get("parameters"))
    if arguments is None:
        return ToolCall(name, {})
    if not isinstance(arguments, str | Mapping):
        raise CallShapeError(f"the arguments of {clipped(name, 60)} are neither text nor object")
    return ToolCall(name, arguments)


def arguments_of(call: ToolCall) -> Mapping[str, Any] | Faulty:
    """A call's arguments, decoded. Blank text is no arguments: servers send that for none."""
    text = _as_text(call.arguments)
    if isinstance(text, Faulty):
        return text
    if not text.strip():
        return {}
    found = decode_json(text)
    if isinstance(found, Decoded):
        if isinstance(found.value, dict):
            return found.value
        return Faulty("the arguments are JSON, but no object")
    return found


def _as_text(arguments: str | Mapping[str, Any]) -> str | Faulty:
    # An object is written and read again: it may be too deep for a validator in C, or hold what
    # JSON cannot.
    if isinstance(arguments, str):
        return arguments
    try:
        return json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return Faulty("the arguments hold something that JSON cannot")


def expected_calls(raw: object) -> tuple[ExpectedCall, ...]:
    """The calls that a case accepts, in any of the known shapes; [] means that none is right."""
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise CallShapeError("the expected calls must be a list; write [] where none is right")
    return tuple(_expected(place, call) for place, call in enumerate(raw, start=1))


def _expected(place: int, raw: object) -> ExpectedCall:
    try:
        if _is_bfcl(raw):
            ((name, arguments),) = raw.items()  # type: ignore[attr-defined]
            return ExpectedCall(name, {key: _choices(arguments[key], key) for key in arguments})
        return _plain(raw)
    except CallShapeError as error:
        raise CallShapeError(f"Expected call {place}: {error}.") from None


def _is_bfcl(raw: object) -> bool:
    if not isinstance(raw, Mapping) or len(raw) != 1:
        return False
    (value,) = raw.values()
    return isinstance(value, Mapping) and next(iter(raw)) not in ("function", "name")


def _choices(values: object, key: str) -> Accepted:
    """BFCL's list of accepted values; objects within hold such lists themselves."""
    if not isinstance(values, list) or not values:
        raise CallShapeError(f"{clipped(key, 60)!r} needs a list of accepted values")
    return Accepted(
        tuple(_with_fields(value) for value in values),
        optional=any(value == MAY_BE_ABSENT for value in values if isinstance(value, str)),
    )


def _with_fields(value: object) -> object:
    if isinstance(value, dict):
        lists = all(isinstance(inner, list) and inner for inner in value.values())
        if not lists:
            return value
        return Fields({key: _choices(inner, key) for key, inner in value.items()})
    if isinstance(value, list):
        return [_with_fields(inner) for inner in value]
    return value


def _plain(raw: object) -> ExpectedCall:
    call = made_call(raw)
    found = arguments_of(call)
    if isinstance(found, Faulty):
        raise CallShapeError(f"the arguments of {clipped(call.name, 60)}: {found.reason}")
    accepted = {key: Accepted((value,)) for key, value in found.items()}
    accepted |= _own_choices(raw)
    optional = raw.get("optional", [])  # type: ignore[attr-defined]
    if not isinstance(optional, list) or not set(map(str, optional)) <= accepted.keys():
        raise CallShapeError('"optional" must list arguments that the call has')
    return ExpectedCall(
        call.name,
        {key: Accepted(one.values, key in optional) for key, one in accepted.items()},
    )


def _own_choices(raw: object) -> dict[str, Accepted]:
    choices = raw.get("accepted", {})  # type: ignore[attr-defined]
    if not isinstance(choices, Mapping):
        raise CallShapeError('"accepted" must give each argument a list of values')
    for key, values in choices.items():
        if not isinstance(values, list) or not values:
            raise CallShapeError(f'"accepted": {clipped(str(key), 60)!r} needs a list of values')
    return {key: Accepted(tuple(values)) for key, values in choices.items()}


def offered_tools(raw: object) -> tuple[Tool, ...]:
    """The tools of a case: as chat completions write them, or as BFCL's `function` does."""
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise CallShapeError("the tools must be a list")
    return tuple(_tool(place, one) for place, one in enumerate(raw, start=1))


def _tool(place: int, raw: object) -> Tool:
    inner = raw.get("function", raw) if isinstance(raw, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        raise CallShapeError(f"Tool {place} has no name.")
    parameters = inner.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise CallShapeError(f"Tool {place}: its parameters must be a JSON Schema.")
    return Tool(inner["name"], parameters)


def as_json_schema(schema: object) -> Any:
    """A schema with BFCL's types as JSON Schema's own: "dict" is "object", "any" says nothing."""
    if isinstance(schema, list):
        return [as_json_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    mapped = {
        key: _members(value) if key in ("properties", "$defs") else _mapped(key, value)
        for key, value in schema.items()
    }
    if mapped.get("type") == "any":
        del mapped["type"]
    return mapped


def _members(value: object) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: as_json_schema(member) for name, member in value.items()}


def _mapped(key: str, value: object) -> Any:
    if key == "type" and isinstance(value, str):
        return _standard(value)
    # These hold data, in which "type" is a word like any other.
    return value if key in ("enum", "const", "default", "examples") else as_json_schema(value)


def _standard(name: str) -> str:
    if name in STANDARD:
        return name
    lowered = name.lower()
    if lowered in ANYTHING:
        return "any"
    return lowered if lowered in STANDARD else TYPES.get(lowered, name)
