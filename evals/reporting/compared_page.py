"""The page of one comparison: its tables with their figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from evals.charts import (
    Axis,
    Segment,
    Strip,
    Tick,
    parts_bar,
    points_axis,
    points_ticks,
    strip,
)
from evals.comparing import Comparison, Group, ScoreGroup, ScorerGroups, SpeedRow
from evals.reporting import compared
from evals.reporting.automated import STATUS_LOOKS
from evals.reporting.numbers import DASH, Shown, shown
from evals.scoring import CorpusScore
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined

SPLITS = {"target": "Target", "general": "General"}
# A suite may have thousands of categories; the command line tells them all.
MOST_ROWS = 60
NO_RATIO = Shown("", "", "", "", "")


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A split or a category: pass rates and their difference."""

    name: str
    is_split: bool
    n: str
    unscored: int
    strip: Strip
    difference: Shown
    candidate: Shown
    baseline: Shown
    bar: Sequence[Segment]
    counts: str
    p: str
    query: str


@dataclass(frozen=True, slots=True)
class RegressionRow:
    name: str
    n: str
    look: str
    status: str
    strip: Strip
    difference: Shown
    words: str
    query: str


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A split or a category by the values of one scorer."""

    name: str
    is_split: bool
    n: str
    unscored: int
    bar: Sequence[Segment]
    counts: str
    means: str
    difference: Shown
    query: str


@dataclass(frozen=True, slots=True)
class ScorerRow:
    """A scorer's wins, ties and losses over all cases."""

    slug: str
    name: str
    n: str
    unscored: int
    wins: Shown
    ties: Shown
    losses: Shown


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """One score of each run as a whole."""

    name: str
    signature: str
    candidate: Shown
    baseline: Shown


@dataclass(frozen=True, slots=True)
class ErrorRow:
    kind: str
    candidate: int
    baseline: int
    example: str


@dataclass(frozen=True, slots=True)
class TimeRow:
    name: str
    candidate: Shown
    baseline: Shown
    ratio: Shown


def hero_axis(found: Comparison) -> Axis:
    return points_axis([found.overall.difference])


def hero_ticks(found: Comparison) -> list[Tick]:
    return points_ticks(hero_axis(found))


def group_rows(found: Comparison, most: int = MOST_ROWS) -> tuple[list[GroupRow], list[Tick], int]:
    """Splits with their categories, the ticks of their axis, and how many rows are left out."""
    groups = [(split, True) for split in found.splits]
    for place, split in reversed(list(enumerate(found.splits))):
        inside = [group for group in found.categories if group.split == split.split]
        groups[place + 1 : place + 1] = [(group, False) for group in inside]
    axis = points_axis([group.difference for group, _ in groups])
    rows = [_group_row(group, axis, is_split=is_split) for group, is_split in groups[:most]]
    return rows, points_ticks(axis), max(0, len(groups) - most)


def _group_row(group: Group, axis: Axis, *, is_split: bool) -> GroupRow:
    return GroupRow(
        group_name(group.split, group.category, is_split=is_split),
        is_split,
        wording.count(group.n),
        group.cell.unscored,
        strip(group.difference, axis, 0.0),
        compared.shown_points(group.difference),
        shown(group.candidate, "share", ""),
        shown(group.baseline, "share", ""),
        passing_bar(group),
        f"{group.cell.won} won, {group.cell.lost} lost",
        compared.p_words(group.p),
        group_query(group.split, group.category, is_split=is_split),
    )


def group_name(split: str, category: str, *, is_split: bool) -> str:
    """What a row is called: all cases, a split or a category."""
    return SPLITS.get(split, "All cases") if is_split else compared.category_name(category)


def group_query(split: str, category: str, *, is_split: bool) -> str:
    """Of the address that lists these cases."""
    told = {"split": split} if split else {}
    return urlencode(told if is_split else told | {"category": category})


def passing_bar(group: Group) -> list[Segment]:
    """Who passed: the candidate alone, both, none, the baseline alone."""
    cell = group.cell
    return parts_bar(
        [
            ("c", "Candidate alone passes", cell.won),
            ("t", "Both pass", cell.both),
            ("x", "Both fail", cell.neither),
            ("b", "Baseline alone passes", cell.lost),
        ]
    )


def regression_rows(found: Comparison, most: int = MOST_ROWS) -> tuple[list[RegressionRow], float]:
    """General categories with what can be said of a loss, and where the margin lies in percent."""
    axis = points_axis([row.group.difference for row in found.regression])
    rows = [
        RegressionRow(
            compared.category_name(row.name),
            wording.count(row.group.n),
            STATUS_LOOKS[row.status],
            row.status.capitalize(),
            strip(row.group.difference, axis, 0.0),
            compared.shown_points(row.group.difference),
            compared.regression_words(row, found.margin),
            group_query("general", row.name, is_split=False),
        )
        for row in found.regression[:most]
    ]
    return rows, axis.at(-found.margin)


def scorer_rows(found: Comparison) -> list[ScorerRow]:
    """Every scorer's wins, ties and losses over all cases."""
    return [
        ScorerRow(
            one.slug,
            one.cells.name,
            wording.count(one.overall.n),
            one.cells.overall.unscored,
            *(shown(share, "share", "") for share in (
                one.overall.wins, one.overall.ties, one.overall.losses,
            )),
        )
        for one in found.scorers
    ]  # fmt: skip


def error_rows(found: Comparison) -> list[ErrorRow]:
    """Kinds of errors, the most frequent first, with one message as an example."""
    kinds: dict[str, list[int]] = {}
    examples: dict[str, str] = {}
    for side, facts in enumerate(found.facts):
        for kind, count, message in facts.error_kinds:
            kinds.setdefault(kind, [0, 0])[side] = count
            examples.setdefault(kind, message)
    rows = [
        ErrorRow(kind.replace("_", " "), counts[1], counts[0], examples[kind])
        for kind, counts in kinds.items()
    ]
    return sorted(rows, key=lambda row: -row.candidate - row.baseline)


def value_rows(scorer: ScorerGroups, most: int = MOST_ROWS) -> list[ValueRow]:
    """All cases, each split and its categories, by what one scorer says."""
    groups: list[tuple[ScoreGroup, bool]] = [(scorer.overall, True)]
    for split in scorer.splits:
        if len(scorer.splits) > 1:
            groups.append((split, True))
        inside = [group for group in scorer.categories if group.cell.split == split.cell.split]
        groups += [(group, False) for group in inside]
    return [_value_row(group, scorer, is_split=flag) for group, flag in groups[:most]]


def _value_row(group: ScoreGroup, scorer: ScorerGroups, *, is_split: bool) -> ValueRow:
    cell = group.cell
    bar = parts_bar([("c", "Candidate better", cell.wins), ("t", "Equal", cell.ties),
                     ("b", "Baseline better", cell.losses)])  # fmt: skip
    means = DASH
    if cell.baseline is not None and cell.candidate is not None:
        means = f"{value_words(cell.candidate)} against {value_words(cell.baseline)}"
    return ValueRow(
        group_name(cell.split, cell.category, is_split=is_split),
        is_split,
        wording.count(group.n),
        cell.unscored,
        bar,
        f"{cell.wins} won, {cell.ties} tied, {cell.losses} lost",
        means,
        shown_value(group.difference),
        group_query(cell.split, cell.category, is_split=is_split) + f"&scorer={scorer.slug}",
    )


def value_words(value: float) -> str:
    """A scorer's value: whole where it is whole, else three digits after the point."""
    if value == int(value) and abs(value) < 1e9:
        return wording.count(int(value))
    return wording.decimal(value, 1 if abs(value) >= 100 else 3)


def shown_value(found: Estimate | Undefined) -> Shown:
    """A mean difference of values, with its sign."""
    base = shown(found, "coefficient", "")
    if isinstance(found, Undefined):
        return base
    interval = ""
    if found.low is not None and found.high is not None:
        low, high = (wording.decimal(end, 3, sign=True) for end in (found.low, found.high))
        interval = f"{low} to {high}"
    told = wording.decimal(found.value, 3, sign=True)
    return Shown(told, interval, base.n, base.why, base.method, found)


def corpus_rows(
    baseline: Sequence[CorpusScore], candidate: Sequence[CorpusScore]
) -> list[CorpusRow]:
    """Scores of whole runs side by side, where either run has one."""
    return [
        CorpusRow(one.name, one.signature, _corpus(other), _corpus(one))
        for one, other in zip(baseline, candidate, strict=True)
        if one.value is not None or other.value is not None
    ]


def _corpus(score: CorpusScore) -> Shown:
    if score.value is None:
        return Shown(DASH, "", "", score.reason, "")
    return Shown(value_words(score.value), "", "", "", "")


def time_rows(found: Comparison) -> list[TimeRow]:
    return [_time_row(row) for row in found.speed.rows]


def _time_row(row: SpeedRow) -> TimeRow:
    return TimeRow(
        row.name,
        compared.shown_time(row.candidate),
        compared.shown_time(row.baseline),
        shown(row.ratio, "ratio", ""),
    )


def token_rows(found: Comparison) -> list[TimeRow]:
    """Tokens of an answer, where any answer says how many."""
    rows = []
    for row in found.tokens:
        sides = [compared.shown_tokens(side) for side in (row.candidate, row.baseline)]
        if any(side.estimate for side in sides):
            rows.append(
                TimeRow(f"{row.name} tokens", sides[0], sides[1], Shown("", "", "", "", ""))
            )
    return rows
