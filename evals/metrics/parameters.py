"""Parameters of scorers: plain data, read into a typed record or refused by name with the cure.

A parameter is a text, number, flag, word from a list, or a JSON Schema. None is ever run.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from evals.metrics.texts import clipped

P = TypeVar("P")
# Up to here a float holds every whole number.
MAX_WHOLE = 2**53


class ParameterError(ValueError):
    """A scorer's parameters cannot be used; the message names the parameter and the cure."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Within:
    """A number's bounds, ends included, or those of a text's length."""

    low: float
    high: float


def read_parameters(scorer: str, kind: type[P], given: object) -> P:
    """`given` as the record `kind`, every value checked against its annotation.

    Raises
    ------
    ParameterError
        For an unknown, missing or impossible parameter.
    """
    if not isinstance(given, Mapping):
        raise ParameterError("parameters", f'{scorer}: write the parameters as {{"name": value}}.')
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise ParameterError(str(name), _unknown(scorer, name, list(known)))
    hints = get_type_hints(kind, include_extras=True)
    values = {
        name: _checked(scorer, name, given[name], hints[name])
        for name in known
        if _is_given(scorer, known[name], given)
    }
    return kind(**values)


def _unknown(scorer: str, name: object, known: list[str]) -> str:
    takes = f"It takes: {', '.join(known)}." if known else "It takes none."
    return f"{scorer} has no parameter {clipped(repr(name), 60)}. {takes}"


def _is_given(scorer: str, field: Field[Any], given: Mapping[str, object]) -> bool:
    if field.name in given:
        return True
    if field.default is MISSING and field.default_factory is MISSING:
        raise ParameterError(field.name, f"{scorer} needs the parameter {field.name!r}. Add it.")
    return False


def _checked(scorer: str, name: str, value: object, hint: Any) -> object:
    if _fits(value, hint):
        return float(value) if _is_float(hint) and isinstance(value, int) else value
    message = f"{scorer}: {name!r} is {_shown(value)}. It must be {_described(hint)}."
    raise ParameterError(name, message)


def _shown(value: object) -> str:
    try:
        return clipped(repr(value), 60)
    except (ValueError, RecursionError):
        return "too large to be shown"


def _is_float(hint: Any) -> bool:
    return float in get_args(hint) or hint is float


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, bounds = get_args(hint)
        return _fits(value, inner) and _inside(value, bounds)
    if origin in (Union, UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return isinstance(value, str) and value in get_args(hint)
    return _is_plain(value, origin or hint)


def _is_plain(value: object, kind: Any) -> bool:
    if kind is int or kind is float:
        if isinstance(value, int) and not isinstance(value, bool):
            return abs(value) <= MAX_WHOLE
        return kind is float and isinstance(value, float) and math.isfinite(value)
    return isinstance(value, kind)


def _inside(value: object, bounds: Within) -> bool:
    size = len(value) if isinstance(value, str) else value
    return bounds.low <= size <= bounds.high  # type: ignore[operator]


NAMES = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    float: "a number",
    NoneType: "null",
    Mapping: "an object",
}


def _described(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, bounds = get_args(hint)
        unit = " characters" if inner is str else ""
        return f"{_described(inner)} from {bounds.low:g} to {bounds.high:g}{unit}"
    if origin in (Union, UnionType):
        return " or ".join(_described(option) for option in get_args(hint))
    if origin is Literal:
        return "one of " + ", ".join(repr(word) for word in get_args(hint))
    return NAMES[Mapping if origin is not None else hint]
