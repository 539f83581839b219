"""Prompts as keys: when two of them count as the same.

White space and the spelling of accents (Unicode NFC) are no difference. First whole conversations
are compared, then the last words of the user, since files often lack the system's message.
"""

import json
import unicodedata
from collections.abc import Sequence
from typing import Any

from evals.formats.chat import content_text


def levelled(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def whole_key(messages: Sequence[Any]) -> str:
    """A conversation with its roles; "" where there is none."""
    if not messages:
        return ""
    turns = [[str(one.get("role", "")), _words(one)] for one in messages if isinstance(one, dict)]
    return json.dumps(turns, ensure_ascii=False)


def last_key(messages: Sequence[Any]) -> str:
    """What the user said last; "" where that is nothing."""
    for one in reversed(messages):
        if isinstance(one, dict) and one.get("role") == "user":
            return _words(one)
    return ""


def _words(message: dict[str, Any]) -> str:
    return levelled(content_text(message.get("content")) or "")
