"""Files of suites and outputs on their way in: shown first, then imported or thrown away."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotate.models import Study


class Staged(models.Model):
    """Files that were read once and wait for a person to say yes.

    `options` is what was chosen on the page: how to read them and what for.
    """

    class Kind(models.TextChoices):
        SUITE = "suite", "Suite"
        OUTPUTS = "outputs", "Outputs"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=7, choices=Kind)
    study = models.ForeignKey(Study, null=True, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    file_names = models.JSONField(default=list)
    file_sizes = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "staged"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="suite", study=None) | Q(kind="outputs", study__isnull=False),
                name="staged_outputs_have_study",
            ),
        ]

    def __str__(self) -> str:
        return " + ".join(self.file_names)


class StagedChunk(models.Model):
    """A piece of a staged file, at most 1 MiB."""

    staged = models.ForeignKey(Staged, on_delete=models.CASCADE, related_name="chunks")
    file = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["staged", "file", "number"], name="staged_chunk_once")
        ]

    def __str__(self) -> str:
        return f"{self.staged_id} {self.file}:{self.number}"
