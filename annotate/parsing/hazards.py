"""Characters that a database refuses or that deceive the eye."""

import re
from collections.abc import Iterator

REFUSED = re.compile(r"[\x00\ud800-\udfff]")

_CONTROL = r"\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN = r"\xad\u115f\u1160\u180e\u200b\u2060-\u2065\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_JOINERS = r"\u200c\u200d"

# One pass over a text that has nothing of the kind, which is nearly every text.
_ASCII_CONTROL = bytes(code for code in (*range(32), 127) if chr(code) not in "\t\n\r")
_ANY = re.compile(f"[\\x00{_CONTROL}{_BIDI}{_UNSEEN}{_JOINERS}\ufffd\ud800-\udfff]")

# Joiners belong to emoji and to many scripts; beside ASCII or an edge they only hide.
_ODD = (
    ("bidi_controls", re.compile(f"[{_BIDI}]")),
    (
        "invisible_characters",
        re.compile(f"[{_UNSEEN}]|(?<![^\\x00-\\x7f])[{_JOINERS}]|[{_JOINERS}](?![^\\x00-\\x7f])"),
    ),
    ("control_characters", re.compile(f"[{_CONTROL}]")),
    ("replacement_character", re.compile("\ufffd")),
)


def suspicious(text: str) -> bool:
    """Whether `refused` or `odd` could find anything."""
    if text.isascii():
        # Deleting bytes is five times as fast as searching for one of them.
        return len(text.encode("ascii").translate(None, _ASCII_CONTROL)) != len(text)
    return _ANY.search(text) is not None


def refused(text: str) -> str:
    """The first character that cannot be stored, or ""."""
    match = REFUSED.search(text)
    return match.group() if match else ""


def odd(text: str) -> Iterator[tuple[str, int]]:
    """Codes of the warnings that `text` deserves, each with the first place of its cause."""
    found = ((code, pattern.search(text)) for code, pattern in _ODD)
    return ((code, match.start()) for code, match in found if match)
