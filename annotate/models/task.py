"""Slots, and repeats beside them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotate.blinding import Side
from annotate.models.batch import Item
from annotate.models.study import Study
from annotate.querysets import TaskQuerySet

SIDES = [(side.value, side.value) for side in Side]


class Task(models.Model):
    """One slot: an item to be judged by one annotator, its sides drawn in advance.

    A row is also the record that its annotator met its item, for ever: a task that is
    skipped or lapses keeps its annotator, and a new free row takes over the slot.

    A repeat asks an annotator again what they have judged, with the sides exchanged. It has
    states of its own, so whatever counts tasks by their state leaves repeats out.
    """

    class State(models.TextChoices):
        FREE = "free"
        CLAIMED = "claimed"
        JUDGED = "judged"
        SKIPPED = "skipped"
        LAPSED = "lapsed"
        # Judged after the lease had ended and somebody else had taken the slot.
        SURPLUS = "surplus"
        # Judged elsewhere: beside the slots, and nobody met the item here.
        IMPORTED = "imported"
        # Repeats alone: drawn and not handed out yet, in hand, answered, skipped.
        WAITING = "waiting"
        ASKED = "asked"
        REPEATED = "repeated"
        PASSED = "passed"

    LIVE = (State.FREE, State.CLAIMED, State.JUDGED)
    HELD = (State.CLAIMED, State.ASKED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # One foreign key in the database holds both: the item, and that it is of this study.
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="tasks", db_constraint=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="tasks", db_constraint=False
    )
    slot = models.PositiveSmallIntegerField()
    candidate_side = models.CharField(max_length=5, choices=SIDES, null=True)  # noqa: DJ001
    rank = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.FREE)
    # Looked up by an index below that leaves out the free: nearly all rows are, at first.
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="tasks",
        db_index=False,
    )
    claimed_at = models.DateTimeField(null=True)
    lease_ends_at = models.DateTimeField(null=True)
    judged_at = models.DateTimeField(null=True)
    version = models.PositiveSmallIntegerField(default=0, help_text="Of the judgement that counts.")
    skip_reason = models.CharField(max_length=20, blank=True)
    skip_note = models.TextField(blank=True)
    # The unique constraint below is the index: nearly all rows are no repeats.
    repeats = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="repeated_by", db_index=False
    )
    due_after = models.PositiveIntegerField(
        null=True, help_text="So many tasks its annotator has answered before a repeat comes."
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "slot"],
                condition=Q(state__in=["free", "claimed", "judged"]),
                name="task_slot_once",
            ),
            models.UniqueConstraint(
                fields=["item", "annotator"],
                condition=Q(annotator__isnull=False, repeats=None),
                name="task_item_met_once",
            ),
            models.UniqueConstraint(
                fields=["study", "annotator"],
                condition=Q(state__in=["claimed", "asked"]),
                name="task_one_held_per_study",
            ),
            models.UniqueConstraint(
                fields=["repeats"],
                condition=Q(repeats__isnull=False),
                name="task_repeated_once",
            ),
            models.UniqueConstraint(
                fields=["item", "annotator"],
                condition=Q(repeats__isnull=False),
                name="task_item_repeated_once",
            ),
            # What makes a row a repeat, and that no repeat is ever in a state that counts.
            models.CheckConstraint(
                condition=Q(
                    state__in=["waiting", "asked", "repeated", "passed"],
                    repeats__isnull=False,
                    due_after__isnull=False,
                )
                | (
                    ~Q(state__in=["waiting", "asked", "repeated", "passed"])
                    & Q(repeats=None, due_after=None)
                ),
                name="task_repeat_apart",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "free",
                        "claimed",
                        "judged",
                        "skipped",
                        "lapsed",
                        "surplus",
                        "imported",
                        "waiting",
                        "asked",
                        "repeated",
                        "passed",
                    ]
                ),
                name="task_state_known",
            ),
            models.CheckConstraint(
                condition=Q(candidate_side__isnull=False, candidate_side__in=["left", "right"])
                | Q(candidate_side=None, state="imported"),
                name="task_side_known",
            ),
            # Who judged elsewhere is told by the judgement: a task that bears a name is an item
            # met here, and nobody gets it a second time.
            models.CheckConstraint(
                condition=Q(state__in=["free", "imported"], annotator=None)
                | (~Q(state__in=["free", "imported"]) & Q(annotator__isnull=False)),
                name="task_free_or_somebodys",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["claimed", "asked"]) | Q(lease_ends_at__isnull=False),
                name="task_claimed_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["judged", "surplus", "repeated"],
                    version__gte=1,
                    judged_at__isnull=False,
                )
                # When something was judged elsewhere is not always known.
                | Q(state="imported", version=1)
                | (
                    ~Q(state__in=["judged", "surplus", "repeated", "imported"])
                    & Q(version=0, judged_at=None)
                ),
                name="task_judged_has_version",
            ),
        ]
        indexes = [
            # The queue: what is free, in the order in which it is handed out.
            models.Index(fields=["study", "rank"], condition=Q(state="free"), name="task_queue"),
            models.Index(
                fields=["study", "lease_ends_at"], condition=Q(state="claimed"), name="task_leases"
            ),
            models.Index(
                fields=["study", "annotator"], condition=Q(state="lapsed"), name="task_lapsed"
            ),
            models.Index(
                fields=["study", "annotator", "due_after"],
                condition=Q(state="waiting"),
                name="task_repeats_waiting",
            ),
            models.Index(
                fields=["annotator", "study", "-judged_at"],
                condition=Q(annotator__isnull=False),
                name="task_by_annotator",
            ),
            # Days and weeks.
            models.Index(
                fields=["study", "judged_at"], condition=Q(state="judged"), name="task_judged"
            ),
            # The few whose first judgement is not the one that counts.
            models.Index(
                fields=["study", "item"],
                include=["id", "version", "state"],
                condition=Q(version__gt=1) | Q(state__in=["surplus", "repeated"]),
                name="task_not_as_first_said",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}:{self.slot} {self.state}"

    @property
    def side(self) -> Side:
        """Where the candidate stands: drawn for every slot, not always known from elsewhere."""
        if self.candidate_side is None:
            raise ValueError("judged elsewhere, and nobody knows which output stood where")
        return Side(self.candidate_side)
