"""Working on runs in this process, until they have ended, beside whatever workers there are."""

import logging
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q

from evals import openai_client
from evals.endpoints import connection_of
from evals.models import Run
from evals.running.claiming import POLL_SECONDS
from evals.running.ending import finish_runs
from evals.running.lanes import Ask, Lane
from evals.running.places import Connect
from evals.running.progress import Progress, progress_of
from evals.running.sweeping import lane_count, queue_lane, return_lost, width_of
from evals.running.turns import Turn

log = logging.getLogger("touchstone.running")

WATCH_SECONDS = 0.5
SWEEP_SECONDS = 10.0
# A database that is restarted is waited for.
DATABASE_SECONDS = 120.0

Watch = Callable[[Progress], None]


class Pauses:
    """What is done from time to time between two steps of a lane."""

    def __init__(self, runs: Sequence[Run], watch: Watch | None) -> None:
        self._runs = runs
        self._watch = watch
        self._watch_at = 0.0
        self._sweep_at = time.monotonic() + SWEEP_SECONDS

    def step(self, my_lanes: Sequence[UUID] = ()) -> None:
        now = time.monotonic()
        if now >= self._watch_at:
            self._watch_at = now + WATCH_SECONDS
            self.show()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_SECONDS
            return_lost(my_lanes)

    def show(self) -> None:
        if self._watch is not None:
            for run in self._runs:
                self._watch(progress_of(run))


def work_on(
    runs: Sequence[Run],
    *,
    watch: Watch | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    ask: Ask = openai_client.ask,
    connect: Connect = connection_of,
) -> None:
    """Ask the cases of `runs` from this process until all have ended, together with any workers.

    `watch` is told how far each run is, about twice a second and at the end. Once `should_stop`
    is true nothing more is asked; what is in flight is waited for and stored.
    """
    pauses = Pauses(runs, watch)
    away_since: float | None = None
    while not should_stop():
        try:
            return_lost() if away_since is None else None
            if not _work_once(runs, pauses, should_stop, ask, connect):
                break
            away_since = None
        except (OperationalError, InterfaceError):
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > DATABASE_SECONDS:
                raise
            log.warning("The database went away; it is waited for.")
            connection.close()
            time.sleep(1.0)
    pauses.show()


def _work_once(
    runs: Sequence[Run],
    pauses: Pauses,
    should_stop: Callable[[], bool],
    ask: Ask,
    connect: Connect,
) -> bool:
    """Work a lane of each pair as long as there is something to ask; whether any run goes on."""
    running = Run.objects.filter(pk__in=[run.pk for run in runs], state=Run.State.RUNNING)
    for pair in list(dict.fromkeys(running.order_by("pk").values_list("pair", flat=True))):
        _work_a_lane(pair, pauses, should_stop, ask, connect)
    finish_runs(Q(pk__in=[run.pk for run in runs]))
    if not running.exists():
        return False
    # The rest is in flight elsewhere, or every lane is worked in.
    pauses.step()
    time.sleep(POLL_SECONDS)
    return True


def _work_a_lane(
    pair: UUID,
    pauses: Pauses,
    should_stop: Callable[[], bool],
    ask: Ask,
    connect: Connect,
) -> None:
    """The first lane of a pair that nobody else works in, if there is one."""
    for number in range(lane_count(pair)):
        lane = Lane(pair, number, ask, connect, width=width_of(pair), should_stop=should_stop)
        lane.tick = lambda mine=lane.id: pauses.step([mine])  # type: ignore[misc]
        if lane.work():
            return


def work_in_lane(
    pair: UUID,
    number: int,
    *,
    told_to_stop: Callable[[], bool] = lambda: False,
    ask: Ask = openai_client.ask,
    connect: Connect = connection_of,
) -> None:
    """One turn in a lane, by a worker: to its end, or until other jobs want its place."""
    turn = Turn(pair, told_to_stop)
    lane = Lane(pair, number, ask, connect, should_stop=turn.is_over)
    if not lane.work():
        return  # another worker is at it
    finish_runs(Q(pair=pair))
    if turn.over and Run.objects.filter(pair=pair, state=Run.State.RUNNING).exists():
        queue_lane(pair, number)
