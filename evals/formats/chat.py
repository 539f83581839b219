"""Conversations, tools and tool calls, in the shapes that OpenAI and others give them."""

import json

from annotate.parsing.contract import JSON
from annotate.parsing.jsontext import compact
from evals.formats.records import Message, ToolCall
from evals.formats.values import a_dict, a_list, a_text

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
# What may stand in place of words.
INSTEAD = ("tool_calls", "function_call", "refusal", "audio")


class ShapeError(Exception):
    """A conversation, tool or call that nobody could send."""


def user(text: str) -> tuple[Message, ...]:
    return ({"role": "user", "content": text},)


def conversation(value: JSON) -> tuple[Message, ...]:
    """The messages of a prompt: a text is one message of the user."""
    if isinstance(value, str):
        if not value.strip():
            raise ShapeError("the prompt is empty. Write it.")
        return user(value)
    if not isinstance(value, list) or not value:
        raise ShapeError('a list of chat messages is needed. Write [{"role": …, "content": …}].')
    return tuple(_message(one, number) for number, one in enumerate(value, 1))


def _message(value: JSON, number: int) -> Message:
    if not isinstance(value, dict):
        raise ShapeError(f"message {number} is not an object. Write role and content.")
    role = value.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise ShapeError(f"message {number} has no role that is known. Use user, assistant, …")
    content = value.get("content")
    if not isinstance(content, str | list) and not any(value.get(name) for name in INSTEAD):
        raise ShapeError(f"message {number} has no content. Write it.")
    return value


def lenient(value: JSON) -> tuple[Message, ...]:
    """The messages of a prompt that was sent long ago; none if they cannot be told."""
    try:
        return conversation(value)
    except ShapeError:
        return ()


def content_text(content: JSON) -> str | None:
    """The words of a message: a text, or parts of which only those with text are read."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    told = [part if isinstance(part, str) else _part_text(a_dict(part)) for part in content]
    words = [text for text in told if text is not None]
    return "".join(words) if words else None


def _part_text(part: dict[str, JSON]) -> str | None:
    # Thinking is no part of the answer.
    if part.get("type") in ("reasoning", "thinking"):
        return None
    for name in ("text", "refusal"):
        if isinstance(part.get(name), str):
            return str(part[name])
    return None


def prompt_text(messages: tuple[Message, ...]) -> str | None:
    """The words of a prompt that is one message of the user; None for anything longer."""
    if len(messages) == 1 and messages[0].get("role") == "user":
        return content_text(messages[0].get("content"))
    return None


def tools_of(value: JSON) -> tuple[dict[str, JSON], ...]:
    """Tools in the shape of chat completions, whichever of three shapes they come in."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ShapeError('tools are not a list. Write [{"type": "function", …}].')
    return tuple(_tool(one, number) for number, one in enumerate(value, 1))


def _tool(value: JSON, number: int) -> dict[str, JSON]:
    tool = a_dict(value)
    if tool.get("type", "function") != "function":
        return tool
    function = a_dict(tool.get("function")) or {k: v for k, v in tool.items() if k != "type"}
    if not a_text(function.get("name")):
        raise ShapeError(f"tool {number} has no name. Write one.")
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise ShapeError(f"the parameters of tool {number} are not a JSON Schema.")
    return {"type": "function", "function": function}


def tool_calls_of(message: dict[str, JSON]) -> tuple[ToolCall, ...]:
    """Calls of an assistant's message, the older single call included."""
    calls = [tool_call(a_dict(one)) for one in a_list(message.get("tool_calls"))]
    legacy = a_dict(message.get("function_call"))
    return (*calls, tool_call(legacy)) if legacy else tuple(calls)


def tool_call(call: dict[str, JSON]) -> ToolCall:
    """One call: name and arguments directly, or inside of "function"; arguments object or text."""
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    name = function if isinstance(function, str) else inner.get("name")
    told = name if isinstance(name, str) else ""
    return _with_arguments(told, inner.get("arguments", inner.get("input", inner.get("args"))))


def _with_arguments(name: str, value: JSON) -> ToolCall:
    if isinstance(value, dict):
        return ToolCall(name, value, compact(value))
    if value is None or value == "":
        # Some endpoints leave out the arguments of a function without any.
        return ToolCall(name, {}, "")
    if not isinstance(value, str):
        return ToolCall(name, None, compact(value), "the arguments are not an object")
    try:
        found = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return ToolCall(name, None, value, f"the arguments are not valid JSON: {error}")
    if not isinstance(found, dict):
        return ToolCall(name, None, value, "the arguments are not an object")
    return ToolCall(name, found, value)


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
