"""Pages of model services, for admins."""

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import signed_in
from config.http import admin_required, refuse
from evals import endpoints as keeping
from evals import stand_in
from evals.forms import EndpointForm
from evals.models import Endpoint


def _listed() -> QuerySet[Endpoint]:
    return Endpoint.objects.annotate(
        run_count=Count("runs"), running=Count("runs", filter=Q(runs__state="running"))
    )


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def endpoints(request: HttpRequest) -> HttpResponse:
    """All services; a POST adds the stand-ins."""
    if request.method == "POST":
        return _add_stand_ins(request)
    found = list(_listed().order_by("archived_at", "name"))
    stand_ins = {one.model for one in found if one.kind == "stand_in" and not one.archived_at}
    context = {
        "lacks_stand_ins": len(stand_ins) < len(stand_in.MODELS),
        "endpoints": [one for one in found if one.archived_at is None],
        "archived": [one for one in found if one.archived_at is not None],
    }
    return render(request, "evals/endpoints/endpoints.html", context)


def _add_stand_ins(request: HttpRequest) -> HttpResponse:
    if request.POST.get("act") != "stand_ins":
        return refuse(request, "Nothing was done", "This form has no such button.", status=422)
    keeping.ensure_stand_ins()
    messages.success(request, "The stand-ins are there: a baseline, a candidate and a judge.")
    return redirect("endpoints")


@sensitive_post_parameters("key")
@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _render_new(request, EndpointForm())
    form = EndpointForm(request.POST)
    if not _is_written(form):
        return _render_new(request, form, status=422)
    messages.success(request, f"{form.instance.name} is kept. Test whether it answers.")
    return redirect("endpoint", form.instance.pk)


def _render_new(request: HttpRequest, form: EndpointForm, status: int = 200) -> HttpResponse:
    return render(request, "evals/endpoints/new.html", {"form": form}, status=status)


@sensitive_post_parameters("key")
@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One service; a POST changes it."""
    found = get_object_or_404(_listed(), pk=endpoint_id)
    if request.method != "POST":
        return _render_endpoint(request, found, EndpointForm(instance=found))
    form = EndpointForm(request.POST, instance=get_object_or_404(Endpoint, pk=endpoint_id))
    if not _is_written(form):
        return _render_endpoint(request, found, form, status=422)
    messages.success(request, f"{form.instance.name} is changed.")
    return redirect("endpoint", endpoint_id)


def _render_endpoint(
    request: HttpRequest, found: Endpoint, form: EndpointForm, status: int = 200
) -> HttpResponse:
    context = {"endpoint": found, "form": form}
    return render(request, "evals/endpoints/endpoint.html", context, status=status)


def _is_written(form: EndpointForm) -> bool:
    if not form.is_valid():
        return False
    try:
        keeping.write_endpoint(form.instance, form.key_choice)
    except (keeping.KeyWantedError, keeping.SealError) as error:
        source = form.key_choice.source
        form.add_error("key_variable" if source == "environment" else "key", str(error))
    except keeping.BusyEndpointError as error:
        form.add_error(None, str(error))
    return form.is_valid()


@admin_required
@require_POST
def endpoint_test(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Ask once whether it answers."""
    found = get_object_or_404(Endpoint, pk=endpoint_id)
    try:
        trial = keeping.try_endpoint(found, signed_in(request))
    except keeping.TooManyTrialsError as error:
        return refuse(request, "Tried often enough", str(error), status=429)
    tell = messages.success if trial.answered else messages.error
    tell(request, trial.words)
    return redirect("endpoint", endpoint_id)


@admin_required
@require_POST
def endpoint_archive(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Take it out of the choice for new runs, or back into it."""
    found = get_object_or_404(Endpoint, pk=endpoint_id)
    if request.POST.get("act") == "bring_back":
        keeping.bring_back(found)
        messages.success(request, f"{found.name} can be chosen for runs again.")
    else:
        keeping.archive(found)
        messages.success(
            request, f"{found.name} is archived: no new run asks it, and nothing of it is lost."
        )
    return redirect("endpoints")
