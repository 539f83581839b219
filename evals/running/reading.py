"""What the page of a run reads: latencies, errors by kind, and its answers one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Count, Exists, Max, Min, OuterRef, Prefetch, Q, QuerySet

from evals.formats.records import CUT_OFF
from evals.models import Attempt, Generation, Run, Score

# A retry waited, a cache did not work: only a first try that succeeded is a latency.
LATENCIES = """
SELECT count(*) FILTER (WHERE cached), count(*) FILTER (WHERE NOT cached AND tries > 1),
       count(*) FILTER (WHERE NOT cached AND tries <= 1 AND latency_ms IS NULL),
       array_agg(latency_ms) FILTER (WHERE NOT cached AND tries <= 1 AND latency_ms IS NOT NULL)
FROM evals_generation WHERE run_id = %s AND state = 'done' AND error = ''
"""

Show = Literal["all", "errors", "truncated", "failed", "unscored"]
SHOWS: tuple[Show, ...] = ("all", "errors", "truncated", "failed", "unscored")


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of first tries that succeeded, and how many answers have none and why."""

    values: npt.NDArray[np.float64]
    cached: int
    retried: int
    unmeasured: int


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Cases that ended in one kind of error; `error` is what the last of them said."""

    kind: str
    count: int
    fewest_tries: int
    most_tries: int
    last_at: datetime
    error: str


def latencies_of(run: Run) -> Latencies:
    with connection.cursor() as cursor:
        cursor.execute(LATENCIES, [run.pk])
        cached, retried, unmeasured, values = cursor.fetchone()
    return Latencies(np.asarray(values or [], dtype=np.float64), cached, retried, unmeasured)


def errors_of(run: Run) -> list[ErrorGroup]:
    """Errors by kind, the most frequent first."""
    failed = Generation.objects.filter(run=run).exclude(error="")
    kinds = failed.values("error_kind").annotate(
        count=Count("pk"), fewest=Min("tries"), most=Max("tries"), last=Max("done_at")
    )
    groups = []
    for kind in kinds.order_by("-count", "error_kind"):
        last = failed.filter(error_kind=kind["error_kind"], done_at=kind["last"]).first()
        words = last.error if last else ""
        groups.append(
            ErrorGroup(
                kind["error_kind"], kind["count"], kind["fewest"], kind["most"], kind["last"], words
            )
        )
    return groups


def truncated_of(run: Run) -> tuple[int, datetime | None]:
    """Answers that were cut off at their limit, and when the last one was."""
    cut = Generation.objects.filter(run=run, finish_reason__in=CUT_OFF)
    found = cut.aggregate(count=Count("pk"), last=Max("done_at"))
    return found["count"], found["last"]


def answers_of(run: Run, show: Show = "all", kind: str = "") -> QuerySet[Generation]:
    """Cases that are done, in their order, with the scores of their own scorers."""
    own = Score.objects.filter(own=True)
    done = Generation.objects.filter(run=run, state=Generation.State.DONE)
    chosen = done.filter(_condition(show), Q(error_kind=kind) if kind else Q())
    return (
        chosen.select_related("case")
        .prefetch_related(Prefetch("scores", own, to_attr="own_scores"))
        .order_by("position")
    )


def _condition(show: Show) -> Q:
    own = Score.objects.filter(generation=OuterRef("pk"), own=True)
    conditions = {
        "all": Q(),
        "errors": ~Q(error=""),
        "truncated": Q(finish_reason__in=CUT_OFF),
        "failed": Exists(own.filter(passed=False)),
        "unscored": ~Exists(own.filter(passed__isnull=False)),
    }
    return Q(conditions[show])


def last_failure(run: Run) -> str:
    """What the last try said that a case waiting for another try has made; "" if none waits."""
    waiting = Generation.objects.filter(run=run, state=Generation.State.PENDING, tries__gt=0)
    failed = Attempt.objects.filter(generation__in=waiting).exclude(error="")
    last = failed.order_by("-ended_at").values_list("error", flat=True).first()
    return last or ""


def latest_answers(run: Run, count: int) -> Sequence[Any]:
    """The last cases that were done, newest first."""
    return list(answers_of(run).order_by("-done_at", "-position")[:count])


def other_of_pair(run: Run) -> Run | None:
    """The run that was started together with this one."""
    return Run.objects.filter(pair=run.pair).exclude(pk=run.pk).order_by("pk").first()
