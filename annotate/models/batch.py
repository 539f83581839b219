"""Uploads, the batches they become, and their items."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Now

from annotate.models.study import Study


class Upload(models.Model):
    """A file (or two) on its way in: staged, checked, shown, then imported or thrown away.

    The bytes lie in the database, cut into chunks: a worker on any machine can read them,
    and whatever removes the upload removes them with it.
    """

    class State(models.TextChoices):
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        IMPORTING = "importing", "Being imported"
        IMPORTED = "imported", "Imported"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="uploads")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(max_length=120, blank=True)
    file_names = models.JSONField(default=list)
    file_sizes = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64, blank=True)
    mapping = models.JSONField(default=dict)
    swap = models.BooleanField(default=False)
    allow_empty = models.BooleanField(default=False)
    separator = models.CharField(max_length=10, blank=True, db_default="")
    state = models.CharField(max_length=9, choices=State, default=State.CHECKING)
    progress = models.FloatField(default=0)
    report = models.JSONField(null=True, blank=True)
    batch = models.OneToOneField("annotate.Batch", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["checking", "checked", "importing", "imported"]),
                name="upload_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="imported", batch__isnull=False)
                | (~Q(state="imported") & Q(batch=None)),
                name="upload_imported_has_batch",
            ),
        ]

    def __str__(self) -> str:
        return self.name or " + ".join(self.file_names)


class UploadChunk(models.Model):
    """A piece of an uploaded file, at most 1 MiB."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    file = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "file", "number"], name="chunk_once")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.file}:{self.number}"


class Batch(models.Model):
    """One upload of paired outputs into a study, whole."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    file_names = models.JSONField(default=list)
    format = models.CharField(max_length=20)
    digest = models.CharField(
        max_length=64, help_text="SHA-256 of the files and of how their columns were read."
    )
    columns = models.JSONField(default=dict)
    swapped = models.BooleanField(default=False)
    item_count = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="batch_number_once"),
            models.UniqueConstraint(fields=["study", "digest"], name="batch_file_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}, {self.name}"


class Item(models.Model):
    """A prompt with its two outputs: the unit of all statistics. Texts are kept as sent."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="items", db_index=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveIntegerField(help_text="1-based row of its file.")
    item_id = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not empty
    category = models.TextField(blank=True)
    prompt = models.TextField()
    baseline_output = models.TextField(blank=True)
    candidate_output = models.TextField(blank=True)
    reference = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not empty
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="item_position_once"),
            # What tasks refer to; and the index of a study's items.
            models.UniqueConstraint(fields=["study", "id"], name="item_of_its_study"),
            # An id may be long text; a btree entry may not.
            models.UniqueConstraint("batch", MD5("item_id"), name="item_id_once_a_batch"),
        ]

    def __str__(self) -> str:
        return self.item_id or f"{self.batch_id}:{self.position}"
