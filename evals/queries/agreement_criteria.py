"""Agreement on each criterion as counts: who was better, the scores given, and what splits.

Kinds of items only: how many items were judged alike, never who judged them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.votes import Source, counted_judgements
from evals.stats.checks import Ints
from evals.tallies import counts_of

# Points of a score, from 1.
SCORES = 5

SYSTEMS = ("baseline", "candidate")
# Nine cells: what was said of the criterion, by what was said overall.
CELLS = [(row, column) for row in range(3) for column in range(3)]
IN_CELLS = ", ".join(
    f"count(*) FILTER (WHERE leaning = {row - 1} AND won = {column - 1}) AS c{row}{column}"
    for row, column in CELLS
)
NAMED = ", ".join(f"c{row}{column}" for row, column in CELLS)


def _scores(system: str) -> str:
    return ", ".join(
        f"count(*) FILTER (WHERE {system}_score = {score}) AS {system}{score}"
        for score in range(1, SCORES + 1)
    )


def _given(system: str) -> str:
    return ", ".join(f"{system}{score}" for score in range(1, SCORES + 1))


BASELINE, CANDIDATE = map(_given, SYSTEMS)
# `said` is made first, so that judgements are joined with their tasks and not all their ratings;
# and once, for cells and for scores.
CRITERIA = f"""
, said AS MATERIALIZED (SELECT id, item_id, sign(preference)::int AS won FROM votes), rated AS (
    SELECT item_id, criterion_id, won, baseline_score, candidate_score,
           sign(coalesce(preference, candidate_score - baseline_score))::int AS leaning
    FROM said JOIN annotate_rating ON judgement_id = said.id
), items AS (
    SELECT criterion_id, item_id, {IN_CELLS} FROM rated GROUP BY criterion_id, item_id
), scored AS (
    SELECT criterion_id, item_id, {_scores("baseline")}, {_scores("candidate")}
    FROM rated WHERE baseline_score IS NOT NULL GROUP BY criterion_id, item_id
)
SELECT criterion_id, NULL, {NAMED}, 0, count(*) FROM items GROUP BY criterion_id, {NAMED}
UNION ALL
SELECT criterion_id, GROUPING(baseline1), {BASELINE}, {CANDIDATE}, count(*) FROM scored
GROUP BY GROUPING SETS ((criterion_id, {BASELINE}), (criterion_id, {CANDIDATE}))
"""  # noqa: S608 (put together from constants)


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


@kept
def criterion_kinds(study: Study, only: Source | None = None) -> dict[int, CriterionKinds]:
    """What was said for each criterion that somebody answered."""
    votes = counted_judgements(study, only).values("item_id", "id", "preference")
    rows: dict[int, list[tuple[int, ...]]] = {}
    scores: dict[int, dict[str, list[tuple[int, ...]]]] = {}
    for key, which, *row in counted_from(votes, CRITERIA):
        if which is None:
            rows.setdefault(key, []).append((*row[: len(CELLS)], row[-1]))
        else:
            given = row[which * SCORES : (which + 1) * SCORES]
            by_system = scores.setdefault(key, {})
            by_system.setdefault(SYSTEMS[which], []).append((*given, row[-1]))
    return {key: _kinds(found, scores.get(key, {})) for key, found in rows.items()}


def _kinds(
    rows: Sequence[tuple[int, ...]], scores: dict[str, list[tuple[int, ...]]]
) -> CriterionKinds:
    found = counts_of(rows, len(CELLS) + 1)
    cells, times = found[:, :-1].reshape(-1, 3, 3), found[:, -1]
    of_criterion, overall = cells.sum(axis=2), cells.sum(axis=1)
    every = _pairs(cells.sum(axis=(1, 2)))
    same_overall, same_criterion = _pairs(overall).sum(axis=1), _pairs(of_criterion).sum(axis=1)
    differing = every - same_overall
    split = differing - same_criterion + _pairs(found[:, :-1]).sum(axis=1)
    return CriterionKinds(
        np.column_stack((of_criterion, times)),
        np.column_stack((split, differing, times)),
        {name: counts_of(given, SCORES + 1) for name, given in sorted(scores.items())},
    )


def _pairs(counts: Ints) -> Ints:
    return np.asarray(counts * (counts - 1) // 2)
