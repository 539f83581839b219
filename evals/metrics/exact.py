"""Exact match with stated normalisation, and texts that must or must not be contained."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from evals.metrics.base import Expected, Kind, Output, Result, Scored, text_of
from evals.metrics.texts import Normalisation, normalised


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsParameters(Normalisation):
    """`must_hold`: which of the expected answers the output must contain."""

    must_hold: Literal["any", "all", "none"] = "any"


def exact_match(rules: Normalisation, output: Output, expected: Expected) -> Result:
    """1 if the answer equals one of those accepted, both normalised by `rules`."""
    given = normalised(text_of(output), rules)
    for answer in expected.answers:
        if given == normalised(answer, rules):
            return Scored(1.0, True, {"matched": answer})
    return Scored(0.0, False, {"matched": None})


def contains(rules: ContainsParameters, output: Output, expected: Expected) -> Result:
    """1 if any, all or none of the expected texts stand in the answer, all normalised alike.

    A text that is empty once normalised stands in every answer.
    """
    given = normalised(text_of(output), rules)
    found = tuple(text for text in expected.answers if normalised(text, rules) in given)
    passed = {
        "any": bool(found),
        "all": len(found) == len(expected.answers),
        "none": not found,
    }[rules.must_hold]
    return Scored(float(passed), passed, {"found": found})


EXACT_MATCH = Kind("exact_match", 1, Normalisation, lambda rules: partial(exact_match, rules))
CONTAINS = Kind("contains", 1, ContainsParameters, lambda rules: partial(contains, rules))
