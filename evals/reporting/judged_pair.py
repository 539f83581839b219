"""What model judges say of two runs, for the page that compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache

from evals.charts import Segment, parts_bar
from evals.model_judge import JudgeCounts, counts_of, judges_of, verdicts
from evals.models import Run
from evals.queries.runs import RunPair
from evals.reporting.numbers import Shown, shown
from evals.stats import wording

A_MONTH = 30 * 86_400


@dataclass(frozen=True, slots=True)
class JudgeRow:
    """One judge's run; its numbers are there when it is done.

    Attributes
    ----------
    counts : str
        "13 won, 5 tied, 2 lost".
    won : Shown or None
        The candidate's share of the cases that the judge decided.
    flips : Shown or None
        The share of pairs on which the judge changed sides with the order.
    """

    number: int
    model: str
    state: str
    bar: Sequence[Segment] = ()
    counts: str = ""
    unscored: int = 0
    won: Shown | None = None
    flips: Shown | None = None


def judge_rows(pair: RunPair, confidence: float) -> list[JudgeRow]:
    """All judges of these runs, the latest first."""
    return [_row(run, confidence) for run in judges_of(*pair.runs)]


def _row(run: Run, confidence: float) -> JudgeRow:
    state = run.get_state_display().lower()
    if run.state != Run.State.DONE:
        return JudgeRow(run.number, run.model, state)
    counts = _counts(run)
    return JudgeRow(
        run.number,
        run.model,
        state,
        parts_bar([
            ("c", "Candidate better", counts.wins),
            ("t", "Tie", counts.ties),
            ("b", "Baseline better", counts.losses),
        ]),
        f"{wording.count(counts.wins)} won, {wording.count(counts.ties)} tied, "
        f"{wording.count(counts.losses)} lost",
        counts.unscored,
        shown(counts.decided_win_rate(confidence), "share", "cases"),
        shown(counts.inconsistency(confidence), "share", "pairs"),
    )  # fmt: skip


def _counts(run: Run) -> JudgeCounts:
    """Of a run that is done: no answer of it changes, so its texts are read once."""
    key = f"judge-counts-{run.pk}"
    counts: JudgeCounts | None = cache.get(key)
    if counts is None:
        counts = counts_of(list(verdicts(run)))
        cache.set(key, counts, A_MONTH)
    return counts
