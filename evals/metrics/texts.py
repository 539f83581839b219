"""Texts made comparable: stated normalisation, and words of any script."""

import re
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import re2

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_LATIN = re.compile(r"[a-z0-9]+")
# SQuAD drops the punctuation of ASCII. What CJK writes in its place goes with it; anything
# else stays, so that English is scored as by the original script.
_PUNCTUATION = dict.fromkeys(
    map(ord, string.punctuation + "。、，．：；！？「」『』（）【】《》〈〉・…｡")
)

# Scripts that do not put spaces between words: each character, with its marks, is a token.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
# RE2 has no subtraction of classes: "not (no letter, or unspaced)" says "letters of the others".
_WORD = rf"(?:[^\P{{L}}{_UNSPACED}]|\p{{N}})(?:[^\P{{L}}{_UNSPACED}]|[\p{{N}}\p{{M}}])*"
_TOKEN = re2.compile(rf"[{_UNSPACED}ー々]\p{{M}}*|{_WORD}")
_LONE = re2.compile(rf"([{_UNSPACED}ー々]\p{{M}}*)")

# From this share of letters outside of a-z on, the tokens of rouge-score would miss too much.
FOREIGN_SHARE = 0.2

Tokens = Literal["auto", "rouge", "unicode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What is levelled before two texts are compared, in this order."""

    form: Literal["none", "nfc", "nfkc"] = "nfc"
    case: Literal["keep", "fold"] = "keep"
    punctuation: Literal["keep", "drop"] = "keep"
    articles: Literal["keep", "drop"] = "keep"
    spaces: Literal["keep", "trim", "collapse"] = "trim"


def normalised(text: str, rules: Normalisation) -> str:
    """`text` by `rules`: Unicode form, case, punctuation, English articles, white space."""
    if rules.form != "none":
        text = unicodedata.normalize(rules.form.upper(), text)  # type: ignore[arg-type]
    if rules.case == "fold":
        text = text.casefold()
    if rules.punctuation == "drop":
        text = text.translate(_PUNCTUATION)
    if rules.articles == "drop":
        text = _ARTICLES.sub(" ", text)
    return _spaced(text, rules.spaces)


def _spaced(text: str, spaces: str) -> str:
    if spaces == "keep":
        return text
    return text.strip() if spaces == "trim" else " ".join(text.split())


def encodable(text: str) -> str:
    """`text` with halves of surrogate pairs, which UTF-8 cannot hold, shown as U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def has_lone_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, fit to be stored and shown."""
    text = encodable(text).replace("\0", "\ufffd")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def squad_tokens(text: str) -> list[str]:
    """Tokens of SQuAD's F1: lower case, no punctuation, no English articles, split at spaces.

    Characters of scripts without spaces between words are tokens of their own, as in MLQA.
    """
    level = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    if not level.isascii():
        level = _LONE.sub(r" \1 ", encodable(level))
    return level.split()


def tokens_for(reference: str, tokens: Tokens) -> Literal["rouge", "unicode"]:
    """How a case is split, told by its reference alone, so that all systems meet one rule."""
    if tokens != "auto":
        return tokens
    lowered = reference.lower()
    letters = sum(map(str.isalpha, lowered))
    plain = sum(letter.isascii() and letter.isalpha() for letter in lowered)
    return "unicode" if letters and (letters - plain) / letters >= FOREIGN_SHARE else "rouge"


@lru_cache(maxsize=64)
def split_tokens(text: str, tokens: Literal["rouge", "unicode"]) -> tuple[str, ...]:
    """rouge: runs of a-z and 0-9 in the lower-cased text, as the package rouge-score.

    unicode: words of any script (letters, marks, digits; NFC, lower case); in scripts without
    spaces between words each character with its marks.
    """
    if tokens == "rouge":
        return tuple(_LATIN.findall(text.lower()))
    level = unicodedata.normalize("NFC", encodable(text)).lower()
    return tuple(_TOKEN.findall(level))
