"""The one door from the database to counts and arrays.

Everything is counted inside PostgreSQL, or from its index of the votes a block of items at a time:
what comes out grows with the number of annotators, categories and criteria, never with the number
of judgements. It is kept until the study changes.
"""

from evals.queries.agreement import pair_tables
from evals.queries.criteria import CriterionVotes, criterion_votes
from evals.queries.elsewhere import has_imported, imported_count
from evals.queries.items import (
    Listed,
    can_be_disputed,
    disputed_items,
    flagged_count,
    flagged_items,
    item_with_tasks,
)
from evals.queries.length import LengthVotes, length_votes
from evals.queries.others import agreement_with_others
from evals.queries.people import Person, median_seconds, people, people_counted
from evals.queries.progress import (
    Progress,
    Slots,
    Week,
    flagged,
    last_week,
    progress,
    total_slots,
)
from evals.queries.reading import snapshot
from evals.queries.repeats import RepeatCounts, repeats
from evals.queries.strength import StrengthSums, strength_sums
from evals.queries.structure import ReferenceCounts, reference_counts
from evals.queries.votes import (
    Source,
    counted_judgements,
    sided_votes,
)

__all__ = [
    "CriterionVotes",
    "LengthVotes",
    "Listed",
    "Person",
    "Progress",
    "ReferenceCounts",
    "RepeatCounts",
    "Slots",
    "Source",
    "StrengthSums",
    "Week",
    "agreement_with_others",
    "can_be_disputed",
    "counted_judgements",
    "criterion_votes",
    "disputed_items",
    "flagged",
    "flagged_count",
    "flagged_items",
    "has_imported",
    "imported_count",
    "item_with_tasks",
    "last_week",
    "length_votes",
    "median_seconds",
    "pair_tables",
    "people",
    "people_counted",
    "progress",
    "reference_counts",
    "repeats",
    "sided_votes",
    "snapshot",
    "strength_sums",
    "total_slots",
]
