"""Uploads: bytes to rows, or every faulty line. Knows formats; knows no database and no web."""

from annotate.parsing.chat import chat_messages
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
from annotate.parsing.reading import Reading

__all__ = [
    "FIELDS",
    "JSON",
    "SEPARATORS",
    "Cures",
    "Fault",
    "Limits",
    "Options",
    "Reading",
    "Report",
    "Row",
    "Source",
    "chat_messages",
]
