"""What a dead lane held goes back to be asked again."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from evals.models import Attempt, Generation
from evals.running.patience import LOST_TRIES

LOST = "lost"
LOST_WORDS = "The process that asked ended before the answer was stored."


def give_back(lane: UUID) -> int:
    """Let be asked again what `lane` held; only for whoever holds the lock of the lane.

    The try stays, and counts as a call: it may have reached the service. A case whose callers
    died again and again ends in an error, since it may be what they died of.
    """
    with transaction.atomic():
        held = Generation.objects.filter(state=Generation.State.ASKED, lane=lane)
        ids = list(held.select_for_update().values_list("pk", flat=True))
        if not ids:
            return 0
        Attempt.objects.filter(generation__in=ids, ended_at=None).update(
            ended_at=Now(), error_kind=LOST, error=LOST_WORDS
        )
        mine = Generation.objects.filter(pk__in=ids)
        mine.filter(tries__gte=LOST_TRIES).update(
            state=Generation.State.DONE,
            lane=None,
            done_at=Now(),
            error_kind=LOST,
            error=f"{LOST_WORDS} So it was {LOST_TRIES} times.",
        )
        mine.filter(state=Generation.State.ASKED).update(state=Generation.State.PENDING, lane=None)
    return len(ids)
