"""Pages of runs: what there is, a new one, how one goes on, its end."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import admin_page, results_page, signed_in, study_for_admin, study_for_lead
from annotate.models import State, Study
from config.http import is_htmx, refuse
from evals import queries
from evals.forms.looking import chosen, chosen_page
from evals.forms.runs import ResumeForm, RunForm, newest_suites, usable_endpoints
from evals.model_judge import JudgeError, judged_runs
from evals.models import Run
from evals.reporting.output_lengths import run_length
from evals.reporting.run_rows import SHOWN, answer_row, forecast_row, run_row, runs_finding
from evals.reporting.runs import run_page
from evals.running import (
    RefusedRunError,
    cancel_run,
    resumable,
    resume_runs,
    start_runs,
)
from evals.running.forecasting import forecast
from evals.running.reading import SHOWS, Show, answers_of, other_of_pair

RUNS_A_PAGE = 50
ANSWERS_A_PAGE = 25


class SeeOther(HttpResponseRedirect):
    """The answer to a form: look there, by GET."""

    status_code = 303


@require_safe
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    study = study_for_lead(request, slug)
    found = (
        Run.objects.filter(study=study)
        .select_related("suite", "study", "started_by", "endpoint")
        .annotate(
            total=Count("generations"),
            done=Count("generations", filter=Q(generations__state="done")),
            errors=Count("generations", filter=~Q(generations__error="")),
        )
        .order_by("-number")
    )
    page = Paginator(found, RUNS_A_PAGE).get_page(chosen_page(request))
    context = {
        "study": study,
        "page": "runs",
        "finding": runs_finding(study),
        "runs": page,
        "rows": [run_row(run) for run in page],
        "may_start": getattr(request.user, "is_admin", False) and study.state != State.CLOSED,
    }
    return render(request, "evals/runs/runs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def run_new(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "POST":
        study = study_for_admin(request, slug)
        return _start(request, study, RunForm(study, request.POST))
    study = study_for_lead(request, slug)
    form = RunForm(study, request.GET if "suite" in request.GET else None)
    if is_htmx(request):
        return render(request, "evals/runs/_forecast.html", _forecast(form))
    return _render_new(request, study, form)


def _start(request: HttpRequest, study: Study, form: RunForm) -> HttpResponse:
    if not form.is_valid():
        return _render_new(request, study, form, status=422)
    found = form.cleaned_data
    try:
        started = start_runs(
            study,
            found["suite"],
            form.endpoints(found),
            call_limit=found["call_limit"],
            cost_limit=found["cost_limit"],
            started_by=signed_in(request),
            key=found["key"],
        )
    except RefusedRunError as error:
        form.add_error(None, str(error))
        return _render_new(request, study, form, status=422)
    return SeeOther(reverse("run", args=[study.slug, started[-1].number]))


def _render_new(
    request: HttpRequest, study: Study, form: RunForm, status: int = 200
) -> HttpResponse:
    context = {
        "study": study,
        "page": "runs",
        "crumb": "New run",
        "form": form,
        "has_suites": newest_suites().exists(),
        "has_endpoints": usable_endpoints().exists(),
        "may_start": getattr(request.user, "is_admin", False),
        **_forecast(form),
    }
    return render(request, "evals/runs/new.html", context, status=status)


def _forecast(form: RunForm) -> dict[str, Any]:
    """What the chosen runs would take, as far as anything was chosen."""
    if not form.is_bound:
        return {"forecasts": []}
    form.is_valid()
    found = form.cleaned_data
    endpoints = form.endpoints(found)
    if not found.get("suite") or not endpoints:
        return {"forecasts": []}
    told = forecast(found["suite"], endpoints)
    return {"forecasts": [forecast_row(one) for one in told]}


@require_safe
@vary_on_headers("HX-Request")
@results_page
def run(request: HttpRequest, study: Study, run_number: int) -> HttpResponse:
    found = _found(study, run_number)
    show = _chosen_show(request)
    kind = request.GET.get("kind", "")[:40]
    with queries.snapshot():
        answers = Paginator(answers_of(found, show, kind), ANSWERS_A_PAGE)
        page = answers.get_page(chosen_page(request))
        context = _run_context(request, study, found) | {
            "answers": page,
            "answer_rows": [answer_row(one, found) for one in page],
            "show": show,
            "kind": kind,
            "shows": SHOWN,
            "length": None if found.system == Run.System.JUDGE else run_length(found),
        }
        return render(request, "evals/runs/run.html", context)


def _chosen_show(request: HttpRequest) -> Show:
    word = chosen(request, "show", SHOWS, "all")
    for show in SHOWS:
        if show == word:
            return show
    raise BadRequest


@require_safe
@results_page
def run_progress(request: HttpRequest, study: Study, run_number: int) -> HttpResponse:
    """The part of the page that changes while a run goes on."""
    found = _found(study, run_number)
    if not is_htmx(request):
        return redirect("run", study.slug, run_number)
    with queries.snapshot():
        context = _run_context(request, study, found)
        return render(request, "evals/runs/_progress.html", context)


def _found(study: Study, run_number: int) -> Run:
    runs = Run.objects.select_related("study", "suite", "started_by", "endpoint")
    return get_object_or_404(runs, study=study, number=run_number)


def _run_context(request: HttpRequest, study: Study, found: Run) -> dict[str, Any]:
    told = run_page(found)
    return {
        "study": study,
        "page": "runs",
        "crumb": f"Run {found.number}",
        "run": found,
        "told": told,
        "latest": [answer_row(one, found) for one in told.latest],
        "judged": _judged(found),
        "resumable": resumable(found),
        "resume_form": ResumeForm(),
        "is_running": found.state == Run.State.RUNNING,
        "may_act": getattr(request.user, "is_admin", False),
    }


def _judged(found: Run) -> dict[str, Run] | None:
    """The two runs that a judge's run compares; None of any other run."""
    try:
        return {run.system: run for run in judged_runs(found)}
    except JudgeError:
        return None


@require_POST
@admin_page
def run_resume(request: HttpRequest, study: Study, run_number: int) -> HttpResponse:
    """Go on with a run that ended before its time, within new limits."""
    found, form = _found(study, run_number), ResumeForm(request.POST)
    if not form.is_valid():
        words = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return refuse(request, f"Run {found.number} does not go on", words, status=422)
    try:
        resumed = resume_runs(found, **form.cleaned_data)
    except RefusedRunError as error:
        return refuse(request, f"Run {found.number} does not go on", str(error))
    numbers = " and ".join(str(one.number) for one in resumed)
    words = f"Runs {numbers} go on" if len(resumed) > 1 else f"Run {numbers} goes on"
    messages.success(request, f"{words}: only what is missing is asked.")
    return SeeOther(reverse("run", args=[study.slug, found.number]))


@require_POST
@admin_page
def run_cancel(request: HttpRequest, study: Study, run_number: int) -> HttpResponse:
    found = _found(study, run_number)
    chosen_runs = [found]
    other = other_of_pair(found)
    if "both" in request.POST and other is not None:
        chosen_runs.append(other)
    cancelled = [one for one in chosen_runs if cancel_run(one)]
    if not cancelled:
        return refuse(
            request,
            f"Run {found.number} has ended already",
            "It cannot be cancelled. Its answers are kept.",
        )
    numbers = " and ".join(str(one.number) for one in sorted(cancelled, key=lambda one: one.number))
    noun = "Runs" if len(cancelled) > 1 else "Run"
    messages.info(request, f"{noun} {numbers} cancelled. The answers so far are kept.")
    return SeeOther(reverse("run", args=[study.slug, found.number]))
