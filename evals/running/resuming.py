"""Going on with runs that stopped at a limit or were cancelled: only what is missing is asked."""

from decimal import Decimal
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from annotate.models import State, Study
from evals.models import Generation, Run
from evals.running.starting import RefusedRunError, check_endpoint
from evals.running.sweeping import queue_lanes

ENDED_EARLY = (Run.State.CANCELLED, Run.State.STOPPED)


def resumable(run: Run) -> list[Run]:
    """`run` and the one it was started with, as far as they ended before their time."""
    if run.state not in ENDED_EARLY or run.source != Run.Source.CALLS:
        return []
    together = Run.objects.filter(pair=run.pair, state__in=ENDED_EARLY, source=Run.Source.CALLS)
    return list(together.select_related("endpoint").order_by("number"))


def resume_runs(
    run: Run, *, call_limit: int | None = None, cost_limit: Decimal | None = None
) -> list[Run]:
    """Go on with `run`, and with the one it was started with if that ended early too.

    The limits are each run's own and count what was spent before. Where the other has its answers
    already, the rest is not asked in turns with it, so the two are no pair any more.

    Raises
    ------
    RefusedRunError
        If nothing of it is left to ask, its study is closed, its endpoint archived or moved, or a
        limit is spent already.
    """
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).get(pk=run.study_id)
        if study.state == State.CLOSED:
            raise RefusedRunError(f"The study {study} is closed: open it again to go on.")
        going_on = resumable(Run.objects.get(pk=run.pk))
        if not going_on:
            raise RefusedRunError(f"Run {run.number} has nothing to go on with.")
        for one in going_on:
            _check(one, call_limit, cost_limit)
        ids = [one.pk for one in going_on]
        rest = Run.objects.filter(pair=run.pair).exclude(pk__in=ids)
        pair = uuid4() if rest.filter(state=Run.State.DONE).exists() else run.pair
        ended = Run.objects.filter(pk__in=ids, state__in=ENDED_EARLY)
        resumed = ended.update(
            state=Run.State.RUNNING,
            ended_at=None,
            stop_reason="",
            call_limit=call_limit,
            cost_limit=cost_limit,
            pair=pair,
        )
        # The study's row is held: whoever resumes it too, waits, and finds it running.
        assert resumed == len(ids)
        queue_lanes(pair)
    return list(Run.objects.filter(pk__in=ids).order_by("number"))


def _check(run: Run, call_limit: int | None, cost_limit: Decimal | None) -> None:
    if not Generation.objects.filter(~Q(state=Generation.State.DONE), run=run).exists():
        raise RefusedRunError(f"Run {run.number} has an answer to every case already.")
    endpoint = run.endpoint
    assert endpoint is not None  # a run of calls has one
    fresh = check_endpoint(endpoint, cost_limit)
    if fresh.base_url != run.endpoint_settings["base_url"]:
        raise RefusedRunError(
            f"The address of the endpoint {fresh} was changed since run {run.number} began. "
            "Start a new run."
        )
    if call_limit is not None and call_limit <= run.calls_made:
        raise RefusedRunError(
            f"Run {run.number} has made {run.calls_made:,} calls already: allow more than that."
        )
    if cost_limit is not None and cost_limit <= run.cost_reserved:
        raise RefusedRunError(
            f"Run {run.number} has spent {run.cost_reserved:.4f} already: allow more than that."
        )
