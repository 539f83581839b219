"""More than two systems: studies that share systems, put on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from annotate.models import Study
from evals import queries
from evals.charts import Axis, Strip, strip
from evals.reporting.numbers import Shown, listed, shown
from evals.stats import wording
from evals.stats.bradley_terry import Strengths, bradley_terry, components
from evals.stats.checks import Ints
from evals.stats.distributions import normal_quantile, normal_two_sided
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.multiplicity import holm
from evals.tallies import Tally, Ties

ALPHA = 0.05
METHOD: dict[Ties, str] = {
    "half": "Bradley-Terry, ties as half a win for each; sandwich interval, clustered by item",
    "decided": "Bradley-Terry of decided judgements; sandwich interval, clustered by item",
}
COMPARED: dict[Ties, str] = {"half": "comparisons", "decided": "decided comparisons"}


@dataclass(frozen=True, slots=True)
class Meeting:
    """What one study says of its two systems."""

    study: Study
    tally: Tally

    @property
    def rows(self) -> Ints:
        """Items as (wins of the candidate, wins of the baseline, ties, times)."""
        return np.asarray(self.tally.items[:, [2, 0, 1, 3]])


@dataclass(frozen=True, slots=True)
class Cell:
    """How often the system of the row beat that of the column; None where they never met."""

    number: Shown | None = None
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class Rank:
    """A system on the scale of all: its places that the data allow, and its chance to win."""

    name: str
    places: str
    number: Shown
    strip: Strip
    score: float
    not_told: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """Systems that can be put in an order."""

    ranks: Sequence[Rank]
    method: str


@dataclass(frozen=True, slots=True)
class Systems:
    """Everything on the page."""

    finding: str
    meetings: Sequence[Meeting]
    names: Sequence[str] = ()
    matrix: Sequence[tuple[str, Sequence[Cell]]] = ()
    scales: Sequence[Scale] = ()
    reason: str = ""
    alone: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class CommonTies:
    """What becomes of ties where several studies are read together, and why."""

    counted: Ties
    said: str


def common_ties(policies: Sequence[tuple[Study, Ties]]) -> CommonTies:
    """The tie policy of all studies; where they differ, ties are half a win in each."""
    left_out = [study.name for study, ties in policies if ties == "decided"]
    if not left_out:
        return CommonTies("half", "Ties count as half a win, as the policies say.")
    if len(left_out) == len(policies):
        return CommonTies("decided", "Ties are left out, as the policies of these studies say.")
    verb = "leaves" if len(left_out) == 1 else "leave"
    return CommonTies(
        "half",
        f"The policies differ: {listed(left_out)} {verb} ties out. What stands on one scale has "
        "to be counted alike, so ties are half a win here.",
    )


def meetings_of(
    studies: Sequence[Study], only: queries.Source | None, ties: Ties = "half"
) -> list[Meeting]:
    """The votes of each study that count, studies without any left out."""
    found = [
        Meeting(study, queries.sided_votes(study, only).overall.counted(ties)) for study in studies
    ]
    return [meeting for meeting in found if meeting.tally.n]


def systems(meetings: Sequence[Meeting], confidence: float = 0.95, ties: Ties = "half") -> Systems:
    """The matrix of win rates and the scale, or the reason why there is none.

    `meetings` hold the votes that count by `ties`, of which the words speak.
    """
    names = sorted(
        {
            name
            for meeting in meetings
            for name in (meeting.study.baseline_name, meeting.study.candidate_name)
        }
    )
    if len(names) < 3:
        reason = "A scale needs three systems or more, in studies that share them."
        return Systems("Fewer than three systems have been judged", meetings, reason=reason)
    index = {name: number for number, name in enumerate(names)}
    pairs = [_pair(meeting, index) for meeting in meetings]
    groups = components(len(names), pairs)
    scales = [
        scale
        for group in groups
        if len(group) > 1 and (scale := _scale(names, group, pairs, meetings, (confidence, ties)))
    ]
    whole = len(groups) == 1
    return Systems(
        finding=_finding(scales, names) if whole else "Not all systems can be put on one scale",
        meetings=meetings,
        names=names,
        matrix=_matrix(names, meetings, confidence),
        scales=scales,
        reason="" if whole else _why_apart(names, groups),
        alone=tuple(names[group[0]] for group in groups if len(group) == 1),
    )


def _pair(meeting: Meeting, index: dict[str, int]) -> tuple[int, int, int, int, int]:
    study, tally = meeting.study, meeting.tally
    candidate, baseline = index[study.candidate_name], index[study.baseline_name]
    return candidate, baseline, tally.wins, tally.losses, tally.ties


def _why_apart(names: Sequence[str], groups: Sequence[Sequence[int]]) -> str:
    told = "; ".join(", ".join(names[i] for i in group) for group in groups)
    return (
        "Between these groups nobody of the one ever lost to the other, or they never met, so no "
        f"finite distance fits the data: {told}. Within a group there is a scale."
    )


def _scale(
    names: Sequence[str],
    group: Sequence[int],
    pairs: Sequence[tuple[int, int, int, int, int]],
    meetings: Sequence[Meeting],
    terms: tuple[float, Ties],
) -> Scale | None:
    inside = {system: place for place, system in enumerate(group)}
    kept = [row for row, pair in enumerate(pairs) if pair[0] in inside and pair[1] in inside]
    rows = [(inside[pairs[k][0]], inside[pairs[k][1]], *pairs[k][2:]) for k in kept]
    try:
        found = bradley_terry(len(group), rows, [meetings[k].rows for k in kept])
    except UndefinedError:
        return None
    return Scale(_ranks([names[system] for system in group], found, *terms), METHOD[terms[1]])


def _ranks(names: Sequence[str], found: Strengths, confidence: float, ties: Ties) -> list[Rank]:
    size = len(names)
    contrasts = list(combinations(range(size), 2))
    gaps = [found.difference(i, j) for i, j in contrasts]
    tested = holm([normal_two_sided(gap / se) if se else 1.0 for gap, se in gaps], ALPHA)
    better: list[set[int]] = [set() for _ in range(size)]
    for (i, j), (gap, _), p in zip(contrasts, gaps, tested.p_values, strict=True):
        if p <= ALPHA:
            better[j if gap > 0 else i].add(i if gap > 0 else j)
    order = sorted(range(size), key=lambda i: -found.values[i])
    estimates = {i: _against_average(found, i, confidence, METHOD[ties]) for i in order}
    axis = Axis(0.0, 1.0)
    return [
        Rank(
            names[i],
            _places(1 + len(better[i]), size - sum(i in ahead for ahead in better)),
            shown(estimates[i], word=COMPARED[ties]),
            strip(estimates[i], axis, 0.5),
            found.values[i],
            _neighbour(order, place, better, names),
        )
        for place, i in enumerate(order)
    ]


def _against_average(found: Strengths, i: int, confidence: float, method: str) -> Estimate:
    """The chance to beat a system of average strength."""
    value, se = found.values[i], float(np.sqrt(found.covariance[i][i]))
    half = normal_quantile(confidence) * se
    low, mid, high = (float(1 / (1 + np.exp(-x))) for x in (value - half, value, value + half))
    return Estimate(mid, low, high, found.n, method, confidence)


def _places(best: int, worst: int) -> str:
    return str(best) if best == worst else f"{best} to {worst}"


def _neighbour(
    order: Sequence[int], place: int, better: Sequence[set[int]], names: Sequence[str]
) -> str:
    """The next system below, if the data cannot tell the two apart."""
    if place + 1 >= len(order):
        return ""
    here, below = order[place], order[place + 1]
    return "" if here in better[below] else f"cannot be told apart from {names[below]}"


def _finding(scales: Sequence[Scale], names: Sequence[str]) -> str:
    if not scales:
        return f"{wording.count(len(names))} systems"
    first = scales[0].ranks[0]
    if first.not_told:
        return f"{first.name} leads, but {first.not_told}"
    return f"{first.name} is the strongest of {wording.count(len(names))} systems"


def _matrix(
    names: Sequence[str], meetings: Sequence[Meeting], confidence: float
) -> list[tuple[str, list[Cell]]]:
    met: dict[tuple[str, str], Tally] = {}
    for meeting in meetings:
        study = meeting.study
        there = (study.candidate_name, study.baseline_name)
        for key, tally in ((there, meeting.tally), (there[::-1], meeting.tally.mirrored())):
            before = met.get(key)
            met[key] = _together(before, tally) if before else tally
    return [(row, [_cell(row, column, met, confidence) for column in names]) for row in names]


def _together(one: Tally, other: Tally) -> Tally:
    """Two studies of the same systems; their annotators are taken as different people."""
    return Tally(np.vstack((one.items, other.items)), np.vstack((one.annotators, other.annotators)))


def _cell(row: str, column: str, met: dict[tuple[str, str], Tally], confidence: float) -> Cell:
    if row == column:
        return Cell(is_same=True)
    tally = met.get((row, column))
    return Cell(shown(tally.win_rate(confidence), word="")) if tally else Cell()
