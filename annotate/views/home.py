"""Where everybody begins: what waits to be judged, the last answers, and a lead's studies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.views.decorators.http import require_safe

from annotate.access import signed_in
from annotate.claiming import why_nothing_to_claim
from annotate.forms.judgement import choice_in_words
from annotate.models import Judgement, State, Study, Task, User
from annotate.showing import PROMPT_READ, in_short
from annotate.standing import Standing, about, standing_of

LATEST = 5
PROMPT_SHOWN = 60


@dataclass(frozen=True, slots=True)
class StudyCard:
    """One study an annotator is in; `reason` says why nothing of it can be judged now."""

    public_id: UUID
    name: str
    state: str
    standing: Standing
    reason: str
    closed_at: datetime | None

    @property
    def is_waiting(self) -> bool:
        return not self.reason

    @property
    def badge(self) -> str:
        if self.state == State.CLOSED or self.standing.waiting <= 0:
            return "complete"
        return "paused" if self.state == State.PAUSED else "waiting"


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """One of the last judgements, to be opened again while its study is open."""

    task_id: UUID
    prompt: str
    choice: str
    judged_at: datetime | None
    can_reopen: bool


@dataclass(frozen=True, slots=True)
class LedStudy:
    slug: str
    name: str
    state: str
    items: int
    judged: int


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    cards = [_card(study, user) for study in Study.objects.judged_by(user).order_by("-pk")]
    waiting = [card for card in cards if card.is_waiting]
    context = {
        "name": user.name,
        "waiting": waiting,
        "others": [card for card in cards if not card.is_waiting],
        "waiting_count": sum(max(card.standing.waiting, 1) for card in waiting),
        "latest": _latest(user),
        "today": _today(user),
        "led": _led(user),
        "is_lead": user.is_lead,
        "is_admin": user.is_admin,
    }
    return render(request, "annotate/home.html", context)


def _card(study: Study, user: User) -> StudyCard:
    return StudyCard(
        study.public_id,
        study.name,
        study.state,
        standing_of(study, user),
        why_nothing_to_claim(study, user),
        study.closed_at,
    )


def _latest(user: User) -> list[PastAnswer]:
    tasks = (
        Task.objects.judged_by(user)
        .select_related("study")
        .annotate(prompt=Substr("item__prompt", 1, PROMPT_READ))
        .defer("skip_note")[:LATEST]
    )
    current = Judgement.objects.current().filter(task__in=[task.pk for task in tasks])
    said = {judgement.task_id: judgement for judgement in current}
    return [_past(task, said[task.pk]) for task in tasks]


def _past(task: Task, judgement: Judgement) -> PastAnswer:
    _, choice = judgement.pressed
    return PastAnswer(
        task.pk,
        _in_short(getattr(task, "prompt", "")),
        choice_in_words(judgement.scale, choice, judgement.both_bad),
        task.judged_at,
        task.study.state != State.CLOSED,
    )


def _in_short(prompt: str) -> str:
    return Truncator(in_short(prompt, PROMPT_SHOWN + 1)).chars(PROMPT_SHOWN)


def _today(user: User) -> str:
    """How many judgements today, and the middle of their times."""
    midnight = localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    times = Judgement.objects.filter(
        task__annotator=user, task__judged_at__gte=midnight, version=1
    ).values_list("active_ms", "wall_ms")
    seconds = [(active or wall) / 1000 for active, wall in times]
    if not seconds:
        return ""
    count = "1 judgement" if len(seconds) == 1 else f"{len(seconds)} judgements"
    return f"Today: {count}, middle time {_clock(median(seconds))}."


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else about(seconds).removeprefix("about ")


def _led(user: User) -> list[LedStudy]:
    if not user.is_lead:
        return []
    studies: Iterable[Study] = Study.objects.shown_to(user).order_by("-pk")[:50]
    found = list(studies)
    items = _sums(found, "batches__item_count")
    judged = _sums(found, "assignments__judged_count")
    return [
        LedStudy(one.slug, one.name, one.get_state_display(), items[one.pk], judged[one.pk])
        for one in found
    ]


def _sums(studies: list[Study], field: str) -> dict[int, int]:
    sums = Study.objects.filter(pk__in=[study.pk for study in studies])
    return {pk: total or 0 for pk, total in sums.values_list("pk").annotate(total=Sum(field))}
