"""Which figures a study has, from the same counts as its pages."""

from collections.abc import Callable

from evals import queries
from evals.figures import Figure, NoFigure
from evals.reporting.figures.agreement import pairs
from evals.reporting.figures.asked import Asked
from evals.reporting.figures.preference import outcomes, win_rates
from evals.reporting.figures.watching import watched

FIGURES: dict[str, Callable[[Asked], Figure | NoFigure]] = {
    "win-rates": win_rates,
    "outcomes": outcomes,
    "watched": watched,
    "pairs": pairs,
}


def figure(key: str, asked: Asked) -> Figure | NoFigure:
    """The figure called `key`, one of `FIGURES`, from one state of the database."""
    with queries.snapshot():
        return FIGURES[key](asked)


__all__ = ["FIGURES", "Asked", "figure"]
