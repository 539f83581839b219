"""The only door through which HTML made of untrusted text enters a page."""

import nh3
from pygments.token import STANDARD_TYPES

# No link, no image, nothing that loads, runs or has an address.
TAGS = {"p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"}
TAGS |= {"em", "strong", "s", "span", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"ol": {"start"}}
# What Pygments calls its tokens, with a prefix that no class of the pages has.
CODE_PREFIX = "code-"
TOKEN_CLASSES = frozenset(CODE_PREFIX + name for name in STANDARD_TYPES.values() if name)


class CleanHtml(str):
    """HTML that has been cleaned: making one is cleaning it, so there is no unclean one.

    Templates insert it as it is. Whatever a method of `str` makes of it is plain text
    again, and is escaped.
    """

    __slots__ = ()

    def __new__(cls, untrusted: str) -> "CleanHtml":
        cleaned = nh3.clean(
            untrusted,
            tags=TAGS,
            attributes=ATTRIBUTES,
            allowed_classes={"span": set(TOKEN_CLASSES)},
            url_schemes=set(),
            strip_comments=True,
        )
        return super().__new__(cls, cleaned)

    def __html__(self) -> str:
        return self
