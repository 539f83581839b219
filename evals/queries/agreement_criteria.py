"""Agreement on each criterion as counts: who was better, the scores given, and what splits.

Kinds of items only: how many items were judged alike, never who judged them.
"""

from dataclasses import dataclass, field

import numpy as np

from annotate.models import Study
from evals.queries.rated import Rated, rated
from evals.queries.said import WINNERS
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.tallies import counts_of


@dataclass(frozen=True)
class CriterionKinds:
    """What was said for one criterion, by kinds of items.

    Attributes
    ----------
    items : (H, 4) array
        Losses, ties and wins of the candidate, and items with just these.
    split : (H, 3) array
        Pairs of judgements of an item that differ overall and on this criterion, pairs that
        differ overall, and items with just these.
    scores : dict
        For "baseline" and "candidate", where the criterion is scored: rows (scores of 1 to 5,
        items with just these).
    """

    items: Ints = field(default_factory=lambda: counts_of(()))
    split: Ints = field(default_factory=lambda: counts_of((), 3))
    scores: dict[str, Ints] = field(default_factory=dict)


def criterion_kinds(study: Study, only: Source | None = None) -> dict[int, CriterionKinds]:
    """What was said for each criterion that somebody answered."""
    return {key: _kinds(found) for key, found in rated(study, only).items()}


def _kinds(found: Rated) -> CriterionKinds:
    cells, times = found.cells[:, :-1].reshape(-1, WINNERS, WINNERS), found.cells[:, -1]
    of_criterion, overall = cells.sum(axis=2), cells.sum(axis=1)
    every = _pairs(cells.sum(axis=(1, 2)))
    same_overall, same_criterion = _pairs(overall).sum(axis=1), _pairs(of_criterion).sum(axis=1)
    differing = every - same_overall
    split = differing - same_criterion + _pairs(found.cells[:, :-1]).sum(axis=1)
    return CriterionKinds(
        np.column_stack((of_criterion, times)),
        np.column_stack((split, differing, times)),
        found.scores,
    )


def _pairs(counts: Ints) -> Ints:
    return np.asarray(counts * (counts - 1) // 2)
