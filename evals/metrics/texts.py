"""Texts made comparable: stated normalisation, and words of any script."""

import re
import string
import unicodedata
from dataclasses import dataclass
from typing import Literal

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_LATIN = re.compile(r"[a-z0-9]+")
# SQuAD drops the punctuation of ASCII. What CJK writes in its place goes with it; anything
# else stays, so that English is scored as by the original script.
_PUNCTUATION = dict.fromkeys(
    map(ord, string.punctuation + "。、，．：；！？「」『』（）【】《》〈〉・…｡")
)

# Scripts that do not put spaces between words, as ranges: each of their letters, with its marks,
# is a token. Thai and Lao, Tibetan, Myanmar, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3038-\u303b\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"
    "\U00020000-\U000323af"
)


# Beyond it lie the selectors of variants only, 0x300 being the first mark of all.
LAST_MARK = 0x1F000


def _mark_ranges() -> str:
    """The combining marks, which Python's \\w leaves out, as ranges of a character class."""
    codes = [code for code in range(0x300, LAST_MARK) if unicodedata.category(chr(code))[0] == "M"]
    starts = [code for code in codes if unicodedata.category(chr(code - 1))[0] != "M"]
    ends = [code for code in codes if unicodedata.category(chr(code + 1))[0] != "M"]
    return (
        "".join(f"{chr(low)}-{chr(high)}" for low, high in zip(starts, ends, strict=True))
        + "\U000e0100-\U000e01ef"
    )


_MARKS = _mark_ranges()
_LETTER = rf"(?=[^\W_])[{_UNSPACED}][{_MARKS}]*"
_TOKEN = re.compile(
    rf"{_LETTER}|(?:(?![{_UNSPACED}])[^\W_])(?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))*"
)
_LONE = re.compile(rf"({_LETTER})")

# Letters of the Latin script, phonetic ones with them: rouge-score breaks words at those outside
# of a-z, which costs little.
_OF_LATIN = re.compile(
    "[a-zªºß-ʯʰ-˿\u1d00-\u1dbf\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f\ufb00-\ufb06]"
)
# From this share of letters of other scripts on, too much would be missed.
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
    if not _LATIN.search(lowered):
        return "unicode"
    letters = sum(map(str.isalpha, lowered))
    latin = sum(len(run) for run in re.findall(f"{_OF_LATIN.pattern}+", lowered))
    return "unicode" if letters - latin > FOREIGN_SHARE * letters else "rouge"


def split_tokens(text: str, tokens: Literal["rouge", "unicode"]) -> tuple[str, ...]:
    """rouge: runs of a-z and 0-9 in the lower-cased text, as the package rouge-score.

    unicode: words of any script (letters, marks, digits; NFC, lower case); in scripts without
    spaces between words each character with its marks.
    """
    if tokens == "rouge":
        return tuple(_LATIN.findall(text.lower()))
    level = unicodedata.normalize("NFC", encodable(text)).lower()
    return tuple(_TOKEN.findall(level))
