"""Rows that a warning is about, cut to what shows why."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

CHARS = 240
# How much of it stands before the place that is shown.
BEFORE = 80


@dataclass(frozen=True, slots=True)
class Concern:
    """A row that a warning is about: (field, excerpt) of what shows it.

    `repeats` is the line of the earlier row that it is a copy of, if it is one.
    """

    line: int
    row: int
    item_id: str
    texts: Sequence[tuple[str, str]]
    repeats: int | None = None


def excerpt(text: str, at: int = 0) -> str:
    """A piece of `text` that holds the place `at`."""
    start = max(0, at - BEFORE) if len(text) > CHARS else 0
    end = start + CHARS
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}"


def last_words(text: str) -> str:
    return excerpt(text, max(0, len(text) - CHARS + BEFORE))


def spelled(text: str, at: int) -> str:
    """The piece around a character that nobody would see: spelled out, name and all."""
    character = text[at]
    name = unicodedata.name(character, "control character").lower()
    before = text[max(0, at - BEFORE) : at]
    after = text[at + 1 : at + 1 + BEFORE]
    start, end = "…" * (at > BEFORE), "…" * (at + 1 + BEFORE < len(text))
    return f"{start}{before}[U+{ord(character):04X} {name}]{after}{end}"
