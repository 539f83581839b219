"""Judgements that were made elsewhere and brought in."""

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.votes_from import Source, counted_judgements


def has_imported(study: Study) -> bool:
    """Whether judgements made elsewhere are in a study."""
    return counted_judgements(study, "imported").exists()


@kept
def imported_count(study: Study, only: Source | None = None) -> int:
    """How many of the judgements that count were made elsewhere."""
    if only == "blind" or not has_imported(study):
        return 0
    return sum(parts(study, imported_part, only))


def imported_part(block: Block, only: Source | None) -> int:
    """The same of one block."""
    return block.votes(only).filter(source="imported").count()
