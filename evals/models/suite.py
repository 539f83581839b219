"""Suites of automated tests and their cases. A version of a suite never changes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Now


class Suite(models.Model):
    """One version of a suite, named by the digest of its cases.

    Suites belong to no study: the same questions are put to whatever systems a study compares.
    """

    # The format of suites derived from runs for a judge: their prompts hold the systems' answers,
    # so no list and no page shows them.
    DERIVED = "judge"

    name = models.SlugField(max_length=80)
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    digest = models.CharField(
        max_length=64, help_text="SHA-256 of the cases as canonical JSON, in their order."
    )
    format = models.CharField(max_length=40)
    file_names = models.JSONField(default=list)
    case_count = models.PositiveIntegerField()
    warnings = models.JSONField(default=list)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="suite_version_once"),
            models.UniqueConstraint(fields=["name", "digest"], name="suite_content_once"),
            models.CheckConstraint(condition=Q(case_count__gte=1), name="suite_has_cases"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, v{self.version}"


class Case(models.Model):
    """A prompt with what is expected of the answer. Texts are kept as sent."""

    class Split(models.TextChoices):
        TARGET = "target", "Target"
        GENERAL = "general", "General"

    suite = models.ForeignKey(Suite, on_delete=models.PROTECT, related_name="cases")
    position = models.PositiveIntegerField(help_text="1-based, in the order of the file.")
    case_id = models.TextField()
    messages = models.JSONField()
    tools = models.JSONField(default=list, blank=True)
    expected = models.JSONField(default=dict, blank=True)
    category = models.TextField(blank=True)
    split = models.CharField(max_length=7, choices=Split, default=Split.TARGET)
    scorer = models.JSONField(
        null=True, blank=True, help_text="The name and the parameters of the case's own scorer."
    )
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suite", "position"], name="case_position_once"),
            # An id may be long text; a btree entry may not.
            models.UniqueConstraint("suite", MD5("case_id"), name="case_id_once_a_suite"),
            models.CheckConstraint(
                condition=Q(split__in=["target", "general"]), name="case_split_known"
            ),
        ]

    def __str__(self) -> str:
        return self.case_id
