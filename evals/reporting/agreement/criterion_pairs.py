"""Each two annotators on one criterion: who was better, and how alike their scores are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotate.models import Criterion, Study, User
from evals.queries import Source
from evals.queries.agreement import PairPoints
from evals.queries.criterion_pairs import CriterionPairs, criterion_pairs
from evals.reporting.agreement.counted import SAID, NamedPairs, named
from evals.reporting.agreement.criterion_pooled import criterion_pooled
from evals.reporting.agreement.matrix import FEW
from evals.reporting.agreement.page import PairRow, pair_rows
from evals.reporting.numbers import Shown, shown
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import WEIGHTS, kappa_pairs, percent_pairs
from evals.stats.resampling import MIN_UNITS

Named = Sequence[tuple[User, User]]


@dataclass(frozen=True, slots=True)
class ScorePair:
    """How alike two annotators score one system's outputs."""

    names: str
    n: int
    is_few: bool
    is_short: bool
    percent: Shown
    kappas: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """All pairs, or those that a page has room for, on one system's outputs."""

    system: str
    rows: Sequence[ScorePair]
    pooled: Sequence[Shown]


def criterion_pair_rows(
    study: Study, criterion: Criterion, only: Source | None, confidence: float,
    start: int, stop: int,
) -> tuple[list[PairRow], list[ScoreTable], int, Shown]:  # fmt: skip
    """Who was better by some pairs, their scores, how many pairs there are, and all pooled."""
    found = criterion_pairs(study, criterion.pk, only)
    pooled = criterion_pooled(study, criterion.pk, only, confidence)
    pairs, winners = _named(found, found.winners)
    rows = pair_rows(pairs, winners, confidence, start, stop)
    people = {frozenset((row.one[0], row.other[0])): n for n, row in enumerate(rows)}
    systems = {"baseline": study.baseline_name, "candidate": study.candidate_name}
    tables = [
        ScoreTable(
            systems[system],
            _score_rows(*_named(found, table), people, confidence),
            pooled.shown_scores(system),
        )
        for system, table in found.scores.items()
    ]
    return rows, tables, len(pairs), pooled.shown


def _named(found: CriterionPairs, tables: Ints) -> tuple[NamedPairs, Ints]:
    return named(PairPoints(found.people, found.who, tables))


def _score_rows(
    pairs: Named, tables: Ints, shown_pairs: dict[frozenset[UUID], int], confidence: float
) -> list[ScorePair]:
    """In the order of the rows above it."""
    places = {frozenset((a.pk, b.pk)): number for number, (a, b) in enumerate(pairs)}
    chosen = [places[pair] for pair in sorted(shown_pairs, key=lambda one: shown_pairs[one])]
    columns = _columns(tables[chosen], None, confidence)
    return [
        ScorePair(
            f"{pairs[at][0]} and {pairs[at][1]}",
            percent.n,
            percent.n < FEW,
            percent.n < MIN_UNITS,
            shown(percent, "share", ""),
            [shown(kappa, "coefficient", "") for kappa in kappas],
        )
        for at, (percent, *kappas) in zip(chosen, zip(*columns, strict=True), strict=True)
    ]


def _columns(
    tables: Ints, labels: Sequence[str] | None, confidence: float
) -> list[list[Estimate | Undefined]]:
    """Percent agreement and kappa by each weighting, of every pair."""
    return [
        percent_pairs(tables, confidence=confidence),
        *(kappa_pairs(tables, weights, labels=labels, confidence=confidence)
          for weights in WEIGHTS),
    ]  # fmt: skip


def pairs_json(
    pairs: Named, tables: Ints, confidence: float, labels: Sequence[str] | None = SAID
) -> list[dict[str, Any]]:
    """Percent agreement and Cohen's kappa of every pair, for scripts."""
    return [
        {
            "annotators": [a.label, b.label],
            "n": percent.n,
            "percent": percent.as_json(),
            "cohen_kappa": plain.as_json(),
            "linear": linear.as_json(),
            "quadratic": quadratic.as_json(),
        }
        for (a, b), percent, plain, linear, quadratic in zip(
            pairs, *_columns(tables, labels, confidence), strict=True
        )
    ]


def criterion_pairs_json(
    study: Study, criterion: int, only: Source | None, confidence: float
) -> dict[str, Any]:
    """Pairs on who was better, and on the scores of either system where there are any."""
    found = criterion_pairs(study, criterion, only)
    pooled = criterion_pooled(study, criterion, only, confidence)
    return {
        "pairs": pairs_json(*_named(found, found.winners), confidence),
        "pooled_kappa": pooled.winner.as_json(),
        "pooled_scores": {system: pooled.scores_json(system) for system in found.scores},
        "scores": {
            system: pairs_json(*_named(found, table), confidence, None)
            for system, table in found.scores.items()
        },
    }
