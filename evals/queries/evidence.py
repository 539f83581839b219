"""What runs have to say to gates: shares passed by scorer and category, latencies, digests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotate.models import Batch, Study
from evals.models import Run
from evals.queries.reading import rows_of
from evals.queries.runs import RunPair
from evals.stats.checks import Floats

# An answer that ended in an error has failed wherever its case can be passed. Where an answer
# has no score although its case names what is right, nobody has scored it yet.
ANSWERED = """
WITH answers AS (
    SELECT g.run_id, k.category,
           coalesce(v.name, k.scorer ->> 'name', '') AS scorer, g.error <> '' AS broke,
           g.finish_reason = 'length' AS cut,
           s.id IS NULL AND (k.scorer IS NOT NULL OR k.expected <> '{}'::jsonb) AS waits,
           coalesce(s.passed, CASE WHEN g.error <> '' AND s.id IS NOT NULL AND s.value IS NULL
               THEN false END) AS passed
    FROM evals_generation g JOIN evals_case k ON k.id = g.case_id
    LEFT JOIN evals_score s ON s.generation_id = g.id AND s.own
    LEFT JOIN evals_scorerversion v ON v.id = s.scorer_id
    WHERE g.run_id = ANY(%(runs)s)
)
SELECT run_id, category, scorer, count(*) FILTER (WHERE passed),
       count(*) FILTER (WHERE NOT passed), count(*) FILTER (WHERE NOT passed AND broke),
       count(*) FILTER (WHERE NOT passed AND cut AND NOT broke),
       count(*) FILTER (WHERE passed IS NULL AND NOT waits), count(*) FILTER (WHERE waits)
FROM answers GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

# The last try of a retried call is no first impression, and a cache has no latency.
FIRST_TRIES = """
SELECT run_id, array_agg(latency_ms ORDER BY position)
FROM evals_generation
WHERE run_id = ANY(%(runs)s) AND state = 'done' AND error = '' AND NOT cached AND tries <= 1
      AND latency_ms > 0
GROUP BY run_id
"""

# Done generations and scores never change: equal prints mean the same answers, scored alike.
PRINTS = """
SELECT g.run_id, encode(sha256(convert_to(string_agg(concat_ws('|', g.position,
           md5(coalesce(g.text, '')), md5(coalesce(g.tool_calls::text, '')), g.error_kind,
           g.finish_reason, g.latency_ms, g.tries, g.cached,
           v.signature, s.passed, s.value), E'\n' ORDER BY g.position), 'UTF8')), 'hex')
FROM evals_generation g
LEFT JOIN evals_score s ON s.generation_id = g.id AND s.own
LEFT JOIN evals_scorerversion v ON v.id = s.scorer_id
WHERE g.run_id = ANY(%(runs)s) GROUP BY g.run_id
"""

SIGNATURES = """
SELECT g.run_id, v.signature, count(*)
FROM evals_generation g JOIN evals_score s ON s.generation_id = g.id AND s.own
JOIN evals_scorerversion v ON v.id = s.scorer_id
WHERE g.run_id = ANY(%(runs)s) GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers of one run to the cases of one category and own scorer.

    Attributes
    ----------
    passed, failed : int
    errors, cut_off : int
        Of the failed: calls that ended in an error, answers that were cut off.
    unmarked : int
        Answers that can neither pass nor fail: their case does not say what is right.
    waiting : int
        Answers that have not been scored yet.
    """

    category: str
    scorer: str
    passed: int = 0
    failed: int = 0
    errors: int = 0
    cut_off: int = 0
    unmarked: int = 0
    waiting: int = 0


def answered(runs: Iterable[Run]) -> dict[int, list[Answered]]:
    """What became of the answers of each run, by category and scorer."""
    found: dict[int, list[Answered]] = {}
    for run, *row in rows_of(ANSWERED, _ids(runs)):
        found.setdefault(run, []).append(Answered(*row))
    return found


def first_tries(runs: Iterable[Run]) -> dict[int, Floats]:
    """Milliseconds of the answers that came at the first try, run by run."""
    rows = rows_of(FIRST_TRIES, _ids(runs))
    return {run: np.asarray(latencies, dtype=np.float64) for run, latencies in rows}


def prints_of(runs: Iterable[Run]) -> dict[int, str]:
    """SHA-256 of all answers of each run, with their scores."""
    return dict(rows_of(PRINTS, _ids(runs)))


def signatures_of(runs: Iterable[Run]) -> dict[int, list[tuple[str, int]]]:
    """The own scorers of each run's cases, exactly, with how many answers each one marked."""
    found: dict[int, list[tuple[str, int]]] = {}
    for run, signature, count in rows_of(SIGNATURES, _ids(runs)):
        found.setdefault(run, []).append((signature, count))
    return found


def batch_digests(study: Study) -> list[dict[str, Any]]:
    """Of each batch its number and the digest of its files."""
    batches = Batch.objects.filter(study=study).order_by("number")
    return [{"number": number, "digest": digest} for number, digest in
            batches.values_list("number", "digest")]  # fmt: skip


def pooled(tries: Mapping[int, Floats], runs: Sequence[Run]) -> Floats:
    """The latencies of several runs as one array."""
    parts = [tries[run.pk] for run in runs if run.pk in tries]
    return np.concatenate(parts) if parts else np.zeros(0)


def runs_of(pairs: Iterable[RunPair]) -> list[Run]:
    return [run for pair in pairs for run in pair.runs]


def _ids(runs: Iterable[Run]) -> dict[str, Any]:
    return {"runs": [run.pk for run in runs]}
