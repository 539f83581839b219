"""JSON outputs and tool calls, laid out for reading. What is not JSON is left alone."""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from annotate.showing.blocks import Block, Call, Data, Span, paragraphs

MOST_CHARACTERS = 200_000
# One element of the page for each argument: longer ones are one text.
MOST_ARGUMENTS = 200
LINE = 60
DEEPEST = 40

# What a call may hold beside its name and arguments without losing anything by not being shown.
ENVELOPE = {"id", "type", "index", "call_id"}
ARGUMENTS = ("arguments", "parameters", "input", "args")
MESSAGE = {"role", "content", "tool_calls", "function_call", "refusal"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Value: TypeAlias = Any


class Members(tuple[tuple[str, Value], ...]):
    """An object's members as they were written: their order, and names that come twice."""

    __slots__ = ()

    def names(self) -> set[str]:
        return {name for name, _ in self}

    def get(self, wanted: str) -> Value:
        return next((value for name, value in self if name == wanted), None)


class Number(str):
    """A number as it was written: 1.10 is not 1.1, and 20 digits stay 20 digits."""

    __slots__ = ()


def parse(text: str) -> Members | list[Value] | None:
    """A JSON object or array, or None."""
    if len(text) > MOST_CHARACTERS or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(
            text,
            object_pairs_hook=Members,
            parse_float=Number,
            parse_int=Number,
            parse_constant=Number,
        )
        laid_out(value).encode()
    except (ValueError, RecursionError):
        return None
    return cast("Members | list[Value]", value)


def structured(text: str) -> list[Block] | None:
    """The blocks of an output that is JSON, or None."""
    value = parse(text)
    if value is None:
        return None
    return message_blocks(value) or [data(value)]


def data(value: Value) -> Data:
    return Data((Span(laid_out(value)),))


def message_blocks(value: Members | list[Value]) -> list[Block] | None:
    """An assistant's message with tool calls, one call, or a list of calls; or None."""
    content: Value = None
    calls: Value = value
    if isinstance(value, Members) and (value.get("tool_calls") or value.get("function_call")):
        content, calls = value.get("content"), value.get("tool_calls") or value.get("function_call")
        if not value.names() <= MESSAGE or not (content is None or _is_text(content)):
            return None
    blocks = _calls(calls if isinstance(calls, list) else [calls])
    if blocks is None:
        return None
    return [*blocks, *paragraphs([Span(content or "")])]


def called(message: Members) -> list[Block]:
    """The calls of a message of a conversation, laid out."""
    calls = message.get("tool_calls") or message.get("function_call")
    return _calls(calls if isinstance(calls, list) else [calls]) or [data(calls)]


def _calls(values: Iterable[Value]) -> list[Block] | None:
    calls = [_call(value) for value in values]
    found: list[Block] = [call for call in calls if call is not None]
    return found if found and len(found) == len(calls) else None


def _call(value: Value) -> Call | None:
    if not isinstance(value, Members):
        return None
    inner = value.get("function")
    if isinstance(inner, Members) and value.names() <= ENVELOPE | {"function"}:
        value = inner
    key = next((key for key in ARGUMENTS if key in value.names()), "")
    known = ENVELOPE | {"name", key}
    name = value.get("name")
    if not key or not _is_text(name) or not value.names() <= known:
        return None
    return _with_arguments(name, value.get(key))


def _with_arguments(name: str, arguments: Value) -> Call:
    if _is_text(arguments):
        arguments = parse(arguments) or arguments
    if isinstance(arguments, Members) and len(arguments) <= MOST_ARGUMENTS:
        return Call(name, tuple((key, laid_out(value)) for key, value in arguments))
    if arguments is None:
        return Call(name, ())
    return Call(name, (("", laid_out(arguments)),))


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def laid_out(value: Value, depth: int = 0) -> str:
    """JSON for reading: short things on one line, line ends inside texts as line ends."""
    if depth > DEEPEST:
        raise ValueError("too deep to lay out")
    if not isinstance(value, tuple | list):
        return _scalar(value)
    opening, closing = ("{", "}") if isinstance(value, Members) else ("[", "]")
    parts = [_part(part, depth) for part in value]
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) <= LINE and "\n" not in line:
        return line
    indent = "  " * (depth + 1)
    inside = ",\n".join(indent + part for part in parts)
    return f"{opening}\n{inside}\n{'  ' * depth}{closing}"


def _part(part: Value, depth: int) -> str:
    if isinstance(part, tuple) and not isinstance(part, Members):
        return f"{_scalar(part[0])}: {laid_out(part[1], depth + 1)}"
    return laid_out(part, depth + 1)


def _scalar(value: Value) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return '"' + CONTROL.sub(_escaped, value) + '"'
    return json.dumps(value)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
