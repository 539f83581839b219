"""Charts for planning."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from evals.figures.figure import TICKS, WIDTHS, Size, inline
from evals.figures.themes import Theme

Chart = alt.TopLevelMixin
PERCENT = ".0%"


@dataclass(frozen=True, slots=True)
class Curve:
    """Power by number of items."""

    name: str
    points: Sequence[tuple[int, float]]


def power_curves(curves: Sequence[Curve], wanted: float, theme: Theme, size: Size) -> Chart:
    """One line for each curve, and the power that is wanted."""
    values = [
        {"items": items, "power": power, "curve": curve.name}
        for curve in curves
        for items, power in curve.points
    ]
    colours = [theme["ink-2"], theme["candidate"]][-len(curves) :]
    lines = (
        alt.Chart(inline(values))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("items:Q", axis=alt.Axis(grid=False, tickCount=TICKS[size], format="d")),
            y=alt.Y(
                "power:Q",
                title="chance of showing it",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=PERCENT, tickCount=5),
            ),
            color=alt.Color(
                "curve:N",
                scale=alt.Scale(domain=[curve.name for curve in curves], range=colours),
                legend=alt.Legend(columns=1 if size == "narrow" else 2),
            ),
        )
    )
    level = alt.Chart(inline([{"at": wanted}])).mark_rule(color=theme["met"]).encode(y="at:Q")
    return alt.layer(level, lines).properties(width=WIDTHS[size], height=240)
