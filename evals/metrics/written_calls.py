"""Calls that a model wrote into its text: read where that is wanted, and never overlooked.

Text that sets out to be a call and cannot be read is no abstention, whatever it was meant to be.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from evals.metrics.base import Tool, ToolCall
from evals.metrics.calls import CallShapeError, made_call
from evals.metrics.json_text import Decoded, Faulty, decode_json, unfenced

_BLOCK = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
# How models begin a call that their server should have taken out of the text.
_MARKS = (
    "<tool_call",
    "<function_call",
    "<function=",
    "<|tool_call",
    "<|python_tag|>",
    "<|tool▁call",
    "[TOOL_CALLS]",
    "functools[",
)
_KEYS = re.compile(r'"(?:name|function|tool_calls)"\s*:')
_ARGUMENTS = re.compile(r'"(?:arguments|parameters)"\s*:')


def looks_like_a_call(text: str, tools: Sequence[Tool]) -> bool:
    """Whether a text sets out to be a call.

    A mark that models put before calls; or JSON, finished or not, with a name and arguments; or
    a text that begins, perhaps in brackets, with a tool's name and a parenthesis.
    """
    if any(mark in text for mark in _MARKS):
        return True
    inside = unfenced(text).strip().removeprefix("```json").removeprefix("```").lstrip()
    if inside[:1] in ("{", "[") and _KEYS.search(inside) and _ARGUMENTS.search(inside):
        return True
    bare = inside.lstrip("[ \n")
    return any(bare.startswith((f"{tool.name}(", f'{{"{tool.name}"')) for tool in tools)


def calls_in(text: str, tools: Sequence[Tool]) -> tuple[tuple[ToolCall, ...], str]:
    """The calls that a text consists of, and what could not be read of it ("" if nothing)."""
    blocks = _BLOCK.findall(text)
    pieces = blocks or [unfenced(text)]
    calls: list[ToolCall] = []
    for piece in pieces:
        found = decode_json(piece.strip())
        if isinstance(found, Faulty):
            attempted = blocks or looks_like_a_call(text, tools)
            return tuple(calls), f"not JSON: {found.reason}" if attempted else ""
        read, fault = _read(found, tools)
        calls += read
        if fault and (blocks or looks_like_a_call(text, tools)):
            return tuple(calls), fault
    return tuple(calls), ""


def _read(found: Decoded, tools: Sequence[Tool]) -> tuple[list[ToolCall], str]:
    value: Any = found.value
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    names = {tool.name for tool in tools}
    try:
        every = value if isinstance(value, list) else [value]
        return [_call(raw, names) for raw in every], ""
    except CallShapeError as error:
        return [], str(error)


def _call(raw: object, names: set[str]) -> ToolCall:
    """{"f": {…}} is a call where a tool is named f; else the shapes of `made_call`."""
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((name, arguments),) = raw.items()
        if name in names and isinstance(arguments, Mapping):
            return ToolCall(name, arguments)
    if isinstance(raw, Mapping) and not {"arguments", "parameters", "function"} & raw.keys():
        raise CallShapeError("a call has no arguments")
    return made_call(raw)
