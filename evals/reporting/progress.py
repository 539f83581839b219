"""How far a study is, and when it may be complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from annotate.models import State, Study
from evals import queries
from evals.charts import Column, columns
from evals.reporting.numbers import day_words
from evals.stats import wording

DAYS_SHOWN = 14
WEEK = 7
DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Pace:
    """Judgements a day over the last seven days, or since the first one."""

    per_day: float
    words: str
    done_on: date | None


@dataclass(frozen=True, slots=True)
class DayChart:
    """Judgements of the last two weeks, a column a day."""

    columns: Sequence[Column]
    words: str


def pace(week: queries.Week, left: int, today: date | None = None, *, closed: bool = False) -> Pace:
    """How fast judgements come in, and when the last would at that pace."""
    if closed:
        return Pace(0.0, "The study is closed: no more judgements come in.", None)
    today = today or timezone.localdate()
    if week.seconds_since_first is None:
        return Pace(0.0, "Nobody has judged yet.", None)
    days = min(WEEK, max(1.0, week.seconds_since_first / DAY))
    per_day = week.judged / days
    if left <= 0:
        return Pace(per_day, "All judgements are in.", None)
    if not week.judged:
        return Pace(0.0, "Nobody has judged in the last seven days.", None)
    more = left / per_day
    if more > 3650:
        return Pace(per_day, "At the present pace this takes more than ten years.", None)
    done = today + timedelta(days=int(-(-more // 1)))
    return Pace(per_day, f"Complete around {day_words(done)} at {a_day(per_day)} a day.", done)


def a_day(per_day: float) -> str:
    return wording.decimal(per_day, 0 if per_day >= 10 else 1)


def day_chart(days: Sequence[tuple[date, int]], today: date | None = None) -> DayChart:
    """The last two weeks; days on which nobody judged are shown too."""
    today = today or timezone.localdate()
    made = dict(days)
    first = max(
        today - timedelta(days=DAYS_SHOWN - 1),
        min(min(made, default=today), today - timedelta(days=WEEK - 1)),
    )
    shown = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    counts = [made.get(day, 0) for day in shown]
    if not any(counts):
        return DayChart((), "")
    words = ", ".join(
        f"{day.day} {day:%B} {count}" for day, count in zip(shown, counts, strict=True)
    )
    return DayChart(columns(counts, [_label(day, today) for day in shown]), words)


def _label(day: date, today: date) -> str:
    if day == today:
        return "today"
    # The day before would run into "today".
    return f"{day:%a} {day.day}" if day.weekday() == 0 and (today - day).days > 1 else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, a category or an annotator: how much is made of how much."""

    name: str
    items: str
    judged: int
    wanted: int
    number: int = 0

    @property
    def judged_words(self) -> str:
        return wording.count(self.judged)

    @property
    def wanted_words(self) -> str:
        return wording.count(self.wanted)

    @property
    def words(self) -> str:
        return f"{wording.count(self.judged)} of {wording.count(self.wanted)}"


def parts(progress: queries.Progress) -> tuple[list[Part], list[Part]]:
    """By batch and by category."""
    batches = [
        Part(str(batch), wording.count(slots.items), slots.judged, slots.wanted, batch.number)
        for batch, slots in progress.batches
    ]
    categories = [
        Part(name or "No category", wording.count(slots.items), slots.judged, slots.wanted)
        for name, slots in progress.categories
    ]
    return batches, categories


def finding(study: Study, progress: queries.Progress) -> str:
    total = progress.total
    if not total.items:
        return "There is nothing to judge yet"
    if total.left == 0:
        return f"All {wording.counted(total.wanted, 'judgements')} are in"
    if total.judged == 0:
        return f"{wording.counted(total.wanted, 'judgements')} are wanted, and none is in yet"
    share = wording.percent(total.judged / total.wanted, 0)
    return f"{share} of the judgements are in" + (
        ""
        if study.state == State.OPEN
        else f", and the study is {study.get_state_display().lower()}"
    )
