"""A judge's verdicts beside people's votes: a row of numbers an item, and never a text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from annotate.models import Batch, Judgement, User
from evals.formats.records import CUT_OFF
from evals.models import Run, RunBatch
from evals.queries.reading import counted_from, rows_of
from evals.queries.votes import Source, counted_judgements
from evals.stats.checks import Ints
from evals.stats.judged_items import JudgedItems

# As `metrics.judge.last_verdict` reads: the last verdict in the text. Python's \s knows a few
# more spaces than PostgreSQL's.
SPACES = r"[\s\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*"
LAST_VERDICT = rf".*\[\[{SPACES}([ABC]){SPACES}\]\]"

# What is read apart is put together by numbers afterwards, or by grouping: the planner expects a
# row or two of JSON and of runs that have just come in, and would hold each with each.
REPLIES = """
WITH said AS (
    SELECT k.id, (k.metadata ->> 'position')::int AS position,
           k.metadata ->> 'order' = 'baseline_first' AS straight, NULL AS letter
    FROM evals_case k WHERE k.suite_id = %(suite)s
    UNION ALL
    SELECT g.case_id, NULL, NULL, (regexp_match(g.text, %(verdict)s))[1]
    FROM evals_generation g
    WHERE g.run_id = %(judge)s AND g.state = 'done' AND g.error = ''
          AND g.finish_reason <> ALL (%(cut_off)s)
), asked AS (
    SELECT max(position) AS position, bool_or(straight) AS straight, max(letter) AS letter
    FROM said GROUP BY id
)
SELECT position, max(letter) FILTER (WHERE straight), max(letter) FILTER (WHERE NOT straight)
FROM asked GROUP BY position
"""

FAILED = """
SELECT position, bool_or(error <> '') FILTER (WHERE run_id = %(baseline)s),
       bool_or(error <> '') FILTER (WHERE run_id = %(candidate)s)
FROM evals_generation WHERE run_id IN (%(baseline)s, %(candidate)s) GROUP BY position
"""

ITEMS = """
SELECT i.id, k.position FROM annotate_item i
JOIN evals_case k ON k.suite_id = %(suite)s AND md5(k.case_id) = md5(i.item_id)
     AND k.case_id = i.item_id
WHERE i.batch_id = %(batch)s ORDER BY i.id
"""

PEOPLE = """
, named AS (
    SELECT item_id, sign(preference)::int AS said,
           dense_rank() OVER (ORDER BY annotator_id) - 1 AS who FROM votes
)
SELECT item_id, array_agg(who ORDER BY who), array_agg(said ORDER BY who)
FROM named GROUP BY item_id
"""

NAMES = "SELECT annotator_id FROM votes GROUP BY annotator_id ORDER BY annotator_id"

# By the letters to both orders: whoever is preferred in both has won; all else is a tie.
WINNERS = {("A", "B"): -1, ("B", "A"): 1}

Votes = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Judged:
    """What one judge's run and people say of the items of one batch.

    Attributes
    ----------
    items : JudgedItems
        Those on which the judge has a verdict.
    annotators : sequence of User
        By their numbers in `items`.
    without_verdict, of_these_judged : int
        Items on which the judge has none; how many of these people judged.
    imported : int
        Judgements counted that were made elsewhere.
    """

    items: JudgedItems
    annotators: Sequence[User]
    without_verdict: int
    of_these_judged: int
    imported: int


def batch_of_judge(baseline: Run, candidate: Run) -> RunBatch | None:
    """The batch that the judged runs have become."""
    made = RunBatch.objects.filter(baseline_run=baseline, candidate_run=candidate)
    return made.select_related("batch__study", "baseline_run", "candidate_run").first()


def judged_items(run: Run, made: RunBatch, only: Source | None = None) -> Judged:
    """The verdicts of a judge's run beside what people said of the batch of the judged runs."""
    batch = made.batch
    winners, people = _winners(run, made), _people(batch, only)
    names: list[UUID] = [name for (name,) in counted_from(_votes(batch, only), NAMES)]
    users = User.objects.in_bulk(names)
    lost = [item for item, winner in winners.items() if winner is None]
    kinds = Counter(
        (winner, people.get(item)) for item, winner in winners.items() if winner is not None
    )
    return Judged(
        _items(kinds, len(names)),
        [users[name] for name in names],
        len(lost),
        sum(item in people for item in lost),
        _counted(batch, only).filter(source="imported").count(),
    )


def judge_leaning(
    run: Run, made: RunBatch, only: Source | None = None
) -> list[tuple[int, float, float]]:
    """Rows (item, −1 to 1 of the judge, −1 to 1 of people) of items that both have judged."""
    people = _people(made.batch, only)
    return [
        (item, float(winner), sum(people[item][1]) / len(people[item][1]))
        for item, winner in _winners(run, made).items()
        if winner is not None and item in people
    ]


def _winners(run: Run, made: RunBatch) -> dict[int, int | None]:
    """Of each item −1 baseline, 0 tie, 1 candidate; None where the judge has no verdict.

    Every pair of answers that differ has been asked in both orders (`model_judge.judge_cases`):
    where nothing was asked and nothing failed, both systems wrote the same.
    """
    asked = {"judge": run.pk, "suite": run.suite_id, "verdict": LAST_VERDICT,
             "cut_off": sorted(CUT_OFF)}  # fmt: skip
    runs = {"baseline": made.baseline_run_id, "candidate": made.candidate_run_id}
    items = {"batch": made.batch_id, "suite": made.baseline_run.suite_id}
    replies = {position: letters for position, *letters in rows_of(REPLIES, asked)}
    failed = {position: who for position, *who in rows_of(FAILED, runs)}
    return {
        item: _winner(replies.get(position), *failed[position])
        for item, position in rows_of(ITEMS, items)
    }


def _winner(
    letters: Sequence[str | None] | None, baseline_failed: bool, candidate_failed: bool
) -> int | None:
    if baseline_failed or candidate_failed:
        return None if baseline_failed and candidate_failed else 1 if baseline_failed else -1
    if letters is None:
        return 0
    straight, swapped = letters
    if straight is None or swapped is None:
        return None
    return WINNERS.get((straight, swapped), 0)


def _people(batch: Batch, only: Source | None) -> dict[int, Votes]:
    """Of each judged item who judged it, by number, and what each one said."""
    rows = counted_from(_votes(batch, only), PEOPLE)
    return {item: (tuple(who), tuple(said)) for item, who, said in rows}


def _counted(batch: Batch, only: Source | None) -> QuerySet[Judgement]:
    return counted_judgements(batch.study, only).filter(item__batch=batch)


def _votes(batch: Batch, only: Source | None) -> QuerySet[Judgement, Any]:
    return _counted(batch, only).values("item_id", "annotator_id", "preference")


def _items(kinds: Mapping[tuple[int, Votes | None], int], annotators: int) -> JudgedItems:
    """Items on which all was said alike are one row."""
    judged = [(winner, votes, n) for (winner, votes), n in kinds.items() if votes is not None]
    unlabelled = [kinds.get((winner, None), 0) for winner in (-1, 0, 1)]
    return JudgedItems(
        judge=_ints([winner + 1 for winner, _, _ in judged]),
        times=_ints([n for _, _, n in judged]),
        row=_ints([row for row, (_, votes, _) in enumerate(judged) for _ in votes[0]]),
        who=_ints([who for _, votes, _ in judged for who in votes[0]]),
        what=_ints([said + 1 for _, votes, _ in judged for said in votes[1]]),
        annotators=annotators,
        unlabelled=_ints(unlabelled),
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.asarray(values, dtype=np.int64)
