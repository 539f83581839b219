"""Markdown and code, rendered on request: no link, no image, no HTML of the text's own."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from annotate.showing.cleaning import CODE_PREFIX, CleanHtml

# Beyond this a text is shown as it was sent: rendering has bad cases that grow with its square.
MOST_CHARACTERS = 50_000
MOST_CODE = 10_000
# The page has its own h1 and h2.
LOWER_BY = 2


def _colour(code: str, language: str, _attributes: str) -> str:
    """Code as spans with classes; an empty answer means: show it plain."""
    if not language or len(code) > MOST_CODE:
        return ""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True, classprefix=CODE_PREFIX)))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "highlight": _colour})
    parser.enable(["table", "strikethrough"])
    # What is not parsed is shown as it was written: an address stays readable, and dead.
    return parser.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])


PARSER = _parser()


def _lower_headings(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + LOWER_BY)}"


@lru_cache(maxsize=64)
def formatted(text: str) -> CleanHtml | None:
    """Markdown as cleaned HTML, or None where it is too long to be rendered."""
    if len(text) > MOST_CHARACTERS:
        return None
    environment: dict[str, Any] = {}
    tokens = PARSER.parse(text, environment)
    _lower_headings(tokens)
    return CleanHtml(PARSER.renderer.render(tokens, PARSER.options, environment))
