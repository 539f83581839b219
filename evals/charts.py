"""Figures as numbers: where on its axis an estimate lies, in percent of the width.

Templates draw them as inline SVG: x stretches with the page, letters do not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined

# Room beside the first and the last vote of a strip, in percent.
MARGIN = 8.0
STACK = 11


@dataclass(frozen=True, slots=True)
class Axis:
    """From where to where a figure reaches, in the unit of what it shows."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Percent of the width, never outside the figure."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str
    is_half: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """One interval on its axis; `x` is None where there is no estimate."""

    x: float | None = None
    low: float | None = None
    high: float | None = None
    half: float | None = None


def strip(estimate: Estimate | Undefined, axis: Axis, half: float | None = None) -> Strip:
    """An interval; `half` marks the value of no preference."""
    mark = None if half is None else axis.at(half)
    if isinstance(estimate, Undefined):
        return Strip(half=mark)
    if estimate.low is None or estimate.high is None:
        return Strip(axis.at(estimate.value), half=mark)
    return Strip(axis.at(estimate.value), axis.at(estimate.low), axis.at(estimate.high), half=mark)


def share_axis(estimates: Sequence[Estimate | Undefined]) -> Axis:
    """30 to 90 % as long as every interval fits, else all of it."""
    ends = [
        end
        for estimate in estimates
        if isinstance(estimate, Estimate)
        for end in (estimate.value, estimate.low, estimate.high)
        if end is not None
    ]
    if all(0.3 <= end <= 0.9 for end in ends):
        return Axis(0.3, 0.9)
    return Axis(0.0, 1.0)


def share_ticks(axis: Axis) -> list[Tick]:
    steps = (0.4, 0.5, 0.6, 0.7, 0.8) if axis.low else (0.25, 0.5, 0.75)
    return [
        Tick(axis.at(0.5), wording.percent(0.5, 0), is_half=True)
        if step == 0.5
        else Tick(axis.at(step), f"{100 * step:.0f}")
        for step in steps
    ]


# Half widths of axes of differences, as shares.
POINTS = (0.1, 0.2, 0.4, 0.6, 1.0)


def points_axis(estimates: Sequence[Estimate | Undefined]) -> Axis:
    """As far to both sides of no difference as the furthest interval needs."""
    ends = [
        abs(end)
        for estimate in estimates
        if isinstance(estimate, Estimate)
        for end in (estimate.value, estimate.low, estimate.high)
        if end is not None
    ]
    reach = next((width for width in POINTS if max(ends, default=0.0) <= width), 1.0)
    return Axis(-reach, reach)


def points_ticks(axis: Axis) -> list[Tick]:
    """No difference, and half of the axis to either side."""
    return [
        Tick(axis.at(step), wording.points_number(step, 0), is_half=step == 0)
        for step in (axis.low / 2, 0.0, axis.high / 2)
    ]


@dataclass(frozen=True, slots=True)
class GateStrip:
    """A gate's interval against its threshold; the zone is the side that meets it."""

    strip: Strip
    threshold: float
    threshold_label: str
    anchor: str
    zone_x: float
    zone_width: float
    low_label: str
    high_label: str


def gate_strip(
    estimate: Estimate | Undefined, threshold: float, direction: str, unit: str, bar: str
) -> GateStrip:
    axis = _gate_axis(estimate, threshold, unit)
    x = axis.at(threshold)
    zone = (x, round(100 - x, 2)) if direction == "at least" else (0.0, x)
    half = 0.5 if unit == "share" and axis.low < 0.5 < axis.high and threshold != 0.5 else None
    return GateStrip(
        strip(estimate, axis, half),
        x,
        bar,
        "e" if x > 85 else "" if x < 15 else "m",
        *zone,
        _end(axis.low, unit),
        _end(axis.high, unit),
    )


def _gate_axis(estimate: Estimate | Undefined, threshold: float, unit: str) -> Axis:
    """The threshold near the middle; wider where the interval reaches beyond."""
    if unit == "share":
        room = max(0.1, 1 - threshold) if threshold > 0.8 else 0.2
        axis, step = Axis(max(0.0, threshold - room), min(1.0, threshold + room)), 0.1
    elif unit in ("points", "relative"):
        axis, step = Axis(threshold - 0.1, threshold + 0.1), 0.05
    else:
        axis, step = Axis(0.25 * threshold, 1.25 * threshold), 0.5
    if isinstance(estimate, Undefined):
        return axis
    ends = [end for end in (estimate.value, estimate.low, estimate.high) if end is not None]
    low, high = min(axis.low, *ends), max(axis.high, *ends)
    if low < axis.low:
        low = math.floor(low / step + 1e-9) * step
    if high > axis.high:
        high = math.ceil(high / step - 1e-9) * step
    return Axis(low, high)


def _end(value: float, unit: str) -> str:
    if unit == "share":
        return wording.percent(value, 0)
    if unit == "points":
        return wording.points_number(value, 0)
    if unit == "relative":
        return wording.relative(value, 0)
    return wording.ratio(value, 1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar of wins, ties and losses: kind is c, t, x or b."""

    kind: str
    label: str
    count: str
    share: str
    x: float
    width: float


def outcome_bar(wins: int, ties: int, both_bad: int, losses: int) -> list[Segment]:
    """Candidate, tie, both bad, baseline, side by side."""
    parts = [("c", "Candidate", wins), ("t", "Tie", ties)]
    parts += [("x", "Both bad", both_bad)] if both_bad else []
    return parts_bar([*parts, ("b", "Baseline", losses)])


def parts_bar(parts: Sequence[tuple[str, str, int]]) -> list[Segment]:
    """Counts side by side: (kind, label, count); kinds as in `Segment`."""
    total = sum(count for _, _, count in parts)
    segments, x = [], 0.0
    for kind, label, count in parts:
        width = 100 * count / total if total else 0.0
        share = wording.percent(count / total) if total else ""
        shown = (round(x + 0.15, 2), round(max(0.0, width - 0.3), 2))
        segments.append(Segment(kind, label, wording.count(count), share, *shown))
        x += width
    return segments


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a figure of days: x, width and middle in percent, the rest in pixels."""

    x: float
    width: float
    middle: float
    y: int
    height: int
    count: str
    label: str
    is_last: bool

    @property
    def above(self) -> int:
        """Where the number over the column stands."""
        return self.y - 6


def columns(counts: Sequence[int], labels: Sequence[str], height: int = 70) -> list[Column]:
    """One column each, the highest as high as the figure; `labels` may be empty."""
    if not counts:
        return []
    most, step = max(max(counts), 1), 100 / len(counts)
    return [
        Column(
            round(number * step + 0.6, 2),
            round(step - 1.2, 2),
            round((number + 0.5) * step, 2),
            90 - round(height * count / most),
            round(height * count / most),
            wording.count(count) if count else "",
            labels[number],
            number == len(counts) - 1,
        )
        for number, count in enumerate(counts)
    ]


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote on a strip: kind is b, t or c."""

    kind: str
    x: float
    y: float

    @property
    def square(self) -> float:
        """The top of the square that stands for a vote for the baseline."""
        return self.y - 4.5


@dataclass(frozen=True, slots=True)
class VoteStrip:
    """What was said of one item, from much better baseline to much better candidate."""

    votes: Sequence[Vote]
    lines: Sequence[float]
    words: str
    height: int = 28


def vote_strip(preferences: Sequence[int], strongest: int, words: str) -> VoteStrip:
    """Votes of one strength are stacked, and the strip grows with the highest stack."""
    tallest = max((preferences.count(said) for said in preferences), default=1)
    height = max(28, tallest * STACK + 6)
    votes = []
    for said in sorted(set(preferences)):
        times = list(preferences).count(said)
        kind = "b" if said < 0 else "c" if said > 0 else "t"
        top = height / 2 - (times - 1) * STACK / 2
        votes += [Vote(kind, _place(said, strongest), top + n * STACK) for n in range(times)]
    lines = [_place(said, strongest) for said in range(-strongest, strongest + 1) if said]
    return VoteStrip(votes, lines, words, height)


def _place(said: int, strongest: int) -> float:
    return round(50 + said / strongest * (50 - MARGIN), 2)
