"""How a run ends: done, cancelled, or stopped with the reason. Each happens once."""

import logging

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from evals.models import Generation, Run
from evals.scoring import score_run

log = logging.getLogger("touchstone.running")

OPEN = [Generation.State.PENDING, Generation.State.ASKED]
REASON_CHARS = 300


def stop_run(run: Run, reason: str, only_if: Q | None = None) -> bool:
    """Ask nothing more of a run, for a reason that its page shows.

    What is in flight is still stored. Whoever stops it second changes nothing.
    """
    running = Run.objects.filter(only_if or Q(), pk=run.pk, state=Run.State.RUNNING)
    stopped = running.update(
        state=Run.State.STOPPED, ended_at=Now(), stop_reason=reason[:REASON_CHARS]
    )
    return stopped == 1


def cancel_run(run: Run) -> bool:
    """Ask nothing more of a run. What was answered is kept, what is in flight is still stored."""
    running = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)
    return running.update(state=Run.State.CANCELLED, ended_at=Now()) == 1


def finish_runs(among: Q | None = None) -> list[int]:
    """End the runs that have an answer or an error for every case; the ids of those ended here.

    The last answer may be stored by several workers at the same moment, none of which sees the
    others': so this looks after the answers are committed, and the condition is in the UPDATE.
    """
    unanswered = Generation.objects.filter(run=OuterRef("pk"), state__in=OPEN)
    running = Run.objects.filter(state=Run.State.RUNNING, source=Run.Source.CALLS)
    complete = running.filter(among or Q(), ~Exists(unanswered))
    ended = []
    for run in complete:
        score_what_is_missing(run)
        if complete.filter(pk=run.pk).update(state=Run.State.DONE, ended_at=Now()):
            ended.append(run.pk)
    return ended


def score_what_is_missing(run: Run) -> None:
    """Scores that a killed worker owed. Without them the run is as done as with them."""
    try:
        score_run(run)
    except Exception:
        log.exception("Run %s was not scored to its end.", run.pk)
