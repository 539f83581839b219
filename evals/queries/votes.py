"""Votes as counts: by item and annotator, by category, side and criterion, by pair."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from annotate.models import Judgement, Study
from evals.queries.reading import counted_from
from evals.stats.checks import Ints
from evals.tallies import SidedVotes, Tally, counts_of

Source = Literal["blind", "imported"]

# Items are rows without an annotator, annotators are rows without an item; equal items are
# counted together. "l..." is with the candidate on the left, "r..." on the right; "u..." is
# unknown: a vote from elsewhere may not say which output stood where.
SIDED_VOTES = """
, grouped AS (
    SELECT annotator_id, category,
           count(*) FILTER (WHERE candidate_side = 'left' AND preference < 0) AS l_loss,
           count(*) FILTER (WHERE candidate_side = 'left' AND preference = 0) AS l_tie,
           count(*) FILTER (WHERE candidate_side = 'left' AND preference > 0) AS l_win,
           count(*) FILTER (WHERE candidate_side = 'right' AND preference < 0) AS r_loss,
           count(*) FILTER (WHERE candidate_side = 'right' AND preference = 0) AS r_tie,
           count(*) FILTER (WHERE candidate_side = 'right' AND preference > 0) AS r_win,
           count(*) FILTER (WHERE candidate_side IS NULL AND preference < 0) AS u_loss,
           count(*) FILTER (WHERE candidate_side IS NULL AND preference = 0) AS u_tie,
           count(*) FILTER (WHERE candidate_side IS NULL AND preference > 0) AS u_win,
           CASE WHEN annotator_id IS NULL THEN 0 ELSE count(*) FILTER (WHERE both_bad) END AS bad
    FROM votes GROUP BY GROUPING SETS ((item_id, category), (annotator_id, category))
)
SELECT annotator_id, category, l_loss, l_tie, l_win, r_loss, r_tie, r_win, u_loss, u_tie, u_win,
       bad, count(*)
FROM grouped GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 ORDER BY category, annotator_id
"""

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

PAIRS = """
, said AS (SELECT item_id, annotator_id, sign(preference)::int + 1 AS what FROM votes)
SELECT a.annotator_id, b.annotator_id, a.what, b.what, count(*)
FROM said a JOIN said b ON a.item_id = b.item_id AND a.annotator_id < b.annotator_id
GROUP BY 1, 2, 3, 4
"""

# Totals of each item, joined back: a window over the votes would have to sort them twice.
WITH_OTHERS = """
, totals AS (
    SELECT item_id, count(*) AS n,
           count(*) FILTER (WHERE preference < 0) AS losses,
           count(*) FILTER (WHERE preference = 0) AS ties,
           count(*) FILTER (WHERE preference > 0) AS wins
    FROM votes GROUP BY item_id
)
SELECT annotator_id, n - 1,
       CASE sign(preference) WHEN -1 THEN losses WHEN 0 THEN ties ELSE wins END - 1, count(*)
FROM votes JOIN totals USING (item_id) WHERE n > 1 GROUP BY 1, 2, 3
"""


def counted_judgements(study: Study, only: Source | None = None) -> QuerySet[Judgement]:
    """The judgements that count, of one source or of both.

    Of both, whoever judged an item here and elsewhere is heard once, blind.
    """
    counted = Judgement.objects.counted().filter(study=study)
    chosen: QuerySet[Judgement] = counted.filter(source=only) if only else counted.one_voice()
    return chosen


def sided_votes(study: Study, only: Source | None = None) -> SidedVotes:
    """Everything said of the overall question, by item, annotator, category and side."""
    votes = counted_judgements(study, only).values(
        "annotator_id",
        "candidate_side",
        "preference",
        "both_bad",
        item_id=F("task__item_id"),
        category=F("task__item__category"),
    )
    rows = counted_from(votes, SIDED_VOTES)
    names = list(dict.fromkeys(row[1] for row in rows))
    number = {name: index for index, name in enumerate(names)}
    items = [(number[row[1]], *row[2:11], row[12]) for row in rows if row[0] is None]
    people = [(number[row[1]], *row[2:12]) for row in rows if row[0] is not None]
    annotators = [row[0] for row in rows if row[0] is not None]
    return SidedVotes(names, counts_of(items, 11), counts_of(people, 11), annotators)


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
            "annotator_id",
            item_id=F("task__item_id"),
            criterion_id=F("ratings__criterion_id"),
            leaning=Coalesce(
                F("ratings__preference"),
                F("ratings__candidate_score") - F("ratings__baseline_score"),
            ),
            baseline_score=F("ratings__baseline_score"),
            candidate_score=F("ratings__candidate_score"),
        )
    )


def pair_tables(study: Study, only: Source | None = None) -> tuple[list[tuple[Any, Any]], Ints]:
    """For each pair of annotators who share items, what both said of them.

    Returns
    -------
    list of (annotator, annotator)
    (P, 3, 3) array of counts
        Items by what the first (rows) and the second (columns) said, in the order
        baseline, tie, candidate.
    """
    rows = counted_from(_bare_votes(study, only), PAIRS)
    index = {pair: number for number, pair in enumerate(dict.fromkeys(row[:2] for row in rows))}
    tables = np.zeros((len(index), 3, 3), dtype=np.int64)
    for first, second, row, column, count in rows:
        tables[index[first, second], row, column] = count
    return list(index), tables


def agreement_with_others(
    study: Study, only: Source | None = None
) -> dict[Any, list[tuple[int, int, int]]]:
    """For each annotator rows (others on an item, of these who agree, items with just these)."""
    found: dict[Any, list[tuple[int, int, int]]] = {}
    for annotator, others, same, count in counted_from(_bare_votes(study, only), WITH_OTHERS):
        found.setdefault(annotator, []).append((others, same, count))
    return found


def _bare_votes(study: Study, only: Source | None) -> QuerySet[Judgement, Any]:
    return counted_judgements(study, only).values(
        "annotator_id", "preference", item_id=F("task__item_id")
    )
