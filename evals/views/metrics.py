"""The page where automated scores meet what people said of the same items."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.models import Study
from evals import queries
from evals.deciding import policy_in_force
from evals.forms import chosen_source
from evals.forms.looking import chosen
from evals.reporting import level
from evals.reporting import metrics as metrics_page
from evals.reporting.judging import standing
from evals.reporting.judging_page import judge_section
from evals.reporting.model_judges import all_leanings, judge_runs
from evals.stats.judge_standing import EPSILON, EPSILONS
from evals.views.counting import in_time

# As they stand in addresses: "0.15".
CHOICES = {f"{value:g}": who for who, value in EPSILONS.items()}


@require_safe
@results_page
@in_time("metrics")
def metrics(request: HttpRequest, study: Study) -> HttpResponse:
    only = chosen_source(request)
    epsilon = chosen(request, "epsilon", tuple(CHOICES), f"{EPSILON:g}")
    with queries.snapshot():
        policy = policy_in_force(study)
        found = metrics_page.metrics(all_leanings(study, only), policy.confidence)
        imported = queries.has_imported(study)
        judges = [
            judge_section(
                standing(
                    one,
                    epsilon=float(epsilon),
                    only=only,
                    confidence=policy.confidence,
                    ties=policy.ties,
                )
            )
            for one in judge_runs(study)
        ]
    context = {
        "study": study,
        "page": "metrics",
        "found": found,
        "metric": _metric(request, [row.slug for row in found.rows]),
        "level": level(policy.confidence),
        "few": metrics_page.FEW,
        "judges": judges,
        "policy": policy,
        "epsilon": epsilon,
        "epsilons": list(CHOICES.items()),
        "only": only,
        "has_imported": imported,
    }
    return render(request, "evals/metrics/metrics.html", context)


def _metric(request: HttpRequest, slugs: Sequence[str]) -> str:
    """The metric that is drawn: the best, unless another is asked for."""
    return chosen(request, "metric", slugs, slugs[0]) if slugs else ""
