"""Model services that can be asked."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Endpoint(models.Model):
    """Where a model answers: any service that speaks chat completions.

    A key is either the name of an environment variable of the worker, or stored encrypted; it
    goes to no other origin than the one it was given for.
    """

    class Kind(models.TextChoices):
        SERVICE = "service", "Service"
        STAND_IN = "stand_in", "Stand-in"

    class KeySource(models.TextChoices):
        NONE = "none", "No key"
        ENVIRONMENT = "environment", "Environment variable"
        STORED = "stored", "Stored, encrypted"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SERVICE)
    base_url = models.CharField(max_length=500, blank=True)
    model = models.CharField(max_length=200)
    parameters = models.JSONField(
        default=dict, blank=True, help_text="What is sent with each request: temperature, seed, …"
    )
    key_source = models.CharField(max_length=11, choices=KeySource, default=KeySource.NONE)
    key_variable = models.CharField(max_length=100, blank=True)
    key_encrypted = models.TextField(blank=True)
    key_last4 = models.CharField(max_length=4, blank=True)
    key_origin = models.CharField(
        max_length=300, blank=True, help_text="Scheme, host and port that the key was given for."
    )
    concurrency = models.PositiveSmallIntegerField(default=4)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    timeout_seconds = models.PositiveSmallIntegerField(default=60)
    max_tries = models.PositiveSmallIntegerField(default=3)
    streaming = models.BooleanField(default=False)
    input_price = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True,
        help_text="For a million prompt tokens.",
    )  # fmt: skip
    output_price = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True,
        help_text="For a million generated tokens.",
    )  # fmt: skip
    # The rate: when the next request may leave, for all workers together.
    next_request_at = models.DateTimeField(db_default=Now(), editable=False)
    # Calls in a row that brought no answer: after many, one at a time tries whether it is back.
    failures_in_a_row = models.PositiveIntegerField(db_default=0, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["service", "stand_in"]), name="endpoint_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(key_source="none", key_variable="", key_encrypted="")
                | (Q(key_source="environment", key_encrypted="") & ~Q(key_variable=""))
                | (
                    Q(key_source="stored", key_variable="")
                    & ~Q(key_encrypted="")
                    & ~Q(key_origin="")
                ),
                name="endpoint_one_key",
            ),
            models.CheckConstraint(
                condition=Q(kind="stand_in", base_url="") | (Q(kind="service") & ~Q(base_url="")),
                name="endpoint_service_has_url",
            ),
            models.CheckConstraint(
                condition=Q(concurrency__gte=1, concurrency__lte=64), name="endpoint_concurrency"
            ),
            models.CheckConstraint(
                condition=Q(timeout_seconds__gte=1, timeout_seconds__lte=3600),
                name="endpoint_timeout",
            ),
            models.CheckConstraint(
                condition=Q(max_tries__gte=1, max_tries__lte=10), name="endpoint_tries"
            ),
            models.CheckConstraint(
                condition=Q(requests_per_minute=None) | Q(requests_per_minute__gte=1),
                name="endpoint_rate",
            ),
            models.CheckConstraint(
                condition=Q(input_price=None, output_price=None)
                | Q(input_price__gte=0, output_price__gte=0),
                name="endpoint_prices",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_price(self) -> bool:
        return self.input_price is not None and self.output_price is not None
