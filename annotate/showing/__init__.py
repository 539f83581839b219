"""How untrusted text is shown: as text, and on request as cleaned formatting. Pure."""

from annotate.showing.cleaning import CleanHtml
from annotate.showing.inshort import PROMPT_READ, in_short
from annotate.showing.pair import ShownPair, Turn, View, show_pair, show_turns

__all__ = [
    "PROMPT_READ",
    "CleanHtml",
    "ShownPair",
    "Turn",
    "View",
    "in_short",
    "show_pair",
    "show_turns",
]
