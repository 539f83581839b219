"""How long a worker stays in one lane: a run of hours keeps nobody else from their turn."""

import time
from collections.abc import Callable
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateJob

from evals.running.sweeping import LANE_JOB

LOOK_SECONDS = 2.0
# Uploads and sweeps wait no longer than this (and the longest call), other runs somewhat longer.
OTHERS_SECONDS = 10.0
RUNS_SECONDS = 60.0


class Turn:
    """A turn is over when its worker is told to stop, or when other jobs wait for a place.

    A job that a free worker takes at once is never seen waiting here.
    """

    def __init__(self, pair: UUID, told_to_stop: Callable[[], bool]) -> None:
        self.over = False
        self._pair = pair
        self._told_to_stop = told_to_stop
        self._began = time.monotonic()
        self._look_at = self._began + OTHERS_SECONDS

    def is_over(self) -> bool:
        now = time.monotonic()
        if not self.over and now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self.over = others_wait(self._pair, runs_too=now - self._began >= RUNS_SECONDS)
        self.over = self.over or self._told_to_stop()
        return self.over


def others_wait(pair: UUID, *, runs_too: bool) -> bool:
    """Whether a job waits in the queue that is no lane of this pair."""
    due = Q(scheduled_at=None) | Q(scheduled_at__lte=Now())
    waiting = ProcrastinateJob.objects.filter(due, status="todo")
    own = Q(task_name=LANE_JOB, args__pair=str(pair)) if runs_too else Q(task_name=LANE_JOB)
    return waiting.exclude(own).exists()
