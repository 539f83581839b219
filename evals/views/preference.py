"""The page of preference."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.models import State, Study
from evals import queries
from evals.deciding import judge_preference, policy_in_force
from evals.forms import chosen_source
from evals.reporting import preference as preference_page
from evals.reporting import progress as progress_page
from evals.reporting.gates import LOOKS
from evals.views.counting import in_time


@require_safe
@results_page
@in_time("preference")
def preference(request: HttpRequest, study: Study) -> HttpResponse:
    only = chosen_source(request)
    with queries.snapshot():
        policy = policy_in_force(study)
        votes = queries.sided_votes(study, only)
        result = judge_preference(votes.overall, policy)
        found = preference_page.preference(
            study,
            votes,
            result,
            people={person.id: person.name for person in queries.people_counted(study, only)},
            pace=progress_page.pace(
                queries.last_week(study), 1, closed=study.state == State.CLOSED
            ).per_day,
            only=only,
            confidence=policy.confidence,
            ties=policy.ties,
        )
        imported = queries.has_imported(study)
    context = {
        "study": study,
        "page": "preference",
        "found": found,
        "look": LOOKS[result.status],
        "status": result.status.capitalize(),
        "only": only,
        "policy": policy,
        "has_imported": imported,
    }
    return render(request, "evals/preference.html", context)
