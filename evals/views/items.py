"""One item: what was asked, both outputs by name, and what everybody said."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.blinding import BlindPair
from annotate.models import Study
from annotate.showing import View, show_pair
from evals import queries
from evals.reporting import items as items_page

VIEWS = (
    (View.PLAIN, "plain text"),
    (View.MARKDOWN, "formatted"),
    (View.DIFF, "differences"),
    (View.HIDDEN, "every character"),
)


@require_safe
@results_page
def item(request: HttpRequest, study: Study, public_id: UUID) -> HttpResponse:
    view = View.of(request.GET.get("view"))
    with queries.snapshot():
        item, tasks = queries.item_with_tasks(study, public_id)
    answers = items_page.answers(tasks)
    # Named, and so not blind; the showing of texts is the annotators' own.
    pair = BlindPair(item.prompt, left=item.baseline_output, right=item.candidate_output)
    shown = show_pair(pair, view)
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Item",
        "item": item,
        "finding": items_page.finding(answers),
        "answers": answers,
        "shown": shown,
        "view": view,
        "views": VIEWS,
        "strip": items_page.strip_of(study, answers),
    }
    return render(request, "evals/item.html", context)
