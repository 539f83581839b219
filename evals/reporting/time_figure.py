"""How long requests took, as a figure of both systems."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.charts import Tick
from evals.comparing import Comparison
from evals.reporting import compared
from evals.stats import wording
from evals.stats.checks import Floats

BINS = 16
HEIGHT = 110


@dataclass(frozen=True, slots=True)
class TimeBin:
    """Requests of both systems that took about as long: bars as y and height in pixels."""

    x: float
    end: float
    candidate_y: float
    candidate_height: float
    baseline_y: float
    before_y: float


@dataclass(frozen=True, slots=True)
class TimeFigure:
    bins: Sequence[TimeBin]
    ticks: Sequence[Tick]
    words: str


def time_figure(found: Comparison) -> TimeFigure | None:
    """How long requests took: shares of each system in bins of equal width."""
    baseline, candidate = (facts.latencies for facts in found.facts)
    if min(baseline.size, candidate.size) < 2:
        return None
    edge = nice_edge(float(np.quantile(np.concatenate([baseline, candidate]), 0.98)))
    sides = [_heights(side, edge) for side in (candidate, baseline)]
    top = max(float(side.max()) for side in sides)
    over, under = (HEIGHT * side / top for side in sides)
    step, bins, before = 100 / BINS, [], float(HEIGHT)
    for place in range(BINS):
        line = round(HEIGHT - float(under[place]), 1)
        bar = round(float(over[place]), 1)
        x = round(place * step, 2)
        bins.append(TimeBin(x, round(x + step, 2), HEIGHT - bar, bar, line, before))
        before = line
    ticks = [Tick(25.0 * part, _label(edge * part / 4, edge)) for part in range(4)]
    last = Tick(100.0, f"≥ {_label(edge, edge)}")
    medians = ", ".join(
        f"{name} {compared.time_words(float(np.median(side)))}"
        for name, side in (("candidate", candidate), ("baseline", baseline))
    )
    return TimeFigure(bins, [*ticks, last], f"Latency of both systems; medians: {medians}")


def _label(ms: float, edge: float) -> str:
    """ "0", "250 ms", "1.5 s": edges are round, so few digits tell them."""
    if ms == 0:
        return "0"
    number, unit = (ms, "ms") if edge < 1000 else (ms / 1000, "s")
    return f"{number:g}{wording.NARROW}{unit}"


def _heights(side: Floats, edge: float) -> Floats:
    """Share of the requests in each bin; what took longer than the edge is in the last one."""
    counts, _ = np.histogram(np.minimum(side, edge), bins=BINS, range=(0.0, edge))
    return np.asarray(counts / side.size, dtype=np.float64)


def nice_edge(value: float) -> float:
    """The next of 1, 2, 4, 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next((step * power for step in (1, 2, 4, 8) if value <= step * power), 10 * power)
