"""Judgements made elsewhere: files on their way in, and what came in with which."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotate.models.batch import Batch
from annotate.models.study import Study


class JudgementImport(models.Model):
    """One file of judgements made elsewhere, taken into a study whole."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="judgement_imports")
    number = models.PositiveIntegerField()
    file_name = models.CharField(max_length=120)
    format = models.CharField(max_length=20)
    recognised = models.CharField(max_length=80, help_text="What the file was taken for.")
    digest = models.CharField(
        max_length=64, help_text="SHA-256 of the file and of how it was read."
    )
    columns = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(default=0)
    judgement_count = models.PositiveIntegerField(default=0)
    item_count = models.PositiveIntegerField(default=0)
    annotator_count = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict, help_text="Rows that were not taken in, by reason.")
    warnings = models.JSONField(default=list)
    batch = models.ForeignKey(
        Batch,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The items, where the file brought them.",
    )
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="judgement_import_once"),
            models.UniqueConstraint(fields=["study", "digest"], name="judgement_file_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}, {self.file_name}"


class JudgementFile(models.Model):
    """A file of judgements between its preview and somebody's yes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="judgement_files")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    file_name = models.CharField(max_length=120)
    file_size = models.PositiveBigIntegerField()
    options = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.file_name


class JudgementChunk(models.Model):
    """A piece of a file of judgements, at most 1 MiB."""

    file = models.ForeignKey(JudgementFile, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="judgement_chunk_once")
        ]

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"
