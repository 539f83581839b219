"""Pages about a study itself: the list, a new one, its rubric, its state, its people."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import signed_in
from annotate.forms.studies import AssignForm, StudyForm, criteria_drafts, criteria_formset
from annotate.models import Assignment, State, Study, User
from annotate.steering import (
    CHANGEABLE,
    ChangedMeanwhileError,
    RefusedChangeError,
    assign,
    change_state,
    create_study,
    unassign,
    update_study,
    ways_on,
)
from config.http import admin_required, lead_required, not_found_unless, refuse

STATE_RULES = (
    (State.DRAFT, "Everything may change. Annotators do not see the study."),
    (
        State.OPEN,
        "Annotators judge. Name, question, guidelines, time and judgements per item, people and "
        "batches may change; the systems' names, the scale and the criteria are fixed.",
    ),
    (
        State.PAUSED,
        "Nobody gets a new task; what is in hand may be finished. The same may change as in an "
        "open study, and the share of items asked again.",
    ),
    (State.CLOSED, "For good: no judgement is taken or corrected, nothing changes."),
)


@require_safe
@lead_required
def studies(request: HttpRequest) -> HttpResponse:
    rows = (
        Study.objects.shown_to(signed_in(request))
        .annotate(
            people=Count("assignments", filter=Q(assignments__is_active=True), distinct=True),
            batch_count=Count("batches", distinct=True),
        )
        .order_by("-created_at")
    )
    return render(request, "annotate/studies/list.html", {"studies": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def new(request: HttpRequest) -> HttpResponse:
    form = StudyForm(request.POST or None, instance=Study())
    criteria = criteria_formset(request.POST or None)
    if request.method == "POST" and form.is_valid() and criteria.is_valid():
        try:
            study = create_study(criteria=criteria_drafts(criteria), **form.changes)
        except RefusedChangeError as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "Study made. Import a batch, put people on it, open it.")
            return redirect("rubric", study.slug)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "criteria": criteria}
    return render(request, "annotate/studies/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@lead_required
def rubric(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    if request.method != "POST":
        return _rubric_page(
            request, study, StudyForm(instance=study), criteria_formset(None, study)
        )
    not_found_unless(signed_in(request).is_admin)
    form = StudyForm(request.POST, instance=study)
    in_draft = "criteria" in CHANGEABLE[study.state]
    criteria = criteria_formset(request.POST if in_draft else None, study)
    if not form.is_valid() or (in_draft and not criteria.is_valid()):
        return _rubric_page(request, study, form, criteria, status=422)
    try:
        update_study(
            study,
            version=form.cleaned_data["version"],
            changes=form.changes,
            criteria=criteria_drafts(criteria) if in_draft else None,
        )
    except ChangedMeanwhileError as error:
        return _rubric_page(request, study, form, criteria, status=409, theirs=error.now)
    except RefusedChangeError as error:
        form.add_error(None, str(error))
        return _rubric_page(request, study, form, criteria, status=409)
    messages.success(request, "Saved.")
    return redirect("rubric", slug)


def _rubric_page(
    request: HttpRequest,
    study: Study,
    form: StudyForm,
    criteria: Any,
    *,
    status: int = 200,
    theirs: Study | None = None,
) -> HttpResponse:
    shown = Study.objects.get(pk=study.pk)
    context = {
        "study": shown,
        "page": "rubric",
        "form": form,
        "criteria": criteria,
        "criteria_fixed": "criteria" not in CHANGEABLE[shown.state],
        "may_edit": signed_in(request).is_admin and bool(CHANGEABLE[shown.state]),
        "next_states": ways_on(shown),
        "rules": STATE_RULES,
        "theirs": _differences(form, theirs) if theirs else None,
    }
    return render(request, "annotate/studies/rubric.html", context, status=status)


def _differences(form: StudyForm, theirs: Study) -> list[tuple[str, Any, Any]]:
    """What both wrote, field by field, where they differ: (label, theirs, mine)."""
    return [
        (str(form.fields[name].label or name), getattr(theirs, name), mine)
        for name, mine in form.changes.items()
        if getattr(theirs, name) != mine
    ]


@require_POST
@admin_required
def state(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    try:
        changed = change_state(study, request.POST.get("state", ""))
    except RefusedChangeError as error:
        return refuse(request, "The study stays as it is", str(error))
    messages.success(request, f"The study is now {changed.get_state_display().lower()}.")
    return redirect("rubric", slug)


@require_http_methods(["GET", "HEAD", "POST"])
@lead_required
def assignments(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    form = AssignForm()
    status = 200
    if request.method == "POST":
        not_found_unless(signed_in(request).is_admin)
        if "remove" in request.POST:
            return _remove(request, study)
        form = AssignForm(request.POST)
        if form.is_valid():
            assign(study, form.cleaned_data["annotator"], form.cleaned_data["cap"])
            return redirect("assignments", slug)
        status = 422
    rows = (
        Assignment.objects.filter(study=study)
        .select_related("annotator")
        .order_by("-is_active", "annotator__name", "annotator__email")
    )
    context = {
        "study": study,
        "page": "assignments",
        "form": form,
        "assignments": rows,
        "may_edit": signed_in(request).is_admin,
    }
    return render(request, "annotate/studies/assignments.html", context, status=status)


def _remove(request: HttpRequest, study: Study) -> HttpResponse:
    number = request.POST["remove"]
    not_found_unless(number.isdecimal())
    assignment = get_object_or_404(Assignment, study=study, pk=number, is_active=True)
    annotator: User = assignment.annotator
    unassign(study, annotator)
    messages.success(
        request, f"{annotator} is off this study. Their {assignment.judged_count} judgements stay."
    )
    return redirect("assignments", study.slug)
