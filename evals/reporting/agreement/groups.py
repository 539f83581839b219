"""Agreement by criterion, category, batch and time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from evals.queries.agreement import Period
from evals.reporting.agreement.counted import Parts, on_winner
from evals.reporting.agreement.lopsided import one_answer_prevails
from evals.reporting.agreement.panel import on_scale
from evals.reporting.numbers import Shown, day_words, shown
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.resampling import MIN_UNITS
from evals.stats.scales import row_summary

# Beyond this a table is no longer read; the rest is in the report of the command line.
MOST_ROWS = 12
# Less than the headline's: the ends of these intervals are shown to two digits.
DRAWS = 1000
IN_A_ROW = ("percent", "alpha_ordinal", "gwet_ac1")


@dataclass(frozen=True, slots=True)
class Row:
    """Agreement on one question or among some of the items.

    `is_short` where they are too few for their intervals to be as wide as they should be.
    """

    name: str
    items: str
    is_short: bool
    percent: Shown
    ordinal: Shown
    ac1: Shown


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind.

    Attributes
    ----------
    prevalent : sequence of str
        The rows in which one answer prevails, so that alpha is low.
    """

    title: str
    rows: Sequence[Row]
    left_out: int = 0
    prevalent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Agreement on the scores that one system got for one criterion."""

    name: str
    items: str
    is_short: bool
    interval: Shown
    ordinal: Shown
    nominal: Shown
    percent: Shown


def row_estimates(rows: Ints, confidence: float) -> dict[str, Estimate | Undefined]:
    """Percent, ordinal alpha and AC1 of rows (losses, ties, wins, items)."""
    # Draws depend on the order of the rows: both directions of the scale get the same.
    rows = min(rows, rows[:, [2, 1, 0, 3]], key=lambda one: sorted(one.tolist()))
    found = attempt(row_summary, rows[:, :3], rows[:, 3], draws=DRAWS, confidence=confidence)
    return dict.fromkeys(IN_A_ROW, found) if isinstance(found, Undefined) else found


def groups(counted: Parts) -> list[Group]:
    """The tables that have something to compare."""
    kinds, level = counted.parts, counted.confidence
    criteria = [(name, one.items) for name, one in counted.criteria.items()]
    parts: list[tuple[str, list[tuple[str, Ints]]]] = [
        ("Criterion", criteria),
        ("Category", largest((name or "no category", on_winner(rows))
                             for name, rows in kinds.categories.items())),
        ("Batch", largest((batch_name(counted, key), on_winner(rows))
                          for key, rows in kinds.batches.items())),
        ("Time of an item’s last judgement",
         [(period_words(one), on_winner(one.rows)) for one in kinds.periods]),
    ]  # fmt: skip
    return [
        _group(title, found, level)
        for title, found in parts
        if len(found) > 1 or (title == "Criterion" and found)
    ]


def batch_name(counted: Parts, key: int) -> str:
    batch = counted.batches[key]
    return f"{batch.number}, {batch.name}" if batch.name else f"Batch {batch.number}"


def largest(found: Iterable[tuple[str, Ints]]) -> list[tuple[str, Ints]]:
    """Those with most items that were judged twice, first."""
    return sorted(found, key=lambda one: (-judged_twice(one[1]), one[0]))


def judged_twice(rows: Ints) -> int:
    """Items with two judgements or more."""
    return int(rows[rows[:, :-1].sum(axis=1) > 1, -1].sum())


def _group(title: str, found: Sequence[tuple[str, Ints]], confidence: float) -> Group:
    rows, prevalent = [], []
    for name, items in found[:MOST_ROWS]:
        one = row_estimates(items, confidence)
        rows.append(
            Row(
                name,
                wording.count(one["percent"].n),
                one["percent"].n < MIN_UNITS,
                shown(one["percent"], "share", ""),
                shown(one["alpha_ordinal"], "coefficient", ""),
                shown(one["gwet_ac1"], "coefficient", ""),
            )
        )
        if one_answer_prevails(one["percent"], one["alpha_ordinal"]):
            prevalent.append(name)
    return Group(title, rows, max(0, len(found) - MOST_ROWS), prevalent)


def score_rows(counted: Parts) -> list[ScoreRow]:
    """Scores of 1 to 5, for the outputs of each system: its items are the units."""
    return [
        _score_row(f"{name}: {counted.systems[system]}", rows, counted.confidence)
        for name, kinds in counted.criteria.items()
        for system, rows in kinds.scores.items()
    ]


def _score_row(name: str, rows: Ints, confidence: float) -> ScoreRow:
    found = on_scale(rows, confidence)
    return ScoreRow(
        name,
        wording.count(found["percent"].n),
        found["percent"].n < MIN_UNITS,
        shown(found["alpha_interval"], "coefficient", ""),
        shown(found["alpha_ordinal"], "coefficient", ""),
        shown(found["alpha_nominal"], "coefficient", ""),
        shown(found["percent"], "share", ""),
    )


def period_words(period: Period) -> str:
    """ "6 August 2026 to 9 August 2026"; hours where it is all one day."""
    first, last = timezone.localtime(period.first), timezone.localtime(period.last)
    if first.date() == last.date():
        return f"{day_words(first.date())}, {_hour(first)} to {_hour(last)}"
    if first.year == last.year:
        return f"{first.day} {first:%B} to {day_words(last.date())}"
    return f"{day_words(first.date())} to {day_words(last.date())}"


def _hour(moment: datetime) -> str:
    return f"{moment:%H:%M}"
