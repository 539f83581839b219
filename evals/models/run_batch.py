"""Batches that were made of two runs: where scores and people's verdicts meet."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotate.models import Batch
from evals.models.run import Run


class RunBatch(models.Model):
    """The runs whose answers a batch holds; an item's `item_id` is the id of its case.

    `left_out` lists the cases that could not be shown to people, each with the reason.
    """

    batch = models.OneToOneField(Batch, on_delete=models.PROTECT, related_name="run_batch")
    baseline_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    candidate_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    left_out = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "run batches"
        constraints = [
            models.UniqueConstraint(
                fields=["baseline_run", "candidate_run"], name="run_batch_once_a_pair"
            ),
            models.CheckConstraint(
                condition=~Q(baseline_run=F("candidate_run")), name="run_batch_two_runs"
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.batch_id}"
