"""What was counted of a block of items, kept until the block changes."""

from django.db import models

from annotate.models import Study


class CountedPart(models.Model):
    """What one way of counting found in one block; nothing that cannot be counted again.

    `state` tells which changes of the block had been seen, and by which code it was counted.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+", db_index=False)
    what = models.CharField(max_length=64, help_text="Digest of the way of counting.")
    block = models.BigIntegerField()
    state = models.CharField(max_length=100)
    packed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "what", "block"], name="counted_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.study_id} {self.what[:8]} {self.block}"
