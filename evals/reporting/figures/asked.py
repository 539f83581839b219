"""What a figure is drawn of, and words that figures share."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotate.models import Study
from evals import queries
from evals.figures.measures import Bin
from evals.stats import wording
from evals.tallies import Ties

# Items of a range that words name as an end.
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A study, what counts of it, and against which gate it is held.

    `metric` names the one that is held against people, as addresses do; empty is the best one.
    """

    study: Study
    only: queries.Source | None
    threshold: float
    confidence: float
    ties: Ties = "half"
    metric: str = ""

    @property
    def level(self) -> str:
        return wording.percent(self.confidence, 0)


def interval(low: float | None, high: float | None, unit: str = "share") -> str:
    return "no interval" if low is None or high is None else wording.interval(low, high, unit)


def bin_row(one: Bin) -> tuple[str, str, str, str]:
    """A row of a table: range, share, interval or why there is none, items."""
    told = interval(one.low, one.high) if one.items > 1 else "no interval: a single item"
    return one.name, wording.percent(one.value), told, wording.count(one.items)


def bin_words(bins: Sequence[Bin]) -> str:
    """What a figure of shares by range shows: its ends, and what lies surely off one half."""
    items = wording.counted(sum(one.items for one in bins), "items")
    # A range of a few items says nothing of its end.
    ends = [one for one in bins if one.items >= ENOUGH] or list(bins)
    said = [f"{items} in {wording.counted(len(bins), 'ranges')}."]
    said += [
        wording.sentence(
            f"{one.name}: {wording.percent(one.value)} for the candidate, "
            f"{interval(one.low, one.high)}, {wording.counted(one.items, 'items')}"
        )
        for one in dict.fromkeys((ends[0], ends[-1]))
    ]
    above = [one.name for one in bins if one.low is not None and one.low > 0.5]
    below = [one.name for one in bins if one.high is not None and one.high < 0.5]
    said += [f"Above one half: {', '.join(above)}."] if above else []
    said += [f"Below one half: {', '.join(below)}."] if below else []
    return " ".join(said if above or below else [*said, "No interval leaves out one half."])
