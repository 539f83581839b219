"""Pairs of annotators: all of them, one as a table, and the items of one cell."""

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.models import Study
from evals import queries
from evals.deciding import policy_in_force
from evals.forms import chosen_page, chosen_source
from evals.forms.agreeing import chosen_cell, chosen_criterion, chosen_pair, names_a_pair
from evals.queries import agreement as queries_of
from evals.queries.agreement_items import cell_items
from evals.queries.others import votes_with_others
from evals.reporting import items as items_page
from evals.reporting.agreement import pairs_of
from evals.reporting.agreement.confusion import (
    Asked,
    Confusion,
    cell_query,
    cell_words,
    confusion_of_pair,
    confusion_with_others,
)
from evals.reporting.agreement.counted import Scale, scale_of
from evals.reporting.agreement.criterion_pairs import ScoreTable, criterion_pair_rows
from evals.reporting.agreement.matrix import FEW
from evals.reporting.numbers import Shown
from evals.reporting.rubric import criteria_asked
from evals.stats import wording
from evals.tallies import counts_of
from evals.views.counting import in_time

PAIRS_A_PAGE = 40
A_PAGE = 25


@require_safe
@results_page
@in_time("agreement")
def pairs(request: HttpRequest, study: Study) -> HttpResponse:
    only, number = chosen_source(request), chosen_page(request)
    with queries.snapshot():
        level = policy_in_force(study).confidence
        start, stop = (number - 1) * PAIRS_A_PAGE, number * PAIRS_A_PAGE
        criteria = criteria_asked(study, only)
        criterion = chosen_criterion(request, criteria)
        scores: list[ScoreTable] = []
        pooled: Shown | None = None
        if criterion is None:
            rows, count = pairs_of(study, only, level, start, stop)
        else:
            rows, scores, count, pooled = criterion_pair_rows(
                study, criterion, only, level, start, stop
            )
        imported = queries.has_imported(study)
    if number > 1 and not rows:
        raise Http404
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Pairs of annotators",
        "rows": rows,
        "scores": scores,
        "pooled": pooled,
        "criteria": criteria,
        "criterion": criterion,
        "count": count,
        "in_words": wording.counted(count, "pairs"),
        "few": FEW,
        "number": number,
        "previous": number - 1,
        "next": number + 1,
        "last": -(-count // PAIRS_A_PAGE) or 1,
        "only": only,
        "has_imported": imported,
    }
    return render(request, "evals/agreement_pairs.html", context)


@require_safe
@results_page
@in_time("agreement")
def confusion(request: HttpRequest, study: Study) -> HttpResponse:
    if not names_a_pair(request):
        return redirect("agreement_pairs", study.slug)
    asked = chosen_pair(request, study)
    with queries.snapshot():
        level = policy_in_force(study).confidence
        scale = scale_of(queries_of.scales_judged_on(study, asked.only))
        asked = asked if scale.has_strength else replace(asked, by="winner")
        found = _confusion(study, asked, scale, level)
        imported = queries.has_imported(study)
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Confusion table",
        "asked": asked,
        "found": found,
        "has_strength": scale.has_strength,
        "only": asked.only,
        "has_imported": imported,
    }
    return render(request, "evals/agreement_confusion.html", context)


def _confusion(study: Study, asked: Asked, scale: Scale, level: float) -> Confusion:
    if asked.other is None:
        rows = votes_with_others(study, asked.only).get(asked.one.pk, counts_of((), 5))
        return confusion_with_others(asked, rows, level)
    table = queries_of.pair_points(study, asked.only).table_of(asked.one.pk, asked.other.pk)
    return confusion_of_pair(asked, table, scale, level)


@require_safe
@results_page
@in_time("agreement")
def cell(request: HttpRequest, study: Study) -> HttpResponse:
    if not names_a_pair(request):
        return redirect("agreement_pairs", study.slug)
    asked = chosen_pair(request, study)
    chosen = chosen_cell(request, study, asked)
    with queries.snapshot():
        items, follows = cell_items(
            study, asked.only, chosen.asked, after=chosen.after, limit=A_PAGE
        )
    context = {
        "study": study,
        "page": "agreement",
        "crumb": "Items of a cell",
        "asked": asked,
        "cell": chosen,
        "words": cell_words(asked, chosen.mine, chosen.theirs, study),
        "items": items_page.item_rows(study, items),
        "follows": follows,
        "query": asked.query(**cell_query(chosen.mine, chosen.theirs)),
        "table_query": asked.query(),
        "only": asked.only,
    }
    return render(request, "evals/agreement_items.html", context)
