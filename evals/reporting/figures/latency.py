"""How long requests of both systems of a comparison took."""

import math
from functools import partial

import numpy as np

from evals.comparing import Comparison
from evals.comparing.speed import QUANTILES
from evals.figures import Figure, NoFigure
from evals.figures.durations import SYSTEMS, Below, Quantile, System, distributions
from evals.reporting import compared
from evals.stats import wording
from evals.stats.checks import Floats
from evals.stats.estimates import Estimate

TITLE = "Latency of both systems"
# Durations at which requests are counted, for each power of ten.
A_DECADE = 20
# Milliseconds; an axis of ratios has no place for 0.
SHORTEST = 0.1
METHOD = (
    "First tries that succeeded, none from a cache. {notes} Above: the share of requests that took "
    "at most so long, counted at {decade} durations for each power of ten. Below: quantiles after "
    "Hazen with intervals of order statistics at {level}; a point alone has no interval, and the "
    "table says why."
)


def latency(found: Comparison) -> Figure | NoFigure:
    """Cumulated distributions with p50, p95 and p99, on an axis of ratios."""
    sides: dict[System, Floats] = {
        system: found.facts[place].latencies for system, place in zip(SYSTEMS, (1, 0), strict=True)
    }
    short = [system for system in SYSTEMS if sides[system].size < 2]
    if short:
        told = " and ".join(f"the {system}" for system in short)
        return NoFigure("latency", TITLE, f"fewer than two requests of {told} were timed")
    edges = _edges(np.concatenate(list(sides.values())))
    shares = {system: _shares(side, edges) for system, side in sides.items()}
    quantiles = _quantiles(found)
    below = [
        Below(system, edge, share)
        for system in SYSTEMS
        for edge, share in zip(edges, shares[system], strict=True)
    ]
    marks = [one for one in (_mark(*key, value) for key, value in quantiles.items()) if one]
    notes = " ".join(note for note in (compared.left_out(found), compared.in_turns(found)) if note)
    return Figure(
        "latency",
        TITLE,
        _in_words(found),
        ("Requests", "Candidate", "Baseline"),
        [
            *(
                (name, *(_told(quantiles[system, name]) for system in SYSTEMS))
                for name in QUANTILES
            ),
            *(
                (f"at most {duration(edge)}", *(wording.percent(one) for one in row))
                for edge, *row in zip(edges, *(shares[system] for system in SYSTEMS), strict=True)
            ),
        ],
        partial(distributions, below, marks),
        METHOD.format(
            notes=notes, decade=A_DECADE, level=wording.percent(found.confidence, 0)
        ).replace("  ", " "),
    )


def _edges(values: Floats) -> list[float]:
    """Durations from below the shortest request to above the longest, evenly by ratio."""
    least, most = (max(SHORTEST, float(end)) for end in (values.min(), values.max()))
    first = math.floor(A_DECADE * math.log10(least)) - 1
    last = math.ceil(A_DECADE * math.log10(most)) + 1
    return [float(f"{10 ** (step / A_DECADE):.3g}") for step in range(first, last + 1)]


def _shares(side: Floats, edges: list[float]) -> list[float]:
    upto = np.searchsorted(np.sort(side), edges, side="right")
    return [float(share) for share in upto / side.size]


def _quantiles(found: Comparison) -> dict[tuple[System, str], compared.Found]:
    rows = {name: found.speed.row(name) for name in QUANTILES}
    return {
        (system, name): row.candidate if system == "candidate" else row.baseline
        for name, row in rows.items()
        for system in SYSTEMS
    }


def _mark(system: System, name: str, found: compared.Found) -> Quantile | None:
    if not isinstance(found, Estimate):
        return None
    low, high = (None if end is None else max(SHORTEST, end) for end in (found.low, found.high))
    return Quantile(system, name, max(SHORTEST, found.value), low, high)


def _told(found: compared.Found) -> str:
    """ "1.21 s (1.10 to 1.34)", or why there is no interval."""
    number = compared.shown_time(found)
    if not isinstance(found, Estimate):
        return f"{number.value} ({number.why})"
    why = found.method.partition("; ")[2]
    return f"{number.value} ({number.interval or f'no interval: {why}'})"


def duration(ms: float) -> str:
    """ "891 ms", "1.26 s": three digits tell an edge."""
    number, unit = (ms, "ms") if ms < 1000 else (ms / 1000, "s")
    return f"{number:.3g}{wording.NARROW}{unit}"


def _in_words(found: Comparison) -> str:
    said = []
    for system, place in zip(SYSTEMS, (1, 0), strict=True):
        requests = wording.counted(found.speed.n[place], "requests")
        told = [f"{name} {_told(_quantiles(found)[system, name])}" for name in QUANTILES]
        said.append(f"{system.capitalize()}, {requests}: {', '.join(told)}.")
    return " ".join(said)
