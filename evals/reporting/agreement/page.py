"""The page of agreement, and that of all pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np

from annotate.models import Study, User
from evals.queries import Source
from evals.queries.kept import kept
from evals.reporting.agreement.counted import (
    SAID,
    WINNERS,
    Counted,
    Parts,
    named_pairs,
    on_points,
    on_winner,
    read,
    read_parts,
)
from evals.reporting.agreement.drivers import (
    MOST_ROWS,
    DriverTable,
    above_the_rest,
    driver_tables,
    drivers,
)
from evals.reporting.agreement.groups import Group, ScoreRow, groups, score_rows
from evals.reporting.agreement.lopsided import Lopsided, lopsided, overall
from evals.reporting.agreement.matrix import FEW, Matrix, matrix
from evals.reporting.agreement.panel import Panel, coefficients, panel
from evals.reporting.agreement.rest import RestRow, all_against_rest, rest_rows, stands_apart
from evals.reporting.numbers import Shown, shown
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import kappa_pairs, percent_pairs
from evals.stats.pairs import Prevalence, bias_pairs, prevalence_pairs, scott_pairs
from evals.stats.resampling import MIN_UNITS
from evals.tallies import Tally


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything on the page but what is counted part by part."""

    finding: str
    panel: Panel
    is_short: bool
    both_bad: str
    prevails: str
    matrix: Matrix
    lopsided: Lopsided


@dataclass(frozen=True, slots=True)
class PartByPart:
    """Everything on the page of parts, which is also a region of the page of agreement."""

    finding: str
    rest: Sequence[RestRow]
    apart: str
    groups: Sequence[Group]
    scores: Sequence[ScoreRow]
    differing: Shown
    drivers: Sequence[DriverTable]
    above: str


@kept
def agreement_of(
    study: Study, only: Source | None, confidence: float, weights: str = "unweighted"
) -> Agreement:
    """The page of a study, from its judgements or from what was kept of them."""
    return agreement(read(study, only, confidence), weights=weights)


@kept
def parts_of(study: Study, only: Source | None, confidence: float) -> PartByPart:
    """The parts of a study, from its judgements or from what was kept of them."""
    return part_by_part(read_parts(study, only, confidence))


@kept
def pairs_of(
    study: Study, only: Source | None, confidence: float, start: int, stop: int
) -> tuple[list["PairRow"], int]:
    """Some of the list of pairs, and how many there are in all."""
    pairs, tables = named_pairs(study, only)
    return pair_rows(pairs, tables, confidence, start, stop), len(pairs)


def part_by_part(counted: Parts) -> PartByPart:
    """Put what was counted part by part into words."""
    against = all_against_rest(counted)
    driven = drivers(counted, against, most=MOST_ROWS)
    differing = shown(driven.differing, "share", "items")
    percent = Tally(on_winner(counted.parts.kinds.rows)).agreement(counted.confidence)["percent"]
    rest = rest_rows(against, percent)
    return PartByPart(
        finding=parts_finding(differing),
        rest=rest,
        apart=stands_apart(rest),
        groups=groups(counted),
        scores=score_rows(counted),
        differing=differing,
        drivers=driver_tables(driven),
        above=above_the_rest(driven),
    )


def parts_finding(differing: Shown) -> str:
    if differing.estimate is None:
        return "Disagreement cannot be measured yet: no item has two judgements"
    return f"{differing.value} of pairs of judgements name different winners"


def agreement(counted: Counted, *, weights: str = "unweighted") -> Agreement:
    """Put what was counted into words; kappa of pairs by the weights asked for."""
    tally, level = counted.tally, counted.confidence
    found = coefficients(counted, on_points(counted.kinds.rows, counted.scale.points))
    percent, alpha = found.winner["percent"], found.winner["alpha_nominal"]
    return Agreement(
        finding=finding(percent, alpha),
        panel=panel(counted, found),
        is_short=any("too short" in one.method for one in found.winner.values()),
        both_bad=wording.percent(tally.both_bad / tally.n) if tally.both_bad else "",
        prevails=overall(tally, percent, alpha),
        matrix=matrix(counted.pairs, counted.winners, partial(_kappas, counted, weights)),
        lopsided=lopsided(counted.pairs, counted.winners, level),
    )


def _kappas(counted: Counted, weights: str, some: list[int]) -> list[Estimate | Undefined]:
    """Of the pairs at these places; labels are words of the three winners alone."""
    on_winners = weights == "unweighted" or counted.scale.points == WINNERS
    tables = counted.winners if weights == "unweighted" else counted.on_scale
    labels = SAID if on_winners else None
    return kappa_pairs(tables[some], weights, labels=labels, confidence=counted.confidence)


def finding(percent: Estimate | Undefined, alpha: Estimate | Undefined) -> str:
    """Of 100 items, on how many two people agree, and on how many they would by chance."""
    if isinstance(percent, Undefined):
        return "Agreement cannot be measured yet: no item has two judgements"
    said = f"Two annotators agree on {_of_100(percent.value)}"
    if isinstance(alpha, Undefined):
        return f"{said}; whether beyond chance is undefined, since {alpha.reason}"
    # Alpha is (observed - expected) / (1 - expected), so the expected share follows.
    if alpha.value >= 1 or percent.value >= 1:
        return said
    expected = (percent.value - alpha.value) / (1 - alpha.value)
    if alpha.low is not None and alpha.low <= 0:
        return f"{said}, which chance alone could explain"
    return f"{said}; {round(100 * expected)} of these by chance alone"


def _of_100(share: float) -> str:
    return f"{round(100 * share)} of 100 items"


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair of annotators in the list of all pairs."""

    one: tuple[UUID, str]
    other: tuple[UUID, str]
    n: int
    is_few: bool
    is_short: bool
    percent: Shown
    kappa: Shown
    scott: Shown
    prevalence: Shown
    prevalent: str
    bias: Shown


PREVALENT = ("baseline", "tie", "candidate")


def pair_rows(
    pairs: Sequence[tuple[User, User]], tables: Ints, confidence: float, start: int, stop: int
) -> list[PairRow]:
    """Pairs by the items they share, most first, from one place to another.

    `tables` are of who won, in the order of `pairs`.
    """
    chosen = np.argsort(-tables.sum(axis=(1, 2)), kind="stable")[start:stop].tolist()
    if not chosen:
        return []
    some = tables[chosen]
    columns = zip(
        percent_pairs(some, confidence=confidence),
        kappa_pairs(some, labels=SAID, confidence=confidence),
        scott_pairs(some, labels=SAID, confidence=confidence),
        prevalence_pairs(some, confidence=confidence),
        bias_pairs(some, confidence=confidence),
        strict=True,
    )
    return [_pair_row(pairs[i], *row) for i, row in zip(chosen, columns, strict=True)]


def _pair_row(
    pair: tuple[User, User],
    percent: Estimate | Undefined,
    kappa: Estimate | Undefined,
    scott: Estimate | Undefined,
    prevalence: Prevalence,
    bias: Estimate | Undefined,
) -> PairRow:
    one, other = pair
    return PairRow(
        (one.pk, str(one)),
        (other.pk, str(other)),
        percent.n,
        percent.n < FEW,
        percent.n < MIN_UNITS,
        shown(percent, "share", ""),
        shown(kappa, "coefficient", ""),
        shown(scott, "coefficient", ""),
        shown(prevalence.index, "coefficient", ""),
        PREVALENT[prevalence.category],
        shown(bias, "coefficient", ""),
    )
