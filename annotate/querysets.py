"""Reusable questions to one table each, chainable."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Now

if TYPE_CHECKING:
    from uuid import UUID

    # Named in the quoted parameters of the classes below.
    from annotate.models import (  # noqa: F401
        Assignment,
        Judgement,
        Study,
        Task,
        User,
    )


class StudyQuerySet(models.QuerySet["Study"]):
    def judged_by(self, annotator: User) -> Self:
        """Studies that `annotator` is assigned to and may see: all but drafts."""
        return self.exclude(state="draft").filter(
            assignments__annotator=annotator, assignments__is_active=True
        )

    def shown_to(self, user: User) -> Self:
        """Studies whose lead pages `user` may open: all for leads and admins, none else."""
        return self.all() if user.is_lead else self.none()


class TaskQuerySet(models.QuerySet["Task"]):
    def free(self) -> Self:
        """Slots that nobody holds and nobody has judged."""
        return self.filter(state="free")

    def claimable_by(self, assignment: Assignment) -> Self:
        """Free slots of the assignment's study, on items that its annotator has not met.

        Met is every item of which a task bears the annotator's name: claimed, judged,
        skipped, lapsed or surplus.
        """
        # That a repeat is left out names the index; who met an item again has met it.
        met = self.model._default_manager.filter(
            item=OuterRef("item"), annotator_id=assignment.annotator_id, repeats=None
        )
        # A scalar subquery, not EXISTS: an anti-join is at the mercy of row estimates, and a
        # stale one makes it read all that the annotator ever judged. This is one index
        # lookup a row, whatever the statistics say.
        return (
            self.free()
            .filter(study_id=assignment.study_id)
            .alias(met=Subquery(met.values("pk")[:1]))
            .filter(met=None)
        )

    def lock_first(self) -> Task | None:
        """The first row that no other transaction is at work on, locked for this one."""
        return self.select_for_update(skip_locked=True, of=("self",)).first()

    def claim_for(self, annotator_id: UUID, lease: timedelta) -> int:
        """Put these tasks into an annotator's hands for the length of a lease."""
        return self.update(
            state="claimed",
            annotator_id=annotator_id,
            claimed_at=Now(),
            lease_ends_at=Now() + lease,
        )

    def held_by(self, annotator_id: UUID) -> Self:
        """The task that `annotator_id` is judging now, whether or not its lease has ended."""
        return self.filter(annotator_id=annotator_id, state__in=self.model.HELD)

    def overdue(self) -> Self:
        """Claimed tasks whose lease has ended by the clock of the database."""
        return self.filter(state="claimed", lease_ends_at__lt=Now())

    def judged_by(self, annotator: User) -> Self:
        """Tasks that carry a judgement of `annotator`, repeats among them, latest first."""
        states = ["judged", "surplus", "repeated"]
        return self.filter(annotator=annotator, state__in=states).order_by("-judged_at")

    def handed_out(self) -> Self:
        """Without repeats that are drawn and wait: of these no annotator may know."""
        return self.exclude(state="waiting")


class JudgementQuerySet(models.QuerySet["Judgement"]):
    def current(self) -> Self:
        """Of each task the version that counts."""
        return self.filter(version=F("task__version"))

    def counted(self) -> Self:
        """Current judgements that fill a slot or were made elsewhere.

        Surplus ones are left out, and so are repeats: their tasks have states of their own.
        """
        return self.current().filter(task__state__in=["judged", "imported"])

    def counted_in(self, study: Study, items: tuple[int, int] | None = None) -> Self:
        """The same of one study, and quicker: an index of the votes holds all that is looked at.

        Of all its items, or of those whose ids lie from one to another.

        A first judgement counts unless its task was judged again, is surplus or a repeat; such
        tasks have an index of their own. They are looked up, not joined: the votes stay in the
        order of their index, item by item.
        """
        within = {} if items is None else {"item_id__gte": items[0], "item_id__lte": items[1]}
        others = self._tasks().filter(
            Q(version__gt=1) | Q(state__in=["surplus", "repeated"]), study=study, **within
        )
        last = others.filter(
            pk=OuterRef("task"), version=OuterRef("version"), state__in=["judged", "imported"]
        )
        counted = ~Q(task__in=others.values("pk")) | Exists(last)
        return self.filter(counted, study=study, **within)

    def one_voice(self) -> Self:
        """Without what somebody said elsewhere of an item that they also judged blind here.

        One person is one voice on an item, and the blind one is heard.
        """
        blind = (
            self._tasks()
            .filter(
                item=OuterRef("item"),
                annotator=OuterRef("annotator"),
                repeats=None,
                state="judged",
            )
            .exclude(pk=OuterRef("task"))
        )
        return self.filter(Q(source="blind") | ~Exists(blind))

    def _tasks(self) -> models.QuerySet[Any]:
        return self.model._meta.get_field("task").related_model._default_manager.all()
