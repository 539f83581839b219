"""What each two annotators said for a criterion, of the items both judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotate.models import Study
from evals.queries.agreement_criteria import SCORES, SYSTEMS
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.said import WINNERS, everybody
from evals.queries.votes import Source, counted_judgements
from evals.stats.checks import Ints

# People by their place among all, as `everybody` has them: numbers are joined far quicker. What
# was said by who was better, and where there are scores by those of either system.
PAIRS = """
, people AS MATERIALIZED (SELECT id, row_number() OVER (ORDER BY id) - 1 AS who FROM annotate_user)
, rated AS MATERIALIZED (
    SELECT votes.item_id, people.who, rating.baseline_score, rating.candidate_score,
           sign(coalesce(rating.preference, rating.candidate_score - rating.baseline_score))::int
               AS leaning
    FROM votes JOIN people ON people.id = votes.annotator_id
    JOIN annotate_rating rating ON rating.judgement_id = votes.id AND rating.criterion_id = %s
)
SELECT one.who, other.who, one.leaning, other.leaning, one.baseline_score, other.baseline_score,
       one.candidate_score, other.candidate_score, count(*)
FROM rated one JOIN rated other ON other.item_id = one.item_id AND one.who < other.who
GROUP BY GROUPING SETS (
    (one.who, other.who, one.leaning, other.leaning),
    (one.who, other.who, one.baseline_score, other.baseline_score),
    (one.who, other.who, one.candidate_score, other.candidate_score))
"""


@dataclass(frozen=True)
class CriterionPairs:
    """Tables of each pair of annotators who share items on which both answered the criterion.

    Attributes
    ----------
    pairs : sequence of (annotator, annotator)
        In the order of their ids.
    winners : (P, 3, 3) array
        Who was better: baseline, neither, candidate.
    scores : dict of (P, 5, 5) arrays
        For "baseline" and "candidate", where the criterion is scored.
    """

    pairs: Sequence[tuple[UUID, UUID]]
    winners: Ints
    scores: dict[str, Ints]


@kept
def criterion_pairs(study: Study, criterion: int, only: Source | None = None) -> CriterionPairs:
    """The tables of one criterion, by its key in the database."""
    votes = counted_judgements(study, only).values("id", "item_id", "annotator_id")
    found = counted_from(votes, PAIRS, criterion)
    rows = np.array([[-9 if cell is None else cell for cell in row] for row in found], np.int64)
    rows = rows.reshape(-1, 9)
    users = everybody()
    names, place = np.unique(rows[:, 0] * len(users) + rows[:, 1], return_inverse=True)
    pairs = [(users[name // len(users)], users[name % len(users)]) for name in names.tolist()]

    def tables(column: int, first: int, size: int) -> Ints:
        """Of the rows that say something in this column and the next."""
        (said,) = np.nonzero(rows[:, column] >= first)
        table = np.zeros((len(pairs), size, size), dtype=np.int64)
        cells = place[said], rows[said, column] - first, rows[said, column + 1] - first
        np.add.at(table, cells, rows[said, -1])
        return table

    scores = {system: tables(4 + 2 * n, 1, SCORES) for n, system in enumerate(SYSTEMS)}
    return CriterionPairs(
        pairs,
        tables(2, -1, WINNERS),
        {system: table for system, table in scores.items() if table.any()},
    )
