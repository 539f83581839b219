"""What probably went wrong with a header that has none of the wanted columns."""

from collections.abc import Sequence

from annotate.parsing.contract import SEPARATORS, Cures

# Not read, only named: nobody has chosen it yet, and it is common in texts.
BARS = "|"


def separator_of(header: Sequence[str]) -> str:
    """What a header that came out as one column seems to be separated by, or ""."""
    if len(header) != 1 or header[0].casefold().startswith("sep="):
        return ""
    counts = {name: header[0].count(sign) for name, sign in SEPARATORS.items()}
    name = max(counts, key=lambda one: counts[one])
    return name if counts[name] else ""


def hint_for(header: Sequence[str], separator: str, cures: Cures) -> str:
    """The cure for such a header, where one can be told."""
    text = header[0] if header else ""
    if text.casefold().startswith("sep="):
        return "Delete the first line (sep=…) and try again."
    if text.lstrip().startswith("<"):
        return "The file looks like HTML: download it again."
    if separator:
        return f"The columns seem to be separated by {separator}: {cures.separator[separator]}."
    if len(header) == 1 and BARS in text:
        return "The columns seem to be separated by bars: save the file with commas."
    return ""
