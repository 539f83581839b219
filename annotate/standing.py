"""How far an annotator is in a study, from counts that are kept, never from counting tasks."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import F, Sum

from annotate.models import Assignment, Judgement, Study, User
from annotate.repeating import expected_repeats

# The pace is the middle of so many last judgements.
PACE_OVER = 20
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """`expected` is what is asked of this annotator, as far as can be said now.

    Repeats are tasks like any other here: this is what annotators see, and by these numbers
    nobody may tell one from the other. So both follow from what was answered alone.
    """

    judged: int
    expected: int
    seconds_each: float | None
    saved_at: datetime | None

    @property
    def waiting(self) -> int:
        return self.expected - self.judged

    @property
    def number(self) -> int:
        """The place of the item in hand, which may be one more than expected."""
        return self.judged + 1

    @property
    def of(self) -> int:
        return max(self.expected, self.judged)

    @property
    def time_left(self) -> str:
        if self.seconds_each is None or self.waiting <= 0:
            return ""
        return about(self.seconds_each * self.waiting)


def standing_of(study: Study, annotator: User) -> Standing:
    assignment = (
        Assignment.objects.select_related("annotator")
        .filter(study=study, annotator=annotator)
        .first()
    )
    judged = assignment.answered if assignment else 0
    cap = assignment.cap if assignment else None
    expected = expected_total(study, judged, cap, assignment)
    pace, saved_at = _pace(study, annotator)
    return Standing(judged, expected, pace, saved_at)


def expected_total(
    study: Study, judged: int, cap: int | None, assignment: Assignment | None = None
) -> int:
    """An even share of all judgements, but no more than the cap or one for each item.

    And what is asked again of these, where the annotator is known.
    """
    items = study.batches.aggregate(total=Sum("item_count"))["total"] or 0
    people = study.assignments.filter(is_active=True).count() or 1
    share = -(-items * study.overlap // people)
    asked = min(items, share, items if cap is None else cap)
    again = expected_repeats(study, assignment, asked) if assignment else 0
    return max(judged, asked + again)


def _pace(study: Study, annotator: User) -> tuple[float | None, datetime | None]:
    """Middle time of the last judgements in seconds, and when the last one was saved."""
    latest = (
        Judgement.objects.filter(task__study=study, task__annotator=annotator, version=1)
        .order_by(F("task__judged_at").desc(nulls_last=True))
        .values_list("active_ms", "wall_ms", "task__judged_at")[:PACE_OVER]
    )
    if not latest:
        return None, None
    # Without JavaScript nobody counts the active time; the clock of the server did run.
    seconds = median((active or wall) / 1000 for active, wall, _ in latest)
    return seconds, latest[0][2]


def about(seconds: float) -> str:
    minutes = round(seconds / MINUTE)
    if minutes < 1:
        return "less than a minute"
    if minutes < MINUTE:
        return f"about {minutes} min"
    hours, rest = divmod(5 * round(minutes / 5), MINUTE)
    return f"about {hours} h {rest} min" if rest else f"about {hours} h"
