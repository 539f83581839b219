"""What came back from a call: stored once, in full, or asked again later.

An answer is stored only as long as its lane still holds the case: the condition is in the UPDATE,
so a late answer to a case that was given back in the meantime changes nothing.
"""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import DataError, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from evals.models import Attempt, Endpoint, Generation, Run
from evals.openai_client import WORTH_A_RETRY, Answer, CallError, ErrorKind
from evals.running.claiming import Claimed
from evals.running.ending import stop_run
from evals.running.patience import (
    GIVE_UP,
    HOPELESS,
    HOPELESS_IN_A_ROW,
    LONGEST_RETRY_AFTER,
    PROBES,
    TRIP,
    delay_after,
    pause_after,
)
from evals.running.plain import answer_fields, clean, latency
from evals.running.returning import LOST
from evals.scoring import score_generation

log = logging.getLogger("touchstone.running")

# Services may charge for what broke off; nobody charges for what was refused.
FREE_OF_CHARGE = frozenset(
    {"refused_address", "unreachable", "rate_limited", "unauthorised", "bad_request", "redirected",
     "no_key", "server_error"}
)  # fmt: skip
Outcome = Answer | CallError | Exception


def store(lane: UUID, claimed: Claimed, outcome: Outcome) -> None:
    """Store what came of a call, then score it. Neither may fail the run."""
    if isinstance(outcome, Answer):
        try:
            stored = _store_answer(lane, claimed, outcome)
        except DataError as error:
            log.exception("The answer to case %s cannot be stored.", claimed.generation_id)
            stored = _store_error(lane, claimed, CallError("not_json", _unstorable(error)))
    else:
        stored = _store_error(lane, claimed, _as_call_error(outcome))
    if stored:
        _score(claimed.generation_id)


def _unstorable(error: Exception) -> str:
    return f"The answer cannot be stored: {clean(str(error)).splitlines()[0]}"


def _as_call_error(outcome: Exception) -> CallError:
    if isinstance(outcome, CallError):
        return outcome
    log.error("A call broke off.", exc_info=outcome)
    kind: ErrorKind = "not_json" if isinstance(outcome, ValueError | RecursionError) else "cut_off"
    return CallError(kind, f"The call broke off: {type(outcome).__name__}: {outcome}")


def _store_answer(lane: UUID, claimed: Claimed, answer: Answer) -> bool:
    cost = claimed.terms.cost_of(answer)
    with transaction.atomic():
        held = _held(lane, claimed).update(
            state=Generation.State.DONE,
            lane=None,
            done_at=Now(),
            cost=cost,
            **answer_fields(answer),
        )
        _complete_try(claimed, latency(answer.latency_ms), status=200, request_id=answer.request_id)
        if held:
            _service_answers(claimed.endpoint_id)
            _settle(claimed, claimed.bound if cost is None else cost)
    return bool(held)


def _store_error(lane: UUID, claimed: Claimed, error: CallError) -> bool:
    """Whether it is stored as the end of this case; else it is asked again, or is another's now."""
    words = clean(str(error)) or error.kind
    with transaction.atomic():
        held = _held(lane, claimed).select_for_update().exists()
        _complete_try(
            claimed,
            latency(error.latency_ms),
            status=error.status,
            request_id=error.request_id,
            error_kind=error.kind,
            error=words,
        )
        if not held:
            return False
        failures = _note_failure(claimed, error)
        again = _try_again(claimed, error, failures)
        if again is not None:
            _held(lane, claimed).update(
                state=Generation.State.PENDING, lane=None, not_before=Now() + again
            )
        else:
            _held(lane, claimed).update(
                state=Generation.State.DONE,
                lane=None,
                done_at=Now(),
                error_kind=error.kind,
                error=words,
            )
        free = error.kind in FREE_OF_CHARGE
        _settle(claimed, Decimal(0) if free else claimed.bound)
    return again is None


def _held(lane: UUID, claimed: Claimed) -> Any:
    return Generation.objects.filter(
        pk=claimed.generation_id, state=Generation.State.ASKED, lane=lane, tries=claimed.number
    )


def _complete_try(
    claimed: Claimed, latency_ms: float | None, *, status: int | None, request_id: str, **error: str
) -> None:
    Attempt.objects.filter(
        generation=claimed.generation_id, number=claimed.number, ended_at=None
    ).update(
        latency_ms=latency_ms,
        status=status,
        request_id=clean(request_id)[:200],
        ended_at=Now(),
        **error,
    )


def _try_again(claimed: Claimed, error: CallError, failures: int) -> timedelta | None:
    """How long to wait before the next try; None if there is none.

    `failures` are those of the service, in a row.
    """
    if error.kind not in WORTH_A_RETRY:
        return None
    if not Run.objects.filter(pk=claimed.run_id, state=Run.State.RUNNING).exists():
        return None
    # A try whose worker died says nothing of the service.
    ended = Attempt.objects.filter(generation=claimed.generation_id, ended_at__isnull=False)
    failed = ended.exclude(error_kind=LOST).count()
    delay = delay_after(error, failed)
    if failures < TRIP:
        return delay if failed < claimed.terms.max_tries else None
    # The service is away, which is no fault of this case; the next to probe it is another one.
    return pause_after(failures) + delay if failed < claimed.terms.max_tries + PROBES else None


def _note_failure(claimed: Claimed, error: CallError) -> int:
    """What a failure says of the service; how many there were in a row."""
    if error.kind in HOPELESS:
        _stop_if_hopeless(claimed, error)
    elif error.kind in WORTH_A_RETRY:
        return _leave_alone(claimed, error)
    else:
        _service_answers(claimed.endpoint_id)
    return 0


def _service_answers(endpoint_id: int) -> None:
    failing = Endpoint.objects.filter(pk=endpoint_id, failures_in_a_row__gt=0)
    failing.update(failures_in_a_row=0)


def _leave_alone(claimed: Claimed, error: CallError) -> int:
    """Pause a service that asks for it or is away; after hours of that, stop."""
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=claimed.endpoint_id)
    failures = endpoint.failures_in_a_row + 1
    asked_for = min(LONGEST_RETRY_AFTER, max(0.0, error.retry_after or 0.0))
    pause = max(pause_after(failures), timedelta(seconds=asked_for))
    Endpoint.objects.filter(pk=endpoint.pk).update(
        failures_in_a_row=failures,
        next_request_at=Greatest(F("next_request_at"), Now() + pause),
    )
    if failures >= GIVE_UP:
        words = f"The last {failures} calls in a row brought no answer: {error}"
        stop_run(Run(pk=claimed.run_id), clean(words))
    return failures


def _stop_if_hopeless(claimed: Claimed, error: CallError) -> None:
    """End a run whose calls are all refused, instead of asking all the other cases too."""
    ended = Attempt.objects.filter(generation__run=claimed.run_id, ended_at__isnull=False)
    last = ended.order_by("-pk").values_list("error_kind", flat=True)[:HOPELESS_IN_A_ROW]
    kinds = list(last)
    if len(kinds) == HOPELESS_IN_A_ROW and HOPELESS.issuperset(kinds):
        words = f"{HOPELESS_IN_A_ROW} calls in a row were refused: {error}"
        stop_run(Run(pk=claimed.run_id), clean(words))


def _settle(claimed: Claimed, cost: Decimal) -> None:
    if cost != claimed.bound:
        Run.objects.filter(pk=claimed.run_id).update(
            cost_reserved=F("cost_reserved") - claimed.bound + cost
        )


def _score(generation_id: int) -> None:
    generation = Generation.objects.select_related("case").get(pk=generation_id)
    try:
        score_generation(generation)
    except Exception:
        # The run goes on; what is missing is scored at its end.
        log.exception("The answer %s was not scored.", generation_id)
