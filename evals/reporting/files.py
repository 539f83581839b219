"""The files that a verdict comes as: one page, Markdown, JSON, JUnit."""

from collections.abc import Callable
from dataclasses import dataclass

from evals.reporting.decided import Document, decided_json
from evals.reporting.decided_html import decided_html
from evals.reporting.decided_markdown import decided_markdown
from evals.reporting.junit import junit


@dataclass(frozen=True, slots=True)
class FileKind:
    """How a document is written, and what a browser is told that it is."""

    title: str
    content_type: str
    write: Callable[[Document], bytes]


FILES = {
    "html": FileKind("HTML", "text/html; charset=utf-8", decided_html),
    "md": FileKind("Markdown", "text/markdown; charset=utf-8", decided_markdown),
    "json": FileKind("JSON", "application/json", decided_json),
    "xml": FileKind("JUnit", "application/xml", lambda one: junit(dict(one.evidence))),
}
