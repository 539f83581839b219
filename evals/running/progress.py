"""How far a run is, counted from its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from evals.formats.records import CUT_OFF
from evals.models import Run

# The pace is that of the last minute, or since the start where that is less.
PACE_SECONDS = 60.0

COUNTS = """
SELECT count(*) AS total,
       count(*) FILTER (WHERE state = 'done') AS done,
       count(*) FILTER (WHERE state = 'asked') AS asked,
       count(*) FILTER (WHERE error <> '') AS errors,
       count(*) FILTER (WHERE finish_reason = ANY(%(cut_off)s)) AS truncated,
       count(*) FILTER (WHERE state = 'done' AND tries > 1) AS retried,
       count(*) FILTER (WHERE state = 'pending' AND not_before > statement_timestamp()) AS waiting,
       count(*) FILTER (WHERE done_at > statement_timestamp() - %(pace)s * interval '1 second')
           AS lately,
       sum(cost) AS cost,
       count(*) FILTER (WHERE state = 'done' AND cost IS NOT NULL) AS priced,
       (SELECT extract(epoch FROM statement_timestamp() - created_at) FROM evals_run
        WHERE id = %(run)s) AS age
FROM evals_generation WHERE run_id = %(run)s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Cases of one run: answered or ended in an error, in flight, waiting for another try.

    Attributes
    ----------
    per_minute : float or None
        Cases done a minute, lately; None if none was.
    seconds_left : float or None
        At that pace; None where there is none, or the run has ended.
    cost : Decimal or None
        Of the answers whose tokens are known and priced.
    cost_in_all : Decimal or None
        What all cases would cost at the mean so far.
    """

    number: int
    system: str
    state: str
    total: int
    done: int
    asked: int
    waiting: int
    errors: int
    truncated: int
    retried: int
    calls: int
    per_minute: float | None
    seconds_left: float | None
    cost: Decimal | None
    cost_in_all: Decimal | None
    cost_reserved: Decimal

    @property
    def is_over(self) -> bool:
        return self.state != Run.State.RUNNING

    @property
    def pending(self) -> int:
        return self.total - self.done - self.asked


def progress_of(run: Run) -> Progress:
    """How far `run` is now."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"run": run.pk, "cut_off": list(CUT_OFF), "pace": PACE_SECONDS})
        names = [column.name for column in cursor.description]
        counts = dict(zip(names, cursor.fetchone(), strict=True))
    run.refresh_from_db(fields=["state", "calls_made", "cost_reserved"])
    pace = None if run.state != Run.State.RUNNING else _pace(counts)
    left = counts["total"] - counts["done"]
    return Progress(
        number=run.number,
        system=run.system,
        state=run.state,
        **{
            name: counts[name]
            for name in ("total", "done", "asked", "waiting", "errors", "truncated", "retried")
        },
        calls=run.calls_made,
        per_minute=pace,
        seconds_left=60 * left / pace if pace else None,
        cost=counts["cost"],
        cost_in_all=_in_all(counts),
        cost_reserved=run.cost_reserved,
    )


def _pace(counts: Mapping[str, Any]) -> float | None:
    age = min(PACE_SECONDS, max(1.0, float(counts["age"] or 0)))
    return 60 * counts["lately"] / age if counts["lately"] else None


def _in_all(counts: Mapping[str, Any]) -> Decimal | None:
    if not counts["priced"]:
        return None
    mean: Decimal = counts["cost"] / counts["priced"]
    return mean * int(counts["total"])
