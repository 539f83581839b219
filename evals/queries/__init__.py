"""The one door from the database to counts and arrays.

Everything is counted inside PostgreSQL: what comes out grows with the number of
annotators, categories and criteria, never with the number of judgements.
"""

from evals.queries.items import (
    Listed,
    disputed_count,
    disputed_items,
    flagged_count,
    flagged_items,
    item_with_tasks,
)
from evals.queries.progress import (
    Person,
    Progress,
    Slots,
    flagged,
    has_imported,
    median_seconds,
    people,
    progress,
    total_slots,
)
from evals.queries.reading import snapshot
from evals.queries.structure import ReferenceCounts, reference_counts
from evals.queries.votes import (
    Source,
    agreement_with_others,
    counted_judgements,
    criterion_tallies,
    mean_scores,
    pair_tables,
    sided_votes,
)

__all__ = [
    "Listed",
    "Person",
    "Progress",
    "ReferenceCounts",
    "Slots",
    "Source",
    "agreement_with_others",
    "counted_judgements",
    "criterion_tallies",
    "disputed_count",
    "disputed_items",
    "flagged",
    "flagged_count",
    "flagged_items",
    "has_imported",
    "item_with_tasks",
    "mean_scores",
    "median_seconds",
    "pair_tables",
    "people",
    "progress",
    "reference_counts",
    "sided_votes",
    "snapshot",
    "total_slots",
]
