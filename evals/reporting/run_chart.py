"""The latencies of a run and of the one it was asked in turns with, as one figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.models import Run
from evals.stats.latency import quantile_hazen

BINS = 16
TOP, BOTTOM = 30.0, 150.0
# Ends of the axis in milliseconds: four even parts of each are round numbers.
STEPS = (1, 2, 4, 6, 8, 10)
MARKS = ((0.5, "p50", 1), (0.95, "p95", 20), (0.99, "p99", 299))
# Of the narrowest figure a page has, in pixels; of one letter, and between two labels.
NARROWEST, LETTER, GAP = 300.0, 7.5, 8.0

Side = tuple[str, str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    x2: float
    y1: float
    y2: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A line with its label; marks that lie close share the label of the last of them.

    Attributes
    ----------
    x, label_x : float
        Where the line and the middle of its label stand, in percent.
    """

    x: float
    label: str
    label_x: float = 0.0


@dataclass(frozen=True, slots=True)
class _Label:
    """Words over one line or over several, and what room they take, in percent."""

    words: Sequence[str]
    lines: Sequence[float]

    @property
    def text(self) -> str:
        return ", ".join(self.words)

    @property
    def half(self) -> float:
        return 50 * len(self.text) * LETTER / NARROWEST

    @property
    def middle(self) -> float:
        """Over its lines, but never beyond an end of the figure."""
        middle = (self.lines[0] + self.lines[-1]) / 2
        return round(min(max(middle, self.half), 100 - self.half), 2)


@dataclass(frozen=True, slots=True)
class Layer:
    """One system's share of requests in each bin: the run's own as bars, the other's as a line."""

    kind: str
    label: str
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class LatencyChart:
    """Bins from 0 to `end`; what is slower is in the last one, and `end` says so."""

    layers: Sequence[Layer]
    marks: Sequence[Mark]
    ticks: Sequence[Mark]
    end: str
    words: str


def latency_chart(sides: Sequence[Side]) -> LatencyChart | None:
    """The first side is drawn as bars, with marks at its quantiles. None without any latency."""
    if not sides[0][2].size:
        return None
    known = [side for side in sides if side[2].size]
    end = axis_end(max(quantile_hazen(values, 0.98) for _, _, values in known))
    shares = [_shares(values, end) for _, _, values in known]
    most = max(float(share.max()) for share in shares)
    layers = []
    for number, ((system, label, _), share) in enumerate(zip(known, shares, strict=True)):
        tops = [round(BOTTOM - (BOTTOM - TOP) * float(part) / most, 1) for part in share]
        drawn = Layer(_kind(system), label, bars=_bars(tops)) if number == 0 else Layer(
            _kind(system), label, lines=_steps(tops)
        )  # fmt: skip
        layers.append(drawn)
    ticks = [Mark(100 * part / 4, _time(end * part / 4)) for part in (1, 2, 3)]
    marks = _marks(sides[0][2], end)
    words = "; ".join(_words(label, values) for _, label, values in known)
    return LatencyChart(layers, marks, ticks, f"≥ {_time(end)}", f"Latency: {words}")


def axis_end(longest: float) -> float:
    """The first round number of milliseconds at or above `longest`."""
    power = 10.0 ** np.floor(np.log10(max(longest, 1.0)))
    return float(next(step * power for step in STEPS if step * power >= longest))


def _shares(values: npt.NDArray[np.float64], end: float) -> npt.NDArray[np.float64]:
    counts, _ = np.histogram(np.minimum(values, end), bins=BINS, range=(0.0, end))
    return counts / values.size


def _kind(system: str) -> str:
    return "b" if system == Run.System.BASELINE else "c"


def _bars(tops: Sequence[float]) -> list[Bar]:
    step = 100 / BINS
    return [
        Bar(round(n * step + 0.3, 2), round(step - 0.6, 2), top, round(BOTTOM - top, 1))
        for n, top in enumerate(tops)
    ]


def _steps(tops: Sequence[float]) -> list[Line]:
    lines = []
    for n, top in enumerate(tops):
        x = round(n * 100 / BINS, 2)
        if n:
            lines.append(Line(x, x, tops[n - 1], top))
        lines.append(Line(x, round(x + 100 / BINS, 2), top, top))
    return lines


def _marks(values: npt.NDArray[np.float64], end: float) -> list[Mark]:
    labels: list[_Label] = []
    for q, word, least in MARKS:
        x = round(100 * quantile_hazen(values, q) / end, 2)
        if values.size >= least and x <= 100:
            labels = _beside(labels, _Label((word,), (x,)))
    return [
        Mark(x, label.text if x == label.lines[-1] else "", label.middle)
        for label in labels
        for x in dict.fromkeys(label.lines)
    ]


def _beside(labels: list[_Label], label: _Label) -> list[_Label]:
    """With one label more; it is joined with those that it would be printed over."""
    if not labels:
        return [label]
    *others, last = labels
    room = 100 * GAP / NARROWEST
    if last.middle + last.half + room <= label.middle - label.half:
        return [*labels, label]
    return _beside(others, _Label((*last.words, *label.words), (*last.lines, *label.lines)))


def _time(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def _words(label: str, values: npt.NDArray[np.float64]) -> str:
    return f"{label}, half below {_time(float(f'{quantile_hazen(values, 0.5):.3g}'))}"
