"""Is the answer JSON? Read strictly: no duplicate keys, no NaN, nothing beside the value."""

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import Literal

from annotate.parsing.contract import JSON
from annotate.parsing.jsontext import StrictDecoder, flaws, strings, too_deep
from evals.metrics.base import Expected, Kind, Output, Result, Scored, text_of
from evals.metrics.texts import clipped, has_lone_surrogate

MAX_DEPTH = 100
MAX_CHARS = 10_000_000
_FENCE = re.compile(r"\s*```[A-Za-z0-9]*[ \t]*\r?\n(.*?)\r?\n?```\s*", re.DOTALL)
FLAWS = {
    "duplicate_key": "the key {!r} appears twice in one object",
    "json_nonfinite": "{} is no number JSON can hold",
    "number_too_large": "the number {} has too many digits",
}
Fences = Literal["refuse", "strip"]
Top = Literal["any", "object", "array"]


@dataclass(frozen=True, slots=True)
class Faulty:
    """Why a text is no JSON."""

    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    value: JSON


def decode_json(text: str) -> Decoded | Faulty:
    """The one JSON value in `text`, or the first thing that is wrong with it."""
    if len(text) > MAX_CHARS:
        return Faulty(f"longer than {MAX_CHARS:,} characters")
    if too_deep(text, MAX_DEPTH):
        return Faulty(f"nested deeper than {MAX_DEPTH} levels")
    decoder = StrictDecoder()
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        return Faulty(f"{error.msg} (line {error.lineno}, character {error.colno})")
    if decoder.flawed:
        code, found = next(flaws(value))
        return Faulty(FLAWS[code].format(clipped(found, 60)))
    if ("\\u" in text or not text.isascii()) and any(map(has_lone_surrogate, strings(value))):
        return Faulty("a text holds half of a surrogate pair")
    # The strict decoder keeps how numbers are spelled; here they are compared by value.
    return Decoded(json.loads(text))


def unfenced(text: str) -> str:
    """What stands inside of the one code fence that `text` consists of; else `text`."""
    match = _FENCE.fullmatch(text)
    return match.group(1) if match and "```" not in match.group(1) else text


def decode_answer(text: str, fences: Fences) -> Decoded | Faulty:
    """As `decode_json`; a fault says so when it is only the code fence around."""
    if fences == "strip":
        return decode_json(unfenced(text))
    found = decode_json(text)
    inside = unfenced(text)
    if isinstance(found, Faulty) and inside != text and isinstance(decode_json(inside), Decoded):
        return Faulty("it stands in a code fence")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`fences`: whether JSON inside of one code fence will do. `top`: what the value must be."""

    fences: Fences = "refuse"
    top: Top = "any"


def json_valid(parameters: Parameters, output: Output, expected: Expected) -> Result:
    """1 if the whole answer is one JSON value of the kind wanted."""
    found = decode_answer(text_of(output), parameters.fences)
    if isinstance(found, Faulty):
        return Scored(0.0, False, {"fault": found.reason})
    kinds = {"any": object, "object": dict, "array": list}
    if not isinstance(found.value, kinds[parameters.top]):
        return Scored(0.0, False, {"fault": f"it is JSON, but no {parameters.top}"})
    return Scored(1.0, True, {"fault": None})


JSON_VALID = Kind(
    "json_valid", 1, Parameters, lambda rules: partial(json_valid, rules), answers_needed=False
)
