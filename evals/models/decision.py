"""The thresholds agreed before, and what a person signed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotate.models import Study


class Policy(models.Model):
    """One version of a study's gates. The first judgement freezes the version in force.

    Rows are only added: a later version needs a reason and is shown for ever.
    """

    class Ties(models.TextChoices):
        HALF = "half", "Half a win for each side"
        DECIDED = "decided", "Left out: decided judgements alone"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="policies")
    version = models.PositiveIntegerField()
    gates = models.JSONField(help_text="A list of gates: key, threshold, required.")
    confidence = models.FloatField(default=0.95)
    counts_imported = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether the gate of human preference counts judgements made elsewhere.",
    )
    ties = models.CharField(
        max_length=7,
        choices=Ties,
        default=Ties.HALF,
        db_default=Ties.HALF,
        help_text="What becomes of ties in the gate of human preference.",
    )
    two_signatures = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether a decision waits for the signature of a second person.",
    )
    reason = models.TextField(blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="policy_version_once"),
            models.CheckConstraint(
                condition=Q(confidence__gt=0.5, confidence__lt=1), name="policy_confidence"
            ),
            models.CheckConstraint(condition=Q(ties__in=["half", "decided"]), name="policy_ties"),
        ]

    def __str__(self) -> str:
        return f"{self.study_id} v{self.version}"


class Decision(models.Model):
    """What a person signed, with the evidence as it was. Never changed."""

    class Choice(models.TextChoices):
        SHIP = "ship", "Ship"
        HOLD = "hold", "Hold"
        STOP = "stop", "Do not ship"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="decisions")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="decisions")
    choice = models.CharField(max_length=4, choices=Choice)
    verdict = models.CharField(max_length=7)
    rationale = models.TextField()
    evidence = models.JSONField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the evidence as canonical JSON.")
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions"
    )
    signed_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=["ship", "hold", "stop"]), name="decision_choice_known"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["GO", "NO-GO", "NOT YET"]), name="decision_verdict_known"
            ),
            models.CheckConstraint(condition=~Q(rationale=""), name="decision_has_rationale"),
        ]

    def __str__(self) -> str:
        return f"{self.study_id} {self.verdict} {self.choice}"


class SecondSignature(models.Model):
    """Another person's signature under the same evidence. Never changed.

    A trigger refuses the first signer, and another digest than the decision's.
    """

    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, related_name="second_signature"
    )
    digest = models.CharField(max_length=64, help_text="Of the decision, as its signer saw it.")
    comment = models.TextField(blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="second_signatures"
    )
    signed_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.decision_id} {self.signed_name}"
