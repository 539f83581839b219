"""Planning: how many items and judgements, on a page that a lead can play with."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import results_page
from annotate.models import Study
from evals import queries
from evals.deciding import PolicyInForce, policy_in_force
from evals.figures import SHADES, SIZES, THEMES, draw
from evals.forms.planning import PlanningForm
from evals.reporting import planning as page
from evals.tallies import Tally
from evals.views.counting import in_time


@require_safe
@results_page
@vary_on_headers("HX-Request")
@in_time("planning")
def planning(request: HttpRequest, study: Study) -> HttpResponse:
    with queries.snapshot():
        policy = policy_in_force(study)
        tally = queries.sided_votes(study, "blind").overall
        seconds = page.seconds_each(study)
    form = _form(request, study, policy, tally)
    context: dict[str, Any] = {
        "study": study,
        "page": "planning",
        "form": form,
        "seconds": seconds,
        "after": page.could_have_seen(
            tally,
            policy.gate("human_preference").threshold,
            policy.confidence,
            ties=policy.ties,
        ),
        "correlation_is_seen": page.seen_correlation(tally, policy.ties) is not None,
        "ties": page.ties_words(tally, policy.ties),
        "query": _query(form.data),
    }
    if form.is_valid():
        plan = page.plan_from(form.cleaned_data, policy.confidence, policy.ties, tally)
        context |= {"planned": page.planned(plan, seconds), "figure": page.curve(plan)}
    is_region = request.headers.get("HX-Request") == "true"
    name = "evals/_planned.html" if is_region else "evals/planning.html"
    return render(request, name, context, status=200 if form.is_valid() else 422)


@require_safe
@results_page
def curve(request: HttpRequest, study: Study) -> HttpResponse:
    """The curve of a plan, as an image."""
    form = PlanningForm(request.GET)
    shade, size = request.GET.get("shade", SHADES[0]), request.GET.get("size", SIZES[0])
    if not form.is_valid() or shade not in SHADES or size not in SIZES:
        raise Http404
    with queries.snapshot():
        policy = policy_in_force(study)
        tally = queries.sided_votes(study, "blind").overall
    plan = page.plan_from(form.cleaned_data, policy.confidence, policy.ties, tally)
    found = page.curve(plan)
    if found is None:
        raise Http404
    drawn = draw(found.build(THEMES[shade], size), THEMES[shade], "svg")
    return HttpResponse(drawn, content_type="image/svg+xml")


def _form(request: HttpRequest, study: Study, policy: PolicyInForce, tally: Tally) -> PlanningForm:
    threshold = policy.gate("human_preference").threshold
    start = page.starting_values(study, threshold, tally, policy.ties)
    asked = {name: request.GET.get(name, value) for name, value in start.items()}
    return PlanningForm(asked)


def _query(data: Mapping[str, Any]) -> str:
    query = QueryDict(mutable=True)
    query.update(dict(data))
    return query.urlencode()
