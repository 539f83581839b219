"""Charts of how far annotators agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from evals.figures.figure import Size, inline
from evals.figures.themes import Theme

CELL: dict[Size, int] = {"wide": 64, "narrow": 44}
FEW = 20


@dataclass(frozen=True, slots=True)
class PairCell:
    """Kappa of two annotators; None where it is undefined."""

    first: str
    second: str
    value: float | None
    n: int


def kappa_matrix(cells: Sequence[PairCell], theme: Theme, size: Size) -> alt.TopLevelMixin:
    """One square a pair, darker with more agreement; hollow where it is undefined."""
    people = list(dict.fromkeys(name for cell in cells for name in (cell.first, cell.second)))
    values = [
        {
            "row": pair[0],
            "column": pair[1],
            "value": cell.value,
            "text": "–" if cell.value is None else f"{cell.value:.2f}",
            "dark": cell.value is not None and cell.value >= 0.45,
        }
        for cell in cells
        for pair in ((cell.first, cell.second), (cell.second, cell.first))
    ]
    base = alt.Chart(inline(values)).encode(
        x=alt.X("column:N", sort=people, title=None, axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("row:N", sort=people, title=None),
    )
    squares = base.mark_rect(stroke=theme["sheet"], strokeWidth=2).encode(
        color=alt.Color(
            "value:Q",
            scale=alt.Scale(domain=[0, 1], range=[theme["well"], theme["met"]], clamp=True),
            legend=None,
        )
    )
    on_dark = theme["sheet"]
    labels = base.mark_text().encode(
        text="text:N",
        color=alt.condition("datum.dark", alt.value(on_dark), alt.value(theme["ink"])),
    )
    side = CELL[size] * len(people)
    return alt.layer(squares, labels).properties(width=side, height=side)
