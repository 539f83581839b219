"""Votes on each criterion as counts, by item and by annotator."""

from dataclasses import dataclass, field

from annotate.models import Study
from evals.queries.rated import Rated, rated
from evals.queries.said import WINNERS
from evals.queries.votes_from import Source
from evals.stats.histograms import distinct
from evals.tallies import Tally


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
    return {key: _votes(found) for key, found in rated(study, only).items()}


def _votes(found: Rated) -> CriterionVotes:
    of_items = found.cells[:, :-1].reshape(-1, WINNERS, WINNERS).sum(axis=2)
    tally = Tally(distinct(of_items, found.cells[:, -1]), distinct(found.people[:, :WINNERS]))
    if not found.scores:
        return CriterionVotes(tally)
    baseline, candidate = (int(total) / tally.n for total in found.people[:, WINNERS:].sum(axis=0))
    return CriterionVotes(tally, (baseline, candidate))
