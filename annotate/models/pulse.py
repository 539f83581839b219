"""How often the evidence of a study has changed, block by block: what is counted again."""

from django.db import models

from annotate.models.study import Study

# Items whose ids have the same bits above these are a block; the triggers know the number too.
BLOCK_BITS = 12


class Pulse(models.Model):
    """A part of the count of changes to a block of a study's items, their tasks and judgements.

    Triggers of the database count, in the transaction that makes the change: whoever sees the one
    sees the other, whatever the clock said when it began. Whoever counts takes a row that nobody
    holds, or adds one, so that no two writers wait for each other; the count is the sum.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+", db_index=False)
    block = models.BigIntegerField()
    beats = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "pulse"
        indexes = [models.Index(fields=["study", "block"], name="pulse_of_block")]

    def __str__(self) -> str:
        return f"{self.study_id} {self.block}: {self.beats}"
