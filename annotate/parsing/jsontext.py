"""JSON decoded strictly, numbers kept as they are spelled, and written back compactly.

Python's own decoder keeps the last of two equal keys, takes NaN, turns 1e400 into infinity, and
fails on 5,000 digits with an error of another kind. Each of these is a flaw with a place here.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from annotate.parsing.contract import JSON

MAX_DIGITS = 4300
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


class ExactFloat(float):
    """A number whose spelling a float would not give back, with that spelling."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "ExactFloat":
        number = super().__new__(cls, text)
        number.text = text
        return number


class FlawedNumber(float):
    """Stands where a number cannot be kept."""

    __slots__ = ("code", "text")
    code: str
    text: str

    def __new__(cls, code: str, text: str) -> "FlawedNumber":
        number = super().__new__(cls, 0.0)
        number.code = code
        number.text = text
        return number


class RepeatedKeys(dict[str, JSON]):
    """An object that has a key twice."""

    repeated: tuple[str, ...] = ()


class StrictDecoder:
    """Decodes one record at a time; `flawed` says whether `flaws` will find anything in it."""

    def __init__(self) -> None:
        self.flawed = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=self._float,
            parse_int=self._int,
            parse_constant=self._constant,
        )

    def decode(self, text: str) -> JSON:
        self.flawed = False
        value: JSON = self._decoder.decode(text)
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, JSON]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        self.flawed = True
        seen: set[str] = set()
        repeated = RepeatedKeys(plain)
        repeated.repeated = tuple(
            dict.fromkeys(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        )
        return repeated

    def _flaw(self, code: str, text: str) -> FlawedNumber:
        self.flawed = True
        return FlawedNumber(code, text)

    def _float(self, text: str) -> float:
        if len(text) > MAX_DIGITS:
            return self._flaw("number_too_large", text)
        number = float(text)
        if math.isinf(number):
            return self._flaw("json_nonfinite", text)
        return number if repr(number) == text else ExactFloat(text)

    def _int(self, text: str) -> int | float:
        if len(text) > MAX_DIGITS:
            return self._flaw("number_too_large", text)
        return ExactFloat(text) if text == "-0" else int(text)

    def _constant(self, text: str) -> float:
        return self._flaw("json_nonfinite", text)


def flaws(value: JSON) -> Iterator[tuple[str, str]]:
    """(code, text) of every flaw inside `value`, whose depth was checked before decoding."""
    if isinstance(value, FlawedNumber):
        yield value.code, value.text
    elif isinstance(value, dict):
        if isinstance(value, RepeatedKeys):
            yield from (("duplicate_key", key) for key in value.repeated)
        for inner in value.values():
            yield from flaws(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from flaws(inner)


def too_deep(text: str, limit: int) -> bool:
    """Whether brackets nest deeper than `limit`. Runs before decoding, which recurses."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            if depth > limit:
                return True
        elif first != '"':
            depth -= 1
    return False


def too_many_values(text: str, limit: int) -> bool:
    """Whether more than `limit` commas separate values. Commas inside of strings are no matter."""
    if text.count(",") <= limit:
        return False
    return _STRING.sub("", text).count(",") > limit


def strings(value: JSON) -> Iterator[str]:
    """Every text inside `value`, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def compact(value: JSON) -> str:
    """JSON without spaces; letters as they are, numbers as they were spelled."""
    if isinstance(value, dict):
        pairs = (f"{_quoted(key)}:{compact(inner)}" for key, inner in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(inner) for inner in value) + "]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, ExactFloat):
        return value.text
    return json.dumps(value)


def plain(value: JSON) -> JSON:
    """`value` for keeping as metadata: a number that a float would respell becomes its text."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.text if isinstance(value, ExactFloat) else value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
