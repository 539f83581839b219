"""What has come in since a decision was signed, and the digest of every judgement that counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from annotate.models import Study
from evals.queries.reading import counted_from, rows_of
from evals.queries.votes import Source, counted_judgements

# Item by item: sorting whole rows of text takes far longer than sorting numbers.
ROWS = """
, said AS (
    SELECT item_id, md5(string_agg(concat_ws('|', annotator_id, version, candidate_side,
               preference, both_bad), E'\\n' ORDER BY annotator_id, source)) AS print
    FROM votes GROUP BY item_id
)
SELECT encode(sha256(convert_to(coalesce(string_agg(item_id || '|' || print, E'\\n'
           ORDER BY item_id), ''), 'UTF8')), 'hex')
FROM said
"""

LATER_JUDGEMENTS = """
SELECT version > 1, count(*), min(at) FROM votes GROUP BY 1 ORDER BY 1
"""

# Scores of answers that were there: those of later runs came with their runs.
OTHERS = """
SELECT 'batches', count(*), min(created_at) FROM annotate_batch
WHERE study_id = %(study)s AND created_at > %(at)s
UNION ALL
SELECT 'runs', count(*), min(ended_at) FROM evals_run
WHERE study_id = %(study)s AND state = 'done' AND system <> 'judge' AND ended_at > %(at)s
UNION ALL
SELECT 'scores', count(*), min(s.created_at)
FROM evals_run r JOIN evals_generation g ON g.run_id = r.id
JOIN evals_score s ON s.generation_id = g.id AND s.own
WHERE r.study_id = %(study)s AND r.state = 'done' AND r.system <> 'judge'
      AND r.ended_at <= %(at)s AND s.created_at > %(at)s
UNION ALL
SELECT 'changes of the policy', count(*), min(created_at) FROM evals_policy
WHERE study_id = %(study)s AND version > %(version)s
"""


@dataclass(frozen=True, slots=True)
class Later:
    """Rows of one kind that are younger than a decision; `what` is the plural."""

    what: str
    count: int
    first: datetime


def judgements_digest(study: Study, only: Source | None) -> str:
    """SHA-256 of every judgement that counts: who, which version, which side, what was said."""
    ((digest,),) = counted_from(_votes(study, only), ROWS)
    return str(digest)


def later_rows(study: Study, at: datetime, version: int, only: Source | None) -> list[Later]:
    """What may have changed the evidence since `at`, under version `version` of the policy."""
    found = [*_later_judgements(study, at, only), *_others(study, at, version)]
    return sorted(found, key=lambda later: later.first)


def _votes(study: Study, only: Source | None) -> Any:
    return counted_judgements(study, only).values(
        "item_id",
        "annotator_id",
        "version",
        "candidate_side",
        "preference",
        "both_bad",
        "source",
    )


def _later_judgements(study: Study, at: datetime, only: Source | None) -> Iterator[Later]:
    votes = counted_judgements(study, only).filter(created_at__gt=at)
    rows: Sequence[Any] = counted_from(
        votes.values("version", at=F("created_at")), LATER_JUDGEMENTS
    )
    for corrected, count, first in rows:
        yield Later("corrected judgements" if corrected else "further judgements", count, first)


def _others(study: Study, at: datetime, version: int) -> Iterator[Later]:
    for what, count, first in rows_of(OTHERS, {"study": study.pk, "at": at, "version": version}):
        if count:
            yield Later(what, count, first)
