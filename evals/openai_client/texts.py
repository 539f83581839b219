"""Texts of strangers, fit to be stored and told: no NUL, one line, and no key."""

import re

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
REPLACEMENT = "\ufffd"
MAX_TOLD = 300


def storable(text: str) -> str:
    """The text with U+FFFD for each NUL and each half of a surrogate pair.

    Halves that a stream has sent apart are put together first.
    """
    if not UNSTORABLE.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", REPLACEMENT)


def replaced_count(before: str, after: str) -> int:
    return after.count(REPLACEMENT) - before.count(REPLACEMENT)


def one_line(text: str, key: str | None, limit: int = MAX_TOLD) -> str:
    """What may be told of an error: printable, on one line, clipped, and without the key."""
    # The key goes first: clipped or folded, it would not be found any more.
    hidden = text.replace(key, "…") if key else text
    printable = "".join(letter if letter.isprintable() else " " for letter in storable(hidden))
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
