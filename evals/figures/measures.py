"""Charts of what machines measure beside what people say: by length, by a metric."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from evals.figures.figure import TICKS, WIDTHS, Size, inline
from evals.figures.themes import Theme

ROW = 28
PERCENT = ".0%"
# Points of a bin with few and with the most items, in square pixels.
AREAS = (40, 160)


@dataclass(frozen=True, slots=True)
class Bin:
    """Items whose measure lies in one range, and the share that people gave to the candidate.

    Without an interval only the point is drawn.
    """

    name: str
    items: int
    value: float
    low: float | None
    high: float | None


def shares_by_bin(bins: Sequence[Bin], title: str, theme: Theme, size: Size) -> alt.TopLevelMixin:
    """One row a bin in their order, against one half; larger points for more items."""
    order = [f"{one.name} ({one.items:,})" for one in bins]
    values = [
        {
            "name": name,
            "value": one.value,
            "low": one.value if one.low is None else one.low,
            "high": one.value if one.high is None else one.high,
            "items": one.items,
        }
        for name, one in zip(order, bins, strict=True)
    ]
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format=PERCENT, grid=False, tickCount=TICKS[size])
    base = alt.Chart(inline(values)).encode(y=alt.Y("name:N", sort=order, title=None))
    ranges = base.mark_rule(strokeWidth=3, color=theme["ink-2"]).encode(
        x=alt.X("low:Q", title=title, scale=scale, axis=axis), x2="high:Q"
    )
    points = base.mark_point(filled=True, opacity=1, color=theme["ink"]).encode(
        x=alt.X("value:Q", scale=scale),
        size=alt.Size("items:Q", legend=None, scale=alt.Scale(zero=True, range=list(AREAS))),
    )
    half = (
        alt.Chart(inline([{"at": 0.5}]))
        .mark_rule(color=theme["edge"], strokeDash=[4, 3])
        .encode(x=alt.X("at:Q", scale=scale))
    )
    return alt.layer(half, ranges, points).properties(width=WIDTHS[size], height=ROW * len(values))
