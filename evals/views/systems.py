"""More than two systems: what several studies say together."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import is_judging_in
from annotate.models import State, Study
from config.http import lead_required
from evals import queries
from evals.deciding import policies_in_force
from evals.forms import chosen_source
from evals.reporting import systems as page
from evals.views.counting import in_time

MOST_STUDIES = 60


@require_safe
@lead_required
@in_time("systems")
def systems(request: HttpRequest) -> HttpResponse:
    """Studies are chosen by their slugs; without a choice all that may be seen count."""
    only = chosen_source(request)
    every = list(Study.objects.order_by("name", "slug"))
    hidden = {
        study.pk for study in every if study.state != State.CLOSED and is_judging_in(request, study)
    }
    open_to_see = [study for study in every if study.pk not in hidden]
    wanted = set(request.GET.getlist("study"))
    taken = [study for study in open_to_see if not wanted or study.slug in wanted]
    with queries.snapshot():
        compared = taken[:MOST_STUDIES]
        terms = policies_in_force(compared)
        ties = page.common_ties([(study, terms[study.pk].ties) for study in compared])
        found = page.systems(page.meetings_of(compared, only, ties.counted), ties=ties.counted)
    context = {
        "found": found,
        "ties": ties,
        "only": only,
        "crumb": "Systems",
        "studies": [(study, study in taken) for study in open_to_see],
        "hidden_count": len(hidden),
        "left_out": max(0, len(taken) - MOST_STUDIES),
        "most": MOST_STUDIES,
    }
    return render(request, "evals/systems.html", context)
