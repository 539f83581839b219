"""Charts of what machines measure: length, latency, and metrics against people."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from evals.figures.figure import TICKS, WIDTHS, Size, inline
from evals.figures.themes import Theme

HEIGHT = 240
PERCENT = ".0%"


@dataclass(frozen=True, slots=True)
class Bin:
    """Items whose measure lies between two values, and how the candidate fared on them."""

    start: float
    end: float
    items: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Latencies:
    """Requests of one system by duration: (from, to, how many), in seconds."""

    system: str
    bins: Sequence[tuple[float, float, int]]


def rate_by_measure(bins: Sequence[Bin], title: str, theme: Theme, size: Size) -> alt.TopLevelMixin:
    """The candidate's win rate along a measure, a wider point for more items."""
    values = [
        {
            "at": (one.start + one.end) / 2,
            "value": one.value,
            "low": one.value if one.low is None else one.low,
            "high": one.value if one.high is None else one.high,
            "items": one.items,
        }
        for one in bins
    ]
    base = alt.Chart(inline(values)).encode(
        x=alt.X("at:Q", title=title, axis=alt.Axis(grid=False, tickCount=TICKS[size]))
    )
    scale = alt.Scale(domain=[0, 1])
    ranges = base.mark_rule(strokeWidth=2, color=theme["ink-2"]).encode(
        y=alt.Y("low:Q", scale=scale, title="win rate", axis=alt.Axis(format=PERCENT)), y2="high:Q"
    )
    points = base.mark_point(filled=True, opacity=1, color=theme["ink"]).encode(
        y=alt.Y("value:Q", scale=scale, title="win rate"),
        size=alt.Size("items:Q", legend=None, scale=alt.Scale(range=[30, 240])),
    )
    half = alt.Chart(inline([{"at": 0.5}]))
    line = half.mark_rule(color=theme["edge"], strokeDash=[4, 3]).encode(y="at:Q")
    return alt.layer(line, ranges, points).properties(width=WIDTHS[size], height=HEIGHT)


def latencies(systems: Sequence[Latencies], theme: Theme, size: Size) -> alt.TopLevelMixin:
    """Both systems' durations: the candidate filled, the baseline as an outline."""
    colours = ("baseline", "candidate")
    layers = []
    axis = alt.Axis(grid=False, tickCount=TICKS[size])
    names = [one.system for one in systems]
    for one in systems:
        total = sum(count for _, _, count in one.bins) or 1
        values = [
            {"start": start, "end": end, "share": count / total, "zero": 0, "system": one.system}
            for start, end, count in one.bins
        ]
        layers.append(
            alt.Chart(inline(values))
            .mark_rect(opacity=0.55)
            .encode(
                x=alt.X("start:Q", title="seconds", axis=axis),
                x2="end:Q",
                y=alt.Y("share:Q", title="share of requests", axis=alt.Axis(format=PERCENT)),
                y2="zero:Q",
                color=alt.Color(
                    "system:N",
                    scale=alt.Scale(domain=names, range=[theme[colour] for colour in colours]),
                ),
            )
        )  # fmt: skip
    return alt.layer(*layers).properties(width=WIDTHS[size], height=HEIGHT)
