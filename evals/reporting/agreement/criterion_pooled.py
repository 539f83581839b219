"""Kappa of all pairs of annotators together, on one criterion and on its scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotate.models import Study
from evals.queries import Source
from evals.queries.criterion_pairs import criterion_pairs, criterion_squares
from evals.queries.kept import kept
from evals.reporting.numbers import Shown, shown
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.kappa import WEIGHTS
from evals.stats.pooled import Pooled, pool_kappa, pooled_estimate

Kappas = dict[str, Estimate | Undefined]
WINNER = "winner"


@dataclass(frozen=True)
class CriterionPooled:
    """Pooled kappa of who was better, and of the scores of either system by each weighting."""

    winner: Estimate | Undefined
    scores: dict[str, Kappas]

    @property
    def shown(self) -> Shown:
        return shown(self.winner, "coefficient", "items")

    def shown_scores(self, system: str) -> list[Shown]:
        return [shown(one, "coefficient", "items") for one in self.scores[system].values()]

    def scores_json(self, system: str) -> dict[str, Any]:
        return {weights: one.as_json() for weights, one in self.scores[system].items()}


@kept
def criterion_pooled(
    study: Study, criterion: int, only: Source | None, confidence: float
) -> CriterionPooled:
    """Of one criterion, by its key in the database."""
    found = criterion_pairs(study, criterion, only)

    def pooled(way: str, tables: Ints, weightings: Sequence[str]) -> Kappas:
        by = {weights: attempt(pool_kappa, tables, weights) for weights in weightings}
        known = {weights: one for weights, one in by.items() if isinstance(one, Pooled)}
        pulls = [one.influence for one in known.values()]
        items, squares = criterion_squares(study, criterion, only, way, pulls)
        spread = dict(zip(known, squares, strict=True))
        return {
            weights: pooled_estimate(one, weights, items, spread[weights], confidence)
            if isinstance(one, Pooled)
            else one
            for weights, one in by.items()
        }

    return CriterionPooled(
        pooled(WINNER, found.winners, WEIGHTS[:1])[WEIGHTS[0]],
        {system: pooled(system, table, WEIGHTS) for system, table in found.scores.items()},
    )
