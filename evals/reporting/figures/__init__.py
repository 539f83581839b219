"""Which figures a study and a comparison have, from the same counts as their pages."""

from collections.abc import Callable

from evals import queries
from evals.comparing import Comparison
from evals.figures import Figure, NoFigure
from evals.reporting.figures.agreement import pairs
from evals.reporting.figures.asked import Asked
from evals.reporting.figures.calibration import calibration
from evals.reporting.figures.latency import latency
from evals.reporting.figures.length import by_length
from evals.reporting.figures.preference import outcomes, win_rates
from evals.reporting.figures.watching import watched

FIGURES: dict[str, Callable[[Asked], Figure | NoFigure]] = {
    "win-rates": win_rates,
    "outcomes": outcomes,
    "watched": watched,
    "length": by_length,
    "calibration": calibration,
    "pairs": pairs,
}
# Of what the answers of two runs took: `compare_speed` counts enough for them.
COMPARED: dict[str, Callable[[Comparison], Figure | NoFigure]] = {"latency": latency}


def figure(key: str, asked: Asked) -> Figure | NoFigure:
    """The figure called `key`, one of `FIGURES`, from one state of the database."""
    with queries.snapshot():
        return FIGURES[key](asked)


__all__ = ["COMPARED", "FIGURES", "Asked", "figure"]
