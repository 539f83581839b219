"""The page where automated scores meet what people said of the same items."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.models import Study
from evals import queries
from evals.deciding import policy_in_force
from evals.forms import chosen_source
from evals.queries.metrics import leanings
from evals.reporting import level
from evals.reporting import metrics as metrics_page
from evals.reporting.model_judges import judge_leanings


@require_safe
@results_page
def metrics(request: HttpRequest, study: Study) -> HttpResponse:
    only = chosen_source(request)
    with queries.snapshot():
        policy = policy_in_force(study)
        found = [*leanings(study, only), *judge_leanings(study, only)]
        imported = queries.has_imported(study)
    context = {
        "study": study,
        "page": "metrics",
        "found": metrics_page.metrics(found, policy.confidence),
        "level": level(policy.confidence),
        "few": metrics_page.FEW,
        "only": only,
        "has_imported": imported,
    }
    return render(request, "evals/metrics/metrics.html", context)
