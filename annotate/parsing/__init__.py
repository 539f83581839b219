"""Uploads: bytes to rows, or every faulty line. Knows formats; knows no database and no web."""

from annotate.parsing.chat import Message, chat_messages, conversation
from annotate.parsing.contract import (
    FIELDS,
    JSON,
    SEPARATORS,
    Cures,
    Fault,
    Limits,
    Options,
    Report,
    Row,
    Source,
)
from annotate.parsing.jsontext import compact
from annotate.parsing.reading import Reading

__all__ = [
    "FIELDS",
    "JSON",
    "SEPARATORS",
    "Cures",
    "Fault",
    "Limits",
    "Message",
    "Options",
    "Reading",
    "Report",
    "Row",
    "Source",
    "chat_messages",
    "compact",
    "conversation",
]
