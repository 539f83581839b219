"""A figure: a chart with its table and its description in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import altair as alt

from evals.figures.themes import Theme

Size = Literal["wide", "narrow"]
SIZES: tuple[Size, ...] = ("wide", "narrow")
# The width of what is drawn, in pixels, without labels beside it.
WIDTHS: dict[Size, int] = {"wide": 620, "narrow": 230}
TICKS: dict[Size, int] = {"wide": 6, "narrow": 3}

Build: TypeAlias = Callable[[Theme, Size], alt.TopLevelMixin]


def inline(values: Sequence[dict[str, Any]]) -> alt.Data:
    """Rows that travel inside of the chart: nothing is fetched."""
    return alt.Data(values=list(values))  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a person looks at, what they can read instead, and what a screen reader says.

    Attributes
    ----------
    words : str
        What the figure shows, for those who do not see it.
    method : str
        How the numbers came about.
    header, rows
        The table of everything that is drawn.
    build : callable
        Declares the chart in a theme and a size.
    """

    key: str
    title: str
    words: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    build: Build
    method: str = ""


@dataclass(frozen=True, slots=True)
class NoFigure:
    """Why there is nothing to draw yet."""

    key: str
    title: str
    reason: str
