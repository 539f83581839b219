"""The judging page: everything its templates are given, and nothing of the item but the pair.

No model object enters the template: what the page must not know, it cannot show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from annotate.forms.judgement import JudgementForm, asked_criteria, initial_answers
from annotate.forms.rubric_strips import (
    Question,
    criterion_groups,
    first_error,
    overall_question,
)
from annotate.forms.setting_aside import SKIP_REASONS
from annotate.judging import answers_of, pair_of, submission_key
from annotate.models import Comments, Criterion, Flag, Study, Task, User
from annotate.showing import CleanHtml, ShownPair, View, show_pair
from annotate.showing.formatted import formatted
from annotate.standing import Standing, standing_of
from config.http import is_htmx


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A way to look at the pair, switched on or off."""

    view: View
    key: str
    word: str
    on: bool

    @property
    def target(self) -> str:
        return View.PLAIN if self.on else self.view


@dataclass(frozen=True, slots=True)
class PairPage:
    """The region of the two outputs."""

    task_id: UUID
    view: View
    links: list[ViewLink]
    shown: ShownPair


@dataclass(frozen=True, slots=True)
class FlagPage:
    """The sheet of flags: (value, words, ticked)."""

    task_id: UUID
    options: list[tuple[str, str, bool]]

    @property
    def is_flagged(self) -> bool:
        return any(ticked for _, _, ticked in self.options)


@dataclass(frozen=True, slots=True)
class Comment:
    mode: str
    text: str
    error: str


@dataclass(frozen=True, slots=True)
class TaskPage:
    """The whole region of a task."""

    task_id: UUID
    study_id: UUID
    study_name: str
    points: int
    guidelines: CleanHtml | str
    standing: Standing
    corrected_at: datetime | None
    pair: PairPage
    overall: Question
    groups: list[tuple[bool, list[Question]]]
    comment: Comment | None
    errors: list[str]
    submission_key: str
    active_ms: str
    flags: FlagPage
    skip_reasons: Sequence[tuple[str, str]]

    @property
    def questions(self) -> list[Question]:
        return [self.overall, *(one for _, found in self.groups for one in found)]

    @property
    def strip_count(self) -> int:
        return sum(len(question.strips) for question in self.questions)


def render_task(
    request: HttpRequest,
    task: Task,
    form: JudgementForm | None = None,
    *,
    view: View | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a task, or its region for HTMX, with what was typed in `form`."""
    page = build_page(task, form, view or wanted_view(request))
    name = "annotate/task/_task.html" if is_htmx(request) else "annotate/task/task.html"
    response = render(request, name, {"page": page}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def wanted_view(request: HttpRequest) -> View:
    return View.of(request.POST.get("view") or request.GET.get("view"))


def task_address(task_id: UUID, view: View = View.PLAIN) -> str:
    """The page of a task. Markdown stays on from task to task; the other views do not."""
    address = reverse("task", args=[task_id])
    return f"{address}?view={view}" if view is View.MARKDOWN else address


def task_form(task: Task, data: object = None) -> JudgementForm:
    """The form of a task, filled with what was sent or with the answer that counts."""
    criteria = asked_criteria(task.study)
    if data is not None:
        return JudgementForm(data, study=task.study, criteria=criteria)
    return JudgementForm(initial=_initial(task, criteria), study=task.study, criteria=criteria)


def _initial(task: Task, criteria: Sequence[Criterion]) -> dict[str, str]:
    current = task.judgements.filter(version=task.version).first() if task.version else None
    return initial_answers(answers_of(current), criteria) if current else {}


def build_page(task: Task, form: JudgementForm | None, view: View) -> TaskPage:
    form = form or task_form(task)
    annotator = task.annotator
    assert annotator is not None
    return TaskPage(
        task_id=task.pk,
        study_id=task.study.public_id,
        study_name=task.study.name,
        points=task.study.scale,
        guidelines=formatted(task.study.guidelines) or task.study.guidelines,
        standing=_standing(task, annotator),
        corrected_at=task.judged_at,
        pair=pair_page(task, view),
        overall=overall_question(form),
        groups=criterion_groups(form),
        comment=_comment(task.study, form),
        errors=[str(errors[0]) for errors in form.errors.values()] if form.is_bound else [],
        submission_key=_sent(form, "submission_key") or str(submission_key(task)),
        active_ms=_sent(form, "active_ms"),
        flags=flag_page(task),
        skip_reasons=SKIP_REASONS,
    )


def _standing(task: Task, annotator: User) -> Standing:
    standing = standing_of(task.study, annotator)
    # The page of an item in hand is at least the last one of those expected.
    expected = standing.judged + (0 if task.version else 1)
    return replace(standing, expected=max(standing.expected, expected))


def _sent(form: JudgementForm, field: str) -> str:
    """A hidden value as it was sent, where the form comes back to be completed."""
    known = form.is_bound and field not in form.errors
    return str(form.data.get(field, "")) if known else ""


def _comment(study: Study, form: JudgementForm) -> Comment | None:
    if study.comments == Comments.OFF:
        return None
    text = str(form["comment"].value() or "")
    return Comment(study.comments, text, first_error(form, "comment"))


def pair_page(task: Task, view: View) -> PairPage:
    shown = show_pair(pair_of(task), view)
    links = [
        ViewLink(View.DIFF, "d", "Differences", view is View.DIFF),
        ViewLink(View.MARKDOWN, "m", "Formatted", view is View.MARKDOWN),
    ]
    if shown.has_hidden or view is View.HIDDEN:
        links.append(ViewLink(View.HIDDEN, "h", "Hidden characters", view is View.HIDDEN))
    return PairPage(task.pk, view, links, shown)


def flag_page(task: Task) -> FlagPage:
    ticked = set(task.flags.values_list("kind", flat=True))
    options = [(kind.value, str(kind.label), kind.value in ticked) for kind in Flag.Kind]
    return FlagPage(task.pk, options)
