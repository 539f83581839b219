"""Judging: claim, answer, next. A judgement and the next task are one round trip."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import signed_in
from annotate.claiming import (
    NotHeldError,
    NothingToClaimError,
    claim_task,
    release_task,
    skip_task,
    why_nothing_to_claim,
)
from annotate.forms.judgement import JudgementForm, answers_in_words, asked_criteria
from annotate.forms.setting_aside import FlagForm, SkipForm
from annotate.judging import (
    AlreadyAnsweredError,
    StudyClosedError,
    answers_of,
    flag_task,
    record_judgement,
)
from annotate.models import Assignment, State, Study, Task
from annotate.showing import View
from annotate.standing import standing_of
from annotate.views.task_page import (
    flag_page,
    pair_page,
    render_task,
    task_address,
    task_form,
    wanted_view,
)
from config.http import is_htmx, leave_to, refuse

TaskView = Callable[[HttpRequest, UUID], HttpResponse]


def own_study(request: HttpRequest, public_id: UUID) -> Study:
    """A study that the one who asks judges in, or did; for others there is none."""
    known = Study.objects.exclude(state=State.DRAFT).filter(assignments__annotator=request.user.pk)
    return get_object_or_404(known, public_id=public_id)


class TakenOffError(Exception):
    """The one who asks was taken off the study of this task while they had it in hand."""

    def __init__(self, study: Study) -> None:
        super().__init__(
            f"You are no longer asked to judge in “{study.name}”: this item went back while it "
            "was open here, and what you had answered was not saved. All that was saved before "
            "counts. Thank you. If you are asked again, it can come back to you."
        )


def own_task(request: HttpRequest, task_id: UUID) -> Task:
    tasks = Task.objects.handed_out().select_related("study", "annotator")
    if own := tasks.filter(pk=task_id, annotator=request.user.pk).first():
        return own
    left = Assignment.objects.filter(annotator=request.user.pk, is_active=False)
    gone = Task.objects.select_related("study").filter(study__in=left.values("study"))
    found = get_object_or_404(gone, pk=task_id)
    raise TakenOffError(found.study)


def told_when_taken_off(view: TaskView) -> TaskView:
    """Say so in words: to whom it happens, the page was in order a moment ago."""

    @wraps(view)
    def telling(request: HttpRequest, task_id: UUID) -> HttpResponse:
        try:
            return view(request, task_id)
        except TakenOffError as error:
            title = "This item went back"
            typed = request.POST.get("comment", "")
            return refuse(request, title, str(error), 410, typed=typed)

    return telling


def go_to_task(request: HttpRequest, task: Task) -> HttpResponse:
    """The next task: its region and its address for HTMX, else a redirect."""
    view = View.MARKDOWN if wanted_view(request) is View.MARKDOWN else View.PLAIN
    address = task_address(task.pk, view)
    if not is_htmx(request):
        return HttpResponseRedirect(address, status=303)
    response = render_task(request, task, view=view)
    response["HX-Push-Url"] = address
    return response


def next_task(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        claimed = claim_task(study, signed_in(request))
    except NothingToClaimError:
        return leave_to(request, reverse("done", args=[study.public_id]))
    return go_to_task(request, own_task(request, claimed.pk))


@require_POST
def start(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Claim the next task, or go to the one in hand."""
    study = own_study(request, public_id)
    try:
        claimed = claim_task(study, signed_in(request))
    except NothingToClaimError:
        return leave_to(request, reverse("done", args=[study.public_id]))
    return leave_to(request, task_address(claimed.pk))


@require_safe
def done(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Why there is nothing to judge now, asked anew: it may have changed."""
    study = own_study(request, public_id)
    user = signed_in(request)
    context = {
        "study_id": study.public_id,
        "study_name": study.name,
        "standing": standing_of(study, user),
        "reason": why_nothing_to_claim(study, user),
        "is_closed": study.state == State.CLOSED,
    }
    return render(request, "annotate/task/done.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@told_when_taken_off
def task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    found = own_task(request, task_id)
    if request.method == "POST":
        return _judge(request, found)
    if reason := _why_not_shown(found):
        return refuse(request, "This item is not open any more", reason)
    return render_task(request, found)


def _why_not_shown(found: Task) -> str:
    if found.study.state == State.CLOSED:
        return "Its study is closed: answers can no longer be changed."
    if found.state in (Task.State.SKIPPED, Task.State.PASSED):
        return "You skipped it; somebody else has been asked."
    return ""


def _judge(request: HttpRequest, found: Task) -> HttpResponse:
    form = task_form(found, request.POST)
    if not form.is_valid():
        return render_task(request, found, form, status=422)
    try:
        _record(found, form)
    except AlreadyAnsweredError as error:
        typed = form.cleaned_data.get("comment", "")
        return refuse(request, "This was answered before", _first_answer(error), typed=typed)
    except (NotHeldError, StudyClosedError) as error:
        typed = form.cleaned_data.get("comment", "")
        return refuse(request, "This could not be saved", str(error), typed=typed)
    return next_task(request, found.study)


def _record(found: Task, form: JudgementForm) -> None:
    assert found.annotator is not None
    key = form.cleaned_data["submission_key"]
    record_judgement(found.pk, found.annotator, key, form.answers())


def _first_answer(error: AlreadyAnsweredError) -> str:
    stored = error.judgement
    words = answers_in_words(
        answers_of(stored), stored.scale, asked_criteria(Study.objects.get(pk=stored.study_id))
    )
    time = localtime(stored.created_at)
    return (
        f"You answered this item at {time:%H:%M}: {words}. That answer is kept. "
        "To change it, open the item again and save it there."
    )


@require_safe
@told_when_taken_off
def pair(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """The two outputs in another view; as a plain link the whole page in that view."""
    found = own_task(request, task_id)
    view = wanted_view(request)
    if reason := _why_not_shown(found):
        return refuse(request, "This item is not open any more", reason)
    if not is_htmx(request):
        return HttpResponseRedirect(f"{reverse('task', args=[task_id])}?view={view}")
    context = {"pair": pair_page(found, view), "is_swapped": True}
    response = render(request, "annotate/task/_pair.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
def undo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Open the last judgement to correct it; from a correction, the one before it."""
    study = own_study(request, public_id)
    if study.state == State.CLOSED:
        reason = "Answers of a closed study can no longer be changed."
        return refuse(request, "This study is closed", reason)
    judged = Task.objects.judged_by(signed_in(request)).filter(study=study)
    come_from = _uuid(request.POST.get("from", ""))
    if come_from and (before := judged.filter(pk=come_from).first()):
        judged = judged.filter(judged_at__lt=before.judged_at)
    last = judged.first()
    if last is None:
        reason = "There is no earlier judgement of yours in this study."
        return refuse(request, "Nothing to undo", reason)
    return go_to_task(request, own_task(request, last.pk))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def invalid(request: HttpRequest, title: str, message: str) -> HttpResponse:
    """A sheet that was filled in wrongly: the page stays, the words are shown in it."""
    response = refuse(request, title, message, 422)
    response["HX-Reswap"] = "none"
    return response


@require_POST
@told_when_taken_off
def skip(request: HttpRequest, task_id: UUID) -> HttpResponse:
    found = own_task(request, task_id)
    form = SkipForm(request.POST)
    if not form.is_valid():
        return invalid(request, "Not skipped", str(next(iter(form.errors.values()))[0]))
    try:
        skip_task(task_id, signed_in(request), **form.cleaned_data)
    except NotHeldError as error:
        return refuse(request, "Not skipped", str(error))
    return next_task(request, found.study)


@require_POST
@told_when_taken_off
def release(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Put a task back unjudged, and go home."""
    own_task(request, task_id)
    try:
        release_task(task_id, signed_in(request))
    except NotHeldError as error:
        return refuse(request, "Not put back", str(error))
    return leave_to(request, reverse("home"))


@require_POST
@told_when_taken_off
def flag(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say what is wrong with an item; the task stays in hand."""
    found = own_task(request, task_id)
    form = FlagForm(request.POST)
    if not form.is_valid():
        return invalid(request, "Not flagged", "Choose from the reasons that are listed.")
    flag_task(task_id, signed_in(request), form.cleaned_data["flag"])
    if not is_htmx(request):
        return HttpResponseRedirect(task_address(task_id, wanted_view(request)), status=303)
    return render(request, "annotate/task/_flag.html", {"flags": flag_page(found), "is_swapped": 1})
