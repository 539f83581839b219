"""The words and numbers that people and tools write for a judgement."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from annotate.parsing.contract import JSON
from annotate.parsing.faults import shown
from annotate.parsing.hazards import refused
from annotate.parsing.jsonrows import kind_of

MAX_SECONDS = 1_000_000
MAX_STRENGTH = 3
LONGEST_KEPT = 64
PREFERENCES = {
    "baseline": (-1, False),
    "candidate": (1, False),
    "tie": (0, False),
    "equal": (0, False),
    "same": (0, False),
    "draw": (0, False),
    "no_preference": (0, False),
    "both_good": (0, False),
    "both_bad": (0, True),
    "bothbad": (0, True),
    "both_are_bad": (0, True),
    "tie_bothbad": (0, True),
    "tie_both_bad": (0, True),
}
SIDES = {"left": -1, "right": 1}
VOCABULARY = "baseline, tie, candidate or both_bad, or a strength from -3 to 3"
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(?:\.0+)?")
_SIGNS = re.compile(r"[^\w]+")
_EPOCH_SECONDS = (10**8, 10**11)


class WordError(ValueError):
    """A value that means nothing here; the message says what was found and what is wanted."""


def normalised(text: str) -> str:
    """ "Tie (both bad)" and "tie_both_bad" are one word."""
    return _kept(text) if len(text) <= LONGEST_KEPT else _normalised(text)


def _normalised(text: str) -> str:
    return _SIGNS.sub("_", text.strip().casefold()).strip("_")


# The same few words come in every row; texts as long as an answer are not kept.
_kept = lru_cache(maxsize=4096)(_normalised)


def is_empty(value: JSON) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def preference(value: JSON, systems: tuple[str, str] = ("", "")) -> tuple[int, bool]:
    """Strength (candidate positive) and whether both were bad.

    `systems` are other names of baseline and candidate.
    """
    number = _whole(value)
    if number is not None:
        return strength(value), False
    if isinstance(value, str):
        if said := PREFERENCES.get(normalised(value)):
            return said
        for name, sign in zip(systems, (-1, 1), strict=True):
            if name and value.strip().casefold() == name.strip().casefold():
                return sign, False
    raise WordError(f"{_found(value)}. Write {VOCABULARY} (positive prefers the candidate).")


def strength(value: JSON) -> int:
    number = _whole(value)
    if number is None or abs(number) > MAX_STRENGTH:
        raise WordError(f"{_found(value)}. Write a whole number from -3 to 3.")
    return number


def side_chosen(value: JSON) -> int | None:
    """-1 for left, 1 for right, None for any other word."""
    return SIDES.get(normalised(value)) if isinstance(value, str) else None


def side(value: JSON) -> str:
    word = normalised(value) if isinstance(value, str) else ""
    if word not in SIDES:
        raise WordError(f"{_found(value)}. Write left or right, or leave it empty.")
    return word


def score(value: JSON) -> int:
    number = _whole(value)
    if number is None or not 1 <= number <= 5:
        raise WordError(f"{_found(value)}. Write a whole number from 1 to 5.")
    return number


def scale(value: JSON) -> int:
    number = _whole(value)
    if number not in (3, 5, 7):
        raise WordError(f"{_found(value)}. Write 3, 5 or 7.")
    return number


def seconds(value: JSON) -> float:
    number = _number(value)
    if number is None or not 0 <= number <= MAX_SECONDS:
        raise WordError(f"{_found(value)}. Write seconds, from 0 to {MAX_SECONDS:,}.")
    return number


def moment(value: JSON) -> datetime:
    """A time as ISO 8601, or in seconds or milliseconds since 1970; without a zone it is UTC."""
    number = _number(value)
    try:
        if number is not None:
            low, high = _EPOCH_SECONDS
            number = number if number < high else number / 1000
            if not low <= number < high:
                raise ValueError
            return datetime.fromtimestamp(number, UTC)
        if not isinstance(value, str):
            raise ValueError
        found = datetime.fromisoformat(value.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if not 1970 <= found.year <= 2200:
            raise ValueError
        return found
    except (ValueError, OverflowError):
        raise WordError(f"{_found(value)}. Write a time such as 2026-11-21T14:30:00Z.") from None


def text(value: JSON) -> str:
    """A text that can be kept; whole numbers are texts too."""
    if isinstance(value, str):
        if bad := refused(value):
            what = "a NUL character" if bad == "\x00" else "half of a character"
            raise WordError(f"holds {what}, which cannot be stored. Remove it.")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise WordError(f"{kind_of(value)}, but a text is needed. Quote it.")


def name(value: JSON, limit: int = 100) -> str:
    """Who judged: any text that fits."""
    found = text(value).strip()
    if len(found) > limit:
        raise WordError(f"longer than {limit} characters. Shorten it.")
    return found


def _whole(value: JSON) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        plain = value.strip().replace("\u2212", "-")
        return int(float(plain)) if _NUMBER.fullmatch(plain) else None
    return None


def _number(value: JSON) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 10**15 else None


def _found(value: JSON) -> str:
    return shown(value, 40) if isinstance(value, str) else f"found {_plain(value)}"


def _plain(value: JSON) -> str:
    return str(value)[:20] if isinstance(value, int | float) else kind_of(value)
