"""Each minute: what dead lanes held goes back, complete runs end, idle lanes are queued."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from evals.models import Generation, Run
from evals.running.ending import finish_runs
from evals.running.lanes import WIDTH, alone_in, lane_id
from evals.running.returning import give_back

LANE_JOB = "work_lane"
# After uploads, which people wait for.
PRIORITY = -10


def sweep_runs(*, my_lanes: Collection[UUID] = ()) -> None:
    """Set going again whatever a killed worker left behind.

    `my_lanes` are those that are worked on this very connection, whose locks would not keep it
    out.
    """
    return_lost(my_lanes)
    finish_runs()
    pending = Generation.objects.filter(run=OuterRef("pk"), state=Generation.State.PENDING)
    running = Run.objects.filter(state=Run.State.RUNNING, source=Run.Source.CALLS)
    for pair in set(running.filter(Exists(pending)).values_list("pair", flat=True)):
        queue_lanes(pair, my_lanes)


def return_lost(my_lanes: Collection[UUID] = ()) -> int:
    """Give back what lanes held that nobody works any more."""
    asked = Generation.objects.filter(state=Generation.State.ASKED)
    count = 0
    for lane in set(asked.values_list("lane", flat=True)):
        if lane is None or lane in my_lanes:
            continue
        with alone_in(lane) as abandoned:
            if abandoned:
                count += give_back(lane)
    return count


def queue_lanes(pair: UUID, my_lanes: Collection[UUID] = ()) -> None:
    """Queue every lane of a pair that nobody works in."""
    for number in range(lane_count(pair)):
        lane = lane_id(pair, number)
        if lane in my_lanes:
            continue
        with alone_in(lane) as idle:
            if idle:
                queue_lane(pair, number)


def queue_lane(pair: UUID, number: int) -> None:
    """Queue a job with what is being written now: both are there afterwards, or neither."""
    job = app.configure_task(
        LANE_JOB, queueing_lock=f"{LANE_JOB} {pair} {number}", priority=PRIORITY
    )
    try:
        with transaction.atomic():
            job.defer(pair=str(pair), number=number)
    except AlreadyEnqueued:
        pass  # it waits in the queue already


def lane_count(pair: UUID) -> int:
    """As many lanes as keep the endpoints of a pair busy."""
    return -(-width_of(pair) // WIDTH)


def width_of(pair: UUID) -> int:
    """How many calls the endpoints of a pair may have in flight together."""
    found = Run.objects.filter(pair=pair, endpoint__isnull=False).values("endpoint")
    each = found.annotate(most=Max("endpoint__concurrency")).values_list("most", flat=True)
    return sum(each) or 1
