"""Before: how many items, and how many judgements of each. After: what could be seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from annotate.models import Study
from evals import queries
from evals.figures import Figure
from evals.figures.figure import Size
from evals.figures.planning import Chart, Curve, power_curves
from evals.figures.themes import Theme
from evals.stats import wording
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.planning import (
    design_effect,
    detectable_share,
    power_of,
    sample_size_proportion,
    votes_for_width,
)
from evals.tallies import COUNTED, FEWEST_ITEMS, Tally, Ties

# Measured where three and four people judged each item: two votes say little more than one.
USUAL_CORRELATION = 0.5
OVERLAPS = (1, 2, 3, 5)
POINTS = 60
NO_VOTES = Tally()
TIES_IN_CURVE: dict[Ties, str] = {
    "half": "Ties make it a little better than shown.",
    "decided": "Ties, which are left out, are taken off at the share seen so far.",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person asked for, in fractions.

    Attributes
    ----------
    ties : {"half", "decided"}
        Of the policy. Where ties are left out, votes are decided ones.
    tie_share : float
        Ties among the judgements so far; each judgement decides so much less.
    """

    goal: str
    expected: float
    threshold: float
    width: float
    power: float
    overlap: int
    correlation: float
    confidence: float
    ties: Ties = "half"
    tie_share: float = 0.0

    @property
    def lost(self) -> float:
        """The share of judgements that will count for nothing."""
        return self.tie_share if self.ties == "decided" else 0.0

    def worth(self, overlap: int) -> float:
        """Independent votes that one item of so many judgements gives."""
        counted = overlap * (1 - self.lost)
        return counted / design_effect(max(1.0, counted), self.correlation)

    @property
    def tail(self) -> float:
        """The gate looks at the lower end of a two-sided interval."""
        return (1 - self.confidence) / 2

    def independent_votes(self) -> int:
        if self.goal == "width":
            return votes_for_width(self.expected, self.width, self.confidence)
        return sample_size_proportion(
            self.threshold, self.expected, self.tail, self.power, "greater"
        ).value


@dataclass(frozen=True, slots=True)
class Row:
    """What one overlap would take."""

    overlap: int
    items: str
    judgements: str
    hours: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """The answer, or the reason why there is none."""

    rows: Sequence[Row] = ()
    finding: str = ""
    reason: str = ""


def plan_from(
    cleaned: Mapping[str, Any], confidence: float, ties: Ties = "half", tally: Tally = NO_VOTES
) -> Plan:
    shares = {name: cleaned[name] / 100 for name in ("expected", "threshold", "width", "power")}
    return Plan(
        goal=cleaned["goal"],
        overlap=cleaned["overlap"],
        correlation=cleaned["correlation"],
        confidence=confidence,
        ties=ties,
        tie_share=tally.tie_share or 0.0,
        **shares,
    )


def starting_values(
    study: Study, threshold: float, tally: Tally, ties: Ties = "half"
) -> dict[str, Any]:
    """What the page opens with: the gate, and what the study has shown of its items."""
    return {
        "goal": "threshold",
        "expected": round(100 * min(0.95, threshold + 0.1), 1),
        "threshold": round(100 * threshold, 1),
        "width": 5,
        "power": 80,
        "overlap": study.overlap,
        "correlation": round(seen_correlation(tally, ties) or USUAL_CORRELATION, 2),
    }


def seen_correlation(tally: Tally, ties: Ties = "half") -> float | None:
    """Of judgements of one item, from the design effect; None before that can be told."""
    counted = tally.counted(ties)
    rate = counted.win_rate()
    if not isinstance(rate, Estimate) or counted.item_count < FEWEST_ITEMS:
        return None
    each = counted.n / counted.item_count
    if each <= 1 or rate.design_effect is None:
        return None
    return min(1.0, max(0.0, (rate.design_effect - 1) / (each - 1)))


def ties_words(tally: Tally, ties: Ties) -> str:
    """What becomes of ties in the plan."""
    if ties == "half":
        return "Ties count as half a win, as the policy says; the plan takes every judgement."
    share = tally.tie_share
    if share is None:
        return (
            "Ties are left out, as the policy says: the plan speaks of decided judgements, so add "
            f"the ties you expect. With {FEWEST_ITEMS} items judged, this study's own share of "
            "them is counted in."
        )
    return (
        f"Ties are left out, as the policy says. Of the judgements so far "
        f"{wording.percent(share)} were ties ({wording.counted(tally.n, 'judgements')}); the plan "
        "takes it that so many will be, and adds them."
    )


def seconds_each(study: Study) -> float | None:
    """Median time at work on a judgement, of the annotators' medians."""
    found = [one.value for one in queries.median_seconds(study).values()]
    return median(found) if found else None


def planned(plan: Plan, seconds: float | None) -> Planned:
    """What each overlap would take."""
    try:
        votes = plan.independent_votes()
    except UndefinedError as error:
        return Planned(reason=error.reason)
    overlaps = sorted({*OVERLAPS, plan.overlap})
    rows = [_row(plan, overlap, votes, seconds) for overlap in overlaps]
    chosen = next(row for row in rows if row.is_chosen)
    return Planned(rows, f"{chosen.items} items with {_each(plan.overlap)}")


def _row(plan: Plan, overlap: int, votes: int, seconds: float | None) -> Row:
    # Rounded first: 420 / 3 judgements are 140 items, whatever floats make of it.
    items = math.ceil(round(votes / plan.worth(overlap), 9))
    hours = f"{items * overlap * seconds / 3600:,.0f}" if seconds else ""
    return Row(
        overlap,
        wording.count(items),
        wording.count(items * overlap),
        hours.replace(",", "\u202f"),
        overlap == plan.overlap,
    )


def _each(overlap: int) -> str:
    return "one judgement each" if overlap == 1 else f"{overlap} judgements each"


def curve(plan: Plan) -> Figure | None:
    """Chance of showing it, by items, for one judgement an item and for the overlap chosen."""
    try:
        votes = plan.independent_votes()
        if plan.goal != "threshold":
            return None
        most = 2 * votes
        curves = [
            Curve(_each(overlap), _powers(plan, overlap, most))
            for overlap in sorted({1, plan.overlap})
        ]
    except UndefinedError:
        return None

    def build(theme: Theme, size: Size) -> Chart:
        return power_curves(curves, plan.power, theme, size)

    return Figure(
        "planning",
        "Chance of showing it, by number of items",
        f"The chance that the lower end of the interval lies above "
        f"{wording.percent(plan.threshold)} if {wording.percent(plan.expected)} is true.",
        ("Items", *(one.name for one in curves)),
        [
            (str(points[0][0]), *(wording.percent(point[1], 0) for point in points))
            for points in zip(*(one.points for one in curves), strict=True)
        ][:: max(1, POINTS // 15)],
        build,
        "Exact binomial power at the number of independent votes that so many judgements are "
        f"worth; its teeth are real. {TIES_IN_CURVE[plan.ties]}",
    )


def _powers(plan: Plan, overlap: int, most: int) -> list[tuple[int, float]]:
    items = sorted({max(1, round(most * step / POINTS)) for step in range(1, POINTS + 1)})
    worth = plan.worth(overlap)
    powers = power_of(
        [max(1, int(count * worth)) for count in items], plan.threshold, plan.expected, plan.tail
    )
    return list(zip(items, powers, strict=True))


def could_have_seen(
    tally: Tally, threshold: float, confidence: float, power: float = 0.8, ties: Ties = "half"
) -> str:
    """What the study as it is could have shown."""
    counted = tally.counted(ties)
    rate = counted.win_rate(confidence)
    if not isinstance(rate, Estimate) or not rate.design_effect:
        return ""
    votes = int(rate.n / rate.design_effect)
    said = (
        f"{wording.counted(rate.n, COUNTED[ties])} of "
        f"{wording.counted(counted.item_count, 'items')} "
        f"are worth about {wording.counted(votes, 'independent judgements')}."
    )
    try:
        least = detectable_share(threshold, votes, (1 - confidence) / 2, power)
    except UndefinedError as error:
        return f"{said} They cannot show more than {wording.percent(threshold)}: {error.reason}."
    return (
        f"{said} With a chance of {wording.percent(power, 0)} they show more than "
        f"{wording.percent(threshold)} if the true win rate is {wording.percent(least)} or more."
    )
