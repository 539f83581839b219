"""Characters that cannot be seen, or that turn the text around: made visible on request."""

import re
import unicodedata

from annotate.showing.blocks import Span

# Controls of direction, zero-width and other format characters, controls, odd spaces,
# variation selectors and tags. Line ends and tabs are ordinary.
HIDDEN = re.compile(
    "([\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5"
    "\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0e\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff])"
)
# Ordinary typography and emoji are no trick: no-break and ideographic spaces, joiners.
ORDINARY = re.compile("[\xa0\u202f\u3000\u200d]")


def has_hidden(*texts: str) -> bool:
    return any(not ORDINARY.match(found[0]) for text in texts for found in HIDDEN.finditer(text))


def name_hidden(text: str) -> list[Span]:
    """The text with every hidden character replaced by its number and name."""
    parts = HIDDEN.split(text)
    return [
        Span(_name(part), "hidden") if place % 2 else Span(part)
        for place, part in enumerate(parts)
        if part
    ]


def _name(character: str) -> str:
    number = f"U+{ord(character):04X}"
    return f"{number} {unicodedata.name(character, '')}".strip()
