"""Each annotator against the rest: left out, how do they agree with what the others said?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotate.models import User
from evals.queries.others import agreeing
from evals.reporting.agreement.counted import Parts
from evals.reporting.agreement.matrix import FEW
from evals.reporting.numbers import Shown, listed, shown
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.pooled import isolated_kappa
from evals.stats.resampling import MIN_UNITS
from evals.tallies import with_others

NOBODY_ELSE = "nobody else has judged the same items"


@dataclass(frozen=True, slots=True)
class Rest:
    """One annotator and all others, as estimates."""

    person: User
    percent: Estimate | Undefined
    kappa: Estimate | Undefined


@dataclass(frozen=True, slots=True)
class RestRow:
    """The same in words.

    Attributes
    ----------
    is_below : bool
        Whether the whole interval of `percent` lies below the mean of all.
    """

    id: UUID
    name: str
    percent: Shown
    kappa: Shown
    items: str
    is_few: bool
    is_short: bool
    is_below: bool


def all_against_rest(counted: Parts) -> list[Rest]:
    """Everybody who judged, in the order of their labels."""
    people = sorted(counted.people.values(), key=lambda person: person.label)
    return [against_rest(one, counted.others[one.pk], counted.confidence) for one in people]


def against_rest(person: User, rows: Ints, confidence: float) -> Rest:
    """One annotator; `rows` are theirs in `votes_with_others`."""
    return Rest(
        person,
        with_others(agreeing(rows), confidence),
        attempt(isolated_kappa, rows, confidence) if len(rows) else Undefined(NOBODY_ELSE),
    )


def against_majority(rows: Ints) -> Ints:
    """A table of own answers by what most of the others said.

    Returns
    -------
    (3, 4) array of counts
        The last column is of items on which the others have no most frequent answer.
    """
    table = np.zeros((3, 4), dtype=np.int64)
    for own, *others, times in rows.tolist():
        if sum(others):
            top = max(others)
            table[own, others.index(top) if others.count(top) == 1 else 3] += times
    return table


def rest_rows(found: Sequence[Rest], percent: Estimate | Undefined) -> list[RestRow]:
    """Who agrees least first; those with few items, and those without any, last."""
    ordered = sorted(found, key=_least_first)
    return [
        RestRow(
            one.person.pk,
            str(one.person),
            shown(one.percent, "share", ""),
            shown(one.kappa, "coefficient", ""),
            wording.count(one.percent.n),
            one.percent.n < FEW,
            one.percent.n < MIN_UNITS,
            is_below(one, percent),
        )
        for one in ordered
    ]


def _least_first(one: Rest) -> tuple[bool, float, str]:
    value = one.percent.value if isinstance(one.percent, Estimate) else 2.0
    return one.percent.n < FEW, value, one.person.label


def is_below(one: Rest, percent: Estimate | Undefined) -> bool:
    """Whether somebody agrees with the others less than all do with one another."""
    mine = one.percent
    return (
        isinstance(mine, Estimate)
        and isinstance(percent, Estimate)
        and mine.n >= FEW
        and mine.high is not None
        and mine.high < percent.value
    )


def stands_apart(rows: Sequence[RestRow]) -> str:
    """Who stands apart, in a sentence; empty where nobody does."""
    names = [row.name for row in rows if row.is_below]
    if not names:
        return ""
    verb = "agrees" if len(names) == 1 else "agree"
    return f"{listed(names)} {verb} with the others less than annotators do with one another."
