"""Does an output match its reference, and is it the structure that was asked for? Pure.

The rule is one for all: white space at both ends does not count; beyond that the texts
are the same, or both are JSON and say the same whatever their spacing and key order.
"""

import json
from typing import Any

RULE = (
    "equal after white space at both ends is removed, or the same JSON whatever its spacing "
    "and the order of its keys"
)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _digits_do_not_matter(_: str) -> int:
    return 0


def parses(text: str) -> bool:
    """Whether a text is one JSON document (RFC 8259: no NaN, nothing around it)."""
    try:
        # Numbers of any length are JSON; Python would refuse to read very long ones.
        json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_digits_do_not_matter,
            parse_float=_digits_do_not_matter,
        )
    except (ValueError, RecursionError):
        return False
    return True


def is_structured(text: str) -> bool:
    """Whether a text is a JSON object or array."""
    return text.lstrip()[:1] in ("{", "[") and parses(text)


def canonical(text: str) -> str | None:
    """A JSON document in one spelling; None if the text is none."""
    try:
        read = json.loads(text, parse_constant=_refuse_constant)
        return json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    except (ValueError, RecursionError):
        return None


def matches(reference: str, output: str) -> bool:
    """Whether an output is what the reference says, by `RULE`."""
    wanted, given = reference.strip(), output.strip()
    if wanted == given:
        return True
    said = canonical(wanted)
    return said is not None and said == canonical(given)
