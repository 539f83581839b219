"""Charts of how long requests take: both systems, on an axis of ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt

from evals.figures.figure import WIDTHS, Size, inline
from evals.figures.themes import Theme

System = Literal["candidate", "baseline"]
SYSTEMS: tuple[System, ...] = ("candidate", "baseline")
DASHES = ([1, 0], [6, 3])
SHAPES = ("circle", "square")
HEIGHT, ROW = 220, 34
PERCENT = ".0%"
# So many labels have room below the axis.
MOST_TICKS: dict[Size, int] = {"wide": 9, "narrow": 4}
MILLISECONDS = (
    "datum.value >= 1000 ? format(datum.value / 1000, '~r') + '\u202fs' "
    ": format(datum.value, '~r') + '\u202fms'"
)


@dataclass(frozen=True, slots=True)
class Below:
    """The share of a system's requests that took at most `ms` milliseconds."""

    system: System
    ms: float
    share: float


@dataclass(frozen=True, slots=True)
class Quantile:
    """One quantile of a system, in milliseconds. Without an interval only the point is drawn."""

    system: System
    name: str
    ms: float
    low: float | None
    high: float | None


def distributions(
    shares: Sequence[Below], quantiles: Sequence[Quantile], theme: Theme, size: Size
) -> alt.TopLevelMixin:
    """Both cumulated distributions, and below them their quantiles with intervals."""
    least, most = min(one.ms for one in shares), max(one.ms for one in shares)
    scale = alt.Scale(type="log", domain=[least, most], nice=False)
    axis = alt.Axis(
        grid=False,
        values=_ticks(least, most, MOST_TICKS[size]),
        labelExpr=MILLISECONDS,
        labelOverlap="greedy",
        labelSeparation=4,
    )
    both: alt.VConcatChart = alt.vconcat(
        _curves(shares, scale, theme, size),
        _intervals(quantiles, scale, axis, theme, size),
        spacing=6,
    )
    # Shapes are for the points alone: the legend of the lines must not take them up.
    chart: alt.VConcatChart = both.resolve_scale(
        color="independent", shape="independent", strokeDash="independent"
    )
    return chart


def _colour(theme: Theme, legend: alt.Legend | None) -> alt.Color:
    colours = [theme[system] for system in SYSTEMS]
    return alt.Color(
        "system:N", scale=alt.Scale(domain=list(SYSTEMS), range=colours), legend=legend
    )


def _curves(shares: Sequence[Below], scale: alt.Scale, theme: Theme, size: Size) -> alt.Chart:
    values = [{"system": one.system, "ms": one.ms, "share": one.share} for one in shares]
    legend = alt.Legend(symbolType="stroke", symbolStrokeWidth=2, symbolSize=240, columns=2)
    dashes = alt.Scale(domain=list(SYSTEMS), range=list(DASHES))
    chart: alt.Chart = (
        alt.Chart(inline(values))
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            x=alt.X("ms:Q", scale=scale, axis=None),
            y=alt.Y(
                "share:Q",
                title="share of requests",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=PERCENT, tickCount=5),
            ),
            color=_colour(theme, legend),
            strokeDash=alt.StrokeDash("system:N", scale=dashes, legend=legend),
        )
        .properties(width=WIDTHS[size], height=HEIGHT)
    )
    return chart


def _intervals(
    quantiles: Sequence[Quantile], scale: alt.Scale, axis: alt.Axis, theme: Theme, size: Size
) -> alt.LayerChart | alt.FacetChart:
    values = [
        {
            "system": one.system,
            "name": one.name,
            "ms": one.ms,
            "low": one.ms if one.low is None else one.low,
            "high": one.ms if one.high is None else one.high,
        }
        for one in quantiles
    ]
    names = list(dict.fromkeys(one.name for one in quantiles))
    base = alt.Chart(inline(values)).encode(
        y=alt.Y("name:N", sort=names, title=None),
        yOffset=alt.YOffset("system:N", sort=list(SYSTEMS)),
        color=_colour(theme, None),
    )
    ranges = base.mark_rule(strokeWidth=3, clip=True).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title="latency"), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1, clip=True).encode(
        x=alt.X("ms:Q", scale=scale),
        shape=alt.Shape(
            "system:N", scale=alt.Scale(domain=list(SYSTEMS), range=list(SHAPES)), legend=None
        ),
    )
    return alt.layer(ranges, points).properties(width=WIDTHS[size], height=ROW * len(names))


def _ticks(least: float, most: float, room: int) -> list[float]:
    """Round numbers between the ends: 1, 2, 5 of each power of ten, or fewer where these crowd."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [
            value
            for power in range(-2, 10)
            for step in steps
            if least <= (value := step * 10.0**power) <= most
        ]
        if len(found) <= room and len(found) > 1:
            return found
    return found[:: -(-len(found) // room) or 1] if len(found) > 1 else [least, most]
