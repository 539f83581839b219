"""Conversations: prompts that are lists of chat messages."""

import json
from dataclasses import dataclass

from annotate.parsing.contract import JSON
from annotate.parsing.jsontext import compact, too_deep

MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `calls` are the tools that it calls, None where none."""

    role: str
    content: str
    calls: JSON = None


def chat_messages(text: str) -> list[tuple[str, str]] | None:
    """(role, content) of each message if `text` is a JSON list of chat messages, else None."""
    found = conversation(text)
    return None if found is None else [_as_text(message) for message in found]


def conversation(text: str) -> list[Message] | None:
    """The messages of `text`, their calls apart, if it is a JSON list of them, else None."""
    if not text.lstrip().startswith("[") or too_deep(text, MAX_DEPTH):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return messages(value)


def messages(value: JSON) -> list[Message] | None:
    """The same of a decoded value."""
    if not isinstance(value, list) or not value:
        return None
    found = [_message(one) for one in value]
    told = [message for message in found if message is not None]
    return told if len(told) == len(found) else None


def _as_text(message: Message) -> tuple[str, str]:
    # An assistant that calls a tool often says nothing; the call is what it answered.
    calls = compact(message.calls) if message.calls else ""
    return message.role, "\n".join(part for part in (message.content, calls) if part)


def _message(value: JSON) -> Message | None:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        return None
    content = _content(value.get("content"))
    calls = value.get("tool_calls") or value.get("function_call")
    if calls and content is None:
        content = ""
    return Message(str(value["role"]), content, calls or None) if content is not None else None


def _content(value: JSON) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    parts = [_part(part) for part in value]
    texts = [part for part in parts if part is not None]
    return "\n".join(texts) if len(texts) == len(parts) else None


def _part(value: JSON) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return str(value["text"])
    return None
