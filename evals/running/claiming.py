"""The next cases to ask: chosen, counted against every limit and written down before a call leaves.

Everything is decided in one transaction under the locks of the endpoints, so that all workers
together keep to what an endpoint may be given. Nobody else changes a pending generation into an
asked one. Locks are taken in one order everywhere: endpoints, runs, generations.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from evals.models import Attempt, Generation, Run
from evals.openai_client import CallError, Connection, Request
from evals.running.ending import stop_run
from evals.running.places import Connect, Place, places_of
from evals.running.terms import Terms, terms_of

# How long to wait before looking again at slots that others hold.
POLL_SECONDS = 0.25
SHORTEST_SECONDS = 0.005
LAST = 2**31 - 1

# Cases in their order, the two systems of a pair in turns: odd cases begin with the baseline,
# even ones with the candidate. Retries come first, their cases being the oldest.
NEXT = """
SELECT g.id, g.run_id, g.tries, c.messages::text, c.tools::text
FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[]) AS wanted (run_id, most, upto, turn)
CROSS JOIN LATERAL (
    SELECT id, run_id, case_id, position, tries FROM evals_generation
    WHERE run_id = wanted.run_id AND state = 'pending' AND position <= wanted.upto
      AND not_before <= clock_timestamp()
    ORDER BY position LIMIT wanted.most FOR UPDATE SKIP LOCKED
) AS g
JOIN evals_case AS c ON c.id = g.case_id
ORDER BY g.position, (g.position + wanted.turn) %% 2
"""
# The first case of each run that was never asked.
FRONTS = """
SELECT wanted.run_id, (SELECT position FROM evals_generation
                       WHERE run_id = wanted.run_id AND state = 'pending' AND tries = 0
                       ORDER BY position LIMIT 1)
FROM unnest(%s::bigint[]) AS wanted (run_id)
"""
# How long until a pending case may be asked: looked for case by case only if none may be now.
DUE = """
SELECT coalesce(
    (SELECT 0 FROM evals_generation WHERE run_id = ANY(%(runs)s) AND state = 'pending'
     AND not_before <= clock_timestamp() LIMIT 1),
    (SELECT extract(epoch FROM min(not_before) - clock_timestamp()) FROM evals_generation
     WHERE run_id = ANY(%(runs)s) AND state = 'pending'))
"""
RATE = """
UPDATE evals_endpoint SET next_request_at =
    greatest(next_request_at, clock_timestamp()) + %s * interval '1 minute' / requests_per_minute
WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One call that may leave now: it is written down, and counted.

    `bound` is the most that it can cost.
    """

    generation_id: int
    run_id: int
    endpoint_id: int
    number: int
    request: Request
    connection: Connection | CallError
    bound: Decimal
    terms: Terms


@dataclass(frozen=True, slots=True)
class Claims:
    """What was claimed; `wait` is how long to wait before more, None if nothing is left to ask."""

    taken: Sequence[Claimed] = ()
    wait: float | None = None


def claim(lane: UUID, pair: UUID, most: int, connect: Connect) -> Claims:
    """Claim up to `most` calls of the runs of `pair` for `lane`."""
    with transaction.atomic():
        places = places_of(pair, connect)
        runs = [run for run in _running(pair) if not _stop_if_changed(run, places)]
        if not runs:
            return Claims()
        taken = _reserve(_next(runs, places, most), runs, places, most)
        _write_down(lane, taken, places)
        # A run may have come to its limit: then nothing of it is left to ask.
        wait = _wait(_running(pair), places) if len(taken) < most else POLL_SECONDS
        return Claims(taken, wait)


def _running(pair: UUID) -> list[Run]:
    runs = Run.objects.filter(pair=pair, state=Run.State.RUNNING, source=Run.Source.CALLS)
    return list(runs.order_by("pk"))


def _stop_if_changed(run: Run, places: dict[int, Place]) -> bool:
    """A run is of one service: with another address, or none, it is no longer that run."""
    place = places.get(run.endpoint_id or 0)
    if place is None:
        return True  # it was started after the endpoints were locked: its turn comes
    if place.endpoint.archived_at is not None:
        return stop_run(run, f"The endpoint {place.endpoint} was archived.")
    if place.endpoint.base_url != run.endpoint_settings["base_url"]:
        words = f"The address of the endpoint {place.endpoint} was changed. Start a new run."
        return stop_run(run, words)
    return False


def _next(runs: Sequence[Run], places: dict[int, Place], most: int) -> list[tuple[Any, ...]]:
    wanted = [
        (run.pk, min(most, places[run.endpoint_id or 0].free), upto, _turn(run))
        for run, upto in zip(runs, _leads(runs, places), strict=True)
    ]
    columns = [list(column) for column in zip(*wanted, strict=True)]
    return _rows(NEXT, columns)


def _turn(run: Run) -> int:
    return 1 if run.system == Run.System.BASELINE else 0


def _leads(runs: Sequence[Run], places: dict[int, Place]) -> list[int]:
    """Up to which case each run may be asked: neither system of a pair runs ahead of the other.

    Both meet the same minute of a service's day; the lead is what may be in flight at once.
    """
    if len(runs) == 1:
        return [LAST]
    fronts = dict(_rows(FRONTS, [[run.pk for run in runs]]))
    lead = max(place.endpoint.concurrency for place in places.values())
    bounds = []
    for run in runs:
        others = [front for pk, front in fronts.items() if pk != run.pk and front is not None]
        bounds.append(min(others) + lead - 1 if others else LAST)
    return bounds


def _reserve(
    rows: Iterable[tuple[Any, ...]], runs: Sequence[Run], places: dict[int, Place], most: int
) -> list[Claimed]:
    """Those of `rows` that every limit has room for, each counted with its run."""
    by_id = {run.pk: run for run in runs}
    terms = {run.pk: terms_of(run.endpoint_settings) for run in runs}
    chosen: list[Claimed] = []
    for generation_id, run_id, tries, messages, tools in rows:
        place = places[by_id[run_id].endpoint_id or 0]
        if len(chosen) < most and place.taken < place.free:
            place.taken += 1
            bound = terms[run_id].bound(len(messages.encode()) + len(tools.encode()))
            request = Request(json.loads(messages), json.loads(tools), terms[run_id].parameters)
            chosen.append(
                Claimed(
                    generation_id,
                    run_id,
                    place.endpoint.pk,
                    tries + 1,
                    request,
                    _on_terms(place.connection, terms[run_id]),
                    bound,
                    terms[run_id],
                )
            )
    counted = {
        run.pk: _counted(run, [one for one in chosen if one.run_id == run.pk]) for run in runs
    }
    return [one for one in chosen if one.generation_id in counted[one.run_id]]


def _counted(run: Run, chosen: Sequence[Claimed]) -> set[int]:
    """The cases among `chosen` whose calls the limits of `run` allow; at a limit it stops."""
    bounds = [one.bound for one in chosen]
    if count_calls(run.pk, bounds):
        return {one.generation_id for one in chosen}
    # Not all of them together: then as many as may be, one by one.
    allowed: set[int] = set()
    for one in chosen:
        if not count_calls(run.pk, [one.bound]):
            if not allowed:
                _stop_at_limit(run, one.bound)
            break
        allowed.add(one.generation_id)
    return allowed


def count_calls(run_id: int, bounds: Sequence[Decimal]) -> bool:
    """Count more calls with a run and reserve what they may cost, if its limits allow all."""
    if not bounds:
        return True
    cost = sum(bounds, Decimal(0))
    within = Q(call_limit=None) | Q(calls_made__lte=F("call_limit") - len(bounds))
    affordable = Q(cost_limit=None) | Q(cost_reserved__lte=F("cost_limit") - cost)
    counted = Run.objects.filter(within, affordable, pk=run_id, state=Run.State.RUNNING).update(
        calls_made=F("calls_made") + len(bounds), cost_reserved=F("cost_reserved") + cost
    )
    return counted == 1


def _stop_at_limit(run: Run, bound: Decimal) -> None:
    if stop_run(run, f"All {run.call_limit or 0:,} calls that were allowed were made.",
                Q(calls_made__gte=F("call_limit"))):  # fmt: skip
        return
    # What is in flight may cost less than was reserved for it: that is waited for.
    if run.cost_limit is None or _asked(run).exists():
        return
    run.refresh_from_db()
    words = (
        f"The next call could cost up to {bound:.4f}, and {run.cost_reserved:.4f} of "
        f"{run.cost_limit:.4f} are spent."
    )
    stop_run(run, words, Q(cost_reserved__gt=F("cost_limit") - bound))


def _asked(run: Run) -> QuerySet[Generation]:
    return Generation.objects.filter(run=run, state=Generation.State.ASKED)


def _on_terms(found: Connection | CallError, terms: Terms) -> Connection | CallError:
    """The connection of now with the model and the patience of when the run began."""
    if isinstance(found, CallError):
        return found
    return replace(
        found,
        model=terms.model,
        timeout_seconds=terms.timeout_seconds,
        streaming=terms.streaming,
    )


def _write_down(lane: UUID, taken: Sequence[Claimed], places: dict[int, Place]) -> None:
    if not taken:
        return
    Generation.objects.filter(pk__in=[one.generation_id for one in taken]).update(
        state=Generation.State.ASKED, lane=lane, tries=F("tries") + 1
    )
    Attempt.objects.bulk_create(
        Attempt(generation_id=one.generation_id, number=one.number) for one in taken
    )
    with connection.cursor() as cursor:
        for place in places.values():
            if place.taken and place.endpoint.requests_per_minute:
                cursor.execute(RATE, [place.taken, place.endpoint.pk])


def _wait(runs: Sequence[Run], places: dict[int, Place]) -> float | None:
    """How long until something may be asked; None where all is asked that will be."""
    ((due,),) = _rows(DUE, {"runs": [run.pk for run in runs]})
    if due is None:
        return None
    soonest = min((place.wait or POLL_SECONDS for place in places.values()), default=POLL_SECONDS)
    return max(float(due), soonest, SHORTEST_SECONDS)


def _rows(statement: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
