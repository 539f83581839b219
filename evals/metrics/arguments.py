"""One call against one accepted call: every difference, named."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from evals.metrics.base import Accepted, ExpectedCall, Fields
from evals.metrics.texts import clipped

Strings = Literal["exact", "loose", "bfcl"]
BFCL_DROPS = dict.fromkeys(map(ord, " ,./-_*^")) | {ord("'"): '"'}
SHOWN = 60


@dataclass(frozen=True, slots=True)
class CallFault:
    """What is wrong with a call: the kind is one word, the text says where."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def shown(value: object) -> str:
    return clipped(repr(value), SHOWN)


def argument_faults(
    given: Mapping[str, Any], wanted: ExpectedCall, strings: Strings
) -> list[CallFault]:
    """Missing, unexpected and wrong arguments of a call to the right function."""
    return _member_faults(given, wanted.arguments, strings, "argument")


def _member_faults(
    given: Mapping[str, Any], wanted: Mapping[str, Accepted], strings: Strings, what: str
) -> list[CallFault]:
    faults = []
    for name, accepted in wanted.items():
        if name not in given:
            if not accepted.optional:
                faults.append(CallFault(f"missing_{what}", shown(name)))
        elif not is_accepted(given[name], accepted, strings):
            text = f"{shown(name)} is {shown(given[name])}; accepted: {_listed(accepted)}"
            faults.append(CallFault("wrong_value", text))
    unexpected = (name for name in given if name not in wanted)
    return faults + [CallFault(f"unexpected_{what}", shown(name)) for name in unexpected]


def _listed(accepted: Accepted) -> str:
    return clipped(", ".join(shown(_as_data(value)) for value in accepted.values[:4]), 4 * SHOWN)


def _as_data(value: object) -> object:
    if isinstance(value, Fields):
        return {name: [_as_data(one) for one in a.values] for name, a in value.members.items()}
    return value


def is_accepted(given: object, accepted: Accepted, strings: Strings) -> bool:
    return any(same(given, value, strings) for value in accepted.values)


def same(given: object, wanted: object, strings: Strings) -> bool:
    """Whether two JSON values are equal: 1 is 1.0 but not true; lists in order; objects in any.

    `wanted` may hold `Fields`.
    """
    if isinstance(wanted, Fields):
        return isinstance(given, Mapping) and not _member_faults(
            given, wanted.members, strings, "argument"
        )
    if isinstance(wanted, str):
        return isinstance(given, str) and _level(given, strings) == _level(wanted, strings)
    if isinstance(wanted, list):
        return _same_lists(given, wanted, strings)
    if isinstance(wanted, Mapping):
        return _same_objects(given, wanted, strings)
    return isinstance(given, bool) == isinstance(wanted, bool) and given == wanted


def _same_lists(given: object, wanted: list[Any], strings: Strings) -> bool:
    if not isinstance(given, list | tuple) or len(given) != len(wanted):
        return False
    return all(same(one, other, strings) for one, other in zip(given, wanted, strict=True))


def _same_objects(given: object, wanted: Mapping[str, Any], strings: Strings) -> bool:
    if not isinstance(given, Mapping) or given.keys() != wanted.keys():
        return False
    return all(same(given[key], wanted[key], strings) for key in wanted)


def _level(text: str, strings: Strings) -> str:
    """exact: as it is, in NFC. loose: case and white space levelled. bfcl: as its checker does."""
    if strings == "bfcl":
        return text.translate(BFCL_DROPS).lower()
    text = unicodedata.normalize("NFC", text)
    return text if strings == "exact" else " ".join(text.casefold().split())
