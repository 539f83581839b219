"""What annotators said of their tasks."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs, Now

from annotate.blinding import Side
from annotate.models.batch import Item
from annotate.models.study import Criterion, Scale, Study
from annotate.models.task import SIDES, Task
from annotate.querysets import JudgementQuerySet

# Who said something decides what a preference is; these two expressions say it in SQL.
# Where something was judged elsewhere, nobody may know which output stood on which side.
# A check passes where its answer is NULL, so what must be there is asked for by name.
LIFTED = (
    Q(candidate_side__isnull=False, choice__isnull=False)
    & (
        Q(candidate_side=Side.RIGHT, preference=F("choice"))
        | Q(candidate_side=Side.LEFT, preference=-F("choice"))
    )
) | Q(candidate_side=None, choice=None, source="imported")


class Judgement(models.Model):
    """All that one annotator said of a task; a correction is a further version.

    Rows are only ever added: a trigger refuses UPDATE and DELETE. The version that
    counts is the one that its task names.
    """

    class Source(models.TextChoices):
        BLIND = "blind"
        IMPORTED = "imported"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Looked up by the indexes below, which begin with it.
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="judgements", db_index=False
    )
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="judgements")
    # Its task's, for ever; the database fills it in. Here, so that counting needs no task.
    item = models.ForeignKey(
        Item,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
        db_constraint=False,
    )
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="judgements"
    )
    version = models.PositiveSmallIntegerField()
    candidate_side = models.CharField(max_length=5, choices=SIDES, null=True)  # noqa: DJ001
    scale = models.PositiveSmallIntegerField(choices=Scale)
    choice = models.SmallIntegerField(
        null=True, help_text="On the screen: negative left, positive right."
    )
    preference = models.SmallIntegerField(help_text="Negative baseline, positive candidate.")
    both_bad = models.BooleanField(default=False)
    comment = models.TextField(blank=True)
    active_ms = models.PositiveIntegerField(default=0)
    wall_ms = models.PositiveBigIntegerField(default=0)
    source = models.CharField(max_length=8, choices=Source, default=Source.BLIND)
    received = models.ForeignKey(
        "annotate.JudgementImport",
        null=True,
        on_delete=models.PROTECT,
        related_name="judgements",
        help_text="The file that it came in with, where it was judged elsewhere.",
    )
    submission_key = models.UUIDField(unique=True)
    payload_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = JudgementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "version"], name="judgement_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="judgement_version_from_1"),
            models.CheckConstraint(condition=LIFTED, name="judgement_sides_lifted"),
            models.CheckConstraint(
                condition=Q(scale__in=Scale.values), name="judgement_scale_known"
            ),
            # 3 points reach 1, 5 reach 2, 7 reach 3.
            models.CheckConstraint(
                condition=Q(scale__gte=Abs(F("preference")) * 2 + 1), name="judgement_on_its_scale"
            ),
            models.CheckConstraint(
                condition=Q(both_bad=False) | Q(preference=0),
                name="judgement_both_bad_has_no_side",
            ),
            models.CheckConstraint(
                condition=Q(active_ms__lte=F("wall_ms")), name="judgement_active_within_wall"
            ),
            models.CheckConstraint(
                condition=Q(source__in=["blind", "imported"]), name="judgement_source_known"
            ),
            models.CheckConstraint(
                condition=Q(received=None) | Q(source="imported"),
                name="judgement_received_is_imported",
            ),
        ]
        indexes = [
            # All that is counted, item by item: no count has to look at the rows themselves.
            models.Index(
                fields=["study", "item"],
                include=[
                    "id",
                    "task",
                    "version",
                    "annotator",
                    "preference",
                    "both_bad",
                    "candidate_side",
                    "scale",
                    "source",
                    "active_ms",
                ],
                name="judgement_votes",
            ),
            # When the first one was made, and all since some day.
            models.Index(fields=["study", "created_at"], name="judgement_in_time"),
            models.Index(
                fields=["study"], condition=Q(source="imported"), name="judgement_elsewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} v{self.version}"

    @property
    def pressed(self) -> tuple[Side, int]:
        """The candidate's side, and what was pressed on the screen here."""
        if self.candidate_side is None or self.choice is None:
            raise ValueError("judged elsewhere, and nobody knows which output stood where")
        return Side(self.candidate_side), self.choice


class Rating(models.Model):
    """What a judgement says for one criterion: a preference, or a score for each system."""

    judgement = models.ForeignKey(Judgement, on_delete=models.PROTECT, related_name="ratings")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="ratings")
    preference = models.SmallIntegerField(null=True)
    baseline_score = models.PositiveSmallIntegerField(null=True)
    candidate_score = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["judgement", "criterion"], name="rating_once"),
            models.CheckConstraint(
                condition=Q(
                    preference__gte=-1,
                    preference__lte=1,
                    baseline_score=None,
                    candidate_score=None,
                )
                | Q(
                    preference=None,
                    baseline_score__gte=1,
                    baseline_score__lte=5,
                    candidate_score__gte=1,
                    candidate_score__lte=5,
                ),
                name="rating_preference_or_scores",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.judgement_id} {self.criterion_id}"


class Flag(models.Model):
    """What an annotator found wrong with an item, judged or not."""

    class Kind(models.TextChoices):
        RECOGNISED = "recognised", "An output names its maker: I recognised it"
        PERSONAL_DATA = "personal_data", "Personal data in the prompt or an output"
        HARMFUL = "harmful", "Harmful content"
        BROKEN = "broken", "The prompt makes no sense"

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="flags")
    kind = models.CharField(max_length=13, choices=Kind)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "kind"], name="flag_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["recognised", "personal_data", "harmful", "broken"]),
                name="flag_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.kind}"
