"""How untrusted text is shown: as text, and on request as cleaned formatting. Pure."""

from annotate.showing.cleaning import CleanHtml
from annotate.showing.pair import ShownPair, Turn, View, show_pair, show_turns

__all__ = ["CleanHtml", "ShownPair", "Turn", "View", "show_pair", "show_turns"]
