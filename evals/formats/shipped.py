"""The suites that come with the product."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from annotate.parsing.contract import Source

FOLDER = Path(__file__).parent.parent / "suites_shipped"


@dataclass(frozen=True, slots=True)
class ShippedSuite:
    """A suite of ours: how it is called, what it is for, and the file that holds it."""

    name: str
    title: str
    words: str

    @property
    def source(self) -> Source:
        path = FOLDER / f"{self.name}.jsonl"

        def opened() -> BinaryIO:
            return path.open("rb")

        return Source(path.name, path.stat().st_size, opened)


SHIPPED = (
    ShippedSuite(
        "tool_calling",
        "Tool calling",
        "30 cases of an outdoor shop's assistant: 10 simple, 10 edge cases, 10 adversarial.",
    ),
    ShippedSuite(
        "side_by_side",
        "Prompts for an A/B",
        "20 open questions in five categories, for comparing two systems side by side.",
    ),
    ShippedSuite(
        "general_knowledge",
        "General knowledge",
        "50 questions in five categories with accepted answers, to notice what was forgotten.",
    ),
    ShippedSuite(
        "structured_output",
        "Structured output",
        "20 requests for JSON, each with the schema that the answer must fit.",
    ),
)


def shipped_suite(name: str) -> ShippedSuite:
    """Raises KeyError for a name that no shipped suite has."""
    return {suite.name: suite for suite in SHIPPED}[name]
