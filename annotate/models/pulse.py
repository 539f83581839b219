"""How often the evidence of a study has changed: what pages at rest are told by."""

from django.db import models

from annotate.models.study import Study


class Pulse(models.Model):
    """A part of the count of changes to a study's items, tasks and judgements.

    Triggers of the database count, in the transaction that makes the change: whoever sees the one
    sees the other, whatever the clock said when it began. Whoever counts takes a row that nobody
    holds, or adds one, so that no two writers wait for each other; the count is the sum.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    beats = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "pulse"

    def __str__(self) -> str:
        return f"{self.study_id}: {self.beats}"
