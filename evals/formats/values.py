"""Values of foreign files, asked for by the type that is hoped for."""

import hashlib
import math

from annotate.parsing.contract import JSON
from annotate.parsing.jsontext import ExactFloat, FlawedNumber, compact


def a_dict(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def a_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def a_text(value: JSON) -> str | None:
    """The value if it is a text with something in it."""
    return value if isinstance(value, str) and value else None


def a_key(value: JSON) -> str | None:
    """A text or a whole number, which many tools use for ids."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def a_number(value: JSON) -> float | None:
    """A finite number; some tools write numbers as texts."""
    if isinstance(value, bool | FlawedNumber):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def a_count(value: JSON) -> int | None:
    number = a_number(value)
    return int(number) if number is not None and number >= 0 else None


def milliseconds(value: JSON, factor: float = 1.0) -> float | None:
    """A latency; nothing answers in no time, so zero stands for "not measured"."""
    number = a_number(value)
    return number * factor if number is not None and number > 0 else None


def spelled(value: JSON) -> str:
    """A text as it is, anything else as its JSON, numbers as the file spells them."""
    return value if isinstance(value, str) else compact(kept(value, exact=True))


def kept(value: JSON, *, exact: bool = False) -> JSON:
    """`value` for storing: what JSON cannot hold becomes its text."""
    if isinstance(value, dict):
        return {key: kept(inner, exact=exact) for key, inner in value.items()}
    if isinstance(value, list):
        return [kept(inner, exact=exact) for inner in value]
    if isinstance(value, FlawedNumber):
        return value.text
    return value.text if isinstance(value, ExactFloat) and not exact else value


def numbers(value: JSON) -> JSON:
    """`value` for comparing and for schemas, where the spelling of a number is no matter."""
    if isinstance(value, dict):
        return {key: numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [numbers(inner) for inner in value]
    return float(value) if isinstance(value, float) else value


def rest(values: dict[str, JSON], taken: frozenset[str]) -> dict[str, JSON]:
    """What nobody asked for, as metadata."""
    return {name: kept(value) for name, value in values.items() if name not in taken}


def text_key(text: str) -> str:
    """A key for formats that join on the prompt's text alone."""
    return f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
