"""Runs: a suite put to one system; its generations, one a case; their tries and scores."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Now

from annotate.models import Study
from evals.models.endpoint import Endpoint
from evals.models.suite import Case, Suite


class Run(models.Model):
    """A suite answered by one system of a study: by calls, or by outputs that existed already.

    All of its generations are made with it, pending: what is still to be asked is a fact of the
    schema. `pair` is shared by two runs that were started together, one of each system: their
    cases are asked in turns. `endpoint_settings` is what the endpoint was when the run began.
    """

    class System(models.TextChoices):
        BASELINE = "baseline", "Baseline"
        CANDIDATE = "candidate", "Candidate"
        JUDGE = "judge", "Judge"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        STOPPED = "stopped", "Stopped at its limit"

    class Source(models.TextChoices):
        CALLS = "calls", "Calls"
        IMPORTED = "imported", "Imported outputs"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    suite = models.ForeignKey(Suite, on_delete=models.PROTECT, related_name="runs")
    system = models.CharField(max_length=9, choices=System)
    pair = models.UUIDField(default=uuid.uuid4)
    source = models.CharField(max_length=8, choices=Source)
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.PROTECT, related_name="runs")
    model = models.CharField(max_length=200, blank=True)
    endpoint_settings = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    call_limit = models.PositiveIntegerField(null=True, blank=True)
    cost_limit = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    # Reserved before a call leaves, settled when its answer is known.
    calls_made = models.PositiveIntegerField(default=0)
    cost_reserved = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    stop_reason = models.CharField(max_length=300, blank=True)
    digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the files of imported outputs."
    )
    file_names = models.JSONField(default=list)
    format = models.CharField(max_length=40, blank=True)
    warnings = models.JSONField(default=list)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="run_number_once"),
            models.UniqueConstraint(fields=["pair", "system"], name="run_system_once_a_pair"),
            models.CheckConstraint(
                condition=Q(system__in=["baseline", "candidate", "judge"]), name="run_system_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "cancelled", "stopped"]),
                name="run_state_known",
            ),
            models.CheckConstraint(
                condition=Q(source="calls", endpoint__isnull=False)
                | Q(source="imported", endpoint=None),
                name="run_calls_have_endpoint",
            ),
            models.CheckConstraint(
                condition=Q(state="running", ended_at=None)
                | (~Q(state="running") & Q(ended_at__isnull=False)),
                name="run_ended_when_not_running",
            ),
            models.CheckConstraint(
                condition=Q(call_limit=None) | Q(calls_made__lte=models.F("call_limit")),
                name="run_within_call_limit",
            ),
        ]
        indexes = [models.Index(fields=["study", "suite", "system"], name="run_of_suite")]

    def __str__(self) -> str:
        return f"run {self.number}"


class Generation(models.Model):
    """One answer of one system to one case, or the exact error that came instead.

    `latency_ms` is of the last try alone, never of a retry's sum nor of a cache; it is null where
    nobody measured it.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        ASKED = "asked", "Asked"
        DONE = "done", "Done"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="generations")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="generations")
    position = models.PositiveIntegerField(help_text="The case's: cases are asked in this order.")
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    # Who is asking: a worker's lane, alive as long as it holds its advisory lock.
    lane = models.UUIDField(null=True, blank=True)
    # A retry waits until then.
    not_before = models.DateTimeField(db_default=Now())
    text = models.TextField(null=True, blank=True)  # noqa: DJ001 - no text is not empty text
    tool_calls = models.JSONField(null=True, blank=True)
    refusal = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not empty
    finish_reason = models.CharField(max_length=40, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    logprobs = models.JSONField(null=True, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    first_token_ms = models.FloatField(null=True, blank=True)
    cached = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    model = models.CharField(max_length=200, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    imported_scores = models.JSONField(default=dict, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "case"], name="generation_once"),
            models.UniqueConstraint(fields=["run", "position"], name="generation_position_once"),
            models.CheckConstraint(
                condition=Q(state="pending", lane=None, done_at=None)
                | Q(state="asked", lane__isnull=False, done_at=None)
                | Q(state="done", lane=None, done_at__isnull=False),
                name="generation_state_holds",
            ),
            models.CheckConstraint(
                condition=Q(error="", error_kind="")
                | (~Q(error="") & ~Q(error_kind="") & Q(text=None, tool_calls=None)),
                name="generation_error_or_output",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "position"], name="generation_pending", condition=Q(state="pending")
            ),
            models.Index(fields=["lane"], name="generation_asked", condition=Q(state="asked")),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.position}"


class Attempt(models.Model):
    """One call for one case: written before it leaves, completed when it has come back."""

    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    latency_ms = models.FloatField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["generation", "number"], name="attempt_once")
        ]

    def __str__(self) -> str:
        return f"{self.generation_id} try {self.number}"


class ScorerVersion(models.Model):
    """A scorer exactly as it scored: its name, version, parameters and engine."""

    name = models.CharField(max_length=60)
    signature = models.TextField(help_text="One line; equal lines mean comparable scores.")
    parameters = models.JSONField(default=dict)
    higher_is_better = models.BooleanField(default=True)

    class Meta:
        constraints = [
            # A signature may be long text; a btree entry may not.
            models.UniqueConstraint(MD5("signature"), name="scorer_version_once")
        ]

    def __str__(self) -> str:
        return self.signature


class Score(models.Model):
    """What one scorer says of one generation: a value, or the reason why there is none.

    `own` marks the score of the scorer that the case names: whether the case is passed.
    """

    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="scores")
    scorer = models.ForeignKey(ScorerVersion, on_delete=models.PROTECT, related_name="scores")
    own = models.BooleanField()
    value = models.FloatField(null=True, blank=True)
    passed = models.BooleanField(null=True, blank=True)
    reason = models.TextField(blank=True)
    parts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["generation", "scorer"], name="score_once"),
            models.UniqueConstraint(
                fields=["generation"], condition=Q(own=True), name="score_own_once"
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False, reason="")
                | (Q(value=None, passed=None) & ~Q(reason="")),
                name="score_value_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.generation_id} {self.scorer_id}"
