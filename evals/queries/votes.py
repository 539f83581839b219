"""Votes as counts: by item and annotator, by category, side and criterion."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from annotate.models import Judgement, Study
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.said import (
    POINTS,
    SIDES,
    WINNERS,
    categories_of,
    everybody,
    said_in_blocks,
)
from evals.queries.together import beside_others
from evals.queries.votes_from import Source as Source
from evals.queries.votes_from import counted_judgements as counted_judgements
from evals.stats.checks import Ints
from evals.stats.histograms import Histogram, distinct, summed
from evals.tallies import SidedVotes, Tally, counts_of

# Losses, ties and wins, with the candidate on the left, on the right, and nobody knows where.
SIDED = SIDES * WINNERS

CRITERIA = """
, grouped AS (
    SELECT criterion_id, annotator_id,
           count(*) FILTER (WHERE leaning < 0) AS losses,
           count(*) FILTER (WHERE leaning = 0) AS ties,
           count(*) FILTER (WHERE leaning > 0) AS wins,
           CASE WHEN annotator_id IS NOT NULL THEN sum(baseline_score) END AS baseline,
           CASE WHEN annotator_id IS NOT NULL THEN sum(candidate_score) END AS candidate
    FROM votes GROUP BY GROUPING SETS ((criterion_id, item_id), (criterion_id, annotator_id))
)
SELECT criterion_id, annotator_id IS NULL, losses, ties, wins, count(*),
       sum(baseline)::bigint, sum(candidate)::bigint
FROM grouped GROUP BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True)
class Overall:
    """The overall question, counted in one pass over the votes.

    Attributes
    ----------
    sided : SidedVotes
    points : (H, 8) array
        Judgements on each of the seven points, and items with just these.
    both_bad : int
    scales : (int, int) or None
        The shortest and the longest scale that was judged on; None without a judgement.
    others : dict of (H, 5) arrays
        For each annotator: own answer (0, 1, 2); others for the baseline, for neither, for the
        candidate; items with just these.
    """

    sided: SidedVotes
    points: Ints
    both_bad: int
    scales: tuple[int, int] | None
    others: dict[UUID, Ints]


@kept
def overall(study: Study, only: Source | None = None) -> Overall:
    """Everything said of the overall question: all that pages need of it but pairs."""
    categories: dict[str, int] = {}
    points, items, others = Histogram(POINTS), Histogram(SIDED + 1), Histogram(5)
    keys, people = [np.zeros((0, 2), np.int64)], [np.zeros((0, SIDED + 1), np.int64)]
    both_bad, scales = 0, set[int]()
    for said in said_in_blocks(study, only):
        category = categories_of(study, said.ids, categories)
        cells = said.side * WINNERS + said.winner
        points.add(said.by_item(said.point, POINTS))
        items.add(np.column_stack((category, said.by_item(cells, SIDED))))
        others.add(beside_others(said))
        counted = np.eye(SIDED, dtype=np.int64)[cells]
        who, sums = summed(
            (category[said.item], said.who), np.column_stack((counted, said.both_bad))
        )
        keys.append(who)
        people.append(sums)
        both_bad += int(said.both_bad.sum())
        scales.update(np.unique(said.scale).tolist())
    users, rows = everybody(), others.rows
    return Overall(
        _sided(list(categories), items.rows, np.concatenate(keys), np.concatenate(people), users),
        points.rows,
        both_bad,
        (min(scales), max(scales)) if scales else None,
        {users[who]: rows[rows[:, 0] == who, 1:] for who in np.unique(rows[:, 0]).tolist()},
    )


def _sided(
    names: list[str], items: Ints, keys: Ints, people: Ints, users: list[UUID]
) -> SidedVotes:
    """In the order of the names of the categories, in whichever these came."""
    order = sorted(range(len(names)), key=lambda number: names[number])
    place = np.argsort(np.array(order, dtype=np.int64))
    items = np.column_stack((place[items[:, 0]], items[:, 1:]))
    whose, sums = summed((place[keys[:, 0]], keys[:, 1]), people)
    return SidedVotes(
        [names[number] for number in order],
        items[np.lexsort(items.T[::-1])],
        np.column_stack((whose[:, 0], sums)),
        [users[who] for who in whose[:, 1].tolist()],
    )


def sided_votes(study: Study, only: Source | None = None) -> SidedVotes:
    """Everything said of the overall question, by item, annotator, category and side."""
    return overall(study, only).sided


@dataclass(frozen=True, slots=True)
class CriterionVotes:
    """What was said for one criterion; of two scores the higher one wins.

    Attributes
    ----------
    mean_scores : (baseline, candidate) or None
        Where the criterion is scored for each side.
    """

    tally: Tally = field(default_factory=Tally)
    mean_scores: tuple[float, float] | None = None


@kept
def criterion_votes(study: Study, only: Source | None = None) -> dict[int, CriterionVotes]:
    """What was said for each criterion that somebody answered."""
    grouped: dict[int, list[tuple[Any, ...]]] = {}
    for key, *row in counted_from(_ratings(study, only), CRITERIA):
        grouped.setdefault(key, []).append(tuple(row))
    return {key: _criterion(rows) for key, rows in grouped.items()}


def _criterion(rows: list[tuple[Any, ...]]) -> CriterionVotes:
    items = [row[1:5] for row in rows if row[0]]
    people = [row for row in rows if not row[0]]
    tally = Tally(counts_of(items), counts_of(row[1:5] for row in people))
    sums = [row[5:] for row in people if row[5] is not None]
    if not sums:
        return CriterionVotes(tally)
    baseline, candidate = (sum(column) / tally.n for column in zip(*sums, strict=True))
    return CriterionVotes(tally, (baseline, candidate))


def _ratings(study: Study, only: Source | None) -> QuerySet[Judgement, Any]:
    return (
        counted_judgements(study, only)
        .filter(ratings__criterion__isnull=False)
        .values(
            "item_id",
            "annotator_id",
            criterion_id=F("ratings__criterion_id"),
            leaning=Coalesce(
                F("ratings__preference"),
                F("ratings__candidate_score") - F("ratings__baseline_score"),
            ),
            baseline_score=F("ratings__baseline_score"),
            candidate_score=F("ratings__candidate_score"),
        )
    )


def agreement_with_others(
    study: Study, only: Source | None = None
) -> dict[Any, list[tuple[int, int, int]]]:
    """For each annotator rows (others on an item, of these who agree, items with just these)."""
    found = {who: _agreeing(rows) for who, rows in overall(study, only).others.items()}
    return {who: kinds for who, kinds in found.items() if kinds}


def _agreeing(rows: Ints) -> list[tuple[int, int, int]]:
    others = rows[:, 1:4]
    same = np.take_along_axis(others, rows[:, :1], axis=1)[:, 0]
    found = np.column_stack((others.sum(axis=1), same))
    met = found[:, 0] > 0
    return [
        (n, agreeing, items) for n, agreeing, items in distinct(found[met], rows[met, 4]).tolist()
    ]
