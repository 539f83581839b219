"""What a figure is drawn of, and words that figures share."""

from dataclasses import dataclass

from annotate.models import Study
from evals import queries
from evals.stats import wording
from evals.tallies import Ties


@dataclass(frozen=True, slots=True)
class Asked:
    """A study, what counts of it, and against which gate it is held."""

    study: Study
    only: queries.Source | None
    threshold: float
    confidence: float
    ties: Ties = "half"

    @property
    def level(self) -> str:
        return wording.percent(self.confidence, 0)


def interval(low: float | None, high: float | None, unit: str = "share") -> str:
    return "no interval" if low is None or high is None else wording.interval(low, high, unit)
