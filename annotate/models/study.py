"""A study: one question, may the candidate replace the baseline? Its rubric and its people."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotate.querysets import StudyQuerySet


class Scale(models.IntegerChoices):
    THREE = 3, "3 points: left, same, right"
    FIVE = 5, "5 points: much better, better, same"
    SEVEN = 7, "7 points: much better, better, slightly, same"


class State(models.TextChoices):
    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"


class Comments(models.TextChoices):
    OFF = "off", "No comments"
    OPTIONAL = "optional", "Optional"
    REQUIRED = "required", "Required"


# More than every second item asked again would be another study.
MOST_REPEATED = Decimal("0.5")


class Study(models.Model):
    """One question about two systems. `public_id` is all that annotators' addresses show."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    baseline_name = models.CharField(max_length=120)
    candidate_name = models.CharField(max_length=120)
    question = models.CharField(max_length=200, default="Which output is better?")
    guidelines = models.TextField(blank=True)
    scale = models.PositiveSmallIntegerField(choices=Scale, default=Scale.THREE)
    both_bad = models.BooleanField(default=False)
    comments = models.CharField(max_length=10, choices=Comments, default=Comments.OPTIONAL)
    overlap = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    lease_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)]
    )
    repeat_share = models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=Decimal(0),
        db_default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(MOST_REPEATED)],
    )
    state = models.CharField(max_length=6, choices=State, default=State.DRAFT)
    seed = models.BigIntegerField(help_text="Draws the order of the items and the sides.")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(condition=Q(scale__in=Scale.values), name="study_scale_known"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="study_state_known"),
            models.CheckConstraint(
                condition=Q(comments__in=Comments.values), name="study_comments_known"
            ),
            models.CheckConstraint(
                condition=Q(overlap__gte=1, overlap__lte=20), name="study_overlap_1_to_20"
            ),
            models.CheckConstraint(
                condition=Q(lease_minutes__gte=1, lease_minutes__lte=1440),
                name="study_lease_1_to_1440",
            ),
            models.CheckConstraint(
                condition=Q(repeat_share__gte=0, repeat_share__lte=MOST_REPEATED),
                name="study_repeat_share_0_to_half",
            ),
            models.CheckConstraint(
                condition=~Q(baseline_name=F("candidate_name")), name="study_two_systems"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def max_strength(self) -> int:
        """The strongest choice of the scale: 1, 2 or 3."""
        return (self.scale - 1) // 2

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN


class Criterion(models.Model):
    """One question of the rubric beside the overall preference."""

    class Kind(models.TextChoices):
        COMPARATIVE = "comparative", "Which is better: left, same, right"
        SCORE = "score", "1 to 5 for each side"
        OFF = "off", "Not asked"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="criteria")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.COMPARATIVE)
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="criterion_key_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["comparative", "score", "off"]), name="criterion_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """Who judges in a study, how many at most, and how far along the queue they are.

    `cursor` is the rank of the last task claimed. Ranks only grow (a task that comes
    back gets a new one), so what lies behind the cursor was met or taken, and a claim
    starts there instead of walking over everything its annotator has judged.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments"
    )
    cap = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    is_active = models.BooleanField(default=True)
    cursor = models.BigIntegerField(default=0)
    judged_count = models.PositiveIntegerField(default=0)
    repeated_count = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "annotator"], name="assignment_once"),
            models.CheckConstraint(condition=Q(cap=None) | Q(cap__gte=1), name="assignment_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.annotator} in {self.study}"

    @property
    def answered(self) -> int:
        """What the annotator has answered, repeats too: to them they are tasks like any other."""
        return self.judged_count + self.repeated_count
