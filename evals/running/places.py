"""What endpoints have room for at this moment, over all runs and workers."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F
from django.db.models.functions import Now

from evals.models import Endpoint, Generation, Run
from evals.openai_client import CallError, Connection
from evals.running.patience import TRIP

Connect = Callable[[Endpoint], Connection]


@dataclass(slots=True)
class Place:
    """What an endpoint has room for at this moment."""

    endpoint: Endpoint
    connection: Connection | CallError
    free: int
    wait: float
    taken: int = 0


def places_of(pair: UUID, connect: Connect) -> dict[int, Place]:
    """The endpoints of a pair, locked, with the room that each has."""
    used = Run.objects.filter(pair=pair, state=Run.State.RUNNING).values("endpoint_id")
    endpoints = list(
        Endpoint.objects.filter(pk__in=used)
        .annotate(due=F("next_request_at") - Now())
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    asked = Generation.objects.filter(state=Generation.State.ASKED, run__endpoint__in=endpoints)
    busy = dict(asked.values_list("run__endpoint_id").annotate(Count("pk")))
    places = {}
    for one in endpoints:
        wait = max(0.0, one.due.total_seconds())
        free = 0 if wait else _room(one, busy.get(one.pk, 0))
        places[one.pk] = Place(one, _connection(one, connect), free, wait)
    return places


def _connection(endpoint: Endpoint, connect: Connect) -> Connection | CallError:
    try:
        return connect(endpoint)
    except CallError as error:
        return error


def _room(endpoint: Endpoint, busy: int) -> int:
    """How many calls may leave now. One that fails all the time is tried with one at a time."""
    if endpoint.failures_in_a_row >= TRIP:
        return max(0, 1 - busy)
    free = max(0, endpoint.concurrency - busy)
    return min(1, free) if endpoint.requests_per_minute else free
