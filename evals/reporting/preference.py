"""The page of preference: who is preferred, where, and was a side favoured?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from annotate.models import State, Study
from evals import queries
from evals.charts import (
    Axis,
    Segment,
    Strip,
    Tick,
    outcome_bar,
    share_axis,
    share_ticks,
    strip,
)
from evals.gate import GateResult
from evals.reporting.bias import SideChooser, side_choosers
from evals.reporting.compared import p_words
from evals.reporting.length import Length, length
from evals.reporting.numbers import Shown, level, shown
from evals.reporting.repeats import Repeats, repeats
from evals.reporting.report import category_tallies, criterion_votes
from evals.reporting.sides import both_bad_rate, gap_words, left_share, side_gap
from evals.reporting.strength import Strength, strength
from evals.reporting.tested import (
    Headline,
    Part,
    Tested,
    corrected_over,
    headline_tests,
    parts_of,
    where_it_wins,
)
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.stats.planning import collected_for, more_needed
from evals.tallies import COUNTED, SidedVotes, Tally, Ties

# Beyond this a table is no longer read; the rest is in the report of the command line.
MOST_ROWS = 40
OTHER: dict[Ties, Ties] = {"half": "decided", "decided": "half"}
CLOSED = "The study is closed: no more judgements come in, so this gate stays open."


@dataclass(frozen=True, slots=True)
class Row:
    """The win rate on one question, or in one category."""

    name: str
    number: Shown
    strip: Strip
    p: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preference:
    """Everything on the page."""

    finding: str
    tally: Tally
    rate: Shown
    result: GateResult
    level: str
    forecast: str
    axis: Axis
    strip: Strip
    ticks: Sequence[Tick]
    threshold: float
    bar: Sequence[Segment]
    other: Shown
    decided: Shown
    tested: Tested | None
    strength: Strength | None
    where: str
    corrected: str
    criteria: Sequence[Row]
    categories: Sequence[Row]
    left_out: int
    both_bad: Shown
    side: str
    left: Shown
    sides: Sequence[Shown]
    side_gap: Shown
    side_gap_words: str
    length: Length
    choosers: Sequence[SideChooser]
    repeats: Repeats

    @property
    def value(self) -> str:
        """The win rate without its unit, which is set smaller."""
        return wording.percent_number(self.rate.estimate.value) if self.rate.estimate else ""

    @property
    def counted(self) -> str:
        tally = self.tally
        return (
            f"{wording.counted(tally.n, 'judgements')} of "
            f"{wording.counted(tally.item_count, 'items')} by "
            f"{wording.counted(tally.annotator_count, 'annotators')}"
        )

    @property
    def zone_width(self) -> float:
        return round(100 - self.threshold, 2)

    @property
    def half_label(self) -> float | None:
        """Where "no preference" ends, unless it would run into the gate's label."""
        half = self.strip.half
        if half is None or abs(self.threshold - half) < 1 or half < 25:
            return None
        return half - 1 if self.threshold > half else None

    @property
    def has_scores(self) -> bool:
        return any(row.note for row in self.criteria)


def preference(
    study: Study,
    votes: SidedVotes,
    result: GateResult,
    *,
    people: Mapping[Any, str],
    pace: float,
    only: queries.Source | None = None,
    confidence: float = 0.95,
    ties: Ties = "half",
) -> Preference:
    """Read inside a snapshot: `votes` and what is read here are of one state.

    Every win rate counts ties by `ties`; `other` is the overall one counted the other way.
    """
    tally = votes.overall
    rate = tally.preferred(confidence, ties)
    scored = criterion_votes(study, only)
    categories = sorted(category_tallies(study, votes).items(), key=lambda part: -part[1].n)
    parts = [
        parts_of({name: one.tally.preferred(confidence, ties) for name, one in scored.items()}),
        # All of them are tested, whether or not there is room to show them.
        parts_of({name: one.preferred(confidence, ties) for name, one in categories}),
    ]
    seen = [parts[0], parts[1][:MOST_ROWS]]
    axis = share_axis([rate, *(part.rate for table in seen for part in table)])
    scores = {name: _mean_scores(one) for name, one in scored.items()}
    left = left_share(votes.left, confidence)
    by_side, gap = votes.by_side, side_gap(votes, confidence, ties)
    return Preference(
        finding=finding(result),
        tally=tally,
        rate=shown(rate, word=COUNTED[ties]),
        result=result,
        level=level(confidence),
        forecast=CLOSED
        if study.state == State.CLOSED and result.status == "not enough evidence"
        else forecast(result, study.overlap, pace, tally.tie_share if ties == "decided" else 0.0),
        axis=axis,
        strip=strip(rate, axis, 0.5),
        ticks=share_ticks(axis),
        threshold=axis.at(result.gate.threshold),
        bar=outcome_bar(tally.wins, tally.plain_ties, tally.both_bad, tally.losses),
        other=shown(tally.preferred(confidence, OTHER[ties]), word=COUNTED[OTHER[ties]]),
        decided=shown(tally.win_rate_decided(confidence), word=COUNTED["decided"]),
        tested=headline_tests(Headline(tally, rate, result.gate.threshold, ties)),
        strength=strength(queries.strength_sums(study, only), confidence),
        where=where_it_wins([part for table in seen for part in table]),
        corrected=corrected_over(*parts),
        criteria=[_row(part, part.name, axis, scores) for part in seen[0]],
        categories=[_row(part, part.name or "No category", axis, {}) for part in seen[1]],
        left_out=len(parts[1]) - len(seen[1]),
        both_bad=shown(both_bad_rate(votes, confidence)),
        side=side_favoured(left),
        left=shown(left),
        sides=tuple(
            shown(side.preferred(confidence, ties), word=COUNTED[ties]) for side in by_side
        ),
        side_gap=shown(gap, "points"),
        side_gap_words=gap_words(gap),
        length=length(queries.length_votes(study, only), confidence),
        choosers=side_choosers(votes, people, confidence),
        repeats=repeats(study, people, only=only, confidence=confidence),
    )


def _row(part: Part, name: str, axis: Axis, notes: Mapping[str, str]) -> Row:
    rate = part.rate
    note = notes.get(part.name, "")
    return Row(name, shown(rate, word=""), strip(rate, axis, 0.5), p_words(part.p), note)


def _mean_scores(votes: queries.CriterionVotes) -> str:
    """For a scored criterion what both systems got, to stand beside the win rate."""
    if votes.mean_scores is None:
        return ""
    baseline, candidate = votes.mean_scores
    return f"mean score {candidate:.2f}, baseline {baseline:.2f}"


def finding(result: GateResult) -> str:
    """What was found of the preference, by where the interval lies."""
    estimate = result.estimate
    if isinstance(estimate, Estimate):
        high = 1.0 if estimate.high is None else estimate.high
        return _found(result, estimate.low or 0.0, high)
    if estimate is None or estimate.n == 0:
        return "Nobody has judged yet, so there is no preference to report"
    return f"No win rate can be given yet: {estimate.reason}"


def _found(result: GateResult, low: float, high: float) -> str:
    bar = result.gate.bar
    if high < 0.5:
        return "People prefer the baseline"
    if result.status == "met":
        return f"At least {bar} prefer the candidate"
    if low >= result.gate.threshold:
        chance = "but the annotators agree no better than by chance"
        return f"At least {bar} prefer the candidate, {chance}"
    if result.status == "not met" and low <= 0.5:
        return f"Fewer than the {bar} that was agreed prefer the candidate"
    if low <= 0.5:
        return "It cannot be told yet which system people prefer"
    how = "by less than" if result.status == "not met" else "not yet surely by"
    return f"People prefer the candidate, but {how} the {bar} that was agreed"


def forecast(result: GateResult, overlap: int, pace: float, lost: float | None = 0.0) -> str:
    """What it would take to settle the gate: judgements, items, days.

    `lost` is the share of judgements that will count for nothing, None where nobody knows.
    """
    if result.status != "not enough evidence" or not isinstance(result.estimate, Estimate):
        return ""
    gate = result.gate
    more = more_needed(result.estimate, gate.threshold, gate.direction, gate.unit).more
    if not more or lost is None:
        return result.missing
    more = collected_for(more, lost)
    items = f"{wording.count(-(-more // overlap))} items at {overlap} each"
    # Where ties are counted in, the sentence has its colon already.
    each = f"{', ' if lost else ': '}{items}" if overlap > 1 else ""
    days = f", {days_at(more, pace)}" if pace else ""
    return f"{result.missing.rstrip('.')}{each}{days}."


def days_at(count: int, pace: float) -> str:
    """ "10 days at the present pace"."""
    days = -(-count // max(pace, 1e-9))
    if days > timedelta.max.days or days > 3650:
        return "more than ten years at the present pace"
    return f"{wording.counted(int(days), 'days')} at the present pace"


def side_favoured(left: Estimate | Undefined) -> str:
    """Whether the interval of the left share holds one half."""
    if isinstance(left, Undefined):
        return f"It cannot be told: {left.reason}."
    if left.low is None or left.high is None:
        return "It cannot be told without an interval."
    of = f"{wording.percent(left.value)} of {wording.counted(left.n, 'decided judgements')}"
    if left.low > 0.5:
        return f"The left output was chosen in {of}; 50\u202f% lies below the interval."
    if left.high < 0.5:
        return f"The right output was favoured: the left one was chosen in only {of}."
    return f"No sign of it. The left output was chosen in {of}; 50\u202f% lies in the interval."
