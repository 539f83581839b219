"""One item: what was asked, both outputs by name, and what everybody said."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.models import Study
from evals import queries
from evals.reporting import items as items_page


@require_safe
@results_page
def item(request: HttpRequest, study: Study, public_id: UUID) -> HttpResponse:
    with queries.snapshot():
        item, tasks = queries.item_with_tasks(study, public_id)
    answers = items_page.answers(tasks)
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Item",
        "item": item,
        "finding": items_page.finding(answers),
        "answers": answers,
        "strip": items_page.strip_of(study, answers),
    }
    return render(request, "evals/item.html", context)
