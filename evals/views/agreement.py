"""The page of agreement, and the list of disputed and of flagged items."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import results_page
from annotate.models import Study
from evals import queries
from evals.deciding import policy_in_force
from evals.forms import chosen, chosen_page, chosen_source, chosen_weights
from evals.reporting import items as items_page
from evals.reporting.agreement import agreement_of, parts_of
from evals.reporting.agreement.matrix import FEW
from evals.stats import wording
from evals.stats.kappa import WEIGHTS
from evals.views.counting import in_time

FIRST_FEW = 5
A_PAGE = 25


@require_safe
@results_page
@in_time("agreement")
def agreement(request: HttpRequest, study: Study) -> HttpResponse:
    only, weights = chosen_source(request), chosen_weights(request)
    with queries.snapshot():
        found = agreement_of(study, only, policy_in_force(study).confidence, weights)
        disputed, count = queries.disputed_items(study, only, limit=FIRST_FEW)
        imported = queries.has_imported(study)
    context = {
        "study": study,
        "page": "agreement",
        "found": found,
        "weights": weights,
        "all_weights": WEIGHTS,
        "few": FEW,
        "disputed_count": count,
        "disputed": wording.counted(count, "items"),
        "items": items_page.item_rows(study, disputed),
        "only": only,
        "has_imported": imported,
    }
    return render(request, "evals/agreement.html", context)


@require_safe
@results_page
@vary_on_headers("HX-Request")
@in_time("agreement")
def parts(request: HttpRequest, study: Study) -> HttpResponse:
    """Agreement part by part: a page, or the region of it that loads after the page."""
    only = chosen_source(request)
    with queries.snapshot():
        found = parts_of(study, only, policy_in_force(study).confidence)
        imported = queries.has_imported(study)
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Part by part",
        "found": found,
        "few": FEW,
        "only": only,
        "has_imported": imported,
    }
    is_region = request.headers.get("HX-Request") == "true"
    template = "evals/agreement/_parts.html" if is_region else "evals/agreement_parts.html"
    return render(request, template, context)


@require_safe
@results_page
@in_time("agreement")
def disputed(request: HttpRequest, study: Study) -> HttpResponse:
    show = chosen(request, "show", ("disputed", "flagged"), "disputed")
    only, number = chosen_source(request), chosen_page(request)
    window = {"limit": A_PAGE, "offset": (number - 1) * A_PAGE}
    with queries.snapshot():
        if show == "flagged":
            count = queries.flagged_count(study)
            items = queries.flagged_items(study, only, **window)
        else:
            items, count = queries.disputed_items(study, only, **window)
        judged_twice = bool(count) or queries.can_be_disputed(study, only)
        imported = queries.has_imported(study)
    if number > 1 and not items:
        raise Http404
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Flagged items" if show == "flagged" else "Disputed items",
        "show": show,
        "count": count,
        "judged_twice": judged_twice,
        "counted": wording.counted(count, "items"),
        "items": items_page.item_rows(study, items),
        "number": number,
        "previous": number - 1,
        "next": number + 1,
        "last": -(-count // A_PAGE) or 1,
        "only": only,
        "has_imported": imported,
    }
    return render(request, "evals/disputed.html", context)
