"""How strong preferences are, as sums by item and by annotator."""

from dataclasses import dataclass

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.votes import Source, counted_judgements
from evals.stats.checks import Ints
from evals.tallies import counts_of

# Items are rows without an annotator, annotators are rows without an item; equal sums are
# counted together.
STRENGTH = """
, grouped AS (
    SELECT annotator_id IS NULL AS of_item, count(*) AS n, sum(preference)::bigint AS total,
           sum(preference * preference)::bigint AS squares, min(scale) AS least, max(scale) AS most
    FROM votes GROUP BY GROUPING SETS ((item_id), (annotator_id))
)
SELECT of_item, n, total, count(*), sum(squares)::bigint, min(least), max(most)
FROM grouped GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class StrengthSums:
    """Signed choices, the candidate's side positive.

    Attributes
    ----------
    n, total, squares : int
        Judgements, the sum of their choices, and of the squares of these.
    items, annotators : (H, 3) arrays
        Rows (judgements, sum of choices, how many items or annotators have just these).
    scales : (int, int) or None
        The shortest and the longest scale that was judged on; None without a judgement.
    """

    n: int
    total: int
    squares: int
    items: Ints
    annotators: Ints
    scales: tuple[int, int] | None


@kept
def strength_sums(study: Study, only: Source | None = None) -> StrengthSums:
    """All that the mean strength and its clustered interval need."""
    votes = counted_judgements(study, only).values("item_id", "annotator_id", "preference", "scale")
    rows = counted_from(votes, STRENGTH)
    items = counts_of((row[1:4] for row in rows if row[0]), 3)
    annotators = counts_of((row[1:4] for row in rows if not row[0]), 3)
    scales = (min(row[5] for row in rows), max(row[6] for row in rows)) if rows else None
    return StrengthSums(
        int(items[:, 0] @ items[:, 2]),
        int(items[:, 1] @ items[:, 2]),
        sum(int(row[4]) for row in rows if row[0]),
        items,
        annotators,
        scales,
    )
