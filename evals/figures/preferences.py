"""Charts of what people prefer: win rates, outcomes, and both over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from evals.figures.figure import TICKS, WIDTHS, Size, inline
from evals.figures.themes import Theme

Chart = alt.TopLevelMixin
ROW = 26
PERCENT = ".0%"


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of a forest plot. Without an interval only the point is drawn."""

    name: str
    n: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One bar: votes of one question or category."""

    name: str
    wins: int
    ties: int
    both_bad: int
    losses: int


@dataclass(frozen=True, slots=True)
class Look:
    """The win rate after `n` items: its interval if one looks once, and if one always looks."""

    n: int
    value: float
    low: float | None
    high: float | None
    always_low: float
    always_high: float


def forest(rates: Sequence[Rate], threshold: float, theme: Theme, size: Size) -> Chart:
    """Win rates with intervals, one below the other, against one half and the gate."""
    order = [rate.name for rate in rates]
    values: list[dict[str, Any]] = [
        {
            "name": rate.name,
            "value": rate.value,
            "low": rate.value if rate.low is None else rate.low,
            "high": rate.value if rate.high is None else rate.high,
        }
        for rate in rates
    ]
    ends = [value for row in values for value in (row["low"], row["high"])]
    domain = [min(0.3, *ends), max(0.9, *ends)]
    y = alt.Y("name:N", sort=order, title=None)
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    axis = alt.Axis(format=PERCENT, grid=False, tickCount=TICKS[size])
    base = alt.Chart(inline(values)).encode(y=y)
    ranges = base.mark_rule(strokeWidth=3, color=theme["ink-2"]).encode(
        x=alt.X("low:Q", title="win rate", scale=scale, axis=axis), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1, color=theme["ink"]).encode(
        x=alt.X("value:Q", scale=scale)
    )
    return alt.layer(
        _upright(0.5, domain, theme["edge"], [4, 3]),
        _upright(threshold, domain, theme["met"], []),
        ranges,
        points,
    ).properties(width=WIDTHS[size], height=ROW * len(rates))


def _upright(value: float, domain: list[float], colour: str, dash: list[int]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(inline([{"at": value}])).mark_rule(color=colour, strokeDash=dash)
    return chart.encode(x=alt.X("at:Q", scale=alt.Scale(domain=domain, nice=False, zero=False)))


def outcomes(bars: Sequence[Outcome], theme: Theme, size: Size) -> Chart:
    """Shares of win, tie, both bad and loss."""
    kinds = ("candidate", "tie", "both bad", "baseline")
    values = [
        {"name": bar.name, "kind": kind, "order": order, "n": n}
        for bar in bars
        for order, (kind, n) in enumerate(
            zip(kinds, (bar.wins, bar.ties, bar.both_bad, bar.losses), strict=True)
        )
    ]
    present = [kind for kind in kinds if any(v["kind"] == kind and v["n"] for v in values)]
    colours = dict(zip(kinds, ("candidate", "line", "tie", "baseline"), strict=True))
    chart: alt.TopLevelMixin = (
        alt.Chart(inline([value for value in values if value["n"]]))
        .mark_bar(height=ROW - 8)
        .encode(
            y=alt.Y("name:N", sort=[bar.name for bar in bars], title=None),
            x=alt.X(
                "n:Q",
                stack="normalize",
                title="share of judgements",
                axis=alt.Axis(format=PERCENT, grid=False, tickCount=TICKS[size]),
            ),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=present, range=[theme[colours[kind]] for kind in present]),
                legend=alt.Legend(columns=2 if size == "narrow" else 4),
            ),
            order=alt.Order("order:Q"),
        )
        .properties(width=WIDTHS[size], height=ROW * len(bars))
    )
    return chart


def over_time(looks: Sequence[Look], threshold: float, theme: Theme, size: Size) -> Chart:
    """The win rate as items were judged, with both of its intervals."""
    values = [
        {
            "n": look.n,
            "value": look.value,
            "low": look.value if look.low is None else max(0.0, look.low),
            "high": look.value if look.high is None else min(1.0, look.high),
            "always_low": max(0.0, look.always_low),
            "always_high": min(1.0, look.always_high),
        }
        for look in looks
    ]
    base = alt.Chart(inline(values)).encode(
        x=alt.X(
            "n:Q",
            title="items judged",
            axis=alt.Axis(grid=False, tickCount=TICKS[size], format="d"),
        )
    )
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format=PERCENT, tickCount=5)
    always = base.mark_area(clip=True, color=theme["candidate"], opacity=0.22).encode(
        y=alt.Y("always_low:Q", scale=scale, title="win rate", axis=axis), y2="always_high:Q"
    )
    once = base.mark_area(clip=True, color=theme["candidate"], opacity=0.45).encode(
        y=alt.Y("low:Q", scale=scale, title="win rate"), y2="high:Q"
    )
    line = base.mark_line(color=theme["ink"], strokeWidth=2).encode(
        y=alt.Y("value:Q", scale=scale, title="win rate")
    )
    return alt.layer(
        _level(0.5, theme["edge"], [4, 3]), _level(threshold, theme["met"], []), always, once, line
    ).properties(width=WIDTHS[size], height=240)


def _level(value: float, colour: str, dash: list[int]) -> alt.Chart:
    chart: alt.Chart = alt.Chart(inline([{"at": value}])).mark_rule(color=colour, strokeDash=dash)
    return chart.encode(y="at:Q")
