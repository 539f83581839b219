"""A number in the answer against the expected one, within a tolerance."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from functools import partial
from typing import Annotated, Literal

from evals.metrics.base import Expected, Kind, Output, Part, Result, Scored, Unscored, text_of
from evals.metrics.parameters import Within
from evals.metrics.texts import clipped

# A sign counts where nothing that could be subtracted from stands before it; digits inside a
# name ("GPT4") are no number. A group of thousands has exactly three digits.
_NUMBER = (
    r"(?<![A-Za-z_\d])(?<!\d{point})(?:(?<![)\]])[-+−])?"
    r"(?:(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{point}\d+)?|(?<![\d.]){point}\d+)"
    r"(?:[eE][-+−]?\d{{1,4}}(?!\d))?"
)
_PATTERNS = {
    ".": re.compile(_NUMBER.format(group="[,\u00a0\u202f']", point=r"\.")),
    ",": re.compile(_NUMBER.format(group="[.\u00a0\u202f']", point=",")),
}
_GROUPS = {".": ",\u00a0\u202f'", ",": ".\u00a0\u202f'"}
# Longer numbers, or larger powers of ten, are no answers, and cost time to compare.
MAX_CHARS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """`take` picks among the numbers of an answer; "only" wants that there be just one.

    A difference up to `absolute`, or up to `relative` times the expected number, is accepted.
    """

    absolute: Annotated[float, Within(0, 1e300)] = 0.0
    relative: Annotated[float, Within(0, 1)] = 0.0
    take: Literal["last", "first", "only"] = "last"
    decimal: Literal[".", ","] = "."


def numeric(parameters: Parameters, output: Output, expected: Expected) -> Result:
    """1 if the number taken from the answer is close enough to one of those expected."""
    wanted = []
    for answer in expected.answers:
        number = as_number(answer.strip(), ".")
        if number is None:
            return Unscored(f"the expected answer {clipped(answer, 60)!r} is no number")
        wanted.append(number)
    taken, fault = _taken(text_of(output), parameters)
    if taken is None:
        return Scored(0.0, False, {"number": None, "fault": fault})
    nearest = min(wanted, key=lambda number: abs(difference(taken, number)))
    passed = any(_close(taken, number, parameters) for number in wanted)
    parts: dict[str, Part] = {"number": str(taken), "difference": float(difference(taken, nearest))}
    return Scored(float(passed), passed, parts)


def _taken(text: str, parameters: Parameters) -> tuple[Decimal | None, str]:
    found = [match.group() for match in _PATTERNS[parameters.decimal].finditer(text)]
    if not found:
        return None, "the answer holds no number"
    if parameters.take == "only" and len(found) > 1:
        return None, f"the answer holds {len(found):,} numbers"
    spelled = found[0] if parameters.take == "first" else found[-1]
    number = as_number(spelled, parameters.decimal)
    return number, f"{clipped(spelled, 40)} cannot be read as a number"


def as_number(text: str, decimal: str) -> Decimal | None:
    """`text` as a number, exactly; None if it is none, or beyond what an answer could hold."""
    if len(text) > MAX_CHARS or not _PATTERNS[decimal].fullmatch(text):
        return None
    for group in _GROUPS[decimal]:
        text = text.replace(group, "")
    try:
        number = Decimal(text.replace(decimal, ".").replace("−", "-"))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= MAX_CHARS else None


def difference(one: Decimal, other: Decimal) -> Decimal:
    """Exact: both have at most 400 digits on either side of the point."""
    with localcontext(prec=4 * MAX_CHARS):
        return one - other


def _close(given: Decimal, wanted: Decimal, parameters: Parameters) -> bool:
    # Decimal(str(…)): the tolerance 0.1 is a tenth, not the float next to it.
    with localcontext(prec=4 * MAX_CHARS):
        relative = Decimal(str(parameters.relative)) * abs(wanted)
        return abs(given - wanted) <= max(Decimal(str(parameters.absolute)), relative)


NUMERIC = Kind("numeric", 1, Parameters, lambda rules: partial(numeric, rules))
