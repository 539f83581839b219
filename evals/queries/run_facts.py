"""What runs took and what their scorers said: latencies, errors, tokens, values in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from evals.models import Run, ScorerVersion
from evals.queries.reading import rows_of
from evals.queries.runs import RunPair
from evals.stats.checks import Floats

# A retry waited, a cache did not work: only a first try that succeeded is a latency.
FACTS = """
SELECT run_id, count(*), count(*) FILTER (WHERE error <> ''),
       count(*) FILTER (WHERE finish_reason = 'length'),
       count(*) FILTER (WHERE error = '' AND cached),
       count(*) FILTER (WHERE error = '' AND NOT cached AND tries > 1),
       count(*) FILTER (WHERE error = '' AND NOT cached AND tries <= 1 AND latency_ms IS NULL),
       array_agg(latency_ms ORDER BY position)
           FILTER (WHERE error = '' AND NOT cached AND tries <= 1 AND latency_ms IS NOT NULL),
       count(prompt_tokens), avg(prompt_tokens)::float, stddev_samp(prompt_tokens)::float,
       count(completion_tokens), avg(completion_tokens)::float,
       stddev_samp(completion_tokens)::float, sum(cost)
FROM evals_generation WHERE run_id = ANY(%(runs)s) AND state = 'done' GROUP BY run_id
"""

ERRORS = """
SELECT run_id, error_kind, count(*), min(error)
FROM evals_generation WHERE run_id = ANY(%(runs)s) AND error <> ''
GROUP BY run_id, error_kind ORDER BY count(*) DESC, error_kind
"""

# Every scorer that looked at either run: over all cases, by split, by split and category. Cases'
# own scorers of one name are taken together, whatever their parameters: each case is scored alike
# on both sides. A scorer that was put to whole runs stands for itself, with those of its scores
# that are cases' own.
SCORES = """
WITH matched AS (
    SELECT s.scorer_id, g.case_id, bool_and(s.own) AS own,
           bool_and(s.passed) FILTER (WHERE g.run_id = %(baseline)s) AS bp,
           bool_and(s.passed) FILTER (WHERE g.run_id = %(candidate)s) AS cp,
           max(s.value) FILTER (WHERE g.run_id = %(baseline)s) AS b,
           max(s.value) FILTER (WHERE g.run_id = %(candidate)s) AS c
    FROM evals_generation g JOIN evals_score s ON s.generation_id = g.id
    WHERE g.run_id IN (%(baseline)s, %(candidate)s)
    GROUP BY s.scorer_id, g.case_id
), judged AS (
    SELECT matched.*, k.split, k.category, v.name, v.higher_is_better,
           CASE WHEN v.higher_is_better THEN c - b ELSE b - c END AS gain
    FROM matched JOIN evals_case k ON k.id = matched.case_id
    JOIN evals_scorerversion v ON v.id = matched.scorer_id
), keyed AS (
    SELECT judged.*, 0 AS key FROM judged WHERE own
    UNION ALL
    SELECT judged.*, scorer_id AS key FROM judged
    WHERE scorer_id IN (SELECT scorer_id FROM judged WHERE NOT own)
)
SELECT name, key, higher_is_better, GROUPING(split, category),
       coalesce(split, ''), coalesce(category, ''),
       count(*) FILTER (WHERE gain > 0), count(*) FILTER (WHERE gain = 0),
       count(*) FILTER (WHERE gain < 0), count(*) FILTER (WHERE gain IS NULL),
       avg(b) FILTER (WHERE gain IS NOT NULL), avg(c) FILTER (WHERE gain IS NOT NULL),
       avg(c - b), stddev_samp(c - b),
       count(*) FILTER (WHERE bp AND cp), count(*) FILTER (WHERE NOT bp AND cp),
       count(*) FILTER (WHERE bp AND NOT cp), count(*) FILTER (WHERE NOT bp AND NOT cp),
       count(DISTINCT scorer_id), min(scorer_id)
FROM keyed
GROUP BY name, key, higher_is_better, GROUPING SETS ((), (split), (split, category))
ORDER BY key > 0, name, key, 4 DESC, 5 DESC, 6
"""

UNSCORED = """
SELECT s.reason, count(DISTINCT g.case_id)
FROM evals_generation g JOIN evals_score s ON s.generation_id = g.id AND s.own
WHERE g.run_id IN (%(baseline)s, %(candidate)s) AND s.value IS NULL
GROUP BY s.reason ORDER BY 2 DESC, 1 LIMIT 5
"""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one answer on the mean; `n` answers said how many there were."""

    n: int = 0
    mean: float | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class RunFacts:
    """What the answers of one run took.

    Attributes
    ----------
    cases, errors, truncated : int
    cached, retried, unmeasured : int
        Successful answers whose latency is left out, and why.
    latencies : (n,) array
        Milliseconds of first tries that succeeded, in the order of the cases.
    error_kinds : sequence of (kind, cases, one of the messages)
    """

    cases: int = 0
    errors: int = 0
    truncated: int = 0
    cached: int = 0
    retried: int = 0
    unmeasured: int = 0
    latencies: Floats = field(default_factory=lambda: np.zeros(0))
    tokens_in: Tokens = Tokens()
    tokens_out: Tokens = Tokens()
    cost: Decimal | None = None
    error_kinds: Sequence[tuple[str, int, str]] = ()


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """What one scorer said of some cases, in pairs.

    Attributes
    ----------
    wins, ties, losses : int
        Cases where the candidate's value is the better one, equal, the worse one.
    unscored : int
        Cases where it had no value for at least one answer.
    baseline, candidate, difference, deviation : float or None
        Mean values over the pairs, mean of candidate minus baseline, its standard deviation.
    both, won, lost, neither : int
        The same by passing, where the scorer has a mark to pass.
    """

    split: str
    category: str
    wins: int
    ties: int
    losses: int
    unscored: int
    baseline: float | None
    candidate: float | None
    difference: float | None
    deviation: float | None
    both: int
    won: int
    lost: int
    neither: int

    @property
    def n(self) -> int:
        return self.wins + self.ties + self.losses

    @property
    def marked(self) -> int:
        """Pairs that both passed or failed."""
        return self.both + self.won + self.lost + self.neither


@dataclass(frozen=True, slots=True)
class ScorerCells:
    """One scorer on a pair of runs.

    Attributes
    ----------
    is_own : bool
        Whether these are the scores of cases that name it as their own.
    versions : int
        How many sets of parameters the cases have for it.
    signature : str
        Of the one version, or of the first of several.
    """

    name: str
    key: int
    is_own: bool
    higher_is_better: bool
    versions: int
    signature: str
    overall: ScoreCell
    splits: Sequence[ScoreCell]
    cells: Sequence[ScoreCell]


def run_facts(pair: RunPair) -> tuple[RunFacts, RunFacts]:
    """Of the baseline's run and of the candidate's."""
    params = {"runs": [run.pk for run in pair.runs]}
    facts = {row[0]: row[1:] for row in rows_of(FACTS, params)}
    kinds: dict[int, list[tuple[str, int, str]]] = {}
    for run, kind, count, message in rows_of(ERRORS, params):
        kinds.setdefault(run, []).append((kind, count, message))
    baseline, candidate = (_facts(run, facts, kinds) for run in pair.runs)
    return baseline, candidate


def _facts(run: Run, facts: dict[int, Any], kinds: dict[int, Any]) -> RunFacts:
    if run.pk not in facts:
        return RunFacts()
    cases, errors, truncated, cached, retried, unmeasured, latencies, *rest = facts[run.pk]
    return RunFacts(
        cases=cases,
        errors=errors,
        truncated=truncated,
        cached=cached,
        retried=retried,
        unmeasured=unmeasured,
        latencies=np.array(latencies or [], dtype=np.float64),
        tokens_in=Tokens(*rest[0:3]),
        tokens_out=Tokens(*rest[3:6]),
        cost=rest[6],
        error_kinds=kinds.get(run.pk, ()),
    )


def scorer_cells(pair: RunPair) -> list[ScorerCells]:
    """What every scorer said that looked at these runs: cases' own first, by name."""
    grouped: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows_of(SCORES, pair_ids(pair)):
        grouped.setdefault(row[:3], []).append(row[3:])
    firsts = ScorerVersion.objects.in_bulk([rows[0][16] for rows in grouped.values()])
    return [_scorer(key, rows, firsts) for key, rows in grouped.items()]


def _scorer(
    key: tuple[Any, ...], rows: Sequence[tuple[Any, ...]], firsts: dict[int, ScorerVersion]
) -> ScorerCells:
    by_level: dict[int, list[ScoreCell]] = {0: [], 1: [], 3: []}
    for row in rows:
        by_level[row[0]].append(ScoreCell(*row[1:15]))
    name, number, higher = key
    versions, first = rows[0][15:17]
    return ScorerCells(
        name, number, number == 0, higher, versions, firsts[first].signature,
        by_level[3][0], by_level[1], by_level[0],
    )  # fmt: skip


def pair_ids(pair: RunPair) -> dict[str, Any]:
    return {"baseline": pair.baseline.pk, "candidate": pair.candidate.pk}


def unscored_reasons(pair: RunPair) -> list[tuple[str, int]]:
    """Why cases' own scorers had no value, most frequent first."""
    return [(reason, count) for reason, count in rows_of(UNSCORED, pair_ids(pair))]
